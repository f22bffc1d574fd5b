/* SPDX-License-Identifier: MIT */
/*
 * Which unit, which regions and which ATS answer a device gets, from tables of
 * real machines and from constructed ones (VT-d 8.3 .. 8.9, semantics B.10).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fw/dmar.h"
#include "spec/pci.h"
#include "table.h"

/* ---- devices and questions ----------------------------------------------- */

/* "00:1c.4 02:00.0": a root port, switch ports, and an endpoint last. */
static struct uim_fw_device device(const char *path)
{
    struct uim_fw_device d = { 0 };
    unsigned bus, dev, fn;
    int used;

    for (; sscanf(path, "%x:%x.%x%n", &bus, &dev, &fn, &used) == 3;
         path += used) {
        d.hop[d.n].bus = (uint8_t)bus;
        d.hop[d.n].devfn = (uint8_t)(dev << 3 | fn);
        d.hop[d.n].port =
            d.n == 0 ? PCI_EXP_TYPE_ROOT_PORT : PCI_EXP_TYPE_DOWNSTREAM_PORT;
        d.n++;
    }
    d.hop[d.n - 1].port = PCI_EXP_TYPE_ENDPOINT;
    d.pci.bus = d.hop[d.n - 1].bus;
    d.pci.devfn = d.hop[d.n - 1].devfn;
    return d;
}

static struct uim_fw_device acpi_device(const char *path)
{
    return (struct uim_fw_device){ .acpi_path = path };
}

/* unit << 16 | id, or -status. */
static int owner_of(const struct blob *b, const struct uim_fw_device *d)
{
    enum uiommu_status status;
    unsigned unit = 99;
    uint32_t id = 99;

    status = uim_fw_dmar.owner(b->data, d, 0, &unit, &id);
    if (status) {
        assert_int_equal(unit, 99);
        assert_int_equal(id, 99);
        return -(int)status;
    }
    return (int)(unit << 16 | id);
}

#define OWNED(unit, bus, dev, fn)                                              \
    ((unit) << 16 | (bus) << 8 | (dev) << 3 | (fn))

static int owner(const struct blob *b, const char *path)
{
    struct uim_fw_device d = device(path);

    return owner_of(b, &d);
}

static struct blob finish(struct table *t)
{
    struct blob b = table_end(t);

    assert_int_equal(uim_fw_dmar.check(b.data, b.size, NULL), UIOMMU_OK);
    return b;
}

static struct blob machine(const char *name)
{
    struct blob b = blob_read(name);

    assert_int_equal(uim_fw_dmar.check(b.data, b.size, NULL), UIOMMU_OK);
    return b;
}

/* ---- owners -------------------------------------------------------------- */

static void explicit_scopes_go_before_the_rest(void **state)
{
    struct blob b = machine("acpi/surface-book-2/DMAR.bin");

    (void)state;
    assert_int_equal(owner(&b, "00:02.0"), OWNED(0, 0, 2, 0));
    assert_int_equal(owner(&b, "00:02.1"), OWNED(1, 0, 2, 1));
    assert_int_equal(owner(&b, "00:1c.4 02:00.0"), OWNED(1, 2, 0, 0));
    blob_free(&b);
}

static void bridge_scopes_cover_what_is_below(void **state)
{
    struct blob b = machine("acpi/dell-poweredge-r820/DMAR.bin");

    (void)state;
    assert_int_equal(owner(&b, "40:02.2"), OWNED(0, 0x40, 2, 2));
    assert_int_equal(owner(&b, "40:02.2 41:00.1"), OWNED(0, 0x41, 0, 1));
    assert_int_equal(owner(&b, "40:01.0 41:00.0 42:08.0 43:00.0"),
                     OWNED(0, 0x43, 0, 0));
    assert_int_equal(owner(&b, "80:05.0"), OWNED(1, 0x80, 5, 0));
    assert_int_equal(owner(&b, "00:1f.2"), OWNED(3, 0, 0x1f, 2));
    assert_int_equal(owner(&b, "40:04.0"), OWNED(3, 0x40, 4, 0));
    blob_free(&b);
}

static void qemu_bridge_scope(void **state)
{
    struct blob b = machine("qemu/qemu-q35-intel-iommu/DMAR.dat");

    (void)state;
    assert_int_equal(owner(&b, "00:03.0 01:00.0"), OWNED(0, 1, 0, 0));
    assert_int_equal(owner(&b, "00:1f.2"), OWNED(0, 0, 0x1f, 2));
    assert_int_equal(owner(&b, "00:04.0"), -UIOMMU_NODEV);
    blob_free(&b);
}

static void endpoint_scopes_cover_nothing_below(void **state)
{
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 0, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "1c.0");
    scope(&t, DMAR_SCOPE_IOAPIC, 0, 0, "1.0");
    b = finish(&t);
    assert_int_equal(owner(&b, "00:1c.0"), OWNED(0, 0, 0x1c, 0));
    assert_int_equal(owner(&b, "00:1c.0 01:00.0"), -UIOMMU_NODEV);
    assert_int_equal(owner(&b, "00:01.0"), -UIOMMU_NODEV);
    blob_free(&b);
}

static void paths_are_matched_whatever_the_bus_numbers(void **state)
{
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 0, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "1c.4/0.0/3.1");
    drhd(&t, 1, 0, 0xfed91000);
    b = finish(&t);
    assert_int_equal(owner(&b, "00:1c.4 07:00.0 09:03.1"), OWNED(0, 9, 3, 1));
    assert_int_equal(owner(&b, "00:1c.4 01:00.0 02:03.1"), OWNED(0, 2, 3, 1));
    assert_int_equal(owner(&b, "00:1c.5 07:00.0 09:03.1"), OWNED(1, 9, 3, 1));
    assert_int_equal(owner(&b, "00:1c.4 07:00.0"), OWNED(1, 7, 0, 0));
    assert_int_equal(owner(&b, "00:1c.4 07:00.0 09:03.1 0a:00.0"),
                     OWNED(1, 0xa, 0, 0));
    blob_free(&b);
}

static void start_bus_may_be_behind_bridges(void **state)
{
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 0, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 5, "0.0");
    scope(&t, DMAR_SCOPE_BRIDGE, 0, 6, "1.0/0.0");
    drhd(&t, 1, 0, 0xfed91000);
    b = finish(&t);
    assert_int_equal(owner(&b, "00:1c.4 05:00.0"), OWNED(0, 5, 0, 0));
    assert_int_equal(owner(&b, "00:1c.4 04:00.0"), OWNED(1, 4, 0, 0));
    assert_int_equal(owner(&b, "00:1c.4 06:01.0 07:00.0 08:02.0"),
                     OWNED(0, 8, 2, 0));
    assert_int_equal(owner(&b, "05:00.0"), OWNED(0, 5, 0, 0));
    blob_free(&b);
}

static void nearest_scope_wins(void **state)
{
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 0, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_BRIDGE, 0, 0, "1c.0");
    drhd(&t, 0, 0, 0xfed91000);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "1c.0/0.0");
    b = finish(&t);
    assert_int_equal(owner(&b, "00:1c.0 01:00.0"), OWNED(1, 1, 0, 0));
    assert_int_equal(owner(&b, "00:1c.0 01:00.1"), OWNED(0, 1, 0, 1));
    blob_free(&b);
}

static void order_of_units_does_not_matter(void **state)
{
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 1, 0, 0xfed91000);
    drhd(&t, 0, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "2.0");
    drhd(&t, 1, 0, 0xfed92000);
    b = finish(&t);
    assert_int_equal(owner(&b, "00:02.0"), OWNED(1, 0, 2, 0));
    assert_int_equal(owner(&b, "00:03.0"), OWNED(0, 0, 3, 0));
    blob_free(&b);
}

static void segments_are_apart(void **state)
{
    struct uim_fw_device d = device("00:02.0");
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 0, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "2.0");
    drhd(&t, 1, 1, 0xfed91000);
    b = finish(&t);
    assert_int_equal(owner_of(&b, &d), OWNED(0, 0, 2, 0));
    d.pci.segment = 1;
    assert_int_equal(owner_of(&b, &d), OWNED(1, 0, 2, 0));
    d.pci.segment = 2;
    assert_int_equal(owner_of(&b, &d), -UIOMMU_NODEV);
    blob_free(&b);
}

/* Handing its devices to another unit would leave their DMA where it is. */
static void unusable_units_keep_their_devices(void **state)
{
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 0, 0, 0);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "2.0");
    drhd(&t, 1, 0, 0xfed91000);
    b = finish(&t);
    assert_int_equal(owner(&b, "00:02.0"), -UIOMMU_NODEV);
    assert_int_equal(owner(&b, "00:03.0"), OWNED(1, 0, 3, 0));
    blob_free(&b);
    b = machine("acpi/ideapadflex-15/DMAR.bin");
    assert_int_equal(owner(&b, "00:02.0"), -UIOMMU_NODEV);
    blob_free(&b);
}

/* A virtual function stands where its physical one is, and has its own id. */
static void virtual_functions_belong_to_their_physical_one(void **state)
{
    struct blob b = machine("acpi/dell-poweredge-r820/DMAR.bin");
    struct uim_fw_device d = device("40:02.0 41:00.0");

    (void)state;
    d.pci.bus = 0x42;
    d.pci.devfn = 0x81;
    assert_int_equal(owner_of(&b, &d), OWNED(0, 0x42, 0x10, 1));
    blob_free(&b);
}

static void deepest_paths(void **state)
{
    struct blob b = machine("acpi/dell-poweredge-r820/DMAR.bin");
    struct uim_fw_device d = device("40:02.0 41:00.0");
    struct uim_fw_region r;

    (void)state;
    d.n = UIM_FW_HOPS;
    assert_int_equal(owner_of(&b, &d), OWNED(0, 0x41, 0, 0));
    d.n = UIM_FW_HOPS + 1;
    assert_int_equal(owner_of(&b, &d), -UIOMMU_NODEV);
    assert_int_equal(uim_fw_dmar.region(b.data, &d, 0, &r), UIOMMU_NOENT);
    blob_free(&b);
}

static void paths_nobody_can_have_match_nothing(void **state)
{
    struct uim_fw_device d = device("00:01.0");
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 0, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "0.8");
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "20.0");
    scope(&t, DMAR_SCOPE_BRIDGE, 0, 0, "");
    scope(&t, 7, 0, 0, "1.0");
    drhd(&t, 1, 0, 0xfed91000);
    b = finish(&t);
    assert_int_equal(owner(&b, "00:01.0"), OWNED(1, 0, 1, 0));
    assert_int_equal(owner(&b, "00:00.0"), OWNED(1, 0, 0, 0));
    d.n = 0;
    assert_int_equal(owner_of(&b, &d), -UIOMMU_NODEV);
    d.n = UIM_FW_HOPS + 1;
    assert_int_equal(owner_of(&b, &d), -UIOMMU_NODEV);
    blob_free(&b);
}

static int acpi_owner(const struct blob *b, const char *path)
{
    struct uim_fw_device d = acpi_device(path);

    return owner_of(b, &d);
}

static void acpi_devices_are_found_by_name(void **state)
{
    struct blob b = machine("acpi/surface-book-2/DMAR.bin");

    (void)state;
    assert_int_equal(acpi_owner(&b, "\\_SB.PCI0.I2C0"), OWNED(1, 0, 0x15, 0));
    assert_int_equal(acpi_owner(&b, "\\_SB.PCI0.UA00"), OWNED(1, 0, 0x1e, 0));
    assert_int_equal(acpi_owner(&b, "\\_SB_.PCI0.UA00"), OWNED(1, 0, 0x1e, 0));
    assert_int_equal(acpi_owner(&b, "_SB.PCI0.UA00"), OWNED(1, 0, 0x1e, 0));
    assert_int_equal(acpi_owner(&b, "\\_SB.PCI0.UA01"), -UIOMMU_NODEV);
    assert_int_equal(acpi_owner(&b, "\\_SB.PCI0"), -UIOMMU_NODEV);
    assert_int_equal(acpi_owner(&b, "\\_SB.PCI0.UA00.X"), -UIOMMU_NODEV);
    assert_int_equal(acpi_owner(&b, "\\_SB.PCI0.UA00X"), -UIOMMU_NODEV);
    assert_int_equal(acpi_owner(&b, ""), -UIOMMU_NODEV);
    blob_free(&b);
}

/* INCLUDE_PCI_ALL is not for devices that PCI knows nothing of. */
static void acpi_devices_need_a_scope(void **state)
{
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 1, 0, 0xfed90000);
    andd(&t, 1, "\\_SB.I2C0");
    b = finish(&t);
    assert_int_equal(acpi_owner(&b, "\\_SB.I2C0"), -UIOMMU_NODEV);
    blob_free(&b);
}

/* ---- regions ------------------------------------------------------------- */

static void regions_of_a_server(void **state)
{
    struct blob b = machine("acpi/hp-dl360-g7/DMAR.bin");
    struct uim_fw_device ilo = device("00:1c.4 02:00.2");
    struct uim_fw_device nic = device("00:03.0 04:00.1");
    struct uim_fw_device other = device("00:03.0 04:00.2");
    struct uim_fw_region r;

    (void)state;
    assert_int_equal(uim_fw_dmar.region(b.data, &ilo, 0, &r), UIOMMU_OK);
    assert_int_equal(r.start, 0xdf7df000);
    assert_int_equal(r.last, 0xdf7e4fff);
    assert_false(r.relaxable);
    assert_int_equal(uim_fw_dmar.region(b.data, &ilo, 1, &r), UIOMMU_OK);
    assert_int_equal(r.start, 0xdf61e000);
    assert_int_equal(uim_fw_dmar.region(b.data, &ilo, 2, &r), UIOMMU_NOENT);
    assert_int_equal(uim_fw_dmar.region(b.data, &nic, 0, &r), UIOMMU_OK);
    assert_int_equal(r.start, 0xdf61e000);
    assert_int_equal(uim_fw_dmar.region(b.data, &nic, 1, &r), UIOMMU_NOENT);
    assert_int_equal(uim_fw_dmar.region(b.data, &other, 0, &r), UIOMMU_NOENT);
    blob_free(&b);
}

/* Firmware's region is for the function it names: not for those that stand there, too. */
static void
virtual_functions_have_no_regions_of_their_physical_one(void **state)
{
    struct blob b = machine("acpi/hp-dl360-g7/DMAR.bin");
    struct uim_fw_device d = device("00:03.0 04:00.1");
    struct uim_fw_region r;

    (void)state;
    assert_int_equal(uim_fw_dmar.region(b.data, &d, 0, &r), UIOMMU_OK);
    d.pci.devfn = 4 << 3 | 1;
    assert_int_equal(uim_fw_dmar.region(b.data, &d, 0, &r), UIOMMU_NOENT);
    d.pci.bus = 5; /* with the number that the other has on its bus */
    d.pci.devfn = 1;
    assert_int_equal(uim_fw_dmar.region(b.data, &d, 0, &r), UIOMMU_NOENT);
    assert_true(owner_of(&b, &d) > 0);
    blob_free(&b);
}

static void usb_and_graphics_let_go_of_theirs(void **state)
{
    static const struct {
        uint32_t class_code;
        bool relaxable;
    } row[] = {
        { 0x0c0330, true },  { 0x0c0320, true },  { 0x030000, true },
        { 0x038000, true },  { 0x0c0500, false }, { 0x020000, false },
        { 0x0c0280, false }, { 0x040300, false }, { 0x000000, false },
    };
    struct blob b = machine("acpi/nuc7i5bnh/DMAR.bin");
    struct uim_fw_device d = device("00:14.0");
    struct uim_fw_region r;

    (void)state;
    for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
        d.class_code = row[i].class_code;
        assert_int_equal(uim_fw_dmar.region(b.data, &d, 0, &r), UIOMMU_OK);
        assert_int_equal(r.relaxable, row[i].relaxable);
    }
    blob_free(&b);
}

static void nonsense_regions_are_not_given(void **state)
{
    struct uim_fw_device d = device("00:14.0");
    struct uim_fw_region r;
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 1, 0, 0xfed90000);
    rmrr(&t, 0, 0x80001000, 0x80000fff);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "14.0");
    rmrr(&t, 0, UINT64_C(1) << 39, UINT64_C(1) << 39 | 0xfff);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "14.0");
    rmrr(&t, 1, 0x90000000, 0x90000fff);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "14.0");
    rmrr(&t, 0, 0x90001234, 0x90002345);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "14.0");
    b = finish(&t);
    assert_int_equal(uim_fw_dmar.region(b.data, &d, 0, &r), UIOMMU_OK);
    assert_int_equal(r.start, 0x90001000);
    assert_int_equal(r.last, 0x90002fff);
    assert_int_equal(uim_fw_dmar.region(b.data, &d, 1, &r), UIOMMU_NOENT);
    blob_free(&b);
}

/* ---- requesters ---------------------------------------------------------- */

/* A machine's configuration space, as far as it is asked for. */
struct function {
    uint8_t bus, devfn, header, secondary;
    uint32_t class_code;
};

struct bus {
    const struct function *v;
    size_t n;
    unsigned reads;
};

static uint32_t read_function(const struct function *f, unsigned offset)
{
    switch (offset) {
    case PCI_REG_VENDOR_ID:
        return 0x8086;
    case PCI_REG_CLASS_REVISION:
        return f->class_code << 8 | 3;
    case PCI_REG_HEADER_TYPE:
        return f->header;
    case PCI_REG_SECONDARY_BUS:
        return f->secondary;
    }
    fail_msg("nobody needs offset 0x%x", offset);
    return 0;
}

static uint32_t bus_read(void *ctx, struct uiommu_pci at, unsigned offset,
                         unsigned width)
{
    struct bus *bus = ctx;

    bus->reads++;
    for (size_t i = 0; i < bus->n; i++) {
        if (at.segment == 0 && bus->v[i].bus == at.bus &&
            bus->v[i].devfn == at.devfn)
            return read_function(&bus->v[i], offset);
    }
    return width == 4 ? UINT32_MAX : (UINT32_C(1) << 8 * width) - 1;
}

/* As DL360 G7, with devices left out. The last one is behind two bridges. */
static const struct function server[] = {
    { 0x00, 0x00, 0x00, 0, 0x060000 },
    { 0x00, 0x18, 0x01, 4, 0x060400 },    /* 00:03.0 -> 04 */
    { 0x00, 0xe8, 0x80, 0, 0x0c0300 },    /* 00:1d.0       */
    { 0x00, 0xef, 0x00, 0, 0x0c0320 },    /* 00:1d.7       */
    { 0x00, 0xe0, 0x81, 0, 0x060400 },    /* 00:1c.0 -> 0: not numbered */
    { 0x00, 0xe4, 0x81, 2, 0x060400 },    /* 00:1c.4 -> 02 */
    { 0x02, 0x00, 0x80, 0, 0x088000 },    /* 02:00.0       */
    { 0x02, 0x04, 0x80, 0, 0x0c0300 },    /* 02:00.4       */
    { 0x04, 0x00, 0x01, 6, 0x060400 },    /* 04:00.0 -> 06 */
    { 0x06, 0x08, 0x00, 0, 0x010400 },    /* 06:01.0       */
};

static struct uiommu_host host_of(struct bus *bus)
{
    *bus = (struct bus){ server, sizeof(server) / sizeof(server[0]), 0 };
    return (struct uiommu_host){ .ctx = bus, .pci_read = bus_read };
}

static void requesters_of_a_server(void **state)
{
    /* RMRR 1: 1d.7; 2: 1d.0-3, 1c.4/0.0 .2 .4; 3: 1.0/0.0, 1c.4/0.0 .2, ... */
    static const struct {
        uint8_t bus, devfn;
        bool relaxable;
    } want[15] = {
        [0] = { 0, 0xef, true },  [1] = { 0, 0xe8, true },
        [5] = { 2, 0x00, false }, [7] = { 2, 0x04, true },
        [9] = { 2, 0x00, false }, [13] = { 4, 0x00, false },
    };
    struct blob b = machine("acpi/hp-dl360-g7/DMAR.bin");
    struct bus bus;
    struct uiommu_host host = host_of(&bus);
    struct uim_fw_requester r;
    enum uiommu_status status;
    unsigned found = 0;

    (void)state;
    for (unsigned i = 0; i < 15; i++) {
        status = uim_fw_dmar.requester(b.data, &host, i, &r);
        if (status == UIOMMU_NODEV)
            continue;
        assert_int_equal(status, UIOMMU_OK);
        assert_int_equal(r.device.pci.bus, want[i].bus);
        assert_int_equal(r.device.pci.devfn, want[i].devfn);
        assert_int_equal(r.region.relaxable, want[i].relaxable);
        assert_int_equal(owner_of(&b, &r.device),
                         want[i].bus << 8 | want[i].devfn);
        found++;
    }
    assert_int_equal(found, 6);
    assert_int_equal(uim_fw_dmar.requester(b.data, &host, 15, &r),
                     UIOMMU_NOENT);
    blob_free(&b);
}

static void requester_paths_start_at_the_root(void **state)
{
    struct bus bus;
    struct uiommu_host host = host_of(&bus);
    struct uim_fw_requester r;
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 0, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_BRIDGE, 0, 0, "3.0");
    drhd(&t, 1, 0, 0xfed91000);
    rmrr(&t, 0, 0x80000000, 0x80000fff);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 6, "1.0");
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 4, "0.0/1.0");
    b = finish(&t);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(uim_fw_dmar.requester(b.data, &host, i, &r),
                         UIOMMU_OK);
        assert_int_equal(r.device.n, 3);
        assert_int_equal(r.device.hop[0].devfn, 0x18);
        assert_int_equal(r.device.hop[1].bus, 4);
        assert_int_equal(r.device.hop[2].bus, 6);
        assert_int_equal(r.device.class_code, 0x010400);
        assert_int_equal(owner_of(&b, &r.device), OWNED(0, 6, 1, 0));
    }
    blob_free(&b);
}

static void requesters_that_are_not_there(void **state)
{
    static const char *const paths[] = {
        "5.0",         /* nobody                          */
        "1d.0/0.0",    /* no bridge                       */
        "1c.0/0.0",    /* a bridge without a bus below it */
        "3.0/1.0",     /* nobody behind it                */
        "20.0",        /* no such device number           */
        "3.0/0.8",
    };
    struct bus bus;
    struct uiommu_host host = host_of(&bus);
    struct uim_fw_requester r = { .device.n = 99 };
    struct table t;
    struct blob b;
    size_t n = sizeof(paths) / sizeof(paths[0]);

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 1, 0, 0xfed91000);
    rmrr(&t, 0, 0x80000000, 0x80000fff);
    scope(&t, DMAR_SCOPE_HPET, 0, 0, "1d.0");
    for (size_t i = 0; i < n; i++)
        scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, paths[i]);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "");
    scope(&t, DMAR_SCOPE_NAMESPACE, 1, 0, "1d.0");
    b = finish(&t);
    for (unsigned i = 0; i < n + 2; i++)
        assert_int_equal(uim_fw_dmar.requester(b.data, &host, i, &r),
                         UIOMMU_NODEV);
    assert_int_equal(uim_fw_dmar.requester(b.data, &host, (unsigned)n + 2, &r),
                     UIOMMU_NOENT);
    assert_int_equal(r.device.n, 99);
    blob_free(&b);
}

static void acpi_requester(void **state)
{
    struct bus bus;
    struct uiommu_host host = host_of(&bus);
    struct uim_fw_requester r;
    struct uim_fw_region region;
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 1, 0, 0xfed91000);
    scope(&t, DMAR_SCOPE_NAMESPACE, 3, 0, "15.1");
    rmrr(&t, 0, 0x80000000, 0x80000fff);
    scope(&t, DMAR_SCOPE_NAMESPACE, 3, 0, "15.1");
    andd(&t, 3, "\\_SB.I2C1");
    b = finish(&t);
    assert_int_equal(uim_fw_dmar.requester(b.data, &host, 0, &r), UIOMMU_OK);
    assert_string_equal(r.device.acpi_path, "\\_SB.I2C1");
    assert_int_equal(owner_of(&b, &r.device), OWNED(0, 0, 0x15, 1));
    assert_int_equal(uim_fw_dmar.region(b.data, &r.device, 0, &region),
                     UIOMMU_OK);
    assert_int_equal(region.start, 0x80000000);
    assert_false(region.relaxable);
    assert_int_equal(bus.reads, 0);
    blob_free(&b);
}

/* Without configuration space a device cannot be seen to be missing. */
static void requesters_without_config_space(void **state)
{
    static const struct uiommu_host host = { 0 };
    struct blob b = machine("acpi/hp-dl360-g7/DMAR.bin");
    struct uim_fw_requester r;

    (void)state;
    assert_int_equal(uim_fw_dmar.requester(b.data, &host, 0, &r), UIOMMU_OK);
    assert_int_equal(r.device.pci.devfn, 0xef);
    assert_int_equal(r.device.n, 1);
    assert_false(r.region.relaxable);
    assert_int_equal(uim_fw_dmar.requester(b.data, &host, 5, &r), UIOMMU_NODEV);
    blob_free(&b);
}

/* Bridges that point up or at themselves. */
static void requester_search_ends(void **state)
{
    static const struct function loop[] = {
        { 0, 0x08, 0x01, 1, 0x060400 }, { 1, 0x00, 0x01, 1, 0x060400 },
        { 1, 0x08, 0x01, 0, 0x060400 }, { 1, 0x10, 0x01, 2, 0x060400 },
        { 2, 0x00, 0x01, 1, 0x060400 },
    };
    struct bus bus;
    struct uiommu_host host = host_of(&bus);
    struct uim_fw_requester r;
    struct table t;
    struct blob b;

    (void)state;
    bus.v = loop;
    bus.n = sizeof(loop) / sizeof(loop[0]);
    dmar(&t, 39, 1);
    drhd(&t, 1, 0, 0xfed91000);
    rmrr(&t, 0, 0x80000000, 0x80000fff);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "1.0/0.0/0.0");
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "1.0/1.0/0.0");
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "1.0/2.0/0.0/0.0");
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "1.0/2.0/0.0");
    b = finish(&t);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(uim_fw_dmar.requester(b.data, &host, i, &r),
                         UIOMMU_NODEV);
    assert_int_equal(uim_fw_dmar.requester(b.data, &host, 3, &r), UIOMMU_OK);
    assert_int_equal(r.device.n, 3);
    blob_free(&b);
}

/* Every bus has one bridge, to the next. */
static uint32_t chain_read(void *ctx, struct uiommu_pci at, unsigned offset,
                           unsigned width)
{
    (void)ctx;
    (void)width;
    if (at.devfn != 0)
        return UINT32_MAX;
    if (offset == PCI_REG_SECONDARY_BUS)
        return at.bus + 1u;
    return offset == PCI_REG_HEADER_TYPE ? PCI_HEADER_BRIDGE : 0;
}

static void requester_paths_have_a_limit(void **state)
{
    static const struct uiommu_host host = { .pci_read = chain_read };
    struct uim_fw_requester r;
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 1, 0, 0xfed91000);
    rmrr(&t, 0, 0x80000000, 0x80000fff);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, UIM_FW_HOPS - 1, "0.0");
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, UIM_FW_HOPS, "0.0");
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, UIM_FW_HOPS + 1, "0.0");
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, UIM_FW_HOPS - 1, "0.0/0.0");
    b = finish(&t);
    assert_int_equal(uim_fw_dmar.requester(b.data, &host, 0, &r), UIOMMU_OK);
    assert_int_equal(r.device.n, UIM_FW_HOPS);
    for (unsigned i = 0; i < UIM_FW_HOPS; i++)
        assert_int_equal(r.device.hop[i].bus, i);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(uim_fw_dmar.requester(b.data, &host, i, &r),
                         UIOMMU_NODEV);
    blob_free(&b);
}

/* ---- ATS ----------------------------------------------------------------- */

static bool ats_of(const struct blob *b, const struct uim_fw_device *d)
{
    return uim_fw_dmar.ats_allowed(b->data, d, false);
}

static bool ats(const struct blob *b, const char *path)
{
    struct uim_fw_device d = device(path);

    return ats_of(b, &d);
}

static bool ats_in_legacy_mode(const struct blob *b, const char *path)
{
    struct uim_fw_device d = device(path);

    return uim_fw_dmar.ats_allowed(b->data, &d, true);
}

static void ats_behind_root_ports(void **state)
{
    struct blob b = machine("acpi/depo-super-server-1s/DMAR.bin");

    (void)state;
    assert_true(ats(&b, "00:02.0 03:00.0"));
    assert_true(ats(&b, "00:02.0 03:00.0 04:01.0 05:00.0"));
    assert_false(ats(&b, "00:1c.0 03:00.0"));
    assert_true(ats(&b, "00:1f.0"));
    assert_false(ats(&b, "40:02.0 03:00.0"));
    blob_free(&b);
    b = machine("acpi/vmware-vm/DMAR.bin");
    assert_true(ats(&b, "00:15.0 03:00.0"));
    blob_free(&b);
    b = machine("acpi/nuc7i5bnh/DMAR.bin");
    assert_false(ats(&b, "00:1c.0 03:00.0"));
    blob_free(&b);
}

static void ats_needs_express_all_the_way(void **state)
{
    struct blob b = machine("acpi/vmware-vm/DMAR.bin");
    struct uim_fw_device d = device("00:01.0 01:00.0 02:00.0 03:00.0");

    (void)state;
    d.hop[1].port = PCI_EXP_TYPE_UPSTREAM_PORT;
    assert_true(ats_of(&b, &d));
    d.hop[2].port = PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE;
    assert_false(ats_of(&b, &d));
    d.hop[2].port = UIM_FW_NOT_PCIE;
    assert_false(ats_of(&b, &d));
    d.hop[2].port = PCI_EXP_TYPE_DOWNSTREAM_PORT;
    d.hop[0].port = UIM_FW_NOT_PCIE;
    assert_false(ats_of(&b, &d));
    d.n = UIM_FW_HOPS + 1;
    assert_false(ats_of(&b, &d));
    d = acpi_device("\\_SB.I2C0");
    assert_false(ats_of(&b, &d));
    blob_free(&b);
}

/* In legacy mode hardware switches ATS on by itself for those that need it. */
static void ats_of_integrated_devices(void **state)
{
    struct blob b = machine("acpi/msi-prestige-13-a2vmg/DMAR.bin");
    struct table t;

    (void)state;
    assert_true(ats(&b, "00:02.0"));
    assert_false(ats_in_legacy_mode(&b, "00:02.0"));
    assert_true(ats(&b, "00:0a.0"));
    assert_true(ats_in_legacy_mode(&b, "00:0a.0"));
    blob_free(&b);

    dmar(&t, 39, 1);
    drhd(&t, 1, 0, 0xfed91000);
    satc(&t, 1, 0);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "2.0");
    satc(&t, 0, 0);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "3.0");
    b = finish(&t);
    assert_false(ats_in_legacy_mode(&b, "00:02.0"));
    assert_true(ats(&b, "00:02.0"));
    assert_true(ats_in_legacy_mode(&b, "00:03.0"));
    blob_free(&b);
}

static void sidp_replaces_satc(void **state)
{
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 1, 0, 0xfed91000);
    satc(&t, 1, 0);
    scope(&t, DMAR_SCOPE_ENDPOINT, 0, 0, "2.0");
    sidp(&t, 0);
    scope_flags(&t, DMAR_SCOPE_ENDPOINT, 0x08, 0, "2.0");
    scope_flags(&t, DMAR_SCOPE_ENDPOINT, 0x10, 0, "3.0");
    b = finish(&t);
    assert_true(ats_in_legacy_mode(&b, "00:02.0"));
    assert_false(ats_in_legacy_mode(&b, "00:03.0"));
    assert_true(ats(&b, "00:03.0"));
    blob_free(&b);
}

/* ---- sources of interrupts ----------------------------------------------- */

/* unit << 16 | id, or -status. */
static int source_of(const struct blob *b, enum uiommu_irq_source kind,
                     unsigned id)
{
    unsigned unit;
    uint32_t rid;
    enum uiommu_status status =
        uim_fw_dmar.irq_source(b->data, kind, id, &unit, &rid);

    return status == UIOMMU_OK ? (int)(unit << 16 | rid) : -(int)status;
}

static void io_apics_and_hpets_have_ids_of_their_own(void **state)
{
    struct table t;
    struct blob b;

    (void)state;
    dmar(&t, 39, 1);
    drhd(&t, 0, 0, 0xfed90000);
    scope(&t, DMAR_SCOPE_IOAPIC, 8, 0xf0, "1f.7");
    drhd(&t, 0, 0, 0);
    scope(&t, DMAR_SCOPE_IOAPIC, 9, 0xf1, "1f.7");
    drhd(&t, 1, 0, 0xfed91000);
    scope(&t, DMAR_SCOPE_IOAPIC, 2, 0xf0, "1f.0");
    scope(&t, DMAR_SCOPE_HPET, 2, 0xf0, "0f.0");
    scope(&t, DMAR_SCOPE_IOAPIC, 3, 0xf0, "1f.0 02.0"); /* behind a bridge */
    b = finish(&t);
    assert_int_equal(source_of(&b, UIOMMU_IRQ_IOAPIC, 8),
                     OWNED(0, 0xf0, 0x1f, 7));
    assert_int_equal(source_of(&b, UIOMMU_IRQ_IOAPIC, 2),
                     OWNED(2, 0xf0, 0x1f, 0));
    assert_int_equal(source_of(&b, UIOMMU_IRQ_HPET, 2),
                     OWNED(2, 0xf0, 0x0f, 0));
    assert_int_equal(source_of(&b, UIOMMU_IRQ_IOAPIC, 9), -UIOMMU_NODEV);
    assert_int_equal(source_of(&b, UIOMMU_IRQ_IOAPIC, 3), -UIOMMU_NODEV);
    assert_int_equal(source_of(&b, UIOMMU_IRQ_IOAPIC, 7), -UIOMMU_NODEV);
    assert_int_equal(source_of(&b, UIOMMU_IRQ_HPET, 8), -UIOMMU_NODEV);
    blob_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explicit_scopes_go_before_the_rest),
        cmocka_unit_test(bridge_scopes_cover_what_is_below),
        cmocka_unit_test(qemu_bridge_scope),
        cmocka_unit_test(endpoint_scopes_cover_nothing_below),
        cmocka_unit_test(paths_are_matched_whatever_the_bus_numbers),
        cmocka_unit_test(start_bus_may_be_behind_bridges),
        cmocka_unit_test(nearest_scope_wins),
        cmocka_unit_test(order_of_units_does_not_matter),
        cmocka_unit_test(segments_are_apart),
        cmocka_unit_test(unusable_units_keep_their_devices),
        cmocka_unit_test(virtual_functions_belong_to_their_physical_one),
        cmocka_unit_test(deepest_paths),
        cmocka_unit_test(paths_nobody_can_have_match_nothing),
        cmocka_unit_test(acpi_devices_are_found_by_name),
        cmocka_unit_test(acpi_devices_need_a_scope),
        cmocka_unit_test(regions_of_a_server),
        cmocka_unit_test(
            virtual_functions_have_no_regions_of_their_physical_one),
        cmocka_unit_test(usb_and_graphics_let_go_of_theirs),
        cmocka_unit_test(nonsense_regions_are_not_given),
        cmocka_unit_test(requesters_of_a_server),
        cmocka_unit_test(requester_paths_start_at_the_root),
        cmocka_unit_test(requesters_that_are_not_there),
        cmocka_unit_test(acpi_requester),
        cmocka_unit_test(requesters_without_config_space),
        cmocka_unit_test(requester_search_ends),
        cmocka_unit_test(requester_paths_have_a_limit),
        cmocka_unit_test(ats_behind_root_ports),
        cmocka_unit_test(ats_needs_express_all_the_way),
        cmocka_unit_test(ats_of_integrated_devices),
        cmocka_unit_test(sidp_replaces_satc),
        cmocka_unit_test(io_apics_and_hpets_have_ids_of_their_own),
    };

    return cmocka_run_group_tests_name("devices in firmware tables", tests,
                                       NULL, NULL);
}
