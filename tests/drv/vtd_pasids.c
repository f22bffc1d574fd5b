/* SPDX-License-Identifier: MIT */
#include "vtd_pasids.h"

void pasids_init(struct pasids *s, bool first)
{
    memset(s, 0, sizeof(*s));
    fake_init(&s->f);
    s->first = first;
    if (first)
        add_first_stage(&s->f);
    else
        add_scalable(&s->f);
    s->f.ecap |= FEATURE(pasid);
    s->f.ecap = vtd_ecap_set_pss((struct vtd_ecap){ s->f.ecap }, 19).raw;
}

void pasids_up(struct pasids *s)
{
    start(&s->f);
    fake_device(&s->f, &s->dev, SID);
    s->dev.pasid_bits = 20;
    for (unsigned i = 0; i < PASID_DOMAINS; i++) {
        struct uiommu_domain *d = &s->domain[i];

        d->u = s->f.u;
        d->kind = UIOMMU_DOMAIN_PAGING;
        d->pt.ops = s->f.unit->format;
        d->pt.root_phys = UINT64_C(0x1000000) * (i + 1);
        d->pt.top = 3;
        d->last_iova = (UINT64_C(1) << s->f.unit->iova_bits) - 1;
    }
}

void pasids_open(struct pasids *s, bool first)
{
    pasids_init(s, first);
    pasids_up(s);
}

static void links_free(struct uiommu_domain *d)
{
    struct uim_link *link = atomic_load(&d->links), *next;

    for (; link; link = next) {
        next = atomic_load(&link->next);
        assert_int_equal(link->users, 0);
        if (link != &d->first_link)
            uim_free(d->u, link, sizeof(*link));
    }
}

void pasids_close(struct pasids *s)
{
    while (s->n_links > 0) {
        s->n_links--;
        uim_link_put(s->link[s->n_links].domain, s->f.unit,
                     s->link[s->n_links].pasid);
    }
    for (unsigned i = 0; i < PASID_DOMAINS; i++)
        links_free(&s->domain[i]);
    fake_stop(&s->f);
}

enum uiommu_status pasids_try(struct pasids *s, struct uiommu_endpoint *ep,
                              struct uiommu_domain *next)
{
    assert_true(s->n_links < PASID_LINKS);
    ok(uim_link_get(next, s->f.unit, ep->pasid));
    s->link[s->n_links].domain = next;
    s->link[s->n_links++].pasid = ep->pasid;
    fake_forget(&s->f);
    return vtd_set(ep, next, &s->f.u->blocked);
}

void pasids_set(struct pasids *s, struct uiommu_endpoint *ep,
                struct uiommu_domain *next)
{
    ok(pasids_try(s, ep, next));
}

void pasids_block(struct pasids *s, struct uiommu_endpoint *ep)
{
    pasids_set(s, ep, &s->f.u->blocked);
}

uint32_t pasids_did(struct pasids *s, const struct uiommu_endpoint *ep,
                    struct uiommu_domain *d)
{
    (void)s;
    return uim_link_of(d, ep)->id;
}

uint64_t pasids_context(struct pasids *s)
{
    const uim_word *c = vtd_context(s->f.v, (struct vtd_sid){ SID });

    if (!c)
        return 0;
    for (unsigned i = 1; i < 4; i++)
        assert_true(uim_ld64(&c[i]) == 0);
    return uim_ld64(c);
}

uim_word *pasids_entry(struct pasids *s, uint32_t pasid)
{
    return vtd_pasid_entry(s->f.v, pasids_context(s), pasid);
}

void pasids_check_entry(struct pasids *s, uint32_t pasid, uint64_t q0,
                        uint64_t q1, uint64_t q2)
{
    const uint64_t want[8] = { q0, q1, q2 };
    const uim_word *e = pasids_entry(s, pasid);

    assert_non_null(e);
    for (unsigned i = 0; i < 8; i++)
        assert_true(uim_ld64(&e[i]) == want[i]);
}

bool pasids_present(struct pasids *s, uint32_t pasid)
{
    const uim_word *e = pasids_entry(s, pasid);

    return e && (uim_ld64(e) & 1);
}

void pasids_check_domain(struct pasids *s, uint32_t pasid, unsigned n)
{
    const uim_word *e = pasids_entry(s, pasid);
    const uint64_t root = UINT64_C(0x1000000) * (n + 1);

    assert_true(pasids_present(s, pasid));
    assert_true((uim_ld64(&e[s->first ? 2 : 0]) & ~UINT64_C(0xfff)) == root);
}

void pasids_check_commands(struct pasids *s, const uint64_t *lo, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        assert_true(i < s->f.n_commands);
        assert_int_equal(s->f.command[i].lo, lo[i]);
    }
    assert_int_equal(s->f.n_commands, n + 1);
    assert_int_equal(fake_type(&s->f, n), VTD_QI_WAIT);
}

void pasids_no_commands(struct pasids *s)
{
    assert_int_equal(s->f.n_commands, 0);
}
