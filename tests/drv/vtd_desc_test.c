/* SPDX-License-Identifier: MIT */
/*
 * Ranges as VT-d invalidation descriptors (semantics B.16, D-29 to D-33): what
 * the commands cover is computed from the manual's encoding, not from how the
 * driver made them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "drv/vtd/vtd.h"

#define LAST_PAGE (UINT64_MAX >> 12)

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

/* Pages first to last; short ones, long ones, at the ends of the space, across
 * borders of every order. */
static void next_range(uint64_t *first, uint64_t *last)
{
    unsigned lg2 = (unsigned)(next_random() % 53);
    uint64_t length = (next_random() & ((UINT64_C(1) << lg2) - 1)) + 1;
    uint64_t border = (next_random() & LAST_PAGE) >>
                      (next_random() % 52) << (next_random() % 52);

    border &= LAST_PAGE;
    switch (next_random() % 4) {
    case 0:
        *first = 0;
        break;
    case 1:
        *first = LAST_PAGE - (length - 1);
        break;
    case 2:
        *first = border > length / 2 ? border - length / 2 : 0;
        break;
    default:
        *first = next_random() & LAST_PAGE;
        break;
    }
    *last = length - 1 <= LAST_PAGE - *first ? *first + length - 1 : LAST_PAGE;
}

static struct uim_inval inval_of(uint64_t first, uint64_t last)
{
    return (struct uim_inval){
        .start = first << 12,
        .last = last << 12 | 0xfff,
        .leaf_only = true,
    };
}

/* What commands cover must be one piece around the range: they are adjacent. */
struct span {
    uint64_t first, last;
    bool any;
};

static void join(struct span *s, uint64_t first, uint64_t pages)
{
    uint64_t last = first + (pages - 1);

    if (s->any)
        assert_true(first == s->last + 1);
    else
        s->first = first;
    s->last = last;
    s->any = true;
}

static void check_span(const struct span *s, uint64_t first, uint64_t last,
                       uint64_t factor)
{
    uint64_t pages = last - first + 1;

    assert_true(s->any && s->first <= first && s->last >= last);
    assert_true((s->last - s->first) / factor < pages);
}

/* ---- iotlb_inv ----------------------------------------------------------- */

static struct span iotlb_span(const struct vtd_batch *b, unsigned max_am)
{
    struct span s = { .any = false };

    for (unsigned i = 0; i < b->n; i++) {
        struct vtd_qi_iotlb_hi hi = { b->desc[i].hi };
        unsigned am = (unsigned)vtd_qi_iotlb_hi_am(hi);
        uint64_t page = vtd_qi_iotlb_hi_addr(hi);

        assert_true(am <= max_am);
        assert_true(vtd_qi_iotlb_hi_ih(hi) == 1);
        assert_true((hi.raw & ~vtd_qi_iotlb_hi_DEFINED) == 0);
        assert_true((page & ((UINT64_C(1) << am) - 1)) == 0);
        join(&s, page, UINT64_C(1) << am);
    }
    return s;
}

static struct vtd_unit unit_with(unsigned mamv, bool psi)
{
    struct vtd_unit v = { .n_dids = 0 };

    v.cap = vtd_cap_pack(&(struct vtd_cap_fields){
        .mamv = mamv,
        .psi = psi,
        .drd = 1,
        .dwd = 1,
    });
    return v;
}

static void page_selective_covers_and_not_much_more(void **state)
{
    const struct vtd_did did = { 0x1234 };
    unsigned selective = 0;

    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        unsigned mamv = (unsigned)(next_random() % 53);
        const struct vtd_unit v = unit_with(mamv, true);
        struct vtd_batch b = { .n = 0 };
        struct uim_inval inval;
        uint64_t first, last;
        struct vtd_qi_iotlb_lo lo;
        struct span s;

        next_range(&first, &last);
        inval = inval_of(first, last);
        vtd_add_iotlb_range(&b, &v, did, &inval);
        assert_in_range(b.n, 1, VTD_COVER_MAX);
        lo.raw = b.desc[0].lo;
        assert_int_equal(vtd_qi_iotlb_lo_did(lo), did.id);
        assert_true(vtd_qi_iotlb_lo_dr(lo) && vtd_qi_iotlb_lo_dw(lo));
        if (vtd_qi_iotlb_lo_g(lo) == VTD_IOTLB_DOMAIN) {
            /* Only where blocks of 2^MAMV would be too many, or too small. */
            assert_true(b.n == 1 && b.desc[0].hi == 0);
            assert_true((last - first + 1) >> mamv >= 1);
            continue;
        }
        selective++;
        assert_int_equal(vtd_qi_iotlb_lo_g(lo), VTD_IOTLB_PAGE);
        s = iotlb_span(&b, mamv);
        check_span(&s, first, last, 3);
    }
    assert_true(selective > 100000);
}

static void single_pages_are_single_commands(void **state)
{
    static const uint64_t at[] = { 0, 1, 0x7ffffffff, LAST_PAGE };
    const struct vtd_unit v = unit_with(18, true);

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct uim_inval inval = inval_of(at[i], at[i]);
        struct vtd_batch b = { .n = 0 };

        vtd_add_iotlb_range(&b, &v, (struct vtd_did){ 2 }, &inval);
        assert_int_equal(b.n, 1);
        assert_true(b.desc[0].hi == (at[i] << 12 | 0x40));
    }
}

/* The count of pages alone does not tell the order. */
static void ranges_across_a_border_take_two_blocks(void **state)
{
    const struct vtd_unit v = unit_with(18, true);
    struct uim_inval inval = inval_of(0x3ffff, 0x40000);
    struct vtd_batch b = { .n = 0 };

    (void)state;
    vtd_add_iotlb_range(&b, &v, (struct vtd_did){ 2 }, &inval);
    assert_int_equal(b.n, 2);
    assert_true(b.desc[0].hi == (UINT64_C(0x3ffff) << 12 | 0x40));
    assert_true(b.desc[1].hi == (UINT64_C(0x40000) << 12 | 0x40));
}

static void large_leaves_are_single_commands(void **state)
{
    const struct vtd_unit v = unit_with(18, true);
    struct uim_inval two_mib = inval_of(0x200, 0x3ff);
    struct uim_inval one_gib = inval_of(0x40000, 0x7ffff);
    struct vtd_batch b = { .n = 0 };

    (void)state;
    vtd_add_iotlb_range(&b, &v, (struct vtd_did){ 2 }, &two_mib);
    vtd_add_iotlb_range(&b, &v, (struct vtd_did){ 2 }, &one_gib);
    assert_int_equal(b.n, 2);
    assert_true(b.desc[0].hi == (UINT64_C(0x200000) | 0x40 | 9));
    assert_true(b.desc[1].hi == (UINT64_C(0x40000000) | 0x40 | 18));
}

static void domain_selective_where_pages_cannot_be_named(void **state)
{
    const struct vtd_unit without = unit_with(18, false);
    const struct vtd_unit with = unit_with(18, true);
    struct uim_inval page = inval_of(5, 5);
    struct uim_inval all = { .all = true };
    struct vtd_batch b = { .n = 0 };

    (void)state;
    vtd_add_iotlb_range(&b, &without, (struct vtd_did){ 7 }, &page);
    vtd_add_iotlb_range(&b, &with, (struct vtd_did){ 7 }, &all);
    assert_int_equal(b.n, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(b.desc[i].lo == (7u << 16 | 0xe2)); /* DR DW G=10 type 2 */
        assert_true(b.desc[i].hi == 0);
    }
}

static void hint_only_if_no_table_changed(void **state)
{
    const struct vtd_unit v = unit_with(18, true);
    struct uim_inval inval = inval_of(5, 5);
    struct vtd_batch b = { .n = 0 };

    (void)state;
    inval.leaf_only = false;
    vtd_add_iotlb_range(&b, &v, (struct vtd_did){ 2 }, &inval);
    vtd_add_piotlb_range(&b, (struct vtd_did){ 2 }, 0, &inval);
    assert_true(b.desc[0].hi == 0x5000 && b.desc[1].hi == 0x5000);
}

/* ---- p_iotlb_inv --------------------------------------------------------- */

static void pasid_based_covers_too(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        struct vtd_batch b = { .n = 0 };
        struct vtd_qi_piotlb_lo lo;
        struct uim_inval inval;
        uint64_t first, last;
        struct span s;

        next_range(&first, &last);
        inval = inval_of(first, last);
        vtd_add_piotlb_range(&b, (struct vtd_did){ 9 }, 0x54321, &inval);
        lo.raw = b.desc[0].lo;
        assert_int_equal(vtd_qi_piotlb_lo_type(lo), VTD_QI_PIOTLB);
        assert_int_equal(vtd_qi_piotlb_lo_did(lo), 9);
        assert_int_equal(vtd_qi_piotlb_lo_pasid(lo), 0x54321);
        if (vtd_qi_piotlb_lo_g(lo) == VTD_PIOTLB_PASID) {
            assert_int_equal(b.n, 1);
            continue;
        }
        s = iotlb_span(&b, 18);
        check_span(&s, first, last, 3);
    }
}

/* ---- dev_tlb_inv --------------------------------------------------------- */

/* 6.5.2.5, as a device reads it. */
static void devtlb_read(uint64_t hi, uint64_t *first, uint64_t *pages)
{
    uint64_t address = hi >> 12;
    unsigned order = 0;

    *pages = 1;
    *first = address;
    if (!(hi & 1))
        return;
    while (address >> order & 1)
        order++;
    order++;
    *pages = UINT64_C(1) << order;
    *first = address & ~(*pages - 1);
}

static struct span devtlb_span(const struct vtd_batch *b)
{
    struct span s = { .any = false };

    for (unsigned i = 0; i < b->n; i++) {
        uint64_t first, pages;

        assert_true((b->desc[i].hi & 0xffe) == 0);
        devtlb_read(b->desc[i].hi, &first, &pages);
        join(&s, first, pages);
    }
    return s;
}

static void device_tlb_covers_and_not_much_more(void **state)
{
    const struct vtd_unit v = unit_with(0, false);
    const struct vtd_devtlb tlb = { { 0x1a8 }, { 0x1a8 }, 8 };

    (void)state;
    for (unsigned i = 0; i < 300000; i++) {
        struct vtd_batch b = { .n = 0 };
        struct uim_inval inval;
        uint64_t first, last;
        struct span s;

        next_range(&first, &last);
        inval = inval_of(first, last);
        vtd_add_devtlb_range(&b, &v, &tlb, &inval);
        assert_in_range(b.n, 1, VTD_COVER_MAX);
        assert_true(b.ats && b.sid.id == 0x1a8);
        s = devtlb_span(&b);
        check_span(&s, first, last, 3);
    }
}

static void every_order_says_its_size(void **state)
{
    (void)state;
    for (unsigned order = 0; order <= 52; order++) {
        uint64_t start = order < 52 ? UINT64_C(5) << order << 12 : 0;
        uint64_t first, pages;

        devtlb_read(vtd_devtlb_span(start, order), &first, &pages);
        assert_true(pages == UINT64_C(1) << order);
        assert_true(first == start >> 12);
    }
}

static void everything_is_one_command(void **state)
{
    const struct vtd_unit v = unit_with(0, false);
    struct uim_inval all = { .all = true };
    struct uim_inval whole = inval_of(0, LAST_PAGE);
    const struct vtd_devtlb tlb = { { 8 }, { 8 }, 1 };
    struct vtd_batch b = { .n = 0 };

    (void)state;
    vtd_add_devtlb_range(&b, &v, &tlb, &all);
    vtd_add_devtlb_range(&b, &v, &tlb, &whole);
    assert_int_equal(b.n, 2);
    assert_true(b.desc[0].hi == UINT64_C(0x7ffffffffffff001));
    assert_true(b.desc[1].hi == b.desc[0].hi);
}

static void queue_depth_and_physical_function(void **state)
{
    struct vtd_unit v = unit_with(0, false);
    struct uim_inval page = inval_of(0, 0);
    struct vtd_devtlb tlb = { { 0xabcd }, { 0xabcd }, 32 };
    struct vtd_batch b = { .n = 0 };

    (void)state;
    vtd_add_devtlb_range(&b, &v, &tlb, &page);
    v.ecap = vtd_ecap_pack(&(struct vtd_ecap_fields){ .dit = 1 });
    tlb.queue_depth = 31;
    vtd_add_devtlb_range(&b, &v, &tlb, &page);
    tlb.physical.id = 0x1234; /* of a virtual function */
    vtd_add_devtlb_range(&b, &v, &tlb, &page);
    assert_true(b.desc[0].lo == UINT64_C(0x0000abcd00000003));
    assert_true(b.desc[1].lo == UINT64_C(0xabc0abcd001fd003));
    assert_true(b.desc[2].lo == UINT64_C(0x1230abcd001f4003));
}

/* 6.5.2.6: word 0 is other, S is elsewhere, and GI=0; what is covered is the same. */
static void with_a_pasid_they_cover_the_same(void **state)
{
    struct vtd_unit v = unit_with(0, false);
    const struct vtd_devtlb tlb = { { 0xabcd }, { 0xabcd }, 31 };

    (void)state;
    v.ecap = vtd_ecap_pack(&(struct vtd_ecap_fields){ .dit = 1 });
    for (unsigned i = 0; i < 100000; i++) {
        struct vtd_batch plain = { .n = 0 }, b = { .n = 0 };
        struct uim_inval inval;
        uint64_t first, last;

        next_range(&first, &last);
        inval = inval_of(first, last);
        inval.all = i % 100 == 0;
        vtd_add_devtlb_range(&plain, &v, &tlb, &inval);
        vtd_add_pdevtlb_range(&b, &v, &tlb, 0x54321, &inval);
        assert_true(b.ats && b.sid.id == 0xabcd);
        assert_int_equal(b.n, plain.n);
        for (unsigned k = 0; k < b.n; k++) {
            uint64_t hi = plain.desc[k].hi;

            assert_true(b.desc[k].lo == UINT64_C(0xabc54321abcdd1f8));
            assert_true(b.desc[k].hi == ((hi & ~UINT64_C(1)) | (hi & 1) << 11));
        }
    }
}

/* ---- the rest ------------------------------------------------------------ */

static void other_commands(void **state)
{
    const struct vtd_unit v = unit_with(0, false);
    struct vtd_batch b = { .n = 0 };
    struct vtd_desc wait = vtd_wait_desc(UINT64_C(0x123456789c), 0xcafe, false);

    (void)state;
    vtd_add_context(&b, VTD_CC_DEVICE, (struct vtd_did){ 0x22 },
                    (struct vtd_sid){ 0x0310 });
    vtd_add_context(&b, VTD_CC_GLOBAL, (struct vtd_did){ 0 },
                    (struct vtd_sid){ 0 });
    vtd_add_pasid_cache(&b, VTD_PC_PASID, (struct vtd_did){ 0x22 }, 0x12345);
    vtd_add_pasid_cache(&b, VTD_PC_GLOBAL, (struct vtd_did){ 0 }, 0);
    vtd_add_iotlb(&b, &v, VTD_IOTLB_GLOBAL, (struct vtd_did){ 0 });
    vtd_add_piotlb(&b, (struct vtd_did){ 0x22 }, 0x12345);
    assert_true(b.desc[0].lo == UINT64_C(0x0000031000220031));
    assert_true(b.desc[1].lo == 0x11);
    assert_true(b.desc[2].lo == UINT64_C(0x0001234500220017));
    assert_true(b.desc[3].lo == 0x37);
    assert_true(b.desc[4].lo == 0xd2);
    assert_true(b.desc[5].lo == UINT64_C(0x0001234500220026));
    for (unsigned i = 0; i < b.n; i++)
        assert_true(b.desc[i].hi == 0);
    assert_true(wait.lo == UINT64_C(0x0000cafe00000025));
    assert_true(wait.hi == UINT64_C(0x123456789c));
}

/* 7.6.1: the codes are those of the wire, whatever uiommu calls them (D-17). */
static void answers_have_the_codes_of_the_wire(void **state)
{
    static const struct {
        struct uim_page_answer answer;
        uint64_t lo;
    } rows[] = {
        { { 0x310, 0x12345, 0x1ab, UIOMMU_RESPONSE_SUCCESS, false },
          UINT64_C(0x0001234503100019) },
        { { 0x310, 0x12345, 0x1ab, UIOMMU_RESPONSE_INVALID, false },
          UINT64_C(0x0001234503101019) },
        { { 0x310, 0x12345, 0x1ab, UIOMMU_RESPONSE_FAILURE, false },
          UINT64_C(0x000123450310f019) },
        { { 0x310, UIOMMU_NO_PASID, 0x1ab, UIOMMU_RESPONSE_FAILURE, false },
          UINT64_C(0x000000000310f009) },
    };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct vtd_batch b = { .n = 0 };

        vtd_add_page_response(&b, &rows[i].answer);
        assert_int_equal(b.n, 1);
        assert_true(b.desc[0].lo == rows[i].lo);
        assert_true(b.desc[0].hi == 0xd58);
    }
}

/* 7.11, 6.5.2.9 */
static void a_drain_is_fenced(void **state)
{
    const struct vtd_desc wait = vtd_wait_desc(0x1000, 1, true);
    struct vtd_batch b = { .n = 0 };

    (void)state;
    vtd_add_fence(&b);
    assert_true(b.desc[0].lo == 0x45 && b.desc[0].hi == 0);
    assert_true(wait.lo == UINT64_C(0x1000000a5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_selective_covers_and_not_much_more),
        cmocka_unit_test(single_pages_are_single_commands),
        cmocka_unit_test(ranges_across_a_border_take_two_blocks),
        cmocka_unit_test(large_leaves_are_single_commands),
        cmocka_unit_test(domain_selective_where_pages_cannot_be_named),
        cmocka_unit_test(hint_only_if_no_table_changed),
        cmocka_unit_test(pasid_based_covers_too),
        cmocka_unit_test(device_tlb_covers_and_not_much_more),
        cmocka_unit_test(every_order_says_its_size),
        cmocka_unit_test(everything_is_one_command),
        cmocka_unit_test(queue_depth_and_physical_function),
        cmocka_unit_test(with_a_pasid_they_cover_the_same),
        cmocka_unit_test(other_commands),
        cmocka_unit_test(answers_have_the_codes_of_the_wire),
        cmocka_unit_test(a_drain_is_fenced),
    };

    return cmocka_run_group_tests_name("VT-d descriptors", tests, NULL, NULL);
}
