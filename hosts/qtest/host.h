/* SPDX-License-Identifier: MIT */
/* host.h - struct uiommu_host on a qtest link, guest RAM and POSIX. */
#ifndef UIM_HOSTS_QTEST_HOST_H
#define UIM_HOSTS_QTEST_HOST_H

#include <uiommu/host.h>

#include "hosts/qtest/board.h"
#include "hosts/qtest/fwcfg.h"
#include "hosts/qtest/msi.h"
#include "hosts/qtest/pci.h"
#include "hosts/qtest/proto.h"
#include "hosts/qtest/ram.h"

struct qt_host {
    const struct qt_board *board;
    struct qt_proto *proto;
    struct qt_ram *ram;
    struct qt_pci *pci;
    struct qt_fw *fw;
    struct qt_msis *msis;
    void (*log)(void *ctx, enum uiommu_log_level level, const char *text);
    void *log_ctx;
};

/** `ctx` has to stay. */
void qt_host_init(struct uiommu_host *host, struct qt_host *ctx);

#endif
