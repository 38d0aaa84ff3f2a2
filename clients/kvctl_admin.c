/*
 * Commands of kvctl for who runs a server: status and token.
 */
#include "kvctl.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void
print_status_json(const Kv__V1__StatusReply *reply)
{
    struct output_json json;

    output_json_begin(&json);
    kvctl_json_header(&json, reply->header);
    output_json_text(&json, "engine", reply->engine);
    output_json_text(&json, "version", reply->version);
    output_json_number(&json, "oldest_revision", reply->oldest_revision);
    output_json_number(&json, "history", reply->history);
    output_json_number(&json, "size", reply->size);
    output_json_number(&json, "size_max", reply->size_max);
    output_json_bool(&json, "full", reply->full);
    output_json_text(&json, "stopped", reply->stopped);
    output_json_end(&json);
    (void)putchar('\n');
}

static bool
print_status_table(const struct cli *cli, const Kv__V1__StatusReply *reply)
{
    static const char *const headings[] = {"WHAT", "IS"};
    const struct {
        const char *name;
        const char *text;
        uint64_t number;
    } rows[] = {
        {"address", cli->address, 0},
        {"engine", reply->engine, 0},
        {"version", reply->version, 0},
        {"store id", reply->header->store_id, 0},
        {"epoch", NULL, reply->header->epoch},
        {"revision", NULL, reply->header->revision},
        {"oldest revision", NULL, reply->oldest_revision},
        {"history", NULL, reply->history},
        {"bytes", NULL, reply->size},
        {"bytes at most", NULL, reply->size_max},
        {"full", reply->full ? "yes" : "no", 0},
        {"stopped", reply->stopped[0] == '\0' ? "no" : reply->stopped, 0}};
    struct output_table table;
    size_t i;

    output_table_init(&table, headings, 2);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        output_table_text(&table, rows[i].name);
        if (rows[i].text != NULL) {
            output_table_text(&table, rows[i].text);
        } else {
            output_table_number(&table, rows[i].number);
        }
    }
    return output_table_end(&table);
}

int
kvctl_status(struct cli *cli)
{
    Kv__V1__StatusRequest request = KV__V1__STATUS_REQUEST__INIT;
    const Kv__V1__StatusReply *reply = NULL;
    int exit_code = 0;

    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (kv_status(cli->call, &request, &reply) != RPCRT_OK) {
        return cli_call_failed(cli);
    }
    if (cli->json) {
        print_status_json(reply);
        return 0;
    }
    return print_status_table(cli, reply) ? 0 : cli_fail(cli, "out of memory");
}

int
kvctl_token_new(const struct cli *cli, const char *space, bool read_only)
{
    uint8_t secret[32];
    uint8_t hash[crypto_hash_sha256_BYTES];
    char token[64];
    char digits[2 * sizeof(hash) + 1];

    if (space[0] == '\0' || space[0] == '#' ||
        strpbrk(space, " \t\r\n") != NULL) {
        return cli_usage(cli, "'%s' can't be a namespace", space);
    }
    if (sodium_init() < 0) {
        return cli_fail(cli, "no source of random numbers");
    }
    randombytes_buf(secret, sizeof(secret));
    (void)sodium_bin2base64(token, sizeof(token), secret, sizeof(secret),
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    (void)crypto_hash_sha256(hash, (const uint8_t *)token, strlen(token));
    (void)sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
    (void)printf("%s\n%s %s%s\n", token, space, digits,
                 read_only ? " read-only" : "");
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(token, sizeof(token));
    return 0;
}
