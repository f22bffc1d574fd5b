/* SPDX-License-Identifier: MIT */
/* say.h - a parser's sentences. */
#ifndef UIM_FW_SAY_H
#define UIM_FW_SAY_H

#include "fw/fw.h"

/* Builds a sentence (base/text.h has the format) and hands it to log, which may
 * be NULL. */
void uim_fw_say(const struct uim_fw_log *log, enum uiommu_log_level level,
                const char *format, ...);

#endif
