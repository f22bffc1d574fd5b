/* SPDX-License-Identifier: MIT */
/*
 * toy-vmm.c - the smallest machine with an IOMMU in it.
 *
 *     toy-vmm [path of libuiommu-models.so]
 *
 * Memory is an array, the guest is this file: it points the unit at a root table
 * with one context entry and one mapped page, switches translation on, and a
 * device tries two addresses. Returns non-zero on any surprise.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <uiommu/embed.h>

enum { MEMORY = 1 << 20, DEVICE = 0x0018 /* 00:03.0 */ };

static unsigned char memory[MEMORY];

static int mem_read(void *vm, uint64_t gpa, void *buf, uint32_t len)
{
    (void)vm;
    if (gpa > MEMORY || len > MEMORY - gpa)
        return -1;
    memcpy(buf, memory + gpa, len);
    return 0;
}

static int mem_write(void *vm, uint64_t gpa, const void *buf, uint32_t len)
{
    (void)vm;
    if (gpa > MEMORY || len > MEMORY - gpa)
        return -1;
    memcpy(memory + gpa, buf, len);
    return 0;
}

/* One thread, so nothing can come between compare and exchange. */
static int mem_cas(void *vm, uint64_t gpa, void *expect, const void *want,
                   uint32_t len)
{
    unsigned char found[16];

    if (len > sizeof(found) || mem_read(vm, gpa, found, len) < 0)
        return -1;
    if (memcmp(found, expect, len) == 0)
        return mem_write(vm, gpa, want, len) < 0 ? -1 : 1;
    memcpy(expect, found, len);
    return 0;
}

static void raise_msi(void *vm, uint64_t addr, uint32_t data)
{
    (void)vm;
    printf("interrupt: 0x%x to 0x%llx\n", data, (unsigned long long)addr);
}

static void set_irq(void *vm, uint32_t line, int level)
{
    (void)vm, (void)line, (void)level; /* this machine has no wires */
}

static void notify(void *vm, const struct uie_inval *inv)
{
    (void)vm, (void)inv; /* and keeps no translations */
}

static void page_response(void *vm, const struct uie_page_response *r)
{
    (void)vm, (void)r;
}

static void log_line(void *vm, int level, const char *text)
{
    (void)vm;
    printf("log %d: %s\n", level, text);
}

static const struct uie_host host = {
    .abi = UIE_ABI,
    .size = sizeof(host),
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cas = mem_cas,
    .raise_msi = raise_msi,
    .set_irq = set_irq,
    .notify = notify,
    .page_response = page_response,
    .log = log_line,
};

/* What a guest's IOMMU driver does: VT-d tables by hand, little-endian. */
static void put64(uint64_t gpa, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        memory[gpa + (uint64_t)i] = (unsigned char)(value >> (8 * i));
}

static void guest_setup(const struct uie_ops *ops, void *m)
{
    enum { ROOT = 0x1000, CONTEXT = 0x2000, TABLES = 0x3000, PAGE = 0x80000 };
    enum { RTADDR = 0x20, GCMD = 0x18, SRTP = 1 << 30 };

    put64(ROOT, CONTEXT | 1);                      /* bus 0 */
    put64(CONTEXT + DEVICE * 16, TABLES | 1);      /* present, translated */
    put64(CONTEXT + DEVICE * 16 + 8, 1 << 8 | 2);  /* domain 1, 48 bits */
    for (uint64_t i = 0; i < 3; i++)               /* three levels to ... */
        put64(TABLES + i * 0x1000, (TABLES + (i + 1) * 0x1000) | 3);
    put64(TABLES + 0x3000 + 5 * 8, PAGE | 3);      /* page 5, read and write */
    ops->mmio_write(m, 0, RTADDR, ROOT, 8);
    ops->mmio_write(m, 0, GCMD, SRTP, 4);
    ops->mmio_write(m, 0, GCMD, 1u << 31, 4);      /* translation on */
}

static int dma(const struct uie_ops *ops, void *m, uint64_t iova)
{
    struct uie_xlat x = { .size = sizeof(x) };
    struct uie_req req = { .size = sizeof(req),
                           .rid = DEVICE,
                           .pasid = UIE_NO_PASID,
                           .access = UIE_W,
                           .iova = iova };

    if (ops->translate(m, &req, &x) != 0) {
        printf("write to 0x%llx: blocked, FSTS 0x%llx\n",
               (unsigned long long)iova,
               (unsigned long long)ops->mmio_read(m, 0, 0x34, 4));
        return 0;
    }
    printf("write to 0x%llx: lands at 0x%llx\n", (unsigned long long)iova,
           (unsigned long long)(x.gpa + (iova & x.mask)));
    return 1;
}

int main(int argc, char **argv)
{
    const struct uie_ops *(*embed)(uint32_t abi);
    const struct uie_ops *ops;
    void *library, *m;
    int good;

    library =
        dlopen(argc > 1 ? argv[1] : "build/libuiommu-models.so", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    *(void **)&embed = dlsym(library, "uiommu_embed"); /* as POSIX has it */
    ops = embed ? embed(UIE_ABI) : NULL;
    m = ops ? ops->create("vtd", &host, "base=0xfed90000") : NULL;
    if (!m) {
        fprintf(stderr, "no vtd model\n");
        return 1;
    }
    printf("DMAR: %zu bytes\n", ops->acpi(m, NULL, 0));
    guest_setup(ops, m);
    good = dma(ops, m, 0x5123) == 1 && dma(ops, m, 0x6000) == 0;
    ops->destroy(m);
    dlclose(library);
    return good ? 0 : 1;
}
