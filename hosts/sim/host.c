/* SPDX-License-Identifier: MIT */
/*
 * host.c - struct uiommu_host, put together; what is left of it: the log,
 * tables, time, fences; and the calls that fail because a test wants them to.
 */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- fault injection ----------------------------------------------------- */

/* Whether the countdown ends here, and what follows it then begins. */
static bool counts_down(struct sim_inject *j)
{
    if (j->first == 0) {
        return false;
    }
    j->first--;
    if (j->first > 0) {
        return false;
    }
    j->first = j->then;
    j->then = 0;
    j->failed++;
    return true;
}

bool sim_inject(struct sim *s)
{
    bool fails;

    pthread_mutex_lock(&s->inject.lock);
    s->inject.calls++;
    fails = counts_down(&s->inject);
    pthread_mutex_unlock(&s->inject.lock);
    return fails;
}

uint64_t sim_calls(struct machine *m)
{
    struct sim *s = sim_of(m);
    uint64_t calls;

    pthread_mutex_lock(&s->inject.lock);
    calls = s->inject.calls;
    pthread_mutex_unlock(&s->inject.lock);
    return calls;
}

void sim_fail_nth(struct machine *m, uint64_t n)
{
    struct sim *s = sim_of(m);

    pthread_mutex_lock(&s->inject.lock);
    s->inject.first = n;
    s->inject.then = 0;
    s->inject.failed = 0;
    pthread_mutex_unlock(&s->inject.lock);
}

void sim_fail_then(struct machine *m, uint64_t n)
{
    struct sim *s = sim_of(m);

    pthread_mutex_lock(&s->inject.lock);
    s->inject.then = n;
    pthread_mutex_unlock(&s->inject.lock);
}

unsigned sim_failed(struct machine *m)
{
    struct sim *s = sim_of(m);
    unsigned failed;

    pthread_mutex_lock(&s->inject.lock);
    failed = s->inject.failed;
    pthread_mutex_unlock(&s->inject.lock);
    return failed;
}

void sim_fail_spare_msi(struct machine *m)
{
    sim_of(m)->inject.spare_msi = true;
}

bool sim_fail_armed(struct machine *m)
{
    struct sim *s = sim_of(m);
    bool armed;

    pthread_mutex_lock(&s->inject.lock);
    armed = s->inject.first > 0;
    pthread_mutex_unlock(&s->inject.lock);
    return armed;
}

/* ---- log and tables ------------------------------------------------------ */

static void host_log(void *ctx, enum uiommu_log_level level, const char *text)
{
    struct sim *s = ctx;

    if (strchr(text, '\n') != NULL) {
        sim_report(s, "log text with a line break: %s", text);
    }
    pthread_mutex_lock(&s->text_lock);
    if ((unsigned)level < 4) {
        s->count.logs[level]++;
    }
    snprintf(s->last_log, sizeof(s->last_log), "%s", text);
    pthread_mutex_unlock(&s->text_lock);
    if (getenv("UIM_SIM_LOG") != NULL) {
        fprintf(stderr, "uiommu[%d]: %s\n", (int)level, text);
    }
}

const char *sim_last_log(struct machine *m)
{
    return sim_of(m)->last_log;
}

static const void *map_table(void *ctx, const char signature[4], unsigned index,
                             size_t *size)
{
    struct sim *s = ctx;

    sim_sleeps(s, "map_table");
    if (index == 0 && s->its && memcmp(s->madt, signature, 4) == 0) {
        SIM_COUNT(s, tables, 1);
        *size = sizeof(s->madt);
        return s->madt;
    }
    if (index != 0 || s->table_size < 4 ||
        memcmp(s->table, signature, 4) != 0) {
        return NULL;
    }
    SIM_COUNT(s, tables, 1);
    *size = s->table_size;
    return s->table;
}

static void unmap_table(void *ctx, const void *table, size_t size)
{
    struct sim *s = ctx;

    sim_sleeps(s, "unmap_table");
    if (table == s->madt ? size != sizeof(s->madt)
                         : table != s->table || size != s->table_size) {
        sim_report(s, "unmap_table of what map_table did not give");
        return;
    }
    if (s->count.tables == 0) {
        sim_report(s, "unmap_table of what map_table did not give");
        return;
    }
    SIM_COUNT(s, tables, -1u);
}

/* ---- time and order ------------------------------------------------------ */

static uint64_t real_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t sim_now_ns(void *ctx)
{
    struct sim *s = ctx;

    if (s->fast) {
        return real_ns();
    }
    return atomic_fetch_add(&s->clock_ns, 100) + 100;
}

void sim_advance(struct machine *m, uint64_t ns)
{
    atomic_fetch_add(&sim_of(m)->clock_ns, ns);
}

/* What a thread has of its own has an address that no other's has. */
static uintptr_t host_thread(void *ctx)
{
    static _Thread_local char own;

    (void)ctx;
    return (uintptr_t)&own;
}

static void host_relax(void *ctx)
{
    struct sim *s = ctx;

    atomic_fetch_add(&s->clock_ns, 1000);
    sim_unit_step(s);
    sim_messages_age(s);
    sim_devtlbs_run(s);
    sim_devices_step(s);
}

static void host_fence(void *ctx)
{
    struct sim *s = ctx;

    atomic_thread_fence(memory_order_seq_cst);
    SIM_COUNT(s, fences, 1);
    if (s->watch != NULL) {
        s->watch(s->watch_ctx, SIM_FENCE, 0, 0, 0);
    }
}

void sim_watch(struct machine *m, sim_watch_fn fn, void *ctx)
{
    struct sim *s = sim_of(m);

    s->watch = fn;
    s->watch_ctx = ctx;
}

/* ---- the struct ---------------------------------------------------------- */

static const struct uiommu_host host_template = {
    .size = sizeof(struct uiommu_host),
    .map_table = map_table,
    .unmap_table = unmap_table,
    .log = host_log,
    .alloc = sim_alloc,
    .free = sim_free,
    .pages_alloc = sim_pages_alloc,
    .pages_free = sim_pages_free,
    .flush = sim_flush,
    .fence = host_fence,
    .mmio_map = sim_mmio_map,
    .mmio_unmap = sim_mmio_unmap,
    .mmio_read32 = sim_mmio_read32,
    .mmio_read64 = sim_mmio_read64,
    .mmio_write32 = sim_mmio_write32,
    .mmio_write64 = sim_mmio_write64,
    .pci_read = sim_pci_read,
    .pci_write = sim_pci_write,
    .mutex_create = sim_mutex_create,
    .mutex_destroy = sim_mutex_destroy,
    .mutex_lock = sim_mutex_lock,
    .mutex_unlock = sim_mutex_unlock,
    .spin_create = sim_spin_create,
    .spin_destroy = sim_spin_destroy,
    .spin_lock = sim_spin_lock,
    .spin_unlock = sim_spin_unlock,
    .now_ns = sim_now_ns,
    .relax = host_relax,
    .msi_alloc = sim_msi_alloc,
    .msi_free = sim_msi_free,
    .memory_map = sim_memory_map,
    .memory_unmap = sim_memory_unmap,
    .thread = host_thread,
};

void sim_host_fill(struct sim *s, const struct sim_config *config)
{
    struct uiommu_host *h = &s->machine.host;

    *h = host_template;
    h->ctx = s;
    if (config->phys_to_virt) {
        h->phys_to_virt = sim_phys_to_virt;
    } else {
        h->direct_map = true;
        h->direct_offset = (uintptr_t)s->memory.cpu;
    }
    if (config->polling) {
        h->msi_alloc = NULL;
        h->msi_free = NULL;
    }
}
