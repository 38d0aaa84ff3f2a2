/*
 * Trace contexts as text, by the W3C's Trace Context, level 1
 * (https://www.w3.org/TR/trace-context-1/): "00-TRACE-SPAN-FLAGS" in lower-case
 * hexadecimal digits. Which call has which is not known here.
 */
#include "core/clock.h"

#include <rpcrt/trace.h>
#include <string.h>

#define TRACE_AT 3u
#define SPAN_AT 36u
#define FLAGS_AT 53u
#define VERSION_NONE 0xffu

static const char digits[] = "0123456789abcdef";

/* False for what is no lower-case digit; a zero byte is none. */
static bool
hex_read(const char *text, uint8_t *ret_bytes, size_t n)
{
    for (size_t i = 0; i < 2 * n; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);

        if (digit == NULL) {
            return false;
        }
        ret_bytes[i / 2] = (uint8_t)((unsigned)ret_bytes[i / 2] << 4 |
                                     (unsigned)(digit - digits));
    }
    return true;
}

static void
hex_write(const uint8_t *bytes, size_t n, char *ret_text)
{
    for (size_t i = 0; i < n; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static bool
is_zero(const uint8_t *bytes, size_t n)
{
    while (n > 0 && bytes[n - 1] == 0) {
        n--;
    }
    return n == 0;
}

bool
rpcrt_trace_parse(const char *traceparent, struct rpcrt_trace *ret_trace)
{
    struct rpcrt_trace trace = {.flags = 0};
    uint8_t version = 0;

    if (!hex_read(traceparent, &version, 1) || version == VERSION_NONE ||
        traceparent[TRACE_AT - 1] != '-' ||
        !hex_read(traceparent + TRACE_AT, trace.trace_id,
                  sizeof trace.trace_id) ||
        traceparent[SPAN_AT - 1] != '-' ||
        !hex_read(traceparent + SPAN_AT, trace.span_id, sizeof trace.span_id) ||
        traceparent[FLAGS_AT - 1] != '-' ||
        !hex_read(traceparent + FLAGS_AT, &trace.flags, 1)) {
        return false;
    }
    /* Later versions may say more behind another '-'. */
    if (traceparent[RPCRT_TRACEPARENT_SIZE - 1] != '\0' &&
        (version == 0 || traceparent[RPCRT_TRACEPARENT_SIZE - 1] != '-')) {
        return false;
    }
    if (is_zero(trace.trace_id, sizeof trace.trace_id) ||
        is_zero(trace.span_id, sizeof trace.span_id)) {
        return false;
    }
    /* Nobody knows what the other bits mean in this version. */
    trace.flags &= RPCRT_TRACE_SAMPLED;
    *ret_trace = trace;
    return true;
}

void
rpcrt_trace_format(const struct rpcrt_trace *trace,
                   char ret_text[RPCRT_TRACEPARENT_SIZE])
{
    memcpy(ret_text, "00-", TRACE_AT);
    hex_write(trace->trace_id, sizeof trace->trace_id, ret_text + TRACE_AT);
    ret_text[SPAN_AT - 1] = '-';
    hex_write(trace->span_id, sizeof trace->span_id, ret_text + SPAN_AT);
    ret_text[FLAGS_AT - 1] = '-';
    hex_write(&trace->flags, 1, ret_text + FLAGS_AT);
    ret_text[RPCRT_TRACEPARENT_SIZE - 1] = '\0';
}

static void
fill_random(uint8_t *bytes, size_t n)
{
    do {
        for (size_t i = 0; i < n; i += sizeof(uint64_t)) {
            uint64_t bits = rpcrt__random();

            memcpy(bytes + i, &bits, sizeof bits);
        }
    } while (is_zero(bytes, n));
}

void
rpcrt_trace_begin(const struct rpcrt_trace *parent,
                  struct rpcrt_trace *ret_trace)
{
    struct rpcrt_trace trace = {.flags = 0};

    if (parent == NULL) {
        fill_random(trace.trace_id, sizeof trace.trace_id);
    } else {
        trace = *parent;
        memcpy(trace.parent_id, parent->span_id, sizeof trace.parent_id);
    }
    fill_random(trace.span_id, sizeof trace.span_id);
    *ret_trace = trace;
}
