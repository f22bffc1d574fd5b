/* SPDX-License-Identifier: MIT */
/*
 * The models behind the C ABI of include/uiommu/embed.h: libuiommu-models.so.
 *
 * One `struct embedded` a model, with the pthread mutex that is the model's lock.
 * Structs of the two sides are alike but for `size`, which is checked here: the
 * model sees only complete structs.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <uiommu/embed.h>

#include "hosts/embed/embed.h"
#include "model/model.h"

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

struct embedded {
    struct uim_model *model;
    const struct uie_host *vmm;
    struct uim_model_host host;
    pthread_mutex_t mutex;
};

static const struct uim_model_ops *const models[] = { &uim_model_vtd,
                                                      &uim_model_smmuv3 };
static const char *const names[] = { "vtd", "smmuv3", NULL };

/* ---- what the model asks for ------------------------------------------------- */

static void *host_alloc(void *ctx, size_t size)
{
    (void)ctx;
    return calloc(1, size);
}

static void host_free(void *ctx, void *p, size_t size)
{
    (void)ctx;
    (void)size;
    free(p);
}

static void host_lock(void *ctx)
{
    struct embedded *e = ctx;

    pthread_mutex_lock(&e->mutex);
}

static void host_unlock(void *ctx)
{
    struct embedded *e = ctx;

    pthread_mutex_unlock(&e->mutex);
}

static int host_mem_read(void *ctx, uint64_t gpa, void *buf, uint32_t len)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;

    return vmm->mem_read(vmm->opaque, gpa, buf, len);
}

static int host_mem_write(void *ctx, uint64_t gpa, const void *buf,
                          uint32_t len)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;

    return vmm->mem_write(vmm->opaque, gpa, buf, len);
}

static int host_mem_cas(void *ctx, uint64_t gpa, void *expect, const void *want,
                        uint32_t len)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;

    return vmm->mem_cas(vmm->opaque, gpa, expect, want, len);
}

static void host_raise_msi(void *ctx, uint64_t addr, uint32_t data)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;

    vmm->raise_msi(vmm->opaque, addr, data);
}

static void host_raise_own(void *ctx, uint32_t vector)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;

    if (vmm->raise_own)
        vmm->raise_own(vmm->opaque, vector);
}

static void host_set_irq(void *ctx, uint32_t line, int level)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;

    vmm->set_irq(vmm->opaque, line, level);
}

static void host_page_response(void *ctx,
                               const struct uim_model_page_response *r)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;
    struct uie_page_response out = { .size = sizeof(out),
                                     .rid = r->rid,
                                     .pasid = r->pasid,
                                     .group = r->group,
                                     .code = r->code };

    vmm->page_response(vmm->opaque, &out);
}

static void host_notify(void *ctx, const struct uim_model_inval *inv)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;
    struct uie_inval out = { .size = sizeof(out),
                             .what = inv->what,
                             .rid = inv->rid,
                             .pasid = inv->pasid,
                             .domain = inv->domain,
                             .tag = inv->tag,
                             .iova = inv->iova,
                             .len = inv->len };

    vmm->notify(vmm->opaque, &out);
}

static void host_notify_map(void *ctx, const struct uim_model_map *map)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;
    struct uie_map out = { .size = sizeof(out),
                           .rid = map->rid,
                           .pasid = map->pasid,
                           .perm = map->perm,
                           .iova = map->iova,
                           .gpa = map->gpa,
                           .len = map->len };

    if (vmm->notify_map)
        vmm->notify_map(vmm->opaque, &out);
}

static uint64_t host_now_ns(void *ctx)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;

    return vmm->now_ns ? vmm->now_ns(vmm->opaque) : 0;
}

static void host_log(void *ctx, int level, const char *text)
{
    const struct uie_host *vmm = ((struct embedded *)ctx)->vmm;

    vmm->log(vmm->opaque, level, text);
}

static const struct uim_model_host host_template = {
    .alloc = host_alloc,
    .free = host_free,
    .lock = host_lock,
    .unlock = host_unlock,
    .mem_read = host_mem_read,
    .mem_write = host_mem_write,
    .mem_cas = host_mem_cas,
    .raise_msi = host_raise_msi,
    .raise_own = host_raise_own,
    .set_irq = host_set_irq,
    .page_response = host_page_response,
    .notify = host_notify,
    .notify_map = host_notify_map,
    .now_ns = host_now_ns,
    .log = host_log,
};

/* ---- life ---------------------------------------------------------------------- */

static const struct uim_model_ops *find_model(const char *name)
{
    for (size_t i = 0; name && i < sizeof(models) / sizeof(*models); i++) {
        if (strcmp(models[i]->name, name) == 0)
            return models[i];
    }
    return NULL;
}

/* Every member of version 1 that is not optional. */
static int host_complete(const struct uie_host *h)
{
    return h->mem_read && h->mem_write && h->mem_cas && h->raise_msi &&
           h->set_irq && h->notify && h->page_response;
}

static void *embed_create(const char *name, const struct uie_host *vmm,
                          const char *args)
{
    const struct uim_model_ops *ops = find_model(name);
    struct embedded *e;

    if (!vmm || vmm->abi != UIE_ABI || vmm->size < sizeof(*vmm) || !vmm->log)
        return NULL;
    if (!ops || !host_complete(vmm)) {
        vmm->log(vmm->opaque, UIE_LOG_ERROR,
                 ops ? "uiommu: struct uie_host lacks a member"
                     : "uiommu: no model has that name");
        return NULL;
    }
    e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->vmm = vmm;
    e->host = host_template;
    e->host.ctx = e;
    if (pthread_mutex_init(&e->mutex, NULL) != 0)
        goto free_embedded;
    e->model = ops->create(&e->host, args);
    if (e->model)
        return e;
    pthread_mutex_destroy(&e->mutex);
free_embedded:
    free(e);
    return NULL;
}

struct uim_model *uim_embed_model(void *m)
{
    return ((struct embedded *)m)->model;
}

static void embed_destroy(void *m)
{
    struct embedded *e = m;

    if (!e)
        return;
    e->model->ops->destroy(e->model);
    pthread_mutex_destroy(&e->mutex);
    free(e);
}

static void embed_reset(void *m)
{
    struct uim_model *model = uim_embed_model(m);

    model->ops->reset(model);
}

/* ---- calls ------------------------------------------------------------------------ */

/* Version 1 is the first: no struct may be smaller than we know it. */
static int too_small(void *m, uint32_t size, size_t wanted)
{
    struct embedded *e = m;

    if (size >= wanted)
        return 0;
    e->vmm->log(e->vmm->opaque, UIE_LOG_ERROR,
                "uiommu: a struct's size is not set");
    return 1;
}

static void embed_info(void *m, struct uie_info *out)
{
    struct uim_model *model = uim_embed_model(m);
    struct uim_model_info info;

    if (too_small(m, out->size, sizeof(*out)))
        return;
    model->ops->info(model, &info);
    out->n_windows = info.n_windows;
    for (unsigned i = 0; i < UIM_MODEL_WINDOWS; i++) {
        out->window[i].size = info.window[i].size;
        out->window[i].preferred_base = info.window[i].preferred_base;
    }
    out->n_irqs = info.n_irqs;
    out->address_bits = info.address_bits;
    out->page_sizes = info.page_sizes;
    out->msi_base = info.msi_base;
    out->msi_len = info.msi_len;
}

static size_t embed_acpi(void *m, void *buf, size_t size)
{
    struct uim_model *model = uim_embed_model(m);

    return model->ops->acpi(model, buf, size);
}

static uint64_t embed_mmio_read(void *m, uint32_t window, uint64_t off,
                                uint32_t len)
{
    struct uim_model *model = uim_embed_model(m);

    return model->ops->mmio_read(model, window, off, len);
}

static void embed_mmio_write(void *m, uint32_t window, uint64_t off,
                             uint64_t val, uint32_t len)
{
    struct uim_model *model = uim_embed_model(m);

    model->ops->mmio_write(model, window, off, val, len);
}

static int embed_translate(void *m, const struct uie_req *req,
                           struct uie_xlat *out)
{
    struct uim_model *model = uim_embed_model(m);
    struct uim_model_xlat x;
    struct uim_model_req r;
    int result;

    if (too_small(m, req->size, sizeof(*req)) ||
        too_small(m, out->size, sizeof(*out)))
        return UIE_ERR_UR;
    r = (struct uim_model_req){ .rid = req->rid,
                                .pasid = req->pasid,
                                .access = req->access,
                                .flags = req->flags,
                                .iova = req->iova };
    result = model->ops->translate(model, &r, &x);
    out->perm = x.perm;
    out->gpa = x.gpa;
    out->mask = x.mask;
    out->domain = x.domain;
    out->flags = x.flags;
    out->tag = x.tag;
    out->reserved = 0;
    return result;
}

static int embed_remap_msi(void *m, uint32_t rid, uint32_t flags, uint64_t addr,
                           uint32_t data, uint64_t *oaddr, uint32_t *odata)
{
    struct uim_model *model = uim_embed_model(m);

    return model->ops->remap_msi(model, rid, flags, addr, data, oaddr, odata);
}

static int embed_page_request(void *m, const struct uie_page_request *req)
{
    struct uim_model *model = uim_embed_model(m);
    struct uim_model_page_request r;

    if (too_small(m, req->size, sizeof(*req)))
        return UIE_ERR_UR;
    r = (struct uim_model_page_request){ .rid = req->rid,
                                         .pasid = req->pasid,
                                         .access = req->access,
                                         .group = req->group,
                                         .last = req->flags & 1,
                                         .has_priv = req->flags & 2,
                                         .iova = req->iova,
                                         .priv = { req->priv[0],
                                                   req->priv[1] } };
    return model->ops->page_request(model, &r);
}

static void embed_devtlb_done(void *m, uint32_t tag, int failed)
{
    struct uim_model *model = uim_embed_model(m);

    model->ops->devtlb_done(model, tag, failed != 0);
}

static void embed_memory_changed(void *m)
{
    struct uim_model *model = uim_embed_model(m);

    model->ops->memory_changed(model);
}

static int embed_save(void *m, uie_write_fn fn, void *ctx)
{
    struct uim_model *model = uim_embed_model(m);

    return model->ops->save(model, fn, ctx);
}

static int embed_load(void *m, uie_read_fn fn, void *ctx)
{
    struct uim_model *model = uim_embed_model(m);

    return model->ops->load(model, fn, ctx);
}

static void embed_counters(void *m, uie_counter_fn fn, void *ctx)
{
    struct uim_model *model = uim_embed_model(m);

    model->ops->counters(model, fn, ctx);
}

static int embed_shadow(void *m, uint32_t rid, uint32_t pasid, int on)
{
    struct uim_model *model = uim_embed_model(m);

    return model->ops->shadow ? model->ops->shadow(model, rid, pasid, on) : -1;
}

static const struct uie_ops ops_v1 = {
    .abi = UIE_ABI,
    .size = sizeof(struct uie_ops),
    .names = names,
    .create = embed_create,
    .destroy = embed_destroy,
    .reset = embed_reset,
    .info = embed_info,
    .acpi = embed_acpi,
    .mmio_read = embed_mmio_read,
    .mmio_write = embed_mmio_write,
    .translate = embed_translate,
    .remap_msi = embed_remap_msi,
    .page_request = embed_page_request,
    .devtlb_done = embed_devtlb_done,
    .memory_changed = embed_memory_changed,
    .save = embed_save,
    .load = embed_load,
    .counters = embed_counters,
    .shadow = embed_shadow,
};

EXPORT const struct uie_ops *uiommu_embed(uint32_t abi)
{
    return abi == UIE_ABI ? &ops_v1 : NULL;
}
