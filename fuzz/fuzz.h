/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the targets share. Each target is one .c file: libFuzzer calls
 * its LLVMFuzzerTestOneInput(), or replay.c does with the files of a corpus.
 *
 * A target lists its rules: X(name) each. To show that a rule can fail, replay.c
 * asks the target to lie about what it saw (fuzz_lies()), in a process of its own,
 * which has to abort because of that rule.
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

#define FUZZ_RULE_ENUM(name) RULE_##name,
#define FUZZ_RULE_NAME(name) #name,
#define FUZZ_RULES(LIST)                                                       \
    enum { LIST(FUZZ_RULE_ENUM) N_RULES };                                     \
    const char *const fuzz_rules[] = { LIST(FUZZ_RULE_NAME) NULL }

extern const char *const fuzz_rules[]; /* ends with NULL */

enum { FUZZ_HONEST = -1 };
extern int fuzz_lie; /* the rule to break, or FUZZ_HONEST */

static inline bool fuzz_lies(int rule)
{
    return fuzz_lie == rule;
}

/* If not good, libFuzzer, and the shell, see an abort. */
void fuzz_check(bool good, int rule);

/* The input, eaten from the front; zeros follow its end. */
struct fuzz_input {
    const uint8_t *data;
    size_t left;
};

uint64_t fuzz_take(struct fuzz_input *in, unsigned bytes);

#endif
