/* SPDX-License-Identifier: MIT */
/*
 * board_virt.c - QEMU's own Arm machine with SMMUv3. Interrupts of devices are messages
 * to the GIC's ITS, those of the unit are wires to the GIC.
 *
 * From virt-9.2 on the machine sets the unit's stages whatever its options say.
 */
#include <stdio.h>

#include "hosts/qtest/board.h"

/* As the ITS sees it, before it looks at tables that nobody made. */
static bool take_irq(struct qt_log *log, const char *line)
{
    unsigned event, device;

    if (sscanf(line,
               "gicv3_its_translation_write GICv3 ITS TRANSLATER write: "
               "offset 0x40 data 0x%x size %*u requester_id 0x%x",
               &event, &device) != 2) {
        return false;
    }
    qt_log_add_irq(log, (struct uiommu_irq_target){ .vector = (uint8_t)event,
                                                    .destination = device });
    return true;
}

/* 0 is the event queue, 1 the PRI queue, 2 CMD_SYNC, 3 GERROR. */
static bool take_wire(struct qt_log *log, const char *line)
{
    unsigned n;

    if (sscanf(line, "smmuv3_trigger_irq irq=%u", &n) != 1 || n >= 32) {
        return false;
    }
    qt_log_add_wire(log, n);
    return true;
}

static const struct qt_event events[] = {
    { "smmuv3_record_event", NULL },
    { "smmuv3_translate_abort", NULL },
    { "smmuv3_trigger_irq", take_wire },
    { "gicv3_its_translation_write", take_irq },
    { 0 },
};

static const struct qt_mode modes[] = {
    { "nested", "virt,gic-version=3,iommu=smmuv3", NULL },
    { "stage1", "virt-9.1,gic-version=3,iommu=smmuv3", "stage=1" },
    { "stage2", "virt-9.1,gic-version=3,iommu=smmuv3", "stage=2" },
    { 0 },
};

const struct qt_board qt_board_virt = {
    .iommu = "smmuv3",
    .name = "qemu:smmuv3",
    .binary = "qemu-system-aarch64",
    .cpu = "cortex-a57",
    .halt = 0x17ffffffd503207f, /* wfi; b .-4 */
    .modes = modes,
    .events = events,
    .ram = 0x40000000,
    .bars = 0x10000000,
    .ecam = 0x4010000000,
    .fw_cfg = 0x09020010,
    .unit = "arm-smmuv3",
    .unit_base = 0x09050000,
    .unit_size = 0x20000,
    .table = "IORT",
};
