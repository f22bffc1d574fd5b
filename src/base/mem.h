/* SPDX-License-Identifier: MIT */
/* The four functions a compiler may call by itself; the only ones of libc that
 * uiommu uses. docs/porting.md lists them. */
#ifndef UIM_BASE_MEM_H
#define UIM_BASE_MEM_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

#endif
