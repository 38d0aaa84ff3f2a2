/*
 * Details of a failure as bytes: a google.rpc.Status and the details in it
 * that programs read, of google/rpc/error_details.proto. What is read comes
 * from a peer and may be anything.
 */
#ifndef RPCRT_WIRE_DETAILS_H
#define RPCRT_WIRE_DETAILS_H

#include "wire/fields.h"
#include <rpcrt/details.h>
#include <rpcrt/limits.h>
#include <stdint.h>

#define RPCRT__ERROR_INFO "google.rpc.ErrorInfo"
#define RPCRT__RETRY_INFO "google.rpc.RetryInfo"
#define RPCRT__BAD_REQUEST "google.rpc.BadRequest"

/* More than a Status with one detail needs, all texts at their longest; and
 * more than each detail alone does. */
#define RPCRT__DETAILS_ENCODED_MAX 3072u
#define RPCRT__DETAIL_MAX 2304u
#define RPCRT__RETRY_INFO_MAX 32u
#define RPCRT__VIOLATION_MAX                                                   \
    (RPCRT_VIOLATION_FIELD_MAX + RPCRT_VIOLATION_TEXT_MAX + 16u)

/* -- the Status: wire/details.c -------------------------------------------- */

/* Write a Status without details; returns the size. A message longer than
 * RPCRT_TEXT_SIZE is cut. */
size_t rpcrt__details_begin(enum rpcrt_code code, const char *message,
                            uint8_t ret_bytes[RPCRT__DETAILS_ENCODED_MAX]);

/* Write a Status again with one more detail, in the place of the first of the
 * same type if there is one. Returns the size; 0 if it is more than `room`, or
 * the Status is not well-formed. */
size_t rpcrt__details_put(const uint8_t *status, size_t status_size,
                          const char *type, const uint8_t *value,
                          size_t value_size, uint8_t *ret_bytes, size_t room);

/* Find the first detail of a type; false if there is none, or the Status is
 * not well-formed. */
bool rpcrt__details_find(const uint8_t *status, size_t status_size,
                         const char *type, struct rpcrt__fields *ret_value);

/* The code of a Status that is well-formed. */
uint32_t rpcrt__details_code(const uint8_t *status, size_t status_size);

/* -- texts ----------------------------------------------------------------- */

/* Copy a text into a field, cut at a character if it is too long. */
void rpcrt__details_text(char *field, size_t size, const char *text);

/* Read a text, or its beginning if it is too long; false if it is no UTF-8, or
 * has a zero byte. */
bool rpcrt__details_get_text(const struct rpcrt__fields *bytes, char *ret_text,
                             size_t text_size);

/* -- ErrorInfo: wire/details_info.c ---------------------------------------- */

/* Add an entry, or give it another value; false if there is no room. */
bool rpcrt__details_add(struct rpcrt_error_info *info, const char *name,
                        const char *value);

/* Write the detail alone; returns the size. */
size_t rpcrt__error_info_encode(const struct rpcrt_error_info *info,
                                uint8_t ret_bytes[RPCRT__DETAIL_MAX]);

/* Write a Status with it; returns the size. */
size_t rpcrt__details_encode(enum rpcrt_code code, const char *message,
                             const struct rpcrt_error_info *info,
                             uint8_t ret_bytes[RPCRT__DETAILS_ENCODED_MAX]);

/* Read; false if the bytes are not well-formed, a text in them is not UTF-8 or
 * has a zero byte, or they hold no ErrorInfo. */
bool rpcrt__details_decode(const uint8_t *bytes, size_t size,
                           uint32_t *ret_code,
                           struct rpcrt_error_info *ret_info);

/* -- RetryInfo and BadRequest: details_retry.c, details_request.c ---------- */

/* Write a RetryInfo; returns the size. */
size_t rpcrt__retry_info_encode(uint64_t delay_ms,
                                uint8_t ret_bytes[RPCRT__RETRY_INFO_MAX]);

/* Read the one in a Status; false if there is none, it is not well-formed, or
 * its delay is below zero or no Duration. */
bool rpcrt__retry_info_decode(const uint8_t *status, size_t status_size,
                              uint64_t *ret_delay_ms);

/* Write one more violation behind those of a BadRequest; returns its size.
 * What is too long is cut. */
size_t rpcrt__violation_encode(const char *field, const char *text,
                               uint8_t ret_bytes[RPCRT__VIOLATION_MAX]);

/* Read those in a Status, up to n_items of them. Returns how many there are; 0
 * also if anything is not well-formed. */
size_t rpcrt__violations_decode(const uint8_t *status, size_t status_size,
                                struct rpcrt_violation *ret_items,
                                size_t n_items);

#endif
