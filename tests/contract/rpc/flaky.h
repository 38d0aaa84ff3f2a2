/*
 * A service whose handler does what a script says, one line an execution: what
 * tests of several attempts begin with. Its methods differ by what they say
 * about being executed again; a test gives them policies of its own.
 */
#ifndef TESTS_CONTRACT_RPC_FLAKY_H
#define TESTS_CONTRACT_RPC_FLAKY_H

#include "support/probe.h"

#include <pthread.h>

enum flaky_method {
    FLAKY_PLAIN,     /* says nothing */
    FLAKY_READ,      /* NO_SIDE_EFFECTS */
    FLAKY_ONCE,      /* ONCE */
    FLAKY_ONCE_MORE, /* ONCE and IDEMPOTENT */
    FLAKY_METHODS
};

/* What one execution does; all zero: answers at once. */
struct flaky_line {
    enum rpcrt_code code;
    uint32_t wait_ms;
    bool hang;      /* until the call is cancelled */
    bool push_back; /* so many milliseconds: */
    int32_t push_back_ms;
    const void *details;
    size_t details_size;
};

#define FLAKY_LINES_MAX 16u
#define FLAKY_EFFECTS_MAX 512u
#define FLAKY_TEXT_SIZE 80u

struct flaky {
    struct flaky_line lines[FLAKY_LINES_MAX]; /* the last ones: OK */
    atomic_uint effects[FLAKY_EFFECTS_MAX];   /* by number of the request */
    atomic_uint n_executed;
    atomic_uint n_running;
    atomic_uint n_cancelled;
    atomic_bool hold; /* handlers wait while it is set, cancelled or not */
    pthread_mutex_t lock;
    char previous[FLAKY_TEXT_SIZE]; /* metadata that the last one saw */
    char key[FLAKY_TEXT_SIZE];
};

/* A server with a flaky on one address; it may be freed first. */
struct rpcrt_server *flaky_serve(struct flaky *flaky, const char *address,
                                 const struct rpcrt_tls *tls,
                                 const struct rpcrt_server_options *options);
void flaky_init(struct flaky *flaky);

/* A method with a policy (NULL: none) for a client. */
struct rpcrt_method flaky_method(enum flaky_method which,
                                 const struct rpcrt_retry_policy *policy);

/* Make a call; *ret_count is the number of its execution, from 1. */
enum rpcrt_code flaky_call(struct rpcrt_call *call,
                           const struct rpcrt_method *method,
                           uint64_t *ret_count);

/* The same with a request that has a number. */
enum rpcrt_code flaky_call_number(struct rpcrt_call *call,
                                  const struct rpcrt_method *method,
                                  uint32_t number, uint64_t *ret_count);

/* Milliseconds that have passed since a time of flaky_now(). */
uint64_t flaky_now(void);
uint64_t flaky_since(uint64_t start);

/* A flaky, its server, a channel to it and a call. */
struct attempt_ground {
    struct flaky flaky;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
};

void attempt_ground_open(struct attempt_ground *ground,
                         const char *service_config);
void attempt_ground_close(struct attempt_ground *ground);

#endif
