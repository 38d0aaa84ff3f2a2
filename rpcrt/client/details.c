/*
 * Reading the details of a call's outcome.
 */
#include "client/call.h"

#include "wire/details.h"
#include <string.h>

bool
rpcrt_call_error_info(const struct rpcrt_call *call,
                      struct rpcrt_error_info *ret_info)
{
    uint32_t code = 0;

    return call->details != NULL &&
           rpcrt__details_decode(call->details, call->details_size, &code,
                                 ret_info);
}

const char *
rpcrt_error_info_get(const struct rpcrt_error_info *info, const char *name)
{
    size_t i;

    for (i = 0; i < info->n_entries; i++) {
        if (strcmp(info->entries[i].name, name) == 0) {
            return info->entries[i].value;
        }
    }
    return NULL;
}

bool
rpcrt_call_retry_info(const struct rpcrt_call *call, uint64_t *ret_delay_ms)
{
    return call->details != NULL &&
           rpcrt__retry_info_decode(call->details, call->details_size,
                                    ret_delay_ms);
}

size_t
rpcrt_call_violations(const struct rpcrt_call *call,
                      struct rpcrt_violation *ret_items, size_t n_items)
{
    return call->details == NULL
               ? 0
               : rpcrt__violations_decode(call->details, call->details_size,
                                          ret_items, n_items);
}
