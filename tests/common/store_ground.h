/*
 * A key-value server with a proxy before it that loses answers when it is told
 * to, and a store that goes through the proxy: what tests of the store begin
 * with. Records are LoadRequests, for they have one text.
 */
#ifndef TESTS_COMMON_STORE_GROUND_H
#define TESTS_COMMON_STORE_GROUND_H

#include "common/store.h"
#include "kv/v1/kv.client.h"

#include <criterion/criterion.h>
#include <stdatomic.h>

#define GROUND_FATES_MAX 16u

/* What becomes of one request. */
enum ground_fate {
    GROUND_ANSWER,      /* all is well */
    GROUND_LOSE,        /* done, then UNAVAILABLE */
    GROUND_BREAK,       /* done, then INTERNAL */
    GROUND_HANG,        /* done, and never answered */
    GROUND_REFUSE,      /* UNAVAILABLE, and not done */
    GROUND_SAY_FULL,    /* RESOURCE_EXHAUSTED, and not done */
    GROUND_SAY_STRANGER /* UNAUTHENTICATED, and not done */
};

struct ground {
    struct ground_server *server;
    struct ground_proxy *proxy;
    struct common_store *store;
};

/* Times of the store; 0: 200 ms a try, 10 s of patience. */
void ground_open(struct ground *ground, uint32_t try_ms, uint32_t patience_ms);
void ground_close(struct ground *ground);

/* What becomes of the next changes (or, by `reads`, of all other requests), in
 * their order; those that follow are answered. */
void ground_fates(struct ground *ground, bool reads,
                  const enum ground_fate *fates, size_t n_fates);

/* Lose the answer of every nth change, as well; 0: of none. */
void ground_lose_every(struct ground *ground, unsigned n);

/* Between the next change that is done and its answer somebody else writes this
 * record. */
void ground_intrude(struct ground *ground, const char *key, const char *text);

/* Requests that came, changes or others; and wait for the first. */
unsigned ground_requests(struct ground *ground, bool reads);
void ground_await(struct ground *ground, bool reads);

/* The call id of the last one. */
const char *ground_call_id(struct ground *ground);

/* Put another server, empty, behind the proxy. */
void ground_replace(struct ground *ground);

/* Write as somebody else: plain bytes, without a mark. */
void ground_write(struct ground *ground, const char *key, const char *value);

/* -- short names ----------------------------------------------------------- */

/* Put a record with this text. */
void put_text(struct common_work *work, const char *key, const char *text);

/* The text of a record; "-" if nothing stands there. */
const char *text_of(const struct common_record *record);

/* Read one record, and fail the test if that fails. */
const char *read_text(struct ground *ground, const char *key);
uint64_t read_revision(struct ground *ground, const char *key);

/* Write one record that was not there. */
void make_text(struct ground *ground, const char *key, const char *text);

#define expect_work(work, expected, expression)                                \
    do {                                                                       \
        enum rpcrt_code code_ = (expression);                                  \
        cr_assert_eq(code_, (expected), "%s instead of %s: %s",                \
                     rpcrt_code_name(code_), rpcrt_code_name(expected),        \
                     common_work_message(work));                               \
    } while (0)

#endif
