/* SPDX-License-Identifier: MIT */
#include "entry.h"

#include "pt/fmt_vtd_ss.h"

const struct entry_format entry_vtd_ss = ENTRY_FORMAT;
