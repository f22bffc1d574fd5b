/* SPDX-License-Identifier: MIT */
/*
 * quirks.h - functions that are not what their configuration space says: facts, by
 * vendor and device id, as Linux 6.12 knows them.
 */
#ifndef UIM_PCI_QUIRKS_H
#define UIM_PCI_QUIRKS_H

#include "pci/topology.h"

enum uim_pci_quirk_kind {
    /* What of ACS it enforces: the first row that applies is the whole answer.
     *
     * ISOLATED: `value`, whatever its capability says; 0: nothing.
     * ISOLATED_AMD: the same if it is one of several functions on a root bus of a
     * machine with an IVRS table. Else as if there were no row.
     * ACS_PCH: `value` once registers of the chipset say so, until then nothing.
     * ACS_CTRL8: as its capability says, whose control is a word at +8. */
    UIM_PCI_QUIRK_ISOLATED,
    UIM_PCI_QUIRK_ISOLATED_AMD,
    UIM_PCI_QUIRK_ACS_PCH,
    UIM_PCI_QUIRK_ACS_CTRL8,

    /* What other ids its DMA carries: by all rows that apply.
     *
     * ALIAS_FUNCTION: function `value` of its slot.
     * ALIAS_DEVFN: devfn `value` of its bus.
     * ALIAS_FUNCTIONS: functions 0 to `value` - 1 of all slots of its bus.
     * ALIAS_TABLE: devfns of its bus that a table in its BAR 0 has. */
    UIM_PCI_QUIRK_ALIAS_FUNCTION,
    UIM_PCI_QUIRK_ALIAS_DEVFN,
    UIM_PCI_QUIRK_ALIAS_FUNCTIONS,
    UIM_PCI_QUIRK_ALIAS_TABLE,

    /* What it does to ids from below.
     *
     * BRIDGE_ALIAS: what a PCIe-to-PCI bridge does, which it does not say it is.
     * XLATE_ROOT: nothing, nor does anything above, as translation happens here. */
    UIM_PCI_QUIRK_BRIDGE_ALIAS,
    UIM_PCI_QUIRK_XLATE_ROOT,

    /* Its ATS capability is not to be used. */
    UIM_PCI_QUIRK_ATS_BROKEN,
};

/* The functions that it is about: all of this holds of them. */
struct uim_pci_quirk {
    uint16_t vendor;
    uint16_t first, last;                  /* device ids                      */
    uint16_t ports;                        /* bit n: port type n; 0: any      */
    uint16_t class_code;                   /* base and sub class; 0: any      */
    uint16_t subsystem_vendor, subsystem;  /* vendor 0: any                   */
    uint8_t revision_first, revision_last; /* last 0: any                     */
    uint8_t kind;
    uint16_t value;
};

extern const struct uim_pci_quirk uim_pci_quirks[];
extern const unsigned uim_pci_n_quirks;

/* The first row about f of these kinds (bit n: kind n), and the one after `after`.
 * NULL: there is none. */
const struct uim_pci_quirk *uim_pci_quirk(const struct uim_pci_function *f,
                                          unsigned kinds);
const struct uim_pci_quirk *
uim_pci_quirk_next(const struct uim_pci_function *f, unsigned kinds,
                   const struct uim_pci_quirk *after);

#endif
