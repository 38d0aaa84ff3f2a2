/*
 * Putting services together: see stack.h.
 */
#include "tests/support/stack.h"

#include "common/ids.h"
#include "common/ticker.h"
#include "kv/service.h"
#include "payment/service.h"
#include "petstore/passwords.h"
#include "petstore/payment_link.h"
#include "petstore/rescuer.h"
#include "petstore/service.h"
#include "petstore/start.h"
#include "tests/support/daemon.h"
#include "tests/support/probe.h"
#include "tests/support/tokens.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pet shop. */
struct shop {
    struct shop_service service;
    struct shop_rescuer *rescuer;
    struct common_ticker *ticker;
};

struct stack {
    struct stack_options options;
    char folder[64];
    bool secure;
    struct rpcrt_tls server_tls;
    struct rpcrt_tls client_tls;
    struct rpcrt_server *servers[STACK_MEMBERS_MAX];
    struct kvs_engine *engine;
    struct kvs_tokens *kv_tokens;
    struct kvs_service kv;
    struct pay_secrets *secrets;
    struct common_tokens *access;
    struct pay_service payment;
    struct shop shops[2];
};

/* -- files ----------------------------------------------------------------- */

/* The path of a file in the stack's folder; good until the next but three. */
static const char *
path_of(const struct stack *stack, const char *name)
{
    static char paths[4][128];
    static unsigned n;
    char *path = paths[n++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", stack->folder, name);
    return path;
}

static void
file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert_not_null(file, "%s", path);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
}

/* A file with a token in it, for who shows it. */
static const char *
secret_write(const struct stack *stack, const char *token)
{
    char name[32];
    const char *path;

    (void)snprintf(name, sizeof(name), "token-%s", token);
    path = path_of(stack, name);
    file_write(path, token);
    return path;
}

/* A line of a token file. */
struct line {
    const char *words; /* what the token opens */
    const char *token;
    const char *options;
};

/* Writes lines of words, hash of the token, options. */
static const char *
tokens_write(const struct stack *stack, const char *name,
             const struct line *lines, size_t n_lines)
{
    const char *path = path_of(stack, name);
    char text[4096] = "";
    size_t i;

    for (i = 0; i < n_lines; i++) {
        token_line(lines[i].words, lines[i].token, lines[i].options, text,
                   sizeof(text));
    }
    file_write(path, text);
    return path;
}

/* -- time ------------------------------------------------------------------ */

/* What the clock of services shows too much; there is one for a process. */
static atomic_int_least64_t ahead_ms;

static int64_t
clock_now_ms(void)
{
    return common_now_ms() + atomic_load(&ahead_ms);
}

void
stack_pass(struct stack *stack, int64_t ms)
{
    (void)stack;
    atomic_fetch_add(&ahead_ms, ms);
}

void
stack_set_time(struct stack *stack, int64_t now_ms)
{
    (void)stack;
    atomic_store(&ahead_ms, now_ms - common_now_ms());
}

/* -- servers --------------------------------------------------------------- */

/* A server for one member, before it listens. */
static struct rpcrt_server *
server_new(struct stack *stack, enum stack_member member)
{
    cr_assert_eq(rpcrt_server_new(NULL, &stack->servers[member]), RPCRT_OK,
                 "%s", rpcrt_last_error());
    return stack->servers[member];
}

static void
server_listen(struct stack *stack, enum stack_member member)
{
    const char *transport = stack->options.transport;
    char address[RPCRT_ADDRESS_SIZE];

    if (strcmp(transport, "inproc") == 0) {
        (void)snprintf(address, sizeof(address), "inproc://%s/%d",
                       stack->folder, (int)member);
    } else if (strcmp(transport, "ipc") == 0) {
        (void)snprintf(address, sizeof(address), "ipc://%s/socket%d",
                       stack->folder, (int)member);
    } else {
        (void)snprintf(address, sizeof(address), "%s://127.0.0.1:0",
                       stack->secure ? "tls+tcp" : "tcp");
    }
    cr_assert_eq(rpcrt_server_listen(stack->servers[member], address,
                                     stack->secure ? &stack->server_tls : NULL),
                 RPCRT_OK, "%s", rpcrt_last_error());
}

/* -- members --------------------------------------------------------------- */

static void
kv_start(struct stack *stack)
{
    static const struct line lines[] = {
        {"red", "owner", ""},     {"red", "reader", "read-only"},
        {"blue", "other", ""},    {"payment", "payment", ""},
        {"petstore", "shop", ""},
    };
    struct kvs_engine_options options = {
        .directory = stack->folder,
        .size_max = stack->options.size_max,
        .history = stack->options.history == 0 ? KVS_HISTORY_DEFAULT
                                               : stack->options.history};
    const struct kvs_engine_ops *ops = kvs_engine_find(stack->options.engine);
    struct common_error error = {.text = ""};

    cr_assert_not_null(ops);
    cr_assert_eq(kvs_tokens_load(tokens_write(stack, "kv-tokens", lines,
                                              sizeof(lines) / sizeof(lines[0])),
                                 &error, &stack->kv_tokens),
                 RPCRT_OK, "%s", error.text);
    cr_assert_eq(kvs_engine_open(ops, &options, &error, &stack->engine),
                 RPCRT_OK, "%s", error.text);
    stack->kv = (struct kvs_service){.engine = stack->engine,
                                     .tokens = stack->kv_tokens};
    cr_assert_eq(kvs_service_serve(server_new(stack, STACK_KV), &stack->kv),
                 RPCRT_OK);
    server_listen(stack, STACK_KV);
}

static void
kv_stop(struct stack *stack)
{
    rpcrt_server_free(stack->servers[STACK_KV]);
    kvs_engine_close(stack->engine);
    kvs_tokens_free(stack->kv_tokens);
}

/* The way of a service to the store. */
static struct common_store *
store_open(struct stack *stack, const char *token)
{
    const struct common_store_options options = {
        .address = stack_address(stack, STACK_KV),
        .tls = stack_tls(stack),
        .token_file = secret_write(stack, token)};
    struct common_error error = {.text = ""};
    struct common_store *store = NULL;

    cr_assert_eq(common_store_open(&options, &error, &store), RPCRT_OK, "%s",
                 error.text);
    return store;
}

static int64_t
payment_now_ms(void *arg)
{
    (void)arg;
    return clock_now_ms();
}

static void
payment_start(struct stack *stack)
{
    static const struct line lines[] = {
        {"operator somebody", "operator", ""},
        {"merchant red", "red", ""},
        {"merchant blue", "blue", ""},
        {"merchant petshop", "shop", ""},
        {"merchant red", "expired", "until=2020-01-31"},
        {"operator somebody", "expired-operator", "until=2020-01-31"},
    };
    const char *secrets = path_of(stack, "secrets");
    struct common_error error = {.text = ""};
    struct pay_service *payment = &stack->payment;

    file_write(secrets, "one 000102030405060708090a0b0c0d0e0f"
                        "101112131415161718191a1b1c1d1e1f\n");
    cr_assert_eq(pay_secrets_load(secrets, &error, &stack->secrets), RPCRT_OK,
                 "%s", error.text);
    cr_assert_eq(pay_access_load(tokens_write(stack, "payment-tokens", lines,
                                              sizeof(lines) / sizeof(lines[0])),
                                 &error, &stack->access),
                 RPCRT_OK, "%s", error.text);
    *payment = (struct pay_service){.store = store_open(stack, "payment"),
                                    .secrets = stack->secrets,
                                    .access = stack->access,
                                    .hold_for_ms = stack->options.hold_for_ms,
                                    .clock = payment_now_ms};
    cr_assert_eq(pay_secrets_enter(stack->secrets, payment->store, &error),
                 RPCRT_OK, "%s", error.text);
    cr_assert_eq(pay_service_serve(server_new(stack, STACK_PAYMENT), payment),
                 RPCRT_OK);
    server_listen(stack, STACK_PAYMENT);
}

static void
payment_stop(struct stack *stack)
{
    rpcrt_server_free(stack->servers[STACK_PAYMENT]);
    common_store_close(stack->payment.store);
    common_tokens_free(stack->access);
    pay_secrets_free(stack->secrets);
}

/* Hashes passwords as badly as it can: it has no time. */
static struct shop_options
shop_options(const struct stack *stack)
{
    const struct stack_options *asked = &stack->options;

    return (struct shop_options){
        .currency = "EUR",
        .session_ms = asked->session_ms == 0 ? 3600000 : asked->session_ms,
        .pay_within_ms =
            asked->pay_within_ms == 0 ? 120000 : asked->pay_within_ms,
        .rescue_after_ms =
            asked->rescue_after_ms == 0 ? 5000 : asked->rescue_after_ms,
        .hash_jobs = 2,
        .hash_memory = crypto_pwhash_argon2id_MEMLIMIT_MIN,
        .hash_passes = crypto_pwhash_argon2id_OPSLIMIT_MIN};
}

static void
shop_open(struct stack *stack, enum stack_member member)
{
    struct shop *shop = &stack->shops[member - STACK_SHOP];
    const struct shop_payment_options payment = {
        .address = stack_address(stack, STACK_PAYMENT),
        .tls = stack_tls(stack),
        .token_file = secret_write(stack, "shop")};
    const char *staff = path_of(stack, "staff");
    struct common_error error = {.text = ""};

    file_write(staff, STACK_STAFF " " STACK_PASSWORD "\n");
    shop->service = (struct shop_service){.store = store_open(stack, "shop"),
                                          .options = shop_options(stack),
                                          .now_ms = clock_now_ms};
    cr_assert_eq(shop_passwords_open(&shop->service.options, &error,
                                     &shop->service.passwords),
                 RPCRT_OK, "%s", error.text);
    cr_assert_eq(shop_payment_open(&payment, &error, &shop->service.payment),
                 RPCRT_OK, "%s", error.text);
    cr_assert_eq(shop_start(&shop->service, staff, &error), RPCRT_OK, "%s",
                 error.text);
    cr_assert_eq(shop_service_serve(server_new(stack, member), &shop->service),
                 RPCRT_OK);
    server_listen(stack, member);
    shop->rescuer = shop_rescuer_new(&shop->service);
    cr_assert_not_null(shop->rescuer);
    cr_assert_eq(common_ticker_start(shop_rescuer_every_ms(&shop->service),
                                     shop_rescuer_tick, shop->rescuer, &error,
                                     &shop->ticker),
                 RPCRT_OK, "%s", error.text);
}

static void
shop_close(struct stack *stack, enum stack_member member)
{
    struct shop *shop = &stack->shops[member - STACK_SHOP];

    rpcrt_server_free(stack->servers[member]);
    shop_payment_stop(shop->service.payment);
    common_store_stop(shop->service.store);
    common_ticker_stop(shop->ticker);
    shop_rescuer_free(shop->rescuer);
    shop_payment_close(shop->service.payment);
    shop_passwords_close(shop->service.passwords);
    common_store_close(shop->service.store);
}

/* -- the stack ------------------------------------------------------------- */

struct stack *
stack_start(const struct stack_options *options)
{
    struct stack *stack = calloc(1, sizeof(*stack));
    enum stack_member member;

    cr_assert_not_null(stack);
    cr_assert_geq(sodium_init(), 0);
    stack->options = *options;
    if (options->engine == NULL) {
        stack->options.engine = "memory";
    }
    if (options->transport == NULL) {
        stack->options.transport = "inproc";
    }
    stack->secure = strcmp(stack->options.transport, "tls") == 0;
    if (stack->secure) {
        bed_tls(&stack->server_tls, &stack->client_tls);
    }
    daemon_folder_make(stack->folder);
    kv_start(stack);
    if (options->top >= STACK_PAYMENT) {
        payment_start(stack);
    }
    for (member = STACK_SHOP; member <= options->top; member++) {
        shop_open(stack, member);
    }
    return stack;
}

void
stack_stop(struct stack *stack)
{
    enum stack_member member;

    for (member = stack->options.top; member >= STACK_SHOP; member--) {
        shop_close(stack, member);
    }
    if (stack->options.top >= STACK_PAYMENT) {
        payment_stop(stack);
    }
    kv_stop(stack);
    daemon_folder_remove(stack->folder);
    free(stack);
}

const char *
stack_address(const struct stack *stack, enum stack_member member)
{
    return rpcrt_server_address(stack->servers[member], 0);
}

const struct rpcrt_tls *
stack_tls(const struct stack *stack)
{
    return stack->secure ? &stack->client_tls : NULL;
}
