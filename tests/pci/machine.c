/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static bool leads_down(uint8_t port)
{
    return port == PCI_EXP_TYPE_ROOT_PORT ||
           port == PCI_EXP_TYPE_UPSTREAM_PORT ||
           port == PCI_EXP_TYPE_DOWNSTREAM_PORT ||
           port == PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE ||
           port == PCI_EXP_TYPE_PCI_TO_PCIE_BRIDGE;
}

static void give_bus(struct machine *m, struct uim_pci_function *f)
{
    uint8_t last = 0;

    for (unsigned i = 0; i < m->n; i++)
        if (m->f[i].at.segment == f->at.segment && m->f[i].secondary > last)
            last = m->f[i].secondary;
    f->header = PCI_HEADER_BRIDGE;
    f->secondary = f->subordinate = (uint8_t)(last + 1);
}

struct uim_pci_function *machine_add(struct machine *m,
                                     struct uim_pci_function *bridge,
                                     unsigned slot, unsigned function,
                                     uint8_t port)
{
    struct uim_pci_function *f = &m->f[m->n++];

    assert_true(m->n <= MACHINE_MAX);
    *f = (struct uim_pci_function){
        .at = { bridge != NULL ? bridge->at.segment : 0,
                bridge != NULL ? bridge->secondary : 0,
                (uint8_t)(slot << 3 | function) },
        .bridge = bridge,
        .vendor = 0x1234,
        .device = 0x5678,
        .class_code = 0x020000,
        .multifunction = function != 0,
        .port = port,
    };
    if (leads_down(port))
        give_bus(m, f);
    return f;
}

struct uim_pci_function *machine_bridge(struct machine *m,
                                        struct uim_pci_function *bridge,
                                        unsigned slot)
{
    struct uim_pci_function *f =
        machine_add(m, bridge, slot, 0, UIM_PCI_NOT_PCIE);

    give_bus(m, f);
    return f;
}

struct uim_pci_function *machine_acs(struct uim_pci_function *f, uint16_t cap,
                                     uint16_t ctrl)
{
    f->acs = 0x100;
    f->acs_cap = cap;
    f->acs_ctrl = ctrl;
    return f;
}

struct uim_pci_function *machine_id(struct uim_pci_function *f, uint16_t vendor,
                                    uint16_t device)
{
    f->vendor = vendor;
    f->device = device;
    return f;
}

static const char *print(const struct machine *m, char *text)
{
    int at = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < m->n && at < 1980; i++)
        at += snprintf(text + at, 2000 - (size_t)at, i ? " %u" : "%u",
                       m->group[i]);
    return text;
}

/* Behind the last is one that has to do with the first, and a group that is its. */
static void fence(struct machine *m)
{
    m->f[m->n] = m->f[0];
    m->f[m->n].at.devfn ^= 0xff;
    m->f[m->n].dma_device = &m->f[0];
    m->group[m->n] = m->n;
}

const char *machine_groups(struct machine *m, char text[static 2000])
{
    fence(m);
    uim_pci_groups(m->f, m->n, m->group);
    assert_int_equal(m->group[m->n], m->n);
    return print(m, text);
}

const char *machine_groups_linux(struct machine *m, char text[static 2000])
{
    fence(m);
    uim_pci_groups_linux(m->f, m->n, m->group);
    assert_int_equal(m->group[m->n], m->n);
    return print(m, text);
}

const char *machine_why(const struct uim_pci_function *a,
                        const struct uim_pci_function *b, char text[static 400])
{
    struct uim_pci_reason reason;
    bool joined = uim_pci_joined(a, b, &reason);

    assert_int_equal(joined, reason.why != UIM_PCI_APART);
    assert_true(uim_pci_reason_text(&reason, text, 400) < 400);
    return joined ? text : NULL;
}
