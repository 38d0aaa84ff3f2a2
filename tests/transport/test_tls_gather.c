/*
 * Gathering the pieces of a message: what is written is what was sent, in
 * records that end where messages end, whatever the stream below does.
 */
#include "transport/nng/tls_engine.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define STREAM_SIZE (1u << 20)

/* A stream that takes what it likes. */
struct sink {
    uint8_t *bytes;
    size_t size;
    size_t n_records;
    size_t record_max;  /* bytes that it takes at once */
    unsigned refuse_of; /* one write of so many has to be repeated; 0: none */
    unsigned random;
    const uint8_t *refused; /* what must come again */
    size_t refused_size;
    int error;
};

static unsigned
sink_random(struct sink *sink)
{
    sink->random = sink->random * 1103515245u + 12345u;
    return sink->random >> 16;
}

static int
sink_write(void *arg, const uint8_t *data, size_t *size)
{
    struct sink *sink = arg;

    if (sink->error != 0) {
        return sink->error;
    }
    if (sink->refused != NULL) {
        cr_assert_eq(data, sink->refused, "another buffer after EAGAIN");
        cr_assert_eq(*size, sink->refused_size, "another size after EAGAIN");
        sink->refused = NULL;
    } else if (sink->refuse_of > 0 &&
               sink_random(sink) % sink->refuse_of == 0) {
        sink->refused = data;
        sink->refused_size = *size;
        return NNG_EAGAIN;
    }
    if (*size > sink->record_max) {
        *size = sink->record_max;
    }
    cr_assert_leq(sink->size + *size, STREAM_SIZE);
    memcpy(sink->bytes + sink->size, data, *size);
    sink->size += *size;
    sink->n_records++;
    return 0;
}

struct sender {
    struct rpcrt__tls_gather gather;
    struct sink sink;
    uint8_t *sent; /* all of it */
    size_t n_sent;
};

static void
sender_init(struct sender *sender)
{
    memset(sender, 0, sizeof *sender);
    sender->sink.record_max = 16384;
    sender->sink.bytes = malloc(STREAM_SIZE);
    sender->sent = malloc(STREAM_SIZE);
    cr_assert(sender->sink.bytes != NULL && sender->sent != NULL);
}

static void
sender_fini(struct sender *sender)
{
    free(sender->sink.bytes);
    free(sender->sent);
}

/* Send a piece as nng does: the same again after EAGAIN, the rest after a
 * part. */
static void
send_piece(struct sender *sender, const uint8_t *piece, size_t size)
{
    size_t n;
    int rc;

    memcpy(sender->sent + sender->n_sent, piece, size);
    sender->n_sent += size;
    while (size > 0) {
        n = size;
        rc = rpcrt__tls_gather_send(&sender->gather, sink_write, &sender->sink,
                                    piece, &n);
        cr_assert(rc == 0 || rc == NNG_EAGAIN);
        if (rc == 0) {
            cr_assert(n > 0 && n <= size);
            piece += n;
            size -= n;
        }
    }
}

static void
send_greeting(struct sender *sender)
{
    static const uint8_t greeting[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

    send_piece(sender, greeting, sizeof greeting);
}

static void
send_message(struct sender *sender, size_t header_size, size_t body_size)
{
    uint64_t length = header_size + body_size;
    uint8_t head[8];
    uint8_t *body = malloc(body_size + 1);
    size_t i;

    cr_assert_not_null(body);
    for (i = 0; i < 8; i++) {
        head[i] = (uint8_t)(length >> (56 - 8 * i));
    }
    for (i = 0; i < body_size; i++) {
        body[i] = (uint8_t)(i * 31 + body_size);
    }
    send_piece(sender, head, 8);
    if (header_size > 0) {
        send_piece(sender, (const uint8_t *)"\x80\1\2\3ABCD", header_size);
    }
    if (body_size > 0) {
        send_piece(sender, body, body_size);
    }
    free(body);
    /* Nothing may stay behind at the end of a message. */
    cr_assert_eq(sender->sink.size, sender->n_sent);
    cr_assert_eq(memcmp(sender->sink.bytes, sender->sent, sender->n_sent), 0);
}

Test(tls_gather, greeting_goes_at_once)
{
    struct sender sender;

    sender_init(&sender);
    send_greeting(&sender);
    cr_expect_eq(sender.sink.n_records, 1);
    cr_expect_eq(sender.sink.size, 8);
    sender_fini(&sender);
}

Test(tls_gather, small_message_is_one_record)
{
    struct sender sender;

    sender_init(&sender);
    send_greeting(&sender);
    send_message(&sender, 4, 64);
    cr_expect_eq(sender.sink.n_records, 2);
    send_message(&sender, 8, 4080);
    cr_expect_eq(sender.sink.n_records, 3);
    send_message(&sender, 4, 0);
    cr_expect_eq(sender.sink.n_records, 4);
    send_message(&sender, 0, 0);
    cr_expect_eq(sender.sink.n_records, 5);
    sender_fini(&sender);
}

Test(tls_gather, long_message_fills_its_records)
{
    struct sender sender;

    sender_init(&sender);
    send_greeting(&sender);
    send_message(&sender, 4, 65536);
    /* the gathered start, and what is left in full records */
    cr_expect_eq(sender.sink.n_records, 1 + 1 + 4);
    sender_fini(&sender);
}

Test(tls_gather, nothing_is_lost_or_doubled_when_the_stream_is_slow)
{
    struct sender sender;
    unsigned seed;
    size_t size;

    for (seed = 1; seed <= 40; seed++) {
        sender_init(&sender);
        sender.sink.random = seed;
        sender.sink.refuse_of = 1 + seed % 4;
        sender.sink.record_max = seed % 5 == 0 ? 100 : 512 * (seed % 5);
        send_greeting(&sender);
        for (size = 0; size < 20000; size += 1 + size / 2) {
            send_message(&sender, 4 * (size % 3), size);
        }
        sender_fini(&sender);
    }
}

Test(tls_gather, error_is_passed_on)
{
    struct sender sender;
    size_t size = 8;

    sender_init(&sender);
    sender.sink.error = NNG_ECLOSED;
    cr_expect_eq(
        rpcrt__tls_gather_send(&sender.gather, sink_write, &sender.sink,
                               (const uint8_t *)"\0SP\0\0\060\0\0", &size),
        NNG_ECLOSED);
    sender_fini(&sender);
}
