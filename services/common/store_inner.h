/*
 * Inside of store.h: the connection with its calls, a piece of work, and how a
 * request is sent until it is answered. For store*.c alone.
 */
#ifndef SERVICES_COMMON_STORE_INNER_H
#define SERVICES_COMMON_STORE_INNER_H

#include "common/gate.h"
#include "common/store.h"
#include "kv/v1/kv.client.h"

#include <stdatomic.h>

/* The mark: tag of field 15000 as fixed64, and eight random bytes. */
#define COMMON_MARK_TAG_SIZE 3u
#define COMMON_MARK_SIZE 11u
extern const uint8_t common_mark_tag[COMMON_MARK_TAG_SIZE];

/* -- the connection -------------------------------------------------------- */

/* A call of the pool. */
struct common_caller {
    struct common_caller *next; /* of all */
    struct rpcrt_call *call;
    bool busy;
};

struct common_store {
    struct rpcrt_channel *channel;
    char *bearer; /* "Bearer TOKEN"; NULL: none */
    uint32_t try_ms;
    uint32_t patience_ms;

    struct common_gate gate; /* over the two below and `busy`: stopped is set,
                                or a call is not busy any more */
    bool stopped;
    struct common_caller *callers;

    atomic_uint_least64_t n_requests;
    atomic_uint_least64_t n_changes;
    atomic_uint_least64_t n_repeats;
};

/* A call that nobody uses; NULL without memory. Given back, its replies are
 * gone with its next use. */
struct common_caller *common_caller_take(struct common_store *store);
void common_caller_give(struct common_store *store,
                        struct common_caller *caller);

bool common_store_stopped(struct common_store *store);

/* Wait; less if the store is stopped. */
void common_store_pause(struct common_store *store, uint32_t pause_ms);

/* -- work ------------------------------------------------------------------ */

/* A block of a work's own memory; its bytes follow. */
struct common_chunk;

/* What is to be read with the next common_read_now(). */
struct common_wanted {
    struct common_record *record;
    const ProtobufCMessageDescriptor *type;
    Kv__V1__Operation *operation;
};

struct common_work {
    struct common_store *store;
    struct rpcrt_ctx *ctx;
    char call_id[72];
    struct common_error error;
    char store_id[64];
    bool store_expected; /* by common_work_expect_store() */
    uint64_t revision;

    struct common_chunk *chunks;
    ProtobufCAllocator memory;
    bool starved; /* it had no memory to give */

    struct common_wanted wanted[COMMON_OPERATIONS_MAX];
    size_t n_wanted;
    Kv__V1__Compare *compares[COMMON_OPERATIONS_MAX];
    size_t n_compares;
    Kv__V1__Operation *steps[COMMON_OPERATIONS_MAX];
    size_t n_steps;
    const Kv__V1__PutRequest *first_put;
    uint8_t mark[COMMON_MARK_SIZE];
};

/* Whether something may still be done; a work that was ABORTED begins anew. */
bool common_work_go_on(struct common_work *work);

/* Fail, unless the work has failed before. Returns the work's code. */
enum rpcrt_code common_work_set_error(struct common_work *work,
                                      enum rpcrt_code code, const char *format,
                                      ...) RPCRT_PRINTF(3, 4);

/* A key in the work's memory; empty (and the work has failed) without. */
ProtobufCBinaryData common_work_key(struct common_work *work, const char *key);

/* The message in a value, without its mark; NULL and the work has failed:
 * DATA_LOSS if it can't be read. */
const ProtobufCMessage *
common_work_unpack(struct common_work *work, const char *key,
                   const ProtobufCBinaryData *value,
                   const ProtobufCMessageDescriptor *type);

/* Whether a value ends with this mark. */
bool common_value_has_mark(const ProtobufCBinaryData *value,
                           const uint8_t mark[COMMON_MARK_SIZE]);

/* -- requests -------------------------------------------------------------- */

/* One of the two is sent, and its reply is set. */
struct common_request {
    Kv__V1__TxnRequest *txn;
    Kv__V1__RangeRequest *range;
    bool changes;
    bool history; /* a revision is asked for, which may be gone */

    const Kv__V1__TxnReply *txn_reply;
    const Kv__V1__RangeReply *range_reply;

    struct common_caller *caller;
    bool may_have_run; /* a change that was sent was not answered */
};

/**
 * Send until there is an answer, or patience, deadline or program end. The
 * reply stays until common_request_end(), which follows always.
 *
 * Returns  OK, or what the work has failed with
 */
enum rpcrt_code common_request_send(struct common_work *work,
                                    struct common_request *request);
void common_request_end(struct common_work *work,
                        struct common_request *request);

#endif
