/* SPDX-License-Identifier: MIT */
/*
 * Every event that the SMMUv3 model can record, a row each: what a guest has to
 * write to get it, all four words of the record, and whether CD.R or STE.S2R hides
 * it; everything that makes an STE or a CD illegal; what ATS is answered.
 */
#include <stdio.h>
#include <string.h>

#include "spec/smmuv3.h"
#include "tests/model/smmu.h"

enum {
    STE_A = SMMU_STRTAB + SMMU_A * 64,
    STE_B = SMMU_STRTAB + SMMU_B * 64,
    STE_C = SMMU_STRTAB + SMMU_C * 64,
    STE_D = SMMU_STRTAB + SMMU_D * 64,
    STE_E = SMMU_STRTAB + SMMU_E * 64,
    STE_F = SMMU_STRTAB + SMMU_F * 64,
    S1_1 = SMMU_S1 + 0x1000,
    S1_2 = SMMU_S1 + 0x2000,
    S1_3 = SMMU_S1 + 0x3000,
    S2_1 = SMMU_S2 + 0x1000,
    S2_3 = SMMU_S2 + 0x3000,
    N_1 = SMMU_S2_NESTED + 0x1000,
    LEAF_X = VM_X >> 12 << 3,
    PAGE_X = VM_PAGES + VM_X,
    NOBODY = VM_OUTSIDE,
    R = UIE_R,
    W = UIE_W,
    X = UIE_X,
    P = UIE_PRIV,
    CA = UIE_ERR_CA,
    UR = UIE_ERR_UR,
    ATS = UIE_REQ_ATS,
    XLATED = UIE_REQ_XLATED,
    A = SMMU_A,
    B = SMMU_B,
    C = SMMU_C,
    D = SMMU_D,
    E = SMMU_E,
    F = SMMU_F,
    CD_A = SMMU_CD,
    CD_C = SMMU_CD_NESTED,
    CD_E = SMMU_CD_MANY,
};

#define NO_SSID UIE_NO_PASID
#define PNU     UIM_BIT(33)
#define IND     UIM_BIT(34)
#define RNW     UIM_BIT(35)
#define S2      UIM_BIT(39)
#define CD      UINT64_C(0) /* class */
#define TT      UIM_BIT(40)
#define IN      UIM_BIT(41)
#define TTRNW   UIM_BIT(44)
#define AF      UIM_BIT(10)
#define B32     UIM_BIT(32)
#define B44     UIM_BIT(44)
#define B47     UIM_BIT(47)
#define B48     UIM_BIT(48)

/* How one word of memory changes. */
struct poke {
    uint64_t at, clear, set;
};

struct row {
    unsigned event;
    const char *args;
    struct poke poke[2];
    uint32_t sid, ssid, access;
    uint64_t iova;
    uint64_t word1, word3;
};

#define ALL UINT64_MAX

/* clang-format off */
static const struct row rows[] = {
    { 0x02, "", { { 0 } }, 64, NO_SSID, R, VM_X, 0, 0 },
    { 0x02, "", { { 0 } }, 0xffff, 7, W, VM_X, 0, 0 },
    { 0x02, "sidsize=4", { { 0 } }, 16, NO_SSID, R, VM_X, 0, 0 },
    { 0x04, "", { { STE_A, 1, 0 } }, A, NO_SSID, R, VM_X, 0, 0 },
    { 0x04, "", { { STE_A, 1, 0 } }, A, 9, R, VM_X, 0, 0 },

    { 0x08, "", { { 0 } }, A, 0, R, VM_X, 0, 0 },
    { 0x08, "", { { 0 } }, B, 1, R, VM_X, 0, 0 },
    { 0x08, "", { { 0 } }, D, 1, R, VM_X, 0, 0 },
    { 0x08, "", { { 0 } }, E, 64, R, VM_X, 0, 0 },
    { 0x08, "", { { 0 } }, F, 64, R, VM_X, 0, 0 },
    { 0x08, "oas=44", { { SMMU_L1CD, 0, B47 } }, F, 1, R, VM_X, 0, 0 },
    { 0x06, "", { { 0 } }, E, NO_SSID, R, VM_X, 0, 0 },
    { 0x06, "", { { STE_E + 8, 0, 3 } }, E, NO_SSID, R, VM_X, 0, 0 },
    { 0x06, "", { { STE_E + 8, 0, 2 } }, E, 0, R, VM_X, 0, 0 },
    { 0x09, "", { { STE_A, UIM_MASK(55, 6), NOBODY } }, A, NO_SSID, R, VM_X, 0, NOBODY },
    { 0x09, "", { { STE_E, UIM_MASK(55, 6), NOBODY } }, E, 3, R, VM_X, 0, NOBODY + 192 },
    { 0x09, "", { { STE_F, UIM_MASK(55, 6), NOBODY } }, F, 65, R, VM_X, 0, NOBODY + 8 },
    { 0x09, "", { { SMMU_L1CD, ALL, NOBODY | 1 } }, F, 2, R, VM_X, 0, NOBODY + 128 },
    { 0x0a, "", { { CD_A, UIM_BIT(31), 0 } }, A, NO_SSID, R, VM_X, 0, 0 },
    { 0x0a, "", { { CD_E + 64, UIM_BIT(31), 0 } }, E, 1, R, VM_X, 0, 0 },

    /* stage 1 */
    { 0x0b, "", { { S1_1, ALL, NOBODY | 3 } }, A, NO_SSID, R, VM_X, IN | RNW, NOBODY },
    { 0x0b, "", { { CD_A + 8, ALL, NOBODY } }, A, NO_SSID, W, VM_LARGE, IN, NOBODY },
    { 0x10, "", { { 0 } }, A, NO_SSID, R, VM_HOLE, IN | RNW, 0 },
    { 0x10, "", { { 0 } }, A, NO_SSID, W, VM_HOLE, IN, 0 },
    { 0x10, "", { { 0 } }, A, NO_SSID, R | W, VM_HOLE, IN, 0 },
    { 0x10, "", { { 0 } }, E, 2, X, VM_HOLE, IN | RNW | IND, 0 },
    { 0x10, "", { { 0 } }, E, 2, R | P, VM_HOLE, IN | RNW | PNU, 0 },
    { 0x10, "", { { 0 } }, E, 2, W | P, VM_HOLE, IN | PNU, 0 },
    { 0x10, "", { { 0 } }, A, NO_SSID, R, B48 | VM_X, IN | RNW, 0 },
    { 0x10, "", { { 0 } }, A, NO_SSID, R, ~UINT64_C(0xfff), IN | RNW, 0 }, /* EPD1 */
    { 0x10, "", { { CD_A, 0, UIM_BIT(14) } }, A, NO_SSID, R, VM_X, IN | RNW, 0 }, /* EPD0 */
    { 0x10, "", { { S1_3 + LEAF_X, 2, 0 } }, A, NO_SSID, R, VM_X, IN | RNW, 0 }, /* a block */
    { 0x10, "", { { SMMU_S1, 2, 0 } }, A, NO_SSID, R, VM_X, IN | RNW, 0 },
    { 0x11, "", { { CD_A, UIM_MASK(34, 32), 0 }, { S1_3 + LEAF_X, 0, B32 } }, A, NO_SSID, R, VM_X, IN | RNW, 0 },
    { 0x11, "", { { CD_A, UIM_MASK(34, 32), 0 }, { S1_1, 0, B32 } }, A, NO_SSID, R, VM_X, IN | RNW, 0 },
    { 0x11, "oas=44", { { S1_3 + LEAF_X, 0, B44 } }, A, NO_SSID, R, VM_X, IN | RNW, 0 },
    { 0x11, "oas=44", { { 0 } }, D, NO_SSID, R, B44, IN | RNW, 0 },
    { 0x12, "", { { S1_3 + LEAF_X, AF, 0 } }, A, NO_SSID, R, VM_X, IN | RNW, 0 },
    { 0x12, "", { { S1_2 + 8, AF, 0 } }, A, NO_SSID, W, VM_LARGE, IN, 0 },
    { 0x12, "", { { S1_3 + LEAF_X, AF, 1 << 7 } }, A, NO_SSID, W, VM_X, IN, 0 },
    { 0x13, "", { { 0 } }, A, NO_SSID, W, VM_READ_ONLY, IN, 0 },
    { 0x13, "", { { 0 } }, A, NO_SSID, R | W, VM_READ_ONLY, IN, 0 },
    { 0x13, "", { { 0 } }, A, NO_SSID, R, VM_WRITE_ONLY, IN | RNW, 0 }, /* privileged only */
    { 0x13, "", { { S1_3 + LEAF_X, 0, UIM_BIT(54) } }, E, 1, X, VM_X, IN | RNW | IND, 0 },
    { 0x13, "", { { 0 } }, E, 1, X | P, VM_X, IN | RNW | IND | PNU, 0 },

    /* stage 2 */
    { 0x0b, "", { { S2_1, ALL, NOBODY | 3 } }, B, NO_SSID, R, VM_X, S2 | IN | RNW, NOBODY },
    { 0x10, "", { { 0 } }, B, NO_SSID, R, VM_HOLE, S2 | IN | RNW, VM_HOLE },
    { 0x10, "", { { 0 } }, B, NO_SSID, W, B48 | 0x5123, S2 | IN, B48 | 0x5000 },
    { 0x11, "", { { STE_B + 16, UIM_MASK(50, 48), 0 }, { S2_3 + LEAF_X, 0, B32 } }, B, NO_SSID, R, VM_X, S2 | IN | RNW, VM_X },
    { 0x12, "", { { S2_3 + LEAF_X, AF, 0 } }, B, NO_SSID, R, VM_X, S2 | IN | RNW, VM_X },
    { 0x13, "", { { 0 } }, B, NO_SSID, W, VM_READ_ONLY, S2 | IN, VM_READ_ONLY },
    { 0x13, "", { { 0 } }, B, NO_SSID, R, VM_WRITE_ONLY, S2 | IN | RNW, VM_WRITE_ONLY },

    /* nested: stage 1 */
    { 0x10, "", { { 0 } }, C, NO_SSID, R, VM_HOLE, IN | RNW, 0 },
    { 0x11, "", { { CD_C, UIM_MASK(34, 32), 0 }, { S1_3 + LEAF_X, 0, B32 } }, C, NO_SSID, R, VM_X, IN | RNW, 0 },
    { 0x13, "", { { 0 } }, C, NO_SSID, W, VM_READ_ONLY, IN, 0 },
    { 0x0b, "", { { S1_1, UIM_MASK(47, 12), VM_LARGE }, { SMMU_S2_NESTED + 8, UIM_MASK(47, 12), NOBODY } },
      C, NO_SSID, R, VM_X, IN | RNW, NOBODY },
    /* the descriptor */
    { 0x10, "", { { N_1 + (CD_C >> 9), 1, 0 } }, C, NO_SSID, R, VM_X, S2 | CD | RNW, CD_C },
    { 0x12, "", { { N_1 + (CD_C >> 9), AF, 0 } }, C, NO_SSID, W, VM_X, S2 | CD, CD_C },
    { 0x13, "", { { N_1 + (CD_C >> 9), 1 << 6, 0 } }, C, NO_SSID, W, VM_X, S2 | CD, CD_C },
    { 0x0b, "", { { SMMU_S2_NESTED, ALL, NOBODY | 3 } }, C, NO_SSID, R, VM_X, S2 | CD | RNW, NOBODY + (CD_C >> 9) },
    { 0x10, "", { { STE_C, UIM_MASK(55, 6), SMMU_L1CD | 1 << 4 | UINT64_C(8) << 59 }, { N_1 + (SMMU_L1CD >> 9), 1, 0 } },
      C, 1, R, VM_X, S2 | CD | RNW, SMMU_L1CD },
    /* descriptors of stage 1 */
    { 0x10, "", { { N_1 + (SMMU_S1 >> 9), 1, 0 } }, C, NO_SSID, R, VM_X, S2 | TT | RNW, SMMU_S1 },
    { 0x10, "", { { N_1 + (S1_3 >> 9), 1, 0 } }, C, NO_SSID, W, VM_X, S2 | TT, S1_3 },
    { 0x11, "oas=44", { { N_1 + (S1_3 >> 9), 0, B44 } }, C, NO_SSID, W, VM_X, S2 | TT, S1_3 },
    { 0x12, "", { { N_1 + (S1_3 >> 9), AF, 0 } }, C, NO_SSID, R, VM_X, S2 | TT | RNW, S1_3 },
    { 0x13, "", { { N_1 + (S1_3 >> 9), 1 << 6, 0 } }, C, NO_SSID, W, VM_X, S2 | TT | TTRNW, S1_3 },
    /* the address */
    { 0x10, "", { { N_1 + (PAGE_X >> 9), 1, 0 } }, C, NO_SSID, R, VM_X + 0x123, S2 | IN | RNW, PAGE_X },
    { 0x10, "", { { S1_3 + LEAF_X, 0, UIM_BIT(30) } }, C, NO_SSID, R, VM_X, S2 | IN | RNW, PAGE_X | UIM_BIT(30) },
    { 0x12, "", { { N_1 + (PAGE_X >> 9), AF, 0 } }, C, NO_SSID, R, VM_X, S2 | IN | RNW, PAGE_X },
    { 0x13, "", { { N_1 + (PAGE_X >> 9), 1 << 7, 0 } }, C, NO_SSID, W, VM_X, S2 | IN, PAGE_X },
    { 0x13, "", { { N_1 + (PAGE_X >> 9), 1 << 6, 0 } }, C, NO_SSID, R, VM_X, S2 | IN | RNW, PAGE_X },

    /* HTTU: the unit writes a descriptor of stage 1 through stage 2 */
    { 0x13, "httu=1", { { CD_C, 0, UIM_BIT(43) }, { N_1 + (S1_3 >> 9), 1 << 7, 0 } }, C, NO_SSID, R, VM_Z, S2 | TT | RNW, S1_3 },
};
/* clang-format on */

static void change(struct vm *vm, const struct poke *p)
{
    if (p->at)
        vm_poke(vm, p->at, (vm_peek(vm, p->at) & ~p->clear) | p->set);
}

static uint64_t input_of(const struct row *row)
{
    return row->event >= 0x0b ? row->iova : 0;
}

static uint64_t who(const struct row *row)
{
    uint64_t word = row->event | (uint64_t)row->sid << 32;

    if (row->ssid == NO_SSID || row->event == 6)
        return word;
    word |= (uint64_t)row->ssid << 12;
    return row->event == 8 ? word : word | 1 << 11;
}

static struct vm *prepared(const struct row *row)
{
    struct vm *vm = smmu_create(row->args);

    if (strstr(row->args, "httu")) /* VM_Z has no access flag */
        change(vm, &(struct poke){ S1_3 + (VM_Z >> 9), AF, 0 });
    for (unsigned i = 0; i < 2; i++)
        change(vm, &row->poke[i]);
    smmu_start(vm);
    return vm;
}

static void check_record(struct vm *vm, const struct row *row)
{
    uint64_t word[EVENT_WORDS];

    assert_true(smmu_event(vm, word));
    assert_int_equal(word[0], who(row));
    assert_int_equal(word[1], row->word1);
    assert_int_equal(word[2], input_of(row));
    assert_int_equal(word[3], row->word3);
    assert_false(smmu_event(vm, word));
}

/* The second time what may be cached is. */
static void events_have_their_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *row = &rows[i];
        struct vm *vm = prepared(row);
        struct uie_xlat x;

        print_message("# row %zu: event %02x\n", i, row->event);
        for (unsigned n = 0; n < 2; n++) {
            assert_int_equal(smmu_ask(vm, row->sid, row->ssid, row->access, 0,
                                      row->iova, &x),
                             UR);
            check_record(vm, row);
        }
        assert_int_equal(vm->n_irq, 2);
        vm_destroy(vm);
    }
}

/* CD.R and S2R 0: translation faults are silent, everything else is not. */
static void what_is_not_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct row row = rows[i];
        struct vm *vm = prepared(&row);
        bool hidden = row.event >= 0x10 && row.sid != D;

        vm_poke(vm, CD_A, vm_peek(vm, CD_A) & ~UIM_BIT(45));
        vm_poke(vm, CD_C, vm_peek(vm, CD_C) & ~UIM_BIT(45));
        for (unsigned n = 0; n < 64; n++)
            change(vm, &(struct poke){ CD_E + n * 64, UIM_BIT(45), 0 });
        change(vm, &(struct poke){ STE_B + 16, UIM_BIT(58), 0 });
        change(vm, &(struct poke){ STE_C + 16, UIM_BIT(58), 0 });
        assert_int_equal(
            smmu_go_ssid(vm, row.sid, row.ssid, row.access, row.iova), 0);
        assert_int_equal(smmu_event_id(vm), hidden ? 0 : row.event);
        vm_destroy(vm);
    }
}

/* R decides for stage 1, S2R for stage 2, also where both are on. */
static void each_stage_has_its_own_record_bit(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    change(vm, &(struct poke){ CD_C, UIM_BIT(45), 0 });
    change(vm, &(struct poke){ N_1 + (PAGE_X >> 9), 1, 0 });
    smmu_start(vm);
    assert_int_equal(smmu_go(vm, C, R, VM_HOLE), 0);
    assert_int_equal(smmu_event_id(vm), 0);
    assert_int_equal(smmu_go(vm, C, R, VM_X), 0);
    assert_int_equal(smmu_event_id(vm), 0x10);
    vm_destroy(vm);
}

static void streams_that_abort_are_silent(void **state)
{
    struct vm *vm = smmu_create("");
    struct uie_xlat x;

    (void)state;
    for (unsigned config = 0; config < 4; config++)
        vm_poke(vm, SMMU_STRTAB + (config + 2) * 64, 1 | config << 1);
    smmu_start(vm);
    for (unsigned config = 0; config < 4; config++) {
        assert_int_equal(smmu_ask(vm, config + 2, NO_SSID, R, 0, VM_X, &x), UR);
        assert_int_equal(smmu_ask(vm, config + 2, NO_SSID, R, ATS, VM_X, &x),
                         UR);
    }
    assert_int_equal(smmu_event_id(vm), 0);
    vm_destroy(vm);
}

/* ---- the stream table ------------------------------------------------------------ */

static void bad_streams_are_silent_without_recinvsid(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_start(vm);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xc);
    smmu_wr(vm, SMMUV3_REG_CR2, 0);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    assert_int_equal(smmu_go(vm, 64, R, VM_X), 0);
    assert_int_equal(smmu_event_id(vm), 0);
    vm_destroy(vm);
}

static void level_1_descriptors(void **state)
{
    static const struct {
        uint64_t l1; /* of streams 0 to 63 */
        uint32_t sid;
        unsigned event;
        uint64_t fetch;
    } cases[] = {
        { SMMU_STRTAB | 7, A, 0, 0 },
        { SMMU_STRTAB | 6, A, 0, 0 },          /* 32 of them */
        { SMMU_STRTAB | 5, A, 2, 0 },          /* A is the 24th */
        { SMMU_STRTAB, A, 2, 0 },              /* Span 0 */
        { SMMU_STRTAB | 8, A, 2, 0 },          /* more than SPLIT */
        { SMMU_STRTAB | 31, A, 2, 0 },
        { SMMU_STRTAB | 7, 0x40, 2, 0 },       /* the next descriptor */
        { SMMU_STRTAB | 7, 0x100, 2, 0 },      /* beyond LOG2SIZE */
        { NOBODY | 7, A, 3, NOBODY + A * 64 },
        { UIM_BIT(46) | 7, A, 3, UIM_BIT(46) + A * 64 }, /* beyond OAS */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct vm *vm = smmu_create("oas=44");
        uint64_t word[EVENT_WORDS];

        vm_poke(vm, SMMU_L1STD, cases[i].l1);
        smmu_start_two_level(vm);
        assert_int_equal(smmu_go(vm, cases[i].sid, R, VM_X),
                         cases[i].event ? 0 : PAGE_X);
        assert_int_equal(smmu_event(vm, word), cases[i].event != 0);
        if (cases[i].event) {
            assert_int_equal(word[0],
                             cases[i].event | (uint64_t)cases[i].sid << 32);
            assert_int_equal(word[3], cases[i].fetch);
        }
        vm_destroy(vm);
    }
}

/* SPLIT 8 and 10; anything else is as 6. */
static void splits(void **state)
{
    static const struct {
        unsigned split, as;
    } cases[] = {
        { 6, 6 }, { 8, 8 }, { 10, 10 }, { 0, 6 }, { 7, 6 }, { 31, 6 }
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct vm *vm = smmu_create("");
        uint32_t sid = (1u << cases[i].as) + 5;
        uint64_t table = 0x100000;

        vm_poke(vm, SMMU_L1STD, 0);
        vm_poke(vm, SMMU_L1STD + 8, table | (cases[i].as + 1));
        vm_poke(vm, table + 5 * 64, 1 | 4 << 1);
        smmu_start(vm);
        smmu_wr(vm, SMMUV3_REG_CR0, 0xc);
        /* 64 descriptors of level 1 are aligned to 512 bytes */
        smmu_wr(vm, SMMUV3_REG_STRTAB_BASE,
                SMMU_L1STD | (cases[i].as == 6 ? 0x140 : 0));
        smmu_wr(vm, SMMUV3_REG_STRTAB_BASE_CFG,
                12 | cases[i].split << 6 | 1 << 16);
        smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
        assert_int_equal(smmu_go(vm, sid, R, VM_X), VM_X);
        vm_destroy(vm);
    }
}

static void a_table_without_memory(void **state)
{
    struct vm *vm = smmu_create("");
    uint64_t word[EVENT_WORDS];

    (void)state;
    for (unsigned fmt = 0; fmt < 2; fmt++) {
        smmu_start(vm);
        smmu_wr(vm, SMMUV3_REG_CR0, 0xc);
        smmu_wr(vm, SMMUV3_REG_STRTAB_BASE, NOBODY);
        smmu_wr(vm, SMMUV3_REG_STRTAB_BASE_CFG, 8 | 6 << 6 | fmt << 16);
        smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
        assert_int_equal(smmu_go(vm, A, R, VM_X), 0);
        assert_true(smmu_event(vm, word));
        assert_int_equal(word[0], 3 | (uint64_t)A << 32);
        assert_int_equal(word[3], fmt ? NOBODY : NOBODY + A * 64);
        vm->ops->reset(vm->m);
        vm->tail = 0;
    }
    vm_destroy(vm);
}

/* ---- illegal entries ------------------------------------------------------------- */

struct entry_row {
    const char *args;
    struct poke poke;
    uint32_t sid;
    bool legal;
};

static void check_entries(const struct entry_row *entry, size_t n,
                          unsigned event)
{
    for (size_t i = 0; i < n; i++) {
        struct vm *vm = smmu_create(entry[i].args);
        unsigned got;

        change(vm, &entry[i].poke);
        smmu_start(vm);
        smmu_go_ssid(vm, entry[i].sid,
                     entry[i].sid == E || entry[i].sid == F ? 1 : NO_SSID, R,
                     VM_X);
        got = smmu_event_id(vm);
        if (entry[i].legal ? got == event : got != event)
            fail_msg("row %zu: event %02x", i, got);
        vm_destroy(vm);
    }
}

#define SIZE(t0sz, sl0) ((uint64_t)(t0sz) << 32 | (uint64_t)(sl0) << 38)
#define SIZES           (UIM_MASK(39, 32))

/* clang-format off */
static const struct entry_row stes[] = {
    { "", { STE_A, 1, 0 }, A, false },
    { "stage=2", { 0 }, A, false },
    { "stage=1", { 0 }, B, false },
    { "stage=1", { 0 }, C, false },
    { "stage=2", { 0 }, C, false },
    { "stage=1", { 0 }, A, true },
    { "stage=2", { 0 }, B, true },
    { "stage=1", { 0 }, D, true },
    /* EATS */
    { "", { STE_A + 8, UIM_MASK(29, 28), UIM_BIT(29) }, A, false },
    { "", { STE_C + 8, UIM_MASK(29, 28), UIM_BIT(29) }, C, false },
    { "", { STE_D + 8, 0, UIM_BIT(29) }, D, true },
    { "ats=0", { STE_A + 8, UIM_MASK(29, 28), UIM_BIT(29) }, A, true },
    { "", { STE_A + 8, 0, UIM_MASK(29, 28) }, A, true },
    /* STRW is unused without HYP */
    { "", { STE_A + 8, 0, UIM_BIT(30) }, A, true },
    /* stage 1 */
    { "", { STE_A + 8, 0, UIM_BIT(27) }, A, false },                 /* S1STALLD */
    { "", { STE_B + 8, 0, UIM_BIT(27) }, B, true },
    { "", { STE_A, 0, UINT64_C(21) << 59 }, A, false },              /* S1CDMax */
    { "ssidsize=0", { 0 }, E, false },
    { "ssidsize=5", { 0 }, E, false },
    { "ssidsize=6", { 0 }, E, true },
    { "cd2l=0", { 0 }, F, false },
    { "cd2l=0", { 0 }, E, true },
    { "cd2l=0", { STE_A, 0, 1 << 4 }, A, true },                     /* S1CDMax is 0 */
    { "", { STE_E, 0, 3 << 4 }, E, true },                           /* S1Fmt 3 is 0 */
    { "oas=44", { STE_A, 0, B44 }, A, false },
    { "", { STE_A, 0, B48 }, A, false },
    { "", { STE_B, 0, B48 }, B, true },
    /* stage 2 */
    { "", { STE_B + 16, 0, UIM_BIT(57) }, B, false },                /* S2S */
    { "", { STE_A + 16, 0, UIM_BIT(57) }, A, true },
    { "", { STE_B + 16, UIM_BIT(51), 0 }, B, false },                /* S2AA64 */
    { "", { STE_B + 16, 0, UIM_BIT(56) }, B, false },                /* S2HA */
    { "httu=1", { STE_B + 16, 0, UIM_BIT(56) }, B, true },
    { "httu=1", { STE_B + 16, 0, UIM_BIT(55) }, B, false },          /* S2HD */
    { "httu=2", { STE_B + 16, 0, UIM_BIT(55) | UIM_BIT(56) }, B, true },
    { "", { STE_B + 16, 0, UIM_BIT(52) }, B, false },                /* S2ENDI */
    { "", { STE_B + 16, 0, UINT64_C(3) << 46 }, B, false },          /* S2TG */
    { "gran4k=0", { 0 }, B, false },
    { "oas=44", { STE_B + 24, 0, B44 }, B, false },                  /* S2TTB */
    { "", { STE_B + 16, UIM_MASK(50, 48), 0 }, B, true },
    { "", { STE_B + 24, 0, B47 }, B, true },
    { "vmid16=0", { STE_B + 16, 0, 0x100 }, B, false },
    { "vmid16=0", { 0 }, B, true },
    /* S2T0SZ, S2SL0 */
    { "", { STE_B + 16, SIZES, SIZE(15, 2) }, B, false },
    { "oas=44", { 0 }, B, false },
    { "oas=44", { STE_B + 16, SIZES, SIZE(20, 2) }, B, true },
    { "", { STE_B + 16, SIZES, SIZE(40, 0) }, B, false },
    { "", { STE_B + 16, SIZES, SIZE(39, 0) }, B, true },
    { "", { STE_B + 16, SIZES, SIZE(30, 0) }, B, true },             /* 16 tables */
    { "", { STE_B + 16, SIZES, SIZE(29, 0) }, B, false },
    { "", { STE_B + 16, SIZES, SIZE(33, 1) }, B, true },
    { "", { STE_B + 16, SIZES, SIZE(34, 1) }, B, false },
    { "", { STE_B + 16, SIZES, SIZE(21, 1) }, B, true },
    { "", { STE_B + 16, SIZES, SIZE(20, 1) }, B, false },
    { "", { STE_B + 16, SIZES, SIZE(25, 2) }, B, false },
    { "", { STE_B + 16, SIZES, SIZE(24, 2) }, B, true },
    { "", { STE_B + 16, SIZES, SIZE(25, 3) }, B, false },            /* STT is 0 */
};

static const struct entry_row s2_granules[] = {
    /* S2TG, S2T0SZ, S2SL0 */
    { "", { STE_B + 16, SIZES | UIM_MASK(47, 46), SIZE(39, 1) | UINT64_C(2) << 46 }, B, false },
    { "", { STE_B + 16, SIZES | UIM_MASK(47, 46), SIZE(38, 1) | UINT64_C(2) << 46 }, B, true },
    { "", { STE_B + 16, SIZES | UIM_MASK(47, 46), SIZE(16, 2) | UINT64_C(2) << 46 }, B, true },
    { "", { STE_B + 16, SIZES | UIM_MASK(47, 46), SIZE(34, 1) | UINT64_C(1) << 46 }, B, true },
    { "", { STE_B + 16, SIZES | UIM_MASK(47, 46), SIZE(35, 1) | UINT64_C(1) << 46 }, B, false },
    { "", { STE_B + 16, SIZES | UIM_MASK(47, 46), SIZE(16, 2) | UINT64_C(1) << 46 }, B, true },
    { "", { STE_B + 16, SIZES | UIM_MASK(47, 46), SIZE(16, 3) | UINT64_C(1) << 46 }, B, false },
    { "gran64k=0", { STE_B + 16, SIZES | UIM_MASK(47, 46), SIZE(16, 2) | UINT64_C(1) << 46 }, B, false },
    { "gran16k=0", { STE_B + 16, SIZES | UIM_MASK(47, 46), SIZE(16, 2) | UINT64_C(2) << 46 }, B, false },
};

#define T1 (UIM_BIT(30) | UIM_MASK(23, 16)) /* EPD1, T1SZ, TG1 */

static const struct entry_row cds[] = {
    { "", { CD_A, UIM_BIT(31), 0 }, A, false },
    { "", { CD_A, UIM_BIT(46), 0 }, A, false },                      /* A */
    { "", { CD_A, 0, UIM_BIT(44) }, A, false },                      /* S */
    { "", { CD_A, 0, UIM_BIT(15) }, A, false },                      /* ENDI */
    { "", { CD_A, 0, UIM_BIT(15) | UIM_BIT(14) }, A, true },
    { "", { CD_A, UIM_BIT(41), 0 }, A, false },                      /* AA64 */
    { "", { CD_A, 0, UIM_BIT(43) }, A, false },                      /* HA */
    { "httu=1", { CD_A, 0, UIM_BIT(43) }, A, true },
    { "httu=1", { CD_A, 0, UIM_BIT(42) }, A, false },                /* HD */
    { "httu=2", { CD_A, 0, UIM_BIT(42) | UIM_BIT(43) }, A, true },
    { "asid16=0", { CD_A, 0, UIM_BIT(56) }, A, false },
    { "asid16=0", { 0 }, A, true },
    { "", { CD_A, 0x3f, 15 }, A, false },                            /* T0SZ */
    { "", { CD_A, 0x3f, 39 }, A, true },
    { "", { CD_A, 0x3f, 40 }, A, false },
    { "", { CD_A, 0x3f, 40 | 1 << 14 }, A, true },                   /* EPD0 */
    { "", { CD_A, 0, 3 << 6 }, A, false },                           /* TG0 */
    { "gran64k=0", { CD_A, 0, 1 << 6 }, A, false },
    { "gran16k=0", { CD_A, 0, 2 << 6 }, A, false },
    { "gran4k=0", { 0 }, A, false },
    { "", { CD_A, T1, 25 << 16 | 2 << 22 }, A, true },
    { "", { CD_A, T1, 25 << 16 }, A, false },                        /* TG1 0 */
    { "", { CD_A, T1, 15 << 16 | 2 << 22 }, A, false },
    { "gran16k=0", { CD_A, T1, 25 << 16 | 1 << 22 }, A, false },
    { "", { CD_A, T1, 25 << 16 | 1 << 22 }, A, true },
    { "gran64k=0", { CD_A, T1, 25 << 16 | 3 << 22 }, A, false },
    { "oas=44", { CD_A + 8, 0, B44 }, A, false },                    /* TTB0 */
    { "oas=44", { CD_A + 16, 0, B44 }, A, true },                    /* TTB1, EPD1 */
    { "", { CD_A, UIM_MASK(34, 32), 0 }, A, true },
    { "", { CD_E + 64, 0, UIM_BIT(44) }, E, false },
    { "", { CD_E + 64, 0, UIM_BIT(44) }, F, false },
};
/* clang-format on */

static void illegal_stes(void **state)
{
    (void)state;
    check_entries(stes, sizeof(stes) / sizeof(*stes), 4);
    check_entries(s2_granules, sizeof(s2_granules) / sizeof(*s2_granules), 4);
}

static void illegal_cds(void **state)
{
    (void)state;
    check_entries(cds, sizeof(cds) / sizeof(*cds), 0x0a);
}

/* ---- ATS (3.9) ------------------------------------------------------------------- */

struct ats_row {
    const char *args;
    struct poke poke[2];
    uint32_t sid, ssid, access, flags;
    uint64_t iova;
    int answer;
    uint32_t perm;
    unsigned event;  /* 0: none                                            */
    bool of_config;  /* only with REC_CFG_ATS                              */
};

/* clang-format off */
static const struct ats_row ats[] = {
    { "", { { 0 } }, A, NO_SSID, R | W, ATS, VM_X, 0, R | W, 0, 0 },
    { "", { { 0 } }, A, NO_SSID, R, ATS, VM_X, 0, R, 0, 0 },
    { "", { { 0 } }, B, NO_SSID, R | W, ATS, VM_READ_ONLY, 0, R, 0, 0 },
    { "", { { 0 } }, C, NO_SSID, R | W, ATS, VM_X, 0, R | W, 0, 0 },
    { "", { { 0 } }, E, 1, R | W, ATS, VM_X, 0, R | W | X, 0, 0 },
    { "", { { 0 } }, E, 1, R | W | P, ATS, VM_WRITE_ONLY, 0, R | W | X | P, 0, 0 },
    { "", { { STE_E + 8, 0, 1 } }, E, NO_SSID, R | W, ATS, VM_X, 0, R | W, 0, 0 },
    { "", { { 0 } }, A, NO_SSID, R, ATS, VM_HOLE, 0, 0, 0, 0 },
    { "", { { 0 } }, B, NO_SSID, R, ATS, VM_HOLE, 0, 0, 0, 0 },
    { "", { { 0 } }, A, NO_SSID, R, ATS, B48, 0, 0, 0, 0 },
    { "", { { S1_3 + LEAF_X, AF, 0 } }, A, NO_SSID, R, ATS, VM_X, 0, 0, 0, 0 },
    { "oas=44", { { S1_3 + LEAF_X, 0, B44 } }, A, NO_SSID, R, ATS, VM_X, 0, 0, 0, 0 },
    { "", { { N_1 + (CD_C >> 9), 1, 0 } }, C, NO_SSID, R, ATS, VM_X, 0, 0, 0, 0 },
    { "", { { N_1 + (S1_3 >> 9), 1, 0 } }, C, NO_SSID, R, ATS, VM_X, 0, 0, 0, 0 },
    { "", { { S1_1, ALL, NOBODY | 3 } }, A, NO_SSID, R, ATS, VM_X, CA, 0, 0x0b, 1 },
    { "", { { 0 } }, 64, NO_SSID, R, ATS, VM_X, CA, 0, 0x02, 1 },
    { "", { { STE_A, 1, 0 } }, A, NO_SSID, R, ATS, VM_X, CA, 0, 0x04, 1 },
    { "", { { 0 } }, A, 1, R, ATS, VM_X, CA, 0, 0x08, 1 },
    { "", { { 0 } }, E, NO_SSID, R, ATS, VM_X, CA, 0, 0x06, 1 },
    { "", { { STE_A, UIM_MASK(55, 6), NOBODY } }, A, NO_SSID, R, ATS, VM_X, CA, 0, 0x09, 1 },
    { "", { { CD_A, UIM_BIT(31), 0 } }, A, NO_SSID, R, ATS, VM_X, CA, 0, 0x0a, 1 },
    { "", { { STE_A + 8, UIM_MASK(29, 28), 0 } }, A, NO_SSID, R, ATS, VM_X, UR, 0, 0x05, 0 },
    { "", { { 0 } }, D, NO_SSID, R, ATS, VM_X, UR, 0, 0x05, 0 },
    { "ats=0", { { 0 } }, A, NO_SSID, R, ATS, VM_X, UR, 0, 0x01, 0 },
    { "ats=0", { { 0 } }, A, NO_SSID, W, XLATED, PAGE_X, UR, 0, 0x01, 0 },
    { "", { { 0 } }, A, NO_SSID, R, ATS | XLATED, PAGE_X, UR, 0, 0, 0 },
    /* translated, ATSCHK is 1 */
    { "", { { 0 } }, A, NO_SSID, R | W, XLATED, PAGE_X, 0, R | W | X, 0, 0 },
    { "", { { STE_A + 8, UIM_MASK(29, 28), 0 } }, A, NO_SSID, R, XLATED, PAGE_X, UR, 0, 0x07, 0 },
    { "", { { 0 } }, D, NO_SSID, W, XLATED, PAGE_X, UR, 0, 0x07, 0 },
    { "", { { STE_A, 1, 0 } }, A, NO_SSID, R, XLATED, PAGE_X, UR, 0, 0x04, 1 },
    { "", { { STE_A, 0xe, 0 } }, A, NO_SSID, R, XLATED, PAGE_X, UR, 0, 0, 0 },
    { "", { { 0 } }, 64, NO_SSID, R, XLATED, PAGE_X, UR, 0, 0x02, 1 },
    { "", { { 0 } }, A, NO_SSID, R, XLATED, B48, UR, 0, 0, 0 },
};
/* clang-format on */

static void start_ats(struct vm *vm, bool rec_cfg_ats)
{
    smmu_start(vm);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xc);
    smmu_wr(vm, SMMUV3_REG_CR2, rec_cfg_ats ? 0xa : 2);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1d);
    vm_forget(vm);
}

static void check_ats(const struct ats_row *row, bool rec)
{
    struct vm *vm = smmu_create(row->args);
    struct uie_xlat x;

    for (unsigned i = 0; i < 2; i++)
        change(vm, &row->poke[i]);
    start_ats(vm, rec);
    for (unsigned n = 0; n < 2; n++) {
        assert_int_equal(smmu_ask(vm, row->sid, row->ssid, row->access,
                                  row->flags, row->iova, &x),
                         row->answer);
        assert_int_equal(x.perm, row->perm);
        assert_int_equal(smmu_event_id(vm),
                         rec || !row->of_config ? row->event : 0);
    }
    vm_destroy(vm);
}

static void ats_is_answered_as_the_manual_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ats) / sizeof(*ats); i++) {
        print_message("# row %zu\n", i);
        check_ats(&ats[i], false);
        check_ats(&ats[i], true);
    }
}

/* The fields of the events that only ATS has. */
static void events_of_ats_have_their_fields(void **state)
{
    struct vm *vm = smmu_create("");
    uint64_t word[EVENT_WORDS];
    struct uie_xlat x;

    (void)state;
    start_ats(vm, false);
    smmu_ask(vm, D, 3, W, ATS, VM_X + 0x123, &x);
    assert_true(smmu_event(vm, word));
    assert_int_equal(word[0], 5 | 1 << 11 | 3 << 12 | (uint64_t)D << 32);
    assert_int_equal(word[2], VM_X);
    smmu_ask(vm, D, NO_SSID, R, XLATED, VM_X + 0x123, &x);
    assert_true(smmu_event(vm, word));
    assert_int_equal(word[0], 7 | (uint64_t)D << 32);
    assert_int_equal(word[1], RNW);
    assert_int_equal(word[2], VM_X + 0x123);
    smmu_ask(vm, D, NO_SSID, W, XLATED, VM_X, &x);
    assert_true(smmu_event(vm, word));
    assert_int_equal(word[1], 0);
    vm_destroy(vm);

    vm = smmu_create("ats=0");
    smmu_start(vm);
    smmu_ask(vm, E, 3, R | P, XLATED, VM_X + 0x123, &x);
    assert_true(smmu_event(vm, word));
    assert_int_equal(word[0], 1 | 1 << 11 | 3 << 12 | (uint64_t)E << 32);
    assert_int_equal(word[1], RNW | PNU);
    assert_int_equal(word[2], VM_X + 0x123);
    vm_destroy(vm);
}

/* Without ATSCHK translated transactions pass; while SMMUEN is 0 nothing does. */
static void translated_without_a_check(void **state)
{
    struct vm *vm = smmu_create("");
    struct uie_xlat x;

    (void)state;
    smmu_start(vm);
    assert_int_equal(smmu_ask(vm, 99, NO_SSID, R, XLATED, PAGE_X, &x), 0);
    assert_int_equal(smmu_ask(vm, D, NO_SSID, R, XLATED, PAGE_X, &x), 0);
    assert_int_equal(smmu_event_id(vm), 0);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xc);
    assert_int_equal(smmu_ask(vm, A, NO_SSID, R, XLATED, PAGE_X, &x), UR);
    assert_int_equal(smmu_event_id(vm), 7);
    assert_int_equal(smmu_ask(vm, A, NO_SSID, R, ATS, VM_X, &x), UR);
    assert_int_equal(smmu_event_id(vm), 5);
    vm_destroy(vm);
}

/* A global page is said to be one: only where there are substreams. */
static void global_pages(void **state)
{
    struct vm *vm = smmu_create("");
    struct uie_xlat x;

    (void)state;
    change(vm, &(struct poke){ S1_3 + LEAF_X, UIM_BIT(11), 0 });
    start_ats(vm, false);
    assert_int_equal(smmu_ask(vm, E, 1, R, ATS, VM_X, &x), 0);
    assert_int_equal(x.flags, UIE_XLAT_GLOBAL);
    assert_int_equal(smmu_ask(vm, E, 1, R, ATS, VM_Y, &x), 0);
    assert_int_equal(x.flags, 0);
    assert_int_equal(smmu_ask(vm, A, NO_SSID, R, ATS, VM_X, &x), 0);
    assert_int_equal(x.flags, 0);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_have_their_fields),
        cmocka_unit_test(what_is_not_recorded),
        cmocka_unit_test(each_stage_has_its_own_record_bit),
        cmocka_unit_test(streams_that_abort_are_silent),
        cmocka_unit_test(bad_streams_are_silent_without_recinvsid),
        cmocka_unit_test(level_1_descriptors),
        cmocka_unit_test(splits),
        cmocka_unit_test(a_table_without_memory),
        cmocka_unit_test(illegal_stes),
        cmocka_unit_test(illegal_cds),
        cmocka_unit_test(ats_is_answered_as_the_manual_says),
        cmocka_unit_test(events_of_ats_have_their_fields),
        cmocka_unit_test(translated_without_a_check),
        cmocka_unit_test(global_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
