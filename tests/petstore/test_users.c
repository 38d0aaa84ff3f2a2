/*
 * Users and their sessions.
 */
#include "common/ids.h"
#include "petstore/passwords.h"
#include "petstore/session.h"
#include "petstore/user_record.h"
#include "tests/petstore/town.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum rpcrt_code
register_as(struct rpcrt_call *call, const char *user, const char *password)
{
    Petstore__V1__RegisterRequest request =
        PETSTORE__V1__REGISTER_REQUEST__INIT;
    const Petstore__V1__RegisterReply *reply;

    request.user = user;
    request.password = password;
    return petstore_register(call, &request, &reply);
}

static enum rpcrt_code
login_as(struct rpcrt_call *call, const char *user, const char *password)
{
    Petstore__V1__LoginRequest request = PETSTORE__V1__LOGIN_REQUEST__INIT;
    const Petstore__V1__LoginReply *reply;

    request.user = user;
    request.password = password;
    return petstore_login(call, &request, &reply);
}

/* Any call that needs a session. */
static enum rpcrt_code
use(struct rpcrt_call *call)
{
    Petstore__V1__GetCartRequest request = PETSTORE__V1__GET_CART_REQUEST__INIT;
    const Petstore__V1__GetCartReply *reply;

    return petstore_get_cart(call, &request, &reply);
}

/* How many keys with a prefix the store of a shop has. */
static size_t
count_keys(struct shop *shop, const char *prefix)
{
    struct common_work *work = common_work_new(shop->service.store, NULL, NULL);
    struct common_span span = {
        .first = prefix, .keys_only = true, .limit = 1000};
    struct common_page page;
    size_t n;

    cr_assert_eq(common_scan(work, &span, NULL, &page), RPCRT_OK, "%s",
                 common_work_message(work));
    n = page.n_records;
    common_work_free(work);
    return n;
}

/* -- Register -------------------------------------------------------------- */

Test(users, names_and_passwords_have_rules, .timeout = 30)
{
    static const char *const names[] = {
        "",     "ab",
        "1abc", "aBc",
        "a/bc", "anna\n",
        "a b",  "\xc3\xa4nne",
        "-abc", "abcdefghijklmnopqrstuvwxyz0123456"};
    char password[258];
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
    size_t i;

    town_open(&town);
    shop_open(&shop, &town, "red");
    call = shop_call(&shop, NULL);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        expect_refusal(call, RPCRT_INVALID_ARGUMENT, "USER_NAME_INVALID",
                       register_as(call, names[i], TOWN_PASSWORD));
    }
    expect_refusal(call, RPCRT_INVALID_ARGUMENT, "PASSWORD_INVALID",
                   register_as(call, "anna", "seven77"));
    (void)memset(password, 'x', sizeof(password));
    password[257] = '\0';
    expect_refusal(call, RPCRT_INVALID_ARGUMENT, "PASSWORD_INVALID",
                   register_as(call, "anna", password));
    password[256] = '\0';
    expect_ok(call, register_as(call, "anna", password));
    expect_ok(call, login_as(call, "anna", password));
    expect_ok(call, register_as(call, "abcdefghijklmnopqrstuvwxyz012345",
                                "eight888"));
    rpcrt_call_free(call);
    shop_close(&shop);
    town_close(&town);
}

Test(users, a_name_is_given_once, .timeout = 30)
{
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;

    town_open(&town);
    shop_open(&shop, &town, "red");
    call = shop_call(&shop, NULL);
    expect_ok(call, register_as(call, "anna", TOWN_PASSWORD));
    expect_refusal(call, RPCRT_ALREADY_EXISTS, "USER_EXISTS",
                   register_as(call, "anna", "another password"));
    expect_refusal(call, RPCRT_ALREADY_EXISTS, "USER_EXISTS",
                   register_as(call, TOWN_STAFF, TOWN_PASSWORD));
    expect_refusal(call, RPCRT_UNAUTHENTICATED, "LOGIN_REFUSED",
                   login_as(call, "anna", "another password"));
    expect_ok(call, login_as(call, "anna", TOWN_PASSWORD));
    rpcrt_call_free(call);
    shop_close(&shop);
    town_close(&town);
}

/* Hash with other parameters from now on. */
static void
hash_with(struct shop *shop, uint32_t jobs, uint64_t memory, uint64_t passes)
{
    struct shop_options *options = &shop->service.options;
    struct common_error error = {.text = ""};

    shop_passwords_close(shop->service.passwords);
    options->hash_jobs = jobs;
    options->hash_memory = memory;
    options->hash_passes = passes;
    cr_assert_eq(shop_passwords_open(options, &error, &shop->service.passwords),
                 RPCRT_OK, "%s", error.text);
}

#define RACERS 8u

struct racer {
    pthread_t thread;
    pthread_barrier_t *start;
    struct rpcrt_call *call;
    enum rpcrt_code code;
};

static void *
racer_run(void *arg)
{
    struct racer *racer = arg;

    (void)pthread_barrier_wait(racer->start);
    racer->code = register_as(racer->call, "anna", TOWN_PASSWORD);
    return NULL;
}

Test(users, of_many_who_want_a_name_one_gets_it, .timeout = 60)
{
    struct town town;
    struct shop shops[2];
    struct racer racers[RACERS];
    pthread_barrier_t start;
    unsigned won = 0;
    unsigned i;

    town_open(&town);
    cr_assert_eq(pthread_barrier_init(&start, NULL, RACERS), 0);
    for (i = 0; i < 2; i++) {
        shop_open(&shops[i], &town, "red");
        /* So that all have seen that the name is free before one has it. */
        hash_with(&shops[i], RACERS, 8u << 20, 4);
    }
    for (i = 0; i < RACERS; i++) {
        racers[i].start = &start;
        racers[i].call = shop_call(&shops[i % 2], NULL);
        cr_assert_eq(
            pthread_create(&racers[i].thread, NULL, racer_run, &racers[i]), 0);
    }
    for (i = 0; i < RACERS; i++) {
        cr_assert_eq(pthread_join(racers[i].thread, NULL), 0);
        if (racers[i].code != RPCRT_OK) {
            cr_assert_eq(racers[i].code, RPCRT_ALREADY_EXISTS, "%s",
                         rpcrt_call_message(racers[i].call));
            cr_assert_str_eq(shop_reason(racers[i].call), "USER_EXISTS");
        }
        won += racers[i].code == RPCRT_OK ? 1 : 0;
        rpcrt_call_free(racers[i].call);
    }
    cr_assert_eq(won, 1);
    (void)pthread_barrier_destroy(&start);
    shop_close(&shops[0]);
    shop_close(&shops[1]);
    town_close(&town);
}

/* -- Login ----------------------------------------------------------------- */

Test(users, unknown_users_and_wrong_passwords_are_told_and_cost_the_same,
     .timeout = 30)
{
    static const char *const tries[][2] = {{"anna", "a wrong password"},
                                           {"nobody", "a wrong password"},
                                           {"anna", ""},
                                           {"no/body", TOWN_PASSWORD},
                                           {"", ""},
                                           {"Anna", TOWN_PASSWORD}};
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
    char text[RPCRT_TEXT_SIZE] = "";
    size_t i;

    town_open(&town);
    shop_open(&shop, &town, "red");
    call = shop_call(&shop, NULL);
    expect_ok(call, register_as(call, "anna", TOWN_PASSWORD));
    for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
        uint64_t runs = shop_passwords_runs(shop.service.passwords);

        expect_refusal(call, RPCRT_UNAUTHENTICATED, "LOGIN_REFUSED",
                       login_as(call, tries[i][0], tries[i][1]));
        cr_assert_eq(shop_passwords_runs(shop.service.passwords), runs + 1);
        if (i == 0) {
            (void)snprintf(text, sizeof(text), "%s", rpcrt_call_message(call));
        }
        cr_assert_str_eq(rpcrt_call_message(call), text);
    }
    rpcrt_call_free(call);
    shop_close(&shop);
    town_close(&town);
}

Test(users, a_login_renews_a_hash_with_other_parameters, .timeout = 30)
{
    struct town town;
    struct shop old;
    struct shop new;
    struct rpcrt_call *call;
    uint64_t runs;

    town_open(&town);
    shop_open(&old, &town, "red");
    call = shop_call(&old, NULL);
    expect_ok(call, register_as(call, "anna", TOWN_PASSWORD));
    rpcrt_call_free(call);
    shop_close(&old);

    shop_open(&new, &town, "red");
    hash_with(&new, 2, new.service.options.hash_memory,
              new.service.options.hash_passes + 1);
    call = shop_call(&new, NULL);
    expect_ok(call, login_as(call, "anna", TOWN_PASSWORD));
    runs = shop_passwords_runs(new.service.passwords);
    cr_assert_eq(runs, 2);
    expect_ok(call, login_as(call, "anna", TOWN_PASSWORD));
    cr_assert_eq(shop_passwords_runs(new.service.passwords), runs + 1);
    rpcrt_call_free(call);
    shop_close(&new);
    town_close(&town);
}

/* -- sessions -------------------------------------------------------------- */

Test(sessions, only_a_known_token_opens, .timeout = 30)
{
    static const char *const bad[] = {NULL, "", "x", "Bearer"};
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
    char *token;
    size_t i;

    town_open(&town);
    shop_open(&shop, &town, "red");
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        call = shop_call_with(&shop, bad[i]);
        expect_refusal(call, RPCRT_UNAUTHENTICATED, "SESSION_UNKNOWN",
                       use(call));
        rpcrt_call_free(call);
    }
    token = shop_token(&shop, TOWN_CUSTOMER);
    call = shop_call_with(&shop, token);
    expect_ok(call, use(call));
    rpcrt_call_free(call);
    token[10] = token[10] == 'A' ? 'B' : 'A';
    call = shop_call_with(&shop, token);
    expect_refusal(call, RPCRT_UNAUTHENTICATED, "SESSION_UNKNOWN", use(call));
    rpcrt_call_free(call);
    free(token);
    shop_close(&shop);
    town_close(&town);
}

Test(sessions, the_store_knows_no_token, .timeout = 30)
{
    struct town town;
    struct shop shop;
    struct common_work *work;
    struct common_record record;
    char *token;

    town_open(&town);
    shop_open(&shop, &town, "red");
    token = shop_token(&shop, TOWN_CUSTOMER);
    work = common_work_new(shop.service.store, NULL, NULL);
    common_read(work, common_work_format(work, "session/%s", token),
                &petstore__record__session__descriptor, &record);
    cr_assert_eq(common_read_now(work), RPCRT_OK);
    cr_assert_null(record.message);
    cr_assert_eq(count_keys(&shop, "session/"), 1);
    common_work_free(work);
    free(token);
    shop_close(&shop);
    town_close(&town);
}

Test(sessions, end_by_logout, .timeout = 30)
{
    Petstore__V1__LogoutRequest request = PETSTORE__V1__LOGOUT_REQUEST__INIT;
    const Petstore__V1__LogoutReply *reply;
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
    struct rpcrt_call *other;

    town_open(&town);
    shop_open(&shop, &town, "red");
    call = shop_call(&shop, TOWN_CUSTOMER);
    other = shop_call(&shop, TOWN_CUSTOMER);
    expect_ok(call, petstore_logout(call, &request, &reply));
    expect_refusal(call, RPCRT_UNAUTHENTICATED, "SESSION_UNKNOWN", use(call));
    expect_refusal(call, RPCRT_UNAUTHENTICATED, "SESSION_UNKNOWN",
                   petstore_logout(call, &request, &reply));
    expect_ok(other, use(other));
    cr_assert_eq(count_keys(&shop, "session/"), 1);
    cr_assert_eq(count_keys(&shop, "ending/"), 1);
    rpcrt_call_free(call);
    rpcrt_call_free(other);
    shop_close(&shop);
    town_close(&town);
}

Test(sessions, end_by_time_and_are_swept, .timeout = 60)
{
    struct town town;
    struct shop shop;
    struct rpcrt_call *calls[130];
    struct rpcrt_call *young;
    size_t i;

    town_open(&town);
    shop_open(&shop, &town, "red");
    for (i = 0; i < 130; i++) {
        calls[i] = shop_call(&shop, TOWN_CUSTOMER);
    }
    shop_pass(shop.service.options.session_ms / 2);
    young = shop_call(&shop, TOWN_CUSTOMER);
    expect_ok(calls[0], use(calls[0]));
    cr_assert_not(shop_session_sweep(&shop.service));
    cr_assert_eq(count_keys(&shop, "session/"), 131);
    shop_pass(shop.service.options.session_ms / 2 + 1);
    expect_refusal(calls[0], RPCRT_UNAUTHENTICATED, "SESSION_EXPIRED",
                   use(calls[0]));
    while (shop_session_sweep(&shop.service)) {
    }
    cr_assert_eq(count_keys(&shop, "session/"), 1);
    cr_assert_eq(count_keys(&shop, "ending/"), 1);
    expect_refusal(calls[0], RPCRT_UNAUTHENTICATED, "SESSION_UNKNOWN",
                   use(calls[0]));
    expect_ok(young, use(young));
    for (i = 0; i < 130; i++) {
        rpcrt_call_free(calls[i]);
    }
    rpcrt_call_free(young);
    shop_close(&shop);
    town_close(&town);
}

/* -- many at once ---------------------------------------------------------- */

struct hasher {
    pthread_t thread;
    struct shop_passwords *passwords;
    enum rpcrt_code code;
};

static void *
hasher_run(void *arg)
{
    struct hasher *hasher = arg;
    struct common_error error;
    bool right = false;
    bool stale = false;

    hasher->code = shop_password_check(hasher->passwords, NULL, NULL, "x",
                                       &error, &right, &stale);
    return NULL;
}

Test(passwords, too_many_at_once_are_refused_not_queued, .timeout = 60)
{
    struct shop_options options = {
        .hash_jobs = 1, .hash_memory = 4u << 20, .hash_passes = 8};
    struct hasher hashers[80];
    struct common_error error;
    unsigned refused = 0;
    uint64_t done;
    unsigned i;

    cr_assert_eq(shop_passwords_open(&options, &error, &hashers[0].passwords),
                 RPCRT_OK);
    for (i = 0; i < 80; i++) {
        hashers[i].passwords = hashers[0].passwords;
        cr_assert_eq(
            pthread_create(&hashers[i].thread, NULL, hasher_run, &hashers[i]),
            0);
    }
    for (i = 0; i < 80; i++) {
        cr_assert_eq(pthread_join(hashers[i].thread, NULL), 0);
        cr_assert(hashers[i].code == RPCRT_OK ||
                  hashers[i].code == RPCRT_RESOURCE_EXHAUSTED);
        refused += hashers[i].code == RPCRT_OK ? 0 : 1;
    }
    done = shop_passwords_runs(hashers[0].passwords);
    cr_assert_gt(refused, 0);
    cr_assert_eq(done + refused, 80);
    shop_passwords_close(hashers[0].passwords);
}

Test(passwords, who_waits_waits_no_longer_than_the_deadline, .timeout = 60)
{
    struct town town;
    struct shop shop;
    struct rpcrt_call *call;
    struct hasher slow = {.passwords = NULL};
    int64_t began;

    town_open(&town);
    shop_open(&shop, &town, "red");
    hash_with(&shop, 1, 8u << 20, 250);
    slow.passwords = shop.service.passwords;
    cr_assert_eq(pthread_create(&slow.thread, NULL, hasher_run, &slow), 0);
    while (shop_passwords_runs(slow.passwords) == 0) {
    }
    call = shop_call(&shop, NULL);
    rpcrt_call_set_timeout(call, 50);
    began = common_monotonic_ms();
    expect_code(call, RPCRT_DEADLINE_EXCEEDED,
                register_as(call, "anna", TOWN_PASSWORD));
    cr_assert_geq(common_monotonic_ms() - began, 40);
    /* The handler has left too: it does not hash when its turn would come. */
    cr_assert_eq(rpcrt_server_drain(shop.server, BED_TIMEOUT_MS), RPCRT_OK);
    cr_assert_eq(pthread_join(slow.thread, NULL), 0);
    cr_assert_eq(shop_passwords_runs(slow.passwords), 1);
    rpcrt_call_free(call);
    shop_close(&shop);
    town_close(&town);
}

Test(passwords, bad_options_are_refused)
{
    const struct shop_options bad[] = {
        {.hash_jobs = 0, .hash_memory = 8192, .hash_passes = 1},
        {.hash_jobs = 1, .hash_memory = 8191, .hash_passes = 1},
        {.hash_jobs = 1, .hash_memory = 8192, .hash_passes = 0}};
    struct shop_passwords *passwords = NULL;
    struct common_error error;
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_eq(shop_passwords_open(&bad[i], &error, &passwords),
                     RPCRT_INVALID_ARGUMENT);
    }
    cr_assert_null(passwords);
}
