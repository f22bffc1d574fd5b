/* SPDX-License-Identifier: MIT */
/*
 * The stories of `uiommu run`, on every machine and in every mode; and machines
 * that break a promise, which they have to notice.
 */
#include "tests/scenario/stories.h"

/* Promises in the whole story, three of them about interrupts; and what is looked at in
 * the one about rest, with four things that are said besides; those about faults. */
enum { STEPS = 16, REST_STEPS = 14, FAULTS_STEPS = 8, ACCEL_STEPS = 9 };

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

/* S4.3, C-SC2 */
static void an_accelerator_is_shared(void **state)
{
    (void)state;
    (void)told("sim:vtd", "scalable", "accel", ACCEL_STEPS);
    (void)told("sim:vtd", "first-stage", "accel", ACCEL_STEPS);
    (void)told("sim:smmuv3", "stage1", "accel", ACCEL_STEPS);
}

/* Where none is named, the mode is one in which there is something to tell. */
static void a_mode_is_found_for_a_scenario(void **state)
{
    (void)state;
    assert_true(scenario_find("accel")->pasids);
    assert_string_equal(machine_mode_with_pasids("sim:vtd"), "scalable");
    assert_string_equal(machine_mode_with_pasids("sim:smmuv3"), "stage1");
    assert_null(machine_mode_with_pasids("qemu:intel-iommu"));
    assert_null(machine_mode_with_pasids("none"));
}

static void a_scenario_has_a_name(void **state)
{
    (void)state;
    assert_null(scenario_find("of nothing"));
    for (const struct scenario *row = scenarios; row->name; row++)
        assert_ptr_equal(scenario_find(row->name), row);
}

/* ---- machines that break a promise -------------------------------------------- */

/* The device's writes do not pass the unit. */
static enum machine_dma bypass(struct machine *m, unsigned dev, bool write,
                               uint64_t iova, void *buf, size_t size)
{
    void *ram = sim_ram(doctored_of(m)->real, iova, size);

    if (!write || !ram)
        return real_ops.dma(m, dev, write, iova, buf, size);
    memcpy(ram, buf, size);
    return MACHINE_DMA_DONE;
}

/* The device's writes are lost, though nobody refuses them. */
static enum machine_dma lose(struct machine *m, unsigned dev, bool write,
                             uint64_t iova, void *buf, size_t size)
{
    if (write)
        return MACHINE_DMA_DONE;
    return real_ops.dma(m, dev, write, iova, buf, size);
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

static void must_notice_in(const char *name, const struct machine_ops *ops,
                           const char *promise)
{
    must_notice_with("legacy", name, ops, promise);
}

static void must_notice(const struct machine_ops *ops, const char *promise)
{
    must_notice_in("confine", ops, promise);
}

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
}

/* Of an accelerator's queues. */
static void lose_submission(struct machine *m, uint64_t addr, const void *bytes)
{
    (void)m;
    (void)addr;
    (void)bytes;
}

static void notices_lost_submissions(void **state)
{
    struct machine_ops ops = real_ops;

    (void)state;
    must_notice_with("scalable", "accel", &ops,
                     "the machine has a streaming accelerator");
    ops.movdir64b = lose_submission;
    must_notice_with("scalable", "accel", &ops,
                     "the accelerator works for the host");
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
        cmocka_unit_test(an_accelerator_is_shared),
        cmocka_unit_test(a_mode_is_found_for_a_scenario),
        cmocka_unit_test(a_scenario_has_a_name),
        cmocka_unit_test(notices_a_bypass),
        cmocka_unit_test(notices_lost_writes),
        cmocka_unit_test(notices_lost_submissions),
        cmocka_unit_test(notices_forged_interrupts),
        cmocka_unit_test(notices_lost_interrupts),
        cmocka_unit_test(notices_a_wrong_mode),
    };

    return cmocka_run_group_tests_name("scenario", tests, NULL, NULL);
}
