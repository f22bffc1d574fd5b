/* SPDX-License-Identifier: MIT */
/*
 * fake_smmu.h - a register file that behaves like the outside of an SMMUv3: CR0,
 * IRQ_CTRL and GBPA are taken over late, commands are carried out, or refused, or not
 * answered; events come when a test says so. It translates nothing and caches nothing;
 * what it can do that the model cannot is go wrong on command.
 *
 * Memory is an arena whose physical addresses begin where a test says. Time is counted,
 * not measured: each relax() is a step.
 */
#ifndef UIM_TESTS_DRV_FAKE_SMMU_H
#define UIM_TESTS_DRV_FAKE_SMMU_H

#include <stdbool.h>
#include <stdint.h>

#include <uiommu/uiommu.h>

#include "core/core.h"
#include "drv/smmuv3/smmuv3.h"

enum {
    SMMU_REGISTERS = 0x20000,
    SMMU_REGISTERS_SMALL = 0x10000, /* of a unit without page 1            */
    SMMU_PAGES = 8192,              /* of the arena                        */
    SMMU_COMMANDS = 1024,           /* remembered                          */
    SMMU_STEP_NS = 100 * 1000,
};

enum { SMMU_CR0, SMMU_IRQ_CTRL, SMMU_GBPA }; /* of pending                  */

enum { FAKE_DEVICES = 16 };

struct smmu {
    struct uiommu_host host;
    struct uiommu_endpoint
        endpoint[FAKE_DEVICES]; /* of the devices made last */
    unsigned n_endpoints;
    struct uiommu *u;
    struct smmuv3_options options;
    struct uim_unit *unit;
    struct smmuv3_unit *v;
    uint8_t record[68]; /* of the unit, in the table                       */

    struct smmuv3_idr0_fields idr0;
    struct smmuv3_idr1_fields idr1;
    struct smmuv3_idr3_fields idr3;
    struct smmuv3_idr5_fields idr5;
    uint32_t aidr;
    uint32_t model;     /* enum iort_smmu_v3_model                         */
    bool small;         /* no page 1                                       */

    uint32_t reg[SMMU_REGISTERS / 4];
    size_t mapped;      /* bytes of registers, at last                     */

    /* What it shall do wrong. */
    unsigned late;      /* accesses until CR0ACK, IRQ_CTRLACK, GBPA follow */
    bool deaf;          /* they never do                                   */
    bool silent;        /* the queue stands still                          */
    bool gone;          /* registers read all ones                         */
    bool gone_cons;     /* CMDQ_CONS alone does                            */
    bool unreadable;    /* the queue: CERROR_ABT                           */
    bool refuses_syncs; /* all but a first: CERROR_ILL                     */
    int bad_opcode;     /* CERROR_ILL; -1                                  */
    int dead_sid;       /* this device TLB does not answer; -1             */
    uint64_t atc_ns;    /* after how long that is CERROR_ATC_INV_SYNC; 0:
                         * never                                           */
    bool atc_open, atc_failed;
    uint64_t atc_since;
    unsigned pending[3]; /* accesses until CR0, IRQ_CTRL, GBPA are taken
                          * over                                           */

    /* What it saw. */
    struct smmuv3_cmd command[SMMU_COMMANDS];
    unsigned n_commands;
    unsigned n_errors_raised;
    unsigned early;     /* changes of a field that was not acknowledged    */
    unsigned in_use;    /* writes to registers that were in use            */
    void (*on_command)(struct smmu *s, struct smmuv3_cmd c);
    void (*on_write)(struct smmu *s, size_t reg, uint64_t value);
    void (*on_change)(struct smmu *s); /* CR0ACK, GBPA took effect          */
    void (*on_unlocked)(struct smmu *s); /* no spin lock is held            */
    void (*on_flush)(struct smmu *s, const void *p, size_t size);
    void (*on_pages)(struct smmu *s, const void *p, size_t size); /* zeroed  */
    void *ctx;
    uint32_t seen, n_polls; /* a test's own                                */

    uint8_t *ram;
    uint64_t ram_phys;  /* of its first byte                               */
    bool used[SMMU_PAGES];
    bool unflushed[SMMU_PAGES]; /* zeroed, for the unit, not written back   */
    unsigned order_of[SMMU_PAGES];

    uint64_t now, step_ns;
    int pages, bytes, mutexes, maps, spins_held;
    int fail_pages;     /* > 0: the so-manieth allocation fails            */
    bool msi;
    unsigned n_logs, n_errors, n_warnings, n_faults, n_flushes;
    struct uiommu_fault fault; /* the last one                             */
    bool overflow;      /* of any                                          */
    char log[512];      /* the last sentence                               */
    char logs[8192];    /* all of them                                     */
};

/* Stage 1 and 2, 48 bits, all granules, coherent, ranges, 16-bit ids, no ATS. */
void smmu_init(struct smmu *s);
enum uiommu_status smmu_probe(struct smmu *s); /* and settle                */
enum uiommu_status smmu_prepare(struct smmu *s);
enum uiommu_status smmu_start(struct smmu *s); /* that and enable           */
void smmu_end(struct smmu *s);  /* release; nothing is left but pages       */
void smmu_stop(struct smmu *s); /* disable, release; nothing is left        */

uint64_t smmu_reg(const struct smmu *s, size_t reg);
void smmu_reg_set(struct smmu *s, size_t reg, uint64_t value, unsigned bytes);
bool smmu_cr0ack(const struct smmu *s, uint32_t bit);
bool smmu_aborts(const struct smmu *s); /* GBPA                             */

/* As hardware does it: false, it is full (and OVFLG was toggled). */
bool smmu_event(struct smmu *s, const uint64_t word[4]);
/* GERROR bits become active. */
void smmu_gerror(struct smmu *s, uint32_t bits);
/* The device TLB that was silent answers after all. */
void smmu_answer(struct smmu *s);

void smmu_forget(struct smmu *s); /* the commands so far                    */
unsigned smmu_opcode(struct smmuv3_cmd c);
/* Of the commands that are remembered. */
unsigned smmu_count(const struct smmu *s, unsigned opcode);

/* Is there memory in which a unit that does not snoop may find anything? */
bool smmu_any_unflushed(const struct smmu *s);
void *smmu_virt(const struct smmu *s, uint64_t phys);

/* A paging domain with one link on the unit, and a device, without the core. */
struct smmu_domain {
    struct uiommu_domain domain;
    struct uim_link link;
};

void smmu_domain(struct smmu *s, struct smmu_domain *d, uint64_t root);
void smmu_device(struct smmu *s, struct uiommu_device *dev, uint32_t sid);
enum uiommu_status smmu_set(struct smmu *s, struct uiommu_device *dev,
                            struct uiommu_domain *next);
/* A PASID of the device, which may have so many as it says. */
void smmu_pasid(struct smmu *s, struct uiommu_device *dev,
                struct uiommu_endpoint *ep, uint32_t pasid);
enum uiommu_status smmu_set_pasid(struct smmu *s, struct uiommu_endpoint *ep,
                                  struct uiommu_domain *next);
/* The entry of a stream as it is in memory; NULL: there is none. */
const uim_word *smmu_ste(const struct smmu *s, uint32_t sid);

#endif
