/* SPDX-License-Identifier: MIT */
/*
 * route.c - which way a memory request of a function takes: by address, through
 * ports and bridges, as far as ACS (spec/pci.md section 5) lets it. Nothing here
 * knows of the IOMMU: a request that lands in a peer has not seen it.
 *
 * Where the specification leaves a port the choice between rejecting a request
 * for its own downstream side and sending it back there, it is sent back: that
 * is what isolation has to survive. Completions are routed by id and meet no
 * IOMMU, so that CR makes no difference here. Lock: pci.
 */
#include "private.h"

enum {
    COMMAND_MEMORY = 1u << 1,
    COMMAND_BUS_MASTER = 1u << 2,
    ACS_DSP_TARGET = 8, /* where the fields begin */
    ACS_USP_TARGET = 10,
    ACS_UNCLAIMED = 1u << 12,
};

/* What a port does with a request that it need not send up. */
enum turn { TURN_OFF, TURN_BLOCKED, TURN_REDIRECTED };

/* A request on its way up. */
struct trip {
    struct sim *s;
    const struct sim_packet *packet;
    struct sim_route *out;
    bool mmio;       /* some BAR or window may have the address */
    bool redirected; /* in this switch: goes up although somebody claims it */
    unsigned acs;    /* of the port by which it came into the switch */
};

static unsigned acs_of(const struct sim_func *f)
{
    return f->acs != 0 ? sim_config16(f, f->acs + 6) : 0;
}

static bool refuse(const struct trip *t, enum sim_stop stop)
{
    t->out->way = SIM_WAY_REFUSED;
    t->out->stop = stop;
    return true;
}

/* ---- who claims an address ----------------------------------------------- */

static bool decodes(const struct sim_func *f)
{
    bool on = f->physical != NULL ? sim_vf_decodes(f)
                                  : (sim_config16(f, 4) & COMMAND_MEMORY) != 0;

    return on && !sim_is_gone(f);
}

static bool bar_has(const struct sim_func *f, uint64_t addr)
{
    if (f->accel != NULL) {
        return sim_accel_has(f, addr) && decodes(f);
    }
    return f->bar != NULL && addr - sim_bar_base(f) < SIM_BAR_SIZE &&
           decodes(f);
}

static uint64_t window_first(const struct sim_func *f)
{
    return (uint64_t)(sim_config16(f, 0x20) & 0xfff0) << 16;
}

static uint64_t window_last(const struct sim_func *f)
{
    return (uint64_t)(sim_config16(f, 0x22) & 0xfff0) << 16 | 0xfffff;
}

static bool window_has(const struct sim_func *f, uint64_t addr)
{
    return sim_is_bridge(f) && addr >= window_first(f) &&
           addr <= window_last(f) && decodes(f);
}

static bool claims(const struct sim_func *f, uint64_t addr)
{
    return bar_has(f, addr) || window_has(f, addr);
}

static void widen(struct sim *s, uint64_t first, uint64_t last)
{
    if (first < last && first < s->pci.mmio_first) {
        s->pci.mmio_first = first;
    }
    if (first < last && last > s->pci.mmio_last) {
        s->pci.mmio_last = last;
    }
}

void sim_route_update(struct sim *s)
{
    s->pci.mmio_first = UINT64_MAX;
    s->pci.mmio_last = 0;
    for (unsigned i = 0; i < s->pci.n; i++) {
        const struct sim_func *f = &s->pci.func[i];
        uint64_t bar = sim_bar_base(f);

        if (!decodes(f)) {
            continue;
        }
        if (sim_is_bridge(f)) {
            widen(s, window_first(f), window_last(f));
        }
        if (f->accel != NULL) {
            widen(s, bar, bar + SIM_ACCEL_BAR0_SIZE - 1);
            bar = sim_accel_bar2(f);
            widen(s, bar, bar + SIM_ACCEL_BAR2_SIZE - 1);
        } else if (f->bar != NULL) {
            widen(s, bar, bar + SIM_BAR_SIZE - 1);
        }
    }
}

/* ---- down ---------------------------------------------------------------- */

/* Who claims the address on the bus below `parent` (NULL: on the root bus). */
static struct sim_func *child_at(struct sim *s, const struct sim_func *parent,
                                 uint64_t addr)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        struct sim_func *f = &s->pci.func[i];

        if (f->parent == parent && claims(f, addr)) {
            return f;
        }
    }
    return NULL;
}

/* `f` claims the address, or NULL: nobody did. The way ends here or below. */
static bool go_down(const struct trip *t, struct sim_func *f)
{
    uint64_t addr = t->packet->addr;

    for (;;) {
        if (f == NULL) {
            return refuse(t, SIM_UNCLAIMED);
        }
        if (t->packet->prefix && !f->passes_prefix) {
            return refuse(t, SIM_BY_PREFIX);
        }
        if (bar_has(f, addr)) {
            t->out->way = SIM_WAY_PEER;
            t->out->peer = f;
            return true;
        }
        f = child_at(t->s, f, addr);
    }
}

struct sim_func *sim_bar_at(struct sim *s, uint64_t addr)
{
    const struct sim_packet packet = { .addr = addr };
    struct sim_route out = { .peer = NULL };
    const struct trip t = { .s = s, .packet = &packet, .out = &out };

    (void)go_down(&t, child_at(s, NULL, addr));
    return out.peer;
}

/* ---- turning off --------------------------------------------------------- */

/* Virtual functions are of their physical one's device, whatever their number. */
static unsigned slot(const struct sim_func *f)
{
    return (f->physical != NULL ? f->physical : f)->row.devfn >> 3;
}

static bool same_slot(const struct sim_func *a, const struct sim_func *b)
{
    return slot(a) == slot(b);
}

/* One bus, everybody listens. */
static bool is_shared(const struct sim_func *bridge)
{
    return bridge != NULL && sim_is_pci_bridge(bridge);
}

/* Whether what comes up through `f` can go to its sibling `to` directly. */
static bool connected(const struct sim_func *f, const struct sim_func *to)
{
    const struct sim_func *parent = f->parent;

    if (same_slot(f, to) || is_shared(parent)) {
        return true;
    }
    if (parent != NULL) {
        return parent->row.kind == SIM_UPSTREAM;
    }
    return f->row.kind == SIM_ROOT_PORT && to->row.kind == SIM_ROOT_PORT;
}

/* The bit of the egress control vector that speaks of `to`. */
static unsigned vector_bit(const struct sim_func *f, const struct sim_func *to)
{
    unsigned n =
        f->row.kind == SIM_DOWNSTREAM ? to->row.devfn >> 3 : to->row.devfn & 7u;

    return 1u << n & sim_config32(f, f->acs + 8);
}

/* With EC only those are held back whom the vector names (PCIe 6.12.3). */
static enum turn acs_turn(const struct sim_func *f, const struct sim_func *to,
                          const struct sim_packet *packet)
{
    unsigned acs = acs_of(f);

    if (packet->at == SIM_TRANSLATED && (acs & SIM_ACS_DT) != 0) {
        return TURN_OFF;
    }
    if ((acs & SIM_ACS_EC) != 0 && vector_bit(f, to) == 0) {
        return TURN_OFF;
    }
    if (acs & SIM_ACS_RR) {
        return TURN_REDIRECTED;
    }
    return acs & SIM_ACS_EC ? TURN_BLOCKED : TURN_OFF;
}

/* Of a field that says who reaches the memory of ports. */
static enum turn target_turn(unsigned acs, unsigned field)
{
    switch (acs >> field & 3) {
    case 0:
        return TURN_OFF;
    case 2:
        return TURN_REDIRECTED;
    default:
        return TURN_BLOCKED;
    }
}

/* To `to`, which claims the address, if that is what the port does. True: its way
 * ends there. */
static bool turn_to(struct trip *t, struct sim_func *to, enum turn how)
{
    if (how == TURN_OFF) {
        return go_down(t, to);
    }
    if (how == TURN_BLOCKED) {
        return refuse(t, SIM_BY_ACS);
    }
    t->redirected = true;
    return false;
}

/* From `f` to its sibling, which claims the address. */
static bool turn_from(struct trip *t, const struct sim_func *f,
                      struct sim_func *to)
{
    if (is_shared(f->parent)) {
        return go_down(t, to);
    }
    if (sim_is_bridge(f) && bar_has(to, t->packet->addr) && sim_is_bridge(to)) {
        return turn_to(t, to, target_turn(acs_of(f), ACS_DSP_TARGET));
    }
    return turn_to(t, to, acs_turn(f, to, t->packet));
}

/* Off to a sibling of `f` if one claims the address. True: its way ends there. */
static bool turn(struct trip *t, const struct sim_func *f)
{
    for (unsigned i = 0; t->mmio && i < t->s->pci.n; i++) {
        struct sim_func *to = &t->s->pci.func[i];

        if (to != f && to->parent == f->parent && connected(f, to) &&
            claims(to, t->packet->addr)) {
            return turn_from(t, f, to);
        }
    }
    return false;
}

/* ---- the climb ----------------------------------------------------------- */

static bool source_good(const struct sim_func *port, uint32_t rid)
{
    return rid >> 8 >= port->secondary && rid >> 8 <= port->subordinate;
}

/* Out of the link below a root port or a downstream port. True: its way ends
 * here. */
static bool enter_downstream(struct trip *t, struct sim_func *port)
{
    uint64_t addr = t->packet->addr;
    unsigned acs = acs_of(port);

    t->acs = acs;
    t->redirected = false;
    if (((acs & SIM_ACS_SV) != 0 && !source_good(port, t->out->rid)) ||
        ((acs & SIM_ACS_TB) != 0 && t->packet->at != SIM_UNTRANSLATED)) {
        return refuse(t, SIM_BY_ACS);
    }
    if (t->mmio && bar_has(port, addr)) {
        return turn_to(t, port, target_turn(acs, ACS_DSP_TARGET));
    }
    if (t->mmio && window_has(port, addr)) {
        if (acs & SIM_ACS_UF) {
            t->redirected = true;
            return false;
        }
        return go_down(t, child_at(t->s, port, addr));
    }
    return false;
}

/* Out of the switch: not what lies in it, unless it was sent this way. */
static bool enter_upstream(struct trip *t, struct sim_func *port)
{
    if (t->mmio && bar_has(port, t->packet->addr)) {
        return turn_to(t, port, target_turn(t->acs, ACS_USP_TARGET));
    }
    if (t->mmio && !t->redirected && window_has(port, t->packet->addr) &&
        (t->acs & ACS_UNCLAIMED) == 0) {
        return refuse(t, SIM_UNCLAIMED);
    }
    return false;
}

/* Nobody on the bus below claimed it. From there upward it is the bridge's own, as
 * far as ids go. */
static bool enter_bridge(struct trip *t, struct sim_func *bridge)
{
    bool second = bridge->row.kind == SIM_PCI_BRIDGE ||
                  (bridge->row.caps & SIM_SECONDARY_ID) != 0;

    t->out->rid = second ? (uint32_t)bridge->secondary << 8 : sim_rid(bridge);
    if (t->mmio && claims(bridge, t->packet->addr)) {
        return refuse(t, SIM_UNCLAIMED);
    }
    return false;
}

/* The request comes to `port` from below. True: its way ends here. */
static bool enter_port(struct trip *t, struct sim_func *port)
{
    if (t->packet->prefix && !port->passes_prefix) {
        return refuse(t, SIM_BY_PREFIX);
    }
    if ((sim_config16(port, 4) & COMMAND_BUS_MASTER) == 0) {
        return refuse(t, SIM_UNCLAIMED);
    }
    switch (port->row.kind) {
    case SIM_ROOT_PORT:
    case SIM_DOWNSTREAM:
        return enter_downstream(t, port);
    case SIM_UPSTREAM:
        return enter_upstream(t, port);
    default:
        return enter_bridge(t, port);
    }
}

static void climb(struct trip *t, struct sim_func *f)
{
    do {
        if (turn(t, f)) {
            return;
        }
        f = f->parent;
    } while (f != NULL && !enter_port(t, f));
}

/* That of its next request. */
static uint32_t next_id(struct sim_func *f)
{
    uint32_t id;

    if (f->n_ids == 0) {
        return sim_rid(f);
    }
    id = f->id[f->next_id];
    f->next_id = (f->next_id + 1) % f->n_ids;
    return id;
}

void sim_find_route(struct sim *s, struct sim_func *f,
                    const struct sim_packet *packet, struct sim_route *out)
{
    struct trip t = { .s = s, .packet = packet, .out = out };

    out->way = SIM_WAY_UP;
    out->stop = SIM_NOT_STOPPED;
    out->peer = NULL;
    pthread_mutex_lock(&s->pci.lock);
    out->rid = packet->any_id ? next_id(f) : sim_rid(f);
    t.mmio =
        packet->addr >= s->pci.mmio_first && packet->addr <= s->pci.mmio_last;
    if (sim_is_gone(f)) {
        (void)refuse(&t, SIM_BY_DEVICE);
    } else {
        climb(&t, f);
    }
    pthread_mutex_unlock(&s->pci.lock);
}
