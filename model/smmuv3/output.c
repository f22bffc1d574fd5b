/* SPDX-License-Identifier: MIT */
/*
 * The queues that the unit fills: events (7.2) and page requests (8). They are alike
 * but for the size of an entry; their registers have the same layout.
 */
#include "model/smmuv3/smmuv3.h"

uint64_t msmmu_queue_size(uint64_t base, uint64_t most)
{
    /* LOG2SIZE is at the same place in all three. */
    uint64_t lg2 = smmuv3_cmdq_base_log2size((struct smmuv3_cmdq_base){ base });

    return UIM_BIT(lg2 < most ? lg2 : most);
}

bool msmmu_queue_snooped(const struct msmmu *m)
{
    struct smmuv3_cr1 cr1 = { m->reg.cr1 };

    return msmmu_snooped(m, smmuv3_cr1_queue_ic(cr1), smmuv3_cr1_queue_oc(cr1),
                         smmuv3_cr1_queue_sh(cr1));
}

struct msmmu_output msmmu_eventq(struct msmmu *m)
{
    return (struct msmmu_output){
        .prod = &m->reg.eventq_prod,
        .base = m->reg.eventq_base,
        .cons = m->reg.eventq_cons,
        .size = msmmu_queue_size(m->reg.eventq_base, m->args.eventqs),
        .bytes = SMMUV3_EVENT_BYTES,
    };
}

struct msmmu_output msmmu_priq(struct msmmu *m)
{
    return (struct msmmu_output){
        .prod = &m->reg.priq_prod,
        .base = m->reg.priq_base,
        .cons = m->reg.priq_cons,
        .size = msmmu_queue_size(m->reg.priq_base, m->args.priqs),
        .bytes = SMMUV3_PRI_BYTES,
    };
}

bool msmmu_output_empty(const struct msmmu_output *q)
{
    return msmmu_queue_empty(*q->prod, q->cons, q->size);
}

bool msmmu_output_full(const struct msmmu_output *q)
{
    return msmmu_queue_full(*q->prod, q->cons, q->size);
}

bool msmmu_output_overflows(const struct msmmu_output *q)
{
    return smmuv3_eventq_prod_ovflg((struct smmuv3_eventq_prod){ *q->prod }) !=
           smmuv3_eventq_cons_ovackflg((struct smmuv3_eventq_cons){ q->cons });
}

/* 7.4: said once, until software has seen it. */
void msmmu_output_overflow(const struct msmmu_output *q)
{
    struct smmuv3_eventq_prod prod = { *q->prod };
    struct smmuv3_eventq_cons cons = { q->cons };
    uint64_t seen = smmuv3_eventq_cons_ovackflg(cons);

    *q->prod = smmuv3_eventq_prod_set_ovflg(prod, !seen).raw;
}

bool msmmu_output_put(const struct msmmu *m, const struct msmmu_output *q,
                      const uint64_t *word)
{
    struct smmuv3_eventq_base base = { q->base };
    struct smmuv3_eventq_prod prod = { *q->prod };
    uint64_t wr = smmuv3_eventq_prod_wr(prod);
    uint64_t at =
        uim_align_down(smmuv3_eventq_base_addr(base) << 5, q->size * q->bytes) +
        (wr & (q->size - 1)) * q->bytes;

    if (!uim_door_write(&m->base, at, word, q->bytes / 8,
                        msmmu_queue_snooped(m)))
        return false;
    *q->prod =
        smmuv3_eventq_prod_set_wr(prod, (wr + 1) & (2 * q->size - 1)).raw;
    return true;
}
