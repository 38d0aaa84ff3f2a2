/*
 * From the address of a channel to a list of servers. A fixed address is
 * checked by the transport; names and files only come down to fixed ones.
 */
#include "client/target.h"

#include "core/alloc.h"
#include "transport/link.h"
#include "transport/names.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define DNS "dns:///"
#define FILE_SCHEME "file://"

/* -- lists ----------------------------------------------------------------- */

void
rpcrt__servers_init(struct rpcrt__servers *servers)
{
    *servers = (struct rpcrt__servers){.list = NULL};
}

void
rpcrt__servers_fini(struct rpcrt__servers *servers)
{
    rpcrt__free(servers->list);
}

/* One more, unless it is there; both texts are known to fit. */
static enum rpcrt_code
add(struct rpcrt__servers *servers, const char *address,
    const char *server_name, struct rpcrt__error *ret_error)
{
    struct rpcrt__server *server;

    for (size_t i = 0; i < servers->n; i++) {
        if (strcmp(servers->list[i].address, address) == 0) {
            return RPCRT_OK;
        }
    }
    if (servers->n == RPCRT_ENDPOINTS_MAX) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%s: more than %u addresses", address,
                                RPCRT_ENDPOINTS_MAX);
    }
    if (servers->n == servers->room) {
        size_t room = servers->room == 0 ? 1 : servers->room * 4;
        struct rpcrt__server *list = rpcrt__calloc(room, sizeof list[0]);

        if (list == NULL) {
            return rpcrt__error_set(ret_error, RPCRT_RESOURCE_EXHAUSTED,
                                    "%s: no memory", address);
        }
        if (servers->n > 0) {
            memcpy(list, servers->list, servers->n * sizeof list[0]);
        }
        rpcrt__free(servers->list);
        servers->list = list;
        servers->room = room;
    }
    server = &servers->list[servers->n++];
    (void)snprintf(server->address, sizeof server->address, "%s", address);
    (void)snprintf(server->server_name, sizeof server->server_name, "%s",
                   server_name);
    return RPCRT_OK;
}

/* -- items of a list ------------------------------------------------------- */

/* A walk over what stands between commas. */
struct walk {
    const char *at; /* NULL: at its end */
    char scheme[16];
    char item[RPCRT_ADDRESS_SIZE]; /* with the scheme */
};

/* Take the next item; one without a scheme has that of the one before. */
static enum rpcrt_code
next_item(struct walk *walk, struct rpcrt__error *ret_error)
{
    size_t size = strcspn(walk->at, ",");
    const char *mark = strstr(walk->at, "://");
    bool has_scheme = mark != NULL && mark < walk->at + size;
    int written = snprintf(walk->item, sizeof walk->item, "%s%.*s",
                           has_scheme ? "" : walk->scheme, (int)size, walk->at);

    if (written < 0 || (size_t)written >= sizeof walk->item) {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%.40s...: longer than %u bytes", walk->at,
                                RPCRT_ADDRESS_SIZE - 1);
    }
    if (has_scheme) {
        size_t length = strncmp(walk->at, DNS, strlen(DNS)) == 0
                            ? strlen(DNS)
                            : (size_t)(mark + 3 - walk->at);

        (void)snprintf(walk->scheme, sizeof walk->scheme, "%.*s", (int)length,
                       walk->at);
    }
    walk->at = walk->at[size] == ',' ? walk->at + size + 1 : NULL;
    return RPCRT_OK;
}

/* What is dialed of an item that is a name: "dns:///h:1" as "tcp://h:1". NULL
 * if it is none. */
static const char *
dialed_name(const char *item, bool tls, char *ret_address)
{
    if (strncmp(item, DNS, strlen(DNS)) != 0) {
        return NULL;
    }
    (void)snprintf(ret_address, RPCRT_ADDRESS_SIZE, "%s%.*s",
                   tls ? "tls+tcp://" : "tcp://",
                   (int)(RPCRT_ADDRESS_SIZE - sizeof "tls+tcp://"),
                   item + strlen(DNS));
    return ret_address;
}

/* -- checking -------------------------------------------------------------- */

static const char *
file_path(const char *target)
{
    return strncmp(target, FILE_SCHEME, strlen(FILE_SCHEME)) == 0
               ? target + strlen(FILE_SCHEME)
               : NULL;
}

enum rpcrt_code
rpcrt__target_check(const char *target, bool tls,
                    struct rpcrt__error *ret_error,
                    enum rpcrt__target_kind *ret_kind)
{
    enum rpcrt__target_kind kind = RPCRT__TARGET_FIXED;
    struct walk walk = {.at = target};
    const char *path = file_path(target);

    if (path != NULL && path[0] != '/') {
        return rpcrt__error_set(ret_error, RPCRT_INVALID_ARGUMENT,
                                "%.200s: the path must begin with a slash",
                                target);
    }
    if (path != NULL) {
        *ret_kind = RPCRT__TARGET_FILE;
        return RPCRT_OK;
    }
    while (walk.at != NULL) {
        char address[RPCRT_ADDRESS_SIZE];
        const char *dialed = walk.item;
        enum rpcrt_code code = next_item(&walk, ret_error);

        if (code == RPCRT_OK && dialed_name(walk.item, tls, address) != NULL) {
            kind = RPCRT__TARGET_NAMES;
            dialed = address;
        }
        if (code == RPCRT_OK) {
            code = rpcrt__address_check(dialed, tls, false, ret_error);
        }
        if (code != RPCRT_OK) {
            return code;
        }
    }
    *ret_kind = kind;
    return RPCRT_OK;
}

/* -- resolving ------------------------------------------------------------- */

struct finding {
    struct rpcrt__servers *servers;
    const char *scheme;
    char host[RPCRT_ADDRESS_SIZE];
    const char *port;
    struct rpcrt__error *error;
};

/* Told of one address behind a name: "10.0.0.1", "[::1]". */
static bool
on_address(void *arg, const char *host)
{
    struct finding *finding = arg;
    char address[RPCRT_ADDRESS_SIZE];

    (void)snprintf(address, sizeof address, "%s%s:%s", finding->scheme, host,
                   finding->port);
    return add(finding->servers, address, finding->host, finding->error) ==
           RPCRT_OK;
}

static enum rpcrt_code
look_up(const char *item, bool tls, struct rpcrt__error *ret_error,
        struct rpcrt__servers *servers)
{
    struct finding finding = {.servers = servers,
                              .scheme = tls ? "tls+tcp://" : "tcp://",
                              .error = ret_error};
    const char *authority = item + strlen(DNS);
    const char *colon = strrchr(authority, ':');
    size_t size = (size_t)(colon - authority);
    size_t bracket = authority[0] == '[' ? 1 : 0;

    finding.port = colon + 1;
    memcpy(finding.host, authority + bracket, size - 2 * bracket);
    finding.host[size - 2 * bracket] = '\0';
    return rpcrt__names_look_up(finding.host, on_address, &finding, ret_error);
}

/* All of a list that was checked. */
static enum rpcrt_code
resolve_list(const char *list, bool tls, struct rpcrt__error *ret_error,
             struct rpcrt__servers *servers)
{
    struct walk walk = {.at = list};
    enum rpcrt_code code = RPCRT_OK;

    while (code == RPCRT_OK && walk.at != NULL) {
        code = next_item(&walk, ret_error);
        if (code != RPCRT_OK) {
            break;
        }
        code = strncmp(walk.item, DNS, strlen(DNS)) == 0
                   ? look_up(walk.item, tls, ret_error, servers)
                   : add(servers, walk.item, "", ret_error);
    }
    return code;
}

/* Cut comment and blanks off a line; empty if nothing is left. */
static char *
strip(char *line)
{
    char *end = line + strcspn(line, "#\r\n");

    while (end > line && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    *end = '\0';
    return line + strspn(line, " \t");
}

static enum rpcrt_code
read_lines(FILE *file, const char *path, bool tls,
           struct rpcrt__error *ret_error, struct rpcrt__servers *servers)
{
    char line[2 * RPCRT_ADDRESS_SIZE];

    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL;
         number++) {
        enum rpcrt__target_kind kind = RPCRT__TARGET_FIXED;
        struct rpcrt__error error;
        enum rpcrt_code code;
        const char *text;

        if (strchr(line, '\n') == NULL && !feof(file)) {
            return rpcrt__error_set(ret_error, RPCRT_UNAVAILABLE,
                                    "%s:%u: the line is too long", path,
                                    number);
        }
        text = strip(line);
        if (text[0] == '\0') {
            continue;
        }
        code = rpcrt__target_check(text, tls, &error, &kind);
        if (code == RPCRT_OK && kind == RPCRT__TARGET_FILE) {
            code = rpcrt__error_set(&error, RPCRT_INVALID_ARGUMENT,
                                    "a file can't be named in a file");
        }
        if (code == RPCRT_OK) {
            code = resolve_list(text, tls, &error, servers);
        }
        if (code != RPCRT_OK) {
            return rpcrt__error_set(ret_error, RPCRT_UNAVAILABLE, "%s:%u: %s",
                                    path, number, error.text);
        }
    }
    return RPCRT_OK;
}

static enum rpcrt_code
resolve_file(const char *path, bool tls, struct rpcrt__error *ret_error,
             struct rpcrt__servers *servers)
{
    FILE *file = fopen(path, "re");
    enum rpcrt_code code;

    if (file == NULL) {
        return rpcrt__error_set(ret_error, RPCRT_UNAVAILABLE,
                                "%s: can't be read: %s", path, strerror(errno));
    }
    code = read_lines(file, path, tls, ret_error, servers);
    if (code == RPCRT_OK && ferror(file) != 0) {
        code = rpcrt__error_set(ret_error, RPCRT_UNAVAILABLE,
                                "%s: can't be read", path);
    }
    (void)fclose(file);
    if (code == RPCRT_OK && servers->n == 0) {
        code = rpcrt__error_set(ret_error, RPCRT_UNAVAILABLE,
                                "%s: names no server", path);
    }
    return code;
}

enum rpcrt_code
rpcrt__target_resolve(const char *target, bool tls,
                      struct rpcrt__error *ret_error,
                      struct rpcrt__servers *servers)
{
    const char *path = file_path(target);

    return path != NULL ? resolve_file(path, tls, ret_error, servers)
                        : resolve_list(target, tls, ret_error, servers);
}
