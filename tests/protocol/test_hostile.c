/*
 * Clients that send too much, too slowly, never read, or talk nonsense: a good
 * client beside them does not notice, and what they make the server hold is
 * bounded.
 */
#include "protocol/ground.h"
#include "transport/raw.h"

/* -- too much, too slow, not at all ---------------------------------------- */

/* A request of a few bytes for a reply of 250000. */
static void
put_greedy_call(struct bytes *message, uint64_t call)
{
    const uint8_t request[] = {0x10, 0x90, 0xa1, 0x0f};

    put_call(message, call, ECHO, 0, request, sizeof request);
}

/* One request after the other, each when the last was answered, so that it is
 * not their number at once that the server minds. */
Test(hostile, clients_that_never_read_are_cut_off_soon, .timeout = 60)
{
    struct ground ground;
    struct rpcrt_server_stats first;
    struct rpcrt_server_stats stats;
    int64_t end = now_ms() + PEER_PATIENCE_MS;
    uint64_t n_asked = 0;

    ground_open(&ground, "tcp");
    peer_open(&ground.liar, ground.bed.address, K);
    rpcrt_server_get_stats(ground.bed.server, &first);
    stats = first;
    while (stats.sessions > 1 && n_asked < 400 && now_ms() < end) {
        if (stats.messages_sent == first.messages_sent + n_asked) {
            struct bytes message = peer_message(&ground.liar, 1);

            put_greedy_call(&message, ++n_asked);
            (void)peer_send(&ground.liar, &message);
        }
        rpcrt_server_get_stats(ground.bed.server, &stats);
    }
    /* What the sockets take is as good as read: some megabytes. */
    cr_assert_lt(n_asked, 100, "%u requests answered", (unsigned)n_asked);
    cr_assert_eq(stats.sessions_cut, 1u);
    peer_close(&ground.liar);
    ground_check(&ground);
    ground_close(&ground);
}

Test(hostile, clients_that_stop_in_a_message_hold_up_nobody, .timeout = 60)
{
    struct ground ground;
    struct peer liars[20];
    uint8_t head[12] = {0, 0, 0, 0, 0, 4, 0, 0, 0x80};

    ground_open(&ground, "tcp");
    for (unsigned i = 0; i < 20; i++) {
        if (i % 2 == 0) {
            peer_connect(&liars[i], ground.bed.address);
        } else {
            peer_open(&liars[i], ground.bed.address, K);
        }
        cr_assert(peer_write(&liars[i], head, sizeof head - i % 5));
    }
    for (unsigned i = 0; i < 50; i++) {
        bed_echo(ground.good, 20000);
    }
    for (unsigned i = 0; i < 20; i++) {
        peer_close(&liars[i]);
    }
    ground_check(&ground);
    ground_close(&ground);
}

Test(hostile, clients_that_announce_too_large_a_message_are_cut_off,
     .timeout = 60)
{
    static const uint64_t sizes[] = {(256u << 10) + 69, 1u << 30,
                                     UINT64_C(1) << 62, UINT64_MAX};
    struct ground ground;

    ground_open(&ground, "tcp");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        peer_open(&ground.liar, ground.bed.address, K);
        raw_announce(ground.liar.fd, ground.bed.address, sizes[i]);
        cr_assert(peer_ended(&ground.liar));
        peer_close(&ground.liar);
        ground_check(&ground);
    }
    ground_close(&ground);
}

/* nng lets a little more than the limit through. */
Test(hostile, clients_that_send_a_byte_above_the_limit_are_cut_off,
     .timeout = 60)
{
    struct ground ground;
    struct bytes message;

    ground_open(&ground, "ipc");
    peer_open(&ground.liar, ground.bed.address, K);
    message = peer_message(&ground.liar, 1);
    add_count(&message, 1);
    while (message.size < (256u << 10) + 1) {
        bytes_put_number(&message, 0, 1);
    }
    cr_assert(peer_send(&ground.liar, &message));
    cr_assert(peer_ended(&ground.liar));
    peer_close(&ground.liar);
    ground_check(&ground);
    ground_close(&ground);
}

Test(hostile, clients_that_trickle_are_served_when_they_are_through,
     .timeout = 60)
{
    struct ground ground;
    struct bytes message;
    struct bytes whole;
    struct frame frame;

    ground_open(&ground, "tcp");
    peer_open(&ground.liar, ground.bed.address, K);
    message = peer_message(&ground.liar, 1);
    put_call(&message, 1, ECHO, 0, NULL, 0);
    whole = peer_wrap(&ground.liar, &message);
    bytes_free(&message);
    for (size_t i = 0; i < whole.size; i++) {
        cr_assert(peer_write(&ground.liar, whole.data + i, 1));
        nap_ms(1);
        if (i % 8 == 0) {
            bed_echo(ground.good, 100);
        }
    }
    bytes_free(&whole);
    cr_assert(peer_await(&ground.liar, DATA, 1, &message, &frame));
    bytes_free(&message);
    peer_close(&ground.liar);
    ground_check(&ground);
    ground_close(&ground);
}

Test(hostile, clients_that_ping_for_ever_are_answered, .timeout = 60)
{
    struct ground ground;
    struct bytes message;
    struct frame frame;

    ground_open(&ground, "tcp");
    peer_open(&ground.liar, ground.bed.address, K);
    for (unsigned round = 0; round < 20; round++) {
        size_t at = HEADER_SIZE;
        unsigned n_pongs = 0;

        message = peer_message(&ground.liar, 1);
        for (unsigned i = 0; i < 1000; i++) {
            put_frame(&message, PING, 0, 0, 0, "echo me", 7);
        }
        cr_assert(peer_send(&ground.liar, &message));
        cr_assert(peer_await(&ground.liar, PONG, 0, &message, &frame));
        cr_assert_arr_eq(frame.payload, "echo me", 7);
        while (next_frame(&message, &at, &frame)) {
            n_pongs += frame.type == PONG;
        }
        cr_assert_eq(n_pongs, 1000u);
        bytes_free(&message);
    }
    peer_close(&ground.liar);
    ground_check(&ground);
    ground_close(&ground);
}

/* -- silence -------------------------------------------------------------- */

/* How long it takes until the server ends the connection. */
static int64_t
ms_until_ended(struct peer *peer)
{
    int64_t began = now_ms();

    cr_assert(peer_ended(peer));
    peer_close(peer);
    return now_ms() - began;
}

Test(hostile, clients_that_never_say_hello_are_cut_off, .timeout = 60)
{
    struct ground ground;
    int64_t ms;

    ground_open(&ground, "tcp");
    peer_connect(&ground.liar, ground.bed.address);
    ms = ms_until_ended(&ground.liar);
    cr_assert_geq(ms, RPCRT_HELLO_TIMEOUT_MS - 500);
    ground_check(&ground);
    ground_close(&ground);
}

/* A client that owes an answer to a ping, one that could not be sent any, and
 * one whose messages never become whole. */
Test(hostile, clients_that_give_no_sign_of_life_are_cut_off, .timeout = 60)
{
    static const struct rpcrt_server_options options = {
        .keepalive_ms = 100, .keepalive_timeout_ms = 100};
    const uint8_t head[9] = {0, 0, 0, 0, 0, 0, 1, 0, 0x80};
    struct rpcrt_server_stats stats;
    struct bytes message;
    struct frame frame;
    struct peer peers[3];
    struct bed bed;

    bed_open(&bed, "tcp", &options, NULL);
    for (unsigned i = 0; i < 3; i++) {
        peer_open(&peers[i], bed.address, K);
    }
    message = peer_message(&peers[0], 1); /* a credit */
    cr_assert(peer_send(&peers[0], &message));
    cr_assert(peer_await(&peers[0], PING, 0, &message, &frame));
    bytes_free(&message);
    for (unsigned i = 0; i < sizeof head; i++) {
        (void)peer_write(&peers[2], head + i, 1);
        nap_ms(20);
    }
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_lt(ms_until_ended(&peers[i]), 3000);
    }
    rpcrt_server_get_stats(bed.server, &stats);
    cr_assert_eq(stats.sessions_cut, 3u);
    bed_close(&bed);
}

/* One that answers stays. */
Test(hostile, clients_that_answer_pings_are_kept, .timeout = 60)
{
    static const struct rpcrt_server_options options = {
        .keepalive_ms = 50, .keepalive_timeout_ms = 2000};
    struct bytes message;
    struct frame frame;
    struct peer peer;
    struct bed bed;

    bed_open(&bed, "tcp", &options, NULL);
    peer_open(&peer, bed.address, K);
    message = peer_message(&peer, 1);
    cr_assert(peer_send(&peer, &message));
    for (unsigned i = 0; i < 5; i++) {
        cr_assert(peer_await(&peer, PING, 0, &message, &frame));
        bytes_free(&message);
        message = peer_message(&peer, 1);
        put_frame(&message, PONG, 0, 0, 0, NULL, 0);
        cr_assert(peer_send(&peer, &message));
    }
    peer_close(&peer);
    bed_close(&bed);
}

/* -- garbage --------------------------------------------------------------- */

static uint32_t
next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

Test(hostile, clients_that_send_garbage_hurt_nobody, .timeout = 60)
{
    struct ground ground;
    uint32_t random = 2024;
    uint8_t garbage[600];

    ground_open(&ground, "tcp");
    for (unsigned i = 0; i < 200; i++) {
        size_t size = next_random(&random) % sizeof garbage;
        int fd;

        for (size_t j = 0; j < size; j++) {
            garbage[j] = (uint8_t)next_random(&random);
        }
        if (i % 4 == 0) {
            /* Not even the handshake. */
            fd = raw_connect(ground.bed.address);
            (void)send(fd, garbage, size, MSG_NOSIGNAL);
            (void)close(fd);
        } else {
            struct bytes message = {0};

            peer_open(&ground.liar, ground.bed.address, K);
            if (i % 4 == 1) {
                /* Behind a good header, in a frame of a good type. */
                message = peer_message(&ground.liar, 1);
                put_frame(&message, (uint8_t)(1 + i % 9), 0, 0, i % 3, garbage,
                          size);
            } else {
                bytes_put(&message, garbage, size);
            }
            (void)peer_send(&ground.liar, &message);
            peer_close(&ground.liar);
        }
        if (i % 10 == 0) {
            bed_echo(ground.good, 100);
        }
    }
    ground_check(&ground);
    ground_close(&ground);
}
