/*
 * Names of types at run time: which messages, enums and services the files
 * have, and what a reference names. Nothing of them is read yet but that.
 */
#include "wire/types.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of google/protobuf/descriptor.proto. */
enum { FILE_MESSAGE = 4, FILE_ENUM = 5, FILE_SERVICE = 6 };
enum { MESSAGE_NESTED = 3, MESSAGE_ENUM = 4 };
enum { NAME = 1 }; /* of all of them */

/* -- names ----------------------------------------------------------------- */

static bool
is_letter(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

const char *
rpcrt__types_name(struct rpcrt_types *types, const char *where,
                  struct rpcrt__fields bytes)
{
    size_t size = (size_t)(bytes.end - bytes.at);
    size_t i;
    char *name;

    for (i = 0;
         i < size && (is_letter(bytes.at[i]) ||
                      (i > 0 && bytes.at[i] >= '0' && bytes.at[i] <= '9'));
         i++) {
    }
    if (size == 0 || size > RPCRT__TYPES_NAME_MAX || i < size) {
        (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                "%s: something in it has no proper name",
                                where);
        return NULL;
    }
    name = rpcrt__types_alloc(types, size + 1, 1);
    if (name != NULL) {
        memcpy(name, bytes.at, size);
    }
    return name;
}

const char *
rpcrt__types_join(struct rpcrt_types *types, const char *where,
                  const char *name)
{
    size_t before = strlen(where);
    size_t size = strlen(name);
    char *joined;

    if (before == 0) {
        return name;
    }
    /* Long names, nested, would take the square of their memory. */
    if (before + size >= RPCRT__TYPES_NAME_MAX) {
        (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                "a name of more than %u bytes: %s.%s",
                                RPCRT__TYPES_NAME_MAX, where, name);
        return NULL;
    }
    joined = rpcrt__types_alloc(types, before + size + 2, 1);
    if (joined != NULL) {
        memcpy(joined, where, before);
        joined[before] = '.';
        memcpy(joined + before + 1, name, size);
    }
    return joined;
}

/* -- collecting ------------------------------------------------------------ */

static struct rpcrt__types_symbol *
symbol_add(struct rpcrt_types *types, struct rpcrt__types_file *file,
           const char *where, enum rpcrt__types_kind kind,
           struct rpcrt__fields proto)
{
    struct rpcrt__types_symbol *symbol =
        rpcrt__types_alloc(types, 1, sizeof *symbol);
    struct rpcrt__fields fields = proto;
    struct rpcrt__fields bytes = {proto.at, proto.at};
    struct rpcrt__wire_field field;
    const char *name;

    while (rpcrt__types_next(types, &fields, &field)) {
        bytes = rpcrt__field_is(&field, NAME) ? field.bytes : bytes;
    }
    if (!rpcrt__types_ok(types)) {
        return NULL;
    }
    name = rpcrt__types_name(types, *where != '\0' ? where : file->own.name,
                             bytes);
    symbol->name = name != NULL ? rpcrt__types_join(types, where, name) : NULL;
    if (symbol->name == NULL) {
        return NULL;
    }
    symbol->file = file;
    symbol->proto = proto;
    symbol->kind = kind;
    if (kind == RPCRT__TYPES_MESSAGE) {
        symbol->made.message.short_name = name;
        file->own.n_messages++;
    }
    *types->symbols_end = symbol;
    types->symbols_end = &symbol->next;
    types->n_symbols++;
    return symbol;
}

/* A message, and what it has within. */
static void
message_collect(struct rpcrt_types *types, struct rpcrt__types_file *file,
                const char *where, struct rpcrt__fields proto, unsigned depth)
{
    const struct rpcrt__types_symbol *symbol =
        symbol_add(types, file, where, RPCRT__TYPES_MESSAGE, proto);
    struct rpcrt__wire_field field;

    if (depth == RPCRT_MESSAGE_DEPTH_MAX) {
        (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                "%s: messages are declared too deep in others",
                                file->own.name);
    }
    while (rpcrt__types_next(types, &proto, &field)) {
        if (rpcrt__field_is(&field, MESSAGE_NESTED)) {
            message_collect(types, file, symbol->name, field.bytes, depth + 1);
        } else if (rpcrt__field_is(&field, MESSAGE_ENUM)) {
            (void)symbol_add(types, file, symbol->name, RPCRT__TYPES_ENUM,
                             field.bytes);
        }
    }
}

static void
file_collect(struct rpcrt_types *types, struct rpcrt__types_file *file)
{
    struct rpcrt__fields fields = file->proto;
    struct rpcrt__wire_field field;

    while (rpcrt__types_next(types, &fields, &field)) {
        if (rpcrt__field_is(&field, FILE_MESSAGE)) {
            message_collect(types, file, file->package, field.bytes, 0);
        } else if (rpcrt__field_is(&field, FILE_ENUM)) {
            (void)symbol_add(types, file, file->package, RPCRT__TYPES_ENUM,
                             field.bytes);
        } else if (rpcrt__field_is(&field, FILE_SERVICE)) {
            (void)symbol_add(types, file, file->package, RPCRT__TYPES_SERVICE,
                             field.bytes);
        }
    }
    file->messages = rpcrt__types_alloc(types, file->own.n_messages + 1,
                                        sizeof *file->messages);
    file->own.n_messages = 0;
}

static int
compare_symbols(const void *a, const void *b)
{
    const struct rpcrt__types_symbol *const *left = a;
    const struct rpcrt__types_symbol *const *right = b;

    return strcmp((*left)->name, (*right)->name);
}

void
rpcrt__types_collect(struct rpcrt_types *types)
{
    struct rpcrt__types_file *file;
    struct rpcrt__types_symbol *symbol;
    size_t n = 0;
    size_t i;

    for (file = types->files; file != NULL; file = file->next) {
        file_collect(types, file);
    }
    types->by_name = rpcrt__types_alloc(types, types->n_symbols + 1,
                                        sizeof(struct rpcrt__types_symbol *));
    if (!rpcrt__types_ok(types)) {
        types->n_symbols = 0;
        return;
    }
    for (symbol = types->symbols; symbol != NULL; symbol = symbol->next) {
        types->by_name[n++] = symbol;
    }
    qsort(types->by_name, n, sizeof(struct rpcrt__types_symbol *),
          compare_symbols);
    for (i = 1; i < n; i++) {
        const struct rpcrt__types_symbol *twin = types->by_name[i];

        if (compare_symbols(&types->by_name[i - 1], &types->by_name[i]) == 0) {
            (void)rpcrt__types_fail(types, RPCRT_ALREADY_EXISTS,
                                    "%s and %s: both have %s",
                                    types->by_name[i - 1]->file->own.name,
                                    twin->file->own.name, twin->name);
        }
    }
}

/* -- finding --------------------------------------------------------------- */

struct rpcrt__types_symbol *
rpcrt__types_find(const struct rpcrt_types *types, const char *name)
{
    struct rpcrt__types_symbol key = {.name = name};
    struct rpcrt__types_symbol *pointer = &key;
    struct rpcrt__types_symbol **found;

    if (types->n_symbols == 0) {
        return NULL;
    }
    found = bsearch(&pointer, types->by_name, types->n_symbols,
                    sizeof(struct rpcrt__types_symbol *), compare_symbols);
    return found != NULL ? *found : NULL;
}

struct rpcrt__types_symbol *
rpcrt__types_resolve(struct rpcrt_types *types,
                     const struct rpcrt__types_file *file, const char *where,
                     struct rpcrt__fields reference)
{
    char name[RPCRT__TYPES_NAME_MAX + 1];
    size_t size = (size_t)(reference.end - reference.at);
    struct rpcrt__types_symbol *symbol = NULL;

    /* protoc writes them all in full, with a dot in front. */
    if (size < 2 || size > RPCRT__TYPES_NAME_MAX || *reference.at != '.' ||
        memchr(reference.at, '\0', size) != NULL) {
        (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                "%s: %s: its type is not given in full",
                                file->own.name, where);
        return NULL;
    }
    memcpy(name, reference.at + 1, size - 1);
    name[size - 1] = '\0';
    symbol = rpcrt__types_find(types, name);
    if (symbol == NULL || symbol->kind == RPCRT__TYPES_SERVICE) {
        (void)rpcrt__types_fail(types, RPCRT_NOT_FOUND,
                                "%s: %s: there is no type %s; is a file "
                                "missing?",
                                file->own.name, where, name);
        return NULL;
    }
    return symbol;
}
