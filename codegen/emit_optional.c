/*
 * Access to proto3 optional fields. In C such a field is a oneof of one, so
 * its case would have to be written out: these functions do.
 */
#include "emit.h"

#include "names.h"

#include <string.h>

/* The type of the member, without a space at its end. */
static const char *
field_type(struct pool *pool, const struct message *message,
           const struct field *field)
{
    /* By number, as descriptor.proto has it: double float int64 uint64 int32
     * fixed64 fixed32 bool string group message bytes uint32 enum sfixed32
     * sfixed64 sint32 sint64. NULL where one word is not enough. */
    static const char *const types[] = {
        NULL,       "double",   "float",
        "int64_t",  "uint64_t", "int32_t",
        "uint64_t", "uint32_t", "protobuf_c_boolean",
        NULL,       NULL,       NULL,
        NULL,       "uint32_t", NULL,
        "int32_t",  "int64_t",  "int32_t",
        "int64_t",
    };
    size_t type = (size_t)field->proto->type;

    if (field->is_binary) {
        return "ProtobufCBinaryData";
    }
    if (field->message_type != NULL) {
        return pool_format(pool, "%s *", field->message_type->c_type);
    }
    if (field->enum_type != NULL) {
        return field->enum_type->c_type;
    }
    if (type < sizeof types / sizeof types[0] && types[type] != NULL) {
        return types[type];
    }
    return message->file->const_strings ? "const char *" : "char *";
}

/* One function; vars begin with the message and the field. */
static void
emit_accessor(struct text *text, const struct text_var *vars, const char *type,
              const char *verb, const char *const *parameters, const char *body)
{
    const char *name = pool_format(text->pool, "%s__%s_%s", vars[0].value, verb,
                                   vars[1].value);

    text_add(text, "\n");
    emit_function(text, type, name, parameters, ")");
    text_emit(text, vars, body);
}

static void
emit_optional(struct text *text, const struct message *message,
              const struct field *field)
{
    struct pool *pool = text->pool;
    const char *type = field_type(pool, message, field);
    bool pointer = type[strlen(type) - 1] == '*';
    const struct text_var vars[] = {
        {"lower", message->c_lower},
        {"field", field->c_name},
        {"case", pool_format(pool, "%s_case", field->oneof->c_name)},
        {"set", pool_format(pool, "%s_%s", field->oneof->c_upper,
                            name_c_upper(pool, field->name))},
        {"not_set", pool_format(pool, "%s__NOT_SET", field->oneof->c_upper)},
        {NULL, NULL},
    };
    const char *const of[] = {
        pool_format(pool, "const %s *message", message->c_type), NULL};
    const char *const to[] = {
        pool_format(pool, "%s *message", message->c_type),
        pool_format(pool, "%s%svalue", type, pointer ? "" : " "), NULL};
    const char *const in[] = {to[0], NULL};
    bool too_long = strlen("    return message-> == ;") +
                        strlen(vars[2].value) + strlen(vars[3].value) >
                    80;

    emit_accessor(text, vars, "static inline bool", "has", of,
                  too_long ? "{\n"
                             "    return message->$case$ ==\n"
                             "           $set$;\n"
                             "}\n"
                           : "{\n"
                             "    return message->$case$ == $set$;\n"
                             "}\n");
    emit_accessor(text, vars, "static inline void", "set", to,
                  "{\n"
                  "    message->$field$ = value;\n"
                  "    message->$case$ = $set$;\n"
                  "}\n");
    emit_accessor(text, vars, "static inline void", "clear", in,
                  "{\n"
                  "    message->$case$ = $not_set$;\n"
                  "}\n");
}

/* Deprecated fields have none: they would warn in every file that includes the
 * header. */
static bool
is_accessible(const struct field *field)
{
    const Google__Protobuf__FieldOptions *options = field->proto->options;

    return field->proto->proto3_optional &&
           (options == NULL || !options->deprecated);
}

void
emit_optionals(struct text *text, const struct file *file)
{
    bool begun = false;
    size_t i, j;

    for (i = 0; !file->no_generate && i < file->n_messages; i++) {
        const struct message *message = &file->messages[i];

        for (j = 0; j < message->n_fields; j++) {
            if (!is_accessible(&message->fields[j])) {
                continue;
            }
            if (!begun) {
                text_add(text,
                         "\n"
                         "/*\n"
                         " * Optional fields: whether one is set, setting it "
                         "(strings, bytes and messages\n"
                         " * are not copied), and making it absent.\n"
                         " */\n");
                begun = true;
            }
            emit_optional(text, message, &message->fields[j]);
        }
    }
}
