/*
 * The types with a form of their own in JSON, but those that are read as a map
 * or an array: Timestamp, Duration, FieldMask, Value, Any.
 */
#include "wire/json_parse.h"

#include "wire/json_forms.h"
#include "wire/json_scalar.h"

#include <string.h>

bool
rpcrt__json_parse_time(struct rpcrt__json_parse *parse,
                       enum rpcrt__json_kind kind)
{
    struct rpcrt__json_slice text;
    int64_t seconds = 0;
    int32_t nanos = 0;
    const uint8_t *at;

    if (!rpcrt__json_parse_string(parse, &text, &at)) {
        return false;
    }
    if (kind == RPCRT__JSON_TIMESTAMP
            ? !rpcrt__json_timestamp_parse(text, &seconds, &nanos)
            : !rpcrt__json_duration_parse(text, &seconds, &nanos)) {
        return rpcrt__json_parse_refuse(
            parse, at,
            kind == RPCRT__JSON_TIMESTAMP
                ? "not a time like 2026-01-31T09:30:00Z"
                : "not a duration like 1.5s");
    }
    rpcrt__json_add_varint(1, (uint64_t)seconds, &parse->out);
    rpcrt__json_add_varint(2, (uint64_t)(int64_t)nanos, &parse->out);
    return true;
}

bool
rpcrt__json_parse_field_mask(struct rpcrt__json_parse *parse)
{
    struct rpcrt__json_slice text;
    const uint8_t *at;

    if (!rpcrt__json_parse_string(parse, &text, &at)) {
        return false;
    }
    while (text.size > 0) {
        const char *comma = memchr(text.data, ',', text.size);
        struct rpcrt__json_slice path = {text.data, text.size};
        size_t mark = rpcrt__json_begin(1, &parse->out);

        path.size = comma != NULL ? (size_t)(comma - text.data) : text.size;
        if (memchr(path.data, '\0', path.size) != NULL ||
            !rpcrt__json_path_parse(path, &parse->out)) {
            return rpcrt__json_parse_refuse(parse, at,
                                            "not paths in lowerCamelCase");
        }
        rpcrt__json_finish(mark, &parse->out);
        if (comma != NULL && path.size + 1 == text.size) {
            return rpcrt__json_parse_refuse(parse, at,
                                            "not paths in lowerCamelCase");
        }
        text.data += path.size + (comma != NULL);
        text.size -= path.size + (comma != NULL);
    }
    return true;
}

bool
rpcrt__json_parse_any_value(struct rpcrt__json_parse *parse,
                            const ProtobufCMessageDescriptor *descriptor,
                            unsigned depth)
{
    static const char firsts[] = "n0\"t{[";
    char c = rpcrt__json_peek(&parse->scan);
    const char *at;
    bool added;

    if (c == '\0') {
        return false;
    }
    at = strchr(firsts, c == 'f' ? 't' : c);
    /* In the order of the fields of a Value. */
    return rpcrt__json_parse_value(parse, &descriptor->fields[at - firsts],
                                   depth, &added);
}

/* Look ahead for the "@type" of the object that begins here. */
static bool
find_type(struct rpcrt__json_parse *parse, struct rpcrt__json_slice *ret_url)
{
    struct rpcrt__json_scan ahead = parse->scan;
    struct rpcrt__json_slice name;
    struct rpcrt__json_slice raw;
    bool first = true;

    rpcrt__json_open(&ahead);
    while (rpcrt__json_next(&ahead, '}', &first) &&
           rpcrt__json_name(&ahead, &parse->decoded, &name, &raw)) {
        if (rpcrt__json_is_type_name(name)) {
            if (rpcrt__json_peek(&ahead) == '"' &&
                rpcrt__json_string(&ahead, &parse->decoded, ret_url)) {
                return true;
            }
            break;
        }
        if (!rpcrt__json_skip(&ahead, RPCRT_MESSAGE_DEPTH_MAX)) {
            break;
        }
    }
    if (ahead.problem != NULL) {
        return rpcrt__json_parse_refuse(parse, ahead.problem_at, ahead.problem);
    }
    return rpcrt__json_parse_refuse(parse, parse->scan.at,
                                    "an Any without an \"@type\" string");
}

/* {"@type": ..., "value": ...} */
static bool
parse_boxed(struct rpcrt__json_parse *parse,
            const ProtobufCMessageDescriptor *descriptor, unsigned depth)
{
    const uint8_t *start = parse->scan.at;
    struct rpcrt__json_slice name;
    struct rpcrt__json_slice raw;
    bool first = true;
    unsigned n = 0;

    rpcrt__json_open(&parse->scan);
    while (rpcrt__json_next(&parse->scan, '}', &first)) {
        if (!rpcrt__json_name(&parse->scan, &parse->decoded, &name, &raw)) {
            return false;
        }
        if (name.size == 5 && memcmp(name.data, "value", 5) == 0 && n++ == 0) {
            if (!rpcrt__json_parse_message(parse, descriptor, depth)) {
                return false;
            }
        } else if (!rpcrt__json_is_type_name(name) && !parse->ignore_unknown) {
            return rpcrt__json_parse_refuse(parse, parse->scan.at,
                                            "not \"@type\" and one \"value\"");
        } else if (!rpcrt__json_skip(&parse->scan, RPCRT_MESSAGE_DEPTH_MAX)) {
            return false;
        }
    }
    if (parse->scan.problem == NULL && n != 1) {
        return rpcrt__json_parse_refuse(parse, start,
                                        "an Any without its \"value\"");
    }
    return parse->scan.problem == NULL;
}

bool
rpcrt__json_parse_any(struct rpcrt__json_parse *parse, unsigned depth)
{
    const ProtobufCMessageDescriptor *descriptor;
    struct rpcrt__json_slice url = {"", 0};
    struct rpcrt__json_scan ahead;
    struct rpcrt__json_type type;
    bool first = true;
    size_t mark;
    bool done;

    if (rpcrt__json_peek(&parse->scan) != '{') {
        return rpcrt__json_parse_bracket(parse, '{');
    }
    ahead = parse->scan;
    rpcrt__json_open(&ahead);
    if (!rpcrt__json_next(&ahead, '}', &first) && ahead.problem == NULL) {
        parse->scan = ahead;
        return true;
    }
    if (!find_type(parse, &url)) {
        return false;
    }
    descriptor = rpcrt__json_type_by_url(&parse->schema, url);
    if (descriptor == NULL ||
        !rpcrt__json_type_get(&parse->schema, descriptor, &type)) {
        return rpcrt__json_parse_refuse(parse, parse->scan.at,
                                        "an Any of unknown \"@type\"");
    }
    if (!rpcrt__json_parse_deeper(parse, depth)) {
        return false;
    }
    rpcrt__json_add_bytes(1, url, &parse->out);
    mark = rpcrt__json_begin(2, &parse->out);
    done = type.kind <= RPCRT__JSON_MAP_ENTRY || type.kind == RPCRT__JSON_EMPTY
               ? rpcrt__json_parse_object(parse, &type, true, depth + 1)
               : parse_boxed(parse, descriptor, depth + 1);
    if (done) {
        rpcrt__json_finish(mark, &parse->out);
    }
    return done;
}
