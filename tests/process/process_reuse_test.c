/* SPDX-License-Identifier: MIT */
/*
 * Addresses that the process uses again and again, while a device writes to them
 * through a TLB as fast as it can and keeps every translation as long as it may.
 *
 * In each round the process maps a page, the device faults once and writes the number
 * of the round, over and over, until its translation is gone; meanwhile the process
 * takes the page away, maps something else at the address, and looks whether that
 * number turns up there. An access is stale if it does: it went through a translation
 * of what is not there any more.
 *
 * UIOMMU_ROUNDS=n: n times as many.
 */
#include "tests/process/child.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hosts/process/kernel.h"

enum {
    ROUNDS = 20000,
    LANES = 2,
    LOOKS = 20,
    ASIDE = 16 * PAGE, /* from the address                                   */
    SPARE = 32 * PAGE,
};

/* An address that is used again, by a thread of the process and one of the host. */
struct lane {
    atomic_uint round;  /* the process has mapped a page for it              */
    atomic_uint landed; /* the last whose number the device wrote            */
    atomic_uint stale;  /* rounds that found another's number                */
    atomic_uint done;   /* rounds                                            */
    uintptr_t at;
};

struct board {
    struct lane lane[LANES];
    unsigned rounds;
    atomic_bool stop; /* the second lane goes on until the first is through  */
};

static struct board *board; /* shared: made before the fork                  */

/* ---- the process ------------------------------------------------------------------ */

static void *map_at(uintptr_t at, int flags, int fd)
{
    void *p = mmap((void *)at, PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

    NEED(p == (void *)at);
    return p;
}

/* Each round another kind of memory, so that the next is never more of the same. */
static void *map_some(uintptr_t at, unsigned round, int memfd)
{
    switch (round % 3) {
    case 0:
        return map_at(at, MAP_SHARED | MAP_FIXED_NOREPLACE, memfd);
    case 1:
        return map_at(at, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
                      -1);
    default:
        return map_at(at, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1);
    }
}

static void move(uintptr_t from, uintptr_t to)
{
    NEED(mremap((void *)from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                (void *)to) == (void *)to);
}

/* Nothing is at the address afterwards. */
static void take_away(const struct lane *lane, unsigned round)
{
    void *at = (void *)lane->at;

    switch (round % 3) {
    case 0:
        move(lane->at, lane->at + ASIDE);
        NEED(munmap((void *)(lane->at + ASIDE), PAGE) == 0);
        break;
    case 1: /* and what was mapped over it, right after */
        NEED(mmap(at, PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
        NEED(munmap(at, PAGE) == 0);
        break;
    default:
        NEED(munmap(at, PAGE) == 0);
    }
}

static bool is_stale(const volatile uint32_t *at, uint32_t pattern)
{
    bool stale = false;

    for (unsigned i = 0; i < LOOKS && !stale; i++) {
        stale = at[1] != pattern;
        if (i == LOOKS / 2)
            sched_yield();
    }
    return stale;
}

/* A page that the device wrote to this round, and that the device told so. */
static volatile uint32_t *written_page(struct lane *lane, unsigned round,
                                       int memfd)
{
    volatile uint32_t *at = map_some(lane->at, round, memfd);

    at[1] = 0;
    tell(&lane->round, round);
    NEED(wait_for(&lane->landed, round));
    NEED(at[1] == round);
    return at;
}

/*
 * What takes its place is a fresh mapping, or one that is followed already, and so open
 * to whoever has a translation.
 */
static void one_round(struct lane *lane, unsigned round, int memfd)
{
    const bool spare = round % 2 == 0;
    volatile uint32_t *at = written_page(lane, round, memfd);

    if (spare)
        ((volatile uint32_t *)(lane->at + SPARE))[1] = ~round;
    take_away(lane, round);
    if (spare)
        move(lane->at + SPARE, lane->at);
    else
        at = map_some(lane->at, round + 1, memfd);
    if (!spare)
        at[1] = ~round;
    if (is_stale(at, ~round))
        atomic_fetch_add(&lane->stale, 1);
    if (spare)
        move(lane->at, lane->at + SPARE);
    else
        NEED(munmap((void *)lane->at, PAGE) == 0);
    atomic_fetch_add(&lane->done, 1);
}

/* The first round's page is kept: it is followed. */
static void make_spare(struct lane *lane)
{
    (void)written_page(lane, 1, -1);
    move(lane->at, lane->at + SPARE);
    atomic_fetch_add(&lane->done, 1);
}

static bool is_through(const struct lane *lane, unsigned round)
{
    return lane == &board->lane[0] ? round > board->rounds
                                   : atomic_load(&board->stop);
}

static void *run_lane(void *arg)
{
    struct lane *lane = arg;
    const bool first = lane == &board->lane[0];
    int memfd = memfd_create("lane", MFD_CLOEXEC);

    NEED(memfd >= 0 && ftruncate(memfd, PAGE) == 0);
    make_spare(lane);
    for (unsigned round = 2; !is_through(lane, round); round++) {
        one_round(lane, round, memfd);
        if (!first)
            usleep(300); /* the other lane's rounds are those that count */
    }
    if (first)
        atomic_store(&board->stop, true);
    tell(&lane->round, UINT32_MAX);
    close(memfd);
    return NULL;
}

/* The ranges are the lanes' own: nothing else is ever put there. */
static void reuses(struct shared *s)
{
    uintptr_t at = (uintptr_t)free_address();
    pthread_t thread;

    for (unsigned i = 0; i < LANES; i++)
        board->lane[i].at = at + (uintptr_t)i * 64 * PAGE;
    meet_host(s, 1);
    NEED(pthread_create(&thread, NULL, run_lane, &board->lane[1]) == 0);
    (void)run_lane(&board->lane[0]);
    NEED(pthread_join(thread, NULL) == 0);
    meet_host(s, 2);
}

/* ---- the device ------------------------------------------------------------------- */

struct engine {
    pthread_t thread;
    struct device *device;
    struct lane *lane;
    bool ok;
    uint64_t writes;
};

/* Writes for as long as the translation is there; how often. */
static unsigned write_on(struct engine *e, uint32_t round)
{
    const uint64_t va = e->lane->at + 4;
    unsigned n = 0;

    while (device_write(e->device, va, &round, sizeof(round)) == HIT) {
        tell(&e->lane->landed, round);
        if (++n % 4 == 0)
            sched_yield(); /* the process has to get on as well */
    }
    return n;
}

/* One translation, in use until it is taken. False: there was none to have. */
static bool serve_round(struct engine *e, uint32_t round)
{
    for (unsigned i = 0; i < 1000; i++) {
        unsigned n;

        if (device_fault(e->device, e->lane->at, UIOMMU_WRITE) != PROCESS_OK)
            return false;
        n = write_on(e, round);
        e->writes += n;
        if (n > 0)
            return true;
    }
    return false;
}

static void *run_engine(void *arg)
{
    struct engine *e = arg;
    uint32_t round = 0;

    do {
        e->ok = wait_for(&e->lane->round, round + 1);
        round = atomic_load(&e->lane->round);
        if (round != UINT32_MAX)
            e->ok = e->ok && serve_round(e, round);
    } while (e->ok && round != UINT32_MAX);
    return NULL;
}

static unsigned rounds(void)
{
    const char *times = getenv("UIOMMU_ROUNDS");

    return times ? ROUNDS * (unsigned)strtoul(times, NULL, 10) : ROUNDS;
}

static void make_board(unsigned n)
{
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(board != MAP_FAILED);
    board->rounds = n;
}

static void run_engines(struct stand *s)
{
    struct engine engine[LANES];

    stand_meet(s, 1);
    for (unsigned i = 0; i < LANES; i++) {
        engine[i] =
            (struct engine){ .device = &s->device, .lane = &board->lane[i] };
        assert_int_equal(
            pthread_create(&engine[i].thread, NULL, run_engine, &engine[i]), 0);
    }
    stand_go(s, 1);
    for (unsigned i = 0; i < LANES; i++) {
        pthread_join(engine[i].thread, NULL);
        assert_true(engine[i].ok);
        printf("# lane %u: %u rounds, %lu writes, %u stale\n", i,
               board->lane[i].done, (unsigned long)engine[i].writes,
               board->lane[i].stale);
    }
    stand_meet(s, 2);
    stand_go(s, 2);
}

static void no_access_is_stale(void **state)
{
    struct stand s;

    (void)state;
    make_board(rounds());
    stand_open(&s, reuses);
    run_engines(&s);
    stand_close(&s);
    assert_int_equal(board->lane[0].done, rounds());
    assert_true(board->lane[1].done > 0);
    for (unsigned i = 0; i < LANES; i++)
        assert_int_equal(board->lane[i].stale, 0);
    munmap(board, sizeof(*board));
}

/* ---- and it can be otherwise -------------------------------------------------------- */

/*
 * One round, by the same rules, of devices that break them. What takes the place of the
 * page is followed, so that nothing but the rules is in the way.
 */
static void reuses_once(struct shared *s)
{
    char *memory = map_pages(3);
    char *at = memory, *spare = memory + 2 * PAGE;
    volatile uint32_t *word = (volatile uint32_t *)(void *)at + 1;

    NEED(munmap(memory + PAGE, PAGE) == 0);
    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    ((volatile uint32_t *)(void *)spare)[1] = 5;
    NEED(munmap(at, PAGE) == 0);
    move((uintptr_t)spare, (uintptr_t)at);
    meet_host(s, 2);
    atomic_store(&s->n[1], *word != 5);
    meet_host(s, 3);
}

static enum hit late_write(struct device *d)
{
    const uint32_t nine = 9;

    return device_write(d, atomic_load(&d->shared->at) + 4, &nine,
                        sizeof(nine));
}

/* The event was read; before its range is invalidated, there is something else. */
static void write_before(struct device *d)
{
    const uint64_t at = atomic_load(&d->shared->at);
    int pagemap = (int)atomic_load(&d->shared->n[2]);

    d->on_invalidate = NULL;
    for (unsigned ms = 0; ms < WAIT_S * 1000; ms++) {
        if (process_pages_followed(pagemap, at, at + PAGE - 1))
            break;
        usleep(1000);
    }
    assert_int_equal(late_write(d), HIT);
}

static int open_pagemap(pid_t pid)
{
    char path[40];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* Whether an access through the old translation landed in what came after. */
static bool stale_if(bool running, bool deaf)
{
    struct stand s;
    int pagemap;
    bool stale;

    stand_open(&s, reuses_once);
    stand_meet(&s, 1);
    pagemap = open_pagemap(s.pid);
    atomic_store(&s.shared->n[2], (unsigned)pagemap);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    assert_int_equal(device_store(&s.device, stand_address(&s) + 2 * PAGE, 1),
                     PROCESS_OK);
    s.device.running = running;
    s.device.deaf = deaf;
    s.device.on_invalidate = running ? write_before : NULL;
    stand_go(&s, 1);
    stand_meet(&s, 2);
    if (!running)
        assert_int_equal(late_write(&s.device), deaf ? HIT : MISS);
    stand_go(&s, 2);
    stand_meet(&s, 3);
    stale = atomic_load(&s.shared->n[1]);
    stand_go(&s, 3);
    stand_close(&s);
    close(pagemap);
    return stale;
}

static void by_the_rules_a_late_access_finds_no_translation(void **state)
{
    (void)state;
    assert_false(stale_if(false, false));
}

static void who_keeps_translations_is_seen(void **state)
{
    (void)state;
    assert_true(stale_if(false, true));
}

static void who_is_not_stopped_is_seen(void **state)
{
    (void)state;
    assert_true(stale_if(true, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_the_rules_a_late_access_finds_no_translation),
        cmocka_unit_test(who_keeps_translations_is_seen),
        cmocka_unit_test(who_is_not_stopped_is_seen),
        cmocka_unit_test(no_access_is_stale),
    };

    return RUN(tests);
}
