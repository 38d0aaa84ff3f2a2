/*
 * What a server says about another attempt: "retry-pushback-ms" among the
 * trailers (a negative number or none at all: never), or a google.rpc.RetryInfo
 * among the details. And throttling: tokens that failures take and successes
 * give back.
 */
#include "client/call.h"
#include "wire/fields.h"

#include <rpcrt/retry.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_NAME "/google.rpc.RetryInfo"

/* google.rpc.Status, google.protobuf.Any, google.rpc.RetryInfo, Duration */
enum { STATUS_DETAILS = 3, ANY_TYPE_URL = 1, ANY_VALUE = 2 };
enum { INFO_DELAY = 1, DURATION_SECONDS = 1, DURATION_NANOS = 2 };

static bool
delay_decode(struct rpcrt__fields reader, uint32_t *ret_ms)
{
    struct rpcrt__wire_field field;
    uint64_t seconds = 0;
    uint64_t nanos = 0;

    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field)) {
            return false;
        }
        if (field.type == RPCRT__WIRE_VARINT &&
            field.number == DURATION_SECONDS) {
            seconds = field.value;
        } else if (field.type == RPCRT__WIRE_VARINT &&
                   field.number == DURATION_NANOS) {
            nanos = field.value;
        }
    }
    if (seconds > UINT32_MAX / 2000 || nanos > 999999999) {
        return false;
    }
    *ret_ms = (uint32_t)(seconds * 1000 + (nanos + 999999) / 1000000);
    return true;
}

static bool
info_decode(struct rpcrt__fields reader, uint32_t *ret_ms)
{
    struct rpcrt__wire_field field;

    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field)) {
            return false;
        }
        if (rpcrt__field_is(&field, INFO_DELAY)) {
            return delay_decode(field.bytes, ret_ms);
        }
    }
    return false;
}

static bool
any_decode(struct rpcrt__fields reader, uint32_t *ret_ms)
{
    static const uint8_t nothing[1];
    struct rpcrt__fields type_url = {nothing, nothing};
    struct rpcrt__fields value = {nothing, nothing};
    struct rpcrt__wire_field field;
    size_t size = sizeof TYPE_NAME - 1;

    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field)) {
            return false;
        }
        if (rpcrt__field_is(&field, ANY_TYPE_URL)) {
            type_url = field.bytes;
        } else if (rpcrt__field_is(&field, ANY_VALUE)) {
            value = field.bytes;
        }
    }
    return (size_t)(type_url.end - type_url.at) >= size &&
           memcmp(type_url.end - size, TYPE_NAME, size) == 0 &&
           info_decode(value, ret_ms);
}

/* The delay of the first RetryInfo. */
static bool
retry_info(const uint8_t *bytes, size_t size, uint32_t *ret_ms)
{
    struct rpcrt__fields reader = {bytes, bytes + size};
    struct rpcrt__wire_field field;

    while (reader.at < reader.end && rpcrt__fields_next(&reader, &field)) {
        if (rpcrt__field_is(&field, STATUS_DETAILS) &&
            any_decode(field.bytes, ret_ms)) {
            return true;
        }
    }
    return false;
}

enum rpcrt__pushback
rpcrt__pushback_get(const struct rpcrt_call *call, uint32_t *ret_ms)
{
    const char *text =
        rpcrt__metadata_get(&call->reply_metadata, RPCRT_RETRY_PUSHBACK, NULL);
    unsigned long ms = 0;
    char *end;

    if (text != NULL) {
        if (text[0] < '0' || text[0] > '9') {
            return RPCRT__PUSHBACK_NEVER;
        }
        ms = strtoul(text, &end, 10);
        if (*end != '\0' || ms > UINT32_MAX / 2) {
            return RPCRT__PUSHBACK_NEVER;
        }
        *ret_ms = (uint32_t)ms;
        return RPCRT__PUSHBACK_AFTER;
    }
    return call->details != NULL &&
                   retry_info(call->details, call->details_size, ret_ms)
               ? RPCRT__PUSHBACK_AFTER
               : RPCRT__PUSHBACK_NONE;
}

/* -- throttling ------------------------------------------------------------ */

bool
rpcrt__throttle_open(const struct rpcrt__throttle *throttle)
{
    return throttle->tokens_max == 0 ||
           throttle->tokens > throttle->tokens_max / 2;
}

void
rpcrt__throttle_failed(struct rpcrt__throttle *throttle)
{
    throttle->tokens -= throttle->tokens < 1000 ? throttle->tokens : 1000;
}

void
rpcrt__throttle_succeeded(struct rpcrt__throttle *throttle)
{
    uint32_t room = throttle->tokens_max - throttle->tokens;

    throttle->tokens +=
        throttle->token_ratio < room ? throttle->token_ratio : room;
}
