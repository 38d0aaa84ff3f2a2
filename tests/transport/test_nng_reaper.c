/*
 * The reaper of the patched nng: a pipe that is closed between two parts of a
 * message is freed like any other, and so are those that come after it. Fails
 * without patch 01.
 */
#include "transport/rep.h"
#include <sys/ioctl.h>

/* Bytes that we sent and nng has not read. */
static int
unread(int fd, bool ipc)
{
    char line[256];
    char want[64];
    struct sockaddr_in ours;
    struct sockaddr_in theirs;
    socklen_t length = sizeof(ours);
    unsigned bytes = 0;
    int queued;
    FILE *table;
    if (ipc) {
        cr_assert_eq(ioctl(fd, TIOCOUTQ, &queued), 0);
        return queued;
    }
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&ours, &length), 0);
    cr_assert_eq(getpeername(fd, (struct sockaddr *)&theirs, &length), 0);
    (void)snprintf(want, sizeof(want), "0100007F:%04X 0100007F:%04X",
                   ntohs(theirs.sin_port), ntohs(ours.sin_port));
    table = fopen("/proc/net/tcp", "r");
    cr_assert_not_null(table);
    while (fgets(line, sizeof(line), table) != NULL) {
        const char *at = strstr(line, want);
        if (at != NULL) {
            (void)sscanf(at + strlen(want), " %*x %*x:%x", &bytes);
        }
    }
    (void)fclose(table);
    return (int)bytes;
}

/* Whether nng still frees pipes: it runs what was queued, a new connection is
 * told to be gone, and the socket closes. */
static void
still_reaps(struct rep *rep, int fd)
{
    int removed;
    (void)close(fd);
    cr_assert(raw_await(&rep->removed, 1));
    removed = atomic_load(&rep->removed);
    (void)close(rep_client(rep));
    cr_assert(raw_await(&rep->removed, removed + 1),
              "no pipe is freed any more");
    cr_assert_eq(nng_close(rep->socket), 0);
}

static void
close_between_length_and_body(bool ipc)
{
    struct rep rep;
    struct raw_tasks tasks;
    int64_t end = raw_now_ms() + RAW_PATIENCE_MS;
    int fd;
    rep_open(&rep, ipc);
    fd = rep_client(&rep);
    raw_tasks_hold(&tasks);
    raw_announce(fd, rep.address, 100);
    while (unread(fd, ipc) > 0) {
        cr_assert_lt(raw_now_ms(), end);
        raw_nap();
    }
    cr_assert_eq(nng_pipe_close(rep.last), 0);
    raw_tasks_release(&tasks);
    still_reaps(&rep, fd);
}

static void
close_within_reply(bool ipc)
{
    const size_t size = 32u << 20; /* more than the kernel takes */
    struct rep rep;
    struct raw_tasks tasks;
    nng_aio *aio;
    nng_msg *msg;
    int fd;
    rep_open(&rep, ipc);
    fd = rep_client(&rep);
    raw_request(fd, rep.address, 1, "x", 1);
    cr_assert_eq(nng_aio_alloc(&aio, NULL, NULL), 0);
    nng_recv_aio(rep.socket, aio);
    nng_aio_wait(aio);
    cr_assert_eq(nng_aio_result(aio), 0);
    nng_msg_free(nng_aio_get_msg(aio));

    cr_assert_eq(nng_msg_alloc(&msg, size), 0);
    raw_tasks_hold(&tasks);
    nng_aio_set_msg(aio, msg);
    nng_send_aio(rep.socket, aio); /* writes a part before it returns */
    cr_assert_eq(nng_pipe_close(rep.last), 0);
    raw_tasks_release(&tasks);
    nng_aio_wait(aio);
    nng_aio_free(aio);
    still_reaps(&rep, fd);
}

Test(nng_reaper, survives_close_between_length_and_body_tcp, .timeout = 60)
{
    close_between_length_and_body(false);
}

Test(nng_reaper, survives_close_between_length_and_body_ipc, .timeout = 60)
{
    close_between_length_and_body(true);
}

Test(nng_reaper, survives_close_within_a_reply_tcp, .timeout = 60)
{
    close_within_reply(false);
}

Test(nng_reaper, survives_close_within_a_reply_ipc, .timeout = 60)
{
    close_within_reply(true);
}
