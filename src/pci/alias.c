/* SPDX-License-Identifier: MIT */
/*
 * alias.c - the requester ids that a function's DMA may carry (semantics B.9.1).
 */
#include "pci/quirks.h"

enum {
    MORE_DEVFNS =
        1u << UIM_PCI_QUIRK_ALIAS_FUNCTION | 1u << UIM_PCI_QUIRK_ALIAS_DEVFN |
        1u << UIM_PCI_QUIRK_ALIAS_FUNCTIONS | 1u << UIM_PCI_QUIRK_ALIAS_TABLE,
};

static uint16_t id_of(uint8_t bus, uint8_t devfn)
{
    return (uint16_t)(bus << 8 | devfn);
}

const struct uim_pci_function *
uim_pci_requester(const struct uim_pci_function *f)
{
    return f->dma_device != NULL ? f->dma_device : f;
}

/* ---- devfns of its own bus ------------------------------------------------- */

static bool row_says(const struct uim_pci_quirk *q,
                     const struct uim_pci_function *f, uint8_t devfn)
{
    switch (q->kind) {
    case UIM_PCI_QUIRK_ALIAS_FUNCTION:
        return devfn == ((f->at.devfn & ~7u) | q->value);
    case UIM_PCI_QUIRK_ALIAS_DEVFN:
        return devfn == q->value;
    case UIM_PCI_QUIRK_ALIAS_FUNCTIONS:
        return (devfn & 7) < q->value;
    default: /* a table that nobody has read may say anything */
        return f->n_devfns == 0;
    }
}

bool uim_pci_alias_devfn(const struct uim_pci_function *f, uint8_t devfn)
{
    const struct uim_pci_quirk *q;

    if (devfn == f->at.devfn)
        return false;
    for (unsigned i = 0; i < f->n_devfns; i++)
        if (f->devfns[i] == devfn)
            return true;
    for (q = uim_pci_quirk(f, MORE_DEVFNS); q != NULL;
         q = uim_pci_quirk_next(f, MORE_DEVFNS, q))
        if (row_says(q, f, devfn))
            return true;
    return false;
}

static bool has_devfns(const struct uim_pci_function *f)
{
    return f->n_devfns > 0 || uim_pci_quirk(f, MORE_DEVFNS) != NULL;
}

/* ---- bridges above --------------------------------------------------------- */

/* A bridge without a PCI Express capability that is known to be one from PCI Express
 * to PCI all the same, where it can be one. */
static bool hidden_pcie_to_pci(const struct uim_pci_function *p)
{
    const struct uim_pci_function *above = p->bridge;

    return p->header == PCI_HEADER_BRIDGE && above != NULL &&
           above->port != UIM_PCI_NOT_PCIE &&
           above->port != PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE &&
           uim_pci_quirk(p, 1u << UIM_PCI_QUIRK_BRIDGE_ALIAS) != NULL;
}

bool uim_pci_bridge_id(const struct uim_pci_function *p, uint16_t *id)
{
    switch (p->port) {
    case PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE:
        *id = id_of(p->secondary, 0);
        return true;
    case PCI_EXP_TYPE_PCI_TO_PCIE_BRIDGE:
        *id = id_of(p->at.bus, p->at.devfn);
        return true;
    case UIM_PCI_NOT_PCIE:
        *id = hidden_pcie_to_pci(p) ? id_of(p->secondary, 0)
                                    : id_of(p->at.bus, p->at.devfn);
        return true;
    default:
        return false;
    }
}

const struct uim_pci_function *
uim_pci_alias_bridge(const struct uim_pci_function *f)
{
    const struct uim_pci_function *p = f->bridge;

    if (p != NULL && uim_pci_quirk(p, 1u << UIM_PCI_QUIRK_XLATE_ROOT) != NULL)
        return NULL;
    return p;
}

/* Is it an id that f has already below bridge p, or, if NULL, at all? */
static bool has_below(const struct uim_pci_function *f,
                      const struct uim_pci_function *p, uint16_t id)
{
    const struct uim_pci_function *q = uim_pci_alias_bridge(f);
    uint16_t before;

    if (id >> 8 == f->at.bus &&
        ((id & 0xff) == f->at.devfn || uim_pci_alias_devfn(f, (uint8_t)id)))
        return true;
    for (; q != p; q = uim_pci_alias_bridge(q))
        if (uim_pci_bridge_id(q, &before) && before == id)
            return true;
    return false;
}

/* ---- all of them ----------------------------------------------------------- */

enum uiommu_status uim_pci_alias(const struct uim_pci_function *f, unsigned i,
                                 uint16_t *id)
{
    const struct uim_pci_function *r = uim_pci_requester(f), *p;
    unsigned n = 0;
    uint16_t given;

    if (i == n++) {
        *id = id_of(r->at.bus, r->at.devfn);
        return UIOMMU_OK;
    }
    for (unsigned devfn = 0; has_devfns(r) && devfn <= 0xff; devfn++) {
        if (uim_pci_alias_devfn(r, (uint8_t)devfn) && i == n++) {
            *id = id_of(r->at.bus, (uint8_t)devfn);
            return UIOMMU_OK;
        }
    }
    for (p = uim_pci_alias_bridge(r); p != NULL; p = uim_pci_alias_bridge(p)) {
        if (uim_pci_bridge_id(p, &given) && !has_below(r, p, given) &&
            i == n++) {
            *id = given;
            return UIOMMU_OK;
        }
    }
    return UIOMMU_NOENT;
}

bool uim_pci_carries(const struct uim_pci_function *f, uint16_t segment,
                     uint16_t id)
{
    const struct uim_pci_function *r = uim_pci_requester(f);

    return r->at.segment == segment && has_below(r, NULL, id);
}

/* An id of a other than a quirk's that is b's too. */
static bool first_shared(const struct uim_pci_function *a,
                         const struct uim_pci_function *b, uint16_t *id)
{
    const struct uim_pci_function *p;

    *id = id_of(a->at.bus, a->at.devfn);
    if (has_below(b, NULL, *id))
        return true;
    for (p = uim_pci_alias_bridge(a); p != NULL; p = uim_pci_alias_bridge(p))
        if (uim_pci_bridge_id(p, id) && has_below(b, NULL, *id))
            return true;
    return false;
}

bool uim_pci_shared_id(const struct uim_pci_function *a,
                       const struct uim_pci_function *b, uint16_t *id)
{
    a = uim_pci_requester(a);
    b = uim_pci_requester(b);
    if (a->at.segment != b->at.segment)
        return false;
    if (first_shared(a, b, id) || first_shared(b, a, id))
        return true;
    if (a->at.bus != b->at.bus || !has_devfns(a) || !has_devfns(b))
        return false;
    for (unsigned devfn = 0; devfn <= 0xff; devfn++) {
        *id = id_of(a->at.bus, (uint8_t)devfn);
        if (uim_pci_alias_devfn(a, (uint8_t)devfn) &&
            uim_pci_alias_devfn(b, (uint8_t)devfn))
            return true;
    }
    return false;
}
