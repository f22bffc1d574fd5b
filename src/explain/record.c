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
static const struct uim_reason software[] = {
    { UIM_SOFTWARE_MAPPED_TWICE, NULL,
      "was mapped although its page-table entry was set already",
      NULL, mapped_twice },
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

static void put_source(struct uim_text *t, const struct uim_record *r)
{
    if (!(r->has & UIM_HAS_SOURCE)) {
        uim_text_f(t, of_device(r) ? "a device (%s): " : "%s: ", r->driver);
        return;
    }
    if (r->has & UIM_HAS_SEGMENT)
        uim_text_f(t, "%04x:", (unsigned)r->source.segment);
    uim_text_f(t, "%02x:%02x.%u", (unsigned)r->source.bus,
               (unsigned)r->source.devfn >> 3, (unsigned)r->source.devfn & 7u);
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

/* "PFO, faults were lost; PPF, ...", or the names alone. */
static void put_bits(struct uim_text *t, const struct uim_decoder *d,
                     uint32_t status, bool words)
{
    const char *between = "";

    for (unsigned i = 0; d && i < d->n_status; i++) {
        const struct uim_reason *bit = &d->status[i];

        if (!(status & bit->code))
            continue;
        uim_text_f(t, "%s%s", between, bit->name);
        if (words)
            uim_text_f(t, ", %s", bit->why);
        between = words ? "; " : " ";
    }
    if (between[0] == '\0')
        uim_text_f(t, "bits that are not known");
}

static void put_status(struct uim_text *t, const struct uim_record *r,
                       const struct uim_decoder *d)
{
    uim_text_f(t, "fault status %xh: ", (unsigned)r->reason);
    if (r->reason == ALL_ONES) {
        uim_text_f(t, "all ones, the unit does not answer.");
        return;
    }
    put_bits(t, d, r->reason, true);
    if (d && !(r->reason & d->announces))
        uim_text_f(t, "; no fault is recorded");
    else if (uim_record_announces(r))
        uim_text_f(t, "; no record follows here");
    uim_text_f(t, ".");
}

static void put_software(struct uim_text *t, const struct uim_record *r)
{
    const struct uim_reason *what = software_of(r->reason);

    if (r->has & UIM_HAS_ADDRESS)
        uim_text_f(t, "0x%lx ", r->address);
    else
        uim_text_f(t, "a page ");
    uim_text_f(t, "%s; software noticed this, no device faulted.",
               what ? what->why : "is odd");
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

static void put_lost(struct uim_text *t, const struct uim_record *r,
                     const struct uim_decoder *d)
{
    if (!(r->status & d->lost))
        return;
    uim_text_f(
        t, " Other faults were lost (fault status %xh: ", (unsigned)r->status);
    put_bits(t, d, r->status, false);
    uim_text_f(t, ").");
}

static void put_refused(struct uim_text *t, const struct uim_record *r,
                        const struct uim_decoder *d)
{
    put_request(t, r);
    if (r->has & UIM_HAS_REASON)
        uim_put_why(t, uim_reason_of(d, r->reason), r->reason);
    else
        uim_text_f(t, " refused; the reason is missing.");
    if (d && r->has & UIM_HAS_REASON && d->mode(r->reason))
        uim_text_f(t, " The unit is in %s.", d->mode(r->reason));
    put_rights(t, r);
    if (d)
        put_lost(t, r, d);
}

size_t uim_explain_record(const struct uim_record *record, char *buf,
                          size_t size)
{
    const struct uim_decoder *d = uim_decoder_of(record->driver);
    struct uim_text t;

    uim_text_init(&t, buf, size);
    put_source(&t, record);
    if (record->kind == UIM_RECORD_STATUS)
        put_status(&t, record, d);
    else if (record->kind == UIM_RECORD_SOFTWARE)
        put_software(&t, record);
    else
        put_refused(&t, record, d);
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

static void add_status(struct list *list, const struct uim_decoder *d,
                       uint32_t status)
{
    if (status == ALL_ONES) {
        add(list, gone);
        return;
    }
    for (unsigned i = 0; d && i < d->n_status; i++)
        if (status & d->status[i].code)
            add(list, d->status[i].causes);
}

unsigned uim_record_causes(const struct uim_record *r, const char **out,
                           unsigned max)
{
    const struct uim_decoder *d = uim_decoder_of(r->driver);
    struct list list = { out, 0, max };

    if (r->kind == UIM_RECORD_STATUS)
        add_status(&list, d, r->reason);
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

bool uim_record_announces(const struct uim_record *r)
{
    const struct uim_decoder *d = uim_decoder_of(r->driver);

    return r->kind == UIM_RECORD_STATUS && d &&
           !(r->reason & ~(d->announces | d->index));
}

void uim_record_settle(struct uim_record *r)
{
    const struct uim_decoder *d = uim_decoder_of(r->driver);

    if (!d || !(r->has & UIM_HAS_REASON))
        return;
    if (!d->rights(r->reason))
        r->has &= ~(unsigned)UIM_HAS_RIGHTS;
    if (!d->interrupt(r->reason))
        return;
    r->kind = UIM_RECORD_INTERRUPT;
    r->has &= ~(unsigned)(UIM_HAS_ACCESS | UIM_HAS_PASID);
    if (!d->has_index(r->reason))
        r->has &= ~(unsigned)UIM_HAS_ADDRESS;
}
