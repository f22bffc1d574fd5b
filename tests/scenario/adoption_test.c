/* SPDX-License-Identifier: MIT */
/*
 * adoption_test.c - from one owner of a machine to the next (semantics B.23), on
 * every machine and in every mode: what tests/core/handover_test.c says of our model,
 * QEMU's unit says too. DMA is done while there is one owner, none, and the other.
 */
#include "tests/scenario/stand.h"

#include <string.h>

#define PAGE  UINT64_C(4096)
#define BASE  UINT64_C(0x80000000)
#define OTHER UINT64_C(0x90000000)
#define RW    (UIOMMU_READ | UIOMMU_WRITE)

enum {
    NOT_PRESENT = 0x22, /* the reason of an interrupt that is refused */
    ANOTHERS = 0x26,
};

/* Engine 0 has a page at BASE, engine 1 everything, engine 2 nothing. */
struct first {
    uint64_t page, beyond;
    struct uiommu_domain *domain;
};

#define assert_says(text, part)                                                \
    do {                                                                       \
        if (!strstr((text), (part)))                                           \
            fail_msg("\"%s\" does not say \"%s\"", (text), (part));            \
    } while (0)

/* ---- DMA ------------------------------------------------------------------ */

static bool lands(struct stand *s, unsigned n, uint64_t iova, uint64_t phys,
                  uint8_t byte)
{
    uint8_t data[8];

    memset(data, byte, sizeof(data));
    stand_poke(s, phys, 0);
    return machine_dma(s->m, s->engine[n], true, iova, data, sizeof(data)) ==
               MACHINE_DMA_DONE &&
           stand_peek(s, phys) == UINT64_C(0x0101010101010101) * byte;
}

/* Both ways. */
static bool reaches(struct stand *s, unsigned n, uint64_t iova, uint64_t phys)
{
    uint8_t data[8] = { 0 };

    return lands(s, n, iova, phys, 0x5c) &&
           machine_dma(s->m, s->engine[n], false, iova, data, sizeof(data)) ==
               MACHINE_DMA_DONE &&
           data[0] == 0x5c && data[7] == 0x5c;
}

/* And what would be there is as it was. */
static bool refused(struct stand *s, unsigned n, uint64_t iova, uint64_t phys)
{
    uint8_t data[8] = { 1, 2, 3 };
    uint64_t before = stand_peek(s, phys);

    return machine_dma(s->m, s->engine[n], true, iova, data, sizeof(data)) ==
               MACHINE_DMA_REFUSED &&
           stand_peek(s, phys) == before;
}

static uint64_t new_page(struct stand *s)
{
    uint64_t phys;

    assert_non_null(s->m->host.pages_alloc(s->m->host.ctx, 0, 0, &phys));
    return phys;
}

static void free_page(struct stand *s, uint64_t phys)
{
    struct uiommu_host *h = &s->m->host;

    h->pages_free(h->ctx, (void *)(uintptr_t)(phys + h->direct_offset), phys,
                  0);
}

static void set(struct stand *s, unsigned n, struct uiommu_domain *domain)
{
    stand_ok(uiommu_set_domain(stand_endpoint(s, n), domain, NULL));
}

/* What engine n needs to work at all, and a page at `iova`. */
static struct uiommu_domain *domain_with(struct stand *s, unsigned n,
                                         uint64_t iova, uint64_t phys)
{
    struct uiommu_range area = machine_engine_area(s->m, s->engine[n]);
    struct uiommu_domain *d;

    stand_ok(uiommu_domain_create(stand_endpoint(s, n), NULL, &d));
    if (area.size > 0)
        stand_ok(uiommu_map(d, area.iova, area.iova, area.size, RW));
    stand_ok(uiommu_map(d, iova, phys, PAGE, RW));
    set(s, n, d);
    return d;
}

/* ---- the first ------------------------------------------------------------- */

static void first_runs(struct stand *s, struct first *f)
{
    stand_up(s, 0);
    f->page = new_page(s);
    f->beyond = new_page(s);
    f->domain = domain_with(s, 0, BASE, f->page);
    set(s, 2, uiommu_blocked(s->u));
}

static void first_leaves(struct stand *s, struct first *f)
{
    stand_leave(s, UIOMMU_HAND_OVER_AS_IT_STANDS);
    uiommu_domain_put(f->domain);
    stand_gone(s);
}

static void assert_as_left(struct stand *s, const struct first *f)
{
    assert_true(reaches(s, 0, BASE, f->page));
    assert_true(refused(s, 0, BASE + PAGE, f->beyond));
    assert_true(refused(s, 0, f->beyond, f->beyond));
    assert_true(reaches(s, 1, f->beyond, f->beyond));
    assert_true(refused(s, 2, BASE, f->page));
    assert_true(refused(s, 2, f->beyond, f->beyond));
}

/* ---- the next -------------------------------------------------------------- */

static unsigned adopted(struct stand *s)
{
    return uiommu_adopted(s->u, NULL, NULL);
}

static void next_starts(struct stand *s)
{
    stand_ok(stand_start(s, UIOMMU_CONFIG_ADOPT));
}

/* The memory of the first is overwritten then. */
static void end_adoption(struct stand *s)
{
    stand_ok(uiommu_adopted_end(s->u));
    assert_int_equal(adopted(s), 0);
    stand_reclaim(s);
}

static void engines_blocked(struct stand *s)
{
    for (unsigned n = 0; n < STAND_ENGINES; n++)
        set(s, n, uiommu_blocked(s->u));
}

/* Engine 0 to a domain of its own, then the end. */
static void next_takes_over(struct stand *s, const struct first *f)
{
    uint64_t mine = new_page(s);
    struct uiommu_domain *d;

    assert_as_left(s, f);
    assert_int_equal(adopted(s), 2);
    stand_add(s);
    assert_as_left(s, f);
    d = domain_with(s, 0, OTHER, mine);
    assert_true(refused(s, 0, BASE, f->page));
    assert_true(reaches(s, 0, OTHER, mine));
    assert_true(reaches(s, 1, f->beyond, f->beyond));
    assert_int_equal(adopted(s), 1);
    end_adoption(s);
    assert_true(refused(s, 1, f->beyond, f->beyond));
    assert_true(refused(s, 2, BASE, f->page));
    assert_true(refused(s, 0, BASE, f->page));
    assert_true(reaches(s, 0, OTHER, mine));
    engines_blocked(s);
    uiommu_domain_put(d);
    free_page(s, mine);
    stand_down(s);
}

static void plain(struct stand *s)
{
    s->plain = true;
}

static void goes_on_with_a_record(struct stand *s)
{
    struct first f;

    plain(s);
    first_runs(s, &f);
    assert_as_left(s, &f);
    first_leaves(s, &f);
    assert_as_left(s, &f);
    next_starts(s);
    next_takes_over(s, &f);
}

/* As if what was left were nothing of uiommu. */
static void goes_on_without_a_record(struct stand *s)
{
    struct first f;

    plain(s);
    first_runs(s, &f);
    first_leaves(s, &f);
    s->record = NULL;
    s->record_size = 0;
    next_starts(s);
    next_takes_over(s, &f);
}

/* The next must not take what it finds for its own: ids, above all, are other ones. */
static void new_domains_are_no_old_ones(struct stand *s)
{
    struct uiommu_domain *d[4];
    struct first f;
    uint64_t mine;

    plain(s);
    first_runs(s, &f);
    first_leaves(s, &f);
    next_starts(s);
    stand_add(s);
    mine = new_page(s);
    for (unsigned i = 0; i < 4; i++) {
        d[i] = domain_with(s, 2, BASE, mine);
        assert_true(reaches(s, 2, BASE, mine));
        assert_true(reaches(s, 0, BASE, f.page));
    }
    end_adoption(s);
    assert_true(reaches(s, 2, BASE, mine));
    engines_blocked(s);
    for (unsigned i = 0; i < 4; i++)
        uiommu_domain_put(d[i]);
    free_page(s, mine);
    stand_down(s);
}

/* A third owner. */
static void what_is_inherited_is_handed_on(struct stand *s)
{
    struct first f;

    plain(s);
    first_runs(s, &f);
    first_leaves(s, &f);
    next_starts(s);
    stand_leave(s, UIOMMU_HAND_OVER_AS_IT_STANDS);
    stand_gone(s);
    assert_as_left(s, &f);
    next_starts(s);
    next_takes_over(s, &f);
}

/* ---- the other ways ---------------------------------------------------------- */

static void everybody_is_blocked(struct stand *s)
{
    struct first f;

    plain(s);
    first_runs(s, &f);
    engines_blocked(s);
    uiommu_domain_put(f.domain);
    for (unsigned i = STAND_DEVICES; i-- > 0; s->device[i] = NULL)
        if (s->device[i])
            stand_ok(uiommu_device_remove(s->device[i]));
    stand_leave(s, UIOMMU_HAND_OVER_BLOCKED);
    stand_gone(s);
    for (unsigned n = 0; n < STAND_ENGINES; n++)
        assert_true(refused(s, n, f.page, f.page));
    next_starts(s);
    assert_int_equal(adopted(s), 0);
    for (unsigned n = 0; n < STAND_ENGINES; n++)
        assert_true(refused(s, n, f.page, f.page));
    end_adoption(s);
    stand_down(s);
}

static void everybody_reaches_everything(struct stand *s)
{
    struct first f;

    plain(s);
    first_runs(s, &f);
    for (unsigned i = 0; i < s->m->n_devices; i++)
        stand_ok(uiommu_set_domain(uiommu_device_endpoint(s->device[i]),
                                   uiommu_identity(s->u), NULL));
    uiommu_domain_put(f.domain);
    stand_leave(s, UIOMMU_HAND_OVER_IDENTITY);
    stand_gone(s);
    for (unsigned n = 0; n < STAND_ENGINES; n++)
        assert_true(reaches(s, n, f.page, f.page));
    next_starts(s);
    for (unsigned n = 0; n < STAND_ENGINES; n++)
        assert_true(reaches(s, n, f.page, f.page));
    end_adoption(s);
    for (unsigned n = 0; n < STAND_ENGINES; n++)
        assert_true(refused(s, n, f.page, f.page));
    stand_down(s);
}

/* ---- refused ------------------------------------------------------------------ */

static void assert_start_fails(struct stand *s, const struct first *f,
                               enum uiommu_status status, const char *why)
{
    assert_int_equal(stand_start(s, UIOMMU_CONFIG_ADOPT), status);
    assert_says(stand_log(s), why);
    s->m->on_irq = NULL;
    stand_ok(uiommu_destroy(s->u));
    s->u = NULL;
    assert_as_left(s, f);
}

static void a_start_that_fails_leaves_all_as_it_was(struct stand *s)
{
    uint64_t entry;
    struct first f;

    plain(s);
    first_runs(s, &f);
    first_leaves(s, &f);
    entry = stand_peek(s, stand_rtaddr(s) & ~(PAGE - 1)) & ~(PAGE - 1);
    stand_poke(s, entry,
               2); /* of 00:00.0, not present, and of no device here */
    assert_start_fails(s, &f, UIOMMU_INVAL, "not as the record says");
    stand_poke(s, entry, 0);
    s->record = NULL;
    s->record_size = 0;
    next_starts(s);
    next_takes_over(s, &f);
}

/* ---- interrupts ---------------------------------------------------------------- */

static void interrupts_go_on(struct stand *s)
{
    struct uiommu_irq_message old, new;
    struct uiommu_irq *irq;

    stand_up(s, 0);
    old = stand_message(stand_map(s, 0, stand_to(0x41, 0)));
    stand_leave(s, UIOMMU_HAND_OVER_AS_IT_STANDS);
    stand_gone(s);
    stand_arrives(s, 0, old, stand_to(0x41, 0));
    next_starts(s);
    stand_add(s);
    stand_arrives(s, 0, old, stand_to(0x41, 0));
    stand_refused(s, 1, old.addr, old.data, ANOTHERS);
    irq = stand_map(s, 0, stand_to(0x42, 0));
    new = stand_message(irq);
    assert_true(new.addr != old.addr);
    stand_arrives(s, 0, new, stand_to(0x42, 0));
    stand_arrives(s, 0, old, stand_to(0x41, 0));
    for (unsigned n = 0; n < STAND_ENGINES; n++)
        set(s, n, uiommu_identity(s->u));
    end_adoption(s);
    stand_refused(s, 0, old.addr, old.data, NOT_PRESENT);
    stand_arrives(s, 0, new, stand_to(0x42, 0));
    stand_ok(uiommu_irq_unmap(irq));
    stand_down(s);
}

/* ---- all ------------------------------------------------------------------------ */

#define PLAIN(fn)                                                              \
    {                                                                          \
        .name = #fn, .run = fn, .unit = STAND_PLAIN, .cold = true              \
    }

static const struct stand_test tests[] = {
    PLAIN(goes_on_with_a_record),
    PLAIN(goes_on_without_a_record),
    PLAIN(new_domains_are_no_old_ones),
    PLAIN(what_is_inherited_is_handed_on),
    PLAIN(everybody_is_blocked),
    PLAIN(everybody_reaches_everything),
    PLAIN(a_start_that_fails_leaves_all_as_it_was),
    { .name = "goes_on_in_caching_mode",
      .run = goes_on_with_a_record,
      .unit = STAND_CACHES,
      .cold = true },
    { .name = "interrupts_go_on",
      .run = interrupts_go_on,
      .unit = STAND_REMAPS,
      .cold = true },
};

int main(void)
{
    return stand_run("adoption", tests, sizeof(tests) / sizeof(tests[0]));
}
