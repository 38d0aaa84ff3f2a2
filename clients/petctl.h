/*
 * Between the files of petctl: the commands, what their flags set, and printing
 * what petstore.proto's messages say.
 */
#ifndef CLIENTS_PETCTL_H
#define CLIENTS_PETCTL_H

#include "cli.h"
#include "money.h"
#include "output.h"
#include "petstore/v1/petstore.client.h"

struct petctl_options {
    const char *currency; /* of all prices on the command line */
    const char *password_file;
    const char *species;
    const char *name;
    const char *price;
    const char *description;
    const char *id;
    const char *min;
    const char *max;
    const char *text;
    const char *sort;
    const char *card;
    const char *expiry;
    const char *total;
    const char *order;
    const char *key;
    uint64_t limit;
    uint64_t jobs;
    bool unavailable;
    bool all;
};
extern struct petctl_options petctl_options;

/* What commands do; the arguments have been counted. */
int petctl_register(struct cli *cli, int argc, char **argv);
int petctl_login(struct cli *cli, int argc, char **argv);
int petctl_logout(struct cli *cli, int argc, char **argv);
int petctl_list(struct cli *cli, int argc, char **argv);
int petctl_show(struct cli *cli, int argc, char **argv);
int petctl_add(struct cli *cli, int argc, char **argv);
int petctl_update(struct cli *cli, int argc, char **argv);
int petctl_remove(struct cli *cli, int argc, char **argv);
int petctl_cart(struct cli *cli, int argc, char **argv);
int petctl_checkout(struct cli *cli, int argc, char **argv);
int petctl_orders(struct cli *cli, int argc, char **argv);
int petctl_order(struct cli *cli, int argc, char **argv);
int petctl_cancel(struct cli *cli, int argc, char **argv);
int petctl_import(struct cli *cli, int argc, char **argv);

/* Where the session is kept if nobody says: a file in the user's state folder.
 * NULL if there is no such folder. */
const char *petctl_session_default(void);

/* Read the price of a flag; 0 or the exit code. */
int petctl_price_read(const struct cli *cli, const char *flag, const char *text,
                      int64_t *ret_minor);

/* -- printing -------------------------------------------------------------- */

/* An amount for people, "12.50 EUR"; "-" without one. */
void petctl_amount(const Petstore__V1__Money *money,
                   char ret_text[MONEY_AMOUNT_SIZE]);

/* The name of an order's state as in petstore.proto. */
const char *petctl_order_state(const Petstore__V1__Order *order);

/* A pet or an order alone: a line of JSON, or a table of what it is. */
int petctl_print_pet(const struct cli *cli, const Petstore__V1__Pet *pet);
int petctl_print_order(const struct cli *cli, const Petstore__V1__Order *order);

/* A table of pets or orders, and its rows. */
void petctl_pets_init(struct output_table *table);
void petctl_pets_add(struct output_table *table, const Petstore__V1__Pet *pet);
void petctl_orders_init(struct output_table *table);
void petctl_orders_add(struct output_table *table,
                       const Petstore__V1__Order *order);

void petctl_json_pet(const Petstore__V1__Pet *pet);
void petctl_json_order(const Petstore__V1__Order *order);
/* A member of an amount; none without one. */
void petctl_json_money(struct output_json *json, const char *name,
                       const Petstore__V1__Money *money);

/* A paid order as a receipt. */
void petctl_receipt(const Petstore__V1__Order *order);

#endif
