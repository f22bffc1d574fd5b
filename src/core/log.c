/* SPDX-License-Identifier: MIT */
#include "core/core.h"

#include "base/text.h"

enum { SENTENCE = 320 };

void uim_log(struct uiommu *u, enum uiommu_log_level level, const char *format,
             ...)
{
    char buf[SENTENCE];
    struct uim_text t;
    va_list args;

    if (!u->host.log)
        return;
    uim_text_init(&t, buf, sizeof(buf));
    va_start(args, format);
    uim_text_fv(&t, format, args);
    va_end(args);
    u->host.log(u->host.ctx, level, buf);
}
