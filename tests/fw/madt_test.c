/* SPDX-License-Identifier: MIT */
/*
 * Where messages of devices go: MADTs as firmware makes them and as it should not, and
 * what an IORT and a MADT say together (semantics B.10).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fw/madt.h"
#include "iort_table.h"

#define ITS0 UINT64_C(0x08080000)
#define ITS1 UINT64_C(0x100000000)

enum { GICC = 11, GIC_ITS = 15, MADT_FIXED = 44 };

/* ---- a MADT in the making -------------------------------------------------- */

static void madt(struct table *t)
{
    memset(t, 0, sizeof(*t));
    memcpy(t->bytes, "APIC", 4);
    t->bytes[8] = 6;
    memcpy(t->bytes + 10, "UIOMMUTEST    ", 14);
    t->size = MADT_FIXED;
}

/* Zeroes behind its header. */
static uint8_t *structure(struct table *t, unsigned type, unsigned length)
{
    uint8_t *p = t->bytes + t->size;

    p[0] = (uint8_t)type;
    p[1] = (uint8_t)length;
    t->size += length;
    return p;
}

static void its(struct table *t, uint32_t id, uint64_t base)
{
    uint8_t *p = structure(t, GIC_ITS, 20);

    for (unsigned i = 0; i < 4; i++)
        p[4 + i] = (uint8_t)(id >> 8 * i);
    for (unsigned i = 0; i < 8; i++)
        p[8 + i] = (uint8_t)(base >> 8 * i);
}

static void says(const struct heard *h, const char *part)
{
    if (!strstr(h->text, part))
        fail_msg("\"%s\" does not say \"%s\"", h->text, part);
}

static enum uiommu_status check(struct table *t, struct heard *heard,
                                struct blob *out)
{
    const struct uim_fw_log log = hear(heard);
    const struct blob b = table_end(t);
    enum uiommu_status status = uim_madt_check(b.data, b.size, &log);

    *out = b;
    return status;
}

static void refused(struct table *t, const char *sentence)
{
    struct heard heard;
    struct blob b;

    assert_int_equal(check(t, &heard, &b), UIOMMU_INVAL);
    assert_int_equal(heard.errors, 1);
    says(&heard, sentence);
    blob_free(&b);
}

/* UINT64_MAX: it is not there. */
static uint64_t where(const struct blob *b, uint32_t id)
{
    uint64_t base = 0;

    return uim_madt_its(b->data, id, &base) ? base : UINT64_MAX;
}

/* ---- the table alone --------------------------------------------------------- */

static void other_structures_are_passed_over(void **state)
{
    struct heard heard;
    struct table t;
    struct blob b;

    (void)state;
    madt(&t);
    structure(&t, GICC, 82);
    its(&t, 7, ITS0);
    structure(&t, 0x55, 2);
    its(&t, 0, ITS1);
    assert_int_equal(check(&t, &heard, &b), UIOMMU_OK);
    assert_string_equal(heard.text, "");
    assert_int_equal(where(&b, 7), ITS0);
    assert_int_equal(where(&b, 0), ITS1);
    assert_int_equal(where(&b, 1), UINT64_MAX);
    blob_free(&b);
}

static void a_machine_without_its_has_a_good_table(void **state)
{
    struct heard heard;
    struct table t;
    struct blob b;

    (void)state;
    madt(&t);
    assert_int_equal(check(&t, &heard, &b), UIOMMU_OK);
    assert_string_equal(heard.text, "");
    assert_int_equal(where(&b, 0), UINT64_MAX);
    blob_free(&b);
}

static void structures_that_do_not_end_refuse_the_table(void **state)
{
    struct table t;

    (void)state;
    madt(&t);
    its(&t, 0, ITS0);
    structure(&t, GICC, 1);
    refused(&t, "MADT: structure at 0x40: no room for the header");
    madt(&t);
    structure(&t, GICC, 2)[1] = 0;
    refused(&t, "MADT: structure at 0x2c: shorter than the header");
    madt(&t);
    structure(&t, GICC, 20)[1] = 21;
    refused(&t, "MADT: structure at 0x2c: ends after the table");
    madt(&t);
    structure(&t, GIC_ITS, 19);
    refused(&t, "MADT: structure at 0x2c: an ITS structure, shorter than");
}

/* `n` structures of one type and size, zero but for their headers. */
static struct blob uniform(unsigned type, unsigned size, unsigned n)
{
    const size_t whole = MADT_FIXED + (size_t)size * n;
    struct blob b = { calloc(1, whole), whole };
    struct table t;

    assert_non_null(b.data);
    madt(&t);
    memcpy(b.data, t.bytes, t.size);
    for (unsigned i = 0; i < n; i++) {
        b.data[MADT_FIXED + i * size] = (uint8_t)type;
        b.data[MADT_FIXED + i * size + 1] = (uint8_t)size;
    }
    blob_seal(&b);
    return b;
}

/* More than any other table: there is a structure for each processor. */
static void a_machine_of_many_processors_has_a_large_table(void **state)
{
    struct blob b = uniform(GICC, 82, 1500);
    struct heard heard;
    const struct uim_fw_log log = hear(&heard);

    (void)state;
    assert_int_equal(uim_madt_check(b.data, b.size, &log), UIOMMU_OK);
    assert_string_equal(heard.text, "");
    blob_free(&b);
}

static void more_its_than_can_be_looked_for_refuse_the_table(void **state)
{
    struct blob b = uniform(GIC_ITS, 20, 4097);
    struct heard heard;
    const struct uim_fw_log log = hear(&heard);

    (void)state;
    assert_int_equal(uim_madt_check(b.data, b.size, &log), UIOMMU_INVAL);
    assert_string_equal(heard.text, "MADT: more ITSs than can be looked for\n");
    blob_free(&b);
}

static void what_is_no_madt_is_refused(void **state)
{
    struct table t;

    (void)state;
    madt(&t);
    memcpy(t.bytes, "IORT", 4);
    refused(&t, "the table is no MADT");
    madt(&t);
    t.size = MADT_FIXED - 1;
    refused(&t, "MADT: 43 bytes are less than its fixed part");
}

static void its_that_cannot_be_are_ignored(void **state)
{
    static const struct {
        uint64_t base;
        const char *sentence;
    } wrong[] = {
        { 0, "MADT: ITS 3: its registers are at 0, ignored" },
        { ITS0 + 0x1000, "MADT: ITS 3: its registers are not aligned" },
        { UINT64_C(0) - 0x10000, "MADT: ITS 3: its registers wrap around" },
    };
    struct heard heard;
    struct table t;
    struct blob b;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        madt(&t);
        its(&t, 3, wrong[i].base);
        assert_int_equal(check(&t, &heard, &b), UIOMMU_OK);
        says(&heard, wrong[i].sentence);
        assert_int_equal(where(&b, 3), UINT64_MAX);
        blob_free(&b);
    }
}

/* The last place where one fits. */
static void an_its_may_be_at_the_end(void **state)
{
    const uint64_t last = UINT64_C(0) - 0x20000;
    struct heard heard;
    struct table t;
    struct blob b;

    (void)state;
    madt(&t);
    its(&t, 3, last);
    assert_int_equal(check(&t, &heard, &b), UIOMMU_OK);
    assert_string_equal(heard.text, "");
    assert_int_equal(where(&b, 3), last);
    blob_free(&b);
}

static void a_number_belongs_to_the_first(void **state)
{
    struct heard heard;
    struct table t;
    struct blob b;

    (void)state;
    madt(&t);
    its(&t, 3, ITS0);
    its(&t, 3, ITS0);
    assert_int_equal(check(&t, &heard, &b), UIOMMU_OK);
    assert_string_equal(heard.text, "");
    blob_free(&b);
    madt(&t);
    its(&t, 3, ITS0);
    its(&t, 3, ITS1);
    assert_int_equal(check(&t, &heard, &b), UIOMMU_OK);
    says(&heard, "MADT: ITS 3: an earlier one has its number, ignored");
    assert_int_equal(where(&b, 3), ITS0);
    blob_free(&b);
}

/* ---- together with an IORT ---------------------------------------------------- */

/* Requesters of segment 0 send to ITSs 4 to 6 by way of a unit, those of segment 1
 * straight to ITS 9; a component to them all but by its own number. */
static struct blob machine(void)
{
    uint32_t group, other, unit;
    struct table t;

    iort(&t, 5);
    group = iort_its(&t, 3, 4);
    other = iort_its(&t, 1, 9);
    unit = iort_smmu_v3(&t, 5, 0x50000000);
    iort_map(&t, 0, 0xfff, 0, group, 0);
    iort_root(&t, 4, 0);
    iort_map(&t, 0, 0xffff, 0, unit, 0);
    iort_root(&t, 4, 1);
    iort_map(&t, 0, 0xffff, 0, other, 0);
    iort_component(&t, "\\_SB.ETH");
    iort_map(&t, 0, 0, 0x10, unit, IORT_SINGLE);
    return table_end(&t);
}

static enum uiommu_status together(const struct blob *table, struct table *more,
                                   struct heard *heard, struct blob *out)
{
    const struct uim_fw_log log = hear(heard);

    *out = (struct blob){ 0 };
    if (more)
        *out = table_end(more);
    assert_int_equal(uim_fw_iort.check(table->data, table->size, NULL),
                     UIOMMU_OK);
    return uim_fw_iort.check_also(table->data, out->data, out->size, &log);
}

/* Its start; 0: there is none. */
static uint64_t doorbell(const struct blob *table, const struct blob *also,
                         const struct uim_fw_device *device, unsigned index)
{
    struct uim_fw_region r;

    if (uim_fw_iort.doorbell(table->data, also->data, device, index, &r)) {
        return 0;
    }
    assert_int_equal(r.last - r.start, 0xffff);
    assert_int_equal(r.flags, UIOMMU_WRITE | UIOMMU_MMIO);
    return r.start;
}

static struct uim_fw_device function(unsigned segment, unsigned rid)
{
    return (struct uim_fw_device){
        .pci = { (uint16_t)segment, (uint8_t)(rid >> 8), (uint8_t)rid },
        .n = 1,
        .hop = { { (uint8_t)(rid >> 8), (uint8_t)rid, 0 } },
    };
}

static void doorbells_are_those_of_the_group(void **state)
{
    const struct uim_fw_device by_unit = function(0, 8),
                               beyond = function(0, 0x1000),
                               straight = function(1, 8),
                               nobody = function(2, 8);
    const struct uim_fw_device eth = { .acpi_path = "\\_SB.ETH" };
    struct blob table = machine(), also;
    struct heard heard;
    struct table t;

    (void)state;
    madt(&t);
    its(&t, 6, ITS1);
    its(&t, 4, ITS0);
    its(&t, 9, ITS1 + 0x40000);
    assert_int_equal(together(&table, &t, &heard, &also), UIOMMU_OK);
    says(&heard, "IORT: ITS at 0x30: the MADT does not say where ITS 5 is");
    assert_int_equal(heard.warnings, 1);
    assert_int_equal(doorbell(&table, &also, &by_unit, 0), ITS0 + 0x10000);
    assert_int_equal(doorbell(&table, &also, &by_unit, 1), ITS1 + 0x10000);
    assert_int_equal(doorbell(&table, &also, &by_unit, 2), 0);
    assert_int_equal(doorbell(&table, &also, &beyond, 0), 0);
    assert_int_equal(doorbell(&table, &also, &straight, 0), ITS1 + 0x50000);
    assert_int_equal(doorbell(&table, &also, &straight, 1), 0);
    assert_int_equal(doorbell(&table, &also, &nobody, 0), 0);
    assert_int_equal(doorbell(&table, &also, &eth, 0), ITS0 + 0x10000);
    blob_free(&table);
    blob_free(&also);
}

static void without_the_table_no_doorbell_is_known(void **state)
{
    const struct uim_fw_device device = function(0, 8);
    struct blob table = machine(), also;
    struct heard heard;

    (void)state;
    assert_int_equal(together(&table, NULL, &heard, &also), UIOMMU_OK);
    says(&heard, "without the MADT (\"APIC\") it is not known where");
    assert_int_equal(heard.warnings, 1);
    assert_int_equal(doorbell(&table, &also, &device, 0), 0);
    blob_free(&table);
}

static void where_no_message_goes_nothing_is_missed(void **state)
{
    struct blob table, also;
    struct heard heard;
    struct table t;

    (void)state;
    iort(&t, 5);
    iort_smmu_v3(&t, 5, 0x50000000);
    table = table_end(&t);
    assert_int_equal(together(&table, NULL, &heard, &also), UIOMMU_OK);
    assert_string_equal(heard.text, "");
    blob_free(&table);
}

static void a_wrong_second_table_is_refused(void **state)
{
    struct blob table = machine(), also;
    struct heard heard;
    struct table t;

    (void)state;
    madt(&t);
    structure(&t, GIC_ITS, 4);
    assert_int_equal(together(&table, &t, &heard, &also), UIOMMU_INVAL);
    says(&heard, "MADT: structure at 0x2c");
    assert_int_equal(heard.errors, 1);
    assert_int_equal(heard.warnings, 0);
    blob_free(&table);
    blob_free(&also);
}

/* A group of 900 ids is asked for 900 times, over all of the MADT. */
static void more_ids_than_can_be_searched_for_refuse_the_second(void **state)
{
    struct blob table, also = uniform(GICC, 20, 21);
    struct heard heard;
    const struct uim_fw_log log = hear(&heard);
    struct table t;

    (void)state;
    iort(&t, 5);
    iort_its(&t, 900, 0);
    table = table_end(&t);
    assert_int_equal(
        uim_fw_iort.check_also(table.data, also.data, also.size, &log),
        UIOMMU_INVAL);
    assert_string_equal(heard.text,
                        "IORT: more ITSs than the MADT can be searched for\n");
    blob_free(&table);
    blob_free(&also);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_structures_are_passed_over),
        cmocka_unit_test(a_machine_without_its_has_a_good_table),
        cmocka_unit_test(structures_that_do_not_end_refuse_the_table),
        cmocka_unit_test(a_machine_of_many_processors_has_a_large_table),
        cmocka_unit_test(more_its_than_can_be_looked_for_refuse_the_table),
        cmocka_unit_test(what_is_no_madt_is_refused),
        cmocka_unit_test(its_that_cannot_be_are_ignored),
        cmocka_unit_test(an_its_may_be_at_the_end),
        cmocka_unit_test(a_number_belongs_to_the_first),
        cmocka_unit_test(doorbells_are_those_of_the_group),
        cmocka_unit_test(without_the_table_no_doorbell_is_known),
        cmocka_unit_test(where_no_message_goes_nothing_is_missed),
        cmocka_unit_test(a_wrong_second_table_is_refused),
        cmocka_unit_test(more_ids_than_can_be_searched_for_refuse_the_second),
    };

    return cmocka_run_group_tests_name("MADT", tests, NULL, NULL);
}
