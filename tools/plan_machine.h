/* SPDX-License-Identifier: MIT */
/*
 * plan_machine.h - the machine that `uiommu plan` judges: one that runs here, or one
 * that somebody posted a dump of.
 *
 * Readers (plan_text.c, plan_log.c, plan_live.c) note what they see of each function;
 * plan_machine_finish() makes facts and links of it. Nothing that is read is
 * believed: what cannot be a machine is refused with a sentence.
 */
#ifndef TOOLS_PLAN_MACHINE_H
#define TOOLS_PLAN_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

#include "pci/topology.h"

enum {
    PLAN_WHY_SIZE = 256,
    PLAN_NAME_SIZE = 128,
    PLAN_FUNCTIONS_MAX = 4096,
    PLAN_TEXT_MAX = 64 << 20,
};

/* "0000:00:1f.3"; segments that software made have more digits. */
enum { PLAN_ADDRESS_SIZE = 20 };

/* What was seen of one function, in words, as bytes, or both. */
struct plan_seen {
    struct uiommu_pci at;
    char name[PLAN_NAME_SIZE];    /* class and name, plain ASCII; "": none    */
    struct uim_pci_function said; /* in words: all but the links              */
    bool words;                   /* more of them than the first line         */
    bool gone;                    /* it did not answer                        */
    bool list;                    /* capabilities are there,                  */
    bool listed;                  /* and are said                             */
    bool acs_said, acs_ctrl_said; /* and so are their bits                    */
    bool id_unknown;              /* named in words that no id is known for   */
    uint8_t *bytes;               /* configuration space, or NULL             */
    unsigned size;                /* of it                                    */
    uint16_t n_vfs, vf_offset, vf_stride,
        vf_device;              /* SR-IOV, if it is on    */
    const char *unseen;         /* what is not known: a sentence, or NULL   */
    struct uiommu_pci physical; /* whose virtual function it is,            */
    bool is_virtual;            /* if it is one                             */
};

struct plan_machine {
    struct plan_seen *seen; /* once finished: by address           */
    struct uim_pci_function
        *functions; /* once finished: of the same numbers  */
    unsigned n, room;
    char (
        *elsewhere)[PLAN_ADDRESS_SIZE]; /* what no id can name: segments     */
    unsigned n_elsewhere;               /* above 16 bits                     */
    bool
        acs_off; /* ports have ACS, and none has any of it on: no IOMMU was used  */
    char
        why[PLAN_WHY_SIZE]; /* after a failure: a sentence                    */
};

/* Names as ids: the file pci.ids of the PCI ID project. Zeroed: there is none. */
struct plan_ids {
    char *text;
    struct plan_vendor *vendors;
    unsigned n;
    const char *classes; /* where they begin in the text, or NULL */
};

/* NULL: the usual places. False: a file was named and cannot be read. */
bool plan_ids_open(struct plan_ids *ids, const char *file, const char **why);
/* Text that was allocated, and is the list's from now on. False: no memory. */
bool plan_ids_take(struct plan_ids *ids, char *text);
void plan_ids_close(struct plan_ids *ids);
/* "Intel Corporation Device 9d10": numbers, as far as the name is known and means
 * one device. */
bool plan_ids_find(const struct plan_ids *ids, const char *name, size_t size,
                   uint16_t *vendor, bool *has_device, uint16_t *device);
/* "PCI bridge": 16 bits. */
bool plan_ids_class(const struct plan_ids *ids, const char *name, size_t size,
                    uint16_t *class_code);

/* All of these say why not in m->why. A machine is zeroed at first, and freed
 * whatever the calls said. */
bool plan_read(const char *text, size_t size, const struct plan_ids *ids,
               struct plan_machine *m);
/* Of this machine; `path` instead of /sys/bus/pci if it is not NULL. */
bool plan_live_read(const char *path, struct plan_machine *m);
void plan_machine_free(struct plan_machine *m);

/* ---- for plan_read() ----------------------------------------------------------- */

/* What lspci prints. */
bool plan_text_read(const char *text, size_t size, const struct plan_ids *ids,
                    struct plan_machine *m);
/* What Linux logs when it starts; false and nothing said: it is no such log. */
bool plan_log_read(const char *text, size_t size, struct plan_machine *m);

/* ---- for readers --------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) bool plan_fail(struct plan_machine *m,
                                                     const char *format, ...);
/* One more, zeroed; the pointer is good until the next. NULL: said why. */
struct plan_seen *plan_add(struct plan_machine *m, struct uiommu_pci at);
bool plan_machine_finish(struct plan_machine *m);

/* One that is left out. */
bool plan_add_elsewhere(struct plan_machine *m, unsigned segment,
                        struct uiommu_pci at);

const char *plan_address(struct uiommu_pci at, char text[PLAN_ADDRESS_SIZE]);

/* The function there, or NULL. */
const struct uim_pci_function *plan_find(const struct plan_machine *m,
                                         struct uiommu_pci at);

#endif
