/*
 * Failed handshakes in words: errors of mbedTLS and the alerts that a peer
 * sends, as somebody who has to mend it wants to read them. In TLS 1.2 an alert
 * is all that one end learns of why the other refused its certificate.
 */
#include "transport/nng/tls_engine.h"

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/x509.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_SIZE 40u /* of the peer's first bytes, escaped */

void
rpcrt__tls_append(char text[RPCRT_TEXT_SIZE], const char *format, ...)
{
    size_t length = strlen(text);
    va_list args;

    va_start(args, format);
    (void)rpcrt__text_format(text + length, RPCRT_TEXT_SIZE - length, format,
                             args);
    va_end(args);
}

/* -- alerts ---------------------------------------------------------------- */

struct alert_text {
    unsigned alert;
    bool about_cert; /* "refused the certificate: it TEXT" */
    const char *text;
};

/* RFC 5246 7.2.2; texts say what the alert means in practice. */
static const struct alert_text alert_texts[] = {
    {MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE, false, "unexpected message"},
    {MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC, false, "a record was damaged"},
    {MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE, false,
     "no protocol version or cipher suite in common, or a certificate is "
     "missing"},
    {MBEDTLS_SSL_ALERT_MSG_BAD_CERT, true,
     "is damaged, or carries the wrong name"},
    {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_CERT, true,
     "is not made for this use, or of an unsupported kind"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_REVOKED, true, "was revoked"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED, true, "has expired"},
    {MBEDTLS_SSL_ALERT_MSG_CERT_UNKNOWN, true, "is not acceptable"},
    {MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER, false, "illegal parameter"},
    {MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA, true,
     "is signed by an unknown authority"},
    {MBEDTLS_SSL_ALERT_MSG_ACCESS_DENIED, true, "gives no access"},
    {MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR, false, "a message made no sense"},
    {MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR, false, "a signature is wrong"},
    {MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION, false,
     "it does not accept TLS 1.2"},
    {MBEDTLS_SSL_ALERT_MSG_INSUFFICIENT_SECURITY, false,
     "it asks for stronger cipher suites"},
    {MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR, false, "internal error"},
    {MBEDTLS_SSL_ALERT_MSG_USER_CANCELED, false, "cancelled"},
    {MBEDTLS_SSL_ALERT_MSG_UNRECOGNIZED_NAME, false,
     "it does not know the server name"},
    {116 /* certificate_required, of TLS 1.3 */, false,
     "it requires a client certificate"},
};

static void
append_alert(char text[RPCRT_TEXT_SIZE], const struct rpcrt__tls_failure *f)
{
    const char *peer = f->server ? "client" : "server";
    const char *own = f->server ? "server" : "client";
    const struct alert_text *found = NULL;
    char why[RPCRT_TEXT_SIZE];
    size_t i;

    for (i = 0; i < sizeof alert_texts / sizeof alert_texts[0]; i++) {
        if (alert_texts[i].alert == f->alert) {
            found = &alert_texts[i];
        }
    }
    if (f->no_cert_shown && found != NULL && !found->about_cert) {
        rpcrt__tls_append(text,
                          "the server asked for a client certificate, and none "
                          "is configured (alert %u)",
                          f->alert);
    } else if (found == NULL) {
        rpcrt__tls_append(text, "the %s ended the handshake (alert %u)", peer,
                          f->alert);
    } else if (found->about_cert) {
        /* Some alerts say little; the own clock often knows more. */
        if (f->own == NULL || !rpcrt__tls_dates_text(f->own, why)) {
            (void)snprintf(why, sizeof why, "%s", found->text);
        }
        rpcrt__tls_append(text,
                          "the %s refused the %s's certificate: it %s "
                          "(alert %u)",
                          peer, own, why, f->alert);
    } else {
        rpcrt__tls_append(text, "the %s ended the handshake: %s (alert %u)",
                          peer, found->text, f->alert);
    }
}

/* -- a peer without TLS ---------------------------------------------------- */

bool
rpcrt__tls_is_plain(const uint8_t *first, size_t n_first)
{
    static const uint8_t greeting[] = {0, 'S', 'P', 0};

    return n_first >= sizeof greeting &&
           memcmp(first, greeting, sizeof greeting) == 0;
}

/* A record begins with its type, 20 to 23, and a version 3.x. */
static bool
is_tls(const uint8_t *first, size_t n_first)
{
    return n_first < 2 ||
           (first[0] >= MBEDTLS_SSL_MSG_CHANGE_CIPHER_SPEC &&
            first[0] <= MBEDTLS_SSL_MSG_APPLICATION_DATA && first[1] == 3);
}

static void
append_not_tls(char text[RPCRT_TEXT_SIZE], const struct rpcrt__tls_failure *f)
{
    const char *peer = f->server ? "client" : "server";
    char shown[SHOWN_SIZE];
    size_t n = 0;
    size_t i;
    int add;

    if (rpcrt__tls_is_plain(f->first, f->n_first)) {
        rpcrt__tls_append(text, "the %s speaks without TLS, as for tcp://",
                          peer);
        return;
    }
    shown[0] = '\0';
    for (i = 0; i < f->n_first && n + 5 < sizeof shown; i++) {
        add = snprintf(shown + n, sizeof shown - n,
                       f->first[i] >= 0x20 && f->first[i] < 0x7f &&
                               f->first[i] != '\\' && f->first[i] != '"'
                           ? "%c"
                           : "\\x%02x",
                       f->first[i]);
        n += add > 0 ? (size_t)add : 0;
    }
    rpcrt__tls_append(text, "the %s does not speak TLS: it began with \"%s\"",
                      peer, shown);
}

/* -- errors ---------------------------------------------------------------- */

static const char *
error_text(int error, bool server)
{
    switch (error) {
    case MBEDTLS_ERR_SSL_NO_CLIENT_CERTIFICATE:
        return "the client showed no certificate";
    case MBEDTLS_ERR_SSL_NO_USABLE_CIPHERSUITE:
    case MBEDTLS_ERR_SSL_NO_CIPHER_CHOSEN:
        return "no cipher suite of TLS 1.2 in common";
    case MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION:
        return server ? "the client does not offer TLS 1.2"
                      : "the server does not choose TLS 1.2";
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
        return "out of memory";
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case MBEDTLS_ERR_NET_SEND_FAILED:
    case MBEDTLS_ERR_NET_RECV_FAILED:
        return server ? "the client left or stalled during the handshake"
                      : "the server closed the connection in the handshake";
    default:
        return NULL;
    }
}

void
rpcrt__tls_failure_text(const struct rpcrt__tls_failure *failure,
                        char text[RPCRT_TEXT_SIZE])
{
    const char *known = error_text(failure->error, failure->server);
    char reason[128];

    text[0] = '\0';
    if (!is_tls(failure->first, failure->n_first)) {
        append_not_tls(text, failure);
    } else if (failure->error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        append_alert(text, failure);
    } else if (failure->why[0] != '\0') {
        rpcrt__tls_append(text, "%s", failure->why);
    } else if (known != NULL) {
        rpcrt__tls_append(text, "%s", known);
    } else {
        mbedtls_strerror(failure->error, reason, sizeof reason);
        rpcrt__tls_append(text, "TLS handshake failed: %s", reason);
    }
}
