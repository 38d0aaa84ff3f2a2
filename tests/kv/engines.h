/*
 * One claim, tested on every engine: ENGINE_TEST(claim) { ... store ... }
 */
#ifndef TESTS_KV_ENGINES_H
#define TESTS_KV_ENGINES_H

#include "tests/kv/store.h"

#include <criterion/criterion.h>

#define TEST_HISTORY 1000u
#define TEST_SIZE (UINT64_C(64) << 20)

#define ENGINE_TEST(claim) ENGINE_TEST_WITH(claim, TEST_HISTORY, TEST_SIZE)

/* With a history of so many revisions and so much room. */
#define ENGINE_TEST_WITH(claim, history, size_max)                             \
    static void claim(struct store *store);                                    \
    Test(memory, claim, .timeout = 60)                                         \
    {                                                                          \
        struct store store;                                                    \
                                                                               \
        store_init(&store, &kvs_memory_engine, history, size_max);             \
        claim(&store);                                                         \
        store_fini(&store);                                                    \
    }                                                                          \
    Test(lmdb, claim, .timeout = 60)                                           \
    {                                                                          \
        struct store store;                                                    \
                                                                               \
        store_init(&store, &kvs_lmdb_engine, history, size_max);               \
        claim(&store);                                                         \
        store_fini(&store);                                                    \
    }                                                                          \
    static void claim(struct store *store)

#endif
