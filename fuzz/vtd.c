/* SPDX-License-Identifier: MIT */
/*
 * vtd.c - a guest that means harm: the VT-d model through its C ABI. The input
 * is a program of register accesses, stores to a small memory, requests of
 * devices, and what the machine does; the first byte says which model, and whether
 * it begins with tables that work. With 0x7f the input is an argument string.
 */
#include "fuzz/fuzz.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include <uiommu/embed.h>

#include "hosts/embed/embed.h"
#include "model/check.h"
#include "model/state.h"
#include "spec/vtd.h"

#define RULES(X)                                                               \
    X(work_of_a_request_is_bounded)                                            \
    X(work_of_a_queue_is_bounded)                                              \
    X(accesses_are_of_a_page_at_most)                                          \
    X(exchanges_are_of_aligned_words)                                          \
    X(a_probe_changes_nothing)                                                 \
    X(messages_go_to_aligned_addresses)                                        \
    X(invalidations_are_of_a_known_kind)                                       \
    X(open_tags_are_unique)                                                    \
    X(notify_holds_no_lock)                                                    \
    X(nobody_answers_pages)                                                    \
    X(a_sentence_is_a_line)                                                    \
    X(a_model_can_be_created)                                                  \
    X(an_answer_is_0_ur_or_ca)                                                 \
    X(an_answer_is_a_page)                                                     \
    X(what_is_granted_covers_what_was_asked_for)                               \
    X(no_right_to_write_for_who_said_no_write)                                 \
    X(a_translated_address_stays)                                              \
    X(no_page_leads_into_the_interrupt_window)                                 \
    X(no_page_is_outside_the_address_width)                                    \
    X(a_state_loads_where_it_was_saved)                                        \
    X(a_state_is_the_same_once_it_is_loaded)                                   \
    X(a_refused_state_leaves_a_unit_after_reset)                               \
    X(a_message_is_refused_or_a_message)                                       \
    X(messages_pass_where_nothing_remaps)
FUZZ_RULES(RULES);

/* Accesses to memory: of one request, with all that an adversarial model looks
 * at besides; of one call, which may have a full queue of the largest size to do,
 * two for each descriptor. */
enum {
    RAM = 1 << 20,
    STEPS = 400,
    OPEN = 64,
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
};

/* Another CPU, which asks the model something while notify() is under way. */
static struct {
    pthread_t thread;
    sem_t asked, answered;
    bool stop;
} cpu;

static struct {
    const struct uie_ops *ops;
    void *m;
    uint8_t *ram;
    unsigned accesses, most;
    int work;     /* the rule about it */
    bool probing;
    uint32_t tag[OPEN];
    unsigned n_tags;
} vm;

static bool in_ram(uint64_t gpa, uint64_t len)
{
    if (fuzz_lies(vm.work))
        vm.accesses = vm.most;
    len += fuzz_lies(RULE_accesses_are_of_a_page_at_most) ? 4096 : 0;
    fuzz_check(++vm.accesses < vm.most, vm.work);
    fuzz_check(len > 0 && len <= 4096, RULE_accesses_are_of_a_page_at_most);
    return gpa < RAM && len <= RAM - gpa;
}

static void changes(void)
{
    fuzz_check(!vm.probing && !fuzz_lies(RULE_a_probe_changes_nothing),
               RULE_a_probe_changes_nothing);
}

static int mem_read(void *opaque, uint64_t gpa, void *buf, uint32_t len)
{
    (void)opaque;
    if (!in_ram(gpa, len))
        return -1;
    memcpy(buf, vm.ram + gpa, len);
    return 0;
}

static int mem_write(void *opaque, uint64_t gpa, const void *buf, uint32_t len)
{
    (void)opaque;
    changes();
    if (!in_ram(gpa, len))
        return -1;
    memcpy(vm.ram + gpa, buf, len);
    return 0;
}

static int mem_cas(void *opaque, uint64_t gpa, void *expect, const void *want,
                   uint32_t len)
{
    (void)opaque;
    changes();
    if (!in_ram(gpa, len))
        return -1;
    gpa += fuzz_lies(RULE_exchanges_are_of_aligned_words);
    fuzz_check((len == 4 || len == 8 || len == 16) && gpa % len == 0,
               RULE_exchanges_are_of_aligned_words);
    if (len == 16)
        return -1;
    if (memcmp(vm.ram + gpa, expect, len) != 0) {
        memcpy(expect, vm.ram + gpa, len);
        return 0;
    }
    memcpy(vm.ram + gpa, want, len);
    return 1;
}

static void raise_msi(void *opaque, uint64_t addr, uint32_t data)
{
    (void)opaque, (void)data;
    changes();
    addr += fuzz_lies(RULE_messages_go_to_aligned_addresses);
    fuzz_check(addr % 4 == 0, RULE_messages_go_to_aligned_addresses);
}

static void set_irq(void *opaque, uint32_t line, int level)
{
    (void)opaque, (void)line, (void)level;
    changes();
}

/* ---- what the model tells -------------------------------------------------- */

/* Not part of the work of the call that notifies. */
static void *other_cpu(void *unused)
{
    struct uie_req req = { .size = sizeof(req),
                           .rid = 0x18,
                           .pasid = UIE_NO_PASID,
                           .access = UIE_R,
                           .flags = UIE_REQ_PROBE,
                           .iova = 0x1000 };
    struct uie_xlat x = { .size = sizeof(x) };

    (void)unused;
    for (;;) {
        unsigned before;

        while (sem_wait(&cpu.asked) != 0) /* libFuzzer has a timer */
            continue;
        if (cpu.stop)
            return NULL;
        before = vm.accesses;
        vm.accesses = 0;
        (void)vm.ops->translate(vm.m, &req, &x);
        vm.accesses = before;
        if (!fuzz_lies(RULE_notify_holds_no_lock))
            sem_post(&cpu.answered);
    }
}

static bool other_cpu_answers(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += fuzz_lies(RULE_notify_holds_no_lock) ? 0 : 20;
    sem_post(&cpu.asked);
    while (sem_timedwait(&cpu.answered, &until) != 0) {
        if (errno != EINTR)
            return false;
    }
    return true;
}

static void open_tag(uint32_t tag)
{
    for (unsigned i = 0; i < vm.n_tags; i++)
        fuzz_check(vm.tag[i] != tag, RULE_open_tags_are_unique);
    fuzz_check(vm.n_tags < OPEN && !fuzz_lies(RULE_open_tags_are_unique),
               RULE_open_tags_are_unique);
    vm.tag[vm.n_tags++] = tag;
}

static void notify(void *opaque, const struct uie_inval *inv)
{
    uint32_t what = inv->what;

    (void)opaque;
    what += fuzz_lies(RULE_invalidations_are_of_a_known_kind) ? 5 : 0;
    fuzz_check(inv->size == sizeof(*inv) && what <= UIE_INV_MSI,
               RULE_invalidations_are_of_a_known_kind);
    if (what == UIE_INV_DEVTLB)
        open_tag(inv->tag);
    fuzz_check(other_cpu_answers(), RULE_notify_holds_no_lock);
}

static void page_response(void *opaque, const struct uie_page_response *r)
{
    (void)opaque, (void)r;
    fuzz_check(false, RULE_nobody_answers_pages);
}

static void log_line(void *opaque, int level, const char *text)
{
    (void)opaque, (void)level;
    if (fuzz_lies(RULE_a_sentence_is_a_line))
        text = "two\nlines";
    fuzz_check(text && text[0] && !strchr(text, '\n'),
               RULE_a_sentence_is_a_line);
}

static const struct uie_host host = {
    .abi = UIE_ABI,
    .size = sizeof(host),
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cas = mem_cas,
    .raise_msi = raise_msi,
    .set_irq = set_irq,
    .notify = notify,
    .page_response = page_response,
    .log = log_line,
};

/* ---- steps --------------------------------------------------------------- */

static void poke(uint64_t gpa, uint64_t value)
{
    gpa %= RAM - 7;
    for (unsigned i = 0; i < 8; i++)
        vm.ram[(gpa & ~UINT64_C(7)) + i] = (uint8_t)(value >> 8 * i);
}

/* The next call may do so much. */
static void allow(int work, unsigned most)
{
    vm.work = work;
    vm.most = most;
    vm.accesses = 0;
}

static void allow_queue(void)
{
    allow(RULE_work_of_a_queue_is_bounded, MOST_OF_QUEUE);
}

static void wr(uint64_t off, uint64_t value, unsigned len)
{
    allow_queue();
    vm.ops->mmio_write(vm.m, 0, off, value, len);
}

/* Tables that work: root at 0x1000, context at 0x2000, PASID directory and table
 * at 0x3000 and 0x4000, page tables from 0x5000, interrupt entries at 0x9000, a
 * queue at 0x10000. */
static void start_roots(bool scalable, bool devtlb)
{
    uint64_t entry = scalable ? 0x3001 : 0x5001; /* of 32 and 16 bytes */
    unsigned size = scalable ? 32 : 16;

    for (unsigned bus = 0; bus < 2; bus++) {
        poke(0x1000 + 16 * bus, 0x2001);
        poke(0x1008 + 16 * bus, scalable ? 0x2001 : 0);
    }
    for (unsigned at = 0; at < 0x1000; at += size) {
        poke(0x2000 + at, entry | (devtlb ? 4 : 0)); /* DTE; TT 01b */
        poke(0x2008 + at, scalable ? 0 : 0x102);
    }
}

static void start_pasids(bool first_stage)
{
    poke(0x3000, 0x4001);
    for (unsigned pasid = 0; pasid < 4; pasid++) {
        poke(0x4000 + 64 * pasid, (first_stage ? 0x41 : 0x5081) | 2 << 2);
        poke(0x4008 + 64 * pasid, (1 + pasid) | 1 << 23); /* PWSNP */
        poke(0x4010 + 64 * pasid, first_stage ? 0x5000 : 0);
    }
}

static void start_pages(bool first_stage)
{
    const uint64_t rights = first_stage ? 0x7 : 0x3;

    for (unsigned i = 0; i < 3; i++)
        poke(0x5000 + 0x1000 * i, (0x6000 + 0x1000 * i) | rights);
    for (unsigned i = 0; i < 512; i++)
        poke(0x8000 + 8 * i, ((uint64_t)i << 12) | rights);
}

static void start_interrupts(bool extended)
{
    const uint64_t status = vm.ops->mmio_read(vm.m, 0, VTD_REG_GSTS, 4);

    for (unsigned i = 0; i < 8; i++)
        poke(0x9000 + 16 * i, i << 16 | 1);
    wr(VTD_REG_IRTA, 0x9007 | (extended ? 1 << 11 : 0), 8);
    wr(VTD_REG_GCMD, (status & ~(1u << 30)) | 1u << 24, 4);
    wr(VTD_REG_GCMD, (status & ~(1u << 30)) | 1u << 25, 4);
}

static void start(bool scalable, bool first_stage, bool devtlb)
{
    start_roots(scalable, devtlb);
    if (scalable)
        start_pasids(first_stage);
    start_pages(first_stage);
    wr(VTD_REG_RTADDR, 0x1000 | (scalable ? 1 << 10 : 0), 8);
    wr(VTD_REG_GCMD, 1u << 30, 4);
    wr(VTD_REG_IQA, 0x10000 | (scalable ? 1 << 11 : 0), 8);
    wr(VTD_REG_GCMD, 1u << 26, 4);
    wr(VTD_REG_GCMD, 1u << 31 | 1u << 26, 4);
}

static bool translates(void)
{
    return vm.ops->mmio_read(vm.m, 0, VTD_REG_GSTS, 4) >> 31;
}

static void check_place(const struct uie_req *req, const struct uie_xlat *x)
{
    struct uie_info info = { .size = sizeof(info) };
    uint64_t last = x->gpa + x->mask, iova = req->iova;
    bool message = x->flags & (UIE_XLAT_MSI | UIE_XLAT_U);

    vm.ops->info(vm.m, &info);
    if (fuzz_lies(RULE_a_translated_address_stays))
        iova++;
    if (req->flags & UIE_REQ_XLATED)
        fuzz_check((x->gpa | (req->iova & x->mask)) == iova,
                   RULE_a_translated_address_stays);
    if (x->perm == 0 || message || !translates())
        return;
    if (fuzz_lies(RULE_no_page_leads_into_the_interrupt_window))
        last = info.msi_base;
    if (fuzz_lies(RULE_no_page_is_outside_the_address_width))
        last = UINT64_MAX;
    fuzz_check(last >> info.address_bits == 0,
               RULE_no_page_is_outside_the_address_width);
    fuzz_check(last < info.msi_base || x->gpa >= info.msi_base + info.msi_len,
               RULE_no_page_leads_into_the_interrupt_window);
}

static void check_answer(const struct uie_req *req, struct uie_xlat *x)
{
    bool free = req->flags & (UIE_REQ_PROBE | UIE_REQ_ATS);
    const uint32_t rw = UIE_R | UIE_W;

    x->mask ^= fuzz_lies(RULE_an_answer_is_a_page);
    fuzz_check((x->gpa & x->mask) == 0 && (x->mask & (x->mask + 1)) == 0 &&
                   x->mask >= 0xfff,
               RULE_an_answer_is_a_page);
    if (fuzz_lies(RULE_what_is_granted_covers_what_was_asked_for))
        x->perm = 0;
    fuzz_check(free || (req->access & ~x->perm & rw) == 0,
               RULE_what_is_granted_covers_what_was_asked_for);
    if (fuzz_lies(RULE_no_right_to_write_for_who_said_no_write))
        x->perm |= UIE_W;
    if ((req->flags & UIE_REQ_ATS) && !(req->access & UIE_W))
        fuzz_check(!(x->perm & UIE_W),
                   RULE_no_right_to_write_for_who_said_no_write);
    check_place(req, x);
}

static void translate(const struct uie_req *req)
{
    struct uie_xlat x = { .size = sizeof(x) };
    uint64_t status = vm.ops->mmio_read(vm.m, 0, VTD_REG_FSTS, 4);
    int answer;

    allow(RULE_work_of_a_request_is_bounded, MOST_OF_REQUEST);
    vm.probing = req->flags & UIE_REQ_PROBE;
    answer = vm.ops->translate(vm.m, req, &x);
    if (vm.probing && vm.ops->mmio_read(vm.m, 0, VTD_REG_FSTS, 4) != status)
        changes();
    vm.probing = false;
    answer += fuzz_lies(RULE_an_answer_is_0_ur_or_ca) ? 9 : 0;
    fuzz_check(answer == 0 || answer == UIE_ERR_UR || answer == UIE_ERR_CA,
               RULE_an_answer_is_0_ur_or_ca);
    if (answer == 0)
        check_answer(req, &x);
}

/* Rule 1 of the ABI: access 0 only with PROBE. */
static void ask(struct fuzz_input *in)
{
    uint8_t bits = (uint8_t)fuzz_take(in, 1);
    struct uie_req req = {
        .size = sizeof(req),
        .rid = (uint32_t)fuzz_take(in, 2),
        .pasid =
            bits & 0x80 ? (uint32_t)fuzz_take(in, 3) & 0xfffff : UIE_NO_PASID,
        .access = bits & 15,
        .flags = bits >> 4 & 7,
        .iova = fuzz_take(in, bits & 0x10 ? 8 : 3),
    };

    if ((req.access & (UIE_R | UIE_W | UIE_X)) == 0 &&
        !(req.flags & UIE_REQ_PROBE))
        req.access |= UIE_R;
    translate(&req);
}

/* A descriptor into the queue of start(), and the tail behind it. Words 2 and 3 of
 * a wide one stay what they are. */
static void submit(struct fuzz_input *in)
{
    bool wide = vm.ops->mmio_read(vm.m, 0, VTD_REG_IQA, 8) >> 11 & 1;
    uint64_t tail = vm.ops->mmio_read(vm.m, 0, VTD_REG_IQT, 8) & 0x7fff0;

    poke(0x10000 + tail % 0x1000, fuzz_take(in, 8));
    poke(0x10008 + tail % 0x1000, fuzz_take(in, 8));
    wr(VTD_REG_IQT, (tail + (wide ? 32 : 16)) % 0x1000, 8);
}

/* An open request is answered, or one that is not open. */
static void finish(struct fuzz_input *in)
{
    uint8_t which = (uint8_t)fuzz_take(in, 1);
    uint32_t tag = which;

    if (vm.n_tags > 0) {
        unsigned i = (which >> 1) % vm.n_tags;

        tag = vm.tag[i];
        vm.tag[i] = vm.tag[--vm.n_tags];
    }
    allow_queue();
    vm.ops->devtlb_done(vm.m, tag, which & 1);
}

/* Requests that the guest abandons stay open for the machine, which answers them
 * all the same. */
static void finish_all(void)
{
    struct fuzz_input none = { NULL, 0 };

    while (vm.n_tags > 0)
        finish(&none);
}

/* ---- snapshots ------------------------------------------------------------- */

struct bytes {
    uint8_t *at;
    size_t size, read;
};

static int sink(void *ctx, const void *buf, size_t len)
{
    struct bytes *b = ctx;

    b->at = realloc(b->at, b->size + len);
    memcpy(b->at + b->size, buf, len);
    b->size += len;
    return 0;
}

static int source(void *ctx, void *buf, size_t len)
{
    struct bytes *b = ctx;

    if (len > b->size - b->read)
        return -1;
    memcpy(buf, b->at + b->read, len);
    b->read += len;
    return 0;
}

static struct bytes save(void)
{
    struct bytes b = { NULL, 0, 0 };

    if (vm.ops->save(vm.m, sink, &b) != 0)
        b.size = 0;
    return b;
}

/* Frees `was`. */
static void must_be(struct bytes was, int rule)
{
    struct bytes now = save();

    fuzz_check(now.size > 0 && now.size == was.size && !fuzz_lies(rule) &&
                   memcmp(now.at, was.at, now.size) == 0,
               rule);
    free(now.at);
    free(was.at);
}

static void snapshot(void)
{
    struct bytes b = save();
    int answer;

    vm.ops->reset(vm.m);
    answer = vm.ops->load(vm.m, source, &b);
    fuzz_check(answer == 0 && b.read == b.size &&
                   !fuzz_lies(RULE_a_state_loads_where_it_was_saved),
               RULE_a_state_loads_where_it_was_saved);
    must_be(b, RULE_a_state_is_the_same_once_it_is_loaded);
}

static uint64_t number(const struct bytes *b, size_t i)
{
    struct fuzz_input in = { b->at + 8 * i, 8 };

    return fuzz_take(&in, 8);
}

static void set_number(struct bytes *b, size_t i, uint64_t value)
{
    for (unsigned n = 0; n < 8; n++)
        b->at[8 * i + n] = (uint8_t)(value >> 8 * n);
}

/* A few numbers become others, and the sum says that they are right. */
static void change(struct fuzz_input *in, struct bytes *b)
{
    size_t n = b->size / 8;
    uint8_t how = (uint8_t)fuzz_take(in, 1);
    uint64_t sum = 0;

    for (unsigned i = 0; i <= (how & 3); i++) {
        size_t at = fuzz_take(in, 2) % n;

        set_number(b, at,
                   number(b, at) ^ fuzz_take(in, how & 4 ? 8 : 1)
                                       << (how >> 3 & 7) * 8);
    }
    for (size_t i = 0; i + 1 < n; i++)
        sum = uim_state_sum(sum, number(b, i));
    if (!(how & 0x80))
        set_number(b, n - 1, sum);
}

/* Refused, it is as after reset. Taken, it is a state like others, but nobody knows
 * which requests are open. */
static void load_changed(struct fuzz_input *in)
{
    struct bytes b = save();

    change(in, &b);
    if (vm.ops->load(vm.m, source, &b) != 0) {
        struct bytes left = save();

        vm.ops->reset(vm.m);
        must_be(left, RULE_a_refused_state_leaves_a_unit_after_reset);
    } else {
        snapshot();
    }
    free(b.at);
    vm.n_tags = 0;
}

/* ---- rare steps ------------------------------------------------------------ */

static void count(void *ctx, const char *name, uint64_t value)
{
    (void)ctx, (void)name, (void)value;
}

static void ask_for_pages(struct fuzz_input *in)
{
    struct uie_page_request req = { .size = sizeof(req),
                                    .rid = (uint32_t)fuzz_take(in, 2),
                                    .pasid = UIE_NO_PASID,
                                    .access = UIE_R,
                                    .flags = 1,
                                    .iova = fuzz_take(in, 8) };

    if (vm.ops->page_request(vm.m, &req) == 0 ||
        fuzz_lies(RULE_nobody_answers_pages))
        page_response(NULL, NULL);
}

/* The lowest bit of the address says: PROBE. */
static void send_message(struct fuzz_input *in)
{
    uint32_t rid = (uint32_t)fuzz_take(in, 2), data;
    uint64_t addr = 0xfee00000 | (fuzz_take(in, 3) & 0xfffff);
    bool remaps = vm.ops->mmio_read(vm.m, 0, VTD_REG_ECAP, 8) >> 3 & 1;
    int answer;

    allow(RULE_work_of_a_request_is_bounded, MOST_OF_REQUEST);
    vm.probing = addr & 1;
    answer = vm.ops->remap_msi(vm.m, rid, addr & 1 ? UIE_REQ_PROBE : 0,
                               addr & ~UINT64_C(3), (uint32_t)fuzz_take(in, 1),
                               &addr, &data);
    vm.probing = false;
    if (fuzz_lies(RULE_a_message_is_refused_or_a_message))
        addr = 0;
    if (fuzz_lies(RULE_messages_pass_where_nothing_remaps))
        answer = remaps ? answer : UIE_ERR_UR;
    fuzz_check(answer == 0 || remaps, RULE_messages_pass_where_nothing_remaps);
    fuzz_check(answer == UIE_ERR_UR ||
                   (answer == 0 && (addr & 0xfff00003) == 0xfee00000),
               RULE_a_message_is_refused_or_a_message);
}

static void rare(struct fuzz_input *in, uint8_t what)
{
    uint8_t table[64];

    switch (what) {
    case 0:
        vm.ops->reset(vm.m);
        vm.n_tags = 0;
        break;
    case 1:
        vm.ops->memory_changed(vm.m);
        break;
    case 2:
        snapshot();
        break;
    case 3:
        load_changed(in);
        break;
    case 4:
        send_message(in);
        break;
    case 5:
        ask_for_pages(in);
        break;
    case 6:
        vm.ops->counters(vm.m, count, NULL);
        break;
    default:
        (void)vm.ops->acpi(vm.m, table, fuzz_take(in, 1) % sizeof(table));
    }
}

/* What only tests can do, so that checkers find a model that survives it. */
static void door(struct fuzz_input *in, uint8_t what)
{
    struct uim_model *model = uim_embed_model(vm.m);
    struct uim_check_inject error = { .error = what % 3 };

    allow_queue();
    switch (what) {
    case 0:
    case 1:
        uim_check_hold(model, what);
        break;
    case 2:
        (void)uim_check_run(model, (unsigned)fuzz_take(in, 1));
        break;
    case 3:
        uim_check_memory_changed(model, 0x1000, 8);
        break;
    case 4:
        uim_check_caches_drop(model);
        break;
    case 5:
        uim_check_caches_keep(model, fuzz_take(in, 1) & 1);
        break;
    case 6:
        uim_check_drop(model, (uint32_t)fuzz_take(in, 2),
                       (uint32_t)fuzz_take(in, 1));
        break;
    default:
        error.code = (uint32_t)fuzz_take(in, 1);
        error.rid = (uint32_t)fuzz_take(in, 2);
        uim_check_inject(model, &error);
    }
}

/* No machine lets such accesses through; the model survives them. */
static void access_anything(struct fuzz_input *in, bool write)
{
    uint32_t window = (uint32_t)fuzz_take(in, 1) & 3;
    uint64_t off = fuzz_take(in, 2);
    uint32_t len = (uint32_t)fuzz_take(in, 1) & 15;

    allow_queue();
    if (write)
        vm.ops->mmio_write(vm.m, window, off, fuzz_take(in, 8), len);
    else
        (void)vm.ops->mmio_read(vm.m, window, off, len);
}

static void access_register(struct fuzz_input *in, unsigned len, bool write)
{
    uint64_t off = fuzz_take(in, 2) & 0xfff & ~(uint64_t)(len - 1);

    if (write)
        wr(off, fuzz_take(in, len), len);
    else
        (void)vm.ops->mmio_read(vm.m, 0, off, len);
}

enum op {
    OP_WRITE,
    OP_READ,
    OP_TABLE,
    OP_MEMORY,
    OP_ASK,
    OP_SUBMIT,
    OP_FINISH,
    OP_RARE,
    OP_DOOR,
    OP_ANY_WRITE,
    OP_ANY_READ,
    OP_MORE
};

static void step(struct fuzz_input *in)
{
    uint8_t op = (uint8_t)fuzz_take(in, 1);
    unsigned len = 1u << (op >> 4 & 3);
    uint64_t off;

    switch (op & 15) {
    case OP_WRITE:
    case OP_READ:
        access_register(in, len, (op & 15) == OP_WRITE);
        break;
    case OP_TABLE:
        off = 0x1000 + fuzz_take(in, 2) % 0x9000;
        poke(off, fuzz_take(in, 8));
        break;
    case OP_MEMORY:
        off = fuzz_take(in, 3);
        poke(off, fuzz_take(in, 8));
        break;
    case OP_SUBMIT:
        submit(in);
        break;
    case OP_FINISH:
        finish(in);
        break;
    case OP_RARE:
        rare(in, op >> 4 & 7);
        break;
    case OP_DOOR:
        door(in, op >> 4 & 7);
        break;
    case OP_ANY_WRITE:
    case OP_ANY_READ:
        access_anything(in, (op & 15) == OP_ANY_WRITE);
        break;
    default:
        ask(in);
    }
}

/* ---- life ------------------------------------------------------------------ */

static void open_machine(void)
{
    memset(&vm, 0, sizeof(vm));
    vm.ops = uiommu_embed(UIE_ABI);
    vm.ram = calloc(1, RAM);
    cpu.stop = false;
    sem_init(&cpu.asked, 0, 0);
    sem_init(&cpu.answered, 0, 0);
    if (pthread_create(&cpu.thread, NULL, other_cpu, NULL) != 0)
        abort();
}

static void close_machine(void)
{
    cpu.stop = true;
    sem_post(&cpu.asked);
    pthread_join(cpu.thread, NULL);
    sem_destroy(&cpu.asked);
    sem_destroy(&cpu.answered);
    free(vm.ram);
}

static void run(struct fuzz_input *in, const char *text, bool started)
{
    vm.m = vm.ops->create("vtd", &host, text);
    fuzz_check(vm.m && !fuzz_lies(RULE_a_model_can_be_created),
               RULE_a_model_can_be_created);
    if (started)
        start(strstr(text, "scalable") != NULL, strstr(text, "fs=1") != NULL,
              strstr(text, "dt=0") == NULL);
    if (started && strstr(text, "ir=1"))
        start_interrupts(strstr(text, "eim=1") != NULL);
    for (unsigned i = 0; i < STEPS && in->left > 0; i++)
        step(in);
    finish_all();
    vm.ops->destroy(vm.m);
}

/* A model that takes the string, or none. */
static void create(const struct fuzz_input *in)
{
    char *text = strndup((const char *)in->data, in->left);

    vm.m = vm.ops->create("vtd", &host, text);
    if (vm.m)
        vm.ops->destroy(vm.m);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = { data, size };
    uint8_t first = (uint8_t)fuzz_take(&in, 1);

    open_machine();
    if (first == 0x7f)
        create(&in);
    else
        run(&in, args[first % (sizeof(args) / sizeof(args[0]))], first & 0x80);
    close_machine();
    return 0;
}
