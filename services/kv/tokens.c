/*
 * What a line of the token file opens: see tokens.h. The file is read by
 * common/tokens.c.
 */
#include "kv/tokens.h"
#include "kv/space.h"

#include "common/ids.h"
#include "common/tokens.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kvs_tokens {
    struct common_tokens *lines;
};

static const char *
line_read(const struct common_token_line *line, void *ret_access)
{
    struct kvs_access *access = ret_access;

    if (line->n_words != 1 ||
        !kvs_space_name_ok(kvs_slice_text(line->words[0]))) {
        return "a namespace has 1 to 63 letters, digits, '-', '_' or '.'";
    }
    if (line->n_options > 1 ||
        (line->n_options == 1 && strcmp(line->options[0], "read-only") != 0)) {
        return "behind the digits may stand 'read-only', 'until=YYYY-MM-DD' "
               "and nothing else";
    }
    (void)snprintf(access->space, sizeof(access->space), "%s", line->words[0]);
    access->read_only = line->n_options == 1;
    return NULL;
}

enum rpcrt_code
kvs_tokens_load(const char *path, struct common_error *ret_error,
                struct kvs_tokens **ret_tokens)
{
    struct kvs_tokens *tokens = calloc(1, sizeof(*tokens));

    if (tokens == NULL) {
        return common_error_no_memory(ret_error);
    }
    if (common_tokens_load(path, line_read, sizeof(struct kvs_access),
                           ret_error, &tokens->lines) != RPCRT_OK) {
        free(tokens);
        return ret_error->code;
    }
    *ret_tokens = tokens;
    return RPCRT_OK;
}

void
kvs_tokens_free(struct kvs_tokens *tokens)
{
    if (tokens != NULL) {
        common_tokens_free(tokens->lines);
        free(tokens);
    }
}

const struct kvs_access *
kvs_tokens_find(const struct kvs_tokens *tokens, struct kvs_slice token)
{
    const void *access = NULL;

    return common_tokens_find(tokens->lines, (const char *)token.data,
                              token.size, common_now_ms() / 1000,
                              &access) == COMMON_TOKEN_KNOWN
               ? access
               : NULL;
}
