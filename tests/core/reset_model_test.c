/* SPDX-License-Identifier: MIT */
/*
 * reset_model_test.c - every call about resets, domains, PASIDs, owners and devices, in
 * every state that such calls can lead to, against a model of what they mean (semantics
 * B.19, D-68). One machine is walked through all of it: at each state to the nearest one
 * with a call that was not tried there.
 */
#include "tests/core/groups.h"
#include "tests/core/pasids.h"
#include "tests/core/reset_model.h"

#include "pci/pci.h"

#include <stdlib.h>

/* ---- the machine beside its model ------------------------------------------------- */

struct walk {
    struct rig *rig;
    struct world_shape shape;
    struct world_op op[WORLD_OPS];
    unsigned n_ops;
    struct world w;
    struct uiommu_domain *domain[WORLD_SIGHTS];
    uint64_t phys[WORLD_SIGHTS];
    struct uiommu_endpoint *pasid;
    char trail[8][24]; /* the last calls                                     */
    unsigned steps;
};

static const char owner_cookie;

static const void *owner_of(const struct walk *k)
{
    return k->w.owned ? &owner_cookie : NULL;
}

/* A physical function is before its virtual ones. */
static unsigned engine_of(const struct walk *k, unsigned who)
{
    return who + (k->shape.virtuals ? 1 : 0);
}

static struct uiommu_device *device(const struct walk *k, unsigned who)
{
    return k->rig->device[rig_engine(k->rig, engine_of(k, who))];
}

static struct uiommu_device *physical(const struct walk *k)
{
    return k->rig->device[rig_engine(k->rig, 0)];
}

static enum uiommu_status create_pasid(struct walk *k, unsigned who)
{
    const struct uiommu_pasid_config config = {
        .size = sizeof(config), .first = 1, .last = 1, .owner = owner_of(k)
    };

    return uiommu_pasid_create(rig_endpoint(k->rig, engine_of(k, who)), &config,
                               &k->pasid);
}

static enum uiommu_status take_out_engine(struct walk *k, unsigned n)
{
    const unsigned dev = rig_engine(k->rig, n);
    enum uiommu_status status = uiommu_device_remove(k->rig->device[dev]);

    if (status == UIOMMU_OK)
        k->rig->device[dev] = NULL;
    return status;
}

static enum uiommu_status take_out(struct walk *k, unsigned who)
{
    return take_out_engine(k, engine_of(k, who));
}

static enum uiommu_status call(struct walk *k, struct world_op op)
{
    switch (op.call) {
    case CALL_BEGIN:
        return uiommu_device_reset_begin(device(k, op.who));
    case CALL_END:
        return uiommu_device_reset_end(device(k, op.who), op.arg != 0);
    case CALL_SET:
        return uiommu_set_domain(rig_endpoint(k->rig, engine_of(k, op.who)),
                                 k->domain[op.arg], owner_of(k));
    case CALL_REMOVE:
        return take_out(k, op.who);
    case CALL_ADD:
        return rig_add(k->rig, rig_engine(k->rig, engine_of(k, op.who)));
    case CALL_CLAIM:
        return uiommu_claim(rig_endpoint(k->rig, engine_of(k, op.who)),
                            &owner_cookie);
    case CALL_RELEASE:
        return uiommu_release(rig_endpoint(k->rig, engine_of(k, op.who)),
                              &owner_cookie);
    case CALL_PASID_CREATE:
        return create_pasid(k, op.who);
    case CALL_PASID_SET:
        return uiommu_set_domain(k->pasid, k->domain[op.arg], owner_of(k));
    case CALL_PASID_DESTROY:
        return uiommu_pasid_destroy(k->pasid, op.arg != 0);
    case CALL_PHYSICAL_BEGIN:
        return uiommu_device_reset_begin(physical(k));
    case CALL_PHYSICAL_END:
        return uiommu_device_reset_end(physical(k), op.arg != 0);
    case CALL_PHYSICAL_REMOVE:
        return take_out_engine(k, 0);
    case CALL_PHYSICAL_ADD:
        return rig_add(k->rig, rig_engine(k->rig, 0));
    }
    return UIOMMU_INVAL;
}

/* ---- what is looked at after each ---------------------------------------------------- */

static void note(struct walk *k, struct world_op op)
{
    static const char *const name[] = {
        [CALL_BEGIN] = "begin",
        [CALL_END] = "end",
        [CALL_SET] = "set",
        [CALL_REMOVE] = "remove",
        [CALL_ADD] = "add",
        [CALL_CLAIM] = "claim",
        [CALL_RELEASE] = "release",
        [CALL_PASID_CREATE] = "create",
        [CALL_PASID_SET] = "pasid",
        [CALL_PASID_DESTROY] = "destroy",
        [CALL_PHYSICAL_BEGIN] = "physical begin",
        [CALL_PHYSICAL_END] = "physical end",
        [CALL_PHYSICAL_REMOVE] = "physical remove",
        [CALL_PHYSICAL_ADD] = "physical add",
    };
    char *text = k->trail[k->steps++ % 8];

    snprintf(text, sizeof(k->trail[0]), "%s %u %u", name[op.call], op.who,
             op.arg);
}

static void wrong(const struct walk *k, const char *what, unsigned who,
                  unsigned is, unsigned wanted)
{
    char text[256] = "";

    for (unsigned i = 8; i-- > 0;)
        if (k->steps > i) {
            strcat(text, k->trail[(k->steps - 1 - i) % 8]);
            strcat(text, "; ");
        }
    fail_msg("%s of %u: %u, not %u, after %u calls, the last: %s", what, who,
             is, wanted, k->steps, text);
}

/* What requests of the device get at, by the marks that the pages have. */
static unsigned gets(const struct walk *k, unsigned id, uint32_t number)
{
    uint64_t value = 0;

    if (!rig_dma(k->rig, engine_of(k, id), number, false, BASE, &value))
        return SEES_NOTHING;
    return value == k->phys[SEES_A] ? SEES_A : SEES_B;
}

static void check_reach(const struct walk *k, unsigned id)
{
    unsigned want = world_sees(&k->shape, &k->w, id);
    unsigned is = gets(k, id, UIOMMU_NO_PASID);

    if (is != want)
        wrong(k, "id", id, is, want);
    if (!(k->shape.pasids >> id & 1))
        return;
    want = world_pasid_sees(&k->shape, &k->w, id);
    is = gets(k, id, 1);
    if (is != want)
        wrong(k, "PASID", id, is, want);
    if (gets(k, id, 2) != SEES_NOTHING)
        wrong(k, "no PASID", id, SEES_A, SEES_NOTHING);
}

/* A domain is kept while it cannot be reached; whoever is out may keep it or not. */
static void check_domain_of(const struct walk *k, unsigned who,
                            struct uiommu_endpoint *ep, enum world_sight want)
{
    const struct uiommu_domain *is = uiommu_endpoint_domain(ep);

    if (is == k->domain[want] ||
        (k->w.device[who].dead && is == k->domain[SEES_NOTHING]))
        return;
    wrong(k, uiommu_endpoint_pasid(ep) ? "domain of the PASID" : "domain", who,
          WORLD_SIGHTS, want);
}

static void check_domains(const struct walk *k, unsigned who)
{
    if (!k->w.device[who].there)
        return;
    check_domain_of(k, who, rig_endpoint(k->rig, engine_of(k, who)), k->w.sees);
    if (k->w.has_pasid && k->pasid->device == device(k, who))
        check_domain_of(k, who, k->pasid, k->w.pasid_sees);
}

/* ATS is on where something may be cached, and never while a device is reset. Whoever
 * joins others that see something goes without until the next set. */
static void check_ats(const struct walk *k, unsigned who)
{
    const struct uiommu_pci at =
        k->rig->m->devices[rig_engine(k->rig, engine_of(k, who))].pci;
    struct uim_pci_ats ats;

    if (!k->rig->config.ats || uim_pci_ats(&k->rig->m->host, at, &ats) != 0)
        return;
    if (ats.enabled && world_sees(&k->shape, &k->w, who) == SEES_NOTHING &&
        world_pasid_sees(&k->shape, &k->w, who) == SEES_NOTHING)
        wrong(k, "ATS", who, true, false);
    if (!ats.enabled && !k->shape.others &&
        world_sees(&k->shape, &k->w, who) != SEES_NOTHING &&
        k->w.device[who].caches)
        wrong(k, "ATS", who, false, true);
    if (ats.enabled && !k->w.device[who].caches)
        wrong(k, "ATS of two", who, true, false);
}

static void step(struct walk *k, unsigned nth)
{
    const struct world_op op = k->op[nth];
    enum uiommu_status status = call(k, op);
    uint32_t answers;

    note(k, op);
    k->w = world_after(&k->shape, k->w, op, &answers);
    if (status >= 32 || !(answers & WORLD_SAYS(status)))
        wrong(k, "answer", op.who, status, answers);
    for (unsigned id = 0; id < k->shape.n; id++) {
        check_reach(k, id);
        check_domains(k, id);
        check_ats(k, id);
    }
    if (gets(k, k->shape.n, UIOMMU_NO_PASID) != SEES_A)
        wrong(k, "who is beside", k->shape.n, SEES_NOTHING, SEES_A);
    if (k->steps % 64 == 0)
        rig_poll(k->rig);
}

/* ---- all states ------------------------------------------------------------------------ */

enum { SLOTS = 1 << 12, PATH = 64, NEVER = SLOTS + 1 };

/* States that were found, the calls that were made in each, and for a search how it was
 * come to. */
struct state {
    uint64_t key, tried;
    struct world w;
    bool used;
    unsigned round, from, by;
    uint16_t
        next[WORLD_OPS]; /* one more than its slot; NEVER: not to be made  */
};

struct map {
    struct state *state;
    unsigned *queue, n, round;
    bool with_last;
};

static unsigned slot_of(struct map *map, const struct world *w, unsigned last)
{
    uint64_t key = world_key(w) | (map->with_last ? (uint64_t)last << 56 : 0);
    unsigned i = (unsigned)(key * UINT64_C(0x9e3779b97f4a7c15) >> 48) % SLOTS;

    while (map->state[i].used && map->state[i].key != key)
        i = (i + 1) % SLOTS;
    if (map->state[i].used)
        return i;
    assert_true(++map->n < SLOTS * 3 / 4);
    map->state[i] = (struct state){ .key = key, .w = *w, .used = true };
    return i;
}

/* Where a call leads: a slot and one, or NEVER. */
static unsigned next_of(const struct walk *k, struct map *map, unsigned at,
                        unsigned op)
{
    struct state *s = &map->state[at];
    uint32_t answers;
    struct world w;

    if (s->next[op] != 0)
        return s->next[op];
    s->next[op] = NEVER;
    if (!world_may(&k->shape, &s->w, k->op[op]))
        return NEVER;
    w = world_after(&k->shape, s->w, k->op[op], &answers);
    s->next[op] = (uint16_t)(slot_of(map, &w, op) + 1);
    return s->next[op];
}

static int untried(const struct walk *k, struct map *map, unsigned at)
{
    for (unsigned op = 0; op < k->n_ops; op++)
        if (!(map->state[at].tried >> op & 1) &&
            next_of(k, map, at, op) != NEVER)
            return (int)op;
    return -1;
}

static void search_from(const struct walk *k, struct map *map, unsigned at,
                        unsigned *end)
{
    for (unsigned op = 0; op < k->n_ops; op++) {
        unsigned to = next_of(k, map, at, op);

        if (to == NEVER || map->state[to - 1].round == map->round)
            continue;
        map->state[--to].round = map->round;
        map->state[to].from = at;
        map->state[to].by = op;
        map->queue[(*end)++] = to;
    }
}

/* The nearest state with a call to try; SLOTS: there is none. */
static unsigned nearest(const struct walk *k, struct map *map, unsigned at)
{
    unsigned end = 0;

    map->state[at].round = ++map->round;
    map->queue[end++] = at;
    for (unsigned i = 0; i < end; i++) {
        if (untried(k, map, map->queue[i]) >= 0)
            return map->queue[i];
        search_from(k, map, map->queue[i], &end);
    }
    return SLOTS;
}

static unsigned go(struct walk *k, struct map *map, unsigned at, unsigned to)
{
    unsigned path[PATH], n = 0;

    for (unsigned s = to; s != at; s = map->state[s].from) {
        assert_true(n < PATH);
        path[n++] = map->state[s].by;
    }
    while (n > 0)
        step(k, path[--n]);
    return to;
}

/* Every call in every state; with_last: and after every call that leads there. */
static void explore(struct walk *k, bool with_last)
{
    struct map map = { .with_last = with_last };
    unsigned at, to;

    map.state = calloc(SLOTS, sizeof(*map.state));
    map.queue = calloc(SLOTS, sizeof(*map.queue));
    assert_true(map.state && map.queue);
    at = slot_of(&map, &k->w, WORLD_OPS);
    while ((to = nearest(k, &map, at)) != SLOTS) {
        int op;

        at = go(k, &map, at, to);
        op = untried(k, &map, at);
        map.state[at].tried |= UINT64_C(1) << op;
        step(k, (unsigned)op);
        at = slot_of(&map, &k->w, (unsigned)op);
    }
    printf("# %u states, %u calls\n", map.n, k->steps);
    free(map.queue);
    free(map.state);
}

/* ---- machines ------------------------------------------------------------------------------ */

static void walk_open(struct walk *k, struct rig *rig,
                      const struct world_shape *shape)
{
    const char *why;

    *k = (struct walk){ .rig = rig, .shape = *shape };
    if (!has_pasids(rig, &why))
        k->shape.pasids = 0;
    k->n_ops = world_ops(&k->shape, k->op);
    k->w = world_new(&k->shape);
    k->domain[SEES_NOTHING] = uiommu_blocked(rig->u);
    for (unsigned i = SEES_A; i < WORLD_SIGHTS; i++) {
        k->phys[i] = rig_pages(rig, 0);
        k->domain[i] = mapped(rig, BASE, k->phys[i]);
        rig_poke(rig, k->phys[i], k->phys[i]);
    }
    set(rig, engine_of(k, shape->n), k->domain[SEES_A]);
}

/* Whatever the state: everybody lets go. */
static void walk_close(struct walk *k)
{
    if (k->w.has_pasid)
        rig_ok(uiommu_pasid_destroy(k->pasid, true));
    for (unsigned i = 0; i < k->shape.n; i++) {
        if (!k->w.device[i].there)
            continue;
        if (k->w.owned)
            rig_ok(uiommu_release(rig_endpoint(k->rig, i), &owner_cookie));
        k->w.owned = false;
        rig_ok(take_out(k, i));
    }
    rig_drop(k->rig, engine_of(k, k->shape.n), k->domain[SEES_A]);
    uiommu_domain_put(k->domain[SEES_B]);
}

static void walk_through(struct rig *rig, struct world_shape shape)
{
    struct walk k;

    if (rig->config.adversarial)
        shape.depth = 1;
    walk_open(&k, rig, &shape);
    explore(&k, shape.n == 1 && !shape.virtuals && !rig->config.adversarial);
    walk_close(&k);
}

/* It takes long, and is about the core: each kind of entries, and units that differ
 * most. */
static bool on_some(struct rig *rig, const char **why)
{
    *why = "a few machines are enough";
    rig->config.ats = true;
    return rig->config.mode != SIM_FIRST_STAGE &&
           rig->config.mode != SIM_STAGE_2 &&
           rig->config.non_coherent == rig->config.adversarial;
}

static bool one(struct rig *rig, const char **why)
{
    rig->config.engine_caps |= SIM_PASID;
    return on_some(rig, why);
}

static void one_device(struct rig *rig)
{
    static const struct world_shape shape = { .n = 1,
                                              .depth = 2,
                                              .ids = { 1u << 0 },
                                              .pasids = 1u << 0,
                                              .claims = true };

    walk_through(rig, shape);
}

/* The others of the slot send under the id of the first too, which has PASIDs. */
static bool siblings(struct rig *rig, const char **why)
{
    static const struct sim_function row[] = {
        { "f0", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x18,
          SIM_ACS_ON | SIM_ATS | SIM_PASID },
        { "f1", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x19, SIM_ACS_ON | SIM_ATS },
        { "other", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x20, SIM_ATS },
    };

    rig->setup.flags |= UIOMMU_CONFIG_WIDE_PASIDS;
    return BUILD(rig, row) && on_some(rig, why);
}

static void siblings_that_share_an_id(struct rig *rig)
{
    static const struct world_shape shape = {
        .n = 2,
        .depth = 2,
        .ids = { 1u << 0, 1u << 0 | 1u << 1 },
        .pasids = 1u << 0,
    };

    make_phantom(rig, F1);
    up(rig);
    walk_through(rig, shape);
}

static bool three(struct rig *rig, const char **why)
{
    static const struct sim_function row[] = {
        { "f0", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x18, SIM_ACS_ON | SIM_ATS },
        { "f1", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x19, SIM_ACS_ON },
        { "f2", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x1a, SIM_ACS_ON },
        { "other", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x20, SIM_ATS },
    };

    return BUILD(rig, row) && on_some(rig, why);
}

static void three_siblings(struct rig *rig)
{
    static const struct world_shape shape = {
        .n = 3,
        .depth = 1,
        .ids = { 1u << 0, 1u << 0 | 1u << 1, 1u << 0 | 1u << 2 },
    };

    make_phantom(rig, F1);
    make_phantom(rig, F2);
    up(rig);
    walk_through(rig, shape);
}

/* Two devices that a switch does not keep apart: a PASID is of both. */
static bool wide(struct rig *rig, const char **why)
{
    static const struct sim_function row[] = {
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS_ON },
        { "up", SIM_UPSTREAM, 0, 0, 0 },
        { "down0", SIM_DOWNSTREAM, 1, 0 << 3, SIM_ACS },
        { "down1", SIM_DOWNSTREAM, 1, 1 << 3, SIM_ACS },
        { "gpu", SIM_ENGINE, 2, 0, SIM_PASID | SIM_ATS },
        { "npu", SIM_ENGINE, 3, 0, SIM_PASID_BITS(6) },
        { "other", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x20, SIM_ATS },
    };

    rig->setup.flags |= UIOMMU_CONFIG_ACS_AS_FOUND | UIOMMU_CONFIG_WIDE_PASIDS;
    return has_pasids(rig, why) && BUILD(rig, row) && on_some(rig, why);
}

static void members_that_share_a_pasid(struct rig *rig)
{
    static const struct world_shape shape = {
        .n = 2,
        .depth = 2,
        .ids = { 1u << 0, 1u << 1 },
        .pasids = 1u << 0 | 1u << 1,
        .others = true,
    };

    redirect_only(rig, 2);
    redirect_only(rig, 3);
    up(rig);
    walk_through(rig, shape);
}

/* Its resets are its own and those of its physical function. */
static bool virtuals(struct rig *rig, const char **why)
{
    static const struct sim_function row[] = {
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS },
        { "pf", SIM_ENGINE, 0, 0, SIM_ATS | SIM_PASID | SIM_VFS_ON },
        { "vf0", SIM_VIRTUAL, 1, 2 << 3 | 1, SIM_ATS },
        { "other", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x20, SIM_ATS },
    };

    return BUILD(rig, row) && on_some(rig, why);
}

static void a_virtual_function(struct rig *rig)
{
    static const struct world_shape shape = { .n = 1,
                                              .depth = 2,
                                              .ids = { 1u << 0 },
                                              .pasids = 1u << 0,
                                              .virtuals = true };

    walk_through(rig, shape);
}

#define ONCE                                                                   \
    .once = "every call in every state is enough; their failing is of other "  \
            "tests"

static const struct rig_test tests[] = {
    { .name = "one_device", .run = one_device, .prepare = one, ONCE },
    { .name = "a_virtual_function",
      .run = a_virtual_function,
      .prepare = virtuals,
      ONCE },
    { .name = "siblings_that_share_an_id",
      .run = siblings_that_share_an_id,
      .prepare = siblings,
      .cold = true,
      ONCE },
    { .name = "three_siblings",
      .run = three_siblings,
      .prepare = three,
      .cold = true,
      ONCE },
    { .name = "members_that_share_a_pasid",
      .run = members_that_share_a_pasid,
      .prepare = wide,
      .cold = true,
      ONCE },
    { 0 },
};

int main(void)
{
    return rig_run("reset_model", tests);
}
