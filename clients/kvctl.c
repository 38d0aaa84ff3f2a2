/*
 * kvctl: the command line of the key-value server. One function a command.
 */
#include "kvctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Room for the bounds of an interval, with a byte behind a key. */
#define BOUND_SIZE 512u

/* What the flags of commands set. */
static struct {
    uint64_t revision;
    uint64_t limit;
    bool reverse;
    bool keys_only;
    bool prefix;
    bool from;
    bool read_only;
    struct kvctl_txn txn;
} options;

/* -- intervals ------------------------------------------------------------- */

/* One zero byte: no end. */
static uint8_t open_end[1];

static ProtobufCBinaryData
bytes_of(char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

/* The end behind all keys that begin with a text, made in place of a copy: its
 * last byte that can be raised, raised, and nothing behind it. */
static void
prefix_end(const char *prefix, ProtobufCBinaryData *ret_end)
{
    static uint8_t end[512];
    size_t size = strlen(prefix);

    size = size < sizeof(end) ? size : sizeof(end);
    memcpy(end, prefix, size);
    while (size > 0 && end[size - 1] == 0xff) {
        size--;
    }
    if (size > 0) {
        end[size - 1]++;
        *ret_end = (ProtobufCBinaryData){size, end};
    } else {
        *ret_end = (ProtobufCBinaryData){1, open_end};
    }
}

/* What KEY and END with --prefix and --from mean; 0 or the exit code. */
static int
interval_read(const struct cli *cli, int argc, char **argv,
              ProtobufCBinaryData *ret_key, ProtobufCBinaryData *ret_end)
{
    if (options.prefix + options.from + (argc > 1) > 1) {
        return cli_usage(cli, "END, --prefix and --from exclude each other");
    }
    if (argc == 0) {
        *ret_end = (ProtobufCBinaryData){1, open_end};
        return 0;
    }
    *ret_key = bytes_of(argv[0]);
    if (argc > 1) {
        *ret_end = bytes_of(argv[1]);
        return 0;
    }
    if (options.prefix) {
        prefix_end(argv[0], ret_end);
    } else if (options.from) {
        *ret_end = (ProtobufCBinaryData){1, open_end};
    }
    return 0;
}

/* -- writing --------------------------------------------------------------- */

static void
print_header(const struct cli *cli, const Kv__V1__Header *header)
{
    struct output_json json;

    if (cli->json) {
        output_json_begin(&json);
        kvctl_json_header(&json, header);
        output_json_end(&json);
        (void)putchar('\n');
    } else {
        (void)printf("revision %llu\n", (unsigned long long)header->revision);
    }
}

static int
run_put(struct cli *cli, int argc, char **argv)
{
    Kv__V1__PutRequest request = KV__V1__PUT_REQUEST__INIT;
    const Kv__V1__PutReply *reply = NULL;
    struct cli_bytes value = {NULL, 0};
    int exit_code = CLI_EXIT_FAILED;

    (void)argc;
    if (!cli_value(cli, argv[1], KVCTL_VALUE_SIZE_MAX, &value)) {
        return CLI_EXIT_FAILED;
    }
    request.key = bytes_of(argv[0]);
    request.value = (ProtobufCBinaryData){value.size, value.data};
    if (cli_connect(cli, &exit_code)) {
        if (kv_put(cli->call, &request, &reply) == RPCRT_OK) {
            print_header(cli, reply->header);
            exit_code = 0;
        } else {
            exit_code = cli_call_failed(cli);
        }
    }
    free(value.data);
    return exit_code;
}

static int
run_del(struct cli *cli, int argc, char **argv)
{
    Kv__V1__DeleteRangeRequest request = KV__V1__DELETE_RANGE_REQUEST__INIT;
    const Kv__V1__DeleteRangeReply *reply = NULL;
    struct output_json json;
    int exit_code = interval_read(cli, argc, argv, &request.key, &request.end);

    if (exit_code != 0 || !cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (kv_delete_range(cli->call, &request, &reply) != RPCRT_OK) {
        return cli_call_failed(cli);
    }
    if (cli->json) {
        output_json_begin(&json);
        kvctl_json_header(&json, reply->header);
        output_json_number(&json, "deleted", reply->deleted);
        output_json_end(&json);
        (void)putchar('\n');
    } else {
        (void)printf("deleted %llu\n", (unsigned long long)reply->deleted);
    }
    return 0;
}

static int
run_txn(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return kvctl_txn(cli, &options.txn);
}

/* -- reading --------------------------------------------------------------- */

/* A value as it is; on a terminal with an end of line. */
static void
print_value(const ProtobufCBinaryData *value)
{
    (void)fwrite(value->data, 1, value->len, stdout);
    if (isatty(STDOUT_FILENO) == 1) {
        (void)putchar('\n');
    }
}

static int
run_get(struct cli *cli, int argc, char **argv)
{
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__RangeReply *reply = NULL;
    struct output_json json;
    int exit_code = 0;

    (void)argc;
    request.key = bytes_of(argv[0]);
    request.revision = options.revision;
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (kv_range(cli->call, &request, &reply) != RPCRT_OK) {
        return cli_call_failed(cli);
    }
    if (reply->n_entries == 0) {
        (void)cli_fail(cli, "%s: no key '%s'", cli->address, argv[0]);
        return CLI_EXIT_STATUS + RPCRT_NOT_FOUND;
    }
    if (cli->json) {
        output_json_begin(&json);
        kvctl_json_header(&json, reply->header);
        kvctl_json_page(&json, reply);
        output_json_end(&json);
        (void)putchar('\n');
    } else {
        print_value(&reply->entries[0]->value);
    }
    return 0;
}

/* Where the page behind this one begins, or ends if in reverse; the bytes are
 * kept in `bound`. */
static void
page_next(const Kv__V1__RangeReply *reply, uint8_t bound[BOUND_SIZE],
          Kv__V1__RangeRequest *request)
{
    const ProtobufCBinaryData *last =
        &reply->entries[reply->n_entries - 1]->key;
    size_t size = last->len < BOUND_SIZE ? last->len : BOUND_SIZE - 1;

    memcpy(bound, last->data, size);
    bound[size] = 0;
    if (request->reverse) {
        request->end = (ProtobufCBinaryData){size, bound};
    } else {
        request->key = (ProtobufCBinaryData){size + 1, bound};
    }
}

/* All pages, up to --limit, of one revision. */
static int
print_pages(struct cli *cli, Kv__V1__RangeRequest *request,
            uint8_t bound[BOUND_SIZE], struct output_table *table)
{
    const Kv__V1__RangeReply *reply = NULL;
    struct output_json json;
    uint64_t left = options.limit == 0 ? UINT64_MAX : options.limit;

    do {
        request->limit = left < 1000 ? (uint32_t)left : 1000;
        if (kv_range(cli->call, request, &reply) != RPCRT_OK) {
            return cli_call_failed(cli);
        }
        if (cli->json) {
            output_json_begin(&json);
            kvctl_json_header(&json, reply->header);
            kvctl_json_page(&json, reply);
            output_json_end(&json);
            (void)putchar('\n');
        } else {
            kvctl_table_add(table, options.keys_only, reply->entries,
                            reply->n_entries);
        }
        left -= reply->n_entries;
        request->revision =
            reply->header->revision > 0 && request->revision == 0
                ? reply->header->revision
                : request->revision;
        if (reply->n_entries > 0) {
            page_next(reply, bound, request);
        }
    } while (reply->more && reply->n_entries > 0 && left > 0);
    return 0;
}

static int
run_range(struct cli *cli, int argc, char **argv)
{
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    struct output_table table = {0};
    uint8_t bound[BOUND_SIZE];
    int exit_code = interval_read(cli, argc, argv, &request.key, &request.end);

    if (exit_code != 0 || !cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    request.revision = options.revision;
    request.reverse = options.reverse;
    request.keys_only = options.keys_only;
    if (!cli->json) {
        kvctl_table_init(&table, options.keys_only);
    }
    exit_code = print_pages(cli, &request, bound, &table);
    if (!cli->json && !output_table_end(&table) && exit_code == 0) {
        exit_code = cli_fail(cli, "out of memory");
    }
    return exit_code;
}

/* -- stored values --------------------------------------------------------- */

static int
run_store(struct cli *cli, int argc, char **argv)
{
    Kv__V1__StoreRequest request = KV__V1__STORE_REQUEST__INIT;
    const Kv__V1__StoreReply *reply = NULL;
    struct cli_bytes value = {NULL, 0};
    struct output_json json;
    int exit_code = CLI_EXIT_FAILED;

    (void)argc;
    if (!cli_value(cli, argv[0], KVCTL_VALUE_SIZE_MAX, &value)) {
        return CLI_EXIT_FAILED;
    }
    request.value = (ProtobufCBinaryData){value.size, value.data};
    if (cli_connect(cli, &exit_code)) {
        if (kv_store(cli->call, &request, &reply) != RPCRT_OK) {
            exit_code = cli_call_failed(cli);
        } else if (cli->json) {
            output_json_begin(&json);
            kvctl_json_header(&json, reply->header);
            output_json_text(&json, "key", reply->key);
            output_json_end(&json);
            (void)putchar('\n');
            exit_code = 0;
        } else {
            (void)printf("%s\n", reply->key);
            exit_code = 0;
        }
    }
    free(value.data);
    return exit_code;
}

static int
run_load(struct cli *cli, int argc, char **argv)
{
    Kv__V1__LoadRequest request = KV__V1__LOAD_REQUEST__INIT;
    const Kv__V1__LoadReply *reply = NULL;
    struct output_json json;
    int exit_code = 0;

    (void)argc;
    request.key = argv[0];
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (kv_load(cli->call, &request, &reply) != RPCRT_OK) {
        return cli_call_failed(cli);
    }
    if (cli->json) {
        output_json_begin(&json);
        kvctl_json_header(&json, reply->header);
        output_json_bytes(&json, "value", reply->value.data, reply->value.len);
        output_json_end(&json);
        (void)putchar('\n');
    } else {
        print_value(&reply->value);
    }
    return 0;
}

static int
run_status(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return kvctl_status(cli);
}

static int
run_token(struct cli *cli, int argc, char **argv)
{
    (void)argc;
    if (strcmp(argv[0], "new") != 0) {
        return cli_usage(cli, "usage: %s token new NAMESPACE", cli->program);
    }
    return kvctl_token_new(cli, argv[1], options.read_only);
}

/* -- commands -------------------------------------------------------------- */

static const struct cli_flag get_flags[] = {
    {"revision", "N", "As it was at this revision.", CLI_FLAG_NUMBER,
     &options.revision}};

static const struct cli_flag range_flags[] = {
    {"prefix", NULL, "All keys that begin with KEY.", CLI_FLAG_SWITCH,
     &options.prefix},
    {"from", NULL, "All keys from KEY on.", CLI_FLAG_SWITCH, &options.from},
    {"limit", "N", "So many keys at the most.", CLI_FLAG_NUMBER,
     &options.limit},
    {"reverse", NULL, "From the last key to the first.", CLI_FLAG_SWITCH,
     &options.reverse},
    {"keys-only", NULL, "Without the values.", CLI_FLAG_SWITCH,
     &options.keys_only},
    {"revision", "N", "As it was at this revision.", CLI_FLAG_NUMBER,
     &options.revision}};

static const struct cli_flag del_flags[] = {
    {"prefix", NULL, "All keys that begin with KEY.", CLI_FLAG_SWITCH,
     &options.prefix},
    {"from", NULL, "All keys from KEY on.", CLI_FLAG_SWITCH, &options.from}};

static const struct cli_flag txn_flags[] = {
    {"if", "COMPARE", "Must hold; may be given several times.", CLI_FLAG_LIST,
     &options.txn.compares},
    {"then", "OPERATION", "Done if all compares hold.", CLI_FLAG_LIST,
     &options.txn.then},
    {"else", "OPERATION", "Done otherwise.", CLI_FLAG_LIST,
     &options.txn.otherwise}};

static const struct cli_flag token_flags[] = {
    {"read-only", NULL, "The token may only read.", CLI_FLAG_SWITCH,
     &options.read_only}};

static const char value_help[] =
    "VALUE: - is standard input, @FILE a file, @@TEXT the text @TEXT.";

static const char range_help[] =
    "KEY alone: that key. KEY and END: from KEY on, without END. Nothing: "
    "all.\n"
    "On a terminal the columns are key, value, version, and the revision that\n"
    "wrote it last; elsewhere they are separated by tabs. Bytes that can't be\n"
    "shown stand as \\xHH. With --json each page is one line, and bytes that "
    "are\nnot UTF-8 stand as base64 in a member like \"value_base64\".";

static const char txn_help[] =
    "COMPARE:   version|created|modified KEY =|!=|<|> NUMBER\n"
    "           value KEY =|!=|<|> TEXT\n"
    "OPERATION: put KEY TEXT, get KEY, del KEY [END]\n"
    "A get shows what was there before the transaction.\n"
    "Example: --if 'version seat/7 = 0' --then 'put seat/7 taken by me' "
    "--else 'get seat/7'";

static const char token_help[] =
    "Prints the token, to be kept secret, and the line for the server's file.";

static const struct cli_command commands[] = {
    {"put", "KEY VALUE", "write a key", value_help, 2, 2, NULL, 0, run_put},
    {"get", "KEY", "print the value of a key", NULL, 1, 1, get_flags, 1,
     run_get},
    {"range", "[KEY [END]]", "list keys", range_help, 0, 2, range_flags,
     sizeof(range_flags) / sizeof(range_flags[0]), run_range},
    {"del", "KEY [END]", "delete keys", NULL, 1, 2, del_flags,
     sizeof(del_flags) / sizeof(del_flags[0]), run_del},
    {"txn", "[--if C --then O --else O]", "compare, then change", txn_help, 0,
     0, txn_flags, sizeof(txn_flags) / sizeof(txn_flags[0]), run_txn},
    {"store", "VALUE", "keep a value for good, print its key", value_help, 1, 1,
     NULL, 0, run_store},
    {"load", "KEY", "print a stored value", NULL, 1, 1, NULL, 0, run_load},
    {"status", "", "tell the state of the store", NULL, 0, 0, NULL, 0,
     run_status},
    {"token", "new NAMESPACE", "make a token", token_help, 2, 2, token_flags, 1,
     run_token}};

int
main(int argc, char **argv)
{
    struct cli cli = {.program = "kvctl",
                      .summary = "the command line of a key-value server",
                      .commands = commands,
                      .n_commands = sizeof(commands) / sizeof(commands[0]),
                      .token_help = "The first line is the token that opens a "
                                    "namespace."};

    return cli_main(&cli, argc, argv);
}
