/*
 * Details from the wire: what is read has texts that end and entries with
 * different names, and is the same after it was written again.
 */
#include "wire/details.h"

#include "core/utf8.h"
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text that ends within its field and is UTF-8. */
static void
check_text(const char *text, size_t size)
{
    size_t length = strnlen(text, size);

    if (length == size ||
        rpcrt__utf8_valid_size((const uint8_t *)text, length) != length) {
        abort();
    }
}

static void
check_info(const struct rpcrt_error_info *info)
{
    size_t i;

    check_text(info->reason, sizeof info->reason);
    check_text(info->domain, sizeof info->domain);
    if (info->n_entries > RPCRT_INFO_ENTRIES_MAX) {
        abort();
    }
    for (i = 0; i < info->n_entries; i++) {
        check_text(info->entries[i].name, sizeof info->entries[i].name);
        check_text(info->entries[i].value, sizeof info->entries[i].value);
        if (rpcrt_error_info_get(info, info->entries[i].name) !=
            info->entries[i].value) {
            abort();
        }
    }
}

static bool
is_same(const struct rpcrt_error_info *a, const struct rpcrt_error_info *b)
{
    size_t i;

    if (strcmp(a->reason, b->reason) != 0 ||
        strcmp(a->domain, b->domain) != 0 || a->n_entries != b->n_entries) {
        return false;
    }
    for (i = 0; i < a->n_entries; i++) {
        if (strcmp(a->entries[i].name, b->entries[i].name) != 0 ||
            strcmp(a->entries[i].value, b->entries[i].value) != 0) {
            return false;
        }
    }
    return true;
}

static void
check_violations(const uint8_t *data, size_t size)
{
    struct rpcrt_violation items[4];
    size_t n = rpcrt__violations_decode(data, size, items, 4);

    for (size_t i = 0; i < n && i < 4; i++) {
        check_text(items[i].field, sizeof items[i].field);
        check_text(items[i].text, sizeof items[i].text);
    }
}

/* A delay that was read can be put among what it came with. */
static void
check_delay(const uint8_t *data, size_t size)
{
    static uint8_t bytes[RPCRT_DETAILS_SIZE_MAX];
    uint8_t value[RPCRT__RETRY_INFO_MAX];
    uint64_t delay_ms = 0;
    uint64_t again_ms = 0;

    if (!rpcrt__retry_info_decode(data, size, &delay_ms)) {
        return;
    }
    size = rpcrt__details_put(data, size, RPCRT__RETRY_INFO, value,
                              rpcrt__retry_info_encode(delay_ms, value), bytes,
                              sizeof bytes);
    if (size > sizeof bytes ||
        (size > 0 && (!rpcrt__retry_info_decode(bytes, size, &again_ms) ||
                      again_ms != delay_ms))) {
        abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bytes[RPCRT__DETAILS_ENCODED_MAX];
    struct rpcrt_error_info first;
    struct rpcrt_error_info second;
    uint32_t code = 0;
    uint32_t code_again = 0;

    check_violations(data, size);
    check_delay(data, size);
    if (!rpcrt__details_decode(data, size, &code, &first)) {
        return 0;
    }
    check_info(&first);
    size = rpcrt__details_encode((enum rpcrt_code)(code & 0x7f), "text", &first,
                                 bytes);
    if (size > sizeof bytes ||
        !rpcrt__details_decode(bytes, size, &code_again, &second) ||
        code_again != (code & 0x7f) || !is_same(&first, &second)) {
        abort();
    }
    return 0;
}
