/* SPDX-License-Identifier: MIT */
/*
 * IORT: the nodes one by one, what they say, and the table's uim_fw_ops. What
 * is wrong with a table: iort_check.c. Which device is meant: iort_match.c;
 * which of them firmware left running: iort_rmr.c;
 * where their messages go: iort_doorbell.c.
 */
#include "fw/iort.h"

#define TO(type) (1u << IORT_NODE_##type)

enum {
    REGISTERS_ALIGN = 64 << 10,
    SMMU_V3_REGISTERS = 128 << 10,
    CN99XX_REGISTERS = 64 << 10, /* it has no page 1 */
    REVISION_DEVICE_ID_VALID = 5, /* of an SMMUv3 node */
};

struct kind {
    const char *name;
    struct {
        uint8_t revision; /* from this one on */
        uint8_t size;     /* of the fixed part; 0: no more of these */
    } fixed[3];
    uint8_t to;           /* types of nodes that its ids may go to */
    bool single;          /* may have single mappings */
};

static const struct kind kinds[] = {
    [IORT_NODE_ITS_GROUP] = { "ITS", { { 0, IORT_ITS_GROUP_SIZE } }, 0, false },
    [IORT_NODE_NAMED_COMPONENT] = { "NamedComponent",
                                    { { 0, IORT_NAMED_COMPONENT_SIZE } },
                                    TO(SMMU) | TO(SMMU_V3) | TO(ITS_GROUP),
                                    true },
    [IORT_NODE_PCI_ROOT_COMPLEX] = { "RootComplex",
                                     { { 0, IORT_ROOT_COMPLEX_SIZE },
                                       { 1, IORT_ROOT_COMPLEX_SIZE_1 },
                                       { 4, IORT_ROOT_COMPLEX_SIZE_4 } },
                                     TO(SMMU) | TO(SMMU_V3) | TO(ITS_GROUP),
                                     true },
    [IORT_NODE_SMMU] = { "SMMUv1v2",
                         { { 0, IORT_SMMU_SIZE } },
                         TO(ITS_GROUP),
                         false },
    [IORT_NODE_SMMU_V3] = { "SMMUv3",
                            { { 0, IORT_SMMU_V3_SIZE },
                              { 1, IORT_SMMU_V3_SIZE_1 } },
                            TO(ITS_GROUP),
                            true },
    [IORT_NODE_PMCG] = { "PMCG",
                         { { 0, IORT_PMCG_SIZE }, { 1, IORT_PMCG_SIZE_1 } },
                         TO(ITS_GROUP),
                         true },
    [IORT_NODE_RMR] = { "RMR",
                        { { 0, IORT_RMR_SIZE } },
                        TO(SMMU) | TO(SMMU_V3),
                        false },
};

static const struct kind *kind_of(unsigned type)
{
    if (type >= sizeof(kinds) / sizeof(kinds[0]))
        return NULL;
    return &kinds[type];
}

const char *uim_iort_name(unsigned type)
{
    const struct kind *kind = kind_of(type);

    return kind ? kind->name : NULL;
}

/* ---- nodes --------------------------------------------------------------- */

static uint32_t fixed_size(const struct kind *kind, unsigned revision)
{
    uint32_t size = 0;

    for (unsigned i = 0; i < 3; i++) {
        if (kind->fixed[i].size > 0 && revision >= kind->fixed[i].revision)
            size = kind->fixed[i].size;
    }
    return size;
}

/* Do n elements from `offset` on end inside the node? */
static bool fits(uint32_t length, uint32_t offset, uint32_t n, uint32_t size)
{
    return offset <= length && n <= (length - offset) / size;
}

static bool terminated(const uint8_t *p, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if (p[i] == '\0')
            return true;
    }
    return false;
}

/* What is behind the fixed part. */
static const char *list_flaw(const uint8_t *p, unsigned type, uint32_t length)
{
    uint32_t at;

    if (type == IORT_NODE_NAMED_COMPONENT &&
        !terminated(p + IORT_NAMED_COMPONENT_SIZE,
                    length - IORT_NAMED_COMPONENT_SIZE))
        return "its name does not end";
    if (type == IORT_NODE_ITS_GROUP &&
        !fits(length, IORT_ITS_GROUP_SIZE,
              (uint32_t)acpi_iort_its_group_its_count(p),
              IORT_ITS_IDENTIFIER_SIZE))
        return "its identifiers end after it";
    if (type != IORT_NODE_RMR || acpi_iort_rmr_rmr_count(p) == 0)
        return NULL;
    at = (uint32_t)acpi_iort_rmr_rmr_offset(p);
    if (at < IORT_RMR_SIZE)
        return "its regions start in its fixed part";
    if (!fits(length, at, (uint32_t)acpi_iort_rmr_rmr_count(p),
              IORT_RMR_DESCRIPTOR_SIZE))
        return "its regions end after it";
    return NULL;
}

static const char *mappings_flaw(const uint8_t *p, uint32_t fixed,
                                 uint32_t length)
{
    uint32_t n = (uint32_t)acpi_iort_node_header_mapping_count(p);
    uint32_t at = (uint32_t)acpi_iort_node_header_mapping_offset(p);

    if (n == 0)
        return NULL;
    if (at < fixed)
        return "its mappings start in its fixed part";
    if (!fits(length, at, n, IORT_ID_MAPPING_SIZE))
        return "its mappings end after it";
    return NULL;
}

/* `left` bytes of the table are from p on. */
static const char *node_flaw(const uint8_t *p, uint32_t left)
{
    unsigned type = (unsigned)acpi_iort_node_header_type(p);
    uint32_t length = (uint32_t)acpi_iort_node_header_length(p);
    const struct kind *kind = kind_of(type);
    const char *flaw;
    uint32_t fixed;

    if (length < IORT_NODE_HEADER_SIZE)
        return "shorter than the header of a node";
    if (length > left)
        return "ends after the table";
    if (!kind)
        return NULL;
    fixed = fixed_size(kind, (unsigned)acpi_iort_node_header_revision(p));
    if (length < fixed)
        return "shorter than its fixed part";
    flaw = list_flaw(p, type, length);
    return flaw ? flaw : mappings_flaw(p, fixed, length);
}

static uint32_t table_length(const void *table)
{
    return (uint32_t)acpi_header_length(table);
}

static uint32_t offset_after(const void *table,
                             const struct uim_iort_node *node)
{
    return node->p ? node->offset + node->length
                   : (uint32_t)acpi_iort_node_offset(table);
}

static uint32_t index_after(const struct uim_iort_node *node)
{
    return node->p ? node->index + 1 : 0;
}

const char *uim_iort_flaw(const void *table, const struct uim_iort_node *node,
                          uint32_t *offset)
{
    uint32_t length = table_length(table);

    *offset = offset_after(table, node);
    if (index_after(node) >= acpi_iort_node_count(table))
        return NULL;
    if (*offset < IORT_SIZE)
        return "lies in the fixed part of the table";
    if (*offset > length || length - *offset < IORT_NODE_HEADER_SIZE)
        return "no room for the header of a node";
    return node_flaw((const uint8_t *)table + *offset, length - *offset);
}

bool uim_iort_next(const void *table, struct uim_iort_node *node)
{
    uint32_t offset;
    const uint8_t *p;

    if (index_after(node) >= acpi_iort_node_count(table) ||
        uim_iort_flaw(table, node, &offset))
        return false;
    p = (const uint8_t *)table + offset;
    node->index = index_after(node);
    node->p = p;
    node->offset = offset;
    node->length = (uint16_t)acpi_iort_node_header_length(p);
    node->type = (uint8_t)acpi_iort_node_header_type(p);
    node->revision = (uint8_t)acpi_iort_node_header_revision(p);
    node->n_mappings = kind_of(node->type)
                           ? (uint32_t)acpi_iort_node_header_mapping_count(p)
                           : 0;
    return true;
}

bool uim_iort_at(const void *table, uint32_t offset, struct uim_iort_node *out)
{
    struct uim_iort_node node = { 0 };

    while (uim_iort_next(table, &node)) {
        if (node.offset == offset) {
            *out = node;
            return true;
        }
    }
    return false;
}

/* ---- mappings ------------------------------------------------------------ */

static const char *reference_flaw(const void *table, const struct kind *kind,
                                  uint32_t reference)
{
    struct uim_iort_node node;

    if (!uim_iort_at(table, reference, &node))
        return "leads to no node";
    if (!kind_of(node.type) || !(kind->to >> node.type & 1))
        return "leads to a node that ids do not go to from there";
    return NULL;
}

static const char *range_flaw(const struct kind *kind,
                              const struct uim_iort_mapping *m)
{
    if (m->single)
        return kind->single ? NULL : "is single, which its node cannot have";
    if (m->count > UINT32_MAX - m->first)
        return "takes ids of more than 32 bits";
    if (m->count > UINT32_MAX - m->output)
        return "gives ids of more than 32 bits";
    return NULL;
}

const char *uim_iort_mapping_flaw(const void *table,
                                  const struct uim_iort_node *node,
                                  const struct uim_iort_mapping *mapping)
{
    const struct kind *kind = kind_of(node->type);
    const char *flaw = range_flaw(kind, mapping);

    return flaw ? flaw : reference_flaw(table, kind, mapping->reference);
}

void uim_iort_mapping(const struct uim_iort_node *node, uint32_t i,
                      struct uim_iort_mapping *out)
{
    uint32_t at = (uint32_t)acpi_iort_node_header_mapping_offset(node->p);
    const uint8_t *p = node->p + at + i * IORT_ID_MAPPING_SIZE;
    struct acpi_iort_id_mapping_flags flags = { acpi_iort_id_mapping_flags(p) };

    out->first = (uint32_t)acpi_iort_id_mapping_input_base(p);
    out->count = (uint32_t)acpi_iort_id_mapping_id_count(p);
    out->last = out->count > UINT32_MAX - out->first ? UINT32_MAX
                                                     : out->first + out->count;
    out->output = (uint32_t)acpi_iort_id_mapping_output_base(p);
    out->reference = (uint32_t)acpi_iort_id_mapping_output_reference(p);
    out->single = acpi_iort_id_mapping_flags_single_mapping(flags);
}

/* An SMMUv3 that sends messages has a device id too. Before there was a flag
 * for it, the index counted unless all interrupts were wired. */
static bool sends_messages(const struct uim_iort_node *node)
{
    const uint8_t *p = node->p;
    struct acpi_iort_smmu_v3_flags flags = { acpi_iort_smmu_v3_flags(p) };

    if (node->type != IORT_NODE_SMMU_V3 || node->revision == 0)
        return false;
    if (node->revision >= REVISION_DEVICE_ID_VALID)
        return acpi_iort_smmu_v3_flags_device_id_valid(flags);
    return acpi_iort_smmu_v3_event_gsiv(p) == 0 ||
           acpi_iort_smmu_v3_pri_gsiv(p) == 0 ||
           acpi_iort_smmu_v3_gerr_gsiv(p) == 0 ||
           acpi_iort_smmu_v3_sync_gsiv(p) == 0;
}

uint32_t uim_iort_own_mapping(const struct uim_iort_node *node)
{
    if (!sends_messages(node))
        return UINT32_MAX;
    return (uint32_t)acpi_iort_smmu_v3_device_id_mapping_index(node->p);
}

/* ---- units --------------------------------------------------------------- */

static const char *place_flaw(const struct uim_fw_unit *unit)
{
    if (unit->base == 0)
        return "its registers are at 0";
    if (!uim_is_aligned(unit->base, REGISTERS_ALIGN))
        return "its registers are not aligned to 64 KiB";
    if (unit->base + (unit->size - 1) < unit->base)
        return "its registers wrap around the address space";
    return NULL;
}

static const char *read_unit(const struct uim_iort_node *node,
                             struct uim_fw_unit *out)
{
    const uint8_t *p = node->p;
    const char *flaw = "version 1 or 2, which is not supported";

    *out = (struct uim_fw_unit){ .record = p };
    if (node->type == IORT_NODE_SMMU) {
        out->base = acpi_iort_smmu_base_address(p);
        out->size = acpi_iort_smmu_span(p);
        return flaw;
    }
    out->base = acpi_iort_smmu_v3_base_address(p);
    out->size = acpi_iort_smmu_v3_model(p) == IORT_SMMU_V3_MODEL_CAVIUM_CN99XX
                    ? CN99XX_REGISTERS
                    : SMMU_V3_REGISTERS;
    flaw = place_flaw(out);
    out->usable = !flaw;
    return flaw;
}

static bool overlap(const struct uim_fw_unit *a, const struct uim_fw_unit *b)
{
    return a->base <= b->base + (b->size - 1) &&
           b->base <= a->base + (a->size - 1);
}

static bool is_unit(const struct uim_iort_node *node)
{
    return node->type == IORT_NODE_SMMU || node->type == IORT_NODE_SMMU_V3;
}

const char *uim_iort_unit(const void *table, const struct uim_iort_node *node,
                          struct uim_fw_unit *out)
{
    const char *flaw = read_unit(node, out);
    struct uim_iort_node n = { 0 };
    struct uim_fw_unit other;

    if (flaw)
        return flaw;
    while (uim_iort_next(table, &n) && n.offset < node->offset) {
        if (!is_unit(&n) || read_unit(&n, &other) || !overlap(out, &other))
            continue;
        out->usable = false;
        return "its registers are those of an earlier unit";
    }
    return NULL;
}

static enum uiommu_status iort_unit(const void *table, unsigned index,
                                    struct uim_fw_unit *out)
{
    struct uim_iort_node node = { 0 };

    while (uim_iort_next(table, &node)) {
        if (!is_unit(&node) || index-- > 0)
            continue;
        (void)uim_iort_unit(table, &node, out);
        return UIOMMU_OK;
    }
    return UIOMMU_NOENT;
}

void uim_iort_smmu_v3(const void *record, struct uim_iort_smmu_v3 *out)
{
    const uint8_t *p = record;
    struct acpi_iort_smmu_v3_flags flags = { acpi_iort_smmu_v3_flags(p) };

    out->vatos_address = acpi_iort_smmu_v3_vatos_address(p);
    out->model = (uint32_t)acpi_iort_smmu_v3_model(p);
    out->coherent = acpi_iort_smmu_v3_flags_cohacc_override(flags);
    out->httu = (uint8_t)acpi_iort_smmu_v3_flags_httu_override(flags);
    if (out->httu > IORT_HTTU_ACCESS_DIRTY)
        out->httu = IORT_HTTU_NONE;
    out->event_gsiv = (uint32_t)acpi_iort_smmu_v3_event_gsiv(p);
    out->pri_gsiv = (uint32_t)acpi_iort_smmu_v3_pri_gsiv(p);
    out->gerr_gsiv = (uint32_t)acpi_iort_smmu_v3_gerr_gsiv(p);
    out->sync_gsiv = (uint32_t)acpi_iort_smmu_v3_sync_gsiv(p);
    out->has_pxm = acpi_iort_node_header_revision(p) > 0 &&
                   acpi_iort_smmu_v3_flags_pxm_valid(flags);
    out->pxm = out->has_pxm ? (uint32_t)acpi_iort_smmu_v3_pxm(p) : 0;
}

/* ---- other nodes --------------------------------------------------------- */

static uint8_t address_bits(uint64_t limit)
{
    return limit > 64 ? 64 : (uint8_t)limit;
}

static void read_memory(const uint8_t *p, struct uim_iort_properties *out)
{
    out->coherent = acpi_iort_memory_access_cache_coherency(p) & 1;
    out->hints = (uint8_t)acpi_iort_memory_access_hints(p);
    out->flags = (uint8_t)acpi_iort_memory_access_memory_flags(p);
}

static void read_component(const uint8_t *p, struct uim_iort_properties *out)
{
    struct acpi_iort_named_component_flags flags = {
        acpi_iort_named_component_node_flags(p)
    };

    read_memory(p + acpi_iort_named_component_memory_properties_OFFSET, out);
    out->address_bits =
        address_bits(acpi_iort_named_component_memory_address_limit(p));
    out->pasid_bits =
        (uint8_t)acpi_iort_named_component_flags_pasid_bits(flags);
    out->stall = acpi_iort_named_component_flags_stall_supported(flags);
}

/* Revision 4 has a flag for PASIDs; before, the width said it all. */
static uint8_t root_pasid_bits(const uint8_t *p, unsigned revision)
{
    struct acpi_iort_root_complex_pasid pasid;
    struct acpi_iort_root_complex_flags flags;

    if (revision < 3)
        return 0;
    if (revision >= 4) {
        flags.raw = acpi_iort_root_complex_flags(p);
        if (!acpi_iort_root_complex_flags_pasid_supported(flags))
            return 0;
    }
    pasid.raw = acpi_iort_root_complex_pasid_capabilities(p);
    return (uint8_t)acpi_iort_root_complex_pasid_max_pasid_width(pasid);
}

static void read_root(const struct uim_iort_node *node,
                      struct uim_iort_properties *out)
{
    const uint8_t *p = node->p;
    struct acpi_iort_root_complex_ats ats = {
        acpi_iort_root_complex_ats_attribute(p)
    };

    read_memory(p + acpi_iort_root_complex_memory_properties_OFFSET, out);
    if (node->revision >= 1)
        out->address_bits =
            address_bits(acpi_iort_root_complex_memory_address_limit(p));
    out->pasid_bits = root_pasid_bits(p, node->revision);
    out->ats = acpi_iort_root_complex_ats_ats_supported(ats);
    out->pri = acpi_iort_root_complex_ats_pri_supported(ats);
    out->pasid_forward = acpi_iort_root_complex_ats_pasid_fwd_supported(ats);
}

void uim_iort_properties(const struct uim_iort_node *node,
                         struct uim_iort_properties *out)
{
    *out = (struct uim_iort_properties){ 0 };
    if (node->type == IORT_NODE_NAMED_COMPONENT)
        read_component(node->p, out);
    else
        read_root(node, out);
}

uint32_t uim_iort_its_count(const struct uim_iort_node *its)
{
    return (uint32_t)acpi_iort_its_group_its_count(its->p);
}

uint32_t uim_iort_its_identifier(const struct uim_iort_node *its, uint32_t i)
{
    return (uint32_t)uim_le_bytes(its->p + IORT_ITS_GROUP_SIZE +
                                      i * IORT_ITS_IDENTIFIER_SIZE,
                                  IORT_ITS_IDENTIFIER_SIZE);
}

bool uim_iort_has_regions(const void *table)
{
    return acpi_header_revision(table) >= IORT_REVISION_RMR;
}

uint32_t uim_iort_region_count(const struct uim_iort_node *rmr)
{
    return (uint32_t)acpi_iort_rmr_rmr_count(rmr->p);
}

static unsigned region_flags(struct acpi_iort_rmr_flags flags)
{
    uint64_t attributes = acpi_iort_rmr_flags_access_attributes(flags);
    unsigned out = UIOMMU_READ | UIOMMU_WRITE;

    if (acpi_iort_rmr_flags_access_privilege(flags))
        out |= UIOMMU_PRIV;
    if (attributes <= IORT_RMR_DEVICE_GRE)
        out |= UIOMMU_MMIO;
    if (attributes == IORT_RMR_NORMAL_IWB_OWB)
        out |= UIOMMU_CACHE;
    return out;
}

const char *uim_iort_region(const struct uim_iort_node *rmr, uint32_t i,
                            struct uim_fw_region *out)
{
    struct acpi_iort_rmr_flags flags = { acpi_iort_rmr_flags(rmr->p) };
    const uint8_t *p = rmr->p + acpi_iort_rmr_rmr_offset(rmr->p) +
                       i * IORT_RMR_DESCRIPTOR_SIZE;
    uint64_t base = acpi_iort_rmr_descriptor_base_address(p);
    uint64_t length = acpi_iort_rmr_descriptor_length(p);

    if (length == 0)
        return "is empty";
    if (length - 1 > UINT64_MAX - base)
        return "wraps around the address space";
    out->start = uim_align_down(base, 4096);
    out->last = (base + (length - 1)) | 4095;
    out->flags = region_flags(flags);
    out->relaxable = acpi_iort_rmr_flags_remap_permitted(flags);
    return NULL;
}

/* Interrupts of I/O APICs and HPETs are not in this table. */
static enum uiommu_status iort_irq_source(const void *table,
                                          enum uiommu_irq_source kind,
                                          unsigned id, unsigned *unit,
                                          uint32_t *rid)
{
    (void)table, (void)kind, (void)id, (void)unit, (void)rid;
    return UIOMMU_NODEV;
}

const struct uim_fw_ops uim_fw_iort = {
    .signature = "IORT",
    .check = uim_iort_check,
    .unit = iort_unit,
    .owner = uim_iort_owner,
    .region = uim_iort_device_region,
    .requester = uim_iort_requester,
    .irq_source = iort_irq_source,
    .ats_allowed = uim_iort_ats_allowed,
    .stalls = uim_iort_stalls,
    .also = "APIC",
    .check_also = uim_iort_check_madt,
    .doorbell = uim_iort_doorbell,
    .isolates_messages = uim_iort_isolates_messages,
};
