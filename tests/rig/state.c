/* SPDX-License-Identifier: MIT */
/*
 * state.c - the state of a machine that a call which failed must not have
 * changed (D-54, D-63).
 */
#include "tests/rig/rig.h"

#include <stdio.h>

#include <uiommu/embed.h>

#include "spec/vtd.h"

/* Accessed and dirty in first-stage entries, which the unit sets. */
#define FIRST_STAGE_AD UINT64_C(0x60)

enum { GSTS, FECTL };

/* Not RTPS, which says that a root table was taken over at some time, nor IP,
 * that a fault was not told yet; nor the mask of a unit that is off, which a start
 * that failed leaves set. */
static const struct {
    uint32_t offset, bits;
} registers[RIG_REGISTERS] = {
    [GSTS] = { VTD_REG_GSTS, ~(UINT32_C(1) << 30) },
    [FECTL] = { VTD_REG_FECTL, ~(UINT32_C(1) << 30) },
    { VTD_REG_PMEN, UINT32_MAX },
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

struct rig_state rig_state(struct rig *rig)
{
    bool first_stage = rig->config.mode == SIM_FIRST_STAGE;
    struct rig_state state = { .tables = 0 };

    take_answers(rig, &state);
    for (unsigned i = 0; i < RIG_REGISTERS; i++)
        state.reg[i] = (uint32_t)read_register(rig, registers[i].offset, 4) &
                       registers[i].bits;
    if (!(state.reg[GSTS] >> 31))
        state.reg[FECTL] = 0;
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
        snprintf(text, sizeof(text), "register 0x%x: 0x%x, was 0x%x",
                 registers[i].offset, after->reg[i], before->reg[i]);
        return text;
    }
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
