/* SPDX-License-Identifier: MIT */
/*
 * pri.c - page requests of the functions, and the answers they get (spec/pci.md
 * sections 3 and 8). The interface is the physical function's: its virtual ones
 * share the enable bit, the credits, and what goes wrong. Lock: pci.
 *
 * On a late machine messages take their time: both ways they arrive before the function
 * says that it has done an invalidation of its device TLB (VT-d 7.7, 7.8), or after many
 * rounds of somebody's wait, or in machine_run(). List of them: text.
 */
#include "private.h"

#include <stdlib.h>
#include <string.h>

enum {
    STATUS = 6,
    RF = 1u << 0,
    UPRGI = 1u << 1,
    STOPPED = 1u << 8,
    WITH_PASID = 1u << 15,
    CONTROL = 4,
    ENABLE = 1u << 0,
    RESET = 1u << 1,
    ALLOCATION = 12,
    LATE_ROUNDS = 50,
};

static struct sim_func *owner_of(struct sim_func *f)
{
    return f->physical != NULL ? f->physical : f;
}

static unsigned status_of(const struct sim_func *owner)
{
    return sim_config16(owner, owner->pri + STATUS);
}

static bool is_enabled(const struct sim_func *owner)
{
    return (sim_config16(owner, owner->pri + CONTROL) & ENABLE) != 0;
}

static void set_status(struct sim_func *owner, unsigned set, unsigned clear)
{
    sim_config_put(owner, owner->pri + STATUS, 2,
                   (status_of(owner) | set) & ~clear);
}

/* ---- groups -------------------------------------------------------------- */

/* In units of one request. */
static unsigned credits_used(const struct sim_func *owner)
{
    unsigned n = 0;

    for (unsigned i = 0; i < SIM_PAGE_GROUPS; i++) {
        if (!owner->group[i].forgotten) {
            n += owner->group[i].requests;
        }
    }
    return n;
}

static bool stands(const struct sim_page_group *g)
{
    return g->requests > 0 && !g->forgotten;
}

/* Stopped says something only while the interface is off. */
static void update_stopped(struct sim_func *owner)
{
    bool stopped = !is_enabled(owner) && credits_used(owner) == 0;

    set_status(owner, stopped ? STOPPED : 0, stopped ? 0 : STOPPED);
}

/* Groups of `asker`, or of anybody (NULL). Whoever answers one all the same does
 * not know of it yet, and breaks no rule. */
static void forget(struct sim_func *owner, const struct sim_func *asker)
{
    for (unsigned i = 0; i < SIM_PAGE_GROUPS; i++) {
        struct sim_page_group *g = &owner->group[i];

        if (asker == NULL || g->asker == asker) {
            g->forgotten = true;
        }
    }
}

static bool wants_pasid(const struct sim_func *owner)
{
    return (status_of(owner) & WITH_PASID) != 0;
}

/* Groups of the same number are different ones if their PASIDs are, as long as answers
 * say which they are for. */
static bool is_group(const struct sim_func *owner,
                     const struct sim_page_group *g,
                     const struct sim_func *asker, uint32_t pasid,
                     unsigned index)
{
    return g->requests > 0 && g->asker == asker && g->index == index &&
           (g->pasid == pasid || owner->pri == 0 || !wants_pasid(owner));
}

/* NULL: there is none, of those that the function waits for, or forgot. */
static struct sim_page_group *find(struct sim_func *asker, uint32_t pasid,
                                   unsigned index, bool forgotten)
{
    struct sim_func *owner = owner_of(asker);

    for (unsigned i = 0; i < SIM_PAGE_GROUPS; i++) {
        struct sim_page_group *g = &owner->group[i];

        if (g->forgotten == forgotten &&
            is_group(owner, g, asker, pasid, index)) {
            return g;
        }
    }
    return NULL;
}

/* There is always one that does not stand: there are more than credits. */
static struct sim_page_group *unused(struct sim_func *owner)
{
    unsigned best = 0;

    for (unsigned i = 0; i < SIM_PAGE_GROUPS; i++) {
        if (owner->group[i].requests == 0) {
            return &owner->group[i];
        }
        if (!stands(&owner->group[i])) {
            best = i;
        }
    }
    return &owner->group[best];
}

/* ---- asking -------------------------------------------------------------- */

static uint32_t pasid_of(uint32_t pasid)
{
    return pasid == UIOMMU_NO_PASID ? UIE_NO_PASID : pasid;
}

static uint32_t access_of(const struct sim_page_request *p)
{
    return (p->access & UIOMMU_READ ? UIE_R : 0u) |
           (p->access & UIOMMU_WRITE ? UIE_W : 0u) | (p->exec ? UIE_X : 0u) |
           (p->priv ? UIE_PRIV : 0u);
}

/* It has no answer and takes no credit. Without a PASID it is a request like any. */
static bool is_stop_marker(const struct sim_page_request *p)
{
    return p->pasid != UIOMMU_NO_PASID && p->last &&
           (p->access & (UIOMMU_READ | UIOMMU_WRITE)) == 0;
}

static bool may_ask(struct sim_func *f, const struct sim_page_request *p,
                    unsigned control)
{
    struct sim_func *owner = owner_of(f);
    unsigned need = SIM_CONTROL_ATS;

    if (p->pasid != UIOMMU_NO_PASID) {
        need |= SIM_CONTROL_PASID | (p->exec ? SIM_CONTROL_EXEC : 0u) |
                (p->priv ? SIM_CONTROL_PRIV : 0u);
        if (p->pasid >> f->pasid_bits != 0) {
            return false;
        }
    }
    return owner->pri != 0 && is_enabled(owner) &&
           (status_of(owner) & RF) == 0 && (control & need) == need;
}

/* A new one, in the place of one with its number that was forgotten: the function
 * could not tell their answers apart. */
static struct sim_page_group *open_group(struct sim_func *f,
                                         const struct sim_page_request *p)
{
    struct sim_func *owner = owner_of(f);
    uint32_t pasid = pasid_of(p->pasid);
    struct sim_page_group *g = find(f, pasid, p->group, true);

    g = g != NULL ? g : unused(owner);
    *g = (struct sim_page_group){ .asker = f,
                                  .pasid = pasid,
                                  .index = p->group };
    return g;
}

static bool has_credit(const struct sim_func *owner)
{
    unsigned used = credits_used(owner);

    return used < SIM_PRI_CAPACITY &&
           used < sim_config32(owner, owner->pri + ALLOCATION);
}

/* False: no credit, or the group waits for its answer already. */
static bool take_credit(struct sim_func *f, const struct sim_page_request *p)
{
    uint32_t pasid = pasid_of(p->pasid);
    struct sim_page_group *g = find(f, pasid, p->group, false);

    if (!has_credit(owner_of(f)) ||
        (g != NULL && (g->last || g->pasid != pasid))) {
        return false;
    }
    g = g != NULL ? g : open_group(f, p);
    g->requests++;
    g->last = p->last;
    return true;
}

/* It waits for no answer, but one may come. */
static void take_nothing(struct sim_func *f, const struct sim_page_request *p)
{
    struct sim_page_group *g;

    if (find(f, pasid_of(p->pasid), p->group, false) != NULL) {
        return;
    }
    g = open_group(f, p);
    g->requests = 1;
    g->forgotten = true;
}

/* What its configuration space lets it do, and then it counts as asked. */
static bool begin(struct sim *s, struct sim_func *f,
                  const struct sim_page_request *p)
{
    unsigned control = sim_control(s, f);
    bool may;

    pthread_mutex_lock(&s->pci.lock);
    may = !sim_is_gone(f) && (p->rogue || may_ask(f, p, control));
    if (may && p->rogue) {
        take_nothing(f, p);
    } else if (may && !is_stop_marker(p)) {
        may = take_credit(f, p);
    }
    pthread_mutex_unlock(&s->pci.lock);
    return may;
}

/* The interface is dead until software enables it again. */
static void fail(struct sim_func *owner)
{
    set_status(owner, RF, 0);
    forget(owner, NULL);
    update_stopped(owner);
}

/* A request that the root complex does not take is a failure for the function. */
static void refused(struct sim *s, struct sim_func *f)
{
    pthread_mutex_lock(&s->pci.lock);
    if (owner_of(f)->pri != 0) {
        fail(owner_of(f));
    }
    pthread_mutex_unlock(&s->pci.lock);
}

/* ---- on their way -------------------------------------------------------- */

static void put_message(struct sim *s, const struct sim_message *message)
{
    struct sim_messages *all = &s->messages;
    struct sim_message *bigger;

    pthread_mutex_lock(&s->text_lock);
    bigger = realloc(all->message, (all->n + 1) * sizeof(*bigger));
    if (bigger != NULL) {
        bigger[all->n++] = *message;
        all->message = bigger;
    }
    pthread_mutex_unlock(&s->text_lock);
}

/* The oldest from or to `rid` that has waited so long, taken out. */
static bool take_message(struct sim *s, uint32_t rid, unsigned rounds,
                         struct sim_message *out)
{
    struct sim_messages *all = &s->messages;
    unsigned i = 0;
    bool found;

    pthread_mutex_lock(&s->text_lock);
    while (i < all->n &&
           (all->message[i].rounds < rounds ||
            (rid != SIM_EVERYBODY && all->message[i].rid != rid))) {
        i++;
    }
    found = i < all->n;
    if (found) {
        *out = all->message[i];
        all->n--;
        memmove(&all->message[i], &all->message[i + 1],
                (all->n - i) * sizeof(*out));
    }
    pthread_mutex_unlock(&s->text_lock);
    return found;
}

static bool to_unit(struct sim *s, const struct uie_page_request *req)
{
    int result;

    pthread_mutex_lock(&s->unit_lock);
    result = s->ops->page_request(s->model, req);
    pthread_mutex_unlock(&s->unit_lock);
    sim_posts_deliver(s);
    return result == 0;
}

static void to_function(struct sim *s, const struct uie_page_response *r);

static void arrive(struct sim *s, uint32_t rid, unsigned rounds)
{
    struct sim_message message;

    while (take_message(s, rid, rounds, &message)) {
        if (message.from == NULL) {
            to_function(s, &message.response);
        } else if (!to_unit(s, &message.request)) {
            refused(s, message.from);
        }
    }
}

void sim_messages_arrive(struct sim *s, uint32_t rid)
{
    arrive(s, rid, 0);
}

void sim_messages_age(struct sim *s)
{
    if (!s->late) {
        return;
    }
    pthread_mutex_lock(&s->text_lock);
    for (unsigned i = 0; i < s->messages.n; i++) {
        s->messages.message[i].rounds++;
    }
    pthread_mutex_unlock(&s->text_lock);
    arrive(s, SIM_EVERYBODY, LATE_ROUNDS);
}

void sim_messages_close(struct sim *s)
{
    free(s->messages.message);
}

/* False: refused, as far as that is known. */
static bool send(struct sim *s, struct sim_func *f,
                 const struct sim_page_request *p, uint32_t rid)
{
    const struct uie_page_request req = {
        .size = sizeof(req),
        .rid = rid,
        .pasid = pasid_of(p->pasid),
        .access = access_of(p),
        .group = p->group,
        .flags = p->last,
        .iova = p->iova & ~(uint64_t)(SIM_PAGE_SIZE - 1),
    };

    if (s->late) {
        put_message(
            s, &(struct sim_message){ .from = f, .rid = rid, .request = req });
        return true;
    }
    return to_unit(s, &req);
}

/* Messages to the root complex meet no window: only the way up counts. */
enum sim_stop sim_pri_ask(struct sim *s, struct sim_func *f,
                          const struct sim_page_request *p)
{
    const struct sim_packet packet = { .addr = UINT64_MAX,
                                       .prefix = p->pasid != UIOMMU_NO_PASID };
    struct sim_route route;

    sim_find_route(s, f, &packet, &route);
    if (route.way != SIM_WAY_UP) {
        return route.stop;
    }
    if (!begin(s, f, p)) {
        return SIM_BY_DEVICE;
    }
    if (!send(s, f, p, route.rid)) {
        refused(s, f);
        return SIM_BY_UNIT;
    }
    return SIM_NOT_STOPPED;
}

enum sim_stop sim_page_request(struct machine *m,
                               const struct sim_page_request *p)
{
    struct sim *s = sim_of(m);
    enum sim_stop stop = sim_pri_ask(s, &s->pci.func[p->dev], p);

    if (s->auto_irq) {
        machine_run(m);
    }
    return stop;
}

bool sim_pri_enabled(struct sim *s, struct sim_func *f)
{
    const struct sim_func *owner = owner_of(f);
    bool enabled;

    pthread_mutex_lock(&s->pci.lock);
    enabled = owner->pri != 0 && is_enabled(owner);
    pthread_mutex_unlock(&s->pci.lock);
    return enabled;
}

bool sim_pri_on(struct sim *s, struct sim_func *f)
{
    const struct sim_func *owner = owner_of(f);
    bool on;

    pthread_mutex_lock(&s->pci.lock);
    on = owner->pri != 0 && is_enabled(owner) && (status_of(owner) & RF) == 0;
    pthread_mutex_unlock(&s->pci.lock);
    return on;
}

/* One page, one group, and one at a time. */
bool sim_machine_ask(struct machine *m, unsigned dev, uint32_t pasid,
                     bool write, uint64_t iova)
{
    const struct sim_page_request p = {
        .dev = dev,
        .pasid = pasid,
        .iova = iova,
        .access = write ? UIOMMU_WRITE : UIOMMU_READ,
        .last = true,
    };

    return dev < m->n_devices && m->devices[dev].asks &&
           sim_page_request(m, &p) == SIM_NOT_STOPPED;
}

/* ---- being answered ------------------------------------------------------ */

static void remember(struct sim_func *f, const struct uie_page_response *r,
                     bool expected)
{
    struct sim_page_response *bigger =
        realloc(f->response, (f->n_responses + 1) * sizeof(*bigger));

    if (bigger != NULL) {
        bigger[f->n_responses++] = (struct sim_page_response){
            .pasid = r->pasid == UIE_NO_PASID ? UIOMMU_NO_PASID : r->pasid,
            .group = r->group,
            .code = r->code,
            .expected = expected,
        };
        f->response = bigger;
    }
}

/* On an answer with a PASID a function that wants none may do what it likes. */
static void check_prefix(struct sim *s, struct sim_func *f,
                         const struct uie_page_response *r)
{
    if (r->pasid != UIE_NO_PASID && !wants_pasid(owner_of(f))) {
        sim_report(s,
                   "%s: the answer to page request group %u comes with a PASID",
                   f->name, r->group);
    }
}

/* Nobody asked, or not any more. */
static void unexpected(struct sim *s, struct sim_func *f,
                       const struct uie_page_response *r)
{
    struct sim_func *owner = owner_of(f);
    struct sim_page_group *late = find(f, r->pasid, r->group, true);

    if (owner->pri != 0 && is_enabled(owner)) {
        set_status(owner, UPRGI, 0);
    }
    if (late != NULL) {
        late->requests = 0;
    } else {
        sim_report(s,
                   "%s: an answer to page request group %u, which waits for "
                   "none",
                   f->name, r->group);
    }
}

static void answered(struct sim *s, struct sim_func *f,
                     const struct uie_page_response *r)
{
    struct sim_page_group *g = find(f, r->pasid, r->group, false);

    remember(f, r, g != NULL && g->last);
    if (g == NULL || !g->last) {
        unexpected(s, f, r);
        return;
    }
    check_prefix(s, f, r);
    g->requests = 0;
    update_stopped(owner_of(f));
}

/* The function of that id that is there, or NULL. */
static struct sim_func *asker_of(struct sim *s, uint32_t rid)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        struct sim_func *f = &s->pci.func[i];

        if (sim_rid(f) == rid && !sim_is_gone(f)) {
            return f;
        }
    }
    return NULL;
}

/* After a failure none counts. */
static void take_answer(struct sim *s, struct sim_func *f,
                        const struct uie_page_response *r)
{
    struct sim_func *owner = owner_of(f);
    bool failure = r->code != SIM_PAGE_SUCCESS && r->code != SIM_PAGE_INVALID;

    if (owner->pri == 0) {
        remember(f, r, false);
        unexpected(s, f, r);
    } else if ((status_of(owner) & RF) != 0) {
        remember(f, r, false);
    } else if (failure) {
        remember(f, r, true);
        fail(owner);
    } else {
        answered(s, f, r);
    }
}

/* Where nobody is, messages get lost. */
static void to_function(struct sim *s, const struct uie_page_response *r)
{
    struct sim_func *f;

    pthread_mutex_lock(&s->pci.lock);
    f = asker_of(s, r->rid);
    if (f != NULL) {
        take_answer(s, f, r);
    }
    pthread_mutex_unlock(&s->pci.lock);
}

void sim_pri_answer(struct sim *s, const struct uie_page_response *r)
{
    if (s->late) {
        put_message(s, &(struct sim_message){ .rid = r->rid, .response = *r });
    } else {
        to_function(s, r);
    }
}

/* Whether it is the answer to that group, as the function tells them apart. */
static bool is_answer(struct sim_func *f, const struct sim_page_response *r,
                      const struct sim_page_request *p)
{
    return r->expected && r->group == p->group &&
           (r->pasid == p->pasid || !wants_pasid(owner_of(f)));
}

static bool is_success(struct sim_func *f, const struct sim_page_request *p,
                       unsigned since)
{
    for (unsigned i = since; i < f->n_responses; i++) {
        if (is_answer(f, &f->response[i], p)) {
            return f->response[i].code == SIM_PAGE_SUCCESS;
        }
    }
    return false;
}

enum sim_asked sim_pri_look(struct sim *s, struct sim_func *f,
                            const struct sim_page_request *p, unsigned since)
{
    enum sim_asked state = SIM_ASKED_REFUSED;

    pthread_mutex_lock(&s->pci.lock);
    if (find(f, pasid_of(p->pasid), p->group, false) != NULL) {
        state = SIM_ASKED_WAITS;
    } else if (is_success(f, p, since)) {
        state = SIM_ASKED_GRANTED;
    }
    pthread_mutex_unlock(&s->pci.lock);
    return state;
}

/* ---- control ------------------------------------------------------------- */

void sim_pri_control(struct sim_func *f, unsigned was)
{
    unsigned is = sim_config16(f, f->pri + CONTROL);

    if ((is & ENABLE) != 0 && (was & ENABLE) == 0) {
        set_status(f, 0, RF | UPRGI);
    }
    if ((is & ENABLE) == 0 && (is & RESET) != 0) {
        forget(f, NULL);
    }
    sim_config_put(f, f->pri + CONTROL, 2, is & ~(unsigned)RESET);
    update_stopped(f);
}

void sim_pri_lose(struct sim_func *f)
{
    struct sim_func *owner = owner_of(f);

    if (owner->pri == 0) {
        return;
    }
    forget(owner, f == owner ? NULL : f);
    update_stopped(owner);
}

/* ---- for tests ----------------------------------------------------------- */

unsigned sim_page_groups(struct machine *m, unsigned dev)
{
    struct sim *s = sim_of(m);
    struct sim_func *f = &s->pci.func[dev];
    unsigned n = 0;

    pthread_mutex_lock(&s->pci.lock);
    for (unsigned i = 0; i < SIM_PAGE_GROUPS; i++) {
        const struct sim_page_group *g = &owner_of(f)->group[i];

        n += stands(g) && g->asker == f;
    }
    pthread_mutex_unlock(&s->pci.lock);
    return n;
}

unsigned sim_page_responses(struct machine *m, unsigned dev)
{
    struct sim *s = sim_of(m);
    unsigned n;

    pthread_mutex_lock(&s->pci.lock);
    n = s->pci.func[dev].n_responses;
    pthread_mutex_unlock(&s->pci.lock);
    return n;
}

struct sim_page_response sim_page_response_at(struct machine *m, unsigned dev,
                                              unsigned i)
{
    struct sim *s = sim_of(m);
    struct sim_page_response r = { 0, 0, 0, false };

    pthread_mutex_lock(&s->pci.lock);
    if (i < s->pci.func[dev].n_responses) {
        r = s->pci.func[dev].response[i];
    }
    pthread_mutex_unlock(&s->pci.lock);
    return r;
}

void sim_pri_check(struct sim *s)
{
    sim_messages_arrive(s, SIM_EVERYBODY);
    for (unsigned i = 0; i < s->pci.n * SIM_PAGE_GROUPS; i++) {
        const struct sim_page_group *g =
            &s->pci.func[i / SIM_PAGE_GROUPS].group[i % SIM_PAGE_GROUPS];

        if (stands(g) && g->last && !sim_is_gone(g->asker)) {
            sim_report(s, "leak: %s: nobody answered page request group %u",
                       g->asker->name, g->index);
        }
    }
}
