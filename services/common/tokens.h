/*
 * Files that say who may come in: one bearer token a line, known only by its
 * hash.
 *
 *   # what it opens (words of the service), SHA-256 of the token, and maybe
 *   # options of the service and "until=2027-01-31" (the end of that day, UTC)
 *   merchant red 5e884898da28...1542d8
 *
 * The words before and behind the hash are given to the service.
 */
#ifndef SERVICES_COMMON_TOKENS_H
#define SERVICES_COMMON_TOKENS_H

#include "common/error.h"

#include <rpcrt/ctx.h>
#include <stdint.h>

#define COMMON_TOKEN_WORDS_MAX 4u

struct common_tokens;

/* Words of one line, without hash and until=. */
struct common_token_line {
    const char *words[COMMON_TOKEN_WORDS_MAX];
    size_t n_words;
    const char *options[COMMON_TOKEN_WORDS_MAX];
    size_t n_options;
};

/* Read what a line opens into `access` (zeroed). Returns NULL, or why the line
 * can't be used; nothing of the line may stand in it: that may be a token in
 * the wrong file. */
typedef const char *common_token_line_fn(const struct common_token_line *line,
                                         void *access);

/**
 * Read a file.
 *
 * access_size  bytes of what a line opens
 * Returns      OK; INVALID_ARGUMENT naming file and line of what is wrong, also
 *              if a token stands there twice, or none at all;
 *              FAILED_PRECONDITION if it can't be read; RESOURCE_EXHAUSTED.
 */
RPCRT_MUST_CHECK enum rpcrt_code
common_tokens_load(const char *path, common_token_line_fn *line_read,
                   size_t access_size, struct common_error *ret_error,
                   struct common_tokens **ret_tokens);
void common_tokens_free(struct common_tokens *tokens);

enum common_token_state {
    COMMON_TOKEN_KNOWN,
    COMMON_TOKEN_EXPIRED,
    COMMON_TOKEN_UNKNOWN
};

/* What a token opens. Takes the same time for all that are unknown. now_s is
 * in seconds since 1970. */
enum common_token_state common_tokens_find(const struct common_tokens *tokens,
                                           const char *token, size_t size,
                                           int64_t now_s,
                                           const void **ret_access);

/* What anybody may call of a daemon, for struct rpcrt_auth: how it is, and what
 * it understands. */
extern const char *const common_open_methods[];

/* The first line of a file, for a token that is to be sent. */
RPCRT_MUST_CHECK enum rpcrt_code
common_token_read(const char *path, char *ret_token, size_t size,
                  struct common_error *ret_error);

#endif
