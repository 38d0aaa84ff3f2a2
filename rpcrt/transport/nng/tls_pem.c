/*
 * Reading PEM files: into memory that is wiped before it is freed, since it
 * may hold a key, and with an error that says what is wrong with which file.
 * What the text means is left to mbedTLS, in tls_identity.c.
 */
#include "transport/nng/tls_engine.h"

#include "core/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <mbedtls/platform_util.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A bundle of every public authority has less than a quarter of this. */
#define PEM_SIZE_MAX ((off_t)1 << 20)

const char *
rpcrt__pem_kind_text(enum rpcrt__pem_kind kind)
{
    switch (kind) {
    case RPCRT__PEM_CA:
        return "CA file";
    case RPCRT__PEM_CERT:
        return "certificate file";
    case RPCRT__PEM_KEY:
        break;
    }
    return "key file";
}

static enum rpcrt_code
refuse(struct rpcrt__error *error, enum rpcrt__pem_kind kind, const char *path,
       const char *why)
{
    return rpcrt__error_set(error, RPCRT_FAILED_PRECONDITION, "%s %s: %s",
                            rpcrt__pem_kind_text(kind), path, why);
}

static enum rpcrt_code
refuse_errno(struct rpcrt__error *error, enum rpcrt__pem_kind kind,
             const char *path, int number)
{
    char text[128];

    switch (number) {
    case ENOENT:
        return refuse(error, kind, path, "no such file");
    case EACCES:
        return refuse(error, kind, path, "permission denied");
    default:
        break;
    }
    if (strerror_r(number, text, sizeof text) != 0) {
        return refuse(error, kind, path, "can't be read");
    }
    return refuse(error, kind, path, text);
}

static enum rpcrt_code
check_file(int fd, enum rpcrt__pem_kind kind, const char *path,
           struct rpcrt__error *error, size_t *ret_size)
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        return refuse_errno(error, kind, path, errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return refuse(error, kind, path, "is not a regular file");
    }
    /* Group access is left alone: Debian keeps keys for group ssl-cert. */
    if (kind == RPCRT__PEM_KEY && (info.st_mode & S_IRWXO) != 0) {
        return refuse(error, kind, path,
                      "everybody on this machine has access to it; "
                      "chmod o= takes that away");
    }
    if (info.st_size > PEM_SIZE_MAX) {
        return refuse(error, kind, path, "is larger than 1 MiB");
    }
    *ret_size = (size_t)info.st_size;
    return RPCRT_OK;
}

/* Read up to size bytes; what another process appends meanwhile is not. */
static enum rpcrt_code
read_all(int fd, enum rpcrt__pem_kind kind, const char *path,
         struct rpcrt__error *error, unsigned char *text, size_t size,
         size_t *ret_n)
{
    size_t n = 0;
    ssize_t got;

    while (n < size) {
        got = read(fd, text + n, size - n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return refuse_errno(error, kind, path, errno);
        }
        if (got == 0) {
            break;
        }
        n += (size_t)got;
    }
    *ret_n = n;
    return RPCRT_OK;
}

/* See what the file claims to be: mbedTLS would only say "invalid". */
static enum rpcrt_code
check_text(const char *text, size_t length, enum rpcrt__pem_kind kind,
           const char *path, struct rpcrt__error *error)
{
    bool cert;
    bool key;

    if (length == 0) {
        return refuse(error, kind, path, "is empty");
    }
    if (memchr(text, '\0', length) != NULL ||
        strstr(text, "-----BEGIN ") == NULL) {
        return refuse(error, kind, path, "is not in PEM format");
    }
    cert = strstr(text, "-----BEGIN CERTIFICATE-----") != NULL;
    key = strstr(text, "PRIVATE KEY-----") != NULL;
    if (kind != RPCRT__PEM_KEY && !cert) {
        return refuse(error, kind, path,
                      key ? "holds a key and no certificate"
                          : "holds no certificate");
    }
    if (kind == RPCRT__PEM_KEY && !key) {
        return refuse(error, kind, path,
                      cert ? "holds a certificate and no private key"
                           : "holds no private key");
    }
    if (kind == RPCRT__PEM_KEY &&
        (strstr(text, "BEGIN ENCRYPTED PRIVATE KEY") != NULL ||
         strstr(text, "Proc-Type: 4,ENCRYPTED") != NULL)) {
        return refuse(error, kind, path,
                      "the key is encrypted; one without passphrase is needed");
    }
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__pem_read(enum rpcrt__pem_kind kind, const char *path,
                struct rpcrt__error *ret_error, struct rpcrt__pem *ret_pem)
{
    struct rpcrt__pem pem = {NULL, 0};
    enum rpcrt_code code;
    size_t size = 0;
    size_t n = 0;
    int fd;

    /* Not to wait for the other end of a pipe. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return refuse_errno(ret_error, kind, path, errno);
    }
    code = check_file(fd, kind, path, ret_error, &size);
    if (code != RPCRT_OK) {
        goto out;
    }
    pem.size = size + 1;
    pem.text = rpcrt__calloc(1, pem.size);
    if (pem.text == NULL) {
        code = rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "%s %s: out of memory",
                                rpcrt__pem_kind_text(kind), path);
        goto out;
    }
    code = read_all(fd, kind, path, ret_error, pem.text, size, &n);
    if (code != RPCRT_OK) {
        goto out;
    }
    code = check_text((const char *)pem.text, n, kind, path, ret_error);
    if (code != RPCRT_OK) {
        goto out;
    }
    ret_pem->text = pem.text;
    ret_pem->size = n + 1;
    pem.text = NULL;

out:
    rpcrt__pem_wipe(&pem);
    (void)close(fd);
    return code;
}

void
rpcrt__pem_wipe(struct rpcrt__pem *pem)
{
    if (pem->text != NULL) {
        mbedtls_platform_zeroize(pem->text, pem->size);
        rpcrt__free(pem->text);
        pem->text = NULL;
    }
}
