/*
 * What a handler sees of the call that it serves.
 */
#include "server/session.h"

#include <ctype.h>
#include <inttypes.h>
#include <rpcrt/retry.h>
#include <stdio.h>
#include <string.h>

void *
rpcrt_ctx_alloc(struct rpcrt_ctx *ctx, size_t size)
{
    void *block = rpcrt__arena_alloc(&ctx->arena, size);

    if (block != NULL) {
        memset(block, 0, size);
    }
    return block;
}

void *
rpcrt_ctx_copy(struct rpcrt_ctx *ctx, const void *data, size_t size)
{
    return rpcrt__arena_copy(&ctx->arena, data, size);
}

enum rpcrt_code
rpcrt_ctx_fail(struct rpcrt_ctx *ctx, enum rpcrt_code code, const char *format,
               ...)
{
    va_list args;

    va_start(args, format);
    (void)rpcrt__text_format(ctx->outcome.text, sizeof ctx->outcome.text,
                             format, args);
    va_end(args);
    /* Those of another failure. */
    ctx->details = NULL;
    ctx->details_size = 0;
    ctx->origin = RPCRT_ORIGIN_HANDLER;
    ctx->outcome.code = code; /* for who adds details */
    return code;
}

enum rpcrt_code
rpcrt_ctx_no_memory(struct rpcrt_ctx *ctx)
{
    return rpcrt_ctx_fail(ctx, RPCRT_RESOURCE_EXHAUSTED,
                          "%s: the call's memory of %zu bytes is used up",
                          ctx->served->method->path, ctx->arena.size_max);
}

enum rpcrt_code
rpcrt_ctx_unimplemented(struct rpcrt_ctx *ctx)
{
    ctx->refused = true;
    (void)rpcrt_ctx_fail(ctx, RPCRT_UNIMPLEMENTED, "%s is not implemented",
                         ctx->served->method->path);
    ctx->origin = RPCRT_ORIGIN_RUNTIME;
    return RPCRT_UNIMPLEMENTED;
}

enum rpcrt_code
rpcrt_ctx_set_details(struct rpcrt_ctx *ctx, const void *details, size_t size)
{
    if (size > RPCRT_DETAILS_SIZE_MAX) {
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    ctx->details = rpcrt__arena_copy(&ctx->arena, details, size);
    ctx->details_size = ctx->details == NULL ? 0 : size;
    return ctx->details == NULL ? RPCRT_RESOURCE_EXHAUSTED : RPCRT_OK;
}

const char *
rpcrt_ctx_metadata(const struct rpcrt_ctx *ctx, const char *key,
                   size_t *ret_size)
{
    return rpcrt__metadata_get(&ctx->metadata, key, ret_size);
}

void
rpcrt_ctx_each_metadata(const struct rpcrt_ctx *ctx,
                        void (*fn)(void *arg, const char *key,
                                   const char *value, size_t size),
                        void *arg)
{
    for (size_t i = 0; i < ctx->metadata.n_entries; i++) {
        const struct rpcrt__metadata_entry *entry = &ctx->metadata.entries[i];

        fn(arg, entry->key, entry->value, entry->value_size);
    }
}

/* -- headers and trailers -------------------------------------------------- */

enum rpcrt_code
rpcrt_ctx_set_header(struct rpcrt_ctx *ctx, const char *key, const void *value,
                     size_t size)
{
    struct rpcrt__error error;
    enum rpcrt_code code;

    pthread_mutex_lock(&ctx->session->lock);
    if (ctx->headers_state == RPCRT__HEADERS_OPEN) {
        code = rpcrt__metadata_set(&ctx->headers, key, value, size, &error);
    } else {
        code = rpcrt__error_set(&error, RPCRT_FAILED_PRECONDITION,
                                "header %s: the headers have been sent", key);
    }
    pthread_mutex_unlock(&ctx->session->lock);
    return code == RPCRT_OK ? code : rpcrt__last_error_set(&error);
}

void
rpcrt__ctx_close_headers(struct rpcrt_ctx *ctx)
{
    if (ctx->headers_state == RPCRT__HEADERS_OPEN) {
        ctx->headers_state = ctx->headers.n_entries > 0 ? RPCRT__HEADERS_DUE
                                                        : RPCRT__HEADERS_DONE;
    }
}

/* Also when there are none: the client may wait for them. */
enum rpcrt_code
rpcrt_ctx_send_headers(struct rpcrt_ctx *ctx)
{
    struct rpcrt__session *session = ctx->session;
    struct rpcrt__ctx_notices notices;

    rpcrt__ctx_notices_init(&notices);
    pthread_mutex_lock(&session->lock);
    if (ctx->headers_state == RPCRT__HEADERS_OPEN && !ctx->released) {
        ctx->headers_state = RPCRT__HEADERS_DUE;
        rpcrt__session_refresh(ctx);
        rpcrt__session_pump(session, &notices);
    }
    pthread_mutex_unlock(&session->lock);
    rpcrt__ctx_notices_run(&notices);
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt_ctx_set_metadata(struct rpcrt_ctx *ctx, const char *key,
                       const void *value, size_t size)
{
    struct rpcrt__error error;
    enum rpcrt_code code =
        rpcrt__metadata_set(&ctx->reply_metadata, key, value, size, &error);

    return code == RPCRT_OK ? code : rpcrt__last_error_set(&error);
}

enum rpcrt_code
rpcrt_ctx_push_back(struct rpcrt_ctx *ctx, int32_t ms)
{
    char text[16];
    int size = snprintf(text, sizeof text, "%" PRId32, ms);

    return rpcrt_ctx_set_metadata(ctx, RPCRT_RETRY_PUSHBACK, text,
                                  (size_t)size);
}

/* -- cancellation and time ------------------------------------------------- */

bool
rpcrt_ctx_cancelled(const struct rpcrt_ctx *ctx)
{
    return atomic_load(&ctx->parent.cancelled);
}

void
rpcrt_ctx_on_cancel(struct rpcrt_ctx *ctx, rpcrt_cancel_fn *fn, void *arg)
{
    struct rpcrt__session *session = ctx->session;
    bool at_once = false;

    pthread_mutex_lock(&session->lock);
    rpcrt__notice_await(session, &ctx->on_cancel);
    ctx->on_cancel.fn = fn;
    ctx->on_cancel.arg = arg;
    /* A notice that is pending will find it. */
    at_once = fn != NULL && rpcrt_ctx_cancelled(ctx) &&
              ctx->on_cancel.state == RPCRT__NOTICE_NONE;
    pthread_mutex_unlock(&session->lock);
    if (at_once) {
        fn(arg);
    }
}

int64_t
rpcrt_ctx_time_left_ms(const struct rpcrt_ctx *ctx)
{
    uint64_t deadline_ns = ctx->parent.deadline_ns;
    uint64_t now_ns = rpcrt__now_ns();

    if (deadline_ns == RPCRT__NEVER) {
        return -1;
    }
    return deadline_ns > now_ns ? (int64_t)((deadline_ns - now_ns) / RPCRT__MS)
                                : 0;
}

/* -- where it comes from --------------------------------------------------- */

const char *
rpcrt_ctx_method(const struct rpcrt_ctx *ctx)
{
    return ctx->served->method->path;
}

const char *
rpcrt_ctx_peer(const struct rpcrt_ctx *ctx)
{
    return ctx->session->address;
}

const char *
rpcrt_ctx_peer_name(const struct rpcrt_ctx *ctx)
{
    return ctx->session->peer_name;
}

/* Made when it is first asked for: most calls never need it. */
const char *
rpcrt_ctx_call_id(struct rpcrt_ctx *ctx)
{
    const char *sent = rpcrt__metadata_get(&ctx->metadata, "call-id", NULL);

    /* A handler may ask on several threads. */
    pthread_mutex_lock(&ctx->session->lock);
    if (ctx->parent.call_id != NULL) {
        pthread_mutex_unlock(&ctx->session->lock);
        return ctx->parent.call_id;
    }
    if (sent != NULL && *sent != '\0' && strlen(sent) < sizeof ctx->call_id) {
        (void)snprintf(ctx->call_id, sizeof ctx->call_id, "%s", sent);
        for (char *c = ctx->call_id; *c != '\0'; c++) {
            if (!isalnum((unsigned char)*c) && strchr("-_.:", *c) == NULL) {
                *c = '_';
            }
        }
    } else {
        (void)snprintf(ctx->call_id, sizeof ctx->call_id, "%016" PRIx64,
                       rpcrt__random());
    }
    ctx->parent.call_id = ctx->call_id;
    pthread_mutex_unlock(&ctx->session->lock);
    return ctx->call_id;
}

struct rpcrt__parent *
rpcrt__ctx_parent(struct rpcrt_ctx *ctx)
{
    (void)rpcrt_ctx_call_id(ctx);
    return &ctx->parent;
}
