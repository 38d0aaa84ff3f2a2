/*
 * Running another program.
 */
#include "process.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pool *pool;
static char script[] = "/tmp/rpcrt-process-XXXXXX";

static void
set_up(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    pool = pool_new();
    sigaction(SIGPIPE, &ignore, NULL);
    close(mkstemp(script));
    chmod(script, 0700);
}

static void
tear_down(void)
{
    unlink(script);
    pool_free(pool);
}

TestSuite(process, .init = set_up, .fini = tear_down, .timeout = 30);

/* Run a shell script on so many bytes. */
static const char *
run(const char *commands, size_t input_size, struct bytes *ret_output)
{
    uint8_t *input = pool_alloc(pool, input_size);
    struct bytes bytes = {input, input_size};
    FILE *file = fopen(script, "w");

    cr_assert_not_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", commands);
    fclose(file);
    memset(input, 'i', input_size);
    return process_run(pool, script, bytes, ret_output);
}

Test(process, exchanges_more_than_a_pipe_holds)
{
    struct bytes output = {NULL, 0};
    size_t i;

    cr_assert_null(run("exec cat", 5000000, &output));
    cr_assert_eq(output.size, 5000000);
    for (i = 0; i < output.size; i++) {
        cr_assert_eq(output.data[i], 'i');
    }
}

Test(process, takes_output_that_comes_before_the_input_is_read)
{
    struct bytes output = {NULL, 0};

    cr_assert_null(
        run("head -c 1000000 /dev/zero; cat >/dev/null", 1000000, &output));
    cr_assert_eq(output.size, 1000000);
}

Test(process, survives_a_program_that_reads_nothing)
{
    struct bytes output = {NULL, 0};

    cr_assert_null(run("exec <&-; echo x", 1000000, &output));
    cr_assert_eq(output.size, 2);
}

Test(process, may_have_nothing_to_say)
{
    struct bytes output = {NULL, 1};

    cr_assert_null(run("exec cat", 0, &output));
    cr_assert_eq(output.size, 0);
}

Test(process, tells_how_the_program_ended)
{
    struct bytes output = {NULL, 0};
    const char *failure;

    failure = run("exit 3", 10, &output);
    cr_assert_not_null(failure);
    cr_expect(strstr(failure, "status 3"), "%s", failure);
    failure = run("kill -9 $$", 10, &output);
    cr_assert_not_null(failure);
    cr_expect(strstr(failure, "signal 9"), "%s", failure);
    cr_expect_null(output.data);
}

Test(process, gives_the_program_its_signals_back)
{
    struct bytes output = {NULL, 0};

    cr_assert_null(
        run("sh -c 'kill -PIPE $$; echo ignored'; true", 0, &output));
    cr_assert_eq(output.size, 0);
}

Test(process, names_the_program_that_is_not_there)
{
    struct bytes output = {NULL, 0};
    const char *failure = process_run(pool, "no-such-program-as-this",
                                      (struct bytes){NULL, 0}, &output);

    cr_assert_not_null(failure);
    cr_expect_str_eq(failure,
                     "no-such-program-as-this: No such file or directory");
}
