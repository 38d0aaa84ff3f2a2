/*
 * Listeners of the patched nng under peers that never finish their handshake.
 */
#include "transport/rep.h"

/* -- one that leaves at the worst moment ----------------------------------- */

/* Connections that end before nng writes its part of the handshake; writing
 * then says EPIPE. */
static void
leave_before_handshake(bool ipc)
{
    struct rep rep;
    struct raw_tasks tasks;
    rep_open(&rep, ipc);
    raw_tasks_hold(&tasks);
    for (int i = 0; i < 8; i++) {
        raw_reset(raw_connect(rep.address), true);
    }
    raw_tasks_release(&tasks);
    (void)close(rep_client(&rep));
    cr_assert_eq(nng_close(rep.socket), 0);
}

/* Both fail without patch 02. */
Test(nng_listener, hears_on_after_a_peer_left_at_once_ipc, .timeout = 60)
{
    leave_before_handshake(true);
}

Test(nng_listener, hears_on_after_a_peer_left_at_once_tcp, .timeout = 60)
{
    leave_before_handshake(false);
}

/* -- many, in every way ---------------------------------------------------- */

static void
abort_handshake(const char *address, int way)
{
    static const uint8_t garbage[] =
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const uint8_t hello[] = {0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3};
    int fd = raw_connect(address);
    switch (way % 6) {
    case 0:
        (void)close(fd);
        break;
    case 1:
        raw_reset(fd, true);
        break;
    case 2:
        raw_reset(fd, false);
        break;
    case 3:
        raw_write(fd, "\0SP", 3);
        (void)close(fd);
        break;
    case 4:
        raw_write(fd, garbage, sizeof(garbage));
        (void)close(fd);
        break;
    default:
        raw_write(fd, hello, sizeof(hello));
        raw_reset(fd, false);
        break;
    }
}

static void
abort_many(bool ipc)
{
    struct rep rep;
    int before;
    rep_open(&rep, ipc);
    before = raw_descriptors();
    for (int i = 0; i < 3000; i++) {
        abort_handshake(rep.address, i);
        if (i % 60 == 59) { /* before the backlog is full */
            (void)close(rep_client(&rep));
        }
    }
    cr_assert(raw_await(&rep.removed, 50));
    cr_assert(raw_await_descriptors(before));
    cr_assert_eq(nng_close(rep.socket), 0);
    raw_assert_no_leaks();
}

Test(nng_listener, survives_3000_aborted_handshakes_tcp, .timeout = 120)
{
    abort_many(false);
}

Test(nng_listener, survives_3000_aborted_handshakes_ipc, .timeout = 120)
{
    abort_many(true);
}

/* -- others wait for nothing ----------------------------------------------- */

/* Fails without patch 12, when each of the 30 costs 100 ms. */
Test(nng_listener, failed_handshakes_delay_nobody, .timeout = 60)
{
    struct rep rep;
    int64_t begin;
    rep_open(&rep, false);
    begin = raw_now_ms();
    for (int i = 0; i < 30; i++) {
        int fd = raw_connect(rep.address);
        raw_write(fd, "rubbish!", 8);
        cr_assert(raw_ended(fd));
        (void)close(fd);
        (void)close(rep_client(&rep));
    }
    cr_assert_lt(raw_now_ms() - begin, 1500);
    cr_assert_eq(nng_close(rep.socket), 0);
}
