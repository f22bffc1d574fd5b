/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_PASID_H
#define UIOMMU_PASID_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Endpoints with a PASID: requests of a device that carry that number see a domain of
 * their own (semantics B.6). They are endpoints like any other: uiommu_set_domain(),
 * uiommu_endpoint_domain() and the rest take them. What else the device sends is not
 * touched.
 *
 * A device has PASIDs if it and its unit have, and if the way to the root routes every
 * request upward: PCI routes by address and does not look at the number, so that else a
 * request could end in another device (S0.5). uiommu_device_add() switches them on, before
 * ATS. By default the device must also be alone in its group, and nothing may ever join
 * it (S0.7); with UIOMMU_CONFIG_WIDE_PASIDS a PASID belongs to the whole group, and all
 * members that have PASIDs see what it sees.
 */

enum {
    /* A number that no device of the instance uses, for tags that processors carry. */
    UIOMMU_PASID_GLOBAL = 1u << 0,
};

struct uiommu_pasid_config {
    uint32_t size;  /* sizeof(struct uiommu_pasid_config)                   */
    uint32_t flags; /* UIOMMU_PASID_*; unknown ones are INVAL               */
    uint32_t first; /* lowest number wanted; 0: 1                           */
    uint32_t last;  /* highest, inclusive; 0: what the group has            */
    const void
        *owner; /* of the group; NULL: the host itself                  */
};

/**
 * The numbers that the endpoint's group has: 1 to *last. OPNOTSUPP: none, and the log
 * said why when the device was added, or says why now. May sleep.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_pasid_last(struct uiommu_endpoint *endpoint, uint32_t *last);

/**
 * An endpoint with a PASID, blocked at first, of the device of `endpoint`, which has
 * none. It takes the lowest free number of the range; with first == last, that one.
 * `config` may be NULL. As long as it lives its group cannot be claimed or released, nor
 * its device be removed; unless that was pulled out: then this stays until it is destroyed,
 * sees nothing, and answers NODEV to all that would change that.
 *
 * May sleep. OPNOTSUPP: as uiommu_pasid_last(). INVAL: malformed, `endpoint` has a PASID,
 * or the range holds none that the group has. PERM: the group is not `owner`'s. BUSY: the
 * one number asked for is taken, or waits for a reset; or a reset goes on. NOSPC: all
 * are. NODEV: the device is quarantined. AGAIN: suspended. NOMEM.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_pasid_create(struct uiommu_endpoint *endpoint,
                    const struct uiommu_pasid_config *config,
                    struct uiommu_endpoint **out);

/**
 * End an endpoint with a PASID, for whoever has it: nothing that carries its number gets
 * through any more and no cache has anything of it. `stopped` says that the device sends
 * none: else, or if the unit did not confirm, the number is not given out again until
 * every device of the group that has PASIDs has gone or was reset.
 *
 * May sleep; not from a fault handler. INVAL: no PASID endpoint. BUSY, and nothing happens:
 * a driver of the host uses it (uiommu_dma_stop() first). AGAIN: suspended. TIMEDOUT,
 * IO: as uiommu_set_domain(); it is ended all the same.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_pasid_destroy(struct uiommu_endpoint *endpoint, bool stopped);

#ifdef __cplusplus
}
#endif
#endif
