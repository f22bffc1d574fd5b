/* SPDX-License-Identifier: MIT */
/*
 * The stories of `uiommu run`, on every machine and in every mode; and machines
 * that break a promise, which they have to notice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "hosts/sim/sim.h"
#include "tools/machines.h"
#include "tools/scenario.h"

/* Promises in the whole story, three of them about interrupts; and what is looked at in
 * the one about rest, with four things that are said besides; those about faults, about
 * parts of devices, and about contexts. */
enum {
    STEPS = 16,
    REST_STEPS = 14,
    FAULTS_STEPS = 8,
    MDEV_STEPS = 12,
    GPU_STEPS = 9
};

struct story {
    unsigned steps, failed;
    char last_failed[128];
    char first[640], last[640]; /* details */
};

static void tell(void *ctx, const struct scenario_step *step)
{
    struct story *story = ctx;

    if (story->steps++ == 0)
        snprintf(story->first, sizeof(story->first), "%s", step->detail);
    snprintf(story->last, sizeof(story->last), "%s", step->detail);
    if (step->ok)
        return;
    story->failed++;
    snprintf(story->last_failed, sizeof(story->last_failed), "%s", step->what);
    printf("# not ok: %s: %s\n", step->what, step->detail);
}

static struct story told(const char *machine, const char *mode,
                         const char *scenario, unsigned steps)
{
    struct story story = { 0 };
    char error[256];
    struct machine *m = machine_open(machine, mode, error, sizeof(error));
    bool ok;

    if (!m)
        fail_msg("%s, %s: %s", machine, mode, error);
    ok = scenario_run(m, scenario_find(scenario), tell, &story);
    machine_close(m);
    assert_true(ok);
    assert_int_equal(story.failed, 0);
    assert_int_equal(story.steps, steps);
    return story;
}

static void whole_story(const char *machine, const char *mode)
{
    (void)told(machine, mode, "confine", STEPS);
}

static void sim_legacy(void **state)
{
    (void)state;
    whole_story("sim:vtd", "legacy");
}

static void sim_scalable(void **state)
{
    (void)state;
    whole_story("sim:vtd", "scalable");
}

static void sim_first_stage(void **state)
{
    (void)state;
    whole_story("sim:vtd", "first-stage");
}

static void sim_stage1(void **state)
{
    (void)state;
    whole_story("sim:smmuv3", "stage1");
}

static void sim_stage2(void **state)
{
    (void)state;
    whole_story("sim:smmuv3", "stage2");
}

static void qemu_legacy(void **state)
{
    (void)state;
    whole_story("qemu:intel-iommu", "legacy");
}

static void qemu_scalable(void **state)
{
    (void)state;
    whole_story("qemu:intel-iommu", "scalable");
}

static void qemu_first_stage(void **state)
{
    (void)state;
    whole_story("qemu:intel-iommu", "first-stage");
}

static void qemu_stage1(void **state)
{
    (void)state;
    whole_story("qemu:smmuv3", "stage1");
}

static void qemu_stage2(void **state)
{
    (void)state;
    whole_story("qemu:smmuv3", "stage2");
}

/* S1.14. Nobody switched the unit on, or it is off again: these let everything pass, the
 * Arm ones because GBPA, which says so, is left as it was found. */
static void rest_of(const char *machine, const char *mode)
{
    struct story story = told(machine, mode, "rest", REST_STEPS);

    assert_non_null(strstr(story.first, "passes the unit"));
    assert_non_null(strstr(story.last, "passes the unit"));
}

static void sim_rest(void **state)
{
    (void)state;
    rest_of("sim:vtd", "legacy");
    rest_of("sim:vtd", "scalable");
    rest_of("sim:vtd", "first-stage");
    rest_of("sim:smmuv3", "stage1");
    rest_of("sim:smmuv3", "stage2");
}

static void qemu_rest(void **state)
{
    (void)state;
    rest_of("qemu:intel-iommu", "legacy");
    rest_of("qemu:intel-iommu", "scalable");
    rest_of("qemu:smmuv3", "stage1");
    rest_of("qemu:smmuv3", "stage2");
}

static void faults_of(const char *machine, const char *mode)
{
    (void)told(machine, mode, "faults", FAULTS_STEPS);
}

static void sim_faults(void **state)
{
    (void)state;
    faults_of("sim:vtd", "legacy");
    faults_of("sim:vtd", "scalable");
    faults_of("sim:vtd", "first-stage");
    faults_of("sim:smmuv3", "stage1");
    faults_of("sim:smmuv3", "stage2");
}

static void qemu_faults(void **state)
{
    (void)state;
    faults_of("qemu:intel-iommu", "legacy");
    faults_of("qemu:intel-iommu", "scalable");
    faults_of("qemu:smmuv3", "stage1");
    faults_of("qemu:smmuv3", "stage2");
}

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

static void a_scenario_has_a_name(void **state)
{
    (void)state;
    assert_null(scenario_find("of nothing"));
    for (const struct scenario *row = scenarios; row->name; row++)
        assert_ptr_equal(scenario_find(row->name), row);
}

/* ---- machines that break a promise -------------------------------------------- */

/* A simulated machine with one operation replaced. */
struct doctored {
    struct machine machine; /* what the story sees */
    struct machine *real;
};

static struct doctored *doctored_of(struct machine *m)
{
    return (struct doctored *)m;
}

static enum machine_dma real_dma(struct machine *m, unsigned dev, bool write,
                                 uint64_t iova, void *buf, size_t size)
{
    return machine_dma(doctored_of(m)->real, dev, write, iova, buf, size);
}

/* The device's writes do not pass the unit. */
static enum machine_dma bypass(struct machine *m, unsigned dev, bool write,
                               uint64_t iova, void *buf, size_t size)
{
    void *ram = sim_ram(doctored_of(m)->real, iova, size);

    if (!write || !ram)
        return real_dma(m, dev, write, iova, buf, size);
    memcpy(ram, buf, size);
    return MACHINE_DMA_DONE;
}

static enum machine_dma real_dma_pasid(struct machine *m, unsigned dev,
                                       uint32_t pasid, bool write,
                                       uint64_t iova, void *buf, size_t size)
{
    return machine_dma_pasid(doctored_of(m)->real, dev, pasid, write, iova, buf,
                             size);
}

/* Every PASID is taken for the first. */
static enum machine_dma first_pasid(struct machine *m, unsigned dev,
                                    uint32_t pasid, bool write, uint64_t iova,
                                    void *buf, size_t size)
{
    (void)pasid;
    return real_dma_pasid(m, dev, 1, write, iova, buf, size);
}

/* What is refused the first is tried as the second. */
static enum machine_dma second_chance(struct machine *m, unsigned dev,
                                      uint32_t pasid, bool write, uint64_t iova,
                                      void *buf, size_t size)
{
    enum machine_dma came =
        real_dma_pasid(m, dev, pasid, write, iova, buf, size);

    return came == MACHINE_DMA_DONE || pasid != 1
               ? came
               : real_dma_pasid(m, dev, 2, write, iova, buf, size);
}

/* What carries a PASID is sent without. */
static enum machine_dma no_pasid(struct machine *m, unsigned dev,
                                 uint32_t pasid, bool write, uint64_t iova,
                                 void *buf, size_t size)
{
    (void)pasid;
    return real_dma_pasid(m, dev, UIOMMU_NO_PASID, write, iova, buf, size);
}

static bool real_ask(struct machine *m, unsigned dev, uint32_t pasid,
                     bool write, uint64_t iova)
{
    return machine_ask(doctored_of(m)->real, dev, pasid, write, iova);
}

/* The device never asks. */
static bool no_ask(struct machine *m, unsigned dev, uint32_t pasid, bool write,
                   uint64_t iova)
{
    (void)m, (void)dev, (void)pasid, (void)write, (void)iova;
    return false;
}

/* What is mapped for its driver is lost: addresses from the top of 4 GiB. */
static enum machine_dma lose_driver(struct machine *m, unsigned dev, bool write,
                                    uint64_t iova, void *buf, size_t size)
{
    if (write && iova >> 31 == 1 && (iova >> 28 & 7) == 7)
        return MACHINE_DMA_DONE;
    return real_dma(m, dev, write, iova, buf, size);
}

/* The device's writes are lost, though nobody refuses them. */
static enum machine_dma lose(struct machine *m, unsigned dev, bool write,
                             uint64_t iova, void *buf, size_t size)
{
    if (write)
        return MACHINE_DMA_DONE;
    return real_dma(m, dev, write, iova, buf, size);
}

static struct uiommu_range real_area(struct machine *m, unsigned dev)
{
    return machine_engine_area(doctored_of(m)->real, dev);
}

static enum machine_dma real_send(struct machine *m, unsigned dev,
                                  uint64_t addr, uint32_t data)
{
    return machine_send_irq(doctored_of(m)->real, dev, addr, data);
}

static bool real_take(struct machine *m, struct uiommu_irq_target *out)
{
    return machine_take_irq(doctored_of(m)->real, out);
}

/* The unit lets every message through. */
static bool anything_arrives(struct machine *m, struct uiommu_irq_target *out)
{
    (void)m;
    *out = (struct uiommu_irq_target){ .vector = 0x41 };
    return true;
}

static bool nothing_arrives(struct machine *m, struct uiommu_irq_target *out)
{
    (void)m;
    (void)out;
    return false;
}

static bool real_run(struct machine *m)
{
    return machine_run(doctored_of(m)->real);
}

static void no_close(struct machine *m)
{
    (void)m;
}

static void must_notice_with(const char *mode, const char *name,
                             const struct machine_ops *ops, const char *promise)
{
    const struct scenario *scenario = scenario_find(name);
    struct story story = { 0 };
    struct doctored d;
    char error[256];

    d.real = machine_open("sim:vtd", mode, error, sizeof(error));
    assert_non_null(d.real);
    d.machine = *d.real;
    d.machine.ops = ops;
    assert_false(scenario_run(&d.machine, scenario, tell, &story));
    machine_close(d.real);
    assert_true(story.failed > 0);
    assert_string_equal(story.last_failed, promise);
}

static void must_notice_in(const char *name, const struct machine_ops *ops,
                           const char *promise)
{
    must_notice_with("legacy", name, ops, promise);
}

static void must_notice(const struct machine_ops *ops, const char *promise)
{
    must_notice_in("confine", ops, promise);
}

static const struct machine_ops real_ops = {
    .dma = real_dma,
    .dma_pasid = real_dma_pasid,
    .ask = real_ask,
    .engine_area = real_area,
    .send_irq = real_send,
    .take_irq = real_take,
    .run = real_run,
    .close = no_close,
};

static void notices_a_bypass(void **state)
{
    struct machine_ops ops = real_ops;

    (void)state;
    ops.dma = bypass;
    must_notice(&ops, "blocked blocks");
    must_notice_in("rest", &ops, "removed while it was in a domain");
}

static void notices_lost_writes(void **state)
{
    struct machine_ops ops = real_ops;

    (void)state;
    ops.dma = lose;
    must_notice(&ops, "blocked blocks");
    must_notice_in("rest", &ops, "released by a user who left it in a domain");
    must_notice_in("mdev", &ops, "a client has a whole function");
    ops.dma = lose_driver;
    must_notice_with("scalable", "mdev", &ops,
                     "and its driver's own DMA goes on");
}

static void notices_forged_interrupts(void **state)
{
    struct machine_ops ops = real_ops;

    (void)state;
    ops.take_irq = anything_arrives;
    must_notice(&ops, "and so is it once it is unmapped");
}

static void notices_lost_interrupts(void **state)
{
    struct machine_ops ops = real_ops;

    (void)state;
    ops.take_irq = nothing_arrives;
    must_notice(&ops, "an interrupt goes where it was mapped");
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

static void notices_a_wrong_mode(void **state)
{
    struct story story = { 0 };
    char error[256];
    struct machine *m = machine_open("sim:vtd", "legacy", error, sizeof(error));

    (void)state;
    assert_non_null(m);
    m->options = "vtd.mode=scalable";
    assert_false(scenario_run(m, &scenarios[0], tell, &story));
    machine_close(m);
    assert_int_equal(story.steps, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sim_legacy),
        cmocka_unit_test(sim_scalable),
        cmocka_unit_test(sim_first_stage),
        cmocka_unit_test(sim_stage1),
        cmocka_unit_test(sim_stage2),
        cmocka_unit_test(qemu_legacy),
        cmocka_unit_test(qemu_scalable),
        cmocka_unit_test(qemu_first_stage),
        cmocka_unit_test(qemu_stage1),
        cmocka_unit_test(qemu_stage2),
        cmocka_unit_test(sim_rest),
        cmocka_unit_test(qemu_rest),
        cmocka_unit_test(sim_faults),
        cmocka_unit_test(qemu_faults),
        cmocka_unit_test(sim_mdev),
        cmocka_unit_test(sim_gpu),
        cmocka_unit_test(a_mode_is_found_that_has_pasids),
        cmocka_unit_test(a_scenario_has_a_name),
        cmocka_unit_test(notices_a_bypass),
        cmocka_unit_test(notices_lost_writes),
        cmocka_unit_test(notices_forged_interrupts),
        cmocka_unit_test(notices_lost_interrupts),
        cmocka_unit_test(notices_pasids_that_are_mixed_up),
        cmocka_unit_test(notices_a_device_that_does_not_ask),
        cmocka_unit_test(notices_a_wrong_mode),
    };

    return cmocka_run_group_tests_name("scenario", tests, NULL, NULL);
}
