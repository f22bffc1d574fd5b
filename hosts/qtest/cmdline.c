/* SPDX-License-Identifier: MIT */
/* cmdline.c - see cmdline.h. */
#include "hosts/qtest/cmdline.h"

#include <stdarg.h>
#include <stdio.h>

#include "hosts/qtest/log.h"
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

/* Paused for ever: what the machine does, its devices do. */
static void add_board(struct qt_cmdline *line, const struct qt_wires *wires)
{
    add_option(line, "-machine", "q35,memory-backend=ram");
    add(line, "-object");
    add(line,
        "memory-backend-file,id=ram,size=%lluM,mem-path=/proc/self/fd/%d,"
        "share=on",
        (unsigned long long)(QT_RAM_SIZE / QT_MIB), wires->ram);
    add(line, "-m");
    add(line, "%lluM", (unsigned long long)(QT_RAM_SIZE / QT_MIB));
    add_option(line, "-accel", "tcg");
    add_option(line, "-S", NULL);
    add_option(line, "-display", "none");
    add_option(line, "-nodefaults", NULL);
    add_option(line, "-no-user-config", NULL);
}

/* Without -qtest-log every command goes to stderr as well. */
static void add_channels(struct qt_cmdline *line, const struct qt_wires *wires)
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
    for (size_t i = 0; qt_log_events[i] != NULL; i++) {
        add_option(line, "-trace", qt_log_events[i]);
    }
}

static void add_unit(struct qt_cmdline *line, const struct qtest_config *config)
{
    static const char *const of_mode[] = {
        [QTEST_LEGACY] = "",
        [QTEST_SCALABLE] = ",x-scalable-mode=on",
        [QTEST_FIRST_STAGE] = ",x-scalable-mode=on,x-flts=on",
    };

    add(line, "-device");
    add(line, "intel-iommu%s%s%s", of_mode[config->mode],
        config->options != NULL ? "," : "",
        config->options != NULL ? config->options : "");
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

bool qt_cmdline_make(struct qt_cmdline *line, const struct qtest_config *config,
                     const struct qt_wires *wires)
{
    line->n = line->used = 0;
    line->full = false;
    add(line, "%s",
        config->binary != NULL ? config->binary : "qemu-system-x86_64");
    add_board(line, wires);
    add_channels(line, wires);
    add_unit(line, config);
    if (config->root_port) {
        add(line, "-device");
        add(line, "pcie-root-port,id=rp0,bus=pcie.0,addr=%x,chassis=1",
            QT_PORT_SLOT);
    }
    for (unsigned i = 0; i < config->n_engines; i++) {
        add_engine(line, config, wires, i);
    }
    line->argv[line->n] = NULL;
    return !line->full;
}
