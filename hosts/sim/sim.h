/* SPDX-License-Identifier: MIT */
/*
 * sim.h - a whole machine in this process: RAM, one software IOMMU, PCI
 * functions and DMA engines. It implements machine.h; what is below is for
 * tests that want to build unusual machines, break them, or ask what uiommu
 * did to its host.
 *
 * Everything a test can do wrong with a host is looked for here: memory, locks,
 * contexts, configuration space, caches. What is found is a violation, one
 * sentence each; nothing aborts.
 *
 * Any function may be called from any thread unless it says otherwise. A struct
 * machine that sim_open() did not return must not come here.
 */
#ifndef UIM_HOSTS_SIM_H
#define UIM_HOSTS_SIM_H

#include "hosts/machine.h"

struct uie_ops;
struct uie_xlat;
struct uim_check; /* model/check.h */
struct uim_check_stale;
struct uim_model;

/* ---- what is built ------------------------------------------------------- */

/* How the unit shall be able to run; what a driver makes of it is its
 * choice. */
enum sim_mode {
    SIM_LEGACY,      /* second stage, no PASIDs */
    SIM_SCALABLE,    /* second stage behind PASID entries */
    SIM_FIRST_STAGE, /* first stage behind PASID entries, no second stage */
    SIM_STAGE_1,     /* SMMUv3 */
    SIM_STAGE_2,
};

enum sim_kind {
    SIM_ENGINE,     /* PCIe endpoint; on the root bus: integrated endpoint */
    SIM_PCI_ENGINE, /* conventional PCI: no PCIe capability */
    SIM_ROOT_PORT,
    SIM_UPSTREAM,   /* port of a switch */
    SIM_DOWNSTREAM, /* port of a switch, below SIM_UPSTREAM */
    /* Requests that pass these three have another id from there on: */
    SIM_PCI_BRIDGE,     /* PCIe to PCI: secondary bus, device 0 */
    SIM_PCI_PCI_BRIDGE, /* conventional: the bridge's own */
    SIM_REVERSE_BRIDGE, /* PCI to PCIe: the bridge's own */

    /* Virtual function; `parent` is its physical one, a SIM_ENGINE, which gets SR-IOV.
     * Those of one follow each other, a stride apart, on its bus. It is there when it
     * is enabled. PASIDs and PRI are its physical function's: it has neither
     * capability, but asks for pages if that one may. */
    SIM_VIRTUAL,
};

/* What a function has, and lacks. All have PCIe (but SIM_PCI_ENGINE and
 * SIM_PCI_PCI_BRIDGE) and MSI; engines have 4 KiB behind BAR 0. */
enum {
    SIM_ATS = 1u << 0,
    SIM_PRI = 1u << 1,
    SIM_PASID = 1u << 2,  /* with both rights, 20 bits; or see below */
    SIM_ACS = 1u << 3,    /* what its kind can but EC; all off at first */
    SIM_ACS_ON = 1u << 4, /* SIM_ACS, and firmware enabled SV RR CR UF */

    /* SIM_PASID: no right to execute and no privileged mode; translated requests
     * can have a PASID. */
    SIM_PASID_PLAIN = 1u << 5,
    SIM_PASID_XLATED = 1u << 6,
    SIM_NO_PREFIX = 1u << 7, /* no end-end TLP prefixes: PASIDs stop here */
    /* SIM_PCI_PCI_BRIDGE, a quirk: ids as of a SIM_PCI_BRIDGE. */
    SIM_SECONDARY_ID = 1u << 8,
    SIM_BAR = 1u << 9, /* ports: memory behind their own BAR 0 */
    /* SIM_ACS of ports: can say who reaches their own memory, and where requests
     * go that nobody claims. */
    SIM_ENHANCED = 1u << 10,
    /* Not there before sim_plug(). Others may be in its place, one at a time. */
    SIM_ABSENT = 1u << 11,
    SIM_VFS_ON = 1u << 12, /* firmware enabled all virtual functions */
    /* SIM_PRI, and its answers come without a PASID, whatever it asked with. */
    SIM_PRI_PLAIN = 1u << 13,
    /* SIM_ENGINE: behind it is a streaming accelerator, accel.h, with BARs and
     * MSI-X of its own. */
    SIM_ACCEL = 1u << 14,
};

/* Bits of ACS registers, as PCIe names them. */
enum {
    SIM_ACS_SV = 1u << 0,
    SIM_ACS_TB = 1u << 1,
    SIM_ACS_RR = 1u << 2,
    SIM_ACS_CR = 1u << 3,
    SIM_ACS_UF = 1u << 4,
    SIM_ACS_EC = 1u << 5, /* vector: by device number of downstream ports, by
                           * function of others */
    SIM_ACS_DT = 1u << 6,
};

/* SIM_ACS, which can these and no others. */
#define SIM_ACS_BITS(bits) (SIM_ACS | (unsigned)(bits) << 24)
/* SIM_PASID, with PASIDs of that many bits. */
#define SIM_PASID_BITS(n) (SIM_PASID | (unsigned)(n) << 16)

/*
 * One row of a topology. Bridges come before what is behind them; buses are
 * numbered depth first, as are BARs and windows in the address space. A switch
 * below a root port, with a device that has PASIDs and two old ones:
 *
 *     { "root", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS_ON },
 *     { "up", SIM_UPSTREAM, 0, 0, 0 },
 *     { "down0", SIM_DOWNSTREAM, 1, 0 << 3, SIM_ACS_ON },
 *     { "down1", SIM_DOWNSTREAM, 1, 1 << 3, SIM_ACS },
 *     { "gpu", SIM_ENGINE, 2, 0, SIM_ATS | SIM_PASID },
 *     { "bridge", SIM_PCI_BRIDGE, 3, 0, 0 },
 *     { "old0", SIM_PCI_ENGINE, 5, 1 << 3, 0 },
 *     { "old1", SIM_PCI_ENGINE, 5, 2 << 3, 0 },
 */
struct sim_function {
    const char *name;
    enum sim_kind kind;
    int parent;    /* index of the bridge above, or MACHINE_NO_BRIDGE */
    uint8_t devfn; /* device << 3 | function */
    unsigned caps; /* SIM_ATS | ... */
};

enum { SIM_MAX_ACCELS = 3 };

/* A firmware region (RMRR) for function `function` of the topology. */
struct sim_region {
    uint64_t start, size;
    unsigned function;
};

/* All zero: a coherent VT-d machine in legacy mode with three engines. */
struct sim_config {
    const char *model; /* of uiommu_embed(); NULL: the one that has the mode */
    enum sim_mode mode;
    bool non_coherent;     /* walks do not snoop; RAM and caches differ */
    bool adversarial;      /* caches as early and long as the manual allows,
                            * and commands done only when waited for */
    bool caching_mode;     /* not-present entries are cached (VT-d CM) */
    bool ats;              /* unit with device TLBs; default engines have ATS */
    bool pri;          /* unit with page requests, which needs ats (and, VT-d, a
                            * scalable mode); default engines have PRI */
    const char *args;      /* more for the model, appended: "bits=39" */
    const char *only_args; /* the model's arguments, instead of all above */

    /* n_functions 0: engine0 at 00:03.0, engine1 at 00:04.0, root port at
     * 00:1c.0 with engine2 at 01:00.0; more engines at 00:05.0 and up. */
    const struct sim_function *functions;
    unsigned n_functions;
    unsigned engines;     /* of the default topology; 0: 3 */
    unsigned engine_caps; /* more capabilities of the default engines */
    unsigned accels;      /* of the default topology, at most SIM_MAX_ACCELS:
                           * "accel0" at 00:1d.0, with PASIDs, and as engines */

    bool
        its; /* SMMUv3: interrupt messages have somewhere to go, see SIM_DOORBELL,
               * and firmware says where */

    const struct sim_region *regions;
    unsigned n_regions;

    uint64_t ram_size;      /* from physical 0; 0: 64 MiB; at most 3 GiB */
    uint64_t high_ram_size; /* from 4 GiB; if any, pages come from there */

    /* Registers that only hold values hold rubbish after power-on and reset, as
     * if firmware had used them: nobody may rely on the manual's (D-90). */
    bool rubbish;
    bool phys_to_virt; /* host gives a callback, not a constant offset */
    bool polling;      /* host has no msi_alloc */
    bool split64;      /* host does 64-bit accesses as two of 32 */
    /* The unit is saved, reset and loaded before each call into it, by which
     * nobody may notice anything: see snapshots.h. */
    bool snapshots;
    /* For bench: memory, locks and the model are not watched, and now_ns is
     * real. Leaks are found all the same. */
    bool fast;

    /* Where sim_close() says what was left over; NULL: stderr. */
    void (*on_problem)(void *ctx, const char *text);
    void *problem_ctx;
};

/* NULL: could not, and `error` says why. */
struct machine *sim_open(const struct sim_config *config, char *error,
                         size_t size);

/* machine_close(), and how many leaks and violations there were that nobody
 * asked sim_forget() to forget. Everything is freed whatever leaked. */
unsigned sim_close(struct machine *m);

/* The arguments that sim_open() gives the model; what snprintf returns. */
int sim_compose_args(const struct sim_config *config, char *buf, size_t size);

/* Index into machine->devices of the nth engine (n from 0), or of the function
 * of that name; -1: there is none. Topology rows and devices have one index. */
int sim_engine(struct machine *m, unsigned n);
int sim_find(struct machine *m, const char *name);

/* ---- what was found ------------------------------------------------------ */

/* Rules that uiommu broke. Texts live until sim_forget() or close. */
unsigned sim_violations(struct machine *m);
const char *sim_violation(struct machine *m, unsigned i);
/* Forget violations and stale uses: for tests that caused them. */
void sim_forget(struct machine *m);

/* Uses of stale cache entries, as the model reports them, DMA and sim_probe()
 * alike: what was used, what changed, which command was missing. A use between
 * a store and its invalidation is legal; the test knows when that is. */
unsigned sim_stale_count(struct machine *m);
const struct uim_check_stale *sim_stale(struct machine *m, unsigned i);
const char *sim_stale_text(struct machine *m, unsigned i);

/* What the embedder gave and did not get back becomes violations; how many.
 * Call once, when uiommu_destroy() returned; else sim_close() does it. */
unsigned sim_check_leaks(struct machine *m);

struct sim_counts {
    /* live now */
    unsigned page_blocks; /* pages_alloc without pages_free */
    unsigned pages;       /* the same in pages of 4 KiB */
    unsigned allocs;      /* alloc without free */
    size_t bytes;         /* the same in bytes */
    unsigned mutexes, spins, mmio_maps, msis, tables, memory_maps;
    unsigned locks_held;
    /* since sim_open() */
    uint64_t calls;         /* host calls that can fail, see sim_fail_nth() */
    uint64_t memory_mapped; /* bytes, by memory_map */
    uint64_t flushes, flushed_lines, fences, mmio_reads, mmio_writes;
    uint64_t logs[4]; /* by enum uiommu_log_level */
};

void sim_counts(struct machine *m, struct sim_counts *out);

/* The last sentence uiommu, or the model, logged; "" if none. */
const char *sim_last_log(struct machine *m);
const char *sim_last_model_log(struct machine *m);

/* ---- fault injection ----------------------------------------------------- */

/* Calls so far of alloc, pages_alloc, mmio_map, mutex_create, spin_create and
 * msi_alloc. */
uint64_t sim_calls(struct machine *m);
/* The nth of these calls from now fails (1: the next one), once; 0: none. */
void sim_fail_nth(struct machine *m, uint64_t n);
/* After that one, the nth call following it fails as well. */
void sim_fail_then(struct machine *m, uint64_t n);
/* How many calls were made to fail since the last sim_fail_nth(). */
unsigned sim_failed(struct machine *m);
/* msi_alloc is no longer among them: what fails without it only goes on worse. */
void sim_fail_spare_msi(struct machine *m);
/* Whether some call is still to fail. */
bool sim_fail_armed(struct machine *m);

/* From now on the calling thread may not sleep (on), or may again: as if it
 * ran with interrupts off. Calls nest. */
void sim_atomic(struct machine *m, bool on);

/* ---- watching, for the store-by-store checker ---------------------------- */

enum sim_event {
    SIM_MMIO_WRITE,   /* about to happen: where = window offset, size, value */
    SIM_MMIO_WRITTEN, /* has happened */
    SIM_FLUSH,        /* has happened: where = physical address, size */
    SIM_FENCE,
};

/* Called in the thread that causes it, with no lock of sim held; may call
 * sim_probe(). NULL: nobody. Set while no other thread runs. */
typedef void (*sim_watch_fn)(void *ctx, enum sim_event event, uint64_t where,
                             size_t size, uint64_t value);
void sim_watch(struct machine *m, sim_watch_fn fn, void *ctx);

/* What the unit would answer device `dev` for one access (UIOMMU_READ |
 * UIOMMU_WRITE), without a trace. pasid as in struct sim_request. The result of
 * the model's translate(); `out` may be NULL. */
int sim_probe(struct machine *m, unsigned dev, uint32_t pasid, uint64_t iova,
              unsigned access, struct uie_xlat *out);

/* ---- memory -------------------------------------------------------------- */

/* RAM for tests: buffers, tables written by hand. Zeroed, aligned to its
 * size rounded up to a power of two; 0: none left. Given back at close, not
 * a leak. */
uint64_t sim_ram_alloc(struct machine *m, uint64_t size);
void sim_ram_free(struct machine *m, uint64_t phys, uint64_t size);

/* What uiommu has of pages is from now on a former owner's: it stays, but only
 * memory_map shows it. How many these are, the test knows what they are for. And
 * then that is over: the pages are free. */
unsigned sim_hand_over(struct machine *m);
void sim_reclaim(struct machine *m);
/* Tables of the former owner may lead anywhere: memory_map shows nothing where nobody
 * has memory, and to ask for that breaks no rule. */
void sim_hostile(struct machine *m, bool on);

/* The CPU's view of [phys, phys + size), NULL if that is not all RAM. */
void *sim_ram(struct machine *m, uint64_t phys, uint64_t size);
/* A number for what is in all pages that uiommu has, but those that the unit
 * wrote status words to and those in `but`. Bits of `ignore` do not count. */
uint64_t sim_pages_digest(struct machine *m, struct uiommu_range but,
                          uint64_t ignore);
/* What an access that does not snoop sees there. */
const void *sim_ram_uncached(struct machine *m, uint64_t phys, uint64_t size);

/* ---- devices ------------------------------------------------------------- */

enum { SIM_BAR_SIZE = 4096 };

/* BAR 0 of an engine, or of a port with SIM_BAR: SIM_BAR_SIZE bytes of memory that
 * others can write to peer to peer, and where it is in the address space. Of an
 * accelerator it is registers, and sim_bar() NULL. */
uint8_t *sim_bar(struct machine *m, unsigned dev);
uint64_t sim_bar_addr(struct machine *m, unsigned dev);

/* Where a transaction ended up. */
enum sim_target {
    SIM_NOWHERE, /* refused, or nothing is at that address */
    SIM_AT_RAM,
    SIM_AT_BAR,  /* through the IOMMU */
    SIM_AT_PEER, /* in a BAR without having seen the IOMMU */
    SIM_AT_MSI,  /* an interrupt message */
    SIM_AT_FOREIGN, /* see sim_foreign_open() */
};

/* Why it did not get there. */
enum sim_stop {
    SIM_NOT_STOPPED,
    SIM_BY_DEVICE, /* sends no such request: bus master, PASID enable, rights */
    SIM_BY_PREFIX, /* a port without end-end prefixes, on the way */
    SIM_BY_ACS,    /* a port: source validation, translation blocking */
    SIM_UNCLAIMED, /* nothing has that address, or nobody forwards it */
    SIM_BY_UNIT,   /* the IOMMU refused it */
    SIM_ABORTED,   /* by what is at the address: completer abort */
    SIM_STALLED,   /* it waits in the IOMMU, see sim_dma_resume() */
};

/* machine_dma() with everything said. The transaction is cut at 4 KiB; parts
 * before a refused one have moved, as in hardware. */
struct sim_request {
    unsigned dev;
    uint32_t pasid; /* UIOMMU_NO_PASID: none */
    bool write, exec, priv;
    bool rogue; /* does it although its configuration space says it must
                 * not: no bus master, no PASID enable; never uses ATS */
    uint64_t iova;
    void *buf;
    size_t size;
    /* results */
    size_t moved;
    enum sim_target target; /* of the last part */
    uint64_t addr;          /* physical, of the last part */
    unsigned peer;          /* SIM_AT_BAR, SIM_AT_PEER: whose */
    enum sim_stop stop;     /* SIM_NOWHERE: why */
    bool no_page; /* SIM_BY_UNIT: the device TLB was told that there is no
                             * page with these rights, and may ask for one */
    uint32_t tag;           /* SIM_STALLED: by which the unit knows it */
};

enum machine_dma sim_dma(struct machine *m, struct sim_request *request);

/* Units with stall=1 let DMA wait for software. With sim_auto_irq() the engine waits
 * while interrupts are delivered, 100 times; else, or then, sim_dma() returns REFUSED
 * with SIM_STALLED, and the same request goes on here where it was: retried, refused
 * with SIM_BY_UNIT, or waiting still. */
enum machine_dma sim_dma_resume(struct machine *m, struct sim_request *request);

/* What the unit said of it; SIM_STALL_ABORT if it does not know, or was reset. */
enum sim_stall { SIM_STALL_WAITS, SIM_STALL_RETRY, SIM_STALL_ABORT };
enum sim_stall sim_stall(struct machine *m, uint32_t tag);
unsigned sim_stalls(struct machine *m); /* how many wait */

/* The function's untranslated requests carry these ids (bus << 8 | devfn), one after
 * the other, and not its own: phantom functions, quirks, or plain forgery, which
 * source validation stops. n 0: its own again. */
enum { SIM_MAX_IDS = 8 };
void sim_use_ids(struct machine *m, unsigned dev, const uint16_t *id,
                 unsigned n);

/* A register of configuration space becomes what no software could make it: ids,
 * class codes, capabilities of devices that there are. */
void sim_config_poke(struct machine *m, unsigned dev, unsigned offset,
                     unsigned width, uint32_t value);

/* How the device TLB of a function answers invalidations. */
enum sim_devtlb {
    SIM_DEVTLB_ANSWERS, /* when uiommu waits (relax), or in machine_run() */
    SIM_DEVTLB_SLOW,    /* only after 100 rounds of relax */
    SIM_DEVTLB_SILENT,  /* never */
    SIM_DEVTLB_FAILS,   /* the platform reports that it did not answer */
};

void sim_devtlb(struct machine *m, unsigned dev, enum sim_devtlb how);
unsigned sim_devtlb_entries(struct machine *m, unsigned dev);

/* ---- memory that is elsewhere --------------------------------------------- */

/*
 * Physical addresses above RAM whose contents are not this machine's: what devices do
 * there is done by somebody else. Neither CPUs nor the unit get there.
 */
struct sim_foreign_ops {
    /* All inside a 4 KiB page. False: aborted. The DMA is under way: this must not wait
     * for devices to be started, nor for an invalidation, nor call uiommu. */
    bool (*access)(void *ctx, bool write, uint64_t offset, void *buf,
                   size_t size);
};

/* `size` of it, of whole pages, from *start. False: too much. Give it back when no
 * translation leads there any more, and before the machine is closed. */
bool sim_foreign_open(struct machine *m, uint64_t size,
                      const struct sim_foreign_ops *ops, void *ctx,
                      uint64_t *start);
void sim_foreign_close(struct machine *m, uint64_t start);

/*
 * On return no DMA of any device is under way, from where its translation is looked up,
 * and none begins until they are started, by the same thread: whoever tries waits, but
 * machine_run() and who waits in uiommu do not. One at a time: others wait. Not during a
 * DMA of the calling thread.
 */
void sim_stop_devices(struct machine *m);
void sim_start_devices(struct machine *m);
/* A clock (struct accel_cpu) that stands while they do: what they were told to do takes no
 * longer for it. uiommu's goes on, as do its units. */
uint64_t sim_device_ns(void *machine);
/* Devices do not stop for the former: what comes of it is what a test wants to see. */
void sim_unstoppable(struct machine *m, bool on);

/* ---- page requests ------------------------------------------------------- */

/*
 * One page request message. Where sim_dma() says no_page: ask for the page at iova +
 * moved, let uiommu serve it (machine_run(), or its poll), look for the answer, and
 * try again. All requests of a group have one function, PASID and number; the answer
 * to its last one gives all their credits back, and then the number is free again.
 */
struct sim_page_request {
    unsigned dev;
    uint32_t pasid;  /* UIOMMU_NO_PASID: none */
    uint64_t iova;   /* anywhere in the page */
    unsigned
        access; /* UIOMMU_READ | UIOMMU_WRITE; neither, and last: a stop marker,
                      * which has no answer and takes no credit */
    bool exec, priv;
    bool last;
    uint16_t group; /* below 512 */
    bool rogue; /* though its configuration space says it must not, or without a
                     * credit. Waits for no answer, but may get one */
};

/* SIM_NOT_STOPPED: the unit took it, or on a machine that is adversarial it is on its
 * way, as answers are then: until the function has done an invalidation of its device
 * TLB, or somebody waited long, or machine_run(). SIM_BY_DEVICE: PRI or ATS is off, or a right of
 * the PASID; it failed (RF), has no credit left, or the group waits for its answer.
 * SIM_BY_UNIT: refused, which is a failure to the function: RF is set. */
enum sim_stop sim_page_request(struct machine *m,
                               const struct sim_page_request *request);

enum { SIM_PAGE_SUCCESS = 0, SIM_PAGE_INVALID = 1, SIM_PAGE_FAILURE = 15 };

/* An answer that a function received. It is to the group with its number, and, where the
 * function wants PASIDs in answers (PCIe 10.4.2), with its PASID, or without one if the
 * requests had none. One to no such group changes nothing but UPRGI, and the group goes on
 * waiting; it is a violation, as is a PASID where none is wanted, but not if the group was
 * lost in a reset or failure meanwhile. */
struct sim_page_response {
    uint32_t pasid; /* UIOMMU_NO_PASID: it came without */
    uint32_t group, code;
    bool
        expected; /* else UPRGI was set, if PRI was enabled, or RF was before */
};

unsigned sim_page_responses(struct machine *m, unsigned dev);
struct sim_page_response sim_page_response_at(struct machine *m, unsigned dev,
                                              unsigned i);
/* Groups of that function that have no answer yet. One whose last request was sent
 * is a leak at the end. */
unsigned sim_page_groups(struct machine *m, unsigned dev);

/* ---- coming and going ---------------------------------------------------- */

/* Surprise removal: the function and all behind it are gone. The platform reports that
 * its device TLB does not answer, or with SIM_DEVTLB_SILENT nobody ever does. */
void sim_unplug(struct machine *m, unsigned dev);
/* Hot plug: the function, and what is behind it unless SIM_ABSENT, is there, as after
 * power-on, and firmware gave it its BAR and windows. False: another is in its place. */
bool sim_plug(struct machine *m, unsigned dev);

/* Resets are software's: DevCtl.InitiateFLR of engines, and the secondary bus reset in
 * Bridge Control. A function that was reset has nothing in configuration space but what
 * it is (bus numbers stay), and an empty device TLB; requests on their way to it are
 * lost. It does not answer for 100 ms, and who asks meanwhile breaks a rule. This is
 * what firmware would do then: BAR, windows, command register, ACS. */
void sim_firmware(struct machine *m, unsigned dev);
/* The units lose their registers, as in a sleep of the machine. No DMA and no
 * call of uiommu may be under way. */
void sim_reset_units(struct machine *m);

/* The frame of the ITS with GITS_TRANSLATER, to which devices write messages: the
 * EventID; their requester id is the DeviceID. */
#define SIM_DOORBELL      UINT64_C(0xd0010000)
#define SIM_DOORBELL_SIZE UINT64_C(0x10000)
#define SIM_TRANSLATER    (SIM_DOORBELL + 0x40)

/* Interrupt messages that devices sent and that were delivered. */
struct sim_msi {
    uint64_t addr;
    uint32_t data;
};

unsigned sim_msi_count(struct machine *m);
struct sim_msi sim_msi_at(struct machine *m, unsigned i);
/* The DeviceID that an ITS got with it. */
uint32_t sim_msi_device(struct machine *m, unsigned i);
/* Interrupts of the units that machine_run() would deliver now. */
unsigned sim_irqs_pending(struct machine *m);
/* machine_run() is done at the end of each DMA. */
void sim_auto_irq(struct machine *m, bool on);

/* Virtual time: 1 us for each round of relax, 100 ns for each now_ns. */
void sim_advance(struct machine *m, uint64_t ns);

/* ---- below --------------------------------------------------------------- */

/* The model behind the machine: its ABI, its handle, and what the calls of
 * model/check.h take. Do not replace the hooks there, sim needs its own:
 * sim_hooks() puts yours behind them (they must live until replaced). */
const struct uie_ops *sim_ops(struct machine *m);
void *sim_model(struct machine *m);
struct uim_model *sim_door(struct machine *m);
void sim_hooks(struct machine *m, const struct uim_check *hooks);

#endif
