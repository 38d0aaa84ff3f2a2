/*
 * The command txn: compares and operations written as short sentences.
 *
 *   --if   version|created|modified KEY =|!=|<|> NUMBER
 *          value KEY =|!=|<|> TEXT
 *   --then, --else
 *          put KEY TEXT    get KEY    del KEY [END]
 *
 * Words are separated by one space; the last TEXT takes the rest of the
 * sentence, spaces included.
 */
#include "kvctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct operation {
    Kv__V1__Operation message;
    Kv__V1__RangeRequest range;
    Kv__V1__PutRequest put;
    Kv__V1__DeleteRangeRequest delete_range;
};

/* Everything of a request, one allocation. */
struct request {
    Kv__V1__TxnRequest message;
    Kv__V1__Compare compares[CLI_LIST_MAX];
    Kv__V1__Compare *compare_pointers[CLI_LIST_MAX];
    struct operation operations[2][CLI_LIST_MAX];
    Kv__V1__Operation *operation_pointers[2][CLI_LIST_MAX];
    char *copies[3][CLI_LIST_MAX]; /* of the sentences, cut into words */
};

/* -- words ----------------------------------------------------------------- */

/* Cut off the next word; NULL if there is none. */
static char *
word_next(char **rest)
{
    char *word = *rest;
    char *space;

    if (word == NULL) {
        return NULL;
    }
    space = strchr(word, ' ');
    if (space == NULL) {
        *rest = NULL;
    } else {
        *space = '\0';
        *rest = space + 1;
    }
    return word;
}

static ProtobufCBinaryData
bytes_of(char *text)
{
    return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

static bool
number_of(const char *text, uint64_t *ret_number)
{
    char *end = NULL;

    errno = 0;
    *ret_number = strtoull(text, &end, 10);
    return isdigit((unsigned char)text[0]) && errno == 0 && *end == '\0';
}

/* -- compares -------------------------------------------------------------- */

static bool
result_of(const char *sign, Kv__V1__Compare__Result *ret_result)
{
    static const struct {
        const char *sign;
        Kv__V1__Compare__Result result;
    } results[] = {{"=", KV__V1__COMPARE__RESULT__EQUAL},
                   {"!=", KV__V1__COMPARE__RESULT__NOT_EQUAL},
                   {"<", KV__V1__COMPARE__RESULT__LESS},
                   {">", KV__V1__COMPARE__RESULT__GREATER}};
    size_t i;

    for (i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        if (strcmp(sign, results[i].sign) == 0) {
            *ret_result = results[i].result;
            return true;
        }
    }
    return false;
}

static bool
target_of(const char *target, char *text, Kv__V1__Compare *compare)
{
    if (strcmp(target, "value") == 0) {
        compare->target_case = KV__V1__COMPARE__TARGET_VALUE;
        compare->value = bytes_of(text);
        return true;
    }
    if (strcmp(target, "version") == 0) {
        compare->target_case = KV__V1__COMPARE__TARGET_VERSION;
        return number_of(text, &compare->version);
    }
    if (strcmp(target, "created") == 0) {
        compare->target_case = KV__V1__COMPARE__TARGET_CREATE_REVISION;
        return number_of(text, &compare->create_revision);
    }
    if (strcmp(target, "modified") == 0) {
        compare->target_case = KV__V1__COMPARE__TARGET_MOD_REVISION;
        return number_of(text, &compare->mod_revision);
    }
    return false;
}

static bool
compare_read(char *sentence, Kv__V1__Compare *ret_compare)
{
    char *rest = sentence;
    char *target = word_next(&rest);
    char *key = word_next(&rest);
    char *sign = word_next(&rest);

    kv__v1__compare__init(ret_compare);
    if (key == NULL || sign == NULL || rest == NULL) {
        return false;
    }
    ret_compare->key = bytes_of(key);
    return result_of(sign, &ret_compare->result) &&
           target_of(target, rest, ret_compare);
}

/* -- operations ------------------------------------------------------------ */

static bool
operation_read(char *sentence, struct operation *ret_operation)
{
    char *rest = sentence;
    const char *verb = word_next(&rest);
    char *key = word_next(&rest);
    Kv__V1__Operation *message = &ret_operation->message;

    kv__v1__operation__init(message);
    kv__v1__range_request__init(&ret_operation->range);
    kv__v1__put_request__init(&ret_operation->put);
    kv__v1__delete_range_request__init(&ret_operation->delete_range);
    if (key == NULL) {
        return false;
    }
    if (strcmp(verb, "put") == 0 && rest != NULL) {
        message->kind_case = KV__V1__OPERATION__KIND_PUT;
        message->put = &ret_operation->put;
        message->put->key = bytes_of(key);
        message->put->value = bytes_of(rest);
        return true;
    }
    if (strcmp(verb, "get") == 0 && rest == NULL) {
        message->kind_case = KV__V1__OPERATION__KIND_RANGE;
        message->range = &ret_operation->range;
        message->range->key = bytes_of(key);
        return true;
    }
    if (strcmp(verb, "del") == 0) {
        message->kind_case = KV__V1__OPERATION__KIND_DELETE_RANGE;
        message->delete_range = &ret_operation->delete_range;
        message->delete_range->key = bytes_of(key);
        if (rest != NULL) {
            message->delete_range->end = bytes_of(rest);
        }
        return true;
    }
    return false;
}

/* -- the request ----------------------------------------------------------- */

static int
compares_read(const struct cli *cli, const struct cli_list *list,
              struct request *request)
{
    size_t i;

    for (i = 0; i < list->n_items; i++) {
        request->copies[2][i] = strdup(list->items[i]);
        if (request->copies[2][i] == NULL) {
            return cli_fail(cli, "out of memory");
        }
        if (!compare_read(request->copies[2][i], &request->compares[i])) {
            return cli_usage(cli, "--if: can't read '%s'", list->items[i]);
        }
        request->compare_pointers[i] = &request->compares[i];
    }
    request->message.compares = request->compare_pointers;
    request->message.n_compares = list->n_items;
    return 0;
}

static int
operations_read(const struct cli *cli, const struct cli_list *list,
                const char *flag, size_t n, struct request *request)
{
    size_t i;

    for (i = 0; i < list->n_items; i++) {
        char *copy = strdup(list->items[i]);

        request->copies[n][i] = copy;
        if (copy == NULL) {
            return cli_fail(cli, "out of memory");
        }
        if (!operation_read(copy, &request->operations[n][i])) {
            return cli_usage(cli, "--%s: can't read '%s'", flag,
                             list->items[i]);
        }
        request->operation_pointers[n][i] = &request->operations[n][i].message;
    }
    return 0;
}

static int
request_read(const struct cli *cli, const struct kvctl_txn *txn,
             struct request *request)
{
    int exit_code = compares_read(cli, &txn->compares, request);

    if (exit_code == 0) {
        exit_code = operations_read(cli, &txn->then, "then", 0, request);
    }
    if (exit_code == 0) {
        exit_code = operations_read(cli, &txn->otherwise, "else", 1, request);
    }
    request->message.then = request->operation_pointers[0];
    request->message.n_then = txn->then.n_items;
    request->message.otherwise = request->operation_pointers[1];
    request->message.n_otherwise = txn->otherwise.n_items;
    return exit_code;
}

static void
request_free(struct request *request)
{
    size_t i;

    for (i = 0; i < CLI_LIST_MAX; i++) {
        free(request->copies[0][i]);
        free(request->copies[1][i]);
        free(request->copies[2][i]);
    }
    free(request);
}

/* -- the reply ------------------------------------------------------------- */

static void
print_json(const Kv__V1__TxnReply *reply)
{
    struct output_json json;
    size_t i;

    output_json_begin(&json);
    kvctl_json_header(&json, reply->header);
    output_json_bool(&json, "succeeded", reply->succeeded);
    output_json_name(&json, "replies");
    (void)putchar('[');
    for (i = 0; i < reply->n_replies; i++) {
        const Kv__V1__OperationReply *one = reply->replies[i];
        struct output_json inner;

        if (i > 0) {
            (void)putchar(',');
        }
        output_json_begin(&inner);
        if (one->kind_case == KV__V1__OPERATION_REPLY__KIND_RANGE) {
            kvctl_json_page(&inner, one->range);
        } else if (one->kind_case ==
                   KV__V1__OPERATION_REPLY__KIND_DELETE_RANGE) {
            output_json_number(&inner, "deleted", one->delete_range->deleted);
        }
        output_json_end(&inner);
    }
    (void)printf("]}\n");
}

static int
print_text(const struct cli *cli, const Kv__V1__TxnReply *reply)
{
    struct output_table table;
    size_t i;

    (void)printf("%s, revision %llu\n", reply->succeeded ? "then" : "else",
                 (unsigned long long)reply->header->revision);
    kvctl_table_init(&table, false);
    if (table.terminal && table.n_cells > 0) {
        bool any = false;

        for (i = 0; i < reply->n_replies; i++) {
            any = any || (reply->replies[i]->kind_case ==
                              KV__V1__OPERATION_REPLY__KIND_RANGE &&
                          reply->replies[i]->range->n_entries > 0);
        }
        if (!any) {
            table.no_memory = true; /* nothing but the heading */
            (void)output_table_end(&table);
            return 0;
        }
    }
    for (i = 0; i < reply->n_replies; i++) {
        const Kv__V1__OperationReply *one = reply->replies[i];

        if (one->kind_case == KV__V1__OPERATION_REPLY__KIND_RANGE) {
            kvctl_table_add(&table, false, one->range->entries,
                            one->range->n_entries);
        }
    }
    return output_table_end(&table) ? 0 : cli_fail(cli, "out of memory");
}

int
kvctl_txn(struct cli *cli, const struct kvctl_txn *txn)
{
    struct request *request = calloc(1, sizeof(*request));
    const Kv__V1__TxnReply *reply = NULL;
    int exit_code;

    if (request == NULL) {
        return cli_fail(cli, "out of memory");
    }
    kv__v1__txn_request__init(&request->message);
    exit_code = request_read(cli, txn, request);
    if (exit_code == 0 && cli_connect(cli, &exit_code)) {
        if (kv_txn(cli->call, &request->message, &reply) != RPCRT_OK) {
            exit_code = cli_call_failed(cli);
        } else if (cli->json) {
            print_json(reply);
            exit_code = 0;
        } else {
            exit_code = print_text(cli, reply);
        }
    }
    request_free(request);
    return exit_code;
}
