/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_INTERRUPT_H
#define UIOMMU_INTERRUPT_H

#include <uiommu/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Interrupts of devices (semantics B.4). A message is a write to an address that no
 * table translates: without remapping a device can forge every interrupt there is.
 * With UIOMMU_CONFIG_REMAP_INTERRUPTS units let through what is mapped here, from
 * the source it is mapped for, and refuse and record everything else.
 *
 * uiommu says what a message is to look like; whoever owns the device's MSI
 * capability or the I/O APIC writes it there. Calls about one uiommu_irq are made by
 * one thread at a time; different ones at once. All may sleep.
 */

enum uiommu_irq_delivery {
    UIOMMU_IRQ_FIXED = 0,
    UIOMMU_IRQ_LOWEST_PRIORITY = 1,
    UIOMMU_IRQ_SMI = 2,
    UIOMMU_IRQ_NMI = 4,
    UIOMMU_IRQ_INIT = 5,
    UIOMMU_IRQ_EXTINT = 7,
};

/* Where an interrupt goes, in words of the x86 interrupt controller. */
struct uiommu_irq_target {
    uint32_t destination; /* APIC id, or a logical destination: 8 bits, 32 with
                           * UIOMMU_CONFIG_X2APIC                            */
    uint8_t vector;       /* FIXED, LOWEST_PRIORITY: 16 to 255               */
    uint8_t delivery;     /* enum uiommu_irq_delivery                        */
    bool logical;         /* destination is logical                          */
    bool hint;            /* redirection hint: one of several may take it    */
    bool level;           /* level-triggered: I/O APICs only                 */
    bool active_low;      /* so too; PCI's INTx is level and active low      */
};

/* What the source has to send. */
struct uiommu_irq_message {
    uint64_t
        addr; /* MSI, MSI-X: address; multiple-message MSI counts data up  */
    uint32_t data;
    uint64_t rte;  /* I/O APIC: the redirection entry, not masked            */
};

/* Sources that are no devices with DMA; the firmware table names them. */
enum uiommu_irq_source {
    UIOMMU_IRQ_IOAPIC, /* by its APIC id        */
    UIOMMU_IRQ_HPET,   /* by its HPET number    */
};

struct
    uiommu_irq; /* one interrupt, or the consecutive ones of a device's MSI */

/**
 * Let messages of the endpoint's device through to target[0 .. n). n is 1, or a
 * power of two up to 32: the messages of a device without MSI-X. Entry i answers
 * message data + i.
 *
 * INVAL: n; a vector, delivery or destination that cannot be; a message that is
 * level or active_low. OPNOTSUPP: interrupts are not remapped. NOSPC: all entries
 * are in use. BUSY: from within a mediator (mediated.h). AGAIN: suspended. NOMEM.
 * TIMEDOUT, IO: the unit did not confirm, and the entries are not used again. After any
 * of these nothing is mapped.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_irq_map(struct uiommu_endpoint *endpoint,
               const struct uiommu_irq_target *target, unsigned n,
               struct uiommu_irq **out);

/** The same for one interrupt of an I/O APIC or HPET. NODEV: the firmware table
 *  does not name it, or its unit is not driven. AGAIN: also before start and after
 *  stop. */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_irq_map_source(struct uiommu *u, enum uiommu_irq_source kind,
                      unsigned id, const struct uiommu_irq_target *target,
                      struct uiommu_irq **out);

/**
 * What to write into the source. That of an I/O APIC has vector, trigger mode and
 * polarity of the target in it; all others stay the same whatever the target.
 *
 * The unit wants trigger mode, and of a level-triggered pin the vector, as in its own
 * entry (VT-d 5.1.5). So keep such a pin masked from before uiommu_irq_retarget()
 * until the new message is written.
 */
void uiommu_irq_message(const struct uiommu_irq *irq,
                        struct uiommu_irq_message *out);

/**
 * Interrupt i goes to another target; in between to the old or the new one. When it
 * returns none is on the way to the old one in the unit. INVAL (also the wrong i),
 * AGAIN: it goes where it went. TIMEDOUT, IO: to the old or the new one.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_irq_retarget(struct uiommu_irq *irq, unsigned i,
                    const struct uiommu_irq_target *target);

/** Its messages are refused from now on. AGAIN: suspended, nothing happened. INVAL:
 *  NULL. TIMEDOUT, IO: gone all the same, but the unit may still let some through; the
 *  entries are not used again. */
UIOMMU_MUST_CHECK enum uiommu_status uiommu_irq_unmap(struct uiommu_irq *irq);

/**
 * Where messages of the endpoint's device have to go so that they reach the doorbell
 * whose physical address is `doorbell` (Arm: GITS_TRANSLATER), on a unit that translates
 * messages as any write. *addr is for the device's MSI address.
 *
 * In the paging domain that its group sees the doorbell is mapped then, and in each that
 * it sees later before it sees it: in the window of region.h, at the same address in all
 * of them. On identity *addr is `doorbell`; of a group that is started (dma.h) it is in
 * its default domain. So ask again when the group goes from one of the three to another.
 * A claim, a release and the last uiommu_dma_stop() forget it. Any number may ask for one
 * doorbell: it is mapped once, and stays so as long as the domain lives.
 *
 * May sleep. INVAL: NULL; an endpoint with a PASID, or that is not started while others
 * of its group are; an address that the firmware table, which knows the device's
 * doorbells, does not have (logged). OPNOTSUPP (logged): messages are not translated,
 * or there is no window. NOSPC (logged): the window, the domain or what the device can
 * send is too small, or the instance has as many doorbells as it can (32). BUSY: from within
 * a mediator (mediated.h). AGAIN: suspended. NOMEM. TIMEDOUT, IO: as uiommu_map(). After any of
 * these nothing is set up.
 */
UIOMMU_MUST_CHECK enum uiommu_status
uiommu_irq_doorbell(struct uiommu_endpoint *endpoint, uint64_t doorbell,
                    uint64_t *addr);

#ifdef __cplusplus
}
#endif
#endif
