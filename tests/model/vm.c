/* SPDX-License-Identifier: MIT */
#include "tests/model/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hosts/embed/embed.h"
#include "hosts/sim/snapshots.h"
#include "fuzz/share.h"

/* ---- the host -------------------------------------------------------------- */

static bool inside(uint64_t gpa, uint64_t len)
{
    return gpa <= VM_MEMORY && len <= VM_MEMORY - gpa;
}

static int mem_read(void *opaque, uint64_t gpa, void *buf, uint32_t len)
{
    struct vm *vm = opaque;

    if (!inside(gpa, len))
        return -1;
    memcpy(buf, vm->memory + gpa, len);
    return 0;
}

static int mem_write(void *opaque, uint64_t gpa, const void *buf, uint32_t len)
{
    struct vm *vm = opaque;

    if (!inside(gpa, len))
        return -1;
    memcpy(vm->memory + gpa, buf, len);
    return 0;
}

static int mem_cas(void *opaque, uint64_t gpa, void *expect, const void *want,
                   uint32_t len)
{
    struct vm *vm = opaque;

    if (!inside(gpa, len) || vm->cas_fails)
        return -1;
    if (vm->cas_races > 0) {
        vm->cas_races--;
        vm->memory[gpa + 6] ^= 0x80; /* an ignored bit */
    }
    if (memcmp(vm->memory + gpa, expect, len) == 0) {
        memcpy(vm->memory + gpa, want, len);
        return 1;
    }
    memcpy(expect, vm->memory + gpa, len);
    return 0;
}

static void raise_msi(void *opaque, uint64_t addr, uint32_t data)
{
    struct vm *vm = opaque;
    unsigned n = vm->n_msi++ % VM_MANY;

    vm->msi[n].addr = addr;
    vm->msi[n].data = data;
}

static void set_irq(void *opaque, uint32_t line, int level)
{
    struct vm *vm = opaque;
    unsigned n = vm->n_irq++ % VM_MANY;

    if (!vm->wired)
        fail_msg("VT-d has no wired interrupt");
    vm->irq[n].line = line;
    vm->irq[n].level = level;
}

static void notify(void *opaque, const struct uie_inval *inv)
{
    struct vm *vm = opaque;

    assert_int_equal(inv->size, sizeof(*inv));
    vm->inval[vm->n_inval++ % VM_MANY] = *inv;
}

static void page_response(void *opaque, const struct uie_page_response *r)
{
    struct vm *vm = opaque;

    assert_int_equal(r->size, sizeof(*r));
    assert_int_equal(r->flags, 0);
    vm->response[vm->n_response++ % VM_MANY] = *r;
}

static void log_line(void *opaque, int level, const char *text)
{
    struct vm *vm = opaque;

    vm->n_log[level & 3]++;
    strncpy(vm->last_log, text, sizeof(vm->last_log) - 1);
}

/* ---- the door ---------------------------------------------------------------- */

static void on_fetch(void *ctx, const struct uim_check_fetch *f)
{
    struct vm *vm = ctx;

    if (f->recheck)
        return;
    vm->fetch[vm->n_fetch++ % VM_MANY] = (struct vm_fetch){
        .gpa = f->gpa, .snooped = f->snooped, .write = f->write
    };
}

static void on_invalidate(void *ctx, const struct uim_check_inval *inval)
{
    struct vm *vm = ctx;

    vm->command[vm->n_command++ % VM_MANY] = *inval;
}

static void on_stale(void *ctx, const struct uim_check_stale *stale)
{
    struct vm *vm = ctx;

    vm->stale[vm->n_stale++ % VM_MANY] = *stale;
    strncpy(vm->stale_text, stale->text, sizeof(vm->stale_text) - 1);
}

/* ---- memory -------------------------------------------------------------------- */

uint64_t vm_peek(const struct vm *vm, uint64_t gpa)
{
    uint64_t v = 0;

    for (int i = 7; i >= 0; i--)
        v = v << 8 | vm->memory[gpa + (uint64_t)i];
    return v;
}

void vm_poke(struct vm *vm, uint64_t gpa, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        vm->memory[gpa + (uint64_t)i] = (uint8_t)(value >> (8 * i));
}

static void put_leaf(struct vm *vm, uint64_t tables, uint64_t iova,
                     uint64_t bits)
{
    vm_poke(vm, tables + 0x3000 + (iova >> 12) * 8, (VM_PAGES + iova) | bits);
}

/* Four levels; present has the rights of tables, A and D where there are. */
static void put_tables(struct vm *vm, uint64_t tables, uint64_t present)
{
    for (uint64_t i = 0; i < 3; i++)
        vm_poke(vm, tables + i * 0x1000, (tables + (i + 1) * 0x1000) | present);
    put_leaf(vm, tables, VM_X, present);
    put_leaf(vm, tables, VM_Y, present);
    put_leaf(vm, tables, VM_Z, present);
    vm_poke(vm, tables + 0x2000 + 8, VM_LARGE | present | 0x80);
}

static void put_second_stage(struct vm *vm)
{
    put_tables(vm, VM_SS, 3);
    put_leaf(vm, VM_SS, VM_READ_ONLY, 1);
    put_leaf(vm, VM_SS, VM_WRITE_ONLY, 2);
}

static void put_first_stage(struct vm *vm, uint64_t tables)
{
    put_tables(vm, tables, 7); /* present, writable, user */
    put_leaf(vm, tables, VM_READ_ONLY, 5);
    put_leaf(vm, tables, VM_WRITE_ONLY, 3);
}

static void put_legacy(struct vm *vm)
{
    vm_poke(vm, VM_ROOT, VM_CONTEXT | 1);
    vm_poke(vm, VM_CONTEXT + VM_A * 16, VM_SS | 1);
    vm_poke(vm, VM_CONTEXT + VM_A * 16 + 8, VM_DID_A << 8 | 2);
    vm_poke(vm, VM_CONTEXT + VM_B * 16, VM_SS | 1);
    vm_poke(vm, VM_CONTEXT + VM_B * 16 + 8, VM_DID_B << 8 | 2);
}

static void put_pasid(struct vm *vm, uint64_t table, unsigned pasid,
                      unsigned pgtt, uint64_t tables, unsigned did)
{
    uint64_t at = table + pasid * 64;

    vm_poke(vm, at, 1 | pgtt << 6);
    vm_poke(vm, at + 8, did);
    if (pgtt == 2)
        vm_poke(vm, at, 1 | pgtt << 6 | 2 << 2 | tables);
    if (pgtt == 1) {
        vm_poke(vm, at + 16, tables | 1); /* SRE */
        /* Without PWSNP nothing but preset A and D bits works. */
        vm_poke(vm, at + 8, did | 1 << 23);
    }
}

static void put_scalable(struct vm *vm)
{
    uint64_t a = VM_CONTEXT + VM_A * 32, b = VM_CONTEXT + VM_B * 32;

    vm_poke(vm, VM_ROOT, VM_CONTEXT | 1);
    vm_poke(vm, VM_ROOT + 8, VM_CONTEXT_UPPER | 1);
    vm_poke(vm, a, VM_PASID_DIR | 1 | 1 << 2 | 1 << 3);
    vm_poke(vm, a + 8, VM_RID_PASID);
    vm_poke(vm, b, VM_PASID_DIR_B | 1);
    vm_poke(vm, b + 8, VM_RID_PASID);
    vm_poke(vm, VM_PASID_DIR, VM_PASID_TABLE | 1);
    vm_poke(vm, VM_PASID_DIR_B, VM_PASID_TABLE_B | 1);
    put_pasid(vm, VM_PASID_TABLE, VM_RID_PASID, 2, VM_SS, VM_DID_A);
    put_pasid(vm, VM_PASID_TABLE, VM_PASID_SS, 2, VM_SS, VM_DID_A);
    put_pasid(vm, VM_PASID_TABLE, VM_PASID_FS, 1, VM_FS, VM_DID_FS);
    put_pasid(vm, VM_PASID_TABLE, VM_PASID_FS_2, 1, VM_FS_2, VM_DID_FS);
    put_pasid(vm, VM_PASID_TABLE, VM_PASID_PT, 4, 0, VM_DID_PT);
    put_pasid(vm, VM_PASID_TABLE_B, VM_RID_PASID, 2, VM_SS, VM_DID_B);
}

/* ---- life ----------------------------------------------------------------------- */

struct vm *vm_create_bare(void)
{
    struct vm *vm = calloc(1, sizeof(*vm));

    assert_non_null(vm);
    vm->memory = calloc(1, VM_MEMORY);
    assert_non_null(vm->memory);
    vm->ops =
        getenv("UIOMMU_SNAPSHOTS") ? sim_snapshots() : uiommu_embed(UIE_ABI);
    assert_non_null(vm->ops);
    vm->host = (struct uie_host){ .abi = UIE_ABI,
                                  .size = sizeof(vm->host),
                                  .opaque = vm,
                                  .mem_read = mem_read,
                                  .mem_write = mem_write,
                                  .mem_cas = mem_cas,
                                  .raise_msi = raise_msi,
                                  .set_irq = set_irq,
                                  .notify = notify,
                                  .page_response = page_response,
                                  .log = log_line };
    vm->hooks = (struct uim_check){ vm, on_fetch, on_invalidate, on_stale };
    return vm;
}

static const char *cache_mode(void)
{
    const char *mode = getenv("UIOMMU_CACHE");

    return mode ? mode : "normal";
}

bool vm_cache(const char *mode)
{
    return strcmp(cache_mode(), mode) == 0;
}

unsigned vm_step(void)
{
    return getenv("UIOMMU_SNAPSHOTS") ? 20 : share();
}

unsigned vm_rounds(unsigned n)
{
    return n / vm_step();
}

struct vm *vm_create_empty(const char *model, const char *args)
{
    struct vm *vm = vm_create_bare();
    char all[160];

    snprintf(all, sizeof(all), "cache=%s%s%s", cache_mode(), *args ? "," : "",
             args);
    vm->m = vm->ops->create(model, &vm->host, all);
    assert_non_null(vm->m);
    vm->model = uim_embed_model(vm->m);
    uim_check_hooks(vm->model, &vm->hooks);
    return vm;
}

struct vm *vm_create(const char *args)
{
    struct vm *vm = vm_create_empty("vtd", args);

    vm->scalable = strstr(args, "scalable=1");
    vm->pages = strstr(args, "prs=1");
    put_second_stage(vm);
    put_first_stage(vm, VM_FS);
    put_first_stage(vm, VM_FS_2);
    if (vm->scalable)
        put_scalable(vm);
    else
        put_legacy(vm);
    return vm;
}

void vm_destroy(struct vm *vm)
{
    if (vm->m)
        vm->ops->destroy(vm->m);
    free(vm->memory);
    free(vm);
}

/* ---- registers --------------------------------------------------------------------- */

#define WIDTH_CASE(name, offset, bits)                                         \
    case offset:                                                               \
        return (bits) / 8;

static uint32_t width_of(uint32_t reg)
{
    switch (reg) {
        VTD_REGISTERS(WIDTH_CASE)
    default:
        return 8;
    }
}

uint64_t vm_rd(struct vm *vm, uint32_t reg)
{
    return vm->ops->mmio_read(vm->m, 0, reg, width_of(reg));
}

void vm_wr(struct vm *vm, uint32_t reg, uint64_t value)
{
    vm->ops->mmio_write(vm->m, 0, reg, value, width_of(reg));
}

void vm_gcmd(struct vm *vm, uint32_t bit, bool on)
{
    uint64_t sts = vm_rd(vm, VTD_REG_GSTS) & VTD_GSTS_KEEP;
    uint64_t mask = UIM_BIT(bit);

    vm_wr(vm, VTD_REG_GCMD, on ? sts | mask : sts & ~mask);
}

void vm_set_root(struct vm *vm, uint64_t rtaddr)
{
    vm_wr(vm, VTD_REG_RTADDR, rtaddr);
    vm_gcmd(vm, 30, true);
}

void vm_queue_on(struct vm *vm)
{
    vm->tail = 0;
    vm_wr(vm, VTD_REG_IQT, 0);
    vm_wr(vm, VTD_REG_IQA, VM_QUEUE | (vm->scalable ? 1 << 11 : 0));
    vm_gcmd(vm, 26, true);
}

void vm_start(struct vm *vm)
{
    vm_set_root(vm, VM_ROOT | (vm->scalable ? 1 << 10 : 0));
    vm_queue_on(vm);
    vm_gcmd(vm, 31, true);
    vm_forget(vm);
}

void vm_post(struct vm *vm, uint64_t lo, uint64_t hi)
{
    unsigned bytes = vm_rd(vm, VTD_REG_IQA) & (1 << 11) ? 32 : 16;

    memset(vm->memory + VM_QUEUE + vm->tail, 0, bytes);
    vm_poke(vm, VM_QUEUE + vm->tail, lo);
    vm_poke(vm, VM_QUEUE + vm->tail + 8, hi);
    vm->tail = (vm->tail + bytes) & 0xfff;
}

void vm_submit(struct vm *vm, uint64_t lo, uint64_t hi)
{
    vm_post(vm, lo, hi);
    vm_wr(vm, VTD_REG_IQT, vm->tail);
}

/* ---- requests -------------------------------------------------------------------- */

int vm_ask(struct vm *vm, uint32_t rid, uint32_t pasid, uint32_t access,
           uint32_t flags, uint64_t iova, struct uie_xlat *out)
{
    struct uie_req req = { .size = sizeof(req),
                           .rid = rid,
                           .pasid = pasid,
                           .access = access,
                           .flags = flags,
                           .iova = iova };

    *out = (struct uie_xlat){ .size = sizeof(*out) };
    return vm->ops->translate(vm->m, &req, out);
}

static uint64_t go(struct vm *vm, uint32_t rid, uint32_t pasid, uint32_t access,
                   uint64_t iova)
{
    struct uie_xlat x;

    if (vm_ask(vm, rid, pasid, access, 0, iova, &x) != 0)
        return 0;
    assert_int_equal(x.perm & access, access);
    return x.gpa + (iova & x.mask);
}

uint64_t vm_go(struct vm *vm, uint32_t access, uint64_t iova)
{
    return go(vm, VM_A, UIE_NO_PASID, access, iova);
}

uint64_t vm_go_pasid(struct vm *vm, uint32_t pasid, uint32_t access,
                     uint64_t iova)
{
    return go(vm, VM_A, pasid, access, iova);
}

/* ---- what the model said --------------------------------------------------------- */

static uint32_t record_at(struct vm *vm, unsigned n)
{
    struct vtd_cap cap = { vm_rd(vm, VTD_REG_CAP) };

    return (uint32_t)(vtd_cap_fro(cap) + n) * 16;
}

unsigned vm_fault(struct vm *vm, unsigned n)
{
    struct vtd_frcd_hi hi = { vm_rd(vm, record_at(vm, n) + 8) };

    return vtd_frcd_hi_f(hi) ? (unsigned)vtd_frcd_hi_fr(hi) : 0;
}

void vm_clear_fault(struct vm *vm, unsigned n)
{
    vm_wr(vm, record_at(vm, n) + 8, UIM_BIT(63));
}

struct wanted {
    const char *name;
    uint64_t value;
    bool found;
};

static void take_counter(void *ctx, const char *name, uint64_t value)
{
    struct wanted *w = ctx;

    if (strcmp(w->name, name) != 0)
        return;
    w->value = value;
    w->found = true;
}

uint64_t vm_counter(struct vm *vm, const char *name)
{
    struct wanted w = { name, 0, false };

    vm->ops->counters(vm->m, take_counter, &w);
    assert_true(w.found);
    return w.value;
}

unsigned vm_fetched(const struct vm *vm, uint64_t gpa, uint64_t len)
{
    unsigned n = 0;

    for (unsigned i = 0; i < vm->n_fetch && i < VM_MANY; i++)
        n += vm->fetch[i].gpa - gpa < len;
    return n;
}

void vm_forget(struct vm *vm)
{
    vm->n_inval = 0;
    vm->n_msi = 0;
    vm->n_irq = 0;
    vm->n_response = 0;
    vm->n_fetch = 0;
    vm->n_command = 0;
    vm->n_stale = 0;
    memset(vm->n_log, 0, sizeof(vm->n_log));
}

/* ---- descriptors ----------------------------------------------------------------- */

uint64_t vm_cc(unsigned g, unsigned did, unsigned sid, unsigned fm)
{
    return vtd_qi_context_lo_pack(
               &(struct vtd_qi_context_lo_fields){ .type = VTD_QI_CONTEXT,
                                                   .g = g,
                                                   .did = did,
                                                   .sid = sid,
                                                   .fm = fm })
        .raw;
}

uint64_t vm_pc(unsigned g, unsigned did, unsigned pasid)
{
    return vtd_qi_pasid_cache_lo_pack(&(struct vtd_qi_pasid_cache_lo_fields){
                                          .type = VTD_QI_PASID_CACHE,
                                          .g = g,
                                          .did = did,
                                          .pasid = pasid })
        .raw;
}

uint64_t vm_iotlb(unsigned g, unsigned did)
{
    return vtd_qi_iotlb_lo_pack(
               &(struct vtd_qi_iotlb_lo_fields){
                   .type = VTD_QI_IOTLB, .g = g, .dr = 1, .dw = 1, .did = did })
        .raw;
}

uint64_t vm_piotlb(unsigned g, unsigned did, unsigned pasid)
{
    return vtd_qi_piotlb_lo_pack(
               &(struct vtd_qi_piotlb_lo_fields){
                   .type = VTD_QI_PIOTLB, .g = g, .did = did, .pasid = pasid })
        .raw;
}

uint64_t vm_page(uint64_t iova, unsigned am, unsigned ih)
{
    return vtd_qi_iotlb_hi_pack(&(struct vtd_qi_iotlb_hi_fields){
                                    .addr = iova >> 12, .am = am, .ih = ih })
        .raw;
}

uint64_t vm_wait(uint32_t status, bool fence, bool interrupt)
{
    return vtd_qi_wait_lo_pack(
               &(struct vtd_qi_wait_lo_fields){ .type = VTD_QI_WAIT,
                                                .sw = status != 0,
                                                .stdata = status,
                                                .fn = fence,
                                                .if_ = interrupt })
        .raw;
}
