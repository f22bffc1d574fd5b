/* SPDX-License-Identifier: MIT */
/*
 * requests.h - devices that ask for pages, and handlers that answer.
 */
#ifndef UIM_TESTS_CORE_REQUESTS_H
#define UIM_TESTS_CORE_REQUESTS_H

#include "tests/core/pasids.h"

#include "core/core.h"

#define BASE GIB(2)
#define RW   (UIOMMU_READ | UIOMMU_WRITE)

/* ---- machines ---------------------------------------------------------------------- */

static inline bool with_requests(struct rig *rig, const char **why)
{
    if (rig->config.mode == SIM_LEGACY) {
        *why = "no page requests in this mode";
        return false;
    }
    rig->config.ats = true;
    rig->config.pri = true;
    rig->config.engine_caps |= SIM_PASID;
    rig->setup.request_limit_ns = 1000 * 1000 * 1000;
    return true;
}

static inline bool with_pasid_requests(struct rig *rig, const char **why)
{
    return with_requests(rig, why) && has_pasids(rig, why);
}

/* ---- who answers --------------------------------------------------------------------- */

enum { ASKED = 64 };

/* What a handler was asked, and what it is to say. */
struct pager {
    struct uiommu_domain *d;
    struct rig *rig;
    uint64_t phys;                 /* for every page                         */
    enum uiommu_response response; /* LATER: nothing is mapped               */
    unsigned groups, n;
    uint64_t cookie;
    struct uiommu_endpoint *endpoint;
    struct uiommu_page_request asked[ASKED];
    void (*inside)(struct pager *p);
};

static inline enum uiommu_response
pager_serve(void *ctx, const struct uiommu_request_group *group)
{
    struct pager *p = ctx;
    unsigned n = 0;

    p->groups++;
    p->cookie = group->cookie;
    p->endpoint = group->endpoint;
    for (const struct uiommu_page_request *r = group->first; r; r = r->next) {
        p->asked[p->n++ % ASKED] = *r;
        n++;
        if (p->response == UIOMMU_RESPONSE_SUCCESS)
            rig_ok(uiommu_map(p->d, r->iova, p->phys, RIG_PAGE, RW));
    }
    assert_int_equal(n, group->n);
    if (p->inside)
        p->inside(p);
    return p->response;
}

static inline void open_pager(struct rig *rig, struct pager *p, unsigned n)
{
    const struct uiommu_domain_config config = {
        .size = sizeof(config),
        .on_request = pager_serve,
        .request_ctx = p,
    };

    memset(p, 0, sizeof(*p));
    p->rig = rig;
    p->phys = rig_pages(rig, 0);
    rig_ok(uiommu_domain_create(rig_endpoint(rig, n), &config, &p->d));
}

/* Engine 0 sees a domain whose handler says that. */
static inline void answer_with(struct rig *rig, struct pager *p,
                               enum uiommu_response response)
{
    open_pager(rig, p, 0);
    p->response = response;
    set(rig, 0, p->d);
}

/* An endpoint with a PASID, of an engine that does what it likes without one: on some
 * units (VT-d) one that can do nothing without has no device TLB. */
static inline struct uiommu_endpoint *free_pasid(struct rig *rig, unsigned n)
{
    set(rig, n, uiommu_identity(rig->u));
    return pasid(rig, n);
}

/* ---- who asks ---------------------------------------------------------------------------- */

static inline struct sim_page_request request_of(struct rig *rig, unsigned n,
                                                 uint32_t pasid, uint64_t iova,
                                                 uint16_t group, bool last)
{
    return (struct sim_page_request){
        .dev = rig_engine(rig, n),
        .pasid = pasid,
        .iova = iova,
        .access = RW,
        .last = last,
        .group = group,
    };
}

static inline void ask(struct rig *rig, unsigned n, uint32_t pasid,
                       uint64_t iova, uint16_t group, bool last)
{
    const struct sim_page_request r =
        request_of(rig, n, pasid, iova, group, last);

    assert_int_equal(sim_page_request(rig->m, &r), SIM_NOT_STOPPED);
}

static inline unsigned answers(struct rig *rig, unsigned n)
{
    (void)machine_run(rig->m);
    return sim_page_responses(rig->m, rig_engine(rig, n));
}

static inline struct sim_page_response answer(struct rig *rig, unsigned n,
                                              unsigned i)
{
    assert_true(i < answers(rig, n));
    return sim_page_response_at(rig->m, rig_engine(rig, n), i);
}

static inline void is_answer(struct rig *rig, unsigned n, unsigned i,
                             uint32_t group, uint32_t code)
{
    const struct sim_page_response r = answer(rig, n, i);

    assert_true(r.expected);
    assert_int_equal(r.group, group);
    assert_int_equal(r.code, code);
}

static inline void collect(struct rig *rig)
{
    (void)machine_run(rig->m);
    (void)uiommu_poll(rig->u);
}

static inline void collect_and_serve(struct rig *rig)
{
    collect(rig);
    uiommu_serve(rig->u);
}

/* In the unit's queue, in the core, with somebody who answers later; and one group that is
 * not complete. */
static inline void open_groups(struct rig *rig, struct pager *p, uint32_t pasid)
{
    p->response = UIOMMU_RESPONSE_LATER;
    ask(rig, 0, pasid, BASE, 1, true);
    collect_and_serve(rig);
    ask(rig, 0, pasid, BASE, 2, true);
    ask(rig, 0, pasid, BASE, 3, false);
    collect(rig);
    ask(rig, 0, pasid, BASE, 4, true);
}

static inline void are_answered(struct rig *rig, uint32_t code)
{
    bool seen[5] = { false };

    assert_int_equal(answers(rig, 0), 3);
    for (unsigned i = 0; i < 3; i++) {
        const struct sim_page_response r = answer(rig, 0, i);

        assert_true(r.expected && r.group < 5 && !seen[r.group]);
        assert_int_equal(r.code, code);
        seen[r.group] = true;
    }
    assert_true(seen[1] && seen[2] && seen[4]);
}

static inline struct uim_pci_pri pri_of(struct rig *rig, unsigned n)
{
    struct uim_pci_pri pri;

    rig_ok(uim_pci_pri(&rig->u->host, rig->m->devices[rig_engine(rig, n)].pci,
                       &pri));
    return pri;
}

static inline bool may_ask(struct rig *rig, unsigned n)
{
    const struct machine_device *d = &rig->m->devices[rig_engine(rig, n)];
    const struct uiommu_host *h = &rig->u->host;

    return h->pci_read(h->ctx, d->pci, pri_of(rig, n).offset + PCI_REG_PRI_CTRL,
                       2) &
           1;
}

#endif
