/*
 * Whose namespace of the key-value store it is: two services must not share
 * one, for their keys would collide. The first to start writes its name under
 * the key "service"; what it keeps there besides is its own matter.
 */
#ifndef SERVICES_COMMON_CLAIM_H
#define SERVICES_COMMON_CLAIM_H

#include "common/store.h"

/**
 * Make a namespace a service's own, before anything else is kept there. Several
 * processes of one service may do so at once.
 *
 * service  its name: "payment"
 * Returns  OK; FAILED_PRECONDITION, naming both, if it is another service's;
 *          else the failure of the store.
 */
RPCRT_MUST_CHECK enum rpcrt_code
common_store_claim(struct common_store *store, const char *service,
                   struct common_error *ret_error);

#endif
