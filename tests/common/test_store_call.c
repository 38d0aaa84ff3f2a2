/*
 * The store in the service of a call: its deadline, cancellation, call id and
 * memory are those of the work. And the store without memory.
 */
#include "tests/common/store_ground.h"

#include "support/faulty_alloc.h"
#include "support/probe.h"

#include <string.h>

#define VALUE_SIZE 200000u

static const ProtobufCMessageDescriptor *const text_type =
    &kv__v1__load_request__descriptor;

/* A server whose handler reads, then writes, the record "a". */
struct desk {
    struct ground ground;
    struct rpcrt_server *server;
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
    atomic_uint n_ended;
    enum rpcrt_code code; /* of the last that ended */
};

static enum rpcrt_code
serve(void *self, struct rpcrt_ctx *ctx, const Probe__V1__EchoRequest *request,
      Probe__V1__CountReply *reply)
{
    struct desk *desk = self;
    struct common_work *work =
        common_work_new(desk->ground.store, ctx, "not this one");
    struct common_record a;
    enum rpcrt_code code;

    (void)request;
    (void)reply;
    cr_assert_not_null(work);
    common_read(work, "a", text_type, &a);
    code = common_read_now(work);
    if (code == RPCRT_OK) {
        common_expect(work, &a);
        put_text(work, "a", "written");
        code = common_commit(work);
    }
    if (code != RPCRT_OK) {
        cr_expect_eq(common_work_fail(work, ctx), code);
    }
    common_work_free(work);
    desk->code = code;
    atomic_fetch_add(&desk->n_ended, 1);
    return code;
}

static const struct probe_service handlers = {.count = serve};

static void
desk_open(struct desk *desk, size_t arena_size_max)
{
    struct rpcrt_server_options options = {.arena_size_max = arena_size_max};

    *desk = (struct desk){.code = RPCRT_OK};
    ground_open(&desk->ground, 30000, 60000);
    cr_assert_eq(rpcrt_server_new(&options, &desk->server), RPCRT_OK);
    cr_assert_eq(probe_serve(desk->server, &handlers, desk), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(desk->server, "inproc://desk", NULL),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_channel_new("inproc://desk", NULL, &desk->channel),
                 RPCRT_OK);
    desk->call = bed_call(desk->channel, BED_TIMEOUT_MS);
}

static void
desk_close(struct desk *desk)
{
    rpcrt_call_free(desk->call);
    rpcrt_channel_free(desk->channel);
    rpcrt_server_free(desk->server);
    ground_close(&desk->ground);
}

static enum rpcrt_code
ask(struct desk *desk)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__CountReply *reply;

    return probe_count(desk->call, &request, &reply);
}

Test(store_call, works_under_the_call_id_of_the_call, .timeout = 60)
{
    struct desk desk;

    desk_open(&desk, 0);
    cr_assert_eq(rpcrt_call_set_metadata_text(desk.call, "call-id", "order-1"),
                 RPCRT_OK);
    expect_code(desk.call, RPCRT_OK, ask(&desk));
    cr_expect_str_eq(ground_call_id(&desk.ground), "order-1");
    cr_expect_str_eq(read_text(&desk.ground, "a"), "written");
    desk_close(&desk);
}

Test(store_call, ends_with_the_deadline_of_the_call, .timeout = 60)
{
    static const enum ground_fate fates[] = {GROUND_HANG};
    struct desk desk;

    desk_open(&desk, 0);
    /* All are connected: the next comes to its handler before it is over. */
    expect_code(desk.call, RPCRT_OK, ask(&desk));
    rpcrt_call_set_timeout(desk.call, 1000);
    ground_fates(&desk.ground, false, fates, 1);
    expect_code(desk.call, RPCRT_DEADLINE_EXCEEDED, ask(&desk));
    bed_await(&desk.n_ended, 2);
    /* The caller's clock or the server's may have come first. */
    cr_expect(desk.code == RPCRT_DEADLINE_EXCEEDED ||
              desk.code == RPCRT_CANCELLED);
    desk_close(&desk);
}

static void
ignore(struct rpcrt_call *call, void *arg)
{
    (void)call;
    (void)arg;
}

Test(store_call, ends_when_the_caller_leaves, .timeout = 60)
{
    static const enum ground_fate fates[] = {GROUND_HANG};
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    struct desk desk;

    desk_open(&desk, 0);
    ground_fates(&desk.ground, true, fates, 1);
    probe_count_start(desk.call, &request, ignore, NULL);
    ground_await(&desk.ground, true);
    rpcrt_call_cancel(desk.call);
    bed_await(&desk.n_ended, 1);
    cr_expect_eq(desk.code, RPCRT_CANCELLED);
    desk_close(&desk);
}

Test(store_call, takes_no_more_memory_than_the_call_may, .timeout = 60)
{
    static char large[VALUE_SIZE + 1];
    struct desk desk;

    memset(large, 'x', VALUE_SIZE);
    desk_open(&desk, 100000);
    make_text(&desk.ground, "a", large);
    expect_code(desk.call, RPCRT_RESOURCE_EXHAUSTED, ask(&desk));
    cr_expect_not_null(strstr(rpcrt_call_message(desk.call), "a: no memory"),
                       "%s", rpcrt_call_message(desk.call));
    desk_close(&desk);
}

/* -- without memory -------------------------------------------------------- */

/* Write a record and read it; what was written is what is read. */
static void
write_and_read(struct ground *ground, const char *text)
{
    struct common_work *work = common_work_new(ground->store, NULL, NULL);
    struct common_record a;
    bool written = false;

    cr_assert_not_null(work);
    common_read(work, "a", text_type, &a);
    if (common_read_now(work) == RPCRT_OK) {
        common_expect(work, &a);
        put_text(work, "a", text);
        written = common_commit(work) == RPCRT_OK;
    }
    if (written) {
        common_read(work, "a", text_type, &a);
        cr_expect(common_read_now(work) != RPCRT_OK ||
                  strcmp(text_of(&a), text) == 0);
    }
    cr_expect_eq(common_work_message(work)[0] == '\0',
                 common_work_code(work) == RPCRT_OK);
    common_work_free(work);
}

Test(store_call, says_so_when_the_runtime_has_no_memory, .timeout = 120)
{
    struct ground ground;
    uint64_t n;

    faulty_alloc_install();
    ground_open(&ground, 200, 1000);
    make_text(&ground, "a", "first");
    for (n = 0; n < 60; n++) {
        faulty_alloc_fail_at(n);
        write_and_read(&ground, n % 2 == 0 ? "even" : "odd");
        if (!faulty_alloc_failed()) {
            break;
        }
    }
    faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
    write_and_read(&ground, "last");
    cr_expect_str_eq(read_text(&ground, "a"), "last");
    ground_close(&ground);
    cr_expect_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}
