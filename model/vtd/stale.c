/* SPDX-License-Identifier: MIT */
/*
 * Is what a cache says still so? Each cache is compared with what it was filled
 * from, given everything above it as the request found it: a stale context entry
 * is reported once, as such, and not again by each cache below.
 *
 * Callers ask mvtd_looks() before: only adversarial units look, and only at
 * entries that answer somebody.
 */
#include "model/vtd/vtd.h"

#include "base/text.h"

static const char *const cache_names[] = {
    [UIM_CHECK_CACHE_CONTEXT] = "context",
    [UIM_CHECK_CACHE_PASID] = "PASID",
    [UIM_CHECK_CACHE_WALK] = "paging-structure",
    [UIM_CHECK_CACHE_IOTLB] = "IOTLB",
    [UIM_CHECK_CACHE_INTERRUPT] = "interrupt",
};

static void say_missing(struct uim_text *text,
                        const struct uim_check_inval *missing)
{
    unsigned did = missing->did;

    switch (missing->kind) {
    case UIM_CHECK_DEVICE:
        uim_text_f(text, "cc_inv device sid=%04x did=%u", missing->rid, did);
        break;
    case UIM_CHECK_PASID:
        uim_text_f(text, "pc_inv pasid did=%u pasid=%u", did, missing->pasid);
        break;
    case UIM_CHECK_PASID_IOTLB:
        uim_text_f(text, "p_iotlb_inv %s did=%u pasid=%u",
                   missing->scope == UIM_CHECK_PAGE ? "page" : "pasid", did,
                   missing->pasid);
        break;
    case UIM_CHECK_INTERRUPT:
        uim_text_f(text, "iec_inv index=%lu", missing->addr);
        break;
    default:
        uim_text_f(text, "iotlb_inv %s did=%u",
                   missing->scope == UIM_CHECK_PAGE ? "page" : "domain", did);
        break;
    }
    if (missing->scope == UIM_CHECK_PAGE)
        uim_text_f(text, " addr=0x%lx am=%u ih=0", missing->addr,
                   (unsigned)missing->am);
}

static void report(struct mvtd *m, const struct mvtd_trip *t,
                   struct uim_check_stale *stale)
{
    char line[240];
    struct uim_text text;

    stale->rid = t->req->rid;
    stale->pasid = t->req->pasid;
    stale->iova = t->req->iova;
    stale->did = stale->missing.did;
    uim_text_init(&text, line, sizeof(line));
    uim_text_f(&text, "vtd: stale %s entry used by %04x",
               cache_names[stale->cache], stale->rid);
    if (mvtd_has_pasid(t->req))
        uim_text_f(&text, " pasid %u", stale->pasid);
    uim_text_f(&text,
               " at 0x%lx: it says 0x%lx, memory 0x%lx; missing: ", stale->iova,
               stale->used, stale->now);
    say_missing(&text, &stale->missing);
    stale->text = line;
    m->counter[MVTD_N_stale_uses]++;
    uim_door_stale(&m->base, stale);
}

static bool differs(const struct mvtd_entry *a, const struct mvtd_entry *b)
{
    if (a->reason != b->reason || a->fpd != b->fpd)
        return true;
    for (unsigned i = 0; !a->reason && i < 4; i++) {
        if (a->raw[i] != b->raw[i])
            return true;
    }
    return false;
}

/* The first word that differs. */
static void show_words(const struct mvtd_entry *used,
                       const struct mvtd_entry *now,
                       struct uim_check_stale *stale)
{
    unsigned i = 0;

    while (i < 3 && used->raw[i] == now->raw[i])
        i++;
    stale->used = used->raw[i];
    stale->now = now->raw[i];
}

void mvtd_check_context(struct mvtd *m, const struct mvtd_trip *t,
                        const struct mvtd_entry *used)
{
    struct mvtd_entry now;
    struct uim_check_stale stale = {
        .cache = UIM_CHECK_CACHE_CONTEXT,
        .missing = { .kind = UIM_CHECK_DEVICE,
                     .scope = UIM_CHECK_ONE,
                     .did = used->did,
                     .rid = t->req->rid & 0xffff,
                     .pasid = UIM_CHECK_NONE },
    };

    mvtd_fetch_context(m, t, true, &now);
    if (!differs(used, &now))
        return;
    show_words(used, &now, &stale);
    report(m, t, &stale);
}

void mvtd_check_pasid(struct mvtd *m, const struct mvtd_trip *t,
                      const struct mvtd_entry *used)
{
    struct mvtd_entry now;
    struct uim_check_stale stale = {
        .cache = UIM_CHECK_CACHE_PASID,
        .missing = { .kind = UIM_CHECK_PASID,
                     .scope = UIM_CHECK_ONE,
                     .did = used->did,
                     .rid = UIM_CHECK_NONE,
                     .pasid = t->pasid },
    };

    mvtd_fetch_pasid(m, t, true, &now);
    if (!differs(used, &now))
        return;
    show_words(used, &now, &stale);
    report(m, t, &stale);
}

/* By page: what removes a walk or IOTLB entry of this kind. */
static struct uim_check_inval page_command(const struct mvtd_trip *t,
                                           enum mvtd_kind kind, uint64_t iova,
                                           unsigned lg2)
{
    struct uim_check_inval c = { .kind = UIM_CHECK_IOTLB,
                                 .scope = UIM_CHECK_PAGE,
                                 .did = t->did,
                                 .rid = UIM_CHECK_NONE,
                                 .pasid = UIM_CHECK_NONE,
                                 .addr = iova,
                                 .am = (uint8_t)(lg2 - MVTD_PAGE_LG2) };

    if (kind == MVTD_FS || (kind == MVTD_PT && t->scalable)) {
        c.kind = UIM_CHECK_PASID_IOTLB;
        c.pasid = t->pasid;
    }
    if (kind == MVTD_PT)
        c.scope = t->scalable ? UIM_CHECK_ONE : UIM_CHECK_DOMAIN;
    return c;
}

/* Rights down to `level` as memory gives them now. */
static struct uim_walk_entry entry_now(const struct mvtd_trip *t,
                                       const struct uim_walk_result *now,
                                       unsigned level)
{
    struct uim_walk_entry all = { .read = true, .write = true, .user = true };

    for (unsigned n = t->walk.top; n + 1 > level; n--) {
        struct uim_walk_entry e = uim_walk_decode(&t->walk, n, now->entry[n]);

        all.read &= e.read;
        all.write &= e.write;
        all.user &= e.user;
        if (n == level) {
            e.read = all.read;
            e.write = all.write;
            e.user = all.user;
            return e;
        }
    }
    return all;
}

void mvtd_check_walk(struct mvtd *m, const struct mvtd_trip *t,
                     const struct mvtd_walk_slot *used)
{
    struct uim_walk_result now;
    struct uim_walk_entry e = { .kind = UIM_WALK_HOLE };
    struct uim_check_stale stale = {
        .cache = UIM_CHECK_CACHE_WALK,
        .level = used->level,
        .used = used->raw,
    };

    mvtd_walk_again(m, t, &now);
    if (now.level <= used->level) {
        e = entry_now(t, &now, used->level);
        stale.now = now.entry[used->level];
    }
    if (e.kind == UIM_WALK_TABLE && e.address == used->table &&
        e.read == used->read && e.write == used->write && e.user == used->user)
        return;
    stale.missing = page_command(t, t->kind, used->iova, used->lg2);
    report(m, t, &stale);
}

/* What a walk, or pass-through, would say now. */
static struct mvtd_leaf leaf_now(struct mvtd *m, const struct mvtd_trip *t)
{
    struct mvtd_leaf leaf = { .kind = (uint8_t)t->kind, .lg2 = MVTD_PAGE_LG2 };
    struct uim_walk_result now;

    if (t->kind == MVTD_PT)
        return mvtd_identity(t);
    mvtd_walk_again(m, t, &now);
    if (now.end.kind == UIM_WALK_RESERVED)
        leaf.reason = t->reasons->reserved;
    if (now.end.kind != UIM_WALK_LEAF || (!now.end.read && !now.end.write))
        return leaf;
    leaf.gpa = now.end.address;
    leaf.lg2 = now.end.lg2;
    leaf.read = now.end.read;
    leaf.write = now.end.write;
    leaf.user = now.end.user;
    leaf.dirty = now.end.dirty;
    leaf.snoop = mvtd_leaf_snoop(m, t, now.entry[now.level]);
    return leaf;
}

static uint64_t page_and_rights(const struct mvtd_leaf *leaf)
{
    return leaf->gpa | (leaf->read ? (uint64_t)UIM_MODEL_R : 0) |
           (leaf->write ? (uint64_t)UIM_MODEL_W : 0);
}

static bool same_answer(const struct mvtd_trip *t, const struct mvtd_leaf *a,
                        const struct mvtd_leaf *now)
{
    uint64_t in_a = t->req->iova & (UIM_BIT(a->lg2) - 1);
    uint64_t in_now = t->req->iova & (UIM_BIT(now->lg2) - 1);

    if (a->reason != now->reason || a->read != now->read ||
        a->write != now->write || a->snoop != now->snoop)
        return false;
    if (a->reason || (!a->read && !a->write))
        return true;
    if (a->lg2 > now->lg2 || a->gpa + in_a != now->gpa + in_now)
        return false;
    if (t->kind != MVTD_FS)
        return true;
    /* D that software cleared would not be set again. */
    return a->user == now->user && (!a->dirty || now->dirty);
}

void mvtd_check_tlb(struct mvtd *m, const struct mvtd_trip *t,
                    const struct mvtd_tlb_slot *used)
{
    struct uim_check_stale stale = { .cache = UIM_CHECK_CACHE_IOTLB };
    struct mvtd_leaf now;

    now = leaf_now(m, t);
    if (same_answer(t, &used->leaf, &now))
        return;
    stale.used = page_and_rights(&used->leaf);
    stale.now = page_and_rights(&now);
    stale.missing = page_command(t, (enum mvtd_kind)used->leaf.kind, used->iova,
                                 used->leaf.lg2);
    report(m, t, &stale);
}

/* Of an entry that is not present only FPD says anything. */
static bool irte_differs(const uint64_t a[2], const uint64_t b[2])
{
    const struct vtd_irte_remapped_lo x = { a[0] }, y = { b[0] };

    if (vtd_irte_remapped_lo_p(x) || vtd_irte_remapped_lo_p(y))
        return a[0] != b[0] || a[1] != b[1];
    return vtd_irte_remapped_lo_fpd(x) != vtd_irte_remapped_lo_fpd(y);
}

void mvtd_check_irte(struct mvtd *m, const struct mvtd_trip *t, unsigned index,
                     const struct mvtd_irte_slot *used)
{
    uint64_t now[2] = { 0, 0 };
    struct uim_check_stale stale = {
        .cache = UIM_CHECK_CACHE_INTERRUPT,
        .missing = { .kind = UIM_CHECK_INTERRUPT,
                     .scope = UIM_CHECK_ONE,
                     .did = UIM_CHECK_NONE,
                     .rid = UIM_CHECK_NONE,
                     .pasid = UIM_CHECK_NONE,
                     .addr = index },
    };
    unsigned word;

    (void)mvtd_fetch_irte(m, index, true, now);
    if (!irte_differs(used->raw, now))
        return;
    word = used->raw[0] == now[0];
    stale.used = used->raw[word];
    stale.now = now[word];
    report(m, t, &stale);
}
