/* SPDX-License-Identifier: MIT */
/*
 * accel_page.c - page requests of the streaming accelerator (PCIe 6.x, 10.4). An engine
 * asks for one page at a time, a group by itself, and stands until it is answered. What is
 * aborted meanwhile does not wait: its answer gives back the credit and nothing else, and
 * a stop marker says that nothing of its PASID follows (10.4.1.2).
 */
#include "accel_device.h"

enum { GROUPS = 512 };

/* Where all credits are with others, the next step asks. */
static enum accel_reach ask(struct sim_accel *a, struct accel_job *job,
                            const struct sim_page_request *page)
{
    unsigned since = sim_page_responses(&a->s->machine, page->dev);
    enum sim_stop stop = sim_pri_ask(a->s, a->f, page);

    if (stop == SIM_NOT_STOPPED) {
        job->ask = (struct accel_ask){ ACCEL_ASKED, *page, since };
    }
    return stop == SIM_NOT_STOPPED || stop == SIM_BY_DEVICE ? ACCEL_WAITS
                                                            : ACCEL_INVALID;
}

/* The flag is for sources and destinations. Lists and records block always (8.1.3): what a
 * batch moves by itself is its list, and what has ended its record. */
static bool may_block(const struct accel_task *t)
{
    return t->ended || accel_opcode(t) == ACCEL_OP_BATCH ||
           (accel_flags(t) & ACCEL_FLAG_BOF) != 0;
}

enum accel_reach accel_ask(struct sim_accel *a, struct accel_job *job,
                           const struct accel_task *t,
                           const struct sim_request *r)
{
    struct sim_page_request page = {
        .dev = r->dev,
        .pasid = r->pasid,
        .iova = r->iova,
        .access = r->write ? UIOMMU_WRITE : UIOMMU_READ,
        .priv = r->priv,
        .last = true,
        .group = a->next_group,
    };

    if (!may_block(t) || !r->no_page || !sim_pri_on(a->s, a->f)) {
        return ACCEL_FAULTED;
    }
    a->next_group = (uint16_t)((a->next_group + 1) % GROUPS);
    return ask(a, job, &page);
}

bool accel_waits(struct sim_accel *a, struct accel_job *job)
{
    struct accel_ask *ask = &job->ask;
    enum sim_asked state;

    if (ask->state != ACCEL_ASKED) {
        return false;
    }
    state = sim_pri_look(a->s, a->f, &ask->page, ask->since);
    if (state != SIM_ASKED_WAITS) {
        ask->state =
            state == SIM_ASKED_GRANTED ? ACCEL_NOT_ASKED : ACCEL_REFUSED;
    }
    return state == SIM_ASKED_WAITS;
}

bool accel_is_refused(struct accel_job *job, const struct sim_request *r)
{
    bool refused =
        job->ask.state == ACCEL_REFUSED && job->ask.page.iova == r->iova &&
        job->ask.page.access == (r->write ? UIOMMU_WRITE : UIOMMU_READ);

    if (refused) {
        job->ask.state = ACCEL_NOT_ASKED;
    }
    return refused;
}

/* There is none without a PASID. */
static void send_marker(struct sim_accel *a, struct accel_job *job)
{
    struct sim_page_request marker = job->ask.page;

    job->marks = false;
    job->ask.state = ACCEL_NOT_ASKED;
    marker.access = 0;
    marker.priv = false;
    if (marker.pasid != UIOMMU_NO_PASID) {
        (void)sim_pri_ask(a->s, a->f, &marker);
    }
}

void accel_send_markers(struct sim_accel *a)
{
    for (unsigned i = 0; i < ACCEL_ENGINES; i++) {
        if (a->job[i].marks) {
            send_marker(a, &a->job[i]);
        }
    }
}
