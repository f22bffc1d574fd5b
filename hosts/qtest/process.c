/* SPDX-License-Identifier: MIT */
/* process.c - see process.h. */
#include "hosts/qtest/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TAIL_SIZE = 180 };

static void child_run(const struct qt_process *process, char *const argv[],
                      const int *keep, size_t n, int report, pid_t parent)
{
    int error;

    /* No orphan when a test crashes; it may have done so just now. */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(1);
    }
    for (size_t i = 0; i < n; i++) {
        (void)fcntl(keep[i], F_SETFD, 0);
    }
    (void)dup2(process->stderr_fd, STDOUT_FILENO);
    (void)dup2(process->stderr_fd, STDERR_FILENO);
    (void)execvp(argv[0], argv);
    error = errno;
    (void)!write(report, &error, sizeof(error));
    _exit(127);
}

/* The report pipe closes by itself when exec succeeds. */
static bool child_started(int report, const char *name, char *error,
                          size_t size)
{
    int number = 0;

    if (read(report, &number, sizeof(number)) != (ssize_t)sizeof(number)) {
        return true;
    }
    (void)snprintf(error, size, "cannot run %s: %s", name, strerror(number));
    return false;
}

static bool spawn(struct qt_process *process, char *const argv[],
                  const int *keep, size_t n, char *error, size_t size)
{
    pid_t parent = getpid();
    int report[2];
    bool ok;

    if (pipe2(report, O_CLOEXEC) != 0) {
        (void)snprintf(error, size, "pipe: %s", strerror(errno));
        return false;
    }
    process->pid = fork();
    if (process->pid == 0) {
        child_run(process, argv, keep, n, report[1], parent);
    }
    (void)close(report[1]);
    if (process->pid < 0) {
        (void)snprintf(error, size, "fork: %s", strerror(errno));
        ok = false;
    } else {
        ok = child_started(report[0], argv[0], error, size);
    }
    (void)close(report[0]);
    return ok;
}

bool qt_process_start(struct qt_process *process, char *const argv[],
                      const int *keep, size_t n, char *error, size_t size)
{
    *process = (struct qt_process){ .pid = -1 };
    process->stderr_fd = memfd_create("qemu-stderr", MFD_CLOEXEC);
    if (process->stderr_fd < 0) {
        (void)snprintf(error, size, "memfd_create: %s", strerror(errno));
        return false;
    }
    if (!spawn(process, argv, keep, n, error, size)) {
        qt_process_stop(process);
        return false;
    }
    return true;
}

/* The last lines it said, as one; whole ones unless the last is too long. */
static void stderr_tail(const struct qt_process *process, char text[TAIL_SIZE])
{
    off_t size = lseek(process->stderr_fd, 0, SEEK_CUR);
    off_t first = size > TAIL_SIZE - 1 ? size - (TAIL_SIZE - 1) : 0;
    ssize_t n = pread(process->stderr_fd, text, (size_t)(size - first), first);
    char *line;

    if (n < 0) {
        n = 0;
    }
    while (n > 0 && text[n - 1] == '\n') {
        n--;
    }
    text[n] = '\0';
    line = first > 0 ? strchr(text, '\n') : NULL;
    if (line != NULL) {
        memmove(text, line + 1, strlen(line + 1) + 1);
    }
    for (char *p = text; *p != '\0'; p++) {
        if (*p == '\n') {
            *p = ' ';
        }
    }
}

static void describe_end(const struct qt_process *process, char *text,
                         size_t size)
{
    char tail[TAIL_SIZE];
    const char *colon;

    stderr_tail(process, tail);
    colon = tail[0] != '\0' ? ": " : "";
    if (WIFSIGNALED(process->status)) {
        (void)snprintf(text, size, "QEMU was killed by signal %d (%s)%s%s",
                       WTERMSIG(process->status),
                       strsignal(WTERMSIG(process->status)), colon, tail);
    } else {
        (void)snprintf(text, size, "QEMU exited with status %d%s%s",
                       WEXITSTATUS(process->status), colon, tail);
    }
}

bool qt_process_ended(struct qt_process *process, unsigned ms, char *text,
                      size_t size)
{
    const struct timespec tick = { .tv_nsec = 1000000 };

    while (!process->ended) {
        if (waitpid(process->pid, &process->status, WNOHANG) == process->pid) {
            process->ended = true;
        } else if (ms == 0) {
            return false;
        } else {
            ms--;
            (void)nanosleep(&tick, NULL);
        }
    }
    describe_end(process, text, size);
    return true;
}

void qt_process_stop(struct qt_process *process)
{
    if (process->pid > 0 && !process->ended) {
        (void)kill(process->pid, SIGKILL);
        (void)waitpid(process->pid, &process->status, 0);
    }
    if (process->stderr_fd >= 0) {
        (void)close(process->stderr_fd);
    }
    *process = (struct qt_process){ .pid = -1, .stderr_fd = -1 };
}
