/* SPDX-License-Identifier: MIT */
/* smmuv3.c - a guest that means harm to the SMMUv3 model (guest.h). */
#include "fuzz/guest.h"

#include "spec/smmuv3.h"

#define RULES(X)                                                               \
    X(every_message_passes)                                                    \
    X(responses_have_codes_of_the_bus)                                         \
    X(only_what_dma_wants_stalls)                                              \
    X(open_stalls_are_unique)                                                  \
    X(stalls_end_once)                                                         \
    X(lines_are_those_that_there_are)
GUEST_OWN_RULES(RULES);

/* Nested, each descriptor of stage 1 takes a walk of stage 2, and an adversarial
 * model walks once more for whatever it finds cached. 2^8 commands, of which a SYNC may
 * try one walk. */
enum {
    MOST_OF_REQUEST = 1200,
    MOST_OF_WALK = 64,
    MOST_OF_QUEUE = (2 + MOST_OF_WALK) * (1 << 8) + 16 * MOST_OF_REQUEST,
};

static const char *const args[] = {
    "cmdqs=8",
    "cmdqs=8,cache=adversarial",
    "cmdqs=8,cache=adversarial,httu=2",
    "cmdqs=8,cache=none,coherent=0,ats=0",
    "cmdqs=8,cache=adversarial,stage=1,msi=0",
    "cmdqs=8,cache=adversarial,stage=2,ril=0,httu=1",
    "cmdqs=8,ssidsize=0,st_level=0,asid16=0,vmid16=0,abort=1",
    "cmdqs=8,cache=adversarial,pri=1,priqs=3",
    "cmdqs=8,cache=adversarial,stall=1,stall_max=3,pri=1,pps=1",
    "cmdqs=8,stall=1,stall_max=64,ssidsize=4,msi=0,pri=1",
};

/* Stream table at 0x1000, descriptors at 0x2000, stage 2 at 0x3000 and 0x4000,
 * stage 1 from 0x5000; commands at 0x10000, events at 0x18000, page requests at
 * 0x18400. */
static void start_streams(uint64_t flags, uint64_t stalls)
{
    for (unsigned sid = 0; sid < 64; sid++) {
        uint64_t at = 0x1000 + 64 * sid, config = 4 + sid % 4;

        guest_poke(at, 1 | config << 1 | (config & 1 ? 0x2000 : 0) |
                           (sid & 4 && config & 1 ? UINT64_C(3) << 59 : 0));
        guest_poke(at + 8, 1 << 2 | 1 << 4 | 3 << 6 |
                               (config & 2 && stalls ? 0 : 1 << 28));
        guest_poke(at + 16, sid | UINT64_C(34) << 32 | UINT64_C(5) << 48 |
                                UINT64_C(1) << 51 | UINT64_C(1) << 58 |
                                flags << 55 | stalls << 57);
        guest_poke(at + 24, 0x3000);
    }
    for (unsigned i = 0; i < 8; i++) {
        guest_poke(0x2000 + 64 * i, 16 | 1u << 30 | 1u << 31 |
                                        UINT64_C(5) << 32 | UINT64_C(1) << 41 |
                                        UINT64_C(3) << 45 | (flags & 2) << 42 |
                                        (flags & 1) << 42 | stalls << 44 |
                                        (uint64_t)i << 48);
        guest_poke(0x2008 + 64 * i, 0x5000);
    }
}

/* With HTTU: no access flag yet, and writable once it is dirty. */
static void start_pages(uint64_t flags)
{
    uint64_t s1 = flags & 1 ? 0xbc3 | UINT64_C(1) << 51 : 0xf43;
    uint64_t s2 = flags & 1 ? 0x37f | UINT64_C(1) << 51 : 0x7ff;

    s1 &= flags & 2 ? ~UINT64_C(0x400) : UINT64_MAX;
    guest_poke(0x3000, 0x4003);
    for (unsigned i = 0; i < 3; i++)
        guest_poke(0x5000 + 0x1000 * i, (0x6000 + 0x1000 * i) | 3);
    for (unsigned i = 0; i < 512; i++) {
        guest_poke(0x4000 + 8 * i, (uint64_t)i << 12 | s2);
        guest_poke(0x8000 + 8 * i, (uint64_t)i << 12 | s1);
    }
}

static void start(const char *text)
{
    /* HD and HA as they stand side by side in an STE */
    uint64_t flags = strstr(text, "httu=2") ? 3 : strstr(text, "httu") ? 2 : 0;

    start_streams(flags, strstr(text, "stall=1") != NULL);
    start_pages(flags);
    guest_wr(SMMUV3_REG_CR1, 0xd75, 4);
    guest_wr(SMMUV3_REG_CR2, 2, 4);
    guest_wr(SMMUV3_REG_STRTAB_BASE, 0x1000, 8);
    guest_wr(SMMUV3_REG_STRTAB_BASE_CFG, 6, 4);
    guest_wr(SMMUV3_REG_CMDQ_BASE, 0x10000 | 8, 8);
    guest_wr(SMMUV3_REG_EVENTQ_BASE, 0x18000 | 4, 8);
    guest_wr(SMMUV3_REG_PRIQ_BASE, 0x18400 | 3, 8);
    guest_wr(SMMUV3_REG_IRQ_CTRL, 7, 4);
    guest_wr(SMMUV3_REG_CR0, 0x1f, 4);
}

static bool translates(void)
{
    return guest_rd(SMMUV3_REG_CR0ACK, 4) & 1;
}

static uint64_t recorded(void)
{
    return guest_rd(SMMUV3_REG_EVENTQ_PROD, 4);
}

static void check_line(uint32_t line)
{
    line += fuzz_lies(RULE_lines_are_those_that_there_are) ? 4 : 0;
    fuzz_check(line < 4, RULE_lines_are_those_that_there_are);
}

/* ---- page requests and stalls ------------------------------------------------------ */

static int stall_of(uint32_t tag)
{
    for (unsigned i = 0; i < guest.n_stalls; i++) {
        if (guest.stall[i] == tag)
            return (int)i;
    }
    return -1;
}

/* No group of page requests has such an index. */
static void end_stall(uint32_t tag)
{
    int i = stall_of(tag);

    if (fuzz_lies(RULE_stalls_end_once))
        i = -1;
    fuzz_check(i >= 0 || (guest.any_stall && !fuzz_lies(RULE_stalls_end_once)),
               RULE_stalls_end_once);
    if (i >= 0)
        guest.stall[i] = guest.stall[--guest.n_stalls];
}

static void check_response(const struct uie_page_response *r)
{
    uint32_t code = r->code;

    code += fuzz_lies(RULE_responses_have_codes_of_the_bus) ? 2 : 0;
    fuzz_check(r->size == sizeof(*r) && (code == 0 || code == 1 || code == 0xf),
               RULE_responses_have_codes_of_the_bus);
    if (r->group >= 0x200)
        end_stall(r->group);
}

static void check_stall(const struct uie_req *req, uint32_t tag)
{
    fuzz_check(req->flags == 0 && !fuzz_lies(RULE_only_what_dma_wants_stalls),
               RULE_only_what_dma_wants_stalls);
    fuzz_check(tag >= 0x200 && stall_of(tag) < 0 &&
                   guest.n_stalls < GUEST_STALLS &&
                   !fuzz_lies(RULE_open_stalls_are_unique),
               RULE_open_stalls_are_unique);
    guest.stall[guest.n_stalls++] = tag;
}

/* A command into the queue of start(), and the index behind it. One that the unit
 * did not take becomes a SYNC, and the error is acknowledged. */
static void submit(struct fuzz_input *in)
{
    uint64_t prod = guest_rd(SMMUV3_REG_CMDQ_PROD, 4);
    uint64_t cons = guest_rd(SMMUV3_REG_CMDQ_CONS, 4);
    uint64_t error = guest_rd(SMMUV3_REG_GERROR, 4);

    if (error != guest_rd(SMMUV3_REG_GERRORN, 4)) {
        guest_poke(0x10000 + (cons & 255) * 16, 0x46);
        guest_wr(SMMUV3_REG_GERRORN, error, 4);
    }
    guest_poke(0x10000 + (prod & 255) * 16, fuzz_take(in, 8));
    guest_poke(0x10008 + (prod & 255) * 16, fuzz_take(in, 8));
    guest_wr(SMMUV3_REG_CMDQ_PROD, (prod + 1) & 511, 4);
}

/* Messages are writes: what translate says is where they go. */
static void send_message(struct fuzz_input *in)
{
    uint64_t from = fuzz_take(in, 4) & ~UINT64_C(3), addr = 0;
    uint32_t sent = (uint32_t)fuzz_take(in, 1), data = 0;
    int answer;

    guest_allow_request();
    answer = guest.ops->remap_msi(guest.m, 0x18, 0, from, sent, &addr, &data);
    addr += fuzz_lies(RULE_every_message_passes);
    fuzz_check(answer == 0 && addr == from && data == sent,
               RULE_every_message_passes);
}

const struct guest_kind guest_kind = {
    .model = "smmuv3",
    .args = args,
    .n_args = sizeof(args) / sizeof(args[0]),
    .most_of_request = MOST_OF_REQUEST,
    .most_of_queue = MOST_OF_QUEUE,
    .windows = 2,
    .window_size = 0x10000,
    .start = start,
    .translates = translates,
    .recorded = recorded,
    .submit = submit,
    .send_message = send_message,
    .check_line = check_line,
    .check_response = check_response,
    .check_stall = check_stall,
    .address_bits = 48, /* OAS */
};
