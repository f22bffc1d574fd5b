/* SPDX-License-Identifier: MIT */
#include "tools/scenario.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    BLOCK = 512,    /* what every engine can move at once                     */
    PAGE = 4096,
    MAX_DEVICES = 16,
};

static const uint64_t IOVA = UINT64_C(0x12345000);
static const uint64_t OUTSIDE = UINT64_C(0x12365000);
static const uint64_t DOORBELL_IOVA = UINT64_C(0x12400000);
static const uint64_t GITS_TRANSLATER = 0x40; /* in its frame */

struct scenario {
    struct machine *m;
    scenario_fn tell;
    void *ctx;
    bool ok;

    struct uiommu *u;
    struct uiommu_device *device[MAX_DEVICES];
    unsigned n_devices;
    unsigned engine; /* the device that does the DMA                          */
    bool remaps;     /* interrupts of devices pass by entries                 */
    struct uiommu_domain *domain;
    uint8_t *page;   /* what is mapped                                        */
    uint64_t phys;
    uint8_t pattern; /* a new one for each DMA                                */

    unsigned faults;
    char sentence[512]; /* of the last fault                                  */
    struct uiommu_fault fault;
};

__attribute__((format(printf, 4, 5))) static bool
say(struct scenario *s, const char *what, bool ok, const char *format, ...)
{
    struct scenario_step step = { .what = what, .ok = ok };
    va_list args;

    va_start(args, format);
    vsnprintf(step.detail, sizeof(step.detail), format, args);
    va_end(args);
    s->ok = s->ok && ok;
    s->tell(s->ctx, &step);
    return ok;
}

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct scenario *s = ctx;

    s->faults++;
    s->fault = *fault;
    uiommu_explain_fault(fault, s->sentence, sizeof(s->sentence));
    return true;
}

static void on_irq(void *ctx, unsigned unit, unsigned n)
{
    struct scenario *s = ctx;

    uiommu_irq(s->u, unit, n);
}

static const char *name(const struct scenario *s)
{
    return s->m->devices[s->engine].name;
}

/* ---- DMA and what came of it --------------------------------------------------- */

/* Interrupts first, then a look as hosts without interrupts do. */
static void collect_faults(struct scenario *s)
{
    (void)!machine_run(s->m);
    uiommu_poll(s->u);
}

static void forget_faults(struct scenario *s)
{
    collect_faults(s);
    s->faults = 0;
    s->sentence[0] = '\0';
}

/* Does a write of the engine to `iova` arrive in the page? Judged by memory. */
static bool write_lands(struct scenario *s, uint64_t iova)
{
    uint8_t data[BLOCK];
    bool landed;

    forget_faults(s);
    s->pattern = (uint8_t)(s->pattern * 5 + 17);
    memset(data, s->pattern, sizeof(data));
    memset(s->page, (uint8_t)~s->pattern, PAGE);
    (void)machine_dma(s->m, s->engine, true, iova, data, sizeof(data));
    landed = memcmp(s->page, data, sizeof(data)) == 0;
    collect_faults(s);
    return landed;
}

/* Does a read of the engine from `iova` get what is in the page? */
static bool read_gets(struct scenario *s, uint64_t iova)
{
    uint8_t data[BLOCK];

    forget_faults(s);
    s->pattern = (uint8_t)(s->pattern * 5 + 17);
    memset(s->page, s->pattern, PAGE);
    memset(data, (uint8_t)~s->pattern, sizeof(data));
    (void)machine_dma(s->m, s->engine, false, iova, data, sizeof(data));
    collect_faults(s);
    return memcmp(data, s->page, sizeof(data)) == 0;
}

/* Refused, and the unit said by whom. */
static bool blocked_and_told(struct scenario *s, bool reached)
{
    return !reached && s->faults > 0 &&
           s->fault.source.bus == s->m->devices[s->engine].pci.bus &&
           s->fault.source.devfn == s->m->devices[s->engine].pci.devfn;
}

static const char *told(const struct scenario *s)
{
    return s->faults > 0 ? s->sentence : "no fault was recorded";
}

/* ---- the steps -------------------------------------------------------------------- */

static struct uiommu_endpoint *endpoint(struct scenario *s)
{
    return uiommu_device_endpoint(s->device[s->engine]);
}

static bool start(struct scenario *s)
{
    static const struct uiommu_driver *const drivers[] = {
        &uiommu_driver_vtd,
        &uiommu_driver_smmuv3,
    };
    const struct uiommu_config config = {
        .size = sizeof(config),
        .flags = UIOMMU_CONFIG_REMAP_INTERRUPTS,
        .on_fault = on_fault,
        .fault_ctx = s,
        .options = s->m->options,
    };
    struct uiommu_unit_info unit = { .driver = NULL };
    enum uiommu_status status;

    status = uiommu_create(&s->m->host, &config, &s->u);
    if (status == UIOMMU_OK)
        status = uiommu_find_tables(s->u, drivers, 2);
    if (status == UIOMMU_OK)
        status = uiommu_start(s->u, drivers, 2);
    if (status == UIOMMU_OK)
        status = uiommu_unit_info(s->u, 0, &unit);
    if (status != UIOMMU_OK)
        return say(s, "the machine comes up from its firmware table", false,
                   "%s; %s", uiommu_status_name(status), s->m->error);
    s->remaps = unit.remaps;
    return say(s, "the machine comes up from its firmware table", true,
               "%s unit at 0x%llx, %s, %s, %u-bit addresses", unit.driver,
               (unsigned long long)unit.base, unit.mode,
               unit.coherent ? "coherent" : "not coherent",
               (unsigned)unit.iova_bits);
}

static enum uiommu_status add_device(struct scenario *s, unsigned i)
{
    const struct machine_device *d = &s->m->devices[i];
    const struct uiommu_device_info info = {
        .size = sizeof(info),
        .kind = UIOMMU_DEVICE_PCI,
        .pci = d->pci,
        .bridge = d->bridge == MACHINE_NO_BRIDGE ? NULL : s->device[d->bridge],
    };

    return uiommu_device_add(s->u, &info, &s->device[i]);
}

static bool add_devices(struct scenario *s)
{
    static const char what[] = "every device starts blocked";
    unsigned blocked = 0;

    for (unsigned i = 0; i < s->m->n_devices; i++) {
        enum uiommu_status status = add_device(s, i);

        if (status != UIOMMU_OK)
            return say(s, what, false, "%s: %s", s->m->devices[i].name,
                       uiommu_status_name(status));
        s->n_devices++;
        blocked +=
            uiommu_endpoint_domain(uiommu_device_endpoint(s->device[i])) ==
            uiommu_blocked(s->u);
    }
    return say(s, what, blocked == s->n_devices, "%u of %u", blocked,
               s->n_devices);
}

static bool blocked_at_first(struct scenario *s)
{
    bool landed = write_lands(s, s->phys);

    return say(s, "a device that nobody mapped anything for reaches nothing",
               blocked_and_told(s, landed), "%s", told(s));
}

/* A domain with the page in it, and what the engine needs to work at all. */
static enum uiommu_status make_domain(struct scenario *s)
{
    struct uiommu_range area = machine_engine_area(s->m, s->engine);
    enum uiommu_status status =
        uiommu_domain_create(endpoint(s), NULL, &s->domain);

    if (status == UIOMMU_OK && area.size > 0)
        status = uiommu_map(s->domain, area.iova, area.iova, area.size,
                            UIOMMU_READ | UIOMMU_WRITE);
    if (status == UIOMMU_OK)
        status = uiommu_map(s->domain, IOVA, s->phys, PAGE,
                            UIOMMU_READ | UIOMMU_WRITE);
    if (status == UIOMMU_OK)
        status = uiommu_set_domain(endpoint(s), s->domain, NULL);
    return status;
}

static bool inside_lands(struct scenario *s)
{
    static const char what[] = "DMA inside a mapping lands";
    enum uiommu_status status = make_domain(s);
    bool wrote, read;

    if (status != UIOMMU_OK)
        return say(s, what, false, "%s", uiommu_status_name(status));
    wrote = write_lands(s, IOVA + PAGE / 2) == false && write_lands(s, IOVA);
    read = read_gets(s, IOVA);
    return say(s, what, wrote && read && s->faults == 0,
               "%s at iova 0x%llx: write %s, read %s, memory at 0x%llx",
               name(s), (unsigned long long)IOVA, wrote ? "landed" : "lost",
               read ? "right" : "wrong", (unsigned long long)s->phys);
}

static bool outside_is_blocked(struct scenario *s)
{
    bool write = blocked_and_told(s, write_lands(s, OUTSIDE));
    /* Units tell the page, or each part of the access. */
    bool right =
        write && s->fault.has_iova && s->fault.iova / PAGE == OUTSIDE / PAGE;
    bool read;

    say(s, "DMA outside is blocked and explained", right, "%s", told(s));
    read = blocked_and_told(s, read_gets(s, OUTSIDE)) &&
           s->fault.access == UIOMMU_READ;
    return say(s, "so is a read", read, "%s", told(s));
}

static bool remap(struct scenario *s, unsigned flags)
{
    uint64_t gone;

    return uiommu_unmap(s->domain, IOVA, PAGE, &gone) == UIOMMU_OK &&
           gone == PAGE &&
           uiommu_map(s->domain, IOVA, s->phys, PAGE, flags) == UIOMMU_OK;
}

static bool read_only_is(struct scenario *s)
{
    static const char what[] = "a page mapped for reading cannot be written";
    bool mapped = remap(s, UIOMMU_READ);
    /* The write first: QEMU (10.0) records no fault for a write that hits an
     * entry which a read brought into its IOTLB. */
    bool refused = mapped && blocked_and_told(s, write_lands(s, IOVA));
    char sentence[sizeof(s->sentence)];

    memcpy(sentence, told(s), strlen(told(s)) + 1);
    return say(s, what, refused && read_gets(s, IOVA), "%s", sentence);
}

static bool unmapped_is_unreachable(struct scenario *s)
{
    static const char what[] = "after unmap the page is unreachable";
    enum uiommu_status status = UIOMMU_INVAL;
    bool refused;

    if (remap(s, UIOMMU_READ | UIOMMU_WRITE) && write_lands(s, IOVA))
        status = uiommu_unmap(s->domain, IOVA, PAGE, NULL);
    refused = blocked_and_told(s, write_lands(s, IOVA));
    return say(s, what, status == UIOMMU_OK && refused, "%s", told(s));
}

static bool other_engine(struct scenario *s)
{
    for (unsigned i = s->engine + 1; i < s->n_devices; i++) {
        if (!s->m->devices[i].engine)
            continue;
        s->engine = i;
        return true;
    }
    return false;
}

/* What one device may reach is no business of another. */
static bool others_are_apart(struct scenario *s)
{
    static const char what[] = "another device does not reach it";
    unsigned first = s->engine;
    bool mine, theirs;

    if (!other_engine(s))
        return say(s, what, false, "the machine has one engine only");
    theirs = blocked_and_told(s, write_lands(s, IOVA));
    say(s, what, theirs, "%s", told(s));
    s->engine = first;
    mine = uiommu_map(s->domain, IOVA, s->phys, PAGE,
                      UIOMMU_READ | UIOMMU_WRITE) == UIOMMU_OK &&
           write_lands(s, IOVA);
    return say(s, "while the first still does", mine, "%s at 0x%llx", name(s),
               (unsigned long long)IOVA);
}

static bool identity_is(struct scenario *s)
{
    enum uiommu_status status =
        uiommu_set_domain(endpoint(s), uiommu_identity(s->u), NULL);
    bool landed = status == UIOMMU_OK && write_lands(s, s->phys);
    bool got = status == UIOMMU_OK && read_gets(s, s->phys);

    return say(s, "identity passes addresses as they are", landed && got,
               "%s: %s at 0x%llx", uiommu_status_name(status), name(s),
               (unsigned long long)s->phys);
}

static bool blocked_is(struct scenario *s)
{
    enum uiommu_status status =
        uiommu_set_domain(endpoint(s), uiommu_blocked(s->u), NULL);
    bool landed = write_lands(s, s->phys);

    return say(s, "blocked blocks",
               status == UIOMMU_OK && blocked_and_told(s, landed), "%s",
               told(s));
}

/* ---- interrupts --------------------------------------------------------------------- */

/* The engine sends it; did an interrupt arrive? */
static bool message_arrives(struct scenario *s,
                            const struct uiommu_irq_message *message,
                            struct uiommu_irq_target *got)
{
    bool sent, arrived;

    forget_faults(s);
    sent = machine_send_irq(s->m, s->engine, message->addr, message->data) ==
           MACHINE_DMA_DONE;
    arrived = sent && machine_take_irq(s->m, got);
    collect_faults(s);
    return arrived;
}

static bool mapped_arrives(struct scenario *s, const char *what,
                           const struct uiommu_irq_message *message,
                           const struct uiommu_irq_target *target)
{
    struct uiommu_irq_target got = { 0 };
    bool arrived = message_arrives(s, message, &got);

    return say(s, what,
               arrived && got.vector == target->vector &&
                   got.destination == target->destination,
               "%s: message %llxh arrived %s %s %02xh of %s %u", name(s),
               (unsigned long long)message->addr,
               arrived ? "as" : "not at all, not as",
               s->remaps ? "vector" : "EventID", target->vector,
               s->remaps ? "APIC" : "DeviceID", (unsigned)target->destination);
}

static bool message_is_refused(struct scenario *s, const char *what,
                               enum uiommu_status status,
                               const struct uiommu_irq_message *message)
{
    struct uiommu_irq_target got;
    bool arrived = message_arrives(s, message, &got);

    return say(s, what, status == UIOMMU_OK && blocked_and_told(s, arrived),
               "%s", told(s));
}

static bool remapped_interrupts_are(struct scenario *s)
{
    const struct uiommu_irq_target target = { .vector = 0x41 };
    struct uiommu_irq_message message, forged;
    struct uiommu_irq *irq;
    enum uiommu_status status = uiommu_irq_map(endpoint(s), &target, 1, &irq);

    if (status != UIOMMU_OK)
        return say(s, "an interrupt is mapped", false, "%s",
                   uiommu_status_name(status));
    uiommu_irq_message(irq, &message);
    forged = message;
    forged.addr += 0x20; /* the next entry */
    mapped_arrives(s, "an interrupt goes where it was mapped", &message,
                   &target);
    message_is_refused(s, "one that was not mapped is refused and explained",
                       status, &forged);
    status = uiommu_irq_unmap(irq);
    return message_is_refused(s, "and so is it once it is unmapped", status,
                              &message);
}

/* The first one. */
static void find_doorbell(void *ctx, const struct uiommu_region *region)
{
    struct uiommu_region *found = ctx;

    if (region->kind == UIOMMU_REGION_DOORBELL && found->last == 0)
        *found = *region;
}

static uint32_t requester_id(const struct scenario *s)
{
    const struct uiommu_pci pci = s->m->devices[s->engine].pci;

    return (uint32_t)pci.bus << 8 | pci.devfn;
}

/* Where no unit remaps interrupts they are writes like any other. */
static bool messages_are_writes(struct scenario *s)
{
    const struct uiommu_irq_target target = { .vector = 0x41,
                                              .destination = requester_id(s) };
    const struct uiommu_irq_message message = {
        .addr = DOORBELL_IOVA + GITS_TRANSLATER,
        .data = target.vector,
    };
    struct uiommu_region doorbell = { 0 };
    enum uiommu_status status =
        uiommu_regions(endpoint(s), find_doorbell, &doorbell);
    uint64_t size = doorbell.last - doorbell.start + 1;

    if (status != UIOMMU_OK || doorbell.last == 0)
        return say(s, "firmware says where interrupts go", false, "%s",
                   uiommu_status_name(status));
    message_is_refused(s, "an interrupt to no mapped doorbell is refused",
                       UIOMMU_OK, &message);
    status = uiommu_map(s->domain, DOORBELL_IOVA, doorbell.start, size,
                        UIOMMU_WRITE | UIOMMU_MMIO);
    if (status != UIOMMU_OK)
        return say(s, "the doorbell is mapped", false, "%s",
                   uiommu_status_name(status));
    mapped_arrives(s, "an interrupt to the mapped doorbell arrives", &message,
                   &target);
    status = uiommu_unmap(s->domain, DOORBELL_IOVA, size, NULL);
    return message_is_refused(s, "and not once it is unmapped", status,
                              &message);
}

static bool interrupts_are(struct scenario *s)
{
    if (!s->remaps)
        return messages_are_writes(s);
    return remapped_interrupts_are(s);
}

/* ---- the end ------------------------------------------------------------------------ */

static bool finish(struct scenario *s)
{
    enum uiommu_status status = UIOMMU_OK;

    if (s->domain)
        uiommu_domain_put(s->domain);
    while (s->n_devices > 0 && status == UIOMMU_OK)
        status = uiommu_device_remove(s->device[--s->n_devices]);
    if (status == UIOMMU_OK)
        status = uiommu_stop(s->u);
    if (status == UIOMMU_OK)
        status = uiommu_destroy(s->u);
    return say(s, "everything is given back", status == UIOMMU_OK, "%s",
               uiommu_status_name(status));
}

static bool find_engine(struct scenario *s)
{
    for (s->engine = 0; s->engine < s->m->n_devices; s->engine++)
        if (s->m->devices[s->engine].engine)
            return s->m->n_devices <= MAX_DEVICES;
    return false;
}

static void give_back(struct scenario *s)
{
    const struct uiommu_host *h = &s->m->host;

    h->pages_free(h->ctx, s->page, s->phys, 0);
}

bool scenario_run(struct machine *m, scenario_fn tell, void *ctx)
{
    static bool (*const steps[])(struct scenario *) = {
        blocked_at_first,
        inside_lands,
        outside_is_blocked,
        read_only_is,
        unmapped_is_unreachable,
        others_are_apart,
        interrupts_are,
        identity_is,
        blocked_is,
    };
    struct scenario s = { .m = m, .tell = tell, .ctx = ctx, .ok = true };

    m->on_irq = on_irq;
    m->irq_ctx = &s;
    if (!find_engine(&s))
        return say(&s, "the machine has devices", false, "no engine");
    s.page = m->host.pages_alloc(m->host.ctx, 0, 0, &s.phys);
    if (!s.page)
        return say(&s, "the machine has memory", false, "no page");
    if (start(&s)) {
        bool go = add_devices(&s);

        for (size_t i = 0; go && i < sizeof(steps) / sizeof(steps[0]); i++)
            (void)steps[i](&s);
        finish(&s);
    } else if (s.u) {
        s.ok = uiommu_destroy(s.u) == UIOMMU_OK && s.ok;
    }
    m->on_irq = NULL;
    give_back(&s);
    return s.ok;
}
