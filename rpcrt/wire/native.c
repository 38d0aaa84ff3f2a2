/*
 * The native wire format of wire/native.h: what is written and what is
 * accepted. Everything about one frame alone is checked here; what depends on
 * the calls that are open is for the session.
 */
#include "wire/native.h"

#include <inttypes.h>
#include <string.h>

/* -- numbers --------------------------------------------------------------- */

static uint8_t *
put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    return at + 2;
}

uint8_t *
rpcrt__put_u32(uint8_t *at, uint32_t value)
{
    at = put_u16(at, (uint16_t)value);
    return put_u16(at, (uint16_t)(value >> 16));
}

static uint8_t *
put_u64(uint8_t *at, uint64_t value)
{
    at = rpcrt__put_u32(at, (uint32_t)value);
    return rpcrt__put_u32(at, (uint32_t)(value >> 32));
}

static uint16_t
get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] | (unsigned)at[1] << 8);
}

uint32_t
rpcrt__get_u32(const uint8_t *at)
{
    return get_u16(at) | (uint32_t)get_u16(at + 2) << 16;
}

static uint64_t
get_u64(const uint8_t *at)
{
    return rpcrt__get_u32(at) | (uint64_t)rpcrt__get_u32(at + 4) << 32;
}

/* -- writing --------------------------------------------------------------- */

uint8_t *
rpcrt__put_header(uint8_t *at, const struct rpcrt__header *header)
{
    *at++ = RPCRT__WIRE_VERSION;
    *at++ = header->flags;
    at = put_u16(at, header->keep);
    at = rpcrt__put_u32(at, 0);
    at = put_u64(at, header->session);
    return put_u64(at, header->seq);
}

uint8_t *
rpcrt__put_frame(uint8_t *at, uint8_t type, uint8_t flags, uint16_t aux,
                 uint64_t call, uint32_t size)
{
    *at++ = type;
    *at++ = flags;
    at = put_u16(at, aux);
    at = rpcrt__put_u32(at, size);
    return put_u64(at, call);
}

uint8_t *
rpcrt__put_hello(uint8_t *at, const struct rpcrt__hello *hello)
{
    at = rpcrt__put_u32(at, hello->contexts);
    at = rpcrt__put_u32(at, hello->message_size_max);
    at = put_u64(at, hello->instance);
    return rpcrt__put_u32(at, hello->stream_window);
}

uint8_t *
rpcrt__put_call_open(uint8_t *at, const struct rpcrt__call_open *open)
{
    at = rpcrt__put_u32(at, open->timeout_ms);
    at = rpcrt__put_u32(at, open->message_size);
    at = rpcrt__put_u32(at, open->metadata_size);
    at = put_u16(at, open->n_metadata);
    return put_u16(at, 0);
}

uint8_t *
rpcrt__put_status(uint8_t *at, const struct rpcrt__status *status)
{
    *at++ = status->code;
    *at++ = status->origin;
    at = put_u16(at, status->n_metadata);
    at = rpcrt__put_u32(at, status->text_size);
    at = rpcrt__put_u32(at, status->metadata_size);
    return rpcrt__put_u32(at, status->details_size);
}

uint8_t *
rpcrt__put_headers(uint8_t *at, const struct rpcrt__headers *headers)
{
    at = put_u16(at, headers->n_metadata);
    return put_u16(at, 0);
}

/* -- reading --------------------------------------------------------------- */

void
rpcrt__get_hello(const struct rpcrt__frame *frame,
                 struct rpcrt__hello *ret_hello)
{
    ret_hello->contexts = rpcrt__get_u32(frame->payload);
    ret_hello->message_size_max = rpcrt__get_u32(frame->payload + 4);
    ret_hello->instance = get_u64(frame->payload + 8);
    ret_hello->stream_window = rpcrt__get_u32(frame->payload + 16);
}

void
rpcrt__get_call_open(const struct rpcrt__frame *frame,
                     struct rpcrt__call_open *ret_open)
{
    const uint8_t *at = frame->payload;

    ret_open->timeout_ms = rpcrt__get_u32(at);
    ret_open->message_size = rpcrt__get_u32(at + 4);
    ret_open->metadata_size = rpcrt__get_u32(at + 8);
    ret_open->n_metadata = get_u16(at + 12);
    ret_open->metadata = at + RPCRT__CALL_SIZE;
    ret_open->data = ret_open->metadata + ret_open->metadata_size;
    ret_open->data_size =
        frame->size - RPCRT__CALL_SIZE - ret_open->metadata_size;
}

void
rpcrt__get_status(const struct rpcrt__frame *frame,
                  struct rpcrt__status *ret_status)
{
    const uint8_t *at = frame->payload;

    ret_status->code = at[0];
    ret_status->origin = at[1];
    ret_status->n_metadata = get_u16(at + 2);
    ret_status->text_size = rpcrt__get_u32(at + 4);
    ret_status->metadata_size = rpcrt__get_u32(at + 8);
    ret_status->details_size = rpcrt__get_u32(at + 12);
    ret_status->text = at + RPCRT__STATUS_SIZE;
    ret_status->metadata = ret_status->text + ret_status->text_size;
    ret_status->details = ret_status->metadata + ret_status->metadata_size;
}

void
rpcrt__get_headers(const struct rpcrt__frame *frame,
                   struct rpcrt__headers *ret_headers)
{
    ret_headers->n_metadata = get_u16(frame->payload);
    ret_headers->metadata = frame->payload + RPCRT__HEADERS_SIZE;
    ret_headers->metadata_size = frame->size - RPCRT__HEADERS_SIZE;
}

/* What a type of frame looks like. */
struct shape {
    const char *name;
    bool from[2];      /* may come from a client, a server */
    uint8_t flags[2];  /* that a client, a server may set */
    bool has_call;     /* belongs to a call */
    uint32_t size_min; /* of its payload */
    uint32_t size_max;
};

static const struct shape shapes[] = {
    [RPCRT__FRAME_HELLO] = {"HELLO",
                            {true, true},
                            {0, 0},
                            false,
                            RPCRT__HELLO_SIZE,
                            RPCRT_DATA_FRAME_MAX},
    [RPCRT__FRAME_METHOD] =
        {"METHOD", {true, false}, {0, 0}, false, 1, RPCRT_METHOD_PATH_MAX},
    [RPCRT__FRAME_CALL] = {"CALL",
                           {true, false},
                           {RPCRT__END, 0},
                           true,
                           RPCRT__CALL_SIZE,
                           RPCRT__CALL_SIZE + RPCRT_METADATA_BYTES_MAX +
                               RPCRT_DATA_FRAME_MAX},
    [RPCRT__FRAME_DATA] = {"DATA",
                           {true, true},
                           {RPCRT__START | RPCRT__END,
                            RPCRT__START | RPCRT__END},
                           true,
                           0,
                           RPCRT_DATA_FRAME_MAX + 4},
    [RPCRT__FRAME_CANCEL] = {"CANCEL", {true, false}, {0, 0}, true, 0, 0},
    [RPCRT__FRAME_STATUS] = {"STATUS",
                             {false, true},
                             {0, RPCRT__REFUSED},
                             true,
                             RPCRT__STATUS_SIZE,
                             RPCRT_DATA_FRAME_MAX},
    [RPCRT__FRAME_GOAWAY] =
        {"GOAWAY", {false, true}, {0, 0}, false, 0, RPCRT_TEXT_SIZE},
    [RPCRT__FRAME_PING] = {"PING", {true, true}, {0, 0}, false, 0, 64},
    [RPCRT__FRAME_PONG] = {"PONG", {true, true}, {0, 0}, false, 0, 64},
    [RPCRT__FRAME_WINDOW] = {"WINDOW", {true, true}, {0, 0}, true, 4, 4},
    [RPCRT__FRAME_HEADERS] = {"HEADERS",
                              {false, true},
                              {0, 0},
                              true,
                              RPCRT__HEADERS_SIZE,
                              RPCRT__HEADERS_SIZE + RPCRT_METADATA_BYTES_MAX},
};

/* The lengths inside a CALL or STATUS must fit into it, each and together. A
 * CALL whose client streams has no message in it. */
static bool
inner_lengths_fit(const struct rpcrt__frame *frame)
{
    if (frame->type == RPCRT__FRAME_CALL) {
        uint32_t metadata_size = rpcrt__get_u32(frame->payload + 8);
        uint32_t message_size = rpcrt__get_u32(frame->payload + 4);
        uint32_t rest = frame->size - RPCRT__CALL_SIZE;
        bool streams = (frame->flags & RPCRT__END) == 0;

        return metadata_size <= rest && rest - metadata_size <= message_size &&
               !(streams && message_size > 0);
    }
    if (frame->type == RPCRT__FRAME_STATUS) {
        uint64_t sum = (uint64_t)rpcrt__get_u32(frame->payload + 4) +
                       rpcrt__get_u32(frame->payload + 8) +
                       rpcrt__get_u32(frame->payload + 12);

        return sum == frame->size - RPCRT__STATUS_SIZE;
    }
    return (frame->flags & RPCRT__START) == 0 || frame->size >= 4;
}

static enum rpcrt_code
check_frame(const struct rpcrt__frame *frame, size_t offset,
            enum rpcrt__side sender, struct rpcrt__error *ret_error)
{
    const struct shape *shape;

    if (frame->type >= sizeof shapes / sizeof shapes[0] ||
        shapes[frame->type].name == NULL) {
        return rpcrt__error_set(ret_error, RPCRT_UNIMPLEMENTED,
                                "protocol: unknown frame type %u at byte %zu",
                                frame->type, offset);
    }
    shape = &shapes[frame->type];
    if ((frame->flags & ~shape->flags[sender]) != 0) {
        return rpcrt__error_set(
            ret_error, RPCRT_UNIMPLEMENTED,
            "protocol: unknown flags 0x%02x of %s frame at byte %zu",
            frame->flags, shape->name, offset);
    }
    if (!shape->from[sender]) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: %s frame from the wrong side at "
                                "byte %zu",
                                shape->name, offset);
    }
    if (frame->size < shape->size_min || frame->size > shape->size_max ||
        (frame->call != 0) != shape->has_call || !inner_lengths_fit(frame)) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: malformed %s frame of %" PRIu32
                                " bytes, call %" PRIu64 ", at byte %zu",
                                shape->name, frame->size, frame->call, offset);
    }
    return RPCRT_OK;
}

bool
rpcrt__next_frame(const uint8_t *bytes, size_t size, size_t *at,
                  struct rpcrt__frame *ret_frame)
{
    const uint8_t *head = bytes + *at;

    if (size - *at < RPCRT__FRAME_SIZE) {
        return false;
    }
    ret_frame->type = head[0];
    ret_frame->flags = head[1];
    ret_frame->aux = get_u16(head + 2);
    ret_frame->size = rpcrt__get_u32(head + 4);
    ret_frame->call = get_u64(head + 8);
    ret_frame->payload = head + RPCRT__FRAME_SIZE;
    if (ret_frame->size > size - *at - RPCRT__FRAME_SIZE) {
        return false;
    }
    *at += RPCRT__FRAME_SIZE + ret_frame->size;
    return true;
}

static enum rpcrt_code
check_header(const uint8_t *bytes, size_t size, enum rpcrt__side sender,
             struct rpcrt__error *ret_error)
{
    if (size < RPCRT__HEADER_SIZE || size > RPCRT_TRANSPORT_MESSAGE_MAX) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: message of %zu bytes", size);
    }
    if (bytes[0] != RPCRT__WIRE_VERSION) {
        return rpcrt__error_set(ret_error, RPCRT_UNIMPLEMENTED,
                                "protocol: version %u, this end speaks %u",
                                bytes[0], RPCRT__WIRE_VERSION);
    }
    if ((bytes[1] & ~(sender == RPCRT__SERVER ? RPCRT__MORE : 0u)) != 0 ||
        rpcrt__get_u32(bytes + 4) != 0) {
        return rpcrt__error_set(ret_error, RPCRT_UNIMPLEMENTED,
                                "protocol: unknown message flags 0x%02x",
                                bytes[1]);
    }
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__read_message(const uint8_t *bytes, size_t size, enum rpcrt__side sender,
                    struct rpcrt__header *ret_header,
                    struct rpcrt__error *ret_error)
{
    enum rpcrt_code code = check_header(bytes, size, sender, ret_error);
    size_t at = RPCRT__HEADER_SIZE;
    size_t offset = at;
    struct rpcrt__frame frame;

    if (code != RPCRT_OK) {
        return code;
    }
    while (rpcrt__next_frame(bytes, size, &at, &frame)) {
        code = check_frame(&frame, offset, sender, ret_error);
        if (code != RPCRT_OK) {
            return code;
        }
        offset = at;
    }
    if (at != size) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "protocol: frame at byte %zu does not end in "
                                "its message",
                                at);
    }
    ret_header->flags = bytes[1];
    ret_header->keep = get_u16(bytes + 2);
    ret_header->session = get_u64(bytes + 8);
    ret_header->seq = get_u64(bytes + 16);
    return RPCRT_OK;
}
