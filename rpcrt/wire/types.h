/*
 * Between the parts that make types at run time: files and symbols are found
 * first (types.c), then enums (types_enum.c), messages (types_message.c,
 * types_layout.c, types_default.c) and services (types_service.c) are made of
 * them. All memory is one arena, freed as a whole.
 *
 * Whatever fails sets the error of the types, and the first one stays; so the
 * readers go on to their end and it is asked for once.
 */
#ifndef RPCRT_WIRE_TYPES_H
#define RPCRT_WIRE_TYPES_H

#include "core/arena.h"
#include "core/error.h"
#include "wire/fields.h"

#include <rpcrt/gen.h>
#include <rpcrt/types.h>

/* Bounds that no .proto written by hand meets. */
#define RPCRT__TYPES_NAME_MAX 512u
#define RPCRT__TYPES_FILES_MAX 4096u
#define RPCRT__TYPES_FIELDS_MAX 8192u
#define RPCRT__TYPES_NUMBER_MAX ((1u << 29) - 1)

struct rpcrt__types_secret {
    struct rpcrt__types_secret *next;
    struct rpcrt_sensitive_field field;
};

struct rpcrt__types_file {
    struct rpcrt__types_file *next;
    struct rpcrt_file own;  /* its messages alone */
    struct rpcrt_file file; /* the same; imports the `own` of all files, so that
                               looking through it ends soon */
    struct rpcrt__fields proto;
    const char *package;
    const ProtobufCMessageDescriptor **messages;
    struct rpcrt__types_secret *secrets;
    bool is_proto3;
};

enum rpcrt__types_kind {
    RPCRT__TYPES_MESSAGE,
    RPCRT__TYPES_ENUM,
    RPCRT__TYPES_SERVICE
};

struct rpcrt__types_symbol {
    struct rpcrt__types_symbol *next;
    const char *name; /* in full */
    struct rpcrt__types_file *file;
    struct rpcrt__fields proto;
    enum rpcrt__types_kind kind;
    union {
        ProtobufCMessageDescriptor message;
        ProtobufCEnumDescriptor enumeration;
        struct rpcrt_service service;
    } made;
};

struct rpcrt_types {
    struct rpcrt__arena arena;
    struct rpcrt__error error;
    struct rpcrt__types_file *files;
    struct rpcrt__types_file **files_end;
    size_t n_files;
    struct rpcrt__types_file *asked; /* whose imports were told up to there */
    struct rpcrt__fields asked_rest;
    struct rpcrt__types_symbol *symbols; /* in the order of the files */
    struct rpcrt__types_symbol **symbols_end;
    struct rpcrt__types_symbol **by_name;
    size_t n_symbols;
    const struct rpcrt_service **services;
    size_t n_services;
    bool linked;
};

/* -- errors and memory: types.c -------------------------------------------- */

/* Whether nothing has failed yet. */
bool rpcrt__types_ok(const struct rpcrt_types *types);

/* Fail, unless that has happened already; always false. */
bool rpcrt__types_fail(struct rpcrt_types *types, enum rpcrt_code code,
                       const char *format, ...) RPCRT_PRINTF(3, 4);

/* Zeroed memory for n things of a size; NULL: that has been told. */
void *rpcrt__types_alloc(struct rpcrt_types *types, size_t n, size_t size);

/* The next field of a message of a descriptor; false at its end, or when
 * something has failed. */
bool rpcrt__types_next(struct rpcrt_types *types, struct rpcrt__fields *fields,
                       struct rpcrt__wire_field *ret_field);

/* Which fields that are bytes have a number: how many there are. */
size_t rpcrt__types_count(struct rpcrt_types *types,
                          struct rpcrt__fields fields, unsigned number);

/* -- names: types_symbols.c ------------------------------------------------ */

/* A copy of an identifier; NULL if it is none, and that has been told. `where`
 * is what it stands in. */
const char *rpcrt__types_name(struct rpcrt_types *types, const char *where,
                              struct rpcrt__fields bytes);

/* "where.name", or "name" if where is empty; NULL as above. */
const char *rpcrt__types_join(struct rpcrt_types *types, const char *where,
                              const char *name);

/* Find all symbols of all files and sort them. */
void rpcrt__types_collect(struct rpcrt_types *types);

/* A symbol by its full name; NULL if there is none. */
struct rpcrt__types_symbol *rpcrt__types_find(const struct rpcrt_types *types,
                                              const char *name);

/* The symbol that a reference like ".kv.v1.PutRequest" names; NULL if there is
 * none, and that has been told. `where` is a symbol of `file`. */
struct rpcrt__types_symbol *
rpcrt__types_resolve(struct rpcrt_types *types,
                     const struct rpcrt__types_file *file, const char *where,
                     struct rpcrt__fields reference);

/* -- making ---------------------------------------------------------------- */

void rpcrt__types_make_enum(struct rpcrt_types *types,
                            struct rpcrt__types_symbol *symbol);
void rpcrt__types_make_message(struct rpcrt_types *types,
                               struct rpcrt__types_symbol *symbol);
void rpcrt__types_make_service(struct rpcrt_types *types,
                               struct rpcrt__types_symbol *symbol);

/* Ranges of numbers without holes, for protobuf-c to search: `number_at` tells
 * the i-th of n ascending ones. Returns how many there are; 0 without any. */
unsigned
rpcrt__types_ranges(struct rpcrt_types *types, unsigned n,
                    int32_t (*number_at)(const void *items, unsigned i),
                    const void *items, const ProtobufCIntRange **ret_ranges);

/* One field of a message as its descriptor has it. */
struct rpcrt__types_field {
    const char *name;
    struct rpcrt__fields type_name;
    struct rpcrt__fields default_text;
    uint64_t number;
    uint64_t label;
    uint64_t type;
    uint64_t oneof; /* index + 1; 0: none */
    bool has_default;
    bool packed_given;
    bool packed;
    bool deprecated;
    bool sensitive;
};

/* Give the fields of a message their places in its struct; returns its size. */
size_t rpcrt__types_layout(struct rpcrt_types *types,
                           const struct rpcrt__types_field *fields,
                           ProtobufCFieldDescriptor *made, unsigned n_fields,
                           size_t n_oneofs);

/* The default value that a field's descriptor gives; NULL: none, or it makes no
 * sense, which has been told. Enums have been made. */
const void *rpcrt__types_default(struct rpcrt_types *types,
                                 const struct rpcrt__types_symbol *symbol,
                                 const struct rpcrt__types_field *field,
                                 const ProtobufCFieldDescriptor *made);

#endif
