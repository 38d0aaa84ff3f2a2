/*
 * Who may call what: every method of a service tried by every kind of caller,
 * against a table. A method without a row fails the test.
 */
#ifndef TESTS_SUPPORT_ACCESS_H
#define TESTS_SUPPORT_ACCESS_H

#include <rpcrt/gen.h>
#include <rpcrt/rpcrt.h>
#include <stdbool.h>

/* A row of everybody, known or not. */
#define ACCESS_EVERYBODY UINT32_MAX

struct access_row {
    const char *method; /* "Authorize" */
    uint32_t roles;     /* bits of those who may call it */
};

struct access_caller {
    const char *name; /* for messages */
    struct rpcrt_call *call;
    uint32_t role; /* one bit; 0: nobody who is known */
};

/* Call everything with an empty request, which does nothing: whether a caller
 * may is found out before what is asked. From the last method to the first, for
 * one near the beginning may end a session. */
void access_check(const char *where, const struct rpcrt_service *service,
                  const struct access_row *rows, size_t n_rows,
                  const struct access_caller *callers, size_t n_callers);

#endif
