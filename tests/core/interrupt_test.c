/* SPDX-License-Identifier: MIT */
/*
 * interrupt_test.c - interrupts of devices through the unit (semantics B.4): what is
 * mapped arrives, what is not or comes from somebody else is refused and explained.
 */
#include "tests/core/interrupts.h"

#include "spec/vtd_intr.h"

#define BASE GIB(2)

enum { IOAPIC_RID = 0xff00 };

static bool with_x2apic(struct rig *rig, const char **why)
{
    (void)remapped(rig, why);
    rig->setup.flags |= UIOMMU_CONFIG_X2APIC;
    return true;
}

/* Whether the unit would let requester `rid` send it. */
static int ask(struct rig *rig, uint32_t rid, uint64_t addr)
{
    struct sim_msi out;

    return sim_ops(rig->m)->remap_msi(sim_model(rig->m), rid, UIE_REQ_PROBE,
                                      addr, 0, &out.addr, &out.data);
}

/* ---- what is mapped, and what is not ------------------------------------- */

static void an_interrupt_goes_where_it_was_mapped(struct rig *rig)
{
    static const struct {
        struct uiommu_irq_target target;
        uint64_t addr;
        uint32_t data;
    } rows[] = {
        { { .vector = 0x41 }, FEE, 0x41 },
        { { .vector = 0xff, .destination = 0xff }, FEE | 0xff000, 0xff },
        { { .vector = 16, .logical = true }, FEE | 4, 16 },
        { { .vector = 0x43, .logical = true, .hint = true, .delivery = 1 },
          FEE | 0xc,
          0x143 },
        { { .delivery = UIOMMU_IRQ_NMI }, FEE, 0x400 },
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct uiommu_irq *irq = map_irq(rig, 0, rows[i].target);

        assert_arrives(
            rig, 0, message_of(irq),
            (struct sim_msi){ .addr = rows[i].addr, .data = rows[i].data });
        drop(irq);
    }
}

static void destinations_of_32_bits(struct rig *rig)
{
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x51, 0x12345678));

    assert_arrives(rig, 0, message_of(irq), arrives_as(0x51, 0x12345678));
    drop(irq);
}

static void every_message_of_a_device_has_its_entry(struct rig *rig)
{
    for (unsigned n = 2; n <= 32; n *= 2) {
        struct uiommu_irq_target target[32];
        struct uiommu_irq_message m;
        struct uiommu_irq *irq;

        for (unsigned i = 0; i < n; i++)
            target[i] = to((uint8_t)(0x40 + i), i);
        rig_ok(uiommu_irq_map(rig_endpoint(rig, 0), target, n, &irq));
        m = message_of(irq);
        for (unsigned i = 0; i < n; i++, m.data++)
            assert_arrives(rig, 0, m, arrives_as((uint8_t)(0x40 + i), i));
        assert_refused(rig, 0, m.addr, m.data, 0x22);
        drop(irq);
    }
}

static void a_forged_interrupt_is_refused_and_explained(struct rig *rig)
{
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x41, 0));
    struct uiommu_irq_message m = message_of(irq);

    assert_refused(rig, 1, m.addr, m.data, 0x26); /* another's */
    assert_says(rig->sentence, "interrupt");
    assert_says(rig->sentence, "00:04.0");
    assert_refused(rig, 0, FEE, 0x30, 0x25); /* the unit's own, too */
    assert_says(rig->sentence, "interrupt");
    assert_refused(rig, 0, m.addr | 0x100 << 5, m.data, 0x22);
    assert_int_equal(ask(rig, 0x18, m.addr), 0);
    assert_int_equal(ask(rig, 0x19, m.addr), UIE_ERR_UR); /* its function 1 */
    assert_arrives(rig, 0, m, arrives_as(0x41, 0));
    drop(irq);
    assert_refused(rig, 0, m.addr, m.data, 0x22);
}

static bool hide(void *ctx, const struct uiommu_fault *fault)
{
    unsigned *heard = ctx;

    (void)fault;
    ++*heard;
    return true;
}

/* Whoever owns the device's domain would be the one to gain by it. */
static void a_forged_interrupt_is_not_hidden_by_the_owner(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_irq *irq = map_irq(rig, 1, to(0x41, 0));
    struct uiommu_irq_message m = message_of(irq);
    unsigned hidden = 0;

    uiommu_fault_handler(d, hide, &hidden);
    assert_false(rig_write(rig, 0, BASE, 0));
    rig_poll(rig);
    assert_int_equal(hidden, 1);
    assert_int_equal(rig->faults, 0);
    assert_refused(rig, 0, m.addr, m.data, 0x26);
    assert_int_equal(hidden, 1);
    assert_int_equal(rig->fault.kind, UIOMMU_FAULT_INTERRUPT);
    assert_ptr_equal(rig->fault.device, rig->device[rig_engine(rig, 0)]);
    assert_null(rig->fault.domain);
    assert_true(rig->fault.has_index);
    assert_int_equal(rig->fault.index, (m.addr >> 5 & 0x7fff));
    assert_refused(rig, 0, m.addr | 0x123 << 5, 0, 0x22);
    assert_int_equal(rig->fault.index, (m.addr >> 5 & 0x7fff) | 0x123);
    assert_says(rig->sentence, "index 0x");
    assert_null(strstr(rig->sentence, "domain"));
    drop(irq);
    rig_drop(rig, 0, d);
}

/* An I/O APIC is no device that could be added. */
static void a_forged_interrupt_of_nobody_is_told_as_one(struct rig *rig)
{
    struct sim_msi out;

    (void)sim_ops(rig->m)->remap_msi(sim_model(rig->m), IOAPIC_RID, 0,
                                     FEE | 0x10 | 7 << 5, 0, &out.addr,
                                     &out.data);
    rig_poll(rig);
    assert_int_equal(rig->faults, 1);
    assert_null(rig->fault.device);
    assert_int_equal(rig->fault.index, 7);
    assert_says(rig->sentence, "interrupt with index 0x7");
    assert_null(strstr(rig->sentence, "knows no device"));
}

static void an_entry_that_was_used_before_is_another(struct rig *rig)
{
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x41, 0));
    struct uiommu_irq_message m = message_of(irq);

    assert_arrives(rig, 0, m, arrives_as(0x41, 0));
    drop(irq);
    irq = map_irq(rig, 1, to(0x42, 1));
    assert_true(message_of(irq).addr == m.addr);
    assert_arrives(rig, 1, m, arrives_as(0x42, 1));
    assert_refused(rig, 0, m.addr, m.data, 0x26);
    drop(irq);
}

/* ---- targets --------------------------------------------------------------- */

static void an_interrupt_goes_elsewhere_at_once(struct rig *rig)
{
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x41, 0));
    struct uiommu_irq_message m = message_of(irq);
    struct uiommu_irq_target target;

    for (unsigned i = 0; i < 8; i++) {
        target = to((uint8_t)(0x50 + i), i);
        rig_ok(uiommu_irq_retarget(irq, 0, &target));
        assert_arrives(rig, 0, m, arrives_as((uint8_t)(0x50 + i), i));
        assert_true(message_of(irq).addr == m.addr);
    }
    rig_is(uiommu_irq_retarget(irq, 1, &target), UIOMMU_INVAL);
    drop(irq);
}

static void look_at_interrupt(void *ctx)
{
    struct watched *w = ctx;

    w->looked++;
    look_once(w);
    uim_check_caches_keep(sim_door(w->rig->m), false);
    look_once(w);
    uim_check_caches_keep(sim_door(w->rig->m), true);
}

static void a_change_is_old_or_new_at_every_step(struct rig *rig)
{
    struct uiommu_irq_target target = to(0x52, 0x21);
    struct uiommu_irq *irq = map_irq(rig, 0, to(0x41, 0x12));
    struct watched w = {
        .rig = rig,
        .m = message_of(irq),
        .old = arrives_as(0x41, 0x12),
        .new = arrives_as(0x52, 0x21),
    };

    rig_watch(rig, look_at_interrupt, &w);
    rig_ok(uiommu_irq_retarget(irq, 0, &target));
    assert_true(w.looked > 0);
    w.old = w.new;
    w.may_be_refused = true;
    drop(irq);
    irq = map_irq(rig, 0, to(0x52, 0x21));
    rig_watch(rig, NULL, NULL);
    assert_int_equal(w.wrong, 0);
    sim_forget(rig->m);
    assert_arrives(rig, 0, message_of(irq), w.new);
    drop(irq);
}

/* ---- what cannot be ---------------------------------------------------------- */

static void bad_targets_are_refused(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct uiommu_irq_target target = to(0x41, 0), bad[] = {
        { .vector = 15 },
        { .vector = 15, .delivery = UIOMMU_IRQ_LOWEST_PRIORITY },
        { .vector = 0x41, .delivery = 3 },
        { .vector = 0x41, .delivery = 6 },
        { .vector = 0x41, .destination = 0x100 },
        { .vector = 0x41, .level = true },
        { .vector = 0x41, .active_low = true },
    };
    struct uiommu_irq *irq = NULL;

    for (unsigned n = 0; n <= 64; n++)
        if (n == 0 || n > 32 || (n & (n - 1)) != 0)
            rig_is(uiommu_irq_map(ep, &target, n, &irq), UIOMMU_INVAL);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        rig_is(uiommu_irq_map(ep, &bad[i], 1, &irq), UIOMMU_INVAL);
    rig_is(uiommu_irq_map(NULL, &target, 1, &irq), UIOMMU_INVAL);
    rig_is(uiommu_irq_map(ep, NULL, 1, &irq), UIOMMU_INVAL);
    rig_is(uiommu_irq_map(ep, &target, 1, NULL), UIOMMU_INVAL);
    assert_null(irq);
    irq = map_irq(rig, 0, target);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        rig_is(uiommu_irq_retarget(irq, 0, &bad[i]), UIOMMU_INVAL);
    rig_is(uiommu_irq_retarget(irq, 0, NULL), UIOMMU_INVAL);
    rig_is(uiommu_irq_retarget(NULL, 0, &target), UIOMMU_INVAL);
    rig_is(uiommu_irq_unmap(NULL), UIOMMU_INVAL);
    assert_arrives(rig, 0, message_of(irq), arrives_as(0x41, 0));
    drop(irq);
}

static bool not_remapped(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.args = "ir=1";
    rig->setup.flags &=
        ~(uint32_t)(UIOMMU_CONFIG_REMAP_INTERRUPTS | UIOMMU_CONFIG_X2APIC |
                    UIOMMU_CONFIG_UNSAFE_INTERRUPTS);
    return true;
}

static bool remaps(struct rig *rig)
{
    struct uiommu_unit_info info;

    rig_ok(uiommu_unit_info(rig->u, 0, &info));
    return info.remaps;
}

static void without_remapping_nothing_is_mapped_nor_given_away(struct rig *rig)
{
    struct uiommu_irq_target target = to(0x41, 0);
    struct uiommu_irq *irq;

    assert_false(remaps(rig));
    rig_is(uiommu_irq_map(rig_endpoint(rig, 0), &target, 1, &irq),
           UIOMMU_OPNOTSUPP);
    rig_is(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                 &irq),
           UIOMMU_OPNOTSUPP);
    rig_is(uiommu_claim(rig_endpoint(rig, 0), rig), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "forge interrupts");
    assert_true(sends(rig, 0, FEE, 0x41)); /* as it says */
}

static bool unsafe(struct rig *rig, const char **why)
{
    (void)not_remapped(rig, why);
    rig->setup.flags |= UIOMMU_CONFIG_UNSAFE_INTERRUPTS;
    return true;
}

static void who_gives_away_unsafely_is_warned_once(struct rig *rig)
{
    struct sim_counts c;
    uint64_t before;

    for (unsigned i = 0; i < 3; i++) {
        sim_counts(rig->m, &c);
        before = c.logs[UIOMMU_LOG_WARN];
        rig_ok(uiommu_claim(rig_endpoint(rig, 0), rig));
        rig_ok(uiommu_release(rig_endpoint(rig, 0), rig));
        sim_counts(rig->m, &c);
        assert_int_equal(c.logs[UIOMMU_LOG_WARN] - before, i == 0);
        assert_says(sim_last_log(rig->m), "00:03.0");
        assert_says(sim_last_log(rig->m), "forge interrupts");
    }
}

static void with_remapping_a_device_can_be_given_away(struct rig *rig)
{
    assert_true(remaps(rig));
    rig_ok(uiommu_claim(rig_endpoint(rig, 0), rig));
    rig_ok(uiommu_release(rig_endpoint(rig, 0), rig));
}

static bool wanted_but_not_there(struct rig *rig, const char **why)
{
    (void)remapped(rig, why);
    rig->config.args = "ir=0";
    return true;
}

static void a_unit_that_cannot_fails_the_start(struct rig *rig)
{
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_is(rig_start(rig), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "cannot remap interrupts");
}

static bool x2apic_wanted_but_not_there(struct rig *rig, const char **why)
{
    (void)with_x2apic(rig, why);
    rig->config.args = "ir=1";
    return true;
}

/* DMAR.INTR_REMAP is 0: the platform's other parts do not take part. */
static void a_platform_that_cannot_fails_the_start(struct rig *rig)
{
    enum { FLAGS_AT = 37 };
    struct table t;

    table_copy(rig, &t);
    assert_int_equal(t.bytes[FLAGS_AT] & 1, 1);
    t.bytes[FLAGS_AT] = 0;
    create_with(rig, &t);
    rig_is(rig_start(rig), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "INTR_REMAP");
}

/* DMAR.X2APIC_OPT_OUT (8.1); without x2APIC it says nothing. */
static void a_platform_that_opts_out_of_x2apic_fails_the_start(struct rig *rig)
{
    enum { FLAGS_AT = 37, INTR_REMAP = 1, X2APIC_OPT_OUT = 2 };
    struct table t;

    table_copy(rig, &t);
    t.bytes[FLAGS_AT] = INTR_REMAP | X2APIC_OPT_OUT;
    create_with(rig, &t);
    rig_is(rig_start(rig), UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "opts out");
    rig_down(rig);
    rig->setup.flags &= ~(uint32_t)UIOMMU_CONFIG_X2APIC;
    create_with(rig, &t);
    rig_ok(rig_start(rig));
    assert_true(remaps(rig));
}

/* ---- I/O APICs ------------------------------------------------------------------ */

static int send_from(struct rig *rig, uint32_t rid, uint64_t rte,
                     struct sim_msi *out)
{
    struct vtd_ioapic_rte_remappable r = { rte };
    unsigned index = (unsigned)(vtd_ioapic_rte_remappable_index_15(r) << 15 |
                                vtd_ioapic_rte_remappable_index_14_0(r));
    uint64_t addr = FEE | 0x10 | (uint64_t)(index & 0x7fff) << 5 |
                    (uint64_t)(index >> 15) << 2;

    assert_int_equal(vtd_ioapic_rte_remappable_interrupt_format(r), 1);
    return sim_ops(rig->m)->remap_msi(sim_model(rig->m), rid, 1, addr, 0,
                                      &out->addr, &out->data);
}

static void an_io_apic_has_its_entries(struct rig *rig)
{
    struct uiommu_irq_target target = to(0x61, 2);
    struct uiommu_irq_message m;
    struct uiommu_irq *irq;
    struct sim_msi out;

    target.level = true;
    rig_ok(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                 &irq));
    m = message_of(irq);
    assert_int_equal(m.rte & 0xff, 0x61);
    assert_int_equal(m.rte >> 15 & 1, 1);
    assert_int_equal(m.rte >> 13 & 1, 0);
    assert_int_equal(send_from(rig, IOAPIC_RID, m.rte, &out), 0);
    assert_true(out.addr == (FEE | 0x2000));
    assert_int_equal(out.data, 0xc061);
    assert_int_equal(send_from(rig, 0x18, m.rte, &out), -1);
    target.active_low = true; /* as PCI's */
    rig_ok(uiommu_irq_retarget(irq, 0, &target));
    m = message_of(irq);
    assert_int_equal(m.rte >> 13 & 1, 1);
    assert_int_equal(send_from(rig, IOAPIC_RID, m.rte, &out), 0);
    assert_int_equal(out.data, 0xc061);
    target = to(0x62, 3);
    rig_ok(uiommu_irq_retarget(irq, 0, &target));
    m = message_of(irq);
    assert_int_equal(m.rte >> 13 & 1, 0);
    assert_int_equal(m.rte & 0xff, 0x62);
    assert_int_equal(send_from(rig, IOAPIC_RID, m.rte, &out), 0);
    assert_int_equal(out.data, 0x62);
    drop(irq);
    rig_is(uiommu_irq_map_source(NULL, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                 &irq),
           UIOMMU_INVAL);
    rig_is(
        uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, NULL, &irq),
        UIOMMU_INVAL);
    rig_is(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                 NULL),
           UIOMMU_INVAL);
    rig_is(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_IOAPIC, 77, &target, &irq),
           UIOMMU_NODEV);
    rig_is(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_HPET, 0, &target, &irq),
           UIOMMU_NODEV);
    rig_is(uiommu_irq_map_source(rig->u, (enum uiommu_irq_source)2, 0, &target,
                                 &irq),
           UIOMMU_INVAL);
}

/* The table's scope of the I/O APIC says HPET instead. */
static void an_hpet_sends_messages(struct rig *rig)
{
    enum { DRHD_AT = 48, SCOPE_AT = DRHD_AT + 16, IOAPIC = 3, HPET = 4 };
    struct uiommu_irq_target target = to(0x61, 2);
    struct uiommu_irq_message m;
    struct uiommu_irq *irq;
    struct sim_msi out;
    struct table t;
    size_t at = SCOPE_AT;

    table_copy(rig, &t);
    while (t.bytes[at] != IOAPIC)
        at += t.bytes[at + 1];
    t.bytes[at] = HPET;
    create_with(rig, &t);
    rig_ok(rig_start(rig));
    target.level = true;
    rig_is(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_HPET, IOAPIC_ID, &target,
                                 &irq),
           UIOMMU_INVAL);
    target.level = false;
    rig_ok(uiommu_irq_map_source(rig->u, UIOMMU_IRQ_HPET, IOAPIC_ID, &target,
                                 &irq));
    m = message_of(irq);
    assert_int_equal(sim_ops(rig->m)->remap_msi(sim_model(rig->m), IOAPIC_RID,
                                                1, m.addr, m.data, &out.addr,
                                                &out.data),
                     0);
    assert_int_equal(out.data, 0x61);
    drop(irq);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(an_interrupt_goes_where_it_was_mapped, remapped),
    RIG_TEST_ON(destinations_of_32_bits, with_x2apic),
    RIG_TEST_ON(every_message_of_a_device_has_its_entry, remapped),
    RIG_TEST_ON(a_forged_interrupt_is_refused_and_explained, remapped),
    RIG_TEST_ON(a_forged_interrupt_is_not_hidden_by_the_owner, remapped),
    RIG_TEST_ON(a_forged_interrupt_of_nobody_is_told_as_one, remapped),
    RIG_TEST_ON(an_entry_that_was_used_before_is_another, remapped),
    RIG_TEST_ON(an_interrupt_goes_elsewhere_at_once, remapped),
    RIG_TEST_ON(a_change_is_old_or_new_at_every_step, remapped),
    RIG_TEST_ON(bad_targets_are_refused, remapped),
    RIG_TEST_ON(without_remapping_nothing_is_mapped_nor_given_away,
                not_remapped),
    RIG_TEST_ON(with_remapping_a_device_can_be_given_away, remapped),
    RIG_COLD_ON(a_unit_that_cannot_fails_the_start, wanted_but_not_there),
    { .name = "a_unit_without_x2apic_fails_the_start",
      .run = a_unit_that_cannot_fails_the_start,
      .prepare = x2apic_wanted_but_not_there,
      .cold = true },
    RIG_COLD_ON(a_platform_that_cannot_fails_the_start, remapped),
    RIG_COLD_ON(a_platform_that_opts_out_of_x2apic_fails_the_start,
                with_x2apic),
    RIG_TEST_ON(who_gives_away_unsafely_is_warned_once, unsafe),
    RIG_TEST_ON(an_io_apic_has_its_entries, remapped),
    RIG_COLD_ON(an_hpet_sends_messages, remapped),
    { 0 },
};

int main(void)
{
    return rig_run_where(RIG_INTERRUPTS, "interrupt", tests);
}
