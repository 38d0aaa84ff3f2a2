/*
 * Sending one request of a piece of work until it is answered, and what it
 * means when it is not. It knows nothing of keys and records.
 */
#include "common/store_inner.h"

#include "common/ids.h"

#include <sodium.h>

/* Between two tries; each pause is between half of it and all. */
#define PAUSE_MS_MIN 5u
#define PAUSE_MS_MAX 200u
/* How long it may take to notice that the caller has left. */
#define SLICE_MS 20u

/* -- one try --------------------------------------------------------------- */

static enum rpcrt_code
call_prepare(struct common_work *work, struct common_caller *caller,
             int64_t left_ms)
{
    struct common_store *store = work->store;
    const char *call_id =
        work->ctx != NULL ? rpcrt_ctx_call_id(work->ctx) : work->call_id;

    rpcrt_call_set_timeout(caller->call, left_ms < (int64_t)store->try_ms
                                             ? (uint32_t)left_ms
                                             : store->try_ms);
    rpcrt_call_set_parent(caller->call, work->ctx);
    if (rpcrt_call_set_metadata_text(caller->call, "call-id", call_id) !=
        RPCRT_OK) {
        return common_work_set_error(work, RPCRT_RESOURCE_EXHAUSTED,
                                     "call id: %s", rpcrt_last_error());
    }
    return RPCRT_OK;
}

static enum rpcrt_code
call_make(struct common_request *request)
{
    struct rpcrt_call *call = request->caller->call;

    return request->txn != NULL
               ? kv_txn(call, request->txn, &request->txn_reply)
               : kv_range(call, request->range, &request->range_reply);
}

static void
try_count(struct common_store *store, const struct common_request *request)
{
    (void)atomic_fetch_add(&store->n_requests, 1);
    if (request->changes) {
        (void)atomic_fetch_add(&store->n_changes, 1);
    }
    if (request->may_have_run) {
        (void)atomic_fetch_add(&store->n_repeats, 1);
    }
}

/* -- what a failure means -------------------------------------------------- */

/* The store did not answer, or says that it can't now. */
static bool
is_no_answer(const struct rpcrt_call *call)
{
    switch (rpcrt_call_code(call)) {
    case RPCRT_CANCELLED:
    case RPCRT_UNKNOWN:
    case RPCRT_DEADLINE_EXCEEDED:
    case RPCRT_INTERNAL:
    case RPCRT_UNAVAILABLE:
        return true;
    case RPCRT_RESOURCE_EXHAUSTED:
        /* A limit of the server; a full store says so by its handler. */
        return rpcrt_call_origin(call) == RPCRT_ORIGIN_RUNTIME;
    default:
        return false;
    }
}

/* Remember whether this try may have changed something all the same. */
static void
note_change(struct common_request *request)
{
    const struct rpcrt_call *call = request->caller->call;
    bool refused =
        rpcrt_call_origin(call) == RPCRT_ORIGIN_HANDLER && !is_no_answer(call);

    if (request->changes && rpcrt_call_may_have_run(call) && !refused) {
        request->may_have_run = true;
    }
}

/* Nobody waits for the outcome any more, or the program ends. */
static bool
is_over(struct common_work *work)
{
    return (work->ctx != NULL && rpcrt_ctx_cancelled(work->ctx)) ||
           common_store_stopped(work->store);
}

static bool
try_again(struct common_work *work, const struct common_request *request)
{
    const struct rpcrt_call *call = request->caller->call;

    if (is_over(work) || rpcrt_call_code(call) == RPCRT_OUT_OF_RANGE) {
        return false;
    }
    return request->may_have_run || is_no_answer(call);
}

/* Another store than before answers, or its history does not go back so far. */
static enum rpcrt_code
fail_range(struct common_work *work, const struct common_request *request)
{
    const char *text = rpcrt_call_message(request->caller->call);

    if (!request->may_have_run && (request->history || work->store_expected)) {
        return common_work_set_error(work, RPCRT_OUT_OF_RANGE,
                                     "key-value store: %s", text);
    }
    return common_work_set_error(work, RPCRT_UNAVAILABLE,
                                 "the key-value store was replaced meanwhile: "
                                 "%s",
                                 text);
}

static enum rpcrt_code
fail(struct common_work *work, const struct common_request *request)
{
    static const char format[] = "key-value store: %s: %s%s";
    const char *doubt = request->may_have_run ? " (it may have been done)" : "";
    const struct rpcrt_call *call = request->caller->call;
    enum rpcrt_code code = rpcrt_call_code(call);
    const char *name = rpcrt_code_name(code);
    const char *text = rpcrt_call_message(call);

    if (work->ctx != NULL && rpcrt_ctx_cancelled(work->ctx)) {
        code = rpcrt_ctx_time_left_ms(work->ctx) == 0 ? RPCRT_DEADLINE_EXCEEDED
                                                      : RPCRT_CANCELLED;
    } else if (common_store_stopped(work->store)) {
        code = RPCRT_CANCELLED;
    } else if (code == RPCRT_OUT_OF_RANGE) {
        return fail_range(work, request);
    } else if (request->may_have_run || is_no_answer(call)) {
        code = RPCRT_UNAVAILABLE;
    } else if (code != RPCRT_RESOURCE_EXHAUSTED && code != RPCRT_DATA_LOSS) {
        /* Not the fault of whoever is served: a wrong token, say. */
        code = RPCRT_INTERNAL;
    }
    return common_work_set_error(work, code, format, name, text, doubt);
}

/* -- all tries ------------------------------------------------------------- */

/* Wait before try n, from 1 on. */
static void
pause_before(struct common_work *work, unsigned n, int64_t give_up_ms)
{
    uint32_t most_ms = n < 7 ? PAUSE_MS_MIN << (n - 1) : PAUSE_MS_MAX;
    uint32_t pause_ms =
        (most_ms < PAUSE_MS_MAX ? most_ms : PAUSE_MS_MAX) / 2 + 1;
    int64_t until_ms;

    pause_ms += randombytes_uniform(pause_ms);
    until_ms = common_monotonic_ms() + (int64_t)pause_ms;
    until_ms = until_ms < give_up_ms ? until_ms : give_up_ms;
    while (!is_over(work)) {
        int64_t left_ms = until_ms - common_monotonic_ms();

        if (left_ms <= 0) {
            return;
        }
        common_store_pause(work->store, left_ms < (int64_t)SLICE_MS
                                            ? (uint32_t)left_ms
                                            : SLICE_MS);
    }
}

enum rpcrt_code
common_request_send(struct common_work *work, struct common_request *request)
{
    struct common_store *store = work->store;
    int64_t give_up_ms = common_monotonic_ms() + (int64_t)store->patience_ms;
    int64_t left_ms = store->patience_ms;
    unsigned n = 0;

    if (common_store_stopped(store)) {
        return common_work_set_error(work, RPCRT_CANCELLED, "the program ends");
    }
    request->caller = common_caller_take(store);
    if (request->caller == NULL) {
        return common_work_set_error(work, RPCRT_RESOURCE_EXHAUSTED,
                                     "out of memory");
    }
    do {
        if (n > 0) {
            pause_before(work, n, give_up_ms);
            left_ms = give_up_ms - common_monotonic_ms();
        }
        if (left_ms <= 0 || (n > 0 && is_over(work))) {
            break;
        }
        if (call_prepare(work, request->caller, left_ms) != RPCRT_OK) {
            return work->error.code;
        }
        try_count(store, request);
        if (call_make(request) == RPCRT_OK) {
            return RPCRT_OK;
        }
        note_change(request);
        n++;
    } while (try_again(work, request));
    return fail(work, request);
}

void
common_request_end(struct common_work *work, struct common_request *request)
{
    if (request->caller != NULL) {
        common_caller_give(work->store, request->caller);
        request->caller = NULL;
    }
}
