/*
 * Threads that run tasks which may block. Waking a thread is dear, so as long
 * as tasks are quick one thread works through the queue; as soon as the running
 * ones look stuck more threads come, up to a limit. So a task may wait for a
 * later one of the same batch.
 */
#ifndef RPCRT_CORE_EXECUTOR_H
#define RPCRT_CORE_EXECUTOR_H

#include "core/error.h"
#include "core/list.h"

/* What its threads are called in the system. */
#define RPCRT__WORKER_NAME "rpcrt:worker"

struct rpcrt__executor;

/* Embedded in what is to be done; may be gone when run() returns. */
struct rpcrt__task {
    struct rpcrt__list node;
    void (*run)(struct rpcrt__task *task);
};

/* Start with one thread. Up to away_max more than threads_max come for tasks
 * that are away. RESOURCE_EXHAUSTED if not even one is to be had. */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__executor_new(unsigned threads_max, unsigned away_max,
                    struct rpcrt__executor **ret_executor);

/* Run all the tasks of a list, which is empty afterwards. Any thread, under any
 * lock that no task holds when it ends. */
void rpcrt__executor_submit(struct rpcrt__executor *executor,
                            struct rpcrt__list *tasks);

/* A task says that it may wait for long: until it is back its thread does not
 * count, and another one can come in its place. */
void rpcrt__executor_leave(struct rpcrt__executor *executor);
void rpcrt__executor_return(struct rpcrt__executor *executor);

/* Run what was submitted, end the threads, free. Not from a task. NULL does
 * nothing. */
void rpcrt__executor_free(struct rpcrt__executor *executor);

#endif
