/* SPDX-License-Identifier: MIT */
/*
 * lines_vtd.c - VT-d faults as Linux and Xen of all ages print them, and raw
 * registers.
 *
 *   DMAR:[DMA Write] Request device [00:02.0] fault addr 6df084000
 *   DMAR:[fault reason 05] PTE Write access is not set               Linux 2.6
 *   DMAR: [DMA Read] Request device [41:00.0] PASID 1 fault addr 7ecdcd000
 *     [fault reason 129] ...                                         Linux 5.0
 *   DMAR: [DMA Read NO_PASID] Request device [00:02.0] fault addr 0x7cd80000
 *     [fault reason 0x01] ...                                        Linux 5.14
 *   [VT-D]DMAR:[DMA Read] Request device [0000:00:02.0] fault addr 8e480000,
 *     iommu reg = ffff82c00021d000
 *   [VT-D]DMAR: reason 06 - PTE Read access is not set               Xen 4
 *   FRCD[0] 0x0000000012345000 0xc000000600000010; FSTS 0x2          registers
 */
#include "tools/lines.h"

#include "spec/vtd.h"
#include "spec/vtd_fault.h"
#include "spec/vtd_tables.h"

enum {
    REASON_MAX = 0xff, /* FR has 8 bits (11.4.7.6) */
    LINES_AHEAD = 3,   /* other CPUs print between the two lines of a fault */
    LINES_DUMPED = 16, /* root, context, PASID, and page-table entries      */
};

#define FSTS(field)                                                            \
    ((uint32_t)vtd_fsts_pack(&(struct vtd_fsts_fields){ .field = 1 }).raw)

/* ---- parts --------------------------------------------------------------- */

static void set_reason(struct uim_record *r, uint64_t reason)
{
    if (reason > REASON_MAX)
        return;
    r->reason = (uint32_t)reason;
    r->has |= UIM_HAS_REASON;
}

/* Linux: decimal until 5.13, then with 0x. Xen 3: 06h. */
static bool linux_reason(struct lines_text *t, struct uim_record *r)
{
    struct lines_text u = *t;
    uint64_t reason;

    if (!lines_decimal(&u, "]", &reason) || !lines_skip(&u, "]")) {
        u = *t;
        if (!lines_hex(&u, "]h", &reason))
            return false;
        (void)lines_skip(&u, "h");
        if (!lines_skip(&u, "]"))
            return false;
    }
    set_reason(r, reason);
    t->at = u.at;
    return true;
}

static bool xen_reason(struct lines_text *t, struct uim_record *r)
{
    uint64_t reason;

    if (!lines_hex(t, "-", &reason) || !lines_skip(t, " -"))
        return false;
    set_reason(r, reason);
    return true;
}

static bool starts_another(struct lines_text t)
{
    return lines_skip(&t, "Request device") || lines_skip(&t, "[DMA ") ||
           lines_skip(&t, "handling fault status");
}

/* On this line or one of the next; there may be other faults before it. */
static void find_reason(struct lines_text *t, struct uim_record *r)
{
    struct lines_text u = *t;
    unsigned lines = 0;

    for (; u.at < u.size && lines <= LINES_AHEAD; u.at++) {
        if (starts_another(u))
            return;
        if ((lines_skip(&u, "[fault reason ") && linux_reason(&u, r)) ||
            (lines_skip(&u, ": reason ") && xen_reason(&u, r))) {
            t->used = u.at;
            return;
        }
        lines += u.at < u.size && u.text[u.at] == '\n';
    }
}

/* Both stages have their rights in the same bits (9.7, 9.8). */
static void set_rights(struct uim_record *r, struct vtd_ss_pte entry)
{
    r->rights = (vtd_ss_pte_r(entry) ? UIOMMU_READ : 0u) |
                (vtd_ss_pte_w(entry) ? UIOMMU_WRITE : 0u);
    r->has |= UIM_HAS_RIGHTS;
}

/* The entry where the walk ends comes last. */
static void find_entry(struct lines_text t, struct uim_record *r)
{
    unsigned lines = 0;
    uint64_t raw;

    for (; t.at < t.size && lines < LINES_DUMPED && !starts_another(t);
         t.at++) {
        lines += t.text[t.at] == '\n';
        if (!lines_skip(&t, "PTE = ") && !lines_skip(&t, "pte value: "))
            continue;
        r->has &= ~(unsigned)UIM_HAS_RIGHTS;
        if (lines_hex(&t, "", &raw))
            set_rights(r, (struct vtd_ss_pte){ raw });
    }
}

/* "[00:02.0]"; a version of Linux wrote one bracket more. */
static bool take_device(struct lines_text *t, struct uim_record *r)
{
    if (!lines_skip(t, " Request device"))
        return false;
    if (lines_skip(t, " [")) {
        (void)lines_skip(t, "[");
        (void)(lines_pci(t, r) && lines_skip(t, "]"));
    }
    return true;
}

/* True: it says something of PASIDs. Until Linux 5.13 all ones are none. */
static bool take_pasid(struct lines_text *t, struct uim_record *r)
{
    uint64_t pasid;

    if (lines_skip(t, " NO_PASID"))
        return true;
    if (!lines_skip(t, " PASID ") || !lines_hex(t, "]f", &pasid))
        return false;
    r->pasid = (uint32_t)pasid;
    if (pasid < UINT64_C(1) << 20)
        r->has |= UIM_HAS_PASID;
    return true;
}

static bool take_number(struct lines_text *t, struct uim_record *r,
                        const char *before)
{
    if (!lines_skip(t, before) || !lines_hex(t, "[,R", &r->address))
        return false;
    r->has |= UIM_HAS_ADDRESS;
    return true;
}

/* The index is where an address would be; Linux prints some reasons of interrupt
 * remapping, which it does not know, as faults of DMA. */
static void settle(struct uim_record *r)
{
    bool as_dma = r->kind == UIM_RECORD_DMA;

    uim_record_settle(r);
    if (as_dma && r->kind == UIM_RECORD_INTERRUPT)
        r->address =
            vtd_frcd_ir_lo_index((struct vtd_frcd_ir_lo){ r->address });
}

/* ---- faults in words ----------------------------------------------------- */

static bool ends_line(const struct lines_text *t)
{
    return t->at == t->size || t->text[t->at] == '\n';
}

/* A line of Linux 5 that ends behind a number was cut: that may lack digits. */
static void drop_cut(struct lines_text *t, struct uim_record *r)
{
    if (!(r->has & UIM_HAS_ADDRESS))
        r->has &= ~(unsigned)UIM_HAS_PASID;
    else if (ends_line(t) && !(r->has & UIM_HAS_REASON))
        r->has &= ~(unsigned)UIM_HAS_ADDRESS;
}

static bool read_dma(struct lines_text *t, struct uim_record *r)
{
    bool modern;

    if (!lines_skip(t, "Read") && !lines_skip(t, "Write"))
        return false;
    r->access = t->text[t->at - 1] == 'd' ? UIOMMU_READ : UIOMMU_WRITE;
    r->has |= UIM_HAS_ACCESS;
    modern = take_pasid(t, r);
    if (!lines_skip(t, "]") || !take_device(t, r))
        return false;
    modern |= take_pasid(t, r);
    (void)take_number(t, r, " fault addr ");
    find_reason(t, r);
    find_entry(*t, r);
    if (modern)
        drop_cut(t, r);
    settle(r);
    return true;
}

/* Whether the index means something depends on the reason. */
static bool read_interrupt(struct lines_text *t, struct uim_record *r)
{
    r->kind = UIM_RECORD_INTERRUPT;
    if (!take_device(t, r))
        return false;
    (void)take_number(t, r, " fault index ");
    find_reason(t, r);
    if (!(r->has & UIM_HAS_REASON))
        r->has &= ~(unsigned)UIM_HAS_ADDRESS;
    settle(r);
    return true;
}

/* Xen 3: "iommu_fault:DMA Read: 0:1d.1 addr 7d2ce000 REASON 6 iommu->reg = ..." */
static bool read_xen3(struct lines_text *t, struct uim_record *r)
{
    uint64_t reason;

    r->access = lines_skip(t, "Read") ? UIOMMU_READ : UIOMMU_WRITE;
    r->has |= UIM_HAS_ACCESS;
    if (r->access == UIOMMU_WRITE && !lines_skip(t, "Write"))
        return false;
    if (!lines_skip(t, ": ") || !lines_pci(t, r))
        return false;
    if (take_number(t, r, " addr ") && lines_skip(t, " REASON ") &&
        lines_hex(t, "i", &reason))
        set_reason(r, reason);
    settle(r);
    return true;
}

/* The second line of a fault whose first one is lost. */
static bool read_linux_reason(struct lines_text *t, struct uim_record *r)
{
    if (!linux_reason(t, r) || t->at <= t->used)
        return false;
    settle(r);
    return r->has & UIM_HAS_REASON;
}

static bool read_xen_reason(struct lines_text *t, struct uim_record *r)
{
    if (!xen_reason(t, r) || t->at <= t->used)
        return false;
    settle(r);
    return r->has & UIM_HAS_REASON;
}

static bool read_mapped_twice(struct lines_text *t, struct uim_record *r)
{
    uint64_t page;

    if (!lines_hex(t, "a", &page) || !lines_skip(t, " already set"))
        return false;
    r->kind = UIM_RECORD_SOFTWARE;
    r->reason = UIM_SOFTWARE_MAPPED_TWICE;
    if (page >= UINT64_C(1) << 52)
        return true;
    r->address = page << 12;
    r->has |= UIM_HAS_ADDRESS;
    return true;
}

/* ---- status -------------------------------------------------------------- */

static bool set_status(struct uim_record *r, uint64_t status)
{
    if (status == 0 || status > UINT32_MAX)
        return false;
    r->kind = UIM_RECORD_STATUS;
    r->reason = (uint32_t)status;
    r->has |= UIM_HAS_REASON;
    return true;
}

static bool read_status(struct lines_text *t, struct uim_record *r)
{
    uint64_t status;

    return lines_hex(t, "\n", &status) && set_status(r, status);
}

/* Units that do not record who it was say 0. */
static void set_sid(struct uim_record *r, uint64_t sid)
{
    if (sid == 0 || sid >= 0xffff)
        return;
    r->source.bus = (uint8_t)(sid >> 8);
    r->source.devfn = (uint8_t)sid;
    r->has |= UIM_HAS_SOURCE;
}

static bool read_invalidation(struct lines_text *t, struct uim_record *r)
{
    uint64_t sid;

    if (lines_skip(t, "Queue Error"))
        return set_status(r, FSTS(iqe));
    if (lines_skip(t, "Time-out Error"))
        (void)set_status(r, FSTS(ite));
    else if (lines_skip(t, "Completion Error"))
        (void)set_status(r, FSTS(ice));
    else
        return false;
    if (lines_skip(t, ": SID ") && lines_hex(t, "\n", &sid))
        set_sid(r, sid);
    return true;
}

/* Xen prints one line for each bit; "Primary Pending Fault" says nothing. */
static bool read_xen_status(struct lines_text *t, struct uim_record *r)
{
    const struct {
        const char *words;
        uint32_t bit;
    } bits[] = {
        { "Fault Overflow", FSTS(pfo) },
        { "Invalidation Queue Error", FSTS(iqe) },
        { "Invalidation Completion Error", FSTS(ice) },
        { "Invalidation Timeout Error", FSTS(ite) },
    };

    for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
        if (lines_skip(t, bits[i].words))
            return set_status(r, bits[i].bit);
    return false;
}

/* ---- raw registers ------------------------------------------------------- */

/* "FSTS: 2", "FSTS_REG = 0x2"; a dump may have the offset before it. */
static bool read_fsts(struct lines_text *t, struct uim_record *r)
{
    uint64_t words[2];
    bool wide;
    unsigned n, at;

    if (!lines_name(t))
        return false;
    n = lines_words(t, words, 2, &wide);
    at = n > 0 && words[0] == VTD_REG_FSTS;
    return n > at && set_status(r, words[at]);
}

/* FI has no bits below 12, and F is the highest bit: so it can be seen which is
 * the low word. */
static bool take_record(uint64_t a, uint64_t b, struct uim_record *r)
{
    return ((a & 0xfff) == 0 && uim_vtd_record(a, b, r)) ||
           ((b & 0xfff) == 0 && uim_vtd_record(b, a, r));
}

/* The high word alone: the source ends it, where the low one has zeros. */
static bool take_high(uint64_t hi, struct uim_record *r)
{
    if ((hi & 0xfff) == 0 || !uim_vtd_record(0, hi, r))
        return false;
    r->has &= ~(unsigned)UIM_HAS_ADDRESS;
    return true;
}

/* Two words of 64 bits or four of 32, the low one first; before them may be an
 * offset. */
static bool read_frcd(struct lines_text *t, struct uim_record *r)
{
    uint64_t w[5], *last;
    unsigned n;
    bool wide;

    if (!lines_name(t))
        return false;
    n = lines_words(t, w, 5, &wide);
    last = w + n;
    if (n >= 4 && !wide)
        return take_record(last[-3] << 32 | last[-4], last[-1] << 32 | last[-2],
                           r);
    if (n == 1)
        return take_high(w[0], r);
    return n >= 2 && n <= 3 && take_record(last[-2], last[-1], r);
}

static const struct lines_reader readers[] = {
    { "[DMA ", read_dma },
    { "[INTR-REMAP]", read_interrupt },
    { "INTR-REMAP:", read_interrupt },
    { "iommu_fault:DMA ", read_xen3 },
    { "[fault reason ", read_linux_reason },
    { "DMAR: reason ", read_xen_reason },
    { "INTR-REMAP: reason ", read_xen_reason },
    { "handling fault status reg ", read_status },
    { "VT-d detected Invalidation ", read_invalidation },
    { "iommu_fault_status: ", read_xen_status },
    { "DMA PTE for vPFN ", read_mapped_twice },
    { "FSTS", read_fsts },
    { "FRCD", read_frcd },
};

const struct lines_format lines_vtd = {
    .driver = "vtd",
    .readers = readers,
    .n = sizeof(readers) / sizeof(readers[0]),
};
