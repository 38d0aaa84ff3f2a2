/*
 * Reading and checking a catalogue: see petctl_catalogue.h. The rules are those
 * of petstore.proto; the shop checks them again.
 */
#include "petctl_catalogue.h"
#include "money.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX ((size_t)64 << 20)
#define PRICE_MAX INT64_C(1000000000000)
#define SPECIES_LENGTH_MAX 40u
#define NAME_LENGTH_MAX 80u
#define DESCRIPTION_LENGTH_MAX 1000u

void
catalogue_complain(const struct cli *cli, const struct catalogue *catalogue,
                   size_t line, size_t number, const char *format, ...)
{
    char text[CLI_FAILURE_SIZE];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)cli_fail(cli, "%s:%zu: entry %zu: %s", catalogue->path, line, number,
                   text);
}

/* -- lines ----------------------------------------------------------------- */

/* The lines on which the elements of the outermost array begin. The text has
 * been parsed, so it is well-formed. */
static void
lines_find(const char *text, size_t size, size_t *lines, size_t n_lines)
{
    size_t line = 1;
    size_t depth = 0;
    size_t n = 0;
    bool in_string = false;
    bool between = false; /* elements, or before the first */
    size_t i;

    for (i = 0; i < size && n < n_lines; i++) {
        char c = text[i];

        if (c == '\n') {
            line++;
        } else if (in_string) {
            in_string = c != '"';
            i += c == '\\' ? 1 : 0;
        } else if (strchr(" \t\r", c) == NULL) {
            if (depth == 1 && between && c != ']') {
                lines[n++] = line;
                between = false;
            }
            in_string = c == '"';
            depth += c == '[' || c == '{' ? 1 : 0;
            between = between || (depth == 1 && (c == ',' || n == 0));
            depth -= c == ']' || c == '}' ? 1 : 0;
        }
    }
}

/* -- entries --------------------------------------------------------------- */

/* Characters of a valid UTF-8 text. */
static size_t
length_of(const char *text)
{
    size_t length = 0;

    for (; *text != '\0'; text++) {
        length += ((unsigned char)*text & 0xc0u) != 0x80 ? 1 : 0;
    }
    return length;
}

static bool
has_control(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

/* What is wrong with the entry that is being looked at. */
struct problem {
    char text[160];
};

static bool RPCRT_PRINTF(2, 3)
    wrong(struct problem *problem, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(problem->text, sizeof(problem->text), format, args);
    va_end(args);
    return false;
}

/* A member that is a text of some length; `otherwise` if it may be left out,
 * else NULL. It may be empty where that is the same as left out. */
static bool
text_read(const json_t *object, const char *member, const char *otherwise,
          size_t length_max, struct problem *problem, const char **ret_text)
{
    const json_t *value = json_object_get(object, member);
    const char *text = value == NULL ? otherwise : json_string_value(value);

    if (value == NULL && otherwise == NULL) {
        return wrong(problem, "%s: is missing", member);
    }
    if (text == NULL) {
        return wrong(problem, "%s: expected a text", member);
    }
    if (text[0] == '\0' && (otherwise == NULL || otherwise[0] != '\0')) {
        return wrong(problem, "%s: is empty", member);
    }
    if (length_of(text) > length_max) {
        return wrong(problem, "%s: %zu characters, %zu are the most", member,
                     length_of(text), length_max);
    }
    if (has_control(text)) {
        return wrong(problem, "%s: has a control character", member);
    }
    *ret_text = text;
    return true;
}

static bool
price_read(const json_t *object, struct problem *problem,
           struct catalogue_entry *entry)
{
    const json_t *value = json_object_get(object, "price");
    const char *text = json_string_value(value);

    if (value == NULL) {
        return wrong(problem, "price: is missing");
    }
    /* A JSON number may have gone through floating point on its way here. */
    if (text == NULL) {
        return wrong(problem, "price: expected a text, such as \"12.50\"");
    }
    if (!money_read(text, entry->currency, &entry->price)) {
        return wrong(problem,
                     "price: '%.32s' is no amount of %s with at most %u digits "
                     "behind the point",
                     text, entry->currency, money_exponent(entry->currency));
    }
    if (entry->price == 0 || entry->price > PRICE_MAX) {
        return wrong(problem,
                     "price: '%.32s' is not above zero and at most "
                     "10^12 minor units",
                     text);
    }
    return true;
}

static bool
members_known(const json_t *object, struct problem *problem)
{
    static const char *const known[] = {"id",    "species",  "name",
                                        "price", "currency", "description"};
    json_t *copy = json_copy((json_t *)(uintptr_t)object);
    const char *member;
    json_t *value;
    bool ok = true;
    size_t i;

    for (i = 0; copy != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
        (void)json_object_del(copy, known[i]);
    }
    json_object_foreach(copy, member, value)
    {
        ok = wrong(problem, "%.64s: there is no such field", member);
        break;
    }
    json_decref(copy);
    return ok;
}

/* -- ids ------------------------------------------------------------------- */

static bool
id_ok(const char *id)
{
    size_t i;

    for (i = 0; id[i] != '\0'; i++) {
        if (!isalnum((unsigned char)id[i]) && strchr("-_.", id[i]) == NULL) {
            return false;
        }
    }
    return i > 0 && i < CATALOGUE_ID_SIZE;
}

/* FNV-1a over a text and its end. */
static uint64_t
hash_add(uint64_t hash, const char *text)
{
    do {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    } while (*text++ != '\0');
    return hash;
}

/* An id of what the entry says, and how many before it say the same: two of a
 * kind are two animals. */
static void
id_make(const json_t *seen, struct catalogue_entry *entry)
{
    unsigned n = 0;

    do {
        uint64_t hash = UINT64_C(0xcbf29ce484222325);
        char number[64];

        (void)snprintf(number, sizeof(number), "%lld %u",
                       (long long)entry->price, n++);
        hash = hash_add(hash, entry->species);
        hash = hash_add(hash, entry->name);
        hash = hash_add(hash, entry->description);
        hash = hash_add(hash, entry->currency);
        hash = hash_add(hash, number);
        (void)snprintf(entry->id, sizeof(entry->id), "pet-%016llx",
                       (unsigned long long)hash);
    } while (json_object_get(seen, entry->id) != NULL);
}

static bool
id_read(const json_t *object, json_t *seen, struct problem *problem,
        struct catalogue_entry *entry)
{
    const json_t *value = json_object_get(object, "id");
    const char *id = json_string_value(value);
    const json_t *before;

    if (value == NULL) {
        id_make(seen, entry);
    } else if (id == NULL || !id_ok(id)) {
        return wrong(problem, "id: expected 1 to 64 letters, digits, '-', '_' "
                              "or '.'");
    } else {
        (void)snprintf(entry->id, sizeof(entry->id), "%s", id);
    }
    before = json_object_get(seen, entry->id);
    if (before != NULL) {
        return wrong(problem, "id: entry %lld has '%s', too",
                     (long long)json_integer_value(before), entry->id);
    }
    return json_object_set_new(seen, entry->id,
                               json_integer((json_int_t)entry->number)) == 0
               ? true
               : wrong(problem, "out of memory");
}

static bool
entry_read(const json_t *object, const char *currency, json_t *seen,
           struct problem *problem, struct catalogue_entry *entry)
{
    if (!json_is_object(object)) {
        return wrong(problem, "expected an object, {...}");
    }
    return members_known(object, problem) &&
           text_read(object, "species", NULL, SPECIES_LENGTH_MAX, problem,
                     &entry->species) &&
           text_read(object, "name", NULL, NAME_LENGTH_MAX, problem,
                     &entry->name) &&
           text_read(object, "description", "", DESCRIPTION_LENGTH_MAX, problem,
                     &entry->description) &&
           text_read(object, "currency", currency, 3, problem,
                     &entry->currency) &&
           price_read(object, problem, entry) &&
           id_read(object, seen, problem, entry);
}

/* -- files ----------------------------------------------------------------- */

/* Check all entries, and keep those that are right. */
static bool
entries_read(const struct cli *cli, const struct cli_bytes *text,
             const char *currency, struct catalogue *catalogue)
{
    size_t n = json_array_size(catalogue->root);
    size_t *lines = calloc(n + 1, sizeof(*lines));
    json_t *seen = json_object();
    bool ok;
    size_t i;

    catalogue->entries = calloc(n + 1, sizeof(*catalogue->entries));
    ok = lines != NULL && seen != NULL && catalogue->entries != NULL;
    if (ok) {
        lines_find((const char *)text->data, text->size, lines, n);
    }
    for (i = 0; ok && i < n; i++) {
        struct catalogue_entry entry = {.number = i + 1, .line = lines[i]};
        struct problem problem;

        if (entry_read(json_array_get(catalogue->root, i), currency, seen,
                       &problem, &entry)) {
            catalogue->entries[catalogue->n_entries++] = entry;
        } else {
            catalogue_complain(cli, catalogue, entry.line, entry.number, "%s",
                               problem.text);
            catalogue->n_wrong++;
        }
    }
    json_decref(seen);
    free(lines);
    return ok;
}

bool
catalogue_read(const struct cli *cli, const char *path, const char *currency,
               struct catalogue *ret_catalogue)
{
    struct catalogue catalogue = {.path = path};
    struct cli_bytes text = {NULL, 0};
    char argument[4096];
    json_error_t error;
    bool ok = false;

    if (strcmp(path, "-") == 0) {
        catalogue.path = "standard input";
    }
    (void)snprintf(argument, sizeof(argument), "%s%s",
                   strcmp(path, "-") == 0 ? "" : "@", path);
    if (!cli_value(cli, argument, FILE_SIZE_MAX, &text)) {
        return false;
    }
    catalogue.root = json_loadb((const char *)text.data, text.size,
                                JSON_REJECT_DUPLICATES, &error);
    if (catalogue.root == NULL) {
        (void)cli_fail(cli, "%s:%d:%d: %s", catalogue.path, error.line,
                       error.column, error.text);
    } else if (!json_is_array(catalogue.root)) {
        (void)cli_fail(cli, "%s:1: expected an array of pets, [...]",
                       catalogue.path);
    } else if (!entries_read(cli, &text, currency, &catalogue)) {
        (void)cli_fail(cli, "%s: out of memory", catalogue.path);
    } else {
        ok = true;
    }
    free(text.data);
    if (!ok) {
        catalogue_free(&catalogue);
        return false;
    }
    *ret_catalogue = catalogue;
    return true;
}

void
catalogue_free(struct catalogue *catalogue)
{
    free(catalogue->entries);
    json_decref(catalogue->root);
    *catalogue = (struct catalogue){.path = NULL};
}
