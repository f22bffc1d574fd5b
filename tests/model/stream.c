/* SPDX-License-Identifier: MIT */
#include "tests/model/stream.h"

#include <stdlib.h>
#include <string.h>

int stream_put(void *ctx, const void *buf, size_t len)
{
    struct stream *s = ctx;

    if (++s->calls == s->failing_call)
        return -1;
    assert_true(len <= STREAM_ROOM - s->size);
    memcpy(s->bytes + s->size, buf, len);
    s->size += len;
    return 0;
}

int stream_get(void *ctx, void *buf, size_t len)
{
    struct stream *s = ctx;

    if (len > s->size - s->read)
        return -1;
    memcpy(buf, s->bytes + s->read, len);
    s->read += len;
    return 0;
}

/* As numbers, since that is what a state is. */
uint64_t stream_number(const struct stream *s, size_t i)
{
    uint64_t v = 0;

    for (unsigned n = 8; n-- > 0;)
        v = v << 8 | s->bytes[8 * i + n];
    return v;
}

void stream_set_number(struct stream *s, size_t i, uint64_t v)
{
    for (unsigned n = 0; n < 8; n++)
        s->bytes[8 * i + n] = (uint8_t)(v >> 8 * n);
}

/* So that not the sum refuses what was changed. */
void stream_seal(struct stream *s)
{
    size_t last = s->size / 8 - 1;
    uint64_t sum = 0;

    for (size_t i = 0; i < last; i++)
        sum = uim_state_sum(sum, stream_number(s, i));
    stream_set_number(s, last, sum);
}

/* The first place behind the head where the number is. */
size_t stream_find(const struct stream *s, uint64_t v)
{
    size_t i = UIM_STATE_HEAD;

    while (i < s->size / 8 && stream_number(s, i) != v)
        i++;
    assert_true(i < s->size / 8);
    return i;
}

struct stream *stream_save(struct vm *vm)
{
    struct stream *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    assert_int_equal(vm->ops->save(vm->m, stream_put, s), 0);
    return s;
}

int stream_load(struct vm *vm, struct stream *s)
{
    s->read = 0;
    return vm->ops->load(vm->m, stream_get, s);
}

bool stream_same(const struct stream *a, const struct stream *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* Refused, in one sentence, and nothing of it is left. */
void stream_check_refused(struct vm *vm, struct stream *s, const char *why)
{
    unsigned said = vm->n_log[UIE_LOG_ERROR];
    struct stream *left, *after_reset;

    vm->ops->reset(vm->m);
    after_reset = stream_save(vm);
    assert_true(stream_load(vm, s) < 0);
    assert_int_equal(vm->n_log[UIE_LOG_ERROR], said + 1);
    if (why && !strstr(vm->last_log, why))
        fail_msg("\"%s\" lacks \"%s\"", vm->last_log, why);
    left = stream_save(vm);
    assert_true(stream_same(left, after_reset));
    free(left);
    free(after_reset);
}

/* ---- states that mean harm ------------------------------------------------------- */

static const uint64_t nasty[] = {
    0,       1,          0x3f,       0x40,           0xffff,
    0x10000, UINT32_MAX, UINT64_MAX, UINT64_MAX / 2, UIM_BIT(63),
};

enum { NASTY = sizeof(nasty) / sizeof(nasty[0]) };

void stream_try(struct vm *vm, struct stream *s, stream_use use)
{
    stream_seal(s);
    if (stream_load(vm, s) < 0) {
        stream_check_refused(vm, s, NULL);
        return;
    }
    use(vm);
    vm->ops->reset(vm->m);
}

static void try_number(struct vm *vm, const struct stream *good, size_t i,
                       stream_use use)
{
    const uint64_t beside[] = { stream_number(good, i) + 1,
                                stream_number(good, i) - 1 };
    struct stream *s = malloc(sizeof(*s));

    assert_non_null(s);
    *s = *good;
    for (size_t n = 0; n < NASTY + 2; n++) {
        stream_set_number(s, i, n < NASTY ? nasty[n] : beside[n - NASTY]);
        stream_try(vm, s, use);
    }
    free(s);
}

void stream_try_each_number(struct vm *vm, size_t first, stream_use use)
{
    struct stream *good = stream_save(vm);

    for (size_t i = first % vm_step(); i < good->size / 8 - 1; i += vm_step())
        try_number(vm, good, i, use);
    free(good);
}
