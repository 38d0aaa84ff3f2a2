/*
 * The interceptors of a channel: see intercept.h.
 */
#include "client/call.h"
#include "client/endpoint.h"

/* Whether it has begun to connect, as it does for its first call. [locked] */
static bool
channel_used(const struct rpcrt_channel *channel)
{
    for (size_t i = 0; i < channel->n_endpoints; i++) {
        if (channel->endpoints[i]->started) {
            return true;
        }
    }
    return !rpcrt__list_empty(&channel->calls);
}

enum rpcrt_code
rpcrt_channel_add_interceptor(
    struct rpcrt_channel *channel,
    const struct rpcrt_client_interceptor *interceptor)
{
    struct rpcrt__client_chain *chain = &channel->chain;
    struct rpcrt__error error = {.code = RPCRT_OK};

    pthread_mutex_lock(&channel->lock);
    if (channel_used(channel)) {
        (void)rpcrt__error_set(&error, RPCRT_FAILED_PRECONDITION,
                               "%s: interceptors are added before the first "
                               "call",
                               channel->address);
    } else if (chain->n_items == RPCRT_INTERCEPTORS_MAX) {
        (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED,
                               "%s: more than %u interceptors",
                               channel->address, RPCRT_INTERCEPTORS_MAX);
    } else {
        chain->items[chain->n_items++] = *interceptor;
    }
    pthread_mutex_unlock(&channel->lock);
    return error.code == RPCRT_OK ? RPCRT_OK : rpcrt__last_error_set(&error);
}

enum rpcrt_code
rpcrt_call_refuse(struct rpcrt_call *call, enum rpcrt_code code,
                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)rpcrt__text_format(call->outcome.text, sizeof call->outcome.text,
                             format, args);
    va_end(args);
    return code;
}

void *
rpcrt_call_slot(struct rpcrt_call *call, const void *key, size_t size)
{
    return rpcrt__slots_get(&call->slots, &call->arena, key, size);
}

void
rpcrt__call_begin_chain(struct rpcrt_call *call)
{
    const struct rpcrt__client_chain *chain = &call->channel->chain;

    while (call->n_begun < chain->n_items) {
        const struct rpcrt_client_interceptor *item =
            &chain->items[call->n_begun];

        call->outcome.code =
            item->begin == NULL
                ? RPCRT_OK
                : item->begin(item->arg, call, call->method->path);
        if (call->outcome.code != RPCRT_OK) {
            return;
        }
        call->n_begun++;
    }
    call->outcome.text[0] = '\0';
}

void
rpcrt__call_end_chain(struct rpcrt_call *call)
{
    while (call->n_begun > 0) {
        const struct rpcrt_client_interceptor *item =
            &call->channel->chain.items[--call->n_begun];

        if (item->end != NULL) {
            item->end(item->arg, call, call->method->path);
        }
    }
}
