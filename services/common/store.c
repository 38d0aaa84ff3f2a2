/*
 * The connection of a store: its options, the pool of calls that all pieces of
 * work share, and the end of what waits. What is sent: store_request.c.
 */
#include "common/store_inner.h"

#include "common/ids.h"
#include "common/tokens.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY_MS 2000u
#define PATIENCE_MS 10000u
/* A store that was started again is found at once. */
#define BACKOFF_MS_MIN 10u
#define BACKOFF_MS_MAX 200u
/* How often a call is cancelled that may not have begun yet. */
#define STOP_AGAIN_MS 5u

#define TOKEN_SIZE 512u
#define BEARER "Bearer "

/* -- opening --------------------------------------------------------------- */

static enum rpcrt_code
bearer_read(struct common_store *store, const char *path,
            struct common_error *ret_error)
{
    char token[TOKEN_SIZE];
    size_t size;

    if (common_token_read(path, token, sizeof(token), ret_error) != RPCRT_OK) {
        return ret_error->code;
    }
    size = strlen(BEARER) + strlen(token) + 1;
    store->bearer = malloc(size);
    if (store->bearer != NULL) {
        (void)snprintf(store->bearer, size, "%s%s", BEARER, token);
    }
    sodium_memzero(token, sizeof(token));
    return store->bearer != NULL ? RPCRT_OK : common_error_no_memory(ret_error);
}

static enum rpcrt_code
channel_open(struct common_store *store,
             const struct common_store_options *options,
             struct common_error *ret_error)
{
    struct rpcrt_channel_options channel_options = {
        .backoff_ms_min = BACKOFF_MS_MIN,
        .backoff_ms_max = BACKOFF_MS_MAX,
    };
    enum rpcrt_code code;

    if (options->address == NULL) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "the store has no address");
    }
    if (strncmp(options->address, "tls+", 4) == 0) {
        channel_options.tls = options->tls;
    }
    code =
        rpcrt_channel_new(options->address, &channel_options, &store->channel);
    return code == RPCRT_OK
               ? code
               : common_error_set(ret_error, code, "%s", rpcrt_last_error());
}

enum rpcrt_code
common_store_open(const struct common_store_options *options,
                  struct common_error *ret_error,
                  struct common_store **ret_store)
{
    struct common_store *store = calloc(1, sizeof(*store));

    if (store == NULL || sodium_init() < 0 || !common_gate_init(&store->gate)) {
        free(store);
        return common_error_no_memory(ret_error);
    }
    store->try_ms = options->try_ms == 0 ? TRY_MS : options->try_ms;
    store->patience_ms =
        options->patience_ms == 0 ? PATIENCE_MS : options->patience_ms;
    if ((options->token_file != NULL &&
         bearer_read(store, options->token_file, ret_error) != RPCRT_OK) ||
        channel_open(store, options, ret_error) != RPCRT_OK) {
        common_store_close(store);
        return ret_error->code;
    }
    *ret_store = store;
    return RPCRT_OK;
}

void
common_store_close(struct common_store *store)
{
    if (store == NULL) {
        return;
    }
    while (store->callers != NULL) {
        struct common_caller *caller = store->callers;

        store->callers = caller->next;
        rpcrt_call_free(caller->call);
        free(caller);
    }
    rpcrt_channel_free(store->channel);
    if (store->bearer != NULL) {
        sodium_memzero(store->bearer, strlen(store->bearer));
        free(store->bearer);
    }
    common_gate_fini(&store->gate);
    free(store);
}

/* -- the pool -------------------------------------------------------------- */

static struct common_caller *
caller_new(struct common_store *store)
{
    struct common_caller *caller = calloc(1, sizeof(*caller));

    if (caller == NULL) {
        return NULL;
    }
    if (rpcrt_call_new(store->channel, store->try_ms, &caller->call) !=
        RPCRT_OK) {
        free(caller);
        return NULL;
    }
    if (store->bearer != NULL &&
        rpcrt_call_set_metadata_text(caller->call, "authorization",
                                     store->bearer) != RPCRT_OK) {
        rpcrt_call_free(caller->call);
        free(caller);
        return NULL;
    }
    return caller;
}

struct common_caller *
common_caller_take(struct common_store *store)
{
    struct common_caller *caller;

    common_gate_lock(&store->gate);
    for (caller = store->callers; caller != NULL && caller->busy;
         caller = caller->next) {
    }
    if (caller != NULL) {
        caller->busy = true;
    }
    common_gate_unlock(&store->gate);
    if (caller != NULL) {
        return caller;
    }
    caller = caller_new(store);
    if (caller != NULL) {
        caller->busy = true;
        common_gate_lock(&store->gate);
        caller->next = store->callers;
        store->callers = caller;
        common_gate_unlock(&store->gate);
    }
    return caller;
}

void
common_caller_give(struct common_store *store, struct common_caller *caller)
{
    rpcrt_call_set_parent(caller->call, NULL);
    common_gate_lock(&store->gate);
    caller->busy = false;
    common_gate_signal(&store->gate);
    common_gate_unlock(&store->gate);
}

/* -- the end --------------------------------------------------------------- */

bool
common_store_stopped(struct common_store *store)
{
    bool stopped;

    common_gate_lock(&store->gate);
    stopped = store->stopped;
    common_gate_unlock(&store->gate);
    return stopped;
}

void
common_store_pause(struct common_store *store, uint32_t pause_ms)
{
    int64_t until_ms = common_monotonic_ms() + (int64_t)pause_ms;
    int64_t left_ms = pause_ms;

    common_gate_lock(&store->gate);
    while (!store->stopped && left_ms > 0) {
        (void)common_gate_wait(&store->gate, (uint32_t)left_ms);
        left_ms = until_ms - common_monotonic_ms();
    }
    common_gate_unlock(&store->gate);
}

/* Cancel the calls that run; false if there are none. [locked] */
static bool
cancel_all(struct common_store *store)
{
    struct common_caller *caller;
    bool any = false;

    for (caller = store->callers; caller != NULL; caller = caller->next) {
        if (caller->busy) {
            any = true;
            rpcrt_call_cancel(caller->call);
        }
    }
    return any;
}

void
common_store_stop(struct common_store *store)
{
    common_gate_lock(&store->gate);
    store->stopped = true;
    common_gate_signal(&store->gate);
    /* One that was about to begin has missed it. */
    while (cancel_all(store)) {
        (void)common_gate_wait(&store->gate, STOP_AGAIN_MS);
    }
    common_gate_unlock(&store->gate);
}

void
common_store_get_stats(const struct common_store *store,
                       struct common_store_stats *ret_stats)
{
    *ret_stats = (struct common_store_stats){
        .requests = atomic_load(&store->n_requests),
        .changes = atomic_load(&store->n_changes),
        .repeats = atomic_load(&store->n_repeats),
    };
}
