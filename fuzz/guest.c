/* SPDX-License-Identifier: MIT */
#include "fuzz/guest.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "hosts/embed/embed.h"
#include "model/check.h"
#include "model/state.h"

enum { STEPS = 400, OPEN = 64 };

struct guest guest;

static uint32_t open_tags[OPEN];
static unsigned n_tags;

/* Another CPU, which asks the model something while notify() is under way. */
static struct {
    pthread_t thread;
    sem_t asked, answered;
    bool stop;
} cpu;

static bool in_ram(uint64_t gpa, uint64_t len)
{
    if (fuzz_lies(guest.work))
        guest.accesses = guest.most;
    len += fuzz_lies(RULE_accesses_are_of_a_page_at_most) ? 4096 : 0;
    fuzz_check(++guest.accesses < guest.most, guest.work);
    fuzz_check(len > 0 && len <= 4096, RULE_accesses_are_of_a_page_at_most);
    return gpa < GUEST_RAM && len <= GUEST_RAM - gpa;
}

static void changes(void)
{
    fuzz_check(!guest.probing && !fuzz_lies(RULE_a_probe_changes_nothing),
               RULE_a_probe_changes_nothing);
}

static int mem_read(void *opaque, uint64_t gpa, void *buf, uint32_t len)
{
    (void)opaque;
    if (!in_ram(gpa, len))
        return -1;
    memcpy(buf, guest.ram + gpa, len);
    return 0;
}

static int mem_write(void *opaque, uint64_t gpa, const void *buf, uint32_t len)
{
    (void)opaque;
    changes();
    if (!in_ram(gpa, len))
        return -1;
    memcpy(guest.ram + gpa, buf, len);
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
    if (memcmp(guest.ram + gpa, expect, len) != 0) {
        memcpy(expect, guest.ram + gpa, len);
        return 0;
    }
    memcpy(guest.ram + gpa, want, len);
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
    (void)opaque, (void)level;
    changes();
    if (guest_kind.check_line)
        guest_kind.check_line(line);
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
        before = guest.accesses;
        guest.accesses = 0;
        (void)guest.ops->translate(guest.m, &req, &x);
        guest.accesses = before;
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
    for (unsigned i = 0; i < n_tags; i++)
        fuzz_check(open_tags[i] != tag, RULE_open_tags_are_unique);
    fuzz_check(n_tags < OPEN && !fuzz_lies(RULE_open_tags_are_unique),
               RULE_open_tags_are_unique);
    open_tags[n_tags++] = tag;
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
    uint32_t code = r->code, pasid = r->pasid;

    (void)opaque;
    if (fuzz_lies(RULE_an_answer_to_pages_is_one_of_three))
        code = 2;
    fuzz_check(code <= 1 || code == 15,
               RULE_an_answer_to_pages_is_one_of_three);
    if (fuzz_lies(RULE_an_answer_to_pages_has_a_pasid_or_none))
        pasid = UIE_ANY_PASID;
    fuzz_check(r->size == sizeof(*r) && r->flags == 0 &&
                   (pasid == UIE_NO_PASID || pasid >> 20 == 0),
               RULE_an_answer_to_pages_has_a_pasid_or_none);
    changes();
    if (guest_kind.check_response)
        guest_kind.check_response(r);
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

void guest_poke(uint64_t gpa, uint64_t value)
{
    gpa %= GUEST_RAM - 7;
    for (unsigned i = 0; i < 8; i++)
        guest.ram[(gpa & ~UINT64_C(7)) + i] = (uint8_t)(value >> 8 * i);
}

static void allow(int work, unsigned most)
{
    guest.work = work;
    guest.most = most;
    guest.accesses = 0;
}

static void allow_queue(void)
{
    allow(RULE_work_of_a_queue_is_bounded, guest_kind.most_of_queue);
}

void guest_allow_request(void)
{
    allow(RULE_work_of_a_request_is_bounded, guest_kind.most_of_request);
}

static uint32_t window_of(uint64_t reg)
{
    return (uint32_t)(reg / guest_kind.window_size);
}

uint64_t guest_rd(uint64_t reg, unsigned len)
{
    return guest.ops->mmio_read(guest.m, window_of(reg),
                                reg % guest_kind.window_size, len);
}

void guest_wr(uint64_t reg, uint64_t value, unsigned len)
{
    allow_queue();
    guest.ops->mmio_write(guest.m, window_of(reg), reg % guest_kind.window_size,
                          value, len);
}

static void check_place(const struct uie_req *req, const struct uie_xlat *x)
{
    struct uie_info info = { .size = sizeof(info) };
    uint64_t last = x->gpa + x->mask, iova = req->iova;
    uint64_t bits = guest_kind.address_bits;
    bool message = x->flags & (UIE_XLAT_MSI | UIE_XLAT_U);

    guest.ops->info(guest.m, &info);
    if (fuzz_lies(RULE_a_translated_address_stays))
        iova++;
    if (req->flags & UIE_REQ_XLATED)
        fuzz_check((x->gpa | (req->iova & x->mask)) == iova,
                   RULE_a_translated_address_stays);
    if (x->perm == 0 || message || !guest_kind.translates())
        return;
    if (fuzz_lies(RULE_no_page_is_outside_the_address_width))
        last = UINT64_MAX;
    fuzz_check(last >> (bits ? bits : info.address_bits) == 0,
               RULE_no_page_is_outside_the_address_width);
    if (guest_kind.check_page)
        guest_kind.check_page(x);
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
    uint64_t recorded = guest_kind.recorded();
    int answer;

    guest_allow_request();
    guest.probing = req->flags & UIE_REQ_PROBE;
    answer = guest.ops->translate(guest.m, req, &x);
    if (guest.probing && guest_kind.recorded() != recorded)
        changes();
    guest.probing = false;
    if (answer == UIE_STALLED && guest_kind.check_stall) {
        guest_kind.check_stall(req, x.tag);
        return;
    }
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

/* An open request is answered, or one that is not open. */
static void finish(struct fuzz_input *in)
{
    uint8_t which = (uint8_t)fuzz_take(in, 1);
    uint32_t tag = which;

    if (n_tags > 0) {
        unsigned i = (which >> 1) % n_tags;

        tag = open_tags[i];
        open_tags[i] = open_tags[--n_tags];
    }
    allow_queue();
    guest.ops->devtlb_done(guest.m, tag, which & 1);
}

/* Requests that the guest abandons stay open for the machine, which answers them
 * all the same. */
static void finish_all(void)
{
    struct fuzz_input none = { NULL, 0 };

    while (n_tags > 0)
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

    if (guest.ops->save(guest.m, sink, &b) != 0)
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

    guest.ops->reset(guest.m);
    answer = guest.ops->load(guest.m, source, &b);
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
    if (guest.ops->load(guest.m, source, &b) != 0) {
        struct bytes left = save();

        guest.ops->reset(guest.m);
        must_be(left, RULE_a_refused_state_leaves_a_unit_after_reset);
    } else {
        guest.any_stall = true;
        snapshot();
    }
    free(b.at);
    n_tags = 0;
    guest.n_stalls = 0;
}

/* ---- rare steps ------------------------------------------------------------ */

static void count(void *ctx, const char *name, uint64_t value)
{
    (void)ctx, (void)name, (void)value;
}

/* Of a model that takes no page requests, too. */
static void lie_about_answers(void)
{
    const struct uie_page_response any = { .size = sizeof(any),
                                           .pasid = UIE_NO_PASID };

    if (fuzz_lies(RULE_an_answer_to_pages_is_one_of_three) ||
        fuzz_lies(RULE_an_answer_to_pages_has_a_pasid_or_none))
        page_response(NULL, &any);
}

/* What goes with the numbers that messages have, and a bit more. */
static void ask_for_pages(struct fuzz_input *in)
{
    uint8_t bits = (uint8_t)fuzz_take(in, 1);
    struct uie_page_request req = {
        .size = sizeof(req),
        .rid = (uint32_t)fuzz_take(in, 2),
        .pasid =
            bits & 0x80 ? (uint32_t)fuzz_take(in, 3) & 0x1fffff : UIE_NO_PASID,
        .access = bits & 15,
        .flags = bits >> 4 & 3,
        .group = (uint32_t)fuzz_take(in, 2) & 0x3ff,
        .iova = fuzz_take(in, 8),
    };
    int answer;

    allow_queue();
    answer = guest.ops->page_request(guest.m, &req);
    if (fuzz_lies(RULE_a_page_request_is_taken_or_refused))
        answer = 1;
    fuzz_check(answer <= 0, RULE_a_page_request_is_taken_or_refused);
    lie_about_answers();
}

static void rare(struct fuzz_input *in, uint8_t what)
{
    uint8_t table[64];

    switch (what) {
    case 0:
        guest.ops->reset(guest.m);
        n_tags = 0;
        guest.n_stalls = 0;
        guest.any_stall = false;
        break;
    case 1:
        guest.ops->memory_changed(guest.m);
        break;
    case 2:
        snapshot();
        break;
    case 3:
        load_changed(in);
        break;
    case 4:
        guest_kind.send_message(in);
        break;
    case 5:
        ask_for_pages(in);
        break;
    case 6:
        guest.ops->counters(guest.m, count, NULL);
        break;
    default:
        (void)guest.ops->acpi(guest.m, table, fuzz_take(in, 1) % sizeof(table));
    }
}

/* What only tests can do, so that checkers find a model that survives it. */
static void door(struct fuzz_input *in, uint8_t what)
{
    struct uim_model *model = uim_embed_model(guest.m);
    struct uim_check_inject error = { .error = what % 3 };

    allow_queue();
    switch (what) {
    case 0:
    case 1:
        uim_check_hold(model, what);
        break;
    case 2:
        (void)uim_check_run(model, (unsigned)fuzz_take(in, 1));
        (void)uim_check_requests(model, UIM_CHECK_EVERY);
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
        guest.ops->mmio_write(guest.m, window, off, fuzz_take(in, 8), len);
    else
        (void)guest.ops->mmio_read(guest.m, window, off, len);
}

static void access_register(struct fuzz_input *in, unsigned len, bool write)
{
    uint64_t space = (uint64_t)guest_kind.windows * guest_kind.window_size;
    uint64_t off = fuzz_take(in, 2);

    if (space > 0x10000) /* what counts is at the beginning of each window */
        off = (off & 0x8000) << 1 | (off & 0xfff);
    off &= (space - 1) & ~(uint64_t)(len - 1);
    if (write)
        guest_wr(off, fuzz_take(in, len), len);
    else
        (void)guest_rd(off, len);
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
        guest_poke(off, fuzz_take(in, 8));
        break;
    case OP_MEMORY:
        off = fuzz_take(in, 3);
        guest_poke(off, fuzz_take(in, 8));
        break;
    case OP_SUBMIT:
        guest_kind.submit(in);
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
    memset(&guest, 0, sizeof(guest));
    n_tags = 0;
    guest.ops = uiommu_embed(UIE_ABI);
    guest.ram = calloc(1, GUEST_RAM);
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
    free(guest.ram);
}

static void run(struct fuzz_input *in, const char *text, bool started)
{
    guest.m = guest.ops->create(guest_kind.model, &host, text);
    fuzz_check(guest.m && !fuzz_lies(RULE_a_model_can_be_created),
               RULE_a_model_can_be_created);
    if (started)
        guest_kind.start(text);
    for (unsigned i = 0; i < STEPS && in->left > 0; i++)
        step(in);
    finish_all();
    guest.ops->destroy(guest.m);
}

/* A model that takes the string, or none. */
static void create(const struct fuzz_input *in)
{
    char *text = strndup((const char *)in->data, in->left);

    guest.m = guest.ops->create(guest_kind.model, &host, text);
    if (guest.m)
        guest.ops->destroy(guest.m);
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
        run(&in, guest_kind.args[first % guest_kind.n_args], first & 0x80);
    close_machine();
    return 0;
}
