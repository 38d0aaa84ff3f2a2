/*
 * Flags of daemons: what is taken, what is refused and how the refusal reads.
 */
#include "common/flags.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct values {
    bool quiet;
    const char *name;
    struct common_list listen;
    uint64_t number;
    uint64_t bytes;
};

/* Read words like a command line; the error's text is kept. */
static enum rpcrt_code
read_flags(struct values *values, const char *line,
           struct common_error *ret_error, enum common_go_on *ret_go_on)
{
    const struct common_flag flags[] = {
        {.name = "quiet", .help = "x", .target = &values->quiet},
        {.name = "name",
         .value = "TEXT",
         .help = "x\ny",
         .kind = COMMON_FLAG_TEXT,
         .target = &values->name},
        {.name = "listen-at",
         .value = "ADDRESS",
         .help = "x",
         .kind = COMMON_FLAG_LIST,
         .target = &values->listen},
        {.name = "number",
         .value = "N",
         .help = "x",
         .kind = COMMON_FLAG_NUMBER,
         .target = &values->number,
         .min = 5,
         .max = 100},
        {.name = "bytes",
         .value = "BYTES",
         .help = "x",
         .kind = COMMON_FLAG_BYTES,
         .target = &values->bytes,
         .max = UINT64_C(1) << 40}};
    const struct common_program program = {"prog", "does", flags, 5};
    static char copy[256];
    char *argv[32] = {copy};
    char *rest = NULL;
    int argc = 1;

    (void)snprintf(copy, sizeof(copy), "%s", line);
    for (argv[argc] = strtok_r(copy, " ", &rest); argv[argc] != NULL;
         argv[argc] = strtok_r(NULL, " ", &rest)) {
        argc++;
    }
    *ret_error = (struct common_error){.text = ""};
    return common_flags_read(&program, argc, argv, ret_error, ret_go_on);
}

static enum rpcrt_code
code_of(const char *line, const char *expected)
{
    struct values values = {.quiet = false};
    struct common_error error;
    enum common_go_on go_on;
    enum rpcrt_code code = read_flags(&values, line, &error, &go_on);

    cr_expect_not_null(strstr(error.text, expected), "'%s' has no '%s'",
                       error.text, expected);
    return code;
}

Test(flags, set_their_targets)
{
    struct values values = {.number = 7};
    struct common_error error;
    enum common_go_on go_on = COMMON_HELP;

    cr_assert_eq(read_flags(&values,
                            "--quiet --name a --listen-at x --listen-at=y "
                            "--number=100 --bytes 3M",
                            &error, &go_on),
                 RPCRT_OK, "%s", error.text);
    cr_expect_eq(go_on, COMMON_GO_ON);
    cr_expect(values.quiet);
    cr_expect_str_eq(values.name, "a");
    cr_expect_eq(values.listen.n_items, 2);
    cr_expect_str_eq(values.listen.items[1], "y");
    cr_expect_eq(values.number, 100);
    cr_expect_eq(values.bytes, 3u << 20);
}

Test(flags, leave_targets_alone_that_are_not_given)
{
    struct values values = {.number = 7, .name = "before"};
    struct common_error error;
    enum common_go_on go_on;

    cr_assert_eq(read_flags(&values, "", &error, &go_on), RPCRT_OK);
    cr_expect_eq(values.number, 7);
    cr_expect_str_eq(values.name, "before");
}

Test(flags, have_twins_in_the_environment)
{
    struct values values = {.quiet = false};
    struct common_error error;
    enum common_go_on go_on;

    setenv("PROG_QUIET", "1", 1);
    setenv("PROG_NAME", "from outside", 1);
    setenv("PROG_LISTEN_AT", "x y z", 1);
    setenv("PROG_NUMBER", "9", 1);
    cr_assert_eq(read_flags(&values, "", &error, &go_on), RPCRT_OK);
    cr_expect(values.quiet);
    cr_expect_str_eq(values.name, "from outside");
    cr_expect_eq(values.listen.n_items, 3);
    cr_expect_eq(values.number, 9);
    values.listen.n_items = 0;
    cr_assert_eq(
        read_flags(&values, "--number 10 --listen-at only", &error, &go_on),
        RPCRT_OK);
    cr_expect_eq(values.number, 10);
    cr_expect_eq(values.listen.n_items, 1);
    cr_expect_str_eq(values.listen.items[0], "only");
    setenv("PROG_NUMBER", "many", 1);
    cr_expect_eq(read_flags(&values, "", &error, &go_on),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, "PROG_NUMBER"), "%s", error.text);
}

Test(flags, are_refused_by_name)
{
    enum rpcrt_code refused = RPCRT_INVALID_ARGUMENT;

    cr_expect_eq(code_of("--nam x", "'--nam'"), refused);
    cr_expect_eq(code_of("word", "'word'"), refused);
    cr_expect_eq(code_of("-q", "'-q'"), refused);
    cr_expect_eq(code_of("--name", "--name needs a value"), refused);
    cr_expect_eq(code_of("--quiet=1", "--quiet takes no value"), refused);
    cr_expect_eq(code_of("--number 4", "from 5 to 100"), refused);
    cr_expect_eq(code_of("--number 101", "from 5 to 100"), refused);
    cr_expect_eq(code_of("--number 7x", "--number"), refused);
    cr_expect_eq(code_of("--number -7", "--number"), refused);
    cr_expect_eq(code_of("--number 7K", "--number"), refused);
    cr_expect_eq(code_of("--bytes 7X", "--bytes"), refused);
    cr_expect_eq(code_of("--bytes 99999999999999999999", "--bytes"), refused);
    cr_expect_eq(code_of("--bytes 18014398509481985K", "--bytes"), refused);
}

Test(flags, know_suffixes_of_bytes)
{
    struct values values = {.quiet = false};
    struct common_error error;
    enum common_go_on go_on;

    cr_assert_eq(read_flags(&values, "--bytes 2GiB", &error, &go_on), RPCRT_OK);
    cr_expect_eq(values.bytes, UINT64_C(2) << 30);
    cr_assert_eq(read_flags(&values, "--bytes 1t", &error, &go_on), RPCRT_OK);
    cr_expect_eq(values.bytes, UINT64_C(1) << 40);
    cr_assert_eq(read_flags(&values, "--bytes 17", &error, &go_on), RPCRT_OK);
    cr_expect_eq(values.bytes, 17);
}

Test(flags, leave_help_and_version_to_the_program)
{
    struct values values = {.quiet = false};
    struct common_error error;
    enum common_go_on go_on = COMMON_GO_ON;

    cr_assert_eq(read_flags(&values, "--wrong --help", &error, &go_on),
                 RPCRT_OK);
    cr_expect_eq(go_on, COMMON_HELP);
    cr_assert_eq(read_flags(&values, "--version", &error, &go_on), RPCRT_OK);
    cr_expect_eq(go_on, COMMON_VERSION);
}

Test(flags, help_is_cut_at_the_buffers_end)
{
    bool quiet = false;
    const struct common_flag flag = {
        .name = "quiet", .help = "Say nothing.", .target = &quiet};
    const struct common_program program = {"prog", "does", &flag, 1};
    char whole[1024];
    char part[64];
    size_t length = common_flags_help(&program, whole, sizeof(whole));

    cr_expect_eq(strlen(whole), length);
    cr_expect_not_null(strstr(whole, "--quiet  (PROG_QUIET)"), "%s", whole);
    memset(part, 'x', sizeof(part));
    cr_expect_eq(common_flags_help(&program, part, 50), length);
    cr_expect_eq(part[49], '\0');
    cr_expect_eq(part[50], 'x');
    cr_expect_eq(strncmp(part, whole, 49), 0);
}

Test(flags, of_the_environment_are_on_or_off_and_nothing_between)
{
    struct values values = {.quiet = true};
    struct common_error error;
    enum common_go_on go_on;

    setenv("PROG_QUIET", "false", 1);
    cr_assert_eq(read_flags(&values, "", &error, &go_on), RPCRT_OK);
    cr_expect_not(values.quiet);
    setenv("PROG_QUIET", "true", 1);
    cr_assert_eq(read_flags(&values, "", &error, &go_on), RPCRT_OK);
    cr_expect(values.quiet);
    setenv("PROG_QUIET", "no", 1);
    cr_expect_eq(code_of("", "PROG_QUIET: 'no' is not 1, true"),
                 RPCRT_INVALID_ARGUMENT);
}
