/*
 * Requests that would hurt who unpacks them: refused by the server with a text
 * that names the field, before a handler sees them; the server lives on.
 */
#include "protocol/peer.h"
#include "support/sample.pb-c.h"

#include <stdio.h>
#include <string.h>

/* A service that takes any message of tests/support/sample.proto. */
static const struct rpcrt_method methods[] = {
    {.path = "/bomb.v1.Bomb/Take",
     .request = &sample__v1__everything__descriptor,
     .reply = &sample__v1__empty__descriptor}};

static const struct rpcrt_service service = {
    .name = "bomb.v1.Bomb", .methods = methods, .n_methods = 1};

static enum rpcrt_code
take(const void *table, void *self, struct rpcrt_ctx *ctx,
     const ProtobufCMessage *request, ProtobufCMessage *reply)
{
    (void)table;
    (void)ctx;
    (void)request;
    (void)reply;
    atomic_fetch_add((atomic_uint *)self, 1);
    return RPCRT_OK;
}

static rpcrt_glue_fn *const glue[] = {take};

struct range {
    struct rpcrt_server *server;
    struct peer peer;
    uint64_t n_calls;
    atomic_uint n_taken;
};

static void
range_open(struct range *range)
{
    struct bytes message;
    struct frame frame;

    memset(range, 0, sizeof *range);
    cr_assert_eq(rpcrt_server_new(NULL, &range->server), RPCRT_OK);
    cr_assert_eq(
        rpcrt_server_add(range->server, &service, glue, NULL, &range->n_taken),
        RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(range->server, "tcp://127.0.0.1:0", NULL),
                 RPCRT_OK);
    peer_connect(&range->peer, rpcrt_server_address(range->server, 0));
    message = peer_message(&range->peer, 1);
    put_hello(&message, 4, 1000);
    put_method(&message, 0, "/bomb.v1.Bomb/Take");
    cr_assert(peer_send(&range->peer, &message));
    cr_assert(peer_await(&range->peer, HELLO, 0, &message, &frame));
    bytes_free(&message);
}

static void
range_close(struct range *range)
{
    peer_close(&range->peer);
    rpcrt_server_free(range->server);
}

/* Send a request, of up to some megabytes. */
static void throw(struct range * range, const struct bytes *bomb)
{
    size_t now = bomb->size < 60000 ? bomb->size : 60000;
    struct bytes message = peer_message(&range->peer, 1);

    put_call_part(&message, ++range->n_calls, 0, (uint32_t)bomb->size,
                  bomb->data, now);
    while (now < bomb->size) {
        size_t size = bomb->size - now < 60000 ? bomb->size - now : 60000;

        cr_assert(peer_send(&range->peer, &message));
        if (now > 60000) { /* the request before the last is given back */
            cr_assert(peer_receive(&range->peer, PEER_PATIENCE_MS, &message));
            bytes_free(&message);
        }
        message = peer_message(&range->peer, 1);
        put_frame(&message, DATA, 0, 0, range->n_calls, bomb->data + now, size);
        now += size;
    }
    cr_assert(peer_send(&range->peer, &message));
}

/* It is refused with that code, and words that stand in the text. */
static void
expect_refused(struct range *range, struct bytes *bomb, enum rpcrt_code code,
               const char *words)
{
    struct bytes message;
    struct frame frame;
    char text[RPCRT_TEXT_SIZE];

    throw(range, bomb);
    bytes_free(bomb);
    cr_assert(
        peer_await(&range->peer, STATUS, range->n_calls, &message, &frame),
        "%s", words);
    (void)snprintf(text, sizeof text, "%.*s",
                   (int)bytes_number(frame.payload + 4, 4),
                   (const char *)frame.payload + 16);
    cr_assert_eq((enum rpcrt_code)frame.payload[0], code, "%s", text);
    cr_assert_eq(frame.payload[1], RPCRT_ORIGIN_RUNTIME);
    cr_assert_eq(frame.flags, REFUSED);
    cr_assert_not_null(strstr(text, words), "%s", text);
    bytes_free(&message);
    cr_assert_eq(atomic_load(&range->n_taken), 0u);
}

/* -- bombs ----------------------------------------------------------------- */

static void
put_varint(struct bytes *bytes, uint64_t value)
{
    while (value >= 0x80) {
        bytes_put_number(bytes, value | 0x80, 1);
        value >>= 7;
    }
    bytes_put_number(bytes, value, 1);
}

static void
put_field(struct bytes *bytes, unsigned number, unsigned type)
{
    put_varint(bytes, number << 3 | type);
}

/* Nodes in nodes, so many. */
static struct bytes
nested(unsigned depth)
{
    struct bytes inner = {0};

    for (unsigned i = 0; i < depth; i++) {
        struct bytes outer = {0};

        put_field(&outer, i + 1 == depth ? 100000 : 2, 2);
        put_varint(&outer, inner.size);
        bytes_put(&outer, inner.data, inner.size);
        bytes_free(&inner);
        inner = outer;
    }
    return inner;
}

Test(bombs, of_depth_are_refused, .timeout = 60)
{
    struct range range;
    struct bytes bomb;

    range_open(&range);
    bomb = nested(RPCRT_MESSAGE_DEPTH_MAX + 1);
    expect_refused(&range, &bomb, RPCRT_RESOURCE_EXHAUSTED, "too deep");
    bomb = nested(3000);
    expect_refused(&range, &bomb, RPCRT_RESOURCE_EXHAUSTED, "too deep");
    range_close(&range);
}

Test(bombs, of_groups_are_refused, .timeout = 60)
{
    struct range range;
    struct bytes bomb = {0};

    range_open(&range);
    for (unsigned i = 0; i < 50000; i++) {
        put_field(&bomb, 1000, 3);
    }
    expect_refused(&range, &bomb, RPCRT_INVALID_ARGUMENT, "sample.v1");
    range_close(&range);
}

Test(bombs, of_unknown_fields_are_refused, .timeout = 60)
{
    struct range range;
    struct bytes bomb = {0};

    range_open(&range);
    for (unsigned i = 0; i < 1000000; i++) {
        put_field(&bomb, 1000, 0);
        put_varint(&bomb, 1);
    }
    expect_refused(&range, &bomb, RPCRT_RESOURCE_EXHAUSTED, "unknown fields");
    range_close(&range);
}

/* Three bytes of the wire make a message of many in memory. */
Test(bombs, of_memory_are_refused, .timeout = 60)
{
    struct range range;
    struct bytes bomb = {0};

    range_open(&range);
    while (bomb.size + 3 < (4u << 20)) {
        put_field(&bomb, 29, 2);
        put_varint(&bomb, 0);
    }
    expect_refused(&range, &bomb, RPCRT_RESOURCE_EXHAUSTED, "memory");
    range_close(&range);
}

Test(bombs, of_strings_are_refused, .timeout = 60)
{
    struct range range;
    struct bytes bomb = {0};

    range_open(&range);
    bytes_put(&bomb, "\x7a\x02\xc3\x28", 4);
    expect_refused(&range, &bomb, RPCRT_INVALID_ARGUMENT,
                   "sample.v1.Everything.name: invalid UTF-8");
    bytes_put(&bomb,
              "\x7a\x03"
              "a\0b",
              5);
    expect_refused(&range, &bomb, RPCRT_INVALID_ARGUMENT,
                   "sample.v1.Everything.name: zero byte");
    range_close(&range);
}

Test(bombs, of_lengths_are_refused, .timeout = 60)
{
    static const char *const bombs[] = {
        "\x82\x01\xff\xff\xff\xff\x0f",                 /* 4 GiB of data */
        "\x82\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f", /* and many more */
        "\x82\x01\x05\x61\x62\x63\x64", /* one byte is missing */
        "\x82\x01",                     /* all are */
        "\x82",                         /* half a tag */
        "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", /* a long varint */
    };
    struct range range;

    range_open(&range);
    for (size_t i = 0; i < sizeof bombs / sizeof bombs[0]; i++) {
        struct bytes bomb = {0};

        bytes_put(&bomb, bombs[i], strlen(bombs[i]));
        expect_refused(&range, &bomb, RPCRT_INVALID_ARGUMENT,
                       "sample.v1.Everything");
    }
    range_close(&range);
}

/* A request that is none of these is taken, on the same connection. */
Test(bombs, do_not_hurt_the_connection, .timeout = 60)
{
    struct range range;
    struct bytes bomb = nested(RPCRT_MESSAGE_DEPTH_MAX + 1);
    struct bytes message;
    struct frame frame;

    range_open(&range);
    expect_refused(&range, &bomb, RPCRT_RESOURCE_EXHAUSTED, "too deep");
    bomb = nested(50);
    throw(&range, &bomb);
    cr_assert(peer_await(&range.peer, DATA, range.n_calls, &message, &frame));
    bytes_free(&message);
    bytes_free(&bomb);
    cr_assert_eq(atomic_load(&range.n_taken), 1u);
    range_close(&range);
}
