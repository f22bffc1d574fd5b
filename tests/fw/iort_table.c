/* SPDX-License-Identifier: MIT */
#include "iort_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static uint64_t get(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    while (size-- > 0)
        value = value << 8 | p[size];
    return value;
}

static void put(uint8_t *p, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

static void add_to(uint8_t *p, unsigned size, uint64_t more)
{
    put(p, size, get(p, size) + more);
}

void iort(struct table *t, unsigned revision)
{
    memset(t, 0, sizeof(*t));
    memcpy(t->bytes, "IORT", 4);
    t->bytes[8] = (uint8_t)revision;
    memcpy(t->bytes + 10, "UIOMMUTEST    ", 14);
    put(t->bytes + 40, 4, 48);
    t->size = 48;
}

/* More bytes at the end of the node added last. */
static uint8_t *grow(struct table *t, unsigned size)
{
    uint8_t *p = t->bytes + t->size;

    assert_true(t->size + size <= sizeof(t->bytes));
    t->size += size;
    add_to(t->bytes + t->record + 1, 2, size);
    return p;
}

static uint32_t add(struct table *t, unsigned type, unsigned revision,
                    unsigned length)
{
    t->record = t->size;
    grow(t, length);
    t->bytes[t->record] = (uint8_t)type;
    t->bytes[t->record + 3] = (uint8_t)revision;
    add_to(t->bytes + 36, 4, 1);
    return (uint32_t)t->record;
}

void iort_set(struct table *t, unsigned offset, unsigned size, uint64_t value)
{
    put(t->bytes + t->record + offset, size, value);
}

uint32_t iort_its(struct table *t, unsigned n, uint32_t first_id)
{
    uint32_t node = add(t, 0, 1, 20);

    iort_set(t, 16, 4, n);
    for (unsigned i = 0; i < n; i++)
        put(grow(t, 4), 4, first_id + i);
    return node;
}

uint32_t iort_component(struct table *t, const char *name)
{
    uint32_t node = add(t, 1, 4, 29);
    size_t size = strlen(name) + 1;

    iort_set(t, 28, 1, 40);
    memcpy(grow(t, (unsigned)size), name, size);
    return node;
}

uint32_t iort_root(struct table *t, unsigned revision, unsigned segment)
{
    unsigned length = revision >= 4 ? 40 : revision >= 1 ? 36 : 32;
    uint32_t node = add(t, 2, revision, length);

    iort_set(t, 28, 4, segment);
    if (revision >= 1)
        iort_set(t, 32, 1, 48);
    return node;
}

uint32_t iort_smmu(struct table *t, uint64_t base)
{
    uint32_t node = add(t, 3, 3, 60);

    iort_set(t, 16, 8, base);
    iort_set(t, 24, 8, 0x20000);
    iort_set(t, 32, 4, 3);
    return node;
}

/* All interrupts are wired. */
uint32_t iort_smmu_v3(struct table *t, unsigned revision, uint64_t base)
{
    uint32_t node = add(t, 4, revision, revision ? 68 : 60);

    iort_set(t, 16, 8, base);
    for (unsigned i = 0; i < 4; i++)
        iort_set(t, 44 + 4 * i, 4, 100 + i);
    return node;
}

uint32_t iort_pmcg(struct table *t, uint32_t of)
{
    uint32_t node = add(t, 5, 2, 40);

    iort_set(t, 16, 8, 0x70000000);
    iort_set(t, 24, 4, 42);
    iort_set(t, 28, 4, of);
    iort_set(t, 32, 8, 0x70010000);
    return node;
}

uint32_t iort_rmr(struct table *t, unsigned flags)
{
    uint32_t node = add(t, 6, 3, 28);

    iort_set(t, 16, 4, flags);
    iort_set(t, 24, 4, 28);
    return node;
}

uint32_t iort_unknown(struct table *t, unsigned type, unsigned length)
{
    return add(t, type, 0, length);
}

void iort_region(struct table *t, uint64_t base, uint64_t length)
{
    uint8_t *p = grow(t, 20);

    put(p, 8, base);
    put(p + 8, 8, length);
    add_to(t->bytes + t->record + 20, 4, 1);
}

void iort_map(struct table *t, uint32_t input, uint32_t count, uint32_t output,
              uint32_t reference, unsigned flags)
{
    uint8_t *node = t->bytes + t->record;
    uint8_t *p;

    if (get(node + 8, 4) == 0)
        put(node + 12, 4, t->size - t->record);
    p = grow(t, 20);
    put(p, 4, input);
    put(p + 4, 4, count);
    put(p + 8, 4, output);
    put(p + 12, 4, reference);
    put(p + 16, 4, flags);
    add_to(node + 8, 4, 1);
}

struct blob iort_finish(struct table *t)
{
    struct blob b = table_end(t);

    assert_int_equal(uim_fw_iort.check(b.data, b.size, NULL), UIOMMU_OK);
    return b;
}

int64_t iort_id_of(const struct blob *b, const struct uim_fw_device *d,
                   unsigned index)
{
    enum uiommu_status status;
    unsigned unit = 99;
    uint32_t id = 99;

    status = uim_fw_iort.owner(b->data, d, index, &unit, &id);
    if (status) {
        assert_int_equal(unit, 99);
        assert_int_equal(id, 99);
        return -(int64_t)status;
    }
    return OWNED(unit, id);
}
