/* SPDX-License-Identifier: MIT */
/*
 * bits.h - one line per hardware field.
 *
 * A layout is a list macro L(F, P) that says F(P, name, high, low) once per
 * field, in the order and with the names of the specification. UIM_LAYOUT(P, L)
 * turns it into
 *
 *     struct P                     one 64-bit word; not convertible to another
 *     uint64_t P_name(struct P)    read a field
 *     struct P P_set_name(w, v)    copy of w with the field replaced
 *     struct P P_pack(&fields)     build a word from designated initializers
 *     P_DEFINED                    mask of all fields: the rest is reserved
 *
 * and refuses to compile if two fields overlap. A structure of several 64-bit
 * words has one layout per word: P_lo and P_hi for two, P_q0, P_q1, ... for more.
 * Works in any C11 compiler: no bit-fields, no 64-bit enumerators.
 */
#ifndef UIM_BASE_BITS_H
#define UIM_BASE_BITS_H

#include <stddef.h>
#include <stdint.h>

#define UIM_MASK(hi, lo)                                                       \
    ((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))
#define UIM_BIT(n) (UINT64_C(1) << (n))

struct uim_field {
    const char *name;
    uint8_t high, low;
};

/* A layout as data, for decoders, dumps and the comparison with tests/spec. */
struct uim_layout {
    const char *name; /* of the structure, without _lo, _hi, _qN */
    uint8_t word;     /* index of the 64-bit word in it          */
    const struct uim_field *fields; /* ends with a NULL name     */
};

#define UIM_F_GET(P, n, hi, lo)                                                \
    static inline uint64_t P##_##n(struct P w)                                 \
    {                                                                          \
        return (w.raw & UIM_MASK(hi, lo)) >> (lo);                             \
    }
#define UIM_F_SET(P, n, hi, lo)                                                \
    static inline struct P P##_set_##n(struct P w, uint64_t v)                 \
    {                                                                          \
        return (struct P){ (w.raw & ~UIM_MASK(hi, lo)) |                       \
                           ((v << (lo)) & UIM_MASK(hi, lo)) };                 \
    }
#define UIM_F_MEMBER(P, n, hi, lo) uint64_t n;
#define UIM_F_PACK(P, n, hi, lo)   | ((f->n << (lo)) & UIM_MASK(hi, lo))
#define UIM_F_OR(P, n, hi, lo)     | UIM_MASK(hi, lo)
#define UIM_F_SUM(P, n, hi, lo)    +UIM_MASK(hi, lo)
#define UIM_F_ROW(P, n, hi, lo)    { #n, (hi), (lo) },

#define UIM_LAYOUT(P, L)                                                       \
    struct P {                                                                 \
        uint64_t raw;                                                          \
    };                                                                         \
    struct P##_fields {                                                        \
        L(UIM_F_MEMBER, P)                                                     \
    };                                                                         \
    L(UIM_F_GET, P)                                                            \
    L(UIM_F_SET, P)                                                            \
    static inline struct P P##_pack(const struct P##_fields *f)                \
    {                                                                          \
        return (struct P){ UINT64_C(0) L(UIM_F_PACK, P) };                     \
    }                                                                          \
    static const uint64_t P##_DEFINED = UINT64_C(0) L(UIM_F_OR, P);            \
    _Static_assert((UINT64_C(0) L(UIM_F_OR, P)) ==                             \
                       (UINT64_C(0) L(UIM_F_SUM, P)),                          \
                   #P ": fields overlap")

/* The rows behind a layout, for one entry of a `struct uim_layout` array. */
/* clang-format off */
#define UIM_LAYOUT_ROWS(P, L) { L(UIM_F_ROW, P) { NULL, 0, 0 } }
/* clang-format on */

/*
 * Byte tables (firmware): L(B, P) says B(P, name, offset, size) per field.
 * UIM_BYTES(P, L) gives P_name(const uint8_t *) for fields of 1, 2, 4 or 8
 * bytes, little-endian at any alignment, and P_name_OFFSET for every field.
 * Size 0 marks where a part of variable length starts.
 */
struct uim_byte_field {
    const char *name;
    uint16_t offset, size;
};

struct uim_byte_layout {
    const char *name;
    const struct uim_byte_field *fields; /* ends with a NULL name */
};

static inline uint64_t uim_le_bytes(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;

    while (size > 0) {
        size--;
        v = v << 8 | p[size];
    }
    return v;
}

#define UIM_B_GET(P, n, off, sz)                                               \
    enum { P##_##n##_OFFSET = (off) };                                         \
    static inline uint64_t P##_##n(const uint8_t *p)                           \
    {                                                                          \
        return uim_le_bytes(p + (off), (sz) > 8 ? 8 : (sz));                   \
    }
#define UIM_B_ROW(P, n, off, sz) { #n, (off), (sz) },

/* clang-format off */
#define UIM_BYTES(P, L)         L(UIM_B_GET, P) _Static_assert(1, #P)
#define UIM_BYTES_ROWS(P, L)    { L(UIM_B_ROW, P) { NULL, 0, 0 } }
/* clang-format on */

/* Arithmetic that every layer needs. Powers of two only. */
static inline uint64_t uim_align_down(uint64_t v, uint64_t size)
{
    return v & ~(size - 1);
}

static inline uint64_t uim_align_up(uint64_t v, uint64_t size)
{
    return (v + size - 1) & ~(size - 1);
}

static inline int uim_is_aligned(uint64_t v, uint64_t size)
{
    return (v & (size - 1)) == 0;
}

/* Index of the highest bit set, of the lowest bit set; v is not 0. Compilers have
 * them built in, but call libgcc where the processor has no instruction. */
#if defined(__x86_64__) || defined(__aarch64__)
static inline unsigned uim_log2(uint64_t v)
{
    return 63u - (unsigned)__builtin_clzll(v);
}

static inline unsigned uim_ctz(uint64_t v)
{
    return (unsigned)__builtin_ctzll(v);
}
#else
static inline unsigned uim_log2(uint64_t v)
{
    unsigned n = 0;

    for (unsigned step = 32; step > 0; step /= 2) {
        if (v >> step != 0) {
            v >>= step;
            n += step;
        }
    }
    return n;
}

static inline unsigned uim_ctz(uint64_t v)
{
    return uim_log2(v & (~v + 1));
}
#endif

#endif
