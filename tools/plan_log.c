/* SPDX-License-Identifier: MIT */
/*
 * plan_log.c - what Linux logs of each function when it starts:
 *
 *     pci 0000:00:1c.0: [8086:9d10] type 01 class 0x060400 PCIe Root Port
 *     pci 0000:00:1c.0: PCI bridge to [bus 01-02]
 *
 * Older kernels do not say the port type, and none says what ACS does.
 */
#include <string.h>

#include "tools/plan_line.h"
#include "tools/plan_machine.h"

static struct plan_seen *seen_at(struct plan_machine *m, struct uiommu_pci at)
{
    for (unsigned i = m->n; i > 0; i--) {
        struct plan_seen *s = &m->seen[i - 1];

        if (s->at.segment == at.segment && s->at.bus == at.bus &&
            s->at.devfn == at.devfn)
            return s;
    }
    return NULL;
}

static void read_port(struct plan_line l, struct plan_seen *s)
{
    static const struct {
        const char *name;
        uint8_t port;
    } ports[] = {
        { "conventional PCI", UIM_PCI_NOT_PCIE },
        { "PCIe Endpoint", PCI_EXP_TYPE_ENDPOINT },
        { "PCIe Legacy Endpoint", PCI_EXP_TYPE_LEGACY_ENDPOINT },
        { "PCIe Root Port", PCI_EXP_TYPE_ROOT_PORT },
        { "PCIe Switch Upstream Port", PCI_EXP_TYPE_UPSTREAM_PORT },
        { "PCIe Switch Downstream Port", PCI_EXP_TYPE_DOWNSTREAM_PORT },
        { "PCIe to PCI/PCI-X bridge", PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE },
        { "PCI/PCI-X to PCIe bridge", PCI_EXP_TYPE_PCI_TO_PCIE_BRIDGE },
        { "PCIe Root Complex Integrated Endpoint",
          PCI_EXP_TYPE_RC_INTEGRATED_ENDPOINT },
        { "PCIe Root Complex Event Collector",
          PCI_EXP_TYPE_RC_EVENT_COLLECTOR },
    };

    s->said.port = UIM_PCI_NOT_PCIE;
    s->unseen = "a log of so old a kernel does not say what port it is";
    plan_skip_blanks(&l);
    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        if (!plan_skip(&l, ports[i].name))
            continue;
        s->said.port = ports[i].port;
        s->unseen = ports[i].port == UIM_PCI_NOT_PCIE
                        ? NULL
                        : "a log does not say what its ACS does";
        return;
    }
}

/* Behind "pci 0000:00:1c.0: ". One that went and came is logged again. */
static bool read_function(struct plan_machine *m, unsigned segment,
                          struct uiommu_pci at, struct plan_line l)
{
    unsigned vendor, device, type, class_code;
    struct plan_seen *s;

    if (!plan_skip(&l, "[") || !plan_digits(&l, 4, &vendor) ||
        !plan_skip(&l, ":") || !plan_digits(&l, 4, &device) ||
        !plan_skip(&l, "] type ") || !plan_number(&l, 16, 1, &type) ||
        !plan_skip(&l, " class 0x") || !plan_number(&l, 16, 6, &class_code))
        return true;
    if (segment > 0xffff)
        return plan_add_elsewhere(m, segment, at);
    s = seen_at(m, at);
    if (!s && !(s = plan_add(m, at)))
        return false;
    s->words = true;
    s->said.vendor = (uint16_t)vendor;
    s->said.device = (uint16_t)device;
    s->said.class_code = class_code;
    s->said.header = type == 0 ? PCI_HEADER_FUNCTION : PCI_HEADER_BRIDGE;
    read_port(l, s);
    return true;
}

static void read_buses(struct plan_machine *m, struct uiommu_pci at,
                       struct plan_line l)
{
    struct plan_seen *s = seen_at(m, at);
    unsigned first, last;

    if (!s || !plan_skip(&l, "PCI bridge to [bus ") ||
        !plan_digits(&l, 2, &first))
        return;
    last = first;
    if (plan_skip(&l, "-") && !plan_digits(&l, 2, &last))
        return;
    s->said.header = PCI_HEADER_BRIDGE;
    s->said.secondary = (uint8_t)first;
    s->said.subordinate = (uint8_t)last;
}

bool plan_log_read(const char *text, size_t size, struct plan_machine *m)
{
    struct uiommu_pci at;
    struct plan_line l;
    unsigned segment;

    while (plan_line_next(&text, &size, &l)) {
        if (!plan_seek(&l, "pci ") || !plan_address_read(&l, &segment, &at) ||
            !plan_skip(&l, ": "))
            continue;
        if (!read_function(m, segment, at, l))
            return false;
        if (segment <= 0xffff)
            read_buses(m, at, l);
    }
    return (m->n > 0 || m->n_elsewhere > 0) && plan_machine_finish(m);
}
