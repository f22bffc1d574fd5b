/* SPDX-License-Identifier: MIT */
#include "entry.h"

#include "pt/fmt_vtd_fs.h"

const struct entry_format entry_vtd_fs = ENTRY_FORMAT;
