/* SPDX-License-Identifier: MIT */
/*
 * ram.h - the guest's RAM, shared with QEMU, and who has which of it, from where it
 * begins:
 *
 *     0       to 1 MiB      nobody: a PC has holes there, Arm the device tree
 *     1 MiB   to 16 MiB     firmware: the ACPI tables
 *     16 MiB  to 32 MiB     rings of the DMA engines
 *     32 MiB  to 256 MiB    pages for uiommu and its user
 */
#ifndef UIM_HOSTS_QTEST_RAM_H
#define UIM_HOSTS_QTEST_RAM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QT_PAGE     UINT64_C(4096)
#define QT_MIB      UINT64_C(0x100000)
#define QT_FW_AREA  (1 * QT_MIB)
#define QT_ENGINES  (16 * QT_MIB)
#define QT_PAGES    (32 * QT_MIB)
#define QT_RAM_SIZE (256 * QT_MIB)

enum { QT_N_PAGES = (QT_RAM_SIZE - QT_PAGES) / QT_PAGE };

struct qt_ram {
    int fd;
    uint64_t start; /* physical */
    uint8_t *base;

    pthread_mutex_t lock;
    size_t n_live;
    size_t hint; /* where the last allocation ended, a page index */
    uint8_t owner[QT_N_PAGES]; /* 0: free; 1 + order: first of a block;
                                * QT_TAIL: any other page of it        */
};

bool qt_ram_open(struct qt_ram *ram, uint64_t start, char *error, size_t size);
void qt_ram_close(struct qt_ram *ram);

static inline uint8_t *qt_ram_at(const struct qt_ram *ram, uint64_t phys)
{
    return ram->base + (phys - ram->start);
}

/** Zeroed, aligned to its size; UINT64_MAX: none left. */
uint64_t qt_ram_alloc(struct qt_ram *ram, unsigned order);
/** Ends the process if that is not what was allocated: a bug of the caller. */
void qt_ram_free(struct qt_ram *ram, uint64_t phys, unsigned order);
size_t qt_ram_live(struct qt_ram *ram);

#endif
