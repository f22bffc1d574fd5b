/* SPDX-License-Identifier: MIT */
/*
 * litmus_test.c - the scheduler itself: what store buffers can do, and cannot.
 */
#include "tests/interleave/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/store.h"
#include "tests/hook/hook.h"

static uim_word x, y;
static uint64_t seen[2];
static bool fences;
static struct uiommu_host host;
static char lock_a, lock_b;

/* ---- a host of nothing but locks ----------------------------------------- */

static void no_lock(void *ctx, void *lock)
{
    (void)ctx, (void)lock;
}

static void no_relax(void *ctx)
{
    (void)ctx;
}

static void open_host(void)
{
    host = (struct uiommu_host){ .spin_lock = no_lock,
                                 .spin_unlock = no_lock,
                                 .mutex_lock = no_lock,
                                 .mutex_unlock = no_lock,
                                 .relax = no_relax };
    sched_host(&host);
}

static int close_host(void **state)
{
    (void)state;
    sched_host(NULL);
    return 0;
}

/* ---- all schedules with up to two switches ------------------------------- */

typedef bool (*outcome_fn)(void);

static struct sched_result run(const struct sched_plan *plan,
                               void (*const cpu[])(void *ctx))
{
    uim_hook_memory(NULL);
    uim_st64(&x, 0);
    uim_st64(&y, 0);
    open_host(); /* nobody has a lock */
    return sched_run(plan, cpu, 2, NULL);
}

static bool shows(const struct sched_plan *plan, void (*const cpu[])(void *ctx),
                  outcome_fn outcome)
{
    return !run(plan, cpu).wrong && outcome();
}

/* Whether some schedule has that outcome. */
static bool possible(void (*const cpu[])(void *ctx), outcome_fn outcome)
{
    struct sched_plan plan = { .n = 2 };

    for (unsigned i = 0; i < 2 * SCHED_STORES; i++) {
        plan.stores = (enum sched_stores)(i / 2);
        plan.first = i % 2;
        for (unsigned a = 1; a < 8; a++)
            for (unsigned b = a + 1; b < 9; b++) {
                plan.change[0] = (struct sched_switch){ a, 0 };
                plan.change[1] = (struct sched_switch){ b, 0 };
                if (shows(&plan, cpu, outcome))
                    return true;
            }
    }
    return false;
}

static bool hooked(const char *test)
{
    if (!uim_store_hooked())
        printf("NA: %s: stores cannot be seen here\n", test);
    return uim_store_hooked();
}

/* ---- store buffering ----------------------------------------------------- */

static void sb(uim_word *mine, uim_word *other, unsigned i)
{
    uim_st64(mine, 1);
    if (fences)
        uim_fence_full();
    seen[i] = uim_ld64(other);
}

static void sb0(void *ctx)
{
    (void)ctx;
    sb(&x, &y, 0);
}

static void sb1(void *ctx)
{
    (void)ctx;
    sb(&y, &x, 1);
}

static bool neither_seen(void)
{
    return seen[0] == 0 && seen[1] == 0;
}

static void store_buffering(void **state)
{
    void (*const cpu[])(void *) = { sb0, sb1 };

    (void)state;
    if (!hooked(__func__))
        return;
    fences = false;
    assert_true(possible(cpu, neither_seen));
    fences = true;
    assert_false(possible(cpu, neither_seen));
}

/* ---- message passing ----------------------------------------------------- */

static void mp0(void *ctx)
{
    (void)ctx;
    uim_st64(&x, 1);
    if (fences)
        uim_fence_release();
    uim_st64(&y, 1);
}

static void mp1(void *ctx)
{
    (void)ctx;
    seen[0] = uim_ld64(&y);
    seen[1] = uim_ld64(&x);
}

static bool message_without_contents(void)
{
    return seen[0] == 1 && seen[1] == 0;
}

static void message_passing(void **state)
{
    void (*const cpu[])(void *) = { mp0, mp1 };

    (void)state;
    if (!hooked(__func__))
        return;
    fences = false;
    assert_true(possible(cpu, message_without_contents));
    fences = true;
    assert_false(possible(cpu, message_without_contents));
}

/* ---- one's own stores ---------------------------------------------------- */

static void own(void *ctx)
{
    (void)ctx;
    uim_st64(&x, 1);
    uim_st64(&x, 2);
    seen[0] = uim_ld64(&x);
}

static void nothing(void *ctx)
{
    (void)ctx;
}

static bool own_store_missed(void)
{
    return seen[0] != 2 || uim_ld64(&x) != 2;
}

static void own_stores_are_seen_in_order(void **state)
{
    void (*const cpu[])(void *) = { own, nothing };

    (void)state;
    if (hooked(__func__))
        assert_false(possible(cpu, own_store_missed));
}

/* ---- locks --------------------------------------------------------------- */

static void take_both(char *first, char *second)
{
    host.spin_lock(host.ctx, first);
    host.spin_lock(host.ctx, second);
    host.spin_unlock(host.ctx, second);
    host.spin_unlock(host.ctx, first);
}

static void ab(void *ctx)
{
    (void)ctx;
    take_both(&lock_a, &lock_b);
}

static void ba(void *ctx)
{
    (void)ctx;
    take_both(&lock_b, &lock_a);
}

static void add_one(void *ctx)
{
    (void)ctx;
    host.spin_lock(host.ctx, &lock_a);
    uim_st64(&x, uim_ld64(&x) + 1);
    host.spin_unlock(host.ctx, &lock_a);
}

static bool lost_one(void)
{
    return uim_ld64(&x) != 2;
}

static void locks_exclude_and_publish(void **state)
{
    void (*const cpu[])(void *) = { add_one, add_one };

    (void)state;
    if (hooked(__func__))
        assert_false(possible(cpu, lost_one));
}

/* The last test: it leaves its threads behind. */
static void a_deadlock_is_noticed(void **state)
{
    void (*const cpu[])(void *) = { ab, ba };
    struct sched_plan plan = { .n = 1 };
    struct sched_result r = { .wrong = NULL };

    (void)state;
    if (!hooked(__func__))
        return;
    for (unsigned at = 1; at < 8 && !r.wrong; at++) {
        plan.change[0] = (struct sched_switch){ at, 0 };
        r = run(&plan, cpu);
    }
    assert_non_null(r.wrong);
    assert_non_null(strstr(r.wrong, "deadlock"));
}

static void plans_can_be_printed_and_read(void **state)
{
    const struct sched_plan plan = { .stores = SCHED_NEWEST,
                                     .first = 1,
                                     .n = 2,
                                     .change = { { 17, 0 }, { 40, 1 } } };
    struct sched_plan again;
    char text[64];

    (void)state;
    sched_print(&plan, text, sizeof(text));
    assert_string_equal(text, "2.1,17.0,40.1");
    assert_true(sched_parse(text, &again));
    assert_memory_equal(&again.change, &plan.change, sizeof(plan.change));
    assert_int_equal(again.n, 2);
    assert_int_equal(again.stores, SCHED_NEWEST);
    assert_false(sched_parse("7.0", &again));
    assert_false(sched_parse("1.0,4", &again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_buffering),
        cmocka_unit_test(message_passing),
        cmocka_unit_test(own_stores_are_seen_in_order),
        cmocka_unit_test(locks_exclude_and_publish),
        cmocka_unit_test(plans_can_be_printed_and_read),
        cmocka_unit_test(a_deadlock_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, close_host);
}
