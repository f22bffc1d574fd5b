/* SPDX-License-Identifier: MIT */
/*
 * hosts/qtest: the machines in QEMU, without uiommu. That each does what
 * hosts/machine.h says, that its IOMMU can be seen to work and to refuse, and
 * that a QEMU which is missing, wrong, dead or silent is a sentence and not a
 * hang.
 *
 * Needs QEMU 10 or newer (scripts/install-deps.sh) and fails without.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/qtest/common.h"
#include "tests/qtest/fake.h"

#define NAMED(test) #test, test

static const struct {
    const char *name;
    void (*run)(const struct test_board *b);
    enum test_need need;
} tests[] = {
    { NAMED(opens_in_each_mode), TEST_ANY },
    { NAMED(options_reach_the_unit), TEST_ANY },
    { NAMED(most_engines_there_can_be), TEST_ANY },
    { NAMED(firmware_gives_a_valid_table), TEST_ANY },
    { NAMED(table_was_made_after_bus_numbers), TEST_ANY },
    { NAMED(devices_can_be_configured), TEST_ANY },
    { NAMED(registers_are_mapped_where_there_are_some), TEST_ANY },
    { NAMED(pages_are_counted), TEST_ANY },
    { NAMED(pages_run_out), TEST_ANY },
    { NAMED(pages_of_a_former_owner_stay), TEST_ANY },
    { NAMED(memory_is_shown_where_there_is_some), TEST_ANY },
    { NAMED(dma_is_exact_to_the_byte), TEST_ANY },
    { NAMED(largest_dma), TEST_ANY },
    { NAMED(senseless_dma_is_refused_with_a_sentence), TEST_ANY },
    { NAMED(dma_goes_on_when_queues_wrap), TEST_ANY },
    { NAMED(threads_share_a_machine), TEST_ANY },
    { NAMED(interrupts_arrive_as_sent), TEST_ANY },
    { NAMED(interrupts_do_not_disturb_dma), TEST_ANY },
    { NAMED(last_interrupts_are_kept), TEST_ANY },
    { NAMED(pins_send_what_their_entry_says), TEST_PINS },
    { NAMED(missing_pins_are_a_sentence), TEST_NO_PINS },
    { NAMED(blocked_engine_cannot_send), TEST_ANY },
    { NAMED(interrupt_messages_are_translated), TEST_MESSAGES_AS_DATA },
    { NAMED(interrupts_of_units_are_handed_on), TEST_UNIT_MESSAGES },
    { NAMED(wires_of_units_are_handed_on), TEST_UNIT_WIRES },
    { NAMED(vectors_run_out), TEST_UNIT_MESSAGES },
    { NAMED(translated_dma_lands), TEST_ANY },
    { NAMED(translated_dma_lands_from_behind_a_bridge), TEST_ANY },
    { NAMED(dma_to_nowhere_is_refused_and_recorded), TEST_ANY },
    { NAMED(refusals_behind_a_bridge_name_the_device), TEST_ANY },
    { NAMED(dma_that_is_half_refused_is_refused), TEST_ANY },
    { NAMED(stale_translation_is_used), TEST_ANY },
    { NAMED(blocked_engine_recovers), TEST_ANY },
    { NAMED(a_unit_that_is_off_refuses_if_told), TEST_ABORT },
    { NAMED(a_full_event_queue_says_overflow), TEST_EVENT_QUEUE },
    { NAMED(pages_of_64_kib), TEST_GRANULES },
    { NAMED(conventional_devices_can_be_configured), TEST_ANY },
    { NAMED(conventional_dma_is_exact_to_the_byte), TEST_ANY },
    { NAMED(dma_through_a_bridge_carries_its_id), TEST_ANY },
    { NAMED(pasid_directories_of_devices_are_apart), TEST_PASIDS },
    { NAMED(pasid_entries_are_apart), TEST_PASIDS },
    { NAMED(a_pasid_that_leads_nowhere_is_refused), TEST_PASIDS },
    { NAMED(the_end_of_a_pasid_directory_is_kept), TEST_PASIDS },
    { NAMED(first_stage_addresses_have_their_own_width), TEST_PASIDS },
    { NAMED(translations_are_cached_by_pasid), TEST_PASIDS },
    { NAMED(dead_qemu_is_noticed), TEST_ANY },
    { NAMED(death_between_calls_is_noticed), TEST_ANY },
    { NAMED(silent_qemu_is_noticed), TEST_ANY },
    { NAMED(missing_qemu_is_a_sentence), TEST_ANY },
    { NAMED(refused_option_is_a_sentence), TEST_ANY },
    { NAMED(misbehaving_qemu_is_a_sentence), TEST_ANY },
    { NAMED(nothing_is_left_behind), TEST_ANY },
};

static const struct test_board *const boards[] = { &test_q35, &test_virt };

enum {
    N_TESTS = sizeof(tests) / sizeof(tests[0]),
    N_BOARDS = sizeof(boards) / sizeof(boards[0]),
    N_RUNS = N_TESTS * N_BOARDS,
};

/* The index of a run: of its test, and of its board. */
static void run_one(void **state)
{
    const unsigned *run = *state;
    const struct test_board *b = boards[*run % N_BOARDS];
    enum test_need need = tests[*run / N_BOARDS].need;

    if (b->lacks[need] != NULL) {
        printf("NA: %s_%s: %s\n", b->name, tests[*run / N_BOARDS].name,
               b->lacks[need]);
        return;
    }
    tests[*run / N_BOARDS].run(b);
}

int main(int argc, char **argv)
{
    static char names[N_RUNS][80];
    static unsigned runs[N_RUNS];
    struct CMUnitTest units[N_RUNS] = { 0 };
    const char *kind = getenv(FAKE_VARIABLE);

    (void)argc;
    if (kind != NULL) {
        return fake_main(kind, argv);
    }
    for (unsigned i = 0; i < N_RUNS; i++) {
        runs[i] = i;
        (void)snprintf(names[i], sizeof(names[i]), "%s_%s",
                       boards[i % N_BOARDS]->name, tests[i / N_BOARDS].name);
        units[i].name = names[i];
        units[i].test_func = run_one;
        units[i].initial_state = &runs[i];
    }
    return cmocka_run_group_tests_name("qtest", units, NULL, NULL);
}
