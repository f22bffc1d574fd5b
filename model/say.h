/* SPDX-License-Identifier: MIT */
/* say.h - one sentence into the host's log; formats of base/text.h. */
#ifndef UIM_MODEL_SAY_H
#define UIM_MODEL_SAY_H

#include "model/host.h"

void uim_say(const struct uim_model_host *host, int level, const char *format,
             ...);

#endif
