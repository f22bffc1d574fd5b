/* SPDX-License-Identifier: MIT */
/*
 * bridge_test.c - what is behind a PCIe-to-PCI bridge is one group, and its DMA sees what
 * the group sees although it comes under the bridge's id: the driver in QEMU, whose
 * bridge gives both of its devices the id of its secondary bus. What tests/core says of
 * our model (group_test.c), QEMU's machines say too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hosts/qtest/qtest.h"

#define PAGE UINT64_C(4096)
#define BASE UINT64_C(0x12345000)
#define RW   (UIOMMU_READ | UIOMMU_WRITE)

/* The machine's devices; NVME is on the root bus. */
enum { NVME, PORT, BRIDGE, OLD0, OLD1, N_DEVICES };

struct place {
    const char *name, *iommu, *mode, *options;
};

struct bridged {
    struct machine *m;
    struct uiommu *u;
    struct uiommu_device *device[N_DEVICES];
    struct uiommu_domain *domain;
    uint8_t *page;
    uint64_t phys;
    unsigned faults;
    struct uiommu_fault fault; /* the last one */
    char sentence[512];
};

#define ok(status) assert_int_equal(status, UIOMMU_OK)

/* ---- up and down ----------------------------------------------------------- */

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct bridged *s = ctx;

    s->faults++;
    s->fault = *fault;
    uiommu_explain_fault(fault, s->sentence, sizeof(s->sentence));
    return true;
}

static void on_irq(void *ctx, unsigned unit, unsigned n)
{
    struct bridged *s = ctx;

    uiommu_irq(s->u, unit, n);
}

static void start(struct bridged *s, const struct place *p)
{
    static const struct uiommu_driver *const drivers[] = {
        &uiommu_driver_vtd,
        &uiommu_driver_smmuv3,
    };
    const struct uiommu_config config = {
        .size = sizeof(config),
        .flags =
            UIOMMU_CONFIG_UNSAFE_INTERRUPTS, /* for claims: all is DMA here */
        .on_fault = on_fault,
        .fault_ctx = s,
        .options = p->options,
    };

    ok(uiommu_create(&s->m->host, &config, &s->u));
    ok(uiommu_find_tables(s->u, drivers, 2));
    s->m->on_irq = on_irq;
    s->m->irq_ctx = s;
    ok(uiommu_start(s->u, drivers, 2));
}

static void add(struct bridged *s, unsigned dev)
{
    const struct machine_device *d = &s->m->devices[dev];
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .pci = d->pci,
        .bridge = d->bridge == MACHINE_NO_BRIDGE ? NULL : s->device[d->bridge],
    };

    ok(uiommu_device_add(s->u, &info, &s->device[dev]));
}

static struct uiommu_endpoint *endpoint(struct bridged *s, unsigned dev)
{
    return uiommu_device_endpoint(s->device[dev]);
}

static void map_area(struct bridged *s, unsigned dev)
{
    struct uiommu_range area = machine_engine_area(s->m, dev);

    ok(uiommu_map(s->domain, area.iova, area.iova, area.size, RW));
}

/* Both devices' own pages, and one at BASE. Nobody sees it yet. */
static void make_domain(struct bridged *s)
{
    ok(uiommu_domain_create(endpoint(s, OLD0), NULL, &s->domain));
    map_area(s, OLD0);
    map_area(s, OLD1);
    s->page = s->m->host.pages_alloc(s->m->host.ctx, 0, 0, &s->phys);
    assert_non_null(s->page);
    ok(uiommu_map(s->domain, BASE, s->phys, PAGE, RW));
}

static void up(struct bridged *s, const struct place *p)
{
    const struct qtest_config config = {
        .iommu = p->iommu,
        .mode = p->mode,
        .n_engines = 1,
        .n_edus = 2,
    };
    char error[256];

    *s = (struct bridged){ .m = qtest_open(&config, error, sizeof(error)) };
    if (!s->m)
        fail_msg("%s: %s", p->name, error);
    assert_int_equal(s->m->n_devices, N_DEVICES);
    start(s, p);
    for (unsigned dev = 0; dev < N_DEVICES; dev++)
        add(s, dev);
    make_domain(s);
}

static void down(struct bridged *s)
{
    for (unsigned dev = N_DEVICES; dev-- > 0;)
        ok(uiommu_device_remove(s->device[dev]));
    uiommu_domain_put(s->domain);
    s->m->host.pages_free(s->m->host.ctx, s->page, s->phys, 0);
    ok(uiommu_stop(s->u));
    ok(uiommu_destroy(s->u));
    assert_int_equal(qtest_live_pages(s->m), 0);
    machine_close(s->m);
}

static void set(struct bridged *s, unsigned dev, struct uiommu_domain *domain)
{
    ok(uiommu_set_domain(endpoint(s, dev), domain, NULL));
}

/* ---- groups ------------------------------------------------------------------ */

struct heard {
    struct bridged *s;
    unsigned seen[N_DEVICES], n, joined;
    const char *why_old, *why_bridge; /* what is wanted of two pairs */
};

static void on_device(void *ctx, struct uiommu_device *device)
{
    struct heard *h = ctx;

    h->n++;
    for (unsigned dev = 0; dev < N_DEVICES; dev++)
        if (h->s->device[dev] == device)
            h->seen[dev]++;
}

static bool is_pair(const struct heard *h, const struct uiommu_device *a,
                    const struct uiommu_device *b, unsigned x, unsigned y)
{
    struct uiommu_device *const *d = h->s->device;

    return (a == d[x] && b == d[y]) || (a == d[y] && b == d[x]);
}

static void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void on_pair(void *ctx, struct uiommu_device *a, struct uiommu_device *b,
                    const char *why)
{
    struct heard *h = ctx;
    char id[16];

    h->joined++;
    if (!is_pair(h, a, b, OLD0, OLD1)) {
        assert_true(is_pair(h, a, b, BRIDGE, OLD0) ||
                    is_pair(h, a, b, BRIDGE, OLD1));
        assert_says(why, "conventional bus");
        return;
    }
    (void)snprintf(id, sizeof(id), "%02x:00.0",
                   (unsigned)h->s->m->devices[OLD0].pci.bus);
    assert_says(why, "the DMA of both may carry requester id ");
    assert_says(why, id);
}

/* The bridge and both, and why; the others are alone. */
static void one_group(struct bridged *s)
{
    struct uiommu_group *group = uiommu_endpoint_group(endpoint(s, OLD0));
    struct heard h = { .s = s };

    assert_ptr_equal(uiommu_endpoint_group(endpoint(s, OLD1)), group);
    uiommu_group_devices(group, on_device, &h);
    assert_int_equal(h.n, 3);
    assert_int_equal(h.seen[BRIDGE] + h.seen[OLD0] + h.seen[OLD1], 3);
    uiommu_group_explain(group, on_pair, &h);
    assert_int_equal(h.joined, 3);
    h = (struct heard){ .s = s };
    uiommu_group_devices(uiommu_endpoint_group(endpoint(s, NVME)), on_device,
                         &h);
    assert_int_equal(h.n, 1);
    assert_int_equal(h.seen[NVME], 1);
}

/* ---- DMA --------------------------------------------------------------------- */

static void poll(struct bridged *s)
{
    assert_true(machine_run(s->m));
    uiommu_poll(s->u);
}

static enum machine_dma write_as(struct bridged *s, unsigned dev, uint64_t iova,
                                 uint8_t value)
{
    uint8_t data[64];

    memset(data, value, sizeof(data));
    return machine_dma(s->m, dev, true, iova, data, sizeof(data));
}

static void lands(struct bridged *s, unsigned dev)
{
    uint8_t value = (uint8_t)(0x51 + dev), got = 0;

    memset(s->page, 0, PAGE);
    if (write_as(s, dev, BASE, value) != MACHINE_DMA_DONE)
        fail_msg("%s: %s", s->m->devices[dev].name, s->m->error);
    assert_int_equal(s->page[0], value);
    assert_int_equal(s->page[63], value);
    assert_int_equal(s->page[64], 0);
    assert_int_equal(machine_dma(s->m, dev, false, BASE, &got, 1),
                     MACHINE_DMA_DONE);
    assert_int_equal(got, value);
}

/* By the id of its secondary bus, at which there is no function; uiommu knows whose it
 * is. Nobody can say which of the two it was. */
static void assert_faulted_as_the_bridge(struct bridged *s)
{
    const struct uiommu_pci bridge = s->m->devices[BRIDGE].pci;
    char words[32];

    poll(s);
    assert_true(s->faults > 0);
    assert_int_equal(s->fault.id, (unsigned)s->m->devices[OLD0].pci.bus << 8);
    assert_true(s->fault.has_source);
    assert_int_equal(s->fault.source.bus, bridge.bus);
    assert_int_equal(s->fault.source.devfn, bridge.devfn);
    assert_ptr_equal(s->fault.device, s->device[BRIDGE]);
    (void)snprintf(words, sizeof(words), "0000:%02x:%02x.%u (", bridge.bus,
                   bridge.devfn >> 3, bridge.devfn & 7u);
    assert_says(s->sentence, words);
}

static void refused(struct bridged *s, unsigned dev, uint64_t iova)
{
    poll(s);
    s->faults = 0;
    s->page[0] = 0x99;
    assert_int_equal(write_as(s, dev, iova, 0xee), MACHINE_DMA_REFUSED);
    assert_int_equal(s->page[0], 0x99);
    assert_faulted_as_the_bridge(s);
}

/* Set for either of them, or for the bridge, it is so for both, and nobody else. */
static void seen_by_both(struct bridged *s)
{
    for (unsigned dev = BRIDGE; dev <= OLD1; dev++) {
        set(s, dev, s->domain);
        for (unsigned n = OLD0; n <= OLD1; n++) {
            assert_ptr_equal(uiommu_endpoint_domain(endpoint(s, n)), s->domain);
            lands(s, n);
            refused(s, n, BASE + PAGE);
            assert_true(s->fault.has_iova);
            assert_int_equal(s->fault.iova & ~(PAGE - 1), BASE + PAGE);
            assert_int_equal(s->fault.access, UIOMMU_WRITE);
            assert_ptr_equal(s->fault.domain, s->domain);
        }
        assert_int_equal(write_as(s, NVME, BASE, 0xee), MACHINE_DMA_REFUSED);
        set(s, OLD1, uiommu_blocked(s->u));
        refused(s, OLD0, BASE);
        refused(s, OLD1, BASE);
        assert_ptr_equal(s->fault.domain, uiommu_blocked(s->u));
    }
}

/* One of them is another's, and so they all are. */
static void claimed_together(struct bridged *s)
{
    const char *one = "one", *other = "other";

    ok(uiommu_claim(endpoint(s, OLD0), one));
    assert_int_equal(uiommu_claim(endpoint(s, OLD1), other), UIOMMU_PERM);
    assert_int_equal(uiommu_set_domain(endpoint(s, OLD1), s->domain, other),
                     UIOMMU_PERM);
    refused(s, OLD1, BASE);
    ok(uiommu_release(endpoint(s, OLD0), one));
}

/* ---- all of them --------------------------------------------------------------- */

static const struct place places[] = {
    { "vtd/legacy", "intel-iommu", "legacy", "vtd.mode=legacy" },
    { "vtd/scalable", "intel-iommu", "scalable", "vtd.mode=scalable" },
    { "vtd/first-stage", "intel-iommu", "first-stage", "vtd.mode=first-stage" },
    { "smmuv3/stage1", "smmuv3", "stage1", "smmuv3.stage=1" },
    { "smmuv3/stage2", "smmuv3", "stage2", "smmuv3.stage=2" },
};

static const struct {
    const char *name;
    void (*run)(struct bridged *s);
} tests[] = {
    { "what_a_bridge_hides_is_one_group", one_group },
    { "its_dma_sees_what_the_group_sees", seen_by_both },
    { "its_devices_have_one_owner", claimed_together },
};

enum {
    N_PLACES = sizeof(places) / sizeof(places[0]),
    N_TESTS = sizeof(tests) / sizeof(tests[0]),
    N_RUNS = N_PLACES * N_TESTS,
};

static void run_one(void **state)
{
    const unsigned *run = *state;
    struct bridged s;

    up(&s, &places[*run % N_PLACES]);
    tests[*run / N_PLACES].run(&s);
    down(&s);
}

int main(void)
{
    static char names[N_RUNS][80];
    static unsigned runs[N_RUNS];
    struct CMUnitTest units[N_RUNS] = { 0 };

    for (unsigned i = 0; i < N_RUNS; i++) {
        runs[i] = i;
        (void)snprintf(names[i], sizeof(names[i]), "qemu_%s/%s",
                       tests[i / N_PLACES].name, places[i % N_PLACES].name);
        units[i] = (struct CMUnitTest){ .name = names[i],
                                        .test_func = run_one,
                                        .initial_state = &runs[i] };
    }
    return cmocka_run_group_tests_name("bridge", units, NULL, NULL);
}
