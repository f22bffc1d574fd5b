/* SPDX-License-Identifier: MIT */
/* handover.c - see handover.h. */
#include "tests/core/handover.h"

#include "base/store.h"
#include "spec/vtd.h"
#include "spec/vtd_tables.h"

#define UNIT_BASE UINT64_C(0xfed90000)
#define ADDRESS   (~UINT64_C(0xfff))

enum { UNIT_SIZE = 4096, WAITS = 1000 };

/* ---- starts that fail ------------------------------------------------------ */

void assert_start_fails_unseen(struct rig *rig, enum uiommu_status status,
                               const char *why)
{
    create_next(rig);
    rig_is(rig_start(rig), status);
    assert_says(sim_last_log(rig->m), why);
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
}

void assert_start_fails(struct rig *rig, const struct first *f,
                        enum uiommu_status status, const char *why)
{
    assert_start_fails_unseen(rig, status, why);
    assert_as_left(rig, f);
}

/* ---- lies ------------------------------------------------------------------ */

static struct {
    uint64_t (*read64)(void *ctx, void *mmio, size_t offset);
    uint32_t (*read32)(void *ctx, void *mmio, size_t offset);
    const struct lie *lies;
} liar;

static uint64_t twist(size_t offset, uint64_t value)
{
    for (const struct lie *l = liar.lies; l->offset != 0; l++)
        if (l->offset == offset)
            value = (value & ~l->clear) | l->set;
    return value;
}

static uint64_t lying_read64(void *ctx, void *mmio, size_t offset)
{
    return twist(offset, liar.read64(ctx, mmio, offset));
}

static uint32_t lying_read32(void *ctx, void *mmio, size_t offset)
{
    return (uint32_t)twist(offset, liar.read32(ctx, mmio, offset));
}

void lies_begin(struct rig *rig, const struct lie *lies)
{
    liar.lies = lies;
    liar.read64 = rig->m->host.mmio_read64;
    liar.read32 = rig->m->host.mmio_read32;
    rig->m->host.mmio_read64 = lying_read64;
    rig->m->host.mmio_read32 = lying_read32;
}

void lies_end(struct rig *rig)
{
    rig->m->host.mmio_read64 = liar.read64;
    rig->m->host.mmio_read32 = liar.read32;
}

/* ---- registers ------------------------------------------------------------- */

static void *registers(struct rig *rig)
{
    void *mmio = rig->m->host.mmio_map(rig->m->host.ctx, UNIT_BASE, UNIT_SIZE);

    assert_non_null(mmio);
    return mmio;
}

static void registers_end(struct rig *rig, void *mmio)
{
    rig->m->host.mmio_unmap(rig->m->host.ctx, mmio, UNIT_SIZE);
}

uint64_t unit_read64(struct rig *rig, size_t offset)
{
    void *mmio = registers(rig);
    uint64_t value = rig->m->host.mmio_read64(rig->m->host.ctx, mmio, offset);

    registers_end(rig, mmio);
    return value;
}

uint32_t unit_read32(struct rig *rig, size_t offset)
{
    void *mmio = registers(rig);
    uint32_t value = rig->m->host.mmio_read32(rig->m->host.ctx, mmio, offset);

    registers_end(rig, mmio);
    return value;
}

void unit_command(struct rig *rig, uint32_t gcmd, uint32_t wait, bool on)
{
    void *mmio = registers(rig);

    rig->m->host.mmio_write32(rig->m->host.ctx, mmio, VTD_REG_GCMD, gcmd);
    registers_end(rig, mmio);
    for (unsigned n = 0;
         wait != 0 && ((unit_read32(rig, VTD_REG_GSTS) & wait) != 0) != on;
         n++) {
        assert_true(n < WAITS);
        rig->m->host.relax(rig->m->host.ctx);
    }
}

/* ---- tables ---------------------------------------------------------------- */

uint64_t *word_at(struct rig *rig, uint64_t phys, unsigned i)
{
    uint64_t *word = sim_ram(rig->m, (phys & ADDRESS) + i * 8u, 8);

    assert_non_null(word);
    return word;
}

uint64_t peek_word(struct rig *rig, uint64_t phys, unsigned i)
{
    return uim_le64(*word_at(rig, phys, i));
}

void poke_word(struct rig *rig, uint64_t phys, unsigned i, uint64_t value)
{
    const struct uiommu_host *h = &rig->m->host;
    uint64_t *word = word_at(rig, phys, i);

    *word = uim_le64(value);
    if (h->flush)
        h->flush(h->ctx, word, 8);
}

uint64_t context_of(struct rig *rig, unsigned n)
{
    struct uiommu_pci at = rig->m->devices[rig_engine(rig, n)].pci;
    uint64_t root = unit_read64(rig, VTD_REG_RTADDR) & ADDRESS;
    unsigned upper = rig->config.mode != SIM_LEGACY && at.devfn >= 0x80;
    unsigned size = rig->config.mode == SIM_LEGACY ? VTD_CONTEXT_LEGACY_BYTES
                                                   : VTD_CONTEXT_SCALABLE_BYTES;

    return (peek_word(rig, root, at.bus * 2u + upper) & ADDRESS) +
           (uint64_t)(at.devfn - upper * 0x80u) * size;
}

/* word_at() counts from the page. */
static uint64_t load(struct rig *rig, uint64_t phys)
{
    return peek_word(rig, phys, (unsigned)(phys & 0xfff) / 8);
}

uint64_t entry_of(struct rig *rig, unsigned n)
{
    uint64_t context = context_of(rig, n);

    if (rig->config.mode == SIM_LEGACY)
        return context;
    return load(rig, load(rig, context) & ADDRESS) & ADDRESS;
}

unsigned id_of(struct rig *rig, unsigned n)
{
    uint64_t hi = load(rig, entry_of(rig, n) + 8);

    return (unsigned)(rig->config.mode == SIM_LEGACY ? hi >> 8 : hi) & 0xffff;
}
