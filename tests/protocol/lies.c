/*
 * The servers of protocol/lies.h.
 */
#include "protocol/lies.h"

#include <string.h>

void
lie_begin(const struct exchange *exchange, struct bytes *message)
{
    put_header(message, 0, exchange->session, exchange->seq);
}

void
lie_not(const struct exchange *exchange, struct bytes *message)
{
    lie_begin(exchange, message);
    put_frame(message, DATA, START | END, 0, exchange->call, REPLY, REPLY_SIZE);
}

/* -- the host -------------------------------------------------------------- */

bool
lie_answer(int fd, uint32_t request, const struct bytes *message,
           struct exchange *exchange,
           void (*tell)(const struct exchange *, struct bytes *))
{
    struct bytes reply = {0};
    struct frame frame;
    size_t at = HEADER_SIZE;

    while (next_frame(message, &at, &frame)) {
        if (frame.type == CALL) {
            exchange->call = frame.call;
            tell(exchange, &reply);
            exchange->seq++;
            return host_reply(fd, request, &reply);
        }
    }
    return true; /* a credit, to be held */
}

void
lie_once(struct host *host, int fd)
{
    struct plan *plan = host->arg;
    struct exchange exchange = {.seq = 1};
    bool lie = plan->lie != NULL && atomic_load(&host->n_connections) % 2 == 1;
    struct bytes message;
    uint32_t request;
    bool alive = host_hello(host, fd, &exchange.session);

    while (alive && host_receive(host, fd, &request, &message)) {
        alive = lie_answer(fd, request, &message, &exchange,
                           lie ? plan->lie->tell : lie_not);
        bytes_free(&message);
        if (lie) {
            atomic_fetch_add(&plan->n_lies, 1);
            lie = false;
        }
    }
}

void
lie_frame(const struct exchange *exchange, struct bytes *message, uint8_t type,
          uint8_t flags, const void *payload, size_t size)
{
    lie_begin(exchange, message);
    put_frame(message, type, flags, 0, exchange->call, payload, size);
}

void
expect_tofu(struct rpcrt_call *call, const char *what)
{
    Probe__V1__EchoRequest request = PROBE__V1__ECHO_REQUEST__INIT;
    const Probe__V1__EchoReply *reply;
    enum rpcrt_code code;

    rpcrt_call_set_wait_for_ready(call, true);
    code = probe_echo(call, &request, &reply);
    cr_assert_eq(code, RPCRT_OK, "behind %s: %s: %s", what,
                 rpcrt_code_name(code), rpcrt_call_message(call));
    cr_assert_eq(reply->payload.len, 4);
    cr_assert_arr_eq(reply->payload.data, "tofu", 4);
    rpcrt_call_set_wait_for_ready(call, false);
}
