/*
 * The set is an array searched from its start: it has few entries. Each entry
 * is one block: key, zero byte, value, zero byte. Whatever comes in, from the
 * program or from the peer, passes entry_check().
 */
#include "core/metadata.h"

#include "core/alloc.h"

#include <stdbool.h>
#include <string.h>

#define ENTRY_HEADER_SIZE 4u
#define N_ROOM_MIN ((size_t)4)

/* How many bytes of a bad key an error shows. */
#define KEY_SHOWN_MAX 64

static void *
metadata_alloc(struct rpcrt__metadata *metadata, size_t size)
{
    if (metadata->arena != NULL) {
        return rpcrt__arena_alloc(metadata->arena, size);
    }
    return rpcrt__alloc(size);
}

static void
metadata_free(struct rpcrt__metadata *metadata, void *block)
{
    if (metadata->arena == NULL) {
        rpcrt__free(block);
    }
}

/* The block of an entry begins with its key. */
static void
entry_free(struct rpcrt__metadata *metadata,
           const struct rpcrt__metadata_entry *entry)
{
    union {
        const char *key;
        void *block;
    } start = {.key = entry->key};

    metadata_free(metadata, start.block);
}

static bool
is_key_character(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

static bool
key_is_binary(const char *key, size_t key_size)
{
    return key_size >= 4 && memcmp(key + key_size - 4, "-bin", 4) == 0;
}

/* Make bytes of anybody fit to stand in a text. */
static void
key_show(const char *key, size_t key_size, char text[KEY_SHOWN_MAX + 1])
{
    size_t n = key_size < KEY_SHOWN_MAX ? key_size : KEY_SHOWN_MAX;
    size_t i;

    for (i = 0; i < n; i++) {
        text[i] = key[i] >= 0x20 && key[i] <= 0x7e ? key[i] : '?';
    }
    text[n] = '\0';
}

/* Whether the entry may be in a set at all. */
static enum rpcrt_code
entry_check(const char *key, size_t key_size, const unsigned char *value,
            size_t value_size, struct rpcrt__error *ret_error)
{
    char shown[KEY_SHOWN_MAX + 1];
    size_t i;

    if (key_size == 0) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "metadata: empty key");
    }
    for (i = 0; i < key_size; i++) {
        if (!is_key_character((unsigned char)key[i])) {
            key_show(key, key_size, shown);
            return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                    "metadata '%s': bad key: use a-z, 0-9, "
                                    "'_', '-' and '.'",
                                    shown);
        }
    }
    if (key_is_binary(key, key_size)) {
        return RPCRT_OK;
    }
    for (i = 0; i < value_size; i++) {
        if (value[i] < 0x20 || value[i] > 0x7e) {
            key_show(key, key_size, shown);
            return rpcrt__error_set(
                ret_error, RPCRT_INVALID_ARGUMENT,
                "metadata '%s': byte %zu of the value is not printable ASCII; "
                "only keys that end in '-bin' take any",
                shown, i);
        }
    }
    return RPCRT_OK;
}

static enum rpcrt_code
no_memory(struct rpcrt__error *ret_error)
{
    return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                            "metadata: out of memory");
}

static enum rpcrt_code
too_large(struct rpcrt__error *ret_error)
{
    return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                            "metadata: more than %u bytes in all",
                            RPCRT_METADATA_BYTES_MAX);
}

static enum rpcrt_code
too_many(struct rpcrt__error *ret_error)
{
    return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                            "metadata: more than %u entries",
                            RPCRT_METADATA_ENTRIES_MAX);
}

static struct rpcrt__metadata_entry *
entry_find(const struct rpcrt__metadata *metadata, const char *key,
           size_t key_size)
{
    size_t i;

    for (i = 0; i < metadata->n_entries; i++) {
        struct rpcrt__metadata_entry *entry = &metadata->entries[i];

        if (entry->key_size == key_size &&
            memcmp(entry->key, key, key_size) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* Copy key and value to `out`, which is the entry's block. */
static void
entry_fill(struct rpcrt__metadata_entry *entry, const char *key,
           size_t key_size, const void *value, size_t value_size, char *out)
{
    entry->key = out;
    entry->key_size = key_size;
    memcpy(out, key, key_size);
    out += key_size;
    *out++ = '\0';
    entry->value = out;
    entry->value_size = value_size;
    if (value_size > 0) {
        memcpy(out, value, value_size);
    }
    out[value_size] = '\0';
}

/* Make room for one more entry; false without memory. */
static bool
entries_grow(struct rpcrt__metadata *metadata)
{
    struct rpcrt__metadata_entry *entries;
    size_t n_room = metadata->n_room > 0 ? metadata->n_room * 2 : N_ROOM_MIN;

    if (metadata->n_entries < metadata->n_room) {
        return true;
    }
    entries = metadata_alloc(metadata, n_room * sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    if (metadata->n_entries > 0) {
        memcpy(entries, metadata->entries,
               metadata->n_entries * sizeof *entries);
    }
    metadata_free(metadata, metadata->entries);
    metadata->entries = entries;
    metadata->n_room = n_room;
    return true;
}

void
rpcrt__metadata_init(struct rpcrt__metadata *metadata,
                     struct rpcrt__arena *arena)
{
    metadata->entries = NULL;
    metadata->n_entries = 0;
    metadata->n_room = 0;
    metadata->encoded_size = 0;
    metadata->arena = arena;
}

void
rpcrt__metadata_fini(struct rpcrt__metadata *metadata)
{
    size_t i;

    for (i = 0; i < metadata->n_entries; i++) {
        entry_free(metadata, &metadata->entries[i]);
    }
    metadata_free(metadata, metadata->entries);
    rpcrt__metadata_init(metadata, metadata->arena);
}

/* As rpcrt__metadata_set(), of a key that need not end in a zero byte. */
static enum rpcrt_code
entry_set(struct rpcrt__metadata *metadata, const char *key, size_t key_size,
          const void *value, size_t value_size, struct rpcrt__error *ret_error)
{
    struct rpcrt__metadata_entry *entry;
    struct rpcrt__metadata_entry made;
    size_t left = RPCRT_METADATA_BYTES_MAX - metadata->encoded_size;
    char *text;

    entry = entry_find(metadata, key, key_size);
    if (entry != NULL) {
        left += ENTRY_HEADER_SIZE + key_size + entry->value_size;
    } else if (metadata->n_entries == RPCRT_METADATA_ENTRIES_MAX) {
        return too_many(ret_error);
    }
    if (left < ENTRY_HEADER_SIZE || key_size > left - ENTRY_HEADER_SIZE ||
        value_size > left - ENTRY_HEADER_SIZE - key_size) {
        return too_large(ret_error);
    }
    if (entry == NULL && !entries_grow(metadata)) {
        return no_memory(ret_error);
    }
    text = metadata_alloc(metadata, key_size + value_size + 2);
    if (text == NULL) {
        return no_memory(ret_error);
    }
    /* First, as the value may be the one that is replaced. */
    entry_fill(&made, key, key_size, value, value_size, text);
    if (entry != NULL) {
        metadata->encoded_size -= entry->value_size;
        entry_free(metadata, entry);
    } else {
        metadata->encoded_size += ENTRY_HEADER_SIZE + key_size;
        entry = &metadata->entries[metadata->n_entries++];
    }
    metadata->encoded_size += value_size;
    *entry = made;
    return RPCRT_OK;
}

enum rpcrt_code
rpcrt__metadata_set(struct rpcrt__metadata *metadata, const char *key,
                    const void *value, size_t size,
                    struct rpcrt__error *ret_error)
{
    size_t key_size = strlen(key);
    enum rpcrt_code code;

    if (key_size > RPCRT_METADATA_BYTES_MAX ||
        size > RPCRT_METADATA_BYTES_MAX) {
        return too_large(ret_error);
    }
    code = entry_check(key, key_size, value, size, ret_error);
    if (code != RPCRT_OK) {
        return code;
    }
    return entry_set(metadata, key, key_size, value, size, ret_error);
}

void
rpcrt__metadata_remove(struct rpcrt__metadata *metadata, const char *key)
{
    struct rpcrt__metadata_entry *entry =
        entry_find(metadata, key, strlen(key));
    size_t behind;

    if (entry == NULL) {
        return;
    }
    behind = (size_t)(metadata->entries + metadata->n_entries - entry) - 1;
    metadata->encoded_size -=
        ENTRY_HEADER_SIZE + entry->key_size + entry->value_size;
    entry_free(metadata, entry);
    memmove(entry, entry + 1, behind * sizeof *entry);
    metadata->n_entries--;
}

const char *
rpcrt__metadata_get(const struct rpcrt__metadata *metadata, const char *key,
                    size_t *ret_size)
{
    const struct rpcrt__metadata_entry *entry;

    entry = entry_find(metadata, key, strlen(key));
    if (entry == NULL) {
        return NULL;
    }
    if (ret_size != NULL) {
        *ret_size = entry->value_size;
    }
    return entry->value;
}

static uint8_t *
size_encode(size_t size, uint8_t *bytes)
{
    bytes[0] = (uint8_t)(size & 0xff);
    bytes[1] = (uint8_t)(size >> 8);
    return bytes + 2;
}

static size_t
size_decode(const uint8_t *bytes)
{
    return bytes[0] | (size_t)bytes[1] << 8;
}

void
rpcrt__metadata_encode(const struct rpcrt__metadata *metadata, uint8_t *bytes)
{
    size_t i;

    for (i = 0; i < metadata->n_entries; i++) {
        const struct rpcrt__metadata_entry *entry = &metadata->entries[i];

        bytes = size_encode(entry->key_size, bytes);
        bytes = size_encode(entry->value_size, bytes);
        memcpy(bytes, entry->key, entry->key_size);
        bytes += entry->key_size;
        memcpy(bytes, entry->value, entry->value_size);
        bytes += entry->value_size;
    }
}

/* One entry at *bytes, of which *size are left; steps over it. */
static enum rpcrt_code
entry_decode(struct rpcrt__metadata *metadata, const uint8_t **bytes,
             size_t *size, struct rpcrt__error *ret_error)
{
    char shown[KEY_SHOWN_MAX + 1];
    size_t key_size;
    size_t value_size;
    const char *key;
    enum rpcrt_code code;

    if (*size < ENTRY_HEADER_SIZE) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "metadata: ends within an entry");
    }
    key_size = size_decode(*bytes);
    value_size = size_decode(*bytes + 2);
    if (key_size + value_size > *size - ENTRY_HEADER_SIZE) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "metadata: ends within an entry");
    }
    key = (const char *)(*bytes + ENTRY_HEADER_SIZE);
    *bytes += ENTRY_HEADER_SIZE + key_size;
    code = entry_check(key, key_size, *bytes, value_size, ret_error);
    if (code != RPCRT_OK) {
        return code;
    }
    if (entry_find(metadata, key, key_size) != NULL) {
        key_show(key, key_size, shown);
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "metadata '%s': comes twice", shown);
    }
    code = entry_set(metadata, key, key_size, *bytes, value_size, ret_error);
    *bytes += value_size;
    *size -= ENTRY_HEADER_SIZE + key_size + value_size;
    return code;
}

enum rpcrt_code
rpcrt__metadata_decode(struct rpcrt__metadata *metadata, const uint8_t *bytes,
                       size_t size, size_t n_entries,
                       struct rpcrt__error *ret_error)
{
    enum rpcrt_code code = RPCRT_OK;
    size_t i;

    if (n_entries > RPCRT_METADATA_ENTRIES_MAX) {
        return too_many(ret_error);
    }
    if (size > RPCRT_METADATA_BYTES_MAX) {
        return too_large(ret_error);
    }
    for (i = 0; i < n_entries && code == RPCRT_OK; i++) {
        code = entry_decode(metadata, &bytes, &size, ret_error);
    }
    if (code == RPCRT_OK && size > 0) {
        code =
            rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                             "metadata: %zu bytes behind the last entry", size);
    }
    if (code != RPCRT_OK) {
        rpcrt__metadata_fini(metadata);
    }
    return code;
}
