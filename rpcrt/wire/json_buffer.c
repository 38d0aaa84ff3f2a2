/*
 * The size doubles; protobuf-c's allocators cannot make a block longer, so it
 * is copied.
 */
#include "wire/json_buffer.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 256u

static void *
heap_alloc(void *arg, size_t size)
{
    (void)arg;
    return malloc(size);
}

static void
heap_free(void *arg, void *block)
{
    (void)arg;
    free(block);
}

ProtobufCAllocator *
rpcrt__json_allocator(ProtobufCAllocator *allocator)
{
    /* What protobuf-c itself does when it gets NULL. */
    static ProtobufCAllocator heap = {heap_alloc, heap_free, NULL};

    return allocator != NULL ? allocator : &heap;
}

void
rpcrt__json_buffer_init(struct rpcrt__json_buffer *buffer,
                        ProtobufCAllocator *allocator)
{
    memset(buffer, 0, sizeof *buffer);
    buffer->allocator = allocator;
}

void
rpcrt__json_buffer_fini(struct rpcrt__json_buffer *buffer)
{
    if (buffer->data != NULL) {
        buffer->allocator->free(buffer->allocator->allocator_data,
                                buffer->data);
        buffer->data = NULL;
    }
}

static bool
grow(struct rpcrt__json_buffer *buffer, size_t n)
{
    size_t capacity =
        buffer->capacity > 0 ? 2 * buffer->capacity : CAPACITY_MIN;
    uint8_t *data;

    if (n > SIZE_MAX / 4 - buffer->size) {
        return false;
    }
    while (capacity < buffer->size + n) {
        capacity *= 2;
    }
    data =
        buffer->allocator->alloc(buffer->allocator->allocator_data, capacity);
    if (data == NULL) {
        return false;
    }
    if (buffer->data != NULL) {
        memcpy(data, buffer->data, buffer->size);
        rpcrt__json_buffer_fini(buffer);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

uint8_t *
rpcrt__json_buffer_extend(struct rpcrt__json_buffer *buffer, size_t n)
{
    uint8_t *at;

    if (buffer->failed ||
        (n > buffer->capacity - buffer->size && !grow(buffer, n))) {
        buffer->failed = true;
        return NULL;
    }
    at = buffer->data + buffer->size;
    buffer->size += n;
    return at;
}

void
rpcrt__json_buffer_add(struct rpcrt__json_buffer *buffer, const void *data,
                       size_t size)
{
    uint8_t *at = size > 0 ? rpcrt__json_buffer_extend(buffer, size) : NULL;

    if (at != NULL) {
        memcpy(at, data, size);
    }
}
