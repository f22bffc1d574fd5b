/* SPDX-License-Identifier: MIT */
/* The functions of a format as data: only one format can be seen in a file. */
#ifndef UIM_TESTS_PT_ENTRY_H
#define UIM_TESTS_PT_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

struct entry_format {
    const char *name;
    unsigned leaf_top;
    bool (*present)(uint64_t e);
    bool (*is_table)(uint64_t e);
    uint64_t (*address)(uint64_t e);
    uint64_t (*place)(uint64_t phys);
    uint64_t (*table)(uint64_t phys);
    uint64_t (*leaf)(unsigned level, unsigned flags, bool snoop);
    uint64_t (*split)(uint64_t e, unsigned level);
    unsigned (*rights)(uint64_t e);
    bool (*dirty)(uint64_t e);
    uint64_t (*set_dirty)(uint64_t e, bool dirty);
};

#define ENTRY_FORMAT                                                           \
    {                                                                          \
        FMT_NAME, FMT_LEAF_TOP, fmt_present, fmt_is_table, fmt_address,        \
            fmt_place, fmt_table, fmt_leaf, fmt_split, fmt_rights, fmt_dirty,  \
            fmt_set_dirty                                                      \
    }

extern const struct entry_format entry_vtd_ss, entry_vtd_fs;
extern const struct entry_format entry_vmsa_s1_4k, entry_vmsa_s1_16k,
    entry_vmsa_s1_64k, entry_vmsa_s1_4k_ds, entry_vmsa_s1_16k_ds;
extern const struct entry_format entry_vmsa_s2_4k, entry_vmsa_s2_16k,
    entry_vmsa_s2_64k, entry_vmsa_s2_4k_ds, entry_vmsa_s2_16k_ds;

/* Those of VT-d; how many failed. */
int entry_tests(void);

#endif
