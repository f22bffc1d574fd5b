/* SPDX-License-Identifier: MIT */
/*
 * fault_test.c - what devices did that they may not: every record arrives, with
 * what the tables say of it, at whoever wants to hear it (semantics B.18).
 */
#include "tests/core/help.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define BASE GIB(2)

struct ear {
    unsigned heard, overflows;
    bool takes;
    struct uiommu_fault last;
};

static bool hear(void *ctx, const struct uiommu_fault *fault)
{
    struct ear *ear = ctx;

    ear->heard++;
    ear->overflows += fault->overflow;
    ear->last = *fault;
    return ear->takes;
}

/* One refused write of engine n, delivered. */
static void fault_at(struct rig *rig, unsigned n, uint64_t iova)
{
    assert_false(rig_write(rig, n, iova, 1));
    rig_poll(rig);
}

/* ---- what it says -------------------------------------------------------- */

static void a_fault_says_who_what_and_where(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 2);
    unsigned dev = rig_engine(rig, 2);
    const struct uiommu_fault *f = &rig->fault;
    const uint64_t told = rig_arch(rig)->fault_bits;
    uint64_t value;

    fault_at(rig, 2, BASE + 0x5678);
    assert_int_equal(rig->faults, 1);
    assert_string_equal(f->driver, rig_arch(rig)->driver->name);
    assert_int_equal(f->unit, 0);
    assert_memory_equal(&f->source, &rig->m->devices[dev].pci,
                        sizeof(f->source));
    assert_ptr_equal(f->device, rig->device[dev]);
    assert_ptr_equal(f->domain, d);
    assert_int_equal(f->pasid, UIOMMU_NO_PASID);
    assert_int_equal(f->access, UIOMMU_WRITE);
    assert_true(f->has_iova);
    assert_int_equal(f->iova, (BASE + 0x5678) & told);
    assert_true(f->reason != 0);
    assert_false(f->overflow);
    assert_false(rig_read(rig, 2, BASE + 0x9008, &value));
    rig_poll(rig);
    assert_int_equal(rig->faults, 2);
    assert_int_equal(f->access, UIOMMU_READ);
    assert_int_equal(f->iova, (BASE + 0x9008) & told);
    rig_drop(rig, 2, d);
}

static void a_fault_says_what_the_tables_say(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 1);
    const struct uiommu_fault *f = &rig->fault;

    rig_ok(uiommu_map(d, BASE, page, 2 * RIG_PAGE, RIG_RW));
    map_page(d, BASE + 8 * RIG_PAGE, page);
    fault_at(rig, 0, BASE + 5 * RIG_PAGE);
    assert_true(f->has_trace);
    assert_false(f->mapped);
    assert_int_equal(f->rights, 0);
    assert_int_equal(f->level, 0);
    assert_int_equal(f->domain_kind, UIOMMU_DOMAIN_PAGING);
    assert_true(f->below.size > 0);
    assert_int_equal(f->below.iova + f->below.size, BASE + 2 * RIG_PAGE);
    assert_int_equal(f->above.iova, BASE + 8 * RIG_PAGE);
    assert_true(f->above.size >= RIG_PAGE);
    rig_drop(rig, 0, d);
}

static uint32_t reason_at(struct rig *rig, uint64_t iova)
{
    fault_at(rig, 0, iova);
    assert_false(rig->fault.mapped);
    return rig->fault.reason;
}

/* D-44: a new table is empty for units that do not snoop, too. */
static void every_hole_faults_for_the_same_reason(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint32_t reason = reason_at(rig, BASE);

    map_page(d, BASE, rig_pages(rig, 0));
    for (uint64_t step = RIG_PAGE; step < GIB(512); step *= 2)
        assert_int_equal(reason_at(rig, BASE + step), reason);
    assert_int_equal(reason_at(rig, BASE + MIB(2) - RIG_PAGE), reason);
    assert_int_equal(reason_at(rig, BASE + GIB(1) - RIG_PAGE), reason);
    rig_drop(rig, 0, d);
}

static void a_fault_on_a_page_mapped_since_says_so(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    assert_false(rig_write(rig, 0, BASE, 1));
    map_page(d, BASE, rig_pages(rig, 0));
    rig_poll(rig);
    assert_int_equal(rig->faults, 1);
    assert_true(rig->fault.has_trace && rig->fault.mapped);
    assert_int_equal(rig->fault.rights, RIG_RW);
    rig_drop(rig, 0, d);
}

static void a_blocked_device_faults_with_a_name(struct rig *rig)
{
    fault_at(rig, 0, BASE);
    assert_int_equal(rig->faults, 1);
    assert_ptr_equal(rig->fault.domain, uiommu_blocked(rig->u));
    assert_int_equal(rig->fault.domain_kind, UIOMMU_DOMAIN_BLOCKED);
    assert_false(rig->fault.has_trace);
    assert_says(rig->sentence, "00:03.0");
    assert_says(rig->sentence, "block");
}

static void a_device_that_was_not_added_faults_without_one(struct rig *rig)
{
    const char *why;

    up_to_start(rig);
    fault_at(rig, 2, BASE);
    assert_int_equal(rig->faults, 1);
    assert_null(rig->fault.device);
    assert_true(rig->fault.has_source == rig_does(rig, RIG_SOURCES, &why));
    if (rig->fault.has_source)
        assert_int_equal(rig->fault.source.bus,
                         rig->m->devices[rig_engine(rig, 2)].pci.bus);
    assert_says(rig->sentence, rig->fault.has_source ? "01:00.0" : "0x100");
}

static void an_address_beyond_the_domain_is_reported(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    fault_at(rig, 0, last_iova(d) + 1);
    assert_int_equal(rig->faults, 1);
    assert_int_equal(rig->fault.iova, last_iova(d) + 1);
    assert_false(rig->fault.has_trace);
    rig_drop(rig, 0, d);
}

static void the_sentence_says_it_all(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t page = rig_pages(rig, 0);

    map_page(d, BASE, page);
    map_page(d, BASE + 8 * RIG_PAGE, page);
    fault_at(rig, 0, BASE + 5 * RIG_PAGE);
    assert_says(rig->sentence, "00:03.0");
    assert_says(rig->sentence, "0x80005000");
    assert_says(rig->sentence, "write");
    assert_says(rig->sentence, "below ends 16 KiB");
    assert_says(rig->sentence, "above starts 12 KiB");
    assert_true(strchr(rig->sentence, '\n') == NULL);
    rig_drop(rig, 0, d);
}

/* ---- who hears it -------------------------------------------------------- */

static void the_domain_hears_first_and_may_pass_on(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct ear ear = { .takes = true };

    uiommu_fault_handler(d, hear, &ear);
    fault_at(rig, 0, BASE);
    assert_int_equal(ear.heard, 1);
    assert_int_equal(ear.last.iova, BASE);
    assert_ptr_equal(ear.last.domain, d);
    assert_int_equal(rig->faults, 0);
    ear.takes = false;
    fault_at(rig, 0, BASE);
    assert_int_equal(ear.heard, 2);
    assert_int_equal(rig->faults, 1);
    fault_at(rig, 1, BASE); /* another domain's */
    assert_int_equal(ear.heard, 2);
    assert_int_equal(rig->faults, 2);
    rig_drop(rig, 0, d);
}

/* ---- handlers that run meanwhile ------------------------------------------ */

/* Another thread takes the handler, or its domain, away while it runs: long
 * enough for one that does not wait. */
static struct {
    struct rig *rig;
    struct uiommu_domain *d;
    void (*relax)(void *ctx);
    void (*take_away)(void);
    pthread_t thread;
    _Atomic unsigned relaxed;
    _Atomic bool done;
    bool called, overtaken;
} meanwhile;

static void put_the_domain(void)
{
    set(meanwhile.rig, 0, uiommu_blocked(meanwhile.rig->u));
    uiommu_domain_put(meanwhile.d);
}

static void take_the_handler(void)
{
    uiommu_fault_handler(meanwhile.d, NULL, NULL);
}

static void count_relax(void *ctx)
{
    meanwhile.relaxed++;
    meanwhile.relax(ctx);
}

static void *take_away(void *ctx)
{
    (void)ctx;
    meanwhile.take_away();
    meanwhile.done = true;
    return NULL;
}

static bool hear_meanwhile(void *ctx, const struct uiommu_fault *fault)
{
    (void)ctx, (void)fault;
    if (meanwhile.called)
        return true;
    meanwhile.called = true;
    (void)!pthread_create(&meanwhile.thread, NULL, take_away, NULL);
    while (!meanwhile.done && meanwhile.relaxed < 1000)
        sched_yield();
    meanwhile.overtaken = meanwhile.done;
    return true;
}

static void hear_and_take_away(struct rig *rig, void (*take)(void))
{
    memset(&meanwhile, 0, sizeof(meanwhile));
    meanwhile.rig = rig;
    meanwhile.take_away = take;
    meanwhile.relax = rig->m->host.relax;
    rig->m->host.relax = count_relax;
    up(rig);
    meanwhile.d = rig_attached(rig, 0);
    uiommu_fault_handler(meanwhile.d, hear_meanwhile, NULL);
    fault_at(rig, 0, BASE);
    assert_true(meanwhile.called);
    pthread_join(meanwhile.thread, NULL);
    assert_false(meanwhile.overtaken);
}

static void a_domain_waits_for_its_handler_to_end(struct rig *rig)
{
    hear_and_take_away(rig, put_the_domain);
}

static void a_handler_that_runs_is_waited_for_when_replaced(struct rig *rig)
{
    hear_and_take_away(rig, take_the_handler);
    rig_drop(rig, 0, meanwhile.d);
}

static void a_replaced_handler_hears_no_more(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct ear old = { .takes = true }, new = { .takes = true };

    uiommu_fault_handler(d, hear, &old);
    uiommu_fault_handler(d, hear, &new);
    fault_at(rig, 0, BASE);
    assert_int_equal(old.heard, 0);
    assert_int_equal(new.heard, 1);
    uiommu_fault_handler(d, NULL, NULL);
    fault_at(rig, 0, BASE);
    assert_int_equal(new.heard, 1);
    assert_int_equal(rig->faults, 1);
    rig_drop(rig, 0, d);
}

static bool unheard(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.on_fault = NULL;
    return true;
}

static void what_nobody_takes_is_logged_as_a_sentence(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct ear ear = { .takes = false };

    fault_at(rig, 0, BASE + 0x3000);
    assert_says(sim_last_log(rig->m), "00:03.0");
    assert_says(sim_last_log(rig->m), "0x80003000");
    uiommu_fault_handler(d, hear, &ear);
    fault_at(rig, 0, BASE + 0x7000);
    assert_int_equal(ear.heard, 1);
    assert_says(sim_last_log(rig->m), "0x80007000");
    ear.takes = true;
    fault_at(rig, 0, BASE + 0x9000);
    assert_int_equal(ear.heard, 2);
    assert_says(sim_last_log(rig->m), "0x80007000");
    rig_drop(rig, 0, d);
}

/* ---- many, and how they come --------------------------------------------- */

static void as_many_as_there_are_records_arrive_in_order(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 5; i++)
            assert_false(rig_write(rig, 0, BASE + i * RIG_PAGE, 1));
        rig_poll(rig);
        assert_int_equal(rig->faults, 5 * (round + 1));
        assert_int_equal(rig->fault.iova, BASE + 4 * RIG_PAGE);
        assert_false(rig->fault.overflow);
    }
    rig_drop(rig, 0, d);
}

static void more_than_there_are_records_are_flagged_and_go_on(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct ear ear = { .takes = true };
    unsigned heard;

    uiommu_fault_handler(d, hear, &ear);
    for (unsigned round = 0; round < 3; round++) {
        ear.heard = ear.overflows = 0;
        for (unsigned i = 0; i < 100; i++)
            assert_false(rig_write(rig, 0, BASE + i * RIG_PAGE, 1));
        rig_poll(rig);
        heard = ear.heard;
        assert_true(heard > 0 && heard < 100);
        assert_true(ear.overflows > 0);
        fault_at(rig, 0, BASE + GIB(1));
        assert_int_equal(ear.heard, heard + 1);
        assert_int_equal(ear.last.iova, BASE + GIB(1));
        assert_false(ear.last.overflow);
    }
    rig_drop(rig, 0, d);
}

static void faults_come_by_interrupt(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    for (unsigned i = 1; i < 5; i++) {
        assert_false(rig_write(rig, 0, BASE, 1));
        assert_int_equal(sim_irqs_pending(rig->m), 1);
        assert_true(machine_run(rig->m));
        assert_int_equal(rig->faults, i);
    }
    rig_drop(rig, 0, d);
}

static struct {
    struct rig *rig;
    bool faults_again;
} storm;

static bool fault_again(void *ctx, const struct uiommu_fault *fault)
{
    (void)ctx, (void)fault;
    storm.rig->faults++;
    if (storm.faults_again)
        (void)rig_write(storm.rig, 0, BASE, 1);
    return true;
}

static bool answered_with_a_fault(struct rig *rig, const char **why)
{
    (void)why;
    storm.rig = rig;
    storm.faults_again = true;
    rig->setup.on_fault = fault_again;
    return true;
}

/* As fast as it is heard; afterwards interrupts tell of faults as before. */
static void a_device_that_never_stops_does_not_silence_itself(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    unsigned heard;

    assert_false(rig_write(rig, 0, BASE, 1));
    assert_true(machine_run(rig->m));
    heard = rig->faults;
    assert_in_range(heard, 8, 100);
    storm.faults_again = false;
    for (unsigned i = 1; i < 5; i++) {
        assert_false(rig_write(rig, 0, BASE, 1));
        assert_int_equal(sim_irqs_pending(rig->m), 1);
        assert_true(machine_run(rig->m));
        assert_int_equal(rig->faults, heard + i);
    }
    rig_drop(rig, 0, d);
}

/* ---- while anything is pending no event raises an interrupt (7.3) ---------- */

static void assert_interrupts_go_on(struct rig *rig)
{
    unsigned heard = rig->faults;

    for (unsigned i = 1; i < 5; i++) {
        assert_false(rig_write(rig, 0, BASE, 1));
        assert_int_equal(sim_irqs_pending(rig->m), 1);
        assert_true(machine_run(rig->m));
        assert_int_equal(rig->faults, heard + i);
    }
}

static bool pending(struct rig *rig)
{
    return rig_arch(rig)->pending(rig);
}

static void inject(struct rig *rig, enum uim_check_error error, uint32_t code)
{
    const struct uim_check_inject what = {
        .error = error,
        .code = code,
        .rid = 0x18,
    };

    uim_check_inject(sim_door(rig->m), &what);
}

static bool inject_once(void *ctx, const struct uiommu_fault *fault)
{
    struct rig *rig = ctx;

    (void)fault;
    if (rig->faults++ == 0)
        inject(rig, UIM_CHECK_ERROR_COMPLETION, 0);
    return true;
}

static bool with_a_completion_meanwhile(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.on_fault = inject_once;
    rig->setup.fault_ctx = rig;
    return true;
}

static void a_queue_error_during_a_poll_silences_nobody(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    assert_false(rig_write(rig, 0, BASE, 1));
    assert_false(rig_write(rig, 0, BASE, 1));
    assert_true(machine_run(rig->m));
    assert_int_equal(rig->faults, 2);
    assert_false(pending(rig));
    assert_interrupts_go_on(rig);
    rig_drop(rig, 0, d);
}

/* Nobody waits for anything in the queue: it is the queue that is in error. */
static void a_queue_in_error_silences_nobody(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d = attached_with(rig, 1, BASE, page);

    rig->dirty = true;
    inject(rig, UIM_CHECK_ERROR_QUEUE, rig_arch(rig)->stopped);
    assert_true(machine_run(rig->m));
    assert_says(sim_last_log(rig->m), rig_arch(rig)->stopped_says);
    assert_true(pending(rig) == rig_arch(rig)->stopped_stays);
    assert_interrupts_go_on(rig);
    rig_is(uiommu_unmap(d, BASE, RIG_PAGE, NULL), UIOMMU_TIMEDOUT);
    sim_reset_units(rig->m);
    rig_ok(uiommu_suspend(rig->u));
    rig_ok(uiommu_resume(rig->u));
    map_page(d, BASE, page);
    assert_interrupts_go_on(rig);
    set(rig, 1, uiommu_blocked(rig->u));
    uiommu_domain_put(d);
}

/* Engine 0 faults whenever a record was given back. */
static void fault_at_each_record(void *ctx, enum sim_event event,
                                 uint64_t where, size_t size, uint64_t value)
{
    struct rig *rig = ctx;

    if (event == SIM_MMIO_WRITTEN && size == 4 &&
        rig_arch(rig)->gives_back(where, value))
        (void)rig_write(rig, 0, BASE, 1);
}

static void what_a_poll_could_not_empty_it_says(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    uint64_t start;

    assert_false(uiommu_poll(rig->u));
    assert_false(rig_write(rig, 0, BASE, 1));
    sim_watch(rig->m, fault_at_each_record, rig);
    for (unsigned i = 0; i < 3; i++) {
        start = now_ns(rig);
        assert_true(i < 2 ? uiommu_poll(rig->u) : uiommu_irq(rig->u, 0, 0));
        assert_true(now_ns(rig) - start < 1000 * 1000);
        assert_true(rig->faults > 0 && rig->faults < 1000);
        assert_true(pending(rig));
    }
    sim_watch(rig->m, NULL, NULL);
    assert_false(uiommu_poll(rig->u));
    assert_true(rig->fault.overflow);
    assert_false(pending(rig));
    (void)machine_run(rig->m);
    assert_interrupts_go_on(rig);
    assert_false(rig->fault.overflow);
    rig_drop(rig, 0, d);
}

/* As soon as translation is on, too. */
static void fault_from_the_start(void *ctx, enum sim_event event,
                                 uint64_t where, size_t size, uint64_t value)
{
    struct rig *rig = ctx;
    bool on;

    if (event == SIM_MMIO_WRITTEN &&
        rig_arch(rig)->switches(where, value, &on) && on)
        (void)rig_write(rig, 0, BASE, 1);
    fault_at_each_record(ctx, event, where, size, value);
}

static void assert_one_poll_says_it(struct rig *rig)
{
    assert_true(rig->faults > 0);
    assert_true(pending(rig));
    assert_true(uiommu_poll(rig->u));
    sim_watch(rig->m, NULL, NULL);
    assert_false(uiommu_poll(rig->u));
    assert_false(pending(rig));
}

/* Interrupts that come too early are not heard, and there is no second one. */
static void what_a_start_could_not_empty_the_next_poll_says(struct rig *rig)
{
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    sim_watch(rig->m, fault_from_the_start, rig);
    rig_ok(rig_start(rig));
    assert_one_poll_says_it(rig);
    rig->faults = 0;
    rig_ok(uiommu_suspend(rig->u));
    sim_reset_units(rig->m);
    sim_watch(rig->m, fault_from_the_start, rig);
    rig_ok(uiommu_resume(rig->u));
    assert_one_poll_says_it(rig);
    (void)machine_run(rig->m);
    assert_interrupts_go_on(rig);
}

static bool polling(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.polling = true;
    return true;
}

static void faults_come_by_polling_alone(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);

    for (unsigned i = 1; i < 5; i++) {
        assert_false(rig_write(rig, 0, BASE, 1));
        assert_true(machine_run(rig->m));
        assert_int_equal(rig->faults, i - 1);
        uiommu_poll(rig->u);
        assert_int_equal(rig->faults, i);
    }
    rig_drop(rig, 0, d);
}

static void an_interrupt_of_no_unit_is_ignored(struct rig *rig)
{
    uiommu_irq(rig->u, 17, 0);
    uiommu_irq(rig->u, 0, 99);
    assert_int_equal(rig->faults, 0);
    fault_at(rig, 0, BASE);
    assert_int_equal(rig->faults, 1);
}

/* ---- the sentence alone -------------------------------------------------- */

static void a_sentence_is_cut_where_the_buffer_ends(struct rig *rig)
{
    struct uiommu_fault fault = { .driver = "vtd", .access = UIOMMU_READ };
    char whole[512], part[512];
    size_t length = uiommu_explain_fault(&fault, whole, sizeof(whole));

    (void)rig;
    assert_int_equal(strlen(whole), length);
    assert_true(length > 10 && length < sizeof(whole));
    for (size_t size = 1; size < length; size += 7) {
        memset(part, '#', sizeof(part));
        assert_int_equal(uiommu_explain_fault(&fault, part, size), length);
        assert_int_equal(strlen(part), size - 1);
        assert_memory_equal(part, whole, size - 1);
        assert_int_equal(part[size], '#');
    }
    assert_int_equal(uiommu_explain_fault(&fault, NULL, 0), length);
}

static bool in_one_go(struct rig *rig, const char **why)
{
    *why = "a storm takes too long where each call is a snapshot";
    return !rig->config.snapshots;
}

static const struct rig_test tests[] = {
    RIG_TEST(a_fault_says_who_what_and_where),
    RIG_TEST(a_fault_says_what_the_tables_say),
    RIG_TEST(every_hole_faults_for_the_same_reason),
    RIG_TEST(a_fault_on_a_page_mapped_since_says_so),
    RIG_TEST(a_blocked_device_faults_with_a_name),
    RIG_COLD(a_device_that_was_not_added_faults_without_one),
    RIG_TEST(an_address_beyond_the_domain_is_reported),
    RIG_TEST(the_sentence_says_it_all),
    RIG_TEST(the_domain_hears_first_and_may_pass_on),
    RIG_TEST(a_replaced_handler_hears_no_more),
    RIG_COLD_ON(a_domain_waits_for_its_handler_to_end, polling),
    RIG_COLD_ON(a_handler_that_runs_is_waited_for_when_replaced, polling),
    RIG_TEST_ON(what_nobody_takes_is_logged_as_a_sentence, unheard),
    RIG_TEST(as_many_as_there_are_records_arrive_in_order),
    RIG_TEST(more_than_there_are_records_are_flagged_and_go_on),
    RIG_TEST(faults_come_by_interrupt),
    RIG_TEST_ON(a_device_that_never_stops_does_not_silence_itself,
                answered_with_a_fault),
    RIG_TEST_ON(a_queue_error_during_a_poll_silences_nobody,
                with_a_completion_meanwhile),
    RIG_TEST(a_queue_in_error_silences_nobody),
    RIG_TEST_ON(what_a_poll_could_not_empty_it_says, in_one_go),
    { .name = "what_a_start_could_not_empty_the_next_poll_says",
      .run = what_a_start_could_not_empty_the_next_poll_says,
      .prepare = in_one_go,
      .cold = true,
      .once = "the storm is in the middle of a call" },
    RIG_TEST_ON(faults_come_by_polling_alone, polling),
    RIG_TEST(an_interrupt_of_no_unit_is_ignored),
    RIG_TEST(a_sentence_is_cut_where_the_buffer_ends),
    { 0 },
};

int main(void)
{
    return rig_run("fault", tests);
}
