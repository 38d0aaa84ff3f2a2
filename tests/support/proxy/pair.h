/*
 * One connection through the proxy: the client's socket, the server's, and the
 * flow of each direction between them. Says what it waits for, and does what
 * can be done without waiting.
 */
#ifndef TESTS_SUPPORT_PROXY_PAIR_H
#define TESTS_SUPPORT_PROXY_PAIR_H

#include "support/proxy/flow.h"

/* What the proxy does to all its connections. */
struct proxy_plan {
    struct proxy_faults faults[PROXY_WAYS];
    bool half_open; /* the end of one side is not passed on */
};

/* Side i is the source of flow i: the client's is PROXY_UP. */
struct proxy_side {
    int fd;      /* -1: gone */
    bool passed; /* the end of its flow was passed on */
    bool reset;  /* it ended by an error */
};

struct proxy_pair {
    const struct proxy_plan *plan;
    bool connecting; /* to the server */
    struct proxy_side sides[PROXY_WAYS];
    struct proxy_flow flows[PROXY_WAYS];
};

/* Take two sockets over; that to the server may be connecting. Plan and counts
 * (of PROXY_WAYS) must outlive the pair. */
void proxy_pair_init(struct proxy_pair *pair, const struct proxy_plan *plan,
                     struct proxy_counts *counts, uint64_t seed,
                     uint64_t number, int client_fd, int server_fd);

/* Close both, by RST or in order. */
void proxy_pair_fini(struct proxy_pair *pair, bool reset);

/* What poll() is to wait for at a side; 0: nothing. */
short proxy_pair_events(const struct proxy_pair *pair, enum proxy_way side,
                        int64_t now_ns);

/* When it must be served though no event comes; or PROXY_NEVER. */
int64_t proxy_pair_due_ns(const struct proxy_pair *pair, int64_t now_ns);

enum proxy_pair_state {
    PROXY_PAIR_OPEN,
    PROXY_PAIR_OVER,       /* close it */
    PROXY_PAIR_RESET,      /* reset it */
    PROXY_PAIR_UNREACHABLE /* the server could not be reached: reset it */
};

/* Read and write what can be; the events are what poll() returned. */
enum proxy_pair_state proxy_pair_serve(struct proxy_pair *pair, int64_t now_ns,
                                       const short events[PROXY_WAYS]);

#endif
