/* SPDX-License-Identifier: MIT */
/*
 * text.h - sentences into a fixed buffer, without libc.
 *
 * What does not fit is cut; the text is always NUL-terminated if size > 0, and
 * `wanted` counts what it would have taken.
 */
#ifndef UIM_BASE_TEXT_H
#define UIM_BASE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct uim_text {
    char *buf;
    size_t size;
    size_t wanted; /* characters so far, without the NUL */
};

void uim_text_init(struct uim_text *t, char *buf, size_t size);

/*
 * Appends. Understands %s, %c, %%, %u and %x (unsigned int), %lu and %lx
 * (uint64_t, whatever `long` is), each with an optional width: %02x, %4u. `0`
 * pads with zeros, otherwise spaces.
 */
void uim_text_f(struct uim_text *t, const char *format, ...);
void uim_text_fv(struct uim_text *t, const char *format, va_list args);

#endif
