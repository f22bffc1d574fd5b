/* SPDX-License-Identifier: MIT */
/*
 * file.c - files that a command reads whole: tables, logs, a pipe.
 */
#include "tools/file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_STEP = 64 << 10 };

/* Room for twice as much, but no more than max + 1. */
static char *grow(char *data, size_t *room, size_t max)
{
    size_t wanted = *room ? 2 * *room : FIRST_STEP;

    *room = wanted < max + 1 ? wanted : max + 1;
    return realloc(data, *room + 1);
}

static const char *read_all(FILE *f, size_t max, char **data, size_t *size)
{
    size_t room = 0;

    for (*size = 0; *size == room;) {
        char *more = grow(*data, &room, max);

        if (!more)
            return "no memory";
        *data = more;
        *size += fread(*data + *size, 1, room - *size, f);
        if (ferror(f))
            return strerror(errno);
        if (*size > max)
            return "too large";
    }
    (*data)[*size] = '\0';
    return NULL;
}

char *file_read(const char *name, size_t max, size_t *size, const char **why)
{
    FILE *f = name ? fopen(name, "rb") : stdin;
    char *data = NULL;

    *why = strerror(errno);
    if (!f)
        return NULL;
    *why = read_all(f, max, &data, size);
    if (name)
        fclose(f);
    if (!*why)
        return data;
    free(data);
    return NULL;
}
