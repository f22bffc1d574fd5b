/* SPDX-License-Identifier: MIT */
/*
 * scenario_sva.c - a device uses the addresses of a process: of one in the simulated
 * machine, whose page tables the unit walks; and of a real one, whose page faults Linux
 * serves and whose memory it reads and writes (docs/process.md).
 */
#include "tools/stage.h"

#include <sys/uio.h>
#include <unistd.h>

#include "bench/child.h"
#include "hosts/sim/kernel.h"
#include "hosts/sva/engine.h"
#include "hosts/sva/process.h"

enum { BYTES = 64, PAGES = 4 };

/* Where the simulated process has its memory. */
static const uint64_t HEAP = UINT64_C(0x7f0012345000);

struct story {
    struct stage *s;
    struct sva_engine engine;
    struct uiommu_endpoint *bound;
    uint8_t pattern;
};

static bool find_device(struct story *t)
{
    static const char what[] = "a device has PASIDs and asks for pages";
    struct stage *s = t->s;
    uint32_t last = 0;
    int dev = -1;

    if (strncmp(s->m->name, "sim:", 4) == 0)
        dev = sim_find(s->m, "gpu");
    if (dev >= 0)
        s->engine = (unsigned)dev;
    if (dev < 0 || uiommu_pasid_last(stage_endpoint(s), &last) != UIOMMU_OK)
        return stage_say(
            s, what, false,
            "the story is told of a simulated machine with PASIDs");
    t->engine = (struct sva_engine){ .m = s->m, .u = s->u, .dev = s->engine };
    return uiommu_set_domain(stage_endpoint(s), uiommu_identity(s->u), NULL) ==
               UIOMMU_OK &&
           stage_say(s, what, true, "%s has %u", stage_name(s), last);
}

static enum uiommu_status bind(struct story *t,
                               struct uiommu_provider *provider)
{
    enum uiommu_status status =
        uiommu_sva_bind(stage_endpoint(t->s), provider, NULL, &t->bound);

    if (status == UIOMMU_OK)
        t->engine.pasid = uiommu_endpoint_pasid(t->bound);
    return status;
}

static bool unbind(struct story *t)
{
    struct uiommu_endpoint *bound = t->bound;

    t->bound = NULL;
    return bound && uiommu_sva_unbind(bound, true) == UIOMMU_OK;
}

/* A new pattern each time. */
static enum sva_access write_to(struct story *t, uint64_t va,
                                uint8_t data[BYTES])
{
    t->pattern = (uint8_t)(t->pattern * 5 + 17);
    memset(data, t->pattern, BYTES);
    return sva_engine_access(&t->engine, true, va, data, BYTES);
}

/* ---- a process of the simulated machine ----------------------------------------------- */

struct simulated {
    struct kernel *k;
    struct kernel_process *p;
    struct uiommu_provider *provider;
};

static bool walks_its_tables(struct story *t, struct simulated *sim)
{
    uint8_t data[BYTES];
    enum uiommu_status status = bind(t, sim->provider);
    enum sva_access came_to = SVA_FAILED;
    const void *at = NULL;
    bool dirty = false;
    uint64_t phys;

    if (status == UIOMMU_OK)
        came_to = write_to(t, HEAP, data);
    phys = kernel_lookup(sim->p, HEAP, &dirty);
    if (came_to == SVA_DONE && phys != 0)
        at = sim_ram(t->s->m, phys, BYTES);
    return stage_say(t->s,
                     "the unit walks the page tables of a process, and its "
                     "faults are the process's",
                     at && memcmp(at, data, BYTES) == 0 && dirty &&
                         kernel_served(sim->p) > 0,
                     "%s writes to 0x%llx with PASID %u: %s; %u page requests "
                     "were served",
                     stage_name(t->s), (unsigned long long)HEAP,
                     (unsigned)t->engine.pasid,
                     status == UIOMMU_OK ? sva_access_name(came_to)
                                         : uiommu_status_name(status),
                     kernel_served(sim->p));
}

static bool loses_what_it_unmaps(struct story *t, struct simulated *sim)
{
    uint8_t data[BYTES] = { 0 };
    enum sva_access before, after, asked;

    before = sva_engine_try(&t->engine, true, HEAP, data, BYTES);
    kernel_munmap(sim->p, HEAP, 1);
    after = sva_engine_try(&t->engine, true, HEAP, data, BYTES);
    asked = sva_engine_ask(&t->engine, HEAP, UIOMMU_WRITE);
    return stage_say(t->s, "what the process unmaps the device has not",
                     before == SVA_DONE && after == SVA_NO_PAGE &&
                         asked == SVA_INVALID,
                     "a write before it: %s, after it: %s; asked for: %s",
                     sva_access_name(before), sva_access_name(after),
                     sva_access_name(asked));
}

static bool ends_with_it(struct story *t, struct simulated *sim)
{
    uint8_t data[BYTES];
    enum sva_access before = write_to(t, HEAP + KERNEL_PAGE, data), after;
    bool ok;

    kernel_exit(sim->p);
    after = write_to(t, HEAP + KERNEL_PAGE, data);
    ok = before == SVA_DONE && (after == SVA_INVALID || after == SVA_FAILED) &&
         unbind(t);
    return stage_say(t->s, "when it ends the device reaches nothing", ok,
                     "a write before it: %s, after it: %s",
                     sva_access_name(before), sva_access_name(after));
}

static bool is_arm(const struct stage *s)
{
    struct uiommu_unit_info unit = { .driver = "" };

    return uiommu_unit_info(s->u, 0, &unit) == UIOMMU_OK &&
           strcmp(unit.driver, "smmuv3") == 0;
}

static bool start_simulated(struct story *t, struct simulated *sim)
{
    struct uiommu_provider_config config;

    sim->k = kernel_open(t->s->m, is_arm(t->s));
    sim->p = sim->k ? kernel_process_create(sim->k) : NULL;
    if (!sim->p ||
        !kernel_mmap(sim->p, HEAP, PAGES, UIOMMU_READ | UIOMMU_WRITE))
        return stage_say(t->s, "a process starts", false, "no memory");
    config = kernel_provider(sim->p);
    if (uiommu_provider_create(t->s->u, &config, &sim->provider) != UIOMMU_OK)
        return stage_say(t->s, "a process starts", false, "no provider");
    kernel_follow(sim->p, sim->provider);
    return true;
}

/* Units without a first stage say so, and have tables of their own for the other. */
static bool walks_none(struct story *t, struct simulated *sim)
{
    enum uiommu_status status = bind(t, sim->provider);

    return stage_say(t->s,
                     "the unit walks no tables of processors, and says so",
                     status == UIOMMU_OPNOTSUPP && !t->bound, "%s",
                     uiommu_status_name(status));
}

static bool tell_all(struct story *t, struct simulated *sim)
{
    struct uiommu_unit_info unit = { .mode = "" };

    if (uiommu_unit_info(t->s->u, 0, &unit) == UIOMMU_OK &&
        strcmp(unit.mode, "scalable") == 0)
        return walks_none(t, sim);
    return walks_its_tables(t, sim) && loses_what_it_unmaps(t, sim) &&
           ends_with_it(t, sim);
}

static void end_simulated(struct story *t, struct simulated *sim)
{
    if (t->bound)
        (void)unbind(t);
    if (sim->p)
        kernel_exit(sim->p);
    if (sim->provider)
        uiommu_provider_put(sim->provider);
    if (sim->p)
        kernel_process_free(sim->p);
    if (sim->k)
        kernel_close(sim->k);
}

static bool tell_simulated(struct story *t)
{
    struct simulated sim = { NULL, NULL, NULL };
    bool ok = start_simulated(t, &sim) && tell_all(t, &sim);

    end_simulated(t, &sim);
    return ok;
}

/* ---- a real one -------------------------------------------------------------------------- */

struct real {
    struct bench_process child;
    struct sva_process *process;
};

static bool has_written(const struct real *r, uint64_t va,
                        const uint8_t data[BYTES])
{
    uint8_t there[BYTES];
    struct iovec local = { there, BYTES };
    struct iovec remote = { (void *)(uintptr_t)va, BYTES };

    return process_vm_readv(r->child.pid, &local, 1, &remote, 1, 0) == BYTES &&
           memcmp(there, data, BYTES) == 0;
}

static bool uses_its_memory(struct story *t, struct real *r)
{
    uint8_t data[BYTES];
    enum sva_access came_to = SVA_FAILED;
    uint64_t at = 0;

    if (bench_process_order(&r->child, BENCH_MAP)) {
        at = bench_process_at(&r->child);
        came_to = write_to(t, at, data);
    }
    return stage_say(
        t->s, "a device writes to a real process, which Linux lets it",
        came_to == SVA_DONE && has_written(r, at, data),
        "%s writes to 0x%llx of process %d with PASID %u: %s", stage_name(t->s),
        (unsigned long long)at, (int)r->child.pid, (unsigned)t->engine.pasid,
        sva_access_name(came_to));
}

static bool loses_what_that_unmaps(struct story *t, struct real *r)
{
    uint8_t data[BYTES] = { 0 };
    const uint64_t at = bench_process_at(&r->child);
    enum sva_access after, asked;
    bool ok = bench_process_order(&r->child, BENCH_UNMAP);

    after = sva_engine_try(&t->engine, true, at, data, BYTES);
    asked = sva_engine_ask(&t->engine, at, UIOMMU_WRITE);
    return stage_say(t->s, "when its munmap returns, the device has lost it",
                     ok && after == SVA_NO_PAGE && asked == SVA_INVALID,
                     "a write after it: %s; asked for: %s",
                     sva_access_name(after), sva_access_name(asked));
}

static bool ends_with_that(struct story *t, struct real *r)
{
    uint8_t data[BYTES];
    enum sva_access before = SVA_FAILED, after = SVA_DONE;
    uint64_t at = 0;

    if (bench_process_order(&r->child, BENCH_MAP)) {
        at = bench_process_at(&r->child);
        before = write_to(t, at, data);
    }
    bench_process_kill(&r->child);
    after = write_to(t, at, data);
    return stage_say(t->s, "and when it is killed, all of it",
                     before == SVA_DONE &&
                         (after == SVA_INVALID || after == SVA_FAILED) &&
                         unbind(t),
                     "a write before it: %s, after it: %s",
                     sva_access_name(before), sva_access_name(after));
}

static bool start_real(struct story *t, struct real *r)
{
    static const char what[] = "a real process starts";
    char error[300] = "no process";
    int socket;

    if (!bench_process_open(&r->child, &socket) ||
        !sva_process_open(t->s->m, t->s->u, socket, 0, &r->process, error,
                          sizeof(error)))
        return stage_say(t->s, what, false, "%s", error);
    return bind(t, sva_process_provider(r->process)) == UIOMMU_OK ||
           stage_say(t->s, what, false, "it cannot be bound");
}

static bool tell_real(struct story *t)
{
    struct real r = { .process = NULL };
    char why[300];
    bool ok;

    if (!process_supported(why, sizeof(why)))
        return stage_say(t->s, "the same with a real process", true,
                         "not on this system: %s", why);
    ok = start_real(t, &r) && uses_its_memory(t, &r) &&
         loses_what_that_unmaps(t, &r) && ends_with_that(t, &r);
    if (t->bound)
        (void)unbind(t);
    sva_process_close(r.process);
    bench_process_close(&r.child);
    return ok;
}

void scenario_sva(struct stage *s)
{
    struct story t = { .s = s };

    (void)(stage_start(s) && stage_add_devices(s) && find_device(&t) &&
           tell_simulated(&t) && tell_real(&t) && stage_stop(s));
}
