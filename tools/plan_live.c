/* SPDX-License-Identifier: MIT */
/*
 * plan_live.c - the functions of a running Linux, from sysfs: of each its file
 * `config`, of which all but root can read 64 bytes, and for virtual functions the
 * link `physfn`.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/plan_machine.h"

enum { PATH_SIZE = 1024 };

/* "0000:00:1f.3" and nothing else; segments may have more digits. */
static bool parse(const char *name, unsigned *segment, struct uiommu_pci *at)
{
    unsigned bus, device, function;
    int used = 0;

    if (sscanf(name, "%8x:%2x:%2x.%1x%n", segment, &bus, &device, &function,
               &used) != 4 ||
        name[used] != '\0' || device > 31 || function > 7)
        return false;
    *at = (struct uiommu_pci){ (uint16_t)*segment, (uint8_t)bus,
                               (uint8_t)(device << 3 | function) };
    return true;
}

/* The number in a file of the function, as "0x8086". */
static unsigned number_in(const char *folder, const char *file)
{
    char path[PATH_SIZE];
    unsigned value = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, file);
    f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%x", &value) != 1)
        value = 0;
    fclose(f);
    return value;
}

static bool read_config(struct plan_machine *m, const char *folder,
                        struct plan_seen *s)
{
    char path[PATH_SIZE];
    FILE *f;

    snprintf(path, sizeof(path), "%s/config", folder);
    f = fopen(path, "rb");
    if (!f)
        return plan_fail(m, "%s: %s", path, strerror(errno));
    s->bytes = calloc(1, PCI_EXT_CONFIG_SIZE);
    if (s->bytes)
        s->size = (unsigned)fread(s->bytes, 1, PCI_EXT_CONFIG_SIZE, f);
    fclose(f);
    if (!s->bytes)
        return plan_fail(m, "no memory");
    if (s->size < 64)
        return plan_fail(m, "%s: fewer than 64 bytes", path);
    return true;
}

/* Its own registers do not say who made it. */
static void see_physical(const char *folder, struct plan_seen *s)
{
    char path[PATH_SIZE], target[PATH_SIZE];
    const char *name;
    unsigned segment, id;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/physfn", folder);
    n = readlink(path, target, sizeof(target) - 1);
    if (n < 0)
        return;
    target[n] = '\0';
    name = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
    s->is_virtual = parse(name, &segment, &s->physical);
    for (unsigned i = 0; i < 2; i++) {
        id = number_in(folder, i ? "device" : "vendor");
        s->bytes[2 * i] = (uint8_t)id;
        s->bytes[2 * i + 1] = (uint8_t)(id >> 8);
    }
}

static bool read_function(struct plan_machine *m, const char *devices,
                          const char *name)
{
    char folder[PATH_SIZE / 2];
    struct uiommu_pci at;
    struct plan_seen *s;
    unsigned segment;

    if (!parse(name, &segment, &at))
        return true;
    if (segment > 0xffff)
        return plan_add_elsewhere(m, segment, at);
    s = plan_add(m, at);
    snprintf(folder, sizeof(folder), "%s/%s", devices, name);
    if (!s || !read_config(m, folder, s))
        return false;
    see_physical(folder, s);
    return true;
}

bool plan_live_read(const char *path, struct plan_machine *m)
{
    char devices[PATH_SIZE / 4];
    struct dirent *entry;
    bool good = true;
    DIR *folder;

    snprintf(devices, sizeof(devices), "%s/devices",
             path ? path : "/sys/bus/pci");
    folder = opendir(devices);
    if (!folder)
        return plan_fail(m, "%s: %s", devices, strerror(errno));
    while (good && (entry = readdir(folder)))
        good = read_function(m, devices, entry->d_name);
    closedir(folder);
    if (good && m->n == 0 && m->n_elsewhere == 0)
        return plan_fail(m, "%s: no PCI function in there", devices);
    return good && plan_machine_finish(m);
}
