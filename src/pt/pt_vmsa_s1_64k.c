/* SPDX-License-Identifier: MIT */
/* pt_vmsa_s1_64k.c - the template for the format of fmt_vmsa_s1.h, 64 KiB granules. */
#define FMT_NAME  "vmsa_s1_64k"
#define FMT_OPS   uim_pt_vmsa_s1_64k
#define FMT_SHIFT 16
#define FMT_DS    0

#include "pt/fmt_vmsa_s1.h"
#include "pt/pt_walk.inc"
