/*
 * The two messages of details.h, by hand: they are few fields, and protobuf's
 * own are not there when the runtime is built. Unknown fields are skipped, and
 * a field that comes twice has its last value, as protobuf wants it.
 */
#include "wire/details.h"

#include "core/utf8.h"
#include "wire/fields.h"
#include <rpcrt/limits.h>
#include <string.h>

#define TYPE_NAME "google.rpc.ErrorInfo"
#define TYPE_URL "type.googleapis.com/" TYPE_NAME

/* google.rpc.Status */
enum { STATUS_CODE = 1, STATUS_MESSAGE = 2, STATUS_DETAILS = 3 };
/* google.protobuf.Any */
enum { ANY_TYPE_URL = 1, ANY_VALUE = 2 };
/* google.rpc.ErrorInfo, and an entry of its map */
enum { INFO_REASON = 1, INFO_DOMAIN = 2, INFO_METADATA = 3 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };

/* -- writing --------------------------------------------------------------- */

static uint8_t *
put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static uint8_t *
put_bytes(uint8_t *at, unsigned field, const void *bytes, size_t size)
{
    at = put_varint(at, field << 3 | RPCRT__WIRE_BYTES);
    at = put_varint(at, size);
    memcpy(at, bytes, size);
    return at + size;
}

/* A text that is not empty. */
static uint8_t *
put_text(uint8_t *at, unsigned field, const char *text)
{
    return text[0] == '\0' ? at : put_bytes(at, field, text, strlen(text));
}

static size_t
info_encode(const struct rpcrt_error_info *info, uint8_t *bytes)
{
    uint8_t entry[RPCRT_REASON_SIZE_MAX + RPCRT_INFO_VALUE_SIZE_MAX + 8];
    uint8_t *at = bytes;
    size_t i;

    at = put_text(at, INFO_REASON, info->reason);
    at = put_text(at, INFO_DOMAIN, info->domain);
    for (i = 0; i < info->n_entries; i++) {
        uint8_t *end = put_text(entry, ENTRY_KEY, info->entries[i].name);

        end = put_text(end, ENTRY_VALUE, info->entries[i].value);
        at = put_bytes(at, INFO_METADATA, entry, (size_t)(end - entry));
    }
    return (size_t)(at - bytes);
}

size_t
rpcrt__details_encode(enum rpcrt_code code, const char *message,
                      const struct rpcrt_error_info *info,
                      uint8_t ret_bytes[RPCRT__DETAILS_ENCODED_MAX])
{
    uint8_t value[RPCRT__DETAILS_ENCODED_MAX - RPCRT_TEXT_SIZE - 128];
    uint8_t any[sizeof value + 64];
    char text[RPCRT_TEXT_SIZE];
    uint8_t *at = any;
    size_t any_size;

    rpcrt__details_text(text, sizeof text, message);
    at = put_text(at, ANY_TYPE_URL, TYPE_URL);
    at = put_bytes(at, ANY_VALUE, value, info_encode(info, value));
    any_size = (size_t)(at - any);
    at = ret_bytes;
    if (code != RPCRT_OK) {
        at = put_varint(at, STATUS_CODE << 3 | RPCRT__WIRE_VARINT);
        at = put_varint(at, (uint64_t)code);
    }
    at = put_text(at, STATUS_MESSAGE, text);
    at = put_bytes(at, STATUS_DETAILS, any, any_size);
    return (size_t)(at - ret_bytes);
}

/* -- an ErrorInfo ---------------------------------------------------------- */

void
rpcrt__details_text(char *field, size_t size, const char *text)
{
    size_t length = strlen(text);

    if (length >= size) {
        length = rpcrt__utf8_cut(text, size - 1);
    }
    memcpy(field, text, length);
    field[length] = '\0';
}

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

/* -- reading --------------------------------------------------------------- */

/* Copy a text that fits, or its beginning; false if it is no text. */
static bool
get_text(const struct rpcrt__fields *bytes, char *ret_text, size_t text_size)
{
    size_t size = (size_t)(bytes->end - bytes->at);

    if (rpcrt__utf8_valid_size(bytes->at, size) != size) {
        return false;
    }
    if (size >= text_size) {
        size = rpcrt__utf8_cut((const char *)bytes->at, text_size - 1);
    }
    memcpy(ret_text, bytes->at, size);
    ret_text[size] = '\0';
    return true;
}

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
             !get_text(&field.bytes, name, sizeof name)) ||
            (rpcrt__field_is(&field, ENTRY_VALUE) &&
             !get_text(&field.bytes, value, sizeof value))) {
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
             !get_text(&field.bytes, info->reason, sizeof info->reason)) ||
            (rpcrt__field_is(&field, INFO_DOMAIN) &&
             !get_text(&field.bytes, info->domain, sizeof info->domain)) ||
            (rpcrt__field_is(&field, INFO_METADATA) &&
             !entry_decode(field.bytes, info))) {
            return false;
        }
    }
    return true;
}

/* The type is what stands behind the last slash. */
static bool
is_error_info(const struct rpcrt__fields *type_url)
{
    size_t size = sizeof TYPE_NAME - 1;

    return (size_t)(type_url->end - type_url->at) > size &&
           memcmp(type_url->end - size, TYPE_NAME, size) == 0 &&
           *(type_url->end - size - 1) == '/';
}

/* One detail; if it is the first ErrorInfo, what is in it. */
static bool
any_decode(struct rpcrt__fields reader, bool *found,
           struct rpcrt_error_info *info)
{
    static const uint8_t nothing[1];
    struct rpcrt__fields type_url = {nothing, nothing};
    struct rpcrt__fields value = {nothing, nothing};
    struct rpcrt__wire_field field;

    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field)) {
            return false;
        }
        if (rpcrt__field_is(&field, ANY_TYPE_URL)) {
            type_url = field.bytes;
        } else if (rpcrt__field_is(&field, ANY_VALUE)) {
            value = field.bytes;
        }
    }
    if (*found || !is_error_info(&type_url)) {
        return true;
    }
    *found = true;
    return info_decode(value, info);
}

bool
rpcrt__details_decode(const uint8_t *bytes, size_t size, uint32_t *ret_code,
                      struct rpcrt_error_info *ret_info)
{
    struct rpcrt__fields reader = {bytes, bytes + size};
    struct rpcrt_error_info info = {.n_entries = 0};
    uint64_t code = 0;
    bool found = false;
    struct rpcrt__wire_field field;

    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field) ||
            (rpcrt__field_is(&field, STATUS_DETAILS) &&
             !any_decode(field.bytes, &found, &info))) {
            return false;
        }
        if (field.number == STATUS_CODE && field.type == RPCRT__WIRE_VARINT) {
            code = field.value;
        }
    }
    if (found) {
        *ret_code = (uint32_t)code;
        *ret_info = info;
    }
    return found;
}
