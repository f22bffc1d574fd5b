/* SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

int fuzz_lie = FUZZ_HONEST;

void fuzz_check(bool good, int rule)
{
    if (good)
        return;
    fprintf(stderr, "broken: %s\n", fuzz_rules[rule]);
    abort();
}

uint64_t fuzz_take(struct fuzz_input *in, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes && in->left > 0; i++) {
        v |= (uint64_t)*in->data++ << 8 * i;
        in->left--;
    }
    return v;
}
