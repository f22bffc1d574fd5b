/* SPDX-License-Identifier: MIT */
/*
 * pasid.c - PASID tables made by hand: different entries are different address spaces.
 * Sections are of D51397.
 *
 * No device of QEMU's sends requests with a PASID. What is shown is how its unit finds
 * an entry for requests without one: by the directory and table of the device's context
 * entry, and by RID_PASID. What is not: requests with a PASID of their own, how they
 * are told from those without, and device TLBs.
 *
 * RID_PASID other than 0 is for units with ECAP.RPS; without, the field is reserved and
 * PASID 0 is used (9.4). QEMU's has no RPS and looks at it all the same: tests that need
 * it are no witness of what the manual says of such a unit, but of what it says of the
 * entries that are found.
 */
#include "tests/qtest/common.h"

#include <stdio.h>
#include <string.h>

#include "spec/vtd.h"
#include "spec/vtd_tables.h"

#define IOVA  UINT64_C(0x12345678000)
#define ALONE UINT64_C(0x12345679000) /* only one of two has something there */
#define RW    (UIOMMU_READ | UIOMMU_WRITE)

enum {
    NEAR = 5, /* in the first table of a directory, in the second, */
    FAR = 0x45,
    BEYOND = 1 << 13 | NEAR, /* and past the end of one with PDTS 0: 9.4 */

    /* Reasons, 7.1.3. */
    DIR_NOT_PRESENT = 0x51,
    ENTRY_NOT_PRESENT = 0x59,
    CONTEXT_INVALID = 0x43,
    NOT_CANONICAL = 0x80,
};

static const struct test_raw hows[] = {
    { "scalable", &raw_scalable },
    { "first-stage", &raw_first_stage },
    { 0 },
};

struct stand {
    struct machine *m;
    struct raw raw;
    const char *name; /* of the test */
};

/* An address space: a table in which IOVA is a page of its own, and the engines reach
 * what they need to work. */
struct space {
    uint64_t *table;
    uint64_t phys;
    uint8_t *virt;
};

static struct space new_space(struct stand *s)
{
    struct space space = { .table = raw_new(&s->raw, 0) };

    space.virt = test_page(s->m, &space.phys);
    s->raw.table = space.table;
    raw_map_area(&s->raw, ENGINE);
    raw_map_area(&s->raw, BEHIND);
    raw_map(&s->raw, IOVA, space.phys, RW);
    return space;
}

static void end_space(struct stand *s, const struct space *space)
{
    test_page_free(s->m, space->virt, space->phys);
}

static void map_alone(struct stand *s, const struct space *space)
{
    s->raw.table = space->table;
    raw_map(&s->raw, ALONE, space->phys, RW);
}

static void lead(struct stand *s, unsigned dev, const uint64_t *directory,
                 uint32_t rid_pasid)
{
    raw_pasid_context(&s->raw, s->m->devices[dev].pci, directory, rid_pasid);
}

static enum machine_dma fill(struct stand *s, unsigned dev, uint64_t iova,
                             uint8_t value)
{
    uint8_t data[4096];

    memset(data, value, sizeof(data));
    return machine_dma(s->m, dev, true, iova, data, sizeof(data));
}

/* The device writes this, there and nowhere else. */
static void fills(struct stand *s, unsigned dev, uint8_t value,
                  const struct space *in, const struct space *not_in)
{
    memset(in->virt, 0x11, 4096);
    memset(not_in->virt, 0x22, 4096);
    if (fill(s, dev, IOVA, value) != MACHINE_DMA_DONE) {
        fail_msg("%s", s->m->error);
    }
    assert_true(test_all_are(in->virt, 4096, value));
    assert_true(test_all_are(not_in->virt, 4096, 0x22));
}

static struct raw_fault refused(struct stand *s, unsigned dev, uint64_t iova)
{
    struct uiommu_pci pci = s->m->devices[dev].pci;
    struct raw_fault fault;

    assert_int_equal(fill(s, dev, iova, 0xee), MACHINE_DMA_REFUSED);
    fault = raw_fault(&s->raw);
    assert_true(fault.pending);
    assert_int_equal(fault.source, pci.bus << 8 | pci.devfn);
    return fault;
}

static struct raw_fault refused_at(struct stand *s, unsigned dev, uint64_t iova)
{
    struct raw_fault fault = refused(s, dev, iova);

    assert_int_equal(fault.reason, RAW_NO_WRITE);
    assert_int_equal(fault.iova, iova);
    return fault;
}

/* And the record says by which number. */
static void refused_as(struct stand *s, unsigned dev, uint64_t iova,
                       uint32_t pasid)
{
    struct raw_fault fault = refused_at(s, dev, iova);

    assert_true(fault.has_pasid);
    assert_int_equal(fault.pasid, pasid);
}

/* ---- by device -------------------------------------------------------------- */

static void check_devices(struct stand *s)
{
    uint64_t *one = raw_new(&s->raw, 0), *other = raw_new(&s->raw, 0);
    struct space a = new_space(s), b = new_space(s);

    map_alone(s, &a);
    raw_pasid(&s->raw, one, 0, a.table);
    raw_pasid(&s->raw, other, 0, b.table);
    lead(s, ENGINE, one, 0);
    lead(s, BEHIND, other, 0);
    raw_invalidate(&s->raw);
    for (unsigned i = 0; i < 2; i++) {
        fills(s, ENGINE, 0xa1, &a, &b);
        fills(s, BEHIND, 0xb1, &b, &a);
    }
    assert_int_equal(fill(s, ENGINE, ALONE, 0xa2), MACHINE_DMA_DONE);
    memset(a.virt, 0x33, 4096);
    (void)refused_at(s, BEHIND, ALONE);
    assert_true(test_all_are(a.virt, 4096, 0x33));
    lead(s, BEHIND, one, 0);
    raw_invalidate(&s->raw);
    fills(s, BEHIND, 0xb2, &a, &b);
    end_space(s, &a);
    end_space(s, &b);
}

/* As every unit has it: with PASID 0, from directories of their own. */
void pasid_directories_of_devices_are_apart(const struct test_board *b)
{
    for (const struct test_raw *how = hows; how->ops != NULL; how++) {
        struct stand s = { .m = test_open_mode(b, how->mode) };

        raw_start(&s.raw, how->ops, s.m);
        check_devices(&s);
        raw_stop(&s.raw);
        test_close(s.m);
    }
}

/* ---- by number -------------------------------------------------------------- */

/* Two numbers of one directory; 0 is in use, but by nobody here. */
struct numbers {
    uint64_t *directory;
    struct space zero, near, far;
};

static struct numbers new_numbers(struct stand *s)
{
    struct numbers n = { .directory = raw_new(&s->raw, 0) };

    n.zero = new_space(s);
    n.near = new_space(s);
    n.far = new_space(s);
    map_alone(s, &n.near);
    raw_pasid(&s->raw, n.directory, 0, n.zero.table);
    raw_pasid(&s->raw, n.directory, NEAR, n.near.table);
    raw_pasid(&s->raw, n.directory, FAR, n.far.table);
    lead(s, ENGINE, n.directory, NEAR);
    lead(s, BEHIND, n.directory, FAR);
    raw_invalidate(&s->raw);
    return n;
}

static void end_numbers(struct stand *s, struct numbers *n)
{
    end_space(s, &n->zero);
    end_space(s, &n->near);
    end_space(s, &n->far);
}

/* A unit that says it has no RPS, and takes PASID 0, is as the manual says. */
static bool looks_at_rid_pasid(struct stand *s, const struct numbers *n)
{
    struct vtd_ecap ecap = { raw_read64(&s->raw, VTD_REG_ECAP) };

    memset(n->zero.virt, 0, 4096);
    assert_int_equal(fill(s, ENGINE, IOVA, 0xa0), MACHINE_DMA_DONE);
    return vtd_ecap_rps(ecap) != 0 || n->zero.virt[0] != 0xa0;
}

/* Not applicable to this version: no witness. */
static void differs(struct stand *s, const char *how)
{
    unsigned v = qtest_version(s->m);

    printf("NA: q35_%s: QEMU %u.%u.%u %s\n", s->name, v / 10000, v / 100 % 100,
           v % 100, how);
}

static void each_how(const struct test_board *b, const char *name,
                     void (*check)(struct stand *s, struct numbers *n))
{
    for (const struct test_raw *how = hows; how->ops != NULL; how++) {
        struct stand s = { .m = test_open_mode(b, how->mode), .name = name };
        struct numbers n;

        raw_start(&s.raw, how->ops, s.m);
        n = new_numbers(&s);
        if (looks_at_rid_pasid(&s, &n)) {
            check(&s, &n);
        } else {
            differs(&s, "has no RPS and takes PASID 0");
        }
        end_numbers(&s, &n);
        raw_stop(&s.raw);
        test_close(s.m);
    }
}

static void check_numbers(struct stand *s, struct numbers *n)
{
    for (unsigned i = 0; i < 2; i++) {
        fills(s, ENGINE, 0xa1, &n->near, &n->far);
        fills(s, BEHIND, 0xb1, &n->far, &n->near);
    }
    assert_int_equal(fill(s, ENGINE, ALONE, 0xa2), MACHINE_DMA_DONE);
    refused_as(s, BEHIND, ALONE, FAR);
    lead(s, ENGINE, n->directory, FAR);
    lead(s, BEHIND, n->directory, NEAR);
    raw_invalidate(&s->raw);
    fills(s, ENGINE, 0xa3, &n->far, &n->near);
    fills(s, BEHIND, 0xb3, &n->near, &n->far);
    refused_as(s, ENGINE, ALONE, FAR);
}

void pasid_entries_are_apart(const struct test_board *b)
{
    each_how(b, "pasid_entries_are_apart", check_numbers);
}

/* ---- nowhere ------------------------------------------------------------------ */

static void refused_for(struct stand *s, unsigned reason)
{
    struct raw_fault fault = refused(s, ENGINE, IOVA);

    assert_int_equal(fault.code, reason);
}

static void check_nowhere(struct stand *s, struct numbers *n)
{
    raw_pasid(&s->raw, n->directory, NEAR, NULL);
    raw_invalidate(&s->raw);
    refused_for(s, ENTRY_NOT_PRESENT);
    raw_pasid(&s->raw, n->directory, NEAR, n->near.table);
    raw_invalidate(&s->raw);
    fills(s, ENGINE, 0xa1, &n->near, &n->far);
    n->directory[0] = 0;
    raw_invalidate(&s->raw);
    refused_for(s, DIR_NOT_PRESENT);
    fills(s, BEHIND, 0xb1, &n->far, &n->near);
}

void a_pasid_that_leads_nowhere_is_refused(const struct test_board *b)
{
    each_how(b, "a_pasid_that_leads_nowhere_is_refused", check_nowhere);
}

/* What is past the end is no directory entry, whatever it looks like. */
static void check_end(struct stand *s, struct numbers *n)
{
    struct raw_fault fault;

    raw_pasid(&s->raw, n->directory, BEYOND, n->near.table);
    lead(s, ENGINE, n->directory, BEYOND);
    raw_invalidate(&s->raw);
    memset(n->near.virt, 0, 4096);
    if (fill(s, ENGINE, IOVA, 0xa1) == MACHINE_DMA_REFUSED) {
        fault = raw_fault(&s->raw);
        assert_int_equal(fault.code, CONTEXT_INVALID);
        assert_true(test_all_are(n->near.virt, 4096, 0));
    } else {
        assert_true(test_all_are(n->near.virt, 4096, 0xa1));
        differs(s, "does not hold RID_PASID against PDTS: 7.1.3, 43h");
    }
}

void the_end_of_a_pasid_directory_is_kept(const struct test_board *b)
{
    each_how(b, "the_end_of_a_pasid_directory_is_kept", check_end);
}

/* 9.6: AW is of the second stage alone. IOVA has more than the 30 bits that 0 is. */
static void check_width(struct stand *s, struct numbers *n)
{
    uint64_t *entry = raw_below(&s->raw, &n->directory[0], 1) +
                      NEAR * VTD_PASID_ENTRY_BYTES / 8;
    struct vtd_pasid_entry_q0 q0 = { entry[0] };

    if (s->raw.ops != &raw_first_stage) {
        return;
    }
    fills(s, ENGINE, 0xa1, &n->near, &n->far);
    entry[0] = vtd_pasid_entry_q0_set_aw(q0, 0).raw;
    raw_invalidate(&s->raw);
    if (fill(s, ENGINE, IOVA, 0xa2) == MACHINE_DMA_DONE) {
        assert_true(test_all_are(n->near.virt, 4096, 0xa2));
    } else {
        assert_int_equal(raw_fault(&s->raw).code, NOT_CANONICAL);
        differs(s, "takes the width of first-stage addresses from AW: 9.6");
    }
}

void first_stage_addresses_have_their_own_width(const struct test_board *b)
{
    each_how(b, "first_stage_addresses_have_their_own_width", check_width);
}

/* ---- caches -------------------------------------------------------------------- */

static void unmap(struct stand *s, const struct space *space)
{
    s->raw.table = space->table;
    raw_map(&s->raw, IOVA, 0, 0);
}

/* Both lose a page; one number is invalidated, then the other. */
static void check_caches(struct stand *s, struct numbers *n)
{
    fills(s, ENGINE, 0xa1, &n->near, &n->far);
    fills(s, BEHIND, 0xb1, &n->far, &n->near);
    unmap(s, &n->near);
    unmap(s, &n->far);
    fills(s, ENGINE, 0xa2, &n->near, &n->far);
    fills(s, BEHIND, 0xb2, &n->far, &n->near);
    raw_pasid_invalidate(&s->raw, NEAR, n->near.table);
    refused_as(s, ENGINE, IOVA, NEAR);
    fills(s, BEHIND, 0xb3, &n->far, &n->near);
    raw_pasid_invalidate(&s->raw, FAR, n->far.table);
    refused_as(s, BEHIND, IOVA, FAR);
}

void translations_are_cached_by_pasid(const struct test_board *b)
{
    each_how(b, "translations_are_cached_by_pasid", check_caches);
}
