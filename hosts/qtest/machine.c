/* SPDX-License-Identifier: MIT */
/*
 * machine.c - see qtest.h. Puts the machine together: starts QEMU, finds
 * version, devices and tables, and provides the operations of hosts/machine.h.
 *
 * Locks: `dma` is taken before the lock of the link, and never with the latter
 * held.
 */
#include "hosts/qtest/qtest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hosts/qtest/board.h"
#include "hosts/qtest/cmdline.h"
#include "hosts/qtest/edu.h"
#include "hosts/qtest/fwcfg.h"
#include "hosts/qtest/host.h"
#include "hosts/qtest/ioapic.h"
#include "hosts/qtest/log.h"
#include "hosts/qtest/msi.h"
#include "hosts/qtest/nvme.h"
#include "hosts/qtest/pci.h"
#include "hosts/qtest/process.h"
#include "hosts/qtest/proto.h"
#include "hosts/qtest/ram.h"

enum {
    DEFAULT_TIMEOUT_MS = 10000,
    OLDEST_QEMU = 10,
    BUS_BEHIND_PORT = 1,
    BUS_OF_BRIDGE = 2, /* the one to conventional PCI */
    BUS_OF_EDUS = 3,
    BAR_OF_BRIDGE = QTEST_MAX_ENGINES,
    BAR_OF_EDUS,
    ROM_SIZE = 65536,
    MAX_DEVICES = 1 + QTEST_MAX_ENGINES + 2 + QTEST_MAX_EDUS,
    MAX_FDS = 5 + QTEST_MAX_ENGINES, /* that QEMU inherits */
    NAME_SIZE = 16,
    MAX_DELIVERED = 1000, /* in one machine_run() */
};

_Static_assert(QTEST_MAX_DMA == QT_NVME_MAX_DMA, "one limit");
_Static_assert((int)BAR_OF_EDUS + QTEST_MAX_EDUS <= QT_N_BARS,
               "a BAR for each engine");

/* What makes a device do DMA; both NULL: nothing does. */
struct qt_engine {
    struct qt_nvme *nvme;
    struct qt_edu *edu;
};

struct qtest {
    struct machine machine;
    const struct qt_board *board;
    struct qt_process process;
    struct qt_proto proto;
    struct qt_ram ram;
    struct qt_pci pci;
    struct qt_fw fw;
    struct qt_host host;
    struct qt_log log;
    struct qt_msis msis;
    int qtest_fd[2], monitor_fd[2]; /* ours, QEMU's; -1: closed */
    bool linked;
    unsigned version;

    pthread_mutex_t dma; /* over engines and machine.error once open */
    unsigned n_engines;
    struct qt_nvme engines[QTEST_MAX_ENGINES];
    struct qt_edu edus[QTEST_MAX_EDUS];
    int rom_fd; /* -1: no CPU runs */
    struct machine_device devices[MAX_DEVICES];
    struct qt_engine engine[MAX_DEVICES];
    char names[MAX_DEVICES][NAME_SIZE];
};

static struct qtest *from_machine(struct machine *m)
{
    return (struct qtest *)(void *)m;
}

/* ---- start --------------------------------------------------------------- */

static bool check_config(const struct qtest_config *config, char *error,
                         size_t size)
{
    const struct qt_board *board = qt_board_find(config->iommu);

    if (board == NULL) {
        (void)snprintf(error, size, "no machine with the IOMMU '%s'",
                       config->iommu);
        return false;
    }
    if (qt_board_mode(board, config->mode) == NULL) {
        (void)snprintf(error, size, "%s has no mode '%s'", board->iommu,
                       config->mode);
        return false;
    }
    if (config->n_engines > QTEST_MAX_ENGINES ||
        config->n_edus > QTEST_MAX_EDUS ||
        (config->root_port && config->n_engines == 0)) {
        (void)snprintf(error, size, "malformed configuration");
        return false;
    }
    return true;
}

static bool open_channel(int fd[2], char *error, size_t size)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0) {
        (void)snprintf(error, size, "socketpair: %s", strerror(errno));
        return false;
    }
    return true;
}

static bool open_rom(struct qtest *qtest, char *error, size_t size)
{
    uint8_t rom[ROM_SIZE];

    for (size_t i = 0; i < sizeof(rom); i++) {
        rom[i] = (uint8_t)(qtest->board->halt >> 8 * (i % 8));
    }
    qtest->rom_fd = memfd_create("rom", MFD_CLOEXEC);
    if (qtest->rom_fd < 0 ||
        write(qtest->rom_fd, rom, sizeof(rom)) != (ssize_t)sizeof(rom)) {
        (void)snprintf(error, size, "rom: %s", strerror(errno));
        return false;
    }
    return true;
}

static bool open_files(struct qtest *qtest, const struct qtest_config *config,
                       char *error, size_t size)
{
    if (!qt_ram_open(&qtest->ram, qtest->board->ram, error, size) ||
        !qt_log_open(&qtest->log, qtest->board->events, error, size) ||
        !open_channel(qtest->qtest_fd, error, size) ||
        !open_channel(qtest->monitor_fd, error, size) ||
        (config->n_edus > 0 && !open_rom(qtest, error, size))) {
        return false;
    }
    while (qtest->n_engines < config->n_engines) {
        unsigned i = qtest->n_engines++;

        if (!qt_nvme_open(&qtest->engines[i], i, &qtest->ram, error, size)) {
            return false;
        }
    }
    return true;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

static struct qt_wires wires_of(const struct qtest *qtest)
{
    struct qt_wires wires = {
        .ram = qtest->ram.fd,
        .log = qtest->log.fd,
        .qtest = qtest->qtest_fd[1],
        .monitor = qtest->monitor_fd[1],
        .rom = qtest->rom_fd,
    };

    for (unsigned i = 0; i < qtest->n_engines; i++) {
        wires.disk[i] = qtest->engines[i].disk_fd;
    }
    return wires;
}

static size_t inherited(const struct qtest *qtest, const struct qt_wires *wires,
                        int fds[MAX_FDS])
{
    size_t n = 4;

    memcpy(fds, (int[]){ wires->ram, wires->log, wires->qtest, wires->monitor },
           4 * sizeof(int));
    if (wires->rom >= 0) {
        fds[n++] = wires->rom;
    }
    memcpy(fds + n, wires->disk, qtest->n_engines * sizeof(int));
    return n + qtest->n_engines;
}

static bool start_process(struct qtest *qtest,
                          const struct qtest_config *config, char *error,
                          size_t size)
{
    struct qt_wires wires = wires_of(qtest);
    int keep[MAX_FDS];
    size_t n = inherited(qtest, &wires, keep);
    struct qt_cmdline line;

    if (!qt_cmdline_make(&line, config, &wires)) {
        (void)snprintf(error, size, "malformed configuration: too long");
        return false;
    }
    if (!qt_process_start(&qtest->process, line.argv, keep, n, error, size)) {
        return false;
    }
    /* So that we see the end of a QEMU that dies. */
    close_fd(&qtest->qtest_fd[1]);
    close_fd(&qtest->monitor_fd[1]);
    return true;
}

/* The monitor names it before it is asked anything. */
static bool check_version(struct qtest *qtest)
{
    char line[512];
    const char *p;
    unsigned micro, minor, major;

    if (!qt_proto_greeting(&qtest->proto, qtest->monitor_fd[0], line,
                           sizeof(line))) {
        return false;
    }
    p = strstr(line, "\"micro\"");
    if (p == NULL || sscanf(p, "\"micro\": %u, \"minor\": %u, \"major\": %u",
                            &micro, &minor, &major) != 3) {
        qt_proto_fail(&qtest->proto, "cannot tell QEMU's version from '%.80s'",
                      line);
        return false;
    }
    qtest->version = major * 10000 + minor * 100 + micro;
    if (major < OLDEST_QEMU) {
        qt_proto_fail(&qtest->proto,
                      "this is QEMU %u.%u.%u, and QEMU %d or newer is needed: "
                      "run scripts/install-deps.sh",
                      major, minor, micro, OLDEST_QEMU);
        return false;
    }
    return true;
}

static void init_link(struct qtest *qtest, const struct qtest_config *config)
{
    qt_proto_init(&qtest->proto, &qtest->process, qtest->qtest_fd[0],
                  config->timeout_ms != 0 ? config->timeout_ms
                                          : DEFAULT_TIMEOUT_MS);
    qtest->qtest_fd[0] = -1; /* the link closes it */
    qtest->linked = true;
}

/* ---- devices ------------------------------------------------------------- */

static struct uiommu_pci slot(uint8_t bus, unsigned device)
{
    return (struct uiommu_pci){ .bus = bus, .devfn = (uint8_t)(device << 3) };
}

__attribute__((format(printf, 5, 6))) static void
add_device(struct qtest *qtest, struct uiommu_pci pci, int bridge,
           struct qt_engine engine, const char *name, ...)
{
    unsigned dev = qtest->machine.n_devices++;
    va_list args;

    va_start(args, name);
    (void)vsnprintf(qtest->names[dev], NAME_SIZE, name, args);
    va_end(args);
    qtest->engine[dev] = engine;
    qtest->devices[dev] = (struct machine_device){
        .name = qtest->names[dev],
        .pci = pci,
        .bridge = bridge,
        .engine = engine.nvme != NULL || engine.edu != NULL,
    };
}

/* Device i + 1 is engine i if there is a root port, else device i is. */
static void setup_engine(struct qtest *qtest, const struct qtest_config *config,
                         unsigned index)
{
    uint64_t bar = qtest->board->bars + index * QT_BAR_STEP;
    bool behind = qt_is_behind_port(config, index);
    struct uiommu_pci pci =
        behind ? slot(BUS_BEHIND_PORT, 0) : slot(0, QT_FIRST_SLOT + index);

    if (behind) {
        qt_pci_setup_bridge(&qtest->pci, slot(0, QT_PORT_SLOT), BUS_BEHIND_PORT,
                            BUS_BEHIND_PORT, bar, 1);
    }
    qt_pci_setup_device(&qtest->pci, pci, bar);
    qt_nvme_attach(&qtest->engines[index], &qtest->pci, pci, bar);
    add_device(qtest, pci, behind ? 0 : MACHINE_NO_BRIDGE,
               (struct qt_engine){ .nvme = &qtest->engines[index] }, "nvme%u",
               index);
}

static uint64_t bar_of(const struct qtest *qtest, unsigned n)
{
    return qtest->board->bars + n * QT_BAR_STEP;
}

static void setup_edu(struct qtest *qtest, unsigned index, int bridge)
{
    struct uiommu_pci pci = slot(BUS_OF_EDUS, QT_FIRST_EDU_SLOT + index);
    uint64_t bar = bar_of(qtest, BAR_OF_EDUS + index);
    uint64_t area = qtest->ram.start + QT_ENGINES +
                    (QTEST_MAX_ENGINES + index) * QT_NVME_AREA_STEP;

    qt_pci_setup_device(&qtest->pci, pci, bar);
    qtest->edus[index] = (struct qt_edu){
        .proto = &qtest->proto,
        .ram = &qtest->ram,
        .log = &qtest->log,
        .bar = bar,
        .area = area,
    };
    add_device(qtest, pci, bridge,
               (struct qt_engine){ .edu = &qtest->edus[index] }, "edu%u",
               index);
}

/* The port, the bridge, the devices behind. The bridge has registers of its own. */
static void setup_edus(struct qtest *qtest, unsigned n)
{
    struct uiommu_pci port = slot(0, QT_EDU_PORT_SLOT);
    struct uiommu_pci bridge = slot(BUS_OF_BRIDGE, 0);
    int first = (int)qtest->machine.n_devices;

    qt_pci_setup_bridge(&qtest->pci, port, BUS_OF_BRIDGE, BUS_OF_EDUS,
                        bar_of(qtest, BAR_OF_BRIDGE), 1 + n);
    qt_pci_setup_device(&qtest->pci, bridge, bar_of(qtest, BAR_OF_BRIDGE));
    qt_pci_setup_bridge(&qtest->pci, bridge, BUS_OF_EDUS, BUS_OF_EDUS,
                        bar_of(qtest, BAR_OF_EDUS), n);
    add_device(qtest, port, MACHINE_NO_BRIDGE, (struct qt_engine){ 0 },
               "pci-port");
    add_device(qtest, bridge, first, (struct qt_engine){ 0 }, "pci-bridge");
    for (unsigned i = 0; i < n; i++) {
        setup_edu(qtest, i, first + 1);
    }
}

static void setup_devices(struct qtest *qtest,
                          const struct qtest_config *config)
{
    qt_pci_init(&qtest->pci, &qtest->proto, qtest->board);
    if (config->root_port) {
        add_device(qtest, slot(0, QT_PORT_SLOT), MACHINE_NO_BRIDGE,
                   (struct qt_engine){ 0 }, "port");
    }
    for (unsigned i = 0; i < qtest->n_engines; i++) {
        setup_engine(qtest, config, i);
    }
    if (config->n_edus > 0) {
        setup_edus(qtest, config->n_edus);
    }
    qtest->machine.devices = qtest->devices;
}

static bool load_tables(struct qtest *qtest, char *error, size_t size)
{
    struct machine *m = &qtest->machine;

    if (!qt_fw_load(&qtest->fw, qtest->board, &qtest->proto, &qtest->ram, error,
                    size)) {
        return false;
    }
    m->table = qt_fw_table(&qtest->fw, qtest->board->table, 0, &m->table_size);
    if (m->table == NULL) {
        (void)snprintf(error, size, "no %s with a valid checksum",
                       qtest->board->table);
        return false;
    }
    return true;
}

/* ---- operations ---------------------------------------------------------- */

static struct qt_engine engine_of(const struct qtest *qtest, unsigned dev)
{
    return dev < MAX_DEVICES ? qtest->engine[dev] : (struct qt_engine){ 0 };
}

__attribute__((format(printf, 3, 4))) static enum machine_dma
say(struct qtest *qtest, enum machine_dma result, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(qtest->machine.error, sizeof(qtest->machine.error), format,
                    args);
    va_end(args);
    return result;
}

/* The controller noticed some refusals, the log has all. */
static enum machine_dma judge(struct qtest *qtest, const char *error,
                              enum machine_dma result)
{
    char line[120];
    bool refused = qt_log_refusal(&qtest->log, line, sizeof(line));

    if (result == MACHINE_DMA_DEAD || !qt_proto_alive(&qtest->proto)) {
        return say(qtest, MACHINE_DMA_DEAD, "%s",
                   qt_proto_error(&qtest->proto));
    }
    if (result == MACHINE_DMA_REFUSED) {
        return say(qtest, result, "%s%s%s", error, refused ? ": " : "",
                   refused ? line : "");
    }
    if (refused) {
        return say(qtest, MACHINE_DMA_REFUSED, "%s", line);
    }
    return say(qtest, result, "%s", "");
}

static enum machine_dma engine_dma(struct qtest *qtest, struct qt_engine engine,
                                   bool write, uint64_t iova, void *buf,
                                   size_t size)
{
    char line[8];

    (void)qt_log_refusal(&qtest->log, line, sizeof(line));
    if (engine.nvme != NULL) {
        return judge(qtest, engine.nvme->error,
                     qt_nvme_dma(engine.nvme, write, iova, buf, size));
    }
    return judge(qtest, engine.edu->error,
                 qt_edu_dma(engine.edu, write, iova, buf, size));
}

static enum machine_dma dma(struct machine *m, unsigned dev, bool write,
                            uint64_t iova, void *buf, size_t size)
{
    struct qtest *qtest = from_machine(m);
    struct qt_engine engine = engine_of(qtest, dev);
    enum machine_dma result;

    (void)pthread_mutex_lock(&qtest->dma);
    if (engine.nvme == NULL && engine.edu == NULL) {
        result = say(qtest, MACHINE_DMA_REFUSED, "device %u is no engine", dev);
    } else if (size == 0 || size > QTEST_MAX_DMA || iova + size - 1 < iova) {
        result = say(qtest, MACHINE_DMA_REFUSED,
                     "%zu bytes at 0x%llx: not 1 to %d, or wraps", size,
                     (unsigned long long)iova, QTEST_MAX_DMA);
    } else {
        result = engine_dma(qtest, engine, write, iova, buf, size);
    }
    (void)pthread_mutex_unlock(&qtest->dma);
    return result;
}

static enum machine_dma send_irq(struct machine *m, unsigned dev, uint64_t addr,
                                 uint32_t data)
{
    struct qtest *qtest = from_machine(m);
    struct qt_nvme *nvme = engine_of(qtest, dev).nvme;
    enum machine_dma result;

    (void)pthread_mutex_lock(&qtest->dma);
    if (nvme == NULL) {
        result = say(qtest, MACHINE_DMA_REFUSED,
                     "device %u is no engine that sends messages", dev);
    } else {
        result = qt_nvme_send_irq(nvme, addr, data);
        (void)say(qtest, result, "%s",
                  result == MACHINE_DMA_DEAD ? qt_proto_error(&qtest->proto)
                  : result == MACHINE_DMA_REFUSED ? nvme->error
                                                  : "");
    }
    (void)pthread_mutex_unlock(&qtest->dma);
    return result;
}

static enum machine_dma raise_pin(struct machine *m, uint64_t rte)
{
    struct qtest *qtest = from_machine(m);
    const char *path = qtest->board->ioapic;
    enum machine_dma result = MACHINE_DMA_DONE;

    (void)pthread_mutex_lock(&qtest->dma);
    if (path != NULL) {
        qt_ioapic_raise(&qtest->proto, path, rte);
    }
    if (!qt_proto_alive(&qtest->proto)) {
        result =
            say(qtest, MACHINE_DMA_DEAD, "%s", qt_proto_error(&qtest->proto));
    } else if (path == NULL) {
        result = say(qtest, MACHINE_DMA_REFUSED, "there is no I/O APIC");
    }
    (void)pthread_mutex_unlock(&qtest->dma);
    return result;
}

static bool of_device(const struct uiommu_irq_target *irq)
{
    return !qt_msi_is(irq);
}

static bool take_irq(struct machine *m, struct uiommu_irq_target *out)
{
    struct qtest *qtest = from_machine(m);
    bool arrived;

    (void)pthread_mutex_lock(&qtest->dma);
    arrived = qt_log_irq(&qtest->log, of_device, out);
    (void)pthread_mutex_unlock(&qtest->dma);
    return arrived;
}

bool qtest_take_iec(struct machine *m, struct qtest_iec *out)
{
    struct qtest *qtest = from_machine(m);
    bool done;

    (void)pthread_mutex_lock(&qtest->dma);
    done = qt_log_iec(&qtest->log, out);
    (void)pthread_mutex_unlock(&qtest->dma);
    return done;
}

static struct uiommu_range engine_area(struct machine *m, unsigned dev)
{
    struct qt_engine engine = engine_of(from_machine(m), dev);

    if (engine.nvme != NULL) {
        return (struct uiommu_range){ engine.nvme->area, QT_NVME_AREA };
    }
    if (engine.edu != NULL) {
        return (struct uiommu_range){ engine.edu->area, QT_PAGE };
    }
    return (struct uiommu_range){ 0 };
}

static bool next_wire(struct qtest *qtest, unsigned *n)
{
    bool arrived;

    (void)pthread_mutex_lock(&qtest->dma);
    arrived = qt_log_wire(&qtest->log, n);
    (void)pthread_mutex_unlock(&qtest->dma);
    return arrived;
}

static bool next_message(struct qtest *qtest, struct uiommu_irq_target *out)
{
    bool arrived;

    (void)pthread_mutex_lock(&qtest->dma);
    arrived = qt_log_irq(&qtest->log, qt_msi_is, out);
    (void)pthread_mutex_unlock(&qtest->dma);
    return arrived;
}

static void tell(struct qtest *qtest, unsigned unit, unsigned n)
{
    if (qtest->machine.on_irq != NULL) {
        qtest->machine.on_irq(qtest->machine.irq_ctx, unit, n);
    }
}

/* One that causes another for ever has to be seen to. */
static void deliver(struct qtest *qtest)
{
    struct uiommu_irq_target irq;
    unsigned unit, n;

    for (unsigned i = 0; i < MAX_DELIVERED; i++) {
        if (next_wire(qtest, &n)) {
            tell(qtest, 0, n);
        } else if (!next_message(qtest, &irq)) {
            return;
        } else if (qt_msi_owner(&qtest->msis, &irq, &unit, &n)) {
            tell(qtest, unit, n);
        }
    }
}

static bool run(struct machine *m)
{
    struct qtest *qtest = from_machine(m);

    if (qt_proto_pump(&qtest->proto)) {
        deliver(qtest);
        return true;
    }
    (void)pthread_mutex_lock(&qtest->dma);
    (void)say(qtest, MACHINE_DMA_DEAD, "%s", qt_proto_error(&qtest->proto));
    (void)pthread_mutex_unlock(&qtest->dma);
    return false;
}

/* Also what open undoes with: any part may be missing. */
static void qtest_close(struct machine *m)
{
    struct qtest *qtest = from_machine(m);

    qt_process_stop(&qtest->process);
    if (qtest->linked) {
        qt_proto_close(&qtest->proto);
    }
    for (unsigned i = 0; i < qtest->n_engines; i++) {
        qt_nvme_close(&qtest->engines[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        close_fd(&qtest->qtest_fd[i]);
        close_fd(&qtest->monitor_fd[i]);
    }
    close_fd(&qtest->rom_fd);
    qt_log_close(&qtest->log);
    qt_ram_close(&qtest->ram);
    (void)pthread_mutex_destroy(&qtest->dma);
    qt_msis_close(&qtest->msis);
    free(qtest);
}

static const struct machine_ops qtest_ops = {
    .dma = dma,
    .engine_area = engine_area,
    .send_irq = send_irq,
    .raise_pin = raise_pin,
    .take_irq = take_irq,
    .run = run,
    .close = qtest_close,
};

/* ---- open ---------------------------------------------------------------- */

static struct qtest *create(const struct qtest_config *config)
{
    struct qtest *qtest = calloc(1, sizeof(*qtest));

    if (qtest == NULL) {
        return NULL;
    }
    qtest->board = qt_board_find(config->iommu);
    qtest->process = (struct qt_process){ .pid = -1, .stderr_fd = -1 };
    qtest->ram.fd = qtest->log.fd = qtest->rom_fd = -1;
    qtest->qtest_fd[0] = qtest->qtest_fd[1] = -1;
    qtest->monitor_fd[0] = qtest->monitor_fd[1] = -1;
    (void)pthread_mutex_init(&qtest->dma, NULL);
    qt_msis_init(&qtest->msis);
    qtest->machine.ops = &qtest_ops;
    qtest->machine.name = qtest->board->name;
    qtest->host = (struct qt_host){
        .board = qtest->board,
        .proto = &qtest->proto,
        .ram = &qtest->ram,
        .pci = &qtest->pci,
        .fw = &qtest->fw,
        .msis = &qtest->msis,
        .log = config->log,
        .log_ctx = config->log_ctx,
    };
    return qtest;
}

static bool bring_up(struct qtest *qtest, const struct qtest_config *config,
                     char *error, size_t size)
{
    bool ok;

    if (!open_files(qtest, config, error, size) ||
        !start_process(qtest, config, error, size)) {
        return false;
    }
    init_link(qtest, config);
    ok = check_version(qtest);
    if (ok) {
        setup_devices(qtest, config);
        ok = load_tables(qtest, error, size);
        qt_log_forget_irqs(&qtest->log);
    }
    /* Why the link died explains whatever else went wrong. */
    if (!qt_proto_alive(&qtest->proto)) {
        (void)snprintf(error, size, "%s", qt_proto_error(&qtest->proto));
    }
    return ok && qt_proto_alive(&qtest->proto);
}

struct machine *qtest_open(const struct qtest_config *config, char *error,
                           size_t size)
{
    struct qtest *qtest;

    if (!check_config(config, error, size)) {
        return NULL;
    }
    qtest = create(config);
    if (qtest == NULL) {
        (void)snprintf(error, size, "no memory");
        return NULL;
    }
    if (!bring_up(qtest, config, error, size)) {
        qtest_close(&qtest->machine);
        return NULL;
    }
    qt_host_init(&qtest->machine.host, &qtest->host);
    return &qtest->machine;
}

size_t qtest_live_pages(struct machine *m)
{
    return qt_ram_live(&from_machine(m)->ram);
}

void qtest_hand_over(struct machine *m)
{
    qt_ram_leave(&from_machine(m)->ram);
}

void qtest_reclaim(struct machine *m)
{
    qt_ram_reclaim(&from_machine(m)->ram);
}

unsigned qtest_version(const struct machine *m)
{
    return ((const struct qtest *)(const void *)m)->version;
}

pid_t qtest_pid(const struct machine *m)
{
    return ((const struct qtest *)(const void *)m)->process.pid;
}
