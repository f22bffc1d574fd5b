/* SPDX-License-Identifier: MIT */
/*
 * config.c - what firmware leaves in a function's configuration space: header,
 * BAR, windows, capabilities (spec/pci.md sections 1 to 5). Each byte has masks
 * of the bits that software may change, or clear by writing ones.
 */
#include "private.h"

enum {
    MSI_AT = 0x40,
    PCIE_AT = 0x60,
    EXT_AT = 0x100, /* extended capabilities, EXT_SIZE apart */
    EXT_SIZE = 0x20,
    VENDOR = 0xf055, /* "free and open" devices that nobody sells */
    PASID_WIDTH = 20,
    PRI_CAPACITY = 32,
};

/* ---- writing it ---------------------------------------------------------- */

void sim_config_put(struct sim_func *f, unsigned offset, unsigned width,
                    uint32_t value)
{
    for (unsigned i = 0; i < width; i++) {
        f->config[offset + i] = (uint8_t)(value >> 8 * i);
    }
}

static void mask_put(uint8_t *mask, unsigned offset, unsigned width,
                     uint32_t value)
{
    for (unsigned i = 0; i < width; i++) {
        mask[offset + i] = (uint8_t)(value >> 8 * i);
    }
}

uint16_t sim_config16(const struct sim_func *f, unsigned offset)
{
    return (uint16_t)(f->config[offset] | f->config[offset + 1] << 8);
}

uint32_t sim_config32(const struct sim_func *f, unsigned offset)
{
    return sim_config16(f, offset) | (uint32_t)sim_config16(f, offset + 2)
                                         << 16;
}

/* ---- header -------------------------------------------------------------- */

static void header_init(struct sim_func *f)
{
    uint32_t class_code = sim_is_bridge(f) ? 0x060400 : 0x088000;
    uint8_t type = sim_is_bridge(f) ? 1 : 0;

    sim_config_put(f, 0x00, 2, VENDOR);
    sim_config_put(f, 0x02, 2, (uint32_t)f->row.kind);
    sim_config_put(f, 0x04, 2, 0x0006); /* memory space, bus master */
    mask_put(f->writable, 0x04, 2, 0x0407);
    sim_config_put(f, 0x06, 2, 0x0010); /* has a capability list */
    sim_config_put(f, 0x09, 3, class_code);
    sim_config_put(f, 0x0e, 1, type | (f->several ? 0x80u : 0));
    sim_config_put(f, 0x34, 1, MSI_AT);
    sim_config_put(f, 0x3d, 1, 1); /* INTA */
    mask_put(f->writable, 0x3c, 1, 0xff);
}

static void bar_init(struct sim_func *f)
{
    sim_config_put(f, 0x10, 4, (uint32_t)f->bar_start);
    mask_put(f->writable, 0x10, 4, ~(uint32_t)(SIM_BAR_SIZE - 1));
}

/* Bus numbers are read-only: this machine does not renumber. */
static void bridge_init(struct sim_func *f)
{
    bool empty = f->window_stop == f->window_start;

    sim_config_put(f, 0x18, 1, f->bus);
    sim_config_put(f, 0x19, 1, f->secondary);
    sim_config_put(f, 0x1a, 1, f->subordinate);
    sim_config_put(f, 0x20, 2,
                   empty ? 0xfff0u : (uint32_t)(f->window_start >> 16));
    sim_config_put(f, 0x22, 2,
                   empty ? 0 : (uint32_t)((f->window_stop - 1) >> 16) & 0xfff0);
    mask_put(f->writable, 0x20, 4, 0xfff0fff0);
}

/* ---- standard capabilities ----------------------------------------------- */

static void msi_init(struct sim_func *f)
{
    bool last = f->row.kind == SIM_PCI_ENGINE;

    sim_config_put(f, MSI_AT, 2, 0x05 | (last ? 0 : PCIE_AT << 8));
    sim_config_put(f, MSI_AT + 2, 2, 0x0080); /* one message, 64 bits */
    mask_put(f->writable, MSI_AT + 2, 2, 0x0001);
    mask_put(f->writable, MSI_AT + 4, 4, 0xfffffffc);
    mask_put(f->writable, MSI_AT + 8, 4, 0xffffffff);
    mask_put(f->writable, MSI_AT + 12, 2, 0xffff);
}

static unsigned port_type(const struct sim_func *f)
{
    switch (f->row.kind) {
    case SIM_ROOT_PORT:
        return 4;
    case SIM_UPSTREAM:
        return 5;
    case SIM_DOWNSTREAM:
        return 6;
    case SIM_PCI_BRIDGE:
        return 7;
    default:
        return f->parent == NULL ? 9 : 0;
    }
}

static void pcie_init(struct sim_func *f)
{
    sim_config_put(f, PCIE_AT, 2, 0x10);
    sim_config_put(f, PCIE_AT + 2, 2, 2 | port_type(f) << 4);
    /* DevCap2: end-end prefixes, which PASIDs need, wherever PCIe goes. */
    if (f->row.kind != SIM_PCI_BRIDGE) {
        sim_config_put(f, PCIE_AT + 0x24, 4, 1u << 20 | 1u << 21);
    }
    mask_put(f->writable, PCIE_AT + 0x28, 2, 1u << 5);
}

/* ---- extended capabilities ----------------------------------------------- */

/* Where the next capability goes; the one before gets to know. */
static uint16_t ext_add(struct sim_func *f, uint16_t *end, uint32_t id,
                        uint32_t version)
{
    uint16_t at = *end;

    sim_config_put(f, at, 4, id | version << 16);
    if (at > EXT_AT) {
        uint32_t before = sim_config32(f, at - EXT_SIZE);

        sim_config_put(f, at - EXT_SIZE, 4, before | (uint32_t)at << 20);
    }
    *end = (uint16_t)(at + EXT_SIZE);
    return at;
}

/* SV TB RR CR UF DT. */
static void acs_init(struct sim_func *f, uint16_t *end)
{
    f->acs = ext_add(f, end, 0x0d, 1);
    sim_config_put(f, f->acs + 4, 2, 0x5f);
    mask_put(f->writable, f->acs + 6, 2, 0x5f);
    if (f->row.caps & SIM_ACS_ON) {
        sim_config_put(f, f->acs + 6, 2, 0x1d);
    }
}

static void ats_init(struct sim_func *f, uint16_t *end)
{
    f->ats = ext_add(f, end, 0x0f, 1);
    sim_config_put(f, f->ats + 4, 2, 0x0020); /* depth 32, aligned requests */
    mask_put(f->writable, f->ats + 6, 2, 0x801f);
}

static void pri_init(struct sim_func *f, uint16_t *end)
{
    f->pri = ext_add(f, end, 0x13, 1);
    mask_put(f->writable, f->pri + 4, 2, 0x0003);
    sim_config_put(f, f->pri + 6, 2,
                   0x8100); /* stopped; responses with PASID */
    mask_put(f->clears, f->pri + 6, 2, 0x0003);
    sim_config_put(f, f->pri + 8, 4, PRI_CAPACITY);
    mask_put(f->writable, f->pri + 12, 4, 0xffffffff);
}

static void pasid_init(struct sim_func *f, uint16_t *end)
{
    f->pasid = ext_add(f, end, 0x1b, 1);
    sim_config_put(f, f->pasid + 4, 2, PASID_WIDTH << 8 | 0x0006);
    mask_put(f->writable, f->pasid + 6, 2, 0x0007);
}

static void ext_init(struct sim_func *f)
{
    uint16_t end = EXT_AT;

    if (f->row.caps & (SIM_ACS | SIM_ACS_ON)) {
        acs_init(f, &end);
    }
    if (f->row.caps & SIM_ATS) {
        ats_init(f, &end);
    }
    if (f->row.caps & SIM_PRI) {
        pri_init(f, &end);
    }
    if (f->row.caps & SIM_PASID) {
        pasid_init(f, &end);
    }
}

void sim_config_init(struct sim_func *f)
{
    header_init(f);
    if (sim_is_bridge(f)) {
        bridge_init(f);
    } else {
        bar_init(f);
    }
    msi_init(f);
    if (f->row.kind != SIM_PCI_ENGINE) {
        pcie_init(f);
        ext_init(f);
    }
}
