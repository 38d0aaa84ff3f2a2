/*
 * Between the files of payctl: the commands, what their flags set, and printing
 * what payment.proto's messages say.
 */
#ifndef CLIENTS_PAYCTL_H
#define CLIENTS_PAYCTL_H

#include "card.h"
#include "cli.h"
#include "money.h"
#include "output.h"
#include "payment/v1/payment.client.h"

struct payctl_options {
    const char *expiry;
    const char *balance;
    const char *amount;
    const char *currency;
    const char *key;
    const char *merchant;
    const char *reference;
    const char *authorize_key;
    const char *until;
    uint64_t limit;
};
extern struct payctl_options payctl_options;

/* What commands do; the arguments have been counted. */
int payctl_issue(struct cli *cli, int argc, char **argv);
int payctl_authorize(struct cli *cli, int argc, char **argv);
int payctl_capture(struct cli *cli, int argc, char **argv);
int payctl_void(struct cli *cli, int argc, char **argv);
int payctl_refund(struct cli *cli, int argc, char **argv);
int payctl_show(struct cli *cli, int argc, char **argv);
int payctl_list(struct cli *cli, int argc, char **argv);
int payctl_balance(struct cli *cli, int argc, char **argv);
int payctl_books(struct cli *cli, int argc, char **argv);
int payctl_token(struct cli *cli, int argc, char **argv);
int payctl_secret(struct cli *cli, int argc, char **argv);

/* A member of an amount; none without one. */
void payctl_json_money(struct output_json *json, const char *name,
                       const Payment__V1__Money *money);

/* An amount for people, "12.50 EUR"; "-" without one. */
void payctl_amount(const Payment__V1__Money *money,
                   char ret_text[MONEY_AMOUNT_SIZE]);

/* A payment alone: a line of JSON, or a table of what it is. */
int payctl_print_payment(const struct cli *cli,
                         const Payment__V1__PaymentRecord *payment);

/* A payment as a row. */
void payctl_list_init(struct output_table *table);
void payctl_list_add(struct output_table *table,
                     const Payment__V1__PaymentRecord *payment);
void payctl_json_payment(const Payment__V1__PaymentRecord *payment);

#endif
