/* SPDX-License-Identifier: MIT */
/*
 * pci.h - what the core asks of configuration space (PCIe Base 6.x, 7 and 10).
 *
 * Everything goes through host->pci_read and pci_write, in the contexts they
 * allow. A device may answer anything: nothing here trusts a pointer it reads,
 * and a device that is gone answers ones to all.
 */
#ifndef UIM_PCI_PCI_H
#define UIM_PCI_PCI_H

#include <uiommu/host.h>

#include "spec/pci.h"

/* uim_pci_port() of what has no PCI Express capability. */
enum { UIM_PCI_NOT_PCIE = 0xff };

/* Somebody answers there. A virtual function has no vendor, but the other registers. */
bool uim_pci_present(const struct uiommu_host *host, struct uiommu_pci at);
/* And is one. */
bool uim_pci_is_virtual(const struct uiommu_host *host, struct uiommu_pci at);

/* 24 bits: class, subclass, interface. */
uint32_t uim_pci_class(const struct uiommu_host *host, struct uiommu_pci at);

bool uim_pci_is_bridge(const struct uiommu_host *host, struct uiommu_pci at);

/* Of a bridge: the bus below it, as numbered now. */
uint8_t uim_pci_secondary_bus(const struct uiommu_host *host,
                              struct uiommu_pci at);

/* Offset of a capability, PCI_CAP_* and PCI_EXT_CAP_*; 0: it has none. */
unsigned uim_pci_find(const struct uiommu_host *host, struct uiommu_pci at,
                      unsigned id);
unsigned uim_pci_find_ext(const struct uiommu_host *host, struct uiommu_pci at,
                          unsigned id);

/* PCI_EXP_TYPE_* or UIM_PCI_NOT_PCIE. */
uint8_t uim_pci_port(const struct uiommu_host *host, struct uiommu_pci at);

struct uim_pci_sriov {
    uint16_t n;              /* virtual functions that are there now         */
    uint16_t offset, stride; /* of their ids                                 */
    uint16_t device;         /* their device id                              */
};

/* NOENT: no such capability. */
UIOMMU_MUST_CHECK enum uiommu_status
uim_pci_sriov(const struct uiommu_host *host, struct uiommu_pci at,
              struct uim_pci_sriov *out);

/* Is `at` one of those that `physical` says this of? */
bool uim_pci_is_virtual_of(const struct uim_pci_sriov *sriov,
                           struct uiommu_pci physical, struct uiommu_pci at);

struct uim_pci_ats {
    bool enabled;           /* now, with                                     */
    uint8_t stu;            /* smallest translation unit: 2^(12 + stu)       */
    uint16_t offset;        /* of the capability                             */
    uint8_t queue_depth;    /* invalidations it takes at once: 1..32; a virtual
                             * function's count against its physical one's   */
    bool page_aligned;      /* its untranslated requests are whole pages     */
    bool global_invalidate; /* can drop all PASIDs at once                   */
};

/* NOENT: no ATS capability. */
UIOMMU_MUST_CHECK enum uiommu_status uim_pci_ats(const struct uiommu_host *host,
                                                 struct uiommu_pci at,
                                                 struct uim_pci_ats *out);

/*
 * Switch ATS on, which empties the device's cache; `offset` is that of the
 * capability. It asks for translations of at least 4096 << stu bytes; virtual
 * functions ask for what their physical one does.
 *
 * A device that does not obey stays without ATS: it asks for nothing, and
 * answers invalidations all the same.
 */
void uim_pci_ats_enable(const struct uiommu_host *host, struct uiommu_pci at,
                        unsigned offset, unsigned stu);

/* The size alone, while ATS is off: for its virtual functions. */
void uim_pci_ats_set_stu(const struct uiommu_host *host, struct uiommu_pci at,
                         unsigned offset, unsigned stu);

/* It asks for nothing more; what it has cached must be invalidated by then. */
void uim_pci_ats_disable(const struct uiommu_host *host, struct uiommu_pci at,
                         unsigned offset);

struct uim_pci_pasid {
    bool enabled; /* now                                                     */
    uint16_t offset;
    uint8_t bits; /* widest PASID: 0..20 */
    bool exec, privileged;
};

/* Lets the function send requests with PASIDs, neither of execution nor privileged;
 * `offset` is that of the capability. While ATS is on this must not be called (7.8.8).
 * False: it does not obey. */
bool uim_pci_pasid_enable(const struct uiommu_host *host, struct uiommu_pci at,
                          unsigned offset);
void uim_pci_pasid_disable(const struct uiommu_host *host, struct uiommu_pci at,
                           unsigned offset);

struct uim_pci_pri {
    bool stopped;            /* nothing it asked for is open                 */
    bool failed;             /* told so, it asks no more until enabled anew  */
    uint16_t offset;
    uint32_t capacity;   /* page requests it may have outstanding            */
    bool response_pasid; /* wants the request's PASID in responses           */
};

/* NOENT: no such capability. Nothing is switched on. */
UIOMMU_MUST_CHECK enum uiommu_status
uim_pci_pasid(const struct uiommu_host *host, struct uiommu_pci at,
              struct uim_pci_pasid *out);
UIOMMU_MUST_CHECK enum uiommu_status uim_pci_pri(const struct uiommu_host *host,
                                                 struct uiommu_pci at,
                                                 struct uim_pci_pri *out);

/* Lets the function ask for pages, so many at once; it must be stopped. `offset` is that of
 * the capability. False: it does not obey. */
bool uim_pci_pri_enable(const struct uiommu_host *host, struct uiommu_pci at,
                        unsigned offset, uint32_t credits);
/* As after a reset of the function: off, and it waits for nothing. */
void uim_pci_pri_reset(const struct uiommu_host *host, struct uiommu_pci at,
                       unsigned offset);
/* It asks for nothing more; what is open is to be answered all the same. */
void uim_pci_pri_disable(const struct uiommu_host *host, struct uiommu_pci at,
                         unsigned offset);

#endif
