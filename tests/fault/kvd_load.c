/*
 * The load and its journal: see kvd_load.h.
 */
#include "tests/fault/kvd_load.h"

#include "kv/v1/kv.client.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IN_FLIGHT 32u
#define TIMEOUT_MS 20000u
#define VALUE_SIZE 100u

struct slot {
    struct runner *runner;
    struct rpcrt_call *call;
    uint32_t number; /* of the write that is under way */
};

struct runner {
    struct load *load;
    struct slot slots[IN_FLIGHT];
    pthread_mutex_t lock; /* guards what follows, and the load */
    pthread_cond_t changed;
    unsigned n_running;
    uint32_t n_acknowledged;
    bool stopping;
};

/* -- one write ------------------------------------------------------------- */

struct pair {
    Kv__V1__TxnRequest txn;
    Kv__V1__Operation ops[2];
    Kv__V1__Operation *pointers[2];
    Kv__V1__PutRequest puts[2];
    char keys[2][32];
    char value[VALUE_SIZE + 1];
};

static void
pair_init(struct pair *pair, uint32_t number)
{
    size_t i;

    kv__v1__txn_request__init(&pair->txn);
    memset(pair->value, 'v', VALUE_SIZE);
    (void)snprintf(pair->value, VALUE_SIZE, "value of %u ", number);
    for (i = 0; i < 2; i++) {
        kv__v1__operation__init(&pair->ops[i]);
        kv__v1__put_request__init(&pair->puts[i]);
        (void)snprintf(pair->keys[i], sizeof(pair->keys[i]), "%08u/%c", number,
                       i == 0 ? 'a' : 'b');
        pair->puts[i].key = (ProtobufCBinaryData){strlen(pair->keys[i]),
                                                  (uint8_t *)pair->keys[i]};
        pair->puts[i].value =
            (ProtobufCBinaryData){VALUE_SIZE, (uint8_t *)pair->value};
        pair->ops[i].kind_case = KV__V1__OPERATION__KIND_PUT;
        pair->ops[i].put = &pair->puts[i];
        pair->pointers[i] = &pair->ops[i];
    }
    pair->txn.then = pair->pointers;
    pair->txn.n_then = 2;
}

static void answered(struct rpcrt_call *call, void *arg);

static void
slot_start(struct slot *slot)
{
    struct pair pair;

    pair_init(&pair, slot->number);
    kv_txn_start(slot->call, &pair.txn, answered, slot);
}

/* Note what was acknowledged. */
static void
journal(struct runner *runner, uint32_t number, const Kv__V1__Header *header)
{
    struct load *load = runner->load;

    load->acknowledged[number] = 1;
    runner->n_acknowledged++;
    if (header->revision > load->revision_max) {
        load->revision_max = header->revision;
    }
    if (load->store_id[0] == '\0') {
        (void)snprintf(load->store_id, sizeof(load->store_id), "%s",
                       header->store_id);
    }
}

static void
answered(struct rpcrt_call *call, void *arg)
{
    struct slot *slot = arg;
    struct runner *runner = slot->runner;
    const Kv__V1__TxnReply *reply;
    enum rpcrt_code code = kv_txn_take(call, &reply);
    bool again;

    pthread_mutex_lock(&runner->lock);
    if (code == RPCRT_OK) {
        journal(runner, slot->number, reply->header);
    }
    again = code == RPCRT_OK && !runner->stopping &&
            runner->load->n_started < LOAD_WRITES_MAX;
    if (again) {
        slot->number = runner->load->n_started++;
    } else {
        runner->n_running--;
        pthread_cond_signal(&runner->changed);
    }
    pthread_mutex_unlock(&runner->lock);
    if (again) {
        slot_start(slot);
    }
}

/* -- the load -------------------------------------------------------------- */

static struct rpcrt_channel *
connect_to(const char *address)
{
    struct rpcrt_channel *channel = NULL;

    cr_assert_eq(rpcrt_channel_new(address, NULL, &channel), RPCRT_OK, "%s",
                 rpcrt_last_error());
    return channel;
}

/* Write for a while: until the time is over, or all calls have failed. */
static void
runner_wait(struct runner *runner, uint32_t delay_ms)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(delay_ms % 1000) * 1000000;
    until.tv_sec += delay_ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&runner->lock);
    while (runner->n_running > 0 &&
           pthread_cond_timedwait(&runner->changed, &runner->lock, &until) ==
               0) {
    }
    runner->stopping = true;
    pthread_mutex_unlock(&runner->lock);
}

void
load_run(struct load *load, const char *address, uint32_t delay_ms,
         void (*stop)(void *arg), void *arg, uint32_t *n_acknowledged)
{
    struct runner runner = {.load = load,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER,
                            .n_running = IN_FLIGHT};
    struct rpcrt_channel *channel = connect_to(address);
    size_t i;

    for (i = 0; i < IN_FLIGHT; i++) {
        runner.slots[i].runner = &runner;
        cr_assert_eq(rpcrt_call_new(channel, TIMEOUT_MS, &runner.slots[i].call),
                     RPCRT_OK);
        runner.slots[i].number = load->n_started++;
    }
    for (i = 0; i < IN_FLIGHT; i++) {
        slot_start(&runner.slots[i]);
    }
    runner_wait(&runner, delay_ms);
    stop(arg);
    pthread_mutex_lock(&runner.lock);
    while (runner.n_running > 0) {
        pthread_cond_wait(&runner.changed, &runner.lock);
    }
    pthread_mutex_unlock(&runner.lock);
    *n_acknowledged += runner.n_acknowledged;
    for (i = 0; i < IN_FLIGHT; i++) {
        rpcrt_call_free(runner.slots[i].call);
    }
    rpcrt_channel_free(channel);
}

/* -- checking -------------------------------------------------------------- */

/* Which of the two keys of each write are there: bits 1 and 2. */
static void
entry_note(const Kv__V1__KeyValue *entry, uint8_t *present)
{
    struct pair pair;
    unsigned number;

    cr_assert_eq(entry->key.len, 10);
    number = (unsigned)strtoul((const char *)entry->key.data, NULL, 10);
    cr_assert_lt(number, LOAD_WRITES_MAX);
    pair_init(&pair, number);
    cr_assert_eq(entry->value.len, VALUE_SIZE);
    cr_assert_arr_eq(entry->value.data, pair.value, VALUE_SIZE);
    present[number] |= entry->key.data[9] == 'a' ? 1 : 2;
}

/* Read all keys from the first write on. */
static void
read_all(struct load *load, const char *address, uint32_t first,
         uint8_t *present)
{
    struct rpcrt_channel *channel = connect_to(address);
    struct rpcrt_call *call = NULL;
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__RangeReply *reply;
    uint8_t key[16];
    uint8_t end[1] = {0};
    size_t i;

    cr_assert_eq(rpcrt_call_new(channel, TIMEOUT_MS, &call), RPCRT_OK);
    (void)snprintf((char *)key, sizeof(key), "%08u", first);
    request.key = (ProtobufCBinaryData){8, key};
    request.end = (ProtobufCBinaryData){1, end};
    do {
        cr_assert_eq(kv_range(call, &request, &reply), RPCRT_OK, "%s",
                     rpcrt_call_message(call));
        cr_assert_geq(reply->header->revision, load->revision_max,
                      "revisions went back");
        cr_assert(load->store_id[0] == '\0' ||
                  strcmp(load->store_id, reply->header->store_id) == 0);
        for (i = 0; i < reply->n_entries; i++) {
            entry_note(reply->entries[i], present);
        }
        if (reply->n_entries > 0) {
            memcpy(key, reply->entries[reply->n_entries - 1]->key.data, 10);
            key[10] = 0;
            request.key.len = 11;
        }
    } while (reply->more);
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
}

void
load_check(struct load *load, const char *address, uint32_t first)
{
    uint8_t *present = calloc(LOAD_WRITES_MAX, 1);
    uint32_t i;

    cr_assert_not_null(present);
    read_all(load, address, first, present);
    for (i = first; i < load->n_started; i++) {
        cr_assert(present[i] == 0 || present[i] == 3, "half of write %u", i);
        cr_assert(present[i] == 3 || !load->acknowledged[i],
                  "write %u was acknowledged and is lost", i);
    }
    free(present);
}
