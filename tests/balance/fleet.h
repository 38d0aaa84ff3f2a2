/*
 * Several servers of one service in the test's process, and a channel to all of
 * them. Each counts the calls that it gets, and fails them when told to.
 */
#ifndef TESTS_BALANCE_FLEET_H
#define TESTS_BALANCE_FLEET_H

#include "support/probe.h"
#include <stdbool.h>

#define FLEET_MAX 4u

struct ship {
    struct rpcrt_server *server; /* NULL: it is down */
    char address[RPCRT_ADDRESS_SIZE];
    atomic_uint n_calls;   /* of Count */
    atomic_uint n_hanging; /* of Hang and the streams, now */
    atomic_bool failing;   /* Count ends UNAVAILABLE */
};

struct fleet {
    struct ship ships[FLEET_MAX];
    unsigned n;
    struct rpcrt_server_options server_options;
    char list[FLEET_MAX * RPCRT_ADDRESS_SIZE]; /* of all addresses */
    struct rpcrt_channel *channel;             /* NULL: none */
    struct rpcrt_call *call;                   /* on it */
};

/* Start n servers, without a channel; options may be NULL. */
void fleet_open(struct fleet *fleet, unsigned n,
                const struct rpcrt_server_options *server_options);
void fleet_close(struct fleet *fleet);

/* Make the channel and the call; NULL is every default. */
void fleet_dial(struct fleet *fleet, const char *address,
                const struct rpcrt_channel_options *options);

/* Stop a server at once, and start it again where it was. */
void fleet_sink(struct fleet *fleet, unsigned number);
void fleet_raise(struct fleet *fleet, unsigned number);

/* Make n calls of Count, one after the other; how many ended OK. */
unsigned fleet_count(struct fleet *fleet, unsigned n);

/* The counts so far, which begin again at 0. */
unsigned fleet_calls(struct fleet *fleet, unsigned ship);

/* Start a call of Hang; n_done counts its end. */
struct rpcrt_call *fleet_hang(struct fleet *fleet, atomic_uint *n_done);

/* Send a message in a stream of Chat and take the answer. */
bool fleet_chat(struct rpcrt_call *call);

/* What the channel says of an address; fails the test if it has none. */
struct rpcrt_endpoint_stats fleet_stats(struct fleet *fleet,
                                        const char *address);

/* Wait until so many endpoints of the channel are in a state; makes calls of
 * Count meanwhile if `calling`. */
void fleet_await(struct fleet *fleet, unsigned n,
                 enum rpcrt_endpoint_state state, bool calling);

/* An address where connections are taken and nothing is ever said, and one that
 * nobody listens on. */
struct silence {
    int fd;
    char address[64];
};
void silence_open(struct silence *silence);
void silence_close(struct silence *silence);
void nobody(char ret_address[64]);

int64_t now_ms(void);

#endif
