/* SPDX-License-Identifier: MIT */
/*
 * replay.c - a target without libFuzzer: every file of the corpora that are named,
 * then small changes of them, always the same ones. At the end the target has to
 * show, in a process of its own, that it can fail. Prints TAP.
 */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHANGES = 400, LARGEST = 1 << 16 };

struct corpus {
    uint8_t *bytes[256];
    size_t size[256];
    unsigned n;
};

static void load(struct corpus *c, const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f || c->n == 256)
        return;
    c->bytes[c->n] = malloc(LARGEST);
    c->size[c->n] = fread(c->bytes[c->n], 1, LARGEST, f);
    c->n++;
    fclose(f);
}

/* Files of the folder, and of the folders in it. */
static void load_all(struct corpus *c, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    char path[1024];

    if (!dir) {
        load(c, folder);
        return;
    }
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        load_all(c, path);
    }
    closedir(dir);
}

static uint64_t random64(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* A few bytes become others; sometimes the end is cut off. */
static void run_changed(const uint8_t *bytes, size_t size, uint64_t seed)
{
    static uint8_t copy[LARGEST];
    unsigned n = 1 + (unsigned)random64(&seed) % 8;

    memcpy(copy, bytes, size);
    for (unsigned i = 0; i < n; i++)
        copy[random64(&seed) % size] = (uint8_t)random64(&seed);
    if (random64(&seed) % 4 == 0)
        size = 1 + random64(&seed) % size;
    (void)LLVMFuzzerTestOneInput(copy, size);
}

static void run_all(const struct corpus *c, unsigned changes)
{
    for (unsigned i = 0; i < c->n; i++) {
        (void)LLVMFuzzerTestOneInput(c->bytes[i], c->size[i]);
        for (unsigned j = 1; c->size[i] > 0 && j <= changes; j++)
            run_changed(c->bytes[i], c->size[i],
                        j * UINT64_C(0x9e3779b97f4a7c15) + i);
    }
}

/* With its rule broken on purpose the target has to abort. */
static bool can_fail(const struct corpus *c)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        fuzz_canary = true;
        freopen("/dev/null", "w", stderr);
        run_all(c, 0);
        _exit(0);
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

int main(int argc, char **argv)
{
    struct corpus c = { .n = 0 };
    bool fails;

    for (int i = 1; i < argc; i++)
        load_all(&c, argv[i]);
    printf("1..3\n%s 1 - corpus_is_there\n", c.n > 0 ? "ok" : "not ok");
    fflush(stdout);
    run_all(&c, CHANGES);
    printf("# %u inputs, %u with their changes\n", c.n, c.n * (1 + CHANGES));
    printf("ok 2 - inputs_are_survived\n");
    fflush(stdout);
    fails = can_fail(&c);
    printf("%s 3 - a_broken_rule_is_noticed\n", fails ? "ok" : "not ok");
    return c.n > 0 && fails ? 0 : 1;
}
