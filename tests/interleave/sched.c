/* SPDX-License-Identifier: MIT */
#include "tests/interleave/sched.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/hook/hook.h"

enum { BUFFER = 4096, LOCKS = 256, NOBODY = 99, MOST_POINTS = 200000 };

struct entry {
    uint64_t *where; /* NULL: an unlock */
    uint64_t value;
    void *lock;
    unsigned epoch; /* leaves after all of smaller ones */
};

struct cpu {
    pthread_t thread;
    sem_t go;
    void (*fn)(void *ctx);
    void *ctx;
    bool done;
    void *waits_for; /* a lock */
    struct entry entry[BUFFER];
    unsigned n, epoch;
};

static struct {
    struct sched_plan plan;
    struct cpu cpu[SCHED_CPUS];
    unsigned n, running, points, next_switch;
    const char *wrong;
    sem_t over;
    bool on;
} run;

static _Thread_local struct cpu *self; /* NULL: not one of ours */

/* ---- store buffers ------------------------------------------------------- */

static void unlocked(void *lock);

static void arrive(const struct entry *e)
{
    if (!e->where) {
        unlocked(e->lock);
        return;
    }
    __atomic_store_n(e->where, e->value, __ATOMIC_RELAXED);
    uim_store_seen(e->where, e->value);
}

static void take_out(struct cpu *c, unsigned i)
{
    struct entry e = c->entry[i];

    memmove(&c->entry[i], &c->entry[i + 1], (c->n - i - 1) * sizeof(e));
    c->n--;
    arrive(&e);
}

/* All that has to leave before entry i may, and i. */
static void release(struct cpu *c, unsigned i)
{
    unsigned epoch = c->entry[i].epoch;
    const uint64_t *where = c->entry[i].where;

    for (unsigned j = 0; j < i;) {
        if (c->entry[j].epoch < epoch ||
            (where && c->entry[j].where == where)) {
            take_out(c, j);
            i--;
        } else {
            j++;
        }
    }
    take_out(c, i);
}

static void drain(struct cpu *c)
{
    while (c->n > 0)
        take_out(c, 0);
}

static void drain_range(struct cpu *c, const void *from, size_t size)
{
    for (unsigned i = 0; i < c->n;) {
        uintptr_t at = (uintptr_t)c->entry[i].where - (uintptr_t)from;

        if (at < size) {
            release(c, i);
            i = 0;
        } else {
            i++;
        }
    }
}

/* ---- who runs ------------------------------------------------------------ */

static bool can_run(const struct cpu *c)
{
    return !c->done && !c->waits_for;
}

/* The `by`-th other CPU that can run, or NOBODY. */
static unsigned other(unsigned by)
{
    unsigned able = 0;

    for (unsigned i = 1; i < run.n; i++)
        able += can_run(&run.cpu[(run.running + i) % run.n]);
    if (able == 0)
        return NOBODY;
    by %= able;
    for (unsigned i = 1; i < run.n; i++) {
        unsigned id = (run.running + i) % run.n;

        if (can_run(&run.cpu[id]) && by-- == 0)
            return id;
    }
    return NOBODY;
}

/* Ends the run with threads where they are: a failure, so nobody goes on. */
static void give_up(const char *why)
{
    run.wrong = why;
    sem_post(&run.over);
    for (;;)
        sem_wait(&self->go);
}

static void hand_over(unsigned to)
{
    struct cpu *me = self;

    run.running = to;
    sem_post(&run.cpu[to].go);
    if (!me->done)
        sem_wait(&me->go);
}

/* The CPU cannot go on: another has to. */
static void make_way(void)
{
    unsigned to = other(0);

    if (to == NOBODY)
        give_up("deadlock: every CPU waits for a lock");
    hand_over(to);
}

static void point(void)
{
    const struct sched_plan *p = &run.plan;
    unsigned to;

    if (!self)
        return;
    if (++run.points > MOST_POINTS)
        give_up("no progress: CPUs wait for each other without a lock");
    if (run.next_switch >= p->n || p->change[run.next_switch].at != run.points)
        return;
    to = other(p->change[run.next_switch++].by);
    if (to != NOBODY)
        hand_over(to);
}

/* ---- accesses of the library --------------------------------------------- */

static uint64_t load(const void *where)
{
    point();
    for (unsigned i = self ? self->n : 0; i-- > 0;)
        if (self->entry[i].where == where)
            return self->entry[i].value;
    return __atomic_load_n((const uint64_t *)where, __ATOMIC_RELAXED);
}

static void store(void *where, uint64_t value)
{
    const struct entry e = { .where = where,
                             .value = value,
                             .epoch = self ? self->epoch : 0 };

    if (!self || run.plan.stores == SCHED_AT_ONCE) {
        arrive(&e);
        point();
        return;
    }
    if (self->n == BUFFER)
        take_out(self, 0);
    self->entry[self->n++] = e;
    if (run.plan.stores == SCHED_NEWEST && self->n > 1)
        release(self, self->n - 1);
    point();
}

static void order(enum uim_fence_kind kind)
{
    if (kind == UIM_FENCE_FULL)
        drain(self);
    else if (kind != UIM_FENCE_ACQUIRE)
        self->epoch++;
}

static void before_cas(void *where)
{
    (void)where;
    if (self)
        drain(self);
    point();
}

static void fence(enum uim_fence_kind kind)
{
    if (self)
        order(kind);
    point();
}

/* A load waits for no store. What changes a variable, or stores to it with
 * release, is seen by others after what was stored before. */
static void atomic(enum uim_fence_kind kind, bool loads)
{
    if (self && !loads && kind != UIM_FENCE_ACQUIRE && !run.plan.no_atomic)
        drain(self);
    point();
}

static const struct uim_hook_memory memory = { load, store, before_cas, fence,
                                               atomic };

/* ---- the host ------------------------------------------------------------ */

static struct uiommu_host real;

static struct {
    void *lock; /* NULL: none from here on */
    struct cpu *owner;
} locks[LOCKS];

static char destroyed; /* in place of a lock */

static unsigned lock_index(const void *lock)
{
    unsigned i, place = LOCKS;

    for (i = 0; locks[i].lock && locks[i].lock != lock; i++)
        if (locks[i].lock == &destroyed && place == LOCKS)
            place = i;
    if (!locks[i].lock && place < LOCKS)
        i = place;
    if (i == LOCKS - 1)
        abort();
    locks[i].lock = (void *)(uintptr_t)lock;
    return i;
}

/* The owner gave it back, but that has not left its store buffer yet. */
static void hurry(struct cpu *owner, const void *lock)
{
    for (unsigned i = 0; i < owner->n; i++)
        if (!owner->entry[i].where && owner->entry[i].lock == lock) {
            release(owner, i);
            return;
        }
}

static bool is_taken(unsigned i)
{
    if (locks[i].owner)
        hurry(locks[i].owner, locks[i].lock);
    return locks[i].owner;
}

static void acquire(void *lock)
{
    unsigned i = lock_index(lock);

    point();
    while (self && is_taken(i)) {
        self->waits_for = lock;
        make_way();
    }
    locks[i].owner = self;
}

static void unlocked(void *lock)
{
    locks[lock_index(lock)].owner = NULL;
    for (unsigned i = 0; i < run.n; i++)
        if (run.cpu[i].waits_for == lock)
            run.cpu[i].waits_for = NULL;
}

/* A store like any other, after those before it. */
static void give_back(void *lock)
{
    if (!self || run.plan.stores == SCHED_AT_ONCE || self->n == BUFFER) {
        if (self)
            drain(self);
        unlocked(lock);
    } else {
        self->epoch++;
        self->entry[self->n++] =
            (struct entry){ .lock = lock, .epoch = self->epoch };
    }
    for (unsigned i = 0; self && i < run.n; i++)
        if (run.cpu[i].waits_for == lock)
            hurry(self, lock);
    point();
}

static void spin_lock(void *ctx, void *lock)
{
    acquire(lock);
    real.spin_lock(ctx, lock);
}

static void spin_unlock(void *ctx, void *lock)
{
    real.spin_unlock(ctx, lock);
    give_back(lock);
}

static void mutex_lock(void *ctx, void *lock)
{
    acquire(lock);
    real.mutex_lock(ctx, lock);
}

static void mutex_unlock(void *ctx, void *lock)
{
    real.mutex_unlock(ctx, lock);
    give_back(lock);
}

/* As with pages_free(): an allocator has a lock of its own. */
static void destroy(void *lock)
{
    if (self)
        drain(self);
    locks[lock_index(lock)].lock = &destroyed;
}

static void mutex_destroy(void *ctx, void *lock)
{
    destroy(lock);
    real.mutex_destroy(ctx, lock);
    point();
}

static void spin_destroy(void *ctx, void *lock)
{
    destroy(lock);
    real.spin_destroy(ctx, lock);
    point();
}

static void host_fence(void *ctx)
{
    if (self && !run.plan.no_host)
        drain(self);
    if (real.fence)
        real.fence(ctx);
    point();
}

static void host_flush(void *ctx, const void *virt, size_t size)
{
    if (self)
        drain_range(self, virt, size);
    real.flush(ctx, virt, size);
    point();
}

/* An allocator has a lock of its own. */
static void pages_free(void *ctx, void *virt, uint64_t phys, unsigned order)
{
    if (self)
        drain(self);
    real.pages_free(ctx, virt, phys, order);
    point();
}

/* Registers do not wait for memory: that is what fence() is for. */
static void write32(void *ctx, void *mmio, size_t offset, uint32_t value)
{
    point();
    real.mmio_write32(ctx, mmio, offset, value);
    point();
}

static void write64(void *ctx, void *mmio, size_t offset, uint64_t value)
{
    point();
    real.mmio_write64(ctx, mmio, offset, value);
    point();
}

/* Whoever waits lets others go on, and its own stores arrive in the end. */
static void relax(void *ctx)
{
    unsigned to = other(0);

    real.relax(ctx);
    if (!self)
        return;
    drain(self);
    if (++run.points > MOST_POINTS)
        give_up("no progress: CPUs wait for each other without a lock");
    if (to != NOBODY)
        hand_over(to);
}

void sched_host(struct uiommu_host *host)
{
    uim_hook_memory(host ? &memory : NULL);
    memset(locks, 0, sizeof(locks));
    if (!host)
        return;
    real = *host;
    host->spin_lock = spin_lock;
    host->spin_unlock = spin_unlock;
    host->mutex_lock = mutex_lock;
    host->mutex_unlock = mutex_unlock;
    host->mutex_destroy = mutex_destroy;
    host->spin_destroy = spin_destroy;
    host->fence = host_fence;
    host->flush = real.flush ? host_flush : NULL;
    host->pages_free = pages_free;
    host->mmio_write32 = write32;
    host->mmio_write64 = write64;
    host->relax = relax;
}

/* ---- a run --------------------------------------------------------------- */

static void *thread(void *arg)
{
    struct cpu *c = arg;
    unsigned to;

    self = c;
    sem_wait(&c->go);
    c->fn(c->ctx);
    point();
    drain(c);
    c->done = true;
    to = other(0);
    if (to != NOBODY)
        hand_over(to);
    else if (run.cpu[0].done && run.cpu[1].done && run.cpu[run.n - 1].done)
        sem_post(&run.over);
    else
        give_up("deadlock: the others wait for a lock that nobody gives back");
    return NULL;
}

static void start(unsigned i, void (*fn)(void *ctx), void *ctx)
{
    struct cpu *c = &run.cpu[i];

    c->fn = fn;
    c->ctx = ctx;
    c->done = false;
    c->waits_for = NULL;
    c->n = 0;
    c->epoch = 0;
    sem_init(&c->go, 0, 0);
    if (pthread_create(&c->thread, NULL, thread, c) != 0)
        abort();
}

struct sched_result sched_run(const struct sched_plan *plan,
                              void (*const cpu[])(void *ctx), unsigned n,
                              void *ctx)
{
    run.plan = *plan;
    run.n = n;
    run.points = 0;
    run.next_switch = 0;
    run.wrong = NULL;
    run.running = plan->first % n;
    sem_init(&run.over, 0, 0);
    for (unsigned i = 0; i < n; i++)
        start(i, cpu[i], ctx);
    sem_post(&run.cpu[run.running].go);
    sem_wait(&run.over);
    for (unsigned i = 0; i < n && !run.wrong; i++)
        pthread_join(run.cpu[i].thread, NULL);
    return (struct sched_result){ run.points, run.wrong };
}

/* ---- plans as text ------------------------------------------------------- */

void sched_print(const struct sched_plan *plan, char *text, unsigned size)
{
    int n = snprintf(text, size, "%u.%u", (unsigned)plan->stores, plan->first);

    for (unsigned i = 0; i < plan->n && n > 0 && (unsigned)n < size; i++)
        n += snprintf(text + n, size - (unsigned)n, ",%u.%u",
                      plan->change[i].at, plan->change[i].by);
}

bool sched_parse(const char *text, struct sched_plan *plan)
{
    unsigned stores, length;
    int used = 0;

    memset(plan, 0, sizeof(*plan));
    if (sscanf(text, "%u.%u%n", &stores, &plan->first, &used) != 2 ||
        stores >= SCHED_STORES)
        return false;
    plan->stores = (enum sched_stores)stores;
    for (text += used; *text == ',' && plan->n < SCHED_SWITCHES;
         text += length) {
        struct sched_switch *s = &plan->change[plan->n++];

        if (sscanf(text, ",%u.%u%n", &s->at, &s->by, &used) != 2)
            return false;
        length = (unsigned)used;
    }
    return *text == '\0';
}
