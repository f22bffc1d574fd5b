/* SPDX-License-Identifier: MIT */
/* pt_vmsa_s2_4k.c - the template for the format of fmt_vmsa_s2.h, 4 KiB granules. */
#define FMT_NAME  "vmsa_s2_4k"
#define FMT_OPS   uim_pt_vmsa_s2_4k
#define FMT_SHIFT 12
#define FMT_DS    0

#include "pt/fmt_vmsa_s2.h"
#include "pt/pt_walk.inc"
