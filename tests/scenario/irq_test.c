/* SPDX-License-Identifier: MIT */
/*
 * irq_test.c - interrupts of devices (semantics B.4) on every machine and in every
 * mode: what tests/core/interrupt_test.c says of our model, QEMU's unit says too.
 * Sections are of the VT-d manual. Where QEMU differs from it the test says how,
 * and does not count.
 */
#include "tests/scenario/stand.h"

#include "hosts/qtest/qtest.h"
#include "spec/vtd_intr.h"

#define FORMAT    UINT64_C(0x10)          /* remappable */
#define SHV       UINT64_C(8)             /* data counts the entries up */
#define NOWHERE   UINT64_C(0x40000000)   /* neither machine has memory there */
#define SWITCHES  UINT32_C(0x96ffffff) /* of GCMD, 11.4.4 */
#define HANDLE(n) ((uint64_t)(n) << 5) /* below 2^15 */

enum {
    ENTRIES = 4096,
    IOAPIC_ID = 0, /* of both machines */
    IRES = 1 << 25, /* of GCMD and GSTS */
    IRTPS = 1 << 24,
    CFIS = 1 << 23,
};

static void drop(struct uiommu_irq *irq)
{
    stand_ok(uiommu_irq_unmap(irq));
}

/* ---- what is mapped ------------------------------------------------------- */

static void arrives_where_it_was_mapped(struct stand *s)
{
    static const struct uiommu_irq_target rows[] = {
        { .vector = 0x41 },
        { .vector = 0xff, .destination = 0xff },
        { .vector = 16, .logical = true, .destination = 5 },
        { .vector = 0x43, .logical = true, .hint = true, .delivery = 1 },
        { .delivery = UIOMMU_IRQ_NMI },
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (unsigned n = 0; n < STAND_ENGINES; n++) {
            struct uiommu_irq *irq = stand_map(s, n, rows[i]);

            stand_arrives(s, n, stand_message(irq), rows[i]);
            drop(irq);
        }
    }
}

static void destinations_have_32_bits(struct stand *s)
{
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x51, 0x12345678));

    stand_arrives(s, 0, stand_message(irq), stand_to(0x51, 0x12345678));
    drop(irq);
}

static void every_message_has_its_entry(struct stand *s)
{
    for (unsigned n = 2; n <= 32; n *= 2) {
        struct uiommu_irq_target target[32];
        struct uiommu_irq_message m;
        struct uiommu_irq *irq;

        for (unsigned i = 0; i < n; i++)
            target[i] = stand_to((uint8_t)(0x40 + i), i);
        stand_ok(uiommu_irq_map(stand_endpoint(s, 0), target, n, &irq));
        m = stand_message(irq);
        for (unsigned i = 0; i < n; i++, m.data++)
            stand_arrives(s, 0, m, target[i]);
        stand_refused(s, 0, m.addr, m.data, 0x22);
        drop(irq);
    }
}

/* Refused, as the manual says; QEMU's unit may differ, and lets vector 41h through. */
static void faulted_unless(struct stand *s, unsigned reason, const char *how)
{
    struct uiommu_irq_target got;

    if (!s->place->qemu || !machine_take_irq(s->m, &got)) {
        stand_faulted(s, reason);
        return;
    }
    assert_int_equal(got.vector, 0x41);
    stand_differs(s, how);
}

/* ---- what is not ---------------------------------------------------------- */

static void what_another_has_is_refused(struct stand *s)
{
    for (unsigned n = 0; n < STAND_ENGINES; n++) {
        struct uiommu_irq *irq = stand_map(s, n, stand_to(0x41, 0));
        struct uiommu_irq_message m = stand_message(irq);

        for (unsigned i = 1; i < STAND_ENGINES; i++)
            stand_refused(s, (n + i) % STAND_ENGINES, m.addr, m.data, 0x26);
        stand_arrives(s, n, m, stand_to(0x41, 0));
        drop(irq);
    }
}

static void what_is_not_mapped_is_refused(struct stand *s)
{
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));
    struct uiommu_irq_message m = stand_message(irq);

    stand_refused(s, 0, m.addr + HANDLE(1), m.data, 0x22);
    stand_refused(s, 0, m.addr + HANDLE(ENTRIES - 1), m.data, 0x22);
    drop(irq);
    stand_refused(s, 0, m.addr, m.data, 0x22);
}

static void what_is_beyond_the_table_is_refused(struct stand *s)
{
    const uint64_t last = STAND_FEE | FORMAT | HANDLE(ENTRIES - 1);

    stand_refused(s, 0, last + HANDLE(1), 0, 0x21);
    stand_refused(s, 0, last | SHV, 1, 0x21);
    stand_refused(s, 0, STAND_FEE | FORMAT | 4, 0, 0x21); /* handle[15] */
}

static void an_entry_is_used_again_by_another(struct stand *s)
{
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));
    struct uiommu_irq_message m = stand_message(irq);

    stand_arrives(s, 0, m, stand_to(0x41, 0));
    drop(irq);
    irq = stand_map(s, 1, stand_to(0x42, 1));
    assert_true(stand_message(irq).addr == m.addr);
    stand_arrives(s, 1, m, stand_to(0x42, 1));
    stand_refused(s, 0, m.addr, m.data, 0x26);
    drop(irq);
}

/* 5.1.2.1: blocked where CFIS is 0, and where EIME is 1 anyway. */
static void compatibility_format_is_refused(struct stand *s)
{
    assert_int_equal(stand_gsts(s) & (IRES | CFIS), IRES);
    stand_forget_faults(s);
    stand_send(s, 0, STAND_FEE, 0x41);
    faulted_unless(s, 0x25, "lets compatibility format through: 5.1.2.1");
}

/* 5.1.2.2: data[31:16] are reserved where SHV is 1. */
static void reserved_data_is_refused(struct stand *s)
{
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));
    struct uiommu_irq_message m = stand_message(irq);

    stand_refused(s, 0, m.addr | SHV, 0x10000, 0x20);
    stand_arrives(s, 0, m, stand_to(0x41, 0));
    drop(irq);
}

/* Refused whatever happens; QEMU's unit may have another reason. */
static void reason_is(struct stand *s, unsigned reason, unsigned qemus,
                      const char *how)
{
    struct uiommu_irq_target got;
    unsigned is = stand_reason(s);

    assert_false(machine_take_irq(s->m, &got));
    if (s->place->qemu && is == qemus)
        stand_differs(s, how);
    else
        assert_int_equal(is, reason);
}

/* 5.1.4: the message is looked at before its entry, which is not present. */
static void reserved_data_is_seen_first(struct stand *s)
{
    stand_forget_faults(s);
    stand_send(s, 0, STAND_FEE | FORMAT | SHV, 0x10000);
    reason_is(s, 0x20, 0x22, "looks at the entry before data[31:16]: 5.1.4");
}

static void send_data(struct stand *s, unsigned n, uint64_t addr)
{
    uint8_t data[4] = { 0 };

    stand_forget_faults(s);
    (void)machine_dma(s->m, s->engine[n], true, addr, data, sizeof(data));
}

/* A write of data to the window is a message as well; it comes from somebody. */
static void data_is_no_way_around(struct stand *s)
{
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));
    struct uiommu_irq_message m = stand_message(irq);

    send_data(s, 0, m.addr);
    stand_arrived(s, stand_to(0x41, 0));
    send_data(s, 0, m.addr + HANDLE(1));
    stand_faulted(s, 0x22);
    send_data(s, 1, m.addr);
    faulted_unless(s, 0x26, "does not check the source of data: 9.9, SVT");
    drop(irq);
}

/* ---- entries that no driver writes ---------------------------------------- */

static uint64_t entry_at(struct stand *s, const struct uiommu_irq *irq)
{
    uint64_t table = stand_irta(s) & ~UINT64_C(0xfff);

    return table + (stand_message(irq).addr >> 5 & 0x7fff) * 16;
}

/* Word 1 of its entry; the unit is told, as at each change of the target. */
static void poke_entry(struct stand *s, struct uiommu_irq *irq, uint64_t hi)
{
    const struct uiommu_irq_target target = stand_to(0x41, 0);

    stand_poke(s, entry_at(s, irq) + 8, hi);
    stand_ok(uiommu_irq_retarget(irq, 0, &target));
}

static uint64_t source(unsigned svt, unsigned sq, unsigned sid)
{
    return vtd_irte_remapped_hi_pack(&(struct vtd_irte_remapped_hi_fields){
                                         .svt = svt, .sq = sq, .sid = sid })
        .raw;
}

struct rule {
    unsigned svt, sq, sid, engine;
    bool passes;
};

static void try_rule(struct stand *s, struct uiommu_irq *irq,
                     const struct rule *r)
{
    struct uiommu_irq_message m = stand_message(irq);

    poke_entry(s, irq, source(r->svt, r->sq, r->sid));
    if (r->passes)
        stand_arrives(s, r->engine, m, stand_to(0x41, 0));
    else
        stand_refused(s, r->engine, m.addr, m.data, 0x26);
}

/* 9.9: engines are 00:03.0, 00:04.0 and 01:00.0. */
static void sources_are_checked(struct stand *s)
{
    static const struct rule rules[] = {
        { VTD_SVT_NONE, 0, 0, 1, true },
        { VTD_SVT_SID, VTD_SQ_ALL, 0x18, 0, true },
        { VTD_SVT_SID, VTD_SQ_ALL, 0x19, 0, false },
        { VTD_SVT_SID, VTD_SQ_ALL, 0x118, 0, false },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BIT2, 0x1c, 0, true },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BIT2, 0x1a, 0, false },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BITS_2_1, 0x1e, 0, true },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BITS_2_1, 0x19, 0, false },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BITS_2_0, 0x1f, 0, true },
        { VTD_SVT_SID, VTD_SQ_IGNORE_BITS_2_0, 0x20, 0, false },
        { VTD_SVT_BUS_RANGE, 0, 0x0101, 2, true },
        { VTD_SVT_BUS_RANGE, 0, 0x0101, 0, false },
    };
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));

    for (unsigned i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        try_rule(s, irq, &rules[i]);
    drop(irq);
}

static bool passes_on_buses(struct stand *s, struct uiommu_irq *irq,
                            unsigned range)
{
    struct uiommu_irq_target got;

    poke_entry(s, irq, source(VTD_SVT_BUS_RANGE, 0, range));
    stand_send(s, 2, stand_message(irq).addr, 0);
    return machine_take_irq(s->m, &got);
}

/* 9.9: from SID[15:8] to SID[7:0]. Engine 2 is on bus 1. */
static void buses_are_a_range(struct stand *s)
{
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));
    bool right = passes_on_buses(s, irq, 0x0002);
    bool swapped = passes_on_buses(s, irq, 0x0200);

    if (s->place->qemu && !right && swapped)
        stand_differs(s, "takes the ends of a range for each other: 9.9, SVT");
    else
        assert_true(right && !swapped);
    drop(irq);
}

static void reserved_bits_are_refused(struct stand *s)
{
    static const unsigned bits[] = { 20, 31, 32, 63 };
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));
    const uint64_t good = source(VTD_SVT_SID, VTD_SQ_ALL, 0x18);
    struct uiommu_irq_message m = stand_message(irq);

    for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        poke_entry(s, irq, good | UINT64_C(1) << bits[i]);
        stand_refused(s, 0, m.addr, m.data, 0x24);
    }
    poke_entry(s, irq, good);
    stand_arrives(s, 0, m, stand_to(0x41, 0));
    drop(irq);
}

/* 11.4.4: IRTA takes effect at SIRTP; the bits that switch stay as they are. */
static void set_table(struct stand *s, uint64_t irta)
{
    uint32_t on = stand_gsts(s) & SWITCHES;

    stand_set_irta(s, irta);
    stand_gcmd(s, on | IRTPS, IRTPS);
}

static void a_table_that_is_nowhere_is_refused(struct stand *s)
{
    const uint64_t irta = stand_irta(s);

    set_table(s, NOWHERE | (irta & 0xfff));
    stand_refused(s, 0, STAND_FEE | FORMAT, 0, 0x23);
    set_table(s, irta);
    stand_refused(s, 0, STAND_FEE | FORMAT, 0, 0x22);
}

/* 9.9: SVT 3 is reserved. */
static void a_reserved_check_is_refused(struct stand *s)
{
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));

    poke_entry(s, irq, source(3, 0, 0x18));
    stand_forget_faults(s);
    stand_send(s, 0, stand_message(irq).addr, 0);
    reason_is(s, 0x24, 0x26, "takes SVT 3 for a wrong source: 9.9");
    drop(irq);
}

/* ---- targets -------------------------------------------------------------- */

static void goes_elsewhere_at_once(struct stand *s)
{
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));
    struct uiommu_irq_message m = stand_message(irq);

    for (unsigned i = 0; i < 8; i++) {
        struct uiommu_irq_target target = stand_to((uint8_t)(0x50 + i), i);

        stand_ok(uiommu_irq_retarget(irq, 0, &target));
        stand_arrives(s, 0, m, target);
        assert_true(stand_message(irq).addr == m.addr);
    }
    drop(irq);
}

/* Word 0 is changed by hand, and the unit is not told. */
static void entries_are_cached(struct stand *s)
{
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));
    struct uiommu_irq_message m = stand_message(irq);
    struct uiommu_irq_target got = { 0 }, target = stand_to(0x43, 0);

    stand_arrives(s, 0, m, stand_to(0x41, 0));
    stand_poke(s, entry_at(s, irq), 0x42 << 16 | 1);
    stand_send(s, 0, m.addr, m.data);
    assert_true(machine_take_irq(s->m, &got));
    if (s->place->qemu && got.vector == 0x42)
        stand_differs(s, "caches no entries, as it may: 6.5.2.8");
    else
        assert_int_equal(got.vector, 0x41);
    stand_ok(uiommu_irq_retarget(irq, 0, &target));
    stand_arrives(s, 0, m, target);
    drop(irq);
    stand_forget(s);
}

/* What QEMU understood of each iec_inv: all at the start, else one entry. Our model
 * finds out what is missing by itself. */
static void each_change_names_its_entry(struct stand *s)
{
    struct uiommu_irq_target target = stand_to(0x43, 0);
    struct uiommu_irq *first = stand_map(s, 0, stand_to(0x41, 0));
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x42, 0));

    stand_invalidated(s, true, 0);
    stand_arrives(s, 0, stand_message(irq), stand_to(0x42, 0));
    stand_ok(uiommu_irq_retarget(irq, 0, &target));
    stand_invalidated(s, false, 1);
    stand_arrives(s, 0, stand_message(irq), target);
    drop(irq);
    stand_invalidated(s, false, 1);
    drop(first);
    stand_invalidated(s, false, 0);
}

/* ---- I/O APICs ------------------------------------------------------------ */

static void assert_pin_arrives(struct stand *s, const struct uiommu_irq *irq,
                               struct uiommu_irq_target as)
{
    assert_int_equal(machine_raise_pin(s->m, stand_message(irq).rte),
                     MACHINE_DMA_DONE);
    stand_arrived(s, as);
}

static void an_io_apic_has_its_entries(struct stand *s)
{
    struct uiommu_irq_target target = stand_to(0x61, 2);
    struct uiommu_irq *other = stand_map(s, 0, target), *irq;

    stand_ok(uiommu_irq_map_source(s->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                   &irq));
    assert_pin_arrives(s, irq, target);
    target = stand_to(0x62, 3);
    target.level = true;
    stand_ok(uiommu_irq_retarget(irq, 0, &target));
    assert_pin_arrives(s, irq, target);
    stand_refused(s, 0, STAND_FEE | FORMAT | HANDLE(1), 0, 0x26);
    drop(irq);
    drop(other);
}

static void a_pin_that_is_not_mapped_is_refused(struct stand *s)
{
    struct uiommu_irq_target target = stand_to(0x61, 2);
    struct uiommu_irq_message m;
    struct uiommu_irq *irq;

    stand_ok(uiommu_irq_map_source(s->u, UIOMMU_IRQ_IOAPIC, IOAPIC_ID, &target,
                                   &irq));
    m = stand_message(irq);
    drop(irq);
    stand_forget_faults(s);
    assert_int_equal(machine_raise_pin(s->m, m.rte), MACHINE_DMA_DONE);
    stand_faulted(s, 0x22);
}

/* 9.9, SVT: the I/O APIC is another requester. */
static void a_pin_cannot_use_what_a_device_has(struct stand *s)
{
    struct uiommu_irq *irq = stand_map(s, 0, stand_to(0x41, 0));

    stand_forget_faults(s);
    assert_int_equal(machine_raise_pin(s->m, stand_message(irq).rte),
                     MACHINE_DMA_DONE);
    faulted_unless(s, 0x26, "does not check the source of I/O APICs: 9.9, SVT");
    drop(irq);
}

/* ---- the unit's own ------------------------------------------------------- */

static unsigned faults_heard(struct stand *s, unsigned n)
{
    struct uiommu_irq_target got;

    s->faults = 0;
    stand_send(s, n, STAND_FEE | FORMAT, 0);
    assert_false(machine_take_irq(s->m, &got));
    assert_true(machine_run(s->m));
    return s->faults;
}

/* Nobody polls. The message of the unit itself is not remapped. */
static void faults_come_by_interrupt(struct stand *s)
{
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(faults_heard(s, i), 1);
        assert_int_equal(s->fault.reason, 0x22);
    }
    s->m->on_irq = NULL; /* one gets lost, and no other comes before a look */
    assert_int_equal(faults_heard(s, 0), 0);
    stand_hear(s);
    assert_int_equal(faults_heard(s, 1), 0);
    uiommu_poll(s->u);
    assert_true(s->faults > 0);
    assert_int_equal(faults_heard(s, 2), 1);
}

/* ---- life ----------------------------------------------------------------- */

static void a_stop_gives_interrupts_back(struct stand *s)
{
    struct uiommu_irq_message m = { .addr = STAND_FEE | FORMAT, .data = 0x55 };
    struct uiommu_irq *irq;

    stand_arrives(s, 0, m, stand_to(0x55, 0)); /* nobody remaps */
    stand_up(s, 0);
    irq = stand_map(s, 0, stand_to(0x41, 3));
    assert_true(stand_message(irq).addr == m.addr);
    m.data = 0;
    stand_arrives(s, 0, m, stand_to(0x41, 3));
    drop(irq);
    stand_down(s);
    m.data = 0x56;
    stand_arrives(s, 0, m, stand_to(0x56, 0));
}

/* Firmware left remapping on, with a table of its own that has an entry 5. */
static void a_table_that_was_left_is_replaced(struct stand *s)
{
    const struct uiommu_irq_message old = { .addr = STAND_FEE | FORMAT |
                                                    HANDLE(5) };
    struct uiommu_host *h = &s->m->host;
    uint64_t table;
    void *page = h->pages_alloc(h->ctx, 0, 0, &table);

    stand_poke(s, table + 5 * 16, 0x77 << 16 | 1);
    stand_set_irta(s, table | 7);
    stand_gcmd(s, IRTPS, IRTPS);
    stand_gcmd(s, IRES, IRES);
    stand_arrives(s, 0, old, stand_to(0x77, 0));
    stand_up(s, 0);
    stand_refused(s, 0, old.addr, 0, 0x22);
    stand_down(s);
    h->pages_free(h->ctx, page, table, 0);
}

static void start_is_refused(struct stand *s)
{
    uint32_t flags = s->flags;

    assert_int_equal(stand_start(s, flags), UIOMMU_OPNOTSUPP);
    stand_ok(uiommu_destroy(s->u));
}

/* ---- all ------------------------------------------------------------------ */

#define REMAPS(fn)                                                             \
    {                                                                          \
        .name = #fn, .run = fn, .unit = STAND_REMAPS                           \
    }
#define X2APIC(fn)                                                             \
    {                                                                          \
        .name = #fn "_with_x2apic", .run = fn, .unit = STAND_X2APIC,           \
        .flags = UIOMMU_CONFIG_X2APIC                                          \
    }
#define COLD(fn)                                                               \
    {                                                                          \
        .name = #fn, .run = fn, .unit = STAND_REMAPS, .cold = true             \
    }

static const struct stand_test tests[] = {
    REMAPS(arrives_where_it_was_mapped),
    X2APIC(arrives_where_it_was_mapped),
    X2APIC(destinations_have_32_bits),
    REMAPS(every_message_has_its_entry),
    REMAPS(what_another_has_is_refused),
    X2APIC(what_another_has_is_refused),
    REMAPS(what_is_not_mapped_is_refused),
    REMAPS(what_is_beyond_the_table_is_refused),
    REMAPS(an_entry_is_used_again_by_another),
    REMAPS(compatibility_format_is_refused),
    X2APIC(compatibility_format_is_refused),
    REMAPS(reserved_data_is_refused),
    REMAPS(reserved_data_is_seen_first),
    REMAPS(data_is_no_way_around),
    REMAPS(sources_are_checked),
    REMAPS(buses_are_a_range),
    REMAPS(reserved_bits_are_refused),
    REMAPS(a_reserved_check_is_refused),
    REMAPS(a_table_that_is_nowhere_is_refused),
    REMAPS(goes_elsewhere_at_once),
    X2APIC(goes_elsewhere_at_once),
    REMAPS(entries_are_cached),
    REMAPS(faults_come_by_interrupt),
    REMAPS(each_change_names_its_entry),
    REMAPS(an_io_apic_has_its_entries),
    REMAPS(a_pin_that_is_not_mapped_is_refused),
    REMAPS(a_pin_cannot_use_what_a_device_has),
    COLD(a_stop_gives_interrupts_back),
    COLD(a_table_that_was_left_is_replaced),
    { .name = "a_unit_that_cannot_fails_the_start",
      .run = start_is_refused,
      .unit = STAND_PLAIN,
      .cold = true },
    { .name = "a_unit_without_x2apic_fails_the_start",
      .run = start_is_refused,
      .unit = STAND_REMAPS,
      .flags = UIOMMU_CONFIG_X2APIC,
      .cold = true },
};

int main(void)
{
    return stand_run("irq", tests, sizeof(tests) / sizeof(tests[0]));
}
