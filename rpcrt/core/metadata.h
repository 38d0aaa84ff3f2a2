/*
 * Metadata of a call: a small ordered set of keys with values, and its form on
 * the wire. Memory is an arena's or the heap's; which, is said at the start.
 * Who may see which entry is not decided here.
 *
 * On the wire an entry is: u16 size of the key, u16 size of the value, key,
 * value; integers little endian. The number of entries stands outside.
 */
#ifndef RPCRT_CORE_METADATA_H
#define RPCRT_CORE_METADATA_H

#include "core/arena.h"
#include "core/error.h"

#include <stddef.h>
#include <stdint.h>

/* Key and value have a zero byte behind them that does not count. */
struct rpcrt__metadata_entry {
    const char *key;
    const char *value;
    size_t key_size;
    size_t value_size;
};

struct rpcrt__metadata {
    struct rpcrt__metadata_entry *entries;
    size_t n_entries;
    size_t n_room;              /* entries that fit without growing */
    size_t encoded_size;        /* bytes on the wire */
    struct rpcrt__arena *arena; /* NULL: the heap */
};

/* Start empty. With an arena all memory is the arena's: once that is reset,
 * start again. */
void rpcrt__metadata_init(struct rpcrt__metadata *metadata,
                          struct rpcrt__arena *arena);

/* Free everything; it is empty again afterwards. */
void rpcrt__metadata_fini(struct rpcrt__metadata *metadata);

/* Copy an entry in; the same key again replaces its value and keeps its place.
 * OK; INVALID_ARGUMENT for a key or value that rpcrt_call_set_metadata() does
 * not take; RESOURCE_EXHAUSTED above a limit or without memory. The set is
 * unchanged unless OK. */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__metadata_set(struct rpcrt__metadata *metadata, const char *key,
                    const void *value, size_t size,
                    struct rpcrt__error *ret_error);

/* Take an entry out; nothing if the key is absent. */
void rpcrt__metadata_remove(struct rpcrt__metadata *metadata, const char *key);

/* The value of a key, NULL if there is none; ret_size may be NULL. */
const char *rpcrt__metadata_get(const struct rpcrt__metadata *metadata,
                                const char *key, size_t *ret_size);

/* Write metadata->encoded_size bytes. */
void rpcrt__metadata_encode(const struct rpcrt__metadata *metadata,
                            uint8_t *bytes);

/* Read n_entries that fill the bytes exactly, copied into an empty set. OK;
 * INVALID_ARGUMENT for what is malformed or a key that comes twice;
 * RESOURCE_EXHAUSTED as above. The set stays empty unless OK. */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__metadata_decode(struct rpcrt__metadata *metadata, const uint8_t *bytes,
                       size_t size, size_t n_entries,
                       struct rpcrt__error *ret_error);

#endif
