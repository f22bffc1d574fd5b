/* SPDX-License-Identifier: MIT */
/*
 * guest.h - a guest that means harm, and the machine around it: what the targets of
 * the models share. The input is a program of register accesses, stores to a small
 * memory, requests of devices, and what the machine does; the first byte says which
 * model, and whether it begins with tables that work. With 0x7f the input is an
 * argument string.
 *
 * A target has a struct guest_kind, and rules of its own behind those here.
 */
#ifndef UIM_FUZZ_GUEST_H
#define UIM_FUZZ_GUEST_H

#include "fuzz/fuzz.h"

#include <uiommu/embed.h>

#define GUEST_RULES(X)                                                         \
    X(work_of_a_request_is_bounded)                                            \
    X(work_of_a_queue_is_bounded)                                              \
    X(accesses_are_of_a_page_at_most)                                          \
    X(exchanges_are_of_aligned_words)                                          \
    X(a_probe_changes_nothing)                                                 \
    X(messages_go_to_aligned_addresses)                                        \
    X(invalidations_are_of_a_known_kind)                                       \
    X(open_tags_are_unique)                                                    \
    X(notify_holds_no_lock)                                                    \
    X(an_answer_to_pages_is_one_of_three)                                      \
    X(an_answer_to_pages_has_a_pasid_or_none)                                  \
    X(a_page_request_is_taken_or_refused)                                      \
    X(a_sentence_is_a_line)                                                    \
    X(a_model_can_be_created)                                                  \
    X(an_answer_is_0_ur_or_ca)                                                 \
    X(an_answer_is_a_page)                                                     \
    X(what_is_granted_covers_what_was_asked_for)                               \
    X(no_right_to_write_for_who_said_no_write)                                 \
    X(a_translated_address_stays)                                              \
    X(no_page_is_outside_the_address_width)                                    \
    X(a_state_loads_where_it_was_saved)                                        \
    X(a_state_is_the_same_once_it_is_loaded)                                   \
    X(a_refused_state_leaves_a_unit_after_reset)
enum { GUEST_RULES(FUZZ_RULE_ENUM) N_GUEST_RULES };

/* Those of the target come behind. */
#define GUEST_OWN_RULES(LIST)                                                  \
    enum { BEFORE_OWN_RULES = N_GUEST_RULES - 1, LIST(FUZZ_RULE_ENUM) };       \
    const char *const fuzz_rules[] = { GUEST_RULES(FUZZ_RULE_NAME)             \
                                           LIST(FUZZ_RULE_NAME) NULL }

enum { GUEST_RAM = 1 << 20, GUEST_STALLS = 64 };

struct guest_kind {
    const char *model;
    const char *const *args; /* of the models that the first byte chooses */
    size_t n_args;
    /* Accesses to memory: of one request, with all that an adversarial model
     * looks at besides; of one call, which may have a full queue to do. */
    unsigned most_of_request, most_of_queue;
    unsigned windows, window_size;
    void (*start)(const char *args); /* tables that work, switched on */
    bool (*translates)(void);
    uint64_t (*recorded)(void); /* changes with each fault that is recorded */
    void (*submit)(struct fuzz_input *in); /* one command */
    void (*send_message)(struct fuzz_input *in);
    uint64_t address_bits; /* of what a page leads to; 0: info() says */
    /* NULL: nothing. Of an answer with rights; of an interrupt. */
    void (*check_page)(const struct uie_xlat *x);
    void (*check_line)(uint32_t line);
    /* NULL: there is none. A response of either kind; a transaction that waits. */
    void (*check_response)(const struct uie_page_response *r);
    void (*check_stall)(const struct uie_req *req, uint32_t tag);
};

extern const struct guest_kind guest_kind; /* of the target */

struct guest {
    const struct uie_ops *ops;
    void *m;
    uint8_t *ram;
    unsigned accesses, most;
    int work; /* the rule about it */
    bool probing;
    uint32_t stall[GUEST_STALLS]; /* tags of what waits */
    unsigned n_stalls;
    bool any_stall; /* others may wait as well: of a state that was changed */
};

extern struct guest guest;

/* 8 bytes at an aligned place that there is. */
void guest_poke(uint64_t gpa, uint64_t value);
uint64_t guest_rd(uint64_t reg, unsigned len); /* windows side by side */
void guest_wr(uint64_t reg, uint64_t value, unsigned len);
void guest_allow_request(void); /* the next call may do so much */

#endif
