/* SPDX-License-Identifier: MIT */
/*
 * embed.h - a software IOMMU inside your machine emulator.
 *
 * You are the VMM: you own guest memory, devices and interrupts. The library
 * owns registers, tables, caches and faults of one IOMMU per `create`. Between
 * the two there is this file and nothing else: plain C, version 1, no types of
 * either side. Typical use:
 *
 *     lib = dlopen("libuiommu-models.so", RTLD_NOW);
 *     ops = ((const struct uie_ops *(*)(uint32_t))
 *                dlsym(lib, "uiommu_embed"))(UIE_ABI);
 *     m = ops->create("vtd", &host, "scalable=1");
 *
 * then put ops->acpi() among the guest's firmware tables, send guest accesses
 * to the window of ops->info() to mmio_read and mmio_write, and ask translate
 * before each DMA of each device.
 *
 * Rules
 *  1. translate may come from any thread at any time between create and
 *     destroy, except during save, load and destroy. Every other call comes
 *     from one thread at a time and is not nested in another. Locking is the
 *     model's business. It calls notify and notify_map while it holds no lock
 *     that a call into it could need; all other callbacks must not wait for
 *     the model, because it may hold its locks.
 *  2. raise_msi, raise_own, set_irq and page_response are posts: deliver them,
 *     in order, after the call into the model that is under way has returned.
 *  3. notify is synchronous: when you return, no stale copy is left. Do not
 *     call the model from inside it, devtlb_done included.
 *  4. Conventional-PCI aliases are resolved by you, before the call; work the
 *     requester id out at each call, since guests renumber buses.
 *  5. You may split one DMA: it can be many translate calls and many faults.
 *  6. Registers are little-endian. Accesses have 1, 2, 4 or 8 bytes, are
 *     aligned and lie inside the window; halves of a 64-bit register may be
 *     accessed apart. A width that a register does not take reads as 0 and
 *     writes nothing.
 *  7. The guest is hostile. No call crashes, loops without bound, or touches
 *     memory by other means than mem_*.
 *  8. mem_* reach RAM and never registers, so they cannot lead back into the
 *     model. An aligned access of 4 or 8 bytes is not torn, a longer one only
 *     between its aligned 8-byte parts; the guest sees the model's writes in
 *     the order in which they were made.
 *  9. You may keep what translate and remap_msi said until notify, reset or
 *     load; the last two notify nothing. A device TLB may keep what an ATS
 *     request was told until UIE_INV_DEVTLB. When translation is switched or
 *     gets a new root, you are notified as by an invalidation.
 *
 * Structs grow at their end only. `size` is set by whoever owns the memory of a
 * struct, to sizeof; the other side touches no byte beyond it.
 */
#ifndef UIOMMU_EMBED_H
#define UIOMMU_EMBED_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UIE_ABI       1u
#define UIE_NO_PASID  0xffffffffu /* a request that carries none              */
#define UIE_ANY_PASID 0xfffffffeu /* in invalidations: every one, and none    */

/* Rights. PRIV: a privileged-mode request; it means something with a PASID.  */
enum { UIE_R = 1, UIE_W = 2, UIE_X = 4, UIE_PRIV = 8 };

/* ---- what you give ------------------------------------------------------ */

enum uie_inval_what {
    UIE_INV_ALL = 0,    /* every translation that this model gave             */
    UIE_INV_DOMAIN = 1, /* those that came with uie_xlat.domain == .domain, in
                         * the range; .rid and .pasid do not count            */
    UIE_INV_RID = 2,    /* those of .rid and .pasid, in the range             */
    UIE_INV_DEVTLB = 3, /* what the device .rid holds for .pasid, in the range;
                         * answer each with devtlb_done(), later              */
    UIE_INV_MSI = 4,    /* every answer of remap_msi                          */
};

struct uie_inval {
    uint32_t size, what;
    uint32_t rid;       /* segment<<16 | bus<<8 | devfn                       */
    uint32_t pasid;     /* as requests carry it, or UIE_ANY_PASID             */
    uint32_t domain;
    uint32_t tag;       /* DEVTLB: for devtlb_done; unique while it is open   */
    uint64_t iova, len; /* bytes; len 0: everything                           */
};

/* A mapping appeared: for VMMs that copy them into real hardware.            */
struct uie_map {
    uint32_t size, rid, pasid, perm;
    uint64_t iova, gpa, len;
};

struct uie_page_response {
    uint32_t size, rid, pasid, group;
    uint32_t code;      /* 0 success, 1 invalid request, 0xf failure          */
    uint32_t flags;     /* 0                                                  */
};

/* ERROR: you used this interface wrongly, or a stale entry was used.
 * WARN: the guest broke a rule of its manual.                                */
enum uie_log_level {
    UIE_LOG_ERROR = 0,
    UIE_LOG_WARN,
    UIE_LOG_INFO,
    UIE_LOG_DEBUG
};

/* Stays valid until destroy() returned. Members marked optional may be NULL. */
struct uie_host {
    uint32_t abi, size; /* UIE_ABI, sizeof(struct uie_host)                   */
    void *opaque;       /* first argument of each member                      */

    /* Guest-physical memory. 0, or negative: there is none.                  */
    int (*mem_read)(void *opaque, uint64_t gpa, void *buf, uint32_t len);
    int (*mem_write)(void *opaque, uint64_t gpa, const void *buf, uint32_t len);
    /* Compares and exchanges 4, 8 or 16 aligned bytes; *expect is updated to
     * what was found. 1: exchanged; 0: it differed; negative: no such memory,
     * or a length that this machine cannot do.                               */
    int (*mem_cas)(void *opaque, uint64_t gpa, void *expect, const void *want,
                   uint32_t len);
    /* Optional. Where [gpa, gpa+len) can be read directly, or NULL. Good until
     * your next call to reset(), load() or memory_changed().                 */
    void *(*mem_map)(void *opaque, uint64_t gpa, uint64_t len);

    /* The unit writes 4 bytes to addr: an MSI of its own, which is not
     * remapped, or plain memory if that is what is there.                    */
    void (*raise_msi)(void *opaque, uint64_t addr, uint32_t data);
    /* Optional. The unit is a PCI function of yours and sends message `vector`
     * of its own MSI or MSI-X capability.                                    */
    void (*raise_own)(void *opaque, uint32_t vector);
    void (*set_irq)(void *opaque, uint32_t line, int level); /* 2: pulse      */

    void (*notify)(void *opaque, const struct uie_inval *inv);
    /* Optional. For requesters that you named with shadow().                 */
    void (*notify_map)(void *opaque, const struct uie_map *map);
    void (*page_response)(void *opaque, const struct uie_page_response *r);
    uint64_t (*now_ns)(void *opaque); /* optional                             */
    void (*log)(void *opaque, int level, const char *text);
};

/* ---- what you get ------------------------------------------------------- */

enum uie_req_flag {
    UIE_REQ_PROBE = 1,  /* look only: no fault record, no accessed or dirty
                         * bit, no interrupt; caches are used and may fill    */
    UIE_REQ_ATS = 2,    /* an ATS translation request; no UIE_W: "no write"   */
    UIE_REQ_XLATED = 4, /* the address was translated before (AT=10b)         */
};

enum uie_xlat_flag {
    UIE_XLAT_MSI = 1,     /* an interrupt message: give an aligned 4-byte write
                           * to remap_msi(), refuse every other access        */
    UIE_XLAT_U = 2,       /* ATS: only untranslated access is allowed         */
    UIE_XLAT_GLOBAL = 4,  /* ATS: same for every PASID of the device          */
    UIE_XLAT_NOSNOOP = 8, /* ATS: the N field: accesses must be snooped       */
};

/* Why translate or remap_msi refused. Matters for ATS requests only, where it
 * is the completion status.                                                  */
enum { UIE_ERR_UR = -1, UIE_ERR_CA = -2 };

/* Only from models created with stall=1: the transaction waits under the name
 * uie_xlat.tag until one page_response with group = tag; code 0: ask again,
 * otherwise abort it. Tags are 0x200 or more, which no group of page requests
 * is. A reset ends the wait without a word; a state that is loaded goes on
 * with those that it was saved with.                                         */
enum { UIE_STALLED = 1 };

struct uie_req {
    uint32_t size, rid, pasid;
    uint32_t access; /* UIE_R | ...; 0 only with PROBE                        */
    uint32_t flags;  /* enum uie_req_flag                                     */
    uint32_t reserved;
    uint64_t iova;
};

struct uie_xlat {
    uint32_t size;
    uint32_t perm;   /* what this requester may do here until you are notified;
                      * without W as long as a write would have to set a dirty
                      * bit: ask again for the first write                    */
    uint64_t gpa;    /* of the first byte of the page                         */
    uint64_t mask;   /* page size - 1; flags and perm hold for all of it      */
    uint32_t domain; /* tag that UIE_INV_DOMAIN speaks of                     */
    uint32_t flags;  /* enum uie_xlat_flag                                    */
    uint32_t tag;    /* of a stalled transaction                              */
    uint32_t reserved;
};

struct uie_page_request {
    uint32_t size, rid, pasid, access;
    uint32_t group;
    uint32_t flags;  /* 1: last of its group, 2: priv is valid                */
    uint64_t iova, priv[2];
};

/* preferred_base 0: wherever you like; from the second on: right behind the
 * window before it.                                                          */
struct uie_window {
    uint64_t size, preferred_base;
};

struct uie_info {
    uint32_t size;
    uint32_t n_windows;         /* in the order of mmio's index               */
    struct uie_window window[4];
    uint32_t n_irqs;            /* wired lines. SMMUv3: event, page request,
                                 * sync, global error; RISC-V: by vector      */
    uint32_t address_bits;      /* of a requester's address                   */
    uint64_t page_sizes;        /* bit n: 2^n bytes                           */
    uint64_t msi_base, msi_len; /* flagged UIE_XLAT_MSI whatever tables say;
                                 * len 0: there is no such window             */
};

/* The firmware table that announces this model and no other (DMAR, IVRS, IORT,
 * RIMT, VIOT), checksum included. Copies at most `size` bytes, so size 0 with
 * buf NULL just asks; returns the full length, 0 if there is no table.       */
typedef size_t (*uie_acpi_fn)(void *m, void *buf, size_t size);
/* All of len, and 0; or negative.                                            */
typedef int (*uie_write_fn)(void *ctx, const void *buf, size_t len);
typedef int (*uie_read_fn)(void *ctx, void *buf, size_t len);
typedef void (*uie_counter_fn)(void *ctx, const char *name, uint64_t value);

struct uie_ops {
    uint32_t abi, size;
    const char *const *names; /* "vtd", ...; ends with NULL                   */

    /* args: "key=value,...", NULL or "" for none. An unknown key is refused
     * and logged by name. Calls nothing of the host but log; NULL on failure.
     * Every model takes base=ADDR (window 0; else its preferred_base),
     * ioapic=ID:RID (else 0:0xff00), irq=GSI of line 0 and rid=RID of the
     * unit's own function; numbers as strtoull(,,0) reads them.              */
    void *(*create)(const char *name, const struct uie_host *host,
                    const char *args);
    void (*destroy)(void *m); /* no other call is under way                   */
    void (*reset)(void *m);   /* as at power on                               */
    void (*info)(void *m, struct uie_info *out);
    uie_acpi_fn acpi;
    uint64_t (*mmio_read)(void *m, uint32_t window, uint64_t off, uint32_t len);
    void (*mmio_write)(void *m, uint32_t window, uint64_t off, uint64_t val,
                       uint32_t len);

    /* 0: translated; without PROBE and ATS that grants all of `access`.
     * UIE_STALLED: see there. UIE_ERR_*: refused, and the fault is recorded
     * unless PROBE. ATS that finds no page is answered 0 with perm 0.        */
    int (*translate)(void *m, const struct uie_req *req, struct uie_xlat *out);
    /* An interrupt message: addr is uie_xlat.gpa + (iova & mask) of the write,
     * flags 0 or UIE_REQ_PROBE. 0: deliver *oaddr and *odata as an MSI, as the
     * interrupt controller takes it (x86: destination bits 31:8 in address
     * bits 63:40). 1: nothing to deliver. Negative: refused, fault recorded
     * unless PROBE.                                                          */
    int (*remap_msi)(void *m, uint32_t rid, uint32_t flags, uint64_t addr,
                     uint32_t data, uint64_t *oaddr, uint32_t *odata);
    /* 0: taken; one page_response follows if it was the last of its group, but
     * none after a stop marker: last, with a PASID, neither R nor W. Negative:
     * refused, none follows; tell the device that it failed.                 */
    int (*page_request)(void *m, const struct uie_page_request *req);
    /* Ends UIE_INV_DEVTLB `tag`. failed: the device did not complete it, is
     * gone, or took longer than you allow.                                   */
    void (*devtlb_done)(void *m, uint32_t tag, int failed);
    /* Pointers from mem_map are void; on return none is in use any more.     */
    void (*memory_changed)(void *m);
    /* 0, or negative and a sentence in the log. load begins with a reset and
     * reads what save wrote, not a byte more. It refuses what is damaged and
     * the state of another version, name or args, and leaves the model as
     * after reset. It is a reset for what you kept, refused or not (rule 9).
     * UIE_INV_DEVTLB that are open stay open, by their tags.                 */
    int (*save)(void *m, uie_write_fn fn, void *ctx);
    int (*load)(void *m, uie_read_fn fn, void *ctx);
    void (*counters)(void *m, uie_counter_fn fn, void *ctx);
    /* May be NULL. on 1: before it returns, and from then on, notify_map tells
     * every mapping of the requester. Negative: this model cannot.           */
    int (*shadow)(void *m, uint32_t rid, uint32_t pasid, int on);
};

/* The one symbol of the library; NULL if it does not know that version.      */
const struct uie_ops *uiommu_embed(uint32_t abi);

#ifdef __cplusplus
}
#endif
#endif
