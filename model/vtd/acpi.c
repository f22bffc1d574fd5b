/* SPDX-License-Identifier: MIT */
/*
 * DMAR (chapter 8): one unit for everything on segment 0, the I/O APIC as a
 * requester behind it, and ATS at every root port if the unit takes it.
 *
 * The host address width says how wide addresses may be in tables, and that is
 * the unit's own width: 39 or 48, or 52 where bits=57, because paging entries
 * hold no more.
 */
#include "model/vtd/vtd.h"

#include "model/table.h"
#include "spec/dmar.h"

static void add_scope(struct uim_table *t, const struct mvtd_args *a)
{
    size_t at = uim_table_add(t, DMAR_DEVICE_SCOPE_SIZE + DMAR_PATH_ENTRY_SIZE);
    size_t path = at + acpi_dmar_device_scope_path_OFFSET;

    uim_table_put(t, at + acpi_dmar_device_scope_type_OFFSET, 1,
                  DMAR_SCOPE_IOAPIC);
    uim_table_put(t, at + acpi_dmar_device_scope_length_OFFSET, 1,
                  DMAR_DEVICE_SCOPE_SIZE + DMAR_PATH_ENTRY_SIZE);
    uim_table_put(t, at + acpi_dmar_device_scope_enumeration_id_OFFSET, 1,
                  a->common.ioapic_id);
    uim_table_put(t, at + acpi_dmar_device_scope_start_bus_OFFSET, 1,
                  a->common.ioapic_rid >> 8);
    uim_table_put(t, path + acpi_dmar_path_entry_device_OFFSET, 1,
                  (a->common.ioapic_rid >> 3) & 31);
    uim_table_put(t, path + acpi_dmar_path_entry_function_OFFSET, 1,
                  a->common.ioapic_rid & 7);
}

static void add_drhd(struct uim_table *t, const struct mvtd_args *a)
{
    size_t at = uim_table_add(t, DMAR_DRHD_SIZE);
    uint64_t all =
        acpi_dmar_drhd_flags_pack(
            &(struct acpi_dmar_drhd_flags_fields){ .include_pci_all = 1 })
            .raw;

    uim_table_put(t, at + acpi_dmar_drhd_type_OFFSET, 2, DMAR_DRHD);
    uim_table_put(t, at + acpi_dmar_drhd_flags_OFFSET, 1, all);
    uim_table_put(t, at + acpi_dmar_drhd_register_base_OFFSET, 8,
                  a->common.base ? a->common.base : MVTD_PREFERRED_BASE);
    add_scope(t, a);
    uim_table_put(t, at + acpi_dmar_drhd_length_OFFSET, 2, t->len - at);
}

static void add_atsr(struct uim_table *t)
{
    size_t at = uim_table_add(t, DMAR_ATSR_SIZE);
    uint64_t all = acpi_dmar_atsr_flags_pack(
                       &(struct acpi_dmar_atsr_flags_fields){ .all_ports = 1 })
                       .raw;

    uim_table_put(t, at + acpi_dmar_atsr_type_OFFSET, 2, DMAR_ATSR);
    uim_table_put(t, at + acpi_dmar_atsr_length_OFFSET, 2, DMAR_ATSR_SIZE);
    uim_table_put(t, at + acpi_dmar_atsr_flags_OFFSET, 1, all);
}

size_t mvtd_acpi(struct uim_model *model, void *buf, size_t size)
{
    const struct mvtd *m = mvtd_of(model);
    struct uim_table t;

    uim_table_begin(&t, "DMAR", 1, DMAR_SIZE);
    uim_table_put(&t, acpi_dmar_host_address_width_OFFSET, 1, m->haw - 1u);
    uim_table_put(&t, acpi_dmar_flags_OFFSET, 1,
                  acpi_dmar_flags_pack(&(struct acpi_dmar_flags_fields){
                                           .intr_remap = m->args.ir })
                      .raw);
    add_drhd(&t, &m->args);
    if (m->args.dt)
        add_atsr(&t);
    return uim_table_end(&t, buf, size);
}
