/*
 * rpcctl describe: the .proto text of a service, method, message or enum, or of
 * everything that is known.
 */
#include "rpcctl.h"
#include "rpcctl_proto.h"

#include <string.h>

static Google__Protobuf__FileDescriptorProto *
unpack(const struct cli *cli, const struct rpcrt_file *file)
{
    Google__Protobuf__FileDescriptorProto *proto =
        google__protobuf__file_descriptor_proto__unpack(
            NULL, file->descriptor_size, file->descriptor);

    if (proto == NULL) {
        (void)cli_fail(cli, "%s: a descriptor that is malformed", file->name);
    }
    return proto;
}

/* A symbol of a file, or the file. False: the reason has been printed. */
static bool
describe(const struct cli *cli, const struct rpcrt_file *file,
         const char *symbol)
{
    Google__Protobuf__FileDescriptorProto *descriptor = unpack(cli, file);
    struct rpcctl_proto proto;
    bool done = descriptor != NULL;

    if (!done) {
        return false;
    }
    rpcctl_proto_init(&proto, stdout, descriptor);
    if (symbol == NULL) {
        rpcctl_proto_file(&proto);
    } else {
        done = rpcctl_proto_symbol(&proto, rpcctl_proto_type(&proto, symbol));
    }
    if (!done) {
        (void)cli_fail(cli, "%s: it has no '%s'", file->name, symbol);
    }
    google__protobuf__file_descriptor_proto__free_unpacked(descriptor, NULL);
    return done;
}

static int
describe_all(const struct cli *cli, const struct rpcrt_types *types)
{
    const struct rpcrt_file *file;
    size_t i;

    for (i = 0; (file = rpcrt_types_file_at(types, i)) != NULL; i++) {
        if (i > 0) {
            (void)putchar('\n');
        }
        if (!describe(cli, file, NULL)) {
            return CLI_EXIT_FAILED;
        }
    }
    return 0;
}

/* A method, and what it takes and returns. */
static int
describe_method(struct cli *cli, const char *name)
{
    struct rpcctl_method what = {NULL, NULL, NULL};
    const char *messages[2];
    int exit_code = 0;
    bool done;
    size_t i;

    if (!rpcctl_method_load(cli, name, &what, &exit_code)) {
        return exit_code;
    }
    messages[0] = what.method->request->name;
    messages[1] = what.method->reply->name;
    done = describe(cli, what.file, what.method->path + 1);
    for (i = 0; i < 2 && done; i++) {
        if (i == 0 || messages[0] != messages[1]) {
            (void)putchar('\n');
            done = describe(cli, rpcrt_types_file_of(what.types, messages[i]),
                            messages[i]);
        }
    }
    rpcrt_types_free(what.types);
    return done ? 0 : CLI_EXIT_FAILED;
}

/* The full name of the only message or service that ends so; else what was
 * given. */
static const char *
full_name(const struct rpcrt_types *types, const char *name)
{
    const struct rpcrt_service *service;
    const struct rpcrt_file *file;
    const char *found = name;
    size_t n = 0;
    size_t i;
    size_t j;

    for (i = 0; (file = rpcrt_types_file_at(types, i)) != NULL; i++) {
        for (j = 0; j < file->n_messages; j++) {
            if (rpcctl_ends_with(file->messages[j]->name, name)) {
                found = file->messages[j]->name;
                n++;
            }
        }
    }
    for (i = 0; (service = rpcrt_types_service_at(types, i)) != NULL; i++) {
        if (rpcctl_ends_with(service->name, name)) {
            found = service->name;
            n++;
        }
    }
    return n == 1 ? found : name;
}

int
rpcctl_describe(struct cli *cli, int argc, char **argv)
{
    const char *symbol = argc > 0 ? argv[0] : NULL;
    const struct rpcrt_file *file = NULL;
    struct rpcrt_types *types = NULL;
    int exit_code = 0;

    if (symbol != NULL && strchr(symbol, '/') != NULL) {
        return describe_method(cli, symbol);
    }
    if (!rpcctl_types_load(cli, symbol, &types, &exit_code)) {
        return exit_code;
    }
    if (symbol == NULL) {
        exit_code = describe_all(cli, types);
    } else {
        const char *name = rpcrt_types_file_of(types, symbol) != NULL
                               ? symbol
                               : full_name(types, symbol);

        file = rpcrt_types_file_of(types, name);
        if (file != NULL) {
            exit_code = describe(cli, file, name) ? 0 : CLI_EXIT_FAILED;
        }
    }
    rpcrt_types_free(types);
    return symbol == NULL || file != NULL ? exit_code
                                          : describe_method(cli, symbol);
}
