/* SPDX-License-Identifier: MIT */
/*
 * topology.h - which functions can be kept apart, and why not (semantics B.9).
 *
 * Everything here works on facts that were read before, so that a machine that is
 * not here is judged by the same code as the one that runs. Nothing is allocated;
 * trees are walked by their links upward, which must have no loop.
 */
#ifndef UIM_PCI_TOPOLOGY_H
#define UIM_PCI_TOPOLOGY_H

#include "pci/pci.h"

/* One function, as far as its configuration space says. */
struct uim_pci_function {
    struct uiommu_pci at;
    const struct uim_pci_function *bridge;   /* above it; NULL: on a root bus */
    const struct uim_pci_function *physical; /* of a virtual function         */
    const struct uim_pci_function *dma_device; /* whose ids its DMA carries: the
                              * endpoint of a volume management device for all that
                              * is behind it; NULL: its own                   */
    uint16_t vendor, device, subsystem_vendor, subsystem;
    uint32_t class_code;     /* 24 bits                                       */
    uint8_t revision;
    uint8_t header;          /* PCI_HEADER_*                                  */
    bool multifunction;      /* or not function 0 of its slot                 */
    uint8_t port;            /* PCI_EXP_TYPE_* or UIM_PCI_NOT_PCIE            */
    uint8_t secondary, subordinate; /* bridges: the buses below               */
    bool own_memory;         /* bridges: has registers of its own in memory   */
    bool end_end_prefix;     /* passes what carries a PASID                   */
    bool unseen;             /* its capabilities could not be read            */
    uint16_t acs;            /* offset of the capability; 0: none             */
    uint16_t acs_cap, acs_ctrl; /* as pci_acs_cap and pci_acs_ctrl; control from
                              * where uim_pci_acs_ctrl() says                 */
    /* What the registers of some Intel chipsets switch on for their root ports is
     * on. Read from the chipset; or, of a machine that is not here, known of the
     * kernel that ran there (semantics B.9.2).                               */
    bool quirk_enabled;
    bool ivrs;               /* the machine has AMD's IVRS table              */
    /* More devfns of its bus that its DMA may carry, as firmware says (IVRS) or a
     * table in the device (Switchtec; none told: all 256).                   */
    const uint8_t *devfns;
    uint16_t n_devfns;
};

/* All but the links, `ivrs` and `devfns`, from configuration space, and from the
 * registers of an Intel chipset if the host maps them. A function that is gone, and a
 * virtual one, which is not said here to be one: vendor 0xffff. */
void uim_pci_function_read(const struct uiommu_host *host, struct uiommu_pci at,
                           struct uim_pci_function *out);

/* The same of a virtual function, with its links: what `physical` knows of it (9.3). */
void uim_pci_function_read_virtual(const struct uiommu_host *host,
                                   struct uiommu_pci at,
                                   const struct uim_pci_function *physical,
                                   struct uim_pci_function *out);

/* ---- requester ids (B.9.1) -------------------------------------------------- */

/* Number i of the ids, bus << 8 | devfn, that its DMA may carry: its own is number 0.
 * NOENT: there are fewer. Each comes once. */
UIOMMU_MUST_CHECK enum uiommu_status
uim_pci_alias(const struct uim_pci_function *f, unsigned i, uint16_t *id);

/* Of which segment and bus are they? f, or the device that does its DMA. */
const struct uim_pci_function *
uim_pci_requester(const struct uim_pci_function *f);

/* Is that one of f's ids? */
bool uim_pci_carries(const struct uim_pci_function *f, uint16_t segment,
                     uint16_t id);

/* Have the two an id in common? Which is then in *id. */
bool uim_pci_shared_id(const struct uim_pci_function *a,
                       const struct uim_pci_function *b, uint16_t *id);

/* Do quirks or firmware say that f's DMA carries another devfn of its bus? */
bool uim_pci_alias_devfn(const struct uim_pci_function *f, uint8_t devfn);

/* The id that bridge p puts on what comes from below. False: it passes ids on. */
bool uim_pci_bridge_id(const struct uim_pci_function *p, uint16_t *id);

/* The next bridge above that may change ids, or NULL. */
const struct uim_pci_function *
uim_pci_alias_bridge(const struct uim_pci_function *f);

/* ---- isolation (B.9.2) ------------------------------------------------------ */

/* Of PCI_ACS_CTRL's bits in `want`, those that the function does not enforce: what
 * quirks say, or what its port type needs and its registers lack. 0: all are. */
uint16_t uim_pci_acs_missing(const struct uim_pci_function *f, uint16_t want);

/* The same more strictly than Linux has it: egress control may let requests pass that
 * RR alone would redirect. What is uiommu's own goes by this. */
uint16_t uim_pci_acs_open(const struct uim_pci_function *f, uint16_t want);

/* What isolation asks for on the whole path: SV, RR, CR, UF. */
extern const uint16_t uim_pci_acs_isolation;

/* Where control of ACS is, from the start of the capability. */
unsigned uim_pci_acs_ctrl(const struct uim_pci_function *f);

/* Switches on what the function has of `want`, which is uim_pci_acs_isolation, and TB
 * for what must send no translated requests. Returns what it does not enforce after
 * that: uim_pci_acs_open(). May sleep. */
uint16_t uim_pci_acs_enable(const struct uiommu_host *host,
                            struct uiommu_pci at, uint16_t want);

/* Its ATS capability is there but must not be used, or its physical function's. */
bool uim_pci_ats_broken(const struct uim_pci_function *f);

/* ---- groups (B.9.4): the relation whose connected components they are --------- */

enum uim_pci_why {
    UIM_PCI_APART,        /* nothing joins the two                            */
    UIM_PCI_SAME_ID,      /* the DMA of both may carry `id`                   */
    UIM_PCI_ALIAS,        /* the DMA of one may carry the other's own `id`    */
    UIM_PCI_UNDER_PORT,   /* `at`, a bridge above both, lacks `missing`       */
    UIM_PCI_PORT_ITSELF,  /* one is below the other, which lacks `missing`    */
    UIM_PCI_CONVENTIONAL, /* `at` leads to a bus that all on it hear          */
    UIM_PCI_SAME_DEVICE,  /* functions of one slot; `at` lacks `missing`      */
    UIM_PCI_UNSEEN,       /* `at` could not be read: nothing is known of it   */
    UIM_PCI_ACROSS,      /* `at`, a switch port above one, lacks `missing`: from
                           * there to all of its switch                      */
    UIM_PCI_PORT_MEMORY,  /* registers of `at`, a port, can be reached        */
    UIM_PCI_NO_PREFIX,    /* `at` passes no PASID                             */
};

struct uim_pci_reason {
    enum uim_pci_why why;
    const struct uim_pci_function *at; /* who is to blame, or NULL            */
    uint16_t missing;                  /* bits of PCI_ACS_CTRL                */
    uint16_t id;                       /* bus << 8 | devfn                    */
};

/* Does anything join the two directly? Symmetric. `out` is filled in either way and may
 * be NULL. */
bool uim_pci_joined(const struct uim_pci_function *a,
                    const struct uim_pci_function *b,
                    struct uim_pci_reason *out);

enum { UIM_PCI_REASON_TEXT = 320 }; /* room for any sentence */

/* A sentence without the names of a and b, as "switch port 0000:03:00.0 does not
 * redirect requests (ACS RR) ...". Returns as snprintf() does. */
size_t uim_pci_reason_text(const struct uim_pci_reason *reason, char *buf,
                           size_t size);

/* Can nothing that comes later share a group with f, if now nothing does (semantics
 * S0.7)? It is alone in its device or isolated from the rest of it, its way to the root
 * has the whole of ACS, and its ids are nobody else's. */
bool uim_pci_immutable_singleton(const struct uim_pci_function *f,
                                 struct uim_pci_reason *out);

/* May requests with a PASID be sent upward, which are routed by address alone? Every
 * port above redirects requests and forwards upstream, and every switch passes
 * prefixes (B.9.5). */
bool uim_pci_pasid_routed(const struct uim_pci_function *f,
                          struct uim_pci_reason *out);

/* ---- groups ------------------------------------------------------------------- */

/* In all of these the array has every function that a link of one of them names. */

/* Of each of the n functions into group[0..n): the components of uim_pci_joined(),
 * numbered from 0 by their first member. */
void uim_pci_groups(const struct uim_pci_function *f, unsigned n,
                    unsigned *group);

/* As Linux makes them (B.9.3), numbered in the order in which they come to be when
 * functions are probed in the array's order. */
void uim_pci_groups_linux(const struct uim_pci_function *f, unsigned n,
                          unsigned *group);

/* The group of a function that comes later, `added`, among those of uim_pci_groups().
 * NOENT: one of its own. BUSY: it would merge several, of which some may be somebody's
 * alone: it has to stay blocked (D-70). */
UIOMMU_MUST_CHECK enum uiommu_status
uim_pci_group_of_new(const struct uim_pci_function *f, unsigned n,
                     const unsigned *group,
                     const struct uim_pci_function *added, unsigned *out);

#endif
