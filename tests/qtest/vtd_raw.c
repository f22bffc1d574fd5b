/* SPDX-License-Identifier: MIT */
/* vtd_raw.c - see vtd_raw.h. */
#include "tests/qtest/vtd_raw.h"

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define UNIT UINT64_C(0xfed90000)

enum {
    REG_GCMD = 0x18,
    REG_GSTS = 0x1c,
    REG_RTADDR = 0x20,
    REG_CCMD = 0x28,
    REG_FSTS = 0x34,
    REG_IOTLB = 0xf8, /* as QEMU's ECAP.IRO says */
    REG_FRCD = 0x220, /* as QEMU's CAP.FRO says  */

    ADDRESS_WIDTH_48 = 2,
    DOMAIN_ID = 7,
};

#define TRANSLATION (UINT32_C(1) << 31)
#define SET_ROOT    (UINT32_C(1) << 30)
#define BUSY        (UINT64_C(1) << 63) /* of CCMD and IOTLB */
#define CCMD_GLOBAL (UINT64_C(1) << 61)
#define TLB_GLOBAL  (UINT64_C(1) << 60)
#define PTE_ADDRESS UINT64_C(0x0000fffffffff000)
#define PRESENT     UINT64_C(1)
#define FAULT       (UINT64_C(1) << 63)
#define FAULT_READ  (UINT64_C(1) << 62)

static uint32_t read32(struct vtd_raw *vtd, unsigned offset)
{
    return vtd->m->host.mmio_read32(vtd->m->host.ctx, vtd->regs, offset);
}

static uint64_t read64(struct vtd_raw *vtd, unsigned offset)
{
    return vtd->m->host.mmio_read64(vtd->m->host.ctx, vtd->regs, offset);
}

static void write32(struct vtd_raw *vtd, unsigned offset, uint32_t value)
{
    vtd->m->host.mmio_write32(vtd->m->host.ctx, vtd->regs, offset, value);
}

static void write64(struct vtd_raw *vtd, unsigned offset, uint64_t value)
{
    vtd->m->host.mmio_write64(vtd->m->host.ctx, vtd->regs, offset, value);
}

static uint64_t *new_page(struct vtd_raw *vtd, uint64_t *phys)
{
    struct uiommu_host *host = &vtd->m->host;
    void *page;

    assert_true(vtd->n_pages < VTD_RAW_PAGES);
    page = host->pages_alloc(host->ctx, 0, 0, phys);
    assert_non_null(page);
    vtd->pages[vtd->n_pages].virt = page;
    vtd->pages[vtd->n_pages].phys = *phys;
    vtd->n_pages++;
    return page;
}

static void *at(struct vtd_raw *vtd, uint64_t phys)
{
    return (void *)(uintptr_t)(phys + vtd->m->host.direct_offset);
}

/* The table below *entry, which is made if there is none. */
static uint64_t *table_below(struct vtd_raw *vtd, uint64_t *entry, uint64_t low)
{
    uint64_t phys;

    if ((*entry & PTE_ADDRESS) == 0) {
        (void)new_page(vtd, &phys);
        *entry = phys | low;
    }
    return at(vtd, *entry & PTE_ADDRESS);
}

void vtd_raw_start(struct vtd_raw *vtd, struct machine *m)
{
    uint64_t root, pml4;

    *vtd = (struct vtd_raw){ .m = m };
    vtd->regs = m->host.mmio_map(m->host.ctx, UNIT, 4096);
    assert_non_null(vtd->regs);
    vtd->root = new_page(vtd, &root);
    vtd->pml4 = new_page(vtd, &pml4);
    write64(vtd, REG_RTADDR, root);
    write32(vtd, REG_GCMD, SET_ROOT);
    assert_int_equal(read32(vtd, REG_GSTS), SET_ROOT);
    vtd_raw_invalidate(vtd);
    write32(vtd, REG_GCMD, TRANSLATION);
    assert_int_equal(read32(vtd, REG_GSTS), TRANSLATION | SET_ROOT);
}

void vtd_raw_stop(struct vtd_raw *vtd)
{
    struct uiommu_host *host = &vtd->m->host;

    write32(vtd, REG_GCMD, 0);
    assert_int_equal(read32(vtd, REG_GSTS), SET_ROOT);
    for (unsigned i = 0; i < vtd->n_pages; i++) {
        host->pages_free(host->ctx, vtd->pages[i].virt, vtd->pages[i].phys, 0);
    }
    host->mmio_unmap(host->ctx, vtd->regs, 4096);
}

void vtd_raw_context(struct vtd_raw *vtd, struct uiommu_pci pci, bool present)
{
    uint64_t *contexts = table_below(vtd, &vtd->root[2 * pci.bus], PRESENT);
    uint64_t table = (uintptr_t)vtd->pml4 - vtd->m->host.direct_offset;

    contexts[2 * pci.devfn + 1] = ADDRESS_WIDTH_48 | DOMAIN_ID << 8;
    contexts[2 * pci.devfn] = present ? table | PRESENT : 0;
}

void vtd_raw_map(struct vtd_raw *vtd, uint64_t iova, uint64_t phys,
                 unsigned rights)
{
    const uint64_t all =
        UIOMMU_READ | UIOMMU_WRITE; /* bits 0 and 1 here, too */
    uint64_t *table = vtd->pml4;

    for (unsigned shift = 39; shift > 12; shift -= 9) {
        table = table_below(vtd, &table[iova >> shift & 511], all);
    }
    table[iova >> 12 & 511] = phys | rights;
}

void vtd_raw_map_area(struct vtd_raw *vtd, unsigned dev)
{
    struct uiommu_range area = machine_engine_area(vtd->m, dev);

    for (uint64_t i = 0; i < area.size; i += 4096) {
        vtd_raw_map(vtd, area.iova + i, area.iova + i,
                    UIOMMU_READ | UIOMMU_WRITE);
    }
}

void vtd_raw_invalidate(struct vtd_raw *vtd)
{
    write64(vtd, REG_CCMD, BUSY | CCMD_GLOBAL);
    assert_true((read64(vtd, REG_CCMD) & BUSY) == 0);
    write64(vtd, REG_IOTLB, BUSY | TLB_GLOBAL);
    assert_true((read64(vtd, REG_IOTLB) & BUSY) == 0);
}

struct vtd_raw_fault vtd_raw_fault(struct vtd_raw *vtd)
{
    uint64_t low = read64(vtd, REG_FRCD);
    uint64_t high = read64(vtd, REG_FRCD + 8);
    struct vtd_raw_fault fault = {
        .pending = (high & FAULT) != 0,
        .reason = high >> 32 & 0xff,
        .source = (uint16_t)high,
        .read = (high & FAULT_READ) != 0,
        .iova = low,
    };

    /* A record and the pending flag (bit 1) say the same. */
    assert_int_equal(read32(vtd, REG_FSTS) & 3, fault.pending ? 2 : 0);
    if (fault.pending) {
        write32(vtd, REG_FRCD + 12, (uint32_t)(FAULT >> 32));
        assert_int_equal(read32(vtd, REG_FSTS) & 3, 0);
    }
    return fault;
}
