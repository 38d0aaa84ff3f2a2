/*
 * Messages: nng's own under another name, so that nothing is copied on the way
 * down or up.
 */
#include "transport/nng/link_nng.h"

struct rpcrt__msg *
rpcrt__msg_from_nng(nng_msg *msg)
{
    return (struct rpcrt__msg *)(void *)msg;
}

nng_msg *
rpcrt__msg_to_nng(struct rpcrt__msg *msg)
{
    return (nng_msg *)(void *)msg;
}

nng_msg *
rpcrt__aio_take_msg(nng_aio *aio)
{
    nng_msg *msg = nng_aio_get_msg(aio);
    nng_aio_set_msg(aio, NULL);
    return msg;
}

struct rpcrt__msg *
rpcrt__msg_new(size_t size)
{
    nng_msg *msg;
    if (nng_msg_alloc(&msg, size) != 0) {
        return NULL;
    }
    return rpcrt__msg_from_nng(msg);
}

void
rpcrt__msg_free(struct rpcrt__msg *msg)
{
    if (msg != NULL) {
        nng_msg_free(rpcrt__msg_to_nng(msg));
    }
}

uint8_t *
rpcrt__msg_body(struct rpcrt__msg *msg)
{
    return nng_msg_body(rpcrt__msg_to_nng(msg));
}

size_t
rpcrt__msg_size(const struct rpcrt__msg *msg)
{
    return nng_msg_len((const nng_msg *)(const void *)msg);
}

void
rpcrt__msg_trim(struct rpcrt__msg *msg, size_t size)
{
    size_t now = rpcrt__msg_size(msg);
    if (size < now) {
        (void)nng_msg_chop(rpcrt__msg_to_nng(msg), now - size);
    }
}
