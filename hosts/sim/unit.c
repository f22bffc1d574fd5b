/* SPDX-License-Identifier: MIT */
/*
 * unit.c - the software IOMMU: created through the C ABI like any VMM would,
 * with the test door open.
 */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/embed/embed.h"
#include "hosts/sim/snapshots.h"

/* ---- what the model may call --------------------------------------------- */

static void unit_log(void *opaque, int level, const char *text)
{
    struct sim *s = opaque;

    pthread_mutex_lock(&s->text_lock);
    snprintf(s->last_model_log, sizeof(s->last_model_log), "%s", text);
    pthread_mutex_unlock(&s->text_lock);
    if (getenv("UIM_SIM_LOG") != NULL) {
        fprintf(stderr, "%s[%d]: %s\n", s->name, level, text);
    }
}

const char *sim_last_model_log(struct machine *m)
{
    return sim_of(m)->last_model_log;
}

/* No wires lead from the unit anywhere. */
static void set_irq(void *opaque, uint32_t line, int level)
{
    (void)opaque;
    (void)line;
    (void)level;
}

static void on_invalidate(void *ctx, const struct uim_check_inval *inval)
{
    struct sim *s = ctx;

    sim_flight_invalidate(s, inval);
    if (s->user_hooks.on_invalidate != NULL) {
        s->user_hooks.on_invalidate(s->user_hooks.ctx, inval);
    }
}

static const struct uie_host host_template = {
    .abi = UIE_ABI,
    .size = sizeof(struct uie_host),
    .mem_read = sim_mem_read,
    .mem_write = sim_mem_write,
    .mem_cas = sim_mem_cas,
    .raise_msi = sim_raise_msi,
    .set_irq = set_irq,
    .notify = sim_notify,
    .page_response = sim_post_answer,
    .now_ns = sim_now_ns,
    .log = unit_log,
};

/* ---- life ---------------------------------------------------------------- */

static uint64_t base_in(const char *args)
{
    const char *at = args;

    while (at != NULL && *at != '\0') {
        if (strncmp(at, "base=", 5) == 0) {
            return strtoull(at + 5, NULL, 0);
        }
        at = strchr(at, ',');
        if (at != NULL) {
            at++;
        }
    }
    return 0;
}

static void place_windows(struct sim *s, const char *args)
{
    uint64_t base = base_in(args);

    s->info.size = sizeof(s->info);
    s->ops->info(s->model, &s->info);
    if (base == 0) {
        base = s->info.window[0].preferred_base;
    }
    for (unsigned i = 0; i < s->info.n_windows && i < 4; i++) {
        s->window_base[i] = base;
        base += s->info.window[i].size;
    }
}

static void open_door(struct sim *s)
{
    s->hooks.ctx = s;
    s->hooks.on_fetch = sim_on_fetch;
    s->hooks.on_invalidate = on_invalidate;
    s->hooks.on_stale = sim_on_stale;
    uim_check_hooks(uim_embed_model(s->model), &s->hooks);
}

static void leave_rubbish(struct sim *s)
{
    uint64_t x = 0x9e3779b97f4a7c15;
    bool skip;

    for (uint64_t off = 0; s->rubbish && off < s->info.window[0].size;
         off += 4) {
        uint32_t value;

        x = x * 6364136223846793005 + 1442695040888963407;
        value = s->arch->rubbish(off, (uint32_t)(x >> 32), &skip);
        if (!skip) {
            uiommu_embed(UIE_ABI)->mmio_write(s->model, 0, off, value, 4);
        }
    }
}

bool sim_unit_open(struct sim *s, const char *model, const char *args)
{
    s->ops = uiommu_embed(UIE_ABI);
    s->unit_host = host_template;
    s->unit_host.opaque = s;
    if (s->fast && !s->non_coherent) {
        s->unit_host.mem_map = sim_mem_map;
    }
    s->model = s->ops->create(model, &s->unit_host, args);
    if (s->model == NULL) {
        snprintf(
            s->machine.error, sizeof(s->machine.error), "%.20s: %.200s", model,
            s->last_model_log[0] != '\0' ? s->last_model_log : "no such model");
        return false;
    }
    place_windows(s, args);
    leave_rubbish(s);
    if (!s->fast || s->non_coherent) {
        open_door(s);
    }
    if (s->late) {
        uim_check_hold(uim_embed_model(s->model), true);
    }
    if (s->snapshots) {
        s->ops = sim_snapshots();
    }
    return true;
}

/* A unit in no hurry does one thing in each round of somebody's wait, so that
 * what was ordered stays undone as long as nobody waits for it. */
void sim_unit_step(struct sim *s)
{
    if (!s->late) {
        return;
    }
    pthread_mutex_lock(&s->unit_lock);
    if (s->snapshots) {
        sim_snapshot_enter(s->model);
    }
    (void)uim_check_run(uim_embed_model(s->model), 1);
    if (s->snapshots) {
        sim_snapshot_leave();
    }
    pthread_mutex_unlock(&s->unit_lock);
    sim_posts_deliver(s);
}

/* Time passes, too, when nobody waits for anything. */
void sim_unit_requests(struct sim *s)
{
    if (!s->late) {
        return;
    }
    pthread_mutex_lock(&s->unit_lock);
    if (s->snapshots) {
        sim_snapshot_enter(s->model);
    }
    (void)uim_check_requests(uim_embed_model(s->model), UIM_CHECK_EVERY);
    if (s->snapshots) {
        sim_snapshot_leave();
    }
    pthread_mutex_unlock(&s->unit_lock);
}

void sim_unit_close(struct sim *s)
{
    if (s->model != NULL) {
        s->ops->destroy(s->model);
    }
}

const struct sim_arch *sim_arch_of(const struct sim_config *config)
{
    static const struct sim_arch *const all[] = { &sim_arch_vtd,
                                                  &sim_arch_smmuv3 };

    if (config->model == NULL) {
        return all[config->mode >= SIM_STAGE_1];
    }
    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (strcmp(config->model, all[i]->model) == 0) {
            return all[i];
        }
    }
    return NULL;
}

int sim_compose_args(const struct sim_config *config, char *buf, size_t size)
{
    const struct sim_arch *arch = sim_arch_of(config);
    const char *more = config->args != NULL ? config->args : "";
    char own[160];

    if (config->only_args != NULL) {
        return snprintf(buf, size, "%s", config->only_args);
    }
    if (arch != NULL) {
        arch->args(config, own, sizeof(own));
    } else {
        snprintf(own, sizeof(own), "base=0x%llx",
                 (unsigned long long)sim_arch_vtd.base);
    }
    return snprintf(buf, size, "%s%s%s", own, more[0] != '\0' ? "," : "", more);
}

void sim_reset_units(struct machine *m)
{
    struct sim *s = sim_of(m);

    pthread_mutex_lock(&s->unit_lock);
    s->ops->reset(s->model);
    sim_stalls_forget(s);
    leave_rubbish(s);
    pthread_mutex_unlock(&s->unit_lock);
    sim_posts_deliver(s);
}

const struct uie_ops *sim_ops(struct machine *m)
{
    return sim_of(m)->ops;
}

void *sim_model(struct machine *m)
{
    return sim_of(m)->model;
}

struct uim_model *sim_door(struct machine *m)
{
    return uim_embed_model(sim_of(m)->model);
}

void sim_hooks(struct machine *m, const struct uim_check *hooks)
{
    static const struct uim_check none;

    sim_of(m)->user_hooks = hooks != NULL ? *hooks : none;
}
