/* SPDX-License-Identifier: MIT */
/*
 * RMR nodes: memory that devices use for firmware. They name stream ids at an
 * SMMU; whose these are is what the mappings of root complexes and named
 * components say, read the other way round.
 *
 * The ids of PCI devices are right as long as buses have the numbers that
 * firmware gave them, which is so before anybody added a device.
 */
#include "fw/iort.h"

#include "fw/path.h"

enum { RID_LAST = 0xffff };

/* Stream ids at the SMMU whose node is at `reference`. */
struct ids {
    uint32_t reference, first, last;
};

/* How many ids are in both, and the first one. */
static uint64_t common(const struct ids *a, const struct ids *b,
                       uint32_t *first)
{
    uint32_t last = a->last < b->last ? a->last : b->last;

    *first = a->first > b->first ? a->first : b->first;
    if (a->reference != b->reference || *first > last)
        return 0;
    return (uint64_t)(last - *first) + 1;
}

/* What a mapping gives, if it is not single and gives anything. */
static bool range_of(const struct uim_iort_mapping *m, struct ids *out)
{
    if (m->count > UINT32_MAX - m->output)
        return false;
    *out = (struct ids){ m->reference, m->output, m->output + m->count };
    return true;
}

/* The ids that an RMR node's mapping names. */
static bool rmr_ids(const void *table, const struct uim_iort_node *rmr,
                    uint32_t i, struct ids *out)
{
    struct uim_iort_mapping m;

    uim_iort_mapping(rmr, i, &m);
    return !uim_iort_mapping_flaw(table, rmr, &m) && range_of(&m, out);
}

/* The ids that a component has by a mapping. */
static bool component_ids(const struct uim_iort_node *node, uint32_t i,
                          struct ids *out)
{
    struct uim_iort_mapping m;

    uim_iort_mapping(node, i, &m);
    if (!m.single)
        return range_of(&m, out);
    *out = (struct ids){ m.reference, m.output, m.output };
    return true;
}

/* The ids that requester ids become by a mapping. All of them become one by a
 * single mapping: then it is not known who that is. */
static bool root_ids(const struct uim_iort_node *node, uint32_t i,
                     struct ids *out)
{
    struct uim_iort_mapping m;

    uim_iort_mapping(node, i, &m);
    if (m.single || m.first > RID_LAST)
        return false;
    if (m.count > RID_LAST - m.first)
        m.count = RID_LAST - m.first;
    return range_of(&m, out);
}

/* ---- regions of a device ------------------------------------------------- */

static bool component_has(const void *table, const struct uim_fw_device *device,
                          const struct ids *ids)
{
    struct uim_iort_node node = { 0 };
    struct ids own;
    uint32_t first;

    while (uim_iort_next(table, &node)) {
        if (node.type != IORT_NODE_NAMED_COMPONENT ||
            !uim_fw_same_path((const char *)node.p + IORT_NAMED_COMPONENT_SIZE,
                              device->acpi_path))
            continue;
        for (uint32_t i = 0; i < node.n_mappings; i++) {
            if (component_ids(&node, i, &own) && common(&own, ids, &first) > 0)
                return true;
        }
    }
    return false;
}

static bool function_has(const void *table, const struct uim_fw_device *device,
                         const struct ids *ids)
{
    struct uim_iort_hop hop;

    return uim_iort_stream(table, device, 0, &hop) == UIOMMU_OK &&
           hop.node.offset == ids->reference && hop.id >= ids->first &&
           hop.id <= ids->last;
}

static bool is_for(const void *table, const struct uim_iort_node *rmr,
                   const struct uim_fw_device *device)
{
    struct ids ids;

    for (uint32_t i = 0; i < rmr->n_mappings; i++) {
        if (!rmr_ids(table, rmr, i, &ids))
            continue;
        if (device->acpi_path ? component_has(table, device, &ids)
                              : function_has(table, device, &ids))
            return true;
    }
    return false;
}

enum uiommu_status uim_iort_device_region(const void *table,
                                          const struct uim_fw_device *device,
                                          unsigned index,
                                          struct uim_fw_region *out)
{
    struct uim_iort_node node = { 0 };
    struct uim_fw_region region;

    while (uim_iort_has_regions(table) && uim_iort_next(table, &node)) {
        if (node.type != IORT_NODE_RMR || !is_for(table, &node, device))
            continue;
        for (uint32_t i = 0; i < uim_iort_region_count(&node); i++) {
            if (uim_iort_region(&node, i, &region) || index-- > 0)
                continue;
            *out = region;
            return UIOMMU_OK;
        }
    }
    return UIOMMU_NOENT;
}

/* ---- requesters ---------------------------------------------------------- */

/* A device, by a mapping of a node, and a region of an RMR node. */
struct pair {
    struct uim_iort_node rmr, source;
    uint32_t region;  /* index                                               */
    uint32_t mapping; /* index                                               */
    uint32_t stream;  /* an id that both have                                */
};

static bool is_source(const struct uim_iort_node *node)
{
    if (node->type == IORT_NODE_PCI_ROOT_COMPLEX)
        return acpi_iort_root_complex_pci_segment(node->p) <= UINT16_MAX;
    return node->type == IORT_NODE_NAMED_COMPONENT;
}

static bool source_ids(const struct uim_iort_node *node, uint32_t i,
                       struct ids *out)
{
    return node->type == IORT_NODE_PCI_ROOT_COMPLEX
               ? root_ids(node, i, out)
               : component_ids(node, i, out);
}

/* The *left-th pair with ids of the RMR node; else *left is less by those
 * there are. With more than UINT32_MAX, it only counts. */
static bool find_source(const void *table, const struct ids *ids,
                        uint64_t *left, struct pair *pair)
{
    const uint32_t regions = uim_iort_region_count(&pair->rmr);
    struct uim_iort_node *node = &pair->source;
    struct ids own;
    uint64_t n;

    *node = (struct uim_iort_node){ 0 };
    while (uim_iort_next(table, node)) {
        for (uint32_t i = 0; is_source(node) && i < node->n_mappings; i++) {
            if (!source_ids(node, i, &own))
                continue;
            n = common(&own, ids, &pair->stream) * regions;
            if (*left < n) {
                pair->mapping = i;
                pair->stream += (uint32_t)*left / regions;
                pair->region = (uint32_t)*left % regions;
                return true;
            }
            *left -= n;
        }
    }
    return false;
}

static bool find_pair(const void *table, uint64_t *left, struct pair *pair)
{
    struct ids ids;

    pair->rmr = (struct uim_iort_node){ 0 };
    while (uim_iort_has_regions(table) && uim_iort_next(table, &pair->rmr)) {
        if (pair->rmr.type != IORT_NODE_RMR)
            continue;
        for (uint32_t i = 0; i < pair->rmr.n_mappings; i++) {
            if (rmr_ids(table, &pair->rmr, i, &ids) &&
                find_source(table, &ids, left, pair))
                return true;
        }
    }
    return false;
}

uint64_t uim_iort_requester_work(const void *table)
{
    struct uim_iort_node node = { 0 };
    uint64_t left = UINT64_MAX;
    uint64_t mappings = 0, steps = 0;
    struct pair pair;

    (void)find_pair(table, &left, &pair);
    if (UINT64_MAX - left > UINT32_MAX)
        return UINT64_MAX;
    while (uim_iort_next(table, &node)) {
        if (node.type == IORT_NODE_RMR)
            mappings += node.n_mappings;
        steps += 1 + (is_source(&node) ? node.n_mappings : 0);
    }
    return (UINT64_MAX - left) * mappings * steps;
}

/* Does the function's id go where the pair says, whatever else claims it? */
static bool leads_there(const void *table, const struct uim_fw_device *device,
                        uint32_t reference, uint32_t stream)
{
    struct uim_iort_hop hop;

    return uim_iort_stream(table, device, 0, &hop) == UIOMMU_OK &&
           hop.node.offset == reference && hop.id == stream;
}

static enum uiommu_status find_function(const void *table,
                                        const struct uiommu_host *host,
                                        const struct pair *pair,
                                        struct uim_fw_device *device)
{
    struct uim_iort_mapping m;
    uint32_t rid;

    uim_iort_mapping(&pair->source, pair->mapping, &m);
    rid = m.first + (pair->stream - m.output);
    device->pci = (struct uiommu_pci){
        .segment = (uint16_t)acpi_iort_root_complex_pci_segment(pair->source.p),
        .bus = (uint8_t)(rid >> 8),
        .devfn = (uint8_t)rid,
    };
    if (!host->pci_read ||
        !leads_there(table, device, m.reference, pair->stream) ||
        !uim_fw_present(host, device->pci) ||
        !uim_fw_climb(host, device->pci.bus, device) ||
        !uim_fw_add_hop(device, device->pci.bus, device->pci.devfn))
        return UIOMMU_NODEV;
    device->class_code = uim_fw_class(host, device->pci);
    return UIOMMU_OK;
}

enum uiommu_status uim_iort_requester(const void *table,
                                      const struct uiommu_host *host,
                                      unsigned index,
                                      struct uim_fw_requester *out)
{
    struct uim_fw_requester found = { 0 };
    enum uiommu_status status = UIOMMU_OK;
    uint64_t left = index;
    struct pair pair;

    if (!find_pair(table, &left, &pair))
        return UIOMMU_NOENT;
    if (uim_iort_region(&pair.rmr, pair.region, &found.region))
        return UIOMMU_NODEV;
    if (pair.source.type == IORT_NODE_NAMED_COMPONENT)
        found.device.acpi_path =
            (const char *)pair.source.p + IORT_NAMED_COMPONENT_SIZE;
    else
        status = find_function(table, host, &pair, &found.device);
    if (status == UIOMMU_OK)
        *out = found;
    return status;
}
