/* SPDX-License-Identifier: MIT */
#include "tests/sim/tools.h"

#include <string.h>

static void say_nothing(void *ctx, const char *text)
{
    (void)ctx;
    (void)text;
}

struct machine *open_sim(const struct sim_config *config)
{
    struct sim_config quiet = config ? *config : (struct sim_config){ 0 };
    struct machine *m;
    char error[256];

    quiet.on_problem = say_nothing;
    m = sim_open(&quiet, error, sizeof(error));
    if (!m)
        fail_msg("%s", error);
    return m;
}

void close_sim(struct machine *m)
{
    if (sim_violations(m) > 0)
        fail_msg("%s", sim_violation(m, 0));
    if (sim_check_leaks(m) > 0)
        fail_msg("%s", sim_violation(m, 0));
    assert_int_equal(sim_close(m), 0);
}

void expect_violation(struct machine *m, const char *part)
{
    if (sim_violations(m) == 0)
        fail_msg("nobody noticed: %s", part);
    if (sim_violations(m) > 1)
        fail_msg("not alone: %s", sim_violation(m, 1));
    if (!strstr(sim_violation(m, 0), part))
        fail_msg("\"%s\" does not say \"%s\"", sim_violation(m, 0), part);
    sim_forget(m);
}

unsigned dev_of(struct machine *m, const char *name)
{
    int dev = sim_find(m, name);

    if (dev < 0)
        fail_msg("no function %s", name);
    return (unsigned)dev;
}

struct sim_request dma_write(struct machine *m, unsigned dev, uint64_t iova,
                             size_t size)
{
    static uint8_t buf[3 * 4096];
    struct sim_request r = {
        .dev = dev, .write = true, .iova = iova, .buf = buf, .size = size
    };

    memset(buf, 0x5a, sizeof(buf));
    (void)sim_dma(m, &r);
    return r;
}
