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

/* ---- configuration space ------------------------------------------------- */

uint32_t config_read(struct machine *m, unsigned dev, unsigned offset,
                     unsigned width)
{
    return m->host.pci_read(m->host.ctx, m->devices[dev].pci, offset, width);
}

void config_write(struct machine *m, unsigned dev, unsigned offset,
                  unsigned width, uint32_t value)
{
    m->host.pci_write(m->host.ctx, m->devices[dev].pci, offset, width, value);
}

unsigned ext_cap(struct machine *m, unsigned dev, unsigned id)
{
    unsigned at = 0x100;

    while (at != 0) {
        uint32_t header = config_read(m, dev, at, 4);

        if (header == 0 || header == UINT32_MAX)
            return 0;
        if ((header & 0xffff) == id)
            return at;
        at = header >> 20;
    }
    return 0;
}

unsigned std_cap(struct machine *m, unsigned dev, unsigned id)
{
    unsigned at = config_read(m, dev, 0x34, 1);

    while (at != 0 && config_read(m, dev, at, 1) != id)
        at = config_read(m, dev, at + 1, 1);
    return at;
}

unsigned prefix_bits(struct machine *m, unsigned dev)
{
    unsigned pcie = std_cap(m, dev, 0x10);

    return config_read(m, dev, pcie + 0x24, 4) >> 20 & 3;
}
