/* SPDX-License-Identifier: MIT */
/*
 * unit.h - what every driver needs of a unit, whatever its bits: registers, time, spin
 * locks, pages it reads, and giving it up. Any context, but where it says otherwise.
 */
#ifndef UIM_CORE_UNIT_H
#define UIM_CORE_UNIT_H

#include "base/store.h"
#include "core/driver.h"

/* ---- registers ------------------------------------------------------------- */

/* Maps unit->base anew. False: the host cannot. May sleep, as unmap may. */
bool uim_registers_map(struct uim_unit *unit, size_t size);
void uim_registers_unmap(struct uim_unit *unit);

uint32_t uim_rd32(const struct uim_unit *unit, size_t offset);
uint64_t uim_rd64(const struct uim_unit *unit, size_t offset);
void uim_wr32(const struct uim_unit *unit, size_t offset, uint32_t value);
void uim_wr64(const struct uim_unit *unit, size_t offset, uint64_t value);

/* Waits until the masked register is `want`. False: it took unit->timeout_ns. */
bool uim_wait32(const struct uim_unit *unit, size_t offset, uint32_t mask,
                uint32_t want);
bool uim_wait64(const struct uim_unit *unit, size_t offset, uint64_t mask,
                uint64_t want);

/* ---- the host, for this unit ------------------------------------------------- */

uint64_t uim_now(const struct uim_unit *unit);
void uim_relax(const struct uim_unit *unit);
void uim_spin_lock(const struct uim_unit *unit, void *spin);
void uim_spin_unlock(const struct uim_unit *unit, void *spin);
/* NULL is no lock. May sleep. */
void uim_spin_free(const struct uim_unit *unit, void *spin);

/* A message of the unit's own, its nth. Of none, the host is told that it has to poll
 * (logged) for `what`. May sleep, both. */
struct uim_message {
    bool given;
    uint64_t addr;
    uint32_t data;
};
void uim_message_alloc(const struct uim_unit *unit, unsigned n,
                       const char *what, struct uim_message *out);
void uim_message_free(const struct uim_unit *unit, unsigned n,
                      const struct uim_message *message);

/* What was stored is in memory, before anything that follows, for a unit that snoops
 * or does not. */
void uim_write_back(const struct uim_unit *unit, bool coherent, const void *p,
                    size_t size);
/* 2^order zeroed pages for the unit to read. NULL: none left, or beyond what it can
 * address (logged). */
uim_word *uim_pages_alloc(const struct uim_unit *unit, bool coherent,
                          unsigned order, uint64_t *phys);
/* The same for the unit to write and the CPU to read. */
uim_word *uim_pages_alloc_read(const struct uim_unit *unit, unsigned order,
                               uint64_t *phys);
/* NULL is no page. */
void uim_pages_free(const struct uim_unit *unit, uim_word *pages, uint64_t phys,
                    unsigned order);

/* ---- entries ----------------------------------------------------------------- */

/* Stores the word of an entry that lets the endpoint's DMA through, written back: without
 * the bits `open`, which alone do that, if the endpoint is muted. False: it was
 * quarantined, and nothing is stored. Whoever cuts it has marked it before, and takes the
 * word back under the same lock: so of the two the cut is the last, whichever came
 * first. */
bool uim_entry_open(const struct uim_unit *unit,
                    const struct uiommu_endpoint *endpoint, bool coherent,
                    uim_word *word, uint64_t value, uint64_t open);
/* Clears `valid` in it, in one store. */
void uim_entry_block(const struct uim_unit *unit, bool coherent, uim_word *word,
                     uint64_t valid);
/* Clears and sets bits, in one store, beside whoever does the same. */
void uim_entry_change(const struct uim_unit *unit, bool coherent,
                      uim_word *word, uint64_t clear, uint64_t set);

/* ---- giving up --------------------------------------------------------------- */

/* From now on nothing waits for this unit any more. Returns TIMEDOUT. */
enum uiommu_status uim_break(struct uim_unit *unit, const char *what);

/* ---- options (uiommu/drivers.h) ---------------------------------------------- */

bool uim_text_is(const char *a, const char *b);
/* "timeout_ms=N". INVAL. */
enum uiommu_status uim_timeout_option(uint32_t *ms, const char *value);
/* How long a unit may take; 0: as long as where nobody said it. */
uint64_t uim_timeout_ns(uint32_t ms);

#endif
