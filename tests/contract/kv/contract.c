/*
 * Servers to judge, and short names for calls: see contract.h.
 */
#include "tests/contract/kv/contract.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 4096u

/* Copies of keys of the one test of this process. */
static char *keys[KEYS_MAX];
static size_t n_keys;

/* -- connecting ------------------------------------------------------------ */

struct rpcrt_call *
contract_call(struct contract *c, enum contract_who who)
{
    static const char *const own[] = {"owner", "other", "reader"};
    static const char *const variables[] = {"CONTRACT_TOKEN_FILE",
                                            "CONTRACT_OTHER_TOKEN_FILE",
                                            "CONTRACT_READ_ONLY_TOKEN_FILE"};
    struct target *target = &c->target;
    const char *token = NULL;

    if (who == CONTRACT_STRANGER) {
        token = "stranger";
    } else if (who != CONTRACT_NOBODY) {
        token = target_secret(target, own[who], variables[who]);
        if (token == NULL && who != CONTRACT_OWNER) {
            cr_skip_test("no token file");
        }
    } else if (target->stack == NULL && getenv("CONTRACT_TOKEN_FILE") == NULL) {
        cr_skip_test("the server asks for no token");
    }
    return target_call(target, target_channel(target, target->address), token);
}

void
contract_open(struct contract *c, const struct target_cell *cell,
              uint64_t history, uint64_t size_max)
{
    struct stack_options options = {
        .top = STACK_KV, .history = history, .size_max = size_max};
    uint8_t random[8];
    char digits[17];

    *c = (struct contract){.where = c->target.where};
    target_open(&c->target, cell, &options, history != 0 || size_max != 0);
    cr_assert_geq(sodium_init(), 0);
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
    while (n_keys > 0) {
        free(keys[--n_keys]);
    }
    target_close(&c->target);
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
