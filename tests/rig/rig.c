/* SPDX-License-Identifier: MIT */
#include "tests/rig/rig.h"

#include "tests/hook/hook.h"
#include "fuzz/share.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Programs ending in -remapping: all tests with interrupts remapped. */
#ifndef RIG_REMAPPING
#define RIG_REMAPPING false
#endif

void (*rig_failing)(struct rig *rig);

/* ---- the cross product --------------------------------------------------------- */

struct variant {
    enum sim_mode mode;
    bool non_coherent;
    bool adversarial;
};

static const struct variant variants[] = {
    { SIM_LEGACY, false, false },      { SIM_LEGACY, true, false },
    { SIM_SCALABLE, false, false },    { SIM_SCALABLE, true, false },
    { SIM_FIRST_STAGE, false, false }, { SIM_FIRST_STAGE, true, false },
    { SIM_STAGE_1, false, false },     { SIM_STAGE_1, true, false },
    { SIM_STAGE_2, false, false },     { SIM_STAGE_2, true, false },
    { SIM_LEGACY, false, true },       { SIM_LEGACY, true, true },
    { SIM_SCALABLE, false, true },     { SIM_SCALABLE, true, true },
    { SIM_FIRST_STAGE, false, true },  { SIM_FIRST_STAGE, true, true },
    { SIM_STAGE_1, false, true },      { SIM_STAGE_1, true, true },
    { SIM_STAGE_2, false, true },      { SIM_STAGE_2, true, true },
};

enum { N_VARIANTS = sizeof(variants) / sizeof(variants[0]) };

static const struct {
    const char *name, *options;
} modes[] = {
    [SIM_LEGACY] = { "legacy", "vtd.mode=legacy" },
    [SIM_SCALABLE] = { "scalable", "vtd.mode=scalable" },
    [SIM_FIRST_STAGE] = { "first-stage", "vtd.mode=first-stage" },
    [SIM_STAGE_1] = { "smmuv3-1", "smmuv3.stage=1" },
    [SIM_STAGE_2] = { "smmuv3-2", "smmuv3.stage=2" },
};

/* Programs that were run plainly too take the machines where it may make a difference:
 * where stores are seen, those to which each of them counts, and else the two that
 * differ most. */
static bool is_run(const struct variant *v)
{
    const bool again =
        RIG_REMAPPING || rig_failing || getenv("UIOMMU_SNAPSHOTS");

    if (RIG_REMAPPING && !(rig_arch_of(v->mode)->does & RIG_INTERRUPTS))
        return false;
    if (uim_store_hooked())
        return v->adversarial || !v->non_coherent;
    return !again || v->adversarial == v->non_coherent;
}

struct run {
    const struct rig_test *test; /* NULL: all of them do not apply            */
    unsigned needs;
    const struct variant *variant;
    char name[160];
};

/* ---- up -------------------------------------------------------------------------- */

/* Threads that poll are told of faults side by side. */
static pthread_mutex_t fault_lock = PTHREAD_MUTEX_INITIALIZER;

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct rig *rig = ctx;

    pthread_mutex_lock(&fault_lock);
    rig->faults++;
    rig->fault = *fault;
    uiommu_explain_fault(fault, rig->sentence, sizeof(rig->sentence));
    pthread_mutex_unlock(&fault_lock);
    return true;
}

static void on_irq(void *ctx, unsigned unit, unsigned n)
{
    struct rig *rig = ctx;

    if (rig->u)
        uiommu_irq(rig->u, unit, n);
}

enum uiommu_status rig_create(struct rig *rig)
{
    enum uiommu_status status;

    status = uiommu_create(&rig->m->host, &rig->setup, &rig->u);
    if (status != UIOMMU_OK)
        rig->u = NULL;
    return status;
}

const struct uiommu_driver *const rig_drivers[] = {
    &uiommu_driver_vtd,
    &uiommu_driver_smmuv3,
};

enum uiommu_status rig_start(struct rig *rig)
{
    enum uiommu_status status = uiommu_start(rig->u, rig_drivers, RIG_DRIVERS);

    rig->started = status == UIOMMU_OK;
    return status;
}

enum uiommu_status rig_add(struct rig *rig, unsigned dev)
{
    const struct machine_device *d = &rig->m->devices[dev];
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .pci = d->pci,
        .bridge =
            d->bridge == MACHINE_NO_BRIDGE ? NULL : rig->device[d->bridge],
    };

    return uiommu_device_add(rig->u, &info, &rig->device[dev]);
}

void rig_add_all(struct rig *rig)
{
    assert_true(rig->m->n_devices <= RIG_DEVICES);
    for (unsigned i = 0; i < rig->m->n_devices; i++)
        rig_ok(rig_add(rig, i));
}

/* Where stores can be seen, an adversarial unit fetches again at each of them. */
static void on_store(void *ctx, const void *where, uint64_t value)
{
    struct rig *rig = ctx;

    (void)where;
    if (rig->config.adversarial)
        uim_check_memory_changed(sim_door(rig->m), 0, sizeof(value));
    if (rig->look)
        rig->look(rig->look_ctx);
}

static void on_event(void *ctx, enum sim_event event, uint64_t where,
                     size_t size, uint64_t value)
{
    struct rig *rig = ctx;

    (void)event, (void)where, (void)size, (void)value;
    rig->look(rig->look_ctx);
}

void rig_watch(struct rig *rig, void (*look)(void *ctx), void *ctx)
{
    rig->look = look;
    rig->look_ctx = ctx;
    sim_watch(rig->m, look ? on_event : NULL, rig);
}

static void open_machine(struct rig *rig)
{
    char error[256];

    rig->m = sim_open(&rig->config, error, sizeof(error));
    if (!rig->m)
        fail_msg("%s: %s", rig->name, error);
    rig->m->on_irq = on_irq;
    rig->m->irq_ctx = rig;
    uim_store_hook(on_store, rig);
}

static void bring_up(struct rig *rig)
{
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_ok(rig_start(rig));
    rig_add_all(rig);
}

/* ---- down ------------------------------------------------------------------------ */

void rig_down(struct rig *rig)
{
    for (unsigned i = RIG_DEVICES; i-- > 0;) {
        enum uiommu_status status = UIOMMU_OK;

        if (rig->device[i])
            status = uiommu_device_remove(rig->device[i]);
        if (!rig->dirty) /* a unit that is broken confirms nothing */
            rig_ok(status);
        rig->device[i] = NULL;
    }
    if (rig->started && !rig->dirty)
        rig_check_ids(rig);
    if (rig->started)
        rig_ok(uiommu_stop(rig->u));
    rig->started = false;
    if (rig->u)
        rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
}

static void check_rules(struct rig *rig)
{
    if (sim_stale_count(rig->m) != rig->expected_stale)
        fail_msg("%s: %u stale uses, %u expected; last: %s", rig->name,
                 sim_stale_count(rig->m), rig->expected_stale,
                 sim_stale_count(rig->m) > 0
                     ? sim_stale_text(rig->m, sim_stale_count(rig->m) - 1)
                     : "-");
    if (sim_violations(rig->m) > 0)
        fail_msg("%s: %s", rig->name, sim_violation(rig->m, 0));
}

static void check_nothing_left(struct rig *rig)
{
    if (rig->dirty)
        sim_forget(rig->m);
    (void)sim_check_leaks(rig->m);
    if (sim_violations(rig->m) > 0)
        fail_msg("%s: %s", rig->name, sim_violation(rig->m, 0));
}

/* ---- running ----------------------------------------------------------------------- */

/* What claims need is there: remapping; an ITS; or the exception. */
static void isolate(struct rig *rig)
{
    rig->config.its = rig->config.mode >= SIM_STAGE_1;
    if (RIG_REMAPPING)
        rig->setup.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    else if (!rig->config.its)
        rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
}

static void configure(struct rig *rig, const struct variant *v)
{
    rig->config.mode = v->mode;
    isolate(rig);
    rig->config.non_coherent = v->non_coherent;
    rig->config.adversarial = v->adversarial;
    rig->config.snapshots = getenv("UIOMMU_SNAPSHOTS") != NULL;
    rig->config.rubbish = true;
    snprintf(rig->options, sizeof(rig->options), "%s", modes[v->mode].options);
    rig->setup.size = sizeof(rig->setup);
    rig->setup.on_fault = on_fault;
    rig->setup.fault_ctx = rig;
    rig->setup.options = rig->options;
}

/* What a test asks of the unit comes last. */
static void add_args(struct rig *rig)
{
    const char *more = rig->config.args ? rig->config.args : "";
    const char *own =
        RIG_REMAPPING ? "ir=1,eim=1" : rig_arch_of(rig->config.mode)->args;

    snprintf(rig->args, sizeof(rig->args), "%s%s%s", own,
             *own && *more ? "," : "", more);
    rig->config.args = rig->args;
}

/* A reason why the test makes no sense, or NULL. */
static const char *prepare(struct rig *rig, const struct run *run)
{
    const char *why = "";

    if (!run->test)
        return rig_lacks(rig, run->needs);
    if (rig_failing && run->test->once)
        return run->test->once;
    if (run->test->prepare && !run->test->prepare(rig, &why))
        return why;
    return NULL;
}

static void run_one(void **state)
{
    const struct run *run = *state;
    struct rig *rig = calloc(1, sizeof(*rig));
    const char *why;

    assert_non_null(rig);
    rig->name = run->name;
    configure(rig, run->variant);
    why = prepare(rig, run);
    if (why) {
        printf("NA: %s: %s\n", run->name, why);
        free(rig);
        return;
    }
    add_args(rig);
    open_machine(rig);
    if (rig_failing)
        rig_failing(rig);
    if (!run->test->cold)
        bring_up(rig);
    run->test->run(rig);
    if (rig_failing)
        rig_failing(NULL);
    if (!rig->dirty)
        check_rules(rig);
    sim_forget(rig->m);
    rig_down(rig);
    check_nothing_left(rig);
    uim_store_hook(NULL, NULL);
    (void)sim_close(rig->m);
    free(rig);
}

static size_t count(const struct rig_test *tests)
{
    size_t n = 0;

    while (tests[n].name)
        n++;
    return n;
}

static void describe(struct run *run, const char *name)
{
    snprintf(run->name, sizeof(run->name), "%s[%s,%s%s]", name,
             modes[run->variant->mode].name,
             run->variant->non_coherent ? "non-coherent" : "coherent",
             run->variant->adversarial ? ",adversarial" : "");
}

/* The nth test on all machines, or if there is none, what stands for all tests on those
 * that lack something. */
static size_t add_runs(struct run *runs, const char *name, unsigned needs,
                       const struct rig_test *test, unsigned nth)
{
    unsigned place = 0;
    size_t n = 0;

    for (size_t i = 0; i < N_VARIANTS; i++) {
        const struct variant *v = &variants[i];
        bool can = (needs & ~rig_arch_of(v->mode)->does) == 0;

        if (!is_run(v) || can != (test != NULL) || !in_share(nth, place++))
            continue;
        runs[n] = (struct run){ .test = test, .needs = needs, .variant = v };
        describe(&runs[n++], name);
    }
    return n;
}

int rig_run_where(unsigned needs, const char *suite,
                  const struct rig_test *tests)
{
    const size_t room = (count(tests) + 1) * N_VARIANTS;
    struct run *runs = calloc(room, sizeof(*runs));
    struct CMUnitTest *units = calloc(room, sizeof(*units));
    unsigned nth = 0;
    size_t n = 0;
    int failed;

    if (!runs || !units)
        return 1;
    for (const struct rig_test *t = tests; t->name; t++)
        n += add_runs(runs + n, t->name, needs, t, nth++);
    n += add_runs(runs + n, suite, needs, NULL, nth);
    for (size_t i = 0; i < n; i++)
        units[i] = (struct CMUnitTest){ .name = runs[i].name,
                                        .test_func = run_one,
                                        .initial_state = &runs[i] };
    failed = _cmocka_run_group_tests(suite, units, n, NULL, NULL);
    free(units);
    free(runs);
    return failed;
}

int rig_run(const char *suite, const struct rig_test *tests)
{
    return rig_run_where(0, suite, tests);
}

/* ---- steps ----------------------------------------------------------------------- */

unsigned rig_engine(struct rig *rig, unsigned n)
{
    int dev = sim_engine(rig->m, n);

    assert_true(dev >= 0);
    return (unsigned)dev;
}

struct uiommu_endpoint *rig_endpoint(struct rig *rig, unsigned n)
{
    return uiommu_device_endpoint(rig->device[rig_engine(rig, n)]);
}

struct uiommu_domain *rig_domain(struct rig *rig, unsigned n)
{
    struct uiommu_domain *domain;

    rig_ok(uiommu_domain_create(rig_endpoint(rig, n), NULL, &domain));
    return domain;
}

struct uiommu_domain *rig_attached(struct rig *rig, unsigned n)
{
    struct uiommu_domain *domain = rig_domain(rig, n);

    rig_ok(uiommu_set_domain(rig_endpoint(rig, n), domain, NULL));
    return domain;
}

void rig_drop(struct rig *rig, unsigned n, struct uiommu_domain *domain)
{
    rig_ok(
        uiommu_set_domain(rig_endpoint(rig, n), uiommu_blocked(rig->u), NULL));
    uiommu_domain_put(domain);
}

uint64_t rig_pages(struct rig *rig, unsigned order)
{
    uint64_t phys = sim_ram_alloc(rig->m, (uint64_t)RIG_PAGE << order);

    assert_true(phys != 0);
    return phys;
}

bool rig_dma(struct rig *rig, unsigned n, uint32_t pasid, bool write,
             uint64_t iova, uint64_t *value)
{
    struct sim_request r = { .dev = rig_engine(rig, n),
                             .pasid = pasid,
                             .write = write,
                             .iova = iova,
                             .buf = value,
                             .size = sizeof(*value) };

    return sim_dma(rig->m, &r) == MACHINE_DMA_DONE;
}

bool rig_write(struct rig *rig, unsigned n, uint64_t iova, uint64_t value)
{
    return rig_dma(rig, n, UIOMMU_NO_PASID, true, iova, &value);
}

bool rig_read(struct rig *rig, unsigned n, uint64_t iova, uint64_t *value)
{
    return rig_dma(rig, n, UIOMMU_NO_PASID, false, iova, value);
}

uint64_t rig_peek(struct rig *rig, uint64_t phys)
{
    uint64_t value;

    memcpy(&value, sim_ram(rig->m, phys, sizeof(value)), sizeof(value));
    return value;
}

void rig_poke(struct rig *rig, uint64_t phys, uint64_t value)
{
    memcpy(sim_ram(rig->m, phys, sizeof(value)), &value, sizeof(value));
}

bool rig_pasid_reaches(struct rig *rig, unsigned n, uint32_t pasid,
                       uint64_t iova, uint64_t phys)
{
    static uint64_t marker = UINT64_C(0x5eed000000000000);
    uint64_t value = ++marker;

    if (!rig_dma(rig, n, pasid, true, iova, &value) ||
        rig_peek(rig, phys) != marker)
        return false;
    rig_poke(rig, phys, ~marker);
    return rig_dma(rig, n, pasid, false, iova, &value) && value == ~marker;
}

bool rig_reaches(struct rig *rig, unsigned n, uint64_t iova, uint64_t phys)
{
    return rig_pasid_reaches(rig, n, UIOMMU_NO_PASID, iova, phys);
}

bool rig_pasid_refused(struct rig *rig, unsigned n, uint32_t pasid,
                       uint64_t iova)
{
    uint64_t value = 0;

    return !rig_dma(rig, n, pasid, true, iova, &value) &&
           !rig_dma(rig, n, pasid, false, iova, &value);
}

bool rig_refused(struct rig *rig, unsigned n, uint64_t iova)
{
    return rig_pasid_refused(rig, n, UIOMMU_NO_PASID, iova);
}

void rig_poll(struct rig *rig)
{
    assert_true(machine_run(rig->m));
    uiommu_poll(rig->u);
}

void rig_expect_stale(struct rig *rig, unsigned n)
{
    assert_int_equal(sim_stale_count(rig->m), n);
    sim_forget(rig->m);
}

/* ---- failure in turn ------------------------------------------------------------- */

void rig_each_failure(struct rig *rig, rig_step step, rig_undo undo, void *ctx,
                      enum uiommu_status other)
{
    unsigned failed = 1;

    if (rig_failing)
        rig_failing(NULL); /* one failure at a time */
    for (unsigned nth = 1; failed > 0; nth++) {
        struct rig_state before = rig_state(rig);
        enum uiommu_status status;

        assert_true(nth < 1000);
        sim_fail_nth(rig->m, nth);
        status = step(rig, ctx);
        failed = sim_failed(rig->m);
        sim_fail_nth(rig->m, 0);
        if (status == UIOMMU_OK) {
            undo(rig, ctx);
            before.tables = rig_state(rig).tables; /* may be elsewhere */
        } else if (failed == 0 || (status != UIOMMU_NOMEM && status != other))
            fail_msg("%s: host call %u failed, and the answer was %s",
                     rig->name, nth, uiommu_status_name(status));
        rig_assert_same(rig, &before);
    }
    if (rig_failing)
        rig_failing(rig);
}
