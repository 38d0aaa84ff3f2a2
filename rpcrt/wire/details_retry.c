/*
 * A google.rpc.RetryInfo, written and read: see details.h. Its delay is a
 * google.protobuf.Duration, whose range is that of duration.proto.
 */
#include "wire/details.h"

enum { RETRY_DELAY = 1 };
enum { DURATION_SECONDS = 1, DURATION_NANOS = 2 };

#define SECONDS_MAX UINT64_C(315576000000)
#define NANOS_IN_S 1000000000u
#define NANOS_IN_MS 1000000u

size_t
rpcrt__retry_info_encode(uint64_t delay_ms,
                         uint8_t ret_bytes[RPCRT__RETRY_INFO_MAX])
{
    uint8_t duration[RPCRT__RETRY_INFO_MAX / 2];
    uint8_t *end = duration;
    uint8_t *at = ret_bytes;

    if (delay_ms / 1000 > SECONDS_MAX) {
        delay_ms = SECONDS_MAX * 1000;
    }
    if (delay_ms >= 1000) {
        end = rpcrt__put_varint_field(end, DURATION_SECONDS, delay_ms / 1000);
    }
    if (delay_ms % 1000 > 0) {
        end = rpcrt__put_varint_field(end, DURATION_NANOS,
                                      delay_ms % 1000 * NANOS_IN_MS);
    }
    at = rpcrt__put_bytes_header(at, RETRY_DELAY, (size_t)(end - duration));
    for (const uint8_t *byte = duration; byte < end; byte++) {
        *at++ = *byte;
    }
    return (size_t)(at - ret_bytes);
}

/* A time that is too short for a millisecond is one. What is below zero is
 * above every limit here. */
static bool
duration_decode(struct rpcrt__fields reader, uint64_t *ret_ms)
{
    uint64_t seconds = 0;
    uint64_t nanos = 0;
    struct rpcrt__wire_field field;

    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field)) {
            return false;
        }
        if (field.type != RPCRT__WIRE_VARINT) {
            continue;
        }
        if (field.number == DURATION_SECONDS) {
            seconds = field.value;
        } else if (field.number == DURATION_NANOS) {
            nanos = field.value;
        }
    }
    if (seconds > SECONDS_MAX || nanos >= NANOS_IN_S) {
        return false;
    }
    *ret_ms = seconds * 1000 + (nanos + NANOS_IN_MS - 1) / NANOS_IN_MS;
    return true;
}

bool
rpcrt__retry_info_decode(const uint8_t *status, size_t status_size,
                         uint64_t *ret_delay_ms)
{
    static const uint8_t nothing[1];
    struct rpcrt__fields delay = {nothing, nothing};
    struct rpcrt__fields reader;
    struct rpcrt__wire_field field;

    if (!rpcrt__details_find(status, status_size, RPCRT__RETRY_INFO, &reader)) {
        return false;
    }
    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field)) {
            return false;
        }
        if (rpcrt__field_is(&field, RETRY_DELAY)) {
            delay = field.bytes;
        }
    }
    return duration_decode(delay, ret_delay_ms);
}
