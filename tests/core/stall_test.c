/* SPDX-License-Identifier: MIT */
/*
 * stall_test.c - DMA that waits in its unit for a page: devices that are no PCI functions,
 * of which firmware says that they put up with it (SMMUv3 3.12.2; semantics B.17.9).
 */
#include "tests/core/requests.h"

#include "core/unit.h"
#include "fw/iort.h"
#include "spec/iort.h"
#include "spec/smmuv3.h"

#define ACPI_PATH "\\_SB.ACC0"

enum {
    NAME_BYTES = 12, /* of the path, padded */
    NODE_BYTES = acpi_iort_named_component_device_name_OFFSET + NAME_BYTES,
    COMPONENT_BYTES = NODE_BYTES + 3 + IORT_ID_MAPPING_SIZE,
    MOST = 16, /* IDR5.STALL_MAX */
    STORM = 8, /* faults in a second */
};

/* ---- machines ------------------------------------------------------------------------ */

static bool with_smmuv3(struct rig *rig, const char **why)
{
    *why = "the unit lets nothing wait";
    rig->setup.request_limit_ns = 1000 * 1000 * 1000;
    return rig_lacks(rig, RIG_DMAR);
}

static bool with_stalls(struct rig *rig, const char **why)
{
    rig->config.args = "stall=1";
    return with_smmuv3(rig, why);
}

static bool with_a_budget(struct rig *rig, const char **why)
{
    rig->setup.storm_budget = STORM;
    return with_stalls(rig, why);
}

static void put(uint8_t *p, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t unit_at(const struct table *t)
{
    struct uim_iort_node node = { 0 };

    while (node.type != IORT_NODE_SMMU_V3)
        assert_true(uim_iort_next(t->bytes, &node));
    return node.offset;
}

/* A component whose DMA has the id of engine 0. */
static void add_component(struct table *t, uint32_t id, bool stall)
{
    const unsigned mapping = NODE_BYTES + 3; /* whole words */
    uint8_t p[COMPONENT_BYTES] = { IORT_NODE_NAMED_COMPONENT };
    uint8_t *count = t->bytes + acpi_iort_node_count_OFFSET;

    put(p + acpi_iort_node_header_length_OFFSET, 2, sizeof(p));
    p[acpi_iort_node_header_revision_OFFSET] = 4;
    put(p + acpi_iort_node_header_identifier_OFFSET, 4, 77);
    put(p + acpi_iort_node_header_mapping_count_OFFSET, 4, 1);
    put(p + acpi_iort_node_header_mapping_offset_OFFSET, 4, mapping);
    p[acpi_iort_named_component_node_flags_OFFSET] = stall;
    p[acpi_iort_named_component_memory_properties_OFFSET] = 1;
    p[acpi_iort_named_component_memory_address_limit_OFFSET] = 64;
    memcpy(p + acpi_iort_named_component_device_name_OFFSET, ACPI_PATH,
           sizeof(ACPI_PATH));
    put(p + mapping + acpi_iort_id_mapping_output_base_OFFSET, 4, id);
    put(p + mapping + acpi_iort_id_mapping_output_reference_OFFSET, 4,
        unit_at(t));
    p[mapping + acpi_iort_id_mapping_flags_OFFSET] = 1;
    table_append(t, p, sizeof(p));
    count[0]++;
}

/* Engine 0 is the component, the others are themselves. */
static void up_with(struct rig *rig, bool stall)
{
    const struct uiommu_device_info info = { .size = sizeof(info),
                                             .kind = UIOMMU_DEVICE_ACPI,
                                             .acpi_path = ACPI_PATH };
    const struct uiommu_pci pci = rig->m->devices[rig_engine(rig, 0)].pci;
    struct table t;

    table_copy(rig, &t);
    add_component(&t, (uint32_t)pci.bus << 8 | pci.devfn, stall);
    create_with(rig, &t);
    rig_ok(rig_start(rig));
    rig_ok(uiommu_device_add(rig->u, &info, &rig->device[rig_engine(rig, 0)]));
    rig_ok(rig_add(rig, rig_engine(rig, 1)));
}

static void up_with_stalls(struct rig *rig, struct pager *p)
{
    up_with(rig, true);
    open_pager(rig, p, 0);
    set(rig, 0, p->d);
}

/* ---- DMA -------------------------------------------------------------------------------- */

static struct sim_request write_of(struct rig *rig, unsigned n, uint64_t iova,
                                   uint64_t *value)
{
    return (struct sim_request){
        .dev = rig_engine(rig, n),
        .pasid = UIOMMU_NO_PASID,
        .write = true,
        .iova = iova,
        .buf = value,
        .size = sizeof(*value),
    };
}

static uint64_t value = 0x1234;

static struct sim_request stalls_at(struct rig *rig, uint64_t iova)
{
    struct sim_request r = write_of(rig, 0, iova, &value);

    assert_int_equal(sim_dma(rig->m, &r), MACHINE_DMA_REFUSED);
    assert_int_equal(r.stop, SIM_STALLED);
    assert_int_equal(sim_stall(rig->m, r.tag), SIM_STALL_WAITS);
    return r;
}

static enum sim_stall what_of(struct rig *rig, const struct sim_request *r)
{
    (void)machine_run(rig->m);
    return sim_stall(rig->m, r->tag);
}

/* However often it has to wait: units may retry early, and be refused once more. */
static bool goes_through(struct rig *rig, struct sim_request *r)
{
    for (unsigned i = 0; i < 10; i++) {
        if (sim_dma_resume(rig->m, r) == MACHINE_DMA_DONE)
            return true;
        if (r->stop != SIM_STALLED)
            return false;
        collect_and_serve(rig);
    }
    return false;
}

/* Its unit was told to end it at once, and to record nothing. */
static void assert_aborted_unheard(struct rig *rig)
{
    struct sim_request r = write_of(rig, 0, BASE, &value);
    const unsigned before = rig->faults;

    assert_int_equal(sim_dma(rig->m, &r), MACHINE_DMA_REFUSED);
    assert_int_equal(r.stop, SIM_BY_UNIT);
    collect(rig);
    assert_int_equal(rig->faults, before);
}

/* ---- from fault to page ------------------------------------------------------------------- */

static bool are_served(struct rig *rig, unsigned n)
{
    struct uiommu_mode mode;

    rig_ok(uiommu_effective_mode(rig_endpoint(rig, n), &mode));
    return mode.faults_served;
}

static void dma_waits_for_a_page(struct rig *rig)
{
    struct sim_request r;
    struct pager p;

    up_with_stalls(rig, &p);
    assert_true(are_served(rig, 0));
    assert_false(are_served(rig, 1));
    r = stalls_at(rig, BASE + 8);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    assert_int_equal(p.asked[0].iova, BASE);
    assert_int_equal(p.asked[0].access, UIOMMU_WRITE);
    assert_ptr_equal(p.endpoint, rig_endpoint(rig, 0));
    assert_int_equal(what_of(rig, &r), SIM_STALL_RETRY);
    assert_true(goes_through(rig, &r));
    assert_int_equal(rig_peek(rig, p.phys + 8), value);
    assert_int_equal(rig->faults, 0);
    assert_int_equal(sim_stalls(rig->m), 0);
    rig_drop(rig, 0, p.d);
}

static void what_is_not_served_is_aborted(struct rig *rig)
{
    static const enum uiommu_response no[] = { UIOMMU_RESPONSE_INVALID,
                                               UIOMMU_RESPONSE_FAILURE };
    struct pager p;

    up_with_stalls(rig, &p);
    for (unsigned i = 0; i < 2; i++) {
        struct sim_request r = stalls_at(rig, BASE);

        p.response = no[i];
        collect_and_serve(rig);
        assert_int_equal(p.groups, i + 1);
        assert_int_equal(what_of(rig, &r), SIM_STALL_ABORT);
        assert_int_equal(sim_dma_resume(rig->m, &r), MACHINE_DMA_REFUSED);
        assert_int_equal(r.stop, SIM_BY_UNIT);
    }
    rig_drop(rig, 0, p.d);
}

static void an_answer_may_come_later(struct rig *rig)
{
    struct uiommu_endpoint *ep;
    struct sim_request r, late;
    struct pager p;

    up_with_stalls(rig, &p);
    ep = rig_endpoint(rig, 0);
    p.response = UIOMMU_RESPONSE_LATER;
    r = stalls_at(rig, BASE);
    collect_and_serve(rig);
    assert_int_equal(what_of(rig, &r), SIM_STALL_WAITS);
    map_page(p.d, BASE, p.phys);
    rig_ok(uiommu_page_respond(ep, p.cookie, UIOMMU_RESPONSE_SUCCESS));
    rig_is(uiommu_page_respond(ep, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    assert_true(goes_through(rig, &r));
    late = stalls_at(rig, BASE + MIB(1));
    collect_and_serve(rig);
    sim_advance(rig->m, rig->setup.request_limit_ns);
    collect(rig);
    assert_int_equal(what_of(rig, &late), SIM_STALL_ABORT);
    assert_int_equal(sim_dma_resume(rig->m, &late), MACHINE_DMA_REFUSED);
    rig_drop(rig, 0, p.d);
}

/* More than the unit tells of at once. */
static void more_than_the_unit_can_tell_all_go_on(struct rig *rig)
{
    struct sim_request r[2 * MOST];
    struct pager p;

    up_with_stalls(rig, &p);
    for (unsigned i = 0; i < 2 * MOST; i++)
        r[i] = stalls_at(rig, BASE + i * RIG_PAGE);
    for (unsigned i = 0; i < 4; i++)
        collect_and_serve(rig);
    for (unsigned i = 0; i < 2 * MOST; i++)
        assert_true(goes_through(rig, &r[i]));
    assert_int_equal(p.n, 2 * MOST);
    assert_int_equal(sim_stalls(rig->m), 0);
    rig_drop(rig, 0, p.d);
}

/* No handler could map it: a fault as any other, and counted as one (semantics B.18). */
static void who_asks_beyond_its_domain_is_at_fault(struct rig *rig)
{
    struct uiommu_domain_info info;
    struct sim_request r;
    struct pager p;
    uint64_t beyond;

    up_with_stalls(rig, &p);
    uiommu_domain_info(p.d, &info);
    beyond = info.last_iova + 1;
    for (unsigned i = 0; i < STORM; i++) {
        r = stalls_at(rig, beyond + 8);
        collect(rig);
        assert_int_equal(what_of(rig, &r), SIM_STALL_ABORT);
        assert_int_equal(rig->faults, i + 1);
        assert_int_equal(rig->fault.kind, UIOMMU_FAULT_DMA);
        assert_int_equal(rig->fault.iova, beyond + 8);
        assert_int_equal(rig->fault.access, UIOMMU_WRITE);
    }
    r = stalls_at(rig, beyond);
    collect(rig);
    assert_int_equal(rig->fault.kind, UIOMMU_FAULT_STORM);
    assert_aborted_unheard(rig);
    assert_int_equal(p.groups, 0);
    rig_drop(rig, 0, p.d);
}

/* ---- endpoints that move -------------------------------------------------------------------- */

enum { OPEN = 4 };

/* With who answers later; in the core; in the unit's queue; and without a record. */
static void open_stalls(struct rig *rig, struct pager *p,
                        struct sim_request r[OPEN + MOST])
{
    p->response = UIOMMU_RESPONSE_LATER;
    r[0] = stalls_at(rig, BASE);
    collect_and_serve(rig);
    r[1] = stalls_at(rig, BASE + RIG_PAGE);
    collect(rig);
    for (unsigned i = 2; i < OPEN + MOST; i++)
        r[i] = stalls_at(rig, BASE + i * RIG_PAGE);
}

static void none_waits(struct rig *rig, struct sim_request r[OPEN + MOST])
{
    for (unsigned i = 0; i < OPEN + MOST; i++) {
        (void)machine_run(rig->m);
        for (unsigned k = 0; k < 4 && r[i].stop == SIM_STALLED; k++)
            assert_int_equal(sim_dma_resume(rig->m, &r[i]),
                             MACHINE_DMA_REFUSED);
        assert_int_equal(r[i].stop, SIM_BY_UNIT);
    }
    assert_int_equal(sim_stalls(rig->m), 0);
}

static void who_is_blocked_waits_no_more(struct rig *rig)
{
    struct sim_request r[OPEN + MOST];
    struct pager p;

    up_with_stalls(rig, &p);
    open_stalls(rig, &p, r);
    set(rig, 0, uiommu_blocked(rig->u));
    rig_is(uiommu_page_respond(p.endpoint, p.cookie, UIOMMU_RESPONSE_SUCCESS),
           UIOMMU_NOENT);
    none_waits(rig, r);
    collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    uiommu_domain_put(p.d);
}

/* And goes on by what it sees then. */
static void who_is_asked_by_another_tries_again(struct rig *rig)
{
    struct sim_request r[OPEN + MOST];
    struct pager p, q;

    up_with_stalls(rig, &p);
    open_pager(rig, &q, 0);
    open_stalls(rig, &p, r);
    set(rig, 0, q.d);
    for (unsigned i = 0; i < OPEN; i++)
        assert_int_equal(sim_stall(rig->m, r[i].tag), SIM_STALL_RETRY);
    for (unsigned i = 0; i < 4; i++)
        collect_and_serve(rig);
    assert_int_equal(p.groups, 1);
    for (unsigned i = 0; i < OPEN + MOST; i++)
        assert_true(goes_through(rig, &r[i]));
    rig_drop(rig, 0, q.d);
    uiommu_domain_put(p.d);
}

static void move_events(struct rig *rig, uint64_t base)
{
    const struct uim_unit *unit = rig->u->unit[0];
    const uint32_t cr0 = uim_rd32(unit, SMMUV3_REG_CR0);

    uim_wr32(unit, SMMUV3_REG_CR0, cr0 & ~UINT32_C(4)); /* EVENTQEN */
    uim_wr64(unit, SMMUV3_REG_EVENTQ_BASE, base);
    uim_wr32(unit, SMMUV3_REG_CR0, cr0);
}

/* 7.2.2: it could not be written, and nobody can answer what he has not been told. */
static void who_has_no_record_ends_with_its_stream(struct rig *rig)
{
    const struct uim_unit *unit;
    struct sim_request r;
    struct pager p;
    uint64_t base;

    up_with_stalls(rig, &p);
    unit = rig->u->unit[0];
    base = uim_rd64(unit, SMMUV3_REG_EVENTQ_BASE);
    move_events(rig, UINT64_C(0xe0000000) | (base & 31));
    r = stalls_at(rig, BASE);
    move_events(rig, base);
    collect_and_serve(rig);
    set(rig, 0, uiommu_blocked(rig->u));
    assert_int_not_equal(what_of(rig, &r), SIM_STALL_WAITS);
    for (unsigned i = 0; i < 4 && r.stop == SIM_STALLED; i++)
        assert_int_equal(sim_dma_resume(rig->m, &r), MACHINE_DMA_REFUSED);
    assert_int_equal(r.stop, SIM_BY_UNIT);
    assert_int_equal(sim_stalls(rig->m), 0);
    uiommu_domain_put(p.d);
}

static void a_device_that_goes_waits_no_more(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    struct sim_request r[OPEN + MOST];
    struct pager p;

    up_with_stalls(rig, &p);
    open_stalls(rig, &p, r);
    rig_ok(uiommu_device_remove(rig->device[dev]));
    rig->device[dev] = NULL;
    none_waits(rig, r);
    uiommu_domain_put(p.d);
}

/* The id comes to be shared: nobody knows any more whose DMA would wait. */
static void who_shares_its_id_waits_no_more(struct rig *rig)
{
    const unsigned dev = rig_engine(rig, 0);
    const struct uiommu_device_info info = { .size = sizeof(info),
                                             .kind = UIOMMU_DEVICE_PCI,
                                             .pci = rig->m->devices[dev].pci };
    struct uiommu_device *same;
    struct sim_request r;
    struct pager p;

    up_with_stalls(rig, &p);
    p.response = UIOMMU_RESPONSE_LATER;
    r = stalls_at(rig, BASE);
    collect_and_serve(rig);
    rig_ok(uiommu_device_add(rig->u, &info, &same));
    assert_int_not_equal(what_of(rig, &r), SIM_STALL_WAITS);
    assert_false(are_served(rig, 0));
    map_page(p.d, GIB(3), p.phys);
    assert_true(rig_reaches(rig, 0, GIB(3), p.phys));
    rig_ok(uiommu_device_remove(same));
    rig_drop(rig, 0, p.d);
}

/* Handlers of faults may do what waits for whoever moves an endpoint (fault.h). */
static void no_fault_is_told_while_an_endpoint_moves(struct rig *rig)
{
    struct sim_request refused;
    struct uiommu_domain *d;
    struct sim_request r;
    struct pager p;
    unsigned before;

    up_with_stalls(rig, &p);
    d = rig_attached(rig, 1);
    r = stalls_at(rig, BASE);
    refused = write_of(rig, 1, BASE, &value);
    assert_int_equal(sim_dma(rig->m, &refused), MACHINE_DMA_REFUSED);
    before = rig->faults;
    rig_ok(
        uiommu_set_domain(rig_endpoint(rig, 0), uiommu_blocked(rig->u), NULL));
    assert_int_equal(rig->faults, before);
    assert_int_not_equal(what_of(rig, &r), SIM_STALL_WAITS);
    collect(rig);
    assert_int_equal(rig->faults, before + 1);
    rig_drop(rig, 1, d);
    uiommu_domain_put(p.d);
}

static void a_reset_ends_what_waits(struct rig *rig)
{
    struct uiommu_device *device;
    struct sim_request r[OPEN + MOST];
    struct pager p;

    up_with_stalls(rig, &p);
    device = rig->device[rig_engine(rig, 0)];
    open_stalls(rig, &p, r);
    rig_ok(uiommu_device_reset_begin(device));
    none_waits(rig, r);
    rig_ok(uiommu_device_reset_end(device, true));
    p.response = UIOMMU_RESPONSE_SUCCESS;
    r[0] = stalls_at(rig, BASE);
    collect_and_serve(rig);
    assert_true(goes_through(rig, &r[0]));
    rig_drop(rig, 0, p.d);
}

/* Whoever is reset holds mutexes: it is told to who polls next. */
static void what_a_reset_ends_unasked_is_told_later(struct rig *rig)
{
    struct uiommu_device *device;
    struct pager p;

    up_with_stalls(rig, &p);
    device = rig->device[rig_engine(rig, 0)];
    (void)stalls_at(rig, BASE + 8);
    rig_ok(uiommu_device_reset_begin(device));
    assert_int_equal(rig->faults, 0);
    collect(rig);
    assert_int_equal(rig->faults, 1);
    assert_int_equal(rig->fault.iova, BASE + 8);
    rig_ok(uiommu_device_reset_end(device, true));
    assert_int_equal(p.groups, 0);
    rig_drop(rig, 0, p.d);
}

static struct {
    struct rig *rig;
    struct uiommu_host host; /* as it was                                    */
    uint32_t tag;
    bool looked, more;
} ending;

/* It is ended, and whoever ended it has not kept it yet. */
static void unlock_and_look(void *ctx, void *spin)
{
    ending.host.spin_unlock(ctx, spin);
    if (ending.looked ||
        sim_stall(ending.rig->m, ending.tag) == SIM_STALL_WAITS)
        return;
    ending.looked = true;
    ending.more = uiommu_irq(ending.rig->u, 0, 0);
}

/* The interrupt for it comes too early, and is the only one. */
static void who_looks_meanwhile_is_to_look_again(struct rig *rig)
{
    struct uiommu_device *device;
    struct pager p;

    up_with_stalls(rig, &p);
    device = rig->device[rig_engine(rig, 0)];
    memset(&ending, 0, sizeof(ending));
    ending.rig = rig;
    ending.tag = stalls_at(rig, BASE + 8).tag;
    ending.host = rig->u->host;
    rig->u->host.spin_unlock = unlock_and_look;
    rig_ok(uiommu_device_reset_begin(device));
    rig->u->host.spin_unlock = ending.host.spin_unlock;
    assert_true(ending.looked);
    assert_true(ending.more);
    assert_int_equal(rig->faults, 0);
    assert_false(uiommu_irq(rig->u, 0, 0));
    assert_int_equal(rig->faults, 1);
    rig_ok(uiommu_device_reset_end(device, true));
    rig_drop(rig, 0, p.d);
}

static void nothing_waits_over_a_sleep(struct rig *rig)
{
    struct sim_request r;
    struct pager p;

    up_with_stalls(rig, &p);
    p.response = UIOMMU_RESPONSE_LATER;
    r = stalls_at(rig, BASE);
    collect_and_serve(rig);
    rig_ok(uiommu_suspend(rig->u));
    assert_int_equal(what_of(rig, &r), SIM_STALL_RETRY);
    sim_reset_units(rig->m);
    rig_ok(uiommu_resume(rig->u));
    p.response = UIOMMU_RESPONSE_SUCCESS;
    r = stalls_at(rig, BASE);
    collect_and_serve(rig);
    assert_true(goes_through(rig, &r));
    rig_drop(rig, 0, p.d);
}

/* ---- who does not wait -------------------------------------------------------------------------- */

static void assert_aborted(struct rig *rig, unsigned n)
{
    struct sim_request r = write_of(rig, n, BASE, &value);
    const unsigned before = rig->faults;

    assert_int_equal(sim_dma(rig->m, &r), MACHINE_DMA_REFUSED);
    assert_int_equal(r.stop, SIM_BY_UNIT);
    rig_poll(rig);
    assert_int_equal(rig->faults, before + 1);
}

static void where_nobody_answers_nothing_waits(struct rig *rig)
{
    struct uiommu_domain *d;
    struct pager p;

    up_with_stalls(rig, &p);
    d = rig_attached(rig, 0);
    assert_aborted(rig, 0);
    set(rig, 0, p.d);
    set(rig, 0, d);
    assert_aborted(rig, 0);
    rig_drop(rig, 0, d);
    uiommu_domain_put(p.d);
}

static void check_refused(struct rig *rig, unsigned n)
{
    struct uiommu_domain *d;
    struct pager p;

    open_pager(rig, &p, n);
    assert_false(are_served(rig, n));
    rig_is(uiommu_set_domain(rig_endpoint(rig, n), p.d, NULL),
           UIOMMU_OPNOTSUPP);
    assert_says(sim_last_log(rig->m), "cannot ask for pages");
    d = rig_attached(rig, n);
    assert_aborted(rig, n);
    rig_drop(rig, n, d);
    uiommu_domain_put(p.d);
}

static void pci_functions_do_not_wait(struct rig *rig)
{
    up_with(rig, true);
    check_refused(rig, 1);
}

static void who_cannot_wait_is_not_made_to(struct rig *rig)
{
    up_with(rig, false);
    check_refused(rig, 0);
}

static void units_that_cannot_let_wait_do_not(struct rig *rig)
{
    up_with(rig, true);
    check_refused(rig, 0);
}

static const struct rig_test tests[] = {
    RIG_COLD_ON(dma_waits_for_a_page, with_stalls),
    RIG_COLD_ON(what_is_not_served_is_aborted, with_stalls),
    RIG_COLD_ON(an_answer_may_come_later, with_stalls),
    RIG_COLD_ON(more_than_the_unit_can_tell_all_go_on, with_stalls),
    RIG_COLD_ON(who_asks_beyond_its_domain_is_at_fault, with_a_budget),
    RIG_COLD_ON(who_is_blocked_waits_no_more, with_stalls),
    RIG_COLD_ON(who_is_asked_by_another_tries_again, with_stalls),
    RIG_COLD_ON(who_has_no_record_ends_with_its_stream, with_stalls),
    RIG_COLD_ON(a_device_that_goes_waits_no_more, with_stalls),
    RIG_COLD_ON(who_shares_its_id_waits_no_more, with_stalls),
    RIG_COLD_ON(no_fault_is_told_while_an_endpoint_moves, with_stalls),
    RIG_COLD_ON(a_reset_ends_what_waits, with_stalls),
    RIG_COLD_ON(what_a_reset_ends_unasked_is_told_later, with_stalls),
    RIG_COLD_ON(who_looks_meanwhile_is_to_look_again, with_stalls),
    RIG_COLD_ON(nothing_waits_over_a_sleep, with_stalls),
    RIG_COLD_ON(where_nobody_answers_nothing_waits, with_stalls),
    RIG_COLD_ON(pci_functions_do_not_wait, with_stalls),
    RIG_COLD_ON(who_cannot_wait_is_not_made_to, with_stalls),
    RIG_COLD_ON(units_that_cannot_let_wait_do_not, with_smmuv3),
    { 0 },
};

int main(void)
{
    return rig_run("DMA that waits", tests);
}
