/*
 * A server with a chain of interceptors and overload control. See "Around every
 * call" in the README.
 */
#include "hello.server.h"
#include <rpcrt/reflection.h>
#include <rpcrt/rpcrt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static enum rpcrt_code
greet(void *self, struct rpcrt_ctx *ctx, const Hello__GreetRequest *request,
      Hello__GreetReply *reply)
{
    const char *user = rpcrt_ctx_identity(ctx); /* whom check() has found */

    (void)self;
    reply->text = rpcrt_ctx_alloc(ctx, 300);
    if (reply->text == NULL) {
        return rpcrt_ctx_no_memory(ctx);
    }
    snprintf(reply->text, 300, "%s brings %s", user, request->name);
    return RPCRT_OK;
}

static enum rpcrt_code
check(void *arg, struct rpcrt_ctx *ctx, const char *token, size_t size,
      const void **ret_identity)
{
    (void)arg;
    if (size != 6 || memcmp(token, "sesame", 6) != 0) {
        return rpcrt_ctx_fail(ctx, RPCRT_UNAUTHENTICATED, "unknown token");
    }
    *ret_identity = "Ali";
    return RPCRT_OK;
}

/* An interceptor of our own. */
static enum rpcrt_code
not_in_a_hurry(void *arg, struct rpcrt_ctx *ctx)
{
    int64_t left_ms = rpcrt_ctx_time_left_ms(ctx);

    (void)arg;
    if (left_ms >= 0 && left_ms < 10) {
        return rpcrt_ctx_fail(ctx, RPCRT_DEADLINE_EXCEEDED,
                              "that is too hasty");
    }
    return RPCRT_OK;
}

static void
log_line(void *arg, enum rpcrt_log_level level, const char *line)
{
    (void)arg, (void)level;
    fprintf(stderr, "%s\n", line);
}

static void
span_done(void *arg, const struct rpcrt_span *span)
{
    char id[RPCRT_TRACEPARENT_SIZE];

    (void)arg;
    rpcrt_trace_format(&span->trace, id);
    fprintf(stderr, "%s %s %d us\n", id, span->method, (int)span->duration_us);
}

static void
text_print(void *arg, const char *text, size_t size)
{
    (void)arg;
    fwrite(text, 1, size, stderr);
}

static bool
chain_add(struct rpcrt_server *server, struct rpcrt_metrics *metrics)
{
    static const char *const all[] = {"/grpc.reflection.v1.ServerReflection/",
                                      NULL};
    static struct rpcrt_logger logger = {.fn = log_line,
                                         .level = RPCRT_LOG_INFO};
    static struct rpcrt_tracer tracer = {.fn = span_done, .sample_one_in = 100};
    static struct rpcrt_auth auth = {.fn = check, .open = all};
    const struct rpcrt_server_interceptor chain[] = {
        rpcrt_logger_server(&logger),  /* first: it sees what others refuse */
        rpcrt_metrics_server(metrics), /* printed when the server ends */
        rpcrt_tracer_server(&tracer),  /* tells one of a hundred traces */
        rpcrt_auth_server(&auth),      /* all may ask for the interface */
        {.begin = not_in_a_hurry},
    };
    size_t i, n = sizeof(chain) / sizeof(chain[0]);

    for (i = 0; i < n; i++) {
        if (rpcrt_server_add_interceptor(server, &chain[i]) != RPCRT_OK) {
            return false;
        }
    }
    return true;
}

int
main(void)
{
    static const struct hello_service service = {.greet = greet};
    const struct rpcrt_server_options options = {
        .running_calls_max = 16, /* handlers at once */
        .queue_calls_max = 1000, /* calls that wait for their turn */
        .queue_target_ms = 20,   /* waiting that is fine */
    };
    struct rpcrt_metrics *metrics = NULL;
    struct rpcrt_server *server = NULL;
    int failed = 1;

    if (rpcrt_metrics_new(&metrics) != RPCRT_OK ||
        rpcrt_server_new(&options, &server) != RPCRT_OK ||
        !chain_add(server, metrics) ||
        hello_serve(server, &service, NULL) != RPCRT_OK ||
        rpcrt_reflection_serve(server) != RPCRT_OK ||
        rpcrt_server_listen(server, "ipc://door.socket", NULL) != RPCRT_OK) {
        fprintf(stderr, "doorman: %s\n", rpcrt_last_error());
    } else {
        failed = rpcrt_server_run(server);
        rpcrt_metrics_print(metrics, text_print, NULL);
    }
    rpcrt_server_free(server);
    rpcrt_metrics_free(metrics);
    return failed;
}
