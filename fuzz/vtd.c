/* SPDX-License-Identifier: MIT */
/*
 * vtd.c - a guest that means harm: the VT-d model through its C ABI. The input
 * is a program of register accesses, stores to a small memory, requests of
 * devices, and what the machine does.
 */
#include "fuzz/fuzz.h"

#include <uiommu/embed.h>

#include "spec/vtd.h"

/* Accesses to memory in one call: a full queue of the largest size, with all that
 * a descriptor can cause. */
enum { RAM = 1 << 20, STEPS = 400, MOST_ACCESSES = 8 << 20, OPEN = 64 };

static const char *const args[] = {
    "",
    "cache=adversarial,cm=1",
    "cache=none,coherent=0,dt=0",
    "scalable=1",
    "scalable=1,cache=adversarial,cm=1,bits=57",
    "scalable=1,fs=1,ss=0,cache=adversarial",
    "cache=adversarial,rwbf=1,bits=39",
};

static struct {
    const struct uie_ops *ops;
    void *m;
    uint8_t *ram;
    unsigned accesses;
    uint32_t tag[OPEN];
    unsigned n_tags;
} vm;

static bool in_ram(uint64_t gpa, uint64_t len)
{
    fuzz_check(++vm.accesses < MOST_ACCESSES, "work in one call is bounded");
    fuzz_check(!fuzz_canary, "the canary");
    fuzz_check(len > 0 && len <= 4096, "accesses are of a page at most");
    return gpa < RAM && len <= RAM - gpa;
}

static int mem_read(void *opaque, uint64_t gpa, void *buf, uint32_t len)
{
    (void)opaque;
    if (!in_ram(gpa, len))
        return -1;
    memcpy(buf, vm.ram + gpa, len);
    return 0;
}

static int mem_write(void *opaque, uint64_t gpa, const void *buf, uint32_t len)
{
    (void)opaque;
    if (!in_ram(gpa, len))
        return -1;
    memcpy(vm.ram + gpa, buf, len);
    return 0;
}

static int mem_cas(void *opaque, uint64_t gpa, void *expect, const void *want,
                   uint32_t len)
{
    (void)opaque;
    if (!in_ram(gpa, len))
        return -1;
    fuzz_check((len == 4 || len == 8 || len == 16) && gpa % len == 0,
               "exchanges are of 4, 8 or 16 aligned bytes");
    if (len == 16)
        return -1;
    if (memcmp(vm.ram + gpa, expect, len) != 0) {
        memcpy(expect, vm.ram + gpa, len);
        return 0;
    }
    memcpy(vm.ram + gpa, want, len);
    return 1;
}

static void raise_msi(void *opaque, uint64_t addr, uint32_t data)
{
    (void)opaque, (void)addr, (void)data;
}

static void set_irq(void *opaque, uint32_t line, int level)
{
    (void)opaque, (void)line, (void)level;
}

/* A machine may ask the model things while it is told something. */
static void notify(void *opaque, const struct uie_inval *inv)
{
    (void)opaque;
    fuzz_check(inv->size == sizeof(*inv) && inv->what <= UIE_INV_MSI,
               "an invalidation is of a known kind");
    if (inv->what == UIE_INV_DEVTLB && vm.n_tags < OPEN)
        vm.tag[vm.n_tags++] = inv->tag;
    (void)vm.ops->mmio_read(vm.m, 0, VTD_REG_GSTS, 4);
}

static void page_response(void *opaque, const struct uie_page_response *r)
{
    (void)opaque, (void)r;
    fuzz_check(false, "nobody asked for pages");
}

static void log_line(void *opaque, int level, const char *text)
{
    (void)opaque, (void)level;
    fuzz_check(text && !strchr(text, '\n'), "a sentence is a line");
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

/* ---- steps --------------------------------------------------------------- */

static void poke(uint64_t gpa, uint64_t value)
{
    gpa %= RAM - 7;
    for (unsigned i = 0; i < 8; i++)
        vm.ram[(gpa & ~UINT64_C(7)) + i] = (uint8_t)(value >> 8 * i);
}

static void wr(uint64_t off, uint64_t value, unsigned len)
{
    vm.ops->mmio_write(vm.m, 0, off, value, len);
}

/* Tables that work: root at 0x1000, context at 0x2000, PASID directory and table
 * at 0x3000 and 0x4000, page tables from 0x5000, a queue at 0x10000. */
static void start(bool scalable, bool first_stage)
{
    const uint64_t table = 0x3, levels = 3;

    for (unsigned bus = 0; bus < 2; bus++) {
        poke(0x1000 + 16 * bus, 0x2001);
        poke(0x1008 + 16 * bus, scalable ? 0x2001 : 0);
    }
    for (unsigned i = 0; i < 256; i++) {
        poke(0x2000 + 16 * i, scalable ? (i % 2 ? 0 : 0x3001) : 0x5001);
        poke(0x2008 + 16 * i, scalable ? 0 : 0x102);
    }
    poke(0x3000, 0x4001);
    poke(0x4000, (first_stage ? 0x41 : 0x5081) | 2 << 2);
    poke(0x4008, 1);
    poke(0x4010, first_stage ? 0x5000 : 0);
    for (unsigned i = 0; i < levels; i++)
        poke(0x5000 + 0x1000 * i, (0x6000 + 0x1000 * i) | table);
    for (unsigned i = 0; i < 512; i++)
        poke(0x8000 + 8 * i, ((uint64_t)i << 12) | table);
    wr(VTD_REG_RTADDR, 0x1000 | (scalable ? 1 << 10 : 0), 8);
    wr(VTD_REG_GCMD, 1u << 30, 4);
    wr(VTD_REG_IQA, 0x10000, 8);
    wr(VTD_REG_GCMD, 1u << 26, 4);
    wr(VTD_REG_GCMD, 1u << 31 | 1u << 26, 4);
}

static void ask(struct fuzz_input *in)
{
    uint8_t bits = (uint8_t)fuzz_take(in, 1);
    struct uie_req req = {
        .size = sizeof(req),
        .rid = (uint32_t)fuzz_take(in, 2),
        .pasid = bits & 0x80 ? (uint32_t)fuzz_take(in, 3) : UIE_NO_PASID,
        .access = bits & 15,
        .flags = bits >> 4 & 7,
        .iova = fuzz_take(in, bits & 0x10 ? 8 : 3),
    };
    struct uie_xlat x = { .size = sizeof(x) };
    int answer = vm.ops->translate(vm.m, &req, &x);

    fuzz_check(answer == 0 || answer == UIE_ERR_UR || answer == UIE_ERR_CA,
               "an answer is 0, UR or CA");
    if (answer != 0)
        return;
    fuzz_check((x.gpa & x.mask) == 0 && (x.mask & (x.mask + 1)) == 0 &&
                   x.mask >= 0xfff,
               "an answer is a page");
    if (!(req.flags & (UIE_REQ_PROBE | UIE_REQ_ATS)))
        fuzz_check((req.access & ~x.perm & (UIE_R | UIE_W)) == 0,
                   "what is granted covers what was asked for");
}

/* A descriptor into the queue of start(), and the tail behind it. */
static void submit(struct fuzz_input *in)
{
    uint64_t tail = vm.ops->mmio_read(vm.m, 0, VTD_REG_IQT, 8) & 0x7fff0;

    poke(0x10000 + tail % 0x1000, fuzz_take(in, 8));
    poke(0x10008 + tail % 0x1000, fuzz_take(in, 8));
    wr(VTD_REG_IQT, (tail + 16) % 0x1000, 8);
}

static void finish(uint8_t bits)
{
    if (vm.n_tags == 0)
        vm.ops->devtlb_done(vm.m, bits, 0);
    while (vm.n_tags > 0)
        vm.ops->devtlb_done(vm.m, vm.tag[--vm.n_tags], bits & 1);
}

static int sink(void *ctx, const void *buf, size_t len)
{
    (void)ctx, (void)buf, (void)len;
    return 0;
}

static int source(void *ctx, void *buf, size_t len)
{
    struct fuzz_input *in = ctx;

    for (size_t i = 0; i < len; i++)
        ((uint8_t *)buf)[i] = (uint8_t)fuzz_take(in, 1);
    return 0;
}

static void rare(struct fuzz_input *in, uint8_t what)
{
    uint64_t addr;
    uint32_t data;

    switch (what % 6) {
    case 0:
        vm.ops->reset(vm.m);
        break;
    case 1:
        vm.ops->memory_changed(vm.m);
        break;
    case 2:
        (void)vm.ops->save(vm.m, sink, NULL);
        break;
    case 3:
        (void)vm.ops->load(vm.m, source, in);
        break;
    case 4:
        (void)vm.ops->remap_msi(vm.m, (uint32_t)fuzz_take(in, 2), 0,
                                0xfee00000 | fuzz_take(in, 3), what, &addr,
                                &data);
        break;
    default:
        finish(what);
    }
}

static void step(struct fuzz_input *in)
{
    uint8_t op = (uint8_t)fuzz_take(in, 1);
    static const unsigned lens[] = { 1, 2, 4, 8 };
    unsigned len = lens[op >> 4 & 3];
    uint64_t off;

    vm.accesses = 0;
    switch (op & 7) {
    case 0:
        off = fuzz_take(in, 2) & 0xfff;
        wr(off & ~(uint64_t)(len - 1), fuzz_take(in, len), len);
        break;
    case 1:
        (void)vm.ops->mmio_read(vm.m, 0, fuzz_take(in, 2) & 0xff8, len);
        break;
    case 2: /* tables */
        off = 0x1000 + fuzz_take(in, 2) % 0x9000;
        poke(off, fuzz_take(in, 8));
        break;
    case 3:
        off = fuzz_take(in, 3);
        poke(off, fuzz_take(in, 8));
        break;
    case 4:
    case 5:
        ask(in);
        break;
    case 6:
        submit(in);
        break;
    default:
        rare(in, op >> 3);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    uint8_t first = (uint8_t)fuzz_take(&in, 1);
    const char *text = args[first % (sizeof(args) / sizeof(args[0]))];

    memset(&vm, 0, sizeof(vm));
    vm.ops = uiommu_embed(UIE_ABI);
    vm.ram = calloc(1, RAM);
    vm.m = vm.ops->create("vtd", &host, text);
    fuzz_check(vm.m != NULL, "the model can be created");
    if (first & 0x80)
        start(strstr(text, "scalable") != NULL, strstr(text, "fs=1") != NULL);
    for (unsigned i = 0; i < STEPS && in.left > 0; i++)
        step(&in);
    vm.ops->destroy(vm.m);
    free(vm.ram);
    return 0;
}
