/*
 * The memory of a call: what it hands out, when it says no, what it keeps.
 */
#include "core/arena.h"
#include "support/faulty_alloc.h"

#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define MIB ((size_t)1 << 20)

static struct rpcrt__arena arena;

static void
start(size_t size_max)
{
    faulty_alloc_install();
    rpcrt__arena_init(&arena, size_max);
}

static void
finish(void)
{
    rpcrt__arena_fini(&arena);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}

Test(arena, takes_nothing_from_the_heap_before_it_is_used)
{
    start(MIB);
    cr_assert_eq(faulty_alloc_count(), 0);
    finish();
}

Test(arena, aligns_for_anything)
{
    size_t size;

    start(MIB);
    for (size = 0; size < 100; size++) {
        uintptr_t address = (uintptr_t)rpcrt__arena_alloc(&arena, size);

        cr_assert_neq(address, 0);
        cr_assert_eq(address % alignof(max_align_t), 0);
    }
    finish();
}

Test(arena, hands_out_memory_that_does_not_overlap)
{
    unsigned char *blocks[500];
    size_t i;
    size_t j;

    start(MIB);
    for (i = 0; i < 500; i++) {
        blocks[i] = rpcrt__arena_alloc(&arena, i);
        cr_assert_not_null(blocks[i]);
        memset(blocks[i], (int)(i & 0xff), i);
    }
    for (i = 0; i < 500; i++) {
        for (j = 0; j < i; j++) {
            cr_assert_eq(blocks[i][j], i & 0xff);
        }
    }
    finish();
}

Test(arena, empty_allocations_are_different_pointers)
{
    start(MIB);
    cr_assert_neq(rpcrt__arena_alloc(&arena, 0), rpcrt__arena_alloc(&arena, 0));
    finish();
}

Test(arena, grows_past_first_block)
{
    size_t i;

    start(MIB);
    for (i = 0; i < 100; i++) {
        cr_assert_not_null(rpcrt__arena_alloc(&arena, 1000));
    }
    cr_assert_geq(faulty_alloc_count(), 2);
    cr_assert_leq(faulty_alloc_count(), 8, "blocks must grow");
    cr_assert_eq(arena.size, faulty_alloc_live_bytes());
    finish();
}

Test(arena, large_allocation_leaves_the_rest_of_the_block)
{
    start(MIB);
    cr_assert_not_null(rpcrt__arena_alloc(&arena, 16));
    cr_assert_not_null(rpcrt__arena_alloc(&arena, 100000));
    cr_assert_not_null(rpcrt__arena_alloc(&arena, 16));
    cr_assert_eq(faulty_alloc_count(), 2);
    finish();
}

Test(arena, ends_exactly_at_its_limit)
{
    size_t limits[] = {100, 4096, 5000, 70000, 300001};
    size_t i;

    for (i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        size_t given = 0;

        start(limits[i]);
        while (rpcrt__arena_alloc(&arena, 16) != NULL) {
            given += 16;
        }
        cr_assert(arena.exhausted);
        cr_assert_leq(arena.size, limits[i]);
        cr_assert_eq(arena.size, faulty_alloc_live_bytes());
        /* All of it was used, but for headers and what is below 16. */
        cr_assert_geq(given + 16 + 64 * faulty_alloc_count(), limits[i]);
        finish();
    }
}

Test(arena, one_allocation_can_have_all_but_a_header)
{
    size_t size = MIB;

    start(MIB);
    cr_assert_null(rpcrt__arena_alloc(&arena, size));
    cr_assert(arena.exhausted);
    cr_assert_not_null(rpcrt__arena_alloc(&arena, size - 64));
    finish();
}

Test(arena, refuses_sizes_that_overflow)
{
    size_t back;

    start(MIB);
    for (back = 0; back < 80; back++) {
        arena.exhausted = false;
        cr_assert_null(rpcrt__arena_alloc(&arena, SIZE_MAX - back));
        cr_assert(arena.exhausted);
    }
    cr_assert_null(rpcrt__arena_copy(&arena, "", SIZE_MAX));
    cr_assert_eq(faulty_alloc_count(), 0);
    finish();
}

Test(arena, refuses_sizes_that_overflow_without_a_limit)
{
    size_t back;

    start(SIZE_MAX);
    for (back = 0; back < 80; back++) {
        cr_assert_null(rpcrt__arena_alloc(&arena, SIZE_MAX - back));
    }
    cr_assert_not_null(rpcrt__arena_alloc(&arena, 1));
    finish();
}

Test(arena, without_memory_it_is_not_exhausted)
{
    start(MIB);
    faulty_alloc_fail_from(0);
    cr_assert_null(rpcrt__arena_alloc(&arena, 16));
    cr_assert_not(arena.exhausted);
    cr_assert_eq(arena.size, 0);
    faulty_alloc_fail_at(FAULTY_ALLOC_NEVER);
    cr_assert_not_null(rpcrt__arena_alloc(&arena, 16));
    finish();
}

Test(arena, reset_keeps_one_block_and_steady_state_needs_no_heap)
{
    size_t i;

    start(MIB);
    for (i = 0; i < 10; i++) {
        cr_assert_not_null(rpcrt__arena_alloc(&arena, 1000));
    }
    rpcrt__arena_reset(&arena);
    cr_assert_eq(faulty_alloc_live(), 1);
    cr_assert_eq(arena.size, faulty_alloc_live_bytes());
    faulty_alloc_fail_from(0);
    for (i = 0; i < 1000; i++) {
        cr_assert_not_null(rpcrt__arena_alloc(&arena, 1000));
        rpcrt__arena_reset(&arena);
    }
    cr_assert_eq(faulty_alloc_count(), 0);
    finish();
}

Test(arena, reset_does_not_keep_a_large_block)
{
    start(MIB);
    cr_assert_not_null(rpcrt__arena_alloc(&arena, 500000));
    rpcrt__arena_reset(&arena);
    cr_assert_eq(faulty_alloc_live(), 0);
    cr_assert_not_null(rpcrt__arena_alloc(&arena, 10));
    cr_assert_not_null(rpcrt__arena_alloc(&arena, 500000));
    rpcrt__arena_reset(&arena);
    cr_assert_eq(faulty_alloc_live(), 1);
    cr_assert_leq(faulty_alloc_live_bytes(), 4096);
    finish();
}

Test(arena, reset_forgets_that_it_was_exhausted)
{
    start(10000);
    cr_assert_null(rpcrt__arena_alloc(&arena, 10000));
    cr_assert(arena.exhausted);
    rpcrt__arena_reset(&arena);
    cr_assert_not(arena.exhausted);
    finish();
}

Test(arena, copy_has_a_zero_byte_behind)
{
    char *copy;

    start(MIB);
    memset(rpcrt__arena_alloc(&arena, 200), 0xff, 200);
    rpcrt__arena_reset(&arena);
    copy = rpcrt__arena_copy(&arena, "a\0c", 3);
    cr_assert_arr_eq(copy, "a\0c", 4);
    copy = rpcrt__arena_copy(&arena, NULL, 0);
    cr_assert_str_empty(copy);
    finish();
}

Test(arena, serves_protobuf_c)
{
    ProtobufCAllocator *allocator = &arena.allocator;
    void *block;

    start(MIB);
    block = allocator->alloc(allocator->allocator_data, 16);
    cr_assert_not_null(block);
    allocator->free(allocator->allocator_data, block);
    memset(block, 1, 16);
    cr_assert_neq(allocator->alloc(allocator->allocator_data, 16), block);
    cr_assert_eq(faulty_alloc_count(), 1);
    finish();
}

Test(arena, fini_leaves_an_empty_one)
{
    start(MIB);
    cr_assert_not_null(rpcrt__arena_alloc(&arena, 10));
    rpcrt__arena_fini(&arena);
    cr_assert_eq(arena.size, 0);
    finish();
}

#ifdef HAS_ASAN
Test(arena, poisons_what_is_not_handed_out)
{
    char *block;

    start(MIB);
    block = rpcrt__arena_alloc(&arena, 20);
    cr_assert_not(__asan_address_is_poisoned(block + 19));
    cr_assert(__asan_address_is_poisoned(block + 20));
    rpcrt__arena_reset(&arena);
    cr_assert(__asan_address_is_poisoned(block));
    finish();
}
#endif
