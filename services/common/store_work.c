/*
 * A piece of work: its memory, its failure, and how records stand in values.
 * Reading is in store_read.c, changing in store_commit.c.
 */
#include "common/store_inner.h"

#include "common/ids.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SIZE 8192u

/* Field 15000, wire type 1, as a varint. */
const uint8_t common_mark_tag[COMMON_MARK_TAG_SIZE] = {0xc1, 0xa9, 0x07};

/* -- memory ---------------------------------------------------------------- */

struct common_chunk {
    struct common_chunk *next;
    size_t size;
    size_t used;
    max_align_t bytes[];
};

/* Memory of a work that has no call; not zeroed. */
static void *
chunk_alloc(struct common_work *work, size_t size)
{
    struct common_chunk *chunk = work->chunks;
    size_t step = sizeof(max_align_t);
    size_t room;
    void *block;

    if (size > SIZE_MAX / 2) {
        return NULL;
    }
    size = (size + step - 1) / step * step;
    if (chunk == NULL || chunk->size - chunk->used < size) {
        room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        chunk = malloc(sizeof(*chunk) + room);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->next = work->chunks;
        chunk->size = room;
        chunk->used = 0;
        work->chunks = chunk;
    }
    block = (uint8_t *)chunk->bytes + chunk->used;
    chunk->used += size;
    return block;
}

static void *
memory_alloc(void *arg, size_t size)
{
    struct common_work *work = arg;
    void *block = work->ctx != NULL ? rpcrt_ctx_alloc(work->ctx, size)
                                    : chunk_alloc(work, size);

    work->starved = work->starved || block == NULL;
    return block;
}

/* Everything goes with the work. */
static void
memory_free(void *arg, void *block)
{
    (void)arg;
    (void)block;
}

void *
common_work_alloc(struct common_work *work, size_t size)
{
    void *block = memory_alloc(work, size);

    if (block == NULL) {
        (void)common_work_set_error(work, RPCRT_RESOURCE_EXHAUSTED,
                                    "out of memory");
        return NULL;
    }
    return memset(block, 0, size);
}

char *
common_work_format(struct common_work *work, const char *format, ...)
{
    va_list args;
    char *text;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = n < 0 ? NULL : common_work_alloc(work, (size_t)n + 1);
    if (text != NULL) {
        va_start(args, format);
        (void)vsnprintf(text, (size_t)n + 1, format, args);
        va_end(args);
    }
    return text;
}

/* -- begin and end --------------------------------------------------------- */

struct common_work *
common_work_new(struct common_store *store, struct rpcrt_ctx *ctx,
                const char *call_id)
{
    struct common_work *work = malloc(sizeof(*work));
    char made[COMMON_ID_SIZE];

    if (work == NULL) {
        return NULL;
    }
    /* Its tables are filled when they are used. */
    memset(work, 0, offsetof(struct common_work, wanted));
    work->n_wanted = 0;
    work->n_compares = 0;
    work->n_steps = 0;
    work->first_put = NULL;
    work->store = store;
    work->ctx = ctx;
    work->memory = (ProtobufCAllocator){
        .alloc = memory_alloc, .free = memory_free, .allocator_data = work};
    if (ctx == NULL && call_id == NULL) {
        common_id_make(made);
        call_id = made;
    }
    (void)snprintf(work->call_id, sizeof(work->call_id), "%s",
                   call_id == NULL ? "" : call_id);
    return work;
}

void
common_work_free(struct common_work *work)
{
    if (work == NULL) {
        return;
    }
    while (work->chunks != NULL) {
        struct common_chunk *chunk = work->chunks;

        work->chunks = chunk->next;
        free(chunk);
    }
    free(work);
}

/* -- failure --------------------------------------------------------------- */

enum rpcrt_code
common_work_code(const struct common_work *work)
{
    return work->error.code;
}

const char *
common_work_message(const struct common_work *work)
{
    return work->error.text;
}

enum rpcrt_code
common_work_fail(const struct common_work *work, struct rpcrt_ctx *ctx)
{
    return rpcrt_ctx_fail(ctx, work->error.code, "%s", work->error.text);
}

bool
common_work_go_on(struct common_work *work)
{
    if (work->error.code == RPCRT_ABORTED) {
        work->error.code = RPCRT_OK;
        work->error.text[0] = '\0';
    }
    return work->error.code == RPCRT_OK;
}

enum rpcrt_code
common_work_set_error(struct common_work *work, enum rpcrt_code code,
                      const char *format, ...)
{
    va_list args;

    if (!common_work_go_on(work)) {
        return work->error.code;
    }
    work->error.code = code;
    va_start(args, format);
    (void)vsnprintf(work->error.text, sizeof(work->error.text), format, args);
    va_end(args);
    return code;
}

/* -- the store's name ------------------------------------------------------ */

const char *
common_work_store_id(const struct common_work *work)
{
    return work->store_id;
}

void
common_work_expect_store(struct common_work *work, const char *store_id)
{
    if (strlen(store_id) >= sizeof(work->store_id)) {
        (void)common_work_set_error(work, RPCRT_OUT_OF_RANGE,
                                    "no store has such a name");
        return;
    }
    memcpy(work->store_id, store_id, strlen(store_id) + 1);
    work->store_expected = true;
}

/* -- keys and values ------------------------------------------------------- */

ProtobufCBinaryData
common_work_key(struct common_work *work, const char *key)
{
    ProtobufCBinaryData bytes = {0, NULL};
    char *copy = NULL;

    if (key == NULL) {
        (void)common_work_set_error(work, RPCRT_INTERNAL, "no key is given");
    } else {
        copy = common_work_alloc(work, strlen(key) + 1);
    }
    if (copy != NULL) {
        bytes.len = strlen(key);
        bytes.data = memcpy(copy, key, bytes.len + 1);
    }
    return bytes;
}

bool
common_value_has_mark(const ProtobufCBinaryData *value,
                      const uint8_t mark[COMMON_MARK_SIZE])
{
    return value->len >= COMMON_MARK_SIZE &&
           memcmp(value->data + value->len - COMMON_MARK_SIZE, mark,
                  COMMON_MARK_SIZE) == 0;
}

const ProtobufCMessage *
common_work_unpack(struct common_work *work, const char *key,
                   const ProtobufCBinaryData *value,
                   const ProtobufCMessageDescriptor *type)
{
    size_t size = value->len - COMMON_MARK_SIZE;
    const ProtobufCMessage *message;

    if (value->len < COMMON_MARK_SIZE ||
        memcmp(value->data + size, common_mark_tag, COMMON_MARK_TAG_SIZE) !=
            0) {
        (void)common_work_set_error(work, RPCRT_DATA_LOSS,
                                    "%s: the record has no mark", key);
        return NULL;
    }
    work->starved = false;
    message = protobuf_c_message_unpack(type, &work->memory, size, value->data);
    if (message == NULL && work->starved) {
        (void)common_work_set_error(work, RPCRT_RESOURCE_EXHAUSTED,
                                    "%s: no memory for the record", key);
    } else if (message == NULL) {
        (void)common_work_set_error(work, RPCRT_DATA_LOSS,
                                    "%s: the record is no %s", key, type->name);
    }
    return message;
}
