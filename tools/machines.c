/* SPDX-License-Identifier: MIT */
#include "tools/machines.h"

#include <stdio.h>
#include <string.h>

#include "hosts/qtest/qtest.h"
#include "hosts/sim/sim.h"

/* As a machine of hosts/sim is by itself, and a device that runs contexts. */
static const struct sim_function with_gpu[] = {
    { NULL, SIM_ENGINE, MACHINE_NO_BRIDGE, 3 << 3, SIM_PASID },
    { NULL, SIM_ENGINE, MACHINE_NO_BRIDGE, 4 << 3, SIM_PASID },
    { NULL, SIM_ROOT_PORT, MACHINE_NO_BRIDGE, 0x1c << 3, SIM_ACS },
    { NULL, SIM_ENGINE, 2, 0, 0 },
    { "gpu", SIM_ENGINE, MACHINE_NO_BRIDGE, 5 << 3,
      SIM_ATS | SIM_PRI | SIM_PASID },
};

enum { WITH_GPU = sizeof(with_gpu) / sizeof(with_gpu[0]) };

static struct machine *open_sim(const struct machine_row *row,
                                struct sim_config config, char *error,
                                size_t size)
{
    config.mode = (enum sim_mode)row->how;
    config.ats = row->pasids;
    config.pri = row->pasids;
    if (row->pasids) {
        config.functions = with_gpu;
        config.n_functions = WITH_GPU;
    }
    return sim_open(&config, error, size);
}

static struct machine *open_vtd(const struct machine_row *row, char *error,
                                size_t size)
{
    return open_sim(row, (struct sim_config){ .args = "ir=1" }, error, size);
}

static struct machine *open_smmuv3(const struct machine_row *row, char *error,
                                   size_t size)
{
    return open_sim(row, (struct sim_config){ .its = true }, error, size);
}

static struct machine *open_qemu_vtd(const struct machine_row *row, char *error,
                                     size_t size)
{
    const struct qtest_config config = {
        .mode = row->mode,
        .n_engines = 2,
        .options = "intremap=on",
    };

    return qtest_open(&config, error, size);
}

static struct machine *open_qemu_smmuv3(const struct machine_row *row,
                                        char *error, size_t size)
{
    const struct qtest_config config = {
        .iommu = "smmuv3",
        .mode = row->mode,
        .n_engines = 2,
    };

    return qtest_open(&config, error, size);
}

#define INTEL "qemu:intel-iommu"
#define ARM   "qemu:smmuv3"

const struct machine_row machine_rows[] = {
    { "sim:vtd", "legacy", "vtd.mode=legacy", open_vtd, SIM_LEGACY, false },
    { "sim:vtd", "scalable", "vtd.mode=scalable", open_vtd, SIM_SCALABLE,
      true },
    { "sim:vtd", "first-stage", "vtd.mode=first-stage", open_vtd,
      SIM_FIRST_STAGE, true },
    { "sim:smmuv3", "stage1", "smmuv3.stage=1", open_smmuv3, SIM_STAGE_1,
      true },
    { "sim:smmuv3", "stage2", "smmuv3.stage=2", open_smmuv3, SIM_STAGE_2,
      false },
    { INTEL, "legacy", "vtd.mode=legacy", open_qemu_vtd, 0, false },
    { INTEL, "scalable", "vtd.mode=scalable", open_qemu_vtd, 0, false },
    { INTEL, "first-stage", "vtd.mode=first-stage", open_qemu_vtd, 0, false },
    { ARM, "stage1", "smmuv3.stage=1", open_qemu_smmuv3, 0, false },
    { ARM, "stage2", "smmuv3.stage=2", open_qemu_smmuv3, 0, false },
    { .name = NULL },
};

const char *machine_mode_with_pasids(const char *name)
{
    for (const struct machine_row *row = machine_rows; row->name; row++)
        if (row->pasids && strcmp(row->name, name) == 0)
            return row->mode;
    return NULL;
}

/* Which have the layout of a first stage. */
const char *machine_mode_that_shares(const char *name)
{
    for (const struct machine_row *row = machine_rows; row->name; row++)
        if (row->pasids && row->how != SIM_SCALABLE &&
            strcmp(row->name, name) == 0)
            return row->mode;
    return NULL;
}

struct machine *machine_open(const char *name, const char *mode, char *error,
                             size_t size)
{
    const char *wrong = "no such machine";

    for (const struct machine_row *row = machine_rows; row->name; row++) {
        struct machine *m;

        if (strcmp(row->name, name) != 0)
            continue;
        wrong = "it has no such mode";
        if (mode && strcmp(row->mode, mode) != 0)
            continue;
        m = row->open(row, error, size);
        if (m)
            m->options = row->options;
        return m;
    }
    snprintf(error, size, "%s%s%s: %s", name, mode ? ", " : "",
             mode ? mode : "", wrong);
    return NULL;
}
