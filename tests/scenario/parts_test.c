/* SPDX-License-Identifier: MIT */
/*
 * parts_test.c - the stories about parts of devices, on simulated machines (QEMU's devices
 * send no PASIDs); and machines that break a promise, which they have to notice.
 */
#include "tests/scenario/stories.h"

enum { MDEV_STEPS = 12, GPU_STEPS = 9 };

/* C.7: on every unit, where it has no PASIDs without the two kinds that need them. */
static void sim_mdev(void **state)
{
    (void)state;
    (void)told("sim:vtd", "legacy", "mdev", MDEV_STEPS);
    (void)told("sim:vtd", "scalable", "mdev", MDEV_STEPS);
    (void)told("sim:vtd", "first-stage", "mdev", MDEV_STEPS);
    (void)told("sim:smmuv3", "stage1", "mdev", MDEV_STEPS);
    (void)told("sim:smmuv3", "stage2", "mdev", MDEV_STEPS);
}

/* C-SC3, S3.36 */
static void sim_gpu(void **state)
{
    (void)state;
    (void)told("sim:vtd", "scalable", "gpu", GPU_STEPS);
    (void)told("sim:vtd", "first-stage", "gpu", GPU_STEPS);
    (void)told("sim:smmuv3", "stage1", "gpu", GPU_STEPS);
}

static void a_mode_is_found_that_has_pasids(void **state)
{
    (void)state;
    assert_string_equal(machine_mode_with_pasids("sim:vtd"), "scalable");
    assert_string_equal(machine_mode_with_pasids("sim:smmuv3"), "stage1");
    assert_null(machine_mode_with_pasids("qemu:intel-iommu"));
}

/* ---- machines that break a promise -------------------------------------------- */

/* The device's writes are lost, though nobody refuses them. */
static enum machine_dma lose(struct machine *m, unsigned dev, bool write,
                             uint64_t iova, void *buf, size_t size)
{
    if (write)
        return MACHINE_DMA_DONE;
    return real_ops.dma(m, dev, write, iova, buf, size);
}

/* What is mapped for its driver is lost: addresses from the top of 4 GiB. */
static enum machine_dma lose_driver(struct machine *m, unsigned dev, bool write,
                                    uint64_t iova, void *buf, size_t size)
{
    if (write && iova >> 31 == 1 && (iova >> 28 & 7) == 7)
        return MACHINE_DMA_DONE;
    return real_ops.dma(m, dev, write, iova, buf, size);
}

/* Every PASID is taken for the first. */
static enum machine_dma first_pasid(struct machine *m, unsigned dev,
                                    uint32_t pasid, bool write, uint64_t iova,
                                    void *buf, size_t size)
{
    (void)pasid;
    return real_ops.dma_pasid(m, dev, 1, write, iova, buf, size);
}

/* What is refused the first is tried as the second. */
static enum machine_dma second_chance(struct machine *m, unsigned dev,
                                      uint32_t pasid, bool write, uint64_t iova,
                                      void *buf, size_t size)
{
    enum machine_dma came =
        real_ops.dma_pasid(m, dev, pasid, write, iova, buf, size);

    return came == MACHINE_DMA_DONE || pasid != 1
               ? came
               : real_ops.dma_pasid(m, dev, 2, write, iova, buf, size);
}

/* What carries a PASID is sent without. */
static enum machine_dma no_pasid(struct machine *m, unsigned dev,
                                 uint32_t pasid, bool write, uint64_t iova,
                                 void *buf, size_t size)
{
    (void)pasid;
    return real_ops.dma_pasid(m, dev, UIOMMU_NO_PASID, write, iova, buf, size);
}

/* The device never asks. */
static bool no_ask(struct machine *m, unsigned dev, uint32_t pasid, bool write,
                   uint64_t iova)
{
    (void)m, (void)dev, (void)pasid, (void)write, (void)iova;
    return false;
}

static void notices_pasids_that_are_mixed_up(void **state)
{
    struct machine_ops ops = real_ops;

    (void)state;
    ops.dma_pasid = first_pasid;
    must_notice_with("scalable", "gpu", &ops,
                     "a page comes when the device asks for it");
    ops.dma_pasid = second_chance;
    must_notice_with("scalable", "gpu", &ops,
                     "one loses it, and the other does not notice");
    ops.dma_pasid = no_pasid;
    must_notice_with("scalable", "mdev", &ops,
                     "the same client has a part with a PASID of its own");
}

static void notices_a_device_that_does_not_ask(void **state)
{
    struct machine_ops ops = real_ops;

    (void)state;
    ops.ask = no_ask;
    must_notice_with("scalable", "gpu", &ops,
                     "a page comes when the device asks for it");
}

static void notices_lost_writes(void **state)
{
    struct machine_ops ops = real_ops;

    (void)state;
    ops.dma = lose;
    must_notice_with("legacy", "mdev", &ops, "a client has a whole function");
    ops.dma = lose_driver;
    must_notice_with("scalable", "mdev", &ops,
                     "and its driver's own DMA goes on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_mdev),
        cmocka_unit_test(sim_gpu),
        cmocka_unit_test(a_mode_is_found_that_has_pasids),
        cmocka_unit_test(notices_lost_writes),
        cmocka_unit_test(notices_pasids_that_are_mixed_up),
        cmocka_unit_test(notices_a_device_that_does_not_ask),
    };

    return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
