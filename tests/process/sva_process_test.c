/* SPDX-License-Identifier: MIT */
/*
 * A real process as an address space of devices, through all of uiommu: units translate by
 * the tables of its domain, devices ask for pages, and what the process takes away no
 * device reaches, however its address is used next.
 */
#include "tests/process/sva_stand.h"

#include <sys/mman.h>
#include <unistd.h>

static void for_all(void (*test)(const struct sva_kind *kind))
{
    for (unsigned i = 0; i < SVA_KINDS; i++)
        test(&sva_kinds[i]);
}

/* ---- memory ----------------------------------------------------------------------- */

static void shares_memory(struct shared *s)
{
    volatile uint32_t *at = map_pages(3);

    at[0] = 7;
    atomic_store(&s->at, (uintptr_t)at);
    meet_host(s, 1);
    NEED(at[1] == 8 && at[2] == 9 && at[2 * PAGE / 4] == 10);
    meet_host(s, 2);
}

static void uses_memory(const struct sva_kind *kind)
{
    struct sva_stand s;
    uint32_t value = 0;
    uint64_t at;

    sva_open(&s, kind, shares_memory);
    stand_meet(&s.child, 1);
    at = stand_address(&s.child);
    assert_int_equal(s.machine.engine[0].pasid, s.machine.engine[1].pasid);
    assert_int_equal(sva_load(&s, 0, at, &value), SVA_DONE);
    assert_int_equal(value, 7);
    assert_int_equal(sva_store(&s, 0, at + 4, 8), SVA_DONE);
    assert_int_equal(sva_store(&s, 1, at + 8, 9), SVA_DONE);
    assert_int_equal(sva_store(&s, 1, at + 2 * PAGE, 10), SVA_DONE);
    assert_int_equal(sva_process_counts(s.process).frames, 2);
    assert_int_equal(s.machine.faults, 0);
    stand_go(&s.child, 1);
    stand_meet(&s.child, 2);
    stand_go(&s.child, 2);
    sva_close(&s);
}

static void devices_and_process_share_memory(void **state)
{
    (void)state;
    for_all(uses_memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_and_process_share_memory),
    };

    return RUN(tests);
}
