/*
 * Subjects "nng-pour" and "nng-sink": a bare PAIR socket on either side with a
 * queue of 128 messages, each message of a stream one of the transport. The
 * floor: nothing is framed, packed or flow-controlled but by TCP.
 */
#include "bench/meter.h"
#include "bench/subject.h"

#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define QUEUE 128

static void
must(int code, const char *what)
{
    if (code != 0) {
        subject_fail("%s: %s", what, nng_strerror(code));
    }
}

static nng_socket
pair_open(void)
{
    nng_socket socket;

    must(nng_pair0_open(&socket), "open");
    must(nng_socket_set_int(socket, NNG_OPT_SENDBUF, QUEUE), "queue");
    must(nng_socket_set_int(socket, NNG_OPT_RECVBUF, QUEUE), "queue");
    return socket;
}

/* Send one message; false: the socket was closed. */
static bool
send_one(nng_socket socket, size_t size)
{
    nng_msg *msg;
    int code;

    must(nng_msg_alloc(&msg, size), "message");
    memset(nng_msg_body(msg), 'x', size);
    code = nng_sendmsg(socket, msg, 0);
    if (code != 0) {
        nng_msg_free(msg);
    }
    return code == 0;
}

/* -- server --------------------------------------------------------------- */

struct server {
    nng_socket socket;
    size_t size;
    bool pours;
};

/* The first message comes from the client. */
static void *
stream(void *arg)
{
    const struct server *server = arg;
    nng_msg *msg;

    while (nng_recvmsg(server->socket, &msg, 0) == 0) {
        nng_msg_free(msg);
        while (server->pours && send_one(server->socket, server->size)) {
        }
    }
    return NULL;
}

static void
serve(const struct subject_args *args)
{
    struct server server = {.size = args->depth,
                            .pours = strcmp(args->name, "nng-pour") == 0};
    nng_listener listener;
    pthread_t thread;
    int port;

    server.socket = pair_open();
    must(nng_listener_create(&listener, server.socket, "tcp://127.0.0.1:0"),
         "listen");
    must(nng_listener_set_bool(listener, NNG_OPT_TCP_NODELAY, true), "nodelay");
    must(nng_listener_start(listener, 0), "listen");
    must(nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port), "port");
    if (pthread_create(&thread, NULL, stream, &server) != 0) {
        subject_fail("no thread");
    }
    subject_serve((unsigned)port);
    /* nng_close() of a PAIR socket whose thread receives may never return. */
    (void)fflush(NULL);
    _exit(0);
}

/* -- client --------------------------------------------------------------- */

static bool
take_one(nng_socket socket, size_t size)
{
    nng_msg *msg;
    bool good;

    must(nng_recvmsg(socket, &msg, 0), "receive");
    good = nng_msg_len(msg) == size;
    nng_msg_free(msg);
    return good;
}

static void
measure(const struct subject_args *args)
{
    nng_socket socket = pair_open();
    bool pours = strcmp(args->name, "nng-pour") == 0;
    struct meter meter;
    nng_dialer dialer;
    char address[64];
    bool good;

    snprintf(address, sizeof(address), "tcp://127.0.0.1:%u", args->port);
    must(nng_dialer_create(&dialer, socket, address), "dial");
    must(nng_dialer_set_bool(dialer, NNG_OPT_TCP_NODELAY, true), "nodelay");
    must(nng_dialer_start(dialer, 0), "dial");
    meter_start(&meter, args->seconds);
    good = send_one(socket, 1);
    do {
        good = good && (pours ? take_one(socket, args->depth)
                              : send_one(socket, args->depth));
    } while (good && meter_count(&meter));
    if (!good) {
        subject_fail("the stream ended");
    }
    meter_print(&meter);
    nng_close(socket);
}

int
main(int argc, char **argv)
{
    return subject_main(argc, argv, serve, measure);
}
