/*
 * Types at run time: their files, and the lookups. What the files have is found
 * and made by the other types_*.c.
 */
#include "wire/types.h"

#include "core/alloc.h"

#include <stdarg.h>
#include <string.h>

/* Numbers of google/protobuf/descriptor.proto. */
enum { SET_FILE = 1 };
enum { FILE_NAME = 1, FILE_PACKAGE = 2, FILE_IMPORT = 3 };
enum { FILE_SYNTAX = 12 };

/* -- errors and memory ----------------------------------------------------- */

bool
rpcrt__types_ok(const struct rpcrt_types *types)
{
    return types->error.code == RPCRT_OK;
}

bool
rpcrt__types_fail(struct rpcrt_types *types, enum rpcrt_code code,
                  const char *format, ...)
{
    va_list args;

    if (rpcrt__types_ok(types)) {
        types->error.code = code;
        va_start(args, format);
        (void)rpcrt__text_format(types->error.text, sizeof types->error.text,
                                 format, args);
        va_end(args);
    }
    return false;
}

void *
rpcrt__types_alloc(struct rpcrt_types *types, size_t n, size_t size)
{
    void *memory = NULL;

    if (n <= RPCRT_TYPES_SIZE_MAX / size) {
        memory = rpcrt__arena_alloc(&types->arena, n * size);
    }
    if (memory == NULL) {
        (void)rpcrt__types_fail(types, RPCRT_RESOURCE_EXHAUSTED,
                                "no memory for types, of which there may be "
                                "%u bytes",
                                RPCRT_TYPES_SIZE_MAX);
        return NULL;
    }
    memset(memory, 0, n * size);
    return memory;
}

bool
rpcrt__types_next(struct rpcrt_types *types, struct rpcrt__fields *fields,
                  struct rpcrt__wire_field *ret_field)
{
    if (!rpcrt__types_ok(types) || fields->at >= fields->end) {
        return false;
    }
    return rpcrt__fields_next(fields, ret_field) ||
           rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                             "a descriptor that is malformed");
}

size_t
rpcrt__types_count(struct rpcrt_types *types, struct rpcrt__fields fields,
                   unsigned number)
{
    struct rpcrt__wire_field field;
    size_t n = 0;

    while (rpcrt__types_next(types, &fields, &field)) {
        n += rpcrt__field_is(&field, number) ? 1 : 0;
    }
    return n;
}

/* Hand the error to the caller; those of adding a file are passed. */
static enum rpcrt_code
tell(struct rpcrt_types *types)
{
    enum rpcrt_code code = types->error.code;

    if (code != RPCRT_OK) {
        (void)rpcrt__last_error_set(&types->error);
    }
    return code;
}

/* -- life ------------------------------------------------------------------ */

enum rpcrt_code
rpcrt_types_new(struct rpcrt_types **ret_types)
{
    struct rpcrt_types *types = rpcrt__calloc(1, sizeof *types);
    struct rpcrt__error error;

    if (types == NULL) {
        (void)rpcrt__error_set(&error, RPCRT_RESOURCE_EXHAUSTED, "no memory");
        return rpcrt__last_error_set(&error);
    }
    rpcrt__arena_init(&types->arena, RPCRT_TYPES_SIZE_MAX);
    types->files_end = &types->files;
    types->symbols_end = &types->symbols;
    *ret_types = types;
    return RPCRT_OK;
}

void
rpcrt_types_free(struct rpcrt_types *types)
{
    if (types != NULL) {
        rpcrt__arena_fini(&types->arena);
        rpcrt__free(types);
    }
}

/* -- files ----------------------------------------------------------------- */

static bool
bytes_are(struct rpcrt__fields bytes, const char *text)
{
    size_t size = (size_t)(bytes.end - bytes.at);

    return size == strlen(text) && memcmp(bytes.at, text, size) == 0;
}

static struct rpcrt__types_file *
file_find(const struct rpcrt_types *types, struct rpcrt__fields name)
{
    struct rpcrt__types_file *file;

    for (file = types->files; file != NULL; file = file->next) {
        if (bytes_are(name, file->own.name)) {
            return file;
        }
    }
    return NULL;
}

/* The name of a file, shown to people: printable ASCII. */
static const char *
file_name(struct rpcrt_types *types, struct rpcrt__fields bytes)
{
    size_t size = (size_t)(bytes.end - bytes.at);
    size_t i;

    for (i = 0; i < size && bytes.at[i] > ' ' && bytes.at[i] < 0x7f; i++) {
    }
    if (size == 0 || size > RPCRT__TYPES_NAME_MAX || i < size) {
        (void)rpcrt__types_fail(types, RPCRT_INVALID_ARGUMENT,
                                "a descriptor without the name of its file");
        return NULL;
    }
    return rpcrt__arena_copy(&types->arena, bytes.at, size);
}

/* "a.b.c", or nothing. */
static const char *
package_name(struct rpcrt_types *types, const char *file,
             struct rpcrt__fields bytes)
{
    const char *package = "";
    struct rpcrt__fields part = bytes;

    while (rpcrt__types_ok(types) && part.at < bytes.end) {
        const char *name;

        part.end = memchr(part.at, '.', (size_t)(bytes.end - part.at));
        part.end = part.end != NULL ? part.end : bytes.end;
        name = rpcrt__types_name(types, file, part);
        if (name != NULL) {
            package = rpcrt__types_join(types, package, name);
        }
        part.at = part.end < bytes.end ? part.end + 1 : bytes.end;
    }
    return package;
}

static void
file_read(struct rpcrt_types *types, struct rpcrt__types_file *file,
          struct rpcrt__fields package, struct rpcrt__fields syntax)
{
    file->package = package_name(types, file->own.name, package);
    file->is_proto3 = bytes_are(syntax, "proto3");
    if (!file->is_proto3 && !bytes_are(syntax, "proto2") &&
        syntax.at != syntax.end) {
        (void)rpcrt__types_fail(types, RPCRT_UNIMPLEMENTED,
                                "%s: neither proto2 nor proto3",
                                file->own.name);
    }
    file->own.descriptor = file->proto.at;
    file->own.descriptor_size = (size_t)(file->proto.end - file->proto.at);
}

/* Keep a file whose bytes are in the arena. */
static void
file_add(struct rpcrt_types *types, struct rpcrt__fields proto)
{
    struct rpcrt__types_file *file = rpcrt__types_alloc(types, 1, sizeof *file);
    struct rpcrt__fields fields = proto;
    struct rpcrt__fields name = {proto.at, proto.at};
    struct rpcrt__fields package = name;
    struct rpcrt__fields syntax = name;
    const struct rpcrt__types_file *other;
    struct rpcrt__wire_field field;

    while (rpcrt__types_next(types, &fields, &field)) {
        if (rpcrt__field_is(&field, FILE_NAME)) {
            name = field.bytes;
        } else if (rpcrt__field_is(&field, FILE_PACKAGE)) {
            package = field.bytes;
        } else if (rpcrt__field_is(&field, FILE_SYNTAX)) {
            syntax = field.bytes;
        }
    }
    if (!rpcrt__types_ok(types)) {
        return;
    }
    other = file_find(types, name);
    if (other != NULL) {
        if (other->own.descriptor_size != (size_t)(proto.end - proto.at) ||
            memcmp(other->own.descriptor, proto.at,
                   other->own.descriptor_size) != 0) {
            (void)rpcrt__types_fail(types, RPCRT_ALREADY_EXISTS,
                                    "%s: there are two files of this name",
                                    other->own.name);
        }
        return;
    }
    if (types->n_files == RPCRT__TYPES_FILES_MAX) {
        (void)rpcrt__types_fail(types, RPCRT_RESOURCE_EXHAUSTED,
                                "more than %u files", RPCRT__TYPES_FILES_MAX);
        return;
    }
    file->own.name = file_name(types, name);
    file->proto = proto;
    if (file->own.name != NULL) {
        file_read(types, file, package, syntax);
    }
    if (rpcrt__types_ok(types)) {
        *types->files_end = file;
        types->files_end = &file->next;
        types->n_files++;
    }
}

enum rpcrt_code
rpcrt_types_add(struct rpcrt_types *types, const void *descriptor, size_t size)
{
    struct rpcrt__fields proto;
    uint8_t *copy;

    if (types->linked) {
        struct rpcrt__error error;

        (void)rpcrt__error_set(&error, RPCRT_FAILED_PRECONDITION,
                               "the types are linked already");
        return rpcrt__last_error_set(&error);
    }
    copy = rpcrt__types_alloc(types, size + 1, 1);
    if (copy != NULL) {
        if (size > 0) {
            memcpy(copy, descriptor, size);
        }
        proto = (struct rpcrt__fields){copy, copy + size};
        file_add(types, proto);
    }
    return tell(types);
}

enum rpcrt_code
rpcrt_types_add_set(struct rpcrt_types *types, const void *set, size_t size)
{
    struct rpcrt__fields fields = {set, (const uint8_t *)set + size};
    struct rpcrt__wire_field field;
    enum rpcrt_code code = RPCRT_OK;

    while (code == RPCRT_OK && rpcrt__types_next(types, &fields, &field)) {
        if (rpcrt__field_is(&field, SET_FILE)) {
            code = rpcrt_types_add(types, field.bytes.at,
                                   (size_t)(field.bytes.end - field.bytes.at));
        }
    }
    return code == RPCRT_OK ? tell(types) : code;
}

const char *
rpcrt_types_missing(struct rpcrt_types *types)
{
    struct rpcrt__wire_field field;

    for (;;) {
        while (rpcrt__types_next(types, &types->asked_rest, &field)) {
            if (rpcrt__field_is(&field, FILE_IMPORT) &&
                file_find(types, field.bytes) == NULL) {
                return file_name(types, field.bytes);
            }
        }
        if (!rpcrt__types_ok(types) ||
            (types->asked == NULL ? types->files : types->asked->next) ==
                NULL) {
            return NULL;
        }
        types->asked = types->asked == NULL ? types->files : types->asked->next;
        types->asked_rest = types->asked->proto;
    }
}

/* -- linking --------------------------------------------------------------- */

/* Make what the symbols of a kind stand for. */
static void
make_all(struct rpcrt_types *types, enum rpcrt__types_kind kind,
         void (*make)(struct rpcrt_types *types,
                      struct rpcrt__types_symbol *symbol))
{
    struct rpcrt__types_symbol *symbol;

    for (symbol = types->symbols; symbol != NULL && rpcrt__types_ok(types);
         symbol = symbol->next) {
        if (symbol->kind == kind) {
            make(types, symbol);
        }
    }
}

/* The file's list of what is sensitive. */
static void
secrets_list(struct rpcrt_types *types, struct rpcrt__types_file *file)
{
    struct rpcrt_sensitive_field *list =
        rpcrt__types_alloc(types, file->own.n_sensitive + 1, sizeof *list);
    const struct rpcrt__types_secret *secret = file->secrets;
    size_t n = 0;

    for (; list != NULL && secret != NULL; secret = secret->next) {
        list[n++] = secret->field;
    }
    file->own.sensitive = list;
}

/* Let every file import all files, itself too. */
static void
files_finish(struct rpcrt_types *types)
{
    const struct rpcrt_file **all =
        rpcrt__types_alloc(types, types->n_files + 1, sizeof *all);
    struct rpcrt__types_file *file;
    size_t n = 0;

    if (all == NULL) {
        return;
    }
    for (file = types->files; file != NULL; file = file->next) {
        file->own.messages = file->messages;
        secrets_list(types, file);
        all[n++] = &file->own;
    }
    for (file = types->files; file != NULL; file = file->next) {
        file->file = file->own;
        file->file.imports = all;
        file->file.n_imports = n;
    }
}

/* The services, in the order of their names. */
static void
services_list(struct rpcrt_types *types)
{
    size_t i;

    types->services = rpcrt__types_alloc(types, types->n_symbols + 1,
                                         sizeof *types->services);
    for (i = 0; types->services != NULL && i < types->n_symbols; i++) {
        if (types->by_name[i]->kind == RPCRT__TYPES_SERVICE) {
            types->services[types->n_services++] =
                &types->by_name[i]->made.service;
        }
    }
}

enum rpcrt_code
rpcrt_types_link(struct rpcrt_types *types)
{
    if (!types->linked) {
        rpcrt__types_collect(types);
        make_all(types, RPCRT__TYPES_ENUM, rpcrt__types_make_enum);
        make_all(types, RPCRT__TYPES_MESSAGE, rpcrt__types_make_message);
        make_all(types, RPCRT__TYPES_SERVICE, rpcrt__types_make_service);
        files_finish(types);
        services_list(types);
        types->linked = true;
    }
    return tell(types);
}

/* -- lookups --------------------------------------------------------------- */

static const struct rpcrt__types_symbol *
find(const struct rpcrt_types *types, const char *name,
     enum rpcrt__types_kind kind)
{
    const struct rpcrt__types_symbol *symbol = rpcrt__types_find(types, name);

    return symbol != NULL && symbol->kind == kind ? symbol : NULL;
}

const ProtobufCMessageDescriptor *
rpcrt_types_message(const struct rpcrt_types *types, const char *name)
{
    const struct rpcrt__types_symbol *symbol =
        find(types, name, RPCRT__TYPES_MESSAGE);

    return symbol != NULL ? &symbol->made.message : NULL;
}

const ProtobufCEnumDescriptor *
rpcrt_types_enum(const struct rpcrt_types *types, const char *name)
{
    const struct rpcrt__types_symbol *symbol =
        find(types, name, RPCRT__TYPES_ENUM);

    return symbol != NULL ? &symbol->made.enumeration : NULL;
}

const struct rpcrt_service *
rpcrt_types_service(const struct rpcrt_types *types, const char *name)
{
    const struct rpcrt__types_symbol *symbol =
        find(types, name, RPCRT__TYPES_SERVICE);

    return symbol != NULL ? &symbol->made.service : NULL;
}

const struct rpcrt_method *
rpcrt_types_method(const struct rpcrt_types *types, const char *service,
                   const char *method, const struct rpcrt_file **ret_file)
{
    const struct rpcrt_service *found = rpcrt_types_service(types, service);
    size_t i;

    for (i = 0; found != NULL && i < found->n_methods; i++) {
        if (strcmp(strrchr(found->methods[i].path, '/') + 1, method) == 0) {
            *ret_file = found->file;
            return &found->methods[i];
        }
    }
    return NULL;
}

const struct rpcrt_file *
rpcrt_types_file(const struct rpcrt_types *types, const char *name)
{
    struct rpcrt__fields bytes = {(const uint8_t *)name,
                                  (const uint8_t *)name + strlen(name)};
    const struct rpcrt__types_file *file = file_find(types, bytes);

    return file != NULL ? &file->file : NULL;
}

const struct rpcrt_file *
rpcrt_types_file_of(const struct rpcrt_types *types, const char *symbol)
{
    const struct rpcrt__types_symbol *found = rpcrt__types_find(types, symbol);

    return found != NULL ? &found->file->file : NULL;
}

const struct rpcrt_service *
rpcrt_types_service_at(const struct rpcrt_types *types, size_t i)
{
    return i < types->n_services ? types->services[i] : NULL;
}

const struct rpcrt_file *
rpcrt_types_file_at(const struct rpcrt_types *types, size_t i)
{
    const struct rpcrt__types_file *file = types->files;

    for (; file != NULL && i > 0; i--) {
        file = file->next;
    }
    return file != NULL ? &file->file : NULL;
}
