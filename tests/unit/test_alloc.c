/*
 * The door to the heap, and the allocator with which other tests make memory
 * run out.
 */
#include "core/alloc.h"
#include "support/faulty_alloc.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* As malloc() may be. */
static void *
strict_alloc(void *arg, size_t size)
{
    (void)arg;
    return size > 0 ? malloc(size) : NULL;
}

static void
strict_free(void *arg, void *block)
{
    (void)arg;
    free(block);
}

Test(alloc, size_zero_is_no_failure)
{
    static const struct rpcrt_allocator strict = {strict_alloc, strict_free,
                                                  NULL};
    void *block;

    rpcrt_set_allocator(&strict);
    block = rpcrt__alloc(0);
    cr_assert_not_null(block);
    rpcrt__free(block);
    rpcrt__free(NULL);
    rpcrt_set_allocator(NULL);
}

Test(alloc, calloc_gives_zeroes)
{
    static const char zeroes[3000];
    char *block = rpcrt__calloc(1000, 3);

    cr_assert_not_null(block);
    cr_assert_arr_eq(block, zeroes, sizeof zeroes);
    rpcrt__free(block);
}

Test(alloc, calloc_refuses_a_product_that_overflows)
{
    cr_assert_null(rpcrt__calloc(SIZE_MAX / 2, 3));
    cr_assert_null(rpcrt__calloc(3, SIZE_MAX / 2));
}

Test(alloc, strdup_copies)
{
    char text[] = "text";
    char *copy = rpcrt__strdup(text);

    cr_assert_not_null(copy);
    cr_assert_neq(copy, text);
    cr_assert_str_eq(copy, "text");
    rpcrt__free(copy);
}

Test(alloc, takes_from_the_allocator_that_was_set)
{
    char *text;

    faulty_alloc_install();
    text = rpcrt__strdup("four");
    cr_assert_not_null(text);
    cr_assert_eq(faulty_alloc_live(), 1);
    cr_assert_eq(faulty_alloc_live_bytes(), 5);
    rpcrt__free(text);
    cr_assert_eq(faulty_alloc_live(), 0);
    cr_assert_eq(faulty_alloc_live_bytes(), 0);
    faulty_alloc_remove();
    text = rpcrt__strdup("four");
    cr_assert_eq(faulty_alloc_live(), 0);
    rpcrt__free(text);
}

Test(alloc, every_function_passes_a_failure_on)
{
    faulty_alloc_install();
    faulty_alloc_fail_from(0);
    cr_assert_null(rpcrt__alloc(1));
    cr_assert_null(rpcrt__calloc(1, 1));
    cr_assert_null(rpcrt__strdup("text"));
    cr_assert(faulty_alloc_failed());
    cr_assert_eq(faulty_alloc_count(), 3);
    cr_assert_eq(faulty_alloc_live(), 0);
}

Test(alloc, the_faulty_one_fails_just_where_told)
{
    void *block;

    faulty_alloc_install();
    faulty_alloc_fail_at(1);
    block = rpcrt__alloc(1);
    cr_assert_not_null(block);
    cr_assert_not(faulty_alloc_failed());
    cr_assert_null(rpcrt__alloc(1));
    cr_assert(faulty_alloc_failed());
    rpcrt__free(block);
    block = rpcrt__alloc(1);
    cr_assert_not_null(block);
    rpcrt__free(block);
}
