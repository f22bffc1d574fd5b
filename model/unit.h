/* SPDX-License-Identifier: MIT */
/*
 * unit.h - what all units do alike: step by step through what is under way,
 * tell the VMM, warn about the guest, remember what was asked for lately.
 *
 * Callers hold the model's lock where the comment does not say otherwise.
 */
#ifndef UIM_MODEL_UNIT_H
#define UIM_MODEL_UNIT_H

#include "model/model.h"
#include "model/state.h"

enum { UIM_UNIT_WARNINGS = 32 }; /* so many are logged                      */

static inline void uim_unit_lock(const struct uim_model *m)
{
    m->host->lock(m->host->ctx);
}

static inline void uim_unit_unlock(const struct uim_model *m)
{
    m->host->unlock(m->host->ctx);
}

/* As at power on. */
void uim_unit_reset(struct uim_model *m);

/* A sentence about what the guest did wrong; bounded in number. */
void uim_unit_warn(struct uim_model *m, const char *what, uint64_t value);

/* What the VMM has to be told; uim_unit_settle() does. */
void uim_unit_note(struct uim_model *m, const struct uim_model_inval *note);
void uim_unit_note_all(struct uim_model *m);

/* Does what can be done now and tells the VMM. Takes the lock. */
void uim_unit_settle(struct uim_model *m);

/* Settles with n commands allowed while they are held; how many of them were
 * done. Takes the lock. */
unsigned uim_unit_run(struct uim_model *m, unsigned n);

/* Does the next n page requests that were received, however commands are held; how
 * many there were. Takes the lock. */
unsigned uim_unit_requests(struct uim_model *m, unsigned n);

/* What an adversarial unit fetches again whenever memory changes: the last
 * requests that differ in requester, PASID or page. */
void uim_unit_remember(struct uim_model *m, const struct uim_model_req *req);
static inline unsigned uim_unit_recent(const struct uim_model *m)
{
    return m->unit.n_recent < UIM_UNIT_RECENT ? m->unit.n_recent
                                              : UIM_UNIT_RECENT;
}

/* Visits the requests. Without the lock (state.h). */
void uim_unit_state(struct uim_state *s, struct uim_model *m);

#endif
