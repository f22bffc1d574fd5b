/* SPDX-License-Identifier: MIT */
/* machine.c - see machine.h. */
#include "hosts/sva/machine.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const struct uiommu_driver *const drivers[] = { &uiommu_driver_vtd,
                                                       &uiommu_driver_smmuv3 };

static const char *options_of(enum sim_mode mode)
{
    static const char *const options[] = {
        [SIM_LEGACY] = "vtd.mode=legacy",
        [SIM_SCALABLE] = "vtd.mode=scalable",
        [SIM_FIRST_STAGE] = "vtd.mode=first-stage",
        [SIM_STAGE_1] = "smmuv3.stage=1",
        [SIM_STAGE_2] = "smmuv3.stage=2",
    };

    return options[mode];
}

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct sva_machine *s = ctx;

    (void)fault;
    atomic_fetch_add(&s->faults, 1);
    return true;
}

static void on_irq(void *ctx, unsigned unit, unsigned n)
{
    struct sva_machine *s = ctx;

    (void)uiommu_irq(s->u, unit, n);
}

/* ---- up -------------------------------------------------------------------------- */

static enum uiommu_status add_device(struct sva_machine *s, unsigned i)
{
    const struct machine_device *d = &s->m->devices[i];
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .pci = d->pci,
        .bridge = d->bridge == MACHINE_NO_BRIDGE ? NULL : s->device[d->bridge],
    };
    enum uiommu_status status = uiommu_device_add(s->u, &info, &s->device[i]);

    if (status != UIOMMU_OK)
        return status;
    s->n_devices++;
    return d->engine ? uiommu_set_domain(uiommu_device_endpoint(s->device[i]),
                                         uiommu_identity(s->u), NULL)
                     : UIOMMU_OK;
}

static enum uiommu_status bring_up(struct sva_machine *s, enum sim_mode mode)
{
    const struct uiommu_config config = {
        .size = sizeof(config),
        .options = options_of(mode),
        .on_fault = on_fault,
        .fault_ctx = s,
    };
    enum uiommu_status status = uiommu_create(&s->m->host, &config, &s->u);

    if (status == UIOMMU_OK)
        status = uiommu_add_table(s->u, s->m->table, s->m->table_size);
    if (status == UIOMMU_OK)
        status = uiommu_start(s->u, drivers, 2);
    s->started = status == UIOMMU_OK;
    for (unsigned i = 0; i < s->m->n_devices && status == UIOMMU_OK; i++)
        status = add_device(s, i);
    return status;
}

bool sva_machine_open(struct sva_machine *s, const struct sim_config *config,
                      char *error, size_t size)
{
    struct sim_config c = *config;
    enum uiommu_status status;

    memset(s, 0, sizeof(*s));
    c.engine_caps |= SIM_PASID;
    c.ats = c.pri = true;
    s->m = sim_open(&c, error, size);
    if (!s->m)
        return false;
    s->m->on_irq = on_irq;
    s->m->irq_ctx = s;
    status = bring_up(s, c.mode);
    if (status != UIOMMU_OK) {
        snprintf(error, size, "%s: %s", uiommu_status_name(status),
                 sim_last_log(s->m));
        (void)sva_machine_close(s);
        return false;
    }
    for (unsigned i = 0; i < SVA_ENGINES; i++)
        s->engine[i] = (struct sva_engine){
            .m = s->m, .u = s->u, .dev = (unsigned)sim_engine(s->m, i)
        };
    return true;
}

/* ---- in use ---------------------------------------------------------------------- */

enum uiommu_status sva_machine_bind(struct sva_machine *s, unsigned n,
                                    struct uiommu_provider *provider)
{
    struct uiommu_endpoint *ep =
        uiommu_device_endpoint(s->device[s->engine[n].dev]);
    enum uiommu_status status =
        uiommu_sva_bind(ep, provider, NULL, &s->bound[n]);

    if (status == UIOMMU_OK)
        s->engine[n].pasid = uiommu_endpoint_pasid(s->bound[n]);
    return status;
}

enum uiommu_status sva_machine_unbind(struct sva_machine *s, unsigned n)
{
    struct uiommu_endpoint *bound = s->bound[n];

    s->bound[n] = NULL;
    return uiommu_sva_unbind(bound, true);
}

/* ---- down ------------------------------------------------------------------------ */

unsigned sva_machine_close(struct sva_machine *s)
{
    enum uiommu_status status = UIOMMU_OK;

    while (s->n_devices > 0 && status == UIOMMU_OK)
        status = uiommu_device_remove(s->device[--s->n_devices]);
    if (s->started && status == UIOMMU_OK)
        status = uiommu_stop(s->u);
    if (s->u && status == UIOMMU_OK)
        status = uiommu_destroy(s->u);
    s->m->on_irq = NULL;
    return sim_close(s->m) + (status != UIOMMU_OK);
}
