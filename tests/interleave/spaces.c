/* SPDX-License-Identifier: MIT */
/*
 * spaces.c - programs about what carries a PASID and has an address space of its own:
 * that of a process, of a driver of the host, of a context of a GPU.
 */
#include "tests/core/mdevs.h"
#include "tests/core/requests.h"
#include "tests/interleave/programs.h"

#include <uiommu/dma.h>
#include <uiommu/reset.h>
#include <uiommu/sva.h>

/* What programs have beside their trial; before() makes it, after() ends it. */
static struct scene {
    struct uiommu_domain *next;
    struct uiommu_provider *provider;
    struct uiommu_endpoint *ep;
} s;

static void begin(void)
{
    memset(&s, 0, sizeof(s));
}

/* ---- address spaces ------------------------------------------------------------ */

/* A PASID sees one that ends; t->d has a page. */
static void sees_a_process(struct trial *t)
{
    const struct uiommu_provider_config config = {
        .size = sizeof(config),
        .flags = UIOMMU_PROVIDER_RESIDENT,
    };

    begin();
    page_in(t, t->d, 0);
    sees(t, rig_endpoint(t->rig, 0), uiommu_identity(t->rig->u));
    expect_ok(t, uiommu_pasid_create(rig_endpoint(t->rig, 0), NULL, &s.ep),
              "pasid_create");
    expect_ok(t, uiommu_provider_create(t->rig->u, &config, &s.provider),
              "provider_create");
    expect_ok(t, uiommu_sva_domain(s.ep, s.provider, &s.next), "sva_domain");
    sees(t, s.ep, s.next);
    expect_ok(t,
              uiommu_provider_map(s.provider, t->base, t->page, RIG_PAGE, RW),
              "provider_map");
}

static void process_ends(void *ctx)
{
    struct trial *t = ctx;

    expect_ok(t, uiommu_provider_exit(s.provider), "provider_exit");
    if (lands_with(t->rig, 0, uiommu_endpoint_pasid(s.ep), t->base,
                   UIOMMU_WRITE) != NOWHERE)
        say(t, "a device reaches what has ended");
}

static void leaves_the_process(void *ctx)
{
    struct trial *t = ctx;

    sees(t, s.ep, t->d);
    if (!reached(t, 0, uiommu_endpoint_pasid(s.ep)))
        say(t, "what was left has ended, and what is seen is shut");
}

/* Whoever ended what it saw shut nothing else, nor later. */
static void sees_what_it_was_shown(struct trial *t)
{
    if (!reached(t, 0, uiommu_endpoint_pasid(s.ep)))
        say(t, "what is seen was shut by the end of what was left");
    expect_ok(t, uiommu_pasid_destroy(s.ep, true), "pasid_destroy");
    leave(t, 0);
    uiommu_domain_put(s.next);
    uiommu_provider_put(s.provider);
}

/* ---- all of them --------------------------------------------------------------- */

const struct program space_programs[] = {
    { "end_of_a_process_beside_a_set",
      sees_a_process,
      { process_ends, leaves_the_process },
      sees_what_it_was_shown,
      ON_PASIDS },
    { 0 },
};
