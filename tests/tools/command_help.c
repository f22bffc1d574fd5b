/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700

#include "command_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

char command_out[1 << 18], command_err[4096];

struct stream {
    int fd, kept;
    FILE *file;
};

static struct stream divert(int fd)
{
    struct stream s = { fd, dup(fd), tmpfile() };

    assert_non_null(s.file);
    dup2(fileno(s.file), fd);
    return s;
}

static void restore(struct stream *s, char *text, size_t size)
{
    dup2(s->kept, s->fd);
    close(s->kept);
    rewind(s->file);
    size = fread(text, 1, size - 1, s->file);
    text[size] = '\0';
    fclose(s->file);
}

int command_run(int (*tool)(int argc, char **argv), const char *name,
                const char *const *args)
{
    char *argv[16] = { (char *)(uintptr_t)name };
    struct stream to_out, to_err;
    int argc = 1, result;

    while (*args)
        argv[argc++] = (char *)(uintptr_t)*args++;
    fflush(stdout);
    to_out = divert(STDOUT_FILENO);
    to_err = divert(STDERR_FILENO);
    result = tool(argc, argv);
    fflush(stdout);
    restore(&to_out, command_out, sizeof(command_out));
    restore(&to_err, command_err, sizeof(command_err));
    return result;
}

const char *command_file(const char *text, size_t size)
{
    static char name[] = P_tmpdir "/uiommu-command-XXXXXX";
    int fd;

    unlink(name);
    if (!text)
        return NULL;
    memset(name + sizeof(name) - 7, 'X', 6);
    fd = mkstemp(name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), size);
    close(fd);
    return name;
}

void assert_says(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
}

/* ---- memory -------------------------------------------------------------- */

/* Of what is being printed; each block has its size before it. */
static size_t used, most_used, calls_left;

static void *count_malloc(size_t size)
{
    max_align_t *block = calls_left > 0 ? malloc(sizeof(*block) + size) : NULL;

    calls_left -= calls_left > 0;
    if (!block)
        return NULL;
    memcpy(block, &size, sizeof(size));
    used += size;
    most_used = used > most_used ? used : most_used;
    return block + 1;
}

static void count_free(void *memory)
{
    max_align_t *block = memory;
    size_t size;

    if (!block)
        return;
    memcpy(&size, --block, sizeof(size));
    used -= size;
    free(block);
}

int command_run_with(size_t calls, size_t *most,
                     int (*tool)(int argc, char **argv), const char *name,
                     const char *const *args)
{
    cJSON_Hooks hooks = { count_malloc, count_free };
    int result;

    used = most_used = 0;
    calls_left = calls;
    cJSON_InitHooks(&hooks);
    result = command_run(tool, name, args);
    cJSON_InitHooks(NULL);
    assert_int_equal(used, 0);
    if (most)
        *most = most_used;
    return result;
}
