/* SPDX-License-Identifier: MIT */
/*
 * model.h - what every software IOMMU offers.
 *
 * The calls are those of the embedding ABI (include/uiommu/embed.h), which
 * documents them for users; the names of structs, members and constants here
 * are the same after the prefix, and hosts/embed translates one into the other.
 *
 * Locking: translate comes from any thread at any time; everything else from
 * one thread at a time, not nested. A model takes host->lock itself.
 */
#ifndef UIM_MODEL_MODEL_H
#define UIM_MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/host.h"

struct uim_check;

#define UIM_MODEL_NO_PASID  0xffffffffu
#define UIM_MODEL_ANY_PASID 0xfffffffeu

enum { UIM_MODEL_R = 1, UIM_MODEL_W = 2, UIM_MODEL_X = 4, UIM_MODEL_PRIV = 8 };

enum uim_model_inval_what {
    UIM_MODEL_INV_ALL = 0,
    UIM_MODEL_INV_DOMAIN,
    UIM_MODEL_INV_RID,
    UIM_MODEL_INV_DEVTLB,
    UIM_MODEL_INV_MSI
};

struct uim_model_inval {
    enum uim_model_inval_what what;
    uint32_t rid, pasid, domain, tag;
    uint64_t iova, len; /* len 0: everything */
};

struct uim_model_map {
    uint32_t rid, pasid, perm;
    uint64_t iova, gpa, len;
};

struct uim_model_page_response {
    uint32_t rid, pasid, group, code;
};

struct uim_model_page_request {
    uint32_t rid, pasid, access, group;
    bool last, has_priv;
    uint64_t iova, priv[2];
};

enum { UIM_MODEL_PROBE = 1, UIM_MODEL_ATS = 2, UIM_MODEL_XLATED = 4 };

enum {
    UIM_MODEL_XLAT_MSI = 1,
    UIM_MODEL_XLAT_U = 2,
    UIM_MODEL_XLAT_GLOBAL = 4,
    UIM_MODEL_XLAT_NOSNOOP = 8
};

enum { UIM_MODEL_UR = -1, UIM_MODEL_CA = -2, UIM_MODEL_STALLED = 1 };

struct uim_model_req {
    uint32_t rid, pasid, access, flags;
    uint64_t iova;
};

struct uim_model_xlat {
    uint32_t perm, domain, flags, tag;
    uint64_t gpa, mask;
};

enum { UIM_MODEL_WINDOWS = 4 };

struct uim_model_info {
    uint32_t n_windows;
    struct {
        uint64_t size, preferred_base;
    } window[UIM_MODEL_WINDOWS];
    uint32_t n_irqs, address_bits;
    uint64_t page_sizes;
    uint64_t msi_base, msi_len;
};

typedef int (*uim_model_write_fn)(void *ctx, const void *buf, size_t len);
typedef int (*uim_model_read_fn)(void *ctx, void *buf, size_t len);
typedef void (*uim_model_counter_fn)(void *ctx, const char *name,
                                     uint64_t value);

struct uim_model;
struct uim_check_inject;

/* How the rest of model/, and the test door (check.h), reach into one kind of
 * model. With the lock: update, command, request. */
struct uim_model_door {
    bool (*update)(struct uim_model *m); /* of registers, done; false: none   */
    bool (*command)(struct uim_model *m); /* one command, done; false: none, or
                                           * none that may be done now         */
    bool (*request)(struct uim_model *m); /* one page request that the unit has
                                           * received, done; false: none. NULL:
                                           * it takes none                     */
    void (*memory_changed)(struct uim_model *m, uint64_t gpa, uint64_t len);
    void (*caches_drop)(struct uim_model *m);
    void (*inject)(struct uim_model *m, const struct uim_check_inject *error);
};

/* Members are never NULL but where it says so. */
struct uim_model_ops {
    const char *name;
    /* `host` must outlive the model. NULL: a log sentence says why. */
    struct uim_model *(*create)(const struct uim_model_host *host,
                                const char *args);
    void (*destroy)(struct uim_model *m);
    void (*reset)(struct uim_model *m);
    void (*info)(struct uim_model *m, struct uim_model_info *out);
    size_t (*acpi)(struct uim_model *m, void *buf, size_t size);
    uint64_t (*mmio_read)(struct uim_model *m, uint32_t window, uint64_t off,
                          uint32_t len);
    void (*mmio_write)(struct uim_model *m, uint32_t window, uint64_t off,
                       uint64_t val, uint32_t len);
    int (*translate)(struct uim_model *m, const struct uim_model_req *req,
                     struct uim_model_xlat *out);
    int (*remap_msi)(struct uim_model *m, uint32_t rid, uint32_t flags,
                     uint64_t addr, uint32_t data, uint64_t *oaddr,
                     uint32_t *odata);
    int (*page_request)(struct uim_model *m,
                        const struct uim_model_page_request *req);
    void (*devtlb_done)(struct uim_model *m, uint32_t tag, bool failed);
    void (*memory_changed)(struct uim_model *m);
    int (*save)(struct uim_model *m, uim_model_write_fn fn, void *ctx);
    int (*load)(struct uim_model *m, uim_model_read_fn fn, void *ctx);
    void (*counters)(struct uim_model *m, uim_model_counter_fn fn, void *ctx);
    int (*shadow)(struct uim_model *m, uint32_t rid, uint32_t pasid,
                  int on); /* NULL: cannot */
    const struct uim_model_door *door;
};

/* What the test door changed; all zero in production. */
struct uim_model_check {
    const struct uim_check *hooks; /* NULL: nobody listens                   */
    uint32_t drop_kinds;           /* bit per enum uim_check_kind            */
    uint32_t drop_left;            /* how many more; UIM_CHECK_EVERY: all    */
    bool hold;                     /* invalidations wait for uim_check_run() */
    bool silent;
    bool bypass_caches;
};

enum {
    UIM_UNIT_NOTES = 12, /* most that one step can have to tell              */
    UIM_UNIT_RECENT = 16
};

/* What unit.h keeps. */
struct uim_model_unit {
    struct uim_model_inval note[UIM_UNIT_NOTES];
    unsigned n_notes;
    unsigned run_budget; /* commands allowed while held                      */
    unsigned warnings;
    struct uim_model_req recent[UIM_UNIT_RECENT]; /* adversarial             */
    unsigned n_recent;   /* up to twice as many: where the next one goes     */
};

/* First member of every model's own struct. */
struct uim_model {
    const struct uim_model_ops *ops;
    const struct uim_model_host *host;
    struct uim_model_check check;
    struct uim_model_unit unit;
};

extern const struct uim_model_ops uim_model_smmuv3;
extern const struct uim_model_ops uim_model_vtd;

#endif
