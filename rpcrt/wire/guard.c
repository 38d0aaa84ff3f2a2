/*
 * One pass over the bytes, guided by the descriptor; it recurses into the
 * messages that protobuf-c would unpack, to a bounded depth, and skips what is
 * unknown. It runs for every message received, so the ordinary cases come
 * first: one-byte tags and lengths, fields in the order of their numbers.
 */
#include "wire/guard.h"

#include "core/utf8.h"

#include <stdbool.h>

#define WIRE_GROUP_START 3
#define WIRE_GROUP_END 4
#define VARINT_SIZE_MAX 10
#define LENGTH_SIZE_MAX 5

/* Which fields have come is kept for so many at a time. */
#define WINDOW 64u

struct scan {
    const uint8_t *data; /* what offsets count from */
    uint32_t n_unknown;
    struct rpcrt__error *error;
};

/* One message within the bytes. */
struct frame {
    const ProtobufCMessageDescriptor *descriptor;
    const uint8_t *start;
    const uint8_t *end;
    unsigned depth; /* the outermost has 0 */
};

static const uint8_t wire_types[] = {
    [PROTOBUF_C_TYPE_INT32] = PROTOBUF_C_WIRE_TYPE_VARINT,
    [PROTOBUF_C_TYPE_SINT32] = PROTOBUF_C_WIRE_TYPE_VARINT,
    [PROTOBUF_C_TYPE_SFIXED32] = PROTOBUF_C_WIRE_TYPE_32BIT,
    [PROTOBUF_C_TYPE_INT64] = PROTOBUF_C_WIRE_TYPE_VARINT,
    [PROTOBUF_C_TYPE_SINT64] = PROTOBUF_C_WIRE_TYPE_VARINT,
    [PROTOBUF_C_TYPE_SFIXED64] = PROTOBUF_C_WIRE_TYPE_64BIT,
    [PROTOBUF_C_TYPE_UINT32] = PROTOBUF_C_WIRE_TYPE_VARINT,
    [PROTOBUF_C_TYPE_FIXED32] = PROTOBUF_C_WIRE_TYPE_32BIT,
    [PROTOBUF_C_TYPE_UINT64] = PROTOBUF_C_WIRE_TYPE_VARINT,
    [PROTOBUF_C_TYPE_FIXED64] = PROTOBUF_C_WIRE_TYPE_64BIT,
    [PROTOBUF_C_TYPE_FLOAT] = PROTOBUF_C_WIRE_TYPE_32BIT,
    [PROTOBUF_C_TYPE_DOUBLE] = PROTOBUF_C_WIRE_TYPE_64BIT,
    [PROTOBUF_C_TYPE_BOOL] = PROTOBUF_C_WIRE_TYPE_VARINT,
    [PROTOBUF_C_TYPE_ENUM] = PROTOBUF_C_WIRE_TYPE_VARINT,
    [PROTOBUF_C_TYPE_STRING] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
    [PROTOBUF_C_TYPE_BYTES] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
    [PROTOBUF_C_TYPE_MESSAGE] = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
};

static enum rpcrt_code check_message(struct scan *scan,
                                     const struct frame *frame);

/* Refuse the message; `field` is NULL where none or an unknown one is met. */
static enum rpcrt_code
refuse_as(const struct scan *scan, enum rpcrt_code code,
          const struct frame *frame, const ProtobufCFieldDescriptor *field,
          const uint8_t *at, const char *what)
{
    return rpcrt__error_set(scan->error, code, "%s%s%s: %s at byte %zu",
                            frame->descriptor->name, field != NULL ? "." : "",
                            field != NULL ? field->name : "", what,
                            (size_t)(at - scan->data));
}

static enum rpcrt_code
refuse(const struct scan *scan, const struct frame *frame,
       const ProtobufCFieldDescriptor *field, const uint8_t *at,
       const char *what)
{
    return refuse_as(scan, RPCRT_INVALID_ARGUMENT, frame, field, at, what);
}

/* Read a tag. Returns what follows, or NULL if it is cut off, too long, or no
 * field can have the number. */
static inline const uint8_t *
tag_read(const uint8_t *at, const uint8_t *end, uint32_t *ret_number,
         uint32_t *ret_wire_type)
{
    uint32_t tag = *at & 0x7fu;
    unsigned shift;

    if ((*at++ & 0x80) != 0) {
        for (shift = 7;; shift += 7) {
            /* The fifth byte has the last four bits. */
            if (at == end || (shift == 28 && *at > 0x0f)) {
                return NULL;
            }
            tag |= (*at & 0x7fu) << shift;
            if ((*at++ & 0x80) == 0) {
                break;
            }
        }
    }
    if (tag >> 3 == 0) {
        return NULL;
    }
    *ret_number = tag >> 3;
    *ret_wire_type = tag & 7;
    return at;
}

/* Returns what follows the varint, or NULL. */
static inline const uint8_t *
varint_skip(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *last =
        end - at > VARINT_SIZE_MAX ? at + VARINT_SIZE_MAX : end;

    while (at < last) {
        if ((*at++ & 0x80) == 0) {
            return at;
        }
    }
    return NULL;
}

/* Read the length of what follows; NULL unless it is all there. */
static inline const uint8_t *
length_read(const uint8_t *at, const uint8_t *end, size_t *ret_length)
{
    uint64_t length = 0;
    unsigned i;

    if (at < end && *at < 0x80) {
        *ret_length = *at++;
        return *ret_length > (size_t)(end - at) ? NULL : at;
    }
    for (i = 0; i < LENGTH_SIZE_MAX && at < end; i++) {
        length |= (uint64_t)(*at & 0x7f) << (7 * i);
        if ((*at++ & 0x80) == 0) {
            if (length > (uint64_t)(end - at)) {
                return NULL;
            }
            *ret_length = (size_t)length;
            return at;
        }
    }
    return NULL;
}

/* Find a field, looking first where the last one was and behind it; `last` is
 * the index of either. NULL if the number is unknown. */
static inline const ProtobufCFieldDescriptor *
field_find(const ProtobufCMessageDescriptor *descriptor, uint32_t number,
           unsigned *last)
{
    const ProtobufCFieldDescriptor *field;
    unsigned i;

    for (i = *last; i < descriptor->n_fields && i <= *last + 1; i++) {
        if (descriptor->fields[i].id == number) {
            *last = i;
            return &descriptor->fields[i];
        }
    }
    field = protobuf_c_message_descriptor_get_field(descriptor, number);
    if (field != NULL) {
        *last = (unsigned)(field - descriptor->fields);
    }
    return field;
}

static bool
is_packable(ProtobufCType type)
{
    return type != PROTOBUF_C_TYPE_STRING && type != PROTOBUF_C_TYPE_BYTES &&
           type != PROTOBUF_C_TYPE_MESSAGE;
}

static enum rpcrt_code
check_packed(const struct scan *scan, const struct frame *frame,
             const ProtobufCFieldDescriptor *field, const uint8_t *at,
             const uint8_t *end)
{
    size_t size = (size_t)(end - at);

    switch (wire_types[field->type]) {
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        if (size % 4 != 0) {
            return refuse(scan, frame, field, at, "bad packed length");
        }
        return RPCRT_OK;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        if (size % 8 != 0) {
            return refuse(scan, frame, field, at, "bad packed length");
        }
        return RPCRT_OK;
    default:
        while (at < end) {
            const uint8_t *next = varint_skip(at, end);

            if (next == NULL) {
                return refuse(scan, frame, field, at, "bad varint");
            }
            at = next;
        }
        return RPCRT_OK;
    }
}

/* The bytes of a known field that come with a length. */
static enum rpcrt_code
check_content(struct scan *scan, const struct frame *frame,
              const ProtobufCFieldDescriptor *field, const uint8_t *at,
              const uint8_t *end)
{
    size_t size = (size_t)(end - at);
    struct frame inner;
    size_t valid;

    switch (field->type) {
    case PROTOBUF_C_TYPE_BYTES:
        return RPCRT_OK;
    case PROTOBUF_C_TYPE_STRING:
        valid = rpcrt__utf8_valid_size(at, size);
        if (valid == size) {
            return RPCRT_OK;
        }
        return refuse(scan, frame, field, at + valid,
                      at[valid] == 0 ? "zero byte in a string"
                                     : "invalid UTF-8");
    case PROTOBUF_C_TYPE_MESSAGE:
        if (frame->depth == RPCRT_MESSAGE_DEPTH_MAX) {
            return refuse_as(scan, RPCRT_RESOURCE_EXHAUSTED, frame, field, at,
                             "messages nested too deep");
        }
        inner.descriptor = field->descriptor;
        inner.start = at;
        inner.end = end;
        inner.depth = frame->depth + 1;
        return check_message(scan, &inner);
    default:
        return check_packed(scan, frame, field, at, end);
    }
}

/* What stands behind a tag; moves *at behind it. `field` NULL: unknown. */
static inline enum rpcrt_code
check_value(struct scan *scan, const struct frame *frame,
            const ProtobufCFieldDescriptor *field, uint32_t wire_type,
            const uint8_t **at)
{
    const uint8_t *start = *at;
    const uint8_t *end = frame->end;
    size_t size = 0;

    if (field != NULL && wire_type != wire_types[field->type] &&
        (wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED ||
         field->label != PROTOBUF_C_LABEL_REPEATED ||
         !is_packable(field->type))) {
        return refuse(scan, frame, field, start, "wrong wire type");
    }
    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        *at = varint_skip(start, end);
        if (*at == NULL) {
            return refuse(scan, frame, field, start, "bad varint");
        }
        return RPCRT_OK;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        start = length_read(start, end, &size);
        if (start == NULL) {
            return refuse(scan, frame, field, *at, "bad length");
        }
        *at = start + size;
        return field != NULL ? check_content(scan, frame, field, start, *at)
                             : RPCRT_OK;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        size = 4;
        break;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        size = 8;
        break;
    case WIRE_GROUP_START:
    case WIRE_GROUP_END:
        return refuse(scan, frame, field, start, "a group");
    default:
        return refuse(scan, frame, field, start, "unknown wire type");
    }
    if ((size_t)(end - start) < size) {
        return refuse(scan, frame, field, start, "cut off");
    }
    *at = start + size;
    return RPCRT_OK;
}

/* Note that a field has come, if it is of the window from `base` on. */
static inline enum rpcrt_code
note_field(const struct scan *scan, const struct frame *frame, unsigned index,
           unsigned base, const uint8_t *at, uint64_t *seen)
{
    const ProtobufCFieldDescriptor *field = &frame->descriptor->fields[index];
    uint64_t bit;

    if (index - base >= WINDOW) {
        return RPCRT_OK;
    }
    bit = UINT64_C(1) << (index - base);
    if ((*seen & bit) != 0 && field->type == PROTOBUF_C_TYPE_MESSAGE &&
        field->label != PROTOBUF_C_LABEL_REPEATED) {
        return refuse(scan, frame, field, at, "given twice");
    }
    *seen |= bit;
    return RPCRT_OK;
}

/* Required fields of the window must have come. */
static enum rpcrt_code
check_required(const struct scan *scan, const struct frame *frame,
               unsigned base, uint64_t seen)
{
    unsigned n = frame->descriptor->n_fields;
    uint64_t missing = ~seen;
    unsigned i;

    for (i = base; i < n && missing != 0; i++, missing >>= 1) {
        const ProtobufCFieldDescriptor *field = &frame->descriptor->fields[i];

        if ((missing & 1) != 0 && field->label == PROTOBUF_C_LABEL_REQUIRED &&
            field->default_value == NULL) {
            return refuse(scan, frame, field, frame->end,
                          "required, but missing from the message that ends");
        }
    }
    return RPCRT_OK;
}

/* Go once more over a message that is sound, for the fields from index `base`
 * on. Only those with more than 64 fields need it. */
static enum rpcrt_code
check_window(struct scan *scan, const struct frame *frame, unsigned base)
{
    const uint8_t *at = frame->start;
    enum rpcrt_code code = RPCRT_OK;
    uint64_t seen = 0;
    unsigned index = 0;

    while (at < frame->end && code == RPCRT_OK) {
        const uint8_t *tag = at;
        uint32_t number;
        uint32_t wire_type;

        at = tag_read(at, frame->end, &number, &wire_type);
        if (at == NULL) {
            return refuse(scan, frame, NULL, tag, "bad tag");
        }
        if (field_find(frame->descriptor, number, &index) != NULL) {
            code = note_field(scan, frame, index, base, tag, &seen);
        }
        if (code == RPCRT_OK) {
            code = check_value(scan, frame, NULL, wire_type, &at);
        }
    }
    return code != RPCRT_OK ? code : check_required(scan, frame, base, seen);
}

static enum rpcrt_code
check_message(struct scan *scan, const struct frame *frame)
{
    const uint8_t *at = frame->start;
    enum rpcrt_code code;
    uint64_t seen = 0;
    unsigned index = 0;
    unsigned base;

    while (at < frame->end) {
        const uint8_t *tag = at;
        const ProtobufCFieldDescriptor *field;
        uint32_t number;
        uint32_t wire_type;

        at = tag_read(at, frame->end, &number, &wire_type);
        if (at == NULL) {
            return refuse(scan, frame, NULL, tag, "bad tag");
        }
        field = field_find(frame->descriptor, number, &index);
        if (field != NULL) {
            code = note_field(scan, frame, index, 0, tag, &seen);
            if (code != RPCRT_OK) {
                return code;
            }
        } else if (++scan->n_unknown > RPCRT_UNKNOWN_FIELDS_MAX) {
            return refuse_as(scan, RPCRT_RESOURCE_EXHAUSTED, frame, NULL, tag,
                             "too many unknown fields");
        }
        code = check_value(scan, frame, field, wire_type, &at);
        if (code != RPCRT_OK) {
            return code;
        }
    }
    code = check_required(scan, frame, 0, seen);
    for (base = WINDOW; code == RPCRT_OK && base < frame->descriptor->n_fields;
         base += WINDOW) {
        code = check_window(scan, frame, base);
    }
    return code;
}

enum rpcrt_code
rpcrt__guard_check(const ProtobufCMessageDescriptor *descriptor,
                   const uint8_t *data, size_t size,
                   struct rpcrt__error *ret_error)
{
    static const uint8_t nothing[1];
    struct scan scan = {.error = ret_error};
    struct frame frame = {.descriptor = descriptor};

    if (size > INT32_MAX) {
        return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "%s: %zu bytes, more than protobuf allows",
                                descriptor->name, size);
    }
    /* Without bytes there may be no pointer either, to count from. */
    scan.data = size > 0 ? data : nothing;
    frame.start = scan.data;
    frame.end = scan.data + size;
    return check_message(&scan, &frame);
}
