/*
 * Trying again after a commit that was ABORTED: somebody else was faster.
 */
#ifndef PETSTORE_AGAIN_H
#define PETSTORE_AGAIN_H

#include <rpcrt/ctx.h>
#include <stdbool.h>

/**
 * Wait a random moment that grows with the number of tries, a few milliseconds.
 *
 * tries    of this purpose up to now; from 0, raised here
 * Returns  false: it is enough; ctx has ABORTED and its text.
 */
bool shop_again(struct rpcrt_ctx *ctx, unsigned *tries);

#endif
