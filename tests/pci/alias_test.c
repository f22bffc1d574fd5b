/* SPDX-License-Identifier: MIT */
/*
 * The requester ids of a function's DMA (semantics B.9.1).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"

static struct uim_pci_function quirk(uint16_t vendor, uint16_t device,
                                     uint8_t port)
{
    return (struct uim_pci_function){
        .vendor = vendor, .device = device, .port = port, .multifunction = true
    };
}

/* ---- requester ids (B.9.1) ---------------------------------------------------- */

/* All of f's ids as text, "0100 0101". */
static void expect_ids(const struct uim_pci_function *f, const char *expected)
{
    char text[2000] = "";
    uint16_t id = 0xdead;
    unsigned i, at = 0;

    for (i = 0; uim_pci_alias(f, i, &id) == UIOMMU_OK && at < 1900; i++) {
        at += (unsigned)snprintf(text + at, sizeof(text) - at, "%s%04x",
                                 i ? " " : "", id);
        assert_true(uim_pci_carries(f, uim_pci_requester(f)->at.segment, id));
        assert_false(
            uim_pci_carries(f, uim_pci_requester(f)->at.segment ^ 1, id));
    }
    assert_string_equal(text, expected);
    id = 0xdead;
    assert_int_equal(uim_pci_alias(f, i, &id), UIOMMU_NOENT);
    assert_int_equal(uim_pci_alias(f, i + 1000, &id), UIOMMU_NOENT);
    assert_int_equal(id, 0xdead);
}

static void ports_pass_ids_on(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *root = machine_add(&m, NULL, 1, 0, ROOT);
    struct uim_pci_function *up = machine_add(&m, root, 0, 0, UP);
    struct uim_pci_function *down = machine_add(&m, up, 3, 0, DOWN);
    struct uim_pci_function *f = machine_add(&m, down, 0, 1, END);

    (void)state;
    expect_ids(f, "0301");
    expect_ids(root, "0008");
    assert_ptr_equal(uim_pci_requester(f), f);
    assert_false(uim_pci_carries(f, 0, 0x0300));
}

static void bridges_put_theirs(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *root = machine_add(&m, NULL, 1, 0, ROOT);
    struct uim_pci_function *pci = machine_add(&m, root, 0, 0, TO_PCI);
    struct uim_pci_function *f = machine_add(&m, pci, 4, 0, CONVENTIONAL);
    struct uim_pci_function *first = machine_add(&m, pci, 0, 0, CONVENTIONAL);
    struct uim_pci_function *plain = machine_bridge(&m, pci, 5);
    struct uim_pci_function *g = machine_add(&m, plain, 1, 2, CONVENTIONAL);
    struct uim_pci_function *pcie = machine_add(&m, plain, 2, 0, TO_PCIE);
    struct uim_pci_function *h = machine_add(&m, pcie, 0, 0, END);
    struct uim_pci_function *other = machine_add(&m, root, 1, 0, COLLECTOR);
    struct uim_pci_function *i = machine_add(&m, other, 0, 0, END);

    (void)state;
    expect_ids(f, "0220 0200");
    expect_ids(first, "0200"); /* each once */
    expect_ids(plain, "0228 0200");
    expect_ids(g, "030a 0228 0200");
    expect_ids(h, "0400 0310 0228 0200");
    expect_ids(pci, "0100");
    expect_ids(i, "0000"); /* what is no bridge adds nothing */
}

static void bridges_that_hide_what_they_are(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *root = machine_add(&m, NULL, 1, 0, ROOT);
    struct uim_pci_function *hidden = machine_bridge(&m, root, 0);
    struct uim_pci_function *f = machine_add(&m, hidden, 4, 0, CONVENTIONAL);

    (void)state;
    expect_ids(f, "0220 0100");
    machine_id(hidden, 0x1283, 0x8893);
    expect_ids(f, "0220 0200");
    hidden->header = PCI_HEADER_FUNCTION;
    expect_ids(f, "0220 0100");
    hidden->header = PCI_HEADER_BRIDGE;
    root->port = TO_PCI;
    expect_ids(f, "0220 0100");
    root->port = CONVENTIONAL;
    expect_ids(f, "0220 0100 0008");
    root->port = UP;
    expect_ids(f, "0220 0200");
    hidden->bridge = NULL;
    expect_ids(f, "0220 0100");
}

static void translation_in_the_middle(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *top = machine_bridge(&m, NULL, 1);
    struct uim_pci_function *low = machine_bridge(&m, top, 2);
    struct uim_pci_function *f = machine_add(&m, low, 3, 0, CONVENTIONAL);

    (void)state;
    expect_ids(f, "0218 0110 0008");
    machine_id(top, 0x14e4, 0x9084);
    expect_ids(f, "0218 0110");
    machine_id(low, 0x14e4, 0x9000);
    expect_ids(f, "0218");
    assert_null(uim_pci_alias_bridge(f));
    assert_null(uim_pci_alias_bridge(top));
}

static void ids_of_another_function(void **state)
{
    struct uim_pci_function f = quirk(0x1b4b, 0x9123, END);

    (void)state;
    f.at.bus = 5;
    f.at.devfn = 0x10;
    expect_ids(&f, "0510 0511");
    f.at.devfn = 0x11;
    expect_ids(&f, "0511");
    f = quirk(0x1180, 0xe832, END);
    f.at.devfn = 0x13;
    expect_ids(&f, "0013 0010");
    assert_true(uim_pci_alias_devfn(&f, 0x10));
    assert_false(uim_pci_alias_devfn(&f, 0x13));
    assert_false(uim_pci_alias_devfn(&f, 0x11));
}

static void ids_that_are_fixed(void **state)
{
    struct uim_pci_function f = quirk(0x8086, 0x2264, END);

    (void)state;
    expect_ids(&f, "0000 0080 0088 0093");
    f.at.devfn = 0x88;
    expect_ids(&f, "0088 0080 0093");
    f = quirk(0x9005, 0x0285, END);
    expect_ids(&f, "0000");
    f.subsystem_vendor = 0x9005;
    f.subsystem = 0x02bc;
    expect_ids(&f, "0000 0008");
    f.subsystem = 0x02bd;
    expect_ids(&f, "0000");
}

static unsigned count_ids(const struct uim_pci_function *f)
{
    uint16_t id, before = 0;
    unsigned n = 0;

    while (uim_pci_alias(f, n, &id) == UIOMMU_OK) {
        assert_true(n < 2 || id > before);
        assert_int_equal(id >> 8, f->at.bus);
        before = id;
        n++;
    }
    return n;
}

static void ids_of_whole_buses(void **state)
{
    const uint8_t told[] = { 0x20, 0x00, 0x31 };
    struct uim_pci_function f = quirk(0x10b5, 0x87b1, END);

    (void)state;
    f.at = (struct uiommu_pci){ 0, 7, 0x42 };
    assert_int_equal(count_ids(&f), 256);
    f = quirk(0x8086, 0x2954, END);
    assert_int_equal(count_ids(&f), 160);
    f.at.devfn = 0x0d;
    assert_int_equal(count_ids(&f), 161);
    /* A table in the device: until somebody reads it, anything. */
    f = quirk(0x11f8, 0x8531, END);
    assert_int_equal(count_ids(&f), 1);
    f.class_code = 0x068000;
    assert_int_equal(count_ids(&f), 256);
    f.devfns = told;
    f.n_devfns = 3;
    expect_ids(&f, "0000 0020 0031");
}

static void ids_that_firmware_tells(void **state)
{
    const uint8_t told[] = { 0xa5 };
    struct uim_pci_function f = quirk(0x1234, 0x5678, END);

    (void)state;
    f.at.bus = 2;
    f.devfns = told;
    f.n_devfns = 1;
    expect_ids(&f, "0200 02a5");
    f.at.devfn = 0xa5;
    expect_ids(&f, "02a5");
}

/* Behind a volume management device all is its endpoint's. */
static void ids_of_a_device_that_does_the_dma(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *root = machine_add(&m, NULL, 1, 0, ROOT);
    struct uim_pci_function *pci = machine_add(&m, root, 0, 0, TO_PCI);
    struct uim_pci_function *f = machine_add(&m, pci, 3, 0, CONVENTIONAL);
    struct uim_pci_function *vmd = machine_add(&m, NULL, 5, 5, INTEGRATED);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        m.f[i].at.segment = 1;
        m.f[i].dma_device = vmd;
        expect_ids(&m.f[i], "002d");
    }
    assert_ptr_equal(uim_pci_requester(f), vmd);
    expect_ids(vmd, "002d");
}

static void ids_in_common(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *pci = machine_bridge(&m, NULL, 2);
    struct uim_pci_function *a = machine_add(&m, pci, 3, 0, CONVENTIONAL);
    struct uim_pci_function *b = machine_add(&m, pci, 4, 0, CONVENTIONAL);
    struct uim_pci_function *c = machine_add(&m, NULL, 4, 0, INTEGRATED);
    struct uim_pci_function *d = machine_add(&m, NULL, 4, 2, INTEGRATED);
    uint16_t id = 0;

    (void)state;
    assert_true(uim_pci_shared_id(a, b, &id));
    assert_int_equal(id, 0x0010);
    assert_false(uim_pci_shared_id(a, c, &id));
    assert_false(uim_pci_shared_id(c, d, &id));
    machine_id(c, 0x1b4b, 0x9123);
    assert_false(uim_pci_shared_id(c, d, &id));
    machine_id(d, 0x1b4b, 0x9123);
    assert_true(uim_pci_shared_id(c, d, &id));
    assert_int_equal(id, 0x0021);
    machine_id(d, 0x1180, 0xe476); /* both other functions, but not the same */
    assert_true(uim_pci_shared_id(c, d, &id));
    assert_int_equal(id, 0x0020); /* which is c's own */
    machine_id(c, 0x8086, 0x2264);
    machine_id(d, 0x1b4b, 0x9123);
    assert_false(uim_pci_shared_id(c, d, &id));
    d->at.bus = 9;
    machine_id(d, 0x8086, 0x2264);
    assert_false(uim_pci_shared_id(c, d, &id));
    d->at.bus = 0;
    assert_true(uim_pci_shared_id(c, d, &id));
    assert_int_equal(id, 0x0080);
    d->at.segment = 1;
    assert_false(uim_pci_shared_id(c, d, &id));
    assert_true(uim_pci_shared_id(pci, a, &id));
    assert_int_equal(id, 0x0010);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_pass_ids_on),
        cmocka_unit_test(bridges_put_theirs),
        cmocka_unit_test(bridges_that_hide_what_they_are),
        cmocka_unit_test(translation_in_the_middle),
        cmocka_unit_test(ids_of_another_function),
        cmocka_unit_test(ids_that_are_fixed),
        cmocka_unit_test(ids_of_whole_buses),
        cmocka_unit_test(ids_that_firmware_tells),
        cmocka_unit_test(ids_of_a_device_that_does_the_dma),
        cmocka_unit_test(ids_in_common),
    };

    return cmocka_run_group_tests_name("PCI requester ids", tests, NULL, NULL);
}
