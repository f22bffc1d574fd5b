/* SPDX-License-Identifier: MIT */
/* stand.c - see stand.h. */
#include "tests/scenario/stand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/qtest/qtest.h"
#include "hosts/sim/sim.h"

enum { REG_GCMD = 0x18, REG_GSTS = 0x1c, REG_IRTA = 0xb8, WAITS = 100000 };

#define UNIT_BASE UINT64_C(0xfed90000) /* of both machines */
#define UNIT_SIZE 4096

/* ---- up ------------------------------------------------------------------- */

static struct machine *open_sim(const struct stand_place *place,
                                enum stand_unit unit, char *error, size_t size)
{
    static const char *const args[] = { "ir=0", "ir=1", "ir=1,eim=1" };
    const struct sim_config config = {
        .mode = (enum sim_mode)place->mode_index,
        .adversarial = true,
        .args = args[unit],
    };

    return sim_open(&config, error, size);
}

static struct machine *open_qemu(const struct stand_place *place,
                                 enum stand_unit unit, char *error, size_t size)
{
    static const char *const options[] = {
        "intremap=off",
        "intremap=on,eim=off",
        "intremap=on,eim=on",
    };
    const struct qtest_config config = {
        .mode = place->mode,
        .n_engines = STAND_ENGINES,
        .root_port = true,
        .options = options[unit],
    };

    return qtest_open(&config, error, size);
}

static void find_engines(struct stand *s)
{
    unsigned n = 0;

    assert_true(s->m->n_devices <= STAND_DEVICES);
    for (unsigned i = 0; i < s->m->n_devices && n < STAND_ENGINES; i++)
        if (s->m->devices[i].engine)
            s->engine[n++] = i;
    assert_int_equal(n, STAND_ENGINES);
}

static void open_stand(struct stand *s, enum stand_unit unit)
{
    char error[256];

    s->m = s->place->qemu ? open_qemu(s->place, unit, error, sizeof(error))
                          : open_sim(s->place, unit, error, sizeof(error));
    if (!s->m)
        fail_msg("%s: %s", s->name, error);
    find_engines(s);
}

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct stand *s = ctx;

    s->faults++;
    s->fault = *fault;
    uiommu_explain_fault(fault, s->sentence, sizeof(s->sentence));
    return true;
}

static void on_irq(void *ctx, unsigned unit, unsigned n)
{
    struct stand *s = ctx;

    uiommu_irq(s->u, unit, n);
}

void stand_hear(struct stand *s)
{
    s->m->on_irq = on_irq;
    s->m->irq_ctx = s;
}

enum uiommu_status stand_start(struct stand *s, uint32_t flags)
{
    static const struct uiommu_driver *const drivers[] = {
        &uiommu_driver_vtd,
    };
    char options[64];
    const struct uiommu_config config = {
        .size = sizeof(config),
        .flags = UIOMMU_CONFIG_REMAP_INTERRUPTS | flags,
        .on_fault = on_fault,
        .fault_ctx = s,
        .options = options,
    };

    (void)snprintf(options, sizeof(options), "vtd.mode=%s", s->place->mode);
    stand_ok(uiommu_create(&s->m->host, &config, &s->u));
    stand_ok(uiommu_add_table(s->u, s->m->table, s->m->table_size));
    stand_hear(s);
    return uiommu_start(s->u, drivers, 1);
}

static void add_device(struct stand *s, unsigned i)
{
    const struct machine_device *d = &s->m->devices[i];
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .pci = d->pci,
        .bridge = d->bridge == MACHINE_NO_BRIDGE ? NULL : s->device[d->bridge],
    };

    stand_ok(uiommu_device_add(s->u, &info, &s->device[i]));
}

struct uiommu_endpoint *stand_endpoint(struct stand *s, unsigned n)
{
    return uiommu_device_endpoint(s->device[s->engine[n]]);
}

/* Engines may have to reach rings before they can send anything. */
void stand_up(struct stand *s, uint32_t flags)
{
    stand_ok(stand_start(s, flags));
    for (unsigned i = 0; i < s->m->n_devices; i++)
        add_device(s, i);
    for (unsigned n = 0; n < STAND_ENGINES; n++)
        stand_ok(uiommu_set_domain(stand_endpoint(s, n), uiommu_identity(s->u),
                                   NULL));
}

/* ---- down ----------------------------------------------------------------- */

void stand_down(struct stand *s)
{
    for (unsigned i = STAND_DEVICES; i-- > 0; s->device[i] = NULL)
        if (s->device[i])
            stand_ok(uiommu_device_remove(s->device[i]));
    stand_ok(uiommu_stop(s->u));
    stand_ok(uiommu_destroy(s->u));
    s->m->on_irq = NULL;
    s->u = NULL;
}

static void close_stand(struct stand *s)
{
    if (s->place->qemu) {
        assert_int_equal(qtest_live_pages(s->m), 0);
        machine_close(s->m);
        return;
    }
    if (sim_stale_count(s->m) > 0)
        fail_msg("%s: %s", s->name, sim_stale_text(s->m, 0));
    assert_int_equal(sim_close(s->m), 0);
}

void stand_differs(struct stand *s, const char *how)
{
    unsigned v = s->place->qemu ? qtest_version(s->m) : 0;

    if (!s->place->qemu)
        fail_msg("%s: our own unit %s", s->name, how);
    printf("NA: %s: QEMU %u.%u.%u %s\n", s->name, v / 10000, v / 100 % 100,
           v % 100, how);
}

/* ---- registers and memory ------------------------------------------------- */

static void *map_unit(struct stand *s)
{
    struct uiommu_host *h = &s->m->host;
    void *regs = h->mmio_map(h->ctx, UNIT_BASE, UNIT_SIZE);

    assert_non_null(regs);
    return regs;
}

static void unmap_unit(struct stand *s, void *regs)
{
    s->m->host.mmio_unmap(s->m->host.ctx, regs, UNIT_SIZE);
}

uint32_t stand_gsts(struct stand *s)
{
    void *regs = map_unit(s);
    uint32_t gsts = s->m->host.mmio_read32(s->m->host.ctx, regs, REG_GSTS);

    unmap_unit(s, regs);
    return gsts;
}

void stand_gcmd(struct stand *s, uint32_t gcmd, uint32_t gsts)
{
    void *regs = map_unit(s);
    unsigned n = 0;

    s->m->host.mmio_write32(s->m->host.ctx, regs, REG_GCMD, gcmd);
    unmap_unit(s, regs);
    while ((stand_gsts(s) & gsts) != gsts) {
        assert_true(n++ < WAITS);
        s->m->host.relax(s->m->host.ctx);
    }
}

uint64_t stand_irta(struct stand *s)
{
    void *regs = map_unit(s);
    uint64_t irta = s->m->host.mmio_read64(s->m->host.ctx, regs, REG_IRTA);

    unmap_unit(s, regs);
    return irta;
}

void stand_set_irta(struct stand *s, uint64_t value)
{
    void *regs = map_unit(s);

    s->m->host.mmio_write64(s->m->host.ctx, regs, REG_IRTA, value);
    unmap_unit(s, regs);
}

static uint8_t *at(struct stand *s, uint64_t phys)
{
    return (uint8_t *)(uintptr_t)(phys + s->m->host.direct_offset);
}

/* Little-endian, whatever this machine is. */
uint64_t stand_peek(struct stand *s, uint64_t phys)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)at(s, phys)[i] << 8 * i;
    return value;
}

void stand_poke(struct stand *s, uint64_t phys, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        at(s, phys)[i] = (uint8_t)(value >> 8 * i);
}

void stand_forget(struct stand *s)
{
    if (!s->place->qemu)
        sim_forget(s->m);
}

void stand_invalidated(struct stand *s, bool all, unsigned index)
{
    struct qtest_iec iec = { 0 };
    unsigned n = 0;

    if (!s->place->qemu)
        return;
    while (qtest_take_iec(s->m, &iec))
        n++;
    assert_true(n > 0);
    assert_int_equal(iec.global, all);
    assert_int_equal(iec.index, index);
    assert_int_equal(iec.mask, 0);
}

/* ---- messages ------------------------------------------------------------- */

struct uiommu_irq_target stand_to(uint8_t vector, uint32_t apic)
{
    return (struct uiommu_irq_target){ .vector = vector, .destination = apic };
}

struct uiommu_irq *stand_map(struct stand *s, unsigned n,
                             struct uiommu_irq_target target)
{
    struct uiommu_irq *irq;

    stand_ok(uiommu_irq_map(stand_endpoint(s, n), &target, 1, &irq));
    return irq;
}

struct uiommu_irq_message stand_message(const struct uiommu_irq *irq)
{
    struct uiommu_irq_message m;

    uiommu_irq_message(irq, &m);
    return m;
}

void stand_send(struct stand *s, unsigned n, uint64_t addr, uint32_t data)
{
    if (machine_send_irq(s->m, s->engine[n], addr, data) != MACHINE_DMA_DONE)
        fail_msg("%s: %s", s->name, s->m->error);
}

void stand_arrived(struct stand *s, struct uiommu_irq_target as)
{
    struct uiommu_irq_target got = { 0 };

    assert_true(machine_take_irq(s->m, &got));
    assert_int_equal(got.destination, as.destination);
    assert_int_equal(got.delivery, as.delivery);
    assert_int_equal(got.vector, as.vector);
    assert_int_equal(got.logical, as.logical);
    assert_int_equal(got.level, as.level);
    assert_int_equal(got.hint, as.hint);
    assert_false(machine_take_irq(s->m, &got));
}

void stand_arrives(struct stand *s, unsigned n, struct uiommu_irq_message m,
                   struct uiommu_irq_target as)
{
    stand_send(s, n, m.addr, m.data);
    stand_arrived(s, as);
}

static void poll(struct stand *s)
{
    assert_true(machine_run(s->m));
    uiommu_poll(s->u);
}

void stand_forget_faults(struct stand *s)
{
    poll(s);
    s->faults = 0;
}

unsigned stand_reason(struct stand *s)
{
    poll(s);
    return s->faults > 0 ? s->fault.reason : 0;
}

void stand_faulted(struct stand *s, unsigned reason)
{
    struct uiommu_irq_target got;
    char words[32];

    assert_false(machine_take_irq(s->m, &got));
    poll(s);
    assert_int_equal(s->faults, 1);
    assert_int_equal(s->fault.reason, reason);
    (void)snprintf(words, sizeof(words), "[reason %02xh]", reason);
    assert_int_equal(s->fault.kind, UIOMMU_FAULT_INTERRUPT);
    assert_non_null(strstr(s->sentence, ": interrupt "));
    assert_non_null(strstr(s->sentence, words));
}

void stand_refused(struct stand *s, unsigned n, uint64_t addr, uint32_t data,
                   unsigned reason)
{
    struct uiommu_pci pci = s->m->devices[s->engine[n]].pci;

    stand_forget_faults(s);
    stand_send(s, n, addr, data);
    stand_faulted(s, reason);
    assert_int_equal(s->fault.source.bus, pci.bus);
    assert_int_equal(s->fault.source.devfn, pci.devfn);
}

/* ---- the cross product ---------------------------------------------------- */

static const struct stand_place places[] = {
    { "sim", "legacy", 0, false },      { "sim", "scalable", 1, false },
    { "sim", "first-stage", 2, false }, { "qemu", "legacy", 0, true },
    { "qemu", "scalable", 1, true },    { "qemu", "first-stage", 2, true },
};

enum { N_PLACES = sizeof(places) / sizeof(places[0]) };

struct run {
    const struct stand_test *test;
    const struct stand_place *place;
    char name[120];
};

static void run_one(void **state)
{
    const struct run *run = *state;
    struct stand s = { .place = run->place,
                       .name = run->name,
                       .flags = run->test->flags };

    open_stand(&s, run->test->unit);
    if (!run->test->cold)
        stand_up(&s, run->test->flags);
    run->test->run(&s);
    if (!run->test->cold)
        stand_down(&s);
    close_stand(&s);
}

static void describe(struct run *run, struct CMUnitTest *unit)
{
    (void)snprintf(run->name, sizeof(run->name), "%s_%s/%s",
                   run->place->machine, run->test->name, run->place->mode);
    *unit = (struct CMUnitTest){ .name = run->name,
                                 .test_func = run_one,
                                 .initial_state = run };
}

int stand_run(const char *suite, const struct stand_test *tests, unsigned n)
{
    struct run *runs = calloc(n * N_PLACES, sizeof(*runs));
    struct CMUnitTest *units = calloc(n * N_PLACES, sizeof(*units));
    int failed;

    if (!runs || !units)
        abort();
    for (unsigned i = 0; i < n * N_PLACES; i++) {
        runs[i].test = &tests[i / N_PLACES];
        runs[i].place = &places[i % N_PLACES];
        describe(&runs[i], &units[i]);
    }
    failed = _cmocka_run_group_tests(suite, units, n * N_PLACES, NULL, NULL);
    free(units);
    free(runs);
    return failed;
}
