/* SPDX-License-Identifier: MIT */
/*
 * Where interrupt messages of devices go: IORT leads from a device to a group of ITSs,
 * the MADT says where these are. The doorbell of an ITS is the frame that has its
 * GITS_TRANSLATER.
 */
#include "fw/iort.h"

#include "fw/madt.h"
#include "fw/say.h"

static void review_group(const struct uim_iort_node *its, const void *madt,
                         const struct uim_fw_log *log)
{
    uint64_t base;

    for (uint32_t i = 0; i < uim_iort_its_count(its); i++) {
        uint32_t id = uim_iort_its_identifier(its, i);

        if (!uim_madt_its(madt, id, &base))
            uim_fw_say(log, UIOMMU_LOG_WARN,
                       "IORT: ITS at 0x%x: the MADT does not say where ITS %u "
                       "is: its doorbell is not known",
                       its->offset, id);
    }
}

/* Each doorbell of a group is asked for by itself, and each id that is passed over for
 * it is looked for in the MADT. */
static enum uiommu_status check_work(const void *table, const void *madt,
                                     const struct uim_fw_log *log)
{
    struct uim_iort_node node = { 0 };
    uint64_t asked = 0;

    while (uim_iort_next(table, &node)) {
        if (node.type == IORT_NODE_ITS_GROUP)
            asked +=
                (uint64_t)uim_iort_its_count(&node) * uim_iort_its_count(&node);
    }
    if (asked * uim_madt_structures(madt) <= UIM_MADT_WORK_MAX)
        return UIOMMU_OK;
    uim_fw_say(log, UIOMMU_LOG_ERROR,
               "IORT: more ITSs than the MADT can be searched for");
    return UIOMMU_INVAL;
}

enum uiommu_status uim_iort_check_madt(const void *table, const void *madt,
                                       size_t size,
                                       const struct uim_fw_log *log)
{
    struct uim_iort_node node = { 0 };
    enum uiommu_status status = UIOMMU_OK;
    bool any = false;

    if (madt)
        status = uim_madt_check(madt, size, log);
    if (madt && !status)
        status = check_work(table, madt, log);
    while (!status && uim_iort_next(table, &node)) {
        if (node.type != IORT_NODE_ITS_GROUP)
            continue;
        any = true;
        if (madt)
            review_group(&node, madt, log);
    }
    if (any && !madt)
        uim_fw_say(log, UIOMMU_LOG_WARN,
                   "IORT: interrupt messages go to ITSs, and without the MADT "
                   "(\"APIC\") it is not known where these are: no doorbell is "
                   "reported");
    return status;
}

enum uiommu_status uim_iort_doorbell(const void *table, const void *madt,
                                     const struct uim_fw_device *device,
                                     unsigned index, struct uim_fw_region *out)
{
    struct uim_iort_hop hop;
    uint64_t base;

    if (!madt || uim_iort_its(table, device, &hop))
        return UIOMMU_NOENT;
    for (uint32_t i = 0; i < uim_iort_its_count(&hop.node); i++) {
        uint32_t id = uim_iort_its_identifier(&hop.node, i);

        if (!uim_madt_its(madt, id, &base) || index-- > 0)
            continue;
        *out = (struct uim_fw_region){
            .start = base + GITS_TRANSLATER_FRAME,
            .last =
                base + GITS_TRANSLATER_FRAME + (GITS_TRANSLATER_FRAME_SIZE - 1),
            .flags = UIOMMU_WRITE | UIOMMU_MMIO,
        };
        return UIOMMU_OK;
    }
    return UIOMMU_NOENT;
}

/* An ITS looks messages up by their DeviceID. Whatever else may receive them, such as a
 * GICv2m frame, takes any that reach it. */
bool uim_iort_isolates_messages(const void *table,
                                const struct uim_fw_device *device)
{
    struct uim_iort_hop hop;

    return uim_iort_its(table, device, &hop) == UIOMMU_OK &&
           uim_iort_its_count(&hop.node) > 0;
}
