/* SPDX-License-Identifier: MIT */
/*
 * SMMUv3 units are neither handed over nor taken over with a record: what nobody does
 * half way, and says so (handover.h; semantics B.23).
 */
#include "smmu_stand.h"

#include "base/digest.h"

#define AT     UINT64_C(0x10000)
#define SMMUEN UINT32_C(1)

enum { HEADER = 6, UNIT = 4, DIGEST = 5 }; /* words of a record              */

static bool logged(struct stand *s, const char *text)
{
    return strstr(sim_last_log(s->m), text) != NULL;
}

static void nothing_is_handed_over(void **state)
{
    const struct uiommu_record *record = NULL;
    struct uiommu_domain *d;
    struct stand s;
    uint64_t phys;
    size_t size = 0;

    (void)state;
    for (unsigned i = 0; i < STAND_POINTS; i++) {
        stand_point(&s, i);
        stand_up(&s);
        d = stand_domain(&s, 0);
        phys = stand_map(&s, d, AT);
        stand_set(&s, 0, d);
        stand_forget(&s);
        for (unsigned how = 0; how <= UIOMMU_HAND_OVER_AS_IT_STANDS; how++) {
            assert_int_equal(uiommu_hand_over(s.u, (enum uiommu_hand_over)how,
                                              &record, &size),
                             UIOMMU_OPNOTSUPP);
            assert_true(logged(&s, "smmuv3 unit at 0x"));
            assert_true(logged(&s, "cannot be handed over"));
        }
        assert_int_equal(s.n_steps, 0); /* the unit has noticed nothing */
        assert_null(record);
        assert_int_equal(size, 0);
        assert_true(stand_reaches(&s, 0, AT, phys));
        ok(uiommu_unmap(d, AT, STAND_PAGE, NULL));
        assert_true(stand_refused(&s, 0, AT));
        stand_block(&s, 0);
        uiommu_domain_put(d);
        stand_down(&s);
    }
}

/* As a last owner could have left it. */
static void fill(uint64_t *word, size_t n, uint64_t base)
{
    const uint64_t header[HEADER] = { UIOMMU_RECORD_MAGIC,
                                      UIOMMU_RECORD_VERSION, n * 8,
                                      UIOMMU_HAND_OVER_BLOCKED, 1 };
    uint64_t digest = UIM_DIGEST_START;

    memset(word, 0, n * sizeof(*word));
    memcpy(word, header, sizeof(header));
    word[HEADER] = base;
    for (size_t i = 0; i < n; i++)
        digest = uim_digest(digest, word[i]);
    word[DIGEST] = digest;
    for (size_t i = 0; i < n; i++)
        word[i] = uim_le64(word[i]);
}

static void no_record_is_about_it(void **state)
{
    static const struct uiommu_driver *const drivers[] = {
        &uiommu_driver_smmuv3
    };
    uint64_t word[HEADER + UNIT];
    const struct uiommu_config config = {
        .size = sizeof(config),
        .flags = UIOMMU_CONFIG_ADOPT | UIOMMU_CONFIG_UNSAFE_INTERRUPTS,
        .record = (const struct uiommu_record *)(const void *)word,
        .record_size = sizeof(word),
    };
    struct stand s;

    (void)state;
    fill(word, HEADER + UNIT, 0x9050000);
    stand_init(&s, SIM_STAGE_1);
    stand_open(&s);
    ok(uiommu_create(&s.m->host, &config, &s.u));
    ok(uiommu_add_table(s.u, s.m->table, s.m->table_size));
    assert_int_equal(uiommu_start(s.u, drivers, 1), UIOMMU_OPNOTSUPP);
    assert_true(logged(&s, "is in no record"));
    assert_int_equal(s.n_steps, 0);
    assert_int_equal(stand_reg(&s, CR0, 4) & SMMUEN, 0);
    stand_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_handed_over),
        cmocka_unit_test(no_record_is_about_it),
    };

    return cmocka_run_group_tests_name("smmuv3_handover", tests, NULL, NULL);
}
