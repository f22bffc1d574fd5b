/* SPDX-License-Identifier: MIT */
/*
 * lines.c - finds faults in text, and what readers of all formats need.
 */
#include "tools/lines.h"

#include <stdlib.h>
#include <string.h>

static const struct lines_format *const formats[] = { &lines_vtd };

enum {
    N_FORMATS = sizeof(formats) / sizeof(formats[0]),
    WORDS_MAX = 200, /* characters of a line that are looked at for numbers */
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

/* Terminals break lines anywhere, so a newline inside a literal is passed over. */
bool lines_skip(struct lines_text *t, const char *literal)
{
    size_t at = t->at;

    for (const char *c = literal; *c != '\0'; c++) {
        if (c != literal && *c != ' ' && at < t->size && t->text[at] == '\n')
            at++;
        if (at == t->size ||
            (*c == ' ' ? !is_space(t->text[at]) : t->text[at] != *c))
            return false;
        at++;
        while (*c == ' ' && at < t->size && is_space(t->text[at]))
            at++;
    }
    t->at = at;
    return true;
}

/* At most 16 digits of `base`, in text up to `size`. Returns how many. */
static size_t digits(const char *text, size_t size, unsigned base,
                     uint64_t *value)
{
    size_t n = 0;

    *value = 0;
    while (n < size && n < 16 && digit_of(text[n]) < base)
        *value = *value * base + digit_of(text[n++]);
    return n;
}

static bool number(struct lines_text *t, unsigned base, uint64_t *value)
{
    size_t n = digits(t->text + t->at, t->size - t->at, base, value);

    if (n == 0 || t->at + n == t->size || digit_of(t->text[t->at + n]) < base)
        return false;
    t->at += n;
    return true;
}

bool lines_hex(struct lines_text *t, uint64_t *value)
{
    struct lines_text u = *t;

    (void)lines_skip(&u, "0x");
    if (!number(&u, 16, value))
        return false;
    t->at = u.at;
    return true;
}

bool lines_decimal(struct lines_text *t, uint64_t *value)
{
    return number(t, 10, value);
}

/* Up to three numbers with colons between. Returns how many. */
static unsigned colons(struct lines_text *t, uint64_t n[3])
{
    unsigned i = 0;

    while (i < 3 && lines_hex(t, &n[i])) {
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

    if (i < 2 || !lines_skip(&u, ".") || !lines_hex(&u, &function))
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

/* A whole word as one number or two; 0: it is none. */
static unsigned word_value(const char *word, size_t size, uint64_t value[2])
{
    size_t n;

    if (size > 2 && word[0] == '0' && word[1] == 'x') {
        word += 2;
        size -= 2;
    }
    n = size > 16 ? size - 16 : size;
    if (size > 32 || digits(word, n, 16, &value[0]) != n)
        return 0;
    if (n == size)
        return 1;
    return digits(word + n, 16, 16, &value[1]) == 16 ? 2 : 0;
}

unsigned lines_words(struct lines_text *t, uint64_t *words, unsigned max,
                     bool *wide)
{
    size_t stop = t->size - t->at > WORDS_MAX ? t->at + WORDS_MAX : t->size;
    unsigned n = 0;
    uint64_t value[2];

    *wide = false;
    while (t->at < stop && t->text[t->at] != '\n' && t->text[t->at] != ';') {
        size_t from = t->at;
        unsigned got;

        while (t->at < stop && is_word(t->text[t->at]))
            t->at++;
        got =
            t->at > from ? word_value(t->text + from, t->at - from, value) : 0;
        for (unsigned i = 0; i < got && n < max; i++) {
            words[n++] = value[i];
            *wide |= got == 2 || value[i] > UINT32_MAX;
        }
        t->at += t->at == from;
    }
    return n;
}

/* ---- what mail does to text ---------------------------------------------- */

/* "> > " at the start of a line. */
static size_t quote(const char *text, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < size && (text[i] == '>' || text[i] == ' '); i++)
        if (text[i] == '>')
            n = i + 1;
    return n;
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

static bool read_as(struct finder *f, struct lines_text *t,
                    const struct lines_format *format)
{
    for (unsigned i = 0; i < format->n; i++) {
        const struct lines_reader *reader = &format->readers[i];
        struct uim_record r = { .driver = format->driver };
        struct lines_text u = *t;

        if (lines_skip(&u, reader->start) && reader->read(&u, &r)) {
            deliver(f, &r);
            t->at = u.at;
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
    struct lines_text t = { copy, 0, 0 };

    if (!copy)
        return false;
    t.size = clean(text, size, copy);
    find(&f, &t);
    free(copy);
    return true;
}
