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

const char *const qt_log_events[] = {
    "vtd_dmar_fault",   "vtd_fault_disabled", "vtd_ir_remap_msi",
    "apic_deliver_irq", "vtd_inv_desc_iec",   NULL,
};

bool qt_log_open(struct qt_log *log, char *error, size_t size)
{
    *log = (struct qt_log){ .fd = memfd_create("qemu-log", MFD_CLOEXEC) };
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

/* ---- lines ---------------------------------------------------------------- */

static bool take_message(struct qt_log *log, const char *line)
{
    unsigned long long out;

    if (sscanf(line,
               "vtd_ir_remap_msi (addr %*x, data %*x) -> (addr 0x%llx, data",
               &out) != 1) {
        return false;
    }
    log->message = out;
    return true;
}

/* That it arrived is what the APIC says. It names 8 bits of the destination (QEMU
 * 10.0) and no hint: those are in the message, which comes right before.     */
static bool take_irq(struct qt_log *log, const char *line)
{
    int dest, logical, delivery, vector, level;

    if (sscanf(line,
               "apic_deliver_irq dest %d dest_mode %d delivery_mode %d "
               "vector %d trigger_mode %d",
               &dest, &logical, &delivery, &vector, &level) != 5) {
        return false;
    }
    log->irqs[push(log->irqs, &log->n_irqs, sizeof(*log->irqs))] =
        (struct uiommu_irq_target){
            .destination =
                (uint32_t)dest | (uint32_t)(log->message >> 32 & 0xffffff00),
            .hint = log->message >> 3 & 1,
            .vector = (uint8_t)vector,
            .delivery = (uint8_t)delivery,
            .logical = logical != 0,
            .level = level != 0,
        };
    log->message = 0;
    return true;
}

static bool take_iec(struct qt_log *log, const char *line)
{
    unsigned granularity, index, mask;

    if (sscanf(line, "vtd_inv_desc_iec granularity %x index %x mask %x",
               &granularity, &index, &mask) != 3) {
        return false;
    }
    log->iecs[push(log->iecs, &log->n_iecs, sizeof(*log->iecs))] =
        (struct qtest_iec){ granularity == 0, index, mask };
    return true;
}

static void take_line(struct qt_log *log, const char *line)
{
    if (take_message(log, line) || take_irq(log, line) || take_iec(log, line) ||
        log->refused) {
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
    log->n_irqs = 0;
}
