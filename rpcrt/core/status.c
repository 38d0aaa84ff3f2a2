/*
 * Names and texts of the status codes and origins, from the lists in
 * rpcrt/status.h. Numbers that a newer peer may send are shown as unknown.
 */
#include <rpcrt/status.h>

const char *
rpcrt_code_name(enum rpcrt_code code)
{
    switch (code) {
#define X(name, number, text)                                                  \
    case RPCRT_##name:                                                         \
        return #name;
        RPCRT_CODES(X)
#undef X
    case RPCRT_LATER:
    default:
        return "UNKNOWN";
    }
}

const char *
rpcrt_code_text(enum rpcrt_code code)
{
    switch (code) {
#define X(name, number, text)                                                  \
    case RPCRT_##name:                                                         \
        return text;
        RPCRT_CODES(X)
#undef X
    case RPCRT_LATER:
    default:
        return "unknown";
    }
}

const char *
rpcrt_origin_text(enum rpcrt_origin origin)
{
    switch (origin) {
#define X(name, number, text)                                                  \
    case RPCRT_ORIGIN_##name:                                                  \
        return text;
        RPCRT_ORIGINS(X)
#undef X
    default:
        return "unknown";
    }
}
