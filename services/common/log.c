/*
 * Lines of the log: see log.h. A line is written by one write(), so lines of
 * several threads do not mix.
 */
#include "common/log.h"

#include <rpcrt/logging.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 2048u

static const char *const level_names[] = {"error", "warning", "info", "debug"};

struct line {
    char bytes[LINE_SIZE];
    size_t length;
};

bool
common_log_level_find(const char *name, enum rpcrt_log_level *ret_level)
{
    static const enum rpcrt_log_level levels[] = {
        RPCRT_LOG_ERROR, RPCRT_LOG_WARNING, RPCRT_LOG_INFO, RPCRT_LOG_DEBUG};
    size_t i;

    for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *ret_level = levels[i];
            return true;
        }
    }
    return false;
}

static void RPCRT_PRINTF(2, 3)
    line_add(struct line *line, const char *format, ...)
{
    size_t left = sizeof(line->bytes) - 1 - line->length;
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line->bytes + line->length, left, format, args);
    va_end(args);
    if (n > 0) {
        line->length += (size_t)n < left ? (size_t)n : left - 1;
    }
}

/* key="text" with quotes, backslashes and control bytes escaped. */
static void
line_add_text(struct line *line, const char *key, const char *text)
{
    line_add(line, " %s=\"", key);
    for (; *text != '\0' && line->length + 8 < sizeof(line->bytes); text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            line_add(line, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            line_add(line, "\\x%02x", c);
        } else {
            line->bytes[line->length++] = (char)c;
        }
    }
    line->bytes[line->length++] = '"';
}

static void
line_begin(struct line *line, const struct common_log *log,
           enum rpcrt_log_level level)
{
    struct timespec now = {0, 0};
    struct tm utc;
    char seconds[32] = "";

    line->length = 0;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &utc) != NULL) {
        (void)strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
    }
    line_add(line, "time=%s.%03ldZ level=%s program=%s", seconds,
             now.tv_nsec / 1000000, level_names[level], log->program);
}

static void
line_end(struct line *line, const struct common_log *log)
{
    line->bytes[line->length++] = '\n';
    /* Nobody can be told that the log is gone. */
    (void)!write(log->fd, line->bytes, line->length);
}

void
common_log_text(const struct common_log *log, enum rpcrt_log_level level,
                const char *text)
{
    struct line line;

    if (level > log->level) {
        return;
    }
    line_begin(&line, log, level);
    line_add_text(&line, "msg", text);
    line_end(&line, log);
}

void
common_log_format(const struct common_log *log, enum rpcrt_log_level level,
                  const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    common_log_text(log, level, text);
}

void
common_log_line(void *arg, enum rpcrt_log_level level, const char *line)
{
    common_log_text(arg, level, line);
}

void
common_log_call(void *arg, const struct rpcrt_call_record *record)
{
    const struct common_log *log = arg;
    enum rpcrt_log_level level = rpcrt_code_level(record->code);
    struct line line;

    if ((record->code == RPCRT_OK && !log->calls) || level > log->level) {
        return;
    }
    line_begin(&line, log, level);
    line_add_text(&line, "call_id", record->call_id);
    line_add_text(&line, "method", record->method);
    line_add_text(&line, "peer", record->peer);
    line_add(&line, " code=%s us=%llu in=%zu out=%zu",
             rpcrt_code_name(record->code),
             (unsigned long long)record->duration_us, record->request_size,
             record->reply_size);
    if (record->code != RPCRT_OK) {
        line_add_text(&line, "msg", record->message);
    }
    line_end(&line, log);
}
