/* SPDX-License-Identifier: MIT */
/*
 * proto.h - the qtest line protocol: one command, one answer. Calls may come
 * from any thread; each is one command under a lock.
 *
 * A link dies once: when QEMU ends, is silent for too long, or answers what
 * makes no sense. qt_proto_error() then says which, and every later call
 * returns at once: reads with all ones.
 */
#ifndef UIM_HOSTS_QTEST_PROTO_H
#define UIM_HOSTS_QTEST_PROTO_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hosts/qtest/process.h"

struct qt_proto {
    pthread_mutex_t lock; /* over all but `dead`                           */
    struct qt_process *process;
    int fd;
    unsigned timeout_ms;
    atomic_bool dead; /* set after `error`, which then never changes    */
    char error[256];
    size_t n_in;
    char in[256]; /* what was received and is no whole line yet    */
};

void qt_proto_init(struct qt_proto *proto, struct qt_process *process, int fd,
                   unsigned timeout_ms);
void qt_proto_close(struct qt_proto *proto);

/* Width is 1, 2, 4 or 8 bytes for memory, 1, 2 or 4 for ports. */
uint64_t qt_proto_read(struct qt_proto *proto, unsigned width, uint64_t phys);
void qt_proto_write(struct qt_proto *proto, unsigned width, uint64_t phys,
                    uint64_t value);
uint32_t qt_proto_in(struct qt_proto *proto, unsigned width, uint16_t port);
void qt_proto_out(struct qt_proto *proto, unsigned width, uint16_t port,
                  uint32_t value);

/** Input `n` of the device at that place of QEMU's tree. */
void qt_proto_pin(struct qt_proto *proto, const char *device, unsigned n,
                  bool high);

bool qt_proto_alive(const struct qt_proto *proto);
const char *qt_proto_error(const struct qt_proto *proto);

/** Take in what came unasked; false: the link is dead. Does not wait. */
bool qt_proto_pump(struct qt_proto *proto);

/**
 * The greeting line of the monitor on `fd`, to be had before the first command.
 * False: the link is dead.
 */
bool qt_proto_greeting(struct qt_proto *proto, int fd, char *line, size_t size);

/** Declare the link dead with a sentence of one's own. */
void qt_proto_fail(struct qt_proto *proto, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
