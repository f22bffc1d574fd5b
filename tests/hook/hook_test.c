/* SPDX-License-Identifier: MIT */
/*
 * The hooked library has to be hooked, and the other one must not be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/store.h"
#include "tests/hook/hook.h"
#include "tests/rig/rig.h"

struct seen {
    unsigned stores;
    const void *where;
    uint64_t value;
};

static void see(void *ctx, const void *where, uint64_t value)
{
    struct seen *s = ctx;

    s->stores++;
    s->where = where;
    s->value = value;
    assert_int_equal(uim_ld64(where), value);
}

/* A word of this program. */
static void stores_here(struct rig *rig)
{
    struct seen s = { 0 };
    uint64_t expect = 6;
    uim_word word;

    (void)rig;
    uim_store_hook(see, &s);
    uim_st64(&word, 5);
    assert_false(uim_cas64(&word, &expect, 7));
    assert_int_equal(s.stores, uim_store_hooked() ? 1 : 0);
    assert_true(uim_cas64(&word, &expect, 7));
    uim_store_hook(NULL, NULL);
    uim_st64(&word, 9);
    if (uim_store_hooked()) {
        assert_int_equal(s.stores, 2);
        assert_ptr_equal(s.where, &word);
        assert_int_equal(s.value, 7);
    } else {
        assert_int_equal(s.stores, 0);
    }
}

/* Words of the library: page tables. */
static void stores_of_the_library(struct rig *rig)
{
    struct uiommu_domain *domain = rig_domain(rig, 0);
    struct seen s = { 0 };

    uim_store_hook(see, &s);
    rig_ok(uiommu_map(domain, 0x10000, rig_pages(rig, 0), 4096, RIG_RW));
    assert_int_equal(s.stores > 0, uim_store_hooked());
    s.stores = 0;
    rig_ok(uiommu_unmap(domain, 0x10000, 4096, NULL));
    assert_int_equal(s.stores > 0, uim_store_hooked());
    uim_store_hook(NULL, NULL);
    uiommu_domain_put(domain);
}

static const struct rig_test tests[] = {
    RIG_TEST(stores_here),
    RIG_TEST(stores_of_the_library),
    { 0 },
};

int main(void)
{
    return rig_run("hook", tests);
}
