/* SPDX-License-Identifier: MIT */
/*
 * route.c - which way a memory request of a function takes: by address,
 * through ports and bridges, as far as ACS (spec/pci.md section 5) lets it.
 * Nothing here knows of the IOMMU: a request that lands in a peer has not
 * seen it.
 *
 * Where the specification leaves a port the choice between rejecting a request
 * for its own downstream side and sending it back there, it is sent back: that
 * is what isolation has to survive. Lock: pci.
 */
#include "private.h"

enum {
    ACS_TB = 1u << 1,
    ACS_RR = 1u << 2,
    ACS_UF = 1u << 4,
    ACS_DT = 1u << 6,
    COMMAND_MEMORY = 1u << 1,
};

static unsigned acs_of(const struct sim_func *f)
{
    return f->acs != 0 ? sim_config16(f, f->acs + 6) : 0;
}

/* May what comes from `f` turn off before the root complex? */
static bool may_turn(const struct sim_func *f, bool translated)
{
    unsigned acs = acs_of(f);

    return (acs & ACS_RR) == 0 || (translated && (acs & ACS_DT) != 0);
}

static bool decodes(const struct sim_func *f)
{
    return (sim_config16(f, 4) & COMMAND_MEMORY) != 0 && !sim_is_gone(f);
}

static bool bar_has(const struct sim_func *f, uint64_t addr)
{
    uint64_t base = sim_bar_base(f);

    return f->bar != NULL && decodes(f) && addr >= base &&
           addr - base < SIM_BAR_SIZE;
}

static bool window_has(const struct sim_func *f, uint64_t addr)
{
    uint64_t base = (uint64_t)(sim_config16(f, 0x20) & 0xfff0) << 16;
    uint64_t last = (uint64_t)(sim_config16(f, 0x22) & 0xfff0) << 16 | 0xfffff;

    return sim_is_bridge(f) && decodes(f) && addr >= base && addr <= last;
}

static bool is_below(const struct sim_func *f, const struct sim_func *top)
{
    while (f != NULL && f != top) {
        f = f->parent;
    }
    return f == top;
}

struct sim_func *sim_bar_at(struct sim *s, const struct sim_func *top,
                            uint64_t addr)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        struct sim_func *f = &s->pci.func[i];

        if (bar_has(f, addr) && is_below(f, top)) {
            return f;
        }
    }
    return NULL;
}

/* ---- turning off --------------------------------------------------------- */

static bool same_slot(const struct sim_func *a, const struct sim_func *b)
{
    return a->row.devfn >> 3 == b->row.devfn >> 3;
}

/* Whether what comes up through `f` can go straight to its sibling `to`. */
static bool connected(const struct sim_func *f, const struct sim_func *to,
                      bool translated)
{
    const struct sim_func *parent = f->parent;

    if (parent != NULL && parent->row.kind == SIM_PCI_BRIDGE) {
        return true; /* one bus, everybody listens */
    }
    if (same_slot(f, to)) {
        return may_turn(f, translated);
    }
    if (parent != NULL && parent->row.kind == SIM_UPSTREAM) {
        return may_turn(f, translated);
    }
    return parent == NULL && f->row.kind == SIM_ROOT_PORT &&
           to->row.kind == SIM_ROOT_PORT && may_turn(f, translated);
}

/* The function a request turns off to among the siblings of `f`, or NULL. */
static struct sim_func *turn(struct sim *s, const struct sim_func *f,
                             uint64_t addr, bool translated)
{
    for (unsigned i = 0; i < s->pci.n; i++) {
        struct sim_func *to = &s->pci.func[i];

        if (to == f || to->parent != f->parent ||
            !connected(f, to, translated)) {
            continue;
        }
        if (bar_has(to, addr)) {
            return to;
        }
        if (window_has(to, addr)) {
            return sim_bar_at(s, to, addr);
        }
    }
    return NULL;
}

/* ---- the climb ----------------------------------------------------------- */

/* The request comes out of the link below `port`. True: its way ends here. */
static bool enter_port(struct sim *s, const struct sim_func *port,
                       uint64_t addr, bool translated, struct sim_route *out)
{
    unsigned acs = acs_of(port);

    if (port->row.kind == SIM_PCI_BRIDGE) {
        out->rid = (uint32_t)port->secondary << 8;
        return false;
    }
    if (port->row.kind == SIM_UPSTREAM) {
        return false;
    }
    if (translated && (acs & ACS_TB) != 0) {
        out->way = SIM_WAY_REFUSED;
        return true;
    }
    if (window_has(port, addr) && (acs & ACS_UF) == 0) {
        out->peer = sim_bar_at(s, port, addr);
        out->way = out->peer != NULL ? SIM_WAY_PEER : SIM_WAY_REFUSED;
        return true;
    }
    return false;
}

static void climb(struct sim *s, const struct sim_func *f, uint64_t addr,
                  bool translated, struct sim_route *out)
{
    for (;;) {
        out->peer = turn(s, f, addr, translated);
        if (out->peer != NULL) {
            out->way = SIM_WAY_PEER;
            return;
        }
        f = f->parent;
        if (f == NULL || enter_port(s, f, addr, translated, out)) {
            return;
        }
    }
}

void sim_find_route(struct sim *s, struct sim_func *f, uint64_t addr,
                    bool translated, struct sim_route *out)
{
    out->way = SIM_WAY_UP;
    out->rid = (uint32_t)f->bus << 8 | f->row.devfn;
    out->peer = NULL;
    pthread_mutex_lock(&s->pci.lock);
    if (sim_is_gone(f)) {
        out->way = SIM_WAY_REFUSED;
    } else {
        climb(s, f, addr, translated, out);
    }
    pthread_mutex_unlock(&s->pci.lock);
}
