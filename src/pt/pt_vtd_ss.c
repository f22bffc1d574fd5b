/* SPDX-License-Identifier: MIT */
/* pt_vtd_ss.c - the template for the format of fmt_vtd_ss.h. */
#include "pt/fmt_vtd_ss.h"
#include "pt/pt_walk.inc"
