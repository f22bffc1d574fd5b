/* SPDX-License-Identifier: MIT */
/*
 * dmar.h - the structures of a DMAR table one after the other (VT-d chapter 8).
 *
 * For the parser itself, and for tools that show a table. Cursors start at 0.
 * The table is as long as its header says; nothing outside is read, whether it
 * was checked or not: what is malformed ends the list.
 */
#ifndef UIM_FW_DMAR_H
#define UIM_FW_DMAR_H

#include "fw/fw.h"
#include "spec/dmar.h"

struct uim_dmar_record {
    const uint8_t *p;  /* its first byte                                     */
    uint32_t offset;   /* of that in the table                               */
    uint16_t type;     /* enum dmar_type, or one that is not known           */
    uint16_t length;
    uint16_t scopes;   /* where they start; length, if it has none           */
    uint16_t segment;  /* 0 where a structure has none                       */
};

struct uim_dmar_scope {
    const uint8_t *path; /* n pairs of device and function                   */
    uint32_t offset;     /* of the scope in the table                        */
    uint8_t type;        /* enum dmar_scope_type, or one that is not known   */
    uint8_t flags;       /* of SIDP                                          */
    uint8_t id;
    uint8_t start_bus;
    uint8_t n;
};

bool uim_dmar_next(const void *table, uint32_t *cursor,
                   struct uim_dmar_record *out);
bool uim_dmar_scope_next(const struct uim_dmar_record *record, uint32_t *cursor,
                         struct uim_dmar_scope *out);

/* What ends the list at `cursor`: a flaw, or NULL if nothing is left there. */
const char *uim_dmar_flaw(const void *table, uint32_t cursor);
const char *uim_dmar_scope_flaw(const struct uim_dmar_record *record,
                                uint32_t cursor);

/* "DRHD"; NULL: not known. */
const char *uim_dmar_name(unsigned type);

/* The path's element as devfn; above 255: no function can have that number. */
unsigned uim_dmar_devfn(const struct uim_dmar_scope *scope, unsigned i);

/* What a DRHD describes, and if it cannot be used, why: else NULL. */
const char *uim_dmar_unit(const void *table, const struct uim_dmar_record *drhd,
                          struct uim_fw_unit *out);

/* The region of an RMRR, widened to whole pages; if it is to be ignored, why:
 * else NULL. Not relaxable: that is a question of the device. */
const char *uim_dmar_region(const void *table,
                            const struct uim_dmar_record *rmrr,
                            struct uim_fw_region *out);

/* How many hops of the device's path the scope covers; 0: it names another. */
unsigned uim_dmar_match(const struct uim_dmar_scope *scope,
                        const struct uim_fw_device *device);

/* Does its driver stop using the device's regions once it runs (B.10)? */
bool uim_dmar_relaxable(const struct uim_fw_device *device);

/* The number that ANDD gives to an ACPI device; above 255: none does. */
unsigned uim_dmar_acpi_number(const void *table, const char *path);

enum uiommu_status uim_dmar_check(const void *table, size_t size,
                                  const struct uim_fw_log *log);
enum uiommu_status uim_dmar_owner(const void *table,
                                  const struct uim_fw_device *device,
                                  unsigned index, unsigned *unit, uint32_t *id);
enum uiommu_status uim_dmar_device_region(const void *table,
                                          const struct uim_fw_device *device,
                                          unsigned index,
                                          struct uim_fw_region *out);
enum uiommu_status uim_dmar_irq_source(const void *table,
                                       enum uiommu_irq_source kind, unsigned id,
                                       unsigned *unit, uint32_t *rid);
bool uim_dmar_ats_allowed(const void *table, const struct uim_fw_device *device,
                          bool legacy);
enum uiommu_status uim_dmar_requester(const void *table,
                                      const struct uiommu_host *host,
                                      unsigned index,
                                      struct uim_fw_requester *out);

#endif
