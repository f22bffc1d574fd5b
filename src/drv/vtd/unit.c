/* SPDX-License-Identifier: MIT */
/*
 * unit.c - finding a unit and letting go of it; the driver's tables.
 */
#include "drv/vtd/vtd.h"

#include "base/mem.h"

enum {
    PAGE_SIZE = 4096,
    REGISTER_BYTES = 16,      /* of a fault record, and of IVA with IOTLB */
    PHYS_BITS_MOST = 52,   /* what table entries can hold              */
    ND_RESERVED = 7,
};

/* ---- options (uiommu/drivers.h) ------------------------------------------ */

static enum uiommu_status mode_option(struct vtd_options *o, const char *value)
{
    if (uim_text_is(value, "auto"))
        o->mode = VTD_AUTO;
    else if (uim_text_is(value, "legacy"))
        o->mode = VTD_LEGACY;
    else if (uim_text_is(value, "scalable"))
        o->mode = VTD_SCALABLE;
    else if (uim_text_is(value, "first-stage"))
        o->mode = VTD_FIRST_STAGE;
    else
        return UIOMMU_INVAL;
    return UIOMMU_OK;
}

static enum uiommu_status option(void *state, const char *key,
                                 const char *value)
{
    if (uim_text_is(key, "mode"))
        return mode_option(state, value);
    if (uim_text_is(key, "timeout_ms"))
        return uim_timeout_option(&((struct vtd_options *)state)->timeout_ms,
                                  value);
    return UIOMMU_NOENT;
}

/* ---- probe --------------------------------------------------------------- */

static enum uiommu_status refuse(const struct vtd_unit *v, const char *why)
{
    uim_log(v->unit.u, UIOMMU_LOG_ERROR, "vtd unit at 0x%lx: %s", v->unit.base,
            why);
    return UIOMMU_NODEV;
}

/* Where the registers end whose place a capability tells. */
static size_t registers_end(const struct vtd_unit *v)
{
    size_t fault = (size_t)(vtd_cap_fro(v->cap) + vtd_cap_nfr(v->cap) + 1) *
                   REGISTER_BYTES;
    size_t iotlb = (size_t)(vtd_ecap_iro(v->ecap) + 1) * REGISTER_BYTES;

    return fault > iotlb ? fault : iotlb;
}

static bool nothing_there(uint64_t value)
{
    return value == 0 || value == UINT64_MAX;
}

static enum uiommu_status read_capabilities(struct vtd_unit *v)
{
    struct vtd_ver ver = { vtd_rd32(v, VTD_REG_VER) };
    size_t end;

    v->cap.raw = vtd_rd64(v, VTD_REG_CAP);
    v->ecap.raw = vtd_rd64(v, VTD_REG_ECAP);
    if (nothing_there(v->cap.raw) || nothing_there(v->ecap.raw))
        return refuse(v, "no registers are there");
    if (vtd_cap_nd(v->cap) == ND_RESERVED)
        return refuse(v, "CAP.ND has a reserved value");
    v->major = (uint8_t)vtd_ver_max(ver);
    v->coherent = vtd_ecap_c(v->ecap) != 0;
    end = (size_t)uim_align_up(registers_end(v), PAGE_SIZE);
    if (end > v->unit.mmio_size && !uim_registers_map(&v->unit, end))
        return refuse(v, "the host cannot map its registers");
    return UIOMMU_OK;
}

static enum uiommu_status look_at(struct vtd_unit *v,
                                  const struct uim_fw_unit *info)
{
    size_t size = info->size > PAGE_SIZE ? (size_t)info->size : PAGE_SIZE;

    if (!uim_registers_map(&v->unit, size))
        return refuse(v, "the host cannot map its registers");
    return read_capabilities(v);
}

static const struct uim_unit_ops unit_ops;

/* Entries have no room for more than PHYS_BITS_MOST, whatever the table says. */
static uint8_t phys_bits_of(const struct uim_fw_unit *info)
{
    if (info->phys_bits == 0 || info->phys_bits > PHYS_BITS_MOST)
        return PHYS_BITS_MOST;
    return info->phys_bits;
}

static enum uiommu_status probe(struct uiommu *u, void *state,
                                const struct uim_fw_unit *info,
                                struct uim_unit **out)
{
    const struct uiommu_host *h = uim_host(u);
    struct vtd_unit *v = h->alloc(h->ctx, sizeof(*v));
    enum uiommu_status status;

    if (!v)
        return UIOMMU_NOMEM;
    memset(v, 0, sizeof(*v));
    v->unit.ops = &unit_ops;
    v->unit.driver = &uiommu_driver_vtd;
    v->unit.u = u;
    v->unit.host = h;
    v->unit.state = state;
    v->unit.base = info->base;
    v->unit.segment = info->segment;
    v->unit.phys_bits = phys_bits_of(info);
    v->platform_remaps = info->remaps;
    v->platform_x2apic = info->x2apic;
    status = look_at(v, info);
    if (status != UIOMMU_OK) {
        vtd_release(&v->unit);
        return status;
    }
    *out = &v->unit;
    return UIOMMU_OK;
}

/* ---- tables -------------------------------------------------------------- */

static const struct uim_unit_ops unit_ops = {
    .prepare = vtd_prepare,
    .enable = vtd_enable,
    .disable = vtd_disable,
    .release = vtd_release,
    .give_back = vtd_give_back,
    .inherited = vtd_inherited,
    .inherited_end = vtd_inherited_end,
    .describe = vtd_describe,
    .leave = vtd_leave,
    .suspend = vtd_suspend,
    .resume = vtd_resume,
    .link = vtd_link,
    .unlink = vtd_unlink,
    .set = vtd_set,
    .cut = vtd_cut,
    .make_entry = vtd_make_entry,
    .invalidate = vtd_invalidate,
    .map_sync = vtd_map_sync,
    .devtlb = vtd_devtlb,
    .respond = vtd_respond,
    .requests_wait = vtd_requests_wait,
    .requests_take = vtd_requests_take,
    .drain = vtd_drain,
    .shared_tables = vtd_shared_tables,
    .irq_alloc = vtd_irq_alloc,
    .irq_free = vtd_irq_free,
    .irq_set = vtd_irq_set,
    .irq_message = vtd_irq_message,
    .audit = vtd_audit,
    .poll = vtd_poll,
};

const struct uiommu_driver uiommu_driver_vtd = {
    .name = "vtd",
    .fw = &uim_fw_dmar,
    .state_size = sizeof(struct vtd_options),
    .option = option,
    .probe = probe,
    .settle = vtd_settle,
};
