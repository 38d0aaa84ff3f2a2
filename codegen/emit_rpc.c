/*
 * x.rpc.h and x.rpc.c: methods, the serialized descriptor, messages, and
 * which fields are secret.
 */
#include "emit.h"

#include "retry.h"

#include <string.h>

/* -- header ---------------------------------------------------------------- */

static void
service_declaration(struct text *text, const struct service *service)
{
    const struct text_var vars[] = {{"prefix", service->prefix},
                                    {"name", service->element.name},
                                    {NULL, NULL}};
    size_t i;

    if (service->n_methods > 0) {
        text_emit(text, vars,
                  "\n"
                  "/* Indexes of $prefix$_rpc.methods. */\n"
                  "enum $prefix$_method {\n");
        for (i = 0; i < service->n_methods; i++) {
            text_format(text, "    %s%s\n", service->methods[i].index,
                        i + 1 < service->n_methods ? "," : "");
        }
        text_add(text, "};\n");
    }
    text_emit(text, vars,
              "\n"
              "/** The service $name$. */\n"
              "extern RPCRT_API const struct rpcrt_service $prefix$_rpc;\n");
}

void
emit_rpc_header(struct text *text, const struct file *file)
{
    const struct text_var vars[] = {
        {"c_name", file->c_name}, {"file", file->name}, {NULL, NULL}};
    size_t i;

    emit_banner(text, file,
                " * Its tables; programs include the client or the server "
                "header.\n");
    emit_header_begin(text, file, "rpc",
                      pool_format(text->pool,
                                  "#include <rpcrt/gen.h>\n"
                                  "#include \"%s.pb-c.h\"\n",
                                  file->stem));
    text_emit(text, vars,
              "\n"
              "/** The file $file$. */\n"
              "extern RPCRT_API const struct rpcrt_file $c_name$_proto;\n");
    for (i = 0; i < file->n_services; i++) {
        service_declaration(text, &file->services[i]);
    }
    emit_optionals(text, file);
    emit_header_end(text);
}

/* -- source ---------------------------------------------------------------- */

static bool
is_table(const struct import *import)
{
    return import->file != NULL && !import->is_dropped &&
           !import->file->no_generate;
}

/* The includes and the table of imports; returns how many there are. */
static size_t
imports(struct text *text, const struct file *file)
{
    size_t count = 0, i;

    text_format(text, "#include \"%s.rpc.h\"\n\n", file->stem);
    for (i = 0; i < file->n_imports; i++) {
        if (is_table(&file->imports[i])) {
            text_format(text, "#include \"%s.rpc.h\"\n",
                        file->imports[i].file->stem);
            count++;
        }
    }
    if (count == 0) {
        return 0;
    }
    text_add(text, "\nstatic const struct rpcrt_file *const imports[] = {\n");
    for (i = 0; i < file->n_imports; i++) {
        if (is_table(&file->imports[i])) {
            text_format(text, "    &%s_proto,\n",
                        file->imports[i].file->c_name);
        }
    }
    text_add(text, "};\n\n");
    return count;
}

/* The table of sensitive fields; returns how many there are. */
static size_t
sensitive(struct text *text, const struct file *file)
{
    size_t count = 0, i, j;

    for (i = 0; i < file->n_messages; i++) {
        const struct message *message = &file->messages[i];

        for (j = 0; j < message->n_fields; j++) {
            const struct field *field = &message->fields[j];

            if (!field->sensitive || file->no_generate) {
                continue;
            }
            if (count++ == 0) {
                text_add(text, "static const struct rpcrt_sensitive_field "
                               "sensitive[] = {\n");
            }
            text_format(text, "    {&%s__descriptor, %ld}, /* %s */\n",
                        message->c_lower, (long)field->proto->number,
                        field->name);
        }
    }
    text_add(text, count > 0 ? "};\n\n" : "");
    return count;
}

/* The table of messages; returns how many there are. */
static size_t
messages(struct text *text, const struct file *file)
{
    size_t i;

    if (file->n_messages == 0 || file->no_generate) {
        return 0;
    }
    text_add(text,
             "static const ProtobufCMessageDescriptor *const messages[] = {\n");
    for (i = 0; i < file->n_messages; i++) {
        text_format(text, "    &%s__descriptor,\n", file->messages[i].c_lower);
    }
    text_add(text, "};\n\n");
    return file->n_messages;
}

static void
descriptor_bytes(struct text *text, struct bytes descriptor)
{
    size_t i;

    text_add(text, "/* The serialized google.protobuf.FileDescriptorProto. */\n"
                   "static const uint8_t descriptor[] = {");
    for (i = 0; i < descriptor.size; i++) {
        text_format(text, "%s0x%02x,", i % 12 == 0 ? "\n    " : " ",
                    descriptor.data[i]);
    }
    text_add(text, "\n};\n\n");
}

static void
file_table(struct text *text, const struct file *file, size_t n_imports,
           size_t n_sensitive, size_t n_messages)
{
    text_format(text,
                "const struct rpcrt_file %s_proto = {\n"
                "    .name = \"%s\",\n"
                "    .descriptor = descriptor,\n"
                "    .descriptor_size = sizeof descriptor,\n",
                file->c_name, file->name);
    if (n_imports > 0) {
        text_format(text,
                    "    .imports = imports,\n"
                    "    .n_imports = %zu,\n",
                    n_imports);
    }
    if (n_sensitive > 0) {
        text_format(text,
                    "    .sensitive = sensitive,\n"
                    "    .n_sensitive = %zu,\n",
                    n_sensitive);
    }
    if (n_messages > 0) {
        text_format(text,
                    "    .messages = messages,\n"
                    "    .n_messages = %zu,\n",
                    n_messages);
    }
    text_add(text, "};\n");
}

/* Add names as they stand in a table: each on a line below the first. */
static void
alternatives(struct text *text, const char *member, const char *ending,
             const char *const *names, size_t n_names)
{
    size_t i;

    for (i = 0; i < n_names; i++) {
        if (i == 0) {
            text_add(text, member);
        } else {
            text_format(text, " |\n%*s", (int)strlen(member), "");
        }
        text_format(text, "%s%s", ending, names[i]);
    }
    text_add(text, n_names > 0 ? ",\n" : "");
}

static void
method_flags(struct text *text, const struct method *method)
{
    const struct {
        bool is_set;
        const char *name;
    } flags[] = {
        {method->nonblocking, "NONBLOCKING"},
        {method->no_side_effects, "NO_SIDE_EFFECTS"},
        {method->idempotent, "IDEMPOTENT"},
        {method->client_streaming, "CLIENT_STREAMING"},
        {method->server_streaming, "SERVER_STREAMING"},
        {method->once, "ONCE"},
    };
    const char *names[sizeof flags / sizeof flags[0]];
    size_t n_names = 0, i;

    for (i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (flags[i].is_set) {
            names[n_names++] = flags[i].name;
        }
    }
    alternatives(text, "            .flags = ", "RPCRT_METHOD_", names,
                 n_names);
}

static void
retry_number(struct text *text, const char *member, uint32_t number)
{
    if (number != 0) {
        text_format(text, "                    .%s = %lu,\n", member,
                    (unsigned long)number);
    }
}

static void
method_retry(struct text *text, const struct retry *retry)
{
    if (retry == NULL) {
        return;
    }
    text_add(text, "            .retry =\n"
                   "                &(const struct rpcrt_retry_policy){\n");
    /* without this line the list could be empty, which C does not take */
    text_format(text, "                    .attempts_max = %lu,\n",
                (unsigned long)retry->attempts_max);
    retry_number(text, "backoff_ms_min", retry->backoff_ms_min);
    retry_number(text, "backoff_ms_max", retry->backoff_ms_max);
    if (retry->backoff_factor != 0) {
        text_format(text, "                    .backoff_factor = %.15g,\n",
                    retry->backoff_factor);
    }
    alternatives(text, "                    .codes = ", "1u << RPCRT_",
                 retry->codes, retry->n_codes);
    retry_number(text, "hedging_ms", retry->hedging_ms);
    text_add(text, "                },\n");
}

static void
service_tables(struct text *text, const struct file *file,
               const struct service *service)
{
    size_t i;

    if (service->n_methods > 0) {
        text_format(text,
                    "\nstatic const struct rpcrt_method %s_methods[] = {\n",
                    service->prefix);
        for (i = 0; i < service->n_methods; i++) {
            const struct method *method = &service->methods[i];

            text_format(text,
                        "    [%s] =\n"
                        "        {\n"
                        "            .path = \"%s\",\n"
                        "            .request = &%s__descriptor,\n"
                        "            .reply = &%s__descriptor,\n",
                        method->index, method->path, method->request->c_lower,
                        method->reply->c_lower);
            method_flags(text, method);
            method_retry(text, method->retry);
            text_add(text, "        },\n");
        }
        text_add(text, "};\n");
    }
    text_format(text,
                "\n"
                "const struct rpcrt_service %s_rpc = {\n"
                "    .name = \"%s\",\n",
                service->prefix, service->element.name);
    if (service->n_methods > 0) {
        text_format(text,
                    "    .methods = %s_methods,\n"
                    "    .n_methods = %zu,\n",
                    service->prefix, service->n_methods);
    }
    text_format(text, "    .file = &%s_proto,\n};\n", file->c_name);
}

void
emit_rpc_source(struct text *text, const struct file *file,
                struct bytes descriptor)
{
    size_t n_imports, n_sensitive, n_messages, i;

    emit_banner(text, file, "");
    n_imports = imports(text, file);
    n_sensitive = sensitive(text, file);
    n_messages = messages(text, file);
    descriptor_bytes(text, descriptor);
    file_table(text, file, n_imports, n_sensitive, n_messages);
    for (i = 0; i < file->n_services; i++) {
        service_tables(text, file, &file->services[i]);
    }
}
