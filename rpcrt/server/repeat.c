/*
 * An entry is running, and then belongs to its call too, or done. Answers are
 * kept as they are sent, and copied into the memory of the call that they are
 * for; so an entry can be forgotten at any time.
 */
#include "server/repeat.h"

#include "core/alloc.h"
#include "server/answer.h"
#include "server/session.h"

#include <rpcrt/retry.h>
#include <stdlib.h>
#include <string.h>

/* On the way a repeat gets older than it says. */
#define AGE_SLACK_MS RPCRT_STALL_TIMEOUT_MS
/* No answer is kept that would take more than that part of all room. */
#define ANSWER_PART 4u

struct rpcrt__repeat {
    struct rpcrt__idnode by_id;
    uint64_t id; /* the other half of what it is known by */
    uint64_t request;
    struct rpcrt__list node;    /* in running or done */
    struct rpcrt__list waiting; /* calls, by ctx->task.node */
    struct rpcrt_ctx *ctx;      /* while it runs */
    uint64_t began_ns;
    struct rpcrt__answer answer;
    uint8_t *block; /* its bytes; NULL: it was not kept */
};

void
rpcrt__repeats_init(struct rpcrt__repeats *repeats)
{
    (void)pthread_mutex_init(&repeats->lock, NULL);
    for (unsigned i = 0; i < 4; i++) {
        repeats->keys[i / 2].words[i % 2] = rpcrt__random();
    }
    rpcrt__idmap_init(&repeats->entries);
    rpcrt__list_init(&repeats->running);
    rpcrt__list_init(&repeats->done);
}

/* -- forgetting; [repeats' lock] ------------------------------------------- */

static size_t
size_of(const struct rpcrt__repeat *repeat)
{
    return sizeof *repeat +
           (repeat->block == NULL ? 0 : rpcrt__answer_size(&repeat->answer));
}

static void
drop(struct rpcrt__repeats *repeats, struct rpcrt__repeat *repeat)
{
    (void)rpcrt__idmap_remove(&repeats->entries, repeat->by_id.id);
    rpcrt__list_remove(&repeat->node);
    repeats->n--;
    repeats->bytes -= size_of(repeat);
    rpcrt__free(repeat->block);
    rpcrt__free(repeat);
}

/* The oldest that is done, or NULL. */
static struct rpcrt__repeat *
oldest(const struct rpcrt__repeats *repeats)
{
    return rpcrt__list_empty(&repeats->done)
               ? NULL
               : RPCRT__ELEMENT(repeats->done.next, struct rpcrt__repeat, node);
}

/* Forget what is too old, and more until there is room for one of a size. False
 * if there can't be. */
static bool
make_room(struct rpcrt_server *server, uint64_t now_ns, size_t n, size_t size)
{
    const struct rpcrt_server_options *options = &server->options;
    struct rpcrt__repeats *repeats = &server->repeats;
    struct rpcrt__repeat *repeat;

    while ((repeat = oldest(repeats)) != NULL) {
        bool old = now_ns - repeat->began_ns >= options->once_ms * RPCRT__MS;
        bool full = repeats->n + n > options->once_count_max ||
                    repeats->bytes + size > options->once_bytes_max;

        if (!old && !full) {
            break;
        }
        if (repeat->began_ns > repeats->forgotten_ns) {
            repeats->forgotten_ns = repeat->began_ns;
        }
        drop(repeats, repeat);
    }
    return repeats->n + n <= options->once_count_max &&
           repeats->bytes + size <= options->once_bytes_max;
}

void
rpcrt__repeats_fini(struct rpcrt__repeats *repeats)
{
    struct rpcrt__repeat *repeat;

    while ((repeat = oldest(repeats)) != NULL) {
        drop(repeats, repeat);
    }
    rpcrt__idmap_fini(&repeats->entries);
    (void)pthread_mutex_destroy(&repeats->lock);
}

/* -- which one ------------------------------------------------------------- */

/* The key of a call that carries one; NULL if it does not. */
static const char *
key_of(const struct rpcrt_ctx *ctx)
{
    return (ctx->served->method->flags & RPCRT_METHOD_ONCE) == 0
               ? NULL
               : rpcrt__metadata_get(&ctx->metadata, RPCRT_IDEMPOTENCY_KEY,
                                     NULL);
}

static uint64_t
hash_text(const struct rpcrt__hash_key *key, const char *text)
{
    return rpcrt__hash(key, text, strlen(text));
}

/* One half of what a call is known by. */
static uint64_t
identify(const struct rpcrt_ctx *ctx, const struct rpcrt__hash_key *hash_key,
         const char *key)
{
    const char *name = ctx->session->peer_name;
    const char *token =
        rpcrt__metadata_get(&ctx->metadata, "authorization", NULL);
    uint64_t words[4];

    words[0] = name != NULL ? 1 : token != NULL ? 2 : 0;
    words[1] = hash_text(hash_key, name != NULL    ? name
                                   : token != NULL ? token
                                                   : "");
    words[2] = hash_text(hash_key, ctx->served->method->path);
    words[3] = hash_text(hash_key, key);
    return rpcrt__hash(hash_key, words, sizeof words);
}

/* Whether the call says that it is a repeat, and what it repeats may have been
 * forgotten. [repeats' lock] */
static bool
may_be_forgotten(const struct rpcrt__repeats *repeats,
                 const struct rpcrt_ctx *ctx, uint64_t now_ns)
{
    const char *text =
        rpcrt__metadata_get(&ctx->metadata, RPCRT_FIRST_ATTEMPT, NULL);
    unsigned long long age_ms;
    uint64_t age_ns;

    if (text == NULL || repeats->forgotten_ns == 0) {
        return false;
    }
    age_ms = strtoull(text, NULL, 10);
    age_ns = age_ms < UINT32_MAX ? (age_ms + AGE_SLACK_MS) * RPCRT__MS
                                 : RPCRT__NEVER;
    return age_ns >= now_ns || now_ns - age_ns <= repeats->forgotten_ns;
}

/* -- a call ---------------------------------------------------------------- */

static enum rpcrt__repeat_verdict
refuse(struct rpcrt_ctx *ctx, enum rpcrt_code code, bool executed,
       const char *why)
{
    ctx->origin = RPCRT_ORIGIN_RUNTIME;
    ctx->refused = !executed;
    (void)rpcrt__error_set(&ctx->outcome, code, "%s: %s",
                           ctx->served->method->path, why);
    return RPCRT__REPEAT_REFUSED;
}

static enum rpcrt__repeat_verdict
fill(struct rpcrt_ctx *ctx, const struct rpcrt__answer *answer)
{
    const char *why = rpcrt__answer_put(answer, ctx);

    return why == NULL ? RPCRT__REPEAT_ANSWERED
                       : refuse(ctx, RPCRT_RESOURCE_EXHAUSTED, true, why);
}

/* The first with its key. [repeats' lock] */
static enum rpcrt__repeat_verdict
add(struct rpcrt_ctx *ctx, uint64_t id, struct rpcrt__repeat *repeat,
    uint64_t now_ns)
{
    struct rpcrt__repeats *repeats = &ctx->server->repeats;

    if (may_be_forgotten(repeats, ctx, now_ns)) {
        return refuse(ctx, RPCRT_FAILED_PRECONDITION, false,
                      "the call may have been executed: the server has "
                      "forgotten keys that are as old");
    }
    if (!make_room(ctx->server, now_ns, 1, sizeof *repeat)) {
        return refuse(ctx, RPCRT_RESOURCE_EXHAUSTED, false,
                      "the server has no room for another idempotency key");
    }
    rpcrt__idmap_add(&repeats->entries, &repeat->by_id, id);
    rpcrt__list_init(&repeat->waiting);
    rpcrt__list_append(&repeats->running, &repeat->node);
    repeat->ctx = ctx;
    repeat->began_ns = now_ns;
    repeats->n++;
    repeats->bytes += sizeof *repeat;
    ctx->repeat = repeat;
    return RPCRT__REPEAT_RUN;
}

/* One that was there before. [repeats' lock] */
static enum rpcrt__repeat_verdict
repeat_of(struct rpcrt__repeat *repeat, const struct rpcrt__repeat *wanted,
          struct rpcrt_ctx *ctx)
{
    if (repeat->id != wanted->id || repeat->request != wanted->request) {
        return refuse(ctx, RPCRT_INVALID_ARGUMENT, false,
                      "the idempotency key belongs to another request");
    }
    if (repeat->ctx != NULL) {
        rpcrt__list_append(&repeat->waiting, &ctx->task.node);
        return RPCRT__REPEAT_WAITS;
    }
    if (repeat->block == NULL) {
        return refuse(ctx, RPCRT_FAILED_PRECONDITION, true,
                      "the call was executed before, but its answer was not "
                      "kept");
    }
    return fill(ctx, &repeat->answer);
}

enum rpcrt__repeat_verdict
rpcrt__repeat_begin(struct rpcrt_ctx *ctx)
{
    struct rpcrt__repeats *repeats = &ctx->server->repeats;
    const char *key = key_of(ctx);
    struct rpcrt__idnode *node;
    struct rpcrt__repeat *repeat;
    uint64_t now_ns;
    uint64_t id;
    enum rpcrt__repeat_verdict verdict;

    if (key == NULL) {
        return RPCRT__REPEAT_RUN;
    }
    if (key[0] == '\0') {
        return refuse(ctx, RPCRT_INVALID_ARGUMENT, false,
                      "the idempotency key is empty");
    }
    repeat = rpcrt__calloc(1, sizeof *repeat);
    if (repeat == NULL) {
        return refuse(ctx, RPCRT_RESOURCE_EXHAUSTED, false,
                      "no memory for an idempotency key");
    }
    id = identify(ctx, &repeats->keys[0], key);
    repeat->id = identify(ctx, &repeats->keys[1], key);
    repeat->request =
        rpcrt__hash(&repeats->keys[0], ctx->request, ctx->request_size);
    now_ns = rpcrt__now_ns();
    pthread_mutex_lock(&repeats->lock);
    (void)make_room(ctx->server, now_ns, 0, 0);
    node = rpcrt__idmap_find(&repeats->entries, id);
    if (repeats->closed) {
        verdict = refuse(ctx, RPCRT_UNAVAILABLE, false,
                         "the server is shutting down");
    } else if (node == NULL) {
        verdict = add(ctx, id, repeat, now_ns);
    } else {
        verdict = repeat_of(RPCRT__ELEMENT(node, struct rpcrt__repeat, by_id),
                            repeat, ctx);
    }
    pthread_mutex_unlock(&repeats->lock);
    if (verdict != RPCRT__REPEAT_RUN) {
        rpcrt__free(repeat);
    }
    return verdict;
}

/* Answer those who waited for a call, as that was. */
static void
answer_all(struct rpcrt__list *waiting, const struct rpcrt__answer *answer,
           bool refused)
{
    struct rpcrt__list *node;

    while ((node = rpcrt__list_take(waiting)) != NULL) {
        struct rpcrt_ctx *other =
            RPCRT__ELEMENT(node, struct rpcrt_ctx, task.node);

        if (fill(other, answer) == RPCRT__REPEAT_ANSWERED) {
            other->refused = refused;
            rpcrt__ctx_serialized(other);
        } else {
            rpcrt__ctx_serialize(other, other->outcome.code);
        }
        rpcrt__session_answer(other);
    }
}

void
rpcrt__repeat_end(struct rpcrt_ctx *ctx)
{
    struct rpcrt_server *server = ctx->server;
    struct rpcrt__repeats *repeats = &server->repeats;
    struct rpcrt__repeat *repeat = ctx->repeat;
    struct rpcrt__answer answer = rpcrt__answer_get(ctx);
    struct rpcrt__answer kept = answer;
    uint8_t *block = rpcrt__answer_copy(
        &answer, server->options.once_bytes_max / ANSWER_PART, &kept);
    size_t size = rpcrt__answer_size(&answer);
    struct rpcrt__list waiting;

    ctx->repeat = NULL;
    rpcrt__list_init(&waiting);
    pthread_mutex_lock(&repeats->lock);
    rpcrt__list_move(&repeat->waiting, &waiting);
    repeat->ctx = NULL;
    if (ctx->refused) {
        drop(repeats, repeat); /* nothing was executed */
    } else {
        rpcrt__list_remove(&repeat->node);
        if (block != NULL && make_room(server, rpcrt__now_ns(), 0, size)) {
            repeat->answer = kept;
            repeat->block = block;
            repeats->bytes += size;
            block = NULL;
        }
        rpcrt__list_append(&repeats->done, &repeat->node);
    }
    pthread_mutex_unlock(&repeats->lock);
    rpcrt__free(block);
    answer_all(&waiting, &answer, ctx->refused);
}

/* -- calls whose client is gone -------------------------------------------- */

bool
rpcrt__repeat_outlives(struct rpcrt_ctx *ctx)
{
    if (key_of(ctx) == NULL) {
        return false;
    }
    atomic_store(&ctx->server->repeats.orphans, true);
    rpcrt__server_wake(ctx->server, ctx->parent.deadline_ns);
    return true;
}

/* Cancel those whose time is over; returns the first deadline of the others.
 * [repeats' lock] */
static uint64_t
cancel_orphans(struct rpcrt__repeats *repeats, uint64_t now_ns,
               struct rpcrt__ctx_notices *notices)
{
    uint64_t next_ns = RPCRT__NEVER;
    struct rpcrt__list *node;

    for (node = repeats->running.next; node != &repeats->running;
         node = node->next) {
        struct rpcrt_ctx *ctx =
            RPCRT__ELEMENT(node, struct rpcrt__repeat, node)->ctx;
        uint64_t due_ns = ctx->parent.deadline_ns;

        if (due_ns <= now_ns) {
            pthread_mutex_lock(&ctx->session->lock);
            rpcrt__ctx_abandon(ctx, notices);
            pthread_mutex_unlock(&ctx->session->lock);
        } else if (due_ns < next_ns) {
            next_ns = due_ns;
        }
    }
    return next_ns;
}

uint64_t
rpcrt__repeats_tick(struct rpcrt_server *server, uint64_t now_ns,
                    struct rpcrt__ctx_notices *notices)
{
    struct rpcrt__repeats *repeats = &server->repeats;
    uint64_t next_ns = RPCRT__NEVER;

    if (atomic_load(&repeats->orphans)) {
        pthread_mutex_lock(&repeats->lock);
        atomic_store(&repeats->orphans, !rpcrt__list_empty(&repeats->running));
        next_ns = cancel_orphans(repeats, now_ns, notices);
        pthread_mutex_unlock(&repeats->lock);
    }
    return next_ns;
}

void
rpcrt__repeats_close(struct rpcrt_server *server)
{
    struct rpcrt__repeats *repeats = &server->repeats;
    struct rpcrt__ctx_notices notices;

    rpcrt__ctx_notices_init(&notices);
    pthread_mutex_lock(&repeats->lock);
    repeats->closed = true;
    (void)cancel_orphans(repeats, RPCRT__NEVER, &notices);
    pthread_mutex_unlock(&repeats->lock);
    rpcrt__ctx_notices_run(&notices);
}
