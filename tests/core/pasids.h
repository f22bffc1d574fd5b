/* SPDX-License-Identifier: MIT */
/*
 * pasids.h - machines whose engines have PASIDs, and the steps of tests with them.
 */
#ifndef UIM_TESTS_CORE_PASIDS_H
#define UIM_TESTS_CORE_PASIDS_H

#include "tests/core/help.h"

#include "pci/pci.h"

/* ---- machines ---------------------------------------------------------------- */

static inline bool has_pasids(const struct rig *rig, const char **why)
{
    if (rig->config.mode == SIM_LEGACY || rig->config.mode == SIM_STAGE_2) {
        *why = "no PASIDs in this mode";
        return false;
    }
    return true;
}

static inline bool with_pasids(struct rig *rig, const char **why)
{
    rig->config.engine_caps |= SIM_PASID;
    return has_pasids(rig, why);
}

static inline bool with_pasids_and_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_pasids(rig, why);
}

/* Requests are redirected, and so PASIDs are routed; the rest of ACS is off, and so
 * what is below the two ports is one group. */
static inline void redirect_only(struct rig *rig, unsigned dev)
{
    const struct uiommu_host *h = &rig->m->host;
    struct uiommu_pci at = rig->m->devices[dev].pci;
    unsigned acs = uim_pci_find_ext(h, at, PCI_EXT_CAP_ACS);

    assert_true(acs > 0);
    h->pci_write(h->ctx, at, acs + PCI_REG_ACS_CTRL, 2,
                 PCI_ACS_RR | PCI_ACS_UF);
}

/* ---- steps ------------------------------------------------------------------- */

static inline struct uiommu_endpoint *pasid(struct rig *rig, unsigned n)
{
    struct uiommu_endpoint *ep = NULL;

    rig_ok(uiommu_pasid_create(rig_endpoint(rig, n), NULL, &ep));
    return ep;
}

static inline struct uiommu_endpoint *pasid_number(struct rig *rig, unsigned n,
                                                   uint32_t number)
{
    const struct uiommu_pasid_config config = { .size = sizeof(config),
                                                .first = number,
                                                .last = number };
    struct uiommu_endpoint *ep = NULL;

    rig_ok(uiommu_pasid_create(rig_endpoint(rig, n), &config, &ep));
    assert_int_equal(uiommu_endpoint_pasid(ep), number);
    return ep;
}

static inline void see(struct uiommu_endpoint *ep, struct uiommu_domain *d)
{
    rig_ok(uiommu_set_domain(ep, d, NULL));
    assert_ptr_equal(uiommu_endpoint_domain(ep), d);
}

static inline struct uiommu_domain *mapped(struct rig *rig, uint64_t iova,
                                           uint64_t phys)
{
    struct uiommu_domain *d = rig_domain(rig, 0);

    map_page(d, iova, phys);
    return d;
}

#endif
