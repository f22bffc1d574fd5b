/* SPDX-License-Identifier: MIT */
/*
 * accel.c - the streaming accelerator against whoever has its BARs, and whoever may
 * submit to it. The IOMMU is off, so that addresses are physical: a descriptor may well
 * lead into the device's own registers. Input, to its end:
 *
 *     0, 1 offset, 1 table, 4 value  a register (offset times 4)
 *     1, 1 offset              a register is read (offset times 8)
 *     2, 1 portal, 64 bytes    a posted submission
 *     3, 1 portal, 64 bytes    ENQCMDS
 *     4, 1 steps               the machine runs
 *     5, 1 which, 2 value      the command register, MSI-X control, PASID control
 *     6, 2 offset, 64 bytes    memory, where lists of batches are
 *     7                        a function reset
 *     8, 3 offset, 1 size      a peer writes to the BARs
 *     9                        device and queue 0 are brought up
 */
#include "fuzz/fuzz.h"

#include "hosts/sim/accel.h"
#include "hosts/sim/accel_layout.h"

#define RULES(X)                                                               \
    X(an_error_has_a_code)                                                     \
    X(no_queue_has_more_than_its_size)                                         \
    X(what_is_off_has_nothing)                                                 \
    X(an_idle_device_ends_its_command)                                         \
    X(a_reset_ends_all)
FUZZ_RULES(RULES);

enum {
    RAM = 1 << 20,
    MEMORY_AT = 0x10000, /* by 6, and 64 KiB */
    DESC = 64,
    PORTALS = 32,
    GRPCFG = 0x400,
    WQCFG = 0x500,
    WQS = 8,
    MOST_STEPS = 400, /* of one input */
};

static struct {
    struct machine *m;
    unsigned dev, steps;
    void *regs;
    uint64_t bar, portals;
} box;

static void nothing(void *ctx, const char *text)
{
    (void)ctx, (void)text;
}

static uint64_t read64(uint64_t offset)
{
    return box.m->host.mmio_read64(box.m->host.ctx, box.regs, offset);
}

static void write32(uint64_t offset, uint32_t value)
{
    box.m->host.mmio_write32(box.m->host.ctx, box.regs, offset, value);
}

static void config_write(unsigned offset, uint32_t value)
{
    box.m->host.pci_write(box.m->host.ctx, box.m->devices[box.dev].pci, offset,
                          2, value);
}

static void reset_function(void)
{
    config_write(0x68, 0x8000);
    sim_advance(box.m, 200 * 1000 * 1000);
    sim_firmware(box.m, box.dev);
}

/* ---- rules ----------------------------------------------------------------- */

static void check_queue(unsigned i)
{
    struct accel_wqcfg_q0 q0 = { read64(WQCFG + 64 * i) };
    struct accel_wqcfg_q3 q3 = { read64(WQCFG + 64 * i + 24) };
    uint64_t size = accel_wqcfg_q0_size(q0);
    uint64_t n = accel_wqcfg_q3_occupancy(q3);

    if (fuzz_lies(RULE_no_queue_has_more_than_its_size) && n > 0)
        n = size + 1;
    fuzz_check(n <= size, RULE_no_queue_has_more_than_its_size);
    if (fuzz_lies(RULE_what_is_off_has_nothing) && n > 0)
        q3.raw = 0;
    fuzz_check(n == 0 || accel_wqcfg_q3_state(q3) != 0,
               RULE_what_is_off_has_nothing);
}

static void check_device(void)
{
    struct accel_swerr_q0 swerr = { read64(ACCEL_REG_SWERR) };

    if (fuzz_lies(RULE_an_error_has_a_code))
        swerr = accel_swerr_q0_set_error(swerr, 0);
    fuzz_check(!accel_swerr_q0_valid(swerr) || accel_swerr_q0_error(swerr) != 0,
               RULE_an_error_has_a_code);
    for (unsigned i = 0; i < WQS; i++)
        check_queue(i);
}

static bool active(void)
{
    return accel_cmdsts_active(
        (struct accel_cmdsts){ read64(ACCEL_REG_CMDSTS) });
}

/* With nothing to wait for a command takes the next step. A descriptor that ends in
 * that step may write another. */
static void check_command(void)
{
    bool still;

    if (sim_accel_busy(box.m, box.dev) > 0)
        return;
    machine_run(box.m);
    still = active() || fuzz_lies(RULE_an_idle_device_ends_its_command);
    fuzz_check(!still, RULE_an_idle_device_ends_its_command);
}

/* By a command, or if another is active by one of the function. */
static void check_reset(void)
{
    unsigned busy;

    if (active()) {
        reset_function();
    } else {
        write32(ACCEL_REG_CMD, ACCEL_CMD_RESET_DEVICE << 20);
        machine_run(box.m);
    }
    busy = sim_accel_busy(box.m, box.dev) + fuzz_lies(RULE_a_reset_ends_all);
    fuzz_check(!active() && busy == 0, RULE_a_reset_ends_all);
}

/* ---- the machine ----------------------------------------------------------- */

static void open_machine(void)
{
    const struct sim_config config = { .mode = SIM_SCALABLE,
                                       .engines = 1,
                                       .accels = 1,
                                       .ram_size = RAM,
                                       .on_problem = nothing };
    char error[256];

    memset(&box, 0, sizeof(box));
    box.m = sim_open(&config, error, sizeof(error));
    if (!box.m)
        abort();
    box.dev = (unsigned)sim_find(box.m, "accel0");
    box.bar = sim_bar_addr(box.m, box.dev);
    box.portals = box.bar + 0x20000;
    box.regs = box.m->host.mmio_map(box.m->host.ctx, box.bar, 0x10000);
}

static void close_machine(void)
{
    box.m->host.mmio_unmap(box.m->host.ctx, box.regs, 0x10000);
    sim_close(box.m);
}

/* ---- the input ------------------------------------------------------------- */

static void take_bytes(struct fuzz_input *in, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)fuzz_take(in, 1);
}

static void run_steps(unsigned n)
{
    for (unsigned i = 0; i < n && box.steps < MOST_STEPS; i++, box.steps++)
        machine_run(box.m);
}

static void submit(struct fuzz_input *in, bool deferrable)
{
    uint64_t portal = box.portals + fuzz_take(in, 1) % PORTALS * 0x1000;
    uint8_t desc[DESC];

    take_bytes(in, desc, sizeof(desc));
    if (deferrable)
        (void)sim_enqcmds(box.m, portal, desc);
    else
        sim_movdir64b(box.m, portal, desc);
}

static void change_config(struct fuzz_input *in)
{
    static const unsigned offset[] = { 0x04, 0x42, 0x106 };
    unsigned which = (unsigned)fuzz_take(in, 1) % 3;

    config_write(offset[which], (uint32_t)fuzz_take(in, 2));
}

static void change_memory(struct fuzz_input *in)
{
    uint64_t at = MEMORY_AT + fuzz_take(in, 2) / DESC * DESC;

    take_bytes(in, sim_ram(box.m, at, DESC), DESC);
}

static void write_by_peer(struct fuzz_input *in)
{
    uint8_t buf[256];
    struct sim_request r = { .dev = (unsigned)sim_engine(box.m, 0),
                             .write = true,
                             .rogue = true,
                             .iova = box.bar + fuzz_take(in, 3) % 0x40000,
                             .buf = buf };

    r.size = 1 + fuzz_take(in, 1) % 255;
    memset(buf, 0xa5, sizeof(buf));
    (void)sim_dma(box.m, &r);
    r.write = false;
    (void)sim_dma(box.m, &r);
}

/* Dedicated, without PASID, in a group with all engines. */
static void bring_up(void)
{
    write32(WQCFG, 16);
    write32(WQCFG + 8, 1 | 1 << 4);
    write32(WQCFG + 12, 16 | 4 << 5);
    write32(GRPCFG, 1);
    write32(GRPCFG + 32, 15);
    write32(ACCEL_REG_CMD, ACCEL_CMD_ENABLE_DEVICE << 20);
    run_steps(1);
    write32(ACCEL_REG_CMD, ACCEL_CMD_ENABLE_WQ << 20);
    run_steps(1);
}

static void act(struct fuzz_input *in)
{
    static const uint64_t table[] = { 0, 0x400, 0x2000 }; /* MSI-X */
    uint64_t offset;

    switch (fuzz_take(in, 1) % 10) {
    case 0:
        offset = fuzz_take(in, 1) * 4;
        offset += table[fuzz_take(in, 1) % 3];
        write32(offset, (uint32_t)fuzz_take(in, 4));
        break;
    case 1:
        (void)read64(fuzz_take(in, 1) * 8);
        break;
    case 2:
        submit(in, false);
        break;
    case 3:
        submit(in, true);
        break;
    case 4:
        run_steps((unsigned)fuzz_take(in, 1));
        break;
    case 5:
        change_config(in);
        break;
    case 6:
        change_memory(in);
        break;
    case 7:
        reset_function();
        break;
    case 8:
        write_by_peer(in);
        break;
    default:
        bring_up();
    }
}

/* Nobody sees registers while memory space is off. */
static bool visible(void)
{
    return read64(ACCEL_REG_VERSION) == ACCEL_VERSION;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };

    open_machine();
    while (in.left > 0) {
        act(&in);
        if (visible()) {
            check_device();
            check_command();
        }
    }
    if (visible())
        check_reset();
    close_machine();
    return 0;
}
