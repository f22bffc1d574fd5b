/* SPDX-License-Identifier: MIT */
/*
 * Whatever takes a range away from the process takes its translations away before the
 * system call returns; what changes nothing of the kind disturbs nobody. And the order
 * in which that happens.
 */
#include "tests/process/child.h"

#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PAGES = 4, HUGE = 2 << 20, HUGE_2M = 21 << 26 };

/* ---- each way to take pages away ------------------------------------------------ */

/* Does something to PAGES pages, with anything else done before the first step. */
struct way {
    const char *name;
    void (*prepare)(struct shared *s);
    void (*change)(char *at);
    unsigned left; /* of the pages, by bit: what stays translated            */
};

static const struct way *way; /* the child is a fork, and knows it           */

static void prepare_memory(struct shared *s)
{
    /* Nothing next to it that it could be one mapping with. */
    char *at = map_pages(PAGES + 2);

    NEED(mprotect(at, PAGE, PROT_NONE) == 0);
    NEED(mprotect(at + (PAGES + 1) * PAGE, PAGE, PROT_NONE) == 0);
    atomic_store(&s->at, (uintptr_t)at + PAGE);
}

static void prepare_shared_memory(struct shared *s)
{
    int fd = memfd_create("memory", MFD_CLOEXEC);
    void *at;

    NEED(fd >= 0 && ftruncate(fd, PAGES * PAGE) == 0);
    at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    NEED(at != MAP_FAILED);
    close(fd);
    atomic_store(&s->at, (uintptr_t)at);
}

static void prepare_heap(struct shared *s)
{
    uintptr_t at = ((uintptr_t)sbrk(0) + PAGE - 1) & ~(uintptr_t)(PAGE - 1);

    NEED(brk((void *)(at + PAGES * PAGE)) == 0);
    atomic_store(&s->at, at);
}

/* One, if there is any in the kernel's reserve. */
static void prepare_huge_page(struct shared *s)
{
    void *at = mmap(NULL, HUGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | HUGE_2M, -1, 0);

    atomic_store(&s->at, at == MAP_FAILED ? 0 : (uintptr_t)at);
}

static void unmap_huge_page(char *at)
{
    NEED(munmap(at, HUGE) == 0);
}

static void drop_huge_page(char *at)
{
    NEED(madvise(at, HUGE, MADV_DONTNEED) == 0);
}

static void unmap_all(char *at)
{
    NEED(munmap(at, PAGES * PAGE) == 0);
}

static void unmap_the_second(char *at)
{
    NEED(munmap(at + PAGE, PAGE) == 0);
}

static void unmap_more(char *at)
{
    NEED(munmap(at - PAGE, (PAGES + 2) * PAGE) == 0);
}

static void map_over(char *at)
{
    NEED(mmap(at + PAGE, 2 * PAGE, PROT_READ,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at + PAGE);
}

static void move(char *at)
{
    char *to = mremap(at, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);

    NEED(to != MAP_FAILED && to != at);
}

static void move_over(char *at)
{
    char *to = map_pages(PAGES);

    NEED(mremap(to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
}

static void move_the_pages(char *at)
{
    NEED(mremap(at, PAGES * PAGE, PAGES * PAGE,
                MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL) != MAP_FAILED);
}

static void shrink(char *at)
{
    NEED(mremap(at, PAGES * PAGE, PAGE, 0) == at);
}

static void shrink_the_heap(char *at)
{
    NEED(brk(at + PAGE) == 0);
}

static void drop(char *at)
{
    NEED(madvise(at + PAGE, PAGE, MADV_DONTNEED) == 0);
}

static void punch(char *at)
{
    NEED(madvise(at, 2 * PAGE, MADV_REMOVE) == 0);
}

static void protect(char *at)
{
    NEED(mprotect(at, PAGES * PAGE, PROT_READ) == 0);
}

static void advise(char *at)
{
    NEED(madvise(at, PAGES * PAGE, MADV_RANDOM) == 0);
    NEED(madvise(at, PAGES * PAGE, MADV_COLD) == 0);
}

static void map_elsewhere(char *at)
{
    char *other = map_pages(2);

    NEED(other != at);
    other[0] = 1;
    NEED(munmap(other, 2 * PAGE) == 0);
}

static const struct way ways[] = {
    { "munmap", prepare_memory, unmap_all, 0 },
    { "munmap of one page", prepare_memory, unmap_the_second, 13 },
    { "munmap of more", prepare_memory, unmap_more, 0 },
    { "mmap over it", prepare_memory, map_over, 9 },
    { "mremap", prepare_memory, move, 0 },
    { "mremap over it", prepare_memory, move_over, 14 },
    { "mremap that leaves the mapping", prepare_memory, move_the_pages, 0 },
    { "mremap to less", prepare_memory, shrink, 1 },
    { "brk", prepare_heap, shrink_the_heap, 1 },
    { "MADV_DONTNEED", prepare_memory, drop, 13 },
    { "MADV_REMOVE", prepare_shared_memory, punch, 12 },
    { "munmap of shared memory", prepare_shared_memory, unmap_all, 0 },
    { "munmap of a huge page", prepare_huge_page, unmap_huge_page, 0 },
    { "MADV_DONTNEED of a huge page", prepare_huge_page, drop_huge_page, 0 },
    /* Rights are looked at by each access. */
    { "mprotect", prepare_memory, protect, 15 },
    { "advice", prepare_memory, advise, 15 },
    { "what is unmapped elsewhere", prepare_memory, map_elsewhere, 15 },
};

static void changes_its_mappings(struct shared *s)
{
    way->prepare(s);
    meet_host(s, 1);
    if (atomic_load(&s->at) == 0)
        return;
    way->change((char *)atomic_load(&s->at));
    meet_host(s, 2);
}

static void try_way(const struct way *w)
{
    struct stand s;
    uint64_t at;

    way = w;
    stand_open(&s, changes_its_mappings);
    stand_meet(&s, 1);
    at = stand_address(&s);
    if (at == 0) {
        printf("# %s: this system has none\n", w->name);
        stand_go(&s, 1);
        stand_close(&s);
        return;
    }
    for (unsigned i = 0; i < PAGES; i++)
        assert_int_equal(device_store(&s.device, at + i * PAGE, i), PROCESS_OK);
    stand_go(&s, 1);
    stand_meet(&s, 2);
    for (unsigned i = 0; i < PAGES; i++)
        if (device_has(&s.device, at + i * PAGE) != (w->left >> i & 1))
            fail_msg("%s: page %u is%s translated", w->name, i,
                     w->left >> i & 1 ? " not" : "");
    stand_go(&s, 2);
    stand_close(&s);
}

static void what_is_taken_away_is_not_translated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
        try_way(&ways[i]);
}

/* ---- the order ------------------------------------------------------------------- */

static void unmaps_a_page(struct shared *s)
{
    char *at = map_pages(1);

    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(munmap(at, PAGE) == 0);
    atomic_store(&s->n[1], 1);
    meet_host(s, 2);
}

/* The device takes its time: the process has all it needs to go on, if it could. */
static void slowly(struct device *d)
{
    for (unsigned i = 0; i < 50; i++) {
        usleep(1000);
        if (atomic_load(&d->shared->n[1]))
            atomic_store(&d->shared->n[2], 1);
    }
}

static void munmap_waits_for_the_device_to_stop(void **state)
{
    struct stand s;

    (void)state;
    stand_open(&s, unmaps_a_page);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    s.device.on_stop = slowly;
    stand_go(&s, 1);
    stand_meet(&s, 2);
    assert_int_equal(s.shared->n[2], 0);
    assert_int_equal(s.device.stops, 1);
    assert_false(device_has(&s.device, stand_address(&s)));
    s.device.on_stop = NULL;
    stand_go(&s, 2);
    stand_close(&s);
}

static void must_be_stopped(struct device *d)
{
    if (!atomic_load(&d->stopping) || pthread_mutex_trylock(&d->busy) == 0)
        atomic_store(&d->shared->n[2], 1);
}

static void the_device_stands_still_until_it_has_forgotten(void **state)
{
    struct stand s;

    (void)state;
    stand_open(&s, unmaps_a_page);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    s.device.on_invalidate = must_be_stopped;
    stand_go(&s, 1);
    stand_meet(&s, 2);
    assert_true(wait_for(&s.device.invalidations, 1));
    assert_int_equal(s.shared->n[2], 0);
    assert_int_equal(s.device.invalidations, 1);
    stand_go(&s, 2);
    stand_close(&s);
}

/* So it does when it is told of a refused access. */
static void it_stands_still_for_what_was_refused_as_well(void **state)
{
    struct stand s;

    (void)state;
    stand_open_stepped(&s, unmaps_a_page);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    assert_int_equal(process_write(s.p, 0, "x", 1, NULL), PROCESS_REFUSED);
    s.device.on_invalidate = must_be_stopped;
    assert_int_equal(process_step(s.p, WAIT_S * 1000), PROCESS_OK);
    assert_int_equal(s.shared->n[2], 0);
    assert_int_equal(s.device.invalidations, 1);
    assert_int_equal(process_step(s.p, 0), PROCESS_OK);
    assert_int_equal(s.device.stops, 1);
    stand_go(&s, 1);
    assert_int_equal(process_step(s.p, WAIT_S * 1000), PROCESS_OK);
    stand_meet(&s, 2);
    stand_go(&s, 2);
    stand_close(&s);
}

/* An access that has begun ends first: munmap() returns after it. */
static void an_access_that_is_under_way_ends_first(void **state)
{
    struct stand s;

    (void)state;
    stand_open(&s, unmaps_a_page);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    pthread_mutex_lock(&s.device.busy);
    stand_go(&s, 1);
    slowly(&s.device);
    assert_int_equal(s.shared->n[2], 0);
    pthread_mutex_unlock(&s.device.busy);
    stand_meet(&s, 2);
    stand_go(&s, 2);
    stand_close(&s);
}

/* ---- a device that cannot forget now ----------------------------------------------- */

/* The process goes on; the range is invalidated as soon as it can be, and then no more. */
static void what_is_put_off_is_said_again(void **state)
{
    struct stand s;

    (void)state;
    stand_open_stepped(&s, unmaps_a_page);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    s.device.asleep = true;
    stand_go(&s, 1);
    assert_int_equal(process_step(s.p, WAIT_S * 1000), PROCESS_OK);
    stand_meet(&s, 2);
    assert_int_equal(process_step(s.p, -1), PROCESS_OK);
    assert_true(s.device.invalidations > 1);
    assert_true(device_has(&s.device, stand_address(&s)));
    s.device.asleep = false;
    assert_int_equal(process_step(s.p, -1), PROCESS_OK);
    assert_false(device_has(&s.device, stand_address(&s)));
    s.device.invalidations = 0;
    assert_int_equal(process_step(s.p, 0), PROCESS_OK);
    assert_int_equal(s.device.invalidations, 0);
    stand_go(&s, 2);
    stand_close(&s);
}

/* ---- a fault that meets an event -------------------------------------------------- */

/* The event is there before the grant: it would be granted what is not there. */
static void nothing_is_granted_while_an_event_waits(void **state)
{
    struct stand s;
    const uint64_t other = (uintptr_t)&ways & ~(uintptr_t)(PAGE - 1);

    (void)state;
    stand_open_stepped(&s, unmaps_a_page);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    stand_go(&s, 1);
    for (unsigned i = 0; i < 20000; i++) {
        if (process_fault(s.p, other, UIOMMU_READ, NULL) != PROCESS_OK)
            break;
        usleep(100);
    }
    assert_int_equal(process_fault(s.p, other, UIOMMU_READ, NULL),
                     PROCESS_AGAIN);
    assert_int_equal(process_step(s.p, 0), PROCESS_OK);
    assert_int_equal(process_fault(s.p, other, UIOMMU_READ, NULL), PROCESS_OK);
    assert_int_equal(process_fault(s.p, stand_address(&s), UIOMMU_READ, NULL),
                     PROCESS_REFUSED);
    stand_meet(&s, 2);
    stand_go(&s, 2);
    stand_close(&s);
}

/* In place of the C library's: something happens while a fault makes its page present. */
static void (*while_touching)(struct stand *s);
static struct stand *touching;

ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long n,
                         const struct iovec *remote, unsigned long m,
                         unsigned long flags)
{
    void (*happen)(struct stand *) = while_touching;

    while_touching = NULL;
    if (happen)
        happen(touching);
    return syscall(SYS_process_vm_readv, pid, local, n, remote, m, flags);
}

static void reuses_its_page(struct shared *s)
{
    char *at = map_pages(1);

    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(munmap(at, PAGE) == 0);
    NEED(map_pages_at(at, 1) == at);
    meet_host(s, 2);
    meet_host(s, 3);
}

/* The event comes, is served and forgotten; what is there then, nobody follows. */
static void let_it_reuse(struct stand *s)
{
    stand_go(s, 1);
    assert_int_equal(process_step(s->p, WAIT_S * 1000), PROCESS_OK);
    stand_meet(s, 2);
}

static void nothing_is_granted_that_went_meanwhile(void **state)
{
    struct stand s;
    uint64_t at;

    (void)state;
    stand_open_stepped(&s, reuses_its_page);
    stand_meet(&s, 1);
    at = stand_address(&s);
    touching = &s;
    while_touching = let_it_reuse;
    assert_int_equal(process_fault(s.p, at, UIOMMU_READ, NULL), PROCESS_AGAIN);
    assert_false(device_has(&s.device, at));
    assert_int_equal(s.device.invalidations, 1);
    stand_go(&s, 2);
    stand_meet(&s, 3);
    assert_int_equal(device_store(&s.device, at, 1), PROCESS_OK);
    stand_go(&s, 3);
    stand_close(&s);
}

/* What is not there is refused even before anybody was told: the kernel is asked. */
static void an_access_finds_out_by_itself(void **state)
{
    struct stand s;
    uint64_t at;

    (void)state;
    stand_open_stepped(&s, unmaps_a_page);
    stand_meet(&s, 1);
    at = stand_address(&s);
    assert_int_equal(device_store(&s.device, at, 1), PROCESS_OK);
    stand_go(&s, 1);
    while (device_write(&s.device, at, "x", 1) == HIT)
        sched_yield();
    assert_int_equal(s.shared->n[1], 0);
    assert_int_equal(process_step(s.p, WAIT_S * 1000), PROCESS_OK);
    assert_false(device_has(&s.device, at));
    stand_meet(&s, 2);
    stand_go(&s, 2);
    stand_close(&s);
}

static void *unmaps_in_a_thread(void *arg)
{
    char *at = arg;

    NEED(munmap(at, PAGE) == 0);
    return NULL;
}

/*
 * What Linux cannot promise: the range is free before anybody is told, and another
 * thread may be given it while munmap() has not returned. An access asks the kernel,
 * which knows the mapping for one that nobody follows.
 */
static void unmaps_and_reuses(struct shared *s)
{
    char *at = map_pages(1);
    pthread_t thread;

    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(pthread_create(&thread, NULL, unmaps_in_a_thread, at) == 0);
    while (mmap(at, PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
        sched_yield();
    meet_host(s, 2);
    NEED(at[0] == 0);
    NEED(pthread_join(thread, NULL) == 0);
    meet_host(s, 3);
}

static void another_thread_may_have_the_range_before(void **state)
{
    struct stand s;
    uint64_t at;

    (void)state;
    stand_open_stepped(&s, unmaps_and_reuses);
    stand_meet(&s, 1);
    at = stand_address(&s);
    assert_int_equal(device_store(&s.device, at, 1), PROCESS_OK);
    stand_go(&s, 1);
    stand_meet(&s, 2);
    assert_int_equal(device_write(&s.device, at, "x", 1), FAILED);
    stand_go(&s, 2);
    assert_int_equal(process_step(s.p, WAIT_S * 1000), PROCESS_OK);
    assert_false(device_has(&s.device, at));
    stand_meet(&s, 3);
    assert_int_equal(device_store(&s.device, at, 1), PROCESS_OK);
    stand_go(&s, 3);
    stand_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_away_is_not_translated),
        cmocka_unit_test(munmap_waits_for_the_device_to_stop),
        cmocka_unit_test(the_device_stands_still_until_it_has_forgotten),
        cmocka_unit_test(it_stands_still_for_what_was_refused_as_well),
        cmocka_unit_test(an_access_that_is_under_way_ends_first),
        cmocka_unit_test(what_is_put_off_is_said_again),
        cmocka_unit_test(nothing_is_granted_while_an_event_waits),
        cmocka_unit_test(nothing_is_granted_that_went_meanwhile),
        cmocka_unit_test(an_access_finds_out_by_itself),
        cmocka_unit_test(another_thread_may_have_the_range_before),
    };

    return RUN(tests);
}
