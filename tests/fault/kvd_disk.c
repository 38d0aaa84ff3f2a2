/*
 * kvd on a disk that gets full: it refuses what would not fit, keeps what it
 * acknowledged, also when it is killed then, and lets keys be deleted.
 */
#include "support/daemon.h"

#include "kv/v1/kv.client.h"

#include <criterion/criterion.h>
#include <rpcrt/rpcrt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISK_SIZE (UINT64_C(48) << 20)
#define VALUE_SIZE 60000u

struct full {
    struct daemon daemon;
    char folder[64];
    struct rpcrt_channel *channel;
    struct rpcrt_call *call;
};

static void
full_open(struct full *full)
{
    const struct daemon_options options = {.file_size_max = DISK_SIZE};
    char data[128];
    char listen[128];
    const char *const arguments[] = {"--data",   data,   "--no-auth",
                                     "--listen", listen, NULL};

    (void)snprintf(data, sizeof(data), "%s/data", full->folder);
    (void)snprintf(listen, sizeof(listen), "ipc://%s/socket", full->folder);
    cr_assert(daemon_start(&full->daemon, "KVD", arguments, &options));
    cr_assert_eq(rpcrt_channel_new(full->daemon.address, NULL, &full->channel),
                 RPCRT_OK);
    cr_assert_eq(rpcrt_call_new(full->channel, 20000, &full->call), RPCRT_OK);
}

static void
full_close(struct full *full, int signal_number)
{
    rpcrt_call_free(full->call);
    rpcrt_channel_free(full->channel);
    (void)daemon_end(&full->daemon, signal_number);
}

static enum rpcrt_code
put(struct full *full, unsigned number)
{
    static uint8_t value[VALUE_SIZE];
    Kv__V1__PutRequest request = KV__V1__PUT_REQUEST__INIT;
    const Kv__V1__PutReply *reply;
    char key[16];

    (void)snprintf(key, sizeof(key), "%06u", number);
    memset(value, (int)(number & 255u), sizeof(value));
    request.key = (ProtobufCBinaryData){6, (uint8_t *)key};
    request.value = (ProtobufCBinaryData){sizeof(value), value};
    return kv_put(full->call, &request, &reply);
}

static void
expect_there(struct full *full, unsigned number)
{
    Kv__V1__RangeRequest request = KV__V1__RANGE_REQUEST__INIT;
    const Kv__V1__RangeReply *reply;
    char key[16];

    (void)snprintf(key, sizeof(key), "%06u", number);
    request.key = (ProtobufCBinaryData){6, (uint8_t *)key};
    cr_assert_eq(kv_range(full->call, &request, &reply), RPCRT_OK, "%s",
                 rpcrt_call_message(full->call));
    cr_assert_eq(reply->n_entries, 1, "%s is lost", key);
    cr_assert_eq(reply->entries[0]->value.len, VALUE_SIZE);
    cr_assert_eq(reply->entries[0]->value.data[VALUE_SIZE - 1], number & 255u);
}

static void
delete_one(struct full *full, unsigned number)
{
    Kv__V1__DeleteRangeRequest request = KV__V1__DELETE_RANGE_REQUEST__INIT;
    const Kv__V1__DeleteRangeReply *reply;
    char key[16];

    (void)snprintf(key, sizeof(key), "%06u", number);
    request.key = (ProtobufCBinaryData){6, (uint8_t *)key};
    cr_assert_eq(kv_delete_range(full->call, &request, &reply), RPCRT_OK, "%s",
                 rpcrt_call_message(full->call));
    cr_assert_eq(reply->deleted, 1);
}

static void
expect_state(struct full *full, bool is_full)
{
    Kv__V1__StatusRequest request = KV__V1__STATUS_REQUEST__INIT;
    const Kv__V1__StatusReply *reply;

    cr_assert_eq(kv_status(full->call, &request, &reply), RPCRT_OK);
    cr_assert_str_eq(reply->stopped, "");
    cr_assert_eq(reply->full, is_full);
}

Test(kvd, takes_a_full_disk_without_losing_anything, .timeout = 120)
{
    struct full full;
    enum rpcrt_code code = RPCRT_OK;
    unsigned n = 0;
    unsigned i;

    daemon_folder_make(full.folder);
    full_open(&full);
    while (code == RPCRT_OK) {
        code = put(&full, n);
        n += code == RPCRT_OK ? 1 : 0;
        cr_assert_lt(n, 2000);
    }
    cr_assert_eq(code, RPCRT_RESOURCE_EXHAUSTED, "%s",
                 rpcrt_call_message(full.call));
    cr_assert_gt(n, 100);
    expect_state(&full, true);
    full_close(&full, SIGKILL);
    full_open(&full);
    for (i = 0; i < n; i++) {
        expect_there(&full, i);
    }
    cr_assert_eq(put(&full, n), RPCRT_RESOURCE_EXHAUSTED);
    for (i = 0; i < n / 2; i++) {
        delete_one(&full, i);
    }
    cr_assert_eq(put(&full, n), RPCRT_OK, "%s", rpcrt_call_message(full.call));
    expect_state(&full, false);
    for (i = n / 2; i <= n; i++) {
        expect_there(&full, i);
    }
    full_close(&full, SIGTERM);
    daemon_folder_remove(full.folder);
}
