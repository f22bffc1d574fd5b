/* SPDX-License-Identifier: MIT */
#include "tests/interleave/programs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <uiommu/audit.h>

#include "tests/core/doorbells.h"
#include "tests/core/requests.h"

enum { PAGES = 8 }; /* that say which they are */

#define RANGE  GIB(1) /* of one run: tables of its own */
#define RANGES 1000   /* after these there may be no memory for more */
#define FIRST  (2 * (uint64_t)RIG_PAGE) /* not at an entry that links use, too */
#define SECOND (3 * (uint64_t)RIG_PAGE)

void say(struct trial *t, const char *format, ...)
{
    va_list args;

    if (t->wrong[0])
        return;
    va_start(args, format);
    vsnprintf(t->wrong, sizeof(t->wrong), format, args);
    va_end(args);
}

void expect_ok(struct trial *t, enum uiommu_status status, const char *call)
{
    if (status != UIOMMU_OK)
        say(t, "%s: %s", call, uiommu_status_name(status));
}

static void expect_there(struct trial *t, unsigned n, uint64_t offset)
{
    if (lands(t->rig, n, t->base + offset, UIOMMU_WRITE) != t->page)
        say(t, "engine %u does not reach base + 0x%llx", n,
            (unsigned long long)offset);
}

static void expect_gone(struct trial *t, unsigned n, uint64_t offset)
{
    if (lands(t->rig, n, t->base + offset, UIOMMU_WRITE) != NOWHERE)
        say(t, "engine %u still reaches base + 0x%llx", n,
            (unsigned long long)offset);
}

static void map_at(struct trial *t, uint64_t offset)
{
    expect_ok(t, uiommu_map(t->d, t->base + offset, t->page, RIG_PAGE, RIG_RW),
              "map");
    expect_there(t, 0, offset);
}

static void unmap_at(struct trial *t, uint64_t offset, uint64_t size)
{
    expect_ok(t, uiommu_unmap(t->d, t->base + offset, size, NULL), "unmap");
    expect_gone(t, 0, offset);
}

static void show(struct trial *t, unsigned n, struct uiommu_domain *domain)
{
    expect_ok(t, uiommu_set_domain(rig_endpoint(t->rig, n), domain, NULL),
              "set_domain");
}

/* ---- maps and unmaps ----------------------------------------------------- */

static void map_first(void *ctx)
{
    map_at(ctx, FIRST);
}

static void map_second(void *ctx)
{
    map_at(ctx, SECOND);
}

static void map_apart(void *ctx)
{
    map_at(ctx, MIB(6));
}

static void unmap_first(void *ctx)
{
    unmap_at(ctx, FIRST, RIG_PAGE);
}

static void unmap_second(void *ctx)
{
    unmap_at(ctx, SECOND, RIG_PAGE);
}

/* Its table goes as well. */
static void unmap_span(void *ctx)
{
    unmap_at(ctx, 0, MIB(2));
}

static void with_first(struct trial *t)
{
    map_at(t, FIRST);
}

static void with_two(struct trial *t)
{
    map_at(t, FIRST);
    map_at(t, SECOND);
}

static void with_large(struct trial *t)
{
    expect_ok(t, uiommu_map(t->d, t->base, t->page, MIB(2), RIG_RW), "map");
    expect_there(t, 0, 0);
}

static void both_there(struct trial *t)
{
    expect_there(t, 0, FIRST);
    expect_there(t, 0, SECOND);
}

static void both_gone(struct trial *t)
{
    expect_gone(t, 0, FIRST);
    expect_gone(t, 0, SECOND);
}

static void first_gone_second_there(struct trial *t)
{
    expect_gone(t, 0, FIRST);
    expect_there(t, 0, SECOND);
}

static void apart_there(struct trial *t)
{
    expect_there(t, 0, MIB(6));
}

static void first_gone_apart_there(struct trial *t)
{
    expect_gone(t, 0, FIRST);
    apart_there(t);
}

static void all_there(struct trial *t)
{
    expect_there(t, 0, FIRST);
    apart_there(t);
}

static void large_and_apart_there(struct trial *t)
{
    expect_there(t, 0, 0);
    apart_there(t);
}

static void split_first(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_split(t->d, t->base, RIG_PAGE), "split");
    expect_there(t, 0, 0);
}

/* DMA that begins after unmap returned arrives nowhere. */
static void unmap_and_say(void *ctx)
{
    struct trial *t = ctx;

    unmap_first(t);
    atomic_store(&t->gone, true);
}

static void translate(void *ctx)
{
    struct trial *t = ctx;

    for (unsigned i = 0; i < 4; i++) {
        bool gone = atomic_load(&t->gone);
        uint64_t there = lands(t->rig, 0, t->base + FIRST, UIOMMU_WRITE);

        if (gone && there != NOWHERE)
            say(t, "DMA after the unmap arrived");
        if (there != NOWHERE && there != t->page)
            say(t, "DMA arrived elsewhere");
    }
}

/* Walks meet the page or nothing, and no table that is gone. */
static void walk(void *ctx)
{
    struct trial *t = ctx;
    struct uiommu_trace trace;

    for (unsigned i = 0; i < 2; i++) {
        enum uiommu_status status = uiommu_walk(t->d, t->base + FIRST, &trace);

        if (status != UIOMMU_NOENT &&
            (status != UIOMMU_OK || trace.phys != t->page))
            say(t, "walk: %s", uiommu_status_name(status));
    }
}

/* ---- endpoints ----------------------------------------------------------- */

static void blocked_but_mapped(struct trial *t)
{
    show(t, 0, t->e);
    expect_ok(t, uiommu_map(t->d, t->base + FIRST, t->page, RIG_PAGE, RIG_RW),
              "map");
}

static void blocked(struct trial *t)
{
    show(t, 0, t->e);
}

static void see_d(void *ctx)
{
    struct trial *t = ctx;

    show(t, 0, t->d);
    (void)lands(t->rig, 0, t->base + FIRST,
                UIOMMU_WRITE); /* the unit caches that */
}

/* While somebody begins to see it. */
static void unmap_unseen(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_unmap(t->d, t->base + FIRST, RIG_PAGE, NULL), "unmap");
    expect_gone(t, 0, FIRST);
}

static void map_unseen(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_map(t->d, t->base + FIRST, t->page, RIG_PAGE, RIG_RW),
              "map");
}

static void first_gone(struct trial *t)
{
    expect_gone(t, 0, FIRST);
}

static void first_there(struct trial *t)
{
    expect_there(t, 0, FIRST);
}

static void both_see_first(struct trial *t)
{
    map_at(t, FIRST);
    show(t, 1, t->d);
    expect_there(t, 1, FIRST);
}

static void first_leaves(void *ctx)
{
    struct trial *t = ctx;

    show(t, 0, uiommu_blocked(t->rig->u));
    expect_gone(t, 0, FIRST);
}

static void unmap_of_second(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_unmap(t->d, t->base + FIRST, RIG_PAGE, NULL), "unmap");
    expect_gone(t, 1, FIRST);
    expect_gone(t, 0, FIRST);
}

static void nobody_reaches(struct trial *t)
{
    expect_gone(t, 0, FIRST);
    expect_gone(t, 1, FIRST);
}

static void one_sees_d(void *ctx)
{
    struct trial *t = ctx;

    show(t, 1, t->d);
    expect_there(t, 1, FIRST);
}

static void zero_sees_d(void *ctx)
{
    struct trial *t = ctx;

    show(t, 0, t->d);
    expect_there(t, 0, FIRST);
}

static void both_elsewhere(struct trial *t)
{
    show(t, 0, uiommu_blocked(t->rig->u));
    show(t, 1, uiommu_blocked(t->rig->u));
    map_unseen(t);
}

static void both_reach(struct trial *t)
{
    expect_there(t, 0, FIRST);
    expect_there(t, 1, FIRST);
}

/* Two domains, two submitters. */
static void each_has_a_page(struct trial *t)
{
    map_at(t, FIRST);
    expect_ok(t, uiommu_map(t->e, t->base + FIRST, t->page, RIG_PAGE, RIG_RW),
              "map");
    expect_there(t, 1, FIRST);
}

static void unmap_e(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_unmap(t->e, t->base + FIRST, RIG_PAGE, NULL), "unmap");
    expect_gone(t, 1, FIRST);
}

static void remove_one(void *ctx)
{
    struct trial *t = ctx;
    unsigned dev = rig_engine(t->rig, 1);

    expect_ok(t, uiommu_device_remove(t->rig->device[dev]), "remove");
    t->rig->device[dev] = NULL;
    expect_gone(t, 1, FIRST);
}

static void nobody_reaches_and_back(struct trial *t)
{
    nobody_reaches(t);
    expect_ok(t, rig_add(t->rig, rig_engine(t->rig, 1)), "add");
}

static void claim_and_release(void *ctx)
{
    struct trial *t = ctx;
    struct uiommu_endpoint *ep = rig_endpoint(t->rig, 0);

    if (uiommu_claim(ep, t) != UIOMMU_OK)
        return; /* not at rest */
    if (lands(t->rig, 0, t->base + FIRST, UIOMMU_WRITE) != NOWHERE)
        say(t, "somebody else's domain is seen by a claimed device");
    expect_ok(t, uiommu_release(ep, t), "release");
}

static void at_rest(struct trial *t)
{
    show(t, 0, uiommu_blocked(t->rig->u));
    map_unseen(t);
}

static void try_to_see_d(void *ctx)
{
    struct trial *t = ctx;
    enum uiommu_status status =
        uiommu_set_domain(rig_endpoint(t->rig, 0), t->d, NULL);

    if (status != UIOMMU_OK && status != UIOMMU_PERM)
        say(t, "set_domain: %s", uiommu_status_name(status));
    if (status == UIOMMU_PERM)
        expect_ok(t, uiommu_unmap(t->d, t->base + FIRST, RIG_PAGE, NULL),
                  "unmap");
}

/* ---- faults -------------------------------------------------------------- */

static bool hear(void *ctx, const struct uiommu_fault *fault)
{
    struct trial *t = ctx;

    (void)fault;
    if (atomic_load(&t->gone))
        say(t, "a handler that was replaced heard a fault");
    atomic_fetch_add(&t->heard, 1);
    return true;
}

static void one_fault_for(struct trial *t, unsigned n,
                          struct uiommu_domain *domain, uiommu_fault_fn fn)
{
    uiommu_poll(t->rig->u); /* faults of before */
    atomic_store(&t->heard, 0);
    t->faults = t->rig->faults;
    uiommu_fault_handler(domain, fn, t);
    if (rig_write(t->rig, n, t->base, 1))
        say(t, "DMA to nowhere arrived");
}

static void one_fault(struct trial *t)
{
    one_fault_for(t, 0, t->d, hear);
}

static void poll(void *ctx)
{
    struct trial *t = ctx;

    uiommu_poll(t->rig->u);
}

static void no_handler(void *ctx)
{
    struct trial *t = ctx;

    uiommu_fault_handler(t->d, NULL, NULL);
    atomic_store(&t->gone, true);
}

static void see_nothing(void *ctx)
{
    struct trial *t = ctx;

    show(t, 0, uiommu_blocked(t->rig->u));
}

/* The fault was heard once, by whoever had the domain or the instance then. */
static void heard_once(struct trial *t, struct uiommu_domain *domain)
{
    unsigned heard;

    uiommu_fault_handler(domain, NULL, NULL);
    uiommu_poll(t->rig->u);
    heard = atomic_load(&t->heard) + t->rig->faults - t->faults;
    if (heard != 1)
        say(t, "a fault was heard %u times", heard);
}

static void quiet(struct trial *t)
{
    heard_once(t, t->d);
}

/* ---- devices come and go ------------------------------------------------- */

/* D-66: a device that a fault names is complete. */
static bool hear_of_device(void *ctx, const struct uiommu_fault *fault)
{
    struct trial *t = ctx;
    struct uiommu_endpoint *ep;

    if (atomic_load(&t->gone))
        say(t, "a handler heard of a device that was removed");
    if (fault->device) {
        ep = uiommu_device_endpoint(fault->device);
        if (!uiommu_endpoint_group(ep) ||
            uiommu_endpoint_pasid(ep) != UIOMMU_NO_PASID)
            say(t, "a fault names a device that is not complete");
    }
    if (!fault->domain)
        say(t, "a device without a domain faulted");
    if (atomic_load(&t->gone))
        say(t, "a device was removed while a handler heard of it");
    atomic_fetch_add(&t->heard, 1);
    return true;
}

static void one_fault_of_a_stranger(struct trial *t)
{
    remove_one(t);
    one_fault_for(t, 1, uiommu_blocked(t->rig->u), hear_of_device);
}

static void add_one(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, rig_add(t->rig, rig_engine(t->rig, 1)), "add");
    expect_gone(t, 1, FIRST);
}

/* And the next fault names it. */
static void known(struct trial *t)
{
    unsigned dev = rig_engine(t->rig, 1);

    heard_once(t, uiommu_blocked(t->rig->u));
    (void)rig_write(t->rig, 1, t->base, 1);
    uiommu_poll(t->rig->u);
    if (!t->rig->device[dev] || t->rig->fault.device != t->rig->device[dev])
        say(t, "a fault does not name the device that was added");
}

static void one_fault_of_one(struct trial *t)
{
    one_fault_for(t, 1, t->e, hear_of_device);
}

static void remove_and_say(void *ctx)
{
    struct trial *t = ctx;

    remove_one(t);
    atomic_store(&t->gone, true);
}

static void unknown(struct trial *t)
{
    heard_once(t, t->e);
    (void)rig_write(t->rig, 1, t->base, 1);
    uiommu_poll(t->rig->u);
    if (t->rig->fault.device)
        say(t, "a fault names a device that was removed");
    expect_ok(t, rig_add(t->rig, rig_engine(t->rig, 1)), "add");
}

/* ---- all of them --------------------------------------------------------- */

const struct program programs[] = {
    { "set_beside_set",
      both_elsewhere,
      { zero_sees_d, one_sees_d },
      both_reach,
      ON_ANY },
    { "add_beside_poll",
      one_fault_of_a_stranger,
      { add_one, poll },
      known,
      ON_ANY },
    { "remove_beside_poll",
      one_fault_of_one,
      { remove_and_say, poll },
      unknown,
      ON_ANY },
    { "map_beside_map", NULL, { map_first, map_second }, both_there, ON_ANY },
    { "map_apart_from_map", NULL, { map_first, map_apart }, all_there, ON_ANY },
    { "unmap_beside_map",
      with_first,
      { unmap_first, map_second },
      first_gone_second_there,
      ON_ANY },
    { "unmap_of_tables_beside_map",
      with_first,
      { unmap_span, map_apart },
      first_gone_apart_there,
      ON_ANY },
    { "unmap_beside_unmap",
      with_two,
      { unmap_first, unmap_second },
      both_gone,
      ON_ANY },
    { "unmap_beside_dma",
      with_first,
      { unmap_and_say, translate },
      first_gone,
      ON_ANY },
    { "unmap_of_tables_beside_walk",
      with_first,
      { unmap_span, walk },
      first_gone,
      ON_ANY },
    { "split_beside_map",
      with_large,
      { split_first, map_apart },
      large_and_apart_there,
      ON_ANY },
    { "set_beside_unmap",
      blocked_but_mapped,
      { see_d, unmap_unseen },
      first_gone,
      ON_ANY },
    { "set_beside_map", blocked, { see_d, map_unseen }, first_there, ON_ANY },
    { "set_with_ats_beside_unmap",
      blocked_but_mapped,
      { see_d, unmap_unseen },
      first_gone,
      ON_ATS },
    { "leave_beside_unmap",
      both_see_first,
      { first_leaves, unmap_of_second },
      nobody_reaches,
      ON_ANY },
    { "leave_with_ats_beside_unmap",
      both_see_first,
      { first_leaves, unmap_of_second },
      nobody_reaches,
      ON_ATS },
    { "two_submitters",
      each_has_a_page,
      { unmap_first, unmap_e },
      nobody_reaches,
      ON_ANY },
    { "remove_beside_unmap",
      both_see_first,
      { unmap_of_second, remove_one },
      nobody_reaches_and_back,
      ON_ANY },
    { "claim_beside_set",
      at_rest,
      { claim_and_release, try_to_see_d },
      NULL,
      ON_ANY },
    { "handler_beside_poll", one_fault, { no_handler, poll }, quiet, ON_ANY },
    { "set_beside_poll", one_fault, { see_nothing, poll }, quiet, ON_ANY },
    { 0 },
};

/* ---- which ------------------------------------------------------------------ */

unsigned program_cpus(const struct program *p)
{
    return p->cpu[2] ? 3 : 2;
}

unsigned program_tests(struct rig_test *tests, const struct program *list,
                       void (*run)(struct rig *rig),
                       bool (*prepare)(struct rig *rig, const char **why))
{
    unsigned n = 0;

    for (; list[n].name; n++) {
        assert_true(n < PROGRAMS);
        tests[n] = (struct rig_test){
            .name = list[n].name, .run = run, .prepare = prepare, .cold = true
        };
    }
    return n;
}

static const struct program *find(const struct program *list, const char *name,
                                  size_t length)
{
    for (; list->name; list++)
        if (strlen(list->name) == length &&
            memcmp(list->name, name, length) == 0)
            return list;
    return NULL;
}

const struct program *program_of(const struct rig *rig)
{
    static const struct program *const lists[] = { programs, device_programs,
                                                   part_programs,
                                                   space_programs };
    const size_t length = strcspn(rig->name, "[");
    const struct program *found = NULL;

    for (unsigned i = 0; i < sizeof(lists) / sizeof(lists[0]) && !found; i++)
        found = find(lists[i], rig->name, length);
    return found;
}

enum { DOWN0 = 2, DOWN1 };

static bool two_members(struct rig *rig, const char **why)
{
    static const struct sim_function functions[] = {
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS_ON },
        { "up", SIM_UPSTREAM, 0, 0, 0 },
        { "down0", SIM_DOWNSTREAM, 1, 0 << 3, SIM_ACS },
        { "down1", SIM_DOWNSTREAM, 1, 1 << 3, SIM_ACS },
        { "gpu", SIM_ENGINE, DOWN0, 0, SIM_PASID },
        { "npu", SIM_ENGINE, DOWN1, 0, SIM_PASID },
    };

    rig->config.functions = functions;
    rig->config.n_functions = 6;
    rig->setup.flags |= UIOMMU_CONFIG_ACS_AS_FOUND | UIOMMU_CONFIG_WIDE_PASIDS;
    return has_pasids(rig, why);
}

static bool virtual_function(struct rig *rig, const char **why)
{
    static const struct sim_function functions[] = {
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS },
        { "pf", SIM_ENGINE, 0, 0, SIM_ATS | SIM_PASID | SIM_VFS_ON },
        { "vf0", SIM_VIRTUAL, 1, 2 << 3 | 1, SIM_ATS },
    };

    rig->config.ats = true;
    rig->config.functions = functions;
    rig->config.n_functions = 3;
    return has_pasids(rig, why);
}

bool prepare_program(struct rig *rig, const char **why)
{
    switch (program_of(rig)->on) {
    case ON_ATS:
        rig->config.ats = true;
        return true;
    case ON_PASIDS:
        rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
        return with_pasid_requests(rig, why);
    case ON_BUDGET:
        rig->setup.storm_budget = 1;
        return true;
    case ON_DOORBELLS:
        rig->config.its = true;
        return translates_messages(rig, why);
    case ON_TWO:
        return two_members(rig, why);
    case ON_VIRTUAL:
        return virtual_function(rig, why);
    default:
        return true;
    }
}

/* ---- a run --------------------------------------------------------------- */

static bool is_on(const struct rig *rig, enum on on)
{
    const struct program *p = program_of(rig);

    return p && p->on == on;
}

void trial_up(struct trial *t, struct rig *rig)
{
    for (unsigned dev = DOWN0; is_on(rig, ON_TWO) && dev <= DOWN1; dev++)
        redirect_only(rig, dev);
    if (rig->config.its)
        find_and_start(rig);
    else
        up(rig);
    memset(t, 0, sizeof(*t));
    t->rig = rig;
    t->page = rig_pages(rig, 9);
    for (unsigned i = 0; i < PAGES; i++)
        rig_poke(rig, page_of(t, i), page_of(t, i));
    t->d = rig_domain(rig, 0);
    t->e = rig_domain(rig, 0);
    t->base = GIB(4);
}

/* As at first, but at other addresses. */
void trial_next(struct trial *t)
{
    struct uiommu_endpoint *ep = rig_endpoint(t->rig, 0);

    t->base += RANGE;
    if (t->base == GIB(4) + RANGES * RANGE) {
        (void)unmap_all(t->d);
        (void)unmap_all(t->e);
        t->base = GIB(4);
    }
    if (uiommu_endpoint_domain(ep) != t->d)
        set(t->rig, 0, t->d);
    if (uiommu_endpoint_domain(rig_endpoint(t->rig, 1)) != t->e)
        set(t->rig, 1, t->e);
    atomic_store(&t->gone, false);
    t->wrong[0] = '\0';
}

void trial_forget(struct trial *t)
{
    if (sim_violations(t->rig->m) > 0)
        say(t, "%s", sim_violation(t->rig->m, 0));
    sim_forget(t->rig->m);
}

static void find_nothing(void *ctx, const struct uiommu_audit *audit)
{
    const struct trial *t = ctx;

    if (uiommu_audit_is_finding(audit->kind))
        fail_msg("%s: %s", t->rig->name, audit->text);
}

/* What is in the tables is what was asked for. */
void trial_down(struct trial *t)
{
    rig_ok(uiommu_audit(t->rig->u, find_nothing, t));
    set(t->rig, 0, uiommu_blocked(t->rig->u));
    set(t->rig, 1, uiommu_blocked(t->rig->u));
    uiommu_domain_put(t->d);
    uiommu_domain_put(t->e);
    rig_down(t->rig);
}

/* ---- steps that programs share ------------------------------------------- */

void leave(struct trial *t, unsigned n)
{
    sees(t, rig_endpoint(t->rig, n), uiommu_blocked(t->rig->u));
}

void sees(struct trial *t, struct uiommu_endpoint *ep, struct uiommu_domain *d)
{
    expect_ok(t, uiommu_set_domain(ep, d, NULL), "set_domain");
}

void page_in(struct trial *t, struct uiommu_domain *d, unsigned n)
{
    expect_ok(t, uiommu_map(d, t->base + AT, page_of(t, n), RIG_PAGE, RIG_RW),
              "map");
}

bool reached(struct trial *t, unsigned n, uint32_t number)
{
    return lands_with(t->rig, n, number, t->base + AT, UIOMMU_WRITE) != NOWHERE;
}

uint64_t fetch(struct trial *t, unsigned n, uint32_t number, uint64_t iova)
{
    uint64_t value = 0;

    return rig_dma(t->rig, n, number, false, iova, &value) ? value : NOWHERE;
}
