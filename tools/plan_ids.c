/* SPDX-License-Identifier: MIT */
/*
 * plan_ids.c - lspci prints names; quirks go by numbers. The names are those of
 * pci.ids, which lspci took them from: "vendor  name", below it "\tdevice  name".
 * A name of several devices is that of none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/file.h"
#include "tools/plan_machine.h"

enum { IDS_MAX = 16 << 20 };

struct entry {
    unsigned depth; /* tabs before it */
    bool is_class;  /* "C 06  Bridge" */
    unsigned id;
    const char *name;
    size_t size;
};

struct plan_vendor {
    unsigned id;
    const char *name;
    size_t size;
    const char *devices; /* the lines behind it */
};

/* ---- lines --------------------------------------------------------------------- */

static bool hex(const char *p, unsigned n, unsigned *out)
{
    *out = 0;
    for (unsigned i = 0; i < n; i++) {
        const char *digits = "0123456789abcdef", *d;

        d = p[i] ? strchr(digits, p[i]) : NULL;
        if (!d)
            return false;
        *out = *out << 4 | (unsigned)(d - digits);
    }
    return true;
}

/* Two blanks are between number and name. */
static bool parse(const char *p, const char *end, unsigned digits,
                  struct entry *e)
{
    if ((size_t)(end - p) < digits + 2 || !hex(p, digits, &e->id) ||
        memcmp(p + digits, "  ", 2) != 0)
        return false;
    e->name = p + digits + 2;
    e->size = (size_t)(end - e->name);
    return true;
}

/* The entry at *p, which goes on behind its line. Vendors have 4 digits, devices too;
 * classes have 2. */
static bool next(const char **p, bool in_classes, struct entry *e)
{
    const char *start = *p, *end = strchr(start, '\n');

    if (*start == '\0')
        return false;
    if (!end)
        end = start + strlen(start);
    *p = end + (*end != '\0');
    for (e->depth = 0; *start == '\t'; start++)
        e->depth++;
    e->is_class =
        e->depth == 0 && end - start > 2 && *start == 'C' && start[1] == ' ';
    if (e->is_class)
        start += 2;
    if (!parse(start, end, e->is_class || (in_classes && e->depth) ? 2 : 4, e))
        e->depth = 99; /* a comment */
    return true;
}

static bool is_name(const struct entry *e, const char *name, size_t size)
{
    return e->size == size && memcmp(e->name, name, size) == 0;
}

/* ---- names --------------------------------------------------------------------- */

static bool unknown_device(const char *name, size_t size, uint16_t *device)
{
    unsigned id;

    if (size != 11 || memcmp(name, "Device ", 7) != 0 || !hex(name + 7, 4, &id))
        return false;
    *device = (uint16_t)id;
    return true;
}

/* Among the devices that follow a vendor. */
static bool find_device(const char *p, const char *name, size_t size,
                        uint16_t *device)
{
    unsigned found = 0, id = 0;
    struct entry e;

    if (unknown_device(name, size, device))
        return true;
    while (next(&p, false, &e) && e.depth != 0) {
        if (e.depth == 1 && is_name(&e, name, size)) {
            id = e.id;
            found++;
        }
    }
    if (found == 1)
        *device = (uint16_t)id;
    return found == 1;
}

/* A vendor's name and a blank begin it. */
static bool begins(const struct plan_vendor *v, const char *name, size_t size)
{
    return v->size + 1 < size && memcmp(v->name, name, v->size) == 0 &&
           name[v->size] == ' ';
}

static size_t longest_vendor(const struct plan_ids *ids, const char *name,
                             size_t size)
{
    size_t longest = 0;

    for (unsigned i = 0; i < ids->n; i++)
        if (begins(&ids->vendors[i], name, size) &&
            ids->vendors[i].size > longest)
            longest = ids->vendors[i].size;
    return longest;
}

/* Some vendors have two numbers: that of the device is meant. */
bool plan_ids_find(const struct plan_ids *ids, const char *name, size_t size,
                   uint16_t *vendor, bool *has_device, uint16_t *device)
{
    const size_t longest = longest_vendor(ids, name, size);
    unsigned n = 0, found = 0;

    for (unsigned i = 0; i < ids->n; i++) {
        const struct plan_vendor *v = &ids->vendors[i];
        bool known;

        if (v->size != longest || !begins(v, name, size))
            continue;
        known = find_device(v->devices, name + longest + 1, size - longest - 1,
                            device);
        found += known;
        if (n++ == 0 || known)
            *vendor = (uint16_t)v->id;
    }
    *has_device = found == 1;
    if (n > 1 && found != 1)
        *vendor = 0;
    return n == 1 || found == 1;
}

bool plan_ids_class(const struct plan_ids *ids, const char *name, size_t size,
                    uint16_t *class_code)
{
    const char *p = ids->classes;
    unsigned base = 0;
    struct entry e;

    while (p && next(&p, true, &e)) {
        if (e.is_class)
            base = e.id;
        if (e.depth == 1 && is_name(&e, name, size)) {
            *class_code = (uint16_t)(base << 8 | e.id);
            return true;
        }
    }
    return false;
}

/* Vendors come first, classes after them. */
static unsigned list(struct plan_ids *ids)
{
    const char *p = ids->text, *line = p;
    unsigned n = 0;
    struct entry e;

    while (next(&p, false, &e) && !e.is_class) {
        line = p;
        if (e.depth != 0)
            continue;
        if (ids->vendors)
            ids->vendors[n] =
                (struct plan_vendor){ e.id, e.name, e.size, line };
        n++;
    }
    ids->classes = *line != '\0' ? line : NULL;
    return n;
}

bool plan_ids_take(struct plan_ids *ids, char *text)
{
    *ids = (struct plan_ids){ .text = text };
    ids->vendors = calloc(list(ids) + 1, sizeof(*ids->vendors));
    if (ids->vendors)
        ids->n = list(ids);
    return ids->vendors;
}

/* ---- the file ------------------------------------------------------------------- */

bool plan_ids_open(struct plan_ids *ids, const char *file, const char **why)
{
    static const char *const places[] = { "/usr/share/misc/pci.ids",
                                          "/usr/share/hwdata/pci.ids",
                                          "/usr/share/pci.ids" };
    char *text = NULL;
    size_t size;

    *ids = (struct plan_ids){ 0 };
    for (size_t i = 0; !file && !text && i < 3; i++)
        text = file_read(places[i], IDS_MAX, &size, why);
    if (file)
        text = file_read(file, IDS_MAX, &size, why);
    if (!text)
        return !file;
    *why = "no memory";
    return plan_ids_take(ids, text);
}

void plan_ids_close(struct plan_ids *ids)
{
    free(ids->text);
    free(ids->vendors);
}
