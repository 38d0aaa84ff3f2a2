/*
 * A REP socket of bare nng that counts its pipes, for the tests of the library
 * itself.
 */
#ifndef TESTS_TRANSPORT_REP_H
#define TESTS_TRANSPORT_REP_H

#include "transport/raw.h"
#include <nng/protocol/reqrep0/rep.h>

struct rep {
    nng_socket socket;
    char address[64];
    atomic_int added;
    atomic_int removed;
    nng_pipe last;
};

static inline void
rep_count(nng_pipe pipe, nng_pipe_ev event, void *arg)
{
    struct rep *rep = arg;
    if (event == NNG_PIPE_EV_ADD_POST) {
        rep->last = pipe;
        atomic_fetch_add(&rep->added, 1);
    } else {
        atomic_fetch_add(&rep->removed, 1);
    }
}

static inline void
rep_open(struct rep *rep, bool ipc)
{
    nng_listener listener;
    int port;
    memset(rep, 0, sizeof(*rep));
    cr_assert_eq(nng_rep0_open(&rep->socket), 0);
    cr_assert_eq(
        nng_pipe_notify(rep->socket, NNG_PIPE_EV_ADD_POST, rep_count, rep), 0);
    cr_assert_eq(
        nng_pipe_notify(rep->socket, NNG_PIPE_EV_REM_POST, rep_count, rep), 0);
    if (ipc) {
        raw_ipc_address(rep->address);
        cr_assert_eq(nng_listen(rep->socket, rep->address, NULL, 0), 0);
        return;
    }
    cr_assert_eq(nng_listen(rep->socket, "tcp://127.0.0.1:0", &listener, 0), 0);
    cr_assert_eq(nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port),
                 0);
    (void)snprintf(rep->address, sizeof(rep->address), "tcp://127.0.0.1:%d",
                   port);
}

static inline int
rep_client(struct rep *rep)
{
    int before = atomic_load(&rep->added);
    int fd = raw_connect(rep->address);
    cr_assert(raw_handshake(fd, RAW_REQ));
    cr_assert(raw_await(&rep->added, before + 1));
    return fd;
}

#endif
