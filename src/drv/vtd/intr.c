/* SPDX-License-Identifier: MIT */
/*
 * intr.c - the interrupt remapping table (5.1, 9.9). Every entry names the one
 * requester that may use it.
 *
 * A present entry changes in word 0 alone, in one store, so that hardware, which
 * reads 128 bits at once, sees the old or the new one. Messages in compatibility
 * format are blocked.
 */
#include "drv/vtd/vtd.h"

#include "spec/vtd_intr.h"

enum {
    ENTRIES = 4096, /* so that bit 15 of a handle is never set */
    TABLE_S = 11,   /* 2^(s + 1) entries */
};

static uim_word *entry_of(const struct vtd_unit *v, unsigned index)
{
    return &v->irt[index * 2u];
}

/* ---- life ---------------------------------------------------------------------- */

const char *vtd_remapping_lacks(const struct vtd_unit *v)
{
    if (!v->platform_remaps)
        return "leave of the firmware (DMAR.INTR_REMAP is 0)";
    if (!vtd_ecap_ir(v->ecap))
        return "interrupt remapping (ECAP.IR is 0)";
    if (!vtd_ecap_qi(v->ecap))
        return "invalidation queue for it (ECAP.QI is 0)";
    return NULL;
}

enum uiommu_status vtd_interrupts_create(struct vtd_unit *v)
{
    const struct uiommu_host *h = v->unit.host;

    if (!v->unit.remap)
        return UIOMMU_OK;
    v->irt_lock = h->spin_create(h->ctx);
    v->irt =
        uim_pages_alloc(&v->unit, v->coherent, VTD_IRT_ORDER, &v->irt_phys);
    v->irtes = uim_alloc(v->unit.u, ENTRIES / 8);
    v->adopted.irtes = uim_alloc(v->unit.u, ENTRIES / 8);
    if (!v->irt_lock || !v->irt || !v->irtes || !v->adopted.irtes)
        return UIOMMU_NOMEM;
    return UIOMMU_OK;
}

void vtd_interrupts_destroy(struct vtd_unit *v)
{
    const struct uiommu_host *h = v->unit.host;

    if (v->irt_lock)
        h->spin_destroy(h->ctx, v->irt_lock);
    uim_free(v->unit.u, v->irtes, ENTRIES / 8);
    uim_free(v->unit.u, v->adopted.irtes, ENTRIES / 8);
    if (v->irt && !v->stuck && !v->left)
        uim_pages_free(&v->unit, v->irt, v->irt_phys, VTD_IRT_ORDER);
}

static enum uiommu_status invalidate(struct vtd_unit *v, enum vtd_iec g,
                                     unsigned index)
{
    struct vtd_batch b = { .n = 0 };

    vtd_add_interrupt(&b, g, index);
    return vtd_submit(v, &b);
}

static enum uiommu_status table_switch(struct vtd_unit *v, struct vtd_irta to)
{
    enum uiommu_status status;

    vtd_wr64(v, VTD_REG_IRTA, to.raw);
    status = vtd_gcmd_latch(v, VTD_GCMD_BIT(sirtp));
    if (status == UIOMMU_OK && !vtd_cap_esirtps(v->cap))
        status = invalidate(v, VTD_IEC_GLOBAL, 0);
    return status;
}

/* 5.1.4: the pointer, the cache, compatibility format, then the switch. Where
 * firmware left remapping on, its table is replaced at SIRTP. */
enum uiommu_status vtd_interrupts_on(struct vtd_unit *v)
{
    const struct vtd_irta_fields irta = {
        .irta = v->irt_phys >> 12,
        .eime = v->unit.x2apic,
        .s = TABLE_S,
    };
    enum uiommu_status status;

    if (!v->unit.remap)
        return UIOMMU_OK;
    status = table_switch(v, vtd_irta_pack(&irta));
    if (status == UIOMMU_OK)
        status = vtd_gcmd_switch(v, VTD_GCMD_BIT(cfi), false);
    if (status == UIOMMU_OK)
        status = vtd_gcmd_switch(v, VTD_GCMD_BIT(ire), true);
    return status;
}

enum uiommu_status vtd_interrupts_off(struct vtd_unit *v)
{
    return vtd_gcmd_switch(v, VTD_GCMD_BIT(ire), false);
}

enum uiommu_status vtd_interrupts_give_back(struct vtd_unit *v)
{
    if (v->adopted.interrupts.raw == 0)
        return vtd_interrupts_off(v);
    return table_switch(v, v->adopted.interrupts);
}

/* ---- entries --------------------------------------------------------------------- */

static bool is_free(const struct vtd_unit *v, unsigned first, unsigned n)
{
    for (unsigned i = first; i < first + n; i++)
        if (v->irtes[i / 64] & UIM_BIT(i % 64))
            return false;
    return true;
}

static void mark(struct vtd_unit *v, unsigned first, unsigned n, bool used)
{
    for (unsigned i = first; i < first + n; i++) {
        uint64_t bit = UIM_BIT(i % 64);

        v->irtes[i / 64] =
            used ? v->irtes[i / 64] | bit : v->irtes[i / 64] & ~bit;
    }
}

/* Aligned, as message data counts up in its low bits. */
enum uiommu_status vtd_irq_alloc(struct uim_unit *unit, unsigned n,
                                 unsigned *first)
{
    struct vtd_unit *v = vtd_unit(unit);
    enum uiommu_status status = UIOMMU_NOSPC;

    uim_spin_lock(&v->unit, v->irt_lock);
    for (unsigned i = 0; i < ENTRIES && status != UIOMMU_OK; i += n) {
        if (!is_free(v, i, n))
            continue;
        mark(v, i, n, true);
        *first = i;
        status = UIOMMU_OK;
    }
    uim_spin_unlock(&v->unit, v->irt_lock);
    return status;
}

void vtd_irq_free(struct uim_unit *unit, unsigned first, unsigned n)
{
    struct vtd_unit *v = vtd_unit(unit);

    uim_spin_lock(&v->unit, v->irt_lock);
    mark(v, first, n, false);
    uim_spin_unlock(&v->unit, v->irt_lock);
}

static void describe(const struct vtd_unit *v, uint32_t source,
                     const struct uiommu_irq_target *t, uint64_t want[2])
{
    const struct vtd_irte_remapped_lo_fields lo = {
        .p = 1,
        .dm = t->logical,
        .rh = t->hint,
        .tm = t->level,
        .dlm = t->delivery,
        .v = t->vector,
        .dst = v->unit.x2apic ? t->destination : t->destination << 8,
    };
    const struct vtd_irte_remapped_hi_fields hi = {
        .sid = source & 0xffff,
        .sq = VTD_SQ_ALL,
        .svt = VTD_SVT_SID,
    };

    want[0] = vtd_irte_remapped_lo_pack(&lo).raw;
    want[1] = vtd_irte_remapped_hi_pack(&hi).raw;
}

/* What it said stays in it until nothing of it is cached (B.13). */
static enum uiommu_status clear(struct vtd_unit *v, unsigned index)
{
    uim_word *entry = entry_of(v, index);
    enum uiommu_status status;

    vtd_entry_block(v, entry);
    status = invalidate(v, VTD_IEC_INDEX, index);
    if (status == UIOMMU_OK)
        vtd_entry_zero(v, entry, 2);
    return status;
}

/* Where CM=1, that an entry was not present may be cached. */
static enum uiommu_status announce(struct vtd_unit *v, unsigned index)
{
    if (vtd_cap_cm(v->cap))
        return invalidate(v, VTD_IEC_INDEX, index);
    return vtd_write_buffer_flush(v);
}

enum uiommu_status vtd_irq_set(struct uim_unit *unit, unsigned index,
                               uint32_t source,
                               const struct uiommu_irq_target *target)
{
    struct vtd_unit *v = vtd_unit(unit);
    uim_word *entry = entry_of(v, index);
    uint64_t want[2];

    if (!target)
        return clear(v, index);
    describe(v, source, target, want);
    if (uim_ld64(entry) & VTD_ENTRY_P) {
        vtd_entry_store(v, entry, want[0]);
        return invalidate(v, VTD_IEC_INDEX, index);
    }
    vtd_entry_write(v, entry, want, 2);
    return announce(v, index);
}

/* ---- what was adopted ----------------------------------------------------------- */

bool vtd_irq_adopt(struct vtd_unit *v, unsigned index, const uim_word *from)
{
    const uint64_t value[] = { uim_ld64(&from[0]), uim_ld64(&from[1]) };

    if (index >= ENTRIES)
        return false;
    vtd_entry_write(v, entry_of(v, index), value, 2);
    mark(v, index, 1, true);
    v->adopted.irtes[index / 64] |= UIM_BIT(index % 64);
    return true;
}

/* Moves *index on to the next entry that was adopted; false: there is none. */
static bool find_adopted(const struct vtd_unit *v, unsigned *index)
{
    for (unsigned i = *index; i < ENTRIES; i++) {
        if (!(v->adopted.irtes[i / 64] & UIM_BIT(i % 64)))
            continue;
        *index = i;
        return true;
    }
    return false;
}

/* One command for all, also for those that an earlier call found blocked. */
enum uiommu_status vtd_irqs_adopted_end(struct vtd_unit *v)
{
    enum uiommu_status status;

    if (!v->unit.remap)
        return UIOMMU_OK;
    for (unsigned i = 0; find_adopted(v, &i); i++)
        vtd_entry_block(v, entry_of(v, i));
    status = invalidate(v, VTD_IEC_GLOBAL, 0);
    if (status != UIOMMU_OK)
        return status;
    for (unsigned i = 0; find_adopted(v, &i); i++) {
        vtd_entry_zero(v, entry_of(v, i), 2);
        vtd_irq_free(&v->unit, i, 1);
    }
    return UIOMMU_OK;
}

/* ---- messages ---------------------------------------------------------------------- */

/* 5.1.2.2 and 5.1.5: subhandles where there are several. */
void vtd_irq_message(struct uim_unit *unit, unsigned first, unsigned n,
                     const struct uiommu_irq_target *target,
                     struct uiommu_irq_message *out)
{
    const struct vtd_msi_address_remappable_fields addr = {
        .fee = VTD_MSI_FEE,
        .handle_14_0 = first,
        .interrupt_format = 1,
        .shv = n > 1,
    };
    const struct vtd_ioapic_rte_remappable_fields rte = {
        .index_14_0 = first,
        .interrupt_format = 1,
        .tm = target->level,
        .intpol = target->active_low,
        .vector = target->vector,
    };

    (void)unit;
    out->addr = vtd_msi_address_remappable_pack(&addr).raw;
    out->data = 0;
    out->rte = vtd_ioapic_rte_remappable_pack(&rte).raw;
}
