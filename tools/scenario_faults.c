/* SPDX-License-Identifier: MIT */
/*
 * scenario_faults.c - what a person hears of a device that goes astray: when its buffer was
 * unmapped, and by whom; and once, that it was shut off because it does not stop.
 */
#include "tools/stage.h"

/* More than one write of a block comes to where each part of it is a fault. */
enum { BUDGET = 150, EVENTS = 64, MANY = 3 * BUDGET, MORE = 3 };

static const uint64_t NEVER_IOVA = STAGE_IOVA + 16 * STAGE_PAGE;

static bool ready(struct stage *s)
{
    const struct uiommu_domain_config config = { .size = sizeof(config),
                                                 .events = EVENTS };
    enum uiommu_status status = stage_make_domain_with(s, &config);

    if (status != UIOMMU_OK)
        return stage_say(s, "a domain that remembers", false, "%s",
                         uiommu_status_name(status));
    uiommu_recorder_tag(s->domain, "the driver's receive path");
    return true;
}

/* Faults are counted from here. */
static bool write_anew(struct stage *s, uint64_t iova)
{
    return uiommu_device_rearm(s->device[s->engine]) != UIOMMU_OK ||
           stage_write_lands(s, iova);
}

static bool remembers(struct stage *s)
{
    enum uiommu_status status =
        uiommu_unmap(s->domain, STAGE_IOVA, STAGE_PAGE, NULL);
    bool landed = write_anew(s, STAGE_IOVA);

    return stage_say(s,
                     "a fault says when the buffer was unmapped, and by whom",
                     status == UIOMMU_OK && stage_refused(s, landed) &&
                         s->fault.history == UIOMMU_HISTORY_UNMAPPED &&
                         strstr(s->sentence, "by the driver's receive path"),
                     "%s", stage_told(s));
}

static bool knows_never(struct stage *s)
{
    bool landed = write_anew(s, NEVER_IOVA);

    return stage_say(s, "or that it never was mapped",
                     stage_refused(s, landed) &&
                         s->fault.history == UIOMMU_HISTORY_NEVER,
                     "%s", stage_told(s));
}

static bool is_storm(const struct stage *s)
{
    return s->faults > 0 && s->fault.kind == UIOMMU_FAULT_STORM;
}

static bool is_shut_off(struct stage *s)
{
    unsigned writes = 0, heard = 0;
    char sentence[sizeof(s->sentence)];
    bool storm;

    do
        (void)stage_write_lands(s, NEVER_IOVA);
    while (++writes < MANY && !is_storm(s));
    storm = is_storm(s);
    memcpy(sentence, s->sentence, sizeof(sentence));
    for (unsigned i = 0; i < MORE; i++) {
        (void)stage_write_lands(s, NEVER_IOVA);
        heard += s->faults;
    }
    return stage_say(s,
                     "a device that does not stop is shut off, and that is "
                     "told once",
                     storm && heard == 0, "%s", sentence);
}

static bool nothing_passes(struct stage *s)
{
    enum uiommu_status status = uiommu_map(
        s->domain, STAGE_IOVA, s->phys, STAGE_PAGE, UIOMMU_READ | UIOMMU_WRITE);
    bool landed = stage_write_lands(s, STAGE_IOVA);

    return stage_say(s,
                     "until it is armed again nothing of it passes or is "
                     "recorded",
                     status == UIOMMU_OK && !landed && s->faults == 0, "%s %s",
                     stage_name(s),
                     landed ? "reaches memory" : "reaches nothing");
}

static bool is_armed(struct stage *s)
{
    enum uiommu_status status = uiommu_device_rearm(s->device[s->engine]);
    bool landed = stage_write_lands(s, STAGE_IOVA);

    return stage_say(s, "then it sees what its domain has by now",
                     status == UIOMMU_OK && landed, "%s %s", stage_name(s),
                     landed ? "reaches what is mapped" : "reaches nothing");
}

void scenario_faults(struct stage *s)
{
    s->storm_budget = BUDGET;
    (void)(stage_start(s) && stage_add_devices(s) && ready(s) && remembers(s) &&
           knows_never(s) && is_shut_off(s) && nothing_passes(s) &&
           is_armed(s) && stage_stop(s));
}
