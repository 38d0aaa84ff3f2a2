/*
 * The types that rpcctl works with: from a file of descriptors, or from the
 * server (rpcctl_reflect.c); and the method that a name means.
 */
#include "rpcctl.h"

#include <stdlib.h>
#include <string.h>

#define DESCRIPTORS_SIZE_MAX (32u << 20)
#define NAME_SIZE 512u

/* -- loading --------------------------------------------------------------- */

/* Add all files of a FileDescriptorSet. */
static bool
file_load(struct cli *cli, const char *name, struct rpcrt_types *types)
{
    struct cli_bytes bytes = {NULL, 0};
    char argument[4096];
    bool done;

    if (snprintf(argument, sizeof argument, "@%s", name) >=
        (int)sizeof argument) {
        (void)cli_fail(cli, "%s: a name that is too long", name);
        return false;
    }
    if (!cli_value(cli, argument, DESCRIPTORS_SIZE_MAX, &bytes)) {
        return false;
    }
    done = rpcrt_types_add_set(types, bytes.data, bytes.size) == RPCRT_OK;
    if (!done) {
        (void)cli_fail(cli, "%s: %s", name, rpcrt_last_error());
    }
    free(bytes.data);
    return done;
}

bool
rpcctl_types_load(struct cli *cli, const char *symbol,
                  struct rpcrt_types **ret_types, int *ret_exit)
{
    struct rpcrt_types *types = NULL;
    const char *file = rpcctl_options.descriptors;

    *ret_exit = CLI_EXIT_FAILED;
    if (rpcrt_types_new(&types) != RPCRT_OK) {
        (void)cli_fail(cli, "%s", rpcrt_last_error());
        return false;
    }
    if (file != NULL ? !file_load(cli, file, types)
                     : !rpcctl_connect(cli, ret_exit) ||
                           !rpcctl_reflect(cli, symbol, types, ret_exit)) {
        rpcrt_types_free(types);
        return false;
    }
    if (rpcrt_types_link(types) != RPCRT_OK) {
        *ret_exit = cli_fail(cli, "%s: %s", file != NULL ? file : cli->address,
                             rpcrt_last_error());
        rpcrt_types_free(types);
        return false;
    }
    *ret_types = types;
    return true;
}

/* -- methods --------------------------------------------------------------- */

bool
rpcctl_ends_with(const char *full, const char *name)
{
    size_t length = strlen(full);
    size_t size = strlen(name);

    return size < length && strchr("/.", full[length - size - 1]) != NULL &&
           strcmp(full + length - size, name) == 0;
}

/* Look through all methods for the only one with that name. */
static bool
method_find(const struct cli *cli, const char *name,
            struct rpcctl_method *found)
{
    const struct rpcrt_service *service;
    size_t n = 0;
    size_t i;
    size_t j;

    for (i = 0; (service = rpcrt_types_service_at(found->types, i)) != NULL;
         i++) {
        for (j = 0; j < service->n_methods; j++) {
            if (rpcctl_ends_with(service->methods[j].path, name)) {
                n++;
                found->method = &service->methods[j];
                found->file = service->file;
            }
        }
    }
    if (n == 0) {
        (void)cli_fail(cli, "no method '%s'; %s ls -l lists them", name,
                       cli->program);
    } else if (n > 1) {
        (void)cli_fail(cli, "%zu methods are named '%s'; say which: %s", n,
                       name, found->method->path + 1);
    }
    return n == 1;
}

/* "kv.v1.Kv/Put" of what the user wrote; and the service alone. */
static bool
name_read(const struct cli *cli, const char *text, char name[NAME_SIZE],
          char service[NAME_SIZE])
{
    char *slash;

    text += *text == '/' ? 1 : 0;
    if (strlen(text) >= NAME_SIZE) {
        (void)cli_fail(cli, "'%s' is no name of a method", text);
        return false;
    }
    memcpy(name, text, strlen(text) + 1);
    slash = strchr(name, '/');
    if (slash == NULL) {
        slash = strrchr(name, '.');
    }
    service[0] = '\0';
    if (slash != NULL) {
        *slash = '/';
        memcpy(service, name, (size_t)(slash - name));
        service[slash - name] = '\0';
    }
    return true;
}

bool
rpcctl_method_load(struct cli *cli, const char *name,
                   struct rpcctl_method *ret_method, int *ret_exit)
{
    char full[NAME_SIZE];
    char service[NAME_SIZE];

    *ret_exit = CLI_EXIT_USAGE;
    if (!name_read(cli, name, full, service) ||
        !rpcctl_types_load(cli, strchr(service, '.') != NULL ? service : NULL,
                           &ret_method->types, ret_exit)) {
        return false;
    }
    if (!method_find(cli, full, ret_method)) {
        *ret_exit = CLI_EXIT_USAGE;
        rpcrt_types_free(ret_method->types);
        return false;
    }
    return true;
}
