/*
 * Every engine against a model that is too simple to be wrong: the whole state
 * is kept for each revision. Requests are random with a fixed seed, which a
 * failure names.
 */
#include "tests/kv/engines.h"

#include <stdio.h>

#define KEYS 12u
#define STEPS 4000u
#define MODEL_HISTORY 40u

/* Value numbers of all keys at one revision; 0: absent. */
struct model_state {
    unsigned values[KEYS];
};

struct model {
    struct model_state states[STEPS + 1];
    uint64_t revision;
    uint64_t random;
};

static uint64_t
random_below(struct model *model, uint64_t limit)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return (model->random >> 16) % limit;
}

static const char *
key_name(unsigned key)
{
    static char names[KEYS + 1][8];

    (void)snprintf(names[key], sizeof(names[key]), "k%02u", key);
    return names[key];
}

/* The keys of [first, end) as store_list() writes them. */
static const char *
model_list(const struct model_state *state, unsigned first, unsigned end,
           const struct kvs_range *range)
{
    static char text[4096];
    size_t length = 0;
    unsigned n = 0;
    unsigned i;

    text[0] = '\0';
    for (i = first; i < end; i++) {
        unsigned key = range->reverse ? first + end - 1 - i : i;

        if (state->values[key] == 0) {
            continue;
        }
        if (range->limit > 0 && n == range->limit) {
            (void)snprintf(text + length, sizeof(text) - length, " +");
            return text;
        }
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "%s%s=%u", n == 0 ? "" : " ", key_name(key),
                                   state->values[key]);
        n++;
    }
    return text;
}

static void
step_read(struct store *store, struct model *model)
{
    unsigned first = (unsigned)random_below(model, KEYS);
    unsigned end = first + (unsigned)random_below(model, KEYS - first + 1);
    uint64_t back = random_below(model, MODEL_HISTORY + 5);
    struct kvs_range range = {.limit = (uint32_t)random_below(model, 5),
                              .reverse = random_below(model, 2) == 0};
    const char *expected;

    if (back > model->revision) {
        back = 0;
    }
    range.revision = back == 0 ? 0 : model->revision - back;
    expected = back > MODEL_HISTORY
                   ? "OUT_OF_RANGE"
                   : model_list(&model->states[model->revision - back], first,
                                end, &range);
    if (range.revision == 0 && back > 0) {
        return;
    }
    cr_assert_str_eq(store_list(store, key_name(first), key_name(end), &range),
                     expected, "revision %llu of %llu, k%02u to k%02u",
                     (unsigned long long)range.revision,
                     (unsigned long long)model->revision, first, end);
}

/* Begin the next state of the model, a copy of the last. */
static struct model_state *
model_next(struct model *model)
{
    model->states[model->revision + 1] = model->states[model->revision];
    model->revision++;
    return &model->states[model->revision];
}

static void
step_put(struct store *store, struct model *model, unsigned number)
{
    unsigned key = (unsigned)random_below(model, KEYS);
    char value[16];

    model_next(model)->values[key] = number;
    (void)snprintf(value, sizeof(value), "%u", number);
    cr_assert_eq(store_put(store, key_name(key), value), model->revision);
}

static void
step_delete(struct store *store, struct model *model)
{
    unsigned first = (unsigned)random_below(model, KEYS);
    unsigned end = first + (unsigned)random_below(model, 4);
    unsigned deleted = 0;
    unsigned i;

    end = end > KEYS ? KEYS : end;
    for (i = first; i < end; i++) {
        deleted += model->states[model->revision].values[i] > 0 ? 1 : 0;
    }
    if (deleted > 0) {
        struct model_state *state = model_next(model);

        for (i = first; i < end; i++) {
            state->values[i] = 0;
        }
    }
    cr_assert_eq(store_delete(store, key_name(first), key_name(end)), deleted);
}

/* If a key has what the model says, move its value to another. */
static void
step_txn(struct store *store, struct model *model, unsigned number)
{
    unsigned from = (unsigned)random_below(model, KEYS);
    unsigned to = (from + 1 + (unsigned)random_below(model, KEYS - 1)) % KEYS;
    unsigned has = model->states[model->revision].values[from];
    char value[16];
    char expected[16];
    struct kvs_compare compare = {.key = kvs_slice_text(key_name(from)),
                                  .target = KVS_TARGET_VALUE};
    struct kvs_op ops[] = {
        {.kind = KVS_OP_DELETE,
         .range.span.first = kvs_slice_text(key_name(from))},
        {.kind = KVS_OP_PUT, .key = kvs_slice_text(key_name(to))}};
    struct kvs_write write = {
        .compares = &compare, .n_compares = 1, .then = {ops, 2}};

    (void)snprintf(value, sizeof(value), "%u", number);
    (void)snprintf(expected, sizeof(expected), "%u", has);
    ops[1].value = kvs_slice_text(value);
    compare.value = kvs_slice_text(expected);
    cr_assert_eq(store_write(store, &write), RPCRT_OK);
    cr_assert_eq(write.succeeded, has > 0);
    if (has > 0) {
        struct model_state *state = model_next(model);

        state->values[from] = 0;
        state->values[to] = number;
    }
    cr_assert_eq(write.header.revision, model->revision);
}

static void
run(struct store *store, uint64_t seed, bool reopen)
{
    static struct model model;
    unsigned i;

    model = (struct model){.random = seed};
    for (i = 1; i <= STEPS; i++) {
        switch (random_below(&model, 8)) {
        case 0:
        case 1:
        case 2:
            step_put(store, &model, i);
            break;
        case 3:
            step_delete(store, &model);
            break;
        case 4:
            step_txn(store, &model, i);
            break;
        default:
            step_read(store, &model);
            break;
        }
        if (reopen && i % 500 == 0) {
            store_reopen(store);
        }
        store_pool_reset(store);
    }
}

ENGINE_TEST_WITH(agrees_with_the_model, MODEL_HISTORY, TEST_SIZE)
{
    run(store, 0x5eed, false);
}

Test(lmdb, agrees_with_the_model_when_reopened, .timeout = 60)
{
    struct store store;

    store_init(&store, &kvs_lmdb_engine, MODEL_HISTORY, TEST_SIZE);
    run(&store, 0xbeef, true);
    store_fini(&store);
}
