/*
 * The thread of a ticker: see ticker.h.
 */
#include "common/ticker.h"

#include "common/gate.h"
#include "common/ids.h"

#include <stdlib.h>

struct common_ticker {
    uint32_t every_ms;
    common_tick_fn *fn;
    void *arg;
    pthread_t thread;
    struct common_gate gate; /* stopping is set */
    bool stopping;
};

/* Wait for the time of the next round; false if there is none. */
static bool
next_await(struct common_ticker *ticker)
{
    int64_t until_ms = common_monotonic_ms() + (int64_t)ticker->every_ms;
    int64_t left_ms = ticker->every_ms;
    bool go_on;

    common_gate_lock(&ticker->gate);
    while (!ticker->stopping && left_ms > 0) {
        (void)common_gate_wait(&ticker->gate, (uint32_t)left_ms);
        left_ms = until_ms - common_monotonic_ms();
    }
    go_on = !ticker->stopping;
    common_gate_unlock(&ticker->gate);
    return go_on;
}

static bool
is_stopping(struct common_ticker *ticker)
{
    bool stopping;

    common_gate_lock(&ticker->gate);
    stopping = ticker->stopping;
    common_gate_unlock(&ticker->gate);
    return stopping;
}

static void *
ticker_main(void *arg)
{
    struct common_ticker *ticker = arg;

    do {
        while (!is_stopping(ticker) && ticker->fn(ticker->arg)) {
        }
    } while (next_await(ticker));
    return NULL;
}

enum rpcrt_code
common_ticker_start(uint32_t every_ms, common_tick_fn *fn, void *arg,
                    struct common_error *ret_error,
                    struct common_ticker **ret_ticker)
{
    struct common_ticker *ticker = calloc(1, sizeof(*ticker));
    int rc;

    if (ticker == NULL || !common_gate_init(&ticker->gate)) {
        free(ticker);
        return common_error_no_memory(ret_error);
    }
    ticker->every_ms = every_ms;
    ticker->fn = fn;
    ticker->arg = arg;
    rc = pthread_create(&ticker->thread, NULL, ticker_main, ticker);
    if (rc != 0) {
        common_gate_fini(&ticker->gate);
        free(ticker);
        return common_error_errno(ret_error, RPCRT_RESOURCE_EXHAUSTED, rc,
                                  "start a thread");
    }
    *ret_ticker = ticker;
    return RPCRT_OK;
}

void
common_ticker_stop(struct common_ticker *ticker)
{
    if (ticker == NULL) {
        return;
    }
    common_gate_lock(&ticker->gate);
    ticker->stopping = true;
    common_gate_signal(&ticker->gate);
    common_gate_unlock(&ticker->gate);
    (void)pthread_join(ticker->thread, NULL);
    common_gate_fini(&ticker->gate);
    free(ticker);
}
