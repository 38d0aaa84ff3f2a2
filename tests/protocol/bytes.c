/*
 * The bytes of protocol/bytes.h. All numbers of the protocol are little endian.
 */
#include "protocol/bytes.h"

#include <stdlib.h>
#include <string.h>

/* -- bytes ----------------------------------------------------------------- */

void
bytes_put(struct bytes *bytes, const void *data, size_t size)
{
    if (bytes->size + size > bytes->room) {
        bytes->room = (bytes->size + size) * 2;
        bytes->data = realloc(bytes->data, bytes->room);
        if (bytes->data == NULL) {
            abort();
        }
    }
    if (size > 0) {
        memcpy(bytes->data + bytes->size, data, size);
        bytes->size += size;
    }
}

void
bytes_put_number(struct bytes *bytes, uint64_t value, unsigned n_bytes)
{
    for (unsigned i = 0; i < n_bytes; i++) {
        uint8_t byte = (uint8_t)(value >> (8 * i));

        bytes_put(bytes, &byte, 1);
    }
}

void
bytes_free(struct bytes *bytes)
{
    free(bytes->data);
    memset(bytes, 0, sizeof *bytes);
}

uint64_t
bytes_number(const uint8_t *at, unsigned n_bytes)
{
    uint64_t value = 0;

    for (unsigned i = n_bytes; i > 0; i--) {
        value = value << 8 | at[i - 1];
    }
    return value;
}

/* -- messages -------------------------------------------------------------- */

void
put_header(struct bytes *bytes, uint16_t keep, uint64_t session, uint64_t seq)
{
    bytes_put_number(bytes, 1, 1);
    bytes_put_number(bytes, 0, 1);
    bytes_put_number(bytes, keep, 2);
    bytes_put_number(bytes, 0, 4);
    bytes_put_number(bytes, session, 8);
    bytes_put_number(bytes, seq, 8);
}

void
put_frame(struct bytes *bytes, uint8_t type, uint8_t flags, uint16_t aux,
          uint64_t call, const void *payload, size_t size)
{
    bytes_put_number(bytes, type, 1);
    bytes_put_number(bytes, flags, 1);
    bytes_put_number(bytes, aux, 2);
    bytes_put_number(bytes, size, 4);
    bytes_put_number(bytes, call, 8);
    bytes_put(bytes, payload, size);
}

void
put_hello(struct bytes *bytes, uint32_t contexts, uint32_t message_size_max)
{
    struct bytes payload = {0};

    bytes_put_number(&payload, contexts, 4);
    bytes_put_number(&payload, message_size_max, 4);
    bytes_put_number(&payload, 0, 8);
    bytes_put_number(&payload, STREAM_WINDOW, 4);
    put_frame(bytes, HELLO, 0, 0, 0, payload.data, payload.size);
    bytes_free(&payload);
}

void
put_method(struct bytes *bytes, uint16_t number, const char *path)
{
    put_frame(bytes, METHOD, 0, number, 0, path, strlen(path));
}

static void
put_call_with(struct bytes *bytes, uint8_t flags, uint64_t call,
              uint16_t method, uint32_t timeout_ms, uint32_t size,
              const void *request, size_t now)
{
    struct bytes payload = {0};

    bytes_put_number(&payload, timeout_ms, 4);
    bytes_put_number(&payload, size, 4);
    bytes_put_number(&payload, 0, 4);
    bytes_put_number(&payload, 0, 2);
    bytes_put_number(&payload, 0, 2);
    bytes_put(&payload, request, now);
    put_frame(bytes, CALL, flags, method, call, payload.data, payload.size);
    bytes_free(&payload);
}

void
put_call(struct bytes *bytes, uint64_t call, uint16_t method,
         uint32_t timeout_ms, const void *request, size_t size)
{
    put_call_with(bytes, END, call, method, timeout_ms, (uint32_t)size, request,
                  size);
}

void
put_call_part(struct bytes *bytes, uint64_t call, uint16_t method,
              uint32_t size, const void *request, size_t now)
{
    put_call_with(bytes, END, call, method, 0, size, request, now);
}

void
put_open(struct bytes *bytes, uint64_t call, uint16_t method,
         uint32_t timeout_ms)
{
    put_call_with(bytes, 0, call, method, timeout_ms, 0, NULL, 0);
}

void
put_start(struct bytes *bytes, uint8_t flags, uint64_t call, uint32_t size,
          const void *data, size_t now)
{
    struct bytes payload = {0};

    bytes_put_number(&payload, size, 4);
    bytes_put(&payload, data, now);
    put_frame(bytes, DATA, START | flags, 0, call, payload.data, payload.size);
    bytes_free(&payload);
}

void
put_window(struct bytes *bytes, uint64_t call, uint32_t grant)
{
    struct bytes payload = {0};

    bytes_put_number(&payload, grant, 4);
    put_frame(bytes, WINDOW, 0, 0, call, payload.data, payload.size);
    bytes_free(&payload);
}

void
put_status(struct bytes *bytes, uint8_t flags, uint64_t call, uint8_t code,
           const char *text)
{
    struct bytes payload = {0};

    bytes_put_number(&payload, code, 1);
    bytes_put_number(&payload, 1, 1);
    bytes_put_number(&payload, 0, 2);
    bytes_put_number(&payload, strlen(text), 4);
    bytes_put_number(&payload, 0, 4);
    bytes_put_number(&payload, 0, 4);
    bytes_put(&payload, text, strlen(text));
    put_frame(bytes, STATUS, flags, 0, call, payload.data, payload.size);
    bytes_free(&payload);
}

bool
next_frame(const struct bytes *message, size_t *at, struct frame *ret_frame)
{
    const uint8_t *head;

    if (message->size < *at + FRAME_SIZE) {
        return false;
    }
    head = message->data + *at;
    ret_frame->type = head[0];
    ret_frame->flags = head[1];
    ret_frame->aux = (uint16_t)bytes_number(head + 2, 2);
    ret_frame->size = (uint32_t)bytes_number(head + 4, 4);
    ret_frame->call = bytes_number(head + 8, 8);
    ret_frame->payload = head + FRAME_SIZE;
    if (ret_frame->size > message->size - *at - FRAME_SIZE) {
        return false;
    }
    *at += FRAME_SIZE + ret_frame->size;
    return true;
}

bool
find_frame(const struct bytes *message, uint8_t type, uint64_t call,
           struct frame *ret_frame)
{
    size_t at = HEADER_SIZE;

    while (next_frame(message, &at, ret_frame)) {
        if (ret_frame->type == type && ret_frame->call == call) {
            return true;
        }
    }
    return false;
}
