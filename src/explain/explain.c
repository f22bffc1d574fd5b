/* SPDX-License-Identifier: MIT */
/*
 * explain.c - a fault as sentences: who, what, where, why, what the domain says
 * of the place, what is mapped nearby. Needs no host and no unit; the code of
 * the unit is looked up in a decoder's table.
 */
#include <uiommu/domain.h>
#include <uiommu/fault.h>

#include "base/text.h"
#include "explain/explain.h"

/* Where no unit refused it: uiommu_access_fault(). */
static const struct uim_reason software_reasons[] = {
    { .code = 0, .why = "no right to that there, as software found" },
};

static const struct uim_decoder software = {
    .driver = "software",
    .reasons = software_reasons,
    .n_reasons = 1,
    .page_lg2 = 64, /* any format */
};

static const struct uim_decoder *const decoders[] = {
    &uim_decoder_vtd,
    &uim_decoder_smmuv3,
    &software,
};

static bool text_is(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

const struct uim_decoder *uim_decoder_of(const char *driver)
{
    for (unsigned i = 0; i < sizeof(decoders) / sizeof(decoders[0]); i++)
        if (driver && text_is(driver, decoders[i]->driver))
            return decoders[i];
    return NULL;
}

const struct uim_reason *uim_reason_of(const struct uim_decoder *d,
                                       uint32_t code)
{
    for (unsigned i = 0; d && i < d->n_reasons; i++)
        if (d->reasons[i].code == code)
            return &d->reasons[i];
    return NULL;
}

/* ---- who, what, where ---------------------------------------------------- */

static void put_who(struct uim_text *t, const struct uiommu_fault *f)
{
    if (f->has_source)
        uim_text_f(t, "%04x:%02x:%02x.%u", (unsigned)f->source.segment,
                   (unsigned)f->source.bus, (unsigned)f->source.devfn >> 3,
                   (unsigned)f->source.devfn & 7u);
    else
        uim_text_f(t, "requester 0x%lx", (uint64_t)f->id);
    uim_text_f(t, " (%s unit %u): ", f->driver ? f->driver : "?", f->unit);
}

const char *uim_access_name(unsigned access)
{
    switch (access & (UIOMMU_READ | UIOMMU_WRITE)) {
    case UIOMMU_READ:
        return "read";
    case UIOMMU_WRITE:
        return "write";
    case UIOMMU_READ | UIOMMU_WRITE:
        return "atomic access";
    default:
        return "page request";
    }
}

static void put_what(struct uim_text *t, const struct uiommu_fault *f)
{
    if (f->kind == UIOMMU_FAULT_INTERRUPT) {
        uim_text_f(t, "interrupt");
        if (f->has_index)
            uim_text_f(t, " with index 0x%lx", (uint64_t)f->index);
        return;
    }
    /* Records that do not tell the address do not tell the access either. */
    uim_text_f(t, "%s",
               f->access || f->has_iova ? uim_access_name(f->access) : "DMA");
    if (f->has_iova)
        uim_text_f(t, " at 0x%lx", f->iova);
    if (f->pasid != UIOMMU_NO_PASID)
        uim_text_f(t, " with PASID %u", (unsigned)f->pasid);
}

/* ---- why ----------------------------------------------------------------- */

void uim_put_why(struct uim_text *t, const struct uim_decoder *d, uint32_t code)
{
    const struct uim_reason *r = uim_reason_of(d, code);
    bool hint = d && d->hint && d->hint(code);

    uim_text_f(t, " %s: %s [reason %02xh", hint ? "announced" : "refused",
               r ? r->why : "not known why", (unsigned)code);
    if (r && r->name)
        uim_text_f(t, ", %s", r->name);
    uim_text_f(t, "].");
}

/* Whoever is on the blocked domain needs no other explanation. */
static void put_look(struct uim_text *t, const struct uiommu_fault *f,
                     const struct uim_reason *r)
{
    bool blocked = f->domain && f->domain_kind == UIOMMU_DOMAIN_BLOCKED;

    if (r && r->look && !blocked)
        uim_text_f(t, " Look at %s.", r->look);
}

/* ---- what the domain says ------------------------------------------------ */

/* Exactly in the largest unit that can say so; "about" if the number would be
 * long. */
static void put_size(struct uim_text *t, uint64_t size)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB",
                                         "TiB",   "PiB", "EiB" };
    unsigned i = sizeof(units) / sizeof(units[0]) - 1;
    bool exact = false;

    for (; i > 0; i--) {
        exact = (size & ((UINT64_C(1) << (10 * i)) - 1)) == 0;
        if ((size >> (10 * i) > 0 && exact) || size >> (10 * i) >= 16)
            break;
    }
    uim_text_f(t, "%s%lu %s", exact || i == 0 ? "" : "about ", size >> (10 * i),
               units[i]);
}

static void put_below(struct uim_text *t, const struct uiommu_fault *f)
{
    uint64_t next = f->below.iova + f->below.size;

    if (next >= f->iova) {
        uim_text_f(t, "a mapping ends right before it");
        return;
    }
    uim_text_f(t, "the nearest mapping below ends ");
    put_size(t, f->iova - next);
    uim_text_f(t, " before it");
}

static void put_nearby(struct uim_text *t, const struct uiommu_fault *f)
{
    if (f->below.size > 0)
        put_below(t, f);
    if (f->below.size > 0 && f->above.size > 0)
        uim_text_f(t, ", ");
    if (f->above.size > 0) {
        uim_text_f(t, "the nearest above starts ");
        put_size(t, f->above.iova - f->iova);
        uim_text_f(t, " after it");
    }
    if (f->below.size == 0 && f->above.size == 0)
        uim_text_f(t, "nothing is mapped within reach");
}

static void put_hole(struct uim_text *t, const struct uiommu_fault *f,
                     const struct uim_decoder *d)
{
    unsigned lg2 = d ? d->page_lg2 + (unsigned)f->level * d->level_lg2 : 64;

    uim_text_f(t, " Nothing is mapped there");
    if (lg2 < 64) {
        uim_text_f(t, " (the walk ends at level %u, an empty entry for ",
                   (unsigned)f->level);
        put_size(t, UINT64_C(1) << lg2);
        uim_text_f(t, ")");
    }
    uim_text_f(t, "; ");
    put_nearby(t, f);
    uim_text_f(t, ".");
}

const char *uim_rights_name(unsigned rights)
{
    switch (rights & (UIOMMU_READ | UIOMMU_WRITE)) {
    case UIOMMU_READ:
        return "read-only";
    case UIOMMU_WRITE:
        return "write-only";
    case UIOMMU_READ | UIOMMU_WRITE:
        return "for reading and writing";
    default:
        return "without rights";
    }
}

/* If tables allow what was refused, they changed, or the unit did not look. */
static void put_leaf(struct uim_text *t, const struct uiommu_fault *f)
{
    uim_text_f(t, " The page is mapped %s", uim_rights_name(f->rights));
    if ((f->access & ~f->rights) == 0)
        uim_text_f(t, " by now: mapped after the fault, or the unit holds a "
                      "stale entry");
    uim_text_f(t, ".");
}

/* Division is the processor's only up to 32 bits. */
static uint64_t thousandth(uint64_t n)
{
    uint64_t q = 0;
    uint32_t rest = 0;

    for (int i = 48; i >= 0; i -= 16) {
        uint32_t part = rest << 16 | (uint32_t)(n >> i & 0xffff);

        q = q << 16 | part / 1000;
        rest = part % 1000;
    }
    return q;
}

/* In the largest unit that has two digits of it. */
static void put_age(struct uim_text *t, uint64_t ns)
{
    static const char *const units[] = { "ns", "us", "ms", "s" };
    unsigned i = 0;

    for (; i + 1 < sizeof(units) / sizeof(units[0]) && ns >= 10000; i++)
        ns = thousandth(ns);
    uim_text_f(t, "%lu %s", ns, units[i]);
}

static void put_event(struct uim_text *t, const struct uiommu_fault *f,
                      const char *what)
{
    uim_text_f(t, " It was %s ", what);
    put_age(t, f->age_ns);
    uim_text_f(t, " before%s%s.", f->event.tag ? " by " : "",
               f->event.tag ? f->event.tag : "");
}

static void put_history(struct uim_text *t, const struct uiommu_fault *f)
{
    switch (f->history) {
    case UIOMMU_HISTORY_MAPPED:
        put_event(t, f, "mapped");
        break;
    case UIOMMU_HISTORY_UNMAPPED:
        put_event(t, f, "unmapped");
        break;
    case UIOMMU_HISTORY_NEVER:
        uim_text_f(t, "%s", f->mapped ? "" : " It never was mapped.");
        break;
    case UIOMMU_HISTORY_OLDER:
        uim_text_f(t, " In the last ");
        put_age(t, f->age_ns);
        uim_text_f(t, " nobody mapped or unmapped it; the recorder does not "
                      "reach back further.");
        break;
    default:
        break;
    }
}

static void put_paging(struct uim_text *t, const struct uiommu_fault *f,
                       const struct uim_decoder *d)
{
    if (!f->has_iova)
        return;
    if (!f->has_trace)
        uim_text_f(t, " The address is beyond its domain.");
    else if (f->mapped)
        put_leaf(t, f);
    else
        put_hole(t, f, d);
    put_history(t, f);
}

/* Of an address space there is a trace only where its tables are uiommu's. */
static void put_tables(struct uim_text *t, const struct uiommu_fault *f,
                       const struct uim_decoder *d)
{
    if (f->domain_kind == UIOMMU_DOMAIN_SVA)
        uim_text_f(t, " It sees the address space of a process.");
    if (f->domain_kind != UIOMMU_DOMAIN_SVA || f->has_trace)
        put_paging(t, f, d);
}

/* f->domain is not looked into: it only tells whether there is one. */
static void put_domain(struct uim_text *t, const struct uiommu_fault *f,
                       const struct uim_decoder *d)
{
    if (f->kind == UIOMMU_FAULT_INTERRUPT)
        return; /* entries decide, not domains */
    if (!f->domain)
        uim_text_f(t, " uiommu knows no device with this id.");
    else if (f->domain_kind == UIOMMU_DOMAIN_BLOCKED)
        uim_text_f(t, " It sees the blocked domain.");
    else if (f->domain_kind == UIOMMU_DOMAIN_IDENTITY)
        uim_text_f(t, " It sees the identity domain.");
    else if (f->domain_kind == UIOMMU_DOMAIN_INHERITED)
        uim_text_f(t, " It sees what the last owner of the unit left.");
    else
        put_tables(t, f, d);
}

size_t uiommu_explain_fault(const struct uiommu_fault *fault, char *buf,
                            size_t size)
{
    const struct uim_decoder *d = uim_decoder_of(fault->driver);
    const struct uim_reason *r = uim_reason_of(d, fault->reason);
    struct uim_text t;

    uim_text_init(&t, buf, size);
    put_who(&t, fault);
    if (fault->kind == UIOMMU_FAULT_STORM)
        uim_text_f(&t,
                   "shut off after %u faults in a second, and not heard "
                   "any more until it is armed again; the last: ",
                   (unsigned)fault->count);
    put_what(&t, fault);
    uim_put_why(&t, d, fault->reason);
    put_domain(&t, fault, d);
    put_look(&t, fault, r);
    if (fault->overflow)
        uim_text_f(&t, " Other faults were lost.");
    return t.wanted;
}
