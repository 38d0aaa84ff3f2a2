/*
 * rpcctl load and rpcctl completion.
 */
#include "rpcctl/desk.h"

#include <stdio.h>
#include <stdlib.h>

/* The number behind a name in JSON; -1 without one. */
static double
number(const char *json, const char *name)
{
    char text[64];
    const char *at;

    (void)snprintf(text, sizeof text, "\"%s\":", name);
    at = strstr(json, text);
    return at != NULL ? strtod(at + strlen(text), NULL) : -1;
}

Test(load, counts_what_it_calls, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 0,
                RPCCTL(&desk, "load", "Count", "--count", "500",
                       "--concurrency", "8", "-o", "json"));
    cr_assert_eq(atomic_load(&desk.bed.probe.n_counted), 500);
    EXPECT_IN(desk.result.out, "\"loop\":\"closed\",\"concurrency\":8,");
    EXPECT_IN(desk.result.out, "\"codes\":{\"OK\":500}");
    cr_assert_gt(number(desk.result.out, "p50"), 0);
    cr_assert_geq(number(desk.result.out, "p99"),
                  number(desk.result.out, "p50"));
    cr_assert_geq(number(desk.result.out, "max"),
                  number(desk.result.out, "p99.9"));
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "load", "Count", "--count", "20"));
    EXPECT_IN(desk.result.out, "closed loop, 16 calls at a time\n20 calls in ");
    EXPECT_IN(desk.result.out, "  p99.9 ");
    desk_close(&desk);
}

/* One handler at a time that takes 5 ms, and a call due every millisecond: the
 * last of 200 ends 0.8 s after it was due, and is told to have taken so long.
 * Who measured from the start of each call would say 5 ms. */
Test(load, times_from_when_a_call_was_due, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 0,
                RPCCTL(&desk, "load", "Wait", "ms:=5", "--rate", "1000",
                       "--count", "200", "--concurrency", "1", "--json"));
    EXPECT_IN(desk.result.out, "\"loop\":\"open\"");
    cr_assert_eq(number(desk.result.out, "calls"), 200);
    cr_assert_gt(number(desk.result.out, "max"), 700);
    cr_assert_gt(number(desk.result.out, "p50"), 300);
    cr_assert_gt(number(desk.result.out, "late"), 100);
    desk_close(&desk);
}

Test(load, keeps_the_rate_that_was_asked_for, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 0,
                RPCCTL(&desk, "load", "Count", "--rate", "200", "--duration",
                       "500ms", "--json"));
    cr_assert_eq(number(desk.result.out, "calls"), 100);
    cr_assert_geq(number(desk.result.out, "seconds"), 0.49);
    desk_close(&desk);
}

Test(load, tells_how_calls_failed, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 1,
                RPCCTL(&desk, "load", "Fail", "code:=5", "text=no cup",
                       "--count", "10"));
    EXPECT_IN(desk.result.out, "  NOT_FOUND                    10\n");
    EXPECT_IN(desk.result.err, "the first that failed: NOT_FOUND: no cup");
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "load", "Count", "-o", "xml"));
    EXPECT_EXIT(&desk, 2,
                RPCCTL(&desk, "load", "Count", "--concurrency", "1000000"));
    desk_close(&desk);
    desk_open(&desk, NULL);
    EXPECT_EXIT(&desk, 78, RPCCTL(&desk, "ipc:///nowhere", "load", "Count"));
    desk_close(&desk);
}

/* -- completion ------------------------------------------------------------ */

/* What bash offers behind a line. */
static void
complete(struct desk *desk, const char *line)
{
    char script[2000];
    char out[200];
    FILE *file;
    size_t size;

    (void)snprintf(out, sizeof out, "%s/offered", desk->folder);
    (void)snprintf(script, sizeof script,
                   "rpcctl() { \"$RPCCTL\" \"$@\"; }; "
                   "source <(\"$RPCCTL\" completion bash); "
                   "export RPCCTL_DESCRIPTORS=%s; "
                   "COMP_LINE='%s'; COMP_POINT=${#COMP_LINE}; _rpcctl; "
                   "printf '%%s\\n' \"${COMPREPLY[@]}\" >%s",
                   desk->set, line, out);
    cr_assert_eq(setenv("SCRIPT", script, 1), 0);
    cr_assert_eq(system("bash -c \"$SCRIPT\""), 0);
    file = fopen(out, "rb");
    cr_assert_not_null(file);
    size = fread(desk->result.out, 1, sizeof desk->result.out - 1, file);
    desk->result.out[size] = '\0';
    (void)fclose(file);
}

Test(completion, offers_commands_and_what_the_server_has, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, NULL);
    complete(&desk, "rpcctl ");
    EXPECT_OUT(&desk,
               "call\ncompletion\ndescribe\nhealth\nload\nls\ntemplate\n");
    complete(&desk, "rpcctl tcp://127.0.0.1:7001 de");
    EXPECT_OUT(&desk, "describe\n");
    complete(&desk, "rpcctl tcp://127.0.0.1:7001 call probe.v1.Probe/Ho");
    EXPECT_OUT(&desk, "\n");
    complete(&desk, "rpcctl tcp://127.0.0.1:7001 call probe.v1.Probe/Han");
    EXPECT_OUT(&desk, "probe.v1.Probe/Hang\n");
    complete(&desk, "rpcctl ls ");
    EXPECT_OUT(&desk, "probe.v1.Probe\n");
    complete(&desk, "rpcctl describe probe.v1.FailR");
    EXPECT_OUT(&desk, "probe.v1.FailRequest\n");
    complete(&desk, "rpcctl load --du");
    EXPECT_OUT(&desk, "--duration\n");
    desk_close(&desk);
}
