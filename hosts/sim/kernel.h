/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - a kernel with processes, as far as devices that use their address spaces
 * care: page tables of x86-64 or of Arm VMSAv8-64 in the machine's RAM, built here and not
 * by src/pt, of which this is a second witness.
 *
 * Memory comes when it is asked for: by the processor (kernel_touch()) or by a device
 * (kernel_fault()). What goes is taken from the tables, then devices are told, then it is
 * given back to the machine, which reports whoever uses it still. All of it from any
 * thread; calls for one process wait for each other.
 */
#ifndef HOSTS_SIM_KERNEL_H
#define HOSTS_SIM_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include <uiommu/sva.h>

struct machine;
struct kernel;
struct kernel_process;

enum { KERNEL_PAGE = 4096 };

/* Tables of VMSAv8-64, or of x86-64, and pages of KERNEL_PAGE. */
struct kernel *kernel_open(struct machine *m, bool arm);
/* Of VMSAv8-64, and pages as large as its granule: 12, 14 or 16. */
struct kernel *kernel_open_granule(struct machine *m, unsigned page_lg2);
/* All processes have exited, and been freed. */
void kernel_close(struct kernel *k);

/* One more page table of the kernel's own half in all processes: a page of its own, and
 * behind that two that it lets everybody read (vsyscalls); and it goes, after units were
 * told (`u` NULL: they are not). x86-64 only, where processors and units find both halves
 * from one root. */
#define KERNEL_HALF UINT64_C(0xffff800000000000)
void kernel_vmap(struct kernel *k);
void kernel_vfree(struct kernel *k, struct uiommu *u);

struct kernel_process *kernel_process_create(struct kernel *k);
/* What a provider for it is to say; ctx is the process. */
struct uiommu_provider_config kernel_provider(struct kernel_process *p);
/* Whom it tells from now on; NULL: nobody. */
void kernel_follow(struct kernel_process *p, struct uiommu_provider *provider);

/* UIOMMU_READ, _WRITE, _EXEC of n pages from va on. False: no room to remember it. */
bool kernel_mmap(struct kernel_process *p, uint64_t va, unsigned n,
                 unsigned prot);
void kernel_munmap(struct kernel_process *p, uint64_t va, unsigned n);
/* Read only from now on; `copy`: whoever writes gets a copy of his own. */
void kernel_protect(struct kernel_process *p, uint64_t va, unsigned n,
                    bool copy);
/* OK: it is there, with these rights. PERM: the process has none. NOENT: nothing is there.
 * As uiommu_provider_config.on_fault, with the process as ctx. */
enum uiommu_status kernel_fault(void *process, uint64_t va, unsigned access);
/* The processor writes, or reads; the physical address, or 0. */
uint64_t kernel_touch(struct kernel_process *p, uint64_t va, bool write);
/* Nobody was at the page yet, as far as its entry says. */
void kernel_age(struct kernel_process *p, uint64_t va);
/* Where it is, and whether it was written to by whoever says so; 0: nowhere. */
uint64_t kernel_lookup(struct kernel_process *p, uint64_t va, bool *dirty);

/* The process ends: devices are told, its memory and tables go. Where that was not
 * confirmed they stay, until it is told to end once more. */
void kernel_exit(struct kernel_process *p);
/* Nobody speaks of it any more. */
void kernel_process_free(struct kernel_process *p);

/* How often a provider's `released` was called for it. */
unsigned kernel_released(const struct kernel_process *p);
/* Faults that it served, and refused. */
unsigned kernel_served(const struct kernel_process *p);

#endif
