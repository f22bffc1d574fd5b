/* SPDX-License-Identifier: MIT */
/* pt_vmsa_s1_16k.c - the template for the format of fmt_vmsa_s1.h, 16 KiB granules. */
#define FMT_NAME  "vmsa_s1_16k"
#define FMT_OPS   uim_pt_vmsa_s1_16k
#define FMT_SHIFT 14
#define FMT_DS    0

#include "pt/fmt_vmsa_s1.h"
#include "pt/pt_walk.inc"
