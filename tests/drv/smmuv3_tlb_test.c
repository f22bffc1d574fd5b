/* SPDX-License-Identifier: MIT */
/*
 * What the SMMUv3 driver tells the unit and device TLBs when a domain changes, and when
 * (IHI0070 4.4, 4.5, 3.9.1; semantics B.12, D-26 to D-49). Commands are taken apart by
 * hand.
 */
#include "smmu_stand.h"

#include <stdio.h>

#define AT     UINT64_C(0x40000000)
#define GIB(n) ((uint64_t)(n) << 30)
#define MIB(n) ((uint64_t)(n) << 20)
#define KIB(n) ((uint64_t)(n) << 10)

enum { RW = UIOMMU_READ | UIOMMU_WRITE, ASID_AT = 48, VMID_AT = 32 };

/* ---- commands ------------------------------------------------------------ */

/* What a command for addresses says. */
struct part {
    unsigned num, scale, vmid, asid, tg, ttl;
    bool leaf;
    uint64_t address;
};

static struct part part_of(const struct stand *s, unsigned n)
{
    const uint64_t lo = stand_command(s, n, 0), hi = stand_command(s, n, 1);

    return (struct part){
        .num = lo >> 12 & 0x1f,
        .scale = lo >> 20 & 0x1f,
        .vmid = lo >> VMID_AT & 0xffff,
        .asid = (unsigned)(lo >> ASID_AT),
        .leaf = hi & 1,
        .ttl = hi >> 8 & 3,
        .tg = hi >> 10 & 3,
        .address = hi & ~UINT64_C(0xfff),
    };
}

static unsigned opcode_of_pages(const struct stand *s)
{
    return stand_first_stage(s) ? TLBI_NH_VA : TLBI_S2_IPA;
}

static unsigned opcode_of_all(const struct stand *s)
{
    return stand_first_stage(s) ? TLBI_NH_ASID : TLBI_S12_VMALL;
}

/* Of the domain, which is the first one. */
static void check_id(const struct stand *s, const struct part *p)
{
    assert_int_equal(p->asid, stand_first_stage(s) ? 1 : 0);
    assert_int_equal(p->vmid, stand_first_stage(s) ? 0 : 1);
}

/* ---- unmaps -------------------------------------------------------------- */

static struct uiommu_domain *attached(struct stand *s)
{
    struct uiommu_domain *d = stand_domain(s, 0);

    stand_set(s, 0, d);
    return d;
}

static void drop(struct stand *s, struct uiommu_domain *d)
{
    stand_block(s, 0);
    uiommu_domain_put(d);
}

/* A table that stays keeps what is around. */
static void traced_unmap(struct stand *s, struct uiommu_domain *d,
                         uint64_t iova, uint64_t size)
{
    uint64_t phys = stand_ram(s, 16);

    for (uint64_t at = 0; at < size; at += KIB(64))
        ok(uiommu_map(d, iova + at, phys, KIB(64), RW));
    stand_forget(s);
    ok(uiommu_unmap(d, iova, size, NULL));
}

/* The commands before the SYNC, side by side: what they cover; and no illegal one
 * (4.4.1: TG with NUM, SCALE and TTL 0). */
static uint64_t covered(struct stand *s, unsigned granule_lg2, uint64_t *first)
{
    const unsigned n = stand_commands(s) - 1;
    uint64_t end = 0;

    assert_int_equal(stand_opcode(s, n), SYNC);
    for (unsigned i = 0; i < n; i++) {
        const struct part p = part_of(s, i);

        assert_int_equal(stand_opcode(s, i), opcode_of_pages(s));
        check_id(s, &p);
        assert_int_equal(p.tg, (granule_lg2 - 10) / 2);
        assert_int_equal(p.ttl, 0);
        if (i == 0)
            *first = p.address;
        else
            assert_true(p.address == end);
        end = p.address + ((uint64_t)(p.num + 1) << p.scale << granule_lg2);
    }
    return end - *first;
}

static void open_with(struct stand *s, enum sim_mode mode, const char *args,
                      const char *granule)
{
    const size_t n = (stand_init(s, mode), strlen(s->options));

    s->config.args = args;
    snprintf(s->options + n, sizeof(s->options) - n, ",smmuv3.granule=%s",
             granule);
    stand_up(s);
}

static void ranges_cover_what_was_unmapped(void **state)
{
    static const struct {
        const char *granule;
        unsigned lg2;
        uint64_t size;
    } row[] = {
        { "4k", 12, KIB(64) },  { "4k", 12, KIB(192) },  { "4k", 12, MIB(1) },
        { "4k", 12, KIB(832) }, { "16k", 14, KIB(64) },  { "16k", 14, MIB(5) },
        { "64k", 16, KIB(64) }, { "64k", 16, KIB(320) }, { "64k", 16, MIB(3) },
    };
    struct uiommu_domain *d;
    uint64_t first = 0;
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof(row) / sizeof(row[0]); i++) {
        const unsigned r = i / 2;

        open_with(&s, i % 2 ? SIM_STAGE_2 : SIM_STAGE_1, NULL, row[r].granule);
        d = attached(&s);
        ok(uiommu_map(d, AT, stand_ram(&s, 16), KIB(64), RW));
        traced_unmap(&s, d, AT + KIB(64), row[r].size);
        assert_true(covered(&s, row[r].lg2, &first) >= row[r].size);
        assert_true(covered(&s, row[r].lg2, &first) <=
                    row[r].size + (UINT64_C(1) << row[r].lg2));
        assert_true(first == AT + KIB(64));
        assert_true(stand_commands(&s) <= 5);
        drop(&s, d);
        stand_down(&s);
    }
}

/* The hint is for leaves alone (D-26, D-47). */
static void tables_that_go_are_named(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 2 * 2; i++) {
        open_with(&s, i % 2 ? SIM_STAGE_2 : SIM_STAGE_1, i / 2 ? "ril=0" : NULL,
                  "4k");
        d = attached(&s);
        ok(uiommu_map(d, AT, stand_ram(&s, 16), KIB(64), RW));
        traced_unmap(&s, d, AT + MIB(1), KIB(64) / 2);
        for (unsigned n = 0; n + 1 < stand_commands(&s); n++)
            if (stand_opcode(&s, n) == opcode_of_pages(&s))
                assert_true(part_of(&s, n).leaf);
        stand_forget(&s);
        ok(uiommu_unmap(d, AT, GIB(1), NULL));
        for (unsigned n = 0; n + 1 < stand_commands(&s); n++)
            if (stand_opcode(&s, n) == opcode_of_pages(&s))
                assert_false(part_of(&s, n).leaf);
        drop(&s, d);
        stand_down(&s);
    }
}

/* Without ranges, page by page; many pages are everything. */
static void units_without_ranges(void **state)
{
    static const struct {
        const char *granule;
        unsigned lg2;
    } row[] = { { "4k", 12 }, { "16k", 14 }, { "64k", 16 } };
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof(row) / sizeof(row[0]); i++) {
        const unsigned lg2 = row[i / 2].lg2;
        const uint64_t size = UINT64_C(3) << lg2;

        open_with(&s, i % 2 ? SIM_STAGE_2 : SIM_STAGE_1, "ril=0",
                  row[i / 2].granule);
        d = attached(&s);
        ok(uiommu_map(d, AT, stand_ram(&s, 16), KIB(64), RW));
        ok(uiommu_map(d, AT + KIB(64), stand_ram(&s, 64), size, RW));
        stand_forget(&s);
        ok(uiommu_unmap(d, AT + KIB(64), size, NULL));
        assert_int_equal(stand_commands(&s), 4);
        for (unsigned n = 0; n < 3; n++) {
            const struct part p = part_of(&s, n);

            assert_int_equal(stand_opcode(&s, n), opcode_of_pages(&s));
            check_id(&s, &p);
            assert_int_equal(p.num | p.scale | p.tg | p.ttl, 0);
            assert_true(p.address == AT + KIB(64) + ((uint64_t)n << lg2));
        }
        traced_unmap(&s, d, AT + MIB(1), MIB(2));
        assert_int_equal(stand_commands(&s), 2);
        assert_int_equal(stand_opcode(&s, 0), opcode_of_all(&s));
        drop(&s, d);
        stand_down(&s);
    }
}

/* ---- ids (D-49) ---------------------------------------------------------- */

static void an_id_is_free_once_its_translations_are_gone(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned mode = SIM_STAGE_1; mode <= SIM_STAGE_2; mode++) {
        stand_init(&s, (enum sim_mode)mode);
        stand_up(&s);
        assert_int_equal(s.v->ids[0], 1); /* 0 is nobody's */
        d = attached(&s);
        assert_int_equal(s.v->ids[0], 3);
        stand_forget(&s);
        drop(&s, d);
        stand_opcodes(&s, CFGI_STE, SYNC, opcode_of_all(&s), SYNC);
        assert_true(stand_command(&s, 2, 0) >>
                        (stand_first_stage(&s) ? ASID_AT : VMID_AT) ==
                    1);
        assert_int_equal(s.v->ids[0], 1);
        stand_down(&s);
    }
}

/* At each step, an id that is free is in no entry, and nothing is cached of it. */
static void watch_ids(struct stand *s, void *ctx)
{
    const uint64_t bit = UINT64_C(1) << 1;
    unsigned n = stand_commands(s);

    (void)ctx;
    if (!(s->v->ids[0] & bit))
        assert_true(n >= 2 && stand_opcode(s, n - 2) == opcode_of_all(s));
}

static void an_id_stays_out_until_the_unit_confirms(void **state)
{
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned mode = SIM_STAGE_1; mode <= SIM_STAGE_2; mode++) {
        stand_init(&s, (enum sim_mode)mode);
        stand_up(&s);
        d = attached(&s);
        stand_forget(&s);
        s.look = watch_ids;
        drop(&s, d);
        s.look = NULL;
        stand_down(&s);
    }
}

/* As many as the unit tells apart, and no more. */
static void ids_end_with_what_the_unit_tells_apart(void **state)
{
    static const char *const args[] = { "asid16=0,vmid16=1",
                                        "asid16=1,vmid16=0" };
    struct uiommu_domain *d[256];
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        stand_init(&s, i == 0 ? SIM_STAGE_1 : SIM_STAGE_2);
        s.config.args = args[i];
        s.config.ram_size = MIB(256);
        s.config.engines = 3;
        stand_up(&s);
        assert_int_equal(s.v->n_ids, 256);
        for (unsigned n = 1; n < 256; n++) {
            struct uim_link link = { .unit = &s.v->unit };

            ok(smmuv3_link(&link));
            assert_int_equal(link.id, n);
        }
        d[0] = stand_domain(&s, 0);
        assert_int_equal(uiommu_set_domain(stand_endpoint(&s, 0), d[0], NULL),
                         UIOMMU_NOSPC);
        for (unsigned n = 1; n < 256; n++) {
            struct uim_link link = { .unit = &s.v->unit, .id = n };

            smmuv3_unlink(&link);
            stand_forget(&s);
        }
        stand_set(&s, 0, d[0]);
        drop(&s, d[0]);
        stand_down(&s);
    }
}

/* ---- device TLBs (4.5) --------------------------------------------------- */

static void check_atc(struct stand *s, unsigned n, uint64_t iova, uint64_t last)
{
    const uint64_t hi = stand_command(s, n, 1);
    const unsigned size = hi & 0x3f;
    const uint64_t address = hi & ~UINT64_C(0xfff);

    assert_true(stand_command(s, n, 0) ==
                ((uint64_t)stand_sid(s, 0) << 32 | ATC_INV));
    assert_true(size <= 52);
    assert_true((address & ((UINT64_C(4096) << size) - 1)) == 0);
    assert_true(address <= iova &&
                address + ((UINT64_C(4096) << size) - 1) >= last);
    /* Not more than the smallest that is aligned. */
    assert_true(size == 0 || iova >> (11 + size) != last >> (11 + size));
}

static void device_tlbs_after_the_tlb(void **state)
{
    static const struct {
        uint64_t iova, size;
    } row[] = {
        { AT + KIB(64), KIB(4) }, { AT + KIB(64), KIB(64) },
        { AT + KIB(64), KIB(8) }, { AT + KIB(60), KIB(8) },
        { AT + KIB(4), KIB(60) }, { AT + KIB(1020), KIB(8) },
    };
    struct uiommu_domain *d;
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof(row) / sizeof(row[0]); i++) {
        const uint64_t iova = row[i / 2].iova, size = row[i / 2].size;

        stand_init(&s, i % 2 ? SIM_STAGE_2 : SIM_STAGE_1);
        s.config.ats = true;
        stand_up(&s);
        d = attached(&s);
        ok(uiommu_map(d, AT, stand_ram(&s, 1), KIB(4), RW));
        ok(uiommu_map(d, iova, stand_ram(&s, 16), size, RW));
        stand_forget(&s);
        ok(uiommu_unmap(d, iova, size, NULL));
        assert_int_equal(stand_opcode(&s, 0), opcode_of_pages(&s));
        for (unsigned n = 1; n < stand_commands(&s); n++)
            if (stand_opcode(&s, n) == ATC_INV)
                assert_int_equal(stand_opcode(&s, n - 1), SYNC);
        check_atc(&s, stand_commands(&s) - 2, iova, iova + size - 1);
        drop(&s, d);
        stand_down(&s);
    }
}

/* All of it when the stream changes hands. */
static void a_change_of_hands_empties_the_device_tlb(void **state)
{
    struct uiommu_domain *d[2];
    bool emptied = false;
    struct stand s;

    (void)state;
    stand_init(&s, SIM_STAGE_1);
    s.config.ats = true;
    stand_up(&s);
    for (unsigned i = 0; i < 2; i++)
        d[i] = stand_domain(&s, 0);
    stand_set(&s, 0, d[0]);
    stand_forget(&s);
    stand_set(&s, 0, d[1]);
    for (unsigned n = 0; n < stand_commands(&s); n++)
        if (stand_opcode(&s, n) == ATC_INV) {
            assert_true((stand_command(&s, n, 1) & 0x3f) == 52);
            assert_true(stand_command(&s, n, 0) >> 32 == stand_sid(&s, 0));
            emptied = true;
        }
    assert_true(emptied);
    uiommu_domain_put(d[0]);
    drop(&s, d[1]);
    stand_down(&s);
}

/* ---- each submission ----------------------------------------------------- */

/* A fence, commands, one SYNC without interrupt, and only then PROD: the last thing
 * that was done. */
static void watch_submission(struct stand *s, void *ctx)
{
    const struct stand_step *step = s->step;
    unsigned *seen = ctx;
    unsigned i = s->n_steps;

    if (i == 0 || step[i - 1].kind != STAND_REGISTER ||
        step[i - 1].reg != CMDQ_PROD)
        return;
    i--;
    assert_true(i-- > 0 && step[i].kind == STAND_COMMAND);
    assert_true(step[i].value[0] == SYNC && step[i].value[1] == 0);
    while (i > 0 && step[i].kind == STAND_COMMAND)
        i--;
    assert_int_equal(step[i].kind, STAND_FENCE);
    (*seen)++;
    stand_forget(s);
}

static void churn(struct stand *s)
{
    struct uiommu_domain *d = stand_domain(s, 0);

    for (unsigned i = 0; i < 40; i++) {
        const uint64_t iova = AT + i * KIB(68);
        const uint64_t phys = stand_ram(s, 16);

        stand_set(s, i % 3, d);
        ok(uiommu_map(d, iova, phys, KIB(64), RW));
        assert_true(stand_reaches(s, i % 3, iova, phys));
        assert_true(stand_reaches(s, i % 3, iova + KIB(60), phys + KIB(60)));
        if (i % 4 == 0)
            ok(uiommu_unmap(d, iova, KIB(64), NULL));
        if (i % 4 == 0)
            assert_true(stand_refused(s, i % 3, iova + KIB(32)));
        if (i % 3 == 0)
            stand_block(s, i % 3);
    }
    ok(uiommu_unmap(d, 0, GIB(4), NULL));
    for (unsigned n = 0; n < 3; n++) {
        assert_true(stand_refused(s, n, AT));
        stand_block(s, n);
    }
    uiommu_domain_put(d);
}

static void a_submission_ends_with_a_sync(void **state)
{
    struct stand s;

    (void)state;
    for (unsigned i = 0; i < 2 * STAND_POINTS; i++) {
        unsigned seen = 0;

        stand_point(&s, i / 2);
        s.config.ats = i % 2;
        stand_up(&s);
        s.look = watch_submission;
        s.ctx = &seen;
        churn(&s);
        assert_true(seen > 40);
        s.look = NULL;
        stand_forget(&s);
        stand_down(&s);
    }
}

/* 16 commands: the ring comes round, over and over. */
static void a_short_ring_comes_round(void **state)
{
    struct stand s;

    (void)state;
    for (unsigned point = 0; point < STAND_POINTS; point++) {
        unsigned seen = 0;

        stand_point(&s, point);
        s.config.args = "cmdqs=4";
        stand_up(&s);
        s.look = watch_submission;
        s.ctx = &seen;
        churn(&s);
        s.look = NULL;
        stand_forget(&s);
        stand_down(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_cover_what_was_unmapped),
        cmocka_unit_test(tables_that_go_are_named),
        cmocka_unit_test(units_without_ranges),
        cmocka_unit_test(an_id_is_free_once_its_translations_are_gone),
        cmocka_unit_test(an_id_stays_out_until_the_unit_confirms),
        cmocka_unit_test(ids_end_with_what_the_unit_tells_apart),
        cmocka_unit_test(device_tlbs_after_the_tlb),
        cmocka_unit_test(a_change_of_hands_empties_the_device_tlb),
        cmocka_unit_test(a_submission_ends_with_a_sync),
        cmocka_unit_test(a_short_ring_comes_round),
    };

    return cmocka_run_group_tests_name("smmuv3_tlb", tests, NULL, NULL);
}
