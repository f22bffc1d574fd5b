/* SPDX-License-Identifier: MIT */
/*
 * Firmware tables that are right, wrong, and hostile: what is counted in them,
 * what is refused, and with which sentence (semantics D-88). Which device is
 * meant by them: match_test.c.
 *
 * Needs cmocka and cJSON. UIM_CORPUS_DIR is tests/corpus as seen from where it
 * runs.
 */
#define _POSIX_C_SOURCE 200809L

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "fw/dmar.h"
#include "spec/pci.h"
#include "table.h"
#include "fuzz/share.h"
#include "tools/fw.h"

/* ---- the corpus ---------------------------------------------------------- */

enum { MACHINES = 18 };

static struct blob machine(const char *id)
{
    char name[300];

    snprintf(name, sizeof(name), "acpi/%s/DMAR.bin", id);
    return blob_read(name);
}

static double counted(const cJSON *table, const char *key)
{
    const cJSON *structures =
        cJSON_GetObjectItemCaseSensitive(table, "structures");
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(structures, key);

    return n ? n->valuedouble : 0;
}

static unsigned n_units(const void *table)
{
    struct uim_fw_unit unit;
    unsigned n = 0;

    while (uim_fw_dmar.unit(table, n, &unit) == UIOMMU_OK)
        n++;
    return n;
}

/* One row of expected.csv against what `uiommu fw --json` prints. */
static void compare_row(char *columns, char *row)
{
    char *save_column, *save_value;
    char *column = strtok_r(columns, ",\n", &save_column);
    char *value = strtok_r(row, ",\n", &save_value);
    struct blob b = machine(value);
    double drhd_count;
    bool refused;
    cJSON *table = fw_describe(b.data, b.size, &refused);
    const char *id = value;

    assert_false(refused);
    while ((column = strtok_r(NULL, ",\n", &save_column))) {
        value = strtok_r(NULL, ",\n", &save_value);
        assert_non_null(value);
        if ((int)counted(table, column) != atoi(value))
            fail_msg("%s: %s: %d, expected %s", id, column,
                     (int)counted(table, column), value);
    }
    drhd_count = counted(table, "DRHD");
    assert_int_equal((int)drhd_count, n_units(b.data));
    assert_int_equal((int)drhd_count,
                     cJSON_GetArraySize(cJSON_GetObjectItem(table, "units")));
    assert_int_equal(
        (int)counted(table, "RMRR"),
        cJSON_GetArraySize(cJSON_GetObjectItem(table, "reserved")));
    cJSON_Delete(table);
    blob_free(&b);
}

static void every_machine_counts_as_its_index_says(void **state)
{
    FILE *f = fopen(UIM_CORPUS_DIR "/expected.csv", "r");
    char columns[256], copy[256], row[256];
    unsigned n = 0;

    (void)state;
    assert_non_null(f);
    assert_non_null(fgets(columns, sizeof(columns), f));
    for (; fgets(row, sizeof(row), f); n++) {
        memcpy(copy, columns, sizeof(copy));
        compare_row(copy, row);
    }
    fclose(f);
    assert_int_equal(n, MACHINES);
}

static unsigned problems;

static void count_problems(const char *id, struct blob *b)
{
    static const struct {
        const char *id, *fragment;
    } odd[] = {
        { "hp-dl360-g7", "opts out of x2APIC without interrupt remapping" },
        { "ideapadflex-15", "its registers are at 0" },
    };
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    assert_int_equal(uim_fw_dmar.check(b->data, b->size, &log), UIOMMU_OK);
    problems += heard.warnings;
    assert_int_equal(heard.errors, 0);
    for (size_t i = 0; i < 2; i++) {
        if (strcmp(id, odd[i].id) == 0)
            assert_non_null(strstr(heard.text, odd[i].fragment));
    }
}

static void only_two_machines_have_problems(void **state)
{
    (void)state;
    problems = 0;
    assert_int_equal(each_machine("DMAR", count_problems), MACHINES);
    assert_int_equal(problems, 2);
}

static void units_are_described(void **state)
{
    struct blob b = machine("msi-prestige-13-a2vmg");
    struct uim_fw_unit unit;

    (void)state;
    assert_int_equal(uim_fw_dmar.unit(b.data, 2, &unit), UIOMMU_OK);
    assert_int_equal(unit.base, 0xfc820000);
    assert_int_equal(unit.size, 0x10000);
    assert_int_equal(unit.phys_bits, 38);
    assert_int_equal(unit.segment, 0);
    assert_true(unit.all);
    assert_true(unit.usable);
    assert_int_equal(uim_fw_dmar.unit(b.data, 3, &unit), UIOMMU_NOENT);
    blob_free(&b);
}

static void unit_at_0_is_not_usable_and_the_table_is(void **state)
{
    struct blob b = machine("ideapadflex-15");
    struct uim_fw_unit unit;

    (void)state;
    assert_int_equal(uim_fw_dmar.unit(b.data, 0, &unit), UIOMMU_OK);
    assert_false(unit.usable);
    blob_free(&b);
}

/* Only units take registers away from each other. */
static void regions_are_no_units(void **state)
{
    struct table t;
    struct blob b;
    struct uim_fw_unit unit;

    (void)state;
    dmar(&t, 39, 1);
    rmrr(&t, 0, 0xfed90000, 0xfed90fff);
    rhsa(&t, 0xfed90000, 0);
    drhd(&t, 1, 0, 0xfed90000);
    b = table_end(&t);
    assert_int_equal(uim_fw_dmar.check(b.data, b.size, NULL), UIOMMU_OK);
    assert_int_equal(uim_fw_dmar.unit(b.data, 0, &unit), UIOMMU_OK);
    assert_true(unit.usable);
    assert_int_equal(uim_fw_dmar.unit(b.data, 1, &unit), UIOMMU_NOENT);
    blob_free(&b);
}

/* ---- headers ------------------------------------------------------------- */

static const char *const qemu_tables[] = {
    "qemu/qemu-q35-intel-iommu/DMAR.dat",
    "qemu/qemu-q35-amd-iommu/IVRS.dat",
    "qemu/qemu-q35-virtio-iommu/VIOT.dat",
    "qemu/qemu-aarch64-smmuv3/IORT.dat",
    "qemu/qemu-aarch64-smmuv3/MCFG.dat",
    "qemu/qemu-aarch64-virtio-iommu/IORT.dat",
    "qemu/qemu-aarch64-virtio-iommu/MCFG.dat",
    "qemu/qemu-aarch64-virtio-iommu/VIOT.dat",
};

enum { QEMU_TABLES = sizeof(qemu_tables) / sizeof(qemu_tables[0]) };

static void qemu_tables_have_good_headers(void **state)
{
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    (void)state;
    for (size_t i = 0; i < QEMU_TABLES; i++) {
        struct blob b = blob_read(qemu_tables[i]);

        assert_int_equal(uim_fw_check_header(b.data, b.size, &log), UIOMMU_OK);
        assert_string_equal(heard.text, "");
        blob_free(&b);
    }
}

static void one_changed_byte_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < QEMU_TABLES; i++) {
        struct blob b = blob_read(qemu_tables[i]);

        for (size_t at = 0; at < b.size; at++) {
            b.data[at] ^= 0x10;
            assert_int_equal(uim_fw_check_header(b.data, b.size, NULL),
                             UIOMMU_INVAL);
            b.data[at] ^= 0x10;
        }
        blob_free(&b);
    }
}

static void qemu_dmar_parses(void **state)
{
    struct blob b = blob_read(qemu_tables[0]);
    struct heard heard;
    struct uim_fw_log log = hear(&heard);
    struct uim_fw_unit unit;

    (void)state;
    assert_int_equal(uim_fw_dmar.check(b.data, b.size, &log), UIOMMU_OK);
    assert_string_equal(heard.text, "");
    assert_int_equal(n_units(b.data), 1);
    assert_int_equal(uim_fw_dmar.unit(b.data, 0, &unit), UIOMMU_OK);
    assert_int_equal(unit.base, 0xfed90000);
    assert_false(unit.all);
    blob_free(&b);
}

static void expect_header_only(const struct blob *b)
{
    bool refused;
    cJSON *table = fw_describe(b->data, b->size, &refused);

    assert_false(refused);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(table, "refused")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(table, "problems")),
                     1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(table, "units")),
                     0);
    assert_non_null(cJSON_GetObjectItem(table, "length"));
    cJSON_Delete(table);
}

/* Tables that no parser is for yet are shown as far as their header goes. */
static void other_tables_are_named(void **state)
{
    (void)state;
    for (size_t i = 1; i < QEMU_TABLES; i++) {
        struct blob b = blob_read(qemu_tables[i]);

        if (memcmp(b.data, "IORT", 4) == 0) {
            blob_free(&b);
            continue;
        }
        expect_header_only(&b);
        blob_free(&b);
    }
}
/* ---- malformed tables ---------------------------------------------------- */

/* Where what is in the table of base_table(). */
enum {
    AT_UNIT = 48,
    AT_UNIT_SCOPE = 64,
    AT_ALL = 72,
    AT_ALL_ACPI_SCOPE = 96,
    AT_RMRR = 104,
    AT_RMRR_SCOPE = 128,
    AT_ATSR = 136,
    AT_RHSA = 152,
    AT_ANDD = 172,
    AT_SATC = 195,
    AT_SIDP = 211,
    AT_UNKNOWN = 227,
    BASE_SIZE = 235,
};

static struct blob base_table(void)
{
    struct table t;
    struct blob b;

    dmar(&t, 39, 1);
    drhd(&t, 0, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "2.0");
    drhd(&t, 1, 0, 0xfed91000);
    scope(&t, DMAR_SCOPE_IOAPIC, 2, 0xf0, "1f.0");
    scope(&t, DMAR_SCOPE_NAMESPACE, 1, 0, "15.0");
    rmrr(&t, 0, 0x80000000, 0x800fffff);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "14.0");
    atsr(&t, 0, 0);
    scope(&t, DMAR_SCOPE_BRIDGE, 0, 0, "1.0");
    rhsa(&t, 0xfed90000, 0);
    andd(&t, 1, "\\_SB.PCI0.I2C0");
    satc(&t, 1, 0);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "2.0");
    sidp(&t, 0);
    scope_flags(&t, DMAR_SCOPE_ENDPOINT, 0x10, 0, "2.0");
    unknown(&t, 9, 8);
    b = table_end(&t);
    assert_int_equal(b.size, BASE_SIZE);
    return b;
}

static void base_table_is_right(void **state)
{
    struct blob b = base_table();
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    (void)state;
    assert_int_equal(uim_fw_dmar.check(b.data, b.size, &log), UIOMMU_OK);
    assert_string_equal(
        heard.text, "DMAR: structure at 0xe3: type 9 is not known, skipped\n");
    assert_int_equal(heard.warnings, 0);
    blob_free(&b);
}

/* One number of base_table() changed, and the checksum made right again. */
struct change {
    unsigned at, size;
    uint64_t value;
    const char *sentence; /* a part of what is said */
};

static const struct change refused[] = {
    { AT_UNIT, 2, 77, "0 units" }, /* with both of them 77 */
    { AT_UNIT + 2, 2, 0, "DRHD at 0x30: shorter than its type and length" },
    { AT_UNIT + 2, 2, 3, "DRHD at 0x30: shorter than its type and length" },
    { AT_UNIT + 2, 2, 15, "DRHD at 0x30: shorter than its fixed part" },
    { AT_UNIT + 2, 2, 0xffff, "DRHD at 0x30: ends after the table" },
    { AT_UNIT + 2, 2, 17,
      "scope at 0x40 in DRHD at 0x30: no room for its fixed part" },
    { AT_UNIT + 2, 2, 23,
      "scope at 0x40 in DRHD at 0x30: ends after its structure" },
    { AT_UNIT_SCOPE + 1, 1, 0,
      "scope at 0x40 in DRHD at 0x30: shorter than its fixed part" },
    { AT_UNIT_SCOPE + 1, 1, 5,
      "scope at 0x40 in DRHD at 0x30: shorter than its fixed part" },
    { AT_UNIT_SCOPE + 1, 1, 7,
      "scope at 0x40 in DRHD at 0x30: half an element at the end" },
    { AT_UNIT_SCOPE + 1, 1, 10,
      "scope at 0x40 in DRHD at 0x30: ends after its structure" },
    { AT_UNIT_SCOPE + 1, 1, 255,
      "scope at 0x40 in DRHD at 0x30: ends after its structure" },
    { AT_ALL_ACPI_SCOPE + 1, 1, 6,
      "scope at 0x66 in DRHD at 0x48: no room for its fixed part" },
    { AT_RMRR + 2, 2, 20, "RMRR at 0x68: shorter than its fixed part" },
    { AT_RMRR_SCOPE + 1, 1, 9,
      "scope at 0x80 in RMRR at 0x68: ends after its structure" },
    { AT_ATSR + 2, 2, 7, "ATSR at 0x88: shorter than its fixed part" },
    { AT_RHSA + 2, 2, 16, "RHSA at 0x98: shorter than its fixed part" },
    { AT_ANDD + 2, 2, 7, "ANDD at 0xac: shorter than its fixed part" },
    { AT_ANDD + 22, 1, 'X', "ANDD at 0xac: its name does not end" },
    { AT_SATC + 2, 2, 4, "SATC at 0xc3: shorter than its fixed part" },
    { AT_SIDP + 2, 2, 4, "SIDP at 0xd3: shorter than its fixed part" },
    { AT_UNKNOWN + 2, 2, 0, "structure at 0xe3: shorter than its type" },
    { AT_UNKNOWN + 2, 2, 9, "structure at 0xe3: ends after the table" },
    { AT_UNKNOWN + 2, 2, 6, "structure at 0xe9: no room for its type" },
};

static const struct change tolerated[] = {
    { 36, 1, 255, "host address width of 256 bits" },
    { 37, 1, 2, "opts out of x2APIC without interrupt remapping" },
    { AT_UNIT + 8, 8, 0, "DRHD at 0x30: its registers are at 0" },
    { AT_UNIT + 8, 8, 0xfed90800, "registers do not start a page" },
    { AT_UNIT + 8, 8, 0xfed91000, "DRHD at 0x48: its registers are those of" },
    { AT_UNIT + 5, 1, 1, "DRHD at 0x48: its registers are those of" },
    { AT_ALL + 8, 8, UINT64_C(0xfffffffffffff000), NULL },
    { AT_ALL + 4, 2, 0x0101, NULL },
    { AT_UNIT + 4, 1, 1, "DRHD at 0x48: for all PCI devices, as an earlier" },
    { AT_UNIT + 4, 1, 1, "DRHD at 0x30: for all PCI devices, and yet not" },
    { AT_UNIT + 4, 1, 1, "DRHD at 0x30: for all PCI devices, and yet names" },
    { AT_UNIT_SCOPE, 1, 0, "scope at 0x40 in DRHD at 0x30: not a known type" },
    { AT_UNIT_SCOPE, 1, 6, "scope at 0x40 in DRHD at 0x30: not a known type" },
    { AT_UNIT_SCOPE + 6, 1, 32, "a device above 31" },
    { AT_UNIT_SCOPE + 7, 1, 8, "a function above 7" },
    { AT_ALL_ACPI_SCOPE + 4, 1, 2, "no ANDD has its device number" },
    { AT_ANDD + 7, 1, 2, "no ANDD has its device number" },
    { AT_RMRR + 16, 8, 0x7fffffff, "RMRR at 0x68: 0x80000000-0x7fffffff ends" },
    { AT_RMRR + 16, 8, 0x7fffffff, "ends before it starts, ignored" },
    { AT_RMRR + 16, 8, UINT64_C(1) << 39, "beyond the platform's address" },
    { AT_RMRR + 16, 8, 0xfee00000, "lies over the interrupt addresses" },
    { AT_RMRR + 16, 8, 0x80000010, "taken as 0x80000000-0x80000fff" },
    { AT_RMRR + 8, 8, 0x80000010, "taken as 0x80000000-0x800fffff" },
    { AT_ATSR + 4, 1, 1, "for all root ports, and yet names some" },
    { AT_RHSA + 8, 8, 0xfed92000, "RHSA at 0x98: no unit at 0xfed92000" },
    { AT_UNKNOWN, 2, 0xffff, "type 65535 is not known, skipped" },
};

static void apply(struct blob *b, const struct change *c)
{
    for (unsigned i = 0; i < c->size; i++)
        b->data[c->at + i] = (uint8_t)(c->value >> (8 * i));
    blob_seal(b);
}

static void expect_change(const struct change *c, struct blob *b,
                          enum uiommu_status status)
{
    struct heard heard;
    struct uim_fw_log log = hear(&heard);
    enum uiommu_status got = uim_fw_dmar.check(b->data, b->size, &log);

    if (got != status)
        fail_msg("byte %u = 0x%llx: status %d, expected %d\n%s", c->at,
                 (unsigned long long)c->value, (int)got, (int)status,
                 heard.text);
    if (c->sentence && !strstr(heard.text, c->sentence))
        fail_msg("byte %u = 0x%llx: \"%s\" expected in:\n%s", c->at,
                 (unsigned long long)c->value, c->sentence, heard.text);
    assert_int_equal(heard.errors, status ? 1 : 0);
}

static void malformed_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct blob b = base_table();

        if (i == 0)
            b.data[AT_ALL] = 77;
        apply(&b, &refused[i]);
        expect_change(&refused[i], &b, UIOMMU_INVAL);
        blob_free(&b);
    }
}

static void odd_is_reported_and_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(tolerated) / sizeof(tolerated[0]); i++) {
        struct blob b = base_table();

        apply(&b, &tolerated[i]);
        expect_change(&tolerated[i], &b, UIOMMU_OK);
        blob_free(&b);
    }
}

static void odd_scopes_are_reported(void **state)
{
    struct table t;
    struct blob b;
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 1, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_NAMESPACE, 1, 0, "1c.0/0.0");
    scope(&t, DMAR_SCOPE_IOAPIC, 1, 0, "");
    rmrr(&t, 0, 0x80000000, 0x80000fff);
    andd(&t, 1, "\\_SB.A");
    andd(&t, 1, "\\_SB.B");
    b = table_end(&t);
    assert_int_equal(uim_fw_dmar.check(b.data, b.size, &log), UIOMMU_OK);
    assert_non_null(strstr(heard.text, "an ACPI device behind a bridge"));
    assert_non_null(
        strstr(heard.text, "scope at 0x4a in DRHD at 0x30: no path"));
    assert_non_null(strstr(heard.text, "RMRR at 0x50: for no device"));
    assert_non_null(strstr(heard.text, "number is that of an earlier one"));
    assert_int_equal(heard.warnings, 4);
    blob_free(&b);
}

/* The widest and the narrowest that are not odd. */
static void host_address_widths(void **state)
{
    static const unsigned widths[] = { 32, 64 };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct blob b = base_table();
        struct heard heard;
        struct uim_fw_log log = hear(&heard);
        struct uim_fw_unit unit;

        b.data[36] = (uint8_t)(widths[i] - 1);
        blob_seal(&b);
        assert_int_equal(uim_fw_dmar.check(b.data, b.size, &log), UIOMMU_OK);
        assert_int_equal(heard.warnings, 0);
        assert_int_equal(uim_fw_dmar.unit(b.data, 0, &unit), UIOMMU_OK);
        assert_int_equal(unit.phys_bits, widths[i]);
        blob_free(&b);
    }
}

static void malformed_headers_are_refused(void **state)
{
    static const struct change header[] = {
        { 0, 1, 7, "signature 07 4d 41 52 is not that of a table" },
        { 0, 1, 'E', "the table is no DMAR" },
        { 4, 4, BASE_SIZE + 1, "header says 236 bytes, there are 235" },
        { 4, 4, 35, "header says 35 bytes, there are 235" },
        { 4, 4, 0, "header says 0 bytes, there are 235" },
        { 4, 4, 0xffffffff, "header says 4294967295 bytes" },
        { 9, 1, 0, "wrong checksum" },
        { AT_UNIT, 1, 1, "wrong checksum" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(header) / sizeof(header[0]); i++) {
        struct blob b = base_table();

        for (unsigned n = 0; n < header[i].size; n++)
            b.data[header[i].at + n] = (uint8_t)(header[i].value >> (8 * n));
        if (header[i].value == 'E')
            blob_seal(&b);
        expect_change(&header[i], &b, UIOMMU_INVAL);
        blob_free(&b);
    }
}

static void short_tables_are_refused(void **state)
{
    struct blob whole = base_table();
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    (void)state;
    for (size_t size = 0; size < 48; size++) {
        struct blob b = blob_copy(whole.data, size);

        if (size >= 36)
            blob_seal(&b);
        assert_int_equal(uim_fw_dmar.check(b.data, b.size, &log), UIOMMU_INVAL);
        blob_free(&b);
    }
    assert_non_null(strstr(heard.text, "35 bytes are less than the header"));
    assert_non_null(
        strstr(heard.text, "47 bytes are less than its fixed part"));
    assert_int_equal(heard.errors, 48);
    blob_free(&whole);
}

/* Nothing but what must be there. */
static void smallest_tables(void **state)
{
    struct blob whole = base_table();
    struct blob b = blob_copy(whole.data, 36);
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    (void)state;
    blob_seal(&b);
    assert_int_equal(uim_fw_check_header(b.data, b.size, &log), UIOMMU_OK);
    blob_free(&b);
    b = blob_copy(whole.data, 48);
    blob_seal(&b);
    assert_int_equal(uim_fw_dmar.check(b.data, b.size, &log), UIOMMU_INVAL);
    assert_string_equal(heard.text, "DMAR: 0 units (DRHD)\n");
    blob_free(&b);
    b = blob_copy(whole.data, 52);
    b.data[50] = 4;
    blob_seal(&b);
    log = hear(&heard);
    assert_int_equal(uim_fw_dmar.check(b.data, b.size, &log), UIOMMU_INVAL);
    assert_string_equal(heard.text,
                        "DMAR: DRHD at 0x30: shorter than its fixed part\n");
    blob_free(&b);
    blob_free(&whole);
}

static void bytes_after_the_table_do_not_matter(void **state)
{
    struct blob b = base_table();
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    (void)state;
    b.data = realloc(b.data, b.size + 5);
    memset(b.data + b.size, 0xff, 5);
    assert_int_equal(uim_fw_dmar.check(b.data, b.size + 5, &log), UIOMMU_OK);
    assert_non_null(strstr(heard.text, "5 bytes after the table"));
    blob_free(&b);
}

static void one_table_may_be_too_much(void **state)
{
    struct blob b = { calloc(1, (1 << 20) + 1), (1 << 20) + 1 };
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    (void)state;
    memcpy(b.data, "DMAR", 4);
    blob_seal(&b);
    assert_int_equal(uim_fw_dmar.check(b.data, b.size, &log), UIOMMU_INVAL);
    assert_non_null(strstr(heard.text, "more than any table"));
    blob_free(&b);
}

/* Pairwise checks stay bounded. */
static void too_many_units_are_refused(void **state)
{
    enum { UNITS = 1025 };
    struct blob b = { calloc(1, 48 + 16 * UNITS), 48 + 16 * UNITS };
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    (void)state;
    memcpy(b.data, "DMAR", 4);
    for (size_t i = 0; i < UNITS; i++)
        b.data[48 + 16 * i + 2] = 16;
    blob_seal(&b);
    assert_int_equal(uim_fw_dmar.check(b.data, b.size, &log), UIOMMU_INVAL);
    assert_non_null(strstr(heard.text, "1025 units"));
    blob_free(&b);
}

/* ---- hostile tables ------------------------------------------------------ */

/* Config space in which every bus has a bridge to the next. */
static uint32_t chain_read(void *ctx, struct uiommu_pci at, unsigned offset,
                           unsigned width)
{
    (void)ctx;
    (void)width;
    if (at.devfn != 0)
        return UINT32_MAX;
    if (offset == PCI_REG_SECONDARY_BUS)
        return at.bus + 1u;
    return offset == PCI_REG_HEADER_TYPE ? 1 : 0;
}

static void ask_of_device(const void *table, const struct uim_fw_device *device)
{
    struct uim_fw_region region;
    struct uim_fw_unit info;
    unsigned unit;
    uint32_t id;

    if (uim_fw_dmar.owner(table, device, 0, &unit, &id) == UIOMMU_OK) {
        assert_int_equal(uim_fw_dmar.unit(table, unit, &info), UIOMMU_OK);
        assert_true(info.usable);
        assert_true(id <= 0xffff);
    }
    for (unsigned i = 0; i < 100; i++) {
        if (uim_fw_dmar.region(table, device, i, &region))
            break;
        assert_true(region.start < region.last);
        assert_int_equal(region.start & 4095, 0);
        assert_int_equal(region.last & 4095, 4095);
    }
    (void)uim_fw_dmar.ats_allowed(table, device, false);
    (void)uim_fw_dmar.ats_allowed(table, device, true);
}

static void ask_everything(const void *table)
{
    static const struct uiommu_host host = { .pci_read = chain_read };
    static const struct uim_fw_device devices[] = {
        { .n = 1, .hop = { { 0, 0x10, 0 } } },
        { .n = 3, .hop = { { 0, 0xe4, 4 }, { 2, 0, 5 }, { 3, 0, 6 } } },
        { .acpi_path = "\\_SB.PCI0.I2C0" },
        { .acpi_path = "" },
    };
    struct uim_fw_requester requester;
    enum uiommu_status status;

    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        ask_of_device(table, &devices[i]);
    for (unsigned i = 0; i < 100; i++) {
        status = uim_fw_dmar.requester(table, &host, i, &requester);
        if (status == UIOMMU_NOENT)
            break;
        if (status == UIOMMU_OK)
            ask_of_device(table, &requester.device);
    }
}

static void walk_all(const void *table)
{
    struct uim_dmar_record record;
    struct uim_dmar_scope scope;
    uint32_t cursor = 0;
    uint32_t inner;

    while (uim_dmar_next(table, &cursor, &record)) {
        inner = 0;
        while (uim_dmar_scope_next(&record, &inner, &scope)) {
            for (unsigned i = 0; i < scope.n; i++)
                assert_true(uim_dmar_devfn(&scope, i) <= 0x100);
        }
    }
}

/* Right or wrong: no byte outside is read, every loop ends. */
static void survive(struct blob *b)
{
    struct heard heard;
    struct uim_fw_log log = hear(&heard);
    enum uiommu_status status = uim_fw_dmar.check(b->data, b->size, &log);

    assert_int_equal(heard.errors, status ? 1 : 0);
    walk_all(b->data);
    if (status == UIOMMU_OK)
        ask_everything(b->data);
}

static void cut(const struct blob *whole)
{
    bool no;

    for (size_t size = 0; size < whole->size; size += share()) {
        struct blob b = blob_copy(whole->data, size);

        assert_int_equal(uim_fw_dmar.check(b.data, b.size, NULL), UIOMMU_INVAL);
        if (size >= 36) {
            blob_seal(&b);
            survive(&b);
        }
        cJSON_Delete(fw_describe(b.data, b.size, &no));
        blob_free(&b);
    }
}

/* Every byte becomes every `step`-th value. */
static void change(struct blob *b, unsigned step)
{
    uint8_t old;

    for (size_t at = 10; at < b->size; at += share()) {
        old = b->data[at];
        for (unsigned value = 0; value <= 0xff; value += step) {
            b->data[at] = (uint8_t)(old + value);
            blob_seal(b);
            survive(b);
        }
        b->data[at] = old;
    }
}

static void spoil(const char *id, struct blob *b)
{
    (void)id;
    cut(b);
    change(b, 15);
}

static void hostile_tables_are_survived(void **state)
{
    struct blob b = base_table();

    (void)state;
    cut(&b);
    change(&b, 1);
    blob_free(&b);
    assert_int_equal(each_machine("DMAR", spoil), MACHINES);
}

/* Numbers that no table of the corpus is near to. */
static void random_tables_are_survived(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 20000 / share(); round++) {
        struct blob b = base_table();

        for (unsigned i = 0; i < 1 + round % 8; i++) {
            seed = seed * 1664525 + 1013904223;
            b.data[36 + (seed >> 8) % (b.size - 36)] = (uint8_t)(seed >> 24);
        }
        blob_seal(&b);
        survive(&b);
        blob_free(&b);
    }
}

/* ---- the command --------------------------------------------------------- */

/* Runs `uiommu fw` with up to two arguments and gives back what it printed. */
static int run(const char *first, const char *second, char *out, size_t size)
{
    char *argv[] = { (char *)"fw", (char *)first, (char *)second, NULL };
    FILE *file = tmpfile();
    int kept = dup(STDOUT_FILENO);
    int result;

    assert_non_null(file);
    fflush(stdout);
    dup2(fileno(file), STDOUT_FILENO);
    result = tool_fw(second ? 3 : first ? 2 : 1, argv);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(file);
    size = fread(out, 1, size - 1, file);
    out[size] = '\0';
    fclose(file);
    return result;
}

static void command_prints_text(void **state)
{
    char out[8192];

    (void)state;
    assert_int_equal(run(UIM_CORPUS_DIR "/acpi/hp-dl360-g7/DMAR.bin", NULL, out,
                         sizeof(out)),
                     0);
    assert_non_null(strstr(out, "registers at 0xe7ffe000"));
    assert_non_null(strstr(out, "00:1c.4/00.2"));
    assert_non_null(strstr(out, "flags: X2APIC_OPT_OUT"));
    assert_non_null(strstr(out, "problem: DMAR: opts out of x2APIC"));
}

static void command_prints_json(void **state)
{
    char out[8192];
    cJSON *json;
    const cJSON *table, *unit;

    (void)state;
    assert_int_equal(run("--json",
                         UIM_CORPUS_DIR "/acpi/ideapadflex-15/DMAR.bin", out,
                         sizeof(out)),
                     0);
    json = cJSON_Parse(out);
    table = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "tables"), 0);
    unit = cJSON_GetArrayItem(cJSON_GetObjectItem(table, "units"), 0);
    assert_string_equal(
        cJSON_GetStringValue(cJSON_GetObjectItem(table, "signature")), "DMAR");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(unit, "base")),
                        "0x0");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(unit, "all")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(unit, "usable")));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(table, "problems")),
                     1);
    cJSON_Delete(json);
}

static void command_fails_where_a_table_is_refused(void **state)
{
    char out[8192];

    (void)state;
    assert_int_equal(run(UIM_CORPUS_DIR "/README.md", NULL, out, sizeof(out)),
                     1);
    assert_non_null(strstr(out, "problem:"));
    assert_int_equal(
        run(UIM_CORPUS_DIR "/no-such-file", "--json", out, sizeof(out)), 1);
    assert_non_null(strstr(out, "\"problems\""));
    assert_int_equal(run("--help", NULL, out, sizeof(out)), 0);
    assert_non_null(strstr(out, "usage: uiommu fw"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_machine_counts_as_its_index_says),
        cmocka_unit_test(only_two_machines_have_problems),
        cmocka_unit_test(units_are_described),
        cmocka_unit_test(unit_at_0_is_not_usable_and_the_table_is),
        cmocka_unit_test(regions_are_no_units),
        cmocka_unit_test(qemu_tables_have_good_headers),
        cmocka_unit_test(one_changed_byte_is_refused),
        cmocka_unit_test(qemu_dmar_parses),
        cmocka_unit_test(other_tables_are_named),
        cmocka_unit_test(base_table_is_right),
        cmocka_unit_test(malformed_is_refused),
        cmocka_unit_test(odd_is_reported_and_used),
        cmocka_unit_test(odd_scopes_are_reported),
        cmocka_unit_test(host_address_widths),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(short_tables_are_refused),
        cmocka_unit_test(smallest_tables),
        cmocka_unit_test(bytes_after_the_table_do_not_matter),
        cmocka_unit_test(one_table_may_be_too_much),
        cmocka_unit_test(too_many_units_are_refused),
        cmocka_unit_test(hostile_tables_are_survived),
        cmocka_unit_test(random_tables_are_survived),
        cmocka_unit_test(command_prints_text),
        cmocka_unit_test(command_prints_json),
        cmocka_unit_test(command_fails_where_a_table_is_refused),
    };

    return cmocka_run_group_tests_name("firmware tables", tests, NULL, NULL);
}
