/* SPDX-License-Identifier: MIT */
#include "tools/plan_line.h"

#include <string.h>

bool plan_line_next(const char **text, size_t *size, struct plan_line *l)
{
    const char *end = *size ? memchr(*text, '\n', *size) : NULL;
    size_t n = end ? (size_t)(end - *text) : *size;

    if (*size == 0)
        return false;
    *l = (struct plan_line){ *text, n };
    if (n > 0 && (*text)[n - 1] == '\r')
        l->left--;
    *text += n + !!end;
    *size -= n + !!end;
    return true;
}

bool plan_skip(struct plan_line *l, const char *literal)
{
    size_t n = strlen(literal);

    if (l->left < n || memcmp(l->p, literal, n) != 0)
        return false;
    l->p += n;
    l->left -= n;
    return true;
}

bool plan_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

void plan_skip_blanks(struct plan_line *l)
{
    while (l->left > 0 && plan_is_blank(*l->p))
        l->p++, l->left--;
}

unsigned plan_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A' + 10);
    return 99;
}

bool plan_number(struct plan_line *l, unsigned base, unsigned least,
                 unsigned *out)
{
    unsigned n = 0, value = 0;

    while (n < l->left && n < 8 && plan_digit(l->p[n]) < base)
        value = value * base + plan_digit(l->p[n++]);
    if (n < least || (n < l->left && plan_digit(l->p[n]) < base))
        return false;
    l->p += n;
    l->left -= n;
    *out = value;
    return true;
}

bool plan_digits(struct plan_line *l, unsigned n, unsigned *out)
{
    unsigned value = 0;

    if (l->left < n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (plan_digit(l->p[i]) > 15)
            return false;
        value = value << 4 | plan_digit(l->p[i]);
    }
    l->p += n;
    l->left -= n;
    *out = value;
    return true;
}

bool plan_seek(struct plan_line *l, const char *literal)
{
    for (struct plan_line at = *l; at.left > 0; at.p++, at.left--) {
        struct plan_line behind = at;

        if (plan_skip(&behind, literal)) {
            *l = behind;
            return true;
        }
    }
    return false;
}

bool plan_address_read(struct plan_line *l, unsigned *segment,
                       struct uiommu_pci *at)
{
    struct plan_line copy = *l;
    unsigned bus, device, function;

    *segment = 0;
    if (!plan_number(&copy, 16, 4, segment) || !plan_skip(&copy, ":"))
        copy = *l;
    if (!plan_digits(&copy, 2, &bus) || !plan_skip(&copy, ":") ||
        !plan_digits(&copy, 2, &device) || !plan_skip(&copy, ".") ||
        !plan_digits(&copy, 1, &function) || device > 31 || function > 7)
        return false;
    *at = (struct uiommu_pci){ (uint16_t)*segment, (uint8_t)bus,
                               (uint8_t)(device << 3 | function) };
    *l = copy;
    return true;
}
