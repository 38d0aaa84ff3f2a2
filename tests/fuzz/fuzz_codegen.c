/*
 * Bytes as a request of protoc to the plugin, and as protoc-gen-c's answer: the
 * plugin refuses them or writes files, the same ones each time, and what it
 * sends on to protoc-gen-c is a request that it would take itself.
 */
#include "generate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect(int condition)
{
    if (!condition) {
        abort();
    }
}

/* No file of ours holds what could end a line or a comment unseen. */
static void
check_files(const struct output *output)
{
    size_t i;

    expect(output->error == NULL || output->n_files == 0);
    for (i = 0; i < output->n_files; i++) {
        expect(output->files[i].name[0] != '\0');
        expect(strpbrk(output->files[i].content, "\r\f\v") == NULL);
    }
}

static void
check_request(struct pool *pool, struct bytes bytes)
{
    struct output first, second, again;
    struct bytes a, b;

    if (!generate(pool, bytes, &first)) {
        return;
    }
    check_files(&first);
    expect(generate(pool, bytes, &second));
    a = output_serialize(&first);
    b = output_serialize(&second);
    expect(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
    if (first.messages_request.size > 0) {
        expect(generate(pool, first.messages_request, &again));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pool *pool = pool_new();
    struct bytes bytes = {data, size};
    struct output output;

    check_request(pool, bytes);
    output_init(&output, pool);
    if (output_add_messages(&output, bytes)) {
        (void)output_serialize(&output);
    }
    pool_free(pool);
    return 0;
}
