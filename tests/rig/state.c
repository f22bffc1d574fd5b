/* SPDX-License-Identifier: MIT */
/*
 * state.c - the state of a machine that a call which failed must not have
 * changed (D-54, D-63).
 */
#include "tests/rig/rig.h"

#include <stdio.h>

#include <uiommu/embed.h>

#include "core/core.h"

/* Where tests map things, and the ends. */
static const uint64_t places[RIG_PLACES] = {
    0,
    UINT64_C(0x100000),
    UINT64_C(0x80000000),
    UINT64_C(0x80001000),
    UINT64_C(0xc0000000),
    UINT64_C(0x7ffffff000),
};

uint64_t rig_register(struct rig *rig, uint32_t offset, uint32_t bytes)
{
    return sim_ops(rig->m)->mmio_read(sim_model(rig->m), 0, offset, bytes);
}

static uint64_t answer(struct rig *rig, unsigned dev, uint64_t iova)
{
    struct uie_xlat x;

    if (!rig->m->devices[dev].engine ||
        sim_probe(rig->m, dev, UIOMMU_NO_PASID, iova, UIOMMU_WRITE, &x) != 0)
        return UINT64_MAX;
    return x.gpa;
}

/* The unit is asked what its tables say, not its caches: these may change at any
 * time, and whether they are right is checked elsewhere. */
static void take_answers(struct rig *rig, struct rig_state *state)
{
    uim_check_caches_keep(sim_door(rig->m), false);
    for (unsigned dev = 0; dev < rig->m->n_devices && dev < RIG_DEVICES; dev++)
        for (unsigned i = 0; i < RIG_PLACES; i++)
            state->answer[dev][i] = answer(rig, dev, places[i]);
    uim_check_caches_keep(sim_door(rig->m), true);
}

static void take_registers(struct rig *rig, struct rig_state *state)
{
    for (unsigned i = 0; i < RIG_REGISTERS; i++) {
        const struct rig_register *r = &rig_arch(rig)->reg[i];

        if (r->bytes == 0 ||
            (r->needs != RIG_ALWAYS && !(state->reg[0] >> r->needs & 1)))
            continue;
        state->reg[i] = rig_register(rig, r->offset, r->bytes) & ~r->ignored;
    }
}

static unsigned ids_in_use(const struct rig *rig)
{
    unsigned n = 0;

    for (unsigned i = 0; rig->u && i < rig->u->n_units; i++)
        if (rig->u->unit[i])
            n += rig_arch(rig)->ids(rig->u->unit[i]);
    return n;
}

static bool is_broken(const struct rig *rig)
{
    for (unsigned i = 0; rig->u && i < rig->u->n_units; i++)
        if (rig->u->unit[i] && atomic_load(&rig->u->unit[i]->broken))
            return true;
    return false;
}

static bool is_one(struct uim_node *list)
{
    return uim_list_empty(list) || list->next->next == list;
}

static bool several_members(const struct rig *rig)
{
    if (!rig->u)
        return false;
    uim_list_for_each(node, &rig->u->devices) {
        struct uiommu_group *group =
            uim_container(node, const struct uiommu_device, node)->group;

        if (!is_one(&group->devices) || !is_one(&group->own.endpoints) ||
            !uim_list_empty(&group->pasids) || group->doorbells != 0)
            return true;
    }
    return false;
}

void rig_check_ids(const struct rig *rig)
{
    unsigned n = 0;

    for (unsigned i = 0; i < rig->u->n_units; i++)
        n += rig->u->unit[i] != NULL;
    if (atomic_load(&rig->u->n_domains) == 0)
        assert_int_equal(ids_in_use(rig), n * rig_arch(rig)->ids_at_rest);
}

static void mix(uint64_t *digest, uint64_t value)
{
    *digest = (*digest ^ value) * UINT64_C(0x9e3779b97f4a7c15);
}

static void mix_domain(uint64_t *digest, const struct uiommu_domain *d)
{
    mix(digest, (uintptr_t)d);
    if (!d)
        return;
    mix(digest, atomic_load(&d->refs));
    mix(digest, atomic_load(&d->n_ats));
    for (struct uim_link *l = atomic_load(&d->links); l;
         l = atomic_load(&l->next))
        if (atomic_load(&l->users) > 0) /* others stay for the next time */
            mix(digest, atomic_load(&l->users));
}

static uint64_t take_holds(const struct rig *rig)
{
    uint64_t digest = 0;

    if (!rig->u)
        return 0;
    uim_list_for_each(node, &rig->u->devices) {
        const struct uiommu_device *d =
            uim_container(node, const struct uiommu_device, node);

        mix_domain(&digest, d->endpoint->domain);
        mix_domain(&digest, d->group->own.domain);
        mix_domain(&digest, d->group->firmware);
        mix_domain(&digest, d->endpoint->at[0].domain);
        mix_domain(&digest, d->endpoint->at[1].domain);
        mix(&digest, d->group->claims);
        mix(&digest, d->group->doorbells);
    }
    return digest;
}

struct rig_state rig_state(struct rig *rig)
{
    struct rig_state state = { .arch = rig_arch(rig),
                               .ids = ids_in_use(rig),
                               .broken = is_broken(rig),
                               .several = several_members(rig),
                               .holds = take_holds(rig) };

    take_answers(rig, &state);
    take_registers(rig, &state);
    sim_counts(rig->m, &state.counts);
    state.tables = sim_pages_digest(rig->m, rig_arch(rig)->queue(rig),
                                    rig_arch(rig)->leaf_ignored);
    return state;
}

#define COUNTS(X)                                                              \
    X(page_blocks)                                                             \
    X(pages)                                                                   \
    X(allocs)                                                                  \
    X(bytes)                                                                   \
    X(mutexes)                                                                 \
    X(spins)                                                                   \
    X(memory_maps)                                                             \
    X(mmio_maps)                                                               \
    X(msis)                                                                    \
    X(locks_held)

static const char *count_difference(const struct sim_counts *before,
                                    const struct sim_counts *after)
{
    static char text[80];

#define COMPARE(name)                                                          \
    if (before->name != after->name) {                                         \
        snprintf(text, sizeof(text), "%s: %llu, was %llu", #name,              \
                 (unsigned long long)after->name,                              \
                 (unsigned long long)before->name);                            \
        return text;                                                           \
    }
    COUNTS(COMPARE)
    return NULL;
}

static const char *answer_difference(const struct rig_state *before,
                                     const struct rig_state *after)
{
    static char text[120];

    for (unsigned dev = 0; dev < RIG_DEVICES; dev++)
        for (unsigned i = 0; i < RIG_PLACES; i++) {
            if (before->answer[dev][i] == after->answer[dev][i])
                continue;
            snprintf(text, sizeof(text),
                     "device %u at 0x%llx: reaches 0x%llx, was 0x%llx", dev,
                     (unsigned long long)places[i],
                     (unsigned long long)after->answer[dev][i],
                     (unsigned long long)before->answer[dev][i]);
            return text;
        }
    return NULL;
}

static const char *register_difference(const struct rig_state *before,
                                       const struct rig_state *after)
{
    static char text[80];

    for (unsigned i = 0; i < RIG_REGISTERS; i++) {
        if (before->reg[i] == after->reg[i])
            continue;
        snprintf(text, sizeof(text), "register 0x%x: 0x%llx, was 0x%llx",
                 before->arch->reg[i].offset, (unsigned long long)after->reg[i],
                 (unsigned long long)before->reg[i]);
        return text;
    }
    if (before->ids != after->ids && !after->broken)
        return "other domain ids are in use";
    if (before->holds != after->holds)
        return "other domains are seen, or references and users differ";
    return NULL;
}

const char *rig_difference(const struct rig_state *before,
                           const struct rig_state *after)
{
    const char *what = count_difference(&before->counts, &after->counts);

    if (!what)
        what = answer_difference(before, after);
    if (!what)
        what = register_difference(before, after);
    if (!what && before->tables != after->tables)
        what = "tables: other contents";
    return what;
}

bool rig_only_grew(const struct rig_state *before,
                   const struct rig_state *after)
{
    struct rig_state rest = *after;

    rest.counts.page_blocks = before->counts.page_blocks;
    rest.counts.pages = before->counts.pages;
    rest.counts.allocs = before->counts.allocs;
    rest.counts.bytes = before->counts.bytes;
    rest.tables = before->tables;
    return after->counts.page_blocks + after->counts.allocs >
               before->counts.page_blocks + before->counts.allocs &&
           !rig_difference(before, &rest);
}

static void assert_same(const struct rig *rig, const struct rig_state *before,
                        const struct rig_state *now)
{
    const char *what = rig_difference(before, now);

    if (what)
        fail_msg("%s: not as before: %s", rig->name, what);
}

void rig_assert_same(struct rig *rig, const struct rig_state *before)
{
    const struct rig_state now = rig_state(rig);

    assert_same(rig, before, &now);
}

void rig_assert_same_seen(struct rig *rig, const struct rig_state *before)
{
    struct rig_state now = rig_state(rig);

    if (!(rig_arch(rig)->does & RIG_EMPTIES))
        now.tables = before->tables;
    assert_same(rig, before, &now);
}
