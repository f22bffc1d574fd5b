/* SPDX-License-Identifier: MIT */
#include "bench/domain.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "hosts/sim/sim.h"

const char *const bench_formats[] = {
    "vtd_ss",      "vtd_fs",      "vmsa_s1_4k",  "vmsa_s2_4k", "vmsa_s1_16k",
    "vmsa_s2_16k", "vmsa_s1_64k", "vmsa_s2_64k", NULL,
};

static const struct {
    const char *format, *options;
    const struct uiommu_driver *driver;
    enum sim_mode mode;
} units[] = {
    { "vtd_ss", "vtd.mode=legacy", &uiommu_driver_vtd, SIM_LEGACY },
    { "vtd_fs", "vtd.mode=first-stage", &uiommu_driver_vtd, SIM_FIRST_STAGE },
    { "vmsa_s1_4k", "smmuv3.stage=1,smmuv3.granule=4k", &uiommu_driver_smmuv3,
      SIM_STAGE_1 },
    { "vmsa_s2_4k", "smmuv3.stage=2,smmuv3.granule=4k", &uiommu_driver_smmuv3,
      SIM_STAGE_2 },
    { "vmsa_s1_16k", "smmuv3.stage=1,smmuv3.granule=16k", &uiommu_driver_smmuv3,
      SIM_STAGE_1 },
    { "vmsa_s2_16k", "smmuv3.stage=2,smmuv3.granule=16k", &uiommu_driver_smmuv3,
      SIM_STAGE_2 },
    { "vmsa_s1_64k", "smmuv3.stage=1,smmuv3.granule=64k", &uiommu_driver_smmuv3,
      SIM_STAGE_1 },
    { "vmsa_s2_64k", "smmuv3.stage=2,smmuv3.granule=64k", &uiommu_driver_smmuv3,
      SIM_STAGE_2 },
};

enum { N_UNITS = sizeof(units) / sizeof(units[0]) };

/* 4096 tables of 64 KiB and those above them. */
#define RAM_SIZE (UINT64_C(512) << 20)

static int unit_of(const char *format)
{
    for (int i = 0; i < N_UNITS; i++)
        if (strcmp(units[i].format, format) == 0)
            return i;
    return -1;
}

/* Kernels reach page tables through a map of large pages: without them, rows of
 * many tables would measure this process's TLB misses. */
static void use_huge_pages(const struct uiommu_host *host)
{
    if (host->direct_map)
        (void)madvise((void *)(uintptr_t)host->direct_offset, RAM_SIZE,
                      MADV_HUGEPAGE);
}

static enum uiommu_status start(struct bench_domain *d,
                                const struct uiommu_driver *driver,
                                const char *options)
{
    const struct uiommu_config config = {
        .size = sizeof(config),
        .options = options,
    };
    enum uiommu_status status;

    status = uiommu_create(&d->machine->host, &config, &d->u);
    if (status == UIOMMU_OK)
        status =
            uiommu_add_table(d->u, d->machine->table, d->machine->table_size);
    if (status == UIOMMU_OK)
        status = uiommu_start(d->u, &driver, 1);
    return status;
}

static enum uiommu_status make_domain(struct bench_domain *d)
{
    const struct machine_device *engine =
        &d->machine->devices[sim_engine(d->machine, 0)];
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .pci = engine->pci,
    };
    enum uiommu_status status = uiommu_device_add(d->u, &info, &d->device);

    if (status != UIOMMU_OK)
        return status;
    return uiommu_domain_create(uiommu_device_endpoint(d->device), NULL,
                                &d->domain);
}

bool bench_domain_open(const char *format, struct bench_domain *out,
                       char *error, size_t size)
{
    int unit = unit_of(format);
    struct sim_config config = {
        .fast = true,
        .ram_size = RAM_SIZE,
    };
    struct uiommu_domain_info info;
    enum uiommu_status status;

    memset(out, 0, sizeof(*out));
    if (unit < 0) {
        snprintf(error, size, "no such format: %s", format);
        return false;
    }
    config.mode = units[unit].mode;
    out->machine = sim_open(&config, error, size);
    if (!out->machine)
        return false;
    use_huge_pages(&out->machine->host);
    status = start(out, units[unit].driver, units[unit].options);
    if (status == UIOMMU_OK)
        status = make_domain(out);
    if (status != UIOMMU_OK) {
        snprintf(error, size, "%s: %s: %s", format, uiommu_status_name(status),
                 sim_last_log(out->machine));
        return false;
    }
    uiommu_domain_info(out->domain, &info);
    out->last_iova = info.last_iova;
    out->page = info.page_sizes & (0 - info.page_sizes);
    out->large = out->page / 8 * out->page;
    if (strcmp(info.format, format) != 0) {
        snprintf(error, size, "%s: got %s", format, info.format);
        return false;
    }
    return true;
}

void bench_domain_close(struct bench_domain *d)
{
    if (d->domain)
        uiommu_domain_put(d->domain);
    if (d->device)
        (void)!uiommu_device_remove(d->device);
    if (d->u) {
        (void)!uiommu_stop(d->u);
        (void)!uiommu_destroy(d->u);
    }
    if (d->machine)
        machine_close(d->machine);
}
