/* SPDX-License-Identifier: MIT */
/*
 * accel_share_test.c - a streaming accelerator shared by address spaces: work without a
 * PASID, a queue with a PASID for each of them, and one for all, on every unit that has
 * PASIDs. Its engines go on while uiommu waits for the unit. accel_parts_test.c has the
 * driver that lends them.
 */
#include "tests/core/pasids.h"

#include "hosts/sim/accel.h"
#include "hosts/sim/accel_driver.h"

#include <string.h>

enum {
    ACCEL = 3, /* which engine it is */
    QUEUES = 4, /* 0: its driver's; the others': clients' */
    ORDER = 3,
    SIZE = RIG_PAGE << ORDER,
    SRC = 0,
    DST = SIZE / 2,
    RECORD = SIZE - 64,
    PART = SIZE / 2 - RIG_PAGE,
};

#define BASE GIB(2)
#define LONG UINT64_C(100000000)

struct share {
    struct rig *rig;
    struct accel_driver drv;
    unsigned dev;
    struct client {
        struct uiommu_endpoint *ep;
        struct uiommu_domain *domain;
        uint64_t phys;
        uint8_t *mem;
    } client[QUEUES];
};

static bool with_accel(struct rig *rig, const char **why)
{
    rig->config.accels = 1;
    return has_pasids(rig, why);
}

static bool with_accel_and_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_accel(rig, why);
}

static void movdir64b(void *ctx, uint64_t addr, const void *bytes)
{
    sim_movdir64b(ctx, addr, bytes);
}

static bool enqcmds(void *ctx, uint64_t addr, const void *bytes)
{
    return sim_enqcmds(ctx, addr, bytes);
}

/* ---- clients --------------------------------------------------------------- */

static void client_memory(struct share *s, unsigned i)
{
    struct client *c = &s->client[i];

    c->phys = rig_pages(s->rig, ORDER);
    c->mem = sim_ram(s->rig->m, c->phys, SIZE);
    c->domain = rig_domain(s->rig, ACCEL);
    rig_ok(uiommu_map(c->domain, BASE, c->phys, SIZE, RIG_RW));
    memset(c->mem + SRC, (int)(0x10 + i), PART);
}

static void client_begin(struct share *s, unsigned i)
{
    struct client *c = &s->client[i];
    uint32_t number = UIOMMU_NO_PASID;

    client_memory(s, i);
    if (i == 0) {
        c->ep = rig_endpoint(s->rig, ACCEL);
        see(c->ep, c->domain);
    } else {
        c->ep = pasid(s->rig, ACCEL);
        see(c->ep, c->domain);
        number = uiommu_endpoint_pasid(c->ep);
    }
    rig_ok(accel_queue_pasid(&s->drv, i, number));
}

/* In this order: nothing with the number is in the device when the unit forgets it. */
static void client_end(struct share *s, unsigned i)
{
    struct client *c = &s->client[i];

    rig_ok(accel_queue_clear(&s->drv, i));
    if (i == 0)
        see(c->ep, uiommu_blocked(s->rig->u));
    else
        rig_ok(uiommu_pasid_destroy(c->ep, true));
    uiommu_domain_put(c->domain);
    c->domain = NULL;
}

static void share_open(struct share *s, struct rig *rig)
{
    const struct accel_cpu cpu = { movdir64b, enqcmds, rig->m, sim_device_ns };
    const struct accel_queue queue = { .size = 8 };

    memset(s, 0, sizeof(*s));
    s->rig = rig;
    s->dev = rig_engine(rig, ACCEL);
    assert_true(rig->m->devices[s->dev].accel);
    rig_ok(
        accel_start(&s->drv, &rig->m->host, rig->m->devices[s->dev].pci, &cpu));
    for (unsigned i = 0; i < QUEUES; i++)
        rig_ok(accel_queue_setup(&s->drv, i, &queue));
    rig_ok(accel_enable(&s->drv));
    for (unsigned i = 0; i < QUEUES; i++)
        client_begin(s, i);
}

static void share_close(struct share *s)
{
    for (unsigned i = QUEUES; i-- > 0;)
        if (s->client[i].domain)
            client_end(s, i);
    rig_ok(accel_stop(&s->drv));
}

/* ---- work ------------------------------------------------------------------ */

static void submit_copy(struct share *s, unsigned i)
{
    struct accel_desc d = accel_desc(ACCEL_OP_MEMMOVE, 0, BASE + RECORD);

    memset(s->client[i].mem + RECORD, 0, ACCEL_RECORD_SIZE);
    accel_desc_copy(&d, BASE + DST, BASE + SRC, PART);
    rig_ok(accel_submit(&s->drv, i, false, 0, &d));
}

static struct accel_record wait_copy(struct share *s, unsigned i)
{
    struct accel_record r = { .status = ACCEL_NONE };

    rig_ok(accel_wait(&s->drv, s->client[i].mem + RECORD, LONG, &r));
    return r;
}

static void assert_copied(struct share *s, unsigned i)
{
    for (unsigned j = 0; j < PART; j++)
        assert_int_equal(s->client[i].mem[DST + j], 0x10 + i);
}

/* ---- tests ----------------------------------------------------------------- */

/* All at one address. */
static void each_client_sees_its_own(struct rig *rig)
{
    struct share s;

    share_open(&s, rig);
    for (unsigned i = 0; i < QUEUES; i++)
        submit_copy(&s, i);
    for (unsigned i = 0; i < QUEUES; i++) {
        assert_int_equal(wait_copy(&s, i).status, ACCEL_SUCCESS);
        assert_copied(&s, i);
    }
    share_close(&s);
}

/* The page goes while a copy to it is under way: what was copied before is there, the
 * record says how far it came, and others do not notice. */
static void what_is_unmapped_under_a_copy_is_a_fault(struct rig *rig)
{
    struct share s;
    struct accel_record r;
    uint64_t unmapped;

    share_open(&s, rig);
    sim_accel_pause(rig->m, s.dev, true);
    submit_copy(&s, 1);
    submit_copy(&s, 3);
    sim_accel_pause(rig->m, s.dev, false);
    assert_true(machine_run(rig->m));
    sim_accel_pause(rig->m, s.dev, true);
    rig_ok(uiommu_unmap(s.client[1].domain, BASE + DST + RIG_PAGE, RIG_PAGE,
                        &unmapped));
    sim_accel_pause(rig->m, s.dev, false);
    memset(s.client[1].mem + DST + RIG_PAGE, 0xee, RIG_PAGE);
    r = wait_copy(&s, 1);
    assert_int_equal(r.status, ACCEL_PAGE_FAULT);
    assert_true(r.fault_write);
    assert_int_equal(r.bytes, RIG_PAGE);
    assert_int_equal(r.fault, BASE + DST + RIG_PAGE);
    for (unsigned j = 0; j < RIG_PAGE; j++)
        assert_int_equal(s.client[1].mem[DST + RIG_PAGE + j], 0xee);
    assert_int_equal(wait_copy(&s, 3).status, ACCEL_SUCCESS);
    assert_copied(&s, 3);
    rig_poll(rig);
    assert_int_equal(rig->faults, rig->config.ats ? 0 : 1);
    share_close(&s);
}

/* A queue of whose PASID the unit knows nothing any more: without its mediator's help
 * the IOMMU alone holds. */
static void a_blocked_client_s_work_is_refused(struct rig *rig)
{
    struct share s;
    struct accel_swerr e;

    share_open(&s, rig);
    see(s.client[1].ep, uiommu_blocked(rig->u));
    submit_copy(&s, 1);
    submit_copy(&s, 2);
    assert_int_equal(wait_copy(&s, 2).status, ACCEL_SUCCESS);
    while (sim_accel_busy(rig->m, s.dev) > 0)
        assert_true(machine_run(rig->m));
    assert_true(accel_take_error(&s.drv, &e));
    assert_int_equal(accel_swerr_q0_error(e.q0), ACCEL_RECORD_FAULT);
    assert_int_equal(s.client[1].mem[DST], 0);
    rig_poll(rig);
    share_close(&s);
}

/* User mode: each process has its number in its CPU, and one queue serves all. */
static void processes_share_a_queue(struct rig *rig)
{
    const struct accel_queue queue = { .size = 16, .shared = true };
    struct share s;

    share_open(&s, rig);
    for (unsigned i = 0; i < QUEUES; i++)
        rig_ok(accel_queue_clear(&s.drv, i));
    rig_ok(accel_command(&s.drv, ACCEL_CMD_DISABLE_DEVICE, 0));
    rig_ok(accel_queue_setup(&s.drv, 0, &queue));
    rig_ok(accel_enable(&s.drv));
    rig_ok(accel_queue_on(&s.drv, 0));
    for (unsigned i = 1; i < QUEUES; i++) {
        struct accel_desc d = accel_desc(ACCEL_OP_MEMMOVE, 0, BASE + RECORD);

        accel_desc_copy(&d, BASE + DST, BASE + SRC, PART);
        assert_true(sim_enqcmd(rig->m, s.drv.portals,
                               uiommu_endpoint_pasid(s.client[i].ep), &d));
    }
    for (unsigned i = 1; i < QUEUES; i++) {
        assert_int_equal(wait_copy(&s, i).status, ACCEL_SUCCESS);
        assert_copied(&s, i);
    }
    share_close(&s);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(each_client_sees_its_own, with_accel),
    RIG_TEST_ON(what_is_unmapped_under_a_copy_is_a_fault, with_accel),
    RIG_TEST_ON(a_blocked_client_s_work_is_refused, with_accel),
    RIG_TEST_ON(processes_share_a_queue, with_accel),
    RIG_TEST_ON(each_client_sees_its_own, with_accel_and_ats),
    RIG_TEST_ON(what_is_unmapped_under_a_copy_is_a_fault, with_accel_and_ats),
    RIG_TEST_ON(processes_share_a_queue, with_accel_and_ats),
    { 0 },
};

int main(void)
{
    return rig_run("accel_share", tests);
}
