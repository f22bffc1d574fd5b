/* SPDX-License-Identifier: MIT */
/*
 * private.h - what the files of hosts/sim share.
 *
 * Locks of sim itself, outermost first: unit (calls into the model, but not
 * translate), traffic (a DMA is under way, traffic.c), tlb, accel, pci, ram, heap,
 * check, inject, text. uiommu and watchers are called with none of
 * them held; the model's callbacks may run under unit and traffic.
 */
#ifndef UIM_HOSTS_SIM_PRIVATE_H
#define UIM_HOSTS_SIM_PRIVATE_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#endif

#include "sim.h"

#include <uiommu/embed.h>

#include "model/check.h"
#include "spec/madt.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    SIM_PAGE_SHIFT = 12,
    SIM_PAGE_SIZE = 1 << SIM_PAGE_SHIFT,
    SIM_LINE = 64,     /* of the CPU's caches */
    SIM_POISON = 0x6b, /* low bits set: looks present in most formats */
    SIM_HEAP_FILL = 0xa5,
    SIM_HEAP_BUCKETS = 1024,
    SIM_LOCK_IDS = 1024, /* locks beyond that are not checked for order */
    SIM_ATC_ENTRIES = 64,
    SIM_MAX_FUNCTIONS = 64,
    SIM_MAX_MSIS = 32, /* that units may allocate */
    SIM_PRI_CAPACITY = 32,
    SIM_PAGE_GROUPS = 48, /* more than can wait for an answer */
    SIM_MAX_TEXTS = 1000,
    SIM_CONFIG_SIZE = 4096,
    SIM_MADT_SIZE = MADT_SIZE + MADT_GIC_ITS_SIZE,
};

#define SIM_HOLE_START UINT64_C(0xc0000000)
#define SIM_BAR_START  UINT64_C(0xe0000000)
#define SIM_MSI_START  UINT64_C(0xfee00000)
#define SIM_HIGH_START UINT64_C(0x100000000)

struct sim;

/* ---- report.c ------------------------------------------------------------ */

/* A growing list of sentences. Lock: text. */
struct sim_texts {
    char **text;
    unsigned n, dropped;
};

/* uiommu, or a device, broke a rule. */
void sim_report(struct sim *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Sentence i of a list, "" if there is none. */
const char *sim_text(struct sim *s, const struct sim_texts *list, unsigned i);
void sim_on_stale(void *ctx, const struct uim_check_stale *stale);
void sim_texts_free(struct sim_texts *list);

/* ---- memory.c, pages.c --------------------------------------------------- */

enum sim_page_state {
    SIM_PAGE_UNUSED, /* nobody asked for it yet */
    SIM_PAGE_KEPT,   /* firmware's */
    SIM_PAGE_LEFT,   /* pages_alloc() of a former owner, sim_hand_over() */
    SIM_PAGE_TEST,   /* sim_ram_alloc() */
    SIM_PAGE_LIVE,   /* pages_alloc() */
    SIM_PAGE_FREED,
};

struct sim_page {
    _Atomic uint8_t state; /* written under ram */
    uint8_t order;         /* of the block, in its first page */
    bool first;
    bool hit;            /* FREED: a device wrote to it, reported */
    _Atomic bool status; /* LIVE: the unit writes status words to it */
    uint32_t serial;     /* of the allocation */
};

/* What host.h says of memory_map. */
enum { SIM_VIEWS = 4, SIM_VIEW_MAX = 1 << 20 };

struct sim_memory {
    pthread_mutex_t lock; /* ram */
    pthread_mutex_t
        lines;         /* leaf: a line moves to RAM at once, as in hardware */
    uint8_t *cpu;      /* what CPUs see: physical address 0 */
    uint8_t *uncached; /* what is in RAM; == cpu on coherent machines */
    uint64_t top;      /* first address beyond all RAM */
    uint64_t low_size, high_size;
    struct sim_page *page; /* by physical page number, up to top */
    uint64_t next;         /* where the search for free pages goes on */
    uint32_t serial;
    struct sim_view {
        const void *virt;
        size_t size;   /* 0: free */
    } view[SIM_VIEWS]; /* of memory_map */
};

bool sim_memory_open(struct sim *s);
void sim_memory_close(struct sim *s);
bool sim_is_ram(const struct sim *s, uint64_t phys, uint64_t size);
/* DMA of a device, which always snoops. `size` stays in one page of RAM. */
void sim_memory_dma(struct sim *s, bool write, uint64_t phys, void *buf,
                    size_t size);
int sim_mem_read(void *opaque, uint64_t gpa, void *buf, uint32_t len);
int sim_mem_write(void *opaque, uint64_t gpa, const void *buf, uint32_t len);
int sim_mem_cas(void *opaque, uint64_t gpa, void *expect, const void *want,
                uint32_t len);
void *sim_mem_map(void *opaque, uint64_t gpa, uint64_t len);
void sim_on_fetch(void *ctx, const struct uim_check_fetch *fetch);
void sim_flush(void *ctx, const void *virt, size_t size);
/* Copies whose aligned parts of 8 and 4 bytes are not torn. */
void sim_copy_from(void *dst, const void *src, size_t size);
void sim_copy_to(void *dst, const void *src, size_t size);

void *sim_pages_alloc(void *ctx, unsigned order, unsigned flags,
                      uint64_t *phys);
void sim_pages_free(void *ctx, void *virt, uint64_t phys, unsigned order);
void *sim_phys_to_virt(void *ctx, uint64_t phys);
const void *sim_memory_map(void *ctx, uint64_t phys, size_t size);
void sim_memory_unmap(void *ctx, const void *virt, size_t size);
void sim_pages_keep(struct sim *s, uint64_t start, uint64_t size);
void sim_pages_check(struct sim *s);

/* ---- heap.c -------------------------------------------------------------- */

struct sim_block;

struct sim_heap {
    pthread_mutex_t lock;
    struct sim_block *bucket[SIM_HEAP_BUCKETS];
    uint32_t serial;
};

void *sim_alloc(void *ctx, size_t size);
void sim_free(void *ctx, void *ptr, size_t size);
void sim_heap_check(struct sim *s);
void sim_heap_close(struct sim *s);

/* ---- locks.c ------------------------------------------------------------- */

struct sim_lock;

struct sim_locks {
    pthread_mutex_t lock; /* check */
    struct sim_lock *all; /* destroyed ones too, to know them again */
    uint32_t serial;
    uint64_t (*after)[SIM_LOCK_IDS / 64]; /* [a] bit b: b taken under a */
    uint64_t used[SIM_LOCK_IDS / 64];
};

void *sim_mutex_create(void *ctx);
void *sim_spin_create(void *ctx);
void sim_mutex_destroy(void *ctx, void *lock);
void sim_spin_destroy(void *ctx, void *lock);
void sim_mutex_lock(void *ctx, void *lock);
void sim_spin_lock(void *ctx, void *lock);
void sim_mutex_unlock(void *ctx, void *lock);
void sim_spin_unlock(void *ctx, void *lock);
/* `what` may sleep: reports if the calling thread must not. */
void sim_sleeps(struct sim *s, const char *what);
void sim_locks_check(struct sim *s);
void sim_locks_close(struct sim *s);

/* ---- host.c -------------------------------------------------------------- */

struct sim_inject {
    pthread_mutex_t lock;
    uint64_t calls, first, then; /* calls to go, 0: none */
    unsigned failed;
    bool spare_msi;
};

/* Counts a host call that can fail; true: it has to. */
bool sim_inject(struct sim *s);
void sim_host_fill(struct sim *s, const struct sim_config *config);
uint64_t sim_now_ns(void *ctx);

/* ---- flight.c ------------------------------------------------------------ */

struct sim_flight {
    bool under_way;
    unsigned dev;
    uint32_t domain;
    uint64_t iova;
};

void sim_flight_begin(struct sim *s, const struct sim_request *r, uint64_t iova,
                      uint32_t domain);
void sim_flight_invalidate(struct sim *s, const struct uim_check_inval *inval);

/* ---- stall.c ------------------------------------------------------------- */

struct sim_wait;

struct sim_waits {
    struct sim_wait *wait;
    unsigned n;
};

void sim_stall_begin(struct sim *s, uint32_t tag);
/* By the unit: code 0 is a retry. */
void sim_stall_end(struct sim *s, uint32_t tag, uint32_t code);
/* What it came to, and then it is forgotten. Delivers interrupts meanwhile if they are
 * delivered at all. */
enum sim_stall sim_stall_wait(struct sim *s, uint32_t tag);
void sim_stalls_forget(struct sim *s);
void sim_stalls_close(struct sim *s);

/* ---- mmio.c -------------------------------------------------------------- */

struct sim_mapping;

void *sim_mmio_map(void *ctx, uint64_t phys, size_t size);
void sim_mmio_unmap(void *ctx, void *mmio, size_t size);
uint32_t sim_mmio_read32(void *ctx, void *mmio, size_t offset);
uint64_t sim_mmio_read64(void *ctx, void *mmio, size_t offset);
void sim_mmio_write32(void *ctx, void *mmio, size_t offset, uint32_t value);
void sim_mmio_write64(void *ctx, void *mmio, size_t offset, uint64_t value);
void sim_mmio_check(struct sim *s);
void sim_mmio_close(struct sim *s);

/* ---- unit.c, msi.c ------------------------------------------------------- */

/* A message of a unit: an interrupt, or the answer to a page request. */
struct sim_post {
    uint64_t addr;
    uint32_t data;
    bool answers;
    struct uie_page_response answer;
};

/* One that arrived. */
struct sim_seen {
    struct sim_msi msi;
    uint32_t device_id; /* at an ITS */
};

struct sim_msis {
    pthread_mutex_t lock; /* text */
    struct {
        bool used;
        unsigned unit, n;
    } slot[SIM_MAX_MSIS];
    struct sim_post *posted; /* by units, for the end of the call under way */
    unsigned n_posted;
    struct sim_post *due; /* for machine_run() */
    unsigned n_due;
    struct sim_seen *seen; /* from devices */
    unsigned n_seen;
    unsigned n_taken; /* of them, by machine_take_irq() */
};

bool sim_unit_open(struct sim *s, const char *model, const char *args);
void sim_unit_step(struct sim *s);
/* Page requests that a late unit took arrive in its queue. */
void sim_unit_requests(struct sim *s);
void sim_unit_close(struct sim *s);
/* After each call into the model: what it posted takes effect. */
void sim_posts_deliver(struct sim *s);
void sim_raise_msi(void *opaque, uint64_t addr, uint32_t data);
void sim_post_answer(void *opaque, const struct uie_page_response *r);
/* A device's message, as the interrupt controller takes it. */
void sim_msi_arrives(struct sim *s, uint64_t addr, uint32_t data,
                     uint32_t device_id);
enum uiommu_status sim_msi_alloc(void *ctx, unsigned unit, unsigned n,
                                 uint64_t *addr, uint32_t *data);
void sim_msi_free(void *ctx, unsigned unit, unsigned n);
enum machine_dma sim_machine_raise_pin(struct machine *m, uint64_t rte);
bool sim_machine_take_irq(struct machine *m, struct uiommu_irq_target *out);
void sim_msis_run(struct sim *s);
void sim_msis_check(struct sim *s);
void sim_msis_close(struct sim *s);

/* ---- topology.c, config.c, pci.c ----------------------------------------- */

struct sim_atc_entry {
    bool used;
    bool priv; /* answers privileged requests, which others are not told of */
    uint32_t pasid, perm, flags;
    uint64_t iova, mask, gpa;
};

/* A group of page requests. */
struct sim_page_group {
    struct sim_func
        *asker;     /* the one whose interface it is, or a virtual one */
    uint32_t pasid;         /* UIE_NO_PASID: none */
    uint16_t index;
    unsigned requests; /* 0: unused */
    bool last;         /* its last one was sent */
    bool forgotten;    /* by the function; an answer may still be on its way */
};

/* One function. Lock: pci, but what tlb guards. */
struct sim_func {
    struct sim_function row;
    char *name;
    struct sim_func *parent; /* NULL: on the root bus */
    uint8_t bus, secondary, subordinate;
    uint64_t bar_start;                 /* as firmware assigned it */
    uint64_t window_start, window_stop; /* bridges: memory below */
    bool several;                       /* a multifunction device */
    bool gone;
    uint8_t config[SIM_CONFIG_SIZE];
    uint8_t writable[SIM_CONFIG_SIZE]; /* bits software may change */
    uint8_t clears[SIM_CONFIG_SIZE];   /* bits it clears by writing 1 */
    uint8_t reset[SIM_CONFIG_SIZE];    /* config as it is after a reset */
    uint64_t ready_ns;                 /* after a reset: answers from then on */
    uint16_t ats, pri, pasid, acs;     /* where the capability is, 0: nowhere */
    uint8_t pasid_bits;                /* 0: no PASIDs */
    bool passes_prefix;
    uint8_t *bar;              /* engines, ports with one */
    struct sim_accel *accel;   /* in its place, with two BARs; or NULL */
    uint64_t bar2_start;
    struct sim_func *physical; /* of a virtual function */
    unsigned vf;               /* which one it is, from 0 */
    uint16_t sriov;            /* this and the rest: a physical one's */
    uint16_t vf_offset, vf_stride, vf_last;
    unsigned n_vfs;
    uint64_t vf_bar_start;
    uint16_t id[SIM_MAX_IDS]; /* see sim_use_ids() */
    unsigned n_ids, next_id;
    struct sim_page_group group[SIM_PAGE_GROUPS]; /* a physical one's */
    struct sim_page_response *response;
    unsigned n_responses;

    pthread_mutex_t tlb_lock; /* tlb: held while an entry is in use */
    struct sim_atc_entry atc[SIM_ATC_ENTRIES];
    unsigned atc_next;
    _Atomic enum sim_devtlb devtlb;
};

struct sim_pci {
    pthread_mutex_t lock;
    struct sim_func *func; /* by index of the topology */
    struct machine_device *device;
    unsigned n;
    uint64_t mmio_first, mmio_last; /* BARs and windows lie between these */
};

bool sim_topology_open(struct sim *s, const struct sim_config *config);
void sim_topology_close(struct sim *s);

/* As after power-on; and what firmware does to it then. */
void sim_config_init(struct sim_func *f);
void sim_config_firmware(struct sim_func *f);
uint32_t sim_pci_read(void *ctx, struct uiommu_pci where, unsigned offset,
                      unsigned width);
void sim_pci_write(void *ctx, struct uiommu_pci where, unsigned offset,
                   unsigned width, uint32_t value);
uint16_t sim_config16(const struct sim_func *f, unsigned offset);
uint32_t sim_config32(const struct sim_func *f, unsigned offset);
void sim_config_put(struct sim_func *f, unsigned offset, unsigned width,
                    uint32_t value);
/* Bits that software may change. */
void sim_config_mask(struct sim_func *f, unsigned offset, unsigned width,
                     uint32_t value);
/* No such function any more, or one above it is gone. */
bool sim_is_gone(const struct sim_func *f);
bool sim_is_bridge(const struct sim_func *f);
/* The bus below is conventional PCI. */
bool sim_is_pci_bridge(const struct sim_func *f);
uint64_t sim_bar_base(const struct sim_func *f);
/* Its own requester id. */
uint32_t sim_rid(const struct sim_func *f);
/* No PCIe capability. */
bool sim_is_conventional(enum sim_kind kind);

enum {
    SIM_PCIE_AT = 0x60, /* where the PCI Express capability is */
    SIM_BRIDGE_CONTROL = 0x3e,
};

enum {
    SIM_CONTROL_BUS_MASTER = 1u << 0,
    SIM_CONTROL_ATS = 1u << 1,
    SIM_CONTROL_PASID = 1u << 2,
    SIM_CONTROL_EXEC = 1u << 3, /* these three: with a PASID */
    SIM_CONTROL_PRIV = 1u << 4,
    SIM_CONTROL_XLATED = 1u << 5,
};

/* What its configuration space lets the function do now. Takes pci. */
unsigned sim_control(struct sim *s, struct sim_func *f);

/* ---- virtual.c ----------------------------------------------------------- */

void sim_sriov_init(struct sim_func *pf);
void sim_sriov_firmware(struct sim_func *pf);
bool sim_vfs_enabled(const struct sim_func *pf);
/* NumVFs. */
unsigned sim_vfs_wanted(const struct sim_func *pf);
bool sim_vf_exists(const struct sim_func *vf);
/* Memory space is the physical function's to enable. */
bool sim_vf_decodes(const struct sim_func *vf);
uint64_t sim_vf_bar(const struct sim_func *vf);

/* ---- accel.c ------------------------------------------------------------- */

enum {
    SIM_ACCEL_BAR0_SIZE = 0x10000,
    SIM_ACCEL_BAR2_SIZE = 0x20000,
};

bool sim_accel_open(struct sim *s, struct sim_func *f);
void sim_accel_close(struct sim_func *f);
/* By a reset of the function: nothing is under way when this returns. */
void sim_accel_reset(struct sim_func *f);
/* Everything in configuration space that an accelerator has more. */
void sim_accel_config(struct sim_func *f);
void sim_accel_firmware(struct sim_func *f);
uint64_t sim_accel_bar2(const struct sim_func *f);
/* One of its BARs has the address. */
bool sim_accel_has(const struct sim_func *f, uint64_t addr);
/* Each does a step. Takes all but unit. */
void sim_accels_run(struct sim *s);
/* A memory request that reaches one of its BARs; inside a page. */
void sim_accel_access(struct sim *s, struct sim_func *f, bool write,
                      uint64_t addr, uint8_t *buf, size_t size);
/* A load or store of a CPU: ones where no accelerator is. */
uint64_t sim_accel_read(struct sim *s, uint64_t addr, unsigned width);
void sim_accel_write(struct sim *s, uint64_t addr, unsigned width,
                     uint64_t value);

/* ---- reset.c ------------------------------------------------------------- */

/* All that software and DMA left in it is gone. Takes traffic, tlb, pci. */
void sim_func_reset(struct sim *s, struct sim_func *f);
/* All functions below; all virtual ones. */
void sim_bus_reset(struct sim *s, const struct sim_func *bridge);
void sim_vfs_reset(struct sim *s, const struct sim_func *pf);

/* ---- pri.c --------------------------------------------------------------- */

/* With pci: the control register was written; all that the function asked for is
 * lost. */
/* sim_page_request() of a device that asks by itself: interrupts are not delivered. */
enum sim_stop sim_pri_ask(struct sim *s, struct sim_func *f,
                          const struct sim_page_request *p);
/* It is let ask, by its control register. */
bool sim_pri_enabled(struct sim *s, struct sim_func *f);
/* The same, and nothing failed. */
bool sim_pri_on(struct sim *s, struct sim_func *f);
/* What became of that one, the last of its group, in answers from `since` on. What was
 * lost is refused. */
enum sim_asked { SIM_ASKED_WAITS, SIM_ASKED_GRANTED, SIM_ASKED_REFUSED };
enum sim_asked sim_pri_look(struct sim *s, struct sim_func *f,
                            const struct sim_page_request *p, unsigned since);
void sim_pri_control(struct sim_func *f, unsigned was);
void sim_pri_lose(struct sim_func *f);
void sim_pri_answer(struct sim *s, const struct uie_page_response *r);
void sim_pri_check(struct sim *s);

/* One that is on its way. */
struct sim_message {
    struct sim_func *from; /* NULL: to a function */
    uint32_t rid;
    unsigned rounds; /* of waits since */
    struct uie_page_request request;
    struct uie_page_response response;
};

struct sim_messages {
    struct sim_message *message; /* oldest first */
    unsigned n;
};

#define SIM_EVERYBODY UINT32_MAX

/* All from and to that requester are there. Takes unit, then pci. */
void sim_messages_arrive(struct sim *s, uint32_t rid);
/* A round of a wait is over. */
void sim_messages_age(struct sim *s);
void sim_messages_close(struct sim *s);

/* ---- route.c, fabric.c, atc.c -------------------------------------------- */

enum sim_way {
    SIM_WAY_UP,     /* reaches the root complex, which asks the IOMMU */
    SIM_WAY_PEER,   /* lands in `peer` on the way */
    SIM_WAY_REFUSED /* by a port */
};

struct sim_route {
    enum sim_way way;
    enum sim_stop stop; /* SIM_WAY_REFUSED: why */
    uint32_t rid;       /* as the IOMMU sees it */
    struct sim_func *peer;
};

enum sim_at { SIM_UNTRANSLATED, SIM_ASKING, SIM_TRANSLATED };

/* As ports see a memory request. */
struct sim_packet {
    uint64_t addr;
    enum sim_at at;
    bool prefix; /* has a PASID */
    bool any_id; /* not the function's own, if sim_use_ids() said so */
};

/* Where a request of `f` goes. Takes pci. */
void sim_find_route(struct sim *s, struct sim_func *f,
                    const struct sim_packet *packet, struct sim_route *out);
/* Whose BAR the root complex reaches at addr, or NULL. Takes no lock. */
struct sim_func *sim_bar_at(struct sim *s, uint64_t addr);
/* BARs and windows may have moved. */
void sim_route_update(struct sim *s);

/* sim_dma() of a device's own accord: nothing runs because of it. True: all moved. */
bool sim_transfer(struct sim *s, struct sim_request *r);
enum machine_dma sim_machine_dma(struct machine *m, unsigned dev, bool write,
                                 uint64_t iova, void *buf, size_t size);
enum machine_dma sim_machine_dma_pasid(struct machine *m, unsigned dev,
                                       uint32_t pasid, bool write,
                                       uint64_t iova, void *buf, size_t size);
bool sim_machine_ask(struct machine *m, unsigned dev, uint32_t pasid,
                     bool write, uint64_t iova);
enum machine_dma sim_machine_send_irq(struct machine *m, unsigned dev,
                                      uint64_t addr, uint32_t data);

/* Translate by the device TLB; with f->tlb_lock held, which stays held while
 * the result is in use. Says who refused; *no_page: the unit, for want of a page with
 * these rights. out->flags has UIE_XLAT_U: go untranslated. */
enum sim_stop sim_atc_translate(struct sim *s, struct sim_func *f,
                                const struct uie_req *req, struct uie_xlat *out,
                                bool *no_page);
void sim_atc_flush(struct sim_func *f);
void sim_notify(void *opaque, const struct uie_inval *inv);
/* Devices answer invalidations that are due. Takes tlb, then unit. */
void sim_devtlbs_run(struct sim *s);
void sim_devtlbs_close(struct sim *s);

/* Invalidations that the function did not answer yet are lost. */
void sim_devtlbs_lose(struct sim *s, const struct sim_func *f);

struct sim_devtlb_job {
    struct uie_inval inval;
    unsigned rounds;
    bool lost;
};

struct sim_jobs {
    pthread_mutex_t lock;
    struct sim_devtlb_job *job;
    unsigned n;
};

/* ---- traffic.c ----------------------------------------------------------- */

/* The lock is a leaf: to hold `traffic` is to be counted as under way. */
struct sim_traffic {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned under_way, draining;
    unsigned steps; /* of devices that run by themselves */
    bool stopped;
    bool unstoppable;
    uint64_t since; /* when they were stopped, if they are */
    uint64_t stood; /* for how long before */
};

void sim_traffic_init(struct sim_traffic *t);
void sim_traffic_exit(struct sim_traffic *t);
/* Around a part of a DMA: while it is under way, sim_notify() waits. */
void sim_traffic_enter(struct sim *s);
void sim_traffic_leave(struct sim *s);
/* Waits for those that are under way now. */
void sim_traffic_drain(struct sim *s);
/* Something of this thread is under way. */
bool sim_in_traffic(void);
/* Devices that run by themselves do a step, unless they are stopped. */
void sim_devices_step(struct sim *s);

/* ---- foreign.c ----------------------------------------------------------- */

enum { SIM_FOREIGN = 8 };

/* Looked at by DMA under way, changed while devices are stopped. */
struct sim_foreign {
    uint64_t start, size; /* size 0: unused */
    const struct sim_foreign_ops *ops;
    void *ctx;
};

/* What is there, and in all of the page; or NULL. */
const struct sim_foreign *sim_foreign_at(const struct sim *s, uint64_t addr);
void sim_foreign_check(struct sim *s);

/* ---- table.c ------------------------------------------------------------- */

bool sim_table_open(struct sim *s, const struct sim_config *config);
/* Little-endian numbers; bytes into the table, whose length and checksum are put right
 * at the end. False: no memory. */
void sim_table_put(uint8_t *p, unsigned width, uint64_t value);
unsigned sim_table_get16(const uint8_t *p);
/* Length and checksum of a table are made right. */
void sim_table_seal(uint8_t *table, size_t size);
bool sim_table_insert(struct sim *s, size_t at, const uint8_t *bytes,
                      size_t size);
bool sim_any_ats(const struct sim *s);

/* ---- arch_vtd.c, arch_smmuv3.c: what differs between units ---------------- */

struct sim_arch {
    const char *model; /* of uiommu_embed() */
    uint64_t base;     /* of its registers */
    /* Its arguments, "key=value,...", as the configuration asks for; snprintf's. */
    int (*args)(const struct sim_config *config, char *buf, size_t size);
    /* What a register that only holds values may hold after power-on, of a random
     * value; *skip: writing to it sets something off. */
    uint32_t (*rubbish)(uint64_t off, uint32_t value, bool *skip);
    /* What firmware says besides the model's table: regions, ATS. */
    bool (*complete)(struct sim *s, const struct sim_config *config);
};

extern const struct sim_arch sim_arch_vtd, sim_arch_smmuv3;
/* NULL: a model of which nothing is known. */
const struct sim_arch *sim_arch_of(const struct sim_config *config);

/* ---- all of it ----------------------------------------------------------- */

struct sim {
    struct machine machine; /* first: the handle */
    char name[32];
    bool non_coherent, fast, split64, auto_irq, snapshots;
    bool leaks_told; /* sim_check_leaks() was called */

    void (*on_problem)(void *ctx, const char *text);
    void *problem_ctx;
    pthread_mutex_t text_lock;
    struct sim_texts violations, stale_texts;
    struct uim_check_stale *stale;
    unsigned n_stale;
    char last_log[256], last_model_log[256];

    struct sim_memory memory;
    struct sim_heap heap;
    struct sim_locks locks;
    bool rubbish; /* see struct sim_config */
    bool hostile; /* see sim_hostile() */
    bool late;    /* the unit does nothing before somebody waits for it */
    struct sim_waits waits; /* lock: text */
    struct sim_flight flight[2]; /* read, write; lock: text                  */
    struct sim_inject inject;
    struct sim_counts count; /* lock: text */

    pthread_mutex_t unit_lock;
    const struct sim_arch *arch; /* NULL: not known */
    const struct uie_ops *ops;
    struct uie_host unit_host;
    void *model;
    struct uie_info info;
    uint64_t window_base[4];
    struct uim_check hooks, user_hooks;
    struct sim_mapping *mappings; /* lock: text */
    struct sim_msis msis;

    struct sim_traffic traffic;
    struct sim_foreign foreign[SIM_FOREIGN];
    struct sim_pci pci;
    struct sim_jobs jobs;
    struct sim_messages messages;

    uint8_t *table;
    size_t table_size;
    bool its;
    uint8_t madt[SIM_MADT_SIZE];

    sim_watch_fn watch;
    void *watch_ctx;
    _Atomic uint64_t clock_ns;
};

static inline struct sim *sim_of(struct machine *m)
{
    return (struct sim *)(void *)m;
}

/* One of the counters of struct sim_counts goes up or down. */
#define SIM_COUNT(s, member, delta)                                            \
    do {                                                                       \
        pthread_mutex_lock(&(s)->text_lock);                                   \
        (s)->count.member += (delta);                                          \
        pthread_mutex_unlock(&(s)->text_lock);                                 \
    } while (0)

#endif
