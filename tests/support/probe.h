/*
 * The service of probe.proto, a server that offers it on an address of a given
 * transport, and a channel to it: what every test of the runtime begins with.
 */
#ifndef TESTS_PROBE_H
#define TESTS_PROBE_H

#include "support/probe.client.h"
#include "support/probe.server.h"
#include <criterion/criterion.h>
#include <rpcrt/rpcrt.h>
#include <stdatomic.h>

/* What the handlers share; a server has one. */
struct probe {
    atomic_ullong n_counted;
    atomic_uint n_hanging;   /* handlers of Hang that run now */
    atomic_uint n_cancelled; /* of them, those that were told to stop */
    atomic_uint n_meeting;
    struct rpcrt_channel *next; /* of Relay and RelayPour */
    atomic_uint n_streaming;    /* handlers of streams that run now */
    atomic_uint n_lost;         /* those that were told that the call is */
    atomic_uint n_standing;     /* those that stand still */
    atomic_bool go_on;          /* makes them go on */
    atomic_ullong n_poured;     /* messages sent by handlers */
    atomic_ullong n_taken;      /* messages received by handlers */
    atomic_uint n_sending;      /* handlers of Trickle that send now */
};

/* The longest payload that the functions below know. */
#define PROBE_SIZE_MAX (4u << 20)

/* The payload of message i of a stream, of any size up to PROBE_SIZE_MAX. */
uint8_t *probe_pattern(uint64_t i);

/* The size of message i, at random between 0 and max, small ones mostly. */
size_t probe_size(uint32_t seed, uint64_t i, size_t max);

/* Whether a payload is that of message i. */
bool probe_is_pattern(ProtobufCBinaryData payload, uint64_t i);

struct proxy;

struct bed {
    struct probe probe;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    const char *address;
    char folder[64];     /* of an ipc socket; removed at the end */
    struct proxy *proxy; /* before the server, or NULL */
};

/* A timeout that only a hung test reaches. */
#define BED_TIMEOUT_MS 20000u

/* Fails the test with the call's message. */
#define expect_ok(call, expression)                                            \
    do {                                                                       \
        enum rpcrt_code code_ = (expression);                                  \
        cr_assert_eq(code_, RPCRT_OK, "%s: %s", rpcrt_code_name(code_),        \
                     rpcrt_call_message(call));                                \
    } while (0)
#define expect_code(call, expected, expression)                                \
    do {                                                                       \
        enum rpcrt_code code_ = (expression);                                  \
        cr_assert_eq(code_, (expected), "%s instead of %s: %s",                \
                     rpcrt_code_name(code_), rpcrt_code_name(expected),        \
                     rpcrt_call_message(call));                                \
    } while (0)

/* A test that runs once on each transport; its body knows which by
 * `transport`. */
#define EACH_TRANSPORT(suite, name, seconds)                                   \
    static void name##_body(const char *transport);                            \
    Test(suite, name##_inproc, .timeout = (seconds))                           \
    {                                                                          \
        name##_body("inproc");                                                 \
    }                                                                          \
    Test(suite, name##_ipc, .timeout = (seconds))                              \
    {                                                                          \
        name##_body("ipc");                                                    \
    }                                                                          \
    Test(suite, name##_tcp, .timeout = (seconds))                              \
    {                                                                          \
        name##_body("tcp");                                                    \
    }                                                                          \
    Test(suite, name##_tls, .timeout = (seconds))                              \
    {                                                                          \
        name##_body("tls");                                                    \
    }                                                                          \
    static void name##_body(const char *transport)

/* Called for each server before it listens; NULL: not at all. For interceptors.
 */
extern void (*bed_before_listening)(struct rpcrt_server *server);

/* Start a server on a transport ("inproc", "ipc", "tcp", "tls"), and a channel
 * to it; options may be NULL. With faults in the environment as BED_FAULTS, see
 * support/proxy/faults.h, those on tcp go through the proxy, which does them to
 * both directions. */
void bed_open(struct bed *bed, const char *transport,
              const struct rpcrt_server_options *server_options,
              const struct rpcrt_channel_options *channel_options);
void bed_close(struct bed *bed);

/* The same with a service more, which `serve` adds to the server. */
typedef enum rpcrt_code bed_serve_fn(struct rpcrt_server *server, void *self);
void bed_open_with(struct bed *bed, const char *transport, bed_serve_fn *serve,
                   void *self);

/* A server with the probe service that listens on one address. */
struct rpcrt_server *bed_serve(struct probe *probe, const char *address,
                               const struct rpcrt_tls *tls,
                               const struct rpcrt_server_options *options);

/* Path of a file of tests/support/certs.sh, made when it is missing; kept until
 * the end of the test. */
const char *bed_cert(const char *name);

/* Certificates of a server and of a client that fit each other. */
void bed_tls(struct rpcrt_tls *server, struct rpcrt_tls *client);

/* A call on a channel; the test fails without memory. */
struct rpcrt_call *bed_call(struct rpcrt_channel *channel, uint32_t timeout_ms);

/* Echo a payload of that size, filled with a pattern, and check the reply. */
void bed_echo(struct rpcrt_call *call, size_t size);

/* Completion of a started call: counts it; arg is an atomic_uint. */
void bed_done(struct rpcrt_call *call, void *arg);

/* Wait until a counter has a value; the test fails after a while. */
void bed_await(atomic_uint *counter, unsigned value);

void bed_sleep_ms(uint32_t ms);

#endif
