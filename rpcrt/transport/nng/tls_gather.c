/*
 * One TLS record for one message. nng hands over the length of a message, its
 * header and its body one by one, and each would become a record and a segment
 * of its own. Here they wait for each other, which is safe because nng never
 * stops within a message: the last piece, known by the length that went
 * before, always follows or the connection is at its end.
 *
 * What is parsed is the framing of the SP protocols over TCP: 8 bytes of
 * greeting, then messages, each behind its length in 8 bytes.
 */
#include "transport/nng/tls_engine.h"

#include <string.h>

#define GREETING_SIZE 8u

/* How many of the next bytes belong to the unit that is under way. */
static size_t
unit_left(const struct rpcrt__tls_gather *gather, size_t size)
{
    uint64_t left = gather->body_left;

    if (gather->n_head < sizeof gather->head) {
        left = sizeof gather->head - gather->n_head;
    }
    return left < size ? (size_t)left : size;
}

/* Follow the framing over bytes of one unit. True at the end of a message, or
 * of the greeting. */
static bool
pass(struct rpcrt__tls_gather *gather, const uint8_t *data, size_t size)
{
    unsigned i;

    if (gather->n_head < sizeof gather->head) {
        memcpy(gather->head + gather->n_head, data, size);
        gather->n_head += (unsigned)size;
        if (gather->n_head < sizeof gather->head) {
            return false;
        }
        gather->body_left = 0;
        for (i = 0; gather->greeted && i < sizeof gather->head; i++) {
            gather->body_left = gather->body_left << 8 | gather->head[i];
        }
        gather->greeted = true;
    } else {
        gather->body_left -= size;
    }
    if (gather->body_left > 0) {
        return false;
    }
    gather->n_head = 0;
    return true;
}

/* Write what was gathered. */
static int
flush(struct rpcrt__tls_gather *gather, rpcrt__tls_write_fn *write, void *arg)
{
    size_t size;
    int rc;

    while (gather->n_written < gather->n_data) {
        size = gather->n_data - gather->n_written;
        rc = write(arg, gather->data + gather->n_written, &size);
        if (rc != 0) {
            return rc;
        }
        gather->n_written += size;
    }
    gather->n_data = 0;
    gather->n_written = 0;
    gather->flushing = false;
    return 0;
}

int
rpcrt__tls_gather_send(struct rpcrt__tls_gather *gather,
                       rpcrt__tls_write_fn *write, void *arg,
                       const uint8_t *data, size_t *size)
{
    size_t n = unit_left(gather, *size);
    int rc;

    if (!gather->flushing && gather->n_data == 0 && n >= sizeof gather->data) {
        /* The bulk of a long message goes without a copy. */
        rc = write(arg, data, &n);
        if (rc == 0) {
            (void)pass(gather, data, n);
            *size = n;
        }
        return rc;
    }
    if (!gather->flushing) {
        if (n > sizeof gather->data - gather->n_data) {
            n = sizeof gather->data - gather->n_data;
        }
        memcpy(gather->data + gather->n_data, data, n);
        gather->n_data += n;
        gather->n_taken = n;
        gather->flushing =
            pass(gather, data, n) || gather->n_data == sizeof gather->data;
    }
    if (gather->flushing) {
        rc = flush(gather, write, arg);
        if (rc != 0) {
            return rc;
        }
    }
    *size = gather->n_taken;
    return 0;
}
