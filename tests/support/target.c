/*
 * Stacks of our own and servers of others: see target.h.
 */
#include "tests/support/target.h"

#include <criterion/hooks.h>
#include <criterion/options.h>
#include <rpcrt/details.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const engines[] = {"memory", "lmdb"};
static const char *const transports[] = {"inproc", "ipc", "tcp", "tls"};

#define N_ENGINES (sizeof(engines) / sizeof(engines[0]))
#define N_TRANSPORTS (sizeof(transports) / sizeof(transports[0]))

/* -- which ----------------------------------------------------------------- */

/* Tests of a server that they share run one by one. */
ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    (void)tests;
    if (getenv("CONTRACT_TARGET") != NULL) {
        criterion_options.jobs = 1;
    }
}

struct criterion_test_params
target_cells(void)
{
    static struct target_cell cells[N_ENGINES * N_TRANSPORTS];
    size_t n = 0;
    unsigned i;

    if (getenv("CONTRACT_TARGET") != NULL) {
        cells[n++].external = true;
        return cr_make_param_array(struct target_cell, cells, n);
    }
    for (i = 0; i < N_ENGINES * N_TRANSPORTS; i++) {
        cells[n].engine = i / N_TRANSPORTS;
        cells[n++].transport = i % N_TRANSPORTS;
    }
    return cr_make_param_array(struct target_cell, cells, n);
}

struct criterion_test_params
target_few_cells(void)
{
    static struct target_cell cells[] = {
        {0, 0, false}, {N_ENGINES - 1, N_TRANSPORTS - 1, false}};

    if (getenv("CONTRACT_TARGET") != NULL) {
        return target_cells();
    }
    return cr_make_param_array(struct target_cell, cells, 2);
}

/* -- one of them ----------------------------------------------------------- */

void
target_open(struct target *target, const struct target_cell *cell,
            const struct stack_options *options, bool own_only)
{
    struct stack_options all = *options;

    *target = (struct target){.where = "the target"};
    if (cell->external) {
        if (own_only) {
            cr_skip_test("needs a server of its own");
        }
        target->address = getenv("CONTRACT_TARGET");
        return;
    }
    all.engine = engines[cell->engine];
    all.transport = transports[cell->transport];
    (void)snprintf(target->where, sizeof(target->where), "%s over %s",
                   all.engine, all.transport);
    target->stack = stack_start(&all);
    target->address = stack_address(target->stack, options->top);
}

void
target_close(struct target *target)
{
    while (target->n_calls > 0) {
        rpcrt_call_free(target->calls[--target->n_calls]);
    }
    while (target->n_channels > 0) {
        rpcrt_channel_free(target->channels[--target->n_channels]);
    }
    if (target->stack != NULL) {
        stack_stop(target->stack);
    }
}

struct rpcrt_channel *
target_channel(struct target *target, const char *address)
{
    struct rpcrt_tls tls = {.ca_file = getenv("CONTRACT_TLS_CA"),
                            .cert_file = getenv("CONTRACT_TLS_CERT"),
                            .key_file = getenv("CONTRACT_TLS_KEY")};
    struct rpcrt_channel_options options = {.tls = NULL};
    struct rpcrt_channel *channel = NULL;

    cr_assert_lt(target->n_channels, TARGET_CALLS_MAX);
    if (target->stack != NULL) {
        options.tls = stack_tls(target->stack);
    } else if (strncmp(address, "tls+", 4) == 0) {
        options.tls = &tls;
    }
    cr_assert_eq(rpcrt_channel_new(address, &options, &channel), RPCRT_OK, "%s",
                 rpcrt_last_error());
    target->channels[target->n_channels++] = channel;
    return channel;
}

struct rpcrt_call *
target_call(struct target *target, struct rpcrt_channel *channel,
            const char *token)
{
    struct rpcrt_call *call = NULL;

    cr_assert_lt(target->n_calls, TARGET_CALLS_MAX);
    cr_assert_eq(rpcrt_call_new(channel, TARGET_TIMEOUT_MS, &call), RPCRT_OK);
    target->calls[target->n_calls++] = call;
    if (token != NULL) {
        target_call_token(call, token);
    }
    return call;
}

void
target_call_token(struct rpcrt_call *call, const char *token)
{
    char value[512];
    int length = snprintf(value, sizeof(value), "Bearer %s", token);

    cr_assert(length > 0 && (size_t)length < sizeof(value));
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "authorization", value),
                 RPCRT_OK);
}

const char *
target_secret(const struct target *target, const char *own,
              const char *variable)
{
    static char line[400];
    const char *path = getenv(variable);
    FILE *file;
    bool ok;

    if (target->stack != NULL) {
        return own;
    }
    file = path == NULL ? NULL : fopen(path, "r");
    if (file == NULL) {
        return NULL;
    }
    ok = fgets(line, sizeof(line), file) != NULL;
    (void)fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    return ok ? line : NULL;
}

/* -- what is expected ------------------------------------------------------ */

const char *
target_reason(const struct rpcrt_call *call, const char *domain)
{
    static struct rpcrt_error_info info;

    if (!rpcrt_call_error_info(call, &info) ||
        strcmp(info.domain, domain) != 0) {
        return "";
    }
    return info.reason;
}
