/* SPDX-License-Identifier: MIT */
#ifndef UIOMMU_STATUS_H
#define UIOMMU_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) || defined(__clang__)
#define UIOMMU_MUST_CHECK __attribute__((warn_unused_result))
#else
#define UIOMMU_MUST_CHECK
#endif

/*
 * What a call says. The number tells who has to act: 1..99 the caller, 100..199
 * the host ran out of something, 200..299 the hardware failed.
 *
 * A call that fails leaves no trace and writes no result. The one exception is
 * a hardware failure after a table was changed: see TIMEDOUT and IO.
 */
enum uiommu_status {
    UIOMMU_OK = 0,

    UIOMMU_INVAL = 1,  /* malformed argument, or this domain cannot serve this
                        * endpoint while another may; never logged on attach */
    UIOMMU_BUSY,       /* the object's state forbids it now                  */
    UIOMMU_PERM,       /* somebody else owns the group                       */
    UIOMMU_NODEV,      /* no such device, or nothing translates its DMA      */
    UIOMMU_OPNOTSUPP,  /* this unit or domain cannot do that at all          */
    UIOMMU_NOENT,      /* nothing there                                      */
    UIOMMU_EXIST,      /* something is there already                         */
    UIOMMU_OVERFLOW,   /* a number does not fit its width                    */
    UIOMMU_AGAIN,      /* not ready yet                                      */

    UIOMMU_NOMEM = 100, /* the host has no memory                            */
    UIOMMU_NOSPC,       /* another resource ran out: domain ids, PASIDs, ... */

    UIOMMU_TIMEDOUT = 200, /* hardware did not answer. If a mapping was being
                            * removed: it is gone from the tables, endpoints
                            * concerned are quarantined (blocked until they
                            * are removed), and the pages must not be reused
                            * until uiommu_device_remove() of these devices,
                            * uiommu_resume() or uiommu_stop() answered OK.  */
    UIOMMU_IO,             /* hardware refused; consequences as TIMEDOUT      */
};

/** The name without prefix, "INVAL"; "?" for a number that is no status. */
const char *uiommu_status_name(enum uiommu_status status);

#ifdef __cplusplus
}
#endif
#endif
