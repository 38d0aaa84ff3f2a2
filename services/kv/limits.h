/*
 * The limits that kv.proto states, and those that follow from them. Every
 * engine keeps the same ones; check.c enforces them.
 */
#ifndef KV_LIMITS_H
#define KV_LIMITS_H

#define KVS_KEY_SIZE_MAX 256u
/* First and end of an interval may have one byte more: "behind this key". */
#define KVS_BOUND_SIZE_MAX (KVS_KEY_SIZE_MAX + 1u)
#define KVS_VALUE_SIZE_MAX (1u << 20)

#define KVS_PAGE_ENTRIES_MAX 1000u
#define KVS_PAGE_BYTES_MAX (1u << 20)
#define KVS_DELETES_MAX 10000u

#define KVS_COMPARES_MAX 128u
#define KVS_OPS_MAX 128u
#define KVS_TXN_BYTES_MAX (2u << 20)

#define KVS_HISTORY_DEFAULT 10000u
#define KVS_HISTORY_MAX 1000000u

/* Bytes of a namespace's name. */
#define KVS_SPACE_SIZE_MAX 63u
/* What an engine sees as a key: name of the space, zero byte, key. LMDB takes
 * 511 bytes. */
#define KVS_FULL_KEY_SIZE_MAX (KVS_SPACE_SIZE_MAX + 1u + KVS_BOUND_SIZE_MAX)

/* Hexadecimal digits of a store's id and of the keys that Store makes. */
#define KVS_ID_BYTES 16u
#define KVS_ID_DIGITS (2u * KVS_ID_BYTES)

#endif
