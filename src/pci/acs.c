/* SPDX-License-Identifier: MIT */
/*
 * acs.c - what a function enforces of access control (PCIe Base 6.12, 7.7.11;
 * semantics B.9.2), and switching it on.
 */
#include "pci/chipset.h"
#include "pci/quirks.h"

const uint16_t uim_pci_acs_isolation =
    PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF;

enum {
    ANSWERS = 1u << UIM_PCI_QUIRK_ISOLATED | 1u << UIM_PCI_QUIRK_ISOLATED_AMD |
              1u << UIM_PCI_QUIRK_ACS_PCH | 1u << UIM_PCI_QUIRK_ACS_CTRL8,
};

/* ---- what it enforces ------------------------------------------------------ */

/* A bit that is not in the capability counts as wired to on, as the hardware has not
 * what it would switch off; but for egress control. */
static uint16_t by_registers(const struct uim_pci_function *f)
{
    if (f->acs == 0)
        return 0;
    return (uint16_t)(f->acs_ctrl | ~(f->acs_cap | PCI_ACS_EC));
}

/* Functions that are alone in their device have nobody to be kept from. */
static uint16_t by_port_type(const struct uim_pci_function *f)
{
    if (f->unseen)
        return 0;
    switch (f->port) {
    case PCI_EXP_TYPE_ROOT_PORT:
    case PCI_EXP_TYPE_DOWNSTREAM_PORT:
        return by_registers(f);
    case PCI_EXP_TYPE_ENDPOINT:
    case PCI_EXP_TYPE_LEGACY_ENDPOINT:
    case PCI_EXP_TYPE_UPSTREAM_PORT:
    case PCI_EXP_TYPE_RC_INTEGRATED_ENDPOINT:
        return f->multifunction ? by_registers(f) : UINT16_MAX;
    default: /* conventional, a bridge from or to that, an event collector */
        return 0;
    }
}

static uint16_t enforces(const struct uim_pci_function *f)
{
    const struct uim_pci_quirk *q = uim_pci_quirk(f, ANSWERS);
    struct uim_pci_function on = *f;

    if (q == NULL)
        return by_port_type(f);
    switch (q->kind) {
    case UIM_PCI_QUIRK_ISOLATED:
        return q->value;
    case UIM_PCI_QUIRK_ISOLATED_AMD:
        return f->multifunction && f->bridge == NULL && f->ivrs
                   ? q->value
                   : by_port_type(f);
    case UIM_PCI_QUIRK_ACS_PCH:
        return f->quirk_enabled ? q->value : 0;
    default: /* UIM_PCI_QUIRK_ACS_CTRL8 */
        if (f->quirk_enabled)
            on.acs_ctrl |= f->acs_cap & q->value;
        return by_port_type(&on);
    }
}

uint16_t uim_pci_acs_missing(const struct uim_pci_function *f, uint16_t want)
{
    return (uint16_t)(want & ~enforces(f));
}

/* 6.12.3: what egress control lets pass is not redirected, whatever RR says. */
uint16_t uim_pci_acs_open(const struct uim_pci_function *f, uint16_t want)
{
    struct uim_pci_function without = *f;

    if (f->acs_cap & f->acs_ctrl & PCI_ACS_EC) {
        without.acs_cap |= PCI_ACS_RR;
        without.acs_ctrl &= (uint16_t)~PCI_ACS_RR;
    }
    return uim_pci_acs_missing(&without, want);
}

unsigned uim_pci_acs_ctrl(const struct uim_pci_function *f)
{
    return uim_pci_quirk(f, 1u << UIM_PCI_QUIRK_ACS_CTRL8) ? 8
                                                           : PCI_REG_ACS_CTRL;
}

/* ---- switching it on ------------------------------------------------------- */

uint16_t uim_pci_acs_enable(const struct uiommu_host *host,
                            struct uiommu_pci at, uint16_t want)
{
    struct uim_pci_function f;
    uint16_t ctrl;

    uim_pci_function_read(host, at, &f);
    uim_pci_chipset_protect(host, &f);
    ctrl = f.acs_ctrl | (want & f.acs_cap);
    if (want & PCI_ACS_RR)
        ctrl &= (uint16_t)~PCI_ACS_EC;
    if (ctrl != f.acs_ctrl)
        host->pci_write(host->ctx, at, f.acs + uim_pci_acs_ctrl(&f), 2, ctrl);
    /* What it does not obey is missing as well as what it has not. */
    uim_pci_function_read(host, at, &f);
    return uim_pci_acs_open(&f, want);
}
