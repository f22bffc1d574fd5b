/* SPDX-License-Identifier: MIT */
/*
 * smmuv3_explain.c - SMMUv3 events and errors in words (IHI0070, 7.3 and 6.3).
 * The list of events is SMMUV3_EVENTS; a test demands words for each of them.
 */
#include "explain/explain.h"

#include <stddef.h>

#include "explain/causes.h"
#include "spec/smmuv3.h"

/* clang-format off */

/* ---- what may lie behind an event ---------------------------------------- */

static const char *const unsupported[] = {
    "the device or its bus sent what the unit does not support, as some atomics",
    NULL
};
static const char *const no_stream[] = {
    "the firmware tables (IORT, device tree) route the device to a unit that is "
    "not its own, or number its streams wrongly",
    CAUSE_ALIAS,
    "the device was never added, or the stream table was made too small",
    CAUSE_EARLY,
    NULL
};
static const char *const not_attached[] = {
    "the device was never given a domain, and does DMA all the same",
    CAUSE_REATTACHED,
    CAUSE_UNSUPPORTED,
    CAUSE_ALIAS,
    CAUSE_EARLY,
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
static const char *const ats[] = {
    CAUSE_ATS_OFF,
    CAUSE_ATS_LEFT,
    NULL
};
static const char *const translated[] = {
    CAUSE_ATS_OFF,
    CAUSE_ATS_LEFT,
    CAUSE_FORGED_ATS,
    NULL
};
static const char *const no_pasid[] = {
    "the device does DMA without PASID, and its domain was set up for PASIDs only",
    CAUSE_WRONG_PASID,
    NULL
};
static const char *const pasid[] = {
    CAUSE_WRONG_PASID,
    "PASIDs are on in the device, and were not set up in the unit",
    "the table of context descriptors was made too small",
    NULL
};
static const char *const bad_context[] = {
    CAUSE_WRONG_PASID,
    "the domain of the PASID was detached while the device still used it",
    CAUSE_UNSUPPORTED,
    CAUSE_OVERWRITTEN,
    CAUSE_STALE,
    NULL
};
static const char *const no_page[] = {
    CAUSE_FREED,
    CAUSE_NEVER,
    CAUSE_BEYOND,
    "firmware uses that memory for the device, and no RMR node of the IORT says so",
    CAUSE_ASSIGNED,
    CAUSE_VIRTUAL,
    CAUSE_STALE,
    NULL
};
static const char *const too_wide[] = {
    "a page or a table was given an address that is wider than the platform has",
    CAUSE_DMA_MASK,
    CAUSE_VIRTUAL,
    CAUSE_OVERWRITTEN,
    NULL
};
static const char *const not_accessed[] = {
    "software cleared the access flag to see whether the page is used, and the "
    "unit does not set it by itself",
    "the entry was written without its access flag",
    NULL
};
static const char *const no_right[] = {
    CAUSE_READ_ONLY,
    CAUSE_WRITE_ONLY,
    CAUSE_BEYOND,
    "the page belongs to another privilege, or must not be executed",
    "the page of the process or guest is shared until it is written to, and the "
    "device does not ask for pages (PRI)",
    CAUSE_STALE,
    NULL
};
static const char *const two_sizes[] = {
    "software changed the size of a mapping without removing it first (break "
    "before make)",
    CAUSE_STALE,
    NULL
};
static const char *const two_entries[] = {
    "entries that are to be alike (STE.CONT) differ",
    CAUSE_STALE,
    NULL
};

static const struct uim_reason reasons[] = {
    { SMMUV3_EVT_F_UUT, "F_UUT",
      "the unit does not support such a transaction",
      NULL,
      unsupported },
    { SMMUV3_EVT_C_BAD_STREAMID, "C_BAD_STREAMID",
      "its stream is beyond the stream table",
      "whether the device was added, with the stream that it really has",
      no_stream },
    { SMMUV3_EVT_F_STE_FETCH, "F_STE_FETCH",
      "its stream table entry cannot be read",
      LOOK_MEMORY,
      unreadable },
    { SMMUV3_EVT_C_BAD_STE, "C_BAD_STE",
      "its stream table entry is not valid, or asks for what the unit lacks",
      "whether the device was added, with the stream that it really has",
      not_attached },
    { SMMUV3_EVT_F_BAD_ATS_TREQ, "F_BAD_ATS_TREQ",
      "it asked for a translation (ATS), and its stream table entry does not "
      "allow that",
      "who switched ATS on in the device",
      ats },
    { SMMUV3_EVT_F_STREAM_DISABLED, "F_STREAM_DISABLED",
      "its stream table entry allows no DMA without PASID, or none with PASID 0",
      NULL,
      no_pasid },
    { SMMUV3_EVT_F_TRANSL_FORBIDDEN, "F_TRANSL_FORBIDDEN",
      "it used a translation of its own (ATS), and its stream table entry does "
      "not allow that",
      "who switched ATS on in the device",
      translated },
    { SMMUV3_EVT_C_BAD_SUBSTREAMID, "C_BAD_SUBSTREAMID",
      "its PASID is beyond its context descriptors, or it may have none",
      NULL,
      pasid },
    { SMMUV3_EVT_F_CD_FETCH, "F_CD_FETCH",
      "its context descriptor cannot be read",
      LOOK_MEMORY,
      unreadable },
    { SMMUV3_EVT_C_BAD_CD, "C_BAD_CD",
      "its context descriptor is not valid, or asks for what the unit lacks",
      LOOK_TABLES,
      bad_context },
    { SMMUV3_EVT_F_WALK_EABT, "F_WALK_EABT",
      "an entry of its translation tables cannot be read",
      LOOK_MEMORY,
      unreadable },
    { SMMUV3_EVT_F_TRANSLATION, "F_TRANSLATION",
      "there is no translation of the address",
      NULL,
      no_page },
    { SMMUV3_EVT_F_ADDR_SIZE, "F_ADDR_SIZE",
      "an address is wider than the unit or the stage translates",
      "the device's DMA mask, and last_iova of the domain",
      too_wide },
    { SMMUV3_EVT_F_ACCESS, "F_ACCESS",
      "the entry for the address has no access flag",
      LOOK_ENTRIES,
      not_accessed },
    { SMMUV3_EVT_F_PERMISSION, "F_PERMISSION",
      "the page does not have the right for that",
      NULL,
      no_right },
    { SMMUV3_EVT_F_TLB_CONFLICT, "F_TLB_CONFLICT",
      "the unit holds two translations of the address",
      NULL,
      two_sizes },
    { SMMUV3_EVT_F_CFG_CONFLICT, "F_CFG_CONFLICT",
      "the unit holds two configurations of its stream",
      LOOK_TABLES,
      two_entries },
    { SMMUV3_EVT_E_PAGE_REQUEST, "E_PAGE_REQUEST",
      "the device is going to access pages there; nothing has to be done",
      NULL,
      NULL },
    { SMMUV3_EVT_F_VMS_FETCH, "F_VMS_FETCH",
      "the structure of its virtual machine (VMS) cannot be read",
      LOOK_MEMORY,
      unreadable },
};

/* ---- registers ----------------------------------------------------------- */

#define PLACE(P, name, high, low) P##_##name = (low), P##_##name##_HIGH = (high),
enum {
    SMMUV3_GERROR(PLACE, GERROR)
    SMMUV3_CMDQ_CONS(PLACE, CONS)
    SMMUV3_EVENTQ_PROD(PLACE, PROD)
};
#define BIT(name)    (UINT32_C(1) << (name))
#define CERROR(name) ((uint32_t)SMMUV3_CERROR_##name << CONS_err)

static const char *const stopped[] = {
    "see CMDQ_CONS: its ERR says what was wrong with the command at its RD",
    NULL
};
static const char *const queue_address[] = {
    "the base address of the queue points to no memory, or was freed",
    CAUSE_MEMORY_ERROR,
    NULL
};
static const char *const no_doorbell[] = {
    "the address of the unit's message interrupt points to no doorbell",
    "the interrupt controller was reset or is off",
    NULL
};
static const char *const broken[] = {
    "the unit noticed an error of its own, as in its memory, and serves nobody "
    "until it is reset",
    NULL
};
static const char *const illegal[] = {
    "software wrote a command that this unit does not know or support",
    "the memory of the command queue was overwritten",
    NULL
};
static const char *const unanswered[] = {
    "the device was reset, powered off or removed while ATS was on",
    "the invalidation went to a stream that is not the device's own",
    "ATS does not work in the device: it needs a quirk",
    NULL
};
static const char *const storm[] = {
    "devices fault faster than events are read",
    "interrupts of the queue are lost: nobody reads it",
    NULL
};
static const char *const requests[] = {
    "devices ask for more pages than their credit allows, or nobody reads the "
    "queue",
    NULL
};

static const struct uim_reason gerror[] = {
    { BIT(GERROR_cmdq_err), "CMDQ_ERR",
      "the unit stopped at a command that it cannot do", NULL, stopped },
    { BIT(GERROR_eventq_abt_err), "EVENTQ_ABT_ERR",
      "an event could not be written and is lost", NULL, queue_address },
    { BIT(GERROR_priq_abt_err), "PRIQ_ABT_ERR",
      "a page request could not be written and is lost", NULL, queue_address },
    { BIT(GERROR_msi_cmdq_abt_err), "MSI_CMDQ_ABT_ERR",
      "the interrupt of a CMD_SYNC could not be sent", NULL, no_doorbell },
    { BIT(GERROR_msi_eventq_abt_err), "MSI_EVENTQ_ABT_ERR",
      "the interrupt of the event queue could not be sent", NULL, no_doorbell },
    { BIT(GERROR_msi_priq_abt_err), "MSI_PRIQ_ABT_ERR",
      "the interrupt of the page request queue could not be sent", NULL,
      no_doorbell },
    { BIT(GERROR_msi_gerror_abt_err), "MSI_GERROR_ABT_ERR",
      "the interrupt of an error like this could not be sent", NULL,
      no_doorbell },
    { BIT(GERROR_sfm_err), "SFM_ERR",
      "the unit gave up (service failure mode): it refuses everything", NULL,
      broken },
    { BIT(GERROR_cmdqp_err), "CMDQP_ERR",
      "an enhanced command queue stopped", NULL, stopped },
    { BIT(GERROR_dpt_err), "DPT_ERR",
      "a device permission table cannot be used", NULL, unreadable },
};

static const struct uim_reason cerrors[] = {
    { CERROR(NONE), "CERROR_NONE",
      "there is no error", NULL, NULL },
    { CERROR(ILL), "CERROR_ILL",
      "the command at RD is illegal", NULL, illegal },
    { CERROR(ABT), "CERROR_ABT",
      "the command at RD cannot be read", NULL, queue_address },
    { CERROR(ATC_INV_SYNC), "CERROR_ATC_INV_SYNC",
      "a device did not confirm an invalidation of its translation cache in time",
      NULL, unanswered },
};

static const struct uim_reason events_lost[] = {
    { BIT(PROD_ovflg), "OVFLG",
      "events were lost, there were too many", NULL, storm },
};
static const struct uim_reason requests_lost[] = {
    { BIT(PROD_ovflg), "OVFLG",
      "page requests were lost, there were too many", NULL, requests },
};

#define BITS(list) .bits = (list), .n_bits = sizeof(list) / sizeof((list)[0])
static const struct uim_status status[] = {
    [UIM_SMMUV3_GERROR] = { "GERROR", "GERROR", BITS(gerror) },
    [UIM_SMMUV3_CMDQ_CONS] = { "CMDQ_CONS", "CMDQ_CONS", BITS(cerrors),
        .field = (uint32_t)UIM_MASK(CONS_err_HIGH, CONS_err) },
    [UIM_SMMUV3_EVENTQ_PROD] = { "EVENTQ_PROD", "EVENTQ_PROD", BITS(events_lost),
        .lost = BIT(PROD_ovflg) },
    [UIM_SMMUV3_PRIQ_PROD] = { "PRIQ_PROD", "PRIQ_PROD", BITS(requests_lost),
        .lost = BIT(PROD_ovflg) },
};
/* clang-format on */

/* ---- raw records --------------------------------------------------------- */

/* What an event has besides its number and its stream. */
enum {
    HAS_PASID = 1 << 0,  /* if SSV says so         */
    SAYS_PASID = 1 << 1, /* always                 */
    HAS_RNW = 1 << 2,
    HAS_INPUT = 1 << 3,
    HAS_PAGE = 1 << 4,
    HAS_S2 = 1 << 5,
    HAS_CLASS = 1 << 6,
    HAS_STALL = 1 << 7,
    HAS_IPA = 1 << 8,
    HAS_FETCH = 1 << 9,
    FAULT = HAS_PASID | HAS_RNW | HAS_INPUT | HAS_S2 | HAS_CLASS | HAS_STALL |
            HAS_IPA,
};

static const uint16_t parts_of[] = {
    [SMMUV3_EVT_F_UUT] = HAS_PASID | HAS_RNW | HAS_INPUT,
    [SMMUV3_EVT_C_BAD_STREAMID] = HAS_PASID,
    [SMMUV3_EVT_F_STE_FETCH] = HAS_PASID | HAS_FETCH,
    [SMMUV3_EVT_C_BAD_STE] = HAS_PASID,
    [SMMUV3_EVT_F_BAD_ATS_TREQ] = HAS_PASID | HAS_PAGE,
    [SMMUV3_EVT_F_TRANSL_FORBIDDEN] = HAS_PASID | HAS_RNW | HAS_INPUT,
    [SMMUV3_EVT_C_BAD_SUBSTREAMID] = SAYS_PASID,
    [SMMUV3_EVT_F_CD_FETCH] = HAS_PASID | HAS_FETCH,
    [SMMUV3_EVT_C_BAD_CD] = HAS_PASID,
    [SMMUV3_EVT_F_WALK_EABT] =
        HAS_PASID | HAS_RNW | HAS_INPUT | HAS_S2 | HAS_CLASS | HAS_FETCH,
    [SMMUV3_EVT_F_TRANSLATION] = FAULT,
    [SMMUV3_EVT_F_ADDR_SIZE] = FAULT,
    [SMMUV3_EVT_F_ACCESS] = FAULT,
    [SMMUV3_EVT_F_PERMISSION] = FAULT,
    [SMMUV3_EVT_F_TLB_CONFLICT] =
        HAS_PASID | HAS_RNW | HAS_INPUT | HAS_S2 | HAS_IPA,
    [SMMUV3_EVT_F_CFG_CONFLICT] = HAS_PASID,
    [SMMUV3_EVT_E_PAGE_REQUEST] = HAS_PASID | HAS_PAGE,
    [SMMUV3_EVT_F_VMS_FETCH] = HAS_PASID | HAS_FETCH,
};

static unsigned parts(uint32_t event)
{
    return event < sizeof(parts_of) / sizeof(parts_of[0]) ? parts_of[event] : 0;
}

static void take_q0(struct uim_record *r, unsigned has, struct smmuv3_evt_q0 w)
{
    r->stream = (uint32_t)smmuv3_evt_q0_sid(w);
    r->has |= UIM_HAS_STREAM;
    if (!(has & SAYS_PASID) && !(has & HAS_PASID && smmuv3_evt_q0_ssv(w)))
        return;
    r->pasid = (uint32_t)smmuv3_evt_q0_ssid(w);
    r->has |= UIM_HAS_PASID;
}

static const char *const class_names[] = {
    [SMMUV3_CLASS_CD] = "CD",
    [SMMUV3_CLASS_TT] = "TT",
    [SMMUV3_CLASS_IN] = "IN",
    [3] = "reserved",
};

/* Fields that several events have are at the same place in all of them: this
 * layout is the one with most of them. */
static void take_q1(struct uim_record *r, unsigned has,
                    struct smmuv3_evt_permission_q1 w)
{
    bool stalled = smmuv3_evt_permission_q1_stall(w);

    if (has & HAS_RNW) {
        r->access =
            smmuv3_evt_permission_q1_rnw(w) ? UIOMMU_READ : UIOMMU_WRITE;
        r->has |= UIM_HAS_ACCESS;
    }
    if (has & HAS_S2)
        uim_record_add(r, "stage", smmuv3_evt_permission_q1_s2(w) ? "2" : "1",
                       0);
    if (has & HAS_CLASS)
        uim_record_add(r, "CLASS",
                       class_names[smmuv3_evt_permission_q1_class(w)], 0);
    if (has & HAS_RNW && smmuv3_evt_permission_q1_pnu(w))
        uim_record_add(r, "PnU", NULL, 1);
    if (has & HAS_RNW && smmuv3_evt_permission_q1_ind(w))
        uim_record_add(r, "InD", NULL, 1);
    if (has & HAS_STALL && stalled)
        uim_record_add(r, "Stall", NULL, 1);
    if (has & HAS_STALL && (stalled || smmuv3_evt_permission_q1_stag(w)))
        uim_record_add(r, "STAG", NULL, smmuv3_evt_permission_q1_stag(w));
}

static void take_q2(struct uim_record *r, unsigned has, uint64_t word)
{
    const struct smmuv3_evt_page_q2 page = { word };

    if (has & HAS_INPUT)
        r->address = smmuv3_evt_inputaddr_q2_inputaddr(
            (struct smmuv3_evt_inputaddr_q2){ word });
    else if (has & HAS_PAGE)
        r->address = smmuv3_evt_page_q2_inputaddr(page) << 12;
    else
        return;
    r->has |= UIM_HAS_ADDRESS;
}

/* Units put the address there even where only stage 1 is (S2 0). */
static void take_q3(struct uim_record *r, unsigned has, uint64_t word)
{
    const struct smmuv3_evt_fetch_q3 fetch = { word };
    const struct smmuv3_evt_ipa_q3 ipa = { word };

    if (has & HAS_FETCH)
        uim_record_add(r, "FetchAddr", NULL,
                       smmuv3_evt_fetch_q3_fetchaddr(fetch) << 3);
    if (has & HAS_IPA && smmuv3_evt_ipa_q3_ipa(ipa))
        uim_record_add(r, "IPA", NULL, smmuv3_evt_ipa_q3_ipa(ipa) << 12);
}

bool uim_smmuv3_record(const uint64_t *words, unsigned n,
                       struct uim_record *out)
{
    const struct smmuv3_evt_q0 first = { n > 0 ? words[0] : 0 };
    uint32_t event = (uint32_t)smmuv3_evt_q0_id(first);
    unsigned has = parts(event);

    if (event == 0)
        return false;
    *out = (struct uim_record){
        .driver = "smmuv3",
        .has = UIM_HAS_REASON,
        .reason = event,
    };
    take_q0(out, has, first);
    if (event == SMMUV3_EVT_E_PAGE_REQUEST)
        out->has |= UIM_HAS_ACCESS;
    if (n > 1)
        take_q1(out, has, (struct smmuv3_evt_permission_q1){ words[1] });
    if (n > 2)
        take_q2(out, has, words[2]);
    if (n > 3)
        take_q3(out, has, words[3]);
    return true;
}

static bool is_hint(uint32_t event)
{
    return event == SMMUV3_EVT_E_PAGE_REQUEST;
}

const struct uim_decoder uim_decoder_smmuv3 = {
    .driver = "smmuv3",
    .reasons = reasons,
    .n_reasons = sizeof(reasons) / sizeof(reasons[0]),
    .status = status,
    .n_status = sizeof(status) / sizeof(status[0]),
    .page_lg2 = 64, /* granules differ */
    .hint = is_hint,
};
