/*
 * JSON to a message: the text is turned into the bytes of the message, guided
 * by the descriptor, and these are checked and unpacked like any others. So
 * there is one place that knows how structs are filled.
 */
#include <rpcrt/json.h>

#include "core/utf8.h"
#include "wire/guard.h"
#include "wire/json_parse.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* -- problems -------------------------------------------------------------- */

bool
rpcrt__json_parse_refuse(struct rpcrt__json_parse *parse, const uint8_t *at,
                         const char *problem)
{
    return rpcrt__json_refuse(&parse->scan, at, problem);
}

bool
rpcrt__json_parse_no_memory(const struct rpcrt__json_parse *parse)
{
    return parse->out.failed || parse->decoded.failed || parse->seen.failed;
}

struct rpcrt__json_place *
rpcrt__json_parse_enter(struct rpcrt__json_parse *parse)
{
    static const struct rpcrt__json_place nowhere;
    struct rpcrt__json_place *place = &parse->places[parse->n_places];

    /* There is room as long as the depth is bounded. */
    parse->n_places += parse->n_places < RPCRT__JSON_PLACES_MAX - 1;
    *place = nowhere;
    return place;
}

void
rpcrt__json_parse_leave(struct rpcrt__json_parse *parse)
{
    parse->n_places--;
}

/* The depth of a message within one at `depth`. */
bool
rpcrt__json_parse_deeper(struct rpcrt__json_parse *parse, unsigned depth)
{
    if (depth >= RPCRT_MESSAGE_DEPTH_MAX) {
        parse->code = RPCRT_RESOURCE_EXHAUSTED;
        return rpcrt__json_parse_refuse(parse, parse->scan.at,
                                        "messages nested too deep");
    }
    return true;
}

/* -- messages -------------------------------------------------------------- */

bool
rpcrt__json_parse_message(struct rpcrt__json_parse *parse,
                          const ProtobufCMessageDescriptor *descriptor,
                          unsigned depth)
{
    struct rpcrt__json_type type;
    bool added;

    if (!rpcrt__json_type_get(&parse->schema, descriptor, &type)) {
        parse->code = RPCRT_NOT_FOUND;
        return rpcrt__json_parse_refuse(
            parse, parse->scan.at,
            "a type that is not in the tables of the .proto");
    }
    switch (type.kind) {
    case RPCRT__JSON_ANY:
        return rpcrt__json_parse_any(parse, depth);
    case RPCRT__JSON_TIMESTAMP:
    case RPCRT__JSON_DURATION:
        return rpcrt__json_parse_time(parse, type.kind);
    case RPCRT__JSON_FIELD_MASK:
        return rpcrt__json_parse_field_mask(parse);
    case RPCRT__JSON_STRUCT:
        return rpcrt__json_parse_map(parse, &descriptor->fields[0], depth);
    case RPCRT__JSON_VALUE:
        return rpcrt__json_parse_any_value(parse, descriptor, depth);
    case RPCRT__JSON_LIST_VALUE:
        return rpcrt__json_parse_array(parse, &descriptor->fields[0], depth);
    case RPCRT__JSON_WRAPPER:
        return rpcrt__json_parse_value(parse, &descriptor->fields[0], depth,
                                       &added);
    case RPCRT__JSON_ORDINARY:
    case RPCRT__JSON_MAP_ENTRY:
    case RPCRT__JSON_EMPTY:
    default:
        return rpcrt__json_parse_object(parse, &type, false, depth);
    }
}

/* -- what is wrong, and where ---------------------------------------------- */

/* Write where the text was when it was refused. */
static void
write_path(const struct rpcrt__json_parse *parse, char *path, size_t size)
{
    size_t at = 0;
    unsigned i;

    for (i = 0; i < parse->n_places; i++) {
        const struct rpcrt__json_place *place = &parse->places[i];
        struct rpcrt__json_slice key = place->key;
        int n;

        if (place->field != NULL) {
            n = snprintf(path + at, size - at, "%s%s", at > 0 ? "." : "",
                         place->field);
        } else if (key.data != NULL) {
            n = snprintf(path + at, size - at, "[\"%.*s\"]",
                         (int)(key.size < size ? key.size : size), key.data);
        } else {
            n = snprintf(path + at, size - at, "[%zu]", place->index);
        }
        if (n < 0 || (size_t)n >= size - at) {
            path[rpcrt__utf8_cut(path, size - 1)] = '\0';
            return;
        }
        at += (size_t)n;
    }
}

static void
describe(const struct rpcrt__json_parse *parse, const char *descriptor_name,
         struct rpcrt_json_error *error)
{
    const uint8_t *at;

    memset(error, 0, sizeof *error);
    error->line = 1;
    error->column = 1;
    for (at = parse->scan.start; at < parse->scan.problem_at; at++) {
        if (*at == '\n') {
            error->line++;
            error->column = 1;
        } else {
            error->column += (*at & 0xc0) != 0x80;
        }
    }
    write_path(parse, error->path, sizeof error->path);
    (void)snprintf(error->text, sizeof error->text,
                   "line %" PRIu32 ", column %" PRIu32 ": %s: %s", error->line,
                   error->column,
                   error->path[0] != '\0' ? error->path : descriptor_name,
                   parse->scan.problem);
}

/* Unpack the bytes, if they have everything that is required. */
static enum rpcrt_code
unpack(struct rpcrt__json_parse *parse,
       const ProtobufCMessageDescriptor *descriptor,
       ProtobufCAllocator *allocator, ProtobufCMessage **ret_message,
       struct rpcrt_json_error *error)
{
    static uint8_t nothing[1];
    const uint8_t *data = parse->out.size > 0 ? parse->out.data : nothing;
    struct rpcrt__error reason;
    ProtobufCMessage *message;

    if (rpcrt__guard_check(descriptor, data, parse->out.size, &reason) !=
        RPCRT_OK) {
        memset(error, 0, sizeof *error);
        memcpy(error->text, reason.text, sizeof error->text);
        return reason.code;
    }
    message =
        protobuf_c_message_unpack(descriptor, allocator, parse->out.size, data);
    if (message == NULL) {
        (void)rpcrt__json_parse_refuse(parse, parse->scan.at, "no memory");
        describe(parse, descriptor->name, error);
        return RPCRT_RESOURCE_EXHAUSTED;
    }
    *ret_message = message;
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt_json_parse(const char *text, size_t size,
                 const ProtobufCMessageDescriptor *descriptor,
                 const struct rpcrt_file *file,
                 const struct rpcrt_json_options *options,
                 ProtobufCMessage **ret_message,
                 struct rpcrt_json_error *ret_error)
{
    static const struct rpcrt_json_options defaults;
    struct rpcrt__json_parse parse = {.code = RPCRT_INVALID_ARGUMENT};
    struct rpcrt_json_error error;
    ProtobufCAllocator *allocator;
    enum rpcrt_code code;

    options = options != NULL ? options : &defaults;
    allocator = rpcrt__json_allocator(options->allocator);
    parse.ignore_unknown = options->ignore_unknown;
    parse.scan.start = (const uint8_t *)text;
    parse.scan.at = parse.scan.start;
    parse.scan.end = parse.scan.start + size;
    rpcrt__json_schema_init(&parse.schema, file);
    rpcrt__json_buffer_init(&parse.out, allocator);
    rpcrt__json_buffer_init(&parse.decoded, allocator);
    rpcrt__json_buffer_init(&parse.seen, allocator);
    if (rpcrt__json_parse_message(&parse, descriptor, 0) &&
        rpcrt__json_end(&parse.scan) && !rpcrt__json_parse_no_memory(&parse)) {
        code = unpack(&parse, descriptor, allocator, ret_message, &error);
    } else {
        (void)rpcrt__json_parse_refuse(&parse, parse.scan.at, "no memory");
        describe(&parse, descriptor->name, &error);
        code = rpcrt__json_parse_no_memory(&parse) ? RPCRT_RESOURCE_EXHAUSTED
                                                   : parse.code;
    }
    rpcrt__json_buffer_fini(&parse.out);
    rpcrt__json_buffer_fini(&parse.decoded);
    rpcrt__json_buffer_fini(&parse.seen);
    if (code != RPCRT_OK && ret_error != NULL) {
        error.code = code;
        *ret_error = error;
    }
    return code;
}
