/* SPDX-License-Identifier: MIT */
/*
 * hosts/qtest: the machine in QEMU, without uiommu. That it does what
 * hosts/machine.h says, that its IOMMU can be seen to work and to refuse, and
 * that a QEMU which is missing, wrong, dead or silent is a sentence and not a
 * hang.
 *
 * Needs QEMU 10 or newer (scripts/install-deps.sh) and fails without.
 */
#include <stdlib.h>

#include "tests/qtest/common.h"
#include "tests/qtest/fake.h"

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_in_each_mode),
        cmocka_unit_test(options_reach_the_unit),
        cmocka_unit_test(most_engines_there_can_be),
        cmocka_unit_test(firmware_gives_a_valid_dmar),
        cmocka_unit_test(dmar_was_made_after_bus_numbers),
        cmocka_unit_test(devices_can_be_configured),
        cmocka_unit_test(registers_are_mapped_where_there_are_some),
        cmocka_unit_test(pages_are_counted),
        cmocka_unit_test(pages_run_out),
        cmocka_unit_test(pages_of_a_former_owner_stay),
        cmocka_unit_test(memory_is_shown_where_there_is_some),
        cmocka_unit_test(dma_is_exact_to_the_byte),
        cmocka_unit_test(largest_dma),
        cmocka_unit_test(senseless_dma_is_refused_with_a_sentence),
        cmocka_unit_test(dma_goes_on_when_queues_wrap),
        cmocka_unit_test(threads_share_a_machine),
        cmocka_unit_test(interrupts_arrive_as_sent),
        cmocka_unit_test(interrupts_do_not_disturb_dma),
        cmocka_unit_test(last_interrupts_are_kept),
        cmocka_unit_test(pins_send_what_their_entry_says),
        cmocka_unit_test(blocked_engine_cannot_send),
        cmocka_unit_test(interrupts_of_units_are_handed_on),
        cmocka_unit_test(vectors_run_out),
        cmocka_unit_test(translated_dma_lands),
        cmocka_unit_test(translated_dma_lands_from_behind_a_bridge),
        cmocka_unit_test(dma_to_nowhere_is_refused_and_recorded),
        cmocka_unit_test(refusals_behind_a_bridge_name_the_device),
        cmocka_unit_test(dma_that_is_half_refused_is_refused),
        cmocka_unit_test(stale_translation_is_used),
        cmocka_unit_test(blocked_engine_recovers),
        cmocka_unit_test(dead_qemu_is_noticed),
        cmocka_unit_test(death_between_calls_is_noticed),
        cmocka_unit_test(silent_qemu_is_noticed),
        cmocka_unit_test(missing_qemu_is_a_sentence),
        cmocka_unit_test(refused_option_is_a_sentence),
        cmocka_unit_test(misbehaving_qemu_is_a_sentence),
        cmocka_unit_test(nothing_is_left_behind),
    };
    const char *kind = getenv(FAKE_VARIABLE);

    (void)argc;
    if (kind != NULL) {
        return fake_main(kind, argv);
    }
    return cmocka_run_group_tests_name("qtest", tests, NULL, NULL);
}
