/* SPDX-License-Identifier: MIT */
/*
 * What a function enforces of access control, by its registers and by what is known
 * of its kind (semantics B.9.2).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"
#include "pci/quirks.h"

enum { PATH = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF };

static unsigned missing(const struct uim_pci_function *f)
{
    return uim_pci_acs_missing(f, uim_pci_acs_isolation);
}

/* ---- isolation (B.9.2) ------------------------------------------------------- */

static void bits_are_those_of_the_register(void **state)
{
    const struct pci_acs_ctrl_fields path = { .source_validation = 1,
                                              .request_redirect = 1,
                                              .completion_redirect = 1,
                                              .upstream_forwarding = 1 };
    const struct pci_acs_ctrl_fields rest = { .translation_blocking = 1,
                                              .egress_control = 1,
                                              .direct_translated = 1 };
    const struct pci_acs_ctrl_fields sv = { .source_validation = 1 };
    const struct pci_acs_ctrl_fields rr = { .request_redirect = 1 };
    const struct pci_acs_ctrl_fields uf = { .upstream_forwarding = 1 };
    const struct pci_acs_ctrl_fields tb = { .translation_blocking = 1 };
    const struct pci_acs_ctrl_fields ec = { .egress_control = 1 };

    (void)state;
    assert_int_equal(uim_pci_acs_isolation, pci_acs_ctrl_pack(&path).raw);
    assert_int_equal(PATH, pci_acs_ctrl_pack(&path).raw);
    assert_int_equal(PCI_ACS_TB | PCI_ACS_EC | PCI_ACS_DT,
                     pci_acs_ctrl_pack(&rest).raw);
    assert_int_equal(PCI_ACS_SV, pci_acs_ctrl_pack(&sv).raw);
    assert_int_equal(PCI_ACS_RR, pci_acs_ctrl_pack(&rr).raw);
    assert_int_equal(PCI_ACS_UF, pci_acs_ctrl_pack(&uf).raw);
    assert_int_equal(PCI_ACS_TB, pci_acs_ctrl_pack(&tb).raw);
    assert_int_equal(PCI_ACS_EC, pci_acs_ctrl_pack(&ec).raw);
}

static void port_types_need_what_they_need(void **state)
{
    static const struct {
        uint8_t port;
        unsigned alone, in_company, with_acs; /* missing */
    } rows[] = {
        { ROOT, PATH, PATH, 0 },
        { DOWN, PATH, PATH, 0 },
        { UP, 0, PATH, 0 },
        { END, 0, PATH, 0 },
        { LEGACY, 0, PATH, 0 },
        { INTEGRATED, 0, PATH, 0 },
        { TO_PCI, PATH, PATH, PATH },
        { TO_PCIE, PATH, PATH, PATH },
        { COLLECTOR, PATH, PATH, PATH },
        { CONVENTIONAL, PATH, PATH, PATH },
        { 2, PATH, PATH, PATH }, /* reserved */
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct uim_pci_function f = { .vendor = 0x1234, .port = rows[i].port };

        assert_int_equal(missing(&f), rows[i].alone);
        f.multifunction = true;
        assert_int_equal(missing(&f), rows[i].in_company);
        machine_acs(&f, ACS_CAP, ACS_ON);
        assert_int_equal(missing(&f), rows[i].with_acs);
        f.unseen = true;
        assert_int_equal(missing(&f), PATH);
    }
}

static void bits_off_are_missing_unless_wired_on(void **state)
{
    struct uim_pci_function f = { .vendor = 0x1234, .port = ROOT };

    (void)state;
    for (unsigned cap = 0; cap < 0x80; cap++) {
        for (unsigned ctrl = 0; ctrl < 0x80; ctrl++) {
            machine_acs(&f, (uint16_t)cap, (uint16_t)ctrl);
            assert_int_equal(uim_pci_acs_missing(&f, 0x7f),
                             (cap | PCI_ACS_EC) & ~ctrl & 0x7f);
            assert_int_equal(missing(&f), cap & ~ctrl & PATH);
        }
    }
}

/* Direct ways between some are what it is for. Linux does not look. */
static void egress_control_is_not_redirection(void **state)
{
    struct uim_pci_function f = { .vendor = 0x1234, .port = ROOT };

    (void)state;
    machine_acs(&f, 0x3f, ACS_ON | PCI_ACS_EC);
    assert_int_equal(uim_pci_acs_missing(&f, PATH), 0);
    assert_int_equal(uim_pci_acs_open(&f, PATH), PCI_ACS_RR);
    assert_int_equal(uim_pci_acs_open(&f, PCI_ACS_SV), 0);
    machine_acs(&f, 0x3b, (ACS_ON & ~PCI_ACS_RR) | PCI_ACS_EC);
    assert_int_equal(uim_pci_acs_open(&f, PATH), PCI_ACS_RR);
    machine_acs(&f, 0x1f, ACS_ON | PCI_ACS_EC); /* has none: reserved bit */
    assert_int_equal(uim_pci_acs_open(&f, PATH), 0);
    machine_acs(&f, 0x3f, ACS_ON);
    assert_int_equal(uim_pci_acs_open(&f, PATH), 0);
    machine_acs(&f, 0x3f, ACS_ON & ~PCI_ACS_SV);
    assert_int_equal(uim_pci_acs_open(&f, PATH), PCI_ACS_SV);
    machine_acs(&f, 0x3f, ACS_ON | PCI_ACS_EC);
    f.port = END; /* alone: nobody to let pass to */
    assert_int_equal(uim_pci_acs_open(&f, PATH), 0);
}

/* ---- quirks of isolation ----------------------------------------------------- */

static struct uim_pci_function quirk(uint16_t vendor, uint16_t device,
                                     uint8_t port)
{
    return (struct uim_pci_function){
        .vendor = vendor, .device = device, .port = port, .multifunction = true
    };
}

static unsigned all_missing(uint16_t vendor, uint16_t device, uint8_t port)
{
    struct uim_pci_function f = quirk(vendor, device, port);

    return uim_pci_acs_missing(&f, 0x7f);
}

static void ids_that_are_isolated(void **state)
{
    struct uim_pci_function f;

    (void)state;
    /* Functions that do no peer-to-peer: all but egress control. */
    assert_int_equal(all_missing(0x8086, 0x10c9, END), PCI_ACS_EC);
    assert_int_equal(all_missing(0x8086, 0x10ca, END), 0x7f);
    assert_int_equal(all_missing(0x8087, 0x10c9, END), 0x7f);
    /* Root ports by id alone, and only if they are ones. */
    assert_int_equal(all_missing(0x1def, 0xe005, ROOT), 0x62);
    assert_int_equal(all_missing(0x1def, 0xe00c, CONVENTIONAL), 0x62);
    assert_int_equal(all_missing(0x1def, 0xe00d, ROOT), 0x7f);
    assert_int_equal(all_missing(0x1c36, 0x0031, ROOT), 0x62);
    assert_int_equal(all_missing(0x1c36, 0x0031, DOWN), 0x7f);
    /* An id comes before a range of root ports that it is in. */
    assert_int_equal(all_missing(0x177d, 0xa000, ROOT), 0x62);
    assert_int_equal(all_missing(0x177d, 0xa7ff, ROOT), 0x62);
    assert_int_equal(all_missing(0x177d, 0xa800, ROOT), 0x7f);
    assert_int_equal(all_missing(0x177d, 0xa026, ROOT), PCI_ACS_EC);
    assert_int_equal(all_missing(0x177d, 0xa026, END), PCI_ACS_EC);
    /* The capability is not asked, in either direction. */
    f = quirk(0x8086, 0x10c9, END);
    machine_acs(&f, ACS_CAP, 0);
    assert_int_equal(missing(&f), 0);
    f.unseen = true;
    assert_int_equal(missing(&f), 0);
}

/* Vendors who say no of all that is not listed. */
static void ids_that_are_refused(void **state)
{
    struct uim_pci_function f = quirk(0x8088, 0x0200, END);

    (void)state;
    assert_int_equal(all_missing(0x8088, 0x0100, END), 0x62);
    assert_int_equal(uim_pci_acs_missing(&f, 0x7f), 0x7f);
    f.multifunction = false;
    assert_int_equal(missing(&f), PATH);
    machine_acs(&f, ACS_CAP, ACS_ON);
    assert_int_equal(missing(&f), PATH);

    assert_int_equal(all_missing(0x1d17, 0x0723, ROOT), 0x62);
    assert_int_equal(all_missing(0x1d17, 0x0752, DOWN), 0x62);
    assert_int_equal(all_missing(0x1d17, 0x3038, CONVENTIONAL), PCI_ACS_EC);
    f = quirk(0x1d17, 0x0722, DOWN);
    machine_acs(&f, ACS_CAP, ACS_ON);
    assert_int_equal(missing(&f), PATH);
    f.port = END; /* the rest of this vendor's are asked as all are */
    assert_int_equal(missing(&f), 0);
}

static void integrated_endpoints_of_intel(void **state)
{
    struct uim_pci_function f = quirk(0x8086, 0xabcd, INTEGRATED);

    (void)state;
    assert_int_equal(uim_pci_acs_missing(&f, 0x7f), 0x62);
    f.device = 0x10c9; /* an id that says more comes first */
    assert_int_equal(uim_pci_acs_missing(&f, 0x7f), PCI_ACS_EC);
    f = quirk(0x8086, 0xabcd, END);
    assert_int_equal(missing(&f), PATH);
    f = quirk(0x1022, 0xabcd, INTEGRATED);
    assert_int_equal(missing(&f), PATH);
}

static void southbridges_of_amd(void **state)
{
    struct uim_pci_function f = quirk(0x1002, 0x4385, CONVENTIONAL), bridge;

    (void)state;
    assert_int_equal(missing(&f), PATH);
    f.ivrs = true;
    assert_int_equal(uim_pci_acs_missing(&f, 0x7f), 0x60);
    f.multifunction = false;
    assert_int_equal(missing(&f), PATH);
    f.multifunction = true;
    f.bridge = &bridge;
    assert_int_equal(missing(&f), PATH);
    f.port = END;
    machine_acs(&f, ACS_CAP, ACS_ON); /* no quirk: its own word */
    assert_int_equal(missing(&f), 0);
}

/* Intel's chipsets: only what is known to be on is. */
static void root_ports_of_chipsets(void **state)
{
    struct uim_pci_function f = quirk(0x8086, 0x8c10, ROOT);

    (void)state;
    machine_acs(&f, ACS_CAP, ACS_ON);
    assert_int_equal(uim_pci_acs_missing(&f, 0x7f), 0x7f);
    f.quirk_enabled = true;
    assert_int_equal(uim_pci_acs_missing(&f, 0x7f), 0x62);
    f.port = DOWN; /* as the id says nothing of others */
    assert_int_equal(missing(&f), 0);
    f.device = 0x8c20;
    f.port = ROOT;
    f.acs = 0;
    assert_int_equal(missing(&f), PATH);
}

static void root_ports_with_control_elsewhere(void **state)
{
    struct uim_pci_function f = quirk(0x8086, 0xa110, ROOT);

    (void)state;
    assert_int_equal(uim_pci_acs_ctrl(&f), 8);
    assert_int_equal(missing(&f), PATH);
    f.quirk_enabled = true; /* what is not there cannot be switched on */
    assert_int_equal(missing(&f), PATH);
    f.quirk_enabled = false;
    machine_acs(&f, ACS_CAP, 0);
    assert_int_equal(missing(&f), PATH);
    machine_acs(&f, ACS_CAP, ACS_ON);
    assert_int_equal(missing(&f), 0);
    machine_acs(&f, 0x0f, 0);
    f.quirk_enabled = true;
    assert_int_equal(missing(&f), 0);
    assert_int_equal(uim_pci_acs_missing(&f, 0x7f), 0x22);
    f.device = 0xa120;
    assert_int_equal(uim_pci_acs_ctrl(&f), 6);
    assert_int_equal(missing(&f), 0x0d);
}

static void ats_that_is_broken(void **state)
{
    struct uim_pci_function f = quirk(0x1002, 0x7310, END), vf = { 0 };

    (void)state;
    assert_true(uim_pci_ats_broken(&f));
    f.device = 0x7311;
    assert_false(uim_pci_ats_broken(&f));
    f = quirk(0x8086, 0x1452, END);
    f.revision = 0x1f;
    assert_true(uim_pci_ats_broken(&f));
    vf.physical = &f;
    assert_true(uim_pci_ats_broken(&vf));
    f.revision = 0x20;
    assert_false(uim_pci_ats_broken(&f));
    assert_false(uim_pci_ats_broken(&vf));
    f = quirk(0x1002, 0x15d8, END);
    f.revision = 0xcf;
    assert_false(uim_pci_ats_broken(&f));
    f.subsystem_vendor = 0xea50;
    f.subsystem = 0xcc10;
    assert_true(uim_pci_ats_broken(&f));
    f.subsystem_vendor = 0xea51;
    assert_false(uim_pci_ats_broken(&f));
    f.subsystem_vendor = 0xea50;
    f.revision = 0xce;
    assert_false(uim_pci_ats_broken(&f));
    f.revision = 0xd0;
    assert_false(uim_pci_ats_broken(&f));
}

/* A function made for the row; what a row does not ask for is something else. */
static struct uim_pci_function made_for(const struct uim_pci_quirk *q,
                                        uint16_t device)
{
    struct uim_pci_function f = { .vendor = q->vendor,
                                  .device = device,
                                  .port = 3,
                                  .class_code = 0x123456,
                                  .revision = 0x77 };

    while (q->ports != 0 && !(q->ports >> f.port & 1))
        f.port = (uint8_t)((f.port + 1) % 16);
    if (q->class_code != 0)
        f.class_code = q->class_code << 8 | 0x56u;
    if (q->revision_last != 0)
        f.revision = q->revision_last;
    f.subsystem_vendor = q->subsystem_vendor;
    f.subsystem = q->subsystem;
    return f;
}

static bool finds(const struct uim_pci_function *f,
                  const struct uim_pci_quirk *wanted)
{
    const unsigned kind = 1u << wanted->kind;
    const struct uim_pci_quirk *q = uim_pci_quirk(f, kind);

    while (q != NULL && q != wanted)
        q = uim_pci_quirk_next(f, kind, q);
    return q != NULL;
}

static void every_row_is_found(void **state)
{
    (void)state;
    for (unsigned i = 0; i < uim_pci_n_quirks; i++) {
        const struct uim_pci_quirk *q = &uim_pci_quirks[i];
        struct uim_pci_function first = made_for(q, q->first);
        struct uim_pci_function last = made_for(q, q->last);
        struct uim_pci_function other = first;

        assert_true(finds(&first, q));
        assert_true(finds(&last, q));
        other.vendor ^= 0x8000;
        assert_false(finds(&other, q));
        if (q->first != 0) {
            other = made_for(q, (uint16_t)(q->first - 1));
            assert_false(finds(&other, q));
        }
        if (q->last != 0xffff) {
            other = made_for(q, (uint16_t)(q->last + 1));
            assert_false(finds(&other, q));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_those_of_the_register),
        cmocka_unit_test(port_types_need_what_they_need),
        cmocka_unit_test(bits_off_are_missing_unless_wired_on),
        cmocka_unit_test(egress_control_is_not_redirection),
        cmocka_unit_test(ids_that_are_isolated),
        cmocka_unit_test(ids_that_are_refused),
        cmocka_unit_test(integrated_endpoints_of_intel),
        cmocka_unit_test(southbridges_of_amd),
        cmocka_unit_test(root_ports_of_chipsets),
        cmocka_unit_test(root_ports_with_control_elsewhere),
        cmocka_unit_test(ats_that_is_broken),
        cmocka_unit_test(every_row_is_found),
    };

    return cmocka_run_group_tests_name("PCI isolation", tests, NULL, NULL);
}
