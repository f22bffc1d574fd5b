/* SPDX-License-Identifier: MIT */
#include "base/text.h"

#include <stdbool.h>

void uim_text_init(struct uim_text *t, char *buf, size_t size)
{
    t->buf = buf;
    t->size = size;
    t->wanted = 0;
    if (size > 0)
        buf[0] = '\0';
}

static void put(struct uim_text *t, char c)
{
    if (t->wanted + 1 < t->size) {
        t->buf[t->wanted] = c;
        t->buf[t->wanted + 1] = '\0';
    }
    t->wanted++;
}

static void put_string(struct uim_text *t, const char *s)
{
    if (!s)
        s = "(null)";
    while (*s != '\0')
        put(t, *s++);
}

/* value / 10 by shifts and 32-bit steps: some targets have no 64-bit division
 * without a library. */
static uint64_t div10(uint64_t value, unsigned *rest)
{
    uint64_t quotient = 0;
    uint32_t carry = 0;

    for (int i = 3; i >= 0; i--) {
        uint32_t part = carry << 16 | (uint32_t)(value >> (16 * i) & 0xffff);

        quotient = quotient << 16 | part / 10;
        carry = part % 10;
    }
    *rest = carry;
    return quotient;
}

static void put_number(struct uim_text *t, uint64_t value, bool hex,
                       unsigned width, char pad)
{
    char digits[20];
    unsigned n = 0;
    unsigned digit;

    do {
        if (hex) {
            digit = value & 15;
            value >>= 4;
        } else {
            value = div10(value, &digit);
        }
        digits[n++] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
    } while (value != 0);
    for (unsigned i = n; i < width; i++)
        put(t, pad);
    while (n > 0)
        put(t, digits[--n]);
}

struct spec {
    unsigned width;
    char pad;
    bool wide;
};

static const char *parse_spec(const char *f, struct spec *s)
{
    s->pad = ' ';
    s->width = 0;
    s->wide = false;
    if (*f == '0') {
        s->pad = '0';
        f++;
    }
    while (*f >= '0' && *f <= '9')
        s->width = s->width * 10 + (unsigned)(*f++ - '0');
    if (*f == 'l') {
        s->wide = true;
        f++;
    }
    return f;
}

void uim_text_fv(struct uim_text *t, const char *f, va_list args)
{
    struct spec s;

    for (; *f != '\0'; f++) {
        if (*f != '%') {
            put(t, *f);
            continue;
        }
        f = parse_spec(f + 1, &s);
        if (*f == 's')
            put_string(t, va_arg(args, const char *));
        else if (*f == 'c')
            put(t, (char)va_arg(args, int));
        else if (*f == 'u' || *f == 'x')
            put_number(t,
                       s.wide ? va_arg(args, uint64_t) : va_arg(args, unsigned),
                       *f == 'x', s.width, s.pad);
        else if (*f == '\0')
            return;
        else
            put(t, *f);
    }
}

void uim_text_f(struct uim_text *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    uim_text_fv(t, format, args);
    va_end(args);
}
