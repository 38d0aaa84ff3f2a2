/*
 * The services of the project in one process: a key-value store, on it a
 * payment service, on both one or two pet shops, each behind a server of its
 * own on a transport of choice, talking only through it.
 *
 * Who may come in is the same in every stack:
 *   store     tokens "owner" (namespace red), "reader" (red, may only read),
 *             "other" (blue); "payment" and "shop" for the services
 *   payments  tokens "operator"; "red" and "blue", merchants of these names;
 *             "shop", the merchant petshop; "expired" (merchant red) and
 *             "expired-operator"
 *   shops     the staff user STACK_STAFF with STACK_PASSWORD
 */
#ifndef TESTS_SUPPORT_STACK_H
#define TESTS_SUPPORT_STACK_H

#include <rpcrt/rpcrt.h>
#include <stdbool.h>
#include <stdint.h>

#define STACK_STAFF "keeper"
#define STACK_PASSWORD "a password of the staff"

/* Those that listen, in the order in which they stand on each other. */
enum stack_member { STACK_KV, STACK_PAYMENT, STACK_SHOP, STACK_SHOP_2 };
#define STACK_MEMBERS_MAX 4u

/* All zero: a store in memory, served in this process. */
struct stack_options {
    const char *engine;    /* "memory" or "lmdb" */
    const char *transport; /* "inproc", "ipc", "tcp" or "tls" */
    enum stack_member top; /* this one and those before it are started */
    uint64_t history;      /* revisions that the store keeps readable */
    uint64_t size_max;     /* bytes that it may hold */
    uint32_t hold_for_ms;  /* an authorization's life */
    uint32_t session_ms;
    uint32_t pay_within_ms;
    uint32_t rescue_after_ms;
};

struct stack;

/* Start. A failure fails the test. */
struct stack *stack_start(const struct stack_options *options);

/* End all; channels must be freed before. */
void stack_stop(struct stack *stack);

/* Let the clock of payments and shops go forward by so much at once, or show a
 * time, in milliseconds since 1970, and go on from there. */
void stack_pass(struct stack *stack, int64_t ms);
void stack_set_time(struct stack *stack, int64_t now_ms);

/* Where a member listens; lives as long as the stack. */
const char *stack_address(const struct stack *stack, enum stack_member member);

/* What a client of the stack needs; NULL where there is no TLS. */
const struct rpcrt_tls *stack_tls(const struct stack *stack);

#endif
