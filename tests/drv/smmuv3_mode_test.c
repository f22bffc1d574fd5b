/* SPDX-License-Identifier: MIT */
/*
 * Which stage and granule the SMMUv3 driver chooses, and what a domain offers then
 * (IHI0070 3.4, 6.3.1, 6.3.6).
 */
#include "smmu_stand.h"

#include <stdio.h>

#define NESTED "stage=nested"

static void open_with(struct stand *s, const char *args, const char *options)
{
    stand_init(s, SIM_STAGE_2);
    s->config.args = args;
    snprintf(s->options, sizeof(s->options), "%s", options);
    stand_open(s);
}

static void chosen(void **state)
{
    static const struct {
        const char *args, *options, *mode;
        unsigned granule, iova_bits;
    } row[] = {
        { NESTED, "", "stage 1", 0x1000, 48 },
        { NESTED, "smmuv3.stage=2", "stage 2", 0x1000, 48 },
        { "stage=1", "", "stage 1", 0x1000, 48 },
        { "stage=2", "", "stage 2", 0x1000, 48 },
        { NESTED ",oas=40", "smmuv3.stage=1", "stage 1", 0x1000, 48 },
        { NESTED ",oas=40", "smmuv3.stage=2", "stage 2", 0x1000, 40 },
        { NESTED ",gran4k=0", "", "stage 1", 0x4000, 48 },
        { NESTED ",gran4k=0,gran16k=0", "", "stage 1", 0x10000, 48 },
        { NESTED, "smmuv3.granule=16k", "stage 1", 0x4000, 48 },
        { NESTED, "smmuv3.granule=64k", "stage 1", 0x10000, 48 },
    };
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        open_with(&s, row[i].args, row[i].options);
        ok(stand_start(&s));
        assert_string_equal(s.v->unit.mode, row[i].mode);
        /* The smallest page is the granule. */
        assert_int_equal(s.v->unit.page_sizes & (2 * row[i].granule - 1),
                         row[i].granule);
        assert_int_equal(s.v->unit.iova_bits, row[i].iova_bits);
        stand_down(&s);
    }
}

/* Blocks of 4 TiB come with addresses of 52 bits. */
static void leaves_are_those_the_unit_knows(void **state)
{
    static const char *const granules[] = { "4k", "16k", "64k" };
    const uint64_t at = UINT64_C(1) << 42;
    struct uiommu_domain *d;
    struct stand s;
    char options[96];

    (void)state;
    for (unsigned i = 0; i < 2 * 3; i++) {
        uint64_t phys;

        snprintf(options, sizeof(options), "smmuv3.granule=%s,smmuv3.stage=%u",
                 granules[i / 2], i % 2 + 1);
        open_with(&s, NESTED, options);
        ok(stand_start(&s));
        stand_add(&s);
        d = stand_domain(&s, 0);
        stand_set(&s, 0, d);
        phys = stand_ram(&s, 16);
        ok(uiommu_map(d, at, 0, at, UIOMMU_READ | UIOMMU_WRITE));
        assert_true(stand_reaches(&s, 0, at + phys, phys));
        stand_block(&s, 0);
        uiommu_domain_put(d);
        stand_down(&s);
    }
}

static void what_is_not_there_is_refused(void **state)
{
    static const struct {
        const char *args, *options, *sentence;
    } row[] = {
        { "stage=2", "smmuv3.stage=1", "has no first stage" },
        { "stage=1", "smmuv3.stage=2", "has no second stage" },
        { "stage=1,gran4k=0", "smmuv3.granule=4k", "granule that all" },
        { "stage=1,gran16k=0", "smmuv3.granule=16k", "granule that all" },
        { "stage=1,gran64k=0", "smmuv3.granule=64k", "granule that all" },
        { "cmdqs=3", "", "less than 16 commands" },
    };
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        open_with(&s, row[i].args, row[i].options);
        assert_int_not_equal(stand_start(&s), UIOMMU_OK);
        assert_non_null(strstr(sim_last_log(s.m), row[i].sentence));
        stand_down(&s);
    }
}

/* Codes of IDR5.OAS, STE.S2PS and CD.IPS: the smallest that is not below. */
static void sizes_of_addresses(void **state)
{
    static const uint8_t code[][2] = {
        { 31, 0 }, { 32, 0 }, { 33, 1 }, { 36, 1 }, { 37, 2 }, { 40, 2 },
        { 41, 3 }, { 42, 3 }, { 43, 4 }, { 44, 4 }, { 45, 5 }, { 48, 5 },
        { 49, 6 }, { 52, 6 }, { 53, 7 }, { 56, 7 }, { 64, 7 }
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(code) / sizeof(code[0]); i++)
        assert_int_equal(smmuv3_oas_code(code[i][0]), code[i][1]);
}

/* No leaf is replaced by others at once, unless the unit bears it (3.21.1). */
static void leaves_stay_whole(void **state)
{
    static const char *const args[] = { "bbml=0", "bbml=1", "bbml=2" };
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        open_with(&s, args[i], "");
        ok(stand_start(&s));
        assert_int_equal(s.v->unit.whole_leaves, i < 2);
        stand_down(&s);
    }
}

static void what_does_not_snoop_needs_a_flush(void **state)
{
    struct stand s;

    (void)state;
    open_with(&s, "coherent=0", "");
    s.m->host.flush = NULL;
    assert_int_not_equal(stand_start(&s), UIOMMU_OK);
    assert_non_null(strstr(sim_last_log(s.m), "the host no flush"));
    stand_down(&s);
    open_with(&s, "coherent=1", "");
    s.m->host.flush = NULL;
    ok(stand_start(&s));
    assert_true(s.v->unit.coherent);
    stand_down(&s);
}

static uint64_t leaf_at(struct stand *s, const struct uiommu_domain *d,
                        uint64_t iova)
{
    uint64_t word = d->pt.root_phys;

    for (unsigned level = d->pt.top + 1u; level-- > 0;)
        word = uim_ld64(sim_ram(
            s->m,
            (word & 0xfffffffff000) + (iova >> (12 + 9 * level) & 511) * 8, 8));
    return word;
}

/* A device may snoop although the unit's own accesses do not: its accesses to memory
 * are Inner Shareable and Write-Back (D8.6, MAIR; or MemAttr in the second stage). */
static void devices_snoop_whatever_the_unit_does(void **state)
{
    static const char *const options[] = { "smmuv3.stage=1", "smmuv3.stage=2" };
    const uint64_t at = UINT64_C(5) << 30;
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 2 * 2; i++) {
        uint64_t leaf, type;

        open_with(&s, i / 2 ? NESTED ",coherent=0" : NESTED, options[i % 2]);
        ok(stand_start(&s));
        stand_add(&s);
        d = stand_domain(&s, 0);
        ok(uiommu_map(d, at, stand_ram(&s, 1), STAND_PAGE,
                      UIOMMU_READ | UIOMMU_WRITE));
        leaf = leaf_at(&s, d, at);
        type = i % 2 ? (leaf >> 2 & 0xf) * 0x11
                     : uim_pt_vmsa_mair() >> 8 * (leaf >> 2 & 7) & 0xff;
        assert_int_equal(leaf & 3, 3);
        assert_int_equal(leaf >> 8 & 3, 3);
        assert_int_equal(type, 0xff);
        uiommu_domain_put(d);
        stand_down(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen),
        cmocka_unit_test(leaves_are_those_the_unit_knows),
        cmocka_unit_test(what_is_not_there_is_refused),
        cmocka_unit_test(sizes_of_addresses),
        cmocka_unit_test(leaves_stay_whole),
        cmocka_unit_test(what_does_not_snoop_needs_a_flush),
        cmocka_unit_test(devices_snoop_whatever_the_unit_does),
    };

    return cmocka_run_group_tests_name("smmuv3_mode", tests, NULL, NULL);
}
