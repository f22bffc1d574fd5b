/* SPDX-License-Identifier: MIT */
/*
 * scenario_confine.c - the main story: firmware table in, every device confined, and
 * each promise shown by DMA.
 */
#include "tools/stage.h"

static const uint64_t OUTSIDE = UINT64_C(0x12365000);
static const uint64_t DOORBELL_IOVA = UINT64_C(0x12400000);
static const uint64_t GITS_TRANSLATER = 0x40; /* in its frame */

static bool blocked_at_first(struct stage *s)
{
    bool landed = stage_write_lands(s, s->phys);

    return stage_say(s,
                     "a device that nobody mapped anything for reaches nothing",
                     stage_refused(s, landed), "%s", stage_told(s));
}

static bool inside_lands(struct stage *s)
{
    static const char what[] = "DMA inside a mapping lands";
    enum uiommu_status status = stage_make_domain(s);
    bool wrote, read;

    if (status != UIOMMU_OK)
        return stage_say(s, what, false, "%s", uiommu_status_name(status));
    wrote = stage_write_lands(s, STAGE_IOVA + STAGE_PAGE / 2) == false &&
            stage_write_lands(s, STAGE_IOVA);
    read = stage_read_gets(s, STAGE_IOVA);
    return stage_say(s, what, wrote && read && s->faults == 0,
                     "%s at iova 0x%llx: write %s, read %s, memory at 0x%llx",
                     stage_name(s), (unsigned long long)STAGE_IOVA,
                     wrote ? "landed" : "lost", read ? "right" : "wrong",
                     (unsigned long long)s->phys);
}

static bool outside_is_blocked(struct stage *s)
{
    bool write = stage_refused(s, stage_write_lands(s, OUTSIDE));
    /* Units tell the page, or each part of the access. */
    bool right = write && s->fault.has_iova &&
                 s->fault.iova / STAGE_PAGE == OUTSIDE / STAGE_PAGE;
    bool read;

    stage_say(s, "DMA outside is blocked and explained", right, "%s",
              stage_told(s));
    read = stage_refused(s, stage_read_gets(s, OUTSIDE)) &&
           s->fault.access == UIOMMU_READ;
    return stage_say(s, "so is a read", read, "%s", stage_told(s));
}

static bool remap(struct stage *s, unsigned flags)
{
    uint64_t gone;

    return uiommu_unmap(s->domain, STAGE_IOVA, STAGE_PAGE, &gone) ==
               UIOMMU_OK &&
           gone == STAGE_PAGE &&
           uiommu_map(s->domain, STAGE_IOVA, s->phys, STAGE_PAGE, flags) ==
               UIOMMU_OK;
}

static bool read_only_is(struct stage *s)
{
    static const char what[] = "a page mapped for reading cannot be written";
    bool mapped = remap(s, UIOMMU_READ);
    /* The write first: QEMU (10.0) records no fault for a write that hits an
     * entry which a read brought into its IOTLB. */
    bool refused = mapped && stage_refused(s, stage_write_lands(s, STAGE_IOVA));
    char sentence[sizeof(s->sentence)];

    memcpy(sentence, stage_told(s), strlen(stage_told(s)) + 1);
    return stage_say(s, what, refused && stage_read_gets(s, STAGE_IOVA), "%s",
                     sentence);
}

static bool unmapped_is_unreachable(struct stage *s)
{
    static const char what[] = "after unmap the page is unreachable";
    enum uiommu_status status = UIOMMU_INVAL;
    bool refused;

    if (remap(s, UIOMMU_READ | UIOMMU_WRITE) &&
        stage_write_lands(s, STAGE_IOVA))
        status = uiommu_unmap(s->domain, STAGE_IOVA, STAGE_PAGE, NULL);
    refused = stage_refused(s, stage_write_lands(s, STAGE_IOVA));
    return stage_say(s, what, status == UIOMMU_OK && refused, "%s",
                     stage_told(s));
}

static bool other_engine(struct stage *s)
{
    for (unsigned i = s->engine + 1; i < s->n_devices; i++) {
        if (!s->m->devices[i].engine)
            continue;
        s->engine = i;
        return true;
    }
    return false;
}

/* What one device may reach is no business of another. */
static bool others_are_apart(struct stage *s)
{
    static const char what[] = "another device does not reach it";
    unsigned first = s->engine;
    bool mine, theirs;

    if (!other_engine(s))
        return stage_say(s, what, false, "the machine has one engine only");
    theirs = stage_refused(s, stage_write_lands(s, STAGE_IOVA));
    stage_say(s, what, theirs, "%s", stage_told(s));
    s->engine = first;
    mine = uiommu_map(s->domain, STAGE_IOVA, s->phys, STAGE_PAGE,
                      UIOMMU_READ | UIOMMU_WRITE) == UIOMMU_OK &&
           stage_write_lands(s, STAGE_IOVA);
    return stage_say(s, "while the first still does", mine, "%s at 0x%llx",
                     stage_name(s), (unsigned long long)STAGE_IOVA);
}

static bool identity_is(struct stage *s)
{
    enum uiommu_status status =
        uiommu_set_domain(stage_endpoint(s), uiommu_identity(s->u), NULL);
    bool landed = status == UIOMMU_OK && stage_write_lands(s, s->phys);
    bool got = status == UIOMMU_OK && stage_read_gets(s, s->phys);

    return stage_say(s, "identity passes addresses as they are", landed && got,
                     "%s: %s at 0x%llx", uiommu_status_name(status),
                     stage_name(s), (unsigned long long)s->phys);
}

static bool blocked_is(struct stage *s)
{
    enum uiommu_status status =
        uiommu_set_domain(stage_endpoint(s), uiommu_blocked(s->u), NULL);
    bool landed = stage_write_lands(s, s->phys);

    return stage_say(s, "blocked blocks",
                     status == UIOMMU_OK && stage_refused(s, landed), "%s",
                     stage_told(s));
}

/* ---- interrupts ------------------------------------------------------------------ */

/* The engine sends it; did an interrupt arrive? */
static bool message_arrives(struct stage *s,
                            const struct uiommu_irq_message *message,
                            struct uiommu_irq_target *got)
{
    bool sent, arrived;

    stage_forget_faults(s);
    sent = machine_send_irq(s->m, s->engine, message->addr, message->data) ==
           MACHINE_DMA_DONE;
    arrived = sent && machine_take_irq(s->m, got);
    stage_collect_faults(s);
    return arrived;
}

static bool mapped_arrives(struct stage *s, const char *what,
                           const struct uiommu_irq_message *message,
                           const struct uiommu_irq_target *target)
{
    struct uiommu_irq_target got = { 0 };
    bool arrived = message_arrives(s, message, &got);

    return stage_say(s, what,
                     arrived && got.vector == target->vector &&
                         got.destination == target->destination,
                     "%s: message %llxh arrived %s %s %02xh of %s %u",
                     stage_name(s), (unsigned long long)message->addr,
                     arrived ? "as" : "not at all, not as",
                     s->remaps ? "vector" : "EventID", target->vector,
                     s->remaps ? "APIC" : "DeviceID",
                     (unsigned)target->destination);
}

static bool message_is_refused(struct stage *s, const char *what,
                               enum uiommu_status status,
                               const struct uiommu_irq_message *message)
{
    struct uiommu_irq_target got;
    bool arrived = message_arrives(s, message, &got);

    return stage_say(s, what, status == UIOMMU_OK && stage_refused(s, arrived),
                     "%s", stage_told(s));
}

static bool remapped_interrupts_are(struct stage *s)
{
    const struct uiommu_irq_target target = { .vector = 0x41 };
    struct uiommu_irq_message message, forged;
    struct uiommu_irq *irq;
    enum uiommu_status status =
        uiommu_irq_map(stage_endpoint(s), &target, 1, &irq);

    if (status != UIOMMU_OK)
        return stage_say(s, "an interrupt is mapped", false, "%s",
                         uiommu_status_name(status));
    uiommu_irq_message(irq, &message);
    forged = message;
    forged.addr += 0x20; /* the next entry */
    mapped_arrives(s, "an interrupt goes where it was mapped", &message,
                   &target);
    message_is_refused(s, "one that was not mapped is refused and explained",
                       status, &forged);
    status = uiommu_irq_unmap(irq);
    return message_is_refused(s, "and so is it once it is unmapped", status,
                              &message);
}

/* The first one. */
static void find_doorbell(void *ctx, const struct uiommu_region *region)
{
    struct uiommu_region *found = ctx;

    if (region->kind == UIOMMU_REGION_DOORBELL && found->last == 0)
        *found = *region;
}

static uint32_t requester_id(const struct stage *s)
{
    const struct uiommu_pci pci = s->m->devices[s->engine].pci;

    return (uint32_t)pci.bus << 8 | pci.devfn;
}

/* Where no unit remaps interrupts they are writes like any other. */
static bool messages_are_writes(struct stage *s)
{
    const struct uiommu_irq_target target = { .vector = 0x41,
                                              .destination = requester_id(s) };
    const struct uiommu_irq_message message = {
        .addr = DOORBELL_IOVA + GITS_TRANSLATER,
        .data = target.vector,
    };
    struct uiommu_region doorbell = { 0 };
    enum uiommu_status status =
        uiommu_regions(stage_endpoint(s), find_doorbell, &doorbell);
    uint64_t size = doorbell.last - doorbell.start + 1;

    if (status != UIOMMU_OK || doorbell.last == 0)
        return stage_say(s, "firmware says where interrupts go", false, "%s",
                         uiommu_status_name(status));
    message_is_refused(s, "an interrupt to no mapped doorbell is refused",
                       UIOMMU_OK, &message);
    status = uiommu_map(s->domain, DOORBELL_IOVA, doorbell.start, size,
                        UIOMMU_WRITE | UIOMMU_MMIO);
    if (status != UIOMMU_OK)
        return stage_say(s, "the doorbell is mapped", false, "%s",
                         uiommu_status_name(status));
    mapped_arrives(s, "an interrupt to the mapped doorbell arrives", &message,
                   &target);
    status = uiommu_unmap(s->domain, DOORBELL_IOVA, size, NULL);
    return message_is_refused(s, "and not once it is unmapped", status,
                              &message);
}

static bool interrupts_are(struct stage *s)
{
    if (!s->remaps)
        return messages_are_writes(s);
    return remapped_interrupts_are(s);
}

void scenario_confine(struct stage *s)
{
    static bool (*const steps[])(struct stage *) = {
        blocked_at_first,
        inside_lands,
        outside_is_blocked,
        read_only_is,
        unmapped_is_unreachable,
        others_are_apart,
        interrupts_are,
        identity_is,
        blocked_is,
    };
    bool go = stage_start(s) && stage_add_devices(s);

    for (size_t i = 0; go && i < sizeof(steps) / sizeof(steps[0]); i++)
        (void)steps[i](s);
}
