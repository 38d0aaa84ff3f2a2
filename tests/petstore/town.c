/*
 * Towns: see town.h.
 */
#include "tests/petstore/town.h"

#include "common/ids.h"
#include "petstore/index.h"
#include "petstore/passwords.h"
#include "petstore/payment_link.h"
#include "petstore/pet_record.h"
#include "petstore/start.h"
#include "tests/support/daemon.h"
#include "tests/support/tokens.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_int_least64_t ahead_ms;

static int64_t
clock_now_ms(void)
{
    return common_now_ms() + atomic_load(&ahead_ms);
}

void
shop_pass(int64_t ms)
{
    atomic_fetch_add(&ahead_ms, ms);
}

/* -- the town -------------------------------------------------------------- */

const char *
town_file(const struct town *town, const char *name, const char *text)
{
    static char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", town->folder, name);
    file = fopen(path, "w");
    cr_assert_not_null(file);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
    return path;
}

static const char *
tokens_write(const struct town *town)
{
    static const char *const spaces[] = {"red", "blue"};
    char text[512] = "";
    size_t i;

    for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        token_line(spaces[i], spaces[i], "", text, sizeof(text));
    }
    return town_file(town, "tokens", text);
}

void
town_open(struct town *town)
{
    const struct kvs_engine_options options = {.history = 100};
    struct common_error error = {.text = ""};
    char address[RPCRT_ADDRESS_SIZE];

    *town = (struct town){.engine = NULL};
    cr_assert_geq(sodium_init(), 0);
    daemon_folder_make(town->folder);
    cr_assert_eq(kvs_tokens_load(tokens_write(town), &error, &town->tokens),
                 RPCRT_OK, "%s", error.text);
    cr_assert_eq(
        kvs_engine_open(&kvs_memory_engine, &options, &error, &town->engine),
        RPCRT_OK, "%s", error.text);
    town->kv =
        (struct kvs_service){.engine = town->engine, .tokens = town->tokens};
    cr_assert_eq(rpcrt_server_new(NULL, &town->server), RPCRT_OK);
    cr_assert_eq(kvs_service_serve(town->server, &town->kv), RPCRT_OK);
    (void)snprintf(address, sizeof(address), "inproc://%s", town->folder);
    cr_assert_eq(rpcrt_server_listen(town->server, address, NULL), RPCRT_OK,
                 "%s", rpcrt_last_error());
}

void
town_close(struct town *town)
{
    rpcrt_server_free(town->server);
    kvs_engine_close(town->engine);
    kvs_tokens_free(town->tokens);
    daemon_folder_remove(town->folder);
}

/* -- a shop ---------------------------------------------------------------- */

void
shop_prepare(struct shop *shop, struct town *town, const char *space)
{
    struct common_store_options store = {
        .address = rpcrt_server_address(town->server, 0),
        .token_file = town_file(town, space, space)};
    struct shop_payment_options payment = {.address = "inproc://nobody"};
    struct common_error error = {.text = ""};

    *shop = (struct shop){
        .service = {
            .options = {.currency = "EUR",
                        .session_ms = 3600000,
                        .pay_within_ms = 60000,
                        .rescue_after_ms = 1000,
                        .hash_jobs = 2,
                        .hash_memory = crypto_pwhash_argon2id_MEMLIMIT_MIN,
                        .hash_passes = crypto_pwhash_argon2id_OPSLIMIT_MIN},
            .now_ms = clock_now_ms}};
    cr_assert_eq(common_store_open(&store, &error, &shop->service.store),
                 RPCRT_OK, "%s", error.text);
    cr_assert_eq(shop_payment_open(&payment, &error, &shop->service.payment),
                 RPCRT_OK, "%s", error.text);
    cr_assert_eq(shop_passwords_open(&shop->service.options, &error,
                                     &shop->service.passwords),
                 RPCRT_OK, "%s", error.text);
}

void
shop_give_up(struct shop *shop)
{
    shop_passwords_close(shop->service.passwords);
    shop_payment_close(shop->service.payment);
    common_store_close(shop->service.store);
}

void
shop_open(struct shop *shop, struct town *town, const char *space)
{
    static unsigned n_shops;
    struct common_error error = {.text = ""};
    char address[RPCRT_ADDRESS_SIZE];

    shop_prepare(shop, town, space);
    cr_assert_eq(
        shop_start(&shop->service,
                   town_file(town, "staff", TOWN_STAFF " " TOWN_PASSWORD "\n"),
                   &error),
        RPCRT_OK, "%s", error.text);
    cr_assert_eq(rpcrt_server_new(NULL, &shop->server), RPCRT_OK);
    cr_assert_eq(shop_service_serve(shop->server, &shop->service), RPCRT_OK);
    (void)snprintf(address, sizeof(address), "inproc://%s/shop%u", town->folder,
                   n_shops++);
    cr_assert_eq(rpcrt_server_listen(shop->server, address, NULL), RPCRT_OK,
                 "%s", rpcrt_last_error());
    cr_assert_eq(rpcrt_channel_new(address, NULL, &shop->channel), RPCRT_OK);
}

void
shop_close(struct shop *shop)
{
    rpcrt_channel_free(shop->channel);
    rpcrt_server_free(shop->server);
    shop_give_up(shop);
}

/* -- its users ------------------------------------------------------------- */

struct rpcrt_call *
shop_call_with(struct shop *shop, const char *token)
{
    struct rpcrt_call *call = bed_call(shop->channel, BED_TIMEOUT_MS);
    char bearer[256];

    if (token != NULL) {
        (void)snprintf(bearer, sizeof(bearer), "Bearer %s", token);
        cr_assert_eq(
            rpcrt_call_set_metadata_text(call, "authorization", bearer),
            RPCRT_OK);
    }
    return call;
}

char *
shop_token(struct shop *shop, const char *user)
{
    Petstore__V1__RegisterRequest who = PETSTORE__V1__REGISTER_REQUEST__INIT;
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__RegisterReply *registered;
    const Petstore__V1__LoginReply *reply;
    struct rpcrt_call *call = shop_call_with(shop, NULL);
    char *token;

    who.user = user;
    who.password = TOWN_PASSWORD;
    if (petstore_register(call, &who, &registered) != RPCRT_OK) {
        cr_assert_eq(rpcrt_call_code(call), RPCRT_ALREADY_EXISTS, "%s",
                     rpcrt_call_message(call));
    }
    request.user = user;
    request.password = TOWN_PASSWORD;
    expect_ok(call, petstore_login(call, &request, &reply));
    token = strdup(reply->token);
    cr_assert_not_null(token);
    rpcrt_call_free(call);
    return token;
}

struct rpcrt_call *
shop_call(struct shop *shop, const char *user)
{
    char *token = user == NULL ? NULL : shop_token(shop, user);
    struct rpcrt_call *call = shop_call_with(shop, token);

    free(token);
    return call;
}

const char *
shop_reason(const struct rpcrt_call *call)
{
    static struct rpcrt_error_info info;

    if (!rpcrt_call_error_info(call, &info)) {
        return "";
    }
    cr_assert_str_eq(info.domain, "petstore.v1");
    return info.reason;
}

/* -- its store ------------------------------------------------------------- */

void
shop_put(struct shop *shop, const Petstore__Record__Pet *pet)
{
    struct common_work *work = common_work_new(shop->service.store, NULL, NULL);
    struct common_record record;

    cr_assert_not_null(work);
    shop_pet_read(work, pet->id, &record);
    cr_assert_eq(common_read_now(work), RPCRT_OK, "%s",
                 common_work_message(work));
    common_expect(work, &record);
    shop_pet_put(work, shop_pet_of(&record), pet);
    cr_assert_eq(common_commit(work), RPCRT_OK, "%s",
                 common_work_message(work));
    common_work_free(work);
}

/* All keys with a prefix, in the work's memory, in order. */
static size_t
keys_read(struct common_work *work, const char *prefix, const char **keys,
          size_t max)
{
    struct common_span span = {
        .first = prefix, .keys_only = true, .limit = 1000};
    struct common_page page = {.more = true};
    size_t n = 0;
    size_t i;

    while (page.more) {
        cr_assert_eq(common_scan(work, &span, NULL, &page), RPCRT_OK, "%s",
                     common_work_message(work));
        for (i = 0; i < page.n_records; i++) {
            cr_assert_lt(n, max);
            keys[n++] = page.records[i].key;
        }
        if (n > 0) {
            span.after = keys[n - 1];
        }
    }
    return n;
}

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Adds the index keys of a pet to `keys`. */
static size_t
entries_add(const Petstore__Record__Pet *pet, const char **keys, size_t n)
{
    static char room[8192][SHOP_INDEX_KEY_SIZE];
    enum shop_scope scope = SHOP_SCOPE_ALL;
    size_t i;

    for (;;) {
        cr_assert_leq(n + SHOP_INDEX_KEYS, 8192);
        shop_index_keys(pet, scope, &room[n]);
        for (i = 0; i < SHOP_INDEX_KEYS; i++) {
            keys[n] = room[n];
            n++;
        }
        if (scope == SHOP_SCOPE_FREE ||
            pet->status != PETSTORE__V1__PET_STATUS__AVAILABLE) {
            return n;
        }
        scope = SHOP_SCOPE_FREE;
    }
}

void
shop_check_index(struct shop *shop)
{
    static const char *stored[8192];
    static const char *expected[8192];
    static const char *pets[1024];
    struct common_work *work = common_work_new(shop->service.store, NULL, NULL);
    size_t n_stored = keys_read(work, "list/", stored, 8192);
    size_t n_pets = keys_read(work, "pet/", pets, 1024);
    size_t n_expected = 0;
    size_t i;

    for (i = 0; i < n_pets; i++) {
        struct common_record record;

        shop_pet_read(work, pets[i] + strlen("pet/"), &record);
        cr_assert_eq(common_read_now(work), RPCRT_OK);
        n_expected = entries_add(shop_pet_of(&record), expected, n_expected);
    }
    qsort(expected, n_expected, sizeof(expected[0]), compare_keys);
    cr_assert_eq(n_stored, n_expected, "%zu entries instead of %zu", n_stored,
                 n_expected);
    for (i = 0; i < n_stored; i++) {
        cr_assert_str_eq(stored[i], expected[i]);
    }
    common_work_free(work);
}

uint64_t
shop_requests(const struct shop *shop)
{
    struct common_store_stats stats;

    common_store_get_stats(shop->service.store, &stats);
    return stats.requests;
}
