/*
 * How a call can end: one enum of status codes for local trouble, trouble on
 * the way and refusals by a handler, so that there is one error path. Numbers
 * and meanings are gRPC's.
 */
#ifndef RPCRT_STATUS_H
#define RPCRT_STATUS_H

#include <rpcrt/api.h>

RPCRT_BEGIN_DECLS

/* X(name, number on the wire, text for people) */
#define RPCRT_CODES(X)                                                         \
    X(OK, 0, "ok")                                                             \
    X(CANCELLED, 1, "cancelled")                                               \
    X(UNKNOWN, 2, "unknown")                                                   \
    X(INVALID_ARGUMENT, 3, "invalid argument")                                 \
    X(DEADLINE_EXCEEDED, 4, "deadline exceeded")                               \
    X(NOT_FOUND, 5, "not found")                                               \
    X(ALREADY_EXISTS, 6, "already exists")                                     \
    X(PERMISSION_DENIED, 7, "permission denied")                               \
    X(RESOURCE_EXHAUSTED, 8, "resource exhausted")                             \
    X(FAILED_PRECONDITION, 9, "failed precondition")                           \
    X(ABORTED, 10, "aborted")                                                  \
    X(OUT_OF_RANGE, 11, "out of range")                                        \
    X(UNIMPLEMENTED, 12, "unimplemented")                                      \
    X(INTERNAL, 13, "internal")                                                \
    X(UNAVAILABLE, 14, "unavailable")                                          \
    X(DATA_LOSS, 15, "data loss")                                              \
    X(UNAUTHENTICATED, 16, "unauthenticated")

enum rpcrt_code {
#define X(name, number, text) RPCRT_##name = number,
    RPCRT_CODES(X)
#undef X
    /* No status: what a handler returns to answer later, rpcrt_ctx_finish(). */
    RPCRT_LATER = 100
};

/* Who ended the call. X(name, number on the wire, text for people) */
#define RPCRT_ORIGINS(X)                                                       \
    X(HANDLER, 0, "handler")                                                   \
    X(RUNTIME, 1, "server runtime")                                            \
    X(TRANSPORT, 2, "transport")                                               \
    X(LOCAL, 3, "local")

enum rpcrt_origin {
#define X(name, number, text) RPCRT_ORIGIN_##name = number,
    RPCRT_ORIGINS(X)
#undef X
};

/** Name of a code as in a program: "NOT_FOUND"; "UNKNOWN" for a number
 * that is none. Static text. */
RPCRT_API const char *rpcrt_code_name(enum rpcrt_code code);

/** A code for people: "not found". Static text. */
RPCRT_API const char *rpcrt_code_text(enum rpcrt_code code);

/** Who ended a call, for people: "handler", "transport". Static text. */
RPCRT_API const char *rpcrt_origin_text(enum rpcrt_origin origin);

RPCRT_END_DECLS

#endif
