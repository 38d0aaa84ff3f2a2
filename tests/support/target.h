/*
 * What a contract suite judges: a service in a stack of our own, once on each
 * engine and transport, or whoever serves at CONTRACT_TARGET.
 *
 * Of a foreign server the environment tells, besides its address, files with
 * what opens it (see the suites), and CONTRACT_TLS_CA, CONTRACT_TLS_CERT and
 * CONTRACT_TLS_KEY. Tests that lack something are skipped.
 */
#ifndef TESTS_SUPPORT_TARGET_H
#define TESTS_SUPPORT_TARGET_H

#include "tests/support/stack.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <rpcrt/rpcrt.h>

/* -- which ----------------------------------------------------------------- */

/* An engine and a transport; numbers, because it travels to the test's
 * process. */
struct target_cell {
    unsigned engine;
    unsigned transport;
    bool external;
};

/* Every engine on every transport. */
struct criterion_test_params target_cells(void);

/* Memory in the process and lmdb behind TLS: for what takes long, and does not
 * differ by the transport. */
struct criterion_test_params target_few_cells(void);

/* A test that runs once for each of `cells`: TARGET_TEST(suite, claim, cells)
 * { ... uses cell ... } */
#define TARGET_TEST(suite, claim, cells)                                       \
    static void claim##_on(const struct target_cell *cell);                    \
    ParameterizedTestParameters(suite, claim)                                  \
    {                                                                          \
        return cells();                                                        \
    }                                                                          \
    ParameterizedTest(struct target_cell *cell, suite, claim, .timeout = 120)  \
    {                                                                          \
        claim##_on(cell);                                                      \
    }                                                                          \
    static void claim##_on(const struct target_cell *cell)

/* -- one of them ----------------------------------------------------------- */

#define TARGET_TIMEOUT_MS 20000u
#define TARGET_CALLS_MAX 32u

struct target {
    char where[64];      /* "lmdb over tcp", for messages */
    const char *address; /* of the service that is judged */
    struct stack *stack; /* NULL: it is somebody else's */
    struct rpcrt_channel *channels[TARGET_CALLS_MAX];
    struct rpcrt_call *calls[TARGET_CALLS_MAX];
    size_t n_channels;
    size_t n_calls;
};

/* Start a stack, of which options->top is judged; its engine and transport
 * come from the cell. Skips the test if the server is somebody else's and
 * own_only is true. */
void target_open(struct target *target, const struct target_cell *cell,
                 const struct stack_options *options, bool own_only);
void target_close(struct target *target);

/* A channel to an address of the same kind; freed with the target. */
struct rpcrt_channel *target_channel(struct target *target,
                                     const char *address);

/* A call with a token (NULL: without); freed with the target. */
struct rpcrt_call *target_call(struct target *target,
                               struct rpcrt_channel *channel,
                               const char *token);

/* Change its token. */
void target_call_token(struct rpcrt_call *call, const char *token);

/* A secret word: `own` for a stack of our own, else the first line of the file
 * that the variable names; NULL if it names none. Good until the next use. */
const char *target_secret(const struct target *target, const char *own,
                          const char *variable);

/* -- what is expected ------------------------------------------------------ */

/* Fail the test unless a call ends like this. `c` has a member `where`. */
#define expect_call(c, call, expected, expression)                             \
    do {                                                                       \
        enum rpcrt_code code_ = (expression);                                  \
        cr_assert_eq(code_, (expected), "%s: %s instead of %s: %s",            \
                     (c)->where, rpcrt_code_name(code_),                       \
                     rpcrt_code_name(expected),                                \
                     code_ == RPCRT_OK ? "" : rpcrt_call_message(call));       \
    } while (0)

/* And for this reason, as its ErrorInfo tells. */
#define expect_refusal(c, call, expected, domain, reason, expression)          \
    do {                                                                       \
        enum rpcrt_code refusal_ = (expression);                               \
        const char *told_ = target_reason(call, domain);                       \
        cr_assert(refusal_ == (expected) && strcmp(told_, reason) == 0,        \
                  "%s: %s (%s) instead of %s (%s): %s", (c)->where,            \
                  rpcrt_code_name(refusal_), told_, rpcrt_code_name(expected), \
                  reason,                                                      \
                  refusal_ == RPCRT_OK ? "" : rpcrt_call_message(call));       \
    } while (0)

/* The reason that a call was refused for, "" without one, or one of another
 * domain. Good until the next use. */
const char *target_reason(const struct rpcrt_call *call, const char *domain);

#endif
