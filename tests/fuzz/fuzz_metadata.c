/*
 * Metadata from the wire: what decodes is within its rules and encodes to the
 * same bytes. The first byte is the number of entries.
 */
#include "core/metadata.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
encode_again(const struct rpcrt__metadata *metadata, const uint8_t *data,
             size_t size)
{
    uint8_t *bytes = malloc(size > 0 ? size : 1);

    if (bytes == NULL) {
        return;
    }
    if (metadata->encoded_size != size) {
        abort();
    }
    rpcrt__metadata_encode(metadata, bytes);
    if (memcmp(bytes, data, size) != 0) {
        abort();
    }
    free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rpcrt__metadata metadata;
    struct rpcrt__arena arena;
    struct rpcrt__error error;
    size_t value_size;
    size_t i;

    if (size == 0) {
        return 0;
    }
    rpcrt__arena_init(&arena, (size_t)1 << 20);
    /* Once from the heap, where AddressSanitizer sees each entry's end. */
    rpcrt__metadata_init(&metadata, *data >= 0x80 ? &arena : NULL);
    if (rpcrt__metadata_decode(&metadata, data + 1, size - 1, *data & 0x7f,
                               &error) == RPCRT_OK) {
        encode_again(&metadata, data + 1, size - 1);
        for (i = 0; i < metadata.n_entries; i++) {
            const char *value = rpcrt__metadata_get(
                &metadata, metadata.entries[i].key, &value_size);

            if (value != metadata.entries[i].value ||
                value[value_size] != '\0') {
                abort();
            }
        }
    } else if (metadata.n_entries != 0 || error.text[0] == '\0') {
        abort();
    }
    rpcrt__metadata_fini(&metadata);
    rpcrt__arena_fini(&arena);
    return 0;
}
