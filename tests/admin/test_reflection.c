/*
 * Reflection: what a client without generated code is told.
 */
#include "grpc/reflection/v1/reflection.client.h"
#include "grpc/reflection/v1alpha/reflection.client.h"
#include "tests/admin/ground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(reflection);

#define ASK(what)                                                              \
    GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what
#define TOLD(what)                                                             \
    GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##what

/* -- asking ---------------------------------------------------------------- */

static const Grpc__Reflection__V1__ServerReflectionResponse *
ask(struct rpcrt_call *call,
    const Grpc__Reflection__V1__ServerReflectionRequest *question)
{
    const Grpc__Reflection__V1__ServerReflectionResponse *answer;

    cr_assert(grpc_reflection_v1_server_reflection_server_reflection_info_send(
        call, question));
    cr_assert(grpc_reflection_v1_server_reflection_server_reflection_info_next(
        call, &answer));
    cr_assert_str_eq(answer->valid_host, question->host);
    cr_assert_not_null(answer->original_request);
    cr_assert_eq(answer->original_request->message_request_case,
                 question->message_request_case);
    return answer;
}

static const Grpc__Reflection__V1__ServerReflectionResponse *
ask_text(struct rpcrt_call *call, int what, const char *text)
{
    Grpc__Reflection__V1__ServerReflectionRequest question;

    grpc__reflection__v1__server_reflection_request__init(&question);
    question.host = (char *)(uintptr_t) "here";
    question.message_request_case =
        (Grpc__Reflection__V1__ServerReflectionRequest__MessageRequestCase)what;
    question.list_services = (char *)(uintptr_t)text;
    return ask(call, &question);
}

static const Grpc__Reflection__V1__ServerReflectionResponse *
ask_extension(struct rpcrt_call *call, const char *type, int32_t number)
{
    Grpc__Reflection__V1__ServerReflectionRequest question;
    Grpc__Reflection__V1__ExtensionRequest extension;

    grpc__reflection__v1__server_reflection_request__init(&question);
    grpc__reflection__v1__extension_request__init(&extension);
    extension.containing_type = (char *)(uintptr_t)type;
    extension.extension_number = number;
    question.message_request_case = ASK(FILE_CONTAINING_EXTENSION);
    question.file_containing_extension = &extension;
    return ask(call, &question);
}

/* The name of the first file in an answer: field 1 comes first. */
static const char *
first_file(const Grpc__Reflection__V1__ServerReflectionResponse *answer)
{
    static char name[64];
    const ProtobufCBinaryData *file;

    cr_assert_eq(answer->message_response_case, TOLD(FILE_DESCRIPTOR_RESPONSE));
    cr_assert_gt(answer->file_descriptor_response->n_file_descriptor_proto, 0);
    file = &answer->file_descriptor_response->file_descriptor_proto[0];
    cr_assert(file->len > 2 && file->data[0] == 0x0a &&
              file->data[1] < sizeof name && file->len > 2u + file->data[1]);
    (void)snprintf(name, sizeof name, "%.*s", (int)file->data[1],
                   (const char *)&file->data[2]);
    return name;
}

static void
expect_error(const Grpc__Reflection__V1__ServerReflectionResponse *answer,
             enum rpcrt_code code, const char *text)
{
    cr_assert_eq(answer->message_response_case, TOLD(ERROR_RESPONSE));
    cr_assert_eq(answer->error_response->error_code, (int32_t)code);
    cr_assert_str_eq(answer->error_response->error_message, text);
}

static struct rpcrt_call *
open_stream(struct ground *ground)
{
    struct rpcrt_call *call = bed_call(ground->channel, BED_TIMEOUT_MS);

    grpc_reflection_v1_server_reflection_server_reflection_info_open(call);
    return call;
}

static void
close_stream(struct rpcrt_call *call)
{
    expect_ok(
        call,
        grpc_reflection_v1_server_reflection_server_reflection_info_finish(
            call));
    rpcrt_call_free(call);
}

/* -- answers --------------------------------------------------------------- */

EACH_GROUND(reflection, lists_every_service, 20)
{
    static const char *const expected[] = {
        "admin.zoo.Zoo", "petstore.v1.Petstore",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection", "grpc.health.v1.Health"};
    struct ground ground;
    struct rpcrt_call *call;
    const Grpc__Reflection__V1__ServerReflectionResponse *answer;
    size_t i;

    ground_open(&ground, transport, NULL);
    call = open_stream(&ground);
    answer = ask_text(call, ASK(LIST_SERVICES), "*");
    cr_assert_eq(answer->message_response_case, TOLD(LIST_SERVICES_RESPONSE));
    cr_assert_eq(answer->list_services_response->n_service, 5);
    for (i = 0; i < 5; i++) {
        cr_assert_str_eq(answer->list_services_response->service[i]->name,
                         expected[i]);
    }
    close_stream(call);
    ground_close(&ground);
}

EACH_GROUND(reflection, finds_the_file_of_every_kind_of_symbol, 20)
{
    static const char *const symbols[] = {
        "admin.zoo.Zoo",         "admin.zoo.Zoo.Feed",
        "admin.zoo.Animal",      "admin.zoo.Animal.Leg",
        "admin.zoo.Animal.born", "admin.zoo.Animal.Leg.length",
        "admin.zoo.Animal.home", "admin.zoo.Animal.pool",
        "admin.zoo.Size",        "admin.zoo.LARGE",
        "admin.zoo.Animal.Mood", "admin.zoo.Animal.CALM",
        "admin.zoo.stripes",     "admin.zoo.Keeper.keeper"};
    struct ground ground;
    struct rpcrt_call *call;
    size_t i;

    ground_open(&ground, transport, NULL);
    call = open_stream(&ground);
    for (i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        const Grpc__Reflection__V1__ServerReflectionResponse *answer =
            ask_text(call, ASK(FILE_CONTAINING_SYMBOL), symbols[i]);

        cr_assert_eq(answer->message_response_case,
                     TOLD(FILE_DESCRIPTOR_RESPONSE), "%s", symbols[i]);
        cr_assert_str_eq(first_file(answer), "admin/zoo.proto");
    }
    close_stream(call);
    ground_close(&ground);
}

EACH_GROUND(reflection, says_what_does_not_exist_and_goes_on, 20)
{
    static const char *const symbols[] = {
        "",
        ".",
        "admin",
        "admin.zoo",
        "admin.zoo.",
        "admin.zoo.Zo",
        "admin.zoo.Zooo",
        "admin.zoo.ZooxFeed",
        "admin.zoo.Zoo.",
        "admin.zoo.Zoo.Feed.x",
        "admin.zoo.Zoo.LARGE",
        "admin.zoo.Size.LARGE",
        "admin.zoo.Animal.Leg.born",
        "zoo.Zoo",
        "admin.zoox.Zoo",
        "admin.zoo.google.protobuf.Timestamp"};
    char text[128];
    struct ground ground;
    struct rpcrt_call *call;
    size_t i;

    ground_open(&ground, transport, NULL);
    call = open_stream(&ground);
    for (i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        (void)snprintf(text, sizeof text, "no symbol '%s'", symbols[i]);
        expect_error(ask_text(call, ASK(FILE_CONTAINING_SYMBOL), symbols[i]),
                     RPCRT_NOT_FOUND, text);
    }
    expect_error(ask_text(call, ASK(FILE_BY_FILENAME), "zoo.proto"),
                 RPCRT_NOT_FOUND, "no file 'zoo.proto'");
    expect_error(ask_text(call, 0, NULL), RPCRT_INVALID_ARGUMENT,
                 "a question is missing; host 'here'");
    cr_assert_str_eq(
        first_file(ask_text(call, ASK(FILE_BY_FILENAME), "admin/zoo.proto")),
        "admin/zoo.proto");
    close_stream(call);
    ground_close(&ground);
}

Test(reflection, never_cuts_a_character_of_a_long_name, .timeout = 20)
{
    char name[1024];
    struct ground ground;
    struct rpcrt_call *call;
    size_t i;

    for (i = 0; i + 2 < sizeof name; i += 2) {
        memcpy(&name[i], "\xc3\xa4", 2);
    }
    name[i] = '\0';
    ground_open(&ground, "inproc", NULL);
    call = open_stream(&ground);
    expect_error(ask_text(call, ASK(FILE_CONTAINING_SYMBOL), name),
                 RPCRT_NOT_FOUND, "no symbol '...'");
    close_stream(call);
    ground_close(&ground);
}

EACH_GROUND(reflection, sends_a_file_with_all_that_it_imports, 20)
{
    struct ground ground;
    struct rpcrt_call *call;
    const Grpc__Reflection__V1__ServerReflectionResponse *answer;

    ground_open(&ground, transport, NULL);
    call = open_stream(&ground);
    answer = ask_text(call, ASK(FILE_BY_FILENAME), "admin/zoo.proto");
    cr_assert_eq(answer->file_descriptor_response->n_file_descriptor_proto, 2);
    cr_assert_str_eq(first_file(answer), "admin/zoo.proto");
    answer = ask_text(call, ASK(FILE_CONTAINING_SYMBOL),
                      "google.protobuf.Timestamp");
    cr_assert_str_eq(first_file(answer), "google/protobuf/timestamp.proto");
    cr_assert_eq(answer->file_descriptor_response->n_file_descriptor_proto, 1);
    close_stream(call);
    ground_close(&ground);
}

static bool
first_file_has(const Grpc__Reflection__V1__ServerReflectionResponse *answer,
               const char *text)
{
    const ProtobufCBinaryData *file =
        &answer->file_descriptor_response->file_descriptor_proto[0];
    size_t size = strlen(text);
    size_t i;

    for (i = 0; i + size <= file->len; i++) {
        if (memcmp(&file->data[i], text, size) == 0) {
            return true;
        }
    }
    return false;
}

EACH_GROUND(reflection, tells_the_comments_of_declarations, 20)
{
    const Grpc__Reflection__V1__ServerReflectionResponse *answer;
    struct ground ground;
    struct rpcrt_call *call;

    ground_open(&ground, transport, NULL);
    call = open_stream(&ground);
    answer = ask_text(call, ASK(FILE_BY_FILENAME), "admin/zoo.proto");
    cr_assert(first_file_has(answer, "How much food it needs."));
    cr_assert(first_file_has(answer, "a bowl"));
    cr_assert(first_file_has(answer, "Waits until the call is cancelled."));
    cr_assert_not(first_file_has(answer, "Of nothing."));
    cr_assert_not(first_file_has(answer, "Of an import"));
    close_stream(call);
    ground_close(&ground);
}

EACH_GROUND(reflection, finds_extensions, 20)
{
    const Grpc__Reflection__V1__ExtensionNumberResponse *numbers;
    struct ground ground;
    struct rpcrt_call *call;
    const Grpc__Reflection__V1__ServerReflectionResponse *answer;

    ground_open(&ground, transport, NULL);
    call = open_stream(&ground);
    cr_assert_str_eq(first_file(ask_extension(call, "admin.zoo.Animal", 150)),
                     "admin/zoo.proto");
    expect_error(ask_extension(call, "admin.zoo.Animal", 151), RPCRT_NOT_FOUND,
                 "no such extension of 'admin.zoo.Animal'");
    expect_error(ask_extension(call, "admin.zoo.Anima", 150), RPCRT_NOT_FOUND,
                 "no such extension of 'admin.zoo.Anima'");
    answer =
        ask_text(call, ASK(ALL_EXTENSION_NUMBERS_OF_TYPE), "admin.zoo.Animal");
    cr_assert_eq(answer->message_response_case,
                 TOLD(ALL_EXTENSION_NUMBERS_RESPONSE));
    numbers = answer->all_extension_numbers_response;
    cr_assert_str_eq(numbers->base_type_name, "admin.zoo.Animal");
    cr_assert_eq(numbers->n_extension_number, 2);
    cr_assert_eq(numbers->extension_number[0] + numbers->extension_number[1],
                 250);
    answer =
        ask_text(call, ASK(ALL_EXTENSION_NUMBERS_OF_TYPE), "admin.zoo.Keeper");
    cr_assert_eq(answer->all_extension_numbers_response->n_extension_number, 0);
    expect_error(ask_text(call, ASK(ALL_EXTENSION_NUMBERS_OF_TYPE), "no.Type"),
                 RPCRT_NOT_FOUND, "no type 'no.Type'");
    close_stream(call);
    ground_close(&ground);
}

EACH_GROUND(reflection, speaks_v1alpha_too, 20)
{
    const Grpc__Reflection__V1alpha__ServerReflectionResponse *answer;
    Grpc__Reflection__V1alpha__ServerReflectionRequest question;
    struct ground ground;
    struct rpcrt_call *call;

    grpc__reflection__v1alpha__server_reflection_request__init(&question);
    ground_open(&ground, transport, NULL);
    call = bed_call(ground.channel, BED_TIMEOUT_MS);
    grpc_reflection_v1alpha_server_reflection_server_reflection_info_open(call);
    question.message_request_case =
        GRPC__REFLECTION__V1ALPHA__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_FILE_CONTAINING_SYMBOL;
    question.file_containing_symbol =
        (char *)(uintptr_t) "grpc.reflection.v1alpha.ServerReflection";
    cr_assert(
        grpc_reflection_v1alpha_server_reflection_server_reflection_info_send(
            call, &question));
    cr_assert(
        grpc_reflection_v1alpha_server_reflection_server_reflection_info_next(
            call, &answer));
    cr_assert_eq(answer->file_descriptor_response->n_file_descriptor_proto, 1);
    expect_ok(
        call,
        grpc_reflection_v1alpha_server_reflection_server_reflection_info_finish(
            call));
    rpcrt_call_free(call);
    ground_close(&ground);
}

Test(reflection, many_streams_can_stay_open, .timeout = 30)
{
    struct rpcrt_call *calls[100];
    struct ground ground;
    size_t i;

    ground_open(&ground, "inproc", NULL);
    for (i = 0; i < 100; i++) {
        calls[i] = open_stream(&ground);
        (void)ask_text(calls[i], ASK(LIST_SERVICES), "");
    }
    for (i = 0; i < 100; i++) {
        (void)ask_text(calls[i], ASK(FILE_CONTAINING_SYMBOL),
                       "petstore.v1.Petstore");
        close_stream(calls[i]);
    }
    ground_close(&ground);
}

/* -- another implementation ------------------------------------------------ */

/* Reads files, each behind its size in 4 bytes, as clients do: what is imported
 * is found by its name. Then it looks for the services. */
static const char script[] =
    "import struct, sys\n"
    "from google.protobuf import descriptor_pb2, descriptor_pool\n"
    "from google.protobuf import message_factory\n"
    "data = sys.stdin.buffer.read()\n"
    "files = {}\n"
    "while data:\n"
    "    size, = struct.unpack('<I', data[:4])\n"
    "    f = descriptor_pb2.FileDescriptorProto.FromString(data[4:4 + size])\n"
    "    files[f.name] = f\n"
    "    data = data[4 + size:]\n"
    "pool = descriptor_pool.DescriptorPool()\n"
    "def add(name):\n"
    "    if name in files:\n"
    "        f = files.pop(name)\n"
    "        for imported in f.dependency:\n"
    "            add(imported)\n"
    "        pool.Add(f)\n"
    "for name in list(files):\n"
    "    add(name)\n"
    "for name in sys.argv[1:]:\n"
    "    service = pool.FindServiceByName(name)\n"
    "    for method in service.methods:\n"
    "        message_factory.MessageFactory(pool).GetPrototype(\n"
    "            method.input_type)()\n";

static void
write_script(const char *path)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file);
    cr_assert_geq(fputs(script, file), 0);
    cr_assert_eq(fclose(file), 0);
}

static void
write_files(FILE *pipe,
            const Grpc__Reflection__V1__ServerReflectionResponse *answer)
{
    size_t i;

    cr_assert_eq(answer->message_response_case, TOLD(FILE_DESCRIPTOR_RESPONSE));
    for (i = 0; i < answer->file_descriptor_response->n_file_descriptor_proto;
         i++) {
        const ProtobufCBinaryData *bytes =
            &answer->file_descriptor_response->file_descriptor_proto[i];
        const uint8_t size[4] = {
            (uint8_t)bytes->len, (uint8_t)(bytes->len >> 8),
            (uint8_t)(bytes->len >> 16), (uint8_t)(bytes->len >> 24)};

        cr_assert_eq(fwrite(size, 1, 4, pipe), 4);
        cr_assert_eq(fwrite(bytes->data, 1, bytes->len, pipe), bytes->len);
    }
}

Test(reflection, what_it_sends_makes_a_pool_of_python3_protobuf, .timeout = 60)
{
    static const char *const services[] = {
        "admin.zoo.Zoo", "petstore.v1.Petstore",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection", "grpc.health.v1.Health"};
    char path[] = "/tmp/rpcrt-pool-XXXXXX";
    char command[512];
    struct ground ground;
    struct rpcrt_call *call;
    FILE *pipe;
    size_t i;

    if (system("/usr/bin/python3 -c 'import google.protobuf' 2>/dev/null") !=
        0) {
        cr_skip_test("python3-protobuf is not installed");
    }
    cr_assert_neq(close(mkstemp(path)), -1);
    write_script(path);
    ground_open(&ground, "inproc", NULL);
    call = open_stream(&ground);
    (void)snprintf(command, sizeof command,
                   "/usr/bin/python3 %s %s %s %s %s %s", path, services[0],
                   services[1], services[2], services[3], services[4]);
    pipe = popen(command, "w");
    cr_assert_not_null(pipe);
    for (i = 0; i < 5; i++) {
        write_files(pipe,
                    ask_text(call, ASK(FILE_CONTAINING_SYMBOL), services[i]));
    }
    cr_assert_eq(pclose(pipe), 0);
    (void)unlink(path);
    close_stream(call);
    ground_close(&ground);
}
