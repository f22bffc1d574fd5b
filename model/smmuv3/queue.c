/* SPDX-License-Identifier: MIT */
/*
 * The command queue (4, 3.5): one command a step. All are complete when their
 * step is over, but for ATC_INV, which stay open until the VMM calls devtlb_done;
 * a SYNC behind them is not consumed before. On an error nothing is consumed until
 * software acknowledged it (7.1).
 */
#include "model/smmuv3/smmuv3.h"

struct command {
    uint64_t word[2];
};

enum outcome { DONE, LATER = 0x100 }; /* or SMMUV3_CERROR_*                  */

static uint64_t queue_error(void)
{
    return smmuv3_gerror_pack(&(struct smmuv3_gerror_fields){ .cmdq_err = 1 })
        .raw;
}

void msmmu_command_error(struct msmmu *m, unsigned error)
{
    struct smmuv3_cmdq_cons cons = { m->reg.cmdq_cons };

    m->counter[MSMMU_N_command_errors]++;
    m->reg.cmdq_cons = smmuv3_cmdq_cons_set_err(cons, error).raw;
    msmmu_gerror(m, queue_error());
}

/* For the door: a command that names nobody. */
static struct uim_check_inval about(enum uim_check_kind kind,
                                    enum uim_check_scope scope)
{
    return (struct uim_check_inval){ .kind = kind,
                                     .scope = scope,
                                     .did = UIM_CHECK_NONE,
                                     .rid = UIM_CHECK_NONE,
                                     .pasid = UIM_CHECK_NONE };
}

/* ---- configuration (4.3) -------------------------------------------------------- */

static unsigned do_nothing(struct msmmu *m, const struct command *c)
{
    (void)m;
    (void)c;
    return DONE;
}

static unsigned do_cfgi_ste(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_cfgi_ste_q0 q0 = { c->word[0] };
    struct smmuv3_cmd_cfgi_ste_q1 q1 = { c->word[1] };
    uint32_t sid = (uint32_t)smmuv3_cmd_cfgi_ste_q0_sid(q0);
    struct msmmu_inval inval = { .first = sid,
                                 .last = sid,
                                 .leaf_only = smmuv3_cmd_cfgi_ste_q1_leaf(q1) };
    struct uim_check_inval said = about(UIM_CHECK_DEVICE, UIM_CHECK_ONE);

    said.rid = sid;
    said.leaf_only = inval.leaf_only;
    if (!uim_door_invalidate(&m->base, &said))
        msmmu_inv_stes(m, &inval);
    return DONE;
}

/* CFGI_ALL is a range of 2^32. */
static unsigned do_cfgi_ste_range(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_cfgi_ste_range_q0 q0 = { c->word[0] };
    struct smmuv3_cmd_cfgi_ste_range_q1 q1 = { c->word[1] };
    unsigned lg2 = (unsigned)smmuv3_cmd_cfgi_ste_range_q1_range(q1) + 1;
    uint64_t sid =
        uim_align_down(smmuv3_cmd_cfgi_ste_range_q0_sid(q0), UIM_BIT(lg2));
    struct msmmu_inval inval = { .first = sid, .last = sid + UIM_BIT(lg2) - 1 };
    bool all = lg2 == 32;
    struct uim_check_inval said =
        about(UIM_CHECK_DEVICE, all ? UIM_CHECK_GLOBAL : UIM_CHECK_ONE);

    if (!all) {
        said.rid = (uint32_t)sid;
        said.am = (uint8_t)lg2;
    }
    if (!uim_door_invalidate(&m->base, &said))
        msmmu_inv_stes(m, &inval);
    return DONE;
}

static unsigned do_cfgi_cd(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_cfgi_cd_q0 q0 = { c->word[0] };
    struct smmuv3_cmd_cfgi_cd_q1 q1 = { c->word[1] };
    struct msmmu_inval inval = {
        .sid = (uint32_t)smmuv3_cmd_cfgi_cd_q0_sid(q0),
        .ssid = (uint32_t)smmuv3_cmd_cfgi_cd_q0_ssid(q0),
        .leaf_only = smmuv3_cmd_cfgi_cd_q1_leaf(q1),
    };
    struct uim_check_inval said = about(UIM_CHECK_PASID, UIM_CHECK_ONE);

    said.rid = inval.sid;
    said.pasid = inval.ssid;
    said.leaf_only = inval.leaf_only;
    if (!uim_door_invalidate(&m->base, &said))
        msmmu_inv_cds(m, &inval, false);
    return DONE;
}

static unsigned do_cfgi_cd_all(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_cfgi_cd_all_q0 q0 = { c->word[0] };
    struct msmmu_inval inval = { .sid = (uint32_t)smmuv3_cmd_cfgi_cd_all_q0_sid(
                                     q0) };
    struct uim_check_inval said = about(UIM_CHECK_PASID, UIM_CHECK_DOMAIN);

    said.rid = inval.sid;
    if (!uim_door_invalidate(&m->base, &said))
        msmmu_inv_cds(m, &inval, true);
    return DONE;
}

/* ---- translations (4.4) --------------------------------------------------------- */

static uint16_t vmid_of(const struct msmmu *m, uint64_t vmid)
{
    return (uint16_t)(m->args.vmid16 ? vmid : vmid & 0xff);
}

static uint32_t asid_of(const struct msmmu *m, uint64_t asid)
{
    return (uint32_t)(m->args.asid16 ? asid : asid & 0xff);
}

/* 0 without TG, and for what has no leaves without 52-bit addresses (DS). */
static uint64_t ttl_of(struct smmuv3_cmd_tlbi_nh_va_q1 q1)
{
    uint64_t tg = smmuv3_cmd_tlbi_nh_va_q1_tg(q1);
    uint64_t ttl = smmuv3_cmd_tlbi_nh_va_q1_ttl(q1);

    return tg == 0 || (tg == SMMUV3_TLBI_TG_GRANULE_16K && ttl == 1) ? 0 : ttl;
}

/* 4.4.1.1: TG alone, without a range or a level, is refused. Without DS bit 5 of SCALE
 * is reserved. */
static bool range_is_legal(const struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_tlbi_nh_va_q0 q0 = { c->word[0] };
    struct smmuv3_cmd_tlbi_nh_va_q1 q1 = { c->word[1] };
    uint64_t scale = smmuv3_cmd_tlbi_nh_va_q0_scale(q0);

    if (!m->args.ril || smmuv3_cmd_tlbi_nh_va_q1_tg(q1) == 0)
        return true;
    return scale < 32 &&
           (scale | smmuv3_cmd_tlbi_nh_va_q0_num(q0) | ttl_of(q1)) != 0;
}

/* All four that have an address have their fields at the same places. */
static void range_of(const struct msmmu *m, const struct command *c,
                     struct msmmu_inval *inval)
{
    struct smmuv3_cmd_tlbi_nh_va_q0 q0 = { c->word[0] };
    struct smmuv3_cmd_tlbi_nh_va_q1 q1 = { c->word[1] };
    uint64_t tg = m->args.ril ? smmuv3_cmd_tlbi_nh_va_q1_tg(q1) : 0;
    uint64_t ttl = tg ? ttl_of(q1) : 0;
    uint64_t scale = tg ? smmuv3_cmd_tlbi_nh_va_q0_scale(q0) : 0;
    uint64_t pages = tg ? smmuv3_cmd_tlbi_nh_va_q0_num(q0) + 1 : 1;
    unsigned lg2 = tg ? 10 + 2 * (unsigned)tg : MSMMU_PAGE_LG2;
    uint64_t bytes = pages << scale << lg2;

    inval->first = uim_align_down(
        smmuv3_cmd_tlbi_nh_va_q1_address(q1) << MSMMU_PAGE_LG2, UIM_BIT(lg2));
    inval->last = inval->first + (bytes - 1);
    if (inval->last < inval->first)
        inval->last = UINT64_MAX;
    inval->granule = tg ? (uint8_t)lg2 : 0;
    inval->level = ttl ? (uint8_t)(3 - ttl) : MSMMU_LEVELS;
    inval->leaf_only = smmuv3_cmd_tlbi_nh_va_q1_leaf(q1);
}

/* The domain as answers of translate have it (caches.c). */
static uint32_t domain_of(const struct msmmu_inval *inval)
{
    uint32_t asid = inval->asid < MSMMU_ASID_GLOBAL ? inval->asid : 0;

    return (uint32_t)inval->vmid << 16 | asid;
}

static unsigned invalidate(struct msmmu *m, enum uim_check_kind kind,
                           enum uim_check_scope scope,
                           const struct msmmu_inval *inval)
{
    struct uim_check_inval said = about(kind, scope);

    /* The SYNC behind it waits for what used the entries (4.7.3). */
    said.drain_read = said.drain_write = true;
    if (scope != UIM_CHECK_GLOBAL)
        said.did = domain_of(inval);
    if (scope == UIM_CHECK_PAGE) {
        said.addr = inval->first;
        said.pages = (inval->last - inval->first) / 4096 + 1;
        said.leaf_only = inval->leaf_only;
        while (said.am < 52 && UIM_BIT(said.am) < said.pages)
            said.am++;
    }
    if (!uim_door_invalidate(&m->base, &said))
        msmmu_inv_tlb(m, inval);
    return DONE;
}

/* Everything of all levels, unless the command says less. */
static struct msmmu_inval whole(const struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_tlbi_nh_asid_q0 q0 = { c->word[0] };

    return (struct msmmu_inval){
        .last = UINT64_MAX,
        .level = MSMMU_LEVELS,
        .vmid = vmid_of(m, smmuv3_cmd_tlbi_nh_asid_q0_vmid(q0)),
        .asid = UIM_CHECK_NONE,
        .stage_1 = true,
    };
}

static unsigned do_nh_all(struct msmmu *m, const struct command *c)
{
    struct msmmu_inval inval = whole(m, c);

    return invalidate(m, UIM_CHECK_IOTLB, UIM_CHECK_DOMAIN, &inval);
}

static unsigned do_s12_vmall(struct msmmu *m, const struct command *c)
{
    struct msmmu_inval inval = whole(m, c);

    inval.stage_2 = true;
    return invalidate(m, UIM_CHECK_IOTLB, UIM_CHECK_DOMAIN, &inval);
}

static unsigned do_nsnh_all(struct msmmu *m, const struct command *c)
{
    struct msmmu_inval inval = whole(m, c);

    inval.stage_2 = true;
    inval.all_vmids = true;
    return invalidate(m, UIM_CHECK_IOTLB, UIM_CHECK_GLOBAL, &inval);
}

static unsigned do_nh_asid(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_tlbi_nh_asid_q0 q0 = { c->word[0] };
    struct msmmu_inval inval = whole(m, c);

    inval.asid = asid_of(m, smmuv3_cmd_tlbi_nh_asid_q0_asid(q0));
    return invalidate(m, UIM_CHECK_PASID_IOTLB, UIM_CHECK_ONE, &inval);
}

static unsigned do_nh_va(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_tlbi_nh_va_q0 q0 = { c->word[0] };
    struct msmmu_inval inval = whole(m, c);

    inval.asid = asid_of(m, smmuv3_cmd_tlbi_nh_va_q0_asid(q0));
    inval.globals = true;
    range_of(m, c, &inval);
    return invalidate(m, UIM_CHECK_PASID_IOTLB, UIM_CHECK_PAGE, &inval);
}

static unsigned do_nh_vaa(struct msmmu *m, const struct command *c)
{
    struct msmmu_inval inval = whole(m, c);

    range_of(m, c, &inval);
    return invalidate(m, UIM_CHECK_IOTLB, UIM_CHECK_PAGE, &inval);
}

static unsigned do_s2_ipa(struct msmmu *m, const struct command *c)
{
    struct msmmu_inval inval = whole(m, c);

    range_of(m, c, &inval);
    inval.stage_1 = false;
    inval.stage_2 = true;
    return invalidate(m, UIM_CHECK_IOTLB, UIM_CHECK_PAGE, &inval);
}

/* ---- ATS (4.5) -------------------------------------------------------------------- */

/* MSMMU_PENDING: none is free. */
static unsigned free_atc(const struct msmmu *m)
{
    unsigned i = 0;

    while (i < MSMMU_PENDING && m->atc[i].open)
        i++;
    return i;
}

static bool any_open(const struct msmmu *m)
{
    for (unsigned i = 0; i < MSMMU_PENDING; i++) {
        if (m->atc[i].open)
            return true;
    }
    return false;
}

static bool tag_is_open(const struct msmmu *m, uint32_t tag)
{
    for (unsigned i = 0; i < MSMMU_PENDING; i++) {
        if (m->atc[i].open && m->atc[i].tag == tag)
            return true;
    }
    return false;
}

static void open_atc(struct msmmu *m, struct uim_model_inval *note)
{
    struct msmmu_atc *a = &m->atc[free_atc(m)];

    do {
        m->atc_tag++;
    } while (tag_is_open(m, m->atc_tag));
    *a =
        (struct msmmu_atc){ .tag = m->atc_tag, .sid = note->rid, .open = true };
    note->tag = a->tag;
    uim_unit_note(&m->base, note);
}

enum { EVERYTHING_LG2 = 52 };

static void atc_range(struct smmuv3_cmd_atc_inv_q1 q1,
                      struct uim_model_inval *note,
                      struct uim_check_inval *said)
{
    uint64_t size = smmuv3_cmd_atc_inv_q1_size(q1);
    uint64_t addr = smmuv3_cmd_atc_inv_q1_address(q1) << MSMMU_PAGE_LG2;

    if (size >= EVERYTHING_LG2)
        return;
    note->len = UIM_BIT(size + MSMMU_PAGE_LG2);
    note->iova = uim_align_down(addr, note->len);
    said->scope = UIM_CHECK_PAGE;
    said->addr = note->iova;
    said->am = (uint8_t)size;
    said->pages = UIM_BIT(size);
}

/* While SMMUEN is 0 it is ignored (3.9). */
static unsigned do_atc_inv(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_atc_inv_q0 q0 = { c->word[0] };
    struct smmuv3_cmd_atc_inv_q1 q1 = { c->word[1] };
    uint32_t ssid = (uint32_t)smmuv3_cmd_atc_inv_q0_ssid(q0);
    bool ssv = smmuv3_cmd_atc_inv_q0_ssv(q0);
    bool all = ssv && smmuv3_cmd_atc_inv_q0_global(q0);
    struct uim_model_inval note = {
        .what = UIM_MODEL_INV_DEVTLB,
        .rid = (uint32_t)smmuv3_cmd_atc_inv_q0_sid(q0),
        .pasid = all   ? UIM_MODEL_ANY_PASID
                 : ssv ? ssid
                       : UIM_MODEL_NO_PASID,
    };
    struct uim_check_inval said =
        about(ssv ? UIM_CHECK_PASID_DEVTLB : UIM_CHECK_DEVTLB, UIM_CHECK_ONE);

    if (free_atc(m) == MSMMU_PENDING)
        return LATER;
    m->counter[MSMMU_N_atc_invalidations]++;
    atc_range(q1, &note, &said);
    said.rid = note.rid;
    if (ssv && !all)
        said.pasid = ssid;
    if (!uim_door_invalidate(&m->base, &said) &&
        smmuv3_cr0_smmuen(msmmu_cr0(m)))
        open_atc(m, &note);
    return DONE;
}

void msmmu_devtlb_done(struct uim_model *model, uint32_t tag, bool failed)
{
    struct msmmu *m = msmmu_of(model);

    uim_unit_lock(model);
    for (unsigned i = 0; i < MSMMU_PENDING; i++) {
        struct msmmu_atc *a = &m->atc[i];

        if (!a->open || a->tag != tag)
            continue;
        a->open = false;
        m->atc_failed |= failed;
        break;
    }
    uim_unit_unlock(model);
    uim_unit_settle(model);
}

/* ---- page requests and stalls (4.5.2, 4.7) --------------------------------------- */

/* While SMMUEN is 0 it is ignored. */
static unsigned do_pri_resp(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_pri_resp_q0 q0 = { c->word[0] };
    struct smmuv3_cmd_pri_resp_q1 q1 = { c->word[1] };

    if (smmuv3_cmd_pri_resp_q1_resp(q1) > SMMUV3_PRI_RESP_SUCCESS)
        return SMMUV3_CERROR_ILL;
    if (smmuv3_cr0_smmuen(msmmu_cr0(m)))
        msmmu_pri_respond(m, q0, q1);
    return DONE;
}

static unsigned do_resume(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_resume_q0 q0 = { c->word[0] };
    struct smmuv3_cmd_resume_q1 q1 = { c->word[1] };

    msmmu_stall_resume(m, (uint32_t)smmuv3_cmd_resume_q0_sid(q0),
                       (uint16_t)smmuv3_cmd_resume_q1_stag(q1),
                       smmuv3_cmd_resume_q0_ac(q0));
    return DONE;
}

static unsigned do_stall_term(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_stall_term_q0 q0 = { c->word[0] };

    msmmu_stall_term(m, (uint32_t)smmuv3_cmd_stall_term_q0_sid(q0));
    return DONE;
}

/* ---- SYNC (4.7) ------------------------------------------------------------------ */

static void signal_sync(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_sync_q0 q0 = { c->word[0] };
    struct smmuv3_cmd_sync_q1 q1 = { c->word[1] };

    if (smmuv3_cmd_sync_q0_cs(q0) == SMMUV3_SYNC_IRQ)
        msmmu_interrupt(m, smmuv3_cmd_sync_q1_msiaddress(q1) << 2,
                        smmuv3_cmd_sync_q0_msidata(q0), MSMMU_LINE_SYNC);
}

static unsigned do_sync(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_sync_q0 q0 = { c->word[0] };
    struct uim_check_inval said = about(UIM_CHECK_WAIT, UIM_CHECK_GLOBAL);

    if (smmuv3_cmd_sync_q0_cs(q0) > SMMUV3_SYNC_SEV)
        return SMMUV3_CERROR_ILL;
    if (any_open(m))
        return LATER;
    if (m->atc_failed) {
        m->atc_failed = false;
        return SMMUV3_CERROR_ATC_INV_SYNC;
    }
    m->counter[MSMMU_N_syncs]++;
    msmmu_stalls_sync(m);
    if (!uim_door_invalidate(&m->base, &said))
        signal_sync(m, c);
    return DONE;
}

/* ---- the queue ------------------------------------------------------------------- */

enum {
    NEEDS_S1 = 1,
    NEEDS_S2 = 2,
    NEEDS_ATS = 4,
    HAS_SSEC = 8,
    HAS_RANGE = 16,
    NEEDS_PRI = 32,
    NEEDS_STALLS = 64,
};

/* By opcode; what is not there is illegal. */
static const struct {
    unsigned (*run)(struct msmmu *m, const struct command *c);
    unsigned flags;
} commands[] = {
    [SMMUV3_CMD_PREFETCH_CONFIG] = { do_nothing, HAS_SSEC },
    [SMMUV3_CMD_PREFETCH_ADDR] = { do_nothing, HAS_SSEC },
    [SMMUV3_CMD_CFGI_STE] = { do_cfgi_ste, HAS_SSEC },
    [SMMUV3_CMD_CFGI_STE_RANGE] = { do_cfgi_ste_range, HAS_SSEC },
    [SMMUV3_CMD_CFGI_CD] = { do_cfgi_cd, HAS_SSEC | NEEDS_S1 },
    [SMMUV3_CMD_CFGI_CD_ALL] = { do_cfgi_cd_all, HAS_SSEC | NEEDS_S1 },
    [SMMUV3_CMD_TLBI_NH_ALL] = { do_nh_all, NEEDS_S1 },
    [SMMUV3_CMD_TLBI_NH_ASID] = { do_nh_asid, NEEDS_S1 },
    [SMMUV3_CMD_TLBI_NH_VA] = { do_nh_va, NEEDS_S1 | HAS_RANGE },
    [SMMUV3_CMD_TLBI_NH_VAA] = { do_nh_vaa, NEEDS_S1 | HAS_RANGE },
    [SMMUV3_CMD_TLBI_S12_VMALL] = { do_s12_vmall, NEEDS_S2 },
    [SMMUV3_CMD_TLBI_S2_IPA] = { do_s2_ipa, NEEDS_S2 | HAS_RANGE },
    [SMMUV3_CMD_TLBI_NSNH_ALL] = { do_nsnh_all, 0 },
    [SMMUV3_CMD_ATC_INV] = { do_atc_inv, HAS_SSEC | NEEDS_ATS },
    [SMMUV3_CMD_PRI_RESP] = { do_pri_resp, HAS_SSEC | NEEDS_PRI },
    [SMMUV3_CMD_RESUME] = { do_resume, HAS_SSEC | NEEDS_STALLS },
    [SMMUV3_CMD_STALL_TERM] = { do_stall_term, HAS_SSEC | NEEDS_STALLS },
    [SMMUV3_CMD_SYNC] = { do_sync, 0 },
};

static bool offered(const struct msmmu *m, unsigned flags)
{
    return (!(flags & NEEDS_S1) || msmmu_has_s1(m)) &&
           (!(flags & NEEDS_S2) || msmmu_has_s2(m)) &&
           (!(flags & NEEDS_ATS) || m->args.ats) &&
           (!(flags & NEEDS_PRI) || m->args.pri) &&
           (!(flags & NEEDS_STALLS) || m->args.stall);
}

static unsigned run_command(struct msmmu *m, const struct command *c)
{
    struct smmuv3_cmd_any_q0 any = { c->word[0] };
    struct smmuv3_cmd_cfgi_ste_q0 q0 = { c->word[0] };
    uint64_t opcode = smmuv3_cmd_any_q0_opcode(any);

    if (opcode >= sizeof(commands) / sizeof(*commands) ||
        !commands[opcode].run || !offered(m, commands[opcode].flags))
        return SMMUV3_CERROR_ILL;
    if ((commands[opcode].flags & HAS_SSEC) && smmuv3_cmd_cfgi_ste_q0_ssec(q0))
        return SMMUV3_CERROR_ILL;
    if ((commands[opcode].flags & HAS_RANGE) && !range_is_legal(m, c))
        return SMMUV3_CERROR_ILL;
    return commands[opcode].run(m, c);
}

static bool fetch(const struct msmmu *m, uint64_t index, uint64_t size,
                  struct command *c)
{
    struct smmuv3_cmdq_base base = { m->reg.cmdq_base };
    uint64_t at = uim_align_down(smmuv3_cmdq_base_addr(base) << 5,
                                 size * SMMUV3_CMD_BYTES);

    return uim_door_read(&m->base, at + index * SMMUV3_CMD_BYTES, c->word, 2,
                         msmmu_queue_snooped(m), false);
}

bool msmmu_command_step(struct msmmu *m)
{
    uint64_t size = msmmu_queue_size(m->reg.cmdq_base, m->args.cmdqs);
    struct smmuv3_cmdq_cons cons = { m->reg.cmdq_cons };
    uint64_t rd = smmuv3_cmdq_cons_rd(cons) & (2 * size - 1);
    struct command c;
    unsigned outcome;

    if (!smmuv3_cr0_cmdqen(msmmu_cr0(m)) ||
        msmmu_gerror_active(m, queue_error()) ||
        msmmu_queue_empty(m->reg.cmdq_prod, rd, size))
        return false;
    outcome = fetch(m, rd & (size - 1), size, &c) ? run_command(m, &c)
                                                  : SMMUV3_CERROR_ABT;
    if (outcome == LATER)
        return false;
    if (outcome != DONE) {
        msmmu_command_error(m, outcome);
        return true;
    }
    m->counter[MSMMU_N_commands]++;
    rd = (rd + 1) & (2 * size - 1);
    m->reg.cmdq_cons = smmuv3_cmdq_cons_set_rd(
                           (struct smmuv3_cmdq_cons){ m->reg.cmdq_cons }, rd)
                           .raw;
    return true;
}
