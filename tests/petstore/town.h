/*
 * A town: one key-value store in this process, and the shops on it, each a
 * petstored without its process. There is no payment service: what needs one
 * is tested elsewhere.
 */
#ifndef TESTS_PETSTORE_TOWN_H
#define TESTS_PETSTORE_TOWN_H

#include "kv/service.h"
#include "petstore/record.pb-c.h"
#include "petstore/service.h"
#include "petstore/v1/petstore.client.h"
#include "tests/support/probe.h"

#define TOWN_STAFF "keeper"
#define TOWN_CUSTOMER "anna"
#define TOWN_PASSWORD "correct horse"

struct town {
    struct kvs_engine *engine;
    struct kvs_tokens *tokens;
    struct kvs_service kv;
    struct rpcrt_server *server;
    char folder[64];
};

/* The namespaces of its store: "red" and "blue", with tokens of these names. */
void town_open(struct town *town);
void town_close(struct town *town);

/* A new file of the town with this text; its path lives until the next. */
const char *town_file(const struct town *town, const char *name,
                      const char *text);

struct shop {
    struct shop_service service;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    char token_file[128];
};

/* A shop in a namespace, with the staff user; it hashes cheaply. */
void shop_open(struct shop *shop, struct town *town, const char *space);
void shop_close(struct shop *shop);

/* Its store and passwords alone, before anything is started or served. */
void shop_prepare(struct shop *shop, struct town *town, const char *space);
void shop_give_up(struct shop *shop);

/* A call of a user who has logged in, registered first if need be; NULL:
 * nobody. */
struct rpcrt_call *shop_call(struct shop *shop, const char *user);

/* The same for a token. */
struct rpcrt_call *shop_call_with(struct shop *shop, const char *token);

/* Log in; the token must be freed. */
char *shop_token(struct shop *shop, const char *user);

/* The clock of all shops of the process goes forward. */
void shop_pass(int64_t ms);

/* The reason of the refusal that ended a call's last use; "" without. */
const char *shop_reason(const struct rpcrt_call *call);

/* A use that is refused with a code and a reason. */
#define expect_refusal(call, code, reason, expression)                         \
    do {                                                                       \
        expect_code(call, code, expression);                                   \
        cr_assert_str_eq(shop_reason(call), reason);                           \
    } while (0)

/* Put a pet there, or change it, past the service: any status. */
void shop_put(struct shop *shop, const Petstore__Record__Pet *pet);

/* Whether the index has the entries of all pets, and no others. */
void shop_check_index(struct shop *shop);

/* Requests to the store since the start. */
uint64_t shop_requests(const struct shop *shop);

#endif
