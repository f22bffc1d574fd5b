/* SPDX-License-Identifier: MIT */
/* log.c - see log.h. */
#include "hosts/qtest/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CHUNK = 16384 };

bool qt_log_open(struct qt_log *log, const struct qt_event *events, char *error,
                 size_t size)
{
    *log = (struct qt_log){
        .events = events,
        .fd = memfd_create("qemu-log", MFD_CLOEXEC),
    };
    if (log->fd < 0) {
        (void)snprintf(error, size, "memfd_create: %s", strerror(errno));
        return false;
    }
    return true;
}

void qt_log_close(struct qt_log *log)
{
    if (log->fd >= 0) {
        (void)close(log->fd);
    }
}

/* ---- lists ---------------------------------------------------------------- */

static void take_out(void *list, unsigned *n, size_t size, unsigned i)
{
    char *at = (char *)list + i * size;

    (*n)--;
    memmove(at, at + size, (*n - i) * size);
}

/* Room for one more at the end; the oldest goes if need be. */
static unsigned push(void *list, unsigned *n, size_t size)
{
    if (*n == QT_LOG_KEEP) {
        take_out(list, n, size, 0);
    }
    return (*n)++;
}

void qt_log_add_irq(struct qt_log *log, struct uiommu_irq_target irq)
{
    log->irqs[push(log->irqs, &log->n_irqs, sizeof(irq))] = irq;
}

void qt_log_add_wire(struct qt_log *log, unsigned n)
{
    log->wires |= 1u << n;
}

void qt_log_add_iec(struct qt_log *log, struct qtest_iec iec)
{
    log->iecs[push(log->iecs, &log->n_iecs, sizeof(iec))] = iec;
}

/* ---- lines ---------------------------------------------------------------- */

static bool is_of(const char *line, const char *event)
{
    size_t n = strlen(event);

    return strncmp(line, event, n) == 0 && line[n] == ' ';
}

static bool was_read(struct qt_log *log, const char *line)
{
    const struct qt_event *event = log->events;

    while (event->name != NULL && !is_of(line, event->name)) {
        event++;
    }
    return event->take != NULL && event->take(log, line);
}

/* What cannot be read is nothing good: a refusal, too. */
static void take_line(struct qt_log *log, const char *line)
{
    if (was_read(log, line) || log->refused) {
        return;
    }
    log->refused = true;
    (void)snprintf(log->refusal, sizeof(log->refusal), "%.*s",
                   (int)sizeof(log->refusal) - 1, line);
}

/* The whole lines of a chunk; how many bytes they are. */
static size_t take_lines(struct qt_log *log, char *text)
{
    char *line = text, *last;

    while ((last = strchr(line, '\n')) != NULL) {
        *last = '\0';
        take_line(log, line);
        line = last + 1;
    }
    return (size_t)(line - text);
}

/* A page that is refused is a thousand lines: their memory is given back. QEMU
 * writes on where it was.                                                   */
static void read_on(struct qt_log *log)
{
    char text[CHUNK + 1];
    size_t taken;
    ssize_t n;

    do {
        n = pread(log->fd, text, CHUNK, log->seen);
        text[n > 0 ? n : 0] = '\0';
        taken = take_lines(log, text);
        log->seen += (off_t)taken;
    } while (taken > 0);
    if (log->seen > 0) {
        (void)fallocate(log->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                        log->seen);
    }
}

/* ---- questions ------------------------------------------------------------ */

bool qt_log_refusal(struct qt_log *log, char *line, size_t size)
{
    bool refused;

    read_on(log);
    refused = log->refused;
    if (refused) {
        (void)snprintf(line, size, "%s", log->refusal);
    }
    log->refused = false;
    return refused;
}

bool qt_log_irq(struct qt_log *log,
                bool (*wanted)(const struct uiommu_irq_target *irq),
                struct uiommu_irq_target *out)
{
    unsigned i = 0;

    read_on(log);
    while (i < log->n_irqs && !wanted(&log->irqs[i])) {
        i++;
    }
    if (i == log->n_irqs) {
        return false;
    }
    *out = log->irqs[i];
    take_out(log->irqs, &log->n_irqs, sizeof(*out), i);
    return true;
}

bool qt_log_wire(struct qt_log *log, unsigned *out)
{
    unsigned n = 0;

    read_on(log);
    while (n < 32 && (log->wires >> n & 1) == 0) {
        n++;
    }
    *out = n;
    log->wires &= log->wires - 1;
    return n < 32;
}

bool qt_log_iec(struct qt_log *log, struct qtest_iec *out)
{
    read_on(log);
    if (log->n_iecs == 0) {
        return false;
    }
    *out = log->iecs[0];
    take_out(log->iecs, &log->n_iecs, sizeof(*out), 0);
    return true;
}

void qt_log_forget_irqs(struct qt_log *log)
{
    read_on(log);
    log->n_irqs = log->wires = 0;
}
