/* SPDX-License-Identifier: MIT */
/*
 * locks.c - the host's locks, and what must not be done with them: taking two
 * in both orders, sleeping under a spin lock, taking one twice, giving back
 * what another thread holds, destroying what is held or using it afterwards.
 *
 * Order is a relation between locks, not kinds of locks: `after` remembers each
 * pair ever held together, and a new pair must not close a cycle.
 */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HELD = 32 };

struct sim_lock {
    struct sim *sim;
    struct sim_lock *next; /* in sim_locks.all; check */
    bool spin, dead;
    uint32_t serial;
    int id; /* in the order relation; -1: too many locks */
    pthread_mutex_t mutex;
    _Atomic unsigned depth; /* 1 held, more: taken again by its holder */
};

/* What the calling thread holds, in the order in which it was taken; locks of
 * several machines may be mixed. atomic_sim: see sim_atomic(). */
static _Thread_local struct {
    struct sim_lock *lock[MAX_HELD];
    unsigned n;
    struct sim *atomic_sim;
    unsigned atomic_depth;
} held;

static const char *kind_of(const struct sim_lock *l)
{
    return l->spin ? "spin lock" : "mutex";
}

static bool bit_get(const uint64_t *set, int i)
{
    return (set[i / 64] >> (i % 64) & 1) != 0;
}

static void bit_set(uint64_t *set, int i)
{
    set[i / 64] |= UINT64_C(1) << (i % 64);
}

static void bit_clear(uint64_t *set, int i)
{
    set[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* ---- contexts ------------------------------------------------------------ */

/* A spin lock of this machine that the thread holds, or NULL. */
static struct sim_lock *spin_held(const struct sim *s)
{
    for (unsigned i = 0; i < held.n; i++) {
        if (held.lock[i]->spin && held.lock[i]->sim == s) {
            return held.lock[i];
        }
    }
    return NULL;
}

void sim_sleeps(struct sim *s, const char *what)
{
    const struct sim_lock *l = spin_held(s);

    if (l != NULL) {
        sim_report(s, "%s while spin lock %u is held", what, l->serial);
    } else if (held.atomic_sim == s) {
        sim_report(s, "%s in a call that must not sleep", what);
    }
}

void sim_atomic(struct machine *m, bool on)
{
    struct sim *s = sim_of(m);

    if (on) {
        held.atomic_depth = held.atomic_sim == s ? held.atomic_depth + 1 : 1;
        held.atomic_sim = s;
    } else if (held.atomic_sim == s) {
        held.atomic_depth--;
        if (held.atomic_depth == 0) {
            held.atomic_sim = NULL;
        }
    }
}

/* ---- order --------------------------------------------------------------- */

static int id_take(struct sim_locks *k)
{
    for (int i = 0; i < SIM_LOCK_IDS; i++) {
        if (!bit_get(k->used, i)) {
            bit_set(k->used, i);
            return i;
        }
    }
    return -1;
}

static void id_give(struct sim_locks *k, int id)
{
    if (id < 0) {
        return;
    }
    bit_clear(k->used, id);
    memset(k->after[id], 0, sizeof(k->after[id]));
    for (int i = 0; i < SIM_LOCK_IDS; i++) {
        bit_clear(k->after[i], id);
    }
}

/* Whether `to` was ever taken, directly or over others, under `from`. */
static bool reaches(const struct sim_locks *k, int from, int to)
{
    uint64_t seen[SIM_LOCK_IDS / 64] = { 0 };
    int todo[SIM_LOCK_IDS];
    unsigned n = 0;

    todo[n++] = from;
    bit_set(seen, from);
    while (n > 0) {
        int at = todo[--n];

        for (int i = 0; i < SIM_LOCK_IDS; i++) {
            if (!bit_get(k->after[at], i) || bit_get(seen, i)) {
                continue;
            }
            if (i == to) {
                return true;
            }
            bit_set(seen, i);
            todo[n++] = i;
        }
    }
    return false;
}

/* False: the opposite order was seen before. */
static bool order_add(struct sim_locks *k, int outer, int inner)
{
    if (outer < 0 || inner < 0 || bit_get(k->after[outer], inner)) {
        return true;
    }
    if (reaches(k, inner, outer)) {
        return false;
    }
    bit_set(k->after[outer], inner);
    return true;
}

static void check_order(struct sim *s, const struct sim_lock *l)
{
    for (unsigned i = 0; i < held.n; i++) {
        const struct sim_lock *outer = held.lock[i];
        bool good;

        if (outer->sim != s) {
            continue;
        }
        pthread_mutex_lock(&s->locks.lock);
        good = order_add(&s->locks, outer->id, l->id);
        pthread_mutex_unlock(&s->locks.lock);
        if (!good) {
            sim_report(s,
                       "lock order: %s %u taken under %s %u, and earlier "
                       "the other way round",
                       kind_of(l), l->serial, kind_of(outer), outer->serial);
        }
    }
}

/* ---- life ---------------------------------------------------------------- */

static bool order_ready(struct sim_locks *k)
{
    if (k->after == NULL) {
        k->after = calloc(SIM_LOCK_IDS, sizeof(k->after[0]));
    }
    return k->after != NULL;
}

static struct sim_lock *lock_new(struct sim *s, bool spin)
{
    struct sim_lock *l = calloc(1, sizeof(*l));

    if (l == NULL) {
        return NULL;
    }
    l->sim = s;
    l->spin = spin;
    pthread_mutex_init(&l->mutex, NULL);
    pthread_mutex_lock(&s->locks.lock);
    l->id = order_ready(&s->locks) && !s->fast ? id_take(&s->locks) : -1;
    s->locks.serial++;
    l->serial = s->locks.serial;
    l->next = s->locks.all;
    s->locks.all = l;
    pthread_mutex_unlock(&s->locks.lock);
    return l;
}

void *sim_mutex_create(void *ctx)
{
    struct sim *s = ctx;
    struct sim_lock *l;

    sim_sleeps(s, "mutex_create");
    if (sim_inject(s)) {
        return NULL;
    }
    l = lock_new(s, false);
    SIM_COUNT(s, mutexes, l != NULL);
    return l;
}

void *sim_spin_create(void *ctx)
{
    struct sim *s = ctx;
    struct sim_lock *l;

    sim_sleeps(s, "spin_create");
    if (sim_inject(s)) {
        return NULL;
    }
    l = lock_new(s, true);
    SIM_COUNT(s, spins, l != NULL);
    return l;
}

/* False: this is not what the caller says it is; reported. */
static bool is_usable(struct sim *s, const struct sim_lock *l, bool spin,
                      const char *verb)
{
    if (l == NULL) {
        sim_report(s, "%s of a lock that is NULL", verb);
    } else if (l->dead) {
        sim_report(s, "%s of %s %u after it was destroyed", verb, kind_of(l),
                   l->serial);
    } else if (l->spin != spin) {
        sim_report(s, "%s of %s %u as if it were the other kind", verb,
                   kind_of(l), l->serial);
    } else {
        return true;
    }
    return false;
}

static bool lock_destroy(struct sim *s, struct sim_lock *l, bool spin)
{
    sim_sleeps(s, spin ? "spin_destroy" : "mutex_destroy");
    if (!is_usable(s, l, spin, "destroy")) {
        return false;
    }
    if (l->depth > 0) {
        sim_report(s, "destroy of %s %u while it is held", kind_of(l),
                   l->serial);
    }
    pthread_mutex_lock(&s->locks.lock);
    l->dead = true;
    id_give(&s->locks, l->id);
    l->id = -1;
    pthread_mutex_unlock(&s->locks.lock);
    return true;
}

void sim_mutex_destroy(void *ctx, void *lock)
{
    struct sim *s = ctx;

    if (lock_destroy(s, lock, false)) {
        SIM_COUNT(s, mutexes, -1u);
    }
}

void sim_spin_destroy(void *ctx, void *lock)
{
    struct sim *s = ctx;

    if (lock_destroy(s, lock, true)) {
        SIM_COUNT(s, spins, -1u);
    }
}

/* ---- use ----------------------------------------------------------------- */

static bool is_mine(const struct sim_lock *l)
{
    for (unsigned i = 0; i < held.n; i++) {
        if (held.lock[i] == l) {
            return true;
        }
    }
    return false;
}

static void held_push(struct sim *s, struct sim_lock *l)
{
    if (held.n == MAX_HELD) {
        sim_report(s, "more than %d locks held by one thread", MAX_HELD);
        return;
    }
    held.lock[held.n] = l;
    held.n++;
}

static void held_remove(const struct sim_lock *l)
{
    unsigned i = 0;

    while (i < held.n && held.lock[i] != l) {
        i++;
    }
    for (; i + 1 < held.n; i++) {
        held.lock[i] = held.lock[i + 1];
    }
    if (i < held.n) {
        held.n--;
    }
}

/* A lock its holder takes again would stop this thread for good; it is counted
 * instead, so that the test goes on and fails. */
static void lock_take(struct sim *s, struct sim_lock *l, bool spin)
{
    if (!is_usable(s, l, spin, "lock")) {
        return;
    }
    if (is_mine(l)) {
        sim_report(s, "%s %u taken again by the thread that holds it",
                   kind_of(l), l->serial);
        l->depth++;
        return;
    }
    if (!s->fast) {
        check_order(s, l);
    }
    pthread_mutex_lock(&l->mutex);
    l->depth = 1;
    held_push(s, l);
    if (!s->fast) {
        SIM_COUNT(s, locks_held, 1);
    }
}

static void lock_give(struct sim *s, struct sim_lock *l, bool spin)
{
    if (!is_usable(s, l, spin, "unlock")) {
        return;
    }
    if (!is_mine(l)) {
        sim_report(s, "unlock of %s %u by a thread that does not hold it",
                   kind_of(l), l->serial);
        return;
    }
    if (--l->depth > 0) {
        return;
    }
    held_remove(l);
    if (!s->fast) {
        SIM_COUNT(s, locks_held, -1u);
    }
    pthread_mutex_unlock(&l->mutex);
}

void sim_mutex_lock(void *ctx, void *lock)
{
    sim_sleeps(ctx, "mutex_lock");
    lock_take(ctx, lock, false);
}

void sim_mutex_unlock(void *ctx, void *lock)
{
    lock_give(ctx, lock, false);
}

void sim_spin_lock(void *ctx, void *lock)
{
    lock_take(ctx, lock, true);
}

void sim_spin_unlock(void *ctx, void *lock)
{
    lock_give(ctx, lock, true);
}

/* ---- at the end ---------------------------------------------------------- */

void sim_locks_check(struct sim *s)
{
    pthread_mutex_lock(&s->locks.lock);
    for (struct sim_lock *l = s->locks.all; l != NULL; l = l->next) {
        if (!l->dead) {
            sim_report(s, "leak: %s %u%s", kind_of(l), l->serial,
                       l->depth > 0 ? ", and it is held" : "");
        }
    }
    pthread_mutex_unlock(&s->locks.lock);
}

/* The calling thread may go on with another machine. */
static void held_forget(const struct sim *s)
{
    for (unsigned i = held.n; i > 0; i--) {
        struct sim_lock *l = held.lock[i - 1];

        if (l->sim == s) {
            held_remove(l);
            pthread_mutex_unlock(&l->mutex);
        }
    }
    if (held.atomic_sim == s) {
        held.atomic_sim = NULL;
    }
}

void sim_locks_close(struct sim *s)
{
    held_forget(s);
    while (s->locks.all != NULL) {
        struct sim_lock *l = s->locks.all;

        s->locks.all = l->next;
        pthread_mutex_destroy(&l->mutex);
        free(l);
    }
    free(s->locks.after);
}
