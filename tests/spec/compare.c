/* SPDX-License-Identifier: MIT */
/*
 * compare.c - see compare.h.
 */
#include "compare.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 8, COLUMN_SIZE = 256 };

struct row {
    char column[COLUMNS][COLUMN_SIZE];
    size_t n;
};

/* Room for one more than n: twice as much when n is a power of two. */
static void *grow(void *v, size_t n, size_t size)
{
    void *p = v;

    if ((n & (n - 1)) == 0) {
        p = realloc(v, (n == 0 ? 1 : 2 * n) * size);
    }
    if (p == NULL) {
        abort();
    }
    return p;
}

/* A name that does not fit must not be cut: it could match another. */
static void copy(char *to, size_t size, const char *from)
{
    size_t n = strlen(from);

    if (n >= size) {
        fprintf(stderr, "too long: %s\n", from);
        abort();
    }
    memcpy(to, from, n + 1);
}

static void copy_name(char *to, size_t size, const char *from)
{
    copy(to, size, from);
    for (; *to != '\0'; to++) {
        *to = *to == '.' ? '_' : (char)tolower((unsigned char)*to);
    }
}

static struct fact *add(struct facts *f, const char *file, const char *layout,
                        const char *name)
{
    struct fact *fact;

    f->v = grow(f->v, f->n, sizeof *f->v);
    fact = &f->v[f->n++];
    copy(fact->file, sizeof fact->file, file);
    copy(fact->layout, sizeof fact->layout, layout);
    copy_name(fact->name, sizeof fact->name, name);
    return fact;
}

void facts_add_field(struct facts *f, const char *file, const char *layout,
                     unsigned word, const char *name, unsigned high,
                     unsigned low)
{
    struct fact *fact = add(f, file, layout, name);

    snprintf(fact->position, sizeof fact->position, "%u:%u:%u", word, high,
             low);
}

void facts_add_bytes(struct facts *f, const char *file, const char *layout,
                     const char *name, unsigned offset, unsigned size)
{
    struct fact *fact = add(f, file, layout, name);

    snprintf(fact->position, sizeof fact->position, "%u+%u", offset, size);
}

void facts_add_register(struct facts *f, const char *file, const char *layout,
                        const char *name, unsigned offset, unsigned width)
{
    struct fact *fact = add(f, file, layout, name);

    snprintf(fact->position, sizeof fact->position, "0x%x/%u", offset, width);
}

void facts_add_code(struct facts *f, const char *file, const char *set,
                    const char *name, unsigned value)
{
    struct fact *fact = add(f, file, set, name);

    snprintf(fact->position, sizeof fact->position, "0x%x", value);
}

void facts_free(struct facts *f)
{
    free(f->v);
    *f = (struct facts){ 0 };
}

void aliases_free(struct aliases *a)
{
    free(a->v);
    *a = (struct aliases){ 0 };
}

/*
 * One row: columns at commas, "" inside quotes for a quote. Returns what
 * follows the row, or NULL if it does not fit or a quote is not closed.
 */
static const char *parse_row(const char *p, struct row *row)
{
    bool quoted = false;
    size_t length = 0;

    *row = (struct row){ .n = 1 };
    for (; *p != '\0' && (quoted || *p != '\n'); p++) {
        if (*p == '"' && quoted && p[1] == '"') {
            p++;
        } else if (*p == '"') {
            quoted = !quoted;
            continue;
        } else if (*p == ',' && !quoted) {
            length = 0;
            if (row->n++ == COLUMNS) {
                return NULL;
            }
            continue;
        }
        if (length + 1 == COLUMN_SIZE) {
            return NULL;
        }
        row->column[row->n - 1][length++] = *p;
    }
    if (quoted) {
        return NULL;
    }
    return *p == '\n' ? p + 1 : p;
}

static bool number(const char *text, unsigned *value)
{
    char *end;
    unsigned long v = strtoul(text, &end, 0);

    *value = (unsigned)v;
    return isdigit((unsigned char)text[0]) && *end == '\0' && v <= 0xffffffff;
}

static bool is_header(const struct row *row, const char *names)
{
    struct row want;

    parse_row(names, &want);
    if (row->n != want.n) {
        return false;
    }
    for (size_t i = 0; i < want.n; i++) {
        if (strcmp(row->column[i], want.column[i]) != 0) {
            return false;
        }
    }
    return true;
}

typedef bool row_fn(struct facts *f, const char *file, const char *stem,
                    const struct row *row);

static bool field_row(struct facts *f, const char *file, const char *stem,
                      const struct row *row)
{
    unsigned word, high, low;

    (void)stem;
    if (!number(row->column[1], &word) || !number(row->column[3], &high) ||
        !number(row->column[4], &low) || high > 63 || low > high) {
        return false;
    }
    facts_add_field(f, file, row->column[0], word, row->column[2], high, low);
    return true;
}

static bool bytes_row(struct facts *f, const char *file, const char *stem,
                      const struct row *row)
{
    unsigned offset, size;

    (void)stem;
    if (!number(row->column[1], &offset) || !number(row->column[2], &size)) {
        return false;
    }
    facts_add_bytes(f, file, row->column[0], row->column[3], offset, size);
    return true;
}

static bool register_row(struct facts *f, const char *file, const char *stem,
                         const struct row *row)
{
    unsigned offset, width;

    if (!number(row->column[1], &offset) || !number(row->column[2], &width)) {
        return false;
    }
    facts_add_register(f, file, stem, row->column[0], offset, width);
    return true;
}

/* A label of the manual at the start of a note: "SGN.10", "LRT.2; ..." */
static bool manual_label(const char *note, char *label, size_t size)
{
    size_t n = strcspn(note, ";");

    if (n < 5 || n >= size || note[3] != '.' ||
        strspn(note, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3 ||
        strspn(note + 4, "0123456789") != n - 4) {
        return false;
    }
    memcpy(label, note, n);
    label[n] = '\0';
    return true;
}

/* Where the note of a code has the manual's label, that is its name. */
static bool code_row(struct facts *f, const char *file, const char *stem,
                     const struct row *row)
{
    char label[16];
    const char *name = row->column[1];
    unsigned value;

    (void)stem;
    if (!number(row->column[2], &value)) {
        return false;
    }
    if (manual_label(row->column[3], label, sizeof label)) {
        name = label;
    }
    facts_add_code(f, file, row->column[0], name, value);
    return true;
}

static const struct {
    const char *header;
    row_fn *row;
} kinds[] = {
    { "layout,word,field,high,low,access,note", field_row },
    { "layout,offset_bytes,size_bytes,field,note", bytes_row },
    { "register,offset,width_bits,access,note", register_row },
    { "set,name,value,note", code_row },
};

size_t facts_parse(struct facts *f, const char *file, const char *stem,
                   const char *text)
{
    row_fn *parse = NULL;
    struct row row;
    size_t columns, n = 1;

    text = parse_row(text, &row);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (text != NULL && is_header(&row, kinds[i].header)) {
            parse = kinds[i].row;
        }
    }
    if (parse == NULL) {
        return n;
    }
    columns = row.n;
    while (*text != '\0') {
        n++;
        text = parse_row(text, &row);
        if (text == NULL || row.n != columns || !parse(f, file, stem, &row)) {
            return n;
        }
    }
    return 0;
}

size_t aliases_parse(struct aliases *a, const char *text)
{
    struct row row;
    size_t n = 1;

    text = parse_row(text, &row);
    if (text == NULL ||
        !is_header(&row, "file,layout,position,ours,theirs,reason")) {
        return n;
    }
    while (*text != '\0') {
        struct alias alias = { 0 };

        n++;
        text = parse_row(text, &row);
        if (text == NULL || row.n != 6 || row.column[5][0] == '\0') {
            return n;
        }
        copy(alias.at.file, sizeof alias.at.file, row.column[0]);
        copy(alias.at.layout, sizeof alias.at.layout, row.column[1]);
        copy(alias.at.position, sizeof alias.at.position, row.column[2]);
        copy_name(alias.ours, sizeof alias.ours, row.column[3]);
        copy_name(alias.theirs, sizeof alias.theirs, row.column[4]);
        copy(alias.reason, sizeof alias.reason, row.column[5]);
        a->v = grow(a->v, a->n, sizeof *a->v);
        a->v[a->n++] = alias;
    }
    return 0;
}

static bool fits(const char *pattern, const char *text)
{
    size_t n = strlen(pattern);

    if (n > 0 && pattern[n - 1] == '*') {
        return strncmp(pattern, text, n - 1) == 0;
    }
    return strcmp(pattern, text) == 0;
}

/* "-" and only "-" fits a side that has nothing. */
static bool name_fits(const char *pattern, const struct fact *fact)
{
    if (fact == NULL || strcmp(pattern, "-") == 0) {
        return fact == NULL && strcmp(pattern, "-") == 0;
    }
    return fits(pattern, fact->name);
}

static bool explains(const struct alias *a, const struct difference *d)
{
    const struct fact *at = d->ours != NULL ? d->ours : d->theirs;

    return fits(a->at.file, at->file) && fits(a->at.layout, at->layout) &&
           fits(a->at.position, at->position) && name_fits(a->ours, d->ours) &&
           name_fits(a->theirs, d->theirs);
}

static void settle(struct difference d, struct aliases *aliases,
                   difference_fn *report, void *ctx)
{
    for (size_t i = 0; i < aliases->n; i++) {
        if (explains(&aliases->v[i], &d)) {
            aliases->v[i].used++;
            return;
        }
    }
    report(ctx, &d);
}

static bool same_place(const struct fact *a, const struct fact *b)
{
    return strcmp(a->file, b->file) == 0 && strcmp(a->layout, b->layout) == 0 &&
           strcmp(a->position, b->position) == 0;
}

/* The first fact not `done` at the same place, of the same name if asked. */
static size_t find(const struct facts *in, const bool *done,
                   const struct fact *fact, bool named)
{
    size_t i;

    for (i = 0; i < in->n; i++) {
        if (!done[i] && same_place(&in->v[i], fact) &&
            (!named || strcmp(in->v[i].name, fact->name) == 0)) {
            break;
        }
    }
    return i;
}

void facts_compare(const struct facts *ours, const struct facts *theirs,
                   struct aliases *aliases, difference_fn *report, void *ctx)
{
    bool *our = calloc(ours->n + 1, sizeof *our);
    bool *their = calloc(theirs->n + 1, sizeof *their);

    if (our == NULL || their == NULL) {
        abort();
    }
    for (int named = 1; named >= 0; named--) {
        for (size_t i = 0; i < ours->n; i++) {
            size_t j = find(theirs, their, &ours->v[i], named);

            if (our[i] || j == theirs->n) {
                continue;
            }
            our[i] = their[j] = true;
            if (!named) {
                settle((struct difference){ DIFF_NAME, &ours->v[i],
                                            &theirs->v[j], NULL },
                       aliases, report, ctx);
            }
        }
    }
    for (size_t i = 0; i < ours->n; i++) {
        if (!our[i]) {
            settle(
                (struct difference){ DIFF_ONLY_OURS, &ours->v[i], NULL, NULL },
                aliases, report, ctx);
        }
    }
    for (size_t i = 0; i < theirs->n; i++) {
        if (!their[i]) {
            settle((struct difference){ DIFF_ONLY_THEIRS, NULL, &theirs->v[i],
                                        NULL },
                   aliases, report, ctx);
        }
    }
    free(our);
    free(their);
}

void aliases_stale(const struct aliases *aliases, difference_fn *report,
                   void *ctx)
{
    for (size_t i = 0; i < aliases->n; i++) {
        if (aliases->v[i].used == 0) {
            report(ctx, &(struct difference){ DIFF_STALE, NULL, NULL,
                                              &aliases->v[i] });
        }
    }
}
