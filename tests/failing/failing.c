/* SPDX-License-Identifier: MIT */
#include "tests/failing/failing.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rig/rig.h"

/* Of a call that makes many more host calls than this, only some fail. */
enum { EACH = 24 };

static struct rig *rig; /* NULL: calls are left alone */
static pthread_t thread; /* of the tests; what others call is left alone */
static bool inside;     /* the library calls itself */
static unsigned long calls, failures, pairs;

/* What is made to fail: the nth host call, and the one `then` after it. */
struct turn {
    const char *name;
    bool alone;
    unsigned nth, then;
    unsigned grown; /* how often the unit has got tables                     */
    struct rig_state before;
};

/* More often the tables of no machine here grow. */
enum { GROWS = 3 * 8 };

static bool left_alone(void)
{
    return !rig || inside || !pthread_equal(thread, pthread_self()) ||
           sim_fail_armed(rig->m); /* the test does it itself */
}

static void begin(struct turn *t, const char *name)
{
    t->name = name;
    t->alone = left_alone();
    t->nth = 1;
    t->then = 0;
    t->grown = 0;
    if (t->alone)
        return;
    inside = true;
    calls++;
    t->before = rig_state(rig);
}

static void arm(const struct turn *t)
{
    if (t->alone)
        return;
    sim_fail_nth(rig->m, t->nth);
    if (t->then > 0)
        sim_fail_then(rig->m, t->then);
}

/* Pairs: whoever takes back what it did meets a second failure there. */
static void next(struct turn *t, unsigned failed)
{
    bool in_pairs = strcmp(t->name, "uiommu_set_domain") == 0;

    if (in_pairs && (t->then == 0 || failed > 1)) {
        t->then++;
        return;
    }
    t->then = 0;
    t->nth += 1 + t->nth / EACH;
}

static bool says_so(enum uiommu_status status)
{
    return status == UIOMMU_NOMEM || status == UIOMMU_NOSPC ||
           status == UIOMMU_NODEV;
}

static void give_up(const struct turn *t, const char *what)
{
    inside = false;
    fail_msg("%s: %s: host call %u failed (then %u): %s", rig->name, t->name,
             t->nth, t->then, what);
}

/* Of several endpoints the first has got tables when the second fails, or doorbells have
 * them, and tables stay, as links of a domain do: so they are there the next time. */
static bool may_grow(const struct turn *t)
{
    return t->before.several || strcmp(t->name, "uiommu_device_add") == 0;
}

/* Somebody who saw nothing was on its way and came back: rig_assert_same_seen(). */
static bool same_seen(const struct turn *t, struct rig_state now)
{
    if (!may_grow(t) || (now.arch->does & RIG_EMPTIES))
        return false;
    now.tables = t->before.tables;
    return !rig_difference(&t->before, &now);
}

/* True: the same once more, which must leave nothing then. */
static bool check(struct turn *t, enum uiommu_status status)
{
    struct rig_state now;
    const char *what;

    if (!says_so(status))
        give_up(t, uiommu_status_name(status));
    now = rig_state(rig);
    what = rig_difference(&t->before, &now);
    if (!what || same_seen(t, now))
        return false;
    if (!may_grow(t) || !rig_only_grew(&t->before, &now) || ++t->grown > GROWS)
        give_up(t, what);
    t->before = now;
    return true;
}

/* True: nothing failed, so this is what the test gets to see. */
static bool complete(struct turn *t, enum uiommu_status status)
{
    unsigned failed;

    if (t->alone)
        return true;
    failed = sim_failed(rig->m);
    sim_fail_nth(rig->m, 0);
    if (failed == 0) {
        inside = false;
        return true;
    }
    failures++;
    pairs += failed > 1;
    if (!check(t, status))
        next(t, failed);
    return false;
}

#define WRAP(name, params, args)                                               \
    enum uiommu_status __real_##name params;                                   \
    enum uiommu_status __wrap_##name params;                                   \
    enum uiommu_status __wrap_##name params                                    \
    {                                                                          \
        enum uiommu_status status;                                             \
        struct turn t;                                                         \
                                                                               \
        begin(&t, #name);                                                      \
        do {                                                                   \
            arm(&t);                                                           \
            status = __real_##name args;                                       \
        } while (!complete(&t, status));                                       \
        return status;                                                         \
    }
FAILING_CALLS(WRAP)

/* ---- programs ------------------------------------------------------------ */

static void about(struct rig *next_rig)
{
    rig = next_rig;
    inside = false;
    if (rig) /* without an interrupt the host polls, and start succeeds */
        sim_fail_spare_msi(rig->m);
}

static void say(void)
{
    printf("# %lu calls failed %lu times first, %lu of these twice\n", calls,
           failures, pairs);
}

/* Linked into a program, this is all it takes. */
__attribute__((constructor)) static void start(void)
{
    thread = pthread_self();
    rig_failing = about;
    atexit(say);
}
