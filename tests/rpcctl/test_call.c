/*
 * rpcctl call: requests in all their forms, replies, failures with exit codes,
 * metadata and times.
 */
#include "rpcctl/desk.h"

#include <stdio.h>

static void
call_on(const char *transport)
{
    struct desk desk;

    desk_open(&desk, transport);
    EXPECT_EXIT(&desk, 0,
                RPCCTL(&desk, "call", "probe.v1.Probe/Echo", "payload=aGk="));
    EXPECT_OUT(&desk, "{\n  \"payload\": \"aGk=\"\n}\n");
    desk_close(&desk);
}

Test(rpcctl, calls_over_ipc, .timeout = 60)
{
    call_on("ipc");
}

Test(rpcctl, calls_over_tcp, .timeout = 60)
{
    call_on("tcp");
}

Test(rpcctl, calls_over_tls, .timeout = 60)
{
    call_on("tls");
}

Test(rpcctl, takes_requests_in_many_forms, .timeout = 60)
{
    struct desk desk;
    char path[160];
    char at[161];

    desk_open(&desk, "ipc");
    (void)snprintf(
        at, sizeof at, "@%s",
        desk_write(&desk, "request", "{\"payload\":\"aGk=\"}", path));
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "call", "Echo", at, "--json"));
    EXPECT_OUT(&desk, "{\"payload\":\"aGk=\"}\n");
    EXPECT_EXIT(&desk, 0,
                RPCCTL_IN(&desk, "{\"payload\":\"aGk=\"}", "call", "Echo", "@-",
                          "--json"));
    EXPECT_OUT(&desk, "{\"payload\":\"aGk=\"}\n");
    EXPECT_EXIT(&desk, 0,
                RPCCTL(&desk, "call", "/probe.v1.Probe/Echo",
                       "{\"payload\":\"aGk=\"}", "--json"));
    EXPECT_OUT(&desk, "{\"payload\":\"aGk=\"}\n");
    EXPECT_EXIT(&desk, 0,
                RPCCTL(&desk, "call", "probe.v1.Probe.Wait", "ms:=1",
                       "payload:=\"aGk=\"", "--json"));
    EXPECT_OUT(&desk, "{\"payload\":\"aGk=\"}\n");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "call", "Echo", "--json"));
    EXPECT_OUT(&desk, "{}\n");
    EXPECT_EXIT(&desk, 0,
                RPCCTL(&desk, "call", "Echo", "--json", "--defaults"));
    EXPECT_OUT(&desk, "{\"payload\":\"\"}\n");
    desk_close(&desk);
}

Test(rpcctl, refuses_requests_that_do_not_fit, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "call", "Echo", "other=1"));
    EXPECT_IN(desk.result.err, "unknown field \"other\"");
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "call", "Echo", "payload"));
    EXPECT_IN(desk.result.err, "'payload': expected JSON");
    EXPECT_EXIT(&desk, 2,
                RPCCTL(&desk, "call", "Echo", "payload=a", "payload=b"));
    EXPECT_EXIT(&desk, 2,
                RPCCTL(&desk, "call", "Echo", "payload.x=a", "payload=b"));
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "call", "Echo", ".=a"));
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "call", "Echo", "{\"payload\":"));
    EXPECT_IN(desk.result.err, "line 1");
    EXPECT_EXIT(&desk, 1, RPCCTL(&desk, "call", "Echo", "@/nowhere"));
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "call", "Nope"));
    EXPECT_IN(desk.result.err, "no method 'Nope'");
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "call", "Echo", "-H", "no colon"));
    EXPECT_EXIT(&desk, 2, RPCCTL(&desk, "call", "Echo", "-H", "a b: c"));
    desk_close(&desk);
}

/* ErrorInfo, RetryInfo, BadRequest and something else, as google.rpc.Status. */
static const char details[] =
    "CAUSAW0aWQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkVycm9ySW5mbx"
    "ItCghOT1RfSEVSRRIIcHJvYmUudjEaFwoFd2hlcmUSDmJlaGluZCB0aGUgY3VwGjYK"
    "KHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5SZXRyeUluZm8SCgoICAEQgM"
    "q17gEaSAopdHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLkJhZFJlcXVlc3QS"
    "GwoZCghjdXAuc2l6ZRINdG9vIBtbMkpsYXJnZRoqCiN0eXBlLmdvb2dsZWFwaXMuY2"
    "9tL2dvb2dsZS5ycGMuSGVscBIDYWJj";

Test(rpcctl, exits_with_64_and_the_code, .timeout = 60)
{
    struct desk desk;
    char code[32];
    int i;

    desk_open(&desk, "ipc");
    for (i = 1; i <= 16; i++) {
        (void)snprintf(code, sizeof code, "code:=%d", i);
        EXPECT_EXIT(&desk, 64 + i,
                    RPCCTL(&desk, "call", "Fail", code, "text=no such cup"));
        EXPECT_IN(desk.result.err, rpcrt_code_name((enum rpcrt_code)i));
        EXPECT_IN(desk.result.err, "no such cup");
        EXPECT_OUT(&desk, "");
    }
    EXPECT_EXIT(&desk, 64 + RPCRT_UNIMPLEMENTED,
                RPCCTL(&desk, "call", "Missing"));
    EXPECT_EXIT(&desk, 64 + RPCRT_DEADLINE_EXCEEDED,
                RPCCTL(&desk, "call", "Hang", "--deadline", "50ms"));
    desk_close(&desk);
    desk_open(&desk, NULL);
    EXPECT_EXIT(&desk, 64 + RPCRT_UNAVAILABLE,
                RPCCTL(&desk, "ipc:///nowhere", "call", "Echo"));
    desk_close(&desk);
}

Test(rpcctl, shows_the_details_of_a_failure, .timeout = 60)
{
    char argument[sizeof details + 16];
    struct desk desk;

    desk_open(&desk, "ipc");
    (void)snprintf(argument, sizeof argument, "details=%s", details);
    EXPECT_EXIT(
        &desk, 69,
        RPCCTL(&desk, "call", "Fail", "code:=5", "text=no such cup", argument));
    EXPECT_IN(desk.result.err, "rpcctl: call: NOT_FOUND: no such cup\n"
                               "  ErrorInfo: NOT_HERE of probe.v1\n"
                               "    where: behind the cup\n"
                               "  RetryInfo: again after 1.500 s\n"
                               "  BadRequest:\n"
                               "    cup.size: too ?[2Jlarge\n"
                               "  google.rpc.Help (3 bytes)\n");
    desk_close(&desk);
}

Test(rpcctl, sends_metadata_and_shows_with_v_what_happens, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 0,
                RPCCTL(&desk, "call", "Describe", "-v", "-H", "Probe: seen",
                       "-H", "authorization: Bearer xyz"));
    EXPECT_IN(desk.result.out, "\"method\": \"/probe.v1.Probe/Describe\"");
    EXPECT_IN(desk.result.err, "> /probe.v1.Probe/Describe at ipc://");
    EXPECT_IN(desk.result.err, "> authorization: [redacted]\n");
    EXPECT_NOT_IN(desk.result.err, "xyz");
    EXPECT_IN(desk.result.err, "< OK");
    EXPECT_NOT_IN(desk.result.err, "\033");
    EXPECT_NOT_IN(desk.result.out, "\033");
    desk_close(&desk);
}

Test(rpcctl, keeps_one_output_for_ever, .timeout = 60)
{
    char first[sizeof(((struct daemon_result *)0)->out)];
    struct desk desk;
    int i;

    desk_open(&desk, "ipc");
    EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "describe"));
    memcpy(first, desk.result.out, sizeof first);
    for (i = 0; i < 3; i++) {
        EXPECT_EXIT(&desk, 0, RPCCTL(&desk, "describe"));
        EXPECT_OUT(&desk, first);
    }
    desk_close(&desk);
}
