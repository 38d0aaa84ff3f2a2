/*
 * The log of a daemon: one line an event on a file descriptor, in logfmt:
 *
 *   time=2026-01-31T12:00:00.123Z level=info program=kvd msg="listening"
 *
 * What comes from outside is quoted and escaped, so no line can be forged.
 */
#ifndef SERVICES_COMMON_LOG_H
#define SERVICES_COMMON_LOG_H

#include <rpcrt/server.h>

struct common_log {
    const char *program;
    int fd;
    enum rpcrt_log_level level; /* what is less important is left out */
    bool calls;                 /* every call, not only those that failed */
};

/* Log a text. Any thread. */
void common_log_text(const struct common_log *log, enum rpcrt_log_level level,
                     const char *text);
void common_log_format(const struct common_log *log, enum rpcrt_log_level level,
                       const char *format, ...) RPCRT_PRINTF(3, 4);

/* For struct rpcrt_server_options; arg is the log. */
void common_log_line(void *arg, enum rpcrt_log_level level, const char *line);
void common_log_call(void *arg, const struct rpcrt_call_record *record);

/* "error", "warning", "info" or "debug"; false for other names. */
bool common_log_level_find(const char *name, enum rpcrt_log_level *ret_level);

#endif
