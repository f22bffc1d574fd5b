/* SPDX-License-Identifier: MIT */
/*
 * Who can be kept from whom, and who not and why: one rule at a time (semantics B.9).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"

/* ---- what joins two ----------------------------------------------------------- */

static char text[2000];

/* root port, switch with three ports, an endpoint below each; all with ACS. */
struct tree {
    struct machine m;
    struct uim_pci_function *root, *up, *down[3], *end[3];
};

static struct tree *new_tree(void)
{
    struct tree *t = calloc(1, sizeof(*t));

    assert_non_null(t);
    t->root =
        machine_acs(machine_add(&t->m, NULL, 1, 0, ROOT), ACS_CAP, ACS_ON);
    t->up = machine_add(&t->m, t->root, 0, 0, UP);
    for (unsigned i = 0; i < 3; i++)
        t->down[i] =
            machine_acs(machine_add(&t->m, t->up, i, 0, DOWN), ACS_CAP, ACS_ON);
    for (unsigned i = 0; i < 3; i++)
        t->end[i] = machine_add(&t->m, t->down[i], 0, 0, END);
    return t;
}

static void with_all_of_acs_each_is_alone(void **state)
{
    struct tree *t = new_tree();

    (void)state;
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 6 7");
    assert_string_equal(machine_groups_linux(&t->m, text), "0 1 2 3 4 5 6 7");
    assert_null(machine_why(t->end[0], t->end[1], text));
    assert_string_equal(text, "nothing joins them");
    assert_null(machine_why(t->end[0], t->down[0], text));
    assert_false(uim_pci_joined(t->end[0], t->root, NULL));
    free(t);
}

/* Corpus rule 4. */
static void a_root_port_that_leaks_joins_all_below(void **state)
{
    struct tree *t = new_tree();

    (void)state;
    t->root->acs_ctrl = PCI_ACS_SV | PCI_ACS_UF;
    assert_string_equal(machine_groups(&t->m, text), "0 0 0 0 0 0 0 0");
    assert_string_equal(machine_groups_linux(&t->m, text), "0 0 0 0 0 0 0 0");
    assert_string_equal(
        machine_why(t->end[0], t->end[1], text),
        "root port 0000:00:01.0 does not redirect requests (ACS RR) or "
        "redirect "
        "completions (ACS CR), as it is switched off: all below it can reach "
        "each other");
    assert_string_equal(
        machine_why(t->end[0], t->root, text),
        "root port 0000:00:01.0 does not redirect requests (ACS RR) or "
        "redirect "
        "completions (ACS CR), as it is switched off: what is below it can "
        "reach it");
    t->root->acs = 0;
    assert_string_equal(
        machine_why(t->root, t->end[2], text),
        "root port 0000:00:01.0 does not validate requester ids (ACS SV), "
        "redirect requests (ACS RR), redirect completions (ACS CR) or forward "
        "upstream (ACS UF), as it has no ACS capability: what is below it can "
        "reach it");
    free(t);
}

/* ACS says what a port lets out, not what others send to what is below it. */
static void a_switch_port_that_leaks_opens_its_switch(void **state)
{
    struct tree *t = new_tree();

    (void)state;
    t->down[1]->acs_ctrl &= (uint16_t)~PCI_ACS_RR;
    assert_string_equal(machine_groups(&t->m, text), "0 1 1 1 1 1 1 1");
    assert_string_equal(machine_groups_linux(&t->m, text), "0 1 2 3 4 5 3 6");
    assert_string_equal(
        machine_why(t->end[1], t->end[2], text),
        "switch port 0000:02:01.0 does not redirect requests (ACS RR), as it "
        "is "
        "switched off: what is below it can reach all of its switch");
    assert_non_null(machine_why(t->end[0], t->end[1], text));
    assert_non_null(machine_why(t->up, t->end[1], text));
    assert_non_null(machine_why(t->end[1], t->down[1], text));
    assert_non_null(machine_why(t->down[0], t->down[1], text));
    assert_null(machine_why(t->end[0], t->end[2], text)); /* not directly */
    assert_null(machine_why(t->root, t->end[1], text));
    free(t);
}

static void a_switch_port_that_leaks_below_another_switch(void **state)
{
    struct tree *t = new_tree();
    struct uim_pci_function *up = machine_add(&t->m, t->down[2], 1, 0, UP);
    struct uim_pci_function *down = machine_add(&t->m, up, 0, 0, DOWN);
    struct uim_pci_function *end = machine_add(&t->m, down, 0, 0, END);

    (void)state;
    t->end[2]->physical = t->end[1]; /* so that it is no part of the switch */
    assert_non_null(machine_why(up, end, text));
    assert_null(machine_why(t->end[0], end, text));
    assert_null(machine_why(t->down[2], end, text));
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 6 7 8 8 8");
    free(t);
}

static void egress_control_opens_a_switch(void **state)
{
    struct tree *t = new_tree();

    (void)state;
    machine_acs(t->down[0], 0x3f, ACS_ON | PCI_ACS_EC);
    assert_string_equal(machine_groups(&t->m, text), "0 1 1 1 1 1 1 1");
    assert_string_equal(machine_groups_linux(&t->m, text), "0 1 2 3 4 5 6 7");
    assert_string_equal(
        machine_why(t->end[0], t->end[2], text),
        "switch port 0000:02:00.0 does not redirect requests (ACS RR), as its "
        "egress control (ACS EC) lets some pass: what is below it can reach "
        "all "
        "of its switch");
    free(t);
}

static void conventional_buses_are_shared(void **state)
{
    struct tree *t = new_tree();
    struct uim_pci_function *pci = machine_add(&t->m, t->down[0], 1, 0, TO_PCI);
    struct uim_pci_function *a = machine_add(&t->m, pci, 0, 0, CONVENTIONAL);
    struct uim_pci_function *b = machine_add(&t->m, pci, 1, 0, CONVENTIONAL);

    (void)state;
    t->m.f[5].physical = t->end[1]; /* end[0] is no part of the bridge */
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 6 7 8 8 8");
    assert_string_equal(machine_groups_linux(&t->m, text),
                        "0 1 2 3 4 5 6 7 8 8 8");
    assert_string_equal(
        machine_why(a, b, text),
        "PCIe-to-PCI bridge 0000:03:01.0 has a conventional bus, where "
        "requester ids and who may reach whom cannot be told apart");
    pci->port = TO_PCIE;
    assert_true(strncmp(machine_why(a, pci, text), "PCI-to-PCIe bridge", 18) ==
                0);
    pci->port = CONVENTIONAL;
    assert_true(strncmp(machine_why(a, b, text), "bridge 0000:03:01.0 has a ",
                        26) == 0);
    free(t);
}

/* An id that is known to isolate does not make ids differ. */
static void conventional_buses_of_bridges_that_isolate(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *root = machine_add(&m, NULL, 1, 0, ROOT);
    struct uim_pci_function *pci = machine_add(&m, root, 0, 0, TO_PCI);
    struct uim_pci_function *a = machine_add(&m, pci, 1, 0, CONVENTIONAL);

    (void)state;
    machine_acs(root, ACS_CAP, ACS_ON);
    machine_id(pci, 0x1def, 0xe005);
    assert_string_equal(machine_groups(&m, text), "0 1 1");
    assert_string_equal(machine_groups_linux(&m, text), "0 1 1");
    assert_non_null(strstr(machine_why(a, pci, text), "a conventional bus"));
}

static void what_could_not_be_read_is_not_trusted(void **state)
{
    struct tree *t = new_tree();

    (void)state;
    t->down[0]->unseen = true;
    assert_string_equal(
        machine_why(t->end[0], t->end[1], text),
        "switch port 0000:02:00.0 could not be read, so that nothing is known "
        "of what it keeps apart");
    assert_string_equal(machine_groups(&t->m, text), "0 1 1 1 1 1 1 1");
    free(t);
}

/* ---- functions of one device ----------------------------------------------------- */

/* On a root bus the root complex is between them: two that both leak. */
static void slots_of_a_root_bus(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *a = machine_add(&m, NULL, 3, 0, INTEGRATED);
    struct uim_pci_function *b = machine_add(&m, NULL, 3, 1, INTEGRATED);
    struct uim_pci_function *c = machine_add(&m, NULL, 3, 2, INTEGRATED);
    struct uim_pci_function *d = machine_add(&m, NULL, 4, 0, CONVENTIONAL);

    (void)state;
    a->multifunction = true;
    machine_acs(c, ACS_CAP, ACS_ON);
    assert_string_equal(machine_groups(&m, text), "0 0 1 2");
    assert_string_equal(machine_groups_linux(&m, text), "0 0 1 2");
    assert_string_equal(
        machine_why(a, b, text),
        "function 0000:00:03.0 does not validate requester ids (ACS SV), "
        "redirect requests (ACS RR), redirect completions (ACS CR) or forward "
        "upstream (ACS UF), as it has no ACS capability: it can reach other "
        "functions of its device");
    b->port = a->port = CONVENTIONAL;
    assert_non_null(
        strstr(machine_why(b, a, text), "as it is conventional PCI"));
    a->unseen = true;
    assert_non_null(strstr(machine_why(b, a, text), "could not be read"));
    b->at.segment = 1;
    assert_null(machine_why(a, b, text));
    (void)d;
}

/* Behind a port they are one chip: one that leaks is enough. */
static void functions_of_a_device(void **state)
{
    struct tree *t = new_tree();
    struct uim_pci_function *second = machine_add(&t->m, t->down[0], 0, 1, END);
    struct uim_pci_function *far = machine_add(&t->m, t->down[0], 9, 1, END);

    (void)state;
    t->end[0]->multifunction = true;
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 6 7 5 5");
    assert_string_equal(machine_groups_linux(&t->m, text),
                        "0 1 2 3 4 5 6 7 5 8");
    machine_acs(t->end[0], ACS_CAP, ACS_ON);
    machine_acs(far, ACS_CAP, ACS_ON);
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 6 7 5 5");
    assert_string_equal(machine_groups_linux(&t->m, text),
                        "0 1 2 3 4 5 6 7 8 9");
    assert_true(strncmp(machine_why(t->end[0], second, text),
                        "function 0000:03:00.1 does", 26) == 0);
    machine_acs(second, ACS_CAP, ACS_ON);
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 6 7 8 9");
    /* Virtual functions are the physical one's business. */
    second->acs = 0;
    far->physical = second;
    assert_null(machine_why(far, second, text));
    assert_null(machine_why(second, far, text));
    free(t);
}

static void a_function_beside_the_upstream_port(void **state)
{
    struct tree *t = new_tree();
    struct uim_pci_function *dma = machine_add(&t->m, t->root, 0, 1, END);

    (void)state;
    /* The port is isolated, but what is beside it reaches into the switch. */
    t->up->multifunction = true;
    machine_acs(t->up, ACS_CAP, ACS_ON);
    assert_string_equal(machine_groups(&t->m, text), "0 1 1 1 1 1 1 1 1");
    assert_string_equal(machine_groups_linux(&t->m, text), "0 1 2 3 4 5 6 7 8");
    assert_true(strncmp(machine_why(t->end[2], dma, text),
                        "function 0000:01:00.1 does", 26) == 0);
    /* Neither is: everything below the port is joined by it. */
    t->up->acs = 0;
    assert_string_equal(machine_groups(&t->m, text), "0 1 1 1 1 1 1 1 1");
    assert_string_equal(machine_groups_linux(&t->m, text), "0 1 1 1 1 1 1 1 1");
    assert_non_null(strstr(machine_why(t->end[0], t->end[1], text),
                           "upstream port 0000:01:00.0 does not"));
    free(t);
}

/* ---- registers of ports --------------------------------------------------------- */

static void registers_of_ports(void **state)
{
    const char *memory = "has registers in memory that others can reach, which "
                         "no port blocks or redirects (ACS enhanced)";
    struct tree *t = new_tree();

    (void)state;
    t->root->own_memory = true;
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 0 0 0");
    assert_string_equal(machine_groups_linux(&t->m, text), "0 1 2 3 4 5 6 7");
    assert_true(strncmp(machine_why(t->end[0], t->root, text),
                        "root port 0000:00:01.0 ", 23) == 0);
    assert_string_equal(text + 23, memory);
    assert_null(machine_why(t->down[0], t->root, text)); /* sends nothing */
    assert_null(machine_why(t->up, t->root, text));
    machine_acs(t->root, ACS_CAP | 0x80, ACS_ON | 1 << 8);
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 6 7");
    machine_acs(t->root, ACS_CAP | 0x80, ACS_ON | 2 << 10); /* another's */
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 0 0 0");
    machine_acs(t->root, ACS_CAP, ACS_ON | 2 << 8); /* bits that it has not */
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 0 0 0");
    free(t);
}

static void registers_of_a_switch(void **state)
{
    struct tree *t = new_tree();

    (void)state;
    t->up->own_memory = true;
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 1 1 1");
    machine_acs(t->down[0], ACS_CAP | 0x80, ACS_ON | 2 << 10);
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 1 1");
    machine_acs(t->down[1], ACS_CAP | 0x80, ACS_ON | 1 << 8);
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 1 1");
    assert_null(machine_why(t->up, t->root, text));

    t->up->own_memory = false;
    t->down[2]->own_memory = true; /* below it, and from its sisters */
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 4 5 4");
    t->down[0]->acs = 0;
    assert_non_null(machine_why(t->end[0], t->down[2], text));
    free(t);
}

/* An endpoint within a switch comes in by no port that could keep it from anything. */
static void registers_of_a_switch_from_within(void **state)
{
    struct tree *t = new_tree();
    struct uim_pci_function *in = machine_add(&t->m, t->up, 9, 0, END);

    (void)state;
    t->up->own_memory = true;
    machine_acs(in, ACS_CAP | 0x80, ACS_ON | 2 << 10);
    assert_non_null(machine_why(in, t->up, text));
    in->port = DOWN;
    assert_null(machine_why(in, t->up, text));
    free(t);
}

static void registers_of_what_is_no_port(void **state)
{
    struct tree *t = new_tree();
    struct machine m = { .n = 0 };
    struct uim_pci_function *down = machine_add(&m, NULL, 0, 0, DOWN);
    struct uim_pci_function *end = machine_add(&m, NULL, 1, 0, END);

    (void)state;
    t->end[0]->own_memory = true;
    t->end[0]->header = PCI_HEADER_BRIDGE;
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 6 7");
    machine_acs(down, ACS_CAP, ACS_ON)->own_memory =
        true; /* a part of a tree */
    assert_null(machine_why(down, end, text));
    free(t);
}

/* Who is above whom is what links say. */
static void numbers_of_buses_say_nothing(void **state)
{
    struct tree *t = new_tree();

    (void)state;
    for (unsigned i = 0; i < t->m.n; i++) {
        t->m.f[i].at.bus = (uint8_t)(9 - t->m.f[i].at.bus);
        t->m.f[i].secondary = (uint8_t)(9 - t->m.f[i].secondary);
    }
    assert_string_equal(machine_groups(&t->m, text), "0 1 2 3 4 5 6 7");
    t->down[0]->acs = 0;
    assert_string_equal(machine_groups(&t->m, text), "0 1 1 1 1 1 1 1");
    assert_non_null(strstr(machine_why(t->up, t->end[0], text),
                           "can reach all of its switch"));
    machine_acs(t->down[0], ACS_CAP, ACS_ON);
    t->root->acs = 0;
    assert_non_null(
        strstr(machine_why(t->root, t->end[0], text), "can reach it"));
    free(t);
}

/* ---- ids join -------------------------------------------------------------------- */

static void who_poses_as_another(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *a = machine_add(&m, NULL, 3, 0, INTEGRATED);
    struct uim_pci_function *b = machine_add(&m, NULL, 3, 1, INTEGRATED);
    struct uim_pci_function *c = machine_add(&m, NULL, 3, 2, INTEGRATED);

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        machine_acs(&m.f[i], ACS_CAP, ACS_ON);
    assert_string_equal(machine_groups(&m, text), "0 1 2");
    machine_id(a, 0x1b4b, 0x9215);
    assert_string_equal(machine_groups(&m, text), "0 0 1");
    assert_string_equal(machine_groups_linux(&m, text), "0 0 1");
    assert_string_equal(machine_why(b, a, text),
                        "function 0000:00:03.0 may do DMA under the other's "
                        "requester id 00:03.1");
    b->at.devfn = 0x1f;
    machine_id(c, 0x1b4b, 0x9215);
    assert_string_equal(machine_groups(&m, text), "0 1 0");
    assert_string_equal(machine_why(a, c, text),
                        "the DMA of both may carry requester id 00:03.1");
    assert_string_equal(machine_why(c, c, text),
                        "the DMA of both may carry requester id 00:03.2");
}

/* Corpus rule 5. */
static void behind_a_volume_management_device(void **state)
{
    struct tree *t = new_tree();
    struct uim_pci_function *vmd = machine_add(&t->m, NULL, 9, 0, INTEGRATED);

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        t->m.f[i].at.segment = 0x1000;
        t->m.f[i].dma_device = vmd;
    }
    assert_string_equal(machine_groups(&t->m, text), "0 0 0 0 0 0 0 0 0");
    assert_string_equal(machine_why(vmd, t->end[1], text),
                        "function 1000:04:00.0 may do DMA under the other's "
                        "requester id 00:09.0");
    assert_string_equal(machine_why(t->end[0], t->end[1], text),
                        "the DMA of both may carry requester id 00:09.0");
    /* Linux has the endpoint in a group before what is behind it appears. */
    for (unsigned i = 0; i < 8; i++)
        t->m.f[i].dma_device = &t->m.f[8];
    assert_string_equal(machine_groups_linux(&t->m, text), "0 1 2 3 4 5 6 7 8");
    free(t);
}

static void behind_a_volume_management_device_in_order(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *vmd = machine_add(&m, NULL, 9, 0, INTEGRATED);
    struct uim_pci_function *root = machine_add(&m, NULL, 1, 0, ROOT);
    struct uim_pci_function *end = machine_add(&m, root, 0, 0, END);

    (void)state;
    root->at.segment = end->at.segment = 0x1000;
    root->dma_device = end->dma_device = vmd;
    assert_string_equal(machine_groups_linux(&m, text), "0 0 0");
    assert_string_equal(machine_groups(&m, text), "0 0 0");
}

/* The same bus and devfn in two segments: none comes first but by its segment. */
static void reasons_have_no_direction(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *a = machine_add(&m, NULL, 9, 0, INTEGRATED);
    struct uim_pci_function *b = machine_add(&m, NULL, 9, 0, INTEGRATED);
    struct uim_pci_reason one, other;

    (void)state;
    b->at.segment = 1;
    a->dma_device = b;
    b->dma_device = a; /* nonsense, of which either could be told */
    assert_true(uim_pci_joined(a, b, &one));
    assert_true(uim_pci_joined(b, a, &other));
    assert_int_equal(one.why, UIM_PCI_ALIAS);
    assert_int_equal(other.why, UIM_PCI_ALIAS);
    assert_ptr_equal(one.at, a);
    assert_ptr_equal(other.at, a);
}

/* ---- Linux, where order matters ---------------------------------------------------- */

/* d -> c -> b -> a: the last to come finds the first over all between. */
static void linux_follows_aliases_of_aliases(void **state)
{
    const uint8_t to[] = { 0x08, 0x10, 0x18 };
    struct machine m = { .n = 0 };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct uim_pci_function *f =
            machine_add(&m, NULL, i + 1, 0, INTEGRATED);

        f->devfns = i > 0 ? &to[i - 1] : NULL;
        f->n_devfns = i > 0;
    }
    assert_string_equal(machine_groups_linux(&m, text), "0 0 0 0");
    /* The chain is there before anything is grouped: found from the far end. */
    m.f[0].at.bus = 1;
    assert_string_equal(machine_groups_linux(&m, text), "0 1 1 1");
}

/* Who is between two counts before it is in a group itself. */
static void linux_follows_aliases_of_those_to_come(void **state)
{
    const uint8_t both[] = { 0x18, 0x28 };
    struct machine m = { .n = 0 };
    struct uim_pci_function *between;

    (void)state;
    machine_add(&m, NULL, 3, 0, INTEGRATED);
    machine_add(&m, NULL, 5, 0, INTEGRATED);
    assert_string_equal(machine_groups_linux(&m, text), "0 1");
    between = machine_add(&m, NULL, 4, 0, INTEGRATED);
    between->devfns = both;
    between->n_devfns = 2;
    assert_string_equal(machine_groups_linux(&m, text), "0 0 0");
    assert_string_equal(machine_groups(&m, text), "0 0 0");
}

/* The top of what leaks has neighbours. */
static void linux_goes_on_from_the_bridge_that_leaks(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *b = machine_add(&m, NULL, 1, 1, ROOT);
    struct uim_pci_function *below = machine_add(&m, b, 0, 0, END);
    struct uim_pci_function *a = machine_add(&m, NULL, 1, 0, CONVENTIONAL);

    (void)state;
    a->multifunction = true;
    assert_string_equal(machine_groups_linux(&m, text), "0 0 0");
    b->multifunction = false; /* as Linux asks the one that it probes */
    assert_string_equal(machine_groups_linux(&m, text), "0 0 0");
    a->multifunction = false;
    assert_string_equal(machine_groups_linux(&m, text), "0 0 1");
    machine_acs(b, ACS_CAP, ACS_ON);
    a->multifunction = b->multifunction = true;
    assert_string_equal(machine_groups_linux(&m, text), "0 1 2");
    (void)below;
}

/* The same when the bridge itself is still to come. */
static void linux_goes_on_from_a_bridge_to_come(void **state)
{
    struct machine m = { .n = 0 }, made = { .n = 0 };
    struct uim_pci_function *b = machine_add(&made, NULL, 1, 1, ROOT);

    (void)state;
    machine_add(&made, b, 0, 0, END)->bridge = &m.f[2];
    machine_add(&m, NULL, 1, 0, CONVENTIONAL);
    m.f[1] = made.f[1];
    m.f[2] = *b;
    m.n = 3;
    assert_string_equal(machine_groups_linux(&m, text), "0 0 0");
    m.f[2].multifunction = false;
    assert_string_equal(machine_groups_linux(&m, text), "0 1 2");
}

/* Whose bridge is probed later is not in its group. */
static void linux_depends_on_the_order(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *a, *b;

    (void)state;
    m.n = 2;
    m.f[0] = m.f[1] = (struct uim_pci_function){ .vendor = 0x1234 };
    a = machine_bridge(&m, NULL, 2);
    b = machine_bridge(&m, a, 3);
    for (unsigned i = 0; i < 2; i++) {
        m.f[i].bridge = b;
        m.f[i].at.bus = b->secondary;
        m.f[i].at.devfn = (uint8_t)(i << 3);
        m.f[i].port = CONVENTIONAL;
    }
    /* Neither finds a bridge with a group; the bridges find nobody. */
    assert_string_equal(machine_groups_linux(&m, text), "0 1 2 2");
    assert_string_equal(machine_groups(&m, text), "0 0 0 0");
}

/* What is linked to but not there has no group, and gives none. */
static void linux_with_a_part_of_a_machine(void **state)
{
    struct machine whole = { .n = 0 }, m = { .n = 0 };
    struct uim_pci_function *root = machine_add(&whole, NULL, 1, 0, ROOT);

    (void)state;
    machine_add(&m, root, 0, 0, END);
    machine_add(&m, root, 1, 0, END);
    assert_string_equal(machine_groups_linux(&m, text), "0 1");
    assert_string_equal(machine_groups(&m, text), "0 0");
}

/* A device that does the DMA of another counts on its bus, no other. */
static void linux_looks_for_who_does_the_dma(void **state)
{
    struct machine m = { .n = 0 };
    struct uim_pci_function *a = machine_add(&m, NULL, 3, 0, INTEGRATED);
    struct uim_pci_function *b = machine_add(&m, NULL, 4, 0, INTEGRATED);
    struct uim_pci_function *root = machine_add(&m, NULL, 5, 0, ROOT);
    struct uim_pci_function *far = machine_add(&m, root, 3, 0, END);

    (void)state;
    machine_acs(root, ACS_CAP, ACS_ON);
    a->dma_device = b; /* which comes later */
    assert_string_equal(machine_groups_linux(&m, text), "0 0 1 2");
    a->dma_device = far;
    assert_string_equal(machine_groups_linux(&m, text), "0 1 2 3");
    assert_string_equal(machine_groups(&m, text), "0 1 2 0");
}

/* ---- what follows for one ----------------------------------------------------------- */

static const char *not_single(const struct uim_pci_function *f)
{
    struct uim_pci_reason reason;
    bool single = uim_pci_immutable_singleton(f, &reason);

    assert_int_equal(single, uim_pci_immutable_singleton(f, NULL));
    assert_int_equal(single, reason.why == UIM_PCI_APART);
    assert_true(uim_pci_reason_text(&reason, text, sizeof(text)) > 0);
    return single ? NULL : text;
}

static void singletons_that_stay(void **state)
{
    struct tree *t = new_tree();
    struct uim_pci_function *f = t->end[1];
    struct uim_pci_function *vmd = machine_add(&t->m, NULL, 9, 0, INTEGRATED);
    struct uim_pci_function *old = machine_add(&t->m, NULL, 8, 0, CONVENTIONAL);

    (void)state;
    for (unsigned i = 0; i < t->m.n; i++)
        assert_null(not_single(&t->m.f[i]));
    f->multifunction = true;
    assert_non_null(strstr(not_single(f), "reach other functions"));
    machine_acs(f, ACS_CAP, ACS_ON);
    assert_null(not_single(f));
    t->down[1]->acs_ctrl = 0x1c;
    assert_non_null(strstr(not_single(f), "switch port 0000:02:01.0"));
    assert_non_null(strstr(not_single(t->down[1]), "is below it can reach it"));
    t->down[1]->acs_ctrl = ACS_ON;
    t->root->acs = 0;
    assert_non_null(strstr(not_single(f), "root port 0000:00:01.0"));
    machine_acs(t->root, ACS_CAP, ACS_ON);
    f->dma_device = vmd;
    assert_string_equal(not_single(f),
                        "the DMA of both may carry requester id 00:09.0");
    f->dma_device = NULL;
    f->multifunction = false;
    f->unseen = true;
    assert_non_null(strstr(not_single(f), "could not be read"));
    f->unseen = false;
    machine_id(f, 0x1b4b, 0x9123);
    assert_string_equal(not_single(f),
                        "the DMA of both may carry requester id 04:00.1");
    t->up->own_memory = true;
    assert_non_null(strstr(not_single(t->up), "has registers in memory"));
    t->down[2]->port = CONVENTIONAL;
    assert_non_null(strstr(not_single(t->end[2]), "has a conventional bus"));
    (void)old;
    free(t);
}

static const char *not_routed(const struct uim_pci_function *f)
{
    struct uim_pci_reason reason;
    bool routed = uim_pci_pasid_routed(f, &reason);

    assert_int_equal(routed, uim_pci_pasid_routed(f, NULL));
    assert_int_equal(routed, reason.why == UIM_PCI_APART);
    assert_true(uim_pci_reason_text(&reason, text, sizeof(text)) > 0);
    return routed ? NULL : text;
}

static void pasids_need_a_way(void **state)
{
    struct tree *t = new_tree();
    struct uim_pci_function *f = t->end[1];
    struct uim_pci_function *vga = machine_add(&t->m, NULL, 2, 0, INTEGRATED);

    (void)state;
    assert_null(not_routed(vga));
    assert_string_equal(not_routed(f),
                        "switch port 0000:02:01.0 does not pass end-end TLP "
                        "prefixes, and with them no PASID");
    t->down[1]->end_end_prefix = t->root->end_end_prefix = true;
    assert_non_null(strstr(not_routed(f), "upstream port 0000:01:00.0"));
    t->up->end_end_prefix = true;
    assert_null(not_routed(f));
    /* Neither ids nor completions matter. */
    t->root->acs_ctrl = PCI_ACS_RR | PCI_ACS_UF;
    assert_null(not_routed(f));
    t->root->acs_ctrl = PCI_ACS_RR | PCI_ACS_SV;
    assert_string_equal(not_routed(f),
                        "root port 0000:00:01.0 does not forward upstream (ACS "
                        "UF), as it is switched off: all below it can reach "
                        "each other");
    t->root->acs_ctrl = PCI_ACS_UF;
    assert_non_null(strstr(not_routed(f), "redirect requests (ACS RR), as"));
    t->root->acs_ctrl = ACS_ON;
    f->multifunction = true;
    assert_non_null(strstr(not_routed(f), "function 0000:04:00.0 does not"));
    f->multifunction = false;
    f->port = CONVENTIONAL;
    assert_non_null(not_routed(f));
    free(t);
}

static void new_functions_never_merge_groups(void **state)
{
    struct tree *t = new_tree();
    struct uim_pci_function added = *t->end[2];
    unsigned group = 77;

    (void)state;
    uim_pci_groups(t->m.f, t->m.n, t->m.group);
    /* Another device: its own group. */
    added.bridge = NULL;
    added.at = (struct uiommu_pci){ 0, 0, 0x28 };
    assert_int_equal(
        uim_pci_group_of_new(t->m.f, t->m.n, t->m.group, &added, &group),
        UIOMMU_NOENT);
    assert_int_equal(group, 77);
    /* A function that comes to another of a device. */
    added.bridge = t->down[2];
    added.at = (struct uiommu_pci){ 0, 5, 1 };
    added.multifunction = true;
    assert_int_equal(
        uim_pci_group_of_new(t->m.f, t->m.n, t->m.group, &added, &group),
        UIOMMU_OK);
    assert_int_equal(group, t->m.group[7]);
    /* A switch port that leaks, beside others. */
    added = *t->down[2];
    added.at.devfn = 0x40;
    added.acs = 0;
    assert_int_equal(
        uim_pci_group_of_new(t->m.f, t->m.n, t->m.group, &added, &group),
        UIOMMU_BUSY);
    free(t);
}

/* ---- sentences ------------------------------------------------------------------------ */

static void sentences_name_what_is_known_of_the_kind(void **state)
{
    struct tree *t = new_tree();
    struct uim_pci_reason reason;

    (void)state;
    machine_id(t->root, 0x1d17, 0x0800);
    assert_non_null(strstr(machine_why(t->root, t->up, text),
                           ", as its kind is known not to: "));
    machine_id(t->root, 0x8086, 0x1c10);
    assert_non_null(strstr(machine_why(t->root, t->up, text),
                           ", as its chipset is not known to be told so: "));
    reason = (struct uim_pci_reason){ .why = UIM_PCI_UNDER_PORT,
                                      .at = t->down[0],
                                      .missing = PCI_ACS_TB };
    assert_int_equal(uim_pci_reason_text(&reason, text, 30), 126);
    assert_string_equal(text, "switch port 0000:02:00.0 does");
    assert_int_equal(uim_pci_reason_text(&reason, text, sizeof(text)), 126);
    assert_string_equal(text, "switch port 0000:02:00.0 does not block "
                              "translated requests (ACS TB), as it is switched "
                              "off: all below it can reach each other");
    assert_int_equal(uim_pci_reason_text(&reason, NULL, 0), strlen(text));
    free(t);
}

int main(void)
{
    const struct CMUnitTest joined[] = {
        cmocka_unit_test(with_all_of_acs_each_is_alone),
        cmocka_unit_test(a_root_port_that_leaks_joins_all_below),
        cmocka_unit_test(a_switch_port_that_leaks_opens_its_switch),
        cmocka_unit_test(a_switch_port_that_leaks_below_another_switch),
        cmocka_unit_test(egress_control_opens_a_switch),
        cmocka_unit_test(conventional_buses_are_shared),
        cmocka_unit_test(conventional_buses_of_bridges_that_isolate),
        cmocka_unit_test(what_could_not_be_read_is_not_trusted),
        cmocka_unit_test(slots_of_a_root_bus),
        cmocka_unit_test(functions_of_a_device),
        cmocka_unit_test(a_function_beside_the_upstream_port),
        cmocka_unit_test(registers_of_ports),
        cmocka_unit_test(registers_of_a_switch),
        cmocka_unit_test(registers_of_a_switch_from_within),
        cmocka_unit_test(registers_of_what_is_no_port),
        cmocka_unit_test(numbers_of_buses_say_nothing),
        cmocka_unit_test(who_poses_as_another),
        cmocka_unit_test(behind_a_volume_management_device),
        cmocka_unit_test(behind_a_volume_management_device_in_order),
        cmocka_unit_test(reasons_have_no_direction),
        cmocka_unit_test(sentences_name_what_is_known_of_the_kind),
    };
    const struct CMUnitTest linux_rule[] = {
        cmocka_unit_test(linux_follows_aliases_of_aliases),
        cmocka_unit_test(linux_follows_aliases_of_those_to_come),
        cmocka_unit_test(linux_goes_on_from_the_bridge_that_leaks),
        cmocka_unit_test(linux_goes_on_from_a_bridge_to_come),
        cmocka_unit_test(linux_depends_on_the_order),
        cmocka_unit_test(linux_with_a_part_of_a_machine),
        cmocka_unit_test(linux_looks_for_who_does_the_dma),
    };
    const struct CMUnitTest one[] = {
        cmocka_unit_test(singletons_that_stay),
        cmocka_unit_test(pasids_need_a_way),
        cmocka_unit_test(new_functions_never_merge_groups),
    };
    int failed = 0;

    failed +=
        cmocka_run_group_tests_name("PCI, what joins", joined, NULL, NULL);
    failed += cmocka_run_group_tests_name("PCI groups of Linux", linux_rule,
                                          NULL, NULL);
    failed += cmocka_run_group_tests_name("PCI, what follows", one, NULL, NULL);
    return failed != 0;
}
