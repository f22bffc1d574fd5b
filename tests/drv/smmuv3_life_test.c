/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3 driver from probe to release, against a unit that takes its time, was left
 * on, or goes wrong half way (3.11, 6.3.9, 6.3.14; semantics B.23): at no moment may
 * devices reach more than they did.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_smmu.h"
#include "spec/iort.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
#define SMMUEN      SMMUV3_CR0_BIT(smmuen)
#define ATSCHK      SMMUV3_CR0_BIT(atschk)

enum {
    SID = 0x123,
    ROOT = 0x10000,
    ABORT = 1 << 20,
    /* GBPA as firmware left it */
    FOUND = 0x3005,
    OTHER_STRTAB = 0x40000,
    BYPASS = 1,    /* seen: neither translated nor aborted                 */
    UNCHECKED = 2, /* translated requests passed while SMMUEN was 1        */
    CACHED = 4,    /* and before, when caches were emptied                 */
    FELL = 8,      /* SMMUEN was 0                                         */
};

/* As somebody left it: translating, from a table of theirs. */
static void left_on(struct smmu *s)
{
    smmu_reg_set(s, SMMUV3_REG_CR0, SMMUEN, 4);
    smmu_reg_set(s, SMMUV3_REG_CR0ACK, SMMUEN, 4);
    smmu_reg_set(s, SMMUV3_REG_STRTAB_BASE, OTHER_STRTAB, 8);
    smmu_reg_set(s, SMMUV3_REG_STRTAB_BASE_CFG, 8, 4);
    smmu_reg_set(s, SMMUV3_REG_GBPA, FOUND, 4);
}

static void look(struct smmu *s)
{
    const bool on = smmu_cr0ack(s, SMMUEN);

    if (!on)
        s->seen |= FELL;
    if (!on && !smmu_aborts(s))
        s->seen |= BYPASS;
    if (on && s->idr0.ats && !smmu_cr0ack(s, ATSCHK))
        s->seen |= UNCHECKED;
}

static void look_at_commands(struct smmu *s, struct smmuv3_cmd c)
{
    if (smmu_opcode(c) == SMMUV3_CMD_CFGI_STE_RANGE && s->idr0.ats &&
        !smmu_cr0ack(s, ATSCHK))
        s->seen |= CACHED;
}

static void watch(struct smmu *s)
{
    s->on_change = look;
    s->on_command = look_at_commands;
    s->seen = 0;
}

/* What was switched on is there: commands are carried out, events are heard. */
static void check_that_it_works(struct smmu *s)
{
    const uint64_t event[4] = { SMMUV3_EVT_C_BAD_STE | (uint64_t)SID << 32 };
    const unsigned faults = s->n_faults;
    struct uiommu_device dev;

    smmu_device(s, &dev, SID);
    assert_int_equal(smmu_set(s, &dev, &s->u->identity), UIOMMU_OK);
    smmu_forget(s);
    assert_int_equal(smmu_set(s, &dev, &s->u->blocked), UIOMMU_OK);
    assert_int_equal(smmu_count(s, SMMUV3_CMD_CFGI_STE), 1);
    assert_true(smmu_event(s, event));
    assert_false(s->unit->ops->poll(s->unit));
    assert_int_equal(s->n_faults, faults + 1);
    assert_int_equal(s->fault.id, SID);
}

/* ---- what was left on -------------------------------------------------------- */

/* CR0 and its acknowledgement, in all four ways that a change may have been under way
 * (D-90). */
static void late_answers_are_waited_for(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < 4 * 6; i++) {
        smmu_init(&s);
        s.late = i / 4;
        s.pending[SMMU_CR0] = 100 * (i / 4);
        left_on(&s);
        smmu_reg_set(&s, SMMUV3_REG_CR0, i & 1 ? SMMUEN : 0, 4);
        smmu_reg_set(&s, SMMUV3_REG_CR0ACK, i & 2 ? SMMUEN : 0, 4);
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        if (s.late > 0 || i != 2) /* else it is off before anybody looks */
            assert_int_equal(s.n_warnings, (i & 3) != 0);
        check_that_it_works(&s);
        smmu_stop(&s);
    }
}

static void interrupts_that_are_still_on_their_way_off(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    s.late = 3;
    s.pending[SMMU_IRQ_CTRL] = 70;
    s.pending[SMMU_GBPA] = 40;
    smmu_reg_set(&s, SMMUV3_REG_IRQ_CTRLACK, 5, 4);
    smmu_reg_set(&s, SMMUV3_REG_GBPA, UINT32_C(1) << 31 | FOUND, 4);
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    assert_int_equal(s.v->found.raw, FOUND);
    smmu_stop(&s);
}

static void what_was_left_on_aborts_in_between(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    left_on(&s);
    watch(&s);
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    assert_int_equal(s.seen, FELL);
    assert_non_null(strstr(s.log, "was left translating"));
    check_that_it_works(&s);
    smmu_stop(&s);
    assert_int_equal(s.reg[SMMUV3_REG_GBPA / 4], FOUND);
}

/* Features that are not used here are off, whoever used them. */
static void what_others_switched_on_is_off(void **state)
{
    const struct smmuv3_cr0_fields all = {
        .dpt_walk_en = 1,
        .vmw = 3,
        .cmdqen = 1,
        .eventqen = 1,
        .priqen = 1,
        .smmuen = 1,
    };
    struct smmu s;

    (void)state;
    smmu_init(&s);
    s.idr0.pri = s.idr0.vmw = s.idr3.dpt = 1;
    left_on(&s);
    smmu_reg_set(&s, SMMUV3_REG_CR0, smmuv3_cr0_pack(&all).raw, 4);
    smmu_reg_set(&s, SMMUV3_REG_CR0ACK, smmuv3_cr0_pack(&all).raw, 4);
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    assert_int_equal(s.reg[SMMUV3_REG_CR0ACK / 4],
                     SMMUEN | SMMUV3_CR0_BIT(cmdqen) |
                         SMMUV3_CR0_BIT(eventqen));
    smmu_stop(&s);
}

/* The first of two units failed: this one was only prepared. */
static void what_was_not_enabled_is_left_alone(void **state)
{
    uint32_t before[SMMU_REGISTERS / 4];
    struct smmu s;

    (void)state;
    for (unsigned on = 0; on < 2; on++) {
        smmu_init(&s);
        if (on)
            left_on(&s);
        assert_int_equal(smmu_prepare(&s), UIOMMU_OK);
        memcpy(before, s.reg, sizeof(before));
        assert_int_equal(s.unit->ops->disable(s.unit), UIOMMU_OK);
        smmu_end(&s);
        assert_memory_equal(before, s.reg, sizeof(before));
        assert_int_equal(s.pages, 0);
    }
}

static void translation_cannot_be_adopted(void **state)
{
    uint32_t before[SMMU_REGISTERS / 4];
    struct smmu s;

    (void)state;
    for (unsigned i = 1; i < 4; i++) {
        smmu_init(&s);
        s.deaf = true;
        left_on(&s);
        smmu_reg_set(&s, SMMUV3_REG_CR0, i & 1 ? SMMUEN : 0, 4);
        smmu_reg_set(&s, SMMUV3_REG_CR0ACK, i & 2 ? SMMUEN : 0, 4);
        assert_int_equal(smmu_probe(&s), UIOMMU_OK);
        s.unit->adopt = true;
        memcpy(before, s.reg, sizeof(before));
        assert_int_equal(s.unit->ops->prepare(s.unit), UIOMMU_OPNOTSUPP);
        assert_non_null(strstr(s.log, "cannot be adopted yet: its stream table "
                                      "cannot be exchanged without a gap"));
        smmu_end(&s);
        assert_memory_equal(before, s.reg, sizeof(before));
        assert_int_equal(s.pages, 0);
    }
}

/* ---- translated requests ------------------------------------------------------ */

/* SMMUEN without ATSCHK lets them through (3.9.1), and so may what was cached while
 * it was 0. */
static void translated_requests_are_never_believed(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned on = 0; on < 2; on++) {
        smmu_init(&s);
        s.idr0.ats = 1;
        if (on) {
            left_on(&s);
            smmu_reg_set(&s, SMMUV3_REG_CR0, SMMUEN | ATSCHK, 4);
            smmu_reg_set(&s, SMMUV3_REG_CR0ACK, SMMUEN | ATSCHK, 4);
        }
        watch(&s);
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        assert_int_equal(s.seen & (UNCHECKED | CACHED), 0);
        assert_true(smmu_cr0ack(&s, ATSCHK));
        smmu_stop(&s);
    }
}

/* Devices are to count in the smallest pages that the unit has (3.9.1), and the core
 * tells them 4 KiB. Whoever asks all the same is checked. */
static void ats_is_served_in_pages_of_4k(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned has_4k = 0; has_4k < 2; has_4k++) {
        smmu_init(&s);
        s.idr0.ats = 1;
        s.idr5.gran4k = has_4k;
        s.options.granule_lg2 = 16;
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        assert_int_equal(s.unit->ats, has_4k);
        assert_true(smmu_cr0ack(&s, ATSCHK));
        smmu_stop(&s);
    }
}

/* ---- failures half way ---------------------------------------------------------- */

static void deaf_from_now_on(struct smmu *s, size_t reg, uint64_t value)
{
    (void)reg;
    (void)value;
    if (*(unsigned *)s->ctx > 0)
        --*(unsigned *)s->ctx;
    else
        s->deaf = true;
}

/* As the core does it when a start fails, here or at another unit. */
static enum uiommu_status undo(struct smmu *s)
{
    s->unit->undo = true;
    return s->unit->ops->disable(s->unit);
}

/* Deaf from its nth write on, then not any more: SMMUEN is as somebody who wants
 * translation off has to have it, and so is GBPA, unless what confined devices is gone.
 * True: the start went through. */
static bool fail_after(unsigned n, bool on)
{
    enum uiommu_status status;
    struct smmu s;

    smmu_init(&s);
    smmu_reg_set(&s, SMMUV3_REG_GBPA, FOUND, 4);
    if (on)
        left_on(&s);
    s.ctx = &n;
    assert_int_equal(smmu_prepare(&s), UIOMMU_OK);
    watch(&s);
    s.on_write = deaf_from_now_on;
    status = s.unit->ops->enable(s.unit);
    s.on_write = NULL;
    s.deaf = false;
    if (status != UIOMMU_OK)
        assert_int_equal(status, UIOMMU_TIMEDOUT);
    assert_int_equal(undo(&s), UIOMMU_OK);
    assert_int_equal(s.reg[SMMUV3_REG_GBPA / 4], on ? FOUND | ABORT : FOUND);
    assert_int_equal(s.reg[SMMUV3_REG_CR0ACK / 4] & SMMUEN, 0);
    assert_int_equal(s.reg[SMMUV3_REG_IRQ_CTRLACK / 4], 0);
    assert_true(!on || !(s.seen & BYPASS)); /* at no moment */
    assert_false(atomic_load(&s.unit->broken));
    smmu_end(&s);
    return status == UIOMMU_OK;
}

static void a_start_that_fails_is_undone(void **state)
{
    (void)state;
    for (unsigned on = 0; on < 2; on++) {
        unsigned n = 0;

        while (!fail_after(n, on))
            n++;
        assert_true(n > 5);
    }
}

static void a_queue_that_cannot_be_read_fails_the_start(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    s.unreadable = true;
    left_on(&s);
    assert_int_equal(smmu_start(&s), UIOMMU_TIMEDOUT);
    assert_non_null(strstr(s.logs, "command queue cannot be read"));
    assert_int_equal(undo(&s), UIOMMU_OK);
    smmu_stop(&s);
    assert_int_equal(s.reg[SMMUV3_REG_GBPA / 4], FOUND | ABORT);
}

/* Its tables stay allocated: it may read there. */
static void a_unit_that_does_not_go_off_keeps_its_tables(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    s.deaf = true;
    assert_int_equal(s.unit->ops->disable(s.unit), UIOMMU_TIMEDOUT);
    assert_non_null(strstr(s.logs, "its tables stay allocated"));
    assert_true(atomic_load(&s.unit->broken));
    s.early = 0; /* nobody waits for it any more */
    smmu_end(&s);
    assert_true(s.pages > 0);
}

static void a_unit_that_is_gone_is_given_up(void **state)
{
    struct uiommu_device dev;
    struct smmu s;

    (void)state;
    smmu_init(&s);
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    smmu_device(&s, &dev, SID);
    s.gone = true;
    assert_false(s.unit->ops->poll(s.unit));
    assert_int_equal(s.n_faults, 0);
    assert_int_equal(smmu_set(&s, &dev, &s.u->identity), UIOMMU_TIMEDOUT);
    assert_int_equal(uim_ld64(smmu_ste(&s, SID)) & 1, 0);
    assert_int_equal(s.unit->ops->suspend(s.unit), UIOMMU_TIMEDOUT);
    assert_int_equal(s.unit->ops->resume(s.unit), UIOMMU_TIMEDOUT);
    assert_int_equal(s.unit->ops->disable(s.unit), UIOMMU_TIMEDOUT);
    s.early = s.in_use = 0;
    smmu_end(&s);
}

static void every_allocation_may_fail(void **state)
{
    struct smmu s;
    int n = 0;

    (void)state;
    for (;;) {
        smmu_init(&s);
        s.fail_pages = ++n;
        if (smmu_prepare(&s) == UIOMMU_OK)
            break;
        smmu_end(&s);
        assert_int_equal(s.pages, 0);
    }
    smmu_end(&s);
    assert_int_equal(n, 4); /* stream table, two queues */
}

/* In STRTAB_BASE and the others the upper bits would be lost. */
static void pages_that_the_unit_cannot_reach_are_not_used(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned nth = 0; nth < 3; nth++) {
        smmu_init(&s);
        s.idr5.oas = SMMUV3_OAS_BITS_36;
        s.ram_phys = UINT64_C(1) << 36;
        /* but for the stream table, and the commands */
        s.ram_phys -= 0x1000 * nth;
        assert_int_equal(smmu_prepare(&s), UIOMMU_NOMEM);
        assert_non_null(strstr(s.log, "are beyond its 36 bits"));
        smmu_end(&s);
        assert_int_equal(s.pages, 0);
    }
}

static uint64_t cds_of(const struct smmu *s)
{
    return uim_ld64(smmu_ste(s, SID)) & UINT64_C(0xffffffffffffc0);
}

/* RAM begins there, and the descriptors of a stream are in its first page: a pointer to
 * them is a pointer all the same. */
static void a_page_may_be_at_address_0(void **state)
{
    uint64_t first, second;
    struct smmu_domain d[2];
    struct uiommu_device dev;
    struct smmu s;

    (void)state;
    smmu_init(&s);
    s.ram_phys = 0;
    s.used[0] = true; /* until the descriptors need one */
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    smmu_device(&s, &dev, SID);
    smmu_domain(&s, &d[0], ROOT);
    smmu_domain(&s, &d[1], 2 * ROOT);
    s.used[0] = false;
    assert_int_equal(smmu_set(&s, &dev, &d[0].domain), UIOMMU_OK);
    first = cds_of(&s);
    assert_true(first != 0 && first < 4096);
    assert_int_equal(smmu_set(&s, &dev, &d[1].domain), UIOMMU_OK);
    second = cds_of(&s);
    assert_true(second != 0 && second < 4096 && second != first);
    assert_int_equal(smmu_set(&s, &dev, &d[0].domain), UIOMMU_OK);
    assert_int_equal(cds_of(&s), first);
    assert_int_equal(smmu_set(&s, &dev, &s.u->blocked), UIOMMU_OK);
    smmu_stop(&s); /* which looks that the page is free again */
}

/* ---- interrupts ------------------------------------------------------------------ */

static void interrupts_go_where_the_host_says(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    s.msi = true;
    s.idr0.msi = 1;
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    assert_int_equal(smmu_reg(&s, SMMUV3_REG_EVENTQ_IRQ_CFG0), 0x8090040);
    assert_int_equal(s.reg[SMMUV3_REG_EVENTQ_IRQ_CFG1 / 4], 0x4041);
    assert_int_equal(smmu_reg(&s, SMMUV3_REG_GERROR_IRQ_CFG0), 0x8090040);
    assert_int_equal(s.reg[SMMUV3_REG_GERROR_IRQ_CFG1 / 4], 0x4042);
    assert_int_equal(s.reg[SMMUV3_REG_IRQ_CTRLACK / 4], 5);
    smmu_stop(&s); /* which looks that they are off */

    smmu_init(&s);
    s.msi = true; /* but the unit sends none */
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    assert_int_equal(smmu_reg(&s, SMMUV3_REG_EVENTQ_IRQ_CFG0), 0);
    smmu_stop(&s);
}

/* ---- sleep ------------------------------------------------------------------------ */

static void lose_registers(struct smmu *s)
{
    memset(&s->reg[SMMUV3_REG_CR0 / 4], 0, sizeof(s->reg) - SMMUV3_REG_CR0);
    smmu_reg_set(s, SMMUV3_REG_GBPA, FOUND, 4);
}

/* As when another unit did not go to sleep: devices are at work. */
static void what_was_kept_goes_on_without_a_gap(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned two_level = 0; two_level < 2; two_level++) {
        smmu_init(&s);
        s.idr0.ats = 1;
        s.idr0.st_level = two_level;
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        watch(&s);
        assert_int_equal(s.unit->ops->suspend(s.unit), UIOMMU_OK);
        smmu_forget(&s);
        assert_int_equal(s.unit->ops->resume(s.unit), UIOMMU_OK);
        assert_int_equal(s.seen, 0);
        assert_int_equal(smmu_count(&s, SMMUV3_CMD_CFGI_STE_RANGE), 1);
        assert_int_equal(smmu_count(&s, SMMUV3_CMD_TLBI_NSNH_ALL), 1);
        check_that_it_works(&s);
        smmu_stop(&s);
    }
}

static void what_was_lost_is_programmed_anew(void **state)
{
    struct uiommu_device dev;
    struct smmu s;

    (void)state;
    smmu_init(&s);
    s.idr0.ats = 1;
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    smmu_device(&s, &dev, SID + 1);
    assert_int_equal(smmu_set(&s, &dev, &s.u->identity), UIOMMU_OK);
    assert_int_equal(s.unit->ops->suspend(s.unit), UIOMMU_OK);
    lose_registers(&s);
    watch(&s);
    assert_int_equal(s.unit->ops->resume(s.unit), UIOMMU_OK);
    assert_int_equal(s.seen & ~FELL, 0); /* aborted from the first step on */
    assert_int_equal(uim_ld64(smmu_ste(&s, SID + 1)) & 0xf, 9);
    check_that_it_works(&s);
    smmu_stop(&s);
}

/* Firmware woke it up with a table of its own. */
static void a_table_of_somebody_else_is_exchanged(void **state)
{
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        smmu_init(&s);
        assert_int_equal(smmu_start(&s), UIOMMU_OK);
        assert_int_equal(s.unit->ops->suspend(s.unit), UIOMMU_OK);
        if (i == 0)
            smmu_reg_set(&s, SMMUV3_REG_STRTAB_BASE, OTHER_STRTAB, 8);
        else
            s.reg[SMMUV3_REG_STRTAB_BASE_CFG / 4] ^= 1;
        watch(&s);
        assert_int_equal(s.unit->ops->resume(s.unit), UIOMMU_OK);
        assert_int_equal(s.seen, FELL);
        assert_true(smmuv3_streams_programmed(s.v));
        check_that_it_works(&s);
        smmu_stop(&s);
    }
}

static void a_unit_that_does_not_wake_up_may_be_asked_again(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    assert_int_equal(s.unit->ops->suspend(s.unit), UIOMMU_OK);
    lose_registers(&s);
    s.deaf = true;
    assert_int_equal(s.unit->ops->resume(s.unit), UIOMMU_TIMEDOUT);
    assert_true(atomic_load(&s.unit->broken));
    s.deaf = false;
    s.early = 0;
    assert_int_equal(s.unit->ops->resume(s.unit), UIOMMU_OK);
    assert_false(atomic_load(&s.unit->broken));
    check_that_it_works(&s);
    smmu_stop(&s);
    assert_int_equal(s.reg[SMMUV3_REG_GBPA / 4], 0); /* as before uiommu */
}

/* ---- odd units ----------------------------------------------------------------- */

static void odd(struct smmu *s, unsigned i)
{
    switch (i) {
    case 0:
        s->gone = true;
        break;
    case 1:
        s->aidr = 0x10;
        break;
    case 2:
        s->idr1.tables_preset = 1;
        break;
    case 3:
        s->idr1.queues_preset = 1;
        break;
    case 4:
        s->idr0.ttendian = SMMUV3_TTENDIAN_BIG;
        break;
    case 5:
        s->idr0.stall_model = SMMUV3_STALL_MODEL_STALL_ONLY;
        break;
    case 6:
        s->idr1.cmdqs = 3;
        break;
    case 7:
        s->idr0.ttf = SMMUV3_TTF_AARCH32;
        break;
    case 8:
        s->idr0.s1p = 0;
        s->options.stage = SMMUV3_STAGE_1;
        break;
    case 9:
        s->idr0.s2p = 0;
        s->options.stage = SMMUV3_STAGE_2;
        break;
    case 10:
        s->idr0.cohacc = 0;
        s->host.flush = NULL;
        break;
    case 11:
        s->idr5.gran4k = s->idr5.gran16k = s->idr5.gran64k = 0;
        break;
    default:
        s->idr5.gran16k = 0;
        s->options.granule_lg2 = 14;
        break;
    }
}

static void odd_units_are_refused_with_a_sentence(void **state)
{
    static const struct {
        enum uiommu_status status;
        const char *says;
    } row[] = {
        { UIOMMU_NODEV, "no registers are there" },
        { UIOMMU_NODEV, "another major version" },
        { UIOMMU_NODEV, "addresses of its own choice" },
        { UIOMMU_NODEV, "addresses of its own choice" },
        { UIOMMU_NODEV, "big-endian tables only" },
        { UIOMMU_NODEV, "stalls every faulting transaction" },
        { UIOMMU_NODEV, "less than 16 commands" },
        { UIOMMU_OPNOTSUPP, "has no tables of VMSAv8-64" },
        { UIOMMU_OPNOTSUPP, "has no first stage" },
        { UIOMMU_OPNOTSUPP, "has no second stage" },
        { UIOMMU_OPNOTSUPP, "and the host no flush" },
        { UIOMMU_OPNOTSUPP, "has no granule that all can have" },
        { UIOMMU_OPNOTSUPP, "has no granule that all can have" },
    };
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < ROWS(row); i++) {
        smmu_init(&s);
        odd(&s, i);
        assert_int_equal(smmu_probe(&s), row[i].status);
        assert_non_null(strstr(s.log, "smmuv3 unit at 0x2b400000"));
        assert_non_null(strstr(s.log, row[i].says));
        smmu_end(&s);
        assert_int_equal(s.pages, 0);
    }
}

/* Where page 1 is missing its registers are on page 0. */
static void a_unit_of_one_page(void **state)
{
    struct smmu s;

    (void)state;
    smmu_init(&s);
    s.model = IORT_SMMU_V3_MODEL_CAVIUM_CN99XX;
    s.small = true;
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    assert_int_equal(s.mapped, SMMU_REGISTERS_SMALL);
    check_that_it_works(&s);
    smmu_stop(&s);

    smmu_init(&s);
    assert_int_equal(smmu_start(&s), UIOMMU_OK);
    assert_int_equal(s.mapped, SMMU_REGISTERS);
    check_that_it_works(&s);
    smmu_stop(&s);
}

/* ---- options ---------------------------------------------------------------------- */

static void options_are_read(void **state)
{
    static const struct {
        const char *key, *value;
        enum uiommu_status status;
        struct smmuv3_options out;
    } row[] = {
        { "stage", "auto", UIOMMU_OK, { .timeout_ms = 7 } },
        { "stage", "1", UIOMMU_OK, { SMMUV3_STAGE_1, 0, 7 } },
        { "stage", "2", UIOMMU_OK, { SMMUV3_STAGE_2, 0, 7 } },
        { "stage", "3", UIOMMU_INVAL, { .timeout_ms = 7 } },
        { "stage", "", UIOMMU_INVAL, { .timeout_ms = 7 } },
        { "granule", "auto", UIOMMU_OK, { .timeout_ms = 7 } },
        { "granule", "4k", UIOMMU_OK, { 0, 12, 7 } },
        { "granule", "16k", UIOMMU_OK, { 0, 14, 7 } },
        { "granule", "64k", UIOMMU_OK, { 0, 16, 7 } },
        { "granule", "8k", UIOMMU_INVAL, { .timeout_ms = 7 } },
        { "timeout_ms", "250", UIOMMU_OK, { .timeout_ms = 250 } },
        { "timeout_ms", "0", UIOMMU_INVAL, { .timeout_ms = 7 } },
        { "mode", "legacy", UIOMMU_NOENT, { .timeout_ms = 7 } },
    };

    (void)state;
    for (unsigned i = 0; i < ROWS(row); i++) {
        struct smmuv3_options o = { .timeout_ms = 7 };

        assert_int_equal(
            uiommu_driver_smmuv3.option(&o, row[i].key, row[i].value),
            row[i].status);
        assert_int_equal(o.stage, row[i].out.stage);
        assert_int_equal(o.granule_lg2, row[i].out.granule_lg2);
        assert_int_equal(o.timeout_ms, row[i].out.timeout_ms);
    }
}

/* OAS, stage, granule: what follows. VA are of 48 bits in the first stage. */
static void sizes_follow_from_the_unit(void **state)
{
    static const uint8_t oas[] = { 32, 36, 40, 42, 44, 48, 52, 56 };
    struct smmu s;

    (void)state;
    for (unsigned i = 0; i < 8 * 2; i++) {
        const unsigned bits = oas[i / 2] < 48 ? oas[i / 2] : 48;

        smmu_init(&s);
        s.idr5.oas = i / 2;
        s.options.stage = i & 1 ? SMMUV3_STAGE_2 : SMMUV3_STAGE_1;
        assert_int_equal(smmu_probe(&s), UIOMMU_OK);
        assert_int_equal(s.unit->phys_bits, bits);
        assert_int_equal(s.unit->iova_bits, i & 1 ? bits : 48);
        assert_string_equal(s.unit->mode, i & 1 ? "stage 2" : "stage 1");
        assert_int_equal(s.unit->page_sizes & 4096, 4096);
        smmu_end(&s);
    }
    for (unsigned bits = 33; bits <= 48; bits++) {
        const unsigned code = smmuv3_oas_code(bits);

        assert_true(oas[code] >= bits && oas[code - 1] < bits);
    }
    assert_int_equal(smmuv3_oas_code(32), SMMUV3_OAS_BITS_32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(late_answers_are_waited_for),
        cmocka_unit_test(interrupts_that_are_still_on_their_way_off),
        cmocka_unit_test(what_was_left_on_aborts_in_between),
        cmocka_unit_test(what_others_switched_on_is_off),
        cmocka_unit_test(what_was_not_enabled_is_left_alone),
        cmocka_unit_test(translation_cannot_be_adopted),
        cmocka_unit_test(translated_requests_are_never_believed),
        cmocka_unit_test(ats_is_served_in_pages_of_4k),
        cmocka_unit_test(a_start_that_fails_is_undone),
        cmocka_unit_test(a_queue_that_cannot_be_read_fails_the_start),
        cmocka_unit_test(a_unit_that_does_not_go_off_keeps_its_tables),
        cmocka_unit_test(a_unit_that_is_gone_is_given_up),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(pages_that_the_unit_cannot_reach_are_not_used),
        cmocka_unit_test(a_page_may_be_at_address_0),
        cmocka_unit_test(interrupts_go_where_the_host_says),
        cmocka_unit_test(what_was_kept_goes_on_without_a_gap),
        cmocka_unit_test(what_was_lost_is_programmed_anew),
        cmocka_unit_test(a_table_of_somebody_else_is_exchanged),
        cmocka_unit_test(a_unit_that_does_not_wake_up_may_be_asked_again),
        cmocka_unit_test(odd_units_are_refused_with_a_sentence),
        cmocka_unit_test(a_unit_of_one_page),
        cmocka_unit_test(options_are_read),
        cmocka_unit_test(sizes_follow_from_the_unit),
    };

    return cmocka_run_group_tests_name("SMMUv3 driver, life", tests, NULL,
                                       NULL);
}
