/*
 * The violations of a google.rpc.BadRequest, written and read: see details.h.
 */
#include "wire/details.h"

#include <string.h>

enum { REQUEST_VIOLATIONS = 1 };
enum { VIOLATION_FIELD = 1, VIOLATION_DESCRIPTION = 2 };

size_t
rpcrt__violation_encode(const char *field, const char *text,
                        uint8_t ret_bytes[RPCRT__VIOLATION_MAX])
{
    struct rpcrt_violation cut;
    size_t size;
    uint8_t *at;

    rpcrt__details_text(cut.field, sizeof cut.field, field);
    rpcrt__details_text(cut.text, sizeof cut.text, text);
    size = rpcrt__text_field_size(VIOLATION_FIELD, cut.field) +
           rpcrt__text_field_size(VIOLATION_DESCRIPTION, cut.text);
    at = rpcrt__put_bytes_header(ret_bytes, REQUEST_VIOLATIONS, size);
    at = rpcrt__put_text_field(at, VIOLATION_FIELD, cut.field);
    at = rpcrt__put_text_field(at, VIOLATION_DESCRIPTION, cut.text);
    return (size_t)(at - ret_bytes);
}

static bool
violation_decode(struct rpcrt__fields reader, struct rpcrt_violation *violation)
{
    struct rpcrt__wire_field field;

    violation->field[0] = '\0';
    violation->text[0] = '\0';
    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field) ||
            (rpcrt__field_is(&field, VIOLATION_FIELD) &&
             !rpcrt__details_get_text(&field.bytes, violation->field,
                                      sizeof violation->field)) ||
            (rpcrt__field_is(&field, VIOLATION_DESCRIPTION) &&
             !rpcrt__details_get_text(&field.bytes, violation->text,
                                      sizeof violation->text))) {
            return false;
        }
    }
    return true;
}

size_t
rpcrt__violations_decode(const uint8_t *status, size_t status_size,
                         struct rpcrt_violation *ret_items, size_t n_items)
{
    struct rpcrt_violation violation;
    struct rpcrt__fields reader;
    struct rpcrt__wire_field field;
    size_t n = 0;

    if (!rpcrt__details_find(status, status_size, RPCRT__BAD_REQUEST,
                             &reader)) {
        return 0;
    }
    while (reader.at < reader.end) {
        if (!rpcrt__fields_next(&reader, &field)) {
            return 0;
        }
        if (!rpcrt__field_is(&field, REQUEST_VIOLATIONS)) {
            continue;
        }
        if (!violation_decode(field.bytes, &violation)) {
            return 0;
        }
        if (n < n_items) {
            ret_items[n] = violation;
        }
        n++;
    }
    return n;
}
