/* SPDX-License-Identifier: MIT */
/*
 * list.h - a circular doubly linked list; the caller does the locking.
 *
 * The head is a node of its own. A node that is in no list points to itself.
 */
#ifndef UIM_BASE_LIST_H
#define UIM_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct uim_node {
    struct uim_node *next, *prev;
};

#define uim_container(ptr, type, member)                                       \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define uim_list_for_each(pos, head)                                           \
    for (struct uim_node *pos = (head)->next; pos != (head); pos = pos->next)

static inline void uim_list_init(struct uim_node *n)
{
    n->next = n;
    n->prev = n;
}

static inline bool uim_list_empty(const struct uim_node *head)
{
    return head->next == head;
}

static inline void uim_list_add_tail(struct uim_node *head, struct uim_node *n)
{
    n->prev = head->prev;
    n->next = head;
    head->prev->next = n;
    head->prev = n;
}

static inline void uim_list_del(struct uim_node *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    uim_list_init(n);
}

#endif
