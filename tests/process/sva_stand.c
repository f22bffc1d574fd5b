/* SPDX-License-Identifier: MIT */
/* sva_stand.c - see sva_stand.h. */
#include "tests/process/sva_stand.h"

#include <string.h>

const struct sva_kind sva_kinds[SVA_KINDS] = {
    [SVA_VTD_FIRST] = { "VT-d, first stage", SIM_FIRST_STAGE },
    [SVA_VTD_SECOND] = { "VT-d, second stage", SIM_SCALABLE },
    [SVA_SMMUV3] = { "SMMUv3", SIM_STAGE_1 },
};

static child_fn *program;

static void with_agent(struct shared *s)
{
    char error[200];

    need(process_agent_start((int)atomic_load(&s->n[0]), error, sizeof(error)),
         "agent");
    program(s);
}

static void follow(struct sva_stand *s, unsigned frames)
{
    char error[300] = "";

    if (!sva_process_open(s->machine.m, s->machine.u, s->child.socket, frames,
                          &s->process, error, sizeof(error)))
        fail_msg("%s", error);
    s->child.socket = -1;
    for (unsigned i = 0; i < SVA_ENGINES; i++)
        assert_int_equal(
            sva_machine_bind(&s->machine, i, sva_process_provider(s->process)),
            UIOMMU_OK);
}

/* The fork first: it has none of the machine's threads. */
static void open_all(struct sva_stand *s, const struct sva_kind *kind,
                     child_fn *fn, unsigned frames, bool fast)
{
    const struct sim_config config = {
        .mode = kind->mode, .accels = 1, .adversarial = true, .fast = fast
    };
    char error[300] = "";

    memset(s, 0, sizeof(*s));
    program = fn;
    stand_fork(&s->child, with_agent);
    if (!sva_machine_open(&s->machine, &config, error, sizeof(error)))
        fail_msg("%s: %s", kind->name, error);
    follow(s, frames);
}

void sva_open(struct sva_stand *s, const struct sva_kind *kind, child_fn *fn)
{
    open_all(s, kind, fn, 0, false);
}

void sva_open_fast(struct sva_stand *s, const struct sva_kind *kind,
                   child_fn *fn)
{
    open_all(s, kind, fn, 0, true);
}

void sva_open_frames(struct sva_stand *s, const struct sva_kind *kind,
                     child_fn *fn, unsigned frames)
{
    open_all(s, kind, fn, frames, false);
}

void sva_close_with(struct sva_stand *s, unsigned problems)
{
    for (unsigned i = 0; i < SVA_ENGINES; i++)
        assert_int_equal(sva_machine_unbind(&s->machine, i), UIOMMU_OK);
    assert_int_equal(sva_process_counts(s->process).stale, 0);
    stand_close(&s->child);
    sva_process_close(s->process);
    assert_int_equal(sim_stale_count(s->machine.m), 0);
    assert_int_equal(sva_machine_close(&s->machine), problems);
}

void sva_close(struct sva_stand *s)
{
    sva_close_with(s, 0);
}

enum sva_access sva_store(struct sva_stand *s, unsigned n, uint64_t va,
                          uint32_t value)
{
    return sva_engine_access(&s->machine.engine[n], true, va, &value,
                             sizeof(value));
}

enum sva_access sva_load(struct sva_stand *s, unsigned n, uint64_t va,
                         uint32_t *value)
{
    return sva_engine_access(&s->machine.engine[n], false, va, value,
                             sizeof(*value));
}

enum sva_access sva_try_load(struct sva_stand *s, unsigned n, uint64_t va)
{
    uint32_t value;

    return sva_engine_try(&s->machine.engine[n], false, va, &value,
                          sizeof(value));
}

enum sva_access sva_try_store(struct sva_stand *s, unsigned n, uint64_t va,
                              uint32_t value)
{
    return sva_engine_try(&s->machine.engine[n], true, va, &value,
                          sizeof(value));
}
