/* SPDX-License-Identifier: MIT */
#include "tools/machine_up.h"

enum { PAGE = 4096 };

enum uiommu_status machine_start(struct machine *m,
                                 const struct uiommu_config *wanted,
                                 struct uiommu **u)
{
    static const struct uiommu_driver *const drivers[] = {
        &uiommu_driver_vtd,
        &uiommu_driver_smmuv3,
    };
    struct uiommu_config config = *wanted;
    enum uiommu_status status;

    config.size = sizeof(config);
    config.flags |= UIOMMU_CONFIG_REMAP_INTERRUPTS;
    config.options = m->options;
    status = uiommu_create(&m->host, &config, u);
    if (status == UIOMMU_OK)
        status = uiommu_find_tables(*u, drivers, 2);
    if (status == UIOMMU_OK)
        status = uiommu_start(*u, drivers, 2);
    return status;
}

enum uiommu_status machine_add_device(struct machine *m, struct uiommu *u,
                                      unsigned i, struct uiommu_device **device)
{
    const struct machine_device *d = &m->devices[i];
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .pci = d->pci,
        .bridge = d->bridge == MACHINE_NO_BRIDGE ? NULL : device[d->bridge],
    };

    return uiommu_device_add(u, &info, &device[i]);
}

enum uiommu_status machine_page(struct machine *m, unsigned dev,
                                struct uiommu_endpoint *ep,
                                const struct uiommu_domain_config *config,
                                uint64_t iova, uint64_t phys,
                                struct uiommu_domain **out)
{
    const uint32_t rw = UIOMMU_READ | UIOMMU_WRITE;
    const struct uiommu_range area = machine_engine_area(m, dev);
    enum uiommu_status status = uiommu_domain_create(ep, config, out);

    if (status == UIOMMU_OK && area.size > 0)
        status = uiommu_map(*out, area.iova, area.iova, area.size, rw);
    if (status == UIOMMU_OK)
        status = uiommu_map(*out, iova, phys, PAGE, rw);
    if (status == UIOMMU_OK)
        status = uiommu_set_domain(ep, *out, NULL);
    return status;
}
