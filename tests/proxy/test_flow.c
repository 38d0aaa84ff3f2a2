/*
 * The parts without I/O: faults by name, dice, framing, and one direction in a
 * time of the test's own.
 */
#include "support/proxy/flow.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

/* -- faults ---------------------------------------------------------------- */

Test(proxy_faults, are_read_by_their_names)
{
    struct proxy_faults faults = {0};
    struct common_error error;

    cr_assert_eq(proxy_faults_read(&faults, "drop=5,latency-ms=20,", &error),
                 RPCRT_OK);
    cr_assert_eq(proxy_faults_read(&faults, "close-by-reset=1", &error),
                 RPCRT_OK);
    cr_assert_eq(faults.drop, 5);
    cr_assert_eq(faults.latency_ms, 20);
    cr_assert_eq(faults.close_by_reset, 1);
    cr_assert_eq(faults.corrupt, 0);
}

Test(proxy_faults, are_refused_with_the_word_that_is_wrong)
{
    static const char *const wrong[] = {
        "dorp=5",  "drop",      "drop=",       "drop=-1",
        "drop=1x", "drop=1001", "blackhole=2", "harm-max=18446744073709551616",
    };
    struct proxy_faults faults = {0};
    struct common_error error;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        error.text[0] = '\0';
        cr_assert_eq(proxy_faults_read(&faults, wrong[i], &error),
                     RPCRT_INVALID_ARGUMENT, "%s", wrong[i]);
        cr_assert_not_null(strstr(error.text, wrong[i]), "%s", error.text);
    }
}

Test(proxy_faults, no_more_messages_are_hit_than_there_are)
{
    struct proxy_faults faults = {.drop = 500, .corrupt = 501};
    struct common_error error;

    cr_assert_eq(proxy_faults_check(&faults, &error), RPCRT_INVALID_ARGUMENT);
    faults.corrupt = 500;
    cr_assert_eq(proxy_faults_check(&faults, &error), RPCRT_OK);
    faults.latency_ms = UINT64_MAX;
    cr_assert_eq(proxy_faults_check(&faults, &error), RPCRT_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(error.text, "latency-ms"));
}

Test(proxy_faults, hit_as_many_messages_as_they_say)
{
    struct proxy_faults faults = {
        .drop = 100, .duplicate = 200, .reorder = 300, .corrupt = 50};
    struct proxy_place place = {.seed = 4};
    unsigned counts[5] = {0};
    static const unsigned expected[5] = {35000, 10000, 20000, 30000, 5000};

    for (place.message = 0; place.message < 100000; place.message++) {
        counts[proxy_fate_of(&faults, &place)]++;
    }
    for (unsigned i = 0; i < 5; i++) {
        cr_assert(counts[i] > expected[i] - 1000 &&
                      counts[i] < expected[i] + 1000,
                  "%u: %u", i, counts[i]);
    }
}

/* -- framing --------------------------------------------------------------- */

static const uint8_t hello[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

/* A handshake and three messages of 3, 0 and 300 bytes. */
static size_t
stream_make(uint8_t ret_bytes[512])
{
    static const unsigned sizes[] = {3, 0, 300};
    size_t n = sizeof(hello);

    memcpy(ret_bytes, hello, n);
    for (unsigned i = 0; i < 3; i++) {
        memset(ret_bytes + n, 0, 8);
        ret_bytes[n + 6] = (uint8_t)(sizes[i] >> 8);
        ret_bytes[n + 7] = (uint8_t)sizes[i];
        memset(ret_bytes + n + 8, (int)i + 1, sizes[i]);
        n += 8 + sizes[i];
    }
    return n;
}

Test(proxy_framing, finds_messages_however_they_are_sliced)
{
    uint8_t bytes[512];
    size_t size = stream_make(bytes);

    for (size_t step = 1; step <= size; step++) {
        struct proxy_framing framing = {0};
        struct proxy_piece piece;
        size_t n_bytes = 0;
        unsigned n_messages = 0;

        for (size_t at = 0; at < size;) {
            size_t n = size - at < step ? size - at : step;
            size_t used = 0;

            if (proxy_framing_take(&framing, bytes + at, n, &used, &piece) ==
                PROXY_FRAMING_PIECE) {
                cr_assert_eq(memcmp(piece.data, bytes + n_bytes, piece.size),
                             0);
                n_bytes += piece.size;
                n_messages += piece.kind == PROXY_MESSAGE;
                free(piece.data);
            }
            cr_assert(used > 0 && used <= n);
            at += used;
        }
        cr_assert_eq(n_messages, 3, "%u by %u bytes", n_messages,
                     (unsigned)step);
        cr_assert_eq(n_bytes, size);
        cr_assert_eq(proxy_framing_kept(&framing), 0);
    }
}

Test(proxy_framing, passes_what_is_not_nng_and_what_is_too_large)
{
    static const uint8_t tls[] = {0x16, 3, 1, 0, 5};
    static const uint8_t huge[8] = {0, 0, 0, 0, 0, 0x10, 0, 1};
    struct proxy_framing framing = {0};
    struct proxy_piece piece;
    size_t used = 0;

    cr_assert_eq(proxy_framing_take(&framing, tls, 1, &used, &piece),
                 PROXY_FRAMING_PIECE);
    cr_assert(piece.kind == PROXY_BYTES && piece.size == 1 && framing.plain);
    free(piece.data);

    framing = (struct proxy_framing){.shaken = true};
    cr_assert_eq(proxy_framing_take(&framing, huge, 8, &used, &piece),
                 PROXY_FRAMING_PIECE);
    cr_assert(piece.kind == PROXY_BYTES && piece.size == 8 && framing.plain);
    free(piece.data);
    proxy_framing_fini(&framing);
}

Test(proxy_framing, gives_out_what_has_come_of_a_message_at_the_end)
{
    uint8_t bytes[512];
    size_t used = 0;

    (void)stream_make(bytes);
    for (size_t size = 9; size < 19; size++) {
        struct proxy_framing framing = {.shaken = true};
        struct proxy_piece piece;

        cr_assert_eq(
            proxy_framing_take(&framing, bytes + 8, size - 8, &used, &piece),
            PROXY_FRAMING_MORE);
        cr_assert(proxy_framing_end(&framing, &piece));
        cr_assert_eq(piece.size, size - 8);
        cr_assert_eq(memcmp(piece.data, bytes + 8, size - 8), 0);
        free(piece.data);
        cr_assert_not(proxy_framing_end(&framing, &piece));
        proxy_framing_fini(&framing);
    }
}

/* -- one direction --------------------------------------------------------- */

struct river {
    struct proxy_faults faults;
    struct proxy_counts counts;
    struct proxy_flow flow;
    uint8_t out[65536];
    size_t n_out;
};

static void
river_open(struct river *river, uint64_t seed, const char *faults)
{
    struct proxy_place place = {.seed = seed};
    struct common_error error;

    memset(river, 0, sizeof(*river));
    cr_assert_eq(proxy_faults_read(&river->faults, faults, &error), RPCRT_OK,
                 "%s", error.text);
    proxy_flow_init(&river->flow, &place, &river->faults, &river->counts);
    cr_assert(proxy_flow_take(&river->flow, 0, hello, sizeof(hello)));
}

/* A message of one byte. */
static void
river_put(struct river *river, int64_t now_ns, uint8_t byte)
{
    const uint8_t message[9] = {0, 0, 0, 0, 0, 0, 0, 1, byte};

    cr_assert(proxy_flow_take(&river->flow, now_ns, message, sizeof(message)));
}

/* Take all that may be written at a time. */
static void
river_get(struct river *river, int64_t now_ns)
{
    const uint8_t *data;
    size_t size;

    while (proxy_flow_next(&river->flow, now_ns, &data, &size)) {
        cr_assert_leq(river->n_out + size, sizeof(river->out));
        memcpy(river->out + river->n_out, data, size);
        river->n_out += size;
        proxy_flow_written(&river->flow, now_ns, size);
    }
}

/* The messages that came out, as a string of their bytes. */
static const char *
river_text(const struct river *river)
{
    static char text[8192];
    size_t n = 0;

    for (size_t at = 16; at < river->n_out; at += 9) {
        text[n++] = (char)river->out[at];
    }
    text[n] = '\0';
    return text;
}

static void
river_letters(struct river *river, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        river_put(river, 0, (uint8_t)*letters);
    }
}

Test(proxy_flow, holds_everything_for_the_latency)
{
    struct river river;

    river_open(&river, 1, "latency-ms=50");
    river_put(&river, 10 * MS, 'a');
    cr_assert_eq(proxy_flow_due_ns(&river.flow), 50 * MS);
    river_get(&river, 50 * MS - 1);
    cr_assert_eq(river.n_out, 0);
    river_get(&river, 50 * MS);
    cr_assert_eq(river.n_out, 8);
    river_get(&river, 60 * MS - 1);
    cr_assert_eq(river.n_out, 8);
    river_get(&river, 60 * MS);
    cr_assert_str_eq(river_text(&river), "a");
    cr_assert_eq(proxy_flow_due_ns(&river.flow), PROXY_NEVER);
    proxy_flow_fini(&river.flow);
}

Test(proxy_flow, jitter_keeps_the_order)
{
    struct river river;

    river_open(&river, 1, "jitter-ms=100");
    river_letters(&river, "abcdefghijklmnop");
    for (int64_t ms = 0; ms <= 100; ms++) {
        river_get(&river, ms * MS);
    }
    cr_assert_str_eq(river_text(&river), "abcdefghijklmnop");
    proxy_flow_fini(&river.flow);
}

Test(proxy_flow, writes_no_faster_than_the_bandwidth)
{
    struct river river;
    uint8_t bytes[50000] = {1};

    river_open(&river, 1, "bytes-per-s=10000");
    proxy_flow_fini(&river.flow);
    river.flow.framing.plain = true;
    cr_assert(proxy_flow_take(&river.flow, 0, bytes, sizeof(bytes)));
    for (int64_t ms = 0; ms < 1000; ms += 7) {
        river_get(&river, ms * MS);
        cr_assert_leq(river.n_out, (size_t)(ms * 10 + 202));
    }
    cr_assert_gt(river.n_out, 9800);
    proxy_flow_fini(&river.flow);
}

Test(proxy_flow, keeps_no_more_than_it_may)
{
    static uint8_t bytes[65536];
    struct river river;

    river_open(&river, 1, "blackhole=1");
    river.flow.framing.plain = true;
    while (proxy_flow_wants(&river.flow)) {
        cr_assert(proxy_flow_take(&river.flow, 0, bytes, sizeof(bytes)));
    }
    cr_assert_lt(river.flow.kept, PROXY_FLOW_KEEP_MAX + 2 * sizeof(bytes));
    cr_assert_eq(proxy_flow_due_ns(&river.flow), PROXY_NEVER);
    river.faults.blackhole = 0;
    cr_assert_eq(proxy_flow_due_ns(&river.flow), 0);
    proxy_flow_fini(&river.flow);
    cr_assert_eq(river.flow.kept, 0);
}

Test(proxy_flow, single_bytes_cost_what_they_weigh)
{
    struct river river;
    unsigned n = 0;

    river_open(&river, 1, "blackhole=1");
    river.flow.framing.plain = true;
    while (proxy_flow_wants(&river.flow)) {
        cr_assert(proxy_flow_take(&river.flow, 0, (const uint8_t *)"x", 1));
        n++;
    }
    cr_assert_lt(n, PROXY_FLOW_KEEP_MAX / 16);
    proxy_flow_fini(&river.flow);
}

Test(proxy_flow, drops_doubles_swaps_and_damages_messages)
{
    struct river river;

    river_open(&river, 1, "drop=1000,spare-messages=2,harm-max=3");
    river_letters(&river, "abcdefgh");
    river_get(&river, 0);
    cr_assert_str_eq(river_text(&river), "abfgh");
    cr_assert_eq(river.counts.dropped, 3);
    proxy_flow_fini(&river.flow);

    river_open(&river, 1, "duplicate=1000,harm-max=2");
    river_letters(&river, "abc");
    river_get(&river, 0);
    cr_assert_str_eq(river_text(&river), "aabbc");
    proxy_flow_fini(&river.flow);

    river_open(&river, 1, "reorder=1000,spare-messages=1,harm-max=1");
    river_letters(&river, "abcd");
    river_get(&river, 0);
    cr_assert_str_eq(river_text(&river), "acbd");
    proxy_flow_fini(&river.flow);

    river_open(&river, 1, "corrupt=1000,harm-max=1");
    river_letters(&river, "aa");
    river_get(&river, 0);
    cr_assert_eq(river_text(&river)[1], 'a');
    cr_assert_eq(
        __builtin_popcount((unsigned)river_text(&river)[0] ^ (unsigned)'a'), 1);
    proxy_flow_fini(&river.flow);
}

Test(proxy_flow, a_message_that_nothing_overtakes_goes_on)
{
    struct river river;

    river_open(&river, 1, "reorder=1000");
    river_put(&river, 0, 'a');
    river_get(&river, 0);
    cr_assert_str_eq(river_text(&river), "");
    cr_assert_eq(proxy_flow_due_ns(&river.flow), PROXY_REORDER_MS * MS);
    river_get(&river, PROXY_REORDER_MS * MS);
    cr_assert_str_eq(river_text(&river), "a");
    river_put(&river, 0, 'b');
    cr_assert(proxy_flow_end(&river.flow, 0));
    river_get(&river, PROXY_REORDER_MS * MS);
    cr_assert_str_eq(river_text(&river), "ab");
    cr_assert(proxy_flow_done(&river.flow));
    proxy_flow_fini(&river.flow);
}

Test(proxy_flow, the_seed_decides_and_nothing_else)
{
    static const char faults[] =
        "drop=100,duplicate=100,reorder=100,corrupt=100";
    static struct river rivers[3];

    for (unsigned i = 0; i < 3; i++) {
        river_open(&rivers[i], i < 2 ? 7 : 8, faults);
        for (unsigned n = 0; n < 2000; n++) {
            river_put(&rivers[i], i * n * MS / 50, (uint8_t)n);
            if (i == 1) {
                river_get(&rivers[i], i * n * MS / 50);
            }
        }
        cr_assert(proxy_flow_end(&rivers[i].flow, 0));
        river_get(&rivers[i], 1000000 * MS);
        cr_assert_eq(rivers[i].counts.messages, 2000);
        proxy_flow_fini(&rivers[i].flow);
    }
    cr_assert_eq(rivers[0].n_out, rivers[1].n_out);
    cr_assert_eq(memcmp(rivers[0].out, rivers[1].out, rivers[0].n_out), 0);
    cr_assert_eq(
        memcmp(&rivers[0].counts, &rivers[1].counts, sizeof(rivers[0].counts)),
        0);
    cr_assert(rivers[2].n_out != rivers[0].n_out ||
              memcmp(rivers[0].out, rivers[2].out, rivers[0].n_out) != 0);
}
