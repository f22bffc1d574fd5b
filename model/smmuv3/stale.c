/* SPDX-License-Identifier: MIT */
/*
 * Is what a cache says still so? Each cache is compared with what it was filled
 * from, given everything above it as the transaction found it: a stale STE is
 * reported once, as such, and not again by each cache below.
 *
 * Callers ask msmmu_looks() before: only adversarial units look, and only at
 * entries that answer somebody.
 */
#include "model/smmuv3/smmuv3.h"

#include "base/mem.h"
#include "base/text.h"

static const char *const cache_names[] = {
    [UIM_CHECK_CACHE_CONTEXT] = "STE",
    [UIM_CHECK_CACHE_PASID] = "CD",
    [UIM_CHECK_CACHE_WALK] = "walk cache",
    [UIM_CHECK_CACHE_IOTLB] = "TLB",
};

static void say_page(struct uim_text *text,
                     const struct uim_check_inval *missing)
{
    uim_text_f(text, " addr=0x%lx pages=%lu leaf=%u", missing->addr,
               missing->pages, (unsigned)missing->leaf_only);
}

static void say_missing(struct uim_text *text,
                        const struct uim_check_inval *missing)
{
    unsigned leaf = missing->leaf_only, vmid = missing->did >> 16;

    switch (missing->kind) {
    case UIM_CHECK_DEVICE:
        uim_text_f(text, "CFGI_STE sid=%04x leaf=%u", missing->rid, leaf);
        break;
    case UIM_CHECK_PASID:
        uim_text_f(text, "CFGI_CD sid=%04x ssid=%u leaf=%u", missing->rid,
                   missing->pasid, leaf);
        break;
    case UIM_CHECK_PASID_IOTLB:
        uim_text_f(text, "TLBI_NH_VA vmid=%u asid=%u", vmid,
                   missing->did & 0xffff);
        say_page(text, missing);
        break;
    default:
        uim_text_f(text, "TLBI_S2_IPA vmid=%u", vmid);
        say_page(text, missing);
        break;
    }
}

static void report(struct msmmu *m, const struct msmmu_trip *t,
                   struct uim_check_stale *stale)
{
    char line[240];
    struct uim_text text;

    stale->rid = t->req->rid;
    stale->pasid = t->req->pasid;
    stale->iova = t->req->iova;
    stale->did = stale->missing.did;
    uim_text_init(&text, line, sizeof(line));
    uim_text_f(&text, "smmuv3: stale %s entry used by %04x",
               cache_names[stale->cache], stale->rid);
    if (msmmu_has_ssid(t->req))
        uim_text_f(&text, " ssid %u", stale->pasid);
    uim_text_f(&text,
               " at 0x%lx: it says 0x%lx, memory 0x%lx; missing: ", stale->iova,
               stale->used, stale->now);
    say_missing(&text, &stale->missing);
    stale->text = line;
    m->counter[MSMMU_N_stale_uses]++;
    uim_door_stale(&m->base, stale);
}

/* ---- configuration ----------------------------------------------------------- */

static struct uim_check_inval config_command(const struct msmmu_trip *t,
                                             bool cd, bool leaf)
{
    return (struct uim_check_inval){
        .kind = cd ? UIM_CHECK_PASID : UIM_CHECK_DEVICE,
        .scope = UIM_CHECK_ONE,
        .did = UIM_CHECK_NONE,
        .rid = t->req->rid,
        .pasid = cd ? t->cd_index : UIM_CHECK_NONE,
        .leaf_only = leaf,
    };
}

static void compare_words(struct msmmu *m, const struct msmmu_trip *t, bool cd,
                          const uint64_t *used, const uint64_t *now)
{
    struct uim_check_stale stale = {
        .cache = cd ? UIM_CHECK_CACHE_PASID : UIM_CHECK_CACHE_CONTEXT,
        .missing = config_command(t, cd, true),
    };
    unsigned i = 0;

    while (i < MSMMU_WORDS && used[i] == now[i])
        i++;
    if (i == MSMMU_WORDS)
        return;
    stale.used = used[i];
    stale.now = now[i];
    report(m, t, &stale);
}

/* Of an entry that is not valid nothing else counts; of one that cannot be fetched
 * any more nothing does. */
void msmmu_check_ste(struct msmmu *m, const struct msmmu_trip *t)
{
    struct msmmu_trip now = *t;
    const uint64_t v =
        smmuv3_ste_q0_pack(&(struct smmuv3_ste_q0_fields){ .v = 1 }).raw;

    now.again = true;
    memset(now.ste, 0, sizeof(now.ste));
    (void)msmmu_fetch_ste(m, &now);
    if ((t->ste[0] | now.ste[0]) & v)
        compare_words(m, t, false, t->ste, now.ste);
}

void msmmu_check_cd(struct msmmu *m, const struct msmmu_trip *t)
{
    struct msmmu_trip now = *t;
    const uint64_t v =
        smmuv3_cd_q0_pack(&(struct smmuv3_cd_q0_fields){ .v = 1 }).raw;

    now.again = true;
    memset(now.cd, 0, sizeof(now.cd));
    (void)msmmu_fetch_cd(m, &now);
    if ((t->cd[0] | now.cd[0]) & v)
        compare_words(m, t, true, t->cd, now.cd);
}

void msmmu_check_l1(struct msmmu *m, const struct msmmu_trip *t, uint64_t tag1,
                    uint64_t at, uint64_t used)
{
    struct uim_check_stale stale = {
        .cache = tag1 ? UIM_CHECK_CACHE_PASID : UIM_CHECK_CACHE_CONTEXT,
        .level = 1,
        .used = used,
        .missing = config_command(t, tag1 != 0, false),
    };

    if (!uim_door_read(&m->base, at, &stale.now, 1, true, true))
        stale.now = 0;
    if (stale.now != used)
        report(m, t, &stale);
}

/* ---- translations -------------------------------------------------------------- */

static struct uim_check_inval page_command(const struct msmmu_trip *t,
                                           const struct msmmu_stage *s,
                                           uint64_t address, unsigned lg2,
                                           bool leaf)
{
    return (struct uim_check_inval){
        .kind = s->second ? UIM_CHECK_IOTLB : UIM_CHECK_PASID_IOTLB,
        .scope = UIM_CHECK_PAGE,
        .did = (uint32_t)t->vmid << 16 | (s->second ? 0u : t->asid),
        .rid = UIM_CHECK_NONE,
        .pasid = UIM_CHECK_NONE,
        .addr = address,
        .pages = UIM_BIT(lg2 - MSMMU_PAGE_LG2),
        .am = (uint8_t)(lg2 - MSMMU_PAGE_LG2),
        .leaf_only = leaf,
    };
}

void msmmu_check_walk(struct msmmu *m, const struct msmmu_trip *t,
                      const struct msmmu_stage *s, uint64_t address,
                      const struct msmmu_walk_slot *used)
{
    struct msmmu_walk_slot now = { .raw = 0 };
    struct uim_check_stale stale = {
        .cache = UIM_CHECK_CACHE_WALK,
        .level = used->level,
        .used = used->raw,
        .missing = page_command(t, s, used->address, used->lg2, false),
    };

    if (msmmu_table_again(m, t, s, address, used->level, &now) &&
        now.table == used->table && now.rights == used->rights)
        return;
    stale.now = now.raw;
    report(m, t, &stale);
}

static uint64_t page_and_rights(const struct msmmu_trip *t,
                                const struct msmmu_leaf *leaf)
{
    return leaf->out | msmmu_rights(t, leaf);
}

/* Dirty state that software took back would not be set again. */
static bool same_answer(uint64_t address, const struct msmmu_leaf *a,
                        const struct msmmu_leaf *now)
{
    uint64_t in_a = address & (UIM_BIT(a->lg2) - 1);
    uint64_t in_now = address & (UIM_BIT(now->lg2) - 1);

    return a->lg2 <= now->lg2 && a->out + in_a == now->out + in_now &&
           a->rights == now->rights && a->rights2 == now->rights2 &&
           a->global == now->global && (a->clean || !now->clean) &&
           (a->clean2 || !now->clean2);
}

bool msmmu_check_tlb(struct msmmu *m, const struct msmmu_trip *t,
                     const struct msmmu_stage *s, uint64_t address,
                     const struct msmmu_tlb_slot *used)
{
    struct uim_check_stale stale = {
        .cache = UIM_CHECK_CACHE_IOTLB,
        .used = page_and_rights(t, &used->leaf),
        .missing = page_command(t, s, used->address, used->leaf.lg2, true),
    };
    struct msmmu_leaf now;
    unsigned event = msmmu_find_again(m, t, s, address, &now);

    if (event || !same_answer(address, &used->leaf, &now)) {
        if (!event)
            stale.now = page_and_rights(t, &now);
        report(m, t, &stale);
    }
    return !event && m->args.bbml < SMMUV3_BBML_LEVEL_2 &&
           now.lg2 != used->leaf.lg2;
}
