/*
 * See pair.h. A side that has gone takes what is written to it like one that
 * reads: the other does not notice before it is told.
 */
#include "support/proxy/pair.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE (64u << 10)
/* Writes of one flow before the others get their turn. */
#define WRITES_MAX 64u
#define TROUBLE (POLLERR | POLLHUP | POLLNVAL)

void
proxy_pair_init(struct proxy_pair *pair, const struct proxy_plan *plan,
                struct proxy_counts *counts, uint64_t seed, uint64_t number,
                int client_fd, int server_fd)
{
    struct proxy_place place = {.seed = seed, .connection = number};
    unsigned way;

    *pair = (struct proxy_pair){.plan = plan, .connecting = true};
    pair->sides[PROXY_UP].fd = client_fd;
    pair->sides[PROXY_DOWN].fd = server_fd;
    for (way = 0; way < PROXY_WAYS; way++) {
        place.way = (enum proxy_way)way;
        proxy_flow_init(&pair->flows[way], &place, &plan->faults[way],
                        &counts[way]);
    }
}

static void
side_close(struct proxy_side *side, bool reset)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (side->fd < 0) {
        return;
    }
    if (reset) {
        (void)setsockopt(side->fd, SOL_SOCKET, SO_LINGER, &linger,
                         sizeof(linger));
    }
    (void)close(side->fd);
    side->fd = -1;
}

void
proxy_pair_fini(struct proxy_pair *pair, bool reset)
{
    unsigned way;

    for (way = 0; way < PROXY_WAYS; way++) {
        side_close(&pair->sides[way], reset);
        proxy_flow_fini(&pair->flows[way]);
    }
}

/* -- what it waits for ----------------------------------------------------- */

static struct proxy_flow *
flow_to(struct proxy_pair *pair, unsigned side)
{
    return &pair->flows[1 - side];
}

short
proxy_pair_events(const struct proxy_pair *pair, enum proxy_way side,
                  int64_t now_ns)
{
    const struct proxy_flow *to = &pair->flows[1 - side];
    short events = 0;

    if (pair->sides[side].fd < 0) {
        return 0;
    }
    if (pair->connecting) {
        return side == PROXY_DOWN ? POLLOUT : 0;
    }
    if (proxy_flow_wants(&pair->flows[side])) {
        events |= POLLIN;
    }
    if (proxy_flow_due_ns(to) <= now_ns) {
        events |= POLLOUT;
    }
    return events;
}

int64_t
proxy_pair_due_ns(const struct proxy_pair *pair, int64_t now_ns)
{
    int64_t first_ns = PROXY_NEVER;
    unsigned way;

    for (way = 0; way < PROXY_WAYS && !pair->connecting; way++) {
        int64_t due_ns = proxy_flow_due_ns(&pair->flows[way]);
        bool waits = due_ns <= now_ns && pair->sides[1 - way].fd >= 0;

        if (!waits && due_ns < first_ns) {
            first_ns = due_ns;
        }
    }
    return first_ns;
}

/* -- what it does ---------------------------------------------------------- */

/* A side is gone for good. False without memory. */
static bool
side_lose(struct proxy_pair *pair, unsigned side, int64_t now_ns)
{
    side_close(&pair->sides[side], false);
    pair->sides[side].reset = true;
    return proxy_flow_end(&pair->flows[side], now_ns);
}

/* False without memory. */
static bool
side_read(struct proxy_pair *pair, unsigned side, int64_t now_ns)
{
    struct proxy_flow *flow = &pair->flows[side];
    uint8_t data[READ_SIZE];
    ssize_t n;

    if (pair->sides[side].fd < 0 || !proxy_flow_wants(flow)) {
        return true;
    }
    n = recv(pair->sides[side].fd, data, sizeof(data), MSG_DONTWAIT);
    if (n > 0) {
        return proxy_flow_take(flow, now_ns, data, (size_t)n);
    }
    if (n == 0) {
        return proxy_flow_end(flow, now_ns);
    }
    return errno == EAGAIN || errno == EINTR || side_lose(pair, side, now_ns);
}

/* Write what may be written to a side. False without memory. */
static bool
side_write(struct proxy_pair *pair, unsigned side, int64_t now_ns)
{
    struct proxy_flow *flow = flow_to(pair, side);
    const uint8_t *data;
    size_t size;
    unsigned i;

    for (i = 0; i < WRITES_MAX && proxy_flow_next(flow, now_ns, &data, &size);
         i++) {
        ssize_t n = (ssize_t)size;

        if (pair->sides[side].fd >= 0) {
            n = send(pair->sides[side].fd, data, size,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR ||
                   side_lose(pair, side, now_ns);
        }
        proxy_flow_written(flow, now_ns, (size_t)n);
    }
    return true;
}

/* Pass the end of a flow on, if it may be. */
static void
end_pass(struct proxy_pair *pair, unsigned way)
{
    struct proxy_side *side = &pair->sides[way];

    if (side->passed || pair->plan->half_open ||
        pair->plan->faults[way].blackhole != 0 ||
        !proxy_flow_done(&pair->flows[way])) {
        return;
    }
    side->passed = true;
    if (!side->reset && pair->sides[1 - way].fd >= 0) {
        (void)shutdown(pair->sides[1 - way].fd, SHUT_WR);
    }
}

/* Whether two ends that were not passed on may be forgotten: nobody is there
 * to be told. */
static bool
is_abandoned(const struct proxy_pair *pair)
{
    const struct proxy_faults *faults = pair->plan->faults;

    return pair->flows[PROXY_UP].ended && pair->flows[PROXY_DOWN].ended &&
           (pair->plan->half_open || faults[PROXY_UP].blackhole != 0 ||
            faults[PROXY_DOWN].blackhole != 0);
}

static enum proxy_pair_state
settle(struct proxy_pair *pair)
{
    unsigned way;
    bool over = true;

    for (way = 0; way < PROXY_WAYS; way++) {
        if (proxy_flow_cut(&pair->flows[way])) {
            return pair->plan->faults[way].close_by_reset != 0
                       ? PROXY_PAIR_RESET
                       : PROXY_PAIR_OVER;
        }
        end_pass(pair, way);
        if (pair->sides[way].passed && pair->sides[way].reset) {
            return PROXY_PAIR_RESET;
        }
        over = over && pair->sides[way].passed;
    }
    return over || is_abandoned(pair) ? PROXY_PAIR_OVER : PROXY_PAIR_OPEN;
}

enum proxy_pair_state
proxy_pair_serve(struct proxy_pair *pair, int64_t now_ns,
                 const short events[PROXY_WAYS])
{
    unsigned side;

    if (pair->connecting) {
        int error = 0;
        socklen_t size = sizeof(error);

        if (events[PROXY_DOWN] == 0) {
            return PROXY_PAIR_OPEN;
        }
        if (getsockopt(pair->sides[PROXY_DOWN].fd, SOL_SOCKET, SO_ERROR, &error,
                       &size) != 0 ||
            error != 0) {
            return PROXY_PAIR_UNREACHABLE;
        }
        pair->connecting = false;
    }
    for (side = 0; side < PROXY_WAYS; side++) {
        if ((events[side] & (POLLIN | TROUBLE)) != 0 &&
            !side_read(pair, side, now_ns)) {
            return PROXY_PAIR_RESET;
        }
    }
    for (side = 0; side < PROXY_WAYS; side++) {
        if (!side_write(pair, side, now_ns)) {
            return PROXY_PAIR_RESET;
        }
    }
    return settle(pair);
}
