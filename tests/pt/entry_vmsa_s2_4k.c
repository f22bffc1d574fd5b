/* SPDX-License-Identifier: MIT */
#include "entry.h"

#define FMT_NAME  "vmsa_s2_4k"
#define FMT_SHIFT 12
#define FMT_DS    0

#include "pt/fmt_vmsa_s2.h"

const struct entry_format entry_vmsa_s2_4k = ENTRY_FORMAT;
