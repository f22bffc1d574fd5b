/* SPDX-License-Identifier: MIT */
/*
 * A real process as an address space of devices, through all of uiommu: units translate by
 * the tables of its domain, devices ask for pages, and can do what the process can.
 */
#include "tests/process/sva_stand.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static void for_all(void (*test)(const struct sva_kind *kind))
{
    for (unsigned i = 0; i < SVA_KINDS; i++)
        test(&sva_kinds[i]);
}

/* ---- memory ----------------------------------------------------------------------- */

static void shares_memory(struct shared *s)
{
    volatile uint32_t *at = map_pages(3);

    at[0] = 7;
    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(at[1] == 8 && at[2] == 9 && at[2 * PAGE / 4] == 10);
    meet_host(s, 2);
}

static void uses_memory(const struct sva_kind *kind)
{
    struct sva_stand s;
    uint32_t value = 0;
    uint64_t at;

    sva_open(&s, kind, shares_memory);
    stand_meet(&s.child, 1);
    at = stand_address(&s.child);
    assert_int_equal(s.machine.engine[0].pasid, s.machine.engine[1].pasid);
    assert_int_equal(sva_load(&s, 0, at, &value), SVA_DONE);
    assert_int_equal(value, 7);
    assert_int_equal(sva_store(&s, 0, at + 4, 8), SVA_DONE);
    assert_int_equal(sva_store(&s, 1, at + 8, 9), SVA_DONE);
    assert_int_equal(sva_store(&s, 1, at + 2 * PAGE, 10), SVA_DONE);
    assert_int_equal(sva_process_counts(s.process).frames, 2);
    assert_int_equal(s.machine.faults, 0);
    stand_go(&s.child, 1);
    stand_meet(&s.child, 2);
    stand_go(&s.child, 2);
    sva_close(&s);
}

static void devices_and_process_share_memory(void **state)
{
    (void)state;
    for_all(uses_memory);
}

/* ---- rights ------------------------------------------------------------------------- */

static void protect(uint32_t *at, int prot, struct shared *s, unsigned step)
{
    NEED(mprotect(at, PAGE, prot) == 0);
    meet_host(s, step);
}

static void changes_rights(struct shared *s)
{
    uint32_t *at = map_pages(1);

    at[0] = 1;
    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    protect(at, PROT_READ, s, 2);
    NEED(at[0] == 2);
    protect(at, PROT_READ | PROT_WRITE, s, 3);
    NEED(at[0] == 4);
    protect(at, PROT_NONE, s, 4);
    protect(at, PROT_WRITE, s, 5);
}

static enum sva_access fetch(struct sva_stand *s, uint64_t va)
{
    struct machine *m = s->machine.m;
    const unsigned dev = s->machine.engine[0].dev;
    const struct sim_page_request ask = { .dev = dev,
                                          .pasid = s->machine.engine[0].pasid,
                                          .iova = va,
                                          .access = UIOMMU_READ,
                                          .exec = true,
                                          .last = true,
                                          .group = 500,
                                          .rogue = true };
    const unsigned before = sim_page_responses(m, dev);

    assert_int_equal(sim_page_request(m, &ask), SIM_NOT_STOPPED);
    while (sim_page_responses(m, dev) == before) {
        (void)machine_run(m);
        uiommu_serve(s->machine.u);
    }
    return sim_page_response_at(m, dev, before).code == SIM_PAGE_SUCCESS
               ? SVA_DONE
               : SVA_INVALID;
}

static void keeps_to_rights(const struct sva_kind *kind)
{
    struct sva_stand s;
    uint32_t value;
    uint64_t at;

    sva_open(&s, kind, changes_rights);
    stand_meet(&s.child, 1);
    at = stand_address(&s.child);
    assert_int_equal(sva_store(&s, 0, at, 2), SVA_DONE);
    assert_int_equal(fetch(&s, at), SVA_INVALID);
    stand_go(&s.child, 1);
    stand_meet(&s.child, 2);
    /* its translation is as before, and the access is refused all the same */
    assert_int_equal(sva_try_store(&s, 0, at, 3), SVA_ABORTED);
    assert_int_equal(sva_store(&s, 0, at, 3), SVA_INVALID);
    assert_int_equal(sva_load(&s, 0, at, &value), SVA_DONE);
    assert_int_equal(value, 2);
    stand_go(&s.child, 2);
    stand_meet(&s.child, 3);
    /* more than it was granted */
    assert_int_equal(sva_try_store(&s, 0, at, 4), SVA_NO_PAGE);
    assert_int_equal(sva_store(&s, 0, at, 4), SVA_DONE);
    assert_int_equal(sva_process_counts(s.process).frames, 1);
    stand_go(&s.child, 3);
    stand_meet(&s.child, 4);
    assert_int_equal(sva_load(&s, 0, at, &value), SVA_INVALID);
    assert_int_equal(sva_process_counts(s.process).frames, 0);
    stand_go(&s.child, 4);
    stand_meet(&s.child, 5);
    assert_int_equal(sva_store(&s, 0, at, 5), SVA_DONE);
    assert_int_equal(sva_try_load(&s, 0, at), SVA_ABORTED);
    stand_go(&s.child, 5);
    sva_close(&s);
}

static void a_device_may_what_the_process_may(void **state)
{
    (void)state;
    for_all(keeps_to_rights);
}

/* ---- frames ------------------------------------------------------------------------- */

enum { FRAMES = 4, MANY = 3 * FRAMES };

static void has_many_pages(struct shared *s)
{
    uint32_t *at = map_pages(MANY);

    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    for (unsigned i = 0; i < MANY; i++)
        NEED(at[i * PAGE / 4] == i + 1 && at[i * PAGE / 4 + 1] == i + 100);
}

static void makes_do(const struct sva_kind *kind)
{
    struct sva_stand s;
    uint64_t at;

    sva_open_frames(&s, kind, has_many_pages, FRAMES);
    stand_meet(&s.child, 1);
    at = stand_address(&s.child);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(sva_store(&s, 0, at + i * PAGE, i + 1), SVA_DONE);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(sva_store(&s, 1, at + i * PAGE + 4, i + 100),
                         SVA_DONE);
    assert_int_equal(sva_process_counts(s.process).frames, FRAMES);
    assert_true(sva_process_counts(s.process).grants >= 2 * MANY);
    stand_go(&s.child, 1);
    sva_close(&s);
}

static void more_pages_than_frames_take_turns(void **state)
{
    (void)state;
    for_all(makes_do);
}

/* Whoever follows the process does that, when its time comes. */
static bool comes_to_frames(struct sva_stand *s, unsigned n)
{
    for (unsigned ms = 0; ms < WAIT_S * 1000; ms++) {
        if (sva_process_counts(s->process).frames == n)
            return true;
        usleep(1000);
    }
    return false;
}

static bool comes_to_an_end(struct sva_stand *s)
{
    for (unsigned ms = 0; ms < WAIT_S * 1000 && !sva_process_gone(s->process);
         ms++)
        usleep(1000);
    return sva_process_gone(s->process) && comes_to_frames(s, 0);
}

/* ---- the end ------------------------------------------------------------------------ */

enum { TOUCHED = 256 };

static void execute(int signal)
{
    (void)signal;
    execl("/bin/sleep", "sleep", "60", (char *)NULL);
}

static void sleeps(struct shared *s)
{
    NEED(signal(SIGUSR1, execute) != SIG_ERR);
    atomic_store(&s->at, (uintptr_t)map_pages(TOUCHED));
    meet_host(s, 1);
    for (;;)
        pause();
}

struct busy {
    struct sva_stand *s;
    unsigned n;
    atomic_uint done;
    enum sva_access last;
};

/* Pages that it has a translation of, and others. */
static void *use_on(void *arg)
{
    struct busy *b = arg;

    do {
        unsigned page = atomic_fetch_add(&b->done, 1) * 7 % TOUCHED;

        b->last =
            sva_store(b->s, b->n, stand_address(&b->s->child) + page * PAGE, 1);
    } while (b->last == SVA_DONE);
    return NULL;
}

static void die(struct sva_stand *s)
{
    int status;

    assert_int_equal(kill(s->child.pid, SIGKILL), 0);
    assert_int_equal(waitpid(s->child.pid, &status, 0), s->child.pid);
    s->child.pid = 0;
}

/* By a signal that kills, or by another program, which is left. */
static void ends_while_used(const struct sva_kind *kind, unsigned accesses,
                            bool exec)
{
    struct sva_stand s;
    struct busy busy[SVA_ENGINES];
    pthread_t thread[SVA_ENGINES];
    const unsigned frames = TOUCHED / 4; /* so that there are always faults */
    uint32_t value;

    sva_open_frames(&s, kind, sleeps, frames);
    stand_meet(&s.child, 1);
    for (unsigned i = 0; i < SVA_ENGINES; i++) {
        busy[i] = (struct busy){ .s = &s, .n = i };
        assert_int_equal(pthread_create(&thread[i], NULL, use_on, &busy[i]), 0);
    }
    assert_true(wait_for(&busy[0].done, accesses));
    if (exec)
        assert_int_equal(kill(s.child.pid, SIGUSR1), 0);
    else
        die(&s);
    for (unsigned i = 0; i < SVA_ENGINES; i++) {
        pthread_join(thread[i], NULL);
        assert_true(busy[i].last == SVA_INVALID || busy[i].last == SVA_FAILED);
        assert_true(sva_load(&s, i, stand_address(&s.child), &value) !=
                    SVA_DONE);
    }
    assert_true(comes_to_an_end(&s));
    if (exec)
        die(&s);
    /* Frames take turns while the other engine runs: between a store and its
     * invalidation it may use what was there. */
    assert_int_equal(sim_violations(s.machine.m), 0);
    sim_forget(s.machine.m);
    sva_close(&s);
}

/* C-SC4: the provider exits while faults are pending. */
static void it_may_end_while_devices_use_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2 * SVA_KINDS; i++)
        ends_while_used(&sva_kinds[i % SVA_KINDS], 20 + 41 * i, i % 2);
}

/* ---- sleep ---------------------------------------------------------------------------- */

/* No event is being served meanwhile. */
static void suspend(struct sva_stand *s)
{
    sim_stop_devices(s->machine.m);
    assert_int_equal(uiommu_suspend(s->machine.u), UIOMMU_OK);
    sim_start_devices(s->machine.m);
}

/* Where its translation leads. */
static uint64_t frame_of(struct sva_stand *s, uint64_t va)
{
    uint32_t value;
    struct sim_request r = { .dev = s->machine.engine[0].dev,
                             .pasid = s->machine.engine[0].pasid,
                             .iova = va,
                             .buf = &value,
                             .size = sizeof(value) };

    assert_int_equal(sim_dma(s->machine.m, &r), MACHINE_DMA_DONE);
    assert_int_equal(r.target, SIM_AT_FOREIGN);
    return r.addr;
}

/* As by a translation that leads there still. */
static enum sim_stop write_frame(struct sva_stand *s, uint64_t frame)
{
    uint32_t nine = 9;
    struct sim_request r = { .dev = s->machine.engine[1].dev,
                             .pasid = UIOMMU_NO_PASID,
                             .write = true,
                             .iova = frame,
                             .buf = &nine,
                             .size = sizeof(nine) };

    (void)sim_dma(s->machine.m, &r);
    return r.stop;
}

/* What takes the place of the first page is followed: it is open to whoever gets there. */
static void moves_one_over_another(struct shared *s)
{
    volatile uint32_t *at = map_pages(3);

    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    move_page((char *)(uintptr_t)at + PAGE, (void *)(uintptr_t)at);
    meet_host(s, 2);
    NEED(at[0] == 2);
    meet_host(s, 3);
    NEED(at[0] == 4 && at[2 * PAGE / 4] == 5);
}

static void forgets_after_sleep(const struct sva_kind *kind)
{
    struct sva_stand s;
    uint64_t at, frame;

    sva_open(&s, kind, moves_one_over_another);
    stand_meet(&s.child, 1);
    at = stand_address(&s.child);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sva_store(&s, 0, at + i * PAGE, i + 1), SVA_DONE);
    frame = frame_of(&s, at);
    suspend(&s);
    stand_go(&s.child, 1);
    stand_meet(&s.child, 2);
    /* It is as if it had ended already, whoever gets there. */
    if (write_frame(&s, frame) != SIM_ABORTED)
        fail_msg("a write to a frame that ends: %d", write_frame(&s, frame));
    assert_int_equal(uiommu_resume(s.machine.u), UIOMMU_OK);
    assert_true(comes_to_frames(&s, 1));
    assert_int_equal(sva_process_counts(s.process).lost, 0);
    stand_go(&s.child, 2);
    stand_meet(&s.child, 3);
    assert_int_equal(sva_try_store(&s, 0, at, 3), SVA_NO_PAGE);
    assert_int_equal(sva_store(&s, 0, at, 4), SVA_DONE);
    assert_int_equal(sva_store(&s, 1, at + 2 * PAGE, 5), SVA_DONE);
    stand_go(&s.child, 3);
    sva_close(&s);
}

static void what_ends_in_sleep_is_forgotten_after_it(void **state)
{
    (void)state;
    for_all(forgets_after_sleep);
}

static void dies_in_sleep(const struct sva_kind *kind)
{
    struct sva_stand s;
    uint64_t at;

    sva_open(&s, kind, sleeps);
    stand_meet(&s.child, 1);
    at = stand_address(&s.child);
    assert_int_equal(sva_store(&s, 0, at, 1), SVA_DONE);
    suspend(&s);
    die(&s);
    usleep(5000); /* it is told, but not over */
    assert_false(sva_process_gone(s.process));
    assert_int_equal(uiommu_resume(s.machine.u), UIOMMU_OK);
    assert_true(comes_to_an_end(&s));
    assert_int_equal(sva_process_counts(s.process).lost, 0);
    assert_int_equal(sva_store(&s, 0, at, 1), SVA_INVALID);
    sva_close(&s);
}

static void who_ends_in_sleep_is_gone_after_it(void **state)
{
    (void)state;
    for_all(dies_in_sleep);
}

/* ---- reuse of frames ------------------------------------------------------------------- */

static void unmaps_in_turn(struct shared *s)
{
    char *at = map_pages(2);

    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(munmap(at, PAGE) == 0);
    meet_host(s, 2);
}

/* A frame that is nobody's stays so for as long as may be: who gets there is seen. */
static void rests(const struct sva_kind *kind)
{
    struct sva_stand s;
    uint64_t at, frame;

    sva_open(&s, kind, unmaps_in_turn);
    stand_meet(&s.child, 1);
    at = stand_address(&s.child);
    assert_int_equal(sva_store(&s, 0, at, 1), SVA_DONE);
    frame = frame_of(&s, at);
    stand_go(&s.child, 1);
    stand_meet(&s.child, 2);
    assert_true(comes_to_frames(&s, 0));
    assert_int_equal(sva_store(&s, 0, at + PAGE, 1), SVA_DONE);
    assert_true(frame_of(&s, at + PAGE) != frame);
    stand_go(&s.child, 2);
    sva_close(&s);
}

static void a_frame_is_not_used_again_at_once(void **state)
{
    (void)state;
    for_all(rests);
}

/* ---- devices that do not answer ------------------------------------------------------- */

static void unmaps_one(struct shared *s)
{
    volatile uint32_t *at = map_pages(2);

    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(munmap((void *)(uintptr_t)at, PAGE) == 0);
    meet_host(s, 2);
    NEED(at[PAGE / 4] == 2);
}

/* Its TLB does not confirm: it reaches nothing any more, and whatever its translation led
 * to is nobody's. The process goes on, as do others. */
static void is_shut_off(const struct sva_kind *kind)
{
    struct sva_stand s;
    uint64_t at;

    sva_open(&s, kind, unmaps_one);
    stand_meet(&s.child, 1);
    at = stand_address(&s.child);
    assert_int_equal(sva_store(&s, 0, at, 1), SVA_DONE);
    assert_int_equal(sva_store(&s, 0, at + PAGE, 1), SVA_DONE);
    sim_devtlb(s.machine.m, s.machine.engine[0].dev, SIM_DEVTLB_FAILS);
    stand_go(&s.child, 1);
    stand_meet(&s.child, 2);
    /* The process goes on when its event was read; what it says comes after that. */
    for (unsigned n = 0; n < 10000 && sva_process_counts(s.process).lost == 0;
         n++)
        usleep(1000);
    assert_int_equal(sva_process_counts(s.process).lost, 1);
    assert_int_equal(sva_try_store(&s, 0, at, 9), SVA_FAILED);
    assert_int_equal(sva_try_store(&s, 0, at + PAGE, 9), SVA_FAILED);
    assert_int_equal(sva_store(&s, 1, at + PAGE, 2), SVA_DONE);
    sim_devtlb(s.machine.m, s.machine.engine[0].dev, SIM_DEVTLB_ANSWERS);
    stand_go(&s.child, 2);
    sva_close(&s);
}

static void who_does_not_confirm_is_shut_off(void **state)
{
    (void)state;
    for_all(is_shut_off);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_and_process_share_memory),
        cmocka_unit_test(a_device_may_what_the_process_may),
        cmocka_unit_test(more_pages_than_frames_take_turns),
        cmocka_unit_test(it_may_end_while_devices_use_it),
        cmocka_unit_test(what_ends_in_sleep_is_forgotten_after_it),
        cmocka_unit_test(who_ends_in_sleep_is_gone_after_it),
        cmocka_unit_test(a_frame_is_not_used_again_at_once),
        cmocka_unit_test(who_does_not_confirm_is_shut_off),
    };

    return RUN(tests);
}
