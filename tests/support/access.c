/*
 * Trying every method as everybody: see access.h.
 */
#include "tests/support/access.h"

#include <criterion/criterion.h>
#include <rpcrt/details.h>
#include <stdlib.h>
#include <string.h>

static const char *
name_of(const struct rpcrt_method *method)
{
    return strrchr(method->path, '/') + 1;
}

static const struct access_row *
row_find(const struct rpcrt_method *method, const struct access_row *rows,
         size_t n_rows)
{
    size_t i;

    for (i = 0; i < n_rows; i++) {
        if (strcmp(rows[i].method, name_of(method)) == 0) {
            return &rows[i];
        }
    }
    cr_assert_fail("%s: who may call it?", method->path);
    return NULL;
}

static enum rpcrt_code
call_empty(const struct rpcrt_method *method, struct rpcrt_call *call)
{
    ProtobufCMessage *request = calloc(1, method->request->sizeof_message);
    const ProtobufCMessage *reply;
    enum rpcrt_code code;

    cr_assert_not_null(request);
    protobuf_c_message_init(method->request, request);
    code = rpcrt_call_unary(call, method, request, &reply);
    free(request);
    return code;
}

static void
row_check(const char *where, const struct rpcrt_method *method,
          const struct access_row *row, const struct access_caller *caller)
{
    enum rpcrt_code code = call_empty(method, caller->call);
    struct rpcrt_error_info info;

    if (row->roles == ACCESS_EVERYBODY) {
        cr_assert(!rpcrt_call_error_info(caller->call, &info) ||
                      strncmp(info.reason, "SESSION_", 8) != 0,
                  "%s: %s as %s: %s", where, method->path, caller->name,
                  info.reason);
        cr_assert_neq(code, RPCRT_PERMISSION_DENIED);
    } else if (caller->role == 0) {
        cr_assert_eq(code, RPCRT_UNAUTHENTICATED, "%s: %s as %s: %s", where,
                     method->path, caller->name, rpcrt_code_name(code));
    } else if ((row->roles & caller->role) == 0) {
        cr_assert_eq(code, RPCRT_PERMISSION_DENIED, "%s: %s as %s: %s", where,
                     method->path, caller->name, rpcrt_code_name(code));
    } else {
        cr_assert(code != RPCRT_UNAUTHENTICATED &&
                      code != RPCRT_PERMISSION_DENIED,
                  "%s: %s as %s: %s", where, method->path, caller->name,
                  rpcrt_call_message(caller->call));
    }
}

void
access_check(const char *where, const struct rpcrt_service *service,
             const struct access_row *rows, size_t n_rows,
             const struct access_caller *callers, size_t n_callers)
{
    size_t i;
    size_t j;

    cr_assert_eq(service->n_methods, n_rows, "%s: a row for each method",
                 service->name);
    for (i = service->n_methods; i-- > 0;) {
        const struct rpcrt_method *method = &service->methods[i];
        const struct access_row *row = row_find(method, rows, n_rows);

        for (j = 0; j < n_callers; j++) {
            row_check(where, method, row, &callers[j]);
        }
    }
}
