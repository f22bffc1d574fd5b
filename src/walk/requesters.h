/* SPDX-License-Identifier: MIT */
/*
 * requesters.h - the tables that say who sees what, read as the hardware reads them: from
 * the root that a unit's registers name to the root of page tables.
 *
 * The levels of a unit's tables are data, as page-table formats are in walk.h; what the
 * words of an entry mean is one function a format. Never used to write tables. Nothing
 * that is read is believed: all loops end by the width of the number that is looked up.
 */
#ifndef UIM_WALK_REQUESTERS_H
#define UIM_WALK_REQUESTERS_H

#include "walk/walk.h"

enum { UIM_ENTRY_WORDS = 8 };

/* A link to a table of entries. */
struct uim_walk_link {
    uint64_t present; /* leads on if one of these bits is set               */
    uint64_t next;    /* bits of the table's address                        */
    uint64_t span;    /* 0: the table is whole; bits that hold n, from bit 0 on:
                       * it has 2^(n - 1) entries                           */
    uint8_t lg2;      /* log2 of the bytes of a link                        */
};

/* Entries that are found by a number: in one table, or by links in another. */
struct uim_walk_index {
    const struct uim_walk_link *link; /* NULL: one table                    */
    uint64_t root;
    uint8_t bits;      /* of numbers that there is room for: 32 at most      */
    uint8_t low_bits;  /* of these, those that lie behind one link           */
    uint8_t entry_lg2; /* log2 of the bytes of an entry                      */
};

enum uim_walk_found {
    UIM_WALK_FOUND,
    UIM_WALK_ABSENT,   /* no table has it                                    */
    UIM_WALK_UNREAD,   /* what leads to it, or the entry, cannot be read     */
};

/* The words of entry n, and where they lie. */
enum uim_walk_found uim_walk_entry_of(const struct uim_walk_index *index,
                                      uim_walk_read read, void *ctx, uint32_t n,
                                      uint64_t *words, uint64_t *phys);
/* After n, where that was `found`: the first number that may be otherwise. Beyond the
 * last: 2^bits. */
uint64_t uim_walk_skip(const struct uim_walk_index *index,
                       enum uim_walk_found found, uint32_t n);

/* What requests are shown. */
enum uim_sight_kind {
    UIM_SIGHT_NOTHING,   /* all of them are refused                          */
    UIM_SIGHT_ALL,       /* they pass as they are                            */
    UIM_SIGHT_TABLE,     /* what the tables from `root` on map               */
    UIM_SIGHT_MALFORMED, /* refused by a unit that looks; they may not all   */
    UIM_SIGHT_UNREAD,    /* not known                                        */
};

struct uim_sight {
    enum uim_sight_kind kind;
    uint64_t phys;     /* of the entry that says so                          */
    uint32_t tag;      /* of what is cached of it                            */
    uint64_t root;     /* TABLE: page tables, and how they are read          */
    struct uim_walk_params params;
    bool more;         /* TABLE: and by a second table, or stage, besides    */
};

/* What the entry of an id says. */
struct uim_requester {
    struct uim_sight own;    /* of requests without a PASID; not if own_below */
    bool own_below;          /* that is an entry of `pasids`                 */
    uint32_t own_pasid;      /* which                                        */
    bool with_pasid;         /* requests with a PASID are looked up there    */
    bool ats;                /* translated requests pass; ATS is answered    */
    struct uim_walk_index pasids;
};

struct uim_requesters;

/* How entries of a kind of unit are read. */
struct uim_requester_format {
    const char *name;
    void (*decode)(const struct uim_requesters *t, const uint64_t *words,
                   struct uim_requester *out);
    void (*decode_pasid)(const struct uim_requesters *t, const uint64_t *words,
                         struct uim_sight *out);
};

/* The tables of one unit. */
struct uim_requesters {
    const struct uim_requester_format *format;
    struct uim_walk_index ids;
    uint64_t page_sizes;  /* as in uim_walk_params                           */
    uint64_t unreserved;
    uint8_t phys_bits;
    bool passes;          /* it has pass-through                             */
};

/* What requests of the id see without a PASID; *out says what there is besides. */
void uim_requester_read(const struct uim_requesters *t, uim_walk_read read,
                        void *ctx, uint32_t id, struct uim_requester *out);
/* The same with the PASID. */
void uim_requester_pasid(const struct uim_requesters *t, uim_walk_read read,
                         void *ctx, const struct uim_requester *r,
                         uint32_t pasid, struct uim_sight *out);
/* The first PASID from *pasid on that is shown something, and not what requests without
 * one are by the same entry. False: none. */
bool uim_requester_next(const struct uim_requesters *t, uim_walk_read read,
                        void *ctx, const struct uim_requester *r,
                        uint32_t *pasid, struct uim_sight *out);

/* VT-d, by RTADDR (9.1 to 9.6). */
void uim_requesters_vtd_legacy(struct uim_requesters *t, uint64_t rtaddr);
void uim_requesters_vtd_scalable(struct uim_requesters *t, uint64_t rtaddr);
/* SMMUv3, by STRTAB_BASE and STRTAB_BASE_CFG (5.1 to 5.4). */
void uim_requesters_smmuv3(struct uim_requesters *t, uint64_t base,
                           uint32_t cfg);

#endif
