/* SPDX-License-Identifier: MIT */
#include "model/state.h"

#include "base/mem.h"
#include "base/store.h"
#include "model/say.h"

static const char impossible[] = "holds a number that cannot be";

void uim_state_refuse(struct uim_state *s, const char *why)
{
    if (!s->wrong)
        s->wrong = why;
}

/* ---- numbers to bytes, and back -------------------------------------------- */

static void flush(struct uim_state *s)
{
    if (s->at > 0 && !s->wrong &&
        s->write(s->ctx, s->buf, s->at * sizeof(s->buf[0])) < 0)
        uim_state_refuse(s, "could not be written");
    s->at = 0;
}

static void put(struct uim_state *s, uint64_t number)
{
    s->buf[s->at++] = uim_le64(number);
    if (s->at == UIM_STATE_BUFFER)
        flush(s);
}

/* Never more than belongs to the state: the stream may go on behind it. */
static void fill(struct uim_state *s)
{
    uint64_t left = s->total - s->done;

    s->at = 0;
    s->n = left < UIM_STATE_BUFFER ? (unsigned)left : UIM_STATE_BUFFER;
    if (s->n == 0)
        uim_state_refuse(s, "is shorter than it has to be");
    else if (s->read(s->ctx, s->buf, s->n * sizeof(s->buf[0])) < 0)
        uim_state_refuse(s, "could not be read");
}

static uint64_t get(struct uim_state *s)
{
    if (!s->wrong && s->at == s->n)
        fill(s);
    return s->wrong ? 0 : uim_le64(s->buf[s->at++]);
}

/* What goes in comes out, but when it loads. */
static uint64_t next(struct uim_state *s, uint64_t number)
{
    if (s->read)
        number = get(s);
    else if (s->write)
        put(s, number);
    s->done++;
    s->sum = uim_state_sum(s->sum, number);
    return number;
}

/* ---- what models say ------------------------------------------------------- */

void uim_state_u64(struct uim_state *s, uint64_t *value, uint64_t most)
{
    uint64_t number = next(s, *value);

    if (number > most) {
        uim_state_refuse(s, impossible);
        number = 0;
    }
    *value = number;
}

void uim_state_bits(struct uim_state *s, uint64_t *value, uint64_t may_differ)
{
    uint64_t number = next(s, *value);

    if ((number ^ *value) & ~may_differ)
        uim_state_refuse(s, impossible);
    else
        *value = number;
}

void uim_state_same(struct uim_state *s, uint64_t value, const char *why)
{
    if (next(s, value) != value)
        uim_state_refuse(s, why);
}

static uint64_t load_member(const void *at, unsigned size)
{
    switch (size) {
    case 1:
        return *(const uint8_t *)at;
    case 2:
        return *(const uint16_t *)at;
    case 4:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

static void store_member(void *at, unsigned size, uint64_t value)
{
    switch (size) {
    case 1:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case 2:
        *(uint16_t *)at = (uint16_t)value;
        break;
    case 4:
        *(uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(uint64_t *)at = value;
    }
}

void uim_state_fields(struct uim_state *s, void *of,
                      const struct uim_state_field *fields)
{
    for (const struct uim_state_field *f = fields; f->size > 0; f++) {
        void *at = (char *)of + f->offset;
        uint64_t value = load_member(at, f->size);

        uim_state_u64(s, &value, f->most);
        if (uim_state_loads(s))
            store_member(at, f->size, value);
    }
}

/* ---- the whole ------------------------------------------------------------- */

/* Characters `from` and later, eight at most. */
static uint64_t characters(const char *name, unsigned from)
{
    uint64_t number = 0;

    for (unsigned i = 0; name[i] != '\0'; i++) {
        if (i >= from && i < from + 8)
            number |= (uint64_t)(uint8_t)name[i] << 8 * (i - from);
    }
    return number;
}

static void visit_length(struct uim_state *s)
{
    uint64_t total = s->total;

    uim_state_u64(s, &total, UIM_STATE_MOST);
    if (uim_state_loads(s) && !s->wrong && total >= UIM_STATE_HEAD)
        s->total = total;
}

static void visit(struct uim_model *m, const struct uim_state_format *f,
                  struct uim_state *s)
{
    uim_state_same(s, UIM_STATE_MAGIC, "is no state of a model");
    uim_state_same(s, f->version, "is of another version");
    visit_length(s);
    for (unsigned i = 0; i < 16; i += 8)
        uim_state_same(s, characters(m->ops->name, i), "is of another model");
    uim_state_same(s, f->n_args, "is of another version");
    for (size_t i = 0; i < f->n_args; i++)
        uim_state_same(s, f->args[i], "is of a model with other arguments");
    f->visit(m, s);
    uim_state_same(s, s->sum, "is damaged");
    if (uim_state_loads(s) && s->done != s->total)
        uim_state_refuse(s, "is longer than it can be");
}

int uim_state_save(struct uim_model *m, const struct uim_state_format *format,
                   uim_model_write_fn fn, void *ctx)
{
    struct uim_state s = { .total = 0 };
    uint64_t total;

    visit(m, format, &s);
    total = s.done;
    s = (struct uim_state){ .write = fn, .ctx = ctx, .total = total };
    visit(m, format, &s);
    flush(&s);
    if (!s.wrong)
        return 0;
    uim_say(m->host, UIM_MODEL_ERROR, "%s: the state %s", m->ops->name,
            s.wrong);
    return -1;
}

/* Counters and tags go on where they were when a unit is reset: a state that is
 * refused must not have changed them either. */
static void load(struct uim_model *m, const struct uim_state_format *format,
                 struct uim_state *s)
{
    const struct uim_model_host *host = m->host;
    void *after_reset = host->alloc(host->ctx, format->size);

    if (!after_reset) {
        uim_state_refuse(s, "needs memory to be loaded");
        return;
    }
    memcpy(after_reset, m, format->size);
    visit(m, format, s);
    if (s->wrong) {
        m->ops->reset(m);
        memcpy(m, after_reset, format->size);
    }
    host->free(host->ctx, after_reset, format->size);
}

int uim_state_load(struct uim_model *m, const struct uim_state_format *format,
                   uim_model_read_fn fn, void *ctx)
{
    struct uim_state s = { .read = fn, .ctx = ctx, .total = UIM_STATE_HEAD };

    m->ops->reset(m);
    load(m, format, &s);
    if (!s.wrong)
        return 0;
    uim_say(m->host, UIM_MODEL_ERROR,
            "%s: the state %s; the model is as after reset", m->ops->name,
            s.wrong);
    return -1;
}
