/* SPDX-License-Identifier: MIT */
/*
 * help.h - questions and records that several tests of the core share.
 */
#ifndef UIM_TESTS_CORE_HELP_H
#define UIM_TESTS_CORE_HELP_H

#include "tests/rig/rig.h"

#include <stdio.h>
#include <string.h>

#include <uiommu/embed.h>

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

#define NOWHERE UINT64_MAX

/* ---- sentences ----------------------------------------------------------- */

#define assert_says(text, part)                                                \
    do {                                                                       \
        if (!strstr((text), (part)))                                           \
            fail_msg("\"%s\" does not say \"%s\"", (text), (part));            \
    } while (0)

/* ---- what the unit answers ----------------------------------------------- */

/* Where one access of engine n would go, with a PASID; NOWHERE: it is refused. */
static inline uint64_t lands_with(struct rig *rig, unsigned n, uint32_t pasid,
                                  uint64_t iova, unsigned access)
{
    struct uie_xlat x;

    if (sim_probe(rig->m, rig_engine(rig, n), pasid, iova, access, &x) != 0)
        return NOWHERE;
    return x.gpa + (iova & x.mask);
}

static inline uint64_t lands(struct rig *rig, unsigned n, uint64_t iova,
                             unsigned access)
{
    return lands_with(rig, n, UIOMMU_NO_PASID, iova, access);
}

/* The rights that engine n has at iova. */
static inline unsigned rights(struct rig *rig, unsigned n, uint64_t iova)
{
    unsigned may = 0;

    if (lands(rig, n, iova, UIOMMU_READ) != NOWHERE)
        may |= UIOMMU_READ;
    if (lands(rig, n, iova, UIOMMU_WRITE) != NOWHERE)
        may |= UIOMMU_WRITE;
    return may;
}

static inline uint64_t now_ns(struct rig *rig)
{
    return rig->m->host.now_ns(rig->m->host.ctx);
}

/* ---- up, for tests that begin cold --------------------------------------- */

static inline void up_to_start(struct rig *rig)
{
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_ok(rig_start(rig));
}

static inline void up(struct rig *rig)
{
    up_to_start(rig);
    rig_add_all(rig);
}

/* ---- firmware tables with changes ---------------------------------------- */

enum {
    TABLE_LENGTH_AT = 4,
    TABLE_CHECKSUM_AT = 9,
    TABLE_MAX = 1024,
};

struct table {
    uint8_t bytes[TABLE_MAX];
    size_t size;
};

static inline void table_copy(struct rig *rig, struct table *t)
{
    t->size = rig->m->table_size;
    assert_true(t->size <= TABLE_MAX);
    memcpy(t->bytes, rig->m->table, t->size);
}

static inline void table_append(struct table *t, const void *bytes, size_t size)
{
    assert_true(t->size + size <= TABLE_MAX);
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
}

/* Length and checksum are made right; an instance that has the table. */
static inline void create_with(struct rig *rig, struct table *t)
{
    uint8_t sum = 0;

    t->bytes[TABLE_LENGTH_AT] = (uint8_t)t->size;
    t->bytes[TABLE_LENGTH_AT + 1] = (uint8_t)(t->size >> 8);
    t->bytes[TABLE_CHECKSUM_AT] = 0;
    for (size_t i = 0; i < t->size; i++)
        sum = (uint8_t)(sum + t->bytes[i]);
    t->bytes[TABLE_CHECKSUM_AT] = (uint8_t)(0 - sum);
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, t->bytes, t->size));
}

/* ---- units that do not answer -------------------------------------------- */

static inline void hurry(struct rig *rig)
{
    size_t n = strlen(rig->options);

    snprintf(rig->options + n, sizeof(rig->options) - n, ",%s.timeout_ms=2",
             rig_arch(rig)->driver->name);
}

/* A unit that is silent is not waited for long. */
static inline bool in_a_hurry(struct rig *rig, const char **why)
{
    (void)why;
    hurry(rig);
    return true;
}

/* ---- domains ------------------------------------------------------------- */

static inline uint64_t last_iova(const struct uiommu_domain *domain)
{
    struct uiommu_domain_info info;

    uiommu_domain_info(domain, &info);
    return info.last_iova;
}

/* Everything out of the domain; how many bytes it was. */
static inline uint64_t unmap_all(struct uiommu_domain *domain)
{
    uint64_t bytes = NOWHERE;

    rig_ok(uiommu_unmap(domain, 0, last_iova(domain) + 1, &bytes));
    return bytes;
}

static inline void map_page(struct uiommu_domain *domain, uint64_t iova,
                            uint64_t phys)
{
    rig_ok(uiommu_map(domain, iova, phys, RIG_PAGE, RIG_RW));
}

static inline void set(struct rig *rig, unsigned n,
                       struct uiommu_domain *domain)
{
    rig_ok(uiommu_set_domain(rig_endpoint(rig, n), domain, NULL));
}

/* A new domain that engine n sees, with one page in it. */
static inline struct uiommu_domain *attached_with(struct rig *rig, unsigned n,
                                                  uint64_t iova, uint64_t phys)
{
    struct uiommu_domain *domain = rig_attached(rig, n);

    map_page(domain, iova, phys);
    return domain;
}

/* ---- failure ------------------------------------------------------------- */

/* As rig_each_failure(), for a step that cannot be undone to the byte, since
 * what a unit may have cached is kept for the next time: ends when it
 * succeeds. */
static inline void fails_without_trace(struct rig *rig, rig_step step,
                                       void *ctx)
{
    enum uiommu_status status = UIOMMU_NOMEM;

    for (unsigned nth = 1; status != UIOMMU_OK; nth++) {
        struct rig_state before = rig_state(rig);

        assert_true(nth < 100);
        sim_fail_nth(rig->m, nth);
        status = step(rig, ctx);
        sim_fail_nth(rig->m, 0);
        if (status == UIOMMU_OK)
            break;
        rig_is(status, UIOMMU_NOMEM);
        rig_assert_same_seen(rig, &before);
    }
}

/* ---- commands that the unit got ------------------------------------------ */

enum { TRACE_MAX = 1024 };

struct trace {
    struct uim_check hooks;
    struct uim_check_inval cmd[TRACE_MAX];
    unsigned n; /* all of them, also those that found no room               */
};

#define KIND(k)    (1u << UIM_CHECK_##k)
#define ANY_IOTLB  (KIND(IOTLB) | KIND(PASID_IOTLB))
#define ANY_DEVTLB (KIND(DEVTLB) | KIND(PASID_DEVTLB))

static inline void trace_add(void *ctx, const struct uim_check_inval *inval)
{
    struct trace *t = ctx;

    if (t->n < TRACE_MAX)
        t->cmd[t->n] = *inval;
    t->n++;
}

static inline void trace_start(struct rig *rig, struct trace *t)
{
    memset(t, 0, sizeof(*t));
    t->hooks.ctx = t;
    t->hooks.on_invalidate = trace_add;
    sim_hooks(rig->m, &t->hooks);
}

static inline void trace_stop(struct rig *rig, const struct trace *t)
{
    sim_hooks(rig->m, NULL);
    assert_true(t->n <= TRACE_MAX);
}

static inline bool is_kind(const struct uim_check_inval *cmd, uint32_t kinds)
{
    return (kinds >> cmd->kind & 1) != 0;
}

static inline unsigned count_kinds(const struct trace *t, uint32_t kinds)
{
    unsigned n = 0;

    for (unsigned i = 0; i < t->n; i++)
        n += is_kind(&t->cmd[i], kinds);
    return n;
}

/* Index of the first, or last, command of these kinds; -1: none. */
static inline int first_of(const struct trace *t, uint32_t kinds)
{
    for (unsigned i = 0; i < t->n; i++)
        if (is_kind(&t->cmd[i], kinds))
            return (int)i;
    return -1;
}

static inline int last_of(const struct trace *t, uint32_t kinds)
{
    for (unsigned i = t->n; i-- > 0;)
        if (is_kind(&t->cmd[i], kinds))
            return (int)i;
    return -1;
}

/* How many pages from .addr on it is about. */
static inline uint64_t pages_of(const struct uim_check_inval *cmd)
{
    return cmd->pages ? cmd->pages : UINT64_C(1) << cmd->am;
}

/* Whether one of these commands takes the page at iova out of the caches. */
static inline bool covers(const struct trace *t, uint32_t kinds, uint64_t iova)
{
    for (unsigned i = 0; i < t->n; i++) {
        const struct uim_check_inval *c = &t->cmd[i];

        if (!is_kind(c, kinds))
            continue;
        if (c->scope != UIM_CHECK_PAGE ||
            (iova >> 12) - (c->addr >> 12) < pages_of(c))
            return true;
    }
    return false;
}

/* ---- numbers that are the same in each run ------------------------------- */

static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Below n. */
static inline unsigned pick(uint64_t *state, unsigned n)
{
    return (unsigned)(next_random(state) >> 32) % n;
}

#endif
