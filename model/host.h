/* SPDX-License-Identifier: MIT */
/*
 * host.h - what a software IOMMU needs from the program around it.
 *
 * One host, one model: `lock` is the lock of the model that was created with
 * this struct. Members marked U are called without that lock, all others may be
 * called with it and must not call the model. Memory is guest-physical memory,
 * and nothing here is a register, so no member leads back into the model.
 */
#ifndef UIM_MODEL_HOST_H
#define UIM_MODEL_HOST_H

#include <stddef.h>
#include <stdint.h>

struct uim_model_inval;
struct uim_model_map;
struct uim_model_page_response;

enum uim_model_log_level {
    UIM_MODEL_ERROR = 0, /* interface misused, or a stale entry used */
    UIM_MODEL_WARN,      /* the guest broke a rule                   */
    UIM_MODEL_INFO,
    UIM_MODEL_DEBUG
};

struct uim_model_host {
    void *ctx;

    void *(*alloc)(void *ctx, size_t size); /* zeroed; NULL: none left     */
    void (*free)(void *ctx, void *p, size_t size);
    void (*lock)(void *ctx); /* not recursive                              */
    void (*unlock)(void *ctx);

    /* 0, or negative: no such memory. */
    int (*mem_read)(void *ctx, uint64_t gpa, void *buf, uint32_t len);
    int (*mem_write)(void *ctx, uint64_t gpa, const void *buf, uint32_t len);
    /* 4, 8 or 16 aligned bytes, as they lie in memory. 1: exchanged, 0: *expect
     * holds what is there, negative: no such memory, or length.           */
    int (*mem_cas)(void *ctx, uint64_t gpa, void *expect, const void *want,
                   uint32_t len);

    /* Posted: delivered after the call into the model returned. */
    void (*raise_msi)(void *ctx, uint64_t addr, uint32_t data);
    void (*raise_own)(void *ctx, uint32_t vector);
    void (*set_irq)(void *ctx, uint32_t line, int level);
    void (*page_response)(void *ctx, const struct uim_model_page_response *r);

    /* U. On return nobody holds a stale copy. */
    void (*notify)(void *ctx, const struct uim_model_inval *inv);
    void (*notify_map)(void *ctx, const struct uim_model_map *map);

    uint64_t (*now_ns)(void *ctx); /* may be NULL */
    void (*log)(void *ctx, int level, const char *text);
};

#endif
