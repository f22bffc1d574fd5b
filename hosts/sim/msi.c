/* SPDX-License-Identifier: MIT */
/*
 * msi.c - interrupt messages: those that units allocate and send, those that
 * devices send, and the interrupt controller where they arrive. Lock: text.
 */
#include "private.h"

#include <stdlib.h>

/* As a PC's local APIC would have it: destination 1, vectors from 30h. */
enum { FIRST_VECTOR = 0x30 };

/* As the models' firmware tables say: bus ffh, 00.0. */
enum { IOAPIC_RID = 0xff00 };

#define DESTINATION (SIM_MSI_START | 1u << 12)

/* Both lists grow one by one: interrupts are rare. */
static bool list_add(struct sim_post **list, unsigned *n, struct sim_post post)
{
    struct sim_post *bigger = realloc(*list, (*n + 1) * sizeof(*bigger));

    if (bigger == NULL) {
        return false;
    }
    bigger[*n] = post;
    *list = bigger;
    (*n)++;
    return true;
}

/* The first of the list, taken out; false: it is empty. */
static bool list_take(struct sim_post *list, unsigned *n, struct sim_post *out)
{
    if (*n == 0) {
        return false;
    }
    *out = list[0];
    for (unsigned i = 1; i < *n; i++) {
        list[i - 1] = list[i];
    }
    (*n)--;
    return true;
}

/* ---- what units allocate ------------------------------------------------- */

static int slot_of(const struct sim *s, unsigned unit, unsigned n)
{
    for (int i = 0; i < SIM_MAX_MSIS; i++) {
        if (s->msis.slot[i].used && s->msis.slot[i].unit == unit &&
            s->msis.slot[i].n == n) {
            return i;
        }
    }
    return -1;
}

static int slot_free(const struct sim *s)
{
    for (int i = 0; i < SIM_MAX_MSIS; i++) {
        if (!s->msis.slot[i].used) {
            return i;
        }
    }
    return -1;
}

enum uiommu_status sim_msi_alloc(void *ctx, unsigned unit, unsigned n,
                                 uint64_t *addr, uint32_t *data)
{
    struct sim *s = ctx;
    int old, slot;

    sim_sleeps(s, "msi_alloc");
    if (!s->inject.spare_msi && sim_inject(s)) {
        return UIOMMU_NOSPC;
    }
    pthread_mutex_lock(&s->text_lock);
    old = slot_of(s, unit, n);
    slot = slot_free(s);
    if (slot >= 0) {
        s->msis.slot[slot].used = true;
        s->msis.slot[slot].unit = unit;
        s->msis.slot[slot].n = n;
        s->count.msis++;
    }
    pthread_mutex_unlock(&s->text_lock);
    if (old >= 0) {
        sim_report(s, "msi_alloc of interrupt %u of unit %u, which has one", n,
                   unit);
    }
    if (slot < 0) {
        return UIOMMU_NOSPC;
    }
    *addr = DESTINATION;
    *data = FIRST_VECTOR + (uint32_t)slot;
    return UIOMMU_OK;
}

void sim_msi_free(void *ctx, unsigned unit, unsigned n)
{
    struct sim *s = ctx;
    int slot;

    sim_sleeps(s, "msi_free");
    pthread_mutex_lock(&s->text_lock);
    slot = slot_of(s, unit, n);
    if (slot >= 0) {
        s->msis.slot[slot].used = false;
        s->count.msis--;
    }
    pthread_mutex_unlock(&s->text_lock);
    if (slot < 0) {
        sim_report(s, "msi_free of interrupt %u of unit %u, which has none", n,
                   unit);
    }
}

/* ---- what is sent -------------------------------------------------------- */

static bool is_allocated(const struct sim *s, const struct sim_post *post)
{
    uint32_t slot = post->data - FIRST_VECTOR;

    return post->addr == DESTINATION && slot < SIM_MAX_MSIS &&
           s->msis.slot[slot].used;
}

/* A message that is due already does not become due twice: the controller has
 * one bit for it. False: it is nobody's. */
static bool make_due(struct sim *s, const struct sim_post *post)
{
    if (!is_allocated(s, post)) {
        return false;
    }
    for (unsigned i = 0; i < s->msis.n_due; i++) {
        if (s->msis.due[i].data == post->data) {
            return true;
        }
    }
    list_add(&s->msis.due, &s->msis.n_due, *post);
    return true;
}

/* The model may hold its locks here: only noted, see sim_posts_deliver(). */
void sim_raise_msi(void *opaque, uint64_t addr, uint32_t data)
{
    struct sim *s = opaque;

    pthread_mutex_lock(&s->text_lock);
    list_add(&s->msis.posted, &s->msis.n_posted,
             (struct sim_post){ .addr = addr, .data = data });
    pthread_mutex_unlock(&s->text_lock);
}

void sim_post_answer(void *opaque, const struct uie_page_response *r)
{
    struct sim *s = opaque;

    pthread_mutex_lock(&s->text_lock);
    list_add(&s->msis.posted, &s->msis.n_posted,
             (struct sim_post){ .answers = true, .answer = *r });
    pthread_mutex_unlock(&s->text_lock);
}

/* Tags of stalls are larger than any number of a group. */
static void deliver_answer(struct sim *s, const struct uie_page_response *r)
{
    if (r->group >= 0x200) {
        sim_stall_end(s, r->group, r->code);
    } else {
        sim_pri_answer(s, r);
    }
}

static void deliver_post(struct sim *s, const struct sim_post *post)
{
    uint8_t bytes[4] = { (uint8_t)post->data, (uint8_t)(post->data >> 8),
                         (uint8_t)(post->data >> 16),
                         (uint8_t)(post->data >> 24) };
    bool known;

    if (post->answers) {
        deliver_answer(s, &post->answer);
        return;
    }
    if (sim_is_ram(s, post->addr, 4)) {
        sim_mem_write(s, post->addr, bytes, 4);
        return;
    }
    pthread_mutex_lock(&s->text_lock);
    known = make_due(s, post);
    pthread_mutex_unlock(&s->text_lock);
    if (!known) {
        sim_report(s,
                   "a unit sent an interrupt message that nobody allocated:"
                   " address 0x%llx, data 0x%x",
                   (unsigned long long)post->addr, post->data);
    }
}

void sim_posts_deliver(struct sim *s)
{
    struct sim_post post;
    bool more;

    do {
        pthread_mutex_lock(&s->text_lock);
        more = list_take(s->msis.posted, &s->msis.n_posted, &post);
        pthread_mutex_unlock(&s->text_lock);
        if (more) {
            deliver_post(s, &post);
        }
    } while (more);
}

void sim_msi_arrives(struct sim *s, uint64_t addr, uint32_t data,
                     uint32_t device_id)
{
    struct sim_post post = { .addr = addr, .data = data };
    struct sim_seen *bigger;

    pthread_mutex_lock(&s->text_lock);
    make_due(s, &post);
    bigger = realloc(s->msis.seen, (s->msis.n_seen + 1) * sizeof(*bigger));
    if (bigger != NULL) {
        bigger[s->msis.n_seen] = (struct sim_seen){ { addr, data }, device_id };
        s->msis.seen = bigger;
        s->msis.n_seen++;
    }
    pthread_mutex_unlock(&s->text_lock);
}

/* ---- where it arrives ---------------------------------------------------- */

/* The next interrupt of a unit; one whose msi_free came first is lost. */
static bool next_irq(struct sim *s, unsigned *unit, unsigned *n)
{
    struct sim_post post;
    bool found = false;

    pthread_mutex_lock(&s->text_lock);
    while (!found && list_take(s->msis.due, &s->msis.n_due, &post)) {
        found = is_allocated(s, &post);
    }
    if (found) {
        *unit = s->msis.slot[post.data - FIRST_VECTOR].unit;
        *n = s->msis.slot[post.data - FIRST_VECTOR].n;
    }
    pthread_mutex_unlock(&s->text_lock);
    return found;
}

void sim_msis_run(struct sim *s)
{
    unsigned rounds = 10000; /* a handler that causes its own interrupt ends */
    unsigned unit, n;

    while (rounds > 0 && next_irq(s, &unit, &n)) {
        if (s->machine.on_irq != NULL) {
            s->machine.on_irq(s->machine.irq_ctx, unit, n);
        }
        rounds--;
    }
    if (rounds == 0) {
        sim_report(s, "interrupts of unit %u do not stop", unit);
    }
}

unsigned sim_irqs_pending(struct machine *m)
{
    struct sim *s = sim_of(m);
    unsigned n;

    pthread_mutex_lock(&s->text_lock);
    n = s->msis.n_due;
    pthread_mutex_unlock(&s->text_lock);
    return n;
}

unsigned sim_msi_count(struct machine *m)
{
    struct sim *s = sim_of(m);
    unsigned n;

    pthread_mutex_lock(&s->text_lock);
    n = s->msis.n_seen;
    pthread_mutex_unlock(&s->text_lock);
    return n;
}

struct sim_msi sim_msi_at(struct machine *m, unsigned i)
{
    struct sim *s = sim_of(m);
    struct sim_msi msi = { 0, 0 };

    pthread_mutex_lock(&s->text_lock);
    if (i < s->msis.n_seen) {
        msi = s->msis.seen[i].msi;
    }
    pthread_mutex_unlock(&s->text_lock);
    return msi;
}

uint32_t sim_msi_device(struct machine *m, unsigned i)
{
    struct sim *s = sim_of(m);
    uint32_t id = 0;

    pthread_mutex_lock(&s->text_lock);
    if (i < s->msis.n_seen) {
        id = s->msis.seen[i].device_id;
    }
    pthread_mutex_unlock(&s->text_lock);
    return id;
}

/* What an I/O APIC makes of a redirection entry: bits 63:48 are 19:4 of the address,
 * as a destination or a handle; bit 11 is 2 of it; bits 15 and 10:0 are data. */
enum machine_dma sim_machine_raise_pin(struct machine *m, uint64_t rte)
{
    struct sim *s = sim_of(m);
    uint64_t addr =
        SIM_MSI_START | (rte >> 48 & 0xffff) << 4 | (rte >> 11 & 1) << 2;
    uint32_t data = (uint32_t)rte & 0x87ff;
    int result;

    pthread_mutex_lock(&s->unit_lock);
    result =
        s->ops->remap_msi(s->model, IOAPIC_RID, 0, addr, data, &addr, &data);
    pthread_mutex_unlock(&s->unit_lock);
    sim_posts_deliver(s);
    if (result == 0) {
        sim_msi_arrives(s, addr, data, 0);
    }
    return MACHINE_DMA_DONE;
}

/* Intel SDM volume 3, "Message Signalled Interrupts"; the upper half of the address
 * has bits 31:8 of an x2APIC id. */
static struct uiommu_irq_target target_of(const struct sim_seen *seen)
{
    const struct sim_msi msi = seen->msi;

    if (msi.addr == SIM_TRANSLATER) {
        return (struct uiommu_irq_target){ .destination = seen->device_id,
                                           .vector = (uint8_t)msi.data };
    }
    return (struct uiommu_irq_target){
        .destination =
            (uint32_t)(msi.addr >> 12 & 0xff) | (uint32_t)(msi.addr >> 40) << 8,
        .hint = msi.addr >> 3 & 1,
        .logical = msi.addr >> 2 & 1,
        .level = msi.data >> 15 & 1,
        .delivery = msi.data >> 8 & 7,
        .vector = (uint8_t)msi.data,
    };
}

bool sim_machine_take_irq(struct machine *m, struct uiommu_irq_target *out)
{
    struct sim *s = sim_of(m);
    bool arrived;

    pthread_mutex_lock(&s->text_lock);
    arrived = s->msis.n_taken < s->msis.n_seen;
    if (arrived) {
        *out = target_of(&s->msis.seen[s->msis.n_taken++]);
    }
    pthread_mutex_unlock(&s->text_lock);
    return arrived;
}

void sim_msis_check(struct sim *s)
{
    for (unsigned i = 0; i < SIM_MAX_MSIS; i++) {
        if (s->msis.slot[i].used) {
            sim_report(s, "leak: interrupt %u of unit %u", s->msis.slot[i].n,
                       s->msis.slot[i].unit);
        }
    }
}

void sim_msis_close(struct sim *s)
{
    free(s->msis.posted);
    free(s->msis.due);
    free(s->msis.seen);
}
