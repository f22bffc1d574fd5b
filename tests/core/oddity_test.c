/* SPDX-License-Identifier: MIT */
/*
 * oddity_test.c - machines that are possible though odd: firmware tables with
 * numbers nobody expects, regions that are huge, out of reach, of a bridge or
 * half mapped already (semantics B.10), units that snoop in one mode only, and
 * devices that talk too much.
 */
#include "core/core.h"
#include "tests/core/help.h"

#include <stdlib.h>

#include "core/core.h"

#define BASE  GIB(2)
#define START MIB(32)
#define SIZE  (4 * (uint64_t)RIG_PAGE)

/* Rows of the default topology. */
enum { ENGINE0, ENGINE1, PORT, ENGINE2 };

static void regions(struct rig *rig, const struct sim_region *region,
                    unsigned n)
{
    rig->config.regions = region;
    rig->config.n_regions = n;
}

/* ---- width of addresses -------------------------------------------------- */

enum { ADDRESS_WIDTH_AT = 36, DRHD_AT = 48, DRHD_BASE_AT = DRHD_AT + 8 };

static bool with_dmar(struct rig *rig, const char **why)
{
    return rig_does(rig, RIG_DMAR, why);
}

/* As up_to_start(), but the table says that addresses have so many bits. */
static void up_with_width(struct rig *rig, unsigned bits)
{
    struct table t;

    table_copy(rig, &t);
    t.bytes[ADDRESS_WIDTH_AT] = (uint8_t)(bits - 1);
    create_with(rig, &t);
    rig_ok(rig_start(rig));
}

static void check_width(struct rig *rig, unsigned bits)
{
    const uint64_t most = UINT64_C(1) << 52;
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    up_with_width(rig, bits);
    rig_add_all(rig);
    d = attached_with(rig, 0, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_is(uiommu_map(d, 0, most, RIG_PAGE, RIG_RW), UIOMMU_INVAL);
    rig_is(uiommu_map(d, 0, UINT64_MAX - RIG_PAGE + 1, RIG_PAGE, RIG_RW),
           UIOMMU_INVAL);
    rig_ok(uiommu_map(d, 0, most - RIG_PAGE, RIG_PAGE, RIG_RW));
    rig_drop(rig, 0, d);
}

static void wider_addresses_than_entries_hold_are_refused(struct rig *rig)
{
    check_width(rig, 56);
}

static void the_widest_addresses_a_table_can_name_are_no_trap(struct rig *rig)
{
    check_width(rig, 64);
}

static void a_machine_whose_only_unit_is_nowhere_does_not_start(struct rig *rig)
{
    struct table t;

    table_copy(rig, &t);
    memset(t.bytes + DRHD_BASE_AT, 0, 8);
    create_with(rig, &t);
    rig_is(rig_start(rig), UIOMMU_NODEV);
    assert_says(sim_last_log(rig->m), "no unit that can be driven");
}

/* ---- devices that are no PCI devices ------------------------------------- */

static bool with_acpi_device(struct rig *rig, const char **why)
{
    *why = "not on this unit: the simulated IORT has no named component yet";
    return !rig_lacks(rig, RIG_DMAR);
}

#define ACPI_PATH "\\_SB.I2C0"

/* DMAR names one, and its DMA has the id f1:02.1. */
static void add_acpi_device(struct table *t)
{
    static const uint8_t scope[] = { 5, 8, 0, 0, 1, 0xf1, 2, 1 };
    uint8_t andd[8 + sizeof(ACPI_PATH)] = { 4, 0, sizeof(andd), 0, 0, 0, 0, 1 };
    const size_t at = DRHD_AT + 16;

    memcpy(andd + 8, ACPI_PATH, sizeof(ACPI_PATH));
    assert_true(t->size + sizeof(scope) <= TABLE_MAX);
    memmove(t->bytes + at + sizeof(scope), t->bytes + at, t->size - at);
    memcpy(t->bytes + at, scope, sizeof(scope));
    t->bytes[DRHD_AT + 2] = (uint8_t)(t->bytes[DRHD_AT + 2] + sizeof(scope));
    t->size += sizeof(scope);
    table_append(t, andd, sizeof(andd));
}

static void an_acpi_device_goes_by_the_id_of_its_dma(struct rig *rig)
{
    const struct uiommu_device_info info = { .size = sizeof(info),
                                             .kind = UIOMMU_DEVICE_ACPI,
                                             .acpi_path = ACPI_PATH };
    struct uiommu_device *device;
    struct uiommu_endpoint *ep;
    struct uiommu_domain *d;
    struct table t;

    table_copy(rig, &t);
    add_acpi_device(&t);
    create_with(rig, &t);
    rig_ok(rig_start(rig));
    rig_ok(uiommu_device_add(rig->u, &info, &device));
    ep = uiommu_device_endpoint(device);
    rig_ok(uiommu_domain_create(ep, NULL, &d));
    map_page(d, BASE, rig_pages(rig, 0));
    rig_ok(uiommu_set_domain(ep, d, NULL));
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    rig_ok(uim_quarantine(ep));
    assert_says(sim_last_log(rig->m), ACPI_PATH " is blocked until");
    rig_ok(uiommu_device_remove(device));
    uiommu_domain_put(d);
}

/* Whatever firmware calls it. */
static void a_name_is_part_of_one_line(struct rig *rig)
{
    static const struct uiommu_pci pci = { 0 };
    char path[200];
    struct uim_name name;

    (void)rig;
    assert_string_equal(uim_name_of(pci, "\\_SB.\nX\xff").text, "\\_SB.?X?");
    memset(path, 'X', sizeof(path));
    path[sizeof(path) - 1] = '\0';
    name = uim_name_of(pci, path);
    assert_int_equal(strlen(name.text), sizeof(name.text) - 1);
}

/* The same with a region, which it keeps from the start on, added or not. */
static void an_acpi_device_keeps_its_region(struct rig *rig)
{
    static const uint8_t rmrr[] = {
        1,    0,    32, 0, 0, 0,    0, 0,
        0,    0,    0,  2, 0, 0,    0, 0,   /* START ...     */
        0xff, 0x3f, 0,  2, 0, 0,    0, 0,
        5,    8,    0,  0, 1, 0xf1, 2, 1, /* + SIZE - 1 */
    };
    char path[] = ACPI_PATH;
    struct uiommu_device_info info = { .size = sizeof(info),
                                       .kind = UIOMMU_DEVICE_ACPI,
                                       .acpi_path = path };
    struct uiommu_device *device;
    struct uiommu_endpoint *ep;
    struct uiommu_trace trace;
    struct table t;

    table_copy(rig, &t);
    add_acpi_device(&t);
    table_append(&t, rmrr, sizeof(rmrr));
    create_with(rig, &t);
    rig_ok(rig_start(rig));
    for (unsigned i = 0; i < 2; i++) {
        rig_ok(uiommu_device_add(rig->u, &info, &device));
        memset(path, 'X', sizeof(path) - 1); /* nobody needs it any more */
        ep = uiommu_device_endpoint(device);
        rig_ok(uiommu_walk(uiommu_endpoint_domain(ep), START, &trace));
        assert_int_equal(trace.phys, START);
        rig_is(uiommu_walk(uiommu_endpoint_domain(ep), START + SIZE, &trace),
               UIOMMU_NOENT);
        rig_is(uiommu_claim(ep, rig), UIOMMU_INVAL);
        rig_ok(uiommu_device_remove(device));
        memcpy(path, ACPI_PATH, sizeof(path));
    }
}

/* ---- devices with several ids -------------------------------------------- */

static struct uiommu_driver driver_of_two;

/* The table names engine 0 by two ids, and others by one. */
static enum uiommu_status two_ids(const void *table,
                                  const struct uim_fw_device *device,
                                  unsigned index, unsigned *unit, uint32_t *id)
{
    const unsigned devfn = 3 << 3;
    enum uiommu_status status;

    if (index != 1 || device->acpi_path || device->pci.devfn != devfn)
        return driver_of_two.fw->owner(table, device, index, unit, id);
    status = driver_of_two.fw->owner(table, device, 0, unit, id);
    *id += 0x100;
    return status;
}

/* All its entries are the same. */
static void a_device_with_several_ids_is_confined_under_each(struct rig *rig)
{
    struct uiommu_driver driver = *rig_arch(rig)->driver;
    struct uim_fw_ops fw = *driver.fw;
    const struct uiommu_driver *const drivers[] = { &driver };
    struct uiommu_domain *d;
    uint64_t page;

    assert_int_equal(rig->m->devices[ENGINE0].pci.devfn, 3 << 3);
    driver_of_two = driver;
    fw.owner = two_ids;
    driver.fw = &fw;
    rig_ok(rig_create(rig));
    rig_ok(uiommu_add_table(rig->u, rig->m->table, rig->m->table_size));
    rig_ok(uiommu_start(rig->u, drivers, 1));
    rig->started = true;
    assert_true(rig_reaches(rig, 0, START, START));
    rig_ok(rig_add(rig, ENGINE0));
    page = rig_pages(rig, 0);
    d = attached_with(rig, 0, BASE, page);
    assert_int_equal(rig->device[ENGINE0]->n_aliases, 1);
    assert_ptr_equal(rig->device[ENGINE0]->alias[0]->domain, d);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
    assert_ptr_equal(rig->device[ENGINE0]->alias[0]->domain,
                     uiommu_blocked(rig->u));
    rig_down(rig); /* while there is the driver */
}

/* ---- huge regions -------------------------------------------------------- */

#define HUGE_START GIB(16)
#define HUGE_SIZE  GIB(64)

static struct {
    void *(*phys_to_virt)(void *ctx, uint64_t phys);
    uint64_t calls;
} tables;

/* Each look at a table is one of these. */
static void *count_phys_to_virt(void *ctx, uint64_t phys)
{
    tables.calls++;
    return tables.phys_to_virt(ctx, phys);
}

static bool with_huge_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = {
        { HUGE_START, HUGE_SIZE, ENGINE0 },
    };

    (void)why;
    regions(rig, region, 1);
    rig->config.phys_to_virt = true;
    return true;
}

static void a_huge_region_is_mapped_in_a_few_steps(struct rig *rig)
{
    const uint64_t last = HUGE_START + HUGE_SIZE - RIG_PAGE;
    struct uiommu_domain *d;

    tables.phys_to_virt = rig->m->host.phys_to_virt;
    tables.calls = 0;
    rig->m->host.phys_to_virt = count_phys_to_virt;
    up(rig);
    d = rig_attached(rig, 0);
    assert_true(tables.calls < 10000);
    assert_int_equal(lands(rig, 0, HUGE_START, UIOMMU_WRITE), HUGE_START);
    assert_int_equal(lands(rig, 0, last, UIOMMU_WRITE), last);
    assert_int_equal(lands(rig, 0, last + RIG_PAGE, UIOMMU_WRITE), NOWHERE);
    rig_drop(rig, 0, d);
}

/* ---- regions out of reach ------------------------------------------------ */

#define FAR (UINT64_C(1) << 50)

static bool with_far_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { FAR, SIZE, ENGINE0 } };

    regions(rig, region, 1);
    return with_dmar(rig, why); /* for its width of addresses */
}

static void a_device_whose_region_cannot_be_mapped_is_blocked(struct rig *rig)
{
    struct uiommu_domain *d;

    up_with_width(rig, 52);
    for (unsigned i = 0; i < 2; i++) {
        rig_ok(rig_add(rig, ENGINE0));
        assert_says(sim_last_log(rig->m), "stays blocked");
        assert_ptr_equal(uiommu_endpoint_domain(rig_endpoint(rig, 0)),
                         uiommu_blocked(rig->u));
        assert_true(rig_refused(rig, 0, FAR));
        assert_true(rig_refused(rig, 0, BASE));
        d = rig_domain(rig, 0);
        rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_INVAL);
        uiommu_domain_put(d);
        rig_ok(uiommu_device_remove(rig->device[ENGINE0]));
        rig->device[ENGINE0] = NULL;
    }
}

/* ---- regions half mapped ------------------------------------------------- */

static bool with_region(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { START, SIZE, ENGINE0 } };

    (void)why;
    regions(rig, region, 1);
    return true;
}

static void a_region_that_is_mapped_read_only_is_a_conflict(struct rig *rig)
{
    struct uiommu_domain *d = rig_domain(rig, 0);
    struct uiommu_trace t;

    rig_ok(uiommu_map(d, START + RIG_PAGE, START + RIG_PAGE, RIG_PAGE,
                      UIOMMU_READ));
    rig_is(uiommu_set_domain(rig_endpoint(rig, 0), d, NULL), UIOMMU_INVAL);
    assert_true(rig_reaches(rig, 0, START + RIG_PAGE, START + RIG_PAGE));
    rig_is(uiommu_walk(d, START, &t), UIOMMU_NOENT);
    rig_ok(uiommu_walk(d, START + RIG_PAGE, &t));
    assert_int_equal(t.flags, UIOMMU_READ);
    uiommu_domain_put(d);
}

/* ---- regions of and behind a port ---------------------------------------- */

static bool with_region_of_port(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { START, SIZE, PORT } };

    (void)why;
    regions(rig, region, 1);
    return true;
}

static void a_device_below_a_port_with_a_region_can_be_added(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    up(rig);
    d = attached_with(rig, 2, BASE, page);
    assert_true(rig_reaches(rig, 2, BASE, page));
    rig_drop(rig, 2, d);
}

static bool with_region_behind_port(struct rig *rig, const char **why)
{
    static const struct sim_region region[] = { { START, SIZE, ENGINE2 } };

    (void)why;
    regions(rig, region, 1);
    rig->config.ats = true;
    return true;
}

static void a_device_with_a_region_behind_a_port_has_ats(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_domain *d;

    up(rig);
    d = attached_with(rig, 2, BASE, page);
    assert_true(rig_reaches(rig, 2, BASE, page));
    assert_true(rig_reaches(rig, 2, START, START));
    assert_true(sim_devtlb_entries(rig->m, rig_engine(rig, 2)) > 0);
    rig_ok(uiommu_unmap(d, BASE, RIG_PAGE, NULL));
    assert_true(rig_refused(rig, 2, BASE));
    rig_drop(rig, 2, d);
}

/* ---- no domain ids left -------------------------------------------------- */

static struct {
    uint32_t (*read)(void *ctx, struct uiommu_pci where, unsigned offset,
                     unsigned width);
    struct uiommu_pci where;
} usb;

/* Of a USB controller firmware lets the region go, so it can be claimed. */
static uint32_t read_as_usb(void *ctx, struct uiommu_pci where, unsigned offset,
                            unsigned width)
{
    uint32_t value = usb.read(ctx, where, offset, width);

    if (offset == 8 && width == 4 && where.bus == usb.where.bus &&
        where.devfn == usb.where.devfn)
        value = UINT32_C(0x0c0330) << 8 | (value & 0xff);
    return value;
}

static void use_up_domain_ids(struct uim_unit *unit, struct uiommu_domain *d)
{
    struct uim_link link = { .unit = unit, .domain = d };
    enum uiommu_status status = UIOMMU_OK;

    for (unsigned i = 0; status == UIOMMU_OK && i < 1u << 17; i++)
        status = unit->ops->link(&link);
    rig_is(status, UIOMMU_NOSPC);
}

static bool with_relaxable_region(struct rig *rig, const char **why)
{
    return with_region(rig, why) && rig_does(rig, RIG_RELAXABLE, why);
}

static void a_release_needs_no_new_domain_id(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    struct uiommu_domain *d;

    usb.read = rig->m->host.pci_read;
    usb.where = rig->m->devices[ENGINE0].pci;
    rig->m->host.pci_read = read_as_usb;
    up(rig);
    ep = rig_endpoint(rig, 0);
    rig_ok(uiommu_claim(ep, rig));
    assert_true(rig_refused(rig, 0, START));
    d = rig_domain(rig, 1);
    use_up_domain_ids(ep->device->unit, d);
    rig->dirty = true; /* they never come back */
    rig_is(uiommu_set_domain(rig_endpoint(rig, 1), d, NULL), UIOMMU_NOSPC);
    rig_ok(uiommu_release(ep, rig));
    assert_true(rig_reaches(rig, 0, START, START));
    uiommu_domain_put(d);
}

/* Who goes leaves the device its region: not before its reset is over (D-68). */
static void a_region_comes_back_after_the_reset(struct rig *rig)
{
    struct uiommu_device *d;
    struct uiommu_endpoint *ep;

    usb.read = rig->m->host.pci_read;
    usb.where = rig->m->devices[ENGINE0].pci;
    rig->m->host.pci_read = read_as_usb;
    up(rig);
    d = rig->device[ENGINE0];
    ep = uiommu_device_endpoint(d);
    rig_ok(uiommu_claim(ep, rig));
    rig_ok(uiommu_device_reset_begin(d));
    rig_ok(uiommu_release(ep, rig));
    assert_ptr_equal(uiommu_endpoint_domain(ep), uiommu_core_domain(ep));
    assert_true(rig_refused(rig, 0, START));
    rig_ok(uiommu_device_reset_end(d, true));
    assert_true(rig_reaches(rig, 0, START, START));
}

/* The id that the next domain would get. */
static unsigned next_domain_id(struct uim_unit *unit, struct uiommu_domain *d)
{
    struct uim_link link = { .unit = unit, .domain = d };

    rig_ok(unit->ops->link(&link));
    unit->ops->unlink(&link);
    return link.id;
}

/* Its domain of regions has an id before the device sees it. */
static void adds_and_removes_give_domain_ids_back(struct rig *rig)
{
    struct uim_unit *unit = rig_endpoint(rig, 0)->device->unit;
    unsigned dev = rig_engine(rig, 0), first;
    struct uiommu_domain *d = rig_domain(rig, 1);
    enum uiommu_status status = UIOMMU_NOMEM;

    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    first = next_domain_id(unit, d);
    for (unsigned nth = 1; status != UIOMMU_OK; nth++) {
        assert_int_equal(next_domain_id(unit, d), first);
        sim_fail_nth(rig->m, nth);
        status = rig_add(rig, dev);
        sim_fail_nth(rig->m, 0);
        assert_true(status == UIOMMU_OK || status == UIOMMU_NOMEM ||
                    status == UIOMMU_NODEV);
    }
    assert_true(rig_reaches(rig, 0, START, START));
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    assert_int_equal(next_domain_id(unit, d), first);
    uiommu_domain_put(d);
}

/* The regions are in the domain when the link to the unit is refused. */
static void without_domain_ids_a_set_takes_its_regions_out(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    struct uiommu_domain *d;
    struct uiommu_trace t;

    up(rig);
    ep = rig_endpoint(rig, 0);
    d = rig_domain(rig, 0);
    use_up_domain_ids(ep->device->unit, d);
    rig->dirty = true; /* they never come back */
    rig_is(uiommu_set_domain(ep, d, NULL), UIOMMU_NOSPC);
    for (uint64_t at = START; at < START + SIZE; at += RIG_PAGE)
        rig_is(uiommu_walk(d, at, &t), UIOMMU_NOENT);
    assert_true(rig_reaches(rig, 0, START, START));
    uiommu_domain_put(d);
}

/* ---- modes --------------------------------------------------------------- */

enum { ECAP = 0x10, SMPWCS = 48 };

static uint64_t (*read64)(void *ctx, void *mmio, size_t offset);

/* Walks snoop in legacy mode only. */
static uint64_t read_without_smpwcs(void *ctx, void *mmio, size_t offset)
{
    uint64_t value = read64(ctx, mmio, offset);

    return offset == ECAP ? value & ~(UINT64_C(1) << SMPWCS) : value;
}

/* All modes, with tables of the second stage. */
static bool coherent_in_all_modes(struct rig *rig, const char **why)
{
    *why = "the unit has, and snoops in, more modes than one";
    rig->setup.options = NULL;
    return rig->config.mode == SIM_SCALABLE && !rig->config.non_coherent;
}

static void without_flush_a_mode_is_found_whose_walks_snoop(struct rig *rig)
{
    uint64_t page = rig_pages(rig, 0);
    struct uiommu_unit_info info;
    struct uiommu_domain *d;

    read64 = rig->m->host.mmio_read64;
    rig->m->host.mmio_read64 = read_without_smpwcs;
    rig->m->host.flush = NULL;
    up(rig);
    rig_ok(uiommu_unit_info(rig->u, 0, &info));
    assert_string_equal(info.mode, "legacy");
    assert_true(info.coherent);
    d = attached_with(rig, 0, BASE, page);
    assert_true(rig_reaches(rig, 0, BASE, page));
    rig_drop(rig, 0, d);
}

/* ---- devices that talk too much ------------------------------------------ */

enum { NOISE = 200, MOST = 20 }; /* sentences in a second */

static bool unheard(struct rig *rig, const char **why)
{
    (void)why;
    rig->setup.on_fault = NULL;
    return true;
}

static void a_noisy_device_does_not_hide_another(struct rig *rig)
{
    for (unsigned i = 0; i < NOISE; i++) {
        assert_false(rig_write(rig, 0, BASE + i * RIG_PAGE, 0));
        rig_poll(rig);
    }
    assert_says(sim_last_log(rig->m), "00:03.0");
    assert_false(rig_write(rig, 1, BASE, 0));
    rig_poll(rig);
    assert_says(sim_last_log(rig->m), "00:04.0");
}

static struct {
    void (*log)(void *ctx, enum uiommu_log_level level, const char *text);
    unsigned faults, left_out;
    char said[128]; /* of what was left out */
} noise;

static void hear_noise(void *ctx, enum uiommu_log_level level, const char *text)
{
    noise.faults += strstr(text, "00:03.0") != NULL;
    if (strstr(text, "not logged")) {
        noise.left_out++;
        snprintf(noise.said, sizeof(noise.said), "%s", text);
    }
    noise.log(ctx, level, text);
}

static void make_noise(struct rig *rig, unsigned n)
{
    noise.faults = noise.left_out = 0;
    for (unsigned i = 0; i < n; i++) {
        assert_false(rig_write(rig, 0, BASE + i * RIG_PAGE, 0));
        rig_poll(rig);
    }
}

/* A second later it is said how many they were, once, and only if there were. */
static void sentences_that_were_left_out_are_counted(struct rig *rig)
{
    unsigned heard;
    char expected[32];

    noise.log = rig->m->host.log;
    rig->m->host.log = hear_noise;
    up(rig);
    make_noise(rig, 3);
    assert_int_equal(noise.faults, 3);
    sim_advance(rig->m, GIB(2));
    make_noise(rig, NOISE);
    assert_int_equal(noise.left_out, 0);
    heard = noise.faults;
    assert_int_equal(heard, MOST);
    for (unsigned n = NOISE - heard; n > 0; n = n > 1 ? 1 : 0) {
        sim_advance(rig->m, GIB(2));
        make_noise(rig, heard + 1);
        assert_int_equal(noise.faults, heard);
        assert_int_equal(noise.left_out, 1);
        snprintf(expected, sizeof(expected), "%u more faults", n);
        assert_says(noise.said, expected);
    }
}

static const struct rig_test tests[] = {
    RIG_COLD_ON(wider_addresses_than_entries_hold_are_refused, with_dmar),
    RIG_COLD_ON(the_widest_addresses_a_table_can_name_are_no_trap, with_dmar),
    RIG_COLD_ON(a_machine_whose_only_unit_is_nowhere_does_not_start, with_dmar),
    RIG_COLD_ON(an_acpi_device_goes_by_the_id_of_its_dma, with_acpi_device),
    RIG_COLD(a_name_is_part_of_one_line),
    RIG_COLD_ON(an_acpi_device_keeps_its_region, with_acpi_device),
    RIG_COLD_ON(a_device_with_several_ids_is_confined_under_each, with_region),
    RIG_COLD_ON(a_huge_region_is_mapped_in_a_few_steps, with_huge_region),
    RIG_COLD_ON(a_device_whose_region_cannot_be_mapped_is_blocked,
                with_far_region),
    RIG_TEST_ON(a_region_that_is_mapped_read_only_is_a_conflict, with_region),
    RIG_COLD_ON(a_device_below_a_port_with_a_region_can_be_added,
                with_region_of_port),
    RIG_COLD_ON(a_device_with_a_region_behind_a_port_has_ats,
                with_region_behind_port),
    RIG_COLD_ON(a_release_needs_no_new_domain_id, with_relaxable_region),
    RIG_COLD_ON(a_region_comes_back_after_the_reset, with_relaxable_region),
    RIG_TEST_ON(adds_and_removes_give_domain_ids_back, with_region),
    RIG_COLD_ON(without_domain_ids_a_set_takes_its_regions_out, with_region),
    RIG_COLD_ON(without_flush_a_mode_is_found_whose_walks_snoop,
                coherent_in_all_modes),
    RIG_TEST_ON(a_noisy_device_does_not_hide_another, unheard),
    RIG_COLD_ON(sentences_that_were_left_out_are_counted, unheard),
    { 0 },
};

int main(void)
{
    return rig_run("oddity", tests);
}
