/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - what is asked of Linux: userfaultfd(2), PAGEMAP_SCAN(2const),
 * PROCMAP_QUERY(2const), process_vm_readv(2), pidfd_open(2). Headers of the system
 * may be older than its kernel.
 */
#ifndef UIM_HOSTS_PROCESS_KERNEL_H
#define UIM_HOSTS_PROCESS_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A mapping of a process. */
struct process_vma {
    uint64_t first, last;
    unsigned rights;
    bool shm; /* System V shared memory: shmdt() tells nobody                */
};

/** A userfaultfd of this process, without features yet. < 0: -errno. */
int process_uffd_open(void);

/** Events of unmapping, and no faults. False: a sentence in error[size]. */
bool process_uffd_enable(int uffd, char *error, size_t size);

/** Changes of the mappings in there are told from here on. 0, or errno. */
int process_uffd_register(int uffd, uint64_t first, uint64_t last);

/** Whether an event waits to be read. */
bool process_uffd_waiting(int uffd);

/* What an event says: translations of the range end. */
struct process_event {
    uint64_t first, last;
};

/** At most `n`; the system calls behind them go on. */
unsigned process_uffd_read(int uffd, struct process_event *out, unsigned n);

/** Of /proc/PID/maps: the mapping that `va` is in. */
bool process_vma_find(int maps, uint64_t va, struct process_vma *out);
/* The two ways to ask: since Linux 6.11, and before. The first may be unknown. */
bool process_vma_query(int maps, uint64_t va, struct process_vma *out,
                       bool *known);
bool process_vma_read(int maps, uint64_t va, struct process_vma *out);

/** Of /proc/PID/pagemap: whether all of [first, last] is registered. */
bool process_pages_followed(int pagemap, uint64_t first, uint64_t last);
/** Whether this page is in memory, or swapped. */
bool process_page_there(int pagemap, uint64_t page);

/**
 * A descriptor that is readable once the thread has ended, or where the kernel knows
 * none of threads (before 6.9), its process. < 0: -errno.
 */
int process_life_open(pid_t pid, pid_t tid);

/** Whether `tid` is a thread of `pid`. */
bool process_has_thread(pid_t pid, pid_t tid);

uint64_t process_page_size(void);

#endif
