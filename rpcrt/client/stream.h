/*
 * Inside of a call whose method streams: both flows, and who waits for them.
 * Made by the first such use of a call, kept for the next ones; a call that is
 * never used so has none. The channel's lock guards all of it but `arena`,
 * which is the receiving thread's.
 */
#ifndef RPCRT_CLIENT_STREAM_H
#define RPCRT_CLIENT_STREAM_H

#include "client/connection.h"
#include "wire/flow.h"

struct rpcrt__call_stream {
    struct rpcrt__outflow out;
    struct rpcrt__inflow in;
    pthread_cond_t readable; /* x_next() would no longer wait */
    pthread_cond_t writable; /* x_send() */
    bool readable_due;       /* to be signalled */
    bool writable_due;
    bool dropping;             /* nobody takes what comes */
    struct rpcrt__arena arena; /* of the message that was taken last */
};

/* Have a stream at its beginning for the use that starts; false without
 * memory. */
bool rpcrt__call_stream_begin(struct rpcrt_call *call);

/* Forget the last use, if it was a stream: one that still runs is cancelled. */
void rpcrt__call_stream_leave(struct rpcrt_call *call);

/* Free it; nothing if there is none. */
void rpcrt__call_stream_free(struct rpcrt_call *call);

/* -- for the protocol: [locked] -------------------------------------------- */

/* Whether a call that is open has a frame to send besides its request. */
bool rpcrt__call_stream_has_frames(const struct rpcrt_call *call);

/* Bytes of all such frames, or more. */
size_t rpcrt__call_stream_frames_size(const struct rpcrt_call *call);

/* Write that frame; NULL if it is not worth the room. */
uint8_t *rpcrt__call_stream_put(struct rpcrt_call *call, uint8_t *at,
                                const uint8_t *end);

/* Let the connection send what there is. */
void rpcrt__call_stream_schedule(struct rpcrt_call *call);

/* Take a DATA frame in, as rpcrt__inflow_data(). */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__call_stream_data(struct rpcrt_call *call,
                        const struct rpcrt__frame *frame,
                        struct rpcrt__error *ret_error);

/* Something other than a message came, or ended: wake who receives. */
void rpcrt__call_stream_wake(struct rpcrt_call *call);

/* Signal what is due. */
void rpcrt__call_stream_signal(struct rpcrt_call *call);

/* The use is over. What came is kept for the user unless he, or his deadline,
 * ended it. */
void rpcrt__call_stream_end(struct rpcrt_call *call);

#endif
