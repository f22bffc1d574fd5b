/* SPDX-License-Identifier: MIT */
/*
 * The stream table of the SMMUv3 driver: of one level and of two, streams at its edges
 * and beyond it (IHI0070 3.3, 6.3.24, 6.3.25; semantics B.13, D-44, D-46).
 */
#include "smmu_stand.h"

#define AT UINT64_C(0x40000000)

/* Streams 0x18, 0x80 and 0xf8 on bus 0, and 0x100 behind a port. */
static const struct sim_function wide[] = {
    { "first", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, 0 },
    { "middle", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x10 << 3, 0 },
    { "last", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x1f << 3, 0 },
    { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS },
    { "below", SIM_ENGINE, 3, 0, 0 },
};

enum { ENGINES = 4, N_WIDE = sizeof(wide) / sizeof(wide[0]) };

static void open_with(struct stand *s, enum sim_mode mode, const char *args,
                      unsigned functions)
{
    stand_init(s, mode);
    s->config.args = args;
    s->config.functions = wide;
    s->config.n_functions = functions;
    stand_up(s);
}

/* Each sees its own domain, and nobody else's. */
static void each_on_its_own(struct stand *s, unsigned n)
{
    struct uiommu_domain *d[ENGINES];
    uint64_t phys[ENGINES];

    for (unsigned i = 0; i < n; i++) {
        d[i] = stand_domain(s, i);
        phys[i] = stand_map(s, d[i], AT);
        assert_true(stand_refused(s, i, AT));
        stand_set(s, i, d[i]);
        assert_true(stand_reaches(s, i, AT, phys[i]));
    }
    for (unsigned i = 0; i < n; i++)
        assert_true(stand_reaches(s, i, AT, phys[i]));
    for (unsigned i = 0; i < n; i++) {
        stand_block(s, i);
        assert_true(stand_refused(s, i, AT));
        uiommu_domain_put(d[i]);
        stand_forget(s);
    }
}

/* ---- shapes -------------------------------------------------------------- */

/* FMT (17:16), SPLIT (10:6), LOG2SIZE (5:0). */
static void one_level_or_two(void **state)
{
    static const struct {
        const char *args;
        unsigned cfg, functions;
    } row[] = {
        { "sidsize=16", 0x10210, N_WIDE },
        { "sidsize=9", 0x10209, N_WIDE },
        { "sidsize=8", 0x8, 3 }, /* one table of level 2 is enough */
        { "sidsize=16,st_level=0", 0x10, N_WIDE },
        { "sidsize=9,st_level=0", 0x9, N_WIDE },
        { "sidsize=32", 0x10218, N_WIDE },
        { "sidsize=32,st_level=0", 0x10, N_WIDE },
    };
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof(row) / sizeof(row[0]); i++) {
        open_with(&s, i % 2 ? SIM_STAGE_2 : SIM_STAGE_1, row[i / 2].args,
                  row[i / 2].functions);
        assert_int_equal(stand_reg(&s, STRTAB_BASE_CFG, 4), row[i / 2].cfg);
        /* RA; aligned to its size. */
        assert_true(stand_reg(&s, STRTAB_BASE, 8) ==
                    (s.v->strtab_phys | UINT64_C(1) << 62));
        each_on_its_own(&s, row[i / 2].functions == N_WIDE ? ENGINES : 3);
        stand_down(&s);
    }
}

/* ---- links --------------------------------------------------------------- */

/* Level 1: Span (4:0) of 256 entries, the table behind it. */
static void tables_are_linked_when_needed(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned coherent = 0; coherent < 2; coherent++) {
        stand_init(&s, SIM_STAGE_2);
        s.config.non_coherent = !coherent;
        stand_up(&s);
        for (unsigned i = 0; i < 256; i++)
            assert_true(uim_ld64(&s.v->strtab[i]) == 0);
        d = stand_domain(&s, 0);
        stand_set(&s, 2, d); /* 01:00.0 */
        assert_true(uim_ld64(&s.v->strtab[0]) == 0);
        assert_true((uim_ld64(&s.v->strtab[1]) & 0xfff) == 9);
        /* 16 KiB, aligned so. */
        assert_true((uim_ld64(&s.v->strtab[1]) & 0x3000) == 0);
        stand_block(&s, 2);
        uiommu_domain_put(d);
        stand_down(&s);
    }
}

/* All points: where caches kept that there was no table, and where nothing is seen
 * that was not flushed (D-44). */
static void a_stream_whose_table_was_not_there(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++) {
        uint64_t phys;

        stand_point(&s, point);
        stand_up(&s);
        d = stand_domain(&s, 0);
        phys = stand_map(&s, d, AT);
        for (unsigned i = 0; i < 3; i++) {
            assert_true(stand_refused(&s, i, AT));
            stand_set(&s, i, d);
            assert_true(stand_reaches(&s, i, AT, phys));
        }
        for (unsigned i = 0; i < 3; i++)
            stand_block(&s, i);
        uiommu_domain_put(d);
        stand_down(&s);
    }
}

/* Two functions of one device: each one's entry is its own (D-46). */
static void functions_beside_each_other(void **state)
{
    static const struct sim_function functions[] = {
        { "one", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, SIM_ACS_ON },
        { "two", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3 | 1, SIM_ACS_ON },
    };
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++) {
        stand_point(&s, point);
        s.config.functions = functions;
        s.config.n_functions = 2;
        stand_up(&s);
        each_on_its_own(&s, 2);
        stand_down(&s);
    }
}

/* ---- beyond -------------------------------------------------------------- */

static void streams_beyond_the_table_are_refused(void **state)
{
    static const struct {
        const char *args;
        unsigned bits;
    } row[] = { { "sidsize=9", 9 },
                { "sidsize=9,st_level=0", 9 },
                { "sidsize=32", 24 },
                { "sidsize=32,st_level=0", 16 } };
    uim_word *ste;
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        const struct smmuv3_sid last = { (1u << row[i].bits) - 1 };
        const struct smmuv3_sid beyond = { 1u << row[i].bits };
        const struct smmuv3_sid far = { 0x80000000 };

        open_with(&s, SIM_STAGE_1, row[i].args, N_WIDE);
        ok(smmuv3_stream_create(s.v, last, &ste));
        assert_ptr_equal(smmuv3_ste(s.v, last), ste);
        assert_int_equal(smmuv3_stream_create(s.v, beyond, &ste),
                         UIOMMU_OPNOTSUPP);
        assert_non_null(
            strstr(sim_last_log(s.m), "is beyond its stream table"));
        assert_null(smmuv3_ste(s.v, beyond));
        assert_null(smmuv3_ste(s.v, far));
        stand_down(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_level_or_two),
        cmocka_unit_test(tables_are_linked_when_needed),
        cmocka_unit_test(a_stream_whose_table_was_not_there),
        cmocka_unit_test(functions_beside_each_other),
        cmocka_unit_test(streams_beyond_the_table_are_refused),
    };

    return cmocka_run_group_tests_name("smmuv3_stream", tests, NULL, NULL);
}
