/* SPDX-License-Identifier: MIT */
/*
 * neighbours_test.c - devices behind one unit, each with a domain of its own: one
 * address leads each to its own memory, what is one's is a fault of the others, and
 * they do not notice when one goes. On every machine and in every mode; engines 0 and 1
 * share a bus, engine 2 is behind a root port.
 *
 * In QEMU this is about requests without PASID: it has no device that sends others.
 */
#include "tests/scenario/stand.h"

#include <stdio.h>
#include <string.h>

#include "spec/vtd_tables.h"

#define PAGE UINT64_C(4096)
#define BASE UINT64_C(0x80000000)
#define OWN                                                                    \
    UINT64_C(0x90000000) /* plus its number in pages: one engine's alone */
#define RW (UIOMMU_READ | UIOMMU_WRITE)

enum { ALL = STAND_ENGINES };

/* Each has its first page at BASE, as they all have one; its second at OWN. */
struct home {
    uint64_t common, own;
    struct uiommu_domain *domain;
};

static uint64_t own_of(unsigned n)
{
    return OWN + n * PAGE;
}

/* ---- memory --------------------------------------------------------------- */

static uint8_t *at(struct stand *s, uint64_t phys)
{
    return (uint8_t *)(uintptr_t)(phys + s->m->host.direct_offset);
}

static uint64_t new_page(struct stand *s)
{
    uint64_t phys;

    assert_non_null(s->m->host.pages_alloc(s->m->host.ctx, 0, 0, &phys));
    return phys;
}

static void free_page(struct stand *s, uint64_t phys)
{
    s->m->host.pages_free(s->m->host.ctx, at(s, phys), phys, 0);
}

static bool all_are(struct stand *s, uint64_t phys, uint8_t value)
{
    for (uint64_t i = 0; i < PAGE; i++)
        if (at(s, phys)[i] != value)
            return false;
    return true;
}

/* No two engines' are alike, nor two rounds' of one. */
static uint8_t mark(unsigned n, unsigned round)
{
    return (uint8_t)(0x40 * (n + 1) + round);
}

/* ---- DMA ------------------------------------------------------------------ */

static enum machine_dma fill(struct stand *s, unsigned n, uint64_t iova,
                             uint8_t value)
{
    uint8_t data[4096];

    memset(data, value, sizeof(data));
    return machine_dma(s->m, s->engine[n], true, iova, data, sizeof(data));
}

static enum machine_dma get(struct stand *s, unsigned n, uint64_t iova,
                            uint8_t *value)
{
    return machine_dma(s->m, s->engine[n], false, iova, value, 1);
}

static void fills(struct stand *s, unsigned n, uint64_t iova, uint8_t value)
{
    if (fill(s, n, iova, value) != MACHINE_DMA_DONE)
        fail_msg("%s: engine %u: %s", s->name, n, s->m->error);
}

static void gets(struct stand *s, unsigned n, uint64_t iova, uint8_t value)
{
    uint8_t got = (uint8_t)~value;

    if (get(s, n, iova, &got) != MACHINE_DMA_DONE)
        fail_msg("%s: engine %u: %s", s->name, n, s->m->error);
    assert_int_equal(got, value);
}

/* The last fault is this engine's, at this page, for this. */
static void assert_fault(struct stand *s, unsigned n, uint64_t iova,
                         unsigned access)
{
    const struct machine_device *d = &s->m->devices[s->engine[n]];

    assert_true(stand_reason(s) != 0);
    assert_int_equal(s->fault.id, (unsigned)d->pci.bus << 8 | d->pci.devfn);
    assert_true(s->fault.has_source);
    assert_int_equal(s->fault.source.bus, d->pci.bus);
    assert_int_equal(s->fault.source.devfn, d->pci.devfn);
    assert_ptr_equal(s->fault.device, s->device[s->engine[n]]);
    assert_int_equal(s->fault.access, access);
    assert_true(s->fault.has_iova);
    assert_int_equal(s->fault.iova, iova);
}

/* Both ways, by the right name. */
static void refused(struct stand *s, unsigned n, uint64_t iova)
{
    uint8_t value;

    stand_forget_faults(s);
    assert_int_equal(fill(s, n, iova, 0xee), MACHINE_DMA_REFUSED);
    assert_fault(s, n, iova, UIOMMU_WRITE);
    stand_forget_faults(s);
    assert_int_equal(get(s, n, iova, &value), MACHINE_DMA_REFUSED);
    assert_fault(s, n, iova, UIOMMU_READ);
}

/* ---- homes ---------------------------------------------------------------- */

static struct home move_in(struct stand *s, unsigned n)
{
    struct uiommu_range area = machine_engine_area(s->m, s->engine[n]);
    struct home h = { .common = new_page(s), .own = new_page(s) };

    stand_ok(uiommu_domain_create(stand_endpoint(s, n), NULL, &h.domain));
    if (area.size > 0)
        stand_ok(uiommu_map(h.domain, area.iova, area.iova, area.size, RW));
    stand_ok(uiommu_map(h.domain, BASE, h.common, PAGE, RW));
    stand_ok(uiommu_map(h.domain, own_of(n), h.own, PAGE, RW));
    stand_ok(uiommu_set_domain(stand_endpoint(s, n), h.domain, NULL));
    return h;
}

static void move_out(struct stand *s, unsigned n, struct home *h)
{
    stand_ok(
        uiommu_set_domain(stand_endpoint(s, n), uiommu_blocked(s->u), NULL));
    uiommu_domain_put(h->domain);
    free_page(s, h->common);
    free_page(s, h->own);
}

static void all_move_in(struct stand *s, struct home h[ALL])
{
    for (unsigned n = 0; n < ALL; n++)
        h[n] = move_in(s, n);
}

static void all_move_out(struct stand *s, struct home h[ALL])
{
    for (unsigned n = 0; n < ALL; n++)
        move_out(s, n, &h[n]);
}

/* ---- what is whose --------------------------------------------------------- */

static void assert_marked(struct stand *s, const struct home h[ALL],
                          unsigned round)
{
    for (unsigned n = 0; n < ALL; n++) {
        assert_true(all_are(s, h[n].common, mark(n, round)));
        gets(s, n, BASE, mark(n, round));
    }
}

/* The second round finds all translations in the unit's caches. */
static void one_address_is_a_place_of_each(struct stand *s)
{
    struct home h[ALL];

    all_move_in(s, h);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned n = 0; n < ALL; n++)
            fills(s, n, BASE, mark(n, round));
        assert_marked(s, h, round);
    }
    all_move_out(s, h);
}

/* Each in turn, so that a page which is not its own would be seen to change. */
static void what_one_writes_is_in_no_other_memory(struct stand *s)
{
    struct home h[ALL];

    all_move_in(s, h);
    for (unsigned n = 0; n < ALL; n++) {
        for (unsigned i = 0; i < ALL; i++) {
            memset(at(s, h[i].common), 0x11, PAGE);
            memset(at(s, h[i].own), 0x22, PAGE);
        }
        fills(s, n, BASE, mark(n, 0));
        fills(s, n, own_of(n), mark(n, 1));
        for (unsigned i = 0; i < ALL; i++) {
            assert_true(all_are(s, h[i].common, i == n ? mark(n, 0) : 0x11));
            assert_true(all_are(s, h[i].own, i == n ? mark(n, 1) : 0x22));
        }
    }
    all_move_out(s, h);
}

/* By the id of who tried, and nobody's page is touched. */
static void what_one_has_is_a_fault_of_the_others(struct stand *s)
{
    struct home h[ALL];

    all_move_in(s, h);
    for (unsigned owner = 0; owner < ALL; owner++) {
        fills(s, owner, own_of(owner), mark(owner, 0));
        for (unsigned n = 0; n < ALL; n++)
            if (n != owner)
                refused(s, n, own_of(owner));
        gets(s, owner, own_of(owner), mark(owner, 0));
    }
    for (unsigned n = 0; n < ALL; n++)
        assert_true(all_are(s, h[n].own, mark(n, 0)));
    all_move_out(s, h);
}

/* What was in the caches by one's name is so by the others'. */
static void what_one_loses_the_others_keep(struct stand *s)
{
    struct home h[ALL];

    all_move_in(s, h);
    for (unsigned loser = 0; loser < ALL; loser++) {
        for (unsigned n = 0; n < ALL; n++)
            fills(s, n, BASE, mark(n, loser));
        stand_ok(uiommu_unmap(h[loser].domain, BASE, PAGE, NULL));
        refused(s, loser, BASE);
        for (unsigned n = 0; n < ALL; n++)
            if (n != loser)
                gets(s, n, BASE, mark(n, loser));
        stand_ok(uiommu_map(h[loser].domain, BASE, h[loser].common, PAGE, RW));
        assert_marked(s, h, loser);
    }
    all_move_out(s, h);
}

/* That neighbours are apart is of their domains: these see that they are not. */
static void a_domain_of_two_is_seen_by_both(struct stand *s)
{
    struct uiommu_range area = machine_engine_area(s->m, s->engine[2]);
    struct home h = move_in(s, 0);

    if (area.size > 0)
        stand_ok(uiommu_map(h.domain, area.iova, area.iova, area.size, RW));
    stand_ok(uiommu_set_domain(stand_endpoint(s, 2), h.domain, NULL));
    fills(s, 0, BASE, mark(0, 0));
    gets(s, 2, BASE, mark(0, 0));
    fills(s, 2, own_of(0), mark(2, 0));
    gets(s, 0, own_of(0), mark(2, 0));
    stand_ok(
        uiommu_set_domain(stand_endpoint(s, 2), uiommu_blocked(s->u), NULL));
    move_out(s, 0, &h);
}

/* ---- one goes -------------------------------------------------------------- */

static void remove_device(struct stand *s, unsigned n)
{
    stand_ok(uiommu_device_remove(s->device[s->engine[n]]));
    s->device[s->engine[n]] = NULL;
}

/* It may do nothing, and its name is known even so. */
static void assert_gone(struct stand *s, unsigned n)
{
    stand_forget_faults(s);
    assert_int_equal(fill(s, n, BASE, 0xee), MACHINE_DMA_REFUSED);
    assert_true(stand_reason(s) != 0);
    assert_null(s->fault.device);
    assert_int_equal(s->fault.source.devfn,
                     s->m->devices[s->engine[n]].pci.devfn);
    assert_int_equal(s->fault.source.bus, s->m->devices[s->engine[n]].pci.bus);
}

/* Old translations and new ones. */
static void assert_goes_on(struct stand *s, unsigned n, const struct home *h,
                           unsigned round)
{
    gets(s, n, BASE, mark(n, 0));
    stand_ok(uiommu_unmap(h->domain, own_of(n), PAGE, NULL));
    refused(s, n, own_of(n));
    stand_ok(uiommu_map(h->domain, own_of(n), h->own, PAGE, RW));
    fills(s, n, own_of(n), mark(n, round));
    assert_true(all_are(s, h->own, mark(n, round)));
    assert_true(all_are(s, h->common, mark(n, 0)));
}

static void the_others_go_on_when_one_goes(struct stand *s)
{
    struct home h[ALL];

    all_move_in(s, h);
    for (unsigned n = 0; n < ALL; n++)
        fills(s, n, BASE, mark(n, 0));
    for (unsigned gone = 0; gone + 1 < ALL; gone++) {
        move_out(s, gone, &h[gone]);
        remove_device(s, gone);
        for (unsigned n = 0; n <= gone; n++)
            assert_gone(s, n);
        for (unsigned n = gone + 1; n < ALL; n++)
            assert_goes_on(s, n, &h[n], gone + 1);
    }
    move_out(s, ALL - 1, &h[ALL - 1]);
}

/* ---- tables --------------------------------------------------------------- */

/* What the unit finds for an engine: D51397 9.2 to 9.6. */
struct found {
    uint64_t directory, table, root;
    unsigned did, present; /* of how many entries of the table */
};

static uint64_t context_of(struct stand *s, struct uiommu_pci pci)
{
    uint64_t rta = stand_rtaddr(s) & ~(PAGE - 1), half = pci.devfn >> 7;
    struct vtd_root_scalable_lo root = { stand_peek(
        s, rta + (uint64_t)pci.bus * VTD_ROOT_ENTRY_BYTES + 8 * half) };

    assert_int_equal(vtd_root_scalable_lo_lp(root), 1);
    return vtd_root_scalable_lo_lctp(root) * PAGE +
           (pci.devfn & 127u) * VTD_CONTEXT_SCALABLE_BYTES;
}

static unsigned count_present(struct stand *s, uint64_t table)
{
    unsigned n = 0;

    for (unsigned i = 0; i < VTD_PASID_TABLE_ENTRIES; i++)
        n += vtd_pasid_entry_q0_p((struct vtd_pasid_entry_q0){ stand_peek(
                 s, table + (uint64_t)i * VTD_PASID_ENTRY_BYTES) }) != 0;
    return n;
}

static struct found find(struct stand *s, unsigned n)
{
    uint64_t at = context_of(s, s->m->devices[s->engine[n]].pci), entry;
    struct vtd_ctx_scalable_q0 q0 = { stand_peek(s, at) };
    uint64_t pasid = vtd_ctx_scalable_q1_rid_pasid(
        (struct vtd_ctx_scalable_q1){ stand_peek(s, at + 8) });
    struct found f = { .directory =
                           vtd_ctx_scalable_q0_pasiddirptr(q0) * PAGE };
    struct vtd_pasid_dir dir = { stand_peek(
        s, f.directory + (pasid >> 6) * VTD_PASID_DIR_ENTRY_BYTES) };

    assert_int_equal(vtd_ctx_scalable_q0_p(q0), 1);
    assert_int_equal(vtd_pasid_dir_p(dir), 1);
    f.table = vtd_pasid_dir_smptblptr(dir) * PAGE;
    f.present = count_present(s, f.table);
    entry = f.table + (pasid & 63) * VTD_PASID_ENTRY_BYTES;
    f.did = (unsigned)vtd_pasid_entry_q1_did(
        (struct vtd_pasid_entry_q1){ stand_peek(s, entry + 8) });
    f.root = vtd_pasid_entry_q0_ssptptr(
                 (struct vtd_pasid_entry_q0){ stand_peek(s, entry) }) |
             vtd_pasid_entry_q2_fsptptr(
                 (struct vtd_pasid_entry_q2){ stand_peek(s, entry + 16) });
    return f;
}

/* In its table there is the entry for requests without PASID, and nothing else. */
static void each_has_a_pasid_table_of_its_own(struct stand *s)
{
    struct found f[ALL];
    struct home h[ALL];
    uint32_t last;

    if (s->place->mode_index == 0) {
        printf("NA: %s: legacy mode has no PASID tables\n", s->name);
        return;
    }
    all_move_in(s, h);
    for (unsigned n = 0; n < ALL; n++) {
        assert_int_equal(uiommu_pasid_last(stand_endpoint(s, n), &last),
                         UIOMMU_OPNOTSUPP);
        f[n] = find(s, n);
        assert_int_equal(f[n].present, 1);
        for (unsigned i = 0; i < n; i++) {
            assert_true(f[n].directory != f[i].directory);
            assert_true(f[n].table != f[i].table);
            assert_true(f[n].root != f[i].root);
            assert_true(f[n].did != f[i].did);
        }
    }
    all_move_out(s, h);
}

int main(void)
{
    static const struct stand_test tests[] = {
        { "one_address_is_a_place_of_each", one_address_is_a_place_of_each,
          STAND_REMAPS, 0, false },
        { "what_one_writes_is_in_no_other_memory",
          what_one_writes_is_in_no_other_memory, STAND_REMAPS, 0, false },
        { "what_one_has_is_a_fault_of_the_others",
          what_one_has_is_a_fault_of_the_others, STAND_REMAPS, 0, false },
        { "what_one_loses_the_others_keep", what_one_loses_the_others_keep,
          STAND_REMAPS, 0, false },
        { "a_domain_of_two_is_seen_by_both", a_domain_of_two_is_seen_by_both,
          STAND_REMAPS, 0, false },
        { "the_others_go_on_when_one_goes", the_others_go_on_when_one_goes,
          STAND_REMAPS, 0, false },
        { "each_has_a_pasid_table_of_its_own",
          each_has_a_pasid_table_of_its_own, STAND_REMAPS, 0, false },
    };

    return stand_run("neighbours", tests, sizeof(tests) / sizeof(tests[0]));
}
