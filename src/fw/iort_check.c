/* SPDX-License-Identifier: MIT */
/*
 * Can an IORT table be relied on, and what is odd in it?
 *
 * Refused is what leaves open where a node or a list in it ends. Firmware that
 * is merely wrong is used as far as it goes, always towards less DMA: an id
 * that is covered by a mapping which makes no sense leads nowhere.
 */
#include "fw/iort.h"

#include "fw/say.h"

/* As many units as anybody supports; they are compared with each other. And
 * what requesters may cost: some hundred thousand of them, or many of few. */
enum { UNITS_MAX = 1024, WORK_MAX = 1 << 28 };

struct check {
    const void *table;
    const struct uim_fw_log *log;
    unsigned units;
    unsigned unaligned;
};

static void warn(const struct check *c, const struct uim_iort_node *node,
                 const char *what)
{
    uim_fw_say(c->log, UIOMMU_LOG_WARN, "IORT: %s at 0x%x: %s",
               uim_iort_name(node->type), node->offset, what);
}

/* ---- what refuses the table ---------------------------------------------- */

static enum uiommu_status refuse_node(const struct check *c, uint32_t offset,
                                      const char *flaw)
{
    const uint8_t *p = (const uint8_t *)c->table + offset;
    const char *name = NULL;

    if (offset >= IORT_SIZE && offset < acpi_header_length(c->table))
        name = uim_iort_name((unsigned)acpi_iort_node_header_type(p));
    uim_fw_say(c->log, UIOMMU_LOG_ERROR, "IORT: %s at 0x%x: %s",
               name ? name : "node", offset, flaw);
    return UIOMMU_INVAL;
}

static enum uiommu_status check_nodes(struct check *c)
{
    struct uim_iort_node node = { 0 };
    const char *flaw;
    uint32_t offset;

    while (uim_iort_next(c->table, &node)) {
        c->units +=
            node.type == IORT_NODE_SMMU || node.type == IORT_NODE_SMMU_V3;
        c->unaligned += node.offset % 4 != 0;
    }
    flaw = uim_iort_flaw(c->table, &node, &offset);
    if (flaw)
        return refuse_node(c, offset, flaw);
    if (c->units > UNITS_MAX) {
        uim_fw_say(c->log, UIOMMU_LOG_ERROR, "IORT: %u units", c->units);
        return UIOMMU_INVAL;
    }
    if (offset < acpi_header_length(c->table))
        uim_fw_say(c->log, UIOMMU_LOG_WARN, "IORT: %u bytes after its nodes",
                   (uint32_t)acpi_header_length(c->table) - offset);
    return UIOMMU_OK;
}

static enum uiommu_status check_work(const struct check *c)
{
    if (uim_iort_requester_work(c->table) <= WORK_MAX)
        return UIOMMU_OK;
    uim_fw_say(
        c->log, UIOMMU_LOG_ERROR,
        "IORT: its RMR nodes are for more devices than can be looked for");
    return UIOMMU_INVAL;
}

/* ---- mappings ------------------------------------------------------------ */

static void review_mapping(const struct check *c,
                           const struct uim_iort_node *node, uint32_t i)
{
    struct uim_iort_mapping m;
    const char *flaw;

    uim_iort_mapping(node, i, &m);
    flaw = uim_iort_mapping_flaw(c->table, node, &m);
    if (flaw)
        uim_fw_say(c->log, UIOMMU_LOG_WARN,
                   "IORT: mapping %u of %s at 0x%x: %s, ignored", i,
                   uim_iort_name(node->type), node->offset, flaw);
}

static bool overlap(const struct uim_iort_mapping *a,
                    const struct uim_iort_mapping *b)
{
    return !a->single && !b->single && a->first <= b->last &&
           b->first <= a->last;
}

/* Does one begin where the other ends, as if ids had been counted from 1? */
static bool touch(const struct uim_iort_mapping *a,
                  const struct uim_iort_mapping *b)
{
    return a->last == b->first && a->first != a->last;
}

/* How many later mappings of the node overlap with one, and how many of these
 * only touch it. */
static void count_overlaps(const struct uim_iort_node *node, uint32_t i,
                           unsigned *overlaps, unsigned *touching)
{
    struct uim_iort_mapping a, b;

    uim_iort_mapping(node, i, &a);
    while (++i < node->n_mappings) {
        uim_iort_mapping(node, i, &b);
        if (!overlap(&a, &b))
            continue;
        ++*overlaps;
        *touching += touch(&a, &b) || touch(&b, &a);
    }
}

static void review_mappings(const struct check *c,
                            const struct uim_iort_node *node)
{
    unsigned overlaps = 0, touching = 0;

    for (uint32_t i = 0; i < node->n_mappings; i++) {
        review_mapping(c, node, i);
        count_overlaps(node, i, &overlaps, &touching);
    }
    if (touching > 0)
        uim_fw_say(
            c->log, UIOMMU_LOG_WARN,
            "IORT: %s at 0x%x: %u ranges of ids end where another starts: "
            "counted one too high",
            uim_iort_name(node->type), node->offset, touching);
    if (overlaps > touching)
        uim_fw_say(c->log, UIOMMU_LOG_WARN,
                   "IORT: %s at 0x%x: %u pairs of ranges overlap: ids in both "
                   "are ignored unless they agree",
                   uim_iort_name(node->type), node->offset,
                   overlaps - touching);
}

/* ---- what is odd --------------------------------------------------------- */

static void review_unit(const struct check *c, const struct uim_iort_node *node)
{
    struct uim_fw_unit unit;
    const char *why = uim_iort_unit(c->table, node, &unit);

    if (why)
        uim_fw_say(c->log, UIOMMU_LOG_WARN,
                   "IORT: %s at 0x%x: %s: the unit cannot be used",
                   uim_iort_name(node->type), node->offset, why);
}

static void review_smmu_v3(const struct check *c,
                           const struct uim_iort_node *node)
{
    const uint8_t *p = node->p;
    const uint32_t own = uim_iort_own_mapping(node);
    struct acpi_iort_smmu_v3_flags flags = { acpi_iort_smmu_v3_flags(p) };

    if (acpi_iort_smmu_v3_model(p) > IORT_SMMU_V3_MODEL_CAVIUM_CN99XX)
        warn(c, node, "its model is not known, taken as generic");
    if (acpi_iort_smmu_v3_flags_httu_override(flags) > IORT_HTTU_ACCESS_DIRTY)
        warn(c, node, "its HTTU override is reserved, ignored");
    if (node->n_mappings > 0 && own != UINT32_MAX && own >= node->n_mappings)
        warn(c, node, "its device id is that of a mapping it has not");
}

static void review_root(const struct check *c, const struct uim_iort_node *node)
{
    if (acpi_iort_root_complex_pci_segment(node->p) > UINT16_MAX)
        warn(c, node, "no PCI segment has its number, ignored");
    if (node->revision >= 1 &&
        acpi_iort_root_complex_memory_address_limit(node->p) == 0)
        warn(c, node, "an address limit of 0 bits, taken as not said");
}

static void review_region(const struct check *c,
                          const struct uim_iort_node *node, uint32_t i)
{
    struct uim_fw_region region;
    const char *why = uim_iort_region(node, i, &region);

    if (why)
        uim_fw_say(c->log, UIOMMU_LOG_WARN,
                   "IORT: region %u of RMR at 0x%x %s, ignored", i,
                   node->offset, why);
}

static void review_rmr(const struct check *c, const struct uim_iort_node *node)
{
    struct acpi_iort_rmr_flags flags = { acpi_iort_rmr_flags(node->p) };

    if (!uim_iort_has_regions(c->table)) {
        warn(c, node, "in a table of an older revision, ignored");
        return;
    }
    if (node->n_mappings == 0)
        warn(c, node, "for no device");
    if (acpi_iort_rmr_flags_access_attributes(flags) > IORT_RMR_NORMAL_IWB_OWB)
        warn(c, node, "its memory attributes are reserved, ignored");
    for (uint32_t i = 0; i < uim_iort_region_count(node); i++)
        review_region(c, node, i);
}

static void review(const struct check *c, const struct uim_iort_node *node)
{
    if (!uim_iort_name(node->type)) {
        uim_fw_say(c->log, UIOMMU_LOG_INFO,
                   "IORT: node at 0x%x: type %u is not known, skipped",
                   node->offset, (unsigned)node->type);
        return;
    }
    review_mappings(c, node);
    if (node->type == IORT_NODE_SMMU || node->type == IORT_NODE_SMMU_V3)
        review_unit(c, node);
    if (node->type == IORT_NODE_SMMU_V3)
        review_smmu_v3(c, node);
    else if (node->type == IORT_NODE_PCI_ROOT_COMPLEX)
        review_root(c, node);
    else if (node->type == IORT_NODE_RMR)
        review_rmr(c, node);
}

static enum uiommu_status check_fixed_part(const void *table,
                                           const struct uim_fw_log *log)
{
    uint64_t length = acpi_header_length(table);

    for (unsigned i = 0; i < 4; i++) {
        if (((const char *)table)[i] != uim_fw_iort.signature[i]) {
            uim_fw_say(log, UIOMMU_LOG_ERROR, "the table is no IORT");
            return UIOMMU_INVAL;
        }
    }
    if (length >= IORT_SIZE)
        return UIOMMU_OK;
    uim_fw_say(log, UIOMMU_LOG_ERROR,
               "IORT: %lu bytes are less than its fixed part", length);
    return UIOMMU_INVAL;
}

enum uiommu_status uim_iort_check(const void *table, size_t size,
                                  const struct uim_fw_log *log)
{
    struct check c = { .table = table, .log = log };
    enum uiommu_status status = uim_fw_check_header(table, size, log);
    struct uim_iort_node node = { 0 };

    if (!status)
        status = check_fixed_part(table, log);
    if (!status)
        status = check_nodes(&c);
    if (!status)
        status = check_work(&c);
    if (status)
        return status;
    if (c.unaligned > 0)
        uim_fw_say(log, UIOMMU_LOG_INFO,
                   "IORT: %u nodes are not aligned to 4 bytes", c.unaligned);
    while (uim_iort_next(table, &node))
        review(&c, &node);
    return UIOMMU_OK;
}
