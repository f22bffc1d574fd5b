/* SPDX-License-Identifier: MIT */
/*
 * audit.c - who is confined, by the tables that units really read.
 *
 * First whoever is known: each endpoint's entry is looked up as its unit would do it, and
 * judged under its group's mutex, so that nobody changes it meanwhile. Then the tables
 * themselves from end to end, for requesters that nobody knows: those entries nobody
 * changes, as devices come and go under u->lock.
 */
#include "core/audit.h"

#include "base/text.h"

#define UNIT_WORDS (UINT64_C(1) << 26)
#define ID_WORDS   (UINT64_C(1) << 24)

enum { MOST_UNREAD = 64 };

struct audit {
    struct uiommu *u;
    uiommu_audit_fn fn;
    void *ctx;
    struct uim_unit *unit;
    struct uim_unit_audit as; /* what the unit does                          */
    struct uim_audit_reader reader;
    unsigned unread; /* stretches of tables, of nobody              */
};

/* One requester under examination. */
struct subject {
    uint32_t id, pasid;
    const struct uiommu_endpoint *ep; /* NULL: nobody knows it               */
    struct uiommu_domain *domain;     /* what it is to see, or NULL          */
};

static struct uiommu_endpoint *endpoint_of(struct uim_node *n)
{
    return uim_container(n, struct uiommu_endpoint, node);
}

/* ---- sentences --------------------------------------------------------------- */

enum { TEXT = 256 };

static const char *const says[] = {
    [UIOMMU_AUDIT_UNIT] = "translates by the tables of uiommu",
    [UIOMMU_AUDIT_CONFINED] = "reaches what its domain maps, and nothing else",
    [UIOMMU_AUDIT_ALLOWED] = "reaches all memory, as its domain is identity",
    [UIOMMU_AUDIT_INHERITED] = "goes on with the translation it was found with",
    [UIOMMU_AUDIT_NO_UNIT] =
        "is named by the firmware and is not driven: nothing confines what is "
        "behind it",
    [UIOMMU_AUDIT_UNABLE] =
        "cannot be audited: its driver does not say which tables it reads",
    [UIOMMU_AUDIT_OFF] =
        "does not translate: whatever is behind it reaches all memory",
    [UIOMMU_AUDIT_FOREIGN] = "reads tables that are not those of uiommu, which "
                             "changes nothing there",
    [UIOMMU_AUDIT_UNCONFIRMED] =
        "did not confirm a command: what it has cached is not known",
    [UIOMMU_AUDIT_INTERRUPTS] = "does not confine interrupts: ",
    [UIOMMU_AUDIT_STRAY] = "may reach memory, and no device has that id",
    [UIOMMU_AUDIT_STRAY_PASID] =
        "may reach memory, and no endpoint has that PASID",
    [UIOMMU_AUDIT_OPEN] = "is to be blocked, and its entry lets it through",
    [UIOMMU_AUDIT_PASSES] =
        "reaches all memory, although its domain maps single pages",
    [UIOMMU_AUDIT_TABLE] = "is shown page tables that are not its domain's",
    [UIOMMU_AUDIT_TAG] =
        "is cached with a tag that is not its domain's, so that what is "
        "unmapped stays cached",
    [UIOMMU_AUDIT_SHARED_TAG] =
        "is cached with the tag of another domain, so that each may be shown "
        "what the other maps",
    [UIOMMU_AUDIT_ATS] =
        "is believed what it says is translated, and that was not asked for",
    [UIOMMU_AUDIT_MAPPING] = "is not confined by its page tables: ",
    [UIOMMU_AUDIT_DAMAGED] = "has a damaged entry",
    [UIOMMU_AUDIT_UNREADABLE] =
        "has an entry in a table that lies where the host has no memory",
    [UIOMMU_AUDIT_UNFINISHED] = "was not audited to the end",
};

static const char many_lost[] =
    ": too many of its tables lie where the host has no memory";
static const char more_tables[] = ": there are more tables than are read";

static void tell(struct audit *a, struct uiommu_audit *row, const char *who,
                 const char *detail, bool nothing)
{
    char text[TEXT];
    struct uim_text t;

    uim_text_init(&t, text, sizeof(text));
    uim_text_f(&t, "%s ", who);
    if (row->of_requester && row->pasid != UIOMMU_NO_PASID)
        uim_text_f(&t, "with PASID %u ", (unsigned)row->pasid);
    uim_text_f(&t, "%s", nothing ? "reaches nothing" : says[row->kind]);
    if (row->has_iova)
        uim_text_f(&t, "%sat iova 0x%lx %s",
                   row->kind == UIOMMU_AUDIT_MAPPING ? "" : ": ", row->iova,
                   detail);
    else
        uim_text_f(&t, "%s", detail);
    row->text = text;
    a->fn(a->ctx, row);
}

/* ---- units ------------------------------------------------------------------- */

static struct uim_name unit_name(const struct uim_unit *unit)
{
    struct uim_name name;
    struct uim_text t;

    uim_text_init(&t, name.text, sizeof(name.text));
    uim_text_f(&t, "the %s unit at 0x%lx", unit->driver->name, unit->base);
    return name;
}

static void tell_unit(struct audit *a, enum uiommu_audit_kind kind,
                      const char *detail)
{
    struct uiommu_audit row = {
        .kind = kind,
        .driver = a->unit->driver->name,
        .unit = a->unit->index,
        .segment = a->unit->segment,
    };

    tell(a, &row, unit_name(a->unit).text, detail, false);
}

static void tell_no_unit(struct audit *a, unsigned index)
{
    struct uiommu_audit row = { .kind = UIOMMU_AUDIT_NO_UNIT, .unit = index };
    struct uim_name name;
    struct uim_text t;

    uim_text_init(&t, name.text, sizeof(name.text));
    uim_text_f(&t, "unit %u", index);
    tell(a, &row, name.text, "", false);
}

/* False: there is no more to be said of it. */
static bool audit_registers(struct audit *a)
{
    struct uim_unit_audit *as = &a->as;

    if (!a->unit->ops->audit) {
        tell_unit(a, UIOMMU_AUDIT_UNABLE, "");
        return false;
    }
    a->unit->ops->audit(a->unit, as);
    if (atomic_load(&a->unit->broken))
        tell_unit(a, UIOMMU_AUDIT_UNCONFIRMED, "");
    if (as->interrupts)
        tell_unit(a, UIOMMU_AUDIT_INTERRUPTS, as->interrupts);
    if (as->open) {
        tell_unit(a, UIOMMU_AUDIT_OFF, "");
        return false;
    }
    if (as->trusts)
        tell_unit(a, UIOMMU_AUDIT_ATS, "");
    tell_unit(a, as->foreign ? UIOMMU_AUDIT_FOREIGN : UIOMMU_AUDIT_UNIT, "");
    return true;
}

/* ---- one requester ------------------------------------------------------------- */

static struct uim_name name_of(const struct audit *a, const struct subject *s)
{
    struct uim_name name;
    struct uim_text t;

    if (s->ep)
        return uim_device_name(s->ep->device);
    uim_text_init(&t, name.text, sizeof(name.text));
    uim_text_f(&t, "requester 0x%x of %s", (unsigned)s->id,
               unit_name(a->unit).text);
    return name;
}

static struct uiommu_audit row_of(const struct audit *a,
                                  const struct subject *s,
                                  enum uiommu_audit_kind kind)
{
    struct uiommu_device *d = s->ep ? s->ep->device : NULL;

    return (struct uiommu_audit){
        .kind = kind,
        .driver = a->unit->driver->name,
        .unit = a->unit->index,
        .segment = a->unit->segment,
        .of_requester = true,
        .id = s->id,
        .pasid = s->pasid,
        .device = d && atomic_load(&d->added) ? d : NULL,
        .domain = s->domain,
    };
}

static void tell_requester(struct audit *a, const struct subject *s,
                           enum uiommu_audit_kind kind,
                           const struct uim_sight *sight)
{
    struct uiommu_audit row = row_of(a, s, kind);

    row.entry = sight->phys;
    tell(a, &row, name_of(a, s).text,
         kind == UIOMMU_AUDIT_UNFINISHED ? more_tables : "",
         kind == UIOMMU_AUDIT_CONFINED && sight->kind == UIM_SIGHT_NOTHING);
}

static void tell_mappings(struct audit *a, const struct subject *s,
                          const struct uim_sight *sight)
{
    const struct uim_mappings *m = &s->domain->audited;
    struct uiommu_audit row = row_of(a, s, m->kind);

    row.entry = sight->phys;
    row.has_iova = m->kind != UIOMMU_AUDIT_CONFINED;
    row.iova = m->iova;
    tell(a, &row, name_of(a, s).text, m->what ? m->what : "", false);
}

/* ---- what a known one is to see -------------------------------------------------- */

static struct uiommu_domain *expected(const struct uiommu_endpoint *ep)
{
    if (atomic_load(&ep->quarantined) || atomic_load(&ep->muted) ||
        ep->held > 0)
        return uim_shown(ep, uim_rest(ep->unit));
    return uim_shown(ep, ep->domain);
}

static bool same_format(const struct uim_walk_format *f,
                        const struct uim_pt_ops *ops)
{
    const char *s = f->name, *t = ops->name;

    while (*s != '\0' && *s == *t)
        s++, t++;
    return *s == *t;
}

static bool is_its_table(const struct uim_sight *sight, const struct uim_pt *pt)
{
    const struct uim_walk_params *p = &sight->params;

    return !sight->more && sight->root == pt->root_phys && p->top == pt->top &&
           same_format(p->format, pt->ops) &&
           (p->input_bits == 0 || p->input_bits == pt->input_bits);
}

/* Does something else that endpoints of the unit see have the tag? */
static bool is_taken(const struct uiommu_endpoint *other,
                     const struct subject *s, uint32_t tag)
{
    const struct uim_link *link;

    if (other->unit != s->ep->unit || other->domain == s->domain ||
        !uim_has_tables(other->domain))
        return false;
    link = uim_link_of(other->domain, other);
    return link && atomic_load(&link->id) == tag;
}

static bool is_taken_below(struct uiommu_endpoint *own, const struct subject *s,
                           uint32_t tag)
{
    if (is_taken(own, s, tag))
        return true;
    uim_list_for_each(n, &own->pasids)
        if (is_taken(endpoint_of(n), s, tag))
            return true;
    return false;
}

static bool is_shared(const struct audit *a, const struct subject *s,
                      uint32_t tag)
{
    const struct uiommu_host *h = &a->u->host;
    bool shared = false;

    h->spin_lock(h->ctx, a->u->device_lock);
    uim_list_for_each(n, &a->u->endpoints)
        shared = shared || is_taken_below(endpoint_of(n), s, tag);
    h->spin_unlock(h->ctx, a->u->device_lock);
    return shared;
}

static enum uiommu_audit_kind judge_tag(const struct audit *a,
                                        const struct subject *s, uint32_t tag)
{
    const struct uim_link *link = uim_link_of(s->domain, s->ep);

    if (is_shared(a, s, tag))
        return UIOMMU_AUDIT_SHARED_TAG;
    return link && atomic_load(&link->id) == tag ? UIOMMU_AUDIT_CONFINED
                                                 : UIOMMU_AUDIT_TAG;
}

static enum uiommu_audit_kind judge_open(const struct audit *a,
                                         const struct subject *s,
                                         const struct uim_sight *sight)
{
    const bool all = sight->kind == UIM_SIGHT_ALL;

    switch (s->domain->kind) {
    case UIOMMU_DOMAIN_INHERITED:
        return UIOMMU_AUDIT_INHERITED;
    case UIOMMU_DOMAIN_IDENTITY:
        return all ? UIOMMU_AUDIT_ALLOWED : UIOMMU_AUDIT_TABLE;
    case UIOMMU_DOMAIN_PAGING:
    case UIOMMU_DOMAIN_SVA:
        if (all)
            return UIOMMU_AUDIT_PASSES;
        return is_its_table(sight, &s->domain->pt) ? judge_tag(a, s, sight->tag)
                                                   : UIOMMU_AUDIT_TABLE;
    case UIOMMU_DOMAIN_BLOCKED:
        break;
    }
    return UIOMMU_AUDIT_OPEN;
}

/* Nobody has that memory, or it was not asked for any more. */
static enum uiommu_audit_kind unread(const struct audit *a)
{
    return a->reader.left > 0 ? UIOMMU_AUDIT_UNREADABLE
                              : UIOMMU_AUDIT_UNFINISHED;
}

static enum uiommu_audit_kind judge(const struct audit *a,
                                    const struct subject *s,
                                    const struct uim_sight *sight)
{
    switch (sight->kind) {
    case UIM_SIGHT_NOTHING:
        return UIOMMU_AUDIT_CONFINED;
    case UIM_SIGHT_MALFORMED:
        return UIOMMU_AUDIT_DAMAGED;
    case UIM_SIGHT_UNREAD:
        return unread(a);
    default:
        return judge_open(a, s, sight);
    }
}

static bool is_open(const struct uim_sight *sight)
{
    return sight->kind == UIM_SIGHT_ALL || sight->kind == UIM_SIGHT_TABLE;
}

/* ---- endpoints ------------------------------------------------------------------- */

static void audit_sight(struct audit *a, const struct uiommu_endpoint *ep,
                        const struct uim_sight *sight)
{
    const struct subject s = {
        .id = ep->id,
        .pasid = ep->pasid,
        .ep = ep,
        .domain = expected(ep),
    };
    const enum uiommu_audit_kind kind = judge(a, &s, sight);

    if (kind != UIOMMU_AUDIT_CONFINED || !is_open(sight)) {
        tell_requester(a, &s, kind, sight);
        return;
    }
    if (s.domain->foreign) /* what is in its tables is a process's */
        return;
    uim_audit_mappings(&a->as, s.domain, sight, &a->reader, a->u->audits);
    tell_mappings(a, &s, sight);
}

/* A PASID behind the entry of a known id. */
static struct uiommu_endpoint *pasid_of(struct uiommu_endpoint *own,
                                        uint32_t pasid)
{
    uim_list_for_each(n, &own->pasids)
        if (endpoint_of(n)->pasid == pasid)
            return endpoint_of(n);
    return NULL;
}

static void tell_stray(struct audit *a, const struct subject *s,
                       const struct uim_sight *sight)
{
    enum uiommu_audit_kind kind =
        s->ep ? UIOMMU_AUDIT_STRAY_PASID : UIOMMU_AUDIT_STRAY;

    if (sight->kind == UIM_SIGHT_MALFORMED)
        kind = UIOMMU_AUDIT_DAMAGED;
    else if (sight->kind == UIM_SIGHT_UNREAD)
        kind = unread(a);
    tell_requester(a, s, kind, sight);
}

/* Nothing more is read, and something was to be. */
static bool is_end(const struct audit *a, const struct uim_sight *sight)
{
    return sight->kind == UIM_SIGHT_UNREAD && a->reader.left == 0;
}

static uint32_t pasid_behind(const struct uim_requester *r, uint32_t pasid,
                             const struct uim_sight *sight)
{
    return (uint32_t)uim_walk_skip(
        &r->pasids,
        sight->kind == UIM_SIGHT_UNREAD ? UIM_WALK_UNREAD : UIM_WALK_FOUND,
        pasid);
}

/* PASIDs that are shown something, and no endpoint has. Tables that cannot be read are
 * told once, and not where requests without a PASID told of them; that reading ends is. */
static bool audit_stray_pasids(struct audit *a, struct uiommu_endpoint *own,
                               const struct uim_requester *r)
{
    struct subject s = { .id = own->id, .ep = own };
    struct uim_sight sight = r->own;
    bool any = false, told = r->own.kind == UIM_SIGHT_UNREAD;

    while (!is_end(a, &sight) &&
           uim_requester_next(&a->as.tables, uim_audit_read, &a->reader, r,
                              &s.pasid, &sight)) {
        const bool is_read = sight.kind != UIM_SIGHT_UNREAD;

        any = any || is_open(&sight);
        if (is_end(a, &sight) ||
            (!pasid_of(own, s.pasid) && (is_read || !told)))
            tell_stray(a, &s, &sight);
        told = told || !is_read;
        s.pasid = pasid_behind(r, s.pasid, &sight);
    }
    return any;
}

static void audit_ats(struct audit *a, const struct uiommu_endpoint *own,
                      const struct uim_requester *r)
{
    const struct subject s = {
        .id = own->id,
        .ep = own,
        .domain = expected(own),
    };

    if (r->ats && !own->ats && s.domain->kind != UIOMMU_DOMAIN_INHERITED)
        tell_requester(a, &s, UIOMMU_AUDIT_ATS, &r->own);
}

static void audit_pasids(struct audit *a, struct uiommu_endpoint *own,
                         const struct uim_requester *r)
{
    const struct uim_requesters *t = &a->as.tables;
    struct uim_sight sight;

    uim_list_for_each(n, &own->pasids) {
        sight = (struct uim_sight){ .kind = UIM_SIGHT_NOTHING };
        if (r->with_pasid)
            uim_requester_pasid(t, uim_audit_read, &a->reader, r,
                                endpoint_of(n)->pasid, &sight);
        audit_sight(a, endpoint_of(n), &sight);
    }
}

static void audit_endpoint(struct audit *a, struct uiommu_endpoint *own)
{
    struct uiommu_group *group = own->view->group;
    struct uim_requester r = { .own = { .kind = UIM_SIGHT_NOTHING } };
    bool any;

    uim_group_lock(group);
    a->reader.left = ID_WORDS;
    if (!a->as.shut)
        uim_requester_read(&a->as.tables, uim_audit_read, &a->reader, own->id,
                           &r);
    audit_sight(a, own, &r.own);
    audit_pasids(a, own, &r);
    any = is_open(&r.own);
    if (expected(own)->kind != UIOMMU_DOMAIN_INHERITED)
        any = audit_stray_pasids(a, own, &r) || any;
    if (any)
        audit_ats(a, own, &r);
    uim_audit_close(&a->reader);
    uim_group_unlock(group);
}

static void audit_endpoints(struct audit *a)
{
    uim_list_for_each(n, &a->u->endpoints)
        if (endpoint_of(n)->unit == a->unit)
            audit_endpoint(a, endpoint_of(n));
}

/* ---- whoever is in the tables ------------------------------------------------------ */

static bool is_known(const struct audit *a, uint64_t first, uint64_t end)
{
    uim_list_for_each(n, &a->u->endpoints) {
        const struct uiommu_endpoint *ep = endpoint_of(n);

        if (ep->unit == a->unit && ep->id >= first && ep->id < end)
            return true;
    }
    return false;
}

static bool is_inherited(const struct audit *a, uint32_t id)
{
    uint32_t found = id;

    return a->unit->found && a->unit->ops->inherited(a->unit, &found) &&
           found == id;
}

/* Of nobody: what it sees without a PASID, or with the first that sees something. False:
 * that was not read any more. */
static bool audit_id(struct audit *a, uint32_t id)
{
    const struct uim_requesters *t = &a->as.tables;
    struct subject s = { .id = id };
    struct uim_sight sight;
    struct uim_requester r;

    uim_requester_read(t, uim_audit_read, &a->reader, id, &r);
    sight = r.own;
    if (sight.kind == UIM_SIGHT_NOTHING &&
        !uim_requester_next(t, uim_audit_read, &a->reader, &r, &s.pasid,
                            &sight))
        return true;
    if (is_inherited(a, id))
        tell_requester(a, &s, UIOMMU_AUDIT_INHERITED, &sight);
    else if (is_end(a, &sight))
        return false;
    else
        tell_stray(a, &s, &sight);
    return true;
}

static void audit_unread(struct audit *a, uint32_t id)
{
    const struct subject s = { .id = id };
    const struct uim_sight sight = { .kind = UIM_SIGHT_UNREAD };

    a->unread++;
    tell_stray(a, &s, &sight);
}

static void audit_tables(struct audit *a)
{
    const struct uim_walk_index *ids = &a->as.tables.ids;
    uint64_t words[UIM_ENTRY_WORDS], phys, id = 0, next;

    for (; id >> ids->bits == 0 && a->unread < MOST_UNREAD; id = next) {
        const uint32_t at = (uint32_t)id;
        enum uim_walk_found found = uim_walk_entry_of(
            ids, uim_audit_read, &a->reader, at, words, &phys);

        if (found == UIM_WALK_UNREAD && a->reader.left == 0)
            break;
        next = uim_walk_skip(ids, found, at);
        if (found == UIM_WALK_ABSENT || is_known(a, id, next))
            continue;
        if (found == UIM_WALK_UNREAD)
            audit_unread(a, at);
        else if (!audit_id(a, at))
            break;
    }
    uim_audit_close(&a->reader);
    if (id >> ids->bits == 0)
        tell_unit(a, UIOMMU_AUDIT_UNFINISHED,
                  a->unread < MOST_UNREAD ? more_tables : many_lost);
}

/* ---- all of it --------------------------------------------------------------------- */

static void audit_unit(struct audit *a)
{
    a->u->audits++;
    a->unread = 0;
    if (!audit_registers(a))
        return;
    audit_endpoints(a);
    a->reader.left = UNIT_WORDS;
    if (!a->as.shut)
        audit_tables(a);
}

static enum uiommu_status audit_all(struct audit *a)
{
    struct uiommu *u = a->u;

    if (atomic_load(&u->life) != UIM_STARTED)
        return uim_asleep(u) ? UIOMMU_AGAIN : UIOMMU_BUSY;
    for (unsigned i = 0; i < u->n_units; i++) {
        a->unit = u->unit[i];
        if (a->unit)
            audit_unit(a);
        else
            tell_no_unit(a, i);
    }
    return a->reader.unmapped ? UIOMMU_NOMEM : UIOMMU_OK;
}

enum uiommu_status uiommu_audit(struct uiommu *u, uiommu_audit_fn fn, void *ctx)
{
    struct audit a = { .u = u, .fn = fn, .ctx = ctx };
    enum uiommu_status status;

    if (!u || !fn)
        return UIOMMU_INVAL;
    if (!u->host.memory_map)
        return UIOMMU_OPNOTSUPP;
    a.reader.host = &u->host;
    u->host.mutex_lock(u->host.ctx, u->lock);
    status = audit_all(&a);
    u->host.mutex_unlock(u->host.ctx, u->lock);
    return status;
}
