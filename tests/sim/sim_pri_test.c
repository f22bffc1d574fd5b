/* SPDX-License-Identifier: MIT */
/*
 * hosts/sim: functions that ask for pages (PCIe 6.x, 10.4). What they may send, what
 * they make of the answers, and how their interface starts and stops.
 */
#include "tests/sim/raw.h"
#include "tests/sim/tools.h"

#include <string.h>

enum {
    CONTROL = 4,
    STATUS = 6,
    CAPACITY = 8,
    ALLOCATION = 12,
    ENABLE = 1,
    RESET = 2,
    RF = 1,
    UPRGI = 2,
    STOPPED = 0x100,
    ON = 0x8000,
    PASID = 5,
};

#define IOVA                    UINT64_C(0x12345678000)
#define NONE                    UIOMMU_NO_PASID
#define DEVFN(device, function) ((device) << 3 | (function))

/* A physical function with two virtual ones, and somebody who does not ask. */
enum { PF, VF0, VF1, PLAIN, QUIET };

struct rig {
    struct machine *m;
    struct raw raw;
    uint64_t phys;
};

static void open_with(struct rig *rig, struct sim_config config)
{
    static const struct sim_function row[] = {
        { "pf", SIM_ENGINE, MACHINE_NO_BRIDGE, DEVFN(3, 0),
          SIM_ATS | SIM_PRI | SIM_PASID | SIM_VFS_ON },
        { "vf0", SIM_VIRTUAL, PF, DEVFN(3, 1), SIM_ATS },
        { "vf1", SIM_VIRTUAL, PF, DEVFN(3, 2), SIM_ATS },
        { "plain", SIM_ENGINE, MACHINE_NO_BRIDGE, DEVFN(4, 0),
          SIM_ATS | SIM_PRI_PLAIN | SIM_PASID },
        { "quiet", SIM_ENGINE, MACHINE_NO_BRIDGE, DEVFN(5, 0), SIM_ATS },
    };

    config.mode = SIM_SCALABLE;
    config.ats = config.pri = true;
    config.functions = row;
    config.n_functions = sizeof(row) / sizeof(*row);
    memset(rig, 0, sizeof(*rig));
    rig->m = open_sim(&config);
    rig->phys = sim_ram_alloc(rig->m, 4096);
    rig->raw.scalable = rig->raw.pages = true;
    raw_start(&rig->raw, rig->m);
    for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++)
        raw_context(&rig->raw, 0, row[i].devfn, true);
    raw_map(&rig->raw, IOVA + 0x1000, rig->phys, RAW_READ | RAW_WRITE);
    raw_pasid(&rig->raw, 0);
    raw_pasid(&rig->raw, PASID);
}

static void rig_open(struct rig *rig)
{
    open_with(rig, (struct sim_config){ .model = NULL });
}

static void rig_close(struct rig *rig)
{
    raw_stop(&rig->raw);
    close_sim(rig->m);
}

/* ---- the capability ------------------------------------------------------ */

static unsigned pri_at(struct rig *rig, unsigned dev)
{
    return ext_cap(rig->m, dev, PRI_ID);
}

static unsigned status(struct rig *rig, unsigned dev)
{
    return config_read(rig->m, dev, pri_at(rig, dev) + STATUS, 2) & 0x1ff;
}

static void control(struct rig *rig, unsigned dev, unsigned value)
{
    config_write(rig->m, dev, pri_at(rig, dev) + CONTROL, 2, value);
}

static void turn_on(struct rig *rig, unsigned dev, unsigned credits)
{
    unsigned pasid = ext_cap(rig->m, dev, PASID_ID);

    config_write(rig->m, dev, pasid + 6, 2, 1);
    config_write(rig->m, dev, ext_cap(rig->m, dev, ATS_ID) + 6, 2, ON);
    config_write(rig->m, dev, pri_at(rig, dev) + ALLOCATION, 4, credits);
    control(rig, dev, ENABLE);
}

static void turn_on_ats(struct rig *rig, unsigned dev)
{
    config_write(rig->m, dev, ext_cap(rig->m, dev, ATS_ID) + 6, 2, ON);
}

/* ---- asking and answering ------------------------------------------------ */

static struct sim_page_request page(unsigned dev, uint32_t pasid,
                                    unsigned group)
{
    return (struct sim_page_request){ .dev = dev,
                                      .pasid = pasid,
                                      .iova = IOVA,
                                      .access = UIOMMU_READ | UIOMMU_WRITE,
                                      .last = true,
                                      .group = (uint16_t)group };
}

static enum sim_stop ask(struct rig *rig, unsigned dev, uint32_t pasid,
                         unsigned group)
{
    const struct sim_page_request p = page(dev, pasid, group);

    return sim_page_request(rig->m, &p);
}

static enum sim_stop ask_more(struct rig *rig, unsigned dev, unsigned group)
{
    struct sim_page_request p = page(dev, NONE, group);

    p.last = false;
    return sim_page_request(rig->m, &p);
}

/* Answers the first request in the queue, whatever it is. */
static void serve(struct rig *rig, unsigned code)
{
    uint64_t word[2];

    assert_true(raw_page_request(&rig->raw, word));
    raw_page_response(&rig->raw, word, code);
    assert_true(raw_wait(&rig->raw, false));
}

static void serve_all(struct rig *rig)
{
    uint64_t word[2];

    while (raw_page_request(&rig->raw, word)) {
        if (word[1] & 4)
            raw_page_response(&rig->raw, word, 0);
    }
    assert_true(raw_wait(&rig->raw, false));
}

/* An answer that nobody asked the driver for. */
static void answer(struct rig *rig, unsigned dev, uint32_t pasid,
                   unsigned group, unsigned code)
{
    const struct machine_device *d = &rig->m->devices[dev];
    const uint64_t word[2] = {
        (uint64_t)(d->pci.bus << 8 | d->pci.devfn) << 16 |
            (pasid != NONE ? 1 << 8 | (uint64_t)pasid << 32 : 0),
        (uint64_t)group << 3
    };

    raw_page_response(&rig->raw, word, code);
    assert_true(raw_wait(&rig->raw, false));
}

static void expect_answer(struct rig *rig, unsigned dev, unsigned n,
                          unsigned group, unsigned code, bool expected)
{
    struct sim_page_response r = sim_page_response_at(rig->m, dev, n);

    assert_int_equal(sim_page_responses(rig->m, dev), n + 1);
    assert_int_equal(r.group, group);
    assert_int_equal(r.code, code);
    assert_int_equal(r.expected, expected);
}

/* ---- the whole way ------------------------------------------------------- */

static void a_page_that_is_missing_is_asked_for(void **state)
{
    struct rig rig;
    uint8_t byte = 0x5a;
    struct sim_request dma = { .dev = PF,
                               .pasid = PASID,
                               .write = true,
                               .iova = IOVA,
                               .buf = &byte,
                               .size = 1 };
    uint64_t word[2];

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    assert_int_equal(sim_dma(rig.m, &dma), MACHINE_DMA_REFUSED);
    assert_int_equal(dma.stop, SIM_BY_UNIT);
    assert_true(dma.no_page);
    assert_int_equal(ask(&rig, PF, PASID, 3), SIM_NOT_STOPPED);
    assert_int_equal(sim_page_groups(rig.m, PF), 1);
    assert_true(raw_page_request(&rig.raw, word));
    assert_int_equal(word[0] >> 16 & 0xffff, DEVFN(3, 0));
    assert_int_equal(word[0] >> 32, PASID);
    assert_int_equal(word[1], IOVA | 3 << 3 | 7);
    raw_map(&rig.raw, IOVA, rig.phys, RAW_READ | RAW_WRITE);
    assert_int_equal(sim_page_responses(rig.m, PF), 0);
    raw_page_response(&rig.raw, word, 0);
    assert_true(raw_wait(&rig.raw, false));
    expect_answer(&rig, PF, 0, 3, SIM_PAGE_SUCCESS, true);
    assert_int_equal(sim_page_response_at(rig.m, PF, 0).pasid, PASID);
    assert_int_equal(sim_page_groups(rig.m, PF), 0);
    assert_int_equal(sim_dma(rig.m, &dma), MACHINE_DMA_DONE);
    assert_false(dma.no_page);
    assert_int_equal(dma.addr, rig.phys);
    assert_false(raw_fault(&rig.raw));
    rig_close(&rig);
}

/* What is refused for another reason is no page to ask for. */
static void other_refusals_are_no_missing_pages(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    assert_false(dma_write(rig.m, PF, IOVA, 1).no_page); /* no ATS */
    assert_true(raw_fault(&rig.raw));
    turn_on_ats(&rig, PF);
    assert_true(dma_write(rig.m, PF, IOVA, 1).no_page);
    assert_false(dma_write(rig.m, PF, IOVA + 0x1000, 1).no_page);
    raw_context(&rig.raw, 0, DEVFN(3, 0), false);
    assert_true(raw_invalidate_devtlb(&rig.raw, 0, DEVFN(3, 0)));
    assert_false(
        dma_write(rig.m, PF, IOVA, 1).no_page); /* Unsupported Request */
    assert_true(raw_fault(&rig.raw));
    rig_close(&rig);
}

/* ---- who may ask --------------------------------------------------------- */

static void a_function_asks_when_it_may(void **state)
{
    struct rig rig;
    struct sim_page_request exec = page(PF, PASID, 1), priv = exec;
    uint64_t word[2];

    (void)state;
    rig_open(&rig);
    exec.exec = true;
    priv.priv = true;
    assert_int_equal(ask(&rig, QUIET, NONE, 1), SIM_BY_DEVICE);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_BY_DEVICE);
    turn_on(&rig, PF, 8);
    assert_int_equal(ask(&rig, PF, 1 << 20, 1), SIM_BY_DEVICE);
    assert_int_equal(sim_page_request(rig.m, &exec), SIM_BY_DEVICE);
    config_write(rig.m, PF, ext_cap(rig.m, PF, PASID_ID) + 6, 2, 3);
    expect_violation(rig.m, "PASID control");
    assert_int_equal(sim_page_request(rig.m, &exec), SIM_NOT_STOPPED);
    serve(&rig, 0);
    assert_int_equal(sim_page_request(rig.m, &priv), SIM_BY_DEVICE);
    config_write(rig.m, PF, ext_cap(rig.m, PF, PASID_ID) + 6, 2, 5);
    expect_violation(rig.m, "PASID control");
    assert_int_equal(sim_page_request(rig.m, &priv), SIM_NOT_STOPPED);
    assert_true(raw_page_request(&rig.raw, word));
    assert_int_equal(word[0] >> 52, 2); /* PMR */
    raw_page_response(&rig.raw, word, 0);
    assert_true(raw_wait(&rig.raw, false));
    control(&rig, PF, 0);
    assert_int_equal(ask(&rig, PF, NONE, 2), SIM_BY_DEVICE);
    assert_int_equal(sim_page_responses(rig.m, PF), 2);
    rig_close(&rig);
}

/* A request with a PASID has a prefix, which not every port lets through. */
static void ports_stop_prefixes(void **state)
{
    static const struct sim_function row[] = {
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, DEVFN(0x1c, 0),
          SIM_NO_PREFIX },
        { "card", SIM_ENGINE, 0, 0, SIM_ATS | SIM_PRI | SIM_PASID },
    };
    const struct sim_config config = { .mode = SIM_SCALABLE,
                                       .ats = true,
                                       .pri = true,
                                       .functions = row,
                                       .n_functions = 2 };
    struct machine *m = open_sim(&config);
    struct sim_page_request p = page(1, PASID, 1);

    (void)state;
    assert_int_equal(sim_page_request(m, &p), SIM_BY_PREFIX);
    p.pasid = NONE;
    assert_int_equal(sim_page_request(m, &p), SIM_BY_DEVICE);
    close_sim(m);
}

/* A credit a request; an answer gives those of its whole group back. */
static void credits_end_and_come_back(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 3);
    assert_int_equal(ask_more(&rig, PF, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PF, PASID, 2), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PF, NONE, 3), SIM_BY_DEVICE);
    assert_int_equal(sim_page_groups(rig.m, PF), 2);
    serve_all(&rig);
    assert_int_equal(sim_page_responses(rig.m, PF), 2);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ask(&rig, PF, NONE, i), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PF, NONE, 3), SIM_BY_DEVICE);
    serve_all(&rig);
    rig_close(&rig);
}

/* While a group waits for its answer, its number is taken; with another PASID it
 * is another group, unless answers do not say so. */
static void numbers_of_groups_are_taken(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    turn_on(&rig, PLAIN, 8);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_BY_DEVICE);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PF, PASID, 2), SIM_NOT_STOPPED);
    serve_all(&rig);
    assert_int_equal(sim_page_groups(rig.m, PF), 0);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    serve_all(&rig);
    assert_int_equal(ask(&rig, PLAIN, PASID, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PLAIN, NONE, 1), SIM_BY_DEVICE);
    answer(&rig, PLAIN, NONE, 1, 0);
    rig_close(&rig);
}

static void a_stop_marker_waits_for_nothing(void **state)
{
    struct rig rig;
    struct sim_page_request marker = page(PF, PASID, 0);
    uint64_t word[2];

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 1);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    marker.access = 0;
    assert_int_equal(sim_page_request(rig.m, &marker), SIM_NOT_STOPPED);
    assert_int_equal(sim_page_groups(rig.m, PF), 1);
    serve(&rig, 0);
    assert_true(raw_page_request(&rig.raw, word));
    assert_int_equal(word[1] & 7, 4);
    rig_close(&rig);
}

/* Without a PASID nothing is one: it takes a credit, and has its answer. */
static void a_request_for_nothing_is_no_stop_marker(void **state)
{
    struct rig rig;
    struct sim_page_request nothing = page(PF, NONE, 3);

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 1);
    nothing.access = 0;
    assert_int_equal(sim_page_request(rig.m, &nothing), SIM_NOT_STOPPED);
    assert_int_equal(sim_page_groups(rig.m, PF), 1);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_BY_DEVICE);
    serve(&rig, 0);
    expect_answer(&rig, PF, 0, 3, 0, true);
    assert_int_equal(sim_page_groups(rig.m, PF), 0);
    rig_close(&rig);
}

/* ---- answers ------------------------------------------------------------- */

static void a_group_has_one_answer(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    serve(&rig, 1);
    expect_answer(&rig, PF, 0, 1, SIM_PAGE_INVALID, true);
    assert_int_equal(status(&rig, PF), 0);
    answer(&rig, PF, PASID, 1, 0);
    expect_answer(&rig, PF, 1, 1, 0, false);
    expect_violation(rig.m, "waits for none");
    assert_int_equal(status(&rig, PF), UPRGI);
    config_write(rig.m, PF, pri_at(&rig, PF) + STATUS, 2, UPRGI);
    assert_int_equal(status(&rig, PF), 0);
    rig_close(&rig);
}

static void answers_of_others_are_no_answers(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    answer(&rig, PF, PASID, 2, 0); /* another number */
    expect_violation(rig.m, "waits for none");
    answer(&rig, PF, PASID + 1, 1, 0); /* another PASID */
    expect_violation(rig.m, "waits for none");
    answer(&rig, VF0, PASID, 1, 0); /* another function */
    expect_violation(rig.m, "vf0: an answer");
    answer(&rig, QUIET, NONE, 1, 0); /* who never asks */
    expect_violation(rig.m, "quiet: an answer");
    assert_int_equal(sim_page_groups(rig.m, PF), 1);
    serve_all(&rig);
    rig_close(&rig);
}

/* Before its last request a group has no answer. */
static void answers_may_come_too_early(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    assert_int_equal(ask_more(&rig, PF, 1), SIM_NOT_STOPPED);
    serve(&rig, 0);
    expect_violation(rig.m, "waits for none");
    assert_int_equal(status(&rig, PF), UPRGI);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    serve_all(&rig);
    expect_answer(&rig, PF, 1, 1, 0, true);
    rig_close(&rig);
}

static void answers_have_the_prefix_that_is_wanted(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    turn_on(&rig, PLAIN, 8);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    answer(&rig, PF, NONE, 1, 0);
    expect_violation(rig.m, "waits for none");
    answer(&rig, PF, PASID, 1, 0);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    answer(&rig, PF, PASID, 1, 0);
    expect_violation(rig.m, "waits for none");
    answer(&rig, PF, NONE, 1, 0);
    assert_int_equal(ask(&rig, PLAIN, PASID, 1), SIM_NOT_STOPPED);
    answer(&rig, PLAIN, PASID, 1, 0);
    expect_violation(rig.m, "comes with a PASID");
    assert_int_equal(ask(&rig, PLAIN, PASID, 1), SIM_NOT_STOPPED);
    answer(&rig, PLAIN, NONE, 1, 0);
    assert_int_equal(sim_page_groups(rig.m, PF), 0);
    assert_int_equal(sim_page_groups(rig.m, PLAIN), 0);
    rig_close(&rig);
}

/* RF: nothing is asked, no answer counts, until it is enabled again. */
static void a_failure_ends_everything(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PF, NONE, 2), SIM_NOT_STOPPED);
    serve(&rig, 15);
    expect_answer(&rig, PF, 0, 1, SIM_PAGE_FAILURE, true);
    assert_int_equal(status(&rig, PF), RF);
    assert_int_equal(sim_page_groups(rig.m, PF), 0);
    assert_int_equal(ask(&rig, PF, NONE, 3), SIM_BY_DEVICE);
    serve(&rig, 0);
    expect_answer(&rig, PF, 1, 2, 0, false);
    assert_int_equal(status(&rig, PF), RF);
    control(&rig, PF, 0);
    assert_int_equal(status(&rig, PF), RF | STOPPED);
    control(&rig, PF, ENABLE);
    assert_int_equal(status(&rig, PF), 0);
    assert_int_equal(ask(&rig, PF, NONE, 3), SIM_NOT_STOPPED);
    control(&rig, PF, 0);
    serve(&rig, 15); /* which is a way to stop, too */
    assert_int_equal(status(&rig, PF), RF | STOPPED);
    control(&rig, PF, 0);
    assert_int_equal(status(&rig, PF), RF | STOPPED);
    rig_close(&rig);
}

/* Refused by the root complex: as if it had failed. */
static void a_refused_request_is_a_failure(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    raw_stop(&rig.raw); /* translation is off */
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_BY_UNIT);
    assert_int_equal(status(&rig, PF), RF);
    assert_int_equal(sim_page_groups(rig.m, PF), 0);
    close_sim(rig.m);
}

/* The unit answers by itself, where it cannot ask anybody. */
static void the_unit_answers_too(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 32);
    raw_context(&rig.raw, 0, DEVFN(3, 0), false);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    expect_answer(&rig, PF, 0, 1, SIM_PAGE_INVALID, true);
    assert_true(raw_fault(&rig.raw));
    raw_context(&rig.raw, 0, DEVFN(3, 0), true);
    for (unsigned i = 0; i < 4 * 31; i++) {
        assert_int_equal(ask_more(&rig, PF, i), SIM_NOT_STOPPED);
        assert_int_equal(sim_page_groups(rig.m, PF), i % 31 + 1);
        if (i % 31 == 30)
            control(&rig, PF, 0);
        if (i % 31 == 30)
            control(&rig, PF, RESET);
        if (i % 31 == 30)
            control(&rig, PF, ENABLE);
    }
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ask_more(&rig, PF, i), SIM_NOT_STOPPED);
    assert_false(raw_page_overflow(&rig.raw));
    assert_int_equal(ask(&rig, PF, NONE, 40), SIM_NOT_STOPPED);
    expect_answer(&rig, PF, 1, 40, SIM_PAGE_SUCCESS, true);
    assert_true(raw_page_overflow(&rig.raw));
    rig_close(&rig);
}

/* ---- starting and stopping ------------------------------------------------ */

static void an_interface_stops_when_it_is_answered(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    assert_int_equal(status(&rig, PF), STOPPED);
    turn_on(&rig, PF, 8);
    assert_int_equal(status(&rig, PF), 0);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    control(&rig, PF, 0);
    assert_int_equal(status(&rig, PF), 0);
    control(&rig, PF, ENABLE);
    expect_violation(rig.m, "before it had stopped");
    control(&rig, PF, 0);
    serve(&rig, 0);
    expect_answer(&rig, PF, 0, 1, 0, true);
    assert_int_equal(status(&rig, PF), STOPPED);
    control(&rig, PF, ENABLE);
    rig_close(&rig);
}

/* Reset works on an interface that is off, or is switched off with it. */
static void a_reset_drops_what_is_outstanding(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    control(&rig, PF, ENABLE | RESET);
    assert_int_equal(config_read(rig.m, PF, pri_at(&rig, PF) + CONTROL, 2),
                     ENABLE);
    assert_int_equal(sim_page_groups(rig.m, PF), 1);
    control(&rig, PF, RESET);
    assert_int_equal(config_read(rig.m, PF, pri_at(&rig, PF) + CONTROL, 2), 0);
    assert_int_equal(status(&rig, PF), STOPPED);
    assert_int_equal(sim_page_groups(rig.m, PF), 0);
    serve(&rig, 0); /* too late, and no rule is broken */
    expect_answer(&rig, PF, 0, 1, 0, false);
    assert_int_equal(sim_page_response_at(rig.m, PF, 0).pasid, NONE);
    assert_int_equal(status(&rig, PF), STOPPED);
    answer(&rig, PF, NONE, 1, 0); /* once */
    expect_violation(rig.m, "waits for none");
    rig_close(&rig);
}

/* The answer to a group that was lost is taken for that of the one that has its
 * number: who does not drain gets here. */
static void late_answers_are_taken_for_others(void **state)
{
    struct rig rig;
    uint64_t word[2];

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    assert_true(raw_page_request(&rig.raw, word));
    control(&rig, PF, RESET);
    control(&rig, PF, ENABLE);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    answer(&rig, PF, NONE, 1, 1);
    expect_answer(&rig, PF, 0, 1, 1, true);
    serve(&rig, 0);
    expect_violation(rig.m, "waits for none");
    assert_int_equal(status(&rig, PF), UPRGI);
    rig_close(&rig);
}

static void a_function_that_is_reset_waits_for_nothing(void **state)
{
    struct rig rig;
    unsigned devctl;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    devctl = std_cap(rig.m, PF, 0x10) + 8;
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    config_write(rig.m, PF, devctl, 2, 0x8000);
    sim_advance(rig.m, 100 * 1000 * 1000);
    assert_int_equal(status(&rig, PF), STOPPED);
    assert_int_equal(sim_page_groups(rig.m, PF), 0);
    serve(&rig, 0);
    assert_int_equal(status(&rig, PF), STOPPED);
    rig_close(&rig);
}

static void who_is_gone_gets_no_answer(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PLAIN, 8);
    assert_int_equal(ask(&rig, PLAIN, NONE, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PLAIN, NONE, 2), SIM_NOT_STOPPED);
    sim_unplug(rig.m, PLAIN);
    assert_int_equal(ask(&rig, PLAIN, NONE, 3), SIM_BY_DEVICE);
    serve(&rig, 0);
    assert_int_equal(sim_page_responses(rig.m, PLAIN), 0);
    rig_close(&rig);
}

static void a_group_without_an_answer_is_a_leak(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    assert_int_equal(ask(&rig, PF, PASID, 17), SIM_NOT_STOPPED);
    assert_int_equal(ask_more(&rig, PF, 18), SIM_NOT_STOPPED);
    raw_stop(&rig.raw);
    assert_int_equal(sim_check_leaks(rig.m), 1);
    expect_violation(rig.m, "leak: pf: nobody answered page request group 17");
    assert_int_equal(sim_close(rig.m), 0);
}

/* ---- virtual functions ---------------------------------------------------- */

static void virtual_functions_share_the_interface(void **state)
{
    struct rig rig;
    uint64_t word[2];

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 2);
    assert_int_equal(ask(&rig, VF0, PASID, 1), SIM_BY_DEVICE); /* no ATS */
    turn_on_ats(&rig, VF0);
    turn_on_ats(&rig, VF1);
    assert_int_equal(ask(&rig, VF0, PASID, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, VF1, PASID, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_BY_DEVICE); /* no credit */
    assert_int_equal(sim_page_groups(rig.m, PF), 0);
    assert_int_equal(sim_page_groups(rig.m, VF0), 1);
    assert_true(raw_page_request(&rig.raw, word));
    assert_int_equal(word[0] >> 16 & 0xffff, DEVFN(3, 1));
    raw_page_response(&rig.raw, word, 0);
    assert_true(raw_wait(&rig.raw, false));
    expect_answer(&rig, VF0, 0, 1, 0, true);
    assert_int_equal(sim_page_groups(rig.m, VF1), 1);
    control(&rig, PF, 0);
    assert_int_equal(status(&rig, PF), 0);
    assert_int_equal(ask(&rig, VF0, PASID, 2), SIM_BY_DEVICE);
    serve_all(&rig);
    assert_int_equal(status(&rig, PF), STOPPED);
    rig_close(&rig);
}

/* Why nobody enables PRI for a virtual function: its failures are everybody's. */
static void a_failure_of_one_is_the_failure_of_all(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 8);
    turn_on_ats(&rig, VF0);
    turn_on_ats(&rig, VF1);
    assert_int_equal(ask(&rig, VF1, PASID, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, VF0, PASID, 1), SIM_NOT_STOPPED);
    serve(&rig, 15);
    assert_int_equal(status(&rig, PF), RF);
    assert_int_equal(sim_page_groups(rig.m, VF0), 0);
    assert_int_equal(ask(&rig, PF, NONE, 2), SIM_BY_DEVICE);
    rig_close(&rig);
}

/* One that is reset, or is no more, gives its credits back, and only its own. */
static void virtual_functions_go_alone(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    turn_on(&rig, PF, 2);
    turn_on_ats(&rig, VF0);
    turn_on_ats(&rig, VF1);
    assert_int_equal(ask(&rig, VF0, PASID, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    config_write(rig.m, VF0, std_cap(rig.m, VF0, 0x10) + 8, 2, 0x8000);
    sim_advance(rig.m, 100 * 1000 * 1000);
    assert_int_equal(sim_page_groups(rig.m, VF0), 0);
    assert_int_equal(sim_page_groups(rig.m, PF), 1);
    assert_int_equal(ask(&rig, VF1, PASID, 1), SIM_NOT_STOPPED);
    assert_int_equal(ask(&rig, VF1, PASID, 2), SIM_BY_DEVICE);
    serve_all(&rig);
    assert_int_equal(ask(&rig, VF1, PASID, 2), SIM_NOT_STOPPED);
    control(&rig, PF, 0);
    assert_int_equal(status(&rig, PF), UPRGI); /* VF0's came late */
    config_write(rig.m, VF1, std_cap(rig.m, VF1, 0x10) + 8, 2, 0x8000);
    assert_int_equal(status(&rig, PF), UPRGI | STOPPED);
    rig_close(&rig);
}

/* ---- late machines -------------------------------------------------------- */

/* Units and fabric are in no hurry. */
static void rig_open_late(struct rig *rig)
{
    open_with(rig, (struct sim_config){ .adversarial = true });
    turn_on(rig, PF, 8);
}

static bool nobody_asks(struct rig *rig)
{
    uint64_t word[2];

    return !raw_page_request(&rig->raw, word);
}

/* A request is on its way until somebody drains: from the function by its device TLB,
 * through the unit by a wait that says so (VT-d 7.10). */
static void a_request_takes_its_time(void **state)
{
    struct rig rig;

    (void)state;
    rig_open_late(&rig);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    assert_true(raw_wait(&rig.raw, true));
    assert_true(nobody_asks(&rig));
    turn_on(&rig, PLAIN, 8);
    assert_int_equal(ask(&rig, PLAIN, NONE, 1), SIM_NOT_STOPPED);
    assert_true(raw_invalidate_devtlb(&rig.raw, 0, DEVFN(4, 0)));
    assert_true(raw_wait(&rig.raw, true));
    serve(&rig, 0);
    assert_true(nobody_asks(&rig)); /* that was another one's */
    assert_true(raw_invalidate_devtlb(&rig.raw, 0, DEVFN(3, 0)));
    assert_true(nobody_asks(&rig));
    assert_true(raw_wait(&rig.raw, true));
    serve(&rig, 0);
    assert_true(raw_invalidate_devtlb(&rig.raw, 0, DEVFN(3, 0)));
    expect_answer(&rig, PF, 0, 1, 0, true);
    rig_close(&rig);
}

/* An answer is, too: its group waits for it. */
static void an_answer_takes_its_time(void **state)
{
    struct rig rig;

    (void)state;
    rig_open_late(&rig);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    machine_run(rig.m);
    serve(&rig, 0);
    control(&rig, PF, 0);
    for (unsigned i = 0; i < 10; i++)
        rig.m->host.relax(rig.m->host.ctx);
    assert_int_equal(sim_page_responses(rig.m, PF), 0);
    assert_int_equal(sim_page_groups(rig.m, PF), 1);
    assert_int_equal(status(&rig, PF), 0);
    for (unsigned i = 0; i < 50; i++)
        rig.m->host.relax(rig.m->host.ctx);
    assert_int_equal(status(&rig, PF), STOPPED);
    expect_answer(&rig, PF, 0, 1, 0, true);
    rig_close(&rig);
}

/* What is on its way when a function is reset arrives all the same (VT-d 7.9). */
static void a_reset_stops_no_message(void **state)
{
    struct rig rig;

    (void)state;
    rig_open_late(&rig);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    config_write(rig.m, PF, std_cap(rig.m, PF, 0x10) + 8, 2, 0x8000);
    sim_advance(rig.m, 100 * 1000 * 1000);
    machine_run(rig.m);
    serve(&rig, 0);
    machine_run(rig.m);
    expect_answer(&rig, PF, 0, 1, 0, false);
    rig_close(&rig);
}

static void a_late_refusal_is_a_failure(void **state)
{
    struct rig rig;

    (void)state;
    rig_open_late(&rig);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    raw_stop(&rig.raw);
    machine_run(rig.m);
    assert_int_equal(status(&rig, PF), RF);
    close_sim(rig.m);
}

/* Or until time passes. */
static void messages_get_there(void **state)
{
    struct rig rig;

    (void)state;
    rig_open_late(&rig);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    machine_run(rig.m);
    serve(&rig, 0);
    sim_auto_irq(rig.m, true);
    assert_int_equal(ask(&rig, PF, PASID, 2), SIM_NOT_STOPPED);
    serve(&rig, 0);
    rig_close(&rig);
}

/* An answer that was ordered before an invalidation arrives before the device has
 * done that one (VT-d 7.8), however late the unit. */
static void answers_overtake_nothing(void **state)
{
    struct rig rig;
    uint64_t word[2];

    (void)state;
    rig_open_late(&rig);
    assert_int_equal(ask(&rig, PF, PASID, 1), SIM_NOT_STOPPED);
    machine_run(rig.m);
    assert_true(raw_page_request(&rig.raw, word));
    raw_page_response(&rig.raw, word, 0);
    raw_post_invalidate_devtlb(&rig.raw, 0, DEVFN(3, 0));
    assert_int_equal(sim_page_responses(rig.m, PF), 0);
    assert_true(raw_wait(&rig.raw, true));
    expect_answer(&rig, PF, 0, 1, 0, true);
    rig_close(&rig);
}

static void rogues_ask_all_the_same(void **state)
{
    struct rig rig;
    struct sim_page_request p = page(QUIET, NONE, 1);
    uint64_t word[2];

    (void)state;
    rig_open(&rig);
    p.rogue = true;
    assert_int_equal(sim_page_request(rig.m, &p), SIM_NOT_STOPPED);
    assert_true(raw_page_request(&rig.raw, word));
    raw_page_response(&rig.raw, word, 1);
    assert_true(raw_wait(&rig.raw, false));
    expect_answer(&rig, QUIET, 0, 1, 1, false);
    assert_int_equal(sim_page_groups(rig.m, QUIET), 0);
    turn_on(&rig, PF, 8);
    assert_int_equal(ask(&rig, PF, NONE, 1), SIM_NOT_STOPPED);
    p.dev = PF;
    assert_int_equal(sim_page_request(rig.m, &p), SIM_NOT_STOPPED);
    assert_int_equal(sim_page_groups(rig.m, PF), 1);
    serve(&rig, 0);
    expect_answer(&rig, PF, 0, 1, 0, true);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_that_is_missing_is_asked_for),
        cmocka_unit_test(other_refusals_are_no_missing_pages),
        cmocka_unit_test(a_function_asks_when_it_may),
        cmocka_unit_test(ports_stop_prefixes),
        cmocka_unit_test(credits_end_and_come_back),
        cmocka_unit_test(numbers_of_groups_are_taken),
        cmocka_unit_test(a_stop_marker_waits_for_nothing),
        cmocka_unit_test(a_request_for_nothing_is_no_stop_marker),
        cmocka_unit_test(a_group_has_one_answer),
        cmocka_unit_test(answers_of_others_are_no_answers),
        cmocka_unit_test(answers_may_come_too_early),
        cmocka_unit_test(answers_have_the_prefix_that_is_wanted),
        cmocka_unit_test(a_failure_ends_everything),
        cmocka_unit_test(a_refused_request_is_a_failure),
        cmocka_unit_test(the_unit_answers_too),
        cmocka_unit_test(an_interface_stops_when_it_is_answered),
        cmocka_unit_test(a_reset_drops_what_is_outstanding),
        cmocka_unit_test(late_answers_are_taken_for_others),
        cmocka_unit_test(a_function_that_is_reset_waits_for_nothing),
        cmocka_unit_test(who_is_gone_gets_no_answer),
        cmocka_unit_test(a_group_without_an_answer_is_a_leak),
        cmocka_unit_test(virtual_functions_share_the_interface),
        cmocka_unit_test(a_failure_of_one_is_the_failure_of_all),
        cmocka_unit_test(virtual_functions_go_alone),
        cmocka_unit_test(a_request_takes_its_time),
        cmocka_unit_test(an_answer_takes_its_time),
        cmocka_unit_test(a_reset_stops_no_message),
        cmocka_unit_test(a_late_refusal_is_a_failure),
        cmocka_unit_test(messages_get_there),
        cmocka_unit_test(answers_overtake_nothing),
        cmocka_unit_test(rogues_ask_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
