/* SPDX-License-Identifier: MIT */
/*
 * client_test.c - the one client (tools/client.h) on every kind of endpoint of one machine,
 * beside each other; and that he notices when a promise is not kept (semantics C.7).
 */
#include "tests/core/mdevs.h"

/* ---- every kind at once ------------------------------------------------------------- */

static bool with_all(struct rig *rig, const char **why)
{
    rig->setup.block_quality = UIOMMU_BLOCK_NONE;
    return with_pasids(rig, why);
}

static bool with_all_and_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_all(rig, why);
}

static void nothing_unmapped(void *ctx, struct uiommu_endpoint *ep,
                             uint64_t iova, uint64_t last)
{
    (void)ctx, (void)ep, (void)iova, (void)last;
}

static struct uiommu_endpoint *lend_kind(struct rig *rig, struct part *part,
                                         unsigned n, enum uiommu_mdev_kind kind)
{
    static const struct uiommu_mediator mediator[] = {
        [UIOMMU_MDEV_PASID] = { .pasid_install = part_install,
                                .pasid_clear = part_clear,
                                .parent_reset = part_reset },
        [UIOMMU_MDEV_RID_INHERIT] = { .parent_reset = part_reset },
        [UIOMMU_MDEV_EMULATED] = { .unmapped = nothing_unmapped,
                                   .parent_reset = part_reset },
    };
    struct uiommu_mdev_config config;

    *part = (struct part){ 0 };
    config = part_config(part, rig, n);
    config.kind = kind;
    config.mediator = &mediator[kind];
    rig_ok(uiommu_mdev_register(parent(rig, n), &config, &part->ep));
    return part->ep;
}

struct word {
    struct rig *rig;
    struct uiommu_endpoint *ep;
    bool write;
    uint64_t *at;
};

static void move(void *ctx, const struct uiommu_segment *piece)
{
    const struct word *w = ctx;

    if (w->write)
        rig_poke(w->rig, piece->phys, *w->at);
    else
        *w->at = rig_peek(w->rig, piece->phys);
}

static bool by_software(void *ctx, bool write, uint64_t iova, uint64_t *at)
{
    const unsigned flags = write ? UIOMMU_WRITE : UIOMMU_READ;
    struct word *w = ctx;

    w->write = write;
    w->at = at;
    if (uiommu_access_rw(w->ep, iova, 8, flags, move, w) == UIOMMU_OK)
        return true;
    rig_ok(uiommu_access_fault(w->ep, iova, flags));
    return false;
}

static void software_client(struct rig *rig, struct uiommu_endpoint *ep)
{
    struct client c = client_of(rig, ep, true);
    struct word w = { .rig = rig, .ep = ep };

    c.dma = by_software;
    c.ctx = &w;
    client_is_content(&c, false);
}

/* Each while all others are there: engine 0 has one of each kind, engine 1 is whole. */
static void one_client_has_every_kind_of_one_machine(struct rig *rig)
{
    struct part numbered, heir, soft;
    struct uiommu_endpoint *space;

    lend_kind(rig, &numbered, 0, UIOMMU_MDEV_PASID);
    lend_kind(rig, &heir, 0, UIOMMU_MDEV_RID_INHERIT);
    lend_kind(rig, &soft, 0, UIOMMU_MDEV_EMULATED);
    space = pasid(rig, 0);
    for (unsigned i = 0; i < 2; i++) {
        client(rig, 1, rig_endpoint(rig, 1), true);
        client(rig, 0, numbered.ep, true);
        client(rig, 0, space, false);
        software_client(rig, soft.ep);
        client(rig, 0, heir.ep, false);
    }
    rig_ok(uiommu_pasid_destroy(space, true));
    take_home(&soft);
    take_home(&heir);
    take_home(&numbered);
}

/* ---- and all are reset (C-SC8) --------------------------------------------------------- */

/* Engine 0 has one of each kind, and each sees another page. */
enum { NUMBERED, HEIR, SOFT, SPACE, KINDS };

struct all {
    struct rig *rig;
    struct part part[SPACE];
    struct uiommu_endpoint *ep[KINDS];
    struct uiommu_domain *d[KINDS];
    uint64_t phys[KINDS];
};

static void open_all(struct all *a, struct rig *rig)
{
    static const enum uiommu_mdev_kind kind[SPACE] = {
        [NUMBERED] = UIOMMU_MDEV_PASID,
        [HEIR] = UIOMMU_MDEV_RID_INHERIT,
        [SOFT] = UIOMMU_MDEV_EMULATED,
    };

    a->rig = rig;
    for (unsigned i = 0; i < KINDS; i++) {
        a->ep[i] =
            i < SPACE ? lend_kind(rig, &a->part[i], 0, kind[i]) : pasid(rig, 0);
        a->phys[i] = rig_pages(rig, 0);
        a->d[i] = mapped(rig, BASE, a->phys[i]);
        see(a->ep[i], a->d[i]);
    }
}

static void close_all(struct all *a)
{
    rig_ok(uiommu_pasid_destroy(a->ep[SPACE], true));
    for (unsigned i = SPACE; i-- > 0;)
        take_home(&a->part[i]);
    for (unsigned i = 0; i < KINDS; i++)
        uiommu_domain_put(a->d[i]);
}

/* The word at BASE is of the kind's own page, and of no other. */
static bool gets_there(struct all *a, unsigned i)
{
    struct word w = { .rig = a->rig, .ep = a->ep[i] };
    struct sender s = { a->rig, 0, a->ep[i], UIOMMU_NO_PASID };
    const uint64_t before = rig_peek(a->rig, a->phys[i]);
    uint64_t value = before + 1;

    if (i == SOFT ? !by_software(&w, true, BASE, &value)
                  : !send(&s, true, BASE, &value)) {
        assert_int_equal(rig_peek(a->rig, a->phys[i]), before);
        return false;
    }
    assert_int_equal(rig_peek(a->rig, a->phys[i]), before + 1);
    return true;
}

/* Nothing keeps software: it is told, and goes on. */
static void only_software_gets_there(struct all *a)
{
    for (unsigned i = 0; i < KINDS; i++)
        assert_int_equal(gets_there(a, i), i == SOFT);
}

static void are_told(const struct all *a, unsigned begun, unsigned ended,
                     unsigned failed)
{
    for (unsigned i = 0; i < SPACE; i++) {
        assert_int_equal(a->part[i].begun, begun);
        assert_int_equal(a->part[i].ended, ended);
        assert_int_equal(a->part[i].failed, failed);
    }
}

/* Whoever would change what it sees hears `status`. */
static void nobody_moves(struct all *a, enum uiommu_status status)
{
    for (unsigned i = 0; i < KINDS; i++)
        if (i != SOFT)
            rig_is(uiommu_set_domain(a->ep[i], a->d[(i + 1) % KINDS], NULL),
                   status);
}

static void c_sc8_every_kind_is_held_and_comes_back(struct rig *rig)
{
    struct all a;

    open_all(&a, rig);
    for (unsigned n = 1; n <= 2; n++) {
        rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
        are_told(&a, n, n - 1, 0);
        only_software_gets_there(&a);
        nobody_moves(&a, UIOMMU_BUSY);
        rig_ok(uiommu_device_reset_end(parent(rig, 0), true));
        are_told(&a, n, n, 0);
        for (unsigned i = 0; i < KINDS; i++) {
            assert_ptr_equal(uiommu_endpoint_domain(a.ep[i]), a.d[i]);
            assert_true(gets_there(&a, i));
        }
    }
    assert_int_equal(a.part[NUMBERED].installs, 1);
    assert_int_equal(a.part[NUMBERED].clears, 0);
    close_all(&a);
}

static void c_sc8_every_kind_is_blocked_if_it_fails(struct rig *rig)
{
    struct uiommu_mode mode;
    struct all a;

    open_all(&a, rig);
    rig_ok(uiommu_device_reset_begin(parent(rig, 0)));
    rig_ok(uiommu_device_reset_end(parent(rig, 0), false));
    are_told(&a, 1, 0, 1);
    only_software_gets_there(&a);
    nobody_moves(&a, UIOMMU_NODEV);
    for (unsigned i = 0; i < KINDS; i++) {
        rig_ok(uiommu_effective_mode(a.ep[i], &mode));
        assert_int_equal(mode.sees, i == SOFT ? UIOMMU_DOMAIN_PAGING
                                              : UIOMMU_DOMAIN_BLOCKED);
        assert_int_equal(mode.quarantined, i != SOFT);
    }
    close_all(&a);
}

/* ---- what he notices ---------------------------------------------------------------- */

/* A device, or a memory, that is wrong from the nth DMA on, or then alone. */
struct wrong {
    struct sender sender;
    unsigned n, from;
    bool once;
    enum { BYPASSES, FORGES, REACHES_ON, LOSES, SPILLS } how;
    struct client *c;
};

static bool bypass(struct wrong *w, bool write, uint64_t iova, uint64_t *word)
{
    volatile uint64_t *mem = w->c->mem[(iova - BASE) / RIG_PAGE % 2];

    if (write)
        *mem = *word;
    else
        *word = *mem;
    return true;
}

/* Into what the access was not about. */
static void spill(struct wrong *w, uint64_t iova)
{
    struct uiommu_trace trace;
    uint64_t there = NOWHERE;

    if (uiommu_walk(uiommu_endpoint_domain(w->c->ep), iova, &trace) ==
        UIOMMU_OK)
        there = trace.phys;
    for (unsigned i = 0; i < CLIENT_PAGES; i++)
        if (w->c->phys[i] != there)
            ++*w->c->mem[i];
}

static bool is_right(struct wrong *w)
{
    unsigned n = w->n++;

    return n < w->from || (w->once && n > w->from);
}

static bool goes_wrong(void *ctx, bool write, uint64_t iova, uint64_t *word)
{
    struct wrong *w = ctx;

    if (is_right(w))
        return send(&w->sender, write, iova, word);
    switch (w->how) {
    case BYPASSES:
        return bypass(w, write, iova, word);
    case LOSES:
        return true;
    case SPILLS:
        spill(w, iova);
        return send(&w->sender, write, iova, word);
    case FORGES:
        if (!send(&w->sender, write, iova, word))
            return false;
        ++*word;
        return true;
    default:
        (void)bypass(w, write, iova, word);
        return send(&w->sender, write, iova, word);
    }
}

static const char *broken_by(struct rig *rig, struct wrong *w, unsigned from)
{
    struct client c = client_of(rig, rig_endpoint(rig, 0), true);

    w->sender =
        (struct sender){ rig, 0, rig_endpoint(rig, 0), UIOMMU_NO_PASID };
    w->c = &c;
    w->n = 0;
    w->from = from;
    c.dma = goes_wrong;
    c.ctx = w;
    return client_run(&c);
}

/* How often he asks his device if all is well. */
static unsigned accesses(struct rig *rig)
{
    struct wrong w = { .how = LOSES };

    assert_null(broken_by(rig, &w, UINT32_MAX));
    return w.n;
}

static void must_notice(struct rig *rig, struct wrong *w, unsigned from)
{
    if (!broken_by(rig, w, from))
        fail_msg("%u %s access %u", w->how, w->once ? "at" : "from", from);
    assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)),
                     uiommu_blocked(rig->u));
}

/* From whichever access on, or at whichever; and the endpoint is as it was. */
static void he_notices_a_device_that_goes_wrong(struct rig *rig)
{
    const unsigned all = accesses(rig);

    for (unsigned from = 0; from < all; from++) {
        struct wrong w = { .how = LOSES };

        for (; w.how <= SPILLS; w.how++) {
            w.once = true;
            must_notice(rig, &w, from);
            w.once = false;
            must_notice(rig, &w, from);
        }
        w.how = REACHES_ON;
        must_notice(rig, &w, from);
        w.how = BYPASSES;
        must_notice(rig, &w, from);
    }
    assert_int_equal(accesses(rig), all);
}

/* What is read is not what is there. */
static void he_notices_what_is_read_wrong(struct rig *rig)
{
    struct wrong w = { .how = FORGES };

    assert_string_equal(broken_by(rig, &w, 0), "what is mapped is reached");
}

/* What he unmapped is not asked for: the device goes elsewhere, and is refused there. */
static bool elsewhere(void *ctx, bool write, uint64_t iova, uint64_t *word)
{
    struct wrong *w = ctx;

    if (iova == BASE + RIG_PAGE && w->n++ >= w->from)
        iova += GIB(1);
    return send(&w->sender, write, iova, word);
}

static void he_notices_a_fault_that_is_not_his(struct rig *rig)
{
    struct client c = client_of(rig, rig_endpoint(rig, 0), true);
    struct wrong w = { .c = &c, .from = 2 };

    w.sender = (struct sender){ rig, 0, rig_endpoint(rig, 0), UIOMMU_NO_PASID };
    c.dma = elsewhere;
    c.ctx = &w;
    assert_string_equal(client_run(&c),
                        "what is unmapped is refused, and told");
    assert_true(c.faults > 0);
    assert_int_equal(w.n, 4);
}

static bool no_fault(void *ctx, const struct uiommu_fault *fault)
{
    (void)ctx, (void)fault;
    return true;
}

/* Somebody else takes the faults, before they reach him. */
static bool steals(void *ctx, bool write, uint64_t iova, uint64_t *word)
{
    struct wrong *w = ctx;
    bool done = send(&w->sender, write, iova, word);

    if (w->c->domain[0])
        uiommu_fault_handler(w->c->domain[0], no_fault, NULL);
    return done;
}

static void he_says_when_he_heard_nothing(struct rig *rig)
{
    struct client c = client_of(rig, rig_endpoint(rig, 0), true);
    struct wrong w = { .c = &c };

    w.sender = (struct sender){ rig, 0, rig_endpoint(rig, 0), UIOMMU_NO_PASID };
    c.dma = steals;
    c.ctx = &w;
    assert_null(client_run(&c));
    assert_int_equal(c.faults, 0);
}

static void he_says_what_call_failed(struct rig *rig)
{
    struct uiommu_endpoint *ep = rig_endpoint(rig, 0);
    struct sender s = { rig, 0, ep, UIOMMU_NO_PASID };
    struct client c = client_of(rig, ep, true);
    const int other = 0;

    c.dma = send;
    c.ctx = &s;
    rig_ok(uiommu_claim(ep, &other));
    assert_string_equal(client_run(&c), "it is claimed");
    rig_is(c.status, UIOMMU_PERM);
    rig_ok(uiommu_release(ep, &other));
    c.phys[0] += 1;
    assert_string_equal(client_run(&c),
                        "a domain that is not seen shows nothing");
    rig_is(c.status, UIOMMU_INVAL);
    c.phys[0] -= 1;
    assert_null(client_run(&c));
    rig_is(c.status, UIOMMU_OK);
}

int main(void)
{
    static const struct rig_test tests[] = {
        RIG_TEST_ON(one_client_has_every_kind_of_one_machine, with_all),
        RIG_TEST_ON(one_client_has_every_kind_of_one_machine, with_all_and_ats),
        RIG_TEST_ON(c_sc8_every_kind_is_held_and_comes_back, with_all),
        RIG_TEST_ON(c_sc8_every_kind_is_held_and_comes_back, with_all_and_ats),
        RIG_TEST_ON(c_sc8_every_kind_is_blocked_if_it_fails, with_all),
        RIG_TEST_ON(c_sc8_every_kind_is_blocked_if_it_fails, with_all_and_ats),
        RIG_TEST(he_notices_a_device_that_goes_wrong),
        RIG_TEST(he_notices_what_is_read_wrong),
        RIG_TEST(he_notices_a_fault_that_is_not_his),
        RIG_TEST(he_says_when_he_heard_nothing),
        RIG_TEST(he_says_what_call_failed),
        { 0 },
    };

    return rig_run("client", tests);
}
