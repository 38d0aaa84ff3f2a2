/*
 * rpcproxy as a process: its flags, its controls over RPC, TLS through it, and
 * that a seed says what happens.
 */
#include "proxy/passage.h"

#include "support/daemon.h"
#include "support/proxy.client.h"
#include "transport/raw.h"
#include <signal.h>

/* -- the program ----------------------------------------------------------- */

struct program {
    struct daemon daemon;
    char folder[64];
    char control[128]; /* its address */
    struct rpcrt_channel *channel;
    struct rpcrt_call *call; /* to the controls */
};

static void
program_open(struct program *program, const char *target, const char *seed,
             const char *both)
{
    const char *arguments[] = {"--listen",  "tcp://127.0.0.1:0",
                               "--target",  target,
                               "--control", program->control,
                               "--seed",    seed,
                               "--both",    both,
                               NULL};

    daemon_folder_make(program->folder);
    (void)snprintf(program->control, sizeof(program->control),
                   "ipc://%s/control", program->folder);
    cr_assert(daemon_start(&program->daemon, "RPCPROXY", arguments, NULL));
    cr_assert_eq(rpcrt_channel_new(program->control, NULL, &program->channel),
                 RPCRT_OK);
    program->call = bed_call(program->channel, BED_TIMEOUT_MS);
    rpcrt_call_set_wait_for_ready(program->call, true);
}

static void
program_close(struct program *program)
{
    rpcrt_call_free(program->call);
    rpcrt_channel_free(program->channel);
    cr_assert_eq(daemon_end(&program->daemon, SIGTERM), 0);
    daemon_folder_remove(program->folder);
}

static const Proxy__V1__GetStatsReply *
program_stats(struct program *program)
{
    Proxy__V1__GetStatsRequest request = PROXY__V1__GET_STATS_REQUEST__INIT;
    const Proxy__V1__GetStatsReply *reply;

    expect_ok(program->call,
              proxy_control_get_stats(program->call, &request, &reply));
    return reply;
}

Test(proxy_program, refuses_what_it_can_not_do, .timeout = 60)
{
    static const char *const lines[][8] = {
        {"--listen", "tcp://127.0.0.1:0", NULL},
        {"--listen", "tcp://127.0.0.1:0", "--target", "ipc:///x", NULL},
        {"--listen", "tcp://127.0.0.1:0", "--target", "tcp://127.0.0.1:1",
         "--up", "dorp=1", NULL},
        {"--listen", "tcp://127.0.0.1:0", "--target", "tcp://127.0.0.1:1",
         "--both", "drop=900,corrupt=900", NULL},
    };
    static const char *const words[] = {"--target", "ipc:///x", "dorp=1",
                                        "corrupt"};
    struct daemon_result result;

    for (unsigned i = 0; i < 4; i++) {
        daemon_run("RPCPROXY", lines[i], NULL, &result);
        cr_assert_eq(result.exit_code, 2, "%s", result.err);
        cr_assert_not_null(strstr(result.err, words[i]), "%s", result.err);
    }
}

Test(proxy_program, help_names_every_fault, .timeout = 60)
{
    static const char *const help[] = {"--help", NULL};
    const struct proxy_fault_name *name;
    struct daemon_result result;

    daemon_run("RPCPROXY", help, NULL, &result);
    cr_assert_eq(result.exit_code, 0);
    for (name = proxy_fault_names; name->name != NULL; name++) {
        cr_assert_not_null(strstr(result.out, name->name), "%s", name->name);
    }
}

/* -- controls -------------------------------------------------------------- */

/* A number for each field of both directions, all different; a switch is 1. */
static void
faults_fill(Proxy__V1__WayFaults *faults, uint64_t base)
{
    proxy__v1__way_faults__init(faults);
    faults->latency_ms = base + 1;
    faults->jitter_ms = base + 2;
    faults->bytes_per_s = base + 3;
    faults->blackhole = 1;
    faults->slice_bytes = base + 4;
    faults->drop = base + 5;
    faults->duplicate = base + 6;
    faults->reorder = base + 7;
    faults->corrupt = base + 8;
    faults->corrupt_within = base + 9;
    faults->spare_messages = base + 10;
    faults->harm_max = base + 11;
    faults->close_after_bytes = base + 12;
    faults->close_after_messages = base + 13;
    faults->close_by_reset = 1;
}

Test(proxy_program, its_controls_keep_every_field, .timeout = 60)
{
    Proxy__V1__SetFaultsRequest set = PROXY__V1__SET_FAULTS_REQUEST__INIT;
    Proxy__V1__GetFaultsRequest get = PROXY__V1__GET_FAULTS_REQUEST__INIT;
    Proxy__V1__Faults faults = PROXY__V1__FAULTS__INIT;
    Proxy__V1__WayFaults up;
    Proxy__V1__WayFaults down;
    const Proxy__V1__SetFaultsReply *done;
    const Proxy__V1__GetFaultsReply *reply;
    uint8_t sent[512];
    uint8_t got[512];
    struct program program;
    size_t size;

    program_open(&program, "tcp://127.0.0.1:1", "0", "latency-ms=4");
    expect_ok(program.call,
              proxy_control_get_faults(program.call, &get, &reply));
    cr_assert_eq(reply->faults->up->latency_ms, 4);
    cr_assert_eq(reply->faults->down->latency_ms, 4);

    faults_fill(&up, 20);
    faults_fill(&down, 100);
    faults.up = &up;
    faults.down = &down;
    faults.half_open = 1;
    set.faults = &faults;
    expect_ok(program.call,
              proxy_control_set_faults(program.call, &set, &done));
    expect_ok(program.call,
              proxy_control_get_faults(program.call, &get, &reply));
    size = proxy__v1__faults__pack(&faults, sent);
    cr_assert_eq(proxy__v1__faults__get_packed_size(reply->faults), size);
    (void)proxy__v1__faults__pack(reply->faults, got);
    cr_assert_eq(memcmp(sent, got, size), 0);

    down.drop = 1001;
    expect_code(program.call, RPCRT_INVALID_ARGUMENT,
                proxy_control_set_faults(program.call, &set, &done));
    cr_assert_not_null(strstr(rpcrt_call_message(program.call), "drop"));
    program_close(&program);
}

Test(proxy_program, passes_tls_as_bytes, .timeout = 60)
{
    Proxy__V1__ResetRequest request = PROXY__V1__RESET_REQUEST__INIT;
    const Proxy__V1__ResetReply *reply;
    struct rpcrt_tls server_tls;
    struct rpcrt_tls client_tls;
    struct rpcrt_channel_options options = {.tls = &client_tls};
    struct bed bed;
    char address[DAEMON_ADDRESS_SIZE + 8];
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    struct program program;

    bed_open(&bed, "tls", NULL, NULL);
    bed_tls(&server_tls, &client_tls);
    program_open(&program, bed.address + strlen("tls+"), "0",
                 "drop=1000,latency-ms=5,slice-bytes=100");
    (void)snprintf(address, sizeof(address), "tls+%s", program.daemon.address);
    cr_assert_eq(rpcrt_channel_new(address, &options, &channel), RPCRT_OK);
    call = bed_call(channel, BED_TIMEOUT_MS);
    bed_echo(call, 50000);
    cr_assert_eq(program_stats(&program)->up->plain, 1);
    cr_assert_eq(program_stats(&program)->down->plain, 1);
    cr_assert_eq(program_stats(&program)->up->messages, 0);
    cr_assert_gt(program_stats(&program)->up->bytes_written, 50000);
    expect_ok(program.call,
              proxy_control_reset(program.call, &request, &reply));
    cr_assert_eq(reply->connections, 1);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
    bed_close(&bed);
    program_close(&program);
}

/* -- the seed -------------------------------------------------------------- */

#define ROUNDS 500u

/* Send numbered messages through the proxy to a listener of our own, and keep
 * what comes out. */
static size_t
pour(const char *address, int listener, uint8_t *ret_bytes, size_t room)
{
    static const uint8_t hello[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};
    int in = raw_connect(address);
    int out = accept(listener, NULL, NULL);
    size_t n = 0;
    ssize_t got;

    cr_assert(in >= 0 && out >= 0);
    cr_assert_eq(send(in, hello, sizeof(hello), MSG_NOSIGNAL), 8);
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t message[16] = {0, 0, 0, 0, 0, 0, 0, 8, (uint8_t)i};

        message[9] = (uint8_t)(i >> 8);
        cr_assert_eq(send(in, message, sizeof(message), MSG_NOSIGNAL), 16);
    }
    cr_assert_eq(shutdown(in, SHUT_WR), 0);
    while (n < room && (got = recv(out, ret_bytes + n, room - n, 0)) > 0) {
        n += (size_t)got;
    }
    (void)close(in);
    (void)close(out);
    return n;
}

struct poured {
    uint8_t bytes[ROUNDS * 64];
    size_t size;
    uint8_t stats[256]; /* of the way up, packed */
    size_t stats_size;
};

static void
pour_through(const char *seed, int listener, const char *target,
             struct poured *ret_poured)
{
    struct program program;
    const Proxy__V1__WayStats *up;
    char address[64];

    memset(ret_poured, 0, sizeof(*ret_poured));
    program_open(&program, target, seed,
                 "drop=50,duplicate=50,reorder=50,corrupt=50,jitter-ms=1");
    (void)snprintf(address, sizeof(address), "%.63s", program.daemon.address);
    ret_poured->size =
        pour(address, listener, ret_poured->bytes, sizeof(ret_poured->bytes));
    up = program_stats(&program)->up;
    cr_assert_eq(up->messages, ROUNDS);
    cr_assert(up->dropped > 0 && up->duplicated > 0 && up->reordered > 0 &&
              up->corrupted > 0);
    ret_poured->stats_size = proxy__v1__way_stats__pack(up, ret_poured->stats);
    program_close(&program);
}

Test(proxy_program, the_same_seed_does_the_same, .timeout = 60)
{
    static struct poured poured[3];
    static const char *const seeds[] = {"11", "11", "12"};
    char target[64];
    int listener = raw_listen(target);

    for (unsigned i = 0; i < 3; i++) {
        pour_through(seeds[i], listener, target, &poured[i]);
    }
    (void)close(listener);
    cr_assert_eq(memcmp(&poured[0], &poured[1], sizeof(poured[0])), 0);
    cr_assert_neq(memcmp(&poured[0], &poured[2], sizeof(poured[0])), 0);
}
