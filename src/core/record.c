/* SPDX-License-Identifier: MIT */
/*
 * record.c - what one owner of the units tells the next (handover.h).
 */
#include "core/core.h"

#include "base/digest.h"

enum { PAGE = 4096 };

struct record {
    const uint64_t *word; /* little-endian */
    size_t n;
};

#define WORD_OF(member) (offsetof(struct uiommu_record, member) / 8)

enum {
    HEADER_WORDS = sizeof(struct uiommu_record) / 8,
    UNIT_WORDS = sizeof(struct uiommu_record_unit) / 8,
};

static uint64_t word(const struct record *r, size_t i)
{
    return uim_le64(r->word[i]);
}

static uint64_t digest_of(const struct record *r)
{
    uint64_t digest = UIM_DIGEST_START;

    for (size_t i = 0; i < r->n; i++)
        digest = uim_digest(digest, i == WORD_OF(digest) ? 0 : word(r, i));
    return digest;
}

/* ---- check ----------------------------------------------------------------- */

static const char *wrong_with(struct record *r, size_t size)
{
    if (((uintptr_t)r->word & 7) != 0 || size < sizeof(struct uiommu_record) ||
        word(r, WORD_OF(magic)) != UIOMMU_RECORD_MAGIC)
        return "is not one";
    if (word(r, WORD_OF(version)) != UIOMMU_RECORD_VERSION)
        return "has a version that is not known";
    if (word(r, WORD_OF(size)) > size || word(r, WORD_OF(n_units)) > size ||
        word(r, WORD_OF(size)) !=
            (HEADER_WORDS + word(r, WORD_OF(n_units)) * UNIT_WORDS) * 8)
        return "has a wrong size";
    r->n = (size_t)word(r, WORD_OF(size)) / 8;
    if (digest_of(r) != word(r, WORD_OF(digest)))
        return "was changed since it was made";
    return NULL;
}

static const char *other_machine(const struct uiommu *u, const struct record *r)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < u->n_units; i++)
        n += u->unit[i] != NULL;
    return n == word(r, WORD_OF(n_units)) ? NULL
                                          : "has another number of units";
}

static bool record_has(const struct record *r,
                       const struct uiommu_record_unit *unit)
{
    for (size_t i = HEADER_WORDS; i < r->n; i += UNIT_WORDS)
        if (word(r, i) == unit->base)
            return word(r, i + 1) == unit->root &&
                   word(r, i + 2) == unit->interrupts &&
                   word(r, i + 3) == unit->digest;
    return false;
}

static enum uiommu_status check_unit(struct uim_unit *unit,
                                     const struct record *r)
{
    struct uiommu_record_unit now;
    enum uiommu_status status;

    if (!unit->ops->describe) {
        uim_log(unit->u, UIOMMU_LOG_ERROR,
                "%s unit at 0x%lx is in no record: it cannot be handed over",
                unit->driver->name, unit->base);
        return UIOMMU_OPNOTSUPP;
    }
    status = unit->ops->describe(unit, &now);
    if (status != UIOMMU_OK || record_has(r, &now))
        return status;
    uim_log(unit->u, UIOMMU_LOG_ERROR,
            "unit at 0x%lx is not as the record says: its registers or tables "
            "were changed since, or it is of another machine",
            unit->base);
    return UIOMMU_INVAL;
}

enum uiommu_status uim_record_check(struct uiommu *u)
{
    struct record r = { .word = (const uint64_t *)u->config.record };
    const char *wrong;

    if (!r.word)
        return UIOMMU_OK;
    wrong = wrong_with(&r, u->config.record_size);
    if (!wrong)
        wrong = other_machine(u, &r);
    if (wrong) {
        uim_log(u, UIOMMU_LOG_ERROR, "the record of the last owner %s", wrong);
        return UIOMMU_INVAL;
    }
    for (unsigned i = 0; i < u->n_units; i++) {
        enum uiommu_status status = UIOMMU_OK;

        if (u->unit[i])
            status = check_unit(u->unit[i], &r);
        if (status != UIOMMU_OK)
            return status;
    }
    return UIOMMU_OK;
}

enum uiommu_status uim_record_alloc(struct uiommu *u, struct uim_record *b)
{
    unsigned n = 0;

    for (unsigned i = 0; i < u->n_units; i++)
        n += u->unit[i] != NULL;
    b->size = (HEADER_WORDS + (size_t)n * UNIT_WORDS) * 8;
    b->order = 0;
    while ((size_t)PAGE << b->order < b->size)
        b->order++;
    b->word = u->host.pages_alloc(u->host.ctx, b->order, 0, &b->phys);
    return b->word ? UIOMMU_OK : UIOMMU_NOMEM;
}

void uim_record_free(struct uiommu *u, const struct uim_record *b)
{
    u->host.pages_free(u->host.ctx, b->word, b->phys, b->order);
}

/* ---- write ----------------------------------------------------------------- */

static enum uiommu_status describe_units(struct uiommu *u, uint64_t *at)
{
    for (unsigned i = 0; i < u->n_units; i++) {
        struct uiommu_record_unit unit;
        enum uiommu_status status;

        if (!u->unit[i])
            continue;
        status = u->unit[i]->ops->describe(u->unit[i], &unit);
        if (status != UIOMMU_OK)
            return status;
        *at++ = uim_le64(unit.base);
        *at++ = uim_le64(unit.root);
        *at++ = uim_le64(unit.interrupts);
        *at++ = uim_le64(unit.digest);
    }
    return UIOMMU_OK;
}

enum uiommu_status uim_record_write(struct uiommu *u,
                                    const struct uim_record *b,
                                    enum uiommu_hand_over how)
{
    const struct record r = { .word = b->word, .n = b->size / 8 };
    const size_t n_units = (r.n - HEADER_WORDS) / UNIT_WORDS;
    enum uiommu_status status;

    b->word[WORD_OF(magic)] = uim_le64(UIOMMU_RECORD_MAGIC);
    b->word[WORD_OF(version)] = uim_le64(UIOMMU_RECORD_VERSION);
    b->word[WORD_OF(size)] = uim_le64(b->size);
    b->word[WORD_OF(how)] = uim_le64((uint64_t)how);
    b->word[WORD_OF(n_units)] = uim_le64(n_units);
    status = describe_units(u, b->word + HEADER_WORDS);
    b->word[WORD_OF(digest)] = uim_le64(digest_of(&r));
    return status;
}
