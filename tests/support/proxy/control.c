/*
 * See control.h. Between the messages and the proxy's own structures.
 */
#include "support/proxy/control.h"

#include "support/proxy.server.h"

/* -- from messages --------------------------------------------------------- */

static void
way_read(const Proxy__V1__WayFaults *from, struct proxy_faults *ret_faults)
{
    if (from == NULL) {
        *ret_faults = (struct proxy_faults){0};
        return;
    }
    *ret_faults = (struct proxy_faults){
        .latency_ms = from->latency_ms,
        .jitter_ms = from->jitter_ms,
        .bytes_per_s = from->bytes_per_s,
        .blackhole = from->blackhole != 0,
        .slice_bytes = from->slice_bytes,
        .drop = from->drop,
        .duplicate = from->duplicate,
        .reorder = from->reorder,
        .corrupt = from->corrupt,
        .corrupt_within = from->corrupt_within,
        .spare_messages = from->spare_messages,
        .harm_max = from->harm_max,
        .close_after_bytes = from->close_after_bytes,
        .close_after_messages = from->close_after_messages,
        .close_by_reset = from->close_by_reset != 0,
    };
}

/* -- to messages ----------------------------------------------------------- */

static Proxy__V1__WayFaults *
way_write(struct rpcrt_ctx *ctx, const struct proxy_faults *faults)
{
    Proxy__V1__WayFaults *to = rpcrt_ctx_alloc(ctx, sizeof(*to));

    if (to == NULL) {
        return NULL;
    }
    proxy__v1__way_faults__init(to);
    to->latency_ms = faults->latency_ms;
    to->jitter_ms = faults->jitter_ms;
    to->bytes_per_s = faults->bytes_per_s;
    to->blackhole = faults->blackhole != 0;
    to->slice_bytes = faults->slice_bytes;
    to->drop = faults->drop;
    to->duplicate = faults->duplicate;
    to->reorder = faults->reorder;
    to->corrupt = faults->corrupt;
    to->corrupt_within = faults->corrupt_within;
    to->spare_messages = faults->spare_messages;
    to->harm_max = faults->harm_max;
    to->close_after_bytes = faults->close_after_bytes;
    to->close_after_messages = faults->close_after_messages;
    to->close_by_reset = faults->close_by_reset != 0;
    return to;
}

static Proxy__V1__WayStats *
counts_write(struct rpcrt_ctx *ctx, const struct proxy_counts *counts)
{
    Proxy__V1__WayStats *to = rpcrt_ctx_alloc(ctx, sizeof(*to));

    if (to == NULL) {
        return NULL;
    }
    proxy__v1__way_stats__init(to);
    to->bytes_taken = counts->bytes_taken;
    to->bytes_written = counts->bytes_written;
    to->messages = counts->messages;
    to->dropped = counts->dropped;
    to->duplicated = counts->duplicated;
    to->reordered = counts->reordered;
    to->corrupted = counts->corrupted;
    to->plain = counts->plain;
    to->cut = counts->cut;
    return to;
}

/* -- handlers -------------------------------------------------------------- */

static enum rpcrt_code
set_faults(void *self, struct rpcrt_ctx *ctx,
           const Proxy__V1__SetFaultsRequest *request,
           Proxy__V1__SetFaultsReply *reply)
{
    const Proxy__V1__Faults *faults = request->faults;
    struct proxy_plan plan = {.half_open = faults != NULL && faults->half_open};
    struct common_error error;
    enum rpcrt_code code;

    (void)reply;
    way_read(faults == NULL ? NULL : faults->up, &plan.faults[PROXY_UP]);
    way_read(faults == NULL ? NULL : faults->down, &plan.faults[PROXY_DOWN]);
    code = proxy_set_plan(self, &plan, &error);
    return code == RPCRT_OK ? RPCRT_OK
                            : rpcrt_ctx_fail(ctx, code, "%s", error.text);
}

static enum rpcrt_code
get_faults(void *self, struct rpcrt_ctx *ctx,
           const Proxy__V1__GetFaultsRequest *request,
           Proxy__V1__GetFaultsReply *reply)
{
    Proxy__V1__Faults *faults = rpcrt_ctx_alloc(ctx, sizeof(*faults));
    struct proxy_plan plan;

    (void)request;
    if (faults == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    proxy_get_plan(self, &plan);
    proxy__v1__faults__init(faults);
    faults->half_open = plan.half_open;
    faults->up = way_write(ctx, &plan.faults[PROXY_UP]);
    faults->down = way_write(ctx, &plan.faults[PROXY_DOWN]);
    reply->faults = faults;
    return faults->up == NULL || faults->down == NULL ? rpcrt_ctx_no_memory(ctx)
                                                      : RPCRT_OK;
}

static enum rpcrt_code
get_stats(void *self, struct rpcrt_ctx *ctx,
          const Proxy__V1__GetStatsRequest *request,
          Proxy__V1__GetStatsReply *reply)
{
    struct proxy_stats stats;

    (void)request;
    proxy_get_stats(self, &stats);
    reply->connections = stats.connections;
    reply->unreachable = stats.unreachable;
    reply->reset = stats.reset;
    reply->open = stats.open;
    reply->up = counts_write(ctx, &stats.ways[PROXY_UP]);
    reply->down = counts_write(ctx, &stats.ways[PROXY_DOWN]);
    return reply->up == NULL || reply->down == NULL ? rpcrt_ctx_no_memory(ctx)
                                                    : RPCRT_OK;
}

static enum rpcrt_code
reset(void *self, struct rpcrt_ctx *ctx, const Proxy__V1__ResetRequest *request,
      Proxy__V1__ResetReply *reply)
{
    (void)ctx;
    reply->connections = proxy_reset(self, request->gently != 0);
    return RPCRT_OK;
}

enum rpcrt_code
proxy_control_offer(struct rpcrt_server *server, struct proxy *proxy)
{
    static const struct proxy_control_service service = {
        .set_faults = set_faults,
        .get_faults = get_faults,
        .get_stats = get_stats,
        .reset = reset,
    };

    return proxy_control_serve(server, &service, proxy);
}
