/* SPDX-License-Identifier: MIT */
/* raw.c - see raw.h: what units have in common. */
#include "tests/qtest/common.h"

#include "tests/qtest/raw.h"

#define ENTRY_ADDRESS UINT64_C(0x0000fffffffff000)

uint32_t raw_read32(struct raw *raw, unsigned offset)
{
    return raw->m->host.mmio_read32(raw->m->host.ctx, raw->regs, offset);
}

uint64_t raw_read64(struct raw *raw, unsigned offset)
{
    return raw->m->host.mmio_read64(raw->m->host.ctx, raw->regs, offset);
}

void raw_write32(struct raw *raw, unsigned offset, uint32_t value)
{
    raw->m->host.mmio_write32(raw->m->host.ctx, raw->regs, offset, value);
}

void raw_write64(struct raw *raw, unsigned offset, uint64_t value)
{
    raw->m->host.mmio_write64(raw->m->host.ctx, raw->regs, offset, value);
}

uint64_t *raw_new(struct raw *raw, unsigned order)
{
    struct uiommu_host *host = &raw->m->host;
    uint64_t phys;
    void *block;

    assert_true(raw->n_blocks < RAW_BLOCKS);
    block = host->pages_alloc(host->ctx, order, 0, &phys);
    assert_non_null(block);
    raw->blocks[raw->n_blocks].virt = block;
    raw->blocks[raw->n_blocks].phys = phys;
    raw->blocks[raw->n_blocks].order = order;
    raw->n_blocks++;
    return block;
}

uint64_t raw_phys(const struct raw *raw, const void *virt)
{
    return (uintptr_t)virt - raw->m->host.direct_offset;
}

uint64_t *raw_below(struct raw *raw, uint64_t *entry, uint64_t low)
{
    if ((*entry & ENTRY_ADDRESS) == 0) {
        *entry = raw_phys(raw, raw_new(raw, 0)) | low;
    }
    return (uint64_t *)(uintptr_t)((*entry & ENTRY_ADDRESS) +
                                   raw->m->host.direct_offset);
}

void raw_start(struct raw *raw, const struct raw_ops *ops, struct machine *m)
{
    *raw = (struct raw){ .ops = ops, .m = m };
    raw->regs = m->host.mmio_map(m->host.ctx, ops->base, ops->size);
    assert_non_null(raw->regs);
    raw->table = raw_new(raw, 0);
    ops->start(raw);
}

void raw_stop(struct raw *raw)
{
    struct uiommu_host *host = &raw->m->host;

    raw->ops->stop(raw);
    for (unsigned i = 0; i < raw->n_blocks; i++) {
        host->pages_free(host->ctx, raw->blocks[i].virt, raw->blocks[i].phys,
                         raw->blocks[i].order);
    }
    host->mmio_unmap(host->ctx, raw->regs, raw->ops->size);
}

void raw_context(struct raw *raw, struct uiommu_pci pci, bool present)
{
    raw->ops->set(raw, pci, present);
}

void raw_map(struct raw *raw, uint64_t iova, uint64_t phys, unsigned rights)
{
    uint64_t *table = raw->table;

    for (unsigned shift = 39; shift > 12; shift -= 9) {
        table = raw_below(raw, &table[iova >> shift & 511], raw->ops->link);
    }
    table[iova >> 12 & 511] = rights != 0 ? raw->ops->leaf(phys, rights) : 0;
}

void raw_map_area(struct raw *raw, unsigned dev)
{
    struct uiommu_range area = machine_engine_area(raw->m, dev);

    for (uint64_t i = 0; i < area.size; i += 4096) {
        raw_map(raw, area.iova + i, area.iova + i, UIOMMU_READ | UIOMMU_WRITE);
    }
}

void raw_invalidate(struct raw *raw)
{
    raw->ops->invalidate(raw);
}

struct raw_fault raw_fault(struct raw *raw)
{
    return raw->ops->fault(raw);
}
