/* SPDX-License-Identifier: MIT */
#include "model/say.h"

#include "base/text.h"

void uim_say(const struct uim_model_host *host, int level, const char *format,
             ...)
{
    char line[240];
    struct uim_text text;
    va_list args;

    uim_text_init(&text, line, sizeof(line));
    va_start(args, format);
    uim_text_fv(&text, format, args);
    va_end(args);
    host->log(host->ctx, level, line);
}
