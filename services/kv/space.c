/*
 * Full keys: see space.h.
 */
#include "kv/space.h"

bool
kvs_space_name_ok(struct kvs_slice name)
{
    size_t i;

    if (name.size == 0 || name.size > KVS_SPACE_SIZE_MAX) {
        return false;
    }
    for (i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';

        if (!ok) {
            return false;
        }
    }
    return true;
}

/* Name, separator, bytes. */
static bool
join(struct kvs_slice space, uint8_t separator, struct kvs_slice bytes,
     const struct kvs_memory *memory, struct kvs_slice *ret_full)
{
    size_t size = space.size + 1 + bytes.size;
    uint8_t *full = memory->alloc(memory->arg, size);

    if (full == NULL) {
        return false;
    }
    if (space.size > 0) {
        memcpy(full, space.data, space.size);
    }
    full[space.size] = separator;
    if (bytes.size > 0) {
        memcpy(full + space.size + 1, bytes.data, bytes.size);
    }
    ret_full->data = full;
    ret_full->size = size;
    return true;
}

bool
kvs_space_key(struct kvs_slice space, const struct kvs_memory *memory,
              struct kvs_slice *key)
{
    return join(space, 0, *key, memory, key);
}

bool
kvs_space_span(struct kvs_slice space, const struct kvs_memory *memory,
               struct kvs_span *span)
{
    static const struct kvs_slice nothing = {NULL, 0};
    bool open = span->end.size == 1 && span->end.data[0] == 0;

    span->one = span->end.size == 0;
    if (!join(space, 0, span->first, memory, &span->first)) {
        return false;
    }
    if (span->one) {
        return true;
    }
    /* Behind the last key of the space: the name and a one byte. */
    return open ? join(space, 1, nothing, memory, &span->end)
                : join(space, 0, span->end, memory, &span->end);
}
