/*
 * Addresses: which are taken, what they consist of, and how a peer's is
 * written. Stricter than nng, which knows more schemes, a source address before
 * a semicolon and much else that would surprise.
 */
#include "transport/nng/link_nng.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static const struct {
    enum rpcrt__scheme scheme;
    const char *prefix;
} schemes[] = {
    {RPCRT__INPROC, "inproc://"},
    {RPCRT__IPC, "ipc://"},
    {RPCRT__TCP, "tcp://"},
    {RPCRT__TLS_TCP, "tls+tcp://"},
};

static enum rpcrt_code
refuse(struct rpcrt__error *ret_error, const char *text, const char *why)
{
    return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT, "%s: %s", text,
                            why);
}

/* What may stand in a host name or an IPv4 address, or between brackets. */
static bool
host_is_valid(const char *host, bool v6)
{
    const char *letters = "abcdefghijklmnopqrstuvwxyz"
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    if (v6) {
        /* A link-local address may name its interface behind '%'. */
        size_t address = strspn(host, "0123456789abcdefABCDEF:.");
        if (host[address] == '%') {
            address++;
            address += strspn(host + address, letters);
        }
        return address > 0 && host[address] == '\0';
    }
    return host[0] != '\0' && host[strspn(host, letters)] == '\0';
}

static bool
port_parse(const char *text, unsigned *ret_port)
{
    unsigned port = 0;
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 5 || text[digits] != '\0') {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    if (port > 65535) {
        return false;
    }
    *ret_port = port;
    return true;
}

/* Take "host:port" or "[v6]:port" apart; the text is known to be short. */
static const char *
authority_parse(struct rpcrt__address *address, bool listening)
{
    const char *host = address->rest;
    const char *end = strrchr(host, ':');
    if (host[0] == '*') {
        return "to listen on every interface write 0.0.0.0 or [::]";
    }
    if (end == NULL || end == host) {
        return end == NULL ? "the port is missing" : "the host is missing";
    }
    if (!port_parse(end + 1, &address->port)) {
        return "the port must be a number from 0 to 65535, with nothing behind";
    }
    if (address->port == 0 && !listening) {
        return "port 0 can't be dialed";
    }
    address->host_v6 = host[0] == '[';
    if (address->host_v6) {
        host++;
        end--;
        if (*end != ']') {
            return "']' is missing";
        }
    }
    memcpy(address->host, host, (size_t)(end - host));
    address->host[end - host] = '\0';
    if (!host_is_valid(address->host, address->host_v6)) {
        return "the host is not valid; IPv6 addresses go in brackets";
    }
    return NULL;
}

static const char *
rest_parse(struct rpcrt__address *address, bool listening)
{
    struct sockaddr_un un;
    size_t length = strlen(address->rest);
    switch (address->scheme) {
    case RPCRT__INPROC:
        if (length == 0) {
            return "the name is missing";
        }
        break;
    case RPCRT__IPC:
        if (length == 0) {
            return "the path is missing";
        }
        if (length >= sizeof(un.sun_path)) {
            return "the path is longer than a socket's can be (107 bytes)";
        }
        break;
    case RPCRT__TCP:
    case RPCRT__TLS_TCP:
        return authority_parse(address, listening);
    }
    return NULL;
}

enum rpcrt_code
rpcrt__address_parse(const char *text, bool listening,
                     struct rpcrt__error *ret_error,
                     struct rpcrt__address *ret_address)
{
    struct rpcrt__address address = {.rest = NULL};
    const char *why;
    if (text == NULL || text[0] == '\0') {
        return refuse(ret_error, "address", "is missing");
    }
    if (strlen(text) >= RPCRT_ADDRESS_SIZE) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%.40s...: longer than %u bytes", text,
                                RPCRT_ADDRESS_SIZE - 1);
    }
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == '\x7f') {
            return refuse(ret_error, "address",
                          "has a control character in it");
        }
    }
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t prefix = strlen(schemes[i].prefix);
        if (strncmp(text, schemes[i].prefix, prefix) == 0) {
            address.scheme = schemes[i].scheme;
            address.rest = text + prefix;
        }
    }
    if (address.rest == NULL) {
        return refuse(ret_error, text,
                      "begins with none of inproc:// ipc:// tcp:// tls+tcp://");
    }
    why = rest_parse(&address, listening);
    if (why != NULL) {
        return refuse(ret_error, text, why);
    }
    *ret_address = address;
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__address_check(const char *address, bool tls, bool listening,
                     struct rpcrt__error *ret_error)
{
    struct rpcrt__address parsed;
    enum rpcrt_code code =
        rpcrt__address_parse(address, listening, ret_error, &parsed);
    if (code != RPCRT_OK) {
        return code;
    }
    if (parsed.scheme == RPCRT__TLS_TCP && !tls) {
        return refuse(ret_error, address, "needs certificates");
    }
    if (parsed.scheme != RPCRT__TLS_TCP && tls) {
        return refuse(ret_error, address,
                      "certificates are given, but only tls+tcp:// uses them");
    }
    return RPCRT_OK;
}

void
rpcrt__address_of_peer(nng_pipe pipe, const char *listener,
                       char ret_text[RPCRT_ADDRESS_SIZE])
{
    nng_sockaddr sa;
    char host[INET6_ADDRSTRLEN];
    const char *end = strstr(listener, "://");
    int scheme = end == NULL ? 0 : (int)(end - listener);
    memset(&sa, 0, sizeof(sa));
    if (nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &sa) == 0) {
        if (sa.s_family == NNG_AF_INET &&
            inet_ntop(AF_INET, &sa.s_in.sa_addr, host, sizeof(host)) != NULL) {
            (void)snprintf(ret_text, RPCRT_ADDRESS_SIZE, "%.*s://%s:%u", scheme,
                           listener, host, ntohs(sa.s_in.sa_port));
            return;
        }
        if (sa.s_family == NNG_AF_INET6 &&
            inet_ntop(AF_INET6, sa.s_in6.sa_addr, host, sizeof(host)) != NULL) {
            (void)snprintf(ret_text, RPCRT_ADDRESS_SIZE, "%.*s://[%s]:%u",
                           scheme, listener, host, ntohs(sa.s_in6.sa_port));
            return;
        }
    }
    /* inproc and ipc peers have no address of their own; a TCP peer that has
     * left already has none any more. */
    if (strncmp(listener, "inproc", 6) == 0 ||
        strncmp(listener, "ipc", 3) == 0) {
        (void)snprintf(ret_text, RPCRT_ADDRESS_SIZE, "%s", listener);
    } else {
        (void)snprintf(ret_text, RPCRT_ADDRESS_SIZE, "%.*s://?", scheme,
                       listener);
    }
}
