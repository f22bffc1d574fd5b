/* SPDX-License-Identifier: MIT */
/*
 * audited.h - what an audit told, and words of tables that change behind uiommu's back and
 * change back. Where the words lie the driver is asked, not the walker that is tested.
 */
#ifndef UIM_TESTS_CORE_AUDITED_H
#define UIM_TESTS_CORE_AUDITED_H

#include "tests/core/help.h"

#include "core/core.h"

/* ---- what was told ----------------------------------------------------------------- */

enum { ROWS = 256, ROW_TEXT = 200 };

struct audited {
    enum uiommu_status status;
    unsigned n, findings;
    unsigned kinds[UIOMMU_AUDIT_UNFINISHED + 1];
    struct uiommu_audit row[ROWS];
    char text[ROWS][ROW_TEXT];
};

/* Of the instance; the last that was asked. */
const struct audited *audit(struct rig *rig);
const struct audited *audit_of(struct uiommu *u);
const struct audited *audited_last(void);

/* The row of an endpoint; fails if there is not exactly one, but of ATS. */
const struct uiommu_audit *row_of(const struct audited *a,
                                  const struct uiommu_endpoint *ep);

/* There are no findings; there is this one, of a unit, and no other. */
void finds_nothing(struct rig *rig);
void finds_unit(struct rig *rig, enum uiommu_audit_kind kind, const char *says);
/* And of a requester: of an endpoint, or only with that id. */
void finds(struct rig *rig, enum uiommu_audit_kind kind,
           struct uiommu_endpoint *ep);
void finds_id(struct rig *rig, enum uiommu_audit_kind kind, uint32_t id,
              uint32_t pasid);

/* ---- words that change --------------------------------------------------------------- */

enum { CHANGES = 64 };

struct changes {
    unsigned n;
    struct {
        uim_word *word;
        uint64_t was;
    } at[CHANGES];
};

void change(struct changes *c, uim_word *word, uint64_t value);
void change_bits(struct changes *c, uim_word *word, uint64_t mask,
                 uint64_t value);
void change_back(struct changes *c);

/* ---- entries, of whatever unit --------------------------------------------------------- */

/* The entry that names the page tables of an endpoint, or passes; and of the id alone. */
uim_word *audited_entry(struct uiommu_endpoint *ep);
uim_word *entry_of_id(struct uiommu_endpoint *like, uint32_t id);
unsigned entry_words(struct uiommu_endpoint *ep);
/* `from` says the same at `to`. */
void copy_entry(struct changes *c, const uim_word *from, uim_word *to,
                unsigned words);

/* The endpoint, whose domain maps pages, */
void let_all_pass(struct changes *c, struct uiommu_endpoint *ep);
void use_root(struct changes *c, struct uiommu_endpoint *ep, uint64_t root);
void use_levels(struct changes *c, struct uiommu_endpoint *ep);
void use_tag(struct changes *c, struct uiommu_endpoint *ep, uint32_t tag);
void answer_ats(struct changes *c, struct uiommu_endpoint *ep);
void damage(struct changes *c, struct uiommu_endpoint *ep);
/* What leads to its entry leads to `phys`. False: nothing does. */
bool lose_entry(struct changes *c, struct uiommu_endpoint *ep, uint64_t phys);

/* Where tables and pages are, in words of any of them. */
#define ADDRESS UINT64_C(0xfffffffff000)
/* The entry of its page tables for iova at a level. */
uim_word *pte_of(struct rig *rig, struct uiommu_domain *d, uint64_t iova,
                 unsigned level);

/* ---- scene -------------------------------------------------------------------------------- */

/* Engine 0 and 1 have domains with a page each at BASE, engine 2 is blocked. */
struct scene {
    struct uiommu_endpoint *ep[3];
    struct uiommu_domain *d[2];
    uint64_t page[2];
    struct changes c;
};

void open_scene(struct rig *rig, struct scene *s);
void close_scene(struct rig *rig, struct scene *s);

/* ---- registers ----------------------------------------------------------------------------- */

void poke_register(struct rig *rig, uint32_t offset, uint32_t bytes,
                   uint64_t value);
/* Everything passes, and no more. */
void switch_off(struct rig *rig);
void switch_on(struct rig *rig);

#endif
