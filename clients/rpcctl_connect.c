/*
 * The connection of rpcctl: metadata from the command line, and Ctrl-C.
 */
#include "rpcctl.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define KEY_SIZE 128u
#define EXIT_INTERRUPTED 130

/* -- metadata -------------------------------------------------------------- */

/* Take a "key: value" apart and put it on the call. */
static bool
header_set(const struct cli *cli, struct rpcrt_call *call, const char *header)
{
    const char *colon = strchr(header, ':');
    size_t length = colon != NULL ? (size_t)(colon - header) : 0;
    char key[KEY_SIZE];
    size_t i;

    if (length == 0 || length >= KEY_SIZE) {
        (void)cli_usage(cli, "-H '%s': expected 'key: value'", header);
        return false;
    }
    for (i = 0; i < length; i++) {
        key[i] = (char)tolower((unsigned char)header[i]);
    }
    key[length] = '\0';
    colon += 1 + strspn(colon + 1, " ");
    if (rpcrt_call_set_metadata_text(call, key, colon) != RPCRT_OK) {
        (void)cli_usage(cli, "-H '%s': it can't be sent as metadata", header);
        return false;
    }
    return true;
}

static bool
headers_set(const struct cli *cli, struct rpcrt_call *call)
{
    size_t i;

    for (i = 0; i < rpcctl_options.headers.n_items; i++) {
        if (!header_set(cli, call, rpcctl_options.headers.items[i])) {
            return false;
        }
    }
    return true;
}

bool
rpcctl_call_new(struct cli *cli, struct rpcrt_call **ret_call)
{
    struct rpcrt_call *call = NULL;

    if (!cli_call_new(cli, &call)) {
        return false;
    }
    if (!headers_set(cli, call)) {
        rpcrt_call_free(call);
        return false;
    }
    *ret_call = call;
    return true;
}

bool
rpcctl_connect(struct cli *cli, int *ret_exit)
{
    if (cli->channel != NULL) {
        return true;
    }
    if (rpcctl_options.deadline_ms > 0) {
        cli->timeout_ms = rpcctl_options.deadline_ms;
    }
    if (!cli_connect(cli, ret_exit)) {
        return false;
    }
    if (!headers_set(cli, cli->call)) {
        *ret_exit = CLI_EXIT_USAGE;
        return false;
    }
    return true;
}

/* -- Ctrl-C ---------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    struct rpcrt_call *call;
    bool asks;
    atomic_bool come;
} interrupt = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The first one ends the call, the next one the program. */
static void
interrupt_take(void)
{
    bool was_there = atomic_exchange(&interrupt.come, true);

    (void)pthread_mutex_lock(&interrupt.lock);
    if (was_there || (interrupt.call == NULL && !interrupt.asks)) {
        _exit(EXIT_INTERRUPTED);
    }
    if (interrupt.call != NULL) {
        rpcrt_call_cancel(interrupt.call);
    }
    (void)pthread_mutex_unlock(&interrupt.lock);
}

static void *
interrupt_wait(void *arg)
{
    sigset_t signals;
    int number;

    (void)arg;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    while (sigwait(&signals, &number) == 0) {
        interrupt_take();
    }
    return NULL;
}

void
rpcctl_interrupt_begin(void)
{
    pthread_t thread;
    sigset_t signals;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (pthread_create(&thread, NULL, interrupt_wait, NULL) != 0) {
        (void)pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
        return;
    }
    (void)pthread_detach(thread);
}

void
rpcctl_interrupt_cancels(struct rpcrt_call *call)
{
    (void)pthread_mutex_lock(&interrupt.lock);
    interrupt.call = call;
    (void)pthread_mutex_unlock(&interrupt.lock);
}

void
rpcctl_interrupt_asks(void)
{
    (void)pthread_mutex_lock(&interrupt.lock);
    interrupt.asks = true;
    (void)pthread_mutex_unlock(&interrupt.lock);
}

bool
rpcctl_interrupted(void)
{
    return atomic_load(&interrupt.come);
}
