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

#define DEFAULT_BASE UINT64_C(0xfed90000)

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

/* No wires lead from the unit anywhere, and no engine sends page requests. */
static void set_irq(void *opaque, uint32_t line, int level)
{
    (void)opaque;
    (void)line;
    (void)level;
}

static void page_response(void *opaque, const struct uie_page_response *r)
{
    (void)opaque;
    (void)r;
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
    .page_response = page_response,
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

/* Registers of VT-d that set something off. */
static bool commands(uint64_t off)
{
    return off == 0x18 || off == 0x28 || off == 0x2c || off == 0xf8 ||
           off == 0xfc;
}

static void leave_rubbish(struct sim *s)
{
    const uint64_t fectl = 0x38, iectl = 0xa0, unmasked = 0x7fffffff;
    uint64_t x = 0x9e3779b97f4a7c15;

    for (uint64_t off = 0; s->rubbish && off < s->info.window[0].size;
         off += 4) {
        x = x * 6364136223846793005 + 1442695040888963407;
        if (!commands(off)) {
            uiommu_embed(UIE_ABI)->mmio_write(
                s->model, 0, off,
                off == fectl || off == iectl ? x >> 32 & unmasked : x >> 32, 4);
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

void sim_unit_close(struct sim *s)
{
    if (s->model != NULL) {
        s->ops->destroy(s->model);
    }
}

/* "key=value" strings by model; others know base= alone. */
static int vtd_args(const struct sim_config *config, char *buf, size_t size)
{
    static const char *const mode[] = {
        [SIM_LEGACY] = "scalable=0",
        [SIM_SCALABLE] = "scalable=1,ss=1,fs=0",
        [SIM_FIRST_STAGE] = "scalable=1,ss=0,fs=1",
    };

    return snprintf(
        buf, size, "base=0x%llx,%s,coherent=%d,cache=%s,cm=%d,dt=%d",
        (unsigned long long)DEFAULT_BASE, mode[config->mode],
        !config->non_coherent, config->adversarial ? "adversarial" : "normal",
        config->caching_mode, config->ats);
}

int sim_compose_args(const struct sim_config *config, char *buf, size_t size)
{
    const char *model = config->model != NULL ? config->model : "vtd";
    const char *more = config->args != NULL ? config->args : "";
    char own[160];

    if (config->only_args != NULL) {
        return snprintf(buf, size, "%s", config->only_args);
    }
    if (strcmp(model, "vtd") == 0) {
        vtd_args(config, own, sizeof(own));
    } else {
        snprintf(own, sizeof(own), "base=0x%llx",
                 (unsigned long long)DEFAULT_BASE);
    }
    return snprintf(buf, size, "%s%s%s", own, more[0] != '\0' ? "," : "", more);
}

void sim_reset_units(struct machine *m)
{
    struct sim *s = sim_of(m);

    pthread_mutex_lock(&s->unit_lock);
    s->ops->reset(s->model);
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
