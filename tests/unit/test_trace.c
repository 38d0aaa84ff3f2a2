/*
 * Trace contexts as text: the rules of the W3C, and what is malformed.
 */
#include <rpcrt/trace.h>

#include <criterion/criterion.h>
#include <string.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static struct rpcrt_trace trace;

Test(trace, is_read_and_written, .timeout = 10)
{
    char text[RPCRT_TRACEPARENT_SIZE];

    cr_assert(rpcrt_trace_parse("00-" TRACE "-" SPAN "-01", &trace));
    cr_assert_eq(trace.trace_id[0], 0x4b);
    cr_assert_eq(trace.trace_id[15], 0x36);
    cr_assert_eq(trace.span_id[1], 0xf0);
    cr_assert_eq(trace.flags, RPCRT_TRACE_SAMPLED);
    cr_assert_null(trace.state);
    rpcrt_trace_format(&trace, text);
    cr_assert_str_eq(text, "00-" TRACE "-" SPAN "-01");
}

Test(trace, of_a_later_version_is_read_as_far_as_it_is_known)
{
    char text[RPCRT_TRACEPARENT_SIZE];

    cr_assert(rpcrt_trace_parse("cc-" TRACE "-" SPAN "-01", &trace));
    cr_assert(
        rpcrt_trace_parse("cc-" TRACE "-" SPAN "-ff-what-will-be", &trace));
    rpcrt_trace_format(&trace, text);
    cr_assert_str_eq(text, "00-" TRACE "-" SPAN "-01");
}

Test(trace, that_is_malformed_is_absent)
{
    static const char *const malformed[] = {
        "",
        "00",
        "00-" TRACE "-" SPAN,
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-01-",
        "00-" TRACE "-" SPAN "-01-more",
        "00-" TRACE "-" SPAN "-011",
        "cc-" TRACE "-" SPAN "-01.what",
        "ff-" TRACE "-" SPAN "-01",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
        "00-" TRACE "-" SPAN "-0G",
        "0x-" TRACE "-" SPAN "-01",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "00-" TRACE "-" SPAN "_01",
        " 00-" TRACE "-" SPAN "-01",
    };

    memset(&trace, 7, sizeof trace);
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        cr_expect_not(rpcrt_trace_parse(malformed[i], &trace), "%s",
                      malformed[i]);
    }
    cr_expect_eq(trace.flags, 7);
}

Test(trace, goes_on_in_a_new_span)
{
    struct rpcrt_trace part;
    struct rpcrt_trace other;

    rpcrt_trace_begin(NULL, &trace);
    cr_assert_eq(trace.flags, 0);
    cr_assert_arr_eq(trace.parent_id, ((uint8_t[8]){0}), 8);
    trace.flags = RPCRT_TRACE_SAMPLED;
    trace.state = "a=b";
    rpcrt_trace_begin(&trace, &part);
    cr_assert_arr_eq(part.trace_id, trace.trace_id, sizeof part.trace_id);
    cr_assert_arr_eq(part.parent_id, trace.span_id, sizeof part.span_id);
    cr_assert_neq(memcmp(part.span_id, trace.span_id, sizeof part.span_id), 0);
    cr_assert_eq(part.flags, RPCRT_TRACE_SAMPLED);
    cr_assert_str_eq(part.state, "a=b");
    rpcrt_trace_begin(NULL, &other);
    cr_assert_neq(memcmp(other.trace_id, trace.trace_id, sizeof other.trace_id),
                  0);
}
