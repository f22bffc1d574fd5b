/* SPDX-License-Identifier: MIT */
#include "pci/pci.h"

/* Steps that a list without loops can have at most: headers are 4 bytes apart
 * in the first 256 bytes, 8 bytes apart above. */
enum {
    STEPS = (PCI_CONFIG_SIZE - 0x40) / 4,
    EXT_STEPS = (PCI_EXT_CONFIG_SIZE - PCI_EXT_CONFIG_START) / 8,
};

static uint32_t read(const struct uiommu_host *host, struct uiommu_pci at,
                     unsigned offset, unsigned width)
{
    return host->pci_read(host->ctx, at, offset, width) &
           UINT32_MAX >> (32 - 8 * width);
}

bool uim_pci_is_virtual(const struct uiommu_host *host, struct uiommu_pci at)
{
    return read(host, at, PCI_REG_VENDOR_ID, 2) == 0xffff &&
           read(host, at, PCI_REG_COMMAND, 4) != UINT32_MAX;
}

bool uim_pci_present(const struct uiommu_host *host, struct uiommu_pci at)
{
    return read(host, at, PCI_REG_VENDOR_ID, 2) != 0xffff ||
           read(host, at, PCI_REG_COMMAND, 4) != UINT32_MAX;
}

uint32_t uim_pci_class(const struct uiommu_host *host, struct uiommu_pci at)
{
    return read(host, at, PCI_REG_CLASS_REVISION, 4) >> 8;
}

bool uim_pci_is_bridge(const struct uiommu_host *host, struct uiommu_pci at)
{
    struct pci_header_type type = { read(host, at, PCI_REG_HEADER_TYPE, 1) };

    return pci_header_type_type(type) == PCI_HEADER_BRIDGE;
}

uint8_t uim_pci_secondary_bus(const struct uiommu_host *host,
                              struct uiommu_pci at)
{
    return (uint8_t)read(host, at, PCI_REG_SECONDARY_BUS, 1);
}

unsigned uim_pci_find(const struct uiommu_host *host, struct uiommu_pci at,
                      unsigned id)
{
    struct pci_status status = { read(host, at, PCI_REG_STATUS, 2) };
    unsigned offset;

    if (!uim_pci_present(host, at) || !pci_status_capabilities(status))
        return 0;
    offset = read(host, at, PCI_REG_CAPABILITIES, 1) & ~3u;
    for (unsigned i = 0; i < STEPS && offset >= 0x40; i++) {
        struct pci_cap_header h = { read(host, at, offset, 2) };

        if (pci_cap_header_cap_id(h) == id)
            return offset;
        offset = (unsigned)pci_cap_header_next(h) & 0xfc;
    }
    return 0;
}

unsigned uim_pci_find_ext(const struct uiommu_host *host, struct uiommu_pci at,
                          unsigned id)
{
    unsigned offset = PCI_EXT_CONFIG_START;

    if (!uim_pci_present(host, at))
        return 0;
    for (unsigned i = 0; i < EXT_STEPS && offset >= PCI_EXT_CONFIG_START; i++) {
        struct pci_ext_cap_header h = { read(host, at, offset, 4) };

        /* All ones: a host that reaches the first 256 bytes only. */
        if (h.raw == 0 || h.raw == UINT32_MAX)
            return 0;
        if (pci_ext_cap_header_cap_id(h) == id)
            return offset;
        offset = (unsigned)pci_ext_cap_header_next(h) & 0xffc;
    }
    return 0;
}

uint8_t uim_pci_port(const struct uiommu_host *host, struct uiommu_pci at)
{
    unsigned offset = uim_pci_find(host, at, PCI_CAP_EXP);
    struct pci_exp_flags flags;

    if (offset == 0 || offset > PCI_CONFIG_SIZE - 4)
        return UIM_PCI_NOT_PCIE;
    flags.raw = read(host, at, offset + PCI_REG_EXP_FLAGS, 2);
    return (uint8_t)pci_exp_flags_type(flags);
}

/* As uim_pci_find_ext(), with room for all of its registers. */
static enum uiommu_status find_whole(const struct uiommu_host *host,
                                     struct uiommu_pci at, unsigned id,
                                     unsigned size, uint16_t *out)
{
    unsigned offset = uim_pci_find_ext(host, at, id);

    if (offset == 0 || offset > PCI_EXT_CONFIG_SIZE - size)
        return UIOMMU_NOENT;
    *out = (uint16_t)offset;
    return UIOMMU_OK;
}

enum uiommu_status uim_pci_ats(const struct uiommu_host *host,
                               struct uiommu_pci at, struct uim_pci_ats *out)
{
    struct pci_ats_ctrl ctrl;
    struct pci_ats_cap cap;
    uint16_t offset;
    unsigned depth;

    if (find_whole(host, at, PCI_EXT_CAP_ATS, 8, &offset))
        return UIOMMU_NOENT;
    cap.raw = read(host, at, offset + PCI_REG_ATS_CAP, 2);
    depth = (unsigned)pci_ats_cap_invalidate_queue_depth(cap);
    out->offset = offset;
    out->queue_depth = (uint8_t)(depth ? depth : PCI_ATS_MAX_QUEUE_DEPTH);
    out->page_aligned = pci_ats_cap_page_aligned_request(cap);
    out->global_invalidate = pci_ats_cap_global_invalidate(cap);
    ctrl.raw = read(host, at, offset + PCI_REG_ATS_CTRL, 2);
    out->enabled = pci_ats_ctrl_enable(ctrl);
    out->stu = (uint8_t)pci_ats_ctrl_stu(ctrl);
    return UIOMMU_OK;
}

static void write_ats(const struct uiommu_host *host, struct uiommu_pci at,
                      unsigned offset, struct pci_ats_ctrl ctrl)
{
    host->pci_write(host->ctx, at, offset + PCI_REG_ATS_CTRL, 2,
                    (uint32_t)ctrl.raw);
}

void uim_pci_ats_set_stu(const struct uiommu_host *host, struct uiommu_pci at,
                         unsigned offset, unsigned stu)
{
    struct pci_ats_ctrl ctrl = { read(host, at, offset + PCI_REG_ATS_CTRL, 2) };

    write_ats(host, at, offset, pci_ats_ctrl_set_stu(ctrl, stu));
}

void uim_pci_ats_enable(const struct uiommu_host *host, struct uiommu_pci at,
                        unsigned offset, unsigned stu)
{
    struct pci_ats_ctrl ctrl = { read(host, at, offset + PCI_REG_ATS_CTRL, 2) };

    /* 10.5.1.3: the unit's size may change only while ATS is off, and only the
     * step from off to on empties the cache. */
    ctrl = pci_ats_ctrl_set_enable(pci_ats_ctrl_set_stu(ctrl, stu), 0);
    write_ats(host, at, offset, ctrl);
    write_ats(host, at, offset, pci_ats_ctrl_set_enable(ctrl, 1));
}

void uim_pci_ats_disable(const struct uiommu_host *host, struct uiommu_pci at,
                         unsigned offset)
{
    struct pci_ats_ctrl ctrl = { read(host, at, offset + PCI_REG_ATS_CTRL, 2) };

    write_ats(host, at, offset, pci_ats_ctrl_set_enable(ctrl, 0));
}

enum uiommu_status uim_pci_pasid(const struct uiommu_host *host,
                                 struct uiommu_pci at,
                                 struct uim_pci_pasid *out)
{
    struct pci_pasid_ctrl ctrl;
    struct pci_pasid_cap cap;
    uint16_t offset;
    unsigned bits;

    if (find_whole(host, at, PCI_EXT_CAP_PASID, 8, &offset))
        return UIOMMU_NOENT;
    cap.raw = read(host, at, offset + PCI_REG_PASID_CAP, 2);
    bits = (unsigned)pci_pasid_cap_max_pasid_width(cap);
    out->offset = offset;
    out->bits = (uint8_t)(bits > 20 ? 20 : bits);
    ctrl.raw = (uint16_t)read(host, at, offset + PCI_REG_PASID_CTRL, 2);
    out->enabled = pci_pasid_ctrl_enable(ctrl);
    out->exec = pci_pasid_cap_exec_permission(cap);
    out->privileged = pci_pasid_cap_privileged_mode(cap);
    return UIOMMU_OK;
}

static void write_pasid(const struct uiommu_host *host, struct uiommu_pci at,
                        unsigned offset, bool enable)
{
    const struct pci_pasid_ctrl_fields ctrl = { .enable = enable };

    host->pci_write(host->ctx, at, offset + PCI_REG_PASID_CTRL, 2,
                    (uint32_t)pci_pasid_ctrl_pack(&ctrl).raw);
}

bool uim_pci_pasid_enable(const struct uiommu_host *host, struct uiommu_pci at,
                          unsigned offset)
{
    struct uim_pci_pasid pasid;

    write_pasid(host, at, offset, true);
    return uim_pci_pasid(host, at, &pasid) == UIOMMU_OK && pasid.enabled;
}

void uim_pci_pasid_disable(const struct uiommu_host *host, struct uiommu_pci at,
                           unsigned offset)
{
    write_pasid(host, at, offset, false);
}

enum uiommu_status uim_pci_pri(const struct uiommu_host *host,
                               struct uiommu_pci at, struct uim_pci_pri *out)
{
    struct pci_pri_status status;
    uint16_t offset;

    if (find_whole(host, at, PCI_EXT_CAP_PRI, 16, &offset))
        return UIOMMU_NOENT;
    status.raw = read(host, at, offset + PCI_REG_PRI_STATUS, 2);
    out->offset = offset;
    out->capacity = read(host, at, offset + PCI_REG_PRI_MAX_REQ, 4);
    out->response_pasid = pci_pri_status_prg_response_pasid_required(status);
    out->stopped = pci_pri_status_stopped(status);
    out->failed = pci_pri_status_response_failure(status);
    return UIOMMU_OK;
}

static void write_pri(const struct uiommu_host *host, struct uiommu_pci at,
                      unsigned offset, const struct pci_pri_ctrl_fields *ctrl)
{
    host->pci_write(host->ctx, at, offset + PCI_REG_PRI_CTRL, 2,
                    (uint32_t)pci_pri_ctrl_pack(ctrl).raw);
}

void uim_pci_pri_reset(const struct uiommu_host *host, struct uiommu_pci at,
                       unsigned offset)
{
    const struct pci_pri_ctrl_fields reset = { .reset = true };

    write_pri(host, at, offset, &reset);
}

bool uim_pci_pri_enable(const struct uiommu_host *host, struct uiommu_pci at,
                        unsigned offset, uint32_t credits)
{
    const struct pci_pri_ctrl_fields reset = { .reset = true },
                                     enable = { .enable = true };
    struct pci_pri_ctrl now;

    write_pri(host, at, offset, &reset);
    host->pci_write(host->ctx, at, offset + PCI_REG_PRI_ALLOC_REQ, 4, credits);
    write_pri(host, at, offset, &enable);
    now.raw = (uint16_t)read(host, at, offset + PCI_REG_PRI_CTRL, 2);
    return pci_pri_ctrl_enable(now);
}

void uim_pci_pri_disable(const struct uiommu_host *host, struct uiommu_pci at,
                         unsigned offset)
{
    const struct pci_pri_ctrl_fields off = { .enable = false };

    write_pri(host, at, offset, &off);
}
