/* SPDX-License-Identifier: MIT */
#include "pci/quirks.h"

/* What a row says of ACS: every bit that a port may have but egress control, those of
 * the whole path, and what is waived where functions answer for their root complex. */
enum {
    PATH = PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF,
    ALL = PATH | PCI_ACS_TB | PCI_ACS_DT,
    AMD = PATH | PCI_ACS_TB,
};

enum {
    ROOT = 1u << PCI_EXP_TYPE_ROOT_PORT,
    DOWN = 1u << PCI_EXP_TYPE_DOWNSTREAM_PORT,
    INTEGRATED = 1u << PCI_EXP_TYPE_RC_INTEGRATED_ENDPOINT,
};

/* clang-format off */
#define Q(v, from, to, k, x)                                                   \
    { .vendor = 0x##v, .first = 0x##from, .last = 0x##to,                      \
      .kind = UIM_PCI_QUIRK_##k, .value = (x) }
#define QX(v, from, to, k, x, ...)                                             \
    { .vendor = 0x##v, .first = 0x##from, .last = 0x##to,                      \
      .kind = UIM_PCI_QUIRK_##k, .value = (x), __VA_ARGS__ }
#define PORTS(types)        .ports = (types)
#define REVISIONS(from, to) .revision_first = 0x##from, .revision_last = 0x##to
#define SUBSYSTEM(v, id)    .subsystem_vendor = 0x##v, .subsystem = 0x##id
#define OTHER_BRIDGE        .class_code = 0x0680
#define DEVFN(slot, n)      ((slot) << 3 | (n))

/* By vendor and id; then, out of that order, rows for most of what a vendor makes.
 * tests/spec/pci-quirks.csv has them one by one. */
const struct uim_pci_quirk uim_pci_quirks[] = {
    Q(0014, 3c09, 3c09, ISOLATED, PATH),
    Q(0014, 3c19, 3c19, ISOLATED, PATH),
    Q(0014, 3c29, 3c29, ISOLATED, PATH),
    Q(0014, 7a09, 7a09, ISOLATED, PATH),
    Q(0014, 7a19, 7a19, ISOLATED, PATH),
    Q(0014, 7a29, 7a29, ISOLATED, PATH),
    Q(0014, 7a39, 7a39, ISOLATED, PATH),
    Q(0014, 7a49, 7a49, ISOLATED, PATH),
    Q(0014, 7a59, 7a59, ISOLATED, PATH),
    Q(0014, 7a69, 7a69, ISOLATED, PATH),
    QX(1002, 15d8, 15d8, ATS_BROKEN, 0, REVISIONS(cf, cf), SUBSYSTEM(ea50, cc08)),
    QX(1002, 15d8, 15d8, ATS_BROKEN, 0, REVISIONS(cf, cf), SUBSYSTEM(ea50, cc10)),
    QX(1002, 15d8, 15d8, ATS_BROKEN, 0, REVISIONS(cf, cf), SUBSYSTEM(ea50, ce19)),
    Q(1002, 4383, 4385, ISOLATED_AMD, AMD),
    Q(1002, 4399, 4399, ISOLATED_AMD, AMD),
    Q(1002, 439c, 439d, ISOLATED_AMD, AMD),
    Q(1002, 6900, 6900, ATS_BROKEN, 0),
    Q(1002, 7310, 7310, ATS_BROKEN, 0),
    Q(1002, 7312, 7312, ATS_BROKEN, 0),
    Q(1002, 7318, 731b, ATS_BROKEN, 0),
    Q(1002, 731e, 731f, ATS_BROKEN, 0),
    Q(1002, 7340, 7341, ATS_BROKEN, 0),
    Q(1002, 7347, 7347, ATS_BROKEN, 0),
    Q(1002, 734f, 734f, ATS_BROKEN, 0),
    Q(1002, 98e4, 98e4, ATS_BROKEN, 0),
    Q(1022, 7809, 7809, ISOLATED_AMD, AMD),
    Q(1022, 780f, 780f, ISOLATED_AMD, AMD),
    QX(1055, 1001, 1006, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(1055, 1008, 1008, ALIAS_TABLE, 0, OTHER_BRIDGE),
    Q(10b5, 87b0, 87b1, ALIAS_FUNCTIONS, 8),
    Q(10df, 0720, 0720, ISOLATED, ALL),
    Q(10e3, 8113, 8113, BRIDGE_ALIAS, 0),
    Q(10e8, e004, e004, ISOLATED, PATH),
    Q(1103, 0642, 0642, ALIAS_FUNCTION, 1),
    Q(1103, 0645, 0645, ALIAS_FUNCTION, 1),
    Q(1180, e476, e476, ALIAS_FUNCTION, 0),
    Q(1180, e832, e832, ALIAS_FUNCTION, 0),
    QX(11f8, 4000, 4000, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4028, 4028, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4036, 4036, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4052, 4052, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4068, 4068, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4084, 4084, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4100, 4100, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4128, 4128, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4136, 4136, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4152, 4152, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4168, 4168, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4184, 4184, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4200, 4200, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4228, 4228, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4236, 4236, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4252, 4252, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4268, 4268, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4284, 4284, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4328, 4328, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4336, 4336, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4352, 4352, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4428, 4428, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4436, 4436, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4452, 4452, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4528, 4528, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4536, 4536, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 4552, 4552, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5000, 5000, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5028, 5028, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5036, 5036, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5052, 5052, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5068, 5068, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5084, 5084, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5100, 5100, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5128, 5128, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5136, 5136, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5152, 5152, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5168, 5168, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5184, 5184, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5200, 5200, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5228, 5228, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5236, 5236, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5252, 5252, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5268, 5268, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5284, 5284, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5300, 5300, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5328, 5328, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5336, 5336, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5352, 5352, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5368, 5368, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5384, 5384, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5400, 5400, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5428, 5428, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5436, 5436, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5452, 5452, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5468, 5468, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5484, 5484, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5500, 5500, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5528, 5528, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5536, 5536, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5552, 5552, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5568, 5568, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 5584, 5584, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 8531, 8536, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 8541, 8546, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 8551, 8556, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 8561, 8566, ALIAS_TABLE, 0, OTHER_BRIDGE),
    QX(11f8, 8571, 8576, ALIAS_TABLE, 0, OTHER_BRIDGE),
    Q(1283, 8892, 8893, BRIDGE_ALIAS, 0),
    Q(14e4, 16d7, 16d7, ISOLATED, ALL),
    Q(14e4, 1750, 1752, ISOLATED, ALL),
    Q(14e4, 1760, 1763, ISOLATED, ALL),
    Q(14e4, 9000, 9000, XLATE_ROOT, 0),
    Q(14e4, 9084, 9084, XLATE_ROOT, 0),
    Q(14e4, d714, d714, ISOLATED, PATH),
    Q(177d, a026, a026, ISOLATED, ALL),
    Q(177d, a059, a059, ISOLATED, ALL),
    Q(177d, a060, a060, ISOLATED, ALL),
    QX(177d, af84, af84, ISOLATED, PATH, PORTS(ROOT)),
    QX(177d, b884, b884, ISOLATED, PATH, PORTS(ROOT)),
    Q(17cb, 0111, 0111, ISOLATED, PATH),
    Q(17cb, 0115, 0115, ISOLATED, PATH),
    Q(17cb, 0120, 0120, ISOLATED, PATH),
    Q(17cb, 0400, 0401, ISOLATED, PATH),
    Q(1924, 0903, 0903, ISOLATED, ALL),
    Q(1924, 0923, 0923, ISOLATED, ALL),
    Q(1924, 0a03, 0a03, ISOLATED, ALL),
    Q(1957, 8d80, 8d83, ISOLATED, PATH),
    Q(1957, 8d88, 8d8b, ISOLATED, PATH),
    Q(1957, 8d90, 8d93, ISOLATED, PATH),
    Q(1957, 8d98, 8d9b, ISOLATED, PATH),
    Q(1957, 8da0, 8da1, ISOLATED, PATH),
    Q(1957, 8da8, 8da9, ISOLATED, PATH),
    Q(1957, 8db0, 8db1, ISOLATED, PATH),
    Q(1957, 8db8, 8db9, ISOLATED, PATH),
    Q(197b, 2392, 2392, ALIAS_FUNCTION, 1),
    Q(19a2, 0710, 0710, ISOLATED, ALL),
    Q(1b21, 1080, 1080, BRIDGE_ALIAS, 0),
    Q(1b4b, 9120, 9120, ALIAS_FUNCTION, 1),
    Q(1b4b, 9123, 9123, ALIAS_FUNCTION, 1),
    Q(1b4b, 9125, 9125, ALIAS_FUNCTION, 1),
    Q(1b4b, 9128, 9128, ALIAS_FUNCTION, 1),
    Q(1b4b, 9130, 9130, ALIAS_FUNCTION, 1),
    Q(1b4b, 9170, 9170, ALIAS_FUNCTION, 1),
    Q(1b4b, 9172, 9172, ALIAS_FUNCTION, 1),
    Q(1b4b, 917a, 917a, ALIAS_FUNCTION, 1),
    Q(1b4b, 9182, 9183, ALIAS_FUNCTION, 1),
    Q(1b4b, 91a0, 91a0, ALIAS_FUNCTION, 1),
    Q(1b4b, 9215, 9215, ALIAS_FUNCTION, 1),
    Q(1b4b, 9220, 9220, ALIAS_FUNCTION, 1),
    Q(1b4b, 9230, 9230, ALIAS_FUNCTION, 1),
    Q(1b4b, 9235, 9235, ALIAS_FUNCTION, 1),
    Q(1c28, 0122, 0122, ALIAS_FUNCTION, 1),
    QX(1c36, 0031, 0031, ISOLATED, PATH, PORTS(ROOT)),
    QX(1d17, 0710, 071e, ISOLATED, PATH, PORTS(ROOT | DOWN)),
    QX(1d17, 0721, 0721, ISOLATED, PATH, PORTS(ROOT | DOWN)),
    QX(1d17, 0723, 0752, ISOLATED, PATH, PORTS(ROOT | DOWN)),
    Q(1d17, 3038, 3038, ISOLATED, ALL),
    Q(1d17, 3104, 3104, ISOLATED, ALL),
    Q(1d17, 9083, 9083, ISOLATED, ALL),
    Q(1dbf, 0401, 0401, ISOLATED, PATH),
    Q(1def, e005, e00c, ISOLATED, PATH),
    Q(6766, 3d40, 3d41, ALIAS_FUNCTION, 0),
    Q(8086, 105e, 1060, ISOLATED, ALL),
    Q(8086, 10a7, 10a7, ISOLATED, ALL),
    Q(8086, 10a9, 10a9, ISOLATED, ALL),
    Q(8086, 10c6, 10c6, ISOLATED, ALL),
    Q(8086, 10c9, 10c9, ISOLATED, ALL),
    Q(8086, 10d6, 10d6, ISOLATED, ALL),
    Q(8086, 10d9, 10d9, ISOLATED, ALL),
    Q(8086, 10db, 10db, ISOLATED, ALL),
    Q(8086, 10dd, 10dd, ISOLATED, ALL),
    Q(8086, 10e1, 10e1, ISOLATED, ALL),
    Q(8086, 10e6, 10e8, ISOLATED, ALL),
    Q(8086, 10f1, 10f1, ISOLATED, ALL),
    Q(8086, 10f7, 10fc, ISOLATED, ALL),
    QX(8086, 1451, 1455, ATS_BROKEN, 0, REVISIONS(00, 1f)),
    QX(8086, 1457, 1457, ATS_BROKEN, 0, REVISIONS(00, 1f)),
    QX(8086, 1459, 145a, ATS_BROKEN, 0, REVISIONS(00, 1f)),
    QX(8086, 145c, 145c, ATS_BROKEN, 0, REVISIONS(00, 1f)),
    Q(8086, 1507, 1507, ISOLATED, ALL),
    Q(8086, 1509, 150a, ISOLATED, ALL),
    Q(8086, 150d, 1511, ISOLATED, ALL),
    Q(8086, 1514, 1514, ISOLATED, ALL),
    Q(8086, 1516, 1516, ISOLATED, ALL),
    Q(8086, 1518, 1518, ISOLATED, ALL),
    Q(8086, 151c, 151c, ISOLATED, ALL),
    Q(8086, 1521, 1524, ISOLATED, ALL),
    Q(8086, 1526, 1527, ISOLATED, ALL),
    Q(8086, 1529, 152a, ISOLATED, ALL),
    Q(8086, 154d, 154d, ISOLATED, ALL),
    Q(8086, 154f, 154f, ISOLATED, ALL),
    Q(8086, 1551, 1551, ISOLATED, ALL),
    Q(8086, 1558, 1558, ISOLATED, ALL),
    Q(8086, 15b7, 15b8, ISOLATED, ALL),
    QX(8086, 1c10, 1c1f, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 1d10, 1d10, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 1d12, 1d12, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 1d14, 1d14, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 1d16, 1d16, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 1d18, 1d18, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 1d1a, 1d1a, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 1d1c, 1d1c, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 1d1e, 1d1e, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 1e10, 1e1f, ACS_PCH, PATH, PORTS(ROOT)),
    Q(8086, 2260, 2260, ALIAS_DEVFN, DEVFN(0x10, 0)),
    Q(8086, 2260, 2260, ALIAS_DEVFN, DEVFN(0x11, 0)),
    Q(8086, 2260, 2260, ALIAS_DEVFN, DEVFN(0x12, 3)),
    Q(8086, 2264, 2264, ALIAS_DEVFN, DEVFN(0x10, 0)),
    Q(8086, 2264, 2264, ALIAS_DEVFN, DEVFN(0x11, 0)),
    Q(8086, 2264, 2264, ALIAS_DEVFN, DEVFN(0x12, 3)),
    Q(8086, 244e, 244e, BRIDGE_ALIAS, 0),
    Q(8086, 2954, 2956, ALIAS_FUNCTIONS, 5),
    Q(8086, 2958, 295a, ALIAS_FUNCTIONS, 5),
    QX(8086, 3b42, 3b51, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 8c10, 8c1f, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 8c90, 8c90, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 8c92, 8c92, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 8c94, 8c94, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 8c96, 8c96, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 8c98, 8c98, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 8c9a, 8c9a, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 8c9c, 8c9c, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 8c9e, 8c9e, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 8d10, 8d1e, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 9c10, 9c1b, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 9c90, 9c9b, ACS_PCH, PATH, PORTS(ROOT)),
    QX(8086, 9d10, 9d1b, ACS_CTRL8, PATH, PORTS(ROOT)),
    QX(8086, a110, a11f, ACS_CTRL8, PATH, PORTS(ROOT)),
    QX(8086, a167, a16a, ACS_CTRL8, PATH, PORTS(ROOT)),
    QX(8086, a290, a29f, ACS_CTRL8, PATH, PORTS(ROOT)),
    QX(8086, a2e7, a2ee, ACS_CTRL8, PATH, PORTS(ROOT)),
    Q(8088, 0100, 010f, ISOLATED, PATH),
    Q(8088, 1001, 1001, ISOLATED, PATH),
    Q(8088, 2001, 2001, ISOLATED, PATH),
    Q(8088, 5010, 5010, ISOLATED, PATH),
    Q(8088, 5025, 5025, ISOLATED, PATH),
    Q(8088, 5040, 5040, ISOLATED, PATH),
    Q(8088, 5110, 5110, ISOLATED, PATH),
    Q(8088, 5125, 5125, ISOLATED, PATH),
    Q(8088, 5140, 5140, ISOLATED, PATH),
    QX(9005, 0285, 0285, ALIAS_DEVFN, DEVFN(0x01, 0), SUBSYSTEM(9005, 02bb)),
    QX(9005, 0285, 0285, ALIAS_DEVFN, DEVFN(0x01, 0), SUBSYSTEM(9005, 02bc)),

    /* For what is not above. */
    QX(177d, a000, a7ff, ISOLATED, PATH, PORTS(ROOT)),
    QX(1d17, 0000, ffff, ISOLATED, 0, PORTS(ROOT | DOWN)),
    QX(8086, 0000, ffff, ISOLATED, PATH, PORTS(INTEGRATED)),
    Q(8088, 0000, ffff, ISOLATED, 0),
};

const unsigned uim_pci_n_quirks =
    sizeof(uim_pci_quirks) / sizeof(uim_pci_quirks[0]);
/* clang-format on */

enum {
    WIDE = 4,
    IN_ORDER = sizeof(uim_pci_quirks) / sizeof(uim_pci_quirks[0]) - WIDE,
};

static bool is_about(const struct uim_pci_quirk *q,
                     const struct uim_pci_function *f)
{
    return f->vendor == q->vendor && f->device >= q->first &&
           f->device <= q->last;
}

static bool applies(const struct uim_pci_quirk *q,
                    const struct uim_pci_function *f)
{
    if (!is_about(q, f))
        return false;
    if (q->ports != 0 && (f->port > 15 || !(q->ports >> f->port & 1)))
        return false;
    if (q->class_code != 0 && f->class_code >> 8 != q->class_code)
        return false;
    if (q->subsystem_vendor != 0 &&
        (f->subsystem_vendor != q->subsystem_vendor ||
         f->subsystem != q->subsystem))
        return false;
    return q->revision_last == 0 || (f->revision >= q->revision_first &&
                                     f->revision <= q->revision_last);
}

/* The first of those in order that ends at this device or later. */
static unsigned first_row(uint16_t vendor, uint16_t device)
{
    unsigned low = 0, high = IN_ORDER;

    while (low < high) {
        const unsigned middle = (low + high) / 2;
        const struct uim_pci_quirk *q = &uim_pci_quirks[middle];

        if (q->vendor < vendor || (q->vendor == vendor && q->last < device))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct uim_pci_quirk *
uim_pci_quirk_next(const struct uim_pci_function *f, unsigned kinds,
                   const struct uim_pci_quirk *after)
{
    unsigned i = after != NULL ? (unsigned)(after - uim_pci_quirks) + 1
                               : first_row(f->vendor, f->device);

    while (i < uim_pci_n_quirks) {
        const struct uim_pci_quirk *q = &uim_pci_quirks[i];

        if ((kinds >> q->kind & 1) && applies(q, f))
            return q;
        i = i >= IN_ORDER || is_about(q, f) ? i + 1 : IN_ORDER;
    }
    return NULL;
}

const struct uim_pci_quirk *uim_pci_quirk(const struct uim_pci_function *f,
                                          unsigned kinds)
{
    return uim_pci_quirk_next(f, kinds, NULL);
}

bool uim_pci_ats_broken(const struct uim_pci_function *f)
{
    const unsigned kind = 1u << UIM_PCI_QUIRK_ATS_BROKEN;

    return uim_pci_quirk(f, kind) != NULL ||
           (f->physical != NULL && uim_pci_quirk(f->physical, kind) != NULL);
}
