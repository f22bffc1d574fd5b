/* SPDX-License-Identifier: MIT */
/*
 * nvme.h - an NVMe controller as a DMA engine. Its disk is a memory file that
 * we share with QEMU: to write memory, put the bytes on the disk and have it
 * read them to the iova; to read memory, the other way round.
 *
 * Its queues are in RAM and reached through the IOMMU as the data is. Whenever
 * a command is lost the controller is reset before the next one.
 */
#ifndef UIM_HOSTS_QTEST_NVME_H
#define UIM_HOSTS_QTEST_NVME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hosts/machine.h"
#include "hosts/qtest/msix.h"
#include "hosts/qtest/pci.h"
#include "hosts/qtest/proto.h"
#include "hosts/qtest/ram.h"

#define QT_NVME_DISK      (4 * QT_MIB)
#define QT_NVME_MAX_DMA   UINT64_C(0x80000) /* what QEMU's controller takes */
#define QT_NVME_AREA      (5 * QT_PAGE)     /* see enum area_page           */
#define QT_NVME_AREA_STEP (8 * QT_PAGE)

struct qt_nvme_queue {
    unsigned id;
    uint64_t sq, cq; /* physical                                    */
    unsigned tail, head;
    bool phase;
};

struct qt_nvme {
    struct qt_proto *proto;
    struct qt_ram *ram;
    uint64_t bar, area;
    unsigned doorbell_step; /* bytes between doorbells                     */
    unsigned timeout_ms;
    bool ready; /* enabled, and no command was lost since      */
    uint16_t next_cid;
    struct qt_nvme_queue admin, io;
    struct qt_msix msix;
    int disk_fd;
    uint8_t *disk;
    char error[160]; /* why the last command was refused            */
};

/** The disk, before QEMU starts. `index` counts the engines. */
bool qt_nvme_open(struct qt_nvme *nvme, unsigned index, struct qt_ram *ram,
                  char *error, size_t size);
/** Where the controller is, once QEMU runs and the BAR is assigned. */
void qt_nvme_attach(struct qt_nvme *nvme, struct qt_pci *pci,
                    struct uiommu_pci where, uint64_t bar);
void qt_nvme_close(struct qt_nvme *nvme);

/** REFUSED as far as the controller noticed: it does not notice that its data
 *  was refused.                                                             */
enum machine_dma qt_nvme_dma(struct qt_nvme *nvme, bool write, uint64_t iova,
                             void *buf, size_t size);

/** It sends one message; nobody tells it what becomes of it. */
enum machine_dma qt_nvme_send_irq(struct qt_nvme *nvme, uint64_t addr,
                                  uint32_t data);

#endif
