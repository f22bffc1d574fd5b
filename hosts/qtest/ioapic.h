/* SPDX-License-Identifier: MIT */
/* ioapic.h - an I/O APIC, of which one pin is used. */
#ifndef UIM_HOSTS_QTEST_IOAPIC_H
#define UIM_HOSTS_QTEST_IOAPIC_H

#include "hosts/qtest/proto.h"

/** The pin gets this redirection entry, rises and falls, and is masked again. `path`:
 *  where it is in QEMU's tree. */
void qt_ioapic_raise(struct qt_proto *proto, const char *path, uint64_t rte);

#endif
