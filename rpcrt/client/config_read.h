/*
 * Reading JSON objects whose members are known by a table, with the place of
 * each for who has to be told what is wrong. On top of wire/json_scan.h; knows
 * nothing of what the members mean.
 */
#ifndef RPCRT_CLIENT_CONFIG_READ_H
#define RPCRT_CLIENT_CONFIG_READ_H

#include "core/error.h"
#include "wire/json_scan.h"

#include <stdbool.h>
#include <stdint.h>

/* Deeper than any field of a service config stands. */
#define RPCRT__CONFIG_DEPTH_MAX 8u

struct rpcrt__config_read {
    struct rpcrt__json_scan scan;
    struct rpcrt__json_buffer decoded; /* the last string with escapes */
    struct {
        const char *field; /* NULL: an element of an array */
        size_t index;
    } places[RPCRT__CONFIG_DEPTH_MAX];
    unsigned n_places; /* left as it is on failure */
    bool no_memory;
};

/* Reads one value that is not null; false if it is refused. */
typedef bool rpcrt__config_read_fn(struct rpcrt__config_read *read, void *to);

struct rpcrt__config_member {
    const char *name;
    rpcrt__config_read_fn *fn;
    size_t offset; /* from the `to` of the object */
};

void rpcrt__config_read_init(struct rpcrt__config_read *read, const char *json);
void rpcrt__config_read_fini(struct rpcrt__config_read *read);

/* Note a problem where the text is read; static text; returns false. */
bool rpcrt__config_refuse(struct rpcrt__config_read *read, const char *problem);
bool rpcrt__config_out_of_memory(struct rpcrt__config_read *read);

/* What is wrong, and where, as an error; its code is returned. */
enum rpcrt_code rpcrt__config_describe(const struct rpcrt__config_read *read,
                                       struct rpcrt__error *ret_error);

/* Read an object: members of the table once at the most, others are passed
 * over. ret_seen: a bit for each of the table that was there and not null. */
bool rpcrt__config_object(struct rpcrt__config_read *read,
                          const struct rpcrt__config_member *members,
                          size_t n_members, void *to, uint32_t *ret_seen);

/* Read an array, each element by a function. */
bool rpcrt__config_array(struct rpcrt__config_read *read,
                         rpcrt__config_read_fn *fn, void *to);

/* Read a string; good until the next one is read. */
bool rpcrt__config_string(struct rpcrt__config_read *read,
                          struct rpcrt__json_slice *ret_string);

/* -- values; `to` is what the name says ------------------------------------ */

bool rpcrt__config_bool(struct rpcrt__config_read *read, void *to);
bool rpcrt__config_double(struct rpcrt__config_read *read, void *to);
/* A number, or one in quotes. */
bool rpcrt__config_uint32(struct rpcrt__config_read *read, void *to);
/* "1.5s", as a uint32_t of milliseconds, at least 1; parts of one count as
 * one. */
bool rpcrt__config_duration_ms(struct rpcrt__config_read *read, void *to);
/* An array of codes by name or number, as a uint32_t of bits. */
bool rpcrt__config_codes(struct rpcrt__config_read *read, void *to);

#endif
