/* SPDX-License-Identifier: MIT */
#include "pt_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Domains of which all leaves are pages have many tables. */
enum { N_TABLES = 2048, N_TABLES_PAGES = 8192, SIDE_BY_SIDE = 4 };

/* ---- the cross product --------------------------------------------------- */

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)
#define TIB(n) ((uint64_t)(n) << 40)

enum { N_SIZES = 4 };

/* End with 0. The last one of VT-d is no hardware's, but a domain may leave a size
 * out. */
static const uint64_t vtd[N_SIZES + 1] = {
    KIB(4),
    KIB(4) | MIB(2),
    KIB(4) | MIB(2) | GIB(1),
    KIB(4) | GIB(1),
};
static const uint64_t arm_4k[N_SIZES + 1] = {
    KIB(4) | MIB(2) | GIB(1),
    KIB(4) | KIB(64) | MIB(2) | MIB(32) | GIB(1) | GIB(16),
    KIB(4) | KIB(64),
};
static const uint64_t arm_4k_blocks[N_SIZES + 1] = {
    KIB(4) | MIB(2) | GIB(1),
};
static const uint64_t arm_4k_runs[N_SIZES + 1] = {
    KIB(4) | KIB(64) | MIB(2) | MIB(32) | GIB(1) | GIB(16),
};
static const uint64_t arm_16k[N_SIZES + 1] = {
    KIB(16) | MIB(32),
    KIB(16) | MIB(2) | MIB(32) | GIB(1),
};
static const uint64_t arm_16k_runs[N_SIZES + 1] = {
    KIB(16) | MIB(2) | MIB(32) | GIB(1),
};
static const uint64_t arm_64k[N_SIZES + 1] = {
    KIB(64) | MIB(512),
    KIB(64) | MIB(2) | MIB(512) | GIB(16) | TIB(4),
};
static const uint64_t arm_4k_ds[N_SIZES + 1] = {
    KIB(4) | KIB(64) | MIB(2) | MIB(32) | GIB(1) | GIB(16) | GIB(512),
};
static const uint64_t arm_16k_ds[N_SIZES + 1] = {
    KIB(16) | MIB(2) | MIB(32) | GIB(1) | GIB(64),
};

#define FORMAT(name) &uim_pt_##name, &uim_walk_##name

static const struct {
    const struct uim_pt_ops *ops;
    const struct uim_walk_format *format;
    unsigned levels, side_by_side;
    uint8_t phys_bits;
    const uint64_t *sizes;
} formats[] = {
    { FORMAT(vtd_ss), 3, 0, 46, vtd },
    { FORMAT(vtd_ss), 4, 0, 46, vtd },
    { FORMAT(vtd_ss), 5, 0, 46, vtd },
    { FORMAT(vtd_fs), 4, 0, 46, vtd },
    { FORMAT(vtd_fs), 5, 0, 46, vtd },
    { FORMAT(vmsa_s1_4k), 2, 0, 48, arm_4k_runs },
    { FORMAT(vmsa_s1_4k), 3, 0, 48, arm_4k_runs },
    { FORMAT(vmsa_s1_4k), 4, 0, 48, arm_4k },
    { FORMAT(vmsa_s2_4k), 2, 4, 48, arm_4k_blocks },
    { FORMAT(vmsa_s2_4k), 3, 4, 48, arm_4k_runs },
    { FORMAT(vmsa_s2_4k), 4, 0, 48, arm_4k_blocks },
    { FORMAT(vmsa_s1_16k), 3, 0, 48, arm_16k_runs },
    { FORMAT(vmsa_s1_16k), 4, 0, 48, arm_16k },
    { FORMAT(vmsa_s2_16k), 2, 4, 48, arm_16k_runs },
    { FORMAT(vmsa_s2_16k), 3, 1, 48, arm_16k },
    { FORMAT(vmsa_s1_64k), 2, 0, 52, arm_64k },
    { FORMAT(vmsa_s1_64k), 3, 0, 52, arm_64k },
    { FORMAT(vmsa_s2_64k), 3, 0, 52, arm_64k },
    { FORMAT(vmsa_s1_4k_ds), 5, 0, 52, arm_4k_ds },
    { FORMAT(vmsa_s2_4k_ds), 4, 4, 52, arm_4k_ds },
    { FORMAT(vmsa_s1_16k_ds), 4, 0, 52, arm_16k_ds },
    { FORMAT(vmsa_s2_16k_ds), 3, 4, 52, arm_16k_ds },
};

enum { N_FORMATS = sizeof(formats) / sizeof(formats[0]) };

bool pt_case(unsigned n, struct pt_case *out)
{
    unsigned f, i, at = n / 2;

    for (f = 0; f < N_FORMATS; f++) {
        for (i = 0; formats[f].sizes[i] && at > 0; i++)
            at--;
        if (!formats[f].sizes[i])
            continue;
        *out = (struct pt_case){
            .ops = formats[f].ops,
            .format = formats[f].format,
            .levels = formats[f].levels,
            .side_by_side = formats[f].side_by_side,
            .phys_bits = formats[f].phys_bits,
            .page_sizes = formats[f].sizes[i],
            .coherent = n % 2 == 0,
        };
        return true;
    }
    return false;
}

void pt_case_name(const struct pt_case *c, char *name, size_t size)
{
    static const char units[] = "KMGT";
    size_t at = (size_t)snprintf(name, size, "%s-%u", c->ops->name, c->levels);
    unsigned lg2;

    for (lg2 = 12; lg2 < 64 && at < size; lg2++)
        if (c->page_sizes >> lg2 & 1)
            at +=
                (size_t)snprintf(name + at, size - at, "%c%u%c",
                                 c->page_sizes & (UIM_BIT(lg2) - 1) ? '+' : ',',
                                 1u << lg2 % 10, units[lg2 / 10 - 1]);
    if (at < size)
        snprintf(name + at, size - at, ",%s",
                 c->coherent ? "coherent" : "flushed");
}

bool pt_has(const struct pt_rig *r, uint64_t size)
{
    return (r->c.page_sizes & size) != 0;
}

/* First-stage entries cannot refuse a read. */
unsigned pt_granted(const struct pt_rig *r, unsigned flags)
{
    if (!r->c.format->leaf.read)
        flags |= UIOMMU_READ;
    return flags & RW;
}

/* ---- open and close ------------------------------------------------------ */

/* First-stage addresses of VT-d are sign-extended: the lower half. */
unsigned pt_case_bits(const struct pt_case *c)
{
    unsigned page = c->format->page_lg2, most = c->ops->max_bits;
    unsigned bits = page + (page - 3) * c->levels + c->side_by_side -
                    (c->format->canonical ? 1 : 0);

    return bits < most ? bits : most;
}

static struct uim_pt_config config_of(const struct pt_rig *r)
{
    return (struct uim_pt_config){
        .host = memory_host_api(r->m),
        .iova_bits = (uint8_t)pt_case_bits(&r->c),
        .levels = (uint8_t)r->c.levels,
        .phys_bits = r->c.phys_bits,
        .page_sizes = r->c.page_sizes,
        .coherent = r->c.coherent,
        .snoop = true,
    };
}

static void fill_geometry(struct pt_rig *r)
{
    unsigned page_lg2 = r->c.format->page_lg2, bits = page_lg2 - 3;

    r->page = UIM_BIT(page_lg2);
    r->large = r->page << bits;
    r->huge = r->large << bits;
    r->order = page_lg2 - 12;
}

struct pt_rig *pt_rig_open(const struct pt_case *c)
{
    struct memory_host_config memory = {
        .direct = c->coherent,
        .coherent = c->coherent,
        .n_large = SIDE_BY_SIDE + 2, /* three such roots */
    };
    struct pt_rig *r = calloc(1, sizeof(*r));
    struct uim_pt_config config;

    r->c = *c;
    fill_geometry(r);
    memory.order = r->order;
    memory.n_pages = c->ops->run_sizes ? N_TABLES : N_TABLES_PAGES;
    r->m = memory_host_open(&memory);
    config = config_of(r);
    assert_int_equal(c->ops->create(&r->pt, &config), UIOMMU_OK);
    r->base_pages = memory_host_live_pages(r->m);
    r->last_iova = UIM_BIT(config.iova_bits) - 1;
    r->walk = (struct uim_walk_params){
        .format = c->format,
        .page_sizes = c->page_sizes,
        .unreserved = UIM_BIT(11), /* SNP */
        .top = (uint8_t)(c->levels - 1),
        .phys_bits = c->phys_bits,
        .input_bits = c->format->canonical ? 0 : config.iova_bits,
    };
    return r;
}

void pt_rig_close(struct pt_rig *r)
{
    r->c.ops->destroy(&r->pt);
    if (memory_host_violations(r->m))
        fail_msg("%s", memory_host_violation(r->m));
    assert_int_equal(memory_host_live(r->m), 0);
    memory_host_close(r->m);
    free(r);
}

/* ---- the whole tree ------------------------------------------------------ */

struct level {
    uint64_t phys, iova;
    unsigned next;
};

static uint64_t read_cpu(struct pt_rig *r, uint64_t phys)
{
    uint64_t value = 0;

    assert_true(memory_host_cpu_read(r->m, phys, &value));
    return value;
}

static void hash_in(struct pt_tree *tree, uint64_t value)
{
    tree->hash = (tree->hash ^ value) * UINT64_C(0x100000001b3);
    tree->hash ^= tree->hash >> 29;
}

static void visit_leaf(struct pt_rig *r, struct pt_tree *tree, uint64_t entry,
                       unsigned level, uint64_t iova)
{
    unsigned lg2 = uim_walk_shift(&r->walk, level);

    tree->leaves++;
    tree->mapped += UIM_BIT(lg2);
    hash_in(tree, iova | level);
    hash_in(tree, entry);
}

/* The leaves of a run are all there, and all say so. */
static void check_run(struct pt_rig *r, const struct level *t, unsigned index,
                      unsigned level)
{
    unsigned n = 1u << r->c.format->run_lg2[level], first = index & ~(n - 1), i;
    uint64_t entry = read_cpu(r, t->phys + first * 8ull);
    uint64_t span = UIM_BIT(uim_walk_shift(&r->walk, level));

    assert_true(n > 1 && pt_has(r, span * n));
    assert_true(entry & r->c.format->run);
    for (i = 1; index == first && i < n; i++)
        assert_true(read_cpu(r, t->phys + (first + i) * 8ull) ==
                    entry + i * span);
}

/* Entries of a table at that level. */
static unsigned words(const struct pt_rig *r, unsigned level)
{
    unsigned shift = uim_walk_shift(&r->walk, level);

    if (level == r->pt.top && r->walk.input_bits > 0)
        return 1u << (r->walk.input_bits - shift);
    return 1u << (uim_walk_shift(&r->walk, level + 1) - shift);
}

static void enter_table(struct pt_rig *r, struct pt_tree *tree,
                        struct level *at, uint64_t phys, uint64_t iova)
{
    *at = (struct level){ phys, iova, 0 };
    tree->tables++;
    tree->seen = tree->seen && memory_host_seen(r->m, phys);
    hash_in(tree, iova + 1);
}

struct pt_tree rig_tree(struct pt_rig *r)
{
    struct pt_tree tree = { .hash = 1, .seen = true };
    struct level at[UIM_WALK_LEVELS];
    unsigned level = r->pt.top;

    enter_table(r, &tree, &at[level], r->pt.root_phys, 0);
    while (level < r->pt.top || at[level].next < words(r, level)) {
        struct level *t = &at[level];
        struct uim_walk_entry e;
        uint64_t entry, iova;

        if (t->next == words(r, level)) {
            level++;
            continue;
        }
        entry = read_cpu(r, t->phys + t->next * 8);
        iova = t->iova + ((uint64_t)t->next << uim_walk_shift(&r->walk, level));
        t->next++;
        e = uim_walk_decode(&r->walk, level, entry);
        assert_int_not_equal(e.kind, UIM_WALK_RESERVED);
        if (e.kind == UIM_WALK_LEAF && (entry & r->c.format->run))
            check_run(r, t, t->next - 1, level);
        if (e.kind == UIM_WALK_HOLE)
            assert_int_equal(entry, 0);
        else if (e.kind == UIM_WALK_LEAF)
            visit_leaf(r, &tree, entry, level, iova);
        else
            enter_table(r, &tree, &at[--level], e.address, iova);
    }
    return tree;
}

struct rig_state rig_state(struct pt_rig *r)
{
    return (struct rig_state){ rig_tree(r), memory_host_live(r->m) };
}

void rig_assert_same(struct pt_rig *r, const struct rig_state *before)
{
    struct rig_state now = rig_state(r);

    assert_int_equal(now.live, before->live);
    assert_int_equal(now.tree.tables, before->tree.tables);
    assert_int_equal(now.tree.leaves, before->tree.leaves);
    assert_true(now.tree.hash == before->tree.hash);
}

/* ---- ops ----------------------------------------------------------------- */

static void check_seen(struct pt_rig *r)
{
    if (!r->c.coherent && !r->brief)
        assert_true(rig_tree(r).seen);
    if (memory_host_violations(r->m))
        fail_msg("%s", memory_host_violation(r->m));
}

enum uiommu_status rig_map(struct pt_rig *r, uint64_t iova, uint64_t phys,
                           uint64_t size, unsigned flags)
{
    enum uiommu_status status = r->c.ops->map(&r->pt, iova, phys, size, flags);

    check_seen(r);
    return status;
}

enum uiommu_status rig_map_sg(struct pt_rig *r, uint64_t iova,
                              const struct uiommu_segment *segments, size_t n,
                              unsigned flags)
{
    enum uiommu_status status;
    uint64_t size = 0;

    for (size_t i = 0; i < n; i++)
        size += segments[i].size;
    status = r->c.ops->map_sg(&r->pt, iova, segments, n, size, flags);
    check_seen(r);
    return status;
}

enum uiommu_status rig_unmap(struct pt_rig *r, uint64_t iova, uint64_t size,
                             struct uiommu_gather *g)
{
    struct uiommu_gather own = { 0 };
    enum uiommu_status status =
        r->c.ops->unmap(&r->pt, iova, size, g ? g : &own);

    check_seen(r);
    if (!g)
        uim_pt_retire(&r->pt, &own);
    return status;
}

enum uiommu_status rig_split(struct pt_rig *r, uint64_t iova, uint64_t size,
                             struct uiommu_gather *g)
{
    struct uiommu_gather own = { 0 };
    enum uiommu_status status =
        r->c.ops->split(&r->pt, iova, size, g ? g : &own);

    check_seen(r);
    if (!g)
        uim_pt_retire(&r->pt, &own);
    return status;
}

/* ---- looking ------------------------------------------------------------- */

static unsigned rights_of(const struct uim_walk_entry *e)
{
    return (e->read ? UIOMMU_READ : 0u) | (e->write ? UIOMMU_WRITE : 0u);
}

static void assert_same_path(const struct pt_rig *r,
                             const struct uiommu_trace *trace,
                             const struct uim_walk_result *walk)
{
    unsigned level;

    assert_int_equal(trace->top, r->pt.top);
    assert_int_equal(trace->level, walk->level);
    for (level = walk->level; level <= r->pt.top; level++)
        assert_true(trace->entry[level] == walk->entry[level]);
}

bool rig_look(struct pt_rig *r, uint64_t iova, struct uiommu_trace *trace)
{
    struct uim_walk_result walk;
    enum uiommu_status status;

    memset(trace, 0xee, sizeof(*trace));
    status = r->c.ops->walk(&r->pt, iova, trace);
    uim_walk(&r->walk, memory_host_device_read, r->m, r->pt.root_phys, iova,
             &walk);
    assert_same_path(r, trace, &walk);
    if (status != UIOMMU_OK) {
        assert_int_equal(status, UIOMMU_NOENT);
        assert_int_equal(walk.end.kind, UIM_WALK_HOLE);
        return false;
    }
    assert_int_equal(walk.end.kind, UIM_WALK_LEAF);
    assert_true(walk.end.user);
    assert_int_equal(trace->flags, rights_of(&walk.end));
    assert_true(trace->page_size == UIM_BIT(walk.end.lg2));
    assert_true(trace->phys ==
                walk.end.address + (iova & (trace->page_size - 1)));
    return true;
}

void rig_assert_mapped(struct pt_rig *r, uint64_t iova, uint64_t phys,
                       uint64_t size, unsigned flags)
{
    const uint64_t at[] = { 0, size / 2, size / 3, size - r->page, size - 1 };
    unsigned i;

    for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        struct uiommu_trace trace;

        assert_true(rig_look(r, iova + at[i], &trace));
        assert_true(trace.phys == phys + at[i]);
        assert_int_equal(trace.flags, pt_granted(r, flags));
    }
}

void rig_assert_hole(struct pt_rig *r, uint64_t iova, uint64_t size)
{
    const uint64_t at[] = { 0, size / 2, size / 3, size - 1 };
    struct uiommu_trace trace;
    unsigned i;

    for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        assert_false(rig_look(r, iova + at[i], &trace));
}

uint64_t rig_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

uint64_t rig_seed(uint64_t seed)
{
    const char *text = getenv("UIOMMU_SEED");

    return text ? strtoull(text, NULL, 0) : seed;
}
