/* SPDX-License-Identifier: MIT */
/*
 * Faults as sentences: words for every reason code, and some of them in full.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <uiommu/domain.h>
#include <uiommu/fault.h>

#include "explain/explain.h"
#include "spec/smmuv3_events.h"
#include "spec/vtd_fault.h"

/* Something to point to: it must not be looked into. */
#define SOME_DOMAIN ((struct uiommu_domain *)(uintptr_t)1)

static struct uiommu_fault write_fault(uint32_t reason)
{
    return (struct uiommu_fault){
        .driver = "vtd",
        .has_source = true,
        .source = { .bus = 0, .devfn = 3 << 3 },
        .domain = SOME_DOMAIN,
        .domain_kind = UIOMMU_DOMAIN_PAGING,
        .reason = reason,
        .access = UIOMMU_WRITE,
        .has_iova = true,
        .iova = 0x10004000,
    };
}

static void check(const struct uiommu_fault *fault, const char *want)
{
    char text[600];
    size_t n = uiommu_explain_fault(fault, text, sizeof(text));

    assert_string_equal(text, want);
    assert_int_equal(n, strlen(want));
}

/* ---- reasons ------------------------------------------------------------- */

static const struct uim_reason *reason_of(const struct uim_decoder *d,
                                          uint32_t code)
{
    const struct uim_reason *found = NULL;

    for (unsigned i = 0; i < d->n_reasons; i++) {
        if (d->reasons[i].code != code)
            continue;
        assert_null(found); /* said once */
        found = &d->reasons[i];
    }
    return found;
}

/* "LGN_2" is the manual's LGN.2; interrupt faults have no label there. */
static void check_label(const char *label, const char *name)
{
    char want[16];

    if (strncmp(name, "IR_", 3) == 0) {
        assert_null(label);
        return;
    }
    snprintf(want, sizeof(want), "%s", name);
    *strchr(want, '_') = '.';
    assert_string_equal(label, want);
}

static void every_reason_has_words(void **state)
{
#define ROW(code, name, text, qualified) { code, #name },
    static const struct {
        uint32_t code;
        const char *name;
    } all[] = { VTD_FAULT_REASONS(ROW) };
    const unsigned n = sizeof(all) / sizeof(all[0]);

    (void)state;
    for (unsigned i = 0; i < n; i++) {
        const struct uim_reason *r = reason_of(&uim_decoder_vtd, all[i].code);
        struct uiommu_fault f = write_fault(all[i].code);
        char text[600];

        assert_non_null(r);
        assert_true(strlen(r->why) > 10);
        check_label(r->name, all[i].name);
        assert_true(uiommu_explain_fault(&f, text, sizeof(text)) < 400);
        assert_non_null(strstr(text, r->why));
    }
    assert_int_equal(uim_decoder_vtd.n_reasons, n);
}

static void every_event_has_words(void **state)
{
#define EVENT(code, name, text) { code, #name },
    static const struct {
        uint32_t code;
        const char *name;
    } all[] = { SMMUV3_EVENTS(EVENT) };
    const unsigned n = sizeof(all) / sizeof(all[0]);

    (void)state;
    for (unsigned i = 0; i < n; i++) {
        const struct uim_reason *r =
            reason_of(&uim_decoder_smmuv3, all[i].code);
        struct uiommu_fault f = write_fault(all[i].code);
        char text[600];

        f.driver = "smmuv3";
        assert_non_null(r);
        assert_true(strlen(r->why) > 10);
        assert_string_equal(r->name, all[i].name);
        assert_true(uiommu_explain_fault(&f, text, sizeof(text)) < 400);
        assert_non_null(strstr(text, r->why));
    }
    assert_int_equal(uim_decoder_smmuv3.n_reasons, n);
}

static void unknown_reasons_and_drivers(void **state)
{
    struct uiommu_fault f = write_fault(0xee);

    (void)state;
    check(&f, "0000:00:03.0 (vtd unit 0): write at 0x10004000 refused: not "
              "known why [reason eeh]. The address is beyond its domain.");
    f.driver = "pdp11";
    f.unit = 7;
    f.domain = NULL;
    check(&f, "0000:00:03.0 (pdp11 unit 7): write at 0x10004000 refused: not "
              "known why [reason eeh]. uiommu knows no device with this id.");
    f.driver = NULL;
    check(&f, "0000:00:03.0 (? unit 7): write at 0x10004000 refused: not "
              "known why [reason eeh]. uiommu knows no device with this id.");
}

/* ---- causes -------------------------------------------------------------- */

/* Each is said once, and short enough for a line. Returns how many. */
static unsigned check_causes(const char *const *causes)
{
    unsigned n = 0;

    for (; causes[n]; n++) {
        assert_true(strlen(causes[n]) > 10 && strlen(causes[n]) < 130);
        for (unsigned i = 0; i < n; i++)
            assert_string_not_equal(causes[i], causes[n]);
    }
    return n;
}

/* What refuses nothing needs none. */
static void check_reason_causes(const struct uim_decoder *d,
                                const struct uim_reason *r)
{
    struct uim_record record = { .driver = d->driver,
                                 .has = UIM_HAS_REASON,
                                 .reason = r->code };
    const char *causes[16];
    unsigned n = uim_record_causes(&record, causes, 16);

    if (d->hint && d->hint(r->code)) {
        assert_int_equal(n, 0);
        return;
    }
    assert_non_null(r->causes);
    assert_int_equal(n, check_causes(r->causes));
    assert_true(n > 0 && n < 12);
    assert_ptr_equal(causes[n - 1], r->causes[n - 1]);
    assert_int_equal(uim_record_causes(&record, causes, 1), 1);
    assert_int_equal(uim_record_causes(&record, causes, 0), 0);
}

static void every_reason_has_causes(void **state)
{
    static const struct uim_decoder *const all[] = { &uim_decoder_vtd,
                                                     &uim_decoder_smmuv3 };

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        for (unsigned k = 0; k < all[i]->n_reasons; k++)
            check_reason_causes(all[i], &all[i]->reasons[k]);
    assert_true(check_causes(uim_decoder_vtd.allowed) > 1);
}

/* Entries that stand for more than "there are records" have causes. Returns the
 * codes, or for a field how many. */
static uint32_t check_status(const struct uim_status *s)
{
    uint32_t codes = 0;

    for (unsigned i = 0; i < s->n_bits; i++) {
        const struct uim_reason *r = &s->bits[i];

        if (s->field)
            assert_int_equal(r->code & ~s->field, 0);
        else
            assert_int_equal(codes & r->code, 0);
        codes = s->field ? codes + 1 : codes | r->code;
        assert_true(strlen(r->name) > 2);
        assert_true(strlen(r->why) > 10);
        if (r->code & (s->lost | ~s->announces))
            assert_true(check_causes(r->causes) > 0);
    }
    return codes;
}

static void every_status_has_words(void **state)
{
    const struct uim_status *fsts = &uim_decoder_vtd.status[0];
    const struct uim_status *arm = uim_decoder_smmuv3.status;

    (void)state;
    assert_int_equal(uim_decoder_vtd.n_status, 1);
    assert_int_equal(check_status(fsts), 0x7f);
    assert_int_equal(fsts->lost, 0x05);
    assert_int_equal(fsts->announces, 0x0f);
    assert_int_equal(fsts->index, 0xff00);
    assert_int_equal(uim_decoder_smmuv3.n_status, 4);
    assert_int_equal(check_status(&arm[UIM_SMMUV3_GERROR]), 0x7fd);
    assert_int_equal(check_status(&arm[UIM_SMMUV3_CMDQ_CONS]), 4);
    assert_int_equal(arm[UIM_SMMUV3_CMDQ_CONS].field, 0x7f000000);
    assert_int_equal(check_status(&arm[UIM_SMMUV3_EVENTQ_PROD]), 0x80000000);
    assert_int_equal(check_status(&arm[UIM_SMMUV3_PRIQ_PROD]), 0x80000000);
}

/* FI has no index for these (11.4.7.6). */
static void some_interrupt_faults_have_no_index(void **state)
{
    (void)state;
    for (uint32_t reason = 0x20; reason <= 0x2b; reason++) {
        struct uim_record r = { .driver = "vtd",
                                .has = UIM_HAS_REASON | UIM_HAS_ADDRESS |
                                       UIM_HAS_ACCESS,
                                .reason = reason };
        bool none = reason == 0x20 || reason == 0x25 || reason >= 0x29;

        uim_record_settle(&r);
        assert_int_equal(r.kind, UIM_RECORD_INTERRUPT);
        assert_int_equal(r.has, UIM_HAS_REASON | (none ? 0 : UIM_HAS_ADDRESS));
    }
}

/* ---- sentences ----------------------------------------------------------- */

static void check_record(const struct uim_record *r, const char *want)
{
    char text[600], cut[600];
    size_t n = uim_explain_record(r, text, sizeof(text));

    assert_string_equal(text, want);
    assert_int_equal(n, strlen(want));
    for (size_t size = 1; size <= n; size++) {
        assert_int_equal(uim_explain_record(r, cut, size), n);
        assert_int_equal(strlen(cut), size - 1);
    }
}

static void records_say_what_they_have(void **state)
{
    struct uim_record r = { .driver = "vtd" };

    (void)state;
    check_record(&r, "a device (vtd): DMA refused; the reason is missing.");
    r.has = UIM_HAS_SOURCE | UIM_HAS_SEGMENT | UIM_HAS_ACCESS | UIM_HAS_PASID |
            UIM_HAS_ADDRESS | UIM_HAS_REASON | UIM_HAS_RIGHTS;
    r.source = (struct uiommu_pci){ .segment = 1, .bus = 0x2a, .devfn = 0xff };
    r.access = UIOMMU_WRITE;
    r.pasid = 5;
    r.address = 0x10004000;
    r.reason = VTD_FR_SGN_6;
    r.rights = UIOMMU_READ;
    r.status = 3;
    check_record(&r,
                 "0001:2a:1f.7 (vtd): write at 0x10004000 with PASID 5 "
                 "refused: no right to write there [reason 85h, SGN.6]. The "
                 "unit is in scalable mode. In the log the page is mapped "
                 "read-only. Other faults were lost (fault status 3h: PFO "
                 "PPF).");
    r.name = "IOAPIC 2";
    r.has = UIM_HAS_SOURCE | UIM_HAS_REASON;
    r.reason = 0xee;
    r.status = 2;
    check_record(&r, "2a:1f.7, IOAPIC 2 (vtd): DMA refused: not known why "
                     "[reason eeh].");
    r.driver = "pdp11";
    check_record(&r, "2a:1f.7, IOAPIC 2 (pdp11): DMA refused: not known why "
                     "[reason eeh].");
}

static void status_and_software_are_no_requests(void **state)
{
    struct uim_record r = { .driver = "vtd",
                            .kind = UIM_RECORD_STATUS,
                            .has = UIM_HAS_REASON,
                            .reason = 0x31 };

    (void)state;
    check_record(&r, "vtd: fault status 31h: PFO, faults were lost, there were "
                     "too many; IQE, the unit stopped at a wrong invalidation "
                     "descriptor; ICE, a device confirmed an invalidation "
                     "wrongly.");
    r.reason = 0x80;
    check_record(&r, "vtd: fault status 80h: bits that are not known; no fault "
                     "is recorded.");
    r.reason = 0x110;
    check_record(&r, "vtd: fault status 110h: IQE, the unit stopped at a wrong "
                     "invalidation descriptor; no fault is recorded.");
    r.kind = UIM_RECORD_SOFTWARE;
    r.reason = UIM_SOFTWARE_MAPPED_TWICE;
    check_record(&r, "vtd: a page was mapped although its page-table entry was "
                     "set already; software noticed this, no device faulted.");
}

static void streams_have_numbers(void **state)
{
    struct uim_record r = { .driver = "smmuv3",
                            .has = UIM_HAS_STREAM,
                            .stream = 0x1ff };

    (void)state;
    check_record(&r, "stream 0x1ff (as a requester id 01:1f.7) (smmuv3): DMA "
                     "refused; the reason is missing.");
    r.stream = 0x10000;
    check_record(&r, "stream 0x10000 (smmuv3): DMA refused; the reason is "
                     "missing.");
    strcpy(r.client, "fe330000.usb");
    check_record(&r, "fe330000.usb, stream 0x10000 (smmuv3): DMA refused; the "
                     "reason is missing.");
    r.has |= UIM_HAS_SOURCE;
    r.source = (struct uiommu_pci){ .bus = 2 };
    check_record(&r, "02:00.0, stream 0x10000 (smmuv3): DMA refused; the "
                     "reason is missing.");
    r.has = UIM_HAS_ACCESS | UIM_HAS_ADDRESS | UIM_HAS_REASON;
    r.reason = SMMUV3_EVT_E_PAGE_REQUEST;
    r.access = 0;
    check_record(&r, "fe330000.usb (smmuv3): page request at 0x0 announced: "
                     "the device is going to access pages there; nothing has "
                     "to be done [reason 24h, E_PAGE_REQUEST].");
}

static void what_else_is_recorded_is_said(void **state)
{
    struct uim_record r = { .driver = "smmuv3", .kind = UIM_RECORD_SOFTWARE };

    (void)state;
    uim_record_add(&r, "CLASS", "IN", 7);
    uim_record_add(&r, "STAG", NULL, 7);
    check_record(&r, "smmuv3: something is odd; software noticed this, no "
                     "device faulted. Recorded: CLASS IN, STAG 0x7.");
    for (unsigned i = 0; i < 2 * UIM_DETAILS_MAX; i++)
        uim_record_add(&r, "more", NULL, i);
    assert_int_equal(r.n_details, UIM_DETAILS_MAX);
    assert_int_equal(r.details[UIM_DETAILS_MAX - 1].value, UIM_DETAILS_MAX - 3);
}

/* Words that are not there have said nothing. */
static void events_may_be_cut(void **state)
{
    static const uint64_t words[] = { 0x0000010000007813, 0x0000020080000001,
                                      0x12345678, 0x87654000 };
    static const unsigned more[] = { UIM_HAS_REASON | UIM_HAS_STREAM |
                                         UIM_HAS_PASID,
                                     UIM_HAS_ACCESS, UIM_HAS_ADDRESS, 0 };
    struct uim_record r;
    unsigned has = 0;

    (void)state;
    assert_false(uim_smmuv3_record(words, 0, &r));
    for (unsigned n = 1; n <= 4; n++) {
        has |= more[n - 1];
        assert_true(uim_smmuv3_record(words, n, &r));
        assert_int_equal(r.has, has);
        assert_int_equal(r.n_details, n == 1 ? 0 : n == 4 ? 5 : 4);
    }
    assert_int_equal(r.stream, 0x100);
    assert_int_equal(r.pasid, 7);
    assert_int_equal(r.access, UIOMMU_WRITE);
    assert_int_equal(r.address, 0x12345678);
    assert_false(uim_smmuv3_record((const uint64_t[4]){ 0x100 }, 4, &r));
}

static void a_hole_and_its_neighbours(void **state)
{
    struct uiommu_fault f = write_fault(VTD_FR_LGN_2);

    (void)state;
    f.has_trace = true;
    f.level = 1;
    check(&f,
          "0000:00:03.0 (vtd unit 0): write at 0x10004000 refused: no "
          "right to write there (second stage) [reason 05h, LGN.2]. "
          "Nothing is mapped there (the walk ends at level 1, an empty entry "
          "for 2 MiB); nothing is mapped within reach.");
    f.level = 0;
    f.below = (struct uiommu_range){ 0x10000000, 0x4000 };
    check(&f,
          "0000:00:03.0 (vtd unit 0): write at 0x10004000 refused: no "
          "right to write there (second stage) [reason 05h, LGN.2]. "
          "Nothing is mapped there (the walk ends at level 0, an empty entry "
          "for 4 KiB); a mapping ends right before it.");
    f.below = (struct uiommu_range){ 0x0ff00000, 0xf4000 };
    f.above = (struct uiommu_range){ 0x10204000, 0x1000 };
    f.overflow = true;
    check(&f,
          "0000:00:03.0 (vtd unit 0): write at 0x10004000 refused: no "
          "right to write there (second stage) [reason 05h, LGN.2]. "
          "Nothing is mapped there (the walk ends at level 0, an empty entry "
          "for 4 KiB); the nearest mapping below ends 64 KiB before it, the "
          "nearest above starts 2 MiB after it. Other "
          "faults were lost.");
}

static void sizes_are_short(void **state)
{
    static const struct {
        uint64_t gap;
        const char *want;
    } cases[] = {
        { 0x1000, "starts 4 KiB after" },
        { 0x11000, "starts 68 KiB after" },
        { 0x201000, "starts 2052 KiB after" },
        { 0x2001000, "starts about 32 MiB after" },
        { UINT64_C(0x40000000), "starts 1 GiB after" },
        { UINT64_C(0x40001000), "starts about 1024 MiB after" },
        { UINT64_C(1) << 47, "starts 128 TiB after" },
        { (UINT64_C(1) << 47) + 0x1000, "starts about 128 TiB after" },
    };
    char text[600];

    (void)state;
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct uiommu_fault f = write_fault(VTD_FR_LGN_2);

        f.has_trace = true;
        f.above = (struct uiommu_range){ f.iova + cases[i].gap, 0x1000 };
        uiommu_explain_fault(&f, text, sizeof(text));
        assert_non_null(strstr(text, cases[i].want));
    }
}

static void a_page_without_the_right(void **state)
{
    struct uiommu_fault f = write_fault(VTD_FR_SGN_6);

    (void)state;
    f.unit = 2;
    f.pasid = 5;
    f.source = (struct uiommu_pci){ .segment = 1, .bus = 0x2a, .devfn = 0xff };
    f.has_trace = true;
    f.mapped = true;
    f.rights = UIOMMU_READ;
    check(&f, "0001:2a:1f.7 (vtd unit 2): write at 0x10004000 with PASID 5 "
              "refused: no right to write there [reason 85h, SGN.6]. The page "
              "is mapped read-only.");
    f.access = UIOMMU_READ | UIOMMU_WRITE;
    f.rights = UIOMMU_WRITE;
    check(&f, "0001:2a:1f.7 (vtd unit 2): atomic access at 0x10004000 with "
              "PASID 5 refused: no right to write there [reason 85h, SGN.6]. "
              "The page is mapped write-only.");
    f.access = UIOMMU_READ;
    f.rights = UIOMMU_READ | UIOMMU_WRITE;
    check(&f, "0001:2a:1f.7 (vtd unit 2): read at 0x10004000 with PASID 5 "
              "refused: no right to write there [reason 85h, SGN.6]. The page "
              "is mapped for reading and writing by now: mapped after the "
              "fault, or the unit holds a stale entry.");
}

static void other_domains(void **state)
{
    struct uiommu_fault f = write_fault(VTD_FR_LCT_2);

    (void)state;
    f.domain_kind = UIOMMU_DOMAIN_BLOCKED;
    check(&f, "0000:00:03.0 (vtd unit 0): write at 0x10004000 refused: it is "
              "blocked (context entry not present) [reason 02h, LCT.2]. It "
              "sees the blocked domain.");
    f.reason = VTD_FR_LRT_2;
    check(&f, "0000:00:03.0 (vtd unit 0): write at 0x10004000 refused: "
              "nothing was ever set up for its bus (root entry not present) "
              "[reason 01h, LRT.2]. It sees the blocked domain.");
    f.domain_kind = UIOMMU_DOMAIN_IDENTITY;
    f.reason = VTD_FR_SGN_4;
    check(&f, "0000:00:03.0 (vtd unit 0): write at 0x10004000 refused: the "
              "host address is wider than the platform has [reason 83h, "
              "SGN.4]. It sees the identity domain.");
    f.domain_kind = UIOMMU_DOMAIN_INHERITED;
    check(&f, "0000:00:03.0 (vtd unit 0): write at 0x10004000 refused: the "
              "host address is wider than the platform has [reason 83h, "
              "SGN.4]. It sees what the last owner of the unit left.");
    f.domain = NULL;
    f.reason = VTD_FR_LRT_2;
    f.access = 0;
    check(&f, "0000:00:03.0 (vtd unit 0): page request at 0x10004000 refused: "
              "nothing was ever set up for its bus (root entry not present) "
              "[reason 01h, LRT.2]. uiommu knows no device with this id. Look "
              "at whether the device was added, with its present bus number.");
}

/* Nor has a domain to do with them. */
static void interrupts_have_no_address(void **state)
{
    struct uiommu_fault f = write_fault(VTD_FR_IR_SOURCE);

    (void)state;
    f.kind = UIOMMU_FAULT_INTERRUPT;
    f.has_iova = false;
    f.domain = NULL;
    f.has_index = true;
    f.index = 0x123;
    check(&f, "0000:00:03.0 (vtd unit 0): interrupt with index 0x123 refused: "
              "the remapping entry belongs to another requester [reason 26h]. "
              "Look at the source id in the entry, and aliases of the device.");
    f.has_index = false;
    f.domain = SOME_DOMAIN;
    f.domain_kind = UIOMMU_DOMAIN_IDENTITY;
    check(&f, "0000:00:03.0 (vtd unit 0): interrupt refused: the remapping "
              "entry belongs to another requester [reason 26h]. Look at the "
              "source id in the entry, and aliases of the device.");
}

/* Whatever is in the struct, it is only words. */
static void nonsense_is_survived(void **state)
{
    struct uiommu_fault f;
    char text[600];

    (void)state;
    memset(&f, 0xff, sizeof(f));
    f.driver = "vtd";
    f.has_iova = f.has_index = f.has_trace = f.overflow = true;
    for (unsigned level = 0; level < 256; level++) {
        f.level = (uint8_t)level;
        f.mapped = level % 2;
        f.has_source = level % 5 != 0;
        f.domain_kind = level % 3 ? UIOMMU_DOMAIN_PAGING : (uint8_t)level;
        assert_true(uiommu_explain_fault(&f, text, sizeof(text)) < 500);
    }
}

/* As snprintf: cut, terminated, and the length it wanted. */
static void text_is_cut_to_the_buffer(void **state)
{
    struct uiommu_fault f = write_fault(VTD_FR_LGN_2);
    char full[600], cut[600];
    size_t n = uiommu_explain_fault(&f, full, sizeof(full));

    (void)state;
    for (size_t size = 0; size <= n + 1; size++) {
        memset(cut, '#', sizeof(cut));
        assert_int_equal(uiommu_explain_fault(&f, cut, size), n);
        assert_int_equal(cut[size], '#');
        if (size == 0)
            continue;
        assert_int_equal(strlen(cut), size - 1);
        assert_memory_equal(cut, full, size - 1);
    }
}

/* ---- storms, and what a domain remembers --------------------------------- */

static void a_storm_says_how_many_there_were(void **state)
{
    struct uiommu_fault f = write_fault(VTD_FR_LGN_2);

    (void)state;
    f.kind = UIOMMU_FAULT_STORM;
    f.count = 1001;
    f.has_trace = true;
    f.below = (struct uiommu_range){ 0x10001000, 0x1000 };
    check(&f, "0000:00:03.0 (vtd unit 0): shut off after 1001 faults in a "
              "second, and not heard any more until it is armed again; the "
              "last: write at 0x10004000 refused: no right to write there "
              "(second stage) [reason 05h, LGN.2]. Nothing is mapped there "
              "(the walk ends at level 0, an empty entry for 4 KiB); the "
              "nearest mapping below ends 8 KiB before it.");
}

static void says_of(struct uiommu_fault *f, uint8_t history, uint64_t age_ns,
                    const char *tag, const char *want)
{
    char text[600];
    size_t n;

    f->history = history;
    f->age_ns = age_ns;
    f->event.tag = tag;
    n = uiommu_explain_fault(f, text, sizeof(text));
    assert_int_equal(n, strlen(text));
    assert_true(n >= strlen(want));
    assert_string_equal(text + n - strlen(want), want);
}

static void what_is_remembered_is_said(void **state)
{
    struct uiommu_fault f = write_fault(VTD_FR_LGN_2);

    (void)state;
    f.has_trace = true;
    f.below = (struct uiommu_range){ 0x10001000, 0x1000 };
    says_of(&f, UIOMMU_HISTORY_NONE, 0, NULL, "8 KiB before it.");
    says_of(&f, UIOMMU_HISTORY_UNMAPPED, 12345, "nvme-rx",
            "8 KiB before it. It was unmapped 12 us before by nvme-rx.");
    says_of(&f, UIOMMU_HISTORY_UNMAPPED, 9999, NULL,
            " It was unmapped 9999 ns before.");
    says_of(&f, UIOMMU_HISTORY_UNMAPPED, 10000, NULL,
            " It was unmapped 10 us before.");
    says_of(&f, UIOMMU_HISTORY_UNMAPPED, 34567890123, NULL,
            " It was unmapped 34 s before.");
    says_of(&f, UIOMMU_HISTORY_UNMAPPED, UINT64_MAX, NULL,
            " It was unmapped 18446744073 s before.");
    says_of(&f, UIOMMU_HISTORY_NEVER, 0, "who",
            "8 KiB before it. It never was mapped.");
    says_of(&f, UIOMMU_HISTORY_OLDER, 3000000, "who",
            " In the last 3000 us nobody mapped or unmapped it; the recorder "
            "does not reach back further.");
    f.mapped = true;
    f.rights = UIOMMU_READ;
    says_of(&f, UIOMMU_HISTORY_MAPPED, 77, "who",
            " The page is mapped read-only. It was mapped 77 ns before by "
            "who.");
    says_of(&f, UIOMMU_HISTORY_NEVER, 77, "who",
            " The page is mapped read-only.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_words),
        cmocka_unit_test(every_event_has_words),
        cmocka_unit_test(unknown_reasons_and_drivers),
        cmocka_unit_test(every_reason_has_causes),
        cmocka_unit_test(every_status_has_words),
        cmocka_unit_test(some_interrupt_faults_have_no_index),
        cmocka_unit_test(records_say_what_they_have),
        cmocka_unit_test(status_and_software_are_no_requests),
        cmocka_unit_test(streams_have_numbers),
        cmocka_unit_test(what_else_is_recorded_is_said),
        cmocka_unit_test(events_may_be_cut),
        cmocka_unit_test(a_hole_and_its_neighbours),
        cmocka_unit_test(sizes_are_short),
        cmocka_unit_test(a_page_without_the_right),
        cmocka_unit_test(other_domains),
        cmocka_unit_test(interrupts_have_no_address),
        cmocka_unit_test(a_storm_says_how_many_there_were),
        cmocka_unit_test(what_is_remembered_is_said),
        cmocka_unit_test(nonsense_is_survived),
        cmocka_unit_test(text_is_cut_to_the_buffer),
    };

    return cmocka_run_group_tests_name("fault sentences", tests, NULL, NULL);
}
