/* SPDX-License-Identifier: MIT */
#include "pci/chipset.h"
#include "pci/quirks.h"

static uint32_t read(const struct uiommu_host *host, struct uiommu_pci at,
                     unsigned offset, unsigned width)
{
    return host->pci_read(host->ctx, at, offset, width) &
           UINT32_MAX >> (32 - 8 * width);
}

static void read_header(const struct uiommu_host *host,
                        struct uim_pci_function *f)
{
    struct pci_class_revision class = { read(host, f->at,
                                             PCI_REG_CLASS_REVISION, 4) };
    struct pci_header_type type = { read(host, f->at, PCI_REG_HEADER_TYPE, 1) };

    f->device = (uint16_t)read(host, f->at, PCI_REG_DEVICE_ID, 2);
    f->class_code = (uint32_t)(class.raw >> 8);
    f->revision = (uint8_t)pci_class_revision_revision(class);
    f->header = (uint8_t)pci_header_type_type(type);
    f->multifunction =
        pci_header_type_multifunction(type) || (f->at.devfn & 7) != 0;
}

/* Of a 64-bit one the first half says so. */
static bool has_memory(const struct uiommu_host *host, struct uiommu_pci at,
                       unsigned bar)
{
    uint32_t value = read(host, at, bar, 4);

    return value != 0 && !(value & PCI_BAR_IO);
}

static void read_bridge(const struct uiommu_host *host,
                        struct uim_pci_function *f)
{
    f->secondary = (uint8_t)read(host, f->at, PCI_REG_SECONDARY_BUS, 1);
    f->subordinate = (uint8_t)read(host, f->at, PCI_REG_SUBORDINATE_BUS, 1);
    f->own_memory = has_memory(host, f->at, PCI_REG_BAR0) ||
                    has_memory(host, f->at, PCI_REG_BAR0 + 4);
}

static void read_express(const struct uiommu_host *host,
                         struct uim_pci_function *f)
{
    unsigned offset = uim_pci_find(host, f->at, PCI_CAP_EXP);
    struct pci_exp_devcap2 cap;
    struct pci_exp_flags flags;

    f->port = uim_pci_port(host, f->at);
    if (f->port == UIM_PCI_NOT_PCIE)
        return;
    flags.raw = read(host, f->at, offset + PCI_REG_EXP_FLAGS, 2);
    if (pci_exp_flags_version(flags) < 2 ||
        offset > PCI_CONFIG_SIZE - PCI_REG_EXP_DEVCAP2 - 4)
        return;
    cap.raw = read(host, f->at, offset + PCI_REG_EXP_DEVCAP2, 4);
    f->end_end_prefix = pci_exp_devcap2_e2e_tlp_prefix(cap);
}

static void read_acs(const struct uiommu_host *host, struct uim_pci_function *f)
{
    unsigned offset = uim_pci_find_ext(host, f->at, PCI_EXT_CAP_ACS);
    unsigned ctrl = uim_pci_acs_ctrl(f);

    if (offset == 0 || offset > PCI_EXT_CONFIG_SIZE - ctrl - 2)
        return;
    f->acs = (uint16_t)offset;
    f->acs_cap = (uint16_t)read(host, f->at, offset + PCI_REG_ACS_CAP, 2);
    f->acs_ctrl = (uint16_t)read(host, f->at, offset + ctrl, 2);
}

void uim_pci_function_read(const struct uiommu_host *host, struct uiommu_pci at,
                           struct uim_pci_function *out)
{
    struct uim_pci_function f = { .at = at, .port = UIM_PCI_NOT_PCIE };

    f.vendor = (uint16_t)read(host, at, PCI_REG_VENDOR_ID, 2);
    if (uim_pci_present(host, at)) {
        read_header(host, &f);
        if (f.header == PCI_HEADER_BRIDGE) {
            read_bridge(host, &f);
        } else {
            f.subsystem_vendor =
                (uint16_t)read(host, at, PCI_REG_SUBSYSTEM_VENDOR_ID, 2);
            f.subsystem = (uint16_t)read(host, at, PCI_REG_SUBSYSTEM_ID, 2);
        }
        read_express(host, &f);
        read_acs(host, &f);
        f.quirk_enabled = uim_pci_chipset_protects(host, &f);
    }
    *out = f;
}
