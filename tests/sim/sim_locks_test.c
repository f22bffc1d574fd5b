/* SPDX-License-Identifier: MIT */
/*
 * What hosts/sim says about locks: taken in both orders, twice, or by the wrong
 * thread; and about sleeping where that is forbidden.
 */
#include "tests/sim/tools.h"

#include <pthread.h>
#include <string.h>

/* Some tests take locks in both orders, for sim to notice; so would TSan. */
const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
    return "detect_deadlocks=0";
}

/* ---- locks --------------------------------------------------------------- */

struct lock_rig {
    struct machine *m;
    void *mutex[3], *spin[2];
};

static void lock_rig_open(struct lock_rig *rig)
{
    rig->m = open_sim(NULL);
    for (unsigned i = 0; i < 3; i++)
        rig->mutex[i] = rig->m->host.mutex_create(rig->m->host.ctx);
    for (unsigned i = 0; i < 2; i++)
        rig->spin[i] = rig->m->host.spin_create(rig->m->host.ctx);
}

static void lock_rig_close(struct lock_rig *rig)
{
    for (unsigned i = 0; i < 3; i++)
        rig->m->host.mutex_destroy(rig->m->host.ctx, rig->mutex[i]);
    for (unsigned i = 0; i < 2; i++)
        rig->m->host.spin_destroy(rig->m->host.ctx, rig->spin[i]);
    close_sim(rig->m);
}

static void lock_both(struct lock_rig *rig, unsigned first, unsigned second)
{
    const struct uiommu_host *h = &rig->m->host;

    h->mutex_lock(h->ctx, rig->mutex[first]);
    h->mutex_lock(h->ctx, rig->mutex[second]);
    h->mutex_unlock(h->ctx, rig->mutex[second]);
    h->mutex_unlock(h->ctx, rig->mutex[first]);
}

static void opposite_orders_are_noticed(void **state)
{
    struct lock_rig rig;

    (void)state;
    lock_rig_open(&rig);
    lock_both(&rig, 0, 1);
    lock_both(&rig, 0, 1);
    lock_both(&rig, 1, 2);
    assert_int_equal(sim_violations(rig.m), 0);
    lock_both(&rig, 1, 0);
    expect_violation(rig.m, "lock order: mutex 1 taken under mutex 2");
    lock_both(&rig, 2, 0); /* against 0 before 1 before 2 */
    expect_violation(rig.m, "lock order: mutex 1 taken under mutex 3");
    lock_rig_close(&rig);
}

static void a_destroyed_lock_leaves_no_order_behind(void **state)
{
    struct lock_rig rig;
    const struct uiommu_host *h;

    (void)state;
    lock_rig_open(&rig);
    h = &rig.m->host;
    lock_both(&rig, 0, 1);
    h->mutex_destroy(h->ctx, rig.mutex[1]);
    rig.mutex[1] = h->mutex_create(h->ctx);
    lock_both(&rig, 1, 0);
    assert_int_equal(sim_violations(rig.m), 0);
    lock_rig_close(&rig);
}

static void taking_twice_is_noticed(void **state)
{
    struct lock_rig rig;
    const struct uiommu_host *h;

    (void)state;
    lock_rig_open(&rig);
    h = &rig.m->host;
    h->spin_lock(h->ctx, rig.spin[0]);
    h->spin_lock(h->ctx, rig.spin[0]);
    expect_violation(rig.m, "taken again");
    h->spin_unlock(h->ctx, rig.spin[0]);
    h->spin_unlock(h->ctx, rig.spin[0]);
    h->spin_unlock(h->ctx, rig.spin[0]);
    expect_violation(rig.m, "does not hold");
    lock_rig_close(&rig);
}

static void *unlock_it(void *arg)
{
    struct lock_rig *rig = arg;

    rig->m->host.mutex_unlock(rig->m->host.ctx, rig->mutex[0]);
    return NULL;
}

static void unlock_by_another_thread_is_noticed(void **state)
{
    struct lock_rig rig;
    const struct uiommu_host *h;
    pthread_t thread;

    (void)state;
    lock_rig_open(&rig);
    h = &rig.m->host;
    h->mutex_lock(h->ctx, rig.mutex[0]);
    assert_int_equal(pthread_create(&thread, NULL, unlock_it, &rig), 0);
    pthread_join(thread, NULL);
    expect_violation(rig.m, "does not hold");
    h->mutex_unlock(h->ctx, rig.mutex[0]);
    lock_rig_close(&rig);
}

static void bad_ends_of_locks_are_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    const struct uiommu_host *h = &m->host;
    void *mutex = h->mutex_create(h->ctx);
    void *held = h->spin_create(h->ctx);

    (void)state;
    h->spin_lock(h->ctx, mutex);
    expect_violation(m, "other kind");
    h->mutex_destroy(h->ctx, mutex);
    h->mutex_lock(h->ctx, mutex);
    expect_violation(m, "after it was destroyed");
    h->spin_lock(h->ctx, held);
    h->spin_destroy(h->ctx, held);
    assert_int_equal(sim_violations(m), 2); /* it may sleep, too */
    assert_non_null(strstr(sim_violation(m, 1), "while it is held"));
    sim_forget(m);
    close_sim(m);
}

/* ---- contexts ------------------------------------------------------------ */

/* Everything that may sleep, done and undone with no violation but that. */
static void sleep_in_all_ways(struct machine *m)
{
    const struct uiommu_host *h = &m->host;
    struct uiommu_pci where = { 0, 0, 0x18 };
    uint64_t addr;
    uint32_t data;
    size_t size;
    void *p;

    p = h->alloc(h->ctx, 1);
    h->free(h->ctx, p, 1);
    p = h->pages_alloc(h->ctx, 0, 0, &addr);
    h->pages_free(h->ctx, p, addr, 0);
    p = h->mmio_map(h->ctx, 0xfed90000, 4096);
    h->mmio_unmap(h->ctx, p, 4096);
    data = h->pci_read(h->ctx, where, 0x3c, 1);
    h->pci_write(h->ctx, where, 0x3c, 1, data);
    p = h->mutex_create(h->ctx);
    h->mutex_lock(h->ctx, p);
    h->mutex_unlock(h->ctx, p);
    h->mutex_destroy(h->ctx, p);
    p = h->spin_create(h->ctx);
    h->spin_destroy(h->ctx, p);
    assert_int_equal(h->msi_alloc(h->ctx, 0, 0, &addr, &data), UIOMMU_OK);
    h->msi_free(h->ctx, 0, 0);
    p = (void *)(uintptr_t)h->map_table(h->ctx, "DMAR", 0, &size);
    h->unmap_table(h->ctx, p, size);
}

/* Once per line of sleep_in_all_ways() that may sleep. */
enum { WAYS_TO_SLEEP = 16 };

static void expect_all_sleeps(struct machine *m, const char *part)
{
    assert_int_equal(sim_violations(m), WAYS_TO_SLEEP);
    for (unsigned i = 0; i < sim_violations(m); i++)
        assert_non_null(strstr(sim_violation(m, i), part));
    sim_forget(m);
}

static void sleeping_under_a_spin_lock_is_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    const struct uiommu_host *h = &m->host;
    void *spin = h->spin_create(h->ctx);

    (void)state;
    sleep_in_all_ways(m);
    assert_int_equal(sim_violations(m), 0);
    h->spin_lock(h->ctx, spin);
    sleep_in_all_ways(m);
    h->spin_unlock(h->ctx, spin);
    expect_all_sleeps(m, "while spin lock 1 is held");
    h->spin_destroy(h->ctx, spin);
    close_sim(m);
}

static void sleeping_in_atomic_context_is_noticed(void **state)
{
    struct machine *m = open_sim(NULL);
    uint64_t phys;
    void *virt;

    (void)state;
    sim_atomic(m, true);
    sim_atomic(m, true);
    sim_atomic(m, false);
    sleep_in_all_ways(m);
    expect_all_sleeps(m, "must not sleep");
    virt = m->host.pages_alloc(m->host.ctx, 0, UIOMMU_PAGES_ATOMIC, &phys);
    m->host.pages_free(m->host.ctx, virt, phys, 0);
    sim_atomic(m, false);
    sleep_in_all_ways(m);
    close_sim(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opposite_orders_are_noticed),
        cmocka_unit_test(a_destroyed_lock_leaves_no_order_behind),
        cmocka_unit_test(taking_twice_is_noticed),
        cmocka_unit_test(unlock_by_another_thread_is_noticed),
        cmocka_unit_test(bad_ends_of_locks_are_noticed),
        cmocka_unit_test(sleeping_under_a_spin_lock_is_noticed),
        cmocka_unit_test(sleeping_in_atomic_context_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
