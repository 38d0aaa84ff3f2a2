/*
 * Reading the fields of a serialized message one after the other, and writing
 * them, without a descriptor: for the few messages that the runtime knows by
 * heart.
 */
#ifndef RPCRT_WIRE_FIELDS_H
#define RPCRT_WIRE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rpcrt__wire_type {
    RPCRT__WIRE_VARINT = 0,
    RPCRT__WIRE_FIXED64 = 1,
    RPCRT__WIRE_BYTES = 2,
    RPCRT__WIRE_FIXED32 = 5
};

/* What is left of a message. */
struct rpcrt__fields {
    const uint8_t *at;
    const uint8_t *end;
};

struct rpcrt__wire_field {
    uint64_t number;
    enum rpcrt__wire_type type;
    uint64_t value;             /* of a VARINT */
    struct rpcrt__fields bytes; /* of BYTES */
};

/* Read the next field; false if it is malformed. Groups are. */
bool rpcrt__fields_next(struct rpcrt__fields *fields,
                        struct rpcrt__wire_field *field);

/* Whether it is field `number`, and BYTES. */
bool rpcrt__field_is(const struct rpcrt__wire_field *field, unsigned number);

/* -- writing: each returns the end of what it wrote ------------------------ */

uint8_t *rpcrt__put_varint_field(uint8_t *at, unsigned number, uint64_t value);

/* What stands before the bytes of a field; and the size of both. */
uint8_t *rpcrt__put_bytes_header(uint8_t *at, unsigned number, size_t size);
size_t rpcrt__bytes_field_size(unsigned number, size_t size);

/* A text; nothing if it is empty. And its size. */
uint8_t *rpcrt__put_text_field(uint8_t *at, unsigned number, const char *text);
size_t rpcrt__text_field_size(unsigned number, const char *text);

#endif
