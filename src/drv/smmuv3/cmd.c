/* SPDX-License-Identifier: MIT */
/*
 * cmd.c - ranges and events as commands (chapter 4); no state.
 */
#include "drv/smmuv3/smmuv3.h"

enum {
    ALL_STES = 31,     /* CFGI_STE_RANGE.Range                              */
    RANGE_MOST = 32,   /* times 2^SCALE pages in one command                */
    SCALE_MOST = 31,   /* more takes 52-bit addresses (IDR5.DS)             */
    ATC_PAGE_LG2 = 12, /* whatever the granule of the tables                */
    ATC_ALL = 52,
};

static void add(struct smmuv3_batch *b, uint64_t q0, uint64_t q1)
{
    b->cmd[b->n++] = (struct smmuv3_cmd){ q0, q1 };
}

/* ---- configuration (4.3) --------------------------------------------------- */

/* With its context descriptors; links to them and to the entry stay as they are. */
void smmuv3_add_cfgi_ste(struct smmuv3_batch *b, struct smmuv3_sid sid)
{
    const struct smmuv3_cmd_cfgi_ste_q0_fields q0 = {
        .opcode = SMMUV3_CMD_CFGI_STE,
        .sid = sid.id,
    };

    add(b, smmuv3_cmd_cfgi_ste_q0_pack(&q0).raw, 0);
}

/* With the descriptor of level 1 on the way to it. */
void smmuv3_add_cfgi_cd(struct smmuv3_batch *b, struct smmuv3_sid sid,
                        uint32_t ssid)
{
    const struct smmuv3_cmd_cfgi_cd_q0_fields q0 = {
        .opcode = SMMUV3_CMD_CFGI_CD,
        .sid = sid.id,
        .ssid = ssid,
    };

    add(b, smmuv3_cmd_cfgi_cd_q0_pack(&q0).raw, 0);
}

void smmuv3_add_cfgi_all(struct smmuv3_batch *b)
{
    const struct smmuv3_cmd_cfgi_ste_range_q0_fields q0 = {
        .opcode = SMMUV3_CMD_CFGI_STE_RANGE,
    };
    const struct smmuv3_cmd_cfgi_ste_range_q1_fields q1 = { .range = ALL_STES };

    add(b, smmuv3_cmd_cfgi_ste_range_q0_pack(&q0).raw,
        smmuv3_cmd_cfgi_ste_range_q1_pack(&q1).raw);
}

/* ---- translations (4.4) ---------------------------------------------------- */

void smmuv3_add_tlbi(struct smmuv3_batch *b, const struct smmuv3_unit *v,
                     uint32_t id)
{
    const struct smmuv3_cmd_tlbi_nh_asid_q0_fields asid = {
        .opcode = SMMUV3_CMD_TLBI_NH_ASID,
        .asid = id,
    };
    const struct smmuv3_cmd_tlbi_s12_vmall_q0_fields vmid = {
        .opcode = SMMUV3_CMD_TLBI_S12_VMALL,
        .vmid = id,
    };

    if (smmuv3_first_stage(v))
        add(b, smmuv3_cmd_tlbi_nh_asid_q0_pack(&asid).raw, 0);
    else
        add(b, smmuv3_cmd_tlbi_s12_vmall_q0_pack(&vmid).raw, 0);
}

void smmuv3_add_tlbi_all(struct smmuv3_batch *b, const struct smmuv3_unit *v)
{
    const struct smmuv3_cmd_tlbi_nsnh_all_q0_fields all = {
        .opcode = SMMUV3_CMD_TLBI_NSNH_ALL,
    };
    const struct smmuv3_cmd_tlbi_el2_all_q0_fields el2 = {
        .opcode = SMMUV3_CMD_TLBI_EL2_ALL,
    };

    add(b, smmuv3_cmd_tlbi_nsnh_all_q0_pack(&all).raw, 0);
    if (smmuv3_idr0_hyp(v->idr0))
        add(b, smmuv3_cmd_tlbi_el2_all_q0_pack(&el2).raw, 0);
}

/* (num + 1) * 2^scale pages from address on; without ranges, all of it is 0 but the
 * address, and a page is meant, or the leaf that it lies in. */
struct part {
    uint64_t address;
    unsigned scale, num, tg, page_lg2;
    bool leaf;
};

static void add_part(struct smmuv3_batch *b, const struct smmuv3_unit *v,
                     uint32_t id, const struct part *p)
{
    const struct smmuv3_cmd_tlbi_nh_va_q0_fields va = {
        .opcode = SMMUV3_CMD_TLBI_NH_VA,
        .asid = id,
        .num = p->num,
        .scale = p->scale,
    };
    const struct smmuv3_cmd_tlbi_s2_ipa_q0_fields ipa = {
        .opcode = SMMUV3_CMD_TLBI_S2_IPA,
        .vmid = id,
        .num = p->num,
        .scale = p->scale,
    };
    const struct smmuv3_cmd_tlbi_nh_va_q1_fields va_q1 = {
        .address = p->address >> 12,
        .tg = p->tg,
        .leaf = p->leaf,
    };
    const struct smmuv3_cmd_tlbi_s2_ipa_q1_fields ipa_q1 = {
        .address = p->address >> 12,
        .tg = p->tg,
        .leaf = p->leaf,
    };

    if (smmuv3_first_stage(v))
        add(b, smmuv3_cmd_tlbi_nh_va_q0_pack(&va).raw,
            smmuv3_cmd_tlbi_nh_va_q1_pack(&va_q1).raw);
    else
        add(b, smmuv3_cmd_tlbi_s2_ipa_q0_pack(&ipa).raw,
            smmuv3_cmd_tlbi_s2_ipa_q1_pack(&ipa_q1).raw);
}

/* A range of one page is illegal, TG, NUM, SCALE and TTL together (4.4.1, D-42): two
 * then. */
static void add_ranges(struct smmuv3_batch *b, const struct smmuv3_unit *v,
                       uint32_t id, uint64_t pages, struct part p)
{
    if (pages % RANGE_MOST == 1)
        pages++;
    p.tg = (p.page_lg2 - 10) / 2;
    while (pages > 0) {
        p.scale = uim_ctz(pages);
        p.num = (unsigned)(pages >> p.scale) % RANGE_MOST - 1;
        add_part(b, v, id, &p);
        pages -= (uint64_t)(p.num + 1) << p.scale;
        p.address += (uint64_t)(p.num + 1) << (p.scale + p.page_lg2);
    }
}

static void add_pages(struct smmuv3_batch *b, const struct smmuv3_unit *v,
                      uint32_t id, uint64_t pages, struct part p)
{
    for (; pages > 0; pages--) {
        add_part(b, v, id, &p);
        p.address += UIM_BIT(p.page_lg2);
    }
}

/* In one batch, and without a SCALE that there is not. */
static uint64_t pages_most(bool ranges)
{
    return ranges ? UIM_BIT(SCALE_MOST + 1) - 1 : SMMUV3_BATCH;
}

void smmuv3_add_tlbi_range(struct smmuv3_batch *b, const struct smmuv3_unit *v,
                           const struct uim_link *link,
                           const struct uim_inval *inval)
{
    const unsigned page_lg2 = smmuv3_granule_lg2(&link->domain->pt);
    const uint64_t first = inval->start >> page_lg2;
    const uint64_t pages = (inval->last >> page_lg2) - first + 1;
    const struct part p = {
        .address = first << page_lg2,
        .page_lg2 = page_lg2,
        .leaf = inval->leaf_only,
    };
    const uint32_t id = link->id;
    const bool ranges = smmuv3_idr3_ril(v->idr3);

    if (inval->all || pages > pages_most(ranges))
        smmuv3_add_tlbi(b, v, id);
    else if (ranges)
        add_ranges(b, v, id, pages, p);
    else
        add_pages(b, v, id, pages, p);
}

/* ---- devices (4.5) --------------------------------------------------------- */

/* One naturally aligned span that covers the range. Without a PASID devices also drop
 * what they cached with one; there is no command for the rest alone, and Global, which
 * needs a PASID, leaves out what was cached without. */
void smmuv3_add_atc_inv(struct smmuv3_batch *b, struct smmuv3_sid sid,
                        uint32_t pasid, const struct uim_inval *inval)
{
    const struct smmuv3_cmd_atc_inv_q0_fields q0 = {
        .opcode = SMMUV3_CMD_ATC_INV,
        .sid = sid.id,
        .ssid = pasid,
        .ssv = pasid != UIOMMU_NO_PASID,
    };
    struct smmuv3_cmd_atc_inv_q1_fields q1 = { .size = ATC_ALL };
    const uint64_t differ = (inval->start ^ inval->last) >> ATC_PAGE_LG2;

    if (!inval->all) {
        q1.size = differ ? uim_log2(differ) + 1 : 0;
        q1.address = inval->start >> ATC_PAGE_LG2 >> q1.size << q1.size;
    }
    add(b, smmuv3_cmd_atc_inv_q0_pack(&q0).raw,
        smmuv3_cmd_atc_inv_q1_pack(&q1).raw);
    b->atc = true;
    b->sid = sid;
}

static unsigned code_of(enum uiommu_response response)
{
    switch (response) {
    case UIOMMU_RESPONSE_SUCCESS:
        return SMMUV3_PRI_RESP_SUCCESS;
    case UIOMMU_RESPONSE_INVALID:
        return SMMUV3_PRI_RESP_INVALID;
    default:
        return SMMUV3_PRI_RESP_FAILURE;
    }
}

void smmuv3_add_pri_resp(struct smmuv3_batch *b,
                         const struct uim_page_answer *answer)
{
    const bool has_pasid = answer->pasid != UIOMMU_NO_PASID;
    const struct smmuv3_cmd_pri_resp_q0_fields q0 = {
        .opcode = SMMUV3_CMD_PRI_RESP,
        .ssv = has_pasid,
        .ssid = has_pasid ? answer->pasid : 0,
        .sid = answer->id,
    };
    const struct smmuv3_cmd_pri_resp_q1_fields q1 = {
        .prgindex = answer->group,
        .resp = code_of(answer->response),
    };

    add(b, smmuv3_cmd_pri_resp_q0_pack(&q0).raw,
        smmuv3_cmd_pri_resp_q1_pack(&q1).raw);
}

/* 4.6.1: what is not tried again is aborted. */
void smmuv3_add_resume(struct smmuv3_batch *b,
                       const struct uim_page_answer *answer)
{
    const struct smmuv3_cmd_resume_q0_fields q0 = {
        .opcode = SMMUV3_CMD_RESUME,
        .ac = answer->response == UIOMMU_RESPONSE_SUCCESS,
        .ab = answer->response != UIOMMU_RESPONSE_SUCCESS,
        .sid = answer->id,
    };
    const struct smmuv3_cmd_resume_q1_fields q1 = { .stag = answer->group };

    add(b, smmuv3_cmd_resume_q0_pack(&q0).raw,
        smmuv3_cmd_resume_q1_pack(&q1).raw);
}

void smmuv3_add_stall_term(struct smmuv3_batch *b, struct smmuv3_sid sid)
{
    const struct smmuv3_cmd_stall_term_q0_fields q0 = {
        .opcode = SMMUV3_CMD_STALL_TERM,
        .sid = sid.id,
    };

    add(b, smmuv3_cmd_stall_term_q0_pack(&q0).raw, 0);
}

struct smmuv3_cmd smmuv3_sync(void)
{
    const struct smmuv3_cmd_sync_q0_fields q0 = {
        .opcode = SMMUV3_CMD_SYNC,
        .cs = SMMUV3_SYNC_NONE,
    };

    return (struct smmuv3_cmd){ smmuv3_cmd_sync_q0_pack(&q0).raw, 0 };
}
