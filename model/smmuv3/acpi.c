/* SPDX-License-Identifier: MIT */
/*
 * IORT (Arm DEN0049): one unit, and the root complex of segment 0 in front of it,
 * whose requester ids are its stream ids. Where messages go, ITS groups, is the
 * machine's business: this table has none.
 */
#include "model/smmuv3/smmuv3.h"

#include "model/table.h"
#include "spec/iort.h"

enum { TABLE_REVISION = 6, UNIT_REVISION = 5, ROOT_COMPLEX_REVISION = 4 };

static void put_header(struct uim_table *t, size_t at, unsigned type,
                       unsigned revision, unsigned identifier)
{
    uim_table_put(t, at + acpi_iort_node_header_type_OFFSET, 1, type);
    uim_table_put(t, at + acpi_iort_node_header_revision_OFFSET, 1, revision);
    uim_table_put(t, at + acpi_iort_node_header_identifier_OFFSET, 4,
                  identifier);
}

static void end_node(struct uim_table *t, size_t at)
{
    uim_table_put(t, at + acpi_iort_node_header_length_OFFSET, 2, t->len - at);
}

/* 0: that line is not wired. */
static uint64_t gsiv(const struct msmmu *m, enum msmmu_line line)
{
    return m->args.common.irq ? m->args.common.irq + line : 0;
}

static size_t add_unit(struct uim_table *t, const struct msmmu *m)
{
    const struct msmmu_args *a = &m->args;
    size_t at = uim_table_add(t, IORT_SMMU_V3_SIZE_1);

    put_header(t, at, IORT_NODE_SMMU_V3, UNIT_REVISION, 0);
    uim_table_put(t, at + acpi_iort_smmu_v3_base_address_OFFSET, 8,
                  a->common.base ? a->common.base : MSMMU_PREFERRED_BASE);
    uim_table_put(t, at + acpi_iort_smmu_v3_model_OFFSET, 4,
                  IORT_SMMU_V3_MODEL_GENERIC);
    uim_table_put(t, at + acpi_iort_smmu_v3_event_gsiv_OFFSET, 4,
                  gsiv(m, MSMMU_LINE_EVENT));
    uim_table_put(t, at + acpi_iort_smmu_v3_pri_gsiv_OFFSET, 4,
                  gsiv(m, MSMMU_LINE_PAGE_REQUEST));
    uim_table_put(t, at + acpi_iort_smmu_v3_gerr_gsiv_OFFSET, 4,
                  gsiv(m, MSMMU_LINE_GERROR));
    uim_table_put(t, at + acpi_iort_smmu_v3_sync_gsiv_OFFSET, 4,
                  gsiv(m, MSMMU_LINE_SYNC));
    end_node(t, at);
    return at;
}

/* Every requester id that the unit has a stream for. */
static void add_mapping(struct uim_table *t, size_t node, size_t unit,
                        uint64_t sidsize)
{
    unsigned bits = sidsize < 16 ? (unsigned)sidsize : 16;
    size_t at = uim_table_add(t, IORT_ID_MAPPING_SIZE);

    uim_table_put(t, node + acpi_iort_node_header_mapping_count_OFFSET, 4, 1);
    uim_table_put(t, node + acpi_iort_node_header_mapping_offset_OFFSET, 4,
                  at - node);
    uim_table_put(t, at + acpi_iort_id_mapping_id_count_OFFSET, 4,
                  UIM_BIT(bits) - 1);
    uim_table_put(t, at + acpi_iort_id_mapping_output_reference_OFFSET, 4,
                  unit);
}

static uint64_t ats_attribute(const struct msmmu_args *a)
{
    return acpi_iort_root_complex_ats_pack(
               &(struct acpi_iort_root_complex_ats_fields){
                   .ats_supported = a->ats,
                   .pri_supported = a->pri,
                   .pasid_fwd_supported = a->ssidsize != 0 })
        .raw;
}

static uint64_t coherent_memory(void)
{
    return acpi_iort_memory_access_flags_pack(
               &(struct acpi_iort_memory_access_flags_fields){ .cpm = 1,
                                                               .dacs = 1 })
        .raw;
}

static void add_root_complex(struct uim_table *t, const struct msmmu *m,
                             size_t unit)
{
    const struct msmmu_args *a = &m->args;
    size_t at = uim_table_add(t, IORT_ROOT_COMPLEX_SIZE_4);
    size_t memory = at + acpi_iort_root_complex_memory_properties_OFFSET;

    put_header(t, at, IORT_NODE_PCI_ROOT_COMPLEX, ROOT_COMPLEX_REVISION, 1);
    uim_table_put(t, memory + acpi_iort_memory_access_cache_coherency_OFFSET, 4,
                  1);
    uim_table_put(t, memory + acpi_iort_memory_access_memory_flags_OFFSET, 1,
                  coherent_memory());
    uim_table_put(t, at + acpi_iort_root_complex_ats_attribute_OFFSET, 4,
                  ats_attribute(a));
    uim_table_put(t, at + acpi_iort_root_complex_memory_address_limit_OFFSET, 1,
                  64);
    uim_table_put(t, at + acpi_iort_root_complex_pasid_capabilities_OFFSET, 2,
                  a->ssidsize);
    uim_table_put(t, at + acpi_iort_root_complex_flags_OFFSET, 4,
                  a->ssidsize != 0);
    add_mapping(t, at, unit, a->sidsize);
    end_node(t, at);
}

size_t msmmu_acpi(struct uim_model *model, void *buf, size_t size)
{
    const struct msmmu *m = msmmu_of(model);
    struct uim_table t;
    size_t unit;

    uim_table_begin(&t, "IORT", TABLE_REVISION, IORT_SIZE);
    uim_table_put(&t, acpi_iort_node_count_OFFSET, 4, 2);
    uim_table_put(&t, acpi_iort_node_offset_OFFSET, 4, IORT_SIZE);
    unit = add_unit(&t, m);
    add_root_complex(&t, m, unit);
    return uim_table_end(&t, buf, size);
}
