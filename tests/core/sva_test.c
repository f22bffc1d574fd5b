/* SPDX-License-Identifier: MIT */
/*
 * sva_test.c - devices in the address space of a process (semantics B.20, S0.1 to S0.4,
 * D-01, D-02, D-21, D-25).
 */
#include "tests/core/sva.h"

static void a_device_uses_the_memory_of_a_process(struct rig *rig)
{
    struct process s = open_process(rig);
    struct uiommu_endpoint *ep = bind(&s, 0);
    const uint32_t pasid = uiommu_endpoint_pasid(ep);

    assert_true(shares(&s, 0, pasid, VA));
    assert_true(shares(&s, 0, pasid, VA + 3 * RIG_PAGE));
    assert_true(rig_pasid_refused(rig, 0, pasid, VA + 5 * RIG_PAGE));
    kernel_munmap(s.p, VA, 1);
    assert_true(rig_pasid_refused(rig, 0, pasid, VA));
    assert_true(shares(&s, 0, pasid, VA + 3 * RIG_PAGE));
    unbind(ep);
    assert_true(rig_pasid_refused(rig, 0, pasid, VA + 3 * RIG_PAGE));
    close_process(&s);
}

static const struct rig_test tests[] = {
    RIG_TEST_ON(a_device_uses_the_memory_of_a_process, with_sva),
    { 0 },
};

int main(void)
{
    return rig_run("sva", tests);
}
