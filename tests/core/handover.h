/* SPDX-License-Identifier: MIT */
/*
 * handover.h - two owners of one machine, one after the other (semantics B.23). The
 * tables of the first are then in memory that the second does not own.
 */
#ifndef UIM_TESTS_CORE_HANDOVER_H
#define UIM_TESTS_CORE_HANDOVER_H

#include "tests/core/help.h"

#define BASE GIB(2)

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

#endif
