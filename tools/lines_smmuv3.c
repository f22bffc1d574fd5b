/* SPDX-License-Identifier: MIT */
/*
 * lines_smmuv3.c - SMMUv3 events and errors as Linux and Xen of all ages print
 * them, and raw events. Each line has the name of the unit before it.
 *
 *   event 0x10 received:
 *     0x0000010000000010                     and three more           since 4.2
 *   event: F_TRANSLATION client: 0000:01:00.0 sid: 0x100 ssid: 0x0
 *     iova: 0x90000f040 ipa: 0x0
 *   unpriv data write s1 "Input address caused fault" stag: 0x0       since 6.14
 *   unexpected PRI request received:
 *     sid 0x00000100.0x00001: [3L] unprivileged R access at iova
 *     0x0000000000001000
 *   unexpected global error reported (0x00000001), this could be serious
 *   CMDQ error (cons 0x01000022): Illegal command
 *   skipping command in error state:
 *     0x0000000000000000                     and one more
 *   CMD_SYNC timeout at 0x00000146 [hwprod 0x00000146, hwcons 0x00000000]
 *   EVENTQ[3] 0x0000010000000010 0x0000020000000000 ...               registers
 */
#include "tools/lines.h"

#include <string.h>

#include "spec/smmuv3.h"

enum {
    LINES_AHEAD = 3, /* other CPUs print between the lines of an event */
    EVENT_WORDS = SMMUV3_EVENT_BYTES / 8,
    CMD_WORDS = SMMUV3_CMD_BYTES / 8,
    WORD_DIGITS = 16,
    GERROR_LINES = 12, /* one for each error, and the command */
};

#define GERROR(field)                                                          \
    ((uint32_t)smmuv3_gerror_pack(                                             \
         &(struct smmuv3_gerror_fields){ .field = 1 })                         \
         .raw)

/* ---- words on lines of their own ----------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Where what has been read as `literal` begins. */
static struct lines_text start_of(const struct lines_text *t,
                                  const char *literal)
{
    struct lines_text u = *t;

    for (; *literal != '\0'; literal++)
        while (*literal != ' ' && u.at > 0 &&
               (u.at--, is_blank(u.text[u.at]) || u.text[u.at] == '\n'))
            ;
    return u;
}

/* The name of the unit, "fc900000.iommu: event"; `end` is that of the name. */
static size_t name_before(const struct lines_text *t, size_t *end)
{
    size_t at = t->at;

    while (at > 0 && is_blank(t->text[at - 1]))
        at--;
    *end = at;
    if (at == 0 || t->text[at - 1] != ':')
        return at;
    *end = --at;
    while (at > 0 && !is_blank(t->text[at - 1]) && t->text[at - 1] != '\n')
        at--;
    return at;
}

/* The same unit prints both. A name may be broken: its end is enough, and where
 * there is none, there is nothing to compare. */
static bool same_unit(const struct lines_text *a, const struct lines_text *b)
{
    size_t a_end, b_end;
    size_t a_size = name_before(a, &a_end), b_size = name_before(b, &b_end);
    size_t n;

    a_size = a_end - a_size;
    b_size = b_end - b_size;
    n = a_size < b_size ? a_size : b_size;
    return memcmp(a->text + a_end - n, b->text + b_end - n, n) == 0;
}

/* Behind a colon, or first on its line. */
static bool starts_value(const struct lines_text *t)
{
    size_t at = t->at;

    while (at > 0 && is_blank(t->text[at - 1]))
        at--;
    return at == 0 || t->text[at - 1] == '\n' || t->text[at - 1] == ':';
}

static bool ends_line(struct lines_text t)
{
    while (t.at < t.size && is_blank(t.text[t.at]))
        t.at++;
    return t.at == t.size || t.text[t.at] == '\n';
}

static bool take_word(struct lines_text *t, uint64_t *word)
{
    struct lines_text u = *t;

    if (!starts_value(t) || !lines_skip(&u, "0x") ||
        !lines_digits(&u, WORD_DIGITS, word) || !ends_line(u))
        return false;
    t->at = u.at;
    return true;
}

static bool starts_another(struct lines_text t)
{
    return lines_skip(&t, "event 0x") || lines_skip(&t, "event: ") ||
           lines_skip(&t, "error reported (") || lines_skip(&t, "CMDQ error");
}

/* Up to `max` words that the unit prints behind `first`. Returns how many. */
static unsigned take_words(const struct lines_text *first, struct lines_text *t,
                           uint64_t *words, unsigned max)
{
    struct lines_text u = *t;
    unsigned n = 0, lines = 0;

    while (n < max && u.at < u.size && lines <= LINES_AHEAD &&
           !starts_another(u)) {
        struct lines_text before = u;

        if (take_word(&u, &words[n]) && same_unit(first, &before)) {
            n++;
            lines = 0;
            *t = u;
            continue;
        }
        u.at = before.at + 1;
        lines += before.text[before.at] == '\n';
    }
    return n;
}

/* ---- what Linux says of an event in words -------------------------------- */

static void set_stream(struct uim_record *r, uint64_t stream)
{
    r->stream = (uint32_t)stream;
    r->has |= UIM_HAS_STREAM;
}

/* Printed even where there is none: as 0. */
static void set_ssid(struct uim_record *r, uint64_t ssid)
{
    if (ssid == 0 || ssid >= UINT64_C(1) << 20)
        return;
    r->pasid = (uint32_t)ssid;
    r->has |= UIM_HAS_PASID;
}

static bool take_number(struct lines_text *t, const char *before,
                        uint64_t *value)
{
    struct lines_text u = *t;

    if (!lines_skip(&u, before) || !lines_hex(&u, "", value))
        return false;
    t->at = u.at;
    return true;
}

static bool take_name(struct lines_text *t, struct uim_record *r)
{
#define ROW(code, name, text) { code, #name },
    static const struct {
        uint32_t code;
        const char *name;
    } names[] = { SMMUV3_EVENTS(ROW) };
#undef ROW

    if (lines_skip(t, "UNKNOWN client: "))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct lines_text u = *t;

        if (!lines_skip(&u, names[i].name) || !lines_skip(&u, " client: "))
            continue;
        t->at = u.at;
        r->reason = names[i].code;
        r->has |= UIM_HAS_REASON;
        return true;
    }
    return false;
}

/* The name of a device on no PCI bus: "fe330000.usb". */
static bool take_client_name(struct lines_text *t, struct uim_record *r)
{
    struct lines_text u = *t;
    size_t n = 0;

    for (; u.at < u.size && n + 1 < UIM_CLIENT_SIZE; u.at++) {
        char c = u.text[u.at];

        if (c <= ' ' || c > '~')
            break;
        r->client[n++] = c;
    }
    r->client[n] = '\0';
    *t = u;
    return true;
}

/* Only where "sid:" follows, it is whole. */
static bool take_client(struct lines_text *t, struct uim_record *r)
{
    struct lines_text u = *t, v;

    if (!lines_skip(&u, "(unassigned sid)") && !lines_pci(&u, r))
        (void)take_client_name(&u, r);
    v = u;
    if (lines_skip(&v, " sid: ")) {
        t->at = u.at;
        return true;
    }
    r->client[0] = '\0';
    r->has &= ~(unsigned)(UIM_HAS_SOURCE | UIM_HAS_SEGMENT);
    return false;
}

static void take_addresses(struct lines_text *t, struct uim_record *r)
{
    uint64_t value;

    if (take_number(t, " iova: ", &r->address))
        r->has |= UIM_HAS_ADDRESS;
    if (take_number(t, " ipa: ", &value) && value != 0)
        uim_record_add(r, "IPA", NULL, value);
    if (take_number(t, " fetch_addr: ", &value))
        uim_record_add(r, "FetchAddr", NULL, value);
}

static const char *take_class(struct lines_text *t)
{
    static const struct {
        const char *words, *name;
    } classes[] = {
        { "Input address caused fault", "IN" },
        { "Stage 1 translation table fetch", "TT" },
        { "CD fetch", "CD" },
    };

    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (lines_skip(t, classes[i].words))
            return classes[i].name;
    return NULL;
}

/* "unpriv data write s1 "Input address caused fault" stag: 0x0" */
static bool take_access(struct lines_text *t, struct uim_record *r)
{
    struct lines_text u = *t;
    bool read, first, stalled;
    const char *class;
    uint64_t stag;

    if (!lines_skip(&u, "priv data ") && !lines_skip(&u, "priv inst "))
        return false;
    read = lines_skip(&u, "read ");
    if (!read && !lines_skip(&u, "write "))
        return false;
    first = lines_skip(&u, "s1 \"");
    if (!first && !lines_skip(&u, "s2 \""))
        return false;
    r->access = read ? UIOMMU_READ : UIOMMU_WRITE;
    r->has |= UIM_HAS_ACCESS;
    uim_record_add(r, "stage", first ? "1" : "2", 0);
    class = take_class(&u);
    if (class)
        uim_record_add(r, "CLASS", class, 0);
    (void)(lines_skip(&u, "\" ttd_read") || lines_skip(&u, "\" ttd_write") ||
           lines_skip(&u, "\""));
    stalled = lines_skip(&u, " stall");
    if (stalled)
        uim_record_add(r, "Stall", NULL, 1);
    if (take_number(&u, " stag: ", &stag) && (stalled || stag != 0))
        uim_record_add(r, "STAG", NULL, stag);
    *t = u;
    return true;
}

/* On one of the next lines. */
static void find_access(struct lines_text *t, struct uim_record *r)
{
    struct lines_text u = *t;
    unsigned lines = 0;

    for (; u.at < u.size && lines <= LINES_AHEAD && !starts_another(u);
         u.at++) {
        if (take_access(&u, r)) {
            *t = u;
            return;
        }
        lines += u.text[u.at] == '\n';
    }
}

/* Behind "event: ". */
static bool take_decoded(struct lines_text *t, struct uim_record *r)
{
    struct lines_text u = *t;
    uint64_t value;

    if (!take_name(&u, r) || !take_client(&u, r))
        return false;
    if (take_number(&u, " sid: ", &value)) {
        set_stream(r, value);
        if (take_number(&u, " ssid: ", &value))
            set_ssid(r, value);
        take_addresses(&u, r);
    }
    find_access(&u, r);
    *t = u;
    return true;
}

/* ---- events -------------------------------------------------------------- */

static bool has_detail(const struct uim_record *r, const char *name)
{
    for (unsigned i = 0; i < r->n_details; i++)
        if (strcmp(r->details[i].name, name) == 0)
            return true;
    return false;
}

/* What only `from` has. */
static void merge(struct uim_record *r, const struct uim_record *from)
{
    unsigned more = from->has & ~r->has;

    if (more & UIM_HAS_SOURCE)
        r->source = from->source;
    if (more & UIM_HAS_STREAM)
        r->stream = from->stream;
    if (more & UIM_HAS_PASID)
        r->pasid = from->pasid;
    if (more & UIM_HAS_ACCESS)
        r->access = from->access;
    if (more & UIM_HAS_ADDRESS)
        r->address = from->address;
    memcpy(r->client, from->client, sizeof(r->client));
    r->has |= more;
    for (unsigned i = 0; i < from->n_details; i++)
        if (!has_detail(r, from->details[i].name))
            uim_record_add(r, from->details[i].name, from->details[i].word,
                           from->details[i].value);
}

static bool same_event(const struct uim_record *a, const struct uim_record *b)
{
    if (b->has & UIM_HAS_REASON && a->reason != b->reason)
        return false;
    return !(a->has & b->has & UIM_HAS_STREAM) || a->stream == b->stream;
}

/* Behind the words of an event. */
static void find_decoded(struct lines_text *t, struct lines_text u,
                         struct uim_record *r)
{
    unsigned lines = 0;

    for (; u.at < u.size && lines <= LINES_AHEAD; u.at++) {
        struct uim_record decoded = { .driver = r->driver };

        lines += u.text[u.at] == '\n';
        if (!starts_another(u))
            continue;
        if (lines_skip(&u, "event: ") && take_decoded(&u, &decoded) &&
            same_event(r, &decoded)) {
            merge(r, &decoded);
            t->used = u.at;
        }
        return;
    }
}

static bool read_event(struct lines_text *t, struct uim_record *r)
{
    const struct lines_text first = start_of(t, "event 0x");
    struct lines_text u = *t;
    uint64_t id, words[EVENT_WORDS];
    unsigned n;

    if (!lines_hex(&u, "r", &id) || !lines_skip(&u, " received:") || id == 0 ||
        id > 0xff)
        return false;
    t->at = u.at;
    n = take_words(&first, &u, words, EVENT_WORDS);
    if (n == 0 || !uim_smmuv3_record(words, n, r) || r->reason != id)
        *r = (struct uim_record){ .driver = r->driver,
                                  .has = UIM_HAS_REASON,
                                  .reason = (uint32_t)id };
    find_decoded(t, u, r);
    return true;
}

/* Of an event whose words are lost. */
static bool read_decoded(struct lines_text *t, struct uim_record *r)
{
    if (t->at <= t->used || !take_decoded(t, r))
        return false;
    t->used = t->at;
    return true;
}

/* "[3L] unprivileged RW access at iova 0x": the group, and its last one. */
static bool take_group(struct lines_text *t, struct uim_record *r)
{
    uint64_t group;

    if (!lines_skip(t, ": [") || !lines_decimal(t, "L]", &group))
        return false;
    uim_record_add(r, "PRGIndex", NULL, group);
    if (lines_skip(t, "L"))
        uim_record_add(r, "Last", NULL, 1);
    if (!lines_skip(t, "] "))
        return false;
    (void)lines_skip(t, "un");
    if (!lines_skip(t, "privileged "))
        return false;
    (void)lines_skip(t, "R");
    (void)lines_skip(t, "W");
    (void)lines_skip(t, "X");
    return lines_skip(t, " access at iova 0x");
}

/* "sid 0x00000100.0x00001: [3L] unprivileged RW access at iova 0x..." */
static bool read_page_request(struct lines_text *t, struct uim_record *r)
{
    uint64_t sid, ssid;

    if (!lines_digits(t, 8, &sid) || !lines_skip(t, ".0x") ||
        !lines_digits(t, 5, &ssid) || !take_group(t, r))
        return false;
    r->kind = UIM_RECORD_SOFTWARE;
    r->reason = UIM_SOFTWARE_PAGE_REQUEST;
    r->has |= UIM_HAS_ACCESS;
    set_stream(r, sid);
    set_ssid(r, ssid);
    if (lines_digits(t, WORD_DIGITS, &r->address))
        r->has |= UIM_HAS_ADDRESS;
    return true;
}

/* ---- errors of the unit -------------------------------------------------- */

static bool set_status(struct uim_record *r, unsigned reg, uint64_t value)
{
    r->kind = UIM_RECORD_STATUS;
    r->reg = (uint8_t)reg;
    r->reason = (uint32_t)value;
    r->has |= UIM_HAS_REASON;
    return true;
}

/* What Linux prints behind the register, for each of its bits. */
#define ERROR_LINES(X)                                                         \
    X("CMDQ MSI write aborted", msi_cmdq_abt_err)                              \
    X("EVTQ MSI write aborted", msi_eventq_abt_err)                            \
    X("PRIQ MSI write aborted", msi_priq_abt_err)                              \
    X("GERROR MSI write aborted", msi_gerror_abt_err)                          \
    X("EVTQ write aborted", eventq_abt_err)                                    \
    X("PRIQ write aborted", priq_abt_err)                                      \
    X("device has entered Service Failure Mode", sfm_err)

#define READ_ERROR(words, field)                                               \
    static bool read_##field(struct lines_text *t, struct uim_record *r)       \
    {                                                                          \
        return t->at > t->used &&                                              \
               set_status(r, UIM_SMMUV3_GERROR, GERROR(field));                \
    }
ERROR_LINES(READ_ERROR)

/* The bit that a line here is about; 0: none. */
static uint32_t skip_error(struct lines_text *t)
{
#define SKIP_ERROR(words, field)                                               \
    if (lines_skip(t, words))                                                  \
        return GERROR(field);
    ERROR_LINES(SKIP_ERROR)
    return 0;
}

/* Those lines say no more than the register, each once. */
static void use_errors(struct lines_text *t, uint32_t gerror)
{
    struct lines_text u = *t;
    unsigned lines = 0;

    while (u.at < u.size && lines < GERROR_LINES) {
        uint32_t bit = skip_error(&u);

        if (bit & ~gerror || lines_skip(&u, "global error reported ("))
            return;
        gerror &= ~bit;
        if (bit) {
            t->used = u.at;
            continue;
        }
        lines += u.text[u.at++] == '\n';
    }
}

static bool read_gerror(struct lines_text *t, struct uim_record *r)
{
    uint64_t gerror;

    if (!lines_hex(t, ")", &gerror) || !lines_skip(t, ")") || gerror == 0 ||
        gerror > UINT32_MAX)
        return false;
    use_errors(t, (uint32_t)gerror);
    return set_status(r, UIM_SMMUV3_GERROR, gerror);
}

/* The command that the unit stopped at. */
static void find_command(const struct lines_text *first, struct lines_text t,
                         struct uim_record *r)
{
    uint64_t words[CMD_WORDS];
    unsigned lines = 0;

    for (; t.at < t.size && lines <= LINES_AHEAD && !starts_another(t);
         t.at++) {
        lines += t.text[t.at] == '\n';
        if (!lines_skip(&t, "skipping command in error state:"))
            continue;
        if (take_words(first, &t, words, CMD_WORDS) > 0)
            uim_record_add(r, "opcode", NULL,
                           smmuv3_cmd_any_q0_opcode(
                               (struct smmuv3_cmd_any_q0){ words[0] }));
        return;
    }
}

static bool read_cons(struct lines_text *t, struct uim_record *r)
{
    const struct lines_text first = start_of(t, "CMDQ error (cons ");
    uint64_t raw;

    if (first.at > 0 && first.text[first.at - 1] == 'M') /* of a UMMU */
        return false;
    if (!lines_hex(t, ")", &raw) || !lines_skip(t, ")") || raw > UINT32_MAX)
        return false;
    uim_record_add(r, "RD", NULL,
                   smmuv3_cmdq_cons_rd((struct smmuv3_cmdq_cons){ raw }));
    find_command(&first, *t, r);
    return set_status(r, UIM_SMMUV3_CMDQ_CONS, raw);
}

#define OVERFLOWED                                                             \
    (smmuv3_eventq_prod_pack(                                                  \
         &(struct smmuv3_eventq_prod_fields){ .ovflg = 1 })                    \
         .raw)

static bool read_events_lost(struct lines_text *t, struct uim_record *r)
{
    (void)t;
    return set_status(r, UIM_SMMUV3_EVENTQ_PROD, OVERFLOWED);
}

static bool read_requests_lost(struct lines_text *t, struct uim_record *r)
{
    (void)t;
    return set_status(r, UIM_SMMUV3_PRIQ_PROD, OVERFLOWED);
}

/* ---- what software waits for in vain ------------------------------------- */

static bool set_software(struct uim_record *r, enum uim_software what)
{
    r->kind = UIM_RECORD_SOFTWARE;
    r->reason = what;
    return true;
}

/* Until Linux 4.17 there are no numbers. */
static bool read_timeout(struct lines_text *t, struct uim_record *r)
{
    uint64_t at, prod, cons;

    if (lines_skip(t, " at 0x") && lines_digits(t, 8, &at) &&
        lines_skip(t, " [hwprod 0x") && lines_digits(t, 8, &prod)) {
        uim_record_add(r, "PROD", NULL, prod);
        if (lines_skip(t, ", hwcons 0x") && lines_digits(t, 8, &cons))
            uim_record_add(r, "CONS", NULL, cons);
    }
    return set_software(r, UIM_SOFTWARE_NO_COMPLETION);
}

static bool read_full(struct lines_text *t, struct uim_record *r)
{
    (void)t;
    return set_software(r, UIM_SOFTWARE_QUEUE_FULL);
}

/* ---- raw records --------------------------------------------------------- */

/* Four words of 64 bits, unless they look like half of eight. */
static bool take_wide(const uint64_t *w, bool wide, struct uim_record *r)
{
    return (wide || (w[1] | w[2] | w[3]) == 0) &&
           uim_smmuv3_record(w, EVENT_WORDS, r);
}

static bool take_narrow(const uint64_t *w, struct uim_record *r)
{
    uint64_t event[EVENT_WORDS];

    for (unsigned i = 0; i < EVENT_WORDS; i++)
        event[i] = w[2 * i + 1] << 32 | w[2 * i];
    return uim_smmuv3_record(event, EVENT_WORDS, r);
}

/* Four words of 64 bits or eight of 32, the low one first; before them may be an
 * offset. */
static bool read_raw(struct lines_text *t, struct uim_record *r)
{
    uint64_t w[2 * EVENT_WORDS + 1];
    unsigned n;
    bool wide, is_event = false;

    if (!lines_name(t))
        return false;
    n = lines_words(t, w, 2 * EVENT_WORDS + 1, &wide);
    if (n >= 2 * EVENT_WORDS && !wide)
        is_event = take_narrow(w + n - 2 * EVENT_WORDS, r);
    else if (n == EVENT_WORDS || n == EVENT_WORDS + 1)
        is_event = take_wide(w + n - EVENT_WORDS, wide, r);
    return is_event && uim_reason_of(uim_decoder_of(r->driver), r->reason);
}

#define READER(words, field) { words, read_##field },
static const struct lines_reader readers[] = {
    { "event 0x", read_event },
    { "event: ", read_decoded },
    { "sid 0x", read_page_request },
    { "global error reported (", read_gerror },
    { "CMDQ error (cons ", read_cons },
    ERROR_LINES(READER){ "EVTQ overflow detected", read_events_lost },
    { "PRIQ overflow detected", read_requests_lost },
    { "CMD_SYNC timeout", read_timeout },
    { "CMDQ timeout", read_full },
    { "EVENTQ", read_raw },
    { "EVTQ", read_raw },
};

const struct lines_format lines_smmuv3 = {
    .driver = "smmuv3",
    .readers = readers,
    .n = sizeof(readers) / sizeof(readers[0]),
};
