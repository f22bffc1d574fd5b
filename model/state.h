/* SPDX-License-Identifier: MIT */
/*
 * state.h - save and load of a model.
 *
 * A state is a row of 64-bit numbers, little-endian: "UIMSTATE", the version,
 * how many numbers there are, the model's name, its arguments, what the model
 * visits, a sum over all before it. It knows neither the host's byte order nor
 * how structs lie in memory.
 *
 * A model says what it consists of once, in a visit that both writes and reads;
 * so the two cannot differ. What is read comes from anywhere: each number says
 * what it may be, and the first that is something else refuses the state. From
 * then on all numbers are 0, nothing is read any more, and at the end the model
 * is reset.
 *
 * No call into the model is under way meanwhile, translate included (rule 1 of
 * the ABI): a visit needs no lock, and none is held while the VMM is called.
 */
#ifndef UIM_MODEL_STATE_H
#define UIM_MODEL_STATE_H

#include "model/model.h"

#define UIM_STATE_MAGIC UINT64_C(0x45544154534d4955) /* "UIMSTATE" */

enum {
    UIM_STATE_HEAD = 3,       /* magic, version, length                      */
    UIM_STATE_MOST = 1 << 24, /* numbers                                     */
    UIM_STATE_BUFFER = 64
};

struct uim_state {
    uim_model_write_fn write; /* both NULL: counts only                      */
    uim_model_read_fn read;
    void *ctx;
    uint64_t done, total;     /* numbers: visited, there are                 */
    uint64_t sum;
    const char *wrong;        /* why it is refused; NULL: it is not          */
    unsigned at, n;           /* in buf: the next, how many there are        */
    uint64_t buf[UIM_STATE_BUFFER]; /* little-endian                       */
};

/* A member of a struct, any unsigned type, at most `most`. */
struct uim_state_field {
    size_t offset;
    unsigned size;
    uint64_t most;
};

#define UIM_STATE_FIELD(type, member, most)                                    \
    {                                                                          \
        offsetof(struct type, member), sizeof(((struct type *)0)->member),     \
            (most)                                                             \
    }

static inline bool uim_state_loads(const struct uim_state *s)
{
    return s->read != NULL;
}

/* `why` ends the sentence "the state ...". The first one counts. */
void uim_state_refuse(struct uim_state *s, const char *why);

/* A number that is at most `most`. */
void uim_state_u64(struct uim_state *s, uint64_t *value, uint64_t most);
/* One whose other bits are what they are: after a reset, when it loads. */
void uim_state_bits(struct uim_state *s, uint64_t *value, uint64_t may_differ);
/* One that the loading model has to know already. */
void uim_state_same(struct uim_state *s, uint64_t value, const char *why);

/* `fields` ends with size 0. */
void uim_state_fields(struct uim_state *s, void *of,
                      const struct uim_state_field *fields);

/* The sum of a row of numbers is that of all but the last, and the last. */
static inline uint64_t uim_state_sum(uint64_t sum, uint64_t number)
{
    sum = (sum ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 29;
}

struct uim_state_format {
    uint64_t version;     /* of what visit() visits                          */
    size_t size;          /* of the model's struct                           */
    const uint64_t *args; /* as numbers; the order is part of the version    */
    size_t n_args;
    void (*visit)(struct uim_model *m, struct uim_state *s);
};

/* What the ops do: 0, or -1 and one sentence in the log. A load begins with a
 * reset, and a refused one ends with it. */
int uim_state_save(struct uim_model *m, const struct uim_state_format *format,
                   uim_model_write_fn fn, void *ctx);
int uim_state_load(struct uim_model *m, const struct uim_state_format *format,
                   uim_model_read_fn fn, void *ctx);

#endif
