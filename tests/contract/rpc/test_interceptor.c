/*
 * What interceptors of servers and of channels may expect, around every kind
 * of call.
 */
#include "support/stream.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* One that writes down what it sees. */
struct witness {
    char name;
    enum rpcrt_code code; /* of begin */
    const char *header;   /* of metadata "probe-header", that begin sets */
    uint32_t timeout_ms;  /* that begin sets, if it is not 0 */
    atomic_uint n_begun;
    atomic_uint n_ended;
    atomic_uint n_lost; /* ends that did not find what begin had left */
    enum rpcrt_code ended;
    char method[64];
    char message[64];
    size_t request_size;
    size_t reply_size;
    uint64_t duration_us;
};

static struct witness a;
static struct witness b;
static pthread_mutex_t trail_lock = PTHREAD_MUTEX_INITIALIZER;
static char trail[64]; /* "a(b(b)a)" */

static void
leave_trail(const struct witness *witness, char sign)
{
    size_t length;

    pthread_mutex_lock(&trail_lock);
    length = strlen(trail);
    if (length + 2 < sizeof trail) {
        trail[length] = witness->name;
        trail[length + 1] = sign;
    }
    pthread_mutex_unlock(&trail_lock);
}

static void
expect_trail(const char *expected)
{
    pthread_mutex_lock(&trail_lock);
    cr_assert_str_eq(trail, expected);
    memset(trail, 0, sizeof trail);
    pthread_mutex_unlock(&trail_lock);
}

/* -- around handlers ------------------------------------------------------- */

static enum rpcrt_code
begin_served(void *arg, struct rpcrt_ctx *ctx)
{
    struct witness *witness = arg;
    struct witness **slot = rpcrt_ctx_slot(ctx, witness, sizeof *slot);

    leave_trail(witness, '(');
    atomic_fetch_add(&witness->n_begun, 1);
    if (witness->code != RPCRT_OK) {
        return rpcrt_ctx_fail(ctx, witness->code, "%c says no", witness->name);
    }
    *slot = witness;
    return RPCRT_OK;
}

static void
end_served(void *arg, struct rpcrt_ctx *ctx,
           const struct rpcrt_call_record *record)
{
    struct witness *witness = arg;
    struct witness **slot = rpcrt_ctx_slot(ctx, witness, 0);

    leave_trail(witness, ')');
    if (slot == NULL || *slot != witness) {
        atomic_fetch_add(&witness->n_lost, 1);
    }
    witness->ended = record->code;
    witness->request_size = record->request_size;
    witness->reply_size = record->reply_size;
    witness->duration_us = record->duration_us;
    (void)snprintf(witness->method, sizeof witness->method, "%s",
                   record->method);
    (void)snprintf(witness->message, sizeof witness->message, "%s",
                   record->message);
    atomic_fetch_add(&witness->n_ended, 1);
}

static void
add_both(struct rpcrt_server *server)
{
    struct rpcrt_server_interceptor first = {begin_served, end_served, &a};
    struct rpcrt_server_interceptor second = {begin_served, end_served, &b};

    a.name = 'a';
    b.name = 'b';
    cr_assert_eq(rpcrt_server_add_interceptor(server, &first), RPCRT_OK);
    cr_assert_eq(rpcrt_server_add_interceptor(server, &second), RPCRT_OK);
}

static void
open_served(struct bed *bed, const char *transport)
{
    bed_before_listening = add_both;
    bed_open(bed, transport, NULL, NULL);
}

EACH_TRANSPORT(interceptor, stands_around_the_handler, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__FailRequest fail = PROBE__V1__FAIL_REQUEST__INIT;
    Probe__V1__WaitRequest wait = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    open_served(&bed, transport);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 100);
    expect_trail("a(b(b)a)");
    cr_assert_eq(a.ended, RPCRT_OK);
    cr_assert_str_eq(a.method, "/probe.v1.Probe/Echo");
    cr_assert_eq(a.request_size, a.reply_size);
    fail.code = RPCRT_NOT_FOUND;
    fail.text = "nothing here";
    expect_code(call, RPCRT_NOT_FOUND, probe_fail(call, &fail, &reply));
    expect_trail("a(b(b)a)");
    cr_assert_eq(b.ended, RPCRT_NOT_FOUND);
    cr_assert_str_eq(b.message, "nothing here");
    wait.ms = 20;
    expect_ok(call, probe_later(call, &wait, &reply));
    expect_trail("a(b(b)a)");
    cr_assert_geq(a.duration_us, 19000);
    cr_assert_eq(atomic_load(&a.n_lost) + atomic_load(&b.n_lost), 0);
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(interceptor, stands_around_streams, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    struct script script;
    const Probe__V1__SumReply *reply = NULL;

    open_served(&bed, transport);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    script_init(&script, 100, 1000, 0);
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, 100);
    expect_ok(call, probe_pour_finish(call));
    expect_trail("a(b(b)a)");
    cr_assert_gt(b.reply_size, 100000);
    probe_sum_open(call);
    send_messages(call, probe_sum_send, 0, 100, 1000, 0);
    expect_ok(call, probe_sum_finish(call, &reply));
    expect_trail("a(b(b)a)");
    cr_assert_gt(b.request_size, 100000);
    cr_assert_str_eq(b.method, "/probe.v1.Probe/Sum");
    b.code = RPCRT_PERMISSION_DENIED;
    probe_chat_open(call);
    expect_code(call, RPCRT_PERMISSION_DENIED, probe_chat_finish(call));
    expect_trail("a(b(a)");
    rpcrt_call_free(call);
    bed_close(&bed);
}

EACH_TRANSPORT(interceptor, keeps_a_call_from_its_handler, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;

    open_served(&bed, transport);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    b.code = RPCRT_PERMISSION_DENIED;
    expect_code(call, RPCRT_PERMISSION_DENIED,
                probe_count(call, &request, &reply));
    cr_assert_str_eq(rpcrt_call_message(call), "b says no");
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_HANDLER);
    cr_assert_not(rpcrt_call_may_have_run(call));
    cr_assert_eq(atomic_load(&bed.probe.n_counted), 0);
    expect_trail("a(b(a)");
    cr_assert_eq(a.ended, RPCRT_PERMISSION_DENIED);
    a.code = RPCRT_LATER;
    expect_code(call, RPCRT_INTERNAL, probe_count(call, &request, &reply));
    expect_trail("a(");
    rpcrt_call_free(call);
    bed_close(&bed);
}

Test(interceptor, ends_when_the_client_has_left, .timeout = 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

    open_served(&bed, "tcp");
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_hang_start(call, &request, NULL, NULL);
    bed_await(&bed.probe.n_hanging, 1);
    rpcrt_call_cancel(call);
    bed_await(&a.n_ended, 1);
    expect_trail("a(b(b)a)");
    rpcrt_call_free(call);
    bed_close(&bed);
}

Test(interceptor, is_added_before_listening, .timeout = 30)
{
    struct rpcrt_server_interceptor none = {NULL, NULL, NULL};
    struct rpcrt_server *server;

    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    for (unsigned i = 0; i < RPCRT_INTERCEPTORS_MAX; i++) {
        cr_assert_eq(rpcrt_server_add_interceptor(server, &none), RPCRT_OK);
    }
    cr_assert_eq(rpcrt_server_add_interceptor(server, &none),
                 RPCRT_RESOURCE_EXHAUSTED);
    rpcrt_server_free(server);
    cr_assert_eq(rpcrt_server_new(NULL, &server), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server, "inproc://late", NULL), RPCRT_OK);
    cr_assert_eq(rpcrt_server_add_interceptor(server, &none),
                 RPCRT_FAILED_PRECONDITION);
    rpcrt_server_free(server);
}

/* -- around calls ---------------------------------------------------------- */

static enum rpcrt_code
begin_called(void *arg, struct rpcrt_call *call, const char *method)
{
    struct witness *witness = arg;
    struct witness **slot = rpcrt_call_slot(call, witness, sizeof *slot);

    (void)snprintf(witness->method, sizeof witness->method, "%s", method);
    leave_trail(witness, '(');
    atomic_fetch_add(&witness->n_begun, 1);
    if (witness->code != RPCRT_OK) {
        return rpcrt_call_refuse(call, witness->code, "%c says no",
                                 witness->name);
    }
    if (witness->timeout_ms != 0) {
        rpcrt_call_set_timeout(call, witness->timeout_ms);
    }
    *slot = witness;
    return witness->header == NULL ? RPCRT_OK
                                   : rpcrt_call_set_metadata_text(
                                         call, "probe-header", witness->header);
}

static void
end_called(void *arg, struct rpcrt_call *call, const char *method)
{
    struct witness *witness = arg;
    struct witness **slot = rpcrt_call_slot(call, witness, 0);

    leave_trail(witness, ')');
    if (slot == NULL || *slot != witness ||
        strcmp(method, witness->method) != 0) {
        atomic_fetch_add(&witness->n_lost, 1);
    }
    witness->ended = rpcrt_call_code(call);
    witness->duration_us = rpcrt_call_duration_us(call);
    atomic_fetch_add(&witness->n_ended, 1);
}

static void
open_called(struct bed *bed, const char *transport)
{
    struct rpcrt_client_interceptor first = {begin_called, end_called, &a};
    struct rpcrt_client_interceptor second = {begin_called, end_called, &b};

    a.name = 'a';
    b.name = 'b';
    bed_open(bed, transport, NULL, NULL);
    cr_assert_eq(rpcrt_channel_add_interceptor(bed->channel, &first), RPCRT_OK);
    cr_assert_eq(rpcrt_channel_add_interceptor(bed->channel, &second),
                 RPCRT_OK);
}

EACH_TRANSPORT(interceptor, of_a_channel_stands_around_calls, 30)
{
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__DescribeReply *reply;
    const Probe__V1__EchoReply *nothing;
    struct script script;

    open_called(&bed, transport);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    b.header = "from b";
    expect_ok(call, probe_describe(call, &request, &reply));
    cr_assert_str_eq(reply->metadata, "from b");
    expect_trail("a(b(b)a)");
    cr_assert_eq(a.ended, RPCRT_OK);
    cr_assert_gt(a.duration_us, 0);
    script_init(&script, 10, 1000, 0);
    probe_pour_open(call, &script.message);
    expect_messages(call, probe_pour_next, &script, 0, 10);
    expect_ok(call, probe_pour_finish(call));
    expect_trail("a(b(b)a)");
    a.timeout_ms = 20;
    expect_code(call, RPCRT_DEADLINE_EXCEEDED,
                probe_hang(call, &request, &nothing));
    cr_assert_eq(b.ended, RPCRT_DEADLINE_EXCEEDED);
    expect_trail("a(b(b)a)");
    cr_assert_eq(atomic_load(&a.n_lost) + atomic_load(&b.n_lost), 0);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* Completion: the chain has ended by then. */
static void
is_told_last(struct rpcrt_call *call, void *arg)
{
    leave_trail(arg, '!');
    cr_assert_eq(rpcrt_call_code(call), a.ended);
    atomic_fetch_add(&((struct witness *)arg)->n_ended, 1);
}

Test(interceptor, of_a_channel_ends_before_the_owner_is_told, .timeout = 30)
{
    struct witness owner = {.name = 'o'};
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;

    open_called(&bed, "tcp");
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    probe_hang_start(call, &request, is_told_last, &owner);
    bed_await(&bed.probe.n_hanging, 1);
    rpcrt_call_cancel(call);
    bed_await(&owner.n_ended, 1);
    expect_trail("a(b(b)a)o!");
    cr_assert_eq(a.ended, RPCRT_CANCELLED);
    probe_hang_start(call, &request, NULL, NULL);
    rpcrt_call_free(call);
    expect_trail("a(b(b)a)");
    bed_close(&bed);
}

Test(interceptor, of_a_channel_keeps_a_call_from_being_made, .timeout = 30)
{
    struct witness owner = {.name = 'o'};
    struct bed bed;
    struct rpcrt_call *call;
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;

    open_called(&bed, "inproc");
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    b.code = RPCRT_PERMISSION_DENIED;
    expect_code(call, RPCRT_PERMISSION_DENIED,
                probe_count(call, &request, &reply));
    cr_assert_str_eq(rpcrt_call_message(call), "b says no");
    cr_assert_eq(rpcrt_call_origin(call), RPCRT_ORIGIN_LOCAL);
    cr_assert_not(rpcrt_call_may_have_run(call));
    expect_trail("a(b(a)");
    probe_count_start(call, &request, is_told_last, &owner);
    bed_await(&owner.n_ended, 1);
    expect_trail("a(b(a)o!");
    probe_chat_open(call);
    expect_code(call, RPCRT_PERMISSION_DENIED, probe_chat_finish(call));
    expect_trail("a(b(a)");
    cr_assert_eq(atomic_load(&bed.probe.n_counted), 0);
    b.code = RPCRT_OK;
    expect_ok(call, probe_count(call, &request, &reply));
    rpcrt_call_free(call);
    bed_close(&bed);
}

Test(interceptor, of_a_channel_is_added_before_the_first_call, .timeout = 30)
{
    struct rpcrt_client_interceptor none = {NULL, NULL, NULL};
    struct bed bed;
    struct rpcrt_call *call;

    bed_open(&bed, "inproc", NULL, NULL);
    for (unsigned i = 0; i < RPCRT_INTERCEPTORS_MAX; i++) {
        cr_assert_eq(rpcrt_channel_add_interceptor(bed.channel, &none),
                     RPCRT_OK);
    }
    cr_assert_eq(rpcrt_channel_add_interceptor(bed.channel, &none),
                 RPCRT_RESOURCE_EXHAUSTED);
    call = bed_call(bed.channel, BED_TIMEOUT_MS);
    bed_echo(call, 10);
    cr_assert_eq(rpcrt_channel_add_interceptor(bed.channel, &none),
                 RPCRT_FAILED_PRECONDITION);
    rpcrt_call_free(call);
    bed_close(&bed);
}

/* -- many ------------------------------------------------------------------ */

static void *
call_many(void *arg)
{
    struct rpcrt_call *call = bed_call(arg, BED_TIMEOUT_MS);
    Probe__V1__WaitRequest request = PROBE__V1__WAIT_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;

    for (unsigned i = 0; i < 50; i++) {
        bed_echo(call, 10);
        expect_ok(call, probe_later(call, &request, &reply));
    }
    rpcrt_call_free(call);
    return NULL;
}

/* Nothing that all calls share but counters. */
static enum rpcrt_code
count_served(void *arg, struct rpcrt_ctx *ctx)
{
    (void)ctx;
    atomic_fetch_add((atomic_uint *)arg, 1);
    return RPCRT_OK;
}

static void
uncount_served(void *arg, struct rpcrt_ctx *ctx,
               const struct rpcrt_call_record *record)
{
    (void)ctx;
    (void)record;
    atomic_fetch_sub((atomic_uint *)arg, 1);
}

static atomic_uint n_open;

static void
add_counters(struct rpcrt_server *server)
{
    struct rpcrt_server_interceptor counter = {count_served, uncount_served,
                                               &n_open};

    cr_assert_eq(rpcrt_server_add_interceptor(server, &counter), RPCRT_OK);
}

Test(interceptor, ends_as_often_as_it_begins, .timeout = 60)
{
    pthread_t threads[4];
    struct bed bed;

    bed_before_listening = add_counters;
    bed_open(&bed, "tcp", NULL, NULL);
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, call_many, bed.channel),
                     0);
    }
    for (size_t i = 0; i < 4; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    cr_assert_eq(atomic_load(&n_open), 0);
    bed_close(&bed);
}
