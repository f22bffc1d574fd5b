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
    PRI_STOPPED = 1u << 8,
    PASID_ENABLE = 1u << 0,
    PASID_FEATURES = 0xe,
    PASID_EXEC = 1u << 1,
    PASID_PRIV = 1u << 2,
    PASID_XLATED = 1u << 3,
    HEADER_SIZE = 0x40,
    BUS_RESET = 1u << 6,
    DEVCTL_AT = SIM_PCIE_AT + 8,
    INITIATE_FLR = 1u << 15,
    COMMAND_BUS_MASTER = 1u << 2,
};

bool sim_is_bridge(const struct sim_func *f)
{
    return f->row.kind != SIM_ENGINE && f->row.kind != SIM_PCI_ENGINE &&
           f->row.kind != SIM_VIRTUAL;
}

bool sim_is_pci_bridge(const struct sim_func *f)
{
    return f->row.kind == SIM_PCI_BRIDGE || f->row.kind == SIM_PCI_PCI_BRIDGE;
}

bool sim_is_conventional(enum sim_kind kind)
{
    return kind == SIM_PCI_ENGINE || kind == SIM_PCI_PCI_BRIDGE;
}

uint32_t sim_rid(const struct sim_func *f)
{
    return (uint32_t)f->bus << 8 | f->row.devfn;
}

static bool holds_bus_in_reset(const struct sim_func *f)
{
    return sim_is_bridge(f) &&
           (sim_config16(f, SIM_BRIDGE_CONTROL) & BUS_RESET) != 0;
}

bool sim_is_gone(const struct sim_func *f)
{
    bool gone = f->gone || (f->physical != NULL && !sim_vf_exists(f));

    for (f = f->parent; f != NULL && !gone; f = f->parent) {
        gone = f->gone || holds_bus_in_reset(f);
    }
    return gone;
}

uint64_t sim_bar_base(const struct sim_func *f)
{
    uint64_t high = 0;

    if (f->physical != NULL) {
        return sim_vf_bar(f);
    }
    if (f->accel != NULL) {
        high = sim_config32(f, 0x14);
    }
    return (sim_config32(f, 0x10) & ~(uint32_t)0xf) | high << 32;
}

static struct sim_func *func_at(struct sim *s, struct uiommu_pci where)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        struct sim_func *f = &s->pci.func[i];

        if (where.segment == 0 && f->bus == where.bus &&
            f->row.devfn == where.devfn && !sim_is_gone(f)) {
            return f;
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

/* Conventional functions have 256 bytes, and conventional buses know no more. */
static bool has_register(const struct sim_func *f, unsigned offset)
{
    const struct sim_func *bridge;

    if (offset < 256) {
        return true;
    }
    for (bridge = f->parent; bridge != NULL; bridge = bridge->parent) {
        if (sim_is_pci_bridge(bridge)) {
            return false;
        }
    }
    return !sim_is_conventional(f->row.kind);
}

/* After a reset it may take its time (PCIe 6.6.1, 6.6.2). */
static bool is_ready(struct sim *s, const struct sim_func *f)
{
    if (s->fast || atomic_load(&s->clock_ns) >= f->ready_ns) {
        return true;
    }
    sim_report(s,
               "configuration access to %s %llu us before it has to answer "
               "after a reset",
               f->name,
               (unsigned long long)((f->ready_ns - s->clock_ns) / 1000));
    return false;
}

static bool answers(struct sim *s, const struct sim_func *f, unsigned offset)
{
    return f != NULL && is_ready(s, f) && has_register(f, offset);
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
    if (answers(s, f, offset)) {
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
    bool vfs;
    unsigned n_vfs;
    uint16_t ats, pri, pri_status, pasid;
    uint32_t allocation;
};

static struct control control_of(const struct sim_func *f)
{
    const struct sim_func *owner = f->physical != NULL ? f->physical : f;
    struct control c = { .vfs = sim_vfs_enabled(f),
                         .n_vfs = sim_vfs_wanted(f) };

    if (f->ats != 0) {
        c.ats = sim_config16(f, f->ats + 6);
    }
    if (f->pri != 0) {
        c.pri = sim_config16(f, f->pri + 4);
        c.pri_status = sim_config16(f, f->pri + 6);
        c.allocation = sim_config32(f, f->pri + 12);
    }
    if (owner->pasid != 0) {
        c.pasid = sim_config16(owner, owner->pasid + 6);
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

static bool asks_for_translations(const struct sim_func *f)
{
    return f->ats != 0 && !sim_is_gone(f) &&
           (sim_config16(f, f->ats + 6) & ATS_ENABLE) != 0;
}

/* In a virtual function, whose PASIDs these are too, it counts as well. */
static bool any_asks(const struct sim *s, const struct sim_func *pf)
{
    bool any = false;

    for (unsigned i = 0; pf->n_vfs > 0 && i < s->pci.n; i++) {
        const struct sim_func *f = &s->pci.func[i];

        any |= f->physical == pf && asks_for_translations(f);
    }
    return any;
}

static const char *wrong_pasid(const struct sim *s, const struct sim_func *f,
                               const struct control *was,
                               const struct control *is)
{
    if (was->pasid != is->pasid &&
        ((was->ats & ATS_ENABLE) != 0 || any_asks(s, f))) {
        return "PASID control changed while ATS is enabled";
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

static void report_wrong(struct sim *s, const struct sim_func *f,
                         const char *wrong)
{
    if (wrong != NULL) {
        sim_report(s, "%02x:%02x.%u %s: %s", f->bus, f->row.devfn >> 3,
                   f->row.devfn & 7u, f->name, wrong);
    }
}

static void check_rules(struct sim *s, const struct sim_func *f,
                        const struct control *was, const struct control *is)
{
    report_wrong(s, f, wrong_ats(was, is));
    report_wrong(s, f, wrong_pasid(s, f, was, is));
    report_wrong(s, f, wrong_pri(f, was, is));
    if (was->vfs && was->n_vfs != is->n_vfs) {
        report_wrong(s, f, "NumVFs changed while they are enabled");
    }
}

/* The bits are hardwired to 0: who writes them believes something else. */
static void check_features(struct sim *s, const struct sim_func *f,
                           unsigned offset, uint32_t value)
{
    if (f->pasid != 0 && offset == f->pasid + 6u &&
        (value & PASID_FEATURES & ~(uint32_t)sim_config16(f, f->pasid + 4)) !=
            0) {
        report_wrong(s, f, "PASID features enabled that the function lacks");
    }
}

/* ---- writes -------------------------------------------------------------- */

/* What is to be done when the lock of configuration space is no longer held. */
enum effect {
    EFFECT_NONE,
    EFFECT_FLUSH,
    EFFECT_RESET,
    EFFECT_RESET_BELOW,
    EFFECT_RESET_VFS,
};

static enum effect reset_wanted(struct sim_func *f, uint16_t was_bridge)
{
    if (sim_is_bridge(f)) {
        uint16_t is = sim_config16(f, SIM_BRIDGE_CONTROL);

        return rises(was_bridge, is, BUS_RESET) ? EFFECT_RESET_BELOW
                                                : EFFECT_NONE;
    }
    if (sim_is_conventional(f->row.kind) ||
        (sim_config16(f, DEVCTL_AT) & INITIATE_FLR) == 0) {
        return EFFECT_NONE;
    }
    return EFFECT_RESET;
}

/* What the function does about it. */
static enum effect take_effect(struct sim_func *f, const struct control *was,
                               const struct control *is)
{
    if (f->pri != 0) {
        sim_pri_control(f, was->pri);
    }
    if (was->vfs != is->vfs) {
        return EFFECT_RESET_VFS;
    }
    return rises(was->ats, is->ats, ATS_ENABLE) ||
                   rises(is->pasid, was->pasid, PASID_ENABLE)
               ? EFFECT_FLUSH
               : EFFECT_NONE;
}

static void put_byte(struct sim_func *f, unsigned at, uint8_t value)
{
    uint8_t writable = f->writable[at];

    f->config[at] = (uint8_t)((f->config[at] & ~writable) | (value & writable));
    f->config[at] &= (uint8_t) ~(value & f->clears[at]);
}

static enum effect func_write(struct sim *s, struct sim_func *f,
                              unsigned offset, unsigned width, uint32_t value)
{
    uint16_t was_bridge = sim_config16(f, SIM_BRIDGE_CONTROL);
    struct control was = control_of(f);
    enum effect effect;
    struct control is;

    for (unsigned i = 0; i < width; i++) {
        put_byte(f, offset + i, (uint8_t)(value >> 8 * i));
    }
    is = control_of(f);
    check_features(s, f, offset, value);
    check_rules(s, f, &was, &is);
    if (offset < HEADER_SIZE || f->sriov != 0) {
        sim_route_update(s);
    }
    effect = reset_wanted(f, was_bridge);
    return effect != EFFECT_NONE ? effect : take_effect(f, &was, &is);
}

static void do_effect(struct sim *s, struct sim_func *f, enum effect effect)
{
    if (effect == EFFECT_FLUSH) {
        sim_atc_flush(f);
    } else if (effect == EFFECT_RESET) {
        sim_func_reset(s, f);
    } else if (effect == EFFECT_RESET_BELOW) {
        sim_bus_reset(s, f);
    } else if (effect == EFFECT_RESET_VFS) {
        sim_vfs_reset(s, f);
    }
}

void sim_pci_write(void *ctx, struct uiommu_pci where, unsigned offset,
                   unsigned width, uint32_t value)
{
    struct sim *s = ctx;
    struct sim_func *f;
    enum effect effect = EFFECT_NONE;

    if (!access_good(s, "pci_write", offset, width)) {
        return;
    }
    pthread_mutex_lock(&s->pci.lock);
    f = func_at(s, where);
    if (answers(s, f, offset)) {
        effect = func_write(s, f, offset, width, value);
    }
    pthread_mutex_unlock(&s->pci.lock);
    do_effect(s, f, effect);
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
    if (c.pasid & PASID_ENABLE) {
        may |= SIM_CONTROL_PASID;
        may |= c.pasid & PASID_EXEC ? SIM_CONTROL_EXEC : 0;
        may |= c.pasid & PASID_PRIV ? SIM_CONTROL_PRIV : 0;
        may |= c.pasid & PASID_XLATED ? SIM_CONTROL_XLATED : 0;
    }
    pthread_mutex_unlock(&s->pci.lock);
    return may;
}

/* ---- what no software can ------------------------------------------------ */

void sim_config_poke(struct machine *m, unsigned dev, unsigned offset,
                     unsigned width, uint32_t value)
{
    struct sim *s = sim_of(m);

    pthread_mutex_lock(&s->pci.lock);
    sim_config_put(&s->pci.func[dev], offset, width, value);
    sim_route_update(s);
    pthread_mutex_unlock(&s->pci.lock);
}

void sim_use_ids(struct machine *m, unsigned dev, const uint16_t *id,
                 unsigned n)
{
    struct sim *s = sim_of(m);
    struct sim_func *f = &s->pci.func[dev];

    pthread_mutex_lock(&s->pci.lock);
    f->n_ids = n < SIM_MAX_IDS ? n : SIM_MAX_IDS;
    f->next_id = 0;
    for (unsigned i = 0; i < f->n_ids; i++) {
        f->id[i] = id[i];
    }
    pthread_mutex_unlock(&s->pci.lock);
}
