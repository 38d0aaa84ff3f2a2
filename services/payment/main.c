/*
 * paymentd: the payment server. This file has its flags and puts secrets,
 * tokens, store, service and server together.
 */
#include "common/claim.h"
#include "common/daemon.h"
#include "common/link.h"
#include "common/ticker.h"
#include "payment/expiry.h"
#include "payment/service.h"

#include <rpcrt/rpcrt.h>
#include <stdlib.h>
#include <string.h>

/* A call waits for the store on a thread of its own. */
#define WORKERS_MAX 64u
#define EXPIRY_MS 1000u

struct paymentd {
    struct common_daemon daemon;
    struct common_link kv;
    const char *access_file;
    const char *secrets_file;
    uint64_t hold_for_ms;
    bool insecure_plaintext;

    struct common_store *store;
    struct common_tokens *access;
    struct pay_secrets *secrets;
    struct pay_service service;
    struct common_ticker *ticker;
    struct rpcrt_server *server;
};

static bool
fail(const struct paymentd *self, const char *text)
{
    (void)common_daemon_fail(&self->daemon, text);
    return false;
}

/* Card numbers travel to this server: only over TLS, and only from clients
 * with a certificate, unless somebody insists. */
static int
listeners_check(const struct paymentd *self)
{
    const struct common_list *listen = &self->daemon.listen;
    size_t n_plain = 0;
    size_t i;

    for (i = 0; i < listen->n_items; i++) {
        n_plain += strncmp(listen->items[i], "tls+", 4) == 0 ? 0 : 1;
    }
    if (n_plain > 0 && !self->insecure_plaintext) {
        return common_daemon_usage(
            &self->daemon,
            "--listen: only tls+tcp:// is safe for card numbers; "
            "--insecure-plaintext permits others");
    }
    if (n_plain < listen->n_items && self->daemon.tls_ca == NULL) {
        return common_daemon_usage(
            &self->daemon, "--tls-ca FILE: needed, so that only clients with a "
                           "certificate get in");
    }
    if (n_plain > 0) {
        common_log_text(&self->daemon.log, RPCRT_LOG_WARNING,
                        "PLAINTEXT: card numbers and tokens can be read on the "
                        "way, and clients need no certificate "
                        "(--insecure-plaintext)");
    }
    return EXIT_SUCCESS;
}

/* 0, or the exit code of what is missing. */
static int
flags_check(const struct paymentd *self)
{
    if (self->kv.address == NULL) {
        return common_daemon_usage(
            &self->daemon, "--kv ADDRESS: where is the key-value store?");
    }
    if (self->access_file == NULL) {
        return common_daemon_usage(
            &self->daemon, "--tokens FILE says who may come in ('payctl token' "
                           "makes lines for it)");
    }
    if (self->secrets_file == NULL) {
        return common_daemon_usage(
            &self->daemon, "--secrets FILE has the secrets that cards are kept "
                           "under ('payctl secret' makes lines for it)");
    }
    return listeners_check(self);
}

static bool
files_read(struct paymentd *self)
{
    struct common_error error;

    if (pay_access_load(self->access_file, &error, &self->access) != RPCRT_OK ||
        pay_secrets_load(self->secrets_file, &error, &self->secrets) !=
            RPCRT_OK) {
        return fail(self, error.text);
    }
    return true;
}

static bool
store_open(struct paymentd *self)
{
    struct common_store_options options = {.address = self->kv.address,
                                           .tls = &self->kv.tls,
                                           .token_file = self->kv.token_file};
    struct common_error error;

    if (common_store_open(&options, &error, &self->store) != RPCRT_OK ||
        common_store_claim(self->store, "payment", &error) != RPCRT_OK ||
        pay_secrets_enter(self->secrets, self->store, &error) != RPCRT_OK) {
        return fail(self, error.text);
    }
    return true;
}

static bool
server_open(struct paymentd *self)
{
    struct rpcrt_server_options options =
        common_daemon_server_options(&self->daemon);
    struct common_error error;

    self->service =
        (struct pay_service){.store = self->store,
                             .secrets = self->secrets,
                             .access = self->access,
                             .hold_for_ms = (int64_t)self->hold_for_ms};
    options.workers_max = WORKERS_MAX;
    if (rpcrt_server_new(&options, &self->server) != RPCRT_OK) {
        return fail(self, rpcrt_last_error());
    }
    if (pay_service_serve(self->server, &self->service) != RPCRT_OK) {
        return fail(self, "can't serve: no memory");
    }
    if (common_ticker_start(EXPIRY_MS, pay_expiry_round, &self->service, &error,
                            &self->ticker) != RPCRT_OK) {
        return fail(self, error.text);
    }
    return true;
}

static int
run(struct paymentd *self)
{
    int exit_code = flags_check(self);

    if (exit_code != EXIT_SUCCESS) {
        return exit_code;
    }
    exit_code = EXIT_FAILURE;
    if (common_daemon_no_core(&self->daemon) && files_read(self) &&
        store_open(self) && server_open(self)) {
        exit_code = common_daemon_run(&self->daemon, self->server);
    }
    if (self->store != NULL) {
        common_store_stop(self->store);
    }
    common_ticker_stop(self->ticker);
    rpcrt_server_free(self->server);
    common_daemon_free(&self->daemon);
    common_store_close(self->store);
    common_tokens_free(self->access);
    pay_secrets_free(self->secrets);
    return exit_code;
}

int
main(int argc, char **argv)
{
    struct paymentd self = {.store = NULL};
    const struct common_flag flags[] = {
        COMMON_DAEMON_FLAGS(&self.daemon),
        COMMON_LINK_FLAGS("kv", "the key-value server", &self.kv),
        {.name = "tokens",
         .value = "FILE",
         .help = "Who may come in: lines of 'operator' or 'merchant', a name,\n"
                 "SHA-256 of a token, and maybe until=YYYY-MM-DD.",
         .kind = COMMON_FLAG_TEXT,
         .target = &self.access_file},
        {.name = "secrets",
         .value = "FILE",
         .help = "What cards are kept under: lines of an id and at least 64\n"
                 "hexadecimal digits. The first is used for new cards; the\n"
                 "others must stay as long as the data.",
         .kind = COMMON_FLAG_TEXT,
         .target = &self.secrets_file},
        {.name = "hold-for-ms",
         .value = "N",
         .help = "The life of an authorization (604800000: seven days).",
         .kind = COMMON_FLAG_NUMBER,
         .target = &self.hold_for_ms,
         .min = 1,
         .max = UINT64_C(31536000000)},
        {.name = "insecure-plaintext",
         .help = "Also listen where card numbers can be read on the way.",
         .kind = COMMON_FLAG_SWITCH,
         .target = &self.insecure_plaintext},
    };
    const struct common_program program = {
        .name = "paymentd",
        .summary = "a payment server",
        .flags = flags,
        .n_flags = sizeof(flags) / sizeof(flags[0]),
    };
    int exit_code = EXIT_FAILURE;

    common_daemon_init(&self.daemon, program.name);
    if (!common_daemon_start(&self.daemon, &program, argc, argv, &exit_code)) {
        return exit_code;
    }
    return run(&self);
}
