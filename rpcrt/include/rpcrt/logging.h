/*
 * An interceptor that writes one line a call, for both sides:
 *
 *   served /kv.v1.Kv/Put code=NOT_FOUND us=142 in=31 out=0
 *   peer=tcp://127.0.0.1:40312 call_id=5f3a... msg="no key \"x\""
 *
 * What comes from outside is quoted and escaped, so no line can be forged.
 */
#ifndef RPCRT_LOGGING_H
#define RPCRT_LOGGING_H

#include <rpcrt/interceptor.h>

RPCRT_BEGIN_DECLS

struct rpcrt_logger {
    rpcrt_log_fn *fn;
    void *arg;
    enum rpcrt_log_level level; /* calls of less importance are left out: see
                                   rpcrt_code_level() */
};

/** How important the end of a call is to who runs a server: its own trouble
 * before that of its callers, and what went well the least. */
RPCRT_API enum rpcrt_log_level rpcrt_code_level(enum rpcrt_code code);

/** The logger must outlive server and channel. */
RPCRT_API struct rpcrt_server_interceptor
rpcrt_logger_server(struct rpcrt_logger *logger);
RPCRT_API struct rpcrt_client_interceptor
rpcrt_logger_client(struct rpcrt_logger *logger);

RPCRT_END_DECLS

#endif
