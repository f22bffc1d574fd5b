/* SPDX-License-Identifier: MIT */
/* host.c - see host.h. */
#include "hosts/qtest/host.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- discovery ----------------------------------------------------------- */

static const void *map_table(void *ctx, const char signature[4], unsigned index,
                             size_t *size)
{
    struct qt_host *host = ctx;

    return qt_fw_table(host->fw, signature, index, size);
}

static void unmap_table(void *ctx, const void *table, size_t size)
{
    (void)ctx;
    (void)table;
    (void)size;
}

static void log_text(void *ctx, enum uiommu_log_level level, const char *text)
{
    struct qt_host *host = ctx;

    if (host->log != NULL) {
        host->log(host->log_ctx, level, text);
    } else if (level <= UIOMMU_LOG_WARN) {
        (void)fprintf(stderr, "uiommu: %s\n", text);
    }
}

/* ---- memory -------------------------------------------------------------- */

static void *host_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void host_free(void *ctx, void *ptr, size_t size)
{
    (void)ctx;
    (void)size;
    free(ptr);
}

static void *pages_alloc(void *ctx, unsigned order, unsigned flags,
                         uint64_t *phys)
{
    struct qt_host *host = ctx;
    uint64_t found = qt_ram_alloc(host->ram, order);

    (void)flags;
    if (found == UINT64_MAX) {
        return NULL;
    }
    *phys = found;
    return qt_ram_at(host->ram, found);
}

static void pages_free(void *ctx, void *virt, uint64_t phys, unsigned order)
{
    struct qt_host *host = ctx;

    if (virt != qt_ram_at(host->ram, phys)) {
        (void)fprintf(stderr, "pages_free: %p is not at 0x%llx\n", virt,
                      (unsigned long long)phys);
        abort();
    }
    qt_ram_free(host->ram, phys, order);
}

static void *phys_to_virt(void *ctx, uint64_t phys)
{
    struct qt_host *host = ctx;

    return qt_ram_at(host->ram, phys);
}

/* QEMU's units claim not to snoop, but read the very memory that we write. */
static void flush(void *ctx, const void *virt, size_t size)
{
    (void)ctx;
    (void)virt;
    (void)size;
}

/* ---- registers ----------------------------------------------------------- */

static bool is_inside(uint64_t phys, size_t size, uint64_t start,
                      uint64_t start_size)
{
    return phys >= start && size <= start_size &&
           phys - start <= start_size - size;
}

/* The handle is the physical address. */
static void *mmio_map(void *ctx, uint64_t phys, size_t size)
{
    const struct qt_board *board = ((struct qt_host *)ctx)->board;

    if (is_inside(phys, size, board->unit_base, board->unit_size) ||
        is_inside(phys, size, board->bars, QT_N_BARS * QT_BAR_STEP)) {
        return (void *)(uintptr_t)phys;
    }
    return NULL;
}

static void mmio_unmap(void *ctx, void *mmio, size_t size)
{
    (void)ctx;
    (void)mmio;
    (void)size;
}

static uint32_t mmio_read32(void *ctx, void *mmio, size_t offset)
{
    struct qt_host *host = ctx;

    return (uint32_t)qt_proto_read(host->proto, 4, (uintptr_t)mmio + offset);
}

static uint64_t mmio_read64(void *ctx, void *mmio, size_t offset)
{
    struct qt_host *host = ctx;

    return qt_proto_read(host->proto, 8, (uintptr_t)mmio + offset);
}

static void mmio_write32(void *ctx, void *mmio, size_t offset, uint32_t value)
{
    struct qt_host *host = ctx;

    qt_proto_write(host->proto, 4, (uintptr_t)mmio + offset, value);
}

static void mmio_write64(void *ctx, void *mmio, size_t offset, uint64_t value)
{
    struct qt_host *host = ctx;

    qt_proto_write(host->proto, 8, (uintptr_t)mmio + offset, value);
}

static uint32_t pci_read(void *ctx, struct uiommu_pci where, unsigned offset,
                         unsigned width)
{
    struct qt_host *host = ctx;

    return qt_pci_read(host->pci, where, offset, width);
}

static void pci_write(void *ctx, struct uiommu_pci where, unsigned offset,
                      unsigned width, uint32_t value)
{
    struct qt_host *host = ctx;

    qt_pci_write(host->pci, where, offset, width, value);
}

/* ---- interrupts ---------------------------------------------------------- */

static enum uiommu_status msi_alloc(void *ctx, unsigned unit, unsigned n,
                                    uint64_t *addr, uint32_t *data)
{
    struct qt_host *host = ctx;

    return qt_msi_alloc(host->msis, unit, n, addr, data);
}

static void msi_free(void *ctx, unsigned unit, unsigned n)
{
    struct qt_host *host = ctx;

    qt_msi_free(host->msis, unit, n);
}

/* ---- locks and time ------------------------------------------------------ */

static void *lock_create(void *ctx)
{
    pthread_mutex_t *lock = malloc(sizeof(*lock));

    (void)ctx;
    if (lock != NULL && pthread_mutex_init(lock, NULL) != 0) {
        free(lock);
        lock = NULL;
    }
    return lock;
}

static void lock_destroy(void *ctx, void *lock)
{
    (void)ctx;
    (void)pthread_mutex_destroy(lock);
    free(lock);
}

static void lock_lock(void *ctx, void *lock)
{
    (void)ctx;
    (void)pthread_mutex_lock(lock);
}

static void lock_unlock(void *ctx, void *lock)
{
    (void)ctx;
    (void)pthread_mutex_unlock(lock);
}

static uint64_t now_ns(void *ctx)
{
    struct timespec t;

    (void)ctx;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void relax(void *ctx)
{
    struct qt_host *host = ctx;

    (void)qt_proto_pump(host->proto);
    (void)sched_yield();
}

void qt_host_init(struct uiommu_host *host, struct qt_host *ctx)
{
    *host = (struct uiommu_host){
        .size = sizeof(*host),
        .ctx = ctx,
        .map_table = map_table,
        .unmap_table = unmap_table,
        .log = log_text,
        .alloc = host_alloc,
        .free = host_free,
        .pages_alloc = pages_alloc,
        .pages_free = pages_free,
        .phys_to_virt = phys_to_virt,
        .direct_map = true,
        .direct_offset = (uintptr_t)ctx->ram->base - (uintptr_t)ctx->ram->start,
        .flush = flush,
        .mmio_map = mmio_map,
        .mmio_unmap = mmio_unmap,
        .mmio_read32 = mmio_read32,
        .mmio_read64 = mmio_read64,
        .mmio_write32 = mmio_write32,
        .mmio_write64 = mmio_write64,
        .pci_read = pci_read,
        .pci_write = pci_write,
        .mutex_create = lock_create,
        .mutex_destroy = lock_destroy,
        .mutex_lock = lock_lock,
        .mutex_unlock = lock_unlock,
        .spin_create = lock_create,
        .spin_destroy = lock_destroy,
        .spin_lock = lock_lock,
        .spin_unlock = lock_unlock,
        .now_ns = now_ns,
        .relax = relax,
    };
    if (ctx->board->unit_msi) {
        host->msi_alloc = msi_alloc;
        host->msi_free = msi_free;
    }
}
