/*
 * Messages of the native protocol, put together and taken apart by hand:
 * spelled out here once more, without the code under test.
 */
#ifndef TESTS_PROTOCOL_BYTES_H
#define TESTS_PROTOCOL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- bytes ----------------------------------------------------------------- */

struct bytes {
    uint8_t *data;
    size_t size;
    size_t room;
};

void bytes_put(struct bytes *bytes, const void *data, size_t size);
void bytes_put_number(struct bytes *bytes, uint64_t value, unsigned n_bytes);
void bytes_free(struct bytes *bytes);
uint64_t bytes_number(const uint8_t *at, unsigned n_bytes);

/* -- messages -------------------------------------------------------------- */

enum {
    HELLO = 1,
    METHOD,
    CALL,
    DATA,
    CANCEL,
    STATUS,
    GOAWAY,
    PING,
    PONG,
    WINDOW,
    HEADERS,
    HEADER_SIZE = 24,
    FRAME_SIZE = 16
};
enum { START = 1, END = 2, REFUSED = 4, MORE = 1 };

void put_header(struct bytes *bytes, uint16_t keep, uint64_t session,
                uint64_t seq);
void put_frame(struct bytes *bytes, uint8_t type, uint8_t flags, uint16_t aux,
               uint64_t call, const void *payload, size_t size);
/* What raw peers let each stream send at first. */
#define STREAM_WINDOW (64u << 10)

void put_hello(struct bytes *bytes, uint32_t contexts,
               uint32_t message_size_max);
void put_method(struct bytes *bytes, uint16_t number, const char *path);
/* A call with the whole of its request, `size` bytes. */
void put_call(struct bytes *bytes, uint64_t call, uint16_t method,
              uint32_t timeout_ms, const void *request, size_t size);
/* A call that says its request has `size` bytes and brings `now` of them. */
void put_call_part(struct bytes *bytes, uint64_t call, uint16_t method,
                   uint32_t size, const void *request, size_t now);
/* A call whose client streams. */
void put_open(struct bytes *bytes, uint64_t call, uint16_t method,
              uint32_t timeout_ms);
/* The first frame of a message that is to have `size` bytes, with `now` of
 * them. */
void put_start(struct bytes *bytes, uint8_t flags, uint64_t call, uint32_t size,
               const void *data, size_t now);
void put_window(struct bytes *bytes, uint64_t call, uint32_t grant);
/* What a server says to end a call. */
void put_status(struct bytes *bytes, uint8_t flags, uint64_t call, uint8_t code,
                const char *text);

/* The next frame of a message that came; at is an offset, HEADER_SIZE at
 * first. False at the end or when it is malformed. */
struct frame {
    uint8_t type;
    uint8_t flags;
    uint16_t aux;
    uint64_t call;
    const uint8_t *payload;
    uint32_t size;
};
bool next_frame(const struct bytes *message, size_t *at,
                struct frame *ret_frame);

/* Find the first frame of a type, of a call (0: of none); false if there is
 * none. */
bool find_frame(const struct bytes *message, uint8_t type, uint64_t call,
                struct frame *ret_frame);

#endif
