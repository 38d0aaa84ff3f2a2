/*
 * x.server.h and x.server.c: a struct of handlers for each service, and the
 * function that serves it.
 */
#include "emit.h"

#include <string.h>

/* -- header ---------------------------------------------------------------- */

static void
handler_member(struct text *text, const struct method *method)
{
    const char *parameters[5] = {"void *self", "struct rpcrt_ctx *ctx"};
    size_t n_parameters = 2;

    if (!method->client_streaming) {
        parameters[n_parameters++] = pool_format(
            text->pool, "const %s *request", method->request->c_type);
    }
    if (!method->server_streaming) {
        parameters[n_parameters] =
            pool_format(text->pool, "%s *reply", method->reply->c_type);
    }

    text_comment(text, 4, method->comment, NULL);
    text_format(text, "    enum rpcrt_code (*%s)", method->member);
    text_parameters(text, 4, parameters, ");");
    text_add(text, "\n");
}

static void
serve_function(struct text *text, const struct service *service,
               const char *type, const char *end)
{
    const char *const parameters[] = {
        "struct rpcrt_server *server",
        pool_format(text->pool, "const struct %s_service *service",
                    service->prefix),
        "void *self",
        NULL,
    };

    emit_function(text, type,
                  pool_format(text->pool, "%s_serve", service->prefix),
                  parameters, end);
}

static void
service_declarations(struct text *text, const struct service *service)
{
    size_t i;

    text_add(text, "\n");
    text_comment(
        text, 0,
        service->comment[0] == '\0' ? service->element.name : service->comment,
        service->n_methods > 0 ? "A handler that is NULL answers UNIMPLEMENTED."
                               : NULL);
    text_format(text, "struct %s_service {\n", service->prefix);
    for (i = 0; i < service->n_methods; i++) {
        text_add(text, i > 0 ? "\n" : "");
        handler_member(text, &service->methods[i]);
    }
    if (service->n_methods == 0) {
        text_add(text, "    char unused; /* no methods; C wants a member */\n");
    }
    text_add(text, "};\n");
    emit_stream_server(text, true, service);
    text_format(text,
                "\n"
                "/**\n"
                " * Serve %s. Before the server listens.\n"
                " *\n"
                " * service  the handlers; kept, not copied\n"
                " * self     passed to each of them\n"
                " * Returns  OK; ALREADY_EXISTS if it is served; "
                "FAILED_PRECONDITION once the\n"
                " *          server listens; RESOURCE_EXHAUSTED without "
                "memory.\n"
                " */\n",
                service->element.name);
    serve_function(text, service, "RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code",
                   ");");
}

static const char about_handlers[] =
    " *\n"
    " * A handler reads the request, fills the reply and returns a code; see\n"
    " * rpcrt/ctx.h. Handlers of one service run on several threads at once.\n";

static const char about_streams[] =
    " *\n"
    " * Of streams, x_receive() waits for the next message, borrowed until the "
    "next\n"
    " * x_receive(): NULL when the client sends no more. x_reply() waits while "
    "the\n"
    " * client takes no more, and the message is not needed after that. What "
    "is not\n"
    " * RPCRT_OK says that the call is lost, and is for the handler to "
    "return.\n";

void
emit_server_header(struct text *text, const struct file *file)
{
    size_t i;

    if (file->n_services > 0) {
        emit_banner(text, file,
                    pool_format(text->pool, "%s%s", about_handlers,
                                emit_has_streams(file) ? about_streams : ""));
    } else {
        emit_banner(text, file, " * It has no services to serve.\n");
    }
    emit_file_comment(text, file);
    emit_header_begin(
        text, file, "server",
        pool_format(text->pool, "#include \"%s.rpc.h\"\n", file->stem));
    for (i = 0; i < file->n_services; i++) {
        service_declarations(text, &file->services[i]);
    }
    emit_header_end(text);
}

/* -- source ---------------------------------------------------------------- */

static void
glue_function(struct text *text, const struct service *service,
              const struct method *method)
{
    static const char *const parameters[] = {
        "const void *table",       "void *self",
        "struct rpcrt_ctx *ctx",   "const ProtobufCMessage *request",
        "ProtobufCMessage *reply", NULL,
    };
    const char *arguments[5] = {"self", "ctx"};
    const struct text_var vars[] = {
        {"prefix", service->prefix},
        {"member", method->member},
        {"request", method->client_streaming ? "    (void)request;\n" : ""},
        {"reply", method->server_streaming ? "    (void)reply;\n" : ""},
        {NULL, NULL}};
    size_t n_arguments = 2;

    if (!method->client_streaming) {
        arguments[n_arguments++] = "(const void *)request";
    }
    if (!method->server_streaming) {
        arguments[n_arguments] = "(void *)reply";
    }

    text_add(text, "\n");
    emit_function(text, "static enum rpcrt_code",
                  pool_format(text->pool, "%s_glue", method->function),
                  parameters, ")");
    text_emit(text, vars,
              "{\n"
              "    const struct $prefix$_service *service = table;\n"
              "\n"
              "$request$"
              "$reply$"
              "    if (service->$member$ == NULL) {\n"
              "        return rpcrt_ctx_unimplemented(ctx);\n"
              "    }\n"
              "    return service->$member$");
    text_parameters(text, 4, arguments, ");");
    text_add(text, "\n}\n");
}

/* The table of glue functions; returns its name. */
static const char *
glue_table(struct text *text, const struct service *service)
{
    const char *table = pool_format(text->pool, "%s_table", service->prefix);
    size_t i;

    if (service->n_methods == 0) {
        return "NULL";
    }
    text_format(text, "\nstatic rpcrt_glue_fn *const %s[] = {\n", table);
    for (i = 0; i < service->n_methods; i++) {
        text_format(text, "    [%s] = %s_glue,\n", service->methods[i].index,
                    service->methods[i].function);
    }
    text_add(text, "};\n");
    return table;
}

static void
service_definitions(struct text *text, const struct service *service)
{
    const char *arguments[] = {
        "server", pool_format(text->pool, "&%s_rpc", service->prefix),
        NULL,     "service",
        "self",   NULL};
    size_t i;

    for (i = 0; i < service->n_methods; i++) {
        glue_function(text, service, &service->methods[i]);
    }
    emit_stream_server(text, false, service);
    arguments[2] = glue_table(text, service);
    text_add(text, "\n");
    serve_function(text, service, "enum rpcrt_code", ")");
    text_add(text, "{\n"
                   "    return rpcrt_server_add");
    text_parameters(text, 4, arguments, ");");
    text_add(text, "\n}\n");
}

void
emit_server_source(struct text *text, const struct file *file)
{
    size_t i;

    emit_banner(text, file, "");
    text_format(text, "#include \"%s.server.h\"\n", file->stem);
    for (i = 0; i < file->n_services; i++) {
        service_definitions(text, &file->services[i]);
    }
}
