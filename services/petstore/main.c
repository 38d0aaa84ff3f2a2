/*
 * petstored: the pet shop. This file has its flags and puts store, payment
 * service, handlers, sweeper and rescuer together.
 */
#include "common/claim.h"
#include "common/daemon.h"
#include "common/link.h"
#include "common/ticker.h"
#include "petstore/passwords.h"
#include "petstore/payment_link.h"
#include "petstore/rescuer.h"
#include "petstore/service.h"
#include "petstore/session.h"
#include "petstore/start.h"

#include <rpcrt/rpcrt.h>
#include <stdlib.h>

#define SWEEP_EVERY_MS 60000u
#define DAY_MS UINT64_C(86400000)

struct petstored {
    struct common_daemon daemon;
    struct common_link kv;
    struct common_link payment;
    const char *currency;
    const char *staff_file;
    uint64_t session_ms;
    uint64_t pay_within_ms;
    uint64_t rescue_after_ms;
    uint64_t hash_jobs;
    uint64_t hash_memory;
    uint64_t hash_passes;

    struct shop_service service;
    struct rpcrt_server *server;
    struct shop_rescuer *rescuer;
    struct common_ticker *sweeping;
    struct common_ticker *rescuing;
};

static bool
fail(const struct petstored *shop, const struct common_error *error)
{
    (void)common_daemon_fail(&shop->daemon, error->text);
    return false;
}

/* -- open ------------------------------------------------------------------ */

static bool
links_open(struct petstored *shop)
{
    const struct common_store_options store = {
        .address = shop->kv.address,
        .tls = &shop->kv.tls,
        .token_file = shop->kv.token_file,
    };
    const struct shop_payment_options payment = {
        .address = shop->payment.address,
        .tls = &shop->payment.tls,
        .token_file = shop->payment.token_file,
    };
    struct common_error error;

    if (common_store_open(&store, &error, &shop->service.store) != RPCRT_OK ||
        shop_payment_open(&payment, &error, &shop->service.payment) !=
            RPCRT_OK) {
        return fail(shop, &error);
    }
    return true;
}

static bool
service_open(struct petstored *shop)
{
    struct shop_service *service = &shop->service;
    struct common_error error;

    service->log = &shop->daemon.log;
    service->options = (struct shop_options){
        .currency = shop->currency,
        .session_ms = (int64_t)shop->session_ms,
        .pay_within_ms = (int64_t)shop->pay_within_ms,
        .rescue_after_ms = (int64_t)shop->rescue_after_ms,
        .hash_jobs = (uint32_t)shop->hash_jobs,
        .hash_memory = shop->hash_memory,
        .hash_passes = shop->hash_passes,
    };
    if (shop_passwords_open(&service->options, &error, &service->passwords) !=
            RPCRT_OK ||
        common_store_claim(service->store, "petstore", &error) != RPCRT_OK ||
        shop_start(service, shop->staff_file, &error) != RPCRT_OK) {
        return fail(shop, &error);
    }
    return true;
}

static bool
server_open(struct petstored *shop)
{
    struct rpcrt_server_options options =
        common_daemon_server_options(&shop->daemon);

    options.workers_max = SHOP_WORKERS_MAX;
    if (rpcrt_server_new(&options, &shop->server) != RPCRT_OK) {
        (void)common_daemon_fail(&shop->daemon, rpcrt_last_error());
        return false;
    }
    if (shop_service_serve(shop->server, &shop->service) != RPCRT_OK) {
        (void)common_daemon_fail(&shop->daemon, "can't serve: no memory");
        return false;
    }
    return true;
}

static bool
tickers_start(struct petstored *shop)
{
    struct common_error error;

    shop->rescuer = shop_rescuer_new(&shop->service);
    if (shop->rescuer == NULL) {
        (void)common_error_no_memory(&error);
        return fail(shop, &error);
    }
    if (common_ticker_start(SWEEP_EVERY_MS, shop_session_sweep, &shop->service,
                            &error, &shop->sweeping) != RPCRT_OK ||
        common_ticker_start(shop_rescuer_every_ms(&shop->service),
                            shop_rescuer_tick, shop->rescuer, &error,
                            &shop->rescuing) != RPCRT_OK) {
        return fail(shop, &error);
    }
    return true;
}

/* -- run ------------------------------------------------------------------- */

/* The calls have ended, or were cancelled: what still tries in their names or
 * in those of the tickers need not succeed. */
static void
shut(struct petstored *shop)
{
    if (shop->service.store != NULL) {
        common_store_stop(shop->service.store);
    }
    if (shop->service.payment != NULL) {
        shop_payment_stop(shop->service.payment);
    }
    common_ticker_stop(shop->rescuing);
    common_ticker_stop(shop->sweeping);
    rpcrt_server_free(shop->server);
    common_daemon_free(&shop->daemon);
    shop_rescuer_free(shop->rescuer);
    shop_payment_close(shop->service.payment);
    common_store_close(shop->service.store);
    shop_passwords_close(shop->service.passwords);
}

static int
run(struct petstored *shop)
{
    int exit_code = EXIT_FAILURE;

    if (shop->kv.address == NULL || shop->payment.address == NULL) {
        return common_daemon_usage(
            &shop->daemon, "--kv ADDRESS and --payment ADDRESS: where the "
                           "services behind this one are; see --help");
    }
    if (common_daemon_no_core(&shop->daemon) && links_open(shop) &&
        service_open(shop) && server_open(shop) && tickers_start(shop)) {
        exit_code = common_daemon_run(&shop->daemon, shop->server);
    }
    shut(shop);
    return exit_code;
}

/* -- flags ----------------------------------------------------------------- */

#define NUMBER_FLAG(flag, text, variable, least, most)                         \
    {                                                                          \
        .name = (flag), .value = "N", .help = (text),                          \
        .kind = COMMON_FLAG_NUMBER, .target = (variable), .min = (least),      \
        .max = (most)                                                          \
    }

static const struct petstored defaults = {.currency = "EUR",
                                          .session_ms = DAY_MS / 2,
                                          .pay_within_ms = 120000,
                                          .rescue_after_ms = 5000,
                                          .hash_jobs = 2,
                                          .hash_memory = UINT64_C(64) << 20,
                                          .hash_passes = 2};

int
main(int argc, char **argv)
{
    struct petstored shop = defaults;
    const struct common_flag flags[] = {
        COMMON_DAEMON_FLAGS(&shop.daemon),
        COMMON_LINK_FLAGS("kv", "the key-value server", &shop.kv),
        COMMON_LINK_FLAGS("payment", "the payment server", &shop.payment),
        {.name = "currency",
         .value = "CODE",
         .help = "Of all prices (EUR); fixed by the first start.",
         .kind = COMMON_FLAG_TEXT,
         .target = &shop.currency},
        {.name = "staff",
         .value = "FILE",
         .help = "One line, NAME PASSWORD: a staff user, made if missing.",
         .kind = COMMON_FLAG_TEXT,
         .target = &shop.staff_file},
        NUMBER_FLAG("session-ms", "How long a session lasts (43200000).",
                    &shop.session_ms, 1, 366 * DAY_MS),
        NUMBER_FLAG("pay-within-ms",
                    "Keep pets so long after a declined card (120000).",
                    &shop.pay_within_ms, 0, 7 * DAY_MS),
        NUMBER_FLAG("rescue-after-ms",
                    "Take over orders that stand still for so long (5000).",
                    &shop.rescue_after_ms, 1, DAY_MS),
        NUMBER_FLAG("hash-jobs", "Passwords that are hashed at once (2).",
                    &shop.hash_jobs, 1, 64),
        NUMBER_FLAG("hash-passes", "Passes of argon2id over its memory (2).",
                    &shop.hash_passes, 1, 1000),
        {.name = "hash-memory",
         .value = "BYTES",
         .help = "Memory of one argon2id (64M); K, M or G may follow.",
         .kind = COMMON_FLAG_BYTES,
         .target = &shop.hash_memory,
         .min = 8192,
         .max = UINT64_C(1) << 32},
    };
    const struct common_program program = {
        .name = "petstored",
        .summary = "a pet shop",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0]),
    };
    int exit_code = EXIT_FAILURE;

    common_daemon_init(&shop.daemon, program.name);
    if (!common_daemon_start(&shop.daemon, &program, argc, argv, &exit_code)) {
        return exit_code;
    }
    return run(&shop);
}
