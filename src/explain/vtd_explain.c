/* SPDX-License-Identifier: MIT */
/*
 * vtd_explain.c - VT-d fault reasons in words (D51397 rev 5.10, 7.1.3). The
 * list of codes is VTD_FAULT_REASONS; a test demands words for each of them.
 */
#include "explain/explain.h"

#include <stddef.h>

#include "explain/causes.h"
#include "spec/vtd.h"
#include "spec/vtd_fault.h"

/* What to look at */
#define MSI "address and data in the device's MSI registers"

/* More causes, see causes.h */
#define RESERVED                                                               \
    "firmware uses that memory for the device, and no RMRR of the DMAR table " \
    "says so"
#define LARGE                                                                  \
    "the unit mishandles large pages (superpages), as some for integrated "    \
    "graphics do"
#define KEXEC                                                                  \
    "the message was set up by firmware or the system before (kexec, crash "   \
    "kernel), and the device still sends it"
#define FORGED                                                                 \
    "a guest or a user-space driver wrote the MSI registers of the device "    \
    "itself"

/* clang-format off */
static const char *const no_entry[] = {
    CAUSE_EARLY,
    "the device was added or its bus renumbered later, and its entry not written",
    CAUSE_ALIAS,
    NULL
};
static const char *const not_attached[] = {
    "the device was blocked, or never given a domain, and does DMA all the same",
    CAUSE_REATTACHED,
    CAUSE_ALIAS,
    CAUSE_EARLY,
    CAUSE_STALE,
    NULL
};
static const char *const bad_entry[] = {
    CAUSE_UNSUPPORTED,
    CAUSE_OVERWRITTEN,
    CAUSE_STALE,
    NULL
};
static const char *const unreadable[] = {
    CAUSE_NO_MEMORY,
    CAUSE_OVERWRITTEN,
    CAUSE_MEMORY_ERROR,
    NULL
};
static const char *const too_wide[] = {
    CAUSE_DMA_MASK,
    CAUSE_VIRTUAL,
    NULL
};
static const char *const no_write[] = {
    CAUSE_FREED,
    CAUSE_NEVER,
    CAUSE_BEYOND,
    CAUSE_READ_ONLY,
    RESERVED,
    CAUSE_ASSIGNED,
    LARGE,
    CAUSE_STALE,
    NULL
};
static const char *const no_read[] = {
    CAUSE_FREED,
    CAUSE_NEVER,
    CAUSE_BEYOND,
    CAUSE_WRITE_ONLY,
    RESERVED,
    CAUSE_ASSIGNED,
    LARGE,
    CAUSE_STALE,
    NULL
};
static const char *const allowed[] = {
    CAUSE_MAPPED_LATER,
    CAUSE_STALE,
    LARGE,
    NULL
};
static const char *const no_page[] = {
    CAUSE_FREED,
    CAUSE_NEVER,
    CAUSE_BEYOND,
    RESERVED,
    "the page of the process is not present, and the device does not ask for "
    "pages (PRI)",
    CAUSE_STALE,
    NULL
};
static const char *const reserved_page[] = {
    CAUSE_OVERWRITTEN,
    "software set a bit that this unit does not support (a page size, SNP)",
    CAUSE_STALE,
    NULL
};
static const char *const ats[] = {
    CAUSE_ATS_OFF,
    CAUSE_ATS_LEFT,
    CAUSE_FORGED_ATS,
    NULL
};
static const char *const onto_window[] = {
    "a page was mapped onto the interrupt window, as memory or for a doorbell",
    CAUSE_OVERWRITTEN,
    NULL
};
static const char *const supervisor[] = {
    "the first-stage entries were made without the U/S bit",
    "a process does DMA to an address of the kernel",
    NULL
};
static const char *const execute[] = {
    "the device asks for the right to execute, which software did not allow or "
    "the unit lacks",
    NULL
};
static const char *const privileged[] = {
    "the device sends privileged requests for a process",
    "a PASID of the kernel was set up without SRE",
    NULL
};
static const char *const mode[] = {
    "PASIDs or page requests are on in the device, and were not set up in the unit",
    "they were left on by firmware or the system before",
    NULL
};
static const char *const pasid[] = {
    CAUSE_WRONG_PASID,
    "the PASID directory was made too small",
    NULL
};
static const char *const aborting[] = {
    "firmware or software has the unit refuse all DMA until it is set up",
    NULL
};
static const char *const nested[] = {
    "the guest put its tables where the host gave it no memory, or no right to "
    "write",
    "the host unmapped guest memory that held tables",
    NULL
};
static const char *const not_snooped[] = {
    "software enabled accessed and dirty bits and made the unit's table walks "
    "not snoop",
    NULL
};
static const char *const ir_request[] = {
    FORGED,
    "the device's MSI registers were written in part, or are corrupt",
    NULL
};
static const char *const ir_index[] = {
    KEXEC,
    FORGED,
    "the interrupt remapping table was made smaller than it was",
    NULL
};
static const char *const ir_absent[] = {
    "the interrupt was freed while the device or I/O APIC could still raise it",
    KEXEC,
    FORGED,
    CAUSE_STALE,
    NULL
};
static const char *const ir_reserved[] = {
    "entries were written for x2APIC, and the unit is in xAPIC mode (EIM)",
    CAUSE_OVERWRITTEN,
    NULL
};
static const char *const ir_compat[] = {
    KEXEC,
    "it was set up outside of the interrupt domain that remaps, as for devices "
    "behind VMD before that domain is known",
    "an I/O APIC or HPET is in no scope of the DMAR table",
    FORGED,
    NULL
};
static const char *const ir_source[] = {
    CAUSE_ALIAS,
    "the DMAR table has a wrong source id for an I/O APIC or HPET",
    FORGED,
    NULL
};
static const char *const ir_posted[] = {
    "the descriptor of a virtual CPU was freed while entries still pointed to it",
    CAUSE_OVERWRITTEN,
    NULL
};
static const char *const ir_no_msi[] = {
    "the device does DMA to the interrupt window: a wrong or corrupt address",
    "a message of the wrong size",
    NULL
};
static const char *const ir_mode[] = {
    "firmware demands interrupt remapping or x2APIC, and software left it off",
    NULL
};

static const struct uim_reason reasons[] = {
    /* Legacy mode */
    { VTD_FR_LRT_2, "LRT.2",
      "nothing was ever set up for its bus (root entry not present)",
      "whether the device was added, with its present bus number",
      no_entry },
    { VTD_FR_LCT_2, "LCT.2",
      "it is blocked (context entry not present)",
      NULL,
      not_attached },
    { VTD_FR_LCT_4, "LCT.4",
      "its context entry has an address width or translation type that the "
      "unit lacks, or the top table cannot be read",
      LOOK_TABLES,
      bad_entry },
    { VTD_FR_LGN_1, "LGN.1",
      "the address is wider than the unit or the domain translates",
      "the device's DMA mask, and last_iova of the domain",
      too_wide },
    { VTD_FR_LGN_2, "LGN.2",
      "no right to write there (second stage)",
      NULL,
      no_write },
    { VTD_FR_LGN_3, "LGN.3",
      "no right to read there (second stage)",
      NULL,
      no_read },
    { VTD_FR_LSS_1, "LSS.1",
      "an entry of the second-stage tables cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_LRT_1, "LRT.1",
      "its root entry cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_LCT_1, "LCT.1",
      "its context entry cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_LRT_3, "LRT.3",
      "its root entry has a reserved bit set",
      LOOK_TABLES,
      bad_entry },
    { VTD_FR_LCT_3, "LCT.3",
      "its context entry has a reserved bit set",
      LOOK_TABLES,
      bad_entry },
    { VTD_FR_LSS_2, "LSS.2",
      "an entry of the second-stage tables has a reserved bit set",
      LOOK_ENTRIES,
      reserved_page },
    { VTD_FR_LCT_5, "LCT.5",
      "it asked for a translation or used one (ATS), and its context entry "
      "does not allow that",
      "who switched ATS on in the device",
      ats },
    { VTD_FR_LGN_4, "LGN.4",
      "the address is mapped onto the interrupt window (0xfee00000)",
      LOOK_ENTRIES,
      onto_window },
    /* Interrupt messages: no labels in the manual */
    { VTD_FR_IR_REQUEST_RSVD, NULL,
      "the message has a reserved field set",
      MSI,
      ir_request },
    { VTD_FR_IR_INDEX, NULL,
      "its index is beyond the interrupt remapping table",
      MSI,
      ir_index },
    { VTD_FR_IR_NOT_PRESENT, NULL,
      "the remapping entry of its index is not present",
      "whether the interrupt was freed while the device still used it",
      ir_absent },
    { VTD_FR_IR_FETCH, NULL,
      "the remapping entry of its index cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_IR_RSVD, NULL,
      "the remapping entry of its index has a reserved bit set",
      LOOK_TABLES,
      ir_reserved },
    { VTD_FR_IR_COMPAT, NULL,
      "it is in compatibility format, which is blocked",
      "whether its MSI was set up before remapping was switched on",
      ir_compat },
    { VTD_FR_IR_SOURCE, NULL,
      "the remapping entry belongs to another requester",
      "the source id in the entry, and aliases of the device",
      ir_source },
    { VTD_FR_IR_PD_ACCESS, NULL,
      "the posted-interrupt descriptor cannot be accessed",
      LOOK_MEMORY,
      ir_posted },
    { VTD_FR_IR_PD_RSVD, NULL,
      "the posted-interrupt descriptor has a reserved bit set",
      LOOK_TABLES,
      ir_posted },
    { VTD_FR_IR_NOT_MSI, NULL,
      "an access to the interrupt window that is no valid MSI",
      "why it writes there: 0xfee00000 to 0xfeefffff is never translated",
      ir_no_msi },
    { VTD_FR_IR_EIMER, NULL,
      "the unit demands x2APIC mode, and that is not on",
      NULL,
      ir_mode },
    { VTD_FR_IR_IRREQ, NULL,
      "the unit demands interrupt remapping, and that is not on",
      NULL,
      ir_mode },
    /* The root table register, and requests that it rules out */
    { VTD_FR_RTA_1, "RTA.1",
      "the root table address register has an invalid mode",
      LOOK_TABLES,
      bad_entry },
    { VTD_FR_RTA_2, "RTA.2",
      "requests with PASID need scalable mode",
      "the option vtd.mode",
      mode },
    { VTD_FR_RTA_3, "RTA.3",
      "page requests need scalable mode",
      "the option vtd.mode",
      mode },
    { VTD_FR_RTA_4, "RTA.4",
      "the unit is in abort mode: it refuses everything",
      NULL,
      aborting },
    { VTD_FR_RTA_5, "RTA.5",
      "requests to execute are not supported",
      NULL,
      execute },
    /* Root, context and PASID tables of scalable mode */
    { VTD_FR_SRT_1, "SRT.1",
      "its root entry cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_SRT_2, "SRT.2",
      "nothing was ever set up for its half of the bus (root entry not "
      "present)",
      "whether the device was added, with its present bus number",
      no_entry },
    { VTD_FR_SRT_3, "SRT.3",
      "its root entry has a reserved bit set",
      LOOK_TABLES,
      bad_entry },
    { VTD_FR_SCT_1, "SCT.1",
      "its context entry cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_SCT_2, "SCT.2",
      "nothing was ever set up for it (context entry not present)",
      NULL,
      not_attached },
    { VTD_FR_SCT_3, "SCT.3",
      "its context entry has a reserved bit set",
      LOOK_TABLES,
      bad_entry },
    { VTD_FR_SCT_4, "SCT.4",
      "PRE, RID_PASID or EPTR in its context entry do not fit together",
      LOOK_TABLES,
      bad_entry },
    { VTD_FR_SCT_5, "SCT.5",
      "it asked for a translation or used one (ATS), and its context entry "
      "does not allow that (DTE)",
      "who switched ATS on in the device",
      ats },
    { VTD_FR_SCT_6, "SCT.6",
      "its context entry allows no PASIDs (PASIDE)",
      NULL,
      mode },
    { VTD_FR_SCT_7, "SCT.7",
      "its PASID is beyond its PASID directory (PDTS)",
      NULL,
      pasid },
    { VTD_FR_SCT_8, "SCT.8",
      "its context entry allows no page requests (PRE)",
      NULL,
      mode },
    { VTD_FR_SCT_9, "SCT.9",
      "its PASID is the one that stands for requests without PASID",
      NULL,
      pasid },
    { VTD_FR_SCT_10, "SCT.10",
      "its context entry allows no translated requests with PASID (EPTR)",
      NULL,
      ats },
    { VTD_FR_SPD_1, "SPD.1",
      "its PASID directory entry cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_SPD_2, "SPD.2",
      "nothing was ever set up for this PASID (PASID directory entry not "
      "present)",
      NULL,
      not_attached },
    { VTD_FR_SPD_3, "SPD.3",
      "its PASID directory entry has a reserved bit set",
      LOOK_TABLES,
      bad_entry },
    { VTD_FR_SPT_1, "SPT.1",
      "its PASID table entry cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_SPT_2, "SPT.2",
      "it is blocked (PASID table entry not present)",
      NULL,
      not_attached },
    { VTD_FR_SPT_3, "SPT.3",
      "its PASID table entry has a reserved bit set",
      LOOK_TABLES,
      bad_entry },
    { VTD_FR_SPT_4, "SPT.4",
      "its PASID table entry is for a translation that the unit lacks, or is "
      "empty",
      NULL,
      bad_entry },
    { VTD_FR_SPT_5, "SPT.5",
      "requests to execute are not supported",
      NULL,
      execute },
    { VTD_FR_SPT_6, "SPT.6",
      "its PASID table entry allows no supervisor requests (SRE)",
      NULL,
      privileged },
    { VTD_FR_SPT_9, "SPT.9",
      "its translated address is beyond the host permission table",
      NULL,
      too_wide },
    /* First-stage tables */
    { VTD_FR_SFS_1, "SFS.1",
      "an entry of the first-stage tables cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_SFS_2, "SFS.2",
      "no first-stage entry there (not present)",
      NULL,
      no_page },
    { VTD_FR_SFS_3, "SFS.3",
      "an entry of the first-stage tables has a reserved bit set",
      LOOK_ENTRIES,
      reserved_page },
    { VTD_FR_SFS_4, "SFS.4",
      "the top first-stage table cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_SFS_5, "SFS.5",
      "the guest's first-stage tables hold an address that is too wide for the "
      "second stage",
      "the guest's tables",
      nested },
    { VTD_FR_SFS_6, "SFS.6",
      "the guest's top table is where the second stage has no right to read",
      LOOK_GUEST,
      nested },
    { VTD_FR_SFS_7, "SFS.7",
      "a table of the guest is where the second stage has no right to read",
      LOOK_GUEST,
      nested },
    { VTD_FR_SFS_8, "SFS.8",
      "a table of the guest is where the second stage has no right to write, "
      "and its accessed or dirty bit has to be set",
      LOOK_GUEST,
      nested },
    { VTD_FR_SFS_9, "SFS.9",
      "an accessed or dirty bit of a first-stage entry has to be set, and "
      "table walks are not snooped",
      LOOK_ENTRIES,
      not_snooped },
    { VTD_FR_SFS_10, "SFS.10",
      "an accessed or dirty bit of a first-stage entry cannot be set",
      LOOK_MEMORY,
      unreadable },
    /* Second-stage tables in scalable mode */
    { VTD_FR_SSS_1, "SSS.1",
      "an entry of the second-stage tables cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_SSS_2, "SSS.2",
      "no right at all there (second stage)",
      NULL,
      no_read },
    { VTD_FR_SSS_3, "SSS.3",
      "an entry of the second-stage tables has a reserved bit set",
      LOOK_ENTRIES,
      reserved_page },
    { VTD_FR_SSS_4, "SSS.4",
      "the top second-stage table cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_SSS_5, "SSS.5",
      "an accessed or dirty bit of a second-stage entry has to be set, and "
      "table walks are not snooped",
      LOOK_ENTRIES,
      not_snooped },
    { VTD_FR_SSS_6, "SSS.6",
      "an accessed or dirty bit of a second-stage entry cannot be set",
      LOOK_MEMORY,
      unreadable },
    /* Addresses and rights in scalable mode */
    { VTD_FR_SGN_1, "SGN.1",
      "the address is not canonical for the first stage",
      "the device's DMA mask, and last_iova of the domain",
      too_wide },
    { VTD_FR_SGN_2, "SGN.2",
      "a user request for a page of the supervisor",
      LOOK_ENTRIES,
      supervisor },
    { VTD_FR_SGN_3, "SGN.3",
      "no right to execute there",
      NULL,
      execute },
    { VTD_FR_SGN_4, "SGN.4",
      "the host address is wider than the platform has",
      NULL,
      too_wide },
    { VTD_FR_SGN_5, "SGN.5",
      "the address is wider than the unit or the domain translates",
      "the device's DMA mask, and last_iova of the domain",
      too_wide },
    { VTD_FR_SGN_6, "SGN.6",
      "no right to write there",
      NULL,
      no_write },
    { VTD_FR_SGN_7, "SGN.7",
      "no right to read there",
      NULL,
      no_read },
    { VTD_FR_SGN_8, "SGN.8",
      "the address is mapped onto the interrupt window (0xfee00000)",
      LOOK_ENTRIES,
      onto_window },
    { VTD_FR_SGN_10, "SGN.10",
      "its PASID is wider than the unit supports",
      NULL,
      pasid },
    /* Host permission tables */
    { VTD_FR_HPT_1, "HPT.1",
      "an entry of the host permission table cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_HPT_2, "HPT.2",
      "an entry of the host permission table has a reserved bit set",
      LOOK_TABLES,
      bad_entry },
    { VTD_FR_HPT_3, "HPT.3",
      "the root of the host permission table cannot be read",
      LOOK_MEMORY,
      unreadable },
    { VTD_FR_HPT_4, "HPT.4",
      "the host permission table has no entry there",
      NULL,
      no_read },
    { VTD_FR_HPT_5, "HPT.5",
      "the host permission table gives no right to write there",
      NULL,
      no_write },
    { VTD_FR_HPT_6, "HPT.6",
      "the host permission table gives no right to read there",
      NULL,
      no_read },
};
/* clang-format on */

static bool is_interrupt(uint32_t reason)
{
    return vtd_fault_of_interrupt(reason);
}

static bool has_index(uint32_t reason)
{
    return vtd_fault_has_index(reason);
}

/* ---- the fault status register (11.4.7.1) -------------------------------- */

#define FSTS_BIT(P, name, high, low) P##_##name = (int)UIM_MASK(high, low),
enum { VTD_FSTS(FSTS_BIT, FSTS) };

/* clang-format off */
static const char *const storm[] = {
    "the device faults faster than its faults are read: only the first ones "
    "are recorded",
    NULL
};
static const char *const queue_error[] = {
    "software wrote an invalidation descriptor that this unit does not know",
    "the memory of the invalidation queue was overwritten",
    NULL
};
static const char *const wrong_completion[] = {
    "a device answers invalidations of its translation cache (ATS) that nobody "
    "sent",
    NULL
};
static const char *const no_completion[] = {
    "the device was reset, powered off or removed while ATS was on",
    "the invalidation went to a unit that is not the device's own",
    "ATS does not work in the device: it needs a quirk",
    NULL
};

static const struct uim_reason status_bits[] = {
    { FSTS_pfo, "PFO", "faults were lost, there were too many", NULL, storm },
    { FSTS_ppf, "PPF", "faults are recorded", NULL, NULL },
    { FSTS_afo, "AFO", "faults were lost, the log is full", NULL, storm },
    { FSTS_apf, "APF", "faults are in the log", NULL, NULL },
    { FSTS_iqe, "IQE", "the unit stopped at a wrong invalidation descriptor",
      NULL, queue_error },
    { FSTS_ice, "ICE", "a device confirmed an invalidation wrongly", NULL,
      wrong_completion },
    { FSTS_ite, "ITE",
      "a device did not confirm an invalidation of its translation cache in time",
      NULL, no_completion },
};
/* clang-format on */

static const struct uim_status status[] = {
    { .reg = "FSTS",
      .title = "fault status",
      .bits = status_bits,
      .n_bits = sizeof(status_bits) / sizeof(status_bits[0]),
      .lost = FSTS_pfo | FSTS_afo,
      .announces = FSTS_pfo | FSTS_ppf | FSTS_afo | FSTS_apf,
      .index = FSTS_fri },
};

/* ---- raw records --------------------------------------------------------- */

static bool about_rights(uint32_t reason)
{
    return reason == VTD_FR_LGN_2 || reason == VTD_FR_LGN_3 ||
           reason == VTD_FR_SGN_6 || reason == VTD_FR_SGN_7 ||
           reason == VTD_FR_SFS_2 || reason == VTD_FR_SSS_2;
}

/* The other reasons are those of legacy mode, or of any (7.1.3). */
static const char *mode_of(uint32_t reason)
{
    bool scalable = reason >= VTD_FR_SRT_1 && reason <= VTD_FR_SFS_10;

    return scalable ? "scalable mode" : NULL;
}

static unsigned access_of(struct vtd_frcd_hi hi)
{
    static const unsigned of_type[] = {
        [VTD_FAULT_WRITE] = UIOMMU_WRITE,
        [VTD_FAULT_PAGE_REQUEST] = 0,
        [VTD_FAULT_READ] = UIOMMU_READ,
        [VTD_FAULT_ATOMIC] = UIOMMU_READ | UIOMMU_WRITE,
    };

    return of_type[vtd_frcd_hi_t1(hi) << 1 | vtd_frcd_hi_t2(hi)];
}

bool uim_vtd_record(uint64_t lo, uint64_t hi, struct uim_record *out)
{
    const struct vtd_frcd_lo l = { lo };
    const struct vtd_frcd_hi h = { hi };

    if (!vtd_frcd_hi_f(h))
        return false;
    *out = (struct uim_record){
        .driver = "vtd",
        .has = UIM_HAS_REASON | UIM_HAS_SOURCE | UIM_HAS_ACCESS |
               UIM_HAS_ADDRESS | (vtd_frcd_hi_pp(h) ? UIM_HAS_PASID : 0),
        .source = { .bus = (uint8_t)(vtd_frcd_hi_sid(h) >> 8),
                    .devfn = (uint8_t)vtd_frcd_hi_sid(h) },
        .reason = (uint32_t)vtd_frcd_hi_fr(h),
        .pasid = (uint32_t)vtd_frcd_hi_pv(h),
        .access = access_of(h),
        .address = vtd_frcd_lo_fi(l) << 12,
    };
    if (is_interrupt(out->reason))
        out->address = vtd_frcd_ir_lo_index((struct vtd_frcd_ir_lo){ lo });
    uim_record_settle(out);
    return true;
}

const struct uim_decoder uim_decoder_vtd = {
    .driver = "vtd",
    .reasons = reasons,
    .n_reasons = sizeof(reasons) / sizeof(reasons[0]),
    .status = status,
    .n_status = 1,
    .allowed = allowed,
    .page_lg2 = 12,
    .level_lg2 = 9,
    .interrupt = is_interrupt,
    .has_index = has_index,
    .rights = about_rights,
    .mode = mode_of,
};
