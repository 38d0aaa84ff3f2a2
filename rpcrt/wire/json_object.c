/*
 * Objects whose members are fields: which names there are, that none is given
 * twice, and one of each oneof.
 */
#include "wire/json_parse.h"

#include "core/utf8.h"

#include <stdio.h>
#include <string.h>

/* With a name as it stands in the text. */
static bool
refuse_name(struct rpcrt__json_parse *parse, const uint8_t *at,
            const char *problem, struct rpcrt__json_slice name)
{
    size_t size = name.size;

    if (size > 64) {
        size = rpcrt__utf8_cut(name.data, 64);
    }
    if (parse->scan.problem == NULL) {
        (void)snprintf(parse->text, sizeof parse->text, "%s \"%.*s\"", problem,
                       (int)size, name.data);
        (void)rpcrt__json_parse_refuse(parse, at, parse->text);
    }
    return false;
}

/* Note that a field was named; `base` is where the bits of its message are. */
static bool
note_field(struct rpcrt__json_parse *parse, size_t base,
           const ProtobufCMessageDescriptor *descriptor,
           const ProtobufCFieldDescriptor *field, bool is_set)
{
    size_t bit = 2 * (size_t)(field - descriptor->fields) + is_set;
    uint8_t *byte = parse->seen.data + base + bit / 8;
    bool is_new = (*byte >> bit % 8 & 1) == 0;

    *byte |= (uint8_t)(1u << bit % 8);
    return is_new;
}

/* Whether another field of the same oneof is set. */
static bool
has_rival(const struct rpcrt__json_parse *parse, size_t base,
          const ProtobufCMessageDescriptor *descriptor,
          const ProtobufCFieldDescriptor *field)
{
    size_t i;

    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0) {
        return false;
    }
    for (i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *other = &descriptor->fields[i];

        if ((other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
            other->quantifier_offset == field->quantifier_offset &&
            (parse->seen.data[base + i / 4] >> (2 * (i % 4) + 1) & 1) != 0) {
            return true;
        }
    }
    return false;
}

static bool
parse_field(struct rpcrt__json_parse *parse,
            const struct rpcrt__json_type *type,
            const ProtobufCFieldDescriptor *field, size_t base,
            const uint8_t *name_at, unsigned depth)
{
    bool added = true;
    bool done;

    if (!note_field(parse, base, type->descriptor, field, false)) {
        return rpcrt__json_parse_refuse(parse, name_at,
                                        "the field is given twice");
    }
    if (rpcrt__json_peek(&parse->scan) == 'n' &&
        (field->label == PROTOBUF_C_LABEL_REPEATED ||
         !rpcrt__json_takes_null(field))) {
        return rpcrt__json_literal(&parse->scan);
    }
    if (has_rival(parse, base, type->descriptor, field)) {
        return rpcrt__json_parse_refuse(parse, name_at,
                                        "another field of the oneof is given");
    }
    if (rpcrt__json_is_map(&parse->schema, field)) {
        done = rpcrt__json_parse_map(parse, field, depth);
    } else if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        done = rpcrt__json_parse_array(parse, field, depth);
    } else {
        done = rpcrt__json_parse_value(parse, field, depth, &added);
    }
    if (done && added) {
        (void)note_field(parse, base, type->descriptor, field, true);
    }
    return done;
}

bool
rpcrt__json_is_type_name(struct rpcrt__json_slice name)
{
    return name.size == 5 && memcmp(name.data, "@type", 5) == 0;
}

/* The members of an object, which was opened. Within an Any, its "@type" is
 * among them. */
static bool
parse_members(struct rpcrt__json_parse *parse,
              const struct rpcrt__json_type *type, size_t base, bool in_any,
              unsigned depth)
{
    struct rpcrt__json_slice name;
    struct rpcrt__json_slice raw;
    const uint8_t *at;
    bool first = true;

    while (rpcrt__json_next(&parse->scan, '}', &first)) {
        const ProtobufCFieldDescriptor *field;

        if (!rpcrt__json_name(&parse->scan, &parse->decoded, &name, &raw)) {
            return false;
        }
        at = (const uint8_t *)raw.data - 1;
        field = rpcrt__json_field_by_name(type, name);
        if (field != NULL) {
            rpcrt__json_parse_enter(parse)->field = field->name;
            if (!parse_field(parse, type, field, base, at, depth)) {
                return false;
            }
            rpcrt__json_parse_leave(parse);
        } else if (!parse->ignore_unknown &&
                   !(in_any && rpcrt__json_is_type_name(name))) {
            return refuse_name(parse, at, "unknown field", raw);
        } else if (!rpcrt__json_skip(&parse->scan, RPCRT_MESSAGE_DEPTH_MAX)) {
            return false;
        }
    }
    return parse->scan.problem == NULL;
}

bool
rpcrt__json_parse_object(struct rpcrt__json_parse *parse,
                         const struct rpcrt__json_type *type, bool in_any,
                         unsigned depth)
{
    size_t base = parse->seen.size;
    size_t size = ((size_t)type->descriptor->n_fields + 3) / 4;
    uint8_t *bits;

    if (!rpcrt__json_parse_bracket(parse, '{')) {
        return false;
    }
    bits = rpcrt__json_buffer_extend(&parse->seen, size + 1);
    if (bits == NULL) {
        return rpcrt__json_parse_refuse(parse, parse->scan.at, "no memory");
    }
    memset(bits, 0, size + 1);
    if (!parse_members(parse, type, base, in_any, depth)) {
        return false;
    }
    parse->seen.size = base;
    return true;
}
