/*
 * Time in the patched nng: expiring is cheap, and redialing waits.
 */
#include "transport/raw.h"
#include <nng/protocol/reqrep0/req.h>

static int64_t
cpu_us(void)
{
    struct timespec used;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000;
}

/* Fails without patch 07, when each costs half a millisecond of spinning. */
Test(nng_timer, expiring_costs_no_time, .timeout = 60)
{
    enum { ROUNDS = 200 };
    nng_aio *aio;
    int64_t begin;
    cr_assert_eq(nng_aio_alloc(&aio, NULL, NULL), 0);
    begin = cpu_us();
    for (int i = 0; i < ROUNDS; i++) {
        nng_sleep_aio(3, aio);
        nng_aio_wait(aio);
    }
    cr_expect_lt((cpu_us() - begin) / ROUNDS, 250);
    nng_aio_free(aio);
}

/* Dialers whose first attempt fails come back at random within two seconds, so
 * hardly any at once. Fails without patch 08, when half of them do. */
Test(nng_timer, redialing_waits_a_random_time, .timeout = 60)
{
    enum { DIALERS = 24 };
    nng_socket socket;
    char address[64];
    int server = raw_listen(address);
    int redials = 0;
    int64_t end;
    cr_assert_eq(nng_req0_open(&socket), 0);
    cr_assert_eq(nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, 2000), 0);
    for (int i = 0; i < DIALERS; i++) {
        cr_assert_eq(nng_dial(socket, address, NULL, NNG_FLAG_NONBLOCK), 0);
        (void)close(accept(server, NULL, NULL));
    }
    end = raw_now_ms() + 200;
    while (raw_now_ms() < end) {
        struct pollfd ready = {.fd = server, .events = POLLIN};
        if (poll(&ready, 1, 10) == 1) {
            (void)close(accept(server, NULL, NULL));
            redials++;
        }
    }
    cr_expect_lt(redials, DIALERS / 3, "%d redials at once", redials);
    (void)close(server);
    cr_assert_eq(nng_close(socket), 0);
}
