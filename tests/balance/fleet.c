/*
 * See fleet.h.
 */
#include "balance/fleet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* -- the service ----------------------------------------------------------- */

static enum rpcrt_code
count(void *self, struct rpcrt_ctx *ctx, const Probe__V1__EchoRequest *request,
      Probe__V1__CountReply *reply)
{
    struct ship *ship = self;

    (void)request;
    reply->count = atomic_fetch_add(&ship->n_calls, 1) + 1;
    return atomic_load(&ship->failing)
               ? rpcrt_ctx_fail(ctx, RPCRT_UNAVAILABLE, "out of order")
               : RPCRT_OK;
}

static enum rpcrt_code
hang(void *self, struct rpcrt_ctx *ctx, const Probe__V1__EchoRequest *request,
     Probe__V1__EchoReply *reply)
{
    struct ship *ship = self;

    (void)request;
    (void)reply;
    atomic_fetch_add(&ship->n_hanging, 1);
    while (!rpcrt_ctx_cancelled(ctx)) {
        (void)poll(NULL, 0, 1);
    }
    atomic_fetch_sub(&ship->n_hanging, 1);
    return RPCRT_CANCELLED;
}

static enum rpcrt_code
wait(void *self, struct rpcrt_ctx *ctx, const Probe__V1__WaitRequest *request,
     Probe__V1__EchoReply *reply)
{
    struct ship *ship = self;

    (void)ctx;
    (void)reply;
    atomic_fetch_add(&ship->n_hanging, 1);
    (void)poll(NULL, 0, (int)request->ms);
    atomic_fetch_sub(&ship->n_hanging, 1);
    return RPCRT_OK;
}

/* One message for each that comes, until no more come. */
static enum rpcrt_code
chat(void *self, struct rpcrt_ctx *ctx)
{
    struct ship *ship = self;
    Probe__V1__EchoReply reply = PROBE__V1__ECHO_REPLY__INIT;
    const Probe__V1__Step *step = NULL;
    enum rpcrt_code code;

    atomic_fetch_add(&ship->n_hanging, 1);
    while ((code = probe_chat_receive(ctx, &step)) == RPCRT_OK &&
           step != NULL) {
        code = probe_chat_reply(ctx, &reply);
        if (code != RPCRT_OK) {
            break;
        }
    }
    atomic_fetch_sub(&ship->n_hanging, 1);
    return code;
}

static const struct probe_service service = {
    .wait = wait, .hang = hang, .count = count, .chat = chat};

/* -- servers --------------------------------------------------------------- */

void
fleet_raise(struct fleet *fleet, unsigned number)
{
    struct ship *ship = &fleet->ships[number];

    cr_assert_eq(rpcrt_server_new(&fleet->server_options, &ship->server),
                 RPCRT_OK);
    cr_assert_eq(probe_serve(ship->server, &service, ship), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(ship->server, ship->address, NULL),
                 RPCRT_OK, "%s", rpcrt_last_error());
    (void)snprintf(ship->address, sizeof ship->address, "%s",
                   rpcrt_server_address(ship->server, 0));
}

void
fleet_sink(struct fleet *fleet, unsigned number)
{
    rpcrt_server_free(fleet->ships[number].server);
    fleet->ships[number].server = NULL;
}

void
fleet_open(struct fleet *fleet, unsigned n,
           const struct rpcrt_server_options *server_options)
{
    memset(fleet, 0, sizeof *fleet);
    if (server_options != NULL) {
        fleet->server_options = *server_options;
    }
    fleet->n = n;
    for (unsigned i = 0; i < n; i++) {
        size_t used = strlen(fleet->list);

        (void)snprintf(fleet->ships[i].address, RPCRT_ADDRESS_SIZE,
                       "tcp://127.0.0.1:0");
        fleet_raise(fleet, i);
        (void)snprintf(fleet->list + used, sizeof fleet->list - used, "%s%s",
                       i == 0 ? "" : ",",
                       fleet->ships[i].address + (i == 0 ? 0 : 6));
    }
}

void
fleet_dial(struct fleet *fleet, const char *address,
           const struct rpcrt_channel_options *options)
{
    cr_assert_eq(rpcrt_channel_new(address, options, &fleet->channel), RPCRT_OK,
                 "%s", rpcrt_last_error());
    fleet->call = bed_call(fleet->channel, BED_TIMEOUT_MS);
}

void
fleet_close(struct fleet *fleet)
{
    rpcrt_call_free(fleet->call);
    rpcrt_channel_free(fleet->channel);
    for (unsigned i = 0; i < fleet->n; i++) {
        rpcrt_server_free(fleet->ships[i].server);
    }
}

/* -- calls ----------------------------------------------------------------- */

unsigned
fleet_count(struct fleet *fleet, unsigned n)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;
    unsigned n_ok = 0;

    for (unsigned i = 0; i < n; i++) {
        n_ok += probe_count(fleet->call, &request, &reply) == RPCRT_OK;
    }
    return n_ok;
}

unsigned
fleet_calls(struct fleet *fleet, unsigned ship)
{
    return atomic_exchange(&fleet->ships[ship].n_calls, 0);
}

struct rpcrt_call *
fleet_hang(struct fleet *fleet, atomic_uint *n_done)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct rpcrt_call *call = bed_call(fleet->channel, BED_TIMEOUT_MS);

    probe_hang_start(call, &request, bed_done, n_done);
    return call;
}

bool
fleet_chat(struct rpcrt_call *call)
{
    Probe__V1__Step step = PROBE__V1__STEP__INIT;
    const Probe__V1__EchoReply *reply;

    return probe_chat_send(call, &step) && probe_chat_next(call, &reply);
}

/* -- what the channel says ------------------------------------------------- */

struct rpcrt_endpoint_stats
fleet_stats(struct fleet *fleet, const char *address)
{
    struct rpcrt_endpoint_stats stats[2 * FLEET_MAX];
    struct rpcrt_channel_stats all;
    size_t n =
        rpcrt_channel_get_stats(fleet->channel, &all, stats, 2 * FLEET_MAX);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(stats[i].address, address) == 0) {
            return stats[i];
        }
    }
    cr_assert_fail("%s is no address of the channel", address);
    return stats[0];
}

static unsigned
count_states(struct fleet *fleet, enum rpcrt_endpoint_state state)
{
    struct rpcrt_endpoint_stats stats[2 * FLEET_MAX];
    struct rpcrt_channel_stats all;
    size_t n =
        rpcrt_channel_get_stats(fleet->channel, &all, stats, 2 * FLEET_MAX);
    unsigned found = 0;

    for (size_t i = 0; i < n; i++) {
        found += stats[i].state == state;
    }
    return found;
}

void
fleet_await(struct fleet *fleet, unsigned n, enum rpcrt_endpoint_state state,
            bool calling)
{
    int64_t until_ms = now_ms() + BED_TIMEOUT_MS;

    while (count_states(fleet, state) != n) {
        cr_assert_lt(now_ms(), until_ms, "%u endpoints instead of %u",
                     count_states(fleet, state), n);
        if (calling) {
            (void)fleet_count(fleet, 1);
        }
        (void)poll(NULL, 0, 1);
    }
}

/* -- dead addresses -------------------------------------------------------- */

static int
listen_anywhere(char ret_address[64])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    cr_assert(fd >= 0);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(fd, 16), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    (void)snprintf(ret_address, 64, "tcp://127.0.0.1:%u",
                   ntohs(address.sin_port));
    return fd;
}

void
silence_open(struct silence *silence)
{
    silence->fd = listen_anywhere(silence->address);
}

void
silence_close(struct silence *silence)
{
    (void)close(silence->fd);
}

void
nobody(char ret_address[64])
{
    (void)close(listen_anywhere(ret_address));
}

int64_t
now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
