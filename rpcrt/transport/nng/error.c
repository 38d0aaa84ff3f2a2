/*
 * nng's error codes in words. The one place that knows them.
 */
#include "transport/nng/link_nng.h"
#include <stdio.h>
#include <string.h>

static const struct {
    int nng_code;
    enum rpcrt_code code;
    const char *text;
} errors[] = {
    {NNG_ENOMEM, RPCRT_RESOURCE_EXHAUSTED, "out of memory"},
    {NNG_ENOFILES, RPCRT_RESOURCE_EXHAUSTED, "too many open files"},
    {NNG_ENOSPC, RPCRT_RESOURCE_EXHAUSTED, "no space left"},
    {NNG_ECONNREFUSED, RPCRT_UNAVAILABLE, "connection refused"},
    {NNG_ECONNRESET, RPCRT_UNAVAILABLE, "connection reset by the peer"},
    {NNG_ECONNABORTED, RPCRT_UNAVAILABLE, "connection aborted"},
    {NNG_ECONNSHUT, RPCRT_UNAVAILABLE, "the peer closed the connection"},
    {NNG_EPROTO, RPCRT_UNAVAILABLE, "the peer does not speak this protocol"},
    {NNG_ETIMEDOUT, RPCRT_UNAVAILABLE, "timed out"},
    {NNG_EUNREACHABLE, RPCRT_UNAVAILABLE, "no route to the host"},
    {NNG_EADDRINUSE, RPCRT_UNAVAILABLE, "address already in use"},
    {NNG_EADDRINVAL, RPCRT_UNAVAILABLE, "no such address"},
    {NNG_EPERM, RPCRT_UNAVAILABLE, "permission denied"},
    {NNG_ENOENT, RPCRT_UNAVAILABLE, "no such file or directory"},
    {NNG_EEXIST, RPCRT_UNAVAILABLE, "a file is in the way"},
    {NNG_ECRYPTO, RPCRT_UNAVAILABLE, "the TLS handshake failed"},
    {NNG_EPEERAUTH, RPCRT_UNAVAILABLE, "the peer's certificate is refused"},
    {NNG_EMSGSIZE, RPCRT_UNAVAILABLE, "the peer sent too large a message"},
    {NNG_ECLOSED, RPCRT_UNAVAILABLE, "closed here"},
    {NNG_ECANCELED, RPCRT_UNAVAILABLE, "given up"},
    {NNG_ENOTSUP, RPCRT_UNAVAILABLE, "not supported by this system"},
};

enum rpcrt_code
rpcrt__nng_error(struct rpcrt__error *ret_error, int nng_code, const char *verb,
                 const char *address)
{
    /* What a TLS server answers to somebody without is no handshake of ours. */
    const char *hint =
        nng_code == NNG_EPROTO && strncmp(address, "tcp://", 6) == 0
            ? ", or only with TLS (tls+tcp://)"
            : "";
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (errors[i].nng_code == nng_code) {
            return rpcrt__error_set(ret_error, errors[i].code, "%s %s: %s%s",
                                    verb, address, errors[i].text, hint);
        }
    }
    if (nng_code >= NNG_ESYSERR && nng_code < NNG_ETRANERR) {
        char text[128];
        if (strerror_r(nng_code - NNG_ESYSERR, text, sizeof(text)) == 0) {
            return rpcrt__error_set(ret_error, RPCRT_UNAVAILABLE, "%s %s: %s",
                                    verb, address, text);
        }
    }
    return rpcrt__error_set(ret_error, RPCRT_UNAVAILABLE, "%s %s: nng error %d",
                            verb, address, nng_code);
}
