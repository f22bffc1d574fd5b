/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the targets share. Each target is one .c file: libFuzzer calls
 * its LLVMFuzzerTestOneInput(), or replay.c does with the files of a corpus.
 */
#ifndef UIM_FUZZ_FUZZ_H
#define UIM_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Set by replay.c to show that a target can fail: each then breaks its own rule
 * at the first occasion. */
extern bool fuzz_canary;

/* A rule was broken: libFuzzer, and the shell, see an abort. */
static inline void fuzz_check(bool good, const char *rule)
{
    if (good)
        return;
    fprintf(stderr, "broken: %s\n", rule);
    abort();
}

/* The input, eaten from the front; zeros follow its end. */
struct fuzz_input {
    const uint8_t *data;
    size_t left;
};

static inline uint64_t fuzz_take(struct fuzz_input *in, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes && in->left > 0; i++) {
        v |= (uint64_t)*in->data++ << 8 * i;
        in->left--;
    }
    return v;
}

#endif
