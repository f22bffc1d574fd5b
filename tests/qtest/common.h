/* SPDX-License-Identifier: MIT */
/* common.h - what the tests of the qtest machine share, and what they are. */
#ifndef UIM_TESTS_QTEST_COMMON_H
#define UIM_TESTS_QTEST_COMMON_H

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hosts/qtest/qtest.h"

/* Devices of test_config: a root port, and two engines, one behind it. */
enum {
    PORT = 0,
    ENGINE = 1,
    BEHIND = 2,
};

extern const struct qtest_config test_config;

/** Open, or fail the test with the sentence that says why not. */
struct machine *test_open(void);
struct machine *test_open_config(const struct qtest_config *config);
/** That opening fails, in time, with a sentence that has `part` in it. */
void test_open_fails(const struct qtest_config *config, const char *part);
/** Close; all pages have to be back. */
void test_close(struct machine *m);

void test_says(const char *sentence, const char *part);
uint64_t test_now_ms(void);

uint8_t *test_page(struct machine *m, uint64_t *phys);
void test_page_free(struct machine *m, void *virt, uint64_t phys);
uint32_t test_config_read(struct machine *m, unsigned dev, unsigned offset,
                          unsigned width);
void test_fill(uint8_t *buf, size_t size, unsigned seed);
bool test_all_are(const uint8_t *buf, size_t size, uint8_t value);

/* ---- the tests */

void opens_in_each_mode(void **state);
void options_reach_the_unit(void **state);
void most_engines_there_can_be(void **state);
void firmware_gives_a_valid_dmar(void **state);
void dmar_was_made_after_bus_numbers(void **state);
void devices_can_be_configured(void **state);
void registers_are_mapped_where_there_are_some(void **state);
void pages_are_counted(void **state);
void pages_run_out(void **state);
void pages_of_a_former_owner_stay(void **state);
void memory_is_shown_where_there_is_some(void **state);

void dma_is_exact_to_the_byte(void **state);
void largest_dma(void **state);
void senseless_dma_is_refused_with_a_sentence(void **state);
void dma_goes_on_when_queues_wrap(void **state);
void threads_share_a_machine(void **state);

void interrupts_arrive_as_sent(void **state);
void interrupts_do_not_disturb_dma(void **state);
void last_interrupts_are_kept(void **state);
void pins_send_what_their_entry_says(void **state);
void blocked_engine_cannot_send(void **state);
void interrupts_of_units_are_handed_on(void **state);
void vectors_run_out(void **state);

void translated_dma_lands(void **state);
void translated_dma_lands_from_behind_a_bridge(void **state);
void dma_to_nowhere_is_refused_and_recorded(void **state);
void refusals_behind_a_bridge_name_the_device(void **state);
void dma_that_is_half_refused_is_refused(void **state);
void stale_translation_is_used(void **state);
void blocked_engine_recovers(void **state);

void dead_qemu_is_noticed(void **state);
void death_between_calls_is_noticed(void **state);
void silent_qemu_is_noticed(void **state);
void missing_qemu_is_a_sentence(void **state);
void refused_option_is_a_sentence(void **state);
void misbehaving_qemu_is_a_sentence(void **state);
void nothing_is_left_behind(void **state);

#endif
