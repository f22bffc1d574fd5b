/* SPDX-License-Identifier: MIT */
/*
 * nvme.c - see nvme.h. NVM Express base specification 1.4: registers 3.1,
 * commands 4.2, SGLs 4.4, queues 5.3 and 5.4, initialisation 7.6.1; NVM command
 * set 6.9 (read) and 6.15 (write).
 */
#include "hosts/qtest/nvme.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
    REG_CAP = 0x00, /* 35:32 doorbell stride */
    REG_CC = 0x14,
    REG_CSTS = 0x1c,
    REG_AQA = 0x24,
    REG_ASQ = 0x28,
    REG_ACQ = 0x30,
    REG_DOORBELLS = 0x1000,

    CC_ENABLE = 1 << 0 | 6 << 16 | 4 << 20, /* entries of 2^6 and 2^4 bytes */
    CSTS_READY = 1 << 0,
    CSTS_FATAL = 1 << 1,

    ADMIN_CREATE_SQ = 0x01,
    ADMIN_CREATE_CQ = 0x05,
    ADMIN_GET_FEATURES = 0x0a,
    NVM_WRITE = 0x01,
    NVM_READ = 0x02,
    USE_SGL = 1 << 14, /* in dword 0 */
    CONTIGUOUS = 1,    /* of a queue */
    NUMBER_OF_QUEUES = 7, /* a feature */

    SGL_DATA = 0x00, /* descriptor types, in its last byte */
    SGL_LAST_SEGMENT = 0x30,

    SQE_SIZE = 64,
    CQE_SIZE = 16,
    N_ENTRIES = 64,
    BLOCK = 512,
    POLLS_PER_CHECK = 64,
};

/* Pages of the engine's area. */
enum area_page { ADMIN_SQ, ADMIN_CQ, IO_SQ, IO_CQ, SCRATCH };

struct command {
    uint32_t dword[16];
};

/* ---- life ---------------------------------------------------------------- */

bool qt_nvme_open(struct qt_nvme *nvme, unsigned index, struct qt_ram *ram,
                  char *error, size_t size)
{
    void *disk = MAP_FAILED;

    *nvme = (struct qt_nvme){
        .ram = ram,
        .area = ram->start + QT_ENGINES + index * QT_NVME_AREA_STEP,
    };
    nvme->disk_fd = memfd_create("nvme-disk", MFD_CLOEXEC);
    if (nvme->disk_fd >= 0 && ftruncate(nvme->disk_fd, QT_NVME_DISK) == 0) {
        disk = mmap(NULL, QT_NVME_DISK, PROT_READ | PROT_WRITE, MAP_SHARED,
                    nvme->disk_fd, 0);
    }
    if (disk == MAP_FAILED) {
        (void)snprintf(error, size, "disk of nvme%u: %s", index,
                       strerror(errno));
        return false;
    }
    nvme->disk = disk;
    return true;
}

void qt_nvme_attach(struct qt_nvme *nvme, struct qt_pci *pci,
                    struct uiommu_pci where, uint64_t bar)
{
    uint64_t cap = qt_proto_read(pci->proto, 8, bar + REG_CAP);

    nvme->proto = pci->proto;
    nvme->bar = bar;
    nvme->doorbell_step = 4u << (cap >> 32 & 0xf);
    nvme->timeout_ms = pci->proto->timeout_ms;
    qt_msix_enable(&nvme->msix, pci, where, bar);
}

void qt_nvme_close(struct qt_nvme *nvme)
{
    if (nvme->disk != NULL) {
        (void)munmap(nvme->disk, QT_NVME_DISK);
    }
    if (nvme->disk_fd >= 0) {
        (void)close(nvme->disk_fd);
    }
}

/* ---- registers and memory ------------------------------------------------ */

static uint32_t reg_read(struct qt_nvme *nvme, unsigned offset)
{
    return (uint32_t)qt_proto_read(nvme->proto, 4, nvme->bar + offset);
}

static void reg_write(struct qt_nvme *nvme, unsigned offset, uint32_t value)
{
    qt_proto_write(nvme->proto, 4, nvme->bar + offset, value);
}

static uint64_t area_page(const struct qt_nvme *nvme, enum area_page page)
{
    return nvme->area + (uint64_t)page * QT_PAGE;
}

/* Doorbells: SQ tail of queue 0, CQ head of queue 0, SQ tail of queue 1, ... */
static void doorbell(struct qt_nvme *nvme, const struct qt_nvme_queue *queue,
                     bool completion)
{
    unsigned n = 2 * queue->id + (completion ? 1 : 0);

    reg_write(nvme, REG_DOORBELLS + n * nvme->doorbell_step,
              completion ? queue->head : queue->tail);
}

static uint64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static enum machine_dma lost(struct qt_nvme *nvme, const char *why)
{
    nvme->ready = false;
    if (!qt_proto_alive(nvme->proto)) {
        return MACHINE_DMA_DEAD;
    }
    (void)snprintf(nvme->error, sizeof(nvme->error), "%s", why);
    return MACHINE_DMA_REFUSED;
}

/* ---- one command --------------------------------------------------------- */

static void submit(struct qt_nvme *nvme, struct qt_nvme_queue *queue,
                   struct command *command)
{
    uint8_t *sqe = qt_ram_at(nvme->ram, queue->sq) + queue->tail * SQE_SIZE;

    command->dword[0] |= (uint32_t)nvme->next_cid++ << 16;
    memcpy(sqe, command, SQE_SIZE);
    queue->tail = (queue->tail + 1) % N_ENTRIES;
    doorbell(nvme, queue, false);
}

/* Bit 16 of the last dword changes each time round the queue. */
static bool completed(const struct qt_nvme *nvme,
                      const struct qt_nvme_queue *queue, uint32_t *dword)
{
    uint8_t *cqe = qt_ram_at(nvme->ram, queue->cq) + queue->head * CQE_SIZE;

    *dword = __atomic_load_n((uint32_t *)(void *)(cqe + 12), __ATOMIC_ACQUIRE);
    return (*dword >> 16 & 1) == queue->phase;
}

/*
 * A controller that cannot reach its queues says so in CSTS and does nothing
 * any more. Asking it also keeps QEMU's main loop, where it does its work,
 * turning.
 */
static enum machine_dma wait_completion(struct qt_nvme *nvme,
                                        struct qt_nvme_queue *queue,
                                        uint32_t *dword)
{
    uint64_t deadline = now_ms() + nvme->timeout_ms;
    bool fatal = false, late = false;

    while (!completed(nvme, queue, dword)) {
        if (!qt_proto_alive(nvme->proto)) {
            return lost(nvme, "");
        }
        if (fatal) {
            return lost(nvme, "nvme cannot reach its queues");
        }
        if (late) {
            return lost(nvme, "nvme did not complete a command");
        }
        for (unsigned i = 0; i < POLLS_PER_CHECK; i++) {
            (void)sched_yield();
            if (completed(nvme, queue, dword)) {
                break;
            }
        }
        /* Looked at once more: it may have completed meanwhile. */
        fatal = (reg_read(nvme, REG_CSTS) & CSTS_FATAL) != 0;
        late = now_ms() > deadline;
    }
    return MACHINE_DMA_DONE;
}

static enum machine_dma run(struct qt_nvme *nvme, struct qt_nvme_queue *queue,
                            struct command *command)
{
    enum machine_dma result;
    uint32_t dword;

    submit(nvme, queue, command);
    result = wait_completion(nvme, queue, &dword);
    if (result != MACHINE_DMA_DONE) {
        return result;
    }
    queue->head = (queue->head + 1) % N_ENTRIES;
    if (queue->head == 0) {
        queue->phase = !queue->phase;
    }
    doorbell(nvme, queue, true);
    if (dword >> 17 != 0) {
        (void)snprintf(nvme->error, sizeof(nvme->error),
                       "nvme refused a command with status 0x%x", dword >> 17);
        return MACHINE_DMA_REFUSED;
    }
    return MACHINE_DMA_DONE;
}

/* ---- bring-up ------------------------------------------------------------ */

static bool wait_ready(struct qt_nvme *nvme, uint32_t wanted)
{
    uint64_t deadline = now_ms() + nvme->timeout_ms;
    uint32_t status;

    do {
        status = reg_read(nvme, REG_CSTS);
        if ((status & CSTS_READY) == wanted) {
            return true;
        }
        (void)sched_yield();
    } while (now_ms() < deadline && (status & CSTS_FATAL) == 0 &&
             qt_proto_alive(nvme->proto));
    return false;
}

static void queue_init(struct qt_nvme *nvme, struct qt_nvme_queue *queue,
                       unsigned id, enum area_page sq, enum area_page cq)
{
    *queue = (struct qt_nvme_queue){
        .id = id,
        .sq = area_page(nvme, sq),
        .cq = area_page(nvme, cq),
        .phase = true,
    };
}

static bool enable(struct qt_nvme *nvme)
{
    reg_write(nvme, REG_CC, 0);
    if (!wait_ready(nvme, 0)) {
        return false;
    }
    memset(qt_ram_at(nvme->ram, nvme->area), 0, QT_NVME_AREA);
    queue_init(nvme, &nvme->admin, 0, ADMIN_SQ, ADMIN_CQ);
    queue_init(nvme, &nvme->io, 1, IO_SQ, IO_CQ);
    reg_write(nvme, REG_AQA, (N_ENTRIES - 1) << 16 | (N_ENTRIES - 1));
    qt_proto_write(nvme->proto, 8, nvme->bar + REG_ASQ, nvme->admin.sq);
    qt_proto_write(nvme->proto, 8, nvme->bar + REG_ACQ, nvme->admin.cq);
    reg_write(nvme, REG_CC, CC_ENABLE);
    return wait_ready(nvme, CSTS_READY);
}

static enum machine_dma create_queue(struct qt_nvme *nvme, uint32_t opcode,
                                     uint64_t ring, uint32_t completions)
{
    struct command command = { .dword = {
                                   [0] = opcode,
                                   [6] = (uint32_t)ring,
                                   [7] = (uint32_t)(ring >> 32),
                                   [10] = (N_ENTRIES - 1) << 16 | nvme->io.id,
                                   [11] = completions << 16 | CONTIGUOUS,
                               } };

    return run(nvme, &nvme->admin, &command);
}

static enum machine_dma make_ready(struct qt_nvme *nvme)
{
    enum machine_dma result;

    if (!qt_proto_alive(nvme->proto)) {
        return lost(nvme, "");
    }
    if (nvme->ready) {
        return MACHINE_DMA_DONE;
    }
    if (!enable(nvme)) {
        return lost(nvme, "nvme does not become ready");
    }
    result = create_queue(nvme, ADMIN_CREATE_CQ, nvme->io.cq, 0);
    if (result == MACHINE_DMA_DONE) {
        result = create_queue(nvme, ADMIN_CREATE_SQ, nvme->io.sq, nvme->io.id);
    }
    nvme->ready = result == MACHINE_DMA_DONE;
    return result;
}

/* ---- DMA ----------------------------------------------------------------- */

static void sgl_descriptor(uint32_t dword[4], uint64_t iova, size_t size,
                           unsigned type)
{
    dword[0] = (uint32_t)iova;
    dword[1] = (uint32_t)(iova >> 32);
    dword[2] = (uint32_t)size;
    dword[3] = (uint32_t)type << 24;
}

/*
 * Scatter lists have byte granularity, which PRPs do not. The controller moves
 * whole blocks: what exceeds `size` goes to or comes from the scratch page.
 */
static void describe_data(struct qt_nvme *nvme, struct command *command,
                          uint64_t iova, size_t size, size_t padding)
{
    uint64_t scratch = area_page(nvme, SCRATCH);
    uint32_t list[2][4];

    if (padding == 0) {
        sgl_descriptor(&command->dword[6], iova, size, SGL_DATA);
        return;
    }
    sgl_descriptor(list[0], iova, size, SGL_DATA);
    sgl_descriptor(list[1], scratch + QT_PAGE - BLOCK, padding, SGL_DATA);
    memcpy(qt_ram_at(nvme->ram, scratch), list, sizeof(list));
    sgl_descriptor(&command->dword[6], scratch, sizeof(list), SGL_LAST_SEGMENT);
}

static enum machine_dma transfer(struct qt_nvme *nvme, bool write,
                                 uint64_t iova, size_t size)
{
    uint32_t n_blocks = (uint32_t)((size + BLOCK - 1) / BLOCK);
    struct command command = { .dword = {
                                   [0] =
                                       USE_SGL | (write ? NVM_READ : NVM_WRITE),
                                   [1] = 1, /* the only namespace */
                                   [12] = n_blocks - 1,
                               } };

    describe_data(nvme, &command, iova, size, n_blocks * BLOCK - size);
    return run(nvme, &nvme->io, &command);
}

enum machine_dma qt_nvme_dma(struct qt_nvme *nvme, bool write, uint64_t iova,
                             void *buf, size_t size)
{
    enum machine_dma result = make_ready(nvme);

    if (result != MACHINE_DMA_DONE) {
        return result;
    }
    if (write) {
        memcpy(nvme->disk, buf, size);
    }
    result = transfer(nvme, write, iova, size);
    if (!write && result == MACHINE_DMA_DONE) {
        memcpy(buf, nvme->disk, size);
    }
    return result;
}

/* ---- interrupts ---------------------------------------------------------- */

/* The admin queue has vector 0, and no way not to use it; a command that does
 * nothing makes it due. */
enum machine_dma qt_nvme_send_irq(struct qt_nvme *nvme, uint64_t addr,
                                  uint32_t data)
{
    struct command command = {
        .dword = { [0] = ADMIN_GET_FEATURES, [10] = NUMBER_OF_QUEUES }
    };
    enum machine_dma result = make_ready(nvme);

    if (result == MACHINE_DMA_DONE && nvme->msix.entry == 0) {
        return lost(nvme, "nvme has no MSI-X in BAR 0");
    }
    if (result == MACHINE_DMA_DONE) {
        result = run(nvme, &nvme->admin, &command);
    }
    if (result == MACHINE_DMA_DONE) {
        qt_msix_set(&nvme->msix, addr, data);
        qt_msix_mask(&nvme->msix, false);
        qt_msix_mask(&nvme->msix, true);
    }
    return result;
}
