/* SPDX-License-Identifier: MIT */
/* vtd.c - a guest that means harm to the VT-d model (guest.h). */
#include "fuzz/guest.h"

#include "spec/vtd.h"

#define RULES(X)                                                               \
    X(no_page_leads_into_the_interrupt_window)                                 \
    X(a_message_is_refused_or_a_message)                                       \
    X(messages_pass_where_nothing_remaps)
GUEST_OWN_RULES(RULES);

/* A full queue of the largest size takes two accesses for each descriptor. */
enum {
    MOST_OF_REQUEST = 160,
    MOST_OF_QUEUE = 2 * (1 << 15) + 16 * MOST_OF_REQUEST,
};

static const char *const args[] = {
    "",
    "cache=adversarial,cm=1",
    "cache=none,coherent=0,dt=0",
    "scalable=1",
    "scalable=1,cache=adversarial,cm=1,bits=57",
    "scalable=1,fs=1,ss=0,cache=adversarial",
    "cache=adversarial,rwbf=1,bits=39",
    "ir=1,cache=adversarial",
    "ir=1,eim=1,cm=1,scalable=1",
    "scalable=1,fs=1,prs=1,cache=adversarial",
};

/* Tables that work: root at 0x1000, context at 0x2000, PASID directory and table
 * at 0x3000 and 0x4000, page tables from 0x5000, interrupt entries at 0x9000, a
 * queue at 0x10000, one of page requests at 0xa000. */
static void start_roots(bool scalable, bool devtlb, bool pages)
{
    uint64_t entry = scalable ? 0x3001 : 0x5001; /* of 32 and 16 bytes */
    unsigned size = scalable ? 32 : 16;

    for (unsigned bus = 0; bus < 2; bus++) {
        guest_poke(0x1000 + 16 * bus, 0x2001);
        guest_poke(0x1008 + 16 * bus, scalable ? 0x2001 : 0);
    }
    for (unsigned at = 0; at < 0x1000; at += size) {
        /* DTE; TT 01b. PASIDE and PRE. */
        guest_poke(0x2000 + at, entry | (devtlb ? 4 : 0) | (pages ? 0x18 : 0));
        guest_poke(0x2008 + at, scalable ? 0 : 0x102);
    }
}

static void start_pasids(bool first_stage)
{
    guest_poke(0x3000, 0x4001);
    for (unsigned pasid = 0; pasid < 4; pasid++) {
        guest_poke(0x4000 + 64 * pasid, (first_stage ? 0x41 : 0x5081) | 2 << 2);
        guest_poke(0x4008 + 64 * pasid, (1 + pasid) | 1 << 23); /* PWSNP */
        guest_poke(0x4010 + 64 * pasid, first_stage ? 0x5000 : 0);
    }
}

static void start_pages(bool first_stage)
{
    const uint64_t rights = first_stage ? 0x7 : 0x3;

    for (unsigned i = 0; i < 3; i++)
        guest_poke(0x5000 + 0x1000 * i, (0x6000 + 0x1000 * i) | rights);
    for (unsigned i = 0; i < 512; i++)
        guest_poke(0x8000 + 8 * i, ((uint64_t)i << 12) | rights);
}

static void start_interrupts(bool extended)
{
    const uint64_t status = guest_rd(VTD_REG_GSTS, 4);

    for (unsigned i = 0; i < 8; i++)
        guest_poke(0x9000 + 16 * i, i << 16 | 1);
    guest_wr(VTD_REG_IRTA, 0x9007 | (extended ? 1 << 11 : 0), 8);
    guest_wr(VTD_REG_GCMD, (status & ~(1u << 30)) | 1u << 24, 4);
    guest_wr(VTD_REG_GCMD, (status & ~(1u << 30)) | 1u << 25, 4);
}

static void start_remapping(bool scalable, bool first_stage, bool devtlb,
                            bool pages)
{
    start_roots(scalable, devtlb, pages);
    if (scalable)
        start_pasids(first_stage);
    start_pages(first_stage);
    if (pages)
        guest_wr(VTD_REG_PQA, 0xa000, 8);
    guest_wr(VTD_REG_RTADDR, 0x1000 | (scalable ? 1 << 10 : 0), 8);
    guest_wr(VTD_REG_GCMD, 1u << 30, 4);
    guest_wr(VTD_REG_IQA, 0x10000 | (scalable ? 1 << 11 : 0), 8);
    guest_wr(VTD_REG_GCMD, 1u << 26, 4);
    guest_wr(VTD_REG_GCMD, 1u << 31 | 1u << 26, 4);
}

static void start(const char *text)
{
    start_remapping(strstr(text, "scalable") != NULL,
                    strstr(text, "fs=1") != NULL, strstr(text, "dt=0") == NULL,
                    strstr(text, "prs=1") != NULL);
    if (strstr(text, "ir=1"))
        start_interrupts(strstr(text, "eim=1") != NULL);
}

static bool translates(void)
{
    return guest_rd(VTD_REG_GSTS, 4) >> 31;
}

static uint64_t recorded(void)
{
    return guest_rd(VTD_REG_FSTS, 4);
}

static void check_page(const struct uie_xlat *x)
{
    struct uie_info info = { .size = sizeof(info) };
    uint64_t last = x->gpa + x->mask;

    guest.ops->info(guest.m, &info);
    if (fuzz_lies(RULE_no_page_leads_into_the_interrupt_window))
        last = info.msi_base;
    fuzz_check(last < info.msi_base || x->gpa >= info.msi_base + info.msi_len,
               RULE_no_page_leads_into_the_interrupt_window);
}

/* A descriptor into the queue of start(), and the tail behind it. Words 2 and 3 of
 * a wide one stay what they are. */
static void submit(struct fuzz_input *in)
{
    bool wide = guest_rd(VTD_REG_IQA, 8) >> 11 & 1;
    uint64_t tail = guest_rd(VTD_REG_IQT, 8) & 0x7fff0;

    guest_poke(0x10000 + tail % 0x1000, fuzz_take(in, 8));
    guest_poke(0x10008 + tail % 0x1000, fuzz_take(in, 8));
    guest_wr(VTD_REG_IQT, (tail + (wide ? 32 : 16)) % 0x1000, 8);
}

/* The lowest bit of the address says: PROBE. */
static void send_message(struct fuzz_input *in)
{
    uint32_t rid = (uint32_t)fuzz_take(in, 2), data;
    uint64_t addr = 0xfee00000 | (fuzz_take(in, 3) & 0xfffff);
    bool remaps = guest_rd(VTD_REG_ECAP, 8) >> 3 & 1;
    int answer;

    guest_allow_request();
    guest.probing = addr & 1;
    answer = guest.ops->remap_msi(guest.m, rid, addr & 1 ? UIE_REQ_PROBE : 0,
                                  addr & ~UINT64_C(3),
                                  (uint32_t)fuzz_take(in, 1), &addr, &data);
    guest.probing = false;
    if (fuzz_lies(RULE_a_message_is_refused_or_a_message))
        addr = 0;
    if (fuzz_lies(RULE_messages_pass_where_nothing_remaps))
        answer = remaps ? answer : UIE_ERR_UR;
    fuzz_check(answer == 0 || remaps, RULE_messages_pass_where_nothing_remaps);
    fuzz_check(answer == UIE_ERR_UR ||
                   (answer == 0 && (addr & 0xfff00003) == 0xfee00000),
               RULE_a_message_is_refused_or_a_message);
}

const struct guest_kind guest_kind = {
    .model = "vtd",
    .args = args,
    .n_args = sizeof(args) / sizeof(args[0]),
    .most_of_request = MOST_OF_REQUEST,
    .most_of_queue = MOST_OF_QUEUE,
    .windows = 1,
    .window_size = 0x1000,
    .start = start,
    .translates = translates,
    .recorded = recorded,
    .submit = submit,
    .send_message = send_message,
    .check_page = check_page,
};
