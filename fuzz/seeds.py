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


def node(kind, revision, fixed, *mappings, identifier=0):
    """An IORT node: what is behind the header, then its mappings."""
    body = fixed + b"".join(struct.pack("<IIIII", *m) for m in mappings)
    return struct.pack("<BHBIII", kind, 16 + len(body), revision, identifier,
                       len(mappings), 16 + len(fixed)) + body


def iort_table(*nodes, revision=6):
    body = struct.pack("<III", len(nodes), 48, 0) + b"".join(nodes)
    header = b"IORT" + bytes(4) + bytes([revision, 0]) + b"UIOMMUFUZZSEED"
    return b"\x01" + header.ljust(36, b"\0") + body


def smmu_v3(base, *mappings, flags=0x10, index=0):
    return node(4, 5, struct.pack("<QIIQIIIIIII", base, flags, 0, 0, 0, 1, 2,
                                  3, 4, 0, index), *mappings)


def root(segment, *mappings):
    return node(2, 4, struct.pack("<QIIBHBI", 1, 1, segment, 48, 20, 0, 1),
                *mappings)


def component(name, *mappings):
    return node(1, 4, struct.pack("<IQB", 1, 1, 40) + name + b"\0", *mappings)


def rmr(start, size, *mappings):
    return node(6, 3, struct.pack("<IIIQQI", 0x15, 1, 28, start, size, 0),
                *mappings)


def iort():
    its = node(0, 1, struct.pack("<II", 1, 0))
    unit = 48 + len(its)
    smmu = smmu_v3(0x50000000, (0, 0, 9, 48, 1), (0, 0xffff, 0, 48, 0))
    write("iort", "one-unit", iort_table(its, smmu, root(
        0, (0, 0xff, 0, unit, 0), (0x100, 0xfeff, 0x100, 48, 0))))
    write("iort", "components", iort_table(its, smmu, component(
        b"\\_SB.DMA0", (0, 0, 0x900, unit, 1), (0, 7, 0x910, unit, 0)), component(
            b"\\_SB.MBI0", (0, 0, 0x77, 48, 1))))
    write("iort", "regions", iort_table(
        its, smmu, root(0, (0, 0xff, 0, unit, 0)),
        component(b"\\_SB.DMA0", (0, 0, 0x900, unit, 1)),
        rmr(0x80000000, 0x10000, (0, 0xf, 0, unit, 0), (0, 0, 0x900, unit, 0))))
    write("iort", "everything", iort_table(
        its, smmu, node(3, 3, struct.pack("<QQIIIIIII", 0x60000000, 0x10000, 3,
                                          3, 60, 0, 60, 0, 60),
                        (0, 0xff, 0, 48, 0)),
        root(1, (0, 0x100, 0x200, unit, 0), (0x100, 0x1f, 0x300, unit, 0),
             (0x110, 1, 0x310, unit, 0)),
        node(5, 2, struct.pack("<QIIQ", 0x70000000, 5, unit, 0x70010000),
             (0, 0, 3, 48, 1)), node(9, 0, b"unknown")))
    write("iort", "not-sealed", b"\0" + iort_table(its, smmu)[1:])


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
    struct.pack_into("<I", space, 0x100, 1 | 1 << 16 | 0xffc << 20)
    for kind, name in ((0xf, "ats"), (0x1b, "pasid"), (0x13, "pri")):
        struct.pack_into("<I", space, 0xffc, kind | 1 << 16)
        write("pci", f"{name}-at-the-end", bytes(space))


def explain():
    for bits in (0x05, 0x37, 0x15):
        write("explain", f"bits-{bits:02x}", bytes([bits, 0]) + bytes(
            (7 * i) & 0xff for i in range(64)) + b"\xff\x00")
    write("explain", "smmuv3", bytes([0x37, 1]) + bytes(8) + b"\x10" +
          bytes((7 * i) & 0xff for i in range(64)) + b"\xff\x00")


# What logs are made of, and the lines that tests/corpus has none of.
WORDS = [
    "[DMA Read] ", "[DMA Write] ", "[DMA Read NO_PASID] ", " PASID ",
    "Request device [00:02.0]", " fault addr ", "[INTR-REMAP] ", "INTR-REMAP: ",
    " fault index ", "[fault reason ", "DMAR: reason ", " REASON ", "\n> ",
    "=\n", "handling fault status reg ", "VT-d detected Invalidation ",
    "Queue Error", "Time-out Error: SID ", "Completion Error", "FRCD", "FSTS",
    "DMA PTE for vPFN ", " already set", "PTE = ", "pte value: ",
    "iommu_fault:DMA Read: ", "iommu_fault_status: ", "Fault Overflow",
    "event 0x10 received:", ": 0x0000010000000010\n", "event: F_TRANSLATION",
    " client: 0000:01:00.0", " client: (unassigned sid)", " sid: 0x100",
    " ssid: 0x7", " iova: 0x1000", " ipa: 0x0", " fetch_addr: 0x1000",
    "unpriv data write s1 \"", "Input address caused fault\"", " stall",
    " stag: 0x0", "sid 0x00000100.0x00001: [3L] unprivileged RW",
    " access at iova 0x", "global error reported (0x00000001)",
    "CMDQ error (cons 0x01000022)", "skipping command in error state:",
    "CMD_SYNC timeout at 0x00000146", " [hwprod 0x00000146",
    ", hwcons 0x00000000", "CMDQ timeout", "EVTQ overflow detected",
    "EVTQ MSI write aborted", "PRIQ write aborted", "EVENTQ 10 200 1000 0"]


def lines():
    for name, text in {
            "xen": "(XEN) [VT-D]DMAR:[DMA Read] Request device [0000:00:02.0] "
                   "fault addr 8e480000, iommu reg = ffff82c00021d000\n"
                   "(XEN) [VT-D]DMAR: reason 06 - PTE Read\n"
                   "(XEN) [VT-D]INTR-REMAP: Request device [0000:f0:1f.0] fault "
                   "index 0\n(XEN) [VT-D]INTR-REMAP: reason 22 - Present\n",
            "xen-3": "iommu_fault_status: Fault Overflow\niommu_fault:DMA Read: "
                     "0:1d.1 addr 7d2ce000 REASON 6 iommu->reg = ffff828b\n",
            "linux-3": "INTR-REMAP: Request device [[f0:1f.0] fault index 0\n"
                       "INTR-REMAP:[fault reason 37] Blocked\n",
            "quoted": "> > [DMA Write] Request device [00:02.0] PASID =\n"
                      "ff\n> > fault addr 7000 [fault\n> > reason 05]\n",
            "dump": "[DMA Read] Request device [00:02.0] fault addr 0x0 [fault "
                    "reason 0x06]\npte level: 2, pte value: 0x3\n",
            "queue": "VT-d detected Invalidation Time-out Error: SID 5300\n",
            "event": "u: event 0x10 received:\nu: 0x0000010000000010\n"
                     "u: event: F_TRANSLATION client: usb sid: 0x100 ssid: "
                     "0x7 iova: 0x1000 ipa: 0x2000\nu: unpriv data write s2 "
                     "\"CD fetch\" stall stag: 0x1\n",
            "request": "sid 0x00000100.0x00007: [3L] unprivileged RW access at "
                       "iova 0x0000000012345000\n",
            "errors": "global error reported (0x00000104)\nEVTQ write aborted"
                      "\nEVTQ overflow detected\nCMDQ timeout\n",
            "events": "EVENTQ[1] 0x0000010000007810 0x0000020000000000 0x1 0\n"
                      "EVTQ 7810 100 0 200 1 0 0 0\n",
            "raw": "FRCD[0] 0x12345000 0xc000001600000010; FSTS 0x43\n"
                   "FRCD 12345000 00000000 00000010 c0000016\n"}.items():
        write("lines", name, text.encode())


ACS = ("\tCapabilities: [100 v1] Access Control Services\n\t\tACSCap:\tSrcValid+ "
       "TransBlk+ ReqRedir+ CmpltRedir+ UpstreamFwd+ EgressCtrl- DirectTrans+\n"
       "\t\tACSCtl:\tSrcValid+ ReqRedir+ CmpltRedir+ UpstreamFwd+ DirectTrans-\n")


def bridge(at, first, last, port, more=""):
    return (f"{at} PCI bridge: Intel Corporation Root Port #1 (rev 02)\n{more}"
            f"\tBus: primary={at[:2]}, secondary={first}, subordinate={last}\n"
            f"\tCapabilities: [40] Express (v2) {port}, MSI 00\n")


def endpoint(at, more=""):
    return (f"{at} 0200: 1af4:1041 (prog-if 01)\n\tStatus: Cap+\n"
            f"\tCapabilities: [40] Express (v2) Endpoint, MSI 00\n{more}")


def hexadecimal(title, space, size):
    return f"{title}\n" + "".join(
        f"{at:02x}: {space[at:at + 16].hex(' ')}\n"
        for at in range(0, size, 16)) + "\n"


def plan():
    root = bridge("00:01.0", "01", "05", "Root Port (Slot+)") + ACS
    memory = "\tRegion 0: Memory at 80000000 (32-bit)\n"
    switch = (bridge("01:00.0", "02", "05", "Upstream Port", memory) +
              bridge("02:00.0", "03", "03", "Downstream Port") + ACS +
              bridge("02:01.0", "04", "05", "Downstream Port") + "".join(
                  map(endpoint, ("03:00.0", "03:00.1", "04:00.0"))))
    virtual = ("\tCapabilities: [160 v1] Single Root I/O Virtualization\n"
               "\t\tIOVCtl:\tEnable+\n\t\tNumber of VFs: 2,\n"
               "\t\tVF offset: 128, stride: 2, Device ID: 154c\n")
    space = bytearray(4096)
    struct.pack_into("<HHHHI", space, 0, 0x8086, 0x9d10, 6, 0x10, 0x06040001)
    space[0x0e], space[0x19], space[0x1a], space[0x34] = 1, 1, 1, 0x40
    struct.pack_into("<BBH", space, 0x40, 0x10, 0, 0x42)
    struct.pack_into("<IHH", space, 0x100, 0xd | 1 << 16, 0x1f, 0x1d)
    title = "00:1c.0 PCI bridge: Intel Corporation Root Port #1"
    log = "".join(f"[ 0.5] pci 0000:{line}\n" for line in (
        "00:01.0: [8086:9d10] type 01 class 0x060400 PCIe Root Port",
        "00:01.0: PCI bridge to [bus 01-02]",
        "01:00.0: [1af4:1041] type 00 class 0x020000 PCIe Endpoint",
        "01:00.1: [1af4:1042] type 00 class 0x020000"))
    for name, text in {
            "port": root, "switch": root + switch, "log": log,
            "denied": root + "01:00.0 0200: 1af4:1041\n"
                      "\tCapabilities: <access denied>\n",
            "virtual": root + endpoint("01:00.0", virtual) + "".join(
                map(endpoint, ("01:10.0", "01:10.2"))),
            "conventional": root + bridge(
                "01:00.0", "02", "03", "PCI-Express to PCI Bridge") +
            "02:01.0 0604: 8086:1\n\tBus: primary=02, secondary=03, "
            "subordinate=03\n03:00.0 0200: 1011:9\n\tStatus: Cap-\n",
            "aliases": endpoint("03:00.0") + "03:00.1 0106: 1b4b:9230\n" + ACS,
            "circle": bridge("01:00.0", "02", "02", "Root Port") +
            bridge("02:00.0", "01", "02", "Root Port"),
            "nobody-else": "10000:e1:00.0 0108: 144d:a80a\n",
            "elsewhere": root + "10000:e1:00.0 0108: 144d:a80a\n\tStatus: Cap+\n",
            "bytes": hexadecimal(title, space, 4096) + endpoint("01:00.0"),
            "both": bridge("00:1c.0", "01", "01", "Root Port") + ACS +
            hexadecimal(title, space, 256).split("\n", 1)[1],
            "few": hexadecimal(title, space, 64),
            "gone": hexadecimal(title + " (rev ff) (prog-if ff)", b"\xff" * 256,
                                256)}.items():
        write("plan", name, text.encode())


# Steps of fuzz/guest.c.
WRITE, TABLE, ASK, SUBMIT, FINISH, RARE, DOOR, ANY_WRITE, ANY_READ = \
    0, 2, 4, 5, 6, 7, 8, 9, 10
R, W, X, PRIV = 1, 2, 4, 8
PROBE, ATS, XLATED = 1, 2, 4
LONG = 3 << 4     # an access of 8 bytes; << 4 also numbers what is rare
MODES = 10       # of args in fuzz/vtd.c
IR, IR_SCALABLE, PAGES = 7, 8, 9
# Where the registers of a VT-d unit are in its state, behind its arguments, and its
# numbers behind those: GSTS, and the last serial.
VTD_REGISTERS = 6 + 18
VTD_GSTS, VTD_SERIAL = VTD_REGISTERS + 4, VTD_REGISTERS + 32 + 8


def started(mode):
    return bytes([next(n for n in range(0x80, 0x100) if n % MODES == mode)])


NORMAL = started(0) # the model without arguments


def request(rid, iova, access=R, flags=0, pasid=None):
    data = struct.pack("<BBH", ASK, access | flags << 4 |
                       (0x80 if pasid is not None else 0), rid)
    if pasid is not None:
        data += struct.pack("<I", pasid)[:3]
    return data + struct.pack("<Q", iova)[:8 if flags & PROBE else 3]


def submit(lo, hi=0):
    return struct.pack("<BQQ", SUBMIT, lo, hi)


def poke(offset, value):
    return struct.pack("<BHQ", TABLE, offset, value)


def register(offset, value):
    return struct.pack("<BHI", WRITE | 2 << 4, offset, value)


def message(index, rid=0x18, data=0, bits=0x10):
    address = (index & 0x7fff) << 5 | bits
    return struct.pack("<BH", RARE | 4 << 4, rid) + \
        address.to_bytes(3, "little") + bytes([data])


def ask_for_page(rid, access=R, pasid=None, group=0, last=True, iova=0x300000):
    return bytes([RARE | 5 << 4, access | (0x10 if last else 0) |
                  (0x80 if pasid is not None else 0)]) + \
        struct.pack("<H", rid) + \
        (struct.pack("<I", pasid)[:3] if pasid is not None else b"") + \
        struct.pack("<HQ", group, iova)


def answer_page(rid, group=0, pasid=None, code=0):
    return submit(9 | rid << 16 | code << 12 |
                  (1 << 4 | pasid << 32 if pasid is not None else 0),
                  group << 3)


def changed(at, value, how=0):
    return struct.pack("<BBH", RARE | 3 << 4, how, at) + \
        struct.pack("<Q", value)[:8 if how & 4 else 1]


SNAPSHOT = bytes([RARE | 2 << 4])
WAIT = submit(0x25 | 5 << 32, 0x20000)
INVALIDATIONS = [submit(0x11), submit(0x31), submit(0x12 | 1 << 16),
                 submit(0x32 | 1 << 16, 0x1000), submit(0x17),
                 submit(0x37 | 1 << 16), submit(0x26 | 1 << 16),
                 submit(0x36 | 1 << 16, 0x1000), submit(0x4),
                 submit(0x3 | 0x18 << 32, 0x3001),
                 submit(0x8 | 0x18 << 16, 0x3001)]


def vtd():
    program = b"".join(request(0x18 + i, i << 12) for i in range(6)) + \
        b"".join(INVALIDATIONS[:4]) + WAIT + poke(0x7000, 0) + \
        request(0x18, 0x1000, R | W) + WAIT + request(0x19, 0x1000, W)
    ats = request(0x18, 0x3000, R | W, ATS) + INVALIDATIONS[9] + WAIT + \
        bytes([FINISH, 2]) + request(0x18, 0x3000, R, XLATED) + \
        request(0x18, 0x4000, R, ATS)
    pasids = b"".join(request(0x18, 0x2000, a, 0, p) for a in (R, W | PRIV, X)
                      for p in (0, 1))
    probes = request(0x18, 0x1000, R | W, PROBE) + \
        request(0x18, 0xffffffffff000, R, PROBE) + \
        request(0x18, 0xfee00000, W, PROBE)
    registers = b"".join(register(reg, 0xffffffff)
                         for reg in (0x18, 0x28, 0x34, 0x38, 0x88, 0xf8))
    events = b"".join(register(reg, value) for reg, value in (
        (0x3c, 0x41), (0x40, 0xfee00000), (0x38, 0), (0xa4, 0x42),
        (0xa8, 0xfee00000), (0xa0, 0))) + request(0x21, 0x700000, W) + \
        submit(0x35, 0x20000)
    held = bytes([DOOR | 1 << 4]) + INVALIDATIONS[3] + WAIT + \
        bytes([DOOR | 2 << 4, 1, DOOR | 0 << 4])
    rare = b"".join(bytes([RARE | kind << 4]) + b"\x18" * 9
                    for kind in (1, 2, 3, 4, 5, 6, 7, 0))
    anything = bytes([ANY_WRITE, 0, 0x30, 0, 5]) + b"\xff" * 8 + \
        bytes([ANY_READ, 1, 0xff, 0xff, 8])
    whole = program + ats + pasids + probes + events + held + anything
    for mode in range(MODES):
        write("vtd", f"mode-{mode}", started(mode) + whole + registers + rare)
        write("vtd", f"queue-{mode}", started(mode) + b"".join(INVALIDATIONS))
    # More than can be open at once, of requests and of waits; a tail that the
    # queue does not have; ranges of every size; rights of a page that covers the
    # interrupt window.
    device, wait = INVALIDATIONS[9], submit(0x25)
    write("vtd", "many-requests", NORMAL + device * 70 + WAIT +
          bytes([FINISH, 0]) * 80)
    write("vtd", "many-waits", NORMAL + device + wait * 80 + WAIT +
          bytes([FINISH, 0]) + device + wait * 3 + bytes([FINISH, 1]))
    write("vtd", "far-tail", NORMAL + INVALIDATIONS[2] * 256 + struct.pack(
        "<BHQ", WRITE | LONG, 0x88, 0x7fff0) + WAIT)
    write("vtd", "orders", NORMAL + b"".join(
        submit(0x3 | 0x18 << 32, ((1 << order) - 1) << 12 | 1) +
        bytes([FINISH, 0]) for order in range(53)))
    write("vtd", "window", NORMAL + poke(0x5018, 0xc0000083) + request(
        0x18, 0xc0000000, R, PROBE) + request(0x18, 0xfedff000, R, PROBE))
    write("vtd", "dirty-probe", started(5) + request(
        0x18, 0x1000, R | W, PROBE) + request(0x18, 0x1000, R | W))
    write("vtd", "snapshots", NORMAL + SNAPSHOT.join(
        [program, INVALIDATIONS[9], WAIT, request(0x18, 0x2000), events, b""]) +
        bytes([FINISH, 0]) + SNAPSHOT + request(0x18, 0x1000))
    # Messages: of all entries, remembered, by another, in compatibility format.
    messages = b"".join(message(i) for i in (0, 1, 7, 8, 0x7fff)) + \
        message(2, bits=0x18, data=3) + message(1, bits=0x11) + \
        message(1, bits=0) + poke(0x9010, 0x420001) + message(1) + \
        INVALIDATIONS[8] + message(1)
    for mode in (IR, IR_SCALABLE):
        write("vtd", f"messages-{mode}", started(mode) + messages + SNAPSHOT +
              messages + register(0x18, 0) + messages + SNAPSHOT)
    # Numbers of the head, of registers, of what is pending, of caches.
    for mode in (0, 4, 5, IR, PAGES):
        write("vtd", f"states-{mode}", started(mode) + b"".join(
            program + messages + INVALIDATIONS[9] + WAIT +
            changed(at, value, how) + request(0x18, 0x1000) + WAIT + message(1)
            for at, how, value in ((1, 0, 1), (30, 0, 1), (30, 0x80, 1),
                                   (40, 0x08, 4), (70, 0, 1), (80, 0x38, 0x80),
                                   (120, 0, 2), (150, 0x10, 1), (90, 0, 3))))
    # So many device-TLB requests that there was no number for the next; IRES of a
    # unit without interrupt remapping.
    write("vtd", "states-last-serial", NORMAL + changed(
        VTD_SERIAL, (1 << 63) - 1, 4) + INVALIDATIONS[9] + SNAPSHOT)
    write("vtd", "states-status", NORMAL + changed(VTD_GSTS, 2, 0x18) +
          message(1) + register(0x18, 0) + message(1))
    # Page requests: queued, refused by tables and by a queue that is full or nowhere,
    # answered; on their way when somebody drains, and when the machine is moved.
    drain = submit(0xe5 | 5 << 32, 0x20000)
    asked = ask_for_page(0x18) + ask_for_page(0x18, W | PRIV, 1, 511) + \
        ask_for_page(0x18, R | X, 2, 5, False, 0x1000) + \
        ask_for_page(0x18, 0, 2) + ask_for_page(0x18, R, 0) + \
        ask_for_page(0x18, R, 0x100001) + ask_for_page(0x18, R, 1, 600)
    answered = b"".join(answer_page(0x18, n, pasid, n) for n, pasid in (
        (0, None), (1, 1), (2, 2), (15, None)))
    hold, release = bytes([DOOR | 1 << 4]), bytes([DOOR | 0 << 4])
    events = register(0xe8, 0xfee00000) + register(0xe0, 0)
    full = register(0xc8, 126 * 32) + asked + register(0xdc, 2) + asked
    pages = events + asked + answered + full + register(0xc0, 64) + \
        register(0xdc, 3) + asked + hold + asked * 2 + drain + \
        bytes([DOOR | 2 << 4, 1]) + asked + SNAPSHOT + \
        bytes([DOOR | 2 << 4, 3]) + asked + release + register(0xd0, 0x40000000)
    for mode in (0, PAGES):
        write("vtd", f"pages-{mode}", started(mode) + pages + asked +
              poke(0x4040, 0) + asked + register(0x18, 0) + asked)
    write("vtd", "cold", b"\0" + registers + program + rare)
    write("vtd", "arguments", b"\x7fcache=adversarial,cm=1,base=0x1000,"
          b"ioapic=0:0xff00,irq=010,rid=1,bits=57,scalable=1,fs=0")
    write("vtd", "arguments-wrong", b"\x7fcm=2")


SMMU_MODES = 10   # of args in fuzz/smmuv3.c


def tlbi(opcode, vmid, asid):
    return opcode | vmid << 32 | asid << 48


def smmuv3():
    def begin(mode):
        return bytes([next(n for n in range(0x80, 0x100)
                           if n % SMMU_MODES == mode)])

    sync, message = submit(0x46), submit(0x46 | 1 << 12 | 5 << 32, 0x20000)
    line = submit(0x46 | 1 << 12)
    # Streams by their last two bits: bypass, stage 1, stage 2, both.
    commands = [submit(0x03 | 0x19 << 32), submit(0x04, 31),
                submit(0x05 | 0x19 << 32), submit(0x06 | 0x19 << 32, 1),
                submit(tlbi(0x10, 0x1b, 0)), submit(tlbi(0x11, 0x19, 0)),
                submit(tlbi(0x12, 0x19, 0), 0x1001),
                submit(tlbi(0x12, 0x1b, 0) | 3 << 12 | 1 << 20, 0x1d00),
                submit(tlbi(0x13, 0x19, 0), 0x1000),
                submit(tlbi(0x28, 0x1a, 0)), submit(tlbi(0x2a, 0x1a, 0), 0x2000),
                submit(0x30), submit(0x40 | 0x19 << 32, 0x3001),
                submit(0x40 | 3 << 11 | 0x19 << 32, 52), submit(0x01),
                submit(0xff)]
    device = commands[12]
    program = b"".join(request(0x18 + i, i << 12, R if i < 4 else R | W)
                       for i in range(8)) + \
        b"".join(commands[:8]) + sync + poke(0x7000, 0) + \
        request(0x19, 0x1000, R | W) + sync + request(0x1b, 0x1000, W)
    ats = request(0x19, 0x3000, R | W, ATS) + device + sync + \
        bytes([FINISH, 2]) + request(0x19, 0x3000, R, XLATED) + \
        request(0x19, 0x4000, R, ATS) + device + bytes([FINISH, 1]) + sync
    ssids = b"".join(request(rid, 0x2000, a, 0, p) for a in (R, W | PRIV, X)
                     for p in (0, 1, 9) for rid in (0x1d, 0x1f))
    probes = request(0x19, 0x1000, R | W, PROBE) + \
        request(0x1b, 0xffffffffff000, R, PROBE)
    registers = b"".join(register(reg, 0xffffffff) for reg in (
        0x20, 0x28, 0x44, 0x50, 0x64, 0x80, 0x88, 0x90, 0x9c, 0x80ac))
    held = bytes([DOOR | 1 << 4]) + commands[6] + line + message + \
        bytes([DOOR | 2 << 4, 1, DOOR | 3 << 4, DOOR | 0 << 4])
    rare = b"".join(bytes([RARE | kind << 4]) + b"\x18" * 9
                    for kind in (1, 2, 3, 4, 5, 6, 7, 0))
    anything = bytes([ANY_WRITE, 0, 0x30, 0, 5]) + b"\xff" * 8 + \
        bytes([ANY_READ, 1, 0xff, 0xff, 8])
    whole = program + ats + ssids + probes + held + message + line + anything
    for mode in range(SMMU_MODES):
        write("smmuv3", f"mode-{mode}", begin(mode) + whole + registers + rare)
        write("smmuv3", f"queue-{mode}", begin(mode) + b"".join(commands))
        write("smmuv3", f"states-{mode}", begin(mode) + b"".join(
            program + device + sync + changed(at, value, how) +
            request(0x19, 0x1000) + sync
            for at, how, value in ((1, 0, 1), (30, 0, 1), (34, 0x80, 1),
                                   (40, 0x08, 4), (60, 0, 1), (80, 0x38, 0x80),
                                   (120, 0, 2), (150, 0x10, 1), (90, 0, 3))))
    # Transactions that wait, and every way in which that ends; page requests of every
    # kind, more than the queue holds, and answers.
    def resume(sid, stag, action=1):
        return submit(0x44 | action << 12 | sid << 32, stag)

    def page(rid, address, bits):
        return struct.pack("<BHQB", RARE | 5 << 4, rid, address, bits)

    stop, far = register(0x20, 0x1c), 0x400000
    pages = b"".join(page(0x19, far | group, bits) for group, bits in (
        (1, 0x11), (1, 0x03), (2, 0x27), (0x1ff, 0xff), (0x200, 3), (3, 0x20)))
    stalls = request(0x19, far) + request(0x19, far + 8) + \
        request(0x1a, far, W) + request(0x1b, far) + request(0x19, far, R, PROBE) + \
        SNAPSHOT + sync + resume(0x19, 0xffff) + resume(0x19, 0xffff, 0) + \
        request(0x19, far + 0x3000) + resume(0x1a, 0xfffe, 2) + \
        poke(0x8000, 0) + request(0x19, 0) + poke(0x8000, 0xf43) + sync + \
        submit(0x45 | 0x1b << 32) + poke(0x1000 + 0x19 * 64, 1) + commands[0] + \
        sync + submit(0x45 | 0x19 << 32) + request(0x1a, far) + stop
    answers = submit(0x41 | 0x19 << 32, 1 | 2 << 12) + \
        submit(0x41 | 5 << 12 | 1 << 11 | 0x19 << 32, 1) + submit(0x41, 3 << 12)
    for mode in range(SMMU_MODES - 3, SMMU_MODES):
        write("smmuv3", f"waits-{mode}", begin(mode) + pages + stalls + pages)
        write("smmuv3", f"full-{mode}", begin(mode) + request(0x44, 0x1000) * 20 +
              pages * 3 + request(0x19, far) * 70 + register(0x80ac, 12) + sync +
              register(0x80cc, 0x80000008) + pages + answers + stop)
    # More devices than can be open at once; more events than the queue holds.
    write("smmuv3", "many-requests", begin(0) + device * 70 + sync +
          bytes([FINISH, 0]) * 80)
    write("smmuv3", "many-events", begin(0) + request(0x44, 0x1000) * 20 +
          register(0x80ac, 3) + request(0x44, 0x1000))
    write("smmuv3", "far-queue", begin(0) + struct.pack(
        "<BHI", WRITE | 2 << 4, 0x98, 0x1ff) + sync)
    write("smmuv3", "snapshots", begin(1) + SNAPSHOT.join(
        [program, device, sync, request(0x19, 0x2000), b""]) +
        bytes([FINISH, 0]) + SNAPSHOT + request(0x19, 0x1000))
    write("smmuv3", "cold", b"\0" + registers + program + rare)
    write("smmuv3", "arguments", b"\x7fcache=adversarial,stage=nested,oas=44,"
          b"sidsize=32,ssidsize=20,base=0x9050000,irq=010,gran64k=0,httu=2")
    write("smmuv3", "arguments-wrong", b"\x7foas=43")


def sized(data):
    return struct.pack("<H", len(data)) + data


def start():
    plain = table(drhd(1, 0xfed90000))[1:]
    scopes = table(drhd(1, 0xfed90000, scope(1, (3, 0))),
                   rmrr(0x100000, 0x1fffff, scope(1, (3, 0))),
                   structure(2, struct.pack("<BBH", 1, 0, 0)))[1:]
    twice = table(drhd(0, 0xfed90000, scope(1, (3, 0))),
                  drhd(1, 0xfed90000))[1:]
    large = table(drhd(1, 0xfed90000),
                  rmrr(0x1000, 0x7fffffffff, scope(1, (3, 0))))[1:]
    for bits in (0x00, 0x01, 0x02, 0x40, 0x70, 0x91):
        write("start", f"plain-{bits:02x}", bytes([bits, 0, 0]) + sized(plain))
    write("start", "scopes", bytes(3) + sized(scopes))
    write("start", "twice", bytes(3) + sized(twice))
    write("start", "large-region", bytes(3) + sized(large))
    for fails in (3, 9, 14):
        write("start", f"fails-{fails}", bytes([0x40, fails, 0]) +
              sized(scopes))
    # Capability lists that go round, an ATS capability that does not obey.
    write("start", "circles", bytes([0x40, 0, 0]) + sized(plain) +
          b"".join(struct.pack("<HB", *pair) for pair in (
              (0x34, 0x40), (0x41, 0x40), (0x100, 0xf), (0x102, 1),
              (0x103, 0x10), (0x106, 0))))


# Steps of fuzz/api.c: an address or a size is a base, and a count of pages.
def api():
    def address(base, pages, large=False):
        return bytes([base | (0x10 if large else 0), pages])

    def size(pages, unit=1):
        return bytes([unit, pages])

    def api_map(iova, phys, n, flags=0x80, op=0):
        return bytes([op]) + iova + phys + n + bytes([flags])

    low, high, huge = address(0, 16), address(4, 3), address(2, 0)
    program = bytes([5, 0]) + api_map(low, address(2, 5), size(8)) + \
        api_map(low, address(2, 5), size(1)) + \
        api_map(high, low, size(3), 1) + api_map(high, low, size(3), 0) + \
        bytes([3]) + low + size(2) + bytes([5, 3]) + \
        api_map(huge, huge, size(2, 2)) + bytes([3]) + huge + size(1) + \
        bytes([4]) + huge + size(3) + bytes([7, 1]) + \
        api_map(address(1, 9), low, size(200)) + bytes([5, 4, 6]) + low + \
        api_map(low, low, size(9), op=0x80) + bytes([5, 2, 0x83]) + low + \
        size(16) + bytes([0, 15]) + b"\xff" * 8 + low + size(1) + b"\x80" + \
        api_map(address(3, 0), low, size(1)) + api_map(low, low, size(0))
    for bits in (0, 1, 2, 0x1b, 0x34, 0x72, 0x80, 0xdb):
        write("api", f"machine-{bits:02x}", bytes([bits]) + program)


# Words that the fuzzer puts into inputs (libFuzzer's dictionaries).
def dictionary(target, words):
    lines = ['"' + "".join(f"\\x{b:02x}" for b in word) + '"\n'
             for word in words]
    (CORPUS.parent / f"{target}.dict").write_text("".join(lines))


def words(at, *values):
    return {at + 8 * i: value for i, value in enumerate(values)}


def image(kind, base, cfg, *places):
    """A unit's registers, and the memory that its tables are in."""
    memory = bytearray(0x8000)
    for place in places:
        for at, value in place.items():
            struct.pack_into("<Q", memory, at, value)
    return struct.pack("<BQI", kind, base, cfg) + bytes(memory)


def tables():
    leaves = [words(0x5000, 0x6003), words(0x6000, 0x7003),
              words(0x7000, 0x123003, 0, 0x456001)]
    write("tables", "vtd-legacy", image(
        0, 0x1000, 0, words(0x1000, 0x2001), words(0x2180, 0x5001, 0x701),
        *leaves))
    write("tables", "vtd-scalable", image(
        1, 0x1400, 0, words(0x1000, 0x2001), words(0x2300, 0x3009),
        words(0x3000, 0x4001), words(0x4000, 0x5085, 2),
        words(0x40c0, 0x5085, 3), words(0x4100, 0x41, 4, 0x5000), *leaves))
    stage_1 = 3 << 48 | 1 << 41 | 5 << 32 | 1 << 31 | 1 << 30 | 25
    write("tables", "smmuv3-1", image(
        2, 0x1000, 5, words(0x1080, 7 << 59 | 0x201b, 2),
        words(0x2000, 0x3001, 0x4001), words(0x3000, stage_1, 0x5000),
        words(0x4040, stage_1, 0x5000), *leaves))
    stage_2 = 1 << 51 | 4 << 48 | 1 << 38 | 25 << 32 | 9
    write("tables", "smmuv3-2", image(
        2, 0x1000, 1 << 16 | 8 << 6 | 16, words(0x1000, 0x2009),
        words(0x2040, 0xd, 0, stage_2, 0x5000), *leaves))


def accel():
    def desc(opcode, one, two, size, record=0x20000, flags=0, handle=0):
        wanted = 0x0c if record else 0
        return struct.pack("<IIQQQIHH24x", 0, opcode << 24 | flags | wanted,
                           record, one, two, size, handle, 0)

    def posted(d, portal=0):
        return bytes((2, portal)) + d

    def deferred(d, portal=0):
        return bytes((3, portal)) + d

    def run(n):
        return bytes((4, n))

    def command(code, operand=0):
        return struct.pack("<BBBI", 0, 0xa0 // 4, 0, code << 20 | operand)

    def memory(offset, d):
        return struct.pack("<BH", 6, offset) + d

    up, flr = b"\x09", b"\x07"
    copy, fill = desc(3, 0x10000, 0x18000, 0x3000), desc(4, 0x55, 0x18000, 999)
    write("accel", "operations", up + posted(desc(0, 0, 0, 0)) + posted(copy) +
          posted(fill) + posted(desc(5, 0x10000, 0x18000, 5000)) +
          posted(desc(6, 0x10000, 0, 5000)) +
          posted(desc(16, 0x10000, 0, 5000)) + posted(desc(2, 0, 0, 0)) +
          run(20))
    write("accel", "errors", up + b"".join(
        posted(d) for d in (desc(0x77, 0, 0, 0), desc(3, 0, 0, 0),
                            desc(3, 0, 0, 5, flags=0xffffff),
                            desc(3, 0x7fffffff000, 0, 64), desc(4, 0, 0, 9, 7),
                            desc(1, 0x10000, 0, 3),
                            desc(4, 0, 0x18000, 9, 0, 16, 0xffff))) + run(30) +
          b"\x01\x18" + bytes((2, 9)) + copy + b"\x08\x10\x00\x00\x40")
    write("accel", "batch", memory(0, copy) + memory(64, fill) +
          memory(128, desc(1, 0x10000, 0, 4)) + memory(192, desc(0, 0, 0, 0)) +
          up + posted(desc(1, 0x10000, 0, 4)) + run(12))
    write("accel", "commands", up + posted(copy) + posted(copy) +
          command(3) + run(1) + command(4) + run(9) + posted(copy) +
          command(9, 1) + run(2) + command(7, 1) + run(2) + command(6, 0) +
          run(1) + command(11, 5) + run(1) + command(2) + run(1) + command(99))
    write("accel", "itself", memory(0, desc(3, 0x10000, 0xe0040000, 64)) + up +
          posted(desc(3, 0x10000, 0xe0040000, 64)) + run(30) + command(3) +
          run(3) + posted(desc(4, 0x00500000, 0xe00200a0, 8)) + run(3))
    write("accel", "resets", up + posted(copy) + run(1) + flr + up +
          posted(copy) + posted(copy) + run(1) + b"\x05\x00\x02\x00" +
          run(4) + b"\x05\x00\x06\x00" + command(5) + run(1))
    write("accel", "shared",
          struct.pack("<BBBI", 0, 0x42, 1, 1 << 4 | 1 << 28) +
          b"\x05\x02\x01\x00" + deferred(copy) + up + deferred(copy) + run(2))


def dictionaries():
    dictionary("vtd", INVALIDATIONS + [WAIT, answer_page(0x18, 1, 1)] + [
        struct.pack("<H", offset) for offset in (
            0x18, 0x20, 0x28, 0x34, 0x38, 0x80, 0x88, 0x90, 0x9c, 0xa0, 0xb0,
            0xc0, 0xc8, 0xd0, 0xdc, 0xe0, 0xf0, 0xf8, 0x22c)] + [
        struct.pack("<Q", word) for word in (
            0x5001, 0x6003, 0x83, 0x1000 | 1 << 10, 1 << 63, 1 << 51,
            0xfee00083, 0x102)])
    dictionary("smmuv3", [submit(0x41 | 0x19 << 32, 2 << 12),
                          submit(0x44 | 1 << 12 | 0x19 << 32, 0xffff),
                          submit(0x45 | 0x19 << 32), submit(tlbi(0x12, 0x19, 0), 0x1001), submit(0x30),
                          submit(0x03 | 0x19 << 32, 1), submit(0x46)] + [
        struct.pack("<H", offset) for offset in (
            0x20, 0x28, 0x44, 0x50, 0x64, 0x80, 0x88, 0x90, 0x98, 0x9c, 0xa0,
            0x80a8, 0x80ac, 0xc0, 0xdc, 0x80c8, 0x80cc)] + [
        struct.pack("<Q", word) for word in (0x200f, 0x5003, 0x6003, 0xf43,
                                             0x7ff, 1 << 63, 1 << 51)])
    dictionary("dmar", [structure(kind, b"")[:2] for kind in range(7)] + [
        scope(kind, (0x1d, 0)) for kind in range(1, 6)])
    dictionary("iort", [struct.pack("<BHB", kind, length, revision)
                        for kind, length, revision in (
                            (0, 24, 1), (1, 59, 4), (2, 60, 4), (3, 80, 3),
                            (4, 108, 5), (5, 60, 2), (6, 68, 3))] + [
        struct.pack("<IIIII", *m) for m in ((0, 0xff, 0, 72, 0),
                                            (0, 0, 1, 48, 1))])
    dictionary("lines", [word.encode() for word in WORDS])
    dictionary("plan", [word.encode() for word in (
        ACS, "\n00:1c.0 ", "\n01:00.1 ", " PCI bridge: ", " CardBus bridge: ",
        "Intel Corporation ", "Device 9d10", " [8086:9d10]", " (rev ff)",
        " (prog-if ff)", "\n\tBus: primary=00, secondary=01, subordinate=02",
        "\n\tCapabilities: <access denied>", "\n\tCapabilities: [40] Express ",
        "Root Port", "Upstream Port", "Downstream Port", "Legacy Endpoint",
        "PCI-Express to PCI", "PCI/PCI-X to PCI-Express",
        "Root Complex Integrated Endpoint", "Root Complex Event Collector",
        "\n\tMemory at ", "EETLPPrefix+", "\n\tStatus: Cap+",
        "\n00: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff",
        "\npci 0000:00:01.0: ", "[8086:9d10] type 01 class 0x060400 ",
        "PCI bridge to [bus 01-02]", "conventional PCI", "PCIe Root Port",
        "PCIe Switch Upstream Port", "PCIe to PCI/PCI-X bridge")])


dmar()
iort()
pci()
explain()
lines()
plan()
smmuv3()
vtd()
start()
tables()
api()
accel()
dictionaries()
