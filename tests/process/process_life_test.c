/* SPDX-License-Identifier: MIT */
/*
 * How a process is found, and how it ends: by itself, by a signal, by another program
 * in its place, and while somebody waits for it.
 */
#include "tests/process/child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>

#include "hosts/process/kernel.h"

enum { PAGEMAP_SCAN_SIZE = 96 };
#define PAGEMAP_SCAN_CODE                                                      \
    ((uint32_t)_IOC(_IOC_READ | _IOC_WRITE, 'f', 16, PAGEMAP_SCAN_SIZE))

static void end(struct stand *s, int signal)
{
    int status;

    kill(s->pid, signal);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    s->pid = 0;
}

/* ---- a process and a device --------------------------------------------------- */

static void has_a_page(struct shared *s)
{
    uint32_t *at = map_pages(1);

    at[0] = 0x11;
    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(at[1] == 0x22);
}

static void a_device_sees_what_the_process_sees(void **state)
{
    struct stand s;
    uint32_t value = 0;

    (void)state;
    stand_open(&s, has_a_page);
    stand_meet(&s, 1);
    assert_int_equal(device_load(&s.device, stand_address(&s), &value),
                     PROCESS_OK);
    assert_int_equal(value, 0x11);
    assert_int_equal(device_store(&s.device, stand_address(&s) + 4, 0x22),
                     PROCESS_OK);
    assert_int_equal(s.device.grants, 1);
    assert_int_equal(s.device.stops, 0);
    stand_go(&s, 1);
    assert_true(wait_for(&s.device.ends, 1));
    stand_close(&s);
    assert_int_equal(s.device.ends, 1);
}

static void two_processes_are_two(void **state)
{
    struct stand s, t;
    uint32_t value = 0;

    (void)state;
    stand_open_stepped(&s, has_a_page);
    stand_open_stepped(&t,
                       has_a_page); /* before there are threads to fork from */
    stand_follow(&s);
    stand_follow(&t);
    stand_meet(&s, 1);
    stand_meet(&t, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 0x33),
                     PROCESS_OK);
    assert_int_equal(device_load(&t.device, stand_address(&t), &value),
                     PROCESS_OK);
    assert_int_equal(value, 0x11);
    assert_int_equal(device_store(&s.device, stand_address(&s) + 4, 0x22),
                     PROCESS_OK);
    assert_int_equal(device_store(&t.device, stand_address(&t) + 4, 0x22),
                     PROCESS_OK);
    stand_go(&s, 1);
    stand_close(&s);
    assert_true(device_has(&t.device, stand_address(&t)));
    stand_go(&t, 1);
    stand_close(&t);
}

/* ---- ends ---------------------------------------------------------------------- */

static void sleeps(struct shared *s)
{
    atomic_store(&s->at, (uintptr_t)map_pages(256));
    meet_host(s, 1);
    pause();
}

static void see_stopped(struct device *d)
{
    assert_int_equal(d->ends, 0);
}

static void assert_gone(struct stand *s)
{
    const uint64_t va = stand_address(s);
    uint32_t value = 0;

    assert_false(device_has(&s->device, va));
    assert_int_equal(device_load(&s->device, va, &value), PROCESS_GONE);
    assert_int_equal(process_fault(s->p, va, UIOMMU_READ, NULL), PROCESS_GONE);
    assert_int_equal(process_write(s->p, va, &value, 4, NULL), PROCESS_GONE);
    assert_int_equal(process_step(s->p, 0), PROCESS_GONE);
    assert_int_equal(s->device.ends, 1);
}

static void killing_it_ends_all_translations(void **state)
{
    struct stand s;

    (void)state;
    stand_open_stepped(&s, sleeps);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    assert_int_equal(process_step(s.p, 0), PROCESS_OK);
    stand_go(&s, 1);
    s.device.on_invalidate = see_stopped;
    end(&s, SIGKILL);
    /* A device that nobody told yet gets no further either. */
    assert_int_equal(device_write(&s.device, stand_address(&s), "x", 1),
                     FAILED);
    assert_int_equal(process_step(s.p, WAIT_S * 1000), PROCESS_GONE);
    assert_gone(&s);
    stand_close(&s);
    assert_int_equal(s.device.ends, 1);
}

/* It is over once the device has forgotten it, though it reaches nothing before. */
static void an_end_that_is_put_off_is_told_again(void **state)
{
    struct stand s;
    uint32_t value;

    (void)state;
    stand_open_stepped(&s, sleeps);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    s.device.asleep = true;
    end(&s, SIGKILL);
    for (unsigned n = 1; n <= 3; n++) {
        assert_int_equal(process_step(s.p, -1), PROCESS_OK);
        assert_int_equal(s.device.ends, n);
    }
    assert_int_equal(process_read(s.p, stand_address(&s), &value, 4, NULL),
                     PROCESS_GONE);
    s.device.ends = 0;
    s.device.asleep = false;
    assert_int_equal(process_step(s.p, -1), PROCESS_GONE);
    assert_gone(&s);
    stand_close(&s);
    assert_int_equal(s.device.ends, 1);
}

struct faulting {
    struct stand *s;
    enum process_status last;
    atomic_uint n;
};

static void *fault_on(void *arg)
{
    struct faulting *f = arg;

    do {
        uint64_t va = stand_address(f->s) +
                      (uint64_t)(atomic_fetch_add(&f->n, 1) % 256) * PAGE;

        f->last = process_fault(f->s->p, va, UIOMMU_WRITE, NULL);
    } while (f->last != PROCESS_GONE && atomic_load(&f->n) < 100000000);
    return NULL;
}

/* C-SC4: the provider exits while faults are pending. */
static void it_may_exit_while_faults_are_pending(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct stand s;
        struct faulting f = { .s = &s };
        pthread_t thread;

        stand_open(&s, sleeps);
        stand_meet(&s, 1);
        pthread_create(&thread, NULL, fault_on, &f);
        assert_true(wait_for(&f.n, 50 + round * 7));
        end(&s, SIGKILL);
        pthread_join(thread, NULL);
        assert_int_equal(f.last, PROCESS_GONE);
        assert_true(wait_for(&s.device.ends, 1));
        assert_gone(&s);
        stand_close(&s);
    }
}

static void executes(struct shared *s)
{
    atomic_store(&s->at, (uintptr_t)map_pages(1));
    meet_host(s, 1);
    execl("/bin/sleep", "sleep", "60", (char *)NULL);
}

static bool has_executed(pid_t pid)
{
    char path[40], name[32] = "";
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    fd = open(path, O_RDONLY);
    (void)!read(fd, name, sizeof(name) - 1);
    close(fd);
    return strcmp(name, "sleep\n") == 0;
}

/* Its process id is the same, but the address space is another. */
static void another_program_is_another_address_space(void **state)
{
    struct stand s;

    (void)state;
    stand_open_stepped(&s, executes);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    stand_go(&s, 1);
    while (!has_executed(s.pid))
        usleep(1000);
    assert_int_equal(device_write(&s.device, stand_address(&s), "x", 1),
                     FAILED);
    assert_int_equal(process_step(s.p, WAIT_S * 1000), PROCESS_GONE);
    assert_gone(&s);
    end(&s, SIGKILL);
    stand_close(&s);
}

static void forks(struct shared *s)
{
    uint32_t *at = map_pages(1);
    pid_t pid;
    int status;

    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    pid = fork();
    if (pid == 0) {
        at[0] = 5;
        meet_host(s, 2);
        NEED(at[0] == 5 && at[1] == 0);
        NEED(munmap(at, PAGE) == 0); /* waits for nobody */
        _exit(0);
    }
    waitpid(pid, &status, 0);
    NEED(status == 0);
    NEED(at[0] == 1 && at[1] == 2);
    meet_host(s, 3);
}

static void a_child_of_it_is_not_followed(void **state)
{
    struct stand s;

    (void)state;
    stand_open_stepped(&s, forks);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    stand_go(&s, 1);
    stand_meet(&s, 2);
    assert_int_equal(device_store(&s.device, stand_address(&s) + 4, 2),
                     PROCESS_OK);
    stand_go(&s, 2);
    stand_meet(&s, 3);
    assert_int_equal(process_step(s.p, 0), PROCESS_OK);
    assert_int_equal(s.device.stops, 0);
    assert_true(device_has(&s.device, stand_address(&s)));
    stand_go(&s, 3);
    stand_close(&s);
}

/* Nothing is said on the socket after the beginning; but whatever is, is no end. */
static void says_nothing_in_particular(struct shared *s)
{
    const int socket = (int)atomic_load(&s->n[0]);

    atomic_store(&s->at, (uintptr_t)map_pages(1));
    NEED(send(socket, "", 0, 0) == 0 && send(socket, "bye", 3, 0) == 3);
    meet_host(s, 1);
    NEED(shutdown(socket, SHUT_WR) == 0);
    meet_host(s, 2);
}

static void hanging_up_is_an_end_and_a_message_is_none(void **state)
{
    struct stand s;

    (void)state;
    stand_open_stepped(&s, says_nothing_in_particular);
    stand_meet(&s, 1);
    assert_int_equal(send(s.socket, "", 0, 0), 0);
    usleep(5000); /* so that an agent that ends has ended */
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(process_step(s.p, 0), PROCESS_OK);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    stand_go(&s, 1);
    stand_meet(&s, 2);
    assert_int_equal(process_step(s.p, 0), PROCESS_GONE);
    assert_gone(&s);
    stand_go(&s, 2);
    stand_close(&s);
}

/* ---- nobody holds it up for good ------------------------------------------------ */

static void unmaps(struct shared *s)
{
    void *at = map_pages(1);

    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(munmap(at, PAGE) == 0);
    atomic_store(&s->n[1], 1);
}

static void closing_lets_it_go_on(void **state)
{
    struct stand s;

    (void)state;
    stand_open_stepped(&s, unmaps);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    stand_go(&s, 1);
    usleep(20000);
    assert_int_equal(s.shared->n[1], 0); /* nobody stepped */
    process_close(s.p);
    s.p = NULL;
    assert_true(wait_for(&s.shared->n[1], 1));
    assert_false(device_has(&s.device, stand_address(&s)));
    assert_int_equal(s.device.ends, 0);
    s.socket = -1;
    stand_close(&s);
}

static void it_can_be_killed_while_it_waits(void **state)
{
    struct stand s;

    (void)state;
    stand_open_stepped(&s, unmaps);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    stand_go(&s, 1);
    usleep(20000);
    end(&s, SIGKILL);
    while (process_step(s.p, WAIT_S * 1000) == PROCESS_OK)
        continue;
    assert_gone(&s);
    stand_close(&s);
}

/* Not a thread: it outlives the process, and the address space with it. */
static int shares_it(void *arg)
{
    struct shared *s = arg;

    atomic_store(&s->n[2], 1);
    while (atomic_load(&s->host) < 2)
        (void)syscall(SYS_sched_yield);
    (void)munmap((void *)atomic_load(&s->at), PAGE);
    atomic_store(&s->n[1], 1);
    (void)syscall(SYS_exit, 0);
    return 0;
}

static void leaves_somebody(struct shared *s)
{
    char *stack = map_pages(16);

    atomic_store(&s->at, (uintptr_t)map_pages(1));
    NEED(clone(shares_it, stack + 16 * PAGE, CLONE_VM, s) > 0);
    NEED(wait_for(&s->n[2], 1));
    meet_host(s, 1);
}

static void who_is_left_behind_waits_for_nobody(void **state)
{
    struct stand s;

    (void)state;
    stand_open_stepped(&s, leaves_somebody);
    stand_meet(&s, 1);
    assert_int_equal(device_store(&s.device, stand_address(&s), 1), PROCESS_OK);
    stand_go(&s, 1);
    while (process_step(s.p, WAIT_S * 1000) == PROCESS_OK)
        continue;
    assert_gone(&s);
    stand_go(&s, 2);
    assert_true(wait_for(&s.shared->n[1], 1));
    stand_close(&s);
}

static bool has_userfaultfd(void)
{
    for (int fd = 0; fd < 256; fd++) {
        char path[40], name[64] = "";

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        if (readlink(path, name, sizeof(name) - 1) > 0 &&
            strstr(name, "userfaultfd"))
            return true;
    }
    return false;
}

static void looks_for_a_userfaultfd(struct shared *s)
{
    NEED(!has_userfaultfd());
    meet_host(s, 1);
}

static void the_process_keeps_no_userfaultfd(void **state)
{
    struct stand s;

    (void)state;
    stand_open(&s, looks_for_a_userfaultfd);
    stand_meet(&s, 1);
    stand_go(&s, 1);
    stand_close(&s);
}

/* ---- who is not followed --------------------------------------------------------- */

/* What the other end says, and the sentence that comes of it. */
static void assert_refused(child_fn *fn, const char *sentence)
{
    struct stand s;
    struct process *p = NULL;
    char error[200] = "";

    stand_fork(&s, fn);
    assert_false(process_open(s.socket, &s.device.ops, &s.device, &p, error,
                              sizeof(error)));
    if (!strstr(error, sentence))
        fail_msg("\"%s\" is not in \"%s\"", sentence, error);
    assert_null(p);
    stand_go(&s, 1);
    stand_close(&s);
}

static void say(struct shared *s, const void *data, size_t size)
{
    NEED(send((int)atomic_load(&s->n[0]), data, size, 0) == (ssize_t)size);
    meet_host(s, 1);
}

static void says_garbage(struct shared *s)
{
    say(s, "hello", 5);
}

static void says_it_is_init(struct shared *s)
{
    const struct process_hello hello = { PROCESS_AGENT_MAGIC, 1, "" };

    say(s, &hello, sizeof(hello));
}

static void says_no_descriptor(struct shared *s)
{
    const struct process_hello hello = { PROCESS_AGENT_MAGIC,
                                         (int32_t)syscall(SYS_gettid), "" };

    say(s, &hello, sizeof(hello));
}

/* One that was used is somebody else's as well. */
static void says_a_used_one(struct shared *s)
{
    char error[200];
    int fd = process_uffd_open();
    struct process_hello hello = { PROCESS_AGENT_MAGIC,
                                   (int32_t)syscall(SYS_gettid), "" };
    union {
        struct cmsghdr header;
        char data[CMSG_SPACE(sizeof(int))];
    } control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
                              .cmsg_level = SOL_SOCKET,
                              .cmsg_type = SCM_RIGHTS } };
    struct iovec iov = { &hello, sizeof(hello) };
    struct msghdr m = { .msg_iov = &iov,
                        .msg_iovlen = 1,
                        .msg_control = &control,
                        .msg_controllen = sizeof(control.data) };

    NEED(fd >= 0 && process_uffd_enable(fd, error, sizeof(error)));
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    NEED(sendmsg((int)atomic_load(&s->n[0]), &m, 0) == (ssize_t)sizeof(hello));
    meet_host(s, 1);
}

static void says_nothing(struct shared *s)
{
    meet_host(s, 1);
}

static void hangs_up(struct shared *s)
{
    close((int)atomic_load(&s->n[0]));
    meet_host(s, 1);
}

/* As where userfaultfd is forbidden: the agent says why. */
static void may_open_nothing(struct shared *s)
{
    const struct rlimit none = { 0, 0 };
    char error[200];

    NEED(setrlimit(RLIMIT_NOFILE, &none) == 0);
    NEED(!process_supported(error, sizeof(error)));
    NEED(strstr(error, "userfaultfd: ") == error);
    NEED(process_agent_start((int)atomic_load(&s->n[0]), error, sizeof(error)));
    meet_host(s, 1);
}

static void who_is_no_agent_is_refused(void **state)
{
    (void)state;
    assert_refused(says_garbage, "not of an agent");
    assert_refused(hangs_up, "not of an agent");
    assert_refused(says_nothing, "says nothing");
}

static void nobody_speaks_for_another_process(void **state)
{
    (void)state;
    assert_refused(says_it_is_init, "thread 1, which process");
}

static void what_is_in_the_way_is_said(void **state)
{
    (void)state;
    assert_refused(may_open_nothing,
                   "cannot be followed: userfaultfd: Too many open files");
    assert_refused(says_no_descriptor, "no fresh userfaultfd");
    assert_refused(says_a_used_one, "no fresh userfaultfd");
}

/* ---- systems that cannot do it ---------------------------------------------------- */

enum { LOW_HALF = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0 };

/* From here on the system call fails, with that second argument if it is not 0. */
static bool let_fail(long call, uint32_t argument, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                 offsetof(struct seccomp_data, args[1]) + LOW_HALF),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, argument, 0, argument ? 1 : 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct lack {
    long call;
    uint32_t argument;
    int error;
    const char *sentence;
};

static const struct lack lacks[] = {
    { SYS_userfaultfd, 0, ENOSYS, "userfaultfd: Function not implemented" },
    { SYS_userfaultfd, 0, EPERM, "userfaultfd: Operation not permitted" },
    { SYS_ioctl, (uint32_t)UFFDIO_API, EINVAL,
      "(Linux 6.7 and later have it)" },
    { SYS_ioctl, PAGEMAP_SCAN_CODE, ENOTTY, "(PAGEMAP_SCAN): Inappropriate" },
    { SYS_process_vm_readv, 0, EPERM, "process_vm_readv: Operation not" },
};

static const struct lack *lack; /* the child is a fork, and knows it         */

static void lacks_it(struct shared *s)
{
    char why[200] = "";

    if (let_fail(lack->call, lack->argument, lack->error)) {
        NEED(!process_supported(why, sizeof(why)));
        need(strstr(why, lack->sentence) != NULL, why);
    } else {
        tell(&s->n[1], 1);
    }
    meet_host(s, 1);
}

static void what_a_system_lacks_is_said(void **state)
{
    struct stand s;

    (void)state;
    for (size_t i = 0; i < sizeof(lacks) / sizeof(*lacks); i++) {
        bool cannot;

        lack = &lacks[i];
        stand_fork(&s, lacks_it);
        stand_meet(&s, 1);
        cannot = atomic_load(&s.shared->n[1]);
        stand_go(&s, 1);
        stand_close(&s);
        if (cannot) {
            printf("NA: %s: seccomp cannot be used here\n", __func__);
            return;
        }
    }
}

/* This program, where the kernel is one of those. */
static void run_where_it_lacks(int out)
{
    if (dup2(out, STDOUT_FILENO) < 0 ||
        !let_fail(SYS_ioctl, (uint32_t)UFFDIO_API, EINVAL))
        _exit(77);
    execl("/proc/self/exe", "process_life_test", (char *)NULL);
    _exit(77);
}

static void read_all(int fd, char *text, size_t size)
{
    size_t n = 0;
    ssize_t got;

    while (n + 1 < size && (got = read(fd, text + n, size - n - 1)) > 0)
        n += (size_t)got;
    text[n] = '\0';
}

static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;

    while ((text = strstr(text, what)) != NULL) {
        text += strlen(what);
        n++;
    }
    return n;
}

static void there_no_test_fails_and_each_says_why(void **state)
{
    static char text[32768];
    int out[2], status;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    fflush(stdout);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        run_where_it_lacks(out[1]);
    close(out[1]);
    read_all(out[0], text, sizeof(text));
    close(out[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        printf("NA: %s: seccomp cannot be used here\n", __func__);
        return;
    }
    assert_int_equal(status, 0);
    assert_non_null(strstr(text, "NA: killing_it_ends_all_translations: "
                                 "userfaultfd of this kernel lacks"));
    assert_true(count(text, "NA: ") > 10);
    assert_int_equal(count(text, "NA: "), count(text, "6.7 and later"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_sees_what_the_process_sees),
        cmocka_unit_test(two_processes_are_two),
        cmocka_unit_test(killing_it_ends_all_translations),
        cmocka_unit_test(an_end_that_is_put_off_is_told_again),
        cmocka_unit_test(it_may_exit_while_faults_are_pending),
        cmocka_unit_test(another_program_is_another_address_space),
        cmocka_unit_test(a_child_of_it_is_not_followed),
        cmocka_unit_test(hanging_up_is_an_end_and_a_message_is_none),
        cmocka_unit_test(closing_lets_it_go_on),
        cmocka_unit_test(it_can_be_killed_while_it_waits),
        cmocka_unit_test(who_is_left_behind_waits_for_nobody),
        cmocka_unit_test(the_process_keeps_no_userfaultfd),
        cmocka_unit_test(who_is_no_agent_is_refused),
        cmocka_unit_test(nobody_speaks_for_another_process),
        cmocka_unit_test(what_is_in_the_way_is_said),
        cmocka_unit_test(what_a_system_lacks_is_said),
        cmocka_unit_test(there_no_test_fails_and_each_says_why),
    };

    return RUN(tests);
}
