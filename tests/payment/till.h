/*
 * A payment service on a store in memory, both in this process, with a clock
 * that the test sets: what tests of the service begin with. Who may come in:
 * tokens "operator", "red" and "blue" (merchants).
 */
#ifndef TESTS_PAYMENT_TILL_H
#define TESTS_PAYMENT_TILL_H

#include "payment/service.h"
#include "payment/v1/payment.client.h"

#include <criterion/criterion.h>
#include <rpcrt/rpcrt.h>
#include <stdatomic.h>

#define TILL_NUMBER "4111111111111111"
#define TILL_POOR_NUMBER "5555555555554444"

/* Revisions that the store keeps readable. */
#define TILL_HISTORY 200u

/* One server of the service; several may stand on the same store. */
struct till_server {
    struct pay_service service;
    struct pay_secrets *secrets;
    struct common_tokens *access;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
};

struct till {
    struct till_kv *kv;
    struct till_server servers[2];
    atomic_llong now_ms;
    char folder[64];
};

/* Start both; the file of secrets has this text, NULL: one secret. */
void till_open(struct till *till, const char *secrets);
void till_close(struct till *till);

/* Start or stop server i, 0 or 1; 0 runs at first. */
void till_server_start(struct till *till, unsigned i);
void till_server_stop(struct till *till, unsigned i);

/* Write the file of secrets, and the outcome of a start with it. */
void till_secrets_write(struct till *till, const char *text);
enum rpcrt_code till_secrets_enter(struct till *till,
                                   struct common_error *ret_error);

/* Just before the next commit is done, somebody else writes this value. */
void till_intrude(struct till *till, const char *key, const uint8_t *value,
                  size_t size);

/* A call of a token's bearer at server i. */
struct rpcrt_call *till_call(struct till *till, unsigned i, const char *token);

/* -- short names, with a call that is freed by the caller ------------------ */

/* Fails the test unless a call ends in this code and reason ("": none). */
void till_expect(struct rpcrt_call *call, enum rpcrt_code code,
                 enum rpcrt_code expected, const char *reason);

/* Each returns the code, so that threads can use them. ret_id may be NULL. */
#define TILL_ID_SIZE 33u
enum rpcrt_code till_issue(struct rpcrt_call *call, const char *key,
                           const char *number, int64_t balance);
enum rpcrt_code till_authorize(struct rpcrt_call *call, const char *key,
                               const char *number, int64_t amount,
                               char ret_id[TILL_ID_SIZE]);
enum rpcrt_code till_capture(struct rpcrt_call *call, const char *key,
                             const char *id, int64_t minor);
enum rpcrt_code till_refund(struct rpcrt_call *call, const char *key,
                            const char *id, int64_t minor);
enum rpcrt_code till_void(struct rpcrt_call *call, const char *key,
                          const char *id);
enum rpcrt_code till_void_key(struct rpcrt_call *call, const char *key,
                              const char *authorize_key);

/* What the books say; the till's own operator asks. */
struct till_balance {
    int64_t posted;
    int64_t held;
};
struct till_balance till_card(struct till *till, const char *number);
struct till_balance till_merchant(struct till *till, const char *name);
Payment__V1__State till_state(struct till *till, const char *id);

/* Fail the test unless all accounts together are zero, and every account is
 * what its entries in the journal say. */
void till_check_books(struct till *till);

#endif
