/* SPDX-License-Identifier: MIT */
/* ioapic.c - see ioapic.h. Registers: data sheet of the 82093AA I/O APIC. */
#include "hosts/qtest/ioapic.h"

#define REGISTER UINT64_C(0xfec00000) /* which one */
#define WINDOW   UINT64_C(0xfec00010) /* its value */

enum {
    PIN = 5,        /* nobody else's in this machine */
    ENTRIES = 0x10, /* two registers each */
    MASKED = 1 << 16,
};

static void write_half(struct qt_proto *proto, unsigned half, uint64_t value)
{
    qt_proto_write(proto, 4, REGISTER, ENTRIES + 2 * PIN + half);
    qt_proto_write(proto, 4, WINDOW, value & UINT32_MAX);
}

/* A masked entry for edges forgets that an interrupt of it was not ended. */
void qt_ioapic_raise(struct qt_proto *proto, const char *path, uint64_t rte)
{
    write_half(proto, 1, rte >> 32);
    write_half(proto, 0, rte);
    qt_proto_pin(proto, path, PIN, true);
    qt_proto_pin(proto, path, PIN, false);
    write_half(proto, 0, MASKED);
}
