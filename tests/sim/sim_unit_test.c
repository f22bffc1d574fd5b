/* SPDX-License-Identifier: MIT */
/*
 * hosts/sim around its IOMMU: what firmware says of it, DMA through tables that
 * are written by hand, interrupts, and what must be noticed of wrong table
 * memory and stale caches.
 */
#include "tests/sim/raw.h"
#include "tests/sim/tools.h"

#include <string.h>

#include <uiommu/embed.h>

#include "fw/fw.h"

enum { ENGINE_DEVFN = 3 << 3, PORT_DEVFN = 0x1c << 3 };

#define IOVA UINT64_C(0x12345678000)

/* ---- the firmware table -------------------------------------------------- */

static unsigned get16(const uint8_t *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v = 0;

    for (unsigned i = 8; i > 0; i--)
        v = v << 8 | p[i - 1];
    return v;
}

static void check_sum(const struct machine *m)
{
    const uint8_t *p = m->table;
    uint8_t sum = 0;

    assert_memory_equal(p, "DMAR", 4);
    assert_int_equal(get16(p + 4), m->table_size);
    for (size_t i = 0; i < m->table_size; i++)
        sum = (uint8_t)(sum + p[i]);
    assert_int_equal(sum, 0);
}

/* The nth structure of that type, NULL: there are fewer; types ascend. */
static const uint8_t *find_struct(const struct machine *m, unsigned type,
                                  unsigned n)
{
    const uint8_t *p = m->table;
    unsigned last = 0;

    for (size_t at = 48; at < m->table_size; at += get16(p + at + 2)) {
        assert_true(get16(p + at) >= last);
        last = get16(p + at);
        if (last == type && n-- == 0)
            return p + at;
    }
    return NULL;
}

static void regions_are_in_the_table(void **state)
{
    const struct sim_region region[] = {
        { 0x200000, 0x3000, 0 }, /* engine0 */
        { 0x300000, 0x1000, 3 }, /* engine2, behind the port */
    };
    struct sim_config config = { .regions = region,
                                 .n_regions = 2,
                                 .ats = true };
    struct machine *m = open_sim(&config);
    const uint8_t *first = find_struct(m, 1, 0);
    const uint8_t *second = find_struct(m, 1, 1);

    (void)state;
    check_sum(m);
    assert_non_null(first);
    assert_non_null(second);
    assert_true(get64(first + 8) == 0x200000);
    assert_true(get64(first + 16) == 0x202fff);
    assert_memory_equal(first + 24, "\1\10\0\0\0\0\3\0", 8);
    assert_memory_equal(second + 24, "\1\12\0\0\0\0\34\0\0\0", 10);
    assert_null(find_struct(m, 1, 2));
    assert_non_null(find_struct(m, 2, 0)); /* ATSR comes after */
    close_sim(m);
}

static void the_plain_table_is_the_models(void **state)
{
    struct machine *m = open_sim(NULL);
    const uint8_t *drhd = find_struct(m, 0, 0);

    (void)state;
    check_sum(m);
    assert_non_null(drhd);
    assert_true(get64(drhd + 8) == 0xfed90000);
    assert_null(find_struct(m, 1, 0));
    close_sim(m);
}

static void regions_need_functions(void **state)
{
    const struct sim_region region = { 0x200000, 0x1000, 77 };
    struct sim_config config = { .regions = &region, .n_regions = 1 };
    char error[256];

    (void)state;
    assert_null(sim_open(&config, error, sizeof(error)));
    assert_string_not_equal(error, "");
}

static void nothing_is_wrong(void *ctx, enum uiommu_log_level level,
                             const char *text)
{
    (void)ctx;
    if (level <= UIOMMU_LOG_WARN)
        fail_msg("%s", text);
}

static struct uim_fw_device function(const struct machine *m, unsigned dev)
{
    const struct uiommu_pci pci = m->devices[dev].pci;

    return (struct uim_fw_device){
        .pci = pci,
        .n = 1,
        .hop = { { pci.bus, pci.devfn, 0 } },
    };
}

/* As the library reads them: nothing odd in either, regions and the doorbell are those of
 * the configuration, and only its. */
static void tables_of_arm_say_what_was_asked_for(void **state)
{
    const struct sim_region region[] = {
        { 0x200000, 0x3000, 0 }, /* engine0 */
        { 0x300000, 0x1000, 3 }, /* engine2, behind the port */
    };
    struct sim_config config = {
        .mode = SIM_STAGE_1, .regions = region, .n_regions = 2, .its = true
    };
    const struct uim_fw_log log = { .say = nothing_is_wrong };
    struct machine *m = open_sim(&config);
    struct uim_fw_region found;
    const void *madt;
    size_t size;

    (void)state;
    madt = m->host.map_table(m->host.ctx, "APIC", 0, &size);
    assert_int_equal(uim_fw_iort.check(m->table, m->table_size, &log),
                     UIOMMU_OK);
    assert_int_equal(uim_fw_iort.check_also(m->table, madt, size, &log),
                     UIOMMU_OK);
    for (unsigned dev = 0; dev < m->n_devices; dev++) {
        const struct uim_fw_device d = function(m, dev);

        assert_int_equal(uim_fw_iort.doorbell(m->table, madt, &d, 0, &found),
                         UIOMMU_OK);
        assert_true(found.start == SIM_DOORBELL);
        assert_true(found.last == SIM_DOORBELL + (SIM_DOORBELL_SIZE - 1));
        assert_int_equal(uim_fw_iort.region(m->table, &d, 0, &found),
                         dev == 0 || dev == 3 ? UIOMMU_OK : UIOMMU_NOENT);
        assert_true(dev != 0 || found.last == 0x202fff);
        assert_true(dev != 3 || found.start == 0x300000);
    }
    m->host.unmap_table(m->host.ctx, madt, size);
    close_sim(m);
}

/* ---- an ITS ---------------------------------------------------------------- */

/* While the unit is off everything passes. */
static void an_its_takes_messages_and_nothing_else(void **state)
{
    struct sim_config config = { .mode = SIM_STAGE_1, .its = true };
    struct machine *m = open_sim(&config);
    static const uint8_t none[4];
    uint8_t word[4] = { 0x41 };
    struct sim_request r = {
        .dev = dev_of(m, "engine0"),
        .pasid = UIOMMU_NO_PASID,
        .write = true,
        .iova = SIM_TRANSLATER,
        .buf = word,
        .size = 4,
    };

    (void)state;
    assert_int_equal(sim_dma(m, &r), MACHINE_DMA_DONE);
    assert_int_equal(r.target, SIM_AT_MSI);
    assert_int_equal(sim_msi_count(m), 1);
    assert_true(sim_msi_at(m, 0).addr == SIM_TRANSLATER);
    assert_int_equal(sim_msi_at(m, 0).data, 0x41);
    assert_int_equal(sim_msi_device(m, 0), ENGINE_DEVFN);
    r.iova = SIM_TRANSLATER + 4;
    assert_int_equal(sim_dma(m, &r), MACHINE_DMA_DONE);
    r.iova = SIM_TRANSLATER;
    r.size = 2;
    assert_int_equal(sim_dma(m, &r), MACHINE_DMA_DONE);
    r.write = false;
    r.size = 4;
    assert_int_equal(sim_dma(m, &r), MACHINE_DMA_DONE);
    assert_memory_equal(word, none, sizeof(none));
    assert_int_equal(sim_msi_count(m), 1);
    r.iova = SIM_DOORBELL + SIM_DOORBELL_SIZE;
    assert_int_equal(sim_dma(m, &r), MACHINE_DMA_REFUSED);
    close_sim(m);
}

static void only_arm_has_an_its(void **state)
{
    struct sim_config config = { .its = true };
    struct machine *m;
    char error[256];
    size_t size;

    (void)state;
    assert_null(sim_open(&config, error, sizeof(error)));
    assert_non_null(strstr(error, "an ITS"));
    config = (struct sim_config){ .mode = SIM_STAGE_1 };
    m = open_sim(&config);
    assert_null(m->host.map_table(m->host.ctx, "APIC", 0, &size));
    close_sim(m);
}

/* ---- what the model is told ---------------------------------------------- */

static void arguments_reach_the_model(void **state)
{
    struct sim_config config = { .args = "nonsense=1" };
    char text[256];

    (void)state;
    assert_null(sim_open(&config, text, sizeof(text)));
    assert_non_null(strstr(text, "nonsense"));
    config = (struct sim_config){ .only_args = "bits=39" };
    sim_compose_args(&config, text, sizeof(text));
    assert_string_equal(text, "bits=39");
    close_sim(open_sim(&config));
    config = (struct sim_config){ .model = "no-such-iommu" };
    assert_null(sim_open(&config, text, sizeof(text)));
    assert_non_null(strstr(text, "no-such-iommu"));
}

static void every_mode_opens(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3 * 16; i++) {
        struct sim_config config = { .mode = (enum sim_mode)(i / 16),
                                     .non_coherent = i & 1,
                                     .adversarial = i & 2,
                                     .caching_mode = i & 4,
                                     .ats = i & 8 };

        close_sim(open_sim(&config));
    }
}

/* ---- DMA through tables -------------------------------------------------- */

static void tables_decide(void **state)
{
    struct machine *m = open_sim(NULL);
    unsigned dev = dev_of(m, "engine0");
    uint64_t phys = sim_ram_alloc(m, 8192);
    struct sim_request req;
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    assert_int_equal(dma_write(m, dev, phys, 4).moved, 0);
    assert_true(raw_fault(&r));
    raw_map(&r, IOVA, phys + 4096, RAW_READ | RAW_WRITE);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    req = dma_write(m, dev, IOVA + 4090, 12);
    assert_int_equal(req.moved, 6); /* the first page's part */
    assert_int_equal(((uint8_t *)sim_ram(m, phys, 8192))[8191], 0x5a);
    assert_true(raw_fault(&r));
    assert_int_equal(dma_write(m, dev_of(m, "engine1"), IOVA, 4).moved, 0);
    assert_true(raw_fault(&r));
    raw_stop(&r);
    assert_int_equal(dma_write(m, dev, phys, 4).moved, 4);
    close_sim(m);
}

static void a_probe_leaves_no_trace(void **state)
{
    struct machine *m = open_sim(NULL);
    unsigned dev = dev_of(m, "engine0");
    uint64_t phys = sim_ram_alloc(m, 4096);
    struct uie_xlat x;
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    assert_true(sim_probe(m, dev, 0, IOVA, UIOMMU_READ, NULL) < 0);
    raw_map(&r, IOVA, phys, RAW_READ);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    assert_int_equal(sim_probe(m, dev, 0, IOVA + 5, UIOMMU_READ, &x), 0);
    assert_true(x.gpa == phys);
    assert_true(sim_probe(m, dev, 0, IOVA, UIOMMU_WRITE, &x) < 0);
    assert_false(raw_fault(&r));
    raw_stop(&r);
    close_sim(m);
}

/* The bridge speaks for the PCI bus: requester id bus 1, device 0. */
static void a_pci_bus_has_one_requester_id(void **state)
{
    const struct sim_function row[] = {
        { "bridge", SIM_PCI_BRIDGE, -1, 0x1e << 3, 0 },
        { "D", SIM_PCI_ENGINE, 0, 9 << 3, 0 },
    };
    struct sim_config config = { .functions = row, .n_functions = 2 };
    struct machine *m = open_sim(&config);
    uint64_t phys = sim_ram_alloc(m, 4096);
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    raw_map(&r, IOVA, phys, RAW_WRITE);
    raw_context(&r, 1, 9 << 3, false);
    assert_int_equal(dma_write(m, 1, IOVA, 4).moved, 0);
    raw_context(&r, 1, 0, false);
    assert_int_equal(dma_write(m, 1, IOVA, 4).moved, 4);
    raw_stop(&r);
    close_sim(m);
}

/* What the mission says: a write into another device's BAR really lands there
 * when nothing stops it, and ACS is what brings it before the IOMMU. */
static void acs_brings_peer_writes_before_the_iommu(void **state)
{
    struct sim_function row[] = {
        { "root", SIM_ROOT_PORT, -1, PORT_DEVFN, 0 },
        { "up", SIM_UPSTREAM, 0, 0, 0 },
        { "downA", SIM_DOWNSTREAM, 1, 0, 0 },
        { "downB", SIM_DOWNSTREAM, 1, 1 << 3, 0 },
        { "A", SIM_ENGINE, 2, 0, 0 },
        { "B", SIM_ENGINE, 3, 0, 0 },
    };
    struct sim_config config = { .functions = row, .n_functions = 6 };

    (void)state;
    for (unsigned acs = 0; acs < 2; acs++) {
        struct raw r = { 0 };
        struct machine *m;
        struct sim_request req;

        row[0].caps = row[2].caps = row[3].caps = acs ? SIM_ACS_ON : 0;
        m = open_sim(&config);
        raw_start(&r, m); /* everything is blocked */
        req = dma_write(m, 4, sim_bar_addr(m, 5), 4);
        assert_int_equal(req.target, acs ? SIM_NOWHERE : SIM_AT_PEER);
        assert_int_equal(sim_bar(m, 5)[0], acs ? 0 : 0x5a);
        assert_int_equal(raw_fault(&r), acs);
        raw_stop(&r);
        close_sim(m);
    }
}

static void a_pasid_is_refused_in_legacy_mode(void **state)
{
    struct machine *m = open_sim(NULL);
    uint8_t byte = 0;
    struct sim_request req = { .dev = dev_of(m, "engine0"),
                               .pasid = 5,
                               .rogue = true,
                               .buf = &byte,
                               .size = 1,
                               .iova = IOVA };
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    raw_map(&r, IOVA, sim_ram_alloc(m, 4096), RAW_READ);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    assert_int_equal(sim_dma(m, &req), MACHINE_DMA_REFUSED);
    req.pasid = UIOMMU_NO_PASID;
    assert_int_equal(sim_dma(m, &req), MACHINE_DMA_DONE);
    raw_stop(&r);
    close_sim(m);
}

static void fast_machines_work_too(void **state)
{
    struct sim_config config = { .fast = true };
    struct machine *m = open_sim(&config);
    uint64_t phys = sim_ram_alloc(m, 4096);
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    raw_map(&r, IOVA, phys, RAW_WRITE);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    assert_int_equal(dma_write(m, dev_of(m, "engine0"), IOVA, 4).moved, 4);
    raw_stop(&r);
    close_sim(m);
}

/* ---- table memory -------------------------------------------------------- */

static void what_is_not_flushed_is_not_seen(void **state)
{
    struct sim_config config = { .non_coherent = true };
    struct machine *m = open_sim(&config);
    const struct uiommu_host *h = &m->host;
    unsigned dev = dev_of(m, "engine0");
    uint64_t phys = sim_ram_alloc(m, 4096);
    struct raw r = { 0 };
    uint64_t leaf;

    (void)state;
    raw_start(&r, m);
    raw_map(&r, IOVA, phys, RAW_WRITE);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    r.no_flush = true;
    leaf = raw_map(&r, IOVA + 0x8000, phys, RAW_WRITE);
    assert_int_equal(dma_write(m, dev, IOVA + 0x8000, 4).moved, 0);
    h->flush(h->ctx, sim_ram(m, leaf, 8), 8);
    assert_int_equal(dma_write(m, dev, IOVA + 0x8000, 4).moved, 4);
    raw_stop(&r);
    close_sim(m);
    /* The same forgetfulness does not matter where walks snoop. */
    m = open_sim(NULL);
    r.no_flush = true;
    raw_start(&r, m);
    raw_map(&r, IOVA, sim_ram_alloc(m, 4096), RAW_WRITE);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 4);
    raw_stop(&r);
    close_sim(m);
}

static void fetches_of_freed_pages_are_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    const struct uiommu_host *h = &m->host;
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    raw_map(&r, IOVA, sim_ram_alloc(m, 4096), RAW_WRITE);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    /* The leaf table, the page made last but the context table. */
    h->pages_free(h->ctx, r.page[r.n_pages - 2].virt,
                  r.page[r.n_pages - 2].phys, 0);
    r.page[r.n_pages - 2].virt = NULL;
    dma_write(m, dev_of(m, "engine0"), IOVA, 4);
    expect_violation(m, "that was freed");
    raw_stop(&r);
    close_sim(m);
}

static void fetches_of_pages_of_nobody_are_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    raw_put(&r, r.pml4, 0x3000000 | RAW_READ | RAW_WRITE);
    dma_write(m, dev_of(m, "engine0"), 0x1000, 4);
    expect_violation(m, "nobody allocated");
    raw_stop(&r);
    close_sim(m);
}

static void stale_uses_are_collected(void **state)
{
    struct sim_config config = { .adversarial = true };
    struct machine *m = open_sim(&config);
    unsigned dev = dev_of(m, "engine0");
    uint64_t phys = sim_ram_alloc(m, 4096);
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    raw_map(&r, IOVA, phys, RAW_WRITE);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 4);
    assert_int_equal(sim_stale_count(m), 0);
    raw_map(&r, IOVA, 0, 0);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 4);
    assert_int_equal(sim_stale_count(m), 1);
    assert_non_null(strstr(sim_stale_text(m, 0), "stale"));
    assert_non_null(sim_stale(m, 0));
    assert_null(sim_stale(m, 1));
    raw_invalidate(&r);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 0);
    assert_int_equal(sim_stale_count(m), 1);
    raw_stop(&r);
    sim_forget(m);
    assert_int_equal(sim_stale_count(m), 0);
    close_sim(m);
}

static void dma_that_nobody_drains_is_noticed(void **state)
{
    struct sim_config config = { .adversarial = true };
    struct machine *m = open_sim(&config);
    unsigned dev = dev_of(m, "engine0");
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    raw_map(&r, IOVA, sim_ram_alloc(m, 4096), RAW_WRITE);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 4);
    raw_invalidate(&r);
    raw_invalidate_undrained(&r);
    assert_int_equal(sim_violations(m), 0);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 4);
    raw_invalidate_undrained(&r);
    assert_int_equal(sim_violations(m), 1);
    assert_non_null(strstr(sim_violation(m, 0), "does not drain writes"));
    raw_invalidate_undrained(&r); /* it has arrived by now */
    assert_int_equal(sim_violations(m), 1);
    raw_stop(&r);
    sim_forget(m);
    close_sim(m);
}

/* Nothing is done before somebody waits, but then in order. */
static void a_late_unit_waits_to_be_waited_for(void **state)
{
    struct sim_config config = { .adversarial = true };
    struct machine *m = open_sim(&config);
    unsigned dev = dev_of(m, "engine0");
    struct raw r = { 0 };
    uint64_t phys = sim_ram_alloc(m, 4096);

    (void)state;
    raw_start(&r, m);
    raw_map(&r, IOVA, phys, RAW_WRITE);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 4);
    raw_map(&r, IOVA, 0, 0);
    raw_post_invalidate(&r);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 4);
    for (unsigned i = 0; i < 8; i++)
        m->host.relax(m->host.ctx);
    assert_int_equal(dma_write(m, dev, IOVA, 4).moved, 0);
    raw_stop(&r);
    sim_forget(m);
    close_sim(m);
}

static void reset_forgets_registers(void **state)
{
    struct machine *m = open_sim(NULL);
    unsigned dev = dev_of(m, "engine0");
    uint64_t phys = sim_ram_alloc(m, 4096);
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    assert_int_equal(dma_write(m, dev, phys, 4).moved, 0);
    sim_reset_units(m);
    assert_int_equal(dma_write(m, dev, phys, 4).moved, 4);
    raw_stop(&r);
    close_sim(m);
}

/* ---- interrupts ---------------------------------------------------------- */

struct irqs {
    unsigned count, unit, n;
};

static void on_irq(void *ctx, unsigned unit, unsigned n)
{
    struct irqs *irqs = ctx;

    irqs->count++;
    irqs->unit = unit;
    irqs->n = n;
}

/* Fault events of the unit go to interrupt 0. */
static void fault_event(struct raw *r, uint64_t addr, uint32_t data)
{
    raw_write32(r, 0x3c, data);
    raw_write32(r, 0x40, (uint32_t)addr);
    raw_write32(r, 0x38, 0);
}

static void interrupts_of_units_arrive_when_run(void **state)
{
    struct machine *m = open_sim(NULL);
    struct irqs irqs = { 0 };
    struct raw r = { 0 };
    uint64_t addr;
    uint32_t data;

    (void)state;
    m->on_irq = on_irq;
    m->irq_ctx = &irqs;
    assert_int_equal(m->host.msi_alloc(m->host.ctx, 3, 1, &addr, &data),
                     UIOMMU_OK);
    raw_start(&r, m);
    fault_event(&r, addr, data);
    dma_write(m, dev_of(m, "engine0"), IOVA, 4);
    assert_int_equal(sim_irqs_pending(m), 1);
    assert_int_equal(irqs.count, 0);
    assert_true(machine_run(m));
    assert_int_equal(irqs.count, 1);
    assert_int_equal(irqs.unit, 3);
    assert_int_equal(irqs.n, 1);
    raw_fault(&r);
    sim_auto_irq(m, true);
    dma_write(m, dev_of(m, "engine0"), IOVA, 4);
    assert_int_equal(irqs.count, 2);
    raw_stop(&r);
    m->host.msi_free(m->host.ctx, 3, 1);
    close_sim(m);
}

static void interrupts_to_nobody_are_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    fault_event(&r, 0xfee00000, 0x99);
    dma_write(m, dev_of(m, "engine0"), IOVA, 4);
    expect_violation(m, "nobody allocated: address 0xfee00000, data 0x99");
    raw_stop(&r);
    close_sim(m);
}

static void msi_misuse_is_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    const struct uiommu_host *h = &m->host;
    uint64_t addr;
    uint32_t data;

    (void)state;
    h->msi_free(h->ctx, 0, 0);
    expect_violation(m, "which has none");
    assert_int_equal(h->msi_alloc(h->ctx, 0, 0, &addr, &data), UIOMMU_OK);
    assert_int_equal(h->msi_alloc(h->ctx, 0, 0, &addr, &data), UIOMMU_OK);
    expect_violation(m, "which has one");
    h->msi_free(h->ctx, 0, 0);
    h->msi_free(h->ctx, 0, 0);
    close_sim(m);
}

static void polling_hosts_have_no_interrupts(void **state)
{
    struct sim_config config = { .polling = true };
    struct machine *m = open_sim(&config);

    (void)state;
    assert_null(m->host.msi_alloc);
    assert_null(m->host.msi_free);
    close_sim(m);
}

static void assert_took(struct machine *m, struct uiommu_irq_target as)
{
    struct uiommu_irq_target got = { 0 };

    assert_true(machine_take_irq(m, &got));
    assert_int_equal(got.destination, as.destination);
    assert_int_equal(got.vector, as.vector);
    assert_int_equal(got.delivery, as.delivery);
    assert_int_equal(got.logical, as.logical);
    assert_int_equal(got.hint, as.hint);
    assert_int_equal(got.level, as.level);
}

static void messages_of_devices_arrive(void **state)
{
    struct machine *m = open_sim(NULL);
    unsigned dev = dev_of(m, "engine0");
    struct raw r = { 0 };

    (void)state;
    raw_start(&r, m);
    raw_context(&r, 0, ENGINE_DEVFN, false);
    assert_int_equal(dma_write(m, dev, 0xfee01000, 4).target, SIM_AT_MSI);
    assert_int_equal(sim_msi_count(m), 1);
    assert_true(sim_msi_at(m, 0).addr == 0xfee01000);
    assert_int_equal(sim_msi_at(m, 0).data, 0x5a5a5a5a);
    assert_int_equal(dma_write(m, dev, 0xfee01000, 8).moved, 0);
    assert_int_equal(sim_msi_count(m), 1);
    assert_int_equal(machine_send_irq(m, dev, 0xfee05004, 0x8143),
                     MACHINE_DMA_DONE);
    assert_int_equal(machine_raise_pin(m, UINT64_C(6) << 56 | 0x44),
                     MACHINE_DMA_DONE);
    assert_took(m, (struct uiommu_irq_target){
                       .destination = 1, .vector = 0x5a, .delivery = 2 });
    assert_took(m, (struct uiommu_irq_target){ .destination = 5,
                                               .vector = 0x43,
                                               .delivery = 1,
                                               .logical = true,
                                               .level = true });
    assert_took(m,
                (struct uiommu_irq_target){ .destination = 6, .vector = 0x44 });
    assert_false(machine_take_irq(m, &(struct uiommu_irq_target){ 0 }));
    assert_int_equal(machine_send_irq(m, dev_of(m, "port"), 0xfee00000, 0x41),
                     MACHINE_DMA_REFUSED);
    raw_stop(&r);
    close_sim(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_are_in_the_table),
        cmocka_unit_test(the_plain_table_is_the_models),
        cmocka_unit_test(regions_need_functions),
        cmocka_unit_test(tables_of_arm_say_what_was_asked_for),
        cmocka_unit_test(an_its_takes_messages_and_nothing_else),
        cmocka_unit_test(only_arm_has_an_its),
        cmocka_unit_test(arguments_reach_the_model),
        cmocka_unit_test(every_mode_opens),
        cmocka_unit_test(tables_decide),
        cmocka_unit_test(a_probe_leaves_no_trace),
        cmocka_unit_test(a_pci_bus_has_one_requester_id),
        cmocka_unit_test(acs_brings_peer_writes_before_the_iommu),
        cmocka_unit_test(a_pasid_is_refused_in_legacy_mode),
        cmocka_unit_test(fast_machines_work_too),
        cmocka_unit_test(what_is_not_flushed_is_not_seen),
        cmocka_unit_test(fetches_of_freed_pages_are_noticed),
        cmocka_unit_test(fetches_of_pages_of_nobody_are_noticed),
        cmocka_unit_test(stale_uses_are_collected),
        cmocka_unit_test(dma_that_nobody_drains_is_noticed),
        cmocka_unit_test(a_late_unit_waits_to_be_waited_for),
        cmocka_unit_test(reset_forgets_registers),
        cmocka_unit_test(interrupts_of_units_arrive_when_run),
        cmocka_unit_test(interrupts_to_nobody_are_noticed),
        cmocka_unit_test(msi_misuse_is_noticed),
        cmocka_unit_test(polling_hosts_have_no_interrupts),
        cmocka_unit_test(messages_of_devices_arrive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
