/* SPDX-License-Identifier: MIT */
#include "tools/machines.h"

#include <stdio.h>
#include <string.h>

#include "hosts/qtest/qtest.h"
#include "hosts/sim/sim.h"

const char *const machine_names[] = { "sim:vtd", "qemu:intel-iommu", NULL };
const char *const machine_modes[] = { "legacy", "scalable", "first-stage",
                                      NULL };

static int index_of(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static struct machine *open_sim(int mode, char *error, size_t size)
{
    static const enum sim_mode modes[] = { SIM_LEGACY, SIM_SCALABLE,
                                           SIM_FIRST_STAGE };
    const struct sim_config config = { .mode = modes[mode], .args = "ir=1" };

    return sim_open(&config, error, size);
}

static struct machine *open_qemu(int mode, char *error, size_t size)
{
    const struct qtest_config config = { .mode = machine_modes[mode],
                                         .n_engines = 2,
                                         .options = "intremap=on" };

    return qtest_open(&config, error, size);
}

struct machine *machine_open(const char *name, const char *mode, char *error,
                             size_t size)
{
    int m = index_of(machine_modes, mode);

    if (m < 0) {
        snprintf(error, size, "no such mode: %s", mode);
        return NULL;
    }
    switch (index_of(machine_names, name)) {
    case 0:
        return open_sim(m, error, size);
    case 1:
        return open_qemu(m, error, size);
    default:
        snprintf(error, size, "no such machine: %s", name);
        return NULL;
    }
}
