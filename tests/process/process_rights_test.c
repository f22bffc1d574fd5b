/* SPDX-License-Identifier: MIT */
/*
 * A device can do what the process could do at that address, and no more: whatever the
 * memory is, and however its protection changes.
 */
#include "tests/process/child.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include "hosts/process/kernel.h"

enum { R = UIOMMU_READ, W = UIOMMU_WRITE, X = UIOMMU_EXEC };

/* Of which older headers do not know. */
enum { GUARD_INSTALL = 102, HUGE_2M = 21 << 26 };

/* ---- kinds of memory ---------------------------------------------------------- */

/* What a device may do there, as UIOMMU_READ and so on; and what it then finds. */
struct memory {
    const char *name;
    void *(*make)(void);
    unsigned may;
};

static const struct memory *memory; /* the child is a fork, and knows it     */

static void *with_rights(int prot)
{
    void *at = map_pages(1);

    *(uint32_t *)at = 7;
    NEED(mprotect(at, PAGE, prot) == 0);
    return at;
}

static void *read_write(void)
{
    return with_rights(PROT_READ | PROT_WRITE);
}

static void *read_only(void)
{
    return with_rights(PROT_READ);
}

static void *write_only(void)
{
    return with_rights(PROT_WRITE);
}

static void *execute(void)
{
    return with_rights(PROT_READ | PROT_EXEC);
}

static void *nothing(void)
{
    return with_rights(PROT_NONE);
}

static void *unmapped(void)
{
    return free_address();
}

static void *of_the_kernel(void)
{
    return (void *)(UINTPTR_MAX - PAGE + 1);
}

static void *of_a_file(size_t size, int open_flags, int prot, int flags)
{
    char path[] = "/tmp/uiommu-process-XXXXXX";
    const uint32_t seven = 7;
    int fd = mkstemp(path), again;
    void *at;

    NEED(fd >= 0 && pwrite(fd, &seven, sizeof(seven), 0) == sizeof(seven));
    NEED(ftruncate(fd, (off_t)size) == 0);
    again = open(path, open_flags);
    NEED(again >= 0 && unlink(path) == 0);
    at = mmap(NULL, 2 * PAGE, prot, flags, again, 0);
    NEED(at != MAP_FAILED);
    close(fd);
    close(again);
    return at;
}

static void *private_file(void)
{
    return of_a_file(PAGE, O_RDONLY, PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

static void *private_file_to_read(void)
{
    return of_a_file(PAGE, O_RDONLY, PROT_READ, MAP_PRIVATE);
}

static void *shared_file(void)
{
    return of_a_file(PAGE, O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED);
}

static void *shared_file_to_read(void)
{
    return of_a_file(PAGE, O_RDWR, PROT_READ, MAP_SHARED);
}

/* The kernel follows only what could be written to. */
static void *shared_file_never_to_write(void)
{
    return of_a_file(PAGE, O_RDONLY, PROT_READ, MAP_SHARED);
}

static void *behind_the_end_of_a_file(void)
{
    return (char *)of_a_file(PAGE, O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED) +
           PAGE;
}

static void *anonymous_shared(void)
{
    uint32_t *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    NEED(at != MAP_FAILED);
    *at = 7;
    return at;
}

static void *never_touched(void)
{
    return map_pages(1);
}

/* 2 MiB in one, if the system has any. */
static void *huge(void)
{
    const size_t size = 2u << 20;
    char *at = map_pages(2 * size / PAGE);

    at = (char *)(((uintptr_t)at + size - 1) & ~(uintptr_t)(size - 1));
    (void)madvise(at, size, MADV_HUGEPAGE);
    memset(at, 0, size);
    *(uint32_t *)(void *)(at + 7 * PAGE) = 7;
    return at + 7 * PAGE;
}

/* Of the kernel's reserve, which may be empty: NULL. */
static void *huge_pages(void)
{
    uint32_t *at =
        mmap(NULL, 2u << 20, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | HUGE_2M, -1, 0);

    if (at == MAP_FAILED)
        return NULL;
    at[9 * PAGE / 4] = 7;
    return at + 9 * PAGE / 4;
}

static void *huge_file(void)
{
    int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);
    char *at = MAP_FAILED;

    if (fd >= 0 && ftruncate(fd, 2 << 20) == 0)
        at = mmap(NULL, 2u << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return at == MAP_FAILED ? NULL : at + PAGE;
}

static void *below_4_gib(void)
{
    return map_pages_at((void *)(uintptr_t)0x7654000, 1);
}

/* The page is more than 4 GiB behind its first. */
static void *of_a_large_mapping(void)
{
    char *at = mmap(NULL, (size_t)6 << 30, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return at == MAP_FAILED ? NULL : at + ((size_t)5 << 30);
}

/* Of the mapping, and yet nobody may go there (Linux 6.13). */
static void *guard_page(void)
{
    char *at = map_pages(3);

    memset(at, 7, 3 * PAGE);
    return madvise(at + PAGE, PAGE, GUARD_INSTALL) == 0 ? at + PAGE : NULL;
}

static void *on_the_stack(void)
{
    static char *volatile at;
    char here[3 * PAGE];

    at = here;
    at = (char *)(((uintptr_t)at + PAGE) & ~(uintptr_t)(PAGE - 1));
    return at;
}

static void *below_the_stack(void)
{
    char here;
    uintptr_t at = (uintptr_t)&here;

    return (void *)((at & ~(uintptr_t)(PAGE - 1)) - 256 * PAGE);
}

/* shmdt() unmaps without an event, so it is not followed. */
static void *system_v(void)
{
    int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0600);
    void *at = shmat(id, NULL, 0);

    NEED(id >= 0 && at != (void *)-1);
    NEED(shmctl(id, IPC_RMID, NULL) == 0);
    return at;
}

static void *of_the_vdso(void)
{
    void *at = (void *)(uintptr_t)getauxval(AT_SYSINFO_EHDR);

    return at ? at : nothing();
}

static const struct memory memories[] = {
    { "private, rw", read_write, R | W },
    { "private, r", read_only, R },
    { "private, w", write_only, W },
    { "private, rx", execute, R | X },
    { "private, no rights", nothing, 0 },
    { "private, never touched", never_touched, R | W },
    { "private, huge", huge, R | W },
    { "huge pages", huge_pages, R | W },
    { "shared file of huge pages", huge_file, R | W },
    { "private, below 4 GiB", below_4_gib, R | W },
    { "private, of more than 4 GiB", of_a_large_mapping, R | W },
    { "guard page", guard_page, 0 },
    { "unmapped", unmapped, 0 },
    { "the kernel's", of_the_kernel, 0 },
    { "private file, rw", private_file, R | W },
    { "private file, r", private_file_to_read, R },
    { "shared file, rw", shared_file, R | W },
    { "shared file, r", shared_file_to_read, R },
    { "shared file, never to write", shared_file_never_to_write, 0 },
    { "behind the end of a file", behind_the_end_of_a_file, 0 },
    { "shared memory", anonymous_shared, R | W },
    { "stack", on_the_stack, R | W },
    { "below the stack", below_the_stack, 0 },
    { "System V shared memory", system_v, 0 },
    { "vDSO", of_the_vdso, R | X },
};

static void makes_memory(struct shared *s)
{
    atomic_store(&s->at, (uintptr_t)memory->make());
    meet_host(s, 1);
}

static void check_right(struct stand *s, const struct memory *m, unsigned right)
{
    const uint64_t at = stand_address(s);
    enum process_status status = process_fault(s->p, at, right, NULL);
    const bool may = m->may & right;

    if (m->make == of_the_vdso && status == PROCESS_REFUSED)
        return; /* an architecture that has none */
    if ((status == PROCESS_OK) != may)
        fail_msg("%s: right %u: status %d", m->name, right, (int)status);
    if (!may && status != PROCESS_REFUSED)
        fail_msg("%s: right %u: status %d", m->name, right, (int)status);
}

static void try_memory(const struct memory *m)
{
    struct stand s;
    const uint32_t eight = 8;
    uint32_t value = 0;
    enum hit hit;

    memory = m;
    stand_open(&s, makes_memory);
    stand_meet(&s, 1);
    if (stand_address(&s) == 0) {
        printf("# %s: this system has none\n", m->name);
        stand_go(&s, 1);
        stand_close(&s);
        return;
    }
    for (unsigned right = R; right <= X; right *= 2)
        check_right(&s, m, right);
    /* And by accesses: what was granted, the kernel allows. */
    if (m->may & W) {
        hit = device_write(&s.device, stand_address(&s), &eight, 4);
        if (hit != HIT)
            fail_msg("%s: a write failed", m->name);
    } else {
        assert_int_equal(process_write(s.p, stand_address(&s), &eight, 4, NULL),
                         PROCESS_REFUSED);
    }
    if ((m->may & (R | W)) == (R | W)) {
        assert_int_equal(device_read(&s.device, stand_address(&s), &value, 4),
                         HIT);
        assert_int_equal(value, 8);
    }
    stand_go(&s, 1);
    stand_close(&s);
}

static void a_device_has_the_rights_of_the_process(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(memories) / sizeof(*memories); i++)
        try_memory(&memories[i]);
}

/* ---- what is a fault for a device disturbs nothing ------------------------------- */

static void has_two_views(struct shared *s)
{
    int fd = memfd_create("file", MFD_CLOEXEC);
    uint32_t *shared, *copy;

    NEED(fd >= 0 && ftruncate(fd, PAGE) == 0);
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    NEED(shared != MAP_FAILED && copy != MAP_FAILED);
    shared[0] = 1;
    NEED(copy[0] == 1);
    atomic_store(&s->at, (uintptr_t)copy);
    meet_host(s, 1);
    /* The fault for a write made a page of the copy's own, and wrote nothing. */
    shared[0] = 2;
    NEED(copy[0] == 1);
    meet_host(s, 2);
    NEED(copy[0] == 3 && shared[0] == 2);
}

static void a_fault_for_a_write_copies_and_writes_nothing(void **state)
{
    struct stand s;
    unsigned rights = 0;

    (void)state;
    stand_open(&s, has_two_views);
    stand_meet(&s, 1);
    assert_int_equal(process_fault(s.p, stand_address(&s), W, &rights),
                     PROCESS_OK);
    assert_int_equal(rights, R | W);
    stand_go(&s, 1);
    stand_meet(&s, 2);
    assert_int_equal(device_store(&s.device, stand_address(&s), 3), PROCESS_OK);
    stand_go(&s, 2);
    stand_close(&s);
}

/* ---- protection that changes ------------------------------------------------------ */

static void changes_protection(struct shared *s)
{
    uint32_t *at = map_pages(1);

    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(at[0] == 1 && mprotect(at, PAGE, PROT_READ) == 0);
    meet_host(s, 2);
    NEED(at[0] == 1 && mprotect(at, PAGE, PROT_NONE) == 0);
    meet_host(s, 3);
    NEED(mprotect(at, PAGE, PROT_READ | PROT_WRITE) == 0 && at[0] == 1);
    meet_host(s, 4);
    NEED(at[0] == 4);
}

/* The translation stays, as mprotect() tells nobody; the access is refused. */
static void a_right_that_was_taken_is_refused_at_once(void **state)
{
    struct stand s;
    uint32_t value = 2;
    uint64_t at;

    (void)state;
    stand_open(&s, changes_protection);
    stand_meet(&s, 1);
    at = stand_address(&s);
    assert_int_equal(device_store(&s.device, at, 1), PROCESS_OK);
    stand_go(&s, 1);
    stand_meet(&s, 2);
    assert_true(device_has(&s.device, at));
    assert_int_equal(device_write(&s.device, at, &value, 4), FAILED);
    assert_true(device_loses(&s.device, at));
    assert_int_equal(device_store(&s.device, at, 2), PROCESS_REFUSED);
    assert_int_equal(device_load(&s.device, at, &value), PROCESS_OK);
    assert_int_equal(value, 1);
    stand_go(&s, 2);
    stand_meet(&s, 3);
    assert_int_equal(device_read(&s.device, at, &value, 4), FAILED);
    assert_true(device_loses(&s.device, at));
    assert_int_equal(device_load(&s.device, at, &value), PROCESS_REFUSED);
    stand_go(&s, 3);
    stand_meet(&s, 4);
    assert_int_equal(device_store(&s.device, at, 4), PROCESS_OK);
    stand_go(&s, 4);
    stand_close(&s);
}

/* ---- accesses over several pages --------------------------------------------------- */

static void has_a_hole_behind(struct shared *s)
{
    char *at = map_pages(3);

    NEED(mprotect(at + 2 * PAGE, PAGE, PROT_NONE) == 0);
    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(at[PAGE - 1] == 9 && at[PAGE] == 9 && at[2 * PAGE - 1] == 9);
    meet_host(s, 2);
}

static void an_access_says_how_far_it_came(void **state)
{
    static char nines[2 * PAGE];
    struct stand s;
    size_t done = 99;
    uint64_t at;

    (void)state;
    memset(nines, 9, sizeof(nines));
    stand_open(&s, has_a_hole_behind);
    stand_meet(&s, 1);
    at = stand_address(&s);
    assert_int_equal(device_fault(&s.device, at, W), PROCESS_OK);
    assert_int_equal(device_fault(&s.device, at + PAGE, W), PROCESS_OK);
    assert_int_equal(device_fault(&s.device, at + 2 * PAGE, W),
                     PROCESS_REFUSED);
    assert_int_equal(device_write(&s.device, at + PAGE - 1, nines, PAGE + 1),
                     HIT);
    stand_go(&s, 1);
    stand_meet(&s, 2);
    /* The last page was never granted; the process's rights count all the same. */
    assert_int_equal(process_write(s.p, at + 2 * PAGE - 4, nines, 8, &done),
                     PROCESS_REFUSED);
    assert_true(done == 0 || done == 4);
    assert_int_equal(process_write(s.p, at, nines, 0, &done), PROCESS_OK);
    assert_int_equal(done, 0);
    assert_int_equal(process_write(s.p, UINTPTR_MAX - 3, nines, 8, &done),
                     PROCESS_REFUSED);
    assert_int_equal(process_fault(s.p, at, 0, NULL), PROCESS_REFUSED);
    assert_int_equal(process_fault(s.p, at, R | 64, NULL), PROCESS_REFUSED);
    stand_go(&s, 2);
    stand_close(&s);
}

/* ---- asking for a mapping: two ways, one answer -------------------------------------- */

static void the_two_ways_to_ask_agree(void **state)
{
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    struct process_vma a, b;
    unsigned found = 0;
    uint64_t va = 0;
    bool known = true;

    (void)state;
    assert_true(maps >= 0);
    (void)process_vma_query(maps, (uintptr_t)&a, &a, &known);
    if (!known) {
        printf("NA: %s: PROCMAP_QUERY is of Linux 6.11\n", __func__);
        close(maps);
        return;
    }
    while (found < 200) {
        char line[256];
        FILE *file = fopen("/proc/self/maps", "r");
        unsigned i = 0;
        uint64_t next = 0;

        assert_non_null(file);
        while (fgets(line, sizeof(line), file))
            if (!strstr(line, "[vsyscall]") && i++ == found)
                next = strtoull(line, NULL, 16);
        fclose(file);
        if (next == 0)
            break;
        va = next;
        assert_true(process_vma_query(maps, va, &a, &known));
        assert_true(process_vma_read(maps, va, &b));
        assert_int_equal(a.first, b.first);
        assert_int_equal(a.first, va);
        assert_int_equal(a.last, b.last);
        assert_int_equal(a.rights, b.rights);
        assert_int_equal(a.shm, b.shm);
        found++;
    }
    assert_true(found > 5);
    assert_false(process_vma_query(maps, 1, &a, &known));
    assert_true(known);
    assert_false(process_vma_read(maps, 1, &a));
    close(maps);
}

static void both_ways_know_system_v_memory(void **state)
{
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    struct process_vma vma = { 0 };
    void *at = system_v();
    bool known;

    (void)state;
    assert_true(process_vma_read(maps, (uintptr_t)at, &vma));
    assert_true(vma.shm);
    vma.shm = false;
    if (process_vma_query(maps, (uintptr_t)at, &vma, &known))
        assert_true(vma.shm);
    shmdt(at);
    close(maps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_has_the_rights_of_the_process),
        cmocka_unit_test(a_fault_for_a_write_copies_and_writes_nothing),
        cmocka_unit_test(a_right_that_was_taken_is_refused_at_once),
        cmocka_unit_test(an_access_says_how_far_it_came),
        cmocka_unit_test(the_two_ways_to_ask_agree),
        cmocka_unit_test(both_ways_know_system_v_memory),
    };

    return RUN(tests);
}
