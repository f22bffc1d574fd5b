/* SPDX-License-Identifier: MIT */
/* pt_vmsa_s2_64k.c - the template for the format of fmt_vmsa_s2.h, 64 KiB granules. */
#define FMT_NAME  "vmsa_s2_64k"
#define FMT_OPS   uim_pt_vmsa_s2_64k
#define FMT_SHIFT 16
#define FMT_DS    0

#include "pt/fmt_vmsa_s2.h"
#include "pt/pt_walk.inc"
