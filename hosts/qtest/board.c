/* SPDX-License-Identifier: MIT */
/* board.c - see board.h. */
#include "hosts/qtest/board.h"

#include <string.h>

static const struct qt_board *const boards[] = { &qt_board_q35,
                                                 &qt_board_virt };

const struct qt_board *qt_board_find(const char *iommu)
{
    if (iommu == NULL) {
        return boards[0];
    }
    for (size_t i = 0; i < sizeof(boards) / sizeof(boards[0]); i++) {
        if (strcmp(boards[i]->iommu, iommu) == 0) {
            return boards[i];
        }
    }
    return NULL;
}

const struct qt_mode *qt_board_mode(const struct qt_board *board,
                                    const char *name)
{
    const struct qt_mode *mode = board->modes;

    while (name != NULL && mode->name != NULL &&
           strcmp(mode->name, name) != 0) {
        mode++;
    }
    return mode->name != NULL ? mode : NULL;
}
