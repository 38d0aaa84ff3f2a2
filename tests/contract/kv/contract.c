/*
 * Servers to judge, and short names for calls: see contract.h.
 */
#include "tests/contract/kv/contract.h"

#include "kv/service.h"
#include "tests/support/probe.h"

#include <criterion/hooks.h>
#include <criterion/options.h>
#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALLS_MAX 16u
#define KEYS_MAX 4096u

static const char *const transports[] = {"inproc", "ipc", "tcp", "tls"};
static const struct kvs_engine_ops *const engines[] = {&kvs_memory_engine,
                                                       &kvs_lmdb_engine};

#define N_TRANSPORTS (sizeof(transports) / sizeof(transports[0]))
#define N_ENGINES (sizeof(engines) / sizeof(engines[0]))

struct contract_server {
    struct kvs_service service;
    struct kvs_engine *engine;
    struct kvs_tokens *tokens;
    struct rpcrt_server *server;
    struct rpcrt_tls client_tls;
    bool secure;
    char address[RPCRT_ADDRESS_SIZE];
    char folder[64];
};

/* Calls and copies of keys of the one test of this process. */
static struct rpcrt_channel *channels[CALLS_MAX];
static struct rpcrt_call *calls[CALLS_MAX];
static size_t n_calls;
static char *keys[KEYS_MAX];
static size_t n_keys;

/* -- targets --------------------------------------------------------------- */

/* Tests count revisions: on a server that they share they run one by one. */
ReportHook(PRE_ALL)(struct criterion_test_set *tests)
{
    (void)tests;
    if (getenv("CONTRACT_TARGET") != NULL) {
        criterion_options.jobs = 1;
    }
}

struct criterion_test_params
contract_targets(void)
{
    static struct contract_target targets[N_ENGINES * N_TRANSPORTS];
    size_t n = 0;
    unsigned i;

    if (getenv("CONTRACT_TARGET") != NULL) {
        targets[n++].external = true;
        return cr_make_param_array(struct contract_target, targets, n);
    }
    for (i = 0; i < N_ENGINES * N_TRANSPORTS; i++) {
        targets[n].engine = i / N_TRANSPORTS;
        targets[n++].transport = i % N_TRANSPORTS;
    }
    return cr_make_param_array(struct contract_target, targets, n);
}

/* -- a server of our own --------------------------------------------------- */

/* Who may come in: tokens "owner", "other" and "reader". */
static void
tokens_write(const char *path)
{
    static const struct {
        const char *token;
        const char *space;
        const char *mode;
    } tokens[] = {{"owner", "red", ""},
                  {"other", "blue", ""},
                  {"reader", "red", " read-only"}};
    FILE *file = fopen(path, "w");
    size_t i;

    cr_assert_not_null(file);
    for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        uint8_t hash[crypto_hash_sha256_BYTES];
        char digits[2 * sizeof(hash) + 1];

        (void)crypto_hash_sha256(hash, (const uint8_t *)tokens[i].token,
                                 strlen(tokens[i].token));
        (void)sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
        cr_assert_geq(
            fprintf(file, "%s %s%s\n", tokens[i].space, digits, tokens[i].mode),
            0);
    }
    cr_assert_eq(fclose(file), 0);
}

static void
server_address(const struct contract_server *server, const char *transport,
               char ret_address[RPCRT_ADDRESS_SIZE])
{
    if (strcmp(transport, "inproc") == 0) {
        (void)snprintf(ret_address, RPCRT_ADDRESS_SIZE, "inproc://%s",
                       server->folder);
    } else if (strcmp(transport, "ipc") == 0) {
        (void)snprintf(ret_address, RPCRT_ADDRESS_SIZE, "ipc://%s/socket",
                       server->folder);
    } else {
        (void)snprintf(ret_address, RPCRT_ADDRESS_SIZE, "%s://127.0.0.1:0",
                       server->secure ? "tls+tcp" : "tcp");
    }
}

static struct contract_server *
server_start(const struct contract_target *target, uint64_t history,
             uint64_t size_max)
{
    struct contract_server *server = calloc(1, sizeof(*server));
    const char *transport = transports[target->transport];
    struct kvs_engine_options options = {.size_max = size_max,
                                         .history = history};
    struct rpcrt_tls tls = {NULL, NULL, NULL, NULL, false};
    struct common_error error = {.text = ""};
    char address[RPCRT_ADDRESS_SIZE];
    char path[128];

    cr_assert_not_null(server);
    (void)snprintf(server->folder, sizeof(server->folder),
                   "/tmp/rpcrt-contract-XXXXXX");
    cr_assert_not_null(mkdtemp(server->folder));
    (void)snprintf(path, sizeof(path), "%s/tokens", server->folder);
    tokens_write(path);
    cr_assert_eq(kvs_tokens_load(path, &error, &server->tokens), RPCRT_OK, "%s",
                 error.text);
    options.directory = server->folder;
    cr_assert_eq(kvs_engine_open(engines[target->engine], &options, &error,
                                 &server->engine),
                 RPCRT_OK, "%s", error.text);
    server->service = (struct kvs_service){server->engine, server->tokens};
    server->secure = strcmp(transport, "tls") == 0;
    if (server->secure) {
        bed_tls(&tls, &server->client_tls);
    }
    server_address(server, transport, address);
    cr_assert_eq(rpcrt_server_new(NULL, &server->server), RPCRT_OK);
    cr_assert_eq(kvs_service_serve(server->server, &server->service), RPCRT_OK);
    cr_assert_eq(rpcrt_server_listen(server->server, address,
                                     server->secure ? &tls : NULL),
                 RPCRT_OK, "%s", rpcrt_last_error());
    (void)snprintf(server->address, sizeof(server->address), "%s",
                   rpcrt_server_address(server->server, 0));
    return server;
}

static void
folder_remove(const char *folder)
{
    struct dirent *entry;
    char path[512];
    DIR *dir = opendir(folder);

    cr_assert_not_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            (void)unlink(path);
        }
    }
    (void)closedir(dir);
    cr_assert_eq(rmdir(folder), 0);
}

static void
server_stop(struct contract_server *server)
{
    rpcrt_server_free(server->server);
    kvs_engine_close(server->engine);
    kvs_tokens_free(server->tokens);
    folder_remove(server->folder);
    free(server);
}

/* -- connecting ------------------------------------------------------------ */

/* The token in the first line of a file that a variable names. */
static bool
token_read(const char *variable, char *ret_token, size_t size)
{
    const char *path = getenv(variable);
    FILE *file = path == NULL ? NULL : fopen(path, "r");
    bool ok;

    if (file == NULL) {
        return false;
    }
    ok = fgets(ret_token, (int)size, file) != NULL;
    (void)fclose(file);
    ret_token[strcspn(ret_token, "\r\n")] = '\0';
    return ok;
}

static bool
token_of(const struct contract *c, enum contract_who who, char *ret_token,
         size_t size)
{
    static const char *const own[] = {"owner", "other", "reader", "stranger"};
    static const char *const variables[] = {"CONTRACT_TOKEN_FILE",
                                            "CONTRACT_OTHER_TOKEN_FILE",
                                            "CONTRACT_READ_ONLY_TOKEN_FILE"};

    if (c->server != NULL || who == CONTRACT_STRANGER) {
        (void)snprintf(ret_token, size, "%s", own[who]);
        return true;
    }
    return token_read(variables[who], ret_token, size);
}

static struct rpcrt_channel *
channel_new(const struct contract *c)
{
    struct rpcrt_tls tls = {.ca_file = getenv("CONTRACT_TLS_CA"),
                            .cert_file = getenv("CONTRACT_TLS_CERT"),
                            .key_file = getenv("CONTRACT_TLS_KEY")};
    struct rpcrt_channel_options options = {.tls = NULL};
    const char *address = getenv("CONTRACT_TARGET");
    struct rpcrt_channel *channel = NULL;

    if (c->server != NULL) {
        address = c->server->address;
        options.tls = c->server->secure ? &c->server->client_tls : NULL;
    } else if (strncmp(address, "tls+", 4) == 0) {
        options.tls = &tls;
    }
    cr_assert_eq(rpcrt_channel_new(address, &options, &channel), RPCRT_OK, "%s",
                 rpcrt_last_error());
    return channel;
}

struct rpcrt_call *
contract_call(struct contract *c, enum contract_who who)
{
    struct rpcrt_call *call = NULL;
    char value[512] = "Bearer ";

    cr_assert_lt(n_calls, CALLS_MAX);
    channels[n_calls] = channel_new(c);
    cr_assert_eq(rpcrt_call_new(channels[n_calls], CONTRACT_TIMEOUT_MS, &call),
                 RPCRT_OK);
    calls[n_calls++] = call;
    if (who != CONTRACT_NOBODY) {
        if (token_of(c, who, value + 7, sizeof(value) - 7)) {
            cr_assert_eq(
                rpcrt_call_set_metadata_text(call, "authorization", value),
                RPCRT_OK);
        } else if (who != CONTRACT_OWNER) {
            cr_skip_test("no token file");
        }
    } else if (c->server == NULL && getenv("CONTRACT_TOKEN_FILE") == NULL) {
        cr_skip_test("the server asks for no token");
    }
    return call;
}

void
contract_open(struct contract *c, const struct contract_target *target,
              uint64_t history, uint64_t size_max)
{
    uint8_t random[8];
    char digits[17];

    *c = (struct contract){.where = "the target"};
    cr_assert_geq(sodium_init(), 0);
    if (!target->external) {
        (void)snprintf(c->where, sizeof(c->where), "%s over %s",
                       engines[target->engine]->name,
                       transports[target->transport]);
        c->server = server_start(
            target, history == 0 ? KVS_HISTORY_DEFAULT : history, size_max);
    } else if (history != 0 || size_max != 0) {
        cr_skip_test("needs a server of its own");
    }
    randombytes_buf(random, sizeof(random));
    (void)sodium_bin2hex(digits, sizeof(digits), random, sizeof(random));
    (void)snprintf(c->prefix, sizeof(c->prefix), "%s/", digits);
    c->call = contract_call(c, CONTRACT_OWNER);
}

void
contract_close(struct contract *c)
{
    Kv__V1__DeleteRangeRequest request = KV__V1__DELETE_RANGE_REQUEST__INIT;
    const Kv__V1__DeleteRangeReply *reply;

    request.key = contract_key(c, "");
    request.end = contract_end(c);
    expect_call(c, c->call, RPCRT_OK,
                kv_delete_range(c->call, &request, &reply));
    while (n_calls > 0) {
        n_calls--;
        rpcrt_call_free(calls[n_calls]);
        rpcrt_channel_free(channels[n_calls]);
    }
    while (n_keys > 0) {
        free(keys[--n_keys]);
    }
    if (c->server != NULL) {
        server_stop(c->server);
    }
}

/* -- short names ----------------------------------------------------------- */

static ProtobufCBinaryData
keep(const char *text, size_t size)
{
    char *copy = malloc(size + 1);

    cr_assert_not_null(copy);
    cr_assert_lt(n_keys, KEYS_MAX);
    memcpy(copy, text, size);
    copy[size] = '\0';
    keys[n_keys++] = copy;
    return (ProtobufCBinaryData){size, (uint8_t *)copy};
}

ProtobufCBinaryData
contract_bytes(const char *text)
{
    return keep(text, strlen(text));
}

ProtobufCBinaryData
contract_key(struct contract *c, const char *name)
{
    (void)snprintf(c->key, sizeof(c->key), "%s%s", c->prefix, name);
    return keep(c->key, strlen(c->key));
}

ProtobufCBinaryData
contract_end(struct contract *c)
{
    ProtobufCBinaryData end = contract_key(c, "");

    end.data[end.len - 1]++;
    return end;
}

ProtobufCBinaryData
contract_open_end(void)
{
    return keep("", 1);
}

uint64_t
contract_put(struct contract *c, const char *name, const char *value)
{
    Kv__V1__PutRequest request = KV__V1__PUT_REQUEST__INIT;
    const Kv__V1__PutReply *reply;

    request.key = contract_key(c, name);
    request.value = contract_bytes(value);
    expect_call(c, c->call, RPCRT_OK, kv_put(c->call, &request, &reply));
    return reply->header->revision;
}

uint64_t
contract_delete(struct contract *c, const char *name, const char *end)
{
    Kv__V1__DeleteRangeRequest request = KV__V1__DELETE_RANGE_REQUEST__INIT;
    const Kv__V1__DeleteRangeReply *reply;

    request.key = contract_key(c, name);
    if (end != NULL) {
        request.end = contract_key(c, end);
    }
    expect_call(c, c->call, RPCRT_OK,
                kv_delete_range(c->call, &request, &reply));
    return reply->deleted;
}

const char *
contract_text(struct contract *c, const Kv__V1__RangeReply *page)
{
    static char text[8192];
    size_t length = 0;
    size_t skip = strlen(c->prefix);
    size_t i;

    text[0] = '\0';
    for (i = 0; i < page->n_entries; i++) {
        const Kv__V1__KeyValue *entry = page->entries[i];
        int n;

        cr_assert_geq(entry->key.len, skip);
        n = snprintf(
            text + length, sizeof(text) - length, "%s%.*s=%.*s",
            i == 0 ? "" : " ", (int)(entry->key.len - skip),
            (const char *)entry->key.data + skip, (int)entry->value.len,
            entry->value.len == 0 ? "" : (const char *)entry->value.data);
        cr_assert(n >= 0 && (size_t)n < sizeof(text) - length);
        length += (size_t)n;
    }
    (void)snprintf(text + length, sizeof(text) - length, "%s",
                   page->more ? " +" : "");
    return text;
}

const char *
contract_state(struct contract *c, uint64_t revision)
{
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__RangeReply *reply;

    request.key = contract_key(c, "");
    request.end = contract_end(c);
    request.revision = revision;
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    return contract_text(c, reply);
}

const char *
contract_value(struct contract *c, const char *name)
{
    static char text[1024];
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__RangeReply *reply;

    request.key = contract_key(c, name);
    expect_call(c, c->call, RPCRT_OK, kv_range(c->call, &request, &reply));
    if (reply->n_entries == 0) {
        return "-";
    }
    (void)snprintf(text, sizeof(text), "%.*s",
                   (int)reply->entries[0]->value.len,
                   reply->entries[0]->value.len == 0
                       ? ""
                       : (const char *)reply->entries[0]->value.data);
    return text;
}
