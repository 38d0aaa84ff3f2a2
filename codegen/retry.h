/*
 * What (rpcrt.v1.retry) says of a method, and whether it makes sense. Whether
 * the method may have it at all is judged in check.c.
 */
#ifndef CODEGEN_RETRY_H
#define CODEGEN_RETRY_H

#include "problems.h"
#include "wire.h"

#include <stdint.h>

/* message Retry of idl/rpcrt/v1/options.proto; 0 where it says nothing. */
struct retry {
    uint32_t attempts_max;
    uint32_t backoff_ms_min;
    uint32_t backoff_ms_max;
    double backoff_factor;
    uint32_t hedging_ms;
    const char **codes;
    size_t n_codes;
};

struct retry *retry_read(struct pool *pool, struct bytes message);

/** Report what is wrong with a policy, at the element that has it. */
void retry_check(const struct retry *retry, const struct element *element,
                 struct problems *problems);

#endif
