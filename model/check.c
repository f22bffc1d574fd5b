/* SPDX-License-Identifier: MIT */
#include "model/check.h"

#include "base/store.h"
#include "model/door.h"
#include "model/say.h"
#include "model/unit.h"

void uim_check_hooks(struct uim_model *m, const struct uim_check *hooks)
{
    uim_unit_lock(m);
    m->check.hooks = hooks;
    uim_unit_unlock(m);
}

void uim_check_drop(struct uim_model *m, uint32_t kinds, uint32_t n)
{
    uim_unit_lock(m);
    m->check.drop_kinds = kinds;
    m->check.drop_left = n;
    uim_unit_unlock(m);
}

void uim_check_hold(struct uim_model *m, bool on)
{
    uim_unit_lock(m);
    m->check.hold = on;
    uim_unit_unlock(m);
    if (!on)
        uim_unit_run(m, 0);
}

unsigned uim_check_run(struct uim_model *m, unsigned n)
{
    return uim_unit_run(m, n);
}

unsigned uim_check_requests(struct uim_model *m, unsigned n)
{
    return uim_unit_requests(m, n);
}

void uim_check_caches_keep(struct uim_model *m, bool on)
{
    uim_unit_lock(m);
    m->check.bypass_caches = !on;
    uim_unit_unlock(m);
}

void uim_check_caches_drop(struct uim_model *m)
{
    m->ops->door->caches_drop(m);
}

void uim_check_memory_changed(struct uim_model *m, uint64_t gpa, uint64_t len)
{
    m->ops->door->memory_changed(m, gpa, len);
}

void uim_check_silent(struct uim_model *m, bool on)
{
    uim_unit_lock(m);
    m->check.silent = on;
    uim_unit_unlock(m);
    if (!on)
        uim_unit_run(m, 0);
}

void uim_check_inject(struct uim_model *m, const struct uim_check_inject *error)
{
    m->ops->door->inject(m, error);
}

static void tell_fetch(const struct uim_model *m, struct uim_check_fetch fetch)
{
    const struct uim_check *hooks = m->check.hooks;

    if (hooks && hooks->on_fetch)
        hooks->on_fetch(hooks->ctx, &fetch);
}

bool uim_door_read(const struct uim_model *m, uint64_t gpa, uint64_t *words,
                   unsigned n, bool snooped, bool recheck)
{
    uint32_t len = n * (uint32_t)sizeof(*words);

    tell_fetch(m, (struct uim_check_fetch){ .gpa = gpa,
                                            .len = len,
                                            .snooped = snooped,
                                            .recheck = recheck });
    if (m->host->mem_read(m->host->ctx, gpa, words, len) < 0)
        return false;
    for (unsigned i = 0; i < n; i++)
        words[i] = uim_le64(words[i]);
    return true;
}

int uim_door_cas(const struct uim_model *m, uint64_t gpa, uint64_t expect,
                 uint64_t want, bool snooped)
{
    expect = uim_le64(expect);
    want = uim_le64(want);
    tell_fetch(m, (struct uim_check_fetch){ .gpa = gpa,
                                            .len = sizeof(want),
                                            .snooped = snooped,
                                            .write = true });
    return m->host->mem_cas(m->host->ctx, gpa, &expect, &want, sizeof(want));
}

bool uim_door_write32(const struct uim_model *m, uint64_t gpa, uint32_t value)
{
    uint8_t bytes[4];

    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    tell_fetch(m, (struct uim_check_fetch){ .gpa = gpa,
                                            .len = sizeof(bytes),
                                            .snooped = true,
                                            .write = true });
    return m->host->mem_write(m->host->ctx, gpa, bytes, sizeof(bytes)) >= 0;
}

bool uim_door_write(const struct uim_model *m, uint64_t gpa,
                    const uint64_t *words, unsigned n, bool snooped)
{
    uint64_t raw[UIM_DOOR_WORDS];
    uint32_t len = n * (uint32_t)sizeof(*raw);

    for (unsigned i = 0; i < n; i++)
        raw[i] = uim_le64(words[i]);
    tell_fetch(m,
               (struct uim_check_fetch){
                   .gpa = gpa, .len = len, .snooped = snooped, .write = true });
    return m->host->mem_write(m->host->ctx, gpa, raw, len) >= 0;
}

static bool swallows(struct uim_model_check *check, enum uim_check_kind kind)
{
    if (check->drop_left == 0 || !(check->drop_kinds & (1u << kind)))
        return false;
    if (check->drop_left != UIM_CHECK_EVERY)
        check->drop_left--;
    return true;
}

bool uim_door_invalidate(struct uim_model *m, struct uim_check_inval *inval)
{
    const struct uim_check *hooks = m->check.hooks;

    inval->dropped = swallows(&m->check, inval->kind);
    if (hooks && hooks->on_invalidate)
        hooks->on_invalidate(hooks->ctx, inval);
    return inval->dropped;
}

void uim_door_stale(const struct uim_model *m,
                    const struct uim_check_stale *stale)
{
    const struct uim_check *hooks = m->check.hooks;

    if (hooks && hooks->on_stale)
        hooks->on_stale(hooks->ctx, stale);
    else
        uim_say(m->host, UIM_MODEL_ERROR, "%s", stale->text);
}
