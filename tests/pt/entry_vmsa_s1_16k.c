/* SPDX-License-Identifier: MIT */
#include "entry.h"

#define FMT_NAME  "vmsa_s1_16k"
#define FMT_SHIFT 14
#define FMT_DS    0

#include "pt/fmt_vmsa_s1.h"

const struct entry_format entry_vmsa_s1_16k = ENTRY_FORMAT;
