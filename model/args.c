/* SPDX-License-Identifier: MIT */
#include "model/args.h"

#include "model/say.h"

/* A piece of the text, not terminated. */
struct span {
    const char *start;
    size_t len;
};

static bool span_is(struct span s, const char *word)
{
    size_t n = 0;

    while (n < s.len && word[n] != '\0' && word[n] == s.start[n])
        n++;
    return n == s.len && word[n] == '\0';
}

/* What is before the first `c`, which is taken off *s as well. */
static struct span span_until(struct span *s, char c)
{
    struct span head = { s->start, 0 };

    while (head.len < s->len && head.start[head.len] != c)
        head.len++;
    s->start += head.len;
    s->len -= head.len;
    if (s->len > 0) {
        s->start++;
        s->len--;
    }
    return head;
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

/* As strtoull(,,0) takes numbers, all of the span. */
static bool span_number(struct span s, uint64_t max, uint64_t *value)
{
    unsigned base = 10;
    uint64_t limit = UINT64_C(1844674407370955161); /* UINT64_MAX / 10 */
    uint64_t v = 0;

    if (s.len > 2 && s.start[0] == '0' && (s.start[1] | 0x20) == 'x') {
        base = 16;
        limit = UINT64_MAX >> 4;
        s.start += 2;
        s.len -= 2;
    } else if (s.len > 1 && s.start[0] == '0') {
        base = 8;
        limit = UINT64_MAX >> 3;
    }
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned d = digit_value(s.start[i]);

        if (d >= base || v > limit || v * base > UINT64_MAX - d)
            return false;
        v = v * base + d;
    }
    if (v > max)
        return false;
    *value = v;
    return true;
}

static bool span_word(struct span s, const char *const *words, uint64_t *value)
{
    for (uint64_t i = 0; words[i]; i++) {
        if (span_is(s, words[i])) {
            *value = i;
            return true;
        }
    }
    return false;
}

static bool take_value(const struct uim_arg *arg, struct span value)
{
    struct span first;

    if (arg->words)
        return span_word(value, arg->words, arg->value);
    if (!arg->second)
        return span_number(value, arg->max, arg->value);
    first = span_until(&value, ':');
    return span_number(first, arg->max, arg->value) &&
           span_number(value, arg->second_max, arg->second);
}

/* Long enough for any honest word; log lines stay short, and lines, whatever
 * comes. */
struct shown {
    char text[32];
};

static struct shown show(struct span s)
{
    struct shown out = { "" };

    for (size_t i = 0; i < s.len && i + 1 < sizeof(out.text); i++)
        out.text[i] = s.start[i] >= ' ' && s.start[i] <= '~' ? s.start[i] : '?';
    return out;
}

static bool take_item(const struct uim_model_host *host, const char *model,
                      struct span item, const struct uim_arg *table)
{
    struct span key = span_until(&item, '=');

    for (; table->key; table++) {
        if (!span_is(key, table->key))
            continue;
        if (take_value(table, item))
            return true;
        uim_say(host, UIM_MODEL_ERROR,
                "%s: key %s does not take the value \"%s\"", model, table->key,
                show(item).text);
        return false;
    }
    uim_say(host, UIM_MODEL_ERROR, "%s: unknown key \"%s\"", model,
            show(key).text);
    return false;
}

bool uim_args_parse(const struct uim_model_host *host, const char *model,
                    const char *args, const struct uim_arg *table)
{
    struct span rest = { args, 0 };

    while (args && args[rest.len] != '\0')
        rest.len++;
    while (rest.len > 0) {
        if (!take_item(host, model, span_until(&rest, ','), table))
            return false;
    }
    return true;
}
