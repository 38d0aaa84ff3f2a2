/*
 * Details of a failure as bytes: a google.rpc.Status with one
 * google.rpc.ErrorInfo, written; and the first one found in what a peer has
 * sent, which may be anything.
 */
#ifndef RPCRT_WIRE_DETAILS_H
#define RPCRT_WIRE_DETAILS_H

#include <rpcrt/details.h>
#include <stdint.h>

/* More than all texts at their longest need. */
#define RPCRT__DETAILS_ENCODED_MAX 3072u

/* Copy a text into a field, cut at a character if it is too long. */
void rpcrt__details_text(char *field, size_t size, const char *text);

/* Add an entry, or give it another value; false if there is no room. */
bool rpcrt__details_add(struct rpcrt_error_info *info, const char *name,
                        const char *value);

/* Write; returns the size. A message longer than RPCRT_TEXT_SIZE is cut. */
size_t rpcrt__details_encode(enum rpcrt_code code, const char *message,
                             const struct rpcrt_error_info *info,
                             uint8_t ret_bytes[RPCRT__DETAILS_ENCODED_MAX]);

/* Read; false if the bytes are not well-formed, a text in them is not UTF-8 or
 * has a zero byte, or they hold no ErrorInfo. */
bool rpcrt__details_decode(const uint8_t *bytes, size_t size,
                           uint32_t *ret_code,
                           struct rpcrt_error_info *ret_info);

#endif
