/* SPDX-License-Identifier: MIT */
/*
 * What `uiommu explain` reads out of logs: those of tests/corpus/faults as
 * expected.json says, lines of other ages and systems, and anything at all.
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
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

/* ---- the corpus ---------------------------------------------------------- */

enum { ITEMS = 22 };

static cJSON *expectations(void)
{
    size_t size;
    char *text = corpus_file("faults/expected.json", &size);
    cJSON *all = cJSON_Parse(text), *items;

    free(text);
    items = cJSON_DetachItemFromObject(all, "items");
    assert_true(cJSON_IsArray(items));
    cJSON_Delete(all);
    return items;
}

static char *log_of(const char *item, size_t *size)
{
    char name[200];

    snprintf(name, sizeof(name), "faults/%s.txt", item);
    return corpus_file(name, size);
}

static cJSON *explained(const cJSON *item)
{
    size_t size;
    char *text = log_of(text_of(item, "name"), &size);
    cJSON *faults = faults_of(text, size);

    free(text);
    return faults;
}

static bool same_member(const cJSON *fault, const cJSON *want, const char *name)
{
    const cJSON *got = cJSON_GetObjectItem(fault, name);
    const cJSON *due = cJSON_GetObjectItem(want, name);

    if (!due)
        return cJSON_IsNull(got) ||
               (cJSON_IsObject(got) && cJSON_GetArraySize(got) == 0);
    return cJSON_Compare(got, due, true);
}

static void the_corpus_is_decoded_as_expected(void **state)
{
    cJSON *items = expectations();
    const cJSON *item, *want;

    (void)state;
    cJSON_ArrayForEach(item, items)
    {
        cJSON *faults = explained(item);
        int i = 0;

        cJSON_ArrayForEach(want, cJSON_GetObjectItem(item, "faults"))
        {
            const cJSON *fault = cJSON_GetArrayItem(faults, i++);
            char row[200];

            snprintf(row, sizeof(row), "%s",
                     fault_row(cJSON_GetObjectItem(item, "faults"), i - 1));
            assert_string_equal(fault_row(faults, i - 1), row);
            assert_true(same_member(fault, want, "register"));
            assert_true(same_member(fault, want, "stream"));
            assert_true(same_member(fault, want, "details"));
            if (!strstr(text_of(fault, "sentence"), text_of(want, "says")))
                fail_msg("%s: \"%s\" does not say \"%s\"",
                         text_of(item, "name"), text_of(fault, "sentence"),
                         text_of(want, "says"));
        }
        assert_true(i > 0);
        assert_int_equal(cJSON_GetArraySize(faults), i);
        cJSON_Delete(faults);
    }
    cJSON_Delete(items);
}

static bool has_cause(const cJSON *fault, const char *words)
{
    const cJSON *cause;

    cJSON_ArrayForEach(
        cause,
        cJSON_GetObjectItem(fault, "causes")) if (strstr(cause->valuestring,
                                                         words)) return true;
    return false;
}

/* A known cause is among those of each fault of the item; where none is known, it
 * is said why. */
static void known_causes_are_among_the_causes(void **state)
{
    cJSON *items = expectations();
    const cJSON *item, *fault;

    (void)state;
    cJSON_ArrayForEach(item, items)
    {
        const cJSON *cause = cJSON_GetObjectItem(item, "cause");
        cJSON *faults = explained(item);

        if (cJSON_IsNull(cause))
            assert_true(strlen(text_of(item, "no_cause")) > 5);
        else
            cJSON_ArrayForEach(
                fault, faults) if (!has_cause(fault, cause->valuestring))
                fail_msg("%s: \"%s\" is no cause", text_of(item, "name"),
                         cause->valuestring);
        cJSON_Delete(faults);
    }
    cJSON_Delete(items);
}

static const cJSON *item_of(const cJSON *items, const char *name, size_t length)
{
    const cJSON *item;

    cJSON_ArrayForEach(item,
                       items) if (strlen(text_of(item, "name")) == length &&
                                  strncmp(text_of(item, "name"), name,
                                          length) == 0) return item;
    return NULL;
}

static void every_log_has_an_expectation(void **state)
{
    cJSON *items = expectations();
    DIR *dir = opendir(UIM_CORPUS_DIR "/faults");
    struct dirent *entry;
    int n = 0;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        const char *dot = strstr(entry->d_name, ".txt");

        if (!dot)
            continue;
        n++;
        if (!item_of(items, entry->d_name, (size_t)(dot - entry->d_name)))
            fail_msg("%s is not in expected.json", entry->d_name);
    }
    closedir(dir);
    assert_int_equal(n, ITEMS);
    assert_int_equal(cJSON_GetArraySize(items), ITEMS);
    cJSON_Delete(items);
}

/* ---- other ages and systems ---------------------------------------------- */

static void old_linux_has_two_lines_and_decimal_reasons(void **state)
{
    (void)state;
    CHECK_ROWS("[ 9731.055088] dmar: DRHD: handling fault status reg 3\n"
               "[ 9731.055098] dmar: DMAR:[DMA Read] Request device [01:00.1] "
               "fault addr 2231b8000 \n"
               "DMAR:[fault reason 12] non-zero reserved fields in PTE\n",
               "dma 12 read 01:00.1 - 0x2231b8000");
    CHECK_ROWS("DMAR: INTR-REMAP: Request device [[f0:1f.0] fault index 1b\n"
               "    INTR-REMAP:[fault reason 34] Present field in the IRTE "
               "entry is clear\n",
               "interrupt 34 - f0:1f.0 - 0x1b");
    CHECK_ROWS("DMAR: [INTR-REMAP] Request device [f0:1f.0] fault index 1b "
               "[fault reason 38] Blocked\n",
               "interrupt 38 - f0:1f.0 - 0x1b");
    CHECK_ROWS(
        "DMAR: [DMA Read PASID 0x1a] Request device [00:02.0] fault addr "
        "0x1000 [fault reason 0x59] SM: Present bit in PASID Table\n",
        "dma 89 read 00:02.0 26 0x1000");
}

/* Linux prints what it does not know as a fault of DMA; the index is then in the
 * bits 63:48 of the address. */
static void interrupts_printed_as_dma_are_interrupts(void **state)
{
    (void)state;
    CHECK_ROWS("DMAR: [DMA Write NO_PASID] Request device [00:02.0] fault addr "
               "0x12000000000000 [fault reason 0x27] Unknown\n",
               "interrupt 39 - 00:02.0 - 0x12");
    CHECK_ROWS("DMAR: [DMA Write NO_PASID] Request device [00:02.0] fault addr "
               "0x12000000000000 [fault reason 0x29] Unknown\n",
               "interrupt 41 - 00:02.0 - -");
}

static void lines_between_do_not_matter(void **state)
{
    (void)state;
    CHECK_ROWS("DMAR:[DMA Write] Request device [00:02.0] fault addr 1000 \n"
               "e1000e: eth0 link is up\n"
               "DMAR:[fault reason 05] PTE Write access is not set\n",
               "dma 5 write 00:02.0 - 0x1000");
    CHECK_ROWS("DMAR:[DMA Write] Request device [00:02.0] fault addr 1000 \n"
               "a\nb\nc\nd\n"
               "DMAR:[fault reason 05] PTE Write access is not set\n",
               "dma - write 00:02.0 - 0x1000", "dma 5 - - - -");
    CHECK_ROWS("DMAR:[DMA Write] Request device [00:02.0] fault addr 1000 \n"
               "DMAR:[DMA Read] Request device [00:03.0] fault addr 2000 \n"
               "DMAR:[fault reason 06] PTE Read access is not set\n",
               "dma - write 00:02.0 - 0x1000", "dma 6 read 00:03.0 - 0x2000");
}

static void faults_between_are_faults(void **state)
{
    (void)state;
    CHECK_ROWS("DMAR:[DMA Write] Request device [00:02.0] fault addr 1000 \n"
               "DMAR: VT-d detected Invalidation Time-out Error: SID 5300\n"
               "DMAR: ERROR: DMA PTE for vPFN 0x1 already set (to 3)\n"
               "DMAR:[fault reason 05] PTE Write access is not set\n"
               "DMAR:[fault reason 06] PTE Read access is not set\n",
               "dma 5 write 00:02.0 - 0x1000", "status 64 - 53:00.0 - -",
               "software - - - - 0x1000", "dma 6 - - - -");
    CHECK_ROWS("[VT-D]DMAR:[DMA Read] Request device [00:02.0] fault addr 0\n"
               "FSTS 40\n"
               "[VT-D]DMAR: reason 06 - PTE Read access is not set\n",
               "dma 6 read 00:02.0 - 0x0", "status 64 - - - -");
}

static void mail_wraps_and_quotes(void **state)
{
    (void)state;
    CHECK_ROWS(
        " kernel: DMAR: [DMA Read NO_PASID] Request device [00:1e.3] fault "
        "addr\n 0xffffa000 [fault reason 0x06] PTE Read access\n",
        "dma 6 read 00:1e.3 - 0xffffa000");
    CHECK_ROWS(
        "> > DMAR: [DMA Write]\n> > Request device [00:02.0] PASID "
        "ffffffff fault\n> > addr 7fa8a78000 [fault\n> > reason 05] PTE\n",
        "dma 5 write 00:02.0 - 0x7fa8a78000");
    CHECK_ROWS("> > DMAR: [DMA Write] Request device [00:02.0] fault addr =\r\n"
               "7fa8a7=\r\n8000 [fault=\r\n reason 05] PTE\r\n",
               "dma 5 write 00:02.0 - 0x7fa8a78000");
    CHECK_ROWS("DMAR: [DMA Wri\nte] Request dev\nice [00:02.0] fault addr 8000 "
               "[fault rea\nson 05] PTE\n",
               "dma 5 write 00:02.0 - 0x8000");
}

#define BROKEN                                                                 \
    "[DMA Read NO_PASID] Request device [00:02.0] fault addr 0x1ffff\n"

/* Joined where what follows shows it, and null where it may be a word. */
static void numbers_may_be_broken(void **state)
{
    (void)state;
    CHECK_ROWS(BROKEN "ffff0000 [fault reason 0x71] SM\n",
               "dma 113 read 00:02.0 - 0x1ffffffff0000");
    CHECK_ROWS(BROKEN "dead end\n[fault reason 0x71] SM\n",
               "dma 113 read 00:02.0 - -");
    CHECK_ROWS(BROKEN "12:34:56 host: [fault reason 0x71] SM\n",
               "dma 113 read 00:02.0 - 0x1ffff");
    CHECK_ROWS("[INTR-REMAP] Request device [0\n7:00.0] fault index 0x1\nd "
               "[fault reason 0x2\n2] Present\n",
               "interrupt 34 - 07:00.0 - 0x1d");
    CHECK_ROWS("VT-d detected Invalidation Time-out Error: SID 18\n40\n",
               "status 64 - 18:08.0 - -");
    CHECK_ROWS("> DRHD: handling fault status reg 4\n> 0\n> [ 1.2] next\n",
               "status 64 - - - -");
    CHECK_ROWS("DRHD: handling fault status reg 4\n0\nDMAR: next\nFSTS 2\n",
               "status 2 - - - -");
}

static void the_last_line_may_lack_its_end(void **state)
{
    (void)state;
    CHECK_ROWS("DMAR: DRHD: handling fault status reg 40", "status 64 - - - -");
    CHECK_ROWS("VT-d detected Invalidation Time-out Error: SID 5300",
               "status 64 - 53:00.0 - -");
    CHECK_ROWS("FSTS 40", "status 64 - - - -");
    CHECK_ROWS("[DMA Read] Request device [00:02.0] fault addr 1000",
               "dma - read 00:02.0 - -");
}

static void xen_says_it_in_hexadecimal(void **state)
{
    (void)state;
    CHECK_ROWS(
        "(XEN) [VT-D]DMAR:[DMA Read] Request device [0000:00:02.0] fault "
        "addr 8e480000, iommu reg = ffff82c00021d000\n"
        "(XEN) [VT-D]DMAR: reason 06 - PTE Read access is not set\n"
        "(XEN) [VT-D]INTR-REMAP: Request device [0001:f0:1f.0] fault index "
        "2c, iommu reg = ffff82c00021f000\n"
        "(XEN) [VT-D]INTR-REMAP: reason 22 - Present field in the IRTE\n",
        "dma 6 read 0000:00:02.0 - 0x8e480000",
        "interrupt 34 - 0001:f0:1f.0 - 0x2c");
    CHECK_ROWS("Oct 14 18:41:49 VM hypervisor: (XEN) [   37.201160] [VT-D]DMAR:"
               "[DMA Write]\n Request device [0000:00:1e.6] fault addr 0\n"
               "(XEN) [   37.201164] [VT-D]DMAR: reason 10 -\n Present bit\n",
               "dma 16 write 0000:00:1e.6 - 0x0");
    CHECK_ROWS(
        "(XEN) [VT-D]DMAR:[DMA Write] Request device [00:1e.6] fault addr "
        "3000, iommu reg = ffff82c3fff57000\n"
        "DMAR:[fault reason 0ch] non-zero reserved fields in PTE\n",
        "dma 12 write 00:1e.6 - 0x3000");
    CHECK_ROWS("(XEN) [VT-D]iommu.c:676: iommu_fault:DMA Read: 0:1d.1 addr "
               "7d2ce000 REASON 6 iommu->reg = ffff828bfff54000\n",
               "dma 6 read 00:1d.1 - 0x7d2ce000");
}

/* Halves of faults are faults; what is not there is null. */
static void halves_are_faults(void **state)
{
    (void)state;
    CHECK_ROWS("DMAR:[fault reason 05] PTE Write access is not set\n",
               "dma 5 - - - -");
    CHECK_ROWS("(XEN) [VT-D]INTR-REMAP: reason 26 - Source\n",
               "interrupt 38 - - - -");
    CHECK_ROWS("(XEN) [VT-D]DMAR: reason 05 - PTE\n", "dma 5 - - - -");
    CHECK_ROWS("DMAR: [DMA Read] Request device [00:02.0]\n",
               "dma - read 00:02.0 - -");
    CHECK_ROWS("[INTR-REMAP] Request device [00:02.0] fault index 0x1 [fault",
               "interrupt - - 00:02.0 - -");
    CHECK_ROWS(
        "[DMA Read NO_PASID] Request device [00:02.0] fault addr 0x7cd8\n",
        "dma - read 00:02.0 - -");
    CHECK_ROWS("DMAR: [DMA Read] Request device [00:02.0] PASID ff\n",
               "dma - read 00:02.0 - -");
}

static void what_is_no_fault_is_passed_over(void **state)
{
    static const char *const lines[] = {
        "",
        "DMAR: Host address width 39\n",
        "DMAR: DRHD base: 0x000000fed91000 flags: 0x1\n",
        "DMAR: IOMMU enabled\n",
        "dmar_fault: 893 callbacks suppressed\n",
        "DMAR: DRHD: handling fault status reg 0\n",
        "DMAR: [DMA Read] Request\n",
        "DMAR: [DMA Remap] Request device [00:02.0] fault addr 0 \n",
        "DMAR:[fault reason 1000] PTE Write access is not set\n",
        "DMAR:[fault reason ] PTE Write access is not set\n",
        "(XEN) [VT-D]iommu.c:694: iommu_fault_status: Primary Pending Fault\n",
        "reason 06 - PTE Read access is not set\n",
        "DMA PTE for vPFN 0x428ec\n",
        "VT-d detected Invalidation\n",
        "FSTS\nFSTS 0\nFSTS of 00000000000000000000000000000000000000002\n",
        "FRCD 0 0\nFRCD 12345000 0\nFRCD x\nFRCD 1 2 3 4 5 6\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        cJSON *faults = faults_of(lines[i], strlen(lines[i]));

        assert_string_equal(fault_row(faults, 0), "");
        cJSON_Delete(faults);
    }
}

static void impossible_sources_are_null(void **state)
{
    static const char *const sources[] = { "100:02.0", "00:20.0",
                                           "00:02.8",  "10000:00:02.0",
                                           "00:02",    "g0:02.0" };
    char line[200];

    (void)state;
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        snprintf(line, sizeof(line),
                 "[DMA Read] Request device [%s] fault addr 1000 [fault reason "
                 "06]\n",
                 sources[i]);
        CHECK_ROWS(line, "dma 6 read - - -");
    }
}

/* ---- status -------------------------------------------------------------- */

static void check_sentence(const char *text, int index, const char *words)
{
    cJSON *faults = faults_of(text, strlen(text));
    const char *sentence =
        text_of(cJSON_GetArrayItem(faults, index), "sentence");

    if (!strstr(sentence, words))
        fail_msg("\"%s\" does not say \"%s\"", sentence, words);
    cJSON_Delete(faults);
}

#define FAULT                                                                  \
    "[DMA Read] Request device [00:02.0] fault addr 0 [fault reason 06]\n"
#define STATUS(n) "DRHD: handling fault status reg " n "\n"

static void status_goes_with_the_record_behind_it(void **state)
{
    static const char row[] = "dma 6 read 00:02.0 - 0x0";

    (void)state;
    CHECK_ROWS(STATUS("3") FAULT, row);
    check_sentence(STATUS("3") FAULT, 0, "lost (fault status 3h: PFO PPF)");
    CHECK_ROWS(STATUS("702") FAULT FAULT, row, row);
    CHECK_ROWS(FAULT STATUS("2"), row, "status 2 - - - -");
    CHECK_ROWS(STATUS("2") STATUS("3"), "status 2 - - - -", "status 3 - - - -");
    check_sentence(STATUS("2"), 0, "no record follows here");
    CHECK_ROWS(STATUS("12") FAULT, "status 18 - - - -", row);
    CHECK_ROWS(STATUS("2") "DMA PTE for vPFN 1 already set\n",
               "status 2 - - - -", "software - - - - 0x1000");
}

static void errors_of_invalidation_are_faults(void **state)
{
    (void)state;
    CHECK_ROWS("DMAR: VT-d detected Invalidation Queue Error: Reason f\n"
               "DMAR: VT-d detected Invalidation Time-out Error: SID 0\n"
               "DMAR: VT-d detected Invalidation Time-out Error: SID 5300\n"
               "DMAR: VT-d detected Invalidation Completion Error: SID ffff\n",
               "status 16 - - - -", "status 64 - - - -",
               "status 64 - 53:00.0 - -", "status 32 - - - -");
    CHECK_ROWS(
        "(XEN) [VT-D]iommu.c:691: iommu_fault_status: Fault Overflow\n"
        "(XEN) [VT-D]iommu_fault_status: Invalidation Timeout Error\n"
        "(XEN) [VT-D]iommu_fault_status: Invalidation Queue Error\n"
        "(XEN) [VT-D]iommu_fault_status: Invalidation Completion Error\n",
        "status 1 - - - -", "status 64 - - - -", "status 16 - - - -",
        "status 32 - - - -");
    CHECK_ROWS(STATUS("ffffffff"), "status 4294967295 - - - -");
    check_sentence(STATUS("ffffffff"), 0, "the unit does not answer");
}

/* ---- raw registers ------------------------------------------------------- */

static const char *const record_forms[] = {
    "FRCD[0] 0x0000000012345000 0xc000001600000010; FSTS 0x40\n",
    "FRCD_REG[12] = c000001600000010:0000000012345000\n",
    "FRCD0: 0xc0000016000000100000000012345000\n",
    "FRCD 12345000 00000000 00000010 c0000016\n",
    "FRCD  0x220  0x12345000 0x00000000 0x00000010 0xc0000016\n",
    "FRCD  0x220  0x12345000 0xc000001600000010\n",
    "FRCD lo=0x12345000 hi=0xc000001600000010\n",
    "FRCD_LO[0]: 0x12345000 FRCD_HI[0]: 0xc000001600000010\n",
    "FRCD 220: 12345000 c000001600000010\n",
};
enum { N_FORMS = sizeof(record_forms) / sizeof(record_forms[0]) };

static void raw_records_are_read_in_any_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_FORMS; i++) {
        const char *form = record_forms[i];
        cJSON *faults = faults_of(form, strlen(form));

        assert_string_equal(fault_row(faults, 0),
                            "dma 22 read 00:02.0 - 0x12345000");
        assert_string_equal(fault_row(faults, 1),
                            i == 0 ? "status 64 - - - -" : "");
        cJSON_Delete(faults);
    }
}

/* An index is no low word, and without one there is no address. */
static void high_words_alone_have_no_address(void **state)
{
    (void)state;
    CHECK_ROWS("FRCD_LO[0]: 0x12345000\nFRCD_HI[0]: 0xc000000600000010\n",
               "dma 6 read 00:02.0 - -");
    CHECK_ROWS("FRCD_REG_HI0 = c000000600000010\n", "dma 6 read 00:02.0 - -");
    CHECK_ROWS("FRCD_HI [0]: 0xc000000600000010\nFRCD_HI 0 = "
               "0xc000000600000010\nFRCD high 0: c000000600000010\n",
               "dma 6 read 00:02.0 - -", "dma 6 read 00:02.0 - -",
               "dma 6 read 00:02.0 - -");
    CHECK_ROWS("FRCD_HI[0]: 0xc000002200000010\n",
               "interrupt 34 - 00:02.0 - -");
    CHECK_ROWS("FRCD_LO[0]: 0xffffffff80001000\nFSTS 2\n", "status 2 - - - -");
}

static void words_are_no_numbers(void **state)
{
    (void)state;
    CHECK_ROWS("FSTS dump added\nFSTS at 12:34:56\nFSTS of bad face = 2\nFSTS "
               "is 0x40\n",
               "status 2 - - - -", "status 64 - - - -");
    CHECK_ROWS("FSTS_REG[1] 2; FSTS 34 50; FSTS = deadh; FSTS 34\n",
               "status 2 - - - -", "status 80 - - - -");
    CHECK_ROWS("handling fault status reg \nDMAR: next\nFSTS 2\n",
               "status 2 - - - -");
}

static void raw_records_have_all_fields(void **state)
{
    (void)state;
    CHECK_ROWS("FRCD 0x1000 0x8000070580000208\n",
               "dma 5 write 02:01.0 7 0x1000");
    CHECK_ROWS("FRCD 0x1000 0xd000000510000208\n",
               "dma 5 atomic access 02:01.0 - 0x1000");
    CHECK_ROWS("FRCD 0x1000 0x8000003210000208\n",
               "dma 50 page request 02:01.0 - 0x1000");
    CHECK_ROWS("FRCD 0x0012000000000000 0x80000022000007f8\n",
               "interrupt 34 - 07:1f.0 - 0x12");
    CHECK_ROWS("FRCD 0x0012000000000000 0x80000020000007f8\n",
               "interrupt 32 - 07:1f.0 - -");
    CHECK_ROWS("FSTS 0x34 0x0000000000000050\nFSTS_REG=3\nFSTS: 10 times 40\n",
               "status 80 - - - -", "status 3 - - - -", "status 16 - - - -");
}

/* ---- what else a log has ------------------------------------------------- */

#define DUMP                                                                   \
    "DMAR: Dump dmar0 table entries for IOVA 0x0\n"                            \
    "DMAR: root entry: 0x0000000127f42001\n"                                   \
    "DMAR: context entry: hi 0x0000000000000302, low 0x000000010336b001\n"     \
    "DMAR: pte level: 2, pte value: 0x0000000103372003\n"

static void dumped_entries_are_used(void **state)
{
    static const char right[] =
        FAULT DUMP "DMAR: pte level: 1, pte value: 0x0000000103372002\n";
    cJSON *faults = faults_of(right, strlen(right));

    (void)state;
    check_sentence(right, 0, "mapped write-only.");
    assert_true(has_cause(cJSON_GetArrayItem(faults, 0), "was unmapped while"));
    cJSON_Delete(faults);
    check_sentence(FAULT DUMP, 0, "which allows this");
    check_sentence(FAULT DUMP "pte value: 0x0\n", 0, "nothing is mapped there");
    check_sentence(FAULT FAULT DUMP, 0, "LGN.3].");
    check_sentence(FAULT DUMP "pte value: 0x00000001033\n72002\nDMAR: b\n", 0,
                   "LGN.3].");
    check_sentence("[DMA Read] Request device [00:02.0] fault addr 0 [fault "
                   "reason 12]\n" DUMP,
                   0, "LSS.2].");
    faults = faults_of(FAULT DUMP, strlen(FAULT DUMP));
    assert_false(
        has_cause(cJSON_GetArrayItem(faults, 0), "was unmapped while"));
    assert_true(has_cause(cJSON_GetArrayItem(faults, 0), "stale entry"));
    cJSON_Delete(faults);
}

static void address_0_has_a_cause_of_its_own(void **state)
{
    cJSON *faults = faults_of(FAULT, strlen(FAULT));

    (void)state;
    assert_true(has_cause(cJSON_GetArrayItem(faults, 0), "empty descriptor"));
    cJSON_Delete(faults);
}

/* ---- anything ------------------------------------------------------------ */

/* Formats with 0x or PASIDs show where a line was cut; older ones do not. */
static void cut_texts_say_nothing_wrong(void **state)
{
    cJSON *items = expectations();
    const cJSON *item;

    (void)state;
    cJSON_ArrayForEach(item, items)
    {
        const char *name = text_of(item, "name");
        size_t size;
        char *text = log_of(name, &size);

        check_cuts(name, text, size, false);
        if (strstr(text, "PASID"))
            check_cuts(name, text, size, true);
        free(text);
    }
    cJSON_Delete(items);
}

/* Numbers at the end of a line, of up to 9 digits, may be missing. */
static void check_all_breaks(const char *text, size_t size)
{
    static const char *const breaks[] = { "\n", "\r\n", "\n> ", "\n    " };

    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
        assert_true(check_breaks(text, size, breaks[i]) + 8 >= size);
    assert_int_equal(check_breaks(text, size, "=\r\n"), size + 1);
}

static void broken_lines_say_nothing_wrong(void **state)
{
    cJSON *items = expectations();
    const cJSON *item;

    (void)state;
    cJSON_ArrayForEach(item, items)
    {
        size_t size;
        char *text = log_of(text_of(item, "name"), &size);

        check_all_breaks(text, size);
        free(text);
    }
    cJSON_Delete(items);
}

/* Registers stand on one line; what is broken between their words is none. */
static void broken_lines_of_all_forms_say_nothing_wrong(void **state)
{
    static const char *const lines[] = {
        "DMAR: INTR-REMAP: Request device [f0:1f.0] fault index 1b2c\n"
        "INTR-REMAP:[fault reason 34] Present\n[ 12.5] next\n",
        "DMAR: [DMA Read PASID 0x1a2b] Request device [00:02.0] fault addr "
        "0x1ffffffff0000 [fault reason 0x71] SM\n",
        "(XEN) [VT-D]DMAR:[DMA Read] Request device [0000:00:02.0] fault addr "
        "8e480000, iommu reg = ffff82c00021d000\n"
        "(XEN) [VT-D]DMAR: reason 06 - PTE Read access is not set\n",
        "[VT-D]DMAR:[DMA Write] Request device [00:1e.6] fault addr 3000, "
        "iommu\nDMAR:[fault reason 0ch] non-zero reserved\n",
        "iommu_fault:DMA Read: 0:1d.1 addr 7d2ce000 REASON 16 iommu->reg = 1\n",
        "DMAR: VT-d detected Invalidation Time-out Error: SID 1840\n",
        "DMAR: VT-d detected Invalidation Time-out Error: SID 1840\nDMAR: b\n",
        "FSTS 0x34 0x0000000000000050\n",
        "FSTS_REG[1] = 52;FSTS: 10 times\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        (void)check_breaks(lines[i], strlen(lines[i]), "\n");
    for (size_t i = 0; i < N_FORMS; i++)
        (void)check_breaks(record_forms[i], strlen(record_forms[i]), "\n");
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void flipped_bytes_are_survived(void **state)
{
    cJSON *items = expectations();
    const cJSON *item;
    uint32_t seed = 1;

    (void)state;
    cJSON_ArrayForEach(item, items)
    {
        size_t size;
        char *text = log_of(text_of(item, "name"), &size);

        for (unsigned round = 0; round < 400; round++) {
            size_t at = next_random(&seed) % size;
            char old = text[at];

            text[at] = (char)next_random(&seed);
            cJSON_Delete(faults_of(text, size));
            if (round % 8)
                text[at] = old;
        }
        free(text);
    }
    cJSON_Delete(items);
}

/* Pieces of all formats, one behind the other, in memory of exactly their size. */
static void random_pieces_are_survived(void **state)
{
    static const char *const pieces[] = {
        "[DMA ",
        "Read",
        "Write",
        " NO_PASID",
        " PASID ",
        "]",
        " Request device",
        " [",
        "00:02.0",
        "0x",
        "ffffffff",
        " fault addr ",
        "[INTR-REMAP]",
        "INTR-REMAP:",
        " fault index ",
        "[fault reason ",
        ": reason ",
        "06",
        " -",
        "DMAR: reason ",
        "handling fault status reg ",
        "\n",
        "> ",
        "=\n",
        "VT-d detected Invalidation ",
        "Time-out Error",
        ": SID ",
        "FRCD",
        "FSTS",
        "[",
        "_REG",
        "c000000600000010",
        "0012000000000000",
        " ",
        "DMA PTE for vPFN ",
        " already set",
        "iommu_fault:DMA ",
        ": ",
        "1",
        "iommu_fault_status: ",
        "Fault Overflow",
        "\xff",
        "\r",
        "PTE = ",
    };
    const size_t n = sizeof(pieces) / sizeof(pieces[0]);
    uint32_t seed = 7;
    int found = 0;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        char text[400] = "", *exact;
        size_t size;
        cJSON *faults;

        for (unsigned i = 0; i < 12; i++)
            strcat(text, pieces[next_random(&seed) % n]);
        size = strlen(text);
        exact = malloc(size ? size : 1);
        memcpy(exact, text, size);
        faults = faults_of(exact, size);
        found += cJSON_GetArraySize(faults) > 0;
        cJSON_Delete(faults);
        free(exact);
    }
    assert_true(found > 100);
}

/* Not in a square of the size: what begins many faults, many times. */
static void long_lines_take_no_longer(void **state)
{
    static const char *const starts[] = {
        "FSTS",           "FRCD",
        "[fault reason ", "[DMA Read] Request device",
        "[DMA Read",      "INTR-REMAP: "
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
        cmocka_unit_test(the_corpus_is_decoded_as_expected),
        cmocka_unit_test(known_causes_are_among_the_causes),
        cmocka_unit_test(every_log_has_an_expectation),
        cmocka_unit_test(old_linux_has_two_lines_and_decimal_reasons),
        cmocka_unit_test(interrupts_printed_as_dma_are_interrupts),
        cmocka_unit_test(lines_between_do_not_matter),
        cmocka_unit_test(faults_between_are_faults),
        cmocka_unit_test(mail_wraps_and_quotes),
        cmocka_unit_test(numbers_may_be_broken),
        cmocka_unit_test(the_last_line_may_lack_its_end),
        cmocka_unit_test(xen_says_it_in_hexadecimal),
        cmocka_unit_test(halves_are_faults),
        cmocka_unit_test(what_is_no_fault_is_passed_over),
        cmocka_unit_test(impossible_sources_are_null),
        cmocka_unit_test(status_goes_with_the_record_behind_it),
        cmocka_unit_test(errors_of_invalidation_are_faults),
        cmocka_unit_test(raw_records_are_read_in_any_form),
        cmocka_unit_test(high_words_alone_have_no_address),
        cmocka_unit_test(words_are_no_numbers),
        cmocka_unit_test(raw_records_have_all_fields),
        cmocka_unit_test(dumped_entries_are_used),
        cmocka_unit_test(address_0_has_a_cause_of_its_own),
        cmocka_unit_test(cut_texts_say_nothing_wrong),
        cmocka_unit_test(broken_lines_say_nothing_wrong),
        cmocka_unit_test(broken_lines_of_all_forms_say_nothing_wrong),
        cmocka_unit_test(flipped_bytes_are_survived),
        cmocka_unit_test(random_pieces_are_survived),
        cmocka_unit_test(long_lines_take_no_longer),
    };

    return cmocka_run_group_tests_name("faults of logs", tests, NULL, NULL);
}
