/*
 * Unary calls are those of Fail, the others are those that do steps.
 */
#include "contract/rpc/codes.h"

#include <string.h>

static const char *const kind_names[N_KINDS] = {"unary", "client stream",
                                                "server stream", "both"};

void
asked_init(struct asked *asked, unsigned code, const char *text)
{
    static uint8_t details[] = {8, 5, 0, 255};
    ProtobufCBinaryData some = {code == 0 ? 0 : sizeof details, details};

    probe__v1__fail_request__init(&asked->fail);
    asked->fail.code = code;
    asked->fail.text = text;
    asked->fail.details = some;
    probe__v1__step__init(&asked->step);
    asked->step.stop = true;
    asked->step.code = code;
    asked->step.text = text;
    asked->step.details = some;
    asked->steps[0] = &asked->step;
    probe__v1__script__init(&asked->script);
    asked->script.steps = asked->steps;
    asked->script.n_steps = 1;
}

const struct rpcrt_method *
kind_method(enum kind kind)
{
    static const enum probe_method indexes[N_KINDS] = {
        PROBE_METHOD_FAIL, PROBE_METHOD_SUM, PROBE_METHOD_POUR,
        PROBE_METHOD_CHAT};

    return &probe_rpc.methods[indexes[kind]];
}

enum rpcrt_code
kind_call(struct rpcrt_call *call, const struct rpcrt_method *method,
          const struct asked *asked)
{
    bool sends = (method->flags & RPCRT_METHOD_CLIENT_STREAMING) != 0;
    bool receives = (method->flags & RPCRT_METHOD_SERVER_STREAMING) != 0;
    const ProtobufCMessage *reply = NULL;

    if (!sends && !receives) {
        return rpcrt_call_unary(call, method, &asked->fail.base, &reply);
    }
    rpcrt_call_open(call, method, sends ? NULL : &asked->script.base);
    if (sends && rpcrt_call_send(call, &asked->step.base)) {
        rpcrt_call_close_send(call);
    }
    while (receives && rpcrt_call_next(call, &reply)) {
    }
    return rpcrt_call_finish(call, &reply);
}

const struct rpcrt_method *
kind_endless(enum kind kind)
{
    return kind == UNARY ? &probe_rpc.methods[PROBE_METHOD_HANG]
                         : kind_method(kind);
}

void
expect_outcome(struct rpcrt_call *call, enum kind kind, enum rpcrt_code code,
               const struct expected *expected)
{
    const char *text = rpcrt_call_message(call);

    cr_assert_eq(code, expected->code, "%s: %s instead of %s: %s",
                 kind_names[kind], rpcrt_code_name(code),
                 rpcrt_code_name(expected->code), text);
    cr_assert_eq(rpcrt_call_code(call), code);
    cr_assert_eq(rpcrt_call_origin(call), expected->origin,
                 "%s, %s: made by the %s: %s", kind_names[kind],
                 rpcrt_code_name(code),
                 rpcrt_origin_text(rpcrt_call_origin(call)), text);
    cr_assert_eq(rpcrt_call_may_have_run(call), expected->may_have_run,
                 "%s, %s: %s", kind_names[kind], rpcrt_code_name(code), text);
    if (expected->text == NULL) {
        cr_assert_str_neq(text, "");
    } else {
        cr_assert_not_null(strstr(text, expected->text), "%s: %s",
                           kind_names[kind], text);
    }
}

void
await_standing(struct probe *probe)
{
    while (atomic_load(&probe->n_standing) == 0 &&
           atomic_load(&probe->n_hanging) == 0) {
        bed_sleep_ms(1);
    }
}
