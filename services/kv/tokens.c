/*
 * The token file and looking tokens up: see tokens.h.
 */
#include "kv/tokens.h"
#include "kv/space.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_SIZE 512u
#define TOKENS_MAX 1000u

struct token {
    uint8_t hash[crypto_hash_sha256_BYTES];
    struct kvs_access access;
};

struct kvs_tokens {
    struct token *items;
    size_t n_items;
};

/* Cut the next word off a line; NULL if there is none. */
static char *
word_next(char **line)
{
    static const char blanks[] = " \t\r\n";
    char *word = *line + strspn(*line, blanks);
    size_t length = strcspn(word, blanks);

    if (length == 0) {
        return NULL;
    }
    *line = word + length;
    if (**line != '\0') {
        *(*line)++ = '\0';
    }
    return word;
}

static bool
hash_read(const char *digits, uint8_t ret_hash[crypto_hash_sha256_BYTES])
{
    size_t n = 0;
    const char *end = NULL;

    return strlen(digits) == (size_t)2 * crypto_hash_sha256_BYTES &&
           sodium_hex2bin(ret_hash, crypto_hash_sha256_BYTES, digits,
                          strlen(digits), NULL, &n, &end) == 0 &&
           n == crypto_hash_sha256_BYTES && *end == '\0';
}

/* Why a line can't be used; NULL if it can. Nothing of the line is told: it
 * may be a token that was put into the wrong file. */
static const char *
line_read(char *line, struct token *ret_token, bool *ret_empty)
{
    char *name = word_next(&line);
    char *digits = name == NULL ? NULL : word_next(&line);
    char *mode = digits == NULL ? NULL : word_next(&line);

    *ret_empty = name == NULL || name[0] == '#';
    if (*ret_empty) {
        return NULL;
    }
    if (!kvs_space_name_ok(kvs_slice_text(name))) {
        return "a namespace has 1 to 63 letters, digits, '-', '_' or '.'";
    }
    if (digits == NULL || !hash_read(digits, ret_token->hash)) {
        return "expected the 64 hexadecimal digits of a token's SHA-256";
    }
    if (mode != NULL &&
        (strcmp(mode, "read-only") != 0 || word_next(&line) != NULL)) {
        return "behind the digits may stand 'read-only' and nothing else";
    }
    (void)snprintf(ret_token->access.space, sizeof(ret_token->access.space),
                   "%s", name);
    ret_token->access.read_only = mode != NULL;
    return NULL;
}

static enum rpcrt_code
token_add(struct kvs_tokens *tokens, const struct token *token,
          struct common_error *ret_error)
{
    struct token *items;

    if (tokens->n_items == TOKENS_MAX) {
        return common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "more than %u tokens", TOKENS_MAX);
    }
    items = realloc(tokens->items, (tokens->n_items + 1) * sizeof(*items));
    if (items == NULL) {
        return common_error_no_memory(ret_error);
    }
    tokens->items = items;
    items[tokens->n_items++] = *token;
    return RPCRT_OK;
}

static enum rpcrt_code
file_read(FILE *file, const char *path, struct kvs_tokens *tokens,
          struct common_error *ret_error)
{
    char line[LINE_SIZE];
    unsigned number = 0;

    while (fgets(line, sizeof(line), file) != NULL) {
        struct token token = {.access.space = ""};
        bool empty = false;
        const char *why;

        number++;
        why = strlen(line) == LINE_SIZE - 1 ? "the line is too long"
                                            : line_read(line, &token, &empty);
        if (why != NULL) {
            return common_error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                    "%s:%u: %s", path, number, why);
        }
        if (!empty && token_add(tokens, &token, ret_error) != RPCRT_OK) {
            return ret_error->code;
        }
    }
    if (ferror(file)) {
        return common_error_errno(ret_error, RPCRT_FAILED_PRECONDITION, errno,
                                  "read %s", path);
    }
    return RPCRT_OK;
}

enum rpcrt_code
kvs_tokens_load(const char *path, struct common_error *ret_error,
                struct kvs_tokens **ret_tokens)
{
    struct kvs_tokens *tokens = calloc(1, sizeof(*tokens));
    enum rpcrt_code code;
    FILE *file;

    if (tokens == NULL || sodium_init() < 0) {
        free(tokens);
        return common_error_no_memory(ret_error);
    }
    file = fopen(path, "re");
    if (file == NULL) {
        free(tokens);
        return common_error_errno(ret_error, RPCRT_FAILED_PRECONDITION, errno,
                                  "open %s", path);
    }
    code = file_read(file, path, tokens, ret_error);
    (void)fclose(file);
    if (code != RPCRT_OK) {
        kvs_tokens_free(tokens);
        return code;
    }
    *ret_tokens = tokens;
    return RPCRT_OK;
}

void
kvs_tokens_free(struct kvs_tokens *tokens)
{
    if (tokens != NULL) {
        free(tokens->items);
        free(tokens);
    }
}

const struct kvs_access *
kvs_tokens_find(const struct kvs_tokens *tokens, struct kvs_slice token)
{
    static const uint8_t nothing[1];
    uint8_t hash[crypto_hash_sha256_BYTES];
    const struct kvs_access *found = NULL;
    size_t i;

    (void)crypto_hash_sha256(hash, token.size == 0 ? nothing : token.data,
                             token.size);
    for (i = 0; i < tokens->n_items; i++) {
        if (sodium_memcmp(hash, tokens->items[i].hash, sizeof(hash)) == 0) {
            found = &tokens->items[i].access;
        }
    }
    return found;
}
