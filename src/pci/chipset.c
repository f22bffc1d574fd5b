/* SPDX-License-Identifier: MIT */
#include "pci/chipset.h"

#include "pci/quirks.h"
#include "spec/pch.h"

/* The page of the root complex's registers that is of interest. */
enum { PAGE = 0x1000 };

static bool is_pch_port(const struct uim_pci_function *f)
{
    return uim_pci_quirk(f, 1u << UIM_PCI_QUIRK_ACS_PCH) != NULL;
}

static void *map(const struct uiommu_host *host,
                 const struct uim_pci_function *f)
{
    const struct uiommu_pci lpc = { f->at.segment, f->at.bus, 0x1f << 3 };
    struct pch_rcba rcba;

    if (host->mmio_map == NULL)
        return NULL;
    rcba.raw = host->pci_read(host->ctx, lpc, PCH_REG_RCBA, 4);
    /* All ones: no such function, and no such base. */
    if (!pch_rcba_enable(rcba) || rcba.raw == UINT32_MAX)
        return NULL;
    return host->mmio_map(host->ctx, (pch_rcba_base(rcba) << 14) + PAGE, PAGE);
}

static uint32_t get(const struct uiommu_host *host, void *mmio, unsigned reg)
{
    return host->mmio_read32(host->ctx, mmio, reg - PAGE);
}

static bool decodes_peers(const struct uiommu_host *host, void *mmio)
{
    struct pch_bspr bspr = { get(host, mmio, PCH_REG_BSPR) };
    struct pch_updcr updcr = { get(host, mmio, PCH_REG_UPDCR) };

    return !(pch_bspr_bppd(bspr) && pch_bspr_bpnpd(bspr)) &&
           pch_updcr_peer_decode(updcr) != 0;
}

static struct pch_mpc read_mpc(const struct uiommu_host *host,
                               const struct uim_pci_function *f)
{
    return (struct pch_mpc){ host->pci_read(host->ctx, f->at, PCH_REG_MPC, 4) };
}

bool uim_pci_chipset_protects(const struct uiommu_host *host,
                              const struct uim_pci_function *f)
{
    void *mmio = is_pch_port(f) ? map(host, f) : NULL;
    bool decodes;

    if (mmio == NULL)
        return false;
    decodes = decodes_peers(host, mmio);
    host->mmio_unmap(host->ctx, mmio, PAGE);
    return !decodes && pch_mpc_irbce(read_mpc(host, f));
}

void uim_pci_chipset_protect(const struct uiommu_host *host,
                             const struct uim_pci_function *f)
{
    void *mmio = is_pch_port(f) ? map(host, f) : NULL;
    struct pch_updcr updcr;

    if (mmio == NULL)
        return;
    if (decodes_peers(host, mmio)) {
        updcr.raw = get(host, mmio, PCH_REG_UPDCR);
        host->mmio_write32(host->ctx, mmio, PCH_REG_UPDCR - PAGE,
                           (uint32_t)pch_updcr_set_peer_decode(updcr, 0).raw);
    }
    host->mmio_unmap(host->ctx, mmio, PAGE);
    host->pci_write(host->ctx, f->at, PCH_REG_MPC, 4,
                    (uint32_t)pch_mpc_set_irbce(read_mpc(host, f), 1).raw);
}
