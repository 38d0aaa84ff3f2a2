/*
 * Callbacks of the transport that are delayed at random, on some of its threads
 * and not on others: messages arrive in any order, and calls do not notice.
 */
#include "protocol/peer.h"

#include <nng/nng.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Fewer than nng has threads for callbacks, so that some are always free. */
#define N_SLEEPERS 3u
#define N_CALLERS 6u

/* Keeps one of nng's threads from its work, again and again. */
struct sleeper {
    nng_aio *aio;
    uint32_t random;
    unsigned n_naps;
    atomic_bool ending;
};

static void
sleep_a_little(void *arg)
{
    struct sleeper *sleeper = arg;
    uint32_t us;

    sleeper->random = sleeper->random * 1664525u + 1013904223u;
    us = (sleeper->random >> 8) % 5000;
    /* Once a long time. */
    if (++sleeper->n_naps == 50) {
        us = 1000000;
    }
    (void)nanosleep(&(struct timespec){.tv_sec = us / 1000000,
                                       .tv_nsec = us % 1000000 * 1000},
                    NULL);
    if (!atomic_load(&sleeper->ending)) {
        nng_sleep_aio(0, sleeper->aio);
    }
}

static void
sleepers_start(struct sleeper *sleepers)
{
    for (unsigned i = 0; i < N_SLEEPERS; i++) {
        sleepers[i].random = i + 1;
        sleepers[i].n_naps = 15 * i;
        atomic_init(&sleepers[i].ending, false);
        cr_assert_eq(
            nng_aio_alloc(&sleepers[i].aio, sleep_a_little, &sleepers[i]), 0);
        nng_sleep_aio(0, sleepers[i].aio);
    }
}

static void
sleepers_end(struct sleeper *sleepers)
{
    for (unsigned i = 0; i < N_SLEEPERS; i++) {
        atomic_store(&sleepers[i].ending, true);
    }
    for (unsigned i = 0; i < N_SLEEPERS; i++) {
        nng_aio_wait(sleepers[i].aio);
        nng_aio_free(sleepers[i].aio);
    }
}

/* Echoes of many sizes, each looked at byte by byte. */
struct caller {
    struct rpcrt_channel *channel;
    unsigned number;
    unsigned n_good;
    char message[RPCRT_TEXT_SIZE]; /* of the first that went wrong */
    pthread_t thread;
};

static bool
is_same(const Probe__V1__EchoReply *reply, const uint8_t *payload, size_t size)
{
    return reply->payload.len == size &&
           (size == 0 || memcmp(reply->payload.data, payload, size) == 0);
}

static void *
caller_main(void *arg)
{
    static const size_t sizes[] = {0, 20, 300000, 1000, 70000, 3, 1500000, 100};
    struct caller *caller = arg;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    uint8_t *payload = malloc(1500000);
    struct rpcrt_call *call;

    if (payload == NULL ||
        rpcrt_call_new(caller->channel, 60000, &call) != RPCRT_OK) {
        free(payload);
        return NULL;
    }
    for (size_t i = 0; i < 1500000; i++) {
        payload[i] = (uint8_t)(i * 7 + i / 250 + caller->number);
    }
    request.payload.data = payload;
    for (unsigned i = 0; i < 24; i++) {
        request.payload.len = sizes[(i + caller->number) % 8];
        if (probe_echo(call, &request, &reply) != RPCRT_OK ||
            !is_same(reply, payload, request.payload.len)) {
            (void)snprintf(caller->message, sizeof caller->message, "%s",
                           rpcrt_call_message(call));
            break;
        }
        caller->n_good++;
    }
    rpcrt_call_free(call);
    free(payload);
    return NULL;
}

static void
call_in_disorder(const char *transport, uint32_t contexts)
{
    const struct rpcrt_channel_options options = {.contexts = contexts};
    struct sleeper sleepers[N_SLEEPERS];
    struct caller callers[N_CALLERS];
    struct rpcrt_server_stats stats;
    struct bed bed;

    bed_open(&bed, transport, NULL, &options);
    memset(callers, 0, sizeof callers);
    memset(sleepers, 0, sizeof sleepers);
    sleepers_start(sleepers);
    for (unsigned i = 0; i < N_CALLERS; i++) {
        callers[i].channel = bed.channel;
        callers[i].number = i;
        cr_assert_eq(
            pthread_create(&callers[i].thread, NULL, caller_main, &callers[i]),
            0);
    }
    for (unsigned i = 0; i < N_CALLERS; i++) {
        (void)pthread_join(callers[i].thread, NULL);
        cr_assert_eq(callers[i].n_good, 24u, "%s", callers[i].message);
    }
    sleepers_end(sleepers);
    rpcrt_server_get_stats(bed.server, &stats);
    cr_assert_eq(stats.sessions_cut, 0u);
    cr_assert_eq(stats.sessions_opened, 1u);
    bed_close(&bed);
}

EACH_TRANSPORT(disorder, of_callbacks_is_not_seen_by_calls, 60)
{
    call_in_disorder(transport, 2);
    call_in_disorder(transport, 16);
}
