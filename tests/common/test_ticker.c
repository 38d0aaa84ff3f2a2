/*
 * The ticker: when rounds come, and that none comes after its end.
 */
#include "common/gate.h"
#include "common/ids.h"
#include "common/ticker.h"

#include <criterion/criterion.h>

#define AN_HOUR_MS 3600000u

struct rounds {
    struct common_gate gate;
    unsigned n;
    unsigned n_busy; /* rounds that want another at once */
};

static bool
count(void *arg)
{
    struct rounds *rounds = arg;
    bool again;

    common_gate_lock(&rounds->gate);
    rounds->n++;
    again = rounds->n <= rounds->n_busy;
    common_gate_signal(&rounds->gate);
    common_gate_unlock(&rounds->gate);
    return again;
}

static struct common_ticker *
start(struct rounds *rounds, uint32_t every_ms)
{
    struct common_ticker *ticker = NULL;
    struct common_error error = {.text = ""};

    cr_assert(common_gate_init(&rounds->gate));
    cr_assert_eq(common_ticker_start(every_ms, count, rounds, &error, &ticker),
                 RPCRT_OK, "%s", error.text);
    return ticker;
}

static void
await(struct rounds *rounds, unsigned n)
{
    common_gate_lock(&rounds->gate);
    while (rounds->n < n) {
        (void)common_gate_wait(&rounds->gate, 1000);
    }
    common_gate_unlock(&rounds->gate);
}

Test(ticker, comes_at_once_and_again, .timeout = 30)
{
    struct rounds rounds = {.n = 0};
    int64_t start_ms = common_monotonic_ms();
    struct common_ticker *ticker = start(&rounds, 20);

    await(&rounds, 4);
    cr_expect_geq(common_monotonic_ms() - start_ms, 60);
    common_ticker_stop(ticker);
    common_gate_fini(&rounds.gate);
}

Test(ticker, goes_on_at_once_while_there_is_work, .timeout = 30)
{
    struct rounds rounds = {.n_busy = 5};
    struct common_ticker *ticker = start(&rounds, AN_HOUR_MS);

    await(&rounds, 6);
    common_ticker_stop(ticker);
    common_ticker_stop(NULL);
    cr_expect_eq(rounds.n, 6);
    common_gate_fini(&rounds.gate);
}

Test(gate, waits_no_longer_than_told, .timeout = 30)
{
    struct common_gate gate;
    int64_t start_ms = common_monotonic_ms();

    cr_assert(common_gate_init(&gate));
    common_gate_lock(&gate);
    cr_expect_not(common_gate_wait(&gate, 50));
    common_gate_unlock(&gate);
    cr_expect_geq(common_monotonic_ms() - start_ms, 49);
    common_gate_fini(&gate);
}
