/* SPDX-License-Identifier: MIT */
/*
 * arch_smmuv3.c - what is SMMUv3's of a machine: how its unit runs, and what firmware
 * says of it in the IORT besides the model's own table: an RMR node for each region, and
 * where messages go, with the MADT (spec/acpi.md section 4).
 */
#include "private.h"

#include <stdio.h>
#include <string.h>

#include "spec/iort.h"

#define ITS_BASE (SIM_DOORBELL - GITS_TRANSLATER_FRAME)

enum {
    ITS_GROUP_REVISION = 1,
    ITS_GROUP_BYTES = IORT_ITS_GROUP_SIZE + IORT_ITS_IDENTIFIER_SIZE,
    ITS_ID = 1,
    MADT_REVISION = 6,
    RMR_REVISION = 3,
    RMR_BYTES = IORT_RMR_SIZE + IORT_RMR_DESCRIPTOR_SIZE + IORT_ID_MAPPING_SIZE,
};

/* ---- the unit ------------------------------------------------------------ */

static int args(const struct sim_config *config, char *buf, size_t size)
{
    return snprintf(buf, size,
                    "base=0x%llx,stage=%d,coherent=%d,cache=%s,ats=%d,pri=%d",
                    (unsigned long long)sim_arch_smmuv3.base,
                    config->mode == SIM_STAGE_2 ? 2 : 1, !config->non_coherent,
                    config->adversarial ? "adversarial" : "normal", config->ats,
                    config->pri);
}

/* CR0, GBPA, IRQ_CTRL and CMDQ_PROD set something off, GERRORN acknowledges. */
static uint32_t rubbish(uint64_t off, uint32_t value, bool *skip)
{
    *skip =
        off == 0x20 || off == 0x44 || off == 0x50 || off == 0x64 || off == 0x98;
    return value;
}

/* ---- the table ----------------------------------------------------------- */

static uint64_t get32(const uint8_t *p)
{
    return sim_table_get16(p) | (uint64_t)sim_table_get16(p + 2) << 16;
}

/* The model has one unit: where its node is. */
static uint64_t unit_node(const struct sim *s)
{
    uint64_t at = get32(s->table + acpi_iort_node_offset_OFFSET);

    while (at + IORT_NODE_HEADER_SIZE <= s->table_size &&
           s->table[at] != IORT_NODE_SMMU_V3) {
        at += sim_table_get16(s->table + at +
                              acpi_iort_node_header_length_OFFSET);
    }
    return at;
}

static void put_region(uint8_t *p, const struct sim_region *region)
{
    sim_table_put(p + acpi_iort_rmr_descriptor_base_address_OFFSET, 8,
                  region->start);
    sim_table_put(p + acpi_iort_rmr_descriptor_length_OFFSET, 8, region->size);
}

/* Of one id: the count is one less. */
static void put_mapping(uint8_t *p, const struct sim_func *f, uint64_t unit)
{
    sim_table_put(p + acpi_iort_id_mapping_output_base_OFFSET, 4,
                  (uint64_t)f->bus << 8 | f->row.devfn);
    sim_table_put(p + acpi_iort_id_mapping_output_reference_OFFSET, 4, unit);
}

static bool add_rmr(struct sim *s, const struct sim_region *region)
{
    const struct acpi_iort_rmr_flags_fields flags = {
        .access_attributes = IORT_RMR_NORMAL_IWB_OWB,
    };
    uint8_t p[RMR_BYTES] = { IORT_NODE_RMR };
    uint8_t *count = s->table + acpi_iort_node_count_OFFSET;
    const unsigned descriptor = IORT_RMR_SIZE;
    const unsigned mapping = descriptor + IORT_RMR_DESCRIPTOR_SIZE;

    sim_table_put(count, 4, get32(count) + 1);
    sim_table_put(p + acpi_iort_node_header_length_OFFSET, 2, sizeof(p));
    p[acpi_iort_node_header_revision_OFFSET] = RMR_REVISION;
    sim_table_put(p + acpi_iort_node_header_identifier_OFFSET, 4,
                  get32(count) - 1);
    sim_table_put(p + acpi_iort_node_header_mapping_count_OFFSET, 4, 1);
    sim_table_put(p + acpi_iort_node_header_mapping_offset_OFFSET, 4, mapping);
    sim_table_put(p + acpi_iort_rmr_flags_OFFSET, 4,
                  acpi_iort_rmr_flags_pack(&flags).raw);
    sim_table_put(p + acpi_iort_rmr_rmr_count_OFFSET, 4, 1);
    sim_table_put(p + acpi_iort_rmr_rmr_offset_OFFSET, 4, descriptor);
    put_region(p + descriptor, region);
    put_mapping(p + mapping, &s->pci.func[region->function], unit_node(s));
    return sim_table_insert(s, s->table_size, p, sizeof(p));
}

static bool add_its(struct sim *s)
{
    uint8_t p[ITS_GROUP_BYTES] = { IORT_NODE_ITS_GROUP };
    uint8_t *count = s->table + acpi_iort_node_count_OFFSET;

    sim_table_put(count, 4, get32(count) + 1);
    sim_table_put(p + acpi_iort_node_header_length_OFFSET, 2, sizeof(p));
    p[acpi_iort_node_header_revision_OFFSET] = ITS_GROUP_REVISION;
    sim_table_put(p + acpi_iort_node_header_identifier_OFFSET, 4,
                  get32(count) - 1);
    sim_table_put(p + acpi_iort_its_group_its_count_OFFSET, 4, 1);
    sim_table_put(p + acpi_iort_its_group_identifiers_OFFSET, 4, ITS_ID);
    return sim_table_insert(s, s->table_size, p, sizeof(p));
}

/* Stream ids are DeviceIDs. Of the nodes behind the unit's only the group's is
 * referred to. */
static bool map_to_its(struct sim *s)
{
    const uint64_t unit = unit_node(s);
    uint8_t *node = s->table + unit;
    const unsigned length =
        sim_table_get16(node + acpi_iort_node_header_length_OFFSET);
    uint8_t p[IORT_ID_MAPPING_SIZE] = { 0 };

    sim_table_put(node + acpi_iort_node_header_length_OFFSET, 2,
                  length + sizeof(p));
    sim_table_put(node + acpi_iort_node_header_mapping_count_OFFSET, 4, 1);
    sim_table_put(node + acpi_iort_node_header_mapping_offset_OFFSET, 4,
                  length);
    sim_table_put(p + acpi_iort_id_mapping_id_count_OFFSET, 4, 0xffff);
    sim_table_put(p + acpi_iort_id_mapping_output_reference_OFFSET, 4,
                  s->table_size + sizeof(p) - ITS_GROUP_BYTES);
    return sim_table_insert(s, (size_t)unit + length, p, sizeof(p));
}

static void make_madt(struct sim *s)
{
    uint8_t *its = s->madt + MADT_SIZE;

    memcpy(s->madt, "APIC", 4);
    s->madt[acpi_header_revision_OFFSET] = MADT_REVISION;
    its[acpi_madt_header_type_OFFSET] = MADT_GIC_ITS;
    its[acpi_madt_header_length_OFFSET] = MADT_GIC_ITS_SIZE;
    sim_table_put(its + acpi_madt_gic_its_its_id_OFFSET, 4, ITS_ID);
    sim_table_put(its + acpi_madt_gic_its_base_address_OFFSET, 8, ITS_BASE);
    sim_table_seal(s->madt, sizeof(s->madt));
}

static bool complete(struct sim *s, const struct sim_config *config)
{
    if (s->table_size < IORT_SIZE) {
        return config->n_regions == 0 && !config->its;
    }
    if (config->its) {
        if (!add_its(s) || !map_to_its(s)) {
            return false;
        }
        make_madt(s);
        s->its = true;
    }
    for (unsigned i = 0; i < config->n_regions; i++) {
        if (!add_rmr(s, &config->regions[i])) {
            return false;
        }
    }
    return true;
}

const struct sim_arch sim_arch_smmuv3 = {
    .model = "smmuv3",
    .base = UINT64_C(0xfed00000),
    .args = args,
    .rubbish = rubbish,
    .complete = complete,
};
