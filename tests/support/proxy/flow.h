/*
 * One direction of one connection: takes the bytes that came, does to them
 * what the faults say, and tells which may be written, and when. No I/O and no
 * clock: times are the caller's, in nanoseconds.
 */
#ifndef TESTS_SUPPORT_PROXY_FLOW_H
#define TESTS_SUPPORT_PROXY_FLOW_H

#include "support/proxy/faults.h"
#include "support/proxy/framing.h"

/* A flow takes no more when it keeps so many bytes, and goes beyond it by what
 * was read at once. Above one message, or it would never be complete. */
#define PROXY_FLOW_KEEP_MAX (2 * (size_t)PROXY_MESSAGE_MAX)

/* A message that waits to be overtaken goes on without that after so long. */
#define PROXY_REORDER_MS 100

#define PROXY_NEVER INT64_MAX

/* What all flows of one direction did. */
struct proxy_counts {
    uint64_t bytes_taken;
    uint64_t bytes_written;
    uint64_t messages; /* that came */
    uint64_t dropped;
    uint64_t duplicated;
    uint64_t reordered;
    uint64_t corrupted;
    uint64_t plain; /* connections without framing */
    uint64_t cut;   /* connections, by close-after */
};

struct proxy_chunk;

struct proxy_flow {
    struct proxy_place place; /* of the next message */
    const struct proxy_faults *faults;
    struct proxy_counts *counts;
    struct proxy_framing framing;
    struct proxy_chunk *first; /* to be written, in this order */
    struct proxy_chunk *last;
    struct proxy_chunk *held; /* waits to be overtaken */
    size_t kept;              /* bytes in all of these, and of their heads */
    int64_t due_ns;           /* of the last chunk */
    int64_t paced_ns;         /* not before, by the bandwidth */
    uint64_t n_plain;         /* chunks that are no messages */
    uint64_t n_harmed;        /* messages */
    uint64_t bytes_written;
    uint64_t messages_written;
    bool ended; /* nothing comes any more */
};

/* Faults and counts must outlive the flow; the faults may change between its
 * calls. */
void proxy_flow_init(struct proxy_flow *flow, const struct proxy_place *place,
                     const struct proxy_faults *faults,
                     struct proxy_counts *counts);

/* Forget what was not written. */
void proxy_flow_fini(struct proxy_flow *flow);

/* Whether it takes more now. */
bool proxy_flow_wants(const struct proxy_flow *flow);

/* Bytes came; false without memory: the connection must end. */
RPCRT_MUST_CHECK bool proxy_flow_take(struct proxy_flow *flow, int64_t now_ns,
                                      const uint8_t *data, size_t size);

/* The stream has ended; false as above. */
RPCRT_MUST_CHECK bool proxy_flow_end(struct proxy_flow *flow, int64_t now_ns);

/* The bytes that may be written now, until the next call of any function here;
 * false if there are none. */
bool proxy_flow_next(struct proxy_flow *flow, int64_t now_ns,
                     const uint8_t **ret_data, size_t *ret_size);

/* So many of them were. */
void proxy_flow_written(struct proxy_flow *flow, int64_t now_ns, size_t size);

/* When proxy_flow_next() will have something, if nothing else happens; maybe
 * a time that is over, or PROXY_NEVER. */
int64_t proxy_flow_due_ns(const struct proxy_flow *flow);

/* Ended, and everything was written. */
bool proxy_flow_done(const struct proxy_flow *flow);

/* As much was written as close-after lets pass. */
bool proxy_flow_cut(const struct proxy_flow *flow);

#endif
