/* SPDX-License-Identifier: MIT */
/*
 * state.c - the state of a machine that a call which failed must not have
 * changed (D-54, D-63).
 */
#include "tests/rig/rig.h"

#include <stdio.h>

#include <uiommu/embed.h>

#include "core/core.h"
#include "drv/vtd/vtd.h"

/* Accessed and dirty in first-stage entries, which the unit sets. */
#define FIRST_STAGE_AD UINT64_C(0x60)

enum { GSTS, TES = 31, QIES = 26, ALWAYS = 32 };

/* Not RTPS and IRTPS, which say that a table was taken over at some time, nor IP,
 * that a fault was not told yet. What a unit that is off would do if it were on is
 * left alone: a start that failed may have changed it. */
static const struct {
    uint32_t offset, bytes;
    uint64_t ignored;
    unsigned needs; /* bit of GSTS */
} registers[RIG_REGISTERS] = {
    [GSTS] = { VTD_REG_GSTS, 4, UINT64_C(1) << 30 | UINT64_C(1) << 24, ALWAYS },
    { VTD_REG_PMEN, 4, 0, ALWAYS },
    { VTD_REG_RTADDR, 8, 0, TES },
    { VTD_REG_FECTL, 4, UINT64_C(1) << 30, TES },
    { VTD_REG_FEDATA, 4, 0, TES },
    { VTD_REG_FEADDR, 4, 0, TES },
    { VTD_REG_FEUADDR, 4, 0, TES },
    { VTD_REG_IQA, 8, 0, QIES },
};

/* Where tests map things, and the ends. */
static const uint64_t places[RIG_PLACES] = {
    0,
    UINT64_C(0x100000),
    UINT64_C(0x80000000),
    UINT64_C(0x80001000),
    UINT64_C(0xc0000000),
    UINT64_C(0x7ffffff000),
};

static uint64_t read_register(struct rig *rig, uint32_t offset, uint32_t len)
{
    return sim_ops(rig->m)->mmio_read(sim_model(rig->m), 0, offset, len);
}

/* The ring, which every call writes to. */
static struct uiommu_range queue(struct rig *rig)
{
    const struct vtd_iqa iqa = { read_register(rig, VTD_REG_IQA, 8) };

    return (struct uiommu_range){ vtd_iqa_iqa(iqa) << 12,
                                  UINT64_C(4096) << vtd_iqa_qs(iqa) };
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
        unsigned needs = registers[i].needs;

        if (needs != ALWAYS && !(state->reg[GSTS] >> needs & 1))
            continue;
        state->reg[i] =
            read_register(rig, registers[i].offset, registers[i].bytes) &
            ~registers[i].ignored;
    }
}

static unsigned ids_in_use(const struct rig *rig)
{
    unsigned n = 0;

    for (unsigned i = 0; rig->u && i < rig->u->n_units; i++) {
        const struct uim_unit *unit = rig->u->unit[i];
        const struct vtd_unit *v =
            unit ? uim_container(unit, const struct vtd_unit, unit) : NULL;

        for (uint32_t w = 0; v && v->dids && w * 64 < v->n_dids; w++)
            n += (unsigned)__builtin_popcountll(v->dids[w]);
    }
    return n;
}

static bool is_broken(const struct rig *rig)
{
    for (unsigned i = 0; rig->u && i < rig->u->n_units; i++)
        if (rig->u->unit[i] && atomic_load(&rig->u->unit[i]->broken))
            return true;
    return false;
}

void rig_check_ids(const struct rig *rig)
{
    unsigned n = 0;

    for (unsigned i = 0; i < rig->u->n_units; i++)
        n += rig->u->unit[i] != NULL;
    if (atomic_load(&rig->u->n_domains) == 0)
        assert_int_equal(ids_in_use(rig), n * VTD_DID_FIRST);
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

        mix_domain(&digest, d->endpoint.domain);
        mix_domain(&digest, d->group->domain);
        mix_domain(&digest, d->group->firmware);
        mix_domain(&digest, d->endpoint.at[0].domain);
        mix_domain(&digest, d->endpoint.at[1].domain);
        mix(&digest, d->group->claims);
    }
    return digest;
}

struct rig_state rig_state(struct rig *rig)
{
    bool first_stage = rig->config.mode == SIM_FIRST_STAGE;
    struct rig_state state = { .ids = ids_in_use(rig),
                               .broken = is_broken(rig),
                               .holds = take_holds(rig) };

    take_answers(rig, &state);
    take_registers(rig, &state);
    sim_counts(rig->m, &state.counts);
    state.tables =
        sim_pages_digest(rig->m, queue(rig), first_stage ? FIRST_STAGE_AD : 0);
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
                 registers[i].offset, (unsigned long long)after->reg[i],
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

void rig_assert_same(struct rig *rig, const struct rig_state *before)
{
    const struct rig_state now = rig_state(rig);
    const char *what = rig_difference(before, &now);

    if (what)
        fail_msg("%s: not as before: %s", rig->name, what);
}
