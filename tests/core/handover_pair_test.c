/* SPDX-License-Identifier: MIT */
/*
 * handover_pair_test.c - two units that go on for the next owner, or one of them. The
 * second one is a model of its own on the simulated machine's memory, and translates for
 * segment 1, where the functions of segment 0 are once more.
 */
#include "tests/core/handover.h"

#include "spec/vtd.h"

#define SECOND_BASE UINT64_C(0xfed91000)
#define TE          (UINT32_C(1) << 31) /* of GCMD and GSTS */
#define SRTP        (UINT32_C(1) << 30)
#define IRE         (UINT32_C(1) << 25)
#define SSIRWE      UINT64_C(0x80)         /* of RTADDR */

enum { WINDOW = 4096 };

/* Of the test that runs. */
static struct second {
    struct machine *m;
    const struct uie_ops *ops;
    void *model;
    struct uiommu_host real;
    bool deaf;    /* to the next SRTP */
    bool waiting; /* for what was not heard */
    uint64_t lie; /* bits of RTADDR */
    struct uiommu_device *device; /* engine 0 of segment 1 */
} second;

/* ---- what the model may call --------------------------------------------------- */

static int mem_read(void *opaque, uint64_t gpa, void *buf, uint32_t len)
{
    const void *ram = sim_ram(second.m, gpa, len);

    (void)opaque;
    if (!ram)
        return -1;
    memcpy(buf, ram, len);
    return 0;
}

static int mem_write(void *opaque, uint64_t gpa, const void *buf, uint32_t len)
{
    void *ram = sim_ram(second.m, gpa, len);

    (void)opaque;
    if (!ram)
        return -1;
    memcpy(ram, buf, len);
    return 0;
}

static int mem_cas(void *opaque, uint64_t gpa, void *expect, const void *want,
                   uint32_t len)
{
    void *ram = sim_ram(second.m, gpa, len);

    (void)opaque;
    if (!ram)
        return -1;
    if (memcmp(ram, expect, len) != 0) {
        memcpy(expect, ram, len);
        return 0;
    }
    memcpy(ram, want, len);
    return 1;
}

static void raise_msi(void *opaque, uint64_t addr, uint32_t data)
{
    (void)opaque, (void)addr, (void)data;
}

static void set_irq(void *opaque, uint32_t line, int level)
{
    (void)opaque, (void)line, (void)level;
}

static void notify(void *opaque, const struct uie_inval *inval)
{
    (void)opaque, (void)inval;
}

static void page_response(void *opaque, const struct uie_page_response *r)
{
    (void)opaque, (void)r;
}

static void log_text(void *opaque, int level, const char *text)
{
    (void)opaque;
    if (level <= UIE_LOG_WARN)
        fail_msg("second unit: %s", text);
}

/* ---- a host with both ------------------------------------------------------------ */

static bool is_second(const void *mmio)
{
    return mmio == &second;
}

static void *mmio_map(void *ctx, uint64_t phys, size_t size)
{
    if (phys == SECOND_BASE && size == WINDOW)
        return &second;
    return second.real.mmio_map(ctx, phys, size);
}

static void mmio_unmap(void *ctx, void *mmio, size_t size)
{
    if (!is_second(mmio))
        second.real.mmio_unmap(ctx, mmio, size);
}

static uint32_t mmio_read32(void *ctx, void *mmio, size_t offset)
{
    uint32_t less = second.waiting && offset == VTD_REG_GSTS ? SRTP : 0;

    if (is_second(mmio))
        return (uint32_t)second.ops->mmio_read(second.model, 0, offset, 4) &
               ~less;
    return second.real.mmio_read32(ctx, mmio, offset);
}

static uint64_t mmio_read64(void *ctx, void *mmio, size_t offset)
{
    uint64_t more = offset == VTD_REG_RTADDR ? second.lie : 0;

    if (is_second(mmio))
        return second.ops->mmio_read(second.model, 0, offset, 8) | more;
    return second.real.mmio_read64(ctx, mmio, offset);
}

static void second_write32(size_t offset, uint32_t value)
{
    if (offset == VTD_REG_GCMD && (value & SRTP)) {
        second.waiting = second.deaf;
        second.deaf = false;
    }
    if (!second.waiting)
        second.ops->mmio_write(second.model, 0, offset, value, 4);
}

static void mmio_write32(void *ctx, void *mmio, size_t offset, uint32_t value)
{
    if (is_second(mmio))
        second_write32(offset, value);
    else
        second.real.mmio_write32(ctx, mmio, offset, value);
}

static void mmio_write64(void *ctx, void *mmio, size_t offset, uint64_t value)
{
    if (is_second(mmio))
        second.ops->mmio_write(second.model, 0, offset, value, 8);
    else
        second.real.mmio_write64(ctx, mmio, offset, value);
}

static uint32_t pci_read(void *ctx, struct uiommu_pci where, unsigned offset,
                         unsigned width)
{
    where.segment = 0;
    return second.real.pci_read(ctx, where, offset, width);
}

static void open_second(struct rig *rig)
{
    static const char *const modes[] = {
        [SIM_LEGACY] = "scalable=0",
        [SIM_SCALABLE] = "scalable=1,ss=1,fs=0",
        [SIM_FIRST_STAGE] = "scalable=1,ss=0,fs=1",
    };
    static const struct uie_host host = {
        .abi = UIE_ABI,
        .size = sizeof(host),
        .mem_read = mem_read,
        .mem_write = mem_write,
        .mem_cas = mem_cas,
        .raise_msi = raise_msi,
        .set_irq = set_irq,
        .notify = notify,
        .page_response = page_response,
        .log = log_text,
    };
    struct uiommu_host *h = &rig->m->host;
    char args[80];

    snprintf(args, sizeof(args), "base=0xfed91000,dt=0,ir=%d,%s",
             rig->setup.flags & UIOMMU_CONFIG_REMAP_INTERRUPTS ? 1 : 0,
             modes[rig->config.mode]);
    second = (struct second){ .m = rig->m, .real = *h };
    second.ops = uiommu_embed(UIE_ABI);
    second.model = second.ops->create("vtd", &host, args);
    assert_non_null(second.model);
    h->mmio_map = mmio_map;
    h->mmio_unmap = mmio_unmap;
    h->mmio_read32 = mmio_read32;
    h->mmio_read64 = mmio_read64;
    h->mmio_write32 = mmio_write32;
    h->mmio_write64 = mmio_write64;
    h->pci_read = pci_read;
}

/* ---- an instance with both --------------------------------------------------------- */

/* Everything on segment 1. */
static void create_pair(struct rig *rig)
{
    static const uint8_t drhd[16] = { 0,    0,    16,   0,    1, 0, 1, 0,
                                      0x00, 0x10, 0xd9, 0xfe, 0, 0, 0, 0 };
    struct table t;

    table_copy(rig, &t);
    table_append(&t, drhd, sizeof(drhd));
    create_with(rig, &t);
}

static void add_both(struct rig *rig)
{
    struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .pci = rig->m->devices[rig_engine(rig, 0)].pci,
    };

    info.pci.segment = 1;
    rig_add_all(rig);
    rig_ok(uiommu_device_add(rig->u, &info, &second.device));
}

static struct uiommu_endpoint *second_endpoint(void)
{
    return uiommu_device_endpoint(second.device);
}

/* Where a write of engine 0 of segment 1 would go. */
static uint64_t second_lands(struct rig *rig, uint64_t iova)
{
    struct uiommu_pci at = rig->m->devices[rig_engine(rig, 0)].pci;
    struct uie_xlat x = { .size = sizeof(x) };
    const struct uie_req req = {
        .size = sizeof(req),
        .rid = (uint32_t)at.bus << 8 | at.devfn,
        .pasid = UIE_NO_PASID,
        .access = UIE_W,
        .flags = UIE_REQ_PROBE,
        .iova = iova,
    };

    if (second.ops->translate(second.model, &req, &x) != 0)
        return NOWHERE;
    return x.gpa + (iova & x.mask);
}

struct pair {
    struct uiommu_domain *domain[2];
    uint64_t page[2];
};

static void first_pair(struct rig *rig, struct pair *p)
{
    open_second(rig);
    create_pair(rig);
    rig_ok(rig_start(rig));
    add_both(rig);
    for (unsigned i = 0; i < 2; i++)
        p->page[i] = rig_pages(rig, 0);
    p->domain[0] = attached_with(rig, 0, BASE, p->page[0]);
    rig_ok(uiommu_domain_create(second_endpoint(), NULL, &p->domain[1]));
    map_page(p->domain[1], BASE, p->page[1]);
    rig_ok(uiommu_set_domain(second_endpoint(), p->domain[1], NULL));
    leave_to_the_next(rig, UIOMMU_HAND_OVER_AS_IT_STANDS);
    for (unsigned i = 0; i < 2; i++)
        uiommu_domain_put(p->domain[i]);
    first_is_gone(rig);
}

static void assert_both_as_left(struct rig *rig, const struct pair *p)
{
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), p->page[0]);
    assert_int_equal(lands(rig, 0, OTHER, UIOMMU_WRITE), NOWHERE);
    assert_int_equal(second_lands(rig, BASE), p->page[1]);
    assert_int_equal(second_lands(rig, OTHER), NOWHERE);
}

static void start_pair(struct rig *rig)
{
    create_pair(rig);
    rig_ok(rig_start(rig));
}

static void assert_pair_fails(struct rig *rig, const struct pair *p,
                              enum uiommu_status status, const char *why)
{
    create_pair(rig);
    rig_is(rig_start(rig), status);
    assert_says(sim_last_log(rig->m), why);
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
    assert_both_as_left(rig, p);
}

static void pair_down(struct rig *rig)
{
    rig_ok(uiommu_device_remove(second.device));
    rig_down(rig);
    second.ops->destroy(second.model);
    rig->m->host = second.real;
}

/* ---- tests ----------------------------------------------------------------------- */

static void list_one(void *ctx, const struct uiommu_adopted *a)
{
    unsigned *segments = ctx;

    assert_int_equal(a->unit, a->segment);
    segments[a->segment]++;
}

static void both_units_go_on(struct rig *rig)
{
    unsigned segments[2] = { 0 };
    struct uiommu_domain *d;
    struct pair p;

    first_pair(rig, &p);
    assert_both_as_left(rig, &p);
    start_pair(rig);
    assert_both_as_left(rig, &p);
    assert_int_equal(uiommu_adopted(rig->u, list_one, segments), 2);
    assert_int_equal(segments[0], 1);
    assert_int_equal(segments[1], 1);
    add_both(rig);
    d = attached_with(rig, 0, OTHER, p.page[1]);
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), NOWHERE);
    assert_int_equal(second_lands(rig, BASE), p.page[1]);
    assert_int_equal(adopted(rig), 1);
    rig_ok(uiommu_set_domain(second_endpoint(), d, NULL));
    assert_int_equal(second_lands(rig, BASE), NOWHERE);
    assert_int_equal(second_lands(rig, OTHER), p.page[1]);
    assert_int_equal(adopted(rig), 0);
    end_adoption(rig);
    assert_int_equal(second_lands(rig, OTHER), p.page[1]);
    rig_ok(uiommu_set_domain(second_endpoint(), uiommu_blocked(rig->u), NULL));
    rig_drop(rig, 0, d);
    pair_down(rig);
}

static void the_end_is_of_both(struct rig *rig)
{
    struct pair p;

    first_pair(rig, &p);
    start_pair(rig);
    end_adoption(rig);
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), NOWHERE);
    assert_int_equal(second_lands(rig, BASE), NOWHERE);
    add_both(rig);
    pair_down(rig);
}

/* The first one reads new tables already when the second fails. */
static void a_failure_of_one_leaves_both(struct rig *rig)
{
    struct pair p;

    first_pair(rig, &p);
    second.lie = SSIRWE;
    rig->setup.record = NULL;
    assert_pair_fails(rig, &p, UIOMMU_OPNOTSUPP, "SSIRWE");
    second.lie = 0;
    second.deaf = true;
    create_pair(rig);
    rig_is(rig_start(rig), UIOMMU_TIMEDOUT);
    assert_both_as_left(rig, &p);
    assert_false(second.deaf || second.waiting);
    rig_ok(uiommu_destroy(rig->u));
    rig->u = NULL;
    start_pair(rig);
    assert_both_as_left(rig, &p);
    end_adoption(rig);
    add_both(rig);
    pair_down(rig);
}

static void one_that_is_off_blocks(struct rig *rig)
{
    struct pair p;
    uint32_t on;

    first_pair(rig, &p);
    on = (uint32_t)second.ops->mmio_read(second.model, 0, VTD_REG_GSTS, 4);
    second.ops->mmio_write(second.model, 0, VTD_REG_GCMD, on & IRE, 4);
    assert_true(on & TE);
    assert_int_equal(second_lands(rig, OTHER), OTHER);
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), p.page[0]);
    create_pair(rig);
    rig_is(rig_start(rig), UIOMMU_INVAL);
    assert_says(sim_last_log(rig->m), "not as the record says");
    rig_ok(uiommu_destroy(rig->u));
    rig->setup.record = NULL;
    start_pair(rig);
    assert_int_equal(lands(rig, 0, BASE, UIOMMU_WRITE), p.page[0]);
    assert_int_equal(second_lands(rig, OTHER), NOWHERE);
    assert_int_equal(adopted(rig), 1);
    end_adoption(rig);
    add_both(rig);
    pair_down(rig);
}

/* The second one sees what CPUs see, when they see it. */
static bool with_two(struct rig *rig, const char **why)
{
    *why = "the second unit snoops, and is no adversary";
    hurry(rig);
    return !rig->config.non_coherent && !rig->config.adversarial;
}

#define PAIR(fn)                                                               \
    {                                                                          \
        .name = #fn, .run = fn, .prepare = with_two, .cold = true,             \
        .once = "of two units only one can be asked how it was"                \
    }

/* clang-format off */
static const struct rig_test tests[] = {
    PAIR(both_units_go_on),
    PAIR(the_end_is_of_both),
    PAIR(a_failure_of_one_leaves_both),
    PAIR(one_that_is_off_blocks),
    { 0 },
};

int main(void)
{
    return rig_run_where(RIG_ADOPTION, "handover_pair", tests);
}
