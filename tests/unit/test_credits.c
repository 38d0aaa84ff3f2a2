/*
 * What the arithmetic of credits refuses from a peer; that its rules hold
 * together is shown in sim/.
 */
#include "wire/credits.h"

#include <criterion/criterion.h>

static struct rpcrt__reorder reorder;
static int messages[8];

static bool
put(uint64_t seq)
{
    struct rpcrt__arrival arrival = {.msg = &messages[seq % 8],
                                     .slot = (unsigned)seq};

    return rpcrt__reorder_put(&reorder, seq, arrival);
}

static bool
take(unsigned slot)
{
    struct rpcrt__arrival arrival;

    return rpcrt__reorder_take(&reorder, &arrival) && arrival.slot == slot &&
           arrival.msg == &messages[slot % 8];
}

Test(credits, messages_are_taken_in_order)
{
    struct rpcrt__arrival arrival;

    rpcrt__reorder_init(&reorder, 4);
    cr_assert_not(rpcrt__reorder_take(&reorder, &arrival));
    cr_assert(put(2));
    cr_assert(put(1));
    cr_assert_not(rpcrt__reorder_take(&reorder, &arrival));
    cr_assert(put(0));
    cr_assert(take(0));
    cr_assert(put(4));
    cr_assert(take(1));
    cr_assert(take(2));
    cr_assert_not(rpcrt__reorder_take(&reorder, &arrival));
    cr_assert(put(3));
    cr_assert(take(3));
    cr_assert(take(4));
    cr_assert_eq(reorder.n_waiting, 0);
}

Test(credits, repeated_and_impossible_numbers_are_refused)
{
    rpcrt__reorder_init(&reorder, 4);
    cr_assert(put(1));
    cr_assert_not(put(1));
    cr_assert_not(put(4));
    cr_assert_not(put(UINT64_MAX));
    cr_assert(put(0));
    cr_assert(take(0));
    cr_assert_not(put(0));
    cr_assert(put(4));
    cr_assert_not(put(5));
    cr_assert_eq(reorder.n_waiting, 2);
}

Test(credits, what_is_left_is_dropped_once)
{
    struct rpcrt__arrival arrival;
    unsigned slots = 0;

    rpcrt__reorder_init(&reorder, 4);
    cr_assert(put(1));
    cr_assert(put(3));
    while (rpcrt__reorder_drop(&reorder, &arrival)) {
        slots += arrival.slot;
    }
    cr_assert_eq(slots, 4);
    cr_assert_eq(reorder.n_waiting, 0);
}

Test(credits, server_refuses_a_keep_that_cannot_be)
{
    struct rpcrt__server_credits credits;

    rpcrt__server_credits_init(&credits, 4);
    cr_assert_not(rpcrt__server_credits_request(&credits, 0, 0));
    cr_assert_not(rpcrt__server_credits_request(&credits, 0, 4));
    cr_assert_not(rpcrt__server_credits_request(&credits, 0, UINT16_MAX));
    cr_assert(rpcrt__server_credits_request(&credits, 0, 3));
    cr_assert_eq(credits.n_held, 1);
}

Test(credits, server_refuses_more_requests_than_contexts)
{
    struct rpcrt__server_credits credits;
    unsigned i;

    rpcrt__server_credits_init(&credits, 4);
    for (i = 0; i < 4; i++) {
        cr_assert(rpcrt__server_credits_request(&credits, i, 3));
    }
    cr_assert_not(rpcrt__server_credits_request(&credits, 4, 3));
}

Test(credits, server_gives_the_oldest_back_first_as_the_ring_turns)
{
    struct rpcrt__server_credits credits;
    uint64_t seq;
    unsigned i;

    rpcrt__server_credits_init(&credits, 4);
    cr_assert(rpcrt__server_credits_request(&credits, 1000, 3));
    for (i = 0; i < 2000; i++) {
        cr_assert(rpcrt__server_credits_request(&credits, 1001 + i, 3));
        cr_assert_eq(rpcrt__server_credits_send(&credits, &seq), 1000 + i);
        cr_assert_eq(seq, i);
    }
}

Test(credits, client_keep_stays_between_1_and_k_minus_1)
{
    struct rpcrt__client_credits credits;
    uint64_t seq;
    unsigned i;

    rpcrt__client_credits_init(&credits, 4);
    for (i = 0; i < 10; i++) {
        unsigned slot = rpcrt__client_credits_send(&credits, &seq);

        rpcrt__client_credits_reply(&credits, slot, true);
        cr_assert_leq(credits.keep, 3);
    }
    cr_assert_eq(credits.keep, 3);
    for (i = 0; i < 10; i++) {
        rpcrt__client_credits_starved(&credits);
    }
    cr_assert_eq(credits.keep, 1);
}

Test(credits, client_gives_as_many_as_it_allows_while_the_server_has_more)
{
    struct rpcrt__client_credits credits;
    uint64_t seq;
    unsigned slot;

    rpcrt__client_credits_init(&credits, 4);
    cr_assert(rpcrt__client_credits_must_send(&credits));
    slot = rpcrt__client_credits_send(&credits, &seq);
    cr_assert_not(rpcrt__client_credits_must_send(&credits));
    rpcrt__client_credits_reply(&credits, slot, true);
    cr_assert_eq(credits.keep, 2);
    cr_assert(rpcrt__client_credits_must_send(&credits));
    (void)rpcrt__client_credits_send(&credits, &seq);
    cr_assert(rpcrt__client_credits_must_send(&credits), "a second one");
    slot = rpcrt__client_credits_send(&credits, &seq);
    cr_assert_not(rpcrt__client_credits_must_send(&credits));
    rpcrt__client_credits_reply(&credits, slot, false);
    cr_assert_not(rpcrt__client_credits_must_send(&credits));
}

Test(credits, server_keeps_what_the_client_allows_while_calls_are_open)
{
    struct rpcrt__server_credits credits;

    rpcrt__server_credits_init(&credits, 4);
    cr_assert(rpcrt__server_credits_request(&credits, 0, 2));
    cr_assert_not(rpcrt__server_credits_must_send(&credits, false, false));
    cr_assert(rpcrt__server_credits_must_send(&credits, true, false));
    cr_assert(rpcrt__server_credits_request(&credits, 1, 2));
    cr_assert_not(rpcrt__server_credits_must_send(&credits, false, true));
    cr_assert(rpcrt__server_credits_must_send(&credits, false, false));
    cr_assert(rpcrt__server_credits_request(&credits, 2, 1));
    cr_assert(rpcrt__server_credits_must_send(&credits, false, true));
}
