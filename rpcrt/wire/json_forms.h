/*
 * The forms that single values have in JSON strings: integers, base64, points
 * and spans of time, paths of a FieldMask.
 */
#ifndef RPCRT_WIRE_JSON_FORMS_H
#define RPCRT_WIRE_JSON_FORMS_H

#include "wire/json_buffer.h"
#include "wire/json_scan.h"

#include <stdbool.h>
#include <stdint.h>

#define RPCRT__JSON_TIME_SIZE 64u

/* An integer in any form that a number of JSON has: 1e3, 1.50e2. False if it
 * has a fraction, or more than 64 bits. */
bool rpcrt__json_integer_parse(struct rpcrt__json_slice text,
                               bool *ret_negative, uint64_t *ret_magnitude);

/* "2026-01-31T09:30:00.500Z"; false outside of the years 1 to 9999. */
bool rpcrt__json_timestamp_print(int64_t seconds, int32_t nanos,
                                 char ret_text[RPCRT__JSON_TIME_SIZE]);
bool rpcrt__json_timestamp_parse(struct rpcrt__json_slice text,
                                 int64_t *ret_seconds, int32_t *ret_nanos);

/* "-1.500s"; false beyond 10,000 years, or if the signs differ. */
bool rpcrt__json_duration_print(int64_t seconds, int32_t nanos,
                                char ret_text[RPCRT__JSON_TIME_SIZE]);
bool rpcrt__json_duration_parse(struct rpcrt__json_slice text,
                                int64_t *ret_seconds, int32_t *ret_nanos);

/* Add bytes as base64 with padding. */
void rpcrt__json_base64_print(const uint8_t *data, size_t size,
                              struct rpcrt__json_buffer *out);

/* Add the bytes of a base64 text, ordinary or for URLs, padded or not. */
bool rpcrt__json_base64_parse(struct rpcrt__json_slice text,
                              struct rpcrt__json_buffer *out);

/* Add a path of a FieldMask: foo_bar.baz as fooBar.baz, and back. False if it
 * is empty or would not come back the same. */
bool rpcrt__json_path_print(const char *path, struct rpcrt__json_buffer *out);
bool rpcrt__json_path_parse(struct rpcrt__json_slice text,
                            struct rpcrt__json_buffer *out);

#endif
