/* SPDX-License-Identifier: MIT */
/*
 * handover_units_test.c - units of other kinds than those of handover_test.c that go on
 * for the next owner: what they cache, how they are told, how many ids they have, and
 * units that only remap interrupts.
 */
#include "tests/core/handover.h"

#include "spec/vtd.h"

#define FEE UINT64_C(0xfee00000)
#define TE  (UINT32_C(1) << 31) /* of GCMD and GSTS */
#define IRE (UINT32_C(1) << 25)

/* ---- the whole of it --------------------------------------------------------- */

/* Engine 0 moves, engine 1 stays until the end. */
static void next_takes_over(struct rig *rig, const struct first *f)
{
    uint64_t mine = rig_pages(rig, 0);
    struct uiommu_domain *d;

    assert_as_left(rig, f);
    rig_add_all(rig);
    assert_as_left(rig, f);
    d = rig_domain(rig, 0);
    set(rig, 0, d);
    assert_true(rig_refused(rig, 0, BASE));
    assert_true(rig_refused(rig, 0, OTHER));
    map_page(d, OTHER, mine);
    assert_true(rig_reaches(rig, 0, OTHER, mine));
    assert_true(rig_reaches(rig, 1, f->page, f->page));
    assert_true(rig_refused(rig, 2, OTHER));
    end_adoption(rig);
    assert_true(rig_refused(rig, 1, f->page));
    assert_true(rig_reaches(rig, 0, OTHER, mine));
    set(rig, 2, d);
    assert_true(rig_reaches(rig, 2, OTHER, mine));
    set(rig, 2, uiommu_blocked(rig->u));
    rig_drop(rig, 0, d);
}

static void goes_on(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    assert_as_left(rig, &f);
    create_next(rig);
    rig_ok(rig_start(rig));
    next_takes_over(rig, &f);
}

/* ---- what they cache ----------------------------------------------------------- */

static bool with_caching_mode(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.caching_mode = true;
    return true;
}

static void a_unit_that_caches_what_is_not_there_goes_on(struct rig *rig)
{
    goes_on(rig);
}

static bool with_esrtps(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.args = "esrtps=1";
    return true;
}

static void a_unit_that_empties_its_caches_by_itself_goes_on(struct rig *rig)
{
    assert_true(unit_read64(rig, VTD_REG_CAP) >> 63);
    goes_on(rig);
}

/* ---- how they are told ----------------------------------------------------------- */

static bool legacy(struct rig *rig, const char **why)
{
    *why = "scalable mode needs a queue";
    return rig->config.mode == SIM_LEGACY &&
           !(rig->setup.flags & UIOMMU_CONFIG_REMAP_INTERRUPTS);
}

static void a_unit_without_a_queue_goes_on(struct rig *rig)
{
    static const struct lie no_queue[] = { { VTD_REG_ECAP, 0, 2 }, { 0 } };
    struct trace t;

    lies_begin(rig, no_queue);
    trace_start(rig, &t);
    goes_on(rig);
    trace_stop(rig, &t);
    lies_end(rig);
    assert_true(t.n > 4);
    for (unsigned i = 0; i < t.n; i++)
        assert_true(t.cmd[i].by_register);
}

/* ---- how many ids they have ------------------------------------------------------ */

enum {
    SPARE = 0x40,    /* of bus 0, legacy mode: a function that is not there */
    TABLE = 64,      /* entries of a PASID table                            */
    PASID_WORDS = 8,
};

/* A requester of the last owner more, or a PASID: as engine 0, with another id. */
static void add_legacy(struct rig *rig, unsigned nth, unsigned id)
{
    uint64_t from = context_of(rig, 0);
    unsigned word = (unsigned)(from & 0xfff) / 8;
    uint64_t hi = peek_word(rig, from, word + 1) & ~UINT64_C(0xffff00);

    poke_word(rig, from, (SPARE + nth) * 2 + 1, hi | (uint64_t)id << 8);
    poke_word(rig, from, (SPARE + nth) * 2, peek_word(rig, from, word));
}

static void add_scalable(struct rig *rig, unsigned nth, unsigned id)
{
    uint64_t from = entry_of(rig, 0);
    uint64_t table = entry_of(rig, nth < TABLE - 1 ? 0 : 1);
    unsigned at = (1 + nth % (TABLE - 1)) * PASID_WORDS;
    uint64_t q1 = peek_word(rig, from, 1) & ~UINT64_C(0xffff);

    poke_word(rig, table, at + 2, peek_word(rig, from, 2));
    poke_word(rig, table, at + 1, q1 | id);
    poke_word(rig, table, at, peek_word(rig, from, 0));
}

static void use_ids(struct rig *rig, unsigned first, unsigned last)
{
    for (unsigned id = first; id <= last; id++) {
        if (rig->config.mode == SIM_LEGACY)
            add_legacy(rig, id - first, id);
        else
            add_scalable(rig, id - first, id);
    }
    rig->setup.record = NULL;
}

static void ids_above_64_are_not_given_either(struct rig *rig)
{
    enum { LAST = 120 };
    uint64_t mine = rig_pages(rig, 0);
    struct uiommu_domain *d[3];
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    use_ids(rig, 3, LAST);
    up(rig);
    for (unsigned i = 0; i < 3; i++) {
        d[i] = attached_with(rig, 2, BASE, mine);
        assert_true(id_of(rig, 2) > LAST);
        assert_true(rig_reaches(rig, 2, BASE, mine));
        assert_true(rig_reaches(rig, 0, BASE, f.page));
    }
    set(rig, 2, uiommu_identity(rig->u));
    assert_true(id_of(rig, 2) > LAST);
    set(rig, 2, uiommu_blocked(rig->u));
    uiommu_domain_put(d[0]);
    end_adoption(rig);
    d[0] = attached_with(rig, 2, BASE, mine);
    assert_true(id_of(rig, 2) <= LAST);
    set(rig, 2, uiommu_blocked(rig->u));
    for (unsigned i = 0; i < 3; i++)
        uiommu_domain_put(d[i]);
}

/* CAP.ND=0: 16 ids. */
static const struct lie few_ids[] = { { VTD_REG_CAP, 0, 7 }, { 0 } };

static void when_ids_run_out_the_adopted_goes_on(struct rig *rig)
{
    struct uiommu_domain *d;
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    use_ids(rig, 3, 14); /* the last one is for identity */
    lies_begin(rig, few_ids);
    up(rig);
    d = rig_domain(rig, 2);
    rig_is(uiommu_set_domain(rig_endpoint(rig, 2), d, NULL), UIOMMU_NOSPC);
    assert_as_left(rig, &f);
    set(rig, 2, uiommu_identity(rig->u));
    assert_true(rig_reaches(rig, 2, f.page, f.page));
    set(rig, 2, uiommu_blocked(rig->u));
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_NOSPC);
    assert_as_left(rig, &f);
    end_adoption(rig);
    set(rig, 2, d);
    assert_true(id_of(rig, 2) < 16);
    rig_drop(rig, 2, d);
    lies_end(rig);
}

static void a_unit_with_no_id_left_is_refused(struct rig *rig)
{
    struct first f;

    first_owner(rig, &f);
    first_leaves(rig, &f);
    use_ids(rig, 3, 15);
    lies_begin(rig, few_ids);
    assert_start_fails(rig, &f, UIOMMU_NOSPC, "all its domain ids");
    lies_end(rig);
    up(rig);
    end_adoption(rig);
}

/* ---- interrupts alone ------------------------------------------------------------ */

static bool remapped(struct rig *rig, const char **why)
{
    (void)why;
    hurry(rig);
    rig->config.args = "ir=1,eim=1";
    rig->setup.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    return true;
}

/* Whether the unit would let engine n send it. */
static bool may_send(struct rig *rig, unsigned n, uint64_t addr)
{
    struct uiommu_pci at = rig->m->devices[rig_engine(rig, n)].pci;
    struct sim_msi out;

    return sim_ops(rig->m)->remap_msi(
               sim_model(rig->m), (uint32_t)at.bus << 8 | at.devfn,
               UIE_REQ_PROBE, addr, 0x55, &out.addr, &out.data) == 0;
}

struct guard {
    struct rig *rig;
    uint64_t addr; /* engine 0 may send there */
    unsigned looked, lost, forged;
};

static void look(void *ctx)
{
    struct guard *g = ctx;

    g->looked++;
    g->lost += !may_send(g->rig, 0, g->addr);
    g->forged += may_send(g->rig, 1, g->addr) || may_send(g->rig, 0, FEE) ||
                 may_send(g->rig, 1, FEE) ||
                 may_send(g->rig, 0, g->addr + 0x20);
}

static void guard_begin(struct rig *rig, struct guard *g)
{
    g->rig = rig;
    g->looked = g->lost = g->forged = 0;
    rig_watch(rig, look, g);
}

static void guard_end(struct guard *g)
{
    rig_watch(g->rig, NULL, NULL);
    sim_forget(g->rig->m);
    assert_true(g->looked > 4);
    assert_int_equal(g->lost, 0);
    assert_int_equal(g->forged, 0);
}

static struct uiommu_irq *map_irq(struct rig *rig, unsigned n, uint8_t vector,
                                  uint64_t *addr)
{
    const struct uiommu_irq_target target = { .vector = vector };
    struct uiommu_irq_message m;
    struct uiommu_irq *irq;

    rig_ok(uiommu_irq_map(rig_endpoint(rig, n), &target, 1, &irq));
    uiommu_irq_message(irq, &m);
    *addr = m.addr;
    return irq;
}

/* As if the last owner only remapped interrupts. */
static void leave_interrupts_alone(struct rig *rig, struct guard *g)
{
    struct first f;

    first_owner(rig, &f);
    (void)map_irq(rig, 0, 0x41, &g->addr);
    first_leaves(rig, &f);
    unit_command(rig, IRE, TE, false);
    rig->setup.record = NULL;
    assert_true(unit_read32(rig, VTD_REG_GSTS) & IRE);
    assert_true(rig_reaches(rig, 2, f.page, f.page));
    assert_true(may_send(rig, 0, g->addr));
}

static void interrupts_alone_go_on(struct rig *rig)
{
    struct uiommu_irq *irq;
    struct guard g;
    uint64_t addr;

    leave_interrupts_alone(rig, &g);
    guard_begin(rig, &g);
    up(rig);
    guard_end(&g);
    assert_int_equal(adopted(rig), 0);
    for (unsigned n = 0; n < 3; n++)
        assert_true(rig_refused(rig, n, BASE));
    rig_is(uiommu_stop(rig->u), UIOMMU_BUSY);
    irq = map_irq(rig, 1, 0x42, &addr);
    assert_true(addr != g.addr);
    assert_true(may_send(rig, 0, g.addr));
    assert_true(may_send(rig, 1, addr));
    end_adoption(rig);
    assert_false(may_send(rig, 0, g.addr));
    assert_true(may_send(rig, 1, addr));
    rig_ok(uiommu_irq_unmap(irq));
}

static void interrupts_alone_are_adopted_as_they_are_or_not(struct rig *rig)
{
    const uint32_t flags = rig->setup.flags;
    struct guard g;

    leave_interrupts_alone(rig, &g);
    guard_begin(rig, &g);
    rig->setup.flags = flags & ~(uint32_t)UIOMMU_CONFIG_REMAP_INTERRUPTS;
    rig->setup.flags |= UIOMMU_CONFIG_ADOPT;
    assert_start_fails_unseen(rig, UIOMMU_OPNOTSUPP, "not asked for");
    rig->setup.flags |= flags | UIOMMU_CONFIG_X2APIC;
    assert_start_fails_unseen(rig, UIOMMU_OPNOTSUPP, "x2APIC");
    rig->setup.flags &= ~(uint32_t)UIOMMU_CONFIG_X2APIC;
    look(&g);
    g.looked += 4; /* a refusal writes nothing */
    guard_end(&g);
    up(rig);
    end_adoption(rig);
}

static void (*write32)(void *ctx, void *mmio, size_t offset, uint32_t value);

/* The switch for translation does not work. */
static void write32_without_te(void *ctx, void *mmio, size_t offset,
                               uint32_t value)
{
    if (offset == VTD_REG_GCMD)
        value &= ~TE;
    write32(ctx, mmio, offset, value);
}

static void interrupts_alone_are_given_back(struct rig *rig)
{
    struct guard g;

    leave_interrupts_alone(rig, &g);
    write32 = rig->m->host.mmio_write32;
    rig->m->host.mmio_write32 = write32_without_te;
    guard_begin(rig, &g);
    assert_start_fails_unseen(rig, UIOMMU_TIMEDOUT, "");
    guard_end(&g);
    rig->m->host.mmio_write32 = write32;
    assert_false(unit_read32(rig, VTD_REG_GSTS) & TE);
    up(rig);
    assert_true(may_send(rig, 0, g.addr));
    end_adoption(rig);
}

/* clang-format off */
static const struct rig_test tests[] = {
    RIG_COLD_ON(a_unit_that_caches_what_is_not_there_goes_on, with_caching_mode),
    { .name = "a_unit_that_empties_its_caches_by_itself_goes_on",
      .run = a_unit_that_empties_its_caches_by_itself_goes_on,
      .prepare = with_esrtps,
      .cold = true,
      .once = "the first command of all, and its status word, would be of a call "
              "that failed" },
    RIG_COLD_ON(a_unit_without_a_queue_goes_on, legacy),
    RIG_COLD(ids_above_64_are_not_given_either),
    RIG_COLD(when_ids_run_out_the_adopted_goes_on),
    RIG_COLD(a_unit_with_no_id_left_is_refused),
    RIG_COLD_ON(interrupts_alone_go_on, remapped),
    RIG_COLD_ON(interrupts_alone_are_adopted_as_they_are_or_not, remapped),
    RIG_COLD_ON(interrupts_alone_are_given_back, remapped),
    { 0 },
};

int main(void)
{
    return rig_run_where(RIG_ADOPTION, "handover_units", tests);
}
