/* SPDX-License-Identifier: MIT */
/*
 * scripted.h - a unit that does what a test says: a table in this process with an entry
 * for each id and tag, and the driver for it. What no real unit here is like: it stops
 * DMA badly or not at all (semantics A.S1), or its tags are in a register (S3.37).
 *
 * The host is a simulated machine, whose own unit has nothing to do. One at a time.
 */
#ifndef UIM_TESTS_CORE_SCRIPTED_H
#define UIM_TESTS_CORE_SCRIPTED_H

#include "tests/core/help.h"

#include "core/core.h"

enum {
    SCRIPT_TAGS = 8,
    SCRIPT_DEVICES = 2,
    SCRIPT_LINKS = 64,
    SCRIPT_BASE = 0x1000, /* of the first unit, and how far it is to the next */
};

/* Where accesses go that a SINK stops. */
#define SCRIPT_SINK UINT64_C(0x5000)

struct script {
    /* What it is like: before scripted_open(). */
    enum uiommu_block_quality quality;
    bool no_identity, own_tags, link_by_pasid;
    uint8_t pasid_bits;
    struct uiommu_config config;
    /* Device n is behind unit n, where there are as many; and the devices are functions
     * of one slot, which nothing keeps apart. What the second unit does less or else. */
    unsigned n_units; /* 0 is 1 */
    struct uim_unit second;
    bool second_is_incoherent;
    bool ats; /* devices and units have it */
    /* Called before a set changes the entry. */
    void (*setting)(struct script *s, struct uiommu_endpoint *ep,
                    struct uiommu_domain *next, struct uiommu_domain *old);

    struct machine *m;
    struct uiommu *u;
    struct uim_unit *unit; /* the first */
    struct uiommu_device *device[SCRIPT_DEVICES];

    /* The table: what each device's entry for a tag shows; NULL: as prepare left it. */
    struct uiommu_domain *entry[SCRIPT_DEVICES][SCRIPT_TAGS];
    uint32_t tag[SCRIPT_DEVICES]; /* in the device's register: own_tags    */
    bool linked[SCRIPT_LINKS];
    bool silent;               /* confirms nothing                           */
    unsigned n_sets, n_cuts, n_invalidations;
    unsigned n_invalidations_of[SCRIPT_DEVICES]; /* by unit                  */
    unsigned n_devtlbs[SCRIPT_DEVICES];
    unsigned asked_to_block;   /* sets with a blocked domain                 */
};

/* What create, start and adding the devices said; on failure nothing is left but the
 * machine. */
enum uiommu_status scripted_try(struct script *s);
/* A machine, and all of that. */
void scripted_machine(struct script *s);
void scripted_open(struct script *s);
/* Whatever was opened; nothing may be left. */
void scripted_down(struct script *s);
void scripted_close(struct script *s);

struct uiommu_endpoint *scripted_endpoint(struct script *s, unsigned dev);
/* Where a write of the device goes, with the tag in its register if it has one. */
uint64_t scripted_lands(struct script *s, unsigned dev, uint64_t iova);

#endif
