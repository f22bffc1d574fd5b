/* SPDX-License-Identifier: MIT */
/*
 * spec_test.c - every layout, offset and code of src/spec against the second
 * transcription in this directory, and the comparison against doctored rows.
 *
 * Needs cmocka. UIM_SPEC_DIR is this directory as seen from where it runs.
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "compare.h"
#include "spec/acpi.h"
#include "spec/dmar.h"
#include "spec/iort.h"
#include "spec/madt.h"
#include "spec/pci.h"
#include "spec/smmuv3.h"
#include "spec/vtd.h"

#ifndef UIM_SPEC_DIR
#define UIM_SPEC_DIR "tests/spec"
#endif

/* ---- our side: the list macros as facts ---- */

static void add_fields(struct facts *f, const char *file, const char *layout,
                       unsigned word, const struct uim_field *field)
{
    for (; field->name != NULL; field++) {
        facts_add_field(f, file, layout, word, field->name, field->high,
                        field->low);
    }
}

static void add_bytes(struct facts *f, const char *file, const char *layout,
                      const struct uim_byte_field *field)
{
    for (; field->name != NULL; field++) {
        facts_add_bytes(f, file, layout, field->name, field->offset,
                        field->size);
    }
}

static void add_codes(struct facts *f, const char *file, const char *set,
                      const struct uim_code *code)
{
    for (; code->name != NULL; code++) {
        facts_add_code(f, file, set, code->name, code->value);
    }
}

#define ADD_FIELDS(P, L, layout, word)                                         \
    add_fields(f, file, layout, word,                                          \
               (const struct uim_field[])UIM_LAYOUT_ROWS(P, L));
#define ADD_BYTES(P, L, layout)                                                \
    add_bytes(f, file, layout,                                                 \
              (const struct uim_byte_field[])UIM_BYTES_ROWS(P, L));
#define ADD_CODES(set, P, L)                                                   \
    add_codes(f, file, set, (const struct uim_code[])UIM_CODE_ROWS(P, L));
#define ADD_FAULT(code, name, text, qualified)                                 \
    facts_add_code(f, file, "fault_reason", #name, code);
#define ADD_EVENT(code, name, text)                                            \
    facts_add_code(f, file, "event_id", #name, code);
#define ADD_PAGE0_REGISTER(name, offset, width)                                \
    facts_add_register(f, file, stem, #name "_page0", offset, width);
#define ADD_REGISTER(name, offset, width)                                      \
    facts_add_register(f, file, stem, #name, offset, width);

static void add_vtd(struct facts *f)
{
    const char *file = "vtd.csv", *stem = "vtd";

    VTD_LAYOUTS(ADD_FIELDS)
    file = "vtd-offsets.csv";
    VTD_REGISTERS(ADD_REGISTER)
    VTD_RELATIVE_REGISTERS(ADD_REGISTER)
    file = "vtd-codes.csv";
    VTD_CODE_SETS(ADD_CODES)
    VTD_FAULT_REASONS(ADD_FAULT)
}

static void add_pci(struct facts *f)
{
    const char *file = "pci.csv", *stem = "pci";

    PCI_LAYOUTS(ADD_FIELDS)
    file = "pci-offsets.csv";
    PCI_CAPABILITY_REGISTERS(ADD_REGISTER)
    stem = "pci_header";
    PCI_HEADER_REGISTERS(ADD_REGISTER)
    file = "pci-codes.csv";
    PCI_CODE_SETS(ADD_CODES)
}

static void add_acpi(struct facts *f)
{
    const char *file = "acpi.csv";

    ACPI_BYTE_LAYOUTS(ADD_BYTES)
    DMAR_BYTE_LAYOUTS(ADD_BYTES)
    IORT_BYTE_LAYOUTS(ADD_BYTES)
    MADT_BYTE_LAYOUTS(ADD_BYTES)
    file = "acpi-bits.csv";
    DMAR_LAYOUTS(ADD_FIELDS)
    IORT_LAYOUTS(ADD_FIELDS)
    file = "acpi-codes.csv";
    DMAR_CODE_SETS(ADD_CODES)
    IORT_CODE_SETS(ADD_CODES)
    MADT_CODE_SETS(ADD_CODES)
}

static void add_smmuv3(struct facts *f)
{
    const char *file = "smmuv3.csv", *stem = "smmuv3";

    SMMUV3_LAYOUTS(ADD_FIELDS)
    file = "smmuv3-offsets.csv";
    SMMUV3_REGISTERS(ADD_REGISTER)
    SMMUV3_PAGE0_REGISTERS(ADD_PAGE0_REGISTER)
    file = "smmuv3-codes.csv";
    SMMUV3_CODE_SETS(ADD_CODES)
    SMMUV3_EVENTS(ADD_EVENT)
}

static struct facts our_facts(void)
{
    struct facts f = { 0 };

    add_vtd(&f);
    add_pci(&f);
    add_acpi(&f);
    add_smmuv3(&f);
    return f;
}

/* ---- their side: the CSV files ---- */

static char *read_text(const char *name)
{
    char path[512];
    char *text;
    long size;
    FILE *in;

    snprintf(path, sizeof path, "%s/%s", UIM_SPEC_DIR, name);
    in = fopen(path, "rb");
    if (in == NULL || fseek(in, 0, SEEK_END) != 0) {
        fail_msg("%s: cannot be read", path);
        return NULL;
    }
    size = ftell(in);
    rewind(in);
    text = malloc((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, in), size);
    text[size] = '\0';
    fclose(in);
    return text;
}

/* "pci" of "pci-offsets.csv" */
static void stem_of(const char *file, char *stem, size_t size)
{
    const char *suffix[] = { "-offsets.csv", "-codes.csv", "-bits.csv",
                             ".csv" };

    snprintf(stem, size, "%s", file);
    for (size_t i = 0; i < sizeof suffix / sizeof suffix[0]; i++) {
        char *at = strstr(stem, suffix[i]);

        if (at != NULL) {
            *at = '\0';
        }
    }
}

static void parse_text(struct facts *f, const char *file, const char *text)
{
    char stem[40];
    size_t row;

    stem_of(file, stem, sizeof stem);
    row = facts_parse(f, file, stem, text);
    if (row != 0) {
        fail_msg("%s: row %zu cannot be understood", file, row);
    }
}

static struct facts file_facts(const char *file)
{
    struct facts f = { 0 };
    char *text = read_text(file);

    parse_text(&f, file, text);
    free(text);
    return f;
}

static struct facts their_facts(void)
{
    struct facts f = { 0 };
    struct dirent *entry;
    DIR *dir = opendir(UIM_SPEC_DIR);

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        char *text;

        if (dot == NULL || strcmp(dot, ".csv") != 0 ||
            strcmp(entry->d_name, "aliases.csv") == 0 ||
            strcmp(entry->d_name, "pci-quirks.csv") == 0) { /* quirks_test */
            continue;
        }
        text = read_text(entry->d_name);
        parse_text(&f, entry->d_name, text);
        free(text);
    }
    closedir(dir);
    return f;
}

static struct aliases read_aliases(const char *more)
{
    struct aliases a = { 0 };
    char *text = read_text("aliases.csv");
    size_t size = strlen(text) + strlen(more) + 1, row;
    char *both = malloc(size);

    assert_non_null(both);
    snprintf(both, size, "%s%s", text, more);
    row = aliases_parse(&a, both);
    if (row != 0) {
        fail_msg("aliases.csv: row %zu cannot be understood", row);
    }
    free(both);
    free(text);
    return a;
}

/* ---- what was reported ---- */

struct tally {
    unsigned count[DIFF_KINDS];
    char text[320]; /* of the last difference */
    bool print;
};

static void describe(const struct difference *d, char *text, size_t size)
{
    const struct fact *at = d->ours != NULL ? d->ours : d->theirs;

    if (d->kind == DIFF_STALE) {
        snprintf(text, size, "aliases.csv: %s %s %s %s %s explains nothing",
                 d->alias->at.file, d->alias->at.layout, d->alias->at.position,
                 d->alias->ours, d->alias->theirs);
    } else {
        snprintf(text, size, "%s: %s %s: ours %s, theirs %s", at->file,
                 at->layout, at->position,
                 d->ours != NULL ? d->ours->name : "-",
                 d->theirs != NULL ? d->theirs->name : "-");
    }
}

static void count(void *ctx, const struct difference *d)
{
    struct tally *t = ctx;

    t->count[d->kind]++;
    describe(d, t->text, sizeof t->text);
    if (t->print) {
        print_error("%s\n", t->text);
    }
}

static unsigned total(const struct tally *t)
{
    unsigned sum = 0;

    for (int i = 0; i < DIFF_KINDS; i++) {
        sum += t->count[i];
    }
    return sum;
}

/* ---- tests: the transcriptions agree ---- */

/* Rows that are there to be counted, not to be forgotten. */
static void print_left_out(const struct aliases *a)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct alias *alias = &a->v[i];

        if (strcmp(alias->ours, "-") == 0 && strcmp(alias->theirs, "*") == 0) {
            print_message("left out: %4u rows of %s, %s: %s\n", alias->used,
                          alias->at.file, alias->at.layout, alias->reason);
        }
    }
}

static void test_all_files(void **state)
{
    struct facts ours = our_facts(), theirs = their_facts();
    struct aliases aliases = read_aliases("");
    struct tally tally = { .print = true };
    unsigned explained = 0;

    (void)state;
    facts_compare(&ours, &theirs, &aliases, count, &tally);
    aliases_stale(&aliases, count, &tally);
    for (size_t i = 0; i < aliases.n; i++) {
        explained += aliases.v[i].used;
    }
    print_left_out(&aliases);
    print_message("%zu facts, %zu in the other transcription; %u differences "
                  "explained by %zu aliases, %u not\n",
                  ours.n, theirs.n, explained, aliases.n, total(&tally));
    assert_int_equal(total(&tally), 0);
    facts_free(&ours);
    facts_free(&theirs);
    aliases_free(&aliases);
}

/* The fact sheets' files are all here; a lost one would compare as nothing. */
static void test_every_kind_of_file_has_rows(void **state)
{
    const char *files[] = {
        "vtd.csv",    "vtd-offsets.csv",    "vtd-codes.csv",
        "pci.csv",    "pci-offsets.csv",    "pci-codes.csv",
        "acpi.csv",   "acpi-bits.csv",      "acpi-codes.csv",
        "smmuv3.csv", "smmuv3-offsets.csv", "smmuv3-codes.csv"
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct facts f = file_facts(files[i]);

        assert_true(f.n > 20);
        facts_free(&f);
    }
}

/* ---- tests: a doctored row is found ---- */

/* Text of a file with `from`, which is there once, replaced by `to`. */
static char *doctored(const char *file, const char *from, const char *to)
{
    char *text = read_text(file), *at = strstr(text, from), *out;
    size_t size = strlen(text) + strlen(to) + 1;

    if (at == NULL || strstr(at + 1, from) != NULL) {
        fail_msg("%s: not there once: %s", file, from);
    }
    out = malloc(size);
    assert_non_null(out);
    snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to,
             at + strlen(from));
    free(text);
    return out;
}

/* Facts of ours that belong to one file. */
static struct facts our_facts_of(const char *file)
{
    struct facts f = our_facts();
    size_t n = 0;

    for (size_t i = 0; i < f.n; i++) {
        if (strcmp(f.v[i].file, file) == 0) {
            f.v[n++] = f.v[i];
        }
    }
    f.n = n;
    return f;
}

static struct tally compare_doctored(const char *file, const char *from,
                                     const char *to)
{
    struct facts ours = our_facts_of(file), theirs = { 0 };
    struct aliases aliases = read_aliases("");
    struct tally tally = { 0 };
    char *text = doctored(file, from, to);

    parse_text(&theirs, file, text);
    facts_compare(&ours, &theirs, &aliases, count, &tally);
    free(text);
    facts_free(&ours);
    facts_free(&theirs);
    aliases_free(&aliases);
    return tally;
}

static void expect(const char *file, const char *from, const char *to,
                   unsigned name, unsigned only_ours, unsigned only_theirs)
{
    struct tally t = compare_doctored(file, from, to);

    if (t.count[DIFF_NAME] != name || t.count[DIFF_ONLY_OURS] != only_ours ||
        t.count[DIFF_ONLY_THEIRS] != only_theirs) {
        fail_msg("%s, %s instead of %s: %u names, %u only ours, %u only "
                 "theirs; last: %s",
                 file, to, from, t.count[DIFF_NAME], t.count[DIFF_ONLY_OURS],
                 t.count[DIFF_ONLY_THEIRS], t.text);
    }
}

static void test_moved_field(void **state)
{
    (void)state;
    expect("vtd.csv", "vtd_cap,0,psi,39,39", "vtd_cap,0,psi,38,38", 0, 1, 1);
    expect("vtd.csv", "vtd_qi_iotlb,1,am,5,0", "vtd_qi_iotlb,1,am,4,0", 0, 1,
           1);
    expect("vtd.csv", "vtd_irte_remapped,1,sq,17,16",
           "vtd_irte_remapped,0,sq,17,16", 0, 1, 1);
    expect("pci.csv", "pci_ats_ctrl,0,enable,15,15",
           "pci_ats_ctrl,0,enable,14,14", 1, 1, 0);
    expect("acpi-bits.csv", "acpi_dmar_atsr_flags,0,all_ports,0,0",
           "acpi_dmar_atsr_flags,0,all_ports,1,1", 0, 1, 1);
    expect("smmuv3.csv", "smmuv3_ste,2,s2ha,56,56", "smmuv3_ste,2,s2ha,57,57",
           0, 1, 1);
    expect("smmuv3.csv", "smmuv3_evt_e_page_request,1,pr,39,39",
           "smmuv3_evt_e_page_request,1,pr,38,38", 0, 1, 1);
    expect("smmuv3.csv", "arm_lpae_s1_pte,0,ap,7,6", "arm_lpae_s1_pte,0,ap,7,7",
           0, 1, 1);
}

/* Also where an alias explains another name at the same place. */
static void test_renamed_field(void **state)
{
    (void)state;
    expect("vtd.csv", "vtd_cap,0,psi,", "vtd_cap,0,spi,", 1, 0, 0);
    expect("vtd.csv", "vtd_cap,0,sllps,", "vtd_cap,0,sllpz,", 1, 0, 0);
    expect("pci.csv", "pci_pri_ctrl,0,reset,", "pci_pri_ctrl,0,restart,", 1, 0,
           0);
}

static void test_swapped_fields(void **state)
{
    (void)state;
    expect("vtd.csv",
           "vtd_frcd,1,priv,29,29,ro,\"128-bit register, two 64-bit words; F "
           "is set by hardware and cleared by writing 1\"\nvtd_frcd,1,exe,30,"
           "30,",
           "vtd_frcd,1,exe,29,29,ro,\nvtd_frcd,1,priv,30,30,", 2, 0, 0);
}

static void test_missing_row(void **state)
{
    (void)state;
    expect("vtd.csv", "vtd_iva,0,ih,6,6,wo,64-bit register\n", "", 0, 1, 0);
    expect("vtd-offsets.csv", "irta,0xb8,64,rw,\n", "", 0, 1, 0);
    expect("vtd-codes.csv", "rtaddr_ttm,abort,3,\n", "", 0, 1, 0);
    expect("acpi.csv", "acpi_dmar_path_entry,1,1,function,\n", "", 0, 1, 0);
    expect("smmuv3-codes.csv", "ste_strw,el2,2,\n", "", 0, 1, 0);
}

static void test_extra_row(void **state)
{
    (void)state;
    expect("vtd.csv", "vtd_iva,0,ih,6,6,wo,64-bit register\n",
           "vtd_iva,0,ih,6,6,wo,\nvtd_iva,0,il,7,7,wo,\n", 0, 0, 1);
    expect("vtd-offsets.csv", "irta,0xb8,64,rw,\n",
           "irta,0xb8,64,rw,\nirtb,0xb8,64,rw,\n", 0, 0, 1);
    expect("acpi.csv", "acpi_dmar_path_entry,1,1,function,\n",
           "acpi_dmar_path_entry,1,1,function,\n"
           "acpi_dmar_path_entry,2,1,more,\n",
           0, 0, 1);
}

static void test_wrong_offset(void **state)
{
    (void)state;
    expect("vtd-offsets.csv", "rtaddr,0x20,64", "rtaddr,0x28,64", 0, 1, 1);
    expect("vtd-offsets.csv", "pqt,0xc8,64", "pqt,0xc8,32", 0, 1, 1);
    expect("vtd-offsets.csv", "iqh,0x80,64,ro,\niqt,0x88,64",
           "iqt,0x80,64,ro,\niqh,0x88,64", 2, 0, 0);
    expect("pci-offsets.csv", "pri.status,0x6,16", "pri.status,0xa,16", 0, 1,
           1);
    expect("acpi.csv", "acpi_dmar_rmrr,16,8,limit_address",
           "acpi_dmar_rmrr,16,4,limit_address", 0, 1, 1);
    expect("acpi.csv", "acpi_dmar_drhd,8,8,register_base",
           "acpi_dmar_drhd,9,8,register_base", 0, 1, 1);
    expect("smmuv3-offsets.csv", "\ngatos_ctrl,0x100,32",
           "\ngatos_ctrl,0x104,32", 0, 1, 1);
}

static void test_wrong_code(void **state)
{
    (void)state;
    expect("vtd-codes.csv", "qi_type,iec,4,", "qi_type,iec,6,", 0, 1, 1);
    expect("vtd-codes.csv", "fault_reason,ss_permission,0x79,SSS.2",
           "fault_reason,ss_permission,0x7a,SSS.2", 0, 1, 1);
    expect("vtd-codes.csv", "fault_reason,ss_permission,0x79,SSS.2",
           "fault_reason,ss_permission,0x79,SSS.3", 1, 0, 0);
    expect("pci-codes.csv", "ext_cap_id,pri,0x13", "ext_cap_id,pri,0x14", 0, 1,
           1);
    expect("acpi-codes.csv", "dmar_type,satc,5", "dmar_type,satc,7", 0, 1, 1);
    expect("smmuv3-codes.csv", "event_id,c_bad_cd,0xa", "event_id,c_bad_cd,0xc",
           0, 1, 1);
}

/* ---- tests: aliases ---- */

static void compare_text(const char *ours_text, const char *theirs_text,
                         struct aliases *aliases, struct tally *tally)
{
    struct facts ours = { 0 }, theirs = { 0 };

    parse_text(&ours, "x.csv", ours_text);
    parse_text(&theirs, "x.csv", theirs_text);
    facts_compare(&ours, &theirs, aliases, count, tally);
    aliases_stale(aliases, count, tally);
    facts_free(&ours);
    facts_free(&theirs);
}

#define FIELDS  "layout,word,field,high,low,access,note\n"
#define ALIASES "file,layout,position,ours,theirs,reason\n"

static struct tally compare_with(const char *ours, const char *theirs,
                                 const char *alias_text)
{
    struct aliases aliases = { 0 };
    struct tally tally = { 0 };

    assert_int_equal(aliases_parse(&aliases, alias_text), 0);
    compare_text(ours, theirs, &aliases, &tally);
    aliases_free(&aliases);
    return tally;
}

static void test_alias_explains_one_difference(void **state)
{
    const char *ours = FIELDS "l,0,a,1,1,,\n", *theirs = FIELDS "l,0,b,1,1,,\n";
    struct tally t;

    (void)state;
    t = compare_with(ours, theirs, ALIASES);
    assert_int_equal(t.count[DIFF_NAME], 1);
    t = compare_with(ours, theirs, ALIASES "x.csv,l,0:1:1,a,b,why\n");
    assert_int_equal(total(&t), 0);
    t = compare_with(ours, theirs, ALIASES "x.csv,l,0:1:1,a,c,why\n");
    assert_int_equal(t.count[DIFF_NAME], 1);
    assert_int_equal(t.count[DIFF_STALE], 1);
    t = compare_with(ours, theirs, ALIASES "x.csv,l,0:2:2,a,b,why\n");
    assert_int_equal(t.count[DIFF_NAME], 1);
    t = compare_with(ours, theirs, ALIASES "x.csv,l,0:1:1,-,b,why\n");
    assert_int_equal(t.count[DIFF_NAME], 1);
}

static void test_alias_for_a_side_without_the_row(void **state)
{
    const char *none = FIELDS, *some = FIELDS "l,0,a,1,1,,\nl,0,b,2,2,,\n";
    struct tally t;

    (void)state;
    t = compare_with(none, some, ALIASES "x.csv,l,*,-,*,no driver yet\n");
    assert_int_equal(total(&t), 0);
    t = compare_with(some, none, ALIASES "x.csv,l,*,-,*,no driver yet\n");
    assert_int_equal(t.count[DIFF_ONLY_OURS], 2);
    t = compare_with(some, none, ALIASES "x.csv,l,0:1:1,a,-,why\n");
    assert_int_equal(t.count[DIFF_ONLY_OURS], 1);
    t = compare_with(none, some, ALIASES "*,*,*,-,b,why\n");
    assert_int_equal(t.count[DIFF_ONLY_THEIRS], 1);
}

static void test_stale_alias(void **state)
{
    struct facts ours = our_facts(), theirs = their_facts();
    struct aliases a =
        read_aliases("vtd.csv,vtd_cap,0:39:39,psi,spi,never true\n");
    struct tally quiet = { 0 };

    (void)state;
    facts_compare(&ours, &theirs, &a, count, &quiet);
    aliases_stale(&a, count, &quiet);
    assert_int_equal(total(&quiet), 1);
    assert_int_equal(quiet.count[DIFF_STALE], 1);
    facts_free(&ours);
    facts_free(&theirs);
    aliases_free(&a);
}

/* ---- tests: the parser ---- */

static size_t parse_once(const char *text)
{
    struct facts f = { 0 };
    size_t row = facts_parse(&f, "x.csv", "x", text);

    facts_free(&f);
    return row;
}

static void test_quotes(void **state)
{
    struct facts f = { 0 };
    const char *text = FIELDS "l,0,\"a,\"\"b\"\"\",0x3f,0,rw,\"x, y\"\n";

    (void)state;
    assert_int_equal(facts_parse(&f, "x.csv", "x", text), 0);
    assert_int_equal(f.n, 1);
    assert_string_equal(f.v[0].name, "a,\"b\"");
    assert_string_equal(f.v[0].position, "0:63:0");
    facts_free(&f);
}

static void test_bad_rows(void **state)
{
    struct aliases a = { 0 };

    (void)state;
    assert_int_equal(parse_once(""), 1);
    assert_int_equal(parse_once("layout,word,field\n"), 1);
    assert_int_equal(parse_once(FIELDS), 0);
    assert_int_equal(parse_once(FIELDS "l,0,a,1,0,rw\n"), 2);
    assert_int_equal(parse_once(FIELDS "l,0,a,1,0,rw,\nl,0,b,2,3,rw,\n"), 3);
    assert_int_equal(parse_once(FIELDS "l,0,a,64,0,rw,\n"), 2);
    assert_int_equal(parse_once(FIELDS "l,0,a,x,0,rw,\n"), 2);
    assert_int_equal(parse_once(FIELDS "l,0,a,1,0,rw,\"open\n"), 2);
    assert_int_equal(parse_once(FIELDS "l,0,a,1,0,rw,,,,,\n"), 2);
    assert_int_equal(aliases_parse(&a, ALIASES "x.csv,l,0:1:1,a,b,\n"), 2);
    assert_int_equal(aliases_parse(&a, FIELDS), 1);
    aliases_free(&a);
}

int main(void)
{
    const struct CMUnitTest transcription[] = {
        cmocka_unit_test(test_all_files),
        cmocka_unit_test(test_every_kind_of_file_has_rows),
    };
    const struct CMUnitTest doctoring[] = {
        cmocka_unit_test(test_moved_field),
        cmocka_unit_test(test_renamed_field),
        cmocka_unit_test(test_swapped_fields),
        cmocka_unit_test(test_missing_row),
        cmocka_unit_test(test_extra_row),
        cmocka_unit_test(test_wrong_offset),
        cmocka_unit_test(test_wrong_code),
    };
    const struct CMUnitTest alias[] = {
        cmocka_unit_test(test_alias_explains_one_difference),
        cmocka_unit_test(test_alias_for_a_side_without_the_row),
        cmocka_unit_test(test_stale_alias),
    };
    const struct CMUnitTest parser[] = {
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_bad_rows),
    };
    int failed = 0;

    failed += cmocka_run_group_tests_name("spec: two transcriptions agree",
                                          transcription, NULL, NULL);
    failed += cmocka_run_group_tests_name("spec: doctored rows are found",
                                          doctoring, NULL, NULL);
    failed += cmocka_run_group_tests_name("spec: aliases", alias, NULL, NULL);
    failed += cmocka_run_group_tests_name("spec: parser", parser, NULL, NULL);
    return failed != 0;
}
