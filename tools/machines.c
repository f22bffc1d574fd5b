/* SPDX-License-Identifier: MIT */
#include "tools/machines.h"

#include <stdio.h>
#include <string.h>

#include "hosts/qtest/qtest.h"
#include "hosts/sim/sim.h"

static struct machine *open_vtd(const struct machine_row *row, char *error,
                                size_t size)
{
    const struct sim_config config = {
        .mode = (enum sim_mode)row->how,
        .args = "ir=1",
    };

    return sim_open(&config, error, size);
}

static struct machine *open_smmuv3(const struct machine_row *row, char *error,
                                   size_t size)
{
    const struct sim_config config = {
        .mode = (enum sim_mode)row->how,
        .its = true,
    };

    return sim_open(&config, error, size);
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
    { "sim:vtd", "legacy", "vtd.mode=legacy", open_vtd, SIM_LEGACY },
    { "sim:vtd", "scalable", "vtd.mode=scalable", open_vtd, SIM_SCALABLE },
    { "sim:vtd", "first-stage", "vtd.mode=first-stage", open_vtd,
      SIM_FIRST_STAGE },
    { "sim:smmuv3", "stage1", "smmuv3.stage=1", open_smmuv3, SIM_STAGE_1 },
    { "sim:smmuv3", "stage2", "smmuv3.stage=2", open_smmuv3, SIM_STAGE_2 },
    { INTEL, "legacy", "vtd.mode=legacy", open_qemu_vtd, 0 },
    { INTEL, "scalable", "vtd.mode=scalable", open_qemu_vtd, 0 },
    { INTEL, "first-stage", "vtd.mode=first-stage", open_qemu_vtd, 0 },
    { ARM, "stage1", "smmuv3.stage=1", open_qemu_smmuv3, 0 },
    { ARM, "stage2", "smmuv3.stage=2", open_qemu_smmuv3, 0 },
    { .name = NULL },
};

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
