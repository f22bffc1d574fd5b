/* SPDX-License-Identifier: MIT */
/*
 * stall.c - DMA that the unit lets wait (UIE_STALLED): by tag, what became of it. The
 * answer may be there before the engine has noticed that it waits. Lock: text.
 */
#include "private.h"

#include <stdlib.h>

enum { ROUNDS = 100 };

struct sim_wait {
    uint32_t tag;
    bool begun;
    enum sim_stall state;
};

/* NULL: nobody waits so. */
static struct sim_wait *find(struct sim_waits *w, uint32_t tag)
{
    for (unsigned i = 0; i < w->n; i++) {
        if (w->wait[i].tag == tag) {
            return &w->wait[i];
        }
    }
    return NULL;
}

static struct sim_wait *find_or_add(struct sim_waits *w, uint32_t tag)
{
    struct sim_wait *found = find(w, tag);
    struct sim_wait *bigger;

    if (found != NULL) {
        return found;
    }
    bigger = realloc(w->wait, (w->n + 1) * sizeof(*bigger));
    if (bigger == NULL) {
        return NULL;
    }
    w->wait = bigger;
    w->wait[w->n] = (struct sim_wait){ .tag = tag };
    return &w->wait[w->n++];
}

void sim_stall_begin(struct sim *s, uint32_t tag)
{
    struct sim_wait *w;

    pthread_mutex_lock(&s->text_lock);
    w = find_or_add(&s->waits, tag);
    if (w != NULL) {
        w->begun = true;
    }
    pthread_mutex_unlock(&s->text_lock);
}

void sim_stall_end(struct sim *s, uint32_t tag, uint32_t code)
{
    bool twice = false;
    struct sim_wait *w;

    pthread_mutex_lock(&s->text_lock);
    w = find_or_add(&s->waits, tag);
    if (w != NULL) {
        twice = w->state != SIM_STALL_WAITS;
        w->state = code == 0 ? SIM_STALL_RETRY : SIM_STALL_ABORT;
    }
    pthread_mutex_unlock(&s->text_lock);
    if (twice) {
        sim_report(s, "the stalled DMA 0x%x is ended twice", tag);
    }
}

/* Once it is not waiting any more, it is forgotten. */
static enum sim_stall take(struct sim *s, uint32_t tag)
{
    enum sim_stall state = SIM_STALL_ABORT;
    struct sim_wait *w;

    pthread_mutex_lock(&s->text_lock);
    w = find(&s->waits, tag);
    if (w != NULL) {
        state = w->state;
        if (state != SIM_STALL_WAITS) {
            *w = s->waits.wait[--s->waits.n];
        }
    }
    pthread_mutex_unlock(&s->text_lock);
    return state;
}

enum sim_stall sim_stall_wait(struct sim *s, uint32_t tag)
{
    enum sim_stall state = take(s, tag);

    for (unsigned i = 0; i < ROUNDS && state == SIM_STALL_WAITS && s->auto_irq;
         i++) {
        machine_run(&s->machine);
        state = take(s, tag);
    }
    return state;
}

void sim_stalls_forget(struct sim *s)
{
    pthread_mutex_lock(&s->text_lock);
    s->waits.n = 0;
    pthread_mutex_unlock(&s->text_lock);
}

void sim_stalls_close(struct sim *s)
{
    free(s->waits.wait);
}

enum sim_stall sim_stall(struct machine *m, uint32_t tag)
{
    struct sim *s = sim_of(m);
    enum sim_stall state = SIM_STALL_ABORT;
    const struct sim_wait *w;

    pthread_mutex_lock(&s->text_lock);
    w = find(&s->waits, tag);
    if (w != NULL) {
        state = w->state;
    }
    pthread_mutex_unlock(&s->text_lock);
    return state;
}

unsigned sim_stalls(struct machine *m)
{
    struct sim *s = sim_of(m);
    unsigned n = 0;

    pthread_mutex_lock(&s->text_lock);
    for (unsigned i = 0; i < s->waits.n; i++) {
        n +=
            s->waits.wait[i].begun && s->waits.wait[i].state == SIM_STALL_WAITS;
    }
    pthread_mutex_unlock(&s->text_lock);
    return n;
}
