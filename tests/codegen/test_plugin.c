/*
 * The plugin as protoc runs it: expected output, refusals, and that what it
 * writes compiles. The environment names it: PLUGIN; output goes below O.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <rpcrt/api.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRPC "/usr/share/grpc-proto"

static const char warnings[] =
    "-D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wall -Wextra -Wpedantic "
    "-Wshadow -Wconversion -Wundef -Wvla -Wformat=2 -Wcast-qual -Wcast-align "
    "-Wwrite-strings -Wnull-dereference -Werror";
static const char c_warnings[] =
    "-Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition";

static char out[512]; /* a folder of the test's own */
static char plugin[512];

/* What a command printed, on both channels, and its exit status. */
struct result {
    int status;
    char text[65536];
};

static struct result result;

static const char *
from_environment(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value == NULL || value[0] == '\0' ? otherwise : value;
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Run a shell command; see result. */
static void
run(const char *format, ...)
{
    static char command[8192];
    va_list args;
    FILE *pipe;
    size_t size;
    int status;

    va_start(args, format);
    size = (size_t)vsnprintf(command, sizeof command, format, args);
    va_end(args);
    cr_assert_lt(size + 8, sizeof command);
    memcpy(command + size, " 2>&1", 6);
    pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    size = fread(result.text, 1, sizeof result.text - 1, pipe);
    result.text[size] = '\0';
    status = pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
set_up(void)
{
    char here[256];

    cr_assert_not_null(getcwd(here, sizeof here));
    snprintf(plugin, sizeof plugin, "%s",
             from_environment("PLUGIN", "build/host/protoc-gen-rpcrt"));
    if (plugin[0] != '/') {
        snprintf(plugin, sizeof plugin, "%s/%s", here,
                 from_environment("PLUGIN", "build/host/protoc-gen-rpcrt"));
    }
    cr_assert_eq(access(plugin, X_OK), 0, "no plugin at %s", plugin);
    snprintf(out, sizeof out, "%s/codegen-XXXXXX",
             from_environment("O", "/tmp"));
    cr_assert_not_null(mkdtemp(out), "%s", out);
}

static void
tear_down(void)
{
    run("rm -rf '%s'", out);
}

TestSuite(plugin, .init = set_up, .fini = tear_down, .timeout = 120);

/* Generate files of a folder into out; see result. */
static void
protoc(const char *folder, const char *files)
{
    run("protoc -I'%s' -Iidl -I/usr/include --plugin=protoc-gen-rpcrt='%s' "
        "--rpcrt_out='%s' %s",
        folder, plugin, out, files);
}

/* Compile everything in out: C11 by gcc and clang, headers as C++17. What
 * protoc-gen-c wrote is its own business, but must compile. Of the runtime's
 * headers only errors count here. */
static void
expect_to_compile(const char *what)
{
    static const char *const compilers[] = {"gcc", "clang"};
    size_t i;

    for (i = 0; i < 2; i++) {
        run("find '%s' -name '*.c' ! -name '*.pb-c.c' -print0 | xargs -0 -n1 "
            "%s -std=c11 %s %s -O2 -I'%s' -Irpcrt/include -c -o /dev/null",
            out, compilers[i], warnings, c_warnings, out);
        cr_expect_eq(result.status, 0, "%s: %s", what, result.text);
    }
    run("find '%s' -name '*.pb-c.c' -print0 | xargs -0 -n1 gcc -std=c11 -w "
        "-I'%s' -fsyntax-only",
        out, out);
    cr_expect_eq(result.status, 0, "%s: %s", what, result.text);
    run("find '%s' -name '*.h' -print0 | xargs -0 -n1 g++ -x c++ -std=c++17 %s "
        "-I'%s' -Irpcrt/include -fsyntax-only",
        out, warnings, out);
    cr_expect_eq(result.status, 0, "%s: %s", what, result.text);
}

/* -- expected output ------------------------------------------------------- */

/* Call fn for every case of tests/golden but bad/. */
static void
for_each_case(void (*fn)(const char *folder))
{
    const char *golden = from_environment("GOLDEN", "tests/golden");
    DIR *directory = opendir(golden);
    const struct dirent *entry;
    char folder[512];
    size_t count = 0;

    cr_assert_not_null(directory, "%s", golden);
    while ((entry = readdir(directory)) != NULL) {
        snprintf(folder, sizeof folder, "%s/%s/in.proto", golden,
                 entry->d_name);
        if (entry->d_name[0] == '.' || access(folder, R_OK) != 0) {
            continue;
        }
        snprintf(folder, sizeof folder, "%s/%s", golden, entry->d_name);
        fn(folder);
        count++;
    }
    closedir(directory);
    cr_assert_geq(count, 9);
}

static void
expect_golden(const char *folder)
{
    static const char *const names[] = {"rpc.h",    "rpc.c",    "client.h",
                                        "client.c", "server.h", "server.c"};
    size_t i;

    protoc(folder, "in.proto");
    cr_assert_eq(result.status, 0, "%s: %s", folder, result.text);
    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        run("diff -u '%s/in.%s' '%s/in.%s'", folder, names[i], out, names[i]);
        cr_expect_eq(result.status, 0, "%s", result.text);
    }
    run("ls '%s'", out);
    cr_expect_str_eq(result.text,
                     "in.client.c\nin.client.h\nin.pb-c.c\nin.pb-c.h\n"
                     "in.rpc.c\nin.rpc.h\nin.server.c\nin.server.h\n");
}

Test(plugin, writes_what_is_expected)
{
    for_each_case(expect_golden);
}

static void
expect_case_to_compile(const char *folder)
{
    char files[1024];

    snprintf(files, sizeof files,
             "google/protobuf/empty.proto "
             "$(cd '%s' && find * -name '*.proto')",
             folder);
    run("rm -rf '%s' && mkdir '%s'", out, out);
    protoc(folder, files);
    cr_assert_eq(result.status, 0, "%s: %s", folder, result.text);
    expect_to_compile(folder);
}

Test(plugin, writes_what_compiles)
{
    for_each_case(expect_case_to_compile);
}

Test(plugin, writes_the_same_again_alone_or_with_others)
{
    char first[600];

    snprintf(first, sizeof first, "%s", out);
    protoc("tests/golden/imports", "in.proto other/far.proto other/near.proto");
    cr_assert_eq(result.status, 0, "%s", result.text);
    snprintf(out, sizeof out, "%.500s-2", first);
    run("mkdir '%s'", out);
    protoc("tests/golden/imports", "other/near.proto");
    protoc("tests/golden/imports", "other/far.proto");
    protoc("tests/golden/imports", "in.proto");
    cr_assert_eq(result.status, 0, "%s", result.text);
    run("diff -r '%s' '%s'", first, out);
    cr_expect_eq(result.status, 0, "%s", result.text);
    run("rm -rf '%s'", first);
}

Test(plugin, leaves_nothing_of_options_and_services_in_the_messages)
{
    protoc("tests/golden/unary", "in.proto");
    cr_assert_eq(result.status, 0, "%s", result.text);
    run("grep -nE 'options|google/protobuf/descriptor|[Ss]ervice_|Closure ' "
        "'%s/in.pb-c.h' '%s/in.pb-c.c'",
        out, out);
    cr_expect_eq(result.status, 1, "%s", result.text);
}

Test(plugin, writes_all_files_of_the_files_of_protobuf)
{
    protoc("/usr/include", "google/protobuf/descriptor.proto "
                           "google/protobuf/struct.proto "
                           "google/protobuf/timestamp.proto "
                           "protobuf-c/protobuf-c.proto "
                           "rpcrt/v1/options.proto");
    cr_assert_eq(result.status, 0, "%s", result.text);
    run("find '%s' -type f | wc -l", out);
    cr_expect_eq(atoi(result.text), 5 * 8, "%s", result.text);
    expect_to_compile("protobuf");
}

/* -- refusals -------------------------------------------------------------- */

Test(plugin, refuses_with_the_place_of_each_problem)
{
    char names[4096];
    char *name, *rest = names;
    size_t count = 0;

    run("cd tests/golden/bad && ls *.proto");
    snprintf(names, sizeof names, "%.4000s", result.text);
    while ((name = strtok_r(rest, "\n", &rest)) != NULL) {
        protoc("tests/golden/bad", name);
        cr_expect_eq(result.status, 1, "%s: %s", name, result.text);
        run("protoc -Itests/golden/bad -Iidl -I/usr/include "
            "--plugin=protoc-gen-rpcrt='%s' --rpcrt_out='%s' %s 2>&1 | "
            "diff -u tests/golden/bad/%.*s.txt -",
            plugin, out, name, (int)(strlen(name) - strlen(".proto")), name);
        cr_expect_eq(result.status, 0, "%s", result.text);
        count++;
    }
    cr_expect_geq(count, 10);
    run("ls '%s'", out);
    cr_expect_str_eq(result.text, "", "files although refused");
}

Test(plugin, names_the_parameter_that_it_does_not_know)
{
    run("protoc -Itests/golden/plain --plugin=protoc-gen-rpcrt='%s' "
        "--rpcrt_out=colour=red:'%s' in.proto",
        plugin, out);
    cr_expect_eq(result.status, 1);
    cr_expect(strstr(result.text, "unknown parameter 'colour=red'"), "%s",
              result.text);
}

static void
expect_failure_of(const char *protoc_gen_c, const char *why)
{
    run("protoc -Itests/golden/plain --plugin=protoc-gen-rpcrt='%s' "
        "--rpcrt_opt=protoc_gen_c=%s --rpcrt_out='%s' in.proto",
        plugin, protoc_gen_c, out);
    cr_expect_eq(result.status, 1);
    cr_expect(strstr(result.text, why), "%s", result.text);
    cr_expect(strstr(result.text, protoc_gen_c), "%s", result.text);
}

Test(plugin, says_what_is_wrong_with_protoc_gen_c)
{
    expect_failure_of("/nowhere/protoc-gen-c", "No such file or directory");
    expect_failure_of("no-such-program-as-this", "No such file or directory");
    expect_failure_of("false", "exited with status 1");
    expect_failure_of("yes", "wrote more than");
    expect_failure_of("pwd", "answered nonsense");
}

Test(plugin, refuses_what_protoc_did_not_write)
{
    run("echo hello | '%s'", plugin);
    cr_expect_eq(result.status, 1);
    cr_expect_str_eq(result.text,
                     "protoc-gen-rpcrt: stdin is not a request of protoc\n");
    run("'%s' </dev/null | od -An -tx1", plugin);
    cr_expect_eq(result.status, 0);
    cr_expect_str_eq(result.text, " 10 01\n");
    run("'%s' </dev/null >/dev/full", plugin);
    cr_expect_eq(result.status, 1, "%s", result.text);
}

Test(plugin, explains_itself)
{
    run("'%s' --help", plugin);
    cr_expect_eq(result.status, 0);
    cr_expect(strstr(result.text, "usage: protoc --rpcrt_out="), "%s",
              result.text);
    run("'%s' --version", plugin);
    cr_expect_eq(result.status, 0);
    cr_expect_str_eq(result.text, "protoc-gen-rpcrt " RPCRT_VERSION_TEXT "\n");
    run("'%s' --nonsense", plugin);
    cr_expect_eq(result.status, 2);
}

/* -- other people's services ----------------------------------------------- */

/* Generate one service file of grpc-proto and what it imports. */
static void
expect_grpc_to_compile(const char *files)
{
    protoc(GRPC, files);
    cr_expect_eq(result.status, 0, "%s: %s", files, result.text);
    expect_to_compile(files);
    run("rm -rf '%s' && mkdir '%s'", out, out);
}

Test(plugin, generates_services_of_grpc_that_compile)
{
    expect_grpc_to_compile("grpc/examples/helloworld.proto");
    expect_grpc_to_compile("grpc/health/v1/health.proto");
    expect_grpc_to_compile("grpc/reflection/v1alpha/reflection.proto");
    expect_grpc_to_compile("grpc/lookup/v1/rls.proto");
    expect_grpc_to_compile("grpc/channelz/v1/channelz.proto "
                           "google/protobuf/any.proto "
                           "google/protobuf/duration.proto "
                           "google/protobuf/timestamp.proto "
                           "google/protobuf/wrappers.proto");
    expect_grpc_to_compile("grpc/testing/test.proto grpc/testing/empty.proto "
                           "grpc/testing/messages.proto");
    expect_grpc_to_compile("grpc/testing/worker_service.proto "
                           "grpc/testing/benchmark_service.proto "
                           "grpc/testing/report_qps_scenario_service.proto "
                           "grpc/testing/messages.proto "
                           "grpc/testing/control.proto "
                           "grpc/testing/payloads.proto "
                           "grpc/testing/stats.proto "
                           "grpc/core/stats.proto "
                           "google/protobuf/timestamp.proto");
}

Test(plugin, takes_every_service_of_grpc)
{
    char names[8192];
    char *name, *rest = names;
    size_t n_files = 0;

    run("cd " GRPC " && grep -rlE '^service ' . | cut -c3-");
    snprintf(names, sizeof names, "%.8000s", result.text);
    while ((name = strtok_r(rest, "\n", &rest)) != NULL) {
        n_files++;
        protoc(GRPC, name);
        cr_expect_eq(result.status, 0, "%s: %s", name, result.text);
    }
    cr_expect_eq(n_files, 13);
}
