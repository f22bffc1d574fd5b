/* SPDX-License-Identifier: MIT */
/*
 * machine.h - a machine with an IOMMU and devices that do DMA on command,
 * whoever provides it: hosts/sim in this process, hosts/qtest in QEMU. Scenarios
 * and tests that know only this header run on all of them.
 */
#ifndef UIM_HOSTS_MACHINE_H
#define UIM_HOSTS_MACHINE_H

#include <uiommu/uiommu.h>

enum { MACHINE_NO_BRIDGE = -1 };

struct machine_device {
    const char *name;      /* "nvme", "engine0"                              */
    struct uiommu_pci pci;
    int bridge;            /* index of the bridge above, or MACHINE_NO_BRIDGE */
    bool engine;           /* machine_dma() can drive it                     */
    bool accel;            /* a streaming accelerator: docs/accel.md         */
    bool asks;             /* for pages that it is refused (PRI)             */
};

/* What a DMA came to. Some engines (QEMU's nvme) do not notice a refusal: judge
 * by memory as well.                                                        */
enum machine_dma {
    MACHINE_DMA_DONE,
    MACHINE_DMA_REFUSED,
    MACHINE_DMA_DEAD,      /* the machine is gone; machine->error says why   */
};

struct machine {
    const struct machine_ops *ops;
    const char *name;              /* "sim:vtd", "qemu:intel-iommu"          */
    struct uiommu_host host;       /* hand this to uiommu_create()           */
    const void *table;       /* the firmware table, as firmware gives it */
    size_t table_size;
    const struct machine_device *devices; /* bridges before what is behind   */
    unsigned n_devices;
    const char
        *options;    /* uiommu_config.options with which a driver runs it as it
                              * was opened; NULL: any                        */
    char error[256];               /* why open or a DMA failed; "" if not    */

    /* Called from machine_run() for interrupts of the units; set by the user,
     * usually to call uiommu_irq().                                         */
    void (*on_irq)(void *ctx, unsigned unit, unsigned n);
    void *irq_ctx;
};

struct machine_ops {
    /* Device `dev` reads or writes `size` bytes at `iova`. */
    enum machine_dma (*dma)(struct machine *m, unsigned dev, bool write,
                            uint64_t iova, void *buf, size_t size);
    /* The same of requests with a PASID. NULL: no engine sends any.         */
    enum machine_dma (*dma_pasid)(struct machine *m, unsigned dev,
                                  uint32_t pasid, bool write, uint64_t iova,
                                  void *buf, size_t size);
    /* Device `dev` was refused that, and asks for the page; answered, it can try
     * again. False: it may not. NULL: no device does.                       */
    bool (*ask)(struct machine *m, unsigned dev, uint32_t pasid, bool write,
                uint64_t iova);
    /* RAM that the engine itself uses (rings, PRP lists) and that has to be
     * mapped one to one for it to work at all; size 0: none.                */
    struct uiommu_range (*engine_area)(struct machine *m, unsigned dev);
    /* Device `dev` sends an interrupt message, 4 bytes of data to an address.
     * DONE: it is sent, and arrives or does not; REFUSED: the device cannot
     * send one, in machine->error why.                                      */
    enum machine_dma (*send_irq)(struct machine *m, unsigned dev, uint64_t addr,
                                 uint32_t data);
    /* A pin of the I/O APIC with id 0 rises, whose redirection entry is `rte`:
     * the I/O APIC sends a message. REFUSED: the machine has none.          */
    enum machine_dma (*raise_pin)(struct machine *m, uint64_t rte);
    /* The oldest interrupt that arrived at interrupt controllers from devices
     * and I/O APICs, not units, and was not taken yet; false: there is none. Of
     * an ITS: destination is the DeviceID, vector the EventID.              */
    bool (*take_irq)(struct machine *m, struct uiommu_irq_target *out);
    /* A processor writes 64 bytes to a physical address at once (MOVDIR64B), as
     * streaming accelerators take them. NULL: the machine has none of these.  */
    void (*movdir64b)(struct machine *m, uint64_t addr, const void *bytes);
    /* Deliver interrupts that are due. False: the machine is gone. */
    bool (*run)(struct machine *m);
    void (*close)(struct machine *m);
};

static inline enum machine_dma machine_dma(struct machine *m, unsigned dev,
                                           bool write, uint64_t iova, void *buf,
                                           size_t size)
{
    return m->ops->dma(m, dev, write, iova, buf, size);
}

/* UIOMMU_NO_PASID: any engine can. */
static inline enum machine_dma machine_dma_pasid(struct machine *m,
                                                 unsigned dev, uint32_t pasid,
                                                 bool write, uint64_t iova,
                                                 void *buf, size_t size)
{
    if (pasid == UIOMMU_NO_PASID)
        return m->ops->dma(m, dev, write, iova, buf, size);
    return m->ops->dma_pasid
               ? m->ops->dma_pasid(m, dev, pasid, write, iova, buf, size)
               : MACHINE_DMA_REFUSED;
}

static inline bool machine_ask(struct machine *m, unsigned dev, uint32_t pasid,
                               bool write, uint64_t iova)
{
    return m->ops->ask && m->ops->ask(m, dev, pasid, write, iova);
}

static inline struct uiommu_range machine_engine_area(struct machine *m,
                                                      unsigned dev)
{
    return m->ops->engine_area(m, dev);
}

static inline enum machine_dma machine_send_irq(struct machine *m, unsigned dev,
                                                uint64_t addr, uint32_t data)
{
    return m->ops->send_irq(m, dev, addr, data);
}

static inline enum machine_dma machine_raise_pin(struct machine *m,
                                                 uint64_t rte)
{
    return m->ops->raise_pin(m, rte);
}

static inline bool machine_take_irq(struct machine *m,
                                    struct uiommu_irq_target *out)
{
    return m->ops->take_irq(m, out);
}

static inline bool machine_run(struct machine *m)
{
    return m->ops->run(m);
}

static inline void machine_close(struct machine *m)
{
    m->ops->close(m);
}

#endif
