/* SPDX-License-Identifier: MIT */
/* cmdline.h - QEMU's command line for a machine. */
#ifndef UIM_HOSTS_QTEST_CMDLINE_H
#define UIM_HOSTS_QTEST_CMDLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "hosts/qtest/qtest.h"

enum {
    QT_EDU_PORT_SLOT = 1, /* of the root port above the bridge */
    QT_PORT_SLOT = 2,  /* of the root port */
    QT_FIRST_SLOT = 3, /* of the engines, those that are on bus 0 */
    QT_FIRST_EDU_SLOT = 1, /* behind the bridge */
    QT_MAX_ARGS = 80,
};

/* The descriptors that QEMU inherits. */
struct qt_wires {
    int ram, log, qtest, monitor;
    int rom; /* what the CPU runs; -1: it does not */
    int disk[QTEST_MAX_ENGINES];
};

struct qt_cmdline {
    char *argv[QT_MAX_ARGS];
    size_t n;
    char text[4096];
    size_t used;
    bool full; /* something did not fit */
};

bool qt_is_behind_port(const struct qtest_config *config, unsigned engine);

/** False: the options given are too long. The board and its mode exist. */
bool qt_cmdline_make(struct qt_cmdline *line, const struct qtest_config *config,
                     const struct qt_wires *wires);

#endif
