/* SPDX-License-Identifier: MIT */
#include "tests/scenario/stories.h"

void tell(void *ctx, const struct scenario_step *step)
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

struct story told(const char *machine, const char *mode, const char *scenario,
                  unsigned steps)
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

/* ---- machines that are not as they should be ------------------------------------ */

struct doctored *doctored_of(struct machine *m)
{
    return (struct doctored *)m;
}

static enum machine_dma real_dma(struct machine *m, unsigned dev, bool write,
                                 uint64_t iova, void *buf, size_t size)
{
    return machine_dma(doctored_of(m)->real, dev, write, iova, buf, size);
}

static enum machine_dma real_dma_pasid(struct machine *m, unsigned dev,
                                       uint32_t pasid, bool write,
                                       uint64_t iova, void *buf, size_t size)
{
    return machine_dma_pasid(doctored_of(m)->real, dev, pasid, write, iova, buf,
                             size);
}

static bool real_ask(struct machine *m, unsigned dev, uint32_t pasid,
                     bool write, uint64_t iova)
{
    return machine_ask(doctored_of(m)->real, dev, pasid, write, iova);
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

static bool real_run(struct machine *m)
{
    return machine_run(doctored_of(m)->real);
}

static void no_close(struct machine *m)
{
    (void)m;
}

const struct machine_ops real_ops = {
    .dma = real_dma,
    .dma_pasid = real_dma_pasid,
    .ask = real_ask,
    .engine_area = real_area,
    .send_irq = real_send,
    .take_irq = real_take,
    .run = real_run,
    .close = no_close,
};

void must_notice_with(const char *mode, const char *name,
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
