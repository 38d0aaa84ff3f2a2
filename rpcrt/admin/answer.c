/*
 * What reflection answers to each kind of request. A symbol or file that does
 * not exist is an answer too; the stream goes on.
 */
#include "admin/answer.h"

#include "admin/descriptor.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASKED(what)                                                            \
    GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what
#define ANSWERED(what)                                                         \
    GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##what

/* Names of more bytes are not repeated in the text of an error. */
#define NAME_SHOWN 255u
#define NUMBERS_MIN 16u

static bool
answer_error(struct rpcrt__answer *answer, enum rpcrt_code code,
             const char *what, const char *name)
{
    /* A name is never cut: half a character would be no text. */
    (void)snprintf(answer->text, sizeof answer->text, "%s '%s'", what,
                   strlen(name) <= NAME_SHOWN ? name : "...");
    answer->error.error_code = (int32_t)code;
    answer->error.error_message = answer->text;
    answer->message.message_response_case = ANSWERED(ERROR_RESPONSE);
    answer->message.error_response = &answer->error;
    return true;
}

/* -- files ----------------------------------------------------------------- */

static bool
answer_file(struct rpcrt__answer *answer, const struct rpcrt_file *file)
{
    Grpc__Reflection__V1__FileDescriptorResponse *reply = &answer->files;
    struct rpcrt__files files = {NULL, 0, 0};
    bool ok = rpcrt__files_add(&files, file);
    size_t i;

    if (ok) {
        reply->file_descriptor_proto =
            calloc(files.n_items, sizeof reply->file_descriptor_proto[0]);
        ok = reply->file_descriptor_proto != NULL;
    }
    for (i = 0; ok && i < files.n_items; i++) {
        /* protobuf-c has no const for bytes; they are only read. */
        reply->file_descriptor_proto[i] = (ProtobufCBinaryData){
            .len = files.items[i]->descriptor_size,
            .data = (uint8_t *)(uintptr_t)files.items[i]->descriptor};
        reply->n_file_descriptor_proto++;
    }
    rpcrt__files_fini(&files);
    answer->message.message_response_case = ANSWERED(FILE_DESCRIPTOR_RESPONSE);
    answer->message.file_descriptor_response = reply;
    return ok;
}

static bool
answer_name(struct rpcrt__answer *answer, const struct rpcrt__files *files,
            const char *name)
{
    size_t i;

    for (i = 0; i < files->n_items; i++) {
        if (strcmp(files->items[i]->name, name) == 0) {
            return answer_file(answer, files->items[i]);
        }
    }
    return answer_error(answer, RPCRT_NOT_FOUND, "no file", name);
}

/* NULL if no file declares it. */
static const struct rpcrt_file *
find_symbol(const struct rpcrt__files *files, const char *symbol)
{
    size_t i;

    for (i = 0; i < files->n_items; i++) {
        if (rpcrt__file_declares(files->items[i], symbol)) {
            return files->items[i];
        }
    }
    return NULL;
}

static bool
answer_symbol(struct rpcrt__answer *answer, const struct rpcrt__files *files,
              const char *symbol)
{
    const struct rpcrt_file *file = find_symbol(files, symbol);

    return file != NULL
               ? answer_file(answer, file)
               : answer_error(answer, RPCRT_NOT_FOUND, "no symbol", symbol);
}

/* -- extensions ------------------------------------------------------------ */

static bool
is_other_number(void *arg, int32_t number)
{
    return number != *(const int32_t *)arg;
}

static bool
answer_extension(struct rpcrt__answer *answer, const struct rpcrt__files *files,
                 const Grpc__Reflection__V1__ExtensionRequest *asked)
{
    int32_t number = asked->extension_number;
    size_t i;

    for (i = 0; i < files->n_items; i++) {
        if (!rpcrt__file_each_extension(files->items[i], asked->containing_type,
                                        is_other_number, &number)) {
            return answer_file(answer, files->items[i]);
        }
    }
    return answer_error(answer, RPCRT_NOT_FOUND, "no such extension of",
                        asked->containing_type);
}

static bool
add_number(void *arg, int32_t number)
{
    struct rpcrt__answer *answer = arg;
    Grpc__Reflection__V1__ExtensionNumberResponse *reply = &answer->numbers;

    if (reply->n_extension_number == answer->numbers_room) {
        size_t room =
            answer->numbers_room == 0 ? NUMBERS_MIN : answer->numbers_room * 2;
        int32_t *larger =
            realloc(reply->extension_number, room * sizeof larger[0]);

        if (larger == NULL) {
            return false;
        }
        reply->extension_number = larger;
        answer->numbers_room = room;
    }
    reply->extension_number[reply->n_extension_number++] = number;
    return true;
}

static bool
answer_numbers(struct rpcrt__answer *answer, const struct rpcrt__files *files,
               char *type)
{
    size_t i;

    if (find_symbol(files, type) == NULL) {
        return answer_error(answer, RPCRT_NOT_FOUND, "no type", type);
    }
    for (i = 0; i < files->n_items; i++) {
        if (!rpcrt__file_each_extension(files->items[i], type, add_number,
                                        answer)) {
            return false;
        }
    }
    answer->numbers.base_type_name = type;
    answer->message.message_response_case =
        ANSWERED(ALL_EXTENSION_NUMBERS_RESPONSE);
    answer->message.all_extension_numbers_response = &answer->numbers;
    return true;
}

/* -- services -------------------------------------------------------------- */

static bool
answer_services(struct rpcrt__answer *answer, const struct rpcrt_server *server)
{
    Grpc__Reflection__V1__ListServiceResponse *reply = &answer->services;
    Grpc__Reflection__V1__ServiceResponse *items;
    const struct rpcrt_service *service;
    size_t n = 0;

    do { /* at least reflection is served */
        n++;
    } while (rpcrt_server_service(server, n) != NULL);
    items = answer->items = calloc(n, sizeof items[0]);
    reply->service = calloc(n, sizeof reply->service[0]);
    if (items == NULL || reply->service == NULL) {
        return false;
    }
    while ((service = rpcrt_server_service(server, reply->n_service)) != NULL) {
        grpc__reflection__v1__service_response__init(&items[reply->n_service]);
        items[reply->n_service].name = (char *)(uintptr_t)service->name;
        reply->service[reply->n_service] = &items[reply->n_service];
        reply->n_service++;
    }
    answer->message.message_response_case = ANSWERED(LIST_SERVICES_RESPONSE);
    answer->message.list_services_response = reply;
    return true;
}

/* -- any ------------------------------------------------------------------- */

bool
rpcrt__answer_make(struct rpcrt__answer *answer,
                   const struct rpcrt_server *server,
                   const struct rpcrt__files *files,
                   const Grpc__Reflection__V1__ServerReflectionRequest *request)
{
    memset(answer, 0, sizeof *answer);
    grpc__reflection__v1__server_reflection_response__init(&answer->message);
    grpc__reflection__v1__file_descriptor_response__init(&answer->files);
    grpc__reflection__v1__extension_number_response__init(&answer->numbers);
    grpc__reflection__v1__list_service_response__init(&answer->services);
    grpc__reflection__v1__error_response__init(&answer->error);
    answer->message.valid_host = request->host;
    answer->message.original_request =
        (Grpc__Reflection__V1__ServerReflectionRequest *)(uintptr_t)request;
    switch ((int)request->message_request_case) {
    case ASKED(FILE_BY_FILENAME):
        return answer_name(answer, files, request->file_by_filename);
    case ASKED(FILE_CONTAINING_SYMBOL):
        return answer_symbol(answer, files, request->file_containing_symbol);
    case ASKED(FILE_CONTAINING_EXTENSION):
        return answer_extension(answer, files,
                                request->file_containing_extension);
    case ASKED(ALL_EXTENSION_NUMBERS_OF_TYPE):
        return answer_numbers(answer, files,
                              request->all_extension_numbers_of_type);
    case ASKED(LIST_SERVICES):
        return answer_services(answer, server);
    default:
        return answer_error(answer, RPCRT_INVALID_ARGUMENT,
                            "a question is missing; host", request->host);
    }
}

void
rpcrt__answer_fini(struct rpcrt__answer *answer)
{
    free(answer->files.file_descriptor_proto);
    free(answer->numbers.extension_number);
    free(answer->items);
    free(answer->services.service);
}
