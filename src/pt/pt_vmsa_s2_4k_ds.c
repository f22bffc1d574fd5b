/* SPDX-License-Identifier: MIT */
/*
 * pt_vmsa_s2_4k_ds.c - the template for the format of fmt_vmsa_s2.h, 4 KiB granules,
 * 52 bits.
 */
#define FMT_NAME  "vmsa_s2_4k_ds"
#define FMT_OPS   uim_pt_vmsa_s2_4k_ds
#define FMT_SHIFT 12
#define FMT_DS    1

#include "pt/fmt_vmsa_s2.h"
#include "pt/pt_walk.inc"
