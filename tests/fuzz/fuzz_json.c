/*
 * JSON from anybody: whatever is read is written again, and reads as the same
 * message. The first byte chooses the message and how it is read. Whatever
 * protobuf's bytes unpack to is written, or refused, without harm.
 */
#include <rpcrt/json.h>

#include "core/arena.h"
#include "support/json.rpc.h"
#include "support/sample.rpc.h"
#include "support/sample2.rpc.h"
#include "wire/guard.h"

#include <rpcrt/gen.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct subject {
    const ProtobufCMessageDescriptor *descriptor;
    const struct rpcrt_file *file;
};

/* Packed into the arena, which may be too small: then NULL. */
static uint8_t *
pack(const ProtobufCMessage *message, struct rpcrt__arena *arena,
     size_t *ret_size)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = rpcrt__arena_alloc(arena, size);

    if (packed != NULL && protobuf_c_message_pack(message, packed) != size) {
        abort();
    }
    *ret_size = size;
    return packed;
}

/* Write a message that was read, and read it again. */
static void
go_round(const ProtobufCMessage *message, const struct subject *subject,
         const struct rpcrt_json_options *options, struct rpcrt__arena *arena)
{
    struct rpcrt_json_error error;
    ProtobufCMessage *again;
    enum rpcrt_code code;
    uint8_t *first;
    uint8_t *second;
    size_t first_size = 0;
    size_t second_size = 0;
    size_t size;
    char *text;

    code =
        rpcrt_json_print(message, subject->file, options, &text, &size, &error);
    if (code != RPCRT_OK) {
        /* A path of a FieldMask may be read that is not written. */
        if (code != RPCRT_RESOURCE_EXHAUSTED &&
            strstr(error.text, "FieldMask") == NULL) {
            abort();
        }
        return;
    }
    code = rpcrt_json_parse(text, size, subject->descriptor, subject->file,
                            options, &again, &error);
    if (code != RPCRT_OK) {
        if (code != RPCRT_RESOURCE_EXHAUSTED) {
            abort();
        }
        return;
    }
    first = pack(message, arena, &first_size);
    second = pack(again, arena, &second_size);
    if (first != NULL && second != NULL &&
        (first_size != second_size || memcmp(first, second, first_size) != 0)) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct subject subjects[] = {
        {&sample__json__all__descriptor, &support_json_proto},
        {&sample__json__known__descriptor, &support_json_proto},
        {&sample__json__maps__descriptor, &support_json_proto},
        {&sample__v1__everything__descriptor, &support_sample_proto},
        {&sample__v2__old__descriptor, &support_sample2_proto},
    };
    const struct subject *subject;
    struct rpcrt_json_options options = {.pretty = false};
    struct rpcrt_json_error error;
    struct rpcrt__error reason;
    struct rpcrt__arena arena;
    ProtobufCMessage *message;
    char *text;

    if (size == 0) {
        return 0;
    }
    rpcrt__arena_init(&arena, (size_t)1 << 24);
    options.allocator = &arena.allocator;
    options.ignore_unknown = (*data & 0x20) != 0;
    options.pretty = (*data & 0x40) != 0;
    options.emit_defaults = (*data & 0x80) != 0;
    subject =
        &subjects[(*data & 0x0f) % (sizeof subjects / sizeof subjects[0])];
    data++;
    size--;
    if ((data[-1] & 0x10) != 0) {
        if (rpcrt__guard_check(subject->descriptor, data, size, &reason) ==
            RPCRT_OK) {
            message = protobuf_c_message_unpack(subject->descriptor,
                                                &arena.allocator, size, data);
            if (message != NULL) {
                (void)!rpcrt_json_print(message, subject->file, &options, &text,
                                        NULL, &error);
            }
        }
    } else if (rpcrt_json_parse((const char *)data, size, subject->descriptor,
                                subject->file, &options, &message,
                                &error) == RPCRT_OK) {
        go_round(message, subject, &options, &arena);
    } else if (error.text[0] == '\0' || error.code == RPCRT_OK) {
        abort();
    }
    rpcrt__arena_fini(&arena);
    return 0;
}
