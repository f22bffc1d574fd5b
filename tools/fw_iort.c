/* SPDX-License-Identifier: MIT */
/*
 * fw_iort.c - `uiommu fw` of IORT tables. The nodes come from the iterators of
 * the parser that the library uses.
 */
#include <stdio.h>

#include "fw/iort.h"
#include "tools/fw_json.h"

/* The lists of a table that nodes go to. */
struct lists {
    cJSON *units, *reserved, *roots, *components, *its, *pmcg, *other;
    cJSON *structures;
};

/* ---- mappings ------------------------------------------------------------ */

/* "SMMUv3 at 0x48" */
static void add_reference(cJSON *object, const char *name, const void *table,
                          uint32_t reference)
{
    struct uim_iort_node node;
    const char *type = NULL;

    if (uim_iort_at(table, reference, &node))
        type = uim_iort_name(node.type);
    fw_add_text(object, name, "%s at 0x%x", type ? type : "nothing known",
                reference);
}

static void add_mapping(cJSON *mappings, const void *table,
                        const struct uim_iort_node *node, uint32_t i)
{
    cJSON *mapping = fw_add_object(mappings);
    struct uim_iort_mapping m;
    const char *flaw;

    uim_iort_mapping(node, i, &m);
    flaw = uim_iort_mapping_flaw(table, node, &m);
    cJSON_AddBoolToObject(mapping, "single", m.single);
    if (!m.single) {
        fw_add_hex(mapping, "first", m.first);
        fw_add_hex(mapping, "last", m.last);
    }
    fw_add_hex(mapping, "output", m.output);
    add_reference(mapping, "to", table, m.reference);
    cJSON_AddBoolToObject(mapping, "own", i == uim_iort_own_mapping(node));
    if (flaw)
        fw_add_text(mapping, "ignored", "%s", flaw);
}

/* A range that begins where, or before, an earlier one ends. */
static void count_overlaps(const struct uim_iort_node *node, uint32_t i,
                           cJSON *structures)
{
    struct uim_iort_mapping a, b;

    uim_iort_mapping(node, i, &a);
    for (uint32_t j = 0; j < i && !a.single; j++) {
        uim_iort_mapping(node, j, &b);
        if (!b.single && a.first <= b.last && b.first <= a.last)
            fw_count(structures, "overlapping_input_ranges");
    }
}

static void add_mappings(cJSON *object, const void *table,
                         const struct uim_iort_node *node, cJSON *structures)
{
    cJSON *mappings = cJSON_AddArrayToObject(object, "mappings");
    struct uim_iort_mapping m;

    for (uint32_t i = 0; i < node->n_mappings; i++) {
        add_mapping(mappings, table, node, i);
        fw_count(structures, "mappings");
        uim_iort_mapping(node, i, &m);
        if (m.single)
            fw_count(structures, "single");
        if (m.single && m.count > 0)
            fw_count(structures, "single_with_count");
        count_overlaps(node, i, structures);
    }
}

/* ---- nodes --------------------------------------------------------------- */

static void add_smmu_v3(cJSON *unit, const void *record)
{
    static const char *const httu[] = { "none", "access", "access and dirty" };
    struct uim_iort_smmu_v3 smmu;
    cJSON *gsiv;

    uim_iort_smmu_v3(record, &smmu);
    cJSON_AddNumberToObject(unit, "model", smmu.model);
    cJSON_AddBoolToObject(unit, "coherent_override", smmu.coherent);
    fw_add_text(unit, "httu_override", "%s", httu[smmu.httu]);
    if (smmu.vatos_address > 0)
        fw_add_hex(unit, "vatos", smmu.vatos_address);
    if (smmu.has_pxm)
        cJSON_AddNumberToObject(unit, "proximity_domain", smmu.pxm);
    gsiv = cJSON_AddObjectToObject(unit, "gsiv");
    cJSON_AddNumberToObject(gsiv, "event", smmu.event_gsiv);
    cJSON_AddNumberToObject(gsiv, "pri", smmu.pri_gsiv);
    cJSON_AddNumberToObject(gsiv, "gerr", smmu.gerr_gsiv);
    cJSON_AddNumberToObject(gsiv, "sync", smmu.sync_gsiv);
}

static void add_smmu(cJSON *unit, const uint8_t *p)
{
    const struct acpi_iort_smmu_flags f = { acpi_iort_smmu_flags(p) };
    cJSON *flags = cJSON_AddArrayToObject(unit, "flags");

    cJSON_AddNumberToObject(unit, "model", (double)acpi_iort_smmu_model(p));
    fw_add_flag(flags, acpi_iort_smmu_flags_dvm_supported(f), "DVM");
    fw_add_flag(flags, acpi_iort_smmu_flags_coherent_walk(f), "COHERENT_WALK");
}

static cJSON *describe_unit(const void *table, const struct uim_iort_node *node,
                            struct lists *to)
{
    cJSON *unit = fw_add_object(to->units);
    struct uim_fw_unit info;

    (void)uim_iort_unit(table, node, &info);
    fw_add_text(unit, "kind",
                node->type == IORT_NODE_SMMU_V3 ? "smmuv3" : "smmuv1v2");
    fw_add_hex(unit, "offset", node->offset);
    fw_add_hex(unit, "base", info.base);
    fw_add_hex(unit, "size", info.size);
    cJSON_AddBoolToObject(unit, "usable", info.usable);
    if (node->type == IORT_NODE_SMMU_V3)
        add_smmu_v3(unit, info.record);
    else
        add_smmu(unit, info.record);
    return unit;
}

static void add_properties(cJSON *object, const struct uim_iort_node *node)
{
    struct acpi_iort_memory_access_hints hints;
    struct acpi_iort_memory_access_flags memory;
    struct uim_iort_properties p;
    cJSON *flags = cJSON_AddArrayToObject(object, "flags");

    uim_iort_properties(node, &p);
    hints.raw = p.hints;
    memory.raw = p.flags;
    if (p.address_bits > 0)
        cJSON_AddNumberToObject(object, "address_bits", p.address_bits);
    if (p.pasid_bits > 0)
        cJSON_AddNumberToObject(object, "pasid_bits", p.pasid_bits);
    fw_add_flag(flags, p.coherent, "CCA");
    fw_add_flag(flags, acpi_iort_memory_access_hints_transient(hints), "TR");
    fw_add_flag(flags, acpi_iort_memory_access_hints_write_allocate(hints),
                "WA");
    fw_add_flag(flags, acpi_iort_memory_access_hints_read_allocate(hints),
                "RA");
    fw_add_flag(flags, acpi_iort_memory_access_hints_override(hints), "AHO");
    fw_add_flag(flags, acpi_iort_memory_access_flags_cpm(memory), "CPM");
    fw_add_flag(flags, acpi_iort_memory_access_flags_dacs(memory), "DACS");
    fw_add_flag(flags, acpi_iort_memory_access_flags_canwbs(memory), "CANWBS");
    fw_add_flag(flags, p.ats, "ATS");
    fw_add_flag(flags, p.pri, "PRI");
    fw_add_flag(flags, p.pasid_forward, "PASID_FORWARD");
    fw_add_flag(flags, p.stall, "STALL");
}

static cJSON *describe_root(const struct uim_iort_node *node, struct lists *to)
{
    cJSON *root = fw_add_object(to->roots);

    cJSON_AddNumberToObject(
        root, "segment", (double)acpi_iort_root_complex_pci_segment(node->p));
    add_properties(root, node);
    return root;
}

static cJSON *describe_component(const struct uim_iort_node *node,
                                 struct lists *to)
{
    cJSON *component = fw_add_object(to->components);

    fw_add_bytes(component, "path", node->p + IORT_NAMED_COMPONENT_SIZE,
                 node->length - IORT_NAMED_COMPONENT_SIZE);
    add_properties(component, node);
    return component;
}

static cJSON *describe_its(const struct uim_iort_node *node, struct lists *to)
{
    cJSON *its = fw_add_object(to->its);
    cJSON *ids;

    fw_add_hex(its, "offset", node->offset);
    ids = cJSON_AddArrayToObject(its, "identifiers");
    for (uint32_t i = 0; i < uim_iort_its_count(node); i++)
        cJSON_AddItemToArray(
            ids, cJSON_CreateNumber(uim_iort_its_identifier(node, i)));
    return its;
}

static cJSON *describe_pmcg(const void *table, const struct uim_iort_node *node,
                            struct lists *to)
{
    cJSON *pmcg = fw_add_object(to->pmcg);

    fw_add_hex(pmcg, "page0", acpi_iort_pmcg_page0_base_address(node->p));
    if (node->revision >= 1)
        fw_add_hex(pmcg, "page1", acpi_iort_pmcg_page1_base_address(node->p));
    cJSON_AddNumberToObject(pmcg, "gsiv",
                            (double)acpi_iort_pmcg_overflow_gsiv(node->p));
    add_reference(pmcg, "of", table,
                  (uint32_t)acpi_iort_pmcg_node_reference(node->p));
    return pmcg;
}

static void add_region(cJSON *regions, const struct uim_iort_node *node,
                       uint32_t i)
{
    cJSON *region = fw_add_object(regions);
    const uint8_t *p = node->p + acpi_iort_rmr_rmr_offset(node->p) +
                       i * IORT_RMR_DESCRIPTOR_SIZE;
    struct uim_fw_region info;

    fw_add_hex(region, "base", acpi_iort_rmr_descriptor_base_address(p));
    fw_add_hex(region, "length", acpi_iort_rmr_descriptor_length(p));
    cJSON_AddBoolToObject(region, "usable", !uim_iort_region(node, i, &info));
}

static cJSON *describe_rmr(const void *table, const struct uim_iort_node *node,
                           struct lists *to)
{
    static const char *const attributes[] = { "device-nGnRnE", "device-nGnRE",
                                              "device-nGRE",   "device-GRE",
                                              "normal-NC",     "normal-WB" };
    const struct acpi_iort_rmr_flags f = { acpi_iort_rmr_flags(node->p) };
    uint64_t memory = acpi_iort_rmr_flags_access_attributes(f);
    cJSON *rmr = fw_add_object(to->reserved);
    cJSON *flags = cJSON_AddArrayToObject(rmr, "flags");
    cJSON *regions = cJSON_AddArrayToObject(rmr, "regions");

    fw_add_flag(flags, acpi_iort_rmr_flags_remap_permitted(f),
                "REMAP_PERMITTED");
    fw_add_flag(flags, acpi_iort_rmr_flags_access_privilege(f), "PRIVILEGED");
    fw_add_text(rmr, "memory", "%s",
                memory <= IORT_RMR_NORMAL_IWB_OWB ? attributes[memory]
                                                  : "reserved");
    cJSON_AddBoolToObject(rmr, "usable", uim_iort_has_regions(table));
    for (uint32_t i = 0; i < uim_iort_region_count(node); i++)
        add_region(regions, node, i);
    return rmr;
}

static cJSON *describe_unknown(const struct uim_iort_node *node,
                               struct lists *to)
{
    cJSON *other = fw_add_object(to->other);

    cJSON_AddNumberToObject(other, "type", node->type);
    fw_add_hex(other, "offset", node->offset);
    cJSON_AddNumberToObject(other, "length", node->length);
    return other;
}

static cJSON *describe_node(const void *table, const struct uim_iort_node *node,
                            struct lists *to)
{
    switch (node->type) {
    case IORT_NODE_ITS_GROUP:
        return describe_its(node, to);
    case IORT_NODE_NAMED_COMPONENT:
        return describe_component(node, to);
    case IORT_NODE_PCI_ROOT_COMPLEX:
        return describe_root(node, to);
    case IORT_NODE_SMMU:
    case IORT_NODE_SMMU_V3:
        return describe_unit(table, node, to);
    case IORT_NODE_PMCG:
        return describe_pmcg(table, node, to);
    case IORT_NODE_RMR:
        return describe_rmr(table, node, to);
    default:
        return describe_unknown(node, to);
    }
}

void fw_iort_describe(cJSON *out, const void *table)
{
    struct uim_iort_node node = { 0 };
    struct lists to;
    char number[16];

    to.units = cJSON_GetObjectItemCaseSensitive(out, "units");
    to.reserved = cJSON_GetObjectItemCaseSensitive(out, "reserved");
    to.structures = cJSON_GetObjectItemCaseSensitive(out, "structures");
    to.roots = cJSON_AddArrayToObject(out, "root_complexes");
    to.components = cJSON_AddArrayToObject(out, "named_components");
    to.its = cJSON_AddArrayToObject(out, "its_groups");
    to.pmcg = cJSON_AddArrayToObject(out, "pmcgs");
    to.other = cJSON_AddArrayToObject(out, "other");
    while (uim_iort_next(table, &node)) {
        const char *name = uim_iort_name(node.type);

        snprintf(number, sizeof(number), "type%u", node.type);
        fw_count(to.structures, name ? name : number);
        add_mappings(describe_node(table, &node, &to), table, &node,
                     to.structures);
    }
}

/* ---- text ---------------------------------------------------------------- */

static void print_mapping(const cJSON *mapping)
{
    const char *ignored = fw_text(mapping, "ignored");

    if (fw_is_true(mapping, "own"))
        printf("    its own messages");
    else if (fw_is_true(mapping, "single"))
        printf("    one id");
    else
        printf("    ids %s - %s", fw_text(mapping, "first"),
               fw_text(mapping, "last"));
    printf(" -> %s, %s", fw_text(mapping, "output"), fw_text(mapping, "to"));
    printf("%s%s\n", *ignored ? ": IGNORED: " : "", ignored);
}

static void print_mappings(const cJSON *node)
{
    fw_print_each(node, "mappings", print_mapping);
}

static void print_interrupts(const cJSON *gsiv)
{
    printf("    interrupts: event %.0f, page request %.0f, error %.0f, "
           "command %.0f\n",
           fw_number(gsiv, "event"), fw_number(gsiv, "pri"),
           fw_number(gsiv, "gerr"), fw_number(gsiv, "sync"));
}

static void print_unit(const cJSON *unit)
{
    const cJSON *gsiv = cJSON_GetObjectItemCaseSensitive(unit, "gsiv");

    printf("  unit: %s at %s, model %.0f, registers at %s, %s bytes",
           fw_text(unit, "kind"), fw_text(unit, "offset"),
           fw_number(unit, "model"), fw_text(unit, "base"),
           fw_text(unit, "size"));
    fw_print_flags(unit);
    if (fw_is_true(unit, "coherent_override"))
        printf(", coherent");
    if (cJSON_HasObjectItem(unit, "proximity_domain"))
        printf(", in proximity domain %.0f",
               fw_number(unit, "proximity_domain"));
    printf("%s\n", fw_is_true(unit, "usable") ? "" : ": CANNOT BE USED");
    if (gsiv)
        print_interrupts(gsiv);
    print_mappings(unit);
}

static void print_properties(const cJSON *node)
{
    if (cJSON_HasObjectItem(node, "address_bits"))
        printf(", %.0f address bits", fw_number(node, "address_bits"));
    if (cJSON_HasObjectItem(node, "pasid_bits"))
        printf(", %.0f PASID bits", fw_number(node, "pasid_bits"));
    printf(", flags:");
    fw_print_flags(node);
    printf("\n");
    print_mappings(node);
}

static void print_root(const cJSON *root)
{
    printf("  root complex: segment %.0f", fw_number(root, "segment"));
    print_properties(root);
}

static void print_component(const cJSON *component)
{
    printf("  named component: %s", fw_text(component, "path"));
    print_properties(component);
}

static void print_its(const cJSON *its)
{
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(its, "identifiers");

    printf("  ITS group at %s:", fw_text(its, "offset"));
    for (const cJSON *id = fw_first(ids); id; id = id->next)
        printf(" %.0f", id->valuedouble);
    printf("\n");
    print_mappings(its);
}

static void print_pmcg(const cJSON *pmcg)
{
    printf("  performance counters of %s, registers at %s, interrupt %.0f\n",
           fw_text(pmcg, "of"), fw_text(pmcg, "page0"),
           fw_number(pmcg, "gsiv"));
    print_mappings(pmcg);
}

static void print_region(const cJSON *region)
{
    printf("    %s, %s bytes%s\n", fw_text(region, "base"),
           fw_text(region, "length"),
           fw_is_true(region, "usable") ? "" : ", IGNORED");
}

static void print_rmr(const cJSON *rmr)
{
    printf("  reserved: %s, flags:", fw_text(rmr, "memory"));
    fw_print_flags(rmr);
    printf("%s\n", fw_is_true(rmr, "usable") ? "" : ", IGNORED");
    fw_print_each(rmr, "regions", print_region);
    print_mappings(rmr);
}

static void print_other(const cJSON *other)
{
    printf("  node of type %.0f, not known, %.0f bytes at %s\n",
           fw_number(other, "type"), fw_number(other, "length"),
           fw_text(other, "offset"));
}

void fw_iort_print(const cJSON *table)
{
    fw_print_each(table, "units", print_unit);
    fw_print_each(table, "root_complexes", print_root);
    fw_print_each(table, "named_components", print_component);
    fw_print_each(table, "its_groups", print_its);
    fw_print_each(table, "pmcgs", print_pmcg);
    fw_print_each(table, "reserved", print_rmr);
    fw_print_each(table, "other", print_other);
}
