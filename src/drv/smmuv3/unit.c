/* SPDX-License-Identifier: MIT */
/*
 * unit.c - finding a unit and letting go of it; the driver's tables.
 */
#include "drv/smmuv3/smmuv3.h"

#include "base/mem.h"
#include "fw/iort.h"

enum {
    PHYS_BITS_MOST = 52, /* what table entries can hold                     */
    CMDQS_LEAST = 4,
    MAJOR_3 = 0,
};

/* ---- options (uiommu/drivers.h) ------------------------------------------ */

static enum uiommu_status stage_option(struct smmuv3_options *o,
                                       const char *value)
{
    if (uim_text_is(value, "auto"))
        o->stage = SMMUV3_STAGE_AUTO;
    else if (uim_text_is(value, "1"))
        o->stage = SMMUV3_STAGE_1;
    else if (uim_text_is(value, "2"))
        o->stage = SMMUV3_STAGE_2;
    else
        return UIOMMU_INVAL;
    return UIOMMU_OK;
}

static enum uiommu_status granule_option(struct smmuv3_options *o,
                                         const char *value)
{
    if (uim_text_is(value, "auto"))
        o->granule_lg2 = 0;
    else if (uim_text_is(value, "4k"))
        o->granule_lg2 = 12;
    else if (uim_text_is(value, "16k"))
        o->granule_lg2 = 14;
    else if (uim_text_is(value, "64k"))
        o->granule_lg2 = 16;
    else
        return UIOMMU_INVAL;
    return UIOMMU_OK;
}

static enum uiommu_status option(void *state, const char *key,
                                 const char *value)
{
    struct smmuv3_options *o = state;

    if (uim_text_is(key, "stage"))
        return stage_option(o, value);
    if (uim_text_is(key, "granule"))
        return granule_option(o, value);
    if (uim_text_is(key, "timeout_ms"))
        return uim_timeout_option(&o->timeout_ms, value);
    return UIOMMU_NOENT;
}

/* ---- probe --------------------------------------------------------------- */

static enum uiommu_status refuse(const struct smmuv3_unit *v, const char *why)
{
    uim_log(v->unit.u, UIOMMU_LOG_ERROR, "smmuv3 unit at 0x%lx: %s",
            v->unit.base, why);
    return UIOMMU_NODEV;
}

static bool preset(struct smmuv3_idr1 idr1)
{
    return smmuv3_idr1_queues_preset(idr1) || smmuv3_idr1_tables_preset(idr1);
}

/* What is not a matter of the mode. */
static const char *unusable(const struct smmuv3_unit *v)
{
    const struct smmuv3_aidr aidr = { uim_rd32(&v->unit, SMMUV3_REG_AIDR) };

    if (v->idr0.raw == UINT32_MAX || v->idr1.raw == UINT32_MAX)
        return "no registers are there";
    if (smmuv3_aidr_archmajorrev(aidr) != MAJOR_3)
        return "it is of another major version of the architecture";
    if (preset(v->idr1))
        return "its tables or queues are at addresses of its own choice";
    if (smmuv3_idr0_ttendian(v->idr0) == SMMUV3_TTENDIAN_BIG)
        return "it reads big-endian tables only";
    if (smmuv3_idr0_stall_model(v->idr0) == SMMUV3_STALL_MODEL_STALL_ONLY)
        return "it stalls every faulting transaction";
    if (smmuv3_idr1_cmdqs(v->idr1) < CMDQS_LEAST)
        return "its command queue has room for less than 16 commands";
    return NULL;
}

/* Some have the registers of page 1 on page 0, and no page 1. */
static void place_queue_registers(struct smmuv3_unit *v, uint32_t model)
{
    const bool page_0 = model == IORT_SMMU_V3_MODEL_CAVIUM_CN99XX;

    v->events.prod = page_0 ? (size_t)SMMUV3_PAGE0_REG_EVENTQ_PROD
                            : (size_t)SMMUV3_REG_EVENTQ_PROD;
    v->events.cons = page_0 ? (size_t)SMMUV3_PAGE0_REG_EVENTQ_CONS
                            : (size_t)SMMUV3_REG_EVENTQ_CONS;
    v->requests.prod = page_0 ? (size_t)SMMUV3_PAGE0_REG_PRIQ_PROD
                              : (size_t)SMMUV3_REG_PRIQ_PROD;
    v->requests.cons = page_0 ? (size_t)SMMUV3_PAGE0_REG_PRIQ_CONS
                              : (size_t)SMMUV3_REG_PRIQ_CONS;
}

static enum uiommu_status look_at(struct smmuv3_unit *v,
                                  const struct uim_fw_unit *info)
{
    struct uim_iort_smmu_v3 firmware;
    const char *why;

    if (!uim_registers_map(&v->unit, (size_t)info->size))
        return refuse(v, "the host cannot map its registers");
    v->idr0.raw = uim_rd32(&v->unit, SMMUV3_REG_IDR0);
    v->idr1.raw = uim_rd32(&v->unit, SMMUV3_REG_IDR1);
    v->idr3.raw = uim_rd32(&v->unit, SMMUV3_REG_IDR3);
    v->idr5.raw = uim_rd32(&v->unit, SMMUV3_REG_IDR5);
    why = unusable(v);
    if (why)
        return refuse(v, why);
    uim_iort_smmu_v3(info->record, &firmware);
    place_queue_registers(v, firmware.model);
    v->coherent = smmuv3_idr0_cohacc(v->idr0) || firmware.coherent;
    return UIOMMU_OK;
}

static const struct uim_unit_ops unit_ops;

static enum uiommu_status probe(struct uiommu *u, void *state,
                                const struct uim_fw_unit *info,
                                struct uim_unit **out)
{
    const struct uiommu_host *h = uim_host(u);
    struct smmuv3_unit *v = h->alloc(h->ctx, sizeof(*v));
    enum uiommu_status status;

    if (!v)
        return UIOMMU_NOMEM;
    memset(v, 0, sizeof(*v));
    v->unit.ops = &unit_ops;
    v->unit.driver = &uiommu_driver_smmuv3;
    v->unit.u = u;
    v->unit.host = h;
    v->unit.state = state;
    v->unit.base = info->base;
    v->unit.segment = info->segment;
    v->unit.phys_bits = info->phys_bits ? info->phys_bits : PHYS_BITS_MOST;
    status = look_at(v, info);
    if (status != UIOMMU_OK) {
        smmuv3_release(&v->unit);
        return status;
    }
    *out = &v->unit;
    return UIOMMU_OK;
}

/* ---- tables -------------------------------------------------------------- */

static const struct uim_unit_ops unit_ops = {
    .prepare = smmuv3_prepare,
    .enable = smmuv3_enable,
    .disable = smmuv3_disable,
    .release = smmuv3_release,
    .suspend = smmuv3_suspend,
    .resume = smmuv3_resume,
    .link = smmuv3_link,
    .unlink = smmuv3_unlink,
    .set = smmuv3_set,
    .cut = smmuv3_cut,
    .make_entry = smmuv3_make_entry,
    .invalidate = smmuv3_invalidate,
    .devtlb = smmuv3_devtlb,
    .respond = smmuv3_respond,
    .requests_wait = smmuv3_requests_wait,
    .requests_take = smmuv3_requests_take,
    .drain = smmuv3_drain,
    .shared_tables = smmuv3_shared_tables,
    .audit = smmuv3_audit,
    .poll = smmuv3_poll,
};

const struct uiommu_driver uiommu_driver_smmuv3 = {
    .name = "smmuv3",
    .fw = &uim_fw_iort,
    .state_size = sizeof(struct smmuv3_options),
    .option = option,
    .probe = probe,
    .settle = smmuv3_settle,
};
