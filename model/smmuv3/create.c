/* SPDX-License-Identifier: MIT */
/* What a unit offers, and its life. */
#include "model/smmuv3/smmuv3.h"

#include "base/mem.h"
#include "model/say.h"

/* ---- identification (6.3.1 to 6.3.8) -------------------------------------------- */

static uint64_t offered_idr0(const struct msmmu_args *a)
{
    return smmuv3_idr0_pack(
               &(struct smmuv3_idr0_fields){
                   .s2p = a->stage != MSMMU_STAGE_1,
                   .s1p = a->stage != MSMMU_STAGE_2,
                   .ttf = SMMUV3_TTF_AARCH64,
                   .cohacc = a->coherent,
                   .httu = a->httu,
                   .ats = a->ats,
                   .ns1ats = a->ats,
                   .asid16 = a->asid16,
                   .msi = a->msi,
                   .vmid16 = a->vmid16,
                   .cd2l = a->cd2l,
                   .ttendian = SMMUV3_TTENDIAN_LITTLE,
                   .pri = a->pri,
                   .atsrecerr = a->ats,
                   .stall_model = a->stall
                                      ? SMMUV3_STALL_MODEL_STALL_AND_TERMINATE
                                      : SMMUV3_STALL_MODEL_TERMINATE_ONLY,
                   .term_model = 1,
                   .st_level = a->st_level })
        .raw;
}

static uint64_t offered_idr1(const struct msmmu_args *a)
{
    return smmuv3_idr1_pack(
               &(struct smmuv3_idr1_fields){ .sidsize = a->sidsize,
                                             .ssidsize = a->ssidsize,
                                             .priqs = a->pri ? a->priqs : 0,
                                             .eventqs = a->eventqs,
                                             .cmdqs = a->cmdqs })
        .raw;
}

static uint64_t offered_idr3(const struct msmmu_args *a)
{
    return smmuv3_idr3_pack(
               &(struct smmuv3_idr3_fields){ .had = a->stage != MSMMU_STAGE_2,
                                             .xnx = a->stage != MSMMU_STAGE_1,
                                             .pps = a->pps,
                                             .epan = a->epan,
                                             .ril = a->ril,
                                             .bbml = a->bbml })
        .raw;
}

/* Index: SMMUV3_OAS_*. */
static const uint8_t oas_bits[] = { 32, 36, 40, 42, 44, 48 };

static uint64_t oas_code(uint64_t bits)
{
    uint64_t code = 0;

    while (code < sizeof(oas_bits) && oas_bits[code] != bits)
        code++;
    return code;
}

static uint64_t offered_idr5(const struct msmmu_args *a)
{
    return smmuv3_idr5_pack(&(struct smmuv3_idr5_fields){
                                .stall_max = a->stall ? a->stall_max : 0,
                                .oas = oas_code(a->oas),
                                .gran4k = a->gran4k,
                                .gran16k = a->gran16k,
                                .gran64k = a->gran64k,
                                .vax = SMMUV3_VAX_BITS_48 })
        .raw;
}

unsigned msmmu_size_bits(const struct msmmu *m, uint64_t code)
{
    uint64_t bits = code < sizeof(oas_bits) ? oas_bits[code] : m->args.oas;

    return (unsigned)(bits < m->args.oas ? bits : m->args.oas);
}

/* ---- life ------------------------------------------------------------------------ */

static void power_on(struct msmmu *m)
{
    const struct msmmu_args *a = &m->args;

    m->reg = (struct msmmu_regs){
        .idr0 = offered_idr0(a),
        .idr1 = offered_idr1(a),
        .idr3 = offered_idr3(a),
        .idr5 = offered_idr5(a),
        .aidr =
            smmuv3_aidr_pack(&(struct smmuv3_aidr_fields){ .archminorrev = 1 })
                .raw,
        .gbpa = smmuv3_gbpa_pack(
                    &(struct smmuv3_gbpa_fields){
                        .abort = a->abort, .shcfg = SMMUV3_SHCFG_INCOMING })
                    .raw,
    };
    uim_unit_reset(&m->base);
    memset(m->atc, 0, sizeof(m->atc));
    m->atc_failed = false;
    memset(m->stall, 0, sizeof(m->stall));
    m->n_stalls = 0;
    m->gave_wide = false;
    msmmu_caches_clear(m);
}

static void reset(struct uim_model *model)
{
    uim_unit_lock(model);
    power_on(msmmu_of(model));
    uim_unit_unlock(model);
}

static const char *const cache_words[] = { "normal", "none", "adversarial",
                                           NULL };
static const char *const stage_words[] = { "1", "2", "nested", NULL };

static const char *contradiction(const struct msmmu_args *a)
{
    if (oas_code(a->oas) == sizeof(oas_bits))
        return "oas is 32, 36, 40, 42, 44 or 48";
    if (!a->gran4k && !a->gran16k && !a->gran64k)
        return "needs gran4k=1, gran16k=1 or gran64k=1";
    if (a->httu && !a->coherent)
        return "httu needs coherent=1";
    if (a->pri && !a->ats)
        return "pri=1 needs ats=1";
    if (a->pps && (!a->pri || !a->ssidsize))
        return "pps=1 needs pri=1 and substreams (IDR3.PPS)";
    if (a->stall_max == 0)
        return "stall_max is 1 or more";
    if (a->common.base & (2 * MSMMU_WINDOW_SIZE - 1))
        return "base is not a multiple of 128 KiB";
    return NULL;
}

static const struct msmmu_args defaults = {
    .common = UIM_COMMON_ARGS_DEFAULT,
    .stage = MSMMU_NESTED,
    .sidsize = 16,
    .ssidsize = 20,
    .oas = 48,
    .cmdqs = 19,
    .eventqs = 19,
    .priqs = 19,
    .gran4k = 1,
    .gran16k = 1,
    .gran64k = 1,
    .coherent = 1,
    .st_level = 1,
    .cd2l = 1,
    .asid16 = 1,
    .vmid16 = 1,
    .msi = 1,
    .ats = 1,
    .ril = 1,
    .stall_max = 16,
};

static bool parse(const struct uim_model_host *host, const char *text,
                  struct msmmu_args *a)
{
    const struct uim_arg table[] = {
        UIM_COMMON_ARGS(&a->common),
        { .key = "cache", .value = &a->cache, .words = cache_words },
        { .key = "stage", .value = &a->stage, .words = stage_words },
        { .key = "sidsize", .value = &a->sidsize, .max = 32 },
        { .key = "ssidsize", .value = &a->ssidsize, .max = 20 },
        { .key = "oas", .value = &a->oas, .max = 64 },
        { .key = "cmdqs", .value = &a->cmdqs, .max = 19 },
        { .key = "eventqs", .value = &a->eventqs, .max = 19 },
        { .key = "priqs", .value = &a->priqs, .max = 19 },
        { .key = "gran4k", .value = &a->gran4k, .max = 1 },
        { .key = "gran16k", .value = &a->gran16k, .max = 1 },
        { .key = "gran64k", .value = &a->gran64k, .max = 1 },
        { .key = "coherent", .value = &a->coherent, .max = 1 },
        { .key = "st_level", .value = &a->st_level, .max = 1 },
        { .key = "cd2l", .value = &a->cd2l, .max = 1 },
        { .key = "asid16", .value = &a->asid16, .max = 1 },
        { .key = "vmid16", .value = &a->vmid16, .max = 1 },
        { .key = "msi", .value = &a->msi, .max = 1 },
        { .key = "ats", .value = &a->ats, .max = 1 },
        { .key = "ril", .value = &a->ril, .max = 1 },
        { .key = "pri", .value = &a->pri, .max = 1 },
        { .key = "pps", .value = &a->pps, .max = 1 },
        { .key = "stall", .value = &a->stall, .max = 1 },
        { .key = "stall_max", .value = &a->stall_max, .max = MSMMU_STALLS },
        { .key = "abort", .value = &a->abort, .max = 1 },
        { .key = "epan", .value = &a->epan, .max = 1 },
        { .key = "httu", .value = &a->httu, .max = 2 },
        { .key = "bbml", .value = &a->bbml, .max = 2 },
        { .key = NULL },
    };
    const char *wrong;

    *a = defaults;
    if (!uim_args_parse(host, uim_model_smmuv3.name, text, table))
        return false;
    wrong = contradiction(a);
    if (!wrong)
        return true;
    uim_say(host, UIM_MODEL_ERROR, "smmuv3: %s", wrong);
    return false;
}

static struct uim_model *create(const struct uim_model_host *host,
                                const char *text)
{
    struct msmmu_args args;
    struct msmmu *m;

    if (!parse(host, text, &args))
        return NULL;
    m = host->alloc(host->ctx, sizeof(*m));
    if (!m)
        goto no_memory;
    m->base = (struct uim_model){ .ops = &uim_model_smmuv3, .host = host };
    m->args = args;
    if (!msmmu_caches_create(m))
        goto free_model;
    power_on(m);
    return &m->base;

free_model:
    host->free(host->ctx, m, sizeof(*m));
no_memory:
    uim_say(host, UIM_MODEL_ERROR, "smmuv3: no memory");
    return NULL;
}

static void destroy(struct uim_model *model)
{
    struct msmmu *m = msmmu_of(model);
    const struct uim_model_host *host = model->host;

    msmmu_caches_destroy(m);
    host->free(host->ctx, m, sizeof(*m));
}

static uint64_t page_sizes(const struct msmmu_args *a)
{
    return (a->gran4k ? UIM_BIT(12) | UIM_BIT(21) | UIM_BIT(30) : 0) |
           (a->gran16k ? UIM_BIT(14) | UIM_BIT(25) : 0) |
           (a->gran64k ? UIM_BIT(16) | UIM_BIT(29) : 0);
}

static void info(struct uim_model *model, struct uim_model_info *out)
{
    const struct msmmu *m = msmmu_of(model);

    *out = (struct uim_model_info){
        .n_windows = 2,
        .n_irqs = MSMMU_LINES,
        .address_bits = msmmu_has_s1(m) ? 48 : (uint32_t)m->args.oas,
        .page_sizes = page_sizes(&m->args),
    };
    /* Not above: clang would copy constants from what is writable. */
    out->window[0].size = out->window[1].size = MSMMU_WINDOW_SIZE;
    out->window[0].preferred_base = MSMMU_PREFERRED_BASE;
}

/* ---- what a unit of this kind does not do ----------------------------------------- */

static int remap_msi(struct uim_model *model, uint32_t rid, uint32_t flags,
                     uint64_t addr, uint32_t data, uint64_t *oaddr,
                     uint32_t *odata)
{
    (void)model;
    (void)rid;
    (void)flags;
    *oaddr = addr; /* messages are writes, and translated as such */
    *odata = data;
    return 0;
}

static void memory_changed(struct uim_model *model)
{
    (void)model; /* no pointer into guest memory is ever kept */
}

/* ---- counters, the door ------------------------------------------------------------ */

#define COUNTER_NAME(name) #name,
static const char *const counter_names[] = { MSMMU_COUNTERS(COUNTER_NAME) };

static void counters(struct uim_model *model, uim_model_counter_fn fn,
                     void *ctx)
{
    struct msmmu *m = msmmu_of(model);
    uint64_t value[MSMMU_N_COUNTERS];
    uint64_t evictions;

    uim_unit_lock(model);
    memcpy(value, m->counter, sizeof(value));
    evictions = m->stes.evictions + m->cds.evictions + m->l1s.evictions +
                m->tlb.evictions + m->walks.evictions;
    uim_unit_unlock(model);
    for (unsigned i = 0; i < MSMMU_N_COUNTERS; i++)
        fn(ctx, counter_names[i], value[i]);
    fn(ctx, "evictions", evictions);
}

static bool door_update(struct uim_model *model)
{
    return msmmu_update_step(msmmu_of(model));
}

static bool door_command(struct uim_model *model)
{
    return msmmu_command_step(msmmu_of(model));
}

static void door_memory_changed(struct uim_model *model, uint64_t gpa,
                                uint64_t len)
{
    (void)gpa; /* which table it is would cost more than fetching all */
    (void)len;
    uim_unit_lock(model);
    msmmu_prefetch(msmmu_of(model));
    uim_unit_unlock(model);
}

static void door_caches_drop(struct uim_model *model)
{
    uim_unit_lock(model);
    msmmu_caches_clear(msmmu_of(model));
    uim_unit_unlock(model);
}

/* A device that does not answer, or answers nonsense, is noticed by the next
 * SYNC. */
static void door_inject(struct uim_model *model,
                        const struct uim_check_inject *error)
{
    struct msmmu *m = msmmu_of(model);

    uim_unit_lock(model);
    if (error->error == UIM_CHECK_ERROR_QUEUE)
        msmmu_command_error(m, error->code);
    else if (error->error == UIM_CHECK_ERROR_MESSAGE)
        msmmu_message_aborts(m, error->code);
    else
        m->atc_failed = true;
    uim_unit_unlock(model);
}

static const struct uim_model_door door = {
    .update = door_update,
    .command = door_command,
    .memory_changed = door_memory_changed,
    .caches_drop = door_caches_drop,
    .inject = door_inject,
};

const struct uim_model_ops uim_model_smmuv3 = {
    .name = "smmuv3",
    .create = create,
    .destroy = destroy,
    .reset = reset,
    .info = info,
    .acpi = msmmu_acpi,
    .mmio_read = msmmu_mmio_read,
    .mmio_write = msmmu_mmio_write,
    .translate = msmmu_translate,
    .remap_msi = remap_msi,
    .page_request = msmmu_page_request,
    .devtlb_done = msmmu_devtlb_done,
    .memory_changed = memory_changed,
    .save = msmmu_save,
    .load = msmmu_load,
    .counters = counters,
    .shadow = NULL,
    .door = &door,
};
