/* SPDX-License-Identifier: MIT */
/*
 * api.c - an embedder that passes anything: map, unmap, split, walk and set_domain
 * with any arguments, some host calls failing, against a flat shadow of what has to
 * be mapped. Devices on a simulated machine are asked what they see.
 */
#include "fuzz/fuzz.h"

#include <uiommu/embed.h>
#include <uiommu/uiommu.h>

#include "hosts/sim/sim.h"

#define RULES(X)                                                               \
    X(what_is_malformed_is_refused)                                            \
    X(what_is_well_formed_is_done)                                             \
    X(only_what_is_mapped_exists)                                              \
    X(unmap_counts_what_was_mapped)                                            \
    X(only_parts_of_leaves_are_refused)                                        \
    X(split_ranges_can_be_unmapped)                                            \
    X(walks_agree_with_the_shadow)                                             \
    X(devices_agree_with_the_shadow)                                           \
    X(what_was_begun_can_be_ended)                                             \
    X(no_stale_entry_is_used)                                                  \
    X(nothing_is_left)
FUZZ_RULES(RULES);

enum { PAGE = 4096, DOMAINS = 2, ENGINES = 2, RANGES = 128, STEPS = 100 };

#define RW (UIOMMU_READ | UIOMMU_WRITE)

struct range {
    uint64_t iova, phys, size;
    unsigned flags;
};

struct shadow {
    struct uiommu_domain *domain;
    struct uiommu_domain_info info;
    struct range range[RANGES];
    unsigned n;
};

static struct {
    struct machine *m;
    struct uiommu *u;
    struct uiommu_device *device[ENGINES];
    struct shadow shadow[DOMAINS];
    struct shadow *sees[ENGINES]; /* NULL: nothing */
} box;

/* ---- the shadow -------------------------------------------------------------- */

static bool inside(const struct range *r, uint64_t iova)
{
    return iova - r->iova < r->size;
}

static const struct range *at(const struct shadow *s, uint64_t iova)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (inside(&s->range[i], iova))
            return &s->range[i];
    }
    return NULL;
}

/* Bytes of the range that lie in [iova, last]. */
static uint64_t common(const struct range *r, uint64_t iova, uint64_t last)
{
    uint64_t end = r->iova + r->size - 1;
    uint64_t from = r->iova > iova ? r->iova : iova;
    uint64_t to = end < last ? end : last;

    return from > to ? 0 : to - from + 1;
}

static uint64_t mapped(const struct shadow *s, uint64_t iova, uint64_t size)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < s->n; i++)
        sum += common(&s->range[i], iova, iova + size - 1);
    return sum;
}

static void insert(struct shadow *s, struct range r)
{
    if (r.size > 0)
        s->range[s->n++] = r;
}

/* What is before the hole and what is behind it stay. */
static void cut(struct shadow *s, uint64_t iova, uint64_t size)
{
    uint64_t last = iova + size - 1;
    unsigned n = s->n;

    for (unsigned i = n; i-- > 0;) {
        struct range r = s->range[i], behind = r;
        uint64_t hole = common(&r, iova, last);

        if (hole == 0)
            continue;
        s->range[i] = s->range[--s->n];
        behind.size =
            iova > r.iova ? r.size - (iova - r.iova) - hole : r.size - hole;
        behind.iova += r.size - behind.size;
        behind.phys += r.size - behind.size;
        r.size = r.size - hole - behind.size;
        insert(s, r);
        insert(s, behind);
    }
}

/* ---- looking ----------------------------------------------------------------- */

static void look_by_walk(const struct shadow *s, uint64_t iova)
{
    const struct range *r = at(s, iova);
    struct uiommu_trace t = { .phys = 0 };
    enum uiommu_status status = uiommu_walk(s->domain, iova, &t);
    bool good;

    if (iova > s->info.last_iova) {
        fuzz_check(status == UIOMMU_INVAL, RULE_what_is_malformed_is_refused);
        return;
    }
    if (fuzz_lies(RULE_walks_agree_with_the_shadow))
        status = UIOMMU_IO;
    good = r ? status == UIOMMU_OK && t.phys == r->phys + (iova - r->iova) &&
                   (r->flags & RW & ~t.flags) == 0
             : status == UIOMMU_NOENT;
    fuzz_check(good, RULE_walks_agree_with_the_shadow);
}

static bool is_message(uint64_t address)
{
    return address >> 20 == 0xfee;
}

/* Messages are not translated, and no page leads there. */
static void look_by_device(unsigned n, uint64_t iova)
{
    const struct range *r = box.sees[n] ? at(box.sees[n], iova) : NULL;
    unsigned dev = (unsigned)sim_engine(box.m, n);
    struct uie_xlat x = { .size = sizeof(x) };
    unsigned access =
        r && !(r->flags & UIOMMU_READ) ? UIOMMU_WRITE : UIOMMU_READ;
    bool seen, good;

    if (is_message(iova) || (r && is_message(r->phys + (iova - r->iova))))
        return;
    seen = sim_probe(box.m, dev, UIOMMU_NO_PASID, iova, access, &x) == 0;
    good = seen == (r != NULL) &&
           (!r || x.gpa + (iova & x.mask) == r->phys + (iova - r->iova));
    fuzz_check(good && !fuzz_lies(RULE_devices_agree_with_the_shadow),
               RULE_devices_agree_with_the_shadow);
}

static void look(uint64_t iova)
{
    for (unsigned i = 0; i < DOMAINS; i++)
        look_by_walk(&box.shadow[i], iova);
    for (unsigned i = 0; i < ENGINES; i++)
        look_by_device(i, iova);
}

/* At both ends, and behind them. */
static void look_around(uint64_t iova, uint64_t size)
{
    look(iova);
    look(iova - 1);
    look(iova + size - 1);
    look(iova + size);
}

/* ---- steps --------------------------------------------------------------------- */

static bool well_formed(const struct shadow *s, uint64_t iova, uint64_t size)
{
    return size > 0 && (iova | size) % PAGE == 0 && iova <= s->info.last_iova &&
           size - 1 <= s->info.last_iova - iova;
}

static bool meets_messages(uint64_t iova, uint64_t size)
{
    const struct range window = { .iova = 0xfee00000, .size = 0x100000 };

    return common(&window, iova, iova + size - 1) > 0;
}

static uint64_t take_iova(struct fuzz_input *in)
{
    static const uint64_t from[] = { 0,
                                     0x200000,
                                     0x40000000,
                                     0xfee00000,
                                     0x3fffc00000,
                                     0x7fffc00000,
                                     UINT64_C(0x7fffffc00000),
                                     UINT64_MAX };
    uint8_t which = (uint8_t)fuzz_take(in, 1);

    if ((which & 15) == 15)
        return fuzz_take(in, 8);
    return from[which & 7] + (fuzz_take(in, 1) << (which & 0x10 ? 21 : 12)) +
           (which >> 5 == 7);
}

static uint64_t take_size(struct fuzz_input *in)
{
    uint8_t which = (uint8_t)fuzz_take(in, 1);

    if ((which & 15) == 15)
        return fuzz_take(in, 8);
    return (fuzz_take(in, 1) << (which & 1   ? 12
                                 : which & 2 ? 21
                                 : which & 4 ? 30
                                             : 12)) +
           (which >> 5 == 7);
}

/* Nothing but memory may stand in the way. */
static bool memory(enum uiommu_status status)
{
    return status == UIOMMU_NOMEM;
}

static void check_map(const struct shadow *s, const struct range *r,
                      enum uiommu_status status)
{
    bool good = well_formed(s, r->iova, r->size) && r->phys % PAGE == 0 &&
                (r->flags & RW) != 0;
    bool plain = good && r->flags == RW && r->phys >> 36 == 0 &&
                 r->size >> 36 == 0 && !meets_messages(r->iova, r->size) &&
                 !meets_messages(r->phys, r->size);
    bool free = good && mapped(s, r->iova, r->size) == 0;

    if (fuzz_lies(RULE_what_is_malformed_is_refused))
        good = false;
    if (fuzz_lies(RULE_what_is_well_formed_is_done) && plain)
        status = UIOMMU_INVAL;
    if (fuzz_lies(RULE_only_what_is_mapped_exists) && plain)
        status = UIOMMU_EXIST;
    if (!good) {
        fuzz_check(status != UIOMMU_OK, RULE_what_is_malformed_is_refused);
        return;
    }
    fuzz_check(!plain || status == UIOMMU_OK || status == UIOMMU_EXIST ||
                   memory(status),
               RULE_what_is_well_formed_is_done);
    fuzz_check(free ? status != UIOMMU_EXIST : status != UIOMMU_OK,
               RULE_only_what_is_mapped_exists);
}

static void map(struct fuzz_input *in, struct shadow *s)
{
    uint64_t iova = take_iova(in);
    uint64_t phys = take_iova(in);
    struct range r = { iova, phys, take_size(in), (unsigned)fuzz_take(in, 1) };
    enum uiommu_status status;

    if (r.flags & 0x80) /* most are plain */
        r.flags = RW;
    if (s->n + 2 > RANGES / 2)
        return;
    status = uiommu_map(s->domain, r.iova, r.phys, r.size, r.flags);
    check_map(s, &r, status);
    if (status == UIOMMU_OK)
        insert(s, r);
    look_around(r.iova, r.size);
}

/* Does the leaf at `iova` reach beyond [from, last]? */
static bool straddles(const struct shadow *s, uint64_t iova, uint64_t from,
                      uint64_t last)
{
    struct uiommu_trace t;
    uint64_t leaf;

    if (uiommu_walk(s->domain, iova, &t) != UIOMMU_OK)
        return false;
    leaf = iova & ~(t.page_size - 1);
    return leaf < from || leaf + t.page_size - 1 > last;
}

static enum uiommu_status unmap_range(struct shadow *s, uint64_t iova,
                                      uint64_t size)
{
    bool good = well_formed(s, iova, size);
    uint64_t last = iova + size - 1, unmapped = 0;
    bool partly = good && (straddles(s, iova, iova, last) ||
                           straddles(s, last, iova, last));
    enum uiommu_status status = uiommu_unmap(s->domain, iova, size, &unmapped);

    if (!good) {
        fuzz_check(status == UIOMMU_INVAL, RULE_what_is_malformed_is_refused);
        return status;
    }
    if (fuzz_lies(RULE_only_parts_of_leaves_are_refused))
        partly = !partly;
    fuzz_check(status == (partly ? UIOMMU_INVAL : UIOMMU_OK),
               RULE_only_parts_of_leaves_are_refused);
    if (status != UIOMMU_OK)
        return status;
    unmapped += fuzz_lies(RULE_unmap_counts_what_was_mapped);
    fuzz_check(unmapped == mapped(s, iova, size),
               RULE_unmap_counts_what_was_mapped);
    cut(s, iova, size);
    return status;
}

static void unmap(struct fuzz_input *in, struct shadow *s, bool split)
{
    uint64_t iova = take_iova(in), size = take_size(in);
    enum uiommu_status status = UIOMMU_NOENT;

    if (split)
        status = uiommu_split(s->domain, iova, size);
    if (split && !well_formed(s, iova, size))
        fuzz_check(status == UIOMMU_INVAL, RULE_what_is_malformed_is_refused);
    look_around(iova, size);
    if (status == UIOMMU_OK) {
        status = unmap_range(s, iova, size);
        if (fuzz_lies(RULE_split_ranges_can_be_unmapped))
            status = UIOMMU_INVAL;
        fuzz_check(status == UIOMMU_OK, RULE_split_ranges_can_be_unmapped);
    } else {
        unmap_range(s, iova, size);
    }
    look_around(iova, size);
}

static void set(uint8_t which)
{
    unsigned n = which % ENGINES, to = which / ENGINES % (DOMAINS + 1);
    struct uiommu_endpoint *ep = uiommu_device_endpoint(box.device[n]);
    struct shadow *s = to < DOMAINS ? &box.shadow[to] : NULL;

    if (uiommu_set_domain(ep, s ? s->domain : uiommu_blocked(box.u), NULL) ==
        UIOMMU_OK)
        box.sees[n] = s;
}

static void step(struct fuzz_input *in)
{
    uint8_t op = (uint8_t)fuzz_take(in, 1);
    struct shadow *s = &box.shadow[op >> 7 & 1];
    uint64_t iova;

    switch (op & 7) {
    case 0:
    case 1:
    case 2:
        map(in, s);
        break;
    case 3:
    case 4:
        unmap(in, s, (op & 7) == 4);
        break;
    case 5:
        set((uint8_t)fuzz_take(in, 1));
        break;
    case 6:
        iova = take_iova(in);
        look(iova);
        break;
    default: /* in the step that follows */
        sim_fail_nth(box.m, 1 + fuzz_take(in, 1) % 8);
        return;
    }
    sim_fail_nth(box.m, 0);
}

/* ---- life ---------------------------------------------------------------------- */

static void must(enum uiommu_status status)
{
    if (fuzz_lies(RULE_what_was_begun_can_be_ended))
        status = UIOMMU_BUSY;
    fuzz_check(status == UIOMMU_OK, RULE_what_was_begun_can_be_ended);
}

static void on_problem(void *ctx, const char *text)
{
    (void)ctx;
    fprintf(stderr, "sim: %s\n", text);
}

static void open_machine(uint8_t bits)
{
    const struct sim_config config = {
        .mode = bits % 3,
        .engines = ENGINES,
        .non_coherent = bits & 0x08,
        .adversarial = bits & 0x10,
        .ats = bits & 0x20,
        .caching_mode = bits & 0x40,
        .ram_size = 4 << 20,
        .on_problem = on_problem,
    };
    const struct uiommu_driver *const drivers[] = { &uiommu_driver_vtd };
    char error[256];

    memset(&box, 0, sizeof(box));
    box.m = sim_open(&config, error, sizeof(error));
    if (!box.m)
        abort();
    must(uiommu_create(&box.m->host, NULL, &box.u));
    must(uiommu_add_table(box.u, box.m->table, box.m->table_size));
    must(uiommu_start(box.u, drivers, 1));
}

static void open_domains(bool small)
{
    struct uiommu_domain_config config = { .size = sizeof(config),
                                           .page_sizes = small ? PAGE : 0 };
    struct uiommu_endpoint *ep = uiommu_device_endpoint(box.device[0]);

    for (unsigned i = 0; i < DOMAINS; i++) {
        struct shadow *s = &box.shadow[i];

        must(uiommu_domain_create(ep, i ? &config : NULL, &s->domain));
        uiommu_domain_info(s->domain, &s->info);
    }
}

static void open_devices(void)
{
    for (unsigned i = 0; i < ENGINES; i++) {
        int dev = sim_engine(box.m, i);
        struct uiommu_device_info info = { .size = sizeof(info),
                                           .pci = box.m->devices[dev].pci };

        must(uiommu_device_add(box.u, &info, &box.device[i]));
    }
}

static void close_all(void)
{
    unsigned stale;

    sim_fail_nth(box.m, 0);
    for (unsigned i = 0; i < ENGINES; i++)
        must(uiommu_device_remove(box.device[i]));
    for (unsigned i = 0; i < DOMAINS; i++)
        uiommu_domain_put(box.shadow[i].domain);
    must(uiommu_stop(box.u));
    must(uiommu_destroy(box.u));
    stale = sim_stale_count(box.m) + fuzz_lies(RULE_no_stale_entry_is_used);
    fuzz_check(stale == 0, RULE_no_stale_entry_is_used);
    fuzz_check(sim_close(box.m) == 0 && !fuzz_lies(RULE_nothing_is_left),
               RULE_nothing_is_left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    uint8_t bits = (uint8_t)fuzz_take(&in, 1);

    open_machine(bits);
    open_devices();
    open_domains(bits & 0x80);
    for (unsigned i = 0; i < STEPS && in.left > 0; i++)
        step(&in);
    close_all();
    return 0;
}
