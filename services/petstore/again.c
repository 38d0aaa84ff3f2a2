/*
 * Trying again: see again.h.
 */
#include "petstore/again.h"

#include <sodium.h>
#include <time.h>

#define TRIES_MAX 50u
#define WAIT_US_MAX 10000u

bool
shop_again(struct rpcrt_ctx *ctx, unsigned *tries)
{
    uint32_t most_us = 200u << (*tries < 6 ? *tries : 6);
    struct timespec wait = {0, 0};

    if (*tries >= TRIES_MAX) {
        (void)rpcrt_ctx_fail(ctx, RPCRT_ABORTED,
                             "too many others change the same: try again");
        return false;
    }
    ++*tries;
    if (most_us > WAIT_US_MAX) {
        most_us = WAIT_US_MAX;
    }
    wait.tv_nsec = (long)randombytes_uniform(most_us) * 1000;
    (void)nanosleep(&wait, NULL);
    return true;
}
