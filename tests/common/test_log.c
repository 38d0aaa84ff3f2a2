/*
 * The log of daemons: what a line holds, and that nothing from outside can
 * forge one.
 */
#include "common/log.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct common_log log_to;
static FILE *file;

static void
open_log(void)
{
    file = tmpfile();
    cr_assert_not_null(file);
    log_to = (struct common_log){
        .program = "prog", .fd = fileno(file), .level = RPCRT_LOG_INFO};
}

static void
close_log(void)
{
    (void)fclose(file);
}

static const char *
logged(void)
{
    static char text[8192];
    ssize_t n = pread(fileno(file), text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

TestSuite(log, .init = open_log, .fini = close_log);

Test(log, writes_time_level_program_and_text)
{
    const char *text;

    common_log_text(&log_to, RPCRT_LOG_WARNING, "little room");
    text = logged();
    cr_expect_eq(strncmp(text, "time=20", 7), 0, "%s", text);
    cr_expect_str_eq(strstr(text, "Z "),
                     "Z level=warning program=prog msg=\"little room\"\n");
}

Test(log, leaves_out_what_is_less_important)
{
    common_log_text(&log_to, RPCRT_LOG_DEBUG, "details");
    cr_expect_str_eq(logged(), "");
    common_log_text(&log_to, RPCRT_LOG_INFO, "news");
    cr_expect_str_neq(logged(), "");
}

Test(log, escapes_what_could_forge_a_line)
{
    common_log_text(&log_to, RPCRT_LOG_ERROR,
                    "a\" level=info\nb\\c\x7f\x01 \xc3\xa9");
    cr_expect_not_null(
        strstr(logged(),
               "msg=\"a\\\" level=info\\x0ab\\\\c\\x7f\\x01 \xc3\xa9\"\n"),
        "%s", logged());
}

Test(log, cuts_a_text_that_is_too_long)
{
    static char text[10000];
    size_t length;

    memset(text, '"', sizeof(text) - 1);
    common_log_text(&log_to, RPCRT_LOG_ERROR, text);
    length = strlen(logged());
    cr_expect_leq(length, 2048);
    cr_expect_eq(strchr(logged(), '\n'), logged() + length - 1);
}

static void
call_log(enum rpcrt_code code)
{
    const struct rpcrt_call_record record = {.method = "/kv.v1.Kv/Put",
                                             .peer = "tcp://127.0.0.1:1",
                                             .call_id = "abc",
                                             .code = code,
                                             .message = "why",
                                             .duration_us = 17,
                                             .request_size = 3,
                                             .reply_size = 4};

    common_log_call(&log_to, &record);
}

Test(log, tells_of_calls_that_failed)
{
    call_log(RPCRT_OK);
    cr_expect_str_eq(logged(), "");
    call_log(RPCRT_INTERNAL);
    cr_expect_not_null(
        strstr(logged(), "level=error program=prog call_id=\"abc\" "
                         "method=\"/kv.v1.Kv/Put\" peer=\"tcp://127.0.0.1:1\" "
                         "code=INTERNAL us=17 in=3 out=4 msg=\"why\"\n"),
        "%s", logged());
}

Test(log, tells_of_every_call_if_told_so)
{
    log_to.calls = true;
    call_log(RPCRT_OK);
    cr_expect_not_null(strstr(logged(), "code=OK us=17 in=3 out=4\n"), "%s",
                       logged());
}

Test(log, knows_its_levels_by_name)
{
    enum rpcrt_log_level level = RPCRT_LOG_ERROR;

    cr_expect(common_log_level_find("debug", &level));
    cr_expect_eq(level, RPCRT_LOG_DEBUG);
    cr_expect_not(common_log_level_find("loud", &level));
}
