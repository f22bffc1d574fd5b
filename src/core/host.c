/* SPDX-License-Identifier: MIT */
/*
 * host.c - the embedder's services as the rest of the core uses them.
 */
#include "core/core.h"

#include "base/mem.h"
#include "base/text.h"

enum { SENTENCE = 512 };

const struct uiommu_host *uim_host(const struct uiommu *u)
{
    return &u->host;
}

void *uim_alloc(struct uiommu *u, size_t size)
{
    void *p = u->host.alloc(u->host.ctx, size);

    if (p)
        memset(p, 0, size);
    return p;
}

void uim_free(struct uiommu *u, void *ptr, size_t size)
{
    if (ptr)
        u->host.free(u->host.ctx, ptr, size);
}

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
