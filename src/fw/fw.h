/* SPDX-License-Identifier: MIT */
/*
 * fw.h - what firmware tables tell the core, whoever made the hardware.
 *
 * One `struct uim_fw_ops` a table: DMAR and IORT now; IVRS, RIMT and VIOT answer
 * the same questions. A driver's descriptor names the ops of its table, so that
 * a parser nobody needs is not linked.
 *
 * Nothing is allocated, nothing is kept: each question reads the table again.
 * check() comes first and looks at every byte that the others use; after it
 * returned OK the others may be asked anything, in any context, by any number
 * of threads, as long as the table does not change. Only requester() reads
 * configuration space, in the context that host->pci_read allows.
 */
#ifndef UIM_FW_FW_H
#define UIM_FW_FW_H

#include <uiommu/host.h>
#include <uiommu/interrupt.h>

/* Who hears what is wrong with a table, one sentence a problem. ERROR: the
 * table is refused. WARN: a part of it is ignored, or looks odd. */
struct uim_fw_log {
    void (*say)(void *ctx, enum uiommu_log_level level, const char *text);
    void *ctx;
};

struct uim_fw_unit {
    uint64_t base;     /* physical address of its registers                  */
    uint64_t size;     /* bytes of them that the table promises              */
    uint16_t segment;
    uint8_t phys_bits; /* the platform's physical addresses; 0: unknown      */
    bool all;          /* translates for what no other unit names            */
    bool remaps;       /* the platform allows interrupt remapping            */
    bool x2apic;       /* and 32-bit destinations with it                    */
    bool usable;       /* false: cannot be driven, check() said why          */
    const void *record; /* the table's own of the unit, for its driver; lives
                         * as long as the table                              */
};

/* Deeper paths than this are not described: 8 switches or so, one behind the
 * other. */
enum { UIM_FW_HOPS = 24 };

/* uim_fw_hop.port where there is no PCI Express capability. */
enum { UIM_FW_NOT_PCIE = 0xff };

/* One function on the way from a root bus to a device. */
struct uim_fw_hop {
    uint8_t bus, devfn; /* as numbered now                                   */
    uint8_t port;       /* PCI_EXP_TYPE of its PCIe capability               */
};

/* A device as its path, which is the same after buses were renumbered.
 *
 * PCI: hop[0] is on a root bus, hop[n - 1] is the device, in between are the
 * bridges. A virtual function, or a function above 7 of an ARI device, stands
 * where its physical function, or function 0, stands: tables name only those.
 * `pci` is then still its own address.
 *
 * ACPI: acpi_path is not NULL; the rest is not looked at. */
struct uim_fw_device {
    const char *acpi_path; /* NULL: PCI                                      */
    struct uiommu_pci pci; /* of the device itself: what its DMA carries     */
    uint32_t class_code;   /* 24 bits: class, subclass, interface            */
    unsigned n;            /* 1 .. UIM_FW_HOPS                               */
    struct uim_fw_hop hop[UIM_FW_HOPS];
};

/* Memory that the device must be able to reach one to one (B.10: DIRECT). */
struct uim_fw_region {
    uint64_t start, last; /* whole 4 KiB pages                               */
    unsigned flags;       /* UIOMMU_READ, _WRITE, and what memory it is      */
    bool relaxable;       /* not once a driver has the device: USB, graphics */
};

/* A device that firmware left running, and one of its regions. */
struct uim_fw_requester {
    struct uim_fw_device device; /* ready for owner() */
    struct uim_fw_region region;
};

struct uim_fw_ops {
    /* "": it is about no table. The others are asked all the same, and look at none. */
    char signature[5];

    /* Is this a table that can be relied on? `size` bytes are readable. INVAL:
     * it is refused, log has the reason. `log` may be NULL. */
    enum uiommu_status (*check)(const void *table, size_t size,
                                const struct uim_fw_log *log);

    /* The index-th unit, usable or not, in the table's order. NOENT: there are
     * fewer. */
    enum uiommu_status (*unit)(const void *table, unsigned index,
                               struct uim_fw_unit *out);

    /* Which unit translates for a device, and the id by which the unit knows
     * it: VT-d's requester id (bus << 8 | devfn), SMMU's stream id. Most devices
     * have one id; this is the index-th, as several of an ACPI device may be.
     * NODEV: none, or one that is not usable. NOENT: fewer. */
    enum uiommu_status (*owner)(const void *table,
                                const struct uim_fw_device *device,
                                unsigned index, unsigned *unit, uint32_t *id);

    /* The index-th region of a device; they may overlap. A virtual function has none of
     * its physical one's. NOENT: fewer. */
    enum uiommu_status (*region)(const void *table,
                                 const struct uim_fw_device *device,
                                 unsigned index, struct uim_fw_region *out);

    /* The index-th pair of a device and a region in the table. NOENT: there are
     * fewer. NODEV: that one is not there now, the next may be. The same
     * device comes once per region. */
    enum uiommu_status (*requester)(const void *table,
                                    const struct uiommu_host *host,
                                    unsigned index,
                                    struct uim_fw_requester *out);

    /* The unit that interrupts of an I/O APIC or HPET come to, and the requester
     * id they carry. NODEV: nobody names it, or its unit cannot be driven.  */
    enum uiommu_status (*irq_source)(const void *table,
                                     enum uiommu_irq_source kind, unsigned id,
                                     unsigned *unit, uint32_t *rid);

    /* May software switch the device's ATS on? `legacy`: its unit runs in a
     * mode in which hardware does that for devices that cannot do without. */
    bool (*ats_allowed)(const void *table, const struct uim_fw_device *device,
                        bool legacy);

    /* Does the device put up with DMA that its unit lets wait for software? NULL: none
     * that the table names does. */
    bool (*stalls)(const void *table, const struct uim_fw_device *device);

    /* Where units translate interrupt messages as any write, a second table says where
     * these go: its signature; "": there is no such table, and no such messages. The
     * host may not have it: `also` is NULL then. */
    char also[5];
    /* As check(), of both together; `table` was checked. */
    enum uiommu_status (*check_also)(const void *table, const void *also,
                                     size_t size, const struct uim_fw_log *log);
    /* The index-th range of physical addresses that messages of a device are for.
     * NOENT: fewer. */
    enum uiommu_status (*doorbell)(const void *table, const void *also,
                                   const struct uim_fw_device *device,
                                   unsigned index, struct uim_fw_region *out);
    /* Do messages of a device, once translated, reach something that knows whose they
     * are and lets none send another's? NULL: no. */
    bool (*isolates_messages)(const void *table,
                              const struct uim_fw_device *device);
};

/* Is the table there as far as its header says, which is not too far for any? The
 * parsers' iterators may be asked then, whatever else is wrong with it. */
bool uim_fw_whole(const void *table, size_t size);

/* Signature printable, `size` holds the whole table, length and checksum right:
 * what every ACPI table must have. INVAL: log has the reason. */
UIOMMU_MUST_CHECK enum uiommu_status
uim_fw_check_header(const void *table, size_t size,
                    const struct uim_fw_log *log);

extern const struct uim_fw_ops uim_fw_dmar;
extern const struct uim_fw_ops uim_fw_iort;

#endif
