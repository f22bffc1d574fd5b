/* SPDX-License-Identifier: MIT */
/*
 * causes.h - what may lie behind a fault on any kind of unit. Whole sentences are
 * made of the reasons; these are the ends of "it may be that ...".
 */
#ifndef UIM_EXPLAIN_CAUSES_H
#define UIM_EXPLAIN_CAUSES_H

#define CAUSE_ALIAS                                                            \
    "its requests carry another requester id than its own (a function that "   \
    "does not exist, or a bridge's): the device needs an alias"
#define CAUSE_EARLY                                                            \
    "firmware or the system before left the device running, and translation "  \
    "was switched on under it"
#define CAUSE_REATTACHED                                                       \
    "its entry was cleared when it changed its domain or was reset, and not "  \
    "written again"
#define CAUSE_STALE                                                            \
    "the unit holds a stale entry: an invalidation or a cache flush is "       \
    "missing"
#define CAUSE_OVERWRITTEN                                                      \
    "the memory of the table was freed or overwritten while the unit used it"
#define CAUSE_FREED "the buffer was unmapped while the device still used it"
#define CAUSE_NEVER                                                            \
    "the address was never mapped for this device: it was given a physical "   \
    "address, or one of another device"
#define CAUSE_ASSIGNED                                                         \
    "the device is assigned to a guest, which has no memory there or did not " \
    "share it"
#define CAUSE_BEYOND "the device went beyond the end of its buffer"
#define CAUSE_UNSUPPORTED                                                      \
    "software wrote an entry that this unit does not support"
#define CAUSE_NO_MEMORY                                                        \
    "the address in the entry above points to no memory: it was never "        \
    "written, or is corrupt"
#define CAUSE_MEMORY_ERROR "a memory error"
#define CAUSE_DMA_MASK                                                         \
    "the device's DMA mask allows wider addresses than the unit translates"
#define CAUSE_VIRTUAL                                                          \
    "the device was given a virtual or sign-extended address, or a corrupt "   \
    "one"
#define CAUSE_READ_ONLY                                                        \
    "the buffer was mapped for reading only: a wrong direction"
#define CAUSE_WRITE_ONLY                                                       \
    "the buffer was mapped for writing only: a wrong direction"
#define CAUSE_MAPPED_LATER                                                     \
    "the page was mapped, or got the right, after the fault"
#define CAUSE_ATS_OFF                                                          \
    "ATS is on in the device, and its entry was written without it"
#define CAUSE_ATS_LEFT   "ATS was left on by firmware or the system before"
#define CAUSE_FORGED_ATS "the device forges translated requests"
#define CAUSE_WRONG_PASID                                                      \
    "the device or its driver uses a PASID that it was not given"

/* What to look at, where the domain does not show it */
#define LOOK_TABLES                                                            \
    "who else wrote to the unit's tables: uiommu writes no such entry"
#define LOOK_MEMORY  "the table's address: no memory answers the unit there"
#define LOOK_ENTRIES "the entries that uiommu_walk() finds for this address"
#define LOOK_GUEST   "what is mapped for the guest"

#endif
