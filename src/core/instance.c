/* SPDX-License-Identifier: MIT */
/*
 * instance.c - create, firmware tables, destroy. start.c has what is between.
 */
#include "core/core.h"

#include "base/mem.h"
#include "spec/acpi.h"

static size_t text_size(const char *s)
{
    size_t n = 0;

    while (s[n] != '\0')
        n++;
    return n + 1;
}

/* ---- what the embedder gave ---------------------------------------------- */

static enum uiommu_status refuse(const struct uiommu_host *host,
                                 const char *why)
{
    if (host->log)
        host->log(host->ctx, UIOMMU_LOG_ERROR, why);
    return UIOMMU_INVAL;
}

/* A struct of ours from one that may be older and shorter. False: it is newer
 * than we are, or shorter than any that ever was. */
static bool take(void *to, size_t ours, const void *from, uint32_t theirs,
                 size_t least)
{
    if (theirs < least || theirs > ours)
        return false;
    memset(to, 0, ours);
    memcpy(to, from, theirs);
    return true;
}

/* The first member that level 2 needs and the host lacks, or NULL. */
static const char *missing(const struct uiommu_host *h)
{
    const struct {
        bool there;
        const char *sentence;
    } need[] = {
        { h->alloc && h->free, "host: alloc and free are missing" },
        { h->pages_alloc && h->pages_free,
          "host: pages_alloc and pages_free are missing" },
        { h->phys_to_virt || h->direct_map,
          "host: neither phys_to_virt nor direct_map is there" },
        { h->mmio_map && h->mmio_unmap,
          "host: mmio_map and mmio_unmap are missing" },
        { h->mmio_read32 && h->mmio_read64 && h->mmio_write32 &&
              h->mmio_write64,
          "host: mmio_read32, read64, write32 and write64 are missing" },
        { !h->pci_read == !h->pci_write,
          "host: pci_read and pci_write belong together" },
        { h->mutex_create && h->mutex_destroy && h->mutex_lock &&
              h->mutex_unlock,
          "host: the mutex functions are missing" },
        { h->spin_create && h->spin_destroy && h->spin_lock && h->spin_unlock,
          "host: the spin lock functions are missing" },
        { h->now_ns != NULL, "host: now_ns is missing" },
        { !h->msi_alloc == !h->msi_free,
          "host: msi_alloc and msi_free belong together" },
        { !h->memory_map == !h->memory_unmap,
          "host: memory_map and memory_unmap belong together" },
    };

    for (size_t i = 0; i < sizeof(need) / sizeof(need[0]); i++)
        if (!need[i].there)
            return need[i].sentence;
    return NULL;
}

enum {
    CONFIG_FLAGS = UIOMMU_CONFIG_NO_ATS | UIOMMU_CONFIG_REMAP_INTERRUPTS |
                   UIOMMU_CONFIG_X2APIC | UIOMMU_CONFIG_UNSAFE_INTERRUPTS |
                   UIOMMU_CONFIG_ADOPT | UIOMMU_CONFIG_WIDE_PASIDS |
                   UIOMMU_CONFIG_ACS_AS_FOUND |
                   UIOMMU_CONFIG_NO_DOORBELL_WINDOW,
};

enum { DOORBELL_START = 0x8000000, DOORBELL_SIZE = 0x100000 };

static enum uiommu_status check_doorbells(const struct uiommu_host *host,
                                          struct uiommu_config *c)
{
    const bool none = c->flags & UIOMMU_CONFIG_NO_DOORBELL_WINDOW;

    if (none && (c->doorbell_start | c->doorbell_size))
        return refuse(host, "config: a doorbell window, and none");
    if (c->doorbell_size == 0 && c->doorbell_start != 0)
        return refuse(host, "config: the doorbell window has no size");
    if (((c->doorbell_start | c->doorbell_size) & (UIM_DOORBELL_PLACE - 1)) ||
        c->doorbell_start + c->doorbell_size < c->doorbell_start)
        return refuse(host, "config: the doorbell window is not of whole "
                            "64 KiB, or wraps");
    if (c->doorbell_size == 0) {
        c->doorbell_start = DOORBELL_START;
        c->doorbell_size = DOORBELL_SIZE;
    }
    return UIOMMU_OK;
}

static enum uiommu_status check_config(const struct uiommu_host *host,
                                       const struct uiommu_config *config,
                                       struct uiommu_config *out)
{
    memset(out, 0, sizeof(*out));
    if (!config)
        return check_doorbells(host, out);
    if (!take(out, sizeof(*out), config, config->size, sizeof(*config)))
        return refuse(host, "config: size is not that of any version known");
    if (out->flags & ~(uint32_t)CONFIG_FLAGS)
        return refuse(host, "config: unknown flags");
    if ((out->flags & UIOMMU_CONFIG_X2APIC) &&
        !(out->flags & UIOMMU_CONFIG_REMAP_INTERRUPTS))
        return refuse(host, "config: X2APIC goes with REMAP_INTERRUPTS");
    if (out->record && !(out->flags & UIOMMU_CONFIG_ADOPT))
        return refuse(host, "config: a record goes with ADOPT");
    if ((unsigned)out->default_domain > UIOMMU_DMA_IDENTITY)
        return refuse(host, "config: unknown default_domain");
    if ((unsigned)out->block_quality > UIOMMU_BLOCK_NONE)
        return refuse(host, "config: unknown block_quality");
    if (out->default_events > UIOMMU_EVENTS_MOST)
        return refuse(host, "config: too many default_events");
    return check_doorbells(host, out);
}

/* ---- create and destroy --------------------------------------------------- */

static void free_instance(struct uiommu *u)
{
    struct uiommu_host host = u->host;

    if (u->request_lock)
        host.spin_destroy(host.ctx, u->request_lock);
    if (u->device_lock)
        host.spin_destroy(host.ctx, u->device_lock);
    if (u->link_lock)
        host.mutex_destroy(host.ctx, u->link_lock);
    if (u->lock)
        host.mutex_destroy(host.ctx, u->lock);
    uim_free(u, u->options, u->options_size);
    host.free(host.ctx, u, sizeof(*u));
}

static enum uiommu_status fill_instance(struct uiommu *u,
                                        const struct uiommu_config *config)
{
    const struct uiommu_host *h = &u->host;

    u->config = *config;
    u->config.options = NULL;
    uim_list_init(&u->tables);
    uim_list_init(&u->devices);
    uim_list_init(&u->endpoints);
    uim_list_init(&u->orphans);
    uim_list_init(&u->dead);
    uim_list_init(&u->tainted);
    uim_list_init(&u->irqs);
    uim_list_init(&u->providers);
    uim_requests_init(u);
    uim_domain_static(u, &u->blocked, UIOMMU_DOMAIN_BLOCKED);
    uim_domain_static(u, &u->identity, UIOMMU_DOMAIN_IDENTITY);
    uim_domain_static(u, &u->inherited, UIOMMU_DOMAIN_INHERITED);
    u->lock = h->mutex_create(h->ctx);
    u->link_lock = h->mutex_create(h->ctx);
    u->device_lock = h->spin_create(h->ctx);
    u->request_lock = h->spin_create(h->ctx);
    if (!u->lock || !u->link_lock || !u->device_lock || !u->request_lock)
        return UIOMMU_NOMEM;
    if (!config->options)
        return UIOMMU_OK;
    u->options_size = text_size(config->options);
    u->options = uim_alloc(u, u->options_size);
    if (!u->options)
        return UIOMMU_NOMEM;
    memcpy(u->options, config->options, u->options_size);
    return UIOMMU_OK;
}

enum uiommu_status uiommu_create(const struct uiommu_host *host,
                                 const struct uiommu_config *config,
                                 struct uiommu **out)
{
    struct uiommu_host full;
    struct uiommu_config options;
    enum uiommu_status status;
    struct uiommu *u;

    if (!host || !out)
        return UIOMMU_INVAL;
    if (!take(&full, sizeof(full), host, host->size, sizeof(full)))
        return UIOMMU_INVAL;
    if (missing(&full))
        return refuse(&full, missing(&full));
    status = check_config(&full, config, &options);
    if (status != UIOMMU_OK)
        return status;

    u = full.alloc(full.ctx, sizeof(*u));
    if (!u)
        return UIOMMU_NOMEM;
    memset(u, 0, sizeof(*u));
    u->host = full;
    status = fill_instance(u, &options);
    if (status != UIOMMU_OK) {
        free_instance(u);
        return status;
    }
    *out = u;
    return UIOMMU_OK;
}

/* Those that were added after `last`, which may be the list itself. */
static void free_tables(struct uiommu *u, struct uim_node *last)
{
    while (last->next != &u->tables) {
        struct uim_table *t = uim_container(last->next, struct uim_table, node);

        uim_list_del(&t->node);
        uim_free(u, t->bytes, t->size);
        uim_free(u, t, sizeof(*t));
    }
}

enum uiommu_status uiommu_destroy(struct uiommu *u)
{
    if (atomic_load(&u->life) == UIM_STARTED || uim_asleep(u))
        return UIOMMU_BUSY;
    /* Put after the units were stopped. */
    uim_domains_reap(u);
    if (atomic_load(&u->n_domains) != 0 || !uim_sva_none(u))
        return UIOMMU_BUSY;
    free_tables(u, &u->tables);
    free_instance(u);
    return UIOMMU_OK;
}

/* ---- firmware tables ------------------------------------------------------ */

static void say(void *ctx, enum uiommu_log_level level, const char *text)
{
    struct uiommu *u = ctx;

    if (u->host.log)
        u->host.log(u->host.ctx, level, text);
}

struct uim_fw_log uim_fw_log(struct uiommu *u)
{
    return (struct uim_fw_log){ .say = say, .ctx = u };
}

const struct uim_table *uim_table(struct uiommu *u, const void *signature)
{
    uim_list_for_each(n, &u->tables) {
        struct uim_table *t = uim_container(n, struct uim_table, node);

        if (memcmp(t->bytes, signature, 4) == 0)
            return t;
    }
    return NULL;
}

static enum uiommu_status add_copy(struct uiommu *u, const void *table)
{
    size_t size = (size_t)acpi_header_length(table);
    struct uim_table *t = uim_alloc(u, sizeof(*t));

    if (!t)
        return UIOMMU_NOMEM;
    t->size = size;
    t->bytes = uim_alloc(u, size);
    if (!t->bytes) {
        uim_free(u, t, sizeof(*t));
        return UIOMMU_NOMEM;
    }
    memcpy(t->bytes, table, size);
    uim_list_add_tail(&u->tables, &t->node);
    return UIOMMU_OK;
}

enum uiommu_status uiommu_add_table(struct uiommu *u, const void *table,
                                    size_t size)
{
    const struct uim_fw_log log = uim_fw_log(u);
    enum uiommu_status status;

    if (atomic_load(&u->life) != UIM_NEW)
        return UIOMMU_BUSY;
    status = uim_fw_check_header(table, size, &log);
    if (status != UIOMMU_OK)
        return status;
    if (uim_table(u, table)) {
        uim_log(u, UIOMMU_LOG_ERROR, "a second table of the same signature");
        return UIOMMU_EXIST;
    }
    return add_copy(u, table);
}

/* The table, unless it is there already. NOENT: the host has none. */
static enum uiommu_status find_table(struct uiommu *u, const char *signature)
{
    const struct uiommu_host *h = &u->host;
    enum uiommu_status status;
    const void *table;
    size_t size;

    if (uim_table(u, signature))
        return UIOMMU_NOENT;
    table = h->map_table(h->ctx, signature, 0, &size);
    if (!table)
        return UIOMMU_NOENT;
    status = uiommu_add_table(u, table, size);
    if (h->unmap_table)
        h->unmap_table(h->ctx, table, size);
    return status;
}

/* What it says besides is of no use without the first, which does without. */
static enum uiommu_status find_tables_of(struct uiommu *u,
                                         const struct uim_fw_ops *fw)
{
    enum uiommu_status first, also = UIOMMU_NOENT;

    if (fw->signature[0] == '\0')
        return UIOMMU_NOENT;
    first = find_table(u, fw->signature);
    if (fw->also[0] != '\0' && uim_table(u, fw->signature))
        also = find_table(u, fw->also);
    if (also == UIOMMU_INVAL) {
        uim_log(u, UIOMMU_LOG_WARN, "table \"%s\" is not used", fw->also);
        also = UIOMMU_NOENT;
    }
    if (first != UIOMMU_OK && first != UIOMMU_NOENT)
        return first;
    return also == UIOMMU_NOENT ? first : also;
}

enum uiommu_status
uiommu_find_tables(struct uiommu *u, const struct uiommu_driver *const *drivers,
                   size_t n)
{
    struct uim_node *last = u->tables.prev;
    enum uiommu_status found = UIOMMU_NOENT;

    if (!u->host.map_table)
        return UIOMMU_OPNOTSUPP;
    for (size_t i = 0; i < n; i++) {
        enum uiommu_status status = find_tables_of(u, drivers[i]->fw);

        if (status != UIOMMU_OK && status != UIOMMU_NOENT) {
            free_tables(u, last);
            return status;
        }
        if (status == UIOMMU_OK)
            found = UIOMMU_OK;
    }
    return found;
}

/* ---- drivers ------------------------------------------------------------- */

const struct uim_driver_use *uim_use_of(const struct uim_unit *unit)
{
    const struct uim_driver_use *use = unit->u->use;

    while (unit->index < use->first_unit ||
           unit->index >= use->first_unit + use->n_units)
        use++;
    return use;
}
