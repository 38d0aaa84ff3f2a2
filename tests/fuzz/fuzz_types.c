/*
 * Descriptors from anybody: they make types or are refused with a text. What
 * they make, protobuf-c, the guard and JSON use without harm: the bytes of the
 * descriptor itself are read as each of its messages.
 */
#include <rpcrt/json.h>
#include <rpcrt/rpcrt.h>
#include <rpcrt/types.h>

#include "core/arena.h"
#include "wire/guard.h"

#include <rpcrt/gen.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MESSAGES_MAX 32u

static void
use(const ProtobufCMessageDescriptor *descriptor, const struct rpcrt_file *file,
    const uint8_t *data, size_t size)
{
    struct rpcrt_json_options options = {.emit_defaults = size % 2 == 0,
                                         .redact = size % 3 == 0};
    struct rpcrt__error error;
    struct rpcrt__arena arena;
    ProtobufCMessage *message = NULL;
    uint8_t *packed;
    char *text;

    rpcrt__arena_init(&arena, (size_t)1 << 22);
    options.allocator = &arena.allocator;
    if (rpcrt__guard_check(descriptor, data, size, &error) == RPCRT_OK) {
        message =
            protobuf_c_message_unpack(descriptor, &arena.allocator, size, data);
    }
    if (message != NULL) {
        size = protobuf_c_message_get_packed_size(message);
        packed = rpcrt__arena_alloc(&arena, size);
        if (packed != NULL &&
            protobuf_c_message_pack(message, packed) != size) {
            abort();
        }
        (void)!rpcrt_json_print(message, file, &options, &text, NULL, NULL);
    }
    (void)!rpcrt_json_parse("{}", 2, descriptor, file, &options, &message,
                            NULL);
    rpcrt__arena_fini(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpcrt_types *types = NULL;
    enum rpcrt_code code;
    size_t i;
    size_t j;

    if (rpcrt_types_new(&types) != RPCRT_OK) {
        return 0;
    }
    code = rpcrt_types_add_set(types, data, size);
    while (code == RPCRT_OK && rpcrt_types_missing(types) != NULL) {
    }
    if (code == RPCRT_OK) {
        code = rpcrt_types_link(types);
    }
    if (code != RPCRT_OK && rpcrt_last_error()[0] == '\0') {
        abort();
    }
    for (i = 0; code == RPCRT_OK && i < 8; i++) {
        const struct rpcrt_file *file = rpcrt_types_file_at(types, i);

        for (j = 0; file != NULL && j < file->n_messages && j < MESSAGES_MAX;
             j++) {
            if (rpcrt_types_message(types, file->messages[j]->name) !=
                file->messages[j]) {
                abort();
            }
            use(file->messages[j], file, data, size);
        }
    }
    rpcrt_types_free(types);
    return 0;
}
