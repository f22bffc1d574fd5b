/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_SVA_H
#define UIOMMU_SVA_H

#include <uiommu/domain.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Shared virtual addressing (semantics B.20): a device uses the address space of a
 * process. Whoever has that address space, a kernel or a program that follows one, is its
 * *provider*. Units either walk the page tables that the processor walks, or, of
 * providers that have none for them, tables of the domain that only the provider fills.
 *
 * Devices see it by a domain of kind UIOMMU_DOMAIN_SVA, which is set like any other, on
 * endpoints with a PASID, those of mediated devices included; uiommu_sva_bind() is all of
 * it in one call. What maps, unmaps or splits is OPNOTSUPP for such a domain.
 *
 * A provider is counted: by whoever created it, and by each of its domains. A unit that
 * did not confirm that it has left a domain keeps it until uiommu_stop(), and one that does
 * not stop even then for ever: `released` is never called.
 *
 * What a kernel with notifiers of an address space does:
 *
 *   entries changed, before what they led to is reused    uiommu_sva_invalidate()
 *   the address space ends, before its tables are freed   uiommu_provider_exit()
 *   tables of the kernel's own are about to be freed      uiommu_sva_tables_freed()
 *
 * Each in any context in which uiommu_unmap() may be called: none of them sleeps or takes a
 * mutex, locks of the page tables may be held. So nothing that these wait for is held while
 * uiommu is called with what sleeps: a lock that on_fault takes is not held around
 * uiommu_sva_unbind() or uiommu_set_domain(), which wait until on_fault has returned, nor one
 * that fill or released take around any call that may sleep.
 *
 * Only OK says that nobody has it any more. After AGAIN, which means that units sleep and
 * take no commands, the same call is made once more when uiommu_resume() has returned, or, if
 * that failed, uiommu_stop(). After TIMEDOUT and IO it may be. What it was said of stays as
 * it is, memory and tables, until it says OK.
 */
struct uiommu_provider;

/* Tables that a processor walks. */
enum uiommu_tables {
    UIOMMU_TABLES_NONE,   /* there are none: uiommu_provider_map()         */
    /* From CR3: va_bits 48 (4 levels) or 57 (5). Units set A and D as processors do. What
     * is not for users (U/S) devices do not reach, but units may remember the way there:
     * uiommu_sva_tables_freed(). */
    UIOMMU_TABLES_X86_64,
    UIOMMU_TABLES_VMSA_4K, /* from TTBR0_EL1, by granule: va_bits is 64 - T0SZ, 25 to 48.
                            * What is below TTBR1 is never reached. All leaves have nG = 1:
                            * others would outlive what is invalidated by ASID. Units set
                            * neither AF nor dirty state, whatever IDR0.HTTU says: where AF
                            * is 0, or what may be written is read-only until it is dirty
                            * (DBM), they refuse or ask, and on_fault sets it. So memory is
                            * resident only with AF 1, and writable where it is written.
                            * The privileged reach nothing (PAN), without IDR3.EPAN but for
                            * what a process may execute and not read */
    UIOMMU_TABLES_VMSA_16K,
    UIOMMU_TABLES_VMSA_64K,
};

enum {
    /* Its memory stays where it is, with its rights, as long as devices use it, or whoever
     * drives them knows what faults: devices that cannot ask for pages see it too, although
     * there is an on_fault. What they are refused is a fault like any other.           */
    UIOMMU_PROVIDER_RESIDENT = 1u << 0,
};

struct uiommu_provider_config {
    uint32_t size;       /* sizeof(struct uiommu_provider_config)           */
    uint32_t flags;      /* UIOMMU_PROVIDER_*; unknown ones are INVAL       */
    enum uiommu_tables tables;
    uint8_t va_bits;     /* with tables: see there; else 0                  */
    uint64_t root;       /* with tables: physical address of the first      */
    uint64_t
        page_sizes; /* bit n: its leaves may have 2^n bytes; without tables: one
                          * bit, the page of uiommu_provider_map(); 0: 4 KiB */
    uint64_t attributes; /* with tables: IA32_PAT, MAIR_EL1                 */
    uint32_t first, last; /* PASIDs that it may have; 0: any                */
    /*
     * One page that a device asked for: OK, once it is there with these rights
     * (UIOMMU_READ, _WRITE, _EXEC), or any other status. The first that is not OK ends the
     * group. From uiommu_serve(), in as many threads; may sleep; calls no more of uiommu
     * than handlers of page requests may (request.h), which is what changes and invalidates
     * the address space. Not called any more once all that see the domain were unbound, or
     * set to something else. NULL: nobody asks, and what is not there is a fault.
     */
    enum uiommu_status (*on_fault)(void *ctx, uint64_t iova, unsigned access);
    /*
     * Without tables: a domain came that has nothing yet. What devices are to find without
     * asking is mapped once more with uiommu_provider_map(), which leaves what is there; who
     * maps beside it has noted that for `fill` before. Called in uiommu_sva_domain() and
     * uiommu_sva_bind() with locks of uiommu held; calls nothing else of it. May be NULL.
     */
    enum uiommu_status (*fill)(void *ctx);
    /* The last reference went: nothing of ctx or of the tables is used any more. Called
     * once, where a reference may go; calls nothing of uiommu. May be NULL. */
    void (*released)(void *ctx);
    void *ctx;
};

/**
 * A provider, counted once. uiommu_destroy() is BUSY while there is one. INVAL: malformed,
 * unknown flags, or a root that is not aligned to its size. NOMEM. BUSY: handed over. May
 * sleep.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_provider_create(struct uiommu *u,
                       const struct uiommu_provider_config *config,
                       struct uiommu_provider **out);
void uiommu_provider_get(struct uiommu_provider *provider);
/** May sleep. */
void uiommu_provider_put(struct uiommu_provider *provider);

/**
 * The address space is over: when this returns no device reaches anything of it, and its
 * memory and tables, the root too, may be used for something else. Who was bound still is;
 * what devices do there is refused and not recorded, and what they ask for, or have asked,
 * is answered with *invalid*. on_fault is not called any more, but calls that are under way
 * may end later. Its PASID is nobody else's until the provider itself is gone. There is no
 * way back; to say it once more does the same again.
 *
 * Any context, beside any other call for the provider, itself too. TIMEDOUT, IO: a unit or
 * device did not confirm; it is quarantined, and the memory and tables stay. AGAIN: units
 * sleep. The provider has ended all the same, nobody is bound any more (NOENT), and
 * uiommu_resume() shuts the rest before it returns; but devices may run a moment earlier,
 * and it does not say what of that was confirmed. So memory and tables stay, and it is said
 * once more after uiommu_resume(), or after uiommu_stop() if that failed.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_provider_exit(struct uiommu_provider *provider);

/* ---- domains ---------------------------------------------------------------------- */

/**
 * The domain by which `endpoint`, with all that is moved with it, sees the address space:
 * one that there is, if it can, counted once more. May sleep.
 *
 * OPNOTSUPP (logged): the unit cannot walk such tables: format, levels, page sizes, or it
 * does not snoop the processor's caches, where tables are written. NOENT: the address
 * space is over. NODEV. NOMEM. BUSY: from inside a mediator's call. Or what fill said.
 *
 * Then uiommu_set_domain() shows it to endpoints with a PASID. OPNOTSUPP (logged): the
 * device cannot ask for pages and has to, see UIOMMU_PROVIDER_RESIDENT. INVAL: no PASID.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_sva_domain(struct uiommu_endpoint *endpoint,
                  struct uiommu_provider *provider, struct uiommu_domain **out);

/**
 * `endpoint`, of a device or a RID_INHERIT part of one, without a PASID, gets one more
 * endpoint, with one, that sees the address space. A provider has the same PASID on all
 * devices, from its first bind until it is gone. Bound once more, the pair has the same
 * endpoint, and has to be unbound as often. Of a mediated device of kind PASID, *out is
 * `endpoint`, which keeps to numbers of its own; it must see its core domain before.
 *
 * What is bound cannot be set, used with uiommu_dma_start() or destroyed by others (BUSY).
 * With UIOMMU_CONFIG_WIDE_PASIDS all members of the group that have PASIDs see what one of
 * them is bound to, under its number; to bind another to it is BUSY meanwhile.
 *
 * May sleep. As uiommu_sva_domain() and uiommu_pasid_create(). OVERFLOW (logged): the
 * device cannot send the provider's PASID. PERM: the group is not `owner`'s.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_sva_bind(struct uiommu_endpoint *endpoint,
                struct uiommu_provider *provider, const void *owner,
                struct uiommu_endpoint **out);

/**
 * The last unbind of a pair ends its endpoint, as uiommu_pasid_destroy(), or blocks that of
 * a part; all that it asked for was answered then. INVAL: it is not bound.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_sva_unbind(struct uiommu_endpoint *endpoint, bool stopped);

/* ---- with tables ------------------------------------------------------------------ */

/**
 * Entries for these addresses, `last` inclusive, have changed: when this returns no unit
 * and no device has anything of what they said before. Called after they were changed, and
 * before their memory, or tables below them, are used for anything else: of an entry that led
 * to a table, the whole range that this covered, whatever of it was mapped. 0 and UINT64_MAX:
 * the whole space. What only became present need not be told, more rights do: a device that
 * may write now would find the old entry, and ask for ever.
 *
 * Any context. Calls for one range need no lock between them; each is of what was stored
 * before it began. INVAL: last < start. AGAIN: units sleep, so it is said once more.
 * TIMEDOUT, IO: as uiommu_provider_exit().
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_sva_invalidate(struct uiommu_provider *provider, uint64_t start,
                      uint64_t last);

/**
 * Tables that are part of many address spaces, those of the kernel itself, are about to be
 * used for something else: units may remember them, although they let nobody through.
 * Called after the entries that led to them were cleared; nothing of these is left in any
 * unit when this returns. As uiommu_sva_invalidate(), but of all providers with tables, those
 * that were put too while a unit keeps their domains: it is TIMEDOUT then, and for ever after
 * an uiommu_stop() that was.
 */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_sva_tables_freed(struct uiommu *u);

/* ---- without tables --------------------------------------------------------------- */

/**
 * Map a range in each of its domains, whatever their format; pages that are there with the
 * same memory and as many rights stay. What lies beyond a domain, by which a device or a
 * mediator has fewer addresses, is left out of it: nobody who sees it gets there. No address
 * is kept for interrupts, which carry no PASID. Any context in which uiommu_map() may be
 * called, any thread; whoever calls keeps calls for the same pages apart, and from unmaps of
 * them.
 *
 * EXIST: something else is there. NOENT: the address space is over. OPNOTSUPP: it has
 * tables. INVAL, NOMEM and the rest as uiommu_map(). What was mapped before it failed
 * stays; unmap it, if it is not wanted.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_provider_map(struct uiommu_provider *provider, uint64_t iova,
                    uint64_t phys, uint64_t size, unsigned flags);

/**
 * Unmap whatever is there: when this returns no device can reach it. Contexts as
 * uiommu_unmap(). TIMEDOUT, IO: as there; the range is unmapped in all domains all the
 * same. INVAL: it is not made of the provider's pages, is empty or wraps; nothing changed.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_provider_unmap(struct uiommu_provider *provider, uint64_t iova,
                      uint64_t size);

#ifdef __cplusplus
}
#endif
#endif
