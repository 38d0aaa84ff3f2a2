/*
 * How versions stand on disk, byte by byte. No I/O.
 *
 * The log has one record for each version of a key, in the order in which they
 * were written; it holds everything and is covered by checksums. The index
 * leads from a key to the places of its versions, newest first.
 *
 *   log    place: revision 8, number within the revision 4
 *          -> create revision 8, version 8, size of key 2, size of value 4,
 *             checksum of the value 4, checksum of all the rest and the place
 *             4, key, value
 *   index  full key -> inverted revision 8, number 4, 1 if deleted else 0
 *
 * Numbers stand with the most significant byte first; checksums are CRC-32.
 */
#ifndef KV_RECORD_H
#define KV_RECORD_H

#include "kv/model.h"

#define KVS_PLACE_SIZE 12u
#define KVS_RECORD_HEAD_SIZE 30u
#define KVS_POINTER_SIZE 13u

/* Where a version stands in the log. */
struct kvs_place {
    uint64_t revision;
    uint32_t number;
};

void kvs_place_write(struct kvs_place place, uint8_t ret_bytes[KVS_PLACE_SIZE]);
bool kvs_place_read(struct kvs_slice bytes, struct kvs_place *ret_place);

/* What an index entry holds. Searching for a revision finds the newest version
 * that is not newer. */
void kvs_pointer_write(struct kvs_place place, bool deleted,
                       uint8_t ret_bytes[KVS_POINTER_SIZE]);
bool kvs_pointer_read(struct kvs_slice bytes, struct kvs_place *ret_place,
                      bool *ret_deleted);

/* Bytes of an entry's record. */
static inline size_t
kvs_record_size(size_t key_size, size_t value_size)
{
    return KVS_RECORD_HEAD_SIZE + key_size + value_size;
}

/* Write a record of kvs_record_size() bytes. */
void kvs_record_write(const struct kvs_entry *entry, struct kvs_place place,
                      uint8_t *ret_bytes);

/* Read and verify a record; what it returns points into the bytes. With
 * keys_only the value is neither verified nor returned. False: it is damaged,
 * or is not the record of this place. */
bool kvs_record_read(struct kvs_slice bytes, struct kvs_place place,
                     bool keys_only, struct kvs_entry *ret_entry);

/* The state of the whole store, one record, written with every change. */
struct kvs_state {
    char store_id[KVS_ID_DIGITS + 1];
    uint64_t epoch;
    uint64_t revision;
    uint64_t oldest_revision;
    struct kvs_place cut; /* the log before this place holds no old versions
                             that nobody can read */
};

#define KVS_STATE_SIZE (KVS_ID_DIGITS + 3 * 8 + KVS_PLACE_SIZE + 4)

void kvs_state_write(const struct kvs_state *state,
                     uint8_t ret_bytes[KVS_STATE_SIZE]);
bool kvs_state_read(struct kvs_slice bytes, struct kvs_state *ret_state);

#endif
