/* SPDX-License-Identifier: MIT */
/*
 * region_test.c - which addresses mean something to a device before anything is mapped
 * for it (semantics B.10), and what comes of messages to a doorbell.
 */
#include "tests/core/doorbells.h"

/* Rows of the default topology. */
enum { ENGINE0, ENGINE1, PORT, ENGINE2 };

enum { MOST = 8 };

#define MSI_FIRST UINT64_C(0xfee00000)
#define MSI_LAST  UINT64_C(0xfeefffff)

struct told {
    struct uiommu_region at[MOST];
    unsigned n;
};

static void note(void *ctx, const struct uiommu_region *region)
{
    struct told *told = ctx;

    assert_true(told->n < MOST);
    told->at[told->n++] = *region;
}

static struct told regions(struct rig *rig, unsigned n)
{
    struct told told = { .n = 0 };

    rig_ok(uiommu_regions(rig_endpoint(rig, n), note, &told));
    return told;
}

static void is(const struct uiommu_region *r, enum uiommu_region_kind kind,
               uint64_t start, uint64_t last)
{
    assert_int_equal(r->kind, kind);
    assert_int_equal(r->start, start);
    assert_int_equal(r->last, last);
}

/* ---- prepare ------------------------------------------------------------------ */

static bool has_no_its(struct rig *rig, const char **why)
{
    *why = "messages are not translated";
    rig->config.its = false;
    return is_smmuv3(rig);
}

static bool unsafe_without_an_its(struct rig *rig, const char **why)
{
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return has_no_its(rig, why);
}

/* Two that overlap, one that touches them, one apart; and one of another device, which
 * touches the first. */
static bool with_regions(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = {
        { MIB(34), 0x10000, ENGINE0 },
        { MIB(32), 0x2000, ENGINE0 },
        { MIB(32) + 0x1000, 0x3000, ENGINE0 },
        { MIB(32) + 0x4000, 0x1000, ENGINE0 },
        { MIB(32) + 0x5000, 0x1000, ENGINE1 },
    };

    (void)why;
    rig->config.regions = region;
    rig->config.n_regions = sizeof(region) / sizeof(region[0]);
    return true;
}

/* ---- what is told --------------------------------------------------------------- */

static void regions_are_sorted_and_merged(struct rig *rig)
{
    struct told told = regions(rig, 0);

    assert_true(told.n >= 2);
    is(&told.at[0], UIOMMU_REGION_DIRECT, MIB(32), MIB(32) + 0x4fff);
    is(&told.at[1], UIOMMU_REGION_DIRECT, MIB(34), MIB(34) + 0xffff);
    assert_int_equal(told.n, 3);
    told = regions(rig, 1);
    assert_int_equal(told.n, 2);
    is(&told.at[0], UIOMMU_REGION_DIRECT, MIB(32) + 0x5000, MIB(32) + 0x5fff);
}

static void messages_that_no_table_translates_have_a_region(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    const uint64_t page = rig_pages(rig, 0);
    struct told told = regions(rig, 0);

    assert_int_equal(told.n, 1);
    is(&told.at[0], UIOMMU_REGION_MSI, MSI_FIRST, MSI_LAST);
    rig_is(uiommu_map(d, MSI_FIRST, page, RIG_PAGE, RIG_RW), UIOMMU_INVAL);
    rig_is(uiommu_map(d, MSI_LAST - 0xfff, page, RIG_PAGE, RIG_RW),
           UIOMMU_INVAL);
    rig_ok(uiommu_map(d, MSI_FIRST - RIG_PAGE, page, RIG_PAGE, RIG_RW));
    rig_ok(uiommu_map(d, MSI_LAST + 1, page, RIG_PAGE, RIG_RW));
    uiommu_domain_put(d);
}

static void nothing_is_told_of_nobody(struct rig *rig)
{
    struct told told = { .n = 0 };

    rig_is(uiommu_regions(NULL, note, &told), UIOMMU_INVAL);
    rig_is(uiommu_regions(rig_endpoint(rig, 0), NULL, &told), UIOMMU_INVAL);
    assert_int_equal(told.n, 0);
}

/* ---- doorbells -------------------------------------------------------------------- */

static void map_doorbell(struct uiommu_domain *d, uint64_t iova)
{
    rig_ok(uiommu_map(d, iova, SIM_DOORBELL, SIM_DOORBELL_SIZE,
                      UIOMMU_WRITE | UIOMMU_MMIO));
}

static void each_device_is_told_of_its_doorbell(struct rig *rig)
{
    find_and_start(rig);
    for (unsigned n = 0; n < 3; n++) {
        struct told told = regions(rig, n);

        assert_int_equal(told.n, 2);
        is(&told.at[0], UIOMMU_REGION_DOORBELL_WINDOW, MIB(128), MIB(129) - 1);
        is(&told.at[1], UIOMMU_REGION_DOORBELL, SIM_DOORBELL,
           SIM_DOORBELL + SIM_DOORBELL_SIZE - 1);
    }
}

static void a_message_of_a_blocked_device_does_not_arrive(struct rig *rig)
{
    find_and_start(rig);
    assert_false(arrives(rig, 0, SIM_TRANSLATER));
    rig_poll(rig);
    assert_int_equal(rig->faults, 1);
}

static void a_message_of_a_device_on_identity_arrives(struct rig *rig)
{
    find_and_start(rig);
    set(rig, 0, uiommu_identity(rig->u));
    assert_true(arrives(rig, 0, SIM_TRANSLATER));
    assert_false(arrives(rig, 1, SIM_TRANSLATER));
    set(rig, 0, uiommu_blocked(rig->u));
    assert_false(arrives(rig, 0, SIM_TRANSLATER));
}

/* One to one, or anywhere else: it is a mapping like any other. */
static void a_message_arrives_by_what_is_mapped(struct rig *rig)
{
    const uint64_t iova[] = { SIM_DOORBELL, MIB(192) };

    find_and_start(rig);
    for (unsigned i = 0; i < 2; i++) {
        struct uiommu_domain *d = rig_attached(rig, 0);

        assert_false(arrives(rig, 0, SIM_TRANSLATER));
        map_doorbell(d, iova[i]);
        assert_true(arrives(rig, 0, iova[i] + 0x40));
        assert_false(arrives(rig, 0, iova[1 - i] + 0x40));
        assert_false(arrives(rig, 1, iova[i] + 0x40));
        rig_ok(uiommu_unmap(d, iova[i], SIM_DOORBELL_SIZE, NULL));
        assert_false(arrives(rig, 0, iova[i] + 0x40));
        rig_drop(rig, 0, d);
    }
}

/* Of two that want it at one place the second is told; there is one mapping. */
static void a_doorbell_is_mapped_once(struct rig *rig)
{
    struct uiommu_domain *d;
    uint64_t gone;

    find_and_start(rig);
    d = rig_attached(rig, 0);
    map_doorbell(d, SIM_DOORBELL);
    rig_is(uiommu_map(d, SIM_DOORBELL, SIM_DOORBELL, SIM_DOORBELL_SIZE,
                      UIOMMU_WRITE | UIOMMU_MMIO),
           UIOMMU_EXIST);
    assert_true(arrives(rig, 0, SIM_TRANSLATER));
    rig_ok(uiommu_unmap(d, SIM_DOORBELL, SIM_DOORBELL_SIZE, &gone));
    assert_int_equal(gone, SIM_DOORBELL_SIZE);
    assert_false(arrives(rig, 0, SIM_TRANSLATER));
    rig_drop(rig, 0, d);
}

/* Nothing is kept for doorbells: whoever knows better may map something else. */
static void a_doorbell_refuses_no_mapping(struct rig *rig)
{
    const uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    find_and_start(rig);
    d = attached_with(rig, 0, SIM_DOORBELL, page);
    assert_true(rig_reaches(rig, 0, SIM_DOORBELL, page));
    assert_false(arrives(rig, 0, SIM_TRANSLATER));
    rig_drop(rig, 0, d);
}

static void without_the_second_table_none_is_told(struct rig *rig)
{
    struct sim_counts before, after;

    sim_counts(rig->m, &before);
    up(rig);
    sim_counts(rig->m, &after);
    assert_int_equal(regions(rig, 0).n, 1); /* the window */
    assert_true(after.logs[UIOMMU_LOG_WARN] > before.logs[UIOMMU_LOG_WARN]);
}

/* As if there were none, and said so. */
static void starts_without_doorbells(struct rig *rig)
{
    struct sim_counts before, after;

    sim_counts(rig->m, &before);
    rig_ok(rig_start(rig));
    assert_says(sim_last_log(rig->m), "no doorbell is reported");
    rig_add_all(rig);
    sim_counts(rig->m, &after);
    assert_int_equal(regions(rig, 0).n, 1); /* the window */
    assert_true(after.logs[UIOMMU_LOG_WARN] > before.logs[UIOMMU_LOG_WARN]);
    set(rig, 0, uiommu_identity(rig->u));
    assert_true(arrives(rig, 0, SIM_TRANSLATER));
}

static void a_second_table_that_is_wrong_is_not_used(struct rig *rig)
{
    static const uint8_t endless[] = { 0, 0xff };
    const struct uiommu_host *h = &rig->m->host;
    struct table t = { .size = 0 };
    const void *madt = h->map_table(h->ctx, "APIC", 0, &t.size);
    struct sim_counts counts;

    memcpy(t.bytes, madt, t.size);
    h->unmap_table(h->ctx, madt, t.size);
    table_append(&t, endless,
                 sizeof(endless)); /* behind an ITS that is right */
    create_with(rig, &t);
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    starts_without_doorbells(rig);
    sim_counts(rig->m, &counts);
    assert_true(counts.logs[UIOMMU_LOG_ERROR] > 0);
}

static void a_second_table_that_cannot_be_had_leaves_the_first(struct rig *rig)
{
    const struct uiommu_host *h = &rig->m->host;
    size_t size;
    const void *madt = h->map_table(h->ctx, "APIC", 0, &size);

    ((uint8_t *)(uintptr_t)madt)[TABLE_CHECKSUM_AT]++;
    h->unmap_table(h->ctx, madt, size);
    rig_ok(rig_create(rig));
    rig_ok(uiommu_find_tables(rig->u, rig_drivers, RIG_DRIVERS));
    assert_says(sim_last_log(rig->m), "table \"APIC\" is not used");
    starts_without_doorbells(rig);
}

/* ---- whose messages they are ----------------------------------------------------- */

static uint64_t warnings(const struct rig *rig)
{
    struct sim_counts counts;

    sim_counts(rig->m, &counts);
    return counts.logs[UIOMMU_LOG_WARN];
}

static void claim_and_release(struct rig *rig)
{
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), rig));
    rig_ok(uiommu_release(rig_endpoint(rig, 0), rig));
}

/* It looks them up by the device that sends them. */
static void an_its_isolates_messages(struct rig *rig)
{
    const uint64_t before = warnings(rig);

    claim_and_release(rig);
    assert_int_equal(warnings(rig), before);
}

static void without_an_its_nothing_is_given_away(struct rig *rig)
{
    const uint64_t before = warnings(rig);

    rig_is(uiommu_claim(rig_endpoint(rig, 0), rig), UIOMMU_OPNOTSUPP);
    assert_int_equal(warnings(rig), before + 1);
    assert_says(sim_last_log(rig->m),
                "is not given away: it can forge interrupts");
    set(rig, 0, uiommu_identity(rig->u)); /* the host's all the same */
    set(rig, 0, uiommu_blocked(rig->u));
}

static void without_an_its_the_exception_is_needed(struct rig *rig)
{
    const uint64_t before = warnings(rig);

    claim_and_release(rig);
    assert_int_equal(warnings(rig), before + 1);
    assert_says(sim_last_log(rig->m),
                "is given away although it can forge interrupts");
    claim_and_release(rig);
    assert_int_equal(warnings(rig), before + 1);
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_TEST_ON(regions_are_sorted_and_merged, with_regions),
        RIG_TEST_ON(messages_that_no_table_translates_have_a_region,
                    has_a_window),
        RIG_TEST(nothing_is_told_of_nobody),
        RIG_COLD_ON(each_device_is_told_of_its_doorbell, translates_messages),
        RIG_COLD_ON(a_message_of_a_blocked_device_does_not_arrive,
                    translates_messages),
        RIG_COLD_ON(a_message_of_a_device_on_identity_arrives,
                    translates_messages),
        RIG_COLD_ON(a_message_arrives_by_what_is_mapped, translates_messages),
        RIG_COLD_ON(a_doorbell_is_mapped_once, translates_messages),
        RIG_COLD_ON(a_doorbell_refuses_no_mapping, translates_messages),
        RIG_COLD_ON(without_the_second_table_none_is_told, translates_messages),
        RIG_COLD_ON(a_second_table_that_is_wrong_is_not_used,
                    translates_messages),
        RIG_COLD_ON(a_second_table_that_cannot_be_had_leaves_the_first,
                    translates_messages),
        RIG_TEST_ON(an_its_isolates_messages, translates_messages),
        RIG_TEST_ON(without_an_its_nothing_is_given_away, has_no_its),
        RIG_TEST_ON(without_an_its_the_exception_is_needed,
                    unsafe_without_an_its),
        { .name = NULL },
    };

    return rig_run("regions", tests);
}
