/* SPDX-License-Identifier: MIT */
/*
 * plan_show.c - groups as a JSON object, and that object for people; what goes along
 * with a device, and what would separate them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "fw/fw.h"
#include "tools/fw_json.h"
#include "tools/plan.h"

enum { REASON_SIZE = 400 };

void plan_groups(const struct plan_machine *m, bool like_linux, unsigned *group)
{
    if (like_linux)
        uim_pci_groups_linux(m->functions, m->n, group);
    else
        uim_pci_groups(m->functions, m->n, group);
}

/* ---- chains of reasons ----------------------------------------------------------- */

/* Those that `at` joins and that nothing else did before. */
static unsigned follow(const struct plan_machine *m, const unsigned *group,
                       unsigned at, unsigned *parent, unsigned *queue,
                       unsigned n)
{
    for (unsigned i = 0; i < m->n; i++) {
        if (group[i] != group[at] || parent[i] != m->n || i == queue[0] ||
            !uim_pci_joined(&m->functions[at], &m->functions[i], NULL))
            continue;
        parent[i] = at;
        queue[n++] = i;
    }
    return n;
}

/* Tells for each member of the group how it hangs on `from`, breadth first: parent[i]
 * is the function that joins i to it, or n where nothing does, or i is `from`. False:
 * no memory. */
static bool chain(const struct plan_machine *m, const unsigned *group,
                  unsigned from, unsigned *parent)
{
    unsigned *queue = malloc(m->n * sizeof(*queue)), n = 1;

    if (!queue)
        return false;
    for (unsigned i = 0; i < m->n; i++)
        parent[i] = m->n;
    queue[0] = from;
    for (unsigned i = 0; i < n; i++)
        n = follow(m, group, queue[i], parent, queue, n);
    free(queue);
    return true;
}

/* Why two are together; Linux may have its own reasons. */
static void reason_of(const struct plan_machine *m, unsigned a, unsigned b,
                      char text[REASON_SIZE])
{
    struct uim_pci_reason reason;

    if (uim_pci_joined(&m->functions[a], &m->functions[b], &reason))
        uim_pci_reason_text(&reason, text, REASON_SIZE);
    else
        snprintf(text, REASON_SIZE, "Linux comes from the one to the other");
}

/* ---- JSON ------------------------------------------------------------------------ */

static bool add_string(cJSON *object, const char *name, const char *text)
{
    return cJSON_AddStringToObject(object, name, text);
}

static bool append(cJSON *array, cJSON *item)
{
    if (item && cJSON_AddItemToArray(array, item))
        return true;
    cJSON_Delete(item);
    return false;
}

static bool add_reason(cJSON *reasons, const struct plan_machine *m, unsigned a,
                       unsigned b)
{
    char text[REASON_SIZE], from[PLAN_ADDRESS_SIZE], to[PLAN_ADDRESS_SIZE];
    cJSON *reason = cJSON_CreateObject();

    reason_of(m, a, b, text);
    if (add_string(reason, "a", plan_address(m->functions[a].at, from)) &&
        add_string(reason, "b", plan_address(m->functions[b].at, to)) &&
        add_string(reason, "why", text))
        return append(reasons, reason);
    cJSON_Delete(reason);
    return false;
}

/* One for each member of the group but `from`. */
static bool add_reasons(cJSON *reasons, const struct plan_machine *m,
                        const unsigned *group, unsigned from)
{
    unsigned *parent = malloc(m->n * sizeof(*parent));
    bool good = reasons && parent && chain(m, group, from, parent);

    for (unsigned i = 0; good && i < m->n; i++)
        if (group[i] == group[from] && i != from)
            good =
                add_reason(reasons, m, parent[i] < m->n ? parent[i] : from, i);
    free(parent);
    return good;
}

static bool add_devices(cJSON *devices, const struct plan_machine *m,
                        const unsigned *group, unsigned which)
{
    char text[PLAN_ADDRESS_SIZE];
    bool good = devices;

    for (unsigned i = 0; good && i < m->n; i++)
        if (group[i] == which)
            good = append(devices, cJSON_CreateString(
                                       plan_address(m->functions[i].at, text)));
    return good;
}

/* The group of `from`, on which the reasons hang. */
static bool add_group(cJSON *groups, const struct plan_machine *m,
                      const unsigned *group, unsigned from,
                      const struct plan_table *t)
{
    const unsigned which = group[from];
    cJSON *object = cJSON_CreateObject();

    if (cJSON_AddNumberToObject(object, "id", which) &&
        add_devices(cJSON_AddArrayToObject(object, "devices"), m, group,
                    which) &&
        add_reasons(cJSON_AddArrayToObject(object, "reasons"), m, group,
                    from) &&
        (!t->data || plan_table_add(t, m, group, which, object)))
        return append(groups, object);
    cJSON_Delete(object);
    return false;
}

static bool add_unseen(cJSON *unseen, const struct plan_machine *m)
{
    char text[PLAN_ADDRESS_SIZE];
    bool good = unseen;

    for (unsigned i = 0; good && i < m->n; i++)
        if (m->seen[i].unseen)
            good = append(
                unseen, cJSON_CreateString(plan_address(m->seen[i].at, text)));
    for (unsigned i = 0; good && i < m->n_elsewhere; i++)
        good = append(unseen, cJSON_CreateString(m->elsewhere[i]));
    return good;
}

cJSON *plan_describe(const struct plan_machine *m, const unsigned *group,
                     const struct uim_pci_function *device,
                     const struct plan_table *t)
{
    cJSON *plan = cJSON_CreateObject();
    cJSON *groups = cJSON_AddArrayToObject(plan, "groups");
    bool good = groups;
    unsigned n = 0;

    if (device)
        good = good && add_group(groups, m, group,
                                 (unsigned)(device - m->functions), t);
    for (unsigned i = 0; good && !device && i < m->n; i++)
        if (group[i] == n && ++n)
            good = add_group(groups, m, group, i, t);
    if (good && add_unseen(cJSON_AddArrayToObject(plan, "unseen"), m))
        return plan;
    cJSON_Delete(plan);
    return NULL;
}

/* ---- text ------------------------------------------------------------------------ */

static void print_name(const struct plan_machine *m,
                       const struct uim_pci_function *f)
{
    const struct plan_seen *s = &m->seen[f - m->functions];
    char text[PLAN_ADDRESS_SIZE];

    printf("%s", plan_address(f->at, text));
    if (s->name[0] != '\0')
        printf("  %s", s->name);
    else
        printf("  class %06x, %04x:%04x", f->class_code, f->vendor, f->device);
}

static const struct uim_pci_function *function_of(const struct plan_machine *m,
                                                  const char *address)
{
    char text[PLAN_ADDRESS_SIZE];

    for (unsigned i = 0; i < m->n; i++)
        if (strcmp(plan_address(m->functions[i].at, text), address) == 0)
            return &m->functions[i];
    return NULL;
}

/* Is the reason one of those before it in the list, for another device? */
static bool is_repeated(const cJSON *reasons, const cJSON *reason)
{
    for (const cJSON *r = reasons->child; r != reason; r = r->next)
        if (strcmp(fw_text(r, "a"), fw_text(reason, "a")) == 0 &&
            strcmp(fw_text(r, "why"), fw_text(reason, "why")) == 0)
            return true;
    return false;
}

/* Each sentence once, with all that it joins. */
static void print_reasons(const cJSON *reasons)
{
    const cJSON *reason;

    cJSON_ArrayForEach(reason, reasons)
    {
        if (is_repeated(reasons, reason))
            continue;
        printf("    %s with", fw_text(reason, "a"));
        for (const cJSON *r = reason; r; r = r->next)
            if (strcmp(fw_text(r, "a"), fw_text(reason, "a")) == 0 &&
                strcmp(fw_text(r, "why"), fw_text(reason, "why")) == 0)
                printf(" %s", fw_text(r, "b"));
        printf(": %s\n", fw_text(reason, "why"));
    }
}

static void print_group(const struct plan_machine *m, const cJSON *group)
{
    const cJSON *item;

    printf("group %.0f\n", fw_number(group, "id"));
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(group, "devices"))
    {
        printf("  ");
        print_name(m, function_of(m, item->valuestring));
        printf("\n");
    }
    print_reasons(cJSON_GetObjectItem(group, "reasons"));
    plan_table_print(group);
}

static void print_unseen(const struct plan_seen *s)
{
    char text[PLAN_ADDRESS_SIZE];

    if (s->unseen)
        printf("unseen: %s: %s\n", plan_address(s->at, text), s->unseen);
    else if (s->id_unknown && !s->bytes)
        printf("note: %s: pci.ids has no number for its name; what is special "
               "about it, if anything, is not known\n",
               plan_address(s->at, text));
}

static void print_acs_off(const struct plan_machine *m)
{
    if (m->acs_off)
        printf("note: no port has ACS switched on: no IOMMU was in use there, "
               "which would change it\n");
}

static void print_elsewhere(const struct plan_machine *m)
{
    for (unsigned i = 0; i < m->n_elsewhere; i++)
        printf("unseen: %s: below a device that makes a segment of its own; it "
               "goes where that goes\n",
               m->elsewhere[i]);
}

void plan_print(const struct plan_machine *m, const cJSON *plan)
{
    const cJSON *group;

    cJSON_ArrayForEach(group, cJSON_GetObjectItem(plan, "groups"))
        print_group(m, group);
    for (unsigned i = 0; i < m->n; i++)
        print_unseen(&m->seen[i]);
    print_elsewhere(m);
    print_acs_off(m);
}

/* ---- one device ------------------------------------------------------------------- */

static bool is_bridge(const struct uim_pci_function *f)
{
    return f->header == PCI_HEADER_BRIDGE;
}

static void print_company(const struct plan_machine *m, const unsigned *group,
                          unsigned device, bool bridges)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->n; i++) {
        if (group[i] != group[device] || i == device ||
            is_bridge(&m->functions[i]) != bridges)
            continue;
        if (n++ == 0)
            printf(bridges ? "bridges of the group, which stay:\n"
                           : "goes along:\n");
        printf("  ");
        print_name(m, &m->functions[i]);
        printf("\n");
    }
    if (n == 0 && !bridges)
        printf("goes along: nothing\n");
}

static void acs_names(uint16_t bits, char text[64])
{
    static const char *const names[] = { "SV", "TB", "RR", "CR",
                                         "UF", "EC", "DT" };
    size_t n = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (bits & 1u << i)
            n += (size_t)snprintf(text + n, 64 - n, " %s", names[i]);
}

/* It has the bits and they are off, or it has none; or egress control, which is on,
 * goes before one that is. */
static void print_acs(const struct uim_pci_function *at, uint16_t missing)
{
    const uint16_t on = missing & at->acs_ctrl;
    const uint16_t off = (uint16_t)(missing & ~on);
    char address[PLAN_ADDRESS_SIZE], bits[64];

    plan_address(at->at, address);
    acs_names(off, bits);
    if (on & PCI_ACS_RR)
        printf("  ACS EC switched off in %s%s%s%s", address,
               off ? ", and ACS" : "", bits, off ? " on" : "");
    else if (at->acs && !(missing & ~at->acs_cap))
        printf("  ACS%s switched on in %s, which has it", bits, address);
    else
        printf("  ACS%s in %s, which does not have it", bits, address);
}

static void print_cure(const struct uim_pci_reason *reason)
{
    char address[PLAN_ADDRESS_SIZE] = "";

    if (reason->at)
        plan_address(reason->at->at, address);
    switch (reason->why) {
    case UIM_PCI_UNDER_PORT:
    case UIM_PCI_PORT_ITSELF:
    case UIM_PCI_ACROSS:
        print_acs(reason->at, reason->missing);
        printf(", or another slot, not below %s\n", address);
        break;
    case UIM_PCI_CONVENTIONAL:
        printf("  another slot, not below %s\n", address);
        break;
    case UIM_PCI_SAME_DEVICE:
        print_acs(reason->at, reason->missing);
        printf(", for it is one device with others\n");
        break;
    case UIM_PCI_PORT_MEMORY:
        printf("  nothing, and what it drags along is a port: the registers of "
               "%s can be reached from below\n",
               address);
        break;
    case UIM_PCI_UNSEEN:
        printf("  to be seen: %s, by root (lspci -xxxx)\n", address);
        break;
    default:
        printf("  nothing: their DMA carries the same id %02x:%02x.%u\n",
               reason->id >> 8, reason->id >> 3 & 0x1fu, reason->id & 7u);
        break;
    }
}

static bool same_cure(const struct uim_pci_reason *a,
                      const struct uim_pci_reason *b)
{
    bool ports =
        (a->why == UIM_PCI_UNDER_PORT || a->why == UIM_PCI_PORT_ITSELF) &&
        (b->why == UIM_PCI_UNDER_PORT || b->why == UIM_PCI_PORT_ITSELF);

    return (a->why == b->why || ports) && a->at == b->at &&
           a->missing == b->missing && (a->at || a->id == b->id);
}

/* Everything that joins the device itself; what is joined to others only goes when
 * these do. */
static bool print_cures(const struct plan_machine *m, const unsigned *group,
                        unsigned device)
{
    struct uim_pci_reason *all = malloc(m->n * sizeof(*all));
    unsigned n = 0;

    for (unsigned i = 0; all && i < m->n; i++) {
        bool known = false;

        if (i == device || group[i] != group[device] ||
            !uim_pci_joined(&m->functions[device], &m->functions[i], &all[n]))
            continue;
        for (unsigned k = 0; k < n; k++)
            known |= same_cure(&all[k], &all[n]);
        if (known)
            continue;
        if (n == 0)
            printf("would separate it, all of it together:\n");
        print_cure(&all[n++]);
    }
    free(all);
    return all;
}

bool plan_print_device(const struct plan_machine *m, const unsigned *group,
                       const struct uim_pci_function *device, const cJSON *plan)
{
    const unsigned at = (unsigned)(device - m->functions);
    const cJSON *own = fw_first(cJSON_GetObjectItem(plan, "groups"));

    print_name(m, device);
    printf("\ngroup %u\n", group[at]);
    print_company(m, group, at, false);
    print_company(m, group, at, true);
    print_reasons(cJSON_GetObjectItem(own, "reasons"));
    if (!print_cures(m, group, at))
        return false;
    plan_table_print(own);
    for (unsigned i = 0; i < m->n; i++)
        if (group[i] == group[at])
            print_unseen(&m->seen[i]);
    print_acs_off(m);
    return true;
}
