/* SPDX-License-Identifier: MIT */
#include "entry.h"

#define FMT_NAME  "vmsa_s1_4k_ds"
#define FMT_SHIFT 12
#define FMT_DS    1

#include "pt/fmt_vmsa_s1.h"

const struct entry_format entry_vmsa_s1_4k_ds = ENTRY_FORMAT;
