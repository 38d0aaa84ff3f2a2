/*
 * The ground of protocol/ground.h.
 */
#include "protocol/ground.h"

#include <stdio.h>
#include <string.h>

void
ground_open(struct ground *ground, const char *transport)
{
    ground_open_with(ground, transport, NULL);
}

void
ground_open_with(struct ground *ground, const char *transport,
                 const struct rpcrt_server_options *options)
{
    bed_open(&ground->bed, transport, options, NULL);
    ground->good = bed_call(ground->bed.channel, BED_TIMEOUT_MS);
    bed_echo(ground->good, 10);
}

void
ground_check(struct ground *ground)
{
    struct rpcrt_server_stats stats;
    int64_t end = now_ms() + PEER_PATIENCE_MS;

    bed_echo(ground->good, 1000);
    do {
        rpcrt_server_get_stats(ground->bed.server, &stats);
    } while (stats.sessions > 1 && now_ms() < end);
    cr_assert_eq(stats.sessions, 1u, "%u sessions", stats.sessions);
    cr_assert_eq(atomic_load(&ground->bed.probe.n_counted), 0u);
}

void
ground_close(struct ground *ground)
{
    rpcrt_call_free(ground->good);
    bed_close(&ground->bed);
}

void
expect_goaway(struct peer *liar, enum rpcrt_code code, const char *what,
              const char *words)
{
    char text[RPCRT_TEXT_SIZE + 1];
    struct bytes message;
    struct frame frame;

    cr_assert(peer_await(liar, GOAWAY, 0, &message, &frame), "%s: no GOAWAY",
              what);
    (void)snprintf(text, sizeof text, "%.*s", (int)frame.size,
                   (const char *)frame.payload);
    cr_assert_eq((enum rpcrt_code)frame.aux, code, "%s: %u: %s", what,
                 frame.aux, text);
    cr_assert_not_null(strstr(text, words), "%s: %s", what, text);
    bytes_free(&message);
    peer_close(liar);
}

void
add_count(struct bytes *message, uint64_t call)
{
    put_call(message, call, COUNT, 0, NULL, 0);
}
