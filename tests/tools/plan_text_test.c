/* SPDX-License-Identifier: MIT */
/*
 * The dumps that `uiommu plan` reads: each way of lspci to print a function, what is
 * not seen in it, and what is no dump at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plan_help.h"

#define TITLE   "00:01.0 PCI bridge: Intel Corporation Device 1234 (rev 02)\n"
#define STATUS  "\tStatus: Cap+ 66MHz- UDF-\n"
#define BUSES   "\tBus: primary=00, secondary=01, subordinate=02, sec-latency=0\n"
#define EXPRESS "\tCapabilities: [40] Express (v2) Root Port (Slot+), MSI 00\n"
#define ACS     "\tCapabilities: [148 v1] Access Control Services\n"
#define ACS_CAP                                                                \
    "\t\tACSCap:\tSrcValid+ TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ "     \
    "EgressCtrl- DirectTrans-\n"
#define ACS_CTL                                                                \
    "\t\tACSCtl:\tSrcValid+ TransBlk- ReqRedir+ CmpltRedir+ UpstreamFwd+ "     \
    "EgressCtrl- DirectTrans-\n"
#define PORT TITLE STATUS BUSES EXPRESS ACS ACS_CAP ACS_CTL
#define ENDPOINT(at)                                                           \
    at " Ethernet controller: Red Hat, Inc. Device 1041\n" STATUS              \
       "\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n"

static void read_text(const char *text, struct plan_machine *m)
{
    plan_of_text(text, strlen(text), m);
}

static const char *refusal(const char *text)
{
    return plan_refusal(text, strlen(text));
}

static const char *unseen(const char *text, const char *address)
{
    static char said[200];
    struct plan_machine m;
    const char *why;

    read_text(text, &m);
    why = m.seen[plan_number_of(&m, address)].unseen;
    assert_int_equal(plan_at(&m, address)->unseen, why != NULL);
    snprintf(said, sizeof(said), "%s", why ? why : "");
    plan_machine_free(&m);
    return said;
}

/* ---- bytes made up ---------------------------------------------------------- */

struct space {
    uint8_t byte[4096];
};

static void put(struct space *s, unsigned at, unsigned bytes, uint32_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        s->byte[at + i] = (uint8_t)(value >> 8 * i);
}

/* With a PCI Express capability of that port type. */
static struct space space_of(unsigned header, unsigned port)
{
    struct space s = { { 0 } };

    put(&s, 0x00, 4, 0x10411af4);
    put(&s, 0x06, 2, 0x10);
    put(&s, 0x08, 4, 0x02000001);
    put(&s, 0x0e, 1, header);
    put(&s, 0x34, 1, 0x40);
    put(&s, 0x40, 4, 0x00020010 | port << 20);
    return s;
}

/* As -x prints so many bytes, at the end of the text. */
static void print_space(char *text, const char *title, const struct space *s,
                        unsigned size)
{
    text += strlen(text);
    text += sprintf(text, "%s\n", title);
    for (unsigned i = 0; i < size; i++) {
        if (i % 16 == 0)
            text += sprintf(text, "%02x:", i);
        text += sprintf(text, " %02x%s", s->byte[i], i % 16 == 15 ? "\n" : "");
    }
    strcpy(text, "\n");
}

static char big[1 << 20];

/* One function at 00:01.0, from bytes alone. */
static const char *dump_of(const struct space *s, unsigned size)
{
    big[0] = '\0';
    print_space(big, "00:01.0 Ethernet controller: Red Hat, Inc. Device 1041",
                s, size);
    return big;
}

/* ---- words --------------------------------------------------------------------- */

static void a_port_has_all_its_facts(void **state)
{
    const struct uim_pci_function *f;
    struct plan_machine m;

    (void)state;
    read_text(PORT ENDPOINT("01:00.0"), &m);
    f = plan_at(&m, "0000:00:01.0");
    assert_int_equal(f->vendor, 0x8086);
    assert_int_equal(f->device, 0x1234);
    assert_int_equal(f->class_code, 0x060400);
    assert_int_equal(f->revision, 2);
    assert_int_equal(f->header, PCI_HEADER_BRIDGE);
    assert_int_equal(f->port, PCI_EXP_TYPE_ROOT_PORT);
    assert_int_equal(f->secondary, 1);
    assert_int_equal(f->subordinate, 2);
    assert_int_equal(f->acs, 0x148);
    assert_int_equal(f->acs_cap, 0x1f);
    assert_int_equal(f->acs_ctrl, 0x1d);
    assert_false(f->unseen);
    assert_ptr_equal(plan_at(&m, "0000:01:00.0")->bridge, f);
    assert_null(f->bridge);
    plan_machine_free(&m);
}

static void numbers_are_read_where_they_are(void **state)
{
    static const char *const titles[] = {
        "0001:02:03.4 0604: 8086:1234 (rev 02)\n",
        "0001:02:03.4 PCI bridge [0604]: Intel Corporation Port [8086:1234] "
        "(rev 02) (prog-if 00 [Normal decode])\n",
        "0001:02:03.4 Unheard of [0604]: Nobody Nothing [8086:1234] (rev "
        "02)\r\n",
        "0001:02:03.4 PCI bridge: Intel Corporation Device 1234 (rev 02)\n",
    };
    char text[500];

    (void)state;
    for (unsigned i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        const struct uim_pci_function *f;
        struct plan_machine m;

        snprintf(text, sizeof(text), "%s%s%s", titles[i],
                 "\tSubsystem: Somebody Device [17aa:2345]\n"
                 "\tBus: primary=02, secondary=04, subordinate=04\n",
                 EXPRESS);
        read_text(text, &m);
        f = plan_at(&m, "0001:02:03.4");
        assert_int_equal(f->vendor, 0x8086);
        assert_int_equal(f->device, 0x1234);
        assert_int_equal(f->class_code, 0x060400);
        assert_int_equal(f->revision, 2);
        assert_int_equal(f->subsystem_vendor, 0x17aa);
        assert_int_equal(f->subsystem, 0x2345);
        assert_false(m.seen[0].id_unknown);
        plan_machine_free(&m);
    }
}

/* The vendor is known all the same. */
static void names_of_several_devices_are_of_none(void **state)
{
    struct plan_machine m;

    (void)state;
    read_text(
        "00:00.0 PCI bridge: Broadcom / LSI PEX890xx PCIe Gen 5 Switch\n"
        "\tBus: primary=00, secondary=01, subordinate=01\n"
        "00:01.0 RAM memory: Nobody Ever Nothing\n" STATUS
        "\tCapabilities: [40] Null\n"
        "00:02.0 PCI bridge: Adaptec AIC-7870P/7881U [AHA-2940U/UW/D/S76]\n"
        "\tBus: primary=00, secondary=02, subordinate=02\n",
        &m);
    assert_int_equal(m.functions[0].vendor, 0x1000);
    assert_int_equal(m.functions[0].device, 0);
    assert_true(m.seen[0].id_unknown);
    assert_int_equal(m.functions[1].vendor, 0);
    assert_true(m.seen[1].id_unknown);
    assert_int_equal(m.functions[2].vendor, 0x9004);
    assert_int_equal(m.functions[2].device, 0x8178);
    assert_false(m.seen[2].id_unknown);
    plan_machine_free(&m);
}

static void every_port_type_has_its_name(void **state)
{
    static const struct {
        const char *name;
        unsigned port;
    } types[] = {
        { "Endpoint, MSI 00", PCI_EXP_TYPE_ENDPOINT },
        { "Legacy Endpoint, MSI 00", PCI_EXP_TYPE_LEGACY_ENDPOINT },
        { "Root Port (Slot+), IntMsgNum 0", PCI_EXP_TYPE_ROOT_PORT },
        { "Upstream Port, MSI 00", PCI_EXP_TYPE_UPSTREAM_PORT },
        { "Downstream Port (Slot-), MSI 00", PCI_EXP_TYPE_DOWNSTREAM_PORT },
        { "PCI-Express to PCI/PCI-X Bridge, MSI 00",
          PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE },
        { "PCI/PCI-X to PCI-Express Bridge, MSI 00",
          PCI_EXP_TYPE_PCI_TO_PCIE_BRIDGE },
        { "Root Complex Integrated Endpoint, MSI 00",
          PCI_EXP_TYPE_RC_INTEGRATED_ENDPOINT },
        { "Root Complex Event Collector, MSI 00",
          PCI_EXP_TYPE_RC_EVENT_COLLECTOR },
    };
    char text[300];

    (void)state;
    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        for (unsigned old = 0; old < 2; old++) {
            struct plan_machine m;

            snprintf(text, sizeof(text),
                     "00:01.0 0200: 1af4:1041\n\tCapabilities: [40] Express "
                     "%s%s\n",
                     old ? "" : "(v2) ", types[i].name);
            read_text(text, &m);
            assert_int_equal(m.functions[0].port, types[i].port);
            assert_false(m.functions[0].unseen);
            plan_machine_free(&m);
        }
    }
}

/* What is between functions, and what is in segments that no id can name. */
static void other_lines_are_passed_over(void **state)
{
    struct plan_machine m;

    (void)state;
    read_text("$ sudo lspci -vvv\npcilib: sysfs_read_vpd: read failed\n\n" PORT
              "\ncc: the list\n10000:e1:00.0 0108: 144d:a80a\n"
              "\tBus: primary=e0, secondary=e1, subordinate=e1\n00: 11 22\n"
              "-- \nthe machine's owner\n",
              &m);
    assert_int_equal(m.n, 1);
    assert_int_equal(m.functions[0].secondary, 1);
    assert_int_equal(m.n_elsewhere, 1);
    assert_string_equal(m.elsewhere[0], "10000:e1:00.0");
    plan_machine_free(&m);
    read_text("10000:e1:00.0 0108: 144d:a80a\n", &m);
    assert_int_equal(m.n, 0);
    assert_int_equal(m.n_elsewhere, 1);
    plan_machine_free(&m);
}

static void a_slot_of_several_is_a_device_of_several(void **state)
{
    struct plan_machine m;

    (void)state;
    read_text(ENDPOINT("00:02.0") ENDPOINT("00:03.0") ENDPOINT("00:03.1")
                  ENDPOINT("00:04.2") ENDPOINT("01:04.0"),
              &m);
    assert_false(plan_at(&m, "0000:00:02.0")->multifunction);
    assert_true(plan_at(&m, "0000:00:03.0")->multifunction);
    assert_true(plan_at(&m, "0000:00:03.1")->multifunction);
    assert_true(plan_at(&m, "0000:00:04.2")->multifunction);
    assert_false(plan_at(&m, "0000:01:04.0")->multifunction);
    plan_machine_free(&m);
}

static void registers_and_prefixes_of_ports(void **state)
{
    struct plan_machine m;

    (void)state;
    read_text(TITLE "\tRegion 0: Memory at 80000000 (32-bit)\n" BUSES EXPRESS
                    "\t\t\tExtFmt+ EETLPPrefix+, MaxEETLPPrefixes 2\n"
                    "00:02.0 0604: 1:1\n\tI/O behind bridge: 1000-1fff\n"
                    "\tMemory behind bridge: 90000000-900fffff\n"
                    "\tBus: primary=00, secondary=03, subordinate=03\n" EXPRESS
                    "\t\t\tOBFF Disabled, EETLPPrefixBlk+\n"
                    "00:03.0 0200: 1af4:1041\n\tMemory at 80010000\n",
              &m);
    assert_true(m.functions[0].own_memory);
    assert_true(m.functions[0].end_end_prefix);
    assert_false(m.functions[1].own_memory);
    assert_false(m.functions[1].end_end_prefix);
    assert_false(m.functions[2].own_memory);
    plan_machine_free(&m);
}

/* ---- what is not seen ------------------------------------------------------------ */

static void what_words_do_not_say_is_unseen(void **state)
{
    static const char at[] = "0000:00:01.0";

    (void)state;
    assert_string_equal(unseen(PORT, at), "");
    assert_string_equal(
        unseen(TITLE STATUS BUSES "\tCapabilities: <access denied>\n", at),
        "its capabilities were read by somebody who is not root");
    assert_string_equal(
        unseen(TITLE STATUS BUSES, at),
        "its capabilities were read by somebody who is not root");
    assert_string_equal(unseen(TITLE BUSES, at), "");
    assert_string_equal(
        unseen(TITLE STATUS BUSES EXPRESS ACS, at),
        "the bits of its ACS are not printed: that takes lspci -vv");
    assert_string_equal(
        unseen(TITLE STATUS BUSES EXPRESS ACS ACS_CAP, at),
        "the bits of its ACS are not printed: that takes lspci -vv");
    assert_string_equal(
        unseen(TITLE STATUS BUSES
               "\tCapabilities: [40] Express (v2) Unknown type 12\n",
               at),
        "its port type has a name that is not known");
    assert_string_equal(unseen(TITLE "\t!!! Unknown header type 7f\n", at),
                        "it does not answer: asleep, or gone");
    assert_string_equal(
        unseen(ENDPOINT("00:02.0") "00:01.0 0604: 1af4:1 (rev "
                                   "ff) (prog-if ff)\n"
                                   "\tKernel driver in use: pcieport\n",
               at),
        "it does not answer: asleep, or gone");
}

static void what_is_only_named_is_unseen(void **state)
{
    (void)state;
    assert_string_equal(unseen(PORT "01:00.0 0200: 1af4:1041\n"
                                    "\tKernel driver in use: virtio-pci\n",
                               "0000:01:00.0"),
                        "nothing but its name is known");
    assert_string_equal(
        unseen(PORT "01:00.0 0200: 1af4:1041\n", "0000:01:00.0"),
        "nothing but its name is known");
}

static void bytes_that_end_early_leave_it_unseen(void **state)
{
    struct space s = space_of(0, PCI_EXP_TYPE_ENDPOINT);
    static const char at[] = "0000:00:01.0";

    (void)state;
    assert_string_equal(unseen(dump_of(&s, 4096), at), "");
    assert_string_equal(
        unseen(dump_of(&s, 256), at),
        "ACS is not among the bytes: that takes lspci -xxxx, by root");
    assert_string_equal(
        unseen(dump_of(&s, 64), at),
        "its capabilities are not among the bytes: that takes root");
    put(&s, 0x34, 1, 0);
    assert_string_equal(unseen(dump_of(&s, 256), at), "");
    put(&s, 0x06, 2, 0);
    assert_string_equal(unseen(dump_of(&s, 64), at), "");
    memset(s.byte, 0xff, sizeof(s.byte));
    assert_string_equal(unseen(dump_of(&s, 4096), at),
                        "it does not answer: asleep, or gone");
}

/* The last name that was known stays. */
static void what_is_gone_keeps_its_title(void **state)
{
    struct plan_machine m;
    struct space s;

    (void)state;
    memset(s.byte, 0xff, sizeof(s.byte));
    big[0] = '\0';
    print_space(big, "00:01.0 0200: 1af4:1041 (rev ff) (prog-if ff)", &s, 256);
    read_text(big, &m);
    assert_int_equal(m.functions[0].vendor, 0x1af4);
    assert_int_equal(m.functions[0].device, 0x1041);
    assert_int_equal(m.functions[0].at.devfn, 8);
    assert_true(m.functions[0].unseen);
    plan_machine_free(&m);
}

/* lspci prints another register of these ports. */
static void control_that_is_elsewhere_is_not_believed(void **state)
{
    struct space s = space_of(1, PCI_EXP_TYPE_ROOT_PORT);
    struct plan_machine m;

    (void)state;
    put(&s, 0x00, 4, 0x9d108086);
    put(&s, 0x19, 2, 0x0101);
    strcpy(
        big,
        "00:1c.0 0604: 8086:9d10\n" STATUS BUSES EXPRESS ACS ACS_CAP ACS_CTL);
    for (unsigned i = 0; i < 2; i++) {
        read_text(big, &m);
        assert_null(m.seen[0].unseen);
        assert_int_equal(m.functions[0].acs_cap, 0x1f);
        assert_int_equal(m.functions[0].acs_ctrl, 0);
        plan_machine_free(&m);
        print_space(big, "$", &s, 256);
    }
}

/* A kernel that used an IOMMU had switched it on. */
static void ports_with_all_of_acs_off_had_no_iommu(void **state)
{
    static const char off[] =
        "\t\tACSCtl:\tSrcValid- TransBlk- ReqRedir- CmpltRedir- UpstreamFwd- "
        "EgressCtrl- DirectTrans-\n";
    char text[2000];
    struct plan_machine m;

    (void)state;
    snprintf(text, sizeof(text), "%s%s", TITLE STATUS BUSES EXPRESS ACS ACS_CAP,
             off);
    read_text(text, &m);
    assert_true(m.acs_off);
    assert_false(m.functions[0].quirk_enabled);
    plan_machine_free(&m);
    read_text(PORT, &m);
    assert_false(m.acs_off);
    assert_true(m.functions[0].quirk_enabled);
    assert_false(m.functions[0].ivrs);
    plan_machine_free(&m);
    read_text(PORT "00:00.2 0806: 1022:164f\n", &m);
    assert_true(m.functions[0].ivrs && m.functions[1].ivrs);
    plan_machine_free(&m);
}

/* ---- links ------------------------------------------------------------------------ */

#define BRIDGE(at, first, last)                                                \
    at " 0604: 1af4:1\n\tBus: primary=00, secondary=" first                    \
       ", subordinate=" last "\n"

static void the_innermost_bridge_is_the_one_above(void **state)
{
    struct plan_machine m;

    (void)state;
    read_text(BRIDGE("00:01.0", "01", "05") BRIDGE("01:00.0", "02", "05")
                  BRIDGE("02:00.0", "03", "03") BRIDGE("02:01.0", "04", "05")
                      BRIDGE("00:02.0", "00",
                             "00") ENDPOINT("03:00.0") ENDPOINT("05:00.0")
                          ENDPOINT("06:00.0") "0001:03:00.0 0200: 1af4:1041\n",
              &m);
    assert_ptr_equal(plan_at(&m, "0000:03:00.0")->bridge,
                     plan_at(&m, "0000:02:00.0"));
    /* No bridge has exactly that bus below it: virtual functions may be there. */
    assert_ptr_equal(plan_at(&m, "0000:05:00.0")->bridge,
                     plan_at(&m, "0000:02:01.0"));
    assert_ptr_equal(plan_at(&m, "0000:02:01.0")->bridge,
                     plan_at(&m, "0000:01:00.0"));
    assert_null(plan_at(&m, "0000:06:00.0")->bridge);
    assert_null(plan_at(&m, "0001:03:00.0")->bridge);
    assert_null(plan_at(&m, "0000:00:01.0")->bridge);
    plan_machine_free(&m);
}

static void a_bridge_to_cardbus_is_a_bridge(void **state)
{
    struct space s = { { 0 } };
    struct plan_machine m;

    (void)state;
    put(&s, 0x00, 4, 0x14761180);
    put(&s, 0x0e, 1, 0x82);
    put(&s, 0x18, 4, 0x00050403);
    big[0] = '\0';
    print_space(big, "03:01.0 0607: 1180:1476", &s, 128);
    strcat(big, ENDPOINT("05:00.0"));
    read_text(big, &m);
    assert_int_equal(m.functions[0].header, PCI_HEADER_BRIDGE);
    assert_int_equal(m.functions[0].secondary, 4);
    assert_ptr_equal(m.functions[1].bridge, &m.functions[0]);
    plan_machine_free(&m);
}

#define SRIOV                                                                  \
    "\tCapabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)\n"       \
    "\t\tIOVCap:\tMigration-\n\t\tIOVCtl:\tEnable+ Migration- MSE+\n"          \
    "\t\tInitial VFs: 8, Total VFs: 8, Number of VFs: 2, Function "            \
    "Dependency Link: 00\n"                                                    \
    "\t\tVF offset: 128, stride: 2, Device ID: 154c\n"

static void virtual_functions_know_their_physical_one(void **state)
{
    const struct uim_pci_function *physical;
    struct plan_machine m;

    (void)state;
    read_text(PORT ENDPOINT("01:00.0") SRIOV ENDPOINT("01:10.0")
                  ENDPOINT("01:10.2") ENDPOINT("01:10.4"),
              &m);
    physical = plan_at(&m, "0000:01:00.0");
    assert_ptr_equal(plan_at(&m, "0000:01:10.0")->physical, physical);
    assert_ptr_equal(plan_at(&m, "0000:01:10.2")->physical, physical);
    assert_null(plan_at(&m, "0000:01:10.4")->physical);
    assert_null(physical->physical);
    assert_false(plan_at(&m, "0000:01:10.2")->multifunction);
    assert_true(plan_at(&m, "0000:01:10.4")->multifunction);
    plan_machine_free(&m);
}

/* They are devices of their own, whatever slot their numbers make. */
static void virtual_functions_are_kept_apart(void **state)
{
    struct plan_machine m;

    (void)state;
    read_text(PORT ENDPOINT("01:00.0") SRIOV ENDPOINT("01:10.0")
                  ENDPOINT("01:10.2"),
              &m);
    for (unsigned like_linux = 0; like_linux < 2; like_linux++) {
        unsigned *group = plan_groups_of(&m, like_linux);

        for (unsigned i = 0; i < m.n; i++)
            assert_int_equal(group[i], i);
        free(group);
    }
    plan_machine_free(&m);
}

/* Their first registers read as ones; the next bus has no bridge of its own. */
static void bytes_of_virtual_functions_are_completed(void **state)
{
    struct space s = space_of(0, PCI_EXP_TYPE_ENDPOINT), v = s;
    const struct uim_pci_function *f;
    struct plan_machine m;

    (void)state;
    put(&s, 0x100, 4, 0x00010010);
    put(&s, 0x108, 2, 1);
    put(&s, 0x110, 2, 1);
    put(&s, 0x114, 4, 0x00010180);
    put(&s, 0x11a, 2, 0x154c);
    put(&v, 0, 4, UINT32_MAX);
    strcpy(big, PORT);
    print_space(big, "01:00.0 0200: 1af4:1041", &s, 4096);
    print_space(big, "02:10.0 0200: 1af4:154c", &v, 4096);
    read_text(big, &m);
    f = plan_at(&m, "0000:02:10.0");
    assert_ptr_equal(f->physical, plan_at(&m, "0000:01:00.0"));
    assert_ptr_equal(f->bridge, plan_at(&m, "0000:00:01.0"));
    assert_int_equal(f->vendor, 0x1af4);
    assert_int_equal(f->device, 0x154c);
    assert_int_equal(f->port, PCI_EXP_TYPE_ENDPOINT);
    assert_false(f->unseen);
    plan_machine_free(&m);
    /* The physical one may be known in words alone. */
    strcpy(big, PORT "01:00.0 0200: 1af4:1041\n" SRIOV);
    print_space(big, "01:10.0 0200: 1af4:154c", &v, 4096);
    read_text(big, &m);
    f = plan_at(&m, "0000:01:10.0");
    assert_int_equal(f->vendor, 0x1af4);
    assert_int_equal(f->device, 0x154c);
    plan_machine_free(&m);
    /* Switched off, there are none. */
    put(&s, 0x108, 2, 0);
    strcpy(big, PORT);
    print_space(big, "01:00.0 0200: 1af4:1041", &s, 4096);
    print_space(big, "02:10.0 0200: 1af4:154c", &v, 4096);
    read_text(big, &m);
    f = plan_at(&m, "0000:02:10.0");
    assert_null(f->physical);
    assert_true(f->unseen);
    plan_machine_free(&m);
}

/* ---- logs ------------------------------------------------------------------------- */

#define LOG(at, rest) "[    0.5] pci 0000:" at ": " rest "\n"

static void logs_say_ports_and_buses(void **state)
{
    const struct uim_pci_function *f;
    struct plan_machine m;

    (void)state;
    read_text(
        "[    0.1] Linux version 6.16\n" LOG(
            "00:01.0", "[8086:1234] type 01 class 0x060400 PCIe Root Port")
            LOG("00:01.0", "PCI bridge to [bus 01-02]") LOG(
                "00:02.0",
                "[8086:0001] type 00 class 0x030000 conventional PCI "
                "endpoint") LOG("01:00.0", "[1af4:1041] type 00 class 0x020000")
                LOG("01:00.0", "reg 0x10: [mem 0x80000000-0x8000ffff]")
                    LOG("00:01.0", "PCI bridge to [bus 01]")
                        LOG("00:02.0", "[8086:0002] type 00 class 0x030000 "
                                       "PCIe Endpoint")
                            LOG("00:09.0", "PCI bridge to [bus 07]"),
        &m);
    assert_int_equal(m.n, 3);
    f = plan_at(&m, "0000:00:01.0");
    assert_int_equal(f->port, PCI_EXP_TYPE_ROOT_PORT);
    assert_int_equal(f->class_code, 0x060400);
    assert_int_equal(f->header, PCI_HEADER_BRIDGE);
    assert_int_equal(f->subordinate, 1);
    assert_true(f->unseen);
    assert_ptr_equal(plan_at(&m, "0000:01:00.0")->bridge, f);
    assert_string_equal(
        m.seen[2].unseen,
        "a log of so old a kernel does not say what port it is");
    assert_int_equal(plan_at(&m, "0000:00:02.0")->device, 2);
    assert_int_equal(plan_at(&m, "0000:00:02.0")->port, PCI_EXP_TYPE_ENDPOINT);
    assert_string_equal(
        unseen(LOG("00:02.0", "[8086:0001] type 00 class 0x030000 "
                              "conventional PCI endpoint"),
               "0000:00:02.0"),
        "");
    plan_machine_free(&m);
}

/* ---- what is no dump ---------------------------------------------------------------- */

static void what_is_no_dump_is_refused(void **state)
{
    static const char zeros[] = "00:01.0\0PCI bridge: Intel\n";

    (void)state;
    assert_string_equal(refusal(""),
                        "no function in there: is this a dump of lspci?");
    assert_string_equal(refusal("Linux version 6.1\nnothing of PCI\n"),
                        "no function in there: is this a dump of lspci?");
    assert_string_equal(refusal("-[0000:00]-+-00.0\n           +-01.0\n"),
                        "no function in there: is this a dump of lspci?");
    assert_string_equal(plan_refusal(zeros, sizeof(zeros)),
                        "line 1: no text: is this a dump of lspci?");
    assert_string_equal(refusal(PORT "\x1b[0m\n"),
                        "line 8: no text: is this a dump of lspci?");
    assert_string_equal(refusal("00:00.0 Host bridge: Intel\n00:01.0 PCI\n"),
                        "only names: a dump of `lspci -vvv` or `lspci -xxxx`, "
                        "by root, says more");
    assert_string_equal(refusal("00:02.0 Display: Intel\n\tSubsystem: Intel\n"
                                "\tKernel driver in use: i915\n"),
                        "only names: a dump of `lspci -vvv` or `lspci -xxxx`, "
                        "by root, says more");
    assert_string_equal(refusal("00:20.0 Host bridge: no device 32\n"),
                        "line 1: neither a function nor its bytes");
    assert_string_equal(refusal("00:01.8 Host bridge: no function 8\n"),
                        "line 1: neither a function nor its bytes");
    assert_string_equal(refusal("00: 86 80\n"),
                        "line 1: bytes before any function");
}

static void words_that_are_cut_off_are_refused(void **state)
{
    (void)state;
    assert_string_equal(refusal(TITLE "\tBus: primary=00, seco"),
                        "line 2: the buses below a bridge are cut off");
    assert_string_equal(
        refusal(TITLE "\tBus: primary=00, secondary=01, subordinate=0"),
        "line 2: the buses below a bridge are cut off");
    assert_string_equal(refusal(TITLE BUSES "\tCapabilities: [4"),
                        "line 3: a capability without its offset");
    assert_string_equal(refusal(TITLE BUSES "\tCapabilities: [100 v"),
                        "line 3: a capability without its offset");
    assert_string_equal(
        refusal(TITLE STATUS BUSES EXPRESS ACS "\t\tACSCap:\tSrcValid+ Tran"),
        "line 6: bits of ACS are cut off");
    assert_string_equal(
        refusal(TITLE STATUS BUSES EXPRESS ACS ACS_CAP "\t\tACSCtl:\tSrcVal"),
        "line 7: bits of ACS are cut off");
    assert_string_equal(
        refusal(TITLE STATUS EXPRESS),
        "the dump does not say which buses are below the bridge "
        "0000:00:01.0: was it cut off?");
}

static void bytes_that_are_cut_off_are_refused(void **state)
{
    const struct space s = space_of(0, PCI_EXP_TYPE_ENDPOINT);

    (void)state;
    dump_of(&s, 256);
    *(strrchr(big, '\n') - 10) = '\0';
    assert_string_equal(refusal(big), "line 17: fewer than 16 bytes");
    dump_of(&s, 256);
    *strstr(big, "f0: ") = '\0';
    assert_string_equal(refusal(big),
                        "configuration space of 0000:00:01.0 is cut off after "
                        "0xf0 bytes");
    dump_of(&s, 256);
    memcpy(strstr(big, "20: "), "30: ", 4);
    assert_string_equal(
        refusal(big),
        "line 4: bytes of configuration space are missing before");
    dump_of(&s, 256);
    strcpy(strstr(big, "\n10: "), " 00\n");
    assert_string_equal(refusal(big), "line 2: more than 16 bytes");
    dump_of(&s, 4096);
    strcpy(big + strlen(big) - 1, "1000: 00");
    assert_string_equal(refusal(big),
                        "line 258: more bytes than configuration space has");
}

static void machines_that_cannot_be_are_refused(void **state)
{
    (void)state;
    assert_string_equal(refusal(ENDPOINT("00:02.0") PORT ENDPOINT("00:02.0")),
                        "0000:00:02.0 is there twice");
    assert_string_equal(refusal(BRIDGE("02:00.0", "02", "03")),
                        "the bridge 0000:02:00.0 has bus 02 below it, which is "
                        "not above its own: bus numbers go in circles");
    assert_string_equal(refusal(BRIDGE("00:01.0", "01", "02")
                                    BRIDGE("01:00.0", "02", "02")
                                        BRIDGE("02:00.0", "01", "02")),
                        "the bridge 0000:02:00.0 has bus 01 below it, which is "
                        "not above its own: bus numbers go in circles");
    assert_string_equal(refusal(BRIDGE("00:01.0", "05", "04")),
                        "the bridge 0000:00:01.0 has buses 05 to 04 below it");
    assert_string_equal(
        refusal(BRIDGE("00:01.0", "01", "03") BRIDGE("00:02.0", "03", "04")),
        "the bridges 0000:00:01.0 and 0000:00:02.0 both have bus 03");
    assert_string_equal(
        refusal(BRIDGE("00:01.0", "01", "03") BRIDGE("00:02.0", "01", "03")),
        "the bridges 0000:00:01.0 and 0000:00:02.0 both have bus 01");
}

static void too_many_functions_are_refused(void **state)
{
    char *p = big;

    (void)state;
    for (unsigned i = 0; i <= PLAN_FUNCTIONS_MAX; i++)
        p += sprintf(p, "%02x:%02x.%x 0200: 1af4:1041\n", i >> 8, i >> 3 & 31,
                     i & 7);
    assert_string_equal(refusal(big), "more than 4096 functions");
    p = big;
    for (unsigned i = 0; i <= PLAN_FUNCTIONS_MAX; i++)
        p += sprintf(p, "10000:%02x:%02x.%x 0200: 1af4:1041\n", i >> 8,
                     i >> 3 & 31, i & 7);
    assert_string_equal(refusal(big), "more than 4096 functions");
}

/* Wherever a dump ends: no more is made of it than there is, or it is refused. */
static void a_cut_anywhere_is_survived(void **state)
{
    const struct space s = space_of(0, PCI_EXP_TYPE_ENDPOINT);
    const struct plan_ids none = { 0 };
    size_t refused = 0, size;

    (void)state;
    strcpy(big, PORT);
    print_space(big, "01:00.0 0200: 1af4:1041", &s, 256);
    size = strlen(big);
    for (size_t n = 0; n < size; n++) {
        struct plan_machine m = { 0 };
        char *copy = malloc(n + !n);

        memcpy(copy, big, n);
        if (plan_read(copy, n, &none, &m))
            assert_in_range(m.n, 1, 2);
        else
            refused += m.why[0] != '\0';
        plan_machine_free(&m);
        free(copy);
    }
    assert_in_range(refused, size / 4, size - 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_port_has_all_its_facts),
        cmocka_unit_test(numbers_are_read_where_they_are),
        cmocka_unit_test(names_of_several_devices_are_of_none),
        cmocka_unit_test(every_port_type_has_its_name),
        cmocka_unit_test(other_lines_are_passed_over),
        cmocka_unit_test(a_slot_of_several_is_a_device_of_several),
        cmocka_unit_test(registers_and_prefixes_of_ports),
        cmocka_unit_test(what_words_do_not_say_is_unseen),
        cmocka_unit_test(what_is_only_named_is_unseen),
        cmocka_unit_test(bytes_that_end_early_leave_it_unseen),
        cmocka_unit_test(what_is_gone_keeps_its_title),
        cmocka_unit_test(control_that_is_elsewhere_is_not_believed),
        cmocka_unit_test(ports_with_all_of_acs_off_had_no_iommu),
        cmocka_unit_test(the_innermost_bridge_is_the_one_above),
        cmocka_unit_test(a_bridge_to_cardbus_is_a_bridge),
        cmocka_unit_test(virtual_functions_know_their_physical_one),
        cmocka_unit_test(virtual_functions_are_kept_apart),
        cmocka_unit_test(bytes_of_virtual_functions_are_completed),
        cmocka_unit_test(logs_say_ports_and_buses),
        cmocka_unit_test(what_is_no_dump_is_refused),
        cmocka_unit_test(words_that_are_cut_off_are_refused),
        cmocka_unit_test(bytes_that_are_cut_off_are_refused),
        cmocka_unit_test(machines_that_cannot_be_are_refused),
        cmocka_unit_test(too_many_functions_are_refused),
        cmocka_unit_test(a_cut_anywhere_is_survived),
    };

    return cmocka_run_group_tests_name("dumps", tests, NULL, NULL);
}
