/* SPDX-License-Identifier: MIT */
/*
 * What holds of groups on any machine (semantics B.9.4): trees made at random, of all
 * kinds of functions, with ACS of all kinds, quirks, virtual functions, a volume
 * management device, and facts that contradict each other.
 *
 *     - The order of the array does not matter.
 *     - What Linux has in one group, in whatever order it probes, uiommu has too.
 *     - A function that exists is in one group with all whose DMA may carry its id.
 *     - Groups are what chains of pairs that are joined connect, each pair with a
 *       sentence; being joined has no direction.
 *     - A function that is alone and said to stay so stays alone when more is plugged.
 *     - A function that comes later is told the group it joins, or that it merges some.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"
#include "pci/quirks.h"
#include "fuzz/share.h"

enum { ROUNDS = 2000, SIZE = 36 };

static const uint8_t told[] = { 0x00, 0x01, 0x08, 0x10, 0x18 };

static struct machine machine, shuffled;
static uint32_t seed;

static uint32_t pick(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

static bool percent(uint32_t p)
{
    return pick(100) < p;
}

/* ---- a machine ----------------------------------------------------------------- */

static void give_quirk(struct uim_pci_function *f)
{
    const unsigned kind = pick(UIM_PCI_QUIRK_ATS_BROKEN);
    const struct uim_pci_quirk *q;

    do
        q = &uim_pci_quirks[pick(uim_pci_n_quirks)];
    while (q->kind != kind);
    f->vendor = q->vendor;
    f->device = (uint16_t)(q->first + pick(q->last - q->first + 1u));
    f->subsystem_vendor = q->subsystem_vendor;
    f->subsystem = q->subsystem;
    if (q->class_code != 0)
        f->class_code = (uint32_t)q->class_code << 8;
}

static void give_acs(struct uim_pci_function *f)
{
    switch (pick(4)) {
    case 0:
        break;
    case 1:
        machine_acs(f, (uint16_t)pick(0x100), (uint16_t)pick(0x1000));
        break;
    default:
        machine_acs(f, ACS_CAP, ACS_ON);
    }
}

/* `honest`: of what is here most is isolated. */
static void give_facts(struct uim_pci_function *f, bool honest, bool linux_ran)
{
    give_acs(f);
    if (honest && percent(90))
        machine_acs(f, ACS_CAP, ACS_ON);
    if (percent(honest ? 2 : 15))
        give_quirk(f);
    f->own_memory = f->header == PCI_HEADER_BRIDGE && percent(honest ? 1 : 6);
    f->unseen = percent(honest ? 1 : 3);
    f->quirk_enabled = f->ivrs = linux_ran;
    f->end_end_prefix = percent(70);
    if (percent(2)) {
        f->devfns = told;
        f->n_devfns = (uint16_t)(1 + pick(sizeof(told)));
    }
}

/* Below each port type: types that there are often come more than once. */
static uint8_t type_below(const struct uim_pci_function *bridge)
{
    static const uint8_t root[] = { ROOT,         ROOT, ROOT,   INTEGRATED,
                                    CONVENTIONAL, 0xfe, TO_PCI, COLLECTOR };
    static const uint8_t link[] = { END, END, END, LEGACY, UP, UP, TO_PCI };
    static const uint8_t within[] = { DOWN, DOWN, DOWN, DOWN, END };
    static const uint8_t old[] = { CONVENTIONAL, CONVENTIONAL, 0xfe, TO_PCIE };

    if (bridge == NULL)
        return root[pick(sizeof(root))];
    switch (bridge->port) {
    case UP:
        return within[pick(sizeof(within))];
    case TO_PCI:
    case CONVENTIONAL:
        return old[pick(sizeof(old))];
    default:
        return link[pick(sizeof(link))];
    }
}

static struct uim_pci_function *add(struct machine *m,
                                    struct uim_pci_function *bridge,
                                    unsigned slot, unsigned function)
{
    uint8_t type = type_below(bridge);

    if (type != 0xfe)
        return machine_add(m, bridge, slot, function, type);
    bridge = machine_bridge(m, bridge, slot);
    bridge->at.devfn |= (uint8_t)function;
    bridge->multifunction = function != 0;
    return bridge;
}

static void add_slot(struct machine *m, struct uim_pci_function *bridge,
                     unsigned slot)
{
    struct uim_pci_function *first = add(m, bridge, slot, 0);
    unsigned function = 1 + pick(2);

    for (; percent(30) && m->n < SIZE && function < 8;
         function += 1 + pick(2)) {
        struct uim_pci_function *f = add(m, bridge, slot, function);

        f->multifunction = true;
        first->multifunction = percent(95);
        if (first->port == END && percent(20)) {
            f->physical = first;
            f->multifunction = percent(5);
        }
    }
}

static void fill_bus(struct machine *m, struct uim_pci_function *bridge)
{
    bool link = bridge != NULL && bridge->port != UP &&
                bridge->port != CONVENTIONAL && bridge->port != TO_PCI;
    unsigned slots = bridge == NULL ? 3 + pick(6) : pick(5);

    for (unsigned slot = 0; slot < slots && m->n < SIZE; slot++)
        if (!link || slot == 0 || percent(5))
            add_slot(m, bridge, slot);
}

/* All in another segment, behind an endpoint of the first. */
static void add_volume_management(struct machine *m)
{
    unsigned first = m->n, vmd = pick(m->n);

    if (m->f[vmd].header == PCI_HEADER_BRIDGE)
        return;
    machine_add(m, NULL, 0, 0, ROOT)->at.segment = 1;
    machine_add(m, NULL, 1, 0, ROOT)->at.segment = 1;
    for (unsigned i = first; i < m->n; i++)
        if (m->f[i].secondary != 0)
            fill_bus(m, &m->f[i]);
    for (unsigned i = first; i < m->n; i++)
        m->f[i].dma_device = &m->f[vmd];
}

static void make_machine(struct machine *m)
{
    bool honest = percent(60), linux_ran = percent(50);

    m->n = 0;
    fill_bus(m, NULL);
    for (unsigned i = 0; i < m->n; i++)
        if (m->f[i].secondary != 0)
            fill_bus(m, &m->f[i]);
    if (percent(20))
        add_volume_management(m);
    for (unsigned i = 0; i < m->n; i++)
        give_facts(&m->f[i], honest, linux_ran);
}

/* ---- the same in another order ---------------------------------------------------- */

static unsigned
    to[MACHINE_MAX]; /* where function i of `machine` is in `shuffled` */

static const struct uim_pci_function *moved(const struct uim_pci_function *f)
{
    return f != NULL ? &shuffled.f[to[f - machine.f]] : NULL;
}

static void shuffle(void)
{
    shuffled.n = machine.n;
    for (unsigned i = 0; i < machine.n; i++) {
        unsigned j = pick(i + 1);

        to[i] = to[j];
        to[j] = i;
    }
    for (unsigned i = 0; i < machine.n; i++) {
        struct uim_pci_function *f = &shuffled.f[to[i]];

        *f = machine.f[i];
        f->bridge = moved(f->bridge);
        f->physical = moved(f->physical);
        f->dma_device = moved(f->dma_device);
    }
}

/* ---- what was seen, so that nothing holds of nothing ------------------------------- */

static struct {
    unsigned whys[UIM_PCI_NO_PREFIX + 1];
    unsigned coarser, by_order, aliases, single, plugged, joins, merges, own;
} seen;

static void forget_what_was_seen(void)
{
    memset(&seen, 0, sizeof(seen));
}

/* ---- the properties ----------------------------------------------------------------- */

static void the_order_does_not_matter(void)
{
    uim_pci_groups(machine.f, machine.n, machine.group);
    uim_pci_groups(shuffled.f, shuffled.n, shuffled.group);
    for (unsigned i = 0; i < machine.n; i++)
        for (unsigned j = 0; j < i; j++)
            assert_int_equal(machine.group[i] == machine.group[j],
                             shuffled.group[to[i]] == shuffled.group[to[j]]);
}

/* In the order in which they come to be, without gaps. */
static void numbers_are_in_order(const unsigned *group, unsigned n)
{
    unsigned next = 0;

    for (unsigned i = 0; i < n; i++) {
        assert_true(group[i] <= next);
        next += group[i] == next;
    }
}

static void groups_of_linux_are_inside(void)
{
    static unsigned one[MACHINE_MAX], other[MACHINE_MAX];
    bool coarser = false, by_order = false;

    uim_pci_groups_linux(machine.f, machine.n, one);
    uim_pci_groups_linux(shuffled.f, shuffled.n, other);
    numbers_are_in_order(machine.group, machine.n);
    numbers_are_in_order(one, machine.n);
    for (unsigned i = 0; i < machine.n; i++) {
        for (unsigned j = 0; j < i; j++) {
            bool ours = machine.group[i] == machine.group[j];
            bool theirs = one[i] == one[j];
            bool again = other[to[i]] == other[to[j]];

            if ((theirs || again) && !ours)
                fail_msg("%u and %u are one group in Linux", j, i);
            coarser |= ours && !theirs;
            by_order |= theirs != again;
        }
    }
    seen.coarser += coarser;
    seen.by_order += by_order;
}

static void ids_are_in_one_group(void)
{
    for (unsigned i = 0; i < machine.n; i++) {
        const struct uim_pci_function *f = &machine.f[i];
        uint16_t id;

        for (unsigned k = 0; uim_pci_alias(f, k, &id) == UIOMMU_OK; k++) {
            for (unsigned j = 0; j < machine.n; j++) {
                const struct uiommu_pci *at = &machine.f[j].at;

                if (at->segment != uim_pci_requester(f)->at.segment ||
                    (at->bus << 8 | at->devfn) != id)
                    continue;
                assert_int_equal(machine.group[i], machine.group[j]);
                seen.aliases += i != j;
            }
        }
    }
}

/* It is about somebody, begins and ends as a sentence does, and has a verb. */
static void expect_sentence(const struct uim_pci_reason *reason)
{
    static const char *const verbs[] = { " does not ", " has ", " may ",
                                         " could not " };
    char text[600], where[20] = "requester id ";
    bool verb = false;
    size_t n = uim_pci_reason_text(reason, text, sizeof(text));

    assert_true(n > 40 && n < sizeof(text) - 1 && n == strlen(text));
    assert_true((text[0] | 0x20) >= 'a' && (text[0] | 0x20) <= 'z');
    assert_true(text[n - 1] != ' ' && text[n - 1] != ':');
    assert_null(strstr(text, "  "));
    if (reason->at != NULL)
        snprintf(where, sizeof(where), " %04x:%02x:%02x.%u ",
                 (unsigned)reason->at->at.segment, (unsigned)reason->at->at.bus,
                 reason->at->at.devfn >> 3u, reason->at->at.devfn & 7u);
    assert_non_null(strstr(text, where));
    for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        verb |= strstr(text, verbs[i]) != NULL;
    assert_true(verb);
    seen.whys[reason->why]++;
}

static bool edge(unsigned i, unsigned j)
{
    struct uim_pci_reason one, other;
    bool joined = uim_pci_joined(&machine.f[i], &machine.f[j], &one);

    assert_int_equal(joined,
                     uim_pci_joined(&machine.f[j], &machine.f[i], &other));
    assert_int_equal(joined,
                     uim_pci_joined(&machine.f[j], &machine.f[i], NULL));
    assert_int_equal(joined, one.why != UIM_PCI_APART);
    assert_int_equal(one.why, other.why);
    assert_ptr_equal(one.at, other.at);
    assert_int_equal(one.missing, other.missing);
    assert_int_equal(one.id, other.id);
    if (joined && (one.why != UIM_PCI_CONVENTIONAL || percent(5)))
        expect_sentence(&one);
    return joined;
}

/* Labels spread along pairs that are joined until nothing changes. */
static void chains_connect_groups(void)
{
    static bool joined[MACHINE_MAX][MACHINE_MAX];
    static unsigned label[MACHINE_MAX];
    bool changed = true;

    for (unsigned i = 0; i < machine.n; i++) {
        label[i] = i;
        for (unsigned j = 0; j < i; j++)
            joined[i][j] = joined[j][i] = edge(i, j);
    }
    while (changed) {
        changed = false;
        for (unsigned i = 0; i < machine.n; i++) {
            for (unsigned j = 0; j < machine.n; j++) {
                if (i == j || !joined[i][j] || label[j] >= label[i])
                    continue;
                label[i] = label[j];
                changed = true;
            }
        }
    }
    for (unsigned i = 0; i < machine.n; i++)
        for (unsigned j = 0; j < i; j++)
            assert_int_equal(label[i] == label[j],
                             machine.group[i] == machine.group[j]);
}

static bool is_alone(unsigned i)
{
    for (unsigned j = 0; j < machine.n; j++)
        if (j != i && machine.group[j] == machine.group[i])
            return false;
    return true;
}

/* An empty port to plug something into, or NULL. */
static struct uim_pci_function *empty_port(void)
{
    struct uim_pci_function *p = &machine.f[pick(machine.n)];

    if (p->port != ROOT && p->port != DOWN)
        return NULL;
    for (unsigned i = 0; i < machine.n; i++)
        if (machine.f[i].bridge == p)
            return NULL;
    return p;
}

static void singletons_stay(void)
{
    static bool single[MACHINE_MAX];
    unsigned before = machine.n;
    struct uim_pci_function *port = empty_port();

    for (unsigned i = 0; i < before; i++) {
        single[i] =
            is_alone(i) && uim_pci_immutable_singleton(&machine.f[i], NULL);
        seen.single += single[i];
    }
    if (port == NULL)
        return;
    add_slot(&machine, port, 0);
    for (unsigned i = before; i < machine.n; i++)
        if (machine.f[i].secondary != 0 && machine.n < SIZE + 20)
            fill_bus(&machine, &machine.f[i]);
    for (unsigned i = before; i < machine.n; i++) {
        give_facts(&machine.f[i], false, false);
        machine.f[i].dma_device = port->dma_device;
    }
    uim_pci_groups(machine.f, machine.n, machine.group);
    for (unsigned i = 0; i < before; i++)
        assert_true(!single[i] || is_alone(i));
    seen.plugged++;
}

static bool is_linked(unsigned i)
{
    const struct uim_pci_function *f = &shuffled.f[i];

    for (unsigned j = 0; j < shuffled.n; j++)
        if (shuffled.f[j].bridge == f || shuffled.f[j].physical == f ||
            shuffled.f[j].dma_device == f)
            return true;
    return false;
}

/* The last of the other order, as if it had come now. */
static void a_new_function_is_told_its_group(void)
{
    static unsigned before[MACHINE_MAX];
    unsigned last = shuffled.n - 1, group = 9999, of = 9999, n = 0;
    enum uiommu_status status;

    if (is_linked(last))
        return;
    uim_pci_groups(shuffled.f, shuffled.n, shuffled.group);
    uim_pci_groups(shuffled.f, last, before);
    status = uim_pci_group_of_new(shuffled.f, last, before, &shuffled.f[last],
                                  &group);
    for (unsigned i = 0; i < last; i++) {
        if (shuffled.group[i] != shuffled.group[last] || (n && before[i] == of))
            continue;
        of = before[i];
        n++;
    }
    assert_int_equal(status, n == 0   ? UIOMMU_NOENT
                             : n == 1 ? UIOMMU_OK
                                      : UIOMMU_BUSY);
    if (n == 1)
        assert_int_equal(group, of);
    seen.own += n == 0;
    seen.joins += n == 1;
    seen.merges += n > 1;
}

static void properties_hold_of_any_machine(void **state)
{
    (void)state;
    forget_what_was_seen();
    for (unsigned round = 1; round <= ROUNDS / share(); round++) {
        seed = round * 2654435761u | 1;
        make_machine(&machine);
        shuffle();
        the_order_does_not_matter();
        groups_of_linux_are_inside();
        ids_are_in_one_group();
        chains_connect_groups();
        a_new_function_is_told_its_group();
        singletons_stay();
    }
    print_message("coarser %u, by order %u, aliases %u, single %u, plugged %u, "
                  "new: own %u, joins %u, merges %u; whys",
                  seen.coarser, seen.by_order, seen.aliases, seen.single,
                  seen.plugged, seen.own, seen.joins, seen.merges);
    for (unsigned why = 0; why <= UIM_PCI_NO_PREFIX; why++)
        print_message(" %u", seen.whys[why]);
    print_message("\n");
    if (share() > 1)
        return; /* too few to have seen all there is */
    for (unsigned why = UIM_PCI_SAME_ID; why < UIM_PCI_NO_PREFIX; why++)
        assert_true(seen.whys[why] > 20);
    assert_true(seen.coarser > 100 && seen.coarser < ROUNDS);
    assert_true(seen.by_order > 20);
    assert_true(seen.aliases > 1000);
    assert_true(seen.single > 1000);
    assert_true(seen.plugged > 100);
    assert_true(seen.own > 100 && seen.joins > 100 && seen.merges > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_hold_of_any_machine),
    };

    return cmocka_run_group_tests_name("PCI groups of any machine", tests, NULL,
                                       NULL);
}
