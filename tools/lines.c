/* SPDX-License-Identifier: MIT */
/*
 * lines.c - finds faults in text, and what readers of all formats need.
 */
#include "tools/lines.h"

#include <stdlib.h>
#include <string.h>

static const struct lines_format *const formats[] = { &lines_vtd,
                                                      &lines_smmuv3 };

enum {
    N_FORMATS = sizeof(formats) / sizeof(formats[0]),
    WORD_DIGITS = 16,
    DIGITS_MAX = 2 * WORD_DIGITS,
    LOOK_MAX = 200, /* characters of a line that are looked at for numbers */
    SUFFIX_MAX = 16,
};

/* ---- characters ---------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '_';
}

/* 16 and more: no digit. */
static unsigned digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

/* ---- reading ------------------------------------------------------------- */

static void skip_blanks(struct lines_text *t)
{
    while (t->at < t->size && (t->text[t->at] == ' ' || t->text[t->at] == '\t'))
        t->at++;
}

/* Terminals break lines anywhere, mail may indent what follows. */
static void skip_break(struct lines_text *t)
{
    if (t->at == t->size || t->text[t->at] != '\n')
        return;
    t->at++;
    skip_blanks(t);
}

bool lines_skip(struct lines_text *t, const char *literal)
{
    struct lines_text u = *t;

    for (const char *c = literal; *c != '\0'; c++) {
        if (*c != ' ')
            skip_break(&u);
        if (u.at == u.size ||
            (*c == ' ' ? !is_space(u.text[u.at]) : u.text[u.at] != *c))
            return false;
        u.at++;
        while (*c == ' ' && u.at < u.size && is_space(u.text[u.at]))
            u.at++;
    }
    t->at = u.at;
    return true;
}

/* ---- numbers ------------------------------------------------------------- */

struct digits {
    char text[DIGITS_MAX];
    size_t n;
};

static void append(struct digits *d, struct lines_text *t, unsigned base)
{
    while (d->n < DIGITS_MAX && t->at < t->size &&
           digit_of(t->text[t->at]) < base)
        d->text[d->n++] = t->text[t->at++];
}

static bool is_one_of(const char *set, char c)
{
    return c != '\0' && strchr(set, c);
}

/* A line that is broken twice could go on with a word that begins with digits. */
static bool is_behind(struct lines_text t, const char *ends)
{
    skip_blanks(&t);
    if (t.at == t.size)
        return is_one_of(ends, '\n');
    if (!is_one_of(ends, t.text[t.at]))
        return false;
    if (t.text[t.at] != '\n')
        return true;
    skip_break(&t);
    return t.at == t.size || !is_word(t.text[t.at]);
}

/* What of a number is on the next line. False: that cannot be told. */
static bool take_rest(struct digits *d, struct lines_text *t, unsigned base,
                      const char *ends)
{
    struct digits whole = *d;
    struct lines_text u = *t;

    skip_break(&u);
    append(&whole, &u, base);
    if (whole.n == d->n)
        return true;
    if (!is_behind(u, ends)) /* a word of its own? */
        return u.at < u.size && !is_space(u.text[u.at]);
    *d = whole;
    *t = u;
    return true;
}

static bool take_digits(struct digits *d, struct lines_text *t, unsigned base,
                        const char *ends)
{
    struct lines_text u = *t;
    bool whole;

    d->n = 0;
    skip_break(&u);
    append(d, &u, base);
    if (u.at == u.size)
        whole = is_one_of(ends, '\n');
    else if (u.text[u.at] == '\n')
        whole = take_rest(d, &u, base, ends);
    else
        whole = !is_word(u.text[u.at]) || is_one_of(ends, u.text[u.at]);
    if (d->n == 0 || !whole)
        return false;
    t->at = u.at;
    return true;
}

static uint64_t value_of(const char *digits, size_t n, unsigned base)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value * base + digit_of(digits[i]);
    return value;
}

static bool number(struct lines_text *t, unsigned base, const char *ends,
                   uint64_t *value)
{
    struct lines_text u = *t;
    struct digits d;

    if (!take_digits(&d, &u, base, ends) || d.n > WORD_DIGITS)
        return false;
    *value = value_of(d.text, d.n, base);
    t->at = u.at;
    return true;
}

bool lines_hex(struct lines_text *t, const char *ends, uint64_t *value)
{
    struct lines_text u = *t;

    (void)lines_skip(&u, "0x");
    if (!number(&u, 16, ends, value))
        return false;
    t->at = u.at;
    return true;
}

bool lines_decimal(struct lines_text *t, const char *ends, uint64_t *value)
{
    return number(t, 10, ends, value);
}

bool lines_digits(struct lines_text *t, unsigned n, uint64_t *value)
{
    struct lines_text u = *t;
    uint64_t v = 0;

    for (unsigned i = 0; i < n; i++) {
        skip_break(&u);
        if (u.at == u.size || digit_of(u.text[u.at]) >= 16)
            return false;
        v = v << 4 | digit_of(u.text[u.at++]);
    }
    if (u.at < u.size && is_word(u.text[u.at]))
        return false;
    *value = v;
    t->at = u.at;
    return true;
}

/* Up to three numbers with colons between. Returns how many. */
static unsigned colons(struct lines_text *t, uint64_t n[3])
{
    unsigned i = 0;

    while (i < 3 && lines_hex(t, ":.", &n[i])) {
        i++;
        if (i < 3 && !lines_skip(t, ":"))
            break;
    }
    return i;
}

bool lines_pci(struct lines_text *t, struct uim_record *r)
{
    struct lines_text u = *t;
    uint64_t n[4] = { 0 };
    unsigned i = colons(&u, n + 1);
    const uint64_t *bus = i == 3 ? n + 2 : n + 1;
    uint64_t function;

    if (i < 2 || !lines_skip(&u, ".") || !lines_hex(&u, "]a", &function))
        return false;
    if (bus[0] > 0xff || bus[1] > 0x1f || function > 7 || bus[-1] > 0xffff)
        return false;
    r->source = (struct uiommu_pci){
        .segment = (uint16_t)bus[-1],
        .bus = (uint8_t)bus[0],
        .devfn = (uint8_t)(bus[1] << 3 | function),
    };
    r->has |= UIM_HAS_SOURCE | (i == 3 ? (unsigned)UIM_HAS_SEGMENT : 0);
    t->at = u.at;
    return true;
}

/* One number or two. Returns how many. */
static unsigned split(const struct digits *d, uint64_t value[2])
{
    size_t high = d->n > WORD_DIGITS ? d->n - WORD_DIGITS : d->n;

    value[0] = value_of(d->text, high, 16);
    if (high == d->n)
        return 1;
    value[1] = value_of(d->text + high, WORD_DIGITS, 16);
    return 2;
}

/* `bare`: 0x may be missing. Returns how many numbers; 0: it is none. */
static unsigned word(struct lines_text *t, bool bare, uint64_t value[2])
{
    struct lines_text u = *t;
    bool marked = lines_skip(&u, "0x");
    struct digits d;

    if (!(bare || marked) || !take_digits(&d, &u, 16, ";,)]\n"))
        return 0;
    t->at = u.at;
    return split(&d, value);
}

static void skip_word(struct lines_text *t, size_t stop)
{
    while (t->at < stop && is_word(t->text[t->at]))
        t->at++;
}

struct words {
    uint64_t *value;
    unsigned n, max;
    unsigned before; /* the last word */
    bool bare, wide;
};

static void take_word(struct words *w, struct lines_text *t, size_t stop)
{
    uint64_t value[2];
    unsigned got = word(t, w->bare, value);

    w->before = w->n;
    w->bare = got > 0;
    if (got == 0)
        skip_word(t, stop);
    for (unsigned i = 0; i < got && w->n < w->max; i++) {
        w->value[w->n++] = value[i];
        w->wide |= got == 2 || value[i] > UINT32_MAX;
    }
}

/* "0: 12345000", "[0] = 12345000": what is before it is no part of the contents.
 * In "c000000600000010:12345000" it is. */
static bool is_label_end(const struct lines_text *t)
{
    size_t next = t->at + 1;

    return t->text[t->at] == '=' ||
           (t->text[t->at] == ':' &&
            (next == t->size || !is_word(t->text[next])));
}

unsigned lines_words(struct lines_text *t, uint64_t *words, unsigned max,
                     bool *wide)
{
    size_t stop = t->size - t->at > LOOK_MAX ? t->at + LOOK_MAX : t->size;
    struct words w = { .value = words, .max = max, .bare = true };

    while (t->at < stop && !is_one_of("\n;", t->text[t->at])) {
        if (is_word(t->text[t->at])) {
            take_word(&w, t, stop);
            continue;
        }
        if (is_label_end(t)) {
            w.n = w.before;
            w.bare = true;
        }
        t->at++;
    }
    *wide = w.wide;
    return w.n;
}

bool lines_name(struct lines_text *t)
{
    size_t stop = t->size - t->at > SUFFIX_MAX ? t->at + SUFFIX_MAX : t->size;
    struct lines_text u = *t;
    uint64_t index;

    skip_word(&u, stop);
    if (u.at < u.size && is_word(u.text[u.at]))
        return false;
    t->at = u.at;
    if (lines_skip(&u, "[") && lines_decimal(&u, "]", &index) &&
        lines_skip(&u, "]"))
        t->at = u.at;
    return true;
}

/* ---- what mail does to text ---------------------------------------------- */

/* "> > " at the start of a line. */
static size_t quote(const char *text, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < size && (text[i] == '>' || text[i] == ' '); i++)
        if (text[i] == '>')
            n = i + 1;
    return n + (n > 0 && n < size && text[n] == ' ');
}

/* Without carriage returns, quote marks, and soft line breaks ("=" at the end of
 * a line). Returns the size. */
static size_t clean(const char *text, size_t size, char *out)
{
    size_t n = 0;

    for (size_t i = quote(text, size); i < size; i++) {
        if (text[i] == '\r')
            continue;
        if (text[i] != '\n') {
            out[n++] = text[i];
            continue;
        }
        if (n > 0 && out[n - 1] == '=')
            n--;
        else
            out[n++] = '\n';
        i += quote(text + i + 1, size - i - 1);
    }
    return n;
}

/* ---- finding ------------------------------------------------------------- */

struct finder {
    void (*fn)(void *ctx, const struct uim_record *r);
    void *ctx;
    bool held;
    struct uim_record status; /* waits for a record to go with */
};

static void release(struct finder *f)
{
    if (f->held)
        f->fn(f->ctx, &f->status);
    f->held = false;
}

static bool goes_with(const struct uim_record *status,
                      const struct uim_record *r)
{
    return (r->kind == UIM_RECORD_DMA || r->kind == UIM_RECORD_INTERRUPT) &&
           strcmp(status->driver, r->driver) == 0;
}

static void deliver(struct finder *f, struct uim_record *r)
{
    if (f->held && goes_with(&f->status, r)) {
        r->status = f->status.reason;
        f->held = false;
    }
    release(f);
    if (uim_record_announces(r)) {
        f->status = *r;
        f->held = true;
        return;
    }
    f->fn(f->ctx, r);
}

/* Nearly nowhere anything begins, and this is asked everywhere. */
static bool may_begin(const struct lines_text *t, const char *start)
{
    char c = t->text[t->at];

    return c == *start || is_space(c);
}

static bool read_as(struct finder *f, struct lines_text *t,
                    const struct lines_format *format)
{
    for (unsigned i = 0; i < format->n; i++) {
        const struct lines_reader *reader = &format->readers[i];
        struct lines_text u = *t;
        struct uim_record r;

        if (!may_begin(t, reader->start) || !lines_skip(&u, reader->start))
            continue;
        r = (struct uim_record){ .driver = format->driver };
        if (reader->read(&u, &r)) {
            deliver(f, &r);
            t->at = u.at;
            t->used = u.used;
            return true;
        }
    }
    return false;
}

static void find(struct finder *f, struct lines_text *t)
{
    while (t->at < t->size) {
        bool found = false;

        for (unsigned i = 0; i < N_FORMATS && !found; i++)
            found = read_as(f, t, formats[i]);
        t->at += !found;
    }
    release(f);
}

bool lines_read(const char *text, size_t size,
                void (*fn)(void *ctx, const struct uim_record *r), void *ctx)
{
    struct finder f = { .fn = fn, .ctx = ctx };
    char *copy = malloc(size + 1);
    struct lines_text t = { .text = copy };

    if (!copy)
        return false;
    t.size = clean(text, size, copy);
    find(&f, &t);
    free(copy);
    return true;
}
