/*
 * A card on a command line. A number that is an argument can be seen by all
 * users of the machine, in the list of processes; so it may be "-" or "@FILE",
 * see cli_value().
 */
#ifndef CLIENTS_CARD_H
#define CLIENTS_CARD_H

#include "cli.h"

#define CARD_NUMBER_SIZE 65u

struct card {
    char number[CARD_NUMBER_SIZE];
    uint32_t expiry_month;
    uint32_t expiry_year; /* four digits */
};

/* What the help says of it. */
#define CARD_HELP                                                              \
    "A card number on the command line can be seen by other users of this\n"   \
    "machine: - reads it from standard input, @FILE from a file."

/* Read a card; the number is checked by the server. expiry is "MM/YY" or
 * "MM/YYYY"; NULL stands for a card without one. 0 or the exit code, and the
 * reason has been printed. */
int card_read(const struct cli *cli, const char *number, const char *expiry,
              struct card *ret_card);

/* Forget it. */
void card_clear(struct card *card);

#endif
