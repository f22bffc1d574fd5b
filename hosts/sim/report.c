/* SPDX-License-Identifier: MIT */
/*
 * report.c - what was found: violations and uses of stale cache entries, as
 * sentences. Everything here is under the text lock, which is innermost.
 */
#include "private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Adds a copy; false: the list is full and the sentence only counted. */
static bool texts_add(struct sim_texts *list, const char *text)
{
    char **bigger;
    char *copy;

    if (list->n >= SIM_MAX_TEXTS) {
        list->dropped++;
        return false;
    }
    bigger = realloc(list->text, (list->n + 1) * sizeof(*bigger));
    copy = malloc(strlen(text) + 1);
    if (bigger != NULL) {
        list->text = bigger;
    }
    if (bigger == NULL || copy == NULL) {
        free(copy);
        list->dropped++;
        return false;
    }
    strcpy(copy, text);
    list->text[list->n] = copy;
    list->n++;
    return true;
}

void sim_texts_free(struct sim_texts *list)
{
    for (unsigned i = 0; i < list->n; i++) {
        free(list->text[i]);
    }
    free(list->text);
    memset(list, 0, sizeof(*list));
}

void sim_report(struct sim *s, const char *format, ...)
{
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    pthread_mutex_lock(&s->text_lock);
    texts_add(&s->violations, text);
    pthread_mutex_unlock(&s->text_lock);
}

const char *sim_text(struct sim *s, const struct sim_texts *list, unsigned i)
{
    const char *text = "";

    pthread_mutex_lock(&s->text_lock);
    if (i < list->n) {
        text = list->text[i];
    }
    pthread_mutex_unlock(&s->text_lock);
    return text;
}

static unsigned texts_count(struct sim *s, const struct sim_texts *list)
{
    unsigned n;

    pthread_mutex_lock(&s->text_lock);
    n = list->n + list->dropped;
    pthread_mutex_unlock(&s->text_lock);
    return n;
}

unsigned sim_violations(struct machine *m)
{
    struct sim *s = sim_of(m);

    return texts_count(s, &s->violations);
}

const char *sim_violation(struct machine *m, unsigned i)
{
    struct sim *s = sim_of(m);

    return sim_text(s, &s->violations, i);
}

/* The model's own copy of the sentence ends with the call, so ours replaces it
 * in the record when somebody asks. */
static void stale_add(struct sim *s, const struct uim_check_stale *stale)
{
    struct uim_check_stale *bigger;

    if (!texts_add(&s->stale_texts, stale->text != NULL ? stale->text : "")) {
        return;
    }
    bigger = realloc(s->stale, (s->n_stale + 1) * sizeof(*bigger));
    if (bigger == NULL) {
        return;
    }
    s->stale = bigger;
    s->stale[s->n_stale] = *stale;
    s->stale[s->n_stale].text = s->stale_texts.text[s->stale_texts.n - 1];
    s->n_stale++;
}

void sim_on_stale(void *ctx, const struct uim_check_stale *stale)
{
    struct sim *s = ctx;

    pthread_mutex_lock(&s->text_lock);
    stale_add(s, stale);
    pthread_mutex_unlock(&s->text_lock);
    if (s->user_hooks.on_stale != NULL) {
        s->user_hooks.on_stale(s->user_hooks.ctx, stale);
    }
}

unsigned sim_stale_count(struct machine *m)
{
    struct sim *s = sim_of(m);

    return texts_count(s, &s->stale_texts);
}

const char *sim_stale_text(struct machine *m, unsigned i)
{
    struct sim *s = sim_of(m);

    return sim_text(s, &s->stale_texts, i);
}

const struct uim_check_stale *sim_stale(struct machine *m, unsigned i)
{
    struct sim *s = sim_of(m);
    const struct uim_check_stale *found = NULL;

    pthread_mutex_lock(&s->text_lock);
    if (i < s->n_stale) {
        found = &s->stale[i];
    }
    pthread_mutex_unlock(&s->text_lock);
    return found;
}

void sim_forget(struct machine *m)
{
    struct sim *s = sim_of(m);

    pthread_mutex_lock(&s->text_lock);
    sim_texts_free(&s->violations);
    sim_texts_free(&s->stale_texts);
    free(s->stale);
    s->stale = NULL;
    s->n_stale = 0;
    pthread_mutex_unlock(&s->text_lock);
}

void sim_counts(struct machine *m, struct sim_counts *out)
{
    struct sim *s = sim_of(m);
    uint64_t calls = sim_calls(m);

    pthread_mutex_lock(&s->text_lock);
    *out = s->count;
    pthread_mutex_unlock(&s->text_lock);
    out->calls = calls;
}
