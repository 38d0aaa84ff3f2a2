/*
 * Metadata that the runtime adds to attempts, behind the caller's back but
 * never over what he set: the idempotency key, the same for all of a use, and
 * how many attempts came before. It is kept as it stands on the wire, so that
 * it costs no heap, and is sent in front of the caller's.
 */
#include "client/call.h"
#include "core/clock.h"
#include "wire/native.h"

#include <inttypes.h>
#include <rpcrt/retry.h>
#include <stdio.h>
#include <string.h>

/* Whether the server takes one more entry of that size. */
static bool
has_room(const struct rpcrt_call *call, size_t size)
{
    const struct rpcrt__attempts *attempts = &call->attempts;

    return attempts->extra_size + size <= sizeof attempts->extra &&
           call->out_metadata_size + attempts->extra_size + size <=
               RPCRT_METADATA_BYTES_MAX &&
           call->n_out_metadata + attempts->n_extra <
               RPCRT_METADATA_ENTRIES_MAX;
}

/* Add an entry; false if there is no room, or the caller has set the key. */
static bool
add(struct rpcrt_call *call, const char *key, const char *value)
{
    struct rpcrt__attempts *attempts = &call->attempts;
    const struct rpcrt_call *owner =
        attempts->primary != NULL ? attempts->primary : call;
    size_t key_size = strlen(key);
    size_t value_size = strlen(value);
    size_t size = 4 + key_size + value_size;
    uint8_t *at = attempts->extra + attempts->extra_size;

    if (rpcrt__metadata_get(&owner->metadata, key, NULL) != NULL ||
        !has_room(call, size)) {
        return false;
    }
    at[0] = (uint8_t)key_size;
    at[1] = 0;
    at[2] = (uint8_t)value_size;
    at[3] = 0;
    memcpy(at + 4, key, key_size);
    memcpy(at + 4 + key_size, value, value_size);
    attempts->extra_size += (uint32_t)size;
    attempts->n_extra++;
    return true;
}

void
rpcrt__extra_begin(struct rpcrt_call *call)
{
    char key[33];

    call->attempts.extra_size = 0;
    call->attempts.key_size = 0;
    call->attempts.n_extra = 0;
    if ((call->method->flags & RPCRT_METHOD_ONCE) == 0 ||
        rpcrt__metadata_get(&call->metadata, RPCRT_IDEMPOTENCY_KEY, NULL) !=
            NULL) {
        return;
    }
    (void)snprintf(key, sizeof key, "%016" PRIx64 "%016" PRIx64,
                   rpcrt__random(), rpcrt__random());
    if (!add(call, RPCRT_IDEMPOTENCY_KEY, key)) {
        (void)rpcrt__error_set(&call->outcome, RPCRT_RESOURCE_EXHAUSTED,
                               "%s: no room for an idempotency key beside the "
                               "metadata of the call",
                               call->method->path);
    }
    call->attempts.key_size = call->attempts.extra_size;
}

uint32_t
rpcrt__extra_size(struct rpcrt_call *call)
{
    struct rpcrt__attempts *attempts = &call->attempts;
    char text[24];

    if (attempts->n == 1) {
        return attempts->extra_size;
    }
    attempts->extra_size = attempts->key_size;
    attempts->n_extra = attempts->key_size > 0;
    (void)snprintf(text, sizeof text, "%" PRIu32, attempts->n - 1);
    (void)add(call, RPCRT_PREVIOUS_ATTEMPTS, text);
    if ((call->method->flags & RPCRT_METHOD_ONCE) != 0) {
        /* How long a server must have remembered the key to know it. */
        uint64_t age_ns = rpcrt__now_ns() - call->started_ns;

        (void)snprintf(text, sizeof text, "%" PRIu64,
                       (age_ns + RPCRT__MS - 1) / RPCRT__MS);
        (void)add(call, RPCRT_FIRST_ATTEMPT, text);
    }
    return attempts->extra_size;
}
