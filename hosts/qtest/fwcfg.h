/* SPDX-License-Identifier: MIT */
/*
 * fwcfg.h - the part of firmware that hands over ACPI tables: reads them
 * from QEMU's fw_cfg device, places them in RAM and patches pointers and
 * checksums, as the commands in its file etc/table-loader ask.
 *
 * QEMU makes the tables when they are first read: assign bus numbers before.
 */
#ifndef UIM_HOSTS_QTEST_FWCFG_H
#define UIM_HOSTS_QTEST_FWCFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hosts/qtest/board.h"
#include "hosts/qtest/proto.h"
#include "hosts/qtest/ram.h"

enum { QT_FW_NAME = 56, QT_FW_BLOBS = 8 };

struct qt_fw_blob {
    char name[QT_FW_NAME];
    uint64_t phys;
    size_t size;
};

struct qt_fw {
    const struct qt_board *board;
    struct qt_proto *proto;
    struct qt_ram *ram;
    uint64_t next; /* free firmware RAM from here on */
    size_t n_blobs;
    struct qt_fw_blob blobs[QT_FW_BLOBS];
    const uint8_t *root; /* RSDT or XSDT */
};

/** False: a sentence in error[size]. */
bool qt_fw_load(struct qt_fw *fw, const struct qt_board *board,
                struct qt_proto *proto, struct qt_ram *ram, char *error,
                size_t size);

/** The index-th table with that signature, in RAM; NULL: there are fewer. */
const void *qt_fw_table(const struct qt_fw *fw, const char signature[4],
                        unsigned index, size_t *size);

#endif
