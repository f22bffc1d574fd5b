/* SPDX-License-Identifier: MIT */
/*
 * audit_map.c - memory that tables name, and the page tables of a domain by the walker of
 * src/walk: from the lowest address on, each step past what the last one found, and in
 * the tables that led there: an entry is read once.
 *
 * A domain's tables are all that says what it maps, so what is judged is what the domain
 * cannot have: addresses beyond its own, bits that no entry has, tables inside
 * themselves, and leaves that may be written and reach a table on the way to them, or
 * what the driver says is the unit's own. Other tables are not looked for.
 */
#include "core/audit.h"

#include "base/bits.h"
#include "pt/guard.h"

enum { PAGE_SIZE = 4096 };

#define DOMAIN_WORDS (UINT64_C(1) << 20)

/* ---- memory ------------------------------------------------------------------ */

static void close_view(struct uim_audit_reader *r, unsigned i)
{
    if (r->view[i].virt)
        r->host->memory_unmap(r->host->ctx, r->view[i].virt, PAGE_SIZE);
    r->view[i].virt = NULL;
}

void uim_audit_close(struct uim_audit_reader *r)
{
    for (unsigned i = 0; i < UIM_AUDIT_VIEWS; i++)
        close_view(r, i);
}

/* Tables are read from one end to the other, so that those above stay in view. */
static unsigned oldest_view(const struct uim_audit_reader *r)
{
    unsigned oldest = 0;

    for (unsigned i = 1; i < UIM_AUDIT_VIEWS; i++)
        if (r->clock - r->view[i].used > r->clock - r->view[oldest].used)
            oldest = i;
    return oldest;
}

static unsigned open_view(struct uim_audit_reader *r, uint64_t page)
{
    const unsigned i = oldest_view(r);

    close_view(r, i);
    r->view[i].phys = page;
    r->view[i].virt = r->host->memory_map(r->host->ctx, page, PAGE_SIZE);
    if (!r->view[i].virt)
        r->unmapped = true;
    return i;
}

static const void *view_of(struct uim_audit_reader *r, uint64_t page)
{
    unsigned i = 0;

    while (i < UIM_AUDIT_VIEWS && !(r->view[i].virt && r->view[i].phys == page))
        i++;
    if (i == UIM_AUDIT_VIEWS)
        i = open_view(r, page);
    r->view[i].used = ++r->clock;
    return r->view[i].virt;
}

bool uim_audit_read(void *reader, uint64_t phys, uint64_t *value)
{
    struct uim_audit_reader *r = reader;
    const uim_word *page;

    if (r->left == 0)
        return false;
    r->left--;
    page = view_of(r, uim_align_down(phys, PAGE_SIZE));
    if (!page)
        return false;
    *value = uim_ld64(&page[phys % PAGE_SIZE / sizeof(*page)]);
    return true;
}

/* ---- one entry ----------------------------------------------------------------- */

static bool in_window(const struct uiommu_domain *d, uint64_t first,
                      uint64_t last)
{
    return first <= d->window_last && last >= d->window_first;
}

/* In the window that is kept for them. */
static bool is_doorbell(const struct uiommu_domain *d, uint64_t first,
                        const struct uim_walk_entry *end)
{
    return first >= d->kept_first && first <= d->kept_last &&
           UIM_BIT(end->lg2) == d->page_mask + 1 &&
           uim_doorbell_is(d, first, end->address);
}

/* Does the leaf reach a table by way of which it was found? */
static bool reaches_tables(const struct uim_sight *sight,
                           const struct uim_walk_result *at)
{
    const uint64_t size = UIM_BIT(at->end.lg2);

    if (!at->end.write)
        return false;
    for (unsigned level = at->level; level <= sight->params.top; level++)
        if (at->entry_phys[level] - at->end.address < size)
            return true;
    return sight->phys - at->end.address < size;
}

static bool reaches_unit(const struct uim_unit_audit *unit,
                         const struct uim_walk_result *at)
{
    const uint64_t last = at->end.address + (UIM_BIT(at->end.lg2) - 1);

    for (unsigned i = 0; at->end.write && i < UIM_UNIT_OWN; i++) {
        const struct uim_unit_own *own = &unit->own[i];

        if (own->size > 0 && own->phys <= last &&
            own->phys + (own->size - 1) >= at->end.address)
            return true;
    }
    return false;
}

static const char *leaf_wrong(const struct uim_unit_audit *unit,
                              const struct uiommu_domain *d,
                              const struct uim_sight *sight, uint64_t iova,
                              const struct uim_walk_result *at)
{
    const uint64_t rest = UIM_MASK(at->end.lg2 - 1u, 0);
    const uint64_t first = iova & ~rest;

    if ((first | rest) > d->last_iova ||
        (in_window(d, first, first | rest) && !is_doorbell(d, first, &at->end)))
        return "an address that the domain does not have is mapped";
    if ((at->end.address | rest) > d->last_phys)
        return "memory is mapped that the domain cannot have";
    if (reaches_tables(sight, at))
        return "it may write to the very tables that lead there";
    if (reaches_unit(unit, at))
        return "it may write to the root, a queue or the interrupt table of "
               "its unit";
    return NULL;
}

/* A table that is found inside itself. */
static bool is_loop(const struct uim_walk_params *params,
                    const struct uim_walk_result *at)
{
    const uint64_t table = UIM_MASK(params->format->page_lg2 - 1u, 0);

    for (unsigned low = at->level; low < params->top; low++)
        for (unsigned high = low + 1; high <= params->top; high++)
            if (((at->entry_phys[low] ^ at->entry_phys[high]) & ~table) == 0)
                return true;
    return false;
}

/* What is wrong at iova; CONFINED: nothing. */
static enum uiommu_audit_kind
judge(const struct uim_unit_audit *unit, const struct uiommu_domain *d,
      const struct uim_sight *sight, uint64_t iova,
      const struct uim_walk_result *at, const char **what)
{
    if (at->end.kind == UIM_WALK_FETCH) {
        *what = "a page table lies where the host has no memory";
        return UIOMMU_AUDIT_UNREADABLE;
    }
    if (is_loop(&sight->params, at)) {
        *what = "a page table leads to itself";
        return UIOMMU_AUDIT_DAMAGED;
    }
    if (at->end.kind == UIM_WALK_RESERVED) {
        *what = "an entry of its page tables has bits set that have to be 0";
        return UIOMMU_AUDIT_DAMAGED;
    }
    if (at->end.kind == UIM_WALK_LEAF)
        *what = leaf_wrong(unit, d, sight, iova, at);
    return *what ? UIOMMU_AUDIT_MAPPING : UIOMMU_AUDIT_CONFINED;
}

/* ---- all of them ----------------------------------------------------------------- */

static unsigned width_of(const struct uim_walk_params *params)
{
    return params->input_bits ? params->input_bits
                              : uim_walk_shift(params, params->top + 1u);
}

/* The first address behind what was found at iova; 0: there is none. */
static uint64_t behind(const struct uim_walk_params *params, uint64_t iova,
                       const struct uim_walk_result *at)
{
    unsigned lg2 = uim_walk_shift(params, at->level);

    if (at->end.kind == UIM_WALK_WIDTH)
        return params->format->canonical && iova >> 63 == 0
                   ? ~UINT64_C(0) << (width_of(params) - 1)
                   : 0;
    if (at->end.kind == UIM_WALK_LEAF)
        lg2 = at->end.lg2;
    return uim_align_down(iova, UIM_BIT(lg2)) + UIM_BIT(lg2);
}

static void look(const struct uim_unit_audit *unit, struct uiommu_domain *d,
                 const struct uim_sight *sight, struct uim_audit_reader *reader)
{
    const struct uim_walk_params *params = &sight->params;
    struct uim_mappings *m = &d->audited;
    struct uim_walk_result at = { .level = params->top };
    uint64_t from = m->iova;

    do {
        uim_walk_on(params, uim_audit_read, reader, sight->root, from, m->iova,
                    &at);
        from = m->iova;
        m->kind = judge(unit, d, sight, m->iova, &at, &m->what);
        if (m->kind == UIOMMU_AUDIT_CONFINED)
            m->iova = behind(params, m->iova, &at);
    } while (m->kind == UIOMMU_AUDIT_CONFINED && m->iova != 0);
    if (m->kind != UIOMMU_AUDIT_UNREADABLE || reader->left > 0)
        return;
    m->kind = UIOMMU_AUDIT_UNFINISHED;
    m->what = "reading ends: there are more tables than are read";
}

/* Each entry of the tables that it has, twice, as some may come meanwhile. */
static uint64_t words_of(struct uiommu_domain *d, const struct uim_sight *sight)
{
    const uint64_t tables =
        atomic_load_explicit(&d->pt.tables, memory_order_relaxed);

    return DOMAIN_WORDS + (tables << (sight->params.format->page_lg2 - 2));
}

/* Tables that are taken out meanwhile stay for as long as a slot is taken. */
void uim_audit_mappings(const struct uim_unit_audit *unit,
                        struct uiommu_domain *domain,
                        const struct uim_sight *sight,
                        struct uim_audit_reader *reader, uint32_t turn)
{
    struct uim_pt_slot spare, *slot;
    const uint64_t left = reader->left;

    if (domain->audited.turn == turn)
        return;
    domain->audited = (struct uim_mappings){ .turn = turn };
    reader->left = words_of(domain, sight);
    slot = uim_pt_enter(&domain->pt, &spare);
    look(unit, domain, sight, reader);
    uim_audit_close(reader);
    (void)uim_pt_exit(&domain->pt, slot, UIOMMU_OK);
    reader->left = left;
}
