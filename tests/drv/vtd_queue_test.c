/* SPDX-License-Identifier: MIT */
/*
 * The VT-d driver's invalidation queue with many threads in it, against a fake
 * unit that goes wrong on command (semantics B.19; D-79 to D-83).
 */
#include "steps.h"

#include <stdio.h>

/* ---- the queue with many threads ----------------------------------------- */

enum { THREADS = 8 };

struct worker {
    pthread_t thread;
    struct fake_domain d;
    struct uiommu_device dev;
    struct fake *f;
    bool devtlb;
    unsigned rounds;
    unsigned n_ok, n_io, n_timedout;
};

static void *work(void *arg)
{
    struct worker *w = arg;

    for (unsigned i = 0; i < w->rounds; i++) {
        uint64_t start = (uint64_t)i << 12;
        const struct uim_inval inval = {
            .start = start,
            .last = start + (i % 7 << 12 | 0xfff),
        };
        enum uiommu_status status;

        if (w->devtlb)
            status = vtd_devtlb(w->dev.endpoint, &inval);
        else
            status = vtd_invalidate(&w->d.link, &inval);
        w->n_ok += status == UIOMMU_OK;
        w->n_io += status == UIOMMU_IO;
        w->n_timedout += status == UIOMMU_TIMEDOUT;
    }
    return NULL;
}

static void run(struct fake *f, struct worker *w, unsigned rounds)
{
    for (unsigned i = 0; i < THREADS; i++) {
        w[i].f = f;
        w[i].rounds = rounds;
        w[i].n_ok = w[i].n_io = w[i].n_timedout = 0;
        pthread_create(&w[i].thread, NULL, work, &w[i]);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(w[i].thread, NULL);
}

static void hire(struct fake *f, struct worker *w)
{
    memset(w, 0, THREADS * sizeof(*w));
    for (unsigned i = 0; i < THREADS; i++) {
        fake_domain(f, &w[i].d, 0x1000000);
        fake_device(f, &w[i].dev, (uint16_t)(SID + i));
    }
}

static void fire(struct worker *w)
{
    for (unsigned i = 0; i < THREADS; i++)
        remove_domain(&w[i].d);
}

static void threads_share_the_queue(void **state)
{
    struct worker w[THREADS];
    struct fake f;

    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        fake_init(&f);
        if (mode)
            add_scalable(&f);
        start(&f);
        hire(&f, w);
        w[0].devtlb = w[5].devtlb = true;
        run(&f, w, 2000);
        for (unsigned i = 0; i < THREADS; i++)
            assert_int_equal(w[i].n_ok, 2000);
        fire(w);
        fake_stop(&f);
    }
}

/* IQE: only the submitter of the bad descriptor fails. */
static void bad_descriptors_fail_their_submitter_only(void **state)
{
    struct worker w[THREADS];
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    hire(&f, w);
    f.bad_did = (int)w[3].d.link.id;
    run(&f, w, 500);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(w[i].n_io, i == 3 ? 500 : 0);
        assert_int_equal(w[i].n_ok, i == 3 ? 0 : 500);
    }
    assert_true(f.n_iqe >= 500);
    assert_true(f.n_errors < 20); /* not a sentence for each */
    assert_false(f.unit->broken);
    f.bad_did = -1;
    fire(w);
    fake_stop(&f);
}

/* The sentence shows it as it is, whatever the width of the queue. */
static void a_refused_descriptor_is_shown(void **state)
{
    struct fake_domain a;
    char text[80];
    struct fake f;

    (void)state;
    for (unsigned wide = 0; wide < 2; wide++) {
        fake_init(&f);
        if (wide)
            add_scalable(&f);
        start(&f);
        fake_domain(&f, &a, 0x1000000);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_OK);
        f.bad_did = (int)a.link.id;
        assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_IO);
        snprintf(text, sizeof(text), "descriptor %016llx %016llx",
                 (unsigned long long)f.refused.hi,
                 (unsigned long long)f.refused.lo);
        assert_non_null(strstr(f.log, text));
        f.bad_did = -1;
        remove_domain(&a);
        fake_stop(&f);
    }
}

static void bad_waits_end(void **state)
{
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    f.bad_waits = true;
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_IO);
    f.bad_waits = false;
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_OK);
    remove_domain(&a);
    fake_stop(&f);
}

/* ITE: the device that does not answer fails, others submit again (D-80). */
static void dead_devices_fail_alone(void **state)
{
    struct worker w[THREADS];
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    hire(&f, w);
    w[2].devtlb = w[6].devtlb = true;
    f.dead_sid = SID + 2;
    f.ite_steps = 20;
    run(&f, w, 100);
    for (unsigned i = 0; i < THREADS; i++) {
        if (i == 2)
            assert_int_equal(w[i].n_timedout, 100);
        else
            assert_int_equal(w[i].n_ok, 100);
    }
    assert_true(f.n_ite > 0);
    assert_false(f.unit->broken);
    f.dead_sid = -1;
    fire(w);
    fake_stop(&f);
}

/* Old units do not say which device it was. */
static void dead_devices_without_a_name(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    f.dead_sid = SID;
    f.hide_sid = true;
    f.ite_steps = 5;
    assert_int_equal(vtd_devtlb(dev.endpoint, &everything), UIOMMU_TIMEDOUT);
    assert_false(f.unit->broken);
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_OK);
    remove_domain(&a);
    fake_stop(&f);
}

/* No answer and no ITE: its own submitter gives up in time; those behind it
 * wait for as long as PCIe gives a device, then the unit counts as dead. */
static void devices_that_never_answer(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;
    uint64_t began;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    f.dead_sid = SID;
    began = f.now;
    assert_int_equal(vtd_devtlb(dev.endpoint, &everything), UIOMMU_TIMEDOUT);
    assert_in_range(f.now - began, 1000ull * MS, 1010ull * MS);
    assert_false(f.unit->broken);
    f.ite_steps = 300 * 1000; /* 30 s */
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_OK);
    assert_int_equal(f.n_ite, 1);

    f.ite_steps = 0;
    assert_int_equal(vtd_devtlb(dev.endpoint, &everything), UIOMMU_TIMEDOUT);
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_TIMEDOUT);
    assert_true(f.unit->broken);
    fake_stop(&f);
}

/* All waiters are those of a silent device, and nobody waits but who has no
 * place yet: who waits for a place deals with the error. */
static void a_queue_full_of_given_up_commands_moves_again(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    f.dead_sid = SID;
    f.step_ns = 10 * MS;
    f.ite_steps = 80 * 10 * 1000; /* 80 s */
    for (unsigned i = 0; i < VTD_WAITERS; i++)
        assert_int_equal(vtd_devtlb(dev.endpoint, &everything),
                         UIOMMU_TIMEDOUT);
    assert_int_equal(f.n_ite, 0);
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_OK);
    assert_int_equal(f.n_ite, 1);
    assert_false(f.unit->broken);
    f.dead_sid = -1;
    remove_domain(&a);
    fake_stop(&f);
}

/* Nor is a place waited for longer than for a device. */
static void a_queue_that_stays_full_is_given_up(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;
    uint64_t began;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    f.dead_sid = SID;
    f.step_ns = 10 * MS;
    for (unsigned i = 0; i < VTD_WAITERS; i++)
        assert_int_equal(vtd_devtlb(dev.endpoint, &everything),
                         UIOMMU_TIMEDOUT);
    began = f.now;
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_TIMEDOUT);
    assert_in_range(f.now - began, 90000ull * MS, 90100ull * MS);
    assert_true(f.unit->broken);
    fake_stop(&f);
}

/* A device that did answer in the end is no excuse for a unit. */
static void an_answer_ends_the_patience_with_those_behind(void **state)
{
    struct uiommu_device dev;
    struct fake_domain a;
    struct fake f;
    uint64_t began;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    fake_device(&f, &dev, SID);
    f.dead_sid = SID;
    assert_int_equal(vtd_devtlb(dev.endpoint, &everything), UIOMMU_TIMEDOUT);
    fake_answer(&f);
    f.silent = true;
    began = f.now;
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_TIMEDOUT);
    assert_in_range(f.now - began, 1000ull * MS, 1010ull * MS);
    assert_true(f.unit->broken);
    fake_stop(&f);
}

static void dead_units_are_not_waited_for_twice(void **state)
{
    struct worker w[THREADS];
    struct fake f;
    uint64_t began;

    (void)state;
    fake_init(&f);
    f.options.timeout_ms = 20;
    start(&f);
    hire(&f, w);
    f.silent = true;
    run(&f, w, 50);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(w[i].n_timedout, 50);
    assert_true(f.unit->broken);
    assert_int_equal(f.n_errors, 1);
    began = f.now;
    assert_int_equal(vtd_invalidate(&w[0].d.link, &everything),
                     UIOMMU_TIMEDOUT);
    assert_true(f.now == began);
    fire(w);
    fake_stop(&f);
}

/* More than the ring holds, while it stands still; then it moves again. */
static void *later(void *arg)
{
    struct fake *f = arg;
    bool full = false;

    while (!full) {
        pthread_mutex_lock(&f->lock);
        full = (f->iqt - f->iqh) % 4096 >= (VTD_QUEUE_ENTRIES - 9) * 16;
        pthread_mutex_unlock(&f->lock);
    }
    pthread_mutex_lock(&f->lock);
    f->silent = false;
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void *big_one(void *arg)
{
    struct fake *f = arg;
    struct vtd_batch b = { .n = 0 };

    for (unsigned i = 0; i < VTD_BATCH; i++)
        vtd_add_iotlb(&b, f->v, VTD_IOTLB_DOMAIN, (struct vtd_did){ 2 });
    assert_int_equal(vtd_submit(f->v, &b), UIOMMU_OK);
    return NULL;
}

static void full_queues_are_waited_for(void **state)
{
    enum { MANY = 40 }; /* 9 slots each */
    pthread_t thread[MANY], other;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    f.silent = true;
    f.step_ns = 0; /* patience is not what this is about */
    for (unsigned i = 0; i < MANY; i++)
        pthread_create(&thread[i], NULL, big_one, &f);
    pthread_create(&other, NULL, later, &f);
    for (unsigned i = 0; i < MANY; i++)
        pthread_join(thread[i], NULL);
    pthread_join(other, NULL);
    assert_int_equal(f.n_commands, MANY * (VTD_BATCH + 1));
    fake_stop(&f);
}

/* All its registers read as ones. */
static void a_unit_that_is_gone_has_no_errors(void **state)
{
    struct fake_domain a;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_domain(&f, &a, 0x1000000);
    f.silent = true;
    f.gone = true;
    assert_int_equal(vtd_invalidate(&a.link, &everything), UIOMMU_TIMEDOUT);
    assert_non_null(strstr(f.log, "not completed"));
    assert_int_equal(f.n_logs, 1);
    f.gone = false;
    fake_stop(&f);
}

/* Status words begin as 0: an answer nobody gave. */
static void the_sequence_number_is_never_0(void **state)
{
    const struct vtd_batch none = { .n = 0 };
    struct uiommu_device dev;
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    fake_device(&f, &dev, SID);
    f.dead_sid = SID;
    assert_int_equal(vtd_submit(f.v, &none), UIOMMU_OK);
    for (unsigned i = 0; i < 2; i++) { /* the second has a word of its own */
        f.v->queue.sequence = UINT32_MAX;
        assert_int_equal(vtd_devtlb(dev.endpoint, &everything),
                         UIOMMU_TIMEDOUT);
    }
    fake_answer(&f);
    fake_stop(&f);
}

/* D-82: nothing but the wait. */
static void empty_batches_complete(void **state)
{
    const struct vtd_batch none = { .n = 0 };
    struct fake f;

    (void)state;
    fake_init(&f);
    start(&f);
    assert_int_equal(vtd_submit(f.v, &none), UIOMMU_OK);
    assert_int_equal(f.n_commands, 1);
    fake_stop(&f);
}

/* Everything at once, and nobody waits for ever. */
static void all_errors_at_once(void **state)
{
    struct worker w[THREADS];
    struct fake f;

    (void)state;
    fake_init(&f);
    add_scalable(&f);
    start(&f);
    hire(&f, w);
    w[1].devtlb = w[4].devtlb = w[7].devtlb = true;
    f.dead_sid = SID + 4;
    f.ite_steps = 10;
    f.bad_did = (int)w[2].d.link.id;
    run(&f, w, 100);
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(w[i].n_ok + w[i].n_io + w[i].n_timedout, 100);
        assert_int_equal(w[i].n_timedout, i == 4 ? 100 : 0);
        assert_int_equal(w[i].n_io, i == 2 ? 100 : 0);
    }
    f.bad_did = f.dead_sid = -1;
    fire(w);
    fake_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_the_queue),
        cmocka_unit_test(bad_descriptors_fail_their_submitter_only),
        cmocka_unit_test(a_refused_descriptor_is_shown),
        cmocka_unit_test(bad_waits_end),
        cmocka_unit_test(dead_devices_fail_alone),
        cmocka_unit_test(dead_devices_without_a_name),
        cmocka_unit_test(devices_that_never_answer),
        cmocka_unit_test(a_queue_full_of_given_up_commands_moves_again),
        cmocka_unit_test(a_queue_that_stays_full_is_given_up),
        cmocka_unit_test(an_answer_ends_the_patience_with_those_behind),
        cmocka_unit_test(dead_units_are_not_waited_for_twice),
        cmocka_unit_test(full_queues_are_waited_for),
        cmocka_unit_test(a_unit_that_is_gone_has_no_errors),
        cmocka_unit_test(the_sequence_number_is_never_0),
        cmocka_unit_test(empty_batches_complete),
        cmocka_unit_test(all_errors_at_once),
    };

    return cmocka_run_group_tests_name("VT-d queue on a fake unit", tests, NULL,
                                       NULL);
}
