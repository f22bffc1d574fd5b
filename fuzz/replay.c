/* SPDX-License-Identifier: MIT */
/*
 * replay.c - a target without libFuzzer: every file of the corpora that are named,
 * then small changes of them, always the same ones. At the end each rule of the
 * target has to show, in a process of its own, that it can fail. Prints TAP.
 *
 *     fuzz_NAME CHANGES FOLDER...    CHANGES in all, spread over the files; of which
 *                                    UIOMMU_SHARE (tests/README.md) leaves a part
 */
#include "fuzz/fuzz.h"
#include "fuzz/share.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGEST = 1 << 16, MOST_FILES = 1024 };

struct corpus {
    uint8_t *bytes[MOST_FILES];
    size_t size[MOST_FILES];
    unsigned n;
};

static _Noreturn void give_up(const char *what, const char *path)
{
    fprintf(stderr, "%s: %s\n", path, what);
    exit(2);
}

static void load(struct corpus *c, const char *path)
{
    FILE *f = fopen(path, "rb");

    if (!f)
        give_up("cannot be read", path);
    if (c->n == MOST_FILES)
        give_up("one file too many", path);
    c->bytes[c->n] = malloc(LARGEST + 1);
    c->size[c->n] = fread(c->bytes[c->n], 1, LARGEST + 1, f);
    if (c->size[c->n] > LARGEST)
        give_up("too large", path);
    c->n++;
    fclose(f);
}

/* In the order of names: what is done does not depend on the file system. */
static void load_all(struct corpus *c, const char *folder)
{
    struct dirent **entry;
    int n = scandir(folder, &entry, NULL, alphasort);
    char path[1024];

    if (n < 0) {
        load(c, folder);
        return;
    }
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.')
            load_all(c, path);
        free(entry[i]);
    }
    free(entry);
}

static void unload(struct corpus *c)
{
    for (unsigned i = 0; i < c->n; i++)
        free(c->bytes[i]);
}

static uint64_t random64(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* libFuzzer gives each input memory of its own size: so do we. */
static void run(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size + !size);

    memcpy(copy, bytes, size);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

/* A few bytes become others; sometimes the end is cut off. */
static void run_changed(const uint8_t *bytes, size_t size, uint64_t seed)
{
    static uint8_t copy[LARGEST];
    unsigned n = 1 + (unsigned)(random64(&seed) % 8);

    memcpy(copy, bytes, size);
    for (unsigned i = 0; i < n; i++)
        copy[random64(&seed) % size] = (uint8_t)random64(&seed);
    if (random64(&seed) % 4 == 0)
        size = 1 + random64(&seed) % size;
    run(copy, size);
}

static unsigned run_all(const struct corpus *c, unsigned changes)
{
    unsigned done = 0;

    for (unsigned i = 0; i < c->n; i++)
        run(c->bytes[i], c->size[i]);
    for (unsigned i = 0; c->n > 0 && i < changes; i++) {
        if (c->size[i % c->n] == 0)
            continue;
        run_changed(c->bytes[i % c->n], c->size[i % c->n],
                    (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
        done++;
    }
    return c->n + done;
}

static _Noreturn void lie(const struct corpus *c, int rule, FILE *said)
{
    fuzz_lie = rule;
    dup2(fileno(said), STDERR_FILENO);
    run_all(c, 0);
    _exit(0);
}

/* With a lie the target has to abort, and to name the rule. */
static bool can_fail(const struct corpus *c, int rule)
{
    FILE *said = tmpfile();
    char wanted[128], line[256];
    bool named = false;
    int status = 0;
    pid_t child;

    if (!said)
        give_up("no temporary file", fuzz_rules[rule]);
    snprintf(wanted, sizeof(wanted), "broken: %s\n", fuzz_rules[rule]);
    fflush(stdout);
    child = fork();
    if (child == 0)
        lie(c, rule, said);
    if (child < 0 || waitpid(child, &status, 0) != child)
        give_up("no process", fuzz_rules[rule]);
    rewind(said);
    while (fgets(line, sizeof(line), said))
        named |= strcmp(line, wanted) == 0;
    fclose(said);
    return named && !(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int told, failed;

static void tell(bool good, const char *name, const char *suffix)
{
    failed += !good;
    printf("%s %d - %s%s\n", good ? "ok" : "not ok", ++told, name, suffix);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct corpus c = { .n = 0 };
    unsigned changes = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 0;
    int rules = 0;

    while (fuzz_rules[rules])
        rules++;
    for (int i = 2; i < argc; i++)
        load_all(&c, argv[i]);
    printf("1..%d\n", 3 + rules);
    tell(c.n > 0, "corpus_is_there", "");
    tell(rules > 0, "target_has_rules", "");
    printf("# %u inputs and changes of them\n", run_all(&c, changes / share()));
    tell(true, "inputs_are_survived", "");
    for (int i = 0; i < rules; i++)
        tell(can_fail(&c, i), fuzz_rules[i], "_can_fail");
    unload(&c);
    return failed != 0;
}
