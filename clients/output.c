/*
 * Tables and JSON: see output.h.
 */
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* -- bytes ----------------------------------------------------------------- */

/* Length of the UTF-8 character at the beginning of some bytes; 0 if there is
 * none. */
static size_t
character_size(const uint8_t *bytes, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = bytes[0] < 0x80   ? 1
                    : bytes[0] < 0xc2 ? 0
                    : bytes[0] < 0xe0 ? 2
                    : bytes[0] < 0xf0 ? 3
                    : bytes[0] < 0xf5 ? 4
                                      : 0;
    uint32_t character = bytes[0] & (0xffu >> (length + 1));
    size_t i;

    if (length <= 1 || length > size) {
        return length <= size ? length : 0;
    }
    for (i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0u) != 0x80) {
            return 0;
        }
        character = character << 6 | (bytes[i] & 0x3fu);
    }
    return character < least[length] || character > 0x10ffff ||
                   (character >= 0xd800 && character < 0xe000)
               ? 0
               : length;
}

static bool
is_utf8(const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        size_t length = character_size(bytes, size);

        if (length == 0) {
            return false;
        }
        bytes += length;
        size -= length;
    }
    return true;
}

/* -- JSON ------------------------------------------------------------------ */

void
output_json_begin(struct output_json *json)
{
    json->started = false;
    (void)putchar('{');
}

void
output_json_end(struct output_json *json)
{
    json->started = true;
    (void)putchar('}');
}

static void
json_string(const uint8_t *bytes, size_t size)
{
    size_t i;

    (void)putchar('"');
    for (i = 0; i < size; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\') {
            (void)printf("\\%c", bytes[i]);
        } else if (bytes[i] < 0x20 || bytes[i] == 0x7f) {
            (void)printf("\\u%04x", bytes[i]);
        } else {
            (void)putchar(bytes[i]);
        }
    }
    (void)putchar('"');
}

static void
json_base64(const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i;

    (void)putchar('"');
    for (i = 0; i < size; i += 3) {
        size_t n = size - i < 3 ? size - i : 3;
        uint32_t bits = (uint32_t)bytes[i] << 16;

        bits |= n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        bits |= n > 2 ? (uint32_t)bytes[i + 2] : 0;
        (void)putchar(digits[bits >> 18]);
        (void)putchar(digits[bits >> 12 & 63u]);
        (void)putchar(n > 1 ? digits[bits >> 6 & 63u] : '=');
        (void)putchar(n > 2 ? digits[bits & 63u] : '=');
    }
    (void)putchar('"');
}

void
output_json_name(struct output_json *json, const char *name)
{
    (void)printf("%s\"%s\":", json->started ? "," : "", name);
    json->started = true;
}

void
output_json_number(struct output_json *json, const char *name, uint64_t number)
{
    output_json_name(json, name);
    (void)printf("%llu", (unsigned long long)number);
}

void
output_json_signed(struct output_json *json, const char *name, int64_t number)
{
    output_json_name(json, name);
    (void)printf("%lld", (long long)number);
}

void
output_json_bool(struct output_json *json, const char *name, bool value)
{
    output_json_name(json, name);
    (void)fputs(value ? "true" : "false", stdout);
}

void
output_json_text(struct output_json *json, const char *name, const char *text)
{
    output_json_bytes(json, name, (const uint8_t *)text, strlen(text));
}

void
output_json_bytes(struct output_json *json, const char *name,
                  const uint8_t *bytes, size_t size)
{
    if (is_utf8(bytes, size)) {
        output_json_name(json, name);
        json_string(bytes, size);
        return;
    }
    (void)printf("%s\"%s_base64\":", json->started ? "," : "", name);
    json->started = true;
    json_base64(bytes, size);
}

void
output_json_money(struct output_json *json, const char *name, int64_t minor,
                  const char *currency)
{
    struct output_json money;

    output_json_name(json, name);
    output_json_begin(&money);
    output_json_signed(&money, "minor", minor);
    output_json_text(&money, "currency", currency);
    output_json_end(&money);
}

/* -- texts ----------------------------------------------------------------- */

const char *
output_enum(const ProtobufCEnumDescriptor *type, int number)
{
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value(type, number);

    return value != NULL ? value->name : "?";
}

void
output_time(int64_t at_ms, char ret_text[OUTPUT_TIME_SIZE])
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;

    if (at_ms <= 0 || gmtime_r(&seconds, &parts) == NULL ||
        strftime(ret_text, OUTPUT_TIME_SIZE, "%Y-%m-%d %H:%M:%S UTC", &parts) ==
            0) {
        (void)snprintf(ret_text, OUTPUT_TIME_SIZE, "-");
    }
}

/* -- tables ---------------------------------------------------------------- */

static void
table_add(struct output_table *table, char *cell)
{
    char **cells = realloc(table->cells, (table->n_cells + 1) * sizeof(*cells));

    if (cell == NULL || cells == NULL) {
        table->no_memory = true;
        free(cell);
    } else {
        cells[table->n_cells++] = cell;
    }
    table->cells = cells == NULL ? table->cells : cells;
}

void
output_table_init(struct output_table *table, const char *const *headings,
                  size_t n_columns)
{
    size_t i;

    *table = (struct output_table){.n_columns = n_columns,
                                   .terminal = isatty(STDOUT_FILENO) == 1};
    for (i = 0; table->terminal && i < n_columns; i++) {
        output_table_text(table, headings[i]);
    }
}

void
output_table_text(struct output_table *table, const char *text)
{
    table_add(table, strdup(text));
}

void
output_table_number(struct output_table *table, uint64_t number)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    output_table_text(table, text);
}

void
output_table_bytes(struct output_table *table, const uint8_t *bytes,
                   size_t size)
{
    char *text = size < SIZE_MAX / 4 ? malloc(4 * size + 1) : NULL;
    char *end = text;

    if (text == NULL) {
        table->no_memory = true;
        return;
    }
    while (size > 0) {
        size_t length = character_size(bytes, size);

        if (length == 0 || bytes[0] < 0x20 || bytes[0] == 0x7f) {
            end += snprintf(end, 5, "\\x%02x", bytes[0]);
            length = 1;
        } else if (bytes[0] == '\\') {
            *end++ = '\\';
            *end++ = '\\';
        } else {
            memcpy(end, bytes, length);
            end += length;
        }
        bytes += length;
        size -= length;
    }
    *end = '\0';
    table_add(table, text);
}

void
output_table_right(struct output_table *table, size_t column)
{
    table->right[column] = true;
}

size_t
output_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0u) != 0x80 ? 1 : 0;
    }
    return width;
}

static void
print_rows(const struct output_table *table)
{
    size_t widths[OUTPUT_COLUMNS_MAX] = {0};
    size_t i;

    for (i = 0; i < table->n_cells; i++) {
        size_t width = output_width(table->cells[i]);
        size_t *column = &widths[i % table->n_columns];

        *column = width > *column ? width : *column;
    }
    for (i = 0; i < table->n_cells; i++) {
        size_t column = i % table->n_columns;
        bool last = column + 1 == table->n_columns;
        int blanks = (int)(widths[column] - output_width(table->cells[i]));

        if (table->terminal && table->right[column]) {
            (void)printf("%*s", blanks, "");
            blanks = 0;
        }
        (void)fputs(table->cells[i], stdout);
        if (last) {
            (void)putchar('\n');
        } else if (table->terminal) {
            (void)printf("%*s", blanks + 2, "");
        } else {
            (void)putchar('\t');
        }
    }
}

bool
output_table_end(struct output_table *table)
{
    bool ok = !table->no_memory;
    size_t i;

    if (ok) {
        print_rows(table);
    }
    for (i = 0; i < table->n_cells; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    *table = (struct output_table){0};
    return ok;
}
