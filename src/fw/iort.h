/* SPDX-License-Identifier: MIT */
/*
 * iort.h - the nodes of an IORT table one after the other (DEN0049).
 *
 * For the parser itself, for drivers of its units, and for tools that show a
 * table. The table is as long as its header says; nothing outside is read,
 * whether it was checked or not: what is malformed ends the list. Nodes may be
 * at odd offsets.
 *
 * Ids go from root complexes and named components to SMMUs, where they are
 * stream ids, and from there or directly to ITS groups, where they are device
 * ids. A mapping that leads elsewhere is ignored, so that no way is longer than
 * that.
 */
#ifndef UIM_FW_IORT_H
#define UIM_FW_IORT_H

#include "fw/fw.h"
#include "spec/iort.h"

/* Zeroed, it is before the first node. */
struct uim_iort_node {
    const uint8_t *p;    /* its first byte                                   */
    uint32_t offset;     /* of that in the table                             */
    uint32_t index;      /* among all nodes                                  */
    uint16_t length;
    uint8_t type;        /* enum iort_node_type, or one that is not known    */
    uint8_t revision;
    uint32_t n_mappings; /* 0 where the type is not known                    */
};

/* One range of ids. */
struct uim_iort_mapping {
    uint32_t first, last; /* ids that go in; no further than 32 bits         */
    uint32_t count;       /* of them, minus 1, as the table has it           */
    uint32_t output;      /* what `first` becomes; the others follow         */
    uint32_t reference;   /* offset of the node where that is so             */
    bool single;          /* any id becomes `output`                         */
};

/* Where an id arrived. */
struct uim_iort_hop {
    struct uim_iort_node node;
    uint32_t id;
};

/* "SMMUv3"; NULL: not known. */
const char *uim_iort_name(unsigned type);

/* The node after *node, which it becomes. */
bool uim_iort_next(const void *table, struct uim_iort_node *node);
/* The node that starts at this offset. */
bool uim_iort_at(const void *table, uint32_t offset, struct uim_iort_node *out);
/* What ends the list after *node (zeroed: before it begins), and the offset
 * of it; NULL if there are no more nodes. */
const char *uim_iort_flaw(const void *table, const struct uim_iort_node *node,
                          uint32_t *offset);

/* i is below node->n_mappings. */
void uim_iort_mapping(const struct uim_iort_node *node, uint32_t i,
                      struct uim_iort_mapping *out);
/* Why a mapping of the node is ignored, or NULL. The ids that it covers lead
 * nowhere then. */
const char *uim_iort_mapping_flaw(const void *table,
                                  const struct uim_iort_node *node,
                                  const struct uim_iort_mapping *mapping);
/* The mapping of the node's own messages, which is for no other id.
 * UINT32_MAX: there is none; n_mappings or more: the table names one that the
 * node has not. */
uint32_t uim_iort_own_mapping(const struct uim_iort_node *node);

/* Where an id goes from a node. NOENT: the node has no mapping for it. NODEV:
 * it has, and that leads nowhere, or two that disagree. */
enum uiommu_status uim_iort_map(const void *table,
                                const struct uim_iort_node *from, uint32_t id,
                                struct uim_iort_hop *out);

/* ---- what nodes say ------------------------------------------------------ */

/* The unit of an SMMU node, and if it cannot be used, why: else NULL. */
const char *uim_iort_unit(const void *table, const struct uim_iort_node *node,
                          struct uim_fw_unit *out);

/* What the table says of an SMMUv3, for its driver. Wired interrupts are edges;
 * 0: none, a message then. */
struct uim_iort_smmu_v3 {
    uint64_t vatos_address;
    uint32_t model;        /* enum iort_smmu_v3_model, or one not known      */
    bool coherent;         /* its walks snoop, even if IDR0.COHACC is 0      */
    uint8_t httu;          /* enum iort_httu_override: at least that         */
    uint32_t event_gsiv, pri_gsiv, gerr_gsiv, sync_gsiv;
    bool has_pxm;
    uint32_t pxm;          /* its proximity domain                           */
};

/* record: of its struct uim_fw_unit. */
void uim_iort_smmu_v3(const void *record, struct uim_iort_smmu_v3 *out);

/* What a root complex or named component says of the DMA of its devices. */
struct uim_iort_properties {
    bool coherent;        /* CCA: it can snoop                               */
    uint8_t hints;        /* struct acpi_iort_memory_access_hints            */
    uint8_t flags;        /* struct acpi_iort_memory_access_flags            */
    uint8_t address_bits; /* memory it can reach; 0: not said                */
    uint8_t pasid_bits;   /* 0: none, or not said                            */
    bool ats, pri, pasid_forward; /* root complex                            */
    bool stall;           /* named component: may be stalled                 */
};

void uim_iort_properties(const struct uim_iort_node *node,
                         struct uim_iort_properties *out);
/* The same for a device. NODEV: the table does not name it. */
enum uiommu_status uim_iort_device(const void *table,
                                   const struct uim_fw_device *device,
                                   struct uim_iort_properties *out);

uint32_t uim_iort_its_count(const struct uim_iort_node *its);
uint32_t uim_iort_its_identifier(const struct uim_iort_node *its, uint32_t i);

/* The i-th region of an RMR node; if it is to be ignored, why: else NULL. */
uint32_t uim_iort_region_count(const struct uim_iort_node *rmr);
const char *uim_iort_region(const struct uim_iort_node *rmr, uint32_t i,
                            struct uim_fw_region *out);
/* Are RMR nodes of this table to be believed? */
bool uim_iort_has_regions(const void *table);

/* ---- which nodes mean a device ------------------------------------------- */

/* The index-th id of a device's DMA at the unit that translates for it. NODEV:
 * there is none, or it leads nowhere. NOENT: there are fewer. */
enum uiommu_status uim_iort_stream(const void *table,
                                   const struct uim_fw_device *device,
                                   unsigned index, struct uim_iort_hop *out);
/* The ITS group that messages of a device go to, and its device id there; of
 * a named component, the first of them. */
enum uiommu_status uim_iort_its(const void *table,
                                const struct uim_fw_device *device,
                                struct uim_iort_hop *out);

/* What requester() has to do in all: so many pairs of a device and a region,
 * times the steps to find one. */
uint64_t uim_iort_requester_work(const void *table);

enum uiommu_status uim_iort_check(const void *table, size_t size,
                                  const struct uim_fw_log *log);
enum uiommu_status uim_iort_owner(const void *table,
                                  const struct uim_fw_device *device,
                                  unsigned index, unsigned *unit, uint32_t *id);
enum uiommu_status uim_iort_device_region(const void *table,
                                          const struct uim_fw_device *device,
                                          unsigned index,
                                          struct uim_fw_region *out);
enum uiommu_status uim_iort_requester(const void *table,
                                      const struct uiommu_host *host,
                                      unsigned index,
                                      struct uim_fw_requester *out);
/* madt: NULL, or what the first of these returned OK for. */
enum uiommu_status uim_iort_check_madt(const void *table, const void *madt,
                                       size_t size,
                                       const struct uim_fw_log *log);
enum uiommu_status uim_iort_doorbell(const void *table, const void *madt,
                                     const struct uim_fw_device *device,
                                     unsigned index, struct uim_fw_region *out);
bool uim_iort_isolates_messages(const void *table,
                                const struct uim_fw_device *device);
bool uim_iort_ats_allowed(const void *table, const struct uim_fw_device *device,
                          bool legacy);
bool uim_iort_stalls(const void *table, const struct uim_fw_device *device);

#endif
