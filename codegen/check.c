/*
 * Each check looks at one kind of declaration; names are compared scope by
 * scope, see scope.h. A request that protoc itself would never send is refused
 * too, in fewer words.
 */
#include "check.h"

#include "names.h"
#include "retry.h"
#include "scope.h"
#include "symbols.h"

#include <string.h>

/* RPCRT_METHOD_PATH_MAX: the wire format's limit of "/package.Service/Method"
 */
#define METHOD_PATH_MAX 255

#define FIELD_NUMBER_MAX 536870911

struct checker {
    const struct model *model;
    const struct file *file;
    struct problems *problems;
};

/* -- messages -------------------------------------------------------------- */

static void
check_field(const struct checker *checker, const struct field *field)
{
    const Google__Protobuf__FieldDescriptorProto *proto = field->proto;
    bool has_type =
        proto->type ==
            GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_MESSAGE ||
        proto->type ==
            GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_ENUM;

    if (!name_is_identifier(field->name) || proto->number < 1 ||
        proto->number > FIELD_NUMBER_MAX ||
        (proto->has_oneof_index && field->oneof == NULL) ||
        (proto->proto3_optional && field->oneof == NULL)) {
        problems_add(checker->problems, &field->element, "is malformed");
    }
    if (proto->type ==
        GOOGLE__PROTOBUF__FIELD_DESCRIPTOR_PROTO__TYPE__TYPE_GROUP) {
        problems_add(checker->problems, &field->element,
                     "groups are not supported, nor by protobuf-c");
    }
    if (has_type && field->message_type == NULL && field->enum_type == NULL) {
        problems_add(checker->problems, &field->element, "has an unknown type");
    }
    if (checker->file->use_oneof_field_name && !checker->file->no_generate &&
        field->oneof == NULL) {
        problems_add(checker->problems, &field->element,
                     "with (pb_c_file).use_oneof_field_name every field must "
                     "be in a oneof: protoc-gen-c crashes");
    }
}

static void
check_messages(const struct checker *checker)
{
    const struct file *file = checker->file;
    struct scope scope;
    size_t i, j;

    for (i = 0; i < file->n_messages; i++) {
        const struct message *message = &file->messages[i];

        for (j = 0; j < message->n_fields; j++) {
            check_field(checker, &message->fields[j]);
        }
        scope_init(&scope, checker->model->pool);
        symbols_of_message(&scope, message);
        scope_check(&scope, file->name, checker->problems);
    }
}

/* -- services -------------------------------------------------------------- */

/* Lower-case words of letters and digits with single underscores between. */
static bool
is_prefix(const char *prefix)
{
    size_t i;

    if (prefix[0] < 'a' || prefix[0] > 'z') {
        return false;
    }
    for (i = 1; prefix[i] != '\0'; i++) {
        bool is_letter = prefix[i] >= 'a' && prefix[i] <= 'z';
        bool is_digit = prefix[i] >= '0' && prefix[i] <= '9';

        if (!is_letter && !is_digit &&
            (prefix[i] != '_' || prefix[i - 1] == '_')) {
            return false;
        }
    }
    return prefix[i - 1] != '_';
}

static bool
begins_with(const char *name, const char *beginning)
{
    return strncmp(name, beginning, strlen(beginning)) == 0;
}

/* Whether functions with this prefix could be those of a library: its own
 * services, which have a version in their package, are apart. */
static bool
is_reserved_prefix(const char *prefix)
{
    if (begins_with(prefix, "rpcrt_v") && prefix[7] >= '0' &&
        prefix[7] <= '9') {
        return false;
    }
    return strcmp(prefix, "rpcrt") == 0 || begins_with(prefix, "rpcrt_") ||
           begins_with(prefix, "protobuf_c");
}

static void
check_type(const struct checker *checker, const struct method *method,
           const char *name, const struct message *message)
{
    if (message == NULL) {
        problems_add(checker->problems, &method->element,
                     "'%s' is an unknown type", name);
    } else if (message->file->no_generate) {
        problems_add(checker->problems, &method->element,
                     "'%s' is not generated: its file has "
                     "(pb_c_file).no_generate",
                     message->element.name);
    }
}

/* A stream can't be made again: what was sent is not kept. Nor may its handler
 * run where messages arrive, as it waits for them. */
static void
check_stream(const struct checker *checker, const struct method *method)
{
    struct problems *problems = checker->problems;

    if (method->nonblocking) {
        problems_add(problems, &method->element,
                     "nonblocking is for methods without streams");
    }
    if (method->retry != NULL) {
        problems_add(problems, &method->element,
                     "retry is for methods without streams");
    }
    if (method->once) {
        problems_add(problems, &method->element,
                     "once is for methods without streams");
    }
}

static void
check_retry(const struct checker *checker, const struct method *method)
{
    if (!method->idempotent && !method->once) {
        problems_add(checker->problems, &method->element,
                     "retry is for methods that may be executed twice: with an "
                     "idempotency_level, or (rpcrt.v1.once)");
    }
    retry_check(method->retry, &method->element, checker->problems);
}

static void
check_method(const struct checker *checker, const struct method *method)
{
    struct problems *problems = checker->problems;

    if (model_is_stream(method)) {
        check_stream(checker, method);
    } else if (method->retry != NULL) {
        check_retry(checker, method);
    }
    if (!name_is_identifier(method->name)) {
        problems_add(problems, &method->element, "is malformed");
    } else if (!name_is_identifier(method->member)) {
        problems_add(problems, &method->element, "'%s' can't be a name in C",
                     method->member);
    }
    if (strlen(method->path) > METHOD_PATH_MAX) {
        problems_add(problems, &method->element,
                     "its path '%s' has more than %d bytes", method->path,
                     METHOD_PATH_MAX);
    }
    check_type(checker, method, method->request_name, method->request);
    check_type(checker, method, method->reply_name, method->reply);
}

static void
check_service(const struct checker *checker, const struct service *service)
{
    size_t i;

    if (!name_is_full(service->element.name)) {
        problems_add(checker->problems, &service->element, "is malformed");
    }
    if (!is_prefix(service->prefix)) {
        problems_add(checker->problems, &service->element,
                     service->prefix_given
                         ? "c_prefix '%s' is not made of lower-case letters, "
                           "digits and single underscores"
                         : "'%s' can't begin names in C: give it a c_prefix",
                     service->prefix);
    } else if (is_reserved_prefix(service->prefix)) {
        problems_add(checker->problems, &service->element,
                     "the prefix '%s' belongs to a library: give it another "
                     "c_prefix",
                     service->prefix);
    }
    for (i = 0; i < service->n_methods; i++) {
        check_method(checker, &service->methods[i]);
    }
}

/* -- files ----------------------------------------------------------------- */

/* Whether a name can stand in #include "…", in strings and in comments. */
static bool
is_file_name(const char *name)
{
    size_t i;

    for (i = 0; name[i] != '\0'; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f ||
            strchr("\"\\*?<>|:", name[i]) != NULL) {
            return false;
        }
    }
    return i > 0;
}

static void
check_file(const struct checker *checker)
{
    const struct file *file = checker->file;
    size_t i;

    if (!is_file_name(file->name)) {
        problems_add(checker->problems, &file->element,
                     "the file's name can't stand in C source");
    }
    if (!name_is_full(file->package)) {
        problems_add(checker->problems, &file->element,
                     "package '%s' is malformed", file->package);
    }
    if (strcmp(file->syntax, "proto2") != 0 &&
        strcmp(file->syntax, "proto3") != 0) {
        problems_add(checker->problems, &file->element,
                     "syntax '%s' is not supported; proto2 and proto3 are",
                     file->syntax);
    }
    for (i = 0; i < file->n_imports; i++) {
        const struct file *imported = file->imports[i].file;

        if (imported == NULL || !is_file_name(imported->name)) {
            problems_add(checker->problems, &file->element,
                         "import '%s' can't be used",
                         file->proto->dependency[i]);
        }
    }
}

/* Names of the file and of everything that its headers include. */
static void
check_names(const struct checker *checker)
{
    const struct model *model = checker->model;
    const struct file **open =
        pool_array(model->pool, model->n_files, sizeof(const struct file *));
    bool *seen = pool_array(model->pool, model->n_files, sizeof *seen);
    size_t n_open = 0, i;
    struct scope scope;

    scope_init(&scope, model->pool);
    open[n_open++] = checker->file;
    seen[checker->file->index] = true;
    while (n_open > 0) {
        const struct file *file = open[--n_open];

        symbols_of_file(&scope, file);
        for (i = 0; i < file->n_imports; i++) {
            const struct file *next = file->imports[i].file;

            if (next != NULL && !file->imports[i].is_dropped &&
                !seen[next->index]) {
                seen[next->index] = true;
                open[n_open++] = next;
            }
        }
    }
    scope_check(&scope, checker->file->name, checker->problems);
}

void
check_model(const struct model *model, struct problems *problems)
{
    size_t i, j;

    for (i = 0; i < model->n_files; i++) {
        const struct file *file = &model->files[i];
        struct checker checker = {model, file, problems};

        if (!file->wanted) {
            continue;
        }
        check_file(&checker);
        check_messages(&checker);
        for (j = 0; j < file->n_services; j++) {
            check_service(&checker, &file->services[j]);
        }
        check_names(&checker);
    }
}
