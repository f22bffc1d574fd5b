/* SPDX-License-Identifier: MIT */
/*
 * `uiommu plan` as a command: text, JSON, one device, firmware tables, sysfs, and what
 * it says when it cannot read something.
 */
#define _XOPEN_SOURCE 700

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "command_help.h"
#include "explain_help.h"
#include "tools/plan.h"

#define MACHINES UIM_CORPUS_DIR "/pci/"
#define TABLES   UIM_CORPUS_DIR "/acpi/"
#define IDS      "--ids", MACHINES "pci.ids"
#define SPECTRE  MACHINES "hp-spectre-x360-tb3/lspci.txt"
#define SURFACE  MACHINES "surface-book-2/lspci.txt"

#define out command_out
#define err command_err

#define RUN(...)                                                               \
    command_run(tool_plan, "plan", (const char *const[]){ __VA_ARGS__, NULL })

static const char *dump(const char *text)
{
    return command_file(text, strlen(text));
}

static void assert_does_not_say(const char *text, const char *words)
{
    if (strstr(text, words))
        fail_msg("\"%s\" says \"%s\"", text, words);
}

/* ---- all groups -------------------------------------------------------------- */

static void text_has_groups_with_reasons(void **state)
{
    (void)state;
    assert_int_equal(RUN(IDS, SPECTRE), 0);
    assert_string_equal(err, "");
    assert_says(
        out,
        "group 1\n"
        "  0000:00:01.0  PCI bridge: Intel Corporation 6th-10th Gen Core "
        "Processor PCIe Controller (x16)\n"
        "  0000:01:00.0  VGA compatible controller: NVIDIA Corporation TU117M "
        "[GeForce GTX 1650 Mobile / Max-Q]\n"
        "  0000:01:00.1  Audio device: NVIDIA Corporation Device 10fa\n"
        "    0000:00:01.0 with 0000:01:00.0 0000:01:00.1: root port "
        "0000:00:01.0 does not ");
    assert_says(out, "group 26\n");
    assert_does_not_say(out, "group 27\n");
    assert_does_not_say(out, "unseen: ");
    assert_says(out, "note: 0000:01:00.0: pci.ids has no number for its name");
}

static void what_is_not_seen_is_said(void **state)
{
    (void)state;
    assert_int_equal(
        RUN(IDS, dump("00:02.0 0300: 8086:1\n\tCapabilities: <access denied>\n"
                      "10000:e1:00.0 0108: 144d:a80a\n\tStatus: Cap+\n")),
        0);
    assert_says(out, "unseen: 0000:00:02.0: its capabilities were read by "
                     "somebody who is not root\n");
    assert_says(out, "unseen: 10000:e1:00.0: below a device that makes a "
                     "segment of its own; it goes where that goes\n");
}

static void a_machine_without_acs_on_is_noted(void **state)
{
    static const char off[] =
        "00:01.0 0604: 8086:1\n\tBus: primary=00, secondary=01, "
        "subordinate=01\n\tCapabilities: [40] Express Root Port\n"
        "\tCapabilities: [100 v1] Access Control Services\n"
        "\t\tACSCap:\tSrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ "
        "DirectTrans-\n\t\tACSCtl:\tSrcValid- DirectTrans-\n"
        "01:00.0 0200: 1af4:1041\n\tCapabilities: [40] Express Endpoint\n";
    static const char note[] =
        "note: no port has ACS switched on: no IOMMU was in use there";

    (void)state;
    assert_int_equal(RUN(dump(off)), 0);
    assert_says(out, note);
    assert_int_equal(RUN("--device", "01:00.0", dump(off)), 0);
    assert_says(out, note);
    assert_says(out, "would separate it, all of it together:\n"
                     "  ACS SV RR CR UF switched on in 0000:00:01.0, which has "
                     "it, or another slot, not below 0000:00:01.0\n");
    assert_int_equal(RUN(IDS, SPECTRE), 0);
    assert_does_not_say(out, note);
}

/* Egress control goes before redirection. */
static void egress_control_has_to_go(void **state)
{
    static const char text[] =
        "00:01.0 0604: 8086:1\n\tBus: primary=00, secondary=01, "
        "subordinate=01\n\tCapabilities: [40] Express Root Port\n"
        "\tCapabilities: [100 v1] Access Control Services\n"
        "\t\tACSCap:\tSrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl+ "
        "DirectTrans-\n\t\tACSCtl:\tSrcValid%c ReqRedir+ CmpltRedir+ "
        "UpstreamFwd+ EgressCtrl+ DirectTrans-\n"
        "01:00.0 0200: 1af4:1041\n\tCapabilities: [40] Express Endpoint\n";
    char printed[sizeof(text)];

    (void)state;
    snprintf(printed, sizeof(printed), text, '+');
    assert_int_equal(RUN("--device", "01:00.0", dump(printed)), 0);
    assert_says(out, "  ACS EC switched off in 0000:00:01.0, or another slot");
    snprintf(printed, sizeof(printed), text, '-');
    assert_int_equal(RUN("--device", "01:00.0", dump(printed)), 0);
    assert_says(out,
                "  ACS EC switched off in 0000:00:01.0, and ACS SV on, or");
}

/* ---- JSON ---------------------------------------------------------------------- */

static void check_members(const cJSON *object, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (!cJSON_HasObjectItem(object, names[i]))
            fail_msg("%s is missing", names[i]);
    assert_int_equal(cJSON_GetArraySize(object), n);
}

#define CHECK_MEMBERS(object, ...)                                             \
    check_members(object, (const char *const[]){ __VA_ARGS__ },                \
                  (int)(sizeof((const char *const[]){ __VA_ARGS__ }) /         \
                        sizeof(const char *)))

static void check_group(const cJSON *group, int id)
{
    const cJSON *device, *reason;

    CHECK_MEMBERS(group, "id", "devices", "reasons");
    assert_int_equal(cJSON_GetObjectItem(group, "id")->valueint, id);
    cJSON_ArrayForEach(device, cJSON_GetObjectItem(group, "devices"))
        assert_int_equal(strlen(device->valuestring), 12);
    cJSON_ArrayForEach(reason, cJSON_GetObjectItem(group, "reasons"))
    {
        CHECK_MEMBERS(reason, "a", "b", "why");
        assert_true(cJSON_IsString(cJSON_GetObjectItem(reason, "why")));
    }
}

static void json_has_exactly_its_members(void **state)
{
    const cJSON *group;
    cJSON *plan;
    int n = 0;

    (void)state;
    assert_int_equal(
        RUN("--json", IDS, MACHINES "asus-rog-m16-gu603/lspci.txt"), 0);
    plan = cJSON_Parse(out);
    CHECK_MEMBERS(plan, "groups", "unseen");
    cJSON_ArrayForEach(group, cJSON_GetObjectItem(plan, "groups"))
        check_group(group, n++);
    assert_int_equal(n, 22);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(plan, "unseen")),
                     1);
    assert_string_equal(
        cJSON_GetArrayItem(cJSON_GetObjectItem(plan, "unseen"), 0)->valuestring,
        "0000:2f:00.0");
    cJSON_Delete(plan);
}

static void json_of_one_device_has_its_group(void **state)
{
    const cJSON *group;
    cJSON *plan;

    (void)state;
    assert_int_equal(RUN("--json", "--device", "0000:01:00.1", IDS, SPECTRE),
                     0);
    plan = cJSON_Parse(out);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(plan, "groups")),
                     1);
    group = cJSON_GetArrayItem(cJSON_GetObjectItem(plan, "groups"), 0);
    check_group(group, 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(group, "devices")),
                     3);
    /* Reasons begin at the device. */
    assert_string_equal(
        text_of(cJSON_GetArrayItem(cJSON_GetObjectItem(group, "reasons"), 0),
                "a"),
        "0000:01:00.1");
    cJSON_Delete(plan);
}

/* ---- one device ------------------------------------------------------------------ */

static void a_device_has_company_and_cures(void **state)
{
    (void)state;
    assert_int_equal(RUN("--device", "01:00.0", IDS, SPECTRE), 0);
    assert_says(out, "0000:01:00.0  VGA compatible controller: ");
    assert_says(out, "\ngroup 1\ngoes along:\n  0000:01:00.1  Audio device: ");
    assert_says(out, "\nbridges of the group, which stay:\n  0000:00:01.0  ");
    assert_says(out, "    0000:01:00.0 with 0000:00:01.0: root port ");
    assert_says(
        out,
        "would separate it, all of it together:\n"
        "  ACS SV RR CR UF in 0000:00:01.0, which does not have it, or another "
        "slot, not below 0000:00:01.0\n"
        "  ACS SV RR CR UF in 0000:01:00.0, which does not have it, for it is "
        "one device with others\n");
    assert_does_not_say(out, "0000:02:00.0");
}

static void a_device_alone_needs_nothing(void **state)
{
    (void)state;
    assert_int_equal(RUN("--device", "0000:03:00.0", IDS, SURFACE), 0);
    assert_says(out, "goes along: nothing\n");
    assert_does_not_say(out, "would separate");
    assert_does_not_say(out, "bridges");
}

#define CONVENTIONAL                                                           \
    "00:01.0 0604: 8086:1\n\tBus: primary=00, secondary=01, subordinate=02\n"  \
    "\tCapabilities: [40] Express Root Port\n"                                 \
    "\tCapabilities: [100 v1] Access Control Services\n"                       \
    "\t\tACSCap:\tSrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ DirectTrans-\n" \
    "\t\tACSCtl:\tSrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ DirectTrans-\n" \
    "01:00.0 0604: 1b21:1080\n\tBus: primary=01, secondary=02, "               \
    "subordinate=02\n\tCapabilities: [80] Express PCI-Express to PCI Bridge\n" \
    "02:01.0 0200: 1011:9\n\tStatus: Cap- \n"                                  \
    "02:02.0 0200: 1011:9\n\tStatus: Cap- \n"

#define ISOLATED                                                               \
    "\tCapabilities: [40] Express Endpoint\n"                                  \
    "\tCapabilities: [100 v1] Access Control Services\n"                       \
    "\t\tACSCap:\tSrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ DirectTrans-\n" \
    "\t\tACSCtl:\tSrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ DirectTrans-\n"

static void each_cause_has_its_cure(void **state)
{
    (void)state;
    assert_int_equal(RUN("--device", "02:01.0", dump(CONVENTIONAL)), 0);
    assert_says(out, "goes along:\n  0000:02:02.0");
    assert_says(out, "  another slot, not below 0000:01:00.0\n");
    /* Nobody knows what an unseen port does. */
    assert_int_equal(RUN("--device", "01:00.0",
                         dump("00:01.0 0604: 8086:1\n\tBus: primary=00, "
                              "secondary=01, subordinate=01\n"
                              "\tCapabilities: <access denied>\n"
                              "01:00.0 0200: 1af4:1041\n"
                              "\tCapabilities: [40] Express Endpoint\n")),
                     0);
    assert_says(out, "  to be seen: 0000:00:01.0, by root (lspci -xxxx)\n");
    assert_says(out, "unseen: 0000:00:01.0: its capabilities were read by");
    /* 1b4b:9230 carries the id of function 1 too. */
    assert_int_equal(RUN("--device", "03:00.0",
                         dump("03:00.0 0106: 1b4b:9230\n" ISOLATED
                              "03:00.1 0101: 1b4b:91a4\n" ISOLATED)),
                     0);
    assert_says(out, "goes along:\n  0000:03:00.1");
    assert_says(out, "  nothing: their DMA carries the same id 03:00.1\n");
}

/* Registers of a switch's own, which what is below it can reach. */
static void registers_of_ports_are_a_reason(void **state)
{
    static const char text[] = CONVENTIONAL
        "03:00.0 0604: 1b21:2824\n\tRegion 0: Memory at 80000000\n"
        "\tBus: primary=03, secondary=04, subordinate=05\n"
        "\tCapabilities: [40] Express Upstream Port\n"
        "04:00.0 0604: 1b21:2824\n"
        "\tBus: primary=04, secondary=05, subordinate=05\n"
        "\tCapabilities: [40] Express Downstream Port\n"
        "\tCapabilities: [100 v1] Access Control Services\n"
        "\t\tACSCap:\tSrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ "
        "DirectTrans-\n"
        "\t\tACSCtl:\tSrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ "
        "DirectTrans-\n"
        "05:00.0 0200: 1af4:1041\n\tCapabilities: [40] Express Endpoint\n";

    (void)state;
    assert_int_equal(RUN("--device", "05:00.0", dump(text)), 0);
    assert_says(out, "bridges of the group, which stay:\n  0000:03:00.0");
    assert_says(out, "  nothing, and what it drags along is a port: the "
                     "registers of 0000:03:00.0 can be reached from below\n");
    /* Linux does not ask. */
    assert_int_equal(RUN("--like", "linux", "--device", "05:00.0", dump(text)),
                     0);
    assert_says(out, "goes along: nothing\n");
    assert_does_not_say(out, "bridges");
}

/* ---- firmware tables -------------------------------------------------------------- */

static void a_table_says_which_unit_and_what_it_keeps(void **state)
{
    (void)state;
    assert_int_equal(
        RUN("--table", TABLES "surface-book-2/DMAR.bin", IDS, SURFACE), 0);
    assert_says(out, "    unit 0 at 0xfed90000 translates for 0000:00:02.0\n"
                     "    firmware keeps 0x8d000000 to 0x8f7fffff for "
                     "0000:00:02.0: until its driver takes over, so that it is "
                     "no obstacle\n");
    assert_says(out, "    unit 1 at 0xfed91000 translates for 0000:00:14.0 "
                     "0000:00:14.2 0000:00:14.3\n");
    assert_says(out, "    unit 1 at 0xfed91000 translates for 0000:03:00.0\n");
    assert_int_equal(RUN("--table", TABLES "ideapadflex-15/DMAR.bin",
                         "--device", "00:1d.0", IDS, SURFACE),
                     0);
    assert_says(out,
                "firmware keeps 0x90e11000 to 0x90e30fff for 0000:00:1d.0: "
                "the group cannot be passed through\n");
}

static void a_table_in_json(void **state)
{
    const cJSON *group, *unit, *region;
    cJSON *plan;

    (void)state;
    assert_int_equal(RUN("--json", "--table", TABLES "surface-book-2/DMAR.bin",
                         "--device", "00:02.0", IDS, SURFACE),
                     0);
    plan = cJSON_Parse(out);
    group = cJSON_GetArrayItem(cJSON_GetObjectItem(plan, "groups"), 0);
    CHECK_MEMBERS(group, "id", "devices", "reasons", "units", "regions");
    unit = cJSON_GetArrayItem(cJSON_GetObjectItem(group, "units"), 0);
    CHECK_MEMBERS(unit, "unit", "base", "devices");
    assert_string_equal(text_of(unit, "base"), "0xfed90000");
    region = cJSON_GetArrayItem(cJSON_GetObjectItem(group, "regions"), 0);
    CHECK_MEMBERS(region, "device", "start", "last", "forbids");
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(region, "forbids")));
    cJSON_Delete(plan);
}

/* That table names the bridge; virtual functions are where their physical one is. */
static void tables_are_asked_for_the_whole_way(void **state)
{
    static const char text[] =
        "40:02.2 0604: 8086:3c06\n\tBus: primary=40, secondary=41, "
        "subordinate=42\n\tCapabilities: [40] Express Root Port\n"
        "41:00.1 0200: 8086:1521\n\tCapabilities: [40] Express Endpoint\n"
        "\tCapabilities: [160 v1] Single Root I/O Virtualization (SR-IOV)\n"
        "\t\tIOVCtl:\tEnable+\n\t\tNumber of VFs: 1,\n"
        "\t\tVF offset: 256, stride: 1, Device ID: 1520\n"
        "42:00.1 0200: 8086:1520\n\tCapabilities: [40] Express Endpoint\n"
        "50:00.0 0200: 8086:1521\n\tCapabilities: [40] Express Endpoint\n";

    (void)state;
    assert_int_equal(
        RUN("--table", TABLES "dell-poweredge-r820/DMAR.bin", dump(text)), 0);
    assert_says(out, "    unit 0 at 0xcf000000 translates for 0000:40:02.2 "
                     "0000:41:00.1 0000:42:00.1\n");
    assert_says(out, "    unit 3 at 0xdf100000 translates for 0000:50:00.0\n");
}

/* That table names it by the function of the bridge on bus 00, and its own below. */
static void regions_are_of_who_is_at_the_end_of_the_way(void **state)
{
    static const char text[] =
        "00:1c.4 0604: 8086:3a48\n\tBus: primary=00, secondary=02, "
        "subordinate=02\n\tCapabilities: [40] Express Root Port\n"
        "02:00.0 0880: 103c:3306\n\tCapabilities: [40] Express Endpoint\n"
        "02:00.1 0880: 103c:3306\n\tCapabilities: [40] Express Endpoint\n";

    (void)state;
    assert_int_equal(RUN("--table", TABLES "hp-dl360-g7/DMAR.bin", dump(text)),
                     0);
    assert_says(out, " for 0000:02:00.0: the group cannot be passed through\n");
    assert_does_not_say(out, " for 0000:02:00.1: ");
    assert_does_not_say(out, " for 0000:00:1c.4: ");
}

/* In segment 1 there is nobody. */
static void tables_of_arm_are_asked_too(void **state)
{
    (void)state;
    assert_int_equal(RUN("--table", TABLES "morello-fvp/IORT.bin", IDS,
                         MACHINES "arm-n1sdp/lspci.txt"),
                     0);
    assert_says(out, "    unit 0 at 0x4f400000 translates for 0000:00:00.0 ");
    assert_says(out, "    no unit translates for 0001:00:00.0\n");
}

static void tables_have_to_be_right(void **state)
{
    static const char ivrs[] =
        UIM_CORPUS_DIR "/qemu/qemu-q35-amd-iommu/IVRS.dat";

    (void)state;
    assert_int_equal(RUN("--table", ivrs, IDS, SURFACE), 2);
    assert_says(err,
                "IVRS.dat: tables of AMD-Vi (IVRS) are not understood yet");
    assert_int_equal(RUN("--table", SURFACE, SURFACE), 2);
    assert_says(err, "lspci.txt: neither a DMAR nor an IORT table");
    assert_int_equal(RUN("--table", TABLES "no-such-file", SURFACE), 2);
    assert_says(err, "no-such-file: No such file");
    assert_int_equal(RUN("--table", dump("DMAR and no more"), SURFACE), 2);
    assert_says(err, "uiommu plan: " P_tmpdir "/uiommu-command-");
    assert_int_equal(RUN("--table", dump("IOR"), SURFACE), 2);
    assert_says(err, ": neither a DMAR nor an IORT table");
    assert_string_equal(out, "");
}

/* ---- the running machine ------------------------------------------------------------ */

static char tree[] = P_tmpdir "/uiommu-sysfs-XXXXXX";

static void path_in(char path[300], const char *format, const char *name)
{
    char rest[200];

    snprintf(rest, sizeof(rest), format, name);
    snprintf(path, 300, "%s/devices%s%s", tree, name ? "/" : "", rest);
}

/* A function with so many bytes. */
static void add_function(const char *name, const uint8_t *bytes, size_t size)
{
    char path[300];
    FILE *f;

    path_in(path, "%s", name);
    assert_int_equal(mkdir(path, 0700), 0);
    path_in(path, "%s/config", name);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

static void add_file(const char *format, const char *name, const char *text)
{
    char path[300];
    FILE *f;

    path_in(path, format, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int make_tree(void **state)
{
    uint8_t bytes[256] = {
        0xf4,    0x1a,      0x41,          0x10,          [6] = 0x10,
        [8] = 1, [0xb] = 2, [0x34] = 0x40, [0x40] = 0x10, [0x42] = 2
    };
    char path[300], bridge[256] = { 0x36, 0x1b };

    (void)state;
    assert_non_null(mkdtemp(tree));
    path_in(path, "", NULL);
    assert_int_equal(mkdir(path, 0700), 0);
    bridge[0xb] = 6;
    bridge[0xa] = 4;
    bridge[0xe] = 1;
    bridge[0x19] = 1;
    bridge[0x1a] = 1;
    add_function("0000:00:01.0", (uint8_t *)bridge, 256);
    add_function("0000:01:00.0", bytes, 256);
    add_function("10000:01:00.0", bytes, 256);
    memset(bytes, 0xff, 4);
    add_function("0000:01:00.1", bytes, 64);
    add_file("%s/vendor", "0000:01:00.1", "0x1af4\n");
    add_file("%s/device", "0000:01:00.1", "0x154c\n");
    path_in(path, "%s/physfn", "0000:01:00.1");
    return symlink("../0000:01:00.0", path);
}

static int remove_tree(void **state)
{
    char command[400];

    (void)state;
    command_file(NULL, 0);
    snprintf(command, sizeof(command), "rm -r '%s'", tree);
    return system(command);
}

static void sysfs_has_functions_and_bytes(void **state)
{
    struct plan_machine m = { 0 };

    (void)state;
    assert_true(plan_live_read(tree, &m));
    assert_int_equal(m.n, 3);
    assert_int_equal(m.n_elsewhere, 1);
    assert_ptr_equal(m.functions[1].bridge, &m.functions[0]);
    assert_int_equal(m.functions[1].port, PCI_EXP_TYPE_ENDPOINT);
    assert_string_equal(
        m.seen[1].unseen,
        "ACS is not among the bytes: that takes lspci -xxxx, by root");
    assert_ptr_equal(m.functions[2].physical, &m.functions[1]);
    assert_int_equal(m.functions[2].vendor, 0x1af4);
    assert_int_equal(m.functions[2].device, 0x154c);
    assert_string_equal(
        m.seen[2].unseen,
        "its capabilities are not among the bytes: that takes root");
    plan_machine_free(&m);
}

static void sysfs_as_a_command(void **state)
{
    (void)state;
    assert_int_equal(RUN("--sysfs", tree), 0);
    assert_says(out, "  0000:01:00.0  class 020000, 1af4:1041\n");
    assert_says(out, "unseen: 10000:01:00.0: ");
    assert_int_equal(RUN("--sysfs", "/no-such-folder"), 2);
    assert_says(err, "uiommu plan: this machine: /no-such-folder/devices: No "
                     "such file");
    add_function("0000:00:03.0", (const uint8_t *)"short", 5);
    assert_int_equal(RUN("--sysfs", tree), 2);
    assert_says(err, "0000:00:03.0/config: fewer than 64 bytes\n");
}

/* ---- refusals ------------------------------------------------------------------------- */

static void what_cannot_be_read_is_named(void **state)
{
    (void)state;
    assert_int_equal(RUN(MACHINES "no-such-file"), 2);
    assert_says(err, "no-such-file: No such file");
    assert_int_equal(RUN(UIM_CORPUS_DIR), 2);
    assert_says(err, UIM_CORPUS_DIR ": Is a directory");
    assert_int_equal(RUN("--ids", MACHINES "no-such-file", SURFACE), 2);
    assert_says(err, "no-such-file: No such file");
    assert_int_equal(RUN(MACHINES "pci.ids"), 2);
    assert_string_equal(err, "uiommu plan: " MACHINES
                             "pci.ids: no function in there: is this a dump of "
                             "lspci?\n");
    assert_int_equal(RUN("--json", TABLES "surface-book-2/DMAR.bin"), 2);
    assert_says(err, "DMAR.bin: line 1: no text: is this a dump of lspci?\n");
    assert_string_equal(out, "");
}

static void a_device_that_is_not_there_has_status_1(void **state)
{
    (void)state;
    assert_int_equal(RUN("--device", "0000:09:00.0", IDS, SURFACE), 1);
    assert_string_equal(out, "");
    assert_string_equal(err,
                        "uiommu plan: 0000:09:00.0: there is no such device\n");
    assert_int_equal(
        RUN("--device", "anything that is far too long for one", SURFACE), 1);
}

static void standard_input_is_read(void **state)
{
    int kept = dup(STDIN_FILENO);
    FILE *text = fopen(SURFACE, "rb");

    (void)state;
    assert_non_null(text);
    dup2(fileno(text), STDIN_FILENO);
    assert_int_equal(RUN(IDS, "-"), 0);
    assert_says(out, "group 15\n");
    dup2(kept, STDIN_FILENO);
    clearerr(stdin);
    close(kept);
    fclose(text);
}

static void wrong_usage_has_status_2(void **state)
{
    (void)state;
    assert_int_equal(RUN("--jsno", SURFACE), 2);
    assert_says(err, "usage: uiommu plan");
    assert_int_equal(RUN(SURFACE, "--device"), 2);
    assert_int_equal(RUN(SURFACE, SURFACE), 2);
    assert_int_equal(RUN("--like", "windows", SURFACE), 2);
    assert_int_equal(RUN("--sysfs", tree, SURFACE), 2);
    assert_int_equal(RUN("--ids", "a", "--ids", "b", SURFACE), 2);
    assert_string_equal(out, "");
    assert_int_equal(RUN("--help"), 0);
    assert_says(out, "usage: uiommu plan");
}

static void every_failed_allocation_is_said(void **state)
{
    const char *const args[] = { "--table", TABLES "surface-book-2/DMAR.bin",
                                 "--json",  "--device",
                                 "00:14.0", IDS,
                                 SURFACE,   NULL };
    size_t calls = 0;

    (void)state;
    for (; command_run_with(calls, NULL, tool_plan, "plan", args) != 0; calls++)
        assert_says(err, "lspci.txt: no memory\n");
    assert_true(calls > 60);
    assert_string_equal(err, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_has_groups_with_reasons),
        cmocka_unit_test(what_is_not_seen_is_said),
        cmocka_unit_test(a_machine_without_acs_on_is_noted),
        cmocka_unit_test(egress_control_has_to_go),
        cmocka_unit_test(json_has_exactly_its_members),
        cmocka_unit_test(json_of_one_device_has_its_group),
        cmocka_unit_test(a_device_has_company_and_cures),
        cmocka_unit_test(a_device_alone_needs_nothing),
        cmocka_unit_test(each_cause_has_its_cure),
        cmocka_unit_test(registers_of_ports_are_a_reason),
        cmocka_unit_test(a_table_says_which_unit_and_what_it_keeps),
        cmocka_unit_test(a_table_in_json),
        cmocka_unit_test(tables_are_asked_for_the_whole_way),
        cmocka_unit_test(regions_are_of_who_is_at_the_end_of_the_way),
        cmocka_unit_test(tables_of_arm_are_asked_too),
        cmocka_unit_test(tables_have_to_be_right),
        cmocka_unit_test(sysfs_has_functions_and_bytes),
        cmocka_unit_test(sysfs_as_a_command),
        cmocka_unit_test(what_cannot_be_read_is_named),
        cmocka_unit_test(a_device_that_is_not_there_has_status_1),
        cmocka_unit_test(standard_input_is_read),
        cmocka_unit_test(wrong_usage_has_status_2),
        cmocka_unit_test(every_failed_allocation_is_said),
    };

    return cmocka_run_group_tests_name("uiommu plan", tests, make_tree,
                                       remove_tree);
}
