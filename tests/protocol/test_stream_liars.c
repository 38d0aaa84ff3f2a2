/*
 * Clients that break the rules of streams: what breaks the session's is told
 * by GOAWAY and cut off, what is too much for a call ends that, and a good
 * client beside it does not notice.
 */
#include "protocol/ground.h"

#include <string.h>

/* Steps for the probe's handlers, serialized. */
#define STAND "\x18\x01"
#define STOP_ABORTED "\x40\x01\x48\x0a"
#define STEP_SIZE(step) (sizeof(step) - 1)

/* The handlers that were at work are told, and end. */
static void
check_handlers(struct ground *ground)
{
    bed_await(&ground->bed.probe.n_streaming, 0);
    ground_check(ground);
}

static void
put_step(struct bytes *message, uint8_t flags, uint64_t call, const char *step)
{
    put_start(message, flags, call, (uint32_t)strlen(step), step, strlen(step));
}

/* -- frames that can't be -------------------------------------------------- */

/* Each is good by itself; there is a stream of Sum, call 1, whose handler
 * stands still, one of Pour, call 2, and a call of Hang, 3. */
struct lie {
    const char *words;
    void (*tell)(struct bytes *message);
};

static void
begin_twice(struct bytes *message)
{
    put_start(message, 0, 1, 5, "ab", 2);
    put_start(message, 0, 1, 5, "ab", 2);
}

static void
end_within(struct bytes *message)
{
    put_start(message, END, 1, 5, "ab", 2);
}

static void
end_within_later(struct bytes *message)
{
    put_start(message, 0, 1, 5, "ab", 2);
    put_frame(message, DATA, END, 0, 1, "cd", 2);
}

static void
go_on_behind_the_end(struct bytes *message)
{
    put_frame(message, DATA, END, 0, 1, NULL, 0);
    put_step(message, 0, 1, STAND);
}

static void
end_twice(struct bytes *message)
{
    put_step(message, END, 1, STAND);
    put_frame(message, DATA, END, 0, 1, NULL, 0);
}

static void
bring_more_at_once(struct bytes *message)
{
    put_start(message, 0, 1, 2, "abc", 3);
}

static void
bring_more_later(struct bytes *message)
{
    put_start(message, 0, 1, 3, "ab", 2);
    put_frame(message, DATA, 0, 0, 1, "cd", 2);
}

static void
bring_bytes_of_nothing(struct bytes *message)
{
    put_frame(message, DATA, 0, 0, 1, "ab", 2);
}

static void
overfill_the_window(struct bytes *message)
{
    static const char zeros[60000];

    for (unsigned i = 0; i < 3; i++) { /* the window has 100000 */
        put_start(message, 0, 1, sizeof zeros, zeros, sizeof zeros);
    }
}

static void
overflow_the_window(struct bytes *message)
{
    put_window(message, 2, UINT32_MAX);
}

static void
overflow_the_window_slowly(struct bytes *message)
{
    put_window(message, 2, INT32_MAX - STREAM_WINDOW);
    put_window(message, 2, 1);
}

static void
grant_for_one_reply(struct bytes *message)
{
    put_window(message, 1, 100);
}

static void
grant_for_no_stream(struct bytes *message)
{
    put_window(message, 3, 100);
}

static void
stream_to_pour(struct bytes *message)
{
    put_step(message, 0, 2, STAND);
}

static void
send_pour_more(struct bytes *message)
{
    put_frame(message, DATA, 0, 0, 2, "a", 1);
}

static void
end_a_request(struct bytes *message)
{
    put_frame(message, DATA, END, 0, 3, NULL, 0);
}

static void
send_headers(struct bytes *message)
{
    put_frame(message, HEADERS, 0, 0, 1, "\0\0\0\0", 4);
}

static void
send_short_window(struct bytes *message)
{
    put_frame(message, WINDOW, 0, 0, 2, "abc", 3);
}

static void
grant_for_call_0(struct bytes *message)
{
    put_window(message, 0, 100);
}

static void
send_short_start(struct bytes *message)
{
    put_frame(message, DATA, START, 0, 1, "abc", 3);
}

static void
open_with_a_message(struct bytes *message)
{
    const uint8_t payload[18] = {[4] = 2};

    put_frame(message, CALL, 0, SUM, 4, payload, sizeof payload);
}

static void
open_with_a_size(struct bytes *message)
{
    const uint8_t payload[16] = {[4] = 2};

    put_frame(message, CALL, 0, SUM, 4, payload, sizeof payload);
}

static const struct lie lies[] = {
    {"inside of another", begin_twice},
    {"ends inside", end_within},
    {"ends inside", end_within_later},
    {"behind the end", go_on_behind_the_end},
    {"behind the end", end_twice},
    {"more bytes than it announces", bring_more_at_once},
    {"more bytes than were announced", bring_more_later},
    {"more bytes than were announced", bring_bytes_of_nothing},
    {"beyond the window", overfill_the_window},
    {"a window above", overflow_the_window},
    {"a window above", overflow_the_window_slowly},
    {"which has one reply", grant_for_one_reply},
    {"which has one reply", grant_for_no_stream},
    {"which has one request", stream_to_pour},
    {"longer than announced", send_pour_more},
    {"which has one request", end_a_request},
    {"HEADERS frame from the wrong side", send_headers},
    {"malformed WINDOW", send_short_window},
    {"malformed WINDOW", grant_for_call_0},
    {"malformed DATA", send_short_start},
    {"malformed CALL", open_with_a_message},
    {"malformed CALL", open_with_a_size},
};

/* Open the three calls, and wait until their handlers run. */
static void
open_calls(struct ground *ground)
{
    struct peer *liar = &ground->liar;
    struct bytes message;

    peer_open(liar, ground->bed.address, K);
    message = peer_message(liar, 1);
    put_open(&message, 1, SUM, 0);
    put_step(&message, 0, 1, STAND);
    put_call(&message, 2, POUR, 0, "\x0a\x02" STAND, 4);
    put_call(&message, 3, HANG, 0, NULL, 0);
    cr_assert(peer_send(liar, &message));
    bed_await(&ground->bed.probe.n_standing, 2);
    bed_await(&ground->bed.probe.n_hanging, 1);
}

Test(stream_liars, are_told_and_cut_off, .timeout = 60)
{
    static const struct rpcrt_server_options options = {.stream_window =
                                                            100000};
    struct ground ground;
    struct bytes message;

    ground_open_with(&ground, "tcp", &options);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        open_calls(&ground);
        message = peer_message(&ground.liar, 1);
        lies[i].tell(&message);
        cr_assert(peer_send(&ground.liar, &message));
        expect_goaway(&ground.liar, RPCRT_INVALID_ARGUMENT, lies[i].words,
                      lies[i].words);
        check_handlers(&ground);
    }
    ground_close(&ground);
}

/* -- what ends a call only ------------------------------------------------- */

/* The server ends call 1 like this, and goes on with the session. */
static void
expect_end(struct peer *peer, enum rpcrt_code code, unsigned flags,
           const char *words)
{
    struct bytes message;
    struct frame frame;
    char text[RPCRT_TEXT_SIZE + 1] = "";

    cr_assert(peer_await(peer, STATUS, 1, &message, &frame), "%s", words);
    cr_assert_leq(frame.size, RPCRT_TEXT_SIZE);
    memcpy(text, frame.payload + 16, frame.size - 16);
    cr_assert_eq((enum rpcrt_code)frame.payload[0], code, "%s", text);
    cr_assert_eq(frame.payload[1], 1u, "origin of %s", text);
    cr_assert_eq(frame.flags, flags, "%s", text);
    cr_assert_not_null(strstr(text, words), "%s: %s", words, text);
    bytes_free(&message);
    message = peer_message(peer, 1);
    put_frame(&message, DATA, 0, 0, 1, "late", 4);
    put_step(&message, END, 1, STAND);
    put_window(&message, 1, UINT32_MAX);
    put_call(&message, 2, ECHO, 0, NULL, 0);
    cr_assert(peer_send(peer, &message));
    cr_assert(peer_await(peer, DATA, 2, &message, &frame), "%s", words);
    bytes_free(&message);
    peer_close(peer);
}

/* What is sent for call 1 ends it. */
static void
end_call(struct ground *ground, struct bytes *message, enum rpcrt_code code,
         unsigned flags, const char *words)
{
    cr_assert(peer_send(&ground->liar, message));
    expect_end(&ground->liar, code, flags, words);
    check_handlers(ground);
}

Test(stream_liars, end_their_call_only, .timeout = 60)
{
    struct ground ground;
    struct bytes message;

    ground_open(&ground, "ipc");
    peer_open(&ground.liar, ground.bed.address, K);
    message = peer_message(&ground.liar, 1);
    put_open(&message, 1, COUNT, 0);
    put_start(&message, END, 1, 2, "ab", 2);
    end_call(&ground, &message, RPCRT_UNIMPLEMENTED, REFUSED,
             "takes one message, not a stream");
    peer_open(&ground.liar, ground.bed.address, K);
    message = peer_message(&ground.liar, 1);
    put_call(&message, 1, SUM, 0, NULL, 0);
    end_call(&ground, &message, RPCRT_UNIMPLEMENTED, REFUSED,
             "takes a stream of messages");
    peer_open(&ground.liar, ground.bed.address, K);
    message = peer_message(&ground.liar, 1);
    put_open(&message, 1, SUM, 0);
    put_start(&message, 0, 1, UINT32_MAX, "ab", 2);
    end_call(&ground, &message, RPCRT_RESOURCE_EXHAUSTED, 0,
             "message of 4294967295 bytes");
    peer_open(&ground.liar, ground.bed.address, K);
    message = peer_message(&ground.liar, 1);
    put_open(&message, 1, CHAT, 0);
    put_start(&message, 0, 1, 4, "\xff\xff\xff\xff", 4);
    end_call(&ground, &message, RPCRT_INVALID_ARGUMENT, 0, "");
    ground_close(&ground);
}

/* Half a message and nothing more waits for its deadline. */
Test(stream_liars, that_stop_in_a_message_run_out_of_time, .timeout = 60)
{
    struct ground ground;
    struct bytes message;

    ground_open(&ground, "tcp");
    peer_open(&ground.liar, ground.bed.address, K);
    message = peer_message(&ground.liar, 1);
    put_open(&message, 1, SUM, 100);
    put_start(&message, 0, 1, 5, "ab", 2);
    end_call(&ground, &message, RPCRT_DEADLINE_EXCEEDED, 0, "deadline");
    cr_assert_eq(atomic_load(&ground.bed.probe.n_lost), 1u);
    ground_close(&ground);
}

/* -- cancels --------------------------------------------------------------- */

/* Frame i of a whole use of Chat. */
static void
put_part(struct bytes *message, unsigned i)
{
    static const char step[] = "\x28\x01\x30\x10"; /* one reply of 16 bytes */

    switch (i) {
    case 0:
        put_open(message, 1, CHAT, 0);
        break;
    case 1:
        put_step(message, 0, 1, step);
        break;
    case 2:
        put_start(message, 0, 1, STEP_SIZE(step), step, 2);
        break;
    case 3:
        put_frame(message, DATA, 0, 0, 1, step + 2, 2);
        break;
    case 4:
        put_window(message, 1, 100);
        break;
    default:
        put_frame(message, DATA, END, 0, 1, NULL, 0);
        break;
    }
}

/* The cancel in the message of the last part, or in one of its own. */
static void
cancel_behind(struct ground *ground, unsigned n_parts, bool together)
{
    struct peer *peer = &ground->liar;
    struct bytes message;
    struct frame frame;

    peer_open(peer, ground->bed.address, K);
    for (unsigned i = 0; i < n_parts; i++) {
        message = peer_message(peer, 1);
        put_part(&message, i);
        if (i + 1 == n_parts && together) {
            put_frame(&message, CANCEL, 0, 0, 1, NULL, 0);
        }
        cr_assert(peer_send(peer, &message));
        if (i < K - 2) {
            continue; /* there are credits enough */
        }
        message = peer_message(peer, 1);
        put_frame(&message, PING, 0, 0, 0, NULL, 0);
        cr_assert(peer_send(peer, &message));
        cr_assert(peer_await(peer, PONG, 0, &message, &frame));
        bytes_free(&message);
    }
    message = peer_message(peer, 1);
    if (!together) {
        put_frame(&message, CANCEL, 0, 0, 1, NULL, 0);
    }
    put_call(&message, 2, ECHO, 0, NULL, 0);
    cr_assert(peer_send(peer, &message));
    cr_assert(peer_await(peer, DATA, 2, &message, &frame));
    bytes_free(&message);
    peer_close(peer);
    check_handlers(ground);
}

Test(stream_liars, may_cancel_behind_each_frame, .timeout = 60)
{
    struct ground ground;

    ground_open(&ground, "tcp");
    for (unsigned n = 1; n <= 6; n++) {
        cancel_behind(&ground, n, false);
        cancel_behind(&ground, n, true);
    }
    ground_close(&ground);
}
