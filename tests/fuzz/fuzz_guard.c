/*
 * The guard and protobuf-c agree: what the guard takes, protobuf-c unpacks and
 * packs again into something that the guard takes; what it refuses, protobuf-c
 * cannot unpack, or the reason is one of those it does not know. The first byte
 * chooses the message.
 */
#include "core/arena.h"
#include "support/sample.pb-c.h"
#include "support/sample2.pb-c.h"
#include "wire/guard.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What only the guard minds. */
static bool
is_stricter(const struct rpcrt__error *error)
{
    static const char *const reasons[] = {
        ": invalid UTF-8 at ",
        ": zero byte in a string at ",
        ": bad tag at ",
        ": given twice at ",
        ".flag: wrong wire type ",
        ".flag_choice: wrong wire type ",
        ".flags: wrong wire type ",
        ": messages nested too deep",
        ": too many unknown fields",
    };
    size_t i;

    for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strstr(error->text, reasons[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void
pack_again(const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(size > 0 ? size : 1);
    struct rpcrt__error error;

    if (packed == NULL) {
        return;
    }
    if (protobuf_c_message_pack(message, packed) != size ||
        rpcrt__guard_check(message->descriptor, packed, size, &error) !=
            RPCRT_OK) {
        abort();
    }
    free(packed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const descriptors[] = {
        &sample__v1__everything__descriptor, &sample__v1__node__descriptor,
        &sample__v1__empty__descriptor,      &sample__v2__old__descriptor,
        &sample__v2__wide__descriptor,
    };
    const ProtobufCMessageDescriptor *descriptor;
    struct rpcrt__error error;
    struct rpcrt__arena arena;
    ProtobufCMessage *message;
    enum rpcrt_code code;

    if (size == 0) {
        return 0;
    }
    descriptor =
        descriptors[*data % (sizeof descriptors / sizeof descriptors[0])];
    data++;
    size--;
    code = rpcrt__guard_check(descriptor, data, size, &error);
    rpcrt__arena_init(&arena, (size_t)1 << 28);
    if (code == RPCRT_OK || !is_stricter(&error)) {
        message =
            protobuf_c_message_unpack(descriptor, &arena.allocator, size, data);
        if ((message != NULL) != (code == RPCRT_OK) && !arena.exhausted) {
            abort();
        }
        if (message != NULL) {
            pack_again(message);
        }
    }
    rpcrt__arena_fini(&arena);
    return 0;
}
