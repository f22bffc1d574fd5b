/* SPDX-License-Identifier: MIT */
/*
 * scripted.c - see scripted.h. What it does not do itself is as in the driver of devices
 * without a unit, which does nothing.
 */
#include "tests/core/scripted.h"

static struct script *script;
static struct uim_fw_ops fw;
static struct uim_unit_ops ops;
static struct uiommu_driver driver;

static unsigned device_of(uint32_t id)
{
    for (unsigned i = 0; i < SCRIPT_DEVICES; i++) {
        const struct uiommu_pci pci =
            script->m->devices[sim_engine(script->m, i)].pci;

        if (id == ((uint32_t)pci.bus << 8 | pci.devfn))
            return i;
    }
    fail_msg("nobody has the id 0x%x", id);
    return 0;
}

/* ---- its firmware table ---------------------------------------------------------- */

enum { TABLE_SIZE = 36 };

static enum uiommu_status fw_check(const void *table, size_t size,
                                   const struct uim_fw_log *log)
{
    (void)table, (void)log;
    return size == TABLE_SIZE ? UIOMMU_OK : UIOMMU_INVAL;
}

static enum uiommu_status fw_unit(const void *table, unsigned index,
                                  struct uim_fw_unit *out)
{
    (void)table;
    if (index > 0 && index >= script->n_units)
        return UIOMMU_NOENT;
    *out = (struct uim_fw_unit){ .base = SCRIPT_BASE * (index + 1),
                                 .all = index == 0,
                                 .usable = true };
    return UIOMMU_OK;
}

static enum uiommu_status fw_owner(const void *table,
                                   const struct uim_fw_device *device,
                                   unsigned index, unsigned *unit, uint32_t *id)
{
    (void)table;
    if (index > 0)
        return UIOMMU_NOENT;
    *id = (uint32_t)device->pci.bus << 8 | device->pci.devfn;
    *unit = script->n_units > 1 ? device_of(*id) : 0;
    return UIOMMU_OK;
}

static bool fw_ats_allowed(const void *table,
                           const struct uim_fw_device *device, bool legacy)
{
    (void)table, (void)device, (void)legacy;
    return script->ats;
}

static void fill_fw(void)
{
    fw = *uiommu_driver_software.fw;
    memcpy(fw.signature, "SCRP", sizeof(fw.signature));
    fw.check = fw_check;
    fw.unit = fw_unit;
    fw.owner = fw_owner;
    fw.ats_allowed = fw_ats_allowed;
}

/* ---- the unit ----------------------------------------------------------------------- */

static struct uiommu_domain **entry_of(const struct uiommu_endpoint *ep)
{
    const uint32_t tag = ep->pasid == UIOMMU_NO_PASID ? 0 : ep->pasid;

    assert_true(tag < SCRIPT_TAGS);
    return &script->entry[device_of(ep->id)][tag];
}

static enum uiommu_status prepare(struct uim_unit *unit)
{
    (void)unit;
    memset(script->entry, 0, sizeof(script->entry));
    return UIOMMU_OK;
}

static void release(struct uim_unit *unit)
{
    for (unsigned i = 0; i < SCRIPT_LINKS && script->n_units < 2; i++)
        assert_false(script->linked[i]);
    script->unit = NULL;
    uim_free(unit->u, unit, sizeof(*unit));
}

static enum uiommu_status link_domain(struct uim_link *link)
{
    unsigned id = 0;

    while (id < SCRIPT_LINKS && script->linked[id])
        id++;
    if (id == SCRIPT_LINKS)
        return UIOMMU_NOSPC;
    script->linked[id] = true;
    atomic_store(&link->id, id);
    return UIOMMU_OK;
}

static void unlink_domain(struct uim_link *link)
{
    script->linked[atomic_load(&link->id)] = false;
}

/* Every domain that it is given is linked, as the contract says. */
static void assert_linked(struct uiommu_domain *d,
                          const struct uiommu_endpoint *ep)
{
    const struct uim_link *link;

    if (d->kind != UIOMMU_DOMAIN_PAGING)
        return;
    link = uim_link_of(d, ep);
    assert_non_null(link);
    assert_true(atomic_load(&link->users) > 0);
    assert_true(script->linked[atomic_load(&link->id)]);
}

static enum uiommu_status set_entry(struct uiommu_endpoint *ep,
                                    struct uiommu_domain *next,
                                    struct uiommu_domain *old)
{
    assert_linked(next, ep);
    assert_linked(old, ep);
    script->n_sets++;
    if (script->setting)
        script->setting(script, ep, next, old);
    script->asked_to_block += next->kind == UIOMMU_DOMAIN_BLOCKED;
    if (!atomic_load(&ep->quarantined) || next == ep->unit->nothing ||
        next->kind == UIOMMU_DOMAIN_BLOCKED)
        *entry_of(ep) = next;
    return script->silent ? UIOMMU_TIMEDOUT : UIOMMU_OK;
}

static enum uiommu_status cut(struct uiommu_endpoint *ep)
{
    script->n_cuts++;
    if (ep->unit->quality == UIOMMU_BLOCK_NONE)
        return UIOMMU_IO;
    *entry_of(ep) = ep->unit->nothing; /* NULL refuses, too */
    return script->silent ? UIOMMU_TIMEDOUT : UIOMMU_OK;
}

static enum uiommu_status invalidate(struct uim_link *link,
                                     const struct uim_inval *inval)
{
    (void)inval;
    script->n_invalidations++;
    script->n_invalidations_of[link->unit->base / SCRIPT_BASE - 1]++;
    return script->silent ? UIOMMU_TIMEDOUT : UIOMMU_OK;
}

static enum uiommu_status devtlb(struct uiommu_endpoint *ep,
                                 const struct uim_inval *inval)
{
    (void)inval;
    script->n_devtlbs[device_of(ep->id)]++;
    return UIOMMU_OK;
}

static void fill_ops(const struct uim_unit_ops *like)
{
    ops = *like;
    ops.prepare = prepare;
    ops.release = release;
    ops.link = link_domain;
    ops.unlink = unlink_domain;
    ops.set = set_entry;
    ops.cut = cut;
    ops.invalidate = invalidate;
    ops.devtlb = devtlb;
    ops.audit = NULL;
}

/* ---- its driver ------------------------------------------------------------------------ */

static enum uiommu_status probe(struct uiommu *u, void *state,
                                const struct uim_fw_unit *info,
                                struct uim_unit **out)
{
    enum uiommu_status status =
        uiommu_driver_software.probe(u, state, info, out);

    if (status != UIOMMU_OK)
        return status;
    fill_ops((*out)->ops);
    (*out)->ops = &ops;
    (*out)->driver = &driver;
    (*out)->walks_none = false;
    if (info->base == SCRIPT_BASE)
        script->unit = *out;
    return UIOMMU_OK;
}

static void fill(struct uim_unit *unit)
{
    unit->mode = "scripted";
    unit->page_sizes = RIG_PAGE;
    unit->iova_bits = 48;
    unit->phys_bits = 46;
    unit->identity = !script->no_identity;
    unit->pasid_bits = script->pasid_bits;
    unit->own_tags = script->own_tags;
    unit->link_by_pasid = script->link_by_pasid ? unit->format : NULL;
    unit->quality = script->quality;
    unit->ats = script->ats;
}

static void fill_second(struct uim_unit *unit, const struct uim_unit *like)
{
    fill(unit);
    if (like->format)
        unit->format = like->format;
    if (like->page_sizes)
        unit->page_sizes = like->page_sizes;
    if (like->iova_bits)
        unit->iova_bits = like->iova_bits;
    if (like->phys_bits)
        unit->phys_bits = like->phys_bits;
    if (like->window_last) {
        unit->window_first = like->window_first;
        unit->window_last = like->window_last;
    }
    unit->levels = like->levels;
    unit->coherent = !script->second_is_incoherent;
}

static enum uiommu_status settle(void *state, struct uim_unit *const *units,
                                 unsigned n)
{
    (void)state;
    fill(units[0]);
    if (n > 1)
        fill_second(units[1], &script->second);
    return UIOMMU_OK;
}

static void fill_driver(void)
{
    fill_fw();
    driver = uiommu_driver_software;
    driver.name = "scripted";
    driver.fw = &fw;
    driver.probe = probe;
    driver.settle = settle;
}

/* ---- up and down -------------------------------------------------------------------------- */

static enum uiommu_status add_table(struct uiommu *u)
{
    uint8_t table[TABLE_SIZE] = { 'S', 'C', 'R', 'P', TABLE_SIZE };
    uint8_t sum = 0;

    for (unsigned i = 0; i < TABLE_SIZE; i++)
        sum = (uint8_t)(sum + table[i]);
    table[TABLE_CHECKSUM_AT] = (uint8_t)(0 - sum);
    return uiommu_add_table(u, table, sizeof(table));
}

static enum uiommu_status add_devices(struct script *s)
{
    enum uiommu_status status = UIOMMU_OK;

    for (unsigned i = 0; status == UIOMMU_OK && i < SCRIPT_DEVICES; i++) {
        const struct uiommu_device_info info = {
            .size = sizeof(info),
            .kind = UIOMMU_DEVICE_PCI,
            .pci = s->m->devices[sim_engine(s->m, i)].pci,
        };

        status = uiommu_device_add(s->u, &info, &s->device[i]);
    }
    return status;
}

enum uiommu_status scripted_try(struct script *s)
{
    static const struct uiommu_driver *const drivers[] = { &driver };
    enum uiommu_status status;

    script = s;
    fill_driver();
    s->config.size = sizeof(s->config);
    status = uiommu_create(&s->m->host, &s->config, &s->u);
    if (status != UIOMMU_OK)
        return status;
    status = add_table(s->u);
    if (status == UIOMMU_OK)
        status = uiommu_start(s->u, drivers, 1);
    if (status == UIOMMU_OK)
        status = add_devices(s);
    if (status != UIOMMU_OK)
        scripted_down(s);
    return status;
}

void scripted_machine(struct script *s)
{
    static const struct sim_function one_slot[] = {
        { "f0", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, 0 },
        { "f1", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3 | 1, 0 },
    };
    struct sim_config config = { .mode = SIM_LEGACY, .ats = s->ats };
    char error[128];

    if (s->n_units > 1) {
        config.functions = one_slot;
        config.n_functions = sizeof(one_slot) / sizeof(one_slot[0]);
    }

    s->m = sim_open(&config, error, sizeof(error));
    assert_non_null(s->m);
}

void scripted_open(struct script *s)
{
    scripted_machine(s);
    rig_ok(scripted_try(s));
}

void scripted_down(struct script *s)
{
    for (unsigned i = 0; i < SCRIPT_DEVICES; i++) {
        if (s->device[i])
            (void)!uiommu_device_remove(s->device[i]);
        s->device[i] = NULL;
    }
    if (s->unit)
        rig_ok(uiommu_stop(s->u));
    if (s->u)
        rig_ok(uiommu_destroy(s->u));
    s->u = NULL;
}

void scripted_close(struct script *s)
{
    scripted_down(s);
    assert_int_equal(sim_close(s->m), 0);
}

struct uiommu_endpoint *scripted_endpoint(struct script *s, unsigned dev)
{
    return uiommu_device_endpoint(s->device[dev]);
}

/* ---- what it does with DMA -------------------------------------------------------------- */

static uint64_t stopped(const struct script *s, uint64_t iova)
{
    switch (s->quality) {
    case UIOMMU_BLOCK_SINK:
        return SCRIPT_SINK;
    case UIOMMU_BLOCK_NONE:
        return iova;
    default:
        return NOWHERE;
    }
}

uint64_t scripted_lands(struct script *s, unsigned dev, uint64_t iova)
{
    struct uiommu_domain *d = s->entry[dev][s->own_tags ? s->tag[dev] : 0];
    struct uiommu_trace t;

    if (d && d->kind == UIOMMU_DOMAIN_IDENTITY)
        return iova;
    if (!d || d->kind != UIOMMU_DOMAIN_PAGING ||
        d->pt.ops->walk(&d->pt, iova & ~UINT64_C(0xfff), &t) != UIOMMU_OK)
        return stopped(s, iova);
    return t.phys + (iova & 0xfff);
}
