/*
 * Clients that break the rules of the protocol: each is told what was wrong
 * and cut off, nothing of what it sent wrongly is executed, and a good client
 * beside it does not notice.
 */
#include "protocol/ground.h"

/* -- one message that is wrong --------------------------------------------- */

/* Each makes a message in a session that is up; a call of Count is in it, which
 * must not be executed. */
struct lie {
    const char *name;
    enum rpcrt_code code;
    void (*tell)(struct peer *liar, struct bytes *message);
};

static void
with_header(struct bytes *message, uint16_t keep, uint64_t session,
            uint64_t seq)
{
    put_header(message, keep, session, seq);
    add_count(message, 1);
}

static void
repeat_seq(struct peer *liar, struct bytes *message)
{
    with_header(message, 1, liar->session, 0);
}

static void
jump_seq(struct peer *liar, struct bytes *message)
{
    with_header(message, 1, liar->session, 1 + K);
}

static void
jump_far(struct peer *liar, struct bytes *message)
{
    with_header(message, 1, liar->session, UINT64_MAX);
}

static void
change_session(struct peer *liar, struct bytes *message)
{
    with_header(message, 1, liar->session ^ 1u, 1);
}

static void
drop_session(struct peer *liar, struct bytes *message)
{
    (void)liar;
    with_header(message, 1, 0, 1);
}

static void
keep_nothing(struct peer *liar, struct bytes *message)
{
    with_header(message, 0, liar->session, 1);
}

static void
keep_all(struct peer *liar, struct bytes *message)
{
    with_header(message, K, liar->session, 1);
}

static void
keep_too_many(struct peer *liar, struct bytes *message)
{
    with_header(message, 65535, liar->session, 1);
}

static void
say_hello_again(struct peer *liar, struct bytes *message)
{
    put_header(message, 1, liar->session, 1);
    put_hello(message, K, 1000);
    add_count(message, 1);
}

static void
speak_version_2(struct peer *liar, struct bytes *message)
{
    with_header(message, 1, liar->session, 1);
    message->data[0] = 2;
}

static void
set_message_flag(struct peer *liar, struct bytes *message)
{
    with_header(message, 1, liar->session, 1);
    message->data[1] = MORE;
}

static void
set_reserved(struct peer *liar, struct bytes *message)
{
    with_header(message, 1, liar->session, 1);
    message->data[7] = 1;
}

/* A frame behind a good one: nothing of the message may run. */
static void
with_frame(struct peer *liar, struct bytes *message, uint8_t type,
           uint8_t flags, uint64_t call, const void *payload, size_t size)
{
    with_header(message, 1, liar->session, 1);
    put_frame(message, type, flags, 0, call, payload, size);
}

static void
send_type_0(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, 0, 0, 0, NULL, 0);
}

static void
send_type_12(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, 12, 0, 0, NULL, 0);
}

static void
send_type_255(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, 255, 0, 0, NULL, 0);
}

static void
set_frame_flag(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, PING, 0x80, 0, NULL, 0);
}

static void
send_status(struct peer *liar, struct bytes *message)
{
    static const uint8_t payload[16];

    with_frame(liar, message, STATUS, 0, 1, payload, sizeof payload);
}

static void
send_goaway(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, GOAWAY, 0, 0, "bye", 3);
}

static void
give_ping_a_call(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, PING, 0, 7, NULL, 0);
}

static void
send_large_ping(struct peer *liar, struct bytes *message)
{
    static const uint8_t payload[65];

    with_frame(liar, message, PING, 0, 0, payload, sizeof payload);
}

static void
send_call_0(struct peer *liar, struct bytes *message)
{
    put_header(message, 1, liar->session, 1);
    add_count(message, 0);
}

static void
send_short_call(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, CALL, END, 2, "too short", 9);
}

static void
claim_more_metadata(struct peer *liar, struct bytes *message)
{
    const uint8_t payload[20] = {[8] = 5}; /* metadata of 5 bytes, 4 there */

    with_frame(liar, message, CALL, END, 2, payload, sizeof payload);
}

static void
bring_more_than_claimed(struct peer *liar, struct bytes *message)
{
    const uint8_t payload[20] = {[4] = 3}; /* a message of 3 bytes, 4 there */

    with_frame(liar, message, CALL, END, 2, payload, sizeof payload);
}

static void
cancel_with_payload(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, CANCEL, 0, 1, "x", 1);
}

static void
name_nothing(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, METHOD, 0, 0, NULL, 0);
}

static void
name_too_much(struct peer *liar, struct bytes *message)
{
    static const char path[256] = "/";

    with_frame(liar, message, METHOD, 0, 0, path, sizeof path);
}

static void
end_in_a_frame(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, PING, 0, 0, "1234", 4);
    message->size--;
}

static void
end_in_a_frame_header(struct peer *liar, struct bytes *message)
{
    with_frame(liar, message, PING, 0, 0, NULL, 0);
    message->size--;
}

static void
be_too_short(struct peer *liar, struct bytes *message)
{
    with_header(message, 1, liar->session, 1);
    message->size = HEADER_SIZE - 1;
}

static void
be_empty(struct peer *liar, struct bytes *message)
{
    with_header(message, 1, liar->session, 1);
    message->size = 0;
}

static const struct lie lies[] = {
    {"sequence number again", RPCRT_INVALID_ARGUMENT, repeat_seq},
    {"sequence number too far", RPCRT_INVALID_ARGUMENT, jump_seq},
    {"last sequence number", RPCRT_INVALID_ARGUMENT, jump_far},
    {"other session", RPCRT_FAILED_PRECONDITION, change_session},
    {"no session", RPCRT_FAILED_PRECONDITION, drop_session},
    {"keep 0", RPCRT_INVALID_ARGUMENT, keep_nothing},
    {"keep K", RPCRT_INVALID_ARGUMENT, keep_all},
    {"keep 65535", RPCRT_INVALID_ARGUMENT, keep_too_many},
    {"second HELLO", RPCRT_INVALID_ARGUMENT, say_hello_again},
    {"version 2", RPCRT_UNIMPLEMENTED, speak_version_2},
    {"message flag", RPCRT_UNIMPLEMENTED, set_message_flag},
    {"reserved bytes", RPCRT_UNIMPLEMENTED, set_reserved},
    {"frame type 0", RPCRT_UNIMPLEMENTED, send_type_0},
    {"frame type 12", RPCRT_UNIMPLEMENTED, send_type_12},
    {"frame type 255", RPCRT_UNIMPLEMENTED, send_type_255},
    {"frame flag", RPCRT_UNIMPLEMENTED, set_frame_flag},
    {"STATUS of a client", RPCRT_INVALID_ARGUMENT, send_status},
    {"GOAWAY of a client", RPCRT_INVALID_ARGUMENT, send_goaway},
    {"PING of a call", RPCRT_INVALID_ARGUMENT, give_ping_a_call},
    {"PING of 65 bytes", RPCRT_INVALID_ARGUMENT, send_large_ping},
    {"call 0", RPCRT_INVALID_ARGUMENT, send_call_0},
    {"short CALL", RPCRT_INVALID_ARGUMENT, send_short_call},
    {"metadata not there", RPCRT_INVALID_ARGUMENT, claim_more_metadata},
    {"message too long", RPCRT_INVALID_ARGUMENT, bring_more_than_claimed},
    {"CANCEL with payload", RPCRT_INVALID_ARGUMENT, cancel_with_payload},
    {"METHOD without path", RPCRT_INVALID_ARGUMENT, name_nothing},
    {"METHOD of 256 bytes", RPCRT_INVALID_ARGUMENT, name_too_much},
    {"cut in a frame", RPCRT_INVALID_ARGUMENT, end_in_a_frame},
    {"cut in a frame's header", RPCRT_INVALID_ARGUMENT, end_in_a_frame_header},
    {"cut in the header", RPCRT_INVALID_ARGUMENT, be_too_short},
    {"empty message", RPCRT_INVALID_ARGUMENT, be_empty},
};

Test(liars, are_told_and_cut_off_before_anything_runs, .timeout = 60)
{
    struct ground ground;

    ground_open(&ground, "tcp");
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        struct bytes message = {0};

        peer_open(&ground.liar, ground.bed.address, K);
        lies[i].tell(&ground.liar, &message);
        cr_assert(peer_send(&ground.liar, &message));
        expect_goaway(&ground.liar, lies[i].code, lies[i].name, "protocol: ");
        ground_check(&ground);
    }
    ground_close(&ground);
}

/* Who stays is cut off. */
Test(liars, that_stay_are_cut_off, .timeout = 60)
{
    struct ground ground;
    struct bytes message;
    int64_t began;

    ground_open(&ground, "tcp");
    peer_open(&ground.liar, ground.bed.address, K);
    message = peer_message(&ground.liar, 0);
    add_count(&message, 1);
    cr_assert(peer_send(&ground.liar, &message));
    /* What comes meanwhile is not carried out. */
    message = peer_message(&ground.liar, 1);
    add_count(&message, 1);
    (void)peer_send(&ground.liar, &message);
    began = now_ms();
    cr_assert(peer_ended(&ground.liar));
    cr_assert_lt(now_ms() - began, 5000);
    peer_close(&ground.liar);
    ground_check(&ground);
    ground_close(&ground);
}

/* -- what concerns calls that are open ------------------------------------- */

/* Frames that are good by themselves, in a session with call 1 open, that has
 * brought 2 of 10 bytes. */
static void
lie_about_calls(struct ground *ground, const char *words,
                void (*tell)(struct bytes *message))
{
    struct bytes message;

    peer_open(&ground->liar, ground->bed.address, K);
    message = peer_message(&ground->liar, 1);
    put_call_part(&message, 1, COUNT, 10, "ab", 2);
    tell(&message);
    cr_assert(peer_send(&ground->liar, &message));
    expect_goaway(&ground->liar, RPCRT_INVALID_ARGUMENT, words, words);
    ground_check(ground);
}

static void
use_a_number_again(struct bytes *message)
{
    add_count(message, 1);
}

static void
skip_a_number(struct bytes *message)
{
    add_count(message, 3);
}

static void
call_an_unknown_method(struct bytes *message)
{
    put_call(message, 2, CHAT + 1, 0, NULL, 0);
}

static void
bring_too_much(struct bytes *message)
{
    put_frame(message, DATA, 0, 0, 1, "123456789", 9);
}

static void
skip_a_method(struct bytes *message)
{
    put_method(message, CHAT + 2, "/probe.v1.Probe/Count");
}

static void
skip_to_the_last_method(struct bytes *message)
{
    put_method(message, 65535, "/probe.v1.Probe/Count");
}

Test(liars, break_off_with_the_rules_of_calls, .timeout = 60)
{
    struct ground ground;

    ground_open(&ground, "ipc");
    lie_about_calls(&ground, "call 1 after 1", use_a_number_again);
    lie_about_calls(&ground, "call 3 after 1", skip_a_number);
    lie_about_calls(&ground, "method 7 of 7", call_an_unknown_method);
    lie_about_calls(&ground, "longer than announced", bring_too_much);
    lie_about_calls(&ground, "method number 8", skip_a_method);
    lie_about_calls(&ground, "method number 65535", skip_to_the_last_method);
    ground_close(&ground);
}

Test(liars, may_name_things_that_are_gone, .timeout = 60)
{
    struct ground ground;
    struct peer *liar = &ground.liar;
    struct bytes message;
    struct frame frame;

    ground_open(&ground, "tcp");
    peer_open(liar, ground.bed.address, K);
    message = peer_message(liar, 1);
    put_frame(&message, CANCEL, 0, 0, 77, NULL, 0);
    put_frame(&message, DATA, 0, 0, 78, "late", 4);
    put_frame(&message, PONG, 0, 0, 0, NULL, 0);
    put_call(&message, 1, ECHO, 0, NULL, 0);
    cr_assert(peer_send(liar, &message));
    cr_assert(peer_await(liar, DATA, 1, &message, &frame));
    cr_assert_eq(frame.flags, START | END);
    bytes_free(&message);
    peer_close(liar);
    ground_check(&ground);
    ground_close(&ground);
}

/* -- the beginning --------------------------------------------------------- */

static void
expect_first_refused(struct ground *ground, struct bytes *message,
                     enum rpcrt_code code, const char *what)
{
    cr_assert(peer_send(&ground->liar, message));
    expect_goaway(&ground->liar, code, what, "protocol: ");
    ground_check(ground);
}

Test(liars, must_begin_with_a_proper_hello, .timeout = 60)
{
    static const uint32_t contexts[] = {0, 1, 257, UINT32_MAX};
    struct ground ground;
    struct bytes message;

    ground_open(&ground, "tcp");
    for (size_t i = 0; i < sizeof contexts / sizeof contexts[0]; i++) {
        peer_connect(&ground.liar, ground.bed.address);
        message = peer_message(&ground.liar, 1);
        put_hello(&message, contexts[i], 1000);
        expect_first_refused(&ground, &message, RPCRT_INVALID_ARGUMENT,
                             "contexts");
    }
    peer_connect(&ground.liar, ground.bed.address);
    message = peer_message(&ground.liar, 1);
    put_method(&message, 0, "/probe.v1.Probe/Count");
    put_call(&message, 1, 0, 0, NULL, 0);
    expect_first_refused(&ground, &message, RPCRT_INVALID_ARGUMENT, "no HELLO");
    peer_connect(&ground.liar, ground.bed.address);
    message = peer_message(&ground.liar, 1);
    put_frame(&message, HELLO, 0, 0, 0, "15 bytes are few", 15);
    expect_first_refused(&ground, &message, RPCRT_INVALID_ARGUMENT,
                         "short HELLO");
    peer_connect(&ground.liar, ground.bed.address);
    ground.liar.session = 0;
    message = peer_message(&ground.liar, 1);
    put_hello(&message, K, 1000);
    expect_first_refused(&ground, &message, RPCRT_FAILED_PRECONDITION,
                         "session 0");
    ground_close(&ground);
}

/* -- sessions -------------------------------------------------------------- */

Test(liars, reach_nothing_of_another_session, .timeout = 60)
{
    struct ground ground;
    struct peer owner;
    struct bytes message;
    struct frame frame;

    ground_open(&ground, "tcp");
    peer_open(&owner, ground.bed.address, K);
    message = peer_message(&owner, 1);
    put_call(&message, 1, HANG, 0, NULL, 0);
    cr_assert(peer_send(&owner, &message));
    bed_await(&ground.bed.probe.n_hanging, 1);
    /* Who knows its number has a session of his own by it. */
    peer_connect(&ground.liar, ground.bed.address);
    ground.liar.session = owner.session;
    message = peer_message(&ground.liar, 1);
    put_hello(&message, K, 1000);
    put_method(&message, 0, "/probe.v1.Probe/Echo");
    put_frame(&message, CANCEL, 0, 0, 1, NULL, 0);
    put_call(&message, 1, 0, 0, NULL, 0);
    cr_assert(peer_send(&ground.liar, &message));
    cr_assert(peer_await(&ground.liar, DATA, 1, &message, &frame));
    bytes_free(&message);
    peer_close(&ground.liar);
    cr_assert_eq(atomic_load(&ground.bed.probe.n_cancelled), 0u);
    message = peer_message(&owner, 1);
    put_call(&message, 2, ECHO, 0, NULL, 0);
    cr_assert(peer_send(&owner, &message));
    cr_assert(peer_await(&owner, DATA, 2, &message, &frame));
    bytes_free(&message);
    peer_close(&owner);
    bed_await(&ground.bed.probe.n_cancelled, 1);
    ground_check(&ground);
    ground_close(&ground);
}

Test(liars, that_leave_a_gap_run_nothing_behind_it, .timeout = 60)
{
    struct ground ground;
    struct bytes message;
    struct bytes missing;
    struct frame frame;

    ground_open(&ground, "tcp");
    peer_open(&ground.liar, ground.bed.address, K);
    missing = peer_message(&ground.liar, 1);
    message = peer_message(&ground.liar, 1);
    put_call(&message, 2, COUNT, 0, NULL, 0);
    cr_assert(peer_send(&ground.liar, &message));
    for (unsigned i = 0; i < 20; i++) {
        bed_echo(ground.good, 100);
    }
    cr_assert_eq(atomic_load(&ground.bed.probe.n_counted), 0u);
    /* It comes after all, and both are taken in order. */
    put_call(&missing, 1, ECHO, 0, NULL, 0);
    cr_assert(peer_send(&ground.liar, &missing));
    cr_assert(peer_await(&ground.liar, DATA, 2, &message, &frame));
    bytes_free(&message);
    cr_assert_eq(atomic_load(&ground.bed.probe.n_counted), 1u);
    peer_close(&ground.liar);
    ground_close(&ground);
}
