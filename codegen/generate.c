/*
 * Runs the steps: decode, parameters, model, checks, emitters.
 */
#include "generate.h"

#include "check.h"
#include "emit.h"
#include "messages.h"
#include "model.h"

#include <string.h>

static Google__Protobuf__Compiler__CodeGeneratorRequest *
decode_request(struct pool *pool, struct bytes bytes)
{
    return (void *)wire_unpack(
        pool, &google__protobuf__compiler__code_generator_request__descriptor,
        bytes);
}

/* Read "comments,protoc_gen_c=PATH,…", as protoc joins what it was given. */
static void
read_parameters(struct output *output, const char *parameters,
                struct problems *problems)
{
    static const char protoc_gen_c[] = "protoc_gen_c=";

    while (parameters != NULL && *parameters != '\0') {
        size_t size = strcspn(parameters, ",");
        const char *one = pool_copy(output->pool, parameters, size);

        if (strncmp(one, protoc_gen_c, sizeof protoc_gen_c - 1) == 0 &&
            size > sizeof protoc_gen_c - 1) {
            output->protoc_gen_c = one + sizeof protoc_gen_c - 1;
        } else if (strcmp(one, "comments") == 0) {
            output->with_comments = true;
        } else if (size > 0) {
            problems_add_general(
                problems, pool_format(output->pool,
                                      "unknown parameter '%s'; there are only "
                                      "comments and protoc_gen_c=PATH",
                                      one));
        }
        parameters += size + (parameters[size] == ',');
    }
}

/* Files to generate that protoc has not sent: only who is not protoc does so.
 */
static void
check_wanted(const Google__Protobuf__Compiler__CodeGeneratorRequest *request,
             struct problems *problems)
{
    size_t i, j;

    for (i = 0; i < request->n_file_to_generate; i++) {
        const char *name = request->file_to_generate[i];

        for (j = 0; j < request->n_proto_file; j++) {
            if (request->proto_file[j]->name != NULL &&
                strcmp(request->proto_file[j]->name, name) == 0) {
                break;
            }
        }
        if (j == request->n_proto_file) {
            problems_add_general(
                problems, pool_format(problems->pool,
                                      "'%s' is not in the request", name));
        }
    }
}

/* A stand-in where protobuf-c's option no_generate suppresses messages. */
static void
add_no_messages(struct output *output, const struct file *file)
{
    struct text header, source;

    text_init(&header, output->pool);
    emit_banner(&header, file,
                " * Without messages: (pb_c_file).no_generate is set.\n");
    text_format(&header,
                "#ifndef %s_PB_C_H\n#define %s_PB_C_H\n\n"
                "#include <protobuf-c/protobuf-c.h>\n\n#endif\n",
                file->c_name, file->c_name);
    text_init(&source, output->pool);
    emit_banner(&source, file, "");
    text_format(&source, "#include \"%s.pb-c.h\"\n", file->stem);
    output_add(output, pool_format(output->pool, "%s.pb-c.h", file->stem),
               header.data);
    output_add(output, pool_format(output->pool, "%s.pb-c.c", file->stem),
               source.data);
}

static void
add_file(struct output *output, const struct file *file)
{
    static const struct {
        const char *ending;
        void (*emit)(struct text *text, const struct file *file);
    } kinds[] = {
        {"rpc.h", emit_rpc_header},       {"client.h", emit_client_header},
        {"client.c", emit_client_source}, {"server.h", emit_server_header},
        {"server.c", emit_server_source},
    };
    struct pool *pool = output->pool;
    struct text text;
    size_t i;

    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        text_init(&text, pool);
        kinds[i].emit(&text, file);
        output_add(output,
                   pool_format(pool, "%s.%s", file->stem, kinds[i].ending),
                   text.data);
    }
    text_init(&text, pool);
    emit_rpc_source(&text, file,
                    messages_descriptor(pool, file, output->with_comments));
    output_add(output, pool_format(pool, "%s.rpc.c", file->stem), text.data);
    if (file->no_generate) {
        add_no_messages(output, file);
    }
}

bool
generate(struct pool *pool, struct bytes bytes, struct output *ret_output)
{
    Google__Protobuf__Compiler__CodeGeneratorRequest *request;
    struct problems problems;
    struct model model;
    size_t i;

    request = decode_request(pool, bytes);
    if (request == NULL) {
        return false;
    }
    output_init(ret_output, pool);
    problems_init(&problems, pool);
    read_parameters(ret_output, request->parameter, &problems);
    model_build(&model, pool, request);
    check_wanted(request, &problems);
    check_model(&model, &problems);
    ret_output->error = problems_text(&problems);
    if (ret_output->error != NULL) {
        return true;
    }
    for (i = 0; i < model.n_files; i++) {
        if (model.files[i].wanted) {
            add_file(ret_output, &model.files[i]);
        }
    }
    if (ret_output->n_files > 0) {
        ret_output->messages_request =
            messages_request(&model, decode_request(pool, bytes));
    }
    return true;
}
