/* SPDX-License-Identifier: MIT */
/*
 * sva_stand.h - engines of simulated machines that use the address space of a child, by
 * way of all of uiommu: its domain, its page requests, its invalidations.
 */
#ifndef UIM_TESTS_PROCESS_SVA_STAND_H
#define UIM_TESTS_PROCESS_SVA_STAND_H

#include "tests/process/child.h"

#include "hosts/sva/machine.h"
#include "hosts/sva/process.h"

/* Whose tables its domain has. */
struct sva_kind {
    const char *name;
    enum sim_mode mode;
};

enum { SVA_VTD_FIRST, SVA_VTD_SECOND, SVA_SMMUV3, SVA_KINDS };
extern const struct sva_kind sva_kinds[SVA_KINDS];

struct sva_stand {
    struct stand child;
    struct sva_machine machine;
    struct sva_process *process;
};

/* Fork a process that runs `fn`, with an agent; both engines see its address space. */
void sva_open(struct sva_stand *s, const struct sva_kind *kind, child_fn *fn);
/* The same, watched less, or with so many frames. */
void sva_open_fast(struct sva_stand *s, const struct sva_kind *kind,
                   child_fn *fn);
void sva_open_frames(struct sva_stand *s, const struct sva_kind *kind,
                     child_fn *fn, unsigned frames);
/* As stand_close(); no access was stale, and nothing is left. */
void sva_close(struct sva_stand *s);
/* The same, of which the machine has to complain so often. */
void sva_close_with(struct sva_stand *s, unsigned problems);

/* 4 bytes of engine n. */
enum sva_access sva_store(struct sva_stand *s, unsigned n, uint64_t va,
                          uint32_t value);
enum sva_access sva_load(struct sva_stand *s, unsigned n, uint64_t va,
                         uint32_t *value);
/* The same, without asking for anything. */
enum sva_access sva_try_store(struct sva_stand *s, unsigned n, uint64_t va,
                              uint32_t value);
enum sva_access sva_try_load(struct sva_stand *s, unsigned n, uint64_t va);

#endif
