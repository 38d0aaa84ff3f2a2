/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): without the key nobody can find
 * bytes that hash to a value, or two inputs that hash to the same one.
 */
#ifndef RPCRT_CORE_HASH_H
#define RPCRT_CORE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct rpcrt__hash_key {
    uint64_t words[2];
};

uint64_t rpcrt__hash(const struct rpcrt__hash_key *key, const void *data,
                     size_t size);

#endif
