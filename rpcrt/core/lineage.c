/*
 * Parents and children of core/lineage.h. Neither side outlives the other by
 * rule, so one lock for the whole process guards all the lists; only calls
 * that have a parent take it.
 */
#include "core/lineage.h"

#include <pthread.h>

static pthread_mutex_t lineage_lock = PTHREAD_MUTEX_INITIALIZER;

void
rpcrt__parent_init(struct rpcrt__parent *parent)
{
    rpcrt__list_init(&parent->children);
    atomic_store(&parent->cancelled, false);
    atomic_store(&parent->used, false);
}

void
rpcrt__parent_fini(struct rpcrt__parent *parent)
{
    if (!atomic_load(&parent->used)) {
        return;
    }
    pthread_mutex_lock(&lineage_lock);
    while (rpcrt__list_take(&parent->children) != NULL) {
    }
    pthread_mutex_unlock(&lineage_lock);
}

bool
rpcrt__parent_close(struct rpcrt__parent *parent)
{
    /* A child says first that it is there, then looks whether the parent is:
     * so at least one of the two sees the other. */
    atomic_store(&parent->cancelled, true);
    return atomic_load(&parent->used);
}

void
rpcrt__parent_cancel(struct rpcrt__parent *parent)
{
    struct rpcrt__list *node;

    pthread_mutex_lock(&lineage_lock);
    while ((node = rpcrt__list_take(&parent->children)) != NULL) {
        struct rpcrt__child *child =
            RPCRT__ELEMENT(node, struct rpcrt__child, node);

        child->cancel(child->arg);
    }
    pthread_mutex_unlock(&lineage_lock);
}

void
rpcrt__child_init(struct rpcrt__child *child)
{
    rpcrt__list_init(&child->node);
}

bool
rpcrt__child_begin(struct rpcrt__child *child, struct rpcrt__parent *parent,
                   void (*cancel)(void *arg), void *arg)
{
    bool alive;

    child->cancel = cancel;
    child->arg = arg;
    pthread_mutex_lock(&lineage_lock);
    atomic_store(&parent->used, true);
    alive = !atomic_load(&parent->cancelled);
    if (alive) {
        rpcrt__list_append(&parent->children, &child->node);
    }
    pthread_mutex_unlock(&lineage_lock);
    return alive;
}

void
rpcrt__child_end(struct rpcrt__child *child)
{
    pthread_mutex_lock(&lineage_lock);
    rpcrt__list_remove(&child->node);
    pthread_mutex_unlock(&lineage_lock);
}
