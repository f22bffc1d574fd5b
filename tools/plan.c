/* SPDX-License-Identifier: MIT */
/*
 * uiommu plan [--json] [--like linux] [--device ADDRESS] [--table FILE]
 *             [--ids FILE] [--sysfs FOLDER] [FILE]
 *
 * A machine is read, judged by src/pci, and shown.
 */
#include "tools/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "fw/fw.h"
#include "tools/file.h"

struct options {
    bool json, like_linux;
    const char *device, *table, *ids, *sysfs; /* NULL: none                   */
    const char *file; /* NULL: the running machine; "-": standard input       */
};

static void complain(const char *name, const char *why)
{
    fprintf(stderr, "uiommu plan: %s: %s\n", name, why);
}

static int usage(FILE *out)
{
    fputs(
        "usage: uiommu plan [--json] [--like linux] [--device ADDRESS] "
        "[--table FILE]\n"
        "                   [--ids FILE] [--sysfs FOLDER] [FILE]\n"
        "\n"
        "Says which devices can be kept apart, and why not: the groups in "
        "which "
        "they can\n"
        "only be passed through together. Reads what `lspci -vvv` or `lspci "
        "-xxxx`, best\n"
        "both, printed on any machine, by root (FILE, or - for standard "
        "input), "
        "or else\n"
        "the Linux that runs here. Without root that shows no capabilities; "
        "what was not\n"
        "seen is said, and taken for the worst.\n"
        "\n"
        "  --device ADDRESS  of one device, as 0000:01:00.0: what goes along "
        "with it, and\n"
        "                    what would separate them\n"
        "  --like linux      groups as Linux makes them, which do not cover "
        "all "
        "ways that\n"
        "                    one device has to another\n"
        "  --table FILE      the machine's DMAR or IORT: which unit translates "
        "for whom,\n"
        "                    and whether memory that firmware keeps forbids "
        "it\n"
        "  --ids FILE        pci.ids, for dumps that have names and no numbers "
        "(lspci -nn\n"
        "                    has both); without it that of this machine\n"
        "  --sysfs FOLDER    in place of /sys/bus/pci\n"
        "  --json            {\"groups\": [{\"id\": N, \"devices\": [ADDRESS], "
        "\"reasons\":\n"
        "                    [{\"a\": ADDRESS, \"b\": ADDRESS, \"why\": "
        "SENTENCE}]}],\n"
        "                    \"unseen\": [ADDRESS]}; with --table, groups have "
        "\"units\"\n"
        "                    and \"regions\" too; with --device, only its "
        "group "
        "is there\n"
        "\n"
        "Exit status: 0, 1 if there is no such device, 2 for wrong usage or "
        "what "
        "cannot\n"
        "be read.\n",
        out);
    return out == stdout ? 0 : 2;
}

/* The value of the option `name` at argv[*i], taken once. */
static bool take(int argc, char **argv, int *i, const char *name,
                 const char **value)
{
    if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc || *value)
        return false;
    *value = argv[++*i];
    return true;
}

static bool parse(int argc, char **argv, struct options *o)
{
    const char *like = NULL;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (take(argc, argv, &i, "--like", &like) ||
                 take(argc, argv, &i, "--device", &o->device) ||
                 take(argc, argv, &i, "--table", &o->table) ||
                 take(argc, argv, &i, "--ids", &o->ids) ||
                 take(argc, argv, &i, "--sysfs", &o->sysfs))
            continue;
        else if ((argv[i][0] != '-' || argv[i][1] == '\0') && !o->file)
            o->file = argv[i];
        else
            return false;
    }
    o->like_linux = like;
    return (!like || strcmp(like, "linux") == 0) && !(o->file && o->sysfs);
}

/* ---- reading --------------------------------------------------------------------- */

static const char *source_of(const struct options *o)
{
    if (!o->file)
        return "this machine";
    return strcmp(o->file, "-") == 0 ? "standard input" : o->file;
}

static bool read_dump(const struct options *o, struct plan_machine *m)
{
    const char *why, *file = strcmp(o->file, "-") == 0 ? NULL : o->file;
    struct plan_ids ids;
    size_t size;
    char *text;
    bool good;

    if (!plan_ids_open(&ids, o->ids, &why)) {
        complain(o->ids ? o->ids : "pci.ids", why);
        plan_ids_close(&ids);
        return false;
    }
    text = file_read(file, PLAN_TEXT_MAX, &size, &why);
    good = text && plan_read(text, size, &ids, m);
    if (!good)
        complain(source_of(o), text ? m->why : why);
    free(text);
    plan_ids_close(&ids);
    return good;
}

static bool read_machine(const struct options *o, struct plan_machine *m)
{
    if (o->file)
        return read_dump(o, m);
    if (plan_live_read(o->sysfs, m))
        return true;
    complain(source_of(o), m->why);
    return false;
}

/* ---- showing --------------------------------------------------------------------- */

static const struct uim_pci_function *device_of(const struct options *o,
                                                const struct plan_machine *m)
{
    char text[PLAN_ADDRESS_SIZE], prefixed[PLAN_ADDRESS_SIZE + 8];

    snprintf(prefixed, sizeof(prefixed), "0000:%.20s", o->device);
    for (unsigned i = 0; i < m->n; i++) {
        plan_address(m->functions[i].at, text);
        if (strcmp(text, o->device) == 0 || strcmp(text, prefixed) == 0)
            return &m->functions[i];
    }
    return NULL;
}

static bool print_json(const cJSON *plan)
{
    char *text = cJSON_Print(plan);

    if (text)
        puts(text);
    cJSON_free(text);
    return text;
}

static bool print_plan(const struct options *o, const struct plan_machine *m,
                       const struct plan_table *t, const unsigned *group,
                       const struct uim_pci_function *device)
{
    cJSON *plan = plan_describe(m, group, device, t);
    bool good = plan;

    if (good && o->json)
        good = print_json(plan);
    else if (good && !device)
        plan_print(m, plan);
    else if (good)
        good = plan_print_device(m, group, device, plan);
    cJSON_Delete(plan);
    return good;
}

static int show(const struct options *o, const struct plan_machine *m,
                const struct plan_table *t)
{
    const struct uim_pci_function *device = NULL;
    unsigned *group;
    bool good;

    if (o->device && !(device = device_of(o, m))) {
        complain(o->device, "there is no such device");
        return 1;
    }
    group = calloc(m->n + 1, sizeof(*group));
    if (group)
        plan_groups(m, o->like_linux, group);
    good = group && print_plan(o, m, t, group, device);
    free(group);
    if (good)
        return 0;
    complain(source_of(o), "no memory");
    return 2;
}

int tool_plan(int argc, char **argv)
{
    struct plan_machine m = { 0 };
    struct plan_table t = { 0 };
    struct options o = { 0 };
    int result = 2;

    if (argc > 1 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (!parse(argc, argv, &o))
        return usage(stderr);
    if ((!o.table || plan_table_open(&t, o.table, complain)) &&
        read_machine(&o, &m))
        result = show(&o, &m, &t);
    plan_table_close(&t);
    plan_machine_free(&m);
    return result;
}
