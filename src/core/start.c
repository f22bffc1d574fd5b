/* SPDX-License-Identifier: MIT */
/*
 * start.c - from firmware tables to units that translate, and back.
 *
 * Nothing a device can notice happens before the last step: units are probed
 * without changing them, tables that block everybody are built, requesters with
 * firmware regions get those, and only then is each unit enabled.
 */
#include "core/core.h"

/* ---- options --------------------------------------------------------------- */

static bool name_is(const char *text, size_t n, const char *name)
{
    size_t i;

    for (i = 0; i < n; i++)
        if (name[i] == '\0' || name[i] != text[i])
            return false;
    return name[i] == '\0';
}

static size_t span(const char *s, char stop)
{
    size_t n = 0;

    while (s[n] != '\0' && s[n] != stop)
        n++;
    return n;
}

static struct uim_driver_use *use_by_name(struct uiommu *u, const char *name,
                                          size_t n)
{
    for (unsigned i = 0; i < u->n_use; i++)
        if (name_is(name, n, u->use[i].driver->name))
            return &u->use[i];
    return NULL;
}

/* One "driver.key=value", cut into its parts in place. */
static enum uiommu_status apply_option(struct uiommu *u, char *text)
{
    size_t dot = span(text, '.');
    size_t equals = span(text, '=');
    struct uim_driver_use *use = use_by_name(u, text, dot);
    enum uiommu_status status;

    if (text[dot] == '\0' || text[equals] == '\0' || equals < dot || !use) {
        uim_log(u, UIOMMU_LOG_ERROR,
                "option \"%s\": not driver.key=value of a driver named here",
                text);
        return UIOMMU_INVAL;
    }
    text[equals] = '\0';
    status = use->driver->option(use->state, text + dot + 1, text + equals + 1);
    if (status != UIOMMU_OK) {
        uim_log(u, UIOMMU_LOG_ERROR, "option \"%s\": %s (value \"%s\")", text,
                status == UIOMMU_NOENT ? "no such key" : "bad value",
                text + equals + 1);
        status = UIOMMU_INVAL;
    }
    text[equals] = '=';
    return status;
}

static enum uiommu_status apply_options(struct uiommu *u)
{
    char *text = u->options;
    enum uiommu_status status = UIOMMU_OK;

    while (status == UIOMMU_OK && text && *text != '\0') {
        size_t n = span(text, ',');
        char stop = text[n];

        text[n] = '\0';
        status = apply_option(u, text);
        text[n] = stop;
        text += n + (stop != '\0');
    }
    return status;
}

/* ---- drivers and units ------------------------------------------------------ */

static void free_drivers(struct uiommu *u)
{
    for (unsigned i = 0; i < u->n_use; i++)
        uim_free(u, u->use[i].state, u->use[i].driver->state_size);
    uim_free(u, u->use, u->n_use * sizeof(*u->use));
    u->use = NULL;
    u->n_use = 0;
}

static void take_tables(struct uiommu *u, struct uim_driver_use *use)
{
    static const uint8_t none;
    const struct uim_fw_ops *fw = use->driver->fw;
    const struct uim_table *t;

    if (fw->signature[0] == '\0') {
        use->table = &none;
        return;
    }
    t = uim_table(u, fw->signature);
    if (!t)
        return;
    use->table = t->bytes;
    use->table_size = t->size;
    t = fw->also[0] != '\0' ? uim_table(u, fw->also) : NULL;
    use->also = t ? t->bytes : NULL;
    use->also_size = t ? t->size : 0;
}

static enum uiommu_status
take_drivers(struct uiommu *u, const struct uiommu_driver *const *drivers,
             size_t n)
{
    u->use = uim_alloc(u, n * sizeof(*u->use));
    if (!u->use)
        return UIOMMU_NOMEM;
    u->n_use = (unsigned)n;
    for (size_t i = 0; i < n; i++)
        u->use[i].driver = drivers[i];
    for (size_t i = 0; i < n; i++) {
        struct uim_driver_use *use = &u->use[i];

        take_tables(u, use);
        use->state = uim_alloc(u, drivers[i]->state_size);
        if (!use->state)
            return UIOMMU_NOMEM;
    }
    return UIOMMU_OK;
}

/* One that is wrong is as good as none. */
static void check_also(struct uiommu *u, struct uim_driver_use *use)
{
    const struct uim_fw_log log = uim_fw_log(u);
    const struct uim_fw_ops *fw = use->driver->fw;

    if (fw->check_also(use->table, use->also, use->also_size, &log) ==
        UIOMMU_OK)
        return;
    uim_log(u, UIOMMU_LOG_WARN, "table \"%s\" is not used", fw->also);
    use->also = NULL;
    use->also_size = 0;
    (void)fw->check_also(use->table, NULL, 0, &log);
}

static enum uiommu_status check_tables(struct uiommu *u,
                                       struct uim_driver_use *use)
{
    const struct uim_fw_log log = uim_fw_log(u);
    const struct uim_fw_ops *fw = use->driver->fw;
    enum uiommu_status status = fw->check(use->table, use->table_size, &log);

    if (status == UIOMMU_OK && fw->check_also)
        check_also(u, use);
    return status;
}

/* How many units the tables name; also checks the tables. */
static enum uiommu_status count_units(struct uiommu *u)
{
    struct uim_fw_unit info;

    u->n_units = 0;
    for (unsigned i = 0; i < u->n_use; i++) {
        struct uim_driver_use *use = &u->use[i];
        const struct uim_fw_ops *fw = use->driver->fw;
        enum uiommu_status status;

        if (!use->table)
            continue;
        status = check_tables(u, use);
        if (status != UIOMMU_OK)
            return status;
        use->first_unit = u->n_units;
        while (fw->unit(use->table, use->n_units, &info) == UIOMMU_OK)
            use->n_units++;
        u->n_units += use->n_units;
    }
    if (u->n_units > 0)
        return UIOMMU_OK;
    uim_log(u, UIOMMU_LOG_ERROR, "no firmware table names a unit");
    return UIOMMU_NOENT;
}

static enum uiommu_status probe_unit(struct uiommu *u,
                                     struct uim_driver_use *use, unsigned index)
{
    struct uim_unit **slot = &u->unit[use->first_unit + index];
    enum uiommu_status status;
    struct uim_fw_unit info;

    status = use->driver->fw->unit(use->table, index, &info);
    if (status != UIOMMU_OK || !info.usable)
        return status;
    status = use->driver->probe(u, use->state, &info, slot);
    if (status != UIOMMU_OK)
        return status;
    (*slot)->index = use->first_unit + index;
    (*slot)->adopt = u->config.flags & UIOMMU_CONFIG_ADOPT;
    return UIOMMU_OK;
}

/* Drivers see their units without the gaps of those that are not usable. */
static enum uiommu_status settle(struct uiommu *u, struct uim_driver_use *use)
{
    size_t size = use->n_units * sizeof(struct uim_unit *);
    struct uim_unit **usable;
    enum uiommu_status status;
    unsigned n = 0;

    usable = uim_alloc(u, size);
    if (!usable)
        return UIOMMU_NOMEM;
    for (unsigned i = 0; i < use->n_units; i++)
        if (u->unit[use->first_unit + i])
            usable[n++] = u->unit[use->first_unit + i];
    status = use->driver->settle(use->state, usable, n);
    uim_free(u, usable, size);
    return status;
}

/* What the unit has not got to remap interrupts as configured; NULL: nothing. */
static const char *remapping_lacks(const struct uim_unit *unit, bool x2apic)
{
    if (!unit->remap_able)
        return unit->remap_lacks ? unit->remap_lacks : "interrupt remapping";
    if (x2apic && !unit->x2apic_able)
        return "32-bit destinations, or firmware opts out of them (x2APIC)";
    return NULL;
}

/* Whether interrupts are to be remapped, and if so by all. */
static enum uiommu_status choose_remapping(struct uiommu *u)
{
    const bool remap = u->config.flags & UIOMMU_CONFIG_REMAP_INTERRUPTS;
    const bool x2apic = u->config.flags & UIOMMU_CONFIG_X2APIC;

    for (unsigned i = 0; remap && i < u->n_units; i++) {
        struct uim_unit *unit = u->unit[i];
        const char *lacks;

        if (!unit || unit->messages_are_dma || unit->walks_none)
            continue;
        lacks = remapping_lacks(unit, x2apic);
        if (lacks) {
            uim_log(u, UIOMMU_LOG_ERROR,
                    "%s unit at 0x%lx cannot remap interrupts: it has no %s",
                    unit->driver->name, unit->base, lacks);
            return UIOMMU_OPNOTSUPP;
        }
        unit->remap = true;
        unit->x2apic = x2apic;
    }
    return UIOMMU_OK;
}

static bool any_unit(const struct uiommu *u)
{
    for (unsigned i = 0; i < u->n_units; i++)
        if (u->unit[i])
            return true;
    return false;
}

static enum uiommu_status probe_units(struct uiommu *u)
{
    enum uiommu_status status = count_units(u);

    if (status != UIOMMU_OK)
        return status;
    u->unit = uim_alloc(u, u->n_units * sizeof(*u->unit));
    if (!u->unit)
        return UIOMMU_NOMEM;
    for (unsigned i = 0; i < u->n_use; i++) {
        struct uim_driver_use *use = &u->use[i];

        for (unsigned j = 0; status == UIOMMU_OK && j < use->n_units; j++)
            status = probe_unit(u, use, j);
        if (status == UIOMMU_OK && use->n_units > 0)
            status = settle(u, use);
    }
    if (status == UIOMMU_OK && !any_unit(u)) {
        uim_log(u, UIOMMU_LOG_ERROR, "no unit that can be driven");
        status = UIOMMU_NODEV;
    }
    return status == UIOMMU_OK ? choose_remapping(u) : status;
}

void uim_units_free(struct uiommu *u)
{
    for (unsigned i = 0; u->unit && i < u->n_units; i++) {
        if (!u->unit[i])
            continue;
        uim_rest_free(u->unit[i]);
        uim_soft_free(u->unit[i]);
        u->unit[i]->ops->release(u->unit[i]);
    }
    uim_free(u, u->unit, u->n_units * sizeof(*u->unit));
    u->unit = NULL;
    u->n_units = 0;
    free_drivers(u);
}

static enum uiommu_status prepare_units(struct uiommu *u)
{
    for (unsigned i = 0; i < u->n_units; i++) {
        enum uiommu_status status;

        if (!u->unit[i])
            continue;
        status = uim_rest_create(u->unit[i]);
        if (status == UIOMMU_OK)
            status = u->unit[i]->ops->prepare(u->unit[i]);
        if (status == UIOMMU_OK)
            status = uim_rest_link(u->unit[i], UIOMMU_NO_PASID);
        if (status != UIOMMU_OK)
            return status;
    }
    return UIOMMU_OK;
}

static void disable_units(struct uiommu *u)
{
    for (unsigned i = u->n_units; i-- > 0;)
        if (u->unit[i] && u->unit[i]->ops->disable(u->unit[i]) != UIOMMU_OK)
            u->stuck = true;
}

/* As it was, where somebody's DMA goes on, or it was not switched yet; else off. */
static enum uiommu_status undo(struct uim_unit *unit)
{
    unit->undo = true;
    return unit->found ? unit->ops->give_back(unit) : unit->ops->disable(unit);
}

/* A start failed. */
static void undo_units(struct uiommu *u)
{
    for (unsigned i = u->n_units; i-- > 0;) {
        struct uim_unit *unit = u->unit[i];
        enum uiommu_status status = UIOMMU_OK;

        if (unit && unit->enabled)
            status = undo(unit);
        if (status != UIOMMU_OK)
            u->stuck = true;
    }
}

static enum uiommu_status enable_units(struct uiommu *u)
{
    for (unsigned i = 0; i < u->n_units; i++) {
        enum uiommu_status status;

        if (!u->unit[i])
            continue;
        u->unit[i]->enabled = true;
        status = u->unit[i]->ops->enable(u->unit[i]);
        if (status != UIOMMU_OK)
            return status;
    }
    return UIOMMU_OK;
}

/* ---- life -------------------------------------------------------------------- */

/* Devices that only firmware named. A unit that does not answer any more has
 * been logged, and its domains are kept. */
static void forget_devices(struct uiommu *u)
{
    while (!uim_list_empty(&u->devices))
        (void)uim_device_free(
            uim_container(u->devices.next, struct uiommu_device, node));
}

static void unwind(struct uiommu *u)
{
    forget_devices(u);
    uim_domains_reap(u);
    uim_units_free(u);
}

static enum uiommu_status
start_locked(struct uiommu *u, const struct uiommu_driver *const *drivers,
             size_t n)
{
    enum uiommu_status status;

    if (atomic_load(&u->life) != UIM_NEW)
        return UIOMMU_BUSY;
    status = take_drivers(u, drivers, n);
    if (status == UIOMMU_OK)
        status = apply_options(u);
    if (status == UIOMMU_OK)
        status = probe_units(u);
    if (status == UIOMMU_OK)
        status = uim_record_check(u);
    if (status == UIOMMU_OK)
        status = prepare_units(u);
    if (status == UIOMMU_OK)
        status = uim_firmware_requesters(u);
    if (status == UIOMMU_OK) {
        status = enable_units(u);
        if (status != UIOMMU_OK)
            undo_units(u);
    }
    if (status != UIOMMU_OK) {
        unwind(u);
        return status;
    }
    uim_adopted_log(u);
    atomic_store(&u->life, UIM_STARTED);
    return UIOMMU_OK;
}

enum uiommu_status uiommu_start(struct uiommu *u,
                                const struct uiommu_driver *const *drivers,
                                size_t n)
{
    enum uiommu_status status;

    if (!drivers || n == 0)
        return UIOMMU_INVAL;
    u->host.mutex_lock(u->host.ctx, u->lock);
    status = start_locked(u, drivers, n);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    /* A unit whose interrupt came too early sends no second one as long as its
     * records are not read. What is left after this the host's own poll says. */
    if (status == UIOMMU_OK)
        (void)uiommu_poll(u);
    return status;
}

bool uim_devices_added(struct uiommu *u)
{
    uim_list_for_each(n, &u->devices)
        if (atomic_load(&uim_container(n, struct uiommu_device, node)->added))
            return true;
    return !uim_list_empty(&u->orphans) || atomic_load(&u->n_mediated) > 0;
}

/* From here on uiommu_irq() does nothing; those that began earlier end first. */
void uim_polling_stop(struct uiommu *u)
{
    atomic_store(&u->life, UIM_STOPPED);
    while (atomic_load(&u->pollers) > 0)
        if (u->host.relax)
            u->host.relax(u->host.ctx);
}

static enum uiommu_status stop_locked(struct uiommu *u)
{
    if ((atomic_load(&u->life) != UIM_STARTED && !uim_asleep(u)) ||
        uim_devices_added(u) || atomic_load(&u->n_irqs) > 0 ||
        (!uim_asleep(u) && uim_adoption_goes_on(u)))
        return UIOMMU_BUSY;
    uim_polling_stop(u);
    disable_units(u);
    unwind(u);
    return u->stuck ? UIOMMU_TIMEDOUT : UIOMMU_OK;
}

enum uiommu_status uiommu_stop(struct uiommu *u)
{
    enum uiommu_status status;

    u->host.mutex_lock(u->host.ctx, u->lock);
    status = stop_locked(u);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

/* ---- sleep of the machine ------------------------------------------------ */

/* What devices cached may be older than what was changed meanwhile. */
static void empty_device_tlbs(struct uim_unit *unit)
{
    const struct uim_inval everything = { .all = true };

    uim_list_for_each(n, &unit->u->endpoints) {
        struct uiommu_endpoint *ep =
            uim_container(n, struct uiommu_endpoint, node);

        if (ep->unit == unit && atomic_load(&ep->ats_on) &&
            unit->ops->devtlb(ep, &everything) != UIOMMU_OK)
            (void)uim_quarantine(ep);
    }
}

static enum uiommu_status resume_unit(struct uim_unit *unit)
{
    enum uiommu_status status = unit->ops->resume(unit);

    if (status == UIOMMU_OK)
        empty_device_tlbs(unit);
    return status;
}

/* Goes on after a failure: what can be had again is better than nothing. */
static enum uiommu_status resume_units(struct uiommu *u, unsigned n)
{
    enum uiommu_status first = UIOMMU_OK;

    for (unsigned i = 0; i < n; i++) {
        enum uiommu_status status = UIOMMU_OK;

        if (u->unit[i])
            status = resume_unit(u->unit[i]);
        if (first == UIOMMU_OK)
            first = status;
    }
    return first;
}

/* All or none. */
static enum uiommu_status suspend_units(struct uiommu *u)
{
    for (unsigned i = 0; i < u->n_units; i++) {
        struct uim_unit *unit = u->unit[i];
        enum uiommu_status status = UIOMMU_OK;

        if (unit)
            status = unit->ops->suspend(unit);
        if (status != UIOMMU_OK) {
            (void)resume_units(u, i + 1);
            return status;
        }
    }
    return UIOMMU_OK;
}

enum uiommu_status uiommu_suspend(struct uiommu *u)
{
    enum uiommu_status status = UIOMMU_BUSY;

    (void)uiommu_poll(u); /* records go with the registers */
    u->host.mutex_lock(u->host.ctx, u->lock);
    if (atomic_load(&u->life) == UIM_STARTED) {
        (void)uim_let_ask(u, false); /* what is open would be lost */
        status = suspend_units(u);
        if (status == UIOMMU_OK)
            atomic_store(&u->life, UIM_SUSPENDED);
        else
            (void)uim_let_ask(u, true);
    }
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}

/* A unit that does not come back may be resumed again, or given up. */
enum uiommu_status uiommu_resume(struct uiommu *u)
{
    enum uiommu_status status = UIOMMU_BUSY;

    u->host.mutex_lock(u->host.ctx, u->lock);
    if (uim_asleep(u)) {
        status = resume_units(u, u->n_units);
        atomic_store(&u->life, status == UIOMMU_OK ? UIM_STARTED : UIM_LOST);
    }
    if (status == UIOMMU_OK) {
        uim_sva_shut_ended(u);
        (void)uim_let_ask(u, true);
    }
    u->host.mutex_unlock(u->host.ctx, u->lock);
    if (status == UIOMMU_OK)
        (void)uiommu_poll(u); /* as in uiommu_start() */
    return status;
}

/* ---- units ----------------------------------------------------------------------- */

enum uiommu_status uiommu_unit_info(struct uiommu *u, unsigned index,
                                    struct uiommu_unit_info *out)
{
    const struct uim_unit *unit;

    for (unsigned i = 0; i < u->n_units; i++) {
        unit = u->unit[i];
        if (!unit || index-- > 0)
            continue;
        *out = (struct uiommu_unit_info){
            .driver = unit->driver->name,
            .index = unit->index,
            .base = unit->base,
            .segment = unit->segment,
            .coherent = unit->coherent,
            .iova_bits = unit->iova_bits,
            .page_sizes = unit->page_sizes,
            .mode = unit->mode,
            .remaps = unit->remap,
            .block_quality = unit->quality,
        };
        return UIOMMU_OK;
    }
    return UIOMMU_NOENT;
}

bool uiommu_poll(struct uiommu *u)
{
    bool more = false;

    /* Units are only counted while none comes or goes: stop waits for this. */
    atomic_fetch_add(&u->pollers, 1);
    for (unsigned i = 0; atomic_load(&u->life) == UIM_STARTED && i < u->n_units;
         i++)
        more |= uiommu_irq(u, i, 0);
    atomic_fetch_sub(&u->pollers, 1);
    return more;
}

bool uiommu_irq(struct uiommu *u, unsigned unit, unsigned n)
{
    bool more = false;

    (void)n; /* whatever it was about, poll looks at everything */
    atomic_fetch_add(&u->pollers, 1);
    if (atomic_load(&u->life) == UIM_STARTED && unit < u->n_units &&
        u->unit[unit])
        more = u->unit[unit]->ops->poll(u->unit[unit]);
    uim_requests_expire(u);
    atomic_fetch_sub(&u->pollers, 1);
    return more;
}
