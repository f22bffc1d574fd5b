/* SPDX-License-Identifier: MIT */
/*
 * start.c - a machine whose firmware and devices mean harm: the table and bytes of
 * configuration space come from the input, some host calls fail, and the whole
 * stack starts on it, moves its devices, and stops. Input:
 *
 *     1 byte    the machine        1 byte  which host call fails; 0: none
 *     1 byte    the device whose configuration space differs
 *     2 bytes   size of the table, then the table; length and checksum are made
 *     3 bytes each, to the end: offset and what is read there
 */
#include "fuzz/fuzz.h"

#include <uiommu/embed.h>
#include <uiommu/uiommu.h>

#include "hosts/sim/sim.h"

#define RULES(X)                                                               \
    X(a_sentence_is_a_line)                                                    \
    X(host_calls_are_bounded)                                                  \
    X(a_device_sees_its_domain)                                                \
    X(a_blocked_device_sees_nothing)                                           \
    X(what_was_begun_can_be_ended)                                             \
    X(nothing_is_left)
FUZZ_RULES(RULES);

enum {
    HEADER = 36,
    TABLE = 4096,
    DEVICES = 8,
    SPACE = 4096,
    PAGE = 4096,
    IOVA = 0x4000,
    MOST_CALLS = 1 << 20
};

static struct {
    struct machine *m;
    struct uiommu_host host;
    struct uiommu *u;
    struct uiommu_device *device[DEVICES];
    uint8_t hostile;
    uint8_t space[SPACE];
    bool changed[SPACE];
    unsigned reads;
} box;

static uint32_t pci_read(void *ctx, struct uiommu_pci at, unsigned offset,
                         unsigned width)
{
    uint32_t value = box.m->host.pci_read(ctx, at, offset, width);
    struct uiommu_pci hostile = box.m->devices[box.hostile].pci;

    box.reads++;
    if (at.bus != hostile.bus || at.devfn != hostile.devfn)
        return value;
    for (unsigned i = 0; i < width && offset + i < SPACE; i++) {
        if (box.changed[offset + i])
            value = (value & ~(0xffu << 8 * i)) |
                    (uint32_t)box.space[offset + i] << 8 * i;
    }
    return value;
}

static void log_line(void *ctx, enum uiommu_log_level level, const char *text)
{
    (void)ctx, (void)level;
    if (fuzz_lies(RULE_a_sentence_is_a_line))
        text = "";
    fuzz_check(text[0] && !strchr(text, '\n'), RULE_a_sentence_is_a_line);
}

static void on_problem(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "sim: %s\n", text);
}

/* ---- the machine ----------------------------------------------------------- */

static void open_machine(uint8_t bits)
{
    const struct sim_config config = {
        .mode = bits % 3,
        .non_coherent = bits & 0x10,
        .adversarial = bits & 0x20,
        .ats = bits & 0x40,
        .polling = bits & 0x80,
        .ram_size = 4 << 20,
        .on_problem = on_problem,
    };
    char error[256];

    memset(&box, 0, sizeof(box));
    box.m = sim_open(&config, error, sizeof(error));
    if (!box.m)
        abort();
    box.host = box.m->host;
    box.host.pci_read = pci_read;
    box.host.log = log_line;
}

static void read_space(struct fuzz_input *in)
{
    while (in->left > 0) {
        unsigned offset = (unsigned)fuzz_take(in, 2) % SPACE;

        box.space[offset] = (uint8_t)fuzz_take(in, 1);
        box.changed[offset] = true;
    }
}

static size_t read_table(struct fuzz_input *in, uint8_t *table)
{
    size_t size = fuzz_take(in, 2) % TABLE;
    uint8_t sum = 0;

    size = size < HEADER ? HEADER : size;
    for (size_t i = 0; i < size; i++)
        table[i] = (uint8_t)fuzz_take(in, 1);
    memcpy(table, "DMAR", 4);
    for (unsigned i = 0; i < 4; i++)
        table[4 + i] = (uint8_t)(size >> 8 * i);
    table[9] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)-sum;
    return size;
}

/* ---- what is done ------------------------------------------------------------ */

/* What is at PAGE. */
static bool reaches(unsigned i, uint64_t iova)
{
    struct uie_xlat x;

    return sim_probe(box.m, i, UIOMMU_NO_PASID, iova, UIOMMU_READ, &x) == 0 &&
           x.gpa + (iova & x.mask) == PAGE;
}

static void use(unsigned i, struct uiommu_domain *domain)
{
    struct uiommu_endpoint *ep = uiommu_device_endpoint(box.device[i]);

    if (uiommu_set_domain(ep, domain, NULL) == UIOMMU_OK) {
        bool seen =
            reaches(i, IOVA) && !fuzz_lies(RULE_a_device_sees_its_domain);

        fuzz_check(seen, RULE_a_device_sees_its_domain);
    }
    if (uiommu_set_domain(ep, uiommu_blocked(box.u), NULL) == UIOMMU_OK) {
        bool seen =
            reaches(i, IOVA) || fuzz_lies(RULE_a_blocked_device_sees_nothing);

        fuzz_check(!seen, RULE_a_blocked_device_sees_nothing);
    }
    (void)!uiommu_set_domain(ep, uiommu_core_domain(ep), NULL);
}

static void move(unsigned i)
{
    struct uiommu_endpoint *ep = uiommu_device_endpoint(box.device[i]);
    struct uiommu_domain *domain;

    if (!box.m->devices[i].engine ||
        uiommu_domain_create(ep, NULL, &domain) != UIOMMU_OK)
        return;
    if (uiommu_map(domain, IOVA, PAGE, PAGE, UIOMMU_READ) == UIOMMU_OK)
        use(i, domain);
    uiommu_domain_put(domain);
}

static void add(unsigned i)
{
    int bridge = box.m->devices[i].bridge;
    struct uiommu_device_info info = {
        .size = sizeof(info),
        .pci = box.m->devices[i].pci,
        .bridge = bridge < 0 ? NULL : box.device[bridge],
    };

    if (bridge >= 0 && !info.bridge)
        return;
    if (uiommu_device_add(box.u, &info, &box.device[i]) != UIOMMU_OK)
        box.device[i] = NULL;
}

static void begun(enum uiommu_status status)
{
    if (fuzz_lies(RULE_what_was_begun_can_be_ended))
        status = UIOMMU_BUSY;
    fuzz_check(status == UIOMMU_OK, RULE_what_was_begun_can_be_ended);
}

static void with_devices(void)
{
    unsigned n = box.m->n_devices < DEVICES ? box.m->n_devices : DEVICES;

    for (unsigned i = 0; i < n; i++)
        add(i);
    for (unsigned i = 0; i < n; i++) {
        if (box.device[i])
            move(i);
    }
    uiommu_poll(box.u);
    sim_fail_nth(box.m, 0);
    for (unsigned i = n; i-- > 0;) {
        if (box.device[i])
            begun(uiommu_device_remove(box.device[i]));
    }
}

static void with_table(const uint8_t *table, size_t size)
{
    const struct uiommu_driver *const drivers[] = { &uiommu_driver_vtd };

    if (uiommu_create(&box.host, NULL, &box.u) != UIOMMU_OK)
        return;
    if (uiommu_add_table(box.u, table, size) == UIOMMU_OK &&
        uiommu_start(box.u, drivers, 1) == UIOMMU_OK) {
        with_devices();
        begun(uiommu_stop(box.u));
    }
    sim_fail_nth(box.m, 0);
    begun(uiommu_destroy(box.u));
}

static void check_work(void)
{
    struct sim_counts counts;
    uint64_t calls;

    sim_counts(box.m, &counts);
    calls = box.reads + counts.calls + counts.mmio_reads + counts.mmio_writes +
            counts.flushes;
    if (fuzz_lies(RULE_host_calls_are_bounded))
        calls = MOST_CALLS;
    fuzz_check(calls < MOST_CALLS, RULE_host_calls_are_bounded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    uint8_t *table = malloc(TABLE), fails;
    size_t table_size;

    open_machine((uint8_t)fuzz_take(&in, 1));
    fails = (uint8_t)fuzz_take(&in, 1);
    box.hostile = (uint8_t)(fuzz_take(&in, 1) % box.m->n_devices);
    table_size = read_table(&in, table);
    read_space(&in);
    table = realloc(table, table_size); /* the sanitizer sees what is behind */
    if (!table)
        abort();
    sim_fail_nth(box.m, fails);
    with_table(table, table_size);
    free(table);
    check_work();
    fuzz_check(sim_close(box.m) == 0 && !fuzz_lies(RULE_nothing_is_left),
               RULE_nothing_is_left);
    return 0;
}
