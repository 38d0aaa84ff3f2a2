/*
 * Cuts a byte stream into what nng writes: a handshake of 8 bytes, then
 * messages of 8 bytes of size and a body. What does not begin like that, such
 * as TLS, or has a message above PROXY_MESSAGE_MAX, passes as plain bytes
 * from there on. No I/O.
 */
#ifndef TESTS_SUPPORT_PROXY_FRAMING_H
#define TESTS_SUPPORT_PROXY_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROXY_MESSAGE_MAX (1u << 20)
#define PROXY_HEAD_SIZE 8u

enum proxy_piece_kind {
    PROXY_HANDSHAKE,
    PROXY_MESSAGE,
    PROXY_BYTES /* no message: no whole one, or no nng */
};

/* Bytes that belong together, as they came: a message with its size. */
struct proxy_piece {
    enum proxy_piece_kind kind;
    uint8_t *data; /* of malloc() */
    size_t size;
};

/* All zero: at the beginning of a stream. */
struct proxy_framing {
    bool shaken; /* the handshake is over */
    bool plain;  /* no framing any more */
    uint8_t head[PROXY_HEAD_SIZE];
    size_t n_head;
    uint8_t *body; /* of the message that is coming; with its head */
    size_t body_size;
    size_t n_body;
};

enum proxy_framing_result {
    PROXY_FRAMING_MORE, /* nothing is complete; all bytes were taken */
    PROXY_FRAMING_PIECE,
    PROXY_FRAMING_NO_MEMORY
};

/* Take bytes until a piece is complete. *ret_used of them were taken; the piece
 * is the caller's. */
enum proxy_framing_result proxy_framing_take(struct proxy_framing *framing,
                                             const uint8_t *data, size_t size,
                                             size_t *ret_used,
                                             struct proxy_piece *ret_piece);

/* The stream ended: what is there of a piece. False if nothing is, or without
 * memory. */
bool proxy_framing_end(struct proxy_framing *framing,
                       struct proxy_piece *ret_piece);

/* Bytes that wait for the rest of their piece. */
size_t proxy_framing_kept(const struct proxy_framing *framing);

void proxy_framing_fini(struct proxy_framing *framing);

#endif
