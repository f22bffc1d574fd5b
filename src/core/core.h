/* SPDX-License-Identifier: MIT */
/*
 * core.h - what the files of src/core share.
 *
 * Lock order, outermost first (docs/locking.md):
 *     u->lock (mutex)  group->lock (mutex)  u->link_lock (mutex)
 *     u->device_lock (spin)  domain->lock (spin)  the driver's spin locks
 */
#ifndef UIM_CORE_CORE_H
#define UIM_CORE_CORE_H

#include "core/driver.h"

enum uim_life {
    UIM_NEW,
    UIM_STARTED,
    UIM_SUSPENDED,
    UIM_LOST, /* suspended, and a resume failed */
    UIM_STOPPED,
};

struct uim_table {
    struct uim_node node; /* u->tables */
    size_t size;
    uint8_t *bytes;
};

/* A driver as one instance uses it. */
struct uim_driver_use {
    const struct uiommu_driver *driver;
    void *state;
    const uint8_t *table; /* NULL: the machine has none for it              */
    size_t table_size;
    const uint8_t *also; /* fw->also's; NULL: the host gave none, or no table */
    size_t also_size;
    unsigned first_unit;  /* of its units in u->unit, in the table's order:  */
    unsigned n_units;     /* a unit that is not usable is NULL there        */
};

struct uiommu_group {
    void *lock;             /* mutex: everything below                      */
    struct uiommu_device *member; /* one, until groups follow topology      */
    struct uiommu_domain *domain; /* what its endpoints see                 */
    struct uiommu_domain *firmware; /* holds its firmware regions, or NULL  */
    const void *owner;      /* NULL: the host itself                        */
    unsigned claims;
};

struct uiommu {
    struct uiommu_host host; /* a copy; members the host lacks are NULL     */
    struct uiommu_config config;
    char *options;           /* a copy, or NULL                             */
    size_t options_size;
    _Atomic enum uim_life life; /* changed under lock                       */
    _Atomic uint32_t pollers;   /* calls of uiommu_irq() under way          */

    void *lock;              /* mutex: tables, devices added, removed       */
    struct uim_node tables;
    struct uim_driver_use *use;
    unsigned n_use;
    struct uim_unit **unit;
    unsigned n_units;

    void *link_lock;         /* mutex: users of links                       */
    void *device_lock;       /* spin: devices, endpoint->domain, handlers   */
    struct uim_node devices;
    struct uiommu_domain blocked, identity, inherited;
    struct uim_node irqs;    /* device_lock                                 */
    _Atomic uint32_t n_irqs; /* interrupts that the host mapped             */
    _Atomic uint32_t n_domains; /* dynamic ones that live                   */
    struct uim_node tainted; /* device_lock; see uiommu_domain_put()        */
    bool stuck;              /* a unit does not stop translating            */
    bool handed_over;        /* units go on translating                     */
    struct uim_log_limit limit; /* device_lock: of faults of unknown devices */
};

static inline bool uim_runs(const struct uiommu *u)
{
    return atomic_load_explicit(&u->life, memory_order_relaxed) == UIM_STARTED;
}

/* Between suspend and resume units take no commands. */
static inline bool uim_asleep(const struct uiommu *u)
{
    enum uim_life life = atomic_load_explicit(&u->life, memory_order_relaxed);

    return life == UIM_SUSPENDED || life == UIM_LOST;
}

/* What takes something away waits for resume too, unless that failed: whoever gives
 * up must get rid of everything. Units that failed are broken and confirm nothing. */
static inline bool uim_must_wait(const struct uiommu *u)
{
    return atomic_load_explicit(&u->life, memory_order_relaxed) ==
           UIM_SUSPENDED;
}

/* instance.c */
const struct uim_table *uim_table(struct uiommu *u, const void *signature);
struct uim_fw_log uim_fw_log(struct uiommu *u);
const struct uim_driver_use *uim_use_of(const struct uim_unit *unit);

/* device.c */
/* What sentences call a device: its ACPI path, or if that is NULL its PCI address. */
struct uim_name {
    char text[96];
};
struct uim_name uim_name_of(struct uiommu_pci pci, const char *acpi_path);
struct uim_name uim_device_name(const struct uiommu_device *device);
struct uiommu_device *uim_device_create(struct uiommu *u,
                                        const struct uim_driver_use *use,
                                        const struct uim_fw_device *path,
                                        enum uiommu_status *status);
/* Blocks and forgets it. TIMEDOUT, IO: the unit did not confirm; it is forgotten
 * all the same. */
enum uiommu_status uim_device_free(struct uiommu_device *device);
/* Forgets it and leaves its entry as it is. */
void uim_device_forget(struct uiommu_device *device);
/* The device whose DMA carries this id on this unit, which may be NULL. u->lock
 * or device_lock is held. */
struct uiommu_device *uim_device_find(const struct uim_unit *unit, uint32_t id);

/* firmware.c: regions that devices must reach one to one (semantics B.10). */
enum uiommu_status uim_firmware_requesters(struct uiommu *u);
/* Puts the device on a domain with its regions; a device whose regions cannot be
 * mapped stays blocked. */
enum uiommu_status uim_firmware_rest(struct uiommu_device *device);
void uim_firmware_free(struct uiommu_device *device);
bool uim_firmware_forbids_claim(const struct uiommu_device *device);

/* One range that uim_regions_map() mapped, so that it can be taken back. */
struct uim_region_run {
    struct uim_region_run *next;
    uint64_t start, size;
};
enum uiommu_status uim_regions_map(struct uiommu_device *device,
                                   struct uiommu_domain *domain,
                                   struct uim_region_run **done);
void uim_regions_undo(struct uiommu_domain *domain, struct uim_region_run *run);
void uim_regions_keep(struct uiommu *u, struct uim_region_run *run);

/* start.c; no call is under way beside these. */
void uim_polling_stop(struct uiommu *u);
void uim_units_free(struct uiommu *u);
bool uim_devices_added(struct uiommu *u);

/* interrupt.c: all handles are gone, entries stay. */
void uim_irqs_forget(struct uiommu *u);

/* record.c: the one that is configured, if there is, is about these units. INVAL
 * (logged). */
enum uiommu_status uim_record_check(struct uiommu *u);

struct uim_record {
    uint64_t *word; /* what is handed over: pages                          */
    uint64_t phys;
    size_t size;
    unsigned order;
};
enum uiommu_status uim_record_alloc(struct uiommu *u,
                                    struct uim_record *record);
void uim_record_free(struct uiommu *u, const struct uim_record *record);
enum uiommu_status uim_record_write(struct uiommu *u,
                                    const struct uim_record *record,
                                    enum uiommu_hand_over how);

/* handover.c: is what the requester sees still what was found? */
bool uim_inherits(const struct uiommu_device *device);
/* Something of the former owner may be in use, on a unit that confirms. */
bool uim_adoption_goes_on(const struct uiommu *u);
/* Sentences about the requesters that go on. */
void uim_adopted_log(struct uiommu *u);

/* set.c: the group mutex, and what is called while it is held. */
void uim_group_lock(const struct uiommu_group *group);
void uim_group_unlock(const struct uiommu_group *group);
enum uiommu_status uim_group_set(struct uiommu_group *group,
                                 struct uiommu_domain *domain);
struct uiommu_domain *uim_group_core(const struct uiommu_group *group);
/* Takes the mutex itself. */
bool uim_group_owned(struct uiommu_group *group);

/* domain.c */
void uim_domain_static(struct uiommu *u, struct uiommu_domain *domain,
                       enum uiommu_domain_kind kind);
enum uiommu_status uim_domain_create(struct uim_unit *unit,
                                     const struct uiommu_domain_config *config,
                                     struct uiommu_domain **out);
/* No unit translates any more: frees what broken units kept from being freed; or
 * if one does not stop, lets go of it without freeing. */
void uim_domains_reap(struct uiommu *u);
/* Its tables are the next owner's. */
bool uim_given_away(const struct uiommu_domain *domain);

/* attach.c: who may see a domain (semantics B.8). */
enum uiommu_status uim_link_get(struct uiommu_domain *domain,
                                struct uim_unit *unit);
void uim_link_put(struct uiommu_domain *domain, struct uim_unit *unit);
void uim_attach(struct uiommu_endpoint *endpoint, struct uiommu_domain *domain);
void uim_detach(struct uiommu_endpoint *endpoint, struct uiommu_domain *domain);
/* Blocks it in the tables, until it is removed; marks its unit as broken if that
 * does not confirm. Any context. */
enum uiommu_status uim_quarantine(struct uiommu_endpoint *endpoint);
/* The domain's tables must outlive what a broken unit may have cached. */
void uim_taint(struct uiommu_domain *domain, const struct uim_unit *unit);
/* No cache of any unit or device holds what *inval says changed in domain.
 * TIMEDOUT, IO: the endpoints that may still do are quarantined. Any context. */
enum uiommu_status uim_invalidate(struct uiommu_domain *domain,
                                  const struct uim_inval *inval);

#endif
