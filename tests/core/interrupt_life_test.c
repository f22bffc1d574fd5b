/* SPDX-License-Identifier: MIT */
/*
 * interrupt_life_test.c - how long interrupts of interrupt_test.c are there: what they
 * keep, sleeps, stops and tables of somebody else; entries that run out, are announced
 * or are left over from what a unit did not confirm.
 */
#include "tests/core/interrupts.h"

#include "base/store.h"

enum { ENTRIES = 4096 };

/* ---- life ------------------------------------------------------------------------- */

static void what_is_mapped_keeps_device_and_instance(struct rig *rig)
{
    unsigned dev = rig_engine(rig, 0);
    struct uiommu_irq_target target = to(0x61, 2);
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x41, 0));

    rig_is(uiommu_device_remove(rig->device[dev]), UIOMMU_BUSY);
    assert_arrives(rig, 0, message_of(irq), arrives_as(0x41, 0));
    drop(irq);
    rig_ok(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                 &irq));
    for (unsigned i = RIG_DEVICES; i-- > 0; rig->device[i] = NULL)
        if (rig->device[i])
            rig_ok(uiommu_device_remove(rig->device[i]));
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    drop(irq);
}

static void before_start_and_after_stop_there_is_nothing_to_map(struct rig *rig)
{
    struct uiommu_irq_target target = to(0x61, 2);
    struct uiommu_irq *irq;

    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_is(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                 &irq),
           UIOMMU_AGAIN);
    rig_ok(rig_start(rig));
    rig_ok(uiommu_stop(rig->u));
    rig->started = false;
    rig_is(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                 &irq),
           UIOMMU_AGAIN);
}

/* What another thread would be told at a moment when this one holds no lock. */
static struct {
    struct rig *rig;
    void (*free)(void *ctx, void *ptr, size_t size);
    unsigned asked, wrong;
} beside;

static void ask_remove(void *ctx)
{
    struct rig *rig = ctx;
    struct sim_counts c;

    sim_counts(rig->m, &c);
    if (c.locks_held > 0 || beside.wrong > 0)
        return;
    beside.asked++;
    beside.wrong +=
        uiommu_device_remove(rig->device[rig_engine(rig, 0)]) != UIOMMU_BUSY;
}

static void a_device_stays_while_its_interrupt_is_mapped(struct rig *rig)
{
    struct uiommu_irq_target target = to(0x41, 0);
    struct uiommu_irq *irq;

    memset(&beside, 0, sizeof(beside));
    rig_watch(rig, ask_remove, rig);
    rig_ok(uiommu_irq_map(rig_endpoint(rig, 0), &target, 1, &irq));
    rig_watch(rig, NULL, NULL);
    assert_true(beside.asked > 0);
    assert_int_equal(beside.wrong, 0);
    drop(irq);
}

static void ask_stop_and_free(void *ctx, void *ptr, size_t size)
{
    if (beside.rig && beside.asked++ == 0)
        beside.wrong += uiommu_stop(beside.rig->u) != UIOMMU_BUSY;
    beside.free(ctx, ptr, size);
}

static void an_instance_stays_until_an_interrupt_is_gone(struct rig *rig)
{
    struct uiommu_irq_target target = to(0x61, 2);
    struct uiommu_irq *irq;

    memset(&beside, 0, sizeof(beside));
    beside.free = rig->m->host.free;
    rig->m->host.free = ask_stop_and_free;
    up_to_start(rig);
    rig_ok(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                 &irq));
    beside.rig = rig;
    rig_ok(uiommu_irq_unmap(irq));
    beside.rig = NULL;
    assert_true(beside.asked > 0);
    assert_int_equal(beside.wrong, 0);
}

/* B.13: what it said stays until nothing of it is cached, and no longer. */
static void an_entry_that_is_gone_is_empty(struct rig *rig)
{
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x41, 0));
    uint64_t addr = message_of(irq).addr;

    assert_int_equal(entry_word(rig, addr, 0) & 1, 1);
    assert_int_equal(entry_word(rig, addr, 1) & 0xffff, 0x18);
    drop(irq);
    assert_true(entry_word(rig, addr, 0) == 0);
    assert_true(entry_word(rig, addr, 1) == 0);
}

static void interrupts_are_there_again_after_a_sleep(struct rig *rig)
{
    struct uiommu_irq_target target = to(0x42, 0);
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x41, 0)), *other;
    struct uiommu_irq_message m = message_of(irq);

    rig_ok(uiommu_suspend(rig->u));
    rig_is(uiommu_irq_map(rig_endpoint(rig, 0), &target, 1, &other),
           UIOMMU_AGAIN);
    rig_is(uiommu_irq_retarget(irq, 0, &target), UIOMMU_AGAIN);
    rig_is(uiommu_irq_unmap(irq), UIOMMU_AGAIN);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    assert_arrives(rig, 0, m, arrives_as(0x41, 0));
    assert_refused(rig, 1, m.addr, m.data, 0x26);
    assert_refused(rig, 0, FEE, 0x41, 0x25);
    drop(irq);
}

static void a_stop_gives_interrupts_back(struct rig *rig)
{
    up(rig);
    assert_false(sends(rig, 0, FEE, 0x41));
    rig_down(rig);
    assert_true(sends(rig, 0, FEE, 0x41));
}

static void firmware_writes(struct rig *rig, uint64_t reg, uint64_t value,
                            uint32_t len)
{
    sim_ops(rig->m)->mmio_write(sim_model(rig->m), 0, reg, value, len);
    uim_check_run(sim_door(rig->m), 1);
}

/* Firmware left remapping on, with a table of its own, and the unit has cached
 * of it. */
static void remapping_that_was_left_on_is_replaced(struct rig *rig)
{
    enum {
        GCMD = 0x18,
        IRTA = 0xb8,
        SIRTP = 1 << 24,
        IRE = 1 << 25,
        CFI = 1 << 23,
        VECTOR_77 = 0x77 << 16 | 1
    };
    const struct uiommu_irq_message old = { .addr = FEE | 0x10 | 5 << 5 };
    uint64_t table = rig_pages(rig, 0);
    struct uiommu_irq_message m;
    struct uiommu_irq *irq;

    assert_true(rig_write(rig, 0, table + 5 * 16 + 8, 0));
    assert_true(rig_write(rig, 0, table + 5 * 16, uim_le64(VECTOR_77)));
    firmware_writes(rig, IRTA, table | 7, 8);
    firmware_writes(rig, GCMD, SIRTP, 4);
    firmware_writes(rig, GCMD, CFI, 4);
    firmware_writes(rig, GCMD, IRE | CFI, 4);
    assert_arrives(rig, 0, old, arrives_as(0x77, 0));
    up(rig);
    assert_refused(rig, 0, old.addr, 0, 0x22);
    irq = map_irq(rig, 0, to(0x41, 0));
    m = message_of(irq);
    assert_arrives(rig, 0, m, arrives_as(0x41, 0));
    assert_refused(rig, 0, FEE, 0x41, 0x25); /* CFI was on */
    drop(irq);
}

/* ---- entries --------------------------------------------------------------------- */

static void entries_run_out_and_come_back(struct rig *rig)
{
    static struct uiommu_irq *irq[ENTRIES];
    struct uiommu_irq_target target[2] = { to(0x41, 0), to(0x42, 0) };
    struct uiommu_irq *more;

    for (unsigned i = 0; i < ENTRIES; i++)
        irq[i] = map_irq(rig, 0, target[0]);
    assert_arrives(rig, 0, message_of(irq[ENTRIES - 1]), arrives_as(0x41, 0));
    rig_is(uiommu_irq_map(rig_endpoint(rig, 0), target, 1, &more),
           UIOMMU_NOSPC);
    drop(irq[1]);
    drop(irq[2]);
    drop(irq[64]);
    rig_is(uiommu_irq_map(rig_endpoint(rig, 0), target, 2, &more),
           UIOMMU_NOSPC); /* three that are free, but no pair */
    irq[1] = map_irq(rig, 0, target[0]);
    irq[2] = map_irq(rig, 0, target[0]);
    irq[64] = map_irq(rig, 0, target[0]);
    rig_is(uiommu_irq_map(rig_endpoint(rig, 0), target, 1, &more),
           UIOMMU_NOSPC);
    for (unsigned i = 0; i < ENTRIES; i++)
        drop(irq[i]);
    rig_ok(uiommu_irq_map(rig_endpoint(rig, 0), target, 2, &more));
    drop(more);
}

static void an_entry_that_may_be_cached_is_not_used_again(struct rig *rig)
{
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x41, 0));
    struct uiommu_irq_message m = message_of(irq);

    assert_arrives(rig, 0, m, arrives_as(0x41, 0));
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_irq_unmap(irq), UIOMMU_TIMEDOUT);
    uim_check_silent(sim_door(rig->m), false);
    (void)!uiommu_suspend(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    irq = map_irq(rig, 1, to(0x42, 0));
    assert_true(message_of(irq).addr != m.addr);
    drop(irq);
}

/* ---- entries that have to be announced ------------------------------------------- */

static bool with_caching_mode(struct rig *rig, const char **why)
{
    rig->config.caching_mode = true;
    return remapped(rig, why);
}

/* 6.1: with CM=1 that there was no entry may be cached. */
static void a_new_entry_is_seen_by_a_unit_that_cached_none(struct rig *rig)
{
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x41, 0));
    struct uiommu_irq_message m = message_of(irq);

    for (unsigned i = 0; i < 4; i++) {
        assert_arrives(rig, 0, m, arrives_as((uint8_t)(0x41 + i), i));
        drop(irq);
        assert_refused(rig, 0, m.addr, m.data, 0x22);
        assert_refused(rig, 1, m.addr, m.data, 0x22);
        irq = map_irq(rig, 0, to((uint8_t)(0x42 + i), i + 1));
        assert_true(message_of(irq).addr == m.addr);
    }
    drop(irq);
}

static bool with_write_buffers(struct rig *rig, const char **why)
{
    (void)remapped(rig, why);
    *why = "units with PASIDs have no write buffers to flush";
    rig->config.args = "ir=1,eim=1,rwbf=1";
    return rig->config.mode == SIM_LEGACY;
}

static void a_new_entry_leaves_the_write_buffer(struct rig *rig)
{
    struct uiommu_irq *irq;
    struct trace t;

    trace_start(rig, &t);
    irq = map_irq(rig, 0, to(0x41, 0));
    trace_stop(rig, &t);
    assert_int_equal(count_kinds(&t, KIND(WRITE_BUFFER)), 1);
    assert_arrives(rig, 0, message_of(irq), arrives_as(0x41, 0));
    drop(irq);
}

/* ---- units that do not answer ---------------------------------------------------- */

static void asleep_and_back(struct rig *rig)
{
    (void)!uiommu_suspend(rig->u);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
}

/* To the old or the new one; nobody knows. */
static void a_change_without_an_answer_says_so(struct rig *rig)
{
    struct uiommu_irq_target target = to(0x52, 1);
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x41, 0));
    struct watched w = {
        .rig = rig,
        .m = message_of(irq),
        .old = arrives_as(0x41, 0),
        .new = arrives_as(0x52, 1),
    };

    assert_arrives(rig, 0, w.m, w.old);
    rig->dirty = true;
    uim_check_silent(sim_door(rig->m), true);
    rig_is(uiommu_irq_retarget(irq, 0, &target), UIOMMU_TIMEDOUT);
    uim_check_silent(sim_door(rig->m), false);
    look_once(&w);
    assert_int_equal(w.wrong, 0);
    asleep_and_back(rig);
    assert_arrives(rig, 0, w.m, w.new);
    rig_ok(uiommu_irq_retarget(irq, 0, &target));
    drop(irq);
}

/* The unit falls silent when it is told of the second of four. */
static unsigned told;

static void silent_at_the_second(void *ctx, enum sim_event event,
                                 uint64_t where, size_t size, uint64_t value)
{
    enum { IQT = 0x88 };
    struct rig *rig = ctx;

    (void)size, (void)value;
    if (event == SIM_MMIO_WRITE && where == IQT && ++told == 2)
        uim_check_silent(sim_door(rig->m), true);
}

static bool in_a_hurry_with_caching_mode(struct rig *rig, const char **why)
{
    rig->config.caching_mode = true;
    return in_a_hurry_remapped(rig, why);
}

static void a_map_that_fails_half_way_lets_nothing_through(struct rig *rig)
{
    struct uiommu_irq_target target[4] = { to(0x41, 0), to(0x42, 0),
                                           to(0x43, 0), to(0x44, 0) };
    struct uiommu_irq *irq = map_irq(rig, 0, target[0]), *none = NULL;
    uint64_t addr = message_of(irq).addr & ~(uint64_t)0xffe0;

    drop(irq);
    rig->dirty = true;
    told = 0;
    sim_watch(rig->m, silent_at_the_second, rig);
    rig_is(uiommu_irq_map(rig_endpoint(rig, 0), target, 4, &none),
           UIOMMU_TIMEDOUT);
    sim_watch(rig->m, NULL, NULL);
    assert_null(none);
    uim_check_silent(sim_door(rig->m), false);
    asleep_and_back(rig);
    for (unsigned i = 0; i < 4; i++)
        assert_refused(rig, 0, addr | i << 5, 0, 0x22);
    rig_ok(uiommu_irq_map(rig_endpoint(rig, 0), target, 4, &irq));
    assert_true((message_of(irq).addr >> 5 & 0x7fff) >= 4); /* others */
    drop(irq);
}

struct change {
    struct uiommu_irq *irq;
};

static enum uiommu_status map_two(struct rig *rig, void *ctx)
{
    const struct uiommu_irq_target target[2] = { to(0x41, 0), to(0x42, 0) };
    struct change *c = ctx;

    return uiommu_irq_map(rig_endpoint(rig, 0), target, 2, &c->irq);
}

static void unmap_two(struct rig *rig, void *ctx)
{
    struct change *c = ctx;

    (void)rig;
    drop(c->irq);
}

static void a_map_that_fails_leaves_nothing(struct rig *rig)
{
    struct change c;

    rig_each_failure(rig, map_two, unmap_two, &c, UIOMMU_NOMEM);
}

static enum uiommu_status start_and_map(struct rig *rig, void *ctx)
{
    enum uiommu_status status = rig_create(rig);

    if (status != UIOMMU_OK)
        return status;
    status = uiommu_add_table(rig->u, rig->m->table, rig->m->table_size);
    if (status == UIOMMU_OK)
        status = rig_start(rig);
    if (status == UIOMMU_OK)
        status = rig_add(rig, rig_engine(rig, 0));
    if (status == UIOMMU_OK)
        status = map_two(rig, ctx);
    if (status != UIOMMU_OK)
        rig_down(rig);
    return status;
}

static void arrive_and_stop(struct rig *rig, void *ctx)
{
    struct change *c = ctx;

    assert_arrives(rig, 0, message_of(c->irq), arrives_as(0x41, 0));
    drop(c->irq);
    rig_down(rig);
}

/* NODEV: registers that cannot be mapped. */
static void a_start_that_succeeds_has_all_it_needs(struct rig *rig)
{
    struct change c;

    rig_each_failure(rig, start_and_map, arrive_and_stop, &c, UIOMMU_NODEV);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(what_is_mapped_keeps_device_and_instance, remapped),
    RIG_COLD_ON(before_start_and_after_stop_there_is_nothing_to_map, remapped),
    RIG_TEST_ON(a_device_stays_while_its_interrupt_is_mapped, remapped),
    RIG_COLD_ON(an_instance_stays_until_an_interrupt_is_gone, remapped),
    RIG_TEST_ON(an_entry_that_is_gone_is_empty, remapped),
    RIG_TEST_ON(interrupts_are_there_again_after_a_sleep, remapped),
    RIG_COLD_ON(a_stop_gives_interrupts_back, remapped),
    RIG_COLD_ON(remapping_that_was_left_on_is_replaced, remapped),
    RIG_TEST_ON(entries_run_out_and_come_back, remapped),
    RIG_TEST_ON(an_entry_that_may_be_cached_is_not_used_again,
                in_a_hurry_remapped),
    RIG_TEST_ON(a_new_entry_is_seen_by_a_unit_that_cached_none,
                with_caching_mode),
    RIG_TEST_ON(a_new_entry_leaves_the_write_buffer, with_write_buffers),
    RIG_TEST_ON(a_change_without_an_answer_says_so, in_a_hurry_remapped),
    RIG_TEST_ON(a_map_that_fails_half_way_lets_nothing_through,
                in_a_hurry_with_caching_mode),
    RIG_TEST_ON(a_map_that_fails_leaves_nothing, remapped),
    RIG_COLD_ON(a_start_that_succeeds_has_all_it_needs, remapped),
    { 0 },
};

int main(void)
{
    return rig_run_where(RIG_INTERRUPTS, "interrupt_life", tests);
}
