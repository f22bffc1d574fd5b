#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the corpora fuzz/corpus/: a few inputs that get deep. Always the same."""

import pathlib
import struct

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"


def write(target, name, data):
    path = CORPUS / target
    path.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(data)


def structure(kind, body):
    return struct.pack("<HH", kind, 4 + len(body)) + body


def scope(kind, *path, bus=0, enumeration=0):
    pairs = b"".join(struct.pack("BB", *hop) for hop in path)
    return struct.pack("<BBHBB", kind, 6 + len(pairs), 0, enumeration,
                       bus) + pairs


def table(*structures):
    body = struct.pack("<BB10x", 46, 1) + b"".join(structures)
    header = b"DMAR" + bytes(4) + b"\x01\0UIOMMUFUZZSEED" + bytes(12)
    return b"\x01" + header.ljust(36, b"\0") + body


def drhd(flags, base, *scopes):
    return structure(0, struct.pack("<BBHQ", flags, 0, 0, base) +
                     b"".join(scopes))


def rmrr(start, last, *scopes):
    return structure(1, struct.pack("<HHQQ", 0, 0, start, last) +
                     b"".join(scopes))


def dmar():
    endpoint, bridge = scope(1, (0x1d, 0)), scope(2, (0x1c, 0))
    deep = scope(1, (0x1c, 0), (0, 0), (2, 1))
    write("dmar", "one-unit", table(drhd(1, 0xfed90000)))
    write("dmar", "scopes", table(
        drhd(0, 0xfed90000, endpoint, bridge),
        drhd(1, 0xfed91000, scope(3, (0x1e, 7), enumeration=2)),
        rmrr(0x7f000000, 0x7f0fffff, endpoint, deep)))
    write("dmar", "everything", table(
        drhd(1, 0xfed90000),
        structure(2, struct.pack("<BBH", 1, 0, 0) + bridge),
        structure(3, struct.pack("<IQI", 0, 0xfed90000, 1)),
        structure(4, struct.pack("<3xB", 1) + b"\\_SB.I2C0\0"),
        structure(5, struct.pack("<BBH", 1, 0, 0) + deep),
        structure(6, struct.pack("<HH", 0, 0) + endpoint),
        structure(0x7777, b"unknown")))
    write("dmar", "not-sealed", b"\0" + table(drhd(1, 0xfed90000))[1:])


def pci():
    space = bytearray(4096)
    struct.pack_into("<HHHH", space, 0, 0x8086, 0x1533, 6, 0x10)
    space[0x34] = 0x40
    struct.pack_into("<BBH", space, 0x40, 0x10, 0x60, 2)
    struct.pack_into("<BB", space, 0x60, 5, 0)
    for at, kind, following in ((0x100, 0xf, 0x140), (0x140, 0x1b, 0x160),
                                (0x160, 0x13, 0x180), (0x180, 0xd, 0)):
        struct.pack_into("<I", space, at, kind | 1 << 16 | following << 20)
    write("pci", "endpoint", bytes(space))
    space[0x60:0x62] = b"\x05\x40"
    struct.pack_into("<I", space, 0x180, 0xd | 1 << 16 | 0x100 << 20)
    write("pci", "circles", bytes(space))
    write("pci", "ones", b"\xff" * 4096)


def explain():
    for bits in (0x05, 0x37, 0x15):
        write("explain", f"bits-{bits:02x}", bytes([bits, 0]) + bytes(
            (7 * i) & 0xff for i in range(64)) + b"\xff\x00")


def vtd():
    def request(rid, iova, access=1, flags=0, op=4):
        return struct.pack("<BBH", op, access | flags << 4, rid) + \
            struct.pack("<I", iova)[:3]

    def submit(lo, hi=0):
        return struct.pack("<BQQ", 6, lo, hi)

    def poke(offset, value):
        return struct.pack("<BHQ", 2, offset, value)

    wait = submit(0x25 | 5 << 32, 0x20000)
    program = b"".join(request(0x18 + i, i << 12) for i in range(6)) + \
        submit(0x31) + submit(0x11) + submit(0x12 | 1 << 16) + wait + \
        poke(0x7008, 0) + request(0x18, 0x1000, 3) + \
        submit(0x32 | 1 << 16, 0x1000) + wait + request(0x19, 0x1000, 2)
    ats = request(0x18, 0x3000, 3, 2) + submit(0x3 | 0x18 << 32, 0x3001) + \
        wait + b"\x2f" + request(0x18, 0x3000, 1, 4)
    registers = b"".join(struct.pack("<BHI", 0x20, reg, 0xffffffff)
                         for reg in (0x18, 0x28, 0x34, 0x38, 0x88, 0xf8))
    rare = b"".join(bytes([7 | kind << 3]) for kind in range(6))
    for mode in range(7):
        first = next(n for n in range(0x80, 0x100) if n % 7 == mode)
        write("vtd", f"mode-{mode}", bytes([first]) + program + ats +
              registers + rare + program)
    write("vtd", "cold", b"\0" + registers + program + rare)


dmar()
pci()
explain()
vtd()
