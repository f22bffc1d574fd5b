/* SPDX-License-Identifier: MIT */
/*
 * Which nodes of an IORT table mean a device, and what its ids become on their
 * way.
 *
 * An id that two mappings claim goes nowhere, unless they agree. Firmware of
 * some servers counts ids one too high: an id at which a range starts is not
 * that of a range that ends there.
 */
#include "fw/iort.h"

#include "fw/path.h"

/* ---- one node ------------------------------------------------------------ */

static bool covers(const struct uim_iort_mapping *m, uint32_t id)
{
    return m->single || (id >= m->first && id <= m->last);
}

static uint32_t output_of(const struct uim_iort_mapping *m, uint32_t id)
{
    return m->single ? m->output : m->output + (id - m->first);
}

static bool starts_at(const struct uim_iort_node *node, uint32_t id)
{
    struct uim_iort_mapping m;

    for (uint32_t i = 0; i < node->n_mappings; i++) {
        uim_iort_mapping(node, i, &m);
        if (!m.single && m.first == id)
            return true;
    }
    return false;
}

/* Does the range only reach the id because it was counted one too high? */
static bool ends_too_late(const struct uim_iort_mapping *m, uint32_t id,
                          bool another_starts)
{
    return another_starts && !m->single && m->last == id && m->first != id;
}

/* The mapping for an id. NOENT: none. NODEV: several that disagree. */
static enum uiommu_status choose(const struct uim_iort_node *node, uint32_t id,
                                 struct uim_iort_mapping *out)
{
    const uint32_t own = uim_iort_own_mapping(node);
    const bool starts = starts_at(node, id);
    enum uiommu_status status = UIOMMU_NOENT;
    struct uim_iort_mapping m;

    for (uint32_t i = 0; i < node->n_mappings; i++) {
        uim_iort_mapping(node, i, &m);
        if (i == own || !covers(&m, id) || ends_too_late(&m, id, starts))
            continue;
        if (status == UIOMMU_NOENT) {
            *out = m;
            status = UIOMMU_OK;
        } else if (m.reference != out->reference ||
                   output_of(&m, id) != output_of(out, id)) {
            status = UIOMMU_NODEV;
        }
    }
    return status;
}

enum uiommu_status uim_iort_map(const void *table,
                                const struct uim_iort_node *from, uint32_t id,
                                struct uim_iort_hop *out)
{
    struct uim_iort_mapping m;
    enum uiommu_status status = choose(from, id, &m);

    if (status)
        return status;
    if (uim_iort_mapping_flaw(table, from, &m) ||
        !uim_iort_at(table, m.reference, &out->node))
        return UIOMMU_NODEV;
    out->id = output_of(&m, id);
    return UIOMMU_OK;
}

/* ---- devices ------------------------------------------------------------- */

static bool is_its(const struct uim_iort_hop *hop)
{
    return hop->node.type == IORT_NODE_ITS_GROUP;
}

static bool is_root_of(const struct uim_iort_node *node,
                       const struct uim_fw_device *device)
{
    return node->type == IORT_NODE_PCI_ROOT_COMPLEX && !device->acpi_path &&
           acpi_iort_root_complex_pci_segment(node->p) == device->pci.segment;
}

static bool is_component(const struct uim_iort_node *node,
                         const struct uim_fw_device *device)
{
    return node->type == IORT_NODE_NAMED_COMPONENT && device->acpi_path &&
           uim_fw_same_path((const char *)node->p + IORT_NAMED_COMPONENT_SIZE,
                            device->acpi_path);
}

static uint32_t requester_id(const struct uim_fw_device *device)
{
    return (uint32_t)device->pci.bus << 8 | device->pci.devfn;
}

/* The root complex that has a mapping for a device, and where its id goes.
 * NOENT: none. A segment may have several root complexes. */
static enum uiommu_status find_root(const void *table,
                                    const struct uim_fw_device *device,
                                    struct uim_iort_node *root,
                                    struct uim_iort_hop *out)
{
    enum uiommu_status status = UIOMMU_NOENT;
    struct uim_iort_node node = { 0 };

    while (status == UIOMMU_NOENT && uim_iort_next(table, &node)) {
        if (!is_root_of(&node, device))
            continue;
        status = uim_iort_map(table, &node, requester_id(device), out);
        *root = node;
    }
    return status;
}

/* A component has no ids of its own: it has those that its mappings give. Of
 * one that leads nowhere nobody knows how many it would be: it is one. */
static uint64_t ids_of(const struct uim_iort_mapping *m, bool flawed)
{
    return m->single || flawed ? 1 : (uint64_t)m->count + 1;
}

/* The id that is *left ids further among those of one mapping; else *left is
 * less. */
static enum uiommu_status id_of_mapping(const void *table,
                                        const struct uim_iort_node *node,
                                        uint32_t i, bool to_its, uint64_t *left,
                                        struct uim_iort_hop *out)
{
    struct uim_iort_mapping m;
    uint64_t n;
    bool flawed;

    uim_iort_mapping(node, i, &m);
    flawed = uim_iort_mapping_flaw(table, node, &m) != NULL ||
             !uim_iort_at(table, m.reference, &out->node);
    if (!flawed && is_its(out) && !to_its)
        return UIOMMU_NOENT;
    n = ids_of(&m, flawed);
    if (*left >= n) {
        *left -= n;
        return UIOMMU_NOENT;
    }
    out->id = m.output + (uint32_t)*left;
    return flawed ? UIOMMU_NODEV : UIOMMU_OK;
}

/* The index-th id that the mappings of a component give. to_its: also those
 * that go to no unit first. */
static enum uiommu_status component_id(const void *table,
                                       const struct uim_fw_device *device,
                                       unsigned index, bool to_its,
                                       struct uim_iort_hop *out)
{
    struct uim_iort_node node = { 0 };
    enum uiommu_status status = UIOMMU_NOENT;
    uint64_t left = index;

    while (uim_iort_next(table, &node)) {
        if (!is_component(&node, device))
            continue;
        for (uint32_t i = 0; i < node.n_mappings; i++) {
            status = id_of_mapping(table, &node, i, to_its, &left, out);
            if (status != UIOMMU_NOENT)
                return status;
        }
    }
    return UIOMMU_NOENT;
}

enum uiommu_status uim_iort_stream(const void *table,
                                   const struct uim_fw_device *device,
                                   unsigned index, struct uim_iort_hop *out)
{
    struct uim_iort_node root;
    enum uiommu_status status;

    if (device->acpi_path)
        status = component_id(table, device, index, false, out);
    else if (index > 0)
        return UIOMMU_NOENT;
    else
        status = find_root(table, device, &root, out);
    /* Straight to an ITS: nothing translates on that way. */
    if (status == UIOMMU_OK && is_its(out))
        return UIOMMU_NODEV;
    return status == UIOMMU_NOENT && index == 0 ? UIOMMU_NODEV : status;
}

enum uiommu_status uim_iort_its(const void *table,
                                const struct uim_fw_device *device,
                                struct uim_iort_hop *out)
{
    struct uim_iort_node root;
    struct uim_iort_hop hop;
    enum uiommu_status status;

    if (device->acpi_path)
        status = component_id(table, device, 0, true, &hop);
    else
        status = find_root(table, device, &root, &hop);
    if (status == UIOMMU_OK && !is_its(&hop))
        status = uim_iort_map(table, &hop.node, hop.id, out);
    else if (status == UIOMMU_OK)
        *out = hop;
    return status ? UIOMMU_NODEV : UIOMMU_OK;
}

enum uiommu_status uim_iort_device(const void *table,
                                   const struct uim_fw_device *device,
                                   struct uim_iort_properties *out)
{
    struct uim_iort_node node = { 0 };
    struct uim_iort_hop hop;

    if (!device->acpi_path) {
        if (find_root(table, device, &node, &hop))
            return UIOMMU_NODEV;
        uim_iort_properties(&node, out);
        return UIOMMU_OK;
    }
    while (uim_iort_next(table, &node)) {
        if (is_component(&node, device)) {
            uim_iort_properties(&node, out);
            return UIOMMU_OK;
        }
    }
    return UIOMMU_NODEV;
}

/* ---- the questions of fw.h ----------------------------------------------- */

/* The how-many-th unit an SMMU node is. */
static unsigned unit_number(const void *table, const struct uim_iort_node *unit)
{
    struct uim_iort_node node = { 0 };
    unsigned n = 0;

    while (uim_iort_next(table, &node) && node.offset < unit->offset)
        n += node.type == IORT_NODE_SMMU || node.type == IORT_NODE_SMMU_V3;
    return n;
}

enum uiommu_status uim_iort_owner(const void *table,
                                  const struct uim_fw_device *device,
                                  unsigned index, unsigned *unit, uint32_t *id)
{
    struct uim_iort_hop hop;
    struct uim_fw_unit info;
    enum uiommu_status status = uim_iort_stream(table, device, index, &hop);

    if (status)
        return status;
    if (uim_iort_unit(table, &hop.node, &info))
        return UIOMMU_NODEV;
    *unit = unit_number(table, &hop.node);
    *id = hop.id;
    return UIOMMU_OK;
}

/* The attribute is of all that is below the root complex. */
bool uim_iort_ats_allowed(const void *table, const struct uim_fw_device *device,
                          bool legacy)
{
    struct uim_iort_properties p;

    (void)legacy; /* no unit of this table does it by itself */
    return !device->acpi_path &&
           uim_iort_device(table, device, &p) == UIOMMU_OK && p.ats;
}

bool uim_iort_stalls(const void *table, const struct uim_fw_device *device)
{
    struct uim_iort_properties p;

    return device->acpi_path &&
           uim_iort_device(table, device, &p) == UIOMMU_OK && p.stall;
}
