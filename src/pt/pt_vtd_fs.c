/* SPDX-License-Identifier: MIT */
/* pt_vtd_fs.c - the template for the format of fmt_vtd_fs.h. */
#include "pt/fmt_vtd_fs.h"
#include "pt/pt_walk.inc"
