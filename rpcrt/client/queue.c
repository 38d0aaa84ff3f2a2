/*
 * A completion queue: a list of the calls that run, one of those that ended,
 * and an event of the system for who polls.
 */
#include "client/queue.h"

#include "client/call.h"
#include "core/alloc.h"
#include "core/wait.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct rpcrt_queue {
    pthread_mutex_t lock;
    pthread_cond_t some; /* a call ended, or none is left */
    pthread_cond_t none; /* no call runs */
    struct rpcrt__list running;
    struct rpcrt__list ended;
    size_t n_running;
    size_t n_ended;
    int fd; /* -1: nobody has asked for it */
};

/* -- making and freeing ---------------------------------------------------- */

enum rpcrt_code
rpcrt_queue_new(struct rpcrt_queue **ret_queue)
{
    struct rpcrt_queue *queue = rpcrt__calloc(1, sizeof *queue);
    struct rpcrt__error error;

    if (queue == NULL || pthread_mutex_init(&queue->lock, NULL) != 0 ||
        !rpcrt__cond_init(&queue->some) || !rpcrt__cond_init(&queue->none)) {
        rpcrt__free(queue);
        (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                               "completion queue: no memory");
        return rpcrt__last_error_set(&error);
    }
    rpcrt__list_init(&queue->running);
    rpcrt__list_init(&queue->ended);
    queue->fd = -1;
    *ret_queue = queue;
    return RPCRT_OK;
}

/* Whether no call runs, at the latest then. */
static bool
wait_until_idle(struct rpcrt_queue *queue, uint64_t end_ns)
{
    bool in_time = true;
    bool idle;

    pthread_mutex_lock(&queue->lock);
    while (queue->n_running > 0 && in_time) {
        in_time = rpcrt__cond_wait(&queue->none, &queue->lock, end_ns);
    }
    idle = queue->n_running == 0;
    pthread_mutex_unlock(&queue->lock);
    return idle;
}

void
rpcrt_queue_free(struct rpcrt_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    rpcrt_queue_cancel(queue);
    (void)wait_until_idle(queue, RPCRT__NEVER);
    while (rpcrt_queue_next(queue) != NULL) {
    }
    if (queue->fd >= 0) {
        (void)close(queue->fd);
    }
    (void)pthread_cond_destroy(&queue->none);
    (void)pthread_cond_destroy(&queue->some);
    (void)pthread_mutex_destroy(&queue->lock);
    rpcrt__free(queue);
}

/* -- the event for who polls: readable while `ended` is not empty ---------- */

/* [locked] */
static void
fd_set_readable(const struct rpcrt_queue *queue, bool readable)
{
    uint64_t count = 1;
    ssize_t done;

    if (queue->fd < 0) {
        return;
    }
    do {
        done = readable ? write(queue->fd, &count, sizeof count)
                        : read(queue->fd, &count, sizeof count);
    } while (done < 0 && errno == EINTR);
}

enum rpcrt_code
rpcrt_queue_fd(struct rpcrt_queue *queue, int *ret_fd)
{
    struct rpcrt__error error = {.code = RPCRT_OK};

    pthread_mutex_lock(&queue->lock);
    if (queue->fd < 0) {
        queue->fd = eventfd(queue->n_ended > 0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (queue->fd < 0) {
            (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                                   "completion queue: no file descriptor: %s",
                                   strerror(errno));
        }
    }
    if (queue->fd >= 0) {
        *ret_fd = queue->fd;
    }
    pthread_mutex_unlock(&queue->lock);
    return error.code == RPCRT_OK ? RPCRT_OK : rpcrt__last_error_set(&error);
}

/* -- calls come and go ----------------------------------------------------- */

void
rpcrt__queue_join(struct rpcrt_queue *queue, struct rpcrt_call *call)
{
    call->completion_queue = queue;
    pthread_mutex_lock(&queue->lock);
    call->place = RPCRT__PLACE_RUNNING;
    rpcrt__list_append(&queue->running, &call->place_node);
    queue->n_running++;
    pthread_mutex_unlock(&queue->lock);
}

/* The call is the caller's from now on. [locked] */
static void
remove_ended(struct rpcrt_queue *queue, struct rpcrt_call *call)
{
    rpcrt__list_remove(&call->place_node);
    call->completion_queue = NULL;
    queue->n_ended--;
    if (queue->n_ended == 0) {
        fd_set_readable(queue, false);
    }
}

void
rpcrt__queue_leave(struct rpcrt_call *call)
{
    struct rpcrt_queue *queue = call->completion_queue;

    if (queue == NULL) {
        return;
    }
    pthread_mutex_lock(&queue->lock);
    if (call->place == RPCRT__PLACE_ENDED) {
        remove_ended(queue, call);
    } else {
        call->place = RPCRT__PLACE_LEAVING;
    }
    pthread_mutex_unlock(&queue->lock);
}

void
rpcrt_queue_done(struct rpcrt_call *call, void *arg)
{
    struct rpcrt_queue *queue = arg;

    pthread_mutex_lock(&queue->lock);
    rpcrt__list_remove(&call->place_node);
    queue->n_running--;
    if (call->place == RPCRT__PLACE_LEAVING) {
        call->completion_queue = NULL;
    } else {
        call->place = RPCRT__PLACE_ENDED;
        rpcrt__list_append(&queue->ended, &call->place_node);
        queue->n_ended++;
        if (queue->n_ended == 1) {
            fd_set_readable(queue, true);
        }
        (void)pthread_cond_signal(&queue->some);
    }
    if (queue->n_running == 0) {
        /* Who waits for one more call learns that none will come. */
        (void)pthread_cond_broadcast(&queue->some);
        (void)pthread_cond_broadcast(&queue->none);
    }
    pthread_mutex_unlock(&queue->lock);
}

void
rpcrt_queue_cancel(struct rpcrt_queue *queue)
{
    struct rpcrt__list pending;
    struct rpcrt__list *node;

    rpcrt__list_init(&pending);
    pthread_mutex_lock(&queue->lock);
    rpcrt__list_move(&queue->running, &pending);
    while ((node = rpcrt__list_take(&pending)) != NULL) {
        struct rpcrt_call *call =
            RPCRT__ELEMENT(node, struct rpcrt_call, place_node);

        rpcrt__list_append(&queue->running, node);
        pthread_mutex_unlock(&queue->lock);
        rpcrt_call_cancel(call);
        pthread_mutex_lock(&queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
}

size_t
rpcrt_queue_size(struct rpcrt_queue *queue)
{
    size_t size;

    pthread_mutex_lock(&queue->lock);
    size = queue->n_running + queue->n_ended;
    pthread_mutex_unlock(&queue->lock);
    return size;
}

/* -- taking and waiting ---------------------------------------------------- */

/* NULL if none has ended. [locked] */
static struct rpcrt_call *
take(struct rpcrt_queue *queue)
{
    struct rpcrt_call *call;

    if (rpcrt__list_empty(&queue->ended)) {
        return NULL;
    }
    call = RPCRT__ELEMENT(queue->ended.next, struct rpcrt_call, place_node);
    remove_ended(queue, call);
    return call;
}

struct rpcrt_call *
rpcrt_queue_next(struct rpcrt_queue *queue)
{
    struct rpcrt_call *call;

    pthread_mutex_lock(&queue->lock);
    call = take(queue);
    pthread_mutex_unlock(&queue->lock);
    return call;
}

enum rpcrt_code
rpcrt_queue_wait_any(struct rpcrt_queue *queue, int timeout_ms,
                     struct rpcrt_call **ret_call)
{
    uint64_t end_ns = rpcrt__wait_end_ns(timeout_ms);
    struct rpcrt_call *call;
    enum rpcrt_code code;
    bool in_time = true;

    pthread_mutex_lock(&queue->lock);
    while ((call = take(queue)) == NULL && queue->n_running > 0 && in_time) {
        in_time = rpcrt__cond_wait(&queue->some, &queue->lock, end_ns);
    }
    if (call != NULL) {
        *ret_call = call;
        code = RPCRT_OK;
    } else {
        code = queue->n_running > 0 ? RPCRT_DEADLINE_EXCEEDED : RPCRT_NOT_FOUND;
    }
    pthread_mutex_unlock(&queue->lock);
    return code;
}

enum rpcrt_code
rpcrt_queue_wait_all(struct rpcrt_queue *queue, int timeout_ms)
{
    bool idle = wait_until_idle(queue, rpcrt__wait_end_ns(timeout_ms));

    return idle ? RPCRT_OK : RPCRT_DEADLINE_EXCEEDED;
}
