/* SPDX-License-Identifier: MIT */
/*
 * topology.c - from rows to functions: buses, BARs and bridge windows, assigned
 * depth first as firmware does.
 */
#include "private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_ENGINES = 3,
    MAX_ENGINES = 26,  /* of the default topology: 00:05.0 to 00:1b.0 as well */
    ACCEL_SLOT = 0x1d,
    WINDOW = 0x100000, /* granularity of bridge windows */
    PASID_BITS = 20,
};

#define DEVFN(device, function) ((uint8_t)((device) << 3 | (function)))

/* ---- the default --------------------------------------------------------- */

static struct sim_function engine_row(int parent, uint8_t devfn, unsigned caps)
{
    return (struct sim_function){
        .kind = SIM_ENGINE, .parent = parent, .devfn = devfn, .caps = caps
    };
}

/* Returns how many rows; engine 2 is behind the port, the others are on the
 * root bus. */
static unsigned default_rows(const struct sim_config *config,
                             struct sim_function *row)
{
    unsigned engines = config->engines > 0 ? config->engines : DEFAULT_ENGINES;
    unsigned caps = config->engine_caps | (config->ats ? SIM_ATS : 0) |
                    (config->pri ? SIM_PRI : 0);
    unsigned n = 0;

    for (unsigned i = 0; i < engines && i < 2; i++) {
        row[n++] = engine_row(MACHINE_NO_BRIDGE, DEVFN(3 + i, 0), caps);
    }
    if (engines > 2) {
        row[n] = engine_row(MACHINE_NO_BRIDGE, DEVFN(0x1c, 0), SIM_ACS);
        row[n].kind = SIM_ROOT_PORT;
        n++;
        row[n] = engine_row((int)n - 1, DEVFN(0, 0), caps);
        n++;
    }
    for (unsigned i = 3; i < engines; i++) {
        row[n++] = engine_row(MACHINE_NO_BRIDGE, DEVFN(2 + i, 0), caps);
    }
    for (unsigned i = 0; i < config->accels; i++) {
        row[n] = engine_row(MACHINE_NO_BRIDGE, DEVFN(ACCEL_SLOT + i, 0),
                            caps | SIM_PASID | SIM_ACCEL);
        n++;
    }
    return n;
}

/* ---- is it a topology ---------------------------------------------------- */

static bool is_accel(const struct sim_function *row)
{
    return (row->caps & SIM_ACCEL) != 0;
}

static bool has_engine(enum sim_kind kind)
{
    return kind == SIM_ENGINE || kind == SIM_PCI_ENGINE || kind == SIM_VIRTUAL;
}

static int bridge_above(const struct sim_function *row, unsigned i)
{
    return row[i].kind == SIM_VIRTUAL ? row[row[i].parent].parent
                                      : row[i].parent;
}

/* A virtual function; its parent comes before it. */
static const char *wrong_virtual(const struct sim_function *row, unsigned i)
{
    int parent = row[i].parent;
    unsigned n = 0;
    int devfn[2] = { 0 };

    if (row[parent].kind != SIM_ENGINE) {
        return "a virtual function is an engine's";
    }
    for (unsigned j = 0; j < i; j++) {
        if (row[j].kind == SIM_VIRTUAL && row[j].parent == parent) {
            devfn[0] = devfn[1];
            devfn[1] = row[j].devfn;
            n++;
        }
    }
    if (row[i].devfn <= (n > 0 ? devfn[1] : row[parent].devfn) ||
        (n > 1 && row[i].devfn - devfn[1] != devfn[1] - devfn[0])) {
        return "virtual functions follow their engine, a stride apart";
    }
    return NULL;
}

/* What is wrong with a row of this kind below that parent, or NULL. */
static const char *wrong_parent(enum sim_kind kind,
                                const struct sim_function *parent)
{
    enum sim_kind above = parent != NULL ? parent->kind : SIM_ROOT_PORT;
    bool old_above = above == SIM_PCI_BRIDGE || above == SIM_PCI_PCI_BRIDGE;

    if (parent != NULL && has_engine(parent->kind)) {
        return "its parent is no bridge";
    }
    if (kind == SIM_ROOT_PORT && parent != NULL) {
        return "a root port is on the root bus";
    }
    if (kind == SIM_DOWNSTREAM && (parent == NULL || above != SIM_UPSTREAM)) {
        return "a downstream port is below an upstream port";
    }
    if (kind != SIM_DOWNSTREAM && above == SIM_UPSTREAM) {
        return "only downstream ports are below an upstream port";
    }
    if (kind == SIM_UPSTREAM && (parent == NULL || old_above)) {
        return "an upstream port is below a PCIe port";
    }
    if (old_above && !sim_is_conventional(kind) && kind != SIM_REVERSE_BRIDGE) {
        return "only conventional PCI is below a PCI bridge";
    }
    if (parent != NULL && !old_above &&
        (sim_is_conventional(kind) || kind == SIM_REVERSE_BRIDGE)) {
        return "conventional PCI is on the root bus or below a PCI bridge";
    }
    return NULL;
}

static const char *wrong_row(const struct sim_function *row, unsigned i)
{
    const struct sim_function *parent = NULL;

    if (row[i].parent != MACHINE_NO_BRIDGE) {
        if (row[i].parent < 0 || (unsigned)row[i].parent >= i) {
            return "bridges come before what is behind them";
        }
        parent = &row[row[i].parent];
    }
    if (row[i].kind == SIM_VIRTUAL && parent == NULL) {
        return "a virtual function is an engine's";
    }
    if (is_accel(&row[i]) && row[i].kind != SIM_ENGINE) {
        return "an accelerator is an engine on PCIe";
    }
    for (unsigned j = 0; j < i; j++) {
        if (bridge_above(row, j) == bridge_above(row, i) &&
            row[j].devfn == row[i].devfn &&
            ((row[i].caps | row[j].caps) & SIM_ABSENT) == 0) {
            return "another function has that place";
        }
    }
    return row[i].kind == SIM_VIRTUAL ? wrong_virtual(row, i)
                                      : wrong_parent(row[i].kind, parent);
}

static bool rows_good(struct sim *s, const struct sim_function *row, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const char *wrong = wrong_row(row, i);

        if (wrong != NULL) {
            snprintf(s->machine.error, sizeof(s->machine.error),
                     "topology row %u: %s", i, wrong);
            return false;
        }
    }
    return true;
}

/* ---- numbers ------------------------------------------------------------- */

struct numbers {
    unsigned bus;  /* the last one given out */
    uint64_t addr; /* the next one free */
};

static uint64_t window_up(uint64_t addr)
{
    return (addr + WINDOW - 1) & ~(uint64_t)(WINDOW - 1);
}

static void number_below(struct sim *s, struct sim_func *parent,
                         struct numbers *next);

/* BARs lie at multiples of their size; those of virtual functions behind. */
static void number_bars(struct sim_func *f, struct numbers *next)
{
    const uint64_t align = SIM_ACCEL_BAR2_SIZE;

    if (f->accel != NULL) {
        f->bar_start = (next->addr + align - 1) & ~(align - 1);
        f->bar2_start = f->bar_start + align;
        f->vf_bar_start = f->bar2_start + SIM_ACCEL_BAR2_SIZE;
    } else {
        f->bar_start = next->addr;
        f->vf_bar_start = f->bar_start + SIM_BAR_SIZE;
    }
    next->addr = f->vf_bar_start + f->n_vfs * SIM_BAR_SIZE;
}

static void number_bridge(struct sim *s, struct sim_func *f,
                          struct numbers *next)
{
    next->bus++;
    f->secondary = (uint8_t)next->bus;
    next->addr = window_up(next->addr);
    f->window_start = next->addr;
    number_below(s, f, next);
    next->addr = window_up(next->addr);
    f->window_stop = next->addr;
    f->subordinate = (uint8_t)next->bus;
}

/* Recurses as deep as the topology that a test wrote. */
static void number_below(struct sim *s, struct sim_func *parent,
                         struct numbers *next)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        struct sim_func *f = &s->pci.func[i];

        if (f->parent != parent) {
            continue;
        }
        f->bus = parent != NULL ? parent->secondary : 0;
        if ((f->bar != NULL || f->accel != NULL) && f->physical == NULL) {
            number_bars(f, next);
        }
        if (sim_is_bridge(f)) {
            number_bridge(s, f, next);
        }
    }
}

static void find_slots(struct sim *s)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        for (unsigned j = 0; j < s->pci.n; j++) {
            struct sim_func *a = &s->pci.func[i];
            struct sim_func *b = &s->pci.func[j];

            if (a->physical == NULL && b->physical == NULL &&
                a->parent == b->parent && a->row.devfn != b->row.devfn &&
                a->row.devfn >> 3 == b->row.devfn >> 3) {
                a->several = true;
            }
        }
    }
}

/* ---- functions ----------------------------------------------------------- */

/* Of rows so far. */
struct counts {
    unsigned engines, accels;
};

static void default_name(const struct sim_function *row,
                         const struct counts *so_far, char *out, size_t size)
{
    if (is_accel(row)) {
        snprintf(out, size, "accel%u", so_far->accels);
    } else if (has_engine(row->kind)) {
        snprintf(out, size, "engine%u", so_far->engines);
    } else {
        snprintf(out, size, "%s",
                 row->kind == SIM_ROOT_PORT ? "port" : "bridge");
    }
}

static char *name_of(const struct sim_function *row, struct counts *so_far)
{
    char text[32];
    const char *name = row->name;
    char *copy;

    if (name == NULL) {
        default_name(row, so_far, text, sizeof(text));
        name = text;
    }
    so_far->engines += has_engine(row->kind);
    so_far->accels += is_accel(row);
    copy = malloc(strlen(name) + 1);
    if (copy != NULL) {
        strcpy(copy, name);
    }
    return copy;
}

static uint8_t pasid_bits(const struct sim_function *row)
{
    unsigned bits = row->caps >> 16 & 0x1f;

    if ((row->caps & (SIM_PASID | SIM_PASID_PLAIN | SIM_PASID_XLATED)) == 0) {
        return 0;
    }
    return (uint8_t)(bits > 0 ? bits : PASID_BITS);
}

/* Its place among the others of `pf`, and what that says of all of them. */
static void virtual_init(struct sim_func *f, struct sim_func *pf)
{
    uint16_t distance = (uint16_t)(f->row.devfn - pf->row.devfn);

    f->physical = pf;
    f->parent = pf->parent;
    f->pasid_bits = pf->pasid_bits;
    f->vf = pf->n_vfs++;
    if (f->vf == 0) {
        pf->vf_offset = distance;
    }
    pf->vf_stride = (uint16_t)(f->vf == 0 ? 1 : distance - pf->vf_last);
    pf->vf_last = distance;
}

static bool func_init(struct sim *s, unsigned i, const struct sim_function *row,
                      struct counts *so_far)
{
    struct sim_func *f = &s->pci.func[i];

    f->row = *row;
    f->parent = row->parent >= 0 ? &s->pci.func[row->parent] : NULL;
    f->gone = (row->caps & SIM_ABSENT) != 0;
    pthread_mutex_init(&f->tlb_lock, NULL);
    f->name = name_of(row, so_far);
    f->pasid_bits = pasid_bits(row);
    if (row->kind == SIM_VIRTUAL) {
        virtual_init(f, f->parent);
    }
    f->passes_prefix =
        !sim_is_conventional(row->kind) && row->kind != SIM_PCI_BRIDGE &&
        row->kind != SIM_REVERSE_BRIDGE && (row->caps & SIM_NO_PREFIX) == 0;
    if (is_accel(row)) {
        return f->name != NULL && sim_accel_open(s, f);
    }
    if (has_engine(row->kind) || (row->caps & SIM_BAR) != 0) {
        f->bar = calloc(1, SIM_BAR_SIZE);
        return f->name != NULL && f->bar != NULL;
    }
    return f->name != NULL;
}

static void device_init(struct sim *s, unsigned i)
{
    const struct sim_func *f = &s->pci.func[i];

    s->pci.device[i] = (struct machine_device){
        .name = f->name,
        .pci = { .segment = 0, .bus = f->bus, .devfn = f->row.devfn },
        .bridge = f->parent != NULL ? (int)(f->parent - s->pci.func)
                                    : MACHINE_NO_BRIDGE,
        .engine = has_engine(f->row.kind),
        .accel = is_accel(&f->row),
        .asks = (f->row.caps & SIM_PRI) != 0,
    };
}

static bool funcs_open(struct sim *s, const struct sim_function *row,
                       unsigned n)
{
    struct numbers next = { .bus = 0, .addr = SIM_BAR_START };
    struct counts so_far = { 0 };

    s->pci.func = calloc(n, sizeof(*s->pci.func));
    s->pci.device = calloc(n, sizeof(*s->pci.device));
    if (s->pci.func == NULL || s->pci.device == NULL) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        s->pci.n = i + 1;
        if (!func_init(s, i, &row[i], &so_far)) {
            return false;
        }
    }
    number_below(s, NULL, &next);
    find_slots(s);
    for (unsigned i = 0; i < n; i++) {
        sim_config_init(&s->pci.func[i]);
        sim_config_firmware(&s->pci.func[i]);
        device_init(s, i);
    }
    sim_route_update(s);
    s->machine.devices = s->pci.device;
    s->machine.n_devices = n;
    return true;
}

bool sim_topology_open(struct sim *s, const struct sim_config *config)
{
    struct sim_function rows[MAX_ENGINES + 1 + SIM_MAX_ACCELS];
    const struct sim_function *row = config->functions;
    unsigned n = config->n_functions;

    if (config->engines > MAX_ENGINES || n > SIM_MAX_FUNCTIONS ||
        config->accels > SIM_MAX_ACCELS) {
        snprintf(s->machine.error, sizeof(s->machine.error),
                 "more than %d engines, %d accelerators or %d functions",
                 MAX_ENGINES, SIM_MAX_ACCELS, SIM_MAX_FUNCTIONS);
        return false;
    }
    if (n == 0) {
        n = default_rows(config, rows);
        row = rows;
    }
    return rows_good(s, row, n) && funcs_open(s, row, n);
}

void sim_topology_close(struct sim *s)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        pthread_mutex_destroy(&s->pci.func[i].tlb_lock);
        free(s->pci.func[i].name);
        free(s->pci.func[i].bar);
        free(s->pci.func[i].response);
        sim_accel_close(&s->pci.func[i]);
    }
    free(s->pci.func);
    free(s->pci.device);
}

/* ---- looking them up ----------------------------------------------------- */

int sim_engine(struct machine *m, unsigned n)
{
    for (unsigned i = 0; i < m->n_devices; i++) {
        if (m->devices[i].engine && n-- == 0) {
            return (int)i;
        }
    }
    return -1;
}

int sim_find(struct machine *m, const char *name)
{
    for (unsigned i = 0; i < m->n_devices; i++) {
        if (strcmp(m->devices[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

uint8_t *sim_bar(struct machine *m, unsigned dev)
{
    return sim_of(m)->pci.func[dev].bar;
}

uint64_t sim_bar_addr(struct machine *m, unsigned dev)
{
    return sim_bar_base(&sim_of(m)->pci.func[dev]);
}
