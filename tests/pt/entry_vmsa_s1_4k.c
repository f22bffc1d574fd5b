/* SPDX-License-Identifier: MIT */
#include "entry.h"

#define FMT_NAME  "vmsa_s1_4k"
#define FMT_SHIFT 12
#define FMT_DS    0

#include "pt/fmt_vmsa_s1.h"

const struct entry_format entry_vmsa_s1_4k = ENTRY_FORMAT;
