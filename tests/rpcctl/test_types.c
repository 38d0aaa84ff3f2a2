/*
 * What rpcctl tells of types: ls, describe and template, and where they come
 * from.
 */
#include "rpcctl/desk.h"

#include <stdio.h>
#include <stdlib.h>

Test(rpcctl, explains_itself, .timeout = 60)
{
    static const char *const commands[] = {
        "ls", "describe", "template", "call", "health", "load", "completion"};
    struct desk desk;
    size_t i;

    EXPECT_EXIT(&desk, 0, RPCCTL_BARE(&desk, "--help"));
    EXPECT_IN(desk.result.out, "Usage: rpcctl [ADDRESS] [FLAG]... COMMAND");
    EXPECT_IN(desk.result.out, "(RPCCTL_DESCRIPTORS)");
    for (i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        EXPECT_EXIT(&desk, 0, RPCCTL_BARE(&desk, commands[i], "--help"));
        /* With an example. */
        EXPECT_IN(desk.result.out, "  rpcctl ");
    }
    EXPECT_EXIT(&desk, 0, RPCCTL_BARE(&desk, "--version"));
    EXPECT_OUT(&desk, "rpcctl " RPCRT_VERSION_TEXT "\n");
}

Test(rpcctl, refuses_a_command_line_that_makes_no_sense, .timeout = 60)
{
    struct desk desk;

    EXPECT_EXIT(&desk, 2, RPCCTL_BARE(&desk, "fetch"));
    EXPECT_IN(desk.result.err, "unknown command 'fetch'");
    EXPECT_EXIT(&desk, 2, RPCCTL_BARE(&desk, "ls", "--deep"));
    EXPECT_EXIT(&desk, 2, RPCCTL_BARE(&desk, "call"));
    EXPECT_EXIT(&desk, 2, RPCCTL_BARE(&desk, "ls"));
    EXPECT_IN(desk.result.err, "no address");
    EXPECT_EXIT(&desk, 2, RPCCTL_BARE(&desk, "completion", "zsh"));
    EXPECT_EXIT(&desk, 1,
                RPCCTL_BARE(&desk, "--descriptors", "/nowhere", "ls"));
    EXPECT_IN(desk.result.err, "/nowhere: No such file");
}

Test(rpcctl, lists_services_and_methods, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, NULL);
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "ls"));
    EXPECT_OUT(&desk, "probe.v1.Probe\n");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "ls", "probe.v1.Probe"));
    EXPECT_IN(desk.result.out, "probe.v1.Probe/Echo\nprobe.v1.Probe/Wait\n");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "ls", "-l"));
    EXPECT_IN(desk.result.out, "probe.v1.Probe/Wait\tprobe.v1.WaitRequest\t"
                               "probe.v1.EchoReply\n");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "ls", "-l", "--json"));
    EXPECT_IN(desk.result.out,
              "{\"method\":\"probe.v1.Probe/Wait\",\"request\":\"probe.v1."
              "WaitRequest\",\"reply\":\"probe.v1.EchoReply\",\"client_"
              "streaming\":false,\"server_streaming\":false}\n");
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "ls", "probe.v1.Other"));
    desk_close(&desk);
}

/* Descriptors with comments, as protoc makes them. */
static void
make_set(struct desk *desk)
{
    char command[600];

    (void)snprintf(command, sizeof command,
                   "protoc -Iidl -Itests -I/usr/include --include_imports "
                   "--include_source_info --descriptor_set_out=%s "
                   "tests/support/json.proto idl/kv/v1/kv.proto",
                   desk->set);
    cr_assert_eq(system(command), 0);
}

Test(rpcctl, describes_as_in_the_proto, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, NULL);
    make_set(&desk);
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "describe", "kv.v1.Kv/Put"));
    EXPECT_IN(desk.result.out, "// Write a key, whether or not it exists.\n"
                               "rpc Put(PutRequest) returns (PutReply);\n"
                               "\n"
                               "// What to write.\n"
                               "message PutRequest {\n"
                               "  bytes key = 1;\n");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "describe", "kv.v1.LoadRequest"));
    EXPECT_IN(desk.result.out,
              "  string key = 1 [(rpcrt.v1.sensitive) = true];\n");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "describe", "kv.v1.Kv"));
    EXPECT_IN(desk.result.out, "service Kv {\n");
    EXPECT_IN(desk.result.out,
              "    option idempotency_level = NO_SIDE_EFFECTS;\n");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "describe", "sample.json.Presence"));
    EXPECT_IN(desk.result.out, "message Presence {\n"
                               "  optional int32 count = 1;\n");
    EXPECT_IN(desk.result.out, "  int32 plain = 8;\n"
                               "  oneof either {\n"
                               "    int32 number = 11;\n");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "describe", "sample.json.Maps"));
    EXPECT_IN(desk.result.out, "  map<sint64, string> s64 = 2;\n");
    EXPECT_NOT_IN(desk.result.out, "Entry {");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "describe", "sample.json.Names"));
    EXPECT_IN(desk.result.out, "  int32 snake_case_name = 1;\n"
                               "  int32 custom = 2 [json_name = \"chosen "
                               "\\\"name\\\"\"];\n");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "describe", "sample.json.Size"));
    EXPECT_OUT(&desk, "enum Size {\n"
                      "  SIZE_UNSPECIFIED = 0;\n"
                      "  SIZE_SMALL = 1;\n"
                      "  SIZE_LARGE = 5;\n"
                      "}\n");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "describe", "NotAMapEntry"));
    EXPECT_OUT(&desk, "message NotAMapEntry {\n"
                      "  string key = 1;\n"
                      "  string value = 2;\n"
                      "}\n");
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "describe", "sample.json.Nothing"));
    desk_close(&desk);
}

/* What describe prints of a whole file is a .proto that protoc takes. */
Test(rpcctl, describes_so_that_protoc_takes_it, .timeout = 60)
{
    static const char program[] = "RPCCTL";
    char command[1200];
    struct desk desk;

    desk_open(&desk, NULL);
    (void)snprintf(command, sizeof command,
                   "set -e; protoc -Itests -Iidl -I/usr/include "
                   "--descriptor_set_out=%s tests/support/sample2.proto; "
                   "%s --descriptors %s describe >%s/again.proto; "
                   "protoc -I%s --descriptor_set_out=%s.2 %s/again.proto; "
                   "%s --descriptors %s.2 describe | tail -n +2 >%s/3; "
                   "tail -n +2 %s/again.proto | cmp - %s/3",
                   desk.set, getenv(program), desk.set, desk.folder,
                   desk.folder, desk.set, desk.folder, getenv(program),
                   desk.set, desk.folder, desk.folder, desk.folder);
    cr_assert_eq(system(command), 0);
    desk_close(&desk);
}

Test(rpcctl, makes_a_template_that_can_be_sent, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "template", "Wait"));
    EXPECT_OUT(&desk, "{\n  \"ms\": 0,\n  \"payload\": \"\"\n}\n");
    EXPECT_EXIT(&desk, 0,
                RPCCTL(&desk, "call", "Wait", desk.result.out, "--json"));
    EXPECT_OUT(&desk, "{}\n");
    desk_close(&desk);
}
