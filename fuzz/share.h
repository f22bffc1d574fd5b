/* SPDX-License-Identifier: MIT */
/*
 * share.h - fewer rows where a run takes too long (tests/README.md, UIOMMU_SHARE).
 */
#ifndef UIM_FUZZ_SHARE_H
#define UIM_FUZZ_SHARE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static inline unsigned share(void)
{
    const char *text = getenv("UIOMMU_SHARE");
    char *end = NULL;
    unsigned long n = text ? strtoul(text, &end, 10) : 1;

    if (n == 0 || (end && *end != '\0')) {
        fprintf(stderr, "UIOMMU_SHARE=%s is no number from 1\n", text);
        exit(1);
    }
    return (unsigned)n;
}

/* With UIOMMU_SHARE=n, each test runs in every nth of its places, the next test in the
 * places beside those: so every test runs, and every place is used. */
static inline bool in_share(unsigned test, unsigned place)
{
    return (test + place) % share() == 0;
}

#endif
