/*
 * Types by reflection: grpc.reflection.v1, and v1alpha, which has the same
 * messages, from older servers. One stream asks for the files of a symbol, or
 * of all services, and then for what they import.
 */
#include "rpcctl.h"

#include "grpc/reflection/v1/reflection.pb-c.h"

#include <stdlib.h>
#include <string.h>

#define REQUEST(which)                                                         \
    GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##which
#define RESPONSE(which)                                                        \
    GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##which

#define STREAMING                                                              \
    (RPCRT_METHOD_CLIENT_STREAMING | RPCRT_METHOD_SERVER_STREAMING)

static const struct rpcrt_method methods[] = {
    {.path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
     .request = &grpc__reflection__v1__server_reflection_request__descriptor,
     .reply = &grpc__reflection__v1__server_reflection_response__descriptor,
     .flags = STREAMING},
    {.path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
     .request = &grpc__reflection__v1__server_reflection_request__descriptor,
     .reply = &grpc__reflection__v1__server_reflection_response__descriptor,
     .flags = STREAMING}};

struct reflection {
    struct cli *cli;
    struct rpcrt_call *call;
    struct rpcrt_types *types;
    char **services;
    size_t n_services;
};

/* -- questions ------------------------------------------------------------- */

/* Send a question and wait for its answer, which lasts until the next one.
 * NULL: the stream is over. */
static const Grpc__Reflection__V1__ServerReflectionResponse *
ask(const struct reflection *reflection, unsigned which, const char *text)
{
    Grpc__Reflection__V1__ServerReflectionRequest request;
    const ProtobufCMessage *answer = NULL;
    char *copy = strdup(text);
    bool done;

    if (copy == NULL) {
        return NULL;
    }
    grpc__reflection__v1__server_reflection_request__init(&request);
    request.message_request_case = which;
    if (which == REQUEST(FILE_BY_FILENAME)) {
        request.file_by_filename = copy;
    } else if (which == REQUEST(FILE_CONTAINING_SYMBOL)) {
        request.file_containing_symbol = copy;
    } else {
        request.list_services = copy;
    }
    done = rpcrt_call_send(reflection->call, &request.base) &&
           rpcrt_call_next(reflection->call, &answer);
    free(copy);
    return done ? (const Grpc__Reflection__V1__ServerReflectionResponse *)answer
                : NULL;
}

/* What became of a question. */
enum outcome { ADDED, UNKNOWN, OVER, REFUSED };

/* Ask for files and add them. */
static enum outcome
files_get(const struct reflection *reflection, unsigned which, const char *text)
{
    const Grpc__Reflection__V1__ServerReflectionResponse *answer =
        ask(reflection, which, text);
    size_t i;

    if (answer == NULL) {
        return OVER;
    }
    if (answer->message_response_case != RESPONSE(FILE_DESCRIPTOR_RESPONSE)) {
        return UNKNOWN;
    }
    for (i = 0; i < answer->file_descriptor_response->n_file_descriptor_proto;
         i++) {
        const ProtobufCBinaryData *file =
            &answer->file_descriptor_response->file_descriptor_proto[i];

        if (rpcrt_types_add(reflection->types, file->data, file->len) !=
            RPCRT_OK) {
            (void)cli_fail(reflection->cli, "%s: its reflection: %s",
                           reflection->cli->address, rpcrt_last_error());
            return REFUSED;
        }
    }
    return ADDED;
}

/* Keep the names of all services. */
static enum outcome
services_get(struct reflection *reflection)
{
    const Grpc__Reflection__V1__ServerReflectionResponse *answer =
        ask(reflection, REQUEST(LIST_SERVICES), "*");
    const Grpc__Reflection__V1__ListServiceResponse *list;
    size_t i;

    if (answer == NULL) {
        return OVER;
    }
    if (answer->message_response_case != RESPONSE(LIST_SERVICES_RESPONSE)) {
        return UNKNOWN;
    }
    list = answer->list_services_response;
    reflection->services = calloc(list->n_service + 1, sizeof(char *));
    for (i = 0; reflection->services != NULL && i < list->n_service; i++) {
        char *name = strdup(list->service[i]->name);

        if (name != NULL) {
            reflection->services[reflection->n_services++] = name;
        }
    }
    return ADDED;
}

/* Ask for a symbol, or everything, and all imports. OVER and REFUSED are
 * failures. */
static enum outcome
fetch(struct reflection *reflection, const char *symbol)
{
    enum outcome outcome = UNKNOWN;
    const char *missing;
    size_t i;

    if (symbol != NULL) {
        outcome =
            files_get(reflection, REQUEST(FILE_CONTAINING_SYMBOL), symbol);
    }
    if (outcome == UNKNOWN) {
        outcome = services_get(reflection);
        for (i = 0; i < reflection->n_services && outcome < OVER; i++) {
            outcome = files_get(reflection, REQUEST(FILE_CONTAINING_SYMBOL),
                                reflection->services[i]);
        }
    }
    /* What the server does not have may not be needed either. */
    while (outcome < OVER &&
           (missing = rpcrt_types_missing(reflection->types)) != NULL) {
        outcome = files_get(reflection, REQUEST(FILE_BY_FILENAME), missing);
    }
    return outcome;
}

/* -- the stream ------------------------------------------------------------ */

static void
reflection_fini(struct reflection *reflection)
{
    size_t i;

    for (i = 0; i < reflection->n_services; i++) {
        free(reflection->services[i]);
    }
    free(reflection->services);
    rpcrt_call_free(reflection->call);
}

/* Say why it ended; returns the exit code. */
static int
failed(const struct reflection *reflection, enum rpcrt_code code)
{
    if (code == RPCRT_UNIMPLEMENTED) {
        (void)cli_fail(reflection->cli,
                       "%s: the server has no reflection; give --descriptors "
                       "FILE",
                       reflection->cli->address);
        return CLI_EXIT_STATUS + RPCRT_UNIMPLEMENTED;
    }
    if (code == RPCRT_OK) {
        return cli_fail(reflection->cli, "%s: the server's reflection ended",
                        reflection->cli->address);
    }
    return rpcctl_failed(reflection->cli, reflection->call);
}

bool
rpcctl_reflect(struct cli *cli, const char *symbol, struct rpcrt_types *types,
               int *ret_exit)
{
    struct reflection reflection = {.cli = cli, .types = types};
    enum outcome outcome = OVER;
    enum rpcrt_code code = RPCRT_UNIMPLEMENTED;
    size_t i;

    *ret_exit = CLI_EXIT_FAILED;
    if (!rpcctl_call_new(cli, &reflection.call)) {
        return false;
    }
    for (i = 0; i < 2 && outcome == OVER && code == RPCRT_UNIMPLEMENTED; i++) {
        rpcrt_call_open(reflection.call, &methods[i], NULL);
        outcome = fetch(&reflection, symbol);
        if (outcome == REFUSED) {
            rpcrt_call_cancel(reflection.call);
        }
        code = rpcrt_call_finish(reflection.call, NULL);
    }
    if (outcome == OVER) {
        *ret_exit = failed(&reflection, code);
    }
    reflection_fini(&reflection);
    return outcome < OVER;
}
