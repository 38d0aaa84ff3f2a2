/*
 * Messages as JSON and back: protobuf's own mapping, as every implementation of
 * it has. Names are lowerCamelCase or what json_name says, 64-bit integers are
 * strings, bytes are base64, enums are names, maps are objects; Timestamp,
 * Duration, FieldMask, the wrappers, Struct, Value, ListValue and Any have
 * forms of their own.
 *
 *   struct rpcrt_json_error error;
 *   ProtobufCMessage *message;
 *   if (rpcrt_json_parse(text, strlen(text), &kv__v1__put_request__descriptor,
 *                        &kv_v1_kv_proto, NULL, &message, &error) != RPCRT_OK)
 *       fprintf(stderr, "%s\n", error.text);
 *
 * What differs: strings cannot hold U+0000, as C's cannot. Nothing here waits
 * or keeps anything; any thread may call it.
 */
#ifndef RPCRT_JSON_H
#define RPCRT_JSON_H

#include <protobuf-c/protobuf-c.h>
#include <rpcrt/api.h>
#include <rpcrt/limits.h>
#include <rpcrt/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

RPCRT_BEGIN_DECLS

struct rpcrt_file;

/** Zeroed: the mapping as it is usual, and malloc(). */
struct rpcrt_json_options {
    /* When printing: */
    bool pretty;        /* several lines, indented by two spaces */
    bool emit_defaults; /* also fields without presence that have none */
    bool proto_names;   /* names as in the .proto: "pet_id", not "petId" */
    bool enum_numbers;  /* numbers instead of names */
    bool redact;        /* "[redacted]" for what is sensitive; for logs */
    /* When parsing: */
    bool ignore_unknown; /* pass over unknown fields and names of enums */
    /* Takes all memory, and so limits it; NULL: malloc() and free(). */
    ProtobufCAllocator *allocator;
};

#define RPCRT_JSON_PATH_SIZE 256u

/** Why it was refused. */
struct rpcrt_json_error {
    enum rpcrt_code code;
    uint32_t line;                   /* from 1; 0 where there is no text */
    uint32_t column;                 /* from 1, in characters */
    char path[RPCRT_JSON_PATH_SIZE]; /* of the field: items[2].price; or "" */
    char text[RPCRT_TEXT_SIZE];      /* all of it, for people */
};

/**
 * Write a message.
 *
 * file      the generated table of the message's .proto. Types within an Any
 *           are those of this file and what it imports
 * options   NULL: the defaults
 * ret_text  the caller's to free, by the allocator; a zero byte ends it
 * ret_size  its length without that; may be NULL
 * ret_error written on failure; may be NULL
 * Returns   OK; INVALID_ARGUMENT for what JSON has no form for (a Timestamp out
 *           of range, a string that is no UTF-8); NOT_FOUND for a type that the
 *           tables do not have; RESOURCE_EXHAUSTED without memory or nested too
 *           deep.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code
rpcrt_json_print(const ProtobufCMessage *message, const struct rpcrt_file *file,
                 const struct rpcrt_json_options *options, char **ret_text,
                 size_t *ret_size, struct rpcrt_json_error *ret_error);

/**
 * Read a message: one JSON value and nothing behind it.
 *
 * text        need not end with a zero byte
 * ret_message the caller's, to give to protobuf_c_message_free_unpacked() with
 *             the allocator
 * Returns     OK; INVALID_ARGUMENT for a text that is not JSON or not of this
 *             message; NOT_FOUND if the tables do not have the descriptor;
 *             RESOURCE_EXHAUSTED without memory or nested too deep.
 */
RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code rpcrt_json_parse(
    const char *text, size_t size, const ProtobufCMessageDescriptor *descriptor,
    const struct rpcrt_file *file, const struct rpcrt_json_options *options,
    ProtobufCMessage **ret_message, struct rpcrt_json_error *ret_error);

RPCRT_END_DECLS

#endif
