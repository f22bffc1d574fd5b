/* SPDX-License-Identifier: MIT */
/*
 * edu.h - QEMU's "edu", a conventional PCI device, as a DMA engine. It has a buffer that
 * only its own DMA reaches: what it is to write it first reads from a page of RAM, where
 * it also puts what it read. That page is reached through the IOMMU as the data is.
 */
#ifndef UIM_HOSTS_QTEST_EDU_H
#define UIM_HOSTS_QTEST_EDU_H

#include "hosts/machine.h"
#include "hosts/qtest/log.h"
#include "hosts/qtest/proto.h"
#include "hosts/qtest/ram.h"

struct qt_edu {
    struct qt_proto *proto;
    struct qt_ram *ram;
    struct qt_log *log; /* the one who notices a refusal */
    uint64_t bar, area; /* the area is one page */
    char error[160];    /* why the last DMA was refused */
};

/** Of more than its buffer in pieces, up to the one that is refused. */
enum machine_dma qt_edu_dma(struct qt_edu *edu, bool write, uint64_t iova,
                            void *buf, size_t size);

#endif
