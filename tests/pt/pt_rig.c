/* SPDX-License-Identifier: MIT */
#include "pt_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_PAGES = 8192, WORDS = 512, PHYS_BITS = 46 };

/* ---- the cross product --------------------------------------------------- */

static const struct {
    const struct uim_pt_ops *ops;
    const struct uim_walk_format *format;
    unsigned levels;
} formats[] = {
    { &uim_pt_vtd_ss, &uim_walk_vtd_ss, 3 },
    { &uim_pt_vtd_ss, &uim_walk_vtd_ss, 4 },
    { &uim_pt_vtd_ss, &uim_walk_vtd_ss, 5 },
    { &uim_pt_vtd_fs, &uim_walk_vtd_fs, 4 },
    { &uim_pt_vtd_fs, &uim_walk_vtd_fs, 5 },
};

/* The last one is no hardware's, but a domain may leave a size out. */
static const uint64_t sizes[] = {
    UIM_BIT(12),
    UIM_BIT(12) | UIM_BIT(21),
    UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30),
    UIM_BIT(12) | UIM_BIT(30),
};

enum {
    N_FORMATS = sizeof(formats) / sizeof(formats[0]),
    N_SIZES = sizeof(sizes) / sizeof(sizes[0]),
};

bool pt_case(unsigned n, struct pt_case *out)
{
    if (n >= N_FORMATS * N_SIZES * 2)
        return false;
    out->coherent = n % 2 == 0;
    out->page_sizes = sizes[n / 2 % N_SIZES];
    out->ops = formats[n / 2 / N_SIZES].ops;
    out->format = formats[n / 2 / N_SIZES].format;
    out->levels = formats[n / 2 / N_SIZES].levels;
    return true;
}

void pt_case_name(const struct pt_case *c, char *name, size_t size)
{
    snprintf(name, size, "%s-%u,4K%s%s,%s", c->ops->name, c->levels,
             c->page_sizes & UIM_BIT(21) ? "+2M" : "",
             c->page_sizes & UIM_BIT(30) ? "+1G" : "",
             c->coherent ? "coherent" : "flushed");
}

bool pt_has(const struct pt_rig *r, unsigned lg2)
{
    return (r->c.page_sizes >> lg2 & 1) != 0;
}

/* ---- open and close ------------------------------------------------------ */

static struct uim_pt_config config_of(const struct pt_rig *r)
{
    /* First-stage addresses are sign-extended: the lower half. */
    unsigned bits = 12 + 9 * r->c.levels - (r->c.format->canonical ? 1 : 0);

    return (struct uim_pt_config){
        .host = memory_host_api(r->m),
        .iova_bits = (uint8_t)bits,
        .levels = (uint8_t)r->c.levels,
        .phys_bits = PHYS_BITS,
        .page_sizes = r->c.page_sizes,
        .coherent = r->c.coherent,
        .snoop = true,
    };
}

struct pt_rig *pt_rig_open(const struct pt_case *c)
{
    struct memory_host_config memory = {
        .n_pages = N_PAGES,
        .direct = c->coherent,
        .coherent = c->coherent,
    };
    struct pt_rig *r = calloc(1, sizeof(*r));
    struct uim_pt_config config;

    r->c = *c;
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
        .phys_bits = PHYS_BITS,
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
    while (level < r->pt.top || at[level].next < WORDS) {
        struct level *t = &at[level];
        struct uim_walk_entry e;
        uint64_t entry, iova;

        if (t->next == WORDS) {
            level++;
            continue;
        }
        entry = read_cpu(r, t->phys + t->next * 8);
        iova = t->iova + ((uint64_t)t->next << uim_walk_shift(&r->walk, level));
        t->next++;
        e = uim_walk_decode(&r->walk, level, entry);
        assert_int_not_equal(e.kind, UIM_WALK_RESERVED);
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

enum uiommu_status rig_unmap(struct pt_rig *r, uint64_t iova, uint64_t size,
                             struct uim_gather *g)
{
    struct uim_gather own = { 0 };
    enum uiommu_status status =
        r->c.ops->unmap(&r->pt, iova, size, g ? g : &own);

    check_seen(r);
    if (!g)
        uim_pt_retire(&r->pt, &own);
    return status;
}

enum uiommu_status rig_split(struct pt_rig *r, uint64_t iova, uint64_t size,
                             struct uim_gather *g)
{
    struct uim_gather own = { 0 };
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
    const uint64_t at[] = { 0, size / 2, size / 3, size - PAGE, size - 1 };
    unsigned i;

    /* First-stage entries cannot refuse a read. */
    if (r->c.format == &uim_walk_vtd_fs)
        flags |= UIOMMU_READ;
    for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        struct uiommu_trace trace;

        assert_true(rig_look(r, iova + at[i], &trace));
        assert_true(trace.phys == phys + at[i]);
        assert_int_equal(trace.flags, flags & RW);
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
