/*
 * Lines of rpcrt/logging.h.
 */
#include <rpcrt/logging.h>
#include <rpcrt/trace.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_SIZE 1024u
/* Of the longest form of a byte, the last quote and the end. */
#define ESCAPE_SIZE 6u

struct line {
    char text[LINE_SIZE];
    size_t length;
};

enum rpcrt_log_level
rpcrt_code_level(enum rpcrt_code code)
{
    switch (code) {
    case RPCRT_UNKNOWN:
    case RPCRT_INTERNAL:
    case RPCRT_DATA_LOSS:
        return RPCRT_LOG_ERROR;
    case RPCRT_RESOURCE_EXHAUSTED:
    case RPCRT_UNAVAILABLE:
    case RPCRT_UNAUTHENTICATED:
    case RPCRT_PERMISSION_DENIED:
        return RPCRT_LOG_WARNING;
    default:
        return RPCRT_LOG_INFO;
    }
}

static void RPCRT_PRINTF(2, 3)
    line_add(struct line *line, const char *format, ...)
{
    size_t room = sizeof line->text - line->length;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line->text + line->length, room, format, args);
    va_end(args);
    if (n > 0) {
        line->length += (size_t)n < room ? (size_t)n : room - 1;
    }
}

static void
line_add_text(struct line *line, const char *key, const char *text)
{
    line_add(line, " %s=\"", key);
    for (; *text != '\0' && line->length + ESCAPE_SIZE < sizeof line->text;
         text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            line_add(line, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            line_add(line, "\\x%02x", c);
        } else {
            line->text[line->length++] = (char)c;
        }
    }
    line_add(line, "\"");
}

static void
line_add_trace(struct line *line, const struct rpcrt_trace *trace)
{
    char text[RPCRT_TRACEPARENT_SIZE];

    rpcrt_trace_format(trace, text);
    line_add(line, " trace=%s", text);
}

static void
line_end(struct line *line, const struct rpcrt_logger *logger,
         enum rpcrt_code code, const char *message)
{
    if (code != RPCRT_OK) {
        line_add_text(line, "msg", message);
    }
    logger->fn(logger->arg, rpcrt_code_level(code), line->text);
}

static void
end_served(void *arg, struct rpcrt_ctx *ctx,
           const struct rpcrt_call_record *record)
{
    const struct rpcrt_logger *logger = arg;
    struct line line = {.length = 0};
    struct rpcrt_trace trace;

    if (rpcrt_code_level(record->code) > logger->level) {
        return;
    }
    line_add(&line,
             "served %s code=%s us=%" PRIu64 " in=%zu out=%zu peer=%s "
             "call_id=%s",
             record->method, rpcrt_code_name(record->code), record->duration_us,
             record->request_size, record->reply_size, record->peer,
             record->call_id);
    if (rpcrt_ctx_trace(ctx, &trace)) {
        line_add_trace(&line, &trace);
    }
    line_end(&line, logger, record->code, record->message);
}

static void
end_called(void *arg, struct rpcrt_call *call, const char *method)
{
    const struct rpcrt_logger *logger = arg;
    enum rpcrt_code code = rpcrt_call_code(call);
    struct line line = {.length = 0};

    if (rpcrt_code_level(code) > logger->level) {
        return;
    }
    line_add(&line, "called %s code=%s us=%" PRIu64 " peer=%s", method,
             rpcrt_code_name(code), rpcrt_call_duration_us(call),
             rpcrt_call_peer(call));
    line_end(&line, logger, code, rpcrt_call_message(call));
}

struct rpcrt_server_interceptor
rpcrt_logger_server(struct rpcrt_logger *logger)
{
    return (struct rpcrt_server_interceptor){.end = end_served, .arg = logger};
}

struct rpcrt_client_interceptor
rpcrt_logger_client(struct rpcrt_logger *logger)
{
    return (struct rpcrt_client_interceptor){.end = end_called, .arg = logger};
}
