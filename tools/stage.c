/* SPDX-License-Identifier: MIT */
#include "tools/stage.h"
#include "tools/machine_up.h"

#include <stdarg.h>
#include <stdio.h>

enum { BLOCK = 512 }; /* what every engine can move at once */

bool stage_say(struct stage *s, const char *what, bool ok, const char *format,
               ...)
{
    struct scenario_step step = { .what = what, .ok = ok };
    va_list args;

    va_start(args, format);
    vsnprintf(step.detail, sizeof(step.detail), format, args);
    va_end(args);
    s->ok = s->ok && ok;
    s->tell(s->ctx, &step);
    return ok;
}

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct stage *s = ctx;

    s->faults++;
    s->fault = *fault;
    uiommu_explain_fault(fault, s->sentence, sizeof(s->sentence));
    return true;
}

static void on_irq(void *ctx, unsigned unit, unsigned n)
{
    struct stage *s = ctx;

    if (s->started)
        uiommu_irq(s->u, unit, n);
}

const char *stage_name(const struct stage *s)
{
    return s->m->devices[s->engine].name;
}

/* ---- DMA and what came of it --------------------------------------------------- */

/* Interrupts first, then a look as hosts without interrupts do. */
void stage_collect_faults(struct stage *s)
{
    (void)!machine_run(s->m);
    if (s->started)
        uiommu_poll(s->u);
}

void stage_forget_faults(struct stage *s)
{
    stage_collect_faults(s);
    s->faults = 0;
    s->sentence[0] = '\0';
}

bool stage_write_lands(struct stage *s, uint64_t iova)
{
    uint8_t data[BLOCK];
    bool landed;

    stage_forget_faults(s);
    s->pattern = (uint8_t)(s->pattern * 5 + 17);
    memset(data, s->pattern, sizeof(data));
    memset(s->page, (uint8_t)~s->pattern, STAGE_PAGE);
    (void)machine_dma(s->m, s->engine, true, iova, data, sizeof(data));
    landed = memcmp(s->page, data, sizeof(data)) == 0;
    stage_collect_faults(s);
    return landed;
}

bool stage_read_gets(struct stage *s, uint64_t iova)
{
    uint8_t data[BLOCK];

    stage_forget_faults(s);
    s->pattern = (uint8_t)(s->pattern * 5 + 17);
    memset(s->page, s->pattern, STAGE_PAGE);
    memset(data, (uint8_t)~s->pattern, sizeof(data));
    (void)machine_dma(s->m, s->engine, false, iova, data, sizeof(data));
    stage_collect_faults(s);
    return memcmp(data, s->page, sizeof(data)) == 0;
}

bool stage_refused(const struct stage *s, bool reached)
{
    return !reached && s->faults > 0 &&
           s->fault.source.bus == s->m->devices[s->engine].pci.bus &&
           s->fault.source.devfn == s->m->devices[s->engine].pci.devfn;
}

const char *stage_told(const struct stage *s)
{
    return s->faults > 0 ? s->sentence : "no fault was recorded";
}

/* ---- up ---------------------------------------------------------------------- */

struct uiommu_endpoint *stage_endpoint(struct stage *s)
{
    return uiommu_device_endpoint(s->device[s->engine]);
}

bool stage_start(struct stage *s)
{
    const struct uiommu_config config = {
        .on_fault = on_fault,
        .fault_ctx = s,
        .storm_budget = s->storm_budget,
    };
    struct uiommu_unit_info unit = { .driver = NULL };
    enum uiommu_status status;

    status = machine_start(s->m, &config, &s->u);
    if (status == UIOMMU_OK)
        status = uiommu_unit_info(s->u, 0, &unit);
    if (status != UIOMMU_OK)
        return stage_say(s, "the machine comes up from its firmware table",
                         false, "%s; %s", uiommu_status_name(status),
                         s->m->error);
    s->started = true;
    s->remaps = unit.remaps;
    return stage_say(s, "the machine comes up from its firmware table", true,
                     "%s unit at 0x%llx, %s, %s, %u-bit addresses", unit.driver,
                     (unsigned long long)unit.base, unit.mode,
                     unit.coherent ? "coherent" : "not coherent",
                     (unsigned)unit.iova_bits);
}

bool stage_add_devices(struct stage *s)
{
    static const char what[] = "every device starts blocked";
    unsigned blocked = 0;

    for (unsigned i = 0; i < s->m->n_devices; i++) {
        enum uiommu_status status =
            machine_add_device(s->m, s->u, i, s->device);

        if (status != UIOMMU_OK)
            return stage_say(s, what, false, "%s: %s", s->m->devices[i].name,
                             uiommu_status_name(status));
        s->n_devices++;
        blocked +=
            uiommu_endpoint_domain(uiommu_device_endpoint(s->device[i])) ==
            uiommu_blocked(s->u);
    }
    return stage_say(s, what, blocked == s->n_devices, "%u of %u", blocked,
                     s->n_devices);
}

enum uiommu_status stage_make_domain(struct stage *s)
{
    return stage_make_domain_with(s, NULL);
}

enum uiommu_status
stage_make_domain_with(struct stage *s,
                       const struct uiommu_domain_config *config)
{
    return machine_page(s->m, s->engine, stage_endpoint(s), config, STAGE_IOVA,
                        s->phys, &s->domain);
}

/* ---- down -------------------------------------------------------------------- */

static enum uiommu_status take_down(struct stage *s)
{
    enum uiommu_status status = UIOMMU_OK;

    if (s->domain)
        uiommu_domain_put(s->domain);
    s->domain = NULL;
    while (s->n_devices > 0 && status == UIOMMU_OK)
        if (s->device[--s->n_devices])
            status = uiommu_device_remove(s->device[s->n_devices]);
    if (status == UIOMMU_OK)
        status = uiommu_stop(s->u);
    s->started = false;
    return status;
}

bool stage_stop(struct stage *s)
{
    enum uiommu_status status;

    if (!s->started)
        return false;
    status = take_down(s);
    return stage_say(s, "everything is given back", status == UIOMMU_OK, "%s",
                     uiommu_status_name(status));
}

static bool find_engine(struct stage *s)
{
    for (s->engine = 0; s->engine < s->m->n_devices; s->engine++)
        if (s->m->devices[s->engine].engine)
            return s->m->n_devices <= STAGE_DEVICES;
    return false;
}

static void give_back(struct stage *s)
{
    const struct uiommu_host *h = &s->m->host;

    h->pages_free(h->ctx, s->page, s->phys, 0);
}

bool scenario_run(struct machine *m, const struct scenario *scenario,
                  scenario_fn tell, void *ctx)
{
    struct stage s = { .m = m, .tell = tell, .ctx = ctx, .ok = true };

    m->on_irq = on_irq;
    m->irq_ctx = &s;
    if (!find_engine(&s))
        return stage_say(&s, "the machine has devices", false, "no engine");
    s.page = m->host.pages_alloc(m->host.ctx, 0, 0, &s.phys);
    if (!s.page)
        return stage_say(&s, "the machine has memory", false, "no page");
    scenario->run(&s);
    (void)stage_stop(&s);
    if (s.u && uiommu_destroy(s.u) != UIOMMU_OK)
        s.ok = stage_say(&s, "uiommu ends", false, "it is in use");
    m->on_irq = NULL;
    give_back(&s);
    return s.ok;
}

/* ---- which there are ----------------------------------------------------------- */

const struct scenario scenarios[] = {
    { "confine", "every device is confined, and each promise is shown by DMA",
      scenario_confine, false, false },
    { "rest", "what a device reaches that nobody uses, found by DMA",
      scenario_rest, false, false },
    { "faults", "what is heard of a device that goes astray, and does not stop",
      scenario_faults, false, false },
    { "sva", "a device uses the memory of processes, simulated and real",
      scenario_sva, true, true },
    { NULL, NULL, NULL, false, false },
};

const struct scenario *scenario_find(const char *name)
{
    for (const struct scenario *row = scenarios; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}
