/* SPDX-License-Identifier: MIT */
/*
 * handover.h - two owners of one machine, one after the other (semantics B.23). The
 * tables of the first are then in memory that the second does not own.
 */
#ifndef UIM_TESTS_CORE_HANDOVER_H
#define UIM_TESTS_CORE_HANDOVER_H

#include "tests/core/help.h"

#define BASE  GIB(2)
#define OTHER GIB(3)

/* The instance is gone. */
static inline void the_next_will_adopt(struct rig *rig)
{
    memset(rig->device, 0, sizeof(rig->device));
    rig->started = false;
    rig->u = NULL;
    sim_hand_over(rig->m);
    rig->setup.flags |= UIOMMU_CONFIG_ADOPT;
}

/* The domains that it held were put by the test. */
static inline void first_is_gone(struct rig *rig)
{
    rig_ok(uiommu_destroy(rig->u));
    the_next_will_adopt(rig);
}

static inline void leave_to_the_next(struct rig *rig, enum uiommu_hand_over how)
{
    rig_ok(uiommu_hand_over(rig->u, how, &rig->setup.record,
                            &rig->setup.record_size));
}

static inline void create_next(struct rig *rig)
{
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
}

static inline unsigned adopted(struct rig *rig)
{
    return uiommu_adopted(rig->u, NULL, NULL);
}

/* From here on, whoever reads what the first owner had is noticed. */
static inline void end_adoption(struct rig *rig)
{
    rig_ok(uiommu_adopted_end(rig->u));
    assert_int_equal(adopted(rig), 0);
    sim_reclaim(rig->m);
}

/* ---- a first owner -------------------------------------------------------- */

/* Engine 0 has a page at BASE, engine 1 everything, engine 2 nothing. */
struct first {
    uint64_t page;
    struct uiommu_domain *domain;
};

static inline void first_owner(struct rig *rig, struct first *f)
{
    up(rig);
    f->page = rig_pages(rig, 0);
    f->domain = attached_with(rig, 0, BASE, f->page);
    set(rig, 1, uiommu_identity(rig->u));
}

static inline void first_leaves(struct rig *rig, struct first *f)
{
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    uiommu_domain_put(f->domain);
    first_is_gone(rig);
}

static inline void to_the_next(struct rig *rig, struct first *f)
{
    first_owner(rig, f);
    first_leaves(rig, f);
    create_next(rig);
    rig_ok(rig_start(rig));
}

static inline void assert_as_left(struct rig *rig, const struct first *f)
{
    assert_true(rig_reaches(rig, 0, BASE, f->page));
    assert_true(rig_refused(rig, 0, f->page));
    assert_true(rig_reaches(rig, 1, f->page, f->page));
    assert_true(rig_refused(rig, 2, f->page));
}

/* ---- handover.c ------------------------------------------------------------ */

/* The next owner's start fails, and DMA goes on; or does what somebody wrote. */
void assert_start_fails(struct rig *rig, const struct first *f,
                        enum uiommu_status status, const char *why);
void assert_start_fails_unseen(struct rig *rig, enum uiommu_status status,
                               const char *why);

/* What a register of the unit says that is not so. */
struct lie {
    size_t offset;
    uint64_t set, clear;
};

/* Up to the one with offset 0. They live until they are over. */
void lies_begin(struct rig *rig, const struct lie *lies);
void lies_end(struct rig *rig);

/* Registers of the unit. */
uint64_t unit_read64(struct rig *rig, size_t offset);
uint32_t unit_read32(struct rig *rig, size_t offset);
/* Switches and, if it is not 0, waits for that bit of GSTS, or for its end. */
void unit_command(struct rig *rig, uint32_t gcmd, uint32_t wait, bool on);

/* Word i of the table at `phys`, as the CPU has it; and so that all have it. */
uint64_t *word_at(struct rig *rig, uint64_t phys, unsigned i);
uint64_t peek_word(struct rig *rig, uint64_t phys, unsigned i);
void poke_word(struct rig *rig, uint64_t phys, unsigned i, uint64_t value);

/* Where the context entry of engine n is, and the words that translate for it: that
 * entry, or the first of its PASID table. */
uint64_t context_of(struct rig *rig, unsigned n);
uint64_t entry_of(struct rig *rig, unsigned n);
unsigned id_of(struct rig *rig, unsigned n);

#endif
