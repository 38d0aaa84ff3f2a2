/*
 * rpcctl ls: the services of a server and their methods.
 */
#include "output.h"
#include "rpcctl.h"

#include <string.h>

/* "stream pkg.Message", as in a .proto. */
static void
type_add(struct output_table *table, bool stream,
         const ProtobufCMessageDescriptor *type)
{
    char text[600];

    (void)snprintf(text, sizeof text, "%s%s", stream ? "stream " : "",
                   type->name);
    output_table_text(table, text);
}

static void
methods_add(struct output_table *table, const struct rpcrt_service *service)
{
    size_t i;

    for (i = 0; i < service->n_methods; i++) {
        const struct rpcrt_method *method = &service->methods[i];

        output_table_text(table, method->path + 1);
        type_add(table, (method->flags & RPCRT_METHOD_CLIENT_STREAMING) != 0,
                 method->request);
        type_add(table, (method->flags & RPCRT_METHOD_SERVER_STREAMING) != 0,
                 method->reply);
    }
}

static void
json_method(const struct rpcrt_method *method)
{
    struct output_json json;

    output_json_begin(&json);
    output_json_text(&json, "method", method->path + 1);
    output_json_text(&json, "request", method->request->name);
    output_json_text(&json, "reply", method->reply->name);
    output_json_bool(&json, "client_streaming",
                     (method->flags & RPCRT_METHOD_CLIENT_STREAMING) != 0);
    output_json_bool(&json, "server_streaming",
                     (method->flags & RPCRT_METHOD_SERVER_STREAMING) != 0);
    output_json_end(&json);
    (void)putchar('\n');
}

/* One service, or its methods. */
static void
service_print(const struct cli *cli, const struct rpcrt_service *service,
              bool methods, struct output_table *table)
{
    size_t i;

    if (!methods && !cli->json) {
        (void)puts(service->name);
    } else if (!methods) {
        struct output_json json;

        output_json_begin(&json);
        output_json_text(&json, "service", service->name);
        output_json_end(&json);
        (void)putchar('\n');
    } else if (!cli->json && rpcctl_options.long_list) {
        methods_add(table, service);
    } else {
        for (i = 0; i < service->n_methods; i++) {
            if (cli->json) {
                json_method(&service->methods[i]);
            } else {
                (void)puts(service->methods[i].path + 1);
            }
        }
    }
}

int
rpcctl_ls(struct cli *cli, int argc, char **argv)
{
    static const char *const headings[] = {"METHOD", "REQUEST", "REPLY"};
    const char *wanted = argc > 0 ? argv[0] : NULL;
    const struct rpcrt_service *service;
    struct rpcrt_types *types = NULL;
    struct output_table table;
    int exit_code = 0;
    size_t n = 0;
    size_t i;

    if (!rpcctl_types_load(cli, wanted, &types, &exit_code)) {
        return exit_code;
    }
    exit_code = 0;
    output_table_init(&table, headings, 3);
    for (i = 0; (service = rpcrt_types_service_at(types, i)) != NULL; i++) {
        if (wanted == NULL || strcmp(service->name, wanted) == 0) {
            service_print(cli, service,
                          wanted != NULL || rpcctl_options.long_list, &table);
            n++;
        }
    }
    if (wanted != NULL && n == 0) {
        exit_code = cli_usage(cli, "no service '%s'", wanted);
    }
    if (rpcctl_options.long_list && !cli->json && n > 0 &&
        !output_table_end(&table)) {
        exit_code = cli_fail(cli, "out of memory");
    }
    rpcrt_types_free(types);
    return exit_code;
}
