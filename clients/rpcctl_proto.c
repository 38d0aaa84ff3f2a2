/*
 * Files, services and enums as the text of a .proto, with their comments.
 * Messages are in rpcctl_proto_message.c.
 */
#include "rpcctl_proto.h"

#include <string.h>

/* Numbers of google/protobuf/descriptor.proto. */
enum { FILE_MESSAGE = 4, FILE_ENUM = 5, FILE_SERVICE = 6 };
enum { MESSAGE_NESTED = 3, MESSAGE_ENUM = 4, SERVICE_METHOD = 2 };
enum { ENUM_VALUE = 2 };

void
rpcctl_proto_init(struct rpcctl_proto *proto, FILE *out,
                  const Google__Protobuf__FileDescriptorProto *file)
{
    *proto = (struct rpcctl_proto){.out = out, .file = file};
}

/* -- places and comments --------------------------------------------------- */

void
rpcctl_proto_enter(struct rpcctl_proto *proto, int32_t number, size_t i)
{
    if (proto->n_path + 2 <= RPCCTL_PATH_MAX) {
        proto->path[proto->n_path] = number;
        proto->path[proto->n_path + 1] = (int32_t)i;
    }
    proto->n_path += 2;
}

void
rpcctl_proto_leave(struct rpcctl_proto *proto)
{
    proto->n_path -= 2;
}

void
rpcctl_proto_indent(struct rpcctl_proto *proto)
{
    (void)fprintf(proto->out, "%*s", (int)(2 * proto->indent), "");
}

/* Each line behind slashes; nothing that moves a terminal's cursor. */
static void
put_comment(struct rpcctl_proto *proto, const char *text)
{
    const char *end;

    for (; text != NULL && *text != '\0'; text = *end != '\0' ? end + 1 : end) {
        end = text + strcspn(text, "\n");
        rpcctl_proto_indent(proto);
        (void)fputs("//", proto->out);
        for (; text < end; text++) {
            unsigned char c = (unsigned char)*text;

            (void)fputc(c < 0x20 || c == 0x7f ? ' ' : c, proto->out);
        }
        (void)fputc('\n', proto->out);
    }
}

void
rpcctl_proto_comment(struct rpcctl_proto *proto)
{
    const Google__Protobuf__SourceCodeInfo *info =
        proto->file->source_code_info;
    size_t i;

    for (i = 0; info != NULL && i < info->n_location; i++) {
        const Google__Protobuf__SourceCodeInfo__Location *location =
            info->location[i];

        if (location->n_path == proto->n_path &&
            proto->n_path <= RPCCTL_PATH_MAX &&
            memcmp(location->path, proto->path,
                   proto->n_path * sizeof proto->path[0]) == 0) {
            put_comment(proto, location->leading_comments);
            put_comment(proto, location->trailing_comments);
            return;
        }
    }
}

const char *
rpcctl_proto_type(const struct rpcctl_proto *proto, const char *name)
{
    const char *package = proto->file->package;
    size_t size = package != NULL ? strlen(package) : 0;

    if (name == NULL) {
        return "?";
    }
    name += *name == '.' ? 1 : 0;
    return size > 0 && strncmp(name, package, size) == 0 && name[size] == '.'
               ? name + size + 1
               : name;
}

const char *
rpcctl_proto_word(const char *text)
{
    const char *c = text != NULL ? text : "";

    for (; (unsigned char)*c >= 0x20 && *c != 0x7f; c++) {
    }
    return c == text || text == NULL || *c != '\0' ? "?" : text;
}

/* -- enums and services ---------------------------------------------------- */

void
rpcctl_proto_enum(struct rpcctl_proto *proto,
                  const Google__Protobuf__EnumDescriptorProto *type)
{
    size_t i;

    rpcctl_proto_comment(proto);
    rpcctl_proto_indent(proto);
    (void)fprintf(proto->out, "enum %s {\n", type->name);
    proto->indent++;
    if (type->options != NULL && type->options->allow_alias) {
        rpcctl_proto_indent(proto);
        (void)fputs("option allow_alias = true;\n", proto->out);
    }
    for (i = 0; i < type->n_value; i++) {
        const Google__Protobuf__EnumValueDescriptorProto *value =
            type->value[i];

        rpcctl_proto_enter(proto, ENUM_VALUE, i);
        rpcctl_proto_comment(proto);
        rpcctl_proto_indent(proto);
        (void)fprintf(proto->out, "%s = %d%s;\n", value->name, value->number,
                      value->options != NULL && value->options->deprecated
                          ? " [deprecated = true]"
                          : "");
        rpcctl_proto_leave(proto);
    }
    proto->indent--;
    rpcctl_proto_indent(proto);
    (void)fputs("}\n", proto->out);
}

static void
put_method(struct rpcctl_proto *proto,
           const Google__Protobuf__MethodDescriptorProto *method)
{
    static const char *const levels[] = {"", "NO_SIDE_EFFECTS", "IDEMPOTENT"};
    const Google__Protobuf__MethodOptions *options = method->options;
    size_t level = options != NULL ? (size_t)options->idempotency_level : 0;

    level = level < 3 ? level : 0;
    rpcctl_proto_comment(proto);
    rpcctl_proto_indent(proto);
    (void)fprintf(proto->out, "rpc %s(%s%s) returns (%s%s)", method->name,
                  method->client_streaming ? "stream " : "",
                  rpcctl_proto_type(proto, method->input_type),
                  method->server_streaming ? "stream " : "",
                  rpcctl_proto_type(proto, method->output_type));
    if (level == 0 && (options == NULL || !options->deprecated)) {
        (void)fputs(";\n", proto->out);
        return;
    }
    (void)fputs(" {\n", proto->out);
    proto->indent++;
    if (level > 0) {
        rpcctl_proto_indent(proto);
        (void)fprintf(proto->out, "option idempotency_level = %s;\n",
                      levels[level]);
    }
    if (options->deprecated) {
        rpcctl_proto_indent(proto);
        (void)fputs("option deprecated = true;\n", proto->out);
    }
    proto->indent--;
    rpcctl_proto_indent(proto);
    (void)fputs("}\n", proto->out);
}

static void
put_service(struct rpcctl_proto *proto,
            const Google__Protobuf__ServiceDescriptorProto *service)
{
    size_t i;

    rpcctl_proto_comment(proto);
    (void)fprintf(proto->out, "service %s {\n", service->name);
    proto->indent++;
    for (i = 0; i < service->n_method; i++) {
        rpcctl_proto_enter(proto, SERVICE_METHOD, i);
        put_method(proto, service->method[i]);
        rpcctl_proto_leave(proto);
    }
    proto->indent--;
    (void)fputs("}\n", proto->out);
}

/* -- files ----------------------------------------------------------------- */

void
rpcctl_proto_file(struct rpcctl_proto *proto)
{
    const Google__Protobuf__FileDescriptorProto *file = proto->file;
    FILE *out = proto->out;
    size_t i;

    (void)fprintf(out, "// %s\nsyntax = \"%s\";\n", file->name,
                  file->syntax != NULL ? file->syntax : "proto2");
    if (file->package != NULL && *file->package != '\0') {
        (void)fprintf(out, "package %s;\n", file->package);
    }
    for (i = 0; i < file->n_dependency; i++) {
        (void)fprintf(out, "import \"%s\";\n",
                      rpcctl_proto_word(file->dependency[i]));
    }
    for (i = 0; i < file->n_service; i++) {
        (void)fputc('\n', out);
        rpcctl_proto_enter(proto, FILE_SERVICE, i);
        put_service(proto, file->service[i]);
        rpcctl_proto_leave(proto);
    }
    for (i = 0; i < file->n_message_type; i++) {
        (void)fputc('\n', out);
        rpcctl_proto_enter(proto, FILE_MESSAGE, i);
        rpcctl_proto_message(proto, file->message_type[i]);
        rpcctl_proto_leave(proto);
    }
    for (i = 0; i < file->n_enum_type; i++) {
        (void)fputc('\n', out);
        rpcctl_proto_enter(proto, FILE_ENUM, i);
        rpcctl_proto_enum(proto, file->enum_type[i]);
        rpcctl_proto_leave(proto);
    }
}

/* -- one symbol ------------------------------------------------------------ */

/* What follows the first part of a name if that is `part`: "" or "Inner"; NULL
 * if it is another. */
static const char *
name_rest(const char *name, const char *part)
{
    size_t size = strlen(part);

    if (strncmp(name, part, size) != 0 ||
        (name[size] != '\0' && name[size] != '.' && name[size] != '/')) {
        return NULL;
    }
    return name[size] == '\0' ? name + size : name + size + 1;
}

static bool
find_enum(struct rpcctl_proto *proto, int32_t number, size_t n,
          Google__Protobuf__EnumDescriptorProto *const *types, const char *name)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (strcmp(types[i]->name, name) == 0) {
            rpcctl_proto_enter(proto, number, i);
            rpcctl_proto_enum(proto, types[i]);
            rpcctl_proto_leave(proto);
            return true;
        }
    }
    return false;
}

static bool
find_message(struct rpcctl_proto *proto, int32_t number, size_t n,
             Google__Protobuf__DescriptorProto *const *messages,
             const char *name)
{
    size_t i;

    for (i = 0; i < n; i++) {
        const Google__Protobuf__DescriptorProto *message = messages[i];
        const char *rest = name_rest(name, message->name);
        bool found = rest != NULL;

        if (!found) {
            continue;
        }
        rpcctl_proto_enter(proto, number, i);
        if (*rest == '\0') {
            rpcctl_proto_message(proto, message);
        } else {
            found = find_message(proto, MESSAGE_NESTED, message->n_nested_type,
                                 message->nested_type, rest) ||
                    find_enum(proto, MESSAGE_ENUM, message->n_enum_type,
                              message->enum_type, rest);
        }
        rpcctl_proto_leave(proto);
        return found;
    }
    return false;
}

static bool
find_method(struct rpcctl_proto *proto,
            const Google__Protobuf__ServiceDescriptorProto *service,
            const char *name)
{
    size_t i;

    for (i = 0; i < service->n_method; i++) {
        if (strcmp(service->method[i]->name, name) == 0) {
            rpcctl_proto_enter(proto, SERVICE_METHOD, i);
            put_method(proto, service->method[i]);
            rpcctl_proto_leave(proto);
            return true;
        }
    }
    return false;
}

static bool
find_service(struct rpcctl_proto *proto, const char *name)
{
    const Google__Protobuf__FileDescriptorProto *file = proto->file;
    size_t i;

    for (i = 0; i < file->n_service; i++) {
        const char *rest = name_rest(name, file->service[i]->name);
        bool found = rest != NULL;

        if (!found) {
            continue;
        }
        rpcctl_proto_enter(proto, FILE_SERVICE, i);
        if (*rest == '\0') {
            put_service(proto, file->service[i]);
        } else {
            found = find_method(proto, file->service[i], rest);
        }
        rpcctl_proto_leave(proto);
        return found;
    }
    return false;
}

bool
rpcctl_proto_symbol(struct rpcctl_proto *proto, const char *name)
{
    const Google__Protobuf__FileDescriptorProto *file = proto->file;

    return find_service(proto, name) ||
           find_message(proto, FILE_MESSAGE, file->n_message_type,
                        file->message_type, name) ||
           find_enum(proto, FILE_ENUM, file->n_enum_type, file->enum_type,
                     name);
}
