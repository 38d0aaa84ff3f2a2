/*
 * Who may use which namespace. Known are only the hashes of the tokens, from
 * a file with one token a line (see common/tokens.h):
 *
 *   # NAMESPACE SHA-256 of the token, hexadecimal, and maybe "read-only" and
 *   # "until=2027-01-31", its last day (UTC)
 *   red  5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8
 *
 * A namespace may have several tokens.
 */
#ifndef KV_TOKENS_H
#define KV_TOKENS_H

#include "kv/model.h"

/* What a token opens. */
struct kvs_access {
    char space[KVS_SPACE_SIZE_MAX + 1];
    bool read_only;
};

struct kvs_tokens;

/* Read the file. INVALID_ARGUMENT names file and line of what is wrong;
 * FAILED_PRECONDITION if it can't be read. */
RPCRT_MUST_CHECK enum rpcrt_code
kvs_tokens_load(const char *path, struct common_error *ret_error,
                struct kvs_tokens **ret_tokens);
void kvs_tokens_free(struct kvs_tokens *tokens);

/* What a token opens; NULL if it is unknown or has expired. Takes the same time
 * for all that are unknown. */
const struct kvs_access *kvs_tokens_find(const struct kvs_tokens *tokens,
                                         struct kvs_slice token);

#endif
