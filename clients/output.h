/*
 * What tools print: tables for people, JSON for programs, and bytes in both.
 *
 * Tables: columns are padded on a terminal; elsewhere they are separated by
 * one tab and have no heading, for cut and awk. Bytes that can't be shown
 * stand as \xHH, a backslash as \\.
 *
 * JSON: bytes are a string if they are valid UTF-8. If not, "_base64" is
 * behind the member's name, and the string is base64. One value a line.
 */
#ifndef CLIENTS_OUTPUT_H
#define CLIENTS_OUTPUT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- JSON ------------------------------------------------------------------ */

/* Members of an object that is being written to standard output; what comes
 * before a member is written by itself. */
struct output_json {
    bool started; /* the object has a member */
};

void output_json_begin(struct output_json *json);
void output_json_end(struct output_json *json);
void output_json_number(struct output_json *json, const char *name,
                        uint64_t number);
void output_json_signed(struct output_json *json, const char *name,
                        int64_t number);
void output_json_bool(struct output_json *json, const char *name, bool value);
void output_json_text(struct output_json *json, const char *name,
                      const char *text);
void output_json_bytes(struct output_json *json, const char *name,
                       const uint8_t *bytes, size_t size);
/* A member {"minor": ..., "currency": ...}. */
void output_json_money(struct output_json *json, const char *name,
                       int64_t minor, const char *currency);
/* A member whose value the caller writes next. */
void output_json_name(struct output_json *json, const char *name);

/* -- texts ----------------------------------------------------------------- */

/* The name of an enum's value as in its .proto; "?" for one that is newer. */
const char *output_enum(const ProtobufCEnumDescriptor *type, int number);

/* Milliseconds since 1970 as "2027-01-31 12:00:00 UTC"; "-" for none. */
#define OUTPUT_TIME_SIZE 32u
void output_time(int64_t at_ms, char ret_text[OUTPUT_TIME_SIZE]);

/* Columns that a UTF-8 text takes, one a character. */
size_t output_width(const char *text);

/* -- tables ---------------------------------------------------------------- */

#define OUTPUT_COLUMNS_MAX 8u

struct output_table {
    size_t n_columns;
    bool terminal;                  /* padded, with a heading */
    bool right[OUTPUT_COLUMNS_MAX]; /* columns that are padded in front */
    char **cells;                   /* row by row */
    size_t n_cells;
    bool no_memory;
};

/* A table with these headings. */
void output_table_init(struct output_table *table, const char *const *headings,
                       size_t n_columns);
void output_table_text(struct output_table *table, const char *text);
void output_table_number(struct output_table *table, uint64_t number);
void output_table_bytes(struct output_table *table, const uint8_t *bytes,
                        size_t size);
/* Let a column stand to the right, for amounts. */
void output_table_right(struct output_table *table, size_t column);
/* Print the table and free it; false without memory. */
bool output_table_end(struct output_table *table);

#endif
