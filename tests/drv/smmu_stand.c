/* SPDX-License-Identifier: MIT */
#include "smmu_stand.h"

#include <stdio.h>

#include <uiommu/embed.h>

#include "tests/hook/hook.h"

/* ---- the record ---------------------------------------------------------- */

static void add(struct stand *s, enum stand_kind kind, uint32_t reg,
                uint64_t first, uint64_t second)
{
    assert_true(s->n_steps < STAND_LOG);
    s->step[s->n_steps++] = (struct stand_step){ kind, reg, { first, second } };
}

uint64_t stand_reg(struct stand *s, uint32_t offset, uint32_t bytes)
{
    const unsigned page = offset >> 16;

    return sim_ops(s->m)->mmio_read(sim_model(s->m), page, offset & 0xffff,
                                    bytes);
}

static uint64_t peek(const uint8_t *p)
{
    uint64_t value = 0;

    for (unsigned i = 8; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

/* As the unit will read them, whether it snoops or not. */
static void add_commands(struct stand *s, uint64_t prod)
{
    const uint64_t base = stand_reg(s, CMDQ_BASE, 8);
    const uint64_t last = (UINT64_C(2) << (base & 0x1f)) - 1;
    uint64_t at = stand_reg(s, CMDQ_PROD, 4) & last;

    for (; at != (prod & last); at = (at + 1) & last) {
        const uint64_t phys =
            (base & UINT64_C(0xffffffffffffe0)) + (at & last >> 1) * 16;
        const uint8_t *p = sim_ram_uncached(s->m, phys, 16);

        add(s, STAND_COMMAND, 0, peek(p), peek(p + 8));
    }
}

static void on_event(void *ctx, enum sim_event event, uint64_t where,
                     size_t size, uint64_t value)
{
    struct stand *s = ctx;

    (void)size;
    if (event == SIM_MMIO_WRITE) {
        if (where == CMDQ_PROD && stand_reg(s, CR0ACK, 4) & 8) /* CMDQEN */
            add_commands(s, value);
        add(s, STAND_REGISTER, (uint32_t)where, value, 0);
    } else if (event == SIM_FENCE) {
        add(s, STAND_FENCE, 0, 0, 0);
    }
    if (s->look)
        s->look(s, s->ctx);
}

/* An adversarial unit fetches again at each store. */
static void on_store(void *ctx, const void *where, uint64_t value)
{
    struct stand *s = ctx;

    (void)where;
    if (s->config.adversarial)
        uim_check_memory_changed(sim_door(s->m), 0, sizeof(value));
    if (s->look)
        s->look(s, s->ctx);
}

void stand_forget(struct stand *s)
{
    s->n_steps = 0;
}

static const struct stand_step *command(const struct stand *s, unsigned n)
{
    for (unsigned i = 0; i < s->n_steps; i++)
        if (s->step[i].kind == STAND_COMMAND && n-- == 0)
            return &s->step[i];
    return NULL;
}

unsigned stand_commands(const struct stand *s)
{
    unsigned n = 0;

    while (command(s, n))
        n++;
    return n;
}

uint64_t stand_command(const struct stand *s, unsigned n, unsigned word)
{
    const struct stand_step *step = command(s, n);

    assert_non_null(step);
    return step->value[word];
}

unsigned stand_opcode(const struct stand *s, unsigned n)
{
    return stand_command(s, n, 0) & 0xff;
}

void stand_check_opcodes(const struct stand *s, const unsigned *opcodes,
                         unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(stand_opcode(s, i), opcodes[i]);
    assert_int_equal(stand_commands(s), n);
}

int stand_write_of(const struct stand *s, int from, uint32_t reg, uint64_t mask,
                   uint64_t bits)
{
    for (unsigned i = from < 0 ? 0 : (unsigned)from; i < s->n_steps; i++)
        if (s->step[i].kind == STAND_REGISTER && s->step[i].reg == reg &&
            (s->step[i].value[0] & mask) == bits)
            return (int)i;
    return -1;
}

int stand_first(const struct stand *s, uint32_t reg)
{
    return stand_write_of(s, 0, reg, 0, 0);
}

int stand_last(const struct stand *s, uint32_t reg)
{
    for (unsigned i = s->n_steps; i-- > 0;)
        if (s->step[i].kind == STAND_REGISTER && s->step[i].reg == reg)
            return (int)i;
    return -1;
}

/* ---- up ------------------------------------------------------------------ */

void stand_init(struct stand *s, enum sim_mode mode)
{
    memset(s, 0, sizeof(*s));
    s->config.mode = mode;
    s->config.rubbish = true;
    snprintf(s->options, sizeof(s->options), "smmuv3.stage=%d",
             mode == SIM_STAGE_1 ? 1 : 2);
}

void stand_point(struct stand *s, unsigned n)
{
    stand_init(s, n & 1 ? SIM_STAGE_2 : SIM_STAGE_1);
    s->config.non_coherent = (n & 2) != 0;
    s->config.adversarial = (n & 4) != 0;
}

bool stand_first_stage(const struct stand *s)
{
    return s->config.mode == SIM_STAGE_1;
}

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct stand *s = ctx;

    if (s->n_faults < STAND_FAULTS)
        s->fault[s->n_faults] = *fault;
    s->n_faults++;
    return true;
}

static void on_irq(void *ctx, unsigned unit, unsigned n)
{
    struct stand *s = ctx;

    if (s->u)
        uiommu_irq(s->u, unit, n);
}

void stand_open(struct stand *s)
{
    char error[256];

    s->m = sim_open(&s->config, error, sizeof(error));
    if (!s->m)
        fail_msg("%s", error);
    s->m->on_irq = on_irq;
    s->m->irq_ctx = s;
    sim_watch(s->m, on_event, s);
    uim_store_hook(on_store, s);
}

enum uiommu_status stand_start(struct stand *s)
{
    static const struct uiommu_driver *const drivers[] = {
        &uiommu_driver_smmuv3
    };
    const struct uiommu_config config = {
        .size = sizeof(config),
        .flags = UIOMMU_CONFIG_UNSAFE_INTERRUPTS,
        .on_fault = on_fault,
        .fault_ctx = s,
        .options = s->options,
    };
    enum uiommu_status status;

    ok(uiommu_create(&s->m->host, &config, &s->u));
    ok(uiommu_add_table(s->u, s->m->table, s->m->table_size));
    status = uiommu_start(s->u, drivers, 1);
    if (status == UIOMMU_OK)
        s->v = smmuv3_unit(s->u->unit[0]);
    return status;
}

void stand_add(struct stand *s)
{
    assert_true(s->m->n_devices <= STAND_DEVICES);
    for (unsigned i = 0; i < s->m->n_devices; i++) {
        const struct machine_device *d = &s->m->devices[i];
        const struct uiommu_device_info info = {
            .size = sizeof(info),
            .kind = UIOMMU_DEVICE_PCI,
            .pci = d->pci,
            .bridge =
                d->bridge == MACHINE_NO_BRIDGE ? NULL : s->device[d->bridge],
        };

        if (uiommu_device_add(s->u, &info, &s->device[i]) != UIOMMU_OK)
            fail_msg("device %u: %s", i, sim_last_log(s->m));
    }
}

void stand_up(struct stand *s)
{
    stand_open(s);
    ok(stand_start(s));
    stand_add(s);
    stand_forget(s);
}

/* ---- down ---------------------------------------------------------------- */

void stand_down(struct stand *s)
{
    s->look = NULL;
    if (sim_stale_count(s->m) > 0)
        fail_msg("%s", sim_stale_text(s->m, 0));
    for (unsigned i = STAND_DEVICES; i-- > 0;)
        if (s->device[i])
            ok(uiommu_device_remove(s->device[i]));
    if (s->v)
        ok(uiommu_stop(s->u));
    if (s->u)
        ok(uiommu_destroy(s->u));
    (void)sim_check_leaks(s->m);
    if (sim_violations(s->m) > 0)
        fail_msg("%s", sim_violation(s->m, 0));
    uim_store_hook(NULL, NULL);
    (void)sim_close(s->m);
}

/* ---- streams ------------------------------------------------------------- */

static unsigned engine(struct stand *s, unsigned n)
{
    int dev = sim_engine(s->m, n);

    assert_true(dev >= 0);
    return (unsigned)dev;
}

struct uiommu_endpoint *stand_endpoint(struct stand *s, unsigned n)
{
    return uiommu_device_endpoint(s->device[engine(s, n)]);
}

uint32_t stand_sid(struct stand *s, unsigned n)
{
    return s->device[engine(s, n)]->endpoint->id;
}

const uim_word *stand_ste(struct stand *s, unsigned n)
{
    return smmuv3_ste(s->v, (struct smmuv3_sid){ stand_sid(s, n) });
}

uint64_t stand_ste_word(struct stand *s, unsigned n, unsigned word)
{
    return uim_ld64(&stand_ste(s, n)[word]);
}

uint64_t stand_cd_word(struct stand *s, unsigned n, unsigned word)
{
    /* S1ContextPtr: bits 55:6. */
    const uint64_t at = stand_ste_word(s, n, 0) & UINT64_C(0x00ffffffffffffc0);

    return peek((uint8_t *)sim_ram(s->m, at + 8 * word, 8));
}

/* ---- domains and DMA ----------------------------------------------------- */

struct uiommu_domain *stand_domain(struct stand *s, unsigned n)
{
    struct uiommu_domain *d;

    ok(uiommu_domain_create(stand_endpoint(s, n), NULL, &d));
    return d;
}

void stand_set(struct stand *s, unsigned n, struct uiommu_domain *d)
{
    ok(uiommu_set_domain(stand_endpoint(s, n), d, NULL));
}

void stand_block(struct stand *s, unsigned n)
{
    stand_set(s, n, uiommu_blocked(s->u));
}

uint64_t stand_ram(struct stand *s, unsigned pages)
{
    uint64_t phys = sim_ram_alloc(s->m, (uint64_t)pages * STAND_PAGE);

    assert_true(phys != 0);
    return phys;
}

/* A page of 64 KiB fits all granules. */
uint64_t stand_map(struct stand *s, struct uiommu_domain *d, uint64_t iova)
{
    uint64_t phys = stand_ram(s, 16);

    ok(uiommu_map(d, iova, phys, 16 * STAND_PAGE, UIOMMU_READ | UIOMMU_WRITE));
    return phys;
}

static bool dma(struct stand *s, unsigned n, bool write, uint64_t iova,
                uint64_t *value)
{
    return machine_dma(s->m, engine(s, n), write, iova, value,
                       sizeof(*value)) == MACHINE_DMA_DONE;
}

bool stand_reaches(struct stand *s, unsigned n, uint64_t iova, uint64_t phys)
{
    static uint64_t marker = UINT64_C(0x5eed000000000000);
    uint8_t *ram = sim_ram(s->m, phys, sizeof(marker));
    uint64_t got = 0;

    marker++;
    return dma(s, n, true, iova, &marker) &&
           memcmp(ram, &marker, sizeof(marker)) == 0 &&
           dma(s, n, false, iova, &got) && got == marker;
}

bool stand_refused(struct stand *s, unsigned n, uint64_t iova)
{
    uint64_t value = 0;

    return !dma(s, n, true, iova, &value) && !dma(s, n, false, iova, &value);
}

/* ---- PASIDs -------------------------------------------------------------- */

void stand_pasid(struct stand *s, struct uiommu_endpoint *ep, unsigned n,
                 uint32_t pasid)
{
    memset(ep, 0, sizeof(*ep));
    ep->device = s->device[engine(s, n)];
    ep->unit = ep->device->unit;
    ep->id = ep->device->endpoint->id;
    ep->pasid = pasid;
    ep->domain = uiommu_blocked(s->u);
}

enum uiommu_status stand_pasid_try(struct stand *s, struct uiommu_endpoint *ep,
                                   struct uiommu_domain *d)
{
    struct uiommu_domain *old = ep->domain;
    enum uiommu_status status;

    (void)s;
    ok(uim_link_get(d, ep->unit, ep->pasid));
    status = ep->unit->ops->set(ep, d, old);
    if (status == UIOMMU_OK)
        ep->domain = d;
    uim_link_put(status == UIOMMU_OK ? old : d, ep->unit, ep->pasid);
    return status;
}

void stand_pasid_set(struct stand *s, struct uiommu_endpoint *ep,
                     struct uiommu_domain *d)
{
    ok(stand_pasid_try(s, ep, d));
}

static bool pasid_dma(struct stand *s, const struct uiommu_endpoint *ep,
                      bool write, uint64_t iova, uint64_t *value)
{
    struct sim_request r = {
        .pasid = ep->pasid,
        .write = write,
        .rogue = !ep->view, /* made by hand: nobody has switched them on */
        .iova = iova,
        .buf = value,
        .size = sizeof(*value),
    };

    while (s->device[r.dev] != ep->device)
        r.dev++;
    return sim_dma(s->m, &r) == MACHINE_DMA_DONE;
}

bool stand_pasid_reaches(struct stand *s, const struct uiommu_endpoint *ep,
                         uint64_t iova, uint64_t phys)
{
    static uint64_t marker = UINT64_C(0x5a51d00000000000);
    uint8_t *ram = sim_ram(s->m, phys, sizeof(marker));
    uint64_t got = 0;

    marker++;
    return pasid_dma(s, ep, true, iova, &marker) &&
           memcmp(ram, &marker, sizeof(marker)) == 0 &&
           pasid_dma(s, ep, false, iova, &got) && got == marker;
}

bool stand_pasid_refused(struct stand *s, const struct uiommu_endpoint *ep,
                         uint64_t iova)
{
    uint64_t value = 0;

    return !pasid_dma(s, ep, true, iova, &value) &&
           !pasid_dma(s, ep, false, iova, &value);
}

uint64_t stand_lands(struct stand *s, unsigned n, uint32_t pasid, uint64_t iova)
{
    struct uie_xlat x;

    if (sim_probe(s->m, engine(s, n), pasid, iova, UIOMMU_READ, &x) != 0)
        return UINT64_MAX;
    return x.gpa + (iova & x.mask);
}
