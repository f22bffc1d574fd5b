/* SPDX-License-Identifier: MIT */
/*
 * fwcfg.c - see fwcfg.h. Facts: QEMU's docs/specs/fw_cfg (device, DMA
 * interface), its loader commands, and ACPI 5.2 (RSDP, RSDT, XSDT).
 */
#include "hosts/qtest/fwcfg.h"

#include <stdio.h>
#include <string.h>

enum {
    KEY_DIRECTORY = 0x19,
    DMA_ERROR = 1 << 0,
    DMA_READ = 1 << 1,
    DMA_SELECT = 1 << 3,
    MAX_DIRECTORY = 256,

    COMMAND_SIZE = 128,
    COMMAND_ALLOCATE = 1,
    COMMAND_ADD_POINTER = 2,
    COMMAND_ADD_CHECKSUM = 3,

    ACPI_HEADER = 36,
};

/* ---- numbers in byte strings --------------------------------------------- */

static uint64_t le_get(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    while (size > 0) {
        size--;
        value = value << 8 | p[size];
    }
    return value;
}

static void le_put(uint8_t *p, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++) {
        p[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t be_get(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value = value << 8 | p[i];
    }
    return value;
}

static void be_put(uint8_t *p, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++) {
        p[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
}

static uint8_t byte_sum(const uint8_t *p, size_t size)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + p[i]);
    }
    return sum;
}

/* ---- RAM and files ------------------------------------------------------- */

static uint64_t end_of_area(const struct qt_fw *fw)
{
    return fw->ram->start + QT_ENGINES;
}

/* UINT64_MAX: the firmware's RAM is used up, or `align` is no power of two. */
static uint64_t reserve(struct qt_fw *fw, uint64_t size, uint64_t align)
{
    uint64_t phys;

    if (align == 0 || (align & (align - 1)) != 0 || align > QT_MIB) {
        return UINT64_MAX;
    }
    phys = (fw->next + align - 1) & ~(align - 1);
    if (phys > end_of_area(fw) || size > end_of_area(fw) - phys) {
        return UINT64_MAX;
    }
    fw->next = phys + size;
    return phys;
}

/* Half of the address register: big-endian, wherever it is. */
static void write_half(struct qt_fw *fw, unsigned offset, uint32_t value)
{
    uint64_t at = fw->board->fw_cfg + offset;
    uint8_t bytes[4];

    be_put(bytes, 4, value);
    value = (uint32_t)le_get(bytes, 4);
    if (fw->board->fw_cfg_port) {
        qt_proto_out(fw->proto, 4, (uint16_t)at, value);
    } else {
        qt_proto_write(fw->proto, 4, at, value);
    }
}

/* Select item `key` and read its first `size` bytes to `phys`. */
static bool read_item(struct qt_fw *fw, uint16_t key, uint64_t phys,
                      size_t size)
{
    uint64_t control = reserve(fw, 16, 16);
    uint8_t *p;

    if (control == UINT64_MAX) {
        return false;
    }
    p = qt_ram_at(fw->ram, control);
    be_put(p, 4, (uint32_t)key << 16 | DMA_SELECT | DMA_READ);
    be_put(p + 4, 4, size);
    be_put(p + 8, 8, phys);
    write_half(fw, 0, (uint32_t)(control >> 32));
    write_half(fw, 4, (uint32_t)control);
    /* That started it, and it was done by the time of the answer. */
    return qt_proto_alive(fw->proto) && be_get(p, 4) == 0;
}

/* A file as the directory has it: size and key. */
static bool find_file(struct qt_fw *fw, const char *name, size_t *size,
                      uint16_t *key)
{
    const size_t entry_size = 64, room = 4 + MAX_DIRECTORY * entry_size;
    uint64_t phys = reserve(fw, room, 16);
    const uint8_t *directory;
    uint64_t n;

    if (phys == UINT64_MAX || !read_item(fw, KEY_DIRECTORY, phys, room)) {
        return false;
    }
    directory = qt_ram_at(fw->ram, phys);
    n = be_get(directory, 4);
    for (uint64_t i = 0; i < n && i < MAX_DIRECTORY; i++) {
        const uint8_t *entry = directory + 4 + i * entry_size;

        if (strncmp((const char *)entry + 8, name, QT_FW_NAME) == 0) {
            *size = be_get(entry, 4);
            *key = (uint16_t)be_get(entry + 4, 2);
            return true;
        }
    }
    return false;
}

static bool load_file(struct qt_fw *fw, const char *name, uint64_t align,
                      uint64_t *phys, size_t *size)
{
    uint16_t key;

    if (!find_file(fw, name, size, &key)) {
        return false;
    }
    *phys = reserve(fw, *size, align);
    return *phys != UINT64_MAX && read_item(fw, key, *phys, *size);
}

/* ---- loader commands ----------------------------------------------------- */

static struct qt_fw_blob *blob_find(struct qt_fw *fw, const uint8_t *name)
{
    for (size_t i = 0; i < fw->n_blobs; i++) {
        if (strncmp(fw->blobs[i].name, (const char *)name, QT_FW_NAME) == 0) {
            return &fw->blobs[i];
        }
    }
    return NULL;
}

/* [offset, offset + size) of a blob, NULL if that is not inside. */
static uint8_t *blob_part(struct qt_fw *fw, const uint8_t *name,
                          uint64_t offset, uint64_t size)
{
    const struct qt_fw_blob *blob = blob_find(fw, name);

    if (blob == NULL || offset > blob->size || size > blob->size - offset) {
        return NULL;
    }
    return qt_ram_at(fw->ram, blob->phys) + offset;
}

/* file[56], alignment, zone. The zone is ignored: what has to be below 1 MiB is
 * looked for there by guests, and there is none.                             */
static bool do_allocate(struct qt_fw *fw, const uint8_t *command)
{
    struct qt_fw_blob *blob = &fw->blobs[fw->n_blobs];

    if (fw->n_blobs == QT_FW_BLOBS || command[QT_FW_NAME - 1] != 0 ||
        blob_find(fw, command) != NULL) {
        return false;
    }
    memcpy(blob->name, command, QT_FW_NAME);
    if (!load_file(fw, blob->name, le_get(command + 56, 4), &blob->phys,
                   &blob->size)) {
        return false;
    }
    fw->n_blobs++;
    return true;
}

/* file with the pointer[56], file pointed to[56], offset, size of pointer: what
 * is there is an offset, to be made an address.                              */
static bool do_add_pointer(struct qt_fw *fw, const uint8_t *command)
{
    unsigned size = command[116];
    uint8_t *p = blob_part(fw, command, le_get(command + 112, 4), size);
    const struct qt_fw_blob *target = blob_find(fw, command + 56);

    if (p == NULL || target == NULL ||
        (size != 1 && size != 2 && size != 4 && size != 8)) {
        return false;
    }
    le_put(p, size, le_get(p, size) + target->phys);
    return true;
}

/* file[56], offset of the checksum, start and length of what it covers. */
static bool do_add_checksum(struct qt_fw *fw, const uint8_t *command)
{
    uint64_t n = le_get(command + 64, 4);
    uint8_t *sum = blob_part(fw, command, le_get(command + 56, 4), 1);
    uint8_t *start = blob_part(fw, command, le_get(command + 60, 4), n);

    if (sum == NULL || start == NULL) {
        return false;
    }
    *sum = (uint8_t)(*sum - byte_sum(start, n));
    return true;
}

static bool do_command(struct qt_fw *fw, const uint8_t *command)
{
    switch (le_get(command, 4)) {
    case COMMAND_ALLOCATE:
        return do_allocate(fw, command + 4);
    case COMMAND_ADD_POINTER:
        return do_add_pointer(fw, command + 4);
    case COMMAND_ADD_CHECKSUM:
        return do_add_checksum(fw, command + 4);
    default:
        return true; /* to be ignored, says the interface */
    }
}

static bool run_loader(struct qt_fw *fw, char *error, size_t size)
{
    uint64_t script;
    size_t script_size;

    if (!load_file(fw, "etc/table-loader", 16, &script, &script_size)) {
        (void)snprintf(error, size, "fw_cfg: cannot read etc/table-loader");
        return false;
    }
    for (size_t i = 0; i + COMMAND_SIZE <= script_size; i += COMMAND_SIZE) {
        const uint8_t *command = qt_ram_at(fw->ram, script) + i;

        if (!do_command(fw, command)) {
            (void)snprintf(error, size,
                           "fw_cfg: command %zu (of kind %u) of "
                           "etc/table-loader cannot be carried out",
                           i / COMMAND_SIZE, (unsigned)le_get(command, 4));
            return false;
        }
    }
    return true;
}

/* ---- tables -------------------------------------------------------------- */

/* A whole table with the right checksum, or NULL. */
static const uint8_t *table_at(const struct qt_fw *fw, uint64_t phys)
{
    const uint8_t *table;
    uint64_t size;

    if (phys < fw->ram->start + QT_FW_AREA ||
        phys > end_of_area(fw) - ACPI_HEADER) {
        return NULL;
    }
    table = qt_ram_at(fw->ram, phys);
    size = le_get(table + 4, 4);
    if (size < ACPI_HEADER || size > end_of_area(fw) - phys ||
        byte_sum(table, size) != 0) {
        return NULL;
    }
    return table;
}

/* The first 20 bytes have a checksum of their own; revision 2 has an XSDT. */
static const uint8_t *find_root(struct qt_fw *fw)
{
    static const uint8_t name[QT_FW_NAME] = "etc/acpi/rsdp";
    const uint8_t *rsdp = blob_part(fw, name, 0, 20);
    uint64_t phys;

    if (rsdp == NULL || memcmp(rsdp, "RSD PTR ", 8) != 0 ||
        byte_sum(rsdp, 20) != 0) {
        return NULL;
    }
    phys = le_get(rsdp + 16, 4);
    if (rsdp[15] >= 2 && blob_part(fw, name, 0, 36) != NULL) {
        phys = le_get(rsdp + 24, 8);
    }
    return table_at(fw, phys);
}

bool qt_fw_load(struct qt_fw *fw, const struct qt_board *board,
                struct qt_proto *proto, struct qt_ram *ram, char *error,
                size_t size)
{
    *fw = (struct qt_fw){
        .board = board,
        .proto = proto,
        .ram = ram,
        .next = ram->start + QT_FW_AREA,
    };
    if (!run_loader(fw, error, size)) {
        return false;
    }
    fw->root = find_root(fw);
    if (fw->root == NULL) {
        (void)snprintf(error, size, "fw_cfg: no RSDP with a valid RSDT");
        return false;
    }
    return true;
}

const void *qt_fw_table(const struct qt_fw *fw, const char signature[4],
                        unsigned index, size_t *size)
{
    unsigned pointer = memcmp(fw->root, "XSDT", 4) == 0 ? 8 : 4;
    size_t root_size = le_get(fw->root + 4, 4);

    for (size_t i = ACPI_HEADER; i + pointer <= root_size; i += pointer) {
        const uint8_t *table = table_at(fw, le_get(fw->root + i, pointer));

        if (table == NULL || memcmp(table, signature, 4) != 0) {
            continue;
        }
        if (index == 0) {
            *size = le_get(table + 4, 4);
            return table;
        }
        index--;
    }
    return NULL;
}
