/* SPDX-License-Identifier: MIT */
/* plan_line.h - pieces of a line, for those who read dumps. */
#ifndef TOOLS_PLAN_LINE_H
#define TOOLS_PLAN_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include <uiommu/types.h>

/* What is left of one line, without its end. */
struct plan_line {
    const char *p;
    size_t left;
};

/* The line at *text, which goes on behind it; false: none is left. */
bool plan_line_next(const char **text, size_t *size, struct plan_line *l);

/* All of these go on behind what they read, or read nothing and say false. */

bool plan_skip(struct plan_line *l, const char *literal);
/* Wherever it is on the line. */
bool plan_seek(struct plan_line *l, const char *literal);
/* Between `least` and 8 digits, and no digit behind them. */
bool plan_number(struct plan_line *l, unsigned base, unsigned least,
                 unsigned *out);
/* Exactly so many hexadecimal digits. */
bool plan_digits(struct plan_line *l, unsigned n, unsigned *out);
/* "0000:00:1f.3", the segment of 4 to 8 digits or not there. */
bool plan_address_read(struct plan_line *l, unsigned *segment,
                       struct uiommu_pci *at);

bool plan_is_blank(char c);
void plan_skip_blanks(struct plan_line *l);
/* 99: none. */
unsigned plan_digit(char c);

#endif
