/*
 * See framing.h. A body is allocated when its size is known, so a piece is
 * copied once.
 */
#include "support/proxy/framing.h"

#include <stdlib.h>
#include <string.h>

static size_t
min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool
piece_copy(struct proxy_piece *piece, enum proxy_piece_kind kind,
           const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size);

    if (copy == NULL) {
        return false;
    }
    memcpy(copy, data, size);
    *piece = (struct proxy_piece){kind, copy, size};
    return true;
}

/* 0, 'S', 'P', version 0, number of the protocol, 0, 0. */
static bool
is_handshake(const uint8_t *head)
{
    return memcmp(head, "\0SP\0", 4) == 0 && head[6] == 0 && head[7] == 0;
}

static uint64_t
head_number(const uint8_t *head)
{
    uint64_t number = 0;
    size_t i;

    for (i = 0; i < PROXY_HEAD_SIZE; i++) {
        number = number << 8 | head[i];
    }
    return number;
}

/* Eight bytes are complete: a handshake, the size of a message, or neither. */
static enum proxy_framing_result
head_end(struct proxy_framing *framing, struct proxy_piece *ret_piece)
{
    uint64_t size = head_number(framing->head);

    framing->n_head = 0;
    if (framing->shaken && size <= PROXY_MESSAGE_MAX) {
        framing->body_size = (size_t)size + PROXY_HEAD_SIZE;
        framing->body = malloc(framing->body_size);
        if (framing->body == NULL) {
            return PROXY_FRAMING_NO_MEMORY;
        }
        memcpy(framing->body, framing->head, PROXY_HEAD_SIZE);
        framing->n_body = PROXY_HEAD_SIZE;
        return PROXY_FRAMING_MORE;
    }
    framing->plain = framing->shaken || !is_handshake(framing->head);
    framing->shaken = true;
    return piece_copy(ret_piece, framing->plain ? PROXY_BYTES : PROXY_HANDSHAKE,
                      framing->head, PROXY_HEAD_SIZE)
               ? PROXY_FRAMING_PIECE
               : PROXY_FRAMING_NO_MEMORY;
}

/* A body is complete. */
static enum proxy_framing_result
body_end(struct proxy_framing *framing, struct proxy_piece *ret_piece)
{
    *ret_piece =
        (struct proxy_piece){PROXY_MESSAGE, framing->body, framing->body_size};
    framing->body = NULL;
    framing->n_body = 0;
    return PROXY_FRAMING_PIECE;
}

/* One step: some bytes of a head, or of a body. */
static enum proxy_framing_result
step(struct proxy_framing *framing, const uint8_t *data, size_t size,
     size_t *ret_used, struct proxy_piece *ret_piece)
{
    enum proxy_framing_result result = PROXY_FRAMING_MORE;
    size_t n;

    if (framing->body == NULL) {
        n = min_size(size, PROXY_HEAD_SIZE - framing->n_head);
        memcpy(framing->head + framing->n_head, data, n);
        framing->n_head += n;
        if (framing->n_head == PROXY_HEAD_SIZE) {
            result = head_end(framing, ret_piece);
        }
    } else {
        n = min_size(size, framing->body_size - framing->n_body);
        memcpy(framing->body + framing->n_body, data, n);
        framing->n_body += n;
    }
    *ret_used = n;
    if (framing->body != NULL && framing->n_body == framing->body_size) {
        result = body_end(framing, ret_piece);
    }
    return result;
}

/* Whether the next byte shows that this is no nng, long before eight came. */
static bool
is_foreign(const struct proxy_framing *framing, const uint8_t *data)
{
    return !framing->shaken && framing->n_head == 0 && data[0] != 0;
}

enum proxy_framing_result
proxy_framing_take(struct proxy_framing *framing, const uint8_t *data,
                   size_t size, size_t *ret_used, struct proxy_piece *ret_piece)
{
    enum proxy_framing_result result = PROXY_FRAMING_MORE;
    size_t used = 0;

    if (size > 0 && is_foreign(framing, data)) {
        framing->shaken = true;
        framing->plain = true;
    }
    if (size > 0 && framing->plain) {
        *ret_used = size;
        return piece_copy(ret_piece, PROXY_BYTES, data, size)
                   ? PROXY_FRAMING_PIECE
                   : PROXY_FRAMING_NO_MEMORY;
    }
    while (used < size && result == PROXY_FRAMING_MORE) {
        size_t n = 0;

        result = step(framing, data + used, size - used, &n, ret_piece);
        used += n;
    }
    *ret_used = used;
    return result;
}

bool
proxy_framing_end(struct proxy_framing *framing, struct proxy_piece *ret_piece)
{
    if (framing->body != NULL) {
        *ret_piece =
            (struct proxy_piece){PROXY_BYTES, framing->body, framing->n_body};
        framing->body = NULL;
        framing->n_body = 0;
        return true;
    }
    if (framing->n_head > 0) {
        size_t n = framing->n_head;

        framing->n_head = 0;
        return piece_copy(ret_piece, PROXY_BYTES, framing->head, n);
    }
    return false;
}

size_t
proxy_framing_kept(const struct proxy_framing *framing)
{
    return framing->body == NULL ? framing->n_head : framing->body_size;
}

void
proxy_framing_fini(struct proxy_framing *framing)
{
    free(framing->body);
    framing->body = NULL;
}
