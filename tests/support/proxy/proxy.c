/*
 * See proxy.h. The lock guards everything; the thread leaves it only in poll(),
 * which a byte in the pipe ends.
 */
#include "support/proxy/proxy.h"

#include "support/proxy/sockets.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ADDRESS_SIZE 320u
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000
/* Without descriptors, this long nothing is accepted. */
#define ACCEPT_PAUSE_NS (100 * (int64_t)NS_PER_MS)

/* Places in the set of poll(): wake, listener, two for each pair. */
enum { POLL_WAKE, POLL_LISTEN, POLL_PAIRS };
#define POLL_MAX (POLL_PAIRS + PROXY_WAYS * PROXY_PAIRS_MAX)

struct proxy {
    char address[ADDRESS_SIZE];
    struct proxy_target target;
    uint64_t seed;
    int listen_fd;
    int wake_fds[2]; /* read by the thread, written by the others */
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    bool ending;
    struct proxy_plan plan;
    struct proxy_stats stats;
    int64_t accept_after_ns;
    struct proxy_pair *pairs[PROXY_PAIRS_MAX]; /* NULL: a free place */
    struct pollfd polls[POLL_MAX];             /* the thread's own */
};

static int64_t
now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void
wake(struct proxy *proxy)
{
    /* A full pipe wakes as well. */
    ssize_t n = write(proxy->wake_fds[1], "", 1);

    (void)n;
}

/* -- the thread's round ---------------------------------------------------- */

static void
pair_end(struct proxy *proxy, unsigned i, bool reset)
{
    proxy_pair_fini(proxy->pairs[i], reset);
    free(proxy->pairs[i]);
    proxy->pairs[i] = NULL;
    proxy->stats.open--;
}

/* Take one connection into a free place; false if there is none to take. */
static bool
pair_accept(struct proxy *proxy, unsigned place)
{
    struct proxy_pair *pair = malloc(sizeof(*pair));
    int client_fd = pair == NULL ? -1 : proxy_socket_accept(proxy->listen_fd);
    int server_fd;

    if (client_fd < 0) {
        free(pair);
        return false;
    }
    server_fd = proxy_socket_connect(&proxy->target);
    proxy_pair_init(pair, &proxy->plan, proxy->stats.ways, proxy->seed,
                    proxy->stats.connections, client_fd, server_fd);
    proxy->stats.connections++;
    proxy->stats.open++;
    proxy->pairs[place] = pair;
    if (server_fd < 0) {
        proxy->stats.unreachable++;
        pair_end(proxy, place, true);
    }
    return true;
}

/* The listener has something, or nothing can be taken from it. */
static void
accept_some(struct proxy *proxy)
{
    unsigned n = 0;
    unsigned i;

    for (i = 0; i < PROXY_PAIRS_MAX; i++) {
        if (proxy->pairs[i] != NULL) {
            continue;
        }
        if (!pair_accept(proxy, i)) {
            break;
        }
        n++;
    }
    if (n == 0) {
        proxy->accept_after_ns = now_ns() + ACCEPT_PAUSE_NS;
    }
}

static void
serve_pairs(struct proxy *proxy)
{
    int64_t now = now_ns();
    unsigned i;

    for (i = 0; i < PROXY_PAIRS_MAX; i++) {
        const struct pollfd *polls = &proxy->polls[POLL_PAIRS + PROXY_WAYS * i];
        short events[PROXY_WAYS] = {polls[0].revents, polls[1].revents};
        enum proxy_pair_state state;

        if (proxy->pairs[i] == NULL) {
            continue;
        }
        state = proxy_pair_serve(proxy->pairs[i], now, events);
        proxy->stats.unreachable += state == PROXY_PAIR_UNREACHABLE;
        if (state != PROXY_PAIR_OPEN) {
            pair_end(proxy, i, state != PROXY_PAIR_OVER);
        }
    }
}

/* -- the thread's wait ----------------------------------------------------- */

static void
poll_set(struct pollfd *poller, int fd, short events)
{
    *poller = (struct pollfd){.fd = events == 0 ? -1 : fd, .events = events};
}

static void
earlier(int64_t *ns, int64_t other_ns)
{
    if (other_ns < *ns) {
        *ns = other_ns;
    }
}

/* Milliseconds until a time, rounded up; -1 without one. */
static int
timeout_until(int64_t due_ns, int64_t now)
{
    int64_t ms = (due_ns - now + NS_PER_MS - 1) / NS_PER_MS;

    if (due_ns == PROXY_NEVER) {
        return -1;
    }
    return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Fill the set. Returns the timeout for poll(). What is due and could not be
 * written waits for its socket, not for the time. */
static int
polls_fill(struct proxy *proxy)
{
    int64_t now = now_ns();
    int64_t due_ns = PROXY_NEVER;
    bool room = false;
    unsigned i;
    unsigned side;

    for (i = 0; i < PROXY_PAIRS_MAX; i++) {
        const struct proxy_pair *pair = proxy->pairs[i];

        room = room || pair == NULL;
        for (side = 0; side < PROXY_WAYS; side++) {
            struct pollfd *at =
                &proxy->polls[POLL_PAIRS + PROXY_WAYS * i + side];

            *at = (struct pollfd){.fd = -1};
            if (pair != NULL) {
                poll_set(at, pair->sides[side].fd,
                         proxy_pair_events(pair, (enum proxy_way)side, now));
            }
        }
        if (pair != NULL) {
            earlier(&due_ns, proxy_pair_due_ns(pair, now));
        }
    }
    if (room && proxy->accept_after_ns > now) {
        earlier(&due_ns, proxy->accept_after_ns);
        room = false;
    }
    poll_set(&proxy->polls[POLL_WAKE], proxy->wake_fds[0], POLLIN);
    poll_set(&proxy->polls[POLL_LISTEN], proxy->listen_fd, room ? POLLIN : 0);
    return timeout_until(due_ns, now);
}

static void
wait_some(struct proxy *proxy)
{
    int timeout_ms = polls_fill(proxy);
    char bytes[64];

    (void)pthread_mutex_unlock(&proxy->lock);
    if (poll(proxy->polls, POLL_MAX, timeout_ms) < 0) {
        memset(proxy->polls, 0, sizeof(proxy->polls));
    }
    while (proxy->polls[POLL_WAKE].revents != 0 &&
           read(proxy->wake_fds[0], bytes, sizeof(bytes)) == sizeof(bytes)) {
    }
    (void)pthread_mutex_lock(&proxy->lock);
}

static void *
thread_main(void *arg)
{
    struct proxy *proxy = arg;

    (void)pthread_mutex_lock(&proxy->lock);
    while (!proxy->ending) {
        wait_some(proxy);
        serve_pairs(proxy);
        if (proxy->polls[POLL_LISTEN].revents != 0) {
            accept_some(proxy);
        }
    }
    (void)pthread_mutex_unlock(&proxy->lock);
    return NULL;
}

/* -- start and stop -------------------------------------------------------- */

static enum rpcrt_code
plan_check(const struct proxy_plan *plan, struct common_error *ret_error)
{
    enum rpcrt_code code =
        proxy_faults_check(&plan->faults[PROXY_UP], ret_error);

    return code == RPCRT_OK
               ? proxy_faults_check(&plan->faults[PROXY_DOWN], ret_error)
               : code;
}

static void
close_all(struct proxy *proxy)
{
    (void)close(proxy->listen_fd);
    (void)close(proxy->wake_fds[0]);
    (void)close(proxy->wake_fds[1]);
}

/* Everything but the thread. Descriptors are -1 where there are none. */
static enum rpcrt_code
proxy_open(struct proxy *proxy, const struct proxy_options *options,
           struct common_error *ret_error)
{
    enum rpcrt_code code = plan_check(&options->plan, ret_error);

    proxy->seed = options->seed;
    proxy->plan = options->plan;
    if (code == RPCRT_OK) {
        code = proxy_target_find(options->target, ret_error, &proxy->target);
    }
    if (code == RPCRT_OK) {
        code =
            proxy_socket_listen(options->listen, ret_error, &proxy->listen_fd,
                                proxy->address, sizeof(proxy->address));
    }
    if (code == RPCRT_OK && pipe(proxy->wake_fds) != 0) {
        code = common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                "no descriptors");
    }
    if (code == RPCRT_OK) {
        (void)fcntl(proxy->wake_fds[0], F_SETFL, O_NONBLOCK);
        (void)fcntl(proxy->wake_fds[1], F_SETFL, O_NONBLOCK);
    }
    return code;
}

enum rpcrt_code
proxy_start(const struct proxy_options *options, struct common_error *ret_error,
            struct proxy **ret_proxy)
{
    struct proxy *proxy = calloc(1, sizeof(*proxy));
    enum rpcrt_code code;

    if (proxy == NULL) {
        return common_error_no_memory(ret_error);
    }
    proxy->listen_fd = proxy->wake_fds[0] = proxy->wake_fds[1] = -1;
    if (pthread_mutex_init(&proxy->lock, NULL) != 0) {
        free(proxy);
        return common_error_no_memory(ret_error);
    }
    code = proxy_open(proxy, options, ret_error);
    if (code == RPCRT_OK &&
        pthread_create(&proxy->thread, NULL, thread_main, proxy) != 0) {
        code =
            common_error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED, "no thread");
    }
    if (code != RPCRT_OK) {
        close_all(proxy);
        (void)pthread_mutex_destroy(&proxy->lock);
        free(proxy);
        return code;
    }
    *ret_proxy = proxy;
    return RPCRT_OK;
}

void
proxy_stop(struct proxy *proxy)
{
    if (proxy == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&proxy->lock);
    proxy->ending = true;
    (void)pthread_mutex_unlock(&proxy->lock);
    wake(proxy);
    (void)pthread_join(proxy->thread, NULL);
    (void)proxy_reset(proxy, false);
    close_all(proxy);
    (void)pthread_mutex_destroy(&proxy->lock);
    free(proxy);
}

/* -- what others ask ------------------------------------------------------- */

const char *
proxy_address(const struct proxy *proxy)
{
    return proxy->address;
}

enum rpcrt_code
proxy_set_plan(struct proxy *proxy, const struct proxy_plan *plan,
               struct common_error *ret_error)
{
    enum rpcrt_code code = plan_check(plan, ret_error);

    if (code == RPCRT_OK) {
        (void)pthread_mutex_lock(&proxy->lock);
        proxy->plan = *plan;
        (void)pthread_mutex_unlock(&proxy->lock);
        wake(proxy);
    }
    return code;
}

void
proxy_get_plan(struct proxy *proxy, struct proxy_plan *ret_plan)
{
    (void)pthread_mutex_lock(&proxy->lock);
    *ret_plan = proxy->plan;
    (void)pthread_mutex_unlock(&proxy->lock);
}

void
proxy_get_stats(struct proxy *proxy, struct proxy_stats *ret_stats)
{
    (void)pthread_mutex_lock(&proxy->lock);
    *ret_stats = proxy->stats;
    (void)pthread_mutex_unlock(&proxy->lock);
}

unsigned
proxy_reset(struct proxy *proxy, bool gently)
{
    unsigned n = 0;
    unsigned i;

    (void)pthread_mutex_lock(&proxy->lock);
    for (i = 0; i < PROXY_PAIRS_MAX; i++) {
        if (proxy->pairs[i] != NULL) {
            pair_end(proxy, i, !gently);
            n++;
        }
    }
    proxy->stats.reset += n;
    (void)pthread_mutex_unlock(&proxy->lock);
    wake(proxy);
    return n;
}
