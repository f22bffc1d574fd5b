/* SPDX-License-Identifier: MIT */
/* What a unit offers, and its life. */
#include "model/vtd/vtd.h"

#include "base/mem.h"
#include "model/say.h"

static uint64_t offered_cap(const struct mvtd_args *a)
{
    uint64_t fs = a->scalable & a->fs;
    uint64_t sagaw = UIM_BIT(VTD_SAGAW_BIT_39);

    if (a->bits >= 48)
        sagaw |= UIM_BIT(VTD_SAGAW_BIT_48);
    if (a->bits >= 57)
        sagaw |= UIM_BIT(VTD_SAGAW_BIT_57);
    return vtd_cap_pack(
               &(struct vtd_cap_fields){ .nd = 6, /* 16 bits */
                                         .rwbf = a->rwbf,
                                         .cm = a->cm,
                                         .sagaw = sagaw,
                                         .mgaw = a->bits - 1,
                                         .fro = MVTD_FRO / 16,
                                         .sslps = UIM_BIT(VTD_SSLPS_BIT_2M) |
                                                  UIM_BIT(VTD_SSLPS_BIT_1G),
                                         .psi = 1,
                                         .nfr = MVTD_RECORDS - 1,
                                         .mamv = MVTD_MAMV,
                                         .dwd = 1,
                                         .drd = 1,
                                         .fs1gp = fs,
                                         .fs5lp = fs & (a->bits == 57),
                                         .esrtps = a->esrtps })
        .raw;
}

static uint64_t offered_ecap(const struct mvtd_args *a)
{
    uint64_t sm = a->scalable;

    return vtd_ecap_pack(
               &(struct vtd_ecap_fields){ .c = a->coherent,
                                          .qi = 1,
                                          .dt = a->dt,
                                          .ir = a->ir,
                                          .eim = a->eim,
                                          .pt = 1,
                                          .sc = 1,
                                          .iro = MVTD_IRO / 16,
                                          .mhmv = a->ir ? MVTD_MHMV : 0,
                                          .prs = a->prs,
                                          .srs = sm,
                                          .nwfs = a->dt,
                                          .pss = sm ? MVTD_PASID_BITS - 1 : 0,
                                          .pasid = sm,
                                          .pds = a->prs,
                                          .smts = sm,
                                          .ssts = sm & a->ss,
                                          .fsts = sm & a->fs,
                                          .smpwcs = sm & a->coherent,
                                          .rps = sm,
                                          .adms = sm,
                                          .sms = a->prs })
        .raw;
}

static void power_on(struct mvtd *m)
{
    uint64_t masked = vtd_fectl_pack(&(struct vtd_fectl_fields){ .im = 1 }).raw;

    m->reg = (struct mvtd_regs){
        .ver = vtd_ver_pack(&(struct vtd_ver_fields){ .max = 1 }).raw,
        .cap = offered_cap(&m->args),
        .ecap = offered_ecap(&m->args),
        .fault.ctl = masked,
        .inval.ctl = masked,
        .pages.ctl = masked,
    };
    m->root = (struct vtd_rtaddr){ 0 };
    m->irta = (struct vtd_irta){ 0 };
    m->gcmd_pending = false;
    memset(m->frcd_lo, 0, sizeof(m->frcd_lo));
    memset(m->frcd_hi, 0, sizeof(m->frcd_hi));
    m->next_record = 0;
    m->n_recent_irtes = 0;
    m->n_received = 0;
    uim_unit_reset(&m->base);
    memset(m->fs_dids, 0, sizeof(m->fs_dids));
    mvtd_queue_reset(m);
    mvtd_caches_clear(m);
}

static void reset(struct uim_model *model)
{
    struct mvtd *m = mvtd_of(model);

    uim_unit_lock(&m->base);
    power_on(m);
    uim_unit_unlock(&m->base);
}

static const char *const cache_words[] = { "normal", "none", "adversarial",
                                           NULL };

static const char *contradiction(const struct mvtd_args *a)
{
    if (a->bits != 39 && a->bits != 48 && a->bits != 57)
        return "bits is 39, 48 or 57";
    if (a->scalable && !a->fs && !a->ss)
        return "scalable=1 needs fs=1 or ss=1";
    if (a->scalable && a->rwbf)
        return "rwbf=1 needs scalable=0 (CAP.RWBF is 0 when ECAP.SMTS is 1)";
    if (a->eim && !a->ir)
        return "eim=1 needs ir=1";
    if (a->prs && (!a->scalable || !a->dt))
        return "prs=1 needs scalable=1 and dt=1";
    if (a->common.base & (MVTD_WINDOW_SIZE - 1))
        return "base is not a multiple of 4 KiB";
    return NULL;
}

static bool parse(const struct uim_model_host *host, const char *text,
                  struct mvtd_args *a)
{
    const struct uim_arg table[] = {
        UIM_COMMON_ARGS(&a->common),
        { .key = "cache", .value = &a->cache, .words = cache_words },
        { .key = "cm", .value = &a->cm, .max = 1 },
        { .key = "coherent", .value = &a->coherent, .max = 1 },
        { .key = "scalable", .value = &a->scalable, .max = 1 },
        { .key = "fs", .value = &a->fs, .max = 1 },
        { .key = "ss", .value = &a->ss, .max = 1 },
        { .key = "bits", .value = &a->bits, .max = 64 },
        { .key = "dt", .value = &a->dt, .max = 1 },
        { .key = "rwbf", .value = &a->rwbf, .max = 1 },
        { .key = "ir", .value = &a->ir, .max = 1 },
        { .key = "eim", .value = &a->eim, .max = 1 },
        { .key = "esrtps", .value = &a->esrtps, .max = 1 },
        { .key = "prs", .value = &a->prs, .max = 1 },
        { .key = NULL },
    };
    const char *wrong;

    *a = (struct mvtd_args){ .common = UIM_COMMON_ARGS_DEFAULT,
                             .coherent = 1,
                             .fs = 1,
                             .ss = 1,
                             .bits = 48,
                             .dt = 1 };
    if (!uim_args_parse(host, "vtd", text, table))
        return false;
    wrong = contradiction(a);
    if (!wrong)
        return true;
    uim_say(host, UIM_MODEL_ERROR, "vtd: %s", wrong);
    return false;
}

static struct uim_model *create(const struct uim_model_host *host,
                                const char *text)
{
    struct mvtd_args args;
    struct mvtd *m;

    if (!parse(host, text, &args))
        return NULL;
    m = host->alloc(host->ctx, sizeof(*m));
    if (!m)
        goto no_memory;
    m->base = (struct uim_model){ .ops = &uim_model_vtd, .host = host };
    m->args = args;
    /* Entries hold 52 address bits at most (9.7). */
    m->haw = args.bits < 52 ? (uint8_t)args.bits : 52;
    if (!mvtd_caches_create(m))
        goto free_model;
    power_on(m);
    return &m->base;

free_model:
    host->free(host->ctx, m, sizeof(*m));
no_memory:
    uim_say(host, UIM_MODEL_ERROR, "vtd: no memory");
    return NULL;
}

static void destroy(struct uim_model *model)
{
    struct mvtd *m = mvtd_of(model);
    const struct uim_model_host *host = model->host;

    mvtd_caches_destroy(m);
    host->free(host->ctx, m, sizeof(*m));
}

static void info(struct uim_model *model, struct uim_model_info *out)
{
    const struct mvtd *m = mvtd_of(model);

    *out = (struct uim_model_info){
        .n_windows = 1,
        .window = { { MVTD_WINDOW_SIZE, MVTD_PREFERRED_BASE } },
        .address_bits = (uint32_t)m->args.bits,
        .page_sizes = UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30),
        .msi_base = MVTD_MSI_BASE,
        .msi_len = MVTD_MSI_LEN,
    };
}

static void memory_changed(struct uim_model *model)
{
    (void)model; /* no pointer into guest memory is ever kept */
}

#define COUNTER_NAME(name) #name,
static const char *const counter_names[] = { MVTD_COUNTERS(COUNTER_NAME) };

static void counters(struct uim_model *model, uim_model_counter_fn fn,
                     void *ctx)
{
    struct mvtd *m = mvtd_of(model);
    uint64_t value[MVTD_N_COUNTERS];
    uint64_t evictions;

    uim_unit_lock(&m->base);
    memcpy(value, m->counter, sizeof(value));
    evictions = m->contexts.evictions + m->pasids.evictions + m->tlb.evictions +
                m->walks.evictions + m->irtes.evictions;
    uim_unit_unlock(&m->base);
    for (unsigned i = 0; i < MVTD_N_COUNTERS; i++)
        fn(ctx, counter_names[i], value[i]);
    fn(ctx, "evictions", evictions);
}

static bool door_update(struct uim_model *model)
{
    return mvtd_gcmd_step(mvtd_of(model));
}

static bool door_command(struct uim_model *model)
{
    return mvtd_inval_step(mvtd_of(model));
}

static bool door_request(struct uim_model *model)
{
    return mvtd_pages_step(mvtd_of(model));
}

static void door_memory_changed(struct uim_model *model, uint64_t gpa,
                                uint64_t len)
{
    struct mvtd *m = mvtd_of(model);

    (void)gpa; /* which table it is would cost more than fetching all */
    (void)len;
    uim_unit_lock(&m->base);
    mvtd_prefetch(m);
    uim_unit_unlock(&m->base);
}

static void door_caches_drop(struct uim_model *model)
{
    struct mvtd *m = mvtd_of(model);

    uim_unit_lock(&m->base);
    mvtd_caches_clear(m);
    uim_unit_unlock(&m->base);
}

static void door_inject(struct uim_model *model,
                        const struct uim_check_inject *error)
{
    struct mvtd *m = mvtd_of(model);

    uim_unit_lock(&m->base);
    switch (error->error) {
    case UIM_CHECK_ERROR_QUEUE:
        mvtd_queue_error(m, error->code);
        break;
    case UIM_CHECK_ERROR_COMPLETION:
        mvtd_queue_bad_completion(m, (uint16_t)error->rid);
        break;
    case UIM_CHECK_ERROR_TIMEOUT:
        mvtd_queue_timeout(m, (uint16_t)error->rid);
        break;
    case UIM_CHECK_ERROR_MESSAGE:
        break;
    }
    uim_unit_unlock(&m->base);
}

static const struct uim_model_door door = {
    .update = door_update,
    .command = door_command,
    .request = door_request,
    .memory_changed = door_memory_changed,
    .caches_drop = door_caches_drop,
    .inject = door_inject,
};

const struct uim_model_ops uim_model_vtd = {
    .name = "vtd",
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .info = info,
    .acpi = mvtd_acpi,
    .mmio_read = mvtd_mmio_read,
    .mmio_write = mvtd_mmio_write,
    .translate = mvtd_translate,
    .remap_msi = mvtd_remap_msi,
    .page_request = mvtd_page_request,
    .devtlb_done = mvtd_devtlb_done,
    .memory_changed = memory_changed,
    .save = mvtd_save,
    .load = mvtd_load,
    .counters = counters,
    .shadow = NULL,
    .door = &door,
};
