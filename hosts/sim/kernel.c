/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - processes, their page tables, and telling devices of what goes.
 */
#include "hosts/sim/kernel.h"

#include <endian.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/sim/sim.h"

enum {
    VA_BITS = 48,
    AREAS = 64,
    KERNEL_SLOT = 256, /* of the root: KERNEL_HALF */
};

/* Intel SDM 3A, 4.5. */
#define X86_P    (UINT64_C(1) << 0)
#define X86_W    (UINT64_C(1) << 1)
#define X86_U    (UINT64_C(1) << 2)
#define X86_A    (UINT64_C(1) << 5)
#define X86_D    (UINT64_C(1) << 6)
#define X86_NX   (UINT64_C(1) << 63)
#define X86_ADDR UINT64_C(0x000ffffffffff000)

/* Arm DDI0487, D8.3. */
#define ARM_VALID (UINT64_C(1) << 0)
#define ARM_TABLE (UINT64_C(1) << 1) /* and a page, at level 0 here */
#define ARM_USER  (UINT64_C(1) << 6)
#define ARM_RO    (UINT64_C(1) << 7)
#define ARM_ISH   (UINT64_C(3) << 8)
#define ARM_AF    (UINT64_C(1) << 10)
#define ARM_NG    (UINT64_C(1) << 11)
#define ARM_DIRTY (UINT64_C(1) << 55) /* for software: nobody else says */
#define ARM_PXN   (UINT64_C(1) << 53)
#define ARM_UXN   (UINT64_C(1) << 54)
#define ARM_ADDR  UINT64_C(0x0000fffffffff000)

/* WB, WT, UC-, UC, twice; attribute 0 is Write-Back, Write-Allocate. */
#define X86_PAT  UINT64_C(0x0007040600070406)
#define ARM_MAIR UINT64_C(0xff)

struct area {
    uint64_t va;
    unsigned n; /* pages; 0: not in use */
    unsigned prot;
    bool copy;
};

struct kernel_process {
    struct kernel *k;
    struct kernel_process *next;
    pthread_mutex_t lock;
    uint64_t root;
    struct area area[AREAS];
    struct uiommu_provider *provider;
    unsigned released, served;
    bool gone;
    bool kept; /* its memory: nobody confirmed that it ended */
};

struct kernel {
    struct machine *m;
    bool arm;
    unsigned page_lg2; /* of tables, too */
    pthread_mutex_t lock; /* processes, the kernel's half */
    struct kernel_process *first;
    uint64_t shared[3]; /* x86: its tables of levels 2, 1, 0 */
    uint64_t page;      /* behind them */
};

/* ---- memory ------------------------------------------------------------------- */

static uint64_t page_size(const struct kernel *k)
{
    return UINT64_C(1) << k->page_lg2;
}

static uint64_t new_page(struct kernel *k)
{
    uint64_t phys = sim_ram_alloc(k->m, page_size(k));

    if (phys == 0)
        abort();
    memset(sim_ram(k->m, phys, page_size(k)), 0, page_size(k));
    return phys;
}

static void free_page(struct kernel *k, uint64_t phys)
{
    sim_ram_free(k->m, phys, page_size(k));
}

static unsigned entries_lg2(const struct kernel *k)
{
    return k->page_lg2 - 3;
}

static unsigned top_level(const struct kernel *k)
{
    return (VA_BITS - k->page_lg2 - 1) / entries_lg2(k);
}

static uint64_t *entry_at(struct kernel *k, uint64_t table, unsigned index)
{
    return (uint64_t *)sim_ram(k->m, table, page_size(k)) + index;
}

/* Units read entries, and set bits of them, at any time. */
static uint64_t load(const uint64_t *e)
{
    return le64toh(__atomic_load_n(e, __ATOMIC_SEQ_CST));
}

static void store(uint64_t *e, uint64_t value)
{
    __atomic_store_n(e, htole64(value), __ATOMIC_SEQ_CST);
}

static uint64_t take(uint64_t *e)
{
    return le64toh(__atomic_exchange_n(e, 0, __ATOMIC_SEQ_CST));
}

/* ---- entries -------------------------------------------------------------------- */

static bool is_present(uint64_t e)
{
    return (e & 1) != 0; /* of both */
}

static uint64_t address_of(const struct kernel *k, uint64_t e)
{
    return e & (k->arm ? ARM_ADDR : X86_ADDR);
}

static uint64_t table_entry(const struct kernel *k, uint64_t phys)
{
    return k->arm ? phys | ARM_VALID | ARM_TABLE : phys | X86_P | X86_W | X86_U;
}

static uint64_t leaf_entry(const struct kernel *k, uint64_t phys, unsigned prot)
{
    const bool write = prot & UIOMMU_WRITE, exec = prot & UIOMMU_EXEC;

    if (!k->arm)
        return phys | X86_P | X86_U | (write ? X86_W : 0) | (exec ? 0 : X86_NX);
    return phys | ARM_VALID | ARM_TABLE | ARM_ISH | ARM_AF | ARM_NG | ARM_PXN |
           (prot & UIOMMU_READ ? ARM_USER : 0) | (write ? ARM_DIRTY : ARM_RO) |
           (exec ? 0 : ARM_UXN);
}

static bool may_write(const struct kernel *k, uint64_t e)
{
    return k->arm ? !(e & ARM_RO) : (e & X86_W) != 0;
}

static unsigned index_of(const struct kernel *k, uint64_t va, unsigned level)
{
    const unsigned n = 1u << entries_lg2(k);

    return (unsigned)(va >> (k->page_lg2 + entries_lg2(k) * level)) % n;
}

/* The leaf entry of va; NULL: there is no table, and none is to come. */
static uint64_t *find(struct kernel_process *p, uint64_t va, bool make)
{
    struct kernel *k = p->k;
    uint64_t table = p->root;

    if (table == 0)
        return NULL; /* it has ended */
    for (unsigned level = top_level(k); level > 0; level--) {
        uint64_t *e = entry_at(k, table, index_of(k, va, level));

        if (!is_present(load(e)) && !make)
            return NULL;
        if (!is_present(load(e)))
            store(e, table_entry(k, new_page(k)));
        table = address_of(k, load(e));
    }
    return entry_at(k, table, index_of(k, va, 0));
}

/* ---- whom to tell ------------------------------------------------------------------ */

/* What nobody confirmed may be in use still: it is kept for ever. */
static bool is_confirmed(enum uiommu_status status)
{
    if (status == UIOMMU_INVAL)
        abort();
    return status == UIOMMU_OK;
}

/* Nobody uses it any more. */
static bool tell(struct kernel_process *p, uint64_t va, uint64_t size)
{
    return p->provider == NULL ||
           is_confirmed(uiommu_sva_invalidate(p->provider, va, va + size - 1));
}

/* ---- areas ----------------------------------------------------------------------- */

static struct area *area_of(struct kernel_process *p, uint64_t va)
{
    for (unsigned i = 0; i < AREAS; i++) {
        struct area *a = &p->area[i];

        if (a->n > 0 && va >= a->va && va - a->va < a->n * page_size(p->k))
            return a;
    }
    return NULL;
}

static bool add_area(struct kernel_process *p, const struct area *area)
{
    for (unsigned i = 0; area->n > 0 && i < AREAS; i++)
        if (p->area[i].n == 0) {
            p->area[i] = *area;
            return true;
        }
    return area->n == 0;
}

/* What lies in front of the range, and behind it, stays. */
static void cut_area(struct kernel_process *p, struct area *a, uint64_t va,
                     unsigned n)
{
    const uint64_t page = page_size(p->k);
    const uint64_t last = a->va + a->n * page, end = va + n * page;
    struct area rest = *a;

    a->n = va > a->va ? (unsigned)((va - a->va) / page) : 0;
    if (end >= last)
        return;
    rest.va = end;
    rest.n = (unsigned)((last - end) / page);
    if (!add_area(p, &rest))
        abort();
}

static void cut_areas(struct kernel_process *p, uint64_t va, unsigned n)
{
    const uint64_t page = page_size(p->k), end = va + n * page;

    for (unsigned i = 0; i < AREAS; i++) {
        struct area *a = &p->area[i];

        if (a->n > 0 && a->va < end && a->va + a->n * page > va)
            cut_area(p, a, va, n);
    }
}

bool kernel_mmap(struct kernel_process *p, uint64_t va, unsigned n,
                 unsigned prot)
{
    const struct area area = { .va = va, .n = n, .prot = prot };
    bool there;

    pthread_mutex_lock(&p->lock);
    there = add_area(p, &area);
    pthread_mutex_unlock(&p->lock);
    return there;
}

/* Out of the tables, then out of the units, then back to the machine. */
void kernel_munmap(struct kernel_process *p, uint64_t va, unsigned n)
{
    const uint64_t page = page_size(p->k);
    uint64_t *gone = calloc(n, sizeof(*gone));
    bool told;

    if (gone == NULL)
        abort();
    pthread_mutex_lock(&p->lock);
    cut_areas(p, va, n);
    for (unsigned i = 0; i < n; i++) {
        uint64_t *e = find(p, va + i * page, false);

        gone[i] = e != NULL ? take(e) : 0;
    }
    told = tell(p, va, n * page);
    for (unsigned i = 0; told && i < n; i++)
        if (is_present(gone[i]))
            free_page(p->k, address_of(p->k, gone[i]));
    pthread_mutex_unlock(&p->lock);
    free(gone);
}

/* An entry that the unit marks meanwhile is read once more. */
static void write_protect(const struct kernel *k, uint64_t *e)
{
    if (k->arm)
        __atomic_fetch_or(e, htole64(ARM_RO), __ATOMIC_SEQ_CST);
    else
        __atomic_fetch_and(e, htole64(~X86_W), __ATOMIC_SEQ_CST);
}

void kernel_protect(struct kernel_process *p, uint64_t va, unsigned n,
                    bool copy)
{
    const uint64_t page = page_size(p->k), size = n * page;
    const struct area *old;
    struct area area;

    pthread_mutex_lock(&p->lock);
    old = area_of(p, va);
    if (old == NULL)
        abort();
    area = *old;
    area.va = va;
    area.n = n;
    area.copy = copy;
    if (!copy)
        area.prot &= ~(unsigned)UIOMMU_WRITE;
    cut_areas(p, va, n);
    if (!add_area(p, &area))
        abort();
    for (uint64_t at = 0; at < size; at += page) {
        uint64_t *e = find(p, va + at, false);

        if (e != NULL && is_present(load(e)))
            write_protect(p->k, e);
    }
    (void)tell(p, va, size);
    pthread_mutex_unlock(&p->lock);
}

/* ---- faults ------------------------------------------------------------------------ */

/* Arm wants the old entry gone from all caches before there is a new one. */
static void copy_page(struct kernel_process *p, uint64_t va, uint64_t *e,
                      unsigned prot)
{
    const uint64_t old = address_of(p->k, take(e)), new = new_page(p->k);
    const uint64_t page = page_size(p->k);
    const bool told = tell(p, va, page);

    memcpy(sim_ram(p->k->m, new, page), sim_ram(p->k->m, old, page), page);
    store(e, leaf_entry(p->k, new, prot));
    if (told)
        free_page(p->k, old);
}

static enum uiommu_status fault(struct kernel_process *p, uint64_t va,
                                unsigned access)
{
    const unsigned wanted = access & (UIOMMU_READ | UIOMMU_WRITE | UIOMMU_EXEC);
    const struct area *a = area_of(p, va);
    uint64_t *e;

    if (p->gone || a == NULL)
        return UIOMMU_NOENT;
    if (wanted & ~a->prot)
        return UIOMMU_PERM;
    e = find(p, va, true);
    if (!is_present(load(e)))
        store(e, leaf_entry(p->k, new_page(p->k),
                            a->copy ? a->prot & ~(unsigned)UIOMMU_WRITE
                                    : a->prot));
    if (p->k->arm)
        __atomic_fetch_or(e, htole64(ARM_AF), __ATOMIC_SEQ_CST);
    if ((access & UIOMMU_WRITE) && !may_write(p->k, load(e)))
        copy_page(p, va, e, a->prot);
    return UIOMMU_OK;
}

enum uiommu_status kernel_fault(void *process, uint64_t va, unsigned access)
{
    struct kernel_process *p = process;
    enum uiommu_status status;

    va &= ~(page_size(p->k) - 1);
    pthread_mutex_lock(&p->lock);
    status = fault(p, va, access);
    p->served++;
    pthread_mutex_unlock(&p->lock);
    return status;
}

uint64_t kernel_touch(struct kernel_process *p, uint64_t va, bool write)
{
    bool dirty;

    if (kernel_fault(p, va, write ? UIOMMU_READ | UIOMMU_WRITE : UIOMMU_READ) !=
        UIOMMU_OK)
        return 0;
    return kernel_lookup(p, va, &dirty);
}

void kernel_age(struct kernel_process *p, uint64_t va)
{
    const uint64_t accessed = p->k->arm ? ARM_AF : X86_A;
    uint64_t *e;

    pthread_mutex_lock(&p->lock);
    e = find(p, va, false);
    __atomic_fetch_and(e, htole64(~accessed), __ATOMIC_SEQ_CST);
    (void)tell(p, va, page_size(p->k));
    pthread_mutex_unlock(&p->lock);
}

uint64_t kernel_lookup(struct kernel_process *p, uint64_t va, bool *dirty)
{
    const uint64_t *e;
    uint64_t value;

    pthread_mutex_lock(&p->lock);
    e = find(p, va, false);
    value = e != NULL ? load(e) : 0;
    pthread_mutex_unlock(&p->lock);
    *dirty = (value & (p->k->arm ? ARM_DIRTY : X86_D)) != 0;
    return is_present(value) ? address_of(p->k, value) + va % page_size(p->k)
                             : 0;
}

/* ---- processes ------------------------------------------------------------------------ */

struct kernel_process *kernel_process_create(struct kernel *k)
{
    struct kernel_process *p = calloc(1, sizeof(*p));

    if (p == NULL)
        abort();
    p->k = k;
    pthread_mutex_init(&p->lock, NULL);
    p->root = new_page(k);
    pthread_mutex_lock(&k->lock);
    if (k->shared[0] != 0)
        store(entry_at(k, p->root, KERNEL_SLOT), table_entry(k, k->shared[0]));
    p->next = k->first;
    k->first = p;
    pthread_mutex_unlock(&k->lock);
    return p;
}

static void released(void *ctx)
{
    struct kernel_process *p = ctx;

    p->released++;
}

static enum uiommu_tables tables_of(const struct kernel *k)
{
    if (!k->arm)
        return UIOMMU_TABLES_X86_64;
    if (k->page_lg2 == 12)
        return UIOMMU_TABLES_VMSA_4K;
    return k->page_lg2 == 14 ? UIOMMU_TABLES_VMSA_16K : UIOMMU_TABLES_VMSA_64K;
}

struct uiommu_provider_config kernel_provider(struct kernel_process *p)
{
    return (struct uiommu_provider_config){
        .size = sizeof(struct uiommu_provider_config),
        .tables = tables_of(p->k),
        .va_bits = VA_BITS,
        .root = p->root,
        .page_sizes = page_size(p->k),
        .attributes = p->k->arm ? ARM_MAIR : X86_PAT,
        .on_fault = kernel_fault,
        .released = released,
        .ctx = p,
    };
}

void kernel_follow(struct kernel_process *p, struct uiommu_provider *provider)
{
    pthread_mutex_lock(&p->lock);
    p->provider = provider;
    pthread_mutex_unlock(&p->lock);
}

/* Of the process's half; whose tables are on which level is known, so the depth is. */
static void free_below(struct kernel *k, uint64_t table, unsigned level,
                       unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t e = take(entry_at(k, table, i));

        if (!is_present(e))
            continue;
        if (level > 0)
            free_below(k, address_of(k, e), level - 1, 1u << entries_lg2(k));
        else
            free_page(k, address_of(k, e));
    }
    free_page(k, table);
}

void kernel_exit(struct kernel_process *p)
{
    pthread_mutex_lock(&p->lock);
    p->gone = true;
    p->kept =
        p->provider != NULL && !is_confirmed(uiommu_provider_exit(p->provider));
    if (!p->kept && p->root != 0) {
        p->provider = NULL;
        free_below(p->k, p->root, top_level(p->k),
                   p->k->arm ? 1u << entries_lg2(p->k) : KERNEL_SLOT);
        p->root = 0;
    }
    memset(p->area, 0, sizeof(p->area));
    pthread_mutex_unlock(&p->lock);
}

void kernel_process_free(struct kernel_process *p)
{
    struct kernel *k = p->k;
    struct kernel_process **at = &k->first;

    if (!p->gone)
        kernel_exit(p);
    pthread_mutex_lock(&k->lock);
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    pthread_mutex_unlock(&k->lock);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

unsigned kernel_released(const struct kernel_process *p)
{
    return p->released;
}

unsigned kernel_served(const struct kernel_process *p)
{
    return p->served;
}

/* ---- the kernel's half ----------------------------------------------------------------- */

/* Nobody but the kernel: U is 0. */
static uint64_t kernel_entry(uint64_t phys)
{
    return phys | X86_P | X86_W | X86_A;
}

void kernel_vmap(struct kernel *k)
{
    pthread_mutex_lock(&k->lock);
    k->shared[2] = new_page(k);
    k->page = new_page(k);
    store(entry_at(k, k->shared[2], 0), kernel_entry(k->page));
    for (unsigned i = 1; i <= 2; i++)
        store(entry_at(k, k->shared[2], i), k->page | X86_P | X86_U);
    store(entry_at(k, k->shared[1], 0), kernel_entry(k->shared[2]) | X86_U);
    pthread_mutex_unlock(&k->lock);
}

void kernel_vfree(struct kernel *k, struct uiommu *u)
{
    pthread_mutex_lock(&k->lock);
    (void)take(entry_at(k, k->shared[1], 0));
    if (u != NULL && uiommu_sva_tables_freed(u) != UIOMMU_OK)
        abort();
    free_page(k, k->shared[2]);
    free_page(k, k->page);
    pthread_mutex_unlock(&k->lock);
}

static struct kernel *create(struct machine *m, bool arm, unsigned page_lg2)
{
    struct kernel *k = calloc(1, sizeof(*k));

    if (k == NULL)
        abort();
    k->m = m;
    k->arm = arm;
    k->page_lg2 = page_lg2;
    pthread_mutex_init(&k->lock, NULL);
    return k;
}

struct kernel *kernel_open_granule(struct machine *m, unsigned page_lg2)
{
    return create(m, true, page_lg2);
}

struct kernel *kernel_open(struct machine *m, bool arm)
{
    struct kernel *k = create(m, arm, 12);

    if (arm)
        return k;
    k->shared[0] = new_page(k);
    k->shared[1] = new_page(k);
    store(entry_at(k, k->shared[0], 0), table_entry(k, k->shared[1]));
    return k;
}

void kernel_close(struct kernel *k)
{
    if (!k->arm) {
        free_page(k, k->shared[1]);
        free_page(k, k->shared[0]);
    }
    pthread_mutex_destroy(&k->lock);
    free(k);
}
