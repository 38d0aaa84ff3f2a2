/*
 * One TLS connection of nng: handshake, reading and writing by mbedTLS over
 * nng's stream, and the report when a handshake fails. nng calls all of this
 * with the connection locked, and again whenever bytes have come or gone.
 *
 * A failed handshake is not ended at once: nng would close the socket, bytes
 * that are still on their way here would make that a reset, and the peer could
 * lose the alert that tells it why. So the connection lingers, reading and
 * dropping, until the peer closes it, which it does when it has the alert;
 * nng's ten seconds for a handshake bound it.
 */
#include "transport/nng/tls_engine.h"

#include <arpa/inet.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/platform_util.h>
#include <stdio.h>
#include <string.h>

#define FIRST_SIZE 16u
#define ADDRESS_SIZE 64u
/* Read and dropped while lingering; a ClientHello is much less. */
#define LINGER_SIZE_MAX (128u << 10)

enum conn_state {
    CONN_HANDSHAKE,
    CONN_OPEN,
    CONN_LINGER, /* the handshake failed, the alert is on its way */
    CONN_FAILED
};

struct nng_tls_engine_conn {
    void *stream; /* nng's, for nng_tls_engine_send() and _recv() */
    struct rpcrt__tls_end *end;
    enum conn_state state;
    int error; /* of nng; CONN_FAILED */
    size_t n_lingered;
    uint8_t first[FIRST_SIZE]; /* that the peer sent */
    size_t n_first;
    char peer[ADDRESS_SIZE];         /* "127.0.0.1:40312", or "" */
    char name[RPCRT__TLS_NAME_SIZE]; /* of the verified peer, or "" */
    mbedtls_ssl_context ssl;
    struct rpcrt__tls_verify verify;
    struct rpcrt__tls_gather gather;
};

/* -- bytes in and out ------------------------------------------------------ */

static void
note_first(nng_tls_engine_conn *conn, const uint8_t *bytes, size_t size)
{
    size_t n = sizeof conn->first - conn->n_first;

    n = size < n ? size : n;
    memcpy(conn->first + conn->n_first, bytes, n);
    conn->n_first += n;
}

static int
bio_send(void *arg, const unsigned char *bytes, size_t size)
{
    nng_tls_engine_conn *conn = arg;

    switch (nng_tls_engine_send(conn->stream, bytes, &size)) {
    case 0:
        return (int)size; /* no more than nng's buffer, 16 KiB */
    case NNG_EAGAIN:
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    default:
        return MBEDTLS_ERR_NET_SEND_FAILED;
    }
}

static int
bio_recv(void *arg, unsigned char *bytes, size_t size)
{
    nng_tls_engine_conn *conn = arg;

    switch (nng_tls_engine_recv(conn->stream, bytes, &size)) {
    case 0:
        break;
    case NNG_EAGAIN:
        return MBEDTLS_ERR_SSL_WANT_READ;
    default:
        return MBEDTLS_ERR_NET_RECV_FAILED;
    }
    note_first(conn, bytes, size);
    if (conn->state == CONN_HANDSHAKE &&
        rpcrt__tls_is_plain(conn->first, conn->n_first)) {
        return MBEDTLS_ERR_SSL_INVALID_RECORD;
    }
    return (int)size;
}

/* The one place where errors of mbedTLS become errors of nng. */
static int
nng_error(int rc)
{
    switch (rc) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
        return NNG_EAGAIN;
    case 0: /* end of stream, from mbedtls_ssl_read() */
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
        return NNG_ECONNSHUT;
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        return NNG_ECONNRESET;
    case MBEDTLS_ERR_SSL_ALLOC_FAILED:
        return NNG_ENOMEM;
    case MBEDTLS_ERR_NET_SEND_FAILED:
    case MBEDTLS_ERR_NET_RECV_FAILED:
        return NNG_ECLOSED;
    default:
        return NNG_ECRYPTO;
    }
}

/* -- a handshake that failed ----------------------------------------------- */

static void
report(nng_tls_engine_conn *conn, int rc)
{
    struct rpcrt__tls_failure failure = {
        .error = rc,
        .server = conn->end->server,
        .own =
            conn->end->identity->has_cert ? &conn->end->identity->cert : NULL,
        .why = conn->verify.why,
        .first = conn->first,
        .n_first = conn->n_first,
    };
    char text[RPCRT_TEXT_SIZE];

    if (rc == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE) {
        failure.alert = conn->ssl.in_msg[1];
        failure.no_cert_shown = !failure.server && conn->ssl.client_auth != 0 &&
                                !conn->end->identity->has_cert;
    }
    rpcrt__tls_failure_text(&failure, text);
    rpcrt__tls_end_report(conn->end, conn->peer[0] != '\0' ? conn->peer : NULL,
                          text);
}

/* Tell the peer, unless mbedTLS has. */
static void
send_alert(nng_tls_engine_conn *conn, int rc)
{
    /* In the place of the eight bytes that a peer without TLS waits for: it
     * fails at once, with a protocol error. */
    static const uint8_t to_plain[] = {'T', 'L', 'S', ' ', 'o', 'n', 'l', 'y'};
    size_t size = sizeof to_plain;

    if (rpcrt__tls_is_plain(conn->first, conn->n_first)) {
        (void)nng_tls_engine_send(conn->stream, to_plain, &size);
        return;
    }
    if (conn->ssl.out_msgtype == MBEDTLS_SSL_MSG_ALERT) {
        return;
    }
    (void)mbedtls_ssl_send_alert_message(
        &conn->ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
        rc == MBEDTLS_ERR_SSL_ALLOC_FAILED
            ? MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR
            : MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE);
}

static int
linger(nng_tls_engine_conn *conn)
{
    uint8_t dropped[512];
    size_t size;
    int rc;

    while (conn->n_lingered < LINGER_SIZE_MAX) {
        size = sizeof dropped;
        rc = nng_tls_engine_recv(conn->stream, dropped, &size);
        if (rc == NNG_EAGAIN) {
            return rc;
        }
        if (rc != 0) {
            break;
        }
        note_first(conn, dropped, size);
        conn->n_lingered += size;
    }
    conn->state = CONN_FAILED;
    return conn->error;
}

static int
handshake_fail(nng_tls_engine_conn *conn, int rc)
{
    bool by_peer = rc == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE ||
                   rc == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ||
                   rc == MBEDTLS_ERR_NET_SEND_FAILED ||
                   rc == MBEDTLS_ERR_NET_RECV_FAILED;
    int linger_rc;

    conn->error = NNG_EPEERAUTH;
    if (by_peer || (!conn->end->server &&
                    rpcrt__tls_is_plain(conn->first, conn->n_first))) {
        conn->state = CONN_FAILED;
        report(conn, rc);
        return conn->error;
    }
    conn->state = CONN_LINGER;
    send_alert(conn, rc);
    linger_rc = linger(conn); /* may bring more of what the peer said */
    report(conn, rc);
    return linger_rc;
}

/* With an optional certificate mbedTLS takes a bad one as well. */
static int
check_optional(nng_tls_engine_conn *conn)
{
    const uint32_t none =
        MBEDTLS_X509_BADCERT_MISSING | MBEDTLS_X509_BADCERT_SKIP_VERIFY;
    uint32_t flags;
    unsigned char alert = MBEDTLS_SSL_ALERT_MSG_BAD_CERT;

    if (!conn->end->server) {
        return 0;
    }
    flags = mbedtls_ssl_get_verify_result(&conn->ssl);
    if (flags == UINT32_MAX || (flags & ~none) == 0) {
        return 0;
    }
    if ((flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0) {
        alert = MBEDTLS_SSL_ALERT_MSG_CERT_EXPIRED;
    } else if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
        alert = MBEDTLS_SSL_ALERT_MSG_UNKNOWN_CA;
    }
    (void)mbedtls_ssl_send_alert_message(&conn->ssl,
                                         MBEDTLS_SSL_ALERT_LEVEL_FATAL, alert);
    return MBEDTLS_ERR_X509_CERT_VERIFY_FAILED;
}

static void
handshake_done(nng_tls_engine_conn *conn)
{
    const mbedtls_x509_crt *crt = mbedtls_ssl_get_peer_cert(&conn->ssl);

    conn->state = CONN_OPEN;
    if (crt != NULL && mbedtls_ssl_get_verify_result(&conn->ssl) == 0 &&
        !rpcrt__tls_common_name(crt, conn->name)) {
        conn->name[0] = '\0';
    }
}

/* -- what nng calls -------------------------------------------------------- */

static int
conn_handshake(nng_tls_engine_conn *conn)
{
    int rc = 0;

    switch (conn->state) {
    case CONN_OPEN:
        return 0;
    case CONN_LINGER:
        return linger(conn);
    case CONN_FAILED:
        return conn->error;
    case CONN_HANDSHAKE:
        break;
    }
    while (rc == 0 && conn->ssl.state != MBEDTLS_SSL_HANDSHAKE_OVER) {
        rc = mbedtls_ssl_handshake_step(&conn->ssl);
        if (rc == 0) {
            rc = check_optional(conn);
        }
    }
    if (rc == MBEDTLS_ERR_SSL_WANT_READ || rc == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return NNG_EAGAIN;
    }
    if (rc != 0) {
        rpcrt__tls_verify_usage(&conn->verify,
                                mbedtls_ssl_get_verify_result(&conn->ssl));
        return handshake_fail(conn, rc);
    }
    handshake_done(conn);
    return 0;
}

/* An error of reading or writing is final. */
static int
conn_fail(nng_tls_engine_conn *conn, int error)
{
    if (error != NNG_EAGAIN) {
        conn->state = CONN_FAILED;
        conn->error = error;
    }
    return error;
}

static int
conn_recv(nng_tls_engine_conn *conn, uint8_t *bytes, size_t *size)
{
    int rc = conn_handshake(conn);

    if (rc != 0) {
        return rc;
    }
    rc = mbedtls_ssl_read(&conn->ssl, bytes, *size);
    if (rc <= 0) {
        return conn_fail(conn, nng_error(rc));
    }
    *size = (size_t)rc;
    return 0;
}

static int
write_some(void *arg, const uint8_t *bytes, size_t *size)
{
    nng_tls_engine_conn *conn = arg;
    int rc = mbedtls_ssl_write(&conn->ssl, bytes, *size);

    if (rc <= 0) {
        return conn_fail(conn, nng_error(rc));
    }
    *size = (size_t)rc;
    return 0;
}

/* nng sends before it has seen a handshake through: the first send is what
 * begins it. */
static int
conn_send(nng_tls_engine_conn *conn, const uint8_t *bytes, size_t *size)
{
    int rc = conn_handshake(conn);

    if (rc != 0) {
        return rc;
    }
    return rpcrt__tls_gather_send(&conn->gather, write_some, conn, bytes, size);
}

static bool
conn_verified(nng_tls_engine_conn *conn)
{
    struct rpcrt__tls_name_slot *slot = rpcrt__tls_name_slot();

    if (conn->state != CONN_OPEN ||
        mbedtls_ssl_get_verify_result(&conn->ssl) != 0) {
        return false;
    }
    if (slot->wanted) {
        memcpy(slot->name, conn->name, sizeof slot->name);
    }
    return true;
}

/* The stream that nng gives an engine begins with its nng_stream, in 1.5.2. */
static void
find_peer(nng_tls_engine_conn *conn)
{
    char host[INET6_ADDRSTRLEN];
    nng_sockaddr address;

    if (nng_stream_get_addr(conn->stream, NNG_OPT_REMADDR, &address) != 0) {
        return;
    }
    if (address.s_family == NNG_AF_INET &&
        inet_ntop(AF_INET, &address.s_in.sa_addr, host, sizeof host) != NULL) {
        (void)snprintf(conn->peer, sizeof conn->peer, "%s:%u", host,
                       (unsigned)ntohs(address.s_in.sa_port));
    } else if (address.s_family == NNG_AF_INET6 &&
               inet_ntop(AF_INET6, address.s_in6.sa_addr, host, sizeof host) !=
                   NULL) {
        (void)snprintf(conn->peer, sizeof conn->peer, "[%s]:%u", host,
                       (unsigned)ntohs(address.s_in6.sa_port));
    }
}

/* nng frees what a connection has by conn_fini(), also if this fails or was
 * never called; all is zero before. */
static int
conn_init(nng_tls_engine_conn *conn, void *stream,
          nng_tls_engine_config *config)
{
    struct rpcrt__tls_end *end = config->end;
    int rc;

    if (end == NULL) {
        return NNG_ENOTSUP;
    }
    conn->stream = stream;
    conn->end = end;
    conn->state = CONN_HANDSHAKE;
    mbedtls_ssl_init(&conn->ssl);
    rc = mbedtls_ssl_setup(&conn->ssl, &end->identity->config);
    if (rc != 0) {
        return nng_error(rc);
    }
    rpcrt__tls_verify_init(&conn->verify, !end->server, end->server_name,
                           end->identity->ca_file);
    /* An address is not sent as server name (RFC 6066, 3), and is matched in
     * tls_verify.c. */
    rc = mbedtls_ssl_set_hostname(&conn->ssl,
                                  conn->verify.by_ip ? NULL : end->server_name);
    if (rc != 0) {
        return nng_error(rc);
    }
    mbedtls_ssl_set_verify(&conn->ssl, rpcrt__tls_verify_cb, &conn->verify);
    mbedtls_ssl_set_bio(&conn->ssl, conn, bio_send, bio_recv, NULL);
    find_peer(conn);
    return 0;
}

static void
conn_fini(nng_tls_engine_conn *conn)
{
    mbedtls_ssl_free(&conn->ssl);
    mbedtls_platform_zeroize(conn, sizeof *conn);
}

/* A client that began and went no further is told of too; one that connected
 * and said nothing may have been a probe. At a client's end the error of nng
 * says more. */
static void
conn_close(nng_tls_engine_conn *conn)
{
    if (conn->state == CONN_OPEN) {
        (void)mbedtls_ssl_close_notify(&conn->ssl);
    } else if (conn->state == CONN_HANDSHAKE && conn->end != NULL) {
        conn->state = CONN_FAILED;
        conn->error = NNG_ECLOSED;
        if (conn->end->server && conn->n_first > 0) {
            report(conn, MBEDTLS_ERR_SSL_CONN_EOF);
        }
    }
}

nng_tls_engine_conn_ops rpcrt__tls_conn_ops = {
    .size = sizeof(struct nng_tls_engine_conn),
    .init = conn_init,
    .fini = conn_fini,
    .close = conn_close,
    .handshake = conn_handshake,
    .recv = conn_recv,
    .send = conn_send,
    .verified = conn_verified,
};
