/* SPDX-License-Identifier: MIT */
/*
 * codes.h - the numbers a manual gives names to.
 *
 * A code set is a list macro L(X, P) that says X(P, NAME, value) once per code.
 * UIM_CODES(E, P, L) makes `enum E` of it, with members P_NAME. The same list
 * as rows serves dumps and the comparison with tests/spec.
 *
 * Register offsets are code sets too, with the width in bits: X(NAME, offset,
 * width).
 */
#ifndef UIM_SPEC_CODES_H
#define UIM_SPEC_CODES_H

#include <stddef.h>
#include <stdint.h>

struct uim_code {
    const char *name;
    uint32_t value;
};

struct uim_code_set {
    const char *name;
    const struct uim_code *codes; /* ends with a NULL name */
};

struct uim_register {
    const char *name;
    uint32_t offset;
    uint16_t width; /* bits */
};

/* clang-format off */

#define UIM_CODE_ENUM(P, n, v) P##_##n = (v),
#define UIM_CODE_ROW(P, n, v)  { #n, (v) },

#define UIM_CODES(E, P, L)     enum E { L(UIM_CODE_ENUM, P) }
#define UIM_CODE_ROWS(P, L)    { L(UIM_CODE_ROW, P) { NULL, 0 } }

#define UIM_REGISTER_ROW(n, off, bits) { #n, (off), (bits) },

/* clang-format on */
#endif
