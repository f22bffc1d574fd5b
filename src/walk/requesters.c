/* SPDX-License-Identifier: MIT */
/*
 * requesters.c - entries found by a number, whatever unit they are of. What their words
 * mean is in requesters_vtd.c and requesters_smmuv3.c.
 */
#include "walk/requesters.h"

#include "base/bits.h"

enum { WORD_LG2 = 3, PAGE_LG2 = 12 };

/* ---- by a number ----------------------------------------------------------- */

static unsigned span_of(const struct uim_walk_link *link, uint64_t word)
{
    return (unsigned)(word & link->span);
}

/* Is entry `low` in the table behind the link? */
static bool in_span(const struct uim_walk_link *link, uint64_t word,
                    uint32_t low)
{
    unsigned span = span_of(link, word);

    if (link->span == 0)
        return true;
    return span > 0 && (span > 32 || (uint64_t)low >> (span - 1) == 0);
}

static enum uim_walk_found follow(const struct uim_walk_index *index,
                                  uim_walk_read read, void *ctx, uint32_t n,
                                  uint64_t *table)
{
    const struct uim_walk_link *link = index->link;
    uint32_t low = n & (uint32_t)(UIM_BIT(index->low_bits) - 1);
    uint64_t at = index->root + ((uint64_t)(n >> index->low_bits) << link->lg2);
    uint64_t word;

    if (!read(ctx, at, &word))
        return UIM_WALK_UNREAD;
    if (!(word & link->present) || !in_span(link, word, low))
        return UIM_WALK_ABSENT;
    *table = word & link->next;
    return UIM_WALK_FOUND;
}

enum uim_walk_found uim_walk_entry_of(const struct uim_walk_index *index,
                                      uim_walk_read read, void *ctx, uint32_t n,
                                      uint64_t *words, uint64_t *phys)
{
    uint32_t low = n;
    uint64_t table = index->root;
    enum uim_walk_found found = UIM_WALK_FOUND;

    if ((uint64_t)n >> index->bits != 0)
        return UIM_WALK_ABSENT;
    if (index->link) {
        low &= (uint32_t)(UIM_BIT(index->low_bits) - 1);
        found = follow(index, read, ctx, n, &table);
    }
    if (found != UIM_WALK_FOUND)
        return found;
    *phys = table + ((uint64_t)low << index->entry_lg2);
    for (unsigned i = 0; i < 1u << (index->entry_lg2 - WORD_LG2); i++)
        if (!read(ctx, *phys + i * sizeof(uint64_t), &words[i]))
            return UIM_WALK_UNREAD;
    return UIM_WALK_FOUND;
}

/* What cannot be read is a page: of entries at least. */
uint64_t uim_walk_skip(const struct uim_walk_index *index,
                       enum uim_walk_found found, uint32_t n)
{
    unsigned bits = 0;
    uint64_t next;

    if (found == UIM_WALK_UNREAD)
        bits = PAGE_LG2 - index->entry_lg2;
    if (index->link && (found == UIM_WALK_ABSENT || bits > index->low_bits))
        bits = index->low_bits;
    next = uim_align_down(n, UIM_BIT(bits)) + UIM_BIT(bits);
    return next >> index->bits != 0 ? UIM_BIT(index->bits) : next;
}

/* ---- requesters ------------------------------------------------------------ */

void uim_requester_pasid(const struct uim_requesters *t, uim_walk_read read,
                         void *ctx, const struct uim_requester *r,
                         uint32_t pasid, struct uim_sight *out)
{
    uint64_t words[UIM_ENTRY_WORDS], phys = 0;

    *out = (struct uim_sight){ .kind = UIM_SIGHT_NOTHING };
    switch (uim_walk_entry_of(&r->pasids, read, ctx, pasid, words, &phys)) {
    case UIM_WALK_FOUND:
        t->format->decode_pasid(t, words, out);
        break;
    case UIM_WALK_UNREAD:
        out->kind = UIM_SIGHT_UNREAD;
        break;
    case UIM_WALK_ABSENT:
        break;
    }
    out->phys = phys;
}

void uim_requester_read(const struct uim_requesters *t, uim_walk_read read,
                        void *ctx, uint32_t id, struct uim_requester *out)
{
    uint64_t words[UIM_ENTRY_WORDS], phys = 0;

    *out = (struct uim_requester){ .own = { .kind = UIM_SIGHT_NOTHING } };
    switch (uim_walk_entry_of(&t->ids, read, ctx, id, words, &phys)) {
    case UIM_WALK_FOUND:
        t->format->decode(t, words, out);
        break;
    case UIM_WALK_UNREAD:
        out->own.kind = UIM_SIGHT_UNREAD;
        break;
    case UIM_WALK_ABSENT:
        break;
    }
    if (out->own_below)
        uim_requester_pasid(t, read, ctx, out, out->own_pasid, &out->own);
    else
        out->own.phys = phys;
}

bool uim_requester_next(const struct uim_requesters *t, uim_walk_read read,
                        void *ctx, const struct uim_requester *r,
                        uint32_t *pasid, struct uim_sight *out)
{
    uint64_t words[UIM_ENTRY_WORDS], phys, n = *pasid;

    while (r->with_pasid && n >> r->pasids.bits == 0) {
        uint32_t at = (uint32_t)n;
        enum uim_walk_found found =
            uim_walk_entry_of(&r->pasids, read, ctx, at, words, &phys);

        n = uim_walk_skip(&r->pasids, found, at);
        if (found == UIM_WALK_ABSENT || (r->own_below && at == r->own_pasid))
            continue;
        uim_requester_pasid(t, read, ctx, r, at, out);
        if (out->kind == UIM_SIGHT_NOTHING)
            continue;
        *pasid = at;
        return true;
    }
    return false;
}
