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
void output_json_bool(struct output_json *json, const char *name, bool value);
void output_json_text(struct output_json *json, const char *name,
                      const char *text);
void output_json_bytes(struct output_json *json, const char *name,
                       const uint8_t *bytes, size_t size);
/* A member whose value the caller writes next. */
void output_json_name(struct output_json *json, const char *name);

/* -- tables ---------------------------------------------------------------- */

#define OUTPUT_COLUMNS_MAX 8u

struct output_table {
    size_t n_columns;
    bool terminal; /* padded, with a heading */
    char **cells;  /* row by row */
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
/* Print the table and free it; false without memory. */
bool output_table_end(struct output_table *table);

#endif
