/*
 * The functions of a method with streams, for x.client.[hc] and x.server.[hc]:
 * those of rpcrt/gen.h with the types of its messages.
 */
#include "emit.h"

static const char call[] = "struct rpcrt_call *call";
static const char ctx[] = "struct rpcrt_ctx *ctx";

/* A function to write: its declaration, or its definition with a body. */
struct function {
    const struct method *method;
    const char *type;
    const char *ending;        /* of its name */
    const char *parameters[3]; /* NULL behind the last */
    const char *body;
};

static void
add_function(struct text *text, bool is_declared,
             const struct function *function)
{
    const char *name = pool_format(
        text->pool, "%s_%s", function->method->function, function->ending);
    bool is_void = function->type[0] == 'v';
    const char *type =
        is_declared
            ? pool_format(text->pool, "RPCRT_API %s%s",
                          is_void ? "" : "RPCRT_MUST_CHECK ", function->type)
            : function->type;

    text_add(text, is_declared ? "" : "\n");
    emit_function(text, type, name, function->parameters,
                  is_declared ? ");" : ")");
    if (!is_declared) {
        text_add(text, function->body);
    }
}

/* -- client ---------------------------------------------------------------- */

static void
open_function(struct text *text, bool is_declared,
              const struct service *service, const struct method *method)
{
    bool has_request = !method->client_streaming;
    const char *table = pool_format(text->pool, "&%s_rpc.methods[%s]",
                                    service->prefix, method->index);
    const char *const arguments[] = {
        "call", table, has_request ? "(const void *)request" : "NULL", NULL};
    struct function open = {method, "void", "open", {call, NULL, NULL}, NULL};
    struct text body;

    if (has_request) {
        open.parameters[1] = pool_format(text->pool, "const %s *request",
                                         method->request->c_type);
    }
    text_init(&body, text->pool);
    text_add(&body, "{\n    rpcrt_call_open");
    text_parameters(&body, 4, arguments, ");");
    text_add(&body, "\n}\n");
    open.body = body.data;
    add_function(text, is_declared, &open);
}

static void
send_functions(struct text *text, bool is_declared, const struct method *method)
{
    const char *message =
        pool_format(text->pool, "const %s *message", method->request->c_type);
    const struct function send = {
        method,
        "bool",
        "send",
        {call, message, NULL},
        "{\n"
        "    return rpcrt_call_send(call, (const void *)message);\n"
        "}\n"};
    const struct function close_send = {method,
                                        "void",
                                        "close_send",
                                        {call, NULL, NULL},
                                        "{\n"
                                        "    rpcrt_call_close_send(call);\n"
                                        "}\n"};

    add_function(text, is_declared, &send);
    add_function(text, is_declared, &close_send);
}

static void
next_function(struct text *text, bool is_declared, const struct method *method)
{
    const char *message = pool_format(text->pool, "const %s **ret_message",
                                      method->reply->c_type);
    const struct function next = {
        method,
        "bool",
        "next",
        {call, message, NULL},
        "{\n"
        "    const ProtobufCMessage *message = NULL;\n"
        "\n"
        "    if (!rpcrt_call_next(call, &message)) {\n"
        "        return false;\n"
        "    }\n"
        "    *ret_message = (const void *)message;\n"
        "    return true;\n"
        "}\n"};

    add_function(text, is_declared, &next);
}

static void
finish_function(struct text *text, bool is_declared,
                const struct method *method)
{
    struct function finish = {method,
                              "enum rpcrt_code",
                              "finish",
                              {call, NULL, NULL},
                              "{\n"
                              "    return rpcrt_call_finish(call, NULL);\n"
                              "}\n"};

    if (!method->server_streaming) {
        finish.parameters[1] = pool_format(text->pool, "const %s **ret_reply",
                                           method->reply->c_type);
        finish.body = "{\n"
                      "    const ProtobufCMessage *reply = NULL;\n"
                      "    enum rpcrt_code code;\n"
                      "\n"
                      "    code = rpcrt_call_finish(call, &reply);\n"
                      "    if (code == RPCRT_OK) {\n"
                      "        *ret_reply = (const void *)reply;\n"
                      "    }\n"
                      "    return code;\n"
                      "}\n";
    }
    add_function(text, is_declared, &finish);
}

void
emit_stream_client(struct text *text, bool is_declared,
                   const struct service *service, const struct method *method)
{
    open_function(text, is_declared, service, method);
    if (method->client_streaming) {
        send_functions(text, is_declared, method);
    }
    if (method->server_streaming) {
        next_function(text, is_declared, method);
    }
    finish_function(text, is_declared, method);
}

/* -- server ---------------------------------------------------------------- */

static void
receive_function(struct text *text, bool is_declared,
                 const struct method *method)
{
    const char *message = pool_format(text->pool, "const %s **ret_message",
                                      method->request->c_type);
    const struct function receive = {
        method,
        "enum rpcrt_code",
        "receive",
        {ctx, message, NULL},
        "{\n"
        "    const ProtobufCMessage *message = NULL;\n"
        "    enum rpcrt_code code;\n"
        "\n"
        "    code = rpcrt_ctx_receive(ctx, &message);\n"
        "    if (code == RPCRT_OK) {\n"
        "        *ret_message = (const void *)message;\n"
        "    }\n"
        "    return code;\n"
        "}\n"};

    add_function(text, is_declared, &receive);
}

static void
reply_function(struct text *text, bool is_declared, const struct method *method)
{
    const char *message =
        pool_format(text->pool, "const %s *message", method->reply->c_type);
    const struct function reply = {
        method,
        "enum rpcrt_code",
        "reply",
        {ctx, message, NULL},
        "{\n"
        "    return rpcrt_ctx_reply(ctx, (const void *)message);\n"
        "}\n"};

    add_function(text, is_declared, &reply);
}

void
emit_stream_server(struct text *text, bool is_declared,
                   const struct service *service)
{
    size_t i;

    for (i = 0; i < service->n_methods; i++) {
        const struct method *method = &service->methods[i];

        if (is_declared && model_is_stream(method)) {
            text_format(text, "\n/** For the handler of %s. */\n",
                        method->name);
        }
        if (method->client_streaming) {
            receive_function(text, is_declared, method);
        }
        if (method->server_streaming) {
            reply_function(text, is_declared, method);
        }
    }
}
