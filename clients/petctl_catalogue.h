/*
 * A catalogue: a file with a JSON array of pets, read and checked before
 * anything is sent.
 *
 *   [ { "id": "cat-miso", "species": "cat", "name": "Miso",
 *       "price": "240.00", "currency": "EUR", "description": "..." }, ... ]
 *
 * id, currency and description may be left out. An id that is left out is made
 * of the entry's contents, so that the same file gives the same ids again.
 */
#ifndef CLIENTS_PETCTL_CATALOGUE_H
#define CLIENTS_PETCTL_CATALOGUE_H

#include "cli.h"

#include <jansson.h>

#define CATALOGUE_ID_SIZE 65u

/* An entry that is right; its texts are the catalogue's. */
struct catalogue_entry {
    size_t number; /* in the file, from 1 */
    size_t line;   /* where it begins, from 1 */
    char id[CATALOGUE_ID_SIZE];
    const char *species;
    const char *name;
    const char *description;
    const char *currency;
    int64_t price;
};

struct catalogue {
    const char *path; /* for people */
    json_t *root;
    struct catalogue_entry *entries; /* those that are right */
    size_t n_entries;
    size_t n_wrong; /* told, and left out */
};

/* Read a file, "-" for standard input; prices without a currency of their own
 * are in `currency`. Wrong entries are told one by one. False: the file as a
 * whole is of no use, and the reason has been printed. */
bool catalogue_read(const struct cli *cli, const char *path,
                    const char *currency, struct catalogue *ret_catalogue);
void catalogue_free(struct catalogue *catalogue);

/* Print what is wrong with an entry: "import: FILE:LINE: entry N: ...". */
void catalogue_complain(const struct cli *cli,
                        const struct catalogue *catalogue, size_t line,
                        size_t number, const char *format, ...)
    RPCRT_PRINTF(5, 6);

#endif
