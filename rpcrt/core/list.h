/*
 * A doubly linked list through members of its elements: no allocation, removal
 * in constant time. A node that is in no list points at itself.
 */
#ifndef RPCRT_CORE_LIST_H
#define RPCRT_CORE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct rpcrt__list {
    struct rpcrt__list *next;
    struct rpcrt__list *prev;
};

/* The element that a node is the member `member` of. */
#define RPCRT__ELEMENT(node, type, member)                                     \
    ((type *)(void *)((char *)(node)-offsetof(type, member)))

/* Walk a list whose current element may be removed meanwhile. */
#define RPCRT__LIST_EACH(node, following, list)                                \
    for ((node) = (list)->next, (following) = (node)->next; (node) != (list);  \
         (node) = (following), (following) = (node)->next)

static inline void
rpcrt__list_init(struct rpcrt__list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool
rpcrt__list_empty(const struct rpcrt__list *list)
{
    return list->next == list;
}

static inline void
rpcrt__list_append(struct rpcrt__list *list, struct rpcrt__list *node)
{
    node->prev = list->prev;
    node->next = list;
    list->prev->next = node;
    list->prev = node;
}

static inline void
rpcrt__list_prepend(struct rpcrt__list *list, struct rpcrt__list *node)
{
    rpcrt__list_append(list->next, node);
}

/* Take a node out of its list; nothing if it is in none. */
static inline void
rpcrt__list_remove(struct rpcrt__list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    rpcrt__list_init(node);
}

/* Take the first node; NULL if the list is empty. */
static inline struct rpcrt__list *
rpcrt__list_take(struct rpcrt__list *list)
{
    struct rpcrt__list *node = list->next;

    if (node == list) {
        return NULL;
    }
    rpcrt__list_remove(node);
    return node;
}

/* Move all nodes of one list to the end of another. */
static inline void
rpcrt__list_move(struct rpcrt__list *from, struct rpcrt__list *to)
{
    if (rpcrt__list_empty(from)) {
        return;
    }
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    rpcrt__list_init(from);
}

#endif
