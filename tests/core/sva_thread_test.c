/* SPDX-License-Identifier: MIT */
/*
 * sva_thread_test.c - a process maps, unmaps and ends while devices use its memory (semantics
 * B.20, D-03, D-20): whatever is given to somebody else is not written to any more. Threads
 * count what went wrong and never assert.
 */
#include "tests/core/sva.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { PAGES = 4, ROUNDS = 24, PATTERN = 0x77 };

struct scene {
    struct process s;
    struct uiommu_endpoint *ep;
    uint32_t pasid;
    _Atomic bool done;
    _Atomic unsigned through, wrong;
};

/* Each writes all the time, whatever is there. */
struct writer {
    struct scene *scene;
    unsigned engine;
};

static bool write_once(const struct writer *w, uint64_t va)
{
    uint64_t value = UINT64_C(0xdddddddddddddddd);
    struct sim_request r = {
        .dev = rig_engine(w->scene->s.rig, w->engine),
        .pasid = w->scene->pasid,
        .write = true,
        .iova = va,
        .buf = &value,
        .size = sizeof(value),
    };

    return sim_dma(w->scene->s.rig->m, &r) == MACHINE_DMA_DONE;
}

static void *write_all_the_time(void *ctx)
{
    const struct writer *w = ctx;

    for (unsigned i = 0; !atomic_load(&w->scene->done); i++)
        if (write_once(w, VA + i % PAGES * RIG_PAGE))
            atomic_fetch_add(&w->scene->through, 1);
    return NULL;
}

/* Somebody else has memory that was the process's a moment ago. */
static void reuse(struct scene *scene)
{
    struct rig *rig = scene->s.rig;
    uint64_t phys = sim_ram_alloc(rig->m, RIG_PAGE * PAGES);
    uint8_t *ram = sim_ram(rig->m, phys, RIG_PAGE * PAGES);
    const unsigned until = atomic_load(&scene->through) + 2;

    memset(ram, PATTERN, RIG_PAGE * PAGES);
    for (unsigned i = 0; i < 50 && atomic_load(&scene->through) < until; i++)
        sched_yield();
    for (unsigned i = 0; i < RIG_PAGE * PAGES; i++)
        scene->wrong += ram[i] != PATTERN;
    sim_ram_free(rig->m, phys, RIG_PAGE * PAGES);
}

static void change(struct scene *scene, unsigned round)
{
    const unsigned n = 1 + round % PAGES;

    for (unsigned i = 0; i < PAGES; i++)
        (void)kernel_touch(scene->s.p, VA + i * RIG_PAGE, true);
    if (round % 3 == 0)
        kernel_protect(scene->s.p, VA, n, true);
    else
        kernel_munmap(scene->s.p, VA, n);
    reuse(scene);
    if (round % 3 != 0 && !kernel_mmap(scene->s.p, VA, n, RW))
        scene->wrong++;
}

static void what_is_used_again_is_not_written_to(struct rig *rig)
{
    struct scene scene = { .s = open_process(rig) };
    struct writer w[2] = { { &scene, 0 }, { &scene, 1 } };
    struct uiommu_endpoint *other;
    pthread_t id[2];

    for (unsigned i = 0; i < 2; i++)
        set(rig, i, uiommu_identity(rig->u));
    scene.ep = bind(&scene.s, 0);
    other = bind(&scene.s, 1);
    scene.pasid = uiommu_endpoint_pasid(scene.ep);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(
            pthread_create(&id[i], NULL, write_all_the_time, &w[i]), 0);
    for (unsigned i = 0; i < PAGES; i++)
        assert_true(kernel_touch(scene.s.p, VA + i * RIG_PAGE, true) != 0);
    while (atomic_load(&scene.through) == 0)
        sched_yield();
    for (unsigned round = 0; round < ROUNDS; round++)
        change(&scene, round);
    kernel_exit(scene.s.p);
    for (unsigned round = 0; round < 4; round++)
        reuse(&scene);
    atomic_store(&scene.done, true);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(id[i], NULL), 0);
    rig_expect_stale(rig, sim_stale_count(rig->m)); /* before it was told */
    assert_int_equal(scene.wrong, 0);
    unbind(scene.ep);
    unbind(other);
    uiommu_provider_put(scene.s.provider);
    kernel_process_free(scene.s.p);
    kernel_close(scene.s.k);
}

/* ---- ends beside changes ------------------------------------------------------------------ */

/* What sees the process comes and goes; at some moment it ends. */
static void *end_it(void *ctx)
{
    struct scene *scene = ctx;

    for (unsigned i = 0; i < 20; i++)
        sched_yield();
    kernel_exit(scene->s.p);
    atomic_store(&scene->done, true);
    return NULL;
}

static void move_about(struct scene *scene, struct uiommu_endpoint *ep,
                       struct uiommu_domain *d, struct uiommu_domain *other)
{
    for (unsigned i = 0; i < 200; i++) {
        const bool ended = atomic_load(&scene->done);
        const bool away = i % 2 == 0;
        enum uiommu_status status =
            uiommu_set_domain(ep, away ? other : d, NULL);

        scene->wrong += status != UIOMMU_OK && status != UIOMMU_NOENT;
        scene->wrong += away && status != UIOMMU_OK;
        scene->wrong += ended && !away && status == UIOMMU_OK;
        if (ended && i > 100)
            break;
    }
}

static void a_process_ends_while_somebody_moves(struct rig *rig)
{
    struct scene scene = { .s = open_process(rig) };
    struct uiommu_endpoint *ep = pasid(rig, 0);
    struct uiommu_domain *d = NULL, *other = rig_domain(rig, 0);
    const uint64_t phys = rig_pages(rig, 0);
    const uint32_t number = uiommu_endpoint_pasid(ep);
    pthread_t id;

    map_page(other, BASE, phys);
    (void)kernel_touch(scene.s.p, VA, true);
    rig_ok(uiommu_sva_domain(ep, scene.s.provider, &d));
    assert_int_equal(pthread_create(&id, NULL, end_it, &scene), 0);
    move_about(&scene, ep, d, other);
    assert_int_equal(pthread_join(id, NULL), 0);
    assert_int_equal(scene.wrong, 0);
    rig_ok(uiommu_set_domain(ep, other, NULL));
    assert_true(rig_pasid_reaches(rig, 0, number, BASE, phys));
    assert_true(rig_pasid_refused(rig, 0, number, VA));
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
    uiommu_domain_put(other);
    uiommu_provider_put(scene.s.provider);
    kernel_process_free(scene.s.p);
    kernel_close(scene.s.k);
}

/* ---- binds beside each other (D-20) ------------------------------------------------------- */

struct binder {
    struct scene *scene;
    unsigned engine;
    struct uiommu_endpoint *seen;
};

static void *bind_and_unbind(void *ctx)
{
    struct binder *b = ctx;
    struct scene *scene = b->scene;

    for (unsigned i = 0; i < 20; i++) {
        struct uiommu_endpoint *ep = NULL;

        if (uiommu_sva_bind(rig_endpoint(scene->s.rig, b->engine),
                            scene->s.provider, NULL, &ep) != UIOMMU_OK) {
            scene->wrong++;
            continue;
        }
        scene->wrong += uiommu_endpoint_pasid(ep) != 1;
        scene->wrong += uiommu_endpoint_domain(ep)->kind != UIOMMU_DOMAIN_SVA;
        scene->wrong += uiommu_sva_unbind(ep, true) != UIOMMU_OK;
    }
    return NULL;
}

static void *invalidate_all_the_time(void *ctx)
{
    struct scene *scene = ctx;

    while (!atomic_load(&scene->done)) {
        scene->wrong += uiommu_sva_invalidate(scene->s.provider, VA,
                                              VA + RIG_PAGE) != UIOMMU_OK;
        scene->wrong += uiommu_sva_tables_freed(scene->s.rig->u) != UIOMMU_OK;
        scene->through++;
    }
    return NULL;
}

static void who_binds_at_once_has_the_same(struct rig *rig)
{
    struct scene scene = { .s = open_process(rig) };
    struct binder b[3] = { { &scene, 0, NULL },
                           { &scene, 0, NULL },
                           { &scene, 1, NULL } };
    pthread_t id[4];

    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&id[i], NULL, bind_and_unbind, &b[i]),
                         0);
    assert_int_equal(
        pthread_create(&id[3], NULL, invalidate_all_the_time, &scene), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_join(id[i], NULL), 0);
    while (scene.through == 0)
        sched_yield();
    atomic_store(&scene.done, true);
    assert_int_equal(pthread_join(id[3], NULL), 0);
    assert_int_equal(scene.wrong, 0);
    close_process(&scene.s);
}

/* ---- faults beside all of that ------------------------------------------------------------- */

static void *serve_all_the_time(void *ctx)
{
    struct scene *scene = ctx;

    while (!atomic_load(&scene->done)) {
        (void)uiommu_poll(scene->s.rig->u);
        uiommu_serve(scene->s.rig->u);
    }
    return NULL;
}

static void *fault_all_the_time(void *ctx)
{
    const struct writer *w = ctx;
    struct rig *rig = w->scene->s.rig;

    for (unsigned i = 0; !atomic_load(&w->scene->done); i++) {
        const struct sim_page_request r =
            request_of(rig, w->engine, w->scene->pasid,
                       VA + i % PAGES * RIG_PAGE, (uint16_t)(i % 16), true);

        if (sim_page_request(rig->m, &r) == SIM_NOT_STOPPED)
            atomic_fetch_add(&w->scene->through, 1);
        (void)machine_run(rig->m);
    }
    return NULL;
}

static void pages_are_asked_for_while_they_go(struct rig *rig)
{
    struct scene scene = { .s = open_process(rig) };
    struct writer w = { &scene, 0 };
    pthread_t id[3];

    set(rig, 0, uiommu_identity(rig->u));
    scene.ep = bind(&scene.s, 0);
    scene.pasid = uiommu_endpoint_pasid(scene.ep);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(
            pthread_create(&id[i], NULL, serve_all_the_time, &scene), 0);
    assert_int_equal(pthread_create(&id[2], NULL, fault_all_the_time, &w), 0);
    for (unsigned round = 0; round < 9; round++)
        change(&scene, round);
    kernel_exit(scene.s.p);
    unbind(scene.ep);
    assert_true(kernel_released(scene.s.p) == 0);
    atomic_store(&scene.done, true);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_join(id[i], NULL), 0);
    collect_and_serve(rig);
    rig_expect_stale(rig, sim_stale_count(rig->m));
    assert_int_equal(scene.wrong, 0);
    assert_int_equal(sim_page_groups(rig->m, rig_engine(rig, 0)), 0);
    rig->faults = 0;
    uiommu_provider_put(scene.s.provider);
    assert_true(kernel_released(scene.s.p) == 1);
    kernel_process_free(scene.s.p);
    kernel_close(scene.s.k);
}

/* ---- ends at one step of a move ------------------------------------------------------------- */

/* Whoever ends has found an endpoint, and goes on when whoever moves it is so far. */
static struct {
    struct uiommu_host host; /* as it was                                    */
    struct uiommu_endpoint *ep;
    bool (*is_so_far)(void);
    _Atomic bool held;
} apart;

static _Thread_local bool is_the_end;

static void unlock_and_wait(void *ctx, void *spin)
{
    apart.host.spin_unlock(ctx, spin);
    if (!is_the_end || atomic_load(&apart.held) ||
        atomic_load(&apart.ep->readers) == 0)
        return;
    atomic_store(&apart.held, true);
    for (bool so_far = false; !so_far; sched_yield()) {
        apart.host.spin_lock(ctx, apart.ep->unit->u->device_lock);
        so_far = apart.is_so_far();
        apart.host.spin_unlock(ctx, apart.ep->unit->u->device_lock);
    }
}

static void *end_and_wait(void *ctx)
{
    struct scene *scene = ctx;

    is_the_end = true;
    scene->wrong += uiommu_provider_exit(scene->s.provider) != UIOMMU_OK;
    return NULL;
}

static pthread_t begin_to_end(struct scene *scene, struct uiommu_endpoint *ep,
                              bool (*is_so_far)(void))
{
    struct uiommu *u = scene->s.rig->u;
    pthread_t id;

    memset(&apart, 0, sizeof(apart));
    apart.host = u->host;
    apart.ep = ep;
    apart.is_so_far = is_so_far;
    u->host.spin_unlock = unlock_and_wait;
    assert_int_equal(pthread_create(&id, NULL, end_and_wait, scene), 0);
    while (!atomic_load(&apart.held))
        sched_yield();
    return id;
}

static void has_ended(struct scene *scene, pthread_t id)
{
    assert_int_equal(pthread_join(id, NULL), 0);
    scene->s.rig->u->host.spin_unlock = apart.host.spin_unlock;
    assert_int_equal(scene->wrong, 0);
}

/* Whoever ends holds what was asked for; whoever moves has taken it from the device. */
static bool was_taken(void)
{
    return !apart.ep->requests;
}

static void the_last_to_ask_leaves_while_its_process_ends(struct rig *rig)
{
    struct scene scene = { .s = open_process(rig) };
    struct uiommu_endpoint *ep;
    pthread_t id;

    set(rig, 0, uiommu_identity(rig->u));
    ep = bind(&scene.s, 0);
    assert_non_null(rig_endpoint(rig, 0)->requests);
    id = begin_to_end(&scene, rig_endpoint(rig, 0), was_taken);
    unbind(ep);
    has_ended(&scene, id);
    close_process(&scene.s);
}

static bool is_blocked(void)
{
    return apart.ep->domain->kind == UIOMMU_DOMAIN_BLOCKED;
}

/* What the end hushes then is not the process any more: of what is blocked one hears. */
static void what_is_blocked_while_its_process_ends_is_heard(struct rig *rig)
{
    struct scene scene = { .s = open_process(rig) };
    struct uiommu_endpoint *ep = pasid(rig, 0);
    struct uiommu_domain *d = NULL;
    pthread_t id;

    rig_ok(uiommu_sva_domain(ep, scene.s.provider, &d));
    see(ep, d);
    assert_true(shares(&scene.s, 0, uiommu_endpoint_pasid(ep), VA));
    id = begin_to_end(&scene, ep, is_blocked);
    see(ep, uiommu_blocked(rig->u));
    has_ended(&scene, id);
    assert_true(rig_pasid_refused(rig, 0, uiommu_endpoint_pasid(ep), VA));
    rig_poll(rig);
    assert_true(rig->faults > 0);
    rig->faults = 0;
    rig_ok(uiommu_pasid_destroy(ep, true));
    uiommu_domain_put(d);
    close_process(&scene.s);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(what_is_used_again_is_not_written_to, with_sva_and_ats),
    RIG_TEST_ON(a_process_ends_while_somebody_moves, with_sva),
    RIG_TEST_ON(who_binds_at_once_has_the_same, with_sva),
    RIG_TEST_ON(pages_are_asked_for_while_they_go, with_sva_requests),
    RIG_TEST_ON(the_last_to_ask_leaves_while_its_process_ends,
                with_sva_requests),
    RIG_TEST_ON(what_is_blocked_while_its_process_ends_is_heard, with_sva),
    { 0 },
};

int main(void)
{
    return rig_run("address spaces and threads", tests);
}
