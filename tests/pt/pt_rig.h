/* SPDX-License-Identifier: MIT */
/*
 * pt_rig.h - one page table on a memory host, and a second opinion on it.
 *
 * The second opinion is src/walk: it reads the tables as a unit does, by
 * descriptors, through the device's view of memory. Every op goes through the
 * rig, which afterwards asks whether the device sees every table that it can
 * reach as the CPU does.
 */
#ifndef UIM_TESTS_PT_PT_RIG_H
#define UIM_TESTS_PT_PT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bits.h"
#include "memory_host.h"
#include "pt/guard.h"
#include "walk/walk.h"

#define DATA UINT64_C(0x200000000000) /* what is mapped: not in the pool */

enum { RW = UIOMMU_READ | UIOMMU_WRITE };

/* One point of the cross product. */
struct pt_case {
    const struct uim_pt_ops *ops;
    const struct uim_walk_format *format;
    unsigned levels;
    unsigned side_by_side; /* log2 of the tables at the root */
    uint8_t phys_bits;
    uint64_t page_sizes;
    bool coherent; /* and then direct_map, else phys_to_virt */
};

/* The n-th, or false. */
bool pt_case(unsigned n, struct pt_case *out);
void pt_case_name(const struct pt_case *c, char *name, size_t size);
/* Of iova, with as many tables at the root as there can be. */
unsigned pt_case_bits(const struct pt_case *c);

struct pt_rig {
    struct pt_case c;
    struct memory_host *m;
    struct uim_pt pt;
    struct uim_walk_params walk;
    uint64_t page, large, huge; /* what an entry spans at level 0, 1, 2      */
    unsigned order;      /* of a table, for pages_alloc */
    unsigned base_pages; /* live right after create */
    uint64_t last_iova;
    bool brief; /* do not look at the whole tree after each op */
};

struct pt_rig *pt_rig_open(const struct pt_case *c);
/* Asserts that nothing was violated, nor is left. */
void pt_rig_close(struct pt_rig *r);

/* Whether there are leaves of that size. */
bool pt_has(const struct pt_rig *r, uint64_t size);
/* The rights that a leaf has which was asked for these. */
unsigned pt_granted(const struct pt_rig *r, unsigned flags);

/* Ops. Unmap and split retire what they gathered, if `g` is NULL. */
enum uiommu_status rig_map(struct pt_rig *r, uint64_t iova, uint64_t phys,
                           uint64_t size, unsigned flags);
enum uiommu_status rig_map_sg(struct pt_rig *r, uint64_t iova,
                              const struct uiommu_segment *segments, size_t n,
                              unsigned flags);
enum uiommu_status rig_unmap(struct pt_rig *r, uint64_t iova, uint64_t size,
                             struct uiommu_gather *g);
enum uiommu_status rig_split(struct pt_rig *r, uint64_t iova, uint64_t size,
                             struct uiommu_gather *g);

/* Walks both ways, asserts that they agree; false: not mapped. */
bool rig_look(struct pt_rig *r, uint64_t iova, struct uiommu_trace *trace);
/* [iova, iova + size) is mapped to phys on, at both ends and in between. */
void rig_assert_mapped(struct pt_rig *r, uint64_t iova, uint64_t phys,
                       uint64_t size, unsigned flags);
void rig_assert_hole(struct pt_rig *r, uint64_t iova, uint64_t size);

/* Everything that can be reached from the root. */
struct pt_tree {
    unsigned tables, leaves;
    uint64_t mapped; /* bytes */
    uint64_t hash;   /* of entries and where they are, not where tables are */
    bool seen;       /* by the device, as it is */
};
struct pt_tree rig_tree(struct pt_rig *r);

struct rig_state {
    struct pt_tree tree;
    unsigned live;
};
struct rig_state rig_state(struct pt_rig *r);
void rig_assert_same(struct pt_rig *r, const struct rig_state *before);

/* xorshift; never 0 */
uint64_t rig_random(uint64_t *state);
/* UIOMMU_SEED if it is set, else `seed`. */
uint64_t rig_seed(uint64_t seed);

/* ---- test tables --------------------------------------------------------- */

typedef void (*pt_test_fn)(struct pt_rig *r);

struct pt_test {
    const char *name;
    pt_test_fn fn;
};

extern const struct pt_test pt_map_tests[];
extern const struct pt_test pt_unmap_tests[];
extern const struct pt_test pt_split_tests[];
extern const struct pt_test pt_run_tests[];
extern const struct pt_test pt_root_tests[];
extern const struct pt_test pt_guard_tests[];
extern const struct pt_test pt_random_tests[];
extern const struct pt_test pt_fault_tests[];
extern const struct pt_test pt_thread_tests[];

/* All tests of the groups, which a NULL ends, on all cases of formats whose
 * names begin so, with so many levels at least;
 * or those whose names match the pattern, unless it is NULL. How many failed. Only
 * with 3 levels there is room for what r->huge spans. */
int pt_run(const char *name, const struct pt_test *const *groups,
           const char *formats, unsigned levels, const char *pattern);
extern const struct pt_test pt_rig_tests[];

/* A test that this case has nothing to show for. */
#define RIG_NOT_APPLICABLE(r, reason)                                          \
    do {                                                                       \
        rig_say_na(r, reason);                                                 \
        return;                                                                \
    } while (0)
void rig_say_na(struct pt_rig *r, const char *reason);

#endif
