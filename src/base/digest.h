/* SPDX-License-Identifier: MIT */
/* FNV-1a of 64 bits, over the bytes of little-endian words. */
#ifndef UIM_BASE_DIGEST_H
#define UIM_BASE_DIGEST_H

#include <stdint.h>

#define UIM_DIGEST_START UINT64_C(0xcbf29ce484222325)

static inline uint64_t uim_digest(uint64_t digest, uint64_t word)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        digest ^= word >> shift & 0xff;
        digest *= UINT64_C(0x100000001b3);
    }
    return digest;
}

#endif
