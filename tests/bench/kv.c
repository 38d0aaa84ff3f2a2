/*
 * Client of the bench "kv": names "kv-set" (Put) and "kv-get" (Range of one
 * key), through the asynchronous stubs. Keys and values are as long as those
 * of redis-benchmark: one of 10,000 keys of 16 bytes, chosen at random, and 64
 * bytes of value. The server is kvd itself.
 */
#include "bench/subject.h"

#include "kv/v1/kv.client.h"

#include <rpcrt/rpcrt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 10000u
#define KEY_SIZE 16u

struct slot {
    struct client *client;
    unsigned number;
    uint32_t random;
    struct rpcrt_call *call;
    uint8_t key[KEY_SIZE + 1];
};

struct client {
    bool set;
    struct load *load;
    struct rpcrt_channel *channel;
    struct slot *slots;
};

static uint8_t value[SUBJECT_PAYLOAD_SIZE];

static void
must(enum rpcrt_code code)
{
    if (code != RPCRT_OK) {
        subject_fail("kv: %s", rpcrt_last_error());
    }
}

static void answered(struct rpcrt_call *call, void *arg);

/* Marsaglia's xorshift: cheap, and good enough to choose keys. */
static void
key_choose(struct slot *slot)
{
    uint32_t x = slot->random;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    slot->random = x;
    x %= KEYS;
    memcpy(slot->key, "key:000000000000", KEY_SIZE);
    for (unsigned i = KEY_SIZE; x > 0; x /= 10) {
        slot->key[--i] = (uint8_t)('0' + x % 10);
    }
}

static void
call_start(void *arg, unsigned number)
{
    struct client *client = arg;
    struct slot *slot = &client->slots[number];

    key_choose(slot);
    if (client->set) {
        Kv__V1__PutRequest put = KV__V1__PUT_REQUEST__INIT;

        put.key.data = slot->key;
        put.key.len = KEY_SIZE;
        put.value.data = value;
        put.value.len = sizeof(value);
        kv_put_start(slot->call, &put, answered, slot);
    } else {
        Kv__V1__RangeRequest range = KV__V1__RANGE_REQUEST__INIT;

        range.key.data = slot->key;
        range.key.len = KEY_SIZE;
        kv_range_start(slot->call, &range, answered, slot);
    }
}

static enum rpcrt_code
reply_take(const struct client *client, struct rpcrt_call *call)
{
    const Kv__V1__PutReply *put;
    const Kv__V1__RangeReply *range;
    enum rpcrt_code code;

    if (client->set) {
        return kv_put_take(call, &put);
    }
    code = kv_range_take(call, &range);
    if (code == RPCRT_OK && range->n_entries == 1 &&
        range->entries[0]->value.len != sizeof(value)) {
        subject_fail("kv: a value of %zu bytes", range->entries[0]->value.len);
    }
    return code;
}

static void
answered(struct rpcrt_call *call, void *arg)
{
    struct slot *slot = arg;
    struct client *client = slot->client;

    if (reply_take(client, call) != RPCRT_OK) {
        subject_fail("kv: %s", rpcrt_call_message(call));
    }
    if (load_answered(client->load, slot->number)) {
        call_start(client, slot->number);
    }
}

static void
serve(const struct subject_args *args)
{
    (void)args;
    subject_fail("kv: the server is kvd");
}

static void
measure(const struct subject_args *args)
{
    struct client client = {.set = strcmp(args->name, "kv-set") == 0,
                            .load = load_new(args->depth)};
    char address[64];

    memset(value, 'x', sizeof(value));
    snprintf(address, sizeof(address), "tcp://127.0.0.1:%u", args->port);
    must(rpcrt_channel_new(address, NULL, &client.channel));
    client.slots = calloc(args->depth, sizeof(*client.slots));
    if (client.slots == NULL) {
        subject_fail("no memory");
    }
    for (unsigned i = 0; i < args->depth; i++) {
        client.slots[i].client = &client;
        client.slots[i].number = i;
        client.slots[i].random = 2654435769u * (i + 1);
        must(rpcrt_call_new(client.channel, SUBJECT_TIMEOUT_MS,
                            &client.slots[i].call));
    }
    load_run(client.load, args->seconds, call_start, &client);
    load_print(client.load);
    for (unsigned i = 0; i < args->depth; i++) {
        rpcrt_call_free(client.slots[i].call);
    }
    rpcrt_channel_free(client.channel);
    free(client.slots);
    load_free(client.load);
}

int
main(int argc, char **argv)
{
    return subject_main(argc, argv, serve, measure);
}
