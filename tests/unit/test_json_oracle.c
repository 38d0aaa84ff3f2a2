/*
 * JSON of random messages as another implementation has it: python3-protobuf
 * makes messages and their JSON, rpcrt answers with its own JSON and with what
 * it reads, python3-protobuf compares. Skipped where it is not installed.
 */
#include <rpcrt/json.h>

#include "support/json.rpc.h"

#include <criterion/criterion.h>
#include <rpcrt/gen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRIPT "tests/setup/json_oracle.py"

static char folder[] = "/tmp/rpcrt-json-XXXXXX";
static int n_files;

/* Write the .proto files that the program has in it. */
static void
write_protos(const struct rpcrt_file *proto)
{
    char path[64];
    FILE *out;
    size_t i;

    (void)snprintf(path, sizeof path, "%s/%d.pb", folder, n_files++);
    out = fopen(path, "wb");
    cr_assert_not_null(out);
    cr_assert_eq(fwrite(proto->descriptor, 1, proto->descriptor_size, out),
                 proto->descriptor_size);
    cr_assert_eq(fclose(out), 0);
    for (i = 0; i < proto->n_imports; i++) {
        write_protos(proto->imports[i]);
    }
}

static int run(const char *format, ...) RPCRT_PRINTF(1, 2);

static int
run(const char *format, ...)
{
    char command[256];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    return system(command);
}

static FILE *
open_file(const char *name, const char *mode)
{
    char path[64];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, mode);
    cr_assert_not_null(file);
    return file;
}

/* The bytes of hex digits, in place; returns how many. */
static size_t
unhex(char *hex)
{
    size_t n = strlen(hex) / 2;
    size_t i;

    for (i = 0; i < n; i++) {
        char two[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        hex[i] = (char)strtoul(two, NULL, 16);
    }
    return n;
}

/* Answer one line: rpcrt's JSON of the bytes, and the bytes of their JSON. */
static void
answer(char *line, FILE *out)
{
    const ProtobufCMessageDescriptor *type = &sample__json__all__descriptor;
    char *json = strchr(line, '\t');
    struct rpcrt_json_error error;
    ProtobufCMessage *message;
    uint8_t *packed;
    char *text;
    size_t size;
    size_t i;

    cr_assert_not_null(json);
    *json++ = '\0';
    json[strcspn(json, "\n")] = '\0';
    size = unhex(line);
    message = protobuf_c_message_unpack(type, NULL, size, (uint8_t *)line);
    cr_assert_not_null(message);
    cr_assert_eq(rpcrt_json_print(message, &support_json_proto, NULL, &text,
                                  NULL, &error),
                 RPCRT_OK, "%s", error.text);
    cr_assert_geq(fprintf(out, "%s\t", text), 0);
    free(text);
    protobuf_c_message_free_unpacked(message, NULL);
    cr_assert_eq(rpcrt_json_parse(json, strlen(json), type, &support_json_proto,
                                  NULL, &message, &error),
                 RPCRT_OK, "%s in %s", error.text, json);
    size = protobuf_c_message_get_packed_size(message);
    packed = malloc(size + 1);
    cr_assert_not_null(packed);
    cr_assert_eq(protobuf_c_message_pack(message, packed), size);
    for (i = 0; i < size; i++) {
        cr_assert_geq(fprintf(out, "%02x", packed[i]), 0);
    }
    cr_assert_geq(fputc('\n', out), 0);
    free(packed);
    protobuf_c_message_free_unpacked(message, NULL);
}

Test(json_oracle, means_the_same_to_another_implementation, .timeout = 300)
{
    char *line = NULL;
    size_t capacity = 0;
    int n = 0;
    FILE *in;
    FILE *out;

    if (run("/usr/bin/python3 -c 'import google.protobuf' 2>/dev/null") != 0) {
        cr_skip_test("python3-protobuf is not installed");
    }
    cr_assert_not_null(mkdtemp(folder));
    write_protos(&support_json_proto);
    cr_assert_eq(
        run("/usr/bin/python3 %s generate %s %d %d", SCRIPT, folder, 1, 300),
        0);
    in = open_file("asked", "r");
    out = open_file("answered", "w");
    for (; getline(&line, &capacity, in) > 0; n++) {
        answer(line, out);
    }
    free(line);
    cr_assert_eq(n, 300);
    cr_assert_eq(fclose(in), 0);
    cr_assert_eq(fclose(out), 0);
    cr_assert_eq(run("/usr/bin/python3 %s check %s", SCRIPT, folder), 0,
                 "see %s", folder);
    cr_assert_eq(run("rm -r %s", folder), 0);
}
