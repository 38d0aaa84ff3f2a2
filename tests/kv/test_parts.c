/*
 * The small parts of the store: records on disk, the ordered map, namespaces,
 * tokens.
 */
#include "kv/record.h"
#include "kv/skiplist.h"
#include "kv/space.h"
#include "kv/tokens.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* -- records --------------------------------------------------------------- */

static const struct kvs_place place = {0x0102030405060708, 9};

static struct kvs_slice
record_make(uint8_t bytes[128])
{
    struct kvs_entry entry = {.key = kvs_slice_text("the key"),
                              .value = kvs_slice_text("the value"),
                              .create_revision = 77,
                              .version = 5};

    kvs_record_write(&entry, place, bytes);
    return (struct kvs_slice){bytes, kvs_record_size(7, 9)};
}

Test(record, is_read_as_it_was_written)
{
    uint8_t bytes[128];
    struct kvs_slice record = record_make(bytes);
    struct kvs_entry entry;

    cr_assert(kvs_record_read(record, place, false, &entry));
    cr_expect_eq(entry.create_revision, 77);
    cr_expect_eq(entry.mod_revision, place.revision);
    cr_expect_eq(entry.version, 5);
    cr_expect_eq(kvs_slice_compare(entry.key, kvs_slice_text("the key")), 0);
    cr_expect_eq(kvs_slice_compare(entry.value, kvs_slice_text("the value")),
                 0);
    cr_assert(kvs_record_read(record, place, true, &entry));
    cr_expect_eq(entry.value.size, 0);
}

Test(record, shows_every_flipped_bit)
{
    uint8_t bytes[128];
    struct kvs_slice record = record_make(bytes);
    struct kvs_entry entry;
    size_t i;

    for (i = 0; i < record.size * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        cr_assert_not(kvs_record_read(record, place, false, &entry), "bit %zu",
                      i);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    cr_assert(kvs_record_read(record, place, false, &entry));
}

Test(record, shows_a_wrong_length_and_a_wrong_place)
{
    uint8_t bytes[128] = {0};
    struct kvs_slice record = record_make(bytes);
    struct kvs_place other = {place.revision, place.number + 1};
    struct kvs_entry entry;
    size_t size;

    for (size = 0; size < sizeof(bytes); size++) {
        struct kvs_slice part = {bytes, size};

        cr_assert_eq(kvs_record_read(part, place, false, &entry),
                     size == record.size);
    }
    cr_assert_not(kvs_record_read(record, other, false, &entry));
}

Test(pointer, sorts_new_versions_first)
{
    uint8_t old[KVS_POINTER_SIZE];
    uint8_t new[KVS_POINTER_SIZE];
    struct kvs_place read = {0, 0};
    bool deleted = false;

    kvs_pointer_write((struct kvs_place){255, 3}, false, old);
    kvs_pointer_write((struct kvs_place){256, 4}, true, new);
    cr_expect_lt(memcmp(new, old, KVS_POINTER_SIZE), 0);
    cr_assert(kvs_pointer_read((struct kvs_slice){new, KVS_POINTER_SIZE}, &read,
                               &deleted));
    cr_expect_eq(read.revision, 256);
    cr_expect_eq(read.number, 4);
    cr_expect(deleted);
    cr_expect_not(
        kvs_pointer_read((struct kvs_slice){new, 12}, &read, &deleted));
}

Test(state, shows_every_flipped_bit)
{
    struct kvs_state state = {
        .epoch = 2, .revision = 300, .oldest_revision = 7, .cut = {8, 1}};
    struct kvs_state read;
    uint8_t bytes[KVS_STATE_SIZE];
    struct kvs_slice slice = {bytes, sizeof(bytes)};
    size_t i;

    memset(state.store_id, 'a', KVS_ID_DIGITS);
    kvs_state_write(&state, bytes);
    cr_assert(kvs_state_read(slice, &read));
    cr_expect_str_eq(read.store_id, state.store_id);
    cr_expect_eq(read.epoch, 2);
    cr_expect_eq(read.revision, 300);
    cr_expect_eq(read.oldest_revision, 7);
    cr_expect_eq(read.cut.revision, 8);
    cr_expect_eq(read.cut.number, 1);
    for (i = 0; i < sizeof(bytes) * 8; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        cr_assert_not(kvs_state_read(slice, &read), "bit %zu", i);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

/* -- the ordered map ------------------------------------------------------- */

#define NODES 2000u

static struct kvs_node *
insert(struct kvs_skiplist *list, const char *key)
{
    struct kvs_node *node = kvs_skiplist_node_new(list, kvs_slice_text(key));

    cr_assert_not_null(node);
    kvs_skiplist_insert(list, node);
    return node;
}

/* The list is ordered, and the same in both directions. */
static size_t
check_order(const struct kvs_skiplist *list)
{
    const struct kvs_node *node;
    const struct kvs_node *before = NULL;
    size_t n = 0;

    for (node = list->first[0]; node != NULL; node = node->next[0]) {
        cr_assert(before == NULL ||
                  kvs_slice_compare(before->key, node->key) < 0);
        cr_assert_eq(node->prev, before);
        before = node;
        n++;
    }
    cr_assert_eq(list->last, before);
    return n;
}

Test(skiplist, keeps_its_order_while_nodes_come_and_go)
{
    static struct kvs_node *nodes[NODES];
    struct kvs_skiplist list;
    char key[16];
    unsigned i;

    cr_assert(kvs_skiplist_init(&list));
    for (i = 0; i < NODES; i++) {
        (void)snprintf(key, sizeof(key), "%u", i * 7919u % NODES);
        nodes[i] = insert(&list, key);
    }
    cr_assert_eq(check_order(&list), NODES);
    for (i = 0; i < NODES; i += 2) {
        kvs_skiplist_remove(&list, nodes[i]);
    }
    cr_assert_eq(check_order(&list), NODES / 2);
    for (i = 0; i < NODES; i++) {
        struct kvs_node *found = kvs_skiplist_find(&list, nodes[i]->key);

        cr_assert_eq(found, i % 2 == 0 ? NULL : nodes[i]);
    }
    for (i = 0; i < NODES; i += 2) {
        free(nodes[i]);
    }
    kvs_skiplist_fini(&list);
}

Test(skiplist, finds_neighbours)
{
    struct kvs_skiplist list;
    struct kvs_node *b;
    struct kvs_node *d;

    cr_assert(kvs_skiplist_init(&list));
    cr_expect_null(kvs_skiplist_find_from(&list, kvs_slice_text("")));
    cr_expect_null(kvs_skiplist_find_before(&list, kvs_slice_text("z")));
    b = insert(&list, "b");
    d = insert(&list, "d");
    cr_expect_eq(kvs_skiplist_find_from(&list, kvs_slice_text("a")), b);
    cr_expect_eq(kvs_skiplist_find_from(&list, kvs_slice_text("b")), b);
    cr_expect_eq(kvs_skiplist_find_from(&list, kvs_slice_text("c")), d);
    cr_expect_null(kvs_skiplist_find_from(&list, kvs_slice_text("e")));
    cr_expect_null(kvs_skiplist_find_before(&list, kvs_slice_text("b")));
    cr_expect_eq(kvs_skiplist_find_before(&list, kvs_slice_text("d")), b);
    cr_expect_eq(kvs_skiplist_find_before(&list, kvs_slice_text("e")), d);
    kvs_skiplist_fini(&list);
}

/* -- namespaces ------------------------------------------------------------ */

Test(space, names_are_plain_words)
{
    static const char *const good[] = {"a", "Shop-1", "x.y_z"};
    static const char *const bad[] = {"", "a b", "a/b", "\xc3\xa9", "a\n"};
    char longest[KVS_SPACE_SIZE_MAX + 2];
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        cr_expect(kvs_space_name_ok(kvs_slice_text(good[i])), "%s", good[i]);
    }
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_expect_not(kvs_space_name_ok(kvs_slice_text(bad[i])), "%s", bad[i]);
    }
    memset(longest, 'a', sizeof(longest));
    cr_expect(kvs_space_name_ok(
        (struct kvs_slice){(uint8_t *)longest, KVS_SPACE_SIZE_MAX}));
    cr_expect_not(kvs_space_name_ok(
        (struct kvs_slice){(uint8_t *)longest, KVS_SPACE_SIZE_MAX + 1}));
}

/* -- tokens ---------------------------------------------------------------- */

static char token_path[64];

/* Load a file with this text; `%H` stands for the hash of "secret". */
static enum rpcrt_code
load(const char *text, struct common_error *ret_error,
     struct kvs_tokens **ret_tokens)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    char digits[2 * sizeof(hash) + 1];
    enum rpcrt_code code;
    FILE *file;
    int fd;

    (void)crypto_hash_sha256(hash, (const uint8_t *)"secret", 6);
    (void)sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
    (void)snprintf(token_path, sizeof(token_path), "/tmp/rpcrt-tokens-XXXXXX");
    fd = mkstemp(token_path);
    cr_assert_geq(fd, 0);
    file = fdopen(fd, "w");
    cr_assert_not_null(file);
    for (; *text != '\0'; text++) {
        if (text[0] == '%' && text[1] == 'H') {
            (void)fputs(digits, file);
            text++;
        } else {
            (void)fputc(*text, file);
        }
    }
    cr_assert_eq(fclose(file), 0);
    *ret_error = (struct common_error){.text = ""};
    code = kvs_tokens_load(token_path, ret_error, ret_tokens);
    cr_assert_eq(unlink(token_path), 0);
    return code;
}

Test(tokens, open_their_namespace)
{
    struct kvs_tokens *tokens = NULL;
    const struct kvs_access *access;
    struct common_error error;

    cr_assert_eq(load("# comment\n\n  red \t %H\r\n", &error, &tokens),
                 RPCRT_OK, "%s", error.text);
    access = kvs_tokens_find(tokens, kvs_slice_text("secret"));
    cr_assert_not_null(access);
    cr_expect_str_eq(access->space, "red");
    cr_expect_not(access->read_only);
    cr_expect_null(kvs_tokens_find(tokens, kvs_slice_text("Secret")));
    cr_expect_null(kvs_tokens_find(tokens, kvs_slice_text("")));
    kvs_tokens_free(tokens);
}

Test(tokens, may_be_read_only)
{
    struct kvs_tokens *tokens = NULL;
    struct common_error error;

    cr_assert_eq(load("red %H read-only", &error, &tokens), RPCRT_OK, "%s",
                 error.text);
    cr_expect(kvs_tokens_find(tokens, kvs_slice_text("secret"))->read_only);
    kvs_tokens_free(tokens);
}

Test(tokens, must_be_there)
{
    struct kvs_tokens *tokens = NULL;
    struct common_error error;

    cr_expect_eq(load("# nobody yet\n", &error, &tokens),
                 RPCRT_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.text, token_path), "%s", error.text);
}

Test(tokens, refuse_lines_by_number_without_repeating_them)
{
    static const char *const bad[] = {
        "red",
        "red 1234",
        "red %H00",
        "red %Hx",
        "re/d %H",
        "red %H maybe",
        "red %H read-only x",
        "red \xff%H",
        "secret-token-that-stands-in-the-wrong-file"};
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct kvs_tokens *tokens = NULL;
        struct common_error error;
        char text[256];
        char where[80];

        (void)snprintf(text, sizeof(text), "# first\n%s\n", bad[i]);
        cr_expect_eq(load(text, &error, &tokens), RPCRT_INVALID_ARGUMENT, "%s",
                     bad[i]);
        (void)snprintf(where, sizeof(where), "%s:2: ", token_path);
        cr_expect_not_null(strstr(error.text, where), "%s", error.text);
        cr_expect_null(strstr(error.text, "secret"), "%s", error.text);
    }
}

Test(tokens, name_a_file_that_can_not_be_read)
{
    struct kvs_tokens *tokens = NULL;
    struct common_error error;

    cr_expect_eq(kvs_tokens_load("/nowhere/tokens", &error, &tokens),
                 RPCRT_FAILED_PRECONDITION);
    cr_expect_not_null(strstr(error.text, "/nowhere/tokens"));
}
