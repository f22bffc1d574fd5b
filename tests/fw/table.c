/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include "table.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct blob blob_copy(const void *data, size_t size)
{
    struct blob b = { malloc(size ? size : 1), size };

    assert_non_null(b.data);
    memcpy(b.data, data, size);
    return b;
}

struct blob blob_read(const char *name)
{
    static uint8_t buffer[1 << 16];
    char path[512];
    size_t size;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", UIM_CORPUS_DIR, name);
    f = fopen(path, "rb");
    if (!f)
        fail_msg("%s: not there", path);
    size = fread(buffer, 1, sizeof(buffer), f);
    fclose(f);
    return blob_copy(buffer, size);
}

unsigned each_machine(const char *signature,
                      void (*fn)(const char *id, struct blob *table))
{
    DIR *dir = opendir(UIM_CORPUS_DIR "/acpi");
    struct dirent *entry;
    char name[300], path[400];
    struct blob b;
    unsigned n = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        snprintf(name, sizeof(name), "acpi/%.200s/%s.bin", entry->d_name,
                 signature);
        snprintf(path, sizeof(path), "%s/%s", UIM_CORPUS_DIR, name);
        if (access(path, F_OK) != 0)
            continue;
        b = blob_read(name);
        fn(entry->d_name, &b);
        blob_free(&b);
        n++;
    }
    closedir(dir);
    return n;
}

void blob_free(struct blob *b)
{
    free(b->data);
    b->data = NULL;
}

static void put(uint8_t *p, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

void blob_seal(struct blob *b)
{
    unsigned sum = 0;

    put(b->data + 4, 4, b->size);
    b->data[9] = 0;
    for (size_t i = 0; i < b->size; i++)
        sum += b->data[i];
    b->data[9] = (uint8_t)(0x100 - (sum & 0xff));
}

void dmar(struct table *t, unsigned width, unsigned flags)
{
    memset(t, 0, sizeof(*t));
    memcpy(t->bytes, "DMAR", 4);
    t->bytes[8] = 1;
    memcpy(t->bytes + 10, "UIOMMUTEST    ", 14);
    t->bytes[36] = (uint8_t)(width - 1);
    t->bytes[37] = (uint8_t)flags;
    t->size = 48;
}

static uint8_t *add(struct table *t, unsigned type, unsigned length)
{
    uint8_t *p = t->bytes + t->size;

    assert_true(t->size + length <= sizeof(t->bytes));
    put(p, 2, type);
    put(p + 2, 2, length);
    t->record = t->size;
    t->size += length;
    return p;
}

void drhd(struct table *t, unsigned flags, unsigned segment, uint64_t base)
{
    uint8_t *p = add(t, 0, 16);

    p[4] = (uint8_t)flags;
    put(p + 6, 2, segment);
    put(p + 8, 8, base);
}

void rmrr(struct table *t, unsigned segment, uint64_t base, uint64_t limit)
{
    uint8_t *p = add(t, 1, 24);

    put(p + 6, 2, segment);
    put(p + 8, 8, base);
    put(p + 16, 8, limit);
}

void atsr(struct table *t, unsigned flags, unsigned segment)
{
    uint8_t *p = add(t, 2, 8);

    p[4] = (uint8_t)flags;
    put(p + 6, 2, segment);
}

void rhsa(struct table *t, uint64_t base, unsigned domain)
{
    uint8_t *p = add(t, 3, 20);

    put(p + 8, 8, base);
    put(p + 16, 4, domain);
}

void andd(struct table *t, unsigned number, const char *name)
{
    uint8_t *p = add(t, 4, 8 + (unsigned)strlen(name) + 1);

    p[7] = (uint8_t)number;
    memcpy(p + 8, name, strlen(name));
}

void satc(struct table *t, unsigned flags, unsigned segment)
{
    uint8_t *p = add(t, 5, 8);

    p[4] = (uint8_t)flags;
    put(p + 6, 2, segment);
}

void sidp(struct table *t, unsigned segment)
{
    put(add(t, 6, 8) + 6, 2, segment);
}

void unknown(struct table *t, unsigned type, unsigned length)
{
    add(t, type, length);
}

static unsigned add_path(uint8_t *to, const char *path)
{
    unsigned n = 0;
    unsigned device, function;
    int used;

    while (sscanf(path, "%x.%x%n", &device, &function, &used) == 2) {
        to[n++] = (uint8_t)device;
        to[n++] = (uint8_t)function;
        path += used;
        path += *path == '/';
    }
    return n;
}

void scope_flags(struct table *t, unsigned type, unsigned flags, unsigned bus,
                 const char *path)
{
    uint8_t *p = t->bytes + t->size;
    unsigned length = 6 + add_path(p + 6, path);

    p[0] = (uint8_t)type;
    p[1] = (uint8_t)length;
    p[2] = (uint8_t)flags;
    p[5] = (uint8_t)bus;
    t->size += length;
    put(t->bytes + t->record + 2, 2, t->size - t->record);
}

void scope(struct table *t, unsigned type, unsigned id, unsigned bus,
           const char *path)
{
    size_t at = t->size;

    scope_flags(t, type, 0, bus, path);
    t->bytes[at + 4] = (uint8_t)id;
}

struct blob table_end(struct table *t)
{
    struct blob b = blob_copy(t->bytes, t->size);

    blob_seal(&b);
    return b;
}

static void listen(void *ctx, enum uiommu_log_level level, const char *text)
{
    struct heard *h = ctx;
    size_t n = strlen(h->text);

    h->errors += level == UIOMMU_LOG_ERROR;
    h->warnings += level == UIOMMU_LOG_WARN;
    snprintf(h->text + n, sizeof(h->text) - n, "%s\n", text);
}

struct uim_fw_log hear(struct heard *h)
{
    memset(h, 0, sizeof(*h));
    return (struct uim_fw_log){ listen, h };
}
