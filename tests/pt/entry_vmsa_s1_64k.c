/* SPDX-License-Identifier: MIT */
#include "entry.h"

#define FMT_NAME  "vmsa_s1_64k"
#define FMT_SHIFT 16
#define FMT_DS    0

#include "pt/fmt_vmsa_s1.h"

const struct entry_format entry_vmsa_s1_64k = ENTRY_FORMAT;
