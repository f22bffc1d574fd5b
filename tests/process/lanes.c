/* SPDX-License-Identifier: MIT */
/* lanes.c - see lanes.h. */
#include "tests/process/lanes.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "fuzz/share.h"
#include "hosts/process/kernel.h"

enum {
    LOOKS = 20,
    LIMIT_S = 10, /* and for each 100 rounds one more: a busy machine takes
                   * a quarter of it                                         */
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
    time_t until;
    atomic_bool stop; /* the second lane goes on until the first is through  */
};

static struct board *board; /* shared: made before the fork                  */

/* ---- the process ------------------------------------------------------------------ */

static void map_at(uintptr_t at, int flags, int fd)
{
    NEED(mmap((void *)at, PAGE, PROT_READ | PROT_WRITE, flags, fd, 0) ==
         (void *)at);
}

/* Each round another kind of memory, so that the next is never more of the same. */
static void map_some(uintptr_t at, unsigned round, int memfd)
{
    static const int flags[] = { MAP_SHARED, MAP_PRIVATE | MAP_ANONYMOUS,
                                 MAP_SHARED | MAP_ANONYMOUS };

    map_at(at, flags[round % 3] | MAP_FIXED_NOREPLACE,
           round % 3 == 0 ? memfd : -1);
}

/* The device writes the number of a round to one of two words: what it writes in the next
 * hides nothing of this one. */
static volatile atomic_uint *word_of(uintptr_t at, unsigned round)
{
    return (volatile atomic_uint *)at + round % 2;
}

static bool has_number(uintptr_t at, unsigned round)
{
    return atomic_load(word_of(at, round)) == round;
}

/* It is looked at where no device gets to any more. */
static bool take_aside(const struct lane *lane, unsigned round)
{
    bool found;

    move_page((void *)lane->at, (void *)(lane->at + ASIDE));
    found = has_number(lane->at + ASIDE, round);
    NEED(munmap((void *)(lane->at + ASIDE), PAGE) == 0);
    return found;
}

/* In one call: until that returns, the device may be what wrote last to what comes. */
static bool map_over(const struct lane *lane, unsigned round)
{
    void *at = (void *)lane->at;

    NEED(mmap(at, PAGE, PROT_READ | PROT_WRITE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
    (void)atomic_exchange(word_of(lane->at, round), 0);
    return take_aside(lane, round);
}

/* Nothing is at the address afterwards. Whether a stale access was seen meanwhile. */
static bool take_away(const struct lane *lane, unsigned round)
{
    switch (round % 3) {
    case 0:
        (void)take_aside(lane, round);
        return false;
    case 1:
        return map_over(lane, round);
    default:
        NEED(munmap((void *)lane->at, PAGE) == 0);
        return false;
    }
}

static bool turns_up(const struct lane *lane, unsigned round)
{
    bool found = false;

    for (unsigned i = 0; i < LOOKS && !found; i++) {
        found = has_number(lane->at, round);
        if (i == LOOKS / 2)
            sched_yield();
    }
    return found;
}

/* A fresh mapping: nobody follows it. */
static bool try_fresh(const struct lane *lane, unsigned round, int memfd)
{
    bool stale;

    map_some(lane->at, round + 1, memfd);
    stale = turns_up(lane, round);
    return take_aside(lane, round) || stale;
}

/* One that is followed already, and so open to whoever has a translation. */
static bool try_spare(const struct lane *lane, unsigned round)
{
    bool stale;

    move_page((void *)(lane->at + SPARE), (void *)lane->at);
    stale = turns_up(lane, round);
    move_page((void *)lane->at, (void *)(lane->at + SPARE));
    return has_number(lane->at + SPARE, round) || stale;
}

/* A page that the device wrote to this round. Whether the last round's number is there,
 * of which there was nothing left. */
static bool write_page(struct lane *lane, unsigned round, int memfd)
{
    map_some(lane->at, round, memfd);
    tell(&lane->round, round);
    NEED(wait_for(&lane->landed, round));
    NEED(has_number(lane->at, round));
    return has_number(lane->at, round - 1);
}

static void one_round(struct lane *lane, unsigned round, int memfd)
{
    bool stale = write_page(lane, round, memfd);

    stale = take_away(lane, round) || stale;
    stale = (round % 2 == 0 ? try_spare(lane, round)
                            : try_fresh(lane, round, memfd)) ||
            stale;
    atomic_fetch_add(&lane->stale, stale);
    atomic_fetch_add(&lane->done, 1);
}

/* The first round's page is kept: it is followed. */
static void make_spare(struct lane *lane)
{
    (void)write_page(lane, 1, -1);
    move_page((void *)(lane->at), (void *)(lane->at + SPARE));
    atomic_fetch_add(&lane->done, 1);
}

static time_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool is_through(const struct lane *lane, unsigned round)
{
    if (lane != &board->lane[0])
        return atomic_load(&board->stop);
    return round > board->rounds || now_s() > board->until;
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
            usleep(1000); /* the other lane's rounds are those that count */
    }
    if (first)
        atomic_store(&board->stop, true);
    tell(&lane->round, UINT32_MAX);
    close(memfd);
    return NULL;
}

/* The ranges are the lanes' own: nothing else is ever put there. */
void lanes_process(struct shared *s)
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

void lanes_reuse_once(struct shared *s)
{
    char *memory = map_pages(3);
    char *at = memory, *spare = memory + 2 * PAGE;
    volatile uint32_t *word = (volatile uint32_t *)(void *)at + 1;

    NEED(munmap(memory + PAGE, PAGE) == 0);
    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    ((volatile uint32_t *)(void *)spare)[1] = 5;
    NEED(munmap(at, PAGE) == 0);
    move_page(spare, at);
    meet_host(s, 2);
    atomic_store(&s->n[1], *word != 5);
    meet_host(s, 3);
}

/* ---- the device ------------------------------------------------------------------- */

struct engine {
    pthread_t thread;
    const struct lanes_device *device;
    void *ctx;
    unsigned n;
    struct lane *lane;
    bool ok;
    uint64_t writes;
};

/* Writes for as long as the translation is there; how often. */
static unsigned write_on(struct engine *e, uint32_t round)
{
    const uint64_t va = (uintptr_t)word_of(e->lane->at, round);
    unsigned n = 0;

    while (e->device->write(e->ctx, e->n, va, round)) {
        tell(&e->lane->landed, round);
        if (++n % 2 == 0)
            sched_yield(); /* the process has to get on as well */
    }
    return n;
}

/* One translation, in use until it is taken. False: there was none to have. */
static bool serve_round(struct engine *e, uint32_t round)
{
    for (unsigned i = 0; i < 1000; i++) {
        unsigned n;

        if (!e->device->fault(e->ctx, e->n, e->lane->at))
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

static unsigned times(void)
{
    const char *text = getenv("UIOMMU_ROUNDS");

    return text ? (unsigned)strtoul(text, NULL, 10) : 1;
}

void lanes_open(unsigned rounds)
{
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(board != MAP_FAILED);
    board->rounds = rounds * times() / share();
    board->until = now_s() + LIMIT_S + board->rounds / 100;
}

/* Threads are no place for assertions. */
void lanes_run(struct stand *s, const struct lanes_device *device, void *ctx)
{
    struct engine engine[LANES];

    stand_meet(s, 1);
    for (unsigned i = 0; i < LANES; i++) {
        engine[i] = (struct engine){
            .device = device, .ctx = ctx, .n = i, .lane = &board->lane[i]
        };
        assert_int_equal(
            pthread_create(&engine[i].thread, NULL, run_engine, &engine[i]), 0);
    }
    stand_go(s, 1);
    for (unsigned i = 0; i < LANES; i++) {
        pthread_join(engine[i].thread, NULL);
        assert_true(engine[i].ok);
        printf("# shown: lane %u: %u rounds, %lu writes, %u stale\n", i,
               board->lane[i].done, (unsigned long)engine[i].writes,
               board->lane[i].stale);
    }
    stand_meet(s, 2);
    stand_go(s, 2);
}

unsigned lanes_close(void)
{
    unsigned stale = 0;

    assert_int_equal(board->lane[0].done, board->rounds);
    assert_true(board->lane[1].done > 0);
    for (unsigned i = 0; i < LANES; i++)
        stale += board->lane[i].stale;
    munmap(board, sizeof(*board));
    return stale;
}

bool lanes_reused(unsigned pid, uint64_t at)
{
    char path[40];
    bool reused = false;
    int pagemap;

    snprintf(path, sizeof(path), "/proc/%u/pagemap", pid);
    pagemap = open(path, O_RDONLY | O_CLOEXEC);
    for (unsigned ms = 0; ms < WAIT_S * 1000 && !reused; ms++) {
        reused = process_pages_followed(pagemap, at, at + PAGE - 1);
        usleep(1000);
    }
    close(pagemap);
    return reused;
}
