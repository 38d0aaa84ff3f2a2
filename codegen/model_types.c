/*
 * Which declaration a type name means, and which imports the generated code
 * can do without.
 */
#include "model_types.h"

#include <stdlib.h>
#include <string.h>

struct type {
    const char *name;
    const struct file *file;
    const struct message *message;
    const struct enumeration *enumeration;
};

struct types {
    struct type *items; /* sorted by name */
    size_t n_items;
};

static int
compare_types(const void *a, const void *b)
{
    const struct type *x = a;
    const struct type *y = b;

    return strcmp(x->name, y->name);
}

static struct types
types_of(const struct model *model)
{
    struct types types = {NULL, 0};
    size_t count = 0, i, j;

    for (i = 0; i < model->n_files; i++) {
        count += model->files[i].n_messages + model->files[i].n_enums;
    }
    types.items = pool_array(model->pool, count, sizeof *types.items);
    for (i = 0; i < model->n_files; i++) {
        const struct file *file = &model->files[i];

        for (j = 0; j < file->n_messages; j++) {
            types.items[types.n_items++] = (struct type){
                file->messages[j].element.name, file, &file->messages[j], NULL};
        }
        for (j = 0; j < file->n_enums; j++) {
            types.items[types.n_items++] = (struct type){
                file->enums[j].element.name, file, NULL, &file->enums[j]};
        }
    }
    qsort(types.items, types.n_items, sizeof *types.items, compare_types);
    return types;
}

/* name is ".kv.v1.PutReply", as protoc writes it */
static const struct type *
types_find(const struct types *types, const char *name)
{
    struct type key = {name, NULL, NULL, NULL};

    if (name == NULL || name[0] != '.' || types->n_items == 0) {
        return NULL;
    }
    key.name++;
    return bsearch(&key, types->items, types->n_items, sizeof *types->items,
                   compare_types);
}

/* What resolving a file needs: used[i] says that it uses types of file i. */
struct resolver {
    const struct model *model;
    const struct types *types;
    struct file *file;
    bool *used;
};

static const struct type *
use(const struct resolver *resolver, const char *name)
{
    const struct type *type = types_find(resolver->types, name);

    if (type != NULL) {
        resolver->used[type->file->index] = true;
    }
    return type;
}

bool
model_is_options_type(const char *type_name)
{
    static const char scope[] = ".google.protobuf.";
    static const char ending[] = "Options";
    size_t size = type_name == NULL ? 0 : strlen(type_name);

    return size >= sizeof scope + sizeof ending - 2 &&
           memcmp(type_name, scope, sizeof scope - 1) == 0 &&
           strcmp(type_name + size - (sizeof ending - 1), ending) == 0;
}

static void
use_extensions(const struct resolver *resolver,
               Google__Protobuf__FieldDescriptorProto *const *extensions,
               size_t n_extensions)
{
    size_t i;

    for (i = 0; i < n_extensions; i++) {
        if (!model_is_options_type(extensions[i]->extendee)) {
            use(resolver, extensions[i]->extendee);
            use(resolver, extensions[i]->type_name);
        }
    }
}

static void
use_nested_extensions(const struct resolver *resolver,
                      const Google__Protobuf__DescriptorProto *proto)
{
    size_t i;

    use_extensions(resolver, proto->extension, proto->n_extension);
    for (i = 0; i < proto->n_nested_type; i++) {
        use_nested_extensions(resolver, proto->nested_type[i]);
    }
}

static bool
any_extends_options(Google__Protobuf__FieldDescriptorProto *const *extensions,
                    size_t n_extensions)
{
    size_t i;

    for (i = 0; i < n_extensions; i++) {
        if (model_is_options_type(extensions[i]->extendee)) {
            return true;
        }
    }
    return false;
}

static bool
message_extends_options(const Google__Protobuf__DescriptorProto *proto)
{
    size_t i;

    for (i = 0; i < proto->n_nested_type; i++) {
        if (message_extends_options(proto->nested_type[i])) {
            return true;
        }
    }
    return any_extends_options(proto->extension, proto->n_extension);
}

static bool
extends_options(const struct file *file)
{
    const Google__Protobuf__FileDescriptorProto *proto = file->proto;
    size_t i;

    for (i = 0; i < proto->n_message_type; i++) {
        if (message_extends_options(proto->message_type[i])) {
            return true;
        }
    }
    return any_extends_options(proto->extension, proto->n_extension);
}

static void
resolve_messages(const struct resolver *resolver)
{
    struct file *file = resolver->file;
    size_t i, j;

    for (i = 0; i < file->n_messages; i++) {
        for (j = 0; j < file->messages[i].n_fields; j++) {
            struct field *field = &file->messages[i].fields[j];
            const struct type *type = use(resolver, field->proto->type_name);

            if (type != NULL) {
                field->message_type = type->message;
                field->enum_type = type->enumeration;
            }
        }
    }
    use_extensions(resolver, file->proto->extension, file->proto->n_extension);
    for (i = 0; i < file->proto->n_message_type; i++) {
        use_nested_extensions(resolver, file->proto->message_type[i]);
    }
}

static void
resolve_services(const struct resolver *resolver)
{
    struct file *file = resolver->file;
    size_t i, j;

    for (i = 0; i < file->n_services; i++) {
        for (j = 0; j < file->services[i].n_methods; j++) {
            struct method *method = &file->services[i].methods[j];
            const struct type *request = use(resolver, method->request_name);
            const struct type *reply = use(resolver, method->reply_name);

            method->request = request == NULL ? NULL : request->message;
            method->reply = reply == NULL ? NULL : reply->message;
        }
    }
}

static void
resolve_imports(const struct model *model, struct file *file)
{
    const Google__Protobuf__FileDescriptorProto *proto = file->proto;
    size_t i, j;

    file->n_imports = proto->n_dependency;
    file->imports =
        pool_array(model->pool, file->n_imports, sizeof *file->imports);
    for (i = 0; i < file->n_imports; i++) {
        for (j = 0; j < model->n_files; j++) {
            if (strcmp(model->files[j].name, proto->dependency[i]) == 0) {
                file->imports[i].file = &model->files[j];
                break;
            }
        }
    }
    for (i = 0; i < proto->n_public_dependency; i++) {
        int32_t index = proto->public_dependency[i];

        if (index >= 0 && (size_t)index < file->n_imports) {
            file->imports[index].is_public = true;
        }
    }
}

/* Whether a file, or one that it imports publicly, is used. Each is looked at
 * once: hostile imports may go in circles. */
static bool
is_used(const struct resolver *resolver, const struct file *imported)
{
    const struct model *model = resolver->model;
    const struct file **open =
        pool_array(model->pool, model->n_files, sizeof(const struct file *));
    bool *seen = pool_array(model->pool, model->n_files, sizeof *seen);
    size_t n_open = 0, i;

    open[n_open++] = imported;
    seen[imported->index] = true;
    while (n_open > 0) {
        const struct file *file = open[--n_open];

        if (resolver->used[file->index]) {
            return true;
        }
        for (i = 0; i < file->n_imports; i++) {
            const struct file *next = file->imports[i].file;

            if (file->imports[i].is_public && next != NULL &&
                !seen[next->index]) {
                seen[next->index] = true;
                open[n_open++] = next;
            }
        }
    }
    return false;
}

/* Drop the imports that only bring options. */
static void
drop_imports(const struct resolver *resolver)
{
    struct file *file = resolver->file;
    size_t i;

    for (i = 0; i < file->n_imports; i++) {
        const struct file *imported = file->imports[i].file;

        if (imported != NULL &&
            (imported->extends_options ||
             strcmp(imported->name, "google/protobuf/descriptor.proto") == 0)) {
            file->imports[i].is_dropped = !is_used(resolver, imported);
        }
    }
}

void
model_resolve(struct model *model)
{
    struct types types = types_of(model);
    bool *used = pool_array(model->pool, model->n_files, sizeof *used);
    size_t i;

    for (i = 0; i < model->n_files; i++) {
        resolve_imports(model, &model->files[i]);
        model->files[i].extends_options = extends_options(&model->files[i]);
    }
    for (i = 0; i < model->n_files; i++) {
        struct resolver resolver = {model, &types, &model->files[i], used};

        if (model->files[i].wanted) {
            memset(used, 0, model->n_files * sizeof *used);
            resolve_messages(&resolver);
            resolve_services(&resolver);
            drop_imports(&resolver);
        }
    }
}
