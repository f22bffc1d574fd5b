/* SPDX-License-Identifier: MIT */
/*
 * driver.h - the contract between the core, which knows the rules, and drivers,
 * which know the bits.
 *
 * Contexts: everything but what says otherwise runs under the group mutex or in
 * start and stop, and may sleep. "Any context" functions are called from map and
 * unmap, maybe with interrupts off: no sleeping call, no mutex, no byte alloc.
 */
#ifndef UIM_CORE_DRIVER_H
#define UIM_CORE_DRIVER_H

#include <stdatomic.h>

#include <uiommu/uiommu.h>

#include "base/list.h"
#include "fw/fw.h"
#include "pci/topology.h"
#include "pt/pt.h"
#include "walk/requesters.h"

struct uim_unit;
struct uim_link;
struct uim_view;
struct uim_dma;
struct uim_recorder;
struct uim_mediated;
struct uim_soft;

/* What changed in a domain. start and last are inclusive. */
struct uim_inval {
    uint64_t start, last;
    bool leaf_only; /* no non-leaf entry changed                           */
    bool all;       /* everything: start and last say nothing              */
    bool same;      /* what is mapped leads where it did, by other entries */
};

/* A page request as a unit recorded it (PCIe Base 10.4.1). */
struct uim_page_request {
    uint32_t id, pasid; /* UIOMMU_NO_PASID: it had none                       */
    uint16_t group;
    bool last;
    unsigned access;    /* neither read nor write, and last: a stop marker    */
    uint64_t iova;
    bool stalled; /* it is DMA that waits in the unit: a whole group          */
};

/* Of a group. */
struct uim_page_answer {
    uint32_t id, pasid; /* UIOMMU_NO_PASID: the answer is to carry none       */
    uint16_t group;
    enum uiommu_response response; /* not LATER                               */
    bool stalled; /* success: the DMA is tried again; else it is aborted      */
};

enum { UIM_UNIT_OWN = 4 };

/* What a unit does by its registers, as they are now. */
struct uim_unit_audit {
    bool open;    /* everything passes, whatever tables say                   */
    bool shut;    /* nothing does                                             */
    bool foreign; /* it reads other tables than those of the driver           */
    bool trusts;  /* requests that a device says are translated pass without a
                   * look at its entry                                        */
    const char *interrupts; /* why they are not remapped, although they are to
                             * be; NULL: they are                             */
    struct uim_requesters tables; /* neither open nor shut                    */
    /* Memory of the driver that it reads: the root, queues; size 0: not in use */
    struct uim_unit_own {
        uint64_t phys, size;
    } own[UIM_UNIT_OWN];
};

struct uim_unit_ops {
    /*
     * Life: prepare -> (set of firmware requesters) -> enable -> disable -> release.
     *
     * prepare: build tables in which every requester is blocked, set the command
     * queue up. Translation stays as firmware left it.
     * enable: from here on, only what the tables say. Everything cached from
     * before is invalidated.
     * disable: translation off, interrupts of the unit off; also after enable
     * failed, of this unit or another (unit->undo). TIMEDOUT: it does not go off. Then
     * the unit is broken, may walk for ever what it walked last, and release keeps its
     * own tables allocated.
     * release: free everything, the unit itself too; from any state but enabled.
     */
    enum uiommu_status (*prepare)(struct uim_unit *unit);
    enum uiommu_status (*enable)(struct uim_unit *unit);
    enum uiommu_status (*disable)(struct uim_unit *unit);
    void (*release)(struct uim_unit *unit);
    /* Registers were lost: program them anew from what memory says, all caches
     * empty. Between suspend and resume nothing else is called.            */
    enum uiommu_status (*suspend)(struct uim_unit *unit);
    enum uiommu_status (*resume)(struct uim_unit *unit);

    /*
     * Units that somebody else left translating (semantics B.23), where unit->adopt.
     * prepare copies what it finds, unit->found says so; OPNOTSUPP, IO (logged):
     * it cannot, and the unit goes on as it was.
     * give_back: undo enable, for a start that failed: the unit is as it was found.
     * TIMEDOUT, IO: it may go on with our tables, which stay allocated.
     * inherited: the first requester from *id on whose entry is as it was found.
     * inherited_end: none is any more, nor any interrupt entry.
     * describe: what a record says of it, from registers and tables.
     * leave: as disable, but it goes on translating, and release keeps its tables.
     * All NULL where the driver refuses to prepare what translates already.
     */
    enum uiommu_status (*give_back)(struct uim_unit *unit);
    bool (*inherited)(struct uim_unit *unit, uint32_t *id);
    enum uiommu_status (*inherited_end)(struct uim_unit *unit);
    enum uiommu_status (*describe)(struct uim_unit *unit,
                                   struct uiommu_record_unit *out);
    enum uiommu_status (*leave)(struct uim_unit *unit);

    /* The first endpoint of the unit is about to see link->domain: choose what
     * its cached translations are tagged with (a domain id, an ASID). NOSPC. INVAL:
     * the unit cannot walk its tables.
     * unlink: the last one is gone, and nothing tagged so is cached any more. */
    enum uiommu_status (*link)(struct uim_link *link);
    void (*unlink)(struct uim_link *link);

    /*
     * The one operation that changes what an endpoint sees. `next` and `old` may
     * be of any kind, and equal (program it again). Both links exist if they
     * are paging domains. uim_own(endpoint)->ats says whether ATS requests of
     * the id are to be answered, with a PASID or without. On return no cache of
     * the unit holds the old translation; device TLBs are the core's (devtlb).
     *
     * Endpoints of one id are independent: what carries no PASID and what carries
     * another goes on meanwhile. The device's pasid_bits say how many there may be;
     * tables grow when the first is set, and stay.
     *
     * BUSY: it has a PASID, and its id still sees what the unit was found with.
     * Failure by that, NOMEM and the like: the endpoint sees `old` as before, and what
     * was allocated for it is given back. Of a group that is moved one after the other,
     * and back when one fails, tables of those that had got them stay: they are linked,
     * and only release may take them away. TIMEDOUT, IO: it is blocked. `next` is never
     * what was found. To a blocked domain: allocates nothing, and the tables say
     * blocked whatever the status. Called for one endpoint of an id at a time.
     */
    enum uiommu_status (*set)(struct uiommu_endpoint *endpoint,
                              struct uiommu_domain *next,
                              struct uiommu_domain *old);
    /* The tables say blocked from now on, and the unit drops what it cached of
     * the endpoint; devices are not waited for. For endpoints whose unit or
     * device TLB did not answer. OK: nothing gets through any more, whatever the
     * device has cached. May be repeated. The endpoint was marked (quarantined, or
     * muted) before: a set that goes on beside it opens nothing. Any context.
     *
     * While an endpoint is muted, and then its id is, cut and set leave entries that let
     * nothing through and, as far as the unit can be told, have it record nothing. All
     * else of a set is as ever: the next, when the mark is gone, ends that.   */
    enum uiommu_status (*cut)(struct uiommu_endpoint *endpoint);
    /* The endpoint's id has an entry from now on, so that it can be muted without memory.
     * NOMEM; TIMEDOUT, IO. NULL: the unit records whatever it refuses; none of its
     * endpoints is ever muted.                                              */
    enum uiommu_status (*make_entry)(struct uiommu_endpoint *endpoint);

    /* Drop what the unit cached of link->domain, wait, writes drained. Any
     * context.                                                             */
    enum uiommu_status (*invalidate)(struct uim_link *link,
                                     const struct uim_inval *inval);
    /* Entries became present; called where unit->map_sync. Any context. */
    enum uiommu_status (*map_sync)(struct uim_link *link,
                                   const struct uim_inval *inval);
    /* Drop what the endpoint's device cached of its translations, wait. Called
     * after invalidate and only where ATS is on. Any context.              */
    enum uiommu_status (*devtlb)(struct uiommu_endpoint *endpoint,
                                 const struct uim_inval *inval);

    /*
     * Interrupts, where unit->remap; NULL where the unit never can. An entry lets
     * the messages of one source through. Numbers of n entries: NOSPC. Any context.
     * irq_set: the entry does as `target` says, or refuses if that is NULL; on
     * return nothing older is cached.
     */
    enum uiommu_status (*irq_alloc)(struct uim_unit *unit, unsigned n,
                                    unsigned *first);
    void (*irq_free)(struct uim_unit *unit, unsigned first, unsigned n);
    enum uiommu_status (*irq_set)(struct uim_unit *unit, unsigned index,
                                  uint32_t source,
                                  const struct uiommu_irq_target *target);
    void (*irq_message)(struct uim_unit *unit, unsigned first, unsigned n,
                        const struct uiommu_irq_target *target,
                        struct uiommu_irq_message *out);

    /*
     * Page requests, where unit->requests, and DMA that waits, where unit->stalls.
     * uim_own(endpoint)->pri says in set whether those of the id are to be collected,
     * with a PASID or without; of which kind, device->stall_able.
     * requests_wait: in the unit's queue, or it overflowed. Any context.
     * requests_take: hands all of them to uim_request(), in order. True: some were lost.
     * One caller at a time: uim_requests_poll(), uim_requests_collect().
     * respond: the answer is on its way to the device. Any context.
     * drain: everything that the device asked for before has come to uim_request() or
     * was answered by the unit; of what it asks for from now on by way of the entry as
     * it is nothing is left out. Called after set and devtlb; or while the device is
     * absent, of which only the unit is asked then.
     */
    bool (*requests_wait)(struct uim_unit *unit);
    bool (*requests_take)(struct uim_unit *unit);
    enum uiommu_status (*respond)(struct uim_unit *unit,
                                  const struct uim_page_answer *answer);
    enum uiommu_status (*drain)(struct uiommu_endpoint *endpoint);

    /* Tables that a processor walks, for what carries a PASID: *pt is what link and
     * set are told of them; the core neither reads nor changes them. A sentence: what the
     * unit has not got for it. NULL: it walks no such tables.               */
    const char *(*shared_tables)(const struct uim_unit *unit,
                                 const struct uiommu_provider_config *tables,
                                 struct uim_pt *pt);

    /* Of a unit that is enabled. NULL: it cannot tell which tables it reads. */
    void (*audit)(struct uim_unit *unit, struct uim_unit_audit *out);

    /* Read faults and queue errors, hand faults to uim_fault(). True: not all, and
     * no interrupt tells of the rest. Any context. */
    bool (*poll)(struct uim_unit *unit);
};

/* What a driver's probe fills in; embedded in its own unit struct. */
struct uim_unit {
    const struct uim_unit_ops *ops;
    const struct uiommu_driver *driver;
    struct uiommu *u;
    const struct uiommu_host *host;
    void *state;               /* of the driver, for this instance           */
    void *mmio;                /* its registers; see core/unit.h             */
    size_t mmio_size;
    uint64_t timeout_ns;       /* for answers to commands; set by settle     */
    unsigned index;            /* in uiommu.unit[]; set by the core          */
    uint64_t base;
    uint16_t segment;

    _Atomic uint32_t collecting; /* 1: somebody takes page requests          */

    /* Set by probe or settle, constant afterwards. */
    const char *mode;          /* "legacy"                                   */
    const struct uim_pt_ops *format; /* of paging domains                    */
    uint64_t page_sizes;
    uint8_t levels;            /* of page tables; 0: it walks as many as a
                                * domain has                                 */
    uint8_t iova_bits;
    uint8_t phys_bits;
    uint8_t pasid_bits;        /* of PASIDs that it tells apart; 0: none     */
    bool pasid_identity;       /* pass-through for a PASID                   */
    /* What it caches of domains with tables of this format is tagged with the PASID
     * too: each has its link. NULL: of none.                                */
    const struct uim_pt_ops *link_by_pasid;
    bool walks_none;           /* translates nothing: what it says of tables is
                                * for what is emulated (emulated.c)          */
    bool coherent;             /* page-table walks snoop                     */
    bool snoop;                /* leaves may ask for snooping                */
    bool whole_leaves;         /* a leaf must not change its size while it is
                                * valid (break before make): no split        */
    bool identity;             /* has pass-through                           */
    bool ats;                  /* serves ATS requests                        */
    bool ats_needs_own;        /* looks translated requests up without their
                                * PASID: of an id that is blocked itself none
                                * pass                                       */
    bool ats_by_hardware;      /* enables ATS itself for devices that firmware
                                * says cannot do without                     */
    bool requests;             /* collects page requests                     */
    bool answers_as_asked;   /* with the PASID of the request, if it had one */
    unsigned stalls;           /* of DMA that faults, how much may wait for
                                * software at once; 0: none                  */
    bool map_sync;             /* must be told of new mappings               */
    bool messages_are_dma;     /* it translates interrupt messages as any write:
                                * there is nothing to remap. Who may send
                                * which is for fw->isolates_messages to say  */
    bool remap_able;           /* it and the platform can remap interrupts   */
    const char *remap_lacks;   /* what it has not got for it, or NULL        */
    bool x2apic_able;          /* with 32 bits of destination                */
    bool remap, x2apic;        /* it is to; set by the core before prepare   */
    bool adopt; /* so too, before settle: go on with what it does */
    bool found; /* it was adopted; until inherited_end confirmed */
    bool enabled; /* enable was called: there is something to undo */
    bool undo; /* a start failed: no DMA may pass that did not before it */
    /* How it stops DMA: every driver has to say. The core gives set no blocked domain
     * but where that is ABORT: it gives `nothing`, a paging domain without mappings.
     * cut means that too. What prepare blocks before is the driver's own way; where
     * that is NONE, it leaves everybody on identity.                        */
    enum uiommu_block_quality quality;
    struct uiommu_domain
        *nothing;  /* EMPTY, SINK: before prepare, linked after it */
    bool own_tags; /* pasid_bits are of a tag that the unit or device has
                                * in a register: no request carries it       */
    uint64_t window_first, window_last; /* never translated (interrupts): not
                                         * mappable. None: UINT64_MAX and 0  */
    struct uim_soft *soft; /* the core's: emulated.c                         */
    void *entry_lock; /* spin; see uim_entry_open(): the driver makes it */
    _Atomic uint32_t broken;   /* 1: did not confirm a command, and what it has
                                * cached is not known until it was resumed   */
};

struct uiommu_driver {
    const char *name;          /* as options and faults have it              */
    const struct uim_fw_ops *fw; /* the table that names its units           */
    size_t state_size;         /* zeroed bytes for each instance             */

    /* One "name.key=value" of the config. INVAL: bad value. NOENT: no such key. */
    enum uiommu_status (*option)(void *state, const char *key,
                                 const char *value);
    /* Look at a unit without changing it: map registers, read capabilities, fill
     * in struct uim_unit, u and host too. NODEV: not there, or not to be driven (logged).   */
    enum uiommu_status (*probe)(struct uiommu *u, void *state,
                                const struct uim_fw_unit *info,
                                struct uim_unit **out);
    /* All units of the driver were probed: decide what they decide together
     * (mode, format) and fill in the rest of each. OPNOTSUPP (logged).      */
    enum uiommu_status (*settle)(void *state, struct uim_unit *const *units,
                                 unsigned n);
};

/* A domain on a unit, or where uim_link_by_pasid() for one PASID on a unit. Kept until
 * the domain goes, so that unmap can read the list without a lock; while users is
 * 0 it is not in use, and may be taken for another PASID.                   */
struct uim_link {
    struct uim_link *_Atomic next;
    struct uim_unit *unit;
    struct uiommu_domain *domain;
    _Atomic uint32_t pasid;    /* UIOMMU_NO_PASID too where links are by unit */
    _Atomic uint32_t users;    /* endpoints; changed under u->link_lock      */
    _Atomic uint32_t id;       /* the driver's tag; a late invalidation may
                                * read it while it changes                   */
};

/* The link of domain for what `endpoint` asks, or NULL. Any context. */
struct uim_link *uim_link_of(struct uiommu_domain *domain,
                             const struct uiommu_endpoint *endpoint);

/* Who asks: an id, without a PASID or with one. */
struct uiommu_endpoint {
    struct uim_unit *unit;
    uint32_t id;               /* of its DMA, as the unit knows it           */
    uint32_t pasid;            /* UIOMMU_NO_PASID: requests without one      */
    struct uiommu_device *device; /* of several that share the id, one; NULL:
                                * it was pulled out, and this had a PASID    */
    struct uim_view *view;     /* group mutex and device_lock                */
    struct uim_node member;    /* view->endpoints: group mutex               */
    struct uim_node node;   /* u->endpoints; with a PASID: uim_own()'s pasids.
                                * device_lock                                */
    struct uim_node pasids;    /* of the id: endpoints with a PASID          */
    unsigned users;            /* u->lock: devices whose DMA may carry the id */
    struct uiommu_domain *domain; /* group mutex                             */
    unsigned held;             /* group mutex and device_lock: resets under way,
                                * which keep it blocked in the tables        */
    struct uim_mediated *mediated; /* NULL: units know it                    */
    bool moving;               /* listed where it may come to              */
    bool deaf;                 /* u->request_lock: it is being moved         */
    struct uiommu_endpoint *client; /* u->request_lock: who is told of what it
                                * asks for, which is a part of it; NULL: it  */
    bool asking;               /* counted in n_asking                        */
    bool cached;               /* its device may cache what it sees: counted in
                                * domain->n_ats                              */
    _Atomic uint32_t quarantined; /* 0 or 1: bytes have no exchange on RISC-V */
    _Atomic uint32_t muted;    /* the same: its id faulted too often; storm.c */
    _Atomic uint32_t over;     /* the same: what it sees has ended; sva.c     */
    _Atomic uint32_t readers;  /* who holds a pointer without a lock         */
    /* Of drivers of the host: dma.c. What is not atomic is constant while it is
     * started, but for the count.                                           */
    struct uim_dma *_Atomic dma; /* the view's; NULL: not started            */
    unsigned dma_starts;       /* group mutex                                */
    uint64_t dma_last;         /* highest address the device can send        */
    struct uiommu_domain *parked; /* group mutex: linked for a driver that
                                * rests: uim_dma_park()                      */
    /* Where it is listed while it may see a domain: two while it moves. */
    struct uim_attachment {
        struct uim_node node;  /* domain->attachments                        */
        struct uiommu_domain *domain; /* NULL: not in use                    */
        struct uiommu_endpoint *endpoint;
        uint64_t sequence;     /* order of listing, unique in a domain       */
    } at[2];
    /* Of the id, whatever PASID: */
    uint64_t storm_ns;         /* device_lock: since when faults are counted */
    uint32_t storm_faults;     /* and how many there were                    */
    bool muting;               /* device_lock: who marked it cuts it now     */
    bool ats;                  /* set's order: answer ATS requests           */
    unsigned n_cached;         /* of its endpoints                           */
    _Atomic bool ats_on;       /* the device may hold translations           */
    bool pri;                  /* set's order: collect page requests         */
    bool pri_on;               /* group mutex: the device may ask            */
    unsigned n_asking;         /* of its endpoints                           */
    bool silent;               /* group mutex: not to ask all the same       */
    struct uim_requests *requests; /* request.c; NULL: it never could ask    */
};

/* How many sentences were logged in the present second, and how many not. */
struct uim_log_limit {
    uint64_t window_ns;
    unsigned logged, suppressed;
};

struct uiommu_device {
    struct uiommu *u;
    struct uim_node node;      /* u->devices                                 */
    struct uim_unit *unit;
    struct uiommu_group *group;
    struct uim_node member;    /* group->devices: group mutex                */
    struct uiommu_device *bridge;
    struct uiommu_device *physical; /* of a virtual function                 */
    struct uim_node mediated;  /* group mutex: parts of it: mediated.c       */
    unsigned children;         /* devices added behind it, virtual functions */
    enum uiommu_device_kind kind;
    struct uiommu_pci pci;
    struct uim_pci_function facts; /* PCI: what decides groups, once          */
    bool judged;               /* they were read                             */
    _Atomic bool added;        /* by the host; else known from firmware only */
    struct uim_fw_device path; /* acpi_path is the device's own copy          */
    struct uim_log_limit limit; /* u->device_lock: of fault sentences        */
    _Atomic uint32_t readers;  /* fault deliveries that hold a pointer       */
    _Atomic uint32_t n_irqs;   /* mapped for it                              */
    bool warned;               /* group mutex: that it can forge interrupts  */
    bool untrusted;            /* group mutex                                */
    bool leaves;               /* group mutex: it gets no endpoints any more */
    bool absent;               /* group mutex: it was pulled out             */
    bool ats_able;             /* device, unit, firmware, config allow it    */
    uint16_t ats_cap;          /* offset of the ATS capability               */
    uint8_t ats_queue;         /* invalidations it takes at once: 1..32      */
    bool pri_able;             /* and may ask for pages then                 */
    bool pri_answer_pasid;     /* wants the PASID in answers                 */
    uint16_t pri_cap;          /* offset of the PRI capability               */
    bool stall_able;          /* its unit may let its DMA wait: it has no PRI */
    unsigned most_requests;    /* that may be open at once                   */
    unsigned resets;           /* group mutex: under way                     */
    unsigned physical_resets;  /* and of its physical function               */
    bool failed_reset;         /* one of them failed                         */
    uint64_t silent_since;     /* u->lock: u->clock when it was added, or last
                                * reset: it sends nothing of what waited then */
    uint8_t pasid_bits;        /* device and unit, switched on; 0: none      */
    uint16_t pasid_cap;        /* offset of the PASID capability             */
    struct uiommu_endpoint *endpoint; /* of its own id                       */
    struct uiommu_endpoint **alias;   /* of other ids that its DMA may carry */
    unsigned n_aliases, room;
};

/* The endpoint of the same id without a PASID. */
static inline struct uiommu_endpoint *uim_own(struct uiommu_endpoint *endpoint)
{
    return endpoint->pasid == UIOMMU_NO_PASID ? endpoint
                                              : endpoint->device->endpoint;
}

struct uiommu_domain {
    struct uiommu *u;
    enum uiommu_domain_kind kind;
    _Atomic uint32_t refs;
    /* paging: what each call of map looks at */
    struct uim_recorder *recorder; /* NULL: none was asked for               */
    uint64_t page_mask;        /* smallest page - 1                          */
    uint64_t last_iova, last_phys; /* highest that can be mapped             */
    uint64_t window_first, window_last;
    uint64_t kept_first, kept_last; /* the window, if it is for doorbells    */
    _Atomic bool has_doorbells; /* some may be mapped there                  */
    _Atomic uint32_t across;   /* unmaps of what holds the window            */
    unsigned rings;            /* u->link_lock: how often they were set up   */
    unsigned flags_refused, flags_need;
    struct uim_pt pt;
    const struct uiommu_driver *driver;
    struct uim_link *_Atomic links; /* grows only; freed with the domain    */
    struct uim_link first_link;     /* most are seen through one unit        */
    _Atomic uint32_t map_sync; /* endpoints on units that want map_sync      */
    _Atomic uint32_t n_ats;    /* endpoints with ATS on                      */
    void *lock; /* spin: attachments, sequence, tentative                    */
    struct uim_node attachments;
    uint64_t sequence;
    struct uim_node
        tentative; /* so too: what the core may take back: emulated.c */
    _Atomic uint32_t settled;  /* how often that was decided                 */
    _Atomic bool tainted;      /* a broken unit may still have it cached     */
    bool given_away;           /* its tables are the next owner's            */
    struct uim_mappings {      /* group mutex, u->lock: audit.c              */
        uint32_t turn;         /* when they were looked at                   */
        enum uiommu_audit_kind kind; /* CONFINED, or what is wrong           */
        uint64_t iova;         /* where                                      */
        const char *what;
    } audited;
    struct uim_node node;      /* u->tainted, once nobody refers to it       */
    uiommu_fault_fn on_fault;  /* u->device_lock                             */
    void *fault_ctx;
    bool
        answers; /* constant: page requests of who sees it; by one of these two */
    uiommu_request_fn on_request;
    void *request_ctx;
    struct uiommu_request_queue *request_queue; /* counted                   */
    /* SVA: sva.c */
    struct uiommu_provider *provider; /* counted; NULL: not of that kind     */
    struct uim_node shared;    /* device_lock: of the provider               */
    uint64_t listed;           /* device_lock: order of listing              */
    bool foreign;              /* the tables are the provider's              */
    uint64_t attributes;       /* of these: IA32_PAT, MAIR_EL1               */
    bool resident;             /* who cannot ask for pages sees it too        */
    _Atomic uint32_t in_handler;
};

static inline bool uim_has_tables(const struct uiommu_domain *d)
{
    return d->kind == UIOMMU_DOMAIN_PAGING || d->kind == UIOMMU_DOMAIN_SVA;
}

/* Of a domain with tables. */
static inline bool uim_link_by_pasid(const struct uiommu_domain *d,
                                     const struct uim_unit *unit)
{
    return unit->link_by_pasid == d->pt.ops;
}

/* For probe; afterwards unit->host says it. */
const struct uiommu_host *uim_host(const struct uiommu *u);

/* Memory for the CPU alone, zeroed. NULL: none left; to free it is nothing. May sleep. */
void *uim_alloc(struct uiommu *u, size_t size);
void uim_free(struct uiommu *u, void *ptr, size_t size);

/* Logs a sentence; see base/text.h for the format. Any context. */
void uim_log(struct uiommu *u, enum uiommu_log_level level, const char *format,
             ...);

/* A driver read a fault record: driver, unit, kind, id, reason, pasid, access,
 * iova, index, overflow are filled in, and source if the id is a requester id; the
 * core adds the rest and delivers. Any
 * context. */
void uim_fault(struct uim_unit *unit, struct uiommu_fault *fault);

/* request.c: a page request, or a stop marker, in the order of recording. Any context, no
 * lock held. False: nobody may be asked for that; DMA that waited was ended, which nobody
 * else is told of. */
bool uim_request(struct uim_unit *unit, const struct uim_page_request *request);
/* Its queue overflowed, and is empty now: groups whose last request has not come are
 * forgotten, as it may have been lost. */
void uim_requests_lost(struct uim_unit *unit);
/* What poll does about them. True: there are more, and no interrupt tells of them. */
bool uim_requests_poll(struct uim_unit *unit);
/* Once it returns, all that waited when it was called have come to uim_request(). True: some
 * were lost. */
bool uim_requests_collect(struct uim_unit *unit);

/* Stores made before, in tables that a unit reads, are in memory before anything
 * that follows. flush: write lines back where the reader does not snoop.     */
static inline void uim_fence(const struct uiommu_host *host)
{
    if (host->fence)
        host->fence(host->ctx);
    else
        uim_fence_full();
}

static inline void uim_flush(const struct uiommu_host *host, bool coherent,
                             const void *virt, size_t size)
{
    if (!coherent)
        host->flush(host->ctx, virt, size);
}

#endif
