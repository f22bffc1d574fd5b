/* SPDX-License-Identifier: MIT */
/*
 * core.h - what the files of src/core share.
 *
 * Lock order, outermost first (docs/locking.md):
 *     u->lock (mutex)  group->lock (mutex)  u->link_lock (mutex)
 *     u->device_lock (spin)  domain->lock, u->request_lock (spin)  the driver's spin
 *     locks
 */
#ifndef UIM_CORE_CORE_H
#define UIM_CORE_CORE_H

#include "core/driver.h"
#include "core/iova.h"

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

/* Of an instance; that many are known by number. */
enum { UIM_DOORBELLS = 32 };
/* Of the window, one has so much: whatever the page size of a domain, it is that of no
 * other. */
#define UIM_DOORBELL_PLACE UINT64_C(0x10000)

/* A default domain; see dma.c. */
struct uim_dma {
    struct uiommu_domain *domain; /* counted: identity, or its own           */
    enum uiommu_default_rule rule;
    unsigned starts;              /* of all endpoints of the view            */
    struct uim_iova space;        /* of its own domain                       */
    uint64_t doorbell[UIM_DOORBELLS]; /* where it has them; 0: not           */
};

/* What a mediator lets be seen of what its parent could (C.6). */
struct uim_limits {
    uint8_t iova_bits;         /* 0: all of it                               */
    uint64_t page_sizes;
};

/* What a group sees through one tag: all its endpoints together. */
struct uim_view {
    struct uiommu_group *group;
    struct uim_node node;      /* group->pasids                              */
    uint32_t pasid;            /* UIOMMU_NO_PASID: the group's own           */
    struct uiommu_domain *domain; /* counted; quarantined endpoints are blocked
                                * all the same                               */
    struct uim_dma *dma;       /* NULL: no driver of the host uses it        */
    struct uim_bond *bond;     /* NULL: nobody bound it: sva_bind.c          */
    struct uim_node endpoints;
    struct uim_node gone; /* of devices that were pulled out: see pasid.c */
    uint64_t waits_since;      /* u->clock when its number was not free yet; 0:
                                * somebody has it                            */
    struct uim_mediated *mediated; /* of a virtual group: whose view it is   */
    struct uim_limits limits;  /* of an heir, below which this PASID is      */
    unsigned users;            /* mediated devices that have this PASID      */
    bool shared;               /* more of them may come                      */
    bool restless;             /* one that had it did not stop               */
};

/*
 * A mediated device (semantics C). Its client has `endpoint`, which no driver ever sees:
 * requests that carry its number are those of the endpoints of `seat`, a PASID like any
 * other. All of it is under the mutex of its group, which is the parent's.
 */
struct uim_mediated {
    struct uiommu_endpoint endpoint; /* its device is the parent, or NULL:
                                      * that was pulled out                  */
    struct uiommu_group *group;    /* virtual, or the parent's; counted      */
    struct uim_node node;          /* device->mediated, then u->dead         */
    struct uiommu_mediator mediator;
    struct uiommu_mdev_config config; /* nothing is 0 that may be            */
    struct uim_limits limits;
    struct uim_view *seat;         /* NULL: no PASID                         */
    struct uim_view *kept;         /* has it all the time: EARLY             */
    _Atomic uint32_t pasid;        /* that of the seat                       */
    struct uim_dma *parked; /* of the parent's driver, for the time being */
    /* Of EMULATED: emulated.c. */
    struct uim_node software;
    uint64_t sequence;
    struct uiommu_domain *sees;
    struct uiommu_pin *pins;
};

/* The parent's id is its own. */
static inline bool uim_inherits(const struct uim_mediated *m)
{
    return m->config.kind == UIOMMU_MDEV_RID_INHERIT;
}

/* A mediator is being called. */
struct uim_call {
    struct uim_call *next;
    const struct uim_mediated *of;
    uintptr_t thread; /* in which                                            */
    bool unmapped;    /* it is told that something is                        */
};

struct uiommu_group {
    struct uiommu *u;
    _Atomic uint32_t refs;     /* its devices, and calls under way           */
    struct uiommu_domain *rest; /* what it sees where nothing else is said    */
    void *lock;                /* mutex: everything below                    */
    struct uim_node devices;
    struct uim_view own;       /* of DMA without a PASID                     */
    struct uim_node pasids;    /* views, by number                           */
    struct uiommu_domain *firmware; /* holds its firmware regions, or NULL   */
    const void *owner;         /* NULL: the host itself                      */
    unsigned claims;
    uint32_t doorbells;        /* bit n: it needs u->doorbell[n]             */
    /* Virtual, of one mediated device: the group that this is a part of, counted. It has
     * no mutex of its own, no devices and no endpoints. NULL: of hardware.  */
    struct uiommu_group *hardware;
    bool software;             /* virtual, and no hardware keeps it apart    */
    unsigned n_mediated;       /* of its devices, or of one that went        */
    unsigned n_numbered;       /* of these, with numbers of their own        */
    struct uim_mediated *heir; /* has what carries no PASID; NULL: nobody    */
    struct uim_call *_Atomic calls; /* device_lock: of mediators, under way  */
};

static inline struct uiommu_group *uim_hardware_of(struct uiommu_group *group)
{
    return group->hardware ? group->hardware : group;
}

/* A unit did not do, or did not confirm, what it was told. */
static inline bool uim_hardware_failed(enum uiommu_status status)
{
    return status >= UIOMMU_TIMEDOUT;
}

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

    void *link_lock;         /* mutex: users of links, doorbells            */
    struct uim_doorbell {
        uint64_t page;
        uint32_t users;        /* calls that set it up, and did not fail; 0: the
                                * number is free. None goes                  */
    } doorbell[UIM_DOORBELLS];
    void *device_lock; /* spin: devices, endpoints, what they see, handlers */
    struct uim_node devices;
    struct uim_node endpoints; /* without a PASID */
    struct uim_node orphans;   /* device_lock: with one, whose device is gone */
    struct uim_node dead;      /* device_lock: mediated ones, so too         */
    _Atomic uint32_t n_mediated;
    struct uiommu_domain blocked, identity, inherited;
    struct uim_node irqs;    /* device_lock                                 */
    _Atomic uint32_t n_irqs; /* interrupts that the host mapped             */
    _Atomic uint32_t n_domains; /* dynamic ones that live                   */
    uint64_t clock;          /* device_lock: steps of view->waits_since      */
    struct uim_node tainted; /* device_lock; see uiommu_domain_put()        */
    bool stuck;              /* a unit does not stop translating            */
    bool handed_over;        /* units go on translating                     */
    uint32_t audits;         /* lock: of units, so far                      */
    struct uim_log_limit limit; /* device_lock: of faults of unknown devices */
    void *request_lock;      /* spin: all of request.c                       */
    struct uim_node waiting, left; /* groups: for handlers, for answers      */
    uint64_t cookies;
    struct uim_node providers; /* device_lock                                */
    _Atomic uint32_t
        lost_tables; /* of a process, to a unit that does not stop */
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
/* Forgets it and leaves its entries as they are. */
void uim_device_forget(struct uiommu_device *device);
/* Of one that could not be added after all. */
void uim_device_take_back(struct uiommu_device *device);
/* May its DMA carry the endpoint's id? */
bool uim_device_has(const struct uiommu_device *device,
                    const struct uiommu_endpoint *endpoint);
/* The device at that path, if it is known. u->lock is held. */
struct uiommu_device *uim_device_find(const struct uiommu *u,
                                      const struct uim_fw_device *path);

/* endpoint.c: ids that units know. u->lock is held, or device_lock to find. */
struct uiommu_endpoint *uim_endpoint_find(const struct uim_unit *unit,
                                          uint32_t id);
/* With that PASID; if there is none, the one without. */
struct uiommu_endpoint *uim_endpoint_find_pasid(const struct uim_unit *unit,
                                                uint32_t id, uint32_t pasid);
/* One more device has the id: that endpoint, or a new one in device->group that sees
 * what others there see. `of` is called by its name: the device, or the bridge that
 * gives its DMA the id. NOMEM, or as uiommu_set_domain(). */
enum uiommu_status uim_endpoint_get(struct uiommu_device *device,
                                    struct uiommu_device *of, uint32_t id,
                                    struct uiommu_endpoint **out);
/* One device less. The last: block says whether its entry is blocked or left; then it
 * is forgotten. */
enum uiommu_status uim_endpoint_put(struct uiommu_device *device,
                                    struct uiommu_endpoint *endpoint,
                                    bool block);

/*
 * One range that the core maps in somebody's domain, and may take back: until that is
 * decided no mediator can pin it, so that nobody has to wait for one, with whatever mutex
 * is held.
 */
struct uim_region_run {
    struct uim_region_run *next;
    struct uiommu_domain *domain;
    struct uim_node node;      /* domain->tentative                          */
    uint64_t start, last;
};
/* emulated.c: before it is mapped; it stays, or is unmapped. Any context. */
void uim_tentative_begin(struct uim_region_run *run);
void uim_tentative_end(struct uim_region_run *run);

/* firmware.c: regions that devices must reach one to one (semantics B.10). */
enum uiommu_status uim_firmware_requesters(struct uiommu *u);
/* Puts the device on a domain with its regions; a device whose regions cannot be
 * mapped stays blocked. */
enum uiommu_status uim_firmware_rest(struct uiommu_device *device);
/* The device has left its group. */
void uim_firmware_drop(struct uiommu_device *device);
/* Before `from` becomes part of `into`: the regions of both where both rest; and what
 * follows, if that was done or could not be. */
enum uiommu_status uim_firmware_merge(struct uiommu_group *into,
                                      struct uiommu_group *from,
                                      struct uim_region_run **mapped);
void uim_firmware_unmerge(struct uiommu_group *into, struct uiommu_group *from,
                          struct uim_region_run *mapped);
void uim_firmware_merged(struct uiommu_group *into, struct uiommu_group *from,
                         struct uim_region_run *mapped);
bool uim_firmware_forbids_claim(const struct uiommu_device *device);

enum uiommu_status uim_regions_map(struct uiommu_device *device,
                                   struct uiommu_domain *domain,
                                   struct uim_region_run **done);
/* Of all devices of a group. */
enum uiommu_status uim_regions_map_all(struct uiommu_group *group,
                                       struct uiommu_domain *domain,
                                       struct uim_region_run **done);
void uim_regions_undo(struct uiommu_domain *domain, struct uim_region_run *run);
void uim_regions_keep(struct uiommu *u, struct uim_region_run *run);

/* region.c: those of a group, in no order; uim_free() them by size. NOMEM. */
struct uim_regions {
    struct uiommu_region *at; /* NULL: none, or only counted                 */
    size_t n, size;
};
enum uiommu_status uim_regions_of(const struct uiommu_group *group,
                                  struct uim_regions *out);

/* doorbell.c: the window of the unit's domains. False: it has none. */
bool uim_doorbell_window(const struct uim_unit *unit,
                         struct uiommu_region *out);
/* Does a page of some doorbell belong there in that domain? Takes u->link_lock. */
bool uim_doorbell_is(const struct uiommu_domain *domain, uint64_t iova,
                     uint64_t phys);
/* What one set-up mapped, so that it can be taken back. */
struct uim_rung {
    uint32_t mapped; /* bit n: u->doorbell[n]                                */
    unsigned ring;
};
/* In `domain`, those that the group needs. Its mutex is held. NOSPC (logged), or as
 * uiommu_map(): nothing is mapped then. */
enum uiommu_status uim_doorbells_map(const struct uiommu_group *group,
                                     struct uiommu_domain *domain,
                                     struct uim_rung *rung);
/* Unless somebody relies on them since. */
void uim_doorbells_undo(struct uiommu_domain *domain,
                        const struct uim_rung *rung);
/* map.c: one page of it, into the window. u->link_lock is held. As uiommu_map(). */
enum uiommu_status uim_map_doorbell(struct uiommu_domain *domain, uint64_t iova,
                                    uint64_t phys);
void uim_unmap_doorbell(struct uiommu_domain *domain, uint64_t iova);

/* dma.c; the group's mutex is held, but for trust. */
/* Where doorbell n is for the endpoint, which is started. INVAL: it is not. NOSPC, or as
 * uiommu_map(). */
enum uiommu_status uim_dma_doorbell(struct uiommu_endpoint *endpoint,
                                    unsigned n, uint64_t *iova);
void uim_dma_free(struct uim_view *view);
/* A driver was started with identity, which is not for devices that are not trusted. */
bool uim_dma_is_identity(const struct uim_view *view);
/* The devices of `from` come to `into`, if it is not BUSY (logged) or NOMEM; whatever it
 * says, whether they came. */
enum uiommu_status uim_dma_joins(struct uiommu_group *into,
                                 struct uiommu_group *from);
void uim_dma_joined(struct uiommu_group *into, bool joined);
/* Whether it may be believed. BUSY (logged): its group relies on that. */
enum uiommu_status uim_dma_trust(struct uiommu_device *device, bool untrusted);
/* Its only start is another's for a while, who finds the group on its core domain; and is
 * given back, if it may see that domain. BUSY: others were started. */
enum uiommu_status uim_dma_park(struct uiommu_endpoint *endpoint,
                                struct uim_dma **out);
enum uiommu_status uim_dma_unpark(struct uiommu_endpoint *endpoint,
                                  struct uim_dma *dma);
/* What is held for that: the endpoint leaves, or nobody waits for it any more. */
void uim_dma_let_go(struct uiommu_endpoint *endpoint);
void uim_dma_unhold(struct uim_view *view);
/* It is not given back any more. */
void uim_dma_forget(struct uiommu *u, struct uim_dma *dma);
/* As uiommu_dma_start() for whatever is best, and its end. */
enum uiommu_status uim_dma_start(struct uiommu_endpoint *endpoint);
enum uiommu_status uim_dma_stop(struct uiommu_endpoint *endpoint);

/* rest.c */
/* What endpoints of the unit see that nobody uses: blocked, if it can. */
struct uiommu_domain *uim_rest(const struct uim_unit *unit);
/* What the driver is given for `domain`. */
struct uiommu_domain *uim_shown(const struct uiommu_endpoint *endpoint,
                                struct uiommu_domain *domain);
/* Before prepare: OPNOTSUPP (logged). After it, and before an endpoint with a PASID.
 * Before release. */
enum uiommu_status uim_rest_create(struct uim_unit *unit);
enum uiommu_status uim_rest_link(struct uim_unit *unit, uint32_t pasid);
void uim_rest_free(struct uim_unit *unit);
/* Does its unit stop DMA as well as the configuration asks? False: logged. */
bool uim_rest_is_safe(const struct uiommu_device *device);

/* storm.c: devices that fault too often. */
enum uim_storm {
    UIM_STORM_NONE,
    UIM_STORM_BEGINS, /* it is muted now                                     */
    UIM_STORM_GOES_ON, /* it was; nobody wants to hear the fault             */
};
/* One more fault of an id, whose device is pinned; *count: that many in the present
 * second. Any context. */
enum uim_storm uim_storm(struct uiommu_endpoint *own, uint32_t *count);
/* Before others learn of the id: what it takes to mute it. As ops->make_entry(). */
enum uiommu_status uim_storm_prepare(struct uiommu_endpoint *own);
/* A PASID is listed with its id: it is what that is. */
void uim_storm_join(struct uiommu_endpoint *pasid);
/* The id is listed no more: its entry is as that of any that is blocked. */
enum uiommu_status uim_storm_forget(struct uiommu_endpoint *own);

/* recorder.c: what was mapped and unmapped in a domain, of late. */
/* NULL: no memory. To free NULL is nothing. May sleep, both. */
struct uim_recorder *uim_recorder_create(struct uiommu *u, uint32_t events);
void uim_recorder_free(struct uiommu *u, struct uim_recorder *recorder);
/* The domain has one. Any context. */
void uim_recorder_add(struct uiommu_domain *domain,
                      const struct uiommu_event *event);
/* What it knows of f->iova. Any context. */
void uim_recorder_ask(struct uiommu_domain *domain, struct uiommu_fault *f);

/* set.c */
/* Must succeed: whoever cannot get to the core domain is blocked. */
enum uiommu_status uim_group_to_core(struct uiommu_group *group);
bool uim_isolates_interrupts(const struct uiommu_device *device);

/* start.c; no call is under way beside these. */
void uim_polling_stop(struct uiommu *u);
void uim_units_free(struct uiommu *u);
/* Or were, and have endpoints. */
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

/* handover.c: something of the former owner may be in use, on a unit that confirms. */
bool uim_adoption_goes_on(const struct uiommu *u);
/* Sentences about the requesters that go on. */
void uim_adopted_log(struct uiommu *u);

/* group.c (semantics B.9): who must move together. */
struct uiommu_group *uim_group_create(const struct uim_unit *unit);
void uim_group_put(struct uiommu_group *group);
void uim_group_lock(const struct uiommu_group *group);
void uim_group_unlock(const struct uiommu_group *group);
/* The endpoint's group, locked and pinned: others may merge meanwhile. */
struct uiommu_group *uim_group_enter(const struct uiommu_endpoint *endpoint);
/* NULL: not from inside a mediator's call, which has it, or is waited for. */
struct uiommu_group *uim_group_call(const struct uiommu_endpoint *endpoint);
/* The same with u->lock: nobody comes to the group, nor takes a number, meanwhile. */
struct uiommu_group *
uim_group_call_alone(const struct uiommu_endpoint *endpoint);
void uim_group_leave_alone(struct uiommu_group *group);
bool uim_is_inside(const struct uiommu_endpoint *endpoint);
/* The present one; 1: the host does not tell them apart. */
uintptr_t uim_thread(const struct uiommu *u);
/* A group that is a part of that one. NULL: no memory. */
struct uiommu_group *uim_group_create_virtual(struct uiommu_group *hardware);
void uim_group_leave(struct uiommu_group *group);
struct uiommu_domain *uim_group_core(const struct uiommu_group *group);
/* Its own view, with the firmware regions of its devices in `domain` first. */
enum uiommu_status uim_group_set(struct uiommu_group *group,
                                 struct uiommu_domain *domain);
/* Somebody relies on what it sees. Its mutex is held. */
bool uim_group_in_use(const struct uiommu_group *group);
/* set.c. INVAL: firmware regions of one of its devices. OPNOTSUPP (logged): one can
 * forge interrupts. */
enum uiommu_status uim_group_may_be_claimed(struct uiommu_group *group);
/* Merges the device's group with those of all devices that cannot be kept apart
 * from it. BUSY (logged): more than one of them is in use, or the device cannot see what
 * one of them sees. u->lock is held. */
enum uiommu_status uim_group_gather(struct uiommu_device *device);
/* The device is not in its group any more. */
void uim_group_drop(struct uiommu_device *device);

/* capability.c: ACS before groups are judged; ATS and PASID of a device that belongs
 * to its group. */
void uim_acs_start(struct uiommu_device *device, uint32_t flags);
enum uiommu_status uim_capabilities(struct uiommu_device *device,
                                    uint32_t flags);
void uim_pasids_stop(struct uiommu_device *device);
/* As they were before a reset. False: the device has none any more. */
bool uim_pasids_restart(struct uiommu_device *device);

/* reset.c; the group's mutex is held. */
/* By a reset of its own, or of its physical function. */
bool uim_device_is_reset(const struct uiommu_device *device);
bool uim_group_is_held(const struct uiommu_group *group);
/* One reset less of those that hold the id and its PASIDs. */
enum uiommu_status uim_id_let_go(struct uiommu_endpoint *own, bool worked);

/* mediated.c; the group's mutex is held. */
/* The device was pulled out; before its PASIDs are orphans, and after that. */
void uim_mediated_stop(struct uiommu_device *device);
enum uiommu_status uim_mediated_orphan(struct uiommu_device *device);
/* A driver of the host uses one of the device's. */
bool uim_mediated_started(const struct uiommu_device *device);
/* The instance is over, and nobody is told. */
void uim_mediated_forget(struct uim_node *list);

/* seat.c; the group's mutex is held. */
/* Could it see the domain? Without a look at hardware. */
bool uim_mediated_fits(const struct uim_mediated *m,
                       const struct uiommu_domain *domain);
/* Nobody but an heir uses what it has (BUSY), nor who has no device any more (NODEV). */
enum uiommu_status uim_mediated_may_use(const struct uiommu_endpoint *endpoint);
/* device_lock is held. */
struct uiommu_domain *uim_mediated_sees(const struct uiommu_endpoint *endpoint);
/* As uim_view_set() and uim_view_force(), which come here. */
enum uiommu_status uim_mediated_set(struct uim_mediated *m,
                                    struct uiommu_domain *domain);
enum uiommu_status uim_mediated_force(struct uim_mediated *m);
/* The endpoint that units know, or the same. */
struct uiommu_endpoint *uim_mediated_real(struct uiommu_endpoint *endpoint);
/* Mediators are told; that a reset has ended, as far as it has for each. */
void uim_mediated_tell(const struct uiommu_device *device,
                       enum uiommu_mdev_reset what);
/* EARLY: it has its number from now on; and, when it sees nothing, no more. */
enum uiommu_status uim_seat_reserve(struct uim_mediated *m);
enum uiommu_status uim_seat_unreserve(struct uim_mediated *m);
/* It has no parent any more, and no number. */
enum uiommu_status uim_seat_lose(struct uim_mediated *m);

/* mediator.c: it is told what has become of a part. The group's mutex is held. */
enum uiommu_status uim_mediator_announce(struct uim_mediated *m);
enum uiommu_status uim_mediator_install(struct uim_mediated *m);
/* Did the part stop? */
bool uim_mediator_clear(struct uim_mediated *m);
/* Around calls of it. Any context. */
void uim_mediator_enter(struct uim_mediated *m, struct uim_call *call,
                        bool unmapped);
void uim_mediator_leave(const struct uim_call *call);
/* Is it told in this thread that something is unmapped? Any context. */
bool uim_mediator_is_told(struct uim_mediated *m);

/* emulated.c; the group's mutex is held, u->lock too. */
/* There is a software unit beside that one; without parts it goes, unless a domain was
 * seen through it, which may remember that. NOMEM. */
enum uiommu_status uim_soft_get(struct uim_unit *unit);
void uim_soft_put(struct uim_unit *unit);
void uim_soft_free(struct uim_unit *unit);
/* The part's endpoint is of that unit, and its group has it. */
void uim_soft_add(struct uim_mediated *m, struct uim_unit *unit);
void uim_soft_remove(struct uim_mediated *m);
bool uim_is_emulated(const struct uiommu_endpoint *endpoint);
/* UIOMMU_READ, UIOMMU_WRITE or both. */
bool uim_is_access(unsigned flags);

/* pasid.c; the group's mutex is held. */
/* In flags of uim_pasid_open(): the one number of the range is kept for whoever asks. */
#define UIM_PASID_HELD (UINT32_C(1) << 31)
/* A step of view->waits_since. */
uint64_t uim_tick(struct uiommu *u);
/* OPNOTSUPP (logged): the device cannot have PASIDs. */
enum uiommu_status uim_pasid_may_have(const struct uiommu_device *device);
/* As uiommu_pasid_create() and uiommu_pasid_destroy(): all that see what the number
 * sees. */
enum uiommu_status uim_pasid_open(struct uiommu_device *device,
                                  const struct uiommu_pasid_config *config,
                                  const struct uim_limits *limits,
                                  struct uim_view **out);
/* A number of the range that no device has: *pasid, which is a provider's. And it is
 * none's any more. */
enum uiommu_status uim_pasid_keep(const struct uiommu_device *device,
                                  uint32_t first, uint32_t last,
                                  uint32_t *pasid);
void uim_pasid_drop(struct uiommu *u, uint32_t *pasid);
/* Of an heir: what is below it is no more than it is. NULL: of any other. */
const struct uim_limits *
uim_pasid_limits(const struct uiommu_endpoint *endpoint);
/* Some are below an heir of the group, who goes after them. */
bool uim_pasids_below(const struct uiommu_group *group);
enum uiommu_status uim_pasid_close(struct uim_view *view, bool stopped);
/* INVAL: the device has none of the range. */
enum uiommu_status uim_pasid_range(const struct uiommu_device *device,
                                   uint32_t first, uint32_t last);
struct uiommu_endpoint *uim_pasid_of(const struct uim_view *view,
                                     const struct uiommu_device *device);
bool uim_group_has_pasids(const struct uiommu_group *group);
/* Of a mediated device with a group of its own. Any context. */
bool uim_is_part(const struct uiommu_endpoint *endpoint);
/* The numbers of `from`, which has no endpoints with any, are taken in `into`. */
void uim_pasids_merge(struct uiommu_group *into, struct uiommu_group *from);
void uim_view_free(struct uim_view *view);
/* A device was reset, or has gone: numbers that nobody can send any more are free. */
void uim_pasids_free_waiting(struct uiommu_group *group);
/* How many wait. */
uint32_t uim_pasids_waiting(const struct uiommu_group *group);
/* The device comes to the group, and gets endpoints for the numbers that are in use there.
 * BUSY: it has fewer numbers. INVAL: it must not see what one of them sees. Or as
 * uiommu_set_domain(); it has none then. */
enum uiommu_status uim_pasids_extend(struct uiommu_group *group,
                                     struct uiommu_device *device);
/* It does not come after all. */
void uim_pasids_withdraw(struct uiommu_device *device);
/* A driver of the host uses one of the device's. */
bool uim_pasids_started(const struct uiommu_device *device);
/* The device was pulled out: its endpoints see nothing any more, whatever it is asked for
 * them; they stay until their owners end them. */
enum uiommu_status uim_pasids_orphan(struct uiommu_device *device);
/* No device is left: nor are these. */
void uim_orphans_forget(struct uiommu *u);

/* view.c (semantics B.5, B.6); the group's mutex is held. */
void uim_view_init(struct uim_view *view, struct uiommu_group *group,
                   uint32_t pasid, struct uiommu_domain *domain);
enum uiommu_status uim_view_set(struct uim_view *view,
                                struct uiommu_domain *domain);
/* The same of a group that becomes part of another, while its devices may be reset. */
enum uiommu_status uim_view_follow(struct uim_view *view,
                                   struct uiommu_domain *domain);
/* It has to succeed: whoever cannot see `domain` sees nothing. */
enum uiommu_status uim_view_force(struct uim_view *view,
                                  struct uiommu_domain *domain);
bool uim_view_fits(const struct uim_view *view,
                   const struct uiommu_domain *domain);
/* Is it no more than that, on that unit? */
bool uim_is_within(const struct uiommu_domain *domain,
                   const struct uim_limits *limits,
                   const struct uim_unit *unit);
/* Can the unit show it to what carries a PASID? */
bool uim_fits_pasid(const struct uiommu_domain *domain,
                    const struct uim_unit *unit);
/* It is what the view says, from now on. */
void uim_view_rest_on(struct uim_view *view, struct uiommu_domain *domain);
enum uiommu_status uim_endpoint_set(struct uiommu_endpoint *endpoint,
                                    struct uiommu_domain *domain);
/* Blocked in the tables, whatever its domain, until it is let go as often. */
enum uiommu_status uim_endpoint_hold(struct uiommu_endpoint *endpoint);
enum uiommu_status uim_endpoint_let_go(struct uiommu_endpoint *endpoint,
                                       bool worked);
/* Its device or unit did not confirm: it is quarantined, and sees nothing from then on. */
void uim_endpoint_give_up(struct uiommu_endpoint *endpoint);
/* What it is to see is programmed once more. NODEV: it is quarantined, nothing is done. */
enum uiommu_status uim_endpoint_again(struct uiommu_endpoint *endpoint);
/* Its device can do ATS from now on; or may cache no more of the same. */
void uim_endpoint_count(struct uiommu_endpoint *endpoint);
enum uiommu_status uim_endpoint_uncache(struct uiommu_endpoint *endpoint);

/* ask.c (semantics B.8, B.17); the group's mutex is held. */
/* What `own` was, before a change. */
struct uim_asked {
    bool ats_on;
    bool ats;
    bool pri;
    bool stopped; /* it asks for no translations while its entry changes     */
};
/* May its device cache what it sees there; ask for pages of that? */
bool uim_caches(struct uiommu_endpoint *endpoint,
                const struct uiommu_domain *domain);
bool uim_asks(struct uiommu_endpoint *endpoint,
              const struct uiommu_domain *domain);
/* May it see a domain that answers page requests? */
bool uim_can_ask(struct uiommu_endpoint *endpoint);
/* Its device knows no answers with a PASID, and its unit gives no others. */
bool uim_is_unanswerable(const struct uiommu_endpoint *endpoint);
/* Before it sees `next`: OPNOTSUPP (logged): nobody could answer. BUSY: its device waits
 * for somebody else's answers. */
enum uiommu_status uim_ask_may(struct uiommu_endpoint *endpoint,
                               const struct uiommu_domain *next);
/* What it takes to ask. NOMEM. And when it has left. */
enum uiommu_status uim_ask_get(struct uiommu_endpoint *endpoint,
                               const struct uiommu_domain *next);
void uim_ask_put(struct uiommu_endpoint *endpoint);
/* A device that will not be answered any more stops asking before its entry changes from
 * `old` to `next`; who may ask starts after that, with nothing old cached or waited for. */
void uim_ask_stop(struct uiommu_endpoint *endpoint,
                  const struct uiommu_domain *next,
                  const struct uiommu_domain *old, struct uim_asked *was);
enum uiommu_status uim_ask_start(struct uiommu_endpoint *endpoint,
                                 const struct uiommu_domain *next,
                                 const struct uiommu_domain *old,
                                 const struct uim_asked *was);
/* Its entry did not change after all. */
void uim_ask_back(struct uiommu_endpoint *endpoint,
                  const struct uim_asked *was);
/* The device asks for nothing any more, whatever it is answered. */
void uim_ask_cut(struct uiommu_endpoint *own);
/* No handler of `old` begins with what it asks for; none has any of it. */
void uim_ask_deafen(struct uiommu_endpoint *endpoint,
                    const struct uiommu_domain *next,
                    const struct uiommu_domain *old);
void uim_ask_flush(struct uiommu_endpoint *endpoint,
                   const struct uiommu_domain *next,
                   const struct uiommu_domain *old);
/* Of groups whose last was refused, or will be, nothing is left. As the unit's drain. */
enum uiommu_status uim_ask_anew(struct uiommu_endpoint *own);
/* It is one, or none, of those that keep ATS and page requests of its device on. */
void uim_ask_count(struct uiommu_endpoint *endpoint, bool cached, bool asking);
/* All devices that ask for pages stop that, with everything answered; or go on. How many
 * there are. u->lock is held. */
unsigned uim_let_ask(struct uiommu *u, bool yes);

/* request.c (semantics B.17); but for the first two and what expires under the group's
 * mutex. */
void uim_requests_init(struct uiommu *u);
/* Those that were left for too long. Any context. */
void uim_requests_expire(struct uiommu *u);
/* What the id needs to ask. NOMEM. */
enum uiommu_status uim_requests_create(struct uiommu_endpoint *own,
                                       unsigned credits);
/* Who has it is told in its stead what it asks for; NULL: nobody has it. */
void uim_requests_lend(struct uiommu_endpoint *real,
                       struct uiommu_endpoint *client);
/* It has no device any more: whoever answers for it finds nothing. */
void uim_requests_orphan(struct uiommu_endpoint *endpoint);
/* None of its endpoints has a handler, and all are drained. */
void uim_requests_free(struct uiommu_endpoint *own);
/* While it is deaf no handler begins with what it asks for; what was asked meanwhile is
 * for the handler of what it sees then. */
void uim_requests_hear(struct uiommu_endpoint *endpoint, bool yes);
/* Everything that the endpoint has asked for is answered, and no handler has any of it;
 * flush: what came to uim_request(). As the unit's respond. */
enum uiommu_status uim_requests_flush(struct uiommu_endpoint *endpoint,
                                      enum uiommu_response response);
/* What came of groups that are not complete. */
void uim_requests_forget(struct uiommu_endpoint *endpoint);
/* What nobody answers yet is answered: it cannot be had. The endpoint is pinned. Any
 * context. */
void uim_requests_refuse(struct uiommu_endpoint *endpoint);
enum uiommu_status uim_requests_drain(struct uiommu_endpoint *endpoint,
                                      enum uiommu_response response);

/* request_queue.c; NULL is none. Put may sleep. */
/* Another instance has locks and lists of its own. */
bool uim_request_queue_is_of(const struct uiommu_request_queue *queue,
                             const struct uiommu *u);
void uim_request_queue_get(struct uiommu_request_queue *queue);
void uim_request_queue_put(struct uiommu_request_queue *queue);

/* domain.c */
void uim_domain_static(struct uiommu *u, struct uiommu_domain *domain,
                       enum uiommu_domain_kind kind);
enum uiommu_status uim_domain_create(struct uim_unit *unit,
                                     const struct uiommu_domain_config *config,
                                     struct uiommu_domain **out);
/* For all that see what the endpoint sees. OPNOTSUPP (logged): their units have no tables
 * in common. The group's mutex is held. */
enum uiommu_status
uim_domain_create_for(const struct uiommu_endpoint *endpoint,
                      const struct uiommu_domain_config *config,
                      struct uiommu_domain **out);
/* Of tables that somebody else has; they stay when it is freed. NULL: no memory. */
struct uiommu_domain *uim_domain_foreign(struct uim_unit *unit,
                                         const struct uim_pt *pt);
/* Nothing of its addresses is kept for interrupts. */
void uim_domain_open_window(struct uiommu_domain *domain);
/* No unit translates any more: frees what broken units kept from being freed; or
 * if one does not stop, lets go of it without freeing. */
void uim_domains_reap(struct uiommu *u);
/* Its tables are the next owner's. */
bool uim_given_away(const struct uiommu_domain *domain);

/* sva.c (semantics B.20) */
struct uiommu_provider {
    struct uiommu *u;
    struct uim_node node;      /* u->providers                               */
    struct uiommu_provider_config config;
    _Atomic uint32_t refs;
    _Atomic uint32_t over;     /* the address space has ended                */
    _Atomic uint32_t readers;  /* who goes through u->providers              */
    struct uim_node domains;   /* device_lock: by domain->listed             */
    uint64_t listed;           /* device_lock                                */
    uint32_t pasid;            /* device_lock: of all that is bound; 0: none  */
    struct uim_node bonds;     /* u->lock                                    */
    bool lost;                 /* u->lock: a unit walks its tables for ever  */
};
/* Has the address space ended? Any domain. */
bool uim_sva_is_over(const struct uiommu_domain *domain);
/* Does the unit walk the foreign tables of the domain? */
bool uim_sva_fits(const struct uiommu_domain *domain,
                  const struct uim_unit *unit);
/* Nobody refers to the domain any more. */
void uim_sva_unlist(struct uiommu_domain *domain);
/* What ended while units took no commands, which they do again, is shut. */
void uim_sva_shut_ended(struct uiommu *u);
/* What a domain referred to, which a unit walks for ever: it is never released. */
void uim_sva_lose(struct uiommu_provider *provider);
/* There is no provider. */
bool uim_sva_none(struct uiommu *u);
/* From `pasid` on, the first number that is no provider's. device_lock is held. */
uint32_t uim_sva_free_pasid(struct uiommu *u, uint32_t pasid);
/* As uiommu_sva_domain(); u->lock and the group's mutex are held. */
enum uiommu_status uim_sva_domain(struct uiommu_endpoint *endpoint,
                                  struct uiommu_provider *provider,
                                  struct uiommu_domain **out);

/* map.c: as uiommu_map() and uiommu_unmap(), of a domain that the caller may change. */
enum uiommu_status uim_map(struct uiommu_domain *domain, uint64_t iova,
                           uint64_t phys, uint64_t size, unsigned flags);
enum uiommu_status uim_unmap(struct uiommu_domain *domain, uint64_t iova,
                             uint64_t size);

/* attach.c: who may see a domain (semantics B.8). */
enum uiommu_status uim_link_get(struct uiommu_domain *domain,
                                struct uim_unit *unit, uint32_t pasid);
void uim_link_put(struct uiommu_domain *domain, struct uim_unit *unit,
                  uint32_t pasid);
void uim_attach(struct uiommu_endpoint *endpoint, struct uiommu_domain *domain);
void uim_detach(struct uiommu_endpoint *endpoint, struct uiommu_domain *domain);
/* Blocks it in the tables, until it is removed; marks its unit as broken if that
 * does not confirm. Any context. */
enum uiommu_status uim_quarantine(struct uiommu_endpoint *endpoint);
/* Cuts an id that was marked so (driver.h), and marks and cuts its PASIDs: until the marks
 * are gone they see nothing, and are not heard. If that is not confirmed it is
 * quarantined. Any context. */
void uim_mute(struct uiommu_endpoint *own);
/* What the domain shows has ended: whoever sees it is shut off and its device TLB empty;
 * what it asked for is answered, that it cannot be had. Any context. */
enum uiommu_status uim_shut(struct uiommu_domain *domain);
/* The domain's tables must outlive what a broken unit may have cached. */
void uim_taint(struct uiommu_domain *domain, const struct uim_unit *unit);
/* No cache of any unit or device holds what *inval says changed in domain.
 * TIMEDOUT, IO: the endpoints that may still do are quarantined. Any context. */
enum uiommu_status uim_invalidate(struct uiommu_domain *domain,
                                  const struct uim_inval *inval);

#endif
