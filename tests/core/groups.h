/* SPDX-License-Identifier: MIT */
/*
 * groups.h - machines whose devices cannot all be kept apart (semantics B.9), and what
 * tests of groups ask of them.
 */
#ifndef UIM_TESTS_CORE_GROUPS_H
#define UIM_TESTS_CORE_GROUPS_H

#include "tests/core/help.h"

#include <uiommu/group.h>

#ifndef BASE
#define BASE GIB(2)
#endif

/* ---- machines ------------------------------------------------------------- */

/* A bridge to conventional PCI: what is behind it sends under the bridge's id too. */
enum { PORT, BRIDGE, OLD0, OLD1, BESIDE };
enum { ENGINE_OLD0, ENGINE_OLD1, ENGINE_BESIDE };

static const struct sim_function behind_bridge[] = {
    { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS },
    { "bridge", SIM_PCI_BRIDGE, 0, 0, 0 },
    { "old0", SIM_PCI_ENGINE, 1, 1 << 3, 0 },
    { "old1", SIM_PCI_ENGINE, 1, 2 << 3, 0 },
    { "beside", SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, 0 },
};

/* Three devices that a switch keeps apart, or not. */
enum { SW_PORT, SW_UP, SW_DOWN0, SW_DOWN1, SW_DOWN2, SW_A, SW_B, SW_C };

#define SWITCH(acs, caps)                                                      \
    {                                                                          \
        { "port", SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, acs },          \
            { "up", SIM_UPSTREAM, 0, 0, 0 },                                   \
            { "down0", SIM_DOWNSTREAM, 1, 0 << 3, acs },                       \
            { "down1", SIM_DOWNSTREAM, 1, 1 << 3, acs },                       \
            { "down2", SIM_DOWNSTREAM, 1, 2 << 3, acs },                       \
            { "a", SIM_ENGINE, 2, 0, caps }, { "b", SIM_ENGINE, 3, 0, caps },  \
            { "c", SIM_ENGINE, 4, 0, caps },                                   \
    }

static const struct sim_function without_acs[] = SWITCH(0, 0);
static const struct sim_function caching_without_acs[] = SWITCH(0, SIM_ATS);
static const struct sim_function acs_off[] = SWITCH(SIM_ACS, 0);
static const struct sim_function acs_on[] = SWITCH(SIM_ACS_ON, 0);

/* Functions of one slot, of which some keep to themselves. */
static const struct sim_function functions[] = {
    { "f0", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x18, 0 },
    { "f1", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x19, 0 },
    { "f2", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x1a, SIM_ACS_ON },
    { "other", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x20, 0 },
};

static inline bool build(struct rig *rig, const struct sim_function *row,
                         unsigned n)
{
    rig->config.functions = row;
    rig->config.n_functions = n;
    return true;
}

#define BUILD(rig, rows) build(rig, rows, sizeof(rows) / sizeof((rows)[0]))

static inline bool with_bridge(struct rig *rig, const char **why)
{
    (void)why;
    return BUILD(rig, behind_bridge);
}

static inline bool with_no_acs(struct rig *rig, const char **why)
{
    (void)why;
    return BUILD(rig, without_acs);
}

static inline bool with_acs_off(struct rig *rig, const char **why)
{
    (void)why;
    return BUILD(rig, acs_off);
}

static inline bool with_acs_on(struct rig *rig, const char **why)
{
    (void)why;
    return BUILD(rig, acs_on);
}

static inline bool with_functions(struct rig *rig, const char **why)
{
    (void)why;
    return BUILD(rig, functions);
}

static inline bool with_no_acs_and_ats(struct rig *rig, const char **why)
{
    (void)why;
    rig->config.ats = true;
    return BUILD(rig, caching_without_acs);
}

/* f1 joins f0, whose id it uses (see below), and f2, from which nothing keeps it. */
enum { F0, F1, F2 };

static const struct sim_function go_between[] = {
    { "f0", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x18, SIM_ACS_ON | SIM_ATS },
    { "f1", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x19, 0 },
    { "f2", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x1a, 0 },
    { "other", SIM_ENGINE, MACHINE_NO_BRIDGE, 0x20, 0 },
};

static inline bool with_go_between(struct rig *rig, const char **why)
{
    (void)why;
    return BUILD(rig, go_between);
}

/* Function 1 of the slot sends under function 0's id too: what is said of that chip. */
static inline void make_phantom(struct rig *rig, unsigned dev)
{
    const uint32_t ricoh_e476 = 0xe4761180;

    sim_config_poke(rig->m, dev, 0, 4, ricoh_e476);
}

/* ---- steps ---------------------------------------------------------------- */

static inline struct uiommu_endpoint *endpoint_of(struct rig *rig, unsigned dev)
{
    return uiommu_device_endpoint(rig->device[dev]);
}

static inline struct uiommu_group *group_of(struct rig *rig, unsigned dev)
{
    return uiommu_endpoint_group(endpoint_of(rig, dev));
}

static inline struct uiommu_domain *sees(struct rig *rig, unsigned dev)
{
    return uiommu_endpoint_domain(endpoint_of(rig, dev));
}

static inline void add_devices(struct rig *rig, unsigned first, unsigned last)
{
    for (unsigned dev = first; dev <= last; dev++)
        rig_ok(rig_add(rig, dev));
}

static inline void remove_device(struct rig *rig, unsigned dev)
{
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
}

/* The groups of all devices, each by the first device that is in it: "0012"; '-' is not
 * added. */
static inline void partition(struct rig *rig, char out[RIG_DEVICES + 1])
{
    unsigned n = rig->m->n_devices;

    memset(out, 0, RIG_DEVICES + 1);
    for (unsigned i = 0; i < n; i++) {
        unsigned first = 0;

        out[i] = '-';
        if (!rig->device[i])
            continue;
        while (!rig->device[first] || group_of(rig, first) != group_of(rig, i))
            first++;
        out[i] = (char)('0' + first);
    }
}

#define assert_groups(rig, want)                                               \
    do {                                                                       \
        char got_[RIG_DEVICES + 1];                                            \
                                                                               \
        partition(rig, got_);                                                  \
        assert_string_equal(got_, want);                                       \
    } while (0)

/* Engine n, with requests that carry one id. */
static inline bool reaches_as(struct rig *rig, unsigned n, uint16_t id,
                              uint64_t iova, uint64_t phys)
{
    bool yes;

    sim_use_ids(rig->m, rig_engine(rig, n), &id, 1);
    yes = rig_reaches(rig, n, iova, phys);
    sim_use_ids(rig->m, rig_engine(rig, n), NULL, 0);
    return yes;
}

static inline bool refused_as(struct rig *rig, unsigned n, uint16_t id,
                              uint64_t iova)
{
    bool yes;

    sim_use_ids(rig->m, rig_engine(rig, n), &id, 1);
    yes = rig_refused(rig, n, iova);
    sim_use_ids(rig->m, rig_engine(rig, n), NULL, 0);
    return yes;
}

static inline uint16_t rid_of(struct rig *rig, unsigned dev)
{
    const struct uiommu_pci at = rig->m->devices[dev].pci;

    return (uint16_t)(at.bus << 8 | at.devfn);
}

/* ---- units whose driver fails when told ------------------------------------- */

/* The nth call of `set` that lets somebody see `only` (NULL: any domain) answers
 * `status`; TIMEDOUT as drivers do, with the entry blocked. */
struct sabotage {
    struct uim_unit_ops ops;
    const struct uim_unit_ops *real;
    const struct uiommu_domain *only;
    enum uiommu_status status;
    unsigned nth, again; /* 0: never; that call, and the one so much later   */
    unsigned calls, failed;
    struct uiommu_endpoint *victim[2];
};

extern struct sabotage sabotage;

/* From now on. nth 0: only counts. */
void sabotage_begin(struct rig *rig, unsigned nth, unsigned again,
                    enum uiommu_status status,
                    const struct uiommu_domain *only);
void sabotage_end(struct rig *rig);

#endif
