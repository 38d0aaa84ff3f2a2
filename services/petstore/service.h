/*
 * The service Petstore of petstore.proto: what all its handlers share. The
 * handlers themselves stand in users.h, pets.h, list.h, cart.h, checkout.h and
 * orders.h; service.c makes one table of them.
 */
#ifndef PETSTORE_SERVICE_H
#define PETSTORE_SERVICE_H

#include "common/log.h"
#include "common/store.h"

#include <rpcrt/server.h>
#include <stdint.h>

struct shop_passwords;
struct shop_payment;

/* Calls that are served at once, at the most: those that may wait for a payment
 * (payment_link.h) or a password (passwords.h), and some that need neither. */
#define SHOP_WORKERS_MAX 128u

/* Times are in milliseconds. */
struct shop_options {
    const char *currency;    /* ISO 4217, the same for ever */
    int64_t session_ms;      /* how long a session lasts */
    int64_t pay_within_ms;   /* for another card, after one was declined */
    int64_t rescue_after_ms; /* an order that stands still for so long */
    uint32_t hash_jobs;      /* passwords that are hashed at once */
    uint64_t hash_memory;    /* bytes, of each */
    uint64_t hash_passes;    /* over this memory */
};

struct shop_service {
    struct common_store *store;
    struct shop_options options;
    struct shop_passwords *passwords; /* see passwords.h */
    struct shop_payment *payment;     /* see payment_link.h */
    const struct common_log *log;     /* NULL: silent */
    int64_t (*now_ms)(void);          /* NULL: common_now_ms() */
};

/* The time in records: milliseconds since 1970. */
int64_t shop_now_ms(const struct shop_service *service);

/**
 * Serve. Before the server listens, and after shop_start().
 *
 * service  kept; it and what it points to outlive the server
 * Returns  what petstore_serve() returns.
 */
RPCRT_MUST_CHECK enum rpcrt_code
shop_service_serve(struct rpcrt_server *server, struct shop_service *service);

#endif
