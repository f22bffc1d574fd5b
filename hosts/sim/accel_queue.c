/* SPDX-License-Identifier: MIT */
/*
 * accel_queue.c - how descriptors come into the streaming accelerator, and what it
 * says of those that do not. Lock: the device's.
 */
#include "accel_device.h"

enum { QUEUE_STRIDE = ACCEL_PORTALS * ACCEL_PORTAL_SIZE };

/* ---- SWERR, causes ------------------------------------------------------- */

void accel_raise(struct sim_accel *a, unsigned vector, unsigned cause)
{
    a->intcause |= cause;
    a->pending |= UIM_BIT(vector);
}

/* The first is kept. */
void accel_error(struct sim_accel *a, struct accel_swerr_q0 q0, uint64_t q1,
                 uint64_t fault)
{
    struct accel_swerr_q0 now = { a->swerr[0] };

    if (accel_swerr_q0_valid(now)) {
        a->swerr[0] = accel_swerr_q0_set_overflow(now, 1).raw;
        return;
    }
    q0 = accel_swerr_q0_set_overflow(q0, accel_swerr_q0_overflow(now));
    a->swerr[0] = accel_swerr_q0_set_valid(q0, 1).raw;
    a->swerr[1] = q1;
    a->swerr[2] = fault;
    if (accel_genctrl_softerr_int_en((struct accel_genctrl){ a->genctrl })) {
        accel_raise(a, 0, ACCEL_CAUSE_ERROR);
    }
}

/* ---- submission ---------------------------------------------------------- */

/* Who the descriptor's accesses are for. */
static struct accel_work describe(const struct accel_wq *wq,
                                  const uint64_t q[8])
{
    struct accel_desc_q0 q0 = { q[0] };
    struct accel_wqcfg_q1 q1 = accel_q1(wq);
    struct accel_work work = {
        .pasid = (uint32_t)accel_desc_q0_pasid(q0),
        .priv = accel_desc_q0_priv(q0),
    };

    if (accel_wqcfg_q1_mode(q1) == ACCEL_MODE_DEDICATED) {
        work.pasid = accel_wqcfg_q1_pasid_en(q1)
                         ? (uint32_t)accel_wqcfg_q1_pasid(q1)
                         : UIOMMU_NO_PASID;
        work.priv = accel_wqcfg_q1_priv(q1);
    }
    for (unsigned i = 0; i < 8; i++) {
        work.q[i] = q[i];
    }
    return work;
}

static void put(struct sim_accel *a, struct accel_wq *wq, const uint64_t q[8])
{
    struct accel_work *work = &wq->ring[(wq->head + wq->n) % ACCEL_ENTRIES];

    *work = describe(wq, q);
    work->seq = a->next_seq++;
    wq->n++;
}

/* Who posts to a dedicated queue has to know its room. */
static enum accel_taken no_room(struct sim_accel *a, unsigned wq,
                                bool deferrable)
{
    const struct accel_swerr_q0_fields f = { .error = ACCEL_QUEUE_FULL,
                                             .wq_idx_valid = 1,
                                             .wq_idx = wq };

    if (!deferrable) {
        accel_error(a, accel_swerr_q0_pack(&f), 0, 0);
    }
    return deferrable ? ACCEL_RETRY : ACCEL_DROPPED;
}

/* 5.3. There are no portals of an IMS table where there is none, and in a shared queue
 * PASID 0 is nobody, as on all of this machine. */
static bool may_enter(const struct accel_wq *wq, uint64_t portal,
                      const uint64_t q[8], bool deferrable)
{
    bool shared = accel_wqcfg_q1_mode(accel_q1(wq)) == ACCEL_MODE_SHARED;

    if (!wq->enabled || wq->closing || (portal & ACCEL_PORTAL_IMS) != 0) {
        return false;
    }
    return shared == deferrable &&
           (!shared || accel_desc_q0_pasid((struct accel_desc_q0){ q[0] }) !=
                           UIOMMU_NO_PASID);
}

static uint64_t room(const struct accel_wq *wq, uint64_t portal)
{
    struct accel_wqcfg_q0 q0 = accel_q0(wq);

    if (accel_wqcfg_q1_mode(accel_q1(wq)) == ACCEL_MODE_SHARED &&
        (portal & ACCEL_PORTAL_LIMITED) != 0 &&
        accel_wqcfg_q0_thresh(q0) < accel_wqcfg_q0_size(q0)) {
        return accel_wqcfg_q0_thresh(q0);
    }
    return accel_wqcfg_q0_size(q0);
}

enum accel_taken accel_accept(struct sim_accel *a, uint64_t offset,
                              const uint64_t q[8], bool deferrable)
{
    unsigned index = (unsigned)(offset / QUEUE_STRIDE);
    uint64_t portal = offset % QUEUE_STRIDE / ACCEL_PORTAL_SIZE;
    struct accel_wq *wq = &a->wq[index];

    if (!may_enter(wq, portal, q, deferrable)) {
        return deferrable ? ACCEL_RETRY : ACCEL_DROPPED;
    }
    if (wq->n >= room(wq, portal)) {
        return no_room(a, index, deferrable);
    }
    put(a, wq, q);
    return ACCEL_ACCEPTED;
}

/* ---- dispatch ------------------------------------------------------------ */

static bool take_from(struct sim_accel *a, unsigned index,
                      struct accel_job *job)
{
    struct accel_wq *wq = &a->wq[index];

    if (wq->n == 0) {
        return false;
    }
    *job = (struct accel_job){ .active = true,
                               .wq = index,
                               .work = wq->ring[wq->head] };
    for (unsigned i = 0; i < 8; i++) {
        job->outer.q[i] = job->work.q[i];
    }
    wq->head = (wq->head + 1) % ACCEL_ENTRIES;
    wq->n--;
    return true;
}

/* Priorities are shares of an engine, of which nothing here depends: queues of a
 * group take turns, so that none waits for ever. */
static bool take_of_group(struct sim_accel *a, unsigned group,
                          struct accel_job *job)
{
    for (unsigned i = 0; i < ACCEL_WQS; i++) {
        unsigned index = (a->turn[group] + i) % ACCEL_WQS;

        if ((a->group[group][ACCEL_GRPCFG_WQS] >> index & 1) != 0 &&
            take_from(a, index, job)) {
            a->turn[group] = index + 1;
            return true;
        }
    }
    return false;
}

bool accel_take(struct sim_accel *a, unsigned engine, struct accel_job *job)
{
    for (unsigned g = 0; g < ACCEL_GROUPS; g++) {
        if (a->group[g][ACCEL_GRPCFG_ENGINES] >> engine & 1) {
            return take_of_group(a, g, job);
        }
    }
    return false;
}
