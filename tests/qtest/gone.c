/* SPDX-License-Identifier: MIT */
/* gone.c - a QEMU that is missing, wrong, dead or silent: sentences, no hangs. */
#include "tests/qtest/common.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/qtest/fake.h"

/* Everything fails, at once, and m->error says why. */
static void assert_dead(struct machine *m, const struct test_board *b,
                        const char *why)
{
    struct test_message message = test_message(m, b, ENGINE, 0);
    void *regs = test_unit(m, b);
    uint64_t start = test_now_ms();
    uint32_t word = 0;

    test_says(m->error, why);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(machine_dma(m, ENGINE, true, b->ram, &word, 4),
                         MACHINE_DMA_DEAD);
        test_says(m->error, why);
        assert_int_equal(
            machine_send_irq(m, ENGINE, message.addr, message.data),
            MACHINE_DMA_DEAD);
        assert_int_equal(machine_raise_pin(m, 0x41), MACHINE_DMA_DEAD);
        test_says(m->error, why);
        assert_false(machine_run(m));
        assert_int_equal(m->host.mmio_read32(m->host.ctx, regs, 0), UINT32_MAX);
        assert_int_equal(test_config_read(m, ENGINE, 0, 2), 0xffff);
        m->host.mmio_write32(m->host.ctx, regs, 0x18, 0);
    }
    assert_true(test_now_ms() - start < 1000);
    machine_close(m);
}

void dead_qemu_is_noticed(const struct test_board *b)
{
    struct machine *m = test_open(b);
    uint64_t start = test_now_ms();
    uint32_t word = 0;

    assert_true(machine_run(m));
    assert_int_equal(machine_dma(m, ENGINE, true, b->ram, &word, 4),
                     MACHINE_DMA_DONE);
    assert_int_equal(kill(qtest_pid(m), SIGKILL), 0);
    assert_int_equal(machine_dma(m, ENGINE, true, b->ram, &word, 4),
                     MACHINE_DMA_DEAD);
    assert_true(test_now_ms() - start < 8000);
    assert_dead(m, b, "QEMU was killed by signal 9 (Killed)");
}

void death_between_calls_is_noticed(const struct test_board *b)
{
    struct machine *m = test_open(b);
    uint64_t start = test_now_ms();

    assert_int_equal(kill(qtest_pid(m), SIGTERM), 0);
    while (machine_run(m)) {
        assert_true(test_now_ms() - start < 8000);
    }
    assert_dead(m, b, "QEMU exited with status 0");
}

void silent_qemu_is_noticed(const struct test_board *b)
{
    struct qtest_config config = b->config;
    uint32_t word = 0;
    struct machine *m;
    uint64_t start;

    config.timeout_ms = 3000; /* QEMU has to start within it */
    m = test_open_config(&config);
    assert_int_equal(kill(qtest_pid(m), SIGSTOP), 0);
    start = test_now_ms();
    assert_int_equal(machine_dma(m, ENGINE, true, b->ram, &word, 4),
                     MACHINE_DMA_DEAD);
    assert_in_range(test_now_ms() - start, 2990, 9000);
    test_says(m->error, "did not answer 'writel 0x");
    assert_dead(m, b, "within 3000 ms");
}

void missing_qemu_is_a_sentence(const struct test_board *b)
{
    struct qtest_config config = b->config;

    config.binary = "/nonexistent/qemu";
    test_open_fails(&config,
                    "cannot run /nonexistent/qemu: No such file or directory");
}

void refused_option_is_a_sentence(const struct test_board *b)
{
    const struct qtest_config good = { .iommu = b->config.iommu };
    struct qtest_config config = good;

    config.options = "nonsense=on";
    test_open_fails(&config, b->refuses);
    config = (struct qtest_config){ .iommu = "amd-iommu" };
    test_open_fails(&config, "no machine with the IOMMU 'amd-iommu'");
    config = good;
    config.mode = "sideways";
    test_open_fails(&config, " has no mode 'sideways'");
    config = good;
    config.n_engines = QTEST_MAX_ENGINES + 1;
    test_open_fails(&config, "malformed");
    config = good;
    config.root_port = true;
    test_open_fails(&config, "malformed");
}

void misbehaving_qemu_is_a_sentence(const struct test_board *b)
{
    const struct {
        const char *kind, *part;
        unsigned timeout_ms;
    } rows[] = {
        { "old", "this is QEMU 7.2.22, and QEMU 10 or newer is needed", 0 },
        { "silent", "did not start within 300 ms", 300 },
        { "confused", b->confused, 0 },
        { "endless", "sent a line of over", 0 },
        { "dying", "QEMU exited with status 42: first line out of cheese", 0 },
        /* Interrupts are skipped; a fw_cfg that does nothing is not. */
        { "interrupting", "fw_cfg: cannot read etc/table-loader", 0 },
    };
    struct qtest_config config = { .iommu = b->config.iommu,
                                   .binary = fake_binary() };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(setenv(FAKE_VARIABLE, rows[i].kind, 1), 0);
        config.timeout_ms = rows[i].timeout_ms;
        test_open_fails(&config, rows[i].part);
    }
    assert_int_equal(unsetenv(FAKE_VARIABLE), 0);
}

static unsigned open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        n++;
    }
    (void)closedir(dir);
    return n;
}

void nothing_is_left_behind(const struct test_board *b)
{
    struct qtest_config config = { .iommu = b->config.iommu,
                                   .options = "nonsense=on",
                                   .n_engines = 1 };
    unsigned before = open_files();
    struct machine *m = test_open(b);
    pid_t pid = qtest_pid(m);

    test_close(m);
    assert_int_equal(kill(pid, 0), -1);
    test_open_fails(&config, "nonsense");
    assert_int_equal(open_files(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}
