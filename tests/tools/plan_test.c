/* SPDX-License-Identifier: MIT */
/*
 * `uiommu plan` on dumps of real machines: the groups that the kernel of that machine
 * made, and the same facts whether lspci printed words or bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "explain_help.h"
#include "plan_help.h"

enum { GROUPS_MAX = 256, ADDRESS = 16 };

/* ---- machines ------------------------------------------------------------ */

static const struct machine {
    const char *id, *file;
    bool complete; /* the dump says all that decides */
} machines[] = {
    { "apple-macmini-2018-egpu", "lspci.txt", true },
    { "asm1812-4port-nic", "lspci.txt", true },
    { "asus-pn51", "lspci.txt", true },
    { "asus-rog-m16-gu603", "lspci.txt", true },
    { "asus-x470-plx8112", "dmesg-pci.txt", false },
    { "dell-cometlake-laptop", "lspci.txt", true },
    { "dell-r6515", "dmesg-pci.txt", false },
    { "emerson-mcom10-v1000", "dmesg-pci.txt", false },
    { "emerson-mcom10-v1000", "lspci.txt", true },
    { "hp-dl388p-gen8", "dmesg-pci.txt", false },
    { "hp-spectre-x360-tb3", "dmesg-pci.txt", false },
    { "hp-spectre-x360-tb3", "lspci.txt", true },
    { "intel-nuc13", "lspci.txt", true },
    { "nxp-ls1028a", "lspci.txt", true },
    { "surface-book-2", "lspci.txt", true },
};

enum { N_MACHINES = sizeof(machines) / sizeof(machines[0]) };

/* Whose kernel told of no groups. */
static const char *const others[] = {
    "arm-n1sdp/lspci.txt",
    "dell-xe9680-partial/lspci.txt",
    "dell-xe9680-partial/lspci-xxxx.txt",
    "sifive-unmatched/lspci.txt",
};

enum { N_OTHERS = sizeof(others) / sizeof(others[0]) };

/* What is different there, one by one. */
static const struct difference {
    const char *id;
    const char *devices;
    const char *why;
} without_group[] = {
    { "asus-pn51", "0000:00:00.0 0000:00:00.2",
      "the IOMMU, and the host bridge that is one device with it" },
    { "asus-x470-plx8112", "0000:00:00.0 0000:00:00.2",
      "the IOMMU, and the host bridge that is one device with it" },
    { "dell-r6515",
      "0000:00:00.2 0000:40:00.0 0000:40:00.2 0000:80:00.0 0000:80:00.2 "
      "0000:c0:00.0 0000:c0:00.2",
      "IOMMUs, and host bridges that are one device with them; 00:00.0 has a "
      "group there" },
    { "emerson-mcom10-v1000", "0000:00:00.0 0000:00:00.2",
      "the IOMMU, and the host bridge that is one device with it" },
    { "hp-dl388p-gen8",
      "0000:1f:0b.0 0000:1f:10.2 0000:20:00.0 0000:3f:0b.0 0000:3f:10.5",
      "the line about the group is garbled in the log" },
    { "nxp-ls1028a", "0000:00:00.0 0000:00:00.1 0000:00:00.6 0000:00:1f.0",
      "the device tree puts these behind no IOMMU" },
}, without_function[] = {
    { "hp-dl388p-gen8",
      "0000:00:02.2 0000:06:00.0 0000:1f:0b.3 0000:1f:0f.4 0000:3f:0a.3 "
      "0000:3f:0f.5 0000:3f:13.1 0000:3f:13.4 20000:20:00.0",
      "the line about the function is garbled in the log; the last is 20:00.0" },
};

/* Groups that are not apart here and were there: who is to blame. */
static const struct difference coarser[] = {
    { "asus-x470-plx8112",
      "0000:00:01.0 0000:00:01.1 0000:00:01.3 0000:00:03.0 0000:00:03.1 "
      "0000:00:07.0 0000:00:07.1 0000:00:08.0 0000:00:08.1 0000:0b:00.0 "
      "0000:0b:00.2 0000:0c:00.0 0000:0c:00.2 ",
      "this kernel logs no port types: root ports, and functions of one "
      "device" },
    { "dell-r6515",
      "0000:00:03.2 0000:00:07.1 0000:00:08.1 0000:02:00.0 0000:03:00.0 "
      "0000:03:00.2 0000:40:07.1 0000:40:08.1 0000:45:00.0 0000:46:00.0 "
      "0000:46:00.1 0000:46:00.2 0000:80:07.1 0000:80:08.1 0000:80:08.2 "
      "0000:83:00.0 0000:84:00.0 0000:c0:07.1 0000:c0:08.1 0000:c8:00.0 "
      "0000:c9:00.0 ",
      "root ports whose ACS isolates, and functions of one device" },
    { "emerson-mcom10-v1000",
      "0000:00:01.0 0000:00:01.1 0000:00:01.2 0000:00:01.4 0000:00:01.5 "
      "0000:00:08.0 0000:00:08.1 0000:00:08.2 0000:03:00.0 0000:04:02.0 "
      "0000:04:03.0 0000:0b:00.0 0000:0b:00.1 0000:0b:00.2 0000:0b:00.3 "
      "0000:0b:00.5 0000:0b:00.6 ",
      "this kernel logs no port types; lspci.txt of the same machine agrees" },
    { "hp-dl388p-gen8",
      "0000:00:01.0 0000:00:02.0 0000:00:02.1 0000:00:02.3 0000:00:03.0 "
      "0000:00:03.1 0000:00:03.2 0000:00:03.3 0000:00:1c.0 0000:00:1c.7 "
      "0000:04:00.0 0000:20:01.0 0000:20:02.0 0000:20:02.1 0000:20:02.2 "
      "0000:20:02.3 0000:20:03.0 0000:20:03.1 0000:20:03.2 ",
      "this kernel logs no port types: root ports and a switch" },
    { "hp-spectre-x360-tb3",
      "0000:00:1b.0 0000:00:1d.0 0000:00:1d.2 0000:00:1d.6 0000:00:1d.7 "
      "0000:03:00.0 0000:03:01.0 0000:03:02.0 0000:03:04.0 ",
      "root ports and a switch whose ACS isolates; lspci.txt of the same "
      "machine agrees" },
};

static bool is_listed(const struct difference *list, size_t n, const char *id,
                      const char *device)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].id, id) == 0 && strstr(list[i].devices, device))
            return true;
    return false;
}

#define IS_LISTED(list, id, device)                                            \
    is_listed(list, sizeof(list) / sizeof(list[0]), id, device)

/* ---- the groups that were -------------------------------------------------- */

struct expected {
    unsigned n;
    struct {
        unsigned group;
        char device[24];
    } row[GROUPS_MAX];
};

static void read_expected(const char *id, struct expected *e)
{
    char path[200], *text, *p;
    size_t size;
    int used;

    snprintf(path, sizeof(path), "pci/%s/groups.txt", id);
    text = corpus_file(path, &size);
    e->n = 0;
    for (p = strchr(text, '\n') + 1; sscanf(p, "%u %23s%n", &e->row[e->n].group,
                                            e->row[e->n].device, &used) == 2;
         p += used)
        assert_true(++e->n < GROUPS_MAX);
    assert_string_equal(p + strspn(p, "\n"), "");
    assert_true(e->n > 0);
    free(text);
}

/* The number of the function in that group's row, or m->n. */
static unsigned function_of(const struct plan_machine *m, const char *device)
{
    char text[PLAN_ADDRESS_SIZE];
    unsigned i = 0;

    while (i < m->n &&
           strcmp(plan_address(m->functions[i].at, text), device) != 0)
        i++;
    return i;
}

/* was[i]: the group that function i had, or UINT_MAX. */
static unsigned *groups_there(const char *id, const struct plan_machine *m)
{
    unsigned *was = malloc(m->n * sizeof(*was));
    struct expected e;

    memset(was, 0xff, m->n * sizeof(*was));
    read_expected(id, &e);
    for (unsigned i = 0; i < e.n; i++) {
        unsigned f = function_of(m, e.row[i].device);

        if (f < m->n)
            was[f] = e.row[i].group;
        else if (!IS_LISTED(without_function, id, e.row[i].device))
            fail_msg("%s: %s is not in the dump", id, e.row[i].device);
    }
    return was;
}

static void check_without_group(const char *id, const struct plan_machine *m,
                                const unsigned *was)
{
    char text[PLAN_ADDRESS_SIZE];

    for (unsigned i = 0; i < m->n; i++) {
        bool listed = IS_LISTED(without_group, id,
                                plan_address(m->functions[i].at, text));

        if (listed != (was[i] == UINT32_MAX))
            fail_msg("%s: %s %s", id, text,
                     listed ? "has a group" : "has no group");
    }
}

static void check_same(const char *id, const struct plan_machine *m,
                       const unsigned *was, const unsigned *is, bool complete)
{
    char a[PLAN_ADDRESS_SIZE], b[PLAN_ADDRESS_SIZE];

    for (unsigned i = 0; i < m->n; i++)
        for (unsigned j = 0; j < i; j++) {
            if (was[i] == UINT32_MAX || was[j] == UINT32_MAX)
                continue;
            if (was[i] == was[j] ? is[i] != is[j] : complete && is[i] == is[j])
                fail_msg("%s: %s and %s were %s", id,
                         plan_address(m->functions[j].at, a),
                         plan_address(m->functions[i].at, b),
                         was[i] == was[j] ? "one group" : "two groups");
        }
}

static void read_machine(const struct machine *machine, struct plan_machine *m)
{
    char name[200];

    snprintf(name, sizeof(name), "%s/%s", machine->id, machine->file);
    plan_of_file(name, m);
}

static void groups_of_linux_are_those_that_were(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_MACHINES; i++) {
        struct plan_machine m;
        unsigned *was, *is;

        read_machine(&machines[i], &m);
        was = groups_there(machines[i].id, &m);
        is = plan_groups_of(&m, true);
        check_without_group(machines[i].id, &m, was);
        check_same(machines[i].id, &m, was, is, machines[i].complete);
        free(was);
        free(is);
        plan_machine_free(&m);
    }
}

/* ---- what logs do not say --------------------------------------------------- */

/* f, or the bridge above it, that is in the slot of `at`, if it was not seen. */
static const struct uim_pci_function *
unseen_in_slot(const struct uim_pci_function *f,
               const struct uim_pci_function *at)
{
    while (f && (f->at.segment != at->at.segment || f->at.bus != at->at.bus ||
                 f->at.devfn >> 3 != at->at.devfn >> 3))
        f = f->bridge;
    return f && f->unseen ? f : NULL;
}

/* Who lets the two be together? In one device, both have to: one was not seen. */
static const struct uim_pci_function *blame(const struct uim_pci_function *a,
                                            const struct uim_pci_function *b,
                                            const struct uim_pci_reason *reason)
{
    if (reason->why == UIM_PCI_UNSEEN)
        return reason->at;
    assert_int_equal(reason->why, UIM_PCI_SAME_DEVICE);
    if (unseen_in_slot(a, reason->at))
        return unseen_in_slot(a, reason->at);
    assert_non_null(unseen_in_slot(b, reason->at));
    return unseen_in_slot(b, reason->at);
}

/* Everybody who joins two that were apart. */
static void collect_blame(const struct plan_machine *m, const unsigned *was,
                          bool *blamed)
{
    struct uim_pci_reason reason;

    for (unsigned i = 0; i < m->n; i++)
        for (unsigned j = 0; j < i; j++) {
            if (was[i] == was[j] || was[i] == UINT32_MAX ||
                was[j] == UINT32_MAX ||
                !uim_pci_joined(&m->functions[i], &m->functions[j], &reason))
                continue;
            blamed[blame(&m->functions[i], &m->functions[j], &reason) -
                   m->functions] = true;
        }
}

static void check_blame(const char *id, const struct plan_machine *m,
                        const bool *blamed)
{
    char text[PLAN_ADDRESS_SIZE];

    for (unsigned i = 0; i < m->n; i++) {
        plan_address(m->functions[i].at, text);
        if (blamed[i] != IS_LISTED(coarser, id, text))
            fail_msg("%s: %s is %sto blame", id, text, blamed[i] ? "" : "not ");
        if (blamed[i])
            assert_non_null(m->seen[i].unseen);
    }
}

static void logs_are_coarser_where_they_do_not_say_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < N_MACHINES; i++) {
        struct plan_machine m;
        unsigned *was;
        bool *blamed;

        if (machines[i].complete)
            continue;
        read_machine(&machines[i], &m);
        was = groups_there(machines[i].id, &m);
        blamed = calloc(m.n, sizeof(*blamed));
        collect_blame(&m, was, blamed);
        check_blame(machines[i].id, &m, blamed);
        free(was);
        free(blamed);
        plan_machine_free(&m);
    }
}

/* ---- uiommu's own groups ------------------------------------------------------ */

static unsigned find_in(const unsigned *set, unsigned i)
{
    while (set[i] != i)
        i = set[i];
    return i;
}

/* Reasons lead from each member to each other, and none out of the group. */
static void check_reasons(const struct plan_machine *m, const cJSON *group)
{
    const cJSON *devices = cJSON_GetObjectItem(group, "devices"), *reason;
    unsigned *set = malloc(m->n * sizeof(*set)), joined = 1;

    for (unsigned i = 0; i < m->n; i++)
        set[i] = i;
    cJSON_ArrayForEach(reason, cJSON_GetObjectItem(group, "reasons"))
    {
        unsigned a = plan_number_of(m, text_of(reason, "a"));
        unsigned b = plan_number_of(m, text_of(reason, "b"));

        assert_true(strlen(text_of(reason, "why")) > 20);
        assert_true(uim_pci_joined(&m->functions[a], &m->functions[b], NULL));
        assert_int_not_equal(find_in(set, a), find_in(set, b));
        set[find_in(set, a)] = find_in(set, b);
        joined++;
    }
    assert_int_equal(joined, cJSON_GetArraySize(devices));
    free(set);
}

static void check_own(const struct plan_machine *m)
{
    const struct plan_table none = { 0 };
    unsigned *own = plan_groups_of(m, false), *linux_ = plan_groups_of(m, true);
    cJSON *plan = plan_describe(m, own, NULL, &none);
    const cJSON *group;
    int n = 0;

    check_same("its own", m, linux_, own, false);
    cJSON_ArrayForEach(group, cJSON_GetObjectItem(plan, "groups"))
    {
        check_reasons(m, group);
        n += cJSON_GetArraySize(cJSON_GetObjectItem(group, "devices"));
    }
    assert_int_equal(n, m->n);
    cJSON_Delete(plan);
    free(own);
    free(linux_);
}

static void own_groups_are_coarser_and_have_reasons(void **state)
{
    struct plan_machine m;

    (void)state;
    for (unsigned i = 0; i < N_MACHINES; i++) {
        read_machine(&machines[i], &m);
        check_own(&m);
        plan_machine_free(&m);
    }
    for (unsigned i = 0; i < N_OTHERS; i++) {
        plan_of_file(others[i], &m);
        check_own(&m);
        plan_machine_free(&m);
    }
}

/* ---- words and bytes ---------------------------------------------------------- */

/* The dump without the bytes, or without the words that are below a title. */
static char *only(const char *text, size_t size, bool bytes)
{
    char *copy = malloc(size + 1), *end = copy;

    for (const char *p = text, *next; *p != '\0'; p = next) {
        bool hex = strspn(p, "0123456789abcdef") >= 2 &&
                   p[strspn(p, "0123456789abcdef")] == ':' &&
                   p[strspn(p, "0123456789abcdef") + 1] == ' ';

        next = strchr(p, '\n') ? strchr(p, '\n') + 1 : p + strlen(p);
        if (bytes ? *p == '\t' : hex)
            continue;
        memcpy(end, p, (size_t)(next - p));
        end += next - p;
    }
    *end = '\0';
    return copy;
}

static void check_bridges(const struct uim_pci_function *words,
                          const struct uim_pci_function *bytes)
{
    assert_int_equal(words->bridge == NULL, bytes->bridge == NULL);
    if (words->bridge) {
        assert_int_equal(words->bridge->at.bus, bytes->bridge->at.bus);
        assert_int_equal(words->bridge->at.devfn, bytes->bridge->at.devfn);
    }
    assert_int_equal(words->secondary, bytes->secondary);
    assert_int_equal(words->subordinate, bytes->subordinate);
    assert_int_equal(words->own_memory, bytes->own_memory);
}

/* What the bytes have of it: 256 have no ACS. */
static void check_acs(const struct uim_pci_function *words,
                      const struct uim_pci_function *bytes, unsigned size)
{
    enum { NAMED = 0x7f };

    if (size < PCI_EXT_CONFIG_SIZE)
        return;
    assert_int_equal(words->acs, bytes->acs);
    assert_int_equal(words->acs_cap, bytes->acs_cap & NAMED);
    assert_int_equal(words->acs_ctrl, bytes->acs_ctrl & NAMED);
}

/* `prefixes`: by an lspci that knows of them. */
static void check_facts(const struct plan_machine *words,
                        const struct plan_machine *bytes, unsigned i,
                        bool prefixes)
{
    const struct uim_pci_function *w = &words->functions[i];
    const struct uim_pci_function *b = &bytes->functions[i];

    assert_memory_equal(&w->at, &b->at, sizeof(w->at));
    assert_int_equal(w->class_code, b->class_code);
    assert_int_equal(w->revision, b->revision);
    assert_int_equal(w->header, b->header);
    if (w->vendor || !words->seen[i].id_unknown)
        assert_int_equal(w->vendor, b->vendor);
    if (!words->seen[i].id_unknown)
        assert_int_equal(w->device, b->device);
    /* Words do not have the bit: a function 0 that is alone may have it. */
    assert_true(b->multifunction || !w->multifunction);
    if (words->seen[i].unseen || !bytes->seen[i].bytes)
        return;
    assert_int_equal(w->port, b->port);
    assert_int_equal(w->end_end_prefix, prefixes && b->end_end_prefix);
    check_bridges(w, b);
    check_acs(w, b, bytes->seen[i].size);
}

static void compare(struct plan_machine *words, struct plan_machine *bytes,
                    bool prefixes)
{
    unsigned seen = 0, known = 0;

    assert_int_equal(words->n, bytes->n);
    for (unsigned i = 0; i < words->n; i++) {
        check_facts(words, bytes, i, prefixes);
        seen += !words->seen[i].unseen && bytes->seen[i].bytes;
        known += !words->seen[i].id_unknown;
    }
    assert_true(seen > words->n / 2);
    assert_true(known > words->n / 2);
    plan_machine_free(words);
    plan_machine_free(bytes);
}

static void read_part(const char *file, bool bytes, struct plan_machine *m)
{
    char path[200], *text, *part;
    size_t size;

    snprintf(path, sizeof(path), "pci/%s", file);
    text = corpus_file(path, &size);
    part = only(text, size, bytes);
    assert_true(strlen(part) < size);
    plan_of_text(part, strlen(part), m);
    free(part);
    free(text);
}

static void words_and_bytes_are_the_same_facts(void **state)
{
    static const char *const both[] = { "arm-n1sdp/lspci.txt",
                                        "asus-rog-m16-gu603/lspci.txt" };
    struct plan_machine words, bytes;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        read_part(both[i], false, &words);
        read_part(both[i], true, &bytes);
        compare(&words, &bytes, i != 0);
    }
    plan_of_file("dell-xe9680-partial/lspci.txt", &words);
    plan_of_file("dell-xe9680-partial/lspci-xxxx.txt", &bytes);
    compare(&words, &bytes, true);
}

/* Titles are all the words there are. */
static void titles_and_bytes_are_the_same_facts(void **state)
{
    static const char name[] = "pci/sifive-unmatched/lspci.txt";
    struct plan_machine m;
    unsigned vendors = 0;
    size_t size;
    char *text;

    (void)state;
    text = corpus_file(name, &size);
    plan_of_text(text, size, &m);
    for (unsigned i = 0; i < m.n; i++) {
        const struct uim_pci_function *f = &m.functions[i];
        const struct uim_pci_function *said = &m.seen[i].said;

        assert_int_equal(said->class_code >> 8, f->class_code >> 8);
        assert_int_equal(said->revision, f->revision);
        assert_int_equal(said->vendor, f->vendor);
        vendors += said->vendor != 0;
        if (!m.seen[i].id_unknown)
            assert_int_equal(said->device, f->device);
    }
    assert_int_equal(vendors, 18);
    free(text);
    plan_machine_free(&m);
}

/* Bytes that end before ACS, and words that have it. */
static void words_fill_in_what_bytes_lack(void **state)
{
    struct plan_machine both, bytes;
    const struct uim_pci_function *f;

    (void)state;
    read_part("arm-n1sdp/lspci.txt", true, &bytes);
    plan_of_file("arm-n1sdp/lspci.txt", &both);
    assert_non_null(bytes.seen[plan_number_of(&bytes, "0000:02:08.0")].unseen);
    assert_int_equal(plan_at(&bytes, "0000:02:08.0")->acs, 0);
    assert_null(both.seen[plan_number_of(&both, "0000:02:08.0")].unseen);
    f = plan_at(&both, "0000:02:08.0");
    assert_int_equal(f->acs, 0xf24);
    assert_int_equal(f->acs_cap, 0x7f);
    assert_int_equal(f->acs_ctrl, 0x1d);
    assert_int_equal(f->device, 0x8749);
    plan_machine_free(&both);
    plan_machine_free(&bytes);
}

/* The kernel there had switched it on. */
static void chipsets_are_taken_for_protected(void **state)
{
    struct plan_machine m;
    const struct uim_pci_function *f;

    (void)state;
    plan_of_file("surface-book-2/lspci.txt", &m);
    f = plan_at(&m, "0000:00:1c.0");
    assert_int_equal(f->vendor, 0x8086);
    assert_int_equal(f->device, 0x9d10);
    assert_int_equal(uim_pci_acs_ctrl(f), 8);
    assert_int_equal(f->acs_cap, 0xf);
    assert_int_equal(uim_pci_acs_missing(f, uim_pci_acs_isolation), 0);
    assert_false(m.acs_off);
    plan_machine_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_of_linux_are_those_that_were),
        cmocka_unit_test(logs_are_coarser_where_they_do_not_say_it),
        cmocka_unit_test(own_groups_are_coarser_and_have_reasons),
        cmocka_unit_test(words_and_bytes_are_the_same_facts),
        cmocka_unit_test(titles_and_bytes_are_the_same_facts),
        cmocka_unit_test(words_fill_in_what_bytes_lack),
        cmocka_unit_test(chipsets_are_taken_for_protected),
    };

    return cmocka_run_group_tests_name("uiommu plan", tests, NULL, NULL);
}
