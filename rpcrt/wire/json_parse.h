/*
 * What the files that read JSON share: the state of one rpcrt_json_parse(), and
 * the steps that call each other. All return false when the text is refused,
 * and then the state says why and where.
 */
#ifndef RPCRT_WIRE_JSON_PARSE_H
#define RPCRT_WIRE_JSON_PARSE_H

#include "wire/json_buffer.h"
#include "wire/json_scan.h"
#include "wire/json_schema.h"

#include <rpcrt/limits.h>
#include <rpcrt/status.h>
#include <stdbool.h>

/* Of each message: the field, and the element or member in it. */
#define RPCRT__JSON_PLACES_MAX (2 * RPCRT_MESSAGE_DEPTH_MAX + 4)

/* Where in the message the text is. */
struct rpcrt__json_place {
    const char *field;            /* NULL: an element or a member of a map */
    struct rpcrt__json_slice key; /* as it stands in the text; of a map */
    size_t index;
};

struct rpcrt__json_parse {
    struct rpcrt__json_scan scan;
    struct rpcrt__json_schema schema;
    struct rpcrt__json_buffer out;     /* the message's bytes so far */
    struct rpcrt__json_buffer decoded; /* the last string */
    struct rpcrt__json_buffer seen;    /* two bits a field of open objects */
    struct rpcrt__json_place
        places[RPCRT__JSON_PLACES_MAX]; /* outermost first; left on failure */
    unsigned n_places;
    bool ignore_unknown;
    enum rpcrt_code code; /* unless it is INVALID_ARGUMENT */
    char text[128];       /* for a problem with a name in it */
};

/* -- json_parse.c: messages ------------------------------------------------ */

bool rpcrt__json_parse_refuse(struct rpcrt__json_parse *parse,
                              const uint8_t *at, const char *problem);

bool rpcrt__json_parse_no_memory(const struct rpcrt__json_parse *parse);

/* Whether a message within one at `depth` may be; notes it if not. */
bool rpcrt__json_parse_deeper(struct rpcrt__json_parse *parse, unsigned depth);

/* Begin a place, inside of the last one, and end it. */
struct rpcrt__json_place *
rpcrt__json_parse_enter(struct rpcrt__json_parse *parse);
void rpcrt__json_parse_leave(struct rpcrt__json_parse *parse);

/* Read a message of any type; its bytes are added without tag and length. */
bool rpcrt__json_parse_message(struct rpcrt__json_parse *parse,
                               const ProtobufCMessageDescriptor *descriptor,
                               unsigned depth);

/* -- json_values.c: fields ------------------------------------------------- */

/* Pass over a bracket that must come. */
bool rpcrt__json_parse_bracket(struct rpcrt__json_parse *parse, char bracket);

/* Read a string that must come, and where it begins. */
bool rpcrt__json_parse_string(struct rpcrt__json_parse *parse,
                              struct rpcrt__json_slice *ret_text,
                              const uint8_t **ret_at);

/* Whether null is one of a field's values. */
bool rpcrt__json_takes_null(const ProtobufCFieldDescriptor *field);

/* Read one value of a field. *ret_added: false if it was passed over. */
bool rpcrt__json_parse_value(struct rpcrt__json_parse *parse,
                             const ProtobufCFieldDescriptor *field,
                             unsigned depth, bool *ret_added);

/* Read all values of a repeated field, or of a map. */
bool rpcrt__json_parse_array(struct rpcrt__json_parse *parse,
                             const ProtobufCFieldDescriptor *field,
                             unsigned depth);
bool rpcrt__json_parse_map(struct rpcrt__json_parse *parse,
                           const ProtobufCFieldDescriptor *field,
                           unsigned depth);

/* -- json_object.c --------------------------------------------------------- */

/* Read a message that is an object of its fields; in an Any its "@type" is
 * among them. */
bool rpcrt__json_parse_object(struct rpcrt__json_parse *parse,
                              const struct rpcrt__json_type *type, bool in_any,
                              unsigned depth);

/* Whether a name is "@type". */
bool rpcrt__json_is_type_name(struct rpcrt__json_slice name);

/* -- json_known.c: types with a form of their own -------------------------- */

/* A Timestamp or a Duration. */
bool rpcrt__json_parse_time(struct rpcrt__json_parse *parse,
                            enum rpcrt__json_kind kind);
bool rpcrt__json_parse_field_mask(struct rpcrt__json_parse *parse);
bool rpcrt__json_parse_any_value(struct rpcrt__json_parse *parse,
                                 const ProtobufCMessageDescriptor *descriptor,
                                 unsigned depth);
bool rpcrt__json_parse_any(struct rpcrt__json_parse *parse, unsigned depth);

#endif
