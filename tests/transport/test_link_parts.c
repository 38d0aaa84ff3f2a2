/*
 * The small parts of the link: messages, the set of peers, the gate.
 */
#include "transport/nng/link_nng.h"
#include "transport/nng/peers.h"
#include "transport/raw.h"

Test(msg, can_be_shortened)
{
    struct rpcrt__msg *msg = rpcrt__msg_new(1000);
    cr_assert_not_null(msg);
    memset(rpcrt__msg_body(msg), 7, 1000);
    rpcrt__msg_trim(msg, 2000);
    cr_assert_eq(rpcrt__msg_size(msg), 1000);
    rpcrt__msg_trim(msg, 10);
    cr_assert_eq(rpcrt__msg_size(msg), 10);
    cr_assert_eq(rpcrt__msg_body(msg)[9], 7);
    rpcrt__msg_trim(msg, 0);
    cr_assert_eq(rpcrt__msg_size(msg), 0);
    rpcrt__msg_free(msg);
    rpcrt__msg_free(NULL);
}

/* Against an array, with numbers that collide. */
Test(peers, has_what_was_added_and_not_removed)
{
    enum { NUMBERS = 4096 };
    static bool in[NUMBERS];
    struct rpcrt__peers peers = {.places = NULL};
    uint32_t random = 1;
    cr_assert_not(rpcrt__peers_has(&peers, 1));
    cr_assert_not(rpcrt__peers_remove(&peers, 1));
    for (int i = 0; i < 200000; i++) {
        uint32_t n;
        uint32_t peer;
        random = random * 1664525u + 1013904223u;
        n = (random >> 12) % NUMBERS;
        peer = 1 + n * 61; /* many share their low bits */
        if (in[n]) {
            cr_assert(rpcrt__peers_remove(&peers, peer));
        } else {
            cr_assert(rpcrt__peers_add(&peers, peer));
        }
        in[n] = !in[n];
        random = random * 1664525u + 1013904223u;
        n = (random >> 12) % NUMBERS;
        cr_assert_eq(rpcrt__peers_has(&peers, 1 + n * 61), in[n]);
    }
    rpcrt__peers_fini(&peers);
}

struct gate_test {
    struct rpcrt__gate gate;
    atomic_int inside;
    atomic_bool closed;
};

static void *
pass_gate(void *arg)
{
    struct gate_test *test = arg;
    while (rpcrt__gate_enter(&test->gate)) {
        atomic_fetch_add(&test->inside, 1);
        cr_assert_not(atomic_load(&test->closed));
        atomic_fetch_sub(&test->inside, 1);
        rpcrt__gate_leave(&test->gate);
    }
    return NULL;
}

Test(gate, closes_when_nobody_is_inside, .timeout = 60)
{
    for (int i = 0; i < 200; i++) {
        struct gate_test test;
        pthread_t threads[4];
        cr_assert(rpcrt__gate_init(&test.gate));
        atomic_init(&test.inside, 0);
        atomic_init(&test.closed, false);
        for (int t = 0; t < 4; t++) {
            cr_assert_eq(pthread_create(&threads[t], NULL, pass_gate, &test),
                         0);
        }
        if (i % 2 == 0) {
            raw_nap();
        }
        rpcrt__gate_close(&test.gate);
        atomic_store(&test.closed, true);
        cr_assert_eq(atomic_load(&test.inside), 0);
        for (int t = 0; t < 4; t++) {
            cr_assert_eq(pthread_join(threads[t], NULL), 0);
        }
        cr_assert(rpcrt__gate_closed(&test.gate));
        rpcrt__gate_fini(&test.gate);
    }
}
