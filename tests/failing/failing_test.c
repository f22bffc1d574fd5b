/* SPDX-License-Identifier: MIT */
/*
 * failing_test.c - the checker of failed calls can fail: it notices each kind of
 * trace that a call may leave, and that its list of calls is complete.
 */
#include "tests/failing/failing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rig/rig.h"

#define BASE UINT64_C(0x80000000)

/* What a careless call did, and what the sentence about it begins with. */
static void assert_noticed(struct rig *rig, void (*leave)(struct rig *rig),
                           void (*clean)(struct rig *rig), const char *says)
{
    const struct rig_state before = rig_state(rig);
    struct rig_state after;
    const char *what;

    after = rig_state(rig);
    assert_null(rig_difference(&before, &after));
    leave(rig);
    after = rig_state(rig);
    what = rig_difference(&before, &after);
    assert_non_null(what);
    if (strncmp(what, says, strlen(says)) != 0)
        fail_msg("says \"%s\"", what);
    clean(rig);
    after = rig_state(rig);
    assert_null(rig_difference(&before, &after));
}

static struct {
    void *bytes, *pages, *spin;
    uint64_t phys, word;
} left;

static void leave_bytes(struct rig *rig)
{
    left.bytes = rig->m->host.alloc(rig->m->host.ctx, 1);
}

static void clean_bytes(struct rig *rig)
{
    rig->m->host.free(rig->m->host.ctx, left.bytes, 1);
}

static void leave_page(struct rig *rig)
{
    left.pages = rig->m->host.pages_alloc(rig->m->host.ctx, 0, 0, &left.phys);
}

static void clean_page(struct rig *rig)
{
    rig->m->host.pages_free(rig->m->host.ctx, left.pages, left.phys, 0);
}

static void leave_lock(struct rig *rig)
{
    left.spin = rig->m->host.spin_create(rig->m->host.ctx);
}

static void clean_lock(struct rig *rig)
{
    rig->m->host.spin_destroy(rig->m->host.ctx, left.spin);
}

static void traces_are_noticed(struct rig *rig)
{
    assert_noticed(rig, leave_bytes, clean_bytes, "allocs: ");
    assert_noticed(rig, leave_page, clean_page, "page_blocks: ");
    assert_noticed(rig, leave_lock, clean_lock, "spins: ");
}

/* A word that leads nowhere, in a page of tables. */
static void a_changed_table_is_noticed(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct uiommu_trace t;
    struct rig_state before, after;
    uint64_t table;

    rig_ok(uiommu_map(d, BASE, rig_pages(rig, 0), RIG_PAGE, RIG_RW));
    rig_ok(uiommu_walk(d, BASE, &t));
    table = t.entry[1] & UINT64_C(0xffffff000);
    before = rig_state(rig);
    rig_poke(rig, table + 8 * 100, 2);
    after = rig_state(rig);
    assert_string_equal(rig_difference(&before, &after),
                        "tables: other contents");
    rig_poke(rig, table + 8 * 100, 0);
    after = rig_state(rig);
    assert_null(rig_difference(&before, &after));
    rig_drop(rig, 0, d);
}

static void another_answer_is_noticed(struct rig *rig)
{
    struct uiommu_domain *d = rig_attached(rig, 0);
    struct rig_state before = rig_state(rig), after;
    const char *what;

    rig_ok(uiommu_map(d, BASE, rig_pages(rig, 0), RIG_PAGE, RIG_RW));
    after = rig_state(rig);
    after.counts = before.counts;
    what = rig_difference(&before, &after);
    assert_non_null(what);
    assert_non_null(strstr(what, "at 0x80000000: reaches"));
    rig_drop(rig, 0, d);
}

static void a_changed_register_is_noticed(struct rig *rig)
{
    struct rig_state before = rig_state(rig), after = before;
    char which[24];
    const char *what;

    after.reg[0] ^= 1;
    what = rig_difference(&before, &after);
    assert_non_null(what);
    snprintf(which, sizeof(which),
             "register 0x%x:", rig_arch(rig)->reg[0].offset);
    assert_non_null(strstr(what, which));
}

static const struct rig_test tests[] = {
    { .name = "traces_are_noticed", .run = traces_are_noticed },
    RIG_TEST(a_changed_table_is_noticed),
    RIG_TEST(another_answer_is_noticed),
    RIG_TEST(a_changed_register_is_noticed),
    { 0 },
};

int main(void)
{
    return rig_run("failing", tests);
}
