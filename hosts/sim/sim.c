/* SPDX-License-Identifier: MIT */
/*
 * sim.c - opening and closing a machine; its ops.
 */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_RAM (UINT64_C(64) << 20)

/* ---- ops ----------------------------------------------------------------- */

/* Engines of sim have no rings in RAM. */
static struct uiommu_range engine_area(struct machine *m, unsigned dev)
{
    (void)m;
    (void)dev;
    return (struct uiommu_range){ 0, 0 };
}

static bool run(struct machine *m)
{
    struct sim *s = sim_of(m);

    sim_messages_arrive(s, SIM_EVERYBODY);
    sim_unit_requests(s);
    sim_posts_deliver(s);
    sim_messages_arrive(s, SIM_EVERYBODY);
    sim_devtlbs_run(s);
    sim_devices_step(s);
    sim_msis_run(s);
    return true;
}

static void machine_ops_close(struct machine *m)
{
    sim_close(m);
}

static const struct machine_ops sim_machine_ops = {
    .dma = sim_machine_dma,
    .engine_area = engine_area,
    .send_irq = sim_machine_send_irq,
    .raise_pin = sim_machine_raise_pin,
    .take_irq = sim_machine_take_irq,
    .run = run,
    .close = machine_ops_close,
};

void sim_auto_irq(struct machine *m, bool on)
{
    sim_of(m)->auto_irq = on;
}

/* ---- open ---------------------------------------------------------------- */

static void locks_init(struct sim *s)
{
    pthread_mutex_init(&s->text_lock, NULL);
    pthread_mutex_init(&s->memory.lock, NULL);
    pthread_mutex_init(&s->memory.lines, NULL);
    pthread_mutex_init(&s->heap.lock, NULL);
    pthread_mutex_init(&s->locks.lock, NULL);
    pthread_mutex_init(&s->inject.lock, NULL);
    pthread_mutex_init(&s->unit_lock, NULL);
    pthread_mutex_init(&s->pci.lock, NULL);
    sim_traffic_init(&s->traffic);
}

static void locks_exit(struct sim *s)
{
    sim_traffic_exit(&s->traffic);
    pthread_mutex_destroy(&s->pci.lock);
    pthread_mutex_destroy(&s->unit_lock);
    pthread_mutex_destroy(&s->inject.lock);
    pthread_mutex_destroy(&s->locks.lock);
    pthread_mutex_destroy(&s->heap.lock);
    pthread_mutex_destroy(&s->memory.lines);
    pthread_mutex_destroy(&s->memory.lock);
    pthread_mutex_destroy(&s->text_lock);
}

static void to_stderr(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "sim: %s\n", text);
}

static struct sim *sim_new(const struct sim_config *config)
{
    struct sim *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        return NULL;
    }
    locks_init(s);
    s->non_coherent = config->non_coherent;
    s->rubbish = config->rubbish;
    s->late = config->adversarial;
    s->fast = config->fast;
    s->snapshots = config->snapshots;
    s->split64 = config->split64;
    s->on_problem = config->on_problem != NULL ? config->on_problem : to_stderr;
    s->problem_ctx = config->problem_ctx;
    s->memory.low_size = config->ram_size > 0 ? config->ram_size : DEFAULT_RAM;
    s->memory.high_size = config->high_ram_size;
    s->machine.ops = &sim_machine_ops;
    return s;
}

static bool ram_size_good(struct sim *s)
{
    struct sim_memory *r = &s->memory;

    if (r->low_size > SIM_HOLE_START || r->low_size % SIM_PAGE_SIZE != 0 ||
        r->high_size % SIM_PAGE_SIZE != 0) {
        snprintf(s->machine.error, sizeof(s->machine.error),
                 "RAM is whole pages, at most 3 GiB below 4 GiB");
        return false;
    }
    return true;
}

static bool build(struct sim *s, const struct sim_config *config)
{
    const char *model = config->model;
    char args[512];

    s->arch = sim_arch_of(config);
    if (model == NULL) {
        model = s->arch->model;
    }
    if (sim_compose_args(config, args, sizeof(args)) >= (int)sizeof(args)) {
        snprintf(s->machine.error, sizeof(s->machine.error),
                 "the model's arguments are too long");
        return false;
    }
    snprintf(s->name, sizeof(s->name), "sim:%.20s", model);
    s->machine.name = s->name;
    return ram_size_good(s) && sim_memory_open(s) &&
           sim_topology_open(s, config) && sim_unit_open(s, model, args) &&
           sim_table_open(s, config);
}

static void demolish(struct sim *s)
{
    sim_unit_close(s);
    sim_devtlbs_close(s);
    sim_stalls_close(s);
    sim_messages_close(s);
    sim_msis_close(s);
    sim_mmio_close(s);
    sim_topology_close(s);
    sim_locks_close(s);
    sim_heap_close(s);
    sim_memory_close(s);
    sim_texts_free(&s->violations);
    sim_texts_free(&s->stale_texts);
    free(s->stale);
    free(s->table);
    locks_exit(s);
    free(s);
}

struct machine *sim_open(const struct sim_config *config, char *error,
                         size_t size)
{
    struct sim *s = sim_new(config);

    if (s == NULL || !build(s, config)) {
        snprintf(error, size, "%s",
                 s == NULL || s->machine.error[0] == '\0' ? "no memory"
                                                          : s->machine.error);
        if (s != NULL) {
            demolish(s);
        }
        return NULL;
    }
    sim_host_fill(s, config);
    return &s->machine;
}

/* ---- close --------------------------------------------------------------- */

unsigned sim_check_leaks(struct machine *m)
{
    struct sim *s = sim_of(m);
    unsigned before = sim_violations(m);

    s->leaks_told = true;
    sim_pages_check(s);
    sim_heap_check(s);
    sim_locks_check(s);
    sim_mmio_check(s);
    sim_msis_check(s);
    sim_pri_check(s);
    sim_foreign_check(s);
    if (s->count.memory_maps > 0) {
        sim_report(s, "leak: %u times memory_map", s->count.memory_maps);
    }
    if (s->count.tables > 0) {
        sim_report(s, "leak: %u times map_table", s->count.tables);
    }
    return sim_violations(m) - before;
}

unsigned sim_close(struct machine *m)
{
    struct sim *s = sim_of(m);
    unsigned n;

    if (!s->leaks_told) {
        sim_check_leaks(m);
    }
    n = sim_violations(m);
    for (unsigned i = 0; i < s->violations.n; i++) {
        s->on_problem(s->problem_ctx, s->violations.text[i]);
    }
    demolish(s);
    return n;
}
