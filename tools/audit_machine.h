/* SPDX-License-Identifier: MIT */
/*
 * audit_machine.h - a machine with uiommu on it, for `uiommu audit`: the first engine and
 * the second have a domain with a page each, the third is on identity, all others are
 * blocked.
 */
#ifndef UIM_TOOLS_AUDIT_MACHINE_H
#define UIM_TOOLS_AUDIT_MACHINE_H

#include "hosts/machine.h"

enum { AUDIT_DEVICES = 16, AUDIT_PAGED = 2 };

struct audit_machine {
    struct machine *m;
    struct uiommu *u;
    struct uiommu_device *device[AUDIT_DEVICES];
    unsigned n_devices;
    struct uiommu_domain
        *domain[AUDIT_PAGED]; /* NULL: there is no such engine */
    uint64_t
        phys; /* of the page that is mapped                               */
    void *virt;
};

/* False: `error` says why. audit_machine_close() all the same. */
bool audit_machine_open(struct audit_machine *a, const char *name,
                        const char *mode, char *error, size_t size);
/* False: something did not end well. */
bool audit_machine_close(struct audit_machine *a);

/* Behind uiommu's back: "entry": what the second engine is shown is what the first is;
 * "leaf": the page of the first engine is a page table of its own. False: `error` says
 * why. audit_machine_mend() takes it back. */
struct audit_damage {
    uint64_t *at;
    uint64_t was[8];
    unsigned n;
};
bool audit_machine_corrupt(struct audit_machine *a, const char *what,
                           struct audit_damage *damage, char *error,
                           size_t size);
void audit_machine_mend(struct audit_damage *damage);

#endif
