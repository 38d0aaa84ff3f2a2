/*
 * Processes and the files that they need: see world.h.
 */
#include "tests/purchase/world.h"

#include "common/ids.h"
#include "payment/v1/payment.client.h"
#include "support/probe.h"
#include "support/tokens.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_SIZE 192u
#define ARGUMENTS_MAX 48u

static const char *const names[WORLD_PARTS] = {"kvd", "paymentd", "petstored-0",
                                               "petstored-1"};

/* -- files ----------------------------------------------------------------- */

static const char *
path_in(const struct world *world, const char *name, char path[PATH_SIZE])
{
    (void)snprintf(path, PATH_SIZE, "%s/%s", world->folder, name);
    return path;
}

static void
file_write(const struct world *world, const char *name, const char *text)
{
    char path[PATH_SIZE];
    FILE *file = fopen(path_in(world, name, path), "w");

    cr_assert_not_null(file, "%s", path);
    cr_assert_geq(fputs(text, file), 0);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(chmod(path, 0600), 0);
}

static void
files_write(const struct world *world)
{
    static const char *const folders[] = {"in", "log", "data"};
    char path[PATH_SIZE];
    char text[512] = "";

    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
        cr_assert_eq(mkdir(path_in(world, folders[i], path), 0700), 0);
    }
    token_line("payment", "kv of payment", "", text, sizeof(text));
    token_line("shop", "kv of shop", "", text, sizeof(text));
    file_write(world, "in/kv.tokens", text);
    file_write(world, "in/kv-payment.token", "kv of payment\n");
    file_write(world, "in/kv-shop.token", "kv of shop\n");
    text[0] = '\0';
    token_line("operator bank", "the operator", "", text, sizeof(text));
    token_line("merchant shop", "the merchant", "", text, sizeof(text));
    file_write(world, "in/payment.tokens", text);
    file_write(world, "in/payment-shop.token", "the merchant\n");
    file_write(world, "in/secrets",
               "one 000102030405060708090a0b0c0d0e0f"
               "101112131415161718191a1b1c1d1e1f\n");
    file_write(world, "in/staff", "boss " WORLD_STAFF_PASSWORD "\n");
}

/* -- starting -------------------------------------------------------------- */

/* Arguments, with room for those that are made here. */
struct arguments {
    const char *items[ARGUMENTS_MAX];
    char texts[ARGUMENTS_MAX][PATH_SIZE];
    size_t n;
};

static void
argue(struct arguments *arguments, const char *flag, const char *value)
{
    cr_assert_lt(arguments->n + 2, ARGUMENTS_MAX);
    arguments->items[arguments->n++] = flag;
    if (value != NULL) {
        char *text = arguments->texts[arguments->n];

        (void)snprintf(text, PATH_SIZE, "%s", value);
        arguments->items[arguments->n++] = text;
    }
}

static void
argue_path(struct arguments *arguments, const struct world *world,
           const char *flag, const char *name)
{
    char path[PATH_SIZE];

    argue(arguments, flag, path_in(world, name, path));
}

static void
argue_number(struct arguments *arguments, const char *flag, uint32_t number)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%u", number);
    argue(arguments, flag, text);
}

static void
argue_kvd(struct arguments *arguments, const struct world *world)
{
    char address[PATH_SIZE];

    (void)snprintf(address, sizeof(address), "ipc://%s/kv.socket",
                   world->folder);
    argue(arguments, "--listen", address);
    argue(arguments, "--engine", world->options.engine);
    argue_path(arguments, world, "--data", "data");
    argue_path(arguments, world, "--tokens", "in/kv.tokens");
}

static void
argue_paymentd(struct arguments *arguments, const struct world *world)
{
    const char *before = world->parts[WORLD_PAYMENTD].address;

    argue(arguments, "--listen",
          before[0] == '\0' ? "tls+tcp://127.0.0.1:0" : before);
    argue(arguments, "--tls-ca", bed_cert("ca.pem"));
    argue(arguments, "--tls-cert", bed_cert("server.pem"));
    argue(arguments, "--tls-key", bed_cert("server.key"));
    argue(arguments, "--kv", world->parts[WORLD_KVD].address);
    argue_path(arguments, world, "--kv-token-file", "in/kv-payment.token");
    argue_path(arguments, world, "--tokens", "in/payment.tokens");
    argue_path(arguments, world, "--secrets", "in/secrets");
}

static void
argue_petstored(struct arguments *arguments, const struct world *world,
                enum world_part part)
{
    char address[PATH_SIZE];

    (void)snprintf(address, sizeof(address), "ipc://%s/%s.socket",
                   world->folder, names[part]);
    argue(arguments, "--listen", address);
    argue(arguments, "--kv", world->parts[WORLD_KVD].address);
    argue_path(arguments, world, "--kv-token-file", "in/kv-shop.token");
    argue(arguments, "--payment", world->parts[WORLD_PAYMENTD].address);
    argue(arguments, "--payment-tls-ca", bed_cert("ca.pem"));
    argue(arguments, "--payment-tls-cert", bed_cert("client.pem"));
    argue(arguments, "--payment-tls-key", bed_cert("client.key"));
    argue_path(arguments, world, "--payment-token-file",
               "in/payment-shop.token");
    argue_path(arguments, world, "--staff", "in/staff");
    argue_number(arguments, "--rescue-after-ms",
                 world->options.rescue_after_ms);
    argue_number(arguments, "--pay-within-ms", world->options.pay_within_ms);
    argue(arguments, "--hash-memory", "8K");
    argue(arguments, "--hash-passes", "1");
}

void
world_start(struct world *world, enum world_part part)
{
    static const char *const variables[WORLD_PARTS] = {
        "KVD", "PAYMENTD", "PETSTORED", "PETSTORED"};
    struct arguments arguments = {.n = 0};
    char log[PATH_SIZE];
    char name[32];
    const struct daemon_options options = {.log = log};

    (void)snprintf(name, sizeof(name), "log/%s.log", names[part]);
    (void)path_in(world, name, log);
    if (part == WORLD_KVD) {
        argue_kvd(&arguments, world);
    } else if (part == WORLD_PAYMENTD) {
        argue_paymentd(&arguments, world);
    } else {
        argue_petstored(&arguments, world, part);
    }
    argue(&arguments, "--log-level", "debug");
    if (world->options.log_calls) {
        argue(&arguments, "--log-calls", NULL);
    }
    cr_assert(daemon_start(&world->parts[part], variables[part],
                           arguments.items, &options),
              "%s did not start, see %s", names[part], log);
    world->alive[part] = true;
}

void
world_end(struct world *world, enum world_part part, int signal_number)
{
    int status = daemon_end(&world->parts[part], signal_number);

    world->alive[part] = false;
    cr_assert(signal_number == SIGKILL || status == 0, "%s ended with %d",
              names[part], status);
}

static struct common_store *
store_open(const struct world *world, const char *token)
{
    char path[PATH_SIZE];
    const struct common_store_options options = {
        .address = world->parts[WORLD_KVD].address,
        .token_file = path_in(world, token, path)};
    struct common_store *store = NULL;
    struct common_error error = {.text = ""};

    cr_assert_eq(common_store_open(&options, &error, &store), RPCRT_OK, "%s",
                 error.text);
    return store;
}

void
world_open(struct world *world, const struct world_options *options)
{
    unsigned part;

    *world = (struct world){.options = *options};
    daemon_folder_make(world->folder);
    files_write(world);
    for (part = 0; part < WORLD_PARTS; part++) {
        world_start(world, part);
    }
    world->payments = store_open(world, "in/kv-payment.token");
    world->shops = store_open(world, "in/kv-shop.token");
}

void
world_close(struct world *world)
{
    unsigned part = WORLD_PARTS;

    common_store_close(world->payments);
    common_store_close(world->shops);
    while (part-- > 0) {
        if (world->alive[part]) {
            world_end(world, part, SIGTERM);
        }
    }
    daemon_folder_remove(world->folder);
}

/* -- cards ----------------------------------------------------------------- */

void
world_issue(struct world *world, const struct card *card, int64_t balance)
{
    const struct rpcrt_tls tls = {.ca_file = bed_cert("ca.pem"),
                                  .cert_file = bed_cert("client.pem"),
                                  .key_file = bed_cert("client.key")};
    const struct rpcrt_channel_options options = {.tls = &tls};
    Payment__V1__Card printed = PAYMENT__V1__CARD__INIT;
    Payment__V1__Money money = PAYMENT__V1__MONEY__INIT;
    Payment__V1__IssueCardRequest request =
        PAYMENT__V1__ISSUE_CARD_REQUEST__INIT;
    const Payment__V1__IssueCardReply *reply = NULL;
    struct rpcrt_channel *channel = NULL;
    struct rpcrt_call *call = NULL;
    char key[COMMON_ID_SIZE];

    cr_assert_eq(rpcrt_channel_new(world->parts[WORLD_PAYMENTD].address,
                                   &options, &channel),
                 RPCRT_OK, "%s", rpcrt_last_error());
    cr_assert_eq(rpcrt_call_new(channel, BED_TIMEOUT_MS, &call), RPCRT_OK);
    cr_assert_eq(rpcrt_call_set_metadata_text(call, "authorization",
                                              "Bearer the operator"),
                 RPCRT_OK);
    printed.number = card->number;
    printed.expiry_month = card->month;
    printed.expiry_year = card->year;
    money.minor = balance;
    money.currency = "EUR";
    common_id_make(key);
    request.idempotency_key = key;
    request.card = &printed;
    request.balance = &money;
    expect_ok(call, payment_issue_card(call, &request, &reply));
    rpcrt_call_free(call);
    rpcrt_channel_free(channel);
}
