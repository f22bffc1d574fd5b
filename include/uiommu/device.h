/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_DEVICE_H
#define UIOMMU_DEVICE_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Devices and the endpoints they ask through.
 *
 * The host adds what it found, bridges before what is behind them and physical functions
 * before their virtual ones, whose bridge is theirs; uiommu reads their configuration
 * space and never scans. What is not added stays blocked.
 * Adding and removing is done by one thread at a time.
 */

enum uiommu_device_kind {
    UIOMMU_DEVICE_PCI,
    UIOMMU_DEVICE_ACPI, /* named by a firmware table: DMAR's ANDD,
                         * IORT's named components */
};

enum {
    /* Plugged in from outside, or otherwise not to be believed: no ATS, and no default
     * domain but a translated one.                                          */
    UIOMMU_DEVICE_UNTRUSTED = 1u << 0,
};

struct uiommu_device_info {
    uint32_t size; /* sizeof(struct uiommu_device_info) of the embedder */
    enum uiommu_device_kind kind;
    uint32_t flags;
    struct uiommu_pci pci;        /* PCI: where it is now                 */
    struct uiommu_device
        *bridge;           /* PCI: the bridge above, NULL: on a root bus */
    const char *acpi_path;        /* ACPI: "\\_SB.PCI0.I2C0", copied      */
};

/**
 * Add a device. Its endpoint sees its core domain: nothing, or its firmware
 * regions if it has some; or uiommu_inherited(), see handover.h. A fault handler may
 * hear of it before this returns.
 *
 * May sleep. INVAL: malformed. NODEV: nothing is at that address, or no unit
 * translates for it, or it is a virtual function whose physical one was not added
 * (logged). EXIST: added before. AGAIN: not started, or suspended. OPNOTSUPP: its DMA may
 * carry ids that another unit translates for. BUSY: groups that are in use would become
 * one, see group.h; a virtual function's physical one is being reset. NOMEM, NOSPC;
 * TIMEDOUT, IO: the unit. A device whose firmware regions cannot be mapped is added, and
 * stays blocked; the log says so. A device that comes to a group in use sees what the
 * group sees.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_device_add(struct uiommu *u, const struct uiommu_device_info *info,
                  struct uiommu_device **out);

/**
 * Remove a device, which may be gone physically: it is blocked, then forgotten,
 * and so is a quarantine. May sleep; not from a fault handler. BUSY, and nothing
 * happens, while its group is claimed, it is started for DMA, it has PASIDs or parts that
 * are lent (mediated.h; if it is gone: which are started for DMA), one of its interrupts
 * is mapped, or a device that was added behind it, or a virtual function of it, is still
 * there; AGAIN while suspended. TIMEDOUT, IO: the device is forgotten, but the unit did
 * not confirm that it is blocked: see status.h.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_device_remove(struct uiommu_device *device);

/** The endpoint for DMA without a PASID. Lives as long as the device. Devices that
 *  firmware gives one id have one endpoint. */
struct uiommu_endpoint *uiommu_device_endpoint(struct uiommu_device *device);

/** What the endpoint sees now. No reference is taken: valid until the next
 *  uiommu_set_domain() on its group. Any context. */
struct uiommu_domain *uiommu_endpoint_domain(struct uiommu_endpoint *endpoint);

/** The PASID its DMA carries, or UIOMMU_NO_PASID; a mediated device has one while it is not
 *  blocked. Any context. */
uint32_t uiommu_endpoint_pasid(struct uiommu_endpoint *endpoint);

/**
 * What the group rests on: blocked while it is claimed; else the domain with
 * its firmware regions if it has some; else blocked.
 */
struct uiommu_domain *uiommu_core_domain(struct uiommu_endpoint *endpoint);

/**
 * Take or give back a group for `owner`, any non-NULL cookie (semantics B.4).
 * Both leave the group on its core domain. Claims of one owner are counted.
 *
 * A device that can forge interrupts is not given away (OPNOTSUPP, and the log says
 * so) unless UIOMMU_CONFIG_UNSAFE_INTERRUPTS allows it.
 *
 * May sleep. INVAL: owner NULL, or the group has firmware regions that it must
 * keep. PERM: somebody else owns it. BUSY: not on its core domain, or a driver of the
 * host uses it (dma.h), or part of it is lent (mediated.h). Release:
 * PERM if not the owner. TIMEDOUT, IO: as uiommu_set_domain(); the claim or
 * release is carried out all the same, with the endpoint blocked. AGAIN while
 * suspended.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_claim(struct uiommu_endpoint *endpoint, const void *owner);
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_release(struct uiommu_endpoint *endpoint, const void *owner);

/**
 * Let every endpoint of the group see `domain`: the only way that changes
 * (semantics B.5). From any domain to any other; in between a device sees its
 * old domain, its new one, or nothing. `owner` NULL is the host itself.
 *
 * On success the group holds a reference on `domain`, and no cache holds the
 * old translation. The firmware regions of the group are mapped one to one into
 * a paging domain first, unless the group is claimed.
 *
 * May sleep. INVAL: `domain` cannot serve this group (not logged). PERM: another
 * owner. BUSY: a driver of the host uses the endpoint (dma.h). NODEV: the device is
 * quarantined. AGAIN: suspended. EXIST: a mapping was
 * made in a firmware region at the same time. NOMEM, NOSPC. After any of these the
 * group sees what it saw before. TIMEDOUT, IO: the unit failed; the endpoint
 * concerned is blocked and quarantined.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_set_domain(struct uiommu_endpoint *endpoint,
                  struct uiommu_domain *domain, const void *owner);

#ifdef __cplusplus
}
#endif
#endif
