/* SPDX-License-Identifier: MIT */
#include "model/unit.h"

#include "base/mem.h"
#include "model/say.h"

enum { PAGE_LG2 = 12 };

void uim_unit_reset(struct uim_model *m)
{
    m->unit = (struct uim_model_unit){ .n_notes = 0 };
}

void uim_unit_warn(struct uim_model *m, const char *what, uint64_t value)
{
    if (m->unit.warnings >= UIM_UNIT_WARNINGS)
        return;
    m->unit.warnings++;
    uim_say(m->host, UIM_MODEL_WARN, "%s: the guest %s (0x%lx)%s", m->ops->name,
            what, value,
            m->unit.warnings == UIM_UNIT_WARNINGS ? "; no more is said about it"
                                                  : "");
}

void uim_unit_note(struct uim_model *m, const struct uim_model_inval *note)
{
    struct uim_model_unit *u = &m->unit;

    if (u->n_notes < UIM_UNIT_NOTES)
        u->note[u->n_notes++] = *note;
    else /* cannot happen; telling too much is always right */
        u->note[0] = (struct uim_model_inval){ .what = UIM_MODEL_INV_ALL };
}

void uim_unit_note_all(struct uim_model *m)
{
    uim_unit_note(m, &(struct uim_model_inval){ .what = UIM_MODEL_INV_ALL,
                                                .pasid = UIM_MODEL_ANY_PASID });
}

static bool request(struct uim_model *m)
{
    return m->ops->door->request && m->ops->door->request(m);
}

/* The smallest thing that can be done now. Page requests come last, because nobody
 * may rely on their coming sooner. */
static bool step(struct uim_model *m)
{
    if (m->check.silent)
        return false;
    if (m->ops->door->update(m))
        return true;
    if (m->check.hold && m->unit.run_budget == 0)
        return false;
    if (!m->ops->door->command(m) && !request(m))
        return false;
    if (m->check.hold)
        m->unit.run_budget--;
    return true;
}

/* A wait completes in a later step than what is before it, so its status is
 * written after the VMM was told. */
void uim_unit_settle(struct uim_model *m)
{
    struct uim_model_inval note[UIM_UNIT_NOTES];
    unsigned n;
    bool more;

    do {
        uim_unit_lock(m);
        more = m->unit.n_notes > 0 || step(m);
        n = m->unit.n_notes;
        memcpy(note, m->unit.note, n * sizeof(*note));
        m->unit.n_notes = 0;
        uim_unit_unlock(m);
        for (unsigned i = 0; i < n; i++)
            m->host->notify(m->host->ctx, &note[i]);
    } while (more);
}

unsigned uim_unit_run(struct uim_model *m, unsigned n)
{
    unsigned left;

    uim_unit_lock(m);
    m->unit.run_budget = n;
    uim_unit_unlock(m);
    uim_unit_settle(m);
    uim_unit_lock(m);
    left = m->unit.run_budget;
    m->unit.run_budget = 0;
    uim_unit_unlock(m);
    return n - left;
}

unsigned uim_unit_requests(struct uim_model *m, unsigned n)
{
    unsigned done = 0;

    uim_unit_lock(m);
    while (done < n && !m->check.silent && request(m))
        done++;
    uim_unit_unlock(m);
    uim_unit_settle(m);
    return done;
}

void uim_unit_remember(struct uim_model *m, const struct uim_model_req *req)
{
    struct uim_model_unit *u = &m->unit;

    for (unsigned i = 0; i < uim_unit_recent(m); i++) {
        const struct uim_model_req *r = &u->recent[i];

        if (r->rid == req->rid && r->pasid == req->pasid &&
            (r->iova ^ req->iova) >> PAGE_LG2 == 0)
            return;
    }
    u->recent[u->n_recent % UIM_UNIT_RECENT] = *req;
    u->n_recent++;
    if (u->n_recent >= 2 * UIM_UNIT_RECENT)
        u->n_recent -= UIM_UNIT_RECENT;
}

static const struct uim_state_field request_fields[] = {
    UIM_STATE_FIELD(uim_model_req, rid, UINT32_MAX),
    UIM_STATE_FIELD(uim_model_req, pasid, UINT32_MAX),
    UIM_STATE_FIELD(uim_model_req, access, UINT32_MAX),
    UIM_STATE_FIELD(uim_model_req, flags, UINT32_MAX),
    UIM_STATE_FIELD(uim_model_req, iova, UINT64_MAX),
    { .size = 0 },
};

void uim_unit_state(struct uim_state *s, struct uim_model *m)
{
    for (unsigned i = 0; i < uim_unit_recent(m); i++)
        uim_state_fields(s, &m->unit.recent[i], request_fields);
}
