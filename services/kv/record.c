/*
 * Versions and the state as bytes: see record.h.
 */
#include "kv/record.h"
#include "kv/bytes.h"

#include <zlib.h>

static uint32_t
checksum(uint32_t start, const uint8_t *bytes, size_t size)
{
    /* Sizes are limited to far less than what zlib takes at once. */
    return size == 0 ? start : (uint32_t)crc32(start, bytes, (uInt)size);
}

void
kvs_place_write(struct kvs_place place, uint8_t ret_bytes[KVS_PLACE_SIZE])
{
    kvs_put_u64(ret_bytes, place.revision);
    kvs_put_u32(ret_bytes + 8, place.number);
}

bool
kvs_place_read(struct kvs_slice bytes, struct kvs_place *ret_place)
{
    if (bytes.size != KVS_PLACE_SIZE) {
        return false;
    }
    ret_place->revision = kvs_get_u64(bytes.data);
    ret_place->number = kvs_get_u32(bytes.data + 8);
    return true;
}

void
kvs_pointer_write(struct kvs_place place, bool deleted,
                  uint8_t ret_bytes[KVS_POINTER_SIZE])
{
    kvs_put_u64(ret_bytes, ~place.revision);
    kvs_put_u32(ret_bytes + 8, place.number);
    ret_bytes[12] = deleted ? 1 : 0;
}

bool
kvs_pointer_read(struct kvs_slice bytes, struct kvs_place *ret_place,
                 bool *ret_deleted)
{
    if (bytes.size != KVS_POINTER_SIZE || bytes.data[12] > 1) {
        return false;
    }
    ret_place->revision = ~kvs_get_u64(bytes.data);
    ret_place->number = kvs_get_u32(bytes.data + 8);
    *ret_deleted = bytes.data[12] == 1;
    return true;
}

/* Over the place, the head up to this checksum, and the key. */
static uint32_t
head_checksum(struct kvs_place place, const uint8_t *record, size_t key_size)
{
    uint8_t bytes[KVS_PLACE_SIZE];
    uint32_t sum;

    kvs_place_write(place, bytes);
    sum = checksum(0, bytes, sizeof(bytes));
    sum = checksum(sum, record, KVS_RECORD_HEAD_SIZE - 4);
    return checksum(sum, record + KVS_RECORD_HEAD_SIZE, key_size);
}

void
kvs_record_write(const struct kvs_entry *entry, struct kvs_place place,
                 uint8_t *ret_bytes)
{
    uint8_t *key = ret_bytes + KVS_RECORD_HEAD_SIZE;

    kvs_put_u64(ret_bytes, entry->create_revision);
    kvs_put_u64(ret_bytes + 8, entry->version);
    ret_bytes[16] = (uint8_t)(entry->key.size >> 8);
    ret_bytes[17] = (uint8_t)entry->key.size;
    kvs_put_u32(ret_bytes + 18, (uint32_t)entry->value.size);
    kvs_put_u32(ret_bytes + 22,
                checksum(0, entry->value.data, entry->value.size));
    memcpy(key, entry->key.data, entry->key.size);
    if (entry->value.size > 0) {
        memcpy(key + entry->key.size, entry->value.data, entry->value.size);
    }
    kvs_put_u32(ret_bytes + 26,
                head_checksum(place, ret_bytes, entry->key.size));
}

bool
kvs_record_read(struct kvs_slice bytes, struct kvs_place place, bool keys_only,
                struct kvs_entry *ret_entry)
{
    const uint8_t *record = bytes.data;
    const uint8_t *key = record + KVS_RECORD_HEAD_SIZE;
    size_t key_size;
    size_t value_size;

    if (bytes.size < KVS_RECORD_HEAD_SIZE) {
        return false;
    }
    key_size = (size_t)record[16] << 8 | record[17];
    value_size = kvs_get_u32(record + 18);
    if (key_size > KVS_FULL_KEY_SIZE_MAX || value_size > KVS_VALUE_SIZE_MAX ||
        bytes.size != kvs_record_size(key_size, value_size) ||
        kvs_get_u32(record + 26) != head_checksum(place, record, key_size)) {
        return false;
    }
    if (!keys_only &&
        kvs_get_u32(record + 22) != checksum(0, key + key_size, value_size)) {
        return false;
    }
    *ret_entry = (struct kvs_entry){
        .key = {key, key_size},
        .value = {key + key_size, keys_only ? 0 : value_size},
        .create_revision = kvs_get_u64(record),
        .mod_revision = place.revision,
        .version = kvs_get_u64(record + 8),
    };
    return true;
}

void
kvs_state_write(const struct kvs_state *state,
                uint8_t ret_bytes[KVS_STATE_SIZE])
{
    uint8_t *next = ret_bytes + KVS_ID_DIGITS;

    memcpy(ret_bytes, state->store_id, KVS_ID_DIGITS);
    kvs_put_u64(next, state->epoch);
    kvs_put_u64(next + 8, state->revision);
    kvs_put_u64(next + 16, state->oldest_revision);
    kvs_place_write(state->cut, next + 24);
    kvs_put_u32(ret_bytes + KVS_STATE_SIZE - 4,
                checksum(0, ret_bytes, KVS_STATE_SIZE - 4));
}

bool
kvs_state_read(struct kvs_slice bytes, struct kvs_state *ret_state)
{
    const uint8_t *next = bytes.data + KVS_ID_DIGITS;
    struct kvs_slice place = {next + 24, KVS_PLACE_SIZE};

    if (bytes.size != KVS_STATE_SIZE ||
        kvs_get_u32(bytes.data + KVS_STATE_SIZE - 4) !=
            checksum(0, bytes.data, KVS_STATE_SIZE - 4)) {
        return false;
    }
    memcpy(ret_state->store_id, bytes.data, KVS_ID_DIGITS);
    ret_state->store_id[KVS_ID_DIGITS] = '\0';
    ret_state->epoch = kvs_get_u64(next);
    ret_state->revision = kvs_get_u64(next + 8);
    ret_state->oldest_revision = kvs_get_u64(next + 16);
    return kvs_place_read(place, &ret_state->cut);
}
