/* SPDX-License-Identifier: MIT */
/*
 * linux.c - the groups that Linux makes (semantics B.9.3), in the order in which it
 * probes functions: what comes later joins what is there.
 */
#include <limits.h>

#include "pci/topology.h"

static const unsigned NONE = UINT_MAX;

struct machine {
    const struct uim_pci_function *f;
    unsigned n;
    const unsigned *group; /* NONE: not probed yet */
};

static unsigned group_of(const struct machine *m,
                         const struct uim_pci_function *f)
{
    for (unsigned i = 0; i < m->n; i++)
        if (&m->f[i] == f)
            return m->group[i];
    return NONE;
}

static bool isolated(const struct uim_pci_function *f)
{
    return uim_pci_acs_missing(f, uim_pci_acs_isolation) == 0;
}

static bool way_isolated(const struct uim_pci_function *p)
{
    while (p != NULL && isolated(p))
        p = p->bridge;
    return p == NULL;
}

/* ---- upward ----------------------------------------------------------------- */

/* Who is met on the way of *start's ids: somebody with a group, or the last. */
static unsigned met_by_id(const struct machine *m,
                          const struct uim_pci_function **start)
{
    const struct uim_pci_function *p = *start;
    unsigned group = group_of(m, p);
    uint16_t id;

    while (group == NONE && (p = uim_pci_alias_bridge(p)) != NULL) {
        if (uim_pci_bridge_id(p, &id)) {
            *start = p;
            group = group_of(m, p);
        }
    }
    return group;
}

/* The same for bridges that are not isolated, or have one above that is not. */
static unsigned met_by_way(const struct machine *m,
                           const struct uim_pci_function **start)
{
    const struct uim_pci_function *p = (*start)->bridge;
    unsigned group = NONE;

    for (; group == NONE && p != NULL && !way_isolated(p); p = p->bridge) {
        *start = p;
        group = group_of(m, p);
    }
    return group;
}

/* ---- on one bus ------------------------------------------------------------- */

struct devfns {
    uint32_t word[8];
};

static bool has(const struct devfns *set, const struct uim_pci_function *f)
{
    return set->word[f->at.devfn / 32] >> f->at.devfn % 32 & 1;
}

static void add(struct devfns *set, const struct uim_pci_function *f)
{
    set->word[f->at.devfn / 32] |= UINT32_C(1) << f->at.devfn % 32;
}

static bool same_bus(const struct uim_pci_function *a,
                     const struct uim_pci_function *b)
{
    return a->at.segment == b->at.segment && a->at.bus == b->at.bus;
}

/* Does a's DMA carry b's devfn, on the bus of both? */
static bool aliases(const struct uim_pci_function *a,
                    const struct uim_pci_function *b)
{
    a = uim_pci_requester(a);
    return same_bus(a, b) &&
           (a->at.devfn == b->at.devfn || uim_pci_alias_devfn(a, b->at.devfn));
}

static bool related(const struct uim_pci_function *a,
                    const struct uim_pci_function *b)
{
    if (aliases(a, b) || aliases(b, a))
        return true;
    return a->multifunction && a->at.devfn >> 3 == b->at.devfn >> 3 &&
           !isolated(a) && !isolated(b);
}

/* One that was reached, and whose neighbours were not asked. */
static const struct uim_pci_function *
next_reached(const struct machine *m, const struct uim_pci_function *start,
             const struct devfns *reached, const struct devfns *asked)
{
    for (unsigned i = 0; i < m->n; i++) {
        const struct uim_pci_function *f = &m->f[i];

        if (same_bus(f, start) && has(reached, f) && !has(asked, f))
            return f;
    }
    return NULL;
}

/* The group of somebody on start's bus who is related to it, or to one who is. Where
 * such relations lead to several groups that exist, the nearest. */
static unsigned met_on_bus(const struct machine *m,
                           const struct uim_pci_function *start)
{
    struct devfns reached = { { 0 } }, asked = { { 0 } };
    const struct uim_pci_function *f = start;

    for (; f != NULL; f = next_reached(m, start, &reached, &asked)) {
        add(&reached, f);
        add(&asked, f);
        for (unsigned i = 0; i < m->n; i++) {
            const struct uim_pci_function *g = &m->f[i];

            if (!same_bus(f, g) || has(&reached, g) || !related(f, g))
                continue;
            if (m->group[i] != NONE)
                return m->group[i];
            add(&reached, g);
        }
    }
    return NONE;
}

void uim_pci_groups_linux(const struct uim_pci_function *f, unsigned n,
                          unsigned *group)
{
    struct machine m = { f, n, group };
    unsigned next = 0;

    for (unsigned i = 0; i < n; i++)
        group[i] = NONE;
    for (unsigned i = 0; i < n; i++) {
        const struct uim_pci_function *start = uim_pci_requester(&f[i]);

        group[i] = met_by_id(&m, &start);
        if (group[i] == NONE)
            group[i] = met_by_way(&m, &start);
        if (group[i] == NONE)
            group[i] = met_on_bus(&m, start);
        if (group[i] == NONE)
            group[i] = next++;
    }
}
