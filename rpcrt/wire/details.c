/*
 * The google.rpc.Status of details.h, by hand: it is three fields, and
 * protobuf's own message is not there when the runtime is built. Unknown fields
 * are kept, and a field that comes twice has its last value, as protobuf wants
 * it.
 */
#include "wire/details.h"

#include "core/utf8.h"
#include <string.h>

#define URL_PREFIX "type.googleapis.com/"

enum { STATUS_CODE = 1, STATUS_MESSAGE = 2, STATUS_DETAILS = 3 };
/* google.protobuf.Any */
enum { ANY_TYPE_URL = 1, ANY_VALUE = 2 };

/* -- texts ----------------------------------------------------------------- */

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
rpcrt__details_get_text(const struct rpcrt__fields *bytes, char *ret_text,
                        size_t text_size)
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

/* -- reading --------------------------------------------------------------- */

/* What is in an Any; false if it is not well-formed. */
static bool
any_decode(struct rpcrt__fields reader, struct rpcrt__fields *ret_type_url,
           struct rpcrt__fields *ret_value)
{
    static const uint8_t nothing[1];
    struct rpcrt__wire_field field;

    *ret_type_url = (struct rpcrt__fields){nothing, nothing};
    *ret_value = (struct rpcrt__fields){nothing, nothing};
    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field)) {
            return false;
        }
        if (rpcrt__field_is(&field, ANY_TYPE_URL)) {
            *ret_type_url = field.bytes;
        } else if (rpcrt__field_is(&field, ANY_VALUE)) {
            *ret_value = field.bytes;
        }
    }
    return true;
}

/* The type is what stands behind the last slash. */
static bool
is_type(const struct rpcrt__fields *type_url, const char *type)
{
    size_t size = strlen(type);

    return (size_t)(type_url->end - type_url->at) > size &&
           memcmp(type_url->end - size, type, size) == 0 &&
           *(type_url->end - size - 1) == '/';
}

/* Find the first detail of a type: its field in the Status, from `ret_from` to
 * `ret_to`, and its value; both NULL if there is none. False if the Status is
 * not well-formed. */
static bool
locate(struct rpcrt__fields reader, const char *type, const uint8_t **ret_from,
       const uint8_t **ret_to, struct rpcrt__fields *ret_value)
{
    struct rpcrt__fields type_url;
    struct rpcrt__fields value;
    struct rpcrt__wire_field field;

    *ret_from = NULL;
    *ret_to = NULL;
    while (reader.at < reader.end) {
        const uint8_t *from = reader.at;

        if (!rpcrt__fields_next(&reader, &field)) {
            return false;
        }
        if (!rpcrt__field_is(&field, STATUS_DETAILS)) {
            continue;
        }
        if (!any_decode(field.bytes, &type_url, &value)) {
            return false;
        }
        if (*ret_from == NULL && is_type(&type_url, type)) {
            *ret_from = from;
            *ret_to = reader.at;
            *ret_value = value;
        }
    }
    return true;
}

bool
rpcrt__details_find(const uint8_t *status, size_t status_size, const char *type,
                    struct rpcrt__fields *ret_value)
{
    struct rpcrt__fields reader = {status, status + status_size};
    const uint8_t *from;
    const uint8_t *to;

    return locate(reader, type, &from, &to, ret_value) && from != NULL;
}

uint32_t
rpcrt__details_code(const uint8_t *status, size_t status_size)
{
    struct rpcrt__fields reader = {status, status + status_size};
    struct rpcrt__wire_field field;
    uint64_t code = 0;

    while (reader.at < reader.end && rpcrt__fields_next(&reader, &field)) {
        if (field.number == STATUS_CODE && field.type == RPCRT__WIRE_VARINT) {
            code = field.value;
        }
    }
    return (uint32_t)code;
}

/* -- writing --------------------------------------------------------------- */

size_t
rpcrt__details_begin(enum rpcrt_code code, const char *message,
                     uint8_t ret_bytes[RPCRT__DETAILS_ENCODED_MAX])
{
    char text[RPCRT_TEXT_SIZE];
    uint8_t *at = ret_bytes;

    rpcrt__details_text(text, sizeof text, message);
    if (code != RPCRT_OK) {
        at = rpcrt__put_varint_field(at, STATUS_CODE, (uint64_t)code);
    }
    at = rpcrt__put_text_field(at, STATUS_MESSAGE, text);
    return (size_t)(at - ret_bytes);
}

size_t
rpcrt__details_put(const uint8_t *status, size_t status_size, const char *type,
                   const uint8_t *value, size_t value_size, uint8_t *ret_bytes,
                   size_t room)
{
    struct rpcrt__fields reader = {status, status + status_size};
    size_t url_size = sizeof URL_PREFIX - 1 + strlen(type);
    size_t any_size = rpcrt__bytes_field_size(ANY_TYPE_URL, url_size) +
                      rpcrt__bytes_field_size(ANY_VALUE, value_size);
    struct rpcrt__fields old_value;
    const uint8_t *from;
    const uint8_t *to;
    uint8_t *at = ret_bytes;

    if (!locate(reader, type, &from, &to, &old_value)) {
        return 0;
    }
    if (from == NULL) {
        from = reader.end;
        to = reader.end;
    }
    if (status_size - (size_t)(to - from) +
            rpcrt__bytes_field_size(STATUS_DETAILS, any_size) >
        room) {
        return 0;
    }
    memcpy(at, status, (size_t)(from - status));
    at += from - status;
    at = rpcrt__put_bytes_header(at, STATUS_DETAILS, any_size);
    at = rpcrt__put_bytes_header(at, ANY_TYPE_URL, url_size);
    memcpy(at, URL_PREFIX, sizeof URL_PREFIX - 1);
    memcpy(at + sizeof URL_PREFIX - 1, type, strlen(type));
    at = rpcrt__put_bytes_header(at + url_size, ANY_VALUE, value_size);
    memcpy(at, value, value_size);
    at += value_size;
    memcpy(at, to, (size_t)(reader.end - to));
    return (size_t)(at + (reader.end - to) - ret_bytes);
}
