/* SPDX-License-Identifier: MIT */
#include "tests/sim/raw.h"

#include "tests/sim/tools.h"

#include <string.h>

#include "base/store.h"

enum {
    REG_GCMD = 0x18,
    REG_GSTS = 0x1c,
    REG_RTADDR = 0x20,
    REG_FSTS = 0x34,
    REG_IQT = 0x88,
    REG_IQA = 0x90,
    REG_PQH = 0xc0,
    REG_PQT = 0xc8,
    REG_PQA = 0xd0,
    REG_PRS = 0xdc,
    REG_FRCD = 0x220, /* of the model */
    RECORDS = 8,

    SRTP = 1 << 30,
    QIE = 1 << 26,
    QUEUE_SIZE = 4096,
    IQA_DW = 1 << 11, /* descriptors of 32 bytes, which PASIDs want */
    DOMAIN = 7,
    TTM_SCALABLE = 1 << 10,
    PGTT_SS = 2 << 6,
    AW_48 = 2 << 2,
    ROUNDS = 2000,
};

#define TE (1u << 31)

static const struct uiommu_host *host(const struct raw *r)
{
    return &r->m->host;
}

/* ---- registers and memory ------------------------------------------------ */

uint32_t raw_read32(struct raw *r, unsigned offset)
{
    return host(r)->mmio_read32(host(r)->ctx, r->regs, offset);
}

void raw_write32(struct raw *r, unsigned offset, uint32_t value)
{
    host(r)->mmio_write32(host(r)->ctx, r->regs, offset, value);
}

static void write64(struct raw *r, unsigned offset, uint64_t value)
{
    host(r)->mmio_write64(host(r)->ctx, r->regs, offset, value);
}

void raw_put(struct raw *r, uint64_t phys, uint64_t value)
{
    uint64_t *at = sim_ram(r->m, phys, 8);

    __atomic_store_n(at, uim_le64(value), __ATOMIC_RELEASE);
    if (!r->no_flush)
        host(r)->flush(host(r)->ctx, at, 8);
}

static uint64_t get(struct raw *r, uint64_t phys)
{
    return uim_le64(*(uint64_t *)sim_ram(r->m, phys, 8));
}

uint64_t raw_page(struct raw *r)
{
    uint64_t phys;
    void *virt = host(r)->pages_alloc(host(r)->ctx, 0, 0, &phys);

    assert_non_null(virt);
    assert_true(r->n_pages < RAW_PAGES);
    r->page[r->n_pages].virt = virt;
    r->page[r->n_pages].phys = phys;
    r->n_pages++;
    if (!r->no_flush)
        host(r)->flush(host(r)->ctx, virt, 4096);
    return phys;
}

/* ---- commands ------------------------------------------------------------ */

static void command(struct raw *r, uint32_t bit, bool on)
{
    uint32_t level = raw_read32(r, REG_GSTS) & 0x96ffffff;

    raw_write32(r, REG_GCMD, on ? level | bit : level & ~bit);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (((raw_read32(r, REG_GSTS) & bit) != 0) == on)
            return;
        host(r)->relax(host(r)->ctx);
    }
    fail_msg("GCMD bit 0x%x does not become %d", bit, on);
}

static void post(struct raw *r, uint64_t low, uint64_t high)
{
    raw_put(r, r->queue + r->tail, low);
    raw_put(r, r->queue + r->tail + 8, high);
    r->tail = (r->tail + (r->scalable ? 32 : 16)) % QUEUE_SIZE;
    write64(r, REG_IQT, r->tail);
}

bool raw_wait(struct raw *r, bool drain)
{
    const uint64_t *status = sim_ram(r->m, r->status, 8);

    r->token++;
    post(r,
         5 | 1 << 5 | 1 << 6 | (drain ? 1 << 7 : 0) | (uint64_t)r->token << 32,
         r->status);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t word = __atomic_load_n(status, __ATOMIC_ACQUIRE);

        if ((uint32_t)uim_le64(word) == r->token)
            return true;
        host(r)->relax(host(r)->ctx);
    }
    return false;
}

static bool wait(struct raw *r)
{
    return raw_wait(r, false);
}

void raw_invalidate(struct raw *r)
{
    post(r, 1 | 1 << 4, 0); /* contexts, all */
    if (r->scalable)
        post(r, 7 | 3 << 4, 0);               /* PASID entries, all */
    post(r, 2 | 1 << 4 | 1 << 6 | 1 << 7, 0); /* IOTLB, all, drained */
    assert_true(wait(r));
}

void raw_post_invalidate(struct raw *r)
{
    post(r, 2 | 1 << 4 | 1 << 6 | 1 << 7, 0);
}

void raw_invalidate_undrained(struct raw *r)
{
    post(r, 2 | 1 << 4, 0);
    assert_true(wait(r));
}

void raw_post_invalidate_devtlb(struct raw *r, uint8_t bus, uint8_t devfn)
{
    post(r, 3 | (uint64_t)(bus << 8 | devfn) << 32,
         UINT64_C(0x7ffffffffffff000) | 1);
}

bool raw_invalidate_devtlb(struct raw *r, uint8_t bus, uint8_t devfn)
{
    raw_post_invalidate_devtlb(r, bus, devfn);
    return wait(r);
}

bool raw_invalidate_devtlb_page(struct raw *r, uint8_t bus, uint8_t devfn,
                                uint32_t pasid, uint64_t iova)
{
    uint64_t sid = (uint64_t)bus << 8 | devfn;

    if (pasid == 0)
        post(r, 3 | sid << 32, iova);
    else
        post(r, 8 | sid << 16 | (uint64_t)pasid << 32, iova);
    return wait(r);
}

bool raw_fault(struct raw *r)
{
    bool found = false;

    for (unsigned i = 0; i < RECORDS; i++) {
        unsigned at = REG_FRCD + 16 * i + 12;

        if (raw_read32(r, at) >> 31) {
            found = true;
            raw_write32(r, at, 1u << 31);
        }
    }
    raw_write32(r, REG_FSTS, 1);
    return found;
}

/* ---- page requests ------------------------------------------------------- */

bool raw_page_request(struct raw *r, uint64_t word[2])
{
    uint64_t at = r->page_queue + 32 * r->page_head;

    raw_write32(r, REG_PRS, 1);
    if (raw_read32(r, REG_PQT) == 32 * r->page_head)
        return false;
    word[0] = get(r, at);
    word[1] = get(r, at + 8);
    r->page_head = (r->page_head + 1) % (QUEUE_SIZE / 32);
    write64(r, REG_PQH, 32 * r->page_head);
    return true;
}

void raw_page_response(struct raw *r, const uint64_t word[2], unsigned code)
{
    uint64_t pasid = word[0] >> 8 & 1 ? word[0] & UINT64_C(0xfffff) << 32 : 0;

    post(r,
         9 | (word[0] >> 8 & 1) << 4 | code << 12 | (word[0] & 0xffff0000) |
             pasid,
         word[1] & 0xff8);
}

bool raw_page_overflow(struct raw *r)
{
    bool found = raw_read32(r, REG_PRS) & 2;

    raw_write32(r, REG_PRS, 2);
    return found;
}

/* ---- tables -------------------------------------------------------------- */

/* The table that the entry at `at` points to, made if there is none. */
static uint64_t below(struct raw *r, uint64_t at, uint64_t flags)
{
    if (get(r, at) == 0)
        raw_put(r, at, raw_page(r) | flags);
    return get(r, at) & ~UINT64_C(0xfff);
}

void raw_context(struct raw *r, uint8_t bus, uint8_t devfn, bool ats)
{
    uint64_t at;

    if (r->scalable) {
        at = below(r, r->root + 16u * bus + (devfn < 128 ? 0 : 8), 1);
        at += 32u * (devfn & 127);
        raw_put(r, at,
                r->dir | 1 << 3 | (ats ? 1 << 2 : 0) |
                    (ats && r->pages ? 1 << 4 : 0) | 1);
    } else {
        at = below(r, r->root + 16u * bus, 1) + 16u * devfn;
        raw_put(r, at + 8, 2 | r->domain << 8); /* 4 levels */
        raw_put(r, at, r->pml4 | (ats ? 1 << 2 : 0) | 1);
    }
    raw_invalidate(r);
}

void raw_pasid(struct raw *r, uint32_t pasid)
{
    uint64_t at = below(r, r->dir + 8 * (pasid >> 6), 1) + 64 * (pasid & 63);

    raw_put(r, at + 8, r->domain);
    raw_put(r, at, r->pml4 | PGTT_SS | AW_48 | 1);
    raw_invalidate(r);
}

void raw_table(struct raw *r)
{
    r->pml4 = raw_page(r);
    r->domain++;
}

uint64_t raw_map(struct raw *r, uint64_t iova, uint64_t phys, unsigned rights)
{
    uint64_t table = r->pml4;
    uint64_t at;

    for (unsigned shift = 39; shift > 12; shift -= 9)
        table =
            below(r, table + 8 * (iova >> shift & 511), RAW_READ | RAW_WRITE);
    at = table + 8 * (iova >> 12 & 511);
    raw_put(r, at, rights != 0 ? phys | rights : 0);
    return at;
}

/* ---- life ---------------------------------------------------------------- */

void raw_start(struct raw *r, struct machine *m)
{
    const struct raw asked = { .no_flush = r->no_flush,
                               .scalable = r->scalable,
                               .pages = r->pages };

    *r = asked;
    r->m = m;
    r->regs = host(r)->mmio_map(host(r)->ctx, 0xfed90000, 4096);
    r->root = raw_page(r);
    r->queue = raw_page(r);
    r->status = raw_page(r);
    r->pml4 = raw_page(r);
    r->domain = DOMAIN;
    r->dir = r->scalable ? raw_page(r) : 0;
    if (r->pages) {
        r->page_queue = raw_page(r);
        write64(r, REG_PQA, r->page_queue);
    }
    write64(r, REG_IQT, 0);
    write64(r, REG_IQA, r->queue | (r->scalable ? IQA_DW : 0));
    command(r, QIE, true);
    write64(r, REG_RTADDR, r->root | (r->scalable ? TTM_SCALABLE : 0));
    command(r, SRTP, true);
    raw_invalidate(r);
    command(r, TE, true);
}

void raw_stop(struct raw *r)
{
    command(r, TE, false);
    command(r, QIE, false);
    host(r)->mmio_unmap(host(r)->ctx, r->regs, 4096);
    for (unsigned i = 0; i < r->n_pages; i++) {
        if (r->page[i].virt)
            host(r)->pages_free(host(r)->ctx, r->page[i].virt, r->page[i].phys,
                                0);
    }
}
