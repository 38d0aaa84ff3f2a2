/*
 * Every limit of the runtime and its default, in one place. What an option of
 * a channel or a server can set says so; the others belong to the wire format
 * and are the same for everybody.
 *
 * Above a limit a call ends in RESOURCE_EXHAUSTED at once, and nobody else
 * notices. A peer that breaks a rule of the protocol is cut off.
 */
#ifndef RPCRT_LIMITS_H
#define RPCRT_LIMITS_H

/* -- options ------------------------------------------------------------- */

/* Bytes of one request or reply, serialized. */
#define RPCRT_MESSAGE_SIZE_MAX (4u << 20)
/* Bytes that the arena of one call may take: messages unpacked, and what a
 * handler allocates. protobuf-c can need fifty times the serialized size. */
#define RPCRT_ARENA_SIZE_MAX (64u << 20)
/* Calls in flight, of one session and of the whole server. */
#define RPCRT_SESSION_CALLS_MAX 4096u
#define RPCRT_SERVER_CALLS_MAX 16384u
/* Connections that a server keeps at once. */
#define RPCRT_SESSIONS_MAX 1024u
/* Bytes of unfinished requests and unsent replies of one session, and of
 * messages that wait in its streams. */
#define RPCRT_SESSION_BYTES_MAX (64u << 20)
/* Bytes of messages that a stream may send before the other side takes some. */
#define RPCRT_STREAM_WINDOW (1u << 20)
/* Bytes that a stream's sender may have waiting for that on its own side. */
#define RPCRT_STREAM_QUEUE (256u << 10)
/* Streaming handlers at work at once; each has a thread of its own. Not those
 * that have returned RPCRT_LATER. */
#define RPCRT_STREAMS_MAX 1024u
/* Idempotency keys that a server remembers, and bytes of them with their
 * answers. */
#define RPCRT_ONCE_COUNT_MAX 65536u
#define RPCRT_ONCE_BYTES_MAX (32u << 20)
/* Threads that run handlers, at the most; they start when needed. Those that
 * wait in a stream do not count. */
#define RPCRT_WORKERS_MAX 32u
/* Memory of types made at run time, their descriptors included. */
#define RPCRT_TYPES_SIZE_MAX (64u << 20)
/* Requests that one connection can have out, K in rpcrt/README.md. */
#define RPCRT_CONTEXTS 16u
/* Errors of an address, one after the other, that it is ejected for. */
#define RPCRT_EJECT_ERRORS 5u

/* -- the wire format ----------------------------------------------------- */

#define RPCRT_CONTEXTS_MAX 64u
#define RPCRT_TRANSPORT_MESSAGE_MAX (256u << 10)
#define RPCRT_DATA_FRAME_MAX (64u << 10)
#define RPCRT_METADATA_BYTES_MAX (8u << 10)
#define RPCRT_METADATA_ENTRIES_MAX 64u
#define RPCRT_METHOD_PATH_MAX 255u
#define RPCRT_METHODS_PER_SESSION_MAX 1024u
#define RPCRT_MESSAGE_DEPTH_MAX 100u
/* Fields of a message, inner ones included, that the reader's .proto does not
 * have. */
#define RPCRT_UNKNOWN_FIELDS_MAX 4096u
#define RPCRT_DETAILS_SIZE_MAX (8u << 10)
/* Bytes of a status text, its end included; longer ones are cut. */
#define RPCRT_TEXT_SIZE 512u
#define RPCRT_ADDRESS_SIZE 256u
/* Addresses of one channel. */
#define RPCRT_ENDPOINTS_MAX 256u

/* -- times, in milliseconds ---------------------------------------------- */

#define RPCRT_CONNECT_TIMEOUT_MS 10000u
#define RPCRT_HELLO_TIMEOUT_MS 5000u
/* A hole in the sequence, or a message that the peer does not take. */
#define RPCRT_STALL_TIMEOUT_MS 30000u
#define RPCRT_BACKOFF_MIN_MS 50u
#define RPCRT_BACKOFF_MAX_MS 5000u
#define RPCRT_KEEPALIVE_MS 20000u
#define RPCRT_KEEPALIVE_TIMEOUT_MS 10000u
#define RPCRT_DRAIN_TIMEOUT_MS 10000u
/* If no call of it waited less than the target, overload control sheds. */
#define RPCRT_QUEUE_INTERVAL_MS 100u
#define RPCRT_ONCE_MS 600000u
/* How long an address gets no calls: the first time, and at the most. */
#define RPCRT_EJECT_MS 10000u
#define RPCRT_EJECT_MAX_MS 300000u
/* Between looks at the addresses behind a name, and in a file. */
#define RPCRT_RESOLVE_MS 30000u
#define RPCRT_FILE_LOOK_MS 1000u
/* Before the next address is dialed beside one that does not answer. */
#define RPCRT_DIAL_STAGGER_MS 250u
/* What a connection that is too old has for the calls that it carries. */
#define RPCRT_CONNECTION_AGE_GRACE_MS 30000u

/* -- interceptors --------------------------------------------------------- */

/* Of one server, and of one channel. */
#define RPCRT_INTERCEPTORS_MAX 16u
/* Methods of one side that metrics tell apart; the rest counts as "other". */
#define RPCRT_METRICS_METHODS_MAX 256u

/* -- attempts of a call, unless its policy says otherwise ------------------ */

#define RPCRT_RETRY_ATTEMPTS 3u
#define RPCRT_RETRY_BACKOFF_MIN_MS 50u
#define RPCRT_RETRY_BACKOFF_MAX_MS 1000u
#define RPCRT_RETRY_BACKOFF_FACTOR 2.0
/* Whatever a policy says. */
#define RPCRT_ATTEMPTS_MAX 5u

#endif
