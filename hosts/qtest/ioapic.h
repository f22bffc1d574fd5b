/* SPDX-License-Identifier: MIT */
/* ioapic.h - the I/O APIC of q35, of which one pin is used. */
#ifndef UIM_HOSTS_QTEST_IOAPIC_H
#define UIM_HOSTS_QTEST_IOAPIC_H

#include "hosts/qtest/proto.h"

/** The pin gets this redirection entry, rises and falls, and is masked again. */
void qt_ioapic_raise(struct qt_proto *proto, uint64_t rte);

#endif
