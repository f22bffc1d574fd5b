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
#include "tests/qtest/raw.h"

/* Devices of test_open(): a root port, and two engines, one behind it. */
enum {
    PORT = 0,
    ENGINE = 1,
    BEHIND = 2,
};

/* What a machine may lack. */
enum test_need {
    TEST_ANY,
    TEST_PINS,             /* an I/O APIC... */
    TEST_NO_PINS,          /* ...or the lack of one */
    TEST_UNIT_MESSAGES,    /* interrupts of the unit are messages... */
    TEST_UNIT_WIRES,       /* ...or wires */
    TEST_ABORT,            /* the unit can refuse everything while it is off */
    TEST_MESSAGES_AS_DATA, /* interrupt messages are translated */
    TEST_GRANULES,         /* pages other than of 4 KiB */
    TEST_EVENT_QUEUE,      /* refusals are recorded in memory */
    TEST_PASIDS,           /* PASID tables */
    TEST_N_NEEDS,
};

/* An interrupt message, and what arrives. */
struct test_message {
    uint64_t addr;
    uint32_t data;
    struct uiommu_irq_target as;
};

/* Bits of a register. */
struct test_bits {
    unsigned offset;
    uint32_t mask, bits;
};

/* How a unit can translate: by hand, and in which mode. */
struct test_raw {
    const char *mode;
    const struct raw_ops *ops; /* NULL: the list ends */
};

struct test_mode {
    const char *name; /* NULL: the list ends */
    struct test_bits has;
};

/* A board of hosts/qtest, and what is expected of it. */
struct test_board {
    const char *name;
    struct qtest_config config; /* of test_open() */
    const struct raw_ops *raw;   /* in the mode of test_open() */
    const struct test_raw *raws; /* all of them */
    uint64_t ram;  /* a page of it, nobody's */
    uint64_t bars; /* where the engines' registers are */
    const char *table;
    const char *lacks[TEST_N_NEEDS]; /* why; NULL: it does not */

    const struct test_message *messages; /* the first is good for any vector */
    unsigned n_messages;
    bool names_source; /* the interrupt controller tells who sent a message */

    const struct test_mode *modes; /* the first is that of NULL */
    const char *options, *options_mode;
    struct test_bits options_set[2];
    const char *refuses;  /* the sentence about the option nonsense=on */
    const char *confused; /* that about a QEMU that knows no command */

    /* Whether the table says that the unit is responsible for what is behind the
     * port, which has to be known when it is made. */
    bool (*table_knows)(const uint8_t *table, struct uiommu_pci port,
                        struct uiommu_pci behind);
};

extern const struct test_board test_q35, test_virt;

/** Open, or fail the test with the sentence that says why not. */
struct machine *test_open(const struct test_board *b);
struct machine *test_open_mode(const struct test_board *b, const char *mode);
struct machine *test_open_config(const struct qtest_config *config);
/** That opening fails, in time, with a sentence that has `part` in it. */
void test_open_fails(const struct qtest_config *config, const char *part);
/** Close; all pages have to be back. */
void test_close(struct machine *m);

void test_says(const char *sentence, const char *part);
uint64_t test_now_ms(void);

/** The unit's registers. */
void *test_unit(struct machine *m, const struct test_board *b);
void test_has_bits(struct machine *m, const struct test_board *b,
                   const struct test_bits *has);
/** Message n of the board, or its first with another vector. */
struct test_message test_message(struct machine *m, const struct test_board *b,
                                 unsigned dev, unsigned n);
struct test_message test_vector(struct machine *m, const struct test_board *b,
                                unsigned dev, uint8_t vector);

uint8_t *test_page(struct machine *m, uint64_t *phys);
void test_page_free(struct machine *m, void *virt, uint64_t phys);
uint32_t test_config_read(struct machine *m, unsigned dev, unsigned offset,
                          unsigned width);
void test_fill(uint8_t *buf, size_t size, unsigned seed);
bool test_all_are(const uint8_t *buf, size_t size, uint8_t value);

/** What an engine writes is exactly there, and read back; of four pages that are
 * identity-mapped, at virt. At most three pages at once. */
void test_dma_is_exact(struct machine *m, unsigned dev, uint8_t *virt,
                       uint64_t phys, size_t offset, size_t size);

/* ---- the tests */

void opens_in_each_mode(const struct test_board *b);
void options_reach_the_unit(const struct test_board *b);
void most_engines_there_can_be(const struct test_board *b);
void firmware_gives_a_valid_table(const struct test_board *b);
void table_was_made_after_bus_numbers(const struct test_board *b);
void devices_can_be_configured(const struct test_board *b);
void registers_are_mapped_where_there_are_some(const struct test_board *b);
void pages_are_counted(const struct test_board *b);
void pages_run_out(const struct test_board *b);
void pages_of_a_former_owner_stay(const struct test_board *b);
void memory_is_shown_where_there_is_some(const struct test_board *b);

void dma_is_exact_to_the_byte(const struct test_board *b);
void largest_dma(const struct test_board *b);
void senseless_dma_is_refused_with_a_sentence(const struct test_board *b);
void dma_goes_on_when_queues_wrap(const struct test_board *b);
void threads_share_a_machine(const struct test_board *b);

void interrupts_arrive_as_sent(const struct test_board *b);
void interrupts_do_not_disturb_dma(const struct test_board *b);
void last_interrupts_are_kept(const struct test_board *b);
void pins_send_what_their_entry_says(const struct test_board *b);
void missing_pins_are_a_sentence(const struct test_board *b);
void blocked_engine_cannot_send(const struct test_board *b);
void interrupts_of_units_are_handed_on(const struct test_board *b);
void wires_of_units_are_handed_on(const struct test_board *b);
void vectors_run_out(const struct test_board *b);

void translated_dma_lands(const struct test_board *b);
void translated_dma_lands_from_behind_a_bridge(const struct test_board *b);
void dma_to_nowhere_is_refused_and_recorded(const struct test_board *b);
void refusals_behind_a_bridge_name_the_device(const struct test_board *b);
void dma_that_is_half_refused_is_refused(const struct test_board *b);
void stale_translation_is_used(const struct test_board *b);
void blocked_engine_recovers(const struct test_board *b);
void a_unit_that_is_off_refuses_if_told(const struct test_board *b);
void interrupt_messages_are_translated(const struct test_board *b);
void a_full_event_queue_says_overflow(const struct test_board *b);
void pages_of_64_kib(const struct test_board *b);

void conventional_devices_can_be_configured(const struct test_board *b);
void conventional_dma_is_exact_to_the_byte(const struct test_board *b);
void dma_through_a_bridge_carries_its_id(const struct test_board *b);

void pasid_directories_of_devices_are_apart(const struct test_board *b);
void pasid_entries_are_apart(const struct test_board *b);
void a_pasid_that_leads_nowhere_is_refused(const struct test_board *b);
void the_end_of_a_pasid_directory_is_kept(const struct test_board *b);
void first_stage_addresses_have_their_own_width(const struct test_board *b);
void translations_are_cached_by_pasid(const struct test_board *b);

void dead_qemu_is_noticed(const struct test_board *b);
void death_between_calls_is_noticed(const struct test_board *b);
void silent_qemu_is_noticed(const struct test_board *b);
void missing_qemu_is_a_sentence(const struct test_board *b);
void refused_option_is_a_sentence(const struct test_board *b);
void misbehaving_qemu_is_a_sentence(const struct test_board *b);
void nothing_is_left_behind(const struct test_board *b);

#endif
