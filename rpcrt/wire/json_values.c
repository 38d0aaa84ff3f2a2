/*
 * The values of fields: one, an array of them, or a map, as they stand on the
 * wire.
 */
#include "wire/json_parse.h"

#include "wire/json_scalar.h"

#include <stdlib.h>
#include <string.h>

/* -- single values --------------------------------------------------------- */

bool
rpcrt__json_parse_string(struct rpcrt__json_parse *parse,
                         struct rpcrt__json_slice *ret_text,
                         const uint8_t **ret_at)
{
    char c = rpcrt__json_peek(&parse->scan);

    *ret_at = parse->scan.at;

    if (c != '"') {
        return c != '\0' &&
               rpcrt__json_parse_refuse(parse, parse->scan.at, "not a string");
    }
    return rpcrt__json_string(&parse->scan, &parse->decoded, ret_text);
}

/* Read what is no object, array or null. */
static bool
take_token(struct rpcrt__json_parse *parse, struct rpcrt__json_token *token)
{
    const uint8_t *start;
    char c = rpcrt__json_peek(&parse->scan);

    token->quoted = c == '"';
    token->is_key = false;
    start = parse->scan.at;
    switch (c) {
    case '\0':
        return false;
    case '"':
        return rpcrt__json_string(&parse->scan, &parse->decoded, &token->text);
    case '0':
        return rpcrt__json_number(&parse->scan, &token->text);
    case 't':
    case 'f':
        if (!rpcrt__json_literal(&parse->scan)) {
            return false;
        }
        token->text.data = (const char *)start;
        token->text.size = (size_t)(parse->scan.at - start);
        return true;
    case 'n':
        return rpcrt__json_parse_refuse(parse, start,
                                        "null is not allowed here");
    default:
        return rpcrt__json_parse_refuse(parse, start,
                                        c == '{'
                                            ? "an object is not allowed here"
                                            : "an array is not allowed here");
    }
}

/* Whether null is one of its values. */
bool
rpcrt__json_takes_null(const ProtobufCFieldDescriptor *field)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;
    const ProtobufCMessageDescriptor *message = field->descriptor;
    const char *name = field->type == PROTOBUF_C_TYPE_ENUM      ? type->name
                       : field->type == PROTOBUF_C_TYPE_MESSAGE ? message->name
                                                                : NULL;

    return name != NULL && (strcmp(name, "google.protobuf.NullValue") == 0 ||
                            strcmp(name, "google.protobuf.Value") == 0);
}

/* One value of a field. *ret_added: false if it was passed over. */
bool
rpcrt__json_parse_value(struct rpcrt__json_parse *parse,
                        const ProtobufCFieldDescriptor *field, unsigned depth,
                        bool *ret_added)
{
    struct rpcrt__json_token token;
    size_t before = parse->out.size;
    const char *problem;
    const uint8_t *at;
    size_t mark;

    *ret_added = true;
    if (rpcrt__json_parse_no_memory(parse)) {
        return rpcrt__json_parse_refuse(parse, parse->scan.at, "no memory");
    }
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        if (!rpcrt__json_parse_deeper(parse, depth)) {
            return false;
        }
        mark = rpcrt__json_begin(field->id, &parse->out);
        if (!rpcrt__json_parse_message(parse, field->descriptor, depth + 1)) {
            return false;
        }
        rpcrt__json_finish(mark, &parse->out);
        return true;
    }
    if (rpcrt__json_peek(&parse->scan) == 'n' &&
        rpcrt__json_takes_null(field)) {
        rpcrt__json_add_varint(field->id, 0, &parse->out);
        return rpcrt__json_literal(&parse->scan);
    }
    at = parse->scan.at;
    if (!take_token(parse, &token)) {
        return false;
    }
    problem = rpcrt__json_scalar_add(field, &token, &parse->out);
    if (problem == rpcrt__json_no_name && parse->ignore_unknown) {
        parse->out.size = before;
        *ret_added = false;
        return true;
    }
    return problem == NULL || rpcrt__json_parse_refuse(parse, at, problem);
}

/* -- arrays and maps ------------------------------------------------------- */

bool
rpcrt__json_parse_bracket(struct rpcrt__json_parse *parse, char bracket)
{
    char c = rpcrt__json_peek(&parse->scan);

    if (c == '\0') {
        return false;
    }
    if (c != bracket) {
        return rpcrt__json_parse_refuse(parse, parse->scan.at,
                                        bracket == '{' ? "not an object"
                                                       : "not an array");
    }
    rpcrt__json_open(&parse->scan);
    return true;
}

bool
rpcrt__json_parse_array(struct rpcrt__json_parse *parse,
                        const ProtobufCFieldDescriptor *field, unsigned depth)
{
    struct rpcrt__json_place *place;
    bool first = true;
    bool added;

    if (!rpcrt__json_parse_bracket(parse, '[')) {
        return false;
    }
    place = rpcrt__json_parse_enter(parse);
    for (; rpcrt__json_next(&parse->scan, ']', &first); place->index++) {
        if (rpcrt__json_peek(&parse->scan) == 'n' &&
            !rpcrt__json_takes_null(field)) {
            return rpcrt__json_parse_refuse(parse, parse->scan.at,
                                            "null in an array");
        }
        if (!rpcrt__json_parse_value(parse, field, depth, &added)) {
            return false;
        }
    }
    if (parse->scan.problem != NULL) {
        return false;
    }
    rpcrt__json_parse_leave(parse);
    return true;
}

static int
compare_keys(const void *left, const void *right)
{
    const struct rpcrt__json_slice *a = left;
    const struct rpcrt__json_slice *b = right;
    size_t size = a->size < b->size ? a->size : b->size;
    int order = memcmp(a->data, b->data, size);

    return order != 0 ? order : (a->size > b->size) - (a->size < b->size);
}

/* Whether a key stands twice among n entries, which are on the wire. */
static bool
has_same_keys(struct rpcrt__json_parse *parse, const uint8_t *entries, size_t n)
{
    ProtobufCAllocator *allocator = parse->out.allocator;
    struct rpcrt__fields rest = {entries, parse->out.data + parse->out.size};
    struct rpcrt__json_slice *keys;
    struct rpcrt__wire_field entry;
    struct rpcrt__wire_field key;
    bool same = false;
    size_t i;

    keys = allocator->alloc(allocator->allocator_data, n * sizeof *keys);
    if (keys == NULL) {
        parse->out.failed = true;
        return rpcrt__json_parse_refuse(parse, parse->scan.at, "no memory");
    }
    for (i = 0; i < n && rpcrt__fields_next(&rest, &entry); i++) {
        keys[i].data = (const char *)entry.bytes.at;
        if (rpcrt__fields_next(&entry.bytes, &key)) {
            keys[i].size =
                (size_t)((const char *)entry.bytes.at - keys[i].data);
        }
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    for (i = 1; i < n && !same; i++) {
        same = compare_keys(&keys[i - 1], &keys[i]) == 0;
    }
    allocator->free(allocator->allocator_data, keys);
    return same;
}

/* One member of a map as an entry. */
static bool
parse_entry(struct rpcrt__json_parse *parse,
            const ProtobufCFieldDescriptor *field, unsigned depth,
            struct rpcrt__json_place *place, bool *ret_added)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    struct rpcrt__json_token key = {.quoted = true, .is_key = true};
    size_t before = parse->out.size;
    const char *problem;
    const uint8_t *at;
    size_t mark;

    if (!rpcrt__json_name(&parse->scan, &parse->decoded, &key.text,
                          &place->key)) {
        return false;
    }
    at = (const uint8_t *)place->key.data - 1;
    mark = rpcrt__json_begin(field->id, &parse->out);
    problem = rpcrt__json_scalar_add(&entry->fields[0], &key, &parse->out);
    if (problem != NULL) {
        return rpcrt__json_parse_refuse(parse, at, problem);
    }
    if (!rpcrt__json_parse_value(parse, &entry->fields[1], depth, ret_added)) {
        return false;
    }
    if (*ret_added) {
        rpcrt__json_finish(mark, &parse->out);
    } else {
        parse->out.size = before;
    }
    return true;
}

bool
rpcrt__json_parse_map(struct rpcrt__json_parse *parse,
                      const ProtobufCFieldDescriptor *field, unsigned depth)
{
    struct rpcrt__json_place *place;
    const uint8_t *start = parse->scan.at;
    size_t before = parse->out.size;
    bool first = true;
    bool added = false;
    size_t n = 0;

    if (!rpcrt__json_parse_bracket(parse, '{') ||
        !rpcrt__json_parse_deeper(parse, depth)) {
        return false;
    }
    place = rpcrt__json_parse_enter(parse);
    while (rpcrt__json_next(&parse->scan, '}', &first)) {
        if (!parse_entry(parse, field, depth + 1, place, &added)) {
            return false;
        }
        n += added;
    }
    if (parse->scan.problem != NULL) {
        return false;
    }
    rpcrt__json_parse_leave(parse);
    if (n > 1 && !rpcrt__json_parse_no_memory(parse) &&
        has_same_keys(parse, parse->out.data + before, n)) {
        return rpcrt__json_parse_refuse(parse, start, "the same key twice");
    }
    return true;
}
