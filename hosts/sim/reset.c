/* SPDX-License-Identifier: MIT */
/*
 * reset.c - functions that come, go and begin again: resets that software asks for
 * (PCIe 6.6), surprise removal, hot plug. Lock: pci.
 */
#include "private.h"

#include <string.h>

#define RESET_NS (UINT64_C(100) * 1000 * 1000) /* a function takes no longer */

static bool is_below(const struct sim_func *f, const struct sim_func *top)
{
    while (f != NULL && f != top) {
        f = f->parent;
    }
    return f == top;
}

/* ---- resets -------------------------------------------------------------- */

/* DMA that was under way has arrived when this returns, and there is no more. */
void sim_func_reset(struct sim *s, struct sim_func *f)
{
    pthread_mutex_lock(&s->pci.lock);
    memcpy(f->config, f->reset, sizeof(f->config));
    sim_pri_lose(f);
    f->ready_ns = atomic_load(&s->clock_ns) + RESET_NS;
    sim_route_update(s);
    pthread_mutex_unlock(&s->pci.lock);
    sim_atc_flush(f);
    sim_devtlbs_lose(s, f);
    sim_traffic_drain(s);
    sim_vfs_reset(s, f);
    if (f->accel != NULL) {
        sim_accel_reset(f);
    }
}

/* One level: virtual functions have none. */
void sim_vfs_reset(struct sim *s, const struct sim_func *pf)
{
    for (unsigned i = 0; pf->n_vfs > 0 && i < s->pci.n; i++) {
        if (s->pci.func[i].physical == pf) {
            sim_func_reset(s, &s->pci.func[i]);
        }
    }
}

void sim_bus_reset(struct sim *s, const struct sim_func *bridge)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        struct sim_func *f = &s->pci.func[i];

        if (f != bridge && is_below(f, bridge)) {
            sim_func_reset(s, f);
        }
    }
}

void sim_firmware(struct machine *m, unsigned dev)
{
    struct sim *s = sim_of(m);
    struct sim_func *f = &s->pci.func[dev];

    pthread_mutex_lock(&s->pci.lock);
    for (unsigned i = 0; i < s->pci.n; i++) {
        if (&s->pci.func[i] == f || s->pci.func[i].physical == f) {
            sim_config_firmware(&s->pci.func[i]);
        }
    }
    sim_route_update(s);
    pthread_mutex_unlock(&s->pci.lock);
}

/* ---- going and coming ---------------------------------------------------- */

void sim_unplug(struct machine *m, unsigned dev)
{
    struct sim *s = sim_of(m);

    pthread_mutex_lock(&s->pci.lock);
    s->pci.func[dev].gone = true;
    sim_route_update(s);
    pthread_mutex_unlock(&s->pci.lock);
    sim_traffic_drain(s);
}

static bool place_is_taken(struct sim *s, const struct sim_func *f)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        const struct sim_func *other = &s->pci.func[i];

        if (other != f && other->parent == f->parent &&
            other->row.devfn == f->row.devfn && !other->gone) {
            return true;
        }
    }
    return false;
}

/* It comes with nothing in it, and firmware has waited for it. */
static void arrive(struct sim *s, unsigned dev)
{
    struct sim_func *f = &s->pci.func[dev];

    if (f->physical == NULL) { /* else it came with that one */
        sim_func_reset(s, f);
        sim_firmware(&s->machine, dev);
    }
    f->ready_ns = 0;
}

bool sim_plug(struct machine *m, unsigned dev)
{
    struct sim *s = sim_of(m);
    struct sim_func *f = &s->pci.func[dev];
    bool taken;

    pthread_mutex_lock(&s->pci.lock);
    taken = place_is_taken(s, f);
    f->gone &= taken;
    pthread_mutex_unlock(&s->pci.lock);
    for (unsigned i = 0; !taken && i < s->pci.n; i++) {
        struct sim_func *other = &s->pci.func[i];

        if (is_below(other, f) || other->physical == f) {
            arrive(s, i);
        }
    }
    return !taken;
}
