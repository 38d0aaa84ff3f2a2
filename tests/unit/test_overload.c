/*
 * The two judgements of overload control, on a clock of our own: who has waited
 * too long, and how many handlers at once are best.
 */
#include "core/clock.h"
#include "server/limiter.h"
#include "server/patience.h"

#include <criterion/criterion.h>

/* -- patience -------------------------------------------------------------- */

static struct rpcrt__patience patience;

/* Calls that come to their turn from one time to another, one a millisecond,
 * all of which have waited so long; returns how many are shed. */
static unsigned
turns(uint64_t from_ms, uint64_t to_ms, uint64_t waited_ms)
{
    unsigned n_shed = 0;

    for (uint64_t ms = from_ms; ms < to_ms; ms++) {
        n_shed += rpcrt__patience_is_over(&patience, ms * RPCRT__MS,
                                          waited_ms * RPCRT__MS)
                      ? 1
                      : 0;
    }
    return n_shed;
}

static void
init_patience(void)
{
    rpcrt__patience_init(&patience, 5 * RPCRT__MS, 100 * RPCRT__MS);
}

Test(patience, is_endless_without_a_target)
{
    rpcrt__patience_init(&patience, 0, 100 * RPCRT__MS);
    cr_assert_eq(turns(1000, 2000, 900), 0);
}

Test(patience, lasts_for_an_interval)
{
    init_patience();
    cr_assert_eq(turns(1000, 1100, 40), 0);
    cr_assert_eq(turns(1100, 1300, 40), 200);
}

Test(patience, sheds_only_what_waited_twice_the_target)
{
    init_patience();
    (void)turns(1000, 1100, 40);
    cr_assert_eq(turns(1100, 1150, 10), 0);
    cr_assert_eq(turns(1150, 1200, 11), 50);
}

Test(patience, returns_when_one_call_did_not_wait)
{
    init_patience();
    (void)turns(1000, 1100, 40);
    cr_assert_eq(turns(1100, 1101, 40), 1);
    cr_assert_eq(turns(1101, 1102, 1), 0);
    /* To the end of the interval, in which the queue was empty once. */
    cr_assert_eq(turns(1102, 1200, 40), 98);
    cr_assert_eq(turns(1200, 1300, 40), 0);
}

Test(patience, returns_after_a_pause)
{
    init_patience();
    (void)turns(1000, 1100, 40);
    cr_assert_eq(turns(5000, 5100, 40), 0);
}

/* -- how many at once ------------------------------------------------------ */

/* A machine on which calls share some processors, and wait besides. */
struct machine {
    double work_ms; /* of a processor, a call */
    double wait_ms; /* without one */
    double n_processors;
};

/* How long a call takes while n run. */
static double
time_ms(const struct machine *machine, double n)
{
    double alone_ms = machine->work_ms + machine->wait_ms;
    double crowded_ms = n * machine->work_ms / machine->n_processors;

    return crowded_ms > alone_ms ? crowded_ms : alone_ms;
}

/* Serve for a time, always as many at once as the limit lets; `offered` more
 * are never there. Returns calls a second. */
static double
serve(struct rpcrt__limiter *limiter, const struct machine *machine,
      uint64_t *now_ns, uint64_t for_ms, unsigned offered)
{
    uint64_t end_ns = *now_ns + for_ms * RPCRT__MS;
    uint64_t start_ns = *now_ns;
    unsigned n_calls = 0;

    while (*now_ns < end_ns) {
        unsigned n = limiter->limit < offered ? limiter->limit : offered;
        double each_ms = time_ms(machine, n);

        *now_ns += (uint64_t)(each_ms / n * (double)RPCRT__MS);
        rpcrt__limiter_add(limiter, *now_ns,
                           (uint64_t)(each_ms * (double)RPCRT__MS),
                           n == limiter->limit);
        n_calls++;
    }
    return n_calls / ((double)(*now_ns - start_ns) / 1e9);
}

static void
expect_limit(const struct rpcrt__limiter *limiter, unsigned min, unsigned max)
{
    cr_assert(min <= limiter->limit && limiter->limit <= max,
              "%u, not %u to %u", limiter->limit, min, max);
}

Test(limiter, finds_as_many_as_there_are_processors)
{
    static const struct machine machine = {0.5, 0, 2};
    struct rpcrt__limiter limiter;
    uint64_t now_ns = RPCRT__MS;

    rpcrt__limiter_init(&limiter, 32);
    (void)serve(&limiter, &machine, &now_ns, 15000, 1000);
    expect_limit(&limiter, 2, 4);
    cr_assert_gt(serve(&limiter, &machine, &now_ns, 20000, 1000), 3900);
}

Test(limiter, lets_many_wait_at_once)
{
    static const struct machine machine = {0, 20, 2};
    struct rpcrt__limiter limiter;
    uint64_t now_ns = RPCRT__MS;

    rpcrt__limiter_init(&limiter, 32);
    (void)serve(&limiter, &machine, &now_ns, 4000, 1000);
    expect_limit(&limiter, 32, 32);
    /* The probes, at half the limit, are short. */
    cr_assert_gt(serve(&limiter, &machine, &now_ns, 20000, 1000), 1500);
}

Test(limiter, finds_what_is_in_between)
{
    /* 0.5 ms of two processors in 5 ms: 20 at once fill them. */
    static const struct machine machine = {0.5, 4.5, 2};
    struct rpcrt__limiter limiter;
    uint64_t now_ns = RPCRT__MS;

    rpcrt__limiter_init(&limiter, 100);
    (void)serve(&limiter, &machine, &now_ns, 15000, 1000);
    expect_limit(&limiter, 20, 30);
    cr_assert_gt(serve(&limiter, &machine, &now_ns, 20000, 1000), 3800);
}

Test(limiter, learns_that_calls_have_become_slow)
{
    static const struct machine fast = {0.5, 0, 2};
    static const struct machine slow = {0.5, 30, 2};
    struct rpcrt__limiter limiter;
    uint64_t now_ns = RPCRT__MS;

    rpcrt__limiter_init(&limiter, 32);
    (void)serve(&limiter, &fast, &now_ns, 15000, 1000);
    (void)serve(&limiter, &slow, &now_ns, 60000, 1000);
    expect_limit(&limiter, 32, 32);
    (void)serve(&limiter, &fast, &now_ns, 60000, 1000);
    expect_limit(&limiter, 2, 4);
}

Test(limiter, stays_where_it_is_while_nobody_needs_it)
{
    static const struct machine machine = {0.5, 0, 2};
    struct rpcrt__limiter limiter;
    uint64_t now_ns = RPCRT__MS;

    rpcrt__limiter_init(&limiter, 32);
    (void)serve(&limiter, &machine, &now_ns, 30000, 1);
    expect_limit(&limiter, 4, 4);
}

Test(limiter, keeps_to_its_highest)
{
    static const struct machine machine = {0, 20, 2};
    struct rpcrt__limiter limiter;
    uint64_t now_ns = RPCRT__MS;

    rpcrt__limiter_init(&limiter, 1);
    expect_limit(&limiter, 1, 1);
    (void)serve(&limiter, &machine, &now_ns, 10000, 1000);
    expect_limit(&limiter, 1, 1);
}

/* -- goodput --------------------------------------------------------------- */

#define COST_US 500u
#define REFUSAL_US 10u
#define DEADLINE_US 50000u

/* Calls arrive at a steady rate for ten seconds at a server that does one after
 * the other; returns how many a second were done within their deadline. */
static double
goodput(struct rpcrt__patience *judge, double load)
{
    double between_us = COST_US / load;
    double arrived_us = 0;
    double now_us = 0;
    unsigned n_good = 0;

    while (now_us < 10e6) {
        now_us = now_us < arrived_us ? arrived_us : now_us;
        if (now_us - arrived_us > DEADLINE_US ||
            rpcrt__patience_is_over(judge, (uint64_t)(now_us * 1000),
                                    (uint64_t)((now_us - arrived_us) * 1000))) {
            now_us += REFUSAL_US;
        } else {
            now_us += COST_US;
            n_good += now_us - arrived_us <= DEADLINE_US ? 1 : 0;
        }
        arrived_us += between_us;
    }
    return n_good / 10.0;
}

Test(patience, keeps_the_goodput_past_saturation)
{
    struct rpcrt__patience endless;
    double peak;
    double without;

    rpcrt__patience_init(&endless, 0, 100 * RPCRT__MS);
    init_patience();
    peak = goodput(&patience, 1);
    cr_assert_gt(peak, 1900);
    for (unsigned load = 2; load <= 10; load++) {
        /* What refusing costs is gone, of course. */
        double left = 1 - (load - 1) * (double)REFUSAL_US / COST_US;

        init_patience();
        cr_assert_gt(goodput(&patience, load), 0.98 * left * peak, "%u", load);
        without = goodput(&endless, load);
        cr_assert_lt(without, 0.6 * peak, "%u: %f", load, without);
    }
}
