/* SPDX-License-Identifier: MIT */
/*
 * handover_oddity_test.c - what a last owner may leave that is rare, or that uiommu
 * itself would not (semantics B.23): records and tables that somebody wrote, ids from
 * the top, many requesters, many interrupts, faults nobody read.
 */
#include "tests/core/handover.h"
#include "tests/core/interrupts.h"

#include "base/digest.h"
#include "base/store.h"
#include "core/core.h"
#include "spec/vtd.h"
#include "spec/vtd_tables.h"

/* ---- records that somebody wrote ------------------------------------------- */

enum {
    SIZE = offsetof(struct uiommu_record, size) / 8,
    N_UNITS = offsetof(struct uiommu_record, n_units) / 8,
    DIGEST = offsetof(struct uiommu_record, digest) / 8,
    HEADER = sizeof(struct uiommu_record) / 8,
    UNIT = sizeof(struct uiommu_record_unit) / 8,
    ROOM = HEADER + 2 * UNIT,
};

/* A record of n words that says what the last owner's says, and may be changed. */
static void take_record(struct rig *rig, uint64_t word[ROOM])
{
    memset(word, 0, ROOM * sizeof(*word));
    memcpy(word, rig->setup.record, rig->setup.record_size);
    assert_int_equal(rig->setup.record_size, (HEADER + UNIT) * 8);
    rig->setup.record = (const void *)word;
    rig->setup.record_size = ROOM * sizeof(*word);
}

static void sign(uint64_t *word, unsigned n)
{
    uint64_t digest = UIM_DIGEST_START;

    word[DIGEST] = 0;
    for (unsigned i = 0; i < n; i++)
        digest = uim_digest(digest, uim_le64(word[i]));
    word[DIGEST] = uim_le64(digest);
}

static void assert_start_is_refused(struct rig *rig)
{
    create_next(rig);
    rig_is(rig_start(rig), UIOMMU_INVAL);
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
}

static void what_follows_a_record_is_none_of_it(struct rig *rig)
{
    uint64_t word[ROOM];
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    take_record(rig, word);
    memcpy(word + HEADER + UNIT, word + HEADER, UNIT * sizeof(*word));
    word[HEADER] ^= uim_le64(RIG_PAGE); /* a unit elsewhere; this one follows */
    sign(word, HEADER + UNIT);
    assert_start_is_refused(rig);
    assert_says(sim_last_log(rig->m), "not as the record says");
    word[HEADER] ^= uim_le64(RIG_PAGE);
    sign(word, HEADER + UNIT);
    up(rig);
    end_adoption(rig);
}

static void a_record_of_no_unit_is_one(struct rig *rig)
{
    uint64_t word[ROOM];
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    take_record(rig, word);
    word[SIZE] = uim_le64(HEADER * 8);
    word[N_UNITS] = 0;
    sign(word, HEADER);
    rig->setup.record_size = HEADER * 8;
    assert_start_is_refused(rig); /* the machine has one */
    assert_null(strstr(sim_last_log(rig->m), "is not one"));
    rig->setup.record = NULL;
    up(rig);
    end_adoption(rig);
}

/* The size of so many is a small one again. */
static void a_record_of_too_many_units_is_refused(struct rig *rig)
{
    uint64_t word[ROOM];
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    take_record(rig, word);
    word[N_UNITS] = uim_le64((UINT64_C(1) << 59) + 1);
    sign(word, HEADER + UNIT);
    assert_start_is_refused(rig);
    assert_says(sim_last_log(rig->m), "wrong size");
    word[N_UNITS] = uim_le64(1);
    sign(word, HEADER + UNIT);
    up(rig);
    end_adoption(rig);
}

static void a_record_between_two_words_is_refused(struct rig *rig)
{
    uint64_t word[ROOM];
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    memcpy((char *)word + 4, rig->setup.record, rig->setup.record_size);
    rig->setup.record = (const void *)((char *)word + 4);
    assert_start_is_refused(rig);
    assert_says(sim_last_log(rig->m), "is not one");
    rig->setup.record = NULL;
    up(rig);
    end_adoption(rig);
}

static void a_hand_over_has_to_put_its_record_somewhere(struct rig *rig)
{
    const struct uiommu_record *record = NULL;
    enum uiommu_hand_over how = UIOMMU_HAND_OVER_AS_IT_STANDS;
    size_t size = 0;

    rig_is(uiommu_hand_over(NULL, how, &record, &size), UIOMMU_INVAL);
    rig_is(uiommu_hand_over(rig->u, how, NULL, &size), UIOMMU_INVAL);
    rig_is(uiommu_hand_over(rig->u, how, &record, NULL), UIOMMU_INVAL);
    assert_null(record);
    assert_int_equal(size, 0);
    rig_drop(rig, 0, rig_attached(rig, 0)); /* it runs on */
}

static enum uiommu_status hand_over(struct rig *rig, void *ctx)
{
    (void)ctx;
    return uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_AS_IT_STANDS,
                            &rig->setup.record, &rig->setup.record_size);
}

static void a_hand_over_that_fails_changes_nothing(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    fails_without_trace(rig, hand_over, NULL);
    uiommu_domain_put(f.domain);
    first_is_gone(rig);
    up(rig);
    assert_true(rig_reaches(rig, 0, BASE, f.page));
    end_adoption(rig);
}

/* More than one page holds: no machine of the simulator has so many. */
static void a_record_has_room_for_all_units(struct rig *rig)
{
    enum { MOST = 128 };
    static struct uim_unit unit, *units[MOST];
    struct uiommu u = { .host = rig->m->host, .unit = units };
    struct uim_record r;

    for (u.n_units = 0; u.n_units < MOST; u.n_units++) {
        rig_ok(uim_record_alloc(&u, &r));
        assert_int_equal(r.size, (HEADER + u.n_units * UNIT) * 8);
        assert_int_equal(r.order, r.size > RIG_PAGE);
        uim_record_free(&u, &r);
        units[u.n_units] = &unit;
    }
}

/* ---- tables that somebody wrote --------------------------------------------- */

/* The page of a table at what `link` says. */
static uint64_t *table_at(struct rig *rig, uint64_t link)
{
    uint64_t *word = sim_ram(rig->m, link & ~UINT64_C(0xfff), RIG_PAGE);

    assert_non_null(word);
    return word;
}

/* Of bus 0; in scalable mode of its devices 0 to 15. */
static uint64_t *context_table(struct rig *rig)
{
    uint64_t root =
        sim_ops(rig->m)->mmio_read(sim_model(rig->m), 0, VTD_REG_RTADDR, 8);

    return table_at(rig, uim_le64(*table_at(rig, root)));
}

static unsigned context_words(const struct rig *rig)
{
    return (rig->config.mode == SIM_LEGACY ? VTD_CONTEXT_LEGACY_BYTES
                                           : VTD_CONTEXT_SCALABLE_BYTES) /
           8;
}

static uint64_t *context_of_engine(struct rig *rig, unsigned n)
{
    struct uiommu_pci at = rig->m->devices[rig_engine(rig, n)].pci;

    assert_int_equal(at.bus, 0);
    return context_table(rig) + at.devfn * context_words(rig);
}

/* Functions 00:00.0 and after, where nobody is, see what engine 1 sees. */
static void add_requesters(struct rig *rig, unsigned n)
{
    const unsigned words = context_words(rig);

    for (unsigned i = 0; i < n; i++)
        memcpy(context_table(rig) + (size_t)i * words,
               context_of_engine(rig, 1), words * sizeof(uint64_t));
}

static void to_the_next_with(struct rig *rig, unsigned requesters)
{
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    rig->setup.record = NULL;
    add_requesters(rig, requesters - 2);
    create_next(rig);
    rig_ok(rig_start(rig));
    assert_int_equal(adopted(rig), requesters);
}

static struct {
    void (*log)(void *ctx, enum uiommu_log_level level, const char *text);
    unsigned named;
} names;

static void count_names(void *ctx, enum uiommu_log_level level,
                        const char *text)
{
    names.named += strstr(text, "goes on") != NULL;
    names.log(ctx, level, text);
}

static void to_the_next_by_name(struct rig *rig, unsigned requesters)
{
    names.log = rig->m->host.log;
    names.named = 0;
    rig->m->host.log = count_names;
    to_the_next_with(rig, requesters);
    assert_int_equal(names.named, 16);
}

static void sixteen_requesters_are_named(struct rig *rig)
{
    to_the_next_by_name(rig, 16);
    assert_says(sim_last_log(rig->m), "00:04.0 goes on");
    end_adoption(rig);
}

static void of_more_requesters_it_is_said_how_many(struct rig *rig)
{
    to_the_next_by_name(rig, 19);
    assert_says(sim_last_log(rig->m), "so do 3 requesters more");
    end_adoption(rig);
}

/* Who is not known, or in scalable mode engine 0 with a PASID, has the last id. */
static void use_the_last_id(struct rig *rig)
{
    const struct vtd_ctx_legacy_hi_fields hi = { .did = 0xffff, .aw = 2 };
    uint64_t *entry = context_of_engine(rig, 0), *q1;

    if (rig->config.mode == SIM_LEGACY) {
        add_requesters(rig, 1);
        context_table(rig)[1] = uim_le64(vtd_ctx_legacy_hi_pack(&hi).raw);
        return;
    }
    entry = table_at(rig, uim_le64(*table_at(rig, uim_le64(*entry))));
    memcpy(entry + VTD_PASID_ENTRY_BYTES / 8, entry, VTD_PASID_ENTRY_BYTES);
    q1 = &entry[VTD_PASID_ENTRY_BYTES / 8 + 1];
    *q1 = uim_le64(vtd_pasid_entry_q1_set_did(
                       (struct vtd_pasid_entry_q1){ uim_le64(*q1) }, 0xffff)
                       .raw);
}

static void ids_from_the_top_are_free_after_the_end(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    rig->setup.record = NULL;
    use_the_last_id(rig);
    up(rig);
    assert_true(rig_reaches(rig, 0, BASE, f.page));
    end_adoption(rig);
    rig_check_ids(rig);
}

/* ---- the end ------------------------------------------------------------------ */

/* Engine 0 does this whenever somebody lets go of a lock: also when the unit has just
 * confirmed that its caches are empty. */
static struct {
    struct rig *rig;
    void (*unlock)(void *ctx, void *lock);
    bool reads, sends;
    struct uiommu_irq_message m;
} busy;

static void unlock_and_go_on(void *ctx, void *lock)
{
    uint64_t value;

    busy.unlock(ctx, lock);
    if (busy.reads)
        (void)rig_read(busy.rig, 0, BASE, &value);
    if (busy.sends)
        (void)sends(busy.rig, 0, busy.m.addr, busy.m.data);
}

/* The next owner has started. */
static void keep_busy(struct rig *rig)
{
    memset(&busy, 0, sizeof(busy));
    busy.rig = rig;
    busy.unlock = rig->m->host.spin_unlock;
    rig->m->host.spin_unlock = unlock_and_go_on;
    create_next(rig);
    rig_ok(rig_start(rig));
}

/* Old entries may be used until the call returns, but not afterwards. */
static void end_in_the_middle(struct rig *rig, bool reads)
{
    busy.reads = reads;
    busy.sends = !reads;
    rig_ok(uiommu_adopted_end(rig->u));
    busy.reads = busy.sends = false;
    assert_int_equal(sim_violations(rig->m), 0);
    sim_forget(rig->m);
    sim_reclaim(rig->m);
}

static void nothing_is_cached_again_while_adoption_ends(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    keep_busy(rig);
    assert_true(rig_reaches(rig, 0, BASE, f.page));
    end_in_the_middle(rig, true);
    assert_true(rig_refused(rig, 0, BASE));
}

static void no_interrupt_is_cached_again_while_adoption_ends(struct rig *rig)
{
    struct uiommu_irq_message m;
    struct first f;

    first_owner(rig, &f);
    m = message_of(map_irq(rig, 0, to(0x41, 0)));
    first_leaves(rig, &f);
    keep_busy(rig);
    busy.m = m;
    assert_arrives(rig, 0, m, arrives_as(0x41, 0));
    end_in_the_middle(rig, false);
    assert_refused(rig, 0, m.addr, m.data, 0x22);
}

static void an_end_that_is_not_confirmed_is_none(struct rig *rig)
{
    struct first f;

    to_the_next(rig, &f);
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_adopted_end(rig->u), UIOMMU_TIMEDOUT);
    uim_check_silent(sim_door(rig->m), false);
    assert_int_equal(adopted(rig), 2);
    (void)!uiommu_suspend(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_true(rig_refused(rig, 0, BASE));
    end_adoption(rig);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 1, f.page));
}

static void everybody_knows_of_the_end(struct rig *rig)
{
    struct first f;

    to_the_next(rig, &f);
    rig_add_all(rig);
    end_adoption(rig);
    for (unsigned n = 0; n < 3; n++)
        assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, n)),
                         uiommu_blocked(rig->u));
    rig_ok(uiommu_claim(rig_endpoint(rig, 1), &f));
    rig_ok(uiommu_release(rig_endpoint(rig, 1), &f));
}

/* ---- faults --------------------------------------------------------------------- */

static void faults_of_the_last_owner_are_not_heard(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_refused(rig, 2, f.page));
    up(rig);
    rig_poll(rig);
    assert_int_equal(rig->faults, 0);
    assert_true(rig_refused(rig, 2, f.page));
    rig_poll(rig);
    assert_int_equal(rig->faults, 2);
    assert_false(rig->fault.overflow);
    end_adoption(rig);
}

/* ---- interrupts ------------------------------------------------------------------- */

enum { OLD = 130, NEW = 8, GONE = 64 };

static struct uiommu_irq_target nth(unsigned i)
{
    return to((uint8_t)(0x40 + i % 64), i & 0xff);
}

static struct sim_msi arrives_as_nth(unsigned i)
{
    return arrives_as(nth(i).vector, nth(i).destination);
}

static void map_some(struct rig *rig, struct uiommu_irq **irq, unsigned n,
                     unsigned first)
{
    for (unsigned i = 0; i < n; i++)
        irq[i] = map_irq(rig, 0, nth(first + i));
}

static void assert_all_arrive(struct rig *rig, struct uiommu_irq **irq,
                              unsigned n, unsigned first)
{
    for (unsigned i = 0; i < n; i++)
        assert_arrives(rig, 0, message_of(irq[i]), arrives_as_nth(first + i));
}

/* The last owner has used all entries up to OLD, but for one; what came to them. */
static void leave_interrupts(struct rig *rig,
                             struct uiommu_irq_message message[OLD])
{
    struct uiommu_irq *irq[OLD];
    struct first f;

    first_owner(rig, &f);
    map_some(rig, irq, OLD, 0);
    for (unsigned i = 0; i < OLD; i++)
        message[i] = message_of(irq[i]);
    drop(irq[GONE]);
    first_leaves(rig, &f);
}

static void assert_empty(struct rig *rig, const struct uiommu_irq_message *m)
{
    assert_refused(rig, 0, m->addr, m->data, 0x22);
    assert_true(entry_word(rig, m->addr, 0) == 0);
    assert_true(entry_word(rig, m->addr, 1) == 0);
}

static void old_entries_are_free_after_the_end(struct rig *rig)
{
    struct uiommu_irq_message old[OLD];
    struct uiommu_irq *irq[OLD];

    leave_interrupts(rig, old);
    up(rig);
    for (unsigned i = 0; i < OLD; i++)
        if (i != GONE)
            assert_arrives(rig, 0, old[i], arrives_as_nth(i));
    end_adoption(rig);
    for (unsigned i = 0; i < OLD; i++)
        assert_empty(rig, &old[i]);
    map_some(rig, irq, OLD, 0);
    for (unsigned i = 0; i < OLD; i++) {
        assert_true(message_of(irq[i]).addr == old[i].addr);
        drop(irq[i]);
    }
}

/* Among them, and beside them. */
static void interrupts_mapped_since_outlive_the_end(struct rig *rig)
{
    struct uiommu_irq_message old[OLD];
    struct uiommu_irq *irq[NEW + OLD];

    leave_interrupts(rig, old);
    up(rig);
    map_some(rig, irq, NEW, OLD);
    assert_true(message_of(irq[0]).addr == old[GONE].addr);
    end_adoption(rig);
    assert_all_arrive(rig, irq, NEW, OLD);
    map_some(rig, irq + NEW, OLD, OLD + NEW);
    assert_all_arrive(rig, irq, NEW + OLD, OLD);
    for (unsigned i = 0; i < NEW + OLD; i++)
        drop(irq[i]);
}

static void where_one_is_mapped_not_all_is_blocked(struct rig *rig)
{
    struct uiommu_irq_target target = to(0x61, 2);
    struct uiommu_irq *irq;

    up_to_start(rig);
    rig_ok(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                 &irq));
    rig_is(uiommu_hand_over(rig->u, UIOMMU_HAND_OVER_BLOCKED,
                            &rig->setup.record, &rig->setup.record_size),
           UIOMMU_BUSY);
    drop(irq);
    leave_to_the_next(rig, UIOMMU_HAND_OVER_BLOCKED);
    first_is_gone(rig);
    up(rig);
    end_adoption(rig);
}

/* A table of 8192 entries, with one that says what `m` says. */
static void leave_entry(struct rig *rig, uint64_t table, unsigned index,
                        const struct uiommu_irq_message *m)
{
    for (unsigned w = 0; w < 2; w++)
        assert_true(rig_write(rig, 1, table + index * 16 + w * 8,
                              uim_le64(entry_word(rig, m->addr, w))));
}

static void point_to(struct rig *rig, uint64_t table)
{
    enum { S = 12 };
    const struct uie_ops *unit = sim_ops(rig->m);
    void *model = sim_model(rig->m);
    uint64_t gsts = unit->mmio_read(model, 0, VTD_REG_GSTS, 4);
    uint64_t sirtp = vtd_gcmd_pack(&(struct vtd_gcmd_fields){ .sirtp = 1 }).raw;

    unit->mmio_write(model, 0, VTD_REG_IRTA, table | S, 8);
    unit->mmio_write(model, 0, VTD_REG_GCMD, (gsts & VTD_GSTS_KEEP) | sirtp, 4);
    uim_check_run(sim_door(rig->m), 1);
}

static void an_entry_above_ours_is_refused(struct rig *rig)
{
    const struct uiommu_irq_message last = { .addr = FEE | 0x10 | 4095 << 5 };
    uint64_t table = rig_pages(rig, 5);
    struct uiommu_irq_message m;
    struct first f;

    first_owner(rig, &f);
    m = message_of(map_irq(rig, 0, to(0x41, 0)));
    first_leaves(rig, &f);
    rig->setup.record = NULL;
    leave_entry(rig, table, 4095, &m);
    leave_entry(rig, table, 4096, &m);
    point_to(rig, table);
    create_next(rig);
    rig_is(rig_start(rig), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "above 4095");
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
    assert_true(rig_write(rig, 1, table + 4096 * 16, 0));
    up(rig);
    assert_arrives(rig, 0, last, arrives_as(0x41, 0));
    end_adoption(rig);
    assert_refused(rig, 0, last.addr, 0, 0x22);
}

/* ---- a start that fails at its very end ---------------------------------------- */

/* The unit says that it protects memory, and never that it does so no more. */
static struct {
    uint64_t (*read64)(void *ctx, void *mmio, size_t offset);
    uint32_t (*read32)(void *ctx, void *mmio, size_t offset);
} honest;

static uint64_t read64_with_plmr(void *ctx, void *mmio, size_t offset)
{
    uint64_t plmr = vtd_cap_pack(&(struct vtd_cap_fields){ .plmr = 1 }).raw;

    return honest.read64(ctx, mmio, offset) |
           (offset == VTD_REG_CAP ? plmr : 0);
}

static uint32_t read32_with_prs(void *ctx, void *mmio, size_t offset)
{
    uint64_t prs = vtd_pmen_pack(&(struct vtd_pmen_fields){ .prs = 1 }).raw;

    return honest.read32(ctx, mmio, offset) |
           (uint32_t)(offset == VTD_REG_PMEN ? prs : 0);
}

static void assert_start_fails_late(struct rig *rig)
{
    honest.read64 = rig->m->host.mmio_read64;
    honest.read32 = rig->m->host.mmio_read32;
    rig->m->host.mmio_read64 = read64_with_plmr;
    rig->m->host.mmio_read32 = read32_with_prs;
    create_next(rig);
    rig_is(rig_start(rig), UIOMMU_TIMEDOUT);
    assert_says(sim_last_log(rig->m), "protected memory");
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
    rig->m->host.mmio_read64 = honest.read64;
    rig->m->host.mmio_read32 = honest.read32;
}

static void interrupts_are_given_back_as_they_went(struct rig *rig)
{
    struct uiommu_irq_message m;
    struct first f;

    first_owner(rig, &f);
    m = message_of(map_irq(rig, 0, to(0x41, 0)));
    first_leaves(rig, &f);
    assert_start_fails_late(rig);
    assert_arrives(rig, 0, m, arrives_as(0x41, 0));
    assert_true(rig_reaches(rig, 0, BASE, f.page));
    up(rig);
    assert_arrives(rig, 0, m, arrives_as(0x41, 0));
    end_adoption(rig);
}

static bool remapped_by_the_next(struct rig *rig, const char **why)
{
    (void)in_a_hurry(rig, why);
    rig->config.args = "ir=1,eim=1";
    rig->setup.flags &= ~(uint32_t)UIOMMU_CONFIG_REMAP_INTERRUPTS;
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return true;
}

static void interrupts_that_were_not_remapped_are_so_again(struct rig *rig)
{
    const struct uiommu_irq_message m = { .addr = FEE, .data = 0x41 };
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    rig->setup.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    assert_arrives(rig, 0, m, arrives_as(0x41, 0));
    assert_start_fails_late(rig);
    assert_arrives(rig, 0, m, arrives_as(0x41, 0));
    assert_true(rig_reaches(rig, 0, BASE, f.page));
    up(rig);
    assert_refused(rig, 0, m.addr, m.data, 0x25);
    end_adoption(rig);
}

/* ---- a start that fails before anything was switched ---------------------------- */

static uint32_t status_of_unit(struct rig *rig)
{
    return (uint32_t)sim_ops(rig->m)->mmio_read(sim_model(rig->m), 0,
                                                VTD_REG_GSTS, 4);
}

/* It aborts everything, and software may not lead it out of that while it is on. */
static void abort_all(struct rig *rig)
{
    const struct vtd_rtaddr_fields root = { .ttm = VTD_TTM_ABORT };
    const struct uie_ops *unit = sim_ops(rig->m);
    void *model = sim_model(rig->m);

    unit->mmio_write(model, 0, VTD_REG_RTADDR, vtd_rtaddr_pack(&root).raw, 8);
    unit->mmio_write(model, 0, VTD_REG_GCMD, UINT32_C(1) << 30, 4);
    unit->mmio_write(model, 0, VTD_REG_GCMD, UINT32_C(1) << 31, 4);
}

/* It is to fault before anybody told it where messages go. */
static bool as_the_manual_says(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.rubbish = false;
    return true;
}

static void a_unit_that_aborts_goes_on_aborting(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);

    abort_all(rig);
    assert_true(rig_refused(rig, 0, page));
    rig->setup.flags |= UIOMMU_CONFIG_ADOPT;
    create_next(rig);
    rig_is(rig_start(rig), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "aborts all DMA");
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
    assert_true(status_of_unit(rig) >> 31 & 1);
    assert_true(rig_refused(rig, 0, page));
}

static void *no_pages(void *ctx, unsigned order, unsigned flags, uint64_t *phys)
{
    (void)ctx, (void)order, (void)flags, (void)phys;
    return NULL;
}

/* Nor is it adopted: it is left as it was found. */
static void a_unit_that_was_not_switched_is_not_switched_off(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    rig->setup.flags &= ~(uint32_t)UIOMMU_CONFIG_ADOPT;
    rig->setup.record = NULL;
    rig->setup.record_size = 0;
    rig->m->host.pages_alloc = no_pages;
    create_next(rig);
    rig_is(rig_start(rig), UIOMMU_NOMEM);
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
    assert_true(rig_reaches(rig, 0, BASE, f.page));
    assert_true(rig_refused(rig, 0, OTHER));
    sim_forget(rig->m);
}

static const struct rig_test tests[] = {
    RIG_COLD(what_follows_a_record_is_none_of_it),
    RIG_COLD(a_record_of_no_unit_is_one),
    RIG_COLD(a_record_of_too_many_units_is_refused),
    RIG_COLD(a_record_between_two_words_is_refused),
    RIG_TEST(a_hand_over_has_to_put_its_record_somewhere),
    RIG_COLD(a_hand_over_that_fails_changes_nothing),
    RIG_COLD(a_record_has_room_for_all_units),
    RIG_COLD(sixteen_requesters_are_named),
    RIG_COLD(of_more_requesters_it_is_said_how_many),
    RIG_COLD(ids_from_the_top_are_free_after_the_end),
    RIG_COLD(nothing_is_cached_again_while_adoption_ends),
    RIG_COLD_ON(no_interrupt_is_cached_again_while_adoption_ends, remapped),
    RIG_COLD_ON(an_end_that_is_not_confirmed_is_none, in_a_hurry),
    RIG_COLD(everybody_knows_of_the_end),
    RIG_COLD(faults_of_the_last_owner_are_not_heard),
    RIG_COLD_ON(old_entries_are_free_after_the_end, remapped),
    RIG_COLD_ON(interrupts_mapped_since_outlive_the_end, remapped),
    RIG_COLD_ON(where_one_is_mapped_not_all_is_blocked, remapped),
    RIG_COLD_ON(an_entry_above_ours_is_refused, remapped),
    RIG_COLD_ON(interrupts_are_given_back_as_they_went, in_a_hurry_remapped),
    RIG_COLD_ON(interrupts_that_were_not_remapped_are_so_again,
                remapped_by_the_next),
    RIG_COLD_ON(a_unit_that_aborts_goes_on_aborting, as_the_manual_says),
    RIG_COLD(a_unit_that_was_not_switched_is_not_switched_off),
    { 0 },
};

int main(void)
{
    return rig_run_where(RIG_ADOPTION, "handover_oddity", tests);
}
