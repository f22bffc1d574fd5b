/* SPDX-License-Identifier: MIT */
/*
 * What `uiommu explain` reads of SMMUv3: lines of Linux and Xen of all ages, raw
 * events, and halves of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "explain_help.h"

/* One fault and no more. */
static void check(const char *text, const char *row, const char *rest)
{
    cJSON *faults = faults_of(text, strlen(text));

    assert_string_equal(fault_row(faults, 0), row);
    assert_string_equal(fault_rest(faults, 0), rest);
    assert_string_equal(fault_row(faults, 1), "");
    cJSON_Delete(faults);
}

static void check_sentence(const char *text, int index, const char *words)
{
    cJSON *faults = faults_of(text, strlen(text));
    const char *sentence =
        text_of(cJSON_GetArrayItem(faults, index), "sentence");

    if (!strstr(sentence, words))
        fail_msg("\"%s\" does not say \"%s\"", sentence, words);
    cJSON_Delete(faults);
}

static void check_nothing(const char *text)
{
    cJSON *faults = faults_of(text, strlen(text));

    if (cJSON_GetArraySize(faults) > 0)
        fail_msg("\"%s\": %s", text,
                 text_of(cJSON_GetArrayItem(faults, 0), "sentence"));
    cJSON_Delete(faults);
}

/* ---- events -------------------------------------------------------------- */

#define UNIT "[ 12.345678] arm-smmu-v3 fc900000.iommu: "
#define WORDS(a, b, c, d)                                                      \
    UNIT "\t0x" a "\n" UNIT "\t0x" b "\n" UNIT "\t0x" c "\n" UNIT "\t0x" d "\n"
#define EVENT(id, ...) UNIT "event 0x" id " received:\n" WORDS(__VA_ARGS__)
#define ZERO           "0000000000000000"

/* Fields that an event does not have are not read, whatever is there. */
static void events_have_what_the_manual_gives_them(void **state)
{
#define ONES "ffffffffffffffff"
    static const struct {
        const char *text, *row, *rest;
    } rows[] = {
        { EVENT("01", "0000090000000001", ONES, "0123456789abcdef", ONES),
          "dma 1 read - - 0x123456789abcdef", "- 0x900 PnU=0x1 InD=0x1" },
        { EVENT("02", "0000090000007802", ONES, ONES, ONES), "dma 2 - - 7 -",
          "- 0x900" },
        { EVENT("03", "0000090000007803", ONES, ONES, "0000000012345678"),
          "dma 3 - - 7 -", "- 0x900 FetchAddr=0x12345678" },
        { EVENT("04", "0000090000007804", ONES, ONES, ONES), "dma 4 - - 7 -",
          "- 0x900" },
        { EVENT("05", "0000090000007805", ONES, "0000000012345678", ONES),
          "dma 5 - - 7 0x12345000", "- 0x900" },
        { EVENT("06", "0000090000007806", ONES, ONES, ONES), "dma 6 - - - -",
          "- 0x900" },
        { EVENT("07", "0000090000007807", "0000000800000000",
                "0000000012345678", ONES),
          "dma 7 read - 7 0x12345678", "- 0x900" },
        { EVENT("08", "0000090000007008", ONES, ONES, ONES), "dma 8 - - 7 -",
          "- 0x900" },
        { EVENT("09", "0000090000007809", ONES, ONES, "0000000012345678"),
          "dma 9 - - 7 -", "- 0x900 FetchAddr=0x12345678" },
        { EVENT("0a", "000009000000780a", ONES, ONES, ONES), "dma 10 - - 7 -",
          "- 0x900" },
        { EVENT("0b", "000009000000780b", "0000010000000000",
                "0000000012345678", "0000000087654328"),
          "dma 11 write - 7 0x12345678",
          "- 0x900 stage=1 CLASS=TT FetchAddr=0x87654328" },
        { EVENT("10", "0000090000007810", "0000008880000001",
                "0000000012345678", "0000000087654328"),
          "dma 16 read - 7 0x12345678",
          "- 0x900 stage=2 CLASS=CD Stall=0x1 STAG=0x1 IPA=0x87654000" },
        { EVENT("11", "0000090000007811", "0000030000000000", ZERO, ZERO),
          "dma 17 write - 7 0x0", "- 0x900 stage=1 CLASS=reserved" },
        { EVENT("12", "0000090000007812", "0000028a00000000", ZERO, ZERO),
          "dma 18 read - 7 0x0", "- 0x900 stage=2 CLASS=IN PnU=0x1" },
        { EVENT("13", "0000090000007813", "0000120080000000", ZERO, ZERO),
          "dma 19 write - 7 0x0",
          "- 0x900 stage=1 CLASS=IN Stall=0x1 STAG=0x0" },
        { EVENT("20", "0000090000007820", "0000008800000000",
                "0000000012345678", "0000000087654000"),
          "dma 32 read - 7 0x12345678", "- 0x900 stage=2 IPA=0x87654000" },
        { EVENT("21", "0000090000007821", ONES, ONES, ONES), "dma 33 - - 7 -",
          "- 0x900" },
        { EVENT("24", "0000090000007824", ONES, "0000000012345678", ONES),
          "dma 36 page request - 7 0x12345000", "- 0x900" },
        { EVENT("25", "0000090000007825", ONES, ONES, "0000000012345678"),
          "dma 37 - - 7 -", "- 0x900 FetchAddr=0x12345678" },
        { EVENT("e7", "00000900000078e7", ONES, ONES, ONES), "dma 231 - - - -",
          "- 0x900" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check(rows[i].text, rows[i].row, rows[i].rest);
}

static void a_hint_refuses_nothing(void **state)
{
    (void)state;
    check_sentence(
        EVENT("24", "0000090000000024", ZERO, "0000000000001000", ZERO), 0,
        "page request at 0x1000 announced: the device is going");
    check_sentence(EVENT("e7", "00000900000000e7", ZERO, ZERO, ZERO), 0,
                   "DMA refused: not known why [reason e7h].");
}

/* ---- other ages and systems ---------------------------------------------- */

static void xen_prints_the_same(void **state)
{
    (void)state;
    check("(XEN) SMMUv3: /smmuv3@9050000: event 0x10 received:\n"
          "(XEN) SMMUv3: /smmuv3@9050000: \t0x0000010000000010\n"
          "(XEN) SMMUv3: /smmuv3@9050000: \t0x0000020000000000\n"
          "(XEN) SMMUv3: /smmuv3@9050000: \t0x000000090000f040\n"
          "(XEN) SMMUv3: /smmuv3@9050000: \t0x0000000000000000\n",
          "dma 16 write - - 0x90000f040", "- 0x100 stage=1 CLASS=IN");
}

static void mail_wraps_and_quotes(void **state)
{
    (void)state;
    check("> > arm-smmu-v3 fc900000.iommu: event 0x10\n> > received:\n"
          "> > arm-smmu-v3 fc900000.iommu:\n> >      0x0000010000000010\n"
          "> > arm-smmu-v3 fc900000.iommu: 0x00000200000=\r\n00000\n"
          "> > arm-smmu-v3 fc900000.iommu:      0x000000090000f040\n"
          "> > arm-smmu-v3 fc900000.iommu:      0x0000000000000000\n",
          "dma 16 write - - 0x90000f040", "- 0x100 stage=1 CLASS=IN");
    check("event 0x10 received:\n0x0000010000000010\n0x0000020000000000\n"
          "0x000000090000f040\n0x0000000000000000\n",
          "dma 16 write - - 0x90000f040", "- 0x100 stage=1 CLASS=IN");
}

#define SID "sid: 0x100 ssid: 0x7 "

/* The words of an event say more; where they are lost, lines in words count. */
static void decoded_lines_alone_are_faults(void **state)
{
    (void)state;
    check(
        UNIT "event: F_TRANSLATION client: 0000:01:00.0 " SID
             "iova: 0x90000f040 ipa: 0x0\n" UNIT
             "unpriv data write s1 \"Input address caused fault\" stag: 0x0\n",
        "dma 16 write 0000:01:00.0 7 0x90000f040", "- 0x100 stage=1 CLASS=IN");
    check(UNIT "event: F_PERMISSION client: (unassigned sid) sid: 0x10000 "
               "ssid: 0x0 iova: 0x1000 ipa: 0x2000\n" UNIT
               "priv inst read s2 \"Stage 1 translation table fetch\" ttd_read "
               "stall stag: 0x12\n",
          "dma 19 read - - 0x1000",
          "- 0x10000 IPA=0x2000 stage=2 CLASS=TT Stall=0x1 STAG=0x12");
    check(UNIT "event: F_CD_FETCH client: fe330000.usb " SID
               "fetch_addr: 0x12340\n",
          "dma 9 - - 7 -", "- 0x100 FetchAddr=0x12340");
    check(UNIT "event: UNKNOWN client: fe330000.usb " SID "\n", "dma - - - 7 -",
          "- 0x100");
    check(UNIT "unpriv data write s1 \"CD fetch\" stag: 0x0\n" UNIT
               "event: C_BAD_CD client: 0000:01:00.0 " SID "\n",
          "dma 10 - 0000:01:00.0 7 -", "- 0x100");
}

static void clients_have_names(void **state)
{
    (void)state;
    check_sentence(
        EVENT("04", "0000010000000004", ZERO, ZERO, ZERO) UNIT
        "event: C_BAD_STE client: fe330000.usb sid: 0x100 ssid: 0x0\n",
        0, "fe330000.usb, stream 0x100 (smmuv3): DMA refused");
    check_sentence(
        EVENT("04", "0001000000000004", ZERO, ZERO, ZERO) UNIT
        "event: C_BAD_STE client: (unassigned sid) sid: 0x10000 ssid: 0x0\n",
        0, "stream 0x10000 (smmuv3): DMA refused");
    check_sentence(UNIT "event: C_BAD_STE client: fe330000.u\x80"
                        "sb sid: 0x100 ssid: 0x0\nevent 0x04 received:\n",
                   0, "a device (smmuv3): DMA refused: its stream table entry");
}

/* Other processors, and other units, print between the lines of an event. */
static void lines_between_do_not_matter(void **state)
{
    (void)state;
    check(UNIT "event 0x10 received:\n" UNIT "\t0x0000010000000010\n"
               "e1000e: eth0 link is up\n"
               "arm-smmu-v3 fd900000.iommu: \t0x0000080000000000\n" UNIT
               "\t0x0000020000000000\n" UNIT "\t0x000000090000f040\n"
               "foo: base 0x0000000000001000\n" UNIT "\t0x0000000000000000\n",
          "dma 16 write - - 0x90000f040", "- 0x100 stage=1 CLASS=IN");
    CHECK_ROWS(UNIT
               "event 0x10 received:\n" UNIT "\t0x0000010000000010\n" UNIT
               "event 0x02 received:\n" UNIT "\t0x0000010000000002\n" UNIT
               "event: C_BAD_STREAMID client: 0000:02:00.0 sid: 0x200 ssid: "
               "0x0\n",
               "dma 16 - - - -", "dma 2 - - - -", "dma 2 - 0000:02:00.0 - -");
}

static void halves_are_faults(void **state)
{
    (void)state;
    check(UNIT "event 0x10 received:\n", "dma 16 - - - -", "- -");
    check(UNIT "event 0x10 received:\n" UNIT "\t0x0000010000000010\n",
          "dma 16 - - - -", "- 0x100");
    check(UNIT "event 0x10 received:\n" UNIT "\t0x0000010000000010\n" UNIT
               "\t0x0000020000000000\n" UNIT "\t0x00000009000\n",
          "dma 16 write - - -", "- 0x100 stage=1 CLASS=IN");
    check(
        UNIT "event 0x10 received:\n" UNIT "\t0x0000010000000010\n" UNIT
             "event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 "
             "iova: 0x90000f040 ipa: 0x0\n" UNIT
             "unpriv data write s1 \"Input address caused fault\" stag: 0x0\n",
        "dma 16 write 0000:01:00.0 - 0x90000f040", "- 0x100 stage=1 CLASS=IN");
    check(UNIT "event 0x10 received:\n" UNIT "\t0x0000010000000013\n",
          "dma 16 - - - -", "- -");
}

static void what_is_no_fault_is_passed_over(void **state)
{
    static const char *const lines[] = {
        "arm-smmu-v3 fc900000.iommu: ias 48-bit, oas 48-bit\n",
        "arm-smmu-v3 fc900000.iommu: allocated 65536 entries for cmdq\n",
        EVENT("00", ZERO, ZERO, ZERO, ZERO),
        "event 0x100 received:\n",
        "event 0x10 seen\n",
        "event: F_NEW client: 0000:01:00.0 sid: 0x1 ssid: 0x0\n",
        "event: F_TRANSLATION of 0000:01:00.0\n",
        "unpriv data write s1 \"Input address caused fault\" stag: 0x0\n",
        "ummu: MCMDQ error (cons 0x01000022): Illegal command\n",
        "unexpected global error reported (0x00000000), this could be\n",
        "CMDQ error (cons ): Illegal command\n",
        "EVTQ of 32 entries\nCMDQ size\nEVENTQ 1 2 3\nEVENTQ 0 0 0 0\n",
        "EVENTQ_BASE 0x1000\nEVENTQ f0 1 2 3\n",
        "sid 0x100.0x1: [3] privileged R access at iova 0x0000000000001000\n",
        "sid 0x00000100.0x00001: [3x] privileged R access at iova 0x1\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        check_nothing(lines[i]);
}

/* ---- page requests ------------------------------------------------------- */

#define REQUEST                                                                \
    UNIT "unexpected PRI request received:\n" UNIT                             \
         "\tsid 0x00000100.0x00007: [3L] unprivileged RW access at iova "      \
         "0x0000000012345000\n"

static void page_requests_that_nobody_handles(void **state)
{
    (void)state;
    check(REQUEST, "software - page request - 7 0x12345000",
          "- 0x100 PRGIndex=0x3 Last=0x1");
    check_sentence(REQUEST, 0,
                   "stream 0x100 (as a requester id 01:00.0) (smmuv3): a page "
                   "request at 0x12345000 was refused: nobody handles page "
                   "requests; software noticed this. Recorded: PRGIndex 0x3");
    check("\tsid 0x00000100.0x00000: [511] privileged X access at iova "
          "0x0000000000000000\n",
          "software - page request - - 0x0", "- 0x100 PRGIndex=0x1ff");
}

/* ---- errors of the unit -------------------------------------------------- */

#define GERROR(n)                                                              \
    UNIT "unexpected global error reported (" n "), this could be serious\n"

/* The lines behind the register say the same again. */
static void errors_are_said_once(void **state)
{
    (void)state;
    check(GERROR("0x000001fc") UNIT
          "device has entered Service Failure Mode!\n" UNIT
          "GERROR MSI write aborted\n" UNIT "PRIQ MSI write aborted\n" UNIT
          "EVTQ MSI write aborted\n" UNIT "CMDQ MSI write aborted\n" UNIT
          "PRIQ write aborted -- events may have been lost\n" UNIT
          "EVTQ write aborted -- events may have been lost\n",
          "status 508 - - - -", "GERROR -");
    CHECK_ROWS(GERROR("0x00000004") UNIT "PRIQ write aborted\n"
                                         "EVTQ write aborted\n"
                                         "EVTQ write aborted\n",
               "status 4 - - - -", "status 8 - - - -", "status 4 - - - -",
               "status 4 - - - -");
    CHECK_ROWS(GERROR("0x00000004") UNIT "EVTQ write aborted\n" UNIT
                                         "EVTQ write aborted\n",
               "status 4 - - - -", "status 4 - - - -");
}

static void errors_alone_are_bits(void **state)
{
    (void)state;
    CHECK_ROWS(UNIT
               "device has entered Service Failure Mode!\n" UNIT
               "GERROR MSI write aborted\n" UNIT "PRIQ MSI write aborted\n" UNIT
               "EVTQ MSI write aborted\n" UNIT "CMDQ MSI write aborted\n" UNIT
               "PRIQ write aborted -- events may have been lost\n" UNIT
               "EVTQ write aborted -- events may have been lost\n",
               "status 256 - - - -", "status 128 - - - -", "status 64 - - - -",
               "status 32 - - - -", "status 16 - - - -", "status 8 - - - -",
               "status 4 - - - -");
    check_sentence(GERROR("0x00000101"), 0,
                   "smmuv3: GERROR 101h: CMDQ_ERR, the unit stopped at a "
                   "command that it cannot do; SFM_ERR, the unit gave up");
    check_sentence(GERROR("0xffffffff"), 0, "the unit does not answer");
    check_sentence(GERROR("0x00000002"), 0, "bits that are not known.");
}

static void errors_of_commands_are_codes(void **state)
{
    (void)state;
    check(UNIT "CMDQ error (cons 0x01000022): Illegal command\n" UNIT
               "skipping command in error state:\n" UNIT
               "\t0x0000000000000046\n" UNIT "\t0x0000000000000000\n",
          "status 16777250 - - - -", "CMDQ_CONS - RD=0x22 opcode=0x46");
    check(UNIT "CMDQ error (cons 0x0208fff0): Abort on command fetch\n" UNIT
               "retrying command fetch\n",
          "status 34144240 - - - -", "CMDQ_CONS - RD=0x8fff0");
    check_sentence("CMDQ error (cons 0x03000000): ATC invalidate timeout\n", 0,
                   "smmuv3: CMDQ_CONS 3000000h: CERROR_ATC_INV_SYNC, a device "
                   "did not confirm");
    check_sentence("CMDQ error (cons 0x05000000): Unknown\n", 0,
                   "bits that are not known");
}

static void full_queues_lose_records(void **state)
{
    (void)state;
    check(UNIT "EVTQ overflow detected -- events lost\n",
          "status 2147483648 - - - -", "EVENTQ_PROD -");
    check(UNIT "PRIQ overflow detected -- requests lost\n",
          "status 2147483648 - - - -", "PRIQ_PROD -");
    check_sentence("EVTQ overflow detected\n", 0, "OVFLG, events were lost");
}

static void software_waits_in_vain(void **state)
{
    (void)state;
    check(UNIT "CMD_SYNC timeout at 0x00000146 [hwprod 0x00000146, hwcons "
               "0x00000022]\n",
          "software - - - - -", "- - PROD=0x146 CONS=0x22");
    check(UNIT "CMD_SYNC timeout\n", "software - - - - -", "- -");
    check(UNIT "CMDQ timeout\n", "software - - - - -", "- -");
    check_sentence(UNIT "CMDQ timeout\n", 0,
                   "smmuv3: the unit did not take a command from its queue in "
                   "time; software noticed this, no device faulted.");
}

/* ---- raw events ---------------------------------------------------------- */

static const char *const event_forms[] = {
    "EVENTQ[0] 0x0000010000007810 0x0000020000000000 0x90000f040 0x0\n",
    "EVENTQ 0000010000007810 0000020000000000 90000f040 0; next\n",
    "EVTQ[7] = 0000010000007810 0000020000000000 90000f040 0\n",
    "EVTQ 0x20: 0000010000007810 0000020000000000 90000f040 0\n",
    "EVTQ 00007810 00000100 00000000 00000200 0000f040 00000009 0 0\n",
    "EVTQ 0xe0 0x7810 0x100 0x0 0x200 0xf040 0x9 0x0 0x0\n",
};
enum { N_FORMS = sizeof(event_forms) / sizeof(event_forms[0]) };

static void raw_events_are_read_in_any_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FORMS; i++)
        check(event_forms[i], "dma 16 write - 7 0x90000f040",
              "- 0x100 stage=1 CLASS=IN");
}

/* ---- anything ------------------------------------------------------------ */

static const char *const lines[] = {
    REQUEST,
    GERROR("0x000001fc") UNIT "EVTQ MSI write aborted\n" UNIT
                              "PRIQ write aborted\n" UNIT "a line\n",
    UNIT "event: F_TRANSLATION client: 0000:01:00.0 " SID
         "iova: 0x90000f040 ipa: 0x2000\n" UNIT
         "unpriv data write s1 \"CD fetch\" stall stag: 0x12\n" UNIT "a\n",
    UNIT "event: F_CD_FETCH client: fe330000.usb " SID
         "fetch_addr: 0x1234000\n" UNIT "a line\n",
    EVENT("10", "0000090000007810", "0000008880000001", "0000000012345678",
          "0000000087654328") UNIT
    "event: F_TRANSLATION client: 0002:09:00.0 sid: 0x900 ssid: 0x7 iova: "
    "0x12345678 ipa: 0x87654000\n" UNIT
    "unpriv data read s2 \"CD fetch\" stall stag: 0x1\n",
};
enum { N_LINES = sizeof(lines) / sizeof(lines[0]) };

static void cut_lines_say_nothing_wrong(void **state)
{
    (void)state;
    for (size_t i = 1; i < N_LINES; i++)
        check_cuts(lines[i], lines[i], strlen(lines[i]), false);
    for (size_t i = 0; i < N_FORMS; i++)
        check_cuts(event_forms[i], event_forms[i], strlen(event_forms[i]),
                   false);
}

static void broken_lines_say_nothing_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_LINES; i++) {
        size_t size = strlen(lines[i]);

        (void)check_breaks(lines[i], size, "\n");
        (void)check_breaks(lines[i], size, "\r\n> ");
        assert_int_equal(check_breaks(lines[i], size, "=\n"), size + 1);
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Pieces of all lines, one behind the other, in memory of exactly their size. */
static void random_pieces_are_survived(void **state)
{
    static const char *const pieces[] = {
        "event 0x",
        "10",
        " received:",
        "0x0000010000000010",
        ": 0x",
        "0000020000000000",
        "\n",
        "arm-smmu-v3 fc900000.iommu: ",
        "event: ",
        "F_TRANSLATION",
        " client: ",
        "0000:01:00.0",
        "(unassigned sid)",
        "fe330000.usb",
        " sid: ",
        "0x100",
        " ssid: ",
        " iova: ",
        " ipa: ",
        "unpriv data write s1 \"",
        "CD fetch",
        "\" stall",
        " stag: ",
        "sid 0x00000100.0x00007",
        ": [3L] ",
        "privileged RW access at iova 0x",
        "global error reported (",
        "0x00000004)",
        "EVTQ",
        " write aborted",
        " MSI",
        "CMDQ error (cons ",
        "0x01000022)",
        "skipping command in error state:",
        "CMD_SYNC timeout",
        " at 0x00000146 [hwprod 0x",
        ", hwcons 0x",
        "CMDQ timeout",
        "EVENTQ",
        " overflow detected",
        "> ",
        "=\n",
        "\xff",
    };
    const size_t n = sizeof(pieces) / sizeof(pieces[0]);
    uint32_t seed = 11;
    int found = 0;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        char text[600] = "", *exact;
        size_t size;
        cJSON *faults;

        for (unsigned i = 0; i < 14; i++)
            strcat(text, pieces[next_random(&seed) % n]);
        size = strlen(text);
        exact = malloc(size);
        memcpy(exact, text, size);
        faults = faults_of(exact, size);
        found += cJSON_GetArraySize(faults) > 0;
        cJSON_Delete(faults);
        free(exact);
    }
    assert_true(found > 1000);
}

/* Not in a square of the size: what begins many faults, many times. */
static void long_lines_take_no_longer(void **state)
{
    static const char *const starts[] = {
        "event 0x10 received:",
        "event: F_TRANSLATION client: a sid: 1 ",
        "global error reported (0x4)",
        "CMDQ error (cons 0x1)",
        "EVENTQ 1 2 3 4 ",
        "event 0x10 received: 0x0000010000000010 "
    };
    const size_t size = 1 << 18;
    char *text = malloc(size);

    (void)state;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        for (size_t at = 0; at < size; at++)
            text[at] = starts[i][at % strlen(starts[i])];
        cJSON_Delete(faults_of(text, size));
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_have_what_the_manual_gives_them),
        cmocka_unit_test(a_hint_refuses_nothing),
        cmocka_unit_test(xen_prints_the_same),
        cmocka_unit_test(mail_wraps_and_quotes),
        cmocka_unit_test(decoded_lines_alone_are_faults),
        cmocka_unit_test(clients_have_names),
        cmocka_unit_test(lines_between_do_not_matter),
        cmocka_unit_test(halves_are_faults),
        cmocka_unit_test(what_is_no_fault_is_passed_over),
        cmocka_unit_test(page_requests_that_nobody_handles),
        cmocka_unit_test(errors_are_said_once),
        cmocka_unit_test(errors_alone_are_bits),
        cmocka_unit_test(errors_of_commands_are_codes),
        cmocka_unit_test(full_queues_lose_records),
        cmocka_unit_test(software_waits_in_vain),
        cmocka_unit_test(raw_events_are_read_in_any_form),
        cmocka_unit_test(cut_lines_say_nothing_wrong),
        cmocka_unit_test(broken_lines_say_nothing_wrong),
        cmocka_unit_test(random_pieces_are_survived),
        cmocka_unit_test(long_lines_take_no_longer),
    };

    return cmocka_run_group_tests_name("faults of logs: SMMUv3", tests, NULL,
                                       NULL);
}
