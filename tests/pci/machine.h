/* SPDX-License-Identifier: MIT */
/* machine.h - trees of PCI functions, built by hand. */
#ifndef UIM_TESTS_PCI_MACHINE_H
#define UIM_TESTS_PCI_MACHINE_H

#include "pci/topology.h"

enum {
    ROOT = PCI_EXP_TYPE_ROOT_PORT,
    UP = PCI_EXP_TYPE_UPSTREAM_PORT,
    DOWN = PCI_EXP_TYPE_DOWNSTREAM_PORT,
    END = PCI_EXP_TYPE_ENDPOINT,
    LEGACY = PCI_EXP_TYPE_LEGACY_ENDPOINT,
    INTEGRATED = PCI_EXP_TYPE_RC_INTEGRATED_ENDPOINT,
    COLLECTOR = PCI_EXP_TYPE_RC_EVENT_COLLECTOR,
    TO_PCI = PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE,
    TO_PCIE = PCI_EXP_TYPE_PCI_TO_PCIE_BRIDGE,
    CONVENTIONAL = UIM_PCI_NOT_PCIE,
};

enum {
    MACHINE_MAX = 600,
    /* ACS as most have it, and switched on for isolation. */
    ACS_CAP = 0x5f,
    ACS_ON = 0x1d,
};

struct machine {
    struct uim_pci_function
        f[MACHINE_MAX + 1]; /* the last: not to be looked at */
    unsigned n;
    unsigned group[MACHINE_MAX + 1];
};

/* A function below `bridge`, or on root bus 0 of segment 0. Bridges get the next
 * free bus below them. Of no vendor that has quirks. */
struct uim_pci_function *machine_add(struct machine *m,
                                     struct uim_pci_function *bridge,
                                     unsigned slot, unsigned function,
                                     uint8_t port);

/* The same for conventional bridges, which have no port type. */
struct uim_pci_function *machine_bridge(struct machine *m,
                                        struct uim_pci_function *bridge,
                                        unsigned slot);

/* ACS capability and control; returns f. */
struct uim_pci_function *machine_acs(struct uim_pci_function *f, uint16_t cap,
                                     uint16_t ctrl);

/* Vendor and device; returns f. */
struct uim_pci_function *machine_id(struct uim_pci_function *f, uint16_t vendor,
                                    uint16_t device);

/* Groups as in "0 0 1 2", by uiommu's and by Linux's rule. */
const char *machine_groups(struct machine *m, char text[static 2000]);
const char *machine_groups_linux(struct machine *m, char text[static 2000]);

/* What joins a and b as text; NULL: nothing. */
const char *machine_why(const struct uim_pci_function *a,
                        const struct uim_pci_function *b,
                        char text[static 400]);

#endif
