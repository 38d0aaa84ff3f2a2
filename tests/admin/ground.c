/*
 * A server with health and reflection: see ground.h.
 */
#include "tests/admin/ground.h"

#include "admin/zoo.server.h"
#include "petstore/v1/petstore.server.h"
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
post(void *arg)
{
    (void)sem_post(arg);
}

static enum rpcrt_code
wait_for_cancel(void *self, struct rpcrt_ctx *ctx,
                const Admin__Zoo__Keeper *request, Admin__Zoo__Keeper *reply)
{
    struct ground *ground = self;
    sem_t cancelled;

    (void)request;
    (void)reply;
    (void)sem_init(&cancelled, 0, 0);
    atomic_fetch_add(&ground->n_waiting, 1);
    rpcrt_ctx_on_cancel(ctx, post, &cancelled);
    while (sem_wait(&cancelled) != 0) {
    }
    rpcrt_ctx_on_cancel(ctx, NULL, NULL);
    atomic_fetch_sub(&ground->n_waiting, 1);
    (void)sem_destroy(&cancelled);
    return RPCRT_CANCELLED;
}

void
ground_open(struct ground *ground, const char *transport,
            const struct ground_options *options)
{
    static const struct admin_zoo_zoo_service zoo = {.wait = wait_for_cancel};
    static const struct petstore_service petstore;
    static const struct ground_options none;
    char address[64] = "tcp://127.0.0.1:0";

    if (options == NULL) {
        options = &none;
    }
    memset(ground, 0, sizeof *ground);
    if (strcmp(transport, "inproc") == 0) {
        (void)snprintf(address, sizeof address, "inproc://admin-%ld",
                       (long)getpid());
    }
    cr_assert_eq(rpcrt_server_new(&options->server, &ground->server), RPCRT_OK);
    cr_assert_eq(rpcrt_health_new(&ground->health), RPCRT_OK);
    cr_assert_eq(admin_zoo_zoo_serve(ground->server, &zoo, ground), RPCRT_OK);
    cr_assert_eq(petstore_serve(ground->server, &petstore, NULL), RPCRT_OK);
    cr_assert_eq(rpcrt_reflection_serve(ground->server), RPCRT_OK);
    if (!options->no_health) {
        cr_assert_eq(rpcrt_health_serve(ground->server, ground->health),
                     RPCRT_OK, "%s", rpcrt_last_error());
    }
    cr_assert_eq(rpcrt_server_listen(ground->server, address, NULL), RPCRT_OK,
                 "%s", rpcrt_last_error());
    cr_assert_eq(rpcrt_channel_new(rpcrt_server_address(ground->server, 0),
                                   &options->channel, &ground->channel),
                 RPCRT_OK, "%s", rpcrt_last_error());
}

void
ground_close(struct ground *ground)
{
    rpcrt_channel_free(ground->channel);
    rpcrt_server_free(ground->server);
    rpcrt_health_free(ground->health);
}
