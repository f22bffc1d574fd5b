/* SPDX-License-Identifier: MIT */
/* ram.c - see ram.h. */
#include "hosts/qtest/ram.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    QT_TAIL = 0xff,
    MAX_ORDER = 10,
    POISON = 0x5a, /* a table read after its free shows */
};

bool qt_ram_open(struct qt_ram *ram, uint64_t start, char *error, size_t size)
{
    void *base;

    memset(ram, 0, sizeof(*ram));
    ram->start = start;
    (void)pthread_mutex_init(&ram->lock, NULL);
    ram->fd = memfd_create("guest-ram", MFD_CLOEXEC);
    if (ram->fd < 0 || ftruncate(ram->fd, (off_t)QT_RAM_SIZE) != 0) {
        (void)snprintf(error, size, "guest RAM: %s", strerror(errno));
        return false;
    }
    base =
        mmap(NULL, QT_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ram->fd, 0);
    if (base == MAP_FAILED) {
        (void)snprintf(error, size, "guest RAM: %s", strerror(errno));
        return false;
    }
    ram->base = base;
    return true;
}

void qt_ram_close(struct qt_ram *ram)
{
    if (ram->base != NULL) {
        (void)munmap(ram->base, QT_RAM_SIZE);
    }
    if (ram->fd >= 0) {
        (void)close(ram->fd);
    }
    (void)pthread_mutex_destroy(&ram->lock);
}

static bool block_is_free(const struct qt_ram *ram, size_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (ram->owner[first + i] != 0) {
            return false;
        }
    }
    return true;
}

/* First free block at or after `from`, by page index; QT_N_PAGES: none. The
 * area starts on a multiple of every order: index and address align alike.  */
static size_t find_block(const struct qt_ram *ram, size_t from, size_t n)
{
    size_t first = (from + n - 1) & ~(n - 1);

    while (first + n <= QT_N_PAGES) {
        if (block_is_free(ram, first, n)) {
            return first;
        }
        first += n;
    }
    return QT_N_PAGES;
}

static size_t take_block(struct qt_ram *ram, unsigned order)
{
    size_t n = (size_t)1 << order;
    size_t first;

    (void)pthread_mutex_lock(&ram->lock);
    first = find_block(ram, ram->hint, n);
    if (first == QT_N_PAGES) {
        first = find_block(ram, 0, n);
    }
    if (first != QT_N_PAGES) {
        memset(&ram->owner[first], QT_TAIL, n);
        ram->owner[first] = (uint8_t)(1 + order);
        ram->n_live += n;
        ram->hint = first + n;
    }
    (void)pthread_mutex_unlock(&ram->lock);
    return first;
}

uint64_t qt_ram_alloc(struct qt_ram *ram, unsigned order)
{
    size_t first = order <= MAX_ORDER ? take_block(ram, order) : QT_N_PAGES;
    uint64_t phys = ram->start + QT_PAGES + first * QT_PAGE;

    if (first == QT_N_PAGES) {
        return UINT64_MAX;
    }
    memset(qt_ram_at(ram, phys), 0, QT_PAGE << order);
    return phys;
}

/* The page at `phys`, an index; QT_N_PAGES: that is none of ours. */
static size_t page_index(const struct qt_ram *ram, uint64_t phys)
{
    uint64_t first = ram->start + QT_PAGES;

    if (phys % QT_PAGE != 0 || phys < first ||
        phys - first >= QT_N_PAGES * QT_PAGE) {
        return QT_N_PAGES;
    }
    return (phys - first) / QT_PAGE;
}

void qt_ram_free(struct qt_ram *ram, uint64_t phys, unsigned order)
{
    size_t n = (size_t)1 << order;
    size_t first = page_index(ram, phys);

    (void)pthread_mutex_lock(&ram->lock);
    if (first == QT_N_PAGES || ram->owner[first] != 1 + order) {
        (void)fprintf(stderr,
                      "pages_free(0x%llx, order %u): was not allocated so\n",
                      (unsigned long long)phys, order);
        abort();
    }
    memset(qt_ram_at(ram, phys), POISON, QT_PAGE << order);
    memset(&ram->owner[first], 0, n);
    ram->n_live -= n;
    (void)pthread_mutex_unlock(&ram->lock);
}

size_t qt_ram_live(struct qt_ram *ram)
{
    size_t n;

    (void)pthread_mutex_lock(&ram->lock);
    n = ram->n_live;
    (void)pthread_mutex_unlock(&ram->lock);
    return n;
}
