/* SPDX-License-Identifier: MIT */
/*
 * plan_machine.c - what was seen of each function becomes facts, in the order of
 * addresses, each with a link to the bridge above it.
 */
#include "tools/plan_machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool plan_fail(struct plan_machine *m, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(m->why, sizeof(m->why), format, args);
    va_end(args);
    return false;
}

const char *plan_address(struct uiommu_pci at, char text[PLAN_ADDRESS_SIZE])
{
    snprintf(text, PLAN_ADDRESS_SIZE, "%04x:%02x:%02x.%u", at.segment, at.bus,
             at.devfn >> 3u, at.devfn & 7u);
    return text;
}

struct plan_seen *plan_add(struct plan_machine *m, struct uiommu_pci at)
{
    unsigned room = m->room ? 2 * m->room : 64;
    struct plan_seen *more;

    if (m->n == PLAN_FUNCTIONS_MAX) {
        plan_fail(m, "more than %u functions", PLAN_FUNCTIONS_MAX);
        return NULL;
    }
    if (m->n == m->room) {
        more = realloc(m->seen, room * sizeof(*more));
        if (!more) {
            plan_fail(m, "no memory");
            return NULL;
        }
        m->seen = more;
        m->room = room;
    }
    m->seen[m->n] = (struct plan_seen){ .at = at };
    return &m->seen[m->n++];
}

bool plan_add_elsewhere(struct plan_machine *m, unsigned segment,
                        struct uiommu_pci at)
{
    const unsigned n = m->n_elsewhere;
    char(*more)[PLAN_ADDRESS_SIZE];

    if (n == PLAN_FUNCTIONS_MAX)
        return plan_fail(m, "more than %u functions", PLAN_FUNCTIONS_MAX);
    more = realloc(m->elsewhere, (n + 1) * sizeof(*more));
    if (!more)
        return plan_fail(m, "no memory");
    m->elsewhere = more;
    snprintf(more[n], sizeof(more[n]), "%04x:%02x:%02x.%u", segment, at.bus,
             at.devfn >> 3u, at.devfn & 7u);
    m->n_elsewhere++;
    return true;
}

void plan_machine_free(struct plan_machine *m)
{
    for (unsigned i = 0; i < m->n; i++)
        free(m->seen[i].bytes);
    free(m->seen);
    free(m->functions);
    free(m->elsewhere);
    *m = (struct plan_machine){ 0 };
}

/* ---- order --------------------------------------------------------------------- */

static uint32_t order(struct uiommu_pci at)
{
    return (uint32_t)at.segment << 16 | (uint32_t)at.bus << 8 | at.devfn;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = order(((const struct plan_seen *)a)->at);
    uint32_t y = order(((const struct plan_seen *)b)->at);

    return (x > y) - (x < y);
}

static struct plan_seen *find(const struct plan_machine *m,
                              struct uiommu_pci at)
{
    const struct plan_seen key = { .at = at };

    return m->n ? bsearch(&key, m->seen, m->n, sizeof(key), compare) : NULL;
}

const struct uim_pci_function *plan_find(const struct plan_machine *m,
                                         struct uiommu_pci at)
{
    const struct plan_seen *s = find(m, at);

    return s ? &m->functions[s - m->seen] : NULL;
}

static bool sort(struct plan_machine *m)
{
    char text[PLAN_ADDRESS_SIZE];

    if (m->n > 0)
        qsort(m->seen, m->n, sizeof(*m->seen), compare);
    for (unsigned i = 1; i < m->n; i++)
        if (order(m->seen[i].at) == order(m->seen[i - 1].at))
            return plan_fail(m, "%s is there twice",
                             plan_address(m->seen[i].at, text));
    return true;
}

/* ---- configuration space, as far as it was seen --------------------------------- */

static uint32_t read_bytes(void *ctx, struct uiommu_pci at, unsigned offset,
                           unsigned width)
{
    const struct plan_seen *s = find(ctx, at);
    uint32_t value = 0;

    if (!s || !s->bytes || offset + width > s->size)
        return UINT32_MAX;
    for (unsigned i = width; i > 0; i--)
        value = value << 8 | s->bytes[offset + i - 1];
    return value;
}

/* What uim_pci_* read of the machine. */
static struct uiommu_host host_of(struct plan_machine *m)
{
    return (struct uiommu_host){ .size = sizeof(struct uiommu_host),
                                 .ctx = m,
                                 .pci_read = read_bytes };
}

static unsigned word(const struct plan_seen *s, unsigned offset)
{
    return (unsigned)s->bytes[offset] | (unsigned)s->bytes[offset + 1] << 8;
}

static void put_word(struct plan_seen *s, unsigned offset, unsigned value)
{
    s->bytes[offset] = (uint8_t)value;
    s->bytes[offset + 1] = (uint8_t)(value >> 8);
}

/* ---- virtual functions ---------------------------------------------------------- */

static void see_sriov(struct plan_machine *m, struct plan_seen *s)
{
    const struct uiommu_host host = host_of(m);
    struct uim_pci_sriov sriov;

    if (s->size < PCI_EXT_CONFIG_SIZE ||
        uim_pci_sriov(&host, s->at, &sriov) != UIOMMU_OK)
        return;
    s->n_vfs = sriov.n;
    s->vf_offset = sriov.offset;
    s->vf_stride = sriov.stride;
    s->vf_device = sriov.device;
}

/* The registers of a virtual function that say who made it read as ones (9.3.4.1):
 * its physical function knows. */
static void make_virtual(const struct plan_seen *physical, struct plan_seen *s)
{
    s->is_virtual = true;
    s->physical = physical->at;
    if (!s->bytes || word(s, PCI_REG_VENDOR_ID) != 0xffff ||
        word(s, PCI_REG_STATUS) == 0xffff)
        return;
    put_word(s, PCI_REG_VENDOR_ID,
             physical->bytes ? word(physical, PCI_REG_VENDOR_ID)
                             : physical->said.vendor);
    put_word(s, PCI_REG_DEVICE_ID, physical->vf_device);
}

static bool is_virtual_of(const struct plan_seen *s,
                          const struct plan_seen *physical)
{
    const struct uim_pci_sriov sriov = { .n = physical->n_vfs,
                                         .offset = physical->vf_offset,
                                         .stride = physical->vf_stride };

    return s != physical && uim_pci_is_virtual_of(&sriov, physical->at, s->at);
}

static void see_virtual(struct plan_machine *m)
{
    for (unsigned i = 0; i < m->n; i++)
        see_sriov(m, &m->seen[i]);
    for (unsigned i = 0; i < m->n; i++) {
        if (m->seen[i].n_vfs == 0)
            continue;
        for (unsigned k = 0; k < m->n; k++)
            if (is_virtual_of(&m->seen[k], &m->seen[i]))
                make_virtual(&m->seen[i], &m->seen[k]);
    }
}

/* ---- facts ---------------------------------------------------------------------- */

static bool has_siblings(const struct plan_machine *m, unsigned i)
{
    const uint32_t slot = order(m->seen[i].at) >> 3;

    return (m->seen[i].at.devfn & 7u) != 0 ||
           (i + 1 < m->n && order(m->seen[i + 1].at) >> 3 == slot);
}

/* Words do not have the bit of the header. */
static void take_words(const struct plan_machine *m, unsigned i,
                       struct uim_pci_function *f)
{
    *f = m->seen[i].said;
    f->at = m->seen[i].at;
    f->multifunction = has_siblings(m, i);
    f->own_memory &= f->header == PCI_HEADER_BRIDGE;
    if (uim_pci_acs_ctrl(f) != PCI_REG_ACS_CTRL)
        f->acs_ctrl = 0; /* lspci shows another register */
}

static const char *unseen_words(const struct plan_seen *s)
{
    if (s->gone)
        return "it does not answer: asleep, or gone";
    if (s->unseen)
        return s->unseen;
    if (!s->words)
        return "nothing but its name is known";
    if (s->list && !s->listed)
        return "its capabilities were read by somebody who is not root";
    if (s->said.acs && !(s->acs_said && s->acs_ctrl_said))
        return "the bits of its ACS are not printed: that takes lspci -vv";
    return NULL;
}

/* Bytes end early for all but root; the words beside them may have the rest. */
static const char *unseen_bytes(const struct plan_seen *s,
                                struct uim_pci_function *f)
{
    const struct pci_status status = { word(s, PCI_REG_STATUS) };
    const char *words = s->words && s->listed ? unseen_words(s) : "";

    if (f->vendor == 0xffff || s->gone)
        return "it does not answer: asleep, or gone";
    if (s->size >= PCI_EXT_CONFIG_SIZE || !pci_status_capabilities(status))
        return NULL;
    if (s->size < PCI_CONFIG_SIZE && words) {
        if (*words != '\0')
            return words;
        return "its capabilities are not among the bytes: that takes root";
    }
    if (s->size < PCI_CONFIG_SIZE)
        f->port = s->said.port;
    if (f->port == UIM_PCI_NOT_PCIE)
        return NULL;
    f->acs = s->said.acs;
    f->acs_cap = s->said.acs_cap;
    f->acs_ctrl = s->said.acs_ctrl;
    if (uim_pci_acs_ctrl(f) != PCI_REG_ACS_CTRL)
        f->acs_ctrl = 0;
    f->end_end_prefix |= s->said.end_end_prefix;
    if (!words || *words != '\0')
        return words;
    return "ACS is not among the bytes: that takes lspci -xxxx, by root";
}

/* A bridge to CardBus has its buses where others have them, and shares as a
 * conventional one does. */
static void see_cardbus(const struct plan_seen *s, struct uim_pci_function *f)
{
    enum { CARDBUS = 2 };
    const unsigned type = s->bytes[PCI_REG_HEADER_TYPE] & 0x7fu;

    if (type != CARDBUS)
        return;
    f->header = PCI_HEADER_BRIDGE;
    f->secondary = s->bytes[PCI_REG_SECONDARY_BUS];
    f->subordinate = s->bytes[PCI_REG_SUBORDINATE_BUS];
}

static void take_bytes(struct plan_machine *m, unsigned i,
                       struct uim_pci_function *f)
{
    const struct uiommu_host host = host_of(m);
    struct plan_seen *s = &m->seen[i];

    uim_pci_function_read(&host, s->at, f);
    f->at = s->at;
    s->unseen = unseen_bytes(s, f);
    if (f->vendor == 0xffff)
        take_words(m, i, f);
    else
        see_cardbus(s, f);
}

static void take_facts(struct plan_machine *m)
{
    for (unsigned i = 0; i < m->n; i++) {
        struct plan_seen *s = &m->seen[i];
        struct uim_pci_function *f = &m->functions[i];

        if (s->bytes) {
            take_bytes(m, i, f);
        } else {
            take_words(m, i, f);
            s->unseen = unseen_words(s);
        }
        f->unseen = s->unseen != NULL;
        /* The numbers of virtual functions say nothing: each is a device, to which
         * only the physical one's owner has another way. */
        f->multifunction &= !s->is_virtual;
    }
}

/* ---- what was done by whoever ran there ------------------------------------------ */

static bool is_port_with_acs(const struct uim_pci_function *f)
{
    return (f->port == PCI_EXP_TYPE_ROOT_PORT ||
            f->port == PCI_EXP_TYPE_DOWNSTREAM_PORT) &&
           f->acs && uim_pci_acs_ctrl(f) == PCI_REG_ACS_CTRL;
}

/* A kernel that uses an IOMMU switches ACS on wherever it can, in the registers of
 * chipsets too, which no dump has. */
static void see_kernel(struct plan_machine *m)
{
    enum { IOMMU_CLASS = 0x0806, AMD = 0x1022 };
    unsigned ports = 0, on = 0;
    bool ivrs = false;

    for (unsigned i = 0; i < m->n; i++) {
        const struct uim_pci_function *f = &m->functions[i];

        ivrs |= f->class_code >> 8 == IOMMU_CLASS && f->vendor == AMD;
        ports += is_port_with_acs(f);
        on += is_port_with_acs(f) && f->acs_ctrl & uim_pci_acs_isolation;
    }
    m->acs_off = ports > 0 && on == 0;
    for (unsigned i = 0; i < m->n; i++) {
        m->functions[i].ivrs = ivrs;
        m->functions[i].quirk_enabled = !m->acs_off;
    }
}

/* ---- links ----------------------------------------------------------------------- */

static bool is_bridge(const struct uim_pci_function *f)
{
    return f->header == PCI_HEADER_BRIDGE && f->secondary != 0;
}

static bool contains(const struct uim_pci_function *outer,
                     const struct uim_pci_function *inner)
{
    return outer->secondary < inner->secondary &&
           inner->subordinate <= outer->subordinate;
}

/* Bus numbers that grow on the way down leave no loop. */
static bool check_bridge(struct plan_machine *m,
                         const struct uim_pci_function *f)
{
    char text[PLAN_ADDRESS_SIZE];

    if (f->secondary <= f->at.bus)
        return plan_fail(m,
                         "the bridge %s has bus %02x below it, which is not "
                         "above its own: bus numbers go in circles",
                         plan_address(f->at, text), f->secondary);
    if (f->subordinate < f->secondary)
        return plan_fail(m, "the bridge %s has buses %02x to %02x below it",
                         plan_address(f->at, text), f->secondary,
                         f->subordinate);
    return true;
}

/* below[]: of each bus, the innermost bridge that has it. */
static bool add_bridge(struct plan_machine *m, const struct uim_pci_function *f,
                       const struct uim_pci_function *below[256])
{
    char a[PLAN_ADDRESS_SIZE], b[PLAN_ADDRESS_SIZE];

    if (!check_bridge(m, f))
        return false;
    for (unsigned bus = f->secondary; bus <= f->subordinate; bus++) {
        const struct uim_pci_function *other = below[bus];

        if (other && !contains(other, f) && !contains(f, other))
            return plan_fail(m, "the bridges %s and %s both have bus %02x",
                             plan_address(other->at, a), plan_address(f->at, b),
                             bus);
        if (!other || contains(other, f))
            below[bus] = f;
    }
    return true;
}

static bool link_segment(struct plan_machine *m, unsigned first, unsigned n)
{
    const struct uim_pci_function *below[256] = { NULL };

    for (unsigned i = first; i < first + n; i++)
        if (is_bridge(&m->functions[i]) &&
            !add_bridge(m, &m->functions[i], below))
            return false;
    for (unsigned i = first; i < first + n; i++) {
        struct uim_pci_function *f = &m->functions[i];

        f->bridge = below[f->at.bus];
        if (m->seen[i].is_virtual)
            f->physical = plan_find(m, m->seen[i].physical);
    }
    return true;
}

static bool link_all(struct plan_machine *m)
{
    unsigned n;

    for (unsigned i = 0; i < m->n; i += n) {
        n = 1;
        while (i + n < m->n &&
               m->seen[i + n].at.segment == m->seen[i].at.segment)
            n++;
        if (!link_segment(m, i, n))
            return false;
    }
    return true;
}

/* Class 0604 without buses: the dump ends there. */
static bool check_cut(struct plan_machine *m)
{
    char text[PLAN_ADDRESS_SIZE];

    for (unsigned i = 0; i < m->n; i++) {
        const struct plan_seen *s = &m->seen[i];

        if (!s->bytes && !s->gone && m->functions[i].class_code >> 8 == 0x604 &&
            m->functions[i].header != PCI_HEADER_BRIDGE)
            return plan_fail(m,
                             "the dump does not say which buses are below "
                             "the bridge %s: was it cut off?",
                             plan_address(s->at, text));
    }
    return true;
}

bool plan_machine_finish(struct plan_machine *m)
{
    m->functions = calloc(m->n + !m->n, sizeof(*m->functions));
    if (!m->functions)
        return plan_fail(m, "no memory");
    if (!sort(m))
        return false;
    see_virtual(m);
    take_facts(m);
    see_kernel(m);
    return check_cut(m) && link_all(m);
}

/* Lines of lspci, or else of a log. */
bool plan_read(const char *text, size_t size, const struct plan_ids *ids,
               struct plan_machine *m)
{
    if (plan_log_read(text, size, m))
        return true;
    return m->why[0] == '\0' && plan_text_read(text, size, ids, m);
}
