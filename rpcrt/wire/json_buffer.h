/*
 * Bytes that grow. Running out of memory is remembered, so that it is asked for
 * once at the end; what is added after that is lost.
 */
#ifndef RPCRT_WIRE_JSON_BUFFER_H
#define RPCRT_WIRE_JSON_BUFFER_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rpcrt__json_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
    ProtobufCAllocator *allocator;
    bool failed;
};

/* The allocator to use for an option; never NULL. */
ProtobufCAllocator *rpcrt__json_allocator(ProtobufCAllocator *allocator);

void rpcrt__json_buffer_init(struct rpcrt__json_buffer *buffer,
                             ProtobufCAllocator *allocator);
void rpcrt__json_buffer_fini(struct rpcrt__json_buffer *buffer);

/* n more bytes at the end, not set; NULL without memory. */
uint8_t *rpcrt__json_buffer_extend(struct rpcrt__json_buffer *buffer, size_t n);

void rpcrt__json_buffer_add(struct rpcrt__json_buffer *buffer, const void *data,
                            size_t size);

#endif
