/* SPDX-License-Identifier: MIT */
/*
 * quirks_test.c - the table of PCI quirks against pci-quirks.csv, row by row.
 *
 * Each row of the table becomes what rows of the CSV say about one device, with the
 * part of the note that is a condition. The rest of a note is a remark.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pci/quirks.h"
#include "spec/pch.h"

#ifndef UIM_SPEC_DIR
#define UIM_SPEC_DIR "tests/spec"
#endif

enum { ROWS = 1000 };

struct row {
    char what[120]; /* kind,vendor,device,class_or_range,effect            */
    char note[200]; /* theirs: all of it; ours: what has to be in theirs   */
};

struct rows {
    struct row v[ROWS];
    unsigned n;
};

static struct row *new_row(struct rows *r)
{
    assert_true(r->n < ROWS);
    r->v[r->n] = (struct row){ "", "" };
    return &r->v[r->n++];
}

/* ---- ours -------------------------------------------------------------------- */

/* Appends. */
static void put(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text + length, size - length, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < size - length);
}

static void acs_bits(char *text, size_t size, unsigned bits)
{
    const char *names[] = { "SV", "TB", "RR", "CR", "UF", "EC", "DT" };

    text[0] = '\0';
    for (unsigned i = 0; i < 7; i++)
        if (bits >> i & 1)
            put(text, size, "%s%s", text[0] ? "+" : "", names[i]);
}

/* As in the column class_or_range. */
static void conditions(const struct uim_pci_quirk *q, char *text, size_t size)
{
    const char *between = "";

    text[0] = '\0';
    if (q->class_code != 0)
        put(text, size, "class=%04x", (unsigned)q->class_code);
    for (unsigned type = 0; type < 16; type++) {
        if (!(q->ports >> type & 1))
            continue;
        put(text, size, "%s%x", *between ? between : "type=", type);
        between = "|";
    }
    if (q->revision_last != 0 && q->revision_first == 0)
        put(text, size, "rev<%x", q->revision_last + 1u);
    else if (q->revision_last != 0)
        put(text, size, "rev=%02x;", (unsigned)q->revision_last);
    if (q->subsystem_vendor != 0)
        put(text, size, "subsys=%04x:%04x", (unsigned)q->subsystem_vendor,
            (unsigned)q->subsystem);
}

static bool same_devices(const struct uim_pci_quirk *a,
                         const struct uim_pci_quirk *b)
{
    return a->kind == b->kind && a->vendor == b->vendor &&
           a->first == b->first && a->subsystem == b->subsystem;
}

/* Several rows of ours are one of theirs, which names all devfns. */
static void devfns(const struct uim_pci_quirk *q, char *text, size_t size)
{
    text[0] = '\0';
    for (unsigned i = 0; i < uim_pci_n_quirks; i++)
        if (same_devices(&uim_pci_quirks[i], q))
            put(text, size, "%s%02x.%x",
                text[0] ? "|" : "devfn=", uim_pci_quirks[i].value >> 3u,
                uim_pci_quirks[i].value & 7u);
}

static void add(struct rows *r, const char *kind, const struct uim_pci_quirk *q,
                unsigned device, const char *effect, const char *note)
{
    struct row *row = new_row(r);
    char where[60];

    conditions(q, where, sizeof where);
    put(row->note, sizeof row->note, "%s", note);
    if (q->last - q->first < 0x400)
        put(row->what, sizeof row->what, "%s,%04x,%04x,%s,%s", kind,
            (unsigned)q->vendor, device, where, effect);
    else
        put(row->what, sizeof row->what, "%s,%04x,any,%s,%s", kind,
            (unsigned)q->vendor, where, effect);
}

/* A range that the CSV has as one row. */
static void add_range(struct rows *r, const struct uim_pci_quirk *q,
                      const char *effect)
{
    char where[60];

    conditions(q, where, sizeof where);
    put(new_row(r)->what, sizeof r->v[0].what,
        "acs_isolated_if,%04x,any,dev=%04x-%04x;%s,%s", (unsigned)q->vendor,
        (unsigned)q->first, (unsigned)q->last, where, effect);
}

#define FIRST_ROW(P, L) (const struct uim_field[]) UIM_LAYOUT_ROWS(P, L)

static void add_pch(struct rows *r, const struct uim_pci_quirk *q,
                    unsigned device, const char *effect)
{
    const struct uim_field *updcr = FIRST_ROW(pch_updcr, PCH_UPDCR);
    const struct uim_field *bspr = FIRST_ROW(pch_bspr, PCH_BSPR);
    const struct uim_field *mpc = FIRST_ROW(pch_mpc, PCH_MPC);
    char note[160] = "";

    put(note, sizeof note,
        "RCBA=cfg 1f.0 %Xh; BSPR=RCBA+%xh bits %u:%u; "
        "UPDCR=RCBA+%xh bits %u:%u; MPC=port cfg %Xh bit %u",
        PCH_REG_RCBA, PCH_REG_BSPR, (unsigned)bspr[0].high,
        (unsigned)bspr[1].low, PCH_REG_UPDCR, (unsigned)updcr->high,
        (unsigned)updcr->low, PCH_REG_MPC, (unsigned)mpc->high);
    add(r, "acs_enable", q, device, effect, note);
    add(r, "acs_isolated_if", q, device, effect,
        "; if acs_enable succeeded; else answered no");
}

static void add_ctrl8(struct rows *r, const struct uim_pci_quirk *q,
                      unsigned device, const char *effect)
{
    add(r, "acs_enable", q, device, effect,
        "; control dword at ACS+8; bits 0;2;3;4 where cap has them");
    add(r, "acs_isolated_if", q, device, "ctrl+8",
        "if ACS capability present; request & (cap|EC) within the dword at "
        "ACS+8");
}

static void add_isolated(struct rows *r, const struct uim_pci_quirk *q,
                         unsigned device, const char *effect)
{
    const unsigned integrated = 1u << PCI_EXP_TYPE_RC_INTEGRATED_ENDPOINT;

    if (q->ports == integrated)
        add(r, "acs_rciep", q, device, effect, "");
    else
        add(r, q->ports ? "acs_isolated_if" : "acs_isolated", q, device, effect,
            "");
}

static void add_alias(struct rows *r, const struct uim_pci_quirk *q,
                      unsigned device)
{
    char effect[60] = "", note[100] = "";

    switch (q->kind) {
    case UIM_PCI_QUIRK_ALIAS_FUNCTION:
        put(effect, sizeof effect, "func=%u", (unsigned)q->value);
        put(note, sizeof note, "none when the device is function %u itself",
            (unsigned)q->value);
        add(r, "dma_alias_func", q, device, effect, note);
        break;
    case UIM_PCI_QUIRK_ALIAS_DEVFN:
        devfns(q, effect, sizeof effect);
        if (q == uim_pci_quirks || !same_devices(q - 1, q))
            add(r, "dma_alias_fixed", q, device, effect, "");
        break;
    case UIM_PCI_QUIRK_ALIAS_FUNCTIONS:
        put(effect, sizeof effect, "devfn=00-1f.0-%u", q->value - 1u);
        add(r, "dma_alias_fixed", q, device, effect, "");
        break;
    case UIM_PCI_QUIRK_ALIAS_TABLE:
        add(r, "dma_alias_fixed", q, device, "devfn=bar0", "BAR 0");
        break;
    default:
        fail_msg("kind %u is not known here", (unsigned)q->kind);
    }
}

static void add_device(struct rows *r, const struct uim_pci_quirk *q,
                       unsigned device)
{
    char effect[60];

    acs_bits(effect, sizeof effect, q->value);
    switch (q->kind) {
    case UIM_PCI_QUIRK_ISOLATED:
        add_isolated(r, q, device, effect);
        break;
    case UIM_PCI_QUIRK_ISOLATED_AMD:
        add(r, "acs_isolated_if", q, device, effect,
            "if multifunction and on a root bus and ACPI IVRS present");
        break;
    case UIM_PCI_QUIRK_ACS_PCH:
        add_pch(r, q, device, effect);
        break;
    case UIM_PCI_QUIRK_ACS_CTRL8:
        add_ctrl8(r, q, device, effect);
        break;
    case UIM_PCI_QUIRK_BRIDGE_ALIAS:
        add(r, "bridge_alias", q, device, "rid=secondary:00.0",
            "if header type 1; no PCIe capability; not on a root bus; parent "
            "bridge is PCIe and not type 7");
        break;
    case UIM_PCI_QUIRK_XLATE_ROOT:
        add(r, "xlate_root", q, device, "stop", "");
        break;
    case UIM_PCI_QUIRK_ATS_BROKEN:
        add(r, "ats_broken", q, device, "no_ats", "");
        break;
    default:
        add_alias(r, q, device);
    }
}

/* A row that answers no to all that rows before it have not answered is a remark in
 * the CSV's notes. */
static bool refuses(const struct uim_pci_quirk *q)
{
    return q->kind == UIM_PCI_QUIRK_ISOLATED && q->value == 0;
}

static void our_rows(struct rows *r)
{
    char effect[60];

    r->n = 0;
    for (unsigned i = 0; i < uim_pci_n_quirks; i++) {
        const struct uim_pci_quirk *q = &uim_pci_quirks[i];

        acs_bits(effect, sizeof effect, q->value);
        if (refuses(q))
            continue;
        if (q->first == 0 && q->last == 0xffff)
            add_device(r, q, 0);
        else if (q->last - q->first >= 0x400)
            add_range(r, q, effect);
        else
            for (unsigned device = q->first; device <= q->last; device++)
                add_device(r, q, device);
    }
}

/* ---- theirs ------------------------------------------------------------------ */

static char *read_csv(void)
{
    FILE *in = fopen(UIM_SPEC_DIR "/pci-quirks.csv", "rb");
    char *text = calloc(1, 1 << 18);

    assert_non_null(text);
    if (in == NULL)
        fail_msg("%s/pci-quirks.csv cannot be read", UIM_SPEC_DIR);
    assert_in_range(fread(text, 1, 1 << 18, in), 1000, (1 << 18) - 1);
    fclose(in);
    return text;
}

/* The note is after the fifth comma, and has none. */
static void parse_line(struct rows *r, const char *line, size_t length)
{
    const char *end = line + length, *at = line;
    struct row *row = new_row(r);

    for (unsigned i = 0; i < 5; i++) {
        at = memchr(at, ',', (size_t)(end - at));
        if (at == NULL || at + 1 == end + 1)
            fail_msg("not six columns: %.*s", (int)length, line);
        at++;
    }
    assert_null(memchr(at, ',', (size_t)(end - at)));
    put(row->what, sizeof row->what, "%.*s", (int)(at - 1 - line), line);
    put(row->note, sizeof row->note, "%.*s", (int)(end - at), at);
}

static void parse(struct rows *r, const char *text)
{
    const char *head = "kind,vendor,device,class_or_range,effect,note\n";

    r->n = 0;
    assert_memory_equal(text, head, strlen(head));
    for (text += strlen(head); *text != '\0';) {
        size_t length = strcspn(text, "\n");

        parse_line(r, text, length);
        text += length + (text[length] == '\n');
    }
}

/* ---- comparison -------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->what, ((const struct row *)b)->what);
}

static void sort(struct rows *r)
{
    qsort(r->v, r->n, sizeof r->v[0], by_text);
    for (unsigned i = 1; i < r->n; i++)
        if (by_text(&r->v[i - 1], &r->v[i]) == 0)
            fail_msg("twice: %s", r->v[i].what);
}

struct tally {
    unsigned only_ours, only_theirs, notes;
    char last[300];
};

static void count(struct tally *t, unsigned *n, const char *kind,
                  const struct row *row)
{
    ++*n;
    snprintf(t->last, sizeof t->last, "%s: %s", kind, row->what);
}

/* Both sorted. */
static struct tally compare(const struct rows *ours, const struct rows *theirs)
{
    struct tally t = { 0, 0, 0, "" };
    unsigned i = 0, j = 0;

    while (i < ours->n || j < theirs->n) {
        int order = i == ours->n     ? 1
                    : j == theirs->n ? -1
                                     : by_text(&ours->v[i], &theirs->v[j]);

        if (order < 0)
            count(&t, &t.only_ours, "only ours", &ours->v[i]);
        else if (order > 0)
            count(&t, &t.only_theirs, "only theirs", &theirs->v[j]);
        else if (strstr(theirs->v[j].note, ours->v[i].note) == NULL)
            count(&t, &t.notes, "note", &ours->v[i]);
        i += order <= 0;
        j += order >= 0;
    }
    return t;
}

static struct tally compare_text(const char *text)
{
    struct rows *ours = calloc(2, sizeof *ours), *theirs = ours + 1;
    struct tally t;

    assert_non_null(ours);
    our_rows(ours);
    parse(theirs, text);
    sort(ours);
    sort(theirs);
    t = compare(ours, theirs);
    free(ours);
    return t;
}

static void every_row_is_in_the_other(void **state)
{
    char *text = read_csv();
    struct tally t = compare_text(text);

    (void)state;
    if (t.only_ours + t.only_theirs + t.notes != 0)
        fail_msg("%u only ours, %u only theirs, %u notes; last: %s",
                 t.only_ours, t.only_theirs, t.notes, t.last);
    free(text);
}

/* A vendor whose other devices are refused has a note on each row that says so. */
static void refusals_are_in_the_notes(void **state)
{
    struct rows *theirs = calloc(1, sizeof *theirs);
    unsigned refused = 0, noted = 0;
    char *text = read_csv();

    (void)state;
    assert_non_null(theirs);
    parse(theirs, text);
    for (unsigned i = 0; i < uim_pci_n_quirks; i++) {
        char port[40], any[40];
        const struct uim_pci_quirk *q = &uim_pci_quirks[i];

        snprintf(port, sizeof port, "acs_isolated_if,%04x,",
                 (unsigned)q->vendor);
        snprintf(any, sizeof any, "acs_isolated,%04x,", (unsigned)q->vendor);
        refused += refuses(q);
        for (unsigned j = 0; refuses(q) && j < theirs->n; j++) {
            const char *kind = q->ports ? port : any;

            if (strncmp(theirs->v[j].what, kind, strlen(kind)) == 0)
                assert_non_null(strstr(theirs->v[j].note,
                                       " of this vendor not listed is "
                                       "answered no"));
        }
    }
    for (unsigned j = 0; j < theirs->n; j++)
        noted += strstr(theirs->v[j].note, "not listed is") != NULL;
    assert_int_equal(refused, 2);
    assert_int_equal(noted, 24 + 64);
    free(theirs);
    free(text);
}

/* Lookup goes by halves: by vendor and id, and no range reaches into another; but for
 * the four at the end. */
static void rows_are_in_order(void **state)
{
    (void)state;
    for (unsigned i = 0; i < uim_pci_n_quirks; i++) {
        const struct uim_pci_quirk *q = &uim_pci_quirks[i];

        assert_true(q->first <= q->last);
        assert_true(q->revision_first <= q->revision_last);
        assert_int_equal(q->last - q->first >= 0x400,
                         i >= uim_pci_n_quirks - 4);
        if (i == 0 || i >= uim_pci_n_quirks - 4 || q[-1].vendor < q->vendor)
            continue;
        assert_int_equal(q[-1].vendor, q->vendor);
        assert_true(q[-1].last < q->first ||
                    (q[-1].first == q->first && q[-1].last == q->last));
    }
}

/* ---- the comparison can fail -------------------------------------------------- */

static void doctored(const char *from, const char *to, unsigned only_ours,
                     unsigned only_theirs, unsigned notes)
{
    char *text = read_csv(), *at = strstr(text, from);
    size_t size = strlen(text) + strlen(to) + 1;
    char *other = calloc(1, size);
    struct tally t;

    assert_non_null(at);
    assert_non_null(other);
    snprintf(other, size, "%.*s%s%s", (int)(at - text), text, to,
             at + strlen(from));
    t = compare_text(other);
    if (t.only_ours != only_ours || t.only_theirs != only_theirs ||
        t.notes != notes)
        fail_msg("%s: %u only ours, %u only theirs, %u notes", from,
                 t.only_ours, t.only_theirs, t.notes);
    free(other);
    free(text);
}

static void doctored_rows_are_found(void **state)
{
    (void)state;
    doctored("ats_broken,1002,6900,,no_ats,Iceland GPU\n", "", 1, 0, 0);
    doctored("acs_isolated,10df,0720", "acs_isolated,10df,0721", 1, 1, 0);
    doctored("acs_isolated,10df,0720,,SV+TB", "acs_isolated,10df,0720,,SV", 1,
             1, 0);
    doctored("acs_enable,8086,1c10,type=4", "acs_enable,8086,1c10,type=6", 1, 1,
             0);
    doctored("acs_rciep,8086,any,type=9", "acs_rciep,8086,any,type=0", 1, 1, 0);
    doctored("dev=a000-a7ff;type=4", "dev=a000-a6ff;type=4", 1, 1, 0);
    doctored("rev=cf;subsys=ea50:cc08", "rev=ce;subsys=ea50:cc08", 1, 1, 0);
    doctored("rev<20", "rev<21", 1, 1, 0);
    doctored("subsys=9005:02bb", "subsys=9005:02bd", 1, 1, 0);
    doctored("devfn=10.0|11.0|12.3", "devfn=10.0|11.0|12.4", 1, 1, 0);
    doctored("devfn=00-1f.0-4", "devfn=00-1f.0-5", 1, 1, 0);
    doctored("class=0680", "class=0580", 1, 1, 0);
    doctored("func=1,", "func=0,", 1, 1, 0);
    doctored("ats_broken,1002,6900,",
             "ats_broken,1002,68ff,,no_ats,\nats_broken,1002,6900,", 0, 1, 0);
}

static void doctored_notes_are_found(void **state)
{
    (void)state;
    doctored("BSPR=RCBA+1104h", "BSPR=RCBA+1100h", 0, 0, 1);
    doctored("bits 9:8", "bits 9:7", 0, 0, 1);
    doctored("MPC=port cfg D8h bit 26", "MPC=port cfg D8h bit 25", 0, 0, 1);
    doctored("if acs_enable succeeded", "", 0, 0, 1);
    doctored("control dword at ACS+8", "control dword at ACS+6", 0, 0, 1);
    doctored("and ACPI IVRS present", "", 0, 0, 1);
    doctored("is function 1 itself", "is function 0 itself", 0, 0, 1);
    doctored("and not type 7", "", 0, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_in_the_other),
        cmocka_unit_test(refusals_are_in_the_notes),
        cmocka_unit_test(rows_are_in_order),
        cmocka_unit_test(doctored_rows_are_found),
        cmocka_unit_test(doctored_notes_are_found),
    };

    return cmocka_run_group_tests_name("PCI quirks", tests, NULL, NULL);
}
