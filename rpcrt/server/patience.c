/*
 * The judgement of patience.h.
 */
#include "server/patience.h"

void
rpcrt__patience_init(struct rpcrt__patience *patience, uint64_t target_ns,
                     uint64_t interval_ns)
{
    *patience = (struct rpcrt__patience){.target_ns = target_ns,
                                         .interval_ns = interval_ns};
}

bool
rpcrt__patience_is_over(struct rpcrt__patience *patience, uint64_t now_ns,
                        uint64_t waited_ns)
{
    if (patience->target_ns == 0) {
        return false;
    }
    if (now_ns >= patience->until_ns) {
        /* After a pause nothing is known of the last interval. */
        patience->is_short =
            now_ns < patience->until_ns + patience->interval_ns &&
            patience->least_ns > patience->target_ns;
        patience->until_ns = now_ns + patience->interval_ns;
        patience->least_ns = waited_ns;
    } else if (waited_ns < patience->least_ns) {
        patience->least_ns = waited_ns;
    }
    return patience->is_short && waited_ns > 2 * patience->target_ns;
}
