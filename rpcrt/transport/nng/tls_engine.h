/*
 * What the tls_*.c files share: the certificates of an identity, the part of a
 * configuration and of a connection that nng keeps for an engine, and the
 * helpers that each of them owns. Nobody else includes mbedTLS.
 */
#ifndef RPCRT_TRANSPORT_NNG_TLS_ENGINE_H
#define RPCRT_TRANSPORT_NNG_TLS_ENGINE_H

#include "transport/nng/tls.h"

#include <mbedtls/ssl.h>
#include <nng/supplemental/tls/engine.h>
#include <pthread.h>

/* -- tls_identity.c -------------------------------------------------------- */

/* Not changed once it is made, so that connections of many threads share it. */
struct rpcrt__tls_identity {
    bool server;
    bool has_ca;
    bool has_cert;
    char *ca_file;     /* NULL without CA */
    char *server_name; /* client: as given, or NULL */
    mbedtls_x509_crt ca;
    mbedtls_x509_crt cert;
    mbedtls_pk_context key;
    mbedtls_ssl_config config;
};

/* -- tls_pem.c ------------------------------------------------------------- */

enum rpcrt__pem_kind { RPCRT__PEM_CA, RPCRT__PEM_CERT, RPCRT__PEM_KEY };

/* The text of a PEM file and the zero byte behind it, which `size` counts. */
struct rpcrt__pem {
    unsigned char *text;
    size_t size;
};

/* "CA file", for people. Static text. */
const char *rpcrt__pem_kind_text(enum rpcrt__pem_kind kind);

/* Read a file and see that it is what its kind says. FAILED_PRECONDITION or
 * RESOURCE_EXHAUSTED, with a text that names the file. */
enum rpcrt_code rpcrt__pem_read(enum rpcrt__pem_kind kind, const char *path,
                                struct rpcrt__error *ret_error,
                                struct rpcrt__pem *ret_pem);

/* Wipe and free. */
void rpcrt__pem_wipe(struct rpcrt__pem *pem);

/* -- tls_config.c ---------------------------------------------------------- */

/* Settings of every connection of an identity whose certificates are read:
 * protocol version, cipher suites, curves, who must show a certificate. An
 * error of mbedTLS, or 0. */
int rpcrt__tls_config_init(struct rpcrt__tls_identity *identity,
                           bool client_cert_optional);

/* -- tls_verify.c ---------------------------------------------------------- */

/* What is checked of a peer's certificate, and what was found. */
struct rpcrt__tls_verify {
    bool server;      /* the peer is the server */
    bool by_ip;       /* its certificate must carry `ip` */
    uint8_t ip[16];   /* in network order */
    size_t ip_size;   /* 4 or 16 */
    const char *name; /* what was asked for; NULL: nothing */
    const char *ca_file;
    char why[RPCRT_TEXT_SIZE]; /* why it was refused, or "" */
};

/* Begin a check: is the name an address, and which? */
void rpcrt__tls_verify_init(struct rpcrt__tls_verify *verify, bool server,
                            const char *name, const char *ca_file);

/* mbedTLS asks this for each certificate of the chain, the peer's last. */
int rpcrt__tls_verify_cb(void *arg, mbedtls_x509_crt *crt, int depth,
                         uint32_t *flags);

/* Complete `why` by what is checked after the chain. */
void rpcrt__tls_verify_usage(struct rpcrt__tls_verify *verify, uint32_t flags);

/* "has expired on DATE" or "is not yet valid, but from DATE", by the local
 * clock; false if neither. */
bool rpcrt__tls_dates_text(const mbedtls_x509_crt *crt,
                           char text[RPCRT_TEXT_SIZE]);

/* The first common name of a certificate's subject. False if there is none, or
 * none that can be shown to people and compared. */
bool rpcrt__tls_common_name(const mbedtls_x509_crt *crt,
                            char ret_name[RPCRT__TLS_NAME_SIZE]);

/* -- tls_gather.c ---------------------------------------------------------- */

#define RPCRT__TLS_GATHER_SIZE 4096u

/* Puts the pieces of one message of nng into one TLS record. */
struct rpcrt__tls_gather {
    bool greeted;       /* the 8 bytes that open a connection have passed */
    unsigned n_head;    /* bytes of `head` that are there */
    uint8_t head[8];    /* length of the message, big-endian */
    uint64_t body_left; /* bytes of the message that are to come */
    size_t n_data;      /* bytes gathered */
    size_t n_written;   /* of them, already written */
    size_t n_taken;     /* of the piece whose taking was not yet told */
    bool flushing;
    uint8_t data[RPCRT__TLS_GATHER_SIZE];
};

/* Write some of the bytes: an error of nng, or 0 and how many. */
typedef int rpcrt__tls_write_fn(void *arg, const uint8_t *data, size_t *size);

/* Take a piece, or a part of it; as nng_tls_engine_conn_ops.send. After
 * NNG_EAGAIN it must be called again with the same piece. */
int rpcrt__tls_gather_send(struct rpcrt__tls_gather *gather,
                           rpcrt__tls_write_fn *write, void *arg,
                           const uint8_t *data, size_t *size);

/* -- tls_text.c ------------------------------------------------------------ */

/* What went wrong, for the text about it. */
struct rpcrt__tls_failure {
    int error;          /* of mbedTLS */
    bool server;        /* this is the server's end */
    unsigned alert;     /* if error is that the peer sent a fatal one */
    bool no_cert_shown; /* client: was asked for a certificate, had none */
    const mbedtls_x509_crt *own; /* certificate, or NULL */
    const char *why;             /* from tls_verify.c, or "" */
    const uint8_t *first;        /* the first bytes that the peer sent */
    size_t n_first;
};

/* The only place where errors and alerts of TLS become text. */
void rpcrt__tls_failure_text(const struct rpcrt__tls_failure *failure,
                             char text[RPCRT_TEXT_SIZE]);

/* Append formatted text to what is there; cut at a UTF-8 character. */
void rpcrt__tls_append(char text[RPCRT_TEXT_SIZE], const char *format, ...)
    RPCRT_PRINTF(2, 3);

/* Whether the bytes, at most eight, open a connection of nng without TLS. */
bool rpcrt__tls_is_plain(const uint8_t *first, size_t n_first);

/* -- tls_conn.c ------------------------------------------------------------ */

/* What nng calls for each connection. Not const, as nng_tls_engine wants it. */
extern nng_tls_engine_conn_ops rpcrt__tls_conn_ops;

/* -- tls_engine.c ---------------------------------------------------------- */

/* What nng keeps for us in each nng_tls_config; lives until nng has let go of
 * the last dialer, listener and connection that use it. */
struct nng_tls_engine_config {
    struct rpcrt__tls_end *end; /* NULL: made by nng as a default, unusable */
};

struct rpcrt__tls_end {
    nng_tls_config *config;
    const struct rpcrt__tls_identity *identity;
    bool server;
    char *server_name;
    pthread_mutex_t lock; /* of the rest */
    pthread_cond_t gone;
    bool in_use; /* by nng */
    rpcrt__tls_report_fn *report;
    void *arg;
};

/* Tell a failed handshake to whoever listens. */
void rpcrt__tls_end_report(struct rpcrt__tls_end *end, const char *peer,
                           const char *reason);

/* Where nng_tls_engine_conn_ops.verified leaves the peer's name, for who asks
 * on the same thread. */
struct rpcrt__tls_name_slot {
    bool wanted;
    char name[RPCRT__TLS_NAME_SIZE];
};
struct rpcrt__tls_name_slot *rpcrt__tls_name_slot(void);

#endif
