/* SPDX-License-Identifier: MIT */
/*
 * args.h - "key=value,..." of create().
 *
 * A model lists its keys; what is not in the list, and every value that does not
 * fit, is refused in one log sentence that names it.
 */
#ifndef UIM_MODEL_ARGS_H
#define UIM_MODEL_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/host.h"

struct uim_arg {
    const char *key;
    uint64_t *value;          /* holds the default                           */
    uint64_t max;             /* largest number it takes                     */
    uint64_t *second;         /* "A:B" if set; B is at most second_max       */
    uint64_t second_max;
    const char *const *words; /* one of these, by index, instead of a number;
                               * ends with NULL                              */
};

/* What every model knows; see embed.h. */
struct uim_common_args {
    uint64_t base, ioapic_id, ioapic_rid, irq, rid;
};

#define UIM_COMMON_ARGS_DEFAULT                                                \
    {                                                                          \
        .ioapic_rid = 0xff00                                                   \
    }
#define UIM_COMMON_ARGS(c)                                                     \
    { .key = "base", .value = &(c)->base, .max = UINT64_MAX },                 \
        { .key = "ioapic",                                                     \
          .value = &(c)->ioapic_id,                                            \
          .max = 0xff,                                                         \
          .second = &(c)->ioapic_rid,                                          \
          .second_max = 0xffff },                                              \
        { .key = "irq", .value = &(c)->irq, .max = UINT32_MAX },               \
    {                                                                          \
        .key = "rid", .value = &(c)->rid, .max = UINT32_MAX                    \
    }

/* `table` ends with a NULL key; `args` may be NULL. */
bool uim_args_parse(const struct uim_model_host *host, const char *model,
                    const char *args, const struct uim_arg *table);

#endif
