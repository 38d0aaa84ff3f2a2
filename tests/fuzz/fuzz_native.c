/*
 * Messages of the native protocol from either side: whatever is read without
 * an error has frames that fill it, whose payloads and inner lengths stay
 * inside; written again they are the same bytes. The first byte chooses the
 * side.
 */
#include "core/metadata.h"
#include "wire/native.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
need(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Every byte of it can be read. */
static void
touch(const uint8_t *bytes, size_t size)
{
    static volatile uint8_t sum;

    for (size_t i = 0; i < size; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
}

static void
read_metadata(const uint8_t *bytes, size_t size, uint16_t n_entries)
{
    struct rpcrt__metadata metadata;
    struct rpcrt__error error;

    rpcrt__metadata_init(&metadata, NULL);
    if (rpcrt__metadata_decode(&metadata, bytes, size, n_entries, &error) ==
        RPCRT_OK) {
        need(metadata.encoded_size == size);
        need(metadata.n_entries == n_entries);
    }
    rpcrt__metadata_fini(&metadata);
}

static void
read_call(const struct rpcrt__frame *frame)
{
    uint8_t again[RPCRT__CALL_SIZE];
    struct rpcrt__call_open open;

    rpcrt__get_call_open(frame, &open);
    need(open.metadata_size + open.data_size + RPCRT__CALL_SIZE == frame->size);
    need(open.data_size <= open.message_size);
    need((frame->flags & RPCRT__END) != 0 || open.message_size == 0);
    touch(open.data, open.data_size);
    read_metadata(open.metadata, open.metadata_size, open.n_metadata);
    (void)rpcrt__put_call_open(again, &open);
    need(memcmp(again, frame->payload, 14) == 0);
}

static void
read_status(const struct rpcrt__frame *frame)
{
    uint8_t again[RPCRT__STATUS_SIZE];
    struct rpcrt__status status;

    rpcrt__get_status(frame, &status);
    touch(status.text, status.text_size);
    touch(status.details, status.details_size);
    read_metadata(status.metadata, status.metadata_size, status.n_metadata);
    (void)rpcrt__put_status(again, &status);
    need(memcmp(again, frame->payload, sizeof again) == 0);
}

static void
read_headers(const struct rpcrt__frame *frame)
{
    uint8_t again[RPCRT__HEADERS_SIZE];
    struct rpcrt__headers headers;

    rpcrt__get_headers(frame, &headers);
    need(headers.metadata_size + RPCRT__HEADERS_SIZE == frame->size);
    read_metadata(headers.metadata, headers.metadata_size, headers.n_metadata);
    (void)rpcrt__put_headers(again, &headers);
    need(memcmp(again, frame->payload, 2) == 0);
}

static void
read_frame(const struct rpcrt__frame *frame)
{
    struct rpcrt__hello hello;

    touch(frame->payload, frame->size);
    switch (frame->type) {
    case RPCRT__FRAME_HELLO:
        rpcrt__get_hello(frame, &hello);
        break;
    case RPCRT__FRAME_CALL:
        read_call(frame);
        break;
    case RPCRT__FRAME_STATUS:
        read_status(frame);
        break;
    case RPCRT__FRAME_HEADERS:
        read_headers(frame);
        break;
    case RPCRT__FRAME_WINDOW:
        (void)rpcrt__get_u32(frame->payload);
        break;
    default:
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum rpcrt__side sender;
    uint8_t again[RPCRT__FRAME_SIZE];
    struct rpcrt__header header;
    struct rpcrt__error error;
    struct rpcrt__frame frame;
    size_t at = RPCRT__HEADER_SIZE;
    size_t before = at;

    if (size == 0) {
        return 0;
    }
    sender = *data % 2 == 0 ? RPCRT__CLIENT : RPCRT__SERVER;
    data++;
    size--;
    if (rpcrt__read_message(data, size, sender, &header, &error) != RPCRT_OK) {
        need(error.text[0] != '\0' && error.code != RPCRT_OK);
        return 0;
    }
    while (rpcrt__next_frame(data, size, &at, &frame)) {
        read_frame(&frame);
        (void)rpcrt__put_frame(again, frame.type, frame.flags, frame.aux,
                               frame.call, frame.size);
        need(memcmp(again, data + before, sizeof again) == 0);
        before = at;
    }
    need(at == size);
    return 0;
}
