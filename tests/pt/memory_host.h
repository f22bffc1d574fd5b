/* SPDX-License-Identifier: MIT */
/*
 * memory_host.h - a host that is nothing but memory, and suspicious.
 *
 * Page memory is a pool of its own: of pages, which are as large as a table, and
 * apart from them of blocks of several pages. A freed page cannot be touched: it
 * stays unmapped until everything else was handed out once more. Bus addresses
 * are a constant away from CPU addresses (direct), or permuted and behind a
 * callback.
 *
 * A device that does not snoop sees another copy of each page, to which only
 * flush() carries anything over, a line at a time; a new page holds garbage
 * there. What goes wrong is a violation: counted, and the first one kept as a
 * sentence.
 *
 *     a store that was never flushed        memory_host_seen()
 *     a link that the device sees before the table behind it, or without a
 *       fence in between                    at the flush
 *     a page freed twice, or not a page     at the free
 *     the host called with a spin lock held at the call
 *     the device reads a page that is free  memory_host_device_read()
 */
#ifndef UIM_TESTS_PT_MEMORY_HOST_H
#define UIM_TESTS_PT_MEMORY_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include <uiommu/host.h>

struct memory_host_config {
    unsigned n_pages;  /* most that can be live; a power of two              */
    unsigned order;    /* of a page: 2^order times 4 KiB                     */
    unsigned n_large;  /* 2^n_large pages more, for blocks of several        */
    bool direct;       /* host->direct_map, else phys_to_virt()              */
    bool coherent;     /* the device snoops                                  */
    uint64_t phys;     /* of the pool; 0: 0x1000000000                       */
    bool from_zero;    /* of the pool: 0                                     */
};

struct memory_host;

struct memory_host *memory_host_open(const struct memory_host_config *config);
void memory_host_close(struct memory_host *m);
const struct uiommu_host *memory_host_api(struct memory_host *m);

/* Pages (a block is one), allocations of bytes and locks that are live. */
unsigned memory_host_live(struct memory_host *m);
unsigned memory_host_live_pages(struct memory_host *m);

/* The nth call from now that can fail does, once; 0: none does. */
void memory_host_fail(struct memory_host *m, unsigned nth);
/* Calls that could have failed since then. */
unsigned memory_host_could_fail(struct memory_host *m);

/* `fn` runs after each host->flush() and host->fence(), in its thread and with
 * no lock held, to do what another CPU or the device might do just then. NULL:
 * nothing. */
void memory_host_interrupt(struct memory_host *m, void (*fn)(void *ctx),
                           void *ctx);

/* Pages allocated since open. */
unsigned memory_host_allocated(struct memory_host *m);

/* Whether the device sees the page or block at `phys` as the CPU does. */
bool memory_host_seen(struct memory_host *m, uint64_t phys);

/* Eight bytes as the device reads them; ctx is the memory host. A
 * uim_walk_read. */
bool memory_host_device_read(void *m, uint64_t phys, uint64_t *value);

/* As the CPU does. */
bool memory_host_cpu_read(void *m, uint64_t phys, uint64_t *value);

/* The CPU's address of `phys`. */
void *memory_host_virt(struct memory_host *m, uint64_t phys);

/* Whether `phys` is a page of the pool, live or not. */
bool memory_host_is_page(struct memory_host *m, uint64_t phys);

unsigned memory_host_violations(struct memory_host *m);
const char *memory_host_violation(struct memory_host *m);
void memory_host_forgive(struct memory_host *m);

/* From now on several threads store: what one of them has not flushed yet shall
 * not be held against the other's link. */
void memory_host_threads(struct memory_host *m);

/* Flushes are dropped while set: shows that a missing one is noticed. */
void memory_host_lose_flushes(struct memory_host *m, bool lose);

#endif
