/* SPDX-License-Identifier: MIT */
/*
 * rig.h - every test on every machine it makes sense on.
 *
 * A rig is a fresh simulated machine with uiommu started on it and its devices
 * added. rig_run() runs each test over the cross product of how a unit can run,
 * whether it snoops, and how its caches behave. After each test the machine is
 * taken down, and nothing may be left: no memory, lock or mapping, no rule of the
 * host interface broken, no stale cache entry used.
 */
#ifndef UIM_TESTS_RIG_H
#define UIM_TESTS_RIG_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/driver.h"
#include "hosts/sim/sim.h"
#include "model/check.h"

enum {
    RIG_PAGE = 4096,
    RIG_DEVICES = 8,
};

#define RIG_RW (UIOMMU_READ | UIOMMU_WRITE)

struct uim_unit;

struct rig {
    struct sim_config config;  /* of the machine                             */
    struct uiommu_config setup; /* of the instance; options is added         */
    struct machine *m;
    struct uiommu *u;          /* NULL: not created, or destroyed            */
    bool started;
    struct uiommu_device *device[RIG_DEVICES]; /* by index into m->devices   */
    char options[96], args[64];
    const char *name;          /* of the test, with its machine              */

    unsigned faults;           /* delivered to the instance's handler        */
    struct uiommu_fault fault; /* the last one                               */
    char sentence[512];        /* and what it says                           */
    unsigned expected_stale;   /* uses of stale entries the test caused      */
    bool dirty;                /* the test broke the machine: no checks of
                                * caches and rules, but memory all the same  */
    void (*look)(void *ctx);   /* see rig_watch()                            */
    void *look_ctx;
};

/* What some kinds of units do and others do not. */
enum {
    RIG_ADOPTION = 1u << 0,   /* go on with tables that another owner left    */
    RIG_INTERRUPTS = 1u << 1, /* remap them                                   */
    RIG_SOURCES = 1u << 2,    /* say which function faulted, known or not     */
    RIG_DMAR = 1u << 3,       /* are described by one                         */
    RIG_HOLES = 1u << 4,      /* cache that nothing is mapped, if asked for   */
    RIG_INVALID = 1u << 5,    /* the same of entries of requesters            */
    RIG_WINDOW = 1u << 6,     /* take writes to some addresses for messages   */
    RIG_WRITE_ONLY = 1u << 7, /* know pages that cannot be read               */
    RIG_STRAYS = 1u << 8,     /* tell of answers that nobody waits for        */
    RIG_EMPTIES = 1u << 9,    /* have nothing in entries that block           */
    RIG_TLB_FIRST = 1u << 10, /* want leaves gone before a device's own TLB   */
    RIG_RELAXABLE = 1u << 11, /* have regions that end with a claim           */
    RIG_BREAKS = 1u << 12,    /* show nothing between one domain and the next */
    RIG_PROMPT = 1u << 13,    /* read commands when told, whatever they cache */
};

/* What is a matter of the unit. */
enum { RIG_REGISTERS = 8, RIG_ALWAYS = 64 };
struct rig_arch {
    const struct uiommu_driver *driver;
    const char *mode, *format; /* as uiommu says them                        */
    uint64_t page_sizes;
    unsigned map_flags;        /* that pages may have besides rights         */
    const char *other_mode;    /* an option for one that the unit lacks      */
    unsigned does;             /* RIG_ADOPTION | ...                         */
    const char *args;          /* of the model, in all tests                 */
    const char *narrow, *wide; /* more: three and five levels; NULL: cannot  */
    unsigned narrow_bits;      /* of addresses with the former               */
    /* What of it changes with the domain of a requester, what holds leaves, and the
     * names of the commands, by enum uim_check_kind. */
    enum uim_check_cache entry_cache;
    enum uim_check_kind entry_kind, leaf_kind;
    const char *const *command;
    /* Errors of a queue: a command is refused; it stops for good, and what is said. */
    unsigned refused, stopped;
    const char *stopped_says;
    bool stopped_stays;        /* nobody acknowledges that                   */
    unsigned least_pages;      /* of an invalidation of one page             */
    unsigned devtlb_parts;     /* commands for a range about a power of 2    */
    uint64_t leaf_ignored;     /* bits of leaves that the unit sets by itself */
    /* Registers that a failed call must not change: where bit `needs` of the first is
     * set, which says what is on. */
    struct rig_register {
        uint32_t offset, bytes;
        uint64_t ignored;
        unsigned needs;        /* RIG_ALWAYS                                 */
    } reg[RIG_REGISTERS];
    /* The ring, which every call writes to. */
    struct uiommu_range (*queue)(struct rig *rig);
    /* Ids for domains that are out, and those that always are. */
    unsigned (*ids)(const struct uim_unit *unit);
    unsigned ids_at_rest;
    uint64_t fault_bits;       /* of an address that a fault has             */
    /* Faults or errors that nobody took from the unit yet. */
    bool (*pending)(struct rig *rig);
    /* Writes to registers: one gives the memory of a fault back, one switches the
     * unit, and whether translation is `on` then. */
    bool (*gives_back)(uint64_t offset, uint64_t value);
    bool (*switches)(uint64_t offset, uint64_t value, bool *on);
};

const struct rig_arch *rig_arch_of(enum sim_mode mode);
const struct rig_arch *rig_arch(const struct rig *rig);
uint64_t rig_register(struct rig *rig, uint32_t offset, uint32_t bytes);
/* What the machine's unit does not do of RIG_ADOPTION | ..., in words; or NULL. */
const char *rig_lacks(const struct rig *rig, unsigned needs);
/* For `prepare`: false if it lacks one of these, and why. */
bool rig_does(const struct rig *rig, unsigned needs, const char **why);

struct rig_test {
    const char *name;
    void (*run)(struct rig *rig);
    /* Called before the machine is opened, may change rig->config and setup.
     * False: does not apply to this machine, `why` says the reason. Optional. */
    bool (*prepare)(struct rig *rig, const char **why);
    bool cold;                 /* the machine only: rig->u is not created    */
    const char *once;          /* why calls cannot be made to fail under it; see
                                * tests/failing                              */
};

#define RIG_TEST(fn)                                                           \
    {                                                                          \
        .name = #fn, .run = fn                                                 \
    }
#define RIG_TEST_ON(fn, prep)                                                  \
    {                                                                          \
        .name = #fn, .run = fn, .prepare = prep                                \
    }
#define RIG_COLD(fn)                                                           \
    {                                                                          \
        .name = #fn, .run = fn, .cold = true                                   \
    }
#define RIG_COLD_ON(fn, prep)                                                  \
    {                                                                          \
        .name = #fn, .run = fn, .prepare = prep, .cold = true                  \
    }

/* Runs a NULL-name-terminated table; what a test's main() returns. */
int rig_run(const char *suite, const struct rig_test *tests);
/* All of them need RIG_ADOPTION | ...: machines without do not run them. */
int rig_run_where(unsigned needs, const char *suite,
                  const struct rig_test *tests);

/* Set in programs in which every call fails before it succeeds (tests/failing):
 * told which rig calls are about, NULL after each test. */
extern void (*rig_failing)(struct rig *rig);

/* ---- steps that tests share ------------------------------------------------ */

#define rig_ok(status)     assert_int_equal(status, UIOMMU_OK)
#define rig_is(status, is) assert_int_equal(status, is)

/* All that there are. */
extern const struct uiommu_driver *const rig_drivers[];
enum { RIG_DRIVERS = 2 };

/* What rig_run() does before a test, for tests that begin cold. */
enum uiommu_status rig_create(struct rig *rig);
enum uiommu_status rig_start(struct rig *rig);
enum uiommu_status rig_add(struct rig *rig, unsigned dev);
void rig_add_all(struct rig *rig);
/* And after it: all devices removed, stopped, destroyed. */
void rig_down(struct rig *rig);

/* The nth engine of the machine: its index, its endpoint. */
unsigned rig_engine(struct rig *rig, unsigned n);
struct uiommu_endpoint *rig_endpoint(struct rig *rig, unsigned n);

/* A new domain for engine n; with rig_attached, the engine sees it. */
struct uiommu_domain *rig_domain(struct rig *rig, unsigned n);
struct uiommu_domain *rig_attached(struct rig *rig, unsigned n);
/* Engine n back to blocked, the domain put. */
void rig_drop(struct rig *rig, unsigned n, struct uiommu_domain *domain);

/* RAM of the machine: physical address of 2^order pages. */
uint64_t rig_pages(struct rig *rig, unsigned order);

/* DMA of engine n: 8 bytes; true if it went through. The write is looked at in
 * memory: `phys` is where it has to arrive.                                  */
bool rig_write(struct rig *rig, unsigned n, uint64_t iova, uint64_t value);
bool rig_read(struct rig *rig, unsigned n, uint64_t iova, uint64_t *value);
uint64_t rig_peek(struct rig *rig, uint64_t phys);
void rig_poke(struct rig *rig, uint64_t phys, uint64_t value);
/* Both ways between iova and phys. */
bool rig_reaches(struct rig *rig, unsigned n, uint64_t iova, uint64_t phys);
bool rig_refused(struct rig *rig, unsigned n, uint64_t iova);
/* The same of requests with a PASID, or UIOMMU_NO_PASID. */
bool rig_dma(struct rig *rig, unsigned n, uint32_t pasid, bool write,
             uint64_t iova, uint64_t *value);
bool rig_pasid_reaches(struct rig *rig, unsigned n, uint32_t pasid,
                       uint64_t iova, uint64_t phys);
bool rig_pasid_refused(struct rig *rig, unsigned n, uint32_t pasid,
                       uint64_t iova);

/* Lets interrupts arrive and polls; rig->faults counts what came. */
void rig_poll(struct rig *rig);

/* The test makes stale uses on purpose: that many, then forgotten. */
void rig_expect_stale(struct rig *rig, unsigned n);

/* `look` is called at each register write, flush and fence, and where stores can
 * be seen (programs ending in -hooked) after each store. It may probe; what is
 * stale meanwhile is for the test to forget. NULL: no more.                   */
void rig_watch(struct rig *rig, void (*look)(void *ctx), void *ctx);

/* Everything that a failed call must not change: what uiommu has from its host,
 * what is in tables, registers but those of queues and faults, and what engines
 * are answered. */
enum { RIG_PLACES = 6 };
struct rig_state {
    const struct rig_arch *arch;
    struct sim_counts counts;
    uint64_t tables;
    uint64_t reg[RIG_REGISTERS];
    unsigned ids;   /* domain ids in use                                     */
    bool broken;    /* some unit does not confirm, and so gives none back    */
    bool several;   /* devices, ids or PASIDs of some group, or doorbells    */
    uint64_t holds; /* a digest of who sees which domain, of references and
                     * users                                                 */
    uint64_t answer[RIG_DEVICES][RIG_PLACES];
};

struct rig_state rig_state(struct rig *rig);
/* No domain lives: then all domain ids but those that are never given are free. */
void rig_check_ids(const struct rig *rig);
/* A sentence about what differs, or NULL. It lives until the next call. */
const char *rig_difference(const struct rig_state *before,
                           const struct rig_state *after);
/* Nothing differs but that the unit or a domain has more tables, or a domain more links:
 * what is left when one of several could not follow (driver.h). What nothing leads to is
 * found when the machine is taken down. */
bool rig_only_grew(const struct rig_state *before,
                   const struct rig_state *after);
void rig_assert_same(struct rig *rig, const struct rig_state *before);
/* The same, of a device that sees nothing: what its unit does not look at then may stay
 * in its tables, unless RIG_EMPTIES. */
void rig_assert_same_seen(struct rig *rig, const struct rig_state *before);

/* Calls `step` with the first, second, ... host call failing until none failed
 * any more. A step that fails must answer NOMEM (or `other`) and leave the state
 * as it was; after one that succeeds `undo` is called, which must bring the state
 * back.                                                                       */
typedef enum uiommu_status (*rig_step)(struct rig *rig, void *ctx);
typedef void (*rig_undo)(struct rig *rig, void *ctx);
void rig_each_failure(struct rig *rig, rig_step step, rig_undo undo, void *ctx,
                      enum uiommu_status other);

#endif
