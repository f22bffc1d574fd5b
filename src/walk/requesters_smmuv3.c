/* SPDX-License-Identifier: MIT */
/*
 * requesters_smmuv3.c - stream tables and context descriptors of SMMUv3 (IHI0070, 3.3, 5.1
 * to 5.4).
 */
#include "walk/requesters.h"

#include "spec/smmuv3.h"

#define PLACE(P, n, hi, lo) P##_##n##_HIGH = (hi), P##_##n##_LOW = (lo),
enum { SMMUV3_L1STD(PLACE, smmuv3_l1std) SMMUV3_L1CD(PLACE, smmuv3_l1cd) };
#define BITS(field) UIM_MASK(field##_HIGH, field##_LOW)

static const struct uim_walk_link streams = {
    .present = BITS(smmuv3_l1std_span),
    .next = BITS(smmuv3_l1std_l2ptr),
    .span = BITS(smmuv3_l1std_span),
    .lg2 = 3,
};

static const struct uim_walk_link descriptors = {
    .present = BITS(smmuv3_l1cd_v),
    .next = BITS(smmuv3_l1cd_l2ptr),
    .lg2 = 3,
};

enum {
    ENTRY_LG2 = 6,
    SID_BITS_MOST = 32,
    PASID_BITS = 20,
    LEAF_4K_BITS = 6,
    LEAF_64K_BITS = 10,
    STAGE_1 = 1, /* of Config, where it is not below BYPASS                */
    STAGE_2 = 2,
    INPUT_BITS_MOST = 52,
    SL0_TOP_4K = 1, /* level of the root table that SL0 = 0 stands for     */
    TOP_MOST = 3,
};

static const struct uim_walk_format *const first_formats[2][4] = {
    { [SMMUV3_TG0_GRANULE_4K] = &uim_walk_vmsa_s1_4k,
      [SMMUV3_TG0_GRANULE_16K] = &uim_walk_vmsa_s1_16k,
      [SMMUV3_TG0_GRANULE_64K] = &uim_walk_vmsa_s1_64k },
    { [SMMUV3_TG0_GRANULE_4K] = &uim_walk_vmsa_s1_4k_ds,
      [SMMUV3_TG0_GRANULE_16K] = &uim_walk_vmsa_s1_16k_ds,
      [SMMUV3_TG0_GRANULE_64K] = &uim_walk_vmsa_s1_64k },
};

static const struct uim_walk_format *const second_formats[2][4] = {
    { [SMMUV3_TG0_GRANULE_4K] = &uim_walk_vmsa_s2_4k,
      [SMMUV3_TG0_GRANULE_16K] = &uim_walk_vmsa_s2_16k,
      [SMMUV3_TG0_GRANULE_64K] = &uim_walk_vmsa_s2_64k },
    { [SMMUV3_TG0_GRANULE_4K] = &uim_walk_vmsa_s2_4k_ds,
      [SMMUV3_TG0_GRANULE_16K] = &uim_walk_vmsa_s2_16k_ds,
      [SMMUV3_TG0_GRANULE_64K] = &uim_walk_vmsa_s2_64k },
};

/* ---- page tables --------------------------------------------------------------- */

/* IPS and S2PS. What is above OAS counts as OAS. */
static uint8_t phys_bits(const struct uim_requesters *t, uint64_t code)
{
    static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 52, 56 };

    return bits[code] < t->phys_bits ? bits[code] : t->phys_bits;
}

static void page_tables(const struct uim_requesters *t,
                        const struct uim_walk_format *format, unsigned top,
                        unsigned input_bits, struct uim_sight *out)
{
    out->kind = UIM_SIGHT_TABLE;
    out->params = (struct uim_walk_params){
        .format = format,
        .page_sizes = t->page_sizes,
        .unreserved = t->unreserved,
        .top = (uint8_t)top,
        .input_bits = (uint8_t)input_bits,
    };
}

static bool fits(const struct uim_walk_format *format, unsigned input_bits)
{
    return format && input_bits > format->page_lg2 &&
           input_bits <= INPUT_BITS_MOST;
}

/* DDI0487, D8.2: as few levels as the input takes. */
static unsigned first_top(const struct uim_walk_format *format,
                          unsigned input_bits)
{
    const unsigned step = format->page_lg2 - 3u;
    unsigned top = 0, bits = format->page_lg2 + step;

    for (; bits < input_bits; bits += step)
        top++;
    return top;
}

/* ---- first stage --------------------------------------------------------------- */

/* 5.4. A descriptor of 32-bit tables is none that this reads. */
static void decode_cd(const struct uim_requesters *t, const uint64_t *words,
                      struct uim_sight *out)
{
    const struct smmuv3_cd_q0 q0 = { words[0] };
    const struct smmuv3_cd_q1 q1 = { words[1] };
    const struct smmuv3_cd_q2 q2 = { words[2] };
    const unsigned bits = 64u - (unsigned)smmuv3_cd_q0_t0sz(q0);
    const struct uim_walk_format *format =
        first_formats[smmuv3_cd_q2_ds(q2)][smmuv3_cd_q0_tg0(q0)];

    if (!smmuv3_cd_q0_v(q0) || (smmuv3_cd_q0_epd0(q0) && smmuv3_cd_q0_epd1(q0)))
        return;
    out->tag = (uint32_t)smmuv3_cd_q0_asid(q0);
    if (!smmuv3_cd_q0_aa64(q0) || !fits(format, bits)) {
        out->kind = UIM_SIGHT_MALFORMED;
        return;
    }
    page_tables(t, format, first_top(format, bits), bits, out);
    out->params.phys_bits = phys_bits(t, smmuv3_cd_q0_ips(q0));
    out->root = smmuv3_cd_q1_ttb0(q1) << 4;
    out->more = smmuv3_cd_q0_epd0(q0) || !smmuv3_cd_q0_epd1(q0);
}

static unsigned leaf_bits(struct smmuv3_ste_q0 q0)
{
    switch (smmuv3_ste_q0_s1fmt(q0)) {
    case SMMUV3_S1FMT_LEVEL2_4K:
        return LEAF_4K_BITS;
    case SMMUV3_S1FMT_LEVEL2_64K:
        return LEAF_64K_BITS;
    default:
        return 0;
    }
}

/* 3.3.2: one, or 2^S1CDMax of them. */
static struct uim_walk_index descriptors_of(struct smmuv3_ste_q0 q0)
{
    unsigned most = (unsigned)smmuv3_ste_q0_s1cdmax(q0);
    struct uim_walk_index index = {
        .root = smmuv3_ste_q0_s1contextptr(q0) << 6,
        .bits = (uint8_t)(most < PASID_BITS ? most : PASID_BITS),
        .entry_lg2 = ENTRY_LG2,
    };

    if (most > 0 && leaf_bits(q0) > 0) {
        index.link = &descriptors;
        index.low_bits = (uint8_t)leaf_bits(q0);
    }
    return index;
}

/* 5.2: what is said where there are substreams to requests that have none. */
static void own_of(const struct uim_requesters *t, uint64_t s1dss,
                   struct uim_requester *out)
{
    if (s1dss == SMMUV3_S1DSS_SSID0)
        out->own_below = true;
    else if (s1dss == SMMUV3_S1DSS_BYPASS)
        out->own.kind = t->passes ? UIM_SIGHT_ALL : UIM_SIGHT_MALFORMED;
    else if (s1dss != SMMUV3_S1DSS_TERMINATE)
        out->own.kind = UIM_SIGHT_MALFORMED;
}

static void first_stage(const struct uim_requesters *t, struct smmuv3_ste_q0 q0,
                        struct smmuv3_ste_q1 q1, struct uim_requester *out)
{
    out->pasids = descriptors_of(q0);
    out->with_pasid = smmuv3_ste_q0_s1cdmax(q0) != 0;
    if (out->with_pasid)
        own_of(t, smmuv3_ste_q1_s1dss(q1), out);
    else
        out->own_below = true;
}

/* ---- second stage -------------------------------------------------------------- */

static void second_stage(const struct uim_requesters *t,
                         struct smmuv3_ste_q2 q2, struct smmuv3_ste_q3 q3,
                         struct uim_sight *out)
{
    const unsigned bits = 64u - (unsigned)smmuv3_ste_q2_s2t0sz(q2);
    const unsigned sl0 = (unsigned)smmuv3_ste_q2_s2sl0(q2);
    const unsigned granule = (unsigned)smmuv3_ste_q2_s2tg(q2);
    const struct uim_walk_format *format =
        second_formats[smmuv3_ste_q3_s2ds(q3)][granule];
    const unsigned top =
        granule == SMMUV3_TG0_GRANULE_4K ? sl0 + SL0_TOP_4K : sl0;

    out->tag = (uint32_t)smmuv3_ste_q2_s2vmid(q2);
    if (!smmuv3_ste_q2_s2aa64(q2) || !fits(format, bits) || top > TOP_MOST ||
        smmuv3_ste_q3_s2sl0_2(q3)) {
        out->kind = UIM_SIGHT_MALFORMED;
        return;
    }
    page_tables(t, format, top, bits, out);
    out->params.phys_bits = phys_bits(t, smmuv3_ste_q2_s2ps(q2));
    out->root = smmuv3_ste_q3_s2ttb(q3) << 4;
}

/* ---- entries ------------------------------------------------------------------- */

/* 5.2. Of an entry with both stages this tells the second, and that there is more. */
static void decode_ste(const struct uim_requesters *t, const uint64_t *words,
                       struct uim_requester *out)
{
    const struct smmuv3_ste_q0 q0 = { words[0] };
    const struct smmuv3_ste_q1 q1 = { words[1] };
    const uint64_t config = smmuv3_ste_q0_config(q0);

    if (!smmuv3_ste_q0_v(q0) || config < SMMUV3_STE_BYPASS)
        return;
    if (config == SMMUV3_STE_BYPASS) {
        out->own.kind = UIM_SIGHT_ALL;
        return;
    }
    out->ats = smmuv3_ste_q1_eats(q1) != SMMUV3_EATS_ABORT;
    if (config & STAGE_2) {
        second_stage(t, (struct smmuv3_ste_q2){ words[2] },
                     (struct smmuv3_ste_q3){ words[3] }, &out->own);
        out->own.more = (config & STAGE_1) != 0;
    } else {
        first_stage(t, q0, q1, out);
    }
}

static const struct uim_requester_format format = {
    .name = "smmuv3",
    .decode = decode_ste,
    .decode_pasid = decode_cd,
};

/* 6.3.25: other values of SPLIT behave as 6, other formats as a table of one level. */
static unsigned split_of(struct smmuv3_strtab_base_cfg cfg)
{
    const unsigned split = (unsigned)smmuv3_strtab_base_cfg_split(cfg);

    if (split == SMMUV3_SPLIT_SPLIT_16K || split == SMMUV3_SPLIT_SPLIT_64K)
        return split;
    return SMMUV3_SPLIT_SPLIT_4K;
}

void uim_requesters_smmuv3(struct uim_requesters *t, uint64_t base,
                           uint32_t cfg_raw)
{
    const struct smmuv3_strtab_base at = { base };
    const struct smmuv3_strtab_base_cfg cfg = { cfg_raw };
    const unsigned bits = (unsigned)smmuv3_strtab_base_cfg_log2size(cfg);

    t->format = &format;
    t->ids = (struct uim_walk_index){
        .root = smmuv3_strtab_base_addr(at) << 6,
        .bits = (uint8_t)(bits < SID_BITS_MOST ? bits : SID_BITS_MOST),
        .entry_lg2 = ENTRY_LG2,
    };
    if (smmuv3_strtab_base_cfg_fmt(cfg) != SMMUV3_STRTAB_TWO_LEVEL ||
        split_of(cfg) >= bits)
        return;
    t->ids.link = &streams;
    t->ids.low_bits = (uint8_t)split_of(cfg);
}
