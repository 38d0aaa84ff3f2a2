/*
 * The kinds of call, made in one way, for tests that take each code from each
 * origin through each of them.
 */
#ifndef TESTS_CONTRACT_RPC_CODES_H
#define TESTS_CONTRACT_RPC_CODES_H

#include "support/probe.h"

enum kind { UNARY, CLIENT_STREAM, SERVER_STREAM, BOTH };

#define N_KINDS 4

/* What a handler is to do, in the words of each kind. */
struct asked {
    Probe__V1__FailRequest fail;
    Probe__V1__Step step;
    Probe__V1__Step *steps[1];
    Probe__V1__Script script;
};

/* End with that code and text, and details if it is not OK. */
void asked_init(struct asked *asked, unsigned code, const char *text);

/* A method of each kind that does what it is asked for, and one that can stand
 * still. */
const struct rpcrt_method *kind_method(enum kind kind);
const struct rpcrt_method *kind_endless(enum kind kind);

/* Make a call of some method from its start to its end. */
enum rpcrt_code kind_call(struct rpcrt_call *call,
                          const struct rpcrt_method *method,
                          const struct asked *asked);

struct expected {
    enum rpcrt_code code;
    enum rpcrt_origin origin;
    bool may_have_run;
    const char *text; /* a part of it; NULL: any but none */
};

/* Check what kind_call() has returned, and what its call says. */
void expect_outcome(struct rpcrt_call *call, enum kind kind,
                    enum rpcrt_code code, const struct expected *expected);

/* Wait until any handler stands still. */
void await_standing(struct probe *probe);

#endif
