/*
 * The file of secrets and HMAC-SHA256: see secrets.h. Secrets are kept in
 * memory that is not swapped, where the system allows that.
 */
#include "payment/secrets.h"

#include "common/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_SIZE 16384u

struct secret {
    char id[PAY_SECRET_ID_MAX + 1];
    uint8_t bytes[PAY_SECRET_BYTES_MAX];
    size_t n_bytes;
};

struct pay_secrets {
    struct secret items[PAY_SECRETS_MAX];
    size_t n_items;
};

/* -- the file -------------------------------------------------------------- */

static bool
id_ok(const char *id)
{
    size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

    return length >= 1 && length <= PAY_SECRET_ID_MAX && id[length] == '\0';
}

/* Why a line can't be used; NULL if it can. */
static const char *
line_read(char *line, struct pay_secrets *secrets)
{
    char *id = common_word_next(&line);
    char *digits = id == NULL ? NULL : common_word_next(&line);
    struct secret *secret = &secrets->items[secrets->n_items];
    const char *end = NULL;
    size_t i;

    if (id == NULL || id[0] == '#') {
        return NULL;
    }
    if (!id_ok(id)) {
        return "an id has 1 to 32 of a-z, 0-9, '-', '_' and '.'";
    }
    if (pay_secrets_find(secrets, id, &i)) {
        return "a second secret with this id";
    }
    if (secrets->n_items == PAY_SECRETS_MAX) {
        return "more than 16 secrets";
    }
    if (digits == NULL || common_word_next(&line) != NULL ||
        sodium_hex2bin(secret->bytes, sizeof(secret->bytes), digits,
                       strlen(digits), NULL, &secret->n_bytes, &end) != 0 ||
        *end != '\0' || secret->n_bytes < PAY_SECRET_BYTES_MIN) {
        return "expected an id and 64 to 256 hexadecimal digits";
    }
    (void)snprintf(secret->id, sizeof(secret->id), "%s", id);
    secrets->n_items++;
    return NULL;
}

/* Read all lines of a text, which is taken apart. */
static enum rpcrt_code
lines_read(char *text, const char *path, struct pay_secrets *secrets,
           struct common_error *ret_error)
{
    unsigned number = 0;
    char *line = text;

    while (line != NULL) {
        char *end = strchr(line, '\n');
        const char *why;

        if (end != NULL) {
            *end++ = '\0';
        }
        number++;
        why = line_read(line, secrets);
        if (why != NULL) {
            return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                    "%s:%u: %s", path, number, why);
        }
        line = end;
    }
    if (secrets->n_items == 0) {
        return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%s: no secret", path);
    }
    return RPCRT_OK;
}

/* Read a file as text. */
static enum rpcrt_code
file_read(const char *path, char *ret_text, size_t size,
          struct common_error *ret_error)
{
    FILE *file = fopen(path, "re");
    enum rpcrt_code code = RPCRT_OK;
    size_t length;

    if (file == NULL) {
        return common_error_errno(ret_error, RPCRT_FAILED_PRECONDITION, errno,
                                  "%s", path);
    }
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy that can't be wiped */
    length = fread(ret_text, 1, size, file);
    if (ferror(file)) {
        code = common_error_errno(ret_error, RPCRT_FAILED_PRECONDITION, errno,
                                  "%s", path);
    } else if (length == size) {
        code = common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%s: more than %zu bytes", path, size - 1);
    } else if (memchr(ret_text, '\0', length) != NULL) {
        code = common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%s: not a text", path);
    } else {
        ret_text[length] = '\0';
    }
    (void)fclose(file);
    return code;
}

enum rpcrt_code
pay_secrets_load(const char *path, struct common_error *ret_error,
                 struct pay_secrets **ret_secrets)
{
    struct pay_secrets *secrets;
    char text[FILE_SIZE];
    enum rpcrt_code code;

    if (sodium_init() < 0) {
        return common_error_set(ret_error, RPCRT_INTERNAL,
                                "no random numbers can be had");
    }
    secrets = sodium_malloc(sizeof(*secrets));
    if (secrets == NULL) {
        return common_error_no_memory(ret_error);
    }
    memset(secrets, 0, sizeof(*secrets));
    code = file_read(path, text, sizeof(text), ret_error);
    if (code == RPCRT_OK) {
        code = lines_read(text, path, secrets, ret_error);
    }
    sodium_memzero(text, sizeof(text));
    if (code != RPCRT_OK) {
        pay_secrets_free(secrets);
        return code;
    }
    *ret_secrets = secrets;
    return RPCRT_OK;
}

void
pay_secrets_free(struct pay_secrets *secrets)
{
    sodium_free(secrets);
}

/* -- looking up ------------------------------------------------------------ */

size_t
pay_secrets_count(const struct pay_secrets *secrets)
{
    return secrets->n_items;
}

const char *
pay_secrets_id(const struct pay_secrets *secrets, size_t i)
{
    return secrets->items[i].id;
}

bool
pay_secrets_find(const struct pay_secrets *secrets, const char *id,
                 size_t *ret_i)
{
    size_t i;

    for (i = 0; i < secrets->n_items; i++) {
        if (strcmp(secrets->items[i].id, id) == 0) {
            *ret_i = i;
            return true;
        }
    }
    return false;
}

/* -- HMAC ------------------------------------------------------------------ */

void
pay_mac_begin(struct pay_mac *mac, const struct pay_secrets *secrets, size_t i,
              const char *purpose)
{
    const struct secret *secret = &secrets->items[i];

    (void)crypto_auth_hmacsha256_init(&mac->state, secret->bytes,
                                      secret->n_bytes);
    pay_mac_text(mac, purpose);
}

void
pay_mac_number(struct pay_mac *mac, int64_t number)
{
    uint8_t bytes[8];
    size_t i;

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)((uint64_t)number >> (8 * i));
    }
    (void)crypto_auth_hmacsha256_update(&mac->state, bytes, sizeof(bytes));
}

void
pay_mac_text(struct pay_mac *mac, const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);

    pay_mac_number(mac, (int64_t)length);
    if (length > 0) {
        (void)crypto_auth_hmacsha256_update(&mac->state, (const uint8_t *)text,
                                            length);
    }
}

void
pay_mac_end(struct pay_mac *mac, uint8_t ret_mac[PAY_MAC_SIZE])
{
    (void)crypto_auth_hmacsha256_final(&mac->state, ret_mac);
    sodium_memzero(mac, sizeof(*mac));
}
