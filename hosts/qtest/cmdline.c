/* SPDX-License-Identifier: MIT */
/* cmdline.c - see cmdline.h. */
#include "hosts/qtest/cmdline.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hosts/qtest/board.h"
#include "hosts/qtest/ram.h"

__attribute__((format(printf, 2, 3))) static void add(struct qt_cmdline *line,
                                                      const char *format, ...)
{
    char *text = line->text + line->used;
    size_t room = sizeof(line->text) - line->used;
    va_list list;
    int n;

    va_start(list, format);
    n = vsnprintf(text, room, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= room || line->n + 1 >= QT_MAX_ARGS) {
        line->full = true;
        return;
    }
    line->argv[line->n++] = text;
    line->used += (size_t)n + 1;
}

static void add_option(struct qt_cmdline *line, const char *option,
                       const char *value)
{
    add(line, "%s", option);
    if (value != NULL) {
        add(line, "%s", value);
    }
}

/* Paused for ever: what the machine does, its devices do. With a CPU that waits, the
 * machine's clock goes straight to whatever comes next.                       */
static void add_cpu(struct qt_cmdline *line, const struct qt_wires *wires)
{
    add_option(line, "-accel", "tcg");
    if (wires->rom < 0) {
        add_option(line, "-S", NULL);
        return;
    }
    add(line, "-bios");
    add(line, "/proc/self/fd/%d", wires->rom);
    add_option(line, "-icount", "shift=0,sleep=off");
}

static void add_board(struct qt_cmdline *line, const struct qt_board *board,
                      const struct qt_mode *mode, const struct qt_wires *wires)
{
    add(line, "-machine");
    add(line, "%s,memory-backend=ram", mode->machine);
    if (board->cpu != NULL) {
        add_option(line, "-cpu", board->cpu);
    }
    add(line, "-object");
    add(line,
        "memory-backend-file,id=ram,size=%lluM,mem-path=/proc/self/fd/%d,"
        "share=on",
        (unsigned long long)(QT_RAM_SIZE / QT_MIB), wires->ram);
    add(line, "-m");
    add(line, "%lluM", (unsigned long long)(QT_RAM_SIZE / QT_MIB));
    add_cpu(line, wires);
    add_option(line, "-display", "none");
    add_option(line, "-nodefaults", NULL);
    add_option(line, "-no-user-config", NULL);
}

/* Without -qtest-log every command goes to stderr as well. */
static void add_channels(struct qt_cmdline *line, const struct qt_board *board,
                         const struct qt_wires *wires)
{
    add(line, "-chardev");
    add(line, "socket,id=qtest,fd=%d", wires->qtest);
    add_option(line, "-qtest", "chardev:qtest");
    add_option(line, "-qtest-log", "/dev/null");
    add(line, "-chardev");
    add(line, "socket,id=monitor,fd=%d", wires->monitor);
    add_option(line, "-mon", "chardev=monitor,mode=control");
    add(line, "-D");
    add(line, "/proc/self/fd/%d", wires->log);
    for (size_t i = 0; board->events[i].name != NULL; i++) {
        add_option(line, "-trace", board->events[i].name);
    }
}

/* Each of "a=b,c=d". */
static void add_globals(struct qt_cmdline *line, const char *unit,
                        const char *options)
{
    while (options != NULL && *options != '\0') {
        size_t n = strcspn(options, ",");

        add(line, "-global");
        add(line, "%s.%.*s", unit, (int)n, options);
        options += n + (options[n] == ',');
    }
}

static void add_unit(struct qt_cmdline *line, const struct qt_board *board,
                     const struct qt_mode *mode, const char *options)
{
    if (!board->unit_is_device) {
        add_globals(line, board->unit, mode->options);
        add_globals(line, board->unit, options);
        return;
    }
    add(line, "-device");
    add(line, "%s%s%s%s%s", board->unit, mode->options != NULL ? "," : "",
        mode->options != NULL ? mode->options : "", options != NULL ? "," : "",
        options != NULL ? options : "");
}

bool qt_is_behind_port(const struct qtest_config *config, unsigned engine)
{
    return config->root_port && engine == config->n_engines - 1;
}

static void add_engine(struct qt_cmdline *line,
                       const struct qtest_config *config,
                       const struct qt_wires *wires, unsigned index)
{
    add(line, "-blockdev");
    add(line,
        "driver=file,node-name=disk%u,filename=/proc/self/fd/%d,locking=off",
        index, wires->disk[index]);
    add(line, "-device");
    if (qt_is_behind_port(config, index)) {
        add(line, "nvme,serial=%u,drive=disk%u,bus=rp0,addr=0", index, index);
    } else {
        add(line, "nvme,serial=%u,drive=disk%u,bus=pcie.0,addr=%x", index,
            index, QT_FIRST_SLOT + index);
    }
}

/* As it comes an edu takes addresses of 28 bits only. */
static void add_edus(struct qt_cmdline *line, unsigned n)
{
    add(line, "-device");
    add(line, "pcie-root-port,id=rp1,bus=pcie.0,addr=%x,chassis=2",
        QT_EDU_PORT_SLOT);
    add_option(line, "-device", "pcie-pci-bridge,id=pci,bus=rp1,addr=0");
    for (unsigned i = 0; i < n; i++) {
        add(line, "-device");
        add(line, "edu,bus=pci,addr=%x,dma_mask=0xffffffffffffffff",
            QT_FIRST_EDU_SLOT + i);
    }
}

bool qt_cmdline_make(struct qt_cmdline *line, const struct qtest_config *config,
                     const struct qt_wires *wires)
{
    const struct qt_board *board = qt_board_find(config->iommu);
    const struct qt_mode *mode = qt_board_mode(board, config->mode);

    line->n = line->used = 0;
    line->full = false;
    add(line, "%s", config->binary != NULL ? config->binary : board->binary);
    add_board(line, board, mode, wires);
    add_channels(line, board, wires);
    add_unit(line, board, mode, config->options);
    if (config->root_port) {
        add(line, "-device");
        add(line, "pcie-root-port,id=rp0,bus=pcie.0,addr=%x,chassis=1",
            QT_PORT_SLOT);
    }
    for (unsigned i = 0; i < config->n_engines; i++) {
        add_engine(line, config, wires, i);
    }
    if (config->n_edus > 0) {
        add_edus(line, config->n_edus);
    }
    line->argv[line->n] = NULL;
    return !line->full;
}
