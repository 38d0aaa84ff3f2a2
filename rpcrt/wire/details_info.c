/*
 * A google.rpc.ErrorInfo, written and read: see details.h.
 */
#include "wire/details.h"

#include <string.h>

/* google.rpc.ErrorInfo, and an entry of its map */
enum { INFO_REASON = 1, INFO_DOMAIN = 2, INFO_METADATA = 3 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

bool
rpcrt__details_add(struct rpcrt_error_info *info, const char *name,
                   const char *value)
{
    size_t i;

    for (i = 0; i < info->n_entries; i++) {
        if (strcmp(info->entries[i].name, name) == 0) {
            break;
        }
    }
    if (i == RPCRT_INFO_ENTRIES_MAX) {
        return false;
    }
    rpcrt__details_text(info->entries[i].name, sizeof info->entries[i].name,
                        name);
    rpcrt__details_text(info->entries[i].value, sizeof info->entries[i].value,
                        value);
    info->n_entries += i == info->n_entries ? 1 : 0;
    return true;
}

/* -- writing --------------------------------------------------------------- */

size_t
rpcrt__error_info_encode(const struct rpcrt_error_info *info,
                         uint8_t ret_bytes[RPCRT__DETAIL_MAX])
{
    uint8_t entry[RPCRT_REASON_SIZE_MAX + RPCRT_INFO_VALUE_SIZE_MAX + 8];
    uint8_t *at = ret_bytes;
    size_t i;

    at = rpcrt__put_text_field(at, INFO_REASON, info->reason);
    at = rpcrt__put_text_field(at, INFO_DOMAIN, info->domain);
    for (i = 0; i < info->n_entries; i++) {
        uint8_t *end =
            rpcrt__put_text_field(entry, ENTRY_KEY, info->entries[i].name);

        end = rpcrt__put_text_field(end, ENTRY_VALUE, info->entries[i].value);
        at = rpcrt__put_bytes_header(at, INFO_METADATA, (size_t)(end - entry));
        memcpy(at, entry, (size_t)(end - entry));
        at += end - entry;
    }
    return (size_t)(at - ret_bytes);
}

size_t
rpcrt__details_encode(enum rpcrt_code code, const char *message,
                      const struct rpcrt_error_info *info,
                      uint8_t ret_bytes[RPCRT__DETAILS_ENCODED_MAX])
{
    uint8_t status[RPCRT__DETAILS_ENCODED_MAX];
    uint8_t value[RPCRT__DETAIL_MAX];
    size_t size = rpcrt__details_begin(code, message, status);

    return rpcrt__details_put(status, size, RPCRT__ERROR_INFO, value,
                              rpcrt__error_info_encode(info, value), ret_bytes,
                              RPCRT__DETAILS_ENCODED_MAX);
}

/* -- reading --------------------------------------------------------------- */

/* One entry of the map; one too many is left out. */
static bool
entry_decode(struct rpcrt__fields reader, struct rpcrt_error_info *info)
{
    char name[RPCRT_REASON_SIZE_MAX + 1] = "";
    char value[RPCRT_INFO_VALUE_SIZE_MAX + 1] = "";
    struct rpcrt__wire_field field;

    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field) ||
            (rpcrt__field_is(&field, ENTRY_KEY) &&
             !rpcrt__details_get_text(&field.bytes, name, sizeof name)) ||
            (rpcrt__field_is(&field, ENTRY_VALUE) &&
             !rpcrt__details_get_text(&field.bytes, value, sizeof value))) {
            return false;
        }
    }
    (void)rpcrt__details_add(info, name, value);
    return true;
}

static bool
info_decode(struct rpcrt__fields reader, struct rpcrt_error_info *info)
{
    struct rpcrt__wire_field field;

    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field) ||
            (rpcrt__field_is(&field, INFO_REASON) &&
             !rpcrt__details_get_text(&field.bytes, info->reason,
                                      sizeof info->reason)) ||
            (rpcrt__field_is(&field, INFO_DOMAIN) &&
             !rpcrt__details_get_text(&field.bytes, info->domain,
                                      sizeof info->domain)) ||
            (rpcrt__field_is(&field, INFO_METADATA) &&
             !entry_decode(field.bytes, info))) {
            return false;
        }
    }
    return true;
}

bool
rpcrt__details_decode(const uint8_t *bytes, size_t size, uint32_t *ret_code,
                      struct rpcrt_error_info *ret_info)
{
    struct rpcrt_error_info info = {.n_entries = 0};
    struct rpcrt__fields value;

    if (!rpcrt__details_find(bytes, size, RPCRT__ERROR_INFO, &value) ||
        !info_decode(value, &info)) {
        return false;
    }
    *ret_code = rpcrt__details_code(bytes, size);
    *ret_info = info;
    return true;
}
