/* SPDX-License-Identifier: MIT */
/* edu.c - see edu.h. Registers: docs/specs/edu.rst of QEMU. */
#include "hosts/qtest/edu.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    REG_FROM = 0x80,
    REG_TO = 0x88,
    REG_COUNT = 0x90,
    REG_COMMAND = 0x98,

    COMMAND_RUN = 1 << 0,
    COMMAND_TO_RAM = 1 << 1,

    BUFFER = 0x40000, /* as the device numbers its own memory */
    BUFFER_SIZE = 4096,
};

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static enum machine_dma wait_done(struct qt_edu *edu)
{
    uint64_t deadline = now_ms() + edu->proto->timeout_ms;

    while ((qt_proto_read(edu->proto, 4, edu->bar + REG_COMMAND) &
            COMMAND_RUN) != 0) {
        if (!qt_proto_alive(edu->proto)) {
            return MACHINE_DMA_DEAD;
        }
        if (now_ms() > deadline) {
            (void)snprintf(edu->error, sizeof(edu->error),
                           "edu did not complete its DMA");
            return MACHINE_DMA_REFUSED;
        }
        (void)sched_yield();
    }
    return qt_proto_alive(edu->proto) ? MACHINE_DMA_DONE : MACHINE_DMA_DEAD;
}

/* Between the buffer and `iova`. The device does not notice a refusal. */
static enum machine_dma move(struct qt_edu *edu, bool to_ram, uint64_t iova,
                             size_t size, const char *what)
{
    char line[120];
    enum machine_dma result;

    qt_proto_write(edu->proto, 8, edu->bar + REG_FROM, to_ram ? BUFFER : iova);
    qt_proto_write(edu->proto, 8, edu->bar + REG_TO, to_ram ? iova : BUFFER);
    qt_proto_write(edu->proto, 8, edu->bar + REG_COUNT, size);
    qt_proto_write(edu->proto, 8, edu->bar + REG_COMMAND,
                   COMMAND_RUN | (to_ram ? COMMAND_TO_RAM : 0));
    result = wait_done(edu);
    if (result == MACHINE_DMA_DONE &&
        qt_log_refusal(edu->log, line, sizeof(line))) {
        (void)snprintf(edu->error, sizeof(edu->error), "%s%s", what, line);
        return MACHINE_DMA_REFUSED;
    }
    return result;
}

static const char no_page[] = "edu cannot reach its page: ";

static enum machine_dma write_piece(struct qt_edu *edu, uint64_t iova,
                                    const uint8_t *buf, size_t size)
{
    enum machine_dma result;

    memcpy(qt_ram_at(edu->ram, edu->area), buf, size);
    result = move(edu, false, edu->area, size, no_page);
    if (result != MACHINE_DMA_DONE) {
        return result;
    }
    return move(edu, true, iova, size, "");
}

/* What it got is handed on even if it should not have. */
static enum machine_dma read_piece(struct qt_edu *edu, uint64_t iova,
                                   uint8_t *buf, size_t size)
{
    char error[sizeof(edu->error)];
    enum machine_dma result = move(edu, false, iova, size, ""), back;

    memcpy(error, edu->error, sizeof(error));
    if (result == MACHINE_DMA_DEAD) {
        return result;
    }
    back = move(edu, true, edu->area, size, no_page);
    if (back == MACHINE_DMA_DONE) {
        memcpy(buf, qt_ram_at(edu->ram, edu->area), size);
        memcpy(edu->error, error, sizeof(error));
        return result;
    }
    return back;
}

enum machine_dma qt_edu_dma(struct qt_edu *edu, bool write, uint64_t iova,
                            void *buf, size_t size)
{
    enum machine_dma result = MACHINE_DMA_DONE;
    size_t done = 0;

    while (done < size && result == MACHINE_DMA_DONE) {
        size_t n = size - done < BUFFER_SIZE ? size - done : BUFFER_SIZE;
        uint8_t *piece = (uint8_t *)buf + done;

        result = write ? write_piece(edu, iova + done, piece, n)
                       : read_piece(edu, iova + done, piece, n);
        done += n;
    }
    return result;
}
