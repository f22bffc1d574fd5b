/* SPDX-License-Identifier: MIT */
/*
 * IORT tables that are right, wrong, and hostile (semantics D-88): what is
 * counted in them, what is refused, and with which sentence. Their units:
 * iort_unit_test.c; whose ids they mean: iort_match_test.c.
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

#include "fw/iort.h"
#include "iort_table.h"
#include "fuzz/share.h"
#include "tools/fw.h"

enum { MACHINES = 9, REFUSED_MACHINES = 2 };

static struct blob machine(const char *id)
{
    char name[300];

    snprintf(name, sizeof(name), "acpi/%s/IORT.bin", id);
    return blob_read(name);
}

/* ---- the corpus ---------------------------------------------------------- */

static unsigned n_units(const void *table)
{
    struct uim_fw_unit unit;
    unsigned n = 0;

    while (uim_fw_iort.unit(table, n, &unit) == UIOMMU_OK)
        n++;
    return n;
}

static int size_of(const cJSON *table, const char *list)
{
    return cJSON_GetArraySize(cJSON_GetObjectItem(table, list));
}

/* Counts that are 0 are not there. */
static void compare_counts(const char *id, const cJSON *structures,
                           char *columns, char *row)
{
    char *save_column, *save_value;
    char *column = strtok_r(columns, ",\n", &save_column);
    char *value = strtok_r(row, ",\n", &save_value);
    int kinds = 0;

    for (; column; column = strtok_r(NULL, ",\n", &save_column)) {
        const cJSON *n = cJSON_GetObjectItemCaseSensitive(structures, column);

        assert_non_null(value);
        if ((n ? n->valuedouble : 0) != atoi(value))
            fail_msg("%s: %s: %f, expected %s", id, column,
                     n ? n->valuedouble : 0, value);
        assert_true(!n || n->valuedouble > 0);
        kinds += n != NULL;
        value = strtok_r(NULL, ",\n", &save_value);
    }
    assert_int_equal(cJSON_GetArraySize(structures), kinds);
}

/* One row of expected-iort.csv against what `uiommu fw --json` prints. */
static void compare_row(const char *columns, const char *row)
{
    char id[64], names[256], values[256];
    unsigned refused;
    int at;
    struct blob b;
    bool no;
    cJSON *table;

    assert_int_equal(sscanf(row, "%63[^,],%u,%n", id, &refused, &at), 2);
    snprintf(names, sizeof(names), "%s", columns + strlen("id,refused,"));
    snprintf(values, sizeof(values), "%s", row + at);
    b = machine(id);
    table = fw_describe(b.data, b.size, &no);
    assert_int_equal(no, refused);
    assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(table, "refused")),
                     refused);
    compare_counts(id, cJSON_GetObjectItem(table, "structures"), names, values);
    assert_true(refused || size_of(table, "units") == (int)n_units(b.data));
    cJSON_Delete(table);
    blob_free(&b);
}

static void every_machine_counts_as_its_index_says(void **state)
{
    FILE *f = fopen(UIM_CORPUS_DIR "/expected-iort.csv", "r");
    char columns[256], row[256];
    unsigned n = 0;

    (void)state;
    assert_non_null(f);
    assert_non_null(fgets(columns, sizeof(columns), f));
    for (; fgets(row, sizeof(row), f); n++)
        compare_row(columns, row);
    fclose(f);
    assert_int_equal(n, MACHINES);
}

/* What is odd about machines, in sentences: warnings, then parts of them. */
static const struct {
    const char *id;
    unsigned errors, warnings;
    const char *fragment;
} said[] = {
    { "acer-aspire-1-7c", 0, 2, "12 nodes are not aligned to 4 bytes" },
    { "hisi-d03-hip06", 0, 3, "RootComplex at 0x284: an address limit of 0" },
    { "hisi-hip08-smmu", 0, 2, "6 ranges of ids end where another starts" },
    { "honeycomb-lx2160", 0, 1, "SMMUv1v2 at 0x48: version 1 or 2" },
    { "kodiak-fw-200.0.2.0", 1, 0, "the bytes add up to 0x45, not 0" },
    { "morello-fvp", 0, 0, "" },
    { "surface-laptop-7-qcom", 0, 2, "14 nodes are not aligned" },
    { "surface-pro-12in-mangled", 1, 0, "says 347979759 bytes, there are" },
    { "surface-pro-x-sq1", 0, 2, "17 nodes are not aligned" },
};

static void oddities_of_machines_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < MACHINES; i++) {
        struct blob b = machine(said[i].id);
        struct heard heard;
        struct uim_fw_log log = hear(&heard);
        enum uiommu_status status = uim_fw_iort.check(b.data, b.size, &log);

        assert_int_equal(status, said[i].errors ? UIOMMU_INVAL : UIOMMU_OK);
        assert_int_equal(heard.errors, said[i].errors);
        assert_int_equal(heard.warnings, said[i].warnings);
        if (!strstr(heard.text, said[i].fragment))
            fail_msg("%s: %s", said[i].id, heard.text);
        blob_free(&b);
    }
}

static void qemu_tables_are_right(void **state)
{
    static const char *const names[] = {
        "qemu/qemu-aarch64-smmuv3/IORT.dat",
        "qemu/qemu-aarch64-virtio-iommu/IORT.dat",
    };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct blob b = blob_read(names[i]);
        struct heard heard;
        struct uim_fw_log log = hear(&heard);

        assert_int_equal(uim_fw_iort.check(b.data, b.size, &log), UIOMMU_OK);
        assert_string_equal(heard.text, "");
        assert_int_equal(n_units(b.data), 1 - i);
        blob_free(&b);
    }
}

/* ---- malformed tables ---------------------------------------------------- */

/* One of each kind, everything right. Names make offsets odd. */
static struct {
    struct blob b;
    uint32_t its, smmu3, smmu, root, component, pmcg, rmr, unknown;
} base;

static struct blob base_table(void)
{
    struct table t;

    iort(&t, 6);
    base.its = iort_its(&t, 2, 7);
    base.component = iort_component(&t, "\\_SB.DEV0");
    iort_map(&t, 0, 1, 0x9000, 0x87, IORT_SINGLE);
    base.smmu3 = iort_smmu_v3(&t, 5, 0x50000000);
    iort_set(&t, 24, 4, 0x10);
    iort_set(&t, 64, 4, 1);
    iort_map(&t, 0, 0xffff, 0x10000, base.its, 0);
    iort_map(&t, 0, 0, 0x77, base.its, IORT_SINGLE);
    base.smmu = iort_smmu(&t, 0x60000000);
    iort_map(&t, 0, 0xff, 0, base.its, 0);
    base.root = iort_root(&t, 4, 0);
    iort_map(&t, 0, 0xff, 0x100, base.smmu3, 0);
    iort_map(&t, 0x100, 0xff, 0x100, base.its, 0);
    iort_map(&t, 0x200, 0xff, 0, base.smmu, 0);
    base.pmcg = iort_pmcg(&t, base.smmu3);
    iort_map(&t, 0, 0, 0x88, base.its, IORT_SINGLE);
    base.rmr = iort_rmr(&t, 0x15); /* remap, normal WB */
    iort_region(&t, 0x80000000, 0x10000);
    iort_region(&t, 0x90000000, 0x20000);
    iort_map(&t, 0, 1, 0x108, base.smmu3, 0);
    base.unknown = iort_unknown(&t, 9, 17);
    assert_int_equal(base.smmu3, 0x87);
    return table_end(&t);
}

static void base_table_is_right(void **state)
{
    struct blob b = base_table();
    struct heard heard;
    struct uim_fw_log log = hear(&heard);
    char expected[200];

    (void)state;
    assert_int_equal(uim_fw_iort.check(b.data, b.size, &log), UIOMMU_OK);
    snprintf(expected, sizeof(expected),
             "IORT: 6 nodes are not aligned to 4 bytes\n"
             "IORT: SMMUv1v2 at 0x%x: version 1 or 2, which is not supported: "
             "the unit cannot be used\n"
             "IORT: node at 0x%x: type 9 is not known, skipped\n",
             base.smmu, base.unknown);
    assert_string_equal(heard.text, expected);
    assert_int_equal(heard.warnings, 1);
    blob_free(&b);
}

/* One number of a node of base_table() changed. at: in the node. */
struct change {
    const uint32_t *node; /* NULL: in the table */
    unsigned at, size;
    uint64_t value;
    const char *sentence; /* a part of what is said */
};

static const struct change refused[] = {
    { NULL, 36, 4, 9, "no room for the header of a node" },
    { NULL, 36, 4, UINT32_MAX, "no room for the header of a node" },
    { NULL, 40, 4, 47, "IORT: node at 0x2f: lies in the fixed part" },
    { NULL, 40, 4, 0, "IORT: node at 0x0: lies in the fixed part" },
    { NULL, 40, 4, UINT32_MAX, "IORT: node at 0xffffffff: no room" },
    { NULL, 40, 4, 0x10000, "IORT: node at 0x10000: no room" },
    { NULL, 40, 4, 0x24c, "IORT: node at 0x24c: no room" },
    { &base.unknown, 1, 2, 0, "shorter than the header of a node" },
    { &base.unknown, 1, 2, 15, "shorter than the header of a node" },
    { &base.unknown, 1, 2, 18, "ends after the table" },
    { &base.rmr, 1, 2, 0xffff, "ends after the table" },
    { &base.its, 1, 2, 19, "ITS at 0x30: shorter than its fixed part" },
    { &base.its, 16, 4, 3, "ITS at 0x30: its identifiers end after it" },
    { &base.its, 16, 4, UINT32_MAX, "its identifiers end after it" },
    { &base.component, 1, 2, 28,
      "NamedComponent at 0x4c: shorter than its fixed part" },
    { &base.component, 1, 2, 38, "its name does not end" },
    { &base.component, 12, 4, 28, "its mappings start in its fixed part" },
    { &base.component, 8, 4, 2, "its mappings end after it" },
    { &base.smmu3, 1, 2, 67, "SMMUv3 at 0x87: shorter than its fixed part" },
    { &base.smmu3, 12, 4, 67, "its mappings start in its fixed part" },
    { &base.smmu3, 12, 4, 69, "its mappings end after it" },
    { &base.smmu3, 12, 4, 109, "its mappings end after it" },
    { &base.smmu3, 12, 4, UINT32_MAX, "its mappings end after it" },
    { &base.smmu3, 8, 4, 3, "its mappings end after it" },
    { &base.smmu3, 8, 4, 0xccccccd, "its mappings end after it" },
    { &base.smmu, 1, 2, 59, "SMMUv1v2 at" },
    { &base.smmu, 12, 4, 59, "its mappings start in its fixed part" },
    { &base.root, 1, 2, 39, "RootComplex at" },
    { &base.root, 12, 4, 39, "its mappings start in its fixed part" },
    { &base.pmcg, 1, 2, 39, "PMCG at" },
    { &base.rmr, 1, 2, 27, "RMR at" },
    { &base.rmr, 20, 4, 5, "its regions end after it" },
    { &base.rmr, 24, 4, 27, "its regions start in its fixed part" },
    { &base.rmr, 24, 4, 49, "its regions end after it" },
    { &base.rmr, 24, 4, UINT32_MAX, "its regions end after it" },
};

/* Of a mapping: 20 bytes each, after the fixed part. */
enum {
    MAP_INPUT = 0,
    MAP_COUNT = 4,
    MAP_OUTPUT = 8,
    MAP_TO = 12,
    MAP_FLAGS = 16
};
#define SMMU3_MAP(i)  (68 + 20 * (i))
#define ROOT_MAP(i)   (40 + 20 * (i))
#define SMMU_MAP      60
#define RMR_REGION(i) (28 + 20 * (i))
#define RMR_MAP       68
#define ELSEWHERE     "leads to a node that ids do not go to from there, ignored"

static const struct change tolerated[] = {
    { NULL, 8, 1, 4, "in a table of an older revision, ignored" },
    { NULL, 36, 4, 7, "IORT: 17 bytes after its nodes" },
    { &base.root, ROOT_MAP(0) + MAP_TO, 4, 49,
      "mapping 0 of RootComplex at 0x143: leads to no node, ignored" },
    { &base.root, ROOT_MAP(1) + MAP_TO, 4, UINT32_MAX,
      "mapping 1 of RootComplex at 0x143: leads to no node, ignored" },
    { &base.root, ROOT_MAP(2) + MAP_TO, 4, 0x143,
      "mapping 2 of RootComplex at 0x143: " ELSEWHERE },
    { &base.root, ROOT_MAP(2) + MAP_TO, 4, 0x4c, ELSEWHERE },
    { &base.smmu3, SMMU3_MAP(0) + MAP_TO, 4, 0x87,
      "mapping 0 of SMMUv3 at 0x87: " ELSEWHERE },
    { &base.smmu3, SMMU3_MAP(0) + MAP_TO, 4, 0xf3, ELSEWHERE },
    { &base.smmu, SMMU_MAP + MAP_TO, 4, 0x87,
      "mapping 0 of SMMUv1v2 at 0xf3: " ELSEWHERE },
    { &base.smmu, SMMU_MAP + MAP_FLAGS, 4, 1, "is single, which its node" },
    { &base.rmr, RMR_MAP + MAP_FLAGS, 4, 1, "is single, which its node" },
    { &base.rmr, RMR_MAP + MAP_TO, 4, 0x30, "mapping 0 of RMR at" },
    { &base.pmcg, 40 + MAP_TO, 4, 0x87, "mapping 0 of PMCG at" },
    { &base.root, ROOT_MAP(2) + MAP_COUNT, 4, 0xfffffe00,
      "takes ids of more than 32 bits, ignored" },
    { &base.root, ROOT_MAP(2) + MAP_OUTPUT, 4, 0xffffff01,
      "gives ids of more than 32 bits, ignored" },
    { &base.root, ROOT_MAP(0) + MAP_COUNT, 4, 0x100,
      "1 ranges of ids end where another starts" },
    { &base.root, ROOT_MAP(1) + MAP_INPUT, 4, 0x101,
      "1 ranges of ids end where another starts" },
    { &base.root, ROOT_MAP(0) + MAP_COUNT, 4, 0x101,
      "1 pairs of ranges overlap" },
    { &base.root, ROOT_MAP(1) + MAP_INPUT, 4, 0x181,
      "1 pairs of ranges overlap" },
    { &base.root, 28, 4, 0x10000, "no PCI segment has its number" },
    { &base.root, 32, 1, 0, "an address limit of 0 bits" },
    { &base.smmu3, 16, 8, 0, "its registers are at 0: the unit cannot" },
    { &base.smmu3, 16, 8, 0x50008000, "are not aligned to 64 KiB" },
    { &base.smmu3, 16, 8, 0xffffffffffff0000, "wrap around the address" },
    { &base.smmu3, 40, 4, 3, "its model is not known" },
    { &base.smmu3, 24, 4, 0x16, "its HTTU override is reserved" },
    { &base.smmu3, 64, 4, 2, "its device id is that of a mapping it has not" },
    { &base.rmr, 8, 4, 0, "RMR at 0x1e3: for no device" },
    { &base.rmr, 16, 4, 0x19, "its memory attributes are reserved" },
    { &base.rmr, RMR_REGION(0) + 8, 8, 0,
      "region 0 of RMR at 0x1e3 is empty, ignored" },
    { &base.rmr, RMR_REGION(1), 8, 0xfffffffffffe0001,
      "region 1 of RMR at 0x1e3 wraps around the address space, ignored" },
};

/* Right at the limit: nothing is said that base_table() does not say. */
static const struct change unnoticed[] = {
    { &base.its, 16, 4, 1, "" },
    { &base.its, 16, 4, 0, "" },
    { &base.smmu3, 12, 4, 68, "" },
    { &base.smmu3, 16, 8, 0xfffffffffffe0000, "" },
    { &base.smmu3, 40, 4, 2, "" },
    { &base.smmu3, 64, 4, 0, "" },
    { &base.smmu3, 24, 4, 0x14, "" },
    { &base.root, 28, 4, 0xffff, "" },
    { &base.root, 3, 1, 200, "" },
    { &base.root, ROOT_MAP(0) + MAP_FLAGS, 4, 0xfffffffe, "" },
    { &base.root, ROOT_MAP(2) + MAP_COUNT, 4, 0xfffffdff, "" },
    { &base.root, ROOT_MAP(2) + MAP_OUTPUT, 4, 0xffffff00, "" },
    { &base.rmr, 20, 4, 3, "" }, /* its mapping is the third */
    { &base.rmr, 20, 4, 0, "" },
    { &base.rmr, RMR_REGION(1), 8, 0xfffffffffffe0000, "" },
    { &base.component, 28, 1, 0, "" },
    { &base.component, 28, 1, 255, "" },
};

static void apply(struct blob *b, const struct change *c)
{
    uint8_t *p = b->data + (c->node ? *c->node : 0) + c->at;

    for (unsigned i = 0; i < c->size; i++)
        p[i] = (uint8_t)(c->value >> (8 * i));
    blob_seal(b);
}

static void expect(const struct change *c, size_t i, enum uiommu_status status,
                   unsigned errors, unsigned warnings)
{
    struct blob b = base_table();
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    apply(&b, c);
    if (uim_fw_iort.check(b.data, b.size, &log) != status ||
        !strstr(heard.text, c->sentence) || heard.errors != errors ||
        (status == UIOMMU_OK && heard.warnings != warnings))
        fail_msg("change %zu, \"%s\": %s", i, c->sentence, heard.text);
    blob_free(&b);
}

static void malformed_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        expect(&refused[i], i, UIOMMU_INVAL, 1, 0);
}

/* One sentence more than base_table() has. */
static void odd_is_reported_and_used(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(tolerated) / sizeof(tolerated[0]); i++)
        expect(&tolerated[i], i, UIOMMU_OK, 0, 2);
}

static void what_is_at_a_limit_is_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(unnoticed) / sizeof(unnoticed[0]); i++)
        expect(&unnoticed[i], i, UIOMMU_OK, 0, 1);
}

/* Nothing but what must be there, up to the end of the table. */
static void smallest_nodes_are_right(void **state)
{
    struct heard heard;
    struct uim_fw_log log = hear(&heard);
    struct table t;
    struct blob b;

    (void)state;
    iort(&t, 6);
    iort_its(&t, 0, 0);
    iort_component(&t, "");
    iort_root(&t, 0, 0);
    iort_smmu(&t, 0x60000000);
    iort_smmu_v3(&t, 0, 0x50000000);
    iort_set(&t, 28, 4, UINT32_MAX); /* reserved */
    iort_smmu_v3(&t, 5, 0x58000000);
    iort_set(&t, 24, 4, 0x10); /* a device id, and no ITS */
    iort_unknown(&t, 7, 16);
    b = table_end(&t);
    assert_int_equal(uim_fw_iort.check(b.data, b.size, &log), UIOMMU_OK);
    assert_int_equal(heard.warnings, 1); /* of version 1 or 2 */
    assert_non_null(strstr(heard.text, "type 7 is not known"));
    blob_free(&b);
}

static void overlaps_are_told_from_touching_ranges(void **state)
{
    struct heard heard;
    struct uim_fw_log log = hear(&heard);
    struct table t;
    struct blob b;
    uint32_t unit;

    (void)state;
    iort(&t, 6);
    unit = iort_smmu_v3(&t, 5, 0x50000000);
    iort_root(&t, 4, 0);
    iort_map(&t, 0, 8, 0, unit, 0);
    iort_map(&t, 8, 8, 8, unit, 0);
    iort_map(&t, 4, 1, 4, unit, 0);
    b = table_end(&t);
    assert_int_equal(uim_fw_iort.check(b.data, b.size, &log), UIOMMU_OK);
    assert_non_null(strstr(heard.text, " 1 ranges of ids end where another"));
    assert_non_null(strstr(heard.text, " 1 pairs of ranges overlap"));
    assert_int_equal(heard.warnings, 2);
    blob_free(&b);
}

/* One is as many as several. */
static void one_region_must_lie_in_its_node(void **state)
{
    struct heard heard;
    struct uim_fw_log log = hear(&heard);
    struct table t;
    struct blob b;

    (void)state;
    iort(&t, 6);
    iort_rmr(&t, 0);
    iort_region(&t, 0x80000000, 0x10000);
    iort_set(&t, 24, 4, 29);
    b = table_end(&t);
    assert_int_equal(uim_fw_iort.check(b.data, b.size, &log), UIOMMU_INVAL);
    assert_string_equal(heard.text,
                        "IORT: RMR at 0x30: its regions end after it\n");
    blob_free(&b);
}

static void short_tables_are_refused(void **state)
{
    struct blob whole = base_table();
    struct heard heard;
    struct uim_fw_log log = hear(&heard);

    (void)state;
    for (size_t size = 36; size < 48; size++) {
        struct blob b = blob_copy(whole.data, size);

        blob_seal(&b);
        assert_int_equal(uim_fw_iort.check(b.data, b.size, &log), UIOMMU_INVAL);
        blob_free(&b);
    }
    assert_non_null(strstr(heard.text, "47 bytes are less than its fixed"));
    assert_int_equal(heard.errors, 12);
    log = hear(&heard);
    whole.data[3] = 'S';
    blob_seal(&whole);
    assert_int_equal(uim_fw_iort.check(whole.data, whole.size, &log),
                     UIOMMU_INVAL);
    assert_string_equal(heard.text, "the table is no IORT\n");
    blob_free(&whole);
}

/* A machine without an IOMMU has one too, for its ITS. */
static void a_table_without_nodes_is_right(void **state)
{
    struct heard heard;
    struct uim_fw_log log = hear(&heard);
    struct table t;
    struct blob b;

    (void)state;
    iort(&t, 0);
    b = table_end(&t);
    assert_int_equal(uim_fw_iort.check(b.data, b.size, &log), UIOMMU_OK);
    assert_string_equal(heard.text, "");
    assert_int_equal(n_units(b.data), 0);
    blob_free(&b);
}

static struct blob filled(size_t size, unsigned nodes)
{
    struct blob b = { calloc(1, size), size };

    assert_non_null(b.data);
    memcpy(b.data, "IORT", 4);
    b.data[8] = 6;
    b.data[36] = (uint8_t)nodes;
    b.data[37] = (uint8_t)(nodes >> 8);
    b.data[40] = 48;
    return b;
}

/* Units are compared with each other. */
static void too_many_units_are_refused(void **state)
{
    struct heard heard;
    struct uim_fw_log log;

    (void)state;
    for (unsigned n = 1024; n <= 1025; n++) {
        struct blob b = filled(48 + 60 * n, n);

        for (size_t i = 0; i < n; i++) {
            b.data[48 + 60 * i] = (uint8_t)(3 + i % 2); /* both are units */
            b.data[48 + 60 * i + 1] = 60;
        }
        blob_seal(&b);
        log = hear(&heard);
        assert_int_equal(uim_fw_iort.check(b.data, b.size, &log),
                         n == 1024 ? UIOMMU_OK : UIOMMU_INVAL);
        if (n == 1025)
            assert_string_equal(heard.text, "IORT: 1025 units\n");
        blob_free(&b);
    }
}

/* What requester() would go through is bounded: so many roots that give any
 * id to an RMR node of all ids. */
static void too_many_requesters_are_refused(void **state)
{
    static const struct {
        unsigned roots;
        bool refused;
    } cases[] = { { 16, false }, { 60, true } };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct heard heard;
        struct uim_fw_log log = hear(&heard);
        struct table t;
        struct blob b;
        uint32_t smmu;

        iort(&t, 6);
        smmu = iort_smmu_v3(&t, 5, 0x50000000);
        iort_rmr(&t, 0x15);
        iort_region(&t, 0x80000000, 0x10000);
        iort_map(&t, 0, UINT32_MAX, 0, smmu, 0);
        for (unsigned n = 0; n < cases[i].roots; n++) {
            iort_root(&t, 4, n);
            iort_map(&t, 0, 0xffff, n << 16, smmu, 0);
        }
        b = table_end(&t);
        assert_int_equal(uim_fw_iort.check(b.data, b.size, &log),
                         cases[i].refused ? UIOMMU_INVAL : UIOMMU_OK);
        assert_int_equal(heard.errors, cases[i].refused);
        if (cases[i].refused)
            assert_non_null(strstr(heard.text, "for more devices than can be"));
        blob_free(&b);
    }
}

/* ---- hostile tables ------------------------------------------------------ */

static uint32_t chain_read(void *ctx, struct uiommu_pci at, unsigned offset,
                           unsigned width)
{
    (void)ctx;
    (void)width;
    if (at.devfn != 0)
        return UINT32_MAX;
    if (offset == 0x19)
        return at.bus + 1u;
    return offset == 0x0e ? 1 : 0;
}

static void ask_of_device(const void *table, const struct uim_fw_device *device)
{
    struct uim_fw_region region;
    struct uim_iort_properties properties;
    struct uim_iort_hop its;
    struct uim_fw_unit info;
    unsigned unit;
    uint32_t id;

    for (unsigned i = 0; i < 3; i++) {
        if (uim_fw_iort.owner(table, device, i, &unit, &id) == UIOMMU_OK) {
            assert_int_equal(uim_fw_iort.unit(table, unit, &info), UIOMMU_OK);
            assert_true(info.usable);
        }
    }
    for (unsigned i = 0; i < 100; i++) {
        if (uim_fw_iort.region(table, device, i, &region))
            break;
        assert_true(region.start < region.last);
        assert_int_equal(region.start & 4095, 0);
        assert_int_equal(region.last & 4095, 4095);
    }
    if (uim_iort_its(table, device, &its) == UIOMMU_OK)
        assert_int_equal(its.node.type, IORT_NODE_ITS_GROUP);
    (void)uim_iort_device(table, device, &properties);
    (void)uim_fw_iort.ats_allowed(table, device, false);
}

static void ask_everything(const void *table)
{
    static const struct uiommu_host host = { .pci_read = chain_read };
    static const struct uim_fw_device devices[] = {
        { .n = 1, .pci = { 0, 0, 8 }, .hop = { { 0, 8, 0 } } },
        { .n = 1, .pci = { 0, 2, 0 }, .hop = { { 2, 0, 0 } } },
        { .acpi_path = "\\_SB.DEV0" },
        { .acpi_path = "" },
    };
    struct uim_fw_requester requester;
    enum uiommu_status status = UIOMMU_OK;

    for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        ask_of_device(table, &devices[i]);
    for (unsigned i = 0; i < 20 && status != UIOMMU_NOENT; i++) {
        status = uim_fw_iort.requester(table, &host, i, &requester);
        if (status == UIOMMU_OK)
            ask_of_device(table, &requester.device);
    }
}

/* Right or wrong: no byte outside is read, every loop ends. */
static void survive(struct blob *b)
{
    struct heard heard;
    struct uim_fw_log log = hear(&heard);
    enum uiommu_status status = uim_fw_iort.check(b->data, b->size, &log);

    assert_int_equal(heard.errors, status ? 1 : 0);
    if (status == UIOMMU_OK)
        ask_everything(b->data);
}

static void cut(const struct blob *whole, size_t step)
{
    bool no;

    for (size_t size = 0; size < whole->size; size += step * share()) {
        struct blob b = blob_copy(whole->data, size);

        assert_int_equal(uim_fw_iort.check(b.data, b.size, NULL), UIOMMU_INVAL);
        if (size >= 36) {
            blob_seal(&b);
            survive(&b);
        }
        cJSON_Delete(fw_describe(b.data, b.size, &no));
        blob_free(&b);
    }
}

/* Every byte becomes every `step`-th value; shown without a right checksum. */
static void change(struct blob *b, size_t stride, unsigned step)
{
    bool no;
    uint8_t old;

    for (size_t at = 10; at < b->size; at += stride * share()) {
        old = b->data[at];
        for (unsigned value = 0; value <= 0xff; value += step) {
            b->data[at] = (uint8_t)(old + value);
            blob_seal(b);
            survive(b);
        }
        b->data[9] ^= 1;
        cJSON_Delete(fw_describe(b->data, b->size, &no));
        assert_true(no);
        b->data[at] = old;
    }
}

static void spoil(const char *id, struct blob *b)
{
    (void)id;
    cut(b, 61);
    change(b, 29, 85);
}

static void hostile_tables_are_survived(void **state)
{
    struct blob b = base_table();

    (void)state;
    cut(&b, 1);
    change(&b, 1, 5);
    blob_free(&b);
    assert_int_equal(each_machine("IORT", spoil), MACHINES);
}

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

/* Runs `uiommu fw FILE` and gives back what it printed. */
static int run(const char *file, char *out, size_t size)
{
    char *argv[] = { (char *)"fw", (char *)file, NULL };
    FILE *to = tmpfile();
    int kept = dup(STDOUT_FILENO);
    int result;

    assert_non_null(to);
    fflush(stdout);
    dup2(fileno(to), STDOUT_FILENO);
    result = tool_fw(2, argv);
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    rewind(to);
    size = fread(out, 1, size - 1, to);
    out[size] = '\0';
    fclose(to);
    return result;
}

static void assert_prints(const char *out, const char *const *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!strstr(out, lines[i]))
            fail_msg("\"%s\" is not in: %s", lines[i], out);
    }
}

static void command_prints_a_machine(void **state)
{
    static const char *const lines[] = {
        "IORT revision 0, 260 bytes, ARMLTD ARMLIORT\n",
        ", registers at 0x4f400000, 0x20000 bytes, coherent\n",
        "    interrupts: event 267, page request 0, error 269, command 268\n",
        "    ids 0x0 - 0xffff -> 0x0, ITS at 0x48\n",
        "    its own messages -> 0x0, ITS at 0x30\n",
        "  root complex: segment 0, 42 address bits, flags: CCA ATS\n",
        "  ITS group at 0x48: 1\n",
    };
    char out[8192];

    (void)state;
    assert_int_equal(
        run(UIM_CORPUS_DIR "/acpi/morello-fvp/IORT.bin", out, sizeof(out)), 0);
    assert_prints(out, lines, sizeof(lines) / sizeof(lines[0]));
}

static void command_prints_every_kind_of_node(void **state)
{
    static const char *const lines[] = {
        ": CANNOT BE USED\n",
        "  named component: \\_SB.DEV0, 40 address bits, flags:\n"
        "    one id -> 0x9000, SMMUv3 at 0x87\n",
        "  performance counters of SMMUv3 at 0x87, registers at 0x70000000, "
        "interrupt 42\n",
        "  reserved: normal-WB, flags: REMAP_PERMITTED\n"
        "    0x80000000, 0x10000 bytes\n",
        "    ids 0x0 - 0x1 -> 0x108, SMMUv3 at 0x87: IGNORED: is single",
        "  node of type 9, not known, 17 bytes at 0x23b\n",
        "  problem: IORT: mapping 0 of RMR",
    };
    char name[] = "/tmp/uiommu-iort-XXXXXX";
    struct blob b = base_table();
    char out[8192];
    int fd = mkstemp(name);

    (void)state;
    assert_true(fd >= 0);
    b.data[base.rmr + RMR_MAP + MAP_TO] = 0x30;
    blob_seal(&b);
    assert_int_equal(write(fd, b.data, b.size), (ssize_t)b.size);
    close(fd);
    assert_int_equal(run(name, out, sizeof(out)), 0);
    unlink(name);
    assert_prints(out, lines, 4);
    assert_prints(out, lines + 5, 2);
    assert_prints(out,
                  (const char *const[]){ "-> 0x108, ITS at 0x30: IGNORED" }, 1);
    blob_free(&b);
}

static void command_shows_what_it_refuses(void **state)
{
    char out[1 << 16];

    (void)state;
    assert_int_equal(run(UIM_CORPUS_DIR "/acpi/kodiak-fw-200.0.2.0/IORT.bin",
                         out, sizeof(out)),
                     1);
    assert_non_null(strstr(out, ", REFUSED\n"));
    assert_non_null(strstr(out, "named component: \\_SB.GPU0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_machine_counts_as_its_index_says),
        cmocka_unit_test(oddities_of_machines_are_told),
        cmocka_unit_test(qemu_tables_are_right),
        cmocka_unit_test(base_table_is_right),
        cmocka_unit_test(malformed_is_refused),
        cmocka_unit_test(odd_is_reported_and_used),
        cmocka_unit_test(what_is_at_a_limit_is_right),
        cmocka_unit_test(smallest_nodes_are_right),
        cmocka_unit_test(overlaps_are_told_from_touching_ranges),
        cmocka_unit_test(one_region_must_lie_in_its_node),
        cmocka_unit_test(short_tables_are_refused),
        cmocka_unit_test(a_table_without_nodes_is_right),
        cmocka_unit_test(too_many_units_are_refused),
        cmocka_unit_test(too_many_requesters_are_refused),
        cmocka_unit_test(hostile_tables_are_survived),
        cmocka_unit_test(random_tables_are_survived),
        cmocka_unit_test(command_prints_a_machine),
        cmocka_unit_test(command_prints_every_kind_of_node),
        cmocka_unit_test(command_shows_what_it_refuses),
    };

    return cmocka_run_group_tests_name("IORT tables", tests, NULL, NULL);
}
