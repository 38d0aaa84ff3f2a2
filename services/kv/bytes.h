/*
 * Numbers as bytes in a fixed order, most significant first, so that their
 * order as bytes is their order as numbers.
 */
#ifndef KV_BYTES_H
#define KV_BYTES_H

#include <stdint.h>

static inline void
kvs_put_u32(uint8_t *bytes, uint32_t number)
{
    bytes[0] = (uint8_t)(number >> 24);
    bytes[1] = (uint8_t)(number >> 16);
    bytes[2] = (uint8_t)(number >> 8);
    bytes[3] = (uint8_t)number;
}

static inline uint32_t
kvs_get_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
           (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

static inline void
kvs_put_u64(uint8_t *bytes, uint64_t number)
{
    kvs_put_u32(bytes, (uint32_t)(number >> 32));
    kvs_put_u32(bytes + 4, (uint32_t)number);
}

static inline uint64_t
kvs_get_u64(const uint8_t *bytes)
{
    return (uint64_t)kvs_get_u32(bytes) << 32 | kvs_get_u32(bytes + 4);
}

#endif
