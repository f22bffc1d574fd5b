/* SPDX-License-Identifier: MIT */
/*
 * process.h - the address space of a real Linux process, for devices that are
 * simulated. The process takes part by an agent (agent.h); this side follows its
 * mappings by userfaultfd, serves the faults of devices, and does their accesses by
 * process_vm_readv and process_vm_writev, so that the kernel checks each one against
 * the protections of that moment. docs/process.md says what is promised, and what
 * Linux cannot promise.
 *
 * It is a software provider: no IOMMU walks tables here.
 *
 * The order that leaves nothing stale: an event of the kernel is waiting, and with it
 * the system call that unmaps; the device is stopped; the event is read, which lets
 * the process go on; the translations of the range end; the device goes on.
 *
 * Translations are the user's: process_fault() grants them one page at a time,
 * process_step() takes them back. Any function may be called from any thread, but
 * process_step() from one at a time, and process_close() when no other call is under
 * way.
 */
#ifndef UIM_HOSTS_PROCESS_H
#define UIM_HOSTS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uiommu/types.h>

struct process;

enum process_status {
    PROCESS_OK,
    PROCESS_REFUSED, /* by the process's mappings as they are              */
    PROCESS_AGAIN,   /* they are changing: once more, after a process_step()
                      * if nobody else does that                           */
    PROCESS_GONE,    /* it exited, or it runs another program; for good    */
};

/*
 * What the user does. None of these may call back into this header. grant() and
 * invalidate() take turns; they may wait for accesses to end, and not for the device
 * to go on.
 */
struct process_ops {
    /* No access may begin; returns when those under way are over. An access is under
     * way from where its translation is looked up. */
    void (*stop)(void *ctx);
    void (*go)(void *ctx);

    /* [first, last], of whole pages: a translation with these rights (UIOMMU_READ...)
     * may be kept until it is invalidated. */
    void (*grant)(void *ctx, uint64_t first, uint64_t last, unsigned rights);
    /* False: not all of them could be now. They let nobody through from here on, nor are
     * granted anew, and a later step says it again. The device is stopped, always. */
    bool (*invalidate)(void *ctx, uint64_t first, uint64_t last);

    /* After everything was said to be invalidated, and while the device is stopped. Once;
     * false: not yet, and a later step says both again. */
    bool (*exited)(void *ctx);
};

/** Whether this system can do it at all; if not, a sentence in why[size]. */
bool process_supported(char *why, size_t size);

/**
 * Follow the process whose agent holds the other end of `socket`, which is kept; of
 * type SOCK_SEQPACKET. False: a sentence in error[size], and `socket` is still the
 * caller's. A process that says nothing is waited for, but not long.
 */
bool process_open(int socket, const struct process_ops *ops, void *ctx,
                  struct process **out, char *error, size_t size);

/** Ends all translations; the process goes on. What cannot be invalidated now is not
 * said again. Accepts NULL. */
void process_close(struct process *p);

/** A thread that steps until the process is gone, or closed. */
bool process_follow(struct process *p, char *error, size_t size);

/**
 * Do what there is to do; if there is nothing, wait for it as long as that, -1: for
 * ever, but not long for what has to be said again. PROCESS_OK, or PROCESS_GONE after
 * everything ended.
 */
enum process_status process_step(struct process *p, int timeout_ms);

/**
 * A device wants to access the page of `va` and has no translation: make the page
 * present and grant one, with all rights that the process has there (*rights; may be
 * NULL). Not while an access of the device is under way.
 */
UIOMMU_MUST_CHECK enum process_status process_fault(struct process *p,
                                                    uint64_t va,
                                                    unsigned access,
                                                    unsigned *rights);

/**
 * An access through translations that were granted and not invalidated. *done, which
 * may be NULL, is how many bytes were accessed, whatever the status. If it is refused,
 * the translations from there on are invalidated by the next process_step(), which does
 * not wait any more: then a fault may grant them anew. Calls none of the above.
 */
UIOMMU_MUST_CHECK enum process_status process_read(struct process *p,
                                                   uint64_t va, void *data,
                                                   size_t size, size_t *done);
UIOMMU_MUST_CHECK enum process_status process_write(struct process *p,
                                                    uint64_t va,
                                                    const void *data,
                                                    size_t size, size_t *done);

#endif
