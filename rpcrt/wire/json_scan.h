/*
 * The grammar of JSON (RFC 8259), from bytes that anybody may have sent: whole
 * UTF-8 only, escapes decoded, no leniency. Knows nothing of messages. The
 * first problem is kept and everything after it fails.
 */
#ifndef RPCRT_WIRE_JSON_SCAN_H
#define RPCRT_WIRE_JSON_SCAN_H

#include "wire/json_buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpcrt__json_slice {
    const char *data;
    size_t size;
};

struct rpcrt__json_scan {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    const char *problem; /* NULL: none; static text */
    const uint8_t *problem_at;
};

/* Note a problem; returns false. */
bool rpcrt__json_refuse(struct rpcrt__json_scan *scan, const uint8_t *at,
                        const char *problem);

/* What comes: one of { [ " 0 (a number) t f n (literals); 0 if none does, and
 * that is noted. */
char rpcrt__json_peek(struct rpcrt__json_scan *scan);

/* Pass over { or [, which was peeked; then rpcrt__json_next() is called before
 * each member with the bracket that closes it. False at its end, or when there
 * is a problem. */
void rpcrt__json_open(struct rpcrt__json_scan *scan);
bool rpcrt__json_next(struct rpcrt__json_scan *scan, char bracket, bool *first);

/* The name of a member, decoded and as it stands in the text, and the colon
 * behind it. */
bool rpcrt__json_name(struct rpcrt__json_scan *scan,
                      struct rpcrt__json_buffer *decoded,
                      struct rpcrt__json_slice *ret_name,
                      struct rpcrt__json_slice *ret_raw);

/* A string: where it stands in the text, or in `decoded` if it has escapes,
 * until that is used again. NULL: only pass over it. */
bool rpcrt__json_string(struct rpcrt__json_scan *scan,
                        struct rpcrt__json_buffer *decoded,
                        struct rpcrt__json_slice *ret_string);

/* A number, as it is written. */
bool rpcrt__json_number(struct rpcrt__json_scan *scan,
                        struct rpcrt__json_slice *ret_number);

/* true, false or null, which was peeked by its first letter. */
bool rpcrt__json_literal(struct rpcrt__json_scan *scan);

/* Pass over any value, nested at most so deep. */
bool rpcrt__json_skip(struct rpcrt__json_scan *scan, unsigned depth_max);

/* Nothing but space may be left. */
bool rpcrt__json_end(struct rpcrt__json_scan *scan);

/* The length of the number at the start; 0 if there is none. */
size_t rpcrt__json_number_size(const char *text, size_t size);

#endif
