/* SPDX-License-Identifier: MIT */
/*
 * record.c - faults that were recorded elsewhere, as sentences, and what may lie
 * behind them. There is no domain to look into, and parts may be missing.
 */
#include "explain/explain.h"

/* ---- what software notices ----------------------------------------------- */

/* clang-format off */
static const char *const mapped_twice[] = {
    "stale page-table entries: an unmap before was incomplete",
    "two users of one domain give out the same addresses",
    NULL
};
static const char *const no_completion[] = {
    "the command queue was switched off or the unit reset while it was in use: "
    "its driver was removed or shut down",
    "the unit stopped at a command that it refuses, see the errors before",
    "a device does not answer invalidations of its translation cache (ATS)",
    "the unit or its interconnect lost power or its clock",
    NULL
};
static const char *const page_request[] = {
    "page requests (PRI) were left on in the device, or switched on by itself",
    NULL
};
static const struct uim_reason software[] = {
    { UIM_SOFTWARE_MAPPED_TWICE, "a page",
      "was mapped although its page-table entry was set already",
      NULL, mapped_twice },
    { UIM_SOFTWARE_NO_COMPLETION, "the unit",
      "did not complete its commands in time",
      NULL, no_completion },
    { UIM_SOFTWARE_QUEUE_FULL, "the unit",
      "did not take a command from its queue in time",
      NULL, no_completion },
    { UIM_SOFTWARE_PAGE_REQUEST, "a page request",
      "was refused: nobody handles page requests",
      NULL, page_request },
};

static const char *const at_zero[] = {
    "the device used an empty descriptor or pointer: never set up, or cleared by "
    "a reset",
    NULL
};
static const char *const gone[] = {
    "the unit lost power, or the device that it is part of was reset or disabled",
    NULL
};
/* clang-format on */

#define ALL_ONES UINT32_C(0xffffffff)

static const struct uim_reason *software_of(uint32_t code)
{
    for (unsigned i = 0; i < sizeof(software) / sizeof(software[0]); i++)
        if (software[i].code == code)
            return &software[i];
    return NULL;
}

/* ---- the sentence -------------------------------------------------------- */

static bool of_device(const struct uim_record *r)
{
    return r->kind == UIM_RECORD_DMA || r->kind == UIM_RECORD_INTERRUPT;
}

static void put_pci(struct uim_text *t, unsigned bus, unsigned devfn)
{
    uim_text_f(t, "%02x:%02x.%u", bus, devfn >> 3, devfn & 7u);
}

/* Streams are numbered by the platform; often that is the requester id. */
static void put_stream(struct uim_text *t, const struct uim_record *r)
{
    bool named = r->has & UIM_HAS_SOURCE || r->client[0] != '\0';

    uim_text_f(t, "%sstream 0x%x", named ? ", " : "", (unsigned)r->stream);
    if (named || r->stream > 0xffff)
        return;
    uim_text_f(t, " (as a requester id ");
    put_pci(t, r->stream >> 8, r->stream & 0xff);
    uim_text_f(t, ")");
}

static void put_source(struct uim_text *t, const struct uim_record *r)
{
    if (!(r->has & (UIM_HAS_SOURCE | UIM_HAS_STREAM)) && !r->client[0]) {
        uim_text_f(t, of_device(r) ? "a device (%s): " : "%s: ", r->driver);
        return;
    }
    if (r->has & UIM_HAS_SOURCE && r->has & UIM_HAS_SEGMENT)
        uim_text_f(t, "%04x:", (unsigned)r->source.segment);
    if (r->has & UIM_HAS_SOURCE)
        put_pci(t, r->source.bus, r->source.devfn);
    else
        uim_text_f(t, "%s", r->client);
    if (r->has & UIM_HAS_STREAM)
        put_stream(t, r);
    if (r->name)
        uim_text_f(t, ", %s", r->name);
    uim_text_f(t, " (%s): ", r->driver);
}

static void put_request(struct uim_text *t, const struct uim_record *r)
{
    if (r->kind == UIM_RECORD_INTERRUPT) {
        uim_text_f(t, "interrupt");
        if (r->has & UIM_HAS_ADDRESS)
            uim_text_f(t, " with index 0x%lx", r->address);
        return;
    }
    uim_text_f(t, "%s",
               r->has & UIM_HAS_ACCESS ? uim_access_name(r->access) : "DMA");
    if (r->has & UIM_HAS_ADDRESS)
        uim_text_f(t, " at 0x%lx", r->address);
    if (r->has & UIM_HAS_PASID)
        uim_text_f(t, " with PASID %u", (unsigned)r->pasid);
}

static bool is_set(const struct uim_status *s, const struct uim_reason *bit,
                   uint32_t status)
{
    return s->field ? (status & s->field) == bit->code : status & bit->code;
}

/* "PFO, faults were lost; PPF, ...", or the names alone. */
static void put_bits(struct uim_text *t, const struct uim_status *s,
                     uint32_t status, bool words)
{
    const char *between = "";

    for (unsigned i = 0; s && i < s->n_bits; i++) {
        const struct uim_reason *bit = &s->bits[i];

        if (!is_set(s, bit, status))
            continue;
        uim_text_f(t, "%s%s", between, bit->name);
        if (words)
            uim_text_f(t, ", %s", bit->why);
        between = words ? "; " : " ";
    }
    if (between[0] == '\0')
        uim_text_f(t, "bits that are not known");
}

static void put_status(struct uim_text *t, const struct uim_record *r)
{
    const struct uim_status *s = uim_record_status(r);

    uim_text_f(t, "%s %xh: ", s ? s->title : "fault status",
               (unsigned)r->reason);
    if (r->reason == ALL_ONES) {
        uim_text_f(t, "all ones, the unit does not answer.");
        return;
    }
    put_bits(t, s, r->reason, true);
    if (s && s->announces && !(r->reason & s->announces))
        uim_text_f(t, "; no fault is recorded");
    else if (uim_record_announces(r))
        uim_text_f(t, "; no record follows here");
    uim_text_f(t, ".");
}

static void put_software(struct uim_text *t, const struct uim_record *r)
{
    const struct uim_reason *what = software_of(r->reason);

    uim_text_f(t, "%s", what ? what->name : "something");
    if (r->has & UIM_HAS_ADDRESS)
        uim_text_f(t, " at 0x%lx", r->address);
    uim_text_f(t, " %s; software noticed this", what ? what->why : "is odd");
    if (!(r->has & UIM_HAS_STREAM))
        uim_text_f(t, ", no device faulted");
    uim_text_f(t, ".");
}

/* "Recorded: stage 1, CLASS IN, STAG 0x7c." */
static void put_details(struct uim_text *t, const struct uim_record *r)
{
    for (unsigned i = 0; i < r->n_details; i++) {
        const struct uim_detail *d = &r->details[i];

        uim_text_f(t, "%s%s ", i ? ", " : " Recorded: ", d->name);
        if (d->word)
            uim_text_f(t, "%s", d->word);
        else
            uim_text_f(t, "0x%lx", d->value);
    }
    if (r->n_details)
        uim_text_f(t, ".");
}

static bool is_allowed(const struct uim_record *r)
{
    return r->has & UIM_HAS_RIGHTS && r->has & UIM_HAS_ACCESS &&
           r->access != 0 && !(r->access & ~r->rights);
}

static void put_rights(struct uim_text *t, const struct uim_record *r)
{
    if (!(r->has & UIM_HAS_RIGHTS))
        return;
    if (r->rights == 0)
        uim_text_f(t, " In the log nothing is mapped there.");
    else
        uim_text_f(t, " In the log the page is mapped %s%s.",
                   uim_rights_name(r->rights),
                   is_allowed(r) ? ", which allows this" : "");
}

/* Of the first register: it stands next to the records. */
static void put_lost(struct uim_text *t, const struct uim_record *r,
                     const struct uim_decoder *d)
{
    if (d->n_status == 0 || !(r->status & d->status[0].lost))
        return;
    uim_text_f(t, " Other faults were lost (%s %xh: ", d->status[0].title,
               (unsigned)r->status);
    put_bits(t, &d->status[0], r->status, false);
    uim_text_f(t, ").");
}

static void put_mode(struct uim_text *t, const struct uim_record *r,
                     const struct uim_decoder *d)
{
    const char *mode = d->mode ? d->mode(r->reason) : NULL;

    if (mode)
        uim_text_f(t, " The unit is in %s.", mode);
}

static void put_refused(struct uim_text *t, const struct uim_record *r,
                        const struct uim_decoder *d)
{
    put_request(t, r);
    if (r->has & UIM_HAS_REASON)
        uim_put_why(t, d, r->reason);
    else
        uim_text_f(t, " refused; the reason is missing.");
    if (d && r->has & UIM_HAS_REASON)
        put_mode(t, r, d);
    put_rights(t, r);
    if (d)
        put_lost(t, r, d);
}

size_t uim_explain_record(const struct uim_record *record, char *buf,
                          size_t size)
{
    struct uim_text t;

    uim_text_init(&t, buf, size);
    put_source(&t, record);
    if (record->kind == UIM_RECORD_STATUS)
        put_status(&t, record);
    else if (record->kind == UIM_RECORD_SOFTWARE)
        put_software(&t, record);
    else
        put_refused(&t, record, uim_decoder_of(record->driver));
    put_details(&t, record);
    return t.wanted;
}

/* ---- causes -------------------------------------------------------------- */

struct list {
    const char **out;
    unsigned n, max;
};

static void add(struct list *list, const char *const *causes)
{
    for (; causes && *causes && list->n < list->max; causes++)
        list->out[list->n++] = *causes;
}

static void add_reason(struct list *list, const struct uim_reason *reason)
{
    if (reason)
        add(list, reason->causes);
}

static void add_status(struct list *list, const struct uim_status *s,
                       uint32_t status)
{
    if (status == ALL_ONES) {
        add(list, gone);
        return;
    }
    for (unsigned i = 0; s && i < s->n_bits; i++)
        if (is_set(s, &s->bits[i], status))
            add(list, s->bits[i].causes);
}

unsigned uim_record_causes(const struct uim_record *r, const char **out,
                           unsigned max)
{
    const struct uim_decoder *d = uim_decoder_of(r->driver);
    struct list list = { out, 0, max };

    if (r->kind == UIM_RECORD_STATUS)
        add_status(&list, uim_record_status(r), r->reason);
    if (r->kind == UIM_RECORD_SOFTWARE)
        add_reason(&list, software_of(r->reason));
    if (!of_device(r) || !(r->has & UIM_HAS_REASON))
        return list.n;
    if (r->kind == UIM_RECORD_DMA && r->has & UIM_HAS_ADDRESS && !r->address)
        add(&list, at_zero);
    if (d && is_allowed(r))
        add(&list, d->allowed);
    else
        add_reason(&list, uim_reason_of(d, r->reason));
    return list.n;
}

/* ---- what a reason says of its record ------------------------------------ */

const struct uim_status *uim_record_status(const struct uim_record *r)
{
    const struct uim_decoder *d = uim_decoder_of(r->driver);

    if (r->kind != UIM_RECORD_STATUS || !d || r->reg >= d->n_status)
        return NULL;
    return &d->status[r->reg];
}

bool uim_record_announces(const struct uim_record *r)
{
    const struct uim_status *s = uim_record_status(r);

    return s && !(r->reason & ~(s->announces | s->index));
}

void uim_record_settle(struct uim_record *r)
{
    const struct uim_decoder *d = uim_decoder_of(r->driver);

    if (!d || !(r->has & UIM_HAS_REASON))
        return;
    if (!d->rights || !d->rights(r->reason))
        r->has &= ~(unsigned)UIM_HAS_RIGHTS;
    if (!d->interrupt || !d->interrupt(r->reason))
        return;
    r->kind = UIM_RECORD_INTERRUPT;
    r->has &= ~(unsigned)(UIM_HAS_ACCESS | UIM_HAS_PASID);
    if (!d->has_index(r->reason))
        r->has &= ~(unsigned)UIM_HAS_ADDRESS;
}

void uim_record_add(struct uim_record *r, const char *name, const char *word,
                    uint64_t value)
{
    if (r->n_details == UIM_DETAILS_MAX)
        return;
    r->details[r->n_details++] = (struct uim_detail){ name, word, value };
}
