/*
 * The native wire format: bytes to structs and back, without I/O. README.md in
 * the folder above describes it for whoever writes another implementation.
 *
 * A message is a header and frames. All numbers are little endian.
 */
#ifndef RPCRT_WIRE_NATIVE_H
#define RPCRT_WIRE_NATIVE_H

#include "core/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RPCRT__WIRE_VERSION 1u
#define RPCRT__HEADER_SIZE 24u
#define RPCRT__FRAME_SIZE 16u

enum rpcrt__message_flags {
    RPCRT__MORE = 1u << 0 /* server: more waits for credits */
};

struct rpcrt__header {
    uint8_t flags;
    uint16_t keep;    /* client: credits that the server may keep; server: 0 */
    uint64_t session; /* number that the client chose for the connection */
    uint64_t seq;     /* of the sender's messages, from 0 */
};

enum rpcrt__frame_type {
    RPCRT__FRAME_HELLO = 1,   /* both; first, and once */
    RPCRT__FRAME_METHOD = 2,  /* client: aux = number for a path from now on */
    RPCRT__FRAME_CALL = 3,    /* client: aux = method; opens a call */
    RPCRT__FRAME_DATA = 4,    /* both: bytes of a message */
    RPCRT__FRAME_CANCEL = 5,  /* client */
    RPCRT__FRAME_STATUS = 6,  /* server: ends a call */
    RPCRT__FRAME_GOAWAY = 7,  /* server: aux = code; no new calls */
    RPCRT__FRAME_PING = 8,    /* both */
    RPCRT__FRAME_PONG = 9,    /* both */
    RPCRT__FRAME_WINDOW = 10, /* both: u32 bytes that may be sent in addition */
    RPCRT__FRAME_HEADERS = 11 /* server: metadata before the first reply */
};

enum rpcrt__frame_flags {
    RPCRT__START = 1u << 0, /* DATA: the payload begins with the message size */
    RPCRT__END = 1u << 1, /* CALL: the client's only message; DATA of a client:
                             it sends no more; DATA of a server: the call ends
                             with OK */
    RPCRT__REFUSED = 1u << 2 /* STATUS: the handler was not and won't be run */
};

struct rpcrt__frame {
    uint8_t type;
    uint8_t flags;
    uint16_t aux;
    uint64_t call;
    const uint8_t *payload;
    uint32_t size;
};

/* Payload of HELLO, both ways. */
#define RPCRT__HELLO_SIZE 20u
struct rpcrt__hello {
    uint32_t contexts;         /* client: K; server: K that it takes */
    uint32_t message_size_max; /* that the sender accepts */
    uint64_t instance;         /* server: which process this is; client: 0 */
    uint32_t stream_window;    /* bytes that each stream may send at first */
};

/* Payload of CALL: a fixed part, metadata, then the message's first bytes. */
#define RPCRT__CALL_SIZE 16u
struct rpcrt__call_open {
    uint32_t timeout_ms; /* that is left; 0: no deadline */
    uint32_t message_size;
    uint32_t metadata_size;
    uint16_t n_metadata;
    const uint8_t *metadata;
    const uint8_t *data;
    uint32_t data_size;
};

/* Payload of STATUS: a fixed part, text, metadata, details. */
#define RPCRT__STATUS_SIZE 16u
struct rpcrt__status {
    uint8_t code;
    uint8_t origin;
    uint16_t n_metadata;
    uint32_t text_size;
    uint32_t metadata_size;
    uint32_t details_size;
    const uint8_t *text;
    const uint8_t *metadata;
    const uint8_t *details;
};

/* Payload of HEADERS: a fixed part, then metadata. */
#define RPCRT__HEADERS_SIZE 4u
struct rpcrt__headers {
    uint16_t n_metadata;
    const uint8_t *metadata;
    uint32_t metadata_size;
};

/* -- writing: into memory that the caller knows to be large enough --------- */

uint8_t *rpcrt__put_header(uint8_t *at, const struct rpcrt__header *header);
/* The frame's own header; the payload follows. */
uint8_t *rpcrt__put_frame(uint8_t *at, uint8_t type, uint8_t flags,
                          uint16_t aux, uint64_t call, uint32_t size);
uint8_t *rpcrt__put_hello(uint8_t *at, const struct rpcrt__hello *hello);
/* The fixed parts only. */
uint8_t *rpcrt__put_call_open(uint8_t *at, const struct rpcrt__call_open *open);
uint8_t *rpcrt__put_status(uint8_t *at, const struct rpcrt__status *status);
uint8_t *rpcrt__put_headers(uint8_t *at, const struct rpcrt__headers *headers);
uint8_t *rpcrt__put_u32(uint8_t *at, uint32_t value);

/* -- reading: whatever comes, without a crash ------------------------------ */

/* Which end sent what is read: each may send other frames. */
enum rpcrt__side { RPCRT__CLIENT, RPCRT__SERVER };

/* Read a message's header and check all of its frames: types, flags, sizes,
 * and that they fill the message. UNIMPLEMENTED for a version, type or flag
 * that is not known, INVALID_ARGUMENT for what can't be; the text says which
 * and where. */
RPCRT_MUST_CHECK enum rpcrt_code
rpcrt__read_message(const uint8_t *bytes, size_t size, enum rpcrt__side sender,
                    struct rpcrt__header *ret_header,
                    struct rpcrt__error *ret_error);

/* The frames of a message that was checked, one after the other: *at is the
 * offset of the next, at first RPCRT__HEADER_SIZE. False at the end. */
bool rpcrt__next_frame(const uint8_t *bytes, size_t size, size_t *at,
                       struct rpcrt__frame *ret_frame);

/* Payloads of frames that were checked. */
void rpcrt__get_hello(const struct rpcrt__frame *frame,
                      struct rpcrt__hello *ret_hello);
void rpcrt__get_call_open(const struct rpcrt__frame *frame,
                          struct rpcrt__call_open *ret_open);
void rpcrt__get_status(const struct rpcrt__frame *frame,
                       struct rpcrt__status *ret_status);
void rpcrt__get_headers(const struct rpcrt__frame *frame,
                        struct rpcrt__headers *ret_headers);
uint32_t rpcrt__get_u32(const uint8_t *at);

#endif
