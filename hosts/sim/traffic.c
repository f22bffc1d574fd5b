/* SPDX-License-Identifier: MIT */
/*
 * traffic.c - which DMA is under way. A part of one counts from where its translation is
 * looked up until its data have moved; invalidations wait for those that began before
 * (the drain), and whoever stops devices for all.
 *
 * While devices are stopped nothing is under way, so that invalidations are not waited
 * for longer; and no thread waits that may have locks of uiommu: what accelerators do
 * while somebody waits they do not do then (sim_devices_step).
 */
#include "private.h"

/* Of this thread: parts of a DMA under way, and steps of devices, in each other. */
static _Thread_local unsigned depth, admitted;

void sim_traffic_init(struct sim_traffic *t)
{
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->changed, NULL);
}

void sim_traffic_exit(struct sim_traffic *t)
{
    pthread_cond_destroy(&t->changed);
    pthread_mutex_destroy(&t->lock);
}

/* Who drains is not passed by new DMA. */
void sim_traffic_enter(struct sim *s)
{
    struct sim_traffic *t = &s->traffic;

    pthread_mutex_lock(&t->lock);
    while (t->draining > 0 || (t->stopped && admitted == 0)) {
        pthread_cond_wait(&t->changed, &t->lock);
    }
    t->under_way++;
    pthread_mutex_unlock(&t->lock);
    depth++;
}

static void changed(struct sim_traffic *t)
{
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

void sim_traffic_leave(struct sim *s)
{
    struct sim_traffic *t = &s->traffic;

    depth--;
    pthread_mutex_lock(&t->lock);
    t->under_way--;
    if (t->under_way == 0 && (t->draining > 0 || t->stopped)) {
        pthread_cond_broadcast(&t->changed);
    }
    pthread_mutex_unlock(&t->lock);
}

void sim_traffic_drain(struct sim *s)
{
    struct sim_traffic *t = &s->traffic;

    pthread_mutex_lock(&t->lock);
    t->draining++;
    while (t->under_way > 0) {
        pthread_cond_wait(&t->changed, &t->lock);
    }
    t->draining--;
    changed(t);
}

bool sim_in_traffic(void)
{
    return depth > 0;
}

/* ---- devices that are stopped ---------------------------------------------- */

/* Whoever stops devices waits for this thread, which does not wait for them to go on. */
static bool admit(struct sim_traffic *t)
{
    bool may;

    pthread_mutex_lock(&t->lock);
    may = !t->stopped || admitted > 0;
    t->steps += may;
    pthread_mutex_unlock(&t->lock);
    admitted += may;
    return may;
}

void sim_devices_step(struct sim *s)
{
    struct sim_traffic *t = &s->traffic;

    if (!admit(t)) {
        return;
    }
    sim_accels_run(s);
    admitted--;
    pthread_mutex_lock(&t->lock);
    t->steps--;
    changed(t);
}

uint64_t sim_device_ns(void *machine)
{
    struct sim *s = sim_of(machine);
    struct sim_traffic *t = &s->traffic;
    uint64_t ns;

    pthread_mutex_lock(&t->lock);
    ns = (t->stopped ? t->since : sim_now_ns(s)) - t->stood;
    pthread_mutex_unlock(&t->lock);
    return ns;
}

void sim_stop_devices(struct machine *m)
{
    struct sim_traffic *t = &sim_of(m)->traffic;

    pthread_mutex_lock(&t->lock);
    while (t->stopped) {
        pthread_cond_wait(&t->changed, &t->lock);
    }
    t->since = sim_now_ns(sim_of(m));
    t->stopped = !t->unstoppable;
    while (t->stopped && (t->under_way > 0 || t->steps > 0)) {
        pthread_cond_wait(&t->changed, &t->lock);
    }
    pthread_mutex_unlock(&t->lock);
}

void sim_unstoppable(struct machine *m, bool on)
{
    struct sim_traffic *t = &sim_of(m)->traffic;

    pthread_mutex_lock(&t->lock);
    t->unstoppable = on;
    pthread_mutex_unlock(&t->lock);
}

void sim_start_devices(struct machine *m)
{
    struct sim_traffic *t = &sim_of(m)->traffic;

    pthread_mutex_lock(&t->lock);
    t->stood += t->stopped ? sim_now_ns(sim_of(m)) - t->since : 0;
    t->stopped = false;
    changed(t);
}
