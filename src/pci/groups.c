/* SPDX-License-Identifier: MIT */
/*
 * groups.c - which functions are joined, and the groups that come of it (semantics
 * B.9.3, B.9.4).
 *
 * ACS says what a port lets out of what is below it, not what others send there
 * (PCIe Base 6.12.1). So one port of a switch that lets out leaves all of its switch
 * open, and one function of a device all of the device. A root complex is taken at
 * its word, as everybody does: nothing goes from one slot of a root bus to another
 * without being translated, and within a slot only between two that both let out.
 */
#include "pci/topology.h"

static bool is_below(const struct uim_pci_function *f,
                     const struct uim_pci_function *top)
{
    while (f != NULL && f != top)
        f = f->bridge;
    return f == top;
}

/* The function on the bus below p that f is or is below; p NULL: on a root bus. */
static const struct uim_pci_function *branch(const struct uim_pci_function *f,
                                             const struct uim_pci_function *p)
{
    while (f != p && f->bridge != p)
        f = f->bridge;
    return f;
}

static bool same_bus(const struct uim_pci_function *a,
                     const struct uim_pci_function *b)
{
    return a->at.segment == b->at.segment && a->at.bus == b->at.bus;
}

static bool same_slot(const struct uim_pci_function *a,
                      const struct uim_pci_function *b)
{
    return same_bus(a, b) && a->at.devfn >> 3 == b->at.devfn >> 3;
}

/* ---- why ------------------------------------------------------------------- */

static bool say(struct uim_pci_reason *out, enum uim_pci_why why,
                const struct uim_pci_function *at, uint16_t missing)
{
    *out = (struct uim_pci_reason){ .why = why, .at = at, .missing = missing };
    return true;
}

static bool is_conventional(const struct uim_pci_function *f)
{
    return f->port == UIM_PCI_NOT_PCIE ||
           f->port == PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE ||
           f->port == PCI_EXP_TYPE_PCI_TO_PCIE_BRIDGE;
}

/* Does f let out some of what `want` asks to keep? Bridges from or to a conventional bus
 * do: on that there is nothing to tell apart. */
static bool leaks(const struct uim_pci_function *f, uint16_t want,
                  enum uim_pci_why why, struct uim_pci_reason *out)
{
    bool shared = why != UIM_PCI_SAME_DEVICE && is_conventional(f);
    uint16_t missing = uim_pci_acs_open(f, want);

    if (missing == 0 && !shared)
        return false;
    if (f->unseen)
        why = UIM_PCI_UNSEEN;
    else if (shared)
        why = UIM_PCI_CONVENTIONAL;
    return say(out, why, f, missing);
}

/* ---- requests that go another way than through the root complex ------------- */

/* The lowest that both are or are below. NULL: the root complex. */
static const struct uim_pci_function *common(const struct uim_pci_function *a,
                                             const struct uim_pci_function *b)
{
    while (a != NULL && !is_below(b, a))
        a = a->bridge;
    return a;
}

static bool is_down(const struct uim_pci_function *f)
{
    return f->port == PCI_EXP_TYPE_DOWNSTREAM_PORT;
}

/* x and y are on the bus below p, which is a link or within a switch: parts of one
 * device? Virtual functions are theirs whom the physical one gave them to. */
static bool one_device(const struct uim_pci_function *p,
                       const struct uim_pci_function *x,
                       const struct uim_pci_function *y)
{
    if (x->physical != NULL || y->physical != NULL)
        return false;
    return p->port == PCI_EXP_TYPE_ROOT_PORT || is_down(p) || same_slot(x, y);
}

/* Between the branches x and y below p; either may be p itself. */
static bool across(const struct uim_pci_function *p,
                   const struct uim_pci_function *x,
                   const struct uim_pci_function *y, struct uim_pci_reason *out)
{
    const uint16_t path = uim_pci_acs_isolation;
    struct uim_pci_reason other;

    if (p != NULL && ((is_down(x) && leaks(x, path, UIM_PCI_ACROSS, out)) ||
                      (is_down(y) && leaks(y, path, UIM_PCI_ACROSS, out))))
        return true;
    if (x == p || y == p)
        return false;
    if (p != NULL && one_device(p, x, y))
        return leaks(x, path, UIM_PCI_SAME_DEVICE, out) ||
               leaks(y, path, UIM_PCI_SAME_DEVICE, out);
    return same_slot(x, y) && leaks(y, path, UIM_PCI_SAME_DEVICE, &other) &&
           leaks(x, path, UIM_PCI_SAME_DEVICE, out);
}

static bool by_way(const struct uim_pci_function *a,
                   const struct uim_pci_function *b, struct uim_pci_reason *out)
{
    const struct uim_pci_function *p = common(a, b);

    if (across(p, branch(a, p), branch(b, p), out))
        return true;
    for (; p != NULL; p = p->bridge)
        if (leaks(p, uim_pci_acs_isolation,
                  p == a || p == b ? UIM_PCI_PORT_ITSELF : UIM_PCI_UNDER_PORT,
                  out))
            return true;
    return false;
}

/* ---- registers of ports ----------------------------------------------------- */

static bool is_port(const struct uim_pci_function *f)
{
    return f->port == PCI_EXP_TYPE_ROOT_PORT ||
           f->port == PCI_EXP_TYPE_UPSTREAM_PORT || is_down(f);
}

/* Does port p keep requests from below it from the registers of ports? Those of its
 * switch's upstream port have a control of their own (ACS enhanced). */
static bool guards(const struct uim_pci_function *p, bool upstream)
{
    struct pci_acs_ctrl ctrl = { p->acs_ctrl };
    struct pci_acs_cap cap = { p->acs_cap };

    if (!is_port(p) || p->acs == 0 || !pci_acs_cap_enhanced(cap))
        return false;
    return (upstream ? pci_acs_ctrl_usp_memory_target(ctrl)
                     : pci_acs_ctrl_dsp_memory_target(ctrl)) !=
           PCI_ACS_TARGET_DIRECT;
}

/* Can f reach registers of port p, below it or in the same switch? */
static bool reaches(const struct uim_pci_function *f,
                    const struct uim_pci_function *p,
                    struct uim_pci_reason *out)
{
    bool upstream = p->port == PCI_EXP_TYPE_UPSTREAM_PORT;
    const struct uim_pci_function *in = p; /* where its requests come in */

    if (!p->own_memory || !is_port(p) || is_port(f))
        return false;
    if (upstream && is_below(f, p))
        in = branch(f, p);
    else if (is_down(p) && p->bridge != NULL && is_below(f, p->bridge))
        in = branch(f, p->bridge);
    else if (!is_below(f, p))
        return false;
    return !guards(in, upstream) && say(out, UIM_PCI_PORT_MEMORY, p, 0);
}

/* ---- ids -------------------------------------------------------------------- */

static uint16_t own_id(const struct uim_pci_function *f)
{
    return (uint16_t)(f->at.bus << 8 | f->at.devfn);
}

static bool poses_as(const struct uim_pci_function *a,
                     const struct uim_pci_function *b,
                     struct uim_pci_reason *out)
{
    if (!uim_pci_carries(a, b->at.segment, own_id(b)))
        return false;
    say(out, UIM_PCI_ALIAS, a, 0);
    out->id = own_id(b);
    return true;
}

static bool by_id(const struct uim_pci_function *a,
                  const struct uim_pci_function *b, struct uim_pci_reason *out)
{
    uint16_t id;

    if (a != b && (poses_as(a, b, out) || poses_as(b, a, out)))
        return true;
    if (!uim_pci_shared_id(a, b, &id))
        return false;
    *out = (struct uim_pci_reason){ .why = UIM_PCI_SAME_ID, .id = id };
    return true;
}

/* ---- the relation ----------------------------------------------------------- */

static bool comes_before(const struct uim_pci_function *a,
                         const struct uim_pci_function *b)
{
    if (a->at.segment != b->at.segment)
        return a->at.segment < b->at.segment;
    return own_id(a) < own_id(b);
}

bool uim_pci_joined(const struct uim_pci_function *a,
                    const struct uim_pci_function *b,
                    struct uim_pci_reason *out)
{
    struct uim_pci_reason unwanted;

    if (out == NULL)
        out = &unwanted;
    if (comes_before(b, a)) {
        const struct uim_pci_function *swap = a;

        a = b;
        b = swap;
    }
    *out = (struct uim_pci_reason){ .why = UIM_PCI_APART };
    if (a != b &&
        (by_way(a, b, out) || reaches(a, b, out) || reaches(b, a, out)))
        return true;
    return by_id(a, b, out);
}

/* ---- its components --------------------------------------------------------- */

static unsigned root_of(const unsigned *group, unsigned i)
{
    while (group[i] != i)
        i = group[i];
    return i;
}

/* The root of a group is its first member. */
static void unite(unsigned *group, unsigned i, unsigned j)
{
    i = root_of(group, i);
    j = root_of(group, j);
    if (i < j)
        group[j] = i;
    else
        group[i] = j;
}

void uim_pci_groups(const struct uim_pci_function *f, unsigned n,
                    unsigned *group)
{
    unsigned next = 0;

    for (unsigned i = 0; i < n; i++) {
        group[i] = i;
        for (unsigned j = 0; j < i; j++)
            if (root_of(group, i) != root_of(group, j) &&
                uim_pci_joined(&f[i], &f[j], NULL))
                unite(group, i, j);
    }
    for (unsigned i = 0; i < n; i++)
        group[i] = root_of(group, i);
    for (unsigned i = 0; i < n; i++)
        group[i] = group[i] == i ? next++ : group[group[i]];
}

enum uiommu_status uim_pci_group_of_new(const struct uim_pci_function *f,
                                        unsigned n, const unsigned *group,
                                        const struct uim_pci_function *added,
                                        unsigned *out)
{
    bool found = false;

    for (unsigned i = 0; i < n; i++) {
        if ((found && group[i] == *out) || !uim_pci_joined(added, &f[i], NULL))
            continue;
        if (found)
            return UIOMMU_BUSY;
        found = true;
        *out = group[i];
    }
    return found ? UIOMMU_OK : UIOMMU_NOENT;
}

/* ---- what follows for one function ------------------------------------------ */

/* The same of f, which is to blame for `why`, or of what is above it. */
static bool way_leaks(const struct uim_pci_function *f, uint16_t want,
                      enum uim_pci_why why, struct uim_pci_reason *out)
{
    while (f != NULL && !leaks(f, want, why, out)) {
        why = UIM_PCI_UNDER_PORT;
        f = f->bridge;
    }
    return f != NULL;
}

/* Does f itself let in what comes later? */
static bool is_open(const struct uim_pci_function *f,
                    struct uim_pci_reason *out)
{
    const uint16_t path = uim_pci_acs_isolation;

    if (f->unseen)
        return say(out, UIM_PCI_UNSEEN, f, path);
    if (f->header == PCI_HEADER_BRIDGE &&
        leaks(f, path, UIM_PCI_PORT_ITSELF, out))
        return true;
    if (f->multifunction && leaks(f, path, UIM_PCI_SAME_DEVICE, out))
        return true;
    return f->own_memory && say(out, UIM_PCI_PORT_MEMORY, f, 0);
}

bool uim_pci_immutable_singleton(const struct uim_pci_function *f,
                                 struct uim_pci_reason *out)
{
    struct uim_pci_reason unwanted;

    if (out == NULL)
        out = &unwanted;
    *out = (struct uim_pci_reason){ .why = UIM_PCI_APART };
    if (is_open(f, out) ||
        way_leaks(f->bridge, uim_pci_acs_isolation, UIM_PCI_UNDER_PORT, out))
        return false;
    /* Under an id that is not its own there may be others, now or later. */
    if (uim_pci_alias(f, f->dma_device == NULL, &out->id) != UIOMMU_OK)
        return true;
    out->why = UIM_PCI_SAME_ID;
    return false;
}

bool uim_pci_pasid_routed(const struct uim_pci_function *f,
                          struct uim_pci_reason *out)
{
    struct uim_pci_reason unwanted;

    if (out == NULL)
        out = &unwanted;
    *out = (struct uim_pci_reason){ .why = UIM_PCI_APART };
    if (way_leaks(f, PCI_ACS_RR | PCI_ACS_UF, UIM_PCI_SAME_DEVICE, out))
        return false;
    for (const struct uim_pci_function *p = f->bridge; p != NULL; p = p->bridge)
        if (!p->end_end_prefix)
            return !say(out, UIM_PCI_NO_PREFIX, p, 0);
    return true;
}
