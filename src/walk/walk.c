/* SPDX-License-Identifier: MIT */
/*
 * walk.c - the interpreter, and the formats of VT-d (D51397 rev 5.10, 9.7,
 * 9.8). Those of Arm are in walk_vmsa.c.
 */
#include "walk/walk.h"

#include "spec/vtd_tables.h"

enum { ENTRY_LG2 = 3 };

/* ---- formats ------------------------------------------------------------- */

/* vtd_ss_pte_snp_HIGH and _LOW, which can stand in an initializer. */
#define PLACE(P, n, hi, lo) P##_##n##_HIGH = (hi), P##_##n##_LOW = (lo),
enum { VTD_SS_PTE(PLACE, vtd_ss_pte) VTD_FS_PTE(PLACE, vtd_fs_pte) };
#define BITS(field) UIM_MASK(field##_HIGH, field##_LOW)

/* Address bits of a leaf of 2^lg2 bytes that have to be 0, from bit `low`
 * on. */
#define BELOW(lg2, low) UIM_MASK((lg2)-1, low)

/* SNP and IW are there for all units in the layout; a unit without SC has no
 * SNP, one without SSIRWE no IW. In non-leaf entries bit 11 is always reserved.
 * SS-PML4E and SS-PML5E reserve PS: no unit has leaves of that size.         */
#define SS_TABLE (BITS(vtd_ss_pte_snp) | BITS(vtd_ss_pte_iw))
#define SS_LEAF  (BITS(vtd_ss_pte_snp) | BITS(vtd_ss_pte_iw))

const struct uim_walk_format uim_walk_vtd_ss = {
    .name = "vtd_ss",
    .present = BITS(vtd_ss_pte_r) | BITS(vtd_ss_pte_w),
    .large = BITS(vtd_ss_pte_ps),
    .leaf = { .read = BITS(vtd_ss_pte_r), .write = BITS(vtd_ss_pte_w) },
    .table = { .read = BITS(vtd_ss_pte_r), .write = BITS(vtd_ss_pte_w) },
    .accessed = BITS(vtd_ss_pte_a),
    .dirty = BITS(vtd_ss_pte_d),
    .address = BITS(vtd_ss_pte_addr),
    .page_lg2 = 12,
    .levels = 5,
    .reserved_table = { SS_TABLE, SS_TABLE, SS_TABLE, SS_TABLE, SS_TABLE },
    .reserved_leaf = { SS_LEAF, SS_LEAF | BELOW(21, 12),
                       SS_LEAF | BELOW(30, 12), SS_LEAF, SS_LEAF },
};

/* Bit 12 of a large leaf is PAT. Bits 62:52 are ignored, and XD since 4.1. */
const struct uim_walk_format uim_walk_vtd_fs = {
    .name = "vtd_fs",
    .present = BITS(vtd_fs_pte_p),
    .large = BITS(vtd_fs_pte_ps),
    .leaf = { .write = BITS(vtd_fs_pte_rw), .user = BITS(vtd_fs_pte_us) },
    .table = { .write = BITS(vtd_fs_pte_rw), .user = BITS(vtd_fs_pte_us) },
    .accessed = BITS(vtd_fs_pte_a),
    .dirty = BITS(vtd_fs_pte_d),
    .address = BITS(vtd_fs_pte_addr),
    .page_lg2 = 12,
    .levels = 5,
    .canonical = true,
    .reserved_leaf = { 0, BELOW(21, 13), BELOW(30, 13), 0, 0 },
};

/* ---- one entry ----------------------------------------------------------- */

unsigned uim_walk_shift(const struct uim_walk_params *params, unsigned level)
{
    unsigned page_lg2 = params->format->page_lg2;

    return page_lg2 + (page_lg2 - ENTRY_LG2) * level;
}

static unsigned input_width(const struct uim_walk_params *params)
{
    if (params->input_bits > 0)
        return params->input_bits;
    return uim_walk_shift(params, params->top + 1u);
}

uint64_t uim_walk_offset(const struct uim_walk_params *params, unsigned level,
                         uint64_t iova)
{
    unsigned shift = uim_walk_shift(params, level);
    unsigned end = level == params->top ? input_width(params)
                                        : uim_walk_shift(params, level + 1);

    return (iova & UIM_MASK(end - 1, 0)) >> shift << ENTRY_LG2;
}

bool uim_walk_fits(const struct uim_walk_params *params, uint64_t iova)
{
    unsigned width = input_width(params);
    uint64_t above;

    if (!params->format->canonical)
        return iova >> width == 0;
    above = iova >> (width - 1);
    return above == 0 || above == ~UINT64_C(0) >> (width - 1);
}

static uint64_t address_of(const struct uim_walk_format *f, uint64_t entry)
{
    return (entry & f->address) | (entry & f->high) << f->high_up;
}

/* Address bits that the unit does not have. */
static bool beyond(const struct uim_walk_params *params, uint64_t entry)
{
    return address_of(params->format, entry) >> params->phys_bits != 0;
}

static bool has_size(const struct uim_walk_params *params, unsigned lg2)
{
    return (params->page_sizes >> lg2 & 1) != 0;
}

static bool has_right(uint64_t entry, uint64_t grants, uint64_t takes)
{
    return (!grants || (entry & grants)) && !(entry & takes);
}

static struct uim_walk_entry decode_rights(const struct uim_walk_format *f,
                                           const struct uim_walk_rights *r,
                                           uint64_t entry)
{
    return (struct uim_walk_entry){
        .read = has_right(entry, r->read, 0),
        .write = has_right(entry, r->write, r->no_write),
        .user = has_right(entry, r->user, r->no_user),
        .exec = has_right(entry, r->exec, r->no_exec),
        .accessed = (entry & f->accessed) != 0,
    };
}

static void decode_table(const struct uim_walk_params *params, unsigned level,
                         uint64_t entry, struct uim_walk_entry *out)
{
    const struct uim_walk_format *f = params->format;

    *out = decode_rights(f, &f->table, entry);
    if ((entry & f->reserved_table[level]) || beyond(params, entry)) {
        out->kind = UIM_WALK_RESERVED;
        return;
    }
    out->kind = UIM_WALK_TABLE;
    out->address = address_of(f, entry);
}

static void decode_leaf(const struct uim_walk_params *params, unsigned level,
                        uint64_t entry, struct uim_walk_entry *out)
{
    const struct uim_walk_format *f = params->format;
    uint64_t reserved = f->reserved_leaf[level] & ~params->unreserved;

    *out = decode_rights(f, &f->leaf, entry);
    out->lg2 = (uint8_t)uim_walk_shift(params, level);
    out->dirty = (entry & f->dirty) || (f->clean && !(entry & f->clean));
    out->write = out->write || (entry & f->modify);
    if (!has_size(params, out->lg2)) {
        out->kind = f->holes ? UIM_WALK_HOLE : UIM_WALK_RESERVED;
        return;
    }
    if ((entry & reserved) || beyond(params, entry)) {
        out->kind = UIM_WALK_RESERVED;
        return;
    }
    if (entry & f->run)
        out->lg2 = (uint8_t)(out->lg2 + f->run_lg2[level]);
    out->kind = UIM_WALK_LEAF;
    out->address = uim_align_down(address_of(f, entry), UIM_BIT(out->lg2));
}

static bool is_table(const struct uim_walk_format *f, unsigned level,
                     uint64_t entry)
{
    return level > 0 && (f->large ? !(entry & f->large) : (entry & f->next));
}

struct uim_walk_entry uim_walk_decode(const struct uim_walk_params *params,
                                      unsigned level, uint64_t entry)
{
    const struct uim_walk_format *f = params->format;
    struct uim_walk_entry out = { .kind = UIM_WALK_HOLE };

    if (!(entry & f->present))
        return out;
    if (is_table(f, level, entry))
        decode_table(params, level, entry, &out);
    else if (level > 0 || !f->next || (entry & f->next))
        decode_leaf(params, level, entry, &out);
    return out;
}

/* ---- from the root ------------------------------------------------------- */

static void and_rights(struct uim_walk_entry *sum,
                       const struct uim_walk_entry *e)
{
    bool read = sum->read && e->read;
    bool write = sum->write && e->write;
    bool user = sum->user && e->user;
    bool exec = sum->exec && e->exec;

    *sum = *e;
    sum->read = read;
    sum->write = write;
    sum->user = user;
    sum->exec = exec;
}

/* From a table at out->level on; out->end has the rights that led there. */
static void go_down(const struct uim_walk_params *params, uim_walk_read read,
                    void *ctx, uint64_t table, uint64_t iova,
                    struct uim_walk_result *out)
{
    for (;; out->level--) {
        struct uim_walk_entry e = { .kind = UIM_WALK_FETCH };
        const unsigned level = out->level;

        out->entry_phys[level] = table + uim_walk_offset(params, level, iova);
        if (read(ctx, out->entry_phys[level], &out->entry[level]))
            e = uim_walk_decode(params, level, out->entry[level]);
        and_rights(&out->end, &e);
        if (e.kind != UIM_WALK_TABLE)
            return;
        table = e.address;
    }
}

static const struct uim_walk_entry all_rights = {
    .read = true,
    .write = true,
    .user = true,
    .exec = true,
};

void uim_walk(const struct uim_walk_params *params, uim_walk_read read,
              void *ctx, uint64_t root, uint64_t iova,
              struct uim_walk_result *out)
{
    *out = (struct uim_walk_result){
        .level = params->top,
        .end = { .kind = UIM_WALK_WIDTH },
    };
    if (!uim_walk_fits(params, iova))
        return;
    out->end = all_rights;
    go_down(params, read, ctx, root, iova, out);
}

/* The lowest level from `level` up whose table both addresses are looked up in. */
static unsigned meet(const struct uim_walk_params *params, unsigned level,
                     uint64_t a, uint64_t b)
{
    while (level < params->top &&
           (a ^ b) >> uim_walk_shift(params, level + 1) != 0)
        level++;
    return level;
}

void uim_walk_on(const struct uim_walk_params *params, uim_walk_read read,
                 void *ctx, uint64_t root, uint64_t from, uint64_t iova,
                 struct uim_walk_result *at)
{
    const unsigned low = meet(params, at->level, from, iova);

    if (low == params->top) {
        uim_walk(params, read, ctx, root, iova, at);
        return;
    }
    at->end = all_rights;
    at->end.address = root;
    for (unsigned level = params->top; level > low; level--) {
        const struct uim_walk_entry e =
            uim_walk_decode(params, level, at->entry[level]);

        and_rights(&at->end, &e);
    }
    at->level = (uint8_t)low;
    go_down(params, read, ctx, at->end.address, iova, at);
}
