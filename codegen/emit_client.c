/*
 * x.client.h and x.client.c: for each method a call that waits, and a pair to
 * start a call and to take its outcome; those with streams are in
 * emit_stream.c.
 */
#include "emit.h"

#include <string.h>

/* The names and parameters of a method's three functions. */
struct functions {
    const char *start;
    const char *take;
    const char *call_parameters[4];
    const char *start_parameters[5];
    const char *take_parameters[3];
};

static struct functions
functions_of(struct pool *pool, const struct method *method)
{
    static const char call[] = "struct rpcrt_call *call";
    const char *request =
        pool_format(pool, "const %s *request", method->request->c_type);
    const char *reply =
        pool_format(pool, "const %s **ret_reply", method->reply->c_type);
    struct functions functions = {
        pool_format(pool, "%s_start", method->function),
        pool_format(pool, "%s_take", method->function),
        {call, request, reply, NULL},
        {call, request, "rpcrt_done_fn *done", "void *arg", NULL},
        {call, reply, NULL},
    };

    return functions;
}

static void
unary_declarations(struct text *text, const struct method *method)
{
    struct functions functions = functions_of(text->pool, method);

    emit_function(text, "RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code",
                  method->function, functions.call_parameters, ");");
    emit_function(text, "RPCRT_API void", functions.start,
                  functions.start_parameters, ");");
    emit_function(text, "RPCRT_API RPCRT_MUST_CHECK enum rpcrt_code",
                  functions.take, functions.take_parameters, ");");
}

static void
method_declarations(struct text *text, const struct service *service,
                    const struct method *method)
{
    const char *comment =
        method->comment[0] == '\0' ? method->path + 1 : method->comment;

    text_add(text, "\n");
    text_comment(text, 0, comment, NULL);
    if (model_is_stream(method)) {
        emit_stream_client(text, true, service, method);
    } else {
        unary_declarations(text, method);
    }
}

static void
service_declarations(struct text *text, const struct service *service)
{
    size_t i;

    text_add(text, "\n");
    text_section(text, service->element.name, service->comment);
    for (i = 0; i < service->n_methods; i++) {
        method_declarations(text, service, &service->methods[i]);
    }
}

static const char about_unary[] =
    " *\n"
    " * x() makes the call and waits for its end. It returns RPCRT_OK and sets "
    "the\n"
    " * reply, which is borrowed from the call until its next use; or it "
    "returns why\n"
    " * not, and rpcrt_call_message() says more.\n"
    " *\n"
    " * x_start() returns at once; the request is not needed after that. done "
    "is told\n"
    " * of the end, always, on a thread of the runtime: it must not block, but "
    "may\n"
    " * take the reply and start the call again. rpcrt_queue_done, with a "
    "queue as\n"
    " * arg, lets the queue give the call back; NULL is for "
    "rpcrt_call_wait().\n"
    " * x_take() then returns what x() would have returned.\n";

static const char about_streams[] =
    " *\n"
    " * Streams are read and written in a loop:\n"
    " *\n"
    " *   x_open(call, &request);\n"
    " *   while (x_next(call, &message)) {\n"
    " *       ...\n"
    " *   }\n"
    " *   code = x_finish(call);\n"
    " *\n"
    " * x_open() returns at once. x_next() waits for a message, borrowed until "
    "the\n"
    " * next x_next(); x_send() waits while the server takes no more, and the "
    "message\n"
    " * is not needed after that. Both return false once the call is over. "
    "After\n"
    " * x_close_send() the server knows that all were sent. x_finish() waits "
    "for the\n"
    " * end and returns how it ended, with the reply if there is but one. One "
    "thread\n"
    " * may send while another one receives; see rpcrt/stream.h.\n";

static void
about(struct text *text, const struct file *file)
{
    bool has_unary = emit_has_unary(file);
    bool has_streams = emit_has_streams(file);

    emit_banner(text, file,
                pool_format(text->pool, "%s%s%s", has_unary ? about_unary : "",
                            has_streams ? about_streams : "",
                            has_unary || has_streams
                                ? ""
                                : " * It has no methods to call.\n"));
}

void
emit_client_header(struct text *text, const struct file *file)
{
    size_t i;

    about(text, file);
    emit_file_comment(text, file);
    emit_header_begin(
        text, file, "client",
        pool_format(text->pool, "#include \"%s.rpc.h\"\n", file->stem));
    for (i = 0; i < file->n_services; i++) {
        service_declarations(text, &file->services[i]);
    }
    emit_header_end(text);
}

/* The body of a function that gets a reply from another. */
static void
reply_body(struct text *text, const char *function,
           const char *const *arguments)
{
    text_add(text, "{\n"
                   "    const ProtobufCMessage *reply = NULL;\n"
                   "    enum rpcrt_code code;\n"
                   "\n");
    text_format(text, "    code = %s", function);
    text_parameters(text, 4, arguments, ");");
    text_add(text, "\n"
                   "    if (code == RPCRT_OK) {\n"
                   "        *ret_reply = (const void *)reply;\n"
                   "    }\n"
                   "    return code;\n"
                   "}\n");
}

static void
unary_definitions(struct text *text, const struct service *service,
                  const struct method *method)
{
    static const char request[] = "(const void *)request";
    struct functions functions = functions_of(text->pool, method);
    const char *table = pool_format(text->pool, "&%s_rpc.methods[%s]",
                                    service->prefix, method->index);
    const char *const call[] = {"call", table, request, "&reply", NULL};
    const char *const start[] = {"call", table, request, "done", "arg", NULL};
    const char *const take[] = {"call", "&reply", NULL};

    text_add(text, "\n");
    emit_function(text, "enum rpcrt_code", method->function,
                  functions.call_parameters, ")");
    reply_body(text, "rpcrt_call_unary", call);
    text_add(text, "\n");
    emit_function(text, "void", functions.start, functions.start_parameters,
                  ")");
    text_add(text, "{\n"
                   "    rpcrt_call_start");
    text_parameters(text, 4, start, ");");
    text_add(text, "\n"
                   "}\n\n");
    emit_function(text, "enum rpcrt_code", functions.take,
                  functions.take_parameters, ")");
    reply_body(text, "rpcrt_call_take", take);
}

void
emit_client_source(struct text *text, const struct file *file)
{
    size_t i, j;

    emit_banner(text, file, "");
    text_format(text, "#include \"%s.client.h\"\n", file->stem);
    for (i = 0; i < file->n_services; i++) {
        const struct service *service = &file->services[i];

        for (j = 0; j < service->n_methods; j++) {
            const struct method *method = &service->methods[j];

            if (model_is_stream(method)) {
                emit_stream_client(text, false, service, method);
            } else {
                unary_definitions(text, service, method);
            }
        }
    }
}
