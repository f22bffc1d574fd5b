/* SPDX-License-Identifier: MIT */
/* engine.c - see engine.h. */
#include "hosts/sva/engine.h"

#include <sched.h>
#include <time.h>

/* A thread that yields on a busy machine comes back late. */
enum { PAGE = 4096, GROUPS = 512, WAIT_S = 10, ROUNDS = 16 };

static time_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

static bool is_late(time_t since)
{
    return now_s() > since + WAIT_S;
}

/* Somebody else may be serving what this one waits for. */
static void serve(struct sva_engine *e)
{
    (void)machine_run(e->m);
    uiommu_serve(e->u);
    (void)machine_run(e->m);
}

static enum sva_access what_stopped(const struct sim_request *r)
{
    if (r->no_page)
        return SVA_NO_PAGE;
    return r->stop == SIM_ABORTED ? SVA_ABORTED : SVA_FAILED;
}

enum sva_access sva_engine_try(struct sva_engine *e, bool write, uint64_t va,
                               void *buf, size_t size)
{
    struct sim_request r = { .dev = e->dev,
                             .pasid = e->pasid,
                             .write = write,
                             .iova = va,
                             .buf = buf,
                             .size = size };

    return sim_dma(e->m, &r) == MACHINE_DMA_DONE ? SVA_DONE : what_stopped(&r);
}

static enum sva_access answer_to(struct sva_engine *e,
                                 const struct sim_page_request *ask,
                                 unsigned since)
{
    const unsigned n = sim_page_responses(e->m, e->dev);

    for (unsigned i = since; i < n; i++) {
        struct sim_page_response r = sim_page_response_at(e->m, e->dev, i);

        if (r.expected && r.group == ask->group && r.pasid == ask->pasid)
            return r.code == SIM_PAGE_SUCCESS ? SVA_DONE : SVA_INVALID;
    }
    return SVA_FAILED;
}

enum sva_access sva_engine_ask(struct sva_engine *e, uint64_t va,
                               unsigned access)
{
    const struct sim_page_request ask = { .dev = e->dev,
                                          .pasid = e->pasid,
                                          .iova = va,
                                          .access = access,
                                          .last = true,
                                          .group = e->group };
    const unsigned before = sim_page_responses(e->m, e->dev);
    const time_t start = now_s();
    unsigned rounds = 0;

    e->group = (e->group + 1) % GROUPS;
    if (sim_page_request(e->m, &ask) != SIM_NOT_STOPPED)
        return SVA_FAILED;
    while (sim_page_groups(e->m, e->dev) > 0 && !is_late(start)) {
        serve(e);
        if (++rounds % ROUNDS == 0)
            sched_yield();
    }
    return answer_to(e, &ask, before);
}

/* What was refused has a translation until somebody has taken it back. */
static enum sva_access access_part(struct sva_engine *e, bool write,
                                   uint64_t va, void *buf, size_t size)
{
    const unsigned access = write ? UIOMMU_WRITE : UIOMMU_READ;
    const time_t start = now_s();
    enum sva_access status;

    while (!is_late(start)) {
        status = sva_engine_try(e, write, va, buf, size);
        if (status == SVA_ABORTED)
            sched_yield();
        else if (status != SVA_NO_PAGE)
            return status;
        else if ((status = sva_engine_ask(e, va, access)) != SVA_DONE)
            return status;
    }
    return SVA_FAILED;
}

enum sva_access sva_engine_access(struct sva_engine *e, bool write, uint64_t va,
                                  void *buf, size_t size)
{
    enum sva_access status = SVA_DONE;
    size_t done = 0;

    while (done < size && status == SVA_DONE) {
        size_t part = PAGE - (va + done) % PAGE;

        part = part < size - done ? part : size - done;
        status = access_part(e, write, va + done, (uint8_t *)buf + done, part);
        done += part;
    }
    return status;
}

const char *sva_access_name(enum sva_access access)
{
    static const char *const names[] = { "done", "no page", "aborted",
                                         "invalid", "failed" };

    return names[access];
}
