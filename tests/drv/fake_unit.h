/* SPDX-License-Identifier: MIT */
/*
 * fake_unit.h - a register file that behaves like the outside of a VT-d unit:
 * it echoes GCMD in GSTS, runs the invalidation queue, holds fault records. It
 * translates nothing and caches nothing; what it can do that the model cannot
 * is go wrong on command, at any time and with several threads inside.
 *
 * Memory is the program's: physical addresses are virtual ones. Time is
 * counted, not measured: each relax() is a step.
 */
#ifndef UIM_TESTS_DRV_FAKE_UNIT_H
#define UIM_TESTS_DRV_FAKE_UNIT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <uiommu/uiommu.h>

#include "drv/vtd/vtd.h"

enum {
    FAKE_FRO = 0x22,
    FAKE_IRO = 0x10,
    FAKE_RECORDS = 4,
    FAKE_COMMANDS = 4096,
    FAKE_STEP_NS = 100 * 1000,
};

enum { FAKE_DEVICES = 16 };

struct fake {
    struct uiommu_host host;
    struct uiommu_endpoint
        endpoint[FAKE_DEVICES]; /* of the devices made last */
    unsigned n_endpoints;
    struct uiommu *u;
    struct vtd_options options;
    struct uim_unit *unit;
    struct vtd_unit *v;

    pthread_mutex_t lock; /* the registers and all below */
    uint64_t cap, ecap;
    uint8_t major;
    uint32_t gsts, fsts, pmen;
    uint64_t rtaddr, iqa, iqh, iqt, iqercd, ccmd, iva, iotlb;
    uint32_t event[3][4]; /* FE, IE, PE: control, data, address, upper */
    struct vtd_frcd_lo record_lo[FAKE_RECORDS];
    struct vtd_frcd_hi record_hi[FAKE_RECORDS];

    /* What it shall do wrong. */
    bool silent;           /* the queue stands still                      */
    bool gone;             /* registers read all ones                     */
    bool deaf;             /* GSTS never changes                          */
    int bad_did;           /* descriptors with this domain id: IQE; -1    */
    bool bad_waits;        /* wait descriptors with data: IQE             */
    int dead_sid;          /* this device TLB does not answer; -1         */
    bool hide_sid;         /* ITESID is 0                                 */
    unsigned ite_steps;    /* after how much time that is noticed         */

    /* Device-TLB commands without an answer, and waits held up by them. */
    bool ats_open;
    uint64_t ats_since;
    struct vtd_desc held[VTD_QUEUE_ENTRIES];
    unsigned n_held;

    /* What it saw. */
    struct vtd_desc command[FAKE_COMMANDS];
    unsigned n_commands;
    unsigned gcmd_many;    /* writes that changed more than one thing     */
    unsigned n_wbf;        /* write buffer flushes                        */
    unsigned te_off;       /* times TE went from 1 to 0                   */
    unsigned n_iqe, n_ite;
    struct vtd_desc refused; /* by the last IQE                           */
    void (*on_command)(struct fake *f, struct vtd_desc d);
    void *ctx;

    _Atomic uint64_t now;
    uint64_t step_ns; /* that now moves in each round of a wait */
    _Atomic int pages, bytes, spins, mutexes, maps;
    _Atomic int fail_pages; /* > 0: the so-manieth allocation fails       */
    _Atomic int fail_alloc; /* the same of bytes                          */
    _Atomic unsigned n_logs, n_errors, n_warnings;
    _Atomic unsigned n_faults;
    void (*on_fault)(struct fake *f);
    struct uiommu_fault fault; /* the last one                            */
    char log[512];         /* the last sentence                           */
    bool msi;
    size_t mapped; /* bytes of registers, at last */
};

/* Capabilities of QEMU's unit, roughly: QI, PT, 39 and 48 bits, ND=6. */
void fake_init(struct fake *f);
/* Instance, probe, settle. */
enum uiommu_status fake_probe(struct fake *f);
enum uiommu_status fake_start(struct fake *f);
/* Disable, release; checks that nothing is left. */
void fake_stop(struct fake *f);
void fake_end(struct fake *f);

/* One fault record, as hardware does it. */
void fake_fault(struct fake *f, uint16_t sid, unsigned reason, uint64_t iova);

/* The device TLB that was silent answers after all. */
void fake_answer(struct fake *f);

/* Forget the commands so far; the type of command i. */
void fake_forget(struct fake *f);
unsigned fake_type(const struct fake *f, unsigned i);

/* A paging domain with one link on the unit, and a device, without the core. */
struct fake_domain {
    struct uiommu_domain domain;
    struct uim_link link;
};

void fake_domain(struct fake *f, struct fake_domain *d, uint64_t root);
void fake_device(struct fake *f, struct uiommu_device *dev, uint16_t sid);
/* The endpoint of the same device with a PASID. */
void fake_pasid(struct uiommu_device *dev, uint32_t pasid,
                struct uiommu_endpoint *out);

#endif
