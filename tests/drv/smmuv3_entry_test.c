/* SPDX-License-Identifier: MIT */
/*
 * Stream table entries and context descriptors: what is in them, in which order it
 * comes there, and what the unit is told (IHI0070 3.21.3, 5.2, 5.4; semantics B.13,
 * D-44, D-49 to D-53, D-96).
 */
#include "smmu_stand.h"

#include <stdio.h>

#include <uiommu/embed.h>

#define AT      UINT64_C(0x40000000)
#define NOWHERE UINT64_MAX

/* S1ContextPtr (55:6), S2TTB and TTB0 (51:4 from bit 4 on). */
#define POINTER UINT64_C(0x00ffffffffffffc0)

static const char *const granules[] = { "4k", "16k", "64k" };

static void choose_granule(struct stand *s, unsigned granule)
{
    const size_t n = strlen(s->options);

    snprintf(s->options + n, sizeof(s->options) - n, ",smmuv3.granule=%s",
             granules[granule]);
}

/* ---- words --------------------------------------------------------------- */

/* ASID, ASET A R AA64, IPS, V EPD1, SH0 OR0 IR0 TG0, T0SZ. */
static void context_descriptors(void **state)
{
    static const uint64_t want[] = { 0x0001e205c0003510, 0x0001e205c0003590,
                                     0x0001e205c0003550 };
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned g = 0; g < 3; g++) {
        stand_init(&s, SIM_STAGE_1);
        choose_granule(&s, g);
        stand_up(&s);
        d = stand_domain(&s, 0);
        stand_set(&s, 0, d);
        assert_true(stand_cd_word(&s, 0, 0) == want[g]);
        assert_true(stand_cd_word(&s, 0, 1) == d->pt.root_phys);
        assert_true(stand_cd_word(&s, 0, 2) == 0);
        assert_true(stand_cd_word(&s, 0, 3) == 0x0444ff); /* MAIR0 */
        for (unsigned i = 4; i < 8; i++)
            assert_true(stand_cd_word(&s, 0, i) == 0);
        assert_true((stand_ste_word(&s, 0, 0) & ~POINTER) == 0xb);
        stand_block(&s, 0);
        uiommu_domain_put(d);
        stand_down(&s);
    }
}

/* S2R, S2AA64 S2PS, S2TG S2SH0 S2OR0 S2IR0 S2SL0 S2T0SZ, S2VMID. Tables side by side
 * at the root save a level (D-58). */
static void second_stage_entries(void **state)
{
    static const struct {
        unsigned granule;
        const char *args;
        uint64_t want;
    } row[] = {
        { 0, "oas=48", 0x040d359000000001 },
        { 0, "oas=44", 0x040c359400000001 },
        { 0, "oas=40", 0x040a355800000001 },
        { 0, "oas=36", 0x0409355c00000001 },
        { 1, "oas=48", 0x040db59000000001 },
        { 1, "oas=40", 0x040ab55800000001 },
        { 2, "oas=48", 0x040d759000000001 },
        { 2, "oas=40", 0x040a755800000001 },
    };
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        stand_init(&s, SIM_STAGE_2);
        s.config.args = row[i].args;
        choose_granule(&s, row[i].granule);
        stand_up(&s);
        d = stand_domain(&s, 0);
        stand_set(&s, 0, d);
        assert_true(stand_ste_word(&s, 0, 0) == 0xd);
        assert_true(stand_ste_word(&s, 0, 2) == row[i].want);
        assert_true(stand_ste_word(&s, 0, 3) == d->pt.root_phys);
        assert_true(stand_reaches(&s, 0, AT, stand_map(&s, d, AT)));
        stand_block(&s, 0);
        uiommu_domain_put(d);
        stand_down(&s);
    }
}

/* SHCFG 1; S1CSH, S1COR, S1CIR. */
static void attributes(void **state)
{
    const uint64_t want = 0x1000000000fc;
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned mode = SIM_STAGE_1; mode <= SIM_STAGE_2; mode++) {
        stand_init(&s, (enum sim_mode)mode);
        stand_up(&s);
        d = stand_domain(&s, 0);
        stand_set(&s, 0, d);
        assert_true(stand_ste_word(&s, 0, 1) == want);
        stand_set(&s, 0, uiommu_identity(s.u));
        assert_true(stand_ste_word(&s, 0, 1) == want);
        assert_true((stand_ste_word(&s, 0, 0) & ~POINTER) == 9);
        stand_block(&s, 0);
        uiommu_domain_put(d);
        stand_down(&s);
    }
}

/* S1STALLD, where a unit may stall and stage 1 translates (D-96). */
static void no_stream_stalls(void **state)
{
    const uint64_t s1stalld = UINT64_C(1) << 27;
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    stand_init(&s, SIM_STAGE_1);
    stand_up(&s);
    d = stand_domain(&s, 0);
    stand_set(&s, 0, d);
    assert_true((stand_ste_word(&s, 0, 1) & s1stalld) == 0);
    stand_block(&s, 0);
    s.v->idr0.raw &= ~(UINT64_C(3) << 24); /* STALL_MODEL: it may */
    stand_set(&s, 0, d);
    assert_true((stand_ste_word(&s, 0, 0) & 0xf) == 0xb); /* stage 1 */
    assert_true((stand_ste_word(&s, 0, 1) & s1stalld) != 0);
    stand_block(&s, 0);
    uiommu_domain_put(d);
    stand_down(&s);
}

/* EATS: of the device, not of the unit (D-72). */
static void device_tlbs_are_for_those_that_have_one(void **state)
{
    static const struct sim_function functions[] = {
        { "with", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, SIM_ATS },
        { "without", SIM_ENGINE, MACHINE_NO_BRIDGE, 4 << 3, 0 },
    };
    const uint64_t eats = UINT64_C(3) << 28;
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned mode = SIM_STAGE_1; mode <= SIM_STAGE_2; mode++) {
        stand_init(&s, (enum sim_mode)mode);
        s.config.ats = true;
        s.config.functions = functions;
        s.config.n_functions = 2;
        stand_up(&s);
        d = stand_domain(&s, 0);
        for (unsigned n = 0; n < 2; n++)
            stand_set(&s, n, d);
        assert_true((stand_ste_word(&s, 0, 1) & eats) == UINT64_C(1) << 28);
        assert_true((stand_ste_word(&s, 1, 1) & eats) == 0);
        for (unsigned n = 0; n < 2; n++)
            stand_block(&s, n);
        uiommu_domain_put(d);
        stand_down(&s);
    }
}

/* ---- what the unit is told ----------------------------------------------- */

static void domains(struct stand *s, struct uiommu_domain **d, uint64_t *phys)
{
    for (unsigned i = 0; i < 2; i++) {
        d[i] = stand_domain(s, 0);
        phys[i] = stand_map(s, d[i], AT);
    }
    /* Ids stay out, so that nothing but entries is invalidated. */
    stand_set(s, 1, d[0]);
    stand_set(s, 2, d[1]);
    stand_forget(s);
}

static void drop(struct stand *s, struct uiommu_domain **d)
{
    for (unsigned n = 0; n < 3; n++)
        stand_block(s, n);
    for (unsigned i = 0; i < 2; i++)
        uiommu_domain_put(d[i]);
}

/* In the first stage one word changes; in the second two, with a break. */
static void each_step_is_followed_by_its_command(void **state)
{
    struct uiommu_domain *d[2];
    uint64_t phys[2];
    struct stand s;

    (void)state;
    for (unsigned mode = SIM_STAGE_1; mode <= SIM_STAGE_2; mode++) {
        stand_init(&s, (enum sim_mode)mode);
        stand_up(&s);
        domains(&s, d, phys);
        stand_set(&s, 0, d[0]);
        stand_opcodes(&s, CFGI_STE, SYNC, CFGI_STE, SYNC);
        /* Of this stream; not of the leaf alone (4.3.1). */
        assert_true(stand_command(&s, 0, 0) ==
                    ((uint64_t)stand_sid(&s, 0) << 32 | CFGI_STE));
        assert_true(stand_command(&s, 0, 1) == 0);
        stand_forget(&s);
        stand_set(&s, 0, d[1]);
        if (stand_first_stage(&s))
            stand_opcodes(&s, CFGI_STE, SYNC);
        else
            stand_opcodes(&s, CFGI_STE, SYNC, CFGI_STE, SYNC, CFGI_STE, SYNC);
        stand_forget(&s);
        stand_set(&s, 0, uiommu_identity(s.u));
        stand_opcodes(&s, CFGI_STE, SYNC);
        stand_forget(&s);
        stand_block(&s, 0);
        stand_opcodes(&s, CFGI_STE, SYNC);
        drop(&s, d);
        stand_down(&s);
    }
}

/* ---- store by store ------------------------------------------------------ */

enum sight { BLOCKED, IDENTITY, PAGING_A, PAGING_B, SIGHTS };

struct watch {
    uint64_t old, new, beside;
    unsigned seen; /* 0: the old, 1: nothing, 2: the new */
};

static uint64_t lands(struct stand *s, unsigned n)
{
    struct uie_xlat x;

    if (sim_probe(s->m, (unsigned)sim_engine(s->m, n), UIOMMU_NO_PASID, AT,
                  UIOMMU_READ, &x) != 0)
        return NOWHERE;
    return x.gpa + (AT & x.mask);
}

/* Never back, and never anything else. */
static void watch(struct stand *s, void *ctx)
{
    struct watch *w = ctx;
    const uint64_t at = lands(s, 0);
    unsigned sees = 1;

    if (at == w->old && w->seen == 0)
        sees = 0;
    else if (at == w->new)
        sees = 2;
    else if (at != NOWHERE)
        fail_msg("a stream sees 0x%llx", (unsigned long long)at);
    assert_true(sees >= w->seen);
    w->seen = sees;
    assert_true(lands(s, 1) == w->beside);
}

static void watched_set(struct stand *s, struct uiommu_domain *const *to,
                        const uint64_t *phys, unsigned from, unsigned next)
{
    struct watch w = { phys[from], phys[next], phys[PAGING_A], 0 };

    stand_set(s, 0, to[from]);
    s->look = watch;
    s->ctx = &w;
    stand_set(s, 0, to[next]);
    s->look = NULL;
    sim_forget(s->m); /* between store and command */
    assert_true(lands(s, 0) == phys[next]);
}

static void a_stream_sees_the_old_nothing_or_the_new(void **state)
{
    struct uiommu_domain *to[SIGHTS];
    uint64_t phys[SIGHTS];
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++) {
        stand_point(&s, point);
        stand_up(&s);
        domains(&s, to + PAGING_A, phys + PAGING_A);
        to[BLOCKED] = uiommu_blocked(s.u);
        to[IDENTITY] = uiommu_identity(s.u);
        phys[BLOCKED] = NOWHERE;
        phys[IDENTITY] = AT;
        for (unsigned from = 0; from < SIGHTS; from++)
            for (unsigned next = 0; next < SIGHTS; next++) {
                if (from != next)
                    watched_set(&s, to, phys, from, next);
                stand_forget(&s);
            }
        drop(&s, to + PAGING_A);
        stand_down(&s);
    }
}

/* ---- descriptors by turns ------------------------------------------------ */

static void a_stream_changes_hands_for_long(void **state)
{
    struct uiommu_domain *d[2];
    uint64_t phys[2];
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++) {
        stand_point(&s, point);
        stand_up(&s);
        domains(&s, d, phys);
        for (unsigned i = 0; i < 150; i++) {
            stand_set(&s, 0, d[i % 2]);
            assert_true(stand_reaches(&s, 0, AT, phys[i % 2]));
            stand_forget(&s);
        }
        drop(&s, d);
        stand_down(&s);
    }
}

/* The next domain has the id of the last one, and tables elsewhere (D-49). */
static void an_id_that_comes_back_is_another_domain(void **state)
{
    struct uiommu_domain *d, *beside;
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++) {
        uint64_t phys, id = 0;

        stand_point(&s, point);
        stand_up(&s);
        for (unsigned i = 0; i < 4; i++) {
            d = stand_domain(&s, 0);
            beside = stand_domain(&s, 0); /* takes the place of the root */
            phys = stand_map(&s, d, AT);
            stand_set(&s, 0, d);
            assert_true(i == 0 ||
                        uim_link_of(d, stand_endpoint(&s, 0))->id == id);
            id = uim_link_of(d, stand_endpoint(&s, 0))->id;
            assert_true(stand_reaches(&s, 0, AT, phys));
            stand_block(&s, 0);
            assert_true(stand_refused(&s, 0, AT));
            uiommu_domain_put(i % 2 ? d : beside);
            uiommu_domain_put(i % 2 ? beside : d);
        }
        stand_down(&s);
    }
}

/* What identity does not look at stays for the next (sim_close() finds it if not). */
static void identity_keeps_the_descriptors(void **state)
{
    struct uiommu_domain *d[2];
    uint64_t phys[2], pointer;
    struct stand s;

    (void)state;
    stand_init(&s, SIM_STAGE_1);
    stand_up(&s);
    domains(&s, d, phys);
    stand_set(&s, 0, d[0]);
    pointer = stand_ste_word(&s, 0, 0) & POINTER;
    stand_set(&s, 0, uiommu_identity(s.u));
    assert_true((stand_ste_word(&s, 0, 0) & POINTER) == pointer);
    stand_set(&s, 0, d[0]); /* the descriptor says so already */
    assert_true((stand_ste_word(&s, 0, 0) & POINTER) == pointer);
    stand_set(&s, 0, d[1]);
    assert_true((stand_ste_word(&s, 0, 0) & POINTER) == (pointer ^ 64));
    assert_true(stand_reaches(&s, 0, AT, phys[1]));
    drop(&s, d);
    stand_down(&s);
}

/* TTB1 is not ours: nothing is translated there (5.4, EPD1). */
static void the_upper_half_is_refused(void **state)
{
    struct uiommu_domain *d[2];
    uint64_t phys[2];
    struct stand s;

    (void)state;
    stand_init(&s, SIM_STAGE_1);
    stand_up(&s);
    domains(&s, d, phys);
    stand_set(&s, 0, d[0]);
    assert_true(stand_reaches(&s, 0, AT, phys[0]));
    assert_true(stand_refused(&s, 0, UINT64_C(0xffff000000000000) + AT));
    drop(&s, d);
    stand_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_descriptors),
        cmocka_unit_test(second_stage_entries),
        cmocka_unit_test(attributes),
        cmocka_unit_test(no_stream_stalls),
        cmocka_unit_test(device_tlbs_are_for_those_that_have_one),
        cmocka_unit_test(a_stream_sees_the_old_nothing_or_the_new),
        cmocka_unit_test(each_step_is_followed_by_its_command),
        cmocka_unit_test(a_stream_changes_hands_for_long),
        cmocka_unit_test(an_id_that_comes_back_is_another_domain),
        cmocka_unit_test(identity_keeps_the_descriptors),
        cmocka_unit_test(the_upper_half_is_refused),
    };

    return cmocka_run_group_tests_name("smmuv3_entry", tests, NULL, NULL);
}
