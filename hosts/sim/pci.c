/* SPDX-License-Identifier: MIT */
/*
 * pci.c - configuration accesses, and the rules of order between ATS, PRI and
 * PASID that real devices answer with undefined behaviour (semantics D-71,
 * spec/pci.md sections 2 to 4). Lock: pci.
 */
#include "private.h"

enum {
    ATS_ENABLE = 1u << 15,
    ATS_STU = 0x1f,
    PRI_ENABLE = 1u << 0,
    PRI_RESET = 1u << 1,
    PRI_STOPPED = 1u << 8,
    PASID_ENABLE = 1u << 0,
    PASID_FEATURES = 0x6,
    COMMAND_BUS_MASTER = 1u << 2,
};

bool sim_is_bridge(const struct sim_func *f)
{
    return f->row.kind != SIM_ENGINE && f->row.kind != SIM_PCI_ENGINE;
}

bool sim_is_gone(const struct sim_func *f)
{
    for (; f != NULL; f = f->parent) {
        if (f->gone) {
            return true;
        }
    }
    return false;
}

uint64_t sim_bar_base(const struct sim_func *f)
{
    return sim_config32(f, 0x10) & ~(uint32_t)0xf;
}

static struct sim_func *func_at(struct sim *s, struct uiommu_pci where)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        struct sim_func *f = &s->pci.func[i];

        if (where.segment == 0 && f->bus == where.bus &&
            f->row.devfn == where.devfn) {
            return sim_is_gone(f) ? NULL : f;
        }
    }
    return NULL;
}

static bool access_good(struct sim *s, const char *verb, unsigned offset,
                        unsigned width)
{
    sim_sleeps(s, verb);
    if ((width != 1 && width != 2 && width != 4) || offset % width != 0 ||
        offset >= SIM_CONFIG_SIZE) {
        sim_report(s, "%s of %u bytes at offset 0x%x", verb, width, offset);
        return false;
    }
    return true;
}

/* Conventional functions answer in the first 256 bytes only. */
static bool answers(const struct sim_func *f, unsigned offset)
{
    return f != NULL && (f->row.kind != SIM_PCI_ENGINE || offset < 256);
}

uint32_t sim_pci_read(void *ctx, struct uiommu_pci where, unsigned offset,
                      unsigned width)
{
    struct sim *s = ctx;
    struct sim_func *f;
    uint32_t value;

    if (!access_good(s, "pci_read", offset, width)) {
        return UINT32_MAX;
    }
    value = UINT32_MAX >> (32 - 8 * width);
    pthread_mutex_lock(&s->pci.lock);
    f = func_at(s, where);
    if (answers(f, offset)) {
        value = 0;
        for (unsigned i = width; i > 0; i--) {
            value = value << 8 | f->config[offset + i - 1];
        }
    }
    pthread_mutex_unlock(&s->pci.lock);
    return value;
}

/* ---- rules --------------------------------------------------------------- */

/* The registers that rules speak of; 0 where there is no capability. */
struct control {
    uint16_t ats, pri, pri_status, pasid;
    uint32_t allocation;
};

static struct control control_of(const struct sim_func *f)
{
    struct control c = { 0 };

    if (f->ats != 0) {
        c.ats = sim_config16(f, f->ats + 6);
    }
    if (f->pri != 0) {
        c.pri = sim_config16(f, f->pri + 4);
        c.pri_status = sim_config16(f, f->pri + 6);
        c.allocation = sim_config32(f, f->pri + 12);
    }
    if (f->pasid != 0) {
        c.pasid = sim_config16(f, f->pasid + 6);
    }
    return c;
}

static bool rises(uint16_t was, uint16_t is, uint16_t bit)
{
    return (is & bit) != 0 && (was & bit) == 0;
}

static const char *wrong_ats(const struct control *was,
                             const struct control *is)
{
    bool on = (was->ats & ATS_ENABLE) != 0 && (is->ats & ATS_ENABLE) != 0;

    if (on && (was->ats & ATS_STU) != (is->ats & ATS_STU)) {
        return "STU changed while ATS is enabled";
    }
    if ((is->ats & ATS_ENABLE) == 0 && (is->pri & PRI_ENABLE) != 0 &&
        (was->ats & ATS_ENABLE) != 0) {
        return "ATS disabled while PRI is enabled";
    }
    return NULL;
}

static const char *wrong_pasid(const struct sim_func *f,
                               const struct control *was,
                               const struct control *is)
{
    if (was->pasid == is->pasid) {
        return NULL;
    }
    if ((was->ats & ATS_ENABLE) != 0) {
        return "PASID control changed while ATS is enabled";
    }
    if ((is->pasid & PASID_FEATURES & ~sim_config16(f, f->pasid + 4)) != 0) {
        return "PASID features enabled that the function lacks";
    }
    return NULL;
}

static const char *wrong_pri(const struct sim_func *f,
                             const struct control *was,
                             const struct control *is)
{
    if (was->allocation != is->allocation && (was->pri & PRI_ENABLE) != 0) {
        return "PRI allocation changed while PRI is enabled";
    }
    if (!rises(was->pri, is->pri, PRI_ENABLE)) {
        return NULL;
    }
    if ((is->ats & ATS_ENABLE) == 0) {
        return "PRI enabled while ATS is not";
    }
    if ((was->pri_status & PRI_STOPPED) == 0) {
        return "PRI enabled before it had stopped";
    }
    if (is->allocation == 0 || is->allocation > sim_config32(f, f->pri + 8)) {
        return "PRI enabled without an allocation, or with too large a one";
    }
    return NULL;
}

static void check_rules(struct sim *s, const struct sim_func *f,
                        const struct control *was, const struct control *is)
{
    const char *wrong[3] = { wrong_ats(was, is), wrong_pasid(f, was, is),
                             wrong_pri(f, was, is) };

    for (unsigned i = 0; i < 3; i++) {
        if (wrong[i] != NULL) {
            sim_report(s, "%02x:%02x.%u %s: %s", f->bus, f->row.devfn >> 3,
                       f->row.devfn & 7u, f->name, wrong[i]);
        }
    }
}

/* ---- writes -------------------------------------------------------------- */

static void set_stopped(struct sim_func *f, bool stopped)
{
    uint16_t status = sim_config16(f, f->pri + 6);

    status = (uint16_t)(stopped ? status | PRI_STOPPED : status & ~PRI_STOPPED);
    sim_config_put(f, f->pri + 6, 2, status);
}

/* What the function does about it. No page request is ever outstanding here, so
 * PRI stops at once. True: the device TLB has to be emptied. */
static bool take_effect(struct sim_func *f, const struct control *was,
                        const struct control *is)
{
    if (f->pri != 0) {
        sim_config_put(f, f->pri + 4, 2, is->pri & ~(uint32_t)PRI_RESET);
        set_stopped(f, (is->pri & PRI_ENABLE) == 0);
    }
    return rises(was->ats, is->ats, ATS_ENABLE) ||
           rises(is->pasid, was->pasid, PASID_ENABLE);
}

static void put_byte(struct sim_func *f, unsigned at, uint8_t value)
{
    uint8_t writable = f->writable[at];

    f->config[at] = (uint8_t)((f->config[at] & ~writable) | (value & writable));
    f->config[at] &= (uint8_t) ~(value & f->clears[at]);
}

static bool func_write(struct sim *s, struct sim_func *f, unsigned offset,
                       unsigned width, uint32_t value)
{
    struct control was = control_of(f);
    struct control is;

    for (unsigned i = 0; i < width; i++) {
        put_byte(f, offset + i, (uint8_t)(value >> 8 * i));
    }
    is = control_of(f);
    check_rules(s, f, &was, &is);
    return take_effect(f, &was, &is);
}

void sim_pci_write(void *ctx, struct uiommu_pci where, unsigned offset,
                   unsigned width, uint32_t value)
{
    struct sim *s = ctx;
    struct sim_func *f;
    bool flush = false;

    if (!access_good(s, "pci_write", offset, width)) {
        return;
    }
    pthread_mutex_lock(&s->pci.lock);
    f = func_at(s, where);
    if (answers(f, offset)) {
        flush = func_write(s, f, offset, width, value);
    }
    pthread_mutex_unlock(&s->pci.lock);
    if (flush) {
        sim_atc_flush(f);
    }
}

/* ---- for the fabric ------------------------------------------------------ */

unsigned sim_control(struct sim *s, struct sim_func *f)
{
    struct control c;
    unsigned may = 0;

    pthread_mutex_lock(&s->pci.lock);
    c = control_of(f);
    may |= sim_config16(f, 4) & COMMAND_BUS_MASTER ? SIM_CONTROL_BUS_MASTER : 0;
    may |= c.ats & ATS_ENABLE ? SIM_CONTROL_ATS : 0;
    may |= c.pasid & PASID_ENABLE ? SIM_CONTROL_PASID : 0;
    pthread_mutex_unlock(&s->pci.lock);
    return may;
}

void sim_unplug(struct machine *m, unsigned dev)
{
    struct sim *s = sim_of(m);

    pthread_mutex_lock(&s->pci.lock);
    s->pci.func[dev].gone = true;
    pthread_mutex_unlock(&s->pci.lock);
}
