/*
 * Types made at run time do what the generated ones of the same .proto do, on
 * random messages. What is refused is in test_types_refused.c.
 */
#include <rpcrt/json.h>
#include <rpcrt/rpcrt.h>
#include <rpcrt/types.h>

#include "kv/v1/kv.rpc.h"
#include "payment/v1/payment.rpc.h"
#include "petstore/v1/petstore.rpc.h"
#include "support/faulty_alloc.h"
#include "support/json.rpc.h"
#include "support/probe.rpc.h"
#include "support/proxy.rpc.h"
#include "support/sample.rpc.h"
#include "support/sample2.rpc.h"
#include "wire/guard.h"

#include <criterion/criterion.h>
#include <rpcrt/gen.h>
#include <stdlib.h>
#include <string.h>

static const struct rpcrt_file *const generated[] = {
    &support_json_proto,
    &support_sample_proto,
    &support_sample2_proto,
    &support_probe_proto,
    &kv_v1_kv_proto,
    &payment_v1_payment_proto,
    &petstore_v1_petstore_proto,
    &support_proxy_proto};
#define N_GENERATED (sizeof generated / sizeof generated[0])

/* Importers first, so that imports come late. */
static void
add_with_imports(struct rpcrt_types *types, const struct rpcrt_file *file)
{
    size_t i;

    cr_assert_eq(
        rpcrt_types_add(types, file->descriptor, file->descriptor_size),
        RPCRT_OK, "%s", rpcrt_last_error());
    for (i = 0; i < file->n_imports; i++) {
        add_with_imports(types, file->imports[i]);
    }
}

static struct rpcrt_types *
types_of(const struct rpcrt_file *file)
{
    struct rpcrt_types *types = NULL;

    cr_assert_eq(rpcrt_types_new(&types), RPCRT_OK);
    add_with_imports(types, file);
    cr_assert_eq(rpcrt_types_link(types), RPCRT_OK, "%s", rpcrt_last_error());
    return types;
}

/* -- random messages ------------------------------------------------------- */

static uint64_t state = 1;

static uint64_t
random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

#define OUT_SIZE ((size_t)1 << 16)

struct out {
    uint8_t bytes[OUT_SIZE];
    size_t size;
};

static void
put_varint(struct out *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) {
        out->bytes[out->size++] = (uint8_t)(value | 0x80);
    }
    out->bytes[out->size++] = (uint8_t)value;
}

static void put_message(struct out *out,
                        const ProtobufCMessageDescriptor *descriptor,
                        unsigned depth);

static void
put_value(struct out *out, const ProtobufCFieldDescriptor *field,
          unsigned depth)
{
    static const char *const texts[] = {"", "a", "z\xc3\xa4hlen", "x y"};
    static const uint64_t numbers[] = {0, 1, 5, 300, UINT64_MAX, INT64_MAX};
    uint64_t number = numbers[random_number() % 6];
    const char *text = texts[random_number() % 4];
    struct out *inner;
    size_t size = 8;

    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
        size = 4;
        /* fall through */
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
        put_varint(out, (uint64_t)field->id << 3 | (size == 4 ? 5 : 1));
        memset(out->bytes + out->size, (int)(number & 0x3f), size);
        out->size += size;
        return;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        put_varint(out, (uint64_t)field->id << 3 | 2);
        put_varint(out, strlen(text));
        memcpy(out->bytes + out->size, text, strlen(text));
        out->size += strlen(text);
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        inner = malloc(sizeof *inner);
        inner->size = 0;
        put_message(inner, field->descriptor, depth + 1);
        put_varint(out, (uint64_t)field->id << 3 | 2);
        put_varint(out, inner->size);
        memcpy(out->bytes + out->size, inner->bytes, inner->size);
        out->size += inner->size;
        free(inner);
        return;
    default:
        put_varint(out, (uint64_t)field->id << 3);
        put_varint(out, number);
    }
}

static void
put_message(struct out *out, const ProtobufCMessageDescriptor *descriptor,
            unsigned depth)
{
    unsigned i;

    for (i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        uint64_t n = random_number() % 4;

        n = field->label == PROTOBUF_C_LABEL_REQUIRED   ? n > 0
            : field->label == PROTOBUF_C_LABEL_REPEATED ? n
                                                        : n > 1;
        if (depth > 3 && field->type == PROTOBUF_C_TYPE_MESSAGE) {
            n = 0;
        }
        for (; n > 0 && out->size < OUT_SIZE / 16; n--) {
            put_value(out, field, depth);
        }
    }
}

/* -- comparing ------------------------------------------------------------- */

static void
compare_json(const ProtobufCMessage *expected, const struct rpcrt_file *file,
             const ProtobufCMessage *actual, const struct rpcrt_file *made)
{
    struct rpcrt_json_options options = {.emit_defaults =
                                             random_number() % 2 == 0};
    struct rpcrt_json_error error;
    struct rpcrt_json_error made_error;
    ProtobufCMessage *parsed = NULL;
    char *text = NULL;
    char *made_text = NULL;
    enum rpcrt_code code =
        rpcrt_json_print(expected, file, &options, &text, NULL, &error);

    cr_assert_eq(
        rpcrt_json_print(actual, made, &options, &made_text, NULL, &made_error),
        code);
    if (code != RPCRT_OK) {
        cr_assert_str_eq(error.text, made_error.text);
        return;
    }
    cr_assert_str_eq(made_text, text);
    code = rpcrt_json_parse(text, strlen(text), actual->descriptor, made, NULL,
                            &parsed, &made_error);
    if (code == RPCRT_OK) {
        protobuf_c_message_free_unpacked(parsed, NULL);
    } else {
        cr_assert_eq(rpcrt_json_parse(text, strlen(text), expected->descriptor,
                                      file, NULL, &parsed, &error),
                     code);
        cr_assert_str_eq(made_error.text, error.text);
    }
    free(text);
    free(made_text);
}

/* Whether the message could be read; by both or by none. */
static bool
compare_message(const ProtobufCMessageDescriptor *expected,
                const struct rpcrt_file *file,
                const ProtobufCMessageDescriptor *actual,
                const struct rpcrt_file *made, const struct out *in)
{
    struct rpcrt__error error;
    struct rpcrt__error made_error;
    enum rpcrt_code code =
        rpcrt__guard_check(expected, in->bytes, in->size, &error);
    ProtobufCMessage *message;
    ProtobufCMessage *made_message;
    uint8_t *packed;
    uint8_t *made_packed;
    size_t size;

    cr_assert_eq(rpcrt__guard_check(actual, in->bytes, in->size, &made_error),
                 code);
    if (code != RPCRT_OK) {
        cr_assert_str_eq(made_error.text, error.text);
        return false;
    }
    message = protobuf_c_message_unpack(expected, NULL, in->size, in->bytes);
    made_message = protobuf_c_message_unpack(actual, NULL, in->size, in->bytes);
    cr_assert_not_null(message);
    cr_assert_not_null(made_message);
    size = protobuf_c_message_get_packed_size(message);
    cr_assert_eq(protobuf_c_message_get_packed_size(made_message), size);
    packed = malloc(size + 1);
    made_packed = malloc(size + 1);
    cr_assert_eq(protobuf_c_message_pack(message, packed), size);
    cr_assert_eq(protobuf_c_message_pack(made_message, made_packed), size);
    cr_assert(memcmp(made_packed, packed, size) == 0, "%s", expected->name);
    compare_json(message, file, made_message, made);
    protobuf_c_message_free_unpacked(message, NULL);
    protobuf_c_message_free_unpacked(made_message, NULL);
    free(packed);
    free(made_packed);
    return true;
}

Test(types, do_what_generated_ones_do, .timeout = 120)
{
    struct out *out = malloc(sizeof *out);
    size_t n_read = 0;
    size_t i;
    size_t j;
    unsigned k;

    for (i = 0; i < N_GENERATED; i++) {
        const struct rpcrt_file *file = generated[i];
        struct rpcrt_types *types = types_of(file);
        const struct rpcrt_file *made = rpcrt_types_file(types, file->name);

        cr_assert_eq(made->n_messages, file->n_messages);
        for (j = 0; j < file->n_messages; j++) {
            const ProtobufCMessageDescriptor *expected = file->messages[j];
            const ProtobufCMessageDescriptor *actual =
                rpcrt_types_message(types, expected->name);

            cr_assert_not_null(actual, "%s", expected->name);
            for (k = 0; k < 60; k++) {
                out->size = 0;
                put_message(out, expected, 0);
                n_read +=
                    compare_message(expected, file, actual, made, out) ? 1 : 0;
            }
        }
        rpcrt_types_free(types);
    }
    cr_assert_gt(n_read, 1000);
    free(out);
}

Test(types, services_have_the_paths_and_flags_of_generated_ones)
{
    struct rpcrt_types *types = types_of(&kv_v1_kv_proto);
    const struct rpcrt_service *made = rpcrt_types_service(types, kv_rpc.name);
    size_t i;

    cr_assert_not_null(made);
    cr_assert_eq(made->n_methods, kv_rpc.n_methods);
    for (i = 0; i < made->n_methods; i++) {
        const struct rpcrt_method *method = &kv_rpc.methods[i];
        const char *name = strrchr(method->path, '/') + 1;
        const struct rpcrt_file *file = NULL;

        cr_assert_eq(rpcrt_types_method(types, made->name, name, &file),
                     &made->methods[i]);
        cr_assert_str_eq(made->methods[i].path, method->path);
        cr_assert_str_eq(made->methods[i].request->name, method->request->name);
        cr_assert_str_eq(made->methods[i].reply->name, method->reply->name);
        cr_assert_eq(made->methods[i].flags,
                     method->flags & ~(unsigned)RPCRT_METHOD_NONBLOCKING);
        cr_assert_str_eq(file->name, kv_v1_kv_proto.name);
    }
    rpcrt_types_free(types);
}

Test(types, secrets_are_redacted)
{
    struct rpcrt_types *types = types_of(&petstore_v1_petstore_proto);
    const struct rpcrt_file *file =
        rpcrt_types_file(types, petstore_v1_petstore_proto.name);
    const ProtobufCMessageDescriptor *type =
        rpcrt_types_message(types, "petstore.v1.LoginRequest");
    struct rpcrt_json_options options = {.redact = true};
    ProtobufCMessage *message = NULL;
    static const char text[] = "{\"password\":\"secret\"}";
    char *shown = NULL;

    cr_assert_not_null(type);
    cr_assert_eq(
        rpcrt_json_parse(text, strlen(text), type, file, NULL, &message, NULL),
        RPCRT_OK);
    cr_assert_eq(rpcrt_json_print(message, file, &options, &shown, NULL, NULL),
                 RPCRT_OK);
    cr_assert_str_eq(shown, "{\"password\":\"[redacted]\"}");
    free(shown);
    protobuf_c_message_free_unpacked(message, NULL);
    rpcrt_types_free(types);
}

Test(types, without_memory_it_says_so_and_loses_nothing)
{
    struct rpcrt_types *types;
    enum rpcrt_code code;
    uint64_t n;

    faulty_alloc_install();
    for (n = 0;; n++) {
        const struct rpcrt_file *file = &support_sample_proto;

        faulty_alloc_fail_at(n);
        types = NULL;
        code = rpcrt_types_new(&types);
        if (code == RPCRT_OK) {
            code =
                rpcrt_types_add(types, file->descriptor, file->descriptor_size);
        }
        if (code == RPCRT_OK) {
            code = rpcrt_types_link(types);
        }
        rpcrt_types_free(types);
        cr_assert_eq(faulty_alloc_live(), 0);
        if (!faulty_alloc_failed()) {
            break;
        }
        cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED);
    }
    faulty_alloc_remove();
    cr_assert_gt(n, 2);
    cr_assert_eq(code, RPCRT_OK);
}
