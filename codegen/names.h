/*
 * How names of a .proto become names of C: by rules of our own for functions,
 * and by those of protoc-gen-c for what it generates, which must be met
 * exactly. Knows no descriptors.
 */
#ifndef CODEGEN_NAMES_H
#define CODEGEN_NAMES_H

#include "memory.h"

#include <stdbool.h>

/** snake_case with single underscores: "kv.v1" is kv_v1, "GetHTTPInfo" is
 * get_http_info. May be empty. */
char *name_snake(struct pool *pool, const char *name);

char *name_upper(struct pool *pool, const char *name);

/** A path as an identifier: "kv/v1/kv" is kv_v1_kv. */
char *name_of_path(struct pool *pool, const char *path);

/** A full name with each part in protoc-gen-c's type, function and macro case:
 * "kv.v1.PutReply" is Kv__V1__PutReply, kv__v1__put_reply and
 * KV__V1__PUT_REPLY. */
char *name_c_type(struct pool *pool, const char *full_name);
char *name_c_lower(struct pool *pool, const char *full_name);
char *name_c_upper(struct pool *pool, const char *full_name);

/** The member of a message's struct for a field: lower case, and "_" behind
 * what protoc-gen-c knows as a word of C or C++. */
char *name_c_field(struct pool *pool, const char *name);

/** Whether a C11 or C++17 compiler takes the name for something else. */
bool name_is_taken(const char *name);

/** Whether name(...) is a macro of a header that generated code includes. */
bool name_is_macro(const char *name);

/** Whether a name can stand in a .proto. */
bool name_is_identifier(const char *name);

/** The same of one with a package: identifiers with dots between; "" too. */
bool name_is_full(const char *name);

#endif
