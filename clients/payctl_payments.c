/*
 * Commands of payctl on cards and payments. Those that change something carry
 * an idempotency key; without --key one is made up, and told when a call has no
 * answer.
 */
#include "payctl.h"

#include <stdio.h>
#include <string.h>

/* -- amounts and cards ----------------------------------------------------- */

/* The amount of a flag that must be given. */
static int
amount_read(const struct cli *cli, const char *flag, const char *text,
            const char *currency, int64_t *ret_minor)
{
    if (text == NULL) {
        return cli_usage(cli, "--%s is missing", flag);
    }
    if (!money_read(text, currency, ret_minor)) {
        return cli_usage(cli,
                         "--%s %s: expected an amount of %s with at most %u "
                         "digits behind the point",
                         flag, text, currency, money_exponent(currency));
    }
    return 0;
}

static int
money_of(const struct cli *cli, const char *flag, const char *text,
         Payment__V1__Money *ret_money)
{
    if (payctl_options.currency == NULL) {
        return cli_usage(cli, "--currency is missing");
    }
    ret_money->currency = payctl_options.currency;
    return amount_read(cli, flag, text, payctl_options.currency,
                       &ret_money->minor);
}

/* A card with its expiry, which must be given. */
static int
card_of(const struct cli *cli, const char *number, struct card *card,
        Payment__V1__Card *ret_card)
{
    int exit_code;

    if (payctl_options.expiry == NULL) {
        return cli_usage(cli, "--expiry is missing");
    }
    exit_code = card_read(cli, number, payctl_options.expiry, card);
    if (exit_code == 0) {
        ret_card->number = card->number;
        ret_card->expiry_month = card->expiry_month;
        ret_card->expiry_year = card->expiry_year;
    }
    return exit_code;
}

/* -- issue ----------------------------------------------------------------- */

static void
print_issued(const struct cli *cli, const Payment__V1__IssueCardReply *reply)
{
    struct output_json json;
    char amount[MONEY_AMOUNT_SIZE];

    if (cli->json) {
        output_json_begin(&json);
        output_json_text(&json, "card_last4", reply->card_last4);
        output_json_text(&json, "card_scheme", reply->card_scheme);
        payctl_json_money(&json, "balance", reply->balance);
        output_json_end(&json);
        (void)putchar('\n');
    } else {
        payctl_amount(reply->balance, amount);
        (void)printf("%s card ending in %s, with %s\n", reply->card_scheme,
                     reply->card_last4, amount);
    }
}

int
payctl_issue(struct cli *cli, int argc, char **argv)
{
    Payment__V1__IssueCardRequest request =
        PAYMENT__V1__ISSUE_CARD_REQUEST__INIT;
    Payment__V1__Money balance = PAYMENT__V1__MONEY__INIT;
    Payment__V1__Card message = PAYMENT__V1__CARD__INIT;
    const Payment__V1__IssueCardReply *reply = NULL;
    char made[CLI_KEY_SIZE];
    struct card card = {0};
    int exit_code = money_of(cli, "balance", payctl_options.balance, &balance);

    (void)argc;
    request.balance = &balance;
    request.card = &message;
    request.idempotency_key = cli_key(cli, payctl_options.key, made);
    if (exit_code == 0 && request.idempotency_key == NULL) {
        exit_code = CLI_EXIT_FAILED;
    }
    if (exit_code == 0) {
        exit_code = card_of(cli, argv[0], &card, &message);
    }
    if (exit_code == 0 && cli_connect(cli, &exit_code)) {
        if (payment_issue_card(cli->call, &request, &reply) == RPCRT_OK) {
            print_issued(cli, reply);
            exit_code = 0;
        } else {
            exit_code = cli_call_failed_key(cli, request.idempotency_key);
        }
    }
    card_clear(&card);
    return exit_code;
}

/* -- authorize ------------------------------------------------------------- */

int
payctl_authorize(struct cli *cli, int argc, char **argv)
{
    Payment__V1__AuthorizeRequest request =
        PAYMENT__V1__AUTHORIZE_REQUEST__INIT;
    Payment__V1__Money amount = PAYMENT__V1__MONEY__INIT;
    Payment__V1__Card message = PAYMENT__V1__CARD__INIT;
    const Payment__V1__AuthorizeReply *reply = NULL;
    char made[CLI_KEY_SIZE];
    struct card card = {0};
    int exit_code = money_of(cli, "amount", payctl_options.amount, &amount);

    (void)argc;
    request.amount = &amount;
    request.card = &message;
    if (payctl_options.reference != NULL) {
        request.reference = payctl_options.reference;
    }
    request.idempotency_key = cli_key(cli, payctl_options.key, made);
    if (exit_code == 0 && request.idempotency_key == NULL) {
        exit_code = CLI_EXIT_FAILED;
    }
    if (exit_code == 0) {
        exit_code = card_of(cli, argv[0], &card, &message);
    }
    if (exit_code == 0 && cli_connect(cli, &exit_code)) {
        exit_code = payment_authorize(cli->call, &request, &reply) == RPCRT_OK
                        ? payctl_print_payment(cli, reply->payment)
                        : cli_call_failed_key(cli, request.idempotency_key);
    }
    card_clear(&card);
    return exit_code;
}

/* -- capture, void, refund ------------------------------------------------- */

/* What --amount means for a payment; 0 without it. Its currency is asked for,
 * so that the digits behind the point are read right. */
static int
part_read(struct cli *cli, const char *payment_id, int64_t *ret_minor)
{
    Payment__V1__GetPaymentRequest request =
        PAYMENT__V1__GET_PAYMENT_REQUEST__INIT;
    const Payment__V1__GetPaymentReply *reply = NULL;
    int exit_code;

    *ret_minor = 0;
    if (payctl_options.amount == NULL) {
        return 0;
    }
    request.payment_id = payment_id;
    if (payment_get_payment(cli->call, &request, &reply) != RPCRT_OK) {
        return cli_call_failed(cli);
    }
    if (reply->payment == NULL || reply->payment->amount == NULL) {
        return cli_fail(cli, "payment %s has no amount", payment_id);
    }
    exit_code = amount_read(cli, "amount", payctl_options.amount,
                            reply->payment->amount->currency, ret_minor);
    if (exit_code == 0 && *ret_minor == 0) {
        exit_code = cli_usage(cli, "--amount must be above zero");
    }
    return exit_code;
}

/* What Capture and Refund begin with: the key, the connection, the amount.
 * 0 or the exit code. */
static int
settle_begin(struct cli *cli, const char *payment_id, char made[CLI_KEY_SIZE],
             const char **ret_key, int64_t *ret_minor)
{
    int exit_code = CLI_EXIT_FAILED;

    *ret_key = cli_key(cli, payctl_options.key, made);
    if (*ret_key == NULL || !cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    return part_read(cli, payment_id, ret_minor);
}

int
payctl_capture(struct cli *cli, int argc, char **argv)
{
    Payment__V1__CaptureRequest request = PAYMENT__V1__CAPTURE_REQUEST__INIT;
    const Payment__V1__CaptureReply *reply = NULL;
    char made[CLI_KEY_SIZE];
    int exit_code;

    (void)argc;
    request.payment_id = argv[0];
    exit_code = settle_begin(cli, argv[0], made, &request.idempotency_key,
                             &request.minor);
    if (exit_code != 0) {
        return exit_code;
    }
    return payment_capture(cli->call, &request, &reply) == RPCRT_OK
               ? payctl_print_payment(cli, reply->payment)
               : cli_call_failed_key(cli, request.idempotency_key);
}

int
payctl_void(struct cli *cli, int argc, char **argv)
{
    Payment__V1__VoidRequest request = PAYMENT__V1__VOID_REQUEST__INIT;
    const Payment__V1__VoidReply *reply = NULL;
    char made[CLI_KEY_SIZE];
    int exit_code = CLI_EXIT_FAILED;

    if ((argc == 1) == (payctl_options.authorize_key != NULL)) {
        return cli_usage(cli, "name either a PAYMENT or an --authorize-key");
    }
    if (argc == 1) {
        request.of_case = PAYMENT__V1__VOID_REQUEST__OF_PAYMENT_ID;
        request.payment_id = argv[0];
    } else {
        request.of_case = PAYMENT__V1__VOID_REQUEST__OF_AUTHORIZE_KEY;
        request.authorize_key = payctl_options.authorize_key;
    }
    request.idempotency_key = cli_key(cli, payctl_options.key, made);
    if (request.idempotency_key == NULL || !cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    return payment_void(cli->call, &request, &reply) == RPCRT_OK
               ? payctl_print_payment(cli, reply->payment)
               : cli_call_failed_key(cli, request.idempotency_key);
}

int
payctl_refund(struct cli *cli, int argc, char **argv)
{
    Payment__V1__RefundRequest request = PAYMENT__V1__REFUND_REQUEST__INIT;
    const Payment__V1__RefundReply *reply = NULL;
    char made[CLI_KEY_SIZE];
    int exit_code;

    (void)argc;
    request.payment_id = argv[0];
    exit_code = settle_begin(cli, argv[0], made, &request.idempotency_key,
                             &request.minor);
    if (exit_code != 0) {
        return exit_code;
    }
    return payment_refund(cli->call, &request, &reply) == RPCRT_OK
               ? payctl_print_payment(cli, reply->payment)
               : cli_call_failed_key(cli, request.idempotency_key);
}

/* -- reading --------------------------------------------------------------- */

int
payctl_show(struct cli *cli, int argc, char **argv)
{
    Payment__V1__GetPaymentRequest request =
        PAYMENT__V1__GET_PAYMENT_REQUEST__INIT;
    const Payment__V1__GetPaymentReply *reply = NULL;
    int exit_code = 0;

    (void)argc;
    request.payment_id = argv[0];
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    return payment_get_payment(cli->call, &request, &reply) == RPCRT_OK
               ? payctl_print_payment(cli, reply->payment)
               : cli_call_failed(cli);
}

/* All pages, up to --limit. */
static int
print_pages(struct cli *cli, struct output_table *table)
{
    Payment__V1__ListPaymentsRequest request =
        PAYMENT__V1__LIST_PAYMENTS_REQUEST__INIT;
    const Payment__V1__ListPaymentsReply *reply = NULL;
    uint64_t left =
        payctl_options.limit == 0 ? UINT64_MAX : payctl_options.limit;
    char token[CLI_PAGE_TOKEN_SIZE] = "";
    size_t i;

    if (payctl_options.merchant != NULL) {
        request.merchant = payctl_options.merchant;
    }
    do {
        request.page_token = token;
        request.page_size = left < 100 ? (uint32_t)left : 100;
        if (payment_list_payments(cli->call, &request, &reply) != RPCRT_OK) {
            return cli_call_failed(cli);
        }
        for (i = 0; i < reply->n_payments && left > 0; i++, left--) {
            if (cli->json) {
                payctl_json_payment(reply->payments[i]);
                (void)putchar('\n');
            } else {
                payctl_list_add(table, reply->payments[i]);
            }
        }
        if (!cli_page_keep(cli, reply->next_page_token, token)) {
            return CLI_EXIT_FAILED;
        }
    } while (token[0] != '\0' && left > 0);
    return 0;
}

int
payctl_list(struct cli *cli, int argc, char **argv)
{
    struct output_table table = {0};
    int exit_code = 0;

    (void)argc;
    (void)argv;
    if (!cli_connect(cli, &exit_code)) {
        return exit_code;
    }
    if (cli->json) {
        return print_pages(cli, NULL);
    }
    payctl_list_init(&table);
    exit_code = print_pages(cli, &table);
    if (!output_table_end(&table) && exit_code == 0) {
        exit_code = cli_fail(cli, "out of memory");
    }
    return exit_code;
}
