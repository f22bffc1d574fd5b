/* SPDX-License-Identifier: MIT */
/*
 * board_q35.c - a PC with intel-iommu. Interrupts are messages to local APICs, those
 * of the unit as well.
 */
#include <stdio.h>

#include "hosts/qtest/board.h"

static bool take_message(struct qt_log *log, const char *line)
{
    unsigned long long out;

    if (sscanf(line,
               "vtd_ir_remap_msi (addr %*x, data %*x) -> (addr 0x%llx, data",
               &out) != 1) {
        return false;
    }
    log->message = out;
    return true;
}

/* That it arrived is what the APIC says. It names 8 bits of the destination (QEMU
 * 10.0) and no hint: those are in the message, which comes right before.     */
static bool take_irq(struct qt_log *log, const char *line)
{
    int dest, logical, delivery, vector, level;

    if (sscanf(line,
               "apic_deliver_irq dest %d dest_mode %d delivery_mode %d "
               "vector %d trigger_mode %d",
               &dest, &logical, &delivery, &vector, &level) != 5) {
        return false;
    }
    qt_log_add_irq(
        log, (struct uiommu_irq_target){
                 .destination = (uint32_t)dest |
                                (uint32_t)(log->message >> 32 & 0xffffff00),
                 .hint = log->message >> 3 & 1,
                 .vector = (uint8_t)vector,
                 .delivery = (uint8_t)delivery,
                 .logical = logical != 0,
                 .level = level != 0,
             });
    log->message = 0;
    return true;
}

static bool take_iec(struct qt_log *log, const char *line)
{
    unsigned granularity, index, mask;

    if (sscanf(line, "vtd_inv_desc_iec granularity %x index %x mask %x",
               &granularity, &index, &mask) != 3) {
        return false;
    }
    qt_log_add_iec(log, (struct qtest_iec){ granularity == 0, index, mask });
    return true;
}

static const struct qt_event events[] = {
    { "vtd_dmar_fault", NULL }, /* refusals */
    { "vtd_fault_disabled", NULL },
    { "vtd_ir_remap_msi", take_message },
    { "apic_deliver_irq", take_irq },
    { "vtd_inv_desc_iec", take_iec },
    { 0 },
};

static const struct qt_mode modes[] = {
    { "legacy", "q35", NULL },
    { "scalable", "q35", "x-scalable-mode=on" },
    { "first-stage", "q35", "x-scalable-mode=on,x-flts=on" },
    { 0 },
};

const struct qt_board qt_board_q35 = {
    .iommu = "intel-iommu",
    .name = "qemu:intel-iommu",
    .binary = "qemu-system-x86_64",
    .halt = 0xf4f4f4f4f4f4f4f4, /* hlt, with interrupts off as after reset */
    .modes = modes,
    .events = events,
    .ram = 0,
    .bars = 0xe0000000,
    .ecam = 0xb0000000,
    .ecam_off = true,
    .fw_cfg = 0x514,
    .fw_cfg_port = true,
    .unit = "intel-iommu",
    .unit_is_device = true,
    .unit_base = 0xfed90000,
    .unit_size = 0x1000,
    .unit_msi = true,
    .table = "DMAR",
    .ioapic = "/machine/q35/ioapic",
};
