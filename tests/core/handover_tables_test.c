/* SPDX-License-Identifier: MIT */
/*
 * handover_tables_test.c - what is in the memory of a last owner: nothing but what the
 * unit reads, tables that lead anywhere, records of other machines, and domains that
 * are not its own any more.
 */
#include "tests/core/handover.h"

#include "base/store.h"
#include "spec/vtd.h"

#define ADDRESS   (~UINT64_C(0xfff))
#define UNIT_BASE UINT64_C(0xfed90000)
#define BEYOND    (UINT64_C(1) << 40) /* no RAM */
#define MOST      (UINT64_C(256) << 20)   /* bytes that an adoption reads */

/* ---- what is left ------------------------------------------------------------- */

enum { MOST_PAGES = 512, ENTRIES = 512, IRT_PAGES = 16, RECORD_PAGES = 1 };

struct pages {
    struct rig *rig;
    uint64_t at[MOST_PAGES];
    unsigned n;
};

static bool count(struct pages *p, uint64_t page)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->at[i] == page)
            return false;
    assert_true(p->n < MOST_PAGES);
    p->at[p->n++] = page;
    return true;
}

/* Depth first, by hand: `level` tables are below. */
static void count_tables(struct pages *p, uint64_t root, unsigned level)
{
    const uint64_t present =
        rig_arch(p->rig)->leaf_kind == UIM_CHECK_PASID_IOTLB ? 1 : 3;
    uint64_t table[6] = { 0 };
    unsigned next[6] = { 0 };
    unsigned top = level;

    table[level] = root;
    (void)count(p, root);
    for (;;) {
        uint64_t entry;

        if (next[level] == ENTRIES) {
            if (level++ == top)
                return;
            continue;
        }
        entry = peek_word(p->rig, table[level], next[level]++);
        if (level == 0 || !(entry & present) || (entry & 1 << 7))
            continue;
        table[--level] = entry & ADDRESS & ~(UINT64_C(1) << 63);
        next[level] = 0;
        (void)count(p, table[level]);
    }
}

static void count_legacy(struct pages *p, uint64_t context)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t lo = peek_word(p->rig, context, i * 2);
        uint64_t hi = peek_word(p->rig, context, i * 2 + 1);

        if ((lo & 1) && (lo >> 2 & 3) != 2) /* TT, pass-through */
            count_tables(p, lo & ADDRESS, (unsigned)(hi & 7) + 1);
    }
}

/* PGTT 1: first stage, 4 levels; 2: second stage, AW. */
static void count_pasids(struct pages *p, uint64_t table)
{
    for (unsigned i = 0; i < 64; i++) {
        uint64_t q0 = peek_word(p->rig, table, i * 8);
        uint64_t q2 = peek_word(p->rig, table, i * 8 + 2);

        if ((q0 & 1) && (q0 >> 6 & 7) == 1)
            count_tables(p, q2 & ADDRESS, 3);
        if ((q0 & 1) && (q0 >> 6 & 7) == 2)
            count_tables(p, q0 & ADDRESS, (unsigned)(q0 >> 2 & 7) + 1);
    }
}

static void count_scalable(struct pages *p, uint64_t context)
{
    for (unsigned i = 0; i < 128; i++) {
        uint64_t q0 = peek_word(p->rig, context, i * 4);

        if (!(q0 & 1))
            continue;
        (void)count(p, q0 & ADDRESS);
        for (unsigned j = 0; j < ENTRIES; j++) {
            uint64_t link = peek_word(p->rig, q0, j);

            if ((link & 1) && count(p, link & ADDRESS))
                count_pasids(p, link);
        }
    }
}

static void count_all(struct rig *rig, struct pages *p)
{
    uint64_t root = unit_read64(rig, VTD_REG_RTADDR) & ADDRESS;

    p->rig = rig;
    p->n = 0;
    (void)count(p, root);
    for (unsigned i = 0; i < ENTRIES; i++) {
        uint64_t link = peek_word(rig, root, i);

        if (!(link & 1) || !count(p, link & ADDRESS))
            continue;
        if (rig->config.mode == SIM_LEGACY)
            count_legacy(p, link);
        else
            count_scalable(p, link);
    }
}

/* Many tables come and go before. */
static void use_many_tables(struct rig *rig, struct first *f)
{
    struct uiommu_domain *d = attached_with(rig, 2, BASE, f->page);

    for (unsigned i = 1; i < 4; i++) {
        map_page(d, BASE + GIB(i), f->page);
        map_page(f->domain, BASE + GIB(i), f->page);
    }
    rig_ok(uiommu_unmap(f->domain, BASE + GIB(1), GIB(1), NULL));
    rig_ok(uiommu_map(f->domain, OTHER + GIB(4), 0, MIB(4), RIG_RW));
    rig_drop(rig, 2, d);
}

static void nothing_is_left_but_what_is_read(struct rig *rig)
{
    unsigned irt =
        rig->setup.flags & UIOMMU_CONFIG_REMAP_INTERRUPTS ? IRT_PAGES : 0;
    struct pages p;
    struct first f;

    first_owner(rig, &f);
    use_many_tables(rig, &f);
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    uiommu_domain_put(f.domain);
    rig_ok(uiommu_destroy(rig->u));
    count_all(rig, &p);
    assert_true(p.n > 6);
    assert_int_equal(sim_hand_over(rig->m), p.n + irt + RECORD_PAGES);
    the_next_will_adopt(rig);
    up(rig);
    assert_as_left(rig, &f);
    end_adoption(rig);
}

/* ---- tables that lead anywhere -------------------------------------------------- */

static bool legacy(const struct rig *rig)
{
    return rig->config.mode == SIM_LEGACY;
}

static uint64_t root_of(struct rig *rig)
{
    return unit_read64(rig, VTD_REG_RTADDR) & ADDRESS;
}

/* Word i of the table at `phys` is `value`: the start fails, soon; and not with the old
 * one, which is there again afterwards. */
static void assert_word_is_refused(struct rig *rig, const struct first *f,
                                   uint64_t phys, unsigned i, uint64_t value)
{
    uint64_t was = peek_word(rig, phys, i);
    struct sim_counts before, after;

    sim_counts(rig->m, &before);
    poke_word(rig, phys, i, value);
    assert_start_fails_unseen(rig, UIOMMU_NOMEM, "cannot map");
    poke_word(rig, phys, i, was);
    sim_counts(rig->m, &after);
    assert_true(after.memory_mapped - before.memory_mapped <= MOST);
    assert_int_equal(after.pages, before.pages);
    assert_as_left(rig, f);
}

static void to_hostile(struct rig *rig, struct first *f)
{
    first_owner(rig, f);
    first_leaves(rig, f);
    rig->setup.record = NULL;
    sim_hostile(rig->m, true);
}

static void hostile_no_more(struct rig *rig, const struct first *f)
{
    sim_hostile(rig->m, false);
    up(rig);
    assert_as_left(rig, f);
    end_adoption(rig);
}

static void tables_outside_ram_are_refused(struct rig *rig)
{
    static const uint64_t places[] = { BEYOND, UNIT_BASE, ADDRESS, MIB(3000) };
    uint64_t root, context, dir;
    struct first f;

    to_hostile(rig, &f);
    root = root_of(rig);
    context = context_of(rig, 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_word_is_refused(rig, &f, root, 0, places[i] | 1);
        if (rig->config.mode == SIM_LEGACY)
            continue;
        assert_word_is_refused(rig, &f, context,
                               (unsigned)(context & 0xfff) / 8, places[i] | 1);
        dir = peek_word(rig, context, (unsigned)(context & 0xfff) / 8);
        assert_word_is_refused(rig, &f, dir, 0, places[i] | 1);
    }
    hostile_no_more(rig, &f);
}

/* Registers that say where nothing is. */
static void a_root_outside_ram_is_refused(struct rig *rig)
{
    static const struct lie beyond[] = {
        { VTD_REG_RTADDR, BEYOND, UINT64_C(0xffffff000) },
        { 0 },
    };
    struct first f;

    to_hostile(rig, &f);
    lies_begin(rig, beyond);
    assert_start_fails(rig, &f, UIOMMU_NOMEM, "cannot map");
    lies_end(rig);
    hostile_no_more(rig, &f);
}

static bool remapped(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.args = "ir=1,eim=1";
    rig->setup.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    return true;
}

static void interrupt_tables_outside_ram_are_refused(struct rig *rig)
{
    static const struct lie lies[] = {
        { VTD_REG_IRTA, BEYOND, UINT64_C(0xffffff000) },
        { 0 },
    };
    struct first f;

    to_hostile(rig, &f);
    lies_begin(rig, lies);
    assert_start_fails(rig, &f, UIOMMU_NOMEM, "cannot map");
    lies_end(rig);
    hostile_no_more(rig, &f);
}

/* What such tables say is so, for the unit as well: whoever is in them goes on until
 * the end. That may be nobody's intention, but is bounded. */
static void tables_that_are_their_own_end(struct rig *rig)
{
    uint64_t words[ENTRIES], root;
    struct sim_counts before, after;
    enum uiommu_status status;
    struct first f;

    to_hostile(rig, &f);
    root = root_of(rig);
    for (unsigned i = 0; i < ENTRIES; i++) {
        words[i] = peek_word(rig, root, i);
        poke_word(rig, root, i, i % 2 == 0 || !legacy(rig) ? root | 1 : 0);
    }
    sim_counts(rig->m, &before);
    create_next(rig);
    status = rig_start(rig);
    sim_counts(rig->m, &after);
    assert_true(after.memory_mapped - before.memory_mapped <= MOST);
    if (legacy(rig)) {
        rig_ok(status);
        assert_int_equal(adopted(rig), 256 * 256);
        rig_ok(uiommu_adopted_end(rig->u));
        rig_add_all(rig);
        assert_true(rig_refused(rig, 0, BASE));
        sim_reclaim(rig->m);
        return;
    }
    rig_is(status, UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "too many tables");
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
    for (unsigned i = 0; i < ENTRIES; i++)
        poke_word(rig, root, i, words[i]);
    hostile_no_more(rig, &f);
}

/* ---- records ---------------------------------------------------------------------- */

enum { HEADER = 6, UNIT = 4, MOST_WORDS = HEADER + 2 * UNIT };
enum { SIZE_AT = 2, N_UNITS_AT = 4, DIGEST_AT = 5, BASE_AT = HEADER };

/* As handover.h has it: FNV-1a, over the bytes of all of it with 0 for the digest. */
static void seal(uint64_t *words, unsigned n)
{
    uint64_t digest = UINT64_C(0xcbf29ce484222325);
    const uint8_t *bytes = (const uint8_t *)words;

    words[DIGEST_AT] = 0;
    for (unsigned i = 0; i < n * 8; i++)
        digest = (digest ^ bytes[i]) * UINT64_C(0x100000001b3);
    words[DIGEST_AT] = uim_le64(digest);
}

static void resize(uint64_t *words, unsigned n_units)
{
    words[N_UNITS_AT] = uim_le64(n_units);
    words[SIZE_AT] = uim_le64((HEADER + n_units * UNIT) * 8u);
    seal(words, HEADER + n_units * UNIT);
}

static void records_of_other_machines_are_refused(struct rig *rig)
{
    uint64_t words[MOST_WORDS] = { 0 };
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    assert_int_equal(rig->setup.record_size, (HEADER + UNIT) * 8);
    memcpy(words, rig->setup.record, rig->setup.record_size);
    rig->setup.record = (const void *)words;
    rig->setup.record_size = sizeof(words);
    words[BASE_AT] ^= uim_le64(0x1000);
    resize(words, 1);
    assert_start_fails(rig, &f, UIOMMU_INVAL, "not as the record says");
    words[BASE_AT] ^= uim_le64(0x1000);
    resize(words, 0);
    assert_start_fails(rig, &f, UIOMMU_INVAL, "another number of units");
    memcpy(words + HEADER + UNIT, words + HEADER, UNIT * 8);
    words[BASE_AT + UNIT] ^= uim_le64(0x1000);
    resize(words, 2);
    assert_start_fails(rig, &f, UIOMMU_INVAL, "another number of units");
    resize(words, 1);
    up(rig);
    assert_as_left(rig, &f);
    end_adoption(rig);
}

static void records_that_end_too_early_are_refused(struct rig *rig)
{
    uint64_t words[MOST_WORDS + 1] = { 0 };
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    memcpy(words, rig->setup.record, rig->setup.record_size);
    rig->setup.record = (const void *)words;
    for (size_t size = 0; size < (HEADER + UNIT) * 8; size++) {
        rig->setup.record_size = size;
        assert_start_fails_unseen(rig, UIOMMU_INVAL,
                                  size < HEADER * 8 ? "is not one" : "size");
    }
    rig->setup.record_size = sizeof(words);
    words[N_UNITS_AT] = uim_le64(UINT64_C(1) << 59); /* times 32: 0 */
    words[SIZE_AT] = uim_le64(HEADER * 8);
    seal(words, HEADER);
    assert_start_fails(rig, &f, UIOMMU_INVAL, "size");
    words[SIZE_AT] = uim_le64(HEADER * 8 + 4);
    resize(words, 1);
    rig->setup.record = (const void *)((const char *)words + 4);
    assert_start_fails(rig, &f, UIOMMU_INVAL, "is not one");
    rig->setup.record = (const void *)words;
    up(rig);
    end_adoption(rig);
}

/* ---- domains ----------------------------------------------------------------------- */

static void assert_stays(struct rig *rig, struct uiommu_domain *d,
                         uint64_t page)
{
    const struct uiommu_segment segment = { page, RIG_PAGE };
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    struct uiommu_trace trace;
    uint64_t unmapped = 1;

    rig_is(uiommu_map(d, OTHER, page, RIG_PAGE, RIG_RW), UIOMMU_BUSY);
    assert_says(sim_last_log(rig->m), "was handed over");
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, &unmapped), UIOMMU_BUSY);
    rig_is(uiommu_unmap(d, 0, last_iova(d) + 1, &unmapped), UIOMMU_BUSY);
    assert_int_equal(unmapped, 1);
    rig_is(uiommu_split(d, BASE, RIG_PAGE), UIOMMU_BUSY);
    rig_is(uiommu_walk(d, BASE, &trace), UIOMMU_BUSY);
    rig_is(uiommu_map_sg(d, OTHER, &segment, 1, RIG_RW), UIOMMU_BUSY);
    rig_is(uiommu_unmap_gather(d, BASE, RIG_PAGE, &g), UIOMMU_BUSY);
    assert_null(g.domain);
}

static void a_domain_that_was_handed_over_stays(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    assert_stays(rig, f.domain, f.page);
    assert_as_left(rig, &f);
    uiommu_domain_put(f.domain);
    first_is_gone(rig);
    up(rig);
    assert_as_left(rig, &f);
    end_adoption(rig);
}

/* What was to be synced may be reached by the next owner's devices. */
static void a_gather_is_not_synced_after_a_hand_over(struct rig *rig)
{
    struct uiommu_gather g = UIOMMU_GATHER_INIT;
    struct first f;

    first_owner(rig, &f);
    map_page(f.domain, OTHER, f.page);
    rig_ok(uiommu_unmap_gather(f.domain, OTHER, RIG_PAGE, &g));
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    rig_is(uiommu_sync(&g), UIOMMU_BUSY);
    assert_null(g.domain);
    rig_ok(uiommu_sync(&g));
    uiommu_domain_put(f.domain);
    first_is_gone(rig);
    up(rig);
    assert_as_left(rig, &f);
    end_adoption(rig);
}

/* Nobody saw them last: they are the embedder's, up to the end. */
static void domains_that_were_not_handed_over_are_ours(struct rig *rig)
{
    struct uiommu_domain *seen, *unseen;
    struct first f;

    first_owner(rig, &f);
    unseen = rig_domain(rig, 2);
    seen = attached_with(rig, 2, BASE, f.page);
    set(rig, 2, uiommu_blocked(rig->u));
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    map_page(unseen, BASE, f.page);
    assert_int_equal(unmap_all(unseen), RIG_PAGE);
    map_page(seen, OTHER, f.page);
    assert_int_equal(unmap_all(seen), 2 * RIG_PAGE);
    uiommu_domain_put(seen);
    uiommu_domain_put(unseen);
    uiommu_domain_put(f.domain);
    first_is_gone(rig);
    up(rig);
    assert_as_left(rig, &f);
    end_adoption(rig);
}

/* The unit did not say that it left them. */
static void unconfirmed(struct rig *rig, struct first *f)
{
    first_owner(rig, f);
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_unmap(f->domain, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    rig_is(
        uiommu_set_domain(rig_endpoint(rig, 0), uiommu_blocked(rig->u), NULL),
        UIOMMU_TIMEDOUT);
    uim_check_silent(sim_door(rig->m), false);
    rig->dirty = true;
}

static void a_domain_that_a_unit_may_still_read_stays(struct rig *rig)
{
    struct first f;

    unconfirmed(rig, &f);
    rig_is(uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_AS_IT_STANDS,
                            &rig->setup.record, &rig->setup.record_size),
           UIOMMU_TIMEDOUT);
    rig_is(uiommu_unmap(f.domain, BASE, RIG_PAGE, NULL), UIOMMU_BUSY);
    rig_is(uiommu_split(f.domain, BASE, RIG_PAGE), UIOMMU_BUSY);
    uiommu_domain_put(f.domain);
    first_is_gone(rig);
    up(rig);
    end_adoption(rig);
}

/* Units are gone that it knows. */
static void a_domain_that_is_held_outlives_the_stop(struct rig *rig)
{
    struct first f;

    unconfirmed(rig, &f);
    for (unsigned i = RIG_DEVICES; i-- > 0; rig->device[i] = NULL)
        if (rig->device[i])
            (void)!uiommu_device_remove(rig->device[i]);
    rig_ok(uiommu_stop(rig->u));
    rig->started = false;
    map_page(f.domain, OTHER, f.page);
    assert_int_equal(unmap_all(f.domain), RIG_PAGE);
    uiommu_domain_put(f.domain);
}

/* clang-format off */
static const struct rig_test tests[] = {
    RIG_COLD(nothing_is_left_but_what_is_read),
    RIG_COLD(tables_outside_ram_are_refused),
    RIG_COLD(a_root_outside_ram_is_refused),
    RIG_COLD_ON(interrupt_tables_outside_ram_are_refused, remapped),
    { .name = "tables_that_are_their_own_end",
      .run = tables_that_are_their_own_end,
      .cold = true,
      .once = "it takes long" },
    RIG_COLD(records_of_other_machines_are_refused),
    RIG_COLD(records_that_end_too_early_are_refused),
    RIG_COLD(a_domain_that_was_handed_over_stays),
    RIG_COLD(a_gather_is_not_synced_after_a_hand_over),
    RIG_COLD(domains_that_were_not_handed_over_are_ours),
    RIG_COLD_ON(a_domain_that_a_unit_may_still_read_stays, in_a_hurry),
    RIG_COLD_ON(a_domain_that_is_held_outlives_the_stop, in_a_hurry),
    { 0 },
};

int main(void)
{
    return rig_run_where(RIG_ADOPTION, "handover_tables", tests);
}
