/* SPDX-License-Identifier: MIT */
/*
 * process.h - a child process that does not outlive its parent, and what it
 * said before it died. Its stderr is a memory file: it never blocks on us.
 */
#ifndef UIM_HOSTS_QTEST_PROCESS_H
#define UIM_HOSTS_QTEST_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct qt_process {
    pid_t pid;
    int stderr_fd;
    bool ended; /* waited for: status is valid */
    int status;
};

/**
 * Run argv[0] from the path with the n descriptors of `keep` open in it. False:
 * a sentence in error[size], and nothing to stop.
 */
bool qt_process_start(struct qt_process *process, char *const argv[],
                      const int *keep, size_t n, char *error, size_t size);

/** A sentence of how it ended, if it does within `ms`; else false. */
bool qt_process_ended(struct qt_process *process, unsigned ms, char *text,
                      size_t size);

void qt_process_stop(struct qt_process *process);

#endif
