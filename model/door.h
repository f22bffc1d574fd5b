/* SPDX-License-Identifier: MIT */
/*
 * door.h - how models serve the test door (check.h), and read guest memory past
 * it. Callers hold the model's lock.
 */
#ifndef UIM_MODEL_DOOR_H
#define UIM_MODEL_DOOR_H

#include "model/check.h"

/* Reads n 64-bit words of a table, little-endian in memory. False: no memory. */
bool uim_door_read(const struct uim_model *m, uint64_t gpa, uint64_t *words,
                   unsigned n, bool snooped, bool recheck);

/* One compare-exchange of a little-endian word. 1, 0 and negative as mem_cas. */
int uim_door_cas(const struct uim_model *m, uint64_t gpa, uint64_t expect,
                 uint64_t want, bool snooped);

/* Writes 4 little-endian bytes, snooped. False: no memory. */
bool uim_door_write32(const struct uim_model *m, uint64_t gpa, uint32_t value);

enum { UIM_DOOR_WORDS = 4 };

/* Writes up to UIM_DOOR_WORDS words of a record, little-endian in memory. False:
 * no memory. */
bool uim_door_write(const struct uim_model *m, uint64_t gpa,
                    const uint64_t *words, unsigned n, bool snooped);

/* Tells on_invalidate. True: the door swallows this one. */
bool uim_door_invalidate(struct uim_model *m, struct uim_check_inval *inval);

/* Tells on_stale or, if nobody listens, the log. */
void uim_door_stale(const struct uim_model *m,
                    const struct uim_check_stale *stale);

#endif
