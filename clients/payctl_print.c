/*
 * What payctl prints of payments: see payctl.h.
 */
#include "payctl.h"

#include <stdio.h>
#include <string.h>

static const char *
state_name(const Payment__V1__PaymentRecord *payment)
{
    return output_enum(&payment__v1__state__descriptor, (int)payment->state);
}

void
payctl_json_money(struct output_json *json, const char *name,
                  const Payment__V1__Money *money)
{
    if (money != NULL) {
        output_json_money(json, name, money->minor, money->currency);
    }
}

void
payctl_amount(const Payment__V1__Money *money, char ret_text[MONEY_AMOUNT_SIZE])
{
    if (money != NULL) {
        money_amount(money->minor, money->currency, ret_text);
    } else {
        (void)snprintf(ret_text, MONEY_AMOUNT_SIZE, "-");
    }
}

void
payctl_json_payment(const Payment__V1__PaymentRecord *payment)
{
    struct output_json json;

    output_json_begin(&json);
    output_json_text(&json, "id", payment->id);
    output_json_text(&json, "merchant", payment->merchant);
    output_json_text(&json, "state", state_name(payment));
    payctl_json_money(&json, "amount", payment->amount);
    output_json_signed(&json, "captured_minor", payment->captured_minor);
    output_json_signed(&json, "refunded_minor", payment->refunded_minor);
    output_json_text(&json, "card_last4", payment->card_last4);
    output_json_text(&json, "card_scheme", payment->card_scheme);
    output_json_text(&json, "authorize_key", payment->authorize_key);
    output_json_text(&json, "reference", payment->reference);
    output_json_signed(&json, "created_at_ms", payment->created_at_ms);
    output_json_signed(&json, "expires_at_ms", payment->expires_at_ms);
    if (payment->decline_reason != PAYMENT__V1__REASON__REASON_UNSPECIFIED) {
        output_json_text(&json, "decline_reason",
                         output_enum(&payment__v1__reason__descriptor,
                                     (int)payment->decline_reason));
    }
    output_json_end(&json);
}

/* A row "what, is", if there is something to tell. */
static void
row_add(struct output_table *table, const char *name, const char *text)
{
    if (text[0] != '\0') {
        output_table_text(table, name);
        output_table_bytes(table, (const uint8_t *)text, strlen(text));
    }
}

/* A part of the payment's amount, in its currency. */
static void
part_add(struct output_table *table, const char *name,
         const Payment__V1__PaymentRecord *payment, int64_t minor)
{
    Payment__V1__Money part = PAYMENT__V1__MONEY__INIT;
    char text[MONEY_AMOUNT_SIZE];

    if (payment->amount != NULL && minor != 0) {
        part.minor = minor;
        part.currency = payment->amount->currency;
        payctl_amount(&part, text);
        row_add(table, name, text);
    }
}

static bool
print_table(const Payment__V1__PaymentRecord *payment)
{
    static const char *const headings[] = {"WHAT", "IS"};
    struct output_table table;
    char text[MONEY_AMOUNT_SIZE];
    char card[32];

    output_table_init(&table, headings, 2);
    row_add(&table, "payment", payment->id);
    row_add(&table, "state", state_name(payment));
    if (payment->decline_reason != PAYMENT__V1__REASON__REASON_UNSPECIFIED) {
        row_add(&table, "declined",
                output_enum(&payment__v1__reason__descriptor,
                            (int)payment->decline_reason));
    }
    if (payment->amount != NULL) {
        payctl_amount(payment->amount, text);
        row_add(&table, "amount", text);
    }
    part_add(&table, "captured", payment, payment->captured_minor);
    part_add(&table, "refunded", payment, payment->refunded_minor);
    (void)snprintf(card, sizeof(card), "%.16s %.4s", payment->card_scheme,
                   payment->card_last4);
    row_add(&table, "card", payment->card_last4[0] != '\0' ? card : "");
    row_add(&table, "merchant", payment->merchant);
    row_add(&table, "reference", payment->reference);
    row_add(&table, "key", payment->authorize_key);
    output_time(payment->created_at_ms, text);
    row_add(&table, "created", text);
    return output_table_end(&table);
}

int
payctl_print_payment(const struct cli *cli,
                     const Payment__V1__PaymentRecord *payment)
{
    if (payment == NULL) {
        return cli_fail(cli, "%s: a reply without a payment", cli->address);
    }
    if (cli->json) {
        payctl_json_payment(payment);
        (void)putchar('\n');
        return 0;
    }
    return print_table(payment) ? 0 : cli_fail(cli, "out of memory");
}

void
payctl_list_init(struct output_table *table)
{
    static const char *const headings[] = {"PAYMENT", "STATE", "AMOUNT",
                                           "CARD",    "TIME",  "REFERENCE"};

    output_table_init(table, headings, 6);
    output_table_right(table, 2);
}

void
payctl_list_add(struct output_table *table,
                const Payment__V1__PaymentRecord *payment)
{
    char text[MONEY_AMOUNT_SIZE];

    output_table_text(table, payment->id);
    output_table_text(table, state_name(payment));
    payctl_amount(payment->amount, text);
    output_table_text(table, text);
    output_table_text(table, payment->card_last4);
    output_time(payment->created_at_ms, text);
    output_table_text(table, text);
    output_table_bytes(table, (const uint8_t *)payment->reference,
                       strlen(payment->reference));
}
