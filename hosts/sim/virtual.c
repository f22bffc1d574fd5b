/* SPDX-License-Identifier: MIT */
/*
 * virtual.c - virtual functions (PCIe 9): what their physical one has and decides for
 * them. Lock: pci.
 */
#include "private.h"

enum {
    SRIOV_CTRL = 0x08,
    SRIOV_INITIAL_VF = 0x0c,
    SRIOV_TOTAL_VF = 0x0e,
    SRIOV_NUM_VF = 0x10,
    SRIOV_VF_OFFSET = 0x14,
    SRIOV_VF_STRIDE = 0x16,
    SRIOV_VF_DID = 0x1a,
    SRIOV_SUP_PGSIZE = 0x1c,
    SRIOV_SYS_PGSIZE = 0x20,
    SRIOV_BAR0 = 0x24,
    VF_ENABLE = 1u << 0,
    VF_MEMORY_SPACE = 1u << 3,
};

static unsigned control(const struct sim_func *pf)
{
    return pf->sriov != 0 ? sim_config16(pf, pf->sriov + SRIOV_CTRL) : 0;
}

bool sim_vfs_enabled(const struct sim_func *pf)
{
    return (control(pf) & VF_ENABLE) != 0;
}

unsigned sim_vfs_wanted(const struct sim_func *pf)
{
    return pf->sriov != 0 ? sim_config16(pf, pf->sriov + SRIOV_NUM_VF) : 0;
}

bool sim_vf_exists(const struct sim_func *vf)
{
    return !vf->physical->gone && sim_vfs_enabled(vf->physical) &&
           vf->vf < sim_vfs_wanted(vf->physical);
}

bool sim_vf_decodes(const struct sim_func *vf)
{
    return (control(vf->physical) & VF_MEMORY_SPACE) != 0;
}

uint64_t sim_vf_bar(const struct sim_func *vf)
{
    const struct sim_func *pf = vf->physical;
    uint32_t base = sim_config32(pf, pf->sriov + SRIOV_BAR0) & ~UINT32_C(0xf);

    return base + (uint64_t)vf->vf * SIM_BAR_SIZE;
}

/* Pages of 4 KiB and no others, which is what a BAR of one has. */
void sim_sriov_init(struct sim_func *pf)
{
    unsigned at = pf->sriov;

    sim_config_mask(pf, at + SRIOV_CTRL, 2, VF_ENABLE | VF_MEMORY_SPACE);
    sim_config_put(pf, at + SRIOV_INITIAL_VF, 2, pf->n_vfs);
    sim_config_put(pf, at + SRIOV_TOTAL_VF, 2, pf->n_vfs);
    sim_config_mask(pf, at + SRIOV_NUM_VF, 2, 0xffff);
    sim_config_put(pf, at + SRIOV_VF_OFFSET, 2, pf->vf_offset);
    sim_config_put(pf, at + SRIOV_VF_STRIDE, 2, pf->vf_stride);
    sim_config_put(pf, at + SRIOV_VF_DID, 2, SIM_VIRTUAL);
    sim_config_put(pf, at + SRIOV_SUP_PGSIZE, 4, 1);
    sim_config_put(pf, at + SRIOV_SYS_PGSIZE, 4, 1);
    sim_config_mask(pf, at + SRIOV_BAR0, 4, ~(uint32_t)(SIM_BAR_SIZE - 1));
}

void sim_sriov_firmware(struct sim_func *pf)
{
    unsigned at = pf->sriov;

    sim_config_put(pf, at + SRIOV_BAR0, 4, (uint32_t)pf->vf_bar_start);
    if (pf->row.caps & SIM_VFS_ON) {
        sim_config_put(pf, at + SRIOV_NUM_VF, 2, pf->n_vfs);
        sim_config_put(pf, at + SRIOV_CTRL, 2, VF_ENABLE | VF_MEMORY_SPACE);
    }
}
