/* SPDX-License-Identifier: MIT */
#include "tools/audit_machine.h"

#include <stdio.h>
#include <string.h>

#include "base/store.h"
#include "tools/machine_up.h"
#include "tools/machines.h"

enum { PAGE = 4096, WORDS_LEGACY = 2, WORDS = 8, INDEX = 0x1ff };

#define IOVA UINT64_C(0x12345000)
#define ADDRESS                                                                \
    UINT64_C(0xfffffffff000) /* of tables and pages, in any format */

/* ---- up ------------------------------------------------------------------------- */

static bool failed(enum uiommu_status status, const char *what, char *error,
                   size_t size)
{
    if (status == UIOMMU_OK)
        return false;
    snprintf(error, size, "%s: %s", what, uiommu_status_name(status));
    return true;
}

static enum uiommu_status add_devices(struct audit_machine *a)
{
    enum uiommu_status status = UIOMMU_OK;

    if (a->m->n_devices > AUDIT_DEVICES)
        return UIOMMU_NOSPC;
    while (status == UIOMMU_OK && a->n_devices < a->m->n_devices) {
        status = machine_add_device(a->m, a->u, a->n_devices, a->device);
        a->n_devices += status == UIOMMU_OK;
    }
    return status;
}

static enum uiommu_status set_domains(struct audit_machine *a)
{
    enum uiommu_status status = UIOMMU_OK;
    unsigned n = 0;

    for (unsigned i = 0; i < a->n_devices && status == UIOMMU_OK; i++) {
        struct uiommu_endpoint *ep = uiommu_device_endpoint(a->device[i]);

        if (!a->m->devices[i].engine)
            continue;
        if (n < AUDIT_PAGED)
            status =
                machine_page(a->m, i, ep, NULL, IOVA, a->phys, &a->domain[n]);
        else if (n == AUDIT_PAGED)
            status = uiommu_set_domain(ep, uiommu_identity(a->u), NULL);
        n++;
    }
    return status;
}

bool audit_machine_open(struct audit_machine *a, const char *name,
                        const char *mode, char *error, size_t size)
{
    static const struct uiommu_config config = { .flags = 0 };

    memset(a, 0, sizeof(*a));
    a->m = machine_open(name, mode, error, size);
    if (!a->m)
        return false;
    a->virt = a->m->host.pages_alloc(a->m->host.ctx, 0, 0, &a->phys);
    if (!a->virt) {
        snprintf(error, size, "the machine has no memory");
        return false;
    }
    return !failed(machine_start(a->m, &config, &a->u), "it does not come up",
                   error, size) &&
           !failed(add_devices(a), "devices cannot be added", error, size) &&
           !failed(set_domains(a), "domains cannot be set", error, size);
}

/* ---- down ------------------------------------------------------------------------ */

static bool end(struct audit_machine *a)
{
    enum uiommu_status status = UIOMMU_OK;

    for (unsigned n = 0; n < AUDIT_PAGED; n++)
        if (a->domain[n])
            uiommu_domain_put(a->domain[n]);
    while (a->n_devices > 0 && status == UIOMMU_OK)
        status = uiommu_device_remove(a->device[--a->n_devices]);
    if (a->u && status == UIOMMU_OK)
        status = uiommu_stop(a->u);
    if (a->u && status != UIOMMU_TIMEDOUT)
        status = uiommu_destroy(a->u);
    return status == UIOMMU_OK;
}

bool audit_machine_close(struct audit_machine *a)
{
    bool ok;

    if (!a->m)
        return true;
    ok = end(a);
    if (a->virt)
        a->m->host.pages_free(a->m->host.ctx, a->virt, a->phys, 0);
    machine_close(a->m);
    return ok;
}

/* ---- corruption ------------------------------------------------------------------- */

static uint64_t *at_phys(const struct audit_machine *a, uint64_t phys)
{
    const struct uiommu_host *h = &a->m->host;
    const uint64_t page = phys & ~(uint64_t)(PAGE - 1);
    uint8_t *virt = h->direct_map ? (void *)(uintptr_t)(page + h->direct_offset)
                                  : h->phys_to_virt(h->ctx, page);

    return (uint64_t *)(void *)(virt + phys % PAGE);
}

static void keep(struct audit_damage *damage, uint64_t *at, unsigned n)
{
    damage->at = at;
    damage->n = n;
    memcpy(damage->was, at, n * sizeof(*at));
}

void audit_machine_mend(struct audit_damage *damage)
{
    memcpy(damage->at, damage->was, damage->n * sizeof(*damage->at));
    damage->n = 0;
}

/* Where the audit itself finds the entries of the two. */
struct entries {
    const struct audit_machine *a;
    uint64_t at[AUDIT_PAGED];
};

static void find_entry(void *ctx, const struct uiommu_audit *row)
{
    struct entries *e = ctx;

    for (unsigned n = 0; n < AUDIT_PAGED; n++)
        if (row->of_requester && row->domain == e->a->domain[n])
            e->at[n] = row->entry;
}

static bool corrupt_entry(struct audit_machine *a, struct audit_damage *damage)
{
    struct entries e = { .a = a };
    struct uiommu_unit_info unit;
    unsigned words = WORDS;

    if (uiommu_audit(a->u, find_entry, &e) != UIOMMU_OK || !e.at[0] ||
        !e.at[1] || uiommu_unit_info(a->u, 0, &unit) != UIOMMU_OK)
        return false;
    if (strcmp(unit.mode, "legacy") == 0)
        words = WORDS_LEGACY;
    keep(damage, at_phys(a, e.at[1]), words);
    memcpy(at_phys(a, e.at[1]), at_phys(a, e.at[0]), words * sizeof(uint64_t));
    return true;
}

static bool corrupt_leaf(struct audit_machine *a, struct audit_damage *damage)
{
    struct uiommu_trace trace;
    uint64_t table, *leaf;

    if (!a->domain[0] || uiommu_walk(a->domain[0], IOVA, &trace) != UIOMMU_OK ||
        trace.level != 0)
        return false;
    table = trace.entry[1] & ADDRESS;
    leaf = &at_phys(a, table)[IOVA / PAGE & INDEX];
    keep(damage, leaf, 1);
    *leaf = uim_le64((uim_le64(*leaf) & ~ADDRESS) | table);
    return true;
}

bool audit_machine_corrupt(struct audit_machine *a, const char *what,
                           struct audit_damage *damage, char *error,
                           size_t size)
{
    bool done = false;

    if (strcmp(what, "entry") == 0)
        done = corrupt_entry(a, damage);
    else if (strcmp(what, "leaf") == 0)
        done = corrupt_leaf(a, damage);
    if (!done)
        snprintf(error, size, "--corrupt %s: the machine has no such place",
                 what);
    return done;
}
