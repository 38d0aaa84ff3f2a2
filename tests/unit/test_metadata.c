/*
 * The set of metadata: its rules, its limits, and its form on the wire.
 */
#include "core/metadata.h"
#include "support/faulty_alloc.h"

#include <criterion/criterion.h>
#include <string.h>

static struct rpcrt__metadata metadata;
static struct rpcrt__error error;

static void
start(void)
{
    faulty_alloc_install();
    rpcrt__metadata_init(&metadata, NULL);
}

static void
finish(void)
{
    rpcrt__metadata_fini(&metadata);
    cr_assert_eq(faulty_alloc_live(), 0);
    faulty_alloc_remove();
}

static enum rpcrt_code
set(const char *key, const char *value)
{
    return rpcrt__metadata_set(&metadata, key, value, strlen(value), &error);
}

static enum rpcrt_code
decode(const char *bytes, size_t size, size_t n_entries)
{
    return rpcrt__metadata_decode(&metadata, (const uint8_t *)bytes, size,
                                  n_entries, &error);
}

Test(metadata, gives_back_what_was_set)
{
    size_t size = 99;

    start();
    cr_assert_null(rpcrt__metadata_get(&metadata, "a", &size));
    cr_assert_eq(size, 99);
    cr_assert_eq(set("a", "1"), RPCRT_OK);
    cr_assert_eq(set("call-id", "x y"), RPCRT_OK);
    cr_assert_eq(set("empty", ""), RPCRT_OK);
    cr_assert_str_eq(rpcrt__metadata_get(&metadata, "a", &size), "1");
    cr_assert_eq(size, 1);
    cr_assert_str_eq(rpcrt__metadata_get(&metadata, "call-id", NULL), "x y");
    cr_assert_str_empty(rpcrt__metadata_get(&metadata, "empty", &size));
    cr_assert_eq(size, 0);
    cr_assert_null(rpcrt__metadata_get(&metadata, "call-i", NULL));
    cr_assert_null(rpcrt__metadata_get(&metadata, "", NULL));
    finish();
}

Test(metadata, binary_values_have_a_zero_byte_behind)
{
    size_t size;
    const char *value;

    start();
    cr_assert_eq(rpcrt__metadata_set(&metadata, "x-bin", "\0\xff\n", 3, &error),
                 RPCRT_OK);
    value = rpcrt__metadata_get(&metadata, "x-bin", &size);
    cr_assert_eq(size, 3);
    cr_assert_arr_eq(value, "\0\xff\n", 4);
    cr_assert_eq(rpcrt__metadata_set(&metadata, "y-bin", NULL, 0, &error),
                 RPCRT_OK);
    finish();
}

Test(metadata, same_key_replaces_in_place)
{
    start();
    cr_assert_eq(set("a", "1"), RPCRT_OK);
    cr_assert_eq(set("b", "2"), RPCRT_OK);
    cr_assert_eq(set("a", "longer"), RPCRT_OK);
    cr_assert_eq(metadata.n_entries, 2);
    cr_assert_str_eq(metadata.entries[0].key, "a");
    cr_assert_str_eq(metadata.entries[0].value, "longer");
    cr_assert_eq(metadata.encoded_size, 4 + 1 + 6 + 4 + 1 + 1);
    finish();
}

Test(metadata, value_may_be_the_one_that_it_replaces)
{
    const char *value;

    start();
    cr_assert_eq(set("a", "12345"), RPCRT_OK);
    value = rpcrt__metadata_get(&metadata, "a", NULL);
    cr_assert_eq(set("a", value + 2), RPCRT_OK);
    cr_assert_str_eq(rpcrt__metadata_get(&metadata, "a", NULL), "345");
    finish();
}

Test(metadata, refuses_bad_keys)
{
    static const char *const keys[] = {"", "A", "a b", "a:", "\xc3\xa4", "a\n"};
    size_t i;

    start();
    for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        cr_assert_eq(set(keys[i], "v"), RPCRT_INVALID_ARGUMENT);
        cr_assert_eq(error.code, RPCRT_INVALID_ARGUMENT);
    }
    cr_assert_str_eq(error.text, "metadata 'a?': bad key: use a-z, 0-9, '_', "
                                 "'-' and '.'");
    cr_assert_eq(set("az09_-.", "v"), RPCRT_OK);
    finish();
}

Test(metadata, refuses_values_that_are_not_printable)
{
    start();
    cr_assert_eq(set("key", "a\nb"), RPCRT_INVALID_ARGUMENT);
    cr_assert_str_eq(error.text,
                     "metadata 'key': byte 1 of the value is not printable "
                     "ASCII; only keys that end in '-bin' take any");
    cr_assert_eq(set("key", "\x7f"), RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(set("key", "\xc3\xa4"), RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(rpcrt__metadata_set(&metadata, "key", "", 1, &error),
                 RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(set("key-bin", "\n"), RPCRT_OK);
    cr_assert_eq(set("bin", "\n"), RPCRT_INVALID_ARGUMENT);
    cr_assert_eq(set("key", " ~"), RPCRT_OK);
    finish();
}

Test(metadata, has_a_limit_of_bytes)
{
    static char value[RPCRT_METADATA_BYTES_MAX + 1];

    start();
    memset(value, 'v', sizeof value);
    value[sizeof value - 1 - 4 - 1] = '\0';
    cr_assert_eq(set("k", value), RPCRT_OK);
    cr_assert_eq(metadata.encoded_size, RPCRT_METADATA_BYTES_MAX);
    cr_assert_eq(set("l", ""), RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_eq(set("k", value), RPCRT_OK, "what it replaces does not count");
    cr_assert_eq(set("k", "v"), RPCRT_OK);
    cr_assert_eq(set("kk", value), RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(error.text, "metadata: more than 8192 bytes in all");
    memset(value, 'k', sizeof value);
    value[sizeof value - 1] = '\0';
    cr_assert_eq(set(value, ""), RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_eq(rpcrt__metadata_set(&metadata, "k", "", SIZE_MAX, &error),
                 RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_eq(metadata.encoded_size, 6);
    finish();
}

Test(metadata, has_a_limit_of_entries)
{
    char key[] = "a0";
    unsigned i;

    start();
    for (i = 0; i < RPCRT_METADATA_ENTRIES_MAX; i++) {
        key[0] = (char)('a' + i / 10);
        key[1] = (char)('0' + i % 10);
        cr_assert_eq(set(key, "v"), RPCRT_OK);
    }
    cr_assert_eq(set(key, "again"), RPCRT_OK);
    cr_assert_eq(set("other", "v"), RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(error.text, "metadata: more than 64 entries");
    finish();
}

Test(metadata, is_unchanged_when_memory_runs_out)
{
    uint64_t n;

    start();
    cr_assert_eq(set("a", "1"), RPCRT_OK);
    cr_assert_eq(set("b", "1"), RPCRT_OK);
    cr_assert_eq(set("c", "1"), RPCRT_OK);
    cr_assert_eq(set("d", "1"), RPCRT_OK);
    for (n = 0;; n++) {
        enum rpcrt_code code;

        faulty_alloc_fail_at(n);
        code = set("a", "2");
        if (code == RPCRT_OK) {
            code = set("e", "5");
        }
        if (!faulty_alloc_failed()) {
            cr_assert_eq(code, RPCRT_OK);
            break;
        }
        cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED);
        cr_assert_str_eq(error.text, "metadata: out of memory");
        cr_assert_eq(metadata.n_entries, 4);
        cr_assert_eq(metadata.encoded_size, 4 * 6);
        cr_assert_str_eq(rpcrt__metadata_get(&metadata, "a", NULL),
                         n == 0 ? "1" : "2");
    }
    cr_assert_eq(n, 3);
    finish();
}

Test(metadata, encodes_as_the_header_says)
{
    uint8_t bytes[64];

    start();
    cr_assert_eq(set("a", "xyz"), RPCRT_OK);
    cr_assert_eq(set("bc", ""), RPCRT_OK);
    cr_assert_eq(metadata.encoded_size, 14);
    memset(bytes, '#', sizeof bytes);
    rpcrt__metadata_encode(&metadata, bytes);
    cr_assert_arr_eq(bytes, "\1\0\3\0axyz\2\0\0\0bc#", 15);
    finish();
}

Test(metadata, decodes_what_it_encoded)
{
    static char big[3000];
    uint8_t bytes[4000];
    size_t size;
    size_t value_size;

    start();
    memset(big, 'b', sizeof big - 1);
    cr_assert_eq(set("a", "1"), RPCRT_OK);
    cr_assert_eq(set("big", big), RPCRT_OK);
    cr_assert_eq(rpcrt__metadata_set(&metadata, "c-bin", "\0\1", 2, &error),
                 RPCRT_OK);
    size = metadata.encoded_size;
    rpcrt__metadata_encode(&metadata, bytes);
    rpcrt__metadata_fini(&metadata);
    cr_assert_eq(rpcrt__metadata_decode(&metadata, bytes, size, 3, &error),
                 RPCRT_OK);
    memset(bytes, '#', sizeof bytes);
    cr_assert_eq(metadata.encoded_size, size);
    cr_assert_str_eq(metadata.entries[0].key, "a");
    cr_assert_str_eq(rpcrt__metadata_get(&metadata, "big", NULL), big);
    cr_assert_arr_eq(rpcrt__metadata_get(&metadata, "c-bin", &value_size),
                     "\0\1", 3);
    cr_assert_eq(value_size, 2);
    finish();
}

Test(metadata, nothing_decodes_to_nothing)
{
    start();
    cr_assert_eq(decode(NULL, 0, 0), RPCRT_OK);
    cr_assert_eq(metadata.n_entries, 0);
    cr_assert_eq(metadata.encoded_size, 0);
    finish();
}

static void
expect_refused(const char *bytes, size_t size, size_t n_entries,
               const char *text)
{
    cr_assert_eq(decode(bytes, size, n_entries), RPCRT_INVALID_ARGUMENT, "%s",
                 text);
    cr_assert_str_eq(error.text, text);
    cr_assert_eq(metadata.n_entries, 0);
    cr_assert_eq(metadata.encoded_size, 0);
    cr_assert_eq(faulty_alloc_live(), 0);
}

Test(metadata, decode_refuses_what_is_malformed)
{
    start();
    expect_refused("", 0, 1, "metadata: ends within an entry");
    expect_refused("\1\0\0", 3, 1, "metadata: ends within an entry");
    expect_refused("\1\0\0\0", 4, 1, "metadata: ends within an entry");
    expect_refused("\1\0\1\0a", 5, 1, "metadata: ends within an entry");
    expect_refused("\1\0\1\0av\1\0\xff\xff"
                   "b",
                   11, 2, "metadata: ends within an entry");
    expect_refused("\1\0\1\0avx", 7, 1,
                   "metadata: 1 bytes behind the last entry");
    expect_refused("\0\0\1\0v", 5, 1, "metadata: empty key");
    expect_refused("\1\0\1\0a1\1\0\1\0a2", 12, 2, "metadata 'a': comes twice");
    expect_refused("\2\0\0\0A\n", 6, 1,
                   "metadata 'A?': bad key: use a-z, 0-9, '_', '-' and '.'");
    expect_refused("\1\0\1\0k\n", 6, 1,
                   "metadata 'k': byte 0 of the value is not printable ASCII; "
                   "only keys that end in '-bin' take any");
    finish();
}

Test(metadata, decode_has_the_same_limits)
{
    static char bytes[RPCRT_METADATA_BYTES_MAX + 1];

    start();
    cr_assert_eq(decode(bytes, sizeof bytes, 1), RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_eq(decode(bytes, 0, RPCRT_METADATA_ENTRIES_MAX + 1),
                 RPCRT_RESOURCE_EXHAUSTED);
    cr_assert_eq(faulty_alloc_count(), 0);
    finish();
}

Test(metadata, decode_loses_nothing_when_memory_runs_out)
{
    static const char bytes[] = "\1\0\1\0a1\1\0\1\0b2\1\0\1\0c3\1\0\1\0d4"
                                "\1\0\1\0e5";
    uint64_t n;

    start();
    for (n = 0;; n++) {
        faulty_alloc_fail_at(n);
        if (decode(bytes, sizeof bytes - 1, 5) == RPCRT_OK) {
            break;
        }
        cr_assert(faulty_alloc_failed());
        cr_assert_eq(error.code, RPCRT_RESOURCE_EXHAUSTED);
        cr_assert_eq(metadata.n_entries, 0);
        cr_assert_eq(faulty_alloc_live(), 0);
    }
    cr_assert_geq(n, 5);
    finish();
}

Test(metadata, of_an_arena_takes_and_frees_nothing_else)
{
    struct rpcrt__arena arena;

    start();
    rpcrt__arena_init(&arena, 100000);
    rpcrt__metadata_init(&metadata, &arena);
    cr_assert_eq(decode("\1\0\1\0a1\1\0\1\0b2", 12, 2), RPCRT_OK);
    cr_assert_eq(set("a", "replaced"), RPCRT_OK);
    cr_assert_eq(faulty_alloc_count(), 1, "the arena's block");
    cr_assert_str_eq(rpcrt__metadata_get(&metadata, "a", NULL), "replaced");
    rpcrt__metadata_fini(&metadata);
    rpcrt__arena_fini(&arena);
    finish();
}

Test(metadata, forgets_an_entry_that_is_removed)
{
    size_t size;

    rpcrt__metadata_init(&metadata, NULL);
    cr_assert_eq(rpcrt__metadata_set(&metadata, "a", "1", 1, &error), RPCRT_OK);
    size = metadata.encoded_size;
    cr_assert_eq(rpcrt__metadata_set(&metadata, "b", "22", 2, &error),
                 RPCRT_OK);
    cr_assert_eq(rpcrt__metadata_set(&metadata, "c", "3", 1, &error), RPCRT_OK);
    rpcrt__metadata_remove(&metadata, "b");
    rpcrt__metadata_remove(&metadata, "nothing");
    cr_assert_null(rpcrt__metadata_get(&metadata, "b", NULL));
    cr_assert_str_eq(rpcrt__metadata_get(&metadata, "a", NULL), "1");
    cr_assert_str_eq(rpcrt__metadata_get(&metadata, "c", NULL), "3");
    cr_assert_eq(metadata.encoded_size, 2 * size);
    cr_assert_eq(metadata.n_entries, 2u);
    rpcrt__metadata_fini(&metadata);
}
