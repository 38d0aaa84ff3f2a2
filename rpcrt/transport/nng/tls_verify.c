/*
 * What is asked of a peer's certificate beyond mbedTLS's own checks, and their
 * result in words: IP addresses, which mbedTLS 2.28 does not match, and why a
 * chain was refused, with the names and dates that are wrong.
 */
#include "transport/nng/tls_engine.h"

#include "core/utf8.h"

#include <arpa/inet.h>
#include <mbedtls/asn1.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>
#include <string.h>

/* Kinds of a subject's other names, RFC 5280 4.2.1.6. */
#define SAN_DNS 2
#define SAN_IP 7

#define SUBJECT_SIZE 80u /* of a name that is shown, its end included */

void
rpcrt__tls_verify_init(struct rpcrt__tls_verify *verify, bool server,
                       const char *name, const char *ca_file)
{
    char address[INET6_ADDRSTRLEN];
    size_t length;

    memset(verify, 0, sizeof *verify);
    verify->server = server;
    verify->name = name;
    verify->ca_file = ca_file;
    if (name == NULL) {
        return;
    }
    /* "fe80::1%eth0": certificates know nothing of interfaces. */
    length = strcspn(name, "%");
    if (length >= sizeof address) {
        return;
    }
    memcpy(address, name, length);
    address[length] = '\0';
    if (inet_pton(AF_INET, address, verify->ip) == 1) {
        verify->ip_size = 4;
    } else if (inet_pton(AF_INET6, address, verify->ip) == 1) {
        verify->ip_size = 16;
    }
    verify->by_ip = verify->ip_size > 0;
}

/* -- names ----------------------------------------------------------------- */

/* Whether it can go into a line of a log, and means what it seems to. */
static bool
is_text(const unsigned char *bytes, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        if (bytes[i] < 0x20 || bytes[i] == 0x7f) {
            return false;
        }
    }
    return rpcrt__utf8_valid_size(bytes, size) == size;
}

static bool
copy_text(const unsigned char *bytes, size_t size, char *text, size_t text_size)
{
    if (size == 0 || size >= text_size || !is_text(bytes, size)) {
        return false;
    }
    memcpy(text, bytes, size);
    text[size] = '\0';
    return true;
}

static bool
common_name(const mbedtls_x509_crt *crt, char *text, size_t text_size)
{
    const mbedtls_x509_name *name;

    for (name = &crt->subject; name != NULL; name = name->next) {
        if (MBEDTLS_OID_CMP(MBEDTLS_OID_AT_CN, &name->oid) != 0) {
            continue;
        }
        if (name->val.tag != MBEDTLS_ASN1_UTF8_STRING &&
            name->val.tag != MBEDTLS_ASN1_PRINTABLE_STRING &&
            name->val.tag != MBEDTLS_ASN1_IA5_STRING) {
            return false;
        }
        return copy_text(name->val.p, name->val.len, text, text_size);
    }
    return false;
}

bool
rpcrt__tls_common_name(const mbedtls_x509_crt *crt,
                       char ret_name[RPCRT__TLS_NAME_SIZE])
{
    return common_name(crt, ret_name, RPCRT__TLS_NAME_SIZE);
}

static unsigned
san_kind(const mbedtls_x509_sequence *san)
{
    return (unsigned)san->buf.tag & MBEDTLS_ASN1_TAG_VALUE_MASK;
}

static bool
has_ip(const mbedtls_x509_crt *crt, const uint8_t *ip, size_t ip_size)
{
    const mbedtls_x509_sequence *san;

    if ((crt->ext_types & MBEDTLS_X509_EXT_SUBJECT_ALT_NAME) == 0) {
        return false;
    }
    for (san = &crt->subject_alt_names; san != NULL; san = san->next) {
        if (san_kind(san) == SAN_IP && san->buf.len == ip_size &&
            memcmp(san->buf.p, ip, ip_size) == 0) {
            return true;
        }
    }
    return false;
}

/* One name that a certificate carries, as "DNS:localhost"; false if it is of no
 * use to people. */
static bool
san_text(const mbedtls_x509_sequence *san, char text[SUBJECT_SIZE])
{
    int family = san->buf.len == 4 ? AF_INET : AF_INET6;

    if (san_kind(san) == SAN_DNS) {
        memcpy(text, "DNS:", 5);
        return copy_text(san->buf.p, san->buf.len, text + 4, SUBJECT_SIZE - 4);
    }
    if (san_kind(san) == SAN_IP && (san->buf.len == 4 || san->buf.len == 16)) {
        memcpy(text, "IP:", 4);
        return inet_ntop(family, san->buf.p, text + 3, SUBJECT_SIZE - 3) !=
               NULL;
    }
    return false;
}

/* Append ", only DNS:a, DNS:b", or as many as can be read at a glance. */
static void
append_names(char why[RPCRT_TEXT_SIZE], const mbedtls_x509_crt *crt)
{
    enum { SHOWN_MAX = 5 };
    const mbedtls_x509_sequence *san = NULL;
    char name[SUBJECT_SIZE];
    unsigned n = 0;

    if ((crt->ext_types & MBEDTLS_X509_EXT_SUBJECT_ALT_NAME) != 0) {
        san = &crt->subject_alt_names;
    } else if (common_name(crt, name, sizeof name)) {
        rpcrt__tls_append(why, ", only CN=%s", name);
        return;
    }
    for (; san != NULL; san = san->next) {
        if (!san_text(san, name)) {
            continue;
        }
        if (n == SHOWN_MAX) {
            rpcrt__tls_append(why, ", ...");
            return;
        }
        rpcrt__tls_append(why, n == 0 ? ", only %s" : ", %s", name);
        n++;
    }
}

/* -- words ----------------------------------------------------------------- */

static void
append_time(char text[RPCRT_TEXT_SIZE], const char *what,
            const mbedtls_x509_time *time)
{
    rpcrt__tls_append(text, "%s %04d-%02d-%02d %02d:%02d:%02d UTC", what,
                      time->year, time->mon, time->day, time->hour, time->min,
                      time->sec);
}

bool
rpcrt__tls_dates_text(const mbedtls_x509_crt *crt, char text[RPCRT_TEXT_SIZE])
{
    text[0] = '\0';
    if (mbedtls_x509_time_is_past(&crt->valid_to)) {
        append_time(text, "has expired on", &crt->valid_to);
    } else if (mbedtls_x509_time_is_future(&crt->valid_from)) {
        append_time(text, "is not yet valid, but from", &crt->valid_from);
    }
    return text[0] != '\0';
}

/* " and " between two things that are wrong with the same certificate. */
static void
append_and(char why[RPCRT_TEXT_SIZE], bool *first)
{
    rpcrt__tls_append(why, *first ? " " : " and ");
    *first = false;
}

static void
append_subject(struct rpcrt__tls_verify *verify, const mbedtls_x509_crt *crt,
               int depth)
{
    char name[SUBJECT_SIZE];

    rpcrt__tls_append(verify->why, "%s%sthe %s's certificate",
                      verify->why[0] != '\0' ? "; " : "",
                      depth > 0 ? "an authority above " : "",
                      verify->server ? "server" : "client");
    if (common_name(crt, name, sizeof name)) {
        rpcrt__tls_append(verify->why, " (%s)", name);
    }
}

static void
append_flags(struct rpcrt__tls_verify *verify, const mbedtls_x509_crt *crt,
             uint32_t flags)
{
    const uint32_t weak = MBEDTLS_X509_BADCERT_BAD_MD |
                          MBEDTLS_X509_BADCERT_BAD_PK |
                          MBEDTLS_X509_BADCERT_BAD_KEY;
    const uint32_t known =
        weak | MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE |
        MBEDTLS_X509_BADCERT_NOT_TRUSTED | MBEDTLS_X509_BADCERT_CN_MISMATCH;
    char *why = verify->why;
    bool first = true;

    if ((flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0) {
        append_and(why, &first);
        append_time(why, "has expired on", &crt->valid_to);
    }
    if ((flags & MBEDTLS_X509_BADCERT_FUTURE) != 0) {
        append_and(why, &first);
        append_time(why, "is not yet valid, but from", &crt->valid_from);
    }
    if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
        append_and(why, &first);
        rpcrt__tls_append(why, "is signed by no authority in %s",
                          verify->ca_file != NULL ? verify->ca_file
                                                  : "ca_file");
    }
    if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
        append_and(why, &first);
        rpcrt__tls_append(why, "does not carry the %s %s",
                          verify->by_ip ? "address" : "name",
                          verify->name != NULL ? verify->name : "");
        append_names(why, crt);
    }
    if ((flags & weak) != 0) {
        append_and(why, &first);
        rpcrt__tls_append(why, "uses a key or hash that is too weak");
    }
    if ((flags & ~known) != 0) {
        append_and(why, &first);
        rpcrt__tls_append(why, "fails verification (flags 0x%lx)",
                          (unsigned long)(flags & ~known));
    }
}

int
rpcrt__tls_verify_cb(void *arg, mbedtls_x509_crt *crt, int depth,
                     uint32_t *flags)
{
    struct rpcrt__tls_verify *verify = arg;

    if (depth == 0 && verify->by_ip &&
        !has_ip(crt, verify->ip, verify->ip_size)) {
        *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    }
    if (*flags != 0) {
        append_subject(verify, crt, depth);
        append_flags(verify, crt, *flags);
    }
    return 0;
}

void
rpcrt__tls_verify_usage(struct rpcrt__tls_verify *verify, uint32_t flags)
{
    const uint32_t usage = MBEDTLS_X509_BADCERT_KEY_USAGE |
                           MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
                           MBEDTLS_X509_BADCERT_NS_CERT_TYPE;
    const uint32_t none =
        MBEDTLS_X509_BADCERT_MISSING | MBEDTLS_X509_BADCERT_SKIP_VERIFY;
    const char *role = verify->server ? "server" : "client";
    const char *comma = verify->why[0] != '\0' ? "; " : "";

    if (flags == UINT32_MAX || (flags & ~none) == 0) {
        return; /* there was nothing to check */
    }
    if ((flags & usage) != 0) {
        rpcrt__tls_append(verify->why,
                          "%sthe %s's certificate is not made for a %s", comma,
                          role, role);
    } else if (verify->why[0] == '\0') {
        rpcrt__tls_append(verify->why,
                          "the %s's certificate fails verification "
                          "(flags 0x%lx)",
                          role, (unsigned long)flags);
    }
}
