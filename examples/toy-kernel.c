/* SPDX-License-Identifier: MIT */
/*
 * toy-kernel.c - the smallest port: what a kernel has to give to uiommu, and no more.
 *
 * Memory is an array, there is one CPU, and nothing sleeps. The IOMMU is a model, so
 * `unit` stands where a kernel has its map of the registers. A device may use one page,
 * and tries two. Returns non-zero on any surprise.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uiommu/embed.h>
#include <uiommu/uiommu.h>

enum { PAGE = 4096, PAGES = 256, NIC = 0x0018 /* 00:03.0 */ };

#define BASE UINT64_C(0xfed90000) /* of the unit's registers */

static unsigned char memory[PAGE * PAGES];
static unsigned char used[PAGES];
static const struct uie_ops *ops;
static void *unit;

/* ---- the port ------------------------------------------------------------ */

static void *heap_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return malloc(size);
}

static void heap_free(void *ctx, void *ptr, size_t size)
{
    (void)ctx, (void)size;
    free(ptr);
}

/* Zeroed, one after the other, aligned to their size. */
static void *pages_alloc(void *ctx, unsigned order, unsigned flags,
                         uint64_t *phys)
{
    const size_t n = (size_t)1 << order;

    (void)ctx, (void)flags;
    for (size_t i = 0; i + n <= PAGES; i += n) {
        if (memchr(used + i, 1, n))
            continue;
        memset(used + i, 1, n);
        *phys = i * PAGE;
        return memset(memory + i * PAGE, 0, n * PAGE);
    }
    return NULL;
}

static void pages_free(void *ctx, void *virt, uint64_t phys, unsigned order)
{
    (void)ctx, (void)virt;
    memset(used + phys / PAGE, 0, (size_t)1 << order);
}

static void *phys_to_virt(void *ctx, uint64_t phys)
{
    (void)ctx;
    return memory + phys;
}

static void *mmio_map(void *ctx, uint64_t phys, size_t size)
{
    (void)ctx, (void)size;
    return phys == BASE ? unit : NULL;
}

static void mmio_unmap(void *ctx, void *mmio, size_t size)
{
    (void)ctx, (void)mmio, (void)size;
}

static uint32_t mmio_read32(void *ctx, void *mmio, size_t offset)
{
    (void)ctx;
    return (uint32_t)ops->mmio_read(mmio, 0, offset, 4);
}

static uint64_t mmio_read64(void *ctx, void *mmio, size_t offset)
{
    (void)ctx;
    return ops->mmio_read(mmio, 0, offset, 8);
}

static void mmio_write32(void *ctx, void *mmio, size_t offset, uint32_t value)
{
    (void)ctx;
    ops->mmio_write(mmio, 0, offset, value, 4);
}

static void mmio_write64(void *ctx, void *mmio, size_t offset, uint64_t value)
{
    (void)ctx;
    ops->mmio_write(mmio, 0, offset, value, 8);
}

/* A network card of nobody's, without capabilities. */
static uint32_t pci_read(void *ctx, struct uiommu_pci where, unsigned offset,
                         unsigned width)
{
    (void)ctx, (void)width;
    if (where.bus != 0 || where.devfn != NIC)
        return UINT32_MAX;
    return offset < 4 ? 0x1234 : 0;
}

static void pci_write(void *ctx, struct uiommu_pci where, unsigned offset,
                      unsigned width, uint32_t value)
{
    (void)ctx, (void)where, (void)offset, (void)width, (void)value;
}

/* One thread, no interrupts: nobody has to be kept out. */
static void *lock_create(void *ctx)
{
    (void)ctx;
    return memory;
}

static void lock(void *ctx, void *which)
{
    (void)ctx, (void)which;
}

static uint64_t now_ns(void *ctx)
{
    struct timespec t;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void say(void *ctx, enum uiommu_log_level level, const char *text)
{
    (void)ctx;
    if (level <= UIOMMU_LOG_WARN)
        printf("%s\n", text);
}

static const struct uiommu_host host = {
    .size = sizeof(host),
    .log = say,
    .alloc = heap_alloc,
    .free = heap_free,
    .pages_alloc = pages_alloc,
    .pages_free = pages_free,
    .phys_to_virt = phys_to_virt,
    .mmio_map = mmio_map,
    .mmio_unmap = mmio_unmap,
    .mmio_read32 = mmio_read32,
    .mmio_read64 = mmio_read64,
    .mmio_write32 = mmio_write32,
    .mmio_write64 = mmio_write64,
    .pci_read = pci_read,
    .pci_write = pci_write,
    .mutex_create = lock_create,
    .mutex_destroy = lock,
    .mutex_lock = lock,
    .mutex_unlock = lock,
    .spin_create = lock_create,
    .spin_destroy = lock,
    .spin_lock = lock,
    .spin_unlock = lock,
    .now_ns = now_ns,
};

/* ---- the machine around it ------------------------------------------------- */

static int mem_read(void *vm, uint64_t phys, void *buf, uint32_t len)
{
    (void)vm;
    if (phys > sizeof(memory) || len > sizeof(memory) - phys)
        return -1;
    memcpy(buf, memory + phys, len);
    return 0;
}

static int mem_write(void *vm, uint64_t phys, const void *buf, uint32_t len)
{
    (void)vm;
    if (phys > sizeof(memory) || len > sizeof(memory) - phys)
        return -1;
    memcpy(memory + phys, buf, len);
    return 0;
}

static int mem_cas(void *vm, uint64_t phys, void *expect, const void *want,
                   uint32_t len)
{
    unsigned char found[16];

    if (len > sizeof(found) || mem_read(vm, phys, found, len) < 0)
        return -1;
    if (memcmp(found, expect, len) == 0)
        return mem_write(vm, phys, want, len) < 0 ? -1 : 1;
    memcpy(expect, found, len);
    return 0;
}

static void raise_msi(void *vm, uint64_t addr, uint32_t data)
{
    (void)vm, (void)addr, (void)data; /* faults are polled for */
}

static void set_irq(void *vm, uint32_t line, int level)
{
    (void)vm, (void)line, (void)level;
}

static void notify(void *vm, const struct uie_inval *inval)
{
    (void)vm, (void)inval; /* the card keeps no translations */
}

static void page_response(void *vm, const struct uie_page_response *response)
{
    (void)vm, (void)response;
}

static void model_says(void *vm, int level, const char *text)
{
    (void)vm, (void)level;
    printf("model: %s\n", text);
}

static const struct uie_host machine = {
    .abi = UIE_ABI,
    .size = sizeof(machine),
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cas = mem_cas,
    .raise_msi = raise_msi,
    .set_irq = set_irq,
    .notify = notify,
    .page_response = page_response,
    .log = model_says,
};

static int machine_on(void)
{
    ops = uiommu_embed(UIE_ABI);
    unit = ops ? ops->create("vtd", &machine, "base=0xfed90000") : NULL;
    return unit != NULL;
}

/* The card writes a byte there. Where it lands, or UINT64_MAX. */
static uint64_t card_writes(uint64_t iova)
{
    struct uie_xlat to = { .size = sizeof(to) };
    const struct uie_req req = { .size = sizeof(req),
                                 .rid = NIC,
                                 .pasid = UIE_NO_PASID,
                                 .access = UIE_W,
                                 .iova = iova };

    if (ops->translate(unit, &req, &to) != 0)
        return UINT64_MAX;
    return to.gpa + (iova & to.mask);
}

/* ---- the kernel ------------------------------------------------------------ */

static void must(enum uiommu_status status)
{
    if (status == UIOMMU_OK)
        return;
    printf("failed: %s\n", uiommu_status_name(status));
    exit(1);
}

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    char text[512];

    ++*(unsigned *)ctx;
    uiommu_explain_fault(fault, text, sizeof(text));
    printf("fault: %s\n", text);
    return true;
}

int main(void)
{
    static const struct uiommu_driver *const drivers[] = { &uiommu_driver_vtd };
    unsigned char table[512];
    unsigned faults = 0;
    struct uiommu_config config = { .size = sizeof(config),
                                    .on_fault = on_fault,
                                    .fault_ctx = &faults };
    const struct uiommu_device_info nic = { .size = sizeof(nic),
                                            .pci = { .devfn = NIC } };
    struct uiommu *u;
    struct uiommu_device *device;
    struct uiommu_endpoint *card;
    struct uiommu_domain *domain;
    uint64_t phys, inside, outside;
    void *page;

    if (!machine_on())
        return 1;
    must(uiommu_create(&host, &config, &u));
    must(uiommu_add_table(u, table, ops->acpi(unit, table, sizeof(table))));
    must(uiommu_start(u, drivers, 1));
    must(uiommu_device_add(u, &nic, &device));
    card = uiommu_device_endpoint(device);
    must(uiommu_domain_create(card, NULL, &domain));
    page = pages_alloc(NULL, 0, 0, &phys);
    must(uiommu_map(domain, 0x10000, phys, PAGE, UIOMMU_READ | UIOMMU_WRITE));
    must(uiommu_set_domain(card, domain, NULL));

    inside = card_writes(0x10123);
    outside = card_writes(0x20000);
    uiommu_poll(u);

    must(uiommu_set_domain(card, uiommu_blocked(u), NULL));
    uiommu_domain_put(domain);
    must(uiommu_device_remove(device));
    must(uiommu_stop(u));
    must(uiommu_destroy(u));
    pages_free(NULL, page, phys, 0);
    ops->destroy(unit);
    if (inside != phys + 0x123 || outside != UINT64_MAX || faults != 1 ||
        memchr(used, 1, PAGES))
        return 1;
    printf("0x10123 was 0x%llx; 0x20000 was out of reach\n",
           (unsigned long long)inside);
    return 0;
}
