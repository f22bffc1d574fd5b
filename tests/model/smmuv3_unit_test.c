/* SPDX-License-Identifier: MIT */
/*
 * The SMMUv3 model as a unit: what it offers, registers, queues, global errors,
 * interrupts. Events have smmuv3_event_test, commands smmuv3_inval_test.
 */
#include <string.h>

#include "fw/iort.h"
#include "spec/smmuv3.h"
#include "tests/model/smmu.h"

enum {
    R = UIE_R,
    W = UIE_W,
    CMDQ_ERR = 1,
    EVENTQ_ABT_ERR = 4,
    OVFLG = 31,
};

static struct vm *started(const char *args)
{
    struct vm *vm = smmu_create(args);

    smmu_start(vm);
    return vm;
}

/* ---- create ---------------------------------------------------------------------- */

static void create_refuses_bad_arguments(void **state)
{
    static const struct {
        const char *args, *says;
    } rows[] = {
        { "nonsense=1", "unknown key" },
        { "stage=3", "stage" },
        { "sidsize=33", "sidsize" },
        { "ssidsize=21", "ssidsize" },
        { "oas=41", "oas is" },
        { "oas=52", "oas is" },
        { "cmdqs=20", "cmdqs" },
        { "eventqs=20", "eventqs" },
        { "gran4k=2", "gran4k" },
        { "gran4k=0,gran16k=0,gran64k=0", "gran4k=1" },
        { "st_level=2", "st_level" },
        { "cd2l=2", "cd2l" },
        { "asid16=2", "asid16" },
        { "vmid16=2", "vmid16" },
        { "msi=2", "msi" },
        { "ats=2", "ats" },
        { "ril=2", "ril" },
        { "pri=2", "pri" },
        { "pps=2", "pps" },
        { "priqs=20", "priqs" },
        { "stall=2", "stall" },
        { "stall_max=65", "stall_max" },
        { "stall_max=0", "1 or more" },
        { "pri=1,ats=0", "ats=1" },
        { "pps=1", "pri=1" },
        { "pri=1,pps=1,ssidsize=0", "substreams" },
        { "bbml=3", "bbml" },
        { "httu=3", "httu" },
        { "httu=1,coherent=0", "coherent=1" },
        { "abort=2", "abort" },
        { "cache=maybe", "cache" },
        { "base=0x1234", "128 KiB" },
        { "base=0x10000", "128 KiB" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = vm_create_bare();

        vm->m = vm->ops->create("smmuv3", &vm->host, rows[i].args);
        assert_null(vm->m);
        assert_int_equal(vm->n_log[UIE_LOG_ERROR], 1);
        if (!strstr(vm->last_log, rows[i].says))
            fail_msg("%s: \"%s\"", rows[i].args, vm->last_log);
        vm_destroy(vm);
    }
}

static void identification_follows_the_arguments(void **state)
{
    static const struct {
        const char *args;
        uint32_t reg, value;
    } rows[] = {
        { "", SMMUV3_REG_IDR0, 0x0dcc3c1b },
        { "stage=1", SMMUV3_REG_IDR0, 0x0dcc3c1a },
        { "stage=2", SMMUV3_REG_IDR0, 0x0dcc3c19 },
        { "coherent=0", SMMUV3_REG_IDR0, 0x0dcc3c0b },
        { "ats=0,msi=0", SMMUV3_REG_IDR0, 0x0d4c101b },
        { "asid16=0,vmid16=0,cd2l=0,st_level=0", SMMUV3_REG_IDR0, 0x05c02c1b },
        { "httu=2", SMMUV3_REG_IDR0, 0x0dcc3c9b },
        { "pri=1", SMMUV3_REG_IDR0, 0x0dcd3c1b },
        { "stall=1", SMMUV3_REG_IDR0, 0x0ccc3c1b },
        { "", SMMUV3_REG_IDR1, 0x02730510 },
        { "pri=1", SMMUV3_REG_IDR1, 0x02739d10 },
        { "priqs=3,pri=1", SMMUV3_REG_IDR1, 0x02731d10 },
        { "sidsize=8,ssidsize=0,cmdqs=7,eventqs=3", SMMUV3_REG_IDR1, 0xe30008 },
        { "", SMMUV3_REG_IDR3, 0x414 },
        { "stage=1,ril=0", SMMUV3_REG_IDR3, 0x4 },
        { "pri=1,pps=1", SMMUV3_REG_IDR3, 0x434 },
        { "stage=2,bbml=2", SMMUV3_REG_IDR3, 0x1410 },
        { "", SMMUV3_REG_IDR5, 0x75 },
        { "oas=44,gran16k=0", SMMUV3_REG_IDR5, 0x54 },
        { "stall=1", SMMUV3_REG_IDR5, 0x100075 },
        { "", SMMUV3_REG_AIDR, 1 },
        /* as QEMU's, on its machine "virt" */
        { "ats=0,msi=0,cd2l=0", SMMUV3_REG_IDR0, 0x0d44101b },
        { "ssidsize=0", SMMUV3_REG_IDR1, 0x02730010 },
        { "bbml=2", SMMUV3_REG_IDR3, 0x1414 },
        { "oas=44", SMMUV3_REG_IDR5, 0x74 },
        { "", SMMUV3_REG_GBPA, 0x1000 },
        { "abort=1", SMMUV3_REG_GBPA, 0x101000 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create(rows[i].args);

        assert_int_equal(smmu_rd(vm, rows[i].reg), rows[i].value);
        smmu_wr(vm, rows[i].reg, 0);
        assert_int_equal(smmu_rd(vm, rows[i].reg), rows[i].value);
        vm_destroy(vm);
    }
}

static void info_says_two_windows_and_four_lines(void **state)
{
    struct vm *vm = smmu_create("");
    struct uie_info info = { .size = sizeof(info) };

    (void)state;
    vm->ops->info(vm->m, &info);
    assert_int_equal(info.n_windows, 2);
    assert_int_equal(info.window[0].size, 0x10000);
    assert_int_equal(info.window[1].size, 0x10000);
    assert_int_equal(info.window[0].preferred_base, 0x09050000);
    assert_int_equal(info.n_irqs, 4);
    assert_int_equal(info.address_bits, 48);
    assert_int_equal(info.msi_len, 0);
    vm_destroy(vm);
}

/* DEN0049: the header, the unit, the root complex with one mapping. */
struct iort {
    uint8_t bytes[512];
    size_t len;
};

static struct iort iort_of(const char *args)
{
    struct vm *vm = smmu_create(args);
    struct iort t;
    uint8_t sum = 0;

    t.len = vm->ops->acpi(vm->m, t.bytes, sizeof(t.bytes));
    assert_int_equal(vm->ops->acpi(vm->m, NULL, 0), t.len);
    for (size_t i = 0; i < t.len; i++)
        sum = (uint8_t)(sum + t.bytes[i]);
    assert_int_equal(sum, 0);
    vm_destroy(vm);
    return t;
}

static uint64_t at(const struct iort *t, size_t offset, unsigned size)
{
    uint64_t v = 0;

    while (size-- > 0)
        v = v << 8 | t->bytes[offset + size];
    return v;
}

static void firmware_announces_the_unit(void **state)
{
    enum { UNIT = 48, ROOT = UNIT + 68, MAP = ROOT + 40 };
    struct iort t = iort_of("base=0x100000,irq=106,sidsize=8,ssidsize=5");

    (void)state;
    assert_memory_equal(t.bytes, "IORT", 4);
    assert_int_equal(t.len, MAP + 20);
    assert_int_equal(at(&t, 4, 4), t.len);
    assert_int_equal(at(&t, 36, 4), 2);
    assert_int_equal(at(&t, 40, 4), UNIT);
    assert_int_equal(at(&t, UNIT, 1), 4); /* SMMUv3 */
    assert_int_equal(at(&t, UNIT + 1, 2), 68);
    assert_int_equal(at(&t, UNIT + 8, 4), 0);
    assert_int_equal(at(&t, UNIT + 16, 8), 0x100000);
    assert_int_equal(at(&t, UNIT + 24, 4), 0);
    assert_int_equal(at(&t, UNIT + 44, 4), 106); /* event, page request */
    assert_int_equal(at(&t, UNIT + 48, 4), 107);
    assert_int_equal(at(&t, UNIT + 52, 4), 109); /* error, SYNC */
    assert_int_equal(at(&t, UNIT + 56, 4), 108);
    assert_int_equal(at(&t, ROOT, 1), 2);
    assert_int_equal(at(&t, ROOT + 1, 2), 60);
    assert_int_equal(at(&t, ROOT + 8, 4), 1);
    assert_int_equal(at(&t, ROOT + 12, 4), 40);
    assert_int_equal(at(&t, ROOT + 16, 4), 1);
    assert_int_equal(at(&t, ROOT + 24, 4), 5); /* ATS, PASIDs, no PRI */
    assert_int_equal(at(&t, ROOT + 28, 4), 0);
    assert_int_equal(at(&t, ROOT + 33, 2), 5);
    assert_int_equal(at(&t, ROOT + 36, 4), 1);
    assert_int_equal(at(&t, MAP, 4), 0);
    assert_int_equal(at(&t, MAP + 4, 4), 255); /* one less than there are */
    assert_int_equal(at(&t, MAP + 8, 4), 0);
    assert_int_equal(at(&t, MAP + 12, 4), UNIT);

    t = iort_of("pri=1");
    assert_int_equal(at(&t, ROOT + 24, 4), 7);
    t = iort_of("ats=0,ssidsize=0");
    assert_int_equal(at(&t, UNIT + 16, 8), 0x09050000);
    for (unsigned line = 0; line < 4; line++)
        assert_int_equal(at(&t, UNIT + 44 + 4 * line, 4), 0);
    assert_int_equal(at(&t, ROOT + 24, 4), 0);
    assert_int_equal(at(&t, ROOT + 36, 4), 0);
    assert_int_equal(at(&t, MAP + 4, 4), 0xffff);
}

/* And as our own parser reads it: ids go from the root complex to the unit. */
static void our_parser_reads_the_table(void **state)
{
    struct iort t = iort_of("base=0x100000,irq=106,sidsize=8,ssidsize=5");
    struct uim_iort_node node = { .p = NULL };
    struct uim_iort_properties properties;
    struct uim_iort_hop hop;
    struct uim_fw_unit unit;
    uint32_t offset;

    (void)state;
    assert_true(uim_iort_next(t.bytes, &node));
    assert_int_equal(node.type, IORT_NODE_SMMU_V3);
    assert_null(uim_iort_unit(t.bytes, &node, &unit));
    assert_true(uim_iort_next(t.bytes, &node));
    uim_iort_properties(&node, &properties);
    assert_true(properties.coherent && properties.ats && !properties.pri);
    assert_int_equal(properties.pasid_bits, 5);
    assert_int_equal(uim_iort_map(t.bytes, &node, 0xff, &hop), UIOMMU_OK);
    assert_int_equal(hop.id, 0xff);
    assert_int_equal(hop.node.type, IORT_NODE_SMMU_V3);
    assert_int_equal(uim_iort_map(t.bytes, &node, 0x100, &hop), UIOMMU_NOENT);
    assert_false(uim_iort_next(t.bytes, &node));
    assert_null(uim_iort_flaw(t.bytes, &node, &offset));
}

/* ---- registers --------------------------------------------------------------------- */

static void registers_take_their_width_and_halves(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_STRTAB_BASE, UINT64_C(0x4000123456789ac0));
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_STRTAB_BASE),
                     UINT64_C(0x4000123456789ac0));
    assert_int_equal(vm->ops->mmio_read(vm->m, 0, 0x84, 4), 0x40001234);
    vm->ops->mmio_write(vm->m, 0, 0x80, 0x1000, 4);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_STRTAB_BASE),
                     UINT64_C(0x4000123400001000));
    vm->ops->mmio_write(vm->m, 0, 0x80, 0, 2);
    vm->ops->mmio_write(vm->m, 0, 0x81, 0, 1);
    vm->ops->mmio_write(vm->m, 0, 0x88, UINT64_MAX, 8);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_STRTAB_BASE),
                     UINT64_C(0x4000123400001000));
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_STRTAB_BASE_CFG), 0);
    assert_int_equal(vm->ops->mmio_read(vm->m, 0, 0x20, 8), 0);
    assert_int_equal(vm->ops->mmio_read(vm->m, 0, 0xffc, 4), 0);
    assert_int_equal(vm->ops->mmio_read(vm->m, 2, 0, 4), 0);
    vm->ops->mmio_write(vm->m, 2, 0x20, 1, 4);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR0), 0);
    vm->ops->memory_changed(vm->m);
    vm_destroy(vm);
}

/* Addresses have no bits above OAS, reserved bits stay 0. */
static void reserved_bits_read_as_zero(void **state)
{
    static const struct {
        uint32_t reg;
        uint64_t value;
    } rows[] = {
        { SMMUV3_REG_CR0, UINT32_MAX },
        { SMMUV3_REG_CR1, 0xfff },
        { SMMUV3_REG_CR2, 0xf },
        { SMMUV3_REG_STRTAB_BASE, UINT64_C(0x40000fffffffffc0) },
        { SMMUV3_REG_STRTAB_BASE_CFG, 0x307ff },
        { SMMUV3_REG_CMDQ_BASE, UINT64_C(0x40000fffffffffff) },
        { SMMUV3_REG_EVENTQ_BASE, UINT64_C(0x40000fffffffffff) },
        { SMMUV3_REG_CMDQ_PROD, 0xfffff },
        { SMMUV3_REG_CMDQ_CONS, 0x7f0fffff },
        { SMMUV3_REG_EVENTQ_PROD, 0x800fffff },
        { SMMUV3_REG_EVENTQ_CONS, 0x800fffff },
        { SMMUV3_REG_EVENTQ_IRQ_CFG0, UINT64_C(0xffffffffffc) },
        { SMMUV3_REG_GERROR_IRQ_CFG2, 0x3f },
        { SMMUV3_REG_GERROR, 0 },
        { SMMUV3_REG_GERRORN, 0 },
        { SMMUV3_REG_PRIQ_BASE, 0 },
        { SMMUV3_REG_PRIQ_PROD, 0 },
        { SMMUV3_REG_GATOS_SID, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = smmu_create("oas=44");

        smmu_wr(vm, rows[i].reg, UINT64_MAX);
        if (rows[i].reg != SMMUV3_REG_CR0)
            assert_int_equal(smmu_rd(vm, rows[i].reg), rows[i].value);
        vm_destroy(vm);
    }
}

static void what_is_in_use_is_not_written(void **state)
{
    static const struct {
        uint32_t reg;
        uint64_t value;
    } rows[] = {
        { SMMUV3_REG_CR1, 0 },         { SMMUV3_REG_CR2, 0 },
        { SMMUV3_REG_STRTAB_BASE, 0 }, { SMMUV3_REG_STRTAB_BASE_CFG, 0 },
        { SMMUV3_REG_CMDQ_BASE, 0 },   { SMMUV3_REG_CMDQ_CONS, 7 },
        { SMMUV3_REG_EVENTQ_BASE, 0 }, { SMMUV3_REG_EVENTQ_PROD, 7 },
    };
    struct vm *vm = started("");

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        uint64_t before = smmu_rd(vm, rows[i].reg);

        smmu_wr(vm, rows[i].reg, rows[i].value);
        assert_int_equal(smmu_rd(vm, rows[i].reg), before);
    }
    assert_true(vm->n_log[UIE_LOG_WARN] > 0);
    smmu_wr(vm, SMMUV3_REG_CR0, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        smmu_wr(vm, rows[i].reg, rows[i].value);
        assert_int_equal(smmu_rd(vm, rows[i].reg), rows[i].value);
    }
    vm_destroy(vm);
}

/* The halves of CR1 depend on different things. */
static void cr1_halves(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 8); /* CMDQEN */
    smmu_wr(vm, SMMUV3_REG_CR1, 0xfff);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR1), 0xfc0);
    smmu_wr(vm, SMMUV3_REG_CR0, 1); /* SMMUEN */
    smmu_wr(vm, SMMUV3_REG_CR1, 0x3f);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR1), 0xfff);
    vm_destroy(vm);
}

static void acknowledgements_follow_when_the_unit_answers(void **state)
{
    struct vm *vm = smmu_create("ats=0");

    (void)state;
    uim_check_silent(vm->model, true);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xffff);
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 7);
    smmu_wr(vm, SMMUV3_REG_GBPA, UIM_BIT(31) | UIM_BIT(20));
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR0ACK), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_IRQ_CTRLACK), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GBPA), UIM_BIT(31) | UIM_BIT(20));
    smmu_wr(vm, SMMUV3_REG_GBPA, UIM_BIT(31)); /* too early */
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 1);
    uim_check_silent(vm->model, false);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR0ACK), 0xd);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_IRQ_CTRLACK), 5);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GBPA), UIM_BIT(20));
    vm_destroy(vm);
}

/* 6.3.14: without Update nothing changes. */
static void gbpa_decides_while_off(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    assert_int_equal(smmu_go(vm, SMMU_A, R | W, VM_X), VM_X);
    smmu_wr(vm, SMMUV3_REG_GBPA, UIM_BIT(20));
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), VM_X);
    smmu_wr(vm, SMMUV3_REG_GBPA, UIM_BIT(31) | UIM_BIT(20));
    assert_int_equal(vm->n_inval, 1);
    assert_int_equal(vm->inval[0].what, UIE_INV_ALL);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
    smmu_wr(vm, SMMUV3_REG_GBPA, UIM_BIT(31));
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), VM_X);
    assert_int_equal(smmu_go(vm, SMMU_A, R, UIM_BIT(48)), 0);
    vm_destroy(vm);
}

static void switching_on_tells_the_vmm(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 0xc);
    assert_int_equal(vm->n_inval, 1);
    assert_int_equal(vm->inval[0].what, UIE_INV_ALL);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    assert_int_equal(vm->n_inval, 2);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x1d); /* ATSCHK: of translated requests */
    assert_int_equal(vm->n_inval, 3);
    smmu_wr(vm, SMMUV3_REG_CR0, 0x19);
    assert_int_equal(vm->n_inval, 3);
    vm_destroy(vm);
}

/* ---- the command queue ----------------------------------------------------------- */

static void sync_completes_in_every_way(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_submit(vm, 0x46, 0);
    assert_int_equal(vm->n_irq + vm->n_msi, 0);
    smmu_submit(vm, 0x46 | 1 << 12, 0);
    assert_int_equal(vm->n_irq, 1);
    assert_int_equal(vm->irq[0].line, 2);
    assert_int_equal(vm->irq[0].level, 2);
    smmu_submit(vm, 0x46 | 1 << 12 | UINT64_C(0xfeed) << 32, SMMU_MSI);
    assert_int_equal(vm->n_msi, 1);
    assert_int_equal(vm->msi[0].addr, SMMU_MSI);
    assert_int_equal(vm->msi[0].data, 0xfeed);
    smmu_submit(vm, 0x46 | 2 << 12, 0); /* SEV is 0: as without a signal */
    assert_int_equal(vm->n_irq + vm->n_msi, 2);
    assert_true(smmu_drained(vm));
    assert_int_equal(vm_counter(vm, "syncs"), 4);
    vm_destroy(vm);
}

/* IDR0.MSI is 0: the address means nothing, and there is no place for one. */
static void without_messages_there_are_lines(void **state)
{
    struct vm *vm = started("msi=0");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_EVENTQ_IRQ_CFG0, SMMU_MSI);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_IRQ_CFG0), 0);
    smmu_submit(vm, 0x46 | 1 << 12, SMMU_MSI);
    assert_int_equal(vm->n_msi, 0);
    assert_int_equal(vm->n_irq, 1);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(vm->n_irq, 2);
    assert_int_equal(vm->irq[1].line, 0);
    vm_destroy(vm);
}

static void the_queue_wraps(void **state)
{
    struct vm *vm = started("");

    (void)state;
    for (unsigned i = 0; i < 700; i++)
        smmu_submit(vm, 0x46, 0);
    assert_int_equal(vm->tail, 700 & 511);
    assert_true(smmu_drained(vm));
    assert_int_equal(vm_counter(vm, "syncs"), 700);
    vm_destroy(vm);
}

/* LOG2SIZE beyond what IDR1 has is as much as that. */
static void the_queue_is_no_larger_than_offered(void **state)
{
    struct vm *vm = smmu_create("cmdqs=1");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CMDQ_BASE, SMMU_CMDQ | 31);
    smmu_wr(vm, SMMUV3_REG_CR0, 8);
    vm_poke(vm, SMMU_CMDQ, 0x46);
    vm_poke(vm, SMMU_CMDQ + 16, 0x46);
    smmu_wr(vm, SMMUV3_REG_CMDQ_PROD, 2); /* two commands, wrapped */
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 2);
    smmu_wr(vm, SMMUV3_REG_CMDQ_PROD, 1);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 1);
    assert_int_equal(vm_counter(vm, "syncs"), 5);
    vm_destroy(vm);
}

static void illegal_commands(void **state)
{
    static const struct {
        const char *args;
        uint64_t lo, hi;
    } rows[] = {
        { "", 0, 0 },                    /* no such command */
        { "", 0x08, 0 },
        { "", 0xff, 0 },
        { "", 0x07, 0 },                    /* CFGI_VMS_PIDM: no MPAM */
        { "", 0x18, 0 },                    /* EL3 */
        { "", 0x20, 0 },                    /* EL2 */
        { "", 0x21, 0 },
        { "", 0x22, 0 },
        { "", 0x23, 0 },
        { "", 0x41, 0 },                    /* PRI_RESP */
        { "", 0x44, 0 },                    /* RESUME */
        { "", 0x45, 0 },                    /* STALL_TERM */
        { "", 0x60, 0 },                    /* Secure */
        { "", 0x46 | 3 << 12, 0 },          /* CS */
        { "", 0x03 | 1 << 10, 0 },          /* SSec */
        { "", 0x40 | 1 << 10, 0 },
        { "ats=0", 0x40, 0 },
        { "stage=2", 0x05, 0 },
        { "stage=2", 0x06, 0 },
        { "stage=2", 0x10, 0 },
        { "stage=2", 0x11, 0 },
        { "stage=2", 0x12, 0 },
        { "stage=2", 0x13, 0 },
        { "stage=1", 0x28, 0 },
        { "stage=1", 0x2a, 0 },
        { "", 0x12, 1 << 10 },           /* TG, but no range and no level */
        { "", 0x12, 3 << 10 | 1 },       /* of leaves */
        { "", 0x13, 1 << 10 },
        { "", 0x2a, 2 << 10 },
        { "", 0x12, 2 << 10 | 1 << 8 },  /* 16 KiB: no leaves at level 1 */
        { "", 0x12 | 32 << 20, 1 << 10 }, /* SCALE */
        { "", 0x2a | 63 << 20 | 1 << 12, 3 << 10 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = started(rows[i].args);

        smmu_submit(vm, rows[i].lo, rows[i].hi);
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 1 << 24);
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), CMDQ_ERR);
        assert_int_equal(vm->n_irq, 1);
        assert_int_equal(vm->irq[0].line, 3);
        vm_destroy(vm);
    }
}

static void legal_commands(void **state)
{
    static const struct {
        const char *args;
        uint64_t lo, hi;
    } rows[] = {
        { "", 0x01, 0 },
        { "", 0x02, 0 },
        { "", 0x03, 0 },
        { "", 0x04, 0 },
        { "", 0x05, 0 },
        { "", 0x06, 0 },
        { "", 0x10, 0 },
        { "", 0x11, 0 },
        { "", 0x12, 0 },
        { "", 0x13, 0 },
        { "", 0x28, 0 },
        { "", 0x2a, 0 },
        { "", 0x30, 0 },
        { "", 0x46, 0 },
        { "stage=1", 0x12, 0 },
        { "stage=2", 0x2a, 0 },
        { "stage=1", 0x30, 0 },
        { "stage=2", 0x30, 0 },
        { "", 0x12 | 31 << 20, 1 << 10 },
        { "", 0x12, 1 << 10 | 1 << 8 },
        { "", 0x12 | 1 << 12, 2 << 10 },
        { "ril=0", 0x12 | 32 << 20, 1 << 10 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct vm *vm = started(rows[i].args);

        smmu_submit(vm, rows[i].lo, rows[i].hi);
        assert_true(smmu_drained(vm));
        assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), 0);
        vm_destroy(vm);
    }
}

/* Nothing is consumed until the error is acknowledged; then where it stopped. */
static void an_error_stops_the_queue(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_post(vm, 0x46, 0);
    smmu_post(vm, 0xff, 0);
    smmu_submit(vm, 0x46 | 1 << 12, SMMU_MSI);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 1 << 24 | 1);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), CMDQ_ERR);
    assert_int_equal(vm->n_msi, 0);
    smmu_wr(vm, SMMUV3_REG_CMDQ_PROD, 3);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 1 << 24 | 1);

    vm_poke(vm, SMMU_CMDQ + 16, 0x46);
    smmu_wr(vm, SMMUV3_REG_GERRORN, CMDQ_ERR);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS) & 0xfffff, 3);
    assert_int_equal(vm->n_msi, 1);

    smmu_submit(vm, 0xff, 0); /* the second one toggles the bit back */
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERRORN), CMDQ_ERR);
    assert_int_equal(vm->n_irq, 2);
    vm_destroy(vm);
}

static void a_queue_without_memory(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CMDQ_BASE, VM_OUTSIDE | 8);
    smmu_wr(vm, SMMUV3_REG_CR0, 8);
    smmu_wr(vm, SMMUV3_REG_CMDQ_PROD, 1);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 2 << 24);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), CMDQ_ERR);
    assert_int_equal(vm->n_irq, 0); /* GERROR_IRQEN is 0 */
    vm_destroy(vm);
}

static void errors_that_are_not_active_stay_so(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_GERRORN, 0x7ff);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERRORN), 0);
    assert_int_equal(vm->n_log[UIE_LOG_WARN], 1);
    smmu_submit(vm, 0x46, 0);
    assert_true(smmu_drained(vm));
    vm_destroy(vm);
}

static void global_errors_send_their_message(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_GERROR_IRQ_CFG0, SMMU_MSI);
    smmu_wr(vm, SMMUV3_REG_GERROR_IRQ_CFG1, 0x77);
    smmu_start(vm);
    smmu_submit(vm, 0xff, 0);
    assert_int_equal(vm->n_irq, 0);
    assert_int_equal(vm->n_msi, 1);
    assert_int_equal(vm->msi[0].addr, SMMU_MSI);
    assert_int_equal(vm->msi[0].data, 0x77);
    vm_destroy(vm);
}

static void held_commands_wait(void **state)
{
    struct vm *vm = started("");

    (void)state;
    uim_check_hold(vm->model, true);
    smmu_post(vm, 0x46, 0);
    smmu_submit(vm, 0x46, 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 0);
    assert_int_equal(uim_check_run(vm->model, 1), 1);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 1);
    uim_check_hold(vm->model, false);
    assert_true(smmu_drained(vm));
    uim_check_silent(vm->model, true);
    smmu_submit(vm, 0x46, 0);
    assert_false(smmu_drained(vm));
    uim_check_silent(vm->model, false);
    assert_true(smmu_drained(vm));
    vm_destroy(vm);
}

static void injected_errors(void **state)
{
    struct vm *vm = started("");

    (void)state;
    uim_check_inject(vm->model,
                     &(struct uim_check_inject){ UIM_CHECK_ERROR_QUEUE, 1, 0 });
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), CMDQ_ERR);
    smmu_wr(vm, SMMUV3_REG_GERRORN, CMDQ_ERR);
    uim_check_inject(vm->model, &(struct uim_check_inject){
                                    UIM_CHECK_ERROR_TIMEOUT, 0, SMMU_A });
    smmu_submit(vm, 0x46, 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CMDQ_CONS), 3 << 24);
    smmu_wr(vm, SMMUV3_REG_GERRORN, 0);
    assert_true(smmu_drained(vm));
    vm_destroy(vm);
}

/* ---- the event queue ------------------------------------------------------------- */

static void the_first_event_interrupts(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_EVENTQ_IRQ_CFG0, SMMU_MSI);
    smmu_wr(vm, SMMUV3_REG_EVENTQ_IRQ_CFG1, 0x55);
    smmu_start(vm);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(vm->n_msi, 1);
    assert_int_equal(vm->msi[0].data, 0x55);
    assert_int_equal(smmu_event_id(vm), 4);
    assert_int_equal(smmu_event_id(vm), 4);
    assert_int_equal(smmu_event_id(vm), 0);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(vm->n_msi, 2);
    smmu_wr(vm, SMMUV3_REG_IRQ_CTRL, 0);
    smmu_event_id(vm);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(vm->n_msi, 2);
    vm_destroy(vm);
}

/* 7.4: said once, and forgotten once software copied OVFLG. */
static void overflow_is_said_and_acknowledged(void **state)
{
    struct vm *vm = started("");
    uint64_t cons;

    (void)state;
    for (unsigned i = 0; i < 18; i++)
        smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), UIM_BIT(OVFLG) | 16);
    assert_int_equal(vm_counter(vm, "events"), 16);
    assert_int_equal(vm_counter(vm, "events_lost"), 2);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), 0);
    smmu_event_id(vm); /* room again: events are written, overflow or not */
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), UIM_BIT(OVFLG) | 17);
    cons = smmu_rd(vm, SMMUV3_REG_EVENTQ_CONS);
    smmu_wr(vm, SMMUV3_REG_EVENTQ_CONS, cons | UIM_BIT(OVFLG));
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), 17);
    vm_destroy(vm);
}

static void events_without_memory_are_an_error(void **state)
{
    struct vm *vm = smmu_create("");

    (void)state;
    smmu_start(vm);
    smmu_wr(vm, SMMUV3_REG_CR0, 1 | 8);
    smmu_wr(vm, SMMUV3_REG_EVENTQ_BASE, VM_OUTSIDE | 4);
    smmu_wr(vm, SMMUV3_REG_CR0, 0xd);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), EVENTQ_ABT_ERR);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), 0);
    assert_int_equal(vm->irq[0].line, 3);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(vm->n_irq, 1);
    smmu_wr(vm, SMMUV3_REG_GERRORN, EVENTQ_ABT_ERR);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_GERROR), 0);
    assert_int_equal(vm->n_irq, 2);
    vm_destroy(vm);
}

static void events_while_the_queue_is_off_are_lost(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_wr(vm, SMMUV3_REG_CR0, 9);
    smmu_go(vm, SMMU_NONE, R, VM_X);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_EVENTQ_PROD), 0);
    assert_int_equal(vm_counter(vm, "events_lost"), 1);
    vm_destroy(vm);
}

/* ---- the rest -------------------------------------------------------------------- */

static void page_requests_are_refused(void **state)
{
    struct vm *vm = started("");
    struct uie_page_request req = { .size = sizeof(req), .rid = SMMU_A };

    (void)state;
    assert_true(vm->ops->page_request(vm->m, &req) < 0);
    vm_destroy(vm);
}

static void reset_is_power_on(void **state)
{
    struct vm *vm = started("");

    (void)state;
    smmu_go(vm, SMMU_A, R, VM_X);
    vm->ops->reset(vm->m);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_CR0ACK), 0);
    assert_int_equal(smmu_rd(vm, SMMUV3_REG_STRTAB_BASE), 0);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), VM_X);
    vm->tail = 0;
    vm_poke(vm, SMMU_CD + 8, 0);
    smmu_start(vm);
    assert_int_equal(smmu_go(vm, SMMU_A, R, VM_X), 0);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_refuses_bad_arguments),
        cmocka_unit_test(identification_follows_the_arguments),
        cmocka_unit_test(info_says_two_windows_and_four_lines),
        cmocka_unit_test(firmware_announces_the_unit),
        cmocka_unit_test(our_parser_reads_the_table),
        cmocka_unit_test(registers_take_their_width_and_halves),
        cmocka_unit_test(reserved_bits_read_as_zero),
        cmocka_unit_test(what_is_in_use_is_not_written),
        cmocka_unit_test(cr1_halves),
        cmocka_unit_test(acknowledgements_follow_when_the_unit_answers),
        cmocka_unit_test(gbpa_decides_while_off),
        cmocka_unit_test(switching_on_tells_the_vmm),
        cmocka_unit_test(sync_completes_in_every_way),
        cmocka_unit_test(without_messages_there_are_lines),
        cmocka_unit_test(the_queue_wraps),
        cmocka_unit_test(the_queue_is_no_larger_than_offered),
        cmocka_unit_test(illegal_commands),
        cmocka_unit_test(legal_commands),
        cmocka_unit_test(an_error_stops_the_queue),
        cmocka_unit_test(a_queue_without_memory),
        cmocka_unit_test(errors_that_are_not_active_stay_so),
        cmocka_unit_test(global_errors_send_their_message),
        cmocka_unit_test(held_commands_wait),
        cmocka_unit_test(injected_errors),
        cmocka_unit_test(the_first_event_interrupts),
        cmocka_unit_test(overflow_is_said_and_acknowledged),
        cmocka_unit_test(events_without_memory_are_an_error),
        cmocka_unit_test(events_while_the_queue_is_off_are_lost),
        cmocka_unit_test(page_requests_are_refused),
        cmocka_unit_test(reset_is_power_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
