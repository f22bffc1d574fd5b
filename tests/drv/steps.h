/* SPDX-License-Identifier: MIT */
/* What the driver's tests share beside the fake unit itself. */
#ifndef UIM_TESTS_DRV_STEPS_H
#define UIM_TESTS_DRV_STEPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "fake_unit.h"

#define TES (1u << 31)

enum {
    QIES = 1 << 26,
    IRES = 1 << 25,
    SID = 0x0018, /* 00:03.0 */
    OTHER_SID = 0x0020,
    MS = 1000 * 1000,
};

#define FEATURE(field)                                                         \
    vtd_ecap_pack(&(struct vtd_ecap_fields){ .field = 1 }).raw
#define CAPABILITY(field)                                                      \
    vtd_cap_pack(&(struct vtd_cap_fields){ .field = 1 }).raw

static const struct uim_inval everything = { .all = true };

static inline void add_scalable(struct fake *f)
{
    f->ecap |= FEATURE(smts) | FEATURE(ssts) | FEATURE(smpwcs);
}

static inline void add_first_stage(struct fake *f)
{
    f->ecap |= FEATURE(smts) | FEATURE(fsts) | FEATURE(smpwcs);
}

static inline void start(struct fake *f)
{
    assert_int_equal(fake_start(f), UIOMMU_OK);
    fake_forget(f);
}

static inline void remove_domain(struct fake_domain *d)
{
    d->link.unit->ops->unlink(&d->link);
}

#endif
