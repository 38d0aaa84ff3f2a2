/*
 * Writing JSON: brackets, commas, lines, strings and numbers. Knows nothing of
 * messages.
 */
#ifndef RPCRT_WIRE_JSON_WRITE_H
#define RPCRT_WIRE_JSON_WRITE_H

#include "wire/json_buffer.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

struct rpcrt__json_writer {
    struct rpcrt__json_buffer out;
    bool pretty;
    unsigned level; /* objects and arrays that are open */
    bool first;     /* in the innermost of them */
};

/* As it is. */
void rpcrt__json_put(struct rpcrt__json_writer *writer, const char *data,
                     size_t size);
void rpcrt__json_put_text(struct rpcrt__json_writer *writer, const char *text);

/* In quotes; false if it is not UTF-8. */
bool rpcrt__json_put_string(struct rpcrt__json_writer *writer, const char *text,
                            size_t size);

/* An object or an array: its bracket, what is before each member or element,
 * and the bracket that closes it. */
void rpcrt__json_put_open(struct rpcrt__json_writer *writer,
                          const char *bracket);
void rpcrt__json_put_next(struct rpcrt__json_writer *writer);
void rpcrt__json_put_close(struct rpcrt__json_writer *writer,
                           const char *bracket);

/* Behind the name of a member. */
void rpcrt__json_put_colon(struct rpcrt__json_writer *writer);

void rpcrt__json_put_real(struct rpcrt__json_writer *writer, double value,
                          bool is_float);

/* An integer, as a struct has it; in quotes if it has 64 bits or is a key of a
 * map. False if the type is none. */
bool rpcrt__json_put_integer(struct rpcrt__json_writer *writer,
                             ProtobufCType type, const void *member,
                             bool is_key);

#endif
