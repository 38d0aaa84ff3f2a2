/*
 * The contract of kv.proto, asked of a server through the generated client:
 * what every test begins with.
 *
 * CONTRACT_TARGET=ADDRESS names the server to judge. Files that may then be
 * named beside it; without them the tests that need them are skipped:
 *   CONTRACT_TOKEN_FILE            opens a namespace
 *   CONTRACT_OTHER_TOKEN_FILE      opens another one
 *   CONTRACT_READ_ONLY_TOKEN_FILE  may only read the first
 *   CONTRACT_TLS_CA, CONTRACT_TLS_CERT, CONTRACT_TLS_KEY
 * Nobody else should change the store meanwhile. All keys begin with a random
 * prefix and are deleted afterwards; values kept by Store stay.
 *
 * Without a target the tests start servers of their own, one of each engine on
 * each transport.
 */
#ifndef TESTS_CONTRACT_KV_H
#define TESTS_CONTRACT_KV_H

#include "kv/v1/kv.client.h"

#include "tests/support/target.h"

/* Who calls. */
enum contract_who {
    CONTRACT_OWNER,
    CONTRACT_OTHER,    /* of another namespace */
    CONTRACT_READER,   /* of the owner's, but may only read */
    CONTRACT_STRANGER, /* with a token that nobody knows */
    CONTRACT_NOBODY    /* without a token */
};

struct contract {
    const char *where; /* "lmdb over tcp", for messages */
    struct target target;
    struct rpcrt_call *call; /* the owner's */
    char prefix[32];
    char key[512]; /* what contract_key() has made */
};

/* A claim: CONTRACT(claim) { ... uses c and c->call ... } */
#define CONTRACT(claim) CONTRACT_WITH(claim, 0, 0)

/* A claim about a server of our own with this history and size. */
#define CONTRACT_WITH(claim, history, size_max)                                \
    static void claim(struct contract *c);                                     \
    TARGET_TEST(kv, claim, target_cells)                                       \
    {                                                                          \
        struct contract contract;                                              \
                                                                               \
        contract_open(&contract, cell, history, size_max);                     \
        claim(&contract);                                                      \
        contract_close(&contract);                                             \
    }                                                                          \
    static void claim(struct contract *c)

/* Connect, with a server if needed. History and size 0: the defaults; other
 * numbers skip the test if the server is somebody else's. */
void contract_open(struct contract *c, const struct target_cell *cell,
                   uint64_t history, uint64_t size_max);
void contract_close(struct contract *c);

/* A call of somebody, on a channel of its own, freed with the contract. Skips
 * the test if there is no token for that. */
struct rpcrt_call *contract_call(struct contract *c, enum contract_who who);

/* -- short names ----------------------------------------------------------- */

ProtobufCBinaryData contract_bytes(const char *text);

/* The test's prefix with a text behind it; each call keeps its own copy until
 * the test ends. */
ProtobufCBinaryData contract_key(struct contract *c, const char *name);

/* Behind all keys of the test. */
ProtobufCBinaryData contract_end(struct contract *c);

/* One zero byte. */
ProtobufCBinaryData contract_open_end(void);

/* Write; returns the revision. */
uint64_t contract_put(struct contract *c, const char *name, const char *value);

/* Delete [name, end), end NULL: one key; returns how many. */
uint64_t contract_delete(struct contract *c, const char *name, const char *end);

/* "a=1 b=2", keys without the prefix, "+" behind if there is more. */
const char *contract_text(struct contract *c, const Kv__V1__RangeReply *page);

/* The same for all keys of the test at a revision, 0: the latest. */
const char *contract_state(struct contract *c, uint64_t revision);

/* The value of a key, "-" if there is none. */
const char *contract_value(struct contract *c, const char *name);

#endif
