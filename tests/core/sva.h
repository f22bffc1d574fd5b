/* SPDX-License-Identifier: MIT */
/*
 * sva.h - machines with a kernel whose processes devices use.
 */
#ifndef UIM_TESTS_CORE_SVA_H
#define UIM_TESTS_CORE_SVA_H

#include "tests/core/requests.h"

#include "hosts/sim/kernel.h"

#define VA UINT64_C(0x7f0012345000)

static inline bool is_arm(const struct rig *rig)
{
    return rig->config.mode == SIM_STAGE_1 || rig->config.mode == SIM_STAGE_2;
}

/* ---- machines ---------------------------------------------------------------------- */

static inline bool walks_snoop(const struct rig *rig, const char **why)
{
    if (rig->config.non_coherent)
        *why = "walks do not snoop";
    return !rig->config.non_coherent;
}

/* The first stage beside the second, where a unit has both. */
static inline bool with_both_stages(struct rig *rig, const char **why)
{
    if (rig->config.mode == SIM_SCALABLE)
        rig->config.args = "fs=1";
    return with_pasids(rig, why);
}

/* Units that walk tables of processors, and devices that do not ask for pages. */
static inline bool with_sva(struct rig *rig, const char **why)
{
    return with_both_stages(rig, why) && walks_snoop(rig, why);
}

static inline bool with_sva_and_ats(struct rig *rig, const char **why)
{
    rig->config.ats = true;
    return with_sva(rig, why);
}

/* And those that do. */
static inline bool with_sva_requests(struct rig *rig, const char **why)
{
    return with_pasid_requests(rig, why) && with_sva(rig, why);
}

/* ---- processes ---------------------------------------------------------------------- */

struct process {
    struct rig *rig;
    struct kernel *k;
    struct kernel_process *p;
    struct uiommu_provider *provider;
};

static inline struct process start_process(struct rig *rig, struct kernel *k,
                                           uint32_t flags)
{
    struct process s = { .rig = rig, .k = k };
    struct uiommu_provider_config config;

    s.p = kernel_process_create(k);
    config = kernel_provider(s.p);
    config.flags = flags;
    rig_ok(uiommu_provider_create(rig->u, &config, &s.provider));
    kernel_follow(s.p, s.provider);
    return s;
}

/* Its provider is nobody's any more, which is said once; then it goes. */
static inline void end_process(struct process *s)
{
    assert_int_equal(kernel_released(s->p), 0);
    kernel_exit(s->p);
    uiommu_provider_put(s->provider);
    assert_int_equal(kernel_released(s->p), 1);
    kernel_process_free(s->p);
}

/* One process with memory, of the only kernel. */
static inline struct process open_process(struct rig *rig)
{
    struct process s = start_process(rig, kernel_open(rig->m, is_arm(rig)),
                                     UIOMMU_PROVIDER_RESIDENT);

    assert_true(kernel_mmap(s.p, VA, 8, RW));
    return s;
}

static inline void close_process(struct process *s)
{
    struct kernel *k = s->k;

    end_process(s);
    kernel_close(k);
}

static inline struct uiommu_endpoint *bind(struct process *s, unsigned n)
{
    struct uiommu_endpoint *ep = NULL;

    rig_ok(uiommu_sva_bind(rig_endpoint(s->rig, n), s->provider, NULL, &ep));
    return ep;
}

static inline void unbind(struct uiommu_endpoint *ep)
{
    rig_ok(uiommu_sva_unbind(ep, true));
}

/* The device and the process are at the same memory. */
static inline bool shares(struct process *s, unsigned n, uint32_t pasid,
                          uint64_t va)
{
    const uint64_t phys = kernel_touch(s->p, va, true);

    return phys != 0 && rig_pasid_reaches(s->rig, n, pasid, va, phys);
}

#endif
