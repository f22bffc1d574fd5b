/* SPDX-License-Identifier: MIT */
/*
 * plan_text.c - what lspci prints: -v to -vvv in words, -x to -xxxx as bytes, both of
 * them together, with names or with numbers (-n, -nn).
 *
 * Other lines between functions (a prompt, a greeting) are passed over; what looks
 * like a line of lspci and is not whole is refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/plan_line.h"
#include "tools/plan_machine.h"

enum capability { CAP_OTHER, CAP_EXPRESS, CAP_ACS, CAP_SRIOV };

struct reader {
    struct plan_machine *m;
    const struct plan_ids *ids;
    unsigned number;      /* of the line */
    bool any, inside;     /* a function; this one */
    enum capability capability;
    bool vf_enable;
};

static struct plan_seen *now(const struct reader *r)
{
    return &r->m->seen[r->m->n - 1];
}

static bool cut_short(const struct reader *r, const char *what)
{
    return plan_fail(r->m, "line %u: %s", r->number, what);
}

/* ---- the first line of a function -------------------------------------------- */

/* " (rev 02)": the number, and the line without it and what follows. */
static unsigned take_note(struct plan_line *l, const char *note)
{
    struct plan_line at = *l;
    unsigned value;

    if (!plan_seek(&at, note) || !plan_digits(&at, 2, &value))
        return 0;
    l->left = (size_t)(at.p - l->p) - 2 - strlen(note);
    return value;
}

/* "[0604]", "[8086:9d10]" at the end: the numbers, and the line without. */
static bool take_ids(struct plan_line *l, unsigned n, unsigned *first,
                     unsigned *second)
{
    size_t size = 6 + (n - 1) * 5;
    struct plan_line at = *l;

    if (l->left < size)
        return false;
    at.p += l->left - size;
    at.left = size;
    if (!plan_skip(&at, "[") || !plan_digits(&at, 4, first) ||
        (n == 2 && (!plan_skip(&at, ":") || !plan_digits(&at, 4, second))) ||
        !plan_skip(&at, "]"))
        return false;
    l->left -= size;
    while (l->left > 0 && plan_is_blank(l->p[l->left - 1]))
        l->left--;
    return true;
}

static bool whole_numbers(struct plan_line l, unsigned n, unsigned *first,
                          unsigned *second)
{
    return plan_digits(&l, 4, first) &&
           (n == 1 || (plan_skip(&l, ":") && plan_digits(&l, 4, second))) &&
           l.left == 0;
}

static void read_class(const struct reader *r, struct plan_line l)
{
    unsigned number = 0;
    uint16_t code;

    if (!whole_numbers(l, 1, &number, NULL) &&
        !take_ids(&l, 1, &number, NULL) &&
        plan_ids_class(r->ids, l.p, l.left, &code))
        number = code;
    now(r)->said.class_code = number << 8;
}

static void read_ids(const struct reader *r, struct plan_line l)
{
    struct plan_seen *s = now(r);
    unsigned vendor, device;
    bool known = true;

    if (whole_numbers(l, 2, &vendor, &device) ||
        take_ids(&l, 2, &vendor, &device)) {
        s->said.vendor = (uint16_t)vendor;
        s->said.device = (uint16_t)device;
        return;
    }
    if (!plan_ids_find(r->ids, l.p, l.left, &s->said.vendor, &known,
                       &s->said.device))
        known = false;
    s->id_unknown = !known;
}

static void copy_name(char name[PLAN_NAME_SIZE], struct plan_line l)
{
    size_t n = l.left < PLAN_NAME_SIZE ? l.left : PLAN_NAME_SIZE - 1;

    for (size_t i = 0; i < n; i++)
        name[i] = l.p[i] >= 0x20 && l.p[i] <= 0x7e ? l.p[i] : '?';
    name[n] = '\0';
}

/* "PCI bridge: Intel Corporation Device 02b4 (rev f0) (prog-if 00 [..])" */
static void read_title(const struct reader *r, struct plan_line l)
{
    struct uim_pci_function *f = &now(r)->said;
    unsigned interface = take_note(&l, " (prog-if ");
    struct plan_line rest;

    f->revision = (uint8_t)take_note(&l, " (rev ");
    copy_name(now(r)->name, l);
    rest = l;
    if (plan_seek(&rest, ": "))
        l.left -= rest.left + 2;
    else
        rest.left = 0;
    read_class(r, l);
    read_ids(r, rest);
    f->class_code |= interface;
    now(r)->gone = f->revision == 0xff && interface == 0xff;
}

static bool start(struct reader *r, struct plan_line l, unsigned segment,
                  struct uiommu_pci at)
{
    struct plan_seen *s;

    r->any = true;
    r->inside = segment <= 0xffff;
    r->capability = CAP_OTHER;
    r->vf_enable = false;
    if (!r->inside)
        return plan_add_elsewhere(r->m, segment, at);
    s = plan_add(r->m, at);
    if (!s)
        return false;
    s->said.port = UIM_PCI_NOT_PCIE;
    read_title(r, l);
    return true;
}

/* ---- the words below it -------------------------------------------------------- */

/* Only with -nn: names of subsystems mean no one device. */
static void read_subsystem(struct uim_pci_function *f, struct plan_line l)
{
    unsigned vendor, device;

    if (!take_ids(&l, 2, &vendor, &device))
        return;
    f->subsystem_vendor = (uint16_t)vendor;
    f->subsystem = (uint16_t)device;
}

static bool read_buses(struct reader *r, struct plan_line l)
{
    struct uim_pci_function *f = &now(r)->said;
    unsigned secondary, subordinate;

    if (!plan_seek(&l, "secondary=") || !plan_digits(&l, 2, &secondary) ||
        !plan_seek(&l, "subordinate=") || !plan_digits(&l, 2, &subordinate))
        return cut_short(r, "the buses below a bridge are cut off");
    f->header = PCI_HEADER_BRIDGE;
    f->secondary = (uint8_t)secondary;
    f->subordinate = (uint8_t)subordinate;
    return true;
}

/* "(v2) Root Port (Slot+), MSI 00" */
static void read_port(struct reader *r, struct plan_line l)
{
    static const struct {
        const char *name;
        uint8_t port;
    } ports[] = {
        { "Endpoint", PCI_EXP_TYPE_ENDPOINT },
        { "Legacy Endpoint", PCI_EXP_TYPE_LEGACY_ENDPOINT },
        { "Root Port", PCI_EXP_TYPE_ROOT_PORT },
        { "Upstream Port", PCI_EXP_TYPE_UPSTREAM_PORT },
        { "Downstream Port", PCI_EXP_TYPE_DOWNSTREAM_PORT },
        { "PCI-Express to PCI", PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE },
        { "PCI/PCI-X to PCI-Express", PCI_EXP_TYPE_PCI_TO_PCIE_BRIDGE },
        { "Root Complex Integrated Endpoint",
          PCI_EXP_TYPE_RC_INTEGRATED_ENDPOINT },
        { "Root Complex Event Collector", PCI_EXP_TYPE_RC_EVENT_COLLECTOR },
    };

    plan_skip_blanks(&l);
    if (plan_skip(&l, "(") && plan_seek(&l, ")"))
        plan_skip_blanks(&l);
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        if (plan_skip(&l, ports[i].name))
            now(r)->said.port = ports[i].port;
    if (now(r)->said.port == UIM_PCI_NOT_PCIE)
        now(r)->unseen = "its port type has a name that is not known";
}

static bool read_capability(struct reader *r, struct plan_line l)
{
    unsigned offset, version;

    r->capability = CAP_OTHER;
    now(r)->list = true;
    if (plan_skip(&l, "<"))
        return true; /* access denied */
    if (!plan_skip(&l, "[") || !plan_number(&l, 16, 2, &offset))
        return cut_short(r, "a capability without its offset");
    now(r)->listed = true;
    if (plan_skip(&l, " v"))
        (void)plan_number(&l, 16, 1, &version);
    if (!plan_skip(&l, "]"))
        return cut_short(r, "a capability without its offset");
    plan_skip_blanks(&l);
    if (plan_skip(&l, "Express")) {
        r->capability = CAP_EXPRESS;
        read_port(r, l);
    } else if (plan_skip(&l, "Access Control Services")) {
        r->capability = CAP_ACS;
        now(r)->said.acs = (uint16_t)offset;
    } else if (plan_skip(&l, "Single Root I/O Virtualization")) {
        r->capability = CAP_SRIOV;
    }
    return true;
}

/* The bits by their places in both registers; those that are not named are 0. */
static uint16_t read_acs(struct plan_line l)
{
    static const char *const names[] = { "SrcValid+",    "TransBlk+",
                                         "ReqRedir+",    "CmpltRedir+",
                                         "UpstreamFwd+", "EgressCtrl+",
                                         "DirectTrans+" };
    uint16_t bits = 0;

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct plan_line copy = l;

        if (plan_seek(&copy, names[i]))
            bits |= (uint16_t)(1u << i);
    }
    return bits;
}

static bool is_whole_acs(struct plan_line l)
{
    return plan_seek(&l, "DirectTrans") && l.left > 0;
}

static bool read_acs_line(struct reader *r, struct plan_line l)
{
    struct plan_seen *s = now(r);

    if (plan_skip(&l, "ACSCap:")) {
        s->said.acs_cap = read_acs(l);
        s->acs_said = true;
    } else if (plan_skip(&l, "ACSCtl:")) {
        s->said.acs_ctrl = read_acs(l);
        s->acs_ctrl_said = true;
    } else {
        return true;
    }
    return is_whole_acs(l) || cut_short(r, "bits of ACS are cut off");
}

static void read_sriov_line(struct reader *r, struct plan_line l)
{
    struct plan_seen *s = now(r);
    unsigned n;

    if (plan_skip(&l, "IOVCtl:"))
        r->vf_enable = plan_seek(&l, "Enable+");
    if (r->vf_enable && plan_seek(&l, "Number of VFs: ") &&
        plan_number(&l, 10, 1, &n))
        s->n_vfs = (uint16_t)n;
    if (plan_skip(&l, "VF offset: ") && plan_number(&l, 10, 1, &n)) {
        s->vf_offset = (uint16_t)n;
        if (plan_seek(&l, "stride: ") && plan_number(&l, 10, 1, &n))
            s->vf_stride = (uint16_t)n;
        if (plan_seek(&l, "Device ID: ") && plan_digits(&l, 4, &n))
            s->vf_device = (uint16_t)n;
    }
}

/* "Region 0: Memory at", "Memory at" */
static bool is_memory(struct plan_line l)
{
    unsigned n;

    if (plan_skip(&l, "Region ") &&
        (!plan_number(&l, 10, 1, &n) || !plan_skip(&l, ": ")))
        return false;
    return plan_skip(&l, "Memory at ");
}

/* Does the line say more than -k prints, which is below the title too? */
static bool is_verbose(struct plan_line l)
{
    static const char *const starts[] = {
        "Control: ", "Status: ", "Flags: ", "Bus: ", "Capabilities: ", "!!! "
    };

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (plan_skip(&l, starts[i]))
            return true;
    return false;
}

static bool read_words(struct reader *r, struct plan_line l)
{
    struct plan_seen *s = now(r);
    struct plan_line copy = l;

    s->words |= is_verbose(l);
    if (plan_skip(&l, "Subsystem: "))
        read_subsystem(&s->said, l);
    if (plan_skip(&l, "Bus: primary="))
        return read_buses(r, l);
    if (plan_skip(&l, "Capabilities: "))
        return read_capability(r, l);
    if (is_memory(l))
        s->said.own_memory = true;
    if (plan_skip(&l, "Status: Cap+"))
        s->list = true;
    if (plan_skip(&l, "!!! Unknown header type 7f"))
        s->gone = true;
    if (r->capability == CAP_EXPRESS && plan_seek(&copy, "EETLPPrefix+"))
        s->said.end_end_prefix = true;
    if (r->capability == CAP_SRIOV)
        read_sriov_line(r, l);
    return r->capability != CAP_ACS || read_acs_line(r, l);
}

/* ---- bytes --------------------------------------------------------------------- */

/* "1f0: 00 11 .. ff", 16 of them; they follow each other from 0. */
static bool read_bytes(struct reader *r, struct plan_line l)
{
    struct plan_seen *s = now(r);
    unsigned offset, byte;

    if (!plan_number(&l, 16, 2, &offset) || !plan_skip(&l, ":"))
        return cut_short(r, "neither a function nor its bytes");
    if (offset != s->size)
        return cut_short(r, "bytes of configuration space are missing before");
    if (offset > PCI_EXT_CONFIG_SIZE - 16)
        return cut_short(r, "more bytes than configuration space has");
    if (!s->bytes)
        s->bytes = calloc(1, PCI_EXT_CONFIG_SIZE);
    if (!s->bytes)
        return plan_fail(r->m, "no memory");
    for (unsigned i = 0; i < 16; i++) {
        if (!plan_skip(&l, " ") || !plan_digits(&l, 2, &byte))
            return cut_short(r, "fewer than 16 bytes");
        s->bytes[s->size++] = (uint8_t)byte;
    }
    plan_skip_blanks(&l);
    return l.left == 0 || cut_short(r, "more than 16 bytes");
}

/* ---- lines --------------------------------------------------------------------- */

/* Bytes, whole or not, and nothing else ("cc: a list" is no such line). */
static bool is_bytes(struct plan_line l)
{
    unsigned offset;

    if (!plan_number(&l, 16, 2, &offset) || !plan_skip(&l, ":"))
        return false;
    while (l.left > 0 && (plan_is_blank(*l.p) || plan_digit(*l.p) <= 15))
        l.p++, l.left--;
    return l.left == 0;
}

static bool is_text(struct plan_line l)
{
    for (; l.left > 0; l.p++, l.left--)
        if ((unsigned char)*l.p < 0x20 && *l.p != '\t' && *l.p != '\f')
            return false;
    return true;
}

/* An address that is not one: what was it? */
static bool is_almost_address(struct plan_line l)
{
    unsigned any;
    bool bus = plan_digits(&l, 2, &any) && plan_skip(&l, ":");

    return bus && l.left > 0 && plan_digit(*l.p) <= 15;
}

static bool read_line(struct reader *r, struct plan_line l)
{
    const struct plan_line whole = l;
    struct uiommu_pci at;
    unsigned segment;

    if (!is_text(l))
        return cut_short(r, "no text: is this a dump of lspci?");
    if (l.left == 0)
        return true;
    if (plan_address_read(&l, &segment, &at) && plan_skip(&l, " "))
        return start(r, l, segment, at);
    l = whole;
    if (plan_is_blank(*l.p)) {
        plan_skip_blanks(&l);
        return !r->inside || read_words(r, l);
    }
    if (is_bytes(l))
        return !r->any ? cut_short(r, "bytes before any function")
                       : !r->inside || read_bytes(r, l);
    return !is_almost_address(l) ||
           cut_short(r, "neither a function nor its bytes");
}

/* How many bytes -x, -xxx and -xxxx print. */
static bool check_sizes(struct plan_machine *m)
{
    char text[PLAN_ADDRESS_SIZE];

    for (unsigned i = 0; i < m->n; i++) {
        unsigned size = m->seen[i].size;

        if (size != 0 && size != 64 && size != 128 && size != 256 &&
            size != PCI_EXT_CONFIG_SIZE)
            return plan_fail(m,
                             "configuration space of %s is cut off after "
                             "0x%x bytes",
                             plan_address(m->seen[i].at, text), size);
    }
    return true;
}

/* Names alone say nothing of bridges. */
static bool check_details(struct plan_machine *m)
{
    for (unsigned i = 0; i < m->n; i++)
        if (m->seen[i].words || m->seen[i].bytes)
            return true;
    return m->n == 0 ||
           plan_fail(m, "only names: a dump of `lspci -vvv` or `lspci -xxxx`, "
                        "by root, says more");
}

bool plan_text_read(const char *text, size_t size, const struct plan_ids *ids,
                    struct plan_machine *m)
{
    struct reader r = { .m = m, .ids = ids };
    struct plan_line l;

    while (plan_line_next(&text, &size, &l)) {
        r.number++;
        if (!read_line(&r, l))
            return false;
    }
    if (!r.any)
        return plan_fail(m, "no function in there: is this a dump of lspci?");
    return check_sizes(m) && check_details(m) && plan_machine_finish(m);
}
