/*
 * What tests of streams have in common: scripts for the probe's handlers, and
 * checks of what they send.
 */
#ifndef TESTS_CONTRACT_RPC_STREAM_H
#define TESTS_CONTRACT_RPC_STREAM_H

#include "support/probe.h"

/* A script of one step. */
struct script {
    Probe__V1__Script message;
    Probe__V1__Step step;
    Probe__V1__Step *steps[1];
};

/* n replies of that size; seed not 0: of sizes at random up to that. */
void script_init(struct script *script, uint32_t n, uint32_t size,
                 uint32_t seed);

/* A step whose payload is that of message i. */
Probe__V1__Step step_of(uint64_t i, size_t size);

/* x_next() and x_send() of one of the probe's methods. */
typedef bool next_fn(struct rpcrt_call *call,
                     const Probe__V1__EchoReply **ret_message);
typedef bool send_fn(struct rpcrt_call *call, const Probe__V1__Step *message);

/* Take messages first … n - 1 and check them against a script. */
void expect_messages(struct rpcrt_call *call, next_fn *next,
                     const struct script *script, uint64_t first, uint64_t n);

/* Check that nothing more comes. */
void expect_no_more(struct rpcrt_call *call, next_fn *next);

/* Send messages first … n - 1, of sizes as in a script. */
void send_messages(struct rpcrt_call *call, send_fn *send, uint64_t first,
                   uint64_t n, uint32_t size, uint32_t seed);

uint64_t now_us(void);

/* Bytes of memory that the process has. */
size_t resident_bytes(void);

/* Whether the sizes of memory mean anything: not with a sanitizer. */
bool resident_counts(void);

/* Echo n times, one after the other; returns the 99th percentile in us. */
uint64_t echo_p99_us(struct rpcrt_channel *channel, size_t n);

/* Wait until a counter has not moved for a while; returns where it stands. */
unsigned long long await_standstill(atomic_ullong *counter);

#endif
