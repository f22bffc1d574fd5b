/* SPDX-License-Identifier: MIT */
/*
 * failing.h - every call of the public API fails before it succeeds.
 *
 * Programs with the suffix -failing are those of tests/core once more, linked so
 * that calls of the functions below come here first (the linker's --wrap). While
 * a test has a rig, such a call is made again and again: with its first host call
 * failing, with its second, and so on until none failed any more. Each time it
 * must say so and leave the machine as it was, but for tables that a unit has got
 * and keeps, which must not grow when the same fails again. Then the test goes on,
 * and that it passes shows that the machine still works.
 */
#ifndef UIM_TESTS_FAILING_FAILING_H
#define UIM_TESTS_FAILING_FAILING_H

#include <uiommu/uiommu.h>

/* X(name, parameters, arguments): all public functions with a status that may ask
 * the host for something. failing_test compares with the headers and with
 * meson.build, which tells the linker.                                       */
/* clang-format off */
#define FAILING_CALLS(X) \
    X(uiommu_create, \
      (const struct uiommu_host *host, const struct uiommu_config *config, struct uiommu **out), \
      (host, config, out)) \
    X(uiommu_add_table, \
      (struct uiommu *u, const void *table, size_t size), \
      (u, table, size)) \
    X(uiommu_find_tables, \
      (struct uiommu *u, const struct uiommu_driver *const *drivers, size_t n), \
      (u, drivers, n)) \
    X(uiommu_start, \
      (struct uiommu *u, const struct uiommu_driver *const *drivers, size_t n), \
      (u, drivers, n)) \
    X(uiommu_device_add, \
      (struct uiommu *u, const struct uiommu_device_info *info, struct uiommu_device **out), \
      (u, info, out)) \
    X(uiommu_device_remove, \
      (struct uiommu_device *device), \
      (device)) \
    X(uiommu_claim, \
      (struct uiommu_endpoint *endpoint, const void *owner), \
      (endpoint, owner)) \
    X(uiommu_release, \
      (struct uiommu_endpoint *endpoint, const void *owner), \
      (endpoint, owner)) \
    X(uiommu_set_domain, \
      (struct uiommu_endpoint *endpoint, struct uiommu_domain *domain, const void *owner), \
      (endpoint, domain, owner)) \
    X(uiommu_pasid_last, \
      (struct uiommu_endpoint *endpoint, uint32_t *last), \
      (endpoint, last)) \
    X(uiommu_pasid_create, \
      (struct uiommu_endpoint *endpoint, const struct uiommu_pasid_config *config, struct uiommu_endpoint **out), \
      (endpoint, config, out)) \
    X(uiommu_pasid_destroy, \
      (struct uiommu_endpoint *endpoint, bool stopped), \
      (endpoint, stopped)) \
    X(uiommu_request_queue_create, \
      (struct uiommu *u, const struct uiommu_request_queue_config *config, struct uiommu_request_queue **out), \
      (u, config, out)) \
    X(uiommu_mdev_register, \
      (struct uiommu_device *parent, const struct uiommu_mdev_config *config, struct uiommu_endpoint **out), \
      (parent, config, out)) \
    X(uiommu_mdev_unregister, \
      (struct uiommu_endpoint *endpoint), \
      (endpoint)) \
    X(uiommu_device_reset_begin, \
      (struct uiommu_device *device), \
      (device)) \
    X(uiommu_device_reset_end, \
      (struct uiommu_device *device, bool worked), \
      (device, worked)) \
    X(uiommu_device_rearm, \
      (struct uiommu_device *device), \
      (device)) \
    X(uiommu_regions, \
      (struct uiommu_endpoint *endpoint, uiommu_region_fn fn, void *ctx), \
      (endpoint, fn, ctx)) \
    X(uiommu_dma_start, \
      (struct uiommu_endpoint *endpoint, const struct uiommu_dma_config *config), \
      (endpoint, config)) \
    X(uiommu_dma_stop, \
      (struct uiommu_endpoint *endpoint), \
      (endpoint)) \
    X(uiommu_dma_map, \
      (struct uiommu_endpoint *endpoint, uint64_t phys, uint64_t size, unsigned flags, uint64_t *iova), \
      (endpoint, phys, size, flags, iova)) \
    X(uiommu_dma_unmap, \
      (struct uiommu_endpoint *endpoint, uint64_t iova, uint64_t size), \
      (endpoint, iova, size)) \
    X(uiommu_domain_create, \
      (struct uiommu_endpoint *endpoint, const struct uiommu_domain_config *config, struct uiommu_domain **out), \
      (endpoint, config, out)) \
    X(uiommu_map, \
      (struct uiommu_domain *domain, uint64_t iova, uint64_t phys, uint64_t size, unsigned flags), \
      (domain, iova, phys, size, flags)) \
    X(uiommu_map_sg, \
      (struct uiommu_domain *domain, uint64_t iova, const struct uiommu_segment *segments, size_t n, unsigned flags), \
      (domain, iova, segments, n, flags)) \
    X(uiommu_unmap, \
      (struct uiommu_domain *domain, uint64_t iova, uint64_t size, uint64_t *unmapped), \
      (domain, iova, size, unmapped)) \
    X(uiommu_unmap_gather, \
      (struct uiommu_domain *domain, uint64_t iova, uint64_t size, struct uiommu_gather *gather), \
      (domain, iova, size, gather)) \
    X(uiommu_sync, \
      (struct uiommu_gather *gather), \
      (gather)) \
    X(uiommu_split, \
      (struct uiommu_domain *domain, uint64_t iova, uint64_t size), \
      (domain, iova, size)) \
    X(uiommu_suspend, \
      (struct uiommu *u), \
      (u)) \
    X(uiommu_resume, \
      (struct uiommu *u), \
      (u)) \
    X(uiommu_audit, \
      (struct uiommu *u, uiommu_audit_fn fn, void *ctx), \
      (u, fn, ctx)) \
    X(uiommu_hand_over, \
      (struct uiommu *u, enum uiommu_hand_over how, const struct uiommu_record **record, size_t *size), \
      (u, how, record, size)) \
    X(uiommu_adopted_end, \
      (struct uiommu *u), \
      (u)) \
    X(uiommu_stop, \
      (struct uiommu *u), \
      (u)) \
    X(uiommu_destroy, \
      (struct uiommu *u), \
      (u)) \
    X(uiommu_irq_map, \
      (struct uiommu_endpoint *endpoint, const struct uiommu_irq_target *target, unsigned n, struct uiommu_irq **out), \
      (endpoint, target, n, out)) \
    X(uiommu_irq_map_source, \
      (struct uiommu *u, enum uiommu_irq_source kind, unsigned id, const struct uiommu_irq_target *target, struct uiommu_irq **out), \
      (u, kind, id, target, out)) \
    X(uiommu_irq_retarget, \
      (struct uiommu_irq *irq, unsigned i, const struct uiommu_irq_target *target), \
      (irq, i, target)) \
    X(uiommu_irq_unmap, \
      (struct uiommu_irq *irq), \
      (irq)) \
    X(uiommu_irq_doorbell, \
      (struct uiommu_endpoint *endpoint, uint64_t doorbell, uint64_t *addr), \
      (endpoint, doorbell, addr)) \
    X(uiommu_provider_create, \
      (struct uiommu *u, const struct uiommu_provider_config *config, struct uiommu_provider **out), \
      (u, config, out)) \
    X(uiommu_provider_exit, \
      (struct uiommu_provider *provider), \
      (provider)) \
    X(uiommu_sva_domain, \
      (struct uiommu_endpoint *endpoint, struct uiommu_provider *provider, struct uiommu_domain **out), \
      (endpoint, provider, out)) \
    X(uiommu_sva_bind, \
      (struct uiommu_endpoint *endpoint, struct uiommu_provider *provider, const void *owner, struct uiommu_endpoint **out), \
      (endpoint, provider, owner, out)) \
    X(uiommu_sva_unbind, \
      (struct uiommu_endpoint *endpoint, bool stopped), \
      (endpoint, stopped)) \
    X(uiommu_sva_invalidate, \
      (struct uiommu_provider *provider, uint64_t start, uint64_t last), \
      (provider, start, last)) \
    X(uiommu_sva_tables_freed, \
      (struct uiommu *u), \
      (u)) \
    X(uiommu_provider_map, \
      (struct uiommu_provider *provider, uint64_t iova, uint64_t phys, uint64_t size, unsigned flags), \
      (provider, iova, phys, size, flags)) \
    X(uiommu_provider_unmap, \
      (struct uiommu_provider *provider, uint64_t iova, uint64_t size), \
      (provider, iova, size))
/* clang-format on */

#endif
