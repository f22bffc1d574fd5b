/* SPDX-License-Identifier: MIT */
/*
 * mediator.c - mediators are called (semantics C.5).
 */
#include "core/core.h"

/* Whoever calls back from there meets uim_is_inside(). */
void uim_mediator_enter(struct uim_mediated *m, struct uim_call *call,
                        bool unmapped)
{
    struct uiommu *u = m->group->u;
    struct uiommu_group *group = uim_hardware_of(m->group);

    *call = (struct uim_call){
        .of = m,
        .thread = uim_thread(u),
        .unmapped = unmapped,
    };
    u->host.spin_lock(u->host.ctx, u->device_lock);
    call->next = atomic_load(&group->calls);
    atomic_store(&group->calls, call);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

static void unlist(struct uiommu_group *group, const struct uim_call *call)
{
    struct uim_call *at = atomic_load(&group->calls);

    if (at == call) {
        atomic_store(&group->calls, call->next);
        return;
    }
    while (at->next != call)
        at = at->next;
    at->next = call->next;
}

void uim_mediator_leave(const struct uim_call *call)
{
    struct uiommu *u = call->of->group->u;

    u->host.spin_lock(u->host.ctx, u->device_lock);
    unlist(uim_hardware_of(call->of->group), call);
    u->host.spin_unlock(u->host.ctx, u->device_lock);
}

/* Mostly nobody is told anything, and whoever pins need not be held up then. */
bool uim_mediator_is_told(struct uim_mediated *m)
{
    struct uiommu *u = m->group->u;
    const uintptr_t me = uim_thread(u);
    const struct uim_call *call;

    if (!atomic_load(&uim_hardware_of(m->group)->calls))
        return false;
    u->host.spin_lock(u->host.ctx, u->device_lock);
    call = atomic_load(&uim_hardware_of(m->group)->calls);
    while (call && !(call->of == m && call->unmapped && call->thread == me))
        call = call->next;
    u->host.spin_unlock(u->host.ctx, u->device_lock);
    return call != NULL;
}

enum uiommu_status uim_mediator_install(struct uim_mediated *m)
{
    enum uiommu_status status;
    struct uim_call call;

    uim_mediator_enter(m, &call, false);
    status = m->mediator.pasid_install(m->config.ctx, &m->endpoint,
                                       atomic_load(&m->pasid));
    uim_mediator_leave(&call);
    return status;
}

enum uiommu_status uim_mediator_announce(struct uim_mediated *m)
{
    enum uiommu_status status;
    struct uim_call call;

    if (!m->mediator.registered)
        return UIOMMU_OK;
    uim_mediator_enter(m, &call, false);
    status = m->mediator.registered(m->config.ctx, &m->endpoint);
    uim_mediator_leave(&call);
    return status;
}

bool uim_mediator_clear(struct uim_mediated *m)
{
    struct uim_call call;
    bool stopped;

    uim_mediator_enter(m, &call, false);
    stopped = m->mediator.pasid_clear(m->config.ctx, &m->endpoint,
                                      atomic_load(&m->pasid));
    uim_mediator_leave(&call);
    return stopped;
}
