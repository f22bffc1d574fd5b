/* SPDX-License-Identifier: MIT */
/*
 * foreign.c - physical addresses whose contents are somebody else's. They lie far above
 * RAM, and are found without a lock: they change while devices are stopped.
 */
#include "private.h"

#define FOREIGN_START UINT64_C(0x400000000)
#define FOREIGN_END   UINT64_C(0x800000000)

const struct sim_foreign *sim_foreign_at(const struct sim *s, uint64_t addr)
{
    if (addr < FOREIGN_START) {
        return NULL;
    }
    for (unsigned i = 0; i < SIM_FOREIGN; i++) {
        const struct sim_foreign *f = &s->foreign[i];

        if (addr - f->start < f->size) {
            return f;
        }
    }
    return NULL;
}

static bool is_free(const struct sim *s, uint64_t start, uint64_t size)
{
    for (unsigned i = 0; i < SIM_FOREIGN; i++) {
        const struct sim_foreign *f = &s->foreign[i];

        if (f->size > 0 && start < f->start + f->size &&
            f->start < start + size) {
            return false;
        }
    }
    return start >= s->memory.top && start <= FOREIGN_END &&
           size <= FOREIGN_END - start;
}

/* Where there is room: at the start, or behind another. */
static bool find_room(const struct sim *s, uint64_t size, uint64_t *start)
{
    *start = FOREIGN_START;
    for (unsigned i = 0; i < SIM_FOREIGN && !is_free(s, *start, size); i++) {
        *start = s->foreign[i].start + s->foreign[i].size;
    }
    return is_free(s, *start, size);
}

static struct sim_foreign *unused(struct sim *s)
{
    for (unsigned i = 0; i < SIM_FOREIGN; i++) {
        if (s->foreign[i].size == 0) {
            return &s->foreign[i];
        }
    }
    return NULL;
}

bool sim_foreign_open(struct machine *m, uint64_t size,
                      const struct sim_foreign_ops *ops, void *ctx,
                      uint64_t *start)
{
    struct sim *s = sim_of(m);
    struct sim_foreign *f;
    bool ok;

    sim_stop_devices(m);
    f = unused(s);
    ok = f != NULL && size > 0 && size % SIM_PAGE_SIZE == 0 &&
         find_room(s, size, start);
    if (ok) {
        *f = (struct sim_foreign){ *start, size, ops, ctx };
    }
    sim_start_devices(m);
    return ok;
}

void sim_foreign_close(struct machine *m, uint64_t start)
{
    struct sim *s = sim_of(m);

    sim_stop_devices(m);
    for (unsigned i = 0; i < SIM_FOREIGN; i++) {
        if (s->foreign[i].start == start) {
            s->foreign[i].size = 0;
        }
    }
    sim_start_devices(m);
}

void sim_foreign_check(struct sim *s)
{
    for (unsigned i = 0; i < SIM_FOREIGN; i++) {
        if (s->foreign[i].size > 0) {
            sim_report(s, "leak: foreign memory at 0x%llx",
                       (unsigned long long)s->foreign[i].start);
        }
    }
}
