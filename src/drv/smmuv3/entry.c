/* SPDX-License-Identifier: MIT */
/*
 * entry.c - changing a stream table entry or a context descriptor (3.21.3, semantics
 * B.13).
 *
 * The unit reads the 8 words of an entry in any order, and some only if others say so.
 * What it does not look at now is changed first, and what it will not look at last. If
 * what is left lies in one word, the stream goes from the old to the new without a gap
 * when that is stored. Else the entry is invalid in between. After each of these steps
 * caches forget the entry, so that no fetch mixes words of two.
 *
 * A descriptor in a table cannot be exchanged for another, and two domains differ in more
 * than one of its words: it is always invalid in between.
 *
 * smmuv3_cut() may come at any time, and its word is the last: uim_entry_open().
 */
#include "drv/smmuv3/smmuv3.h"

#define ALL (~UINT64_C(0))

/* Of STE.Config, where it is not below BYPASS. */
enum { STAGE_1 = 1, STAGE_2 = 2 };

/* ---- which bits count ------------------------------------------------------ */

/* 5.2: S1DSS is ignored where there are no substreams. */
static uint64_t used_q1(struct smmuv3_ste_q0 q0)
{
    const uint64_t config = smmuv3_ste_q0_config(q0);
    const struct smmuv3_ste_q1_fields attributes = {
        .instcfg = ALL,
        .privcfg = ALL,
        .nscfg = ALL,
        .shcfg = ALL,
        .alloccfg = ALL,
        .mtcfg = ALL,
        .memattr = ALL,
        .cont = ALL,
    };
    const struct smmuv3_ste_q1_fields first = {
        .s1dss = smmuv3_ste_q0_s1cdmax(q0) ? ALL : 0,
        .s1cir = ALL,
        .s1cor = ALL,
        .s1csh = ALL,
        .s1stalld = ALL,
        .s1mpam = ALL,
        .s1pie = ALL,
        .strw = ALL,
    };
    const struct smmuv3_ste_q1_fields both = { .eats = ALL, .mev = ALL };
    uint64_t used = smmuv3_ste_q1_pack(&attributes).raw;

    if (config & STAGE_1)
        used |= smmuv3_ste_q1_pack(&first).raw;
    if (config != SMMUV3_STE_BYPASS)
        used |= smmuv3_ste_q1_pack(&both).raw;
    return used;
}

/* Of an entry with this word 0. */
static void used_bits(uint64_t q0, uint64_t *used)
{
    const struct smmuv3_ste_q0_fields v = { .v = ALL };
    const struct smmuv3_ste_q0_fields v_config = { .v = ALL, .config = ALL };
    const struct smmuv3_ste_q2_fields vmid = { .s2vmid = ALL };
    const struct smmuv3_ste_q0 entry = { q0 };
    uint64_t config = smmuv3_ste_q0_config(entry);

    for (unsigned i = 0; i < SMMUV3_STE_USED; i++)
        used[i] = 0;
    used[0] = smmuv3_ste_q0_pack(&v).raw;
    if (!smmuv3_ste_q0_v(entry))
        return;
    used[0] = smmuv3_ste_q0_pack(&v_config).raw;
    if (config < SMMUV3_STE_BYPASS)
        return;
    used[1] = used_q1(entry);
    if (config & STAGE_1) {
        used[0] = ALL;
        used[2] = smmuv3_ste_q2_pack(&vmid).raw;
    }
    if (config & STAGE_2)
        used[2] = used[3] = ALL;
}

/* ---- stores ---------------------------------------------------------------- */

static void store(const struct smmuv3_unit *v, uim_word *word, uint64_t value)
{
    uim_st64(word, value);
    uim_write_back(&v->unit, v->coherent, word, sizeof(*word));
}

void smmuv3_ste_block(const struct smmuv3_unit *v, uim_word *ste)
{
    const struct smmuv3_ste_q0_fields valid = { .v = 1 };

    uim_entry_block(&v->unit, v->coherent, ste, smmuv3_ste_q0_pack(&valid).raw);
}

static uint64_t config_bits(void)
{
    const struct smmuv3_ste_q0_fields config = { .config = ALL };

    return smmuv3_ste_q0_pack(&config).raw;
}

void smmuv3_ste_mute(const struct smmuv3_unit *v, uim_word *ste)
{
    const struct smmuv3_ste_q0_fields valid = { .v = 1 };

    uim_entry_change(&v->unit, v->coherent, ste, config_bits(),
                     smmuv3_ste_q0_pack(&valid).raw);
}

bool smmuv3_ste_is_mute(uint64_t word0)
{
    const struct smmuv3_ste_q0 q0 = { word0 };

    return smmuv3_ste_q0_v(q0) && smmuv3_ste_q0_config(q0) < SMMUV3_STE_BYPASS;
}

bool smmuv3_ste_is_valid(uint64_t word0)
{
    return smmuv3_ste_q0_v((struct smmuv3_ste_q0){ word0 }) != 0 &&
           !smmuv3_ste_is_mute(word0);
}

enum uiommu_status smmuv3_ste_forget(struct smmuv3_unit *v,
                                     struct smmuv3_sid sid)
{
    struct smmuv3_batch b = { .n = 0 };

    smmuv3_add_cfgi_ste(&b, sid);
    return smmuv3_submit(v, &b);
}

/* Those words that differ, word 0 last. */
static enum uiommu_status store_words(struct smmuv3_unit *v,
                                      const struct uiommu_endpoint *endpoint,
                                      uim_word *ste, const uint64_t *value)
{
    bool any = false;
    enum uiommu_status status = UIOMMU_OK;

    for (unsigned i = SMMUV3_STE_USED; i-- > 0;) {
        if (uim_ld64(&ste[i]) == value[i])
            continue;
        any = true;
        if (i > 0)
            store(v, &ste[i], value[i]);
        else if (!uim_entry_open(&v->unit, endpoint, v->coherent, ste, value[0],
                                 config_bits()))
            status = UIOMMU_TIMEDOUT; /* it was cut */
    }
    if (status == UIOMMU_OK && any)
        status = smmuv3_ste_forget(v, smmuv3_sid(endpoint));
    return status;
}

/* ---- steps ----------------------------------------------------------------- */

/* From what is there, what can be changed without being noticed on the way to `want`;
 * returns in how many words more, of those that `want` looks at, has to follow. */
static unsigned first_step(const uim_word *ste, const uint64_t *want,
                           uint64_t *step)
{
    uint64_t used[SMMUV3_STE_USED], will_be[SMMUV3_STE_USED];
    unsigned more = 0;

    used_bits(uim_ld64(&ste[0]), used);
    used_bits(want[0], will_be);
    for (unsigned i = 0; i < SMMUV3_STE_USED; i++) {
        step[i] = (uim_ld64(&ste[i]) & used[i]) | (want[i] & ~used[i]);
        more += ((step[i] ^ want[i]) & will_be[i]) != 0;
    }
    return more;
}

/* What `want` looks at; the rest is not noticed any more afterwards. */
static void second_step(const uint64_t *want, uint64_t *step)
{
    uint64_t used[SMMUV3_STE_USED];

    used_bits(want[0], used);
    for (unsigned i = 0; i < SMMUV3_STE_USED; i++)
        if ((step[i] ^ want[i]) & used[i])
            step[i] = want[i];
}

enum uiommu_status smmuv3_ste_change(struct smmuv3_unit *v,
                                     const struct uiommu_endpoint *endpoint,
                                     uim_word *ste, const uint64_t *want)
{
    uint64_t step[SMMUV3_STE_USED];
    enum uiommu_status status = UIOMMU_OK;

    if (first_step(ste, want, step) > 1) {
        smmuv3_ste_block(v, ste);
        status = smmuv3_ste_forget(v, smmuv3_sid(endpoint));
        (void)first_step(ste, want, step);
    }
    if (status == UIOMMU_OK)
        status = store_words(v, endpoint, ste, step);
    second_step(want, step);
    if (status == UIOMMU_OK)
        status = store_words(v, endpoint, ste, step);
    if (status == UIOMMU_OK)
        status = store_words(v, endpoint, ste, want);
    return status;
}

enum uiommu_status smmuv3_ste_replace(struct smmuv3_unit *v,
                                      const struct uiommu_endpoint *endpoint,
                                      uim_word *ste, const uint64_t *want)
{
    enum uiommu_status status = smmuv3_ste_change(v, endpoint, ste, want);

    if (status != UIOMMU_OK)
        smmuv3_ste_block(v, ste);
    return status;
}

/* ---- context descriptors --------------------------------------------------- */

static uint64_t cd_valid(void)
{
    const struct smmuv3_cd_q0_fields valid = { .v = 1 };

    return smmuv3_cd_q0_pack(&valid).raw;
}

void smmuv3_cd_block(const struct smmuv3_unit *v, uim_word *cd)
{
    uim_entry_block(&v->unit, v->coherent, cd, cd_valid());
}

enum uiommu_status smmuv3_cd_forget(struct smmuv3_unit *v,
                                    const struct uiommu_endpoint *endpoint)
{
    struct smmuv3_batch b = { .n = 0 };

    smmuv3_add_cfgi_cd(&b, smmuv3_sid(endpoint), endpoint->pasid);
    return smmuv3_submit(v, &b);
}

/* 5.4: with EPD0 and EPD1 nothing is looked up, and nothing else of the descriptor counts;
 * without R what faults is not recorded, without S none of it waits. The ASID tags nothing
 * of ours: that of the domain may be given to another, whose TLB entries would be hit. */
static uint64_t quiet_word(void)
{
    const struct smmuv3_cd_q0_fields quiet = {
        .v = 1,
        .epd0 = 1,
        .epd1 = 1,
        .aa64 = 1,
        .a = 1,
        .aset = 1,
    };

    return smmuv3_cd_q0_pack(&quiet).raw;
}

bool smmuv3_cd_is_hushed(const uim_word *cd)
{
    return uim_ld64(cd) == quiet_word();
}

enum uiommu_status smmuv3_cd_hush(struct smmuv3_unit *v,
                                  const struct uiommu_endpoint *endpoint,
                                  uim_word *cd)
{
    uim_entry_change(&v->unit, v->coherent, cd, ALL, quiet_word());
    return smmuv3_cd_forget(v, endpoint);
}

/* The bits that differ, from word `first` on. */
static uint64_t differ(const uim_word *cd, const uint64_t *want, unsigned first)
{
    uint64_t bits = 0;

    for (unsigned i = first; i < SMMUV3_CD_WORDS; i++)
        bits |= uim_ld64(&cd[i]) ^ want[i];
    return bits;
}

/* All but word 0, of one that is not valid. */
static enum uiommu_status fill_cd(struct smmuv3_unit *v,
                                  const struct uiommu_endpoint *endpoint,
                                  uim_word *cd, const uint64_t *want)
{
    if (!differ(cd, want, 1))
        return UIOMMU_OK;
    for (unsigned i = 1; i < SMMUV3_CD_WORDS; i++)
        uim_st64(&cd[i], want[i]);
    uim_write_back(&v->unit, v->coherent, cd, SMMUV3_CD_BYTES);
    return smmuv3_cd_forget(v, endpoint);
}

static enum uiommu_status open_cd(struct smmuv3_unit *v,
                                  const struct uiommu_endpoint *endpoint,
                                  uim_word *cd, uint64_t word0)
{
    if (!uim_entry_open(&v->unit, endpoint, v->coherent, cd, word0, cd_valid()))
        return UIOMMU_TIMEDOUT; /* it was cut */
    return smmuv3_cd_forget(v, endpoint);
}

enum uiommu_status smmuv3_cd_replace(struct smmuv3_unit *v,
                                     const struct uiommu_endpoint *endpoint,
                                     uim_word *cd, const uint64_t *want)
{
    enum uiommu_status status = UIOMMU_OK;

    if (!differ(cd, want, 0))
        return UIOMMU_OK;
    if (uim_ld64(cd) & cd_valid()) {
        smmuv3_cd_block(v, cd);
        status = smmuv3_cd_forget(v, endpoint);
    }
    if (status == UIOMMU_OK)
        status = fill_cd(v, endpoint, cd, want);
    if (status == UIOMMU_OK)
        status = open_cd(v, endpoint, cd, want[0]);
    return status;
}
