/* SPDX-License-Identifier: MIT */
/* fake.c - see fake.h. */
#include "tests/qtest/fake.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Not /proc/self/exe itself: under valgrind that is valgrind. */
const char *fake_binary(void)
{
    static char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

    path[n > 0 ? n : 0] = '\0';
    return path;
}

/* The descriptor behind `prefix` in one of the arguments; -1: none. */
static int descriptor(char **argv, const char *prefix)
{
    for (; *argv != NULL; argv++) {
        if (strncmp(*argv, prefix, strlen(prefix)) == 0) {
            return atoi(*argv + strlen(prefix));
        }
    }
    return -1;
}

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0) {
        _exit(1);
    }
}

static void greet(char **argv, const char *version)
{
    char line[256];

    (void)snprintf(line, sizeof(line),
                   "{\"QMP\": {\"version\": {\"qemu\": {%s}, \"package\": "
                   "\"fake\"}, \"capabilities\": [\"oob\"]}}\r\n",
                   version);
    say(descriptor(argv, "socket,id=monitor,fd="), line);
}

/* The same answer to each command, for ever. */
static void answer(char **argv, const char *text)
{
    int fd = descriptor(argv, "socket,id=qtest,fd=");
    char c;

    while (read(fd, &c, 1) == 1) {
        if (c == '\n') {
            say(fd, text);
        }
    }
}

int fake_main(const char *kind, char **argv)
{
    const char *good = "\"micro\": 2, \"minor\": 0, \"major\": 10";

    if (strcmp(kind, "old") == 0) {
        greet(argv, "\"micro\": 22, \"minor\": 2, \"major\": 7");
        answer(argv, "OK\n");
    } else if (strcmp(kind, "silent") == 0) {
        answer(argv, "");
    } else if (strcmp(kind, "confused") == 0) {
        greet(argv, good);
        answer(argv, "FAIL Unknown command 'x'\n");
    } else if (strcmp(kind, "interrupting") == 0) {
        greet(argv, good);
        answer(argv, "IRQ raise 3\nIRQ lower 3\nOK 0x0\n");
    } else if (strcmp(kind, "endless") == 0) {
        greet(argv, good);
        for (;;) {
            say(descriptor(argv, "socket,id=qtest,fd="), "blah blah ");
        }
    } else if (strcmp(kind, "dying") == 0) {
        greet(argv, good);
        (void)fprintf(stderr, "first line\nout of cheese\n");
        return 42;
    }
    return 1;
}
