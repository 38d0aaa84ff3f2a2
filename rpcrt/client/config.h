/*
 * A service config: what a channel was told about the methods that are called
 * on it, in gRPC's JSON form (grpc/doc/service_config.md, gRFC A2, A6). Read
 * once, when the channel is made, and not changed afterwards.
 *
 * Fields that are not known here are passed over, as gRPC does; those that are
 * must be right.
 */
#ifndef RPCRT_CLIENT_CONFIG_H
#define RPCRT_CLIENT_CONFIG_H

#include "core/error.h"

#include <rpcrt/gen.h>
#include <stdbool.h>

/* One element of "methodConfig"; what is 0 was not said. */
struct rpcrt__config_method {
    uint32_t timeout_ms;
    bool has_wait_for_ready;
    bool wait_for_ready;
    bool has_request_max;
    bool has_reply_max;
    uint32_t request_size_max;
    uint32_t reply_size_max;
    struct rpcrt_retry_policy policy; /* attempts_max 0: none */
};

/* Whom an element is for: "/service/method", "/service/", or "" for all. */
struct rpcrt__config_name {
    char *path;
    size_t method; /* index of the element */
};

enum rpcrt__config_balancing {
    RPCRT__CONFIG_BALANCING_UNSAID,
    RPCRT__CONFIG_PICK_FIRST,
    RPCRT__CONFIG_ROUND_ROBIN,
    RPCRT__CONFIG_LEAST_REQUEST
};

struct rpcrt__config {
    struct rpcrt__config_method *methods;
    size_t n_methods;
    size_t methods_room;
    struct rpcrt__config_name *names;
    size_t n_names;
    size_t names_room;
    /* Of a token: a thousand of them. 0: no throttling. */
    uint32_t tokens_max;
    uint32_t token_ratio;
    enum rpcrt__config_balancing balancing;
};

/* Read a config. OK; INVALID_ARGUMENT with the line, the column and the field;
 * RESOURCE_EXHAUSTED. */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__config_new(const char *json, struct rpcrt__error *ret_error,
                  struct rpcrt__config **ret_config);

void rpcrt__config_free(struct rpcrt__config *config);

/* What is said about a method, by the most exact name; NULL if nothing is. */
const struct rpcrt__config_method *
rpcrt__config_find(const struct rpcrt__config *config, const char *path);

#endif
