/* SPDX-License-Identifier: MIT */
/*
 * What the SMMUv3 driver tells its unit to forget: every command is one that there is,
 * and together they cover what changed (4.4, 4.5; semantics D-42).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_smmu.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum { ROOT = 0x10000 };

static const struct uim_inval everything = { .all = true };

static bool is_range(unsigned opcode)
{
    return opcode == SMMUV3_CMD_TLBI_NH_VA || opcode == SMMUV3_CMD_TLBI_S2_IPA;
}

/* What one TLBI with an address covers; 4.4.1.1 says which there are. */
struct span {
    uint64_t first, last;
    bool leaf;
};

static struct span span_of(const struct smmu *s, struct smmuv3_cmd c)
{
    const struct smmuv3_cmd_tlbi_nh_va_q0 q0 = { c.q0 };
    const struct smmuv3_cmd_tlbi_nh_va_q1 q1 = { c.q1 };
    const uint64_t num = smmuv3_cmd_tlbi_nh_va_q0_num(q0);
    const uint64_t scale = smmuv3_cmd_tlbi_nh_va_q0_scale(q0);
    const uint64_t tg = smmuv3_cmd_tlbi_nh_va_q1_tg(q1);
    const uint64_t first = smmuv3_cmd_tlbi_nh_va_q1_address(q1) << 12;
    const unsigned lg2 = s->v->granule_lg2;

    assert_int_equal(smmuv3_cmd_tlbi_nh_va_q1_ttl(q1), 0);
    if (!s->idr3.ril) {
        assert_int_equal(num | scale | tg, 0);
        return (struct span){ first, first + UIM_BIT(lg2) - 1,
                              smmuv3_cmd_tlbi_nh_va_q1_leaf(q1) };
    }
    assert_int_equal(10 + 2 * tg, lg2);
    assert_true(num + scale > 0);
    assert_true(scale < 32);
    assert_int_equal(first & (UIM_BIT(lg2) - 1), 0);
    return (struct span){ first, first + ((num + 1) << scale << lg2) - 1,
                          smmuv3_cmd_tlbi_nh_va_q1_leaf(q1) };
}

/* In one piece from the first byte on, and no more than a page too much. */
static void check_ranges(const struct smmu *s, const struct uim_inval *inval)
{
    const uint64_t page = UIM_BIT(s->v->granule_lg2);
    uint64_t at = inval->start & ~(page - 1);

    for (unsigned i = 0; i + 1 < s->n_commands; i++) {
        const struct span span = span_of(s, s->command[i]);

        assert_true(is_range(smmu_opcode(s->command[i])));
        assert_true(span.first == at);
        assert_int_equal(span.leaf, inval->leaf_only);
        at = span.last + 1;
    }
    assert_true(at > inval->last);
    assert_true(at - inval->last <= 2 * page);
}

static uint32_t id_of(const struct smmu *s, struct smmuv3_cmd c)
{
    return (uint32_t)(c.q0 >> (smmuv3_first_stage(s->v) ? 48 : 32)) & 0xffff;
}

static void check(struct smmu *s, struct smmu_domain *d, uint64_t first,
                  uint64_t last, bool leaf_only)
{
    const struct uim_inval inval = { .start = first,
                                     .last = last,
                                     .leaf_only = leaf_only };
    const unsigned whole = smmuv3_first_stage(s->v) ? SMMUV3_CMD_TLBI_NH_ASID
                                                    : SMMUV3_CMD_TLBI_S12_VMALL;
    unsigned n;

    smmu_forget(s);
    assert_int_equal(s->unit->ops->invalidate(&d->link, &inval), UIOMMU_OK);
    n = s->n_commands;
    assert_true(n >= 2 && n <= 16);
    assert_int_equal(smmu_opcode(s->command[n - 1]), SMMUV3_CMD_SYNC);
    for (unsigned i = 0; i + 1 < n; i++)
        assert_int_equal(id_of(s, s->command[i]), d->link.id);
    if (smmu_opcode(s->command[0]) == whole)
        assert_int_equal(n, 2);
    else
        check_ranges(s, &inval);
}

static const uint64_t pages_of[] = {
    1,
    2,
    15,
    16,
    31,
    32,
    33,
    64,
    65,
    0x1001,
    0x12345,
    0xffff1,
    UINT32_MAX - 30, /* % 32 is 1 */
    UINT32_MAX - 1,
    UINT32_MAX,
    UINT64_C(1) << 32,
    (UINT64_C(1) << 32) + 1,
    UINT64_C(0x123456789),
    UINT64_C(1) << 35,
    UINT64_C(1) << 36,
};

static void check_sizes(struct smmu *s, struct smmu_domain *d)
{
    const unsigned lg2 = s->v->granule_lg2;

    for (size_t i = 0; i < ROWS(pages_of); i++) {
        const uint64_t bytes = pages_of[i] << lg2;

        if (pages_of[i] > UIM_BIT(48 - lg2))
            continue;
        check(s, d, 0, bytes - 1, false);
        check(s, d, 0, bytes - 1, true);
        check(s, d, UIM_BIT(48) - bytes, UIM_BIT(48) - 1, true);
        if (pages_of[i] + 7 <= UIM_BIT(48 - lg2))
            check(s, d, 7 * UIM_BIT(lg2), 7 * UIM_BIT(lg2) + bytes - 1, false);
    }
}

static void ranges_are_legal_and_cover_what_changed(void **state)
{
    static const uint8_t granules[] = { 12, 14, 16 };
    struct smmu_domain d;
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        smmu_init(&s);
        s.options.stage = i & 1 ? SMMUV3_STAGE_2 : SMMUV3_STAGE_1;
        s.options.granule_lg2 = granules[i / 2 % 3];
        s.idr3.ril = i < 6;
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        smmu_domain(&s, &d, ROOT);
        check_sizes(&s, &d);
        s.unit->ops->unlink(&d.link);
        smmu_stop(&s);
    }
}

/* The first and the last page of 2^44 bytes in one call: 2^32 pages and one. */
static void pages_far_apart_go_with_the_whole_asid(void **state)
{
    struct smmu_domain d;
    struct smmu s;

    (void)state;
    smmu_init(&s);
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    smmu_domain(&s, &d, ROOT);
    check(&s, &d, 0, UIM_BIT(44) + 4095, true);
    assert_int_equal(smmu_count(&s, SMMUV3_CMD_TLBI_NH_ASID), 1);
    check(&s, &d, 0, UIM_BIT(44) - 4097, true);
    assert_int_equal(smmu_count(&s, SMMUV3_CMD_TLBI_NH_ASID), 0);
    s.unit->ops->unlink(&d.link);
    smmu_stop(&s);
}

static void all_of_a_domain_is_one_command(void **state)
{
    static const struct {
        enum smmuv3_stage stage;
        unsigned opcode;
    } row[] = {
        { SMMUV3_STAGE_1, SMMUV3_CMD_TLBI_NH_ASID },
        { SMMUV3_STAGE_2, SMMUV3_CMD_TLBI_S12_VMALL },
    };
    struct smmu_domain d;
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < ROWS(row); i++) {
        smmu_init(&s);
        s.options.stage = row[i].stage;
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        smmu_domain(&s, &d, ROOT);
        smmu_forget(&s);
        assert_int_equal(s.unit->ops->invalidate(&d.link, &everything),
                         UIOMMU_OK);
        assert_int_equal(s.n_commands, 2);
        assert_int_equal(smmu_opcode(s.command[0]), row[i].opcode);
        assert_int_equal(id_of(&s, s.command[0]), d.link.id);
        s.unit->ops->unlink(&d.link);
        smmu_stop(&s);
    }
}

/* ---- device TLBs ----------------------------------------------------------- */

static void check_atc(struct smmu *s, struct uiommu_device *dev, uint64_t first,
                      uint64_t last, unsigned size)
{
    const struct uim_inval inval = { .start = first, .last = last };
    struct smmuv3_cmd_atc_inv_q1 q1;
    uint64_t from;

    smmu_forget(s);
    assert_int_equal(s->unit->ops->devtlb(dev->endpoint, &inval), UIOMMU_OK);
    assert_int_equal(s->n_commands, 2);
    assert_int_equal(smmu_opcode(s->command[0]), SMMUV3_CMD_ATC_INV);
    assert_int_equal(s->command[0].q0 >> 32, dev->endpoint->id);
    q1.raw = s->command[0].q1;
    assert_int_equal(smmuv3_cmd_atc_inv_q1_size(q1), size);
    from = smmuv3_cmd_atc_inv_q1_address(q1) << 12;
    assert_int_equal(from & (UIM_BIT(12 + size) - 1), 0);
    assert_true(from <= first && last <= from + (UIM_BIT(12 + size) - 1));
}

/* The least power of two around it; 52 is everything. */
static void device_tlbs_forget_one_aligned_span(void **state)
{
    struct uiommu_device dev;
    struct smmu s;

    (void)state;
    smmu_init(&s);
    s.idr0.ats = 1;
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    smmu_device(&s, &dev, 0x123);
    check_atc(&s, &dev, 0, 4095, 0);
    check_atc(&s, &dev, 0x5000, 0x5fff, 0);
    check_atc(&s, &dev, 0x4000, 0x5fff, 1);
    check_atc(&s, &dev, 0x5000, 0x6fff, 2);
    check_atc(&s, &dev, 0x7000, 0x8fff, 4);
    check_atc(&s, &dev, 0, UIM_BIT(44) + 4095, 33);
    check_atc(&s, &dev, UIM_BIT(48) - 4096, UIM_BIT(48) - 1, 0);
    check_atc(&s, &dev, 0, UIM_BIT(48) - 1, 36);
    smmu_forget(&s);
    assert_int_equal(s.unit->ops->devtlb(dev.endpoint, &everything), UIOMMU_OK);
    assert_int_equal(s.command[0].q1, 52);
    smmu_stop(&s);
}

/* 4.6: the codes of the command are not those of the wire (D-17). */
static void answers_have_the_codes_of_the_command(void **state)
{
    static const struct {
        struct uim_page_answer answer;
        uint64_t q0, q1;
    } rows[] = {
        { { 0x12340310, 0x12345, 0x1ab, UIOMMU_RESPONSE_SUCCESS, false },
          UINT64_C(0x1234031012345841),
          0x21ab },
        { { 0x12340310, 0x12345, 0x1ab, UIOMMU_RESPONSE_INVALID, false },
          UINT64_C(0x1234031012345841),
          0x11ab },
        { { 0x12340310, 0x12345, 0x1ab, UIOMMU_RESPONSE_FAILURE, false },
          UINT64_C(0x1234031012345841),
          0x01ab },
        { { 0x12340310, UIOMMU_NO_PASID, 0x1ab, UIOMMU_RESPONSE_SUCCESS,
            false },
          UINT64_C(0x1234031000000041),
          0x21ab },
    };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct smmuv3_batch b = { .n = 0 };

        smmuv3_add_pri_resp(&b, &rows[i].answer);
        assert_int_equal(b.n, 1);
        assert_true(b.cmd[0].q0 == rows[i].q0);
        assert_true(b.cmd[0].q1 == rows[i].q1);
    }
}

/* 4.6.1: success is to retry, all others abort. */
static void what_waits_is_retried_or_aborted(void **state)
{
    static const struct {
        enum uiommu_response response;
        uint64_t q0;
    } rows[] = {
        { UIOMMU_RESPONSE_SUCCESS, UINT64_C(0x1234031000001044) },
        { UIOMMU_RESPONSE_INVALID, UINT64_C(0x1234031000002044) },
        { UIOMMU_RESPONSE_FAILURE, UINT64_C(0x1234031000002044) },
    };
    struct smmuv3_batch b = { .n = 0 };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        const struct uim_page_answer answer = { 0x12340310, UIOMMU_NO_PASID,
                                                0xfedc, rows[i].response,
                                                true };

        b.n = 0;
        smmuv3_add_resume(&b, &answer);
        assert_int_equal(b.n, 1);
        assert_true(b.cmd[0].q0 == rows[i].q0);
        assert_true(b.cmd[0].q1 == 0xfedc);
    }
    b.n = 0;
    smmuv3_add_stall_term(&b, (struct smmuv3_sid){ 0x12340310 });
    assert_true(b.cmd[0].q0 == UINT64_C(0x1234031000000045));
    assert_true(b.cmd[0].q1 == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_legal_and_cover_what_changed),
        cmocka_unit_test(pages_far_apart_go_with_the_whole_asid),
        cmocka_unit_test(all_of_a_domain_is_one_command),
        cmocka_unit_test(device_tlbs_forget_one_aligned_span),
        cmocka_unit_test(answers_have_the_codes_of_the_command),
        cmocka_unit_test(what_waits_is_retried_or_aborted),
    };

    return cmocka_run_group_tests_name("SMMUv3 commands", tests, NULL, NULL);
}
