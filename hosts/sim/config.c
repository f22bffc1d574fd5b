/* SPDX-License-Identifier: MIT */
/*
 * config.c - what firmware leaves in a function's configuration space: header,
 * BAR, windows, capabilities (spec/pci.md sections 1 to 5). Each byte has masks
 * of the bits that software may change, or clear by writing ones.
 */
#include "private.h"

#include <string.h>

enum {
    MSI_AT = 0x40,
    EXT_AT = 0x100, /* extended capabilities, EXT_SIZE apart */
    EXT_SIZE = 0x20,
    VENDOR = 0xf055, /* "free and open" devices that nobody sells */
};

/* ---- writing it ---------------------------------------------------------- */

void sim_config_put(struct sim_func *f, unsigned offset, unsigned width,
                    uint32_t value)
{
    for (unsigned i = 0; i < width; i++) {
        f->config[offset + i] = (uint8_t)(value >> 8 * i);
    }
}

void sim_config_mask(struct sim_func *f, unsigned offset, unsigned width,
                     uint32_t value)
{
    for (unsigned i = 0; i < width; i++) {
        f->writable[offset + i] = (uint8_t)(value >> 8 * i);
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
    sim_config_mask(f, 0x04, 2, 0x0407);
    sim_config_put(f, 0x06, 2, 0x0010); /* has a capability list */
    sim_config_put(f, 0x09, 3, class_code);
    sim_config_put(f, 0x0e, 1, type | (f->several ? 0x80u : 0));
    sim_config_put(f, 0x34, 1, MSI_AT);
    sim_config_put(f, 0x3d, 1, 1); /* INTA */
    sim_config_mask(f, 0x3c, 1, 0xff);
}

/* Most of a virtual function is its physical one's. */
static void virtual_init(struct sim_func *f)
{
    sim_config_put(f, 0x00, 4, UINT32_MAX);
    sim_config_mask(f, 0x04, 2, 0x0004);
    sim_config_put(f, 0x3d, 1, 0);
    sim_config_mask(f, 0x3c, 1, 0);
}

static void bar_init(struct sim_func *f)
{
    sim_config_mask(f, 0x10, 4, ~(uint32_t)(SIM_BAR_SIZE - 1));
}

/* Bus numbers are read-only: this machine does not renumber. */
static void bridge_init(struct sim_func *f)
{
    sim_config_put(f, 0x18, 1, f->bus);
    sim_config_put(f, 0x19, 1, f->secondary);
    sim_config_put(f, 0x1a, 1, f->subordinate);
    sim_config_mask(f, 0x20, 4, 0xfff0fff0);
    sim_config_mask(f, SIM_BRIDGE_CONTROL, 2, 0x0040);
}

/* ---- standard capabilities ----------------------------------------------- */

static void msi_init(struct sim_func *f)
{
    bool last = sim_is_conventional(f->row.kind);

    sim_config_put(f, MSI_AT, 2, 0x05 | (last ? 0 : SIM_PCIE_AT << 8));
    sim_config_put(f, MSI_AT + 2, 2, 0x0080); /* one message, 64 bits */
    sim_config_mask(f, MSI_AT + 2, 2, 0x0001);
    sim_config_mask(f, MSI_AT + 4, 4, 0xfffffffc);
    sim_config_mask(f, MSI_AT + 8, 4, 0xffffffff);
    sim_config_mask(f, MSI_AT + 12, 2, 0xffff);
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
    case SIM_REVERSE_BRIDGE:
        return 8;
    default:
        return f->parent == NULL ? 9 : 0;
    }
}

static void pcie_init(struct sim_func *f)
{
    sim_config_put(f, SIM_PCIE_AT, 2, 0x10);
    sim_config_put(f, SIM_PCIE_AT + 2, 2, 2 | port_type(f) << 4);
    /* DevCap2: end-end prefixes, which PASIDs need. */
    if (f->passes_prefix) {
        sim_config_put(f, SIM_PCIE_AT + 0x24, 4, 1u << 20 | 1u << 21);
    }
    if (!sim_is_bridge(f)) {
        sim_config_put(f, SIM_PCIE_AT + 4, 4, 1u << 28); /* can be reset */
        sim_config_mask(f, SIM_PCIE_AT + 8, 2, 1u << 15);
    }
    sim_config_mask(f, SIM_PCIE_AT + 0x28, 2, 1u << 5);
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

/* Bits of the capability that mean something in a port, or in a function of several
 * (PCIe 7.7.11.2). */
static uint32_t acs_can(const struct sim_func *f, bool port)
{
    uint32_t bits = SIM_ACS_RR | SIM_ACS_CR | SIM_ACS_DT;
    uint32_t only = f->row.caps >> 24 & 0x7f;

    if (port) {
        bits |= SIM_ACS_SV | SIM_ACS_TB | SIM_ACS_UF;
    }
    if (only != 0) {
        bits = only & (bits | SIM_ACS_EC);
    }
    return bits;
}

/* Of the control bits that come with "enhanced": a switch has an upstream port, too. */
static uint32_t enhanced_control(const struct sim_func *f)
{
    return f->row.kind == SIM_DOWNSTREAM ? 0x1f80 : 0x0380;
}

/* Control bits that the capability does not have are hardwired to 0. */
static void acs_init(struct sim_func *f, uint16_t *end)
{
    bool port = f->row.kind == SIM_ROOT_PORT || f->row.kind == SIM_DOWNSTREAM;
    uint32_t can = acs_can(f, port);
    uint32_t control = can;
    bool egress = (can & SIM_ACS_EC) != 0;

    if (port && (f->row.caps & SIM_ENHANCED) != 0) {
        can |= 0x80;
        control |= enhanced_control(f);
    }
    f->acs = ext_add(f, end, 0x0d, 1);
    sim_config_put(f, f->acs + 4, 2, can | (egress ? 32u << 8 : 0));
    sim_config_mask(f, f->acs + 6, 2, control);
    sim_config_mask(f, f->acs + 8, 4, egress ? UINT32_MAX : 0);
}

static void ats_init(struct sim_func *f, uint16_t *end)
{
    f->ats = ext_add(f, end, 0x0f, 1);
    /* Depth 32, aligned requests; global invalidation if there are PASIDs. */
    sim_config_put(f, f->ats + 4, 2, f->pasid_bits > 0 ? 0x0060 : 0x0020);
    sim_config_mask(f, f->ats + 6, 2, f->physical != NULL ? 0x8000 : 0x801f);
}

static void pri_init(struct sim_func *f, uint16_t *end)
{
    f->pri = ext_add(f, end, 0x13, 1);
    sim_config_mask(f, f->pri + 4, 2, 0x0003);
    /* Stopped; answers with a PASID. */
    sim_config_put(f, f->pri + 6, 2,
                   f->row.caps & SIM_PRI_PLAIN ? 0x0100 : 0x8100);
    f->clears[f->pri + 6] = 0x03;
    sim_config_put(f, f->pri + 8, 4, SIM_PRI_CAPACITY);
    sim_config_mask(f, f->pri + 12, 4, 0xffffffff);
}

/* What the function cannot is hardwired to 0 in the control register too. */
static void pasid_init(struct sim_func *f, uint16_t *end)
{
    uint32_t can = f->row.caps & SIM_PASID_PLAIN ? 0 : 0x0006;

    can |= f->row.caps & SIM_PASID_XLATED ? 0x0008 : 0;
    f->pasid = ext_add(f, end, 0x1b, 1);
    sim_config_put(f, f->pasid + 4, 2, (uint32_t)f->pasid_bits << 8 | can);
    sim_config_mask(f, f->pasid + 6, 2, can | 1);
}

static void ext_init(struct sim_func *f)
{
    uint16_t end = EXT_AT;

    if (f->row.caps & (SIM_ACS | SIM_ACS_ON | SIM_ENHANCED)) {
        acs_init(f, &end);
    }
    if (f->row.caps & SIM_ATS) {
        ats_init(f, &end);
    }
    if (f->physical == NULL && (f->row.caps & (SIM_PRI | SIM_PRI_PLAIN))) {
        pri_init(f, &end);
    }
    if (f->physical == NULL && f->pasid_bits > 0) {
        pasid_init(f, &end);
    }
    if (f->n_vfs > 0) { /* the last: it is longer than the others */
        f->sriov = ext_add(f, &end, 0x10, 1);
        sim_sriov_init(f);
    }
}

void sim_config_init(struct sim_func *f)
{
    header_init(f);
    if (f->physical != NULL) {
        virtual_init(f);
    } else if (f->bar != NULL) {
        bar_init(f);
    }
    if (sim_is_bridge(f)) {
        bridge_init(f);
    }
    if (f->accel != NULL) {
        sim_accel_config(f);
    } else {
        msi_init(f);
    }
    if (!sim_is_conventional(f->row.kind)) {
        pcie_init(f);
        ext_init(f);
    }
    memcpy(f->reset, f->config, sizeof(f->reset));
}

/* ---- firmware ------------------------------------------------------------ */

static void program_window(struct sim_func *f)
{
    bool empty = f->window_stop == f->window_start;

    sim_config_put(f, 0x20, 2,
                   empty ? 0xfff0u : (uint32_t)(f->window_start >> 16));
    sim_config_put(f, 0x22, 2,
                   empty ? 0 : (uint32_t)((f->window_stop - 1) >> 16) & 0xfff0);
}

void sim_config_firmware(struct sim_func *f)
{
    if (f->physical != NULL) {
        sim_config_put(f, 0x04, 2, 0x0004); /* bus master */
        return;
    }
    if (f->accel != NULL) {
        sim_accel_firmware(f);
    } else if (f->bar != NULL) {
        sim_config_put(f, 0x10, 4, (uint32_t)f->bar_start);
    }
    if (f->sriov != 0) {
        sim_sriov_firmware(f);
    }
    if (sim_is_bridge(f)) {
        program_window(f);
    }
    if (f->row.caps & SIM_ACS_ON) {
        uint16_t can = sim_config16(f, f->acs + 4);

        sim_config_put(f, f->acs + 6, 2, can & 0x1du);
    }
    sim_config_put(f, 0x04, 2, 0x0006); /* memory space, bus master */
}
