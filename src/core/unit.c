/* SPDX-License-Identifier: MIT */
/*
 * unit.c - what every driver needs of a unit.
 */
#include "core/unit.h"

enum {
    PAGE_SIZE = 4096,
    TIMEOUT_DEFAULT_MS = 1000,
    TIMEOUT_MAX_MS = 600000,
};

#define NS_PER_MS UINT64_C(1000000)

/* ---- registers ------------------------------------------------------------- */

bool uim_registers_map(struct uim_unit *unit, size_t size)
{
    const struct uiommu_host *h = unit->host;

    uim_registers_unmap(unit);
    unit->mmio_size = size;
    unit->mmio = h->mmio_map(h->ctx, unit->base, size);
    return unit->mmio != NULL;
}

void uim_registers_unmap(struct uim_unit *unit)
{
    const struct uiommu_host *h = unit->host;

    if (unit->mmio)
        h->mmio_unmap(h->ctx, unit->mmio, unit->mmio_size);
    unit->mmio = NULL;
}

uint32_t uim_rd32(const struct uim_unit *unit, size_t offset)
{
    return unit->host->mmio_read32(unit->host->ctx, unit->mmio, offset);
}

uint64_t uim_rd64(const struct uim_unit *unit, size_t offset)
{
    return unit->host->mmio_read64(unit->host->ctx, unit->mmio, offset);
}

void uim_wr32(const struct uim_unit *unit, size_t offset, uint32_t value)
{
    unit->host->mmio_write32(unit->host->ctx, unit->mmio, offset, value);
}

void uim_wr64(const struct uim_unit *unit, size_t offset, uint64_t value)
{
    unit->host->mmio_write64(unit->host->ctx, unit->mmio, offset, value);
}

/* Lateness is judged before the look: a thread that was away for long between
 * the two finds what happened meanwhile. */
bool uim_wait64(const struct uim_unit *unit, size_t offset, uint64_t mask,
                uint64_t want)
{
    uint64_t start = uim_now(unit);
    bool late;

    for (;;) {
        late = uim_now(unit) - start > unit->timeout_ns;
        if ((uim_rd64(unit, offset) & mask) == want)
            return true;
        if (late)
            return false;
        uim_relax(unit);
    }
}

bool uim_wait32(const struct uim_unit *unit, size_t offset, uint32_t mask,
                uint32_t want)
{
    uint64_t start = uim_now(unit);
    bool late;

    for (;;) {
        late = uim_now(unit) - start > unit->timeout_ns;
        if ((uim_rd32(unit, offset) & mask) == want)
            return true;
        if (late)
            return false;
        uim_relax(unit);
    }
}

/* ---- the host, for this unit ------------------------------------------------- */

uint64_t uim_now(const struct uim_unit *unit)
{
    return unit->host->now_ns(unit->host->ctx);
}

void uim_relax(const struct uim_unit *unit)
{
    if (unit->host->relax)
        unit->host->relax(unit->host->ctx);
}

void uim_spin_lock(const struct uim_unit *unit, void *spin)
{
    unit->host->spin_lock(unit->host->ctx, spin);
}

void uim_spin_unlock(const struct uim_unit *unit, void *spin)
{
    unit->host->spin_unlock(unit->host->ctx, spin);
}

void uim_spin_free(const struct uim_unit *unit, void *spin)
{
    if (spin)
        unit->host->spin_destroy(unit->host->ctx, spin);
}

void uim_message_alloc(const struct uim_unit *unit, unsigned n,
                       const char *what, struct uim_message *out)
{
    const struct uiommu_host *h = unit->host;

    if (!h->msi_alloc)
        return;
    out->given = h->msi_alloc(h->ctx, unit->index, n, &out->addr, &out->data) ==
                 UIOMMU_OK;
    if (!out->given)
        uim_log(unit->u, UIOMMU_LOG_WARN,
                "%s unit at 0x%lx: no message for %s; uiommu_poll() reads them",
                unit->driver->name, unit->base, what);
}

void uim_message_free(const struct uim_unit *unit, unsigned n,
                      const struct uim_message *message)
{
    if (message->given && unit->host->msi_free)
        unit->host->msi_free(unit->host->ctx, unit->index, n);
}

void uim_write_back(const struct uim_unit *unit, bool coherent, const void *p,
                    size_t size)
{
    uim_flush(unit->host, coherent, p, size);
    uim_fence(unit->host);
}

/* In registers and entries of the unit other addresses would be cut short. */
static uim_word *pages_within(const struct uim_unit *unit, unsigned order,
                              unsigned flags, uint64_t *phys)
{
    const struct uiommu_host *h = unit->host;
    uim_word *pages = h->pages_alloc(h->ctx, order, flags, phys);

    if (!pages || *phys >> unit->phys_bits == 0)
        return pages;
    uim_log(unit->u, UIOMMU_LOG_ERROR,
            "%s unit at 0x%lx: pages at 0x%lx are beyond its %u bits",
            unit->driver->name, unit->base, *phys, (unsigned)unit->phys_bits);
    uim_pages_free(unit, pages, *phys, order);
    return NULL;
}

uim_word *uim_pages_alloc(const struct uim_unit *unit, bool coherent,
                          unsigned order, uint64_t *phys)
{
    uim_word *pages = pages_within(unit, order, 0, phys);

    if (pages)
        uim_write_back(unit, coherent, pages, (size_t)PAGE_SIZE << order);
    return pages;
}

uim_word *uim_pages_alloc_read(const struct uim_unit *unit, unsigned order,
                               uint64_t *phys)
{
    return pages_within(unit, order, UIOMMU_PAGES_COHERENT, phys);
}

void uim_pages_free(const struct uim_unit *unit, uim_word *pages, uint64_t phys,
                    unsigned order)
{
    if (pages)
        unit->host->pages_free(unit->host->ctx, pages, phys, order);
}

/* ---- entries ----------------------------------------------------------------- */

static void store(const struct uim_unit *unit, bool coherent, uim_word *word,
                  uint64_t value)
{
    uim_st64(word, value);
    uim_write_back(unit, coherent, word, sizeof(*word));
}

bool uim_entry_open(const struct uim_unit *unit,
                    const struct uiommu_endpoint *endpoint, bool coherent,
                    uim_word *word, uint64_t value, uint64_t open)
{
    bool marked;

    uim_spin_lock(unit, unit->entry_lock);
    marked = atomic_load(&endpoint->quarantined);
    if (atomic_load(&endpoint->muted) || atomic_load(&endpoint->over))
        value &= ~open;
    if (!marked)
        store(unit, coherent, word, value);
    uim_spin_unlock(unit, unit->entry_lock);
    return !marked;
}

void uim_entry_change(const struct uim_unit *unit, bool coherent,
                      uim_word *word, uint64_t clear, uint64_t set)
{
    uint64_t found, value;

    uim_spin_lock(unit, unit->entry_lock);
    found = uim_ld64(word);
    value = (found & ~clear) | set;
    if (value != found)
        store(unit, coherent, word, value);
    uim_spin_unlock(unit, unit->entry_lock);
}

void uim_entry_block(const struct uim_unit *unit, bool coherent, uim_word *word,
                     uint64_t valid)
{
    uim_entry_change(unit, coherent, word, valid, 0);
}

/* ---- giving up --------------------------------------------------------------- */

enum uiommu_status uim_break(struct uim_unit *unit, const char *what)
{
    if (!atomic_exchange(&unit->broken, true))
        uim_log(unit->u, UIOMMU_LOG_ERROR,
                "%s unit at 0x%lx: %s; it is not waited for any more",
                unit->driver->name, unit->base, what);
    return UIOMMU_TIMEDOUT;
}

/* ---- options ----------------------------------------------------------------- */

bool uim_text_is(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

enum uiommu_status uim_timeout_option(uint32_t *ms, const char *value)
{
    uint32_t n = 0;

    for (; *value >= '0' && *value <= '9' && n <= TIMEOUT_MAX_MS; value++)
        n = n * 10 + (uint32_t)(*value - '0');
    if (*value != '\0' || n == 0 || n > TIMEOUT_MAX_MS)
        return UIOMMU_INVAL;
    *ms = n;
    return UIOMMU_OK;
}

uint64_t uim_timeout_ns(uint32_t ms)
{
    return (ms > 0 ? ms : TIMEOUT_DEFAULT_MS) * NS_PER_MS;
}
