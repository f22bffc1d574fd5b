/* SPDX-License-Identifier: MIT */
#include "bench/paper.h"

#include <string.h>

#include "core/driver.h"
#include "fw/fw.h"

static const struct uim_pt_ops *const formats[] = {
    &uim_pt_vmsa_s1_4k,     &uim_pt_vmsa_s1_16k,    &uim_pt_vmsa_s1_64k,
    &uim_pt_vmsa_s1_4k_ds,  &uim_pt_vmsa_s1_16k_ds, &uim_pt_vmsa_s2_4k,
    &uim_pt_vmsa_s2_16k,    &uim_pt_vmsa_s2_64k,    &uim_pt_vmsa_s2_4k_ds,
    &uim_pt_vmsa_s2_16k_ds,
};

enum { N_FORMATS = sizeof(formats) / sizeof(formats[0]), BITS = 48 };

struct paper {
    const struct uim_pt_ops *format;
};

static enum uiommu_status option(void *state, const char *key,
                                 const char *value)
{
    struct paper *paper = state;

    if (strcmp(key, "format") != 0)
        return UIOMMU_NOENT;
    for (unsigned i = 0; i < N_FORMATS; i++)
        if (strcmp(value, formats[i]->name) == 0)
            paper->format = formats[i];
    return paper->format ? UIOMMU_OK : UIOMMU_INVAL;
}

/* ---- a unit that agrees to everything ------------------------------------- */

static enum uiommu_status agree(struct uim_unit *unit)
{
    (void)unit;
    return UIOMMU_OK;
}

static void release(struct uim_unit *unit)
{
    unit->host->free(unit->host->ctx, unit, sizeof(*unit));
}

static enum uiommu_status set(struct uiommu_endpoint *endpoint,
                              struct uiommu_domain *next,
                              struct uiommu_domain *old)
{
    (void)endpoint;
    (void)old;
    return next->kind == UIOMMU_DOMAIN_BLOCKED ? UIOMMU_OK : UIOMMU_OPNOTSUPP;
}

static bool poll(struct uim_unit *unit)
{
    (void)unit;
    return false;
}

static const struct uim_unit_ops unit_ops = {
    .prepare = agree,
    .enable = agree,
    .disable = agree,
    .release = release,
    .set = set,
    .poll = poll,
};

static enum uiommu_status probe(struct uiommu *u, void *state,
                                const struct uim_fw_unit *info,
                                struct uim_unit **out)
{
    const struct uiommu_host *h = uim_host(u);
    const struct paper *paper = state;
    struct uim_unit *unit = h->alloc(h->ctx, sizeof(*unit));

    if (!unit)
        return UIOMMU_NOMEM;
    memset(unit, 0, sizeof(*unit));
    unit->ops = &unit_ops;
    unit->u = u;
    unit->host = h;
    unit->state = state;
    unit->base = info->base;
    unit->segment = info->segment;
    unit->mode = "paper";
    unit->format = paper->format;
    unit->page_sizes = paper->format->page_sizes;
    unit->iova_bits = BITS;
    unit->phys_bits = BITS;
    unit->coherent = true;
    unit->snoop = true;
    unit->window_first = 1; /* none */
    *out = unit;
    return UIOMMU_OK;
}

static enum uiommu_status settle(void *state, struct uim_unit *const *units,
                                 unsigned n)
{
    (void)state;
    (void)units;
    (void)n;
    return UIOMMU_OK;
}

const struct uiommu_driver bench_driver_paper = {
    .name = "paper",
    .fw = &uim_fw_dmar,
    .state_size = sizeof(struct paper),
    .option = option,
    .probe = probe,
    .settle = settle,
};
