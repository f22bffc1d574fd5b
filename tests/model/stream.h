/* SPDX-License-Identifier: MIT */
/*
 * stream.h - states of models in memory, whole and spoilt: for the tests of save
 * and load.
 */
#ifndef TESTS_MODEL_STREAM_H
#define TESTS_MODEL_STREAM_H

#include "model/state.h"
#include "tests/model/vm.h"

enum { STREAM_ROOM = 1 << 16 };

struct stream {
    uint8_t bytes[STREAM_ROOM];
    size_t size, read;
    unsigned calls, failing_call; /* of write; 0: none */
};

int stream_put(void *ctx, const void *buf, size_t len);
int stream_get(void *ctx, void *buf, size_t len);

/* As numbers, since that is what a state is. */
uint64_t stream_number(const struct stream *s, size_t i);
void stream_set_number(struct stream *s, size_t i, uint64_t v);
/* So that not the sum refuses what was changed. */
void stream_seal(struct stream *s);
/* The first place behind the head where the number is. */
size_t stream_find(const struct stream *s, uint64_t v);

/* The caller frees it. */
struct stream *stream_save(struct vm *vm);
int stream_load(struct vm *vm, struct stream *s);
bool stream_same(const struct stream *a, const struct stream *b);
/* Refused, in one sentence, and nothing of it is left. why NULL: for any reason. */
void stream_check_refused(struct vm *vm, struct stream *s, const char *why);

/* Whatever a state says, it is refused so, or what is loaded can be used and reset:
 * one that was spoilt. */
typedef void (*stream_use)(struct vm *vm);
void stream_try(struct vm *vm, struct stream *s, stream_use use);
/* What `vm` saves, each number in turn become a few that may mean harm; `first`: the
 * first where not each is tried (vm_step). */
void stream_try_each_number(struct vm *vm, size_t first, stream_use use);

#endif
