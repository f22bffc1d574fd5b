/* SPDX-License-Identifier: MIT */
/* proto.c - see proto.h. */
#include "hosts/qtest/proto.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    REAP_MS = 5000, /* from the end of the socket to the end of the process */
    LINE_SIZE = 96, /* of a command                                         */
};

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void qt_proto_init(struct qt_proto *proto, struct qt_process *process, int fd,
                   unsigned timeout_ms)
{
    *proto = (struct qt_proto){
        .process = process,
        .fd = fd,
        .timeout_ms = timeout_ms,
    };
    (void)pthread_mutex_init(&proto->lock, NULL);
}

void qt_proto_close(struct qt_proto *proto)
{
    (void)close(proto->fd);
    (void)pthread_mutex_destroy(&proto->lock);
}

bool qt_proto_alive(const struct qt_proto *proto)
{
    return !atomic_load(&proto->dead);
}

const char *qt_proto_error(const struct qt_proto *proto)
{
    return qt_proto_alive(proto) ? "" : proto->error;
}

/* ---- how a link dies; called with the lock held -------------------------- */

static void die(struct qt_proto *proto, const char *format, va_list args)
{
    if (qt_proto_alive(proto)) {
        (void)vsnprintf(proto->error, sizeof(proto->error), format, args);
        atomic_store(&proto->dead, true);
    }
}

__attribute__((format(printf, 2, 3))) static void fail(struct qt_proto *proto,
                                                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    die(proto, format, args);
    va_end(args);
}

static void fail_ended(struct qt_proto *proto)
{
    char text[sizeof(proto->error)];

    if (!qt_process_ended(proto->process, REAP_MS, text, sizeof(text))) {
        (void)snprintf(text, sizeof(text), "QEMU closed its qtest socket");
    }
    fail(proto, "%s", text);
}

void qt_proto_fail(struct qt_proto *proto, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)pthread_mutex_lock(&proto->lock);
    die(proto, format, args);
    (void)pthread_mutex_unlock(&proto->lock);
    va_end(args);
}

/* ---- bytes and lines; called with the lock held -------------------------- */

static void send_all(struct qt_proto *proto, const char *line)
{
    size_t n = strlen(line);

    while (n > 0 && qt_proto_alive(proto)) {
        ssize_t sent = send(proto->fd, line, n, MSG_NOSIGNAL);

        if (sent > 0) {
            line += sent;
            n -= (size_t)sent;
        } else if (errno != EINTR) {
            fail_ended(proto);
        }
    }
}

/* Whether there is something to read, or the end, by then. */
static bool wait_readable(int fd, uint64_t deadline_ms)
{
    struct pollfd pfd = { .fd = fd, .events = POLLIN };
    uint64_t now;
    int n;

    do {
        now = now_ms();
        n = poll(&pfd, 1, now < deadline_ms ? (int)(deadline_ms - now) : 0);
    } while (n < 0 && now < deadline_ms);
    return n > 0;
}

static void receive(struct qt_proto *proto)
{
    size_t room = sizeof(proto->in) - proto->n_in;
    ssize_t n;

    if (room == 0) {
        fail(proto, "QEMU sent a line of over %zu bytes", sizeof(proto->in));
        return;
    }
    n = recv(proto->fd, proto->in + proto->n_in, room, 0);
    if (n > 0) {
        proto->n_in += (size_t)n;
    } else if (n == 0 || errno != EINTR) {
        fail_ended(proto);
    }
}

/* Move the first whole line out of the buffer. */
static bool take_line(struct qt_proto *proto, char line[sizeof(proto->in)])
{
    char *last = memchr(proto->in, '\n', proto->n_in);
    size_t n;

    if (last == NULL) {
        return false;
    }
    n = (size_t)(last - proto->in);
    memcpy(line, proto->in, n);
    line[n] = '\0';
    proto->n_in -= n + 1;
    memmove(proto->in, last + 1, proto->n_in);
    return true;
}

/* The answer to `command`; interrupts may be reported before it. */
static bool receive_answer(struct qt_proto *proto, const char *command,
                           char line[sizeof(proto->in)])
{
    uint64_t deadline = now_ms() + proto->timeout_ms;

    while (qt_proto_alive(proto)) {
        if (take_line(proto, line)) {
            if (strncmp(line, "IRQ ", 4) != 0) {
                return true;
            }
        } else if (wait_readable(proto->fd, deadline)) {
            receive(proto);
        } else {
            fail(proto, "QEMU did not answer '%.*s' within %u ms",
                 (int)strcspn(command, "\n"), command, proto->timeout_ms);
        }
    }
    return false;
}

/* ---- commands ------------------------------------------------------------ */

static uint64_t parse_answer(struct qt_proto *proto, const char *command,
                             const char *line)
{
    char *rest;
    uint64_t value;

    if (strcmp(line, "OK") == 0) {
        return 0;
    }
    if (strncmp(line, "OK ", 3) == 0) {
        value = strtoull(line + 3, &rest, 0);
        if (rest != line + 3 && *rest == '\0') {
            return value;
        }
    }
    fail(proto, "QEMU answered '%.60s' to '%.*s'", line,
         (int)strcspn(command, "\n"), command);
    return UINT64_MAX;
}

__attribute__((format(printf, 2, 3))) static uint64_t
command(struct qt_proto *proto, const char *format, ...)
{
    char text[LINE_SIZE], line[sizeof(proto->in)];
    uint64_t value = UINT64_MAX;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)pthread_mutex_lock(&proto->lock);
    send_all(proto, text);
    if (receive_answer(proto, text, line)) {
        value = parse_answer(proto, text, line);
    }
    (void)pthread_mutex_unlock(&proto->lock);
    return value;
}

static char width_letter(unsigned width)
{
    return "?bw?l???q"[width <= 8 ? width : 0];
}

static uint64_t width_mask(unsigned width)
{
    return UINT64_MAX >> (64 - 8 * width);
}

uint64_t qt_proto_read(struct qt_proto *proto, unsigned width, uint64_t phys)
{
    return command(proto, "read%c 0x%llx\n", width_letter(width),
                   (unsigned long long)phys) &
           width_mask(width);
}

void qt_proto_write(struct qt_proto *proto, unsigned width, uint64_t phys,
                    uint64_t value)
{
    (void)command(proto, "write%c 0x%llx 0x%llx\n", width_letter(width),
                  (unsigned long long)phys,
                  (unsigned long long)(value & width_mask(width)));
}

uint32_t qt_proto_in(struct qt_proto *proto, unsigned width, uint16_t port)
{
    return (uint32_t)(command(proto, "in%c 0x%x\n", width_letter(width),
                              (unsigned)port) &
                      width_mask(width));
}

void qt_proto_out(struct qt_proto *proto, unsigned width, uint16_t port,
                  uint32_t value)
{
    (void)command(proto, "out%c 0x%x 0x%x\n", width_letter(width),
                  (unsigned)port, (unsigned)(value & width_mask(width)));
}

void qt_proto_pin(struct qt_proto *proto, const char *device, unsigned n,
                  bool high)
{
    (void)command(proto, "set_irq_in %s unnamed-gpio-in %u %d\n", device, n,
                  high);
}

bool qt_proto_pump(struct qt_proto *proto)
{
    char line[sizeof(proto->in)];

    (void)pthread_mutex_lock(&proto->lock);
    while (qt_proto_alive(proto) && wait_readable(proto->fd, 0)) {
        receive(proto);
        while (take_line(proto, line)) {
            /* Only interrupts come unasked, and nobody asked for those. */
        }
    }
    (void)pthread_mutex_unlock(&proto->lock);
    return qt_proto_alive(proto);
}

/* ---- the monitor's greeting ---------------------------------------------- */

static bool read_line(int fd, uint64_t deadline, char *line, size_t size,
                      bool *ended)
{
    size_t n = 0;

    while (n + 1 < size && wait_readable(fd, deadline)) {
        if (recv(fd, line + n, 1, 0) != 1) {
            *ended = true;
            return false;
        }
        if (line[n] == '\n') {
            line[n] = '\0';
            return true;
        }
        n++;
    }
    return false;
}

bool qt_proto_greeting(struct qt_proto *proto, int fd, char *line, size_t size)
{
    bool ended = false;
    bool ok;

    (void)pthread_mutex_lock(&proto->lock);
    ok = read_line(fd, now_ms() + proto->timeout_ms, line, size, &ended);
    if (!ok && ended) {
        fail_ended(proto);
    } else if (!ok) {
        fail(proto, "QEMU did not start within %u ms", proto->timeout_ms);
    }
    (void)pthread_mutex_unlock(&proto->lock);
    return ok;
}
